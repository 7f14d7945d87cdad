# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.modules import ece_runner
from tests.unit.scripted import ALLOCATORS, RUNNERS, allocator, failed, jwt, reset, runner

ID = "10.0.0.7"
PATH = f"{RUNNERS}/{ID}"
OF_ALLOCATOR = f"{ALLOCATORS}/{ID}"
BLESSINGS = "/platform/infrastructure/blueprinter/roles/{role}/blessings/" + ID
NO_ALLOCATOR = {"status": 404, "json": failed("allocators.allocator_not_found")}
NOT_FOUND = {"status": 404, "json": failed("runners.runner_not_found")}


def roles_body(*roles):
    return {"roles": [{"role_name": role} for role in roles]}


# -- present ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "asked", "after"),
    [
        (["allocator", "beats-runner"], ["allocator"], None),
        (["beats-runner"], ["allocator"], ["allocator", "beats-runner"]),
        ([], ["proxy", "allocator"], ["allocator", "proxy"]),
        (
            ["services-forwarder", "director", "beats-runner"],
            ["allocator"],
            ["allocator", "beats-runner", "director", "services-forwarder"],
        ),
        (["allocator"], ["allocator", "allocator"], None),
    ],
    ids=["there", "one more", "two, sorted", "the system's stay", "asked twice"],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_missing_roles_are_added_to_those_held(ece, run_module, held, asked, after, check_mode):
    ece.expect("GET", PATH, json=runner(ID, *held))
    if after and not check_mode:
        for role in sorted(set(asked) - set(held)):
            ece.expect("PUT", BLESSINGS.format(role=role), json={}, sends={"value": True})
        ece.expect("PUT", PATH + "/roles", json={}, sends=roles_body(*after))
        ece.expect("GET", PATH, json=runner(ID, *after))
    result = run_module(ece_runner, check_mode=check_mode, runner_id=ID, roles=asked)
    assert (result["changed"], result["runner_id"], result["roles"]) == (after is not None, ID, after or sorted(held))
    assert result["diff"] == {"before": {"roles": sorted(held)}, "after": {"roles": after or sorted(held)}}


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_unknown_runner_cannot_have_roles(ece, run_module, check_mode):
    ece.expect("GET", PATH, **NOT_FOUND)
    result = run_module(ece_runner, check_mode=check_mode, runner_id=ID, roles=["allocator"])
    assert result["failed"]
    assert f"runner_id {ID} is not known to the platform" in result["msg"]


def test_roles_that_are_refused_are_an_error_with_its_code(ece, run_module):
    ece.expect("GET", PATH, json=runner(ID))
    ece.expect("PUT", BLESSINGS.format(role="allocator"), json={}, sends={"value": True})
    ece.expect(
        "PUT",
        PATH + "/roles",
        status=400,
        json=failed("runners.runner_set_roles_failed"),
        sends=roles_body("allocator"),
    )
    result = run_module(ece_runner, runner_id=ID, roles=["allocator"])
    assert result["failed"]
    assert result["failure"]["code"] == "runners.runner_set_roles_failed"


@pytest.mark.parametrize("check_mode", [False, True])
def test_roles_that_are_not_listed_go_on_request_and_the_platforms_own_stay(ece, run_module, check_mode):
    ece.expect("GET", PATH, json=runner(ID, "beats-runner", "services-forwarder", "proxy", "allocator"))
    ece.expect("GET", OF_ALLOCATOR, json=allocator(ID, instances=[]))
    if not check_mode:
        ece.expect("PUT", PATH + "/roles", json={}, sends=roles_body("beats-runner", "proxy", "services-forwarder"))
        ece.expect("GET", PATH, json=runner(ID, "beats-runner", "services-forwarder", "proxy"))
    result = run_module(ece_runner, check_mode=check_mode, runner_id=ID, roles=["proxy"], roles_exact=True)
    assert (result["changed"], result["roles"]) == (True, ["beats-runner", "proxy", "services-forwarder"])
    assert result["diff"]["before"]["roles"] == ["allocator", "beats-runner", "proxy", "services-forwarder"]


