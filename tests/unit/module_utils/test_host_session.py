# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A supervisor leaves the session of the connecting user, or it is known whether it ends with that session."""

from __future__ import annotations

import os
import pwd

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _detached as detached
from ansible_collections.ece.platform.plugins.module_utils import _host_session as host_session
from ansible_collections.ece.platform.plugins.module_utils._host_process import Output

SESSION = "0::/user.slice/user-1001.slice/session-48.scope\n"


class Systemd:
    """busctl, and what the kernel says of this process."""

    def __init__(self, folder):
        self.cgroups = folder / "cgroup"
        self.cgroups.write_text(SESSION)
        self.calls = []
        self.properties = {"KillUserProcesses": "b true", "KillExcludeUsers": 'as 1 "root"', "KillOnlyUsers": "as 0"}
        self.refusal = None
        self.moves = True

    def run(self, argv, **_options):
        self.calls.append(argv)
        if argv[1] == "get-property":
            return Output(0, self.properties[argv[-1]] + "\n", "")
        if self.refusal:
            return self.refusal
        if self.moves:
            self.cgroups.write_text(f"0::/system.slice/{argv[argv.index('fail') - 1]}\n")
        return Output(0, 'o "/org/freedesktop/systemd1/job/1"\n', "")


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    made = Systemd(tmp_path)
    monkeypatch.setattr(host_session, "OWN_CGROUPS", str(made.cgroups))
    monkeypatch.setattr(host_session, "SYSTEMD_RUNS", str(tmp_path))
    monkeypatch.setattr(host_session, "MOVE_SECONDS", 0.1)
    monkeypatch.setattr(host_session, "find_command", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(host_session, "run_command", made.run)
    monkeypatch.setattr(host_session.os, "geteuid", lambda: 0)
    monkeypatch.setattr(host_session.pwd, "getpwuid", lambda _uid: pwd.struct_passwd(("ops", "x", 1, 1, "", "", "")))
    return made


def test_root_moves_itself_into_a_scope_of_its_own_and_no_secret_is_handed_over(systemd):
    assert host_session.leave_session("ece-install-x") == host_session.Session(None, False)
    pid = str(os.getpid())
    properties = ["2", "Description", "s", "Installer of Elastic Cloud Enterprise", "PIDs", "au", "1", pid, "0"]
    assert systemd.calls[0][-11:] == [f"ece-install-x-{pid}.scope", "fail", *properties]


def test_busctl_gets_no_options_because_old_ones_have_others(systemd):
    host_session.leave_session("ece-install-x")
    systemd.cgroups.write_text(SESSION)
    systemd.refusal = Output(1, "", "no")
    host_session.leave_session("ece-install-x")
    assert {call[1] for call in systemd.calls} == {"call", "get-property"}
    assert not [word for call in systemd.calls for word in call if word.startswith("-")]


def test_the_module_waits_longer_for_the_supervisor_than_systemd_and_logind_may_take():
    questions = 4  # the move, and three properties of logind
    assert detached.READY_SECONDS > questions * host_session.BUS_SECONDS + host_session.MOVE_SECONDS


@pytest.mark.parametrize("how", ["refused", "not moved", "no busctl", "hangs", "fails"])
def test_a_scope_that_systemd_does_not_give_is_an_error_with_its_reason(systemd, monkeypatch, how):
    systemd.properties["KillUserProcesses"] = "b false"
    systemd.moves = False
    if how == "refused":
        systemd.refusal = Output(1, "", "Failed to connect to bus: No such file\n")
    if how == "hangs":
        systemd.refusal = Output(124, "", "no answer within 10 s")
    if how == "fails":
        systemd.refusal = Output(1, "", "")
    if how == "no busctl":
        monkeypatch.setattr(host_session, "find_command", lambda _name: None)
    reasons = {
        "refused": "Failed to connect to bus: No such file",
        "not moved": "systemd did not move it within 0.1 s",
        "no busctl": "there is no busctl",
        "hangs": "no answer within 10 s",
        "fails": "busctl ended with exit code 1",
    }
    assert host_session.leave_session("ece-install-x") == host_session.Session(reasons[how], False)


def test_without_systemd_nothing_is_asked(systemd, monkeypatch, tmp_path):
    monkeypatch.setattr(host_session, "SYSTEMD_RUNS", str(tmp_path / "nowhere"))
    systemd.cgroups.write_text("0::/\n")
    assert (host_session.leave_session("x"), systemd.calls) == (host_session.Session(None, False), [])


@pytest.mark.parametrize(
    ("properties", "kills"),
    [
        ({}, True),
        ({"KillUserProcesses": "b false"}, False),
        ({"KillUserProcesses": ""}, False),
        ({"KillExcludeUsers": 'as 2 "root" "ops"'}, False),
        ({"KillOnlyUsers": 'as 1 "other"'}, False),
        ({"KillOnlyUsers": 'as 2 "other" "ops"'}, True),
    ],
)
def test_without_root_logind_is_asked_whether_it_kills_the_user(systemd, monkeypatch, properties, kills):
    monkeypatch.setattr(host_session.os, "geteuid", lambda: 1000)
    systemd.properties.update(properties)
    assert host_session.leave_session("x") == host_session.Session(None, kills)
    assert not [call for call in systemd.calls if call[1] == "call"]


@pytest.mark.parametrize("cgroups", ["0::/system.slice/ssh.service\n", "1:name=systemd:/\n", ""])
def test_outside_of_a_session_nothing_ends_with_one(systemd, monkeypatch, cgroups):
    monkeypatch.setattr(host_session.os, "geteuid", lambda: 1000)
    systemd.cgroups.write_text(cgroups)
    assert host_session.leave_session("x") == host_session.Session(None, False)
