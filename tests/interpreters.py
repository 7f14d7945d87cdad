# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Pythons of this machine: those on the search path, and all that pyenv has.

python -m tests.interpreters VERSION...   print the path of the first of these versions that is found
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


def search_path() -> str:
    """Return PATH with pyenv's interpreters instead of its shims, which exist for disabled versions, too."""
    folders = os.environ["PATH"].split(os.pathsep)
    shims = [Path(folder) for folder in folders if folder.endswith("/shims")]
    roots = [Path(os.environ["PYENV_ROOT"])] if os.environ.get("PYENV_ROOT") else []
    roots += [folder.parent for folder in shims]
    found = [folder for root in roots for folder in sorted(root.glob("versions/3*/bin"), key=_newest_first)]
    kept = [folder for folder in folders if Path(folder) not in shims]
    return os.pathsep.join(dict.fromkeys([*kept, *map(str, found)]))


def find_python(version: str) -> str | None:
    """Return the path of a Python with this version, like 3.6, or None."""
    found = shutil.which(f"python{version}", path=search_path())
    if not found:
        return None
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([found, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    return found if answer.decode().strip() == version else None


def _newest_first(folder: Path) -> list[int]:
    return [-int(number) for number in re.findall(r"\d+", folder.parent.name)]


if __name__ == "__main__":
    first = next(filter(None, map(find_python, sys.argv[1:])), None)
    if not first:
        sys.exit(f"no Python {', '.join(sys.argv[1:])} is found on the search path or in pyenv")
    print(first)
