# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host is asked, and the decision on it as the result of a task."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.ece.platform.plugins.action import ece_join_check
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from tests.unit.action.conftest import plan_of


@pytest.fixture
def check(bare):
    """The result for an entry of the plan and an answer of ece_host_info; `asked` of the function keeps the request."""

    def act(entry, found, replace=False, **variables):
        def execute(module_name, module_args, task_vars):
            act.asked.append((module_name, module_args))
            return found

        options = {"ece_host_connect_timeout": 600, "ece_host_replace_stale": replace, **variables}
        action = bare(ece_join_check, variables=options)
        action._execute_module = execute
        plan = plan_of(["a"])
        plan["hosts"]["a"].update({"state": "new", "missing_roles": [], "version": "3.8.0", **entry})
        return action.act({"entry": plan["hosts"]["a"], "made_at": plan["made_at"]}, {"inventory_hostname": "a"})

    act.asked = []
    return act


@pytest.mark.parametrize(
    ("state", "facts", "replace", "verdict", "failed"),
    [
        ("new", {}, False, "install", False),
        ("new", {"installer_running": True}, False, "wait", False),
        ("new", {"ece_containers": ["frc-runners-runner"]}, False, "half-installed", True),
        ("disconnected", {"ece_containers": ["frc-runners-runner"]}, True, "disconnected", True),
        ("disconnected", {}, False, "stale", True),
        ("disconnected", {}, True, "replace", False),
        ("disconnected", {}, "false", "stale", True),
        ("missing-roles", {}, False, "assign-roles", False),
    ],
)
def test_rows_of_the_table_of_decisions(check, state, facts, replace, verdict, failed):
    result = check({"state": state}, {"facts": facts}, replace)
    assert (result["verdict"], result["failed"], result["made_at"]) == (verdict, failed, 7.5)
    assert result["msg"] and not result["changed"]


@pytest.mark.parametrize("fatal", [False, True])
def test_a_host_that_cannot_be_reached_fails_at_once_only_where_any_error_is_fatal(bare, fatal):
    def execute(module_name, module_args, task_vars):
        raise AnsibleConnectionFailure("ssh: connect to host 10.0.0.7 port 22: No route to host")

    action = bare(ece_join_check, any_errors_fatal=fatal)
    action._execute_module = execute
    entry = {**plan_of(["a"])["hosts"]["a"], "state": "new", "version": "3.8.0"}
    message = r"^it cannot be reached \(ssh: .*No route to host\); check ansible_host" if fatal else "^ssh: connect"
    with pytest.raises(PlatformError if fatal else AnsibleConnectionFailure, match=message):
        action.act({"entry": entry, "made_at": 7.5}, {"inventory_hostname": "a"})


def test_the_host_is_asked_with_the_variables_of_the_role(check):
    variables = {"ece_host_user": "elastic", "ece_host_skip_checks": ["os"], "ece_host_zone": "z"}
    check({}, {"facts": {}}, **variables)
    expected = {"user": "elastic", "skip_checks": ["os"], "roles": ["allocator"], "version": "3.8.0"}
    assert check.asked == [("ece.platform.ece_host_info", expected)]


def test_a_host_that_lacks_a_role_is_not_asked(check):
    assert check({"state": "missing-roles", "missing_roles": ["allocator"]}, {})["verdict"] == "assign-roles"
    assert check.asked == []


@pytest.mark.parametrize("found", [{"failed": True, "msg": "no user"}, {"unreachable": True, "msg": "no route"}])
def test_a_host_that_cannot_answer_fails_with_the_error_of_its_module(check, found):
    assert check({}, found) == found


def test_problems_refuse_and_warnings_warn(check):
    found = {
        "facts": {},
        "problems": ["There is no socket."],
        "warnings_found": ["Little memory."],
        "warnings": ["a warning of Ansible"],
    }
    result = check({}, found)
    assert result["failed"] and result["verdict"] == "refused" and "There is no socket." in result["msg"]
    assert result["warnings"] == ["a warning of Ansible"]
    assert result["warnings_found"] == ["Little memory."], "the next step shows them once for all hosts"


def test_a_discovered_interpreter_is_passed_on(check):
    passed_on = {
        "ansible_facts": {"discovered_interpreter_python": "/usr/bin/python3"},
        "invocation": {},
        "deprecations": [],
    }
    result = check({}, {"facts": {}, **passed_on})
    assert {key: result[key] for key in passed_on} == passed_on


@pytest.mark.parametrize("state", ["new", "disconnected"])
def test_where_the_engine_does_not_answer_nothing_is_installed_or_deleted(check, state):
    result = check({"state": state}, {"facts": {"containers_known": False}}, True)
    assert (result["verdict"], result["failed"]) == ("refused", True)
    assert "the container engine does not answer" in result["msg"]
