# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Galaxy would import the tarball: galaxy-importer, which Galaxy runs on each upload, has no error and no warning."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.galaxy.conftest import CHECKOUT, build, copy_checkout

TOOLS = Path(os.environ.get("ECE_GALAXY_TOOLS", CHECKOUT / ".venv" / "galaxy" / "bin"))
SETTINGS = Path(__file__).with_name("galaxy-importer.cfg")


def import_tarball(tarball, folder, **settings):
    """Return whether galaxy-importer imports a tarball, what it complains about, and all of its output."""
    done = subprocess.run(
        [TOOLS / "python", "-m", "galaxy_importer.main", tarball],
        cwd=folder,
        env={
            "GALAXY_IMPORTER_CONFIG": str(SETTINGS),
            **{f"GALAXY_IMPORTER_{name}": value for name, value in settings.items()},
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{TOOLS}:{os.environ['PATH']}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    complaints = [line for line in done.stdout.splitlines() if re.match("WARNING|ERROR|CRITICAL|Traceback", line)]
    return done.returncode == 0, complaints, done.stdout


def test_galaxy_imports_the_tarball_without_error_or_warning(tarball, tmp_path):
    imported, complaints, output = import_tarball(tarball, tmp_path)
    assert complaints == []
    assert imported and "Importer processing completed successfully" in output
    for part in ("Getting doc strings via ansible-doc", "ansible-lint run complete", "Loading role ece_host"):
        assert part in output


# The others need not load documentation again.
LINT_ONLY = {"RUN_ANSIBLE_DOC": "false"}


@pytest.fixture
def damaged(tmp_path):
    """Return a copy of the checkout to damage."""
    return copy_checkout(tmp_path / "damaged")


def test_a_role_without_a_readme_would_be_found(damaged, tmp_path):
    (damaged / "roles" / "ece_host" / "README.md").unlink()
    imported, complaints, _ = import_tarball(build(damaged, tmp_path / "tarball"), tmp_path, **LINT_ONLY)
    assert not imported
    assert any("No role readme found" in complaint for complaint in complaints)


def test_what_ansible_lint_finds_would_be_found(damaged, tmp_path):
    (damaged / "playbooks" / "unnamed.yml").write_text("---\n- hosts: all\n  tasks:\n    - command: ls\n")
    _, complaints, _ = import_tarball(build(damaged, tmp_path / "tarball"), tmp_path, **LINT_ONLY)
    assert any("name[play]" in complaint for complaint in complaints)
