# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The installer as a file: its address and checksum, its download, and whether it is the right one.

Runs on hosts too: Python 3.6.
"""

import hashlib
import os
import re
import shutil
import subprocess
from typing import Any, Dict, Optional, Tuple

from ansible_collections.ece.platform.plugins.module_utils._ece import SCRIPT_NAME, release
from ansible_collections.ece.platform.plugins.module_utils._errors import HostError, OptionError
from ansible_collections.ece.platform.plugins.module_utils._matrix import script_matrix

DOWNLOAD_TIMEOUT_SECONDS = 60
SYNTAX_TIMEOUT_SECONDS = 10
SIZE_MAX_BYTES = 16 * 1024 * 1024
DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
_USER_IN_URL = re.compile(r"^(?:[^/?#@]*//)?[^/?#]*@")
_URL = re.compile(r"^https?://[^\s'\"]+\Z")
_CHECKSUM = re.compile(r"^(sha256|sha384|sha512):([0-9a-fA-F]{64,128})\Z")
# A branch of the script's `case` over its arguments.
_ARGUMENT = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]\b(?=\s*[)|])")
_SCRIPT_VERSION = re.compile(r"^CLOUD_ENTERPRISE_VERSION=[\"']?([0-9]+\.[0-9]+\.[0-9]+)", re.MULTILINE)


# -- options ---------------------------------------------------------------------------------------------------------


def check_source(url: Optional[str], checksum: Optional[str], prefix: str = "") -> Optional[str]:
    """A warning about an address without a checksum, else None. Raises OptionError for a wrong address or checksum.

    prefix: as in `arguments` of `_install_options`.
    """
    if url:
        _check_url(f"{prefix}installer_url", url, bool(checksum))
    if checksum:
        _check_checksum(f"{prefix}installer_checksum", checksum)
    if url and not checksum:
        # The same text for modules and role, because Ansible shows equal warnings once.
        return (
            f"installer_url {url} has no checksum: hosts run any file that it serves; set ece_host_installer_checksum "
            "(option installer_checksum)"
        )
    return None


def _check_url(name: str, url: str, has_checksum: bool) -> None:
    # This comes first because the other messages repeat the address.
    if _USER_IN_URL.match(url):
        raise OptionError(f"{name} holds a user name or password: use an address without, or a copied installer")
    if not _URL.match(url):
        raise OptionError(f"{name} {url!r} is not an address: use one like https://example.com/{SCRIPT_NAME}")
    if url.startswith("http://") and not has_checksum:
        raise OptionError(f"{name} {url} is not encrypted: use https://, or give installer_checksum")


def _check_checksum(name: str, checksum: str) -> None:
    found = _CHECKSUM.match(checksum)
    if not found or len(found.group(2)) != DIGITS[found.group(1)]:
        raise OptionError(f"{name} {checksum!r} is not a checksum: use sha256: followed by 64 hexadecimal digits")


# -- the file --------------------------------------------------------------------------------------------------------


def download(url: str, ca_path: Optional[str] = None, proxy: Optional[str] = None) -> bytes:
    """The file at the address, which has some ten thousand characters. Raises HostError.

    proxy: address of an HTTP proxy. Without it, the environment decides.
    """
    # Imported here because it takes longer than the rest of a module that downloads nothing.
    from ansible.module_utils.urls import open_url

    if proxy:
        # urllib takes a proxy from nowhere else; nothing of this process is started with this environment.
        os.environ.update({"http_proxy": proxy, "https_proxy": proxy, "no_proxy": ""})
    try:
        content: bytes = open_url(url, timeout=DOWNLOAD_TIMEOUT_SECONDS, ca_path=ca_path).read(SIZE_MAX_BYTES + 1)
    except Exception as error:  # open_url raises the errors of urllib, ssl and http; each means the same here
        reason = str(getattr(error, "reason", error))
        through = ""
        if proxy:
            reason = reason.replace(proxy, "the proxy")
            through = f" through the proxy {proxy.split('//')[-1].split('@')[-1]} (installer_proxy)"
        raise HostError(f"the installer cannot be downloaded from {url}{through}: {reason}") from None
    if len(content) > SIZE_MAX_BYTES:
        raise HostError(f"{url} is larger than {SIZE_MAX_BYTES // 1024 // 1024} MB, so it is not the installer")
    return content


def script_version(text: str) -> Optional[str]:
    """The version of ECE that a script installs by default (a line near its top), or None."""
    found = _SCRIPT_VERSION.search(text)
    return found.group(1) if found else None


def script_facts(text: str) -> Dict[str, Any]:
    """What a script says of itself: its version, its support matrix, and the arguments that it knows.

    The arguments are empty where they are not recognised.
    """
    found = set(_ARGUMENT.findall(text))
    return {
        "version": script_version(text),
        "support_matrix": script_matrix(text),
        "arguments": sorted(found) if "--coordinator-host" in found else [],
    }


def checksum_problem(content: bytes, checksum: Optional[str], where: str) -> Tuple[str, Optional[str]]:
    """(the file's checksum, a sentence if it is not the given one). where: the file, for the sentence."""
    kind, expected = checksum.lower().split(":", 1) if checksum else ("sha256", None)
    found = hashlib.new(kind, content).hexdigest()
    problem = None
    if expected and found != expected:
        problem = (
            f"{where} has checksum {kind}:{found} instead of {kind}:{expected}: check the file, or correct "
            "installer_checksum."
        )
    return f"{kind}:{found}", problem


def text_problem(content: bytes, where: str) -> Optional[str]:
    """A sentence if the file is not a text that bash can read: binary, with Windows line ends, or cut off."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return f"{where} is not {SCRIPT_NAME}: it is not text."
    if content.split(b"\n", 1)[0].endswith(b"\r"):
        return f"{where} has Windows line ends (CR LF), which bash cannot read: convert it, or fetch it again."
    return _syntax_problem(content, where)


def _syntax_problem(content: bytes, where: str) -> Optional[str]:
    # A download that was cut off usually ends within a function.
    bash = shutil.which("bash")
    if not bash:
        return None
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        # This runs on the controller, too, where there is no AnsibleModule.
        checked = subprocess.run(  # pylint: disable=ansible-bad-function
            [bash, "--norc", "-n"],
            input=content,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=SYNTAX_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # the installer itself says what is wrong with it
    if checked.returncode == 0:
        return None
    error = checked.stderr.decode("utf-8", "replace").strip().splitlines()[:1]
    reason = error[0].split(": ", 1)[-1] if error else "it has a syntax error"
    return f"{where} is damaged or cut off ({reason}): fetch it again."


def version_problem(content: bytes, version: Optional[str], where: str) -> Optional[str]:
    """A sentence if the file is not the installer, or is older than the version to install by its major.minor."""
    own = script_version(content.decode("utf-8", "replace"))
    if own is None:
        return f"{where} is not {SCRIPT_NAME}: it has no line with CLOUD_ENTERPRISE_VERSION."
    if version and release(own) < release(version):
        return f"{where} installs ECE {own}, which is older than {version}: fetch the installer of {version} or later."
    return None


def file_problem(content: bytes, version: Optional[str], where: str) -> Optional[str]:
    """A sentence if the file is not an installer that can run and install this version."""
    # The version comes first: it tells another file from a damaged installer.
    return version_problem(content, version, where) or text_problem(content, where)
