# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The class of a scenario, and the helpers that several files of scenarios share."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from tests.integration.operator import Operator, Run

# The two new hosts of every scenario. Host "a" is the one that a scenario about a single host is about.
ADDRESSES = {"a": "192.0.2.1", "b": "192.0.2.2"}
# How often the client repeats a request, and how long it waits for an answer, in seconds.
RETRIES, TIMEOUT = 2, 4
# A text that the run prints when both hosts have joined.
CONNECTED = "2/2 connected"

Undo = Callable[[], None]
Prepare = Callable[[Operator], "Undo | None"]


class Joined(Enum):
    """The hosts that have joined after the first run; the value is the text of the row."""

    BOTH = "both hosts have joined"
    A = "that host has joined"
    B = "the other host has joined"
    EITHER = "one of the two hosts has joined"
    NONE = "no host has joined"

    def allows(self, names: set[str]) -> bool:
        """Return whether exactly these hosts may have joined."""
        if self is Joined.EITHER:
            return len(names) == 1
        return names == {Joined.BOTH: {"a", "b"}, Joined.A: {"a"}, Joined.B: {"b"}, Joined.NONE: set()}[self]


class Reaches(Enum):
    """How far the first run may get; the value is the text of the row."""

    PLAN = "no token is minted, nothing is started"
    MINT = "nothing is started"
    START = ""


def nothing(_operator: Operator) -> None:
    """Do nothing: the default of the steps that a scenario may leave out."""


def play(operator: Operator) -> Run:
    """Run the playbook to its end."""
    return operator.play("-vvvv", warnings=True)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A fault, and how a run with it has to end: a row of the page on faults, and a test of its name or its series."""

    name: str
    # What goes wrong, as a sentence without a full stop.
    what: str
    # Whether the first run ends with exit code 0, and a text that it prints.
    succeeds: bool = False
    message: str
    joined: Joined = Joined.NONE
    reaches: Reaches = Reaches.START
    # The rest of the last column: why it ends like that, and what else holds then.
    afterwards: str = ""
    # Brings the fault about before the first run. It returns what undoes it before the second one, if that is needed.
    prepare: Prepare = nothing
    # The first run.
    run: Callable[[Operator], Run] = play
    # Asserts what `afterwards` promises beyond the other fields.
    check: Callable[[Operator], None] = nothing
    # A text that the second run prints before it fails, and this run. By default the second run brings all hosts in,
    # else the third.
    second_run_fails: str = ""
    second_run: Callable[[Operator], Run] = play
    # Options of the stand-in, and variables of all hosts.
    standin: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    # The token may live for a moment after the run, until the token watchdog has revoked it.
    watchdog_revokes: bool = False
    # Scenarios of one series share a platform: their faults follow one another, and the second run follows the last of
    # them. If they succeed they share the first run, too, which waits for installers until all faults have struck.
    series: str = ""

    @property
    def end(self) -> str:
        """The last column of the row."""
        return "; ".join(part for part in (self.joined.value, self.reaches.value, self.afterwards) if part)


class Named(Protocol):
    """Something that has a name."""

    @property
    def name(self) -> str: ...


@contextlib.contextmanager
def naming(scenario: Named) -> Iterator[None]:
    """Name a scenario that shares its test with others in its error. Raises AssertionError."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"scenario {scenario.name}: {error}") from error


def faulty(**fault: Any) -> Prepare:
    """Return a step that arms a fault of the stand-in. The test fails if no request is struck by it."""

    def prepare(operator: Operator) -> Undo:
        operator.armed.append(operator.ece.fault(**fault))
        return operator.ece.faults.clear

    return prepare


def all_of(*steps: Prepare) -> Prepare:
    """Return a step that takes all these steps; its undo takes them back in reverse order."""

    def prepare(operator: Operator) -> Undo:
        undos = [undo for undo in [step(operator) for step in steps] if undo]

        def undo_all() -> None:
            for undo in reversed(undos):
                undo()

        return undo_all

    return prepare


def host_a(**knobs: Any) -> Callable[[Operator], Undo]:
    """Return a step that gives host "a" these knobs of the stand-in."""

    def prepare(operator: Operator) -> Undo:
        operator.ece.hosts["a"].configure(**knobs)
        return lambda: operator.ece.hosts["a"].configure(**dict.fromkeys(knobs))

    return prepare


def hold_installers(operator: Operator) -> Undo:
    """Let no installer go on, on any host that there is, and return what lets them go on."""
    hold = operator.ece.directory / "hold"
    hold.touch()
    for host in operator.ece.hosts.values():
        host.configure(hold=hold)
    return lambda: hold.unlink(missing_ok=True)


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until the condition is true. Raises TimeoutError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the condition did not become true within {seconds} s")
        time.sleep(0.05)
