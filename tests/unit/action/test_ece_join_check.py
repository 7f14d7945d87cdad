# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host is asked, and the decision on it as the result of a task."""

from __future__ import annotations

import pytest
from ansible import constants as C
from ansible.errors import AnsibleError

from ansible_collections.ece.platform.plugins.action import ece_join_check
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.plugin_utils import _role_options
from ansible_collections.ece.platform.plugins.plugin_utils._results import CHECK, PREPARATION, has_failed, registered
from ansible_collections.ece.platform.plugins.plugin_utils._run_notes import runner_notes, write_notes
from tests.unit.action.conftest import plan_of
from tests.unit.scripted import runner


class Client:
    """A platform with these runners and no allocator."""

    def __init__(self, runners):
        self._runners = {one["runner_id"]: one for one in runners}
        self.asked, self.warnings = [], ["a warning of the client"]

    def runner(self, runner_id):
        self.asked.append(runner_id)
        return self._runners.get(runner_id)

    def allocator(self, allocator_id):
        return None

    def runners(self):
        self.asked.append("the list")
        return list(self._runners.values())


@pytest.fixture
def check(bare):
    """The result for an entry of the plan and an answer of ece_host_info; `asked` of the function keeps the request."""

    def act(entry, found, replace=False, runners=(), registered=None, check_mode=False, **variables):
        def execute(module_name, module_args, task_vars):
            act.asked.append((module_name, module_args))
            return found

        options = {"ece_host_connect_timeout": 600, "ece_host_replace_stale": replace, **variables}
        action = bare(ece_join_check, variables=options, check_mode=check_mode)
        action._execute_module = execute
        action._find_needle = lambda _folder, source: source
        act.client = Client(runners)
        action.connect = lambda task_vars: (act.client, [])
        plan = plan_of(["a"])
        plan["hosts"]["a"].update(entry)
        task_vars = {"inventory_hostname": "a", **(registered or {})}
        return action.act({"entry": plan["hosts"]["a"], "made_at": plan["made_at"]}, task_vars)

    act.asked = []
    return act


CONTAINERS = {"ece_containers": ["frc-runners-runner"]}
GONE = runner("r-a", "proxy", connected=False)
THERE = runner("r-a", "proxy")


@pytest.mark.parametrize(
    ("state", "facts", "replace", "known", "verdict", "failed"),
    [
        ("new", {}, False, [], "install", False),
        ("new", {"installer_running": True}, False, [], "wait", False),
        ("new", CONTAINERS, False, [], "half-installed", True),
        ("new", CONTAINERS, False, [THERE], "joined", False),
        ("new", CONTAINERS, False, [GONE], "disconnected", True),
        ("disconnected", CONTAINERS, True, [GONE], "disconnected", True),
        ("disconnected", CONTAINERS, True, [THERE], "joined", False),
        ("disconnected", {}, False, [GONE], "stale", True),
        ("disconnected", {}, True, [GONE], "replace", False),
        ("disconnected", {}, "false", [GONE], "stale", True),
        ("disconnected", {}, True, [THERE], "refused", True),
        ("disconnected", {}, True, [], "install", False),
        ("missing-roles", {}, False, [], "assign-roles", False),
    ],
)
def test_rows_of_the_table_of_decisions(check, state, facts, replace, known, verdict, failed):
    result = check({"state": state, "roles": ["proxy"]}, {"facts": facts}, replace, known)
    assert (result["verdict"], result["failed"], result["made_at"]) == (verdict, failed, 7.5)
    assert result["msg"] and not result["changed"]


def test_a_host_that_is_joined_by_another_name_succeeds_and_says_which_variable_to_set(check):
    facts = {**CONTAINERS, "runner_ids": ["10.20.0.9"], "addresses": ["10.20.0.9"]}
    known = [runner("10.20.0.9", "proxy", host_ip="10.20.0.9")]
    result = check({"roles": ["proxy"]}, {"facts": facts}, runners=known)
    assert (result["verdict"], result["failed"]) == ("joined", False)
    sentence = "it is runner 10.20.0.9; set ece_host_ip: 10.20.0.9 (or ece_host_runner_id) in the inventory"
    assert result["msg"] == sentence
    assert result["warnings"] == ["a warning of the client"]


