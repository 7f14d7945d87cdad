# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Podman as ECE uses it: its socket, the docker command, storage, networks, limits and services.

A piece of the part `engine`, which installs the packages.
https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/configure-host-rhel (read 2026-11-27)
Runs on hosts: Python 3.6 and the standard library.
"""

import grp
import json
import os
import re
import stat
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.ece.platform.plugins.module_utils._host_advice import NOFILE_MIN
from ansible_collections.ece.platform.plugins.module_utils._host_process import find_command, run_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._host_system import LIMITS, SYSTEMCTL_SECONDS, UNLIMITED
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import Facts, Options, PartPlan, System
from ansible_collections.ece.platform.plugins.module_utils._preparation_toml import (
    TomlError,
    quoted,
    read_tables,
    text_in,
    texts_in,
    value_of,
    with_setting,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names

SOCKET_UNIT = "podman.socket"
SERVICES = ("podman.service", "podman-restart.service")
# The group that may use the socket.
GROUP = "podman"
UNIT_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
# The file of Elastic's page.
DROP_IN = f"/etc/systemd/system/{SOCKET_UNIT}.d/podman.conf"
# Those that let user and group connect. 0770 is that of Elastic's page.
SOCKET_MODES = (0o660, 0o770)
DOCKER_COMMAND = "/usr/bin/docker"
STORAGE, VENDOR_STORAGE = "/etc/containers/storage.conf", "/usr/share/containers/storage.conf"
DEFAULT_STORE = "/var/lib/containers/storage"
NO_STORAGE = "# Settings of the storage of containers and images: man 5 containers-storage.conf\n"
CONTAINERS = ("/usr/share/containers/containers.conf", "/etc/containers/containers.conf")
CONTAINERS_FOLDER = "/etc/containers/containers.conf.d"
# Files of this role's own, so that it changes none of the package or of others.
OWN_SETTINGS = f"{CONTAINERS_FOLDER}/70-ece.conf"
# A network cannot be created while it is the default, which therefore is set in a file after that.
OWN_NETWORK = f"{CONTAINERS_FOLDER}/71-ece-network.conf"
OWN_HEADER = "# Written by Ansible, role ece_host_preparation.\n"
# The limits of Elastic's pages.
CONTAINER_LIMITS = {"nofile": 1024000, "memlock": UNLIMITED, "nproc": UNLIMITED}
NETWORK, NETWORK_SUBNET = "ece-network", "10.89.0.0/24"
NETWORK_FILES = {
    "cni": f"/etc/cni/net.d/{NETWORK}.conflist",
    "netavark": f"/etc/containers/networks/{NETWORK}.json",
}
# By the backend of the system, the bridge of Podman's first network in the other one. It stays until the next restart.
FORMER_BRIDGES = {"cni": "podman0", "unset": "cni-podman0"}
# The folder of the socket of Podman's package, which its file for systemd-tmpfiles keeps to root. Of several lines on
# one folder, that of the first file by name counts.
PACKAGE_FOLDER, PACKAGE_FOLDER_FILE = "/run/podman", "/etc/tmpfiles.d/ece-podman.conf"
_LIMIT = re.compile(r"^(\w+)=(-?\d+)(?::(-?\d+))?$")
_SUBNET = re.compile(r'"subnet"\s*:\s*"([^"]+)"')
_SCRIPT_MAX = 4096
_WRAPPED = re.compile(r"podman-remote|podman\s+(?:\S+\s+)*?--remote")
_ADDRESS = re.compile(r"unix://(/[^\s\"']*)")


# -- reading ---------------------------------------------------------------------------------------------------------


def _below(root: str, path: str) -> str:
    return os.path.join(root, path.lstrip("/"))


def _confs(folder: str) -> List[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".conf"))
    except OSError:
        return []


def _unit_texts(root: str) -> List[Tuple[str, str]]:
    """(path, text) of the unit of the socket and its drop-ins, in the order in which systemd reads them."""
    units = [f"{folder}/{SOCKET_UNIT}" for folder in UNIT_FOLDERS]
    paths = [path for path in units if os.path.isfile(_below(root, path))][:1]
    drop_ins: Dict[str, str] = {}
    for folder in reversed(UNIT_FOLDERS):
        drop_ins.update(
            (name, f"{folder}/{SOCKET_UNIT}.d/{name}") for name in _confs(_below(root, f"{folder}/{SOCKET_UNIT}.d"))
        )
    paths += [drop_ins[name] for name in sorted(drop_ins)]
    return [(path, read_text(_below(root, path))) for path in paths]


def containers_settings(path: str, text: str) -> Dict[str, Any]:
    """What this role needs of a file like containers.conf, which may have passwords of proxies in the rest."""
    try:
        tables = read_tables(text)
    except TomlError as error:
        return {"path": path, "error": str(error), "limits": None, "adds": False, "backend": None, "network": None}
    limits = value_of(tables, "containers", "default_ulimits")
    return {
        "path": path,
        "error": None,
        "limits": None if limits is None else texts_in(limits),
        # Since Podman 5 a list may be added to that of the files before: [..., {append=true}].
        "adds": bool(re.search(r"append\s*=\s*true", limits or "")),
        "backend": text_in(value_of(tables, "network", "network_backend")),
        "network": text_in(value_of(tables, "network", "default_network")),
    }


def _containers_files(root: str) -> List[Dict[str, Any]]:
    """containers_settings() of all files, in the order in which Podman reads them."""
    names = _confs(_below(root, CONTAINERS_FOLDER))
    paths = [*CONTAINERS, *(f"{CONTAINERS_FOLDER}/{name}" for name in names)]
    return [containers_settings(path, read_text(_below(root, path))) for path in paths]


def _owner(path: str) -> str:
    """The package that a file is of, or an empty string."""
    for argv in (["rpm", "-qf", "--qf", "%{NAME}:\n", path], ["dpkg-query", "-S", path]):
        output = run_command(argv, timeout=SYSTEMCTL_SECONDS) if find_command(argv[0]) else None
        if output and output.rc == 0 and ":" in output.out:
            return output.out.split(":")[0].split(",")[0].strip()
    return ""


def _docker_command(bin_paths: Sequence[str]) -> Dict[str, Any]:
    """The docker command: its path, its text if it is a script, whether it is podman itself, and its package."""
    path = find_command("docker", bin_paths)
    if not path:
        return {"path": None, "script": "", "is_podman": False, "package": ""}
    text = read_text(path)[:_SCRIPT_MAX] if os.path.getsize(path) <= _SCRIPT_MAX else ""
    return {
        "path": path,
        "script": text if text.startswith("#!") else "",
        "is_podman": os.path.basename(os.path.realpath(path)) == "podman",
        "package": _owner(path),
    }


def _names_in(path: str) -> List[str]:
    """The first name, or the id, of each image or container in a list of the store."""
    try:
        return [(one.get("names") or [one.get("id", "")])[0] for one in json.loads(read_text(path) or "[]") or []]
    except (ValueError, AttributeError, TypeError):
        return []


def _store(folder: str, root: str) -> Dict[str, Any]:
    """Images and containers that are kept in a folder, and the backend of networks that Podman has chosen with it.

    Podman would make that folder if it was asked.
    """
    found: Dict[str, List[str]] = {"images": [], "containers": []}
    try:
        names = sorted(os.listdir(_below(root, folder)))
    except OSError:
        names = []
    for name in names:
        for kind in found:
            if name.endswith(f"-{kind}"):
                found[kind] += _names_in(os.path.join(_below(root, folder), name, f"{kind}.json"))
    backend = read_text(os.path.join(_below(root, folder), "defaultNetworkBackend")).strip()
    return dict(found, folder=folder, backend=backend)


def stored_names(folder: str, root: str = "/") -> List[str]:
    """All names of the containers in Podman's folder. Raises OSError or ValueError if they cannot be told."""
    try:
        kinds = sorted(name for name in os.listdir(_below(root, folder)) if name.endswith("-containers"))
    except (FileNotFoundError, NotADirectoryError):
        return []
    names: List[str] = []
    for kind in kinds:
        for name in sorted(os.listdir(os.path.join(_below(root, folder), kind))):
            # Of a transient store, it is volatile-containers.json.
            if name.endswith("containers.json"):
                names += _all_names_in(os.path.join(_below(root, folder), kind, name))
    return names


