# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What a step leaves for later steps of the same run that would be too large for a registered result.

Each task runs in a process of its own. Ansible keeps a copy of a registered result for each host, and prints it. These
notes are files in the temporary folder that Ansible makes for each run and removes at its end. They hold addresses and
names of hosts and runners, and no secret. Without them, as on a full disk, a step does its work again.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

from ansible import constants as C


def runner_notes(made_at: float) -> str:
    """Return the name of the notes on the platform's runners that go with the plan made at this time."""
    return f"runners-{made_at:.6f}"


def read_notes(name: str) -> dict[str, Any] | None:
    """Return the notes with this name, or None where there are none."""
    with contextlib.suppress(OSError, ValueError), open(_path(name), encoding="utf-8") as file:
        found = json.load(file)
        if isinstance(found, dict):
            return found
    return None


def write_notes(name: str, notes: dict[str, Any]) -> None:
    """Put notes in place of those with this name, if that is possible."""
    path = _path(name)
    with contextlib.suppress(OSError):
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(notes, file)
        os.replace(f"{path}.new", path)


def _path(name: str) -> str:
    return os.path.join(C.DEFAULT_LOCAL_TMP, f"ece-{name}.json")
