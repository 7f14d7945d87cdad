# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table at the end: one row for every host of the batch, wherever it stopped."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_join_report
from ansible_collections.ece.platform.plugins.plugin_utils._results import CHECK, REPORT, RUNNER, START, TOKEN, WAIT
from ansible_collections.ece.platform.plugins.plugin_utils._run_sums import note_joined
from tests.unit.action.conftest import PLAY, plan_of

ROW = {
    "host": "a",
    "zone": "z",
    "verdict": "joined",
    "install_seconds": 271.0,
    "connect_seconds": 10.0,
    "memory_mb": 249856,
    "note": "",
}
REQUEST = {"persistent": False, "roles": ["allocator"], "validity_seconds": 2100}
ENDED = {"minted": True, "error": None, "reason": None, "request": REQUEST}
WAITED = {CHECK: {"verdict": "install"}, WAIT: {"made_at": 7.5, "hosts": {"a": ROW}}}


@pytest.fixture
def report(bare, play_vars):
    def act(hosts, *, gone=(), batch=None, most=None, token=None, check_mode=False, play=None, **more):
        action = bare(ece_join_report, check_mode=check_mode, **(play or {}))
        plan = plan_of(hosts, max_fail_percentage=most)
        return action.act({"plan": plan}, play_vars(hosts, gone=gone, batch=batch, **{TOKEN: token}, **more))

    return act


def test_each_host_has_a_row(report, shown):
    lines = shown(ece_join_report)
    hosts = {
        "a": WAITED,
        "b": {CHECK: {"verdict": "refused", "msg": "no socket", "failed": True}},
        "c": {CHECK: {"verdict": "install", "msg": "new"}, START: {"changed": True}},
        "d": {CHECK: {"unreachable": True}},
        "left out by a condition": {CHECK: {"skipped": True}},
    }
    result = report(hosts, gone="b", token=ENDED)
    verdicts = {name: row["verdict"] for name, row in result["hosts"].items()}
    assert verdicts == {"a": "joined", "b": "refused", "c": "failed", "d": "failed"}
    assert "the installer may still be running, which the next run checks" in result["hosts"]["c"]["note"]
    note = "stopped before its installer started: it cannot be reached (see the error above)"
    assert result["hosts"]["d"]["note"].startswith(note)
    assert lines[1].split() == ["a", "z", "joined", "4m31s", "10s", "244", "GB"]
    assert lines[-2] == "token: ephemeral, allocator only, valid 35 min, minted once"


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_host_that_its_check_found_joined_is_joined_and_says_how(report, shown, check_mode):
    shown(ece_join_report)
    found = {"a": {CHECK: {"verdict": "joined", "msg": "it is runner b; set ece_host_runner_id: b in the inventory"}}}
    row = report(found, check_mode=check_mode)["hosts"]["a"]
    assert (row["verdict"], row["note"]) == ("joined", found["a"][CHECK]["msg"])


@pytest.mark.parametrize(
    ("results", "note"),
    [
        (
            {CHECK: {"verdict": "install"}, START: {"failed": True, "msg": "user elastic does not exist"}},
            "its installer was not started: user elastic does not exist",
        ),
        (
            {CHECK: {"verdict": "assign-roles"}, RUNNER: {"failed": True, "msg": "PUT roles answered HTTP 500"}},
            "its runner was not changed: PUT roles answered HTTP 500",
        ),
        (
            {CHECK: {"verdict": "replace"}, RUNNER: {"unreachable": True, "msg": "no route"}, START: {"skipped": True}},
            "its runner was not changed: it cannot be reached (no route); check ansible_host, the network to it, and "
            "the user and key for it",
        ),
        (
            {CHECK: {"verdict": "wait"}, RUNNER: {"skipped": True}, START: {"skipped": True}},
            "stopped after its installer started: see the error above; the installer may still be running, "
            "which the next run checks",
        ),
        (
            {CHECK: {"verdict": "wait"}, WAIT: {"failed": True, "msg": "no coordinator can be reached"}},
            "stopped after its installer started: no coordinator can be reached; the installer may still be running, "
            "which the next run checks",
        ),
    ],
)
def test_the_note_names_the_step_at_which_a_host_stopped(report, shown, results, note):
    shown(ece_join_report)
    row = report({"a": results})["hosts"]["a"]
    assert (row["verdict"], row["note"]) == ("failed", note)


