# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The report on a fleet: the platform's lists and counts, and how hosts joined, as one mapping. No clock and no I/O.

Every text comes from the platform or from a host, so each is on one line here, and masked where it looks like a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._ece import ROLES
from ansible_collections.ece.platform.plugins.module_utils._records import (
    FlatAllocator,
    FlatRunner,
    count_of,
    count_warning,
    flat_allocator,
    flat_runner,
    number_of,
    object_of,
    objects_of,
    platform_totals,
    text_of,
    without_secrets,
    zone_of,
)
from ansible_collections.ece.platform.plugins.module_utils._states import JOINED
from ansible_collections.ece.platform.plugins.module_utils._text import MASK, first_names, one_line

# Raised when a field of the report changes its meaning or goes.
FORMAT = 1
# No name is that long; a text that is would fill the page.
TEXT_LENGTH_MAX = 300


class FleetHost(TypedDict):
    """A host of the platform: a runner, and its allocator where it is one. None where the platform does not say."""

    host: str
    zone: str | None
    host_ip: str | None
    public_hostname: str | None
    # Whether all that the lists have of it, runner and allocator, is connected.
    connected: bool
    maintenance_mode: bool
    version: str | None
    roles: list[str]
    # Which lists have it.
    is_runner: bool
    is_allocator: bool
    instances: int
    memory_total_mb: float | None
    memory_used_mb: float | None
    memory_free_mb: float | None
    tags: dict[str, str]


class Capacity(TypedDict):
    """Counts of hosts, and memory of allocators in MB."""

    hosts: int
    disconnected: int
    maintenance_mode: int
    allocators: int
    instances: int
    # Allocators whose memory the platform does not give. They add nothing to the sums.
    memory_unknown: int
    memory_total_mb: float
    memory_used_mb: float
    memory_free_mb: float
    # What is free on allocators that are connected and not in maintenance mode.
    memory_usable_mb: float


class Zone(Capacity):
    """The same for one availability zone. An unknown zone is None."""

    zone: str | None
    # How many allocators the platform counts there, or None.
    allocators_counted: int | None


class JoinedHost(TypedDict):
    """How a host joined in this run. Times are seconds since 1970 by the controller's clock, None where not known."""

    host: str
    zone: str | None
    verdict: str
    joined: bool
    started_at: float | None
    ended_at: float | None
    connected_at: float | None
    install_seconds: float | None
    connect_seconds: float | None
    note: str


class Report(TypedDict):
    """The whole report; the JSON file is this."""

    format: int
    # Seconds since 1970.
    made_at: int
    url: str
    version: str | None
    # What the platform counts, and how many entries its lists have.
    counted: dict[str, int | None]
    listed: dict[str, int]
    warnings: list[str]
    total: Capacity
    zones: list[Zone]
    # Number of hosts by version and by role.
    versions: list[dict[str, Any]]
    roles: list[dict[str, Any]]
    # Names of hosts.
    disconnected: list[str]
    maintenance_mode: list[str]
    hosts: list[FleetHost]
    # Empty where no host joined in this run.
    join: list[JoinedHost]


def report_of(
    platform: Mapping[str, Any],
    runners: Iterable[Mapping[str, Any]],
    allocators: Iterable[Mapping[str, Any]],
    *,
    url: str,
    made_at: float,
    warnings: Sequence[str] = (),
    rows: Mapping[str, Mapping[str, Any]] | None = None,
    times: Mapping[str, Mapping[str, Any]] | None = None,
) -> Report:
    """Return the report.

    platform, runners, allocators: as the API sends them (GET /platform, and the lists of its infrastructure).
    rows: HostRow by host of the join that makes the report. times: `started_at`, `ended_at`, `connected_at` by host.
    """
    runner_list, allocator_list = [flat_runner(item) for item in runners], [flat_allocator(item) for item in allocators]
    hosts = _hosts(runner_list, allocator_list)
    counted = platform_totals(platform)
    listed = {"allocators": len(allocator_list), "runners": len(runner_list)}
    doubts = (
        count_warning("runners", listed["runners"], counted["runners"]),
        count_warning("allocators", listed["allocators"], counted["allocators"]),
    )
    return {
        "format": FORMAT,
        "made_at": int(made_at),
        "url": shown(url) or "",
        "version": shown(text_of(platform.get("version"))),
        "counted": {"allocators": counted["allocators"], "runners": counted["runners"]},
        "listed": listed,
        "warnings": [shown(warning) or "" for warning in (*filter(None, doubts), *warnings)],
        "total": capacity_of(hosts),
        "zones": _zones(hosts, _counted_by_zone(platform)),
        "versions": _versions(hosts),
        "roles": _roles(hosts),
        "disconnected": [host["host"] for host in hosts if not host["connected"]],
        "maintenance_mode": [host["host"] for host in hosts if host["maintenance_mode"]],
        "hosts": hosts,
        "join": _join(rows or {}, times or {}),
    }


