# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands run as the install user, and nothing of this process reaches them."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _host_process as host_process
from tests.interpreters import find_python
from tests.unit.host_user import ROOT, USER
from tests.unit.test_python_versions import COLLECTIONS

# -- commands --------------------------------------------------------------------------------------------------------


def test_a_command_gets_a_clean_environment(monkeypatch):
    monkeypatch.setenv("HOST_IP", "10.9.9.9")
    monkeypatch.setenv("CLOUD_FEATURE_X", "true")
    rc, out, _err = host_process.run_command(["env"], user=USER.pw_name, paths=["/opt/engine/bin"])
    assert rc == 0
    assert dict(line.split("=", 1) for line in out.splitlines()) == {
        "PATH": "/opt/engine/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": USER.pw_dir,
        "USER": USER.pw_name,
        "LOGNAME": USER.pw_name,
        "SHELL": "/bin/bash",
        "LANG": "C",
    }


def test_a_command_runs_with_the_users_rights_alone():
    before = os.getgroups()
    uid, gid, groups = os.geteuid(), os.getegid(), before + [os.getegid()]
    if ROOT:
        uid, gid, groups = USER.pw_uid, USER.pw_gid, os.getgrouplist(USER.pw_name, USER.pw_gid)
        os.setgroups([0, 4242])  # which the command must not keep
    try:
        ids = [
            {int(number) for number in host_process.run_command(["id", option], user=USER.pw_name)[1].split()}
            for option in ("-u", "-g", "-G")
        ]
    finally:
        if ROOT:
            os.setgroups(before)
    assert ids == [{uid}, {gid}, set(groups)]


@pytest.mark.parametrize(
    ("argv", "rc", "message"),
    [
        (["bash", "-c", "echo no >&2; exit 3"], 3, "no"),
        (["/nowhere/docker"], 127, "No such file"),
        (["sleep", "60"], 124, "no answer within 0.05 s"),
    ],
)
def test_a_command_that_fails(argv, rc, message):
    result = host_process.run_command(argv, timeout=0.05 if argv[0] == "sleep" else 60)
    assert (result.rc, message in result.err) == (rc, True), result


def test_a_command_of_a_user_that_is_not_known_or_cannot_be_become_is_not_run(monkeypatch):
    assert host_process.run_command(["true"], user="no-such-user") == (127, "", "user no-such-user is not known now")

    def refuse():
        raise PermissionError

    monkeypatch.setattr(host_process, "become_user", lambda _user: refuse)
    assert host_process.run_command(["true"], user=USER.pw_name).rc == 127


def test_output_that_is_not_text_is_not_an_error():
    assert host_process.run_command(["printf", "\\377x"])[1] == "\ufffdx"


def test_colours_of_a_command_are_dropped():
    assert host_process.run_command(["printf", "\\033[31mred\\033[0m"]).out == "red"


WRAPPER = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from ansible_collections.ece.platform.plugins.module_utils._host_process import run_command
began = time.monotonic()
result = run_command(["bash", "-c", "echo $$ >" + sys.argv[2] + "; sleep 600; true"], timeout=1)
print(result.rc, time.monotonic() - began < 60)
"""


@pytest.mark.parametrize("version", ["this", "3.6"])
def test_a_time_limit_holds_for_a_script_that_waits_for_another_command_and_leaves_none_behind(tmp_path, version):
    python = sys.executable if version == "this" else find_python(version)
    if not python:
        pytest.skip("no Python 3.6 here")
    command = [python, "-B", "-c", WRAPPER, str(COLLECTIONS), str(tmp_path / "pid")]
    assert subprocess.check_output(command, timeout=120).decode() == "124 True\n"
    group = (tmp_path / "pid").read_text().strip()
    rows = [row.split() for row in subprocess.check_output(["ps", "-e", "-o", "pgid=,stat="]).decode().splitlines()]
    assert not [state for found, state in rows if found == group and state[0] != "Z"]  # zombies wait for init


# -- users -----------------------------------------------------------------------------------------------------------


def test_a_user_is_found_with_its_groups():
    user = host_process.find_user(USER.pw_name)
    assert user and user[:4] == (USER.pw_name, USER.pw_uid, USER.pw_gid, USER.pw_dir)
    assert user.groups == sorted(user.groups) and user.groups


def test_a_user_that_does_not_exist_is_none():
    assert host_process.find_user("no-such-user-here") is None


# -- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/x"),
            "the host refused /x: No space left on device; make room on its disk and run this again",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "/x"),
            "the host refused /x: Read-only file system; look for disk errors in the kernel's log, then mount its disk",
        ),
        (OSError(errno.ENOTDIR, "Not a directory", "/x"), "the host refused /x: Not a directory"),
        (OSError(errno.EMFILE, "Too many open files"), "the host refused: Too many open files"),
        (OSError("odd"), "the host refused: odd"),
    ],
)
def test_an_os_error_is_a_sentence_with_its_remedy(error, sentence):
    assert host_process.explain_os_error(error).startswith(sentence)
