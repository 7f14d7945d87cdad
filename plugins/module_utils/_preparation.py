# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""What has to be done to prepare a host. To add a part, add a file with its two functions, and name it in PARTS.

Runs on hosts: Python 3.6 and the standard library.
"""

from typing import Any, Dict, Iterable, List, Mapping, Tuple

from ansible_collections.ece.platform.plugins.module_utils._host_rules import check_requirements
from ansible_collections.ece.platform.plugins.module_utils._preparation_boot import BOOT
from ansible_collections.ece.platform.plugins.module_utils._preparation_engine import ENGINE, reason_of_stores
from ansible_collections.ece.platform.plugins.module_utils._preparation_kernel import KERNEL
from ansible_collections.ece.platform.plugins.module_utils._preparation_limits import LIMITS
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import Facts, Options, System
from ansible_collections.ece.platform.plugins.module_utils._preparation_registry import REGISTRY
from ansible_collections.ece.platform.plugins.module_utils._preparation_services import FIREWALLD, SELINUX, SERVICES
from ansible_collections.ece.platform.plugins.module_utils._preparation_storage import STORAGE
from ansible_collections.ece.platform.plugins.module_utils._preparation_swap import SWAP
from ansible_collections.ece.platform.plugins.module_utils._preparation_user import USER
from ansible_collections.ece.platform.plugins.module_utils._text import first_names

# In the order in which they are done.
PARTS = (USER, STORAGE, LIMITS, KERNEL, BOOT, ENGINE, SWAP, SELINUX, FIREWALLD, SERVICES, REGISTRY)

# Part -> the checks of ece_host_info whose problems it may mend. A user who is created can use socket and folders then.
MENDS: Mapping[str, Tuple[str, ...]] = {
    "user": ("user", "socket", "engine", "storage", "selinux"),
    "storage": ("storage", "disk", "selinux"),
    "engine": ("engine", "socket", "os", "selinux", "disk", "limits"),
    "limits": ("limits",),
    "kernel": ("kernel", "ports"),
    "boot": ("kernel",),
    "swap": ("kernel",),
    "selinux": ("selinux",),
    "firewalld": ("firewalld",),
    "services": ("os", "clock"),
}
# What only a join can tell: the host's address in the platform, its way to other hosts, and the installer.
OF_THE_JOIN = ("network", "host_ip", "installer")


def mended_checks(parts: Iterable[str]) -> List[str]:
    """The checks of ece_host_info that say nothing of a host for which these parts are still to do, or are skipped."""
    return sorted({check for part in parts for check in MENDS.get(part, ())})


def check_host(facts: Facts, host_options: Options, parts: Iterable[str]) -> Tuple[List[str], List[str]]:
    """(problems, warnings) of the rules of ece_host_info, without those that these parts may mend."""
    skipped = [*host_options["skip_checks"], *OF_THE_JOIN, *mended_checks(parts)]
    return check_requirements(facts, dict(host_options, skip_checks=skipped))


def read_parts(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """What the parts read, by name of the part."""
    return {part.name: part.read(facts, options, system) for part in PARTS}


def reason_to_leave(facts: Facts) -> str:
    """Why nothing is done on a host, or an empty string."""
    if facts["ece_containers"]:
        return f"it runs containers of ECE ({first_names(facts['ece_containers'])}), and is left as it is"
    if facts["installer_running"]:
        return "an installer of ECE runs on it, and it is left as it is"
    if not facts.get("containers_known", True) and facts.get("runner_ids"):
        return (
            f"it has files of runner {first_names(facts['runner_ids'])}, and its container engine does not answer, so "
            "that it may run ECE: it is left as it is"
        )
    engine = facts.get("engine")
    # An engine that answers says where it keeps its containers.
    return reason_of_stores(facts) if engine and engine["store"]["folder"] is None else ""


def plan_parts(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """The plans of all parts that are not skipped, which have steps or wait for a reboot, and what all say."""
    plans = {
        part.name: part.plan(facts, options, system)
        for part in PARTS
        if part.name not in options["ece_host_preparation_skip"]
    }

    def together(field: str) -> List[str]:
        return [text for plan in plans.values() for text in getattr(plan, field)]

    return {
        "todo": [name for name, plan in plans.items() if plan.steps],
        "install_user": options["ece_host_user"],
        "parts": {name: dict(plan.values, steps=plan.steps) for name, plan in plans.items()},
        "problems": together("problems"),
        "reboot": together("reboot"),
        "to_reboot": [name for name, plan in plans.items() if plan.reboot],
        "notes": together("notes"),
    }
