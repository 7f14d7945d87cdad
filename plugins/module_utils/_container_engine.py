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
    paths_for_root,
    run_command,
    search_path,
)
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text

LIST_CONTAINERS = ("ps", "--all", "--no-trunc", "--format", "{{.Names}}|{{.Image}}|{{.Status}}")
# Folder of images and containers, and the storage driver.
ENGINE_INFO = {
    "docker": ("info", "--format", "{{.DockerRootDir}}|{{.Driver}}"),
    "podman": ("info", "--format", "{{.Store.GraphRoot}}|{{.Store.GraphDriverName}}"),
}
# Podman's docker command prints this line at each call.
WRAPPER_NOTE = "Emulate Docker CLI"
# The installer calls Podman by this command alone: elastic-cloud-enterprise.sh 3.5.1 and 4.0.3 (2025-10-31).
PODMAN_REMOTE = "podman-remote"
# An engine that takes longer does not answer.
ANSWER_SECONDS = 30
# The exit code of run_command() for a command that took longer than its time limit.
TIMED_OUT = 124
_VERSION = re.compile(r"(\d+\.\d+(?:\.\d+)*)")
_CLIENT_VERSION = re.compile(r"Version:\s+(\d+\.\d+(?:\.\d+)*)")


class Engine(NamedTuple):
    """A container engine: docker or podman, the path of its command or None, and the output of --version."""

    name: Optional[str]
    command: Optional[str]
    version_output: str


class Listing(NamedTuple):
    """The containers that an engine listed, or the error why it did not."""

    containers: List[Dict[str, str]]
    error: Optional[str]
    is_silent: bool = False


def socket_facts(path: str) -> Dict[str, Any]:
    """The path of the engine's socket, and whether there is a socket."""
    try:
        is_socket = stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        is_socket = False
    return {"path": path, "is_socket": is_socket}


# -- commands --------------------------------------------------------------------------------------------------------


def find_engine(wanted: Optional[str], paths: Sequence[str], user: Optional[str] = None) -> Engine:
    """The wanted engine, or docker or else podman where none is wanted. user: who runs its command."""
    for name in [wanted] if wanted else ENGINES:
        command = find_command(name, paths)
        if command:
            version = run_command([command, "--version"], user=user, paths=paths, timeout=ANSWER_SECONDS)
            # RHEL has a docker command that calls podman.
            name = "podman" if "podman" in version.out.lower() else name
            return Engine(name, command, version.out if version.rc == 0 else "")
    return Engine(wanted, None, "")


def wrong_engine(wanted: Optional[str], found: Optional[str]) -> Optional[str]:
    """A sentence if the docker command of a host is Podman's where the user wants Docker."""
    if wanted != "docker" or found != "podman":
        return None
    return (
        "ece_host_container_engine (option container_engine) is docker, but the docker command of this host is "
        "Podman's: set it to podman, or leave it out."
    )


def is_rootless_podman(docker: Optional[str]) -> bool:
    """Whether a docker command is that of package podman-docker, or a link to podman.

    For an ordinary user it is an engine of that user's, without a socket. To run it would create that engine's files
    in the user's home, so that it is recognised by what it is.
    """
    if not docker:
        return False
    if os.path.basename(os.path.realpath(docker)) == "podman":
        return True
    script = read_text(docker)
    is_wrapper = script.startswith("#!") and "podman" in script
    return is_wrapper and not re.search(r"podman-remote|--remote|--url|CONTAINER_HOST", script)


def engine_client(name: Optional[str], paths: Sequence[str], socket_path: Optional[str]) -> List[str]:
    """The command prefix for the engine behind the socket, which is the one that the installer uses.

    Without the socket it is the plain docker command, for podman too, as in the installer. It is empty where there is
    no command for it.
    """
    docker = find_command("docker", paths)
    if not socket_path or not socket_facts(socket_path)["is_socket"]:
        return [] if not docker or is_rootless_podman(docker) else [docker]
    url = f"unix://{socket_path}"
    if name == "podman":
        remote, own = find_command(PODMAN_REMOTE, paths), find_command("podman", paths)
        if remote:
            return [remote, "--url", url]
        return [own, "--remote", "--url", url] if own else []
    return [docker, "-H", url] if docker else []


# -- containers ------------------------------------------------------------------------------------------------------


def _first_line(output: Output) -> str:
    """The first line that a failed command printed, errors first."""
    lines = [line.strip() for line in f"{output.err}\n{output.out}".splitlines()]
    lines = [line for line in lines if line and not line.startswith(WRAPPER_NOTE)]
    return lines[0] if lines else f"exit code {output.rc}"


def list_containers(client: Sequence[str], paths: Sequence[str], user: Optional[str] = None) -> Listing:
    """All containers that the client lists when it runs as the user."""
    output = run_command([*client, *LIST_CONTAINERS], user=user, paths=paths, timeout=ANSWER_SECONDS)
    if output.rc != 0:
        return Listing([], _first_line(output), output.rc == TIMED_OUT)
    rows = [line.split("|") for line in output.out.splitlines()]
    return Listing([dict(zip(("name", "image", "status"), row)) for row in rows if len(row) == 3], None)


