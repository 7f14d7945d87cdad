# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows how each host of a batch ended: a table for the operator, a line for scripts, and statistics for AWX."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.ece.platform.plugins.module_utils._states import FAILED
from ansible_collections.ece.platform.plugins.plugin_utils import _report as report
from ansible_collections.ece.platform.plugins.plugin_utils import _results as results
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._batch import too_many_failed
from ansible_collections.ece.platform.plugins.plugin_utils._display import show, table
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import HostRow
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.ece.platform.plugins.plugin_utils._run_sums import note_verdicts


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"plan": {"type": "dict", "required": True}}

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        plan = arguments["plan"]
        if plan.get("failed"):
            return self._without_plan(plan, task_vars)
        batch = results.Batch(plan, task_vars, self.play_id)
        token = results.token_of(task_vars)
        rows = {name: report.row_of(plan["hosts"][name], batch, self._task.check_mode) for name in batch.hosts}
        failed = {name for name, row in rows.items() if row["verdict"] in report.BAD}
        too_many = too_many_failed(len(failed), len(rows), plan["max_fail_percentage"])
        ends = self._play_ends(failed, batch, token)
        if ends:
            rows.update(report.rows_not_begun([plan["hosts"][name] for name in batch.later], too_many))
        shown = [{**row, "note": report.table_note(row, batch)} for row in rows.values()]
        for line in table(shown) if shown else ():
            show(line)
        for line in filter(None, (report.token_line(token), report.not_begun_line(batch.after if ends else []))):
            show(line)
        ended = {name: row["verdict"] for name, row in {**batch.earlier_rows(), **rows}.items()}
        return {
            "changed": False,
            "made_at": plan["made_at"],
            "play": self.play_id,
            "hosts": rows,
            "too_many_failed": too_many,
            "ansible_stats": _statistics(rows, ended, plan["joined"], task_vars),
        }

    def _without_plan(self, plan: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        variables = HostVariables(self, task_vars)
        names = [name for name in task_vars["ansible_play_batch"] if variables.runs_task(variables.of(name))]
        rows = report.rows_not_planned(names, plan)
        ended = dict.fromkeys(rows, FAILED)
        return {"changed": False, "hosts": rows, "ansible_stats": _statistics(rows, ended, 0, task_vars)}

    def _play_ends(self, failed: set[str], batch: results.Batch, token: Mapping[str, Any]) -> bool:
        """Return whether Ansible begins no further batch after this one."""
        if self._task.ignore_errors or not failed:
            return False
        return bool(token.get("error") or self._task.any_errors_fatal or failed >= batch.alive)


def _statistics(
    rows: Mapping[str, HostRow], ended: Mapping[str, str], joined_before: int, task_vars: Mapping[str, Any]
) -> dict[str, Any]:
    """Print the sums of the run, and return them for set_stats."""
    sums = report.sums_of(rows, *note_verdicts(ended, joined_before))
    show(report.sums_line(sums), indent="")
    return report.ansible_stats(sums, task_vars)
