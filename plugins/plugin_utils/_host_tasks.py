# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Runs a task on any host of the play, from a task of another host, as Ansible runs any task of that host.

One task waits for many hosts. Each host has its own address, user, passwords, become method, interpreter and plugins,
and Ansible alone knows how they follow from variables, keywords and the command line. So a child process of Ansible's
worker becomes the worker for one task of the other host. Nothing of the first host is in that: the play context of a
worker is the play's, with the passwords of the command line at most; a task only ever changes a copy of it.

What this file uses is private to Ansible. It is the same in ansible-core 2.16 to 2.21, except for the arguments of
`send_task_result`.
"""

from __future__ import annotations

from typing import Any, Callable, Mapping

from ansible.executor.process import worker as ansible_worker
from ansible.playbook.task import Task
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables

# Keywords of plays and blocks that are not for a task which only looks at a host.
NOT_INHERITED: dict[str, list[Any]] = {"when": [], "environment": []}


class Outbox:
    """Stands for the queue on which a worker sends to Ansible.

    A process that is killed while it writes there would lock it for all others.
    """

    def __init__(self, send: Callable[[tuple[Any, ...]], None]) -> None:
        self._send = send
        self.result: Mapping[str, Any] = {}

    def send_display(self, method: str, *arguments: Any, **keywords: Any) -> None:
        """Pass a call of Display to the parent."""
        self._send((method, arguments, keywords))

    def send_task_result(self, *arguments: Any, **_keywords: Any) -> None:
        """Keep the result of the task."""
        self.result = _result(arguments)

    def send_callback(self, *_arguments: Any, **_keywords: Any) -> None:
        """Call no callback: the play does not know of this task."""

    def send_prompt(self, **_keywords: Any) -> None:
        """Ask the operator nothing."""
        raise ValueError("it asks for input")


def _result(arguments: tuple[Any, ...]) -> Mapping[str, Any]:
    """Return the result among the arguments of a worker's send_task_result()."""
    last = arguments[-1]
    if hasattr(last, "as_result_dict"):  # from 2.21 on: host, task, result
        return dict(last.as_result_dict())
    if hasattr(last, "_return_data"):  # 2.19 and 2.20: an object around the result
        return dict(last._return_data)
    return dict(last)  # up to 2.18: name of the host, id of the task, result


def run_on(
    name: str, task: Mapping[str, Any], action: Any, variables: HostVariables, send: Callable[[tuple[Any, ...]], None]
) -> Mapping[str, Any]:
    """Return the result of a task on the host with this inventory name.

    Only for a child process of the action's worker, which is of no other use afterwards. task: as in a playbook, except
    that no value is a template. send: gets calls of Display as (method, arguments, keywords).
    """
    worker, outbox = ansible_worker.current_worker, Outbox(send)
    loaded = Task.load(
        {key: wrap_var(value) for key, value in task.items()},
        block=action._task._parent,
        role=action._task._role,
        variable_manager=worker._variable_manager,
        loader=worker._loader,
    )
    loaded.squash()
    for keyword, value in NOT_INHERITED.items():
        setattr(loaded, keyword, value)
    worker._host, worker._task, worker._task_vars = variables.host(name), loaded, variables.raw(name)
    worker._final_q = outbox
    worker._detach = lambda: None  # the child has done that
    worker._loader._tempfiles = set()  # those of the first task are not for this one to delete
    # Past ansible-runner, which wraps the method: in a child process it would wait for a lock of its parent.
    Display().display = lambda *arguments, **keywords: outbox.send_display("display", *arguments, **keywords)
    worker.run()
    return outbox.result