def test_a_host_that_stopped_because_of_another_names_it(report, shown):
    shown(ece_join_report)
    hosts = {"a": {CHECK: {"verdict": "install"}}, "b": {CHECK: {"verdict": "refused", "failed": True, "msg": "no"}}}
    note = report(hosts, gone="ab")["hosts"]["a"]["note"]
    assert note == "stopped before its installer started: the play ends because of b"


def test_a_host_that_stopped_because_there_is_no_token_names_the_reason(report, shown):
    shown(ece_join_report)
    token = {"minted": False, "error": None, "request": None, "reason": "2 of 4 hosts of a batch have failed"}
    hosts = {"a": {CHECK: {"verdict": "install"}, TOKEN: token}}
    note = report(hosts, gone="a", token=token)["hosts"]["a"]["note"]
    assert note == "stopped before its installer started: 2 of 4 hosts of a batch have failed"


def test_the_table_has_the_cause_and_the_statistics_have_the_remedy_too(report, shown):
    lines = shown(ece_join_report)
    note = "installer exit 5 (precondition): There is no Docker socket. Start the engine. Log: a:/mnt/output.log"
    result = report(
        {"a": {**WAITED, WAIT: {"made_at": 7.5, "hosts": {"a": {**ROW, "verdict": "failed", "note": note}}}}}
    )
    assert result["hosts"]["a"]["note"] == note
    assert lines[1].endswith("  installer exit 5 (precondition): There is no Docker socket.")


# -- hosts whose batch does not begin --------------------------------------------------------------------------------

REFUSED = {CHECK: {"verdict": "refused", "msg": "no socket", "failed": True}}
THREE_BATCHES = {"a": {**WAITED, REPORT: {"made_at": 7.5, "hosts": {"a": ROW}}}, "b": REFUSED, "c": {}, "d": {}}


def test_where_the_play_ends_with_a_batch_the_hosts_of_later_batches_count_as_failed(report, shown):
    lines = shown(ece_join_report)
    result = report(THREE_BATCHES, gone="b", batch="", most=10)
    assert list(result["hosts"]) == ["b", "c", "d"] and len(lines) == 6
    assert lines[-2] == (
        "not begun: c, d; Ansible's recap does not have them, so that a run for the failed hosts alone (AWX's relaunch "
        "on failed hosts, a retry file) leaves them out: run the same again for all hosts"
    )
    reason = "not begun: 1 of 1 hosts of a batch have failed, which is more than ece_host_max_fail_percentage 10 allows"
    assert (result["hosts"]["d"]["verdict"], result["hosts"]["d"]["note"]) == ("failed", reason)
    sums = result["ansible_stats"]["data"]["ece_host"]
    assert (sums["joined"], sums["failed"]) == (1, 3), "of all batches"


def test_without_a_limit_the_reason_is_that_the_play_ends(report, shown):
    shown(ece_join_report)
    result = report(THREE_BATCHES, gone="b", batch="")
    assert result["hosts"]["c"]["note"] == "not begun: the play ends with the batch before it"


@pytest.mark.parametrize(
    ("batch", "hosts", "play"),
    [
        ("b", {**THREE_BATCHES, "b": WAITED | {WAIT: {"made_at": 7.5, "hosts": {"b": ROW}}}}, {}),
        ("b", THREE_BATCHES, {"ignore_errors": True}),
        ("b2", {"a": THREE_BATCHES["a"], "b": REFUSED, "2": {}, "c": {}}, {}),
    ],
    ids=["the batch is good", "the play ignores errors", "a host of the batch does not run the role"],
)
def test_where_the_play_goes_on_later_hosts_are_not_reported(report, shown, batch, hosts, play):
    shown(ece_join_report)
    assert list(report(hosts, batch=batch, play=play)["hosts"]) == ["b"]


@pytest.mark.parametrize(("play", "token"), [({"any_errors_fatal": True}, None), ({}, {**ENDED, "error": "no"})])
def test_a_play_that_ends_for_another_reason_does_not_begin_later_batches(report, shown, play, token):
    shown(ece_join_report)
    hosts = {"a": WAITED, "b": REFUSED, "c": {}}
    assert list(report(hosts, gone="b", batch="a", play=play, token=token)["hosts"]) == ["a", "b", "c"]


