# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Following hosts whose installers run: nothing of one host reaches another, and no thread uses what is Ansible's."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import asyncssh
import pytest

from ansible_collections.ece.platform.plugins.module_utils._transport import LIMIT_THREAD
from tests.integration.scenarios.operator import hosts_install
from tests.integration.scenarios.scenario import hold_installers, until
from tests.integration.ssh_server import SshServer, listening
from tests.machine import need
from tests.role_names import WAIT_TASK
from tests.standin.hosts import INSTALLER_CONTAINER

PLUGINS = Path(__file__).parent / "plugins"
# What only the command has that asks a host for its record.
FOLLOW = "ECE-RECORD"


def ssh_host(operator, name, ip, server, user, **variables):
    """Add a host that is reached by SSH."""
    operator.new_host(name, ip)
    operator.hosts[name].update(
        ansible_connection="ssh",
        ansible_host="127.0.0.1",
        ansible_port=server.port,
        ansible_user=user,
        ansible_ssh_common_args="-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
        **variables,
    )


def test_a_host_that_turns_is_never_sent_the_password_of_another(any_operator):
    need("ssh", "sshpass")
    operator = any_operator
    key = asyncssh.generate_private_key("ssh-ed25519")
    path = operator.folder / "id"
    key.write_private_key(path)
    path.chmod(0o600)
    own, other = (
        SshServer(password="word-of-a"),
        SshServer(key=key.export_public_key().decode(), turns_at=FOLLOW),
    )
    with listening(own, other):
        ssh_host(operator, "a", "192.0.2.1", own, "alice", ansible_password="word-of-a")
        ssh_host(operator, "b", "192.0.2.2", other, "bob", ansible_ssh_private_key_file=str(path))
        run = operator.play()
    assert "b does not answer, trying again:" in run.output and run.rc == 0, run.output
    assert set(own.passwords) == {"word-of-a"}
    assert other.turned and other.refused_keys and other.passwords == []


def noting_hosts(operator):
    """Add two hosts that differ in all that a connection takes from variables. Return what each is to be asked with."""
    expected = {}
    for number, name in enumerate(("a", "b"), start=1):
        # A host reports its interpreter, and what looks like a template in that is none.
        link = f"python-{{{{7*7}}}}-of-{name}"
        python = operator.folder / link
        python.symlink_to(sys.executable)
        operator.new_host(name, f"192.0.2.{number}")
        operator.hosts[name].update(
            ansible_connection="noting",
            ansible_host=f"192.0.2.{number}",
            ansible_user=f"user-of-{name}",
            ansible_python_interpreter=f"{operator.folder}/{{% raw %}}{link}{{% endraw %}}",
            ece_host_become=name == "a",
        )
        expected[f"192.0.2.{number}"] = (f"user-of-{name}", str(python))
    operator.hosts["a"].update(
        ansible_password="word-of-a", ansible_become_password="become-word-of-a", ansible_become_user="root-of-a"
    )
    operator.hosts["b"].update(ansible_become=True)
    operator.environment.update(
        ANSIBLE_CONNECTION_PLUGINS=str(PLUGINS / "connection"),
        ANSIBLE_BECOME_PLUGINS=str(PLUGINS / "become"),
        ANSIBLE_BECOME_METHOD="noted",
        NOTES=str(operator.folder / "notes.jsonl"),
    )
    return expected


def test_a_host_is_followed_with_its_own_address_user_passwords_and_interpreter(any_operator):
    operator = any_operator
    expected = noting_hosts(operator)
    run = operator.play()
    assert run.rc == 0 and "does not answer" not in run.output, run.output
    notes = [json.loads(line) for line in (operator.folder / "notes.jsonl").read_text(encoding="utf-8").splitlines()]
    asked = {note["address"]: note for note in notes if FOLLOW in note["command"]}
    assert {address: note["user"] for address, note in asked.items()} == {
        address: user for address, (user, _python) in expected.items()
    }
    for address, (_user, python) in expected.items():
        assert python in asked[address]["command"]
    secret = ("password", "own_password", "become_password", "become_user")
    assert [asked["192.0.2.1"][name] for name in secret] == [
        "word-of-a",
        "word-of-a",
        "become-word-of-a",
        "root-of-a",
    ]
    assert [asked["192.0.2.2"][name] for name in secret] == [None, None, None, "root"]
    modules = {note["address"]: note for note in notes if FOLLOW not in note["command"]}
    for address, note in asked.items():
        assert {**note, "command": ""} == {**modules[address], "command": ""}


