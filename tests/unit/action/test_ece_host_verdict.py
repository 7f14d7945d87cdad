# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host is asked, and the decision on it as a task's result."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_host_verdict

ENTRY = {
    "name": "a",
    "state": "unknown",
    "roles": ["allocator"],
    "runner_id": "10.0.0.1",
    "missing_roles": [],
    "version": "3.8.0",
}


@pytest.fixture
def decide(bare):
    """The action's result for an entry of the plan and what ece_host_info says; C(asked) of the function keeps what it was asked with."""

    def act(entry, found, replace=False, **host_info):
        def execute(module_name, module_args, task_vars):
            act.asked.append((module_name, module_args))
            return found

        action = bare(ece_host_verdict)
        action._execute_module = execute
        return action.act(
            {
                "entry": {**ENTRY, **entry},
                "host_info": host_info,
                "replace_stale": replace,
                "connect_timeout": 600,
                "install_timeout": 1800,
            },
            {},
        )

    act.asked = []
    return act


@pytest.mark.parametrize(
    ("state", "facts", "replace", "verdict", "failed"),
    [
        ("unknown", {}, False, "install", False),
        ("unknown", {"installer_running": True}, False, "wait", False),
        ("unknown", {"ece_containers": ["frc-runners-runner"]}, False, "half-installed", True),
        ("disconnected", {"ece_containers": ["frc-runners-runner"]}, True, "ill", True),
        ("disconnected", {}, False, "stale", True),
        ("disconnected", {}, True, "replace", False),
        ("missing_roles", {}, False, "assign_roles", False),
    ],
)
def test_rows_of_the_verdict_table(decide, state, facts, replace, verdict, failed):
    result = decide({"state": state}, {"facts": facts}, replace)
    assert (result["verdict"], result["failed"]) == (verdict, failed)
    assert result["msg"] and result["roles"] == ["allocator"] and result["install_timeout"] == 1800


def test_the_host_is_asked_for_what_it_is_to_become(decide):
    decide({}, {"facts": {}}, user="elastic", skip_checks=["os"])
    assert decide.asked == [
        (
            "ece.platform.ece_host_info",
            {"user": "elastic", "skip_checks": ["os"], "roles": ["allocator"], "version": "3.8.0"},
        )
    ]


def test_a_host_that_lacks_a_role_is_not_asked(decide):
    assert decide({"state": "missing_roles", "missing_roles": ["allocator"]}, {})["missing_roles"] == ["allocator"]
    assert decide.asked == []


def test_a_host_that_cannot_say_anything_fails_with_its_own_words(decide):
    result = decide({}, {"failed": True, "msg": "user elastic does not exist"})
    assert (result["failed"], result["msg"]) == (True, "user elastic does not exist") and "verdict" not in result


def test_problems_refuse_and_warnings_warn(decide):
    found = {
        "facts": {},
        "problems": ["There is no socket."],
        "warnings_found": ["Little memory."],
        "warnings": ["of Ansible's own"],
    }
    result = decide({}, found)
    assert result["failed"] and result["verdict"] == "refused" and "There is no socket." in result["msg"]
    assert result["warnings"] == ["of Ansible's own", "a: Little memory."]


def test_a_discovered_interpreter_is_handed_on(decide):
    found = {
        "facts": {},
        "ansible_facts": {"discovered_interpreter_python": "/usr/bin/python3"},
        "invocation": {},
        "deprecations": [],
    }
    assert {key: decide({}, found)[key] for key in ("ansible_facts", "invocation", "deprecations")} == {
        "ansible_facts": {"discovered_interpreter_python": "/usr/bin/python3"},
        "invocation": {},
        "deprecations": [],
    }


@pytest.mark.parametrize("state", ["unknown", "disconnected"])
def test_without_a_word_of_the_engine_nothing_is_installed_and_nothing_deleted(decide, state):
    result = decide({"state": state}, {"facts": {"containers_known": False}}, True)
    assert (result["verdict"], result["failed"]) == (
        "refused",
        True,
    ) and "the container engine does not answer" in result["msg"]
