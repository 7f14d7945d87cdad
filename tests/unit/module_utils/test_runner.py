# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles and deletion of a runner without a module around them. test_ece_runner.py has the cases."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _runner
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._runner import (
    ensure_absent,
    ensure_present,
    require_dispensable,
    surplus_roles,
)
from tests.unit.scripted import ALLOCATORS, ODD_VALUES, RUNNERS, allocator, failed, runner

ID = "10.0.0.7"
PATH = f"{RUNNERS}/{ID}"
BLESSING = f"/platform/infrastructure/blueprinter/roles/allocator/blessings/{ID}"


def body(*roles):
    return {"roles": [{"role_name": role} for role in roles]}


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_missing_role_is_assigned_and_it_alone_is_permitted(ece, make_client, check_mode):
    ece.expect("GET", PATH, json=runner(ID, "beats-runner"))
    if not check_mode:
        ece.expect("PUT", BLESSING, json={}, sends={"value": True})
        ece.expect("PUT", PATH + "/roles", json={}, sends=body("allocator", "beats-runner"))
        ece.expect("GET", PATH, json=runner(ID, "beats-runner", "allocator"))
    assert ensure_present(make_client(), ID, ["allocator"], check_mode) == {
        "changed": True,
        "runner_id": ID,
        "roles": ["allocator", "beats-runner"],
        "diff": {"before": {"roles": ["beats-runner"]}, "after": {"roles": ["allocator", "beats-runner"]}},
    }


def test_a_role_that_another_run_has_taken_away_is_assigned_again_beside_those_of_that_run(ece, make_client):
    ece.expect("GET", PATH, json=runner(ID))
    ece.expect("PUT", BLESSING, json={}, sends={"value": True})
    ece.expect("PUT", PATH + "/roles", json={}, sends=body("allocator"))
    ece.expect("GET", PATH, json=runner(ID, "proxy"))
    ece.expect("PUT", PATH + "/roles", json={}, sends=body("allocator", "proxy"))
    ece.expect("GET", PATH, json=runner(ID, "allocator", "proxy"))
    result = ensure_present(make_client(), ID, ["allocator"], False)
    assert result["roles"] == result["diff"]["after"]["roles"] == ["allocator", "proxy"]


def test_a_role_that_is_taken_away_each_time_is_an_error(ece, make_client, sleeps):
    ece.expect("GET", PATH, json=runner(ID))
    ece.expect("PUT", BLESSING, json={}, sends={"value": True})
    for _attempt in range(_runner.ATTEMPTS):
        ece.expect("PUT", PATH + "/roles", json={}, sends=body("allocator"))
        ece.expect("GET", PATH, json=runner(ID))
    with pytest.raises(PlatformError, match=f"runner_id {ID} still lacks the role allocator, although it was assigned"):
        ensure_present(make_client(), ID, ["allocator"], False)
    assert sleeps == [_runner.PAUSE_SECONDS] * (_runner.ATTEMPTS - 1)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_disconnected_runner_is_deleted(ece, make_client, check_mode):
    ece.expect("GET", PATH, json=runner(ID, "allocator", connected=False))
    ece.expect("GET", f"{ALLOCATORS}/{ID}", json=allocator(ID, connected=False))
    if not check_mode:
        ece.expect("DELETE", f"{ALLOCATORS}/{ID}", json={})
        ece.expect("DELETE", PATH, json={})
    assert ensure_absent(make_client(), ID, check_mode) == {
        "changed": True,
        "runner_id": ID,
        "roles": [],
        "diff": {"before": {"roles": ["allocator"], "allocator": ID}, "after": {}},
    }


def test_a_connected_runner_and_an_unknown_one_are_errors(ece, make_client):
    ece.expect("GET", PATH, json=runner(ID, "allocator"))
    ece.expect("GET", PATH, status=404, json=failed("runners.runner_not_found"))
    with pytest.raises(PlatformError, match=f"runner_id {ID} is connected, so it is not deleted"):
        ensure_absent(make_client(), ID, False)
    with pytest.raises(PlatformError, match=f"runner_id {ID} is not known to the platform"):
        ensure_present(make_client(), ID, ["allocator"], False)


# -- roles that are taken away ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "declared", "surplus"),
    [
        (["allocator", "beats-runner", "proxy"], ["allocator"], ["proxy"]),
        (["beats-runner", "services-forwarder"], [], []),
        (["proxy", "director"], [], ["director", "proxy"]),
        (["proxy"], ["proxy", "allocator"], []),
        (["a-role-of-a-later-release"], [], []),
        ([], [], []),
    ],
)
def test_surplus_roles_are_those_that_users_choose(held, declared, surplus):
    assert surplus_roles(held, declared) == surplus


def listed(*others):
    return {"runners": [runner(ID, "coordinator", "director"), *others]}


def test_a_role_can_be_spared_where_another_connected_runner_has_it_by_the_platforms_state(ece, make_client):
    others = [runner("a", "coordinator", connected=False), runner("b", "coordinator"), runner("c", "coordinator")]
    ece.expect("GET", RUNNERS, json=listed(*others))
    # The list may be old: the first has lost the role meanwhile.
    ece.expect("GET", RUNNERS + "/b", json=runner("b", "proxy"))
    ece.expect("GET", RUNNERS + "/c", json=runner("c", "coordinator"))
    assert require_dispensable(make_client(), ID, ["coordinator", "proxy"]) == {"coordinator": "c"}


