# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The join inside the execution environment's image, started as AWX starts it, with hosts that are reached by SSH.

The containers run as a user whom the image does not know, which platforms such as OpenShift choose.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
import yaml

from tests.ee.image import ROOT, call, needed_collections, pip_settings, podman, program
from tests.integration.operator import Operator
from tests.integration.ssh_server import SshServer, listening
from tests.standin.hosts import INSTALLER

USER, GROUP = 1738, 0
# Where AWX options the folder of a job, and the image's working folder.
RUNNER = "/runner"
PLAYBOOK = "add_allocators.yml"
SSH_PASSWORD = "word-of-c"
# One that accepts a key, one that accepts a password, and the key.
Servers = tuple[SshServer, SshServer, asyncssh.SSHKey]


def container(image: str, *command: str, job: Path | None = None) -> list[str]:
    """Return the command that starts a container as AWX does, with the folder of a job."""
    options = ["--volume", f"{job}:{RUNNER}"] if job else []
    # podman asks for more than a sandbox may grant.
    options += ["--ulimit", "nofile=20000:20000", "--ulimit", "nproc=4096:4096"]
    return [
        *("podman", "--log-level", "error", "--runtime", "runc", "run", "--rm", "--interactive", "--network", "host"),
        *("--security-opt", "label=disable", "--user", f"{USER}:{GROUP}", *options, image, *command),
    ]


def versions(text: str) -> dict[str, tuple[int, ...]]:
    return {name: tuple(map(int, found.split("."))) for name, found in re.findall(r"^(\S+)==([\d.]+)$", text, re.M)}


def test_an_unknown_user_has_a_home_folder_and_what_the_collection_requires(image: str) -> None:
    script = "id -un; touch $HOME/written; which ssh ssh-add ssh-agent sshpass; python3 -m pip freeze --quiet"
    output = call(*container(image, "sh", "-ec", script))
    programs = [f"/usr/bin/{name}" for name in ("ssh", "ssh-add", "ssh-agent", "sshpass")]
    assert output.splitlines()[:5] == [str(USER), *programs], output
    found = versions(output)
    assert found["ansible-runner"] >= (2, 4, 2) and found["ansible-core"] >= (2, 16) and "requests" in found, output


