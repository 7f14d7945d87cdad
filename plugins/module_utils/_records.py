# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Runners, allocators and totals as the API lists them: read, flattened, filtered, summarised.

Pure functions over plain data. Replies of real platforms lack fields that the spec requires, so every field is optional here.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence


def object_of(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def objects_of(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, (list, tuple)) else []


def text_of(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def connected_of(status: Mapping[str, Any]) -> bool:
    """Only the boolean that the API promises: the text "false" is no connection."""
    return status.get("connected") is True


def number_of(value: Any) -> int | float | None:
    """A number that can be counted with: neither a boolean nor NaN nor beyond what the API has (int64)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if abs(value) < 2**63 else None


def flat_allocator(allocator: Mapping[str, Any]) -> dict:
    """One AllocatorInfo as modules return it. Memory is in MB, storage in MiB, as the API has them; None where it is silent."""
    status, capacity = object_of(allocator.get("status")), object_of(allocator.get("capacity"))
    memory = object_of(capacity.get("memory"))
    instances = allocator.get("instances")
    return {
        "allocator_id": allocator.get("allocator_id"),
        "zone_id": text_of(allocator.get("zone_id")),
        "host_ip": text_of(allocator.get("host_ip")),
        "public_hostname": text_of(allocator.get("public_hostname")),
        "connected": connected_of(status),
        "healthy": bool(status.get("healthy")),
        "maintenance_mode": bool(status.get("maintenance_mode")),
        "version": version_of(allocator),
        "memory_total_mb": number_of(memory.get("total")),
        "memory_used_mb": number_of(memory.get("used")),
        "storage_total_mib": number_of(object_of(capacity.get("storage")).get("total")),
        "instance_count": len(instances) if isinstance(instances, list) else 0,
        "tags": {
            item["key"]: text_of(item.get("value"))
            for item in objects_of(allocator.get("metadata"))
            if text_of(item.get("key"))
        },
    }


def flat_runner(runner: Mapping[str, Any]) -> dict:
    """One RunnerInfo as modules return it."""
    return {
        "runner_id": runner.get("runner_id"),
        "zone": text_of(runner.get("zone")),
        "host_ip": text_of(runner.get("host_ip")),
        "public_hostname": text_of(runner.get("public_hostname")),
        "connected": connected_of(runner),
        "healthy": bool(runner.get("healthy")),
        "roles": runner_roles(runner),
        "version": version_of(runner),
        "tags": {key: text_of(value) for key, value in object_of(runner.get("tags")).items()},
        "containers": sorted(
            "frc-{0}-{1}".format(item.get("container_set_name"), item.get("container_name"))
            for item in objects_of(runner.get("containers"))
        ),
    }


def runner_roles(runner: Mapping[str, Any]) -> list[str]:
    """Role names of a RunnerInfo, system roles like beats-runner included."""
    return sorted(role["role_name"] for role in objects_of(runner.get("roles")) if text_of(role.get("role_name")))


def version_of(item: Mapping[str, Any]) -> str | None:
    return text_of(object_of(item.get("build_info")).get("version"))


def filter_allocators(
    allocators: Iterable[Mapping[str, Any]],
    *,
    allocator_ids: Sequence[str] | None = None,
    zones: Sequence[str] | None = None,
    tags: Mapping[str, str] | None = None,
    connected: bool | None = None,
    maintenance_mode: bool | None = None,
) -> list[dict]:
    """The flat allocators that meet every filter given, sorted by id. An absent filter (None) lets all through."""
    ids = set(allocator_ids) if allocator_ids is not None else None
    return sorted(
        (
            dict(allocator)
            for allocator in allocators
            if (ids is None or allocator["allocator_id"] in ids)
            and (zones is None or allocator["zone_id"] in zones)
            and (tags is None or all(allocator["tags"].get(key) == value for key, value in tags.items()))
            and (connected is None or allocator["connected"] == connected)
            and (maintenance_mode is None or allocator["maintenance_mode"] == maintenance_mode)
        ),
        key=lambda allocator: allocator["allocator_id"],
    )


def summarise(allocators: Iterable[Mapping[str, Any]]) -> dict:
    """Counts and memory (MB) over flat allocators, in all and by zone."""
    total = _empty_summary()
    zones: dict[str, dict] = {}
    for allocator in allocators:
        for part in (total, zones.setdefault(allocator["zone_id"] or "", _empty_summary())):
            part["allocators"] += 1
            part["connected"] += allocator["connected"]
            part["maintenance_mode"] += allocator["maintenance_mode"]
            part["memory_total_mb"] += allocator["memory_total_mb"] or 0
            part["memory_used_mb"] += allocator["memory_used_mb"] or 0
    return {**total, "zones": {zone: zones[zone] for zone in sorted(zones)}}


def _empty_summary() -> dict:
    return {"allocators": 0, "connected": 0, "maintenance_mode": 0, "memory_total_mb": 0, "memory_used_mb": 0}


def platform_totals(platform: Mapping[str, Any]) -> dict:
    """Numbers of allocators and runners by GET /platform, which counts without the search index. None where it is silent."""
    allocators = runners = None
    for region in objects_of(platform.get("regions")):
        zones = object_of(region.get("allocators")).get("zone_summaries")
        if isinstance(zones, list):
            allocators = (allocators or 0) + sum(
                number_of(zone.get("total_allocators")) or 0 for zone in objects_of(zones)
            )
        total_runners = number_of(object_of(region.get("runners")).get("total_runners"))
        if total_runners is not None:
            runners = (runners or 0) + total_runners
    return {"allocators": allocators, "runners": runners}


def count_warning(kind: str, listed: int, total: int | None) -> str | None:
    """A sentence where a list and the platform's own count disagree."""
    if total is None or listed == total:
        return None
    return (
        f"the list of {kind} has {listed} entries but GET /platform counts {total}; the list is an index that may lag behind. "
        f"If this stays, resync it (POST /platform/infrastructure/{kind}/_resync)."
    )


SECRET_WORDS = ("secret", "password", "token", "signature", "auths", "private_key", "api_key", "credential")


# Deeper than anything of the API, and well within what Ansible can hand on.
DEPTH_MAX = 50


def without_secrets(value: Any, depth: int = DEPTH_MAX) -> Any:
    """The value without any entry whose key speaks of a secret (proxy settings, role options, license), as key or as NAME=value in a list."""
    if isinstance(value, (Mapping, list, tuple)) and not depth:
        return None
    if isinstance(value, Mapping):
        return {key: without_secrets(item, depth - 1) for key, item in value.items() if not _is_secret(key)}
    if isinstance(value, (list, tuple)):
        return [
            without_secrets(item, depth - 1)
            for item in value
            if not (isinstance(item, str) and "=" in item and _is_secret(item.split("=", 1)[0]))
        ]
    return value


def _is_secret(name: Any) -> bool:
    return any(word in str(name).lower() for word in SECRET_WORDS)
