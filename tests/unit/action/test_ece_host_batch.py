# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The begin of a batch: its hosts, and no further one after too many failures."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_host_batch
from ansible_collections.ece.platform.plugins.module_utils.fleet import FleetError

TOO_MANY = "2 of 2 hosts of a batch have failed, which is more than ece_host_max_fail_percentage 10 allows"


@pytest.fixture
def begin(bare):
    def act(reports, batch="ef", of="abcdef", planned="bcdef"):
        hostvars = {name: {"__ece_host_report": reports[name]} if name in reports else {} for name in of}
        task_vars = {"ansible_play_batch": list(batch), "ansible_play_hosts_all": list(of), "hostvars": hostvars}
        return bare(ece_host_batch).act({"plan": {"made_at": 7.5, "hosts": dict.fromkeys(planned)}}, task_vars)

    return act


def report(too_many=None, made_at=7.5):
    return {"plan_made_at": made_at, "too_many_failed": too_many}


def test_joined_hosts_of_the_play_are_not_in_it(begin):
    assert begin({}, batch="abc")["hosts"] == ["b", "c"]


@pytest.mark.parametrize(
    "reports",
    [
        {},
        {"c": report(), "d": report()},
        {"d": report(TOO_MANY, made_at=7.0)},  # of another plan
        {"b": report(TOO_MANY), "c": report()},  # never: the batch after that one would not have begun
    ],
)
def test_it_begins(begin, reports):
    assert begin(reports)["hosts"] == ["e", "f"]


@pytest.mark.parametrize("reports", [{"c": report(TOO_MANY), "d": report(TOO_MANY)}, {"c": report(TOO_MANY)}], ids=["all reported", "one unreachable"])
def test_after_too_many_failures_it_does_not(begin, reports):
    with pytest.raises(FleetError, match="^2 of 2 hosts of a batch have failed, .*: no further host is joined$"):
        begin(reports)
