# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An administrator who runs playbook awx_setup against a fake of AWX's REST API, with the modules of awx.awx."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.awx.fake_awx import TOKEN, FakeAwx
from tests.integration.operator import COLLECTIONS, ROOT, Run, recap_of
from tests.machine import without_settings

# `make awx` takes the collection awx.awx out of a release of the package ansible, which it downloads.
AWX_COLLECTION = Path(os.environ.get("ECE_OTHER_COLLECTIONS", ROOT / "build" / "others"))
CORES = {
    "core": Path(sys.executable).parent,
    "oldest": Path(os.environ.get("ECE_OLDEST_CORE", ROOT / ".venv" / "oldest" / "bin")),
}
TIMEOUT_SECONDS = 600
# The playbooks of a project as examples has it.
PLAYBOOKS = (
    "add_allocators.yml",
    "fleet_report.yml",
    "prepare_hosts.yml",
    "remove_allocators.yml",
    "revoke_tokens.yml",
)


class Administrator:
    """Runs playbooks of the collection with a file of variables."""

    def __init__(self, folder: Path, core: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.core = core
        self.environment = environment
        self.collections = [COLLECTIONS, AWX_COLLECTION]

    def run(self, variables: dict[str, Any], *options: str, warnings: bool = False) -> Run:
        """Run awx_setup to its end. A traceback fails the test, and so does a warning unless `warnings` is true."""
        given = self.folder / "my_awx.yml"
        given.write_text(yaml.safe_dump(variables), encoding="utf-8")
        configuration = self.folder / "ansible.cfg"
        configuration.touch()
        done = subprocess.run(
            [self.core / "ansible-playbook", "ece.platform.awx_setup", "-e", f"@{given}", *options],
            env={
                **without_settings(),
                "PATH": f"{self.core}:{os.environ['PATH']}",
                "HOME": str(self.folder),
                "ANSIBLE_CONFIG": str(configuration),
                "ANSIBLE_COLLECTIONS_PATH": ":".join(map(str, self.collections)),
                "ANSIBLE_HOME": str(self.folder / "ansible"),
                "ANSIBLE_REMOTE_TMP": str(self.folder / "remote-tmp"),
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
                "ANSIBLE_NOCOLOR": "1",
                **self.environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_SECONDS,
            cwd=self.folder,
            check=False,
        )
        assert "Traceback" not in done.stdout, done.stdout
        assert warnings or not re.search(r"\[(WARNING|DEPRECATION WARNING)\]", done.stdout), done.stdout
        return Run(done.returncode, done.stdout, recap_of(done.stdout))


@pytest.fixture
def awx() -> Iterator[FakeAwx]:
    """Yield an AWX with an organization and its own credential types."""
    with FakeAwx(PLAYBOOKS) as fake:
        yield fake


def login_to(awx: FakeAwx) -> dict[str, str]:
    """Return the environment variables with the address of an AWX and the login to it."""
    return {"CONTROLLER_HOST": awx.url, "CONTROLLER_OAUTH_TOKEN": TOKEN}


@pytest.fixture
def administrator(awx: FakeAwx, tmp_path: Path) -> Administrator:
    """Return an administrator with the current ansible-core."""
    return Administrator(tmp_path, CORES["core"], login_to(awx))


@pytest.fixture
def oldest_administrator(awx: FakeAwx, tmp_path: Path) -> Administrator:
    """Return an administrator with the oldest ansible-core that the collection supports."""
    return Administrator(tmp_path, CORES["oldest"], login_to(awx))


@pytest.fixture(params=sorted(CORES))
def any_administrator(request: pytest.FixtureRequest, awx: FakeAwx, tmp_path: Path) -> Administrator:
    """Return an administrator with the current ansible-core, then one with the oldest."""
    return Administrator(tmp_path, CORES[request.param], login_to(awx))
