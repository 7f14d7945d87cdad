# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the collection against the stand-in with a fleet of hosts, and print one table: python -m tests.bench"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import answers, inventory, join, machines, plan, prepare, resume, watch
from tests.bench.operator import Operator
from tests.bench.table import Row, document, lines

SECTIONS: dict[str, Callable[[Operator, int], list[Row]]] = {
    "plan": plan.measure,
    "join": join.measure,
    "prepare": prepare.measure,
    "watch": watch.measure,
    "answers": answers.measure,
    "resume": resume.measure,
    "inventory": inventory.measure,
}


def main() -> int:
    """Measure the chosen sections; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--fleet", type=int, default=1000, help="number of joined hosts of the platform, from which other sizes follow"
    )
    parser.add_argument(
        "--only",
        choices=sorted(SECTIONS),
        action="append",
        help="measure only this section; may be given more than once",
    )
    parser.add_argument(
        "--write", metavar="FILE", help="write the table and the machine's description to this page of the site"
    )
    options = parser.parse_args()
    chosen = options.only or list(SECTIONS)
    for section in ("join", "prepare"):
        if section in chosen and not machines.available():
            print(f"the section {section} is skipped: its hosts need root and Podman", file=sys.stderr)
            chosen.remove(section)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="ece-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # an unprivileged user runs the installers in it
        for section in chosen:
            print(f"measuring: {section}", file=sys.stderr, flush=True)
            measured = SECTIONS[section](Operator(folder / section), options.fleet)
            print("\n".join(lines(measured)), file=sys.stderr, flush=True)
            rows += measured
    print("\n".join(lines(rows)))
    if options.write:
        Path(options.write).write_text(document(rows, options.fleet), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
