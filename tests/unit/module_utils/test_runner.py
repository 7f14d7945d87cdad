# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles and deletion of a runner without a module around them. test_ece_runner.py has the cases."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _runner
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._runner import ensure_absent, ensure_present
from tests.unit.scripted import ALLOCATORS, RUNNERS, allocator, failed, runner

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
