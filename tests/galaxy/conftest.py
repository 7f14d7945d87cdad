# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the checkout, as git sees them, and what `ansible-galaxy` builds of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def tracked() -> list[str]:
    """Return the names of all files that git has or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    ).stdout
    return sorted(name for name in set(listed.split("\0")) if name and (CHECKOUT / name).is_file())


def copy_checkout(folder: Path) -> Path:
    """Copy these files into a folder, and return it."""
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / name, folder / name, follow_symlinks=False)
    return folder


def build(source: Path, into: Path) -> Path:
    """Build the collection in a folder; return the tarball."""
    command = [str(Path(sys.executable).with_name("ansible-galaxy")), "collection", "build", "--output-path", str(into)]
    subprocess.run(command, cwd=source, capture_output=True, check=True, env={**os.environ, "ANSIBLE_HOME": str(into)})
    (tarball,) = into.glob("*.tar.gz")
    return tarball


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tarball of the checkout, built where caches, environments and builds are."""
    return build(CHECKOUT, tmp_path_factory.mktemp("tarball"))
