# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host is taken out of service with the variables of the role."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.ece.platform.plugins.action import ece_removal_platform
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._removal import Step
from ansible_collections.ece.platform.plugins.plugin_utils import _removal_report as report
from tests.unit.module_utils.test_removal_plan import ID, entry_of


def test_a_host_is_taken_out_of_service_with_the_options_of_its_variables(bare, shown, monkeypatch):
    given = {"ece_host_removal_vacate_timeout": 60, "ece_host_removal_vacate_options": {"targets": ["t"]}}
    step, lines, seen = bare(ece_removal_platform, variables=given), shown(ece_removal_platform), []

    def take_out(client, entry, version, options, check_mode, tell, zone):
        seen.append((version, options, check_mode, zone))
        tell("0:10  1/2 moved")
        return Step(["maintenance mode on"], 2)

    monkeypatch.setattr(ece_removal_platform, "take_out_of_service", take_out)
    step.connect = lambda task_vars: (SimpleNamespace(warnings=[]), [])
    entry, refused = entry_of("a"), {**entry_of("b"), "runner_id": "r", "state": "refused"}
    zones = [{"zone": "y", "staying": ["192.0.2.8"]}, {"zone": "z", "staying": ["192.0.2.9"]}]
    plan = {"version": "3.8.0", "hosts": {"a": entry, "b": refused}, "zones": zones}
    result = step.act({"entry": entry}, {report.PLAN: plan})
    assert result == {"changed": True, "msg": "maintenance mode on", "moved": 2, "warnings": []}
    ((version, options, check_mode, zone),) = seen
    assert zone == ({ID}, ("192.0.2.9",))
    assert (version, check_mode, options.allocator_id) == ("3.8.0", False, ID)
    assert (options.wait_timeout, options.wait_interval, options.targets) == (60, 5, ["t"])
    assert lines == ["a: 0:10  1/2 moved"]


@pytest.mark.parametrize(
    ("notes", "ignore_errors", "begins"),
    [
        (None, False, True),
        ({"failed": {"1.5": []}}, False, True),
        ({"failed": {"0.5": ["a"]}}, False, True),
        ({"failed": {"1.5": ["b"]}}, False, False),
        ({"failed": {"1.5": ["b"]}}, True, True),
    ],
    ids=["first batch", "none failed", "of another plan", "one failed", "errors are ignored"],
)
def test_a_batch_does_not_begin_after_a_failure_in_an_earlier_one(bare, monkeypatch, notes, ignore_errors, begins):
    step = bare(ece_removal_platform, ignore_errors=ignore_errors)
    step.connect = lambda task_vars: (SimpleNamespace(warnings=[]), [])
    monkeypatch.setattr(ece_removal_platform, "read_notes", lambda name: notes)
    monkeypatch.setattr(ece_removal_platform, "take_out_of_service", lambda *arguments: Step([], 0))
    given = ({"entry": entry_of("a")}, {report.PLAN: {"version": "3.8.0", "made_at": 1.5}})
    if begins:
        assert step.act(*given)["changed"] is False
    else:
        with pytest.raises(PlatformError, match="^not begun, because the removal of b failed in an earlier batch"):
            step.act(*given)
