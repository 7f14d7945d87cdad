# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The change of a runner: missing roles are assigned, and a stale runner goes only where its host can join again."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_join_runner
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.plugin_utils._results import CHECK, TOKEN
from tests.unit.action.conftest import plan_of
from tests.unit.scripted import ALLOCATORS, API_KEY, RUNNERS, URL, failed, runner

BLESSING = "/platform/infrastructure/blueprinter/roles/allocator/blessings"
MINTED = {"token": "t", "reason": None, "latest_start": None}


@pytest.fixture
def change(bare, environment):
    """The result for a verdict; `facts` are what the host says when it is asked again, `asked` counts that."""

    def act(verdict, token=MINTED, check_mode=False, found=None, changes=(), **declared):
        def execute(module_name, module_args, task_vars):
            assert module_name == "ece.platform.ece_host_info" and module_args["roles"] == ["allocator"]
            act.asked += 1
            return found or {"facts": {"containers_known": True}}

        variables = {"ece_url": URL, "ece_api_key": API_KEY, "ece_retries": 0, **declared}
        action = bare(ece_join_runner, check_mode=check_mode, variables=variables)
        action._execute_module = execute
        plan = plan_of(["a"])
        plan["hosts"]["a"].update(runner_id="10.0.0.1", missing_roles=["allocator"], changes=changes)
        task_vars = {"inventory_hostname": "a", CHECK: {"verdict": verdict}, TOKEN: token}
        return action.act({"entry": plan["hosts"]["a"]}, task_vars)

    act.asked = 0
    return act


PATH, OF_ALLOCATOR = RUNNERS + "/10.0.0.1", ALLOCATORS + "/10.0.0.1"


def expect_stale(ece):
    ece.expect("GET", PATH, json=runner("10.0.0.1", "proxy", connected=False))
    ece.expect("GET", OF_ALLOCATOR, status=404, json=failed("allocators.allocator_not_found"))


def test_missing_roles_are_assigned_without_a_token(ece, change):
    ece.expect("GET", PATH, json=runner("10.0.0.1", "proxy"))
    ece.expect("PUT", BLESSING + "/10.0.0.1", json={}, sends={"value": True})
    sends = {"roles": [{"role_name": "allocator"}, {"role_name": "proxy"}]}
    ece.expect("PUT", PATH + "/roles", sends=sends)
    ece.expect("GET", PATH, json=runner("10.0.0.1", "proxy", "allocator"))
    result = change("assign-roles", token={"skipped": True})
    assert (result["changed"], result["roles"]) == (True, ["allocator", "proxy"])
    assert change.asked == 0


def test_a_stale_runner_is_deleted_after_its_host_was_asked_again(ece, change):
    expect_stale(ece)
    ece.expect("DELETE", PATH)
    assert change("replace")["changed"] is True
    assert change.asked == 1


def test_a_runner_that_has_connected_since_the_check_is_not_deleted(ece, change):
    ece.expect("GET", PATH, json=runner("10.0.0.1", "proxy"))
    with pytest.raises(PlatformError, match=r"10\.0\.0\.1 is connected, so it is not deleted"):
        change("replace")


@pytest.mark.parametrize("facts", [{"installer_running": True}, {"ece_containers": ["frc-runners-runner"]}])
def test_a_runner_whose_host_another_run_joins_since_the_check_is_not_deleted(ece, change, facts):
    with pytest.raises(PlatformError, match=r"10\.0\.0\.1 is not deleted, because ECE is being installed on the host"):
        change("replace", found={"facts": facts})
    assert ece.requests == []


@pytest.mark.parametrize("found", [{"failed": True, "msg": "no user"}, {"unreachable": True, "msg": "no route"}])
def test_a_runner_whose_host_cannot_be_asked_again_is_not_deleted(ece, change, found):
    assert change("replace", found=found) == found
    assert ece.requests == []


