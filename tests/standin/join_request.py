# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The message of a host that joins, read and checked on its own. Part of the platform layer; pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.standin.model import ROLES, Refused

DEFAULT_CAPACITY_MB = 65536


@dataclass(frozen=True, kw_only=True)
class JoinRequest:
    """A host that asks to join. tags: the allocator's tags, as key and value."""

    token: str
    runner_id: str
    host_ip: str
    zone: str
    roles: tuple[str, ...]
    version: str
    capacity_mb: int
    tags: tuple[tuple[str, str], ...]


def wanted_roles(message: Mapping[str, str]) -> list[str]:
    """Return the roles that a host asks for, known or not."""
    return _list(message.get("roles", ""))


def parse(message: Mapping[str, str]) -> JoinRequest:
    """Return the request in a message of the join server. Raises Refused."""
    runner_id, host_ip, zone = (message.get(name, "") for name in ("runner_id", "host_ip", "zone"))
    if not runner_id or not host_ip or not zone:
        raise Refused("runner id, host ip and zone are required")
    roles = wanted_roles(message)
    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        raise Refused(f"no such role: {','.join(unknown)}")
    try:
        capacity_mb = int(message.get("capacity") or DEFAULT_CAPACITY_MB)
    except ValueError:
        raise Refused("capacity is not a number") from None
    return JoinRequest(
        token=message.get("token", ""),
        runner_id=runner_id,
        host_ip=host_ip,
        zone=zone,
        roles=tuple(roles),
        version=message.get("version", ""),
        capacity_mb=capacity_mb,
        tags=tuple(_tag(item) for item in _list(message.get("tags", ""))),
    )


def _list(text: str) -> list[str]:
    return [item for item in text.split(",") if item]


def _tag(text: str) -> tuple[str, str]:
    key, colon, value = text.partition(":")
    if not key or not colon or not value:
        raise Refused(f"{text} is not a tag of the form key:value")
    return key, value