# -- statistics ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "keys"),
    [
        ({}, ["ece_host"]),
        ({"awx_job_id": 4711}, ["ece_host", "ece_host_4711"]),
        ({"tower_job_id": 7}, ["ece_host", "ece_host_7"]),
    ],
)
def test_the_statistics_have_a_stable_key_and_in_awx_one_of_the_job(report, shown, variables, keys):
    shown(ece_join_report)
    hosts = {"a": WAITED, "b": {CHECK: {"verdict": "stale", "msg": "stale"}}}
    result = report(hosts, gone="b", **variables)
    none = dict.fromkeys(("changed", "would_change", "would_join"), 0)
    sums = {"hosts": result["hosts"], "joined_before": 3, "joined": 1, "failed": 1, **none}
    assert result["ansible_stats"] == {"data": dict.fromkeys(keys, sums), "per_host": False, "aggregate": True}


def sums_of(result):
    sums = result["ansible_stats"]["data"]["ece_host"]
    return {name: sums[name] for name in ("joined_before", "joined", "would_join", "failed")}


def test_the_statistics_count_the_hosts_of_all_batches_of_a_run(report, shown):
    shown(ece_join_report)
    note_joined(["old", "older"])
    report({"a": WAITED})
    note_joined([])
    report({"b": {CHECK: {"verdict": "stale", "msg": "stale"}}}, gone="b")
    note_joined(["a", "oldest"])  # this run joined a
    last = report({"c": REFUSED}, gone="c")
    assert sums_of(last) == {"joined_before": 3, "joined": 1, "would_join": 0, "failed": 2}
    assert list(last["ansible_stats"]["data"]["ece_host"]["hosts"]) == ["c"], "Ansible adds the rows up"


def test_the_last_line_has_the_sums_of_the_run_for_scripts(report, shown):
    lines = shown(ece_join_report)
    note_joined(["old", "older"])
    report({"a": WAITED})
    report({"b": REFUSED}, gone="b")
    kind, _, sums = lines[-1].partition(" ")
    assert (kind, sums) == (
        "ece_host:",
        '{"changed": 0, "failed": 1, "joined": 1, "joined_before": 2, "would_change": 0, "would_join": 0}',
    )


def test_where_the_plan_failed_its_hosts_have_failed(bare, play_vars, role_variables, shown):
    lines = shown(ece_join_report)
    role_variables(ece_join_report, {"a": {}, "b": {"left": True}})
    plan = {"failed": True, "msg": "no coordinator can be reached"}
    result = bare(ece_join_report).act({"plan": plan}, play_vars({"a": {}, "b": {}}))
    assert list(result["hosts"]) == ["a"]
    assert result["hosts"]["a"]["note"] == "it was not planned for: no coordinator can be reached"
    assert sums_of(result) == {"joined_before": 0, "joined": 0, "would_join": 0, "failed": 1} and len(lines) == 1


def test_a_host_counts_as_it_ended_last(report, shown):
    shown(ece_join_report)
    report({"a": REFUSED}, gone="a")
    assert sums_of(report({"a": WAITED})) == {"joined_before": 3, "joined": 1, "would_join": 0, "failed": 0}


def test_check_mode_reports_what_would_happen(report, shown):
    lines = shown(ece_join_report)
    verdicts = {"a": "install", "b": "wait", "c": "assign-roles", "d": "stale"}
    hosts = {name: {CHECK: {"verdict": verdict, "msg": "why"}} for name, verdict in verdicts.items()}
    result = report(hosts, gone="d", check_mode=True)
    assert [row["verdict"] for row in result["hosts"].values()] == ["would join", "joining", "would get roles", "stale"]
    assert not any(line.startswith("token") for line in lines)
    sums = result["ansible_stats"]["data"]["ece_host"]
    assert (sums["joined"], sums["would_join"], sums["failed"]) == (0, 3, 1)


def test_check_mode_says_why_a_host_would_not_join(report, shown):
    shown(ece_join_report)
    start = {"failed": True, "msg": "1 of 2 hosts of a batch have failed: no installer is started"}
    result = report({"a": {CHECK: {"verdict": "install", "msg": "new"}, START: start}}, gone="a", check_mode=True)
    assert (result["hosts"]["a"]["verdict"], result["hosts"]["a"]["note"]) == (
        "failed",
        "its installer was not started: 1 of 2 hosts of a batch have failed: no installer is started",
    )