def _all_names_in(path: str) -> List[str]:
    # One that is empty, or null, has none. One that cannot be read looks like an empty one.
    text = read_text(path) if os.path.getsize(path) else "[]"
    try:
        return [str(name) for one in json.loads(text) or () for name in one.get("names") or ()]
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"{path} is no list of containers") from None


def podman_containers(root: str = "/") -> Tuple[str, List[str]]:
    """(folder, names of the containers in it) of a Podman that does not answer. Raises OSError or ValueError."""
    storage = {path: read_text(_below(root, path)) for path in (STORAGE, VENDOR_STORAGE)}
    folder = _kept_at(_storage_text(storage)) or DEFAULT_STORE
    return folder, stored_names(folder, root)


def _storage_text(files: Mapping[str, str]) -> str:
    """The text by which Podman keeps its storage now: its own file is taken as a whole, or else that of the package."""
    return files[STORAGE] or files[VENDOR_STORAGE]


def _kept_at(text: str) -> Optional[str]:
    try:
        return text_in(value_of(read_tables(text), "storage", "graphroot"))
    except TomlError:
        return None


def _kind(path: str) -> str:
    """What is at the path of the socket."""
    if not os.path.isdir(path):
        return "other"
    return "folder" if os.listdir(path) else "empty folder"


