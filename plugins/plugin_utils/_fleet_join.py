# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What a join leaves for the report on the fleet: how its hosts ended, and when. Batches and plans of a run add up."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._plan import KnownHost
from ansible_collections.ece.platform.plugins.plugin_utils._fleet import report_of
from ansible_collections.ece.platform.plugins.plugin_utils._fleet_files import files_of, publish
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


def no_report(error: Exception) -> str:
    """Return the warning where the report cannot be made. The join itself has not failed then."""
    return f"there is no fleet report of this run: {error}"


def publish_joined(
    path: str, platform: Mapping[str, Any], known: Mapping[str, KnownHost], client: EceClient, check_mode: bool
) -> tuple[bool, list[str]]:
    """Write the report of a run that has nothing to join, of what its plan has read.

    Return whether it has changed, and warnings.
    """
    report = report_of(
        platform,
        [host["runner"] for host in known.values() if "runner" in host],
        [host["allocator"] for host in known.values() if "allocator" in host],
        url=client.url,
        made_at=time.time(),
        warnings=client.warnings,
    )
    try:
        return publish(report, files_of(path), check_mode=check_mode)["changed"], []
    except OptionError as error:
        return False, [no_report(error)]
