# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes of what hosts report are those that the code on hosts returns."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys

from ansible_collections.ece.platform.plugins.module_utils import (
    _detached,
    _host_facts,
    _install_files,
    _install_record,
)
from ansible_collections.ece.platform.plugins.module_utils._host_process import find_user
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import (
    FOLLOW_SOURCE,
    HostFacts,
    InstallRecord,
    LastInstall,
)

# Fields that are added when a record is read, and those of a supervisor that failed.
NOT_IN_A_FIRST_RECORD = {"damaged", "stopped_by", "supervisor_error"}


def test_facts(tmp_path):
    options = {
        "user": getpass.getuser(),
        "container_engine": None,
        "bin_paths": [],
        "docker_socket": str(tmp_path / "docker.sock"),
        "storage_path": str(tmp_path),
        "state_path": str(tmp_path / "state"),
        "roles": ["allocator"],
        "host_ip": None,
        "addresses": [],
        "coordinator_host": None,
        "docker_registry": None,
        "controller_time": None,
        "selinux": False,
        "directors": [],
        "skip_checks": [],
    }
    assert set(_host_facts.gather(options)) == set(HostFacts.__annotations__)


def test_last_install():
    record = {"started": 1.0, "finished": 2.0, "rc": 0}
    assert set(_host_facts.last_install(record, False)) == set(LastInstall.__annotations__)


def test_record(tmp_path):
    user = find_user(getpass.getuser())
    job = _detached.Job(
        command=["sleep", "0.1"],
        user=user,
        place=_install_files.places(str(tmp_path), str(tmp_path / "state"))[0],
        storage_path=str(tmp_path),
        token="no-secret",
        token_id="an-id",
        roles=["allocator"],
        timeout=60,
        engine=None,
        bin_paths=[],
        docker_socket="",
    )
    assert _detached.start_detached(job)
    written = _install_record.checked_record(_install_files.follow([job.place], 20))
    assert set(written) == set(InstallRecord.__annotations__) - NOT_IN_A_FIRST_RECORD
    command = [sys.executable, "-c", FOLLOW_SOURCE, str(tmp_path), str(tmp_path / "state"), "0"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})
    read = _install_record.parse_follow(printed.stdout)
    assert set(read) == set(written)
    assert set(InstallRecord.__annotations__) == set(_install_record._FIELDS)
