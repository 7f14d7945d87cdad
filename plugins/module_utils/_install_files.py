# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The files of an install on a host: where they are, and how they are opened where another user may have planted them.

The controller sends this file to hosts as `python -c`, where it cannot import a module of the collection: it prints the
record once the installer has ended. Python 3.6 and the standard library.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import stat
import sys
import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

LOCK, RECORD, OUTPUT = "lock", "record.json", "output.log"
# States of a lock. UNWATCHED: it is free, but the installer that the record names runs: its supervisor was killed.
ABSENT, RUNNING, UNWATCHED, OVER = "absent", "running", "unwatched", "over"
# In these there is an installer, so that no other one may be started.
RUNS = (RUNNING, UNWATCHED)
# Stands before the printed record.
MARK = "ECE-RECORD "
RECORD_BYTES_MAX = 1 << 20
POLL_SECONDS = 0.5


# -- places ----------------------------------------------------------------------------------------------------------


class Place(NamedTuple):
    """A folder. Links in the path of its base are the administrator's; none of the names below may be a link."""

    base: str
    names: Tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Its path."""
        return os.path.join(self.base, *self.names)

    def path(self, name: str) -> str:
        """The path of a file in it."""
        return os.path.join(self.folder, name)


def install_name(storage_path: str) -> str:
    """A name for the install with this storage path: readable, and no other path has it."""
    storage_path = os.path.normpath(storage_path)
    readable = re.sub("[^A-Za-z0-9]+", "-", storage_path).strip("-")[-40:]
    return "{0}-{1}".format(readable, hashlib.sha256(storage_path.encode("utf-8", "replace")).hexdigest()[:8])


def _is_root(is_root: Optional[bool] = None) -> bool:
    return os.geteuid() == 0 if is_root is None else is_root


def places(storage_path: str, state_path: str, is_root: Optional[bool] = None) -> List[Place]:
    """The folders that may hold lock, record and output. This process writes to the first one.

    Root keeps them where only root writes, because the install user, who owns the storage path, could plant links
    there. It looks there too: for an installer that was started without root or by ece.platform 1.0. The install user
    looks at root's, which its group may read.
    """
    storage_path = storage_path.rstrip("/") or "/"
    of_user = Place(storage_path, ("logs", "ece-install"))
    of_root = Place(state_path, (install_name(storage_path),))
    return [of_root, of_user] if _is_root(is_root) else [of_user, of_root]


# -- opening ---------------------------------------------------------------------------------------------------------


def open_folder(place: Place) -> int:
    """A file descriptor of the folder, to open what is in it. Raises OSError, for a link below the base too."""
    # Not for reading: the folder that holds root's folders can be entered by all users, but not listed.
    handle = os.open(place.base, os.O_PATH | os.O_DIRECTORY)
    path = place.base
    for name in place.names:
        path = os.path.join(path, name)
        try:
            inner = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
        except OSError as error:
            error.filename = path
            raise
        finally:
            os.close(handle)
        handle = inner
    return handle


def open_file(place: Place, name: str, flags: int) -> int:
    """A file descriptor of a regular file (mode 0600). Raises OSError for a link, and for a pipe, which may hang."""
    folder = open_folder(place)
    try:
        handle = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600, dir_fd=folder)
    except OSError as error:
        error.filename = place.path(name)
        raise
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "It is not a regular file", place.path(name))
    return handle


def read_end(handle: int, limit: int, start: int = 0) -> bytes:
    """The content of an open file from `start` on, of which at most the last `limit` bytes."""
    size = os.fstat(handle).st_size
    with os.fdopen(os.dup(handle), "rb") as source:
        source.seek(max(start, size - limit))
        return source.read(limit)


# -- processes -------------------------------------------------------------------------------------------------------


def boot_id(proc: str = "/proc") -> str:
    """What tells this run of the kernel from others."""
    try:
        with open(os.path.join(proc, "sys/kernel/random/boot_id"), encoding="ascii") as source:
            return source.read().strip()
    except (OSError, ValueError):
        return ""


def process_name(pid: int, proc: str = "/proc") -> Optional[str]:
    """A name that no other process ever gets: pid, start since the boot, boot. None if there is no such process."""
    try:
        with open(os.path.join(proc, str(pid), "stat"), "rb") as source:
            fields = source.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):
        return None  # it has ended, and its parent has not asked for its end
    return "{0} {1} {2}".format(pid, fields[19].decode("ascii"), boot_id(proc))


def lives(name: Any, uid: Optional[int] = None, proc: str = "/proc") -> bool:
    """Whether the process with this name runs. Any user can see that, unless /proc hides other users' processes.

    uid: of the only user whose processes count.
    """
    pid = re.match("[0-9]{1,10}(?= )", name) if isinstance(name, str) else None
    if pid is None or process_name(int(pid.group()), proc) != name:
        return False
    try:
        return uid is None or os.stat(os.path.join(proc, pid.group())).st_uid == uid
    except OSError:
        return False  # it ended meanwhile


# -- lock and record -------------------------------------------------------------------------------------------------


def lock_state(place: Place) -> str:
    """Whether an installer is supervised there: running, over, or absent. Raises OSError if that cannot be known."""
    try:
        handle = open_file(place, LOCK, os.O_RDONLY)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return ABSENT
        raise
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return OVER
    except BlockingIOError:
        return RUNNING
    finally:
        os.close(handle)


def read_record(place: Place) -> Dict[str, Any]:
    """The record as it was written; empty if there is none, and {damaged: true} if it cannot be understood."""
    try:
        handle = open_file(place, RECORD, os.O_RDONLY)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return {}
        raise
    try:
        content = json.loads(read_end(handle, RECORD_BYTES_MAX).decode("utf-8", "replace") or "{}")
    except (ValueError, RecursionError):
        content = None
    finally:
        os.close(handle)
    return content if isinstance(content, dict) else {"damaged": True}


def _owner(place: Place) -> int:
    """The uid of the user who can write any record in a folder. Raises OSError."""
    handle = open_folder(place)
    try:
        return os.fstat(handle).st_uid
    finally:
        os.close(handle)


def state_and_record(place: Place, uid: Optional[int] = None) -> Tuple[str, Dict[str, Any]]:
    """(state of the lock, record) of a place. Raises OSError if they cannot be known.

    uid: of the only user whose processes count, where that user may have planted the record.
    """
    try:
        state = lock_state(place)
        record = read_record(place)
    except PermissionError as error:
        state, record = _of_another_user(place, uid, error)
    if state != RUNNING and record.get("rc") is None and lives(record.get("installer"), uid):
        return UNWATCHED, record
    return state, record


def _of_another_user(place: Place, uid: Optional[int], denied: PermissionError) -> Tuple[str, Dict[str, Any]]:
    """State and record by the record alone: the lock is closed to others, who could hold it."""
    try:
        record = read_record(place)
        if lives(record.get("supervisor"), uid):
            return RUNNING, record
        record = read_record(place)  # it may have ended since
    except PermissionError:
        record = {}
    # Where /proc hides processes of other users, one that is not there may run.
    if not record or (record.get("rc") is None and not os.path.exists("/proc/1/stat")):
        raise PermissionError(
            0,
            "only root can read the record of this install: become root for this task (ece_host_become: true)",
            place.folder,
        ) from denied
    return OVER, record


def _begin(record: Dict[str, Any], now: float) -> float:
    """When an install began; 0 where its record does not say that, or was written by a clock that was wrong."""
    started: Any = record.get("started")
    is_number = isinstance(started, (int, float)) and not isinstance(started, bool)
    return started if is_number and 0 < started <= now else 0


def look(places_of_install: Sequence[Place], is_root: Optional[bool] = None) -> Tuple[Place, str, Dict[str, Any]]:
    """(place, state of the lock, record) of the install that runs, else of the last one. Raises OSError.

    For root its own record comes first, and an error at another place does not count: what stands there may be planted.
    So a record there can name no process of another user than its owner as an installer.
    """
    root, now = _is_root(is_root), time.time()
    found = []
    for number, place in enumerate(places_of_install):
        try:
            state, record = state_and_record(place, _owner(place) if number and root else None)
        except OSError:
            if number and root:
                continue
            raise
        if state in RUNS:
            return place, state, record
        rank = (bool(record), 0.0 if root else _begin(record, now), -number)
        found.append((rank, place, state, record))
    return max(found, key=lambda row: row[0])[1:]


def follow(places_of_install: Sequence[Place], limit: float) -> Dict[str, Any]:
    """The record once no installer runs, or after `limit` seconds. Raises OSError.

    With the state of its lock, its folder, the host's clock, and whether the host was rebooted since.
    """
    end = time.monotonic() + limit
    while True:
        place, state, record = look(places_of_install)
        if state not in RUNS or time.monotonic() >= end:
            break
        time.sleep(POLL_SECONDS)
    record = dict(record, lock=state, folder=place.folder, now=time.time())
    boot = str(record.get("supervisor", "")).rpartition(" ")[2]
    return dict(record, rebooted=boot != boot_id()) if boot else record


# -- asked by the controller -----------------------------------------------------------------------------------------


def main(storage_path: str, state_path: str, limit: str) -> None:
    """Print the record once no installer runs, or after `limit` seconds."""
    sys.stdout.write(MARK + json.dumps(follow(places(storage_path, state_path), float(limit))) + "\n")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as problem:
        raise SystemExit("the host refused {0}: {1}".format(problem.filename, problem.strerror)) from None
