# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""How many tasks (processes and threads) this process may still have: by its user, and by its container."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Iterator

# Where there is no limit, or none that can be read.
UNLIMITED = 1_000_000
# What others may need meanwhile.
RESERVED = 8


def tasks_left(root: Path = Path("/")) -> int:
    """Return how many tasks this process and its children may still start, at least 0.

    root: where `proc` and `sys` are.
    """
    return max(0, min([_left_to_user(root), *_left_to_groups(root)]) - RESERVED)


def _left_to_user(root: Path) -> int:
    limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if limit == resource.RLIM_INFINITY or os.geteuid() == 0:  # the limit is not for root
        return UNLIMITED
    user, tasks = os.getuid(), 0
    for process in (root / "proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == user:
                tasks += len(os.listdir(process / "task"))
        except OSError:
            continue  # it has ended, or it is not for this user to see
    return limit - tasks


def _left_to_groups(root: Path) -> Iterator[int]:
    """Yield what each control group that this process is in has left (version 2, or `pids` of version 1)."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _number, controllers, path = (line.split(":", 2) + ["", ""])[:3]
        if controllers not in ("", "pids"):
            continue
        top = root / "sys/fs/cgroup" / controllers
        group = top / path.lstrip("/")
        for folder in (folder for folder in (group, *group.parents) if folder.is_relative_to(top)):
            limit, current = _read(folder / "pids.max"), _read(folder / "pids.current")
            if limit.isdigit() and current.isdigit():  # it is "max", or there is no file, where there is no limit
                yield int(limit) - int(current)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
