# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user that tests of host code run commands as: an ordinary one for root, else the user of the tests."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = os.geteuid() == 0
USER = pwd.getpwnam("nobody") if ROOT else pwd.getpwuid(os.geteuid())


@contextlib.contextmanager
def home_folder() -> Iterator[Path]:
    """Yield a folder of that user, which no folder of root is above."""
    folder = Path(tempfile.mkdtemp(prefix="ece-"))
    os.chown(folder, USER.pw_uid, USER.pw_gid)
    yield folder
    shutil.rmtree(folder)
