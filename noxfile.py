# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests with each supported ansible-core on the Pythons that it runs on. `make matrix` runs all of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from tests.interpreters import search_path  # noqa: E402
from tests.matrix.versions import CELLS, requirement  # noqa: E402

COLLECTIONS = Path(os.environ.get("ECE_COLLECTIONS_PATH", ROOT / "build" / "collections"))
INSTALLED = COLLECTIONS / "ansible_collections" / "ece" / "platform"

nox.options.envdir = str(ROOT / "build" / "nox")
nox.options.reuse_existing_virtualenvs = True
nox.options.download_python = "never"
os.environ["PATH"] = search_path()

each_cell = nox.parametrize(("python", "core"), CELLS)


def run_pytest(session: nox.Session, core: str, *arguments: str) -> None:
    """Install ansible-core with what tests need, and run tests with it."""
    session.install(requirement(core), "-r", "tests/requirements-units.txt")
    environment = {
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ECE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(ROOT / "build" / "ansible"),
    }
    session.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, *session.posargs, env=environment)


@nox.session
@each_cell
def units(session: nox.Session, core: str) -> None:
    """Run the unit tests."""
    run_pytest(session, core, "-n", "2", "tests/unit")


@nox.session
@each_cell
def join(session: nox.Session, core: str) -> None:
    """Join three hosts that have different Pythons."""
    run_pytest(session, core, "tests/integration/test_host_pythons.py", "-k", "core")


@nox.session
@each_cell
def sanity(session: nox.Session, core: str) -> None:
    """Run ansible-test sanity with the Python of the session."""
    session.install(requirement(core))
    home = ROOT / "build" / f"home-{core}"
    session.run("python", "-m", "tests.sanity.run", str(INSTALLED), str(home), "--python", str(session.python))
