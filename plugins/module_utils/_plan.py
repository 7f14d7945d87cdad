# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The plan of a join: match inventory hosts with what the platform lists. _decision decides what each host needs.

Pure functions over plain data; no I/O.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, Collection, Iterable, Mapping, Sequence, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._records import (
    PlatformTotals,
    connected_of,
    count_warning,
    object_of,
    runner_roles,
    text_of,
    version_of,
    zone_of,
)
from ansible_collections.ece.platform.plugins.module_utils._states import (
    DISCONNECTED,
    JOINED,
    MISSING_ROLES,
    NEW,
    UPDATE,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names, one_line


class HostIdentity(TypedDict):
    """Which runner an inventory host is: its runner id, and the addresses that the platform may know it by."""

    name: str
    # Empty where the variable that gives it cannot be read, as may be so for a host that takes no part.
    runner_id: str
    addresses: list[str]
    # The variable that each of them comes from, by their normal form (normal_address).
    variables: dict[str, str]


class HostWish(HostIdentity):
    """What the inventory wants of a host."""

    roles: list[str]
    zone: str | None


class PlanEntry(HostWish):
    """What the platform says of a host (`state`), beside what the inventory wants."""

    state: str
    missing_roles: list[str]
    # The value by which the platform knows the host, or would know it, and the variable that the value comes from.
    identity: str
    identity_variable: str
    # What the platform has of the host, runner and allocator, and whether it is connected.
    parts: dict[str, bool]
    # The address that the platform has of it.
    host_ip: str | None
    # Whether the platform's own count says that a list had gaps when the plan was made.
    list_is_short: bool
    # Whether the platform was asked for this very host. The lists are an index, which may lag behind.
    asked: bool
    # The id by which the platform answered, where the host's variables name another one.
    found_as: str | None
    # How a joined host differs from the inventory, each as part of a sentence.
    differences: list[str]
    # What changes on a joined host, each as part of a sentence: tags, capacity, maintenance mode, roles taken away.
    changes: list[str]
    # What the host is to join with. Both are set for hosts that are not joined.
    version: str
    coordinator: str
    # Addresses of connected hosts with the role director.
    directors: list[str]


class Plan(TypedDict):
    """The plan of a play: every later step reads it."""

    made_at: float
    version: str
    url: str
    # How many runners and allocators the platform counts.
    totals: PlatformTotals
    joined: int
    # The hosts that are not joined.
    hosts: dict[str, PlanEntry]
    # Number of hosts in each batch, and ece_host_max_fail_percentage.
    batch: list[int]
    max_fail_percentage: Any
    # Variables of which the play has one value.
    token_persistent: bool
    wait_interval: float
    fleet_report: str | None


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


# Names of the host itself in /etc/hosts of Linux distributions.
LOOPBACK_NAME = re.compile(r"^(localhost[46]?(\.localdomain[46]?)?|ip6-(localhost|loopback))\Z")


def identifies_a_host(address: str) -> bool:
    """Return whether an address belongs to one host. Loopback addresses belong to every host."""
    if not address.startswith("127.") and ":" not in address:
        return address not in ("", "0.0.0.0") and not LOOPBACK_NAME.match(address)  # noqa: S104
    try:
        return not ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True


# Variables that say which runner a host is, in the order in which they count. The last is the inventory name.
RUNNER_ID, HOST_IP, NAME = "ece_host_runner_id", "ece_host_ip", "inventory_hostname"
SSH_PORT = 22
IDENTITY_VARIABLES = (RUNNER_ID, HOST_IP, "ansible_host", "ansible_ssh_host")
# With these the user says which runner a host is. The others say how Ansible reaches it, which hosts may share.
EXPLICIT = (RUNNER_ID, HOST_IP)
# What distinguishes hosts that seem to be one: another port at an address is another machine, another URL another
# platform.
WAY_VARIABLES = ("ansible_host", "ansible_ssh_host", "ansible_port", "ansible_ssh_port", "ece_url")


def host_identity(name: str, variables: Mapping[str, Any], unknown: Collection[str] = ()) -> HostIdentity:
    """Return the identity of an inventory host by its IDENTITY_VARIABLES.

    unknown: those of them that are set, but cannot be read.
    """
    values = {variable: str(variables[variable]) for variable in IDENTITY_VARIABLES if variables.get(variable)}
    values[NAME] = name
    sources: dict[str, str] = {}
    for variable, value in values.items():
        sources.setdefault(normal_address(value), variable)
    addresses = {normal_address(value) for variable, value in values.items() if variable != RUNNER_ID}
    first = next(variable for variable in (*IDENTITY_VARIABLES, NAME) if variable in values or variable in unknown)
    return {
        "name": name,
        "runner_id": values.get(first, ""),
        "addresses": sorted(filter(identifies_a_host, addresses)),
        "variables": sources,
    }


def distinct(
    hosts: Sequence[HostWish], others: Iterable[HostIdentity], way_of: Callable[[str], Mapping[str, Any]]
) -> list[HostWish]:
    """Return the hosts without the addresses that may be those of another host. Raises PlatformError.

    Two hosts with one identity are an error, also where the other one takes no part in the play: the first that joins
    would be taken for both. What the user says of a host (EXPLICIT) outranks what Ansible reaches another one by.
    others: hosts of the inventory that take no part. They may be a second name of a machine that does.
    way_of: returns the WAY_VARIABLES of a host.
    """
    by_id: dict[str, HostWish] = {}
    # Which hosts have a value as a runner id or an address, and whether explicitly.
    claims: dict[str, dict[str, bool]] = {}
    for host in hosts:
        known = by_id.setdefault(normal_address(host["runner_id"]), host)
        if known is not host:
            raise _same_identity(known, host)
        for value, variable in host["variables"].items():
            claims.setdefault(value, {})[host["name"]] = variable in EXPLICIT
    for other in others:
        double = by_id.get(normal_address(other["runner_id"]))
        if double and not _outranks(double, other) and _are_two(double["name"], other["name"], way_of):
            raise _same_identity_outside(double, other)
        for value, variable in other["variables"].items():
            if any(_are_two(name, other["name"], way_of) for name in claims.get(value, ())):
                claims[value][other["name"]] = variable in EXPLICIT
    return [_with_own_addresses(host, claims) for host in hosts]


def _with_own_addresses(host: HostWish, claims: Mapping[str, Mapping[str, bool]]) -> HostWish:
    own = [address for address in host["addresses"] if _has_alone(host["name"], claims[address])]
    return host if own == host["addresses"] else {**host, "addresses": own}


def _has_alone(name: str, claims: Mapping[str, bool]) -> bool:
    return len(claims) == 1 or [one for one, explicit in claims.items() if explicit] == [name]


def _outranks(host: HostIdentity, other: HostIdentity) -> bool:
    return _source(host) in EXPLICIT and _source(other) not in EXPLICIT


def _same_identity(host: HostIdentity, other: HostIdentity) -> PlatformError:
    return PlatformError(
        f"hosts {host['name']} and {other['name']} have the same identity {other['runner_id']}; "
        f"give each its own ece_host_runner_id, ece_host_ip or ansible_host (it is from {_source(other)} now)"
    )


def _same_identity_outside(host: HostIdentity, other: HostIdentity) -> PlatformError:
    """Return the error on a host of the plan, and another one that takes no part."""
    variable = _source(other)
    one_machine = f"; if both are one machine, leave {variable} of {other['name']} out" if variable in EXPLICIT else ""
    return PlatformError(
        f"hosts {host['name']} and {other['name']} have the same identity {host['runner_id']}, and the platform may "
        f"know either by it: set ece_host_ip or ece_host_runner_id of {host['name']} to its own "
        f"(it is from {_source(host)} now){one_machine}"
    )


def _source(host: HostIdentity) -> str:
    return host["variables"].get(normal_address(host["runner_id"]), RUNNER_ID)


def _are_two(name: str, other: str, way_of: Callable[[str], Mapping[str, Any]]) -> bool:
    """Return whether two names in the inventory are two machines of one platform, by their WAY_VARIABLES."""
    ways = {host: way_of(host) for host in (name, other)}
    if len({str(way["ece_url"]) for way in ways.values() if way.get("ece_url")}) > 1:
        return False
    addresses = {
        normal_address(way.get("ansible_host") or way.get("ansible_ssh_host") or host) for host, way in ways.items()
    }
    ports = {str(way.get("ansible_port") or way.get("ansible_ssh_port") or SSH_PORT) for way in ways.values()}
    return len(addresses) > 1 or len(ports) > 1


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
    "settings",
    "metadata",
    "build_info",
)