@pytest.mark.parametrize("token", [{"token": None, "reason": "no"}, {**MINTED, "latest_start": 1.0}, {"skipped": True}])
def test_a_stale_runner_stays_where_its_host_cannot_join_again(ece, change, token):
    result = change("replace", token)
    assert (result["changed"], result["skipped"]) == (False, True)
    assert ece.requests == []


@pytest.mark.parametrize("verdict", ["replace", "assign-roles"])
def test_no_runner_is_changed_where_any_error_is_fatal_and_another_host_failed(ece, change, verdict):
    result = change(verdict, token={**MINTED, "reason": "b failed", "ends_play": True})
    assert result == {"changed": False, "msg": "b failed", "withheld": {"failed": True, "unreachable": False}}
    assert (change.asked, ece.requests) == (0, [])


def test_check_mode_reports_the_change_and_makes_none(ece, change):
    expect_stale(ece)
    assert change("replace", {"token": None, "reason": None, "latest_start": None}, check_mode=True)["changed"] is True
    assert {request.method for request in ece.requests} == {"GET"}


# -- a joined host that is not as declared ---------------------------------------------------------------------------

MAINTAINED = {"changes": ["maintenance mode on"], "ece_host_maintenance": True}


def test_a_joined_host_is_changed_without_a_token_and_without_asking_the_host(ece, change):
    ece.expect("GET", PATH, json=runner("10.0.0.1", "allocator"))
    ece.expect("GET", OF_ALLOCATOR, json=allocator("10.0.0.1"))
    ece.expect("GET", OF_ALLOCATOR, json=allocator("10.0.0.1"))
    ece.expect("POST", OF_ALLOCATOR + "/maintenance-mode/_start", status=202, json={})
    ece.expect("GET", OF_ALLOCATOR, json=allocator("10.0.0.1", maintenance_mode=True))
    result = change("update", token={"skipped": True}, **MAINTAINED)
    assert (result["changed"], result["msg"], change.asked) == (True, "maintenance mode on", 0)
    assert result["diff"] == {"before": {"maintenance": False}, "after": {"maintenance": True}}


def test_a_host_that_lacks_a_role_is_changed_in_the_same_step(ece, change):
    ece.expect("GET", PATH, json=runner("10.0.0.1", "allocator"))
    ece.expect("GET", PATH, json=runner("10.0.0.1", "allocator"))
    ece.expect("GET", OF_ALLOCATOR, json=allocator("10.0.0.1"))
    result = change("assign-roles", check_mode=True, **MAINTAINED)
    assert (result["changed"], result["msg"], result["roles"]) == (True, "maintenance mode on", ["allocator"])
    assert {request.method for request in ece.requests} == {"GET"}


def test_check_mode_says_what_would_change_on_a_joined_host(ece, change):
    ece.expect("GET", PATH, json=runner("10.0.0.1", "allocator"))
    ece.expect("GET", OF_ALLOCATOR, json=allocator("10.0.0.1"))
    result = change("update", check_mode=True, **MAINTAINED)
    assert (result["changed"], result["msg"]) == (True, "maintenance mode on")


def test_a_joined_host_that_another_run_has_changed_since_the_list_is_left_alone(ece, change):
    ece.expect("GET", PATH, json=runner("10.0.0.1", "allocator"))
    ece.expect("GET", OF_ALLOCATOR, json=allocator("10.0.0.1", maintenance_mode=True))
    result = change("update", **MAINTAINED)
    assert (result["changed"], result["msg"]) == (False, "it is what is declared by now")


def test_a_joined_host_that_has_disconnected_since_the_list_is_not_changed(ece, change):
    ece.expect("GET", PATH, json=runner("10.0.0.1", "allocator", connected=False))
    ece.expect("GET", OF_ALLOCATOR, json=allocator("10.0.0.1", connected=False))
    with pytest.raises(PlatformError, match=r"^10\.0\.0\.1 is not connected any more, so nothing of it was changed"):
        change("update", **MAINTAINED)


