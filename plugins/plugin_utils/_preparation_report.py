# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What the preparation says of its hosts: the plan, the table at its end, and the sums. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._text import first_names, one_line
from ansible_collections.ece.platform.plugins.plugin_utils._report import SEE_ABOVE, failure_reason, in_short
from ansible_collections.ece.platform.plugins.plugin_utils._results import PREPARATION, has_failed, registered

# The role registers its tasks' results under these names.
PLAN = PREPARATION
AFTER = "__ece_host_preparation_after"
REBOOTED = "__ece_host_preparation_rebooted"
FAILURE = "__ece_host_preparation_failure"
REPORT = "__ece_host_preparation_report"
STATISTICS = "ece_host_preparation"

PREPARED = "prepared"
WOULD_PREPARE = "would prepare"
LEFT_ALONE = "left alone"
FAILED = "failed"
NOTHING_TO_DO: Mapping[str, Any] = {
    "left_alone": "",
    "todo": [],
    "parts": {},
    "reboot": [],
    "notes": [],
    "problems": [],
    "host_problems": [],
    "host_warnings": [],
}
HEADER = ("host", "verdict", "steps", "")
# steps
RIGHT_ALIGNED = (2,)


class PreparedHost(TypedDict):
    """How one host ended."""

    host: str
    verdict: str
    # What was done, or would be done in check mode.
    steps: list[str]
    # Why the host has to be rebooted.
    reboot: list[str]
    warnings: list[str]
    # Why it failed or is left alone.
    note: str


def steps_of(plan: Mapping[str, Any]) -> list[str]:
    """Return what the tasks do on a host, in their order."""
    return [one_line(step) for part in plan.get("todo") or () for step in plan["parts"][part]["steps"]]


def todo_of(variables: Mapping[str, Any]) -> list[str]:
    """Return the parts of the preparation that are to do on a host, by its variables."""
    return list(registered(variables, PLAN).get("todo") or [])


def failure_of(variables: Mapping[str, Any]) -> str | None:
    """Return why a host's preparation failed, by its variables, or None."""
    plan, failure = registered(variables, PLAN), registered(variables, FAILURE)
    # Where the host was not reached, the next task says so.
    if plan.get("failed"):
        return plan_reason(plan)
    return str(failure["reason"]) if failure and failure.get("of") == plan.get("planned_at") else None


def plan_reason(plan: Mapping[str, Any]) -> str:
    """Return why a plan failed: all of its problems with their remedies, or what went wrong."""
    return one_line(" ".join(plan.get("problems") or ())) or failure_reason(plan)


def remaining_problems(result: Mapping[str, Any], again: bool, rebooted: bool = False) -> list[str]:
    """Return why a host cannot be prepared, or after the tasks, or a reboot, why it is not prepared.

    What the rules say of a host cannot be judged before its reboot. A step that is left can: no reboot does it.
    """
    steps = [f"It is still to do after the preparation: {step}." for step in steps_of(result)] if again else []
    if rebooted and result.get("reboot"):
        return [*steps, *(f"It was rebooted, and still {one_line(reason)}." for reason in result["reboot"])]
    if again and result.get("reboot"):
        return steps
    return [*steps, *(result.get("host_problems") or [])]


def row_of(name: str, variables: Mapping[str, Any], *, check_mode: bool, is_out: bool) -> PreparedHost:
    """Return how a host ended, by what its tasks registered.

    is_out: whether Ansible has dropped the host, because it became unreachable.
    """
    plan = registered(variables, PLAN)
    steps = steps_of(plan)

    def row(verdict: str, note: str = "", last: Mapping[str, Any] = plan) -> PreparedHost:
        return {
            "host": name,
            "verdict": verdict,
            "steps": steps,
            "reboot": list(last.get("reboot") or []),
            "warnings": list(last.get("host_warnings") or []),
            "note": note,
        }

    if has_failed(plan):
        return row(FAILED, plan_reason(plan))
    failure = failure_of(variables)
    if failure:
        return row(FAILED, failure)
    if is_out:
        return row(FAILED, f"it became unreachable or failed: {SEE_ABOVE}")
    if plan.get("left_alone"):
        return row(LEFT_ALONE, str(plan["left_alone"]))
    if check_mode:
        return row(WOULD_PREPARE if steps else PREPARED)
    looks = (registered(variables, REBOOTED), registered(variables, AFTER))
    return row(PREPARED, last=next((look for look in looks if look.get("todo") is not None), plan))


