# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Facts of Elastic Cloud Enterprise that both controller and host code use.

Runs on hosts too: Python 3.6 and the standard library.
"""

from typing import Tuple

# Roles that a token can permit (EnrollmentTokenRequest.roles, API spec of ECE 3.8).
ROLES = ("allocator", "coordinator", "director", "proxy")
DEFAULT_ROLES = ("allocator",)
# Where root keeps the record of an install.
DEFAULT_STATE_PATH = "/var/lib/ece-install"
DEFAULT_STORAGE_PATH = "/mnt/data/elastic"
DEFAULT_SOCKET = "/var/run/docker.sock"
DEFAULT_ZONE = "ece-zone-1"
DEFAULT_USER = "elastic"
ENGINES = ("docker", "podman")
SCRIPT_NAME = "elastic-cloud-enterprise.sh"
RUNNER_CONTAINER = "frc-runners-runner"
INSTALLER_CONTAINER = "elastic-cloud-enterprise-installer"
# ECE's own services, and the instances of deployments, which may outlive the services.
CONTAINER_PREFIXES = ("frc-", "fac-")

# Lowest UID and GID of the install user.
# https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/ece-users-permissions, read 2026-11-27
UID_MIN = 1000
# "Before installing a host, make sure that" these are open:
# https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/ece-networking-prereq, read 2026-11-27
INSTALLER_PORTS = (20000, 21000, 22000)
# "Minimum to install": https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/ece-hardware-prereq,
# read 2026-11-27
MEMORY_MIN_MB = 8192
DISK_MIN_GB = {"allocator": 10, "coordinator": 10, "director": 10, "proxy": 15}
# Lowest value of --capacity: help text of elastic-cloud-enterprise.sh 4.0.3 (2025-10-31).
CAPACITY_MIN_MB = 8192


def release(version: str) -> Tuple[int, ...]:
    """(3, 8) of 3.8.1: the installer compares major and minor version only."""
    return tuple(int(part) for part in version.split("-")[0].split(".")[:2])
