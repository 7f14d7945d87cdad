# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in against what the vendor's scripts 3.5.1 and 4.0.3 do: each row is a case that was seen or read there."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.standin import StandIn
from tests.unit.standin.standin_helpers import Client, Installer

GIVEN_ADDRESS = ("--host-ip", "10.9.0.1")
RED, GREEN, YELLOW, RESET = "\x1b[0;31m", "\x1b[0;32m", "\x1b[0;33m", "\x1b[0m"
LAST_LINE = "- Node type - additional {}\n"
LAST_WORDS = (
    "- Errors have caused Elastic Cloud Enterprise installation to fail\n- Please check logs {}\n- Node type - "
)
PODMAN = {"engine": "podman", "engine_version": "4.9.4-rhel"}
RHEL = 'NAME="Red Hat Enterprise Linux"\nID="rhel"\nVERSION_ID="8.10"\n'


@dataclass(frozen=True, kw_only=True)
class Fact:
    """How a script ends on a host.

    rc: its exit code. out, err: what its standard output ends with, and what its standard error has. printed: what is
    somewhere in its standard output. arguments: those beside coordinator, token, roles, storage path and socket.
    settings: of the host. log: what the log of its container
    has. container: variables of the container. script: the version. root: whether the engine's socket is root's alone.
    environment: variables of the script beside its own ones.
    """

    rc: int
    out: str = ""
    printed: Sequence[str] = ()
    err: str = ""
    arguments: Sequence[str] = GIVEN_ADDRESS
    settings: Mapping[str, Any] = field(default_factory=dict)
    log: str = ""
    container: Mapping[str, str] = field(default_factory=dict)
    script: str = "3.5.1"
    root: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def refused(sentence: str) -> str:
    """Return how a refusal is shown: in red."""
    return f"{RED}{sentence}{RESET}\n"


