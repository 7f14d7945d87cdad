# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the sessions of noxfile.py, and print how they ended as a table. Options are those of nox.

python -m tests.matrix [--session NAME ...] [--error-on-missing-interpreters]
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.interpreters import find_python
from tests.matrix.table import table

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "build" / "matrix.json"


def main(options: list[str]) -> int:
    """Return the exit code of nox, which is not 0 where a session failed."""
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.unlink(missing_ok=True)
    command = [sys.executable, "-m", "nox", "--no-error-on-missing-interpreters", "--report", str(REPORT), *options]
    rc = subprocess.run(command, cwd=ROOT, check=False).returncode
    if REPORT.exists():
        print("", *table(json.loads(REPORT.read_text(encoding="utf-8"))["sessions"], find_python), sep="\n")
    return rc


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
