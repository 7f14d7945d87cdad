# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host is deleted only where the steps before have succeeded."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.ece.platform.plugins.action import ece_removal_delete
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._removal import Step
from ansible_collections.ece.platform.plugins.plugin_utils import _removal_report as report
from ansible_collections.ece.platform.plugins.plugin_utils._results import withhold
from tests.unit.module_utils.test_removal_plan import entry_of


@pytest.fixture
def deleting(bare, shown, monkeypatch):
    shown(ece_removal_delete)
    monkeypatch.setattr(ece_removal_delete, "delete_host", lambda *arguments: Step(["runner deleted"]))

    def run(check_mode=False, **results):
        step = bare(ece_removal_delete, check_mode=check_mode)
        step.connect = lambda task_vars: (SimpleNamespace(warnings=[]), [])
        return step.act({"entry": entry_of()}, results)

    return run


def test_a_host_is_deleted(deleting, monkeypatch):
    assert deleting() == {"changed": True, "msg": "runner deleted", "notes": [], "warnings": []}
    monkeypatch.setattr(ece_removal_delete, "delete_host", lambda *arguments: Step([]))
    assert deleting()["msg"] == "deleted already"
    assert deleting(check_mode=True) == {"changed": True, "msg": "would be deleted", "notes": []}


@pytest.mark.parametrize("step", [report.PLATFORM, report.HOST])
@pytest.mark.parametrize(
    "result",
    [{"failed": True, "msg": "no"}, {"unreachable": True, "msg": "no"}, withhold({"failed": True, "msg": "no"})],
)
def test_a_host_whose_step_before_failed_is_not_deleted(deleting, step, result):
    with pytest.raises(PlatformError, match="it is not deleted, because it was not .*run this again"):
        deleting(**{step: result})
