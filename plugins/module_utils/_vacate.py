# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Vacate an allocator: the work of ece_allocator_vacate, for an action in the controller.

Only GET of the allocator says what is on it and what moves. So a request whose answer was lost is not repeated before
the allocator was looked at, and a vacate succeeds only once the allocator no longer lists the instances.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any, Callable, Mapping, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._allocator import start_maintenance
from ansible_collections.ece.platform.plugins.module_utils._api_errors import (
    NOT_READY_CODE,
    RETRY_STATUS,
    EceApiError,
    EceError,
    may_have_had_effect,
)
from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._records import object_of
from ansible_collections.ece.platform.plugins.module_utils._text import first_names, one_line
from ansible_collections.ece.platform.plugins.module_utils._vacate_plan import (
    MEMBERS,
    Answer,
    Holdings,
    ReasonRow,
    Row,
    VacateOptions,
    Workload,
    answer_for,
    asks_for_release,
    check_options,
    check_release,
    check_target,
    clusters_of,
    explained,
    holdings_of,
    is_chosen,
    is_pending,
    move_body,
    move_parameters,
    own_plan,
    progress,
    reasons,
    wants_own_plan,
    why,
)

# How often the allocator is looked at before a move that does not show there has ended without success, or before it
# is asked for again, because its answer was lost. A plan may take a moment to begin.
IDLE_LOOKS = 3
IDLE_SECONDS = 10
# How often a move is asked for at most, where its answers are lost.
ATTEMPTS = 3
# After that many answers that the allocator does not exist, it does not.
UNKNOWN_LOOKS = 3
# Attempts at a request without effect, and the pause before each further one.
LOOKS = 5
PAUSE_SECONDS = 2.0
# Progress is shown at least that often.
SHOW_SECONDS = 30
# How many deployments are asked for the reason of a failure.
EXPLAINED_MAX = 20

# States of a cluster. Queued: its move has not been asked for. Lost: it has, and the answer was lost.
QUEUED = "queued"
LOST = "lost"
MOVING = "moving"
MOVED = "moved"
FAILED = "failed"


class VacateResult(TypedDict):
    """The result for one allocator. left: clusters that were to move and are still there, those of failures included.

    failed: whether not all that was asked for was done.
    """

    changed: bool
    failed: bool
    msg: str
    allocator_id: str
    moved: list[Row]
    failures: list[ReasonRow]
    left: list[ReasonRow]
    elapsed_seconds: float
    diff: Mapping[str, Mapping[str, Any]]