def _target(path: str) -> Optional[str]:
    """Where a link in place of the socket leads to. Package podman-docker makes one to the socket of package podman."""
    return os.path.realpath(path) if os.path.islink(path) else None


def _closed_folder(path: str) -> Optional[str]:
    """A folder above the socket that only some users can enter."""
    folder = os.path.dirname(path)
    while folder != os.path.dirname(folder):
        if os.path.isdir(folder) and not os.stat(folder).st_mode & stat.S_IXOTH:
            return folder
        folder = os.path.dirname(folder)
    return None


def _shown_socket() -> Dict[str, str]:
    """What systemd has of the unit of the socket."""
    fields = ("Listen", "ActiveState", "UnitFileState", "NeedDaemonReload")
    argv = ["systemctl", "show", "--no-pager", *(part for name in fields for part in ("-p", name)), SOCKET_UNIT]
    output = run_command(argv, timeout=SYSTEMCTL_SECONDS)
    return {key: value for key, _equals, value in (line.partition("=") for line in output.out.splitlines())}


def _networks(root: str) -> Dict[str, List[str]]:
    """Subnets of the network for IPv6 in each backend that has it.

    Podman itself shows one that is not there, with other subnets, once it is the default.
    """
    found = {backend: read_text(_below(root, path)) for backend, path in NETWORK_FILES.items()}
    return {backend: _SUBNET.findall(text) for backend, text in found.items() if text}


def _has_group(name: str) -> bool:
    try:
        return bool(grp.getgrnam(name))
    except KeyError:
        return False


def read_podman(facts: Facts, options: Options, system: System, root: str = "/") -> Dict[str, Any]:
    """Podman's files, its socket, the docker command, and what is in its store."""
    is_installed = bool(find_command("podman", options["ece_host_bin_paths"]))
    storage = {path: read_text(_below(root, path)) for path in (STORAGE, VENDOR_STORAGE)}
    return {
        "is_installed": is_installed,
        "has_group": _has_group(GROUP),
        "units": _unit_texts(root),
        "socket": dict(
            _shown_socket(),
            kind=_kind(options["ece_host_docker_socket"]),
            closed=_closed_folder(options["ece_host_docker_socket"]),
            target=_target(options["ece_host_docker_socket"]),
        ),
        "docker": _docker_command(options["ece_host_bin_paths"]),
        "storage": storage,
        "store": _store(_kept_at(_storage_text(storage)) or DEFAULT_STORE, root),
        "settings": _containers_files(root),
        "own_settings": {path: read_text(_below(root, path)) for path in (OWN_SETTINGS, OWN_NETWORK)},
        "networks": _networks(root),
        "interfaces": sorted(os.listdir("/sys/class/net")),
        "missing_folders": [
            folder
            for folder in (*map(os.path.dirname, (DROP_IN, STORAGE, PACKAGE_FOLDER_FILE)), CONTAINERS_FOLDER)
            if not os.path.isdir(_below(root, folder))
        ],
    }


# -- the socket ------------------------------------------------------------------------------------------------------


class SocketUnit(NamedTuple):
    """What systemd takes from the files of a socket's unit."""

    listen: List[str]
    mode: str
    user: str
    group: str


_KEYS = ("ListenStream", "SocketMode", "SocketUser", "SocketGroup")


def _same_path(path: str) -> str:
    """A path in one spelling: /var/run is /run on all systems."""
    path = os.path.normpath(path)
    return path[len("/var") :] if path.startswith("/var/run/") else path


