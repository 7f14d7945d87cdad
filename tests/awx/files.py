# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of extensions/awx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FILES = Path(__file__).resolve().parents[2] / "extensions" / "awx"


def load(*path: str) -> Any:
    """Return the content of a file."""
    return yaml.safe_load(FILES.joinpath(*path).read_text(encoding="utf-8"))