NO_ADDRESS = "Can't determine a default HOST_IP{}. Please supply '--host-ip' with the address of this host."
NO_GATEWAY = refused(NO_ADDRESS.format(" (the default gateway was not found)"))
NOT_COMPATIBLE = "is not compatible with {} and {}. Please consult the support matrix.\n"
SELINUX = (*GIVEN_ADDRESS, "--podman", "--selinux")
WITH_SELINUX = {**PODMAN, "selinux": True}
FACTS = {
    # -- the address that the script derives --
    "one address and one default route through a gateway": Fact(
        rc=0, arguments=(), container={"HOST_IP": "10.9.0.1", "RUNNER_ID": "10.9.0.1"}
    ),
    "two addresses on the default interface: the second one is taken for the image": Fact(
        rc=125,
        arguments=(),
        settings={"addresses": ["10.9.0.1/24", "10.9.0.200/32"]},
        err="Unable to find image '10.9.0.200:latest' locally\n",
    ),
    "two addresses, and the host's is given": Fact(rc=0, settings={"addresses": ["10.9.0.1/24", "10.9.0.200/32"]}),
    "two default routes": Fact(
        rc=1,
        arguments=(),
        settings={"routes": ["default via 10.9.0.254 dev d0", "default via 10.20.0.254 dev d1 metric 100"]},
        out=NO_GATEWAY,
        err="d0: binary operator expected",
    ),
    "an on-link default route": Fact(
        rc=1, arguments=(), settings={"routes": "default dev e0 scope link"}, err='Device "link" does not exist.\n'
    ),
    "no default route": Fact(rc=1, arguments=(), settings={"routes": ""}, out=NO_GATEWAY),
    "no command ip": Fact(
        rc=1,
        arguments=(),
        settings={"missing_commands": "ip"},
        out=refused(NO_ADDRESS.format(" ('ip' tool can't be found)")),
    ),
    "no command ip, and the address is given": Fact(rc=0, settings={"missing_commands": "ip"}),
    "two addresses with a script 4.0.3": Fact(
        rc=125,
        arguments=(),
        script="4.0.3",
        settings={"addresses": ["10.9.0.1/24", "10.9.0.200/32"]},
        err="Unable to find image '10.9.0.200:latest' locally\n",
    ),
    # -- Podman --
    "podman without podman-remote": Fact(
        rc=127,
        arguments=(*GIVEN_ADDRESS, "--podman"),
        settings={**PODMAN, "missing_commands": "podman-remote"},
        err="podman-remote: command not found\n",
    ),
    "podman without podman-remote, with a script that has a matrix: it has no version": Fact(
        rc=1,
        out=NOT_COMPATIBLE.format("RHEL-8", "Podman-"),
        arguments=(*GIVEN_ADDRESS, "--podman"),
        script="4.0.3",
        settings={**PODMAN, "missing_commands": "podman-remote"},
        err="podman-remote: command not found\n",
    ),
    "podman with podman-remote": Fact(
        rc=0, arguments=(*GIVEN_ADDRESS, "--podman"), settings=PODMAN, container={"CONTAINER_ENGINE": "podman"}
    ),
    "podman's socket is root's alone, and rootless podman answers as docker": Fact(
        rc=125,
        arguments=(*GIVEN_ADDRESS, "--podman", "--force"),
        settings={**PODMAN, "rootless": True},
        root=True,
        err="Cannot connect to Podman.",
    ),
    # -- what the container gets --
    "metadata of the environment": Fact(
        rc=0,
        arguments=(*GIVEN_ADDRESS, "--environment-metadata", '{"a":"b"}'),
        container={"RUNNER_ENVIRONMENT_METADATA_JSON": '{"a":"b"}}'},
    ),
    "metadata of the environment with a script 4.0.3": Fact(
        rc=0,
        arguments=(*GIVEN_ADDRESS, "--environment-metadata", '{"a":"b"}'),
        script="4.0.3",
        container={"RUNNER_ENVIRONMENT_METADATA_JSON": '{"a":"b"}}'},
    ),
    "no metadata of the environment": Fact(rc=0, container={"RUNNER_ENVIRONMENT_METADATA_JSON": "{}"}),
    "a list of external host names": Fact(
        rc=0,
        arguments=(*GIVEN_ADDRESS, "--external-hostname", "a.example.com,b.example.com"),
        container={
            "RUNNER_EXTERNAL_HOSTNAME": "a.example.com,b.example.com",
            "HOST_DNS_NAMES": "a.example.com,b.example.com",
        },
    ),
    "a base of the API's addresses and a factor": Fact(
        rc=0,
        arguments=(*GIVEN_ADDRESS, "--api-base-url", "https://ece.example.com", "--timeout-factor", "2.5"),
        container={"ECE_ADMIN_CONSOLE_API_BASE_URL": "https://ece.example.com", "ECE_TIMEOUT_FACTOR": "2.5"},
    ),
    "arguments that are not given are taken from the environment": Fact(
        rc=0,
        environment={
            "API_BASE_URL": "https://other.example.com",
            "CAPACITY": "9000",
            "RUNNER_ENVIRONMENT_METADATA_JSON": "[]",
            "RUNNER_EXTERNAL_HOSTNAME": "other.example.com",
            "RUNNER_ID": "other",
        },
        container={
            "CAPACITY": "9000",
            "ECE_ADMIN_CONSOLE_API_BASE_URL": "https://other.example.com",
            "HOST_DNS_NAMES": "other.example.com",
            "RUNNER_ENVIRONMENT_METADATA_JSON": "[]}",
            "RUNNER_EXTERNAL_HOSTNAME": "other.example.com",
            "RUNNER_ID": "other",
        },
    ),
    "arguments that are given are not taken from the environment": Fact(
        rc=0,
        environment={"RUNNER_ROLES": "director", "RUNNER_ROLES_TOKEN": "other", "COORDINATOR_HOST": "other.invalid"},
        container={"RUNNER_ROLES": "allocator", "COORDINATOR_HOST": "127.0.0.1"},
    ),
    "what the script sets itself is not taken from the environment": Fact(
        rc=0,
        environment={"TIMEOUT_FACTOR": "9", "FORCE_INSTALL": "true", "PODMAN": "true", "DOCKER_REGISTRY": "other"},
        container={"ECE_TIMEOUT_FACTOR": "1.0", "FORCE_INSTALL": "false", "CONTAINER_ENGINE": "docker"},
    ),
    "the flags of 4.2 for proxies": Fact(
        rc=0,
        script="4.2.0",
        arguments=(*GIVEN_ADDRESS, "--proxy-protocol-version", "2", "--proxy-protocol-lenient"),
        container={"PROXY_PROTOCOL_VERSION": "2", "PROXY_PROTOCOL_LENIENT": "true"},
    ),
    "the flags of 4.2 for proxies with an older script": Fact(
        rc=3,
        script="4.0.3",
        arguments=(*GIVEN_ADDRESS, "--proxy-protocol-lenient"),
        out=refused("Unknown argument '--proxy-protocol-lenient'"),
    ),
    "the flag for SELinux with an older script": Fact(
        rc=3,
        arguments=(*GIVEN_ADDRESS, "--podman", "--selinux"),
        out=refused("Unknown argument '--selinux'"),
    ),
    "SELinux": Fact(rc=0, script="4.0.3", arguments=SELINUX, settings=WITH_SELINUX),
    "SELinux without sudo": Fact(
        rc=127,
        script="4.0.3",
        arguments=SELINUX,
        settings={**WITH_SELINUX, "missing_commands": "sudo"},
        err="sudo: command not found\n",
    ),
    "SELinux with a password for sudo": Fact(
        rc=1,
        script="4.0.3",
        arguments=SELINUX,
        settings={**WITH_SELINUX, "sudo_password": True},
        err="sudo: a password is required\n",
    ),
    **{
        f"SELinux without {command}": Fact(
            rc=1,
            script="4.0.3",
            arguments=SELINUX,
            settings={**WITH_SELINUX, "missing_commands": command},
            err=f"sudo: {command}: command not found\n",
        )
        for command in ("semanage", "setsebool", "checkmodule", "semodule_package", "semodule", "restorecon")
    },
    "SELinux without /mnt/data": Fact(
        rc=255,
        script="4.0.3",
        arguments=SELINUX,
        settings={**WITH_SELINUX, "data_folder": "/nowhere"},
        err="restorecon: lstat(/nowhere) failed: No such file or directory\n",
    ),
    # -- the checks of the container --
    **{
        f"the check {name} fails": Fact(
            rc=1, settings={"failed_checks": name}, printed=(f"{what} ... {RED}FAILED{RESET}\n{cause}",), out=LAST_LINE
        )
        for name, what, cause in (
            ("nofile", "Checking OS max open file descriptors per process", "The limit of open files (nofile) is 1024"),
            ("ports", "Checking ports of the host", "The ports 20000, 21000 and 22000 of this host cannot be reached"),
            ("memory", "Checking minimum required memory", "The host has 4096 MB of memory"),
            ("max_map_count", "Checking OS max map count", "The setting vm.max_map_count is 65530"),
            ("ip_forward", "Checking OS IPv4 IP forward", "The setting net.ipv4.ip_forward is 0"),
            ("cgroup_memory", "Checking OS kernel cgroup.memory", "The boot argument cgroup.memory=nokmem is not set"),
        )
    },
    "a failed check with force is a warning": Fact(
        rc=0,
        arguments=(*GIVEN_ADDRESS, "--force"),
        settings={"failed_checks": "nofile memory"},
        printed=(f"{YELLOW}FAILED{RESET}\nThe host has 4096 MB", f"Checking OS max map count ... {GREEN}OK{RESET}\n"),
    ),
    # -- refusals --
    "no socket": Fact(
        rc=5,
        arguments=(*GIVEN_ADDRESS, "--host-docker-host", "/nowhere.sock"),
        printed=(f"{RED}ECE could not verify the Docker socket (/nowhere.sock). \n",),
    ),
    "a user without the engine": Fact(
        rc=4,
        root=True,
        printed=(
            f"{YELLOW}The user is not a member of the docker group.{RESET}\n",
            f"{RED}To resolve the issue, add the user to the docker group",
        ),
    ),
    "a user without the engine, with force": Fact(
        rc=125, root=True, arguments=(*GIVEN_ADDRESS, "--force"), err="permission denied"
    ),
    "firewalld with a script 3.5.1": Fact(
        rc=5, settings={"firewalld": "active"}, out=refused("The firewalld service is active. Stop it, or use --force.")
    ),
    "firewalld with a script 4.0.3": Fact(
        rc=0,
        script="4.0.3",
        settings={"firewalld": "active"},
        container={"HOST_PREREQ_FAILED": "true"},
        printed=(f"{YELLOW}The firewalld service may interfere with the installation of ECE.",),
    ),
    "an engine outside the matrix of 4.0.3": Fact(
        rc=1,
        script="4.0.3",
        settings={"engine_version": "29.7.2"},
        printed=("] Validating ECE version 4.0 compatibility", "] ECE version 4.0.3 is not compatible with"),
        out=NOT_COMPATIBLE.format("Ubuntu-22.04", "Docker-29.7"),
    ),
    "an engine of the matrix of 4.0.3": Fact(
        rc=0,
        script="4.0.3",
        printed=("] Verified that ECE version 4.0.3 is compatible with Ubuntu-22.04 and Docker-25.0.\n",),
    ),
    "an engine outside the matrix, which is not looked at": Fact(
        rc=0,
        script="4.0.3",
        arguments=(*GIVEN_ADDRESS, "--skip-cloud-enterprise-version-check"),
        settings={"engine_version": "29.7.2"},
        printed=("] Skipping the validation of ECE",),
    ),
    "a version above the script's own, in no colour and never skipped": Fact(
        rc=1,
        arguments=("--skip-cloud-enterprise-version-check", "--cloud-enterprise-version", "3.6.0"),
        out="Can't use a --cloud-enterprise-version value greater than 3.5.1. Use a newer script.\n",
    ),
    "a storage path in which no folder can be made": Fact(
        rc=1,
        script="4.0.3",
        arguments=(*GIVEN_ADDRESS, "--host-storage-path", "/proc/nowhere"),
        err="mkdir: cannot create directory",
    ),
    "an empty value": Fact(
        rc=3, arguments=("--host-ip", ""), out=refused("Argument '--host-ip' does not have a value")
    ),
    "any engine with a script 3.5.1, which has no matrix": Fact(rc=0, settings={"engine_version": "29.7.2"}),
    # -- the engine --
    "an image that cannot be pulled": Fact(rc=125, settings={"engine_fail": 125}, err="pull access denied"),
    "a container that cannot be started": Fact(rc=126, settings={"engine_fail": 126}, err="permission denied"),
    "a container without its program": Fact(rc=127, settings={"engine_fail": 127}, err="executable file not found"),
    "a port that is in use": Fact(rc=125, settings={"busy_ports": 21000}, err="port is already allocated"),
    # -- the container --
    "a coordinator that cannot be reached": Fact(
        rc=1,
        settings={"join_port": 1},
        out=LAST_WORDS + "additional {}\n",
        log="[ERROR][stand-in.bootstrap] The coordinator 127.0.0.1: cannot be reached",
    ),
    "a configuration file outside the storage path": Fact(
        rc=1,
        arguments=(*GIVEN_ADDRESS, "--config-file", "/etc/hostname"),
        out=LAST_WORDS + "additional {}\n",
        log="[ERROR][stand-in.bootstrap] The configuration file /etc/hostname cannot be read",
    ),
}


