# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The plan of a join: match inventory hosts with what the platform lists, and decide what each host needs.

Pure functions over plain data; no I/O.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._records import (
    connected_of,
    count_warning,
    object_of,
    runner_roles,
    text_of,
    version_of,
)
from ansible_collections.ece.platform.plugins.module_utils._states import (
    ASSIGN_ROLES,
    DISCONNECTED,
    HALF_INSTALLED,
    INSTALL,
    JOINED,
    MISSING_ROLES,
    NEW,
    REFUSED,
    REPLACE,
    STALE,
    WAIT,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names, one_line


def normal_address(address: Any) -> str:
    """An address to compare by: lower case, IPv6 in its shortest form."""
    text = str(address).strip().lower().rstrip(".")
    if ":" not in text:
        return text  # a name, or an IPv4 address, which has one form only
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def _names_a_host(address: str) -> bool:
    """Loopback addresses stand for every host and so for none."""
    if not address.startswith("127.") and ":" not in address:
        return address not in ("", "localhost")
    try:
        return not ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True


def host_identity(name: str, variables: Mapping[str, Any]) -> dict:
    """Who an inventory host is to the platform: its runner id, and the addresses it may be registered with."""
    candidates = [variables.get("ece_host_ip"), variables.get("ansible_host"), name]
    identity = next(str(value) for value in [variables.get("ece_host_runner_id"), *candidates] if value)
    addresses = {normal_address(value) for value in candidates if value}
    return {
        "name": name,
        "runner_id": identity,
        "addresses": sorted(address for address in addresses if _names_a_host(address)),
    }


# What is asked of a runner or an allocator further on; of ten thousand, the rest would be half a gigabyte.
KEPT_OF_RUNNER = ("runner_id", "connected", "host_ip", "public_hostname", "zone", "roles", "build_info")
KEPT_OF_ALLOCATOR = ("allocator_id", "host_ip", "public_hostname", "zone_id", "status", "capacity", "build_info")


def known_hosts(runners: Iterable[Mapping[str, Any]], allocators: Iterable[Mapping[str, Any]]) -> dict[str, dict]:
    """Runners and allocators as one entry a host, by id; on one host both go by the same id. Reads each list once."""
    known: dict[str, dict] = {}
    for runner in runners:
        known.setdefault(runner["runner_id"], {})["runner"] = {
            key: runner[key] for key in KEPT_OF_RUNNER if key in runner
        }
    add_allocators(known, allocators)
    return known


def add_allocators(known: dict[str, dict], allocators: Iterable[Mapping[str, Any]]) -> None:
    """Put allocators into what known_hosts() gave."""
    for allocator in allocators:
        known.setdefault(allocator["allocator_id"], {})["allocator"] = {
            key: allocator[key] for key in KEPT_OF_ALLOCATOR if key in allocator
        }


def unlisted_allocators(
    planned: Mapping[str, Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]], most: int = 100
) -> list[str]:
    """Ids of planned hosts that are not ready only because the list of allocators lacks them, as one does that changed while it was paged.

    most: where more are missing, it is the list that is wrong, and asking for each would be a storm.
    """
    not_ready = (entry["runner_id"] for entry in planned.values() if entry["state"] == DISCONNECTED)
    missing = [
        known_id
        for known_id in not_ready
        if "allocator" not in known[known_id] and connected_of(known[known_id]["runner"])
    ]
    return missing if len(missing) <= most else []


def count_warnings(known: Mapping[str, Mapping[str, Any]], totals: Mapping[str, int | None]) -> list[str]:
    """A sentence for each list that disagrees with the platform's own count (platform_totals)."""
    listed = {
        kind: sum(1 for entry in known.values() if part in entry)
        for kind, part in (("runners", "runner"), ("allocators", "allocator"))
    }
    warnings = [count_warning(kind, listed[kind], totals[kind]) for kind in listed]
    return [warning for warning in warnings if warning]


