# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The shapes of what hosts report to the controller.

Code on hosts runs with Python 3.6, which has no TypedDict. Tests compare these shapes with what that code returns. A
host decides what it sends, so every field may be missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, TypedDict

from ansible_collections.ece.platform.plugins.module_utils import _install_files as install_files

# The program that prints a host's record there; see its main() for the arguments.
FOLLOW_SOURCE = Path(install_files.__file__).read_text(encoding="utf-8")


class LastInstall(TypedDict, total=False):
    """The end of the last installation, by its record. Times are seconds, `started` since 1970."""

    # Exit code, or None while it runs.
    rc: int | None
    started: float
    age_seconds: float | None
    running: bool
    # Of the persistent token that the installer was started with.
    token_id: str | None


class HostFacts(TypedDict, total=False):
    """`facts` of ece_host_info, whose documentation describes each field."""

    os: dict[str, str]
    kernel: str
    architecture: str
    boot_arguments_missing: list[str]
    memory_controller: bool
    sysctls: dict[str, int | None]
    units: dict[str, dict[str, str]]
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
    runner_ids: list[str]
    addresses: list[str]
    host_ip: str | None
    default_routes: list[dict[str, Any]]
    connections: list[dict[str, Any]]
    busy_ports: list[int]
    port_users: list[str]
    busy_ece_ports: list[int]
    temporary_ece_ports: int
    memory: dict[str, int]
    storage: dict[str, Any]
    default_interface: str | None
    firewalld_active: bool
    selinux_enforcing: bool
    selinux: dict[str, Any]
    network_backend: str | None
    cni_plugins: bool
    container_limits: dict[str, int | None]
    engine_proxy: bool
    clock_offset_seconds: float | None
    cgroup_version: int
    max_map_count: int


class InstallRecord(TypedDict, total=False):
    """The checked record of an installation on a host. `_install_record` explains each field."""

    lock: str
    folder: str
    now: float
    damaged: bool
    started: float
    timeout: int
    roles: list[str]
    token_id: str
    in_session: bool
    supervisor: str
    installer: str
    rebooted: bool
    finished: float
    seconds: float
    rc: int
    timed_out: bool
    stopped_by: int
    supervisor_error: str
    output: list[str]
    bootstrap_log: list[str]
    errors: list[str]
    warnings: list[str]
    logs: list[str]


def facts_of(result: Mapping[str, Any]) -> HostFacts:
    """Return the facts in the result of ece_host_info or of the check. A host that was not asked has none."""
    facts: HostFacts = result.get("facts") or HostFacts()
    return facts
