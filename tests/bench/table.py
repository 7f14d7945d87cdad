# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of a benchmark, and the page that keeps the last one."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

HEAD = ("what", "hosts", "seconds", "figure", "at most", "requests", "round trips a host", "peak MB")


@dataclass
class Row:
    """One measurement. figure: what C(limit) is about, in words or as a number; empty for what is measured to compare with."""

    what: str
    hosts: int
    seconds: float | None = None
    figure: str = ""
    limit: str = ""
    requests: int | None = None
    round_trips: str = ""
    peak_mb: float | None = None

    def cells(self) -> tuple[str, ...]:
        seconds = "" if self.seconds is None else f"{self.seconds:.1f}"
        peak = "" if self.peak_mb is None else f"{self.peak_mb:.0f}"
        requests = "" if self.requests is None else str(self.requests)
        return (self.what, f"{self.hosts:,}", seconds, self.figure, self.limit, requests, self.round_trips, peak)


def lines(rows: Sequence[Row]) -> list[str]:
    """As a Markdown table whose columns stand one below the other."""
    cells = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    shown = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in cells]
    return [shown[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *shown[1:]]


def machine() -> str:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = ".".join(map(str, sys.version_info[:3]))
    return (
        f"{os.cpu_count()} cores, {memory_gb:.0f} GB of memory, Linux {platform.release().split('-')[0]} on {platform.machine()}, "
        f"Python {python}, ansible-core {version('ansible-core')}"
    )


def document(rows: Sequence[Row], fleet: int) -> str:
    """The page docs/performance.md."""
    return PAGE.format(machine=machine(), fleet=fleet, table="\n".join(lines(rows)))


PAGE = """<!--
Copyright (c) 2026, the ece.platform authors
GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Performance

Written by `make bench FLEET={fleet}`: one run, on one machine that is controller, platform and all hosts at the same time
({machine}).
Only figures of one run can be compared; the ratios are what carries over.

{table}

How to read it:

- `debug` is a play with one `debug` task over the same inventory: what touching every host once costs before any work is done.
- `copy and sleep` is a play that copies the installer and sleeps as long as it takes, with a fork for each host: as fast as installing can be with
  Ansible's own means. `add_allocators` runs with Ansible's default of 5 forks.
- Round trips are sessions that a host's sshd has opened: one asks the host, one starts its installer, and one is held open until that has ended
  (and made anew every 25 seconds). With an interpreter to be discovered, Ansible adds its own.
- Requests are those that the platform saw. A question to it is three of them, and one more for each thousand allocators.
- Peak memory is that of the largest process; for `answers`, what it takes beyond a Python that does nothing.
- In a play of your own, the role costs more for a joined host than the playbook does: Ansible walks over every host of a play for each task of it. From
  ansible-core 2.18 on a joined host leaves the role without a task; before, it skips one.

Nothing of this is checked by the clock in tests; `tests/integration/test_fleet.py` checks the counts: requests, tokens, tasks, lines.
"""
