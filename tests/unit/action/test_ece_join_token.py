# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token of a batch: for which hosts it is minted and for which not, and how it ends."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace

import pytest

from ansible_collections.ece.platform.plugins.action import ece_join_token
from ansible_collections.ece.platform.plugins.plugin_utils._results import CHECK, REPORT, TOKEN, WAIT, withhold
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

    def act(
        hosts,
        *,
        gone=(),
        roles=None,
        timeouts=None,
        most=None,
        check_mode=False,
        persistent=False,
        batch=None,
        play=None,
    ):
        plan = plan_of(hosts, max_fail_percentage=most, token_persistent=persistent)
        for name, wanted in (roles or {}).items():
            plan["hosts"][name]["roles"] = wanted
        role_variables(
            ece_join_token, {name: {"ece_host_install_timeout": (timeouts or {}).get(name, 1800)} for name in hosts}
        )
        action = bare(ece_join_token, check_mode=check_mode, variables=CONNECTION, **(play or {}))
        task_vars = play_vars(hosts, gone=gone, batch=batch)
        return action.act({"state": "present", "plan": plan}, task_vars)

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
    assert (result["token"], result["changed"], result["request"]["roles"]) == (None, False, ["allocator"])
    assert ece.requests == []


def test_a_mint_that_fails_is_a_reason_and_does_not_fail_the_hosts_that_need_no_token(ece, mint):
    sends = {"persistent": False, "roles": ["allocator"], "validity_in_seconds": 2120}
    ece.expect("POST", TOKENS, status=403, json=failed("x.y", "Not you."), sends=sends)
    result = mint({"a": check(), "b": check("wait")})
    assert result["token"] is None and "failed" not in result
    assert result["reason"].startswith("there is no token to join with: POST ") and "Not you." in result["reason"]


def test_a_watchdog_mints_a_persistent_token_and_watches_ansible_playbook(ece, mint, shown, monkeypatch):
    asked, lines = [], shown(ece_join_token)
    minted = {"token": "t", "token_id": "id", "expires_at": None, "minted_at": 1.0, "roles": ["allocator"]}
    minted["warnings"] = ["minted without the lock"]
    monkeypatch.setattr(ece_join_token.multiprocessing, "parent_process", lambda: SimpleNamespace(pid=99))
    monkeypatch.setattr(
        ece_join_token.token_watchdog, "mint", lambda *arguments: (asked.append(arguments), (minted, WATCHDOG))[1]
    )
    result = mint({"a": check()}, persistent=True)
    assert (result["token"], result["token_id"], result["watchdog"]) == ("t", "id", WATCHDOG)
    assert result["latest_start"] is None
    assert lines == ["warning: minted without the lock"]
    connection, request, pid = asked[0]
    assert (connection["api_key"], pid) == (API_KEY, 99)
    assert request == {"roles": ["allocator"], "persistent": True, "validity_seconds": None}


def test_warnings_of_the_checks_are_shown_once_for_all_hosts_that_they_are_about(mint, shown):
    lines = shown(ece_join_token)
    hosts = {
        f"host-{number}": {CHECK: {**check("wait")[CHECK], "warnings_found": ["no swap"]}} for number in range(100)
    }
    hosts["host-7"][CHECK]["warnings_found"] = ["no swap", "little memory"]
    result = mint(hosts)
    assert lines == ["warning: host-0, host-1 and 98 more: no swap", "warning: host-7: little memory"]
    assert "warnings" not in result, "no_log hides them in a result"


def test_warnings_of_the_mint_are_shown(ece, mint, shown, monkeypatch):
    lines = shown(ece_join_token)
    monkeypatch.setattr(ece_join_token.ActionModule, "connect", with_warning(ece_join_token.ActionModule.connect))
    expect_mint(ece)
    assert "warnings" not in mint({"a": check()})
    assert lines == ["warning: TLS is not verified"]


def with_warning(connect):
    return lambda action, task_vars: (connect(action, task_vars)[0], ["TLS is not verified"])


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


def test_where_any_error_is_fatal_one_failed_check_is_a_reason_for_no_token(ece, mint):
    hosts = {"a": check(), "b": check("refused")}
    result = mint(hosts, gone="b", play={"any_errors_fatal": True})
    assert result["reason"] == "b failed, and any_errors_fatal is set: no installer is started"
    assert result["ends_play"] is True and ece.requests == []


