# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a join: a table for the operator, the same as statistics for AWX."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.module_utils import fleet
from ansible_collections.ece.platform.plugins.plugin_utils.action import ControllerAction, show

# What the role registers for each host on its way.
STEPS = ("__ece_host_check", "__ece_host_verdict", "__ece_host_wait")
WOULD = {fleet.INSTALL: "would join", fleet.REPLACE: "would join", fleet.ASSIGN_ROLES: "would get roles", fleet.WAIT: "joining"}


class ActionModule(ControllerAction):
    """See the documentation of the module with this name."""

    SPEC = {"hosts": {"type": "list", "elements": "str", "required": True}, "plan": {"type": "dict", "required": True}}

    def act(self, arguments, task_vars):
        hostvars = task_vars["hostvars"]
        entries = arguments["plan"]["hosts"]
        # A host of a later batch has nothing to report yet.
        reached = [name for name in sorted(arguments["hosts"]) if name in entries and any(hostvars[name].get(key) for key in STEPS)]
        rows = [_row(entries[name], hostvars[name], self._task.check_mode) for name in reached]
        for line in fleet.table(rows):
            show(line)
        token = (task_vars.get("__ece_host_wait") or {}).get("token")
        if token:
            show(_token_line(token))
        job = task_vars.get("awx_job_id") or task_vars.get("tower_job_id")
        key = f"ece_host_{job}" if job else "ece_host"
        return {
            "changed": False,
            "hosts": {row["host"]: row for row in rows},
            "ansible_stats": {"data": {key: {"hosts": {row["host"]: row for row in rows}}}, "per_host": False, "aggregate": True},
        }


def _row(entry, variables, check_mode):
    """One host's line: how its wait ended, else where it stopped before."""
    name = entry["name"]
    waited = (variables.get("__ece_host_wait") or {}).get("hosts") or {}
    if name in waited:
        return dict(waited[name])
    decided = variables.get("__ece_host_verdict") or {}
    verdict = decided.get("verdict")
    row = {"host": name, "zone": entry.get("zone"), "verdict": "failed", "install_seconds": None, "connect_seconds": None, "memory_mb": None}
    if verdict in fleet.FAILING:
        return dict(row, verdict=verdict, note=decided.get("msg"))
    if check_mode and verdict:
        return dict(row, verdict=WOULD[verdict], note=decided.get("msg"))
    if verdict:
        return dict(row, note="stopped on the way: see its error above; its installer may run, and running this again finds out")
    return dict(row, note="stopped before its installer ran: see its error above")


def _token_line(token):
    end = "revoked at the end" if token.get("persistent") else f"valid {int(token['validity_seconds']) // 60} min"
    kind = "persistent" if token.get("persistent") else "ephemeral"
    return f"token: {kind}, {', '.join(token['roles'])} only, {end}, minted once"
