# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left after the tasks of a preparation, and how the join reads it."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils import _preparation_report as report

LEFT = {"todo": ["user"], "parts": {"user": {"steps": ["create user elastic"]}}, "reboot": [], "host_problems": []}


@pytest.mark.parametrize(
    ("result", "again", "problems"),
    [
        (LEFT, False, []),
        (LEFT, True, ["It is still to do after the preparation: create user elastic."]),
        # No reboot does a step. What the rules say is judged after it.
        (
            {**LEFT, "reboot": ["r"], "host_problems": ["SELinux."]},
            True,
            ["It is still to do after the preparation: create user elastic."],
        ),
        ({**LEFT, "todo": [], "reboot": ["r"], "host_problems": ["SELinux."]}, True, []),
        ({**LEFT, "host_problems": ["The host has 4000 MB of memory."]}, False, ["The host has 4000 MB of memory."]),
        ({"left_alone": "it runs ECE"}, True, []),
    ],
)
def test_what_is_left_is_a_problem_once_the_tasks_are_done(result, again, problems):
    assert report.remaining_problems(result, again) == problems


def test_a_host_that_has_to_be_rebooted_after_its_reboot_is_not_prepared():
    left = {**LEFT, "reboot": ["the kernel was started without swapaccount=1"]}
    assert report.remaining_problems(left, True, rebooted=True) == [
        "It is still to do after the preparation: create user elastic.",
        "It was rebooted, and still the kernel was started without swapaccount=1.",
    ]
    assert report.plan_line({"a": {"todo": [], "reboot": ["x"]}}).endswith(
        "1 host: 0 to prepare, 1 to reboot, 0 prepared"
    )


def test_the_join_knows_why_a_preparation_failed():
    plan = {"planned_at": 2.0, "todo": ["user"]}
    assert report.todo_of({report.PLAN: plan}) == ["user"] and report.todo_of({}) == []
    assert report.failure_of({}) is None
    assert report.failure_of({report.PLAN: {"failed": True, "msg": "no"}}) == "no"
    assert report.failure_of({report.PLAN: plan, report.FAILURE: {"of": 2.0, "reason": "why"}}) == "why"
    # A failure of an earlier play.
    assert report.failure_of({report.PLAN: plan, report.FAILURE: {"of": 1.0, "reason": "why"}}) is None
