# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take the collection awx.awx out of a wheel of the package ansible, which holds a hundred others.

collection.py WHEEL FOLDER
"""

from __future__ import annotations

import sys
import zipfile

COLLECTION = "ansible_collections/awx/awx/"


def main(wheel: str, folder: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        members = [name for name in archive.namelist() if name.startswith(COLLECTION)]
        if not members:
            raise SystemExit(f"{wheel} has no {COLLECTION}")
        archive.extractall(folder, members)


if __name__ == "__main__":
    main(*sys.argv[1:])
