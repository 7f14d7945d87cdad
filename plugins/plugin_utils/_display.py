# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What the operator sees: times, durations and the table at the end."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.ece.platform.plugins.module_utils._text import one_line


def clock(seconds: float) -> str:
    """4:41, as at the start of a progress line"""
    return "{0}:{1:02d}".format(*divmod(int(seconds), 60))


def duration(seconds: float | None) -> str:
    """10s, 4m31s, - for none"""
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(round(seconds)), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The end of a run: host, zone, verdict, install, connect, memory, and a note where there is one."""
    lines = [("host", "zone", "verdict", "install", "connect", "memory", "")]
    for row in rows:
        memory = row.get("memory_mb")
        lines.append(
            (
                row["host"],
                one_line(row.get("zone") or "-"),
                row["verdict"],
                duration(row.get("install_seconds")),
                duration(row.get("connect_seconds")),
                f"{round(memory / 1024)} GB" if memory else "-",
                row.get("note") or "",
            )
        )
    widths = [max(len(str(line[column])) for line in lines) for column in range(6)]
    return [
        "  ".join(
            [str(line[0]).ljust(widths[0]), str(line[1]).ljust(widths[1]), str(line[2]).ljust(widths[2])]
            + [str(line[column]).rjust(widths[column]) for column in (3, 4, 5)]
            + [str(line[6])]
        ).rstrip()
        for line in lines
    ]
