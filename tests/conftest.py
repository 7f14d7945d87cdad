# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the installed collection and the tests importable. The checkout's own plugins are not.

No setting of the machine reaches a test. Every session of pytest, and every worker of pytest-xdist, has its own folder
for temporary files. It is removed at the end.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.machine import of_a_session  # noqa: E402

COLLECTIONS = Path(os.environ.get("ECE_COLLECTIONS_PATH", ROOT / "build" / "collections"))

if not (COLLECTIONS / "ansible_collections" / "ece" / "platform").is_dir():
    raise SystemExit(
        f"the collection is not installed in {COLLECTIONS}: run `make install`, or set ECE_COLLECTIONS_PATH"
    )

sys.path.insert(0, str(COLLECTIONS))

# Before any test imports Ansible, which reads its settings at once.
_HOME = ROOT / "build" / "ansible"
_CONFIGURATION = _HOME / "ansible.cfg"
_SETTINGS = {
    **of_a_session(os.environ),
    "ANSIBLE_HOME": str(_HOME),
    "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
    # Without a file of the tests it would be the machine's.
    "ANSIBLE_CONFIG": str(_CONFIGURATION),
}
_HOME.mkdir(parents=True, exist_ok=True)
_CONFIGURATION.touch()
os.environ.clear()
os.environ.update(_SETTINGS)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make the folder for temporary files, of pytest itself, too. Every user may write there, as in the machine's.

    The umask is a usual one, because the install user reads files of the tests.
    """
    os.umask(0o022)
    folder = tempfile.mkdtemp(prefix="ece-tests-")
    os.chmod(folder, 0o1777)
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
