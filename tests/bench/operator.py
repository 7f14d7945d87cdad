# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An operator who runs playbooks against a stand-in with Ansible's defaults, and measures them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.run import Measured, run
from tests.machine import without_settings
from tests.standin import StandIn

PLAYBOOK = "ece.platform.add_allocators"


class Operator:
    """Writes inventories and playbooks into a folder, and runs them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o755)
        self.folder = folder
        self.configuration = folder / "ansible.cfg"
        self.configuration.touch()

    def environment(self, ece: StandIn, **more: str) -> dict[str, str]:
        """Return the environment of a play, without any setting of this machine but the collections path."""
        own = {
            "HOME": str(self.folder),
            "ANSIBLE_CONFIG": str(self.configuration),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
            "ANSIBLE_NOCOLOR": "1",
            # The time of a line counts. Without it Python keeps the lines for a pipe until there are many.
            "PYTHONUNBUFFERED": "1",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.folder / "cp"),
            "ECE_USERNAME": ece.username,
            "ECE_PASSWORD": ece.password,
        }
        return {**without_settings(), **own, **more}

    def write(self, name: str, content: Any) -> Path:
        """Write an inventory or a playbook as JSON, which is YAML, too."""
        path = self.folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def command(self, inventory: Path, playbook: str | Path = PLAYBOOK, options: Sequence[str] = ()) -> list[str]:
        """Return the command of a play."""
        return ["ansible-playbook", str(playbook), "-i", str(inventory), *options]

    def play(
        self,
        ece: StandIn,
        inventory: Path,
        playbook: str | Path = PLAYBOOK,
        options: Sequence[str] = (),
        expect: int = 0,
        **more: str,
    ) -> Measured:
        """Run a play to its end. Raises RuntimeError if its exit code is not the expected one."""
        ece.reset_requests()
        return run(self.command(inventory, playbook, options), self.environment(ece, **more), self.folder, expect)


def one_play(hosts: str, **play: Any) -> list[Mapping[str, Any]]:
    """Return a playbook of one play."""
    return [{"hosts": hosts, "gather_facts": False, **play}]
