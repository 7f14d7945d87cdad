# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The support matrix: operating systems and container engines that the installer accepts.

Runs on hosts too: Python 3.6 and the standard library.
"""

from typing import Dict, Optional, Tuple

from ansible_collections.ece.platform.plugins.module_utils._ece import release

# Operating system -> container engine -> accepted versions.
Row = Dict[str, Dict[str, Tuple[str, ...]]]

# Enforced by elastic-cloud-enterprise.sh 4.0.3 (2025-10-31), by release of ECE; a release without an entry uses the
# nearest lower one. Docker is compared by major.minor, Podman by major version.
# The vendor's page: https://www.elastic.co/support/matrix#elastic-cloud-enterprise
MATRIX: Dict[Tuple[int, int], Row] = {
    (4, 0): {
        "RHEL-8": {"podman": ("4",)},
        "RHEL-9": {"podman": ("4", "5")},
        "RockyLinux-8": {"podman": ("4",)},
        "RockyLinux-9": {"podman": ("5",)},
        "Ubuntu-20.04": {"docker": ("25.0", "26.0", "27.0")},
        "Ubuntu-22.04": {"docker": ("25.0", "26.0", "27.0")},
        "Ubuntu-24.04": {"docker": ("26.0", "27.0")},
        "SLES-12": {"docker": ("25.0",)},
        "SLES-15": {"docker": ("25.0",)},
    },
    (3, 8): {
        "RHEL-8": {"podman": ("4",)},
        "RHEL-9": {"podman": ("4", "5")},
        "RockyLinux-8": {"podman": ("4",)},
        "RockyLinux-9": {"podman": ("5",)},
        "Ubuntu-20.04": {"docker": ("20.10", "24.0", "25.0")},
        "Ubuntu-22.04": {"docker": ("24.0", "25.0")},
        "SLES-12": {"docker": ("24.0", "25.0")},
        "SLES-15": {"docker": ("24.0", "25.0")},
    },
    (3, 7): {
        "RHEL-8": {"podman": ("4",)},
        "RHEL-9": {"podman": ("4",)},
        "RockyLinux-8": {"podman": ("4",)},
        "Ubuntu-20.04": {"docker": ("20.10", "24.0")},
        "Ubuntu-22.04": {"docker": ("24.0",)},
        "SLES-12": {"docker": ("18.09", "24.0")},
        "SLES-15": {"docker": ("20.10", "24.0")},
    },
    (3, 4): {
        "CentOS-7": {"docker": ("20.10",)},
        "CentOS-8": {"docker": ("20.10",)},
        "RHEL-7": {"docker": ("20.10",)},
        "RHEL-8": {"docker": ("20.10",), "podman": ("4",)},
        "Ubuntu-18.04": {"docker": ("19.03",)},
        "Ubuntu-20.04": {"docker": ("20.10",)},
        "SLES-12": {"docker": ("18.09",)},
        "SLES-15": {"docker": ("20.10",)},
    },
    (3, 3): {
        "CentOS-7": {"docker": ("20.10",)},
        "CentOS-8": {"docker": ("19.03", "20.10")},
        "RHEL-7": {"docker": ("20.10",)},
        "RHEL-8": {"docker": ("19.03", "20.10"), "podman": ("4",)},
        "Ubuntu-18.04": {"docker": ("19.03",)},
        "Ubuntu-20.04": {"docker": ("20.10",)},
        "SLES-12": {"docker": ("18.09",)},
        "SLES-15": {"docker": ("20.10",)},
    },
    (2, 13): {
        "CentOS-7": {"docker": ("20.10",)},
        "CentOS-8": {"docker": ("19.03", "20.10")},
        "RHEL-7": {"docker": ("20.10",)},
        "RHEL-8": {"docker": ("19.03", "20.10")},
        "Ubuntu-16.04": {"docker": ("19.03",)},
        "Ubuntu-18.04": {"docker": ("19.03",)},
        "SLES-12": {"docker": ("18.09",)},
    },
}


def accepted(version: str) -> Optional[Row]:
    """The row of the matrix for a version of ECE; None for one that is older than the matrix."""
    lower = [key for key in MATRIX if key <= release(version)]
    return MATRIX[max(lower)] if lower else None