def _socket_lines(text: str) -> List[Tuple[int, str, str]]:
    """(index of the line, key, value) of the settings in the section of the socket."""
    found, section = [], ""
    for index, line in enumerate(text.splitlines()):
        line = line.strip().lstrip("\ufeff")
        if line.startswith("["):
            section = line
        elif section == "[Socket]" and "=" in line and not line.startswith(("#", ";")):
            key, _equals, value = line.partition("=")
            found.append((index, key.strip(), value.strip()))
    return found


def socket_unit(texts: Sequence[str]) -> SocketUnit:
    """What systemd takes from files of a unit that it reads in this order."""
    listen: List[str] = []
    values: Dict[str, str] = {}
    for text in texts:
        for _index, key, value in _socket_lines(text):
            if key == "ListenStream":
                # An empty value takes back those before it.
                listen = [*listen, value] if value else []
            else:
                values[key] = value
    return SocketUnit(listen, *(values.get(key, "") for key in _KEYS[1:]))


def _is_there(listen: Sequence[str], paths: Sequence[str]) -> bool:
    """Whether a socket listens at one of these paths alone."""
    places = [_same_path(one.replace("%t/", "/run/")) for one in listen]
    return len(places) == 1 and places[0] in map(_same_path, paths)


def _is_right(unit: SocketUnit, paths: Sequence[str], user: str) -> bool:
    is_octal = bool(re.match(r"^[0-7]+$", unit.mode))
    return (
        _is_there(unit.listen, paths)
        and is_octal
        and int(unit.mode, 8) in SOCKET_MODES
        and (unit.user, unit.group) == (user, GROUP)
    )


def drop_in(text: str, path: str, user: str) -> str:
    """The text of the drop-in of the socket. Other settings that it has are kept."""
    wanted = ["ListenStream=", f"ListenStream={path}", "SocketMode=0770", f"SocketUser={user}", f"SocketGroup={GROUP}"]
    replaced = {index for index, key, _value in _socket_lines(text) if key in _KEYS}
    lines = [line.rstrip() for index, line in enumerate(text.splitlines()) if index not in replaced]
    if "[Socket]" not in lines:
        lines += ["[Socket]"]
    place = lines.index("[Socket]") + 1
    return "\n".join([*lines[:place], *wanted, *lines[place:]]) + "\n"


def _listens_elsewhere(found: Mapping[str, Any], paths: Sequence[str]) -> List[str]:
    """The addresses at which the socket listens now, if they are not one of the wanted ones alone."""
    listen = re.findall(r"(\S+) \(Stream\)", found["socket"].get("Listen", ""))
    return [] if _is_there(listen, paths) else listen


def _plan_socket(facts: Facts, options: Options, found: Mapping[str, Any], plan: PartPlan) -> None:
    path, user = options["ece_host_docker_socket"], options["ece_host_user"]
    own = dict(found["units"]).get(DROP_IN, "")
    is_active = found["socket"].get("ActiveState") == "active"
    # A link to where the socket is does as well.
    target = found["socket"]["target"]
    unit = socket_unit([text for _path, text in found["units"]])
    paths = [path, target] if target and _is_right(unit, [target], user) else [path]
    if not _is_right(unit, paths, user):
        wanted = drop_in(own, path, user)
        others = dict(found["units"], **{DROP_IN: wanted})
        # The unit itself comes before all drop-ins, which systemd sorts by name.
        order = sorted(others, key=lambda one: ("/" + SOCKET_UNIT + ".d/" in one, os.path.basename(one)))
        if not _is_right(socket_unit([others[one] for one in order]), [path], user):
            later = order[order.index(DROP_IN) + 1 :]
            plan.problems.append(
                f"{' and '.join(later)} outranks the settings of this role for {SOCKET_UNIT}: remove it, or set "
                "ece_host_docker_socket and ece_host_user to what it has."
            )
        _write(plan, DROP_IN, wanted, f"let {SOCKET_UNIT} listen at {path} for user {user} and group {GROUP}")
    elsewhere = _listens_elsewhere(found, paths) if is_active else []
    names = found["store"]["containers"]
    if elsewhere and names and not options["ece_host_preparation_restart_engine"]:
        plan.problems.append(
            f"Podman has containers ({first_names(names)}) and listens at {' and '.join(elsewhere)}: set "
            f"ece_host_preparation_restart_engine: true to let it listen at {path} instead, or set "
            f"ece_host_docker_socket: {elsewhere[0]}."
        )
    _plan_folder(found["socket"]["closed"], path, user, plan)
    if found["socket"]["kind"] == "folder":
        plan.problems.append(
            f"ece_host_docker_socket {path} is a folder with files, so that no socket can be there: look at them and "
            "move them away, or set another path."
        )
    if found["socket"]["kind"] == "empty folder":
        # An engine makes it of a volume whose source is a socket that is not there.
        plan.steps.append(f"remove the empty folder {path}")
        plan.values["removed_folders"].append(path)
    is_stale = bool(target) and len(paths) == 1
    if is_stale:
        plan.steps.append(f"remove the link {path} to {target}")
        plan.values["removed_paths"].append(path)
    is_right = is_active and not elsewhere and facts["socket"]["is_socket"] and not is_stale
    if not is_right or found["socket"].get("NeedDaemonReload") == "yes":
        plan.values["start_socket"] = True


