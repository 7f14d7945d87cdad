# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The storage folder of ECE on a host: what is in it, what may be removed, and the removal, which follows no link.

Runs on hosts: Python 3.6 and the standard library.
"""

import errno
import os
import re
import stat
from typing import Any, Dict, Iterable, List, Mapping, Optional

from ansible_collections.ece.platform.plugins.module_utils._errors import HostError
from ansible_collections.ece.platform.plugins.module_utils._host_facts import runner_ids
from ansible_collections.ece.platform.plugins.module_utils._host_files import place_of
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._install_files import open_folder
from ansible_collections.ece.platform.plugins.module_utils._text import first_names

# The names of an option, in the module and in the role.
STORAGE_OPTION = "storage_path (ece_host_storage_path)"
RUNNER_OPTION = "runner_id (ece_host_runner_id)"
# Beside the folder of the runner. What the installer of ECE 4.0.3 (2025-10-31) makes.
BOOTSTRAP, LOGS = "bootstrap-state", "logs"
# Passwords of the platform, which its first host has in the folder above. Nothing else has some of them.
SECRETS = "bootstrap-secrets.json"
# No folder of ECE's own, whatever is in it.
SYSTEM_FOLDERS = frozenset(
    "/ /bin /boot /dev /etc /home /lib /lib32 /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /var "
    "/var/lib /var/log".split()
)
# Nor anything in these.
SYSTEM_TREES = ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr")
# How often a folder is emptied in which something is made meanwhile.
PASSES = 3
_OCTAL = re.compile(r"\\([0-7]{3})")


# -- facts -----------------------------------------------------------------------------------------------------------


def mount_points(mountinfo: str) -> List[str]:
    """The mount points in the text of /proc/self/mountinfo, bind mounts included."""
    rows = [line.split(" ") for line in mountinfo.splitlines()]
    # Blanks and other special characters are octal there.
    return [_OCTAL.sub(lambda found: chr(int(found.group(1), 8)), row[4]) for row in rows if len(row) > 4]


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def read_storage(path: str, runner_id: str, mountinfo: Optional[str] = None) -> Dict[str, Any]:
    """What is at a storage path. mountinfo: the text of /proc/self/mountinfo, which is read if it is not given."""
    path = os.path.normpath(path)
    real = os.path.realpath(path)
    mounts = mount_points(read_text("/proc/self/mountinfo") if mountinfo is None else mountinfo)
    is_folder = os.path.isdir(path) and not os.path.islink(path)
    entries = sorted(os.listdir(path)) if is_folder else []
    # Other programs have a folder `logs`, too. The runner's folder goes last, so that it is there until all has gone.
    is_ours = runner_id in entries or BOOTSTRAP in entries
    return {
        "path": path,
        "real": real,
        "exists": os.path.lexists(path),
        "is_folder": is_folder,
        "is_mount": real in mounts,
        "mounts_below": sorted({mount for mount in mounts if _is_below(mount, real)}),
        "entries": entries,
        "runner_ids": runner_ids(path) if is_folder else [],
        "own": [name for name in (LOGS, BOOTSTRAP, runner_id) if name in entries and is_ours],
        "has_secrets": os.path.lexists(os.path.join(path, BOOTSTRAP, SECRETS)),
    }


def processes_in_storage(runner_id: str, proc: str = "/proc") -> List[int]:
    """Pids of processes that have a runner's data mounted: those of its containers, whichever engine runs them."""
    data = re.compile(r"/" + re.escape(runner_id) + r"/services(?:/|$)")
    own, seen, pids = _namespace(proc, "self"), set(), []
    for name in os.listdir(proc):
        namespace = _namespace(proc, name) if name.isdigit() else None
        if namespace in (None, own) or namespace in seen:
            continue
        seen.add(namespace)
        rows = [line.split(" ") for line in read_text(os.path.join(proc, name, "mountinfo")).splitlines()]
        # The fourth field is the folder of its file system that is mounted.
        if any(data.search(row[3]) for row in rows if len(row) > 4):
            pids.append(int(name))
    return sorted(pids)


def _namespace(proc: str, name: str) -> Optional[str]:
    """What tells the mounts that a process sees from those of others; None if the process has ended."""
    try:
        return os.readlink(os.path.join(proc, name, "ns", "mnt"))
    except OSError:
        return None


# -- plan ------------------------------------------------------------------------------------------------------------


