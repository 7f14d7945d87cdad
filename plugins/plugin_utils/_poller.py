# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Polls the platform for all waiting hosts at once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Iterable, Sequence

from ansible_collections.ece.platform.plugins.module_utils import _client as api
from ansible_collections.ece.platform.plugins.module_utils._lookup import add_single_hosts
from ansible_collections.ece.platform.plugins.module_utils._plan import KnownHost, known_hosts
from ansible_collections.ece.platform.plugins.plugin_utils._children import Child

FIRST_INTERVAL_SECONDS = 1
INTERVAL_GROWTH = 1.2
# An answer that is older than the interval and this is out of date: the next request hangs.
STALE_SECONDS = 60
# How many hosts are asked for one by one in a question.
SINGLE_HOSTS_MAX = 20


@dataclass(frozen=True)
class Answer:
    """What the platform last answered, and when, by the monotonic clock."""

    error: str | None
    known: dict[str, KnownHost] = field(default_factory=dict)
    asked_at: float = field(default_factory=time.monotonic)
    # Ids that were asked for one by one.
    single: frozenset[str] = frozenset()
    # All warnings of the client so far.
    warnings: Sequence[str] = ()


class PlatformPoller:
    """Asks the platform once per interval, in a process of its own, so that a slow coordinator delays nothing else.

    The interval starts short, because a failed check ends an installer within seconds, and grows to the given one. A
    coordinator that takes longer to answer gets as long a pause.
    """

    def __init__(self, client: api.EceClient, wanted: Iterable[str], allocators: int | None, interval: float) -> None:
        """wanted: ids of the hosts that answers are about. allocators: how many the platform had, if it is known."""
        self._polls = _Polls(client, frozenset(wanted), allocators, interval)
        self._interval = interval
        self._child: Child | None = None
        self._single: list[str] = []
        self._latest = Answer("the platform has not answered yet")

    def latest(self) -> Answer:
        """Return the latest answer, or an error where it is out of date."""
        try:
            self._receive()
        except OSError as error:  # there may not be another process now
            return Answer(f"the platform cannot be asked: {error.strerror}", {}, self._latest.asked_at)
        age = time.monotonic() - self._latest.asked_at
        if self._latest.error is None and age > self._interval + STALE_SECONDS:
            return Answer(f"the platform has not answered for {age:.0f} s", {}, self._latest.asked_at)
        return self._latest

    def _receive(self) -> None:
        """Take the answers that have arrived. Raises OSError where the process that asks cannot be started."""
        if self._child is None:
            self._child = Child(self._polls.run)
        try:
            while self._child.connection.poll():
                self._latest = self._child.connection.recv()
        except (EOFError, OSError):  # it was killed, and the next call starts it again
            self.stop()

    def ask_for(self, ids: Sequence[str]) -> None:
        """Ask for these hosts one by one from now on, if they are many for the first ones."""
        wanted = list(ids[:SINGLE_HOSTS_MAX])
        if wanted != self._single:
            self._single = wanted
            self._tell(wanted)

    def reset_interval(self) -> None:
        """Start with the short interval again, because a host is about to connect."""
        self._tell(None)

    def _tell(self, message: list[str] | None) -> None:
        """Send ids to ask for one by one, or None for the short interval, to the process that asks."""
        if self._child is not None:
            try:
                self._child.connection.send(message)
            except OSError:
                self.stop()

    @property
    def warnings(self) -> list[str]:
        """The warnings of the client that asks."""
        return list(self._latest.warnings)

    def stop(self) -> None:
        """Ask no further request."""
        if self._child is not None:
            self._child.end()
            self._child = None


@dataclass(frozen=True)
class _Polls:
    """What the process that asks does."""

    client: api.EceClient
    wanted: frozenset[str]
    allocators: int | None
    interval: float

    def run(self, connection: Connection) -> None:
        """Send answers until this process ends. What arrives is what PlatformPoller sends."""
        pause = min(FIRST_INTERVAL_SECONDS, self.interval)
        single: frozenset[str] = frozenset()
        while True:
            began = time.monotonic()
            connection.send(self._ask(single))
            # Whatever arrives, the platform is asked again soon.
            if connection.poll(max(pause, time.monotonic() - began)):
                pause = min(FIRST_INTERVAL_SECONDS, self.interval)
                while connection.poll():
                    message = connection.recv()
                    single = single if message is None else frozenset(message)
            else:
                pause = min(pause * INTERVAL_GROWTH, self.interval)

    def _ask(self, single: frozenset[str]) -> Answer:
        error, known = None, {}
        try:
            listed = known_hosts(self.client.runners(), self.client.iter_allocators(self.allocators))
            add_single_hosts(self.client, listed, single)
            known = {name: host for name, host in listed.items() if name in self.wanted}
        except api.EceError as problem:
            error = f"the platform cannot be asked: {problem}"
        except Exception as problem:  # installers are running, and the next answer may be better
            error = f"the platform cannot be asked: an answer that cannot be read ({type(problem).__name__})"
        return Answer(error, known, single=single, warnings=tuple(self.client.warnings))
