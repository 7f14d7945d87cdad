# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts, variables and systems for tests of the preparation of hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROLE = Path(__file__).resolve().parents[2] / "roles" / "ece_host_preparation"
SYSTEMS: dict[str, Any] = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())["__ece_host_preparation_systems"]
UBUNTU, RHEL, SLES = SYSTEMS["Ubuntu-22.04"], SYSTEMS["RHEL-9"], SYSTEMS["SLES-15"]
USER = {"name": "elastic", "uid": 1000, "gid": 1000, "home": "/home/elastic", "groups": ["elastic", "docker"]}


def options(**given: Any) -> dict[str, Any]:
    """Return the defaults of all variables, of which templates are replaced, with these variables on top."""
    spec = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["prepare"]["options"]
    found = {name: option["default"] for name, option in spec.items() if "default" in option}
    found.update(
        ece_host_preparation_mount_path="/mnt/data",
        ece_host_preparation_engine_path="/mnt/data/docker",
        ece_host_preparation_docker_repository_key_url="https://download.docker.com/linux/ubuntu/gpg",
    )
    return {**found, **given}


def facts(part: str, read: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Return the facts of a bare host, and what a part has read."""
    found: dict[str, Any] = {
        "os": {"id": "ubuntu", "version": "22.04", "matrix_name": "Ubuntu-22.04"},
        "user": None,
        "memory": {"total_mb": 65536, "available_mb": 60000, "swap_mb": 0},
        "units": {},
        "ece_containers": [],
        "installer_running": False,
        "firewalld_active": False,
        "temporary_ece_ports": False,
        "selinux": {"mode": "disabled", "missing_commands": [], "missing_folders": [], "sudo": None},
    }
    return {**found, **given, "preparation": {part: read}}
