# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Runs a command on a host other than the task's own.

One task waits for many hosts, so it needs their connections. They are made like Ansible's own executor makes them, with
each host's variables, connection plugin and become method; nothing here depends on SSH.
"""

from __future__ import annotations

import copy
import os
from typing import Any

from ansible import constants as C
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.loader import become_loader, connection_loader

from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost


def on_host(action: Any, variables: OneHost, become: bool) -> Any:
    """Return a copy of the action whose commands run on the host that the variables belong to.

    become: whether tasks on that host become another user, where its variables do not set `ansible_become`.
    """
    task = action._task
    play_context = action._play_context.copy()
    task_keys = task.dump_attrs()
    # The timeout and retries of the task are not those of the connection.
    task_keys["timeout"] = play_context.timeout
    task_keys.pop("retries", None)
    if play_context.password:
        task_keys["password"] = play_context.password

    name = variables.get("ansible_connection") or task.connection
    name = "ssh" if name == "smart" else name
    play_context.connection = name
    connection = connection_loader.get(name, play_context, os.devnull)
    if connection is None:
        raise ValueError(f"there is no connection plugin {name}")
    wanted = C.config.get_plugin_vars("connection", connection._load_name)
    connection.set_options(task_keys=task_keys, var_options={"_extras": {}, **variables.select(wanted)})

    shell = connection._shell
    shell_vars = C.config.get_plugin_vars("shell", shell._load_name)
    shell.set_options(task_keys=task_keys, var_options=variables.select(shell_vars))

    own = variables.get("ansible_become")
    if boolean(own) if own is not None else become:
        connection.set_become_plugin(_become_plugin(task, play_context, task_keys, variables))
    play_context.set_attributes_from_plugin(connection)

    other = copy.copy(action)
    other._connection = connection
    other._play_context = play_context
    return other


def _become_plugin(task: Any, play_context: Any, task_keys: dict[str, Any], variables: OneHost) -> Any:
    method = variables.get("ansible_become_method") or task.become_method
    plugin = become_loader.get(method)
    if plugin is None:
        raise ValueError(f"there is no become plugin {method}")
    if play_context.become_pass:
        task_keys = {**task_keys, "become_pass": play_context.become_pass}
    become_vars = C.config.get_plugin_vars("become", plugin._load_name)
    plugin.set_options(task_keys=task_keys, var_options=variables.select(become_vars))
    return plugin
