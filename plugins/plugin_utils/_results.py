# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The results that the role's tasks registered for the hosts of a batch."""

from __future__ import annotations

import time
from typing import Any, Iterator, Mapping, Sequence, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._enrollment import TokenRequest
from ansible_collections.ece.platform.plugins.module_utils._plan import Plan
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import HostRow
from ansible_collections.ece.platform.plugins.plugin_utils._token_watchdog import Watchdog

# The role registers each task's result under one of these names; a guard test compares them with the role's tasks.
PLAN = "__ece_host_plan"
# The plan of role ece_host_preparation, where the join prepares its hosts.
PREPARATION = "__ece_host_preparation_plan"
CHECK = "__ece_host_check"
TOKEN = "__ece_host_token"
RUNNER = "__ece_host_runner"
START = "__ece_host_start"
WAIT = "__ece_host_wait"
REPORT = "__ece_host_report"

# What tells Ansible that a host is out.
_ENDS = ("failed", "unreachable")


class BatchToken(TypedDict):
    """The result of the step that mints the token of a batch."""

    # None where no host of the batch needs a token.
    request: TokenRequest | None
    # None in check mode, where no host needs it, and where there is a reason why it was not minted.
    token: str | None
    reason: str | None
    # Whether nothing may begin, because a host failed and any_errors_fatal is set.
    ends_play: bool
    # Until when an installer may start, in seconds since 1970, or None for a token that does not expire.
    latest_start: float | None
    # Of a persistent token.
    token_id: str | None
    watchdog: Watchdog | None


class OldToken(TypedDict):
    """A persistent token of an earlier run, by the records of installations on hosts."""

    # Roles of the hosts that installed with it, and those hosts whose installer may still run.
    roles: list[str]
    users: list[str]


class EndedToken(TypedDict):
    """The result of the step that ends the token of a batch. It takes the place of BatchToken and has no secret."""

    changed: bool
    made_at: float
    request: TokenRequest | None
    reason: str | None
    token_id: str | None
    minted: bool
    # Why a persistent token is not revoked, as a sentence.
    error: str | None
    # Persistent tokens of earlier runs that may still be in use.
    old_tokens: dict[str, OldToken]


