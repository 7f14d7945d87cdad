# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The disk for ECE's data: XFS with project quotas, mounted at every start, with folders for ECE and its engine.

https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/configure-host-ubuntu (read 2026-11-27)
Runs on hosts: Python 3.6 and the standard library.
"""

import gzip
import os
import platform
import re
import stat
import uuid
import zlib
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.ece.platform.plugins.module_utils._ece import DISK_MIN_GB
from ansible_collections.ece.platform.plugins.module_utils._host_process import find_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._preparation_device import (
    empty_disks,
    probe,
    read_device,
    why_no_disk,
    why_not_empty,
)
from ansible_collections.ece.platform.plugins.module_utils._preparation_mounts import (
    QUOTAS,
    device_of,
    fstab_line,
    has_quotas,
    mount_at,
    mount_that_holds,
    parse_fstab,
    parse_mounts,
    unit_of,
)
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import (
    Facts,
    Options,
    Part,
    PartPlan,
    System,
    new_plan,
)
from ansible_collections.ece.platform.plugins.module_utils._preparation_user import PRIMARY_GROUP
from ansible_collections.ece.platform.plugins.module_utils._text import first_names

# By this label, a later run knows a file system that an interrupted one has made. XFS takes 12 characters.
LABEL = "ece-data"
MODE = "0700"
# More names than this at a mount path are not looked at.
FILES_MAX = 2000
_SKIP = "or leave this part out with ece_host_preparation_skip: [storage]"
_UNIT_FOLDERS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
# These come from the volume itself, and are no files of anyone.
_OWN_ENTRIES = ("lost+found",)
# Options that exclude project quotas, and that leave a file system unmounted at the start.
_AGAINST_QUOTAS = ("noquota", "pqnoenforce")


# -- reading -------------------------------------------------------------------------------------------------------


def kernel_quotas(config: str) -> Optional[bool]:
    """Whether the kernel has quotas for XFS, from the text of its configuration; None if that is not known."""
    return bool(re.search("^CONFIG_XFS_QUOTA=y$", config, re.MULTILINE)) if "CONFIG_XFS_FS" in config else None


def kernel_config(root: str = "/") -> str:
    """The text of the running kernel's configuration, or an empty string."""
    release = platform.release()
    for path in (f"boot/config-{release}", f"usr/lib/modules/{release}/config", f"lib/modules/{release}/config"):
        text = read_text(os.path.join(root, path))
        if text:
            return text
    try:
        with gzip.open(os.path.join(root, "proc/config.gz"), "rt", encoding="utf-8", errors="replace") as file:
            return str(file.read())
    except (OSError, EOFError, zlib.error):
        return ""


def files_below(path: str) -> List[str]:
    """The first files in a folder and its folders, below the path. Folders without files in them are no loss."""
    found: List[str] = []
    seen = 0
    for folder, folders, names in os.walk(path):
        found.extend(os.path.relpath(os.path.join(folder, name), path) for name in names)
        seen += len(folders) + len(names)
        if found or seen > FILES_MAX:
            break
    return found[:3]


def users_of(path: str, proc: str = "/proc") -> List[str]:
    """Names of programs that have something open on the file system at a path."""
    device = os.stat(path).st_dev
    return sorted({name for name in os.listdir(proc) if name.isdigit() and _uses(os.path.join(proc, name), device)})


def _uses(process: str, device: int) -> bool:
    places = [os.path.join(process, name) for name in ("cwd", "root", "exe")]
    handles = os.path.join(process, "fd")
    try:
        places += [os.path.join(handles, name) for name in os.listdir(handles)]
    except OSError:
        pass  # it has ended
    for place in places:
        try:
            if os.stat(place).st_dev == device:
                return True
        except OSError:
            continue
    return False


