# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Settings of the kernel (sysctl), and the modules that they need.

Runs on hosts: Python 3.6 and the standard library.
"""

import os
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import (
    MARKER,
    Facts,
    Options,
    Part,
    PartPlan,
    System,
    new_plan,
    wanted_engine,
)

# Files are read in the order of their names, and letters come after digits: this one is after elasticsearch.conf.
SYSCTL_FILE = "/etc/sysctl.d/zz-ece.conf"
# Settings of which a higher value, or a lower one, is right, too.
AT_LEAST = frozenset(
    (
        "net.core.netdev_max_backlog",
        "net.core.somaxconn",
        "net.ipv4.tcp_max_syn_backlog",
        "net.netfilter.nf_conntrack_max",
        "vm.max_map_count",
    )
)
AT_MOST = frozenset(
    (
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_retries2",
        "net.netfilter.nf_conntrack_tcp_timeout_established",
        "vm.swappiness",
    )
)
IPV6_FORWARDING = "net.ipv6.conf.all.forwarding"
PORT_RANGE = "net.ipv4.ip_local_port_range"
# Ports of ECE end below this one: page Networking prerequisites, read 2026-11-27.
PORTS_FROM = 24001
# The last one of the kernel's own range.
PORTS_TO = 60999
CONNTRACK = "net.netfilter.nf_conntrack_"
# As systemd-sysctl reads them: the first of several files with the same name counts.
_FOLDERS = ("etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d", "lib/sysctl.d")
# `sysctl --system` reads it after all others. systemd-sysctl reads it where a folder has a link to it.
LAST_FILE = "/etc/sysctl.conf"
_MODULE_FOLDERS = ("etc/modules-load.d", "run/modules-load.d", "usr/local/lib/modules-load.d", "usr/lib/modules-load.d")
# Modules with which nf_conntrack comes: its name in early kernels, and one that needs it.
_WITH_CONNTRACK = frozenset(("ip_conntrack", "xt_conntrack"))
_LINE = re.compile(r"^[^\S\n]*-?[^\S\n]*([\w./-]+)[^\S\n]*=[^\S\n]*(.*?)[^\S\n]*$", re.MULTILINE)

# Key -> the files that set it and the value in each, in the order in which they are read.
Settings = Dict[str, List[Tuple[str, str]]]


def _names(folders: Sequence[str], root: str) -> List[str]:
    """The paths of the files in folders, in the order of their names."""
    found: Dict[str, str] = {}
    for folder in folders:
        try:
            names = os.listdir(os.path.join(root, folder))
        except OSError:
            continue  # there is none
        for name in names:
            if name.endswith(".conf"):
                found.setdefault(name, os.path.join(folder, name))
    return [path for _name, path in sorted(found.items())]


def key_of(name: str) -> str:
    """net.ipv4.ip_forward of net/ipv4/ip_forward, which is another way to write it."""
    first = re.search("[./]", name)
    return name.replace("/", ".") if first and first.group() == "/" else name


def settings(root: str = "/") -> Settings:
    """What the files of the host set at boot."""
    found: Settings = {}
    for path in [*_names(_FOLDERS, root), LAST_FILE.lstrip("/")]:
        # In one file, the last line counts.
        lines = {key_of(name): value for name, value in _LINE.findall(read_text(os.path.join(root, path)))}
        for key, value in lines.items():
            found.setdefault(key, []).append(("/" + path, " ".join(value.split())))
    return found


def is_later(path: str) -> bool:
    """Whether a file is read after that of this role."""
    return path == LAST_FILE or os.path.basename(path) > os.path.basename(SYSCTL_FILE)


def line_of(key: str) -> str:
    """An expression for the lines that set a key."""
    name = "".join("[./]" if letter in "./" else re.escape(letter) for letter in key)
    return rf"^\s*-?\s*{name}\s*="


def value_now(key: str, proc: str = "/proc/sys") -> Optional[str]:
    """The value that the kernel has, or None for a key that it does not have."""
    path = os.path.join(proc, key.replace(".", "/"))
    return " ".join(read_text(path).split()) if os.path.exists(path) else None


def loaded_at_boot(root: str = "/") -> List[str]:
    """The modules of the kernel that the host loads at boot."""
    texts = [read_text(os.path.join(root, path)) for path in [*_names(_MODULE_FOLDERS, root), "etc/modules"]]
    lines = [re.split("[#;]", line)[0].strip() for text in texts for line in text.splitlines()]
    found = [line.split()[0].replace("-", "_") for line in lines if line]
    return [*found, "nf_conntrack"] if _WITH_CONNTRACK.intersection(found) else found


def text_with(text: str, values: Mapping[str, str]) -> str:
    """The text of the role's file with these values. Comments and other settings stay as they are."""
    lines, missing = text.splitlines(), dict(values)
    for key in values:
        numbers = [number for number, line in enumerate(lines) if re.search(line_of(key), line)]
        # The last line counts.
        for number in numbers[-1:]:
            lines[number] = f"{key}={missing.pop(key)}"
    at = len(lines) - 1 if lines[-1:] == [MARKER.format(mark="END")] else len(lines)
    lines[at:at] = [f"{key}={value}" for key, value in missing.items()]
    return "".join(f"{line}\n" for line in lines)


