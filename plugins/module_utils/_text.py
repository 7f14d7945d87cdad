# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Text that reaches a user: plain, on one line, short, and without secrets.

Runs on hosts too: Python 3.6 and the standard library.
"""

import re
from typing import Any, Iterable, Optional

MASK = "********"
# The shape of an enrollment token (JWT).
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)*")
_END_OF_LINE = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# What a terminal takes for a command (ECMA-48), in its 7-bit and 8-bit form; never the beginning of a token.
_TERMINAL_COMMAND = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*(?!eyJ)[@-~]"  # control sequences: colours, cursor, clear the screen
    "|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f\n]*(?:\x07|\x1b\\\\|\x9c)"  # strings: window title
    "|\x1b[ -/]*(?:(?!eyJ)[0-~])?"  # the others, and the beginnings of incomplete ones
)
# All other control characters but tab and newline, those that change the direction of the text, and lone surrogates,
# which cannot be written anywhere.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """The text without anything that a terminal obeys. Tabs stay, and so do ends of lines, each as \\n.

    Needed wherever a text of a host or of the platform enters: it may clear the screen or print false lines.
    """
    return _CONTROL.sub("", _TERMINAL_COMMAND.sub("", _END_OF_LINE.sub("\n", text)))


def one_line(text: object) -> str:
    """The text on one line without control characters, as a sentence or a table cell needs it."""
    return " ".join(plain(str(text)).split())


def plain_values(value: Any) -> Any:
    """Data of a host or of the platform with each text in it plain: names of files may hold terminal commands, too."""
    if isinstance(value, dict):
        return {plain_values(key): plain_values(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_values(part) for part in value]
    return plain(value) if isinstance(value, str) else value


def first_names(names: Iterable[str], limit: int = 5) -> str:
    """The first names in alphabetical order and the number of the others: a, b, c, d, e and 97 more."""
    names = sorted(names)
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def redact(text: str, secrets: Iterable[Optional[str]] = ()) -> str:
    """The plain text without the given secrets and without anything that looks like an enrollment token."""
    known = [secret for secret in secrets if secret]
    # Twice: a control character may take the first letter of a secret with it, or stand in the middle of one.
    for make_plain in (str, plain):
        text = make_plain(text)
        for secret in known:
            text = text.replace(secret, MASK)
    return JWT.sub(MASK, text)
