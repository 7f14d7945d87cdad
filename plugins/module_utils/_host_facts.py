# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Facts of a host: everything that is read from it. The rules in `_host_rules` judge them.

Runs on hosts: Python 3.6 and the standard library.
"""

import os
import platform
import re
import socket
import sys
import time
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.ece.platform.plugins.module_utils import _host_network as network
from ansible_collections.ece.platform.plugins.module_utils import _host_system as system
from ansible_collections.ece.platform.plugins.module_utils._container_engine import (
    container_runs,
    ece_containers,
    engine_facts,
    socket_facts,
)
from ansible_collections.ece.platform.plugins.module_utils._ece import (
    DEFAULT_SOCKET,
    DEFAULT_STORAGE_PATH,
    INSTALLER_CONTAINER,
    INSTALLER_PORTS,
    SCRIPT_NAME,
)
from ansible_collections.ece.platform.plugins.module_utils._host_files import check_state_base
from ansible_collections.ece.platform.plugins.module_utils._host_process import find_user, run_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_number, read_text
from ansible_collections.ece.platform.plugins.module_utils._host_rule import is_skipped
from ansible_collections.ece.platform.plugins.module_utils._install_files import RUNS, look, places
from ansible_collections.ece.platform.plugins.module_utils._install_record import checked_record
from ansible_collections.ece.platform.plugins.module_utils._text import plain_values

SHELLS = frozenset(("ash", "bash", "dash", "ksh", "sh", "zsh"))
# Arguments by which the script is recognised where it has no name, and its actions other than install.
JOIN_FLAGS = frozenset(("--coordinator-host", "--roles-token"))
OTHER_ACTIONS = frozenset(("add-stack-version", "configure-selinux-settings", "reset-adminconsole-password", "upgrade"))
# ID of /etc/os-release -> name in the support matrix.
_OS_NAMES = {
    "rhel": "RHEL",
    "rocky": "RockyLinux",
    "centos": "CentOS",
    "ubuntu": "Ubuntu",
    "sles": "SLES",
    "sles_sap": "SLES",
}


# -- system ----------------------------------------------------------------------------------------------------------


def os_facts(os_release: str) -> Dict[str, str]:
    """id, version and the name in ECE's support matrix, from the text of /etc/os-release."""
    values = dict(re.findall(r'^([A-Z_]+)=["\']?([^"\'\n]*)', os_release, re.MULTILINE))
    name, version = values.get("ID", ""), values.get("VERSION_ID", "")
    label = _OS_NAMES.get(name, values.get("NAME", name) or "unknown")
    number = version if name == "ubuntu" else version.split(".")[0]
    return {"id": name, "version": version, "matrix_name": f"{label}-{number}"}


def memory_facts(meminfo: str) -> Dict[str, int]:
    """Total and available memory, and swap space, in MB, from the text of /proc/meminfo."""
    values = dict(re.findall(r"^(MemTotal|MemAvailable|SwapTotal):\s+(\d+) kB", meminfo, re.MULTILINE))
    return {
        "total_mb": int(values.get("MemTotal", 0)) // 1024,
        "available_mb": int(values.get("MemAvailable", 0)) // 1024,
        "swap_mb": int(values.get("SwapTotal", 0)) // 1024,
    }


# -- storage ---------------------------------------------------------------------------------------------------------


def existing_parent(path: str) -> str:
    """The nearest existing folder above the path, or the path itself."""
    while not os.path.isdir(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    return path


def mount_of(folder: str, mounts: str) -> Tuple[str, List[str]]:
    """(type, options) of the file system that holds a folder, from the text of /proc/mounts; empty if not listed."""
    best, filesystem, options = "", "", ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) > 3 and len(fields[1]) >= len(best) and f"{folder}/".startswith(fields[1].rstrip("/") + "/"):
            best, filesystem, options = fields[1], fields[2], fields[3]
    return filesystem, options.split(",") if options else []


def _may(user: Optional[str], folder: str) -> bool:
    """Whether the user can read and write a folder."""
    return bool(user) and run_command(["test", "-r", folder, "-a", "-w", folder, "-a", "-x", folder], user=user).rc == 0


