# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests pass whatever the user who runs them has set."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.hostile import HOSTILE
from tests.integration.operator import ROOT

# They start programs of Ansible, git and make with the environment of the session, or with one of their own.
TESTS = (
    "tests/docs/test_files.py::test_an_inventory_is_read_and_has_variables_of_the_role",
    "tests/galaxy/test_tarball.py::test_the_tarball_has_all_files_for_users_and_no_others",
    "tests/galaxy/test_release.py::test_a_missing_version_is_refused",
    "tests/integration/test_verdicts.py::test_a_running_installer_is_waited_for",
)
ANSIBLE_CFG = "[defaults]\nstdout_callback = nowhere\ninventory = /proc/nowhere\n"
GITCONFIG = "[commit]\ngpgSign = true\n[core]\nhooksPath = /proc/nowhere\nexcludesFile = /proc/nowhere\n"


@pytest.mark.parametrize("unbuffered", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_tests_pass_whatever_the_user_has_set(tmp_path, unbuffered):
    (tmp_path / ".ansible.cfg").write_text(ANSIBLE_CFG, encoding="utf-8")
    (tmp_path / ".gitconfig").write_text(GITCONFIG, encoding="utf-8")
    # Python itself reads PYTHONPATH, before any test.
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON", "GIT_"))}
    hostile = {name: value for name, value in HOSTILE.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS],
        cwd=ROOT,
        env={**own, **hostile, **unbuffered, "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0 and " passed" in done.stdout and "skipped" not in done.stdout, done.stdout