def test_where_no_host_was_checked_there_is_no_table(report, shown):
    lines = shown(ece_join_report)
    assert report({"a": {}})["hosts"] == {} and len(lines) == 1 and lines[0].startswith("ece_host: ")


PERSISTENT = {"persistent": True, "roles": ["allocator", "proxy"], "validity_seconds": None}


@pytest.mark.parametrize(
    ("token", "line"),
    [
        (None, None),
        ({**ENDED, "minted": False, "reason": "HTTP 403"}, None),
        ({**ENDED, "request": PERSISTENT}, "token: persistent, allocator, proxy only, revoked, minted once"),
        (
            {**ENDED, "request": PERSISTENT, "error": "HTTP 500"},
            "token: persistent, allocator, proxy only, not revoked, minted once",
        ),
    ],
)
def test_a_line_says_how_the_token_ended(report, shown, token, line):
    lines = shown(ece_join_report)
    report({"a": WAITED}, token=token)
    assert lines[2:-1] == ([line] if line else [])


@pytest.mark.parametrize(("most", "too_many"), [(None, False), (50, False), ("49%", True), (0, True)])
def test_too_many_failed_hosts_are_reported(report, shown, most, too_many):
    shown(ece_join_report)
    hosts = {"a": WAITED, "b": {CHECK: {"verdict": "disconnected", "msg": "disconnected"}}}
    result = report(hosts, gone="b", most=most)
    assert bool(result["too_many_failed"]) is too_many and (result["play"], result["made_at"]) == (PLAY, 7.5)
    assert not too_many or result["too_many_failed"].startswith("1 of 2 hosts of a batch have failed")


def test_the_wait_of_an_earlier_plan_is_not_reported(report, shown):
    shown(ece_join_report)
    earlier = {"made_at": 7.0, "hosts": {"a": ROW}}
    assert report({"a": {WAIT: earlier, CHECK: {"verdict": "assign-roles"}}})["hosts"]["a"]["verdict"] == "failed"


def test_the_table_has_the_remedy_where_the_error_of_ansible_has_none(report, shown):
    lines = shown(ece_join_report)
    report({"a": {CHECK: {"failed": True, "msg": "Missing sudo password"}}}, gone="a")
    assert "Missing sudo password; give it by --ask-become-pass" in lines[1]
    lines.clear()
    report({"a": {CHECK: {"verdict": "refused", "msg": "There is no user x. Create it.", "failed": True}}}, gone="a")
    assert lines[1].endswith("There is no user x.")


# -- joined hosts that are changed -----------------------------------------------------------------------------------

UPDATE = {"verdict": "update", "msg": "connected, but not as declared: capacity 9000 MB"}


@pytest.mark.parametrize(
    ("change", "check_mode", "verdict", "sums"),
    [
        ({"changed": True, "msg": "capacity 9000 MB"}, False, "changed", {"changed": 1}),
        ({"changed": True, "msg": "capacity 9000 MB"}, True, "would change", {"would_change": 1}),
        ({"changed": False, "msg": "it is what is declared by now"}, False, "joined", {"joined": 1}),
    ],
)
def test_a_joined_host_that_is_changed_has_a_verdict_of_its_own(report, shown, change, check_mode, verdict, sums):
    shown(ece_join_report)
    result = report({"a": {CHECK: UPDATE, RUNNER: change}}, check_mode=check_mode)
    assert (result["hosts"]["a"]["verdict"], result["hosts"]["a"]["note"]) == (verdict, change["msg"])
    found = result["ansible_stats"]["data"]["ece_host"]
    counts = ("joined", "changed", "would_change", "would_join", "failed")
    assert {name: found[name] for name in counts if found[name]} == sums


def test_a_joined_host_that_could_not_be_changed_has_failed_with_the_reason(report, shown):
    shown(ece_join_report)
    result = report({"a": {CHECK: UPDATE, RUNNER: {"failed": True, "msg": "the platform says no"}}})
    row = result["hosts"]["a"]
    assert (row["verdict"], row["note"]) == ("failed", "it was not changed: the platform says no")
