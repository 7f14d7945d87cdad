# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-playbook against the stand-in over real TLS, as an operator runs it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.integration.scanner import Hit, Processes, Scan, needles_for, scan_bytes, scan_processes, scan_tree
from tests.standin import StandIn
from tests.standin.faults import Fault
from tests.standin.hosts import LocalHost

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = Path(os.environ.get("ECE_COLLECTIONS_PATH", ROOT / "build" / "collections"))
# The spec is a fact kept beside the project; where it is not, the stand-in goes unjudged.
SPEC = Path(os.environ.get("ECE_API_SPEC", ROOT.parent / "shared" / "ece" / "api.json"))
CORES = {
    "core": Path(sys.executable).parent,
    "oldest": Path(os.environ.get("ECE_OLDEST_CORE", ROOT / ".venv" / "oldest" / "bin")),
}
PLAYBOOK = "ece.platform.add_allocators"
CALLBACKS = Path(__file__).parent / "callbacks"
# Variables with which an operator puts a credential into the environment of all that he starts.
EXPORTED = ("ECE_PASSWORD", "ECE_API_KEY")
# Variables with which he writes one into an inventory.
WRITTEN = {"ece_password", "ece_api_key"}
# The stand-in writes its token into logs here, as the vendor's installer may. While it runs nobody can take it out.
LOGS_WITH_A_TOKEN = Path("logs", "bootstrap-logs")
# Folders of other tests; one's own are read as a whole.
OF_OTHER_TESTS = ("pytest-of-", "ece-standin-")
# Of all plays of this process, and at the end of all processes.
SCANNED = Scan()


