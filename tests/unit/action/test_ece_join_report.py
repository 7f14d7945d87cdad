# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table at the end: one row for every host of the batch, wherever it stopped."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_join_report
from ansible_collections.ece.platform.plugins.plugin_utils._results import CHECK, RUNNER, START, WAIT
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
TOKEN = {"token": "t", "request": {"persistent": False, "roles": ["allocator"], "validity_seconds": 2100}}
WAITED = {CHECK: {"verdict": "install"}, WAIT: {"made_at": 7.5, "hosts": {"a": ROW}}}


@pytest.fixture
def report(bare, play_vars):
    def act(hosts, *, gone=(), most=None, token=None, check_mode=False, **more):
        action = bare(ece_join_report, check_mode=check_mode)
        plan = plan_of(hosts, max_fail_percentage=most)
        return action.act({"plan": plan, "token": token}, play_vars(hosts, gone=gone, **more))

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
    result = report(hosts, gone="bd", token=TOKEN)
    verdicts = {name: row["verdict"] for name, row in result["hosts"].items()}
    assert verdicts == {"a": "joined", "b": "refused", "c": "failed", "d": "failed"}
    assert "the installer may still be running, which the next run checks" in result["hosts"]["c"]["note"]
    note = "stopped before its installer started: it cannot be reached (see the error above)"
    assert result["hosts"]["d"]["note"].startswith(note)
    assert lines[1].split() == ["a", "z", "joined", "4m31s", "10s", "244", "GB"]
    assert lines[-1] == "token: ephemeral, allocator only, valid 35 min, minted once"
    assert result["ansible_stats"]["data"] == {"ece_host": {"hosts": result["hosts"]}}


NO_ROUTE = "ssh: connect to host 10.0.0.7 port 22: No route to host"
PASSWORD = "; give it by --ask-become-pass, ansible_become_password or AWX's credential, or let sudo ask for none"


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (
            {"unreachable": True, "msg": f"Failed to connect to the host via ssh: {NO_ROUTE}"},
            f"it cannot be reached (Failed to connect to the host via ssh: {NO_ROUTE});",
        ),
        (
            {
                "unreachable": True,
                "msg": "Failed to connect to the host via ssh: OpenSSH_9.2p1\r\n"
                f"debug1: Reading\n{NO_ROUTE}\r\ndebug1: Exit\n",
            },
            f"({NO_ROUTE});",
        ),
        ({"unreachable": True, "msg": "debug1: nothing else"}, "(debug1: nothing else);"),
        ({"failed": True, "msg": "Missing sudo password"}, "Missing sudo password" + PASSWORD),
        ({"failed": True, "msg": "Task failed: Incorrect su password"}, "Incorrect su password" + PASSWORD),
        ({"failed": True, "msg": "Task failed: one\n two"}, "one two"),
        ({"failed": True, "msg": "x" * 301}, "x" * 300 + "..."),
        ({"failed": True}, "see the error above"),
        ({"failed": False, "msg": "new: join as allocator"}, "see the error above"),
    ],
)
def test_the_reason_of_a_failure_comes_with_a_remedy(result, reason):
    assert reason in ece_join_report.failure_reason(result)


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
            {CHECK: {"verdict": "wait"}, RUNNER: {"skipped": True}, START: {"skipped": True}},
            "stopped after its installer started: see the error above; the installer may still be running, "
            "which the next run checks",
        ),
    ],
)
def test_the_note_names_the_step_at_which_a_host_stopped(report, shown, results, note):
    shown(ece_join_report)
    row = report({"a": results})["hosts"]["a"]
    assert (row["verdict"], row["note"]) == ("failed", note)


def test_statistics_are_keyed_by_job(report, shown):
    shown(ece_join_report)
    result = report({"a": {CHECK: {"failed": True}}}, gone="a", awx_job_id=4711)
    assert list(result["ansible_stats"]["data"]) == ["ece_host_4711"]


def test_check_mode_reports_what_would_happen(report, shown):
    lines = shown(ece_join_report)
    verdicts = {"a": "install", "b": "wait", "c": "assign-roles", "d": "stale"}
    hosts = {name: {CHECK: {"verdict": verdict, "msg": "why"}} for name, verdict in verdicts.items()}
    result = report(hosts, gone="d", check_mode=True)
    assert [row["verdict"] for row in result["hosts"].values()] == ["would join", "joining", "would get roles", "stale"]
    assert not any(line.startswith("token") for line in lines)


def test_where_no_host_was_checked_there_is_no_table(report, shown):
    lines = shown(ece_join_report)
    assert report({"a": {}})["hosts"] == {} and lines == []


@pytest.mark.parametrize(
    ("token", "line"),
    [
        ({}, None),
        ({"token": None, "reason": "HTTP 403"}, None),
        (
            {"token": "t", "request": {"persistent": True, "roles": ["allocator", "proxy"], "validity_seconds": None}},
            "token: persistent, allocator, proxy only, revoked at the end, minted once",
        ),
    ],
)
def test_the_last_line_is_about_the_token(report, shown, token, line):
    lines = shown(ece_join_report)
    report({"a": WAITED}, token=token)
    assert lines[2:] == ([line] if line else [])


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
