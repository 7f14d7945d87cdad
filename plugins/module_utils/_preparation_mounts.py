# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""What is mounted on a host, and what /etc/fstab says.

Runs on hosts: Python 3.6 and the standard library.
"""

import os
import re
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.ece.platform.plugins.module_utils._host_process import run_command

# The kernel shows and takes both spellings.
QUOTAS = ("prjquota", "pquota")
FINDFS_SECONDS = 10
_OCTAL = re.compile(r"\\([0-7]{3})")
_IN_UNIT_NAME = re.compile(r"[A-Za-z0-9:_.]")


def unescaped(field: str) -> str:
    """A field of fstab or of the kernel's tables, in which blanks are octal numbers."""
    return _OCTAL.sub(lambda found: chr(int(found.group(1), 8)), field)


def has_quotas(options: List[str]) -> bool:
    """Whether these options mount XFS with project quotas."""
    return not set(QUOTAS).isdisjoint(options)


def parse_mounts(text: str) -> List[Dict[str, Any]]:
    """All mounts, the later ones above the earlier, from the text of /proc/self/mountinfo.

    device: number like 8:16. root: the mounted folder of the file system, other than / for bind mounts.
    """
    found = []
    for line in text.splitlines():
        # Optional fields end with a hyphen.
        first, _separator, last = line.partition(" - ")
        head, tail = first.split(" "), last.split(" ")
        if len(head) >= 6 and len(tail) >= 3:
            found.append(
                {
                    "device": head[2],
                    "root": unescaped(head[3]),
                    "path": unescaped(head[4]),
                    "type": tail[0],
                    "source": unescaped(tail[1]),
                    "options": sorted({*head[5].split(","), *tail[2].split(",")}),
                }
            )
    return found


def mount_at(path: str, mounts: List[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    """What is mounted at exactly this path. The empty mount with which systemd waits for the first access is none."""
    here = [mount for mount in mounts if mount["path"] == path and mount["type"] != "autofs"]
    return here[-1] if here else None


def mount_that_holds(path: str, mounts: List[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    """The mount that a path is on, whether the path exists or not."""
    holding = [mount for mount in mounts if f"{path}/".startswith(mount["path"].rstrip("/") + "/")]
    longest = max((len(mount["path"]) for mount in holding), default=0)
    here = [mount for mount in holding if len(mount["path"]) == longest and mount["type"] != "autofs"]
    return here[-1] if here else None


def parse_fstab(text: str) -> List[Dict[str, Any]]:
    """The lines of /etc/fstab that mount something. line: the text. written_path: as it is written."""
    found = []
    for line in text.splitlines():
        fields = line.split()
        if line.lstrip().startswith("#") or len(fields) < 4:
            continue
        found.append(
            {
                "line": line,
                "source": unescaped(fields[0]),
                "path": os.path.normpath(unescaped(fields[1])),
                "written_path": unescaped(fields[1]),
                "type": fields[2],
                "options": fields[3].split(","),
                "dump": fields[4] if fields[4:] and fields[4].isdigit() else "0",
                "passno": fields[5] if fields[5:] and fields[5].isdigit() else "0",
            }
        )
    return found


def device_of(source: str) -> Optional[str]:
    """The path of the device that a first field of fstab stands for, or None if the host does not have it."""
    if source.startswith("/"):
        return os.path.realpath(source) if os.path.exists(source) else None
    if "=" not in source:
        return None
    output = run_command(["findfs", source.replace('"', "")], timeout=FINDFS_SECONDS)
    return os.path.realpath(output.out.strip()) if output.rc == 0 and output.out.startswith("/") else None


def unit_of(path: str, kind: str) -> str:
    """The name that systemd gives to the unit of a path: mnt-data.mount."""
    trimmed = os.path.normpath(path).strip("/")
    letters = [
        "-"
        if letter == "/"
        else letter
        if _IN_UNIT_NAME.match(letter) and not (position == 0 and letter == ".")
        else "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape"))
        for position, letter in enumerate(trimmed)
    ]
    return ("".join(letters) or "-") + "." + kind


def fstab_line(mount: Mapping[str, str]) -> str:
    """A line of fstab as it is shown to a user."""
    fields = ("src", "path", "fstype", "opts", "dump", "passno")
    return " ".join(mount[field].replace(" ", "\\040") for field in fields)