def test_no_joined_host_is_changed_where_any_error_is_fatal_and_another_host_failed(ece, change):
    result = change("update", token={**MINTED, "reason": "b failed", "ends_play": True}, **MAINTAINED)
    assert result["withheld"] == {"failed": True, "unreachable": False} and ece.requests == []


def allocator(allocator_id, *, connected=True, maintenance_mode=False):
    return {
        "allocator_id": allocator_id,
        "status": {"connected": connected, "maintenance_mode": maintenance_mode},
        "capacity": {"memory": {"total": 10000, "used": 0}},
        "settings": {},
        "metadata": [],
        "instances": [],
    }


def test_roles_that_a_joined_host_must_not_lose_are_refused_before_anything_of_it_is_changed(ece, change):
    ece.expect("GET", PATH, json=runner("10.0.0.1", "allocator", "director"))
    ece.expect("GET", OF_ALLOCATOR, json=allocator("10.0.0.1"))
    ece.expect("GET", PATH, json=runner("10.0.0.1", "allocator", "director"))
    ece.expect("GET", RUNNERS, json={"runners": [runner("10.0.0.1", "allocator", "director")]})
    with pytest.raises(PlatformError, match=r"10\.0\.0\.1 is the last connected director, and keeps that role"):
        change("update", ece_host_roles_exact=True, **MAINTAINED)
    assert {request.method for request in ece.requests} == {"GET"}


def test_the_message_says_what_was_changed_before_a_change_that_failed(ece, change):
    both, one = runner("10.0.0.1", "allocator", "proxy"), runner("10.0.0.1", "allocator")
    ece.expect("GET", PATH, json=both)
    ece.expect("GET", OF_ALLOCATOR, json=allocator("10.0.0.1"))
    ece.expect("GET", PATH, json=both)
    ece.expect("PUT", PATH + "/roles", sends={"roles": [{"role_name": "allocator"}]})
    ece.expect("GET", PATH, json=one)
    ece.expect("GET", OF_ALLOCATOR, json=allocator("10.0.0.1"))
    ece.expect("POST", OF_ALLOCATOR + "/maintenance-mode/_start", status=400, json=failed("allocators.no"))
    with pytest.raises(PlatformError, match="before that, the role proxy was taken away$"):
        change("update", ece_host_roles_exact=True, **MAINTAINED)


def test_a_role_that_the_host_lacks_is_not_assigned_by_the_change_that_takes_others_away(ece, change):
    before, after = runner("10.0.0.1", "beats-runner", "proxy"), runner("10.0.0.1", "beats-runner")
    ece.expect("GET", PATH, json=before)
    ece.expect("GET", OF_ALLOCATOR, status=404, json=failed("allocators.allocator_not_found"))
    ece.expect("GET", PATH, json=before)
    ece.expect("PUT", PATH + "/roles", sends={"roles": [{"role_name": "beats-runner"}]})
    ece.expect("GET", PATH, json=after)
    result = change("update", changes=["roles"], ece_host_roles_exact=True)
    assert result["diff"] == {
        "before": {"roles": ["beats-runner", "proxy"]},
        "after": {"roles": ["beats-runner"]},
    }


def test_the_diff_of_a_host_that_gets_a_role_and_other_changes_has_both():
    assigned = {"changed": True, "diff": {"before": {"roles": ["a"]}, "after": {"roles": ["a", "b", "c"]}}}
    kept = {
        "changed": True,
        "runner_id": "r",
        "msg": "m",
        "diff": {
            "before": {"roles": ["a", "b", "c"], "tags": {}},
            "after": {"roles": ["a", "b"], "tags": {"ssd": "true"}},
        },
    }
    assert ece_join_runner._both(assigned, kept)["diff"] == {
        "before": {"roles": ["a"], "tags": {}},
        "after": {"roles": ["a", "b"], "tags": {"ssd": "true"}},
    }
    assert ece_join_runner._both({"changed": False}, {**kept, "changed": False}) == {**kept, "changed": False}