def folder_facts(path: str) -> Optional[Dict[str, Any]]:
    """Owner and mode of a folder, or None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return {"uid": found.st_uid, "mode": stat.S_IMODE(found.st_mode), "folder": stat.S_ISDIR(found.st_mode)}


def _listed(path: str) -> List[str]:
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def read_storage(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """The mount path, what fstab says of it, the device, and the folders."""
    path = os.path.normpath(options["ece_host_preparation_mount_path"])
    # The first access mounts what systemd mounts by need.
    entries = _listed(path)
    mounts = parse_mounts(read_text("/proc/self/mountinfo"))
    mount = mount_at(path, mounts)
    fstab = [dict(entry, device=device_of(entry["source"])) for entry in parse_fstab(read_text("/etc/fstab"))]
    fstab = [entry for entry in fstab if entry["path"] == path]
    given = options.get("ece_host_preparation_device")
    # Not a volume that is mounted, which is not to be touched again.
    named = given or (fstab[0]["device"] if fstab else None)
    device = read_device(named) if named else None
    is_xfs = mount is not None and mount["type"] == "xfs"
    quotas_missing = mount is not None and is_xfs and not has_quotas(mount["options"])
    folders = (path, options["ece_host_storage_path"], options["ece_host_preparation_engine_path"])
    holding = mount_that_holds(os.path.realpath(options["ece_host_storage_path"]), mounts)
    return {
        "path": path,
        "real": os.path.realpath(path),
        "mount": mount,
        # A line of fstab is needed for it.
        "mount_uuid": probe(mount["source"])["uuid"] if mount and is_xfs and not fstab else "",
        "above": [one["path"] for one in mounts if one["path"].startswith(path.rstrip("/") + "/")],
        "holding": holding,
        "fstab": fstab,
        "unit": next((unit for unit in _units(path) if os.path.exists(unit)), None),
        "entries": entries,
        "files": [] if mount else files_below(path),
        "users": users_of(path) if quotas_missing else [],
        "device": device,
        "empty_disks": [] if mount or device else empty_disks(),
        "folders": {folder: folder_facts(folder) for folder in folders},
        "mkfs": bool(find_command("mkfs.xfs")),
        "quotas": kernel_quotas(kernel_config()),
        "kernel": platform.release(),
        "new_uuid": str(uuid.uuid4()),
    }


def _units(path: str) -> List[str]:
    return [os.path.join(folder, unit_of(path, "mount")) for folder in _UNIT_FOLDERS]


# -- planning ------------------------------------------------------------------------------------------------------


def wanted_options(options: List[str], settings: Mapping[str, Any]) -> List[str]:
    """The options of a line of fstab with those that ECE needs, and without those that exclude them."""
    kept = [option for option in options if option not in _AGAINST_QUOTAS] if _needs_quotas(settings) else options
    if "noauto" in kept and "x-systemd.automount" not in kept:
        kept = [option for option in kept if option != "noauto"]
    return kept + ([QUOTAS[0]] if _needs_quotas(settings) and not has_quotas(kept) else [])


def _needs_quotas(settings: Mapping[str, Any]) -> bool:
    return has_quotas(settings["options"].split(","))


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder, or in it."""
    return f"{os.path.normpath(path)}/".startswith(os.path.normpath(folder).rstrip("/") + "/")


def plan_storage(facts: Facts, options: Options, system: System) -> PartPlan:
    """Format, mount, and give to the install user what is not yet."""
    found = facts["preparation"]["storage"]
    plan = new_plan()
    plan.values.update(path=found["path"], package_manager=system["package_manager"])
    problem = _wrong_path(found, options)
    if problem:
        plan.problems.append(problem)
        return plan
    mount = found["mount"]
    if mount:
        _keep(plan, found, mount, options, system["storage"])
    elif found["fstab"]:
        _mount_as_listed(plan, found, options, system["storage"])
    elif options.get("ece_host_preparation_device"):
        _take_device(plan, found, options, system["storage"])
    else:
        _judge_without_device(plan, found, facts, options, system["storage"])
    if plan.values.get("mount") and _needs_quotas(system["storage"]) and found["quotas"] is False:
        plan.problems.append(
            f"The kernel {found['kernel']} has no quotas for XFS (CONFIG_XFS_QUOTA), which ECE needs at "
            f"{found['path']}: start the machine with the kernel of its distribution, {_SKIP}."
        )
    if not plan.problems:
        _plan_folders(plan, found, facts, options)
    return plan