def test_all_roles_can_be_taken_away(ece, run_module):
    ece.expect("GET", PATH, json=runner(ID, "beats-runner", "proxy"))
    ece.expect("PUT", PATH + "/roles", json={}, sends=roles_body("beats-runner"))
    ece.expect("GET", PATH, json=runner(ID, "beats-runner"))
    assert run_module(ece_runner, runner_id=ID, roles=[], roles_exact=True)["roles"] == ["beats-runner"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_runner_without_other_roles_is_left_alone(ece, run_module, check_mode):
    ece.expect("GET", PATH, json=runner(ID, "beats-runner", "proxy"))
    result = run_module(ece_runner, check_mode=check_mode, runner_id=ID, roles=["proxy"], roles_exact=True)
    assert result["changed"] is False


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_last_coordinator_stays_one(ece, run_module, check_mode):
    ece.expect("GET", PATH, json=runner(ID, "coordinator", "proxy"))
    ece.expect("GET", RUNNERS, json={"runners": [runner(ID, "coordinator", "proxy"), runner("other", "proxy")]})
    result = run_module(ece_runner, check_mode=check_mode, runner_id=ID, roles=["proxy"], roles_exact=True)
    assert result["failed"]
    assert result["msg"].startswith(f"runner_id {ID} is the last connected coordinator, and keeps that role")


def test_a_former_director_is_warned_about(ece, run_module):
    ece.expect("GET", PATH, json=runner(ID, "director"))
    ece.expect("GET", RUNNERS, json={"runners": [runner(ID, "director"), runner("other", "director")]})
    ece.expect("GET", RUNNERS + "/other", json=runner("other", "director"))
    result = run_module(ece_runner, check_mode=True, runner_id=ID, roles=[], roles_exact=True)
    assert result["roles"] == []
    (warning,) = result.warnings
    assert f"runner_id {ID}: without the role director, ZooKeeper keeps running on its host" in warning


def test_a_role_without_permission_is_said_where_the_runner_is_not_to_be_permitted(ece, run_module):
    ece.expect("GET", PATH, json=runner(ID))
    for _attempt in range(3):
        ece.expect("PUT", PATH + "/roles", json={}, sends=roles_body("proxy"))
        ece.expect("GET", PATH, json=runner(ID))
    result = run_module(ece_runner, runner_id=ID, roles=["proxy"], bless=False)
    assert result["failed"] and "still lacks the role proxy" in result["msg"] and "set bless: true" in result["msg"]


# -- absent ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "before"),
    [
        (("runner", "allocator"), {"roles": ["proxy"], "allocator": ID}),
        (("runner",), {"roles": ["proxy"]}),
        (("allocator",), {"allocator": ID}),
    ],
    ids=["both", "its allocator is gone", "its runner is gone"],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_what_is_there_of_runner_and_allocator_is_deleted_whatever_roles_are_listed(
    ece, run_module, there, before, check_mode
):
    ece.expect("GET", PATH, **({"json": runner(ID, "proxy", connected=False)} if "runner" in there else NOT_FOUND))
    gone = allocator(ID, connected=False)
    ece.expect("GET", OF_ALLOCATOR, **({"json": gone} if "allocator" in there else NO_ALLOCATOR))
    if not check_mode:
        if "allocator" in there:
            ece.expect("DELETE", OF_ALLOCATOR, json={})
        if "runner" in there:
            ece.expect("DELETE", PATH, json={})
    result = run_module(ece_runner, check_mode=check_mode, runner_id=ID, state="absent")
    assert result["changed"] is True
    assert result["diff"] == {"before": before, "after": {}}


@pytest.mark.parametrize("check_mode", [False, True])
def test_where_neither_runner_nor_allocator_is_there_nothing_changes(ece, run_module, check_mode):
    ece.expect("GET", PATH, **NOT_FOUND)
    ece.expect("GET", OF_ALLOCATOR, **NO_ALLOCATOR)
    result = run_module(ece_runner, check_mode=check_mode, runner_id=ID, state="absent")
    assert (result.get("failed", False), result["changed"], result["diff"]) == (
        False,
        False,
        {"before": {}, "after": {}},
    )


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_connected_runner_is_never_deleted(ece, run_module, check_mode):
    ece.expect("GET", PATH, json=runner(ID, "allocator", connected=True))
    result = run_module(ece_runner, check_mode=check_mode, runner_id=ID, state="absent")
    assert result["failed"]
    assert f"runner_id {ID} is connected, so it is not deleted" in result["msg"]


@pytest.mark.parametrize("found", [NOT_FOUND, {"json": runner(ID, connected=False)}], ids=["alone", "with its runner"])
def test_a_connected_allocator_is_never_deleted(ece, run_module, found):
    ece.expect("GET", PATH, **found)
    ece.expect("GET", OF_ALLOCATOR, json=allocator(ID))
    result = run_module(ece_runner, runner_id=ID, state="absent")
    assert result["failed"]
    assert f"the allocator of runner_id {ID} is connected, so neither it nor its runner is deleted" in result["msg"]


@pytest.fixture
def stale(ece):
    """A platform that is asked for runner and allocator of a host that is gone."""
    ece.expect("GET", PATH, json=runner(ID, "allocator", connected=False))
    ece.expect("GET", OF_ALLOCATOR, json=allocator(ID, connected=False))
    return ece


def test_an_allocator_and_a_runner_that_are_deleted_meanwhile_are_a_success(stale, run_module):
    stale.expect("DELETE", OF_ALLOCATOR, **NO_ALLOCATOR)
    stale.expect("DELETE", PATH, **NOT_FOUND)
    assert "failed" not in run_module(ece_runner, runner_id=ID, state="absent")


@pytest.mark.parametrize(
    "code", ["allocators.delete_allocator_with_instances_attempt", "allocators.delete_connected_allocator_attempt"]
)
def test_an_allocator_that_must_stay_keeps_its_runner(stale, run_module, code):
    stale.expect("DELETE", OF_ALLOCATOR, status=400, json=failed(code))
    result = run_module(ece_runner, runner_id=ID, state="absent")
    assert result["failed"]
    assert result["failure"]["code"] == code


def test_a_deletion_whose_answer_was_lost_is_repeated(ece, run_module):
    ece.expect("GET", PATH, json=runner(ID, connected=False))
    ece.expect("GET", OF_ALLOCATOR, **NO_ALLOCATOR)
    ece.expect("DELETE", PATH, body=reset())
    ece.expect("DELETE", PATH, json={})
    assert run_module(ece_runner, runner_id=ID, state="absent")["changed"]


def test_a_deletion_without_an_answer_is_an_error(ece, run_module):
    ece.expect("GET", PATH, json=runner(ID, connected=False))
    ece.expect("GET", OF_ALLOCATOR, **NO_ALLOCATOR)
    ece.expect("DELETE", PATH, body=reset())
    result = run_module(ece_runner, runner_id=ID, state="absent", retries=0)
    assert result["failed"] and "connection reset by peer" in result["msg"]


# -- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"roles": ["allocator"]}, "runner_id"),
        ({"runner_id": ID}, "roles"),
        ({"runner_id": ID, "roles": ["beats-runner"]}, "beats-runner"),
        ({"runner_id": ID, "state": "gone"}, "gone"),
        ({"runner_id": "", "state": "absent"}, "runner_id is empty"),
        ({"runner_id": " ", "roles": ["allocator"]}, "runner_id is empty"),
        ({"runner_id": ID, "roles": []}, "roles is empty: give at least one role, or roles_exact: true"),
    ],
)
def test_bad_options_are_named_before_anything_is_sent(ece, run_module, options, message):
    result = run_module(ece_runner, **options)
    assert result["failed"] and message in result["msg"]
    assert ece.requests == []


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_token_in_place_of_the_id_is_refused_and_not_repeated(ece, run_module, state):
    token = jwt(["allocator"])
    result = run_module(ece_runner, runner_id=token, state=state, roles=["proxy"])
    assert result["failed"] and "is an enrollment token: give the id of a runner" in result["msg"]
    assert token not in result["msg"] and ece.requests == []
