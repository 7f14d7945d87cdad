# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What the report says of the hosts of a batch and of its token. No I/O."""

from __future__ import annotations

import json
import re
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.ece.platform.plugins.module_utils._plan import PlanEntry
from ansible_collections.ece.platform.plugins.module_utils._states import (
    ASSIGN_ROLES,
    CHANGED,
    FAILED,
    INSTALL,
    JOINED,
    JOINING,
    REJECTED,
    REPLACE,
    UPDATE,
    WAIT,
    WOULD_CHANGE,
    WOULD_GET_ROLES,
    WOULD_JOIN,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names, one_line
from ansible_collections.ece.platform.plugins.plugin_utils import _results as results
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import HostRow
from ansible_collections.ece.platform.plugins.plugin_utils._results import has_failed

# What sudo says where its option requiretty is set.
NO_TERMINAL = "you must have a tty to run sudo"
IN_CHECK_MODE = {
    INSTALL: WOULD_JOIN,
    REPLACE: WOULD_JOIN,
    ASSIGN_ROLES: WOULD_GET_ROLES,
    UPDATE: WOULD_CHANGE,
    WAIT: JOINING,
}
BAD = (FAILED, *REJECTED)
# The message of module command for a command that failed, whose own message is in its output.
NO_REASON = "non-zero return code"
SEE_ABOVE = "see the error above"
REASON_LENGTH_MAX = 300
# A line of the table stays on the screen.
SHORT_LENGTH_MAX = 120
# Where the cause ends in a note: what follows is the remedy and the place of the log.
END_OF_CAUSE = re.compile(r"; |(?<=[.!?])(?<!\.[a-z]\.) (?=[A-Z])")


# -- rows ------------------------------------------------------------------------------------------------------------


def row_of(entry: PlanEntry, batch: results.Batch, check_mode: bool) -> HostRow:
    """Return the row of a host: how its wait ended, else where it stopped before."""
    name = entry["name"]
    wait = batch.result(name, results.WAIT)
    if wait.get("made_at") == batch.made_at and name in wait["hosts"]:
        row: HostRow = wait["hosts"][name]
        return row
    return _row(entry, *_stopped(name, batch, check_mode))


def rows_not_begun(entries: Iterable[PlanEntry], too_many_failed: str | None) -> dict[str, HostRow]:
    """Return the rows of hosts whose batch does not begin, because the play ends before it."""
    reason = too_many_failed or "the play ends with the batch before it"
    return {entry["name"]: _row(entry, FAILED, f"not begun: {reason}") for entry in entries}


def rows_not_planned(names: Iterable[str], plan: Mapping[str, Any]) -> dict[str, HostRow]:
    """Return the rows of hosts for which there is no plan, because it failed."""
    note = f"it was not planned for: {failure_reason(plan)}"
    return {name: _row({"name": name, "zone": None}, FAILED, note) for name in names}


def not_begun_line(names: Sequence[str]) -> str | None:
    """Return the line on the hosts of batches that do not begin, or None. Ansible counts them in no recap."""
    if not names:
        return None
    return (
        f"not begun: {first_names(names)}; Ansible's recap does not have them, so that a run for the failed hosts "
        "alone (AWX's relaunch on failed hosts, a retry file) leaves them out: run the same again for all hosts"
    )


def _row(entry: Mapping[str, Any], verdict: str, note: str) -> HostRow:
    return {
        "host": entry["name"],
        "zone": entry["zone"],
        "verdict": verdict,
        "install_seconds": None,
        "connect_seconds": None,
        "memory_mb": None,
        "note": note,
    }


def _stopped(name: str, batch: results.Batch, check_mode: bool) -> tuple[str, str]:
    """Return verdict and note of a host that was not waited for."""
    check, runner, start = (batch.result(name, key) for key in (results.CHECK, results.RUNNER, results.START))
    verdict = check.get("verdict")
    if verdict in (JOINED, *REJECTED):
        return verdict, str(check.get("msg"))
    if has_failed(runner) and verdict == UPDATE:
        return FAILED, f"it was not changed: {failure_reason(runner)}"
    if has_failed(runner):
        return FAILED, f"its runner was not changed: {failure_reason(runner)}"
    if start.get("failed"):
        return FAILED, f"its installer was not started: {failure_reason(start)}"
    if has_failed(check):
        return FAILED, f"stopped before its installer started: {failure_reason(check)}"
    if verdict == UPDATE and "changed" in runner:
        ended = (WOULD_CHANGE if check_mode else CHANGED) if runner["changed"] else JOINED
        return ended, str(runner.get("msg"))
    if check_mode and verdict:
        return IN_CHECK_MODE[verdict], str(check.get("msg"))
    reason = _reason_of_the_batch(name, batch)
    if verdict == UPDATE:
        return FAILED, f"it was not changed: {reason}"
    if verdict == WAIT or (start and not start.get("skipped")):
        return FAILED, (
            f"stopped after its installer started: {reason}; "
            "the installer may still be running, which the next run checks"
        )
    return FAILED, f"stopped before its installer started: {reason}"


def _reason_of_the_batch(name: str, batch: results.Batch) -> str:
    """Return why a host stopped on which no task failed: a step for all hosts failed, or the play ends with a host."""
    reason = batch.result(name, results.TOKEN).get("reason")
    if reason:
        return str(reason)
    wait = batch.result(name, results.WAIT)
    if wait.get("failed"):
        return failure_reason(wait)
    steps = (results.CHECK, results.RUNNER, results.START)
    others = [other for other in batch.hosts if any(has_failed(batch.result(other, step)) for step in steps)]
    return f"the play ends because of {first_names(others)}" if others else SEE_ABOVE


# -- sentences -------------------------------------------------------------------------------------------------------


def failure_reason(result: Mapping[str, Any]) -> str:
    """Return why a task failed, with a remedy where Ansible gives none."""
    message = str(result.get("msg") or SEE_ABOVE)
    if message.endswith(NO_REASON):
        output = f"{result.get('stdout') or ''}\n{result.get('stderr') or ''}"
        message = ([line for line in output.splitlines() if line.strip()] or [message])[-1]
    if result.get("unreachable"):
        return unreachable_reason(message)
    password = re.search(r"(Missing|Incorrect) \w+ password", message)
    if password:
        return (
            f"{password.group()}; give it by --ask-become-pass, ansible_become_password or AWX's credential, "
            "or let sudo ask for none"
        )
    if any(NO_TERMINAL in str(result.get(key)) for key in ("msg", "module_stderr", "module_stdout")):
        return "its sudo runs commands on a terminal only (requiretty); set ece_host_pipelining: false for it"
    return _cut(_plain(message), REASON_LENGTH_MAX)


def unreachable_reason(message: str) -> str:
    """Return why a host cannot be reached, by the message of its connection plugin."""
    # At -vvvv, ssh's debug messages come first.
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith("debug")]
    reason = _cut(_plain(lines[-1] if lines else message), REASON_LENGTH_MAX)
    return f"it cannot be reached ({reason}); check ansible_host, the network to it, and the user and key for it"


