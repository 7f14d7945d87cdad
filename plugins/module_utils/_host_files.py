# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Files that this collection writes on a host: private ones, and ones from which tokens are removed.

Runs on hosts: Python 3.6 and the standard library.
"""

import os
import re
import stat
import tempfile
from typing import Pattern

from ansible_collections.ece.platform.plugins.module_utils._host_process import User
from ansible_collections.ece.platform.plugins.module_utils._text import JWT


def chown_to(path: str, user: User) -> None:
    """Make the user the owner of a path that root created."""
    if os.geteuid() == 0:
        os.chown(path, user.uid, user.gid)


def make_folder(path: str, user: User) -> None:
    """Make a private folder of the user, with all missing folders above it."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        os.mkdir(folder, 0o700)
        chown_to(folder, user)


def write_private(path: str, content: bytes) -> None:
    """Write a file (mode 0600) completely or not at all. Raises OSError with its path."""
    temporary = None
    try:
        # Two plays may write the same file at the same time, so each has its own temporary file (mode 0600).
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=f".{os.path.basename(path)}")
        with os.fdopen(handle, "wb") as target:
            target.write(content)
        os.rename(temporary, path)
    except BaseException as error:
        if temporary:
            os.unlink(temporary)
        if isinstance(error, OSError):
            error.filename = path  # a failed write names no file, and a failed rename the temporary one
        raise


def mask_tokens(folder: str, token: str) -> None:
    """Overwrite the token, and all text of a token's shape, in the files below a folder. Sizes do not change."""
    pattern = re.compile(re.escape(token.encode("utf-8")) + b"|" + JWT.pattern.encode("ascii"))
    for parent, _folders, names in os.walk(folder):
        for name in names:
            try:
                mask_in_file(os.path.join(parent, name), pattern)
            except OSError:
                pass  # a file that cannot be written or disappears must not protect the others


def mask_in_file(path: str, pattern: Pattern[bytes], chunk: int = 1 << 20, edge: int = 1 << 12) -> None:
    """Overwrite all matches in a regular file; others, like links and pipes, are not touched.

    chunk: bytes to read at once. edge: bytes of the longest possible match.
    """
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
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
