# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Files that this collection writes on a host: private ones, and ones from which tokens are removed.

Runs on hosts: Python 3.6 and the standard library.
"""

import errno
import os
import re
import stat
from typing import List, Optional, Pattern, Tuple

from ansible_collections.ece.platform.plugins.module_utils._host_process import OTHERS_WRITE, User, only_root_changes
from ansible_collections.ece.platform.plugins.module_utils._install_files import Place, open_folder
from ansible_collections.ece.platform.plugins.module_utils._text import JWT

# The names of an option, in the module and in the role.
STATE_OPTION = "state_path (ece_host_state_path)"

# -- folders ---------------------------------------------------------------------------------------------------------


def place_of(folder: str) -> Place:
    """The place of a folder, whose base ends where another user than root could put a link."""
    base, names = "/", [name for name in os.path.abspath(folder).split("/") if name]
    while names and os.geteuid() == 0:
        found = os.stat(base)
        if found.st_uid != 0 or found.st_mode & OTHERS_WRITE or not os.path.lexists(os.path.join(base, names[0])):
            return Place(base, tuple(names))
        base = os.path.join(base, names.pop(0))
    return Place(os.path.join(base, *names))


def _make_in(parent: Place, name: str, user: User) -> None:
    """Make a private folder of the user. Raises OSError, also where another process put a link in its place."""
    above = open_folder(parent)
    try:
        os.mkdir(name, 0o700, dir_fd=above)
        made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
    except OSError as error:
        error.filename = parent.path(name)
        raise
    finally:
        os.close(above)
    try:
        if os.geteuid() == 0:
            os.fchown(made, user.uid, user.gid)
    finally:
        os.close(made)


def make_folder(path: str, user: User) -> None:
    """Make a private folder of the user, with all missing folders above it."""
    missing = []
    while not os.path.isdir(path):
        path, name = os.path.split(path)
        missing.append(name)
    for name in reversed(missing):
        _make_in(place_of(path), name, user)
        path = os.path.join(path, name)


def make_state_folder(place: Place, user: User) -> None:
    """Make the folder in which root keeps what belongs to an install. Raises OSError if others could change it.

    The group of the install user may read it: without root, too, it must be known what root's installer did.
    """
    try:
        _make_state_base(place.base)
        if not os.path.lexists(place.folder):
            os.mkdir(place.folder, 0o700)
        if not stat.S_ISDIR(os.lstat(place.folder).st_mode) or not only_root_changes(place.folder):
            raise _not_roots(place.folder)
        os.chown(place.folder, -1, user.gid)
        os.chmod(place.folder, 0o750)
    except OSError as error:
        if error.errno == errno.EROFS:
            remedy = f"set {STATE_OPTION} to a folder on a disk that is mounted for writing"
            raise OSError(0, f"its disk is mounted read-only: {remedy}", error.filename) from None
        raise


def check_state_base(base: str) -> None:
    """Raise PermissionError if root would keep what belongs to an install where another user can change it."""
    path, _missing = _existing_part(base)
    if os.geteuid() == 0 and not only_root_changes(path):
        raise _not_roots(path)


def _existing_part(path: str) -> Tuple[str, List[str]]:
    """(the part of a path that exists, the names of the folders that are missing below it)."""
    missing: List[str] = []
    path = os.path.abspath(path)
    while not os.path.exists(path):
        path, name = os.path.split(path)
        missing.insert(0, name)
    return path, missing


def _make_state_base(base: str) -> None:
    """Make the folder above those of all installs, and what is missing above it. All users may enter, not list it."""
    check_state_base(base)
    path, missing = _existing_part(base)
    for name in missing:
        path = os.path.join(path, name)
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            continue  # another run made it meanwhile
        os.chmod(path, 0o711)  # whatever the umask is
    if not only_root_changes(base):
        raise _not_roots(base)


def _not_roots(folder: str) -> PermissionError:
    remedy = f"set {STATE_OPTION} to a folder that only root can change"
    return PermissionError(0, f"other users than root can change it or a folder above it: {remedy}", folder)


# -- files -----------------------------------------------------------------------------------------------------------


def let_group_read(handle: int, user: User) -> None:
    """Let the group of the install user read a file of root."""
    if os.geteuid() == 0:
        os.fchown(handle, -1, user.gid)
        os.fchmod(handle, 0o640)


def write_private(
    place: Place,
    name: str,
    content: bytes,
    user: Optional[User] = None,
    mode: int = 0o600,
    reader: Optional[User] = None,
) -> None:
    """Write a file completely or not at all. Raises OSError with its path.

    user: its owner where root writes it; root by default. reader: whose group may read what root owns.
    """
    folder = open_folder(place)
    # Two plays may write the same file at the same time, so each has its own temporary file.
    temporary = f".{name}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
        try:
            with os.fdopen(handle, "wb") as target:
                target.write(content)
                if user and os.geteuid() == 0:
                    os.fchown(handle, user.uid, user.gid)
                os.fchmod(handle, mode)
                if reader:
                    let_group_read(handle, reader)
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(temporary, dir_fd=folder)
            raise
    except OSError as error:
        error.filename = place.path(name)  # a failed write names no file, and a failed rename the temporary one
        raise
    finally:
        os.close(folder)


# -- tokens ----------------------------------------------------------------------------------------------------------


def mask_tokens(place: Place, token: str) -> None:
    """Overwrite the token, and all text of a token's shape, in the files below a folder. Sizes do not change."""
    pattern = re.compile(re.escape(token.encode("utf-8")) + b"|" + JWT.pattern.encode("ascii"))
    try:
        top = open_folder(place)
    except OSError:
        return  # there is no such folder, or a link in its place
    try:
        for _parent, _folders, names, folder in os.fwalk(".", dir_fd=top):
            for name in names:
                try:
                    mask_in_file(name, pattern, folder)
                except OSError:
                    pass  # a file that cannot be written or disappears must not protect the others
    finally:
        os.close(top)


def mask_in_file(
    path: str, pattern: Pattern[bytes], folder: Optional[int] = None, chunk: int = 1 << 20, edge: int = 1 << 12
) -> None:
    """Overwrite all matches in a regular file; others, like links and pipes, are not touched.

    folder: file descriptor of the folder that the path begins in. chunk: bytes to read at once. edge: bytes of the
    longest possible match.
    """
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        start, window = 0, b""
        while stat.S_ISREG(os.fstat(handle).st_mode):
            read = os.read(handle, chunk)
            if not read:
                return
            # A match across the edge of two chunks is found with the second one.
            start, window = start + max(0, len(window) - edge), window[-edge:] + read
            for found in pattern.finditer(window):
                os.pwrite(handle, b"*" * len(found.group()), start + found.start())
    finally:
        os.close(handle)