def test_a_host_is_looked_for_by_the_ids_that_the_plan_noted_for_its_addresses(check, monkeypatch, tmp_path):
    monkeypatch.setattr(C, "DEFAULT_LOCAL_TMP", str(tmp_path))
    write_notes(runner_notes(7.5), {"10.20.0.9": ["a7"]})
    known = [runner("a7", "proxy", host_ip="10.20.0.9")]
    result = check({"roles": ["proxy"]}, {"facts": {**CONTAINERS, "addresses": ["10.20.0.9"]}}, runners=known)
    assert (result["verdict"], check.client.asked) == ("joined", ["r-a", "10.20.0.9", "a7"])


def test_the_platform_is_asked_for_its_list_where_the_notes_of_the_plan_are_gone(check):
    known = [runner("a7", "proxy", host_ip="10.20.0.9")]
    result = check({"roles": ["proxy"]}, {"facts": {**CONTAINERS, "addresses": ["10.20.0.9"]}}, runners=known)
    assert (result["verdict"], check.client.asked) == ("joined", ["the list", "r-a", "10.20.0.9", "a7"])


@pytest.mark.parametrize(("known", "verdict"), [([], "install"), ([GONE], "stale"), ([THERE], "refused")])
def test_a_host_is_new_only_by_the_platforms_own_answer_where_its_lists_have_gaps(check, known, verdict):
    result = check({"roles": ["proxy"], "list_is_short": True}, {"facts": {}}, runners=known)
    assert (result["verdict"], check.client.asked) == (verdict, ["r-a"])


@pytest.mark.parametrize("facts", [{}, {"installer_running": True}, {"containers_known": False}])
def test_the_platform_is_not_asked_where_no_verdict_rests_on_its_lists(check, facts):
    check({}, {"facts": facts})
    assert check.client.asked == []


def test_no_runner_is_deleted_on_the_word_of_an_address_with_another_port(check):
    entry = {"state": "disconnected", "identity_variable": "ansible_host", "identity": "gateway.example.com"}
    result = check(entry, {"facts": {}}, True, [GONE], ansible_port=2200)
    assert (result["verdict"], "It is not replaced, because only ansible_host" in result["msg"]) == ("stale", True)


@pytest.fixture
def check_where_any_error_is_fatal(bare):
    """Check a host, in a play with any_errors_fatal, whose module raises or returns what is given."""

    def act(found):
        def execute(module_name, module_args, task_vars):
            if isinstance(found, Exception):
                raise found
            return found

        action = bare(ece_join_check, any_errors_fatal=True)
        action._execute_module = execute
        entry = {**plan_of(["a"])["hosts"]["a"], "state": "new", "version": "3.8.0"}
        return action.act({"entry": entry, "made_at": 7.5}, {"inventory_hostname": "a"})

    return act


@pytest.mark.parametrize(
    ("found", "withheld"),
    [
        ({"unreachable": True, "msg": "why"}, {"failed": False, "unreachable": True}),
        ({"failed": True, "msg": "why"}, {"failed": True, "unreachable": False}),
        (PlatformError("why"), {"failed": True, "unreachable": False}),
        (AnsibleError("why"), {"failed": True, "unreachable": False}),
    ],
    ids=["unreachable", "module failed", "platform", "Ansible"],
)
def test_where_any_error_is_fatal_a_check_withholds_its_failure_until_the_verdict(
    check_where_any_error_is_fatal, found, withheld
):
    result = check_where_any_error_is_fatal(found)
    assert not {"failed", "unreachable"} & set(result)
    assert (result["withheld"], result["msg"]) == (withheld, "why")
    assert has_failed(registered({CHECK: result}, CHECK))


