# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which ansible-core runs on which Python, on the controller and on hosts.

https://docs.ansible.com/ansible/latest/reference_appendices/release_and_maintenance.html#ansible-core-support-matrix
"""

from __future__ import annotations

# (Python, ansible-core) of a controller.
CELLS = (
    ("3.11", "2.16"),
    ("3.11", "2.17"),
    ("3.11", "2.18"),
    ("3.11", "2.19"),
    ("3.12", "2.20"),
    ("3.13", "2.20"),
    ("3.14", "2.20"),
    ("3.12", "2.21"),
    ("3.13", "2.21"),
    ("3.14", "2.21"),
)
# The oldest Python of hosts.
OLDEST_ON_HOSTS = {"2.16": "3.6", "2.17": "3.7", "2.18": "3.8", "2.19": "3.8", "2.20": "3.9", "2.21": "3.9"}
# Pythons of hosts beside that: of Red Hat Enterprise Linux 9, Debian 12 and Debian 13.
ON_HOSTS = ("3.9", "3.11", "3.13")


def requirement(core: str) -> str:
    """Return a release of ansible-core as pip wants it."""
    return f"ansible-core=={core}.*"


def host_pythons(core: str) -> list[str]:
    """Return the Pythons of the hosts that join with a release of ansible-core."""
    oldest = OLDEST_ON_HOSTS.get(core, ON_HOSTS[0])
    return list(dict.fromkeys([oldest, *ON_HOSTS]))
