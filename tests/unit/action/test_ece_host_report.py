# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table at the end: one row for every host that was planned, wherever it stopped."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_host_report

ROW = {
    "host": "a",
    "zone": "z",
    "verdict": "joined",
    "install_seconds": 271.0,
    "connect_seconds": 10.0,
    "memory_mb": 249856,
    "note": "",
}
NEED = {"persistent": False, "roles": ["allocator"], "validity_seconds": 2100, "minted": 1}
PLAN = {"made_at": 7.5, "max_fail_percentage": None, "hosts": {name: {"name": name, "zone": "z"} for name in "abcd"}}


def report(action, hostvars, most=None, **task_vars):
    return action.act(
        {"hosts": list(hostvars), "plan": {**PLAN, "max_fail_percentage": most}}, {"hostvars": hostvars, **task_vars}
    )


def test_each_host_has_a_row(bare, shown):
    lines = shown(ece_host_report)
    hostvars = {
        "a": {"__ece_host_wait": {"plan_made_at": 7.5, "hosts": {"a": ROW}, "need": NEED}},
        "b": {"__ece_host_verdict": {"verdict": "refused", "msg": "no socket"}},
        "c": {"__ece_host_verdict": {"verdict": "install", "msg": "new"}, "__ece_host_start": {"changed": True}},
        "d": {"__ece_host_verdict": {"unreachable": True}},
    }
    result = report(bare(ece_host_report), hostvars)
    assert {name: row["verdict"] for name, row in result["hosts"].items()} == {
        "a": "joined",
        "b": "refused",
        "c": "failed",
        "d": "failed",
    }
    assert "running this again finds out" in result["hosts"]["c"]["note"]
    assert result["hosts"]["d"]["note"].startswith(
        "stopped before its installer ran: it cannot be reached (see the error above)"
    )
    assert lines[1].split() == ["a", "z", "joined", "4m31s", "10s", "244", "GB"]
    assert lines[-1] == "token: ephemeral, allocator only, valid 35 min, minted once"
    assert result["ansible_stats"]["data"] == {"ece_host": {"hosts": result["hosts"]}}


NO_ROUTE = "ssh: connect to host 10.0.0.7 port 22: No route to host"
PASSWORD = (
    "; give the right one by --ask-become-pass, ansible_become_password or AWX's credential, or have it ask for none"
)


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (
            {"unreachable": True, "msg": f"Failed to connect to the host via ssh: {NO_ROUTE}"},
            f"it cannot be reached (Failed to connect to the host via ssh: {NO_ROUTE});",
        ),
        (
            {
                "unreachable": True,
                "msg": f"Failed to connect to the host via ssh: OpenSSH_9.2p1\r\ndebug1: Reading\n{NO_ROUTE}\r\ndebug1: Exit\n",
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
def test_why_ansible_stopped_a_host_is_told_with_a_remedy(result, why):
    assert why in ece_host_report.stopped_why(result)


def test_what_stopped_the_start_of_an_installer_is_in_its_row(bare, shown):
    shown(ece_host_report)
    stopped = {
        "__ece_host_verdict": {"verdict": "install"},
        "__ece_host_start": {"failed": True, "msg": "user elastic does not exist on the host"},
    }
    row = report(bare(ece_host_report), {"a": stopped})["hosts"]["a"]
    assert (row["verdict"], row["note"]) == (
        "failed",
        "stopped at the start of its installer: user elastic does not exist on the host",
    )


def test_statistics_are_keyed_by_job(bare, shown):
    shown(ece_host_report)
    result = report(bare(ece_host_report), {"a": {"__ece_host_verdict": {"failed": True}}}, awx_job_id=4711)
    assert list(result["ansible_stats"]["data"]) == ["ece_host_4711"]


def test_check_mode_says_what_would_be(bare, shown):
    lines = shown(ece_host_report)
    action = bare(ece_host_report)
    action._task.check_mode = True
    verdicts = {"a": "install", "b": "wait", "c": "assign_roles", "d": "stale"}
    result = report(
        action, {name: {"__ece_host_verdict": {"verdict": verdict, "msg": "why"}} for name, verdict in verdicts.items()}
    )
    assert [row["verdict"] for row in result["hosts"].values()] == ["would join", "joining", "would get roles", "stale"]
    assert not any(line.startswith("token") for line in lines)


def test_where_nothing_was_begun_there_is_no_table(bare, shown):
    lines = shown(ece_host_report)
    assert report(bare(ece_host_report), {})["hosts"] == {} and lines == []


@pytest.mark.parametrize(
    ("need", "line"),
    [
        ({"minted": 0}, None),
        (
            {"minted": 3},
            "token: ephemeral, allocator only, valid 35 min, minted 3 times, because starting all hosts took longer",
        ),
        (
            {"persistent": True, "validity_seconds": None},
            "token: persistent, allocator only, revoked at the end, minted once",
        ),
    ],
)
def test_the_last_line_is_about_the_token(bare, shown, need, line):
    lines = shown(ece_host_report)
    waited = {"plan_made_at": 7.5, "hosts": {"a": ROW}, "need": {**NEED, **need}}
    report(bare(ece_host_report), {"a": {"__ece_host_wait": waited}})
    assert lines[2:] == ([line] if line else [])


@pytest.mark.parametrize(("most", "too_many"), [(None, False), (50, False), ("49%", True), (0, True)])
def test_too_many_failed_hosts_are_told(bare, shown, most, too_many):
    shown(ece_host_report)
    waited = {"__ece_host_wait": {"plan_made_at": 7.5, "hosts": {"a": ROW}}}
    result = report(
        bare(ece_host_report), {"a": waited, "b": {"__ece_host_verdict": {"verdict": "ill", "msg": "ill"}}}, most
    )
    assert bool(result["too_many_failed"]) is too_many and result["play"] == "this play"
    assert not too_many or result["too_many_failed"].startswith("1 of 2 hosts of a batch have failed")


def test_what_an_earlier_run_in_the_same_playbook_came_to_is_not_reported(bare, shown):
    lines = shown(ece_host_report)
    earlier = {"__ece_host_wait": {"plan_made_at": 7.0, "hosts": {"a": ROW}, "need": NEED}}
    result = report(bare(ece_host_report), {"a": {**earlier, "__ece_host_verdict": {"verdict": "assign_roles"}}})
    assert result["hosts"]["a"]["verdict"] == "failed" and not any(line.startswith("token") for line in lines)
