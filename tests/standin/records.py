# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records in two views: as they are now, and as the platform's search index has them, which lags.

The real product answers lists from a search index and single objects from its own state. A client that writes and then lists
sees the past; this class is that trap. Records are immutable, so a view of the past is a look at older records.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Record = TypeVar("Record")


class Records(Generic[Record]):
    """Not thread-safe: the platform's lock is held by whoever calls."""

    def __init__(self, now: Callable[[], float], lag: Callable[[], float]) -> None:
        self._now = now
        self._lag = lag
        self._current: dict[str, Record] = {}
        self._indexed: dict[str, Record] = {}
        self._waiting: deque[tuple[float, str, Record | None]] = deque()
        self._sorted: list[Record] | None = None

    def put(self, key: str, record: Record) -> None:
        self._current[key] = record
        self._waiting.append((self._now(), key, record))

    def drop(self, key: str) -> None:
        if self._current.pop(key, None) is not None:
            self._waiting.append((self._now(), key, None))

    def get(self, key: str) -> Record | None:
        return self._current.get(key)

    def __contains__(self, key: str) -> bool:
        return key in self._current

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._current.values()))

    def __len__(self) -> int:
        return len(self._current)

    def indexed(self) -> list[Record]:
        """What the index knows, in the order of the keys."""
        horizon = self._now() - self._lag()
        while self._waiting and self._waiting[0][0] <= horizon:
            _time, key, record = self._waiting.popleft()
            if record is None:
                self._indexed.pop(key, None)
            else:
                self._indexed[key] = record
            self._sorted = None
        if self._sorted is None:
            self._sorted = [self._indexed[key] for key in sorted(self._indexed)]
        return self._sorted

    def forget_lag(self) -> None:
        """Index everything at once, for a platform that has existed for long."""
        self._waiting.clear()
        self._indexed = dict(self._current)
        self._sorted = None