def shown(text: Any) -> str | None:
    """Return a text of the platform as the report shows it: on one line, not too long, and masked if it is a secret."""
    if not isinstance(text, str):
        return None
    line = one_line(text)
    # Before and after: a control character may hide the form of a secret, or be a part of it.
    if not without_secrets([text]) or not without_secrets([line]):
        return MASK
    return line if len(line) <= TEXT_LENGTH_MAX else line[:TEXT_LENGTH_MAX] + "..."


def _name(text: Any) -> str:
    return shown(text) or ""


# -- hosts -----------------------------------------------------------------------------------------------------------


def _hosts(runners: Iterable[FlatRunner], allocators: Iterable[FlatAllocator]) -> list[FleetHost]:
    """Return the hosts by zone and name. Runner and allocator of a host have the same id."""
    by_runner = {runner["runner_id"]: runner for runner in runners}
    by_allocator = {allocator["allocator_id"]: allocator for allocator in allocators}
    hosts = [_host(name, by_runner.get(name), by_allocator.get(name)) for name in {**by_runner, **by_allocator}]
    return sorted(hosts, key=lambda host: (host["zone"] or "", host["host"]))


def _host(name: str, runner: FlatRunner | None, allocator: FlatAllocator | None) -> FleetHost:
    parts = [part for part in (runner, allocator) if part is not None]
    total, used = (allocator["memory_total_mb"], allocator["memory_used_mb"]) if allocator else (None, None)
    tags = {key: value for part in parts for key, value in without_secrets(part["tags"]).items()}
    return {
        "host": _name(name),
        "zone": shown(zone_of(runner, allocator)) or None,
        "host_ip": shown(_first(parts, "host_ip")),
        "public_hostname": shown(_first(parts, "public_hostname")),
        "connected": all(part["connected"] for part in parts),
        "maintenance_mode": bool(allocator and allocator["maintenance_mode"]),
        "version": shown(_first(parts, "version")),
        "roles": [_name(role) for role in runner["roles"]] if runner else [],
        "is_runner": runner is not None,
        "is_allocator": allocator is not None,
        "instances": allocator["instance_count"] if allocator else 0,
        "memory_total_mb": total,
        "memory_used_mb": used,
        "memory_free_mb": None if total is None or used is None else max(0, total - used),
        "tags": {_name(key): _name(value) for key, value in sorted(tags.items(), key=lambda tag: str(tag[0]))},
    }


def _first(parts: Iterable[Mapping[str, Any]], field: str) -> Any:
    return next((part[field] for part in parts if part[field]), None)


# -- sums ------------------------------------------------------------------------------------------------------------


def capacity_of(hosts: Sequence[FleetHost]) -> Capacity:
    """Return counts and memory of hosts. Memory that the platform does not give adds nothing."""
    allocators = [host for host in hosts if host["is_allocator"]]
    known = [host for host in allocators if host["memory_free_mb"] is not None]
    return {
        "hosts": len(hosts),
        "disconnected": sum(not host["connected"] for host in hosts),
        "maintenance_mode": sum(host["maintenance_mode"] for host in hosts),
        "allocators": len(allocators),
        "instances": sum(host["instances"] for host in allocators),
        "memory_unknown": len(allocators) - len(known),
        "memory_total_mb": sum(host["memory_total_mb"] or 0 for host in known),
        "memory_used_mb": sum(host["memory_used_mb"] or 0 for host in known),
        "memory_free_mb": sum(host["memory_free_mb"] or 0 for host in known),
        "memory_usable_mb": sum(
            host["memory_free_mb"] or 0 for host in known if host["connected"] and not host["maintenance_mode"]
        ),
    }


