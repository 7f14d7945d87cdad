# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the operator sees of a preparation: the plan, the table, the sums, and why a host failed."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from ansible_collections.ece.platform.plugins.action import ece_preparation_report as action
from ansible_collections.ece.platform.plugins.plugin_utils._preparation_report import (
    AFTER,
    FAILURE,
    PLAN,
    REBOOTED,
    REPORT,
)

BOOT = "the kernel was started without swapaccount=1"


def plan(*steps, at=1.0, reboot=(), left_alone="", **more):
    return {
        "planned_at": at,
        "todo": ["user"] if steps else [],
        "parts": {"user": {"steps": list(steps)}},
        "reboot": list(reboot),
        "notes": [],
        "left_alone": left_alone,
        "host_warnings": [],
        **more,
    }


@pytest.fixture
def run(bare, shown, monkeypatch):
    """Run a step for the first of these hosts. Returns its result and the lines that it shows."""
    lines = shown(action)

    def act(step, hosts, *, gone=(), strategy="linear", own=None, reboot=(), verbosity=0, check_mode=False, **task):
        monkeypatch.setattr(action, "Display", lambda: SimpleNamespace(verbosity=verbosity))
        monkeypatch.setattr(
            action, "HostVariables", lambda *_given: SimpleNamespace(of=lambda name: {action.REBOOT: name in reboot})
        )
        made = bare(action, check_mode=check_mode)
        made._task._parent._play.strategy = strategy
        name = own or next(iter(hosts))
        batch = [host for host in hosts if host not in gone]
        variables = {"hostvars": hosts, "ansible_play_batch": batch, "ansible_play_hosts_all": list(hosts)}
        lines.clear()
        result = made.act({"step": step}, {**hosts[name], **variables, "inventory_hostname": name, **task})
        return result, list(lines)

    return act


# -- the plan --------------------------------------------------------------------------------------------------------

MIXED = {
    "a": {PLAN: plan("create user elastic", reboot=[BOOT])},
    "b": {PLAN: plan()},
    "c": {PLAN: plan(left_alone="it runs containers of ECE (frc-runners-runner), and is left as it is")},
    "d": {PLAN: plan("create user elastic", reboot=[BOOT])},
    "e": {PLAN: {"failed": True, "msg": "no"}},
    "left out": {PLAN: {"skipped": True}},
}


def test_the_plan_is_one_line_and_alike_hosts_share_their_steps(run):
    result, lines = run("plan", MIXED, check_mode=True)
    assert result["msg"] == lines[0]
    assert lines[0] == "ECE preparation - 5 hosts: 2 to prepare, 1 prepared, 1 left alone, 1 failed"
    assert lines[1:] == [
        "c: it runs containers of ECE (frc-runners-runner), and is left as it is",
        "a, d:",
        "  - create user elastic",
        f"  - the host has to be rebooted, which ece_host_preparation_reboot allows: {BOOT}",
    ]


def test_without_check_mode_the_steps_are_counted_unless_the_run_is_verbose(run):
    assert "a, d: 1 step; -v shows them" in run("plan", MIXED)[1]
    assert "  - create user elastic" in run("plan", MIXED, verbosity=1)[1]


def test_a_reboot_that_is_left_to_the_operator_is_shown_in_any_case(run):
    hosts = {**MIXED, "f": {PLAN: plan(reboot=[BOOT])}, "g": {PLAN: plan(reboot=[BOOT, "it is needed"])}}
    what = "the host has to be rebooted, which ece_host_preparation_reboot allows"
    assert run("plan", hosts, reboot="d")[1][2:] == [
        "a: 1 step; -v shows them",
        "d: 2 steps; -v shows them",
        f"a, f: {what}: {BOOT}",
        f"g: {what}: {BOOT}; it is needed",
    ]


def test_a_reboot_that_is_allowed_is_a_step(run):
    assert f"  - reboot the host: {BOOT}" in run("plan", {"a": MIXED["a"]}, check_mode=True, reboot="a")[1]


def test_many_lines_are_cut(run):
    lines = run("plan", {"a": {PLAN: plan(*(f"step {number}" for number in range(100)))}}, check_mode=True)[1]
    assert len(lines) == action.LINES_MAX + 2 and lines[-1].startswith("... and 41 more lines")


# -- the end ---------------------------------------------------------------------------------------------------------

ENDED = {
    "a": {PLAN: plan("x"), AFTER: plan(reboot=[BOOT], host_warnings=["The clock is wrong."])},
    "b": {PLAN: plan(), AFTER: {"skipped": True}},
    "c": {PLAN: plan(left_alone="it runs containers of ECE")},
    "d": {PLAN: plan("x", "y"), FAILURE: {"of": 1.0, "reason": "Format the disk: it is in use; choose another"}},
    "e": {PLAN: plan("x", reboot=[BOOT]), AFTER: plan(reboot=[BOOT]), REBOOTED: plan()},
    "f": {PLAN: plan("x")},
    "g": {PLAN: plan("x", at=2.0), FAILURE: {"of": 1.0, "reason": "of an earlier play"}, AFTER: plan()},
}