def _wrong_path(found: Mapping[str, Any], options: Options) -> str:
    path, storage_path = found["path"], options["ece_host_storage_path"]
    if not is_below(storage_path, path):
        return (
            f"ece_host_storage_path {storage_path} is not below ece_host_preparation_mount_path {path}: set one of "
            "them so that it is."
        )
    if found["real"] != path and not found["mount"]:
        return (
            f"ece_host_preparation_mount_path {path} is a symbolic link to {found['real']}: set it to that path, and "
            "ece_host_storage_path to one below it."
        )
    if len(found["fstab"]) > 1:
        return f"/etc/fstab has {len(found['fstab'])} lines for {path}: leave the right one."
    return ""


def _is_allocator(options: Options) -> bool:
    return "allocator" in options["ece_host_roles"]


def _judge_without_device(
    plan: PartPlan, found: Mapping[str, Any], facts: Facts, options: Options, settings: Mapping[str, Any]
) -> None:
    """The storage path is on another mount, which is right only for some hosts."""
    path, holding = found["path"], found["holding"] or {"type": "unknown", "options": [], "path": "/"}
    if holding["type"] == "xfs" and (has_quotas(holding["options"]) or not _needs_quotas(settings)):
        return
    without = " without project quotas" if holding["type"] == "xfs" else ""
    state = f"{path} is not a mount point, but a folder on the {holding['type']} of {holding['path']}{without}"
    if not _is_allocator(options):
        plan.notes.append(f"{state}; only an allocator needs XFS with project quotas.")
        return
    disks = found["empty_disks"]
    which = f" (this host has {first_names(disks, 3)})" if disks else ", like /dev/disk/by-id/..."
    plan.problems.append(
        f"{state}, and an allocator needs XFS with project quotas: set ece_host_preparation_device to an empty disk"
        f"{which} and ece_host_preparation_format to true, {_SKIP}."
    )


def _bytes_min(options: Options) -> int:
    return max(DISK_MIN_GB[role] for role in options["ece_host_roles"] or ["allocator"]) * 10**9


def _take_device(plan: PartPlan, found: Mapping[str, Any], options: Options, settings: Mapping[str, Any]) -> None:
    """Nothing is mounted, and nothing is to be: the device is formatted and mounted."""
    device, path = found["device"], found["path"]
    name = f"ece_host_preparation_device {device['path']}"
    reason = why_no_disk(device, _bytes_min(options))
    if reason:
        plan.problems.append(f"{name} {reason}")
        return
    _check_mount_path(plan, found)
    entry = {"path": path, "fstype": "xfs", "opts": settings["options"], "dump": "0", "passno": settings["passno"]}
    reasons = list(why_not_empty(device))
    made_before = device["signatures"] == ["xfs"] and device["label"] == LABEL and len(reasons) == 1
    if made_before:
        plan.steps.append(f"mount {device['path']}, which has the XFS of an earlier preparation, at {path}")
        _plan_mount(plan, dict(entry, src=f"UUID={device['uuid']}"))
    elif reasons:
        as_it_is = ""
        if device["signatures"] == ["xfs"] and len(reasons) == 1:
            line = fstab_line(dict(entry, src=f"UUID={device['uuid']}"))
            as_it_is = f"to use its file system as it is, add this line to /etc/fstab: {line}; otherwise "
        plan.problems.append(
            f"{name} {' and '.join(reasons[:2])}, so that it is not formatted: {as_it_is}use an empty disk or "
            "partition."
        )
    elif not options["ece_host_preparation_format"]:
        plan.problems.append(
            f"{name} is empty ({device['bytes'] / 10**9:.0f} GB): set ece_host_preparation_format to true to format it "
            "with XFS."
        )
    else:
        if not found["mkfs"]:
            plan.steps.append("install package xfsprogs")
            plan.values["packages"] = ["xfsprogs"]
        plan.steps.append(f"format {device['path']} ({device['bytes'] / 10**9:.0f} GB) with XFS")
        plan.values["format"] = {
            "device": device["path"],
            "opts": f"-n ftype=1 -L {LABEL} -m uuid={found['new_uuid']}",
        }
        _plan_mount(plan, dict(entry, src=f"UUID={found['new_uuid']}"))
    if device["name"].startswith("loop"):
        plan.notes.append(f"{device['path']} is a loop device, which has to be set up before /etc/fstab is read.")


