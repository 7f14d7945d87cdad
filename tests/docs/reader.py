# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reader of a page who types its commands one after the other in one shell, against a stand-in of the platform."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import COLLECTIONS
from tests.docs import rules
from tests.docs.blocks import CHECKOUT, Block, Command, commands, files_of_the_repository
from tests.machine import without_settings
from tests.standin import StandIn

PAGE_TIMEOUT_SECONDS = 300
START_TIMEOUT_SECONDS = 60
# Collections of others, of which this one needs some.
OTHERS = CHECKOUT / "build" / "others"
# What the stand-in sets for its local hosts and a page sets for real ones, which is what is tested.
OF_THE_PAGE = ("ece_host_zone", "ece_host_installer_src", "ece_host_installer_path")
_MARK = "=== docs ==="
# What differs from run to run: ports, times and the memory of a host.
_DIFFERING = (
    (re.compile(r":\d{5}\b"), ":PORT"),
    (re.compile(r"^\d+:\d\d\b"), "TIME"),
    (re.compile(r"\b(\d+m)?\d+s\b"), "SECONDS"),
    (re.compile(r"\b\d+ GB\b"), "MEMORY"),
)


def clone_source(folder: Path) -> Path:
    """Make a repository of the checkout as it is now, with what is not committed yet, and return its path."""
    source = folder / "ece.platform.git"
    for name in files_of_the_repository():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, source / name)
    git = ["git", "-c", "user.name=docs", "-c", "user.email=docs@example.com", "-c", "init.defaultBranch=main"]
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "docs"]):
        subprocess.run([*git, *arguments], cwd=source, check=True)
    return source


