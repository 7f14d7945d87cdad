# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token of a batch: for which hosts it is minted and for which not, and how it ends."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from ansible_collections.ece.platform.plugins.action import ece_join_token
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.plugin_utils._results import CHECK, REPORT
from tests.unit.action.conftest import PLAY, plan_of
from tests.unit.scripted import API_KEY, TOKENS, URL, failed, jwt

CONNECTION = {"ece_url": URL, "ece_api_key": API_KEY, "ece_retries": 0}
WATCHDOG = {"pid": 4711, "name": "0123456789abcdef"}
TOO_MANY = "2 of 2 hosts of a batch have failed, which is more than ece_host_max_fail_percentage 10 allows"


def check(verdict="install"):
    return {CHECK: {"verdict": verdict, "made_at": 7.5, "failed": verdict == "refused"}}


@pytest.fixture
def mint(bare, environment, role_variables, play_vars):
    """Mint for a batch. hosts: registered results by name. roles, timeouts: what differs by host."""

    def act(hosts, *, gone=(), roles=None, timeouts=None, most=None, check_mode=False, persistent=False, batch=None):
        plan = plan_of(hosts, max_fail_percentage=most)
        for name, wanted in (roles or {}).items():
            plan["hosts"][name]["roles"] = wanted
        role_variables(
            ece_join_token, {name: {"ece_host_install_timeout": (timeouts or {}).get(name, 1800)} for name in hosts}
        )
        variables = {**CONNECTION, "ece_host_token_persistent": persistent}
        action = bare(ece_join_token, check_mode=check_mode, variables=variables)
        task_vars = play_vars(hosts, gone=gone, batch=batch)
        return action.act({"state": "present", "plan": plan, "token": None}, task_vars)

    return act


def expect_mint(ece, roles=("allocator",), validity=2120):
    token = jwt(list(roles), exp=int(time.time()) + validity)
    sends = {"persistent": False, "roles": list(roles), "validity_in_seconds": validity}
    ece.expect("POST", TOKENS, json={"token": token}, sends=sends)
    return token


def test_one_token_has_the_roles_of_all_hosts_that_install_and_holds_for_the_slowest(ece, mint):
    hosts = {name: check() for name in "abcdef"} | {"g": check("replace"), "h": check("wait"), "i": check("refused")}
    roles = {"a": ["proxy"], "g": ["allocator", "proxy"], "h": ["director"], "i": ["coordinator"]}
    validity = 3600 + 300 + 2 * 20
    token = expect_mint(ece, ["allocator", "proxy"], validity)
    result = mint(hosts, gone="i", roles=roles, timeouts={"b": 3600})
    assert (result["token"], result["token_id"], result["changed"], result["reason"]) == (token, None, True, None)
    assert result["request"] == {"roles": ["allocator", "proxy"], "persistent": False, "validity_seconds": validity}


def test_an_installer_may_start_as_long_as_it_can_present_the_token_at_its_end(ece, mint):
    expect_mint(ece)
    left = mint({"a": check()})["latest_start"] - time.time()
    assert 2120 - 1800 - 60 - 30 < left <= 2120 - 1800 - 60


@pytest.mark.parametrize("verdict", ["wait", "assign-roles"])
def test_a_batch_in_which_no_host_installs_gets_no_token(ece, mint, verdict):
    result = mint({"a": check(verdict), "b": check("refused")}, gone="b")
    assert (result["token"], result["request"], result["reason"], result["changed"]) == (None, None, None, False)
    assert ece.requests == []


def test_check_mode_mints_nothing_and_reports_what_would_be_minted(ece, mint):
    result = mint({"a": check()}, check_mode=True)
    assert (result["token"], result["changed"], result["request"]["roles"]) == (None, True, ["allocator"])
    assert ece.requests == []


def test_a_mint_that_fails_is_a_reason_and_does_not_fail_the_hosts_that_need_no_token(ece, mint):
    sends = {"persistent": False, "roles": ["allocator"], "validity_in_seconds": 2120}
    ece.expect("POST", TOKENS, status=403, json=failed("x.y", "Not you."), sends=sends)
    result = mint({"a": check(), "b": check("wait")})
    assert result["token"] is None and "failed" not in result
    assert result["reason"].startswith("there is no token to join with: POST ") and "Not you." in result["reason"]


def test_a_watchdog_mints_a_persistent_token_and_watches_ansible_playbook(ece, mint, monkeypatch):
    asked = []
    minted = {"token": "t", "token_id": "id", "expires_at": None, "minted_at": 1.0, "roles": ["allocator"]}
    minted["warnings"] = ["minted without the lock"]
    monkeypatch.setattr(ece_join_token.multiprocessing, "parent_process", lambda: SimpleNamespace(pid=99))
    monkeypatch.setattr(
        ece_join_token.token_watchdog, "mint", lambda *arguments: (asked.append(arguments), (minted, WATCHDOG))[1]
    )
    result = mint({"a": check()}, persistent="true")
    assert (result["token"], result["token_id"], result["watchdog"]) == ("t", "id", WATCHDOG)
    assert result["latest_start"] is None
    assert result["warnings"] == ["minted without the lock"]
    connection, request, pid = asked[0]
    assert (connection["api_key"], pid) == (API_KEY, 99)
    assert request == {"roles": ["allocator"], "persistent": True, "validity_seconds": None}


