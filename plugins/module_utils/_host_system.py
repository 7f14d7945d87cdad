# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Kernel, services, limits and security of a host.

Runs on hosts: Python 3.6 and the standard library.
"""

import json
import os
import re
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.ece.platform.plugins.module_utils._host_process import find_command, run_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text

# All pages on configuring a host ask for them, read 2026-11-27 (configure-host-rhel, -ubuntu, -suse).
BOOT_ARGUMENTS = ("cgroup_enable=memory", "swapaccount=1", "cgroup.memory=nokmem")
# Their values are lists with commas. One that is given several times adds up.
BOOT_LISTS = frozenset(("cgroup_enable", "cgroup.memory"))
SYSCTLS = ("net.ipv4.ip_forward", "net.ipv4.tcp_retries2", "vm.swappiness")
UNITS = ("docker.service", "firewalld.service", "nscd.service", "podman.service", "podman-restart.service")
LIMITS = ("nofile", "memlock", "nproc")
UNIT_FIELDS = ("Id", "LoadState", "UnitFileState", "ActiveState", "Environment", "EnvironmentFiles")
UNLIMITED = -1
SYSTEMCTL_SECONDS = 10
# What the installer calls for --selinux: elastic-cloud-enterprise.sh 4.0.3 (2025-10-31).
SELINUX_TOOLS = ("semanage", "checkmodule", "semodule", "semodule_package", "setsebool", "restorecon")
# What it labels by name, whatever the paths of ECE and of the engine are.
SELINUX_FOLDERS = ("/mnt/data", "/mnt/data/docker")
_LIMIT_NAMES = {"Max open files": "nofile", "Max locked memory": "memlock", "Max processes": "nproc"}
_LIMIT_LINE = re.compile(r"^(Max [a-z ]+?) {2,}(\S+)", re.MULTILINE)
_ULIMIT = re.compile(r"\b(nofile|memlock|nproc)=(-?\d+)")
# Later files of this list come before earlier ones.
_CONTAINERS_CONF = ("/usr/share/containers/containers.conf", "/etc/containers/containers.conf")
_CONTAINERS_CONF_FOLDER = "/etc/containers/containers.conf.d"
_CNI_FOLDERS = ("/usr/libexec/cni", "/opt/cni/bin", "/usr/lib/cni")


# -- kernel ----------------------------------------------------------------------------------------------------------


def kernel_numbers(kernel: str) -> Tuple[int, ...]:
    """(3, 10, 0, 1160, 31, 1) of 3.10.0-1160.31.1.el7.x86_64."""
    found = re.match(r"\d+(?:[.-]\d+)*", kernel)
    return tuple(int(part) for part in re.split("[.-]", found.group())) if found else ()


def missing_boot_arguments(command_line: str, wanted: Sequence[str] = BOOT_ARGUMENTS) -> List[str]:
    """The wanted arguments of the kernel, by default those of ECE's pages, that it was started without."""
    given = {one for argument in command_line.split() for one in _boot_items(argument)}
    return [argument for argument in wanted if not given.issuperset(_boot_items(argument))]


def _boot_items(argument: str) -> List[str]:
    key, _equals, value = argument.partition("=")
    return [f"{key}={one}" for one in value.split(",")] if key in BOOT_LISTS else [argument]


def has_memory_controller(cgroups: str) -> bool:
    """Whether the kernel limits the memory of control groups, from the text of /proc/cgroups."""
    return bool(re.search(r"^memory\s+\d+\s+\d+\s+1$", cgroups, re.MULTILINE))


def sysctls(proc: str = "/proc/sys") -> Dict[str, Optional[int]]:
    """Values of SYSCTLS, or None for those that the host does not have."""
    found: Dict[str, Optional[int]] = {}
    for name in SYSCTLS:
        text = read_text(os.path.join(proc, name.replace(".", "/"))).strip()
        found[name] = int(text) if text.isdigit() else None
    return found


def selinux_mode(enforce: str) -> str:
    """enforcing, permissive or disabled, from the text of /sys/fs/selinux/enforce."""
    return {"1": "enforcing", "0": "permissive"}.get(enforce.strip(), "disabled")


def selinux_needs(user: Optional[str], wanted: bool) -> Dict[str, Any]:
    """What --selinux needs and the host lacks, and whether the user may use sudo; None if not asked."""
    if not wanted:
        return {"missing_commands": [], "missing_folders": [], "sudo": None}
    # The script calls sudo without a terminal, so that it cannot ask for a password.
    sudo = bool(user) and run_command(["sudo", "-n", "true"], user=user, timeout=SYSTEMCTL_SECONDS).rc == 0
    return {
        "missing_commands": [name for name in SELINUX_TOOLS if not find_command(name)],
        "missing_folders": [path for path in SELINUX_FOLDERS if not os.path.isdir(path)],
        "sudo": sudo,
    }


# -- services --------------------------------------------------------------------------------------------------------


def parse_units(text: str) -> Dict[str, Dict[str, str]]:
    """State at boot and state now of the units that exist, from the output of `systemctl show`."""
    units = {}
    for block in text.split("\n\n"):
        values = dict(line.partition("=")[::2] for line in block.splitlines())
        if values.get("LoadState") in ("loaded", "masked"):
            units[values.get("Id", "")] = {
                "at_boot": values.get("UnitFileState", ""),
                "now": values.get("ActiveState", ""),
            }
    return units


