# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What the operator sees while the role runs: single lines, progress, and the table at the end."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Collection, Mapping, Sequence

from ansible import constants as C
from ansible import context
from ansible.plugins.callback import default
from ansible.plugins.loader import callback_loader
from ansible.utils.display import Display

from ansible_collections.ece.platform.plugins.module_utils._text import one_line, plain

_display = Display()
TASK_START = "v2_playbook_on_task_start"


def show(line: str, *, error: bool = False, indent: str = "  ") -> None:
    """Print a line at once, instead of at the end of the task."""
    to_stderr = owns_stdout(stdout_callback())
    call_display("display", indent + plain(line), color="red" if error else None, stderr=to_stderr)


def stdout_callback() -> str:
    """Return the name of the callback that prints this run."""
    chosen = str(C.DEFAULT_STDOUT_CALLBACK)
    if "start_at_task" in context.CLIARGS or (C.DEFAULT_LOAD_CALLBACK_PLUGINS and chosen != "default"):
        return chosen
    return "minimal"  # the commands ansible and ansible-console, which only a playbook's options tell apart


@functools.lru_cache(maxsize=None)
def owns_stdout(callback: str) -> bool:
    """Return whether the output of a callback has a form of its own, as json has, which another line would break.

    Callbacks for people, such as yaml and the one of AWX, print the start of a task as Ansible's default does, to which
    they may add. Some build on the default and do not, such as dense, which moves the cursor.
    """
    found = callback_loader.get(callback, class_only=True)
    return found is not None and not _starts_tasks_as_default(found)


def _starts_tasks_as_default(callback: type) -> bool:
    for part in inspect.getmro(callback):
        if part is default.CallbackModule:
            return True
        method = vars(part).get(TASK_START)
        code = getattr(inspect.unwrap(method), "__code__", None) if method else None
        if code and TASK_START not in code.co_names:  # it does not call the method of the class that it builds on
            return False
    return False


def call_display(method: str, *arguments: Any, **keywords: Any) -> None:
    """Call a method of Ansible's Display in the process that owns the screen.

    A worker sends the call, past the method itself: ansible-runner has wrapped it, and the wrapper writes to the output
    of the process that it runs in, or waits for a lock.
    """
    queue = getattr(_display, "_final_q", None)
    if queue:
        queue.send_display(method, *arguments, **keywords)
    else:
        getattr(_display, method)(*arguments, **keywords)


def warn(sentence: str) -> None:
    """Print a warning at once. Ansible does not show those in the result of a task with no_log."""
    call_display("warning", sentence)


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
    return columns([HEADER, *map(_cells, rows)], RIGHT_ALIGNED)


def columns(lines: Sequence[Sequence[str]], right_aligned: Collection[int]) -> list[str]:
    """Return lines of cells as text in columns. The first line is the header."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return ["  ".join(_align(line, widths, right_aligned)).rstrip() for line in lines]


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


def _align(cells: Sequence[str], widths: Sequence[int], right_aligned: Collection[int]) -> list[str]:
    return [
        cell.rjust(width) if column in right_aligned else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths))
    ]
