# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the page on faults from the tests themselves: python -m tests.faults_table"""

from __future__ import annotations

from pathlib import Path

import yaml

from tests import rst
from tests.integration.scenarios import SCENARIOS, removal

PAGE = rst.PAGES / "faults.rst"
MOLECULE_CASES = Path(__file__).resolve().parents[1] / "extensions" / "molecule" / "faults" / "cases.yml"
COLUMNS = ("name", "what goes wrong", "exit code", "what the run prints", "afterwards")
WIDTHS = (15, 20, 7, 30, 28)
HEAD = f"""{rst.title("faults", "Faults")}
This page lists what can go wrong, what the run prints in that case, and how it ends. Each row is tested.
The first table is made of ``tests/integration/scenarios``, where two new hosts join a stand-in of the platform, and the
second one of its file on removals. The last table is made of ``extensions/molecule/faults/cases.yml``, where hosts that
boot are reached over SSH.
``make tables`` writes this page, and a test fails when it is out of date.

Each test asserts three things:

* The first run ends with this exit code and prints this text.
* Afterwards the hosts, the platform and the enrollment tokens are as the last column states: which hosts have joined,
  and whether anything was started on the others. No token of the run is left. In the first table, a token that is not
  the run's still exists.
* Once the fault is gone, the same command ends with exit code 0 and all hosts have joined, or the host is removed.

Most rows are a test of that name. Some rows of one step share a test (``series`` in ``tests/integration/scenarios``).
Where a run ends before it starts anything, the next row follows, and the command ends well after the last row. Where a
run waits for hosts and gets over the fault, it gets the faults of the other rows, too, one after another.

Tokens are persistent unless a row states otherwise. Each test also searches for secrets in all output, logs, files and
processes: in the first two tables after each run, in the last table during the first run and after the last one (see
{rst.reference("security", "Security")}). The explanations in the last column, after the first semicolon, are not
asserted literally.

Platform and operator
---------------------

"""
REMOVAL = """
Removal of a host
-----------------

A host with one instance is removed, and its zone has two more allocators (``tests/integration/scenarios/removal.py``).
The faults that stop a run follow one another on that host: each run goes on from where the last one stopped. The other
faults strike in one run.

"""
HOSTS = """
Hosts
-----

"""


def row(*, name: str, what: str, succeeds: bool, message: str, afterwards: str) -> tuple[str, ...]:
    """Return the cells of a row."""
    return (f"``{name}``", *map(rst.escaped, (what, "0" if succeeds else "not 0", message, afterwards)))


def scenario_rows() -> list[tuple[str, ...]]:
    """Return the rows of the first table."""
    return [
        row(
            name=scenario.name,
            what=scenario.what,
            succeeds=scenario.succeeds,
            message=scenario.message,
            afterwards=scenario.end[0].upper() + scenario.end[1:],
        )
        for scenario in SCENARIOS
    ]


def removal_rows() -> list[tuple[str, ...]]:
    """Return the rows of the table on removals."""
    return [
        row(
            name=fault.name,
            what=fault.what,
            succeeds=not fault.message,
            message=fault.message or removal.REMOVED,
            afterwards=fault.end[0].upper() + fault.end[1:],
        )
        for fault in (*removal.STOPPED, *removal.GOT_OVER)
    ]


def case_rows() -> list[tuple[str, ...]]:
    """Return the rows of the second table."""
    cases = yaml.safe_load(MOLECULE_CASES.read_text(encoding="utf-8"))
    return [
        row(
            name=case["name"],
            what=case["what"],
            succeeds=case["rc"] == "ok",
            message=case["message"],
            afterwards=case["afterwards"],
        )
        for case in cases
    ]


def page() -> str:
    """Return the whole page."""
    tables = [rst.table(COLUMNS, rows, WIDTHS) for rows in (scenario_rows(), removal_rows(), case_rows())]
    return HEAD + tables[0] + REMOVAL + tables[1] + HOSTS + tables[2]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