def storage_problems(storage: Mapping[str, Any], runner_id: str, options: Mapping[str, Any]) -> List[str]:
    """Why a storage folder cannot be removed as that of a runner, each a sentence with its remedy."""
    path, real = storage["path"], storage["real"]
    for one in (path, real):
        if one in SYSTEM_FOLDERS or any(_is_below(one, tree) for tree in SYSTEM_TREES):
            return [f"{STORAGE_OPTION} {path} is a folder of the system: give the folder that ECE was installed with."]
    if not storage["exists"]:
        return []
    if not storage["is_folder"]:
        target = f" to {real}" if real != path else ""
        kind = "a link" + target if os.path.islink(path) else "not a folder"
        return [f"{STORAGE_OPTION} {path} is {kind}: give the folder that ECE was installed with."]
    problems = []
    others = [name for name in storage["runner_ids"] if name != runner_id]
    if others:
        problems.append(
            f"{path} has the data of runner {first_names(others)}, and {RUNNER_OPTION} is {runner_id}: "
            "give the id of the runner that this host is, or the storage path of that runner."
        )
    if storage["has_secrets"] and not options["bootstrap_secrets"]:
        problems.append(
            f"{path}/{BOOTSTRAP}/{SECRETS} has passwords of the platform: save it elsewhere, and set "
            "bootstrap_secrets: true (ece_host_removal_bootstrap_secrets)."
        )
    # What the runner's containers have mounted ends with them.
    lasting = [one for one in storage["mounts_below"] if not _is_below(one, os.path.join(real, runner_id))]
    problems.extend(mount_problems(lasting, path))
    return problems


def mount_problems(mounts: Iterable[str], path: str) -> List[str]:
    """Why folders below a storage path cannot be removed: another file system is mounted there."""
    mounts = list(mounts)
    return [f"{first_names(mounts)} is mounted below {path}: unmount it first."] if mounts else []


# -- removal ---------------------------------------------------------------------------------------------------------


def remove_entry(path: str) -> bool:
    """Remove a file or a folder with all that is in it, and return whether it was there. Raises OSError or HostError.

    Links are removed and never followed, also those that another user puts there meanwhile. What is mounted is kept.
    """
    folder, name = os.path.split(os.path.abspath(path))
    try:
        above = open_folder(place_of(folder))
    except FileNotFoundError:
        return False
    try:
        found = os.lstat(name, dir_fd=above) if _exists(name, above) else None
        if found is None:
            return False
        _remove_in(above, name, path, os.fstat(above).st_dev)
        return True
    except RecursionError:
        raise HostError(f"{path} has too many folders in each other: remove it by hand") from None
    except OSError as error:
        error.filename = error.filename if str(error.filename).startswith("/") else path
        raise
    finally:
        os.close(above)


def _exists(name: str, above: int) -> bool:
    try:
        os.lstat(name, dir_fd=above)
        return True
    except FileNotFoundError:
        return False


def _remove_in(above: int, name: str, path: str, device: int) -> None:
    """Remove one entry of an open folder. path: what to call it in an error. device: that of the folder."""
    try:
        found = os.lstat(name, dir_fd=above)
        if not stat.S_ISDIR(found.st_mode):
            os.unlink(name, dir_fd=above)
            return
        if found.st_dev != device:
            raise OSError(errno.EBUSY, "another file system is mounted there, which has to be unmounted first", path)
        for attempt in range(PASSES):
            _empty(above, name, path, device)
            try:
                os.rmdir(name, dir_fd=above)
                return
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or attempt == PASSES - 1:
                    raise
    except FileNotFoundError:
        pass  # another process has removed it
    except OSError as error:
        if not str(error.filename).startswith("/"):
            error.filename = path
        raise


def _empty(above: int, name: str, path: str, device: int) -> None:
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    try:
        for entry in os.listdir(inner):
            _remove_in(inner, entry, os.path.join(path, entry), device)
    finally:
        os.close(inner)


def remove_if_empty(path: str) -> bool:
    """Remove a folder that is empty, and return whether it was. Raises OSError."""
    folder, name = os.path.split(os.path.abspath(path))
    above = open_folder(place_of(folder))
    try:
        os.rmdir(name, dir_fd=above)
        return True
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.EBUSY):
            return False
        error.filename = path
        raise
    finally:
        os.close(above)