def test_where_any_error_is_fatal_a_host_that_needs_no_token_ends_with_another_one(ece, mint):
    hosts = {"a": check("assign-roles"), "b": {CHECK: withhold({"unreachable": True, "msg": "no route"})}}
    assert mint(hosts, play={"any_errors_fatal": True})["ends_play"] is True
    assert mint(hosts)["ends_play"] is False


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
def revoke(bare, environment, stopped, play_vars):
    """End the token of a batch. hosts: registered results by name."""

    def act(token, hosts=None, *, check_mode=False, batch=None, gone=(), **more):
        action = bare(ece_join_token, variables=CONNECTION, check_mode=check_mode)
        hosts = {"a": check()} if hosts is None else hosts
        task_vars = play_vars(hosts, batch=batch, gone=gone, **{TOKEN: token}, **more)
        return action.act({"state": "absent", "plan": plan_of(hosts)}, task_vars)

    return act


REQUEST = {"roles": ["allocator"], "persistent": True, "validity_seconds": None}
PERSISTENT = {"token": "secret", "token_id": "id-1", "watchdog": WATCHDOG, "request": REQUEST, "reason": None}


@pytest.mark.parametrize("there", [True, False])
def test_a_token_is_revoked_and_its_watchdog_is_stopped(ece, revoke, stopped, there):
    gone = {"status": 404, "json": failed("enrollment_tokens.invalid_token_id")}
    ece.expect("DELETE", TOKENS + "/id-1", **({"json": {}} if there else gone))
    ece.expect("GET", TOKENS, json={"tokens": []})
    result = revoke(PERSISTENT)
    assert (result["changed"], result["token_id"], result["error"]) == (there, "id-1", None)
    assert result["minted"] is True and result["request"] == REQUEST
    assert "secret" not in str(result), "the result takes the place of the one that has the token"
    assert stopped == [WATCHDOG]


@pytest.mark.parametrize("token", [None, {"token": "secret", "token_id": None}, {"skipped": True}])
def test_without_a_persistent_token_nothing_is_asked(ece, revoke, token):
    result = revoke(token)
    assert (result["changed"], result["token_id"], result["error"]) == (False, None, None)
    assert "secret" not in str(result) and ece.requests == []


@pytest.mark.parametrize(
    ("token", "reason"),
    [({"reason": "HTTP 403"}, "HTTP 403"), ({"failed": True, "msg": "unexpected KeyError"}, "unexpected KeyError")],
)
def test_why_there_was_no_token_is_kept_for_the_report(revoke, token, reason):
    assert revoke(token)["reason"] == reason


def test_the_watchdog_of_a_token_that_cannot_be_revoked_keeps_trying_and_the_report_still_follows(
    ece, revoke, stopped, shown
):
    lines = shown(ece_join_token)
    ece.expect("DELETE", TOKENS + "/id-1", status=500, json=failed("x.y", "Broken."))
    result = revoke(PERSISTENT)
    assert re.match(
        "token id-1 could not be revoked: process 4711 keeps trying for 10 minutes after this run, unless .*Broken",
        result["error"],
    )
    assert "failed" not in result and lines == [result["error"]] and stopped == []


def test_without_a_watchdog_no_process_is_said_to_try(ece, revoke, shown):
    shown(ece_join_token)
    ece.expect("DELETE", TOKENS + "/id-1", status=500, json=failed("x.y", "Broken."))
    error = revoke({**PERSISTENT, "watchdog": None})["error"]
    assert error.startswith("token id-1 could not be revoked: check that it is gone, or revoke it")


def test_the_watchdog_of_a_token_that_stays_listed_keeps_trying(ece, revoke, stopped, shown):
    shown(ece_join_token)
    ece.expect("DELETE", TOKENS + "/id-1")
    ece.expect("GET", TOKENS, json={"tokens": [{"token_id": "id-1", "roles": ["allocator"]}]})
    assert "could not be revoked: process 4711 " in revoke(PERSISTENT)["error"]
    assert stopped == []


# -- tokens of earlier runs ------------------------------------------------------------------------------------------


def adopted(token_id="old", row=None, running=True, verdict="wait"):
    """The results of a host on which an installer of an earlier run was found."""
    facts = {"installer_running": running, "last_install": {"token_id": token_id, "running": running}}
    results = {CHECK: {"verdict": verdict, "made_at": 7.5, "facts": facts}}
    return {**results, WAIT: {"made_at": 7.5, "hosts": {"a": row} if row else {}}}


