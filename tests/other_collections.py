# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collections of others that the tests use: callbacks, the connection to Podman, and the modules for AWX and for the
preparation of hosts.

    python -m tests.other_collections FOLDER

They come from the package ansible in the Python package index, so that no access to Ansible Galaxy is needed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements-collections.txt"
# What the tests use of each collection. Some have thousands of files.
PARTS = (
    "ansible/posix/",
    "awx/awx/",
    "community/general/MANIFEST.json",
    "community/general/meta/runtime.yml",
    "community/general/plugins/callback/",
    "community/general/plugins/doc_fragments/",
    "community/general/plugins/module_utils/",
    *(
        f"community/general/plugins/modules/{name}.py"
        for name in ("dnf_versionlock", "filesize", "filesystem", "modprobe", "zypper", "zypper_repository")
    ),
    "containers/podman/MANIFEST.json",
    "containers/podman/meta/runtime.yml",
    "containers/podman/plugins/connection/",
)


def main() -> None:
    """Download the package and unpack the parts into a folder."""
    folder = Path(sys.argv[1])
    wanted = tuple(f"ansible_collections/{part}" for part in PARTS)
    with tempfile.TemporaryDirectory() as downloads:
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest", downloads)
        command = [sys.executable, "-m", "pip", "download", *options, "-r", str(REQUIREMENTS)]
        subprocess.run(command, check=True)
        (wheel,) = Path(downloads).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder, [name for name in archive.namelist() if name.startswith(wanted)])
    missing = [part for part in PARTS if not (folder / "ansible_collections" / part).exists()]
    if missing:
        sys.exit(f"{wheel.name} has no {', '.join(missing)}: see {REQUIREMENTS.name}")


if __name__ == "__main__":
    main()
