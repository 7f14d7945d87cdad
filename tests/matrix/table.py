# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the sessions of a report of nox ended, as a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.matrix.versions import host_pythons

KINDS = ("units", "sanity", "join")
ENDINGS = {"success": "ok", "skipped": "missing"}
HEADER = ("ansible-core", "Python", *KINDS, "hosts that join")
NOT_RUN = "-"


def table(sessions: Sequence[Mapping[str, Any]], find: Callable[[str], str | None]) -> list[str]:
    """Return a line for each ansible-core and Python, and a line on Pythons that are missing.

    sessions: those of the report. find: returns the path of a Python of this machine, or None.
    """
    ended = {(core_of(session), python_of(session), session["name"]): word(session) for session in sessions}
    cells = list(dict.fromkeys((core, python) for core, python, _name in ended))
    rows = [
        (core, python, *(ended.get((core, python, kind), NOT_RUN) for kind in KINDS), hosts(core, find))
        for core, python in sorted(cells, key=lambda cell: [number(part) for part in cell])
    ]
    missing = {python for core, python in cells if "missing" in {ended.get((core, python, kind)) for kind in KINDS}}
    missing |= {python for core, _python in cells for python in host_pythons(core) if not find(python)}
    found = f"missing Pythons: {', '.join(sorted(missing, key=number)) or 'none'}"
    return [*aligned([HEADER, *rows]), found]


def word(session: Mapping[str, Any]) -> str:
    """Return how a session ended: ok, missing or failed."""
    return ENDINGS.get(session["result"], "failed")


def core_of(session: Mapping[str, Any]) -> str:
    """Return the ansible-core of a session."""
    return str(session["args"]["core"])


def python_of(session: Mapping[str, Any]) -> str:
    """Return the Python of a session, which nox has in its signature alone, like units(python='3.11', core='2.16')."""
    found = re.search(r"python='([\d.]+)'", session["signatures"][0])
    assert found
    return found[1]


def hosts(core: str, find: Callable[[str], str | None]) -> str:
    """Return the Pythons of the hosts that join, of which some may be missing."""
    return ", ".join(python if find(python) else f"({python} missing)" for python in host_pythons(core))


def number(version: str) -> list[int]:
    """Return a version as numbers, to sort by."""
    return [int(part) for part in version.split(".")]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with columns of equal width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
