# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project in examples/ as its README says: every command in its order, against the stand-in."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from tests.integration.operator import COLLECTIONS, PLAY_TIMEOUT_SECONDS, ROOT, Operator, recap_of

EXAMPLES = ROOT / "examples"
README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.*)$", "\n".join(re.findall(r"```console\n(.*?)```", README, re.DOTALL)), re.MULTILINE)
# What the README tells to write into the encrypted file.
(CREDENTIAL,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
VAULT_PASSWORD = "password-of-the-vault"
# The last of the README's hosts join in the tests, the others have joined.
NEW = ("allocator-4", "allocator-5", "allocator-6")
JOIN = "ansible-playbook add_allocators.yml -i inventory"


def test_the_readme_has_the_commands_that_the_tests_know() -> None:
    assert COMMANDS == [
        "cp -r examples my-platform",
        "cd my-platform",
        "ansible-galaxy collection install -r collections/requirements.yml",
        "ansible-vault create inventory/group_vars/allocators/vault.yml",
        f"{JOIN} --ask-vault-pass --check --diff",
        f"{JOIN} --ask-vault-pass",
        "export ANSIBLE_VAULT_PASSWORD_FILE=~/.my-platform-password",
        JOIN,
    ]


class Shell:
    """A user at a terminal, who answers each question for a password."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self.folder = operator.folder
        self.environment = operator.play_environment()
        # The project has its own ansible.cfg, folder of collections, and credential.
        for name in ("ANSIBLE_CONFIG", "ANSIBLE_COLLECTIONS_PATH", "ECE_USERNAME", "ECE_PASSWORD"):
            del self.environment[name]
        self.environment["EDITOR"] = f"cp {shlex.quote(str(self._file_with_the_credential()))}"

    def _file_with_the_credential(self) -> Path:
        """Return a file with what the user types in the editor."""
        ece = self._operator.ece
        path = self.folder / "typed.yml"
        text = CREDENTIAL.replace("admin", json.dumps(ece.username)).replace("THE PASSWORD", json.dumps(ece.password))
        assert yaml.safe_load(text) == {"ece_username": ece.username, "ece_password": ece.password}
        path.write_text(text, encoding="utf-8")
        self._operator.credential_files.add(path)
        return path

    def type(self, command: str, **replaced: str) -> str:
        """Run a command of the README. Return its output, which has no secret. Fails with the command."""
        assert command in COMMANDS
        arguments = shlex.split(command)
        if arguments[0] == "cd":
            self.folder /= arguments[1]
            return ""
        if arguments[0] == "export":
            name, _, value = arguments[1].partition("=")
            self.environment[name] = value.replace("~", self.environment["HOME"], 1)
            return ""
        arguments = [replaced.get(word, word) for word in arguments]
        with self._operator.processes.watching():
            output, rc = at_a_terminal(arguments, self.environment, self.folder)
        assert rc == 0, output
        assert VAULT_PASSWORD not in output and "[WARNING]" not in output, output
        self._operator.scan(output)
        return output


def at_a_terminal(command: list[str], environment: dict[str, str], folder: Path) -> tuple[str, int]:
    """Run a command at a terminal, answer what asks for a password, and return the output and the exit code."""
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    output, answered, deadline = "", 0, time.monotonic() + PLAY_TIMEOUT_SECONDS
    try:
        while time.monotonic() < deadline:
            if not select.select([master], [], [], 1)[0]:
                continue
            try:
                data = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            output += data.decode(errors="replace")
            questions = len(re.findall(r"[Vv]ault password.*?: ?", output))
            for _ in range(questions - answered):
                os.write(master, f"{VAULT_PASSWORD}\n".encode())
            answered = questions
        return output.replace("\r\n", "\n"), process.wait(60)
    finally:
        process.kill()
        process.wait()
        os.close(master)


@pytest.fixture
def shell(operator: Operator) -> Shell:
    """Return a user of a copy of the project, with a platform that fits the project's inventory."""
    ece = operator.ece
    content = yaml.safe_load((EXAMPLES / "inventory" / "hosts.yml").read_text(encoding="utf-8"))
    for group in content["allocators"]["children"].values():
        for name, variables in group["hosts"].items():
            address = variables.get("ece_host_ip", variables["ansible_host"])
            if name in NEW:
                operator.new_host(name, address, zone=group["vars"]["ece_host_zone"])
            else:
                ece.platform.add_runner(address, zone=group["vars"]["ece_host_zone"])
                # As the group's variables declare it.
                ece.platform.set_metadata(address, [("ssd", "true")], None)
                ece.platform.set_settings(address, {"capacity": 204800}, None)
    shell = Shell(operator)
    shell.type("cp -r examples my-platform", examples=str(EXAMPLES))
    shell.type("cd my-platform")
    installed = shell.folder / "collections" / "ansible_collections"
    installed.symlink_to(COLLECTIONS / "ansible_collections")
    return shell


def edit(shell: Shell, operator: Operator) -> None:
    """Edit the project as the README says: address and CA certificate of the platform, and what the hosts share."""
    ece = operator.ece
    (shell.folder / "ca.pem").write_bytes(Path(ece.ca_path).read_bytes())
    folder = shell.folder / "inventory" / "group_vars" / "allocators"
    settings = (folder / "main.yml").read_text(encoding="utf-8")
    assert "https://ece.example.com:12443" in settings
    (folder / "main.yml").write_text(settings.replace("https://ece.example.com:12443", ece.url), encoding="utf-8")
    # What stands for machines here are folders of this one, which differ in their name alone.
    common = {
        key: value for key, value in operator.hosts[NEW[0]].items() if key not in ("ece_host_ip", "ece_host_zone")
    }
    common |= {"ece_host_wait_interval": 1, "ece_host_settle_time": 1, "ece_host_coordinator": "127.0.0.1"}
    common["ece_host_ip"] = "{{ ansible_host }}"  # Ansible reaches it without a network, so it says nothing of it
    text = yaml.safe_dump(common).replace(f"/hosts/{NEW[0]}", "/hosts/{{ inventory_hostname }}")
    (folder / "standin.yml").write_text(text, encoding="utf-8")


def test_the_commands_of_the_readme_work_in_their_order(shell: Shell, operator: Operator) -> None:
    ece = operator.ece
    # The collection is there, because the tests have no Galaxy. The client checks that it is what the file asks for.
    assert "already installed" in shell.type("ansible-galaxy collection install -r collections/requirements.yml")
    edit(shell, operator)
    shell.type("ansible-vault create inventory/group_vars/allocators/vault.yml")
    vault = shell.folder / "inventory" / "group_vars" / "allocators" / "vault.yml"
    assert vault.read_text(encoding="utf-8").startswith("$ANSIBLE_VAULT;1.1;AES256\n")

    check = shell.type(f"{JOIN} --ask-vault-pass --check --diff")
    assert "6 hosts: 3 joined, 3 new" in check and ece.mutations == []
    shell.type(f"{JOIN} --ask-vault-pass")
    assert ece.joined == ["10.0.1.12", "10.0.2.12", "10.0.3.12"] and ece.minted == 1
    assert {ece.platform.runner(f"10.0.{zone}.12").zone for zone in (1, 2, 3)} == {
        f"ece-zone-{zone}" for zone in (1, 2, 3)
    }

    password_file = operator.folder / ".my-platform-password"
    password_file.write_text(VAULT_PASSWORD, encoding="utf-8")
    shell.type("export ANSIBLE_VAULT_PASSWORD_FILE=~/.my-platform-password")
    again = shell.type(JOIN)
    assert "6 hosts: 6 joined, 0 new" in again and ece.minted == 1
    assert sum(counts["changed"] for counts in recap_of(again).values()) == 0


def test_a_file_of_the_inventory_with_a_typo_ends_the_run(shell: Shell, operator: Operator) -> None:
    edit(shell, operator)
    hosts = shell.folder / "inventory" / "hosts.yml"
    hosts.write_text(hosts.read_text(encoding="utf-8").replace("children:", "children: -"), encoding="utf-8")
    done = run(shell, *shlex.split(JOIN), "--list-hosts")
    assert done.returncode != 0 and "parse" in done.stderr and operator.ece.requests == []


def test_a_job_of_awx_uses_the_imported_inventory_and_the_credential_of_the_job(
    shell: Shell, operator: Operator
) -> None:
    """AWX imports the inventory, hands it to jobs as a program, and keeps the CA certificate in a file of the job."""
    edit(shell, operator)
    (shell.folder / "ca.pem").unlink()
    shell.environment.update(operator.environment)
    shell.environment["ECE_CA_PATH"] = operator.ece.ca_path
    imported = run(shell, "ansible-inventory", "-i", "inventory/hosts.yml", "--list", "--export").stdout
    program = operator.folder / "awx" / "hosts"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{imported}\nEND\n", encoding="utf-8")
    program.chmod(0o700)
    job = run(shell, "ansible-playbook", "add_allocators.yml", "-i", str(program))
    assert job.returncode == 0 and "3/3 connected" in job.stdout, job.stdout + job.stderr
    assert len(operator.ece.joined) == 3 and job.stderr == ""
    operator.scan(imported + job.stdout)


def run(shell: Shell, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command that is not of the README."""
    return subprocess.run(
        command,
        env=shell.environment,
        cwd=shell.folder,
        capture_output=True,
        text=True,
        timeout=PLAY_TIMEOUT_SECONDS,
        check=False,
    )