def hosts_of(inventory: dict[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """Yield name, address in the platform and zone of each host of an inventory."""
    for group in inventory.values():
        for name, found in ((group or {}).get("hosts") or {}).items():
            variables = found or {}
            address = variables.get("ece_host_ip") or variables.get("ansible_host") or name
            yield str(name), str(address), variables.get("ece_host_zone")
        yield from hosts_of((group or {}).get("children") or {})


class Reader:
    """Reads one page in a folder. Its attributes are what `rules.SUBSTITUTIONS` names."""

    def __init__(self, page: str, folder: Path, ece: StandIn, repository: Path, galaxy: str = "") -> None:
        self.page = page
        self.folder = folder
        self.ece = ece
        self.repository = str(repository)
        self.git_source = f"git+file://{repository}"
        self.galaxy = galaxy
        self.url, self.ca_path = ece.url, ece.ca_path
        self.installer_path = str(ece.installer_path)
        self.installer_url = f"{ece.url}/installer/{ece.installer_path.name}"
        self.installer_download = f"--cacert {ece.ca_path} {self.installer_url}"
        self.checksum = f"sha256:{hashlib.sha256(ece.installer_path.read_bytes()).hexdigest()}"
        self.standin_folder = str(folder / "ece-standin")
        self.home = folder / "home"
        self.start = folder / "work"

    def replaced(self, text: str) -> str:
        """Return a text of the page with what stands for examples here."""
        for example, attribute in rules.SUBSTITUTIONS.items():
            text = text.replace(example, getattr(self, attribute))
        return text

    # -- what the reader has ------------------------------------------------------------------------------------------

    def prepare(self, inventories: Sequence[Block], given: Sequence[Block]) -> None:
        """Write what the reader has before: the hosts, given files, the installer, and the settings of the stand-in."""
        self.home.mkdir()
        self.start.mkdir()
        for block in given:
            (self.start / block.file).write_text(self.replaced(block.text), encoding="utf-8")
        (self.home / ".registry-password").write_text("example\n", encoding="utf-8")
        (self.start / "files").mkdir()
        shutil.copy(self.ece.installer_path, self.start / "files")
        self._write_variables(inventories)

    def _write_variables(self, inventories: Sequence[Block]) -> None:
        everywhere = {
            "ece_host_installer_url": self.installer_url,
            "ece_host_installer_ca_path": self.ca_path,
            "ece_host_coordinator": "127.0.0.1",
            "ece_host_wait_interval": 1,
            "ece_host_settle_time": 1,
        }
        self._write("group_vars/all.yml", everywhere)
        joined = {runner.host_ip for runner in self.ece.platform.current_runners()}
        found = {name: (ip, zone) for block in inventories for name, ip, zone in hosts_of(block.data)}
        for name, (ip, zone) in found.items():
            if ip not in joined:
                variables = self.ece.add_host(name, ip, zone=zone)
                self._write(f"host_vars/{name}.yml", {k: v for k, v in variables.items() if k not in OF_THE_PAGE})

    def _write(self, name: str, content: dict[str, Any]) -> None:
        path = self.start / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")

    def environment(self, installs: bool) -> dict[str, str]:
        """Return the environment of the shell. installs: whether the page itself installs the collection."""
        collections = [str(self.home / "collections"), *([] if installs else [str(COLLECTIONS), str(OTHERS)])]
        return {
            **without_settings(),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "ANSIBLE_HOME": str(self.home / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(self.home / "remote-tmp"),
            "ANSIBLE_COLLECTIONS_PATH": ":".join(collections),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_GALAXY_SERVER": self.galaxy,
            "ECE_USERNAME": self.ece.username,
            "ECE_PASSWORD": self.ece.password,
        }

    # -- what the reader types ----------------------------------------------------------------------------------------

    def script(self, blocks: Sequence[Block]) -> tuple[str, list[tuple[Block, Command]]]:
        """Return a script of the page's files and commands, and the commands whose outputs follow its marks."""
        lines, typed = ["set -e", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"], []
        for block in blocks:
            if block.file:
                quoted = shlex.quote(self.replaced(block.text))
                lines.append(f"mkdir -p $(dirname {block.file}); printf %s {quoted} > {block.file}")
            if block.language != "console":
                continue
            for command in commands(block):
                if any(page == self.page and command.text.startswith(text) for page, text in rules.NOT_RUN):
                    continue
                lines += [f"echo {shlex.quote(_MARK)}", *self._typed(command)]
                typed.append((block, command))
        return "\n".join([*lines, ""]), typed

    def _typed(self, command: Command) -> list[str]:
        text = self.replaced(command.text)
        for beginning, ready in rules.OTHER_TERMINALS.get(self.page, {}).items():
            if command.text.startswith(beginning):
                log = self.folder / "other-terminal"
                seen = f"grep -q {shlex.quote(ready)} {log}"
                wait = f"for i in $(seq {START_TIMEOUT_SECONDS * 5}); do {seen} && break; sleep 0.2; done; {seen}"
                return [f"touch {log}; {text} > {log} 2>&1 &", wait, f"cat {log}"]
        if any(page == self.page and command.text.startswith(begin) for page, begin in rules.ONLY_CHECKED):
            return [f"{text} --syntax-check"]
        lines = [text]
        if text.startswith("cd "):
            # The clone has no environment yet; the one of these tests spares it the downloads.
            lines.append(f"ln -s {Path(sys.executable).parents[1]} .venv && test -e .venv/demo.done")
            lines.append("touch -d 2001-01-01 tests/requirements*.txt")
        return lines

    def read(self, blocks: Sequence[Block]) -> list[tuple[Block, Command, str]]:
        """Run the page, and return its commands with their outputs. Raises AssertionError if a command fails."""
        script, typed = self.script(blocks)
        path = self.folder / "page.sh"
        path.write_text(script, encoding="utf-8")
        installs = "ansible-galaxy collection install" in script
        environment = self.environment(installs)
        if "read -rs" in script:  # the reader types an API key
            environment = {key: value for key, value in environment.items() if not key.startswith("ECE_")}
        returncode, output = self._run(["bash", str(path)], environment)
        outputs = output.split(f"{_MARK}\n")[1:]
        assert returncode == 0, f"{typed[len(outputs) - 1][1].text} ended with {returncode}:\n{outputs[-1]}"
        assert len(outputs) == len(typed)
        return [(block, command, output) for (block, command), output in zip(typed, outputs)]

    def _run(self, command: Sequence[str], environment: dict[str, str]) -> tuple[int, str]:
        """Return exit code and output. Whatever the page started ends with it."""
        process = subprocess.Popen(
            command,
            cwd=self.start,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _nothing = process.communicate(f"{self.ece.api_key}\n", timeout=PAGE_TIMEOUT_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, output

    # -- what the reader sees -----------------------------------------------------------------------------------------

    def shows(self, command: Command, output: str) -> bool:
        """Return whether an output is what the page shows, where a line of three dots stands for any lines."""
        if not command.output:
            return True
        pattern = "".join(
            r"(?:.*\n)*?"
            if line.strip() == "..."
            else re.escape(_plain(self.replaced(line))).replace(r"\.\.\.", ".*") + "\n"
            for line in command.output
        )
        return (
            re.fullmatch(pattern, "".join(f"{_plain(line)}\n" for line in output.splitlines() if line.strip()))
            is not None
        )


def _plain(line: str) -> str:
    line = " ".join(line.split())
    for differing, name in _DIFFERING:
        line = differing.sub(name, line)
    return line