def _check_mount_path(plan: PartPlan, found: Mapping[str, Any]) -> None:
    path = found["path"]
    if found["above"]:
        plan.problems.append(
            f"{found['above'][0]} is mounted below ece_host_preparation_mount_path {path}, where a mount would hide "
            "it: unmount it, or use another path."
        )
    if found["files"]:
        plan.problems.append(
            f"{path} holds files ({', '.join(found['files'])}), which a mount there would hide: move them away, or set "
            "ece_host_preparation_mount_path to another path."
        )
    if found["unit"]:
        plan.problems.append(f"{found['unit']} mounts {path}, and is not active: start it, or remove it.")


def _plan_mount(plan: PartPlan, mount: Dict[str, str]) -> None:
    plan.values.update(mount=mount, state="mounted")
    plan.steps.append(f"add to /etc/fstab, and mount: {fstab_line(mount)}")


def _mount_as_listed(plan: PartPlan, found: Mapping[str, Any], options: Options, settings: Mapping[str, Any]) -> None:
    """fstab has the mount path, and it is not mounted."""
    entry, device = found["fstab"][0], found["device"]
    listed = f"/etc/fstab mounts {entry['source']} at {found['path']}"
    given = options.get("ece_host_preparation_device")
    if entry["device"] is None:
        plan.problems.append(f"{listed}, and the host has no such device: correct that line, or remove it.")
        return
    if given and device.get("real") != entry["device"]:
        plan.problems.append(
            f"{listed}, which is not ece_host_preparation_device {given}: correct one of them, or remove that line."
        )
        return
    if entry["type"] not in ("xfs", "auto") or device.get("signatures") != ["xfs"]:
        holds = ", ".join(device.get("signatures") or []) or "no file system"
        plan.problems.append(
            f"{listed} as {entry['type']}, and it holds {holds}, while ECE needs XFS: correct that line, or remove it."
        )
        return
    reason = why_no_disk(device, _bytes_min(options))
    if reason:
        plan.problems.append(f"{entry['source']} (in /etc/fstab) {reason}")
    _check_mount_path(plan, dict(found, unit=None))
    plan.values.update(mount=_corrected(entry, settings), state="mounted")
    plan.steps.append(f"mount as in /etc/fstab: {fstab_line(plan.values['mount'])}")


def _corrected(entry: Mapping[str, Any], settings: Mapping[str, Any]) -> Dict[str, str]:
    return {
        "src": entry["source"],
        "path": entry["written_path"],
        "fstype": entry["type"],
        "opts": ",".join(wanted_options(entry["options"], settings)),
        "dump": entry["dump"],
        "passno": entry["passno"],
    }


def _keep(
    plan: PartPlan, found: Mapping[str, Any], mount: Mapping[str, Any], options: Options, settings: Mapping[str, Any]
) -> None:
    """Something is mounted at the mount path: its options are corrected, and it stays mounted after a reboot."""
    path, device = found["path"], found["device"]
    given = options.get("ece_host_preparation_device")
    other = given and device and device.get("number") != mount["device"]
    if mount["type"] != "xfs":
        state = f"{path} is a mount point of {mount['type']} ({mount['source']})"
        if other and _is_allocator(options):
            plan.problems.append(
                f"{state}, so that ece_host_preparation_device {given} cannot be mounted there: unmount it, or set "
                f"ece_host_preparation_mount_path and ece_host_storage_path to other paths."
            )
        else:
            plan.notes.append(f"{state}; an allocator needs XFS with project quotas.")
        return
    if other:
        plan.notes.append(
            f"{path} is mounted from {mount['source']}; ece_host_preparation_device {given} is not looked at."
        )
    _persist(plan, found, mount, settings)


