# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Swap: none on a director, and a swap file on a host without that role that has none.

Elastic asks for it (elastic/docs-content 7504, 2026-07). Runs on hosts: Python 3.6 and the standard library.
"""

import os
import stat
from typing import Any, Dict, List, Optional

from ansible_collections.ece.platform.plugins.module_utils._host_facts import existing_parent
from ansible_collections.ece.platform.plugins.module_utils._host_process import run_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._preparation_device import probe, swaps
from ansible_collections.ece.platform.plugins.module_utils._preparation_mounts import (
    mount_that_holds,
    parse_fstab,
    parse_mounts,
)
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import (
    Facts,
    Options,
    Part,
    PartPlan,
    System,
    new_plan,
)
from ansible_collections.ece.platform.plugins.module_utils._preparation_storage import is_below

MIN_MB = 512
# "About 4 GB for 32 GB of memory".
SHARE_OF_MEMORY = 8
# A swap file of no given size takes at most half of what is free.
SHARE_OF_FREE = 2
# What stays free beside a swap file of a size that was asked for.
RESERVE_MB = 512
# The kernel takes swap files on these. On the others they need settings of their own, or are not possible.
FILESYSTEMS = ("ext2", "ext3", "ext4", "xfs")
EDGE_BYTES = 64 * 1024
SYSTEMCTL_SECONDS = 10
_UNIT_FIELDS = ("Id", "Following", "LoadState", "UnitFileState", "FragmentPath", "SourcePath")
_ADMINISTRATORS = "/etc/systemd/system/"
_SKIP = "or leave this part out with ece_host_preparation_skip: [swap]"


# -- reading -------------------------------------------------------------------------------------------------------


def parse_swap_units(text: str) -> List[Dict[str, str]]:
    """The units by which something other than fstab turns swap on at the start, from the output of `systemctl show`.

    how: disable for a unit of the administrator, which cannot be masked, and mask for those of packages and generators.
    """
    found = []
    for block in text.split("\n\n"):
        values = dict(line.partition("=")[::2] for line in block.splitlines())
        fragment = values.get("FragmentPath", "")
        # What follows another unit is another name for it. A unit without a file comes from the command swapon.
        is_own = values.get("LoadState") == "loaded" and fragment and not values.get("Following")
        if not values.get("Id", "").endswith(".swap") or not is_own or values.get("SourcePath") == "/etc/fstab":
            continue
        if not fragment.startswith(_ADMINISTRATORS):
            found.append({"unit": values["Id"], "how": "mask"})
        elif values.get("UnitFileState") == "enabled":
            found.append({"unit": values["Id"], "how": "disable"})
    return found


def swap_units() -> List[Dict[str, str]]:
    """See parse_swap_units(). Empty without systemd."""
    fields = [part for name in _UNIT_FIELDS for part in ("-p", name)]
    output = run_command(["systemctl", "show", "--no-pager", *fields, "*.swap"], timeout=SYSTEMCTL_SECONDS)
    return parse_swap_units(output.out) if output.rc == 0 else []


def file_facts(path: str) -> Optional[Dict[str, Any]]:
    """What is at the path of the swap file, or None.

    blank: whether it is a file of root that holds nothing, as an interrupted preparation leaves it.
    """
    try:
        found = os.lstat(path)
    except OSError:
        return None
    regular = stat.S_ISREG(found.st_mode)
    signatures = probe(path)["signatures"] if regular else []
    return {
        "regular": regular,
        "mb": found.st_size // 2**20,
        "signatures": signatures,
        "blank": regular and found.st_uid == 0 and not signatures and _is_blank(path, found.st_size),
    }


def _is_blank(path: str, size: int) -> bool:
    try:
        with open(path, "rb") as file:
            first = file.read(EDGE_BYTES)
            file.seek(max(0, size - EDGE_BYTES))
            return not any(first) and not any(file.read(EDGE_BYTES))
    except OSError:
        return False


def read_swap(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """Swap spaces, their lines in fstab, their units, and the place of the swap file."""
    path = os.path.normpath(options["ece_host_preparation_swap_path"])
    folder = existing_parent(os.path.dirname(path))
    space = os.statvfs(folder)
    mount = mount_that_holds(os.path.realpath(folder), parse_mounts(read_text("/proc/self/mountinfo")))
    return {
        "path": path,
        "folder_exists": folder == os.path.dirname(path),
        "active": swaps(read_text("/proc/swaps")),
        "fstab": [entry for entry in parse_fstab(read_text("/etc/fstab")) if entry["type"] == "swap"],
        "units": swap_units(),
        "file": file_facts(path),
        "filesystem": mount["type"] if mount else "unknown",
        "mounted_at": mount["path"] if mount else "/",
        "free_mb": space.f_bavail * space.f_frsize // 2**20,
    }


# -- planning ------------------------------------------------------------------------------------------------------


def plan_swap(facts: Facts, options: Options, system: System) -> PartPlan:
    """Turn swap off on a director, and add a swap file to another host that has none."""
    plan = new_plan()
    if "director" in options["ece_host_roles"]:
        if options.get("ece_host_preparation_swap_mb"):
            plan.problems.append(
                f"ece_host_preparation_swap_mb is {options['ece_host_preparation_swap_mb']}, and a director is to have "
                f"no swap: use 0, leave it out, {_SKIP}."
            )
        _turn_off(plan, facts)
    elif not facts["preparation"]["swap"]["active"] and options.get("ece_host_preparation_swap_mb") != 0:
        _add(plan, facts, options)
    return plan


def _turn_off(plan: PartPlan, facts: Facts) -> None:
    found = facts["preparation"]["swap"]
    lines = [entry["line"].rstrip() for entry in found["fstab"]]
    active = found["active"]
    used_mb = sum(swap["used_mb"] for swap in active)
    if lines:
        plan.values["lines"] = lines
        plan.steps.extend(f"comment out in /etc/fstab: {line}" for line in lines)
    if found["units"]:
        plan.values["units"] = found["units"]
        plan.steps.extend(f"{unit['how']} {unit['unit']}" for unit in found["units"])
    if used_mb and used_mb >= facts["memory"]["available_mb"]:
        # The kernel would kill programs to make room for what it has to read back.
        plan.reboot.append(
            f"swap holds {used_mb} MB, which do not fit in the free memory, so that it stays on till then"
        )
    elif active:
        plan.values["turn_off"] = [swap["path"] for swap in active]
        plan.steps.extend(f"turn off swap {swap['path']} ({swap['mb']} MB)" for swap in active)


def _add(plan: PartPlan, facts: Facts, options: Options) -> None:
    found = facts["preparation"]["swap"]
    if found["fstab"]:
        # Not on, but meant to be: a second one would come with the next start.
        names = " and ".join(entry["source"] for entry in found["fstab"] if entry["source"] != found["path"])
        if names:
            plan.notes.append(f"/etc/fstab has swap {names}, which is not on: turn it on with swapon -a.")
            return
    path, file = found["path"], found["file"]
    name = f"ece_host_preparation_swap_path {path}"
    later = _is_on_disk_to_come(path, facts, options)
    filesystem = "xfs" if later else found["filesystem"]
    if filesystem not in FILESYSTEMS:
        plan.problems.append(
            f"{name} is on {filesystem}, where this role makes no swap file: use a path on ext4 or XFS, like "
            f"{options['ece_host_preparation_mount_path']}/swapfile, {_SKIP}."
        )
        return
    if not later and not found["folder_exists"]:
        plan.problems.append(f"The folder of {name} does not exist: make it, or use another path.")
        return
    if file and not later and file["signatures"] != ["swap"] and not file["blank"]:
        plan.problems.append(f"{name} exists and is no swap file: use another path, or move it away.")
        return
    is_swap = bool(file) and not later and file["signatures"] == ["swap"]
    size_mb = file["mb"] if is_swap else _size_mb(plan, facts, options, later)
    if plan.problems:
        return
    plan.values["file"] = {"path": path, "mb": size_mb, "make": not is_swap, "later": later}
    plan.steps.append(f"{'turn on' if is_swap else 'make'} swap file {path} ({size_mb} MB), and add it to /etc/fstab")


def _is_on_disk_to_come(path: str, facts: Facts, options: Options) -> bool:
    """Whether the path is below a mount path at which part storage is about to mount a device."""
    storage = facts["preparation"].get("storage") or {}
    is_made = "storage" not in options["ece_host_preparation_skip"] and bool((storage.get("device") or {}).get("block"))
    return is_made and not storage["mount"] and is_below(path, storage["path"])


def _size_mb(plan: PartPlan, facts: Facts, options: Options, later: bool) -> int:
    found = facts["preparation"]["swap"]
    given: Optional[int] = options.get("ece_host_preparation_swap_mb")
    # A file of an interrupted preparation counts as free.
    free_mb = found["free_mb"] + (found["file"]["mb"] if found["file"] else 0)
    if later:
        free_mb = facts["preparation"]["storage"]["device"]["bytes"] // 2**20
    wanted: int = given or max(MIN_MB, facts["memory"]["total_mb"] // SHARE_OF_MEMORY)
    room: int = free_mb - RESERVE_MB if given else free_mb // SHARE_OF_FREE
    if wanted <= room:
        return wanted
    if given or room < MIN_MB:
        plan.problems.append(
            f"ece_host_preparation_swap_path {found['path']} has {free_mb} MB of free space, too little for a swap "
            f"file of {given or MIN_MB} MB: make room, use a path on another disk, or set ece_host_preparation_swap_mb "
            "to less, or to 0 for none."
        )
    else:
        plan.notes.append(
            f"The swap file has {room} MB, half of what is free at {found['path']}, and Elastic asks for {wanted} MB: "
            "set ece_host_preparation_swap_mb and ece_host_preparation_swap_path for more."
        )
    return room


SWAP = Part("swap", read_swap, plan_swap)
