# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The options of ece_host_info, declared once. Those that ece_install has too are the same.

Runs on hosts too: Python 3.6 and the standard library.
"""

from ansible_collections.ece.platform.plugins.module_utils._ece import (
    DEFAULT_ROLES,
    DEFAULT_SOCKET,
    DEFAULT_STORAGE_PATH,
    ROLES,
)
from ansible_collections.ece.platform.plugins.module_utils._host_rules import CHECKS
from ansible_collections.ece.platform.plugins.module_utils._install_options import INSTALL_OPTIONS, Option

# The installer's default: help text of elastic-cloud-enterprise.sh 4.0.3 (2025-10-31).
DEFAULT_REGISTRY = "docker.elastic.co"
_INSTALL = {option.name: option for option in INSTALL_OPTIONS}
# As `installer` in the result of ece_host_info.
INSTALLER_FACTS_SPEC = {
    "version": {"type": "str"},
    "support_matrix": {"type": "dict"},
    "arguments": {"type": "list", "elements": "str"},
}
_ROLES_SPEC = {"type": "list", "elements": "str", "choices": list(ROLES), "default": list(DEFAULT_ROLES)}
_SKIP_SPEC = {"type": "list", "elements": "str", "choices": ["all", *CHECKS], "default": []}

HOST_INFO_OPTIONS = (
    _INSTALL["user"],
    _INSTALL["roles"]._replace(spec=_ROLES_SPEC),
    _INSTALL["version"],
    _INSTALL["container_engine"],
    _INSTALL["bin_paths"],
    _INSTALL["docker_socket"]._replace(spec={"type": "path", "default": DEFAULT_SOCKET}),
    _INSTALL["storage_path"]._replace(spec={"type": "path", "default": DEFAULT_STORAGE_PATH}),
    _INSTALL["state_path"],
    _INSTALL["host_ip"],
    Option("addresses", {"type": "list", "elements": "str", "default": []}),
    # The run gives the coordinator of the plan.
    _INSTALL["coordinator_host"]._replace(spec={"type": "str"}, variable=None),
    Option("directors", {"type": "list", "elements": "str", "default": []}),
    _INSTALL["docker_registry"]._replace(spec={"type": "str", "default": DEFAULT_REGISTRY}),
    Option("controller_time", {"type": "float"}),
    _INSTALL["capacity"],
    _INSTALL["force"],
    _INSTALL["selinux"],
    Option("skip_checks", _SKIP_SPEC, variable="ece_host_skip_checks"),
    _INSTALL["installer_path"],
    _INSTALL["installer_url"],
    _INSTALL["installer_checksum"],
    _INSTALL["installer_ca_path"],
    _INSTALL["installer_proxy"],
    Option("installer_facts", {"type": "dict", "options": INSTALLER_FACTS_SPEC}),
)
# Option of ece_host_info -> variable of the role that it comes from.
HOST_INFO_VARIABLES = {option.name: option.variable for option in HOST_INFO_OPTIONS if option.variable}
