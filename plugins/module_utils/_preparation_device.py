# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""A disk or partition, and why it cannot be formatted.

Runs on hosts: Python 3.6 and the standard library.
"""

import errno
import os
import re
import stat
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from ansible_collections.ece.platform.plugins.module_utils._host_process import run_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_number, read_text
from ansible_collections.ece.platform.plugins.module_utils._preparation_mounts import parse_mounts

SECTOR_BYTES = 512
# Old disks with many partitions answer late; one that hangs is not to stop the plan for a minute.
PROBE_SECONDS = 20
# What blkid returns: found, found nothing, found several that contradict each other.
_BLKID_CODES = (0, 2, 8)
_SEVERAL = 8
# Memory, CDs and floppies: nothing of them outlives a reboot.
_NO_DISKS = re.compile(r"(ram|zram|sr|fd)\d+$")
_NO_CANDIDATES = re.compile(r"(ram|zram|sr|fd|nbd|loop|dm-|md)\d*")


def _names(folder: str) -> List[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def block_facts(number: str, sys: str = "/sys") -> Dict[str, Any]:
    """What the kernel says of the device with a number like 8:16."""
    folder = os.path.realpath(os.path.join(sys, "dev", "block", number))
    return {
        "name": os.path.basename(folder),
        "bytes": read_number(os.path.join(folder, "size")) * SECTOR_BYTES,
        "read_only": read_number(os.path.join(folder, "ro")) == 1,
        "partitions": [name for name in _names(folder) if os.path.exists(os.path.join(folder, name, "partition"))],
        # Volumes of LVM, RAID, multipath or encryption have a name of their own.
        "holders": [
            read_text(os.path.join(folder, "holders", name, "dm", "name")).strip() or name
            for name in _names(os.path.join(folder, "holders"))
        ],
    }


def parse_probe(blkid: Tuple[int, str], wipefs: Tuple[int, str]) -> Dict[str, Any]:
    """Signatures, label and UUID from what `blkid -p -o export` and `wipefs --no-act --parsable` returned and printed.

    known: whether both looked at the device.
    """
    values = dict(line.partition("=")[::2] for line in blkid[1].splitlines())
    found = {values[name] for name in ("TYPE", "PTTYPE") if values.get(name)}
    # offset,UUID,label,type
    found.update(line.rsplit(",", 1)[-1] for line in wipefs[1].splitlines() if line and not line.startswith("#"))
    if blkid[0] == _SEVERAL and not found:
        found.add("several that contradict each other")
    return {
        "known": blkid[0] in _BLKID_CODES and wipefs[0] == 0,
        "signatures": sorted(found),
        "label": values.get("LABEL", ""),
        "uuid": values.get("UUID", ""),
    }


def probe(path: str) -> Dict[str, Any]:
    """The signatures on a device or in a file."""
    blkid = run_command(["blkid", "-p", "-o", "export", path], timeout=PROBE_SECONDS)
    wipefs = run_command(["wipefs", "--no-act", "--parsable", path], timeout=PROBE_SECONDS)
    return parse_probe((blkid.rc, blkid.out), (wipefs.rc, wipefs.out))


def why_claimed(path: str) -> str:
    """Why the kernel does not give a device to one program alone, or an empty string. Changes nothing.

    The kernel knows all uses: mounts of other namespaces, RAID, volumes, swap.
    """
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_EXCL | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        return "in use" if error.errno == errno.EBUSY else str(error.strerror)
    return ""


def swaps(text: str) -> List[Dict[str, Any]]:
    """The swap spaces that are on, from the text of /proc/swaps."""
    rows = [line.split() for line in text.splitlines()[1:]]
    return [
        {
            "path": re.sub(r"\\040\(deleted\)$", "", row[0]).replace("\\040", " "),
            "mb": int(row[2]) // 1024,
            "used_mb": int(row[3]) // 1024,
        }
        for row in rows
        if len(row) >= 5 and row[2].isdigit() and row[3].isdigit()
    ]


def read_device(path: str) -> Dict[str, Any]:
    """All that is known of the device at a path. exists and block are false where there is none."""
    real = os.path.realpath(path)
    try:
        status = os.stat(real)
    except OSError:
        return {"path": path, "exists": False, "block": False}
    if not stat.S_ISBLK(status.st_mode):
        return {"path": path, "exists": True, "block": False}
    number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    mounted = [mount["path"] for mount in parse_mounts(read_text("/proc/self/mountinfo")) if mount["device"] == number]
    is_swap = any(os.path.realpath(swap["path"]) == real for swap in swaps(read_text("/proc/swaps")))
    found = dict(block_facts(number), path=path, real=real, exists=True, block=True, number=number)
    return dict(found, mounted=mounted, swap=is_swap, claimed=why_claimed(real), **probe(real))


def empty_disks(sys: str = "/sys", dev: str = "/dev") -> List[str]:
    """Whole disks without partitions and signatures that nothing uses, by their id where they have one."""
    by_id = os.path.join(dev, "disk", "by-id")
    ids = {os.path.realpath(os.path.join(by_id, name)): os.path.join(by_id, name) for name in _names(by_id)}
    found = []
    for name in _names(os.path.join(sys, "block")):
        real = os.path.join(dev, name)
        if _NO_CANDIDATES.match(name) or not read_number(os.path.join(sys, "block", name, "size")):
            continue
        device = read_device(real)
        if device["block"] and not list(why_not_empty(device)) and not device["read_only"]:
            found.append(ids.get(real, real))
    return found


def why_no_disk(device: Mapping[str, Any], bytes_min: int) -> str:
    """Why a device can hold no file system of ECE, whatever is on it, as the end of a sentence; or an empty string."""
    if not device["exists"]:
        return "does not exist on this host: use the path of an empty disk or partition, like /dev/disk/by-id/..."
    if not device["block"]:
        return "is not a disk or partition: use the path of one, like /dev/disk/by-id/..."
    if _NO_DISKS.match(device["name"]):
        return f"is {device['name']}, which is memory, a CD or a floppy: use a disk or partition."
    if device["read_only"]:
        return "is read-only: use another, or let the machine write it."
    if device["bytes"] < bytes_min:
        return f"has {device['bytes'] / 10**9:.1f} GB, and ECE needs {bytes_min // 10**9} GB or more: use a larger one."
    return ""


def why_not_empty(device: Mapping[str, Any]) -> Iterator[str]:
    """What a device is used for or holds, each as the end of a sentence. Nothing: it is proven to be empty."""
    for holds, text in _uses(device):
        if holds:
            yield text


def _uses(device: Mapping[str, Any]) -> Sequence[Tuple[Any, str]]:
    in_use = device["mounted"] or device["swap"] or device["holders"]
    return (
        (device["mounted"], f"is mounted at {' and '.join(device['mounted'][:3])}"),
        (device["swap"], "is in use as swap"),
        (device["holders"], f"is part of {' and '.join(device['holders'][:3])}"),
        (device["partitions"], f"has partitions ({', '.join(device['partitions'][:4])})"),
        (device["signatures"], f"has a signature ({', '.join(device['signatures'])})"),
        (device["claimed"] == "in use" and not in_use, "is in use by another program or namespace"),
        (device["claimed"] not in ("", "in use"), f"cannot be opened ({device['claimed']})"),
        (not device["known"], "cannot be searched for signatures with blkid and wipefs (package util-linux)"),
    )