def known_hosts(runners: Iterable[Mapping[str, Any]], allocators: Iterable[Mapping[str, Any]]) -> dict[str, KnownHost]:
    """Return runners and allocators as one entry per host, by id. Reads each list once."""
    known: dict[str, KnownHost] = {}
    add_hosts(known, runners, allocators)
    return known


def add_hosts(
    known: dict[str, KnownHost], runners: Iterable[Mapping[str, Any]], allocators: Iterable[Mapping[str, Any]]
) -> None:
    """Add runners and allocators to the result of known_hosts()."""
    for runner in runners:
        kept = {key: runner[key] for key in KEPT_OF_RUNNER if key in runner}
        known.setdefault(runner["runner_id"], {})["runner"] = kept
    for allocator in allocators:
        kept = {key: allocator[key] for key in KEPT_OF_ALLOCATOR if key in allocator}
        known.setdefault(allocator["allocator_id"], {})["allocator"] = kept


def known_parts(entry: KnownHost) -> dict[str, bool]:
    """Return which parts of a host the platform has, `runner` and `allocator`, and whether each is connected."""
    parts = {}
    if entry.get("runner"):
        parts["runner"] = connected_of(entry["runner"])
    if entry.get("allocator"):
        parts["allocator"] = connected_of(object_of(entry["allocator"].get("status")))
    return parts


