# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The begin of a batch: its hosts, and no further one after too many failures."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_host_batch
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError

TOO_MANY = "2 of 2 hosts of a batch have failed, which is more than ece_host_max_fail_percentage 10 allows"


@pytest.fixture
def begin(bare):
    def act(reports, batch="ef", of="abcdef", planned="bcdef", most=10):
        hostvars = {name: {"__ece_host_report": reports[name]} if name in reports else {} for name in of}
        task_vars = {"ansible_play_batch": list(batch), "ansible_play_hosts_all": list(of), "hostvars": hostvars}
        plan = {"made_at": 7.5, "max_fail_percentage": most, "hosts": dict.fromkeys(planned)}
        return bare(ece_host_batch).act({"plan": plan}, task_vars)

    return act


def report(too_many=None, play="this play"):
    return {"play": play, "too_many_failed": too_many}


def test_joined_hosts_of_the_play_are_not_in_it(begin):
    assert begin({}, batch="abc")["hosts"] == ["b", "c"]
    assert begin({}, batch="a")["hosts"] == []


@pytest.mark.parametrize(
    "reports",
    [{}, {"c": report(), "d": report()}, {"d": report(TOO_MANY, play="another play")}, {"e": report(TOO_MANY)}],
    ids=["the first", "after good ones", "another play's", "its own of an earlier run"],
)
def test_it_begins(begin, reports):
    assert begin(reports)["hosts"] == ["e", "f"]


@pytest.mark.parametrize(
    "reports",
    [{"c": report(TOO_MANY), "d": report(TOO_MANY)}, {"c": report(TOO_MANY)}],
    ids=["all reported", "one unreachable"],
)
@pytest.mark.parametrize("of", ["abcdef", "fedcba"], ids=["in order", "in another order"])
def test_after_too_many_failures_it_does_not(begin, reports, of):
    with pytest.raises(PlatformError, match="^2 of 2 hosts of a batch have failed, .*: no further host is joined$"):
        begin(reports, of=of)


def test_without_a_limit_reports_are_not_asked(begin):
    assert begin({"c": report(TOO_MANY)}, most=None)["hosts"] == ["e", "f"]