def shown_units() -> str:
    """What systemctl says of UNITS, for parse_units() and engine_has_proxy(). Empty without systemd."""
    fields = [part for name in UNIT_FIELDS for part in ("-p", name)]
    output = run_command(["systemctl", "show", "--no-pager", *fields, *UNITS], timeout=SYSTEMCTL_SECONDS)
    return output.out if output.rc == 0 else ""


def engine_environment(text: str, root: str = "/") -> str:
    """The environment that systemd gives to container engines, from the output of `systemctl show`."""
    found = []
    for block in text.split("\n\n"):
        values = [line.partition("=") for line in block.splitlines()]
        if any(key == "Id" and name in ("docker.service", "podman.service") for key, _equals, name in values):
            found += [value for key, _equals, value in values if key == "Environment"]
            # Like: /etc/sysconfig/podman (ignore_errors=yes)
            # Early versions of systemd show that property without the s.
            files = [value.split(" (")[0] for key, _equals, value in values if key.rstrip("s") == "EnvironmentFile"]
            found += [read_text(os.path.join(root, path.lstrip("/"))) for path in files]
    return "\n".join(found)


# -- Podman's settings -----------------------------------------------------------------------------------------------


def podman_settings(root: str = "/") -> str:
    """The text of all files with settings of Podman, in their order, without comments."""
    paths = [os.path.join(root, path.lstrip("/")) for path in _CONTAINERS_CONF]
    folder = os.path.join(root, _CONTAINERS_CONF_FOLDER.lstrip("/"))
    try:
        paths += [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".conf")]
    except OSError:
        pass  # there is none, or only root can read it
    lines = [line.split("#")[0].rstrip() for path in paths for line in read_text(path).splitlines()]
    return "\n".join(line for line in lines if line)


def network_backend(settings: str) -> Optional[str]:
    """The network backend that Podman's settings name, cni or netavark, or None."""
    found = re.findall(r"^\s*network_backend\s*=\s*[\"'](\w*)[\"']", settings, re.MULTILINE)
    return (found[-1] or None) if found else None


def has_cni_plugins(folders: Sequence[str] = _CNI_FOLDERS) -> bool:
    """Whether the host has the CNI plugins, which are the package containernetworking-plugins."""
    return any(os.path.exists(os.path.join(folder, "bridge")) for folder in folders)


# -- limits ----------------------------------------------------------------------------------------------------------


def _limits_of_process(limits: str) -> Dict[str, int]:
    """Soft limits from the text of /proc/PID/limits."""
    return {
        _LIMIT_NAMES[name]: UNLIMITED if value == "unlimited" else int(value)
        for name, value in _LIMIT_LINE.findall(limits)
        if name in _LIMIT_NAMES and (value == "unlimited" or value.isdigit())
    }


def _limits_of_docker(daemon_json: str) -> Dict[str, int]:
    """Soft limits that daemon.json sets for all containers."""
    try:
        ulimits = json.loads(daemon_json or "{}").get("default-ulimits")
        return {name: int(ulimits[name]["Soft"]) for name in LIMITS if name in ulimits}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _limits_of_podman(settings: str) -> Dict[str, int]:
    """Soft limits that Podman's settings set for all containers."""
    found = re.findall(r"^\s*default_ulimits\s*=\s*\[(.*?)\]", settings, re.MULTILINE | re.DOTALL)
    return {name: int(value) for name, value in _ULIMIT.findall(found[-1])} if found else {}


def process_files(names: Iterable[str], kind: str, proc: str = "/proc") -> str:
    """The text of /proc/PID/<kind> of the first of these programs that runs, or an empty string."""
    wanted = list(names)
    pids = sorted(int(name) for name in os.listdir(proc) if name.isdigit())
    running = {read_text(os.path.join(proc, str(pid), "comm")).strip(): pid for pid in reversed(pids)}
    for name in wanted:
        if name in running:
            return read_text(os.path.join(proc, str(running[name]), kind))
    return ""


def container_limits(engine: Optional[str], settings: str, root: str = "/", proc: str = "/proc") -> Dict[str, Any]:
    """Soft limits of a container: nofile, memlock and nproc, -1 for unlimited, None for what is not known.

    Limits of users (PAM) do not reach containers. settings: those of podman_settings().
    """
    found: Mapping[str, int] = {}
    if engine == "docker":
        # A container has the limits of containerd where the daemon sets none.
        daemon = read_text(os.path.join(root, "etc/docker/daemon.json"))
        arguments = process_files(("dockerd",), "cmdline", proc).replace("\0", " ")
        found = dict(
            _limits_of_process(process_files(("containerd", "dockerd"), "limits", proc)),
            **_limits_of_docker(daemon),
        )
        found = dict(found, **{name: int(value) for name, value in _ULIMIT.findall(arguments)})
    elif engine == "podman":
        found = _limits_of_podman(settings)
    return {name: found.get(name) for name in LIMITS}


def engine_has_proxy(settings: str, shown: str = "", root: str = "/", proc: str = "/proc") -> bool:
    """Whether the container engine reaches registries through an HTTP proxy.

    settings: those of podman_settings(). shown: that of shown_units().
    """
    # http_proxy = true below [containers] hands a proxy on to containers, and sets none.
    sections = re.split(r"^\s*\[(\w+)\]\s*$", settings, flags=re.MULTILINE)
    of_podman = [text for name, text in zip(sections[1::2], sections[2::2]) if name == "engine"]
    daemon = read_text(os.path.join(root, "etc/docker/daemon.json"))
    environment = process_files(("dockerd",), "environ", proc)
    texts = [*of_podman, daemon, environment, engine_environment(shown, root)]
    return any(re.search(r"https?[_-]proxy", text, re.IGNORECASE) for text in texts)
