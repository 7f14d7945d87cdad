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
# States of a lock.
ABSENT, RUNNING, OVER = "absent", "running", "over"
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


def places(storage_path: str, state_path: str, is_root: Optional[bool] = None) -> List[Place]:
    """The folders that may hold lock, record and output. This process writes to the first one.

    Root keeps them where only root writes, because the install user, who owns the storage path, could plant links
    there. It looks there too: for an installer that was started without root or by ece.platform 1.0.
    """
    storage_path = storage_path.rstrip("/") or "/"
    of_user = Place(storage_path, ("logs", "ece-install"))
    is_root = os.geteuid() == 0 if is_root is None else is_root
    return [Place(state_path, (install_name(storage_path),)), of_user] if is_root else [of_user]


# -- opening ---------------------------------------------------------------------------------------------------------


def open_folder(place: Place) -> int:
    """A file descriptor of the folder. Raises OSError, for a link below the base too."""
    handle = os.open(place.base, os.O_RDONLY | os.O_DIRECTORY)
    path = place.base
    for name in place.names:
        path = os.path.join(path, name)
        try:
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
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


def look(places_of_install: Sequence[Place]) -> Tuple[Place, str, Dict[str, Any]]:
    """(place, state of the lock, record) of the install that runs, else of the last one. Raises OSError.

    Only an error at the first place counts: what stands at the others may be planted.
    """
    found = []
    for number, place in enumerate(places_of_install):
        try:
            state = lock_state(place)
            record = read_record(place)
        except OSError:
            if number == 0:
                raise
            continue
        if state == RUNNING:
            return place, state, record
        started: Any = record.get("started")
        is_number = isinstance(started, (int, float)) and started > 0
        found.append((started if is_number else 0, -number, state, record))
    _started, number, state, record = max(found, key=lambda row: row[:2])
    return places_of_install[-number], state, record


# -- asked by the controller -----------------------------------------------------------------------------------------


def report(storage_path: str, state_path: str) -> Dict[str, Any]:
    """The record with the state of its lock, its folder and the host's clock. Raises OSError."""
    of_root = places(storage_path, state_path, is_root=True)[0]
    place, state, record = look(places(storage_path, state_path))
    if os.geteuid() and state == ABSENT and not record and os.path.isdir(of_root.folder):
        raise OSError(errno.EACCES, "only root can read the record of this install", of_root.folder)
    return dict(record, lock=state, folder=place.folder, now=time.time())


def main(storage_path: str, state_path: str, limit: str) -> None:
    """Print the record once no installer runs, or after `limit` seconds."""
    end = time.monotonic() + float(limit)
    while True:
        record = report(storage_path, state_path)
        if record["lock"] != RUNNING or time.monotonic() >= end:
            break
        time.sleep(POLL_SECONDS)
    sys.stdout.write(MARK + json.dumps(record) + "\n")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as problem:
        raise SystemExit("the host refused {0}: {1}".format(problem.filename, problem.strerror)) from None
