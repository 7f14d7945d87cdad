# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The shapes of what hosts report to the controller.

Code on hosts runs with Python 3.6, which has no TypedDict. Tests compare these shapes with what that code returns. A
host decides what it sends, so every field may be missing.
"""

from __future__ import annotations

from typing import Any, Mapping, TypedDict


class LastInstall(TypedDict, total=False):
    """The end of the last installation, by its record. Times are seconds, `started` since 1970."""

    # Exit code, or None while it runs.
    rc: int | None
    started: float
    age_seconds: float | None
    running: bool


class HostFacts(TypedDict, total=False):
    """`facts` of ece_host_info, whose documentation describes each field."""

    os: dict[str, str]
    kernel: str
    hostname: str
    python: dict[str, str]
    user: dict[str, Any] | None
    effective_uid: int
    engine: dict[str, Any]
    socket: dict[str, Any]
    containers: list[str]
    containers_known: bool
    ece_containers: list[str]
    installer_running: bool
    last_install: LastInstall | None
    busy_ports: list[int]
    port_users: list[str]
    memory: dict[str, int]
    storage: dict[str, Any]
    default_interface: str | None
    firewalld_active: bool
    selinux_enforcing: bool
    cgroup_version: int
    max_map_count: int


class InstallRecord(TypedDict, total=False):
    """The record of an installation on a host, with the state of its lock. Times are seconds since 1970."""

    # Held while the installer is supervised: running, over, or absent.
    lock: str
    # The host's clock when it reported.
    now: float
    started: float
    timeout: int
    roles: list[str]
    # Set when the installer has ended.
    finished: float
    seconds: float
    rc: int
    timed_out: bool
    output: list[str]
    bootstrap_log: list[str]


def facts_of(result: Mapping[str, Any]) -> HostFacts:
    """Return the facts in the result of ece_host_info or of the check. A host that was not asked has none."""
    facts: HostFacts = result.get("facts") or HostFacts()
    return facts