def unlisted_allocators(planned: Mapping[str, PlanEntry], known: Mapping[str, KnownHost]) -> list[str]:
    """Return ids of planned hosts that seem disconnected only because the list of allocators lacks them.

    A list that changes while it is paged has such gaps, and so has one whose index is being rebuilt.
    """
    disconnected = (entry["runner_id"] for entry in planned.values() if entry["state"] == DISCONNECTED)
    return [
        known_id
        for known_id in disconnected
        if "allocator" not in known[known_id] and connected_of(known[known_id]["runner"])
    ]


def listed_counts(known: Mapping[str, KnownHost]) -> dict[str, int]:
    """Return the lengths of both lists."""
    return {
        "runners": sum(1 for entry in known.values() if "runner" in entry),
        "allocators": sum(1 for entry in known.values() if "allocator" in entry),
    }


def short_lists(known: Mapping[str, KnownHost], totals: PlatformTotals) -> list[str]:
    """Return which lists, `runners` or `allocators`, have fewer entries than the platform counts."""
    counts = {"runners": totals["runners"], "allocators": totals["allocators"]}
    return [kind for kind, listed in listed_counts(known).items() if listed < (counts[kind] or 0)]


def count_warnings(known: Mapping[str, KnownHost], totals: PlatformTotals) -> list[str]:
    """Return a sentence for each list that disagrees with the platform's own count (platform_totals)."""
    listed = listed_counts(known)
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
    ids, addresses = _index(known)
    matches: dict[str, str | None] = {}
    claimed: dict[str, str] = {}
    for host in hosts:
        found = list(ids.get(normal_address(host["runner_id"]), [])) if _has_identity(host) else []
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


def _has_identity(host: HostIdentity) -> bool:
    """Return whether the runner id distinguishes a host. A loopback address does only where the user calls it an id."""
    return _source(host) == RUNNER_ID or identifies_a_host(normal_address(host["runner_id"]))


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


def ids_by_address(known: Mapping[str, KnownHost]) -> dict[str, list[str]]:
    """Return the ids of runners by host_ip, where the id is another one."""
    found: dict[str, list[str]] = {}
    for known_id, entry in known.items():
        host_ip = text_of(entry.get("runner", {}).get("host_ip"))
        if host_ip and host_ip != known_id:
            found.setdefault(host_ip, []).append(known_id)
    return found


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
    hosts: Sequence[HostWish],
    known: Mapping[str, KnownHost],
    version: str | None = None,
    *,
    list_is_short: bool = False,
) -> dict[str, PlanEntry]:
    """Return a plan entry for each host. Raises PlatformError, and OptionError for a host that cannot have its id.

    version: what the platform runs. list_is_short: see PlanEntry.
    """
    matches = match_hosts(hosts, known)
    planned = {}
    for host in hosts:
        entry = planned[host["name"]] = _plan_host(host, matches[host["name"]], known, version)
        entry["list_is_short"] = list_is_short
        if entry["state"] == NEW:
            _check_new_id(host)
    return planned


def _plan_host(host: HostWish, match: str | None, known: Mapping[str, KnownHost], version: str | None) -> PlanEntry:
    identity, variable = _matching_identity(host, match, known)
    entry: PlanEntry = {
        "name": host["name"],
        "state": NEW,
        "runner_id": match or host["runner_id"],
        "addresses": host["addresses"],
        "variables": host["variables"],
        "identity": identity,
        "identity_variable": variable,
        "roles": list(host["roles"]),
        "zone": host.get("zone"),
        "version": version or "",
        "coordinator": "",
        "directors": [],
        "list_is_short": False,
        "asked": False,
        "found_as": None,
        "changes": [],
        **_said_of(known.get(match) if match is not None else None, host, version),
    }
    return entry


