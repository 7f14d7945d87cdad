# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The files of a report on a fleet: which they are, and how they are written."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.plugin_utils._fleet import Report, fleet_line, without_time
from ansible_collections.ece.platform.plugins.plugin_utils._fleet_page import page_of

SUFFIXES = (".html", ".htm")
# A page names hosts, addresses and free capacity, which are no secrets, and nothing for everyone.
DEFAULT_MODE = 0o600
# Without these the next run could not compare what it finds.
OWNER_MODE = 0o600


class Files(NamedTuple):
    """The two files of a report. mode: None for that of the file that is there, else DEFAULT_MODE."""

    page: Path
    data: Path
    mode: int | None = None


class Found(NamedTuple):
    """What the two files hold. None for one that is missing or cannot be read."""

    page: str | None
    data: dict[str, Any] | None


def path_problem(value: Any) -> str | None:
    """Return what is wrong with the path of a page, as the end of a sentence that begins with its variable, or None."""
    # No system has a file with such a character in its name that a user meant.
    if not isinstance(value, str) or not value.isprintable():
        return f"{value!r} is not a path: give one that ends with .html, like fleet.html"
    try:
        return _place_problem(value, _absolute(value))
    except OSError as error:  # a name that is too long
        return f"{value!r} cannot be a file here ({error.strerror}): give another path"


def _place_problem(value: str, path: Path) -> str | None:
    if path.suffix.lower() not in SUFFIXES:
        return f"{value!r} does not end with .html: give the path of the page; the same as JSON is written beside it"
    if not path.parent.is_dir():
        return f"{value!r} is in {str(path.parent)!r}, which is not a folder here: create it, or give another path"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return f"{value!r} is in {str(path.parent)!r}, where this user may not write: give another path"
    for taken in (path, path.with_suffix(".json")):
        if taken.is_dir():
            return f"{value!r} cannot be written, because {str(taken)!r} is a folder: give another path"
    return None


def mode_problem(value: Any) -> str | None:
    """Return what is wrong with the mode of the files, as the end of a sentence that begins with its variable, or None.

    A number has lost in YAML whether it was octal.
    """
    if not isinstance(value, str) or not re.fullmatch(r"0?[0-7]{3}", value):
        return f"{value!r} is not a mode: give four octal digits as text, in quotes, like '0640'"
    if int(value, 8) & OWNER_MODE != OWNER_MODE:
        return f"{value!r} takes reading or writing away from the owner, who updates the report: use one like '0640'"
    return None


def files_of(path: str, mode: str | None = None) -> Files:
    """Return the files for a path and a mode that have no problem. A path is relative to the working folder."""
    page = _absolute(path)
    return Files(page, page.with_suffix(".json"), None if mode is None else int(mode, 8))


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(path)))


def read(files: Files) -> Found:
    """Return what the files hold."""
    page = data = None
    with contextlib.suppress(OSError, ValueError):
        page = files.page.read_text(encoding="utf-8")
    with contextlib.suppress(OSError, ValueError, RecursionError):
        data = json.loads(files.data.read_text(encoding="utf-8"))
    return Found(page, data if isinstance(data, dict) else None)


def differs(report: Mapping[str, Any], found: Found, files: Files) -> bool:
    """Return whether the files say something else than the report, apart from its time, or have another mode."""
    if found.data is None or found.page is None or without_time(found.data) != _as_json(without_time(report)):
        return True
    if found.page != page_of({**report, "made_at": found.data.get("made_at")}):
        return True
    return any(_mode_of(path) != _wanted_mode(path, files.mode) for path in files[:2])


def publish(report: Report, files: Files, *, check_mode: bool, diff: bool = False) -> dict[str, Any]:
    """Write the report, unless in check mode. Return the result of the task. Raises OptionError, as `write` does."""
    found = read(files)
    result: dict[str, Any] = {
        "changed": differs(report, found, files),
        "msg": fleet_line(report),
        "page": str(files.page),
        "data": str(files.data),
    }
    if not check_mode:
        write(report, files)
    if diff:
        headers = {"before_header": str(files.data), "after_header": str(files.data)}
        result["diff"] = {**headers, "before": _text(found.data), "after": _text(report)}
    return result


def _text(report: Mapping[str, Any] | None) -> str:
    # The time would differ each time.
    return "" if report is None else json.dumps(without_time(report), indent=1) + "\n"


def write(report: Mapping[str, Any], files: Files) -> None:
    """Write both files. Each is complete at any time, and never readable for others before it has its mode.

    Raises OptionError, which names the path.
    """
    texts = {files.data: json.dumps(report, indent=1) + "\n", files.page: page_of(report)}
    for path, text in texts.items():
        try:
            _replace(path, text, _wanted_mode(path, files.mode))
        except OSError as error:
            raise OptionError(
                f"the report cannot be written to {str(path)!r} ({error.strerror}): make room or give another path"
            ) from None


def _replace(path: Path, text: str, mode: int) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _mode_of(path: Path) -> int | None:
    try:
        return path.stat().st_mode & 0o777
    except OSError:
        return None


def _wanted_mode(path: Path, mode: int | None) -> int:
    if mode is not None:
        return mode
    found = _mode_of(path)
    return DEFAULT_MODE if found is None else found | OWNER_MODE


def _as_json(value: Any) -> Any:
    """Return a value as it is once it has been written and read."""
    return json.loads(json.dumps(value))
