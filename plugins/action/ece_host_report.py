# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a join: a table for the operator, the same as statistics for AWX."""

from __future__ import annotations

import re

from ansible_collections.ece.platform.plugins.module_utils._states import ASSIGN_ROLES, INSTALL, REJECTED, REPLACE
from ansible_collections.ece.platform.plugins.module_utils._text import one_line
from ansible_collections.ece.platform.plugins.plugin_utils._action import START, VERDICT, WAIT, ControllerAction, show
from ansible_collections.ece.platform.plugins.plugin_utils._batch import too_many_failed
from ansible_collections.ece.platform.plugins.plugin_utils._display import table

WOULD = {INSTALL: "would join", REPLACE: "would join", ASSIGN_ROLES: "would get roles", WAIT: "joining"}
FAILED = ("failed", *REJECTED)


class ActionModule(ControllerAction):
    """See the documentation of the module with this name."""

    SPEC = {
        "hosts": {"type": "list", "elements": "str", "required": True},
        "plan": {"type": "dict", "required": True},
    }

    def act(self, arguments, task_vars):
        plan = arguments["plan"]
        entries = plan["hosts"]
        hostvars = task_vars["hostvars"]
        # A result of an earlier run in the same playbook says nothing of this one.
        waits = {name: hostvars[name].get(WAIT) or {} for name in arguments["hosts"]}
        waits = {name: wait for name, wait in waits.items() if wait.get("plan_made_at") == plan["made_at"]}
        rows = [
            _row(entries[name], hostvars[name], waits.get(name, {}), self._task.check_mode)
            for name in arguments["hosts"]
        ]
        failed = sum(row["verdict"] in FAILED for row in rows)
        for line in table(rows) if rows else ():
            show(line)
        need = next(iter(waits.values()), {}).get("need") or {}
        if need.get("minted"):
            show(_token_line(need))
        job = task_vars.get("awx_job_id") or task_vars.get("tower_job_id")
        key = f"ece_host_{job}" if job else "ece_host"
        return {
            "changed": False,
            "hosts": {row["host"]: row for row in rows},
            "play": self.play,
            "too_many_failed": too_many_failed(failed, len(rows), plan["max_fail_percentage"]),
            "ansible_stats": {
                "data": {key: {"hosts": {row["host"]: row for row in rows}}},
                "per_host": False,
                "aggregate": True,
            },
        }


def _row(entry, variables, wait, check_mode):
    """One host's line: how its wait ended, else where it stopped before."""
    name = entry["name"]
    decided = variables.get(VERDICT) or {}
    verdict = decided.get("verdict")
    # Who was to be installed anew and was found unfit for it has not been waited for since.
    stopped_anew = verdict in REJECTED and name in wait.get("again", ())
    if name in wait.get("hosts", {}) and not stopped_anew:
        return dict(wait["hosts"][name])
    row = {
        "host": name,
        "zone": entry.get("zone"),
        "verdict": "failed",
        "install_seconds": None,
        "connect_seconds": None,
        "memory_mb": None,
    }
    if verdict in REJECTED:
        return dict(row, verdict=verdict, note=decided.get("msg"))
    if check_mode and verdict:
        return dict(row, verdict=WOULD[verdict], note=decided.get("msg"))
    start = variables.get(START) or {}
    if start.get("failed"):
        return dict(row, note="stopped at the start of its installer: " + stopped_why(start))
    if start:
        return dict(
            row, note="stopped on the way: see its error above; its installer may run, and running this again finds out"
        )
    return dict(row, note="stopped before its installer ran: " + stopped_why(decided))


def stopped_why(result):
    """Of the last task's result: why, and the remedy where Ansible itself names none. It may have been stopped by others, with a good one."""
    message = str((result.get("failed") or result.get("unreachable")) and result.get("msg") or "see the error above")
    if result.get("unreachable"):
        # At -vvvv all that ssh has noted on its way comes first.
        lines = [line for line in message.splitlines() if line.strip() and not line.startswith("debug")]
        return f"it cannot be reached ({_shortened(lines[-1] if lines else message)}); look at ansible_host, at its network and at the user and key for it"
    password = re.search(r"(Missing|Incorrect) \w+ password", message)
    if password:
        return f"{password.group()}; give the right one by --ask-become-pass, ansible_become_password or AWX's credential, or have it ask for none"
    return _shortened(message)


def _shortened(words, most=300):
    words = one_line(words).removeprefix("Task failed: ")  # ansible-core's from 2.19 on
    return words if len(words) <= most else words[:most] + "..."


def _token_line(need):
    end = "revoked at the end" if need["persistent"] else f"valid {need['validity_seconds'] // 60} min"
    kind = "persistent" if need["persistent"] else "ephemeral"
    why = (
        "for installers of an earlier run that failed" if need.get("anew") else "because starting all hosts took longer"
    )
    times = "once" if need["minted"] == 1 else f"{need['minted']} times, {why}"
    return f"token: {kind}, {', '.join(need['roles'])} only, {end}, minted {times}"