def test_where_any_error_is_fatal_a_refused_host_is_withheld_with_its_verdict(check_where_any_error_is_fatal):
    result = check_where_any_error_is_fatal({"facts": {}, "problems": ["There is no socket."]})
    assert (result["verdict"], result["withheld"]["failed"], "failed" in result) == ("refused", True, False)


def test_the_host_is_asked_with_the_variables_of_the_role(check):
    variables = {"ece_host_user": "elastic", "ece_host_skip_checks": ["os"], "ece_host_zone": "z"}
    check({}, {"facts": {}}, **variables)
    expected = {"user": "elastic", "skip_checks": ["os"], "roles": ["allocator"], "version": "3.8.0"}
    ((module, options),) = check.asked
    assert module == "ece.platform.ece_host_info"
    assert {name: options[name] for name in expected} == expected and "zone" not in options


def test_the_host_is_told_how_the_controller_knows_it_and_what_it_has_to_reach(check, monkeypatch):
    monkeypatch.setattr(_role_options.time, "time", lambda: 9.5)
    reached = {"coordinator": "ece", "directors": ["10.0.0.1"]}
    check(reached, {"facts": {}}, ansible_host="10.0.0.7")
    check(reached, {"facts": {}}, ansible_host="a")
    common = {
        "coordinator_host": "ece",
        "directors": ["10.0.0.1"],
        "controller_time": 9.5,
        "roles": ["allocator"],
        "version": "3.8.0",
        "installer_path": "/mnt/data/elastic-cloud-enterprise.sh",
    }
    assert [options for _module, options in check.asked] == [
        {**common, "addresses": ["10.0.0.7", "a"]},
        {**common, "addresses": ["a"]},
    ]


def test_the_host_is_told_what_the_installer_supports_that_will_be_copied_to_it(check, tmp_path):
    script = tmp_path / "elastic-cloud-enterprise.sh"
    script.write_text('CLOUD_ENTERPRISE_VERSION=4.3.0\nECE_compatibility["4.3"]="RHEL-10_Podman-6"\n')
    check({}, {"facts": {}}, ece_host_installer_src=str(script), ece_host_installer_path="/opt/x.sh")
    assert check.asked[0][1]["installer_facts"] == {
        "version": "4.3.0",
        "support_matrix": {"4.3": ["RHEL-10 podman 6"]},
        "arguments": [],
    }
    assert "installer_path" not in check.asked[0][1]


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({}, "/mnt/data/elastic-cloud-enterprise.sh"),
        ({"ece_host_installer_path": "", "ece_host_storage_path": "/data/ece/"}, "/data/elastic-cloud-enterprise.sh"),
        ({"ece_host_installer_path": "/opt/x.sh", "ece_host_installer_url": "https://x/y.sh"}, "/opt/x.sh"),
    ],
)
def test_the_host_is_asked_about_the_file_that_the_installation_will_take(check, variables, path):
    check({}, {"facts": {}}, **variables)
    assert check.asked[0][1]["installer_path"] == path


def test_a_host_that_lacks_a_role_is_not_asked(check):
    assert check({"state": "missing-roles", "missing_roles": ["allocator"]}, {})["verdict"] == "assign-roles"
    assert check.asked == []


def test_a_joined_host_that_is_changed_is_not_asked(check):
    result = check({"state": "update", "changes": ["maintenance mode on", "tag ssd=true"]}, {})
    assert result["verdict"] == "update" and not result["failed"]
    assert result["msg"] == "connected, but not as declared: maintenance mode on, tag ssd=true"
    assert check.asked == []


@pytest.mark.parametrize("found", [{"failed": True, "msg": "no user"}, {"unreachable": True, "msg": "no route"}])
def test_a_host_that_cannot_answer_fails_with_the_error_of_its_module(check, found):
    assert check({}, found) == found