@dataclass
class Run:
    """How one ansible-playbook ended."""

    rc: int
    output: str
    recap: dict[str, dict[str, int]] = field(default_factory=dict)
    # Secrets that this play left or showed anywhere.
    hits: list[Hit] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The output with every run of white space as one blank, because Ansible wraps lines."""
        return " ".join(self.output.split())

    def total(self, what: str) -> int:
        return sum(counts[what] for counts in self.recap.values())


def installs(host: LocalHost) -> bool:
    """Whether an installer on a host is under watch: its record has no end yet."""
    record = host.storage / "logs" / "ece-install" / "record.json"
    return record.exists() and "rc" not in json.loads(record.read_text(encoding="utf-8"))


@dataclass
class Begun:
    """A playbook that runs."""

    process: subprocess.Popen
    watching: contextlib.AbstractContextManager


class Operator:
    """Has a stand-in, an inventory and credentials, and runs plays."""

    def __init__(self, ece: StandIn, folder: Path, core: Path) -> None:
        self.ece = ece
        self.folder = folder
        self.core = core
        self.environment = {"ECE_USERNAME": ece.username, "ECE_PASSWORD": ece.password}
        self.hosts: dict[str, dict] = {}
        self.group_vars: dict = {}
        self.options: list[str] = []
        # Faults that have to strike, or the test has seen nothing.
        self.armed: list[Fault] = []
        # Files of the operator's own that hold credentials because he wrote them there.
        self.credential_files: set[Path] = set()
        self.records = folder / "records"
        self.since = time.time()
        self.processes = Processes()

    def use_vars_file(self, **credentials: str) -> None:
        """Hand credentials over in a file of extra variables instead of the environment; without an argument the administrator's."""
        path = self.folder / "credentials.yml"
        path.touch(mode=0o600)
        path.write_text(
            yaml.safe_dump(credentials or {"ece_username": self.ece.username, "ece_password": self.ece.password}),
            encoding="utf-8",
        )
        self.credential_files.add(path)
        self.environment = {
            key: value for key, value in self.environment.items() if key not in ("ECE_USERNAME", *EXPORTED)
        }
        self.options += ["-e", f"@{path}"]

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
        if WRITTEN & set(self.group_vars):
            self.credential_files.add(path)
        return path

    def command(self, playbook: str | Path = PLAYBOOK, *options: str) -> tuple[list[str], dict[str, str]]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "ECE_"))}
        environment = {
            **kept,
            "PATH": f"{self.core}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            # By default both are in the home that the user database knows, not in this one.
            "ANSIBLE_REMOTE_TMP": str(self.folder / "remote-tmp"),
            "ANSIBLE_ASYNC_DIR": str(self.folder / "async"),
            "ANSIBLE_NOCOLOR": "1",
            **self.recorders(),
            **self.environment,
        }
        return [
            str(self.core / "ansible-playbook"),
            str(playbook),
            "-i",
            str(self.inventory()),
            *self.options,
            *options,
        ], environment

    def recorders(self) -> dict[str, str]:
        """Everything by which Ansible keeps what happened, because each gets to see more than the screen shows."""
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

    def play(self, *options: str, playbook: str | Path = PLAYBOOK, warnings: bool = False, leaks: bool = False) -> Run:
        """Run a playbook to its end. No play of ours makes Ansible warn, unless the test is about a warning; none leaks, unless it is about leaks."""
        return self.run(*self.command(playbook, *options), warnings=warnings, leaks=leaks)

    def run(
        self, command: list[str], environment: dict[str, str], *, warnings: bool = False, leaks: bool = False
    ) -> Run:
        with self.processes.watching():
            done = subprocess.run(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=180,
                cwd=self.folder,
                check=False,
            )
        return self._run(done.returncode, done.stdout, warnings, leaks)

    def begin(self, *options: str) -> Begun:
        """The playbook in a process group of its own, to be disturbed; finished() has to follow."""
        command, environment = self.command(PLAYBOOK, *options)
        watching = self.processes.watching()
        watching.__enter__()
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            start_new_session=True,
        )
        return Begun(process, watching)

    def finished(self, begun: Begun) -> Run:
        """The end of what was begun; it may warn."""
        output = begun.process.communicate(timeout=180)[0]
        begun.watching.__exit__(None, None, None)
        return self._run(begun.process.returncode, output, warnings=True, leaks=False)

    def _run(self, rc: int, output: str, warnings: bool, leaks: bool) -> Run:
        run = Run(rc, output, hits=self.scan(output, leaks=leaks))
        for host, counts in re.findall(r"^(\S+)\s+: (ok=.*)$", output, re.MULTILINE):
            run.recap[host] = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", counts)}
        assert "Traceback" not in run.output, run.output
        assert warnings or not re.search(r"\[(WARNING|DEPRECATION WARNING)\]", run.output), run.output
        return run

    def scan(self, output: str, *, leaks: bool = False) -> list[Hit]:
        """Look for every secret of the platform wherever a play can have left or shown it; a hit fails a test that is not about leaks."""
        needles = needles_for(self.ece.secrets)
        exported = [f"{name}={self.environment[name]}" for name in EXPORTED if name in self.environment]
        scan = Scan(plays=1, files=1, size=len(output), hits=scan_bytes(output.encode(), needles, "output"))
        scan.add(scan_tree(self.folder, needles, exclude=self.credential_files.__contains__))
        running = {host.storage / LOGS_WITH_A_TOKEN for host in self.ece.hosts.values() if installs(host)}
        scan.add(scan_tree(self.ece.directory, needles, exclude=lambda path: path.parent in running))
        scan.add(
            scan_tree(
                Path(tempfile.gettempdir()),
                needles,
                exclude=lambda path: path.name.startswith(OF_OTHER_TESTS),
                newer_than=self.since,
            )
        )
        scan.add(scan_processes(self.processes.seen.copy(), needles, exported, (self.folder, self.ece.directory)))
        self.processes.seen.clear()
        if not leaks:
            SCANNED.add(scan)
            if scan.hits:
                pytest.fail("secrets leak:\n" + "\n".join(map(str, scan.hits)), pytrace=False)
        return scan.hits

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
    with StandIn(
        **{"connect_seconds": 0.5, "install_seconds": 1.0, "spec": SPEC if SPEC.is_file() else None, **standin_options}
    ) as standin:
        yield standin
        assert not standin.violations, "requests or replies do not fit the API's spec"


@pytest.fixture
def operator(ece, tmp_path) -> Operator:
    return Operator(ece, tmp_path, CORES["core"])


@pytest.fixture
def oldest_operator(ece, tmp_path) -> Operator:
    return Operator(ece, tmp_path, CORES["oldest"])


@pytest.fixture(params=sorted(CORES))
def any_operator(request, ece, tmp_path) -> Operator:
    """Once with the current ansible-core, once with the oldest one that the collection supports."""
    return Operator(ece, tmp_path, CORES[request.param])


# -- what was scanned in the whole suite ---------------------------------------------------------------------------------


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands its part over."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["scanned"] = asdict(SCANNED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    part = getattr(node, "workeroutput", {}).get("scanned")
    if part:
        SCANNED.add(Scan(**{**part, "hits": [Hit(**hit) for hit in part["hits"]]}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if SCANNED.plays:
        terminalreporter.write_line(str(SCANNED))