def table_note(row: HostRow, batch: results.Batch) -> str:
    """Return the note of a host for the table.

    Where Ansible itself stopped the host, its error has no remedy, so the table has it. Else the error had all of it.
    """
    tasks = (results.CHECK, results.RUNNER, results.START)
    stopped = row["verdict"] == FAILED and any(has_failed(batch.result(row["host"], task)) for task in tasks)
    return row["note"] if stopped else in_short(row["note"])


def in_short(note: str) -> str:
    """Return the cause in a note, without the remedy, which the failure of the host has said."""
    cause = END_OF_CAUSE.split(one_line(note), maxsplit=1)[0]
    return _cut(cause, SHORT_LENGTH_MAX)


def _plain(message: str) -> str:
    return one_line(message).removeprefix("Task failed: ")  # ansible-core 2.19 adds that


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "..."


def token_line(token: Mapping[str, Any]) -> str | None:
    """Return the line on the token of a batch, by the result of its end. None where none was minted."""
    request = token.get("request")
    if not request or not token.get("minted"):
        return None
    if not request["persistent"]:
        end = f"valid {request['validity_seconds'] // 60} min"
    else:
        end = "not revoked" if token.get("error") else "revoked"
    kind = "persistent" if request["persistent"] else "ephemeral"
    return f"token: {kind}, {', '.join(request['roles'])} only, {end}, minted once"


# -- the sum ---------------------------------------------------------------------------------------------------------


def sums_of(rows: Mapping[str, HostRow], joined_before: int, verdicts: Sequence[str]) -> dict[str, Any]:
    """Return the rows of a batch and the sums of the run.

    joined_before: hosts that were joined before the run. verdicts: how its other hosts have ended up to now.
    """
    return {
        "hosts": dict(rows),
        "joined_before": joined_before,
        "joined": verdicts.count(JOINED),
        "changed": verdicts.count(CHANGED),
        "would_change": verdicts.count(WOULD_CHANGE),
        "would_join": sum(verdict in (WOULD_JOIN, WOULD_GET_ROLES, JOINING) for verdict in verdicts),
        "failed": sum(verdict in BAD for verdict in verdicts),
    }


def ansible_stats(sums: Mapping[str, Any], variables: Mapping[str, Any], key: str = "ece_host") -> dict[str, Any]:
    """Return the sums for set_stats, which adds the rows to those of other batches. key: the role's."""
    # A key that is always the same is what a workflow can read. Slices of a job overwrite each other's, so the job has
    # one of its own, too.
    job = variables.get("awx_job_id") or variables.get("tower_job_id")
    keys = [key, *([f"{key}_{job}"] if job else [])]
    return {"data": dict.fromkeys(keys, sums), "per_host": False, "aggregate": True}


def sums_line(sums: Mapping[str, Any], key: str = "ece_host") -> str:
    """Return the line for scripts, which has the sums without the rows. key: the role's."""
    return f"{key}: " + json.dumps({name: sums[name] for name in sorted(sums) if name != "hosts"})