def _entries(folder: str) -> List[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def runner_ids(path: str) -> List[str]:
    """The runner ids as which ECE was installed at this storage path: ECE names a folder after each."""
    return [name for name in _entries(path) if os.path.isdir(os.path.join(path, name, "services"))]


def closed_logs(path: str, user: Optional[str]) -> List[str]:
    """Those of the installer's folders for logs that exist and that the user cannot write."""
    folders = [os.path.join(path, "logs"), os.path.join(path, "logs", "bootstrap-logs")]
    return [folder for folder in folders if user and os.path.isdir(folder) and not _may(user, folder)]


def storage_facts(path: str, user: Optional[str], mounts: Optional[str] = None) -> Dict[str, Any]:
    """Free space (GB), file system, what is left of ECE, and whether the install user can write there.

    mounts: the text of /proc/mounts, which is read if it is not given.
    """
    parent = existing_parent(path)
    space = os.statvfs(parent)
    # Read after the folder was looked at: a file system of systemd's automount is not mounted before.
    filesystem, options = mount_of(parent, read_text("/proc/mounts") if mounts is None else mounts)
    runners = runner_ids(path)
    state = ["bootstrap-state"] if os.path.isdir(os.path.join(path, "bootstrap-state")) else []
    return {
        "path": path,
        "existing_parent": parent,
        "free_gb": space.f_bavail * space.f_frsize // 10**9,
        "filesystem": filesystem,
        # The kernel shows both spellings of the mount option.
        "project_quotas": bool({"prjquota", "pquota"}.intersection(options)),
        "read_only": bool(space.f_flag & os.ST_RDONLY),
        "writable": _may(user, parent),
        "leftovers": state + [f"{name}/services" for name in runners],
        "closed_logs": closed_logs(path, user),
    }


def store_facts(store: Mapping[str, Optional[str]], storage: Mapping[str, Any]) -> Dict[str, Any]:
    """Folder and driver of the engine's images and containers, its free space, and whether it is ECE's disk."""
    folder = store["folder"]
    found: Dict[str, Any] = dict(store, free_gb=None, on_storage_disk=None)
    try:
        if folder:
            space = os.statvfs(folder)
            found["free_gb"] = space.f_bavail * space.f_frsize // 10**9
            found["on_storage_disk"] = os.stat(folder).st_dev == os.stat(storage["existing_parent"]).st_dev
    except OSError:
        pass
    return found


# -- installers ------------------------------------------------------------------------------------------------------


def _is_installer(argv: List[str]) -> bool:
    """Whether a command line is a shell that runs `install` of the script, by its name or from `<(curl ...)`."""
    name = os.path.basename(argv[0]).lstrip("-")
    script = next((index for index, part in enumerate(argv[:3]) if os.path.basename(part) == SCRIPT_NAME), None)
    if name not in SHELLS and script != 0:
        return False
    for option in argv[1:]:
        if not option.startswith(("-", "+")):
            break
        # `sh -c '...'`, as Ansible and cron call it: what it starts has a command line of its own.
        if "c" in option and not option.startswith("--"):
            return False
    # A command line without an action means install.
    return (script is not None or not JOIN_FLAGS.isdisjoint(argv)) and OTHER_ACTIONS.isdisjoint(argv)


def installer_processes(storage_path: str, proc: str = "/proc") -> List[int]:
    """Pids of all installers for this storage path. A supervisor is not one: its command line is the module's."""
    pids = []
    for name in os.listdir(proc):
        if not name.isdigit():
            continue
        argv = read_text(os.path.join(proc, name, "cmdline")).split("\0")
        if not _is_installer(argv):
            continue
        flag = "--host-storage-path"
        given = argv[argv.index(flag) + 1] if flag in argv[:-1] else DEFAULT_STORAGE_PATH
        if given.rstrip("/") == storage_path.rstrip("/"):
            pids.append(int(name))
    return sorted(pids)


def last_install(
    found: Mapping[str, Any], running: bool = False, now: Optional[float] = None
) -> Optional[Dict[str, Any]]:
    """Exit code, start and age in seconds of this collection's last install here, from its record; None without one.

    running: whether that install is supervised now. now: seconds since the epoch.
    """
    record = checked_record(found)
    if not record.get("started"):
        return None
    finished = record.get("finished")
    age = (now or time.time()) - finished if finished else None
    if age is not None and age < 0:
        age = None  # the clock was set back since
    return {
        "rc": record.get("rc"),
        "started": record["started"],
        "age_seconds": age,
        "running": running,
        "token_id": record.get("token_id"),
    }


# -- gathering -------------------------------------------------------------------------------------------------------


def _own_network() -> Tuple[List[str], List[Dict[str, Any]]]:
    """(IPv4 addresses of the host, its default routes)."""
    interfaces = network.own_addresses(network.interface_addresses())
    routes = network.default_routes(read_text("/proc/net/route"), interfaces)
    return [address for _interface, address in interfaces], routes


def only_address() -> Optional[str]:
    """The host's address in the platform, where its network leaves no doubt."""
    addresses, routes = _own_network()
    return network.host_address(None, [], addresses, routes)


def why_no_only_address() -> str:
    """The sentence on a host whose only_address() is None."""
    return network.unclear_address([], *_own_network())


def network_facts(options: Mapping[str, Any]) -> Dict[str, Any]:
    """Addresses, default routes and ports of the host."""
    addresses, routes = _own_network()
    tables = (read_text("/proc/net/tcp"), read_text("/proc/net/tcp6"))
    listening = network.listening_ports(*tables)
    busy = listening.intersection(INSTALLER_PORTS)
    used = network.ece_ports(options["roles"])
    temporary = network.temporary_ports(
        read_text("/proc/sys/net/ipv4/ip_local_port_range"), read_text("/proc/sys/net/ipv4/ip_local_reserved_ports")
    )
    return {
        "addresses": addresses,
        "default_routes": routes,
        "default_interface": routes[0]["interface"] if routes else None,
        "host_ip": network.host_address(options["host_ip"], options["addresses"], addresses, routes),
        "busy_ports": sorted(busy),
        "port_users": network.port_users(busy, *tables) if busy else [],
        "busy_ece_ports": sorted(listening & used),
        "temporary_ece_ports": len(temporary & used),
    }


def system_facts(options: Mapping[str, Any], user: Optional[str], engine: Optional[str]) -> Dict[str, Any]:
    """Kernel, services, limits and security of the host."""
    settings = system.podman_settings()
    shown = system.shown_units()
    units = system.parse_units(shown)
    mode = system.selinux_mode(read_text("/sys/fs/selinux/enforce"))
    return {
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "boot_arguments_missing": system.missing_boot_arguments(read_text("/proc/cmdline")),
        "cgroup_version": 2 if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else 1,
        "memory_controller": system.has_memory_controller(read_text("/proc/cgroups")),
        "max_map_count": read_number("/proc/sys/vm/max_map_count"),
        "sysctls": system.sysctls(),
        "units": units,
        "firewalld_active": units.get("firewalld.service", {}).get("now") == "active",
        "selinux_enforcing": mode == "enforcing",
        "selinux": dict(system.selinux_needs(user, options["selinux"]), mode=mode),
        "network_backend": system.network_backend(settings),
        "cni_plugins": system.has_cni_plugins(),
        "container_limits": system.container_limits(engine, settings),
        "engine_proxy": system.engine_has_proxy(settings, shown),
    }


def connection_facts(options: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """What the host has to reach, and why it does not; empty if that is not to be checked."""
    if is_skipped("network", options):
        return []
    return network.connect_all(
        network.targets(options["coordinator_host"], options["docker_registry"], options["directors"])
    )


def clock_offset(controller_time: Optional[float]) -> Optional[float]:
    """Seconds by which the host's clock is ahead of the controller's, with the time that the question took."""
    return None if controller_time is None else round(time.time() - controller_time, 1)


def gather(options: Mapping[str, Any]) -> Dict[str, Any]:
    """All facts of a host for a join with these options (those of ece_host_info). Reads, never writes."""
    offset = clock_offset(options["controller_time"])
    user = find_user(options["user"])
    run_as = user.name if user else None
    storage_path = options["storage_path"]
    socket_path = options["docker_socket"] or DEFAULT_SOCKET
    engine = engine_facts(options["container_engine"], run_as, options["bin_paths"], socket_path)
    check_state_base(options["state_path"])
    _place, lock, record = look(places(storage_path, options["state_path"]))
    supervised = lock in RUNS
    running = supervised or container_runs(engine, INSTALLER_CONTAINER) or bool(installer_processes(storage_path))
    storage = storage_facts(storage_path, run_as)
    facts = {
        "os": os_facts(read_text("/etc/os-release")),
        "hostname": socket.gethostname(),
        "python": {"version": platform.python_version(), "executable": sys.executable},
        "user": dict(user._asdict()) if user else None,
        "effective_uid": os.geteuid(),
        "engine": dict(engine, store=store_facts(engine["store"], storage)),
        "socket": socket_facts(socket_path),
        "containers": [container["name"] for container in engine["containers"]],
        "containers_known": engine["containers_known"],
        "ece_containers": ece_containers(engine),
        "installer_running": running,
        "last_install": last_install(record, supervised),
        "runner_ids": runner_ids(storage_path),
        "memory": memory_facts(read_text("/proc/meminfo")),
        "storage": storage,
        "clock_offset_seconds": offset,
    }
    facts.update(network_facts(options))
    facts.update(system_facts(options, run_as, engine["name"]))
    # After all commands: a process with threads is not to be forked.
    facts["connections"] = connection_facts(options)
    return dict(plain_values(facts))
