# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the benchmarks, and the page on performance, which has the last one."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from tests import rst
from tests.bench.mirror import MB_A_SECOND

HEAD = ("what", "hosts", "seconds", "figure", "at most", "requests", "round trips a host", "peak MB")


@dataclass
class Row:
    """A measurement. figure: the number or text to which `limit` applies; empty in a row to compare others with."""

    what: str
    hosts: int
    seconds: float | None = None
    figure: str = ""
    limit: str = ""
    requests: int | None = None
    round_trips: str = ""
    peak_mb: float | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the columns."""
        seconds = "" if self.seconds is None else f"{self.seconds:.1f}"
        peak = "" if self.peak_mb is None else f"{self.peak_mb:.0f}"
        requests = "" if self.requests is None else str(self.requests)
        return (self.what, f"{self.hosts:,}", seconds, self.figure, self.limit, requests, self.round_trips, peak)


def lines(rows: Sequence[Row]) -> list[str]:
    """Return the rows as a table of reStructuredText with aligned columns."""
    cells = [HEAD, *(tuple(map(rst.with_options, row.cells())) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    ruler = "  ".join("=" * width for width in widths)
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells]
    return [ruler, shown[0], ruler, *shown[1:], ruler]


def machine() -> str:
    """Return a description of this machine."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = ".".join(map(str, sys.version_info[:3]))
    kernel = platform.release().split("-")[0]
    return (
        f"{os.cpu_count()} cores, {memory_gb:.0f} GB of memory, Linux {kernel} on {platform.machine()}, "
        f"Python {python}, ansible-core {version('ansible-core')}"
    )


def document(rows: Sequence[Row], fleet: int) -> str:
    """Return the page."""
    table = "\n".join(lines(rows))
    return f"""{rst.title("performance", "Performance")}
``make bench FLEET={fleet}`` writes this page. It shows one run on one machine, which is controller, platform and all
hosts at the same time ({machine()}).
Compare only figures of the same run; the ratios apply to other machines, too.

.. rst-class:: cards

{table}

How to read the table:

* ``debug`` is a play with one ``debug`` task for the same inventory: the cost of a task on every host.
* ``copy and sleep`` is a play that copies the installer and sleeps as long as it runs, with a fork for each host: the
  least time in which Ansible can install. ``add_allocators`` runs with Ansible's default of 5 forks.
* Round trips are sessions that a host's sshd opens: one checks the host, one starts its installer, and one stays open
  until the installer has ended (and is opened again every 25 seconds). Ansible adds its own if it has to discover an
  interpreter. More than 32 hosts take turns with sessions that end at once.
* ``bare`` rows prepare bare machines: containers with an empty disk, which get a real Docker from Debian's packages.
  ``apt`` is a play that only installs the same packages, with the same forks. A mirror on this machine gives
  {MB_A_SECOND} MB a second to each host, which is an assumption. A round trip takes time of the host's processor, for
  sshd, sudo, Python and the module, and here all hosts and the controller share the processors of one machine. Two
  hosts are nearer to machines of their own than twenty are.
* Requests are those that the platform receives. A poll is two requests, and one more for each thousand allocators.
* Peak memory is that of the largest process. For ``answers`` it is the memory beyond that of a Python that does
  nothing.
* In another play, the role costs more for a joined host than the playbook does, because Ansible runs through all hosts
  of a play for each task. From ansible-core 2.18 on a joined host leaves the role without a task; before, it skips one.

No test depends on the clock. ``tests/integration/test_fleet.py`` tests the counts: requests, tokens, tasks and lines.
"""