def token_of(task_vars: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the BatchToken, or the EndedToken that took its place, or an empty mapping before both.

    Steps read it here, because an argument of a task may be printed by callbacks, whatever its action says.
    """
    return task_vars.get(TOKEN) or {}


def token_refusal(token: Mapping[str, Any]) -> str | None:
    """Return why an installer must not start with this BatchToken, or None."""
    if token.get("reason"):
        return str(token["reason"])
    if "token" not in token:
        return "there is no token to join with: the step that mints it did not run"
    latest_start = token.get("latest_start")
    if latest_start is not None and time.time() > latest_start:
        return (
            "the token of its batch would expire before its installer ends, because the hosts before it took long to "
            "start; run this again"
        )
    return None


def withhold(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result that Ansible takes for a success, and the role for what it is. The verdict makes it known.

    With any_errors_fatal, a failure ends the line for all hosts, and a host that is unreachable would be in no report.
    """
    kept = {key: value for key, value in result.items() if key not in _ENDS}
    return {**kept, "withheld": {key: bool(result.get(key)) for key in _ENDS}}


def registered(variables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return what a task registered in a host's variables, or an empty mapping."""
    result: Mapping[str, Any] = variables.get(name) or {}
    return {**result, **result["withheld"]} if result.get("withheld") else result


def has_failed(result: Mapping[str, Any]) -> bool:
    """Return whether a task failed on a host or did not reach it."""
    return bool(result.get("failed") or result.get("unreachable"))


def hosts_after(task_vars: Mapping[str, Any]) -> list[str]:
    """Return the hosts of the play's later batches, before any task of the role has run."""
    every, batch = task_vars["ansible_play_hosts_all"], set(task_vars["ansible_play_batch"])
    here = [number for number, name in enumerate(every) if name in batch]
    return _not_failed(every[here[-1] + 1 :] if here else [], task_vars)


def _not_failed(names: Sequence[str], task_vars: Mapping[str, Any]) -> list[str]:
    # A host that a task before the role has failed on is in the play's recap.
    playing = set(task_vars["ansible_play_hosts"])
    return [name for name in names if name in playing]


class Batch:
    """The hosts of the play's current batch that were checked, with their results.

    A host that was left out by a condition of the play has no result and is not in it. A host that failed or became
    unreachable is.
    """

    def __init__(self, plan: Plan, task_vars: Mapping[str, Any], play_id: str) -> None:
        self._hostvars = task_vars["hostvars"]
        self._all = task_vars["ansible_play_hosts_all"]
        self._play_id = play_id
        self.made_at = plan["made_at"]
        # The hosts of the batch that are not out of the play.
        self.alive = set(task_vars["ansible_play_batch"])
        self.hosts = self._find_hosts(plan, set(task_vars["ansible_play_hosts"]))
        # The plan's hosts in batches before and after this one. Ansible cuts batches in the order of all hosts.
        here = [number for number, name in enumerate(self._all) if name in self.alive or name in self.hosts]
        first, last = (here[0], here[-1]) if here else (0, len(self._all))
        self.earlier = [name for name in self._all[:first] if name in plan["hosts"]]
        # All hosts of later batches: a play of the user's own plans for each batch alone.
        self.after = _not_failed(self._all[last + 1 :], task_vars)
        self.later = [name for name in self.after if name in plan["hosts"]]

    def _find_hosts(self, plan: Plan, playing: set[str]) -> list[str]:
        # A host that is out of the play belongs to this batch or to an earlier one, which has reported it.
        gone = {name for name in plan["hosts"] if name not in playing and self._was_checked(name)}
        if gone:
            for report in self._reports(plan["hosts"]):
                gone -= set(report["hosts"]) if report["made_at"] == self.made_at else set()
        return [name for name in plan["hosts"] if name in gone or (name in self.alive and self._was_checked(name))]

    def _was_checked(self, name: str) -> bool:
        check = self.result(name, CHECK)
        if not check and name not in self.alive:
            # It became unreachable while it was prepared.
            preparation = self.result(name, PREPARATION)
            return bool(preparation.get("planned_at", 0) > self.made_at)
        return bool(check) and not check.get("skipped") and check.get("made_at", self.made_at) == self.made_at

    def _reports(self, names: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the reports that the play's earlier batches left on these hosts."""
        seen: set[str] = set()
        for name in names:
            if name in self.alive or name in seen:
                continue
            report = self.result(name, REPORT)
            if report.get("play") == self._play_id:
                seen.update(report["hosts"])
                yield report

    def earlier_rows(self) -> dict[str, HostRow]:
        """Return the rows of the plan's earlier batches."""
        rows: dict[str, HostRow] = {}
        for name in self.earlier:
            if name not in rows:
                report = self.result(name, REPORT)
                if report.get("made_at") == self.made_at:
                    rows.update(report["hosts"])
        return rows

    def result(self, name: str, step: str) -> Mapping[str, Any]:
        """Return what a task registered for a host, or an empty mapping."""
        return registered(self._hostvars[name], step)

    def has_failed(self, name: str) -> bool:
        """Return whether a host cannot go on: it is out of the play, or its check failed and the play ignores that."""
        return name not in self.alive or has_failed(self.result(name, CHECK))

    def remaining(self) -> list[str]:
        """Return the hosts that can go on."""
        return [name for name in self.hosts if not self.has_failed(name)]

    def to_wait_for(self) -> list[str]:
        """Return the hosts that went on, after the start of installers. A play may ignore errors.

        A start that did not reach its host may have started an installer all the same.
        """
        return [
            name
            for name in self.remaining()
            if not has_failed(self.result(name, RUNNER)) and not self.result(name, START).get("failed")
        ]

    def verdict(self, name: str) -> str | None:
        """Return what the check decided for a host."""
        return self.result(name, CHECK).get("verdict")

    def earlier_failures(self) -> str | None:
        """Return the sentence of an earlier batch of the play in which too many hosts failed, or None."""
        names = [name for name in self._all if name not in self.hosts]
        sentences = (report["too_many_failed"] for report in self._reports(names))
        return next((sentence for sentence in sentences if sentence), None)