def match_hosts(hosts: Sequence[Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]]) -> dict[str, str | None]:
    """Host name -> id in the platform, or None. Two answers to either side of that question are an error, never a guess.

    hosts: as host_identity() gives them. known: as known_hosts() gives them.
    """
    by_runner_id: dict[str, str] = {}
    for host in hosts:
        key = normal_address(host["runner_id"])
        if key in by_runner_id:
            raise PlatformError(
                f"hosts {by_runner_id[key]} and {host['name']} have the same identity {host['runner_id']}; "
                "give each its own ece_host_runner_id, ece_host_ip or ansible_host"
            )
        by_runner_id[key] = host["name"]

    ids: dict[str, list[str]] = {}
    addresses: dict[str, list[str]] = {}
    for known_id, entry in known.items():
        ids.setdefault(normal_address(known_id), []).append(known_id)
        for part in entry.values():
            for address in {
                normal_address(part[key]) for key in ("host_ip", "public_hostname") if text_of(part.get(key))
            }:
                if known_id not in addresses.setdefault(address, []):
                    addresses[address].append(known_id)

    matches: dict[str, str | None] = {}
    claimed: dict[str, str] = {}
    for host in hosts:
        found = list(ids.get(normal_address(host["runner_id"]), []))
        for address in host["addresses"]:
            found += [known_id for known_id in addresses.get(address, []) if known_id not in found]
        if len(found) > 1:
            raise PlatformError(
                f"host {host['name']} matches {len(found)} runners: {', '.join(sorted(found))}; "
                "remove the wrong one from the platform, or set ece_host_runner_id and ece_host_ip so that only one fits"
            )
        match = found[0] if found else None
        if match is not None and match in claimed:
            raise PlatformError(
                f"hosts {claimed[match]} and {host['name']} both match runner {match}; one of them has a wrong address or runner id"
            )
        if match is not None:
            claimed[match] = host["name"]
        matches[host["name"]] = match
    return matches


def api_state(entry: Mapping[str, Any] | None, roles: Sequence[str]) -> tuple[str, list[str]]:
    """What the platform says of a host that should have C(roles): a state, and the roles it lacks.

    Ready means connected, never healthy: ECE calls an allocator without instances healthy even when it is gone.
    """
    if not entry:
        return NEW, list(roles)
    runner, allocator = entry.get("runner"), entry.get("allocator")
    allocator_connected = connected_of(object_of((allocator or {}).get("status")))
    if not (connected_of(runner) if runner else allocator_connected):
        return DISCONNECTED, []
    held = set(runner_roles(runner)) if runner else {"allocator"}
    missing = [role for role in roles if role not in held]
    if missing:
        return MISSING_ROLES, missing
    if "allocator" in roles and not allocator_connected:
        return DISCONNECTED, []
    return JOINED, []


def plan_hosts(
    hosts: Sequence[Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]], version: str | None = None
) -> dict[str, dict]:
    """Host name -> what the platform says of it.

    hosts: host_identity() plus C(roles) and C(zone) each. known: as known_hosts() gives them. version: the platform's. Raises PlatformError.
    """
    matches = match_hosts(hosts, known)
    planned = {}
    for host in hosts:
        match = matches[host["name"]]
        state, missing = api_state(known.get(match) if match is not None else None, host["roles"])
        planned[host["name"]] = {
            "name": host["name"],
            "state": state,
            "runner_id": match or host["runner_id"],
            "addresses": host["addresses"],
            "roles": list(host["roles"]),
            "missing_roles": missing if state == MISSING_ROLES else [],
            "zone": host.get("zone"),
            "differences": differences(known[match], host.get("zone"), version) if state == JOINED else [],
        }
    return planned


def difference_warnings(planned: Mapping[str, Mapping[str, Any]], most: int = 5) -> list[str]:
    """One sentence, if any, on all joined hosts that are not as the inventory has them; a join cannot change that."""
    words = [
        f"{name} ({' and '.join(entry['differences'])})"
        for name, entry in sorted(planned.items())
        if entry["differences"]
    ]
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return [f"joined, but not as the inventory has them: {', '.join(words[:most])}{more}"] if words else []


def plan_line(planned: Mapping[str, Mapping[str, Any]], version: str, url: str) -> str:
    """The plan in one line for the operator."""
    words = {JOINED: "joined", NEW: "new", DISCONNECTED: "not connected", MISSING_ROLES: "lacking a role"}
    counts = {state: sum(1 for entry in planned.values() if entry["state"] == state) for state in words}
    parts = [f"{counts[state]:,} {word}" for state, word in words.items() if counts[state] or state in (JOINED, NEW)]
    return one_line(f"ECE {version} at {url} - {len(planned):,} hosts: {', '.join(parts)}")