def _plan_folder(closed: Optional[str], path: str, user: str, plan: PartPlan) -> None:
    """Let the user reach the socket in the folder of Podman's package, where an older role of Elastic's had it too."""
    if closed and _same_path(closed) == PACKAGE_FOLDER:
        text = f"d {PACKAGE_FOLDER} 0755 root root -\n"
        _write(plan, PACKAGE_FOLDER_FILE, text, f"let users enter {PACKAGE_FOLDER}")
        plan.values["opened_folder"] = PACKAGE_FOLDER
    elif closed:
        plan.problems.append(
            f"User {user} cannot enter {closed}, in which ece_host_docker_socket {path} is: let others enter it (mode "
            "0755), or use /var/run/docker.sock."
        )


# -- the docker command ----------------------------------------------------------------------------------------------


def wrapper(path: str) -> str:
    """The docker command of Elastic's page."""
    return f'#!/bin/bash\nexec podman-remote --url unix://{path} "$@"\n'


def is_wrapper(script: str, path: str) -> bool:
    """Whether a script calls Podman through the socket with all its arguments, however it is written."""
    lines = [line for line in script.splitlines() if not line.strip().startswith("#")]
    text = "\n".join(lines)
    addresses = {_same_path(one) for one in _ADDRESS.findall(text)}
    passes_all = '"$@"' in text or "${@}" in text
    return bool(_WRAPPED.search(text)) and addresses == {_same_path(path)} and passes_all


def _plan_docker(options: Options, found: Mapping[str, Any], plan: PartPlan, system: System) -> None:
    docker, socket = found["docker"], options["ece_host_docker_socket"]
    path, package = docker["path"], docker["package"]
    if path and is_wrapper(docker["script"], socket):
        return
    if path and path != DOCKER_COMMAND:
        plan.problems.append(
            f"{path} is found before {DOCKER_COMMAND} and does not call podman-remote with the socket {socket}: remove "
            "it, or set ece_host_docker_socket to the socket that it uses."
        )
        return
    if package in system.get("engine_names", {}).get("docker", ()):
        pass  # the part `engine` removes Docker's packages, or refuses to
    elif package or docker["is_podman"]:
        owner = f"that of package {package}" if package else "podman itself"
        if not options["ece_host_preparation_replace_engine"]:
            remedy = "remove that package" if package else "replace it"
            plan.problems.append(
                f"{path} is {owner}, and ECE needs one that calls podman-remote with the socket {socket}: set "
                f"ece_host_preparation_replace_engine: true to {remedy}."
            )
        if package:
            plan.steps.append(f"remove package {package}")
            plan.values["removed_packages"] = [package]
    elif path and not _WRAPPED.search(docker["script"]):
        plan.problems.append(
            f"{path} is of no package and does not call podman-remote, which ECE needs of it: move it away, or set "
            "ece_host_container_engine to the engine that the host has."
        )
    step = f"let {DOCKER_COMMAND} call podman-remote with {socket}"
    _write(plan, DOCKER_COMMAND, wrapper(socket), step, "0755", backup=bool(docker["script"]))


def _plan_remote(facts: Facts, options: Options, found: Mapping[str, Any], plan: PartPlan) -> None:
    is_left = options["ece_host_preparation_engine_source"] == "installed"
    if is_left and found["is_installed"] and not facts["engine"]["podman_remote"]:
        plan.problems.append(
            "There is no podman-remote command, by which the installer calls Podman, and "
            "ece_host_preparation_engine_source is installed: install package podman-remote, or use system."
        )


