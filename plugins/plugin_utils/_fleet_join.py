# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What a join leaves for the report on the fleet: how its hosts ended, and when. Batches and plans of a run add up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import HostTimes
from ansible_collections.ece.platform.plugins.plugin_utils._run_notes import read_notes, write_notes

_TIMES = "times"
_ROWS = "rows"


def note_times(times: Mapping[str, HostTimes], began: float) -> None:
    """Add when hosts started and connected. times: seconds since the wait began. began: seconds since 1970."""
    noted = read_notes(_TIMES) or {}
    for name, of_host in times.items():
        found = {key: value for key, value in of_host.items() if isinstance(value, (int, float))}
        noted[name] = {key: round(began + value, 1) for key, value in found.items()}
    write_notes(_TIMES, noted)


def times() -> dict[str, Any]:
    """Return the times of all hosts of the run, in seconds since 1970."""
    return read_notes(_TIMES) or {}


def add_rows(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Add how the hosts of a batch ended. Return how all hosts of the run ended that were not joined before."""
    noted = {**(read_notes(_ROWS) or {}), **rows}
    write_notes(_ROWS, noted)
    return noted
