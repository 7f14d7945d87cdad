# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make docs/faults.md of the tests themselves: python -m tests.faults_table [FILE TO WRITE]"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from tests.integration.scenarios import SCENARIOS

MOLECULE_CASES = Path(__file__).resolve().parents[1] / "extensions" / "molecule" / "faults" / "cases.yml"
COLUMNS = """
| name | what goes wrong | exit code | what the run prints | afterwards |
|---|---|---|---|---|
"""
HEAD = f"""# Faults

This page lists what can go wrong, what the run prints in that case, and how it ends. Each row is a test of that name.
The first table is made of `tests/integration/scenarios`, where two new hosts join a stand-in of the platform. The
second table is made of `extensions/molecule/faults/cases.yml`, where hosts that boot are reached over SSH.
`make tables` writes this page, and a test fails when it is out of date.

Each test asserts three things:

- The first run ends with this exit code and prints this text.
- Afterwards the hosts, the platform and the enrollment tokens are as the last column states: which hosts have joined,
  and whether anything was started on the others. No token of the run is left. In the first table, a token that is not
  the run's still exists.
- Once the fault is gone, the same command ends with exit code 0 and all hosts have joined.

Tokens are persistent unless a row states otherwise. Each test also searches for secrets in all output, logs, files and
processes: in the first table after each run, in the second table during the first run and after the last one (see
[security.md](security.md)). The explanations in the last column, after the first semicolon, are not asserted literally.

## Platform and operator
{COLUMNS}"""
HOSTS = f"""
## Hosts
{COLUMNS}"""


def row(*, name: str, what: str, succeeds: bool, message: str, afterwards: str) -> str:
    """Return a row of a table."""
    cells = (f"`{name}`", what, "0" if succeeds else "not 0", message, afterwards)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |\n"


def scenario_rows() -> list[str]:
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


def case_rows() -> list[str]:
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
    return "".join([HEAD, *scenario_rows(), HOSTS, *case_rows()])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")
