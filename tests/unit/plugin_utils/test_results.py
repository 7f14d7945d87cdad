# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts a batch has, by the results that are registered: not every host of a play runs every task."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils._results import (
    CHECK,
    PREPARATION,
    REPORT,
    RUNNER,
    START,
    TOKEN,
    Batch,
    hosts_after,
    token_of,
    token_refusal,
)

CHECKED = {CHECK: {"verdict": "install", "made_at": 7.5}}
UNREACHABLE = {CHECK: {"unreachable": True, "msg": "no route"}}


def batch(results, *, gone=(), alive=None, planned=None):
    names = list(results)
    playing = [name for name in names if name not in gone]
    task_vars = {
        "hostvars": results,
        "ansible_play_hosts_all": names,
        "ansible_play_hosts": playing,
        "ansible_play_batch": [name for name in playing if alive is None or name in alive],
    }
    plan = {"made_at": 7.5, "hosts": dict.fromkeys(names if planned is None else planned)}
    return Batch(plan, task_vars, "this play")


def report(hosts, made_at=7.5, play="this play"):
    return {REPORT: {"play": play, "made_at": made_at, "hosts": dict.fromkeys(hosts), "too_many_failed": None}}


def test_joined_hosts_of_the_play_are_not_in_it():
    assert batch({"a": CHECKED, "b": {}, "c": CHECKED}, planned="ac").hosts == ["a", "c"]


def test_hosts_that_failed_or_became_unreachable_are_in_it_and_do_not_remain():
    found = batch({"a": UNREACHABLE, "b": {CHECK: {"failed": True, "made_at": 7.5}}, "c": CHECKED}, gone="ab")
    assert (found.hosts, found.remaining()) == (["a", "b", "c"], ["c"])


def test_a_host_that_became_unreachable_while_it_was_prepared_is_in_it():
    lost = {PREPARATION: {"planned_at": 8.0, "todo": ["user"]}}
    found = batch({"a": lost, "b": CHECKED}, gone="a")
    assert (found.hosts, found.remaining()) == (["a", "b"], ["b"])
    # A preparation before this plan, in a play of its own.
    assert batch({"a": {PREPARATION: {"planned_at": 7.0}}, "b": CHECKED}, gone="a").hosts == ["b"]


def test_hosts_whose_failure_the_play_ignores_do_not_remain():
    found = batch({"a": UNREACHABLE, "b": {CHECK: {"failed": True, "made_at": 7.5}}, "c": CHECKED})
    assert (found.hosts, found.remaining()) == (["a", "b", "c"], ["c"])


@pytest.mark.parametrize("left_out", [{}, {CHECK: {"skipped": True}}, {CHECK: {"verdict": "install", "made_at": 1.0}}])
def test_hosts_that_a_condition_left_out_are_not_in_it(left_out):
    assert batch({"a": CHECKED, "b": left_out}).hosts == ["a"]


def test_hosts_of_later_batches_are_not_in_it():
    assert batch({"a": CHECKED, "b": {}, "c": {}}, alive="a").hosts == ["a"]


@pytest.mark.parametrize("order", ["abcde", "edcba"])
def test_hosts_that_failed_in_earlier_batches_are_not_in_it(order):
    results = {
        "a": {**CHECKED, **report("abc")},
        "b": UNREACHABLE,
        "c": {**CHECKED, **report("abc")},
        "d": CHECKED,
        "e": UNREACHABLE,
    }
    found = batch({name: results[name] for name in order}, gone="bce", alive="d")
    assert sorted(found.hosts) == ["d", "e"]


def test_a_report_of_an_earlier_plan_of_the_play_takes_no_host_out():
    assert batch({"a": {**UNREACHABLE, **report("a", made_at=1.0)}, "b": CHECKED}, gone="a").hosts == ["a", "b"]


def test_a_usable_token_has_no_refusal():
    assert token_refusal({"token": "t", "reason": None, "latest_start": None}) is None


def test_the_plans_hosts_of_other_batches_are_known_by_the_order_of_the_play():
    results = {"joined": {}, "a": CHECKED, "b": UNREACHABLE, "c": CHECKED, "d": {}, "e": {}}
    found = batch(results, gone="b", alive="c", planned="abcde")
    assert found.hosts == ["b", "c"] and (found.earlier, found.later) == (["a"], ["d", "e"])


def test_a_host_that_failed_before_the_role_is_in_no_later_batch():
    assert batch({"a": CHECKED, "b": {}, "c": {}}, gone="b", alive="a", planned="a").after == ["c"]


def test_hosts_of_later_batches_are_those_behind_the_last_of_this_one():
    every = ["a", "b", "c", "failed", "d", "e"]
    playing = [name for name in every if name != "failed"]
    found = {"ansible_play_hosts_all": every, "ansible_play_hosts": playing, "ansible_play_batch": ["b", "c"]}
    assert hosts_after(found) == ["d", "e"] and hosts_after({**found, "ansible_play_batch": playing}) == []


def test_the_rows_of_earlier_batches_are_those_of_the_same_plan():
    results = {
        "a": {**CHECKED, **report("ab")},
        "b": CHECKED,
        "c": {**CHECKED, **report("c", made_at=1.0)},
        "d": CHECKED,
    }
    assert list(batch(results, alive="d").earlier_rows()) == ["a", "b"]


def test_the_token_is_read_from_the_variables_of_a_host():
    assert token_of({TOKEN: {"token": "t"}}) == {"token": "t"} and token_of({}) == token_of({TOKEN: None}) == {}


def test_a_host_is_waited_for_unless_a_step_failed_on_it():
    results = {
        "started": {START: {"changed": True}},
        "lost while it started": {START: {"unreachable": True}},
        "not started": {START: {"failed": True}},
        "its runner stays": {RUNNER: {"failed": True}, START: {"skipped": True}},
        "its runner could not be changed": {RUNNER: {"unreachable": True}, START: {"skipped": True}},
    }
    found = batch({name: {**CHECKED, **result} for name, result in results.items()})
    assert found.to_wait_for() == ["started", "lost while it started"]