ENDED = {"verdict": "failed", "install_seconds": 4.0}
LISTED = {"tokens": [{"token_id": "old", "roles": ["allocator"]}, {"token_id": "other", "roles": ["allocator"]}]}
SENTENCE = "the persistent token old of an earlier run is valid, and "


@pytest.mark.parametrize(
    "host",
    [
        adopted(row={"verdict": "joined", "install_seconds": None}),
        adopted(row=ENDED),
        adopted(running=False, verdict="install"),
        adopted(running=False, verdict="half-installed"),
    ],
    ids=["joined", "its installer ended", "ended before this run", "ended and cannot join"],
)
def test_a_token_that_an_earlier_run_left_is_revoked_when_no_installer_needs_it(ece, revoke, shown, host):
    lines = shown(ece_join_token)
    ece.expect("GET", TOKENS, json=LISTED)
    ece.expect("DELETE", TOKENS + "/old")
    ece.expect("GET", TOKENS, json={"tokens": LISTED["tokens"][1:]})
    result = revoke(None, {"a": host})
    assert lines == ["token old, which an earlier run left, is revoked"]
    assert result["changed"] is True and result["warnings"] == []


@pytest.mark.parametrize(
    ("hosts", "more", "why"),
    [
        ({"a": adopted(row={"verdict": "failed", "install_seconds": None})}, {}, "an installer of a may need it"),
        ({"a": adopted()}, {}, "an installer of a may need it"),
        ({"a": adopted(row=ENDED), "b": {CHECK: {"unreachable": True}}}, {}, "an installer of b may need it"),
        ({"a": adopted(row=ENDED)}, {"ansible_limit": "a"}, "hosts outside --limit may need it"),
    ],
    ids=["its installer did not end", "nothing is known of its end", "a host cannot be asked", "a part of the hosts"],
)
def test_a_token_that_an_installer_may_need_is_named_and_stays(ece, revoke, hosts, more, why):
    ece.expect("GET", TOKENS, json=LISTED)
    result = revoke(None, hosts, **more)
    assert result["warnings"] == [
        f"{SENTENCE}{why}: run this again for all hosts after that, or revoke it with ece_enrollment_token"
    ]
    assert [request.method for request in ece.requests] == ["GET"]


@pytest.mark.parametrize(
    "listed", [[], [{"token_id": "old", "roles": ["proxy"]}]], ids=["it is revoked already", "it is for other roles"]
)
def test_a_host_cannot_have_any_token_revoked(ece, revoke, listed):
    ece.expect("GET", TOKENS, json={"tokens": listed})
    assert revoke(None, {"a": adopted(row=ENDED)})["changed"] is False
    assert [request.method for request in ece.requests] == ["GET"]


@pytest.mark.parametrize("token_id", [None, "", 7, ["old"]])
def test_a_record_without_a_token_asks_nothing(ece, revoke, token_id):
    assert revoke(None, {"a": adopted(token_id, ENDED)})["old_tokens"] == {} and ece.requests == []


def test_only_the_last_batch_revokes_what_all_batches_name(ece, revoke, shown):
    lines = shown(ece_join_token)
    hosts = {"a": adopted(row=ENDED), "b": check()}
    first = revoke(None, hosts, batch="a")
    assert first["old_tokens"] == {"old": {"roles": ["allocator"], "users": []}} and ece.requests == []
    ece.expect("GET", TOKENS, json=LISTED)
    ece.expect("DELETE", TOKENS + "/old")
    ece.expect("GET", TOKENS, json={"tokens": []})
    revoke(None, {"a": {**hosts["a"], TOKEN: first}, "b": check()}, batch="b")
    assert lines == ["token old, which an earlier run left, is revoked"]


def test_a_platform_that_does_not_answer_is_a_warning(ece, revoke):
    ece.expect("GET", TOKENS, status=500, json=failed("x.y", "Broken."))
    (warning,) = revoke(None, {"a": adopted(row=ENDED)})["warnings"]
    assert warning.startswith("it is not known whether persistent tokens of earlier runs are valid (old): GET ")


def test_check_mode_revokes_nothing(ece, revoke):
    assert revoke(None, {"a": adopted(row=ENDED)}, check_mode=True)["changed"] is False and ece.requests == []
