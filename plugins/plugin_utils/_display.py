# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What the operator sees while the role runs: single lines, progress, and the table at the end."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible.utils.display import Display

from ansible_collections.ece.platform.plugins.module_utils._text import one_line

_display = Display()


def show(line: str, *, error: bool = False) -> None:
    """Print a line at once, instead of at the end of the task."""
    _display.display("  " + line, color="red" if error else None)


def warn(sentence: str) -> None:
    """Print a warning at once. Ansible does not show those in the result of a task with no_log."""
    _display.warning(sentence)


def clock(seconds: float) -> str:
    """Return minutes and seconds for the start of a progress line: 4:41"""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


def duration(seconds: float | None) -> str:
    """Return a duration for the table: 10s, 4m31s, or - for None"""
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(round(seconds)), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


HEADER = ("host", "zone", "verdict", "install", "connect", "memory", "")
# install, connect and memory
RIGHT_ALIGNED = (3, 4, 5)


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of the final table, one per HostRow."""
    lines = [HEADER, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    return ["  ".join(_align(line, widths)).rstrip() for line in lines]


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    memory_mb = row.get("memory_mb")
    return (
        str(row["host"]),
        one_line(row.get("zone") or "-"),
        str(row["verdict"]),
        duration(row.get("install_seconds")),
        duration(row.get("connect_seconds")),
        f"{round(memory_mb / 1024)} GB" if memory_mb else "-",
        str(row.get("note") or ""),
    )


def _align(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if column in RIGHT_ALIGNED else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths))
    ]
