# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the machine has, and what other programs do on it, does not change a result of the tests."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from tests.hostile import HOSTILE
from tests.integration.operator import Operator
from tests.machine import of_a_session, without_settings
from tests.standin import StandIn
from tests.standin.hosts import install_user
from tests.unit.standin.standin_helpers import Client, Installer


def test_temporary_files_of_a_session_are_in_a_folder_of_its_own_that_every_user_may_write_to():
    folder = Path(tempfile.gettempdir())
    assert folder.name.startswith("ece-tests-") and os.environ["TMPDIR"] == str(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o1777


def test_a_play_has_a_temporary_folder_of_its_own_and_no_setting_of_the_machine(monkeypatch, tmp_path):
    hostile = {**HOSTILE, "PYTHONUNBUFFERED": "1", "TMPDIR": "/proc/nowhere"}
    with StandIn() as ece:
        for name, value in hostile.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HARMLESS", "kept")
        operator = Operator(ece, tmp_path, tmp_path)
        environment = operator.play_environment()
    assert not [name for name, value in hostile.items() if environment.get(name) == value]
    assert environment["HARMLESS"] == "kept"
    assert Path(environment["ANSIBLE_CONFIG"]).read_bytes() == b""
    assert environment["TMPDIR"] == environment["ANSIBLE_SYSTEM_TMPDIRS"] == str(operator.temporary)
    assert operator.temporary.parent == Path(tempfile.tempdir)


def test_a_session_has_no_setting_of_the_machine_but_those_of_the_tests_and_of_downloads():
    kept = {"ECE_OLDEST_CORE": "/oldest", "ECE_TEST_RELEASE": "trixie", "PIP_INDEX_URL": "https://pip.example.com"}
    network = {name: HOSTILE[name] for name in ("HTTPS_PROXY", "all_proxy", "SSL_CERT_FILE")}
    found = of_a_session({**HOSTILE, **kept})
    assert {**kept, **network}.items() <= found.items()
    assert not [
        name for name in HOSTILE if name.startswith(("ANSIBLE", "ECE", "CONTR", "MAKE", "PYTHON")) and name in found
    ]
    assert not network.keys() & without_settings(found).keys()


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_host_joins_with_any_umask(mask):
    """The install user reads what the test's user writes."""
    before = os.umask(mask)
    try:
        with StandIn(install_seconds=0) as ece:
            ece.add_host("h", "10.9.0.1")
            done = Installer(ece).join("h", Client(ece).token("allocator"))
            assert done.returncode == 0, (install_user().pw_name, done.stderr)
    finally:
        os.umask(before)