@pytest.mark.parametrize(
    ("other", "state", "said"),
    [
        (runner("b", "proxy"), None, "the platform lists no other one"),
        (runner("b", "director", connected=False), {"json": runner("b", "director", connected=False)}, "has 1 others"),
        (runner("b", "director"), {"status": 404, "json": failed("runners.runner_not_found")}, "none of which is"),
        (runner("b", "director"), {"json": runner("b", "director", connected="true")}, "none of which is connected"),
    ],
    ids=["no other", "disconnected", "gone", "damaged"],
)
def test_the_last_connected_director_stays_one(ece, make_client, other, state, said):
    ece.expect("GET", RUNNERS, json=listed(other))
    if state:
        ece.expect("GET", RUNNERS + "/b", **state)
    with pytest.raises(PlatformError, match=f"runner_id {ID} is the last connected director.*{said}"):
        require_dispensable(make_client(), ID, ["director"])


def test_a_proxy_and_an_allocator_without_its_object_are_taken_away_without_a_list(ece, make_client):
    ece.expect("GET", f"{ALLOCATORS}/{ID}", status=404, json=failed("allocators.allocator_not_found"))
    assert require_dispensable(make_client(), ID, ["allocator", "proxy"]) == {}


@pytest.mark.parametrize("instances", [value for value in ODD_VALUES if not isinstance(value, list) and value == value])
def test_an_allocator_of_which_the_platform_does_not_say_what_it_holds_stays_one(ece, make_client, instances):
    if instances in (float("inf"), 10**400):
        instances = "many"
    ece.expect("GET", f"{ALLOCATORS}/{ID}", json=allocator(ID, instances=instances))
    with pytest.raises(PlatformError, match="because the platform does not say which instances its allocator holds"):
        require_dispensable(make_client(), ID, ["allocator"])


def test_an_allocator_with_instances_stays_one(ece, make_client):
    ece.expect("GET", f"{ALLOCATORS}/{ID}", json=allocator(ID, instances=[{"cluster_id": "c1"}, {}, None]))
    with pytest.raises(PlatformError, match=r"holds 3 instances \(clusters c1, unknown\): move them to other"):
        require_dispensable(make_client(), ID, ["allocator"])


def test_a_role_that_another_run_assigns_again_is_taken_away_again(ece, make_client, sleeps):
    ece.expect("GET", PATH, json=runner(ID, "proxy"))
    ece.expect("PUT", PATH + "/roles", json={}, sends=body())
    ece.expect("GET", PATH, json=runner(ID, "proxy"))
    ece.expect("PUT", PATH + "/roles", json={}, sends=body())
    ece.expect("GET", PATH, json=runner(ID))
    assert ensure_present(make_client(), ID, [], False, exact=True)["roles"] == []
    assert sleeps == [_runner.PAUSE_SECONDS]


def test_a_role_that_comes_back_each_time_is_an_error(ece, make_client, sleeps):
    ece.expect("GET", PATH, json=runner(ID, "proxy"))
    for _attempt in range(_runner.ATTEMPTS):
        ece.expect("PUT", PATH + "/roles", json={}, sends=body())
        ece.expect("GET", PATH, json=runner(ID, "proxy"))
    with pytest.raises(PlatformError, match="still has the role proxy, although it was taken away 3 times"):
        ensure_present(make_client(), ID, [], False, exact=True)


def test_a_role_is_given_back_where_the_other_runner_loses_it_at_the_same_time(ece, make_client):
    ece.expect("GET", PATH, json=runner(ID, "coordinator", "proxy"))
    ece.expect("GET", RUNNERS, json=listed(runner("b", "coordinator")))
    ece.expect("GET", RUNNERS + "/b", json=runner("b", "coordinator"))
    ece.expect("PUT", PATH + "/roles", json={}, sends=body("proxy"))
    ece.expect("GET", PATH, json=runner(ID, "proxy"))
    ece.expect("GET", RUNNERS + "/b", json=runner("b"))
    ece.expect("GET", RUNNERS, json=listed(runner("b")))
    ece.expect("PUT", PATH + "/roles", json={}, sends=body("coordinator", "proxy"))
    with pytest.raises(
        PlatformError, match="is the last connected coordinator.*taken away for a moment, and given back"
    ):
        ensure_present(make_client(), ID, ["proxy"], False, exact=True)


def test_a_role_stays_away_where_a_third_runner_has_it(ece, make_client):
    ece.expect("GET", PATH, json=runner(ID, "coordinator"))
    ece.expect("GET", RUNNERS, json=listed(runner("b", "coordinator"), runner("c", "coordinator")))
    ece.expect("GET", RUNNERS + "/b", json=runner("b", "coordinator"))
    ece.expect("PUT", PATH + "/roles", json={}, sends=body())
    ece.expect("GET", PATH, json=runner(ID))
    ece.expect("GET", RUNNERS + "/b", json=runner("b"))
    ece.expect("GET", RUNNERS, json=listed(runner("c", "coordinator")))
    ece.expect("GET", RUNNERS + "/c", json=runner("c", "coordinator"))
    assert ensure_present(make_client(), ID, [], False, exact=True)["roles"] == []


@pytest.mark.parametrize("bless", [True, False])
def test_a_runner_is_permitted_its_missing_roles_unless_that_is_not_wanted(ece, make_client, bless):
    ece.expect("GET", PATH, json=runner(ID))
    if bless:
        ece.expect("PUT", BLESSING, json={}, sends={"value": True})
    ece.expect("PUT", PATH + "/roles", json={}, sends=body("allocator"))
    ece.expect("GET", PATH, json=runner(ID, "allocator"))
    assert ensure_present(make_client(), ID, ["allocator"], False, bless=bless)["changed"] is True
