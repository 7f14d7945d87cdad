# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the installed collection and the tests importable. The checkout's own plugins are not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLLECTIONS = Path(os.environ.get("ECE_COLLECTIONS_PATH", ROOT / "build" / "collections"))

if not (COLLECTIONS / "ansible_collections" / "ece" / "platform").is_dir():
    raise SystemExit(
        f"the collection is not installed in {COLLECTIONS}: run `make install`, or set ECE_COLLECTIONS_PATH"
    )

sys.path.insert(0, str(COLLECTIONS))
sys.path.insert(0, str(ROOT))
