# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/faults.md, made of the tests themselves: python -m tests.faults_table [FILE TO WRITE]"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from tests.integration.faults import ALL, FAULTS, NOTHING, Fault

MOLECULE_CASES = Path(__file__).resolve().parents[1] / "extensions" / "molecule" / "faults" / "cases.yml"
HEAD = """# Faults

What can go wrong, what the run says then, and how it ends. Each row is a test of that name: the upper table's are in `tests/integration/faults.py`,
with two new hosts against the stand-in; the lower one's in `extensions/molecule/faults/cases.yml`, on hosts that boot, over SSH. This page is made of
them by `make faults`, and a test holds it to them.

Of every row three things are tested: the exit code and the sentence; what is true afterwards, which is who has joined, what was begun on the others, and the
tokens; and that the same command again, with the fault gone, ends with 0, each host joined. The token is a persistent one where nothing else is said, and
afterwards none that the run has made is live; in the upper table one that somebody else had made before is still there. Secrets are searched for in all output,
logs, files and processes after each run of the upper table, and in the midst and at the end of the lower one's (see
[security.md](security.md)). What the last column says after a semicolon tells why; not each word of it is asserted.

## Platform and operator

| name | what goes wrong | exit | what the run says | afterwards |
|---|---|---|---|---|
"""
HOSTS = """
## Hosts

| name | what goes wrong | exit | what the run says | afterwards |
|---|---|---|---|---|
"""
EXIT = {"ok": "0", "failed": "not 0"}
JOINED = {
    ALL: "both hosts have joined",
    NOTHING: "no host has joined",
    ("b",): "the other host has joined",
    ("a",): "that host has joined",
}


def row(name: str, what: str, rc: str, says: str, afterwards: str) -> str:
    cells = (f"`{name}`", what, EXIT[rc], says, afterwards)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |\n"


def of_fault(fault: Fault) -> str:
    return row(
        fault.name,
        fault.what,
        fault.rc,
        fault.says,
        "; ".join(part for part in (JOINED[tuple(fault.joined)], fault.after) if part),
    )


def page() -> str:
    cases = yaml.safe_load(MOLECULE_CASES.read_text(encoding="utf-8"))
    hosts = [row(*(case[key] for key in ("name", "what", "rc", "says", "afterwards"))) for case in cases]
    return HEAD + "".join(map(of_fault, FAULTS)) + HOSTS + "".join(hosts)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")
