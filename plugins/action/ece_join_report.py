# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows how each host of a batch ended: a table for the operator, and the same as statistics for AWX."""

from __future__ import annotations

import re
from typing import Any, Mapping

from ansible_collections.ece.platform.plugins.module_utils._plan import PlanEntry
from ansible_collections.ece.platform.plugins.module_utils._states import (
    ASSIGN_ROLES,
    FAILED,
    INSTALL,
    JOINED,
    JOINING,
    REJECTED,
    REPLACE,
    WAIT,
    WOULD_GET_ROLES,
    WOULD_JOIN,
)
from ansible_collections.ece.platform.plugins.module_utils._text import one_line
from ansible_collections.ece.platform.plugins.plugin_utils import _results as results
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._batch import too_many_failed
from ansible_collections.ece.platform.plugins.plugin_utils._display import show, table
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import HostRow

IN_CHECK_MODE = {INSTALL: WOULD_JOIN, REPLACE: WOULD_JOIN, ASSIGN_ROLES: WOULD_GET_ROLES, WAIT: JOINING}
SEE_ABOVE = "see the error above"
NOTE_LENGTH_MAX = 300


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {
        "plan": {"type": "dict", "required": True},
        "token": {"type": "dict", "no_log": True},
    }

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        plan = arguments["plan"]
        batch = results.Batch(plan, task_vars, self.play_id)
        rows = {name: self._row(plan["hosts"][name], batch) for name in batch.hosts}
        for line in table(list(rows.values())) if rows else ():
            show(line)
        token = arguments["token"] or {}
        if token.get("token"):
            show(token_line(token["request"]))
        failed = sum(row["verdict"] in (FAILED, *REJECTED) for row in rows.values())
        job = task_vars.get("awx_job_id") or task_vars.get("tower_job_id")
        return {
            "changed": False,
            "made_at": plan["made_at"],
            "play": self.play_id,
            "hosts": rows,
            "too_many_failed": too_many_failed(failed, len(rows), plan["max_fail_percentage"]),
            "ansible_stats": {
                "data": {f"ece_host_{job}" if job else "ece_host": {"hosts": rows}},
                "per_host": False,
                "aggregate": True,
            },
        }

    def _row(self, entry: PlanEntry, batch: results.Batch) -> HostRow:
        """Return the row of a host: how its wait ended, else where it stopped before."""
        name = entry["name"]
        wait = batch.result(name, results.WAIT)
        if wait.get("made_at") == batch.made_at and name in wait["hosts"]:
            row: HostRow = wait["hosts"][name]
            return row
        registered = (results.CHECK, results.RUNNER, results.START)
        verdict, note = self._stopped(*(batch.result(name, key) for key in registered))
        return {
            "host": name,
            "zone": entry["zone"],
            "verdict": verdict,
            "install_seconds": None,
            "connect_seconds": None,
            "memory_mb": None,
            "note": note,
        }

    def _stopped(
        self, check: Mapping[str, Any], runner: Mapping[str, Any], start: Mapping[str, Any]
    ) -> tuple[str, str]:
        """Return verdict and note of a host that was not waited for."""
        verdict = check.get("verdict")
        if verdict in (JOINED, *REJECTED):
            return verdict, str(check.get("msg"))
        if self._task.check_mode and verdict:
            return IN_CHECK_MODE[verdict], str(check.get("msg"))
        if runner.get("failed"):
            return FAILED, f"its runner was not changed: {failure_reason(runner)}"
        if start.get("failed"):
            return FAILED, f"its installer was not started: {failure_reason(start)}"
        if verdict == WAIT or (start and not start.get("skipped")):
            return FAILED, (
                f"stopped after its installer started: {SEE_ABOVE}; "
                "the installer may still be running, which the next run checks"
            )
        return FAILED, f"stopped before its installer started: {failure_reason(check)}"


def failure_reason(result: Mapping[str, Any]) -> str:
    """Return why a task failed, with a remedy where Ansible gives none.

    A host whose task did not fail was stopped by a later task, whose error is above.
    """
    message = str((result.get("failed") or result.get("unreachable")) and result.get("msg") or SEE_ABOVE)
    if result.get("unreachable"):
        # At -vvvv, ssh's debug messages come first.
        lines = [line for line in message.splitlines() if line.strip() and not line.startswith("debug")]
        reason = _shorten(lines[-1] if lines else message)
        return f"it cannot be reached ({reason}); check ansible_host, the network to it, and the user and key for it"
    password = re.search(r"(Missing|Incorrect) \w+ password", message)
    if password:
        return (
            f"{password.group()}; give it by --ask-become-pass, ansible_become_password or AWX's credential, "
            "or let sudo ask for none"
        )
    return _shorten(message)


def _shorten(message: str) -> str:
    message = one_line(message).removeprefix("Task failed: ")  # ansible-core 2.19 adds that
    return message if len(message) <= NOTE_LENGTH_MAX else message[:NOTE_LENGTH_MAX] + "..."


def token_line(request: Mapping[str, Any]) -> str:
    """Return the line on the token of a batch."""
    kind = "persistent" if request["persistent"] else "ephemeral"
    end = "revoked at the end" if request["persistent"] else f"valid {request['validity_seconds'] // 60} min"
    return f"token: {kind}, {', '.join(request['roles'])} only, {end}, minted once"
