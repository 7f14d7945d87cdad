# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes a report on the whole fleet: a page and the same as JSON, of three requests to the platform."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._module import EXPECTED_ERRORS
from ansible_collections.ece.platform.plugins.module_utils._records import platform_totals
from ansible_collections.ece.platform.plugins.plugin_utils import _fleet as fleet
from ansible_collections.ece.platform.plugins.plugin_utils import _fleet_files as fleet_files
from ansible_collections.ece.platform.plugins.plugin_utils import _fleet_join as fleet_join
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._display import show
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost
from ansible_collections.ece.platform.plugins.plugin_utils._report import ansible_stats, sums_line
from ansible_collections.ece.platform.plugins.plugin_utils._results import REPORT, registered
from ansible_collections.ece.platform.plugins.plugin_utils._variable_names import check_names

PREFIX = "ece_fleet_report_"
PATH = "ece_fleet_report_path"
MODE = "ece_fleet_report_mode"
DEFAULT_PATH = "fleet.html"
# The key of the statistics, and the beginning of the line for scripts.
STATISTICS = "ece_fleet_report"


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"plan": {"type": "dict"}}

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        plan = arguments["plan"]
        if plan is None:
            return self._of_playbook(task_vars)
        try:
            return self._of_join(plan, task_vars)
        except EXPECTED_ERRORS as error:
            # The hosts have joined, and their verdicts come after this task.
            return {"changed": False, "warnings": [fleet_join.no_report(error)]}

    def _of_playbook(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        check_names(task_vars, PREFIX, (PATH, MODE), "playbook fleet_report")
        variables = self.own_variables(task_vars)
        files = checked_files(variables)
        report, warnings = self._report(task_vars)
        result = self._publish(report, files)
        show(fleet.fleet_line(report))
        for line in fleet.attention_lines(report):
            show(line)
        written = "would be written" if self._task.check_mode else "written"
        show(f"{written}: {files.page} and {files.data.name}")
        sums = fleet.sums_of(report)
        show(sums_line(sums, STATISTICS), indent="")
        warnings += report["warnings"]
        return {**result, "warnings": warnings, "ansible_stats": ansible_stats(sums, task_vars, STATISTICS)}

    def _of_join(self, plan: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        rows = fleet_join.add_rows(registered(task_vars, REPORT).get("hosts") or {})
        report, warnings = self._report(task_vars, rows)
        files = fleet_files.files_of(plan["fleet_report"])
        # What the lists lack is a warning of the plan, too.
        return {**self._publish(report, files), "warnings": warnings}

    def _report(
        self, task_vars: dict[str, Any], rows: Mapping[str, Any] | None = None
    ) -> tuple[fleet.Report, list[str]]:
        client, warnings = self.connect(task_vars)
        platform = client.platform()
        allocators = list(client.iter_allocators(platform_totals(platform)["allocators"]))
        runners = client.runners()
        report = fleet.report_of(
            platform,
            runners,
            allocators,
            url=client.url,
            made_at=time.time(),
            warnings=client.warnings,
            rows=rows,
            times=fleet_join.times() if rows else None,
        )
        return report, warnings

    def _publish(self, report: fleet.Report, files: fleet_files.Files) -> dict[str, Any]:
        return fleet_files.publish(report, files, check_mode=self._task.check_mode, diff=self._task.diff)


def checked_files(variables: OneHost) -> fleet_files.Files:
    """Return the files that the variables name. Raises OptionError."""
    path, mode = variables.get(PATH, DEFAULT_PATH), variables.get(MODE)
    problem = fleet_files.path_problem(path)
    if problem:
        raise OptionError(f"{PATH} {problem}")
    problem = None if mode is None else fleet_files.mode_problem(mode)
    if problem:
        raise OptionError(f"{MODE} {problem}")
    return fleet_files.files_of(path, mode)
