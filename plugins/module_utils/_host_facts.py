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
from typing import Any, Collection, Dict, List, Mapping, Optional, Set

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
from ansible_collections.ece.platform.plugins.module_utils._host_process import find_user, run_command
from ansible_collections.ece.platform.plugins.module_utils._install_files import RUNNING, look, places
from ansible_collections.ece.platform.plugins.module_utils._install_record import checked_record

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
# A line of /proc/net/tcp or tcp6 of a socket that listens: its port and its inode.
_LISTENING = re.compile(
    r"^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A (?:\S+ \S+ \S+ +\d+ +\d+ (\d+) )?", re.MULTILINE
)


# -- system ----------------------------------------------------------------------------------------------------------


def read_text(path: str) -> str:
    """Content of a file, or an empty string if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as source:
            return source.read()
    except OSError:
        return ""


def os_facts(os_release: str) -> Dict[str, str]:
    """id, version and the name in ECE's support matrix, from the text of /etc/os-release."""
    values = dict(re.findall(r'^([A-Z_]+)=["\']?([^"\'\n]*)', os_release, re.MULTILINE))
    name, version = values.get("ID", ""), values.get("VERSION_ID", "")
    label = _OS_NAMES.get(name, values.get("NAME", name) or "unknown")
    number = version if name == "ubuntu" else version.split(".")[0]
    return {"id": name, "version": version, "matrix_name": f"{label}-{number}"}


def memory_facts(meminfo: str) -> Dict[str, int]:
    """Total and available memory in MB, from the text of /proc/meminfo."""
    values = dict(re.findall(r"^(MemTotal|MemAvailable):\s+(\d+) kB", meminfo, re.MULTILINE))
    return {
        "total_mb": int(values.get("MemTotal", 0)) // 1024,
        "available_mb": int(values.get("MemAvailable", 0)) // 1024,
    }


# -- storage ---------------------------------------------------------------------------------------------------------


def existing_parent(path: str) -> str:
    """The nearest existing folder above the path, or the path itself."""
    while not os.path.isdir(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    return path


def filesystem_of(folder: str, mounts: str) -> str:
    """Type of the file system that holds a folder, from the text of /proc/mounts; empty if that does not list it."""
    best, filesystem = "", ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) > 2 and len(fields[1]) >= len(best) and f"{folder}/".startswith(fields[1].rstrip("/") + "/"):
            best, filesystem = fields[1], fields[2]
    return filesystem


def storage_facts(path: str, user: Optional[str], mounts: str) -> Dict[str, Any]:
    """Free space (GB), file system, and whether the install user can write at the storage path or its parent."""
    parent = existing_parent(path)
    space = os.statvfs(parent)
    return {
        "path": path,
        "existing_parent": parent,
        "free_gb": space.f_bavail * space.f_frsize // 10**9,
        "filesystem": filesystem_of(parent, mounts),
        "read_only": bool(space.f_flag & os.ST_RDONLY),
        "writable": bool(user)
        and run_command(["test", "-r", parent, "-a", "-w", parent, "-a", "-x", parent], user=user).rc == 0,
    }


# -- network ---------------------------------------------------------------------------------------------------------


def listening_ports(*tables: str) -> Set[int]:
    """TCP ports that a process listens on, from the texts of /proc/net/tcp and tcp6."""
    return {int(port, 16) for text in tables for port, _inode in _LISTENING.findall(text)}


def open_files(folder: str) -> Set[str]:
    """Targets of the file descriptors in /proc/PID/fd, without those that are closed meanwhile or cannot be read."""
    found = set()
    try:
        for name in os.listdir(folder):
            try:
                found.add(os.readlink(os.path.join(folder, name)))
            except OSError:
                continue
    except OSError:
        pass
    return found


def port_users(ports: Collection[int], *tables: str, proc: str = "/proc") -> List[str]:
    """The processes that listen on these TCP ports, like `python3 (pid 812)`, as far as this process may see them.

    The texts are those for listening_ports().
    """
    sockets = {
        f"socket:[{inode}]"
        for text in tables
        for port, inode in _LISTENING.findall(text)
        if inode and int(port, 16) in ports
    }
    users = []
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):
        held = open_files(os.path.join(proc, str(pid), "fd"))
        if held & sockets:
            # Child processes may hold the socket too; the first process is the one to stop.
            sockets -= held
            users.append(f"{read_text(os.path.join(proc, str(pid), 'comm')).strip()} (pid {pid})")
    return users


def default_interface(route: str) -> Optional[str]:
    """Name of the interface of the default route, from the text of /proc/net/route; None without one."""
    for line in route.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and fields[1] == "00000000" and fields[7] == "00000000":
            return fields[0]
    return None


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
    age = max(0, (now or time.time()) - finished) if finished else None
    return {
        "rc": record.get("rc"),
        "started": record["started"],
        "age_seconds": age,
        "running": running,
        "token_id": record.get("token_id"),
    }


# -- gathering -------------------------------------------------------------------------------------------------------


def gather(options: Mapping[str, Any]) -> Dict[str, Any]:
    """All facts of a host for a join with these options (those of ece_host_info). Reads, never writes."""
    user = find_user(options["user"])
    run_as = user.name if user else None
    storage_path = options["storage_path"]
    socket_path = options["docker_socket"] or DEFAULT_SOCKET
    engine = engine_facts(options["container_engine"], run_as, options["bin_paths"], socket_path)
    _place, lock, record = look(places(storage_path, options["state_path"]))
    supervised = lock == RUNNING
    running = supervised or container_runs(engine, INSTALLER_CONTAINER) or bool(installer_processes(storage_path))
    tables = (read_text("/proc/net/tcp"), read_text("/proc/net/tcp6"))
    busy = listening_ports(*tables).intersection(INSTALLER_PORTS)
    return {
        "os": os_facts(read_text("/etc/os-release")),
        "kernel": platform.release(),
        "hostname": socket.gethostname(),
        "python": {"version": platform.python_version(), "executable": sys.executable},
        "user": dict(user._asdict()) if user else None,
        "effective_uid": os.geteuid(),
        "engine": engine,
        "socket": socket_facts(socket_path),
        "containers": [container["name"] for container in engine["containers"]],
        "containers_known": engine["containers_known"],
        "ece_containers": ece_containers(engine),
        "installer_running": running,
        "last_install": last_install(record, supervised),
        "busy_ports": sorted(busy),
        "port_users": port_users(busy, *tables) if busy else [],
        "memory": memory_facts(read_text("/proc/meminfo")),
        "storage": storage_facts(storage_path, run_as, read_text("/proc/mounts")),
        "default_interface": default_interface(read_text("/proc/net/route")),
        "firewalld_active": run_command(["systemctl", "is-active", "firewalld"]).out.strip() == "active",
        "selinux_enforcing": read_text("/sys/fs/selinux/enforce").strip() == "1",
        "cgroup_version": 2 if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else 1,
        "max_map_count": int(read_text("/proc/sys/vm/max_map_count").strip() or 0),
    }