# -- what is shown ---------------------------------------------------------------------------------------------------


def plan_line(plans: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the plan for all hosts in one line."""
    counts = {"to prepare": 0, "to reboot": 0, "prepared": 0, "left alone": 0, "failed": 0}
    for plan in plans.values():
        if has_failed(plan):
            counts["failed"] += 1
        elif plan.get("left_alone"):
            counts["left alone"] += 1
        elif plan.get("todo"):
            counts["to prepare"] += 1
        else:
            counts["to reboot" if plan.get("reboot") else "prepared"] += 1
    always = ("to prepare", "prepared")
    parts = [f"{count:,} {label}" for label, count in counts.items() if count or label in always]
    return f"ECE preparation - {len(plans):,} host{'' if len(plans) == 1 else 's'}: {', '.join(parts)}"


def plan_lines(plans: Mapping[str, Mapping[str, Any]], *, every_step: bool, reboot: Mapping[str, bool]) -> list[str]:
    """Return what is done on which hosts. Hosts on which the same is done share their lines.

    reboot: whether each host may be rebooted.
    """
    lines, alike, left = [], dict[tuple[str, ...], list[str]](), dict[str, list[str]]()
    for name, plan in sorted(plans.items()):
        if plan.get("left_alone"):
            lines.append(f"{name}: {one_line(plan['left_alone'])}")
        if has_failed(plan):
            continue
        due = [reboot_line(plan["reboot"], reboot[name])] if plan.get("reboot") else []
        notes = [f"note: {one_line(note)}" for note in plan.get("notes") or () if every_step]
        if due and not every_step and not reboot[name]:
            # The operator has to act on it, and a join, whose table is about other things, shows it nowhere else.
            left.setdefault(due.pop(), []).append(name)
        texts = (*steps_of(plan), *due, *notes)
        if texts:
            alike.setdefault(texts, []).append(name)
    for texts, names in alike.items():
        if every_step:
            lines += [f"{first_names(names)}:", *(f"  - {text}" for text in texts)]
        else:
            lines.append(f"{first_names(names)}: {len(texts)} step{'' if len(texts) == 1 else 's'}; -v shows them")
    return [*lines, *(f"{first_names(names)}: {text}" for text, names in left.items())]


def reboot_line(reasons: Sequence[str], allowed: bool) -> str:
    """Return that the host is rebooted, or that this is left to the operator."""
    what = "reboot the host" if allowed else "the host has to be rebooted, which ece_host_preparation_reboot allows"
    return f"{what}: {one_line('; '.join(reasons))}"


def table_cells(row: PreparedHost) -> tuple[str, ...]:
    """Return the cells of a host in the table. An error has said all of a failure's reason already."""
    note = in_short(row["note"])
    if row["reboot"] and row["verdict"] == PREPARED:
        note = f"reboot the host: {one_line('; '.join(row['reboot']))}"
    return (row["host"], row["verdict"], str(len(row["steps"]) or "-"), note)


def warning_lines(rows: Mapping[str, PreparedHost]) -> list[str]:
    """Return the warnings of all hosts, each once with the hosts that it is about."""
    hosts: dict[str, list[str]] = {}
    for name, row in rows.items():
        for warning in row["warnings"] if row["verdict"] in (PREPARED, WOULD_PREPARE) else ():
            hosts.setdefault(one_line(warning), []).append(name)
    return [f"{first_names(names)}: {warning}" for warning, names in hosts.items()]


def sums_of(rows: Mapping[str, PreparedHost], every: Mapping[str, PreparedHost]) -> dict[str, Any]:
    """Return the rows that are new, and the sums of the play.

    every: the rows of all hosts of the play that have ended.
    """
    done = [row for row in every.values() if row["verdict"] == PREPARED]
    return {
        "hosts": dict(rows),
        "prepared_before": sum(not row["steps"] for row in done),
        "prepared": sum(bool(row["steps"]) for row in done),
        "would_prepare": sum(row["verdict"] == WOULD_PREPARE for row in every.values()),
        "to_reboot": sum(bool(row["reboot"]) for row in done),
        "left_alone": sum(row["verdict"] == LEFT_ALONE for row in every.values()),
        "failed": sum(row["verdict"] == FAILED for row in every.values()),
    }