def _client_version(
    engine: Engine, client: Sequence[str], paths: Sequence[str], user: Optional[str] = None
) -> Optional[str]:
    """The version of the client, which for Podman is that of podman-remote, as the installer takes it."""
    if engine.name == "podman" and len(client) > 1:
        output = run_command([*client, "version"], user=user, paths=paths, timeout=ANSWER_SECONDS)
        found = _CLIENT_VERSION.search(output.out) if output.rc == 0 else None
        if found:
            return found.group(1)
    found = _VERSION.search(engine.version_output)
    return found.group(1) if found else None


def _store(name: str, client: Sequence[str], paths: Sequence[str], user: Optional[str]) -> Dict[str, Optional[str]]:
    """The folder in which the engine keeps images and containers, and its storage driver; None where not known."""
    output = run_command([*client, *ENGINE_INFO[name]], user=user, paths=paths, timeout=ANSWER_SECONDS)
    found = re.match(r"(/[^|\n]*)\|(\w+)\s*$", output.out) if output.rc == 0 else None
    return {"folder": found.group(1), "driver": found.group(2)} if found else {"folder": None, "driver": None}


def _no_engine(facts: Dict[str, Any], wanted: Optional[str], paths: Sequence[str], socket_path: Optional[str]) -> None:
    error = f"no command {wanted or 'docker or podman'} on {search_path(paths)}"
    # Without an engine there are no containers; but a socket belongs to an engine whose command was not found.
    known = not (socket_path and os.path.exists(socket_path))
    facts.update(error=error, containers=[], containers_known=known, containers_error=error)


def engine_facts(
    wanted: Optional[str], user: Optional[str], paths: Sequence[str], socket_path: Optional[str] = None
) -> Dict[str, Any]:
    """The container engine, the version of its client, whether the install user may use it, and its containers.

    The containers are those of the engine behind the socket, or of the docker command where there is no socket.
    `containers_known` is false if they could not be listed, so that an empty list proves nothing.
    """
    if user is None:
        paths = paths_for_root(paths)  # the install user does not exist
    engine, docker = find_engine(wanted, paths, user), find_command("docker", paths)
    facts: Dict[str, Any] = {
        "name": engine.name,
        "version": None,
        "usable": False,
        "error": None,
        "docker_error": None,
        "socket_error": None,
        "docker_command": bool(docker),
        "docker_is_rootless": is_rootless_podman(docker),
        "podman_remote": bool(find_command(PODMAN_REMOTE, paths)),
        "store": {"folder": None, "driver": None},
    }
    if not engine.command:
        _no_engine(facts, wanted, paths, socket_path)
        return facts
    client = engine_client(engine.name, paths, socket_path)
    facts["version"] = _client_version(engine, client, paths, user)
    listing = _ask(facts, client, user, paths)
    if client and listing.error is not None and not listing.is_silent:
        # Root is asked where the user may not use the engine: that must not look like an engine without containers.
        user, paths = None, paths_for_root(paths)
        client = engine_client(engine.name, paths, socket_path)
        listing = list_containers(client, paths) if client else listing
    if listing.error is None and engine.name and client:
        facts["store"] = _store(engine.name, client, paths, user)
    return dict(
        facts,
        containers=listing.containers,
        containers_known=listing.error is None,
        containers_error=listing.error,
    )


def _ask(facts: Dict[str, Any], client: Sequence[str], user: Optional[str], paths: Sequence[str]) -> Listing:
    """The engine's containers as the install user sees them, with `usable` and that user's errors set in its facts.

    The installer checks the user by a plain `docker ps`, for podman too, and then pulls and runs through the socket.
    """
    through_socket = len(client) > 1
    listing = Listing([], "there is no socket, or no command that uses it")
    if client:
        listing = list_containers(client, paths, user)
        facts["socket_error" if through_socket else "docker_error"] = listing.error
    # An engine that does not answer is asked once, because each question takes the whole time limit.
    if through_socket and facts["docker_command"] and not facts["docker_is_rootless"] and not listing.is_silent:
        plain = [find_command("docker", paths) or "docker"]
        facts["docker_error"] = list_containers(plain, paths, user).error
    facts["error"] = facts["docker_error"] or facts["socket_error"] or (None if client else listing.error)
    facts["usable"] = facts["error"] is None
    return listing


def ece_containers(engine: Mapping[str, Any]) -> List[str]:
    """Names of ECE's containers among those of engine_facts(): its services and the instances of deployments."""
    names = [container["name"] for container in engine["containers"]]
    return sorted(name for name in names if name.startswith(CONTAINER_PREFIXES))


def container_runs(engine: Mapping[str, Any], name: str) -> bool:
    """Whether engine_facts() list a running container of this name."""
    return any(
        container["name"] == name and container["status"].lower().startswith("up") for container in engine["containers"]
    )