# -- storage ---------------------------------------------------------------------------------------------------------


def storage_settings(folder: str) -> Dict[str, str]:
    """Settings of table storage that ECE asks for."""
    return {"graphroot": folder, "runroot": f"{folder}/runroot/", "driver": "overlay"}


def storage_text(text: str, folder: str) -> str:
    """The text of storage.conf with the settings for a folder. Raises TomlError."""
    tables = read_tables(text)
    text = text or NO_STORAGE
    for key, value in storage_settings(folder).items():
        found = [one for one in tables.settings if (one.table, one.key) == ("storage", key)]
        given = text_in(found[-1].value) if found else None
        is_same = given is not None and (
            os.path.normpath(given) == os.path.normpath(value) or (key, given) == ("driver", "overlay2")
        )
        if not is_same or len(found) > 1:
            text = with_setting(text, "storage", key, quoted(value))
    return text


def _plan_storage(options: Options, found: Mapping[str, Any], plan: PartPlan) -> None:
    folder = os.path.normpath(options["ece_host_preparation_engine_path"])
    now, store = _storage_text(found["storage"]), found["store"]
    try:
        wanted = storage_text(now, folder)
    except TomlError as error:
        # A file that is not there has no mistakes.
        source = STORAGE if found["storage"][STORAGE] else VENDOR_STORAGE
        plan.problems.append(
            f"{source} cannot be changed, because {error}: mend it, or leave the part out "
            "(ece_host_preparation_skip: [engine])."
        )
        return
    if wanted == found["storage"][STORAGE]:
        return
    count = [f"{kind} ({len(store[kind])})" for kind in ("images", "containers") if store[kind]]
    if count and os.path.normpath(store["folder"]) != folder:
        plan.problems.append(
            f"Podman keeps {' and '.join(count)} at {store['folder']}, and would not find them at "
            f"ece_host_preparation_engine_path {folder}: set it to {store['folder']}, or, if nothing there is needed, "
            "remove them with podman first."
        )
    _write(plan, STORAGE, wanted, f"keep images and containers at {folder}")


# -- settings of containers ------------------------------------------------------------------------------------------


class Settings(NamedTuple):
    """What applies from all files like containers.conf together."""

    limits: List[str]
    backend: str
    network: str


def settings_of(files: Sequence[Mapping[str, Any]]) -> Settings:
    """What applies from these files, in their order."""
    limits: List[str] = []
    for one in files:
        if one["limits"] is not None:
            limits = [*limits, *one["limits"]] if one["adds"] else one["limits"]
    backends = [one["backend"] for one in files if one["backend"] is not None]
    networks = [one["network"] for one in files if one["network"] is not None]
    return Settings(limits, (backends or [""])[-1], (networks or [""])[-1])


def _is_enough(name: str, value: int) -> bool:
    return value == UNLIMITED or (name == "nofile" and value >= NOFILE_MIN)


def limits_list(given: Sequence[str]) -> List[str]:
    """Limits of containers: those that are given if they are enough or are others than ECE's, and ECE's."""
    matches = [_LIMIT.match(one) for one in given]
    found = {match.group(1): match for match in matches if match}
    kept = [one for one, match in zip(given, matches) if not match or match.group(1) not in LIMITS]
    for name, wanted in CONTAINER_LIMITS.items():
        match = found.get(name)
        is_kept = match and all(_is_enough(name, int(value)) for value in match.groups()[1:] if value)
        kept.append(match.group() if match and is_kept else f"{name}={wanted}:{wanted}")
    return kept


def _own_text(found: Mapping[str, Any], path: str, settings: Mapping[Tuple[str, str], str], plan: PartPlan) -> str:
    """The text of a file of this role with these settings."""
    text = found["own_settings"][path] or OWN_HEADER
    try:
        for (table, key), value in settings.items():
            text = with_setting(text, table, key, value)
    except TomlError as error:
        plan.problems.append(f"{path} cannot be changed, because {error}: move it away, this role writes it.")
    return text


def _after(files: Sequence[Mapping[str, Any]], path: str) -> List[Mapping[str, Any]]:
    """Those of these files that Podman reads after one in the folder for more files."""
    return [one for one in files if os.path.dirname(one["path"]) == CONTAINERS_FOLDER and one["path"] > path]


