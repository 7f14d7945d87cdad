# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of module_utils share."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def folder():
    """A folder that every user can reach, as pytest's own ones are not."""
    path = Path(tempfile.mkdtemp(prefix="ece-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)