def _counted_by_zone(platform: Mapping[str, Any]) -> dict[str, int | None]:
    """Return the number of allocators of each zone by GET /platform (AllocatorZoneSummary)."""
    return {
        _name(zone["zone_id"]): count_of(zone.get("total_allocators"))
        for region in objects_of(platform.get("regions"))
        for zone in objects_of(object_of(region.get("allocators")).get("zone_summaries"))
        if text_of(zone.get("zone_id"))
    }


def _zones(hosts: Sequence[FleetHost], counted: Mapping[str, int | None]) -> list[Zone]:
    by_zone: dict[str, list[FleetHost]] = {zone: [] for zone in counted}
    for host in hosts:
        by_zone.setdefault(host["zone"] or "", []).append(host)
    return [
        {"zone": zone or None, "allocators_counted": counted.get(zone), **capacity_of(members)}
        for zone, members in sorted(by_zone.items())
    ]


def _versions(hosts: Iterable[FleetHost]) -> list[dict[str, Any]]:
    counts: dict[str, int] = {}
    for host in hosts:
        counts[host["version"] or ""] = counts.get(host["version"] or "", 0) + 1
    return [
        {"version": version or None, "hosts": count}
        for version, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def _roles(hosts: Iterable[FleetHost]) -> list[dict[str, Any]]:
    """Return the number of hosts of each role: those that a host can be given, then the platform's own."""
    having: dict[str, list[FleetHost]] = {role: [] for role in ROLES}
    for host in hosts:
        for role in host["roles"]:
            having.setdefault(role, []).append(host)
    return [
        {"role": role, "hosts": len(members), "disconnected": sum(not host["connected"] for host in members)}
        for role, members in sorted(having.items(), key=lambda item: (item[0] not in ROLES, item[0]))
    ]


# -- the join --------------------------------------------------------------------------------------------------------


def _join(rows: Mapping[str, Mapping[str, Any]], times: Mapping[str, Mapping[str, Any]]) -> list[JoinedHost]:
    """Return how hosts joined, in the order in which their installers started, then by name."""
    found = [_joined_host(name, row, object_of(times.get(name))) for name, row in rows.items()]
    return sorted(found, key=lambda host: (host["started_at"] is None, host["started_at"] or 0, host["host"]))


def _joined_host(name: str, row: Mapping[str, Any], times: Mapping[str, Any]) -> JoinedHost:
    return {
        "host": _name(name),
        "zone": shown(row.get("zone")),
        "verdict": _name(row.get("verdict")),
        "joined": row.get("verdict") == JOINED,
        "started_at": number_of(times.get("started_at")),
        "ended_at": number_of(times.get("ended_at")),
        "connected_at": number_of(times.get("connected_at")),
        "install_seconds": number_of(row.get("install_seconds")),
        "connect_seconds": number_of(row.get("connect_seconds")),
        "note": _name(row.get("note")),
    }


# -- what the operator sees ------------------------------------------------------------------------------------------


def sums_of(report: Report) -> dict[str, Any]:
    """Return the sums for set_stats and for scripts, without any host."""
    return {**report["total"], "version": report["version"], "zones": len(report["zones"])}


def fleet_line(report: Report) -> str:
    """Return one line on the fleet."""
    total = report["total"]
    zones = len(report["zones"])
    return (
        f"ECE {report['version']} at {report['url']} - {_count(total['hosts'], 'host')} in {_count(zones, 'zone')}: "
        f"{total['disconnected']:,} disconnected, {total['maintenance_mode']:,} in maintenance mode; "
        f"{total['memory_used_mb'] / 1024:,.0f} of {total['memory_total_mb'] / 1024:,.0f} GB memory used"
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def attention_lines(report: Report) -> list[str]:
    """Return a line with hosts that are disconnected, and one with those in maintenance mode, where there are any."""
    lines = (("disconnected", report["disconnected"]), ("in maintenance mode", report["maintenance_mode"]))
    return [f"{state}: {first_names(names)}" for state, names in lines if names]


def without_time(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report without the time at which it was made, by which alone no report differs from another."""
    return {key: value for key, value in report.items() if key != "made_at"}