def wanted_settings(facts: Facts, options: Options, system: System) -> Dict[str, str]:
    """The settings of the table, and those of the user."""
    wanted = {key: str(value) for key, value in system["sysctls"].items()}
    if options["ece_host_preparation_ipv6"]:
        wanted[IPV6_FORWARDING] = "1"
    if facts["temporary_ece_ports"]:
        last = [int(port) for port in (value_now(PORT_RANGE) or "").split()[-1:] if port.isdigit()]
        # Nothing is left of a range that ends before the ports of ECE do.
        wanted[PORT_RANGE] = f"{PORTS_FROM} {max([*last, PORTS_TO])}"
    given = options["ece_host_preparation_sysctls"]
    wanted.update({key_of(str(key)): " ".join(str(value).split()) for key, value in given.items()})
    left_out = {key_of(str(key)) for key, value in given.items() if value in (None, "")}
    return {key: value for key, value in wanted.items() if key not in left_out}


def is_right(key: str, value: Optional[str], wanted: str, is_given: bool) -> bool:
    """Whether a value is as good as the wanted one. What the user gives has to be that value."""
    if value is None or value == wanted or is_given or not (value.isdigit() and wanted.isdigit()):
        return value == wanted
    return (key in AT_LEAST and int(value) >= int(wanted)) or (key in AT_MOST and int(value) <= int(wanted))


def read_kernel(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """wanted, at_boot: settings by key. now: values. modules: state of the modules, None without loadable modules."""
    wanted = wanted_settings(facts, options, system)
    return {
        "wanted": wanted,
        "at_boot": settings(),
        "own": read_text(SYSCTL_FILE),
        "now": {key: value_now(key) for key in wanted},
        "modules_at_boot": loaded_at_boot(),
        "loadable": os.path.exists("/proc/modules"),
        "loaded": {name: os.path.isdir(f"/sys/module/{name}") for name in modules_for(wanted, options, system)},
    }


def modules_for(wanted: Mapping[str, str], options: Options, system: System) -> List[str]:
    """The modules of the kernel that settings and engine need."""
    needed = ["nf_conntrack"] if any(key.startswith(CONNTRACK) for key in wanted) else []
    return [*needed, "overlay"] if wanted_engine(options, system) == "podman" else needed


def plan_kernel(facts: Facts, options: Options, system: System) -> PartPlan:
    """Set what is not right, in the role's file, and in those that are read later and set it, too."""
    plan = new_plan()
    found = facts["preparation"]["kernel"]
    given = {key_of(str(key)) for key in options["ece_host_preparation_sysctls"]}
    modules: List[str] = []
    if found["loadable"]:
        modules = sorted(
            name for name, loaded in found["loaded"].items() if not loaded or name not in found["modules_at_boot"]
        )
    plan.values.update(modules=modules, sysctls=[], sysctl_file=SYSCTL_FILE, marker=MARKER, later_lines=[])
    values: Dict[str, str] = {}
    plan.steps.extend(f"load the kernel's module {name} now and at boot" for name in modules)
    for key, wanted in found["wanted"].items():
        comes = key.startswith(CONNTRACK) and "nf_conntrack" in modules
        if found["now"][key] is None and not comes:
            plan.notes.append(f"The kernel has no setting {key}.")
            continue
        files = found["at_boot"].get(key, [])
        wrong = [(path, value) for path, value in _last_words(files) if not is_right(key, value, wanted, key in given)]
        last = [path for path, _value in files if path != LAST_FILE][-1:]
        is_ours_wrong = not last or any(path == last[0] and not is_later(path) for path, _value in wrong)
        if is_ours_wrong or not is_right(key, found["now"][key], wanted, key in given):
            values[key] = wanted
            plan.steps.append(f"set {key}={wanted} in {SYSCTL_FILE}")
        for path, value in wrong:
            if not is_later(path):
                continue
            if path.startswith("/etc/"):
                plan.values["later_lines"].append({"path": path, "regexp": line_of(key), "line": f"{key}={wanted}"})
                plan.steps.append(f"set {key}={wanted} in {path}, which is read later")
            else:
                plan.problems.append(
                    f"{path} sets {key}={value} and is read after {SYSCTL_FILE}, where {wanted} is needed: remove the "
                    f"line from {path}, or give {key} no value in ece_host_preparation_sysctls to leave it as it is."
                )
    plan.values["sysctls"] = [f"{key}={value}" for key, value in values.items()]
    if values and not found["own"]:
        plan.values["block"] = "\n".join(plan.values["sysctls"])
    elif values:
        plan.values["content"] = text_with(found["own"], values)
    return plan


def _last_words(files: Sequence[Tuple[str, str]]) -> List[Tuple[str, str]]:
    """The last of the files in folders, with which systemd ends, and LAST_FILE, with which `sysctl --system` does."""
    in_folders = [entry for entry in files if entry[0] != LAST_FILE]
    return [*in_folders[-1:], *(entry for entry in files if entry[0] == LAST_FILE)]


KERNEL = Part("kernel", read_kernel, plan_kernel)