# -- the decision for one host --


def decide(
    entry: Mapping[str, Any], facts: Mapping[str, Any], *, replace_stale: bool, connect_timeout: float
) -> tuple[str, str]:
    """Verdict and sentence for one host: the plan's entry and what the host itself says (ece_host_info), put together.

    A finished install counts as still connecting for connect_timeout seconds, so that a run which was killed in the
    middle can be repeated at once.
    """
    state = entry["state"]
    if state == MISSING_ROLES:
        return ASSIGN_ROLES, "connected, but lacks {0}: assign through the API".format(
            ", ".join(entry["missing_roles"])
        )
    containers = facts.get("ece_containers") or []
    if facts.get("installer_running"):
        return WAIT, "an installer is running on it already: wait for it"
    last = facts.get("last_install") or {}
    age = last.get("age_seconds")
    if containers and last.get("rc") == 0 and age is not None and age < connect_timeout:
        return WAIT, "its installer has just finished: wait until it connects"
    if containers and state == NEW:
        return HALF_INSTALLED, (
            "half-installed: it runs ECE containers ({0}) but the platform does not know it. Look at the installer's log; then remove its ECE "
            "containers (frc-runners-runner first) and its storage path, and run this again.".format(
                first_names(containers)
            )
        )
    if containers:
        return DISCONNECTED, (
            "disconnected: the platform knows it as {0} but is not connected to it, while it runs ECE containers ({1}). Look at the container engine, the network to "
            "the coordinators and the logs of frc-runners-runner on it. It is never reinstalled.".format(
                entry["runner_id"], first_names(containers)
            )
        )
    problems = facts.get("problems") or []
    if not facts.get("containers_known", True):
        # Whatever checks are skipped: an engine that does not answer is not one without containers.
        engine = facts.get("engine") or {}
        error = engine.get("containers_error") or engine.get("error") or "it gave no reason"
        unknown = f"cannot tell whether ECE is on it: the container engine does not answer ({error}); start it and run this again."
        return REFUSED, " ".join(
            [unknown, "The installer would refuse this host, too:", *problems] if problems else [unknown]
        )
    if state == DISCONNECTED and not replace_stale:
        return STALE, (
            "stale: the platform knows it as {0} but is not connected, and the host has no ECE container, as after a new image. "
            "Delete the runner in the platform, or set ece_host_replace_stale: true to have that done.".format(
                entry["runner_id"]
            )
        )
    if problems:
        return REFUSED, "the installer would refuse this host: " + " ".join(problems)
    if state == DISCONNECTED:
        return REPLACE, "stale: delete runner {0}, then join".format(entry["runner_id"])
    return INSTALL, "new: join as {0}".format(", ".join(entry["roles"]))


# -- after the join --


def differences(entry: Mapping[str, Any], zone: str | None, version: str | None) -> list[str]:
    """What a connected host is and should not be: zone and version, each as the words of a sentence."""
    runner, allocator = entry.get("runner") or {}, entry.get("allocator") or {}
    found = []
    actual_zone = text_of(runner.get("zone")) or text_of(allocator.get("zone_id"))
    if zone and actual_zone and actual_zone != zone:
        found.append(one_line(f"it is in zone {actual_zone} instead of {zone}"))
    actual_version = version_of(runner) or version_of(allocator)
    if version and actual_version and actual_version.split("-")[0] != version.split("-")[0]:
        found.append(one_line(f"it runs version {actual_version} instead of {version}"))
    return found


def not_ready_reason(entry: Mapping[str, Any] | None, roles: Sequence[str]) -> str:
    """Why a host whose installer has ended well is not joined, in words that name the next step."""
    state, missing = api_state(entry, roles)
    if state == NEW:
        return "the platform does not know it; look at the network to the coordinators and at bootstrap.log on the host"
    if state == MISSING_ROLES:
        return (
            f"it is connected but without the role {', '.join(missing)}, as happens when a token does not permit it; "
            "run this again to assign the role through the API"
        )
    if state == JOINED:
        return "it is connected"
    if connected_of(entry.get("runner") or {}):
        return (
            "its runner is connected but its allocator is not; look at the logs of frc-allocators-allocator on the host"
        )
    return "the platform knows it but is not connected to it; look at the logs of frc-runners-runner on the host"
