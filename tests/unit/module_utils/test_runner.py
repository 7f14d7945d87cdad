# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles and deletion of a runner without a module around them. test_ece_runner.py has the cases."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._runner import ensure_absent, ensure_present
from tests.unit.scripted import ALLOCATORS, RUNNERS, failed, runner

ID = "10.0.0.7"
PATH = f"{RUNNERS}/{ID}"


@pytest.mark.parametrize("check_mode", [False, True])
def test_missing_roles_are_assigned(ece, make_client, check_mode):
    ece.expect("GET", PATH, json=runner(ID, "beats-runner"))
    if not check_mode:
        body = {"roles": [{"role_name": "allocator"}, {"role_name": "beats-runner"}]}
        ece.expect("PUT", PATH + "/roles", json={}, query={"bless": "true"}, sends=body)
    assert ensure_present(make_client(), ID, ["allocator"], check_mode) == {
        "changed": True,
        "runner_id": ID,
        "roles": ["allocator", "beats-runner"],
        "diff": {"before": {"roles": ["beats-runner"]}, "after": {"roles": ["allocator", "beats-runner"]}},
    }


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_disconnected_runner_is_deleted(ece, make_client, check_mode):
    ece.expect("GET", PATH, json=runner(ID, "allocator", connected=False))
    if not check_mode:
        ece.expect("DELETE", f"{ALLOCATORS}/{ID}", json={})
        ece.expect("DELETE", PATH, json={})
    assert ensure_absent(make_client(), ID, check_mode) == {
        "changed": True,
        "runner_id": ID,
        "roles": [],
        "diff": {"before": {"roles": ["allocator"]}, "after": {}},
    }


def test_an_absent_runner_is_not_a_change(ece, make_client):
    ece.expect("GET", PATH, status=404, json=failed("runners.runner_not_found"))
    assert not ensure_absent(make_client(), ID, False)["changed"]


def test_a_connected_runner_and_an_unknown_one_are_errors(ece, make_client):
    ece.expect("GET", PATH, json=runner(ID, "allocator"))
    ece.expect("GET", PATH, status=404, json=failed("runners.runner_not_found"))
    with pytest.raises(PlatformError, match=f"runner_id {ID} is connected, so it is not deleted"):
        ensure_absent(make_client(), ID, False)
    with pytest.raises(PlatformError, match=f"runner_id {ID} is not known to the platform"):
        ensure_present(make_client(), ID, ["allocator"], False)