def test_problems_refuse_and_warnings_are_left_to_be_shown_for_all_hosts_at_once(check):
    found = {
        "facts": {},
        "problems": ["There is no socket."],
        "warnings_found": ["Little memory."],
        "warnings": ["a warning of Ansible"],
    }
    result = check({}, found)
    assert result["failed"] and result["verdict"] == "refused" and "There is no socket." in result["msg"]
    assert result["warnings"] == ["a warning of Ansible"]
    assert result["warnings_found"] == ["Little memory."]


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


def test_a_host_sets_no_variable_by_what_its_module_returns(check):
    turned = {
        "ansible_facts": {"discovered_interpreter_python": "/usr/bin/python3", "ece_url": "https://other.example.com"},
        "add_host": {"host_name": "b"},
        "ansible_stats": {"data": {"x": 1}},
    }
    for result in (check({}, {"facts": {}, **turned}), check({}, {"failed": True, "msg": "no", **turned})):
        assert result["ansible_facts"] == {"discovered_interpreter_python": "/usr/bin/python3"}
        assert not {"add_host", "ansible_stats"} & set(result)


@pytest.mark.parametrize(
    ("variables", "extra", "verdict"),
    [
        ({}, (), "assign-roles"),
        ({}, ("ece_host_roles",), "refused"),
        ({"ece_host_assign_roles": False}, (), "refused"),
        ({"ece_host_assign_roles": True}, ("ece_host_roles",), "assign-roles"),
    ],
)
def test_a_role_is_assigned_to_a_host_that_the_plan_did_not_show_as_the_plan_would_assign_it(
    check, role_variables, variables, extra, verdict
):
    role_variables(ece_join_check, {"a": {}}, extra)
    known = [runner("r-a", "proxy")]
    result = check({}, {"facts": CONTAINERS}, False, known, **variables)
    assert result["verdict"] == verdict
    assert ("set ece_host_assign_roles: true to assign it" in result["msg"]) == (verdict == "refused")


# -- with the preparation --------------------------------------------------------------------------------------------

PREPARED = {PREPARATION: {"planned_at": 1.0, "todo": ["engine", "limits"], "parts": {}}}


def test_in_check_mode_what_the_preparation_would_mend_is_no_problem(check):
    bare_host = {"facts": {"containers_known": False}}
    result = check({"state": "new"}, bare_host, registered=PREPARED, check_mode=True, ece_host_prepare=True)
    assert (result["verdict"], result["unprepared"]) == ("install", True)
    assert result["msg"].endswith(", once it is prepared")
    assert check.asked[0][1]["skip_checks"] == ["disk", "engine", "limits", "os", "selinux", "socket"]


def test_in_check_mode_what_it_would_not_mend_is_one(check):
    found = {"facts": {}, "problems": ["The host has 4000 MB of memory."]}
    result = check({"state": "new"}, found, registered=PREPARED, check_mode=True, ece_host_prepare=True)
    assert result["failed"] and "unprepared" not in result and "4000 MB" in result["msg"]


@pytest.mark.parametrize(
    ("entry", "variables"),
    [
        ({"state": "new"}, {"check_mode": True}),
        ({"state": "new"}, {"ece_host_prepare": True}),
        ({"state": "disconnected"}, {"check_mode": True, "ece_host_prepare": True}),
    ],
)
def test_hosts_that_are_not_prepared_are_checked_for_everything(check, entry, variables):
    check(entry, {"facts": {}}, registered=PREPARED, **variables)
    assert "skip_checks" not in check.asked[0][1]


def test_a_host_whose_preparation_failed_is_not_asked(check):
    failure = {"__ece_host_preparation_failure": {"of": 1.0, "reason": "Format the disk: it is in use"}}
    with pytest.raises(OptionError, match="its preparation failed: Format the disk: it is in use"):
        check({"state": "new"}, {"facts": {}}, registered={**PREPARED, **failure}, ece_host_prepare="yes")
    assert check.asked == []
