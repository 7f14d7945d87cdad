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
RED, RESET = "\x1b[0;31m", "\x1b[0m"
LAST_WORDS = (
    "- Errors have caused Elastic Cloud Enterprise installation to fail\n- Please check logs {}\n- Node type - "
)
PODMAN = {"engine": "podman", "engine_version": "4.9.4-rhel"}
RHEL = 'NAME="Red Hat Enterprise Linux"\nID="rhel"\nVERSION_ID="8.10"\n'


@dataclass(frozen=True, kw_only=True)
class Fact:
    """How a script ends on a host.

    rc: its exit code. out, err: what its standard output ends with, and what its standard error has. arguments: those
    beside coordinator, token, roles, storage path and socket. settings: of the host. log: what the log of its container
    has. container: variables of the container. script: the version. root: whether the engine's socket is root's alone.
    """

    rc: int
    out: str = ""
    err: str = ""
    arguments: Sequence[str] = GIVEN_ADDRESS
    settings: Mapping[str, Any] = field(default_factory=dict)
    log: str = ""
    container: Mapping[str, str] = field(default_factory=dict)
    script: str = "3.5.1"
    root: bool = False


def refused(sentence: str, remedy: str) -> str:
    """Return how a refusal is shown: two lines, the first one red."""
    return f"{RED}{sentence}{RESET}\n{remedy}\n"


NO_GATEWAY = refused("Can't determine a default HOST_IP (the default gateway was not found)", "Please use --host-ip")
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
        out=refused("Can't determine a default HOST_IP ('ip' tool can't be found)", "Please use --host-ip"),
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
    "podman without podman-remote, with a script that has a matrix": Fact(
        rc=127,
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
        container={"ENVIRONMENT_METADATA": '{"a":"b"}}'},
    ),
    "metadata of the environment with a script 4.0.3": Fact(
        rc=0,
        arguments=(*GIVEN_ADDRESS, "--environment-metadata", '{"a":"b"}'),
        script="4.0.3",
        container={"ENVIRONMENT_METADATA": '{"a":"b"}}'},
    ),
    "no metadata of the environment": Fact(rc=0, container={"ENVIRONMENT_METADATA": "{}"}),
    "a list of external host names": Fact(
        rc=0,
        arguments=(*GIVEN_ADDRESS, "--external-hostname", "a.example.com,b.example.com"),
        container={"EXTERNAL_HOSTNAME": "a.example.com,b.example.com"},
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
        out=refused("Unknown argument --proxy-protocol-lenient", "Use --help to see the options"),
    ),
    "the flag for SELinux with an older script": Fact(
        rc=3,
        arguments=(*GIVEN_ADDRESS, "--podman", "--selinux"),
        out=refused("Unknown argument --selinux", "Use --help to see the options"),
    ),
    "SELinux without sudo": Fact(
        rc=1,
        script="4.0.3",
        arguments=(*GIVEN_ADDRESS, "--podman", "--selinux"),
        settings={**PODMAN, "missing_commands": "sudo"},
    ),
    # -- refusals --
    "no socket": Fact(
        rc=5,
        arguments=(*GIVEN_ADDRESS, "--host-docker-host", "/nowhere.sock"),
        out=refused(
            "ECE could not verify the Docker socket (/nowhere.sock).", "Start the engine, or use --host-docker-host"
        ),
    ),
    "a user without the engine": Fact(
        rc=4,
        root=True,
        out=refused(
            "The user is not a member of the docker group.", "To resolve the issue, add the user to the docker group."
        ),
    ),
    "a user without the engine, with force": Fact(
        rc=125, root=True, arguments=(*GIVEN_ADDRESS, "--force"), err="permission denied"
    ),
    "firewalld with a script 3.5.1": Fact(
        rc=5, settings={"firewalld": "active"}, out=refused("firewalld is active", "Stop it, or use --force")
    ),
    "firewalld with a script 4.0.3": Fact(
        rc=0, script="4.0.3", settings={"firewalld": "active"}, container={"HOST_PREREQ_FAILED": "true"}
    ),
    "an engine outside the matrix of 4.0.3": Fact(
        rc=1,
        script="4.0.3",
        settings={"engine_version": "29.7.2"},
        out=refused(
            "ECE version 4.0.3 is not compatible with OS and engine Ubuntu-22.04_docker-29.7",
            "Use an operating system and an engine of the support matrix",
        ),
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
    return installer.run("h", ["bash", str(ece.installer_path), "install", *paths, *identity, *fact.arguments])


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
