# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-playbook against the stand-in over real TLS, as an operator runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from standin import StandIn

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = Path(os.environ.get("ECE_COLLECTIONS_PATH", ROOT / "build" / "collections"))
# The spec is a fact kept beside the project; where it is not, the stand-in goes unjudged.
SPEC = Path(os.environ.get("ECE_API_SPEC", ROOT.parent / "shared" / "ece" / "api.json"))
CORES = {
    "core": Path(sys.executable).parent,
    "oldest": Path(os.environ.get("ECE_OLDEST_CORE", ROOT / ".venv" / "oldest" / "bin")),
}
PLAYBOOK = "ece.platform.add_allocators"


@dataclass
class Run:
    """How one ansible-playbook ended."""

    rc: int
    output: str
    recap: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The output with every run of white space as one blank, because Ansible wraps lines."""
        return " ".join(self.output.split())

    def total(self, what: str) -> int:
        return sum(counts[what] for counts in self.recap.values())


class Operator:
    """Has a stand-in, an inventory and credentials, and runs plays."""

    def __init__(self, ece: StandIn, folder: Path, core: Path) -> None:
        self.ece = ece
        self.folder = folder
        self.core = core
        self.environment = {"ECE_USERNAME": ece.username, "ECE_PASSWORD": ece.password}
        self.hosts: dict[str, dict] = {}
        self.group_vars: dict = {}
        self.options: tuple[str, ...] = ()

    def new_host(self, name: str, ip: str, zone: str = "ece-zone-1", **knobs) -> dict:
        """A host that waits to join; returns its inventory variables, to be changed by the test."""
        self.hosts[name] = self.ece.add_host(name, ip, zone=zone, **knobs)
        return self.hosts[name]

    def inventory(self) -> Path:
        content = self.ece.inventory(self.hosts)
        content["all"]["vars"].update({"ece_host_wait_interval": 1, "ece_host_settle_time": 1, **self.group_vars})
        content["all"]["vars"] = {key: value for key, value in content["all"]["vars"].items() if value is not None}
        path = self.folder / "inventory.yml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    def command(self, playbook: str | Path = PLAYBOOK, *options: str) -> tuple[list[str], dict[str, str]]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "ECE_"))}
        environment = {
            **kept,
            "PATH": f"{self.core}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            **self.environment,
        }
        return [str(self.core / "ansible-playbook"), str(playbook), "-i", str(self.inventory()), *options], environment

    def play(self, *options: str, playbook: str | Path = PLAYBOOK, warnings: bool = False) -> Run:
        """Run a playbook to its end. No play of ours makes Ansible warn, unless the test is about a warning."""
        command, environment = self.command(playbook, *options)
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180, cwd=self.folder, check=False)
        return self._run(done.returncode, done.stdout, warnings)

    def finished(self, process: subprocess.Popen) -> Run:
        """The end of a playbook that was begun with command()."""
        return self._run(process.wait(180), process.communicate(timeout=180)[0], warnings=True)

    def _run(self, rc: int, output: str, warnings: bool) -> Run:
        run = Run(rc, output)
        for host, counts in re.findall(r"^(\S+)\s+: (ok=.*)$", output, re.MULTILINE):
            run.recap[host] = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", counts)}
        assert "Traceback" not in run.output, run.output
        assert warnings or not re.search(r"\[(WARNING|DEPRECATION WARNING)\]", run.output), run.output
        for secret in (self.ece.password, self.ece.api_key, "eyJ"):
            # No assert: pytest would compare a secret with a megabyte of output, and print both.
            if secret in run.output:
                start = run.output.index(secret)
                pytest.fail(f"a secret is in the output, after: {run.output[max(0, start - 300) : start]}")
        return run

    def write(self, name: str, plays: list) -> Path:
        path = self.folder / name
        path.write_text(yaml.safe_dump(plays), encoding="utf-8")
        return path


@pytest.fixture
def standin_options() -> dict:
    """Overridden by parametrizing: options of this test's StandIn."""
    return {}


@pytest.fixture
def ece(standin_options):
    with StandIn(**{"connect_seconds": 0.5, "install_seconds": 1.0, "spec": SPEC if SPEC.is_file() else None, **standin_options}) as standin:
        yield standin
        assert not standin.violations, "requests or replies do not fit the API's spec"


@pytest.fixture
def operator(ece, tmp_path) -> Operator:
    return Operator(ece, tmp_path, CORES["core"])


@pytest.fixture(params=sorted(CORES))
def any_operator(request, ece, tmp_path) -> Operator:
    """Once with the current ansible-core, once with the oldest one that the collection supports."""
    return Operator(ece, tmp_path, CORES[request.param])
