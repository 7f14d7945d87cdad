# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An operator who runs ansible-playbook against the stand-in.

After each run a scan searches for secrets wherever the run may have left them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.scanner import Hit, Needle, Processes, Scan, needles_for, scan_bytes, scan_processes, scan_tree
from tests.machine import without_settings
from tests.standin import StandIn
from tests.standin.faults import Fault
from tests.standin.hosts import LocalHost

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = Path(os.environ.get("ECE_COLLECTIONS_PATH", ROOT / "build" / "collections"))
PLAYBOOK = "ece.platform.add_allocators"
CALLBACKS = Path(__file__).parent / "callbacks"
PLAY_TIMEOUT_SECONDS = 300
# Environment variables with which operators pass a credential to every process that they start.
EXPORTED = ("ECE_PASSWORD", "ECE_API_KEY")
# Variables with which operators write a credential into an inventory.
WRITTEN = {"ece_password", "ece_api_key"}
# The stand-in's installer logs its token here, as the vendor's may. The token is masked once the installer has ended.
LOGS_WITH_A_TOKEN = Path("logs", "bootstrap-logs")
# The sum of all scans of this process. The main process of pytest-xdist adds those of its workers at the end.
SCANNED = Scan()


@dataclass
class Run:
    """How one ansible-playbook ended. hits: the secrets that it left or showed."""

    rc: int
    output: str
    recap: dict[str, dict[str, int]] = field(default_factory=dict)
    hits: list[Hit] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The output with a single blank for every run of white space, because Ansible wraps lines."""
        return " ".join(self.output.split())

    def total(self, what: str) -> int:
        """Return the sum of a column of the recap."""
        return sum(counts[what] for counts in self.recap.values())


@dataclass
class RunningPlay:
    """A playbook that runs, and the watch over its processes."""

    process: subprocess.Popen[str]
    watch: contextlib.AbstractContextManager[None]

    def read_until(self, text: str) -> None:
        """Read its output up to a line that has this text. Kills it if that takes too long."""
        assert self.process.stdout
        limit = threading.Timer(PLAY_TIMEOUT_SECONDS, os.killpg, (self.process.pid, signal.SIGKILL))
        limit.start()
        try:
            read = []
            for line in self.process.stdout:
                read.append(line)
                if text in line:
                    return
        finally:
            limit.cancel()
        raise AssertionError(f"the run ended without {text!r}: {''.join(read)}")


class Operator:
    """Has a stand-in, an inventory and credentials, and runs plays."""

    def __init__(self, ece: StandIn, folder: Path, core: Path) -> None:
        self.ece = ece
        self.folder = folder
        self.core = core
        self.environment = {"ECE_USERNAME": ece.username, "ECE_PASSWORD": ece.password}
        self.hosts: dict[str, dict[str, Any]] = {}
        self.group_vars: dict[str, Any] = {}
        self.options: list[str] = []
        # Faults of the stand-in that must strike a request, because otherwise the test has tested nothing.
        self.armed: list[Fault] = []
        # Files that hold credentials because the operator wrote them there.
        self.credential_files: set[Path] = set()
        self.records = folder / "records"
        # What the play's programs leave in their folder for temporary files. The machine's is other programs', too.
        self.temporary = Path(tempfile.mkdtemp(prefix="play-"))
        self.temporary.chmod(0o1777)
        self.processes = Processes((folder, ece.directory, self.temporary))

    # -- what a play gets ---------------------------------------------------------------------------------------------

    def use_vars_file(self, **credentials: str) -> None:
        """Pass credentials in a file of extra variables instead of the environment; the administrator's by default."""
        path = self.folder / "credentials.yml"
        path.touch(mode=0o600)
        administrator = {"ece_username": self.ece.username, "ece_password": self.ece.password}
        path.write_text(yaml.safe_dump(credentials or administrator), encoding="utf-8")
        self.credential_files.add(path)
        for name in ("ECE_USERNAME", *EXPORTED):
            self.environment.pop(name, None)
        self.options += ["-e", f"@{path}"]

    def new_host(self, name: str, ip: str, zone: str = "ece-zone-1", **knobs: Any) -> dict[str, Any]:
        """Add a host that has not joined. Return its inventory variables, which the test may change."""
        self.hosts[name] = self.ece.add_host(name, ip, zone=zone, **knobs)
        return self.hosts[name]

    def inventory(self) -> Path:
        """Write the inventory. A group variable that is None removes the stand-in's own value."""
        content = self.ece.inventory(self.hosts)
        variables = {
            **content["all"]["vars"],
            "ece_host_wait_interval": 1,
            "ece_host_settle_time": 1,
            # The stand-in is on this machine, whatever connection a test has to its hosts.
            "ece_host_coordinator": "127.0.0.1",
            **self.group_vars,
        }
        content["all"]["vars"] = {key: value for key, value in variables.items() if value is not None}
        path = self.folder / "inventory.yml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        if WRITTEN & set(self.group_vars):
            self.credential_files.add(path)
        return path

    def write(self, name: str, plays: list[Any]) -> Path:
        """Write a playbook."""
        path = self.folder / name
        path.write_text(yaml.safe_dump(plays), encoding="utf-8")
        return path

    def command(self, playbook: str | Path = PLAYBOOK, *options: str) -> tuple[list[str], dict[str, str]]:
        """Return the command and the environment of a play."""
        program = str(self.core / "ansible-playbook")
        return [program, str(playbook), "-i", str(self.inventory()), *self.options, *options], self.play_environment()

    def play_environment(self) -> dict[str, str]:
        """Return the environment of a play, which has no setting of this machine."""
        # Without a file of its own a play would read /etc/ansible/ansible.cfg.
        configuration = self.folder / "ansible.cfg"
        configuration.touch()
        return {
            **without_settings(),
            "PATH": f"{self.core}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "TMPDIR": str(self.temporary),
            "ANSIBLE_CONFIG": str(configuration),
            "ANSIBLE_SYSTEM_TMPDIRS": str(self.temporary),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            # By default both are in the home folder that the user database knows, not in HOME.
            "ANSIBLE_REMOTE_TMP": str(self.folder / "remote-tmp"),
            "ANSIBLE_ASYNC_DIR": str(self.folder / "async"),
            # The path of a socket has to be short.
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.temporary / "cp"),
            "ANSIBLE_NOCOLOR": "1",
            **self.recorders(),
            **self.environment,
        }

    def recorders(self) -> dict[str, str]:
        """Return the settings of all that records a play, because each of these gets more than the screen shows."""
        self.records.mkdir(exist_ok=True)
        return {
            "ANSIBLE_LOG_PATH": str(self.records / "ansible.log"),
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.junit,every_result",
            "JUNIT_OUTPUT_DIR": str(self.records / "junit"),
            "EVERY_RESULT": str(self.records / "results.jsonl"),
            "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.records / "facts"),
        }

    # -- plays --------------------------------------------------------------------------------------------------------

    def play(self, *options: str, playbook: str | Path = PLAYBOOK, warnings: bool = False, leaks: bool = False) -> Run:
        """Run a playbook to its end.

        Raises AssertionError if Ansible warns, unless `warnings` is true, and fails the test if a secret leaks, unless
        `leaks` is true.
        """
        return self.run(*self.command(playbook, *options), warnings=warnings, leaks=leaks)

    def run(
        self, command: list[str], environment: dict[str, str], *, warnings: bool = False, leaks: bool = False
    ) -> Run:
        """Run a command to its end, with the same checks as `play`."""
        with self.processes.watching():
            done = subprocess.run(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=PLAY_TIMEOUT_SECONDS,
                cwd=self.folder,
                check=False,
            )
        return self._ended(done.returncode, done.stdout, warnings, leaks)

    def start(self, *options: str) -> RunningPlay:
        """Start the playbook in its own process group. `wait_for` has to follow."""
        command, environment = self.command(PLAYBOOK, *options)
        # Without it Python keeps the lines for a pipe until there are many.
        environment["PYTHONUNBUFFERED"] = "1"
        watch = self.processes.watching()
        watch.__enter__()
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            start_new_session=True,
        )
        return RunningPlay(process, watch)

    def wait_for(self, running: RunningPlay) -> Run:
        """Return the end of a started playbook. It may warn."""
        output = running.process.communicate(timeout=PLAY_TIMEOUT_SECONDS)[0]
        running.watch.__exit__(None, None, None)
        return self._ended(running.process.returncode, output, warnings=True, leaks=False)

    def _ended(self, rc: int, output: str, warnings: bool, leaks: bool) -> Run:
        run = Run(rc, output, recap_of(output), self.scan(output, leaks=leaks))
        assert "Traceback" not in output, output
        assert warnings or not re.search(r"\[(WARNING|DEPRECATION WARNING)\]", output), output
        return run

    # -- secrets ------------------------------------------------------------------------------------------------------

    def scan(self, output: str, *, leaks: bool = False) -> list[Hit]:
        """Search for every secret of the platform wherever a play can have left or shown it.

        A hit fails the test unless `leaks` is true.
        """
        needles = needles_for(self.ece.secrets)
        scan = Scan(plays=1, files=1, size=len(output), hits=scan_bytes(output.encode(), needles, "output"))
        scan.add(self._scan_files(needles))
        scan.add(self._scan_processes(needles))
        if not leaks:
            SCANNED.add(scan)
            if scan.hits:
                pytest.fail("secrets leak:\n" + "\n".join(map(str, scan.hits)), pytrace=False)
        return scan.hits

    def _scan_files(self, needles: list[Needle]) -> Scan:
        masked_later = {host.storage / LOGS_WITH_A_TOKEN for host in self.ece.hosts.values() if is_installing(host)}
        scan = scan_tree(self.folder, needles, exclude=self.credential_files.__contains__)
        scan.add(scan_tree(self.ece.directory, needles, exclude=lambda path: path.parent in masked_later))
        scan.add(scan_tree(self.temporary, needles))
        return scan

    def _scan_processes(self, needles: list[Needle]) -> Scan:
        exported = [f"{name}={self.environment[name]}" for name in EXPORTED if name in self.environment]
        scan = scan_processes(self.processes.seen.copy(), needles, exported)
        self.processes.seen.clear()
        return scan


def recap_of(output: str) -> dict[str, dict[str, int]]:
    """Return the counts of each host in Ansible's recap."""
    return {
        host: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", counts)}
        for host, counts in re.findall(r"^(\S+)\s+: (ok=.*)$", output, re.MULTILINE)
    }


def is_installing(host: LocalHost) -> bool:
    """Return whether an installer runs on a host: its record has no end yet."""
    record = host.install_record
    return record is not None and "rc" not in json.loads(record.read_text(encoding="utf-8"))