def _with_file(files: Sequence[Mapping[str, Any]], path: str, text: str) -> List[Mapping[str, Any]]:
    """The settings of these files if one of them had another text."""
    others = [one for one in files if one["path"] != path]
    later = _after(others, path)
    return [*(one for one in others if one not in later), containers_settings(path, text), *later]


def _plan_settings(found: Mapping[str, Any], plan: PartPlan, system: System) -> None:
    """Limits of containers, and the backend of networks."""
    files = found["settings"]
    rule = system.get("podman_network_backend")
    broken = [one for one in files if one["error"]]
    for one in broken:
        plan.problems.append(
            f"{one['path']} cannot be used, because {one['error']}: mend it, Podman cannot read it either."
        )
    if broken:
        return
    now = settings_of(files)
    settings: Dict[Tuple[str, str], str] = {}
    limits = limits_list(now.limits)
    if sorted(limits) != sorted(now.limits):
        settings["containers", "default_ulimits"] = f"[{', '.join(map(quoted, limits))}]"
        plan.steps.append(f"set the limits of containers to {', '.join(limits)}")
    # A file of the package is not changed.
    pinned = [one["path"] for one in files if one["backend"] == "cni" and one["path"].startswith("/etc/")]
    stale = pinned if rule == "unset" else []
    if rule == "cni" and now.backend != "cni":
        settings["network", "network_backend"] = quoted("cni")
        plan.steps.append("let Podman use CNI for its networks")
    for path in stale:
        plan.steps.append(f"remove network_backend from {path}")
    plan.values["stale_pins"] = stale
    # Without a setting, Podman has chosen one at its first start.
    is_other = ("network", "network_backend") in settings and (now.backend or found["store"]["backend"]) != "cni"
    former = FORMER_BRIDGES.get(rule or "")
    if former in found["interfaces"]:
        plan.reboot.append(f"{former} is of a backend for networks that Podman does not use any more")
    if stale or is_other:
        _plan_backend(found, plan)
    if settings:
        text = _own_text(found, OWN_SETTINGS, settings, plan)
        after = settings_of(_with_file(files, OWN_SETTINGS, text))
        if sorted(limits_list(after.limits)) != sorted(after.limits) or (rule == "cni" and after.backend != "cni"):
            later = [one["path"] for one in _after(files, OWN_SETTINGS) if one["limits"] or one["backend"]]
            plan.problems.append(
                f"{' and '.join(later)} outranks {OWN_SETTINGS}, which this role writes: remove default_ulimits and "
                "network_backend from it."
            )
        _write(plan, OWN_SETTINGS, text)


def _plan_backend(found: Mapping[str, Any], plan: PartPlan) -> None:
    """Another backend for networks needs a host without containers."""
    names = found["store"]["containers"]
    if names:
        plan.problems.append(
            f"Podman has containers ({first_names(names)}), which would lose their network if it used another "
            "backend, as ECE needs on this system: remove them first, or leave the part out "
            "(ece_host_preparation_skip: [engine])."
        )


# -- IPv6 ------------------------------------------------------------------------------------------------------------


def _backends(found: Mapping[str, Any], system: System) -> List[str]:
    """The backends that Podman will have its networks in: one, or both where that is left to Podman."""
    rule, pinned = system.get("podman_network_backend"), settings_of(found["settings"]).backend
    if rule == "cni":
        return ["cni"]
    if pinned in NETWORK_FILES and (rule, pinned) != ("unset", "cni"):
        return [pinned]
    if found["store"]["backend"] in NETWORK_FILES:
        return [found["store"]["backend"]]
    return ["netavark"] if rule == "unset" else list(NETWORK_FILES)