def test_no_thread_of_a_worker_uses_display_or_lives_longer_than_a_request(any_operator):
    operator = any_operator
    operator.new_host("a", "192.0.2.1")
    operator.new_host("b", "192.0.2.2", fail=1)
    command, environment = operator.command("ece.platform.add_allocators", "-vvvv")
    environment.update(
        ANSIBLE_CALLBACK_PLUGINS=str(PLUGINS / "callback"),
        ANSIBLE_CALLBACKS_ENABLED="thread_watch",
        THREADS=str(operator.folder / "threads"),
    )
    run = operator.run(command, environment)
    assert run.rc == 2 and "b failed: installer exit 1" in run.text, run.output
    waited = run.output.partition(WAIT_TASK)[2]
    assert len(re.findall(rf"EXEC .*{FOLLOW}", waited, re.DOTALL)) >= 1, "the questions are shown at -vvvv"
    notes = (operator.folder / "threads").read_text(encoding="utf-8").splitlines()
    assert [note for note in notes if note != f"a worker starts {LIMIT_THREAD}"] == ["watching"]


def test_a_job_of_ansible_runner_ends_at_every_verbosity_and_says_nothing_of_workers(any_operator):
    """ansible-runner wraps Display. Its release for the oldest core waits for a lock between processes in it."""
    operator = any_operator
    for number in range(6):
        operator.new_host(f"h{number}", f"192.0.2.{number + 1}")
    for folder in ("env", "inventory", "project"):
        (operator.folder / folder).mkdir()
    operator.inventory().rename(operator.folder / "inventory" / "hosts.yml")
    credentials = {name.lower(): value for name, value in operator.environment.items()}
    path = operator.folder / "env" / "extravars"
    path.write_text(json.dumps(credentials), encoding="utf-8")
    operator.credential_files.add(path)
    operator.environment = {}
    hidden = operator.recorders()
    environment = {key: value for key, value in operator.play_environment().items() if key not in hidden}
    operator.write("project/site.yml", [{"ansible.builtin.import_playbook": "ece.platform.add_allocators"}])
    runner = os.fspath(operator.core / "ansible-runner")
    run = operator.run([runner, "run", str(operator.folder), "-p", "site.yml", "-i", "1", "-vvvv"], environment)
    assert run.rc == 0 and "6/6 connected" in run.text, run.output
    assert "errantly" not in run.text
    told = [
        json.loads(event.read_text(encoding="utf-8"))["stdout"]
        for event in (operator.folder / "artifacts" / "1" / "job_events").glob("*.json")
    ]
    assert any("6/6 connected" in text for text in told), "lines of the wait are events of the job"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "SIGINT"])
def test_a_run_that_is_killed_while_it_waits_leaves_installers_and_nothing_else(any_operator, number):
    operator = any_operator
    operator.new_host("a", "192.0.2.1")
    operator.new_host("b", "192.0.2.2")
    hold_installers(operator)
    running = operator.start()
    # Ansible, its worker, the poll, and a question to each host. As many run before, while installers are started.
    until(lambda: hosts_install(operator) and len(processes_of(operator)) >= 5)
    # A signal is lost where Python ignores exceptions at that moment, and an operator presses Ctrl-C again.
    for _attempt in range(5):
        running.process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.process.wait(20)
            break
    operator.wait_for(running)
    until(lambda: not processes_of(operator))
    assert all(INSTALLER_CONTAINER in host.containers for host in operator.ece.hosts.values())


def processes_of(operator):
    """Return the ids of the processes of a run, its workers and their children."""
    inventory, found = os.fsencode(operator.folder / "inventory.yml"), []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if inventory in path.read_bytes():
                found.append(path.parent.name)
    return found


def test_output_for_a_program_has_no_line_of_ours_in_it(any_operator):
    operator = any_operator
    operator.new_host("a", "192.0.2.1")
    command, environment = operator.command()
    environment.update(ANSIBLE_CALLBACK_PLUGINS=str(PLUGINS / "callback"), ANSIBLE_STDOUT_CALLBACK="jsonl")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=operator.folder, check=True)
    operator.scan(done.stdout + done.stderr)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(result["task"].endswith(WAIT_TASK) for result in results)
    assert "1/1 connected" in done.stderr and "would join" not in done.stdout
