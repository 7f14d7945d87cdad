# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The session of the connecting user, and how a process of root leaves it.

systemd-logind can end all processes of a user together with the session (KillUserProcesses=yes), those in sessions of
their own included: it goes by the session's scope, which a process leaves only when systemd moves it.

Runs on hosts: Python 3.6 and the standard library.
"""

import os
import pwd
import re
import time
from typing import List, NamedTuple, Optional

from ansible_collections.ece.platform.plugins.module_utils._host_process import find_command, run_command

SYSTEMD_RUNS = "/run/systemd/system"
OWN_CGROUPS = "/proc/self/cgroup"
MOVE_SECONDS = 5
BUS_SECONDS = 10
_SESSION = re.compile(r"/user-([0-9]+)\.slice/session-[^/]*\.scope")
_LOGIND = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")
_SYSTEMD = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")


class Session(NamedTuple):
    """Of the processes that start here. error: why they could not leave the session of the connecting user.

    kills: whether they end with that session.
    """

    error: Optional[str] = None
    kills: bool = False


def _own_cgroups() -> str:
    try:
        with open(OWN_CGROUPS, encoding="ascii", errors="replace") as source:
            return source.read()
    except OSError:
        return ""


def _logind(prop: str) -> List[str]:
    """The parts of a property of logind, as busctl prints it; none if it cannot be asked."""
    busctl = find_command("busctl")
    if not busctl:
        return []
    return run_command([busctl, "get-property", *_LOGIND, prop], timeout=BUS_SECONDS).out.split()


def session_kills() -> bool:
    """Whether logind ends this process together with the session of the user that connected."""
    session = _SESSION.search(_own_cgroups())
    if not session or _logind("KillUserProcesses") != ["b", "true"]:
        return False
    try:
        name = pwd.getpwuid(int(session.group(1))).pw_name
    except KeyError:
        name = ""
    # Lists of names, like: as 2 "root" "ops". Logind spares the first, and kills only the second if that has any.
    spared, only = ([word.strip('"') for word in _logind(prop)[2:]] for prop in ("KillExcludeUsers", "KillOnlyUsers"))
    return name not in spared and (not only or name in only)


def _move_to_scope(unit: str) -> Optional[str]:
    """Let systemd move this process into a scope of its own. Return the error if it did not."""
    busctl = find_command("busctl")
    if not busctl:
        return "there is no busctl"
    # Without options: these arguments mean the same from systemd 219 (RHEL 7) on.
    properties = ("2", "Description", "s", "Installer of Elastic Cloud Enterprise", "PIDs", "au", "1", str(os.getpid()))
    call = [busctl, "call", *_SYSTEMD, "StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", *properties, "0"]
    done = run_command(call, timeout=BUS_SECONDS)
    if done.rc != 0:
        return (done.err or done.out).strip() or f"busctl ended with exit code {done.rc}"
    end = time.monotonic() + MOVE_SECONDS
    while f"/{unit}" not in _own_cgroups():
        if time.monotonic() > end:
            return f"systemd did not move it within {MOVE_SECONDS} s"
        time.sleep(0.02)
    return None


def leave_session(name: str) -> Session:
    """Move this process out of the session of the connecting user, and out of any service, where root can do that.

    A scope takes a process that runs, so that neither code nor token has to be handed over to a new one: no command
    line, environment or file has them, as with a transient service.
    """
    error = None
    if os.geteuid() == 0 and os.path.isdir(SYSTEMD_RUNS):
        error = _move_to_scope(f"{name}-{os.getpid()}.scope")
        if error is None:
            return Session()
    return Session(error, session_kills())
