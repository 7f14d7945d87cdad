# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Tags, capacity and maintenance mode of an allocator: what is wanted, what differs, and the change."""

from __future__ import annotations

from typing import Any, Mapping, TypedDict
from urllib.parse import quote

from ansible_collections.ece.platform.plugins.module_utils._client import ALLOCATORS, EceClient
from ansible_collections.ece.platform.plugins.module_utils._ece import CAPACITY_MIN_MB
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._records import flat_allocator, number_of, object_of


class Wish(TypedDict):
    """What is wanted of an allocator; None leaves it as it is. names: what the user calls each option."""

    tags: dict[str, str] | None
    tags_exact: bool
    capacity: int | None
    maintenance: bool | None
    names: Mapping[str, str]


class Decision(TypedDict):
    """How an allocator is, and how it is to be: `tags`, `capacity`, `maintenance`, those that differ."""

    before: dict[str, Any]
    after: dict[str, Any]


def wish_of(options: Mapping[str, Any], names: Mapping[str, str]) -> Wish:
    """Return the wish that options state. Raises OptionError."""
    tags, capacity = options.get("tags"), options.get("capacity")
    if tags is not None and not isinstance(tags, Mapping):
        raise OptionError(f"{names['tags']} {tags!r} is not a mapping: use {{ssd: 'true'}}")
    for key, value in (tags or {}).items():
        if not key or not isinstance(value, str) or not value:
            raise OptionError(
                f"{names['tags']} has the tag {key!r} with the value {value!r}: neither of them may be empty"
            )
    if capacity is not None and (isinstance(capacity, bool) or not isinstance(capacity, int)):
        raise OptionError(f"{names['capacity']} {capacity!r} is not a whole number of MB")
    if capacity is not None and capacity < CAPACITY_MIN_MB:
        raise OptionError(f"{names['capacity']} {capacity} is too small: use {CAPACITY_MIN_MB} MB or more")
    return {
        "tags": dict(tags) if tags is not None else None,
        "tags_exact": bool(options.get("tags_exact")),
        "capacity": capacity,
        "maintenance": options.get("maintenance"),
        "names": names,
    }


def decide(record: Mapping[str, Any], wish: Wish) -> Decision:
    """Return how an allocator of a list or of its own (AllocatorInfo) differs from a wish. Raises OptionError."""
    flat, decision = flat_allocator(record), Decision(before={}, after={})
    wanted: dict[str, Any] = {"capacity": wish["capacity"], "maintenance": wish["maintenance"], "tags": None}
    if wish["tags"] is not None:
        wanted["tags"] = wish["tags"] if wish["tags_exact"] else {**flat["tags"], **wish["tags"]}
    # The setting outranks the capacity of the installation.
    capacity = number_of(object_of(record.get("settings")).get("capacity")) or flat["memory_total_mb"]
    found = {"capacity": capacity, "maintenance": flat["maintenance_mode"], "tags": flat["tags"]}
    for name, value in wanted.items():
        if value is not None and value != found[name]:
            decision["before"][name], decision["after"][name] = found[name], value
    used = flat["memory_used_mb"]
    if (
        "capacity" in decision["after"]
        and used is not None
        and wish["capacity"] is not None
        and wish["capacity"] < used
    ):
        raise OptionError(
            f"{wish['names']['capacity']} {wish['capacity']} is less than the {used:g} MB that allocator "
            f"{flat['allocator_id']} has in use: use that or more, or move deployments to other allocators first"
        )
    return decision


def ensure_present(client: EceClient, allocator_id: str, wish: Wish, check_mode: bool) -> Decision:
    """Make an allocator what is wanted, by what it is now, and return the difference. Raises PlatformError."""
    record = client.allocator(allocator_id)
    if record is None:
        raise PlatformError(f"allocator {allocator_id} is not known to the platform")
    decision = decide(record, wish)
    if not check_mode:
        _write(client, f"{ALLOCATORS}/{quote(allocator_id, safe='')}", decision)
    return decision


def _write(client: EceClient, path: str, decision: Decision) -> None:
    before, after = decision["before"], decision["after"]
    if after.get("maintenance"):
        client.request("POST", f"{path}/maintenance-mode/_start")
    if "capacity" in after:
        client.request("PUT", f"{path}/settings", body={"capacity": after["capacity"]})
    for key, value in after.get("tags", {}).items():
        if before["tags"].get(key) != value:
            client.request("PUT", f"{path}/metadata/{quote(key, safe='')}", body={"value": value})
    for key in sorted(set(before.get("tags", {})) - set(after.get("tags", {}))):
        client.request("DELETE", f"{path}/metadata/{quote(key, safe='')}")
    if after.get("maintenance") is False:
        client.request("POST", f"{path}/maintenance-mode/_stop")
