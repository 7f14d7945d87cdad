# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What the report says of the hosts of a removal. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._removal_plan import ABSENT, REMOVE, RemovalEntry
from ansible_collections.ece.platform.plugins.module_utils._text import one_line
from ansible_collections.ece.platform.plugins.plugin_utils._report import SEE_ABOVE, failure_reason, in_short
from ansible_collections.ece.platform.plugins.plugin_utils._results import has_failed

# Where the role's tasks register their results.
CHECK = "__ece_host_removal_check"
PLAN = "__ece_host_removal_plan"
LOOK = "__ece_host_removal_look"
PLATFORM = "__ece_host_removal_platform"
HOST = "__ece_host_removal_host"
DELETE = "__ece_host_removal_delete"
REPORT = "__ece_host_removal_report"
STATISTICS = "ece_host_removal"

# How a host ends.
REMOVED = "removed"
WOULD_REMOVE = "would remove"
REMOVED_BEFORE = "not there"
FAILED = "failed"
# The notes on how the hosts of earlier batches ended: `verdicts`, and `failed` by the time at which the plan was made.
NOTES = "removal-verdicts"
ENDED_EARLIER = "there is nothing to do for it, but the plan refuses other hosts of the play"

HEADER = ("host", "zone", "verdict", "instances", "memory", "")
# instances, memory
RIGHT_ALIGNED = (3, 4)


class RemovedHost(TypedDict):
    """How one host ended."""

    host: str
    zone: str | None
    runner_id: str
    verdict: str
    # Instances that were moved away or deleted, and memory of the allocator in MB.
    instances: int
    memory_mb: float | None
    # What of ECE is left on the host.
    leftovers: list[str]
    note: str


def row_of(entry: RemovalEntry, results: Mapping[str, Mapping[str, Any]], *, check_mode: bool) -> RemovedHost:
    """Return how a host ended. results: what its tasks registered, by LOOK, PLATFORM, HOST and DELETE."""
    verdict, note = _ending(entry, results, check_mode)
    return _row(entry, verdict, note, leftovers_of(results[HOST]))


def _row(entry: RemovalEntry, verdict: str, note: str, leftovers: Sequence[str] = ()) -> RemovedHost:
    return {
        "host": entry["name"],
        "zone": entry["zone"],
        "runner_id": entry["runner_id"],
        "verdict": verdict,
        "instances": entry["instances"],
        "memory_mb": entry["memory_total_mb"],
        "leftovers": list(leftovers),
        "note": note,
    }


def _ending(entry: RemovalEntry, results: Mapping[str, Mapping[str, Any]], check_mode: bool) -> tuple[str, str]:
    if entry["state"] == ABSENT:
        return REMOVED_BEFORE, ""
    for step in (LOOK, PLATFORM, HOST, DELETE):
        if has_failed(results.get(step) or {}):
            return FAILED, failure_reason(results[step])
    if entry["state"] != REMOVE or not results[DELETE] or results[DELETE].get("skipped"):
        return FAILED, f"not removed: {SEE_ABOVE}"
    if check_mode:
        return WOULD_REMOVE, ""
    return REMOVED, "; ".join(results[DELETE].get("notes") or [])


def rows_refused(entries: Iterable[RemovalEntry], refused: Mapping[str, str]) -> dict[str, RemovedHost]:
    """Return the rows of hosts of which none is removed, because the plan refuses some."""
    return {
        entry["name"]: (
            _row(entry, REMOVED_BEFORE, "")
            if entry["state"] == ABSENT
            else _row(entry, FAILED, refused.get(entry["name"], ""))
        )
        for entry in entries
    }


def leftovers_of(result: Mapping[str, Any]) -> list[str]:
    """Return what of ECE is left on a host, as text."""
    found = result.get("leftovers")
    items = [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
    return [_leftover(item) for item in items if not item.get("removed")]


def _leftover(item: Mapping[str, Any]) -> str:
    note = item.get("note")
    return one_line(f"{item.get('name')} ({note})" if note else item.get("name"))


def leftover_lines(rows: Mapping[str, RemovedHost]) -> list[str]:
    """Return what is left on hosts; hosts with the same share a line."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, row in rows.items():
        if row["leftovers"]:
            alike.setdefault(tuple(row["leftovers"]), []).append(name)
    return [f"left on {', '.join(names)}: {'; '.join(texts)}" for texts, names in alike.items()]


def table_cells(row: RemovedHost) -> tuple[str, ...]:
    """Return the cells of a host in the table. An error has said all of a failure's reason already."""
    memory = row["memory_mb"]
    return (
        row["host"],
        one_line(row["zone"] or "-"),
        row["verdict"],
        str(row["instances"]) if row["verdict"] != REMOVED_BEFORE else "-",
        f"{round(memory / 1024)} GB" if memory else "-",
        in_short(row["note"]),
    )


def sums_of(rows: Mapping[str, RemovedHost], verdicts: Iterable[str]) -> dict[str, Any]:
    """Return the rows of a batch and the sums of the run. verdicts: of all hosts of the run up to now."""
    every = list(verdicts)
    return {
        "hosts": dict(rows),
        "removed": every.count(REMOVED),
        "removed_before": every.count(REMOVED_BEFORE),
        "would_remove": every.count(WOULD_REMOVE),
        "failed": every.count(FAILED),
    }
