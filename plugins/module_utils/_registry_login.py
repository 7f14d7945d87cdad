# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Credentials of a private registry on a host.

The installer's own pull reads `~/.docker/config.json` of the install user, with Docker and with Podman: pages Configure
a SUSE host and Configure an Ubuntu host (docs-content, 2026), read 2026-11-27. ECE's runner and allocator pull images
later, in containers that do not see this file. Elastic's own Ansible role
(elastic/ansible-elastic-cloud-enterprise, 2026-09) mounts it there by a file for `--config-file`, an internal facility
of ECE that may change.

Runs on hosts: Python 3.6 and the standard library.
"""

import base64
import json
import os
from typing import Any, Callable, Dict, List, Mapping, Optional

from ansible_collections.ece.platform.plugins.module_utils._errors import HostError, OptionError
from ansible_collections.ece.platform.plugins.module_utils._host_files import make_folder
from ansible_collections.ece.platform.plugins.module_utils._host_process import User, become_user, explain_os_error

# The engine's own default.
DEFAULT_REGISTRY = "docker.elastic.co"
LOGIN_SIZE_MAX_BYTES = 1 << 20
# In ECE's containers the home of the user elastic has this path, whatever user installs ECE.
FOLDER_IN_CONTAINERS = "/home/elastic/.docker"
# Only the storage path is mounted into the installer's container.
CONFIG_FILE_NAME = "registry-login.conf"

Params = Mapping[str, Any]
# The first byte of what a child says.
_TRUE, _FALSE, _FAILED = b"+", b".", b"-"


# -- documents -------------------------------------------------------------------------------------------------------


def login_document(existing: Mapping[str, Any], registry: str, username: str, password: str) -> Dict[str, Any]:
    """The content of config.json with the credentials of one registry; all else stays as it is."""
    # The engine looks for the registry's host and port, without the path below it.
    server = registry.split("/", 1)[0]
    secret = base64.b64encode(f"{username}:{password}".encode("utf-8")).decode("ascii")
    logins = existing.get("auths")
    return dict(existing, auths=dict(logins if isinstance(logins, dict) else {}, **{server: {"auth": secret}}))


def mount_document(folder: str) -> Dict[str, Any]:
    """Settings that mount the folder with config.json into the containers of runner and allocator.

    ECE takes every key but DEV for the version of a platform to which the settings are limited.
    """
    mount = {"create-payload": {"HostConfig": {"Binds": {"add": {folder: FOLDER_IN_CONTAINERS}}}}}
    mutations = {"DEV": {"runners": {"runner": mount}, "allocators": {"allocator": mount}}}
    return {"found": {"bootstrap": {"shared": {"containers": {"mutations": mutations}}}}}


# -- options ---------------------------------------------------------------------------------------------------------


def check_login(params: Params, prefix: str = "") -> None:
    """Raise OptionError for credentials that are not complete. No message repeats one."""
    username, password = params.get("docker_registry_username"), params.get("docker_registry_password")
    if bool(username) != bool(password):
        missing = "docker_registry_password" if username else "docker_registry_username"
        raise OptionError(f"{prefix}{missing} is not set: a login at the registry needs user name and password")
    if username and (":" in username or any(ord(character) < 32 for character in username + password)):
        raise OptionError(
            f"{prefix}docker_registry_username holds a colon, or it or the password a line break: no login has that"
        )
    if params.get("docker_registry_login_in_containers") and not username:
        raise OptionError(
            f"{prefix}docker_registry_login_in_containers needs {prefix}docker_registry_username and "
            f"{prefix}docker_registry_password"
        )
    if params.get("docker_registry_login_in_containers") and "--config-file" in (params.get("extra_args") or []):
        raise OptionError(
            f"{prefix}docker_registry_login_in_containers and --config-file in {prefix}extra_args exclude each other: "
            "the installer takes one file"
        )


def config_arguments(params: Params) -> List[str]:
    """Arguments of the installer that give runner and allocator the login."""
    if not params.get("docker_registry_login_in_containers"):
        return []
    return ["--config-file", os.path.join(params["storage_path"], CONFIG_FILE_NAME)]


# -- files -----------------------------------------------------------------------------------------------------------


def write_login(params: Params, user: User, check_mode: bool = False) -> bool:
    """Write what the options ask for, as the install user, and return whether a file changes. Raises HostError.

    check_mode: whether nothing is written.
    """
    username, password = params.get("docker_registry_username"), params.get("docker_registry_password")
    if not username or not password:
        return False
    registry = params.get("docker_registry") or DEFAULT_REGISTRY
    folder = os.path.join(user.home, ".docker")

    def write() -> bool:
        path = os.path.join(folder, "config.json")
        existing = _read(path)
        documents = {path: (existing, login_document(existing, registry, username, password))}
        for config in config_arguments(params)[1:]:
            documents[config] = (_read(config), mount_document(folder))
        differing = {name: wanted for name, (found, wanted) in documents.items() if found != wanted}
        if not check_mode:
            for name, wanted in differing.items():
                _write(name, wanted)
        return bool(differing)

    if config_arguments(params) and not check_mode:
        make_folder(params["storage_path"], user)
    return _as_user(user, write)


def _as_user(user: User, action: Callable[[], bool]) -> bool:
    """Return the result of an action that runs with the rights of the user. Raises HostError.

    The user's folders may hold links to files of root.
    """
    source, target = os.pipe()
    child = os.fork()
    if not child:
        message, answer = "it ended early", _FAILED
        try:
            drop = become_user(user.name)
            if drop:
                drop()
            answer = _TRUE if action() else _FALSE
            message = ""
        except HostError as error:
            message = str(error)
        except OSError as error:
            message = explain_os_error(error)
        except Exception as error:
            message = type(error).__name__
        finally:
            os.write(target, answer + message.encode("utf-8", "replace"))
            os._exit(0)
    os.close(target)
    with os.fdopen(source, "rb") as child_answer:
        printed = child_answer.read()
    os.waitpid(child, 0)
    if printed not in (_TRUE, _FALSE):
        reason = printed[len(_FAILED) :].decode("utf-8", "replace")
        raise HostError(f"the login at the registry cannot be written: {reason or 'no answer'}")
    return printed == _TRUE


def _read(path: str) -> Dict[str, Any]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return {}
    with os.fdopen(handle, "rb") as source:
        text = source.read(LOGIN_SIZE_MAX_BYTES)
    found: Optional[Any]
    try:
        found = json.loads(text.decode("utf-8")) if text.strip() else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise HostError(f"{path} is not a JSON object: mend or remove it")
    return found


def _write(path: str, document: Mapping[str, Any]) -> None:
    """Write a private file completely or not at all, in a folder that is made if it is missing."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    temporary = f"{path}.{os.getpid()}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w") as target:
            json.dump(document, target, indent=2)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
