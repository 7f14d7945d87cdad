# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Commands on a host, run as the install user with a clean environment.

Runs on hosts: Python 3.6 and the standard library.
"""

import errno
import grp
import os
import pwd
import shutil
import signal
import stat
import subprocess
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

from ansible_collections.ece.platform.plugins.module_utils._text import plain

SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
COMMAND_TIMEOUT_SECONDS = 60
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
# How long a killed command may take to end.
KILL_SECONDS = 5
_REMEDIES = {
    errno.ENOSPC: "make room on its disk and run this again",
    errno.EDQUOT: "give its owner more disk quota and run this again",
    errno.EROFS: "look for disk errors in the kernel's log, then mount its disk for writing",
    errno.EACCES: "let the user that this runs as read and write it",
    errno.EPERM: "let the user that this runs as read and write it",
}


class User(NamedTuple):
    """An entry of the host's user database, with the names of all groups of the user."""

    name: str
    uid: int
    gid: int
    home: str
    groups: List[str]


class Output(NamedTuple):
    """What a command returned and printed."""

    rc: int
    out: str
    err: str


def find_user(name: str) -> Optional[User]:
    """The user with this name, or None."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    groups = []
    for gid in os.getgrouplist(name, entry.pw_gid):
        try:
            groups.append(grp.getgrgid(gid).gr_name)
        except KeyError:
            groups.append(str(gid))
    return User(name, entry.pw_uid, entry.pw_gid, entry.pw_dir, sorted(groups))


def search_path(paths: Sequence[str] = ()) -> str:
    """PATH of the installer: the given folders before those of the system."""
    return ":".join([*paths, *SYSTEM_PATH])


def find_command(name: str, paths: Sequence[str] = ()) -> Optional[str]:
    """Path of a command in the installer's search path, or None."""
    return shutil.which(name, path=search_path(paths))


def only_root_changes(path: str) -> bool:
    """Whether no other user can change what is at this path, or put something else there."""
    for whole in (os.path.abspath(path), os.path.realpath(path)):
        while True:
            try:
                found = os.lstat(whole)
            except OSError:
                return False
            # In a sticky folder like /tmp, others can make files of their own only.
            is_open = found.st_mode & OTHERS_WRITE and not (stat.S_ISLNK(found.st_mode) or found.st_mode & stat.S_ISVTX)
            if found.st_uid != 0 or is_open:
                return False
            if whole == "/":
                break
            whole = os.path.dirname(whole)
    return True


def _is_roots(folder: str) -> bool:
    """Whether no other user can change a folder or any command in it."""
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return all(only_root_changes(path) for path in [folder, *(os.path.join(folder, name) for name in names)])


def paths_for_root(paths: Sequence[str]) -> List[str]:
    """Those of the given folders whose commands this process may run as itself: for root, those that are root's."""
    return [path for path in paths if os.geteuid() != 0 or _is_roots(path)]


def clean_environment(user: str, home: str, paths: Sequence[str]) -> Dict[str, str]:
    """The whole environment of the installer.

    The installer takes options that are not given from its environment, and passes some variables on to containers.
    """
    return {
        "PATH": search_path(paths),
        "HOME": home,
        "USER": user,
        "LOGNAME": user,
        "SHELL": "/bin/bash",
        "LANG": "C",
    }


def become_user(user: str) -> Optional[Callable[[], None]]:
    """A preexec_fn for Popen that drops root's rights, groups included; None where the process is not root."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(user)
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)

    def drop() -> None:
        os.setgroups(groups)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)

    return drop


def run_command(
    argv: Sequence[str],
    user: Optional[str] = None,
    paths: Sequence[str] = (),
    timeout: float = COMMAND_TIMEOUT_SECONDS,
) -> Output:
    """Run a command that only reads. rc is 127 for one that cannot be run, 124 after `timeout` seconds."""
    try:
        home = pwd.getpwnam(user).pw_dir if user else "/"
        # AnsibleModule.run_command has no time limit, and does not run commands as another user.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(user or "root", home, paths),
            cwd="/",
            preexec_fn=become_user(user) if user else None,
            start_new_session=True,
        )
    except KeyError:
        return Output(127, "", f"user {user} is not known now")  # a directory service may not answer for a moment
    except (OSError, subprocess.SubprocessError) as error:
        return Output(127, "", str(error))
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        _kill_group(process)
        return Output(124, "", f"no answer within {timeout} s")
    finally:
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()  # not read to its end: a process that left the group may hold it open
    return Output(process.returncode, plain(out.decode("utf-8", "replace")), plain(err.decode("utf-8", "replace")))


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a command with all that it started: a docker command may be a script that waits for another command."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it has just ended
    except PermissionError:
        return  # a program of root, like sudo: it ends when its pipes are closed, or stays
    try:
        process.wait(KILL_SECONDS)
    except subprocess.TimeoutExpired:
        pass  # it hangs in the kernel, as on a network file system that does not answer


def explain_os_error(error: OSError) -> str:
    """An OSError as a sentence: the file, the reason, and the remedy if there is a usual one."""
    place = "the host refused" if error.filename is None else f"the host refused {error.filename}"
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{place}: {error.strerror or error}" + (f"; {remedy}" if remedy else "")
