# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A store of records with a search index that lags behind it. Part of the platform layer; it knows nothing of ECE.

The real product answers lists from a search index and single objects from its own state, so a client that writes and
then lists sees the past. This class does the same. Records are immutable, so the index keeps older records.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Record = TypeVar("Record")


class Store(Generic[Record]):
    """Records by key, as they are now and as they were `lag` seconds ago.

    Not thread-safe: the caller holds the platform's lock.
    """

    def __init__(self, now: Callable[[], float], lag: Callable[[], float]) -> None:
        self._now = now
        self._lag = lag
        self._current: dict[str, Record] = {}
        self._indexed: dict[str, Record] = {}
        self._waiting: deque[tuple[float, str, Record | None]] = deque()
        self._sorted: list[Record] | None = None

    def put(self, key: str, record: Record) -> None:
        """Add a record, or replace the one with this key."""
        self._current[key] = record
        self._waiting.append((self._now(), key, record))

    def drop(self, key: str) -> None:
        """Remove the record with this key, if there is one."""
        if self._current.pop(key, None) is not None:
            self._waiting.append((self._now(), key, None))

    def get(self, key: str) -> Record | None:
        """Return the current record, or None."""
        return self._current.get(key)

    def __contains__(self, key: str) -> bool:
        return key in self._current

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._current.values()))

    def __len__(self) -> int:
        return len(self._current)

    def indexed(self) -> list[Record]:
        """Return the records that the index has, in the order of their keys."""
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

    def index_now(self) -> None:
        """Index every record at once, for a platform that has existed for long."""
        self._waiting.clear()
        self._indexed = dict(self._current)
        self._sorted = None