class _Move:
    """What is known of a cluster that is to move."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.state = QUEUED
        self.reason = ""
        # Whether the allocator has to be looked at before the move is asked for (again).
        self.held = False
        # Looks in a row in which the cluster was there without moving, and the time of the first of them.
        self.idle = 0
        self.idle_since = 0.0
        self.attempts = 0
        # Whether a move of it was under way, so that the log of its plan is about that move.
        self.has_begun = False

    def become(self, state: str, reason: str = "") -> None:
        self.state, self.reason, self.idle = state, reason, 0
        self.has_begun = self.has_begun or state == MOVING

    def fail(self, reason: str) -> None:
        self.become(FAILED, reason)

    def count_idle(self, busy: bool, now: float) -> None:
        """Note whether the last look showed it moving."""
        self.idle = 0 if busy else self.idle + 1
        if self.idle == 1:
            self.idle_since = now

    def is_idle(self, now: float) -> bool:
        """Whether it has not been moving for so long that no move of it is under way."""
        return self.idle >= IDLE_LOOKS and now - self.idle_since >= IDLE_SECONDS

    def reason_row(self) -> ReasonRow:
        return {**self.workload.row(), "reason": self.reason or self.state}


def vacate(
    client: EceClient,
    options: VacateOptions,
    check_mode: bool = False,
    *,
    tell: Callable[[str], None] = lambda line: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] | None = None,
) -> VacateResult:
    """Move clusters off an allocator, and wait until it no longer has them.

    tell: gets lines of progress. Raises OptionError and PlatformError before anything is moved; afterwards, whatever
    goes wrong is part of the result.
    """
    check_options(options)
    return _Vacate(client, options, tell, clock, sleep or client.sleep).run(check_mode)


class _Vacate:
    """One vacate."""

    def __init__(
        self,
        client: EceClient,
        options: VacateOptions,
        tell: Callable[[str], None],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self.client = client
        self.options = options
        self.tell = tell
        self.clock = clock
        self.sleep = sleep
        self.began = clock()
        self.moves: dict[str, _Move] = {}
        self.unidentified = 0
        self.idle_unidentified = 0
        self.changed = False
        self.allocator_down = False
        self.maintenance_before = False
        self.maintenance = False
        # What kept the last look from an answer, empty after one that has it.
        self.trouble = ""
        self.unknown_looks = 0
        self.shown: tuple[str, str] = ("", "")
        self.shown_at = self.began

    def run(self, check_mode: bool) -> VacateResult:
        allocator_id = self.options.allocator_id
        allocator = self.client.allocator(allocator_id)
        if allocator is None:
            raise OptionError(
                f"allocator_id {allocator_id} is not known to the platform: "
                "give the id of one of its allocators, as ece_allocator_info lists them"
            )
        holdings = holdings_of(allocator)
        if holdings is None:
            raise PlatformError(self._says_nothing())
        status = object_of(allocator.get("status"))
        self.maintenance = self.maintenance_before = status.get("maintenance_mode") is True
        down = status.get("connected") is False
        self.allocator_down = down if self.options.allocator_down == "auto" else self.options.allocator_down == "true"
        if not holdings.workloads and not holdings.unidentified:
            return self._result()
        self._check(holdings)
        self._update(holdings, first=True)
        if not self.moves and not self.unidentified:
            return self._result()
        if check_mode:
            self._predict()
            return self._result(check_mode=True)
        if self._needs_maintenance():
            self._start_maintenance()
        self._move_all()
        self._explain()
        return self._result()

    # -- before anything is changed ------------------------------------------------------------------------------------

    def _check(self, holdings: Holdings) -> None:
        """Raise OptionError for options that do not fit this platform."""
        if asks_for_release(self.options):
            check_release(self.options, self.client.platform()["version"])
        missing = set(self.options.clusters or ()) - set(holdings.workloads)
        if missing:
            # A cluster that has moved already is on another allocator.
            missing -= clusters_of(self.client.iter_allocators())
        if missing:
            raise OptionError(
                f"clusters has {first_names(missing)}, which is neither on allocator {self.options.allocator_id} nor "
                f"on another one: it holds {first_names(holdings.workloads)}"
            )
        for target in self.options.targets:
            check_target(target, self.client.allocator(target))

    def _needs_maintenance(self) -> bool:
        """Whether maintenance mode has to be started: not where it is known already that nothing moves."""
        something = any(move.state != FAILED for move in self.moves.values())
        return self.options.maintenance and not self.maintenance and something

    def _start_maintenance(self) -> None:
        """Start maintenance mode, and see that it is on. Raises PlatformError: without it, instances could return."""
        allocator = start_maintenance(
            self.client, self.options.allocator_id, so=", so nothing is moved", sleep=self.sleep
        )
        self.maintenance = self.changed = True
        holdings = holdings_of(allocator)
        if holdings is not None:
            self._update(holdings, first=True)

    def _predict(self) -> None:
        """Ask the platform which clusters could move, without moving them."""
        self.changed = self._needs_maintenance()
        self.maintenance = self.maintenance or self.changed
        for move in self.moves.values():
            if move.state == QUEUED:
                self._predict_one(move)
                self.changed = self.changed or move.state == MOVED
            elif move.state == MOVING:
                move.become(MOVED)

    def _predict_one(self, move: _Move) -> None:
        wait = self.options.pending_plans == "wait"
        if wait and move.workload.pending:
            move.become(MOVED)
            return
        try:
            answer = self._validate(move.workload)
        except EceError as error:
            answer = Answer(refusal=explained(str(error)), pending=is_pending(str(error)))
        if answer.accepted or (answer.pending and wait):
            move.become(MOVED)
        else:
            move.fail(answer.refusal or self._not_mentioned())

    def _validate(self, workload: Workload) -> Answer:
        """Ask for the plan of a move. The request has no effect, so it is repeated. Raises EceError."""
        for attempt in range(LOOKS):
            if attempt:
                self.sleep(PAUSE_SECONDS)
            try:
                return self._ask(workload, validate_only=True)
            except EceError as error:
                if attempt + 1 == LOOKS or not _passes(error):
                    raise
        raise AssertionError("unreachable")

    # -- moving --------------------------------------------------------------------------------------------------------

    def _move_all(self) -> None:
        """Begin moves and look at the allocator, until all have ended or the time is over."""
        end = self.began + self.options.wait_timeout
        while True:
            if self.clock() < end:
                self._begin_some()
            self._announce()
            left = end - self.clock()
            if self._over() or not self._goes_on() or left <= 0:
                return
            self.sleep(min(self.options.wait_interval, left))
            holdings = self._look()
            if holdings is not None:
                self._update(holdings)

    def _over(self) -> bool:
        """Whether there is nothing left to wait for. Only an answer about the allocator ends a move."""
        if self.unknown_looks >= UNKNOWN_LOOKS:
            return True
        ended = all(move.state in (MOVED, FAILED) for move in self.moves.values())
        return ended and (not self.unidentified or self.idle_unidentified >= IDLE_LOOKS)

    def _goes_on(self) -> bool:
        """Whether to look again. Without waiting, only moves whose answer was lost are looked for."""
        return self.options.wait or any(move.state == LOST for move in self.moves.values())

    def _look(self) -> Holdings | None:
        """Return what the allocator holds, None without an answer; why is remembered, and the next look follows."""
        try:
            allocator = self.client.allocator(self.options.allocator_id)
        except EceError as error:
            self.trouble = str(error)
            return None
        if allocator is None:
            self.unknown_looks += 1
            self.trouble = f"the platform no longer knows allocator {self.options.allocator_id}"
            return None
        self.unknown_looks = 0
        holdings = holdings_of(allocator)
        self.trouble = "" if holdings else self._says_nothing()
        return holdings

    def _update(self, holdings: Holdings, first: bool = False) -> None:
        """Take over what the allocator holds now. first: before any move was asked for."""
        self.unidentified = holdings.unidentified
        self.idle_unidentified = 0 if first or not holdings.unidentified else self.idle_unidentified + 1
        for workload in holdings.workloads.values():
            if is_chosen(workload, self.options):
                move = self.moves.setdefault(workload.cluster_id, _Move(workload))
                move.workload = workload
                self._update_one(move)
        for cluster_id, move in self.moves.items():
            if cluster_id not in holdings.workloads:
                move.become(MOVED)

    def _update_one(self, move: _Move) -> None:
        busy = move.workload.moving or move.workload.pending
        now = self.clock()
        move.count_idle(busy, now)
        move.held = False
        if move.state == MOVED:  # an instance has returned
            move.become(QUEUED if move.attempts < ATTEMPTS else FAILED, "an instance has returned to the allocator")
        if move.state == QUEUED:
            self._update_queued(move)
        elif move.state == LOST:
            if busy:
                move.become(MOVING)
            elif move.is_idle(now):
                move.become(QUEUED if move.attempts < ATTEMPTS else FAILED, move.reason)
        elif move.state == MOVING and move.is_idle(now):
            move.fail("its move has ended, and it is still on the allocator")

    def _update_queued(self, move: _Move) -> None:
        if self.options.pending_plans == "force":
            return
        if move.workload.moving:
            move.become(MOVING)  # an earlier run, or another client, has begun this move
        elif move.workload.pending and self.options.pending_plans == "wait":
            move.held = True
        elif move.workload.pending:
            move.fail(
                "a plan of it is pending: wait until it has ended, or set pending_plans to wait, or to force, which "
                "cancels it"
            )

    def _begin_some(self) -> None:
        """Ask for moves, as many as may be under way."""
        for move in self.moves.values():
            under_way = sum(other.state in (MOVING, LOST) for other in self.moves.values())
            if under_way >= self.options.concurrency:
                return
            if move.state == QUEUED and not move.held and not self._begin(move):
                return

    def _begin(self, move: _Move) -> bool:
        """Ask for the move of a cluster. Return whether the platform can be asked for another one."""
        plan = None
        try:
            if wants_own_plan(self.options):
                answer = self._ask(move.workload, validate_only=True)
                if not answer.accepted or answer.plan is None:
                    self._refused(move, answer)
                    return True
                plan = own_plan(answer.plan, move.workload.kind, self.options)
        except EceError as error:
            return self._no_answer(move, error, sent=False)
        try:
            move.attempts += 1
            answer = self._ask(move.workload, plan=plan)
        except EceError as error:
            return self._no_answer(move, error, sent=may_have_had_effect(error))
        if answer.accepted:
            self.changed = True
            move.become(MOVING)
        elif answer.refusal:
            self._refused(move, answer)
        else:
            move.become(LOST, self._not_mentioned())
        return True

    def _ask(self, workload: Workload, *, validate_only: bool = False, plan: Mapping[str, Any] | None = None) -> Answer:
        """Return the platform's answer to the move of a cluster. Raises EceError."""
        if workload.kind not in MEMBERS:
            return Answer(refusal=f"the platform gives it the kind {workload.kind}, which this version cannot move")
        reply = self.client.move_clusters(
            self.options.allocator_id,
            move_body(workload, plan),
            move_parameters(self.options, self.allocator_down, validate_only),
        )
        return answer_for(reply, workload.cluster_id)

    def _refused(self, move: _Move, answer: Answer) -> None:
        if answer.pending and self.options.pending_plans == "wait":
            move.reason, move.held = answer.refusal or "", True
        elif answer.accepted:
            move.fail("the platform gives no plan for its move that could be changed")
        else:
            move.fail(answer.refusal or self._not_mentioned())

    def _no_answer(self, move: _Move, error: EceError, sent: bool) -> bool:
        """Note an error in place of an answer. Return whether the platform can be asked for another move."""
        if sent:
            self.changed = True  # it may have begun
            move.become(LOST, str(error))
            return False
        if _passes(error):
            move.reason, move.held = str(error), True
            return False
        self._refused(move, Answer(refusal=explained(str(error)), pending=is_pending(str(error))))
        return True

    # -- what came of it -----------------------------------------------------------------------------------------------

    def _explain(self) -> None:
        """Ask the deployments why their clusters are still there, by the logs of their plans."""
        begun = [move for move in self.moves.values() if move.has_begun and move.state in (MOVING, FAILED)]
        for move in begun[:EXPLAINED_MAX] if self.options.wait else ():
            deployment_id = move.workload.deployment_id
            with contextlib.suppress(EceError):
                found = why(self.client.deployment(deployment_id), move.workload.cluster_id) if deployment_id else None
                if found and found not in move.reason:
                    move.reason = f"{move.reason or move.state}; {found}"

    def _counts(self) -> tuple[int, dict[str, int]]:
        states = [move.state for move in self.moves.values()]
        under_way = states.count(MOVING) + states.count(LOST)
        return states.count(MOVED), {
            "moving": under_way,
            "waiting": states.count(QUEUED),
            "failed": states.count(FAILED),
        }

    def _announce(self) -> None:
        """Tell the progress if it has changed, or has not been told for a while."""
        now = self.clock()
        moved, counts = self._counts()
        state = str((moved, len(self.moves), counts))
        if (state, self.trouble) == self.shown and now - self.shown_at < SHOW_SECONDS:
            return
        line = progress(now - self.began, moved, len(self.moves), counts)
        self.tell(f"{line}; no answer: {self.trouble}" if self.trouble else line)
        self.shown, self.shown_at = (state, self.trouble), now

    def _result(self, check_mode: bool = False) -> VacateResult:
        moves = list(self.moves.values())
        there = [move for move in moves if move.state != MOVED]
        # Without waiting, a request that never arrived would be in no list of what went wrong.
        failed = [
            move
            for move in there
            if move.state == FAILED or (not self.options.wait and move.state in (QUEUED, LOST) and move.reason)
        ]
        elapsed = self.clock() - self.began
        incomplete = bool(failed or self.unidentified or (self.options.wait and (there or self.trouble)))
        rows = [move.reason_row() for move in there]
        return {
            "changed": self.changed,
            "failed": incomplete,
            "msg": self._sentence(rows, elapsed, incomplete, check_mode),
            "allocator_id": self.options.allocator_id,
            "moved": [move.workload.row() for move in moves if move.state == MOVED],
            "failures": [move.reason_row() for move in failed],
            "left": rows,
            "elapsed_seconds": round(elapsed, 1),
            "diff": {
                "before": _state(self.maintenance_before, moves),
                "after": _state(self.maintenance, there),
            },
        }

    def _sentence(self, left: list[ReasonRow], elapsed: float, incomplete: bool, check_mode: bool) -> str:
        """Return the outcome in one sentence."""
        allocator, total = f"allocator {self.options.allocator_id}", len(self.moves)
        if not total and not self.unidentified:
            return f"{allocator} has nothing to move"
        moved = total - len(left)
        begin = f"{moved} of {total} clusters {'can move' if check_mode else 'moved'} off {allocator}"
        if not check_mode:
            begin += f" in {int(elapsed)} s"
        parts = [begin]
        if left:
            parts.append(f"still on it {'would be' if check_mode else 'are'} {reasons(left)}")
        if self.unidentified:
            parts.append(
                f"{self.unidentified} of its instances have no id of a cluster, so their moves cannot be asked for"
            )
        if incomplete and self.trouble:
            parts.append(f"the last question about it had no answer: {self.trouble}")
        return one_line("; ".join(parts))

    def _not_mentioned(self) -> str:
        return "the answer of the platform does not mention it"

    def _says_nothing(self) -> str:
        return (
            f"GET allocator {self.options.allocator_id} at {self.client.url} answered without the list of its instances"
        )


def _passes(error: EceError) -> bool:
    """Return whether the same request may succeed later, because it is not the API that refuses it."""
    if isinstance(error, EceApiError):
        return error.status in RETRY_STATUS or error.status >= 500 or error.has_code(NOT_READY_CODE)
    return True


def _state(maintenance: bool, moves: list[_Move]) -> Mapping[str, Any]:
    return {"maintenance_mode": maintenance, "clusters": sorted(move.workload.cluster_id for move in moves)}
