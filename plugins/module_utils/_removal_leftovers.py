# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""What stays on a host after ECE is removed: images, a network, settings of the system. Elastic's pages on
uninstalling name none of it, and a host that joins again needs most of it, so that it is listed.

Runs on hosts: Python 3.6 and the standard library.
"""

import os
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from ansible_collections.ece.platform.plugins.module_utils._container_engine import ANSWER_SECONDS
from ansible_collections.ece.platform.plugins.module_utils._host_process import find_user, run_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text

# What can be removed on request.
IMAGES, NETWORK, STORAGE = "images", "network", "storage"
REMOVABLE = (IMAGES, NETWORK, STORAGE)
# The network of containers that role ece_host_preparation makes for Podman, and the file that makes it the default.
NETWORK_NAME, NETWORK_FILE = "ece-network", "/etc/containers/containers.conf.d/71-ece-network.conf"
LIST_IMAGES = ("images", "--format", "{{.Repository}}:{{.Tag}}|{{.ID}}")
LIST_NETWORKS = ("network", "ls", "--format", "{{.Name}}")
NO_NAME = "<none>"
# The repositories of ECE and of the versions of Elastic Stack, at any registry. cloud-enterprise is the default of the
# installer (help text of elastic-cloud-enterprise.sh 4.0.3, 2025-10-31), cloud-release is in the list of images for
# hosts without internet access, and earlier versions have cloud-assets.
_OF_ECE = re.compile(
    r"(?:^|/)(?:cloud-enterprise|cloud-release|cloud-assets)/[^/]+$|(?:^|/)elastic-cloud-enterprise(?:[:@][^/]*)?$"
)
# path -> what it is. Those of this collection's roles, and those of Elastic's pages on hosts and of Elastic's role.
FILES = {
    "/etc/security/limits.d/70-ece.conf": "limits of the install user",
    "/etc/systemd/system.conf.d/70-ece.conf": "limits of services",
    "/etc/sysctl.d/zz-ece.conf": "settings of the kernel",
    "/etc/sysctl.d/70-cloudenterprise.conf": "settings of the kernel",
    "/etc/default/grub.d/70-ece.cfg": "boot arguments",
    "/etc/sudoers.d/70-ece": "rights of the install user",
    "/etc/sudoers.d/99-ece-users": "rights of the install user",
    "/etc/containers/containers.conf.d/70-ece.conf": "limits of containers",
    NETWORK_FILE: f"makes {NETWORK_NAME} the default network of containers",
    "/etc/systemd/system/podman.socket.d/podman.conf": "settings of Podman's socket",
    "/etc/tmpfiles.d/ece-podman.conf": "rights on the folder of Podman's socket",
    "/etc/systemd/system/docker.service.d/docker.conf": "settings of Docker",
    "/var/lib/selinux/targeted/active/modules/300/ece": "module of SELinux",
}
DOCKER_COMMAND = "/usr/bin/docker"
FSTAB = "/etc/fstab"
VERSION_LOCKS = ("/etc/dnf/plugins/versionlock.list", "/etc/yum/pluginconf.d/versionlock.list")
_LOCKED = re.compile(
    r"^\s*(?:\d+:)?(?:docker-ce|docker-ce-cli|containerd\.io|podman|podman-remote|moby-engine)-\S+", re.M
)
_SCRIPT_MAX_BYTES = 4096


class Listed(NamedTuple):
    """Names that an engine listed, or the error why it did not."""

    names: List[str]
    error: Optional[str] = None


def is_image_of_ece(name: str) -> bool:
    """Whether the name of an image is that of ECE or of a version of Elastic Stack, at whichever registry."""
    return bool(_OF_ECE.search(name))


def _item(kind: str, name: str, note: str) -> Dict[str, Any]:
    return {"kind": kind, "name": name, "note": note, "removed": False}


# -- the engine ------------------------------------------------------------------------------------------------------


def _ask(client: Sequence[str], paths: Sequence[str], argv: Sequence[str]) -> Listed:
    output = run_command([*client, *argv], paths=paths, timeout=ANSWER_SECONDS)
    if output.rc != 0:
        lines = (output.err or output.out).strip().splitlines()
        return Listed([], lines[0] if lines else f"exit code {output.rc}")
    return Listed(output.out.splitlines())


def list_images(client: Sequence[str], paths: Sequence[str]) -> Listed:
    """The names of ECE's images, with their tags; by id where one has no tag."""
    found = _ask(client, paths, LIST_IMAGES)
    names = set()
    for line in found.names:
        name, _bar, identity = line.partition("|")
        repository = name.rpartition(":")[0]
        if identity and is_image_of_ece(repository):
            names.add(identity if name.endswith(f":{NO_NAME}") else name)
    return Listed(sorted(names), found.error)


def list_networks(client: Sequence[str], paths: Sequence[str]) -> Listed:
    """ECE's network, if the engine has it."""
    found = _ask(client, paths, LIST_NETWORKS)
    return Listed([name for name in found.names if name == NETWORK_NAME], found.error)


# -- the system ------------------------------------------------------------------------------------------------------


def mounts_in_fstab(fstab: str, storage_path: str) -> List[str]:
    """The mount points in the text of /etc/fstab that hold a storage path, / aside."""
    found = []
    for line in fstab.splitlines():
        fields = line.split("#")[0].split()
        point = fields[1].rstrip("/") if len(fields) > 1 else ""
        if point and f"{storage_path}/".startswith(point + "/"):
            found.append(point)
    return found


def _is_wrapper(path: str) -> bool:
    """Whether the docker command is a script that calls Podman."""
    text = read_text(path)[:_SCRIPT_MAX_BYTES]
    return text.startswith("#!") and "podman" in text


def leftovers_of_system(storage_path: str, user: str, root: str = "/") -> List[Dict[str, Any]]:
    """Files and settings that stay. root: below which they are looked for."""

    def at(path: str) -> str:
        return os.path.join(root, path.lstrip("/"))

    found = [_item("file", path, note) for path, note in sorted(FILES.items()) if os.path.lexists(at(path))]
    if _is_wrapper(at(DOCKER_COMMAND)):
        found.append(_item("file", DOCKER_COMMAND, "calls Podman"))
    for point in mounts_in_fstab(read_text(at(FSTAB)), storage_path):
        found.append(_item("mount", point, f"an entry of {FSTAB}"))
    for path in VERSION_LOCKS:
        for lock in _LOCKED.findall(read_text(at(path))):
            found.append(_item("version lock", lock.strip(), f"an entry of {path}"))
    if find_user(user):
        found.append(_item("user", user, "the install user, with its home folder and logins at registries"))
    return found


def leftovers_of_host(engine: Mapping[str, Any], storage: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """What stays in engine and storage folder.

    engine: images and networks as Listed, and store, the folder of the engine or None. storage: by read_storage().
    """
    found = [_item(IMAGES, name, "an image of ECE or Elastic Stack") for name in engine["images"].names]
    found += [_item(NETWORK, name, "a network of containers") for name in engine["networks"].names]
    unknown = [name for name in storage["entries"] if name not in storage["own"]]
    found += [_item(STORAGE, os.path.join(storage["path"], name), "not known to be ECE's") for name in sorted(unknown)]
    if engine["store"]:
        found.append(_item("folder", engine["store"], "images and containers of the engine"))
    return found
