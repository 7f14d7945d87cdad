# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Single settings in files of TOML, as Podman has them: read, and set with all else in the file kept as it is.

The Python of hosts has no library for TOML, and no library for it keeps comments.
Pure functions. Runs on hosts: Python 3.6 and the standard library.
"""

import json
import re
from typing import List, NamedTuple, Optional, Tuple

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_HEADER = re.compile(r"^\ufeff?[ \t]*\[(?P<array>\[?)[ \t]*(?P<name>[^\[\]\n]+?)[ \t]*\]\]?[ \t]*(#.*)?\s*$")
_KEY = re.compile(r"^\ufeff?[ \t]*(?P<name>[\w.\"' \t-]+?)[ \t]*=[ \t]*")
# Strings and comments as one piece each, everything else by character.
_PIECE = re.compile(
    r'"""(?:\\.|[^\\])*?"""' + r"|'''.*?'''" + r'|"(?:\\.|[^"\\\n])*"' + r"|'[^'\n]*'|#[^\n]*|.", re.DOTALL
)
_STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"|\'([^\'\n]*)\'')


class TomlError(Exception):
    """A file cannot be read as TOML, or has a setting in a form that cannot be changed here."""


class Setting(NamedTuple):
    """One setting in the text of a file: where it stands, and its value as it is written."""

    table: str
    key: str
    # Whether the key itself names the table, like `storage.driver = "overlay"`.
    is_dotted: bool
    value: str
    # Indexes of its first line, and of the line after its last.
    first: int
    end: int


class Tables(NamedTuple):
    """What is in a file."""

    lines: List[str]
    # (name, index of its line) of each [table].
    headers: List[Tuple[str, int]]
    settings: List[Setting]


# -- reading ---------------------------------------------------------------------------------------------------------


def _name(text: str) -> str:
    """A name as it is meant: "storage" . options is storage.options."""
    return ".".join(part.strip().strip("\"'") for part in text.split("."))


def _pieces(value: str) -> List[str]:
    return [piece.group() for piece in _PIECE.finditer(value)]


def _is_whole(value: str) -> bool:
    """Whether brackets and strings that a value opens are closed."""
    pieces = _pieces(value)
    opened = sum(piece in "[{" for piece in pieces) - sum(piece in "]}" for piece in pieces)
    # A quote that is left over opens a string of several lines, or is a mistake.
    return opened <= 0 and not any(piece in "\"'" for piece in pieces)


def _bare(value: str) -> str:
    """A value without comments."""
    return "".join(piece for piece in _pieces(value) if not piece.startswith("#")).strip()


def read_tables(text: str) -> Tables:
    """Tables and settings of a file. Raises TomlError."""
    if "\ufffd" in text:
        raise TomlError("it has characters that are not UTF-8")
    found = Tables(_LINE.findall(text), [], [])
    table, index, has_arrays = "", 0, False
    while index < len(found.lines):
        line = found.lines[index]
        header, key = _HEADER.match(line), _KEY.match(line)
        end = index + 1
        if header:
            table = _name(header.group("name"))
            has_arrays = has_arrays or bool(header.group("array"))
            # Tables below one of an array may stand there again.
            if table in [name for name, _line in found.headers] and not has_arrays:
                raise TomlError(f"it has the table [{table}] twice")
            found.headers.append((table, index))
        elif key:
            value = line[key.end() :]
            while not _is_whole(value):
                if end == len(found.lines):
                    raise TomlError(f"its line {index + 1} opens a bracket or a string that nothing closes")
                value += found.lines[end]
                end += 1
            path = [part for part in [table, *_name(key.group("name")).split(".")] if part]
            is_dotted = "." in _name(key.group("name"))
            place = ".".join(path[:-1])
            found.settings.append(Setting(place, path[-1], is_dotted, _bare(value), index, end))
        elif line.strip().strip("\ufeff") and not line.strip().strip("\ufeff").startswith("#"):
            raise TomlError(f"its line {index + 1} is no setting")
        index = end
    return found


def value_of(tables: Tables, table: str, key: str) -> Optional[str]:
    """The value of a setting as it is written, or None if there is none."""
    found = [one.value for one in tables.settings if (one.table, one.key) == (table, key)]
    return found[-1] if found else None


def texts_in(value: str) -> List[str]:
    """The strings of a value: one, or those of an array."""
    return [_unescaped(double) if double else single for double, single in _STRING.findall(value)]


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text  # an escape that only TOML has, like \U0001F600


def text_in(value: Optional[str]) -> Optional[str]:
    """The string that a value is, or None."""
    return (texts_in(value) or [""])[0] if value else None


# -- writing ---------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """A text as a value."""
    return json.dumps(text, ensure_ascii=False)


def _ending(lines: List[str]) -> str:
    return "\r\n" if lines and lines[0].endswith("\r\n") else "\n"


def _replaced(lines: List[str], setting: Setting, value: str) -> str:
    """The line of a setting with another value. A comment after it stays."""
    first, last = lines[setting.first], lines[setting.end - 1]
    key = _KEY.match(first)
    start = first[: key.end()] if key else ""
    start = start.rstrip(" \t") + " " if start.rstrip(" \t").endswith("=") else start
    pieces = _pieces(last if setting.end - setting.first > 1 else first[len(start) :])
    comment = next((piece.rstrip() for piece in pieces if piece.startswith("#")), "")
    return f"{start}{value}{' ' + comment if comment else ''}{_ending(lines)}"


def _place(tables: Tables, table: str, key: str) -> int:
    """The index of the line before which a new setting of a table goes: after its commented form, or the header."""
    start = next(line for name, line in tables.headers if name == table) + 1
    end = next((line for _name, line in tables.headers if line >= start), len(tables.lines))
    commented = re.compile(rf"^[ \t]*#[ \t]*{re.escape(key)}[ \t]*=[^\[]*$")
    return next((line + 1 for line in range(start, end) if commented.match(tables.lines[line])), start)


def with_setting(text: str, table: str, key: str, value: str) -> str:
    """The text of a file with one setting of a table: changed where it stands, or added. Raises TomlError.

    value: as it is written in TOML. A setting that stands there more than once is left once.
    """
    tables = read_tables(text)
    lines = list(tables.lines)
    there = [one for one in tables.settings if (one.table, one.key) == (table, key)]
    if there:
        if (there[0].value, len(there)) == (value, 1):
            return text
        for one in reversed(there[1:]):
            del lines[one.first : one.end]
        lines[there[0].first : there[0].end] = [_replaced(lines, there[0], value)]
        return "".join(lines)
    ending = _ending(lines)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += ending
    if table in [name for name, _line in tables.headers]:
        lines.insert(_place(tables, table, key), f"{key} = {value}{ending}")
        return "".join(lines)
    if any(one.table == table or (one.table, one.key) == ("", table) for one in tables.settings):
        raise TomlError(f"it has table {table} in a form other than [{table}]")
    gap = [ending] if lines and lines[-1].strip() else []
    return "".join([*lines, *gap, f"[{table}]{ending}", f"{key} = {value}{ending}"])
