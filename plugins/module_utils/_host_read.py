# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Files of a host, read so that none of them can stop or fill the module.

Runs on hosts: Python 3.6 and the standard library.
"""

import os
import stat

SIZE_MAX_BYTES = 4 * 1024 * 1024
# The kernel refuses to give its own files in pieces of megabytes.
PIECE_BYTES = 64 * 1024


def read_text(path: str) -> str:
    """Content of a file, or an empty string if it cannot be read or is not a file. Longer files are cut."""
    try:
        # A FIFO in place of the file would be waited for.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        content = b""
        while stat.S_ISREG(os.fstat(handle).st_mode) and len(content) < SIZE_MAX_BYTES:
            piece = os.read(handle, PIECE_BYTES)
            if not piece:
                break
            content += piece
        return content.decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(handle)


def read_number(path: str) -> int:
    """The number that a file of the kernel holds; 0 if it holds none."""
    text = read_text(path).strip()
    return int(text) if text.isdigit() else 0
