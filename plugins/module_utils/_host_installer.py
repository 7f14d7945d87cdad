# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Which installer a host runs, and what is wrong with it: the same for the check of the host and for the installation.

Runs on hosts: Python 3.6 and the standard library.
"""

import errno
import os
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.ece.platform.plugins.module_utils import _installer_file as installer_file
from ansible_collections.ece.platform.plugins.module_utils._ece import SCRIPT_NAME
from ansible_collections.ece.platform.plugins.module_utils._errors import HostError
from ansible_collections.ece.platform.plugins.module_utils._host_files import place_of
from ansible_collections.ece.platform.plugins.module_utils._host_process import find_user, run_command
from ansible_collections.ece.platform.plugins.module_utils._install_files import open_file

Params = Mapping[str, Any]


def script_path(path: Optional[str], storage_path: str) -> str:
    """The path of the installer on the host: the given one, or else beside the storage path."""
    return path or os.path.join(os.path.dirname(storage_path.rstrip("/")), SCRIPT_NAME)


def right_script(params: Params) -> bytes:
    """The installer that the options name. Raises HostError if it is not the right one."""
    content, where = _script(params)
    problems = _problems(content, where, params)[1]
    if problems:
        raise HostError(problems[0])
    return content


def inspect_script(params: Params) -> Tuple[Optional[Dict[str, Any]], List[str]]:
    """(script_facts() and checksum of the installer or None, the sentences on what is wrong with it)."""
    try:
        content, where = _script(params)
    except HostError as error:
        return None, [str(error)]
    checksum, problems = _problems(content, where, params)
    return dict(installer_file.script_facts(content.decode("utf-8", "replace")), checksum=checksum), problems


def _problems(content: bytes, where: str, params: Params) -> Tuple[str, List[str]]:
    checksum, problem = installer_file.checksum_problem(content, params["installer_checksum"], where)
    found = [problem, installer_file.file_problem(content, params["version"], where)]
    return checksum, [sentence for sentence in found if sentence]


def _script(params: Params) -> Tuple[bytes, str]:
    """(the installer, its source for messages). Raises HostError."""
    if params.get("installer_content"):
        return params["installer_content"].encode("utf-8"), "installer_content"
    path = script_path(params["installer_path"], params["storage_path"])
    here, checksum, url = f"the installer {path}", params["installer_checksum"], params["installer_url"]
    try:
        current = _read(path)
    except OSError as error:
        if not url:
            raise HostError(f"{_named(path)} {_why_no_script(error)}") from None
        current = None
    if url:
        if current is not None and checksum and not installer_file.checksum_problem(current, checksum, here)[1]:
            return current, here
        content = installer_file.download(url, params["installer_ca_path"], params["installer_proxy"])
        return content, f"the installer at {url}"
    _check_readable(path, params["user"])
    return current or b"", here


def _named(path: str) -> str:
    return f"ece_host_installer_path {path} (option installer_path)"


def _read(path: str) -> bytes:
    """A file that another user may have planted. Raises OSError if it is not a regular file."""
    if not place_of(path).names:
        path = os.path.realpath(path)  # no other user can put a link there: it is the administrator's
    folder, name = os.path.split(path)
    handle = open_file(place_of(folder), name, os.O_RDONLY)
    with os.fdopen(handle, "rb") as source:
        return source.read(installer_file.SIZE_MAX_BYTES)


def _why_no_script(error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOTDIR) and os.path.islink(error.filename or ""):
        return (
            f"leads through the link {error.filename} in a folder that other users than root can change: set it to "
            "the file itself"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return "cannot be read: let the user that this runs as read it"
    return (
        "is not a file on the host: copy the installer there, or set ece_host_installer_url or ece_host_installer_src "
        "(option installer_url or installer_content)"
    )


def _check_readable(path: str, user: str) -> None:
    """Raise HostError for a file that root can read, but not the user who runs it as it is."""
    if os.geteuid() == 0 and find_user(user) and run_command(["test", "-r", path], user=user).rc == 1:
        raise HostError(f"{_named(path)} cannot be read by user {user}, who runs it: let that user read it")
