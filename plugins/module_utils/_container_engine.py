# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The container engine of a host, and the containers that it has.

Runs on hosts: Python 3.6 and the standard library.
"""

import os
import re
import stat
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from ansible_collections.ece.platform.plugins.module_utils._ece import CONTAINER_PREFIXES, ENGINES
from ansible_collections.ece.platform.plugins.module_utils._host_process import (
    Output,
    find_command,
    run_command,
    search_path,
)

LIST_CONTAINERS = ("ps", "--all", "--no-trunc", "--format", "{{.Names}}|{{.Image}}|{{.Status}}")
# Podman's docker command prints this line at each call.
WRAPPER_NOTE = "Emulate Docker CLI"


class Engine(NamedTuple):
    """A container engine: docker or podman, the path of its command or None, and the output of --version."""

    name: Optional[str]
    command: Optional[str]
    version_output: str


class Listing(NamedTuple):
    """The containers that an engine listed, or the error why it did not."""

    containers: List[Dict[str, str]]
    error: Optional[str]


def socket_facts(path: str) -> Dict[str, Any]:
    """The path of the engine's socket, and whether there is a socket."""
    try:
        is_socket = stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        is_socket = False
    return {"path": path, "is_socket": is_socket}


def find_engine(wanted: Optional[str], paths: Sequence[str]) -> Engine:
    """The wanted engine, or docker or else podman where none is wanted."""
    for name in [wanted] if wanted else ENGINES:
        command = find_command(name, paths)
        if command:
            version = run_command([command, "--version"], paths=paths)
            # RHEL has a docker command that calls podman.
            name = "podman" if "podman" in version.out.lower() else name
            return Engine(name, command, version.out if version.rc == 0 else "")
    return Engine(wanted, None, "")


def engine_client(name: Optional[str], paths: Sequence[str], socket_path: Optional[str]) -> List[str]:
    """The command prefix for the engine behind the socket, which is the one that the installer uses.

    Without the socket it is the plain docker command, for podman too, as in the installer. It is empty where neither
    command exists.
    """
    docker, own = find_command("docker", paths), find_command(name, paths) if name else None
    if not socket_path or not socket_facts(socket_path)["is_socket"]:
        return [command for command in (docker or own,) if command]
    command = own or docker
    if not command:
        return []
    if name == "podman":
        return [command, "--remote", "--url", f"unix://{socket_path}"]
    return [command, "-H", f"unix://{socket_path}"]


def _first_line(output: Output) -> str:
    """The first line that a failed command printed, errors first."""
    lines = [line.strip() for line in f"{output.err}\n{output.out}".splitlines()]
    lines = [line for line in lines if line and not line.startswith(WRAPPER_NOTE)]
    return lines[0] if lines else f"exit code {output.rc}"


def list_containers(client: Sequence[str], paths: Sequence[str], user: Optional[str] = None) -> Listing:
    """All containers that the client lists when it runs as the user."""
    output = run_command([*client, *LIST_CONTAINERS], user=user, paths=paths)
    if output.rc != 0:
        return Listing([], _first_line(output))
    rows = [line.split("|") for line in output.out.splitlines()]
    return Listing([dict(zip(("name", "image", "status"), row)) for row in rows if len(row) == 3], None)


def engine_facts(
    wanted: Optional[str], user: Optional[str], paths: Sequence[str], socket_path: Optional[str] = None
) -> Dict[str, Any]:
    """The container engine, the version of its client, whether the install user may use it, and its containers.

    The containers are those of the engine behind the socket, or of the user's own engine where there is no socket.
    `containers_known` is false if they could not be listed, so that an empty list proves nothing.
    """
    engine = find_engine(wanted, paths)
    facts: Dict[str, Any] = {
        "name": engine.name,
        "version": None,
        "usable": False,
        "error": None,
        "docker_command": bool(find_command("docker", paths)),
    }
    if not engine.command:
        facts["error"] = f"no command {wanted or 'docker or podman'} on {search_path(paths)}"
        # Without an engine there are no containers; but a socket belongs to an engine whose command was not found.
        known = not (socket_path and os.path.exists(socket_path))
        return dict(facts, containers=[], containers_known=known, containers_error=facts["error"])
    version = re.search(r"(\d+\.\d+(?:\.\d+)*)", engine.version_output)
    facts["version"] = version.group(1) if version else None
    # The installer checks the user by a plain `docker ps`, with podman too.
    plain, client = engine_client(engine.name, paths, None), engine_client(engine.name, paths, socket_path)
    own = list_containers(plain, paths, user)
    facts.update(usable=own.error is None, error=own.error)
    # Root is asked where the user may not use the engine: that must not look like an engine without containers.
    listing = own if own.error is None and client == plain else list_containers(client, paths)
    return dict(
        facts,
        containers=listing.containers,
        containers_known=listing.error is None,
        containers_error=listing.error,
    )


def ece_containers(engine: Mapping[str, Any]) -> List[str]:
    """Names of ECE's containers among those of engine_facts(): its services and the instances of deployments."""
    names = [container["name"] for container in engine["containers"]]
    return sorted(name for name in names if name.startswith(CONTAINER_PREFIXES))


def container_runs(engine: Mapping[str, Any], name: str) -> bool:
    """Whether engine_facts() list a running container of this name."""
    return any(
        container["name"] == name and container["status"].lower().startswith("up") for container in engine["containers"]
    )