def _persist(plan: PartPlan, found: Mapping[str, Any], mount: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    path = found["path"]
    quotas_missing = _needs_quotas(settings) and not has_quotas(mount["options"])
    if path == "/" or mount["root"] != "/" or (found["unit"] and not found["fstab"]):
        # The root's options are arguments of the kernel, a bind mount has those of another mount.
        by = found["unit"] or ("the kernel's argument rootflags" if path == "/" else "the mount that it belongs to")
        if quotas_missing:
            plan.problems.append(f"{path} is XFS without project quotas: add prjquota to {by}, {_SKIP}.")
        return
    if found["fstab"]:
        entry = found["fstab"][0]
        line = _corrected(entry, settings)
        is_right = line["opts"].split(",") == entry["options"]
        action = f"correct the line of {path} in /etc/fstab: {fstab_line(line)}"
    else:
        line = {
            "src": f"UUID={found['mount_uuid']}" if found["mount_uuid"] else mount["source"],
            "path": path,
            "fstype": "xfs",
            "opts": settings["options"],
            "dump": "0",
            "passno": settings["passno"],
        }
        is_right = False
        action = f"add to /etc/fstab: {fstab_line(line)}"
    if not is_right:
        plan.values.update(mount=line, state="present")
        plan.steps.append(action)
    if quotas_missing and (found["users"] or found["above"]):
        plan.reboot.append(f"{path} is mounted without project quotas, and in use")
    elif quotas_missing:
        # XFS does not take this option for a file system that is mounted.
        plan.values.update(mount=line, unmount=True, state="mounted")
        plan.steps.append(f"unmount {path}, and mount it with project quotas")


def _plan_folders(plan: PartPlan, found: Mapping[str, Any], facts: Facts, options: Options) -> None:
    """The mount point, after it is mounted, and the folders in it, belong to the install user."""
    path, user = found["path"], facts["user"]
    storage_path, engine_path = options["ece_host_storage_path"], options["ece_host_preparation_engine_path"]
    is_new = "mount" in plan.values and not found["mount"]
    for folder, state in found["folders"].items():
        if state and not state["folder"]:
            plan.problems.append(f"{folder} is not a folder: move it away, and run this again.")
    wanted = []
    if is_new or _mount_path_is_wrong(plan, found, user, options):
        wanted.append(path)
    if is_new or _is_others(found["folders"][storage_path], user):
        wanted.append(storage_path)
    # The engine owns its folder once it has run.
    if is_new or found["folders"][engine_path] is None:
        wanted.append(engine_path)
    plan.values.update(folders=wanted, group=str(user["gid"]) if user else PRIMARY_GROUP, mode=MODE)
    plan.steps.extend(f"give folder {folder} to user {options['ece_host_user']}, with mode {MODE}" for folder in wanted)


def _is_others(folder: Optional[Mapping[str, Any]], user: Optional[Mapping[str, Any]]) -> bool:
    return folder is None or user is None or folder["uid"] != user["uid"] or folder["mode"] & 0o700 != 0o700


def _mount_path_is_wrong(
    plan: PartPlan, found: Mapping[str, Any], user: Optional[Mapping[str, Any]], options: Options
) -> bool:
    path = found["path"]
    folder = found["folders"][path]
    if not _is_others(folder, user):
        return False
    names = ("storage_path", "preparation_engine_path", "preparation_swap_path")
    own = {os.path.relpath(options[f"ece_host_{name}"], path).split("/", 1)[0] for name in names}
    if folder is None or (found["mount"] and path != "/" and own.union(_OWN_ENTRIES).issuperset(found["entries"])):
        return True
    if not folder["mode"] & 0o001:
        plan.problems.append(
            f"User {options['ece_host_user']} cannot enter {path}, which does not hold ECE's folders only: let it, or "
            "set ece_host_preparation_mount_path and ece_host_storage_path to other paths."
        )
    return False


STORAGE = Part("storage", read_storage, plan_storage)