def run(ece: StandIn, fact: Fact) -> Any:
    """Run the script as a fact has it, with a token that the platform accepts."""
    host, installer = ece.hosts["h"], Installer(ece)
    token = Client(ece).token("allocator")
    paths = ["--host-storage-path", str(host.storage), "--host-docker-host", str(host.socket)]
    identity = ["--coordinator-host", "127.0.0.1", "--roles-token", token, "--roles", "allocator"]
    argv = ["bash", str(ece.installer_path), "install", *paths, *identity, *fact.arguments]
    return installer.run("h", argv, environment=dict(fact.environment))


@pytest.mark.parametrize("name", FACTS)
def test_the_stand_in_ends_as_the_vendors_script_does(name: str, make: Callable[..., StandIn]) -> None:
    fact = FACTS[name]
    if fact.root and os.geteuid() != 0:
        pytest.skip("needs root to close the socket to the install user")
    ece = make(version=fact.script, connect_seconds=0.0)
    ece.add_host("h", "10.9.0.1", **fact.settings)
    host = ece.hosts["h"]
    if fact.settings.get("engine") == "podman":
        (host.folder / "os-release").write_text(RHEL, encoding="utf-8")
    if fact.root:
        host.forbid_socket()
    done = run(ece, fact)
    shown = (done.stdout, done.stderr)
    assert done.returncode == fact.rc, shown
    assert done.stdout.endswith(fact.out) and fact.err in done.stderr, shown
    assert all(text in done.stdout for text in fact.printed), shown
    assert bool(ece.joined) is (fact.rc == 0)
    if fact.out.startswith(RED):
        assert done.stderr.count("\n") <= 1, "a refusal is on standard output"
    if fact.container:
        text = (host.state / "last-container-environment").read_text(encoding="utf-8")
        assert fact.container.items() <= dict(line.partition("=")[::2] for line in text.splitlines()).items()
    assert fact.log in host.log
    if fact.log:
        assert fact.log.rpartition("]")[2] not in "".join(shown), "the cause is in the log alone"


