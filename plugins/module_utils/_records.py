# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Runners, allocators and counts as the API lists them: read, flattened, filtered, summarised, and without secrets.

Pure functions over plain data. Replies of real platforms lack fields that the API specification requires, as the
recorded ones in the tests of https://github.com/elastic/cloud-sdk-go do. So every field is optional here.
"""

from __future__ import annotations

import re
from typing import Any, Iterable, Mapping, Sequence, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._text import JWT

# Names with one of these in them, or with one of these as a part, are names of secrets: of fields, variables, options.
SECRET_WORDS = (
    *("secret", "password", "passwd", "passphrase", "token", "signature", "auths", "credential"),
    *("private_key", "privatekey", "api_key", "apikey", "access_key", "accesskey", "encryption_key"),
)
SECRET_PARTS = ("pw", "pwd", "pass", "psk")
SECRET_NAMES = ("auth", "authorization", "jaas_config")
# A name before its value within a text: JAVA_OPTS=-Dzk.password=x, {"password": "x"}, --password x.
NAMED_VALUE = re.compile(r"[\w.-]+(?=[\"']?\s*[=:]\s*\S)|(?<!\S)-[\w.-]+(?=\s+[^\s-])")
# An address with a password, a private key, a token.
SECRET_FORM = re.compile(r"://[^\s/:@]*:[^\s/@]+@|-----BEGIN [A-Z ]*PRIVATE KEY-----|" + JWT.pattern)
# Deeper than any reply of the API, and well within what Ansible can serialize.
DEPTH_MAX = 50


class FlatAllocator(TypedDict):
    """An allocator as modules return it; None if the API does not give the value. Units are those of the API."""

    allocator_id: str
    zone_id: str | None
    host_ip: str | None
    public_hostname: str | None
    connected: bool
    healthy: bool
    maintenance_mode: bool
    version: str | None
    memory_total_mb: float | None
    memory_used_mb: float | None
    storage_total_mib: float | None
    instance_count: int
    tags: dict[str, str | None]


class FlatRunner(TypedDict):
    """A runner as modules return it; None if the API does not give the value."""

    runner_id: str
    zone: str | None
    host_ip: str | None
    public_hostname: str | None
    connected: bool
    healthy: bool
    roles: list[str]
    version: str | None
    tags: dict[str, str | None]
    containers: list[str]


class ZoneSummary(TypedDict):
    """Counts of allocators, and the sum of their memory in MB."""

    allocators: int
    connected: int
    maintenance_mode: int
    memory_total_mb: float
    memory_used_mb: float


class Summary(ZoneSummary):
    """The same for all zones together, and for each zone by its id."""

    zones: dict[str, ZoneSummary]


class PlatformTotals(TypedDict):
    """The platform's own counts; None if it does not give them."""

    allocators: int | None
    runners: int | None


# -- single values ---------------------------------------------------------------------------------------------------