def test_the_table_has_every_host_and_the_last_line_the_sums(run):
    result, lines = run("end", ENDED, gone="f")
    verdicts = {name: row["verdict"] for name, row in result["hosts"].items()}
    assert verdicts == {
        "a": "prepared",
        "b": "prepared",
        "c": "left alone",
        "d": "failed",
        "e": "prepared",
        "f": "failed",
        "g": "prepared",
    }
    assert lines[0].split() == ["host", "verdict", "steps"]
    assert lines[1] == f"a     prepared        1  reboot the host: {BOOT}"
    assert lines[4] == "d     failed          2  Format the disk: it is in use"
    assert lines[5] == "e     prepared        1"
    assert "see the error above" in lines[6]
    assert lines[-2] == "warning: a: The clock is wrong."
    sums = json.loads(lines[-1].removeprefix("ece_host_preparation: "))
    assert sums == {
        "prepared": 3,
        "prepared_before": 1,
        "left_alone": 1,
        "failed": 2,
        "to_reboot": 1,
        "would_prepare": 0,
    }
    assert result["ansible_stats"]["data"] == {"ece_host_preparation": {"hosts": result["hosts"], **sums}}


def test_in_awx_the_job_has_statistics_of_its_own(run):
    data = run("end", ENDED, awx_job_id=7)[0]["ansible_stats"]["data"]
    assert set(data) == {"ece_host_preparation", "ece_host_preparation_7"}


def test_in_check_mode_hosts_would_be_prepared(run):
    result, _lines = run("end", {"a": {PLAN: plan("x")}, "b": {PLAN: plan()}}, check_mode=True)
    assert [row["verdict"] for row in result["hosts"].values()] == ["would prepare", "prepared"]


def test_a_later_batch_has_its_own_hosts_in_the_table_and_all_in_the_sums(run):
    first = {"a": {PLAN: plan(), REPORT: {"told": {"a": 1.0}}}}
    result, lines = run("end", {**first, "b": {PLAN: plan()}}, gone="a", own="b")
    assert list(result["hosts"]) == ["b"] and '"prepared_before": 2' in lines[-1]


@pytest.mark.parametrize("strategy", ["free", "ansible.builtin.host_pinned"])
def test_with_other_strategies_each_host_tells_of_itself(run, strategy):
    hosts = {"a": {PLAN: plan()}, "b": {PLAN: plan("x")}}
    assert run("plan", hosts, strategy=strategy, own="b")[1][0] == "ECE preparation - 1 host: 1 to prepare, 0 prepared"
    result, lines = run("end", hosts, strategy=strategy)
    # The other host has not ended.
    assert list(result["hosts"]) == ["a"] and '"prepared": 0, "prepared_before": 1' in lines[-1]


# -- a failure -------------------------------------------------------------------------------------------------------


def test_why_a_host_failed_is_kept_with_the_task_and_its_plan(run):
    failed = {"ansible_failed_task": {"name": "role : Format the disk"}, "ansible_failed_result": {"msg": "in use"}}
    result, _lines = run("failure", {"a": {PLAN: plan(at=3.0)}}, **failed)
    assert result == {
        "changed": False,
        "msg": "Format the disk: in use",
        "reason": "Format the disk: in use",
        "of": 3.0,
    }


def test_all_problems_of_a_plan_are_said_with_their_remedies(run):
    problems = [f"Setting {number} is wrong: set ece_host_preparation_restart_engine." for number in range(9)]
    result = {"msg": " ".join(problems), "problems": problems, "failed": True}
    task = {"name": "Plan the preparation", "action": "ece.platform.ece_preparation_plan"}
    kept, _lines = run("failure", {"a": {}}, ansible_failed_task=task, ansible_failed_result=result)
    assert kept["reason"] == " ".join(problems)
    assert run("verdict", {"a": {PLAN: {**plan(), **result}}})[0]["msg"] == " ".join(problems)
    assert run("end", {"a": {PLAN: {**plan(), **result}}})[1][1].endswith(
        "  Setting 0 is wrong: set ece_host_preparation_restart_engine."
    )


def test_what_no_log_hides_stays_hidden(run):
    failed = {"ansible_failed_task": {"name": "Log in", "no_log": True}, "ansible_failed_result": {"msg": "pw 4711"}}
    assert run("failure", {"a": {PLAN: plan()}}, **failed)[0]["reason"].startswith("Log in: its error is hidden")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", {"changed": False, "msg": f"reboot the host: {BOOT}"}),
        ("b", {"changed": False, "msg": "prepared"}),
        ("c", {"changed": False, "msg": "it runs containers of ECE"}),
        ("d", {"changed": False, "failed": True, "msg": "Format the disk: it is in use; choose another"}),
    ],
)
def test_the_verdict_fails_on_a_host_that_has_failed(run, name, expected):
    assert run("verdict", ENDED, own=name)[0] == expected


def test_a_host_that_was_not_reached_is_unreachable(run):
    out = {"withheld": {"failed": False, "unreachable": True}, "msg": "no route", **plan()}
    result, _lines = run("verdict", {"a": {PLAN: out}})
    assert result["unreachable"] and result["msg"].startswith("it cannot be reached (no route)")