def test_the_collection_is_found_and_no_setting_of_this_machine_is_in_the_image(image: str) -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    output = call(*container(image, "ansible-galaxy", "collection", "list", "--format", "json", "ece.platform"))
    assert json.loads(output) == {
        "/usr/share/ansible/collections/ansible_collections": {"ece.platform": {"version": version}}
    }
    listed = json.loads(call(*container(image, "ansible-galaxy", "collection", "list", "--format", "json")))
    assert set(needed_collections()) <= {name for found in listed.values() for name in found}
    assert call(*container(image, "sh", "-c", "cat /etc/pip.conf; ls /output /build 2>/dev/null || true")) == ""
    names = {line.partition("=")[0] for line in json.loads(podman("image", "inspect", image))[0]["Config"]["Env"]}
    assert not names & {"PIP_CERT", "PIP_INDEX_URL", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"}


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Yield an SSH server that accepts a key, one that accepts a password, and the key."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    by_key, by_password = SshServer(key=key.export_public_key().decode()), SshServer(password=SSH_PASSWORD)
    with listening(by_key, by_password):
        yield by_key, by_password, key


def reach_by_ssh(operator: Operator, servers: Servers) -> None:
    """Add three hosts: two are reached with the key of the job, and one with a password of its own."""
    by_key, by_password, _ = servers
    for number, name in enumerate(("a", "b", "c"), start=1):
        server = by_password if name == "c" else by_key
        operator.new_host(name, f"192.0.2.{number}", zone=f"ece-zone-{number}")
        operator.hosts[name].update(
            ansible_connection="ssh",
            ansible_host="127.0.0.1",
            ansible_port=server.port,
            ansible_user="ops",
            # Beside the playbook, as in a project.
            ece_host_installer_src=INSTALLER,
        )
    operator.hosts["c"].update(ansible_password=SSH_PASSWORD, ansible_ssh_password_mechanism="sshpass")


def job_folder(operator: Operator, servers: Servers) -> Path:
    """Lay out the folder of a job as AWX does, with credentials as environment variables and files."""
    job = operator.folder / "job"
    for name in ("cp", "env", "inventory", "project"):
        (job / name).mkdir(parents=True)
    operator.group_vars.update(ece_url=None, ece_ca_path=None)
    operator.inventory().rename(job / "inventory" / "hosts.yml")
    shutil.copy(operator.ece.installer_path, job / "project")
    playbook = [{"name": "Add allocators", "ansible.builtin.import_playbook": "ece.platform.add_allocators"}]
    (job / "project" / PLAYBOOK).write_text(yaml.safe_dump(playbook), encoding="utf-8")
    shutil.copy(operator.ece.ca_path, job / "env" / "ca.pem")
    (job / "env" / "ssh_key").write_bytes(servers[2].export_private_key())
    variables = {
        **operator.environment,
        "ECE_URL": operator.ece.url,
        "ECE_CA_PATH": f"{RUNNER}/env/ca.pem",
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{RUNNER}/cp",
    }
    (job / "env" / "envvars").write_text(yaml.safe_dump(variables), encoding="utf-8")
    # Runner copies the whole environment of any job into the file `command`; AWX removes it.
    operator.credential_files |= {job / "env" / "envvars", job / "artifacts" / "1" / "command"}
    for parent, folders, files in os.walk(job):
        for name in (".", *folders, *files):
            os.chown(os.path.join(parent, name), USER, GROUP)
    return job


def test_three_hosts_join_from_inside_the_image_after_a_check(image: str, operator: Operator, servers: Servers) -> None:
    reach_by_ssh(operator, servers)
    job = job_folder(operator, servers)
    environment = {
        name: value for name, value in operator.play_environment().items() if name not in operator.environment
    }
    arguments = ("-p", PLAYBOOK, "-i", "1")

    # Across nodes, the job travels to the container and its events back.
    results = operator.folder / "results"
    steps = (
        [program("ansible-runner"), "transmit", str(job), *arguments, "--cmdline", "--check --diff"],
        container(image, "ansible-runner", "worker", "--private-data-dir", RUNNER),
        [program("ansible-runner"), "process", str(results), "-i", "1"],
    )
    operator.credential_files |= {results / "artifacts" / "1" / "command"}
    run = operator.run(["bash", "-o", "pipefail", "-c", " | ".join(map(shlex.join, steps))], environment)
    assert run.rc == 0 and "0 joined, 3 new" in run.text and run.text.count("would join") >= 3, run.output
    assert operator.ece.mutations == [] and not any(host.has_started for host in operator.ece.hosts.values())

    run = operator.run(container(image, "ansible-runner", "run", RUNNER, *arguments, job=job), environment)
    assert run.rc == 0 and "3/3 connected" in run.text, run.output
    assert operator.ece.joined == ["192.0.2.1", "192.0.2.2", "192.0.2.3"] and operator.ece.minted == 1
    # By Ansible's defaults sessions share connections, in the container, too.
    assert all(len(server.connections) < server.commands for server in servers[:2])
    assert set(servers[1].passwords) == {SSH_PASSWORD} and servers[0].passwords == []


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        ("", {}),
        (":env:.cert='/etc/ca.pem'\nglobal.constraint='/etc/c.txt'\n", {"cert": "/etc/ca.pem"}),
        (
            "global.extra-index-url='file:///opt/a https://a.example.com/simple'\nglobal.find-links='/opt/wheels'\n",
            {"extra-index-url": "https://a.example.com/simple"},
        ),
        (
            "global.index-url='https://b.example.com/simple'\nuser.extra-index-url='file:///opt/a'\n",
            {"index-url": "https://b.example.com/simple"},
        ),
    ],
)
def test_what_pip_is_told_is_where_packages_come_from_but_for_folders_of_this_machine(
    listed: str, kept: dict[str, str]
) -> None:
    assert pip_settings(listed) == kept
