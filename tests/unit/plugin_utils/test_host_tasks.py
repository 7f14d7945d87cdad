# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running a task on another host. tests/integration/test_following.py does that for real."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display

from ansible_collections.ece.platform.plugins.plugin_utils import _host_tasks
from ansible_collections.ece.platform.plugins.plugin_utils._host_tasks import Outbox, run_on

ANSWER = {"record": {"lock": "running"}}


class Result21:
    """As from ansible-core 2.21 on."""

    def as_result_dict(self):
        return ANSWER


@pytest.mark.parametrize(
    "arguments",
    [("b", "task-uuid", ANSWER), (SimpleNamespace(_return_data=ANSWER),), ("host", "task", Result21())],
    ids=["2.16 to 2.18", "2.19 and 2.20", "2.21"],
)
def test_the_result_is_found_in_what_each_release_of_ansible_sends(arguments):
    outbox = Outbox(lambda message: None)
    outbox.send_task_result(*arguments)
    assert outbox.result == ANSWER


class Worker:
    """Stands for Ansible's worker, which has run a task of host a."""

    _host, _task, _task_vars, _variable_manager = "a", "task of a", {"ansible_password": "word of a"}, None
    _play_context = "of the play"

    def __init__(self):
        self._loader = DataLoader()
        self._loader._tempfiles = {"file of a"}
        self._final_q = None
        self.given = None

    def run(self):
        Display().display("a line", color="blue")
        self.given = (self._host, self._task_vars, self._play_context, self._task)
        self._final_q.send_task_result("b", "uuid", ANSWER)


class LoadedTask:
    """Stands for a task with a condition and an environment that it inherited."""

    when, environment, squashed = ["a condition"], [{"A": "b"}], False

    @classmethod
    def load(cls, data, *, block, role, variable_manager, loader):
        task = cls()
        task.data = data
        return task

    def squash(self):
        self.squashed = True


@pytest.fixture
def worker(monkeypatch):
    """The worker that this process is."""
    worker = Worker()
    monkeypatch.setattr(_host_tasks.ansible_worker, "current_worker", worker)
    monkeypatch.setattr(Display(), "display", Display().display)
    return worker


def test_a_worker_gets_the_host_and_the_variables_and_keeps_the_play_context_of_the_play(worker, monkeypatch):
    variables = SimpleNamespace(host=lambda name: f"host {name}", raw=lambda name: {"of": name})
    action = SimpleNamespace(_task=SimpleNamespace(_parent=None, _role=None))
    task, sent = {"a.b.c": {"command": ["text"]}, "become": True, "timeout": 45}, []
    monkeypatch.setattr(_host_tasks, "Task", LoadedTask)
    assert run_on("b", task, action, variables, sent.append) == ANSWER
    host, given, context, loaded = worker.given
    assert (host, given, context) == ("host b", {"of": "b"}, "of the play")
    assert loaded.data == task and loaded.squashed
    assert (loaded.when, loaded.environment) == ([], []), "conditions and environment are not those of the role's task"
    assert sent == [("display", ("a line",), {"color": "blue"})]
    assert worker._loader._tempfiles == set()


def test_a_task_that_asks_for_input_is_refused():
    with pytest.raises(ValueError, match="asks for input"):
        Outbox(lambda message: None).send_prompt(private=True)
