# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Polls the platform for all waiting hosts at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.ece.platform.plugins.module_utils import _client as api
from ansible_collections.ece.platform.plugins.module_utils._lookup import add_single_hosts
from ansible_collections.ece.platform.plugins.module_utils._plan import KnownHost, known_hosts
from ansible_collections.ece.platform.plugins.module_utils._records import platform_totals

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


class PlatformPoller(threading.Thread):
    """Asks the platform once per interval, in a thread, so that a slow coordinator does not delay a failed installer.

    The interval starts short, because a failed check ends an installer within seconds, and grows to the given one. A
    coordinator that takes longer to answer gets as long a pause.
    """

    def __init__(self, client: api.EceClient, interval: float) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._interval = interval
        self._pause = min(FIRST_INTERVAL_SECONDS, interval)
        self._over = False
        self._single: Sequence[str] = ()
        self._wake = threading.Event()
        self._latest = Answer("the platform has not answered yet")
        self.start()

    def run(self) -> None:
        while not self._over:
            self._wake.clear()
            began = time.monotonic()
            self._latest = self._ask()
            self._wake.wait(max(self._pause, time.monotonic() - began))
            self._pause = min(self._pause * INTERVAL_GROWTH, self._interval)

    def _ask(self) -> Answer:
        try:
            totals = platform_totals(self._client.platform())
            known = known_hosts(self._client.runners(), self._client.iter_allocators(totals["allocators"]))
            single = frozenset(self._single)
            add_single_hosts(self._client, known, single)
        except api.EceError as error:
            return Answer(f"the platform cannot be asked: {error}")
        except Exception as error:  # installers are running, and the next answer may be better
            return Answer(f"the platform cannot be asked: an answer that cannot be read ({type(error).__name__})")
        return Answer(None, known, single=single)

    def latest(self) -> Answer:
        """Return the latest answer, or an error where it is out of date."""
        answer = self._latest
        age = time.monotonic() - answer.asked_at
        if answer.error is None and age > self._interval + STALE_SECONDS:
            return Answer(f"the platform has not answered for {age:.0f} s", {}, answer.asked_at)
        return answer

    def ask_for(self, ids: Sequence[str]) -> None:
        """Ask for these hosts one by one from now on, if they are many for the first ones."""
        self._single = ids[:SINGLE_HOSTS_MAX]

    def reset_interval(self) -> None:
        """Start with the short interval again, because a host is about to connect."""
        self._pause = min(FIRST_INTERVAL_SECONDS, self._interval)
        self._wake.set()

    def stop(self) -> None:
        """Ask no further request."""
        self._over = True
        self._wake.set()
