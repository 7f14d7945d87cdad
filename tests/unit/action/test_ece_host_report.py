# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table at the end: one row for every host that was planned, wherever it stopped."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.action import ece_host_report

ROW = {"host": "a", "zone": "z", "verdict": "joined", "install_seconds": 271.0, "connect_seconds": 10.0, "memory_mb": 249856, "note": ""}
TOKEN = {"persistent": False, "roles": ["allocator"], "validity_seconds": 2100}
PLAN = {"hosts": {name: {"name": name, "zone": "z"} for name in ("a", "b", "c", "d", "of a later batch")}}


def report(action, hostvars, **task_vars):
    return action.act({"hosts": list(hostvars), "plan": PLAN}, {"hostvars": hostvars, **task_vars})


def test_each_host_has_a_row(bare, shown):
    lines = shown(ece_host_report)
    hostvars = {
        "a": {"__ece_host_wait": {"hosts": {"a": ROW}, "token": TOKEN}},
        "b": {"__ece_host_verdict": {"verdict": "refused", "msg": "no socket"}},
        "c": {"__ece_host_verdict": {"verdict": "install", "msg": "new"}},
        "d": {"__ece_host_check": {"unreachable": True}},
        "of a later batch": {},
    }
    result = report(bare(ece_host_report), hostvars, __ece_host_wait=hostvars["a"]["__ece_host_wait"])
    assert {name: row["verdict"] for name, row in result["hosts"].items()} == {"a": "joined", "b": "refused", "c": "failed", "d": "failed"}
    assert "running this again finds out" in result["hosts"]["c"]["note"]
    assert lines[1].split() == ["a", "z", "joined", "4m31s", "10s", "244", "GB"]
    assert lines[-1] == "token: ephemeral, allocator only, valid 35 min, minted once"
    assert result["ansible_stats"]["data"] == {"ece_host": {"hosts": result["hosts"]}}


def test_statistics_are_keyed_by_job(bare, shown):
    shown(ece_host_report)
    result = report(bare(ece_host_report), {"a": {"__ece_host_check": {"failed": True}}}, awx_job_id=4711)
    assert list(result["ansible_stats"]["data"]) == ["ece_host_4711"]


def test_check_mode_says_what_would_be(bare, shown):
    lines = shown(ece_host_report)
    action = bare(ece_host_report)
    action._task.check_mode = True
    verdicts = {"a": "install", "b": "wait", "c": "assign_roles", "d": "stale"}
    result = report(action, {name: {"__ece_host_verdict": {"verdict": verdict, "msg": "why"}} for name, verdict in verdicts.items()})
    assert [row["verdict"] for row in result["hosts"].values()] == ["would join", "joining", "would get roles", "stale"]
    assert not any(line.startswith("token") for line in lines)
