# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a removal: table, leftovers, sums of the run."""

from __future__ import annotations

import json

import pytest

from ansible_collections.ece.platform.plugins.action import ece_removal_report
from ansible_collections.ece.platform.plugins.module_utils import _removal_plan as plan
from ansible_collections.ece.platform.plugins.plugin_utils import _removal_report as report
from tests.unit.module_utils.test_removal_plan import entry_of

DONE = {report.PLATFORM: {"changed": True}, report.HOST: {}, report.DELETE: {"changed": True, "notes": []}}


@pytest.fixture
def reporting(bare, shown, play_vars):
    """Report on hosts: name -> (entry, results). Returns the result and the lines."""

    def run(hosts, *, check_mode=False, later=(), gone=(), **of_plan):
        step, lines = bare(ece_removal_report, check_mode=check_mode), shown(ece_removal_report)
        results = {name: one[1] for name, one in hosts.items()}
        task_vars = play_vars(results, gone=gone, batch=[name for name in hosts if name not in later])
        task_vars["ansible_play_hosts"] = [name for name in hosts if name not in gone]
        entries = {name: one[0] for name, one in hosts.items()}
        lines.clear()
        return step.act({"plan": {"hosts": entries, **of_plan}}, task_vars), list(lines)

    return run


def test_the_table_the_leftovers_and_the_line_for_scripts(reporting):
    left = [
        {"kind": "file", "name": "/etc/x", "note": "limits", "removed": False},
        {"kind": "images", "name": "i", "note": "", "removed": True},
        {"kind": "user", "name": "elastic", "note": "", "removed": False},
        "odd",
    ]
    result, lines = reporting(
        {
            "a": ({**entry_of("a"), "instances": 2}, {**DONE, report.HOST: {"leftovers": left}}),
            "b": ({**entry_of("b"), "state": plan.ABSENT}, {}),
        }
    )
    assert [line.split() for line in lines[:3]] == [
        ["host", "zone", "verdict", "instances", "memory"],
        ["a", "z", "removed", "2", "64", "GB"],
        ["b", "z", "not", "there", "-", "64", "GB"],
    ]
    assert lines[3] == "left on a: /etc/x (limits); elastic"
    assert json.loads(lines[4].removeprefix("ece_host_removal: ")) == {
        "removed": 1,
        "removed_before": 1,
        "would_remove": 0,
        "failed": 0,
    }
    assert set(result["ansible_stats"]["data"]) == {"ece_host_removal"}


def test_check_mode_says_what_would_be(reporting):
    result, _lines = reporting({"a": (entry_of("a"), DONE)}, check_mode=True)
    assert result["hosts"]["a"]["verdict"] == "would remove"


@pytest.mark.parametrize("step", [report.PLATFORM, report.HOST, report.DELETE])
def test_a_host_that_failed_has_its_reason_and_hosts_after_it_are_named(reporting, step):
    failed = {**DONE, step: {"failed": True, "msg": "no room; run this again"}}
    result, lines = reporting({"a": (entry_of("a"), failed), "b": (entry_of("b"), {})}, later=["b"])
    assert result["hosts"]["a"]["verdict"] == "failed" and result["hosts"]["a"]["note"] == "no room; run this again"
    assert list(result["hosts"]) == ["a"]
    assert any(line.startswith("not begun: b;") for line in lines)


def test_a_host_that_is_out_of_the_play_is_still_reported(reporting):
    failed = {report.PLATFORM: {"failed": True, "msg": "no"}}
    result, _lines = reporting({"a": (entry_of("a"), failed), "b": (entry_of("b"), DONE)}, gone=["a"])
    assert {name: row["verdict"] for name, row in result["hosts"].items()} == {"a": "failed", "b": "removed"}


def test_a_host_whose_steps_did_not_run_is_not_called_removed(reporting):
    skipped = {report.PLATFORM: {}, report.HOST: {}, report.DELETE: {"skipped": True}}
    assert reporting({"a": (entry_of("a"), skipped)})[0]["hosts"]["a"]["verdict"] == "failed"


def test_the_sums_are_those_of_the_run(reporting):
    reporting({"a": (entry_of("a"), DONE)})
    _result, lines = reporting({"b": (entry_of("b"), DONE)})
    assert json.loads(lines[-1].removeprefix("ece_host_removal: "))["removed"] == 2


def test_a_plan_that_refuses_is_reported_for_all_hosts(reporting):
    result, lines = reporting(
        {"a": (entry_of("a"), {}), "b": ({**entry_of("b"), "state": plan.ABSENT}, {})},
        failed=True,
        refused={"a": "no way"},
    )
    assert {name: row["verdict"] for name, row in result["hosts"].items()} == {"a": "failed", "b": "not there"}
    assert result["hosts"]["a"]["note"] == "no way" and lines[-1].startswith("ece_host_removal: ")


def test_a_plan_without_hosts_is_reported_for_the_hosts_of_the_play(bare, shown, play_vars):
    step, _lines = bare(ece_removal_report), shown(ece_removal_report)
    result = step.act({"plan": {"failed": True, "msg": "no"}}, play_vars({"a": {}, "b": {}}))
    assert {row["verdict"] for row in result["hosts"].values()} == {"failed"}