def _plan_network(options: Options, found: Mapping[str, Any], plan: PartPlan, system: System) -> None:
    """The network whose containers reach IPv6 addresses.

    https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/ece-ipv6-support (read 2026-11-27)
    """
    if not options["ece_host_preparation_ipv6"] or any(one["error"] for one in found["settings"]):
        return
    wanted = [NETWORK_SUBNET, options["ece_host_preparation_ipv6_subnet"]]
    there = [found["networks"][name] for name in _backends(found, system) if name in found["networks"]]
    default, files = settings_of(found["settings"]).network, found["settings"]
    if there and wanted[1] not in there[0]:
        plan.problems.append(
            f"Podman's network {NETWORK} has {', '.join(there[0])}: set ece_host_preparation_ipv6_subnet to its IPv6 "
            f"network, or remove it (podman network rm {NETWORK})."
        )
    if not there:
        plan.steps.append(f"create Podman's network {NETWORK} with {' and '.join(wanted)}")
        plan.values["network"] = {"name": NETWORK, "subnets": wanted}
        others = [one["path"] for one in files if one["network"] == NETWORK and one["path"] != OWN_NETWORK]
        if others:
            plan.problems.append(
                f"{' and '.join(others)} makes {NETWORK} the default network, which is not there and cannot be created "
                "while it is the default: remove default_network from it."
            )
        if default == NETWORK:
            plan.values["removed_paths"].append(OWN_NETWORK)
    if not there or default != NETWORK:
        text = _own_text(found, OWN_NETWORK, {("network", "default_network"): quoted(NETWORK)}, plan)
        if settings_of(_with_file(files, OWN_NETWORK, text)).network != NETWORK:
            later = [one["path"] for one in _after(files, OWN_NETWORK) if one["network"]]
            plan.problems.append(
                f"{' and '.join(later)} outranks {OWN_NETWORK}, which this role writes: remove default_network from it."
            )
        plan.steps.append(f"make {NETWORK} the network of containers")
        plan.values["default_network"] = {"path": OWN_NETWORK, "content": text}


# -- all of it -------------------------------------------------------------------------------------------------------


def _write(
    plan: PartPlan, path: str, content: str, step: str = "", mode: str = "0644", *, backup: bool = False
) -> None:
    # A link to a file of settings stays. One in place of the docker command leads to another command.
    follow = path != DOCKER_COMMAND
    plan.values["files"].append({"path": path, "content": content, "mode": mode, "follow": follow, "backup": backup})
    if step:
        plan.steps.append(step)


def _plan_services(facts: Facts, found: Mapping[str, Any], plan: PartPlan) -> None:
    values = plan.values
    at_boot = {name: facts["units"].get(name, {}).get("at_boot", "") for name in SERVICES}
    at_boot[SOCKET_UNIT] = found["socket"].get("UnitFileState", "")
    if found["is_installed"]:
        # One that Podman does not have is not missed: podman-restart.service came with Podman 3.4.
        values["services"] = [name for name in SERVICES if at_boot[name] == "disabled"]
    else:
        values["services"] = list(SERVICES)
    masked = [name for name in at_boot if at_boot[name].startswith("masked")]
    plan.problems.extend(f"{name} is masked: unmask it (systemctl unmask {name})." for name in masked)
    values["enable_socket"] = at_boot[SOCKET_UNIT] not in ("enabled", "static", "alias")
    if values["enable_socket"] or values["services"]:
        names = [*([SOCKET_UNIT] if values["enable_socket"] else []), *values["services"]]
        plan.steps.append(f"enable {', '.join(names)}")
    if values["start_socket"]:
        plan.steps.append(f"start {SOCKET_UNIT}")


def plan_podman(facts: Facts, options: Options, system: System) -> PartPlan:
    """Set Podman up.

    `is_installed` of the values says whether the plan was made with the files of Podman's packages. If not, the tasks
    look again after they have installed them, because what these files have is kept.
    """
    found = facts["preparation"]["engine"]["podman"]
    values: Dict[str, Any] = {
        "is_installed": found["is_installed"],
        "files": [],
        "removed_paths": [],
        "removed_folders": [],
        "start_socket": False,
    }
    plan = PartPlan([], [], values, [], [])
    if not found["has_group"] and "user" in options["ece_host_preparation_skip"]:
        plan.problems.append(
            f"There is no group {GROUP}, which gets the socket: create it, or take user out of "
            "ece_host_preparation_skip."
        )
    _plan_remote(facts, options, found, plan)
    _plan_docker(options, found, plan, system)
    _plan_socket(facts, options, found, plan)
    _plan_storage(options, found, plan)
    _plan_settings(found, plan, system)
    _plan_network(options, found, plan, system)
    _plan_services(facts, found, plan)
    folders = {
        os.path.dirname(one["path"]) for one in [*values["files"], values.get("default_network") or {"path": ""}]
    }
    values["folders"] = [folder for folder in found["missing_folders"] if folder in folders]
    # Podman reads its settings when it starts, which is at each use of the socket after a while without one.
    has_new = any(one["path"] != DOCKER_COMMAND for one in values["files"])
    is_active = found["socket"].get("ActiveState") == "active"
    values["restart_socket"] = is_active and (has_new or bool(values.get("stale_pins")))
    return plan