class _Said(TypedDict):
    """The fields of a PlanEntry that the platform's entry of a host gives."""

    state: str
    missing_roles: list[str]
    parts: dict[str, bool]
    host_ip: str | None
    differences: list[str]


def _said_of(known: KnownHost | None, host: HostWish, version: str | None) -> _Said:
    entry = known or {}
    state, missing = api_state(entry, host["roles"])
    runner, allocator = entry.get("runner") or {}, entry.get("allocator") or {}
    return {
        "state": state,
        "missing_roles": missing if state == MISSING_ROLES else [],
        "parts": known_parts(entry),
        "host_ip": text_of(runner.get("host_ip")) or text_of(allocator.get("host_ip")),
        "differences": differences(entry, host.get("zone"), version) if state == JOINED else [],
    }


def with_answer(entry: PlanEntry, known_id: str, known: KnownHost | None) -> PlanEntry:
    """Return a plan entry by the platform's answer to the question for one host, whose id is known_id."""
    said = _said_of(known, entry, entry["version"])
    found_as = None if known_id == entry["runner_id"] else known_id
    return {**entry, **said, "runner_id": known_id, "asked": True, "found_as": found_as}


def _matching_identity(host: HostWish, match: str | None, known: Mapping[str, KnownHost]) -> tuple[str, str]:
    """Return the value by which a host matches, or would match, and its variable: of several the first that counts."""
    if match is None or normal_address(match) == normal_address(host["runner_id"]):
        return host["runner_id"], _source(host)
    entry = known[match]
    listed = _addresses_of(entry.get("runner") or {}) | _addresses_of(entry.get("allocator") or {})
    listed.add(normal_address(match))
    return next((value, variable) for value, variable in host["variables"].items() if value in listed)


def _check_new_id(host: HostWish) -> None:
    """Raise OptionError for a host that cannot join with the runner id that its variables give."""
    variable, runner_id = _source(host), host["runner_id"]
    if not identifies_a_host(normal_address(runner_id)):
        raise OptionError(
            f"host {host['name']}: {variable} {runner_id} is a loopback address, which every host has, so it is no "
            "runner id: set ece_host_ip to the host's own IPv4 address, or set ece_host_runner_id"
        )
    if ":" in runner_id and variable != RUNNER_ID:
        raise OptionError(
            f"host {host['name']}: {variable} {runner_id} cannot be its runner id, because ECE needs IPv4 addresses: "
            "set ece_host_ip to the host's own IPv4 address, or set ece_host_runner_id"
        )


IN_ZONE = "it is in zone "


def difference_warnings(planned: Mapping[str, PlanEntry]) -> list[str]:
    """Return one sentence on all joined hosts that differ from the inventory, or nothing. A join cannot change them."""
    found = [
        f"{name} ({' and '.join(entry['differences'])})" for name, entry in planned.items() if entry["differences"]
    ]
    if not found:
        return []
    in_zones = any(IN_ZONE in difference for entry in planned.values() for difference in entry["differences"])
    # get-runner and get-allocator show the zone, and no operation of the API specification changes it.
    remedy = "the zone of a joined host cannot be changed: correct ece_host_zone, or remove the host and join it again"
    return [
        f"hosts that are joined differ from the inventory: {first_names(found)}" + (f"; {remedy}" if in_zones else "")
    ]


def plan_line(planned: Mapping[str, PlanEntry], version: str, url: str) -> str:
    """Return the plan in one line for the operator."""
    labels = {
        JOINED: "joined",
        NEW: "new",
        DISCONNECTED: "disconnected",
        MISSING_ROLES: "missing a role",
        UPDATE: "to change",
    }
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
        more = f"; it also changes: {', '.join(entry['changes'])}" if entry["changes"] else ""
        return f"{name}: joined, but the role {', '.join(entry['missing_roles'])} is missing{more}"
    if entry["state"] == UPDATE:
        return f"{name}: joined, changes: {', '.join(entry['changes'])}"
    return f"{name}: known as {entry['runner_id']}, but disconnected"


# -- after the join --------------------------------------------------------------------------------------------------


def differences(entry: KnownHost, zone: str | None, version: str | None) -> list[str]:
    """Return how zone and version of a connected host differ from what is wanted, each as part of a sentence."""
    runner, allocator = entry.get("runner") or {}, entry.get("allocator") or {}
    found = []
    actual_zone = zone_of(runner, allocator)
    if zone and actual_zone and actual_zone != zone:
        found.append(one_line(f"{IN_ZONE}{actual_zone} instead of {zone}"))
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
