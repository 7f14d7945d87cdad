# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows the plan of a preparation and how its hosts ended, keeps why a host failed, and fails it at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.utils.display import Display

from ansible_collections.ece.platform.plugins.plugin_utils import _preparation_report as preparation
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._display import columns, show, warn
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.ece.platform.plugins.plugin_utils._report import (
    ansible_stats,
    sums_line,
)
from ansible_collections.ece.platform.plugins.plugin_utils._results import registered
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import is_set
from ansible_collections.ece.platform.plugins.plugin_utils._run_notes import read_notes, write_notes

# With these, a task with run_once runs once for all hosts of a batch; with others for each host, about that host.
STRATEGIES = ("linear", "debug")
REBOOT = "ece_host_preparation_reboot"
LINES_MAX = 60


def _note_of(name: str) -> str:
    # The name of a host may hold what a name of a file may not.
    return f"prepared-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"step": {"type": "str", "required": True, "choices": ["plan", "failure", "end", "verdict"]}}

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        steps = {"plan": self._plan, "failure": self._failure, "end": self._end, "verdict": self._verdict}
        return {"changed": False, **steps[arguments["step"]](task_vars)}

    def _plan(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        hostvars = task_vars["hostvars"]
        names = self._here(task_vars, task_vars["ansible_play_batch"])
        plans = {name: registered(hostvars[name], preparation.PLAN) for name in names}
        plans = {name: plan for name, plan in plans.items() if plan and not plan.get("skipped")}
        line = preparation.plan_line(plans)
        show(line)
        variables = HostVariables(self, task_vars)
        reboot = {name: bool(plan.get("reboot")) and is_set(variables.of(name), REBOOT) for name, plan in plans.items()}
        every_step = bool(self._task.check_mode or Display().verbosity)
        lines = preparation.plan_lines(plans, every_step=every_step, reboot=reboot)
        for text in lines[:LINES_MAX]:
            show(text)
        if len(lines) > LINES_MAX:
            show(f"... and {len(lines) - LINES_MAX:,} more lines; a limit shows those of some hosts")
        return {"msg": line}

    def _failure(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        task, failed = task_vars.get("ansible_failed_task") or {}, task_vars.get("ansible_failed_result") or {}
        # What no_log hides may hold a secret.
        is_hidden = task.get("no_log")
        reason = "its error is hidden, because it may hold a secret" if is_hidden else preparation.plan_reason(failed)
        name = task.get("name") or task.get("action") or "a task"
        plan = registered(task_vars, preparation.PLAN)
        if str(task.get("action")) not in ("ece.platform.ece_preparation_plan",):
            reason = f"{str(name).rpartition(' : ')[2]}: {reason}"
        return {"msg": reason, "reason": reason, "of": plan.get("planned_at")}

    def _end(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        hostvars, every = task_vars["hostvars"], self._rows(task_vars, task_vars["ansible_play_hosts_all"])
        told = set()
        for name in every:
            report = registered(hostvars[name], preparation.REPORT).get("told") or {}
            told |= {host for host, planned_at in report.items() if planned_at == self._planned_at(hostvars, host)}
        rows = {name: every[name] for name in self._here(task_vars, every) if name not in told}
        if not self._runs_once:
            every = self._with_others(rows, every, task_vars["ansible_play_hosts_all"])
        cells = [preparation.HEADER, *map(preparation.table_cells, rows.values())]
        for line in columns(cells, preparation.RIGHT_ALIGNED) if rows else ():
            show(line)
        for line in preparation.warning_lines(rows):
            warn(line)
        sums = preparation.sums_of(rows, every)
        show(sums_line(sums, preparation.STATISTICS), indent="")
        return {
            "hosts": rows,
            "told": {name: self._planned_at(hostvars, name) for name in rows},
            "ansible_stats": ansible_stats(sums, task_vars, preparation.STATISTICS),
        }

    def _verdict(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        name = task_vars["inventory_hostname"]
        row = preparation.row_of(name, task_vars, check_mode=self._task.check_mode, is_out=False)
        if row["verdict"] == preparation.FAILED:
            if registered(task_vars, preparation.PLAN).get("unreachable"):
                return {"unreachable": True, "msg": row["note"]}
            return {"failed": True, "msg": row["note"]}
        return {"msg": preparation.table_cells(row)[3] or row["verdict"]}

    # -- the hosts ----------------------------------------------------------------------------------------------------

    @property
    def _runs_once(self) -> bool:
        return self._task._parent._play.strategy.rpartition(".")[2] in STRATEGIES

    def _with_others(
        self,
        rows: Mapping[str, preparation.PreparedHost],
        every: Mapping[str, preparation.PreparedHost],
        names: Iterable[str],
    ) -> dict[str, preparation.PreparedHost]:
        """Return all rows, those of hosts that end at the same time included: a worker sees no results of others."""
        for name, row in rows.items():
            write_notes(_note_of(name), {"play": self.play_id, "row": row})
        found = dict(every)
        for name in names:
            note = read_notes(_note_of(name)) or {}
            if note.get("play") == self.play_id:
                found[name] = note["row"]
        return found

    def _here(self, task_vars: Mapping[str, Any], names: Iterable[str]) -> list[str]:
        """Return those of the hosts that this run of the task is about."""
        if self._runs_once:
            return list(names)
        return [name for name in names if name == task_vars["inventory_hostname"]]

    def _rows(self, task_vars: Mapping[str, Any], names: Iterable[str]) -> dict[str, preparation.PreparedHost]:
        """Return the rows of those hosts that have ended, or that are at their end with this one."""
        hostvars, batch, here = (
            task_vars["hostvars"],
            set(task_vars["ansible_play_batch"]),
            self._here(task_vars, names),
        )
        rows = {}
        for name in names:
            variables = hostvars[name]
            plan = registered(variables, preparation.PLAN)
            ended = name in here or name not in batch or registered(variables, preparation.REPORT)
            if plan and not plan.get("skipped") and ended:
                is_out = name not in batch and not registered(variables, preparation.REPORT)
                rows[name] = preparation.row_of(name, variables, check_mode=self._task.check_mode, is_out=is_out)
        return rows

    @staticmethod
    def _planned_at(hostvars: Mapping[str, Any], name: str) -> Any:
        return registered(hostvars[name], preparation.PLAN).get("planned_at")
