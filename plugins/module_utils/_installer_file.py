# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installer as a file: where it comes from, whether it is the right one. Python 3.6, as on hosts."""

import hashlib
import re

from ansible_collections.ece.platform.plugins.module_utils import _installer as installer
from ansible_collections.ece.platform.plugins.module_utils._ece import release
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError

DOWNLOAD_TIMEOUT_SECONDS = 60
SIZE_MAX_BYTES = 16 * 1024 * 1024
_USER_IN_URL = re.compile(r"^(?:[^/?#@]*//)?[^/?#]*@")
_CHECKSUM = re.compile(r"^(sha256|sha384|sha512):([0-9a-fA-F]{64,128})\Z")


def check_source(url, checksum, prefix=""):
    """A warning where the address has no checksum, else None. Raises OptionError for an address or checksum that cannot be right."""
    # First, and without a word of it: every sentence below repeats the address.
    if url and _USER_IN_URL.match(url):
        raise OptionError(
            "{0}installer_url holds a user name or password: use an address without, or a copied installer".format(
                prefix
            )
        )
    if url and not re.match(r"^https?://[^\s'\"]+\Z", url):
        raise OptionError(
            "{0}installer_url {1!r} is no address: use one like https://example.com/elastic-cloud-enterprise.sh".format(
                prefix, url
            )
        )
    if url and url.startswith("http://") and not checksum:
        raise OptionError(
            "{0}installer_url {1} is not encrypted: use https://, or give installer_checksum".format(prefix, url)
        )
    if checksum:
        found = _CHECKSUM.match(checksum)
        if not found or len(found.group(2)) != {"sha256": 64, "sha384": 96, "sha512": 128}[found.group(1)]:
            raise OptionError(
                "{0}installer_checksum {1!r} is no checksum: use sha256: followed by 64 hexadecimal digits".format(
                    prefix, checksum
                )
            )
    # The same words wherever it is said, so that Ansible says it once.
    unchecked = "installer_url {0} has no checksum: hosts run whatever it hands out; give ece_host_installer_checksum (option installer_checksum)"
    return unchecked.format(url) if url and not checksum else None


def download(url, ca_path=None):
    """The file behind the address, whole in memory: the script has some ten thousand characters."""
    from ansible.module_utils.urls import (
        open_url,  # here, because its import takes longer than all the rest of a module that downloads nothing
    )

    try:
        content = open_url(url, timeout=DOWNLOAD_TIMEOUT_SECONDS, ca_path=ca_path).read(SIZE_MAX_BYTES + 1)
    except Exception as error:  # open_url raises what urllib, ssl and http raise; each means the same here
        raise OptionError(
            "the installer cannot be downloaded from {0}: {1}".format(url, getattr(error, "reason", error))
        ) from None
    if len(content) > SIZE_MAX_BYTES:
        raise OptionError(
            "{0} is larger than {1} MB, so it is not the installer".format(url, SIZE_MAX_BYTES // 1024 // 1024)
        )
    return content


def checksum_problem(content, checksum, where):
    """(the checksum found, a sentence if it is not the one given or None)"""
    kind, expected = checksum.lower().split(":", 1) if checksum else ("sha256", None)
    found = hashlib.new(kind, content).hexdigest()
    if expected and found != expected:
        text = "{0} has checksum {1}:{2} instead of {1}:{3}: check the file, or correct installer_checksum."
        return kind + ":" + found, text.format(where, kind, found, expected)
    return kind + ":" + found, None


def text_problem(content, where):
    """A sentence if the file is no text, as which alone it can be handed to ece_install."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "{0} is not elastic-cloud-enterprise.sh: it is no text.".format(where)
    return None


def version_problem(content, version, where):
    """A sentence if the file is no installer or is older than the version to install (by major.minor, as it compares itself)."""
    text = content.decode("utf-8", "replace")
    own = installer.script_version(text)
    if own is None:
        return "{0} is not elastic-cloud-enterprise.sh: it has no line with CLOUD_ENTERPRISE_VERSION.".format(where)
    if version and release(own) < release(version):
        return "{0} installs ECE {1}, which is older than {2}: fetch the installer of {2} or later.".format(
            where, own, version
        )
    return None
