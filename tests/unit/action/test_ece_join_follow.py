# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking one host for the record of its installer."""

from __future__ import annotations

import shlex
from types import SimpleNamespace

import pytest
from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase

from ansible_collections.ece.platform.plugins.action.ece_join_follow import ActionModule

COMMAND = ["python3", "-c", "source with 'quotes' and\nlines", "/data/record.json", "25"]


class TimedOut(BaseException):
    """As Ansible's own."""


class Resettable:
    def __init__(self):
        self.resets = 0

    def reset(self):
        self.resets += 1


@pytest.fixture
def ask(monkeypatch):
    """Run the action with an answer of its host or an error. Returns the result, its command and its connection."""

    def act(answer, connection=None):
        action = ActionModule.__new__(ActionModule)
        action._connection = connection or Resettable()
        commands = []

        def execute(command, sudoable):
            commands.append(command)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        action._low_level_execute_command = execute
        action.validate_argument_spec = lambda argument_spec: (None, {"command": COMMAND})
        monkeypatch.setattr(ActionBase, "run", lambda self, tmp, task_vars: {})
        return SimpleNamespace(result=action.run(), command=commands[0])

    return act


def test_the_record_is_found_among_what_a_login_shell_prints(ask):
    done = ask({"stdout": 'Welcome!\nECE-RECORD {"lock": "running", "now": 5}\n', "stderr": ""})
    assert done.result == {"changed": False, "record": {"lock": "running", "now": 5}}
    assert shlex.split(done.command) == COMMAND


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"stdout": "a", "stderr": "python3: not found\n"}, "python3: not found"),
        ({"stdout": "only a banner", "stderr": ""}, "only a banner"),
        ({}, "no answer"),
    ],
)
def test_an_answer_without_a_record_is_a_failure_that_says_what_the_host_said(ask, answer, message):
    assert ask(answer).result == {"failed": True, "msg": message}


@pytest.mark.parametrize("error", [OSError("lost"), TimedOut()])
def test_a_connection_that_does_not_answer_is_given_up(ask, error):
    connection = Resettable()
    with pytest.raises(type(error)):
        ask(error, connection)
    assert connection.resets == 1


def test_a_connection_that_cannot_be_given_up_is_left_alone(ask, monkeypatch):
    def warn(self):
        raise AssertionError("it warns that it cannot")

    monkeypatch.setattr(ConnectionBase, "reset", warn)
    plain = type("Plain", (), {"reset": ConnectionBase.reset})()
    with pytest.raises(OSError, match="lost"):
        ask(OSError("lost"), plain)