@pytest.mark.parametrize("podman", [False, True])
def test_pull_and_run_go_through_the_given_socket(podman: bool, make: Callable[..., StandIn]) -> None:
    """The engine's own socket is another one, on which it does not answer."""
    ece = make(version="3.5.1")
    ece.add_host("h", "10.9.0.1", **(PODMAN if podman else {}))
    host = ece.hosts["h"]
    given = host.folder / "given.sock"
    host.socket.rename(given)
    host.configure(socket=given)
    flags = [*GIVEN_ADDRESS, "--overwrite-existing-image", "--host-docker-host", f"unix://{given}", "--force"]
    done = run(ece, Fact(rc=0, arguments=[*flags, "--podman"] if podman else flags))
    assert done.returncode == 0 and ece.joined == ["10.9.0.1"], (done.stdout, done.stderr)
    host.configure(socket=host.folder / "docker.sock")
    assert run(ece, Fact(rc=0, arguments=[*flags, "--podman"] if podman else flags)).returncode != 0


def test_a_storage_path_of_another_user_is_refused_with_the_users_name(make: Callable[..., StandIn]) -> None:
    """The script takes the name from the environment, which may have none. Its log is there from an earlier try."""
    ece = make(version="4.0.3")
    ece.add_host("h", "10.9.0.1")
    storage = ece.hosts["h"].storage
    log = storage / "logs" / "bootstrap-logs" / "elastic-cloud-enterprise.log"
    log.parent.mkdir(parents=True)
    log.touch()
    log.chmod(0o666)
    storage.chmod(0o555)
    done = run(ece, Fact(rc=1))
    storage.chmod(0o755)
    sentence = f"Host storage path {storage} exists but doesn't have write permissions for user ''."
    assert done.returncode == 1 and refused(sentence) in done.stdout, (done.stdout, done.stderr)