# -- too many failures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("most", "stops"), [(None, False), (50, False), ("50%", False), (49, True), (0, True), ("0", True)]
)
def test_too_many_failed_checks_in_a_batch_are_a_reason_for_no_token(ece, mint, most, stops):
    hosts = {"a": check("refused"), "b": {CHECK: {"unreachable": True}}, "c": check(), "d": check("wait")}
    if not stops:
        expect_mint(ece)
    result = mint(hosts, gone="ab", most=most)
    assert bool(result["reason"]) is stops
    if stops:
        limit = str(most).rstrip("%")
        assert result["reason"] == (
            f"2 of 4 hosts of a batch have failed, which is more than ece_host_max_fail_percentage {limit} allows: "
            "no installer is started"
        )


def report(hosts, too_many=None, play=PLAY):
    return {REPORT: {"play": play, "made_at": 7.5, "hosts": dict.fromkeys(hosts), "too_many_failed": too_many}}


@pytest.mark.parametrize("order", ["abcd", "dcba"])
def test_after_a_batch_with_too_many_failures_no_further_batch_gets_a_token(ece, mint, order):
    results = {
        "a": {**check(), **report("ab", TOO_MANY)},
        "b": check("refused"),
        "c": check(),
        "d": check(),
    }
    result = mint({name: results[name] for name in order}, gone="b", most=10, batch="cd")
    assert result["reason"] == f"{TOO_MANY}: no further host is joined"


@pytest.mark.parametrize(
    "earlier",
    [report("ab"), report("ab", TOO_MANY, play="another play"), {}],
    ids=["after a good one", "another play's", "the first"],
)
def test_a_batch_gets_its_token(ece, mint, earlier):
    expect_mint(ece)
    hosts = {"a": {**check(), **earlier}, "b": {**check(), **earlier}, "c": check(), "d": check()}
    assert mint(hosts, most=10, batch="cd")["reason"] is None


# -- the end of the token --------------------------------------------------------------------------------------------


@pytest.fixture
def stopped(monkeypatch):
    watchdogs = []
    monkeypatch.setattr(ece_join_token.token_watchdog, "stop", watchdogs.append)
    return watchdogs


@pytest.fixture
def revoke(bare, environment, stopped):
    def act(token):
        action = bare(ece_join_token, variables=CONNECTION)
        return action.act({"state": "absent", "plan": None, "token": token}, {})

    return act


PERSISTENT = {"token": "secret", "token_id": "id-1", "watchdog": WATCHDOG}


@pytest.mark.parametrize("there", [True, False])
def test_a_token_is_revoked_and_its_watchdog_is_stopped(ece, revoke, stopped, there):
    gone = {"status": 404, "json": failed("enrollment_tokens.invalid_token_id")}
    ece.expect("DELETE", TOKENS + "/id-1", **({"json": {}} if there else gone))
    ece.expect("GET", TOKENS, json={"tokens": []})
    result = revoke(PERSISTENT)
    assert (result["changed"], result["token_id"]) == (there, "id-1")
    assert "secret" not in str(result), "the result takes the place of the one that has the token"
    assert stopped == [WATCHDOG]


@pytest.mark.parametrize("token", [{}, None, {"token": "secret", "token_id": None}, {"skipped": True}])
def test_without_a_persistent_token_nothing_is_asked(ece, revoke, token):
    assert revoke(token) == {"changed": False, "token_id": None}
    assert ece.requests == []


def test_the_watchdog_of_a_token_that_cannot_be_revoked_keeps_trying(ece, revoke, stopped):
    ece.expect("DELETE", TOKENS + "/id-1", status=500, json=failed("x.y", "Broken."))
    message = (
        "token id-1 could not be revoked: process 4711 keeps trying for 10 minutes after this run, unless .*Broken"
    )
    with pytest.raises(PlatformError, match=message):
        revoke(PERSISTENT)
    assert stopped == []


def test_without_a_watchdog_no_process_is_said_to_try(ece, revoke):
    ece.expect("DELETE", TOKENS + "/id-1", status=500, json=failed("x.y", "Broken."))
    with pytest.raises(PlatformError, match="^token id-1 could not be revoked: check that it is gone, or revoke it"):
        revoke({**PERSISTENT, "watchdog": None})


def test_the_watchdog_of_a_token_that_stays_listed_keeps_trying(ece, revoke, stopped):
    ece.expect("DELETE", TOKENS + "/id-1")
    ece.expect("GET", TOKENS, json={"tokens": [{"token_id": "id-1", "roles": ["allocator"]}]})
    with pytest.raises(PlatformError, match="could not be revoked: process 4711 "):
        revoke(PERSISTENT)
    assert stopped == []
