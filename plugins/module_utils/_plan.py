# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The plan of a join: match inventory hosts with what the platform lists, and decide what each host needs.

Pure functions over plain data; no I/O.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Iterable, Mapping, Sequence, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._records import (
    PlatformTotals,
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


class HostIdentity(TypedDict):
    """Which runner an inventory host is: its runner id, and the addresses that the platform may know it by."""

    name: str
    runner_id: str
    addresses: list[str]


class HostWish(HostIdentity):
    """What the inventory wants of a host."""

    roles: list[str]
    zone: str | None


class PlanEntry(HostWish):
    """What the platform says of a host (`state`), beside what the inventory wants."""

    state: str
    missing_roles: list[str]
    # How a joined host differs from the inventory, each as part of a sentence.
    differences: list[str]
    # What the host is to join with. Both are set for hosts that are not joined.
    version: str
    coordinator: str


class Plan(TypedDict):
    """The plan of a play: every later step reads it."""

    made_at: float
    version: str
    url: str
    joined: int
    # The hosts that are not joined.
    hosts: dict[str, PlanEntry]
    # Number of hosts in each batch, and ece_host_max_fail_percentage.
    batch: list[int]
    max_fail_percentage: Any
    # Variables of which the play has one value.
    token_persistent: bool
    wait_interval: float


class KnownHost(TypedDict, total=False):
    """A host as the platform lists it. Runner and allocator of a host have the same id."""

    runner: dict[str, Any]
    allocator: dict[str, Any]


# -- identity --------------------------------------------------------------------------------------------------------


def normal_address(address: Any) -> str:
    """Return an address in the form that compares equal: lower case, IPv6 in its shortest form."""
    text = str(address).strip().lower().rstrip(".")
    if ":" not in text:
        return text  # a name, or an IPv4 address, which has one form only
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def identifies_a_host(address: str) -> bool:
    """Return whether an address belongs to one host. Loopback addresses belong to every host."""
    if not address.startswith("127.") and ":" not in address:
        return address not in ("", "localhost")
    try:
        return not ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True


def host_identity(name: str, variables: Mapping[str, Any]) -> HostIdentity:
    """Return the identity of an inventory host by ece_host_runner_id, ece_host_ip and ansible_host."""
    candidates = [variables.get("ece_host_ip"), variables.get("ansible_host"), name]
    runner_id = next(str(value) for value in [variables.get("ece_host_runner_id"), *candidates] if value)
    addresses = {normal_address(value) for value in candidates if value}
    return {"name": name, "runner_id": runner_id, "addresses": sorted(filter(identifies_a_host, addresses))}


# -- what the platform lists -----------------------------------------------------------------------------------------

# The fields that are read later. All fields of ten thousand hosts take half a gigabyte.
KEPT_OF_RUNNER = ("runner_id", "connected", "host_ip", "public_hostname", "zone", "roles", "build_info")
KEPT_OF_ALLOCATOR = (
    "allocator_id",
    "host_ip",
    "public_hostname",
    "zone_id",
    "status",
    "capacity",
    "build_info",
)


def known_hosts(runners: Iterable[Mapping[str, Any]], allocators: Iterable[Mapping[str, Any]]) -> dict[str, KnownHost]:
    """Return runners and allocators as one entry per host, by id. Reads each list once."""
    known: dict[str, KnownHost] = {}
    for runner in runners:
        kept = {key: runner[key] for key in KEPT_OF_RUNNER if key in runner}
        known.setdefault(runner["runner_id"], {})["runner"] = kept
    add_allocators(known, allocators)
    return known


def add_allocators(known: dict[str, KnownHost], allocators: Iterable[Mapping[str, Any]]) -> None:
    """Add allocators to the result of known_hosts()."""
    for allocator in allocators:
        kept = {key: allocator[key] for key in KEPT_OF_ALLOCATOR if key in allocator}
        known.setdefault(allocator["allocator_id"], {})["allocator"] = kept


def unlisted_allocators(
    planned: Mapping[str, PlanEntry], known: Mapping[str, KnownHost], limit: int = 100
) -> list[str]:
    """Return ids of planned hosts that seem disconnected only because the list of allocators lacks them.

    A list that changes while it is paged has such gaps. limit: where more ids are missing, the list is wrong as a
    whole, and one request for each would be a storm.
    """
    disconnected = (entry["runner_id"] for entry in planned.values() if entry["state"] == DISCONNECTED)
    missing = [
        known_id
        for known_id in disconnected
        if "allocator" not in known[known_id] and connected_of(known[known_id]["runner"])
    ]
    return missing if len(missing) <= limit else []


def count_warnings(known: Mapping[str, KnownHost], totals: PlatformTotals) -> list[str]:
    """Return a sentence for each list that disagrees with the platform's own count (platform_totals)."""
    listed = {
        "runners": sum(1 for entry in known.values() if "runner" in entry),
        "allocators": sum(1 for entry in known.values() if "allocator" in entry),
    }
    warnings = [
        count_warning("runners", listed["runners"], totals["runners"]),
        count_warning("allocators", listed["allocators"], totals["allocators"]),
    ]
    return [warning for warning in warnings if warning]


# -- matching --------------------------------------------------------------------------------------------------------


def match_hosts(hosts: Sequence[HostIdentity], known: Mapping[str, KnownHost]) -> dict[str, str | None]:
    """Return the platform's id for each host name, or None for a host that it does not know.

    Raises PlatformError where two hosts match one id or one host matches two: a guess could reinstall the wrong host.
    """
    _refuse_equal_identities(hosts)
    ids, addresses = _index(known)
    matches: dict[str, str | None] = {}
    claimed: dict[str, str] = {}
    for host in hosts:
        found = list(ids.get(normal_address(host["runner_id"]), []))
        for address in host["addresses"]:
            found += [known_id for known_id in addresses.get(address, []) if known_id not in found]
        if len(found) > 1:
            raise PlatformError(
                f"host {host['name']} matches {len(found)} runners: {', '.join(sorted(found))}; "
                "remove the wrong one from the platform, or set ece_host_runner_id and ece_host_ip so that one fits"
            )
        match = found[0] if found else None
        if match is not None and match in claimed:
            raise PlatformError(
                f"hosts {claimed[match]} and {host['name']} both match runner {match}; "
                "one of them has a wrong address or runner id"
            )
        if match is not None:
            claimed[match] = host["name"]
        matches[host["name"]] = match
    return matches


def _refuse_equal_identities(hosts: Sequence[HostIdentity]) -> None:
    by_runner_id: dict[str, str] = {}
    for host in hosts:
        other = by_runner_id.setdefault(normal_address(host["runner_id"]), host["name"])
        if other != host["name"]:
            raise PlatformError(
                f"hosts {other} and {host['name']} have the same identity {host['runner_id']}; "
                "give each its own ece_host_runner_id, ece_host_ip or ansible_host"
            )


def _index(known: Mapping[str, KnownHost]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the platform's ids by normal id and by each address."""
    ids: dict[str, list[str]] = {}
    addresses: dict[str, list[str]] = {}
    for known_id, entry in known.items():
        ids.setdefault(normal_address(known_id), []).append(known_id)
        for part in (entry.get("runner"), entry.get("allocator")):
            for address in _addresses_of(part or {}):
                if known_id not in addresses.setdefault(address, []):
                    addresses[address].append(known_id)
    return ids, addresses


def _addresses_of(part: Mapping[str, Any]) -> set[str]:
    return {normal_address(part[key]) for key in ("host_ip", "public_hostname") if text_of(part.get(key))}


# -- planning --------------------------------------------------------------------------------------------------------


def api_state(entry: KnownHost | None, roles: Sequence[str]) -> tuple[str, list[str]]:
    """Return the state of a host that should have `roles` by what the platform says, and the roles that it lacks.

    `connected` decides, not `healthy`: ECE calls an allocator without instances healthy even when it is gone.
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
    hosts: Sequence[HostWish], known: Mapping[str, KnownHost], version: str | None = None
) -> dict[str, PlanEntry]:
    """Return a plan entry for each host. version: what the platform runs. Raises PlatformError."""
    matches = match_hosts(hosts, known)
    return {host["name"]: _plan_host(host, matches[host["name"]], known, version) for host in hosts}


def _plan_host(host: HostWish, match: str | None, known: Mapping[str, KnownHost], version: str | None) -> PlanEntry:
    entry = known.get(match) if match is not None else None
    state, missing = api_state(entry, host["roles"])
    return {
        "name": host["name"],
        "state": state,
        "runner_id": match or host["runner_id"],
        "addresses": host["addresses"],
        "roles": list(host["roles"]),
        "missing_roles": missing if state == MISSING_ROLES else [],
        "zone": host.get("zone"),
        "differences": differences(entry or {}, host.get("zone"), version) if state == JOINED else [],
        "version": version or "",
        "coordinator": "",
    }


def difference_warnings(planned: Mapping[str, PlanEntry]) -> list[str]:
    """Return one sentence on all joined hosts that differ from the inventory, or nothing. A join cannot change them."""
    found = [
        f"{name} ({' and '.join(entry['differences'])})" for name, entry in planned.items() if entry["differences"]
    ]
    return [f"hosts that are joined differ from the inventory: {first_names(found)}"] if found else []


def plan_line(planned: Mapping[str, PlanEntry], version: str, url: str) -> str:
    """Return the plan in one line for the operator."""
    labels = {JOINED: "joined", NEW: "new", DISCONNECTED: "disconnected", MISSING_ROLES: "missing a role"}
    counts = {state: sum(1 for entry in planned.values() if entry["state"] == state) for state in labels}
    parts = [f"{counts[state]:,} {label}" for state, label in labels.items() if counts[state] or state in (JOINED, NEW)]
    return one_line(f"ECE {version} at {url} - {len(planned):,} hosts: {', '.join(parts)}")


def entry_line(entry: PlanEntry) -> str:
    """Return what the plan has for one host that is not joined, in one line for the operator."""
    name = entry["name"]
    if entry["state"] == NEW:
        zone = f", {entry['zone']}" if entry["zone"] else ""
        return f"{name}: new, joins as {', '.join(entry['roles'])} with runner id {entry['runner_id']}{zone}"
    if entry["state"] == MISSING_ROLES:
        return f"{name}: joined, but the role {', '.join(entry['missing_roles'])} is missing"
    return f"{name}: known as {entry['runner_id']}, but disconnected"


# -- the decision for one host ---------------------------------------------------------------------------------------


def decide(
    entry: PlanEntry, facts: Mapping[str, Any], *, replace_stale: bool, connect_timeout: float
) -> tuple[str, str]:
    """Return what the run does with a host, or why it does nothing, and a sentence.

    facts: `facts` and `problems` of ece_host_info.
    connect_timeout: seconds for which an installation that has ended counts as still connecting, so that a run that
    was killed can be repeated at once.

    ================= ======================= ==========================================================
    the platform says the host says           decision
    ================= ======================= ==========================================================
    missing-roles     (it is not asked)       assign-roles
    new, disconnected an installer runs       wait
    new, disconnected one has just ended      wait
    new               ECE containers          half-installed
    disconnected      ECE containers          disconnected
    new, disconnected the engine is silent    refused
    disconnected      no ECE container        stale; with replace_stale: replace (problems: refused)
    new               no ECE container        install (problems: refused)
    ================= ======================= ==========================================================
    """
    state = entry["state"]
    if state == MISSING_ROLES:
        return ASSIGN_ROLES, f"connected, but the role {', '.join(entry['missing_roles'])} is missing: it is assigned"
    if facts.get("installer_running"):
        return WAIT, "an installer is already running on it: wait for it"
    containers = facts.get("ece_containers") or []
    if containers:
        return _decide_installed(entry, containers, facts.get("last_install") or {}, connect_timeout)
    problems = facts.get("problems") or []
    if not facts.get("containers_known", True):
        return REFUSED, _unknown_containers(facts.get("engine") or {}, problems)
    if state == DISCONNECTED and not replace_stale:
        return STALE, (
            f"stale: the platform knows it as {entry['runner_id']} but it is not connected, and it has no ECE "
            "container, like a host with a new image. Delete the runner in the platform, or set "
            "ece_host_replace_stale: true."
        )
    if problems:
        return REFUSED, "the installer would refuse this host: " + " ".join(problems)
    if state == DISCONNECTED:
        return REPLACE, f"stale: delete runner {entry['runner_id']}, then join"
    return INSTALL, f"new: join as {', '.join(entry['roles'])}"


def _decide_installed(
    entry: PlanEntry, containers: Sequence[str], last: Mapping[str, Any], connect_timeout: float
) -> tuple[str, str]:
    age = last.get("age_seconds")
    if last.get("rc") == 0 and age is not None and age < connect_timeout:
        return WAIT, "its installer has just ended: wait until it connects"
    some = first_names(containers, 3)
    if entry["state"] == NEW:
        return HALF_INSTALLED, (
            f"half-installed: it runs ECE containers ({some}) but the platform does not know it. "
            "Look at the installer's log; then remove its ECE containers (frc-runners-runner first) and its storage "
            "path, and run this again."
        )
    return DISCONNECTED, (
        f"disconnected: the platform knows it as {entry['runner_id']} but it is not connected, and it runs ECE "
        f"containers ({some}). Look at the container engine, the network to the coordinators and the logs of "
        "frc-runners-runner on it. It is not reinstalled."
    )


def _unknown_containers(engine: Mapping[str, Any], problems: Sequence[str]) -> str:
    # Whatever checks are skipped: an engine that does not answer is not an engine without containers.
    error = engine.get("containers_error") or engine.get("error") or "it gave no reason"
    sentence = (
        "cannot tell whether ECE is on it: the container engine does not answer "
        f"({error}); start it and run this again."
    )
    return " ".join([sentence, "The installer would refuse this host, too:", *problems] if problems else [sentence])


# -- after the join --------------------------------------------------------------------------------------------------


def differences(entry: KnownHost, zone: str | None, version: str | None) -> list[str]:
    """Return how zone and version of a connected host differ from what is wanted, each as part of a sentence."""
    runner, allocator = entry.get("runner") or {}, entry.get("allocator") or {}
    found = []
    actual_zone = text_of(runner.get("zone")) or text_of(allocator.get("zone_id"))
    if zone and actual_zone and actual_zone != zone:
        found.append(one_line(f"it is in zone {actual_zone} instead of {zone}"))
    actual_version = version_of(runner) or version_of(allocator)
    if version and actual_version and actual_version.split("-")[0] != version.split("-")[0]:
        found.append(one_line(f"it runs version {actual_version} instead of {version}"))
    return found


def not_ready_reason(entry: KnownHost | None, roles: Sequence[str]) -> str:
    """Return why a host whose installer has succeeded is not joined, with the next step."""
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
    if connected_of((entry or {}).get("runner") or {}):
        return (
            "its runner is connected but its allocator is not; look at the logs of frc-allocators-allocator on the host"
        )
    return "the platform knows it but it is not connected; look at the logs of frc-runners-runner on the host"