def test_selinux_leaves_its_module_in_the_working_folder(make: Callable[..., StandIn]) -> None:
    ece = make(version="4.0.3")
    ece.add_host("h", "10.9.0.1", **WITH_SELINUX)
    folder, installer = ece.hosts["h"].folder, Installer(ece)
    argv = ["bash", str(ece.installer_path), "install", *SELINUX]
    installer.run("h", ["bash", "-c", 'cd "$1" && shift && exec "$@"', "-", str(folder), *argv])
    assert (folder / "ece.mod").exists() and (folder / "ece.pp").exists()


def test_a_script_without_arguments_shows_its_help(ece: StandIn, installer: Installer) -> None:
    ece.add_host("h", "10.9.0.1")
    done = installer.run("h", ["bash", str(ece.installer_path)])
    assert done.returncode == 0 and "COMMAND" in done.stdout and ece.hosts["h"].containers == []


def test_a_variable_of_os_release_after_an_unquoted_one_is_not_found(make: Callable[..., StandIn]) -> None:
    ece = make(version="4.0.3")
    ece.add_host("h", "10.9.0.1")
    text = 'NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="22.04"\n'
    (ece.hosts["h"].folder / "os-release").write_text(text, encoding="utf-8")
    done = run(ece, Fact(rc=1))
    assert done.returncode == 1 and "not compatible with Ubuntu- and Docker-25.0." in done.stdout
