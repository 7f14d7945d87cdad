# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""SELinux, firewalld, and services that ECE needs or that are in its way.

Pages Configure a RHEL host and Configure a SUSE host, read 2026-11-27.
Runs on hosts: Python 3.6 and the standard library.
"""

import re
from typing import Any, Dict, List, Sequence, Tuple

from ansible_collections.ece.platform.plugins.module_utils._ece import INSTALLER_PORTS
from ansible_collections.ece.platform.plugins.module_utils._host_network import PORTS_OF_ALL_ROLES, PORTS_OF_ROLES
from ansible_collections.ece.platform.plugins.module_utils._host_process import find_command, run_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import (
    Facts,
    Options,
    Part,
    PartPlan,
    System,
    new_plan,
)

SELINUX_CONFIG = "/etc/selinux/config"
TIME_SERVICES = ("chronyd.service", "chrony.service", "ntpd.service", "ntpsec.service", "systemd-timesyncd.service")
COMMAND_SECONDS = 20
_MODE = re.compile(r"^\s*SELINUX\s*=\s*(\w+)", re.MULTILINE)
_POLICY = re.compile(r"^\s*SELINUXTYPE\s*=\s*(\w+)", re.MULTILINE)


# -- SELinux ---------------------------------------------------------------------------------------------------------


def read_selinux(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """configured: the mode after a reboot, empty without SELinux. policy: its policy."""
    text = read_text(SELINUX_CONFIG)
    mode, policy = _MODE.findall(text), _POLICY.findall(text)
    return {"configured": mode[-1].lower() if mode else "", "policy": policy[-1] if policy else "targeted"}


def plan_selinux(facts: Facts, options: Options, system: System) -> PartPlan:
    """Set the mode if it is asked for, and install what the installer needs for --selinux."""
    plan = new_plan()
    found, wanted = facts["preparation"]["selinux"], options.get("ece_host_preparation_selinux")
    now = facts["selinux"]["mode"]
    plan.values.update(mode=None, policy=found["policy"], packages=[])
    if options["ece_host_selinux"] and facts["selinux"]["missing_commands"]:
        plan.values["packages"] = list(system.get("selinux_packages", []))
        if plan.values["packages"]:
            plan.steps.append(f"install {', '.join(plan.values['packages'])}")
    if not wanted:
        return plan
    if not found["configured"]:
        plan.problems.append(
            f"ece_host_preparation_selinux {wanted} cannot be set, because the host has no SELinux: leave it out."
        )
        return plan
    if wanted == "enforcing" and not options["ece_host_selinux"]:
        plan.problems.append(
            "ece_host_preparation_selinux enforcing needs ece_host_selinux: true, or ECE's containers are denied "
            "access to their files."
        )
    if found["configured"] != wanted or now not in (wanted, "disabled"):
        plan.values["mode"] = wanted
        plan.steps.append(f"set SELinux to {wanted}")
    if now == "disabled":
        plan.reboot.append(f"SELinux is disabled, and becomes {wanted} at a reboot")
    return plan


# -- firewalld -------------------------------------------------------------------------------------------------------


def ports_of(roles: Sequence[str]) -> List[str]:
    """The ports that ECE uses on a host with these roles, as firewalld writes them, without those that overlap."""
    ranges = [*PORTS_OF_ALL_ROLES, *((port, port) for port in INSTALLER_PORTS)]
    for role in roles:
        ranges += PORTS_OF_ROLES[role]
    merged: List[Tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return [f"{first}-{last}/tcp" if last > first else f"{first}/tcp" for first, last in merged]


def is_open(port: str, opened: Sequence[str]) -> bool:
    """Whether ports that are open, like 12000-13000/tcp, have all of a port."""

    def bounds(text: str) -> Tuple[int, int]:
        first, _dash, last = text.split("/")[0].partition("-")
        return int(first), int(last or first)

    first, last = bounds(port)
    return any(
        bounds(one)[0] <= first and last <= bounds(one)[1] for one in opened if re.match(r"\d+(-\d+)?/tcp\Z", one)
    )


def read_firewalld(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """opened: ports that the default zone has open now; at_boot: those after a reboot."""
    found: Dict[str, Any] = {"opened": [], "at_boot": []}
    command = find_command("firewall-cmd") if facts["firewalld_active"] else None
    if command:
        for key, more in (("opened", []), ("at_boot", ["--permanent"])):
            shown = run_command([command, *more, "--list-ports"], timeout=COMMAND_SECONDS)
            found[key] = shown.out.split() if shown.rc == 0 else []
    return found


def plan_firewalld(facts: Facts, options: Options, system: System) -> PartPlan:
    """Open ports, or stop firewalld, if that is asked for."""
    plan = new_plan()
    wanted, found = options.get("ece_host_preparation_firewalld"), facts["preparation"]["firewalld"]
    unit = facts["units"].get("firewalld.service")
    is_active = bool(facts["firewalld_active"])
    plan.values.update(ports=[], stop=False)
    if wanted == "opened" and is_active:
        ports = ports_of(options["ece_host_roles"])
        plan.values["ports"] = [
            port for port in ports if not (is_open(port, found["opened"]) and is_open(port, found["at_boot"]))
        ]
        if plan.values["ports"]:
            plan.steps.append(f"open {', '.join(plan.values['ports'])} in firewalld")
    elif wanted == "stopped" and unit and (is_active or unit["at_boot"] == "enabled"):
        plan.values["stop"] = True
        plan.steps.append("stop and disable firewalld")
    elif is_active and not wanted:
        plan.notes.append(
            "firewalld is active: set ece_host_preparation_firewalld to opened or stopped, or open ECE's ports "
            "yourself."
        )
    elif not is_active and wanted != "stopped" and unit and unit["at_boot"] == "enabled":
        plan.notes.append(
            "firewalld is not active and starts at the next reboot, with ECE's ports as they are: start it and set "
            "ece_host_preparation_firewalld to opened, or set that to stopped."
        )
    return plan


# -- other services --------------------------------------------------------------------------------------------------


def read_services(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """synchronized: whether the clock is; None where that is not known."""
    shown = run_command(["timedatectl", "show", "--property", "NTPSynchronized", "--value"], timeout=COMMAND_SECONDS)
    active = run_command(["systemctl", "is-active", *TIME_SERVICES], timeout=COMMAND_SECONDS)
    known = {"yes": True, "no": False}.get(shown.out.strip()) if shown.rc == 0 else None
    return {"synchronized": True if "active" in active.out.split() and known is None else known}


def plan_services(facts: Facts, options: Options, system: System) -> PartPlan:
    """Stop nscd on SLES, and say where the clock is not synchronized."""
    plan = new_plan()
    nscd = facts["units"].get("nscd.service")
    is_on = bool(nscd) and (nscd["now"] == "active" or nscd["at_boot"] == "enabled")
    plan.values["stop"] = ["nscd.service"] if system.get("stop_nscd") and is_on else []
    plan.steps.extend(f"stop and disable {name}" for name in plan.values["stop"])
    if facts["preparation"]["services"]["synchronized"] is False:
        plan.notes.append("The clock is not synchronized: set up chrony, or another service for the time.")
    return plan


SELINUX = Part("selinux", read_selinux, plan_selinux)
FIREWALLD = Part("firewalld", read_firewalld, plan_firewalld)
SERVICES = Part("services", read_services, plan_services)
