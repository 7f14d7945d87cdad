# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The change of a runner: missing roles are assigned, and a stale runner goes only where its host can join again."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_join_runner
from ansible_collections.ece.platform.plugins.plugin_utils._results import CHECK, TOKEN
from tests.unit.action.conftest import plan_of
from tests.unit.scripted import API_KEY, RUNNERS, URL, runner

MINTED = {"token": "t", "reason": None, "latest_start": None}


@pytest.fixture
def change(bare, environment):
    def act(verdict, token=MINTED, check_mode=False):
        variables = {"ece_url": URL, "ece_api_key": API_KEY, "ece_retries": 0}
        action = bare(ece_join_runner, check_mode=check_mode, variables=variables)
        plan = plan_of(["a"])
        plan["hosts"]["a"].update(runner_id="10.0.0.1", missing_roles=["allocator"])
        task_vars = {"inventory_hostname": "a", CHECK: {"verdict": verdict}, TOKEN: token}
        return action.act({"entry": plan["hosts"]["a"]}, task_vars)

    return act


def test_missing_roles_are_assigned_without_a_token(ece, change):
    ece.expect("GET", RUNNERS + "/10.0.0.1", json=runner("10.0.0.1", "proxy"))
    sends = {"roles": [{"role_name": "allocator"}, {"role_name": "proxy"}]}
    ece.expect("PUT", RUNNERS + "/10.0.0.1/roles", query={"bless": "true"}, sends=sends)
    result = change("assign-roles", token={"skipped": True})
    assert (result["changed"], result["roles"]) == (True, ["allocator", "proxy"])


def test_a_stale_runner_is_deleted(ece, change):
    ece.expect("GET", RUNNERS + "/10.0.0.1", json=runner("10.0.0.1", "proxy", connected=False))
    ece.expect("DELETE", RUNNERS + "/10.0.0.1")
    assert change("replace")["changed"] is True


@pytest.mark.parametrize("token", [{"token": None, "reason": "no"}, {**MINTED, "latest_start": 1.0}, {"skipped": True}])
def test_a_stale_runner_stays_where_its_host_cannot_join_again(ece, change, token):
    result = change("replace", token)
    assert (result["changed"], result["skipped"]) == (False, True)
    assert ece.requests == []


def test_check_mode_reports_the_change_and_makes_none(ece, change):
    ece.expect("GET", RUNNERS + "/10.0.0.1", json=runner("10.0.0.1", "proxy", connected=False))
    assert change("replace", {"token": None, "reason": None, "latest_start": None}, check_mode=True)["changed"] is True
    assert [request.method for request in ece.requests] == ["GET"]
