# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Text that reaches a user: on one line, short, and without secrets.

Runs on hosts too: Python 3.6 and the standard library.
"""

import re
from typing import Iterable, Optional

MASK = "********"
# The shape of an enrollment token (JWT).
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)*")
# What a terminal obeys instead of showing it (ECMA-48): CSI sequences, strings like OSC with their end, other escape
# sequences, and single control characters except tab and line feed.
CONTROLS = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[P\]X^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


def one_line(text: object) -> str:
    """The text on one line, as a sentence or a table cell needs it."""
    return " ".join(str(text).split())


def plain(text: str) -> str:
    """The text without control sequences of terminals. One that counts as white space becomes a blank."""
    return CONTROLS.sub(lambda found: " " if found.group().isspace() else "", text)


def first_names(names: Iterable[str], limit: int = 5) -> str:
    """The first names in alphabetical order and the number of the others: a, b, c, d, e and 97 more."""
    names = sorted(names)
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def redact(text: str, secrets: Iterable[Optional[str]] = ()) -> str:
    """The text without the given secrets and without anything that looks like an enrollment token."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    return JWT.sub(MASK, text)
