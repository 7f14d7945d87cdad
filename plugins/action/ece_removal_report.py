# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows how each host of a removal ended: a table for the operator, a line for scripts, and statistics for AWX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.ece.platform.plugins.plugin_utils import _removal_report as removal
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._display import columns, show
from ansible_collections.ece.platform.plugins.plugin_utils._report import ansible_stats, sums_line
from ansible_collections.ece.platform.plugins.plugin_utils._results import has_failed, registered
from ansible_collections.ece.platform.plugins.plugin_utils._run_notes import read_notes, write_notes


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"plan": {"type": "dict", "required": True}}

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        plan = arguments["plan"]
        entries: Mapping[str, Any] = plan.get("hosts") or {}
        if has_failed(plan):
            named = entries or {name: _unplanned(name) for name in task_vars["ansible_play_batch"]}
            rows = removal.rows_refused(named.values(), plan.get("refused") or {})
        else:
            rows = self._rows(entries, task_vars)
        failed = any(row["verdict"] == removal.FAILED for row in rows.values())
        cells = [removal.HEADER, *map(removal.table_cells, rows.values())]
        # With one host at a time, the header of a table for hosts with nothing to do would say more than the rows.
        for line in columns(cells, removal.RIGHT_ALIGNED) if rows else ():
            show(line)
        for line in removal.leftover_lines(rows):
            show(line)
        if failed and not has_failed(plan) and not self._task.ignore_errors:
            for line in filter(None, [_not_begun_line(self._after(entries, rows, task_vars))]):
                show(line)
        verdicts = self._note({name: row["verdict"] for name, row in rows.items()}, str(plan.get("made_at")))
        sums = removal.sums_of(rows, verdicts.values())
        show(sums_line(sums, removal.STATISTICS), indent="")
        return {
            "changed": False,
            "hosts": rows,
            "ansible_stats": ansible_stats(sums, task_vars, removal.STATISTICS),
        }

    def _rows(self, entries: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, removal.RemovedHost]:
        hostvars, rows = task_vars["hostvars"], {}
        playing = set(task_vars["ansible_play_batch"])
        for name in self._here(entries, task_vars):
            steps = (removal.LOOK, removal.PLATFORM, removal.HOST, removal.DELETE)
            results = {step: registered(hostvars[name], step) for step in steps}
            if name in playing or any(results.values()):
                rows[name] = removal.row_of(entries[name], results, check_mode=self._task.check_mode)
        return rows

    def _here(self, entries: Mapping[str, Any], task_vars: Mapping[str, Any]) -> list[str]:
        """Return the hosts of the plan in this batch, those that failed in it included, which were not reported."""
        every, batch = list(task_vars["ansible_play_hosts_all"]), set(task_vars["ansible_play_batch"])
        reported = set((read_notes(removal.NOTES) or {}).get("verdicts") or {})
        return [name for name in every if name in entries and (name in batch or name not in reported)]

    @staticmethod
    def _after(entries: Mapping[str, Any], rows: Mapping[str, Any], task_vars: Mapping[str, Any]) -> list[str]:
        """Return the hosts of later batches. A host that failed is out of its batch, so that the rows count."""
        every, playing = list(task_vars["ansible_play_hosts_all"]), set(task_vars["ansible_play_hosts"])
        last = max((number for number, name in enumerate(every) if name in rows), default=len(every))
        return [name for name in every[last + 1 :] if name in entries and name in playing]

    @staticmethod
    def _note(verdicts: Mapping[str, str], made_at: str) -> dict[str, str]:
        """Add how hosts ended, and return how all hosts of the run have ended. Batches are plays of their own.

        made_at: when the plan was made. Its later batches read which hosts have failed.
        """
        notes = read_notes(removal.NOTES) or {}
        every = {**(notes.get("verdicts") or {}), **verdicts}
        failed = notes.get("failed") or {}
        here = [name for name, verdict in verdicts.items() if verdict == removal.FAILED]
        failed[made_at] = [*failed.get(made_at, []), *here]
        write_notes(removal.NOTES, {"verdicts": every, "failed": failed})
        return every


def _not_begun_line(names: list[str]) -> str | None:
    if not names:
        return None
    return f"not begun: {', '.join(names)}; run this again when the host above is removed, or without that host"


def _unplanned(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "state": "",
        "zone": None,
        "runner_id": "",
        "instances": 0,
        "memory_total_mb": None,
    }
