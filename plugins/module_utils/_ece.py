# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Facts of Elastic Cloud Enterprise that both controller and host code use.

Runs on hosts too: Python 3.6 and the standard library.
"""

# Roles that a token can permit (EnrollmentTokenRequest.roles, API spec of ECE 3.8).
ROLES = ("allocator", "coordinator", "director", "proxy")
DEFAULT_ROLES = ("allocator",)
DEFAULT_STORAGE_PATH = "/mnt/data/elastic"
DEFAULT_SOCKET = "/var/run/docker.sock"
SCRIPT_NAME = "elastic-cloud-enterprise.sh"
RUNNER_CONTAINER = "frc-runners-runner"
INSTALLER_CONTAINER = "elastic-cloud-enterprise-installer"
# ECE's own services, and the instances of deployments, which may outlive the services.
CONTAINER_PREFIXES = ("frc-", "fac-")


def release(version):
    """(3, 8) of 3.8.1: the installer compares major and minor version only."""
    return tuple(int(part) for part in version.split("-")[0].split(".")[:2])
