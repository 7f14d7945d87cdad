# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of tasks: that of the user, and those of control groups of both versions."""

from __future__ import annotations

import os

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils import _limits
from ansible_collections.ece.platform.plugins.plugin_utils._limits import RESERVED, UNLIMITED, tasks_left


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Make the files of a machine, by path. The user has no limit unless one is given."""

    def make(files, user_limit=_limits.resource.RLIM_INFINITY):
        monkeypatch.setattr(_limits.resource, "getrlimit", lambda what: (user_limit, user_limit))
        monkeypatch.setattr(_limits.os, "geteuid", lambda: 1000)
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="ascii")
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({}, UNLIMITED),
        ({"proc/self/cgroup": "0::/job\n", "sys/fs/cgroup/job/pids.max": "max\n"}, UNLIMITED),
        (
            {
                "proc/self/cgroup": "0::/pod/job\n",
                "sys/fs/cgroup/pod/job/pids.max": "max\n",
                "sys/fs/cgroup/pod/pids.max": "100\n",
                "sys/fs/cgroup/pod/pids.current": "40\n",
            },
            60,
        ),
        (
            {
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/pids.max": "2048\n",
                "sys/fs/cgroup/pids.current": "2040\n",
            },
            RESERVED,
        ),
        (
            {
                "proc/self/cgroup": "3:memory:/other\n2:pids:/job\n1:name=systemd:/job\n",
                "sys/fs/cgroup/pids/job/pids.max": "50\n",
                "sys/fs/cgroup/pids/job/pids.current": "10\n",
                "sys/fs/cgroup/memory/other/pids.max": "1\n",
                "sys/fs/cgroup/memory/other/pids.current": "1\n",
            },
            40,
        ),
    ],
    ids=["no control group", "no limit", "limit of a parent", "container", "version 1"],
)
def test_the_tightest_control_group_decides(machine, files, left):
    assert tasks_left(machine(files)) == left - RESERVED


def test_the_limit_of_the_user_counts_the_threads_of_all_its_processes(machine):
    root = machine({}, user_limit=100)
    for pid, threads in ((10, 3), (11, 1)):
        for number in range(threads):
            (root / "proc" / str(pid) / "task" / str(number)).mkdir(parents=True)
    before, own = tasks_left(root), os.getuid()
    assert before == 100 - 4 - RESERVED
    _limits.os.getuid, real = lambda: own + 1, _limits.os.getuid
    try:
        assert tasks_left(root) == 100 - RESERVED, "processes of other users do not count"
    finally:
        _limits.os.getuid = real


def test_the_limit_of_the_user_is_not_for_root(machine, monkeypatch):
    root = machine({}, user_limit=1)
    monkeypatch.setattr(_limits.os, "geteuid", lambda: 0)
    assert tasks_left(root) == UNLIMITED - RESERVED


def test_what_is_left_is_never_negative(machine):
    assert tasks_left(machine({}, user_limit=0)) == 0