def object_of(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def objects_of(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; empty for anything but a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, (list, tuple)) else []


def text_of(value: Any) -> str | None:
    """The value if it is text, else None."""
    return value if isinstance(value, str) else None


def number_of(value: Any) -> float | None:
    """The value if it is a usable number, else None: not a boolean, not NaN, and within the API's range (int64)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if abs(value) < 2**63 else None


def count_of(value: Any) -> int | None:
    """The value as a whole number, or None."""
    number = number_of(value)
    return None if number is None else int(number)


def connected_of(status: Mapping[str, Any]) -> bool:
    """Whether `connected` is the boolean true that the API promises: the text "false" does not count as connected."""
    return status.get("connected") is True


def version_of(item: Mapping[str, Any]) -> str | None:
    """The version of ECE that a runner or an allocator runs, or None."""
    return text_of(object_of(item.get("build_info")).get("version"))


def zone_of(runner: Mapping[str, Any] | None, allocator: Mapping[str, Any] | None) -> str | None:
    """The zone of a host, or None, by its RunnerInfo and AllocatorInfo, or these flat; None for one that it lacks.

    That of the allocator comes first: it is where instances are placed.
    """
    return text_of((allocator or {}).get("zone_id")) or text_of((runner or {}).get("zone")) or None


def runner_roles(runner: Mapping[str, Any]) -> list[str]:
    """The role names of a RunnerInfo, sorted, including system roles like beats-runner."""
    return sorted(role["role_name"] for role in objects_of(runner.get("roles")) if text_of(role.get("role_name")))


# -- flat records ----------------------------------------------------------------------------------------------------


def flat_allocator(allocator: Mapping[str, Any]) -> FlatAllocator:
    """Return an AllocatorInfo as modules return it."""
    status, capacity = object_of(allocator.get("status")), object_of(allocator.get("capacity"))
    memory = object_of(capacity.get("memory"))
    instances = allocator.get("instances")
    return {
        "allocator_id": text_of(allocator.get("allocator_id")) or "",
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


def flat_runner(runner: Mapping[str, Any]) -> FlatRunner:
    """Return a RunnerInfo as modules return it."""
    return {
        "runner_id": text_of(runner.get("runner_id")) or "",
        "zone": text_of(runner.get("zone")),
        "host_ip": text_of(runner.get("host_ip")),
        "public_hostname": text_of(runner.get("public_hostname")),
        "connected": connected_of(runner),
        "healthy": bool(runner.get("healthy")),
        "roles": runner_roles(runner),
        "version": version_of(runner),
        "tags": {key: text_of(value) for key, value in object_of(runner.get("tags")).items()},
        "containers": sorted(
            f"frc-{item.get('container_set_name')}-{item.get('container_name')}"
            for item in objects_of(runner.get("containers"))
        ),
    }


def filter_allocators(
    allocators: Iterable[FlatAllocator],
    *,
    allocator_ids: Sequence[str] | None = None,
    zones: Sequence[str] | None = None,
    tags: Mapping[str, str] | None = None,
    connected: bool | None = None,
    maintenance_mode: bool | None = None,
) -> list[FlatAllocator]:
    """Return the allocators that match every given filter, sorted by id. A filter that is None matches all."""
    ids = set(allocator_ids) if allocator_ids is not None else None
    return sorted(
        (
            allocator
            for allocator in allocators
            if (ids is None or allocator["allocator_id"] in ids)
            and (zones is None or allocator["zone_id"] in zones)
            and (tags is None or all(allocator["tags"].get(key) == value for key, value in tags.items()))
            and (connected is None or allocator["connected"] == connected)
            and (maintenance_mode is None or allocator["maintenance_mode"] == maintenance_mode)
        ),
        key=lambda allocator: allocator["allocator_id"],
    )


def filter_runners(
    runners: Iterable[FlatRunner],
    *,
    runner_ids: Sequence[str] | None = None,
    zones: Sequence[str] | None = None,
    roles: Sequence[str] | None = None,
    connected: bool | None = None,
) -> list[FlatRunner]:
    """Return the runners that match every given filter, sorted by id. A filter that is None matches all."""
    return sorted(
        (
            runner
            for runner in runners
            if (runner_ids is None or runner["runner_id"] in runner_ids)
            and (zones is None or runner["zone"] in zones)
            and (roles is None or set(roles) <= set(runner["roles"]))
            and (connected is None or runner["connected"] == connected)
        ),
        key=lambda runner: runner["runner_id"],
    )


# -- counts ----------------------------------------------------------------------------------------------------------


def summarise(allocators: Iterable[FlatAllocator]) -> Summary:
    """Return counts and memory of allocators, in all and by zone. Unknown memory counts as 0, an unknown zone is ""."""
    total = _empty_summary()
    zones: dict[str, ZoneSummary] = {}
    for allocator in allocators:
        for part in (total, zones.setdefault(allocator["zone_id"] or "", _empty_summary())):
            part["allocators"] += 1
            part["connected"] += allocator["connected"]
            part["maintenance_mode"] += allocator["maintenance_mode"]
            part["memory_total_mb"] += allocator["memory_total_mb"] or 0
            part["memory_used_mb"] += allocator["memory_used_mb"] or 0
    return {**total, "zones": {zone: zones[zone] for zone in sorted(zones)}}


def _empty_summary() -> ZoneSummary:
    return {"allocators": 0, "connected": 0, "maintenance_mode": 0, "memory_total_mb": 0, "memory_used_mb": 0}


def platform_totals(platform: Mapping[str, Any]) -> PlatformTotals:
    """Return the numbers of allocators and runners by GET /platform, which counts without the search index."""
    allocators = runners = None
    for region in objects_of(platform.get("regions")):
        zones = object_of(region.get("allocators")).get("zone_summaries")
        if isinstance(zones, list):
            in_zones = sum(count_of(zone.get("total_allocators")) or 0 for zone in objects_of(zones))
            allocators = (allocators or 0) + in_zones
        in_region = count_of(object_of(region.get("runners")).get("total_runners"))
        if in_region is not None:
            runners = (runners or 0) + in_region
    return {"allocators": allocators, "runners": runners}


def count_warning(kind: str, listed: int, total: int | None) -> str | None:
    """Return a warning if the list of runners or allocators (`kind`) disagrees with the platform's own count."""
    if total is None or listed == total:
        return None
    return (
        f"the list of {kind} has {listed} entries but GET /platform counts {total}; "
        "the list is an index that may lag behind. "
        f"If this stays, resync it (POST /platform/infrastructure/{kind}/_resync)."
    )


# -- secrets ---------------------------------------------------------------------------------------------------------


def without_secrets(value: Any, depth: int = DEPTH_MAX) -> Any:
    """Return the value without the entries that hold a secret, as far as their names or their form show it.

    Proxy settings, role options and the license hold secrets, and a role's options are free text for the greater part.
    What is nested deeper than `depth` becomes None.
    """
    if isinstance(value, (Mapping, list, tuple)) and not depth:
        return None
    if isinstance(value, Mapping):
        hidden = _hidden_by_sibling(value)
        return {
            key: without_secrets(item, depth - 1)
            for key, item in value.items()
            if key not in hidden and not _is_secret_name(key) and not _has_secret(item)
        }
    if isinstance(value, (list, tuple)):
        return [
            without_secrets(item, depth - 1)
            for item, before in zip(value, (None, *value))
            if not _has_secret(item) and not _is_secret_option(before)
        ]
    return value


def _is_secret_name(name: Any) -> bool:
    """Return whether this is what the name of a secret looks like: cookie_secret, KEYSTORE_PASSWORD, -Dzk.pw."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", str(name)).lower()
    text = re.sub(r"[^a-z0-9]+", "_", parted).strip("_")
    return (
        text in SECRET_NAMES
        or any(word in text for word in SECRET_WORDS)
        or any(part in text.split("_") for part in SECRET_PARTS)
    )


def _is_secret_option(item: Any) -> bool:
    """Return whether the next item of a list is a secret: --password in a list of arguments."""
    return isinstance(item, str) and item.startswith("-") and "=" not in item and _is_secret_name(item)


def _hidden_by_sibling(value: Mapping[str, Any]) -> set[str]:
    """Return the keys of an object whose other members say that they hold a secret."""
    hidden: set[str] = set()
    if any(_is_secret_name(value[key]) for key in ("key", "name") if isinstance(value.get(key), str)):
        hidden.update(("value", "values", "default"))
    if str(value.get("scheme")).lower() in ("digest", "auth"):  # an entry of a ZooKeeper ACL: id is user:hash
        hidden.add("id")
    return hidden


def _has_secret(item: Any) -> bool:
    """Return whether a text has a secret in it: NAME=value, name: value, --name value, an address with a password."""
    if not isinstance(item, str):
        return False
    return any(_is_secret_name(name) for name in NAMED_VALUE.findall(item)) or bool(SECRET_FORM.search(item))
