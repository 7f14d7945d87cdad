# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The hosts of a platform as an inventory: which there are, their names, their variables, and what an author set wrong.

Pure functions over plain data, but for read_fleet(), which asks the platform.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.ece.platform.plugins.module_utils._client import ALLOCATOR_PAGE_SIZE, EceClient
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._module import VERSION
from ansible_collections.ece.platform.plugins.module_utils._plan import identifies_a_host, normal_address
from ansible_collections.ece.platform.plugins.module_utils._records import (
    FlatAllocator,
    FlatRunner,
    count_warning,
    flat_allocator,
    flat_runner,
    object_of,
    objects_of,
    platform_totals,
    text_of,
    without_secrets,
    zone_of,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names, one_line, plain_values

# A page that is not full is the end of the list. So 1,000 allocators are one request.
PAGE_SIZE = ALLOCATOR_PAGE_SIZE + 1

# The variables of each host; every host has all of them.
VARIABLES = (
    "ece_runner_id",
    "ece_allocator_id",
    "ece_runner_name",
    "ece_public_hostname",
    "ece_zone",
    "ece_roles",
    "ece_connected",
    "ece_healthy",
    "ece_maintenance",
    "ece_version",
    "ece_memory_mb",
    "ece_memory_used_mb",
    "ece_storage_mib",
    "ece_instance_count",
    "ece_tags",
)
# Values of the option `hostnames`, and the variable that each of them reads.
HOSTNAMES = {
    "runner_id": "",  # the id of the host, which is no single variable: a host may lack its runner or its allocator
    "host_ip": "ansible_host",
    "public_hostname": "ece_public_hostname",
    "name": "ece_runner_name",
}
# Variables that are true or false, or numbers.
NO_NAMES = (
    *("ece_connected", "ece_healthy", "ece_maintenance"),
    *("ece_memory_mb", "ece_memory_used_mb", "ece_storage_mib", "ece_instance_count"),
)
# Groups that Ansible has by itself.
NAMES_OF_GROUPS = ("all", "ungrouped")
# As similar as filter and filters.
SIMILAR = 0.7


class Fleet(NamedTuple):
    """The hosts of a platform: the variables of each by its id, and warnings about the lists that they are from."""

    hosts: dict[str, dict[str, Any]]
    warnings: list[str]


# -- hosts and their variables ---------------------------------------------------------------------------------------


def read_fleet(client: EceClient) -> Fleet:
    """Return all hosts of a platform, with three requests for up to 1,000 allocators. Raises EceError."""
    totals = platform_totals(client.platform())
    runners = client.runners()
    allocators = list(map(flat_allocator, client.iter_allocators(totals["allocators"], PAGE_SIZE)))
    counts = (("runners", len(runners), totals["runners"]), ("allocators", len(allocators), totals["allocators"]))
    return Fleet(
        hosts_of(runners, allocators), [*filter(None, (count_warning(*one) for one in counts)), *client.warnings]
    )


def hosts_of(runners: Iterable[Mapping[str, Any]], allocators: Iterable[FlatAllocator]) -> dict[str, dict[str, Any]]:
    """Return the variables of each host by its id: one host for a runner, an allocator, or both with the same id."""
    by_id = {allocator["allocator_id"]: allocator for allocator in allocators}
    hosts = {}
    for runner in runners:
        flat = flat_runner(runner)
        name = text_of(runner.get("runner_name"))
        hosts[flat["runner_id"]] = host_variables(flat, by_id.pop(flat["runner_id"], None), name)
    hosts.update((known_id, host_variables(None, allocator)) for known_id, allocator in by_id.items())
    return {known_id: hosts[known_id] for known_id in sorted(hosts)}


def host_variables(
    runner: FlatRunner | None, allocator: FlatAllocator | None, runner_name: str | None = None
) -> dict[str, Any]:
    """Return the variables of a host, plain and without secrets. A part that the platform does not have is None.

    ansible_host is set where the platform has an address that is the host's alone: with a loopback address, Ansible
    would change the controller.
    """
    parts: list[Mapping[str, Any]] = [part for part in (allocator, runner) if part]
    address = next((part["host_ip"] for part in parts if _is_own(part["host_ip"])), None)
    tags = {**object_of(runner and runner["tags"]), **object_of(allocator and allocator["tags"])}
    variables = {
        "ece_runner_id": runner and runner["runner_id"],
        "ece_allocator_id": allocator and allocator["allocator_id"],
        "ece_runner_name": runner_name,
        "ece_public_hostname": _first(part["public_hostname"] for part in parts),
        "ece_zone": zone_of(runner, allocator),
        "ece_roles": runner["roles"] if runner else [],
        "ece_connected": all(part["connected"] for part in parts),
        "ece_healthy": all(part["healthy"] for part in parts),
        "ece_maintenance": bool(allocator and allocator["maintenance_mode"]),
        "ece_version": _first(part["version"] for part in parts),
        "ece_memory_mb": allocator and allocator["memory_total_mb"],
        "ece_memory_used_mb": allocator and allocator["memory_used_mb"],
        "ece_storage_mib": allocator and allocator["storage_total_mib"],
        "ece_instance_count": allocator["instance_count"] if allocator else 0,
        # Text, because a group of the value None would have that name.
        "ece_tags": {key: value or "" for key, value in tags.items()},
    }
    if address:
        variables["ansible_host"] = address.strip()
    safe: dict[str, Any] = plain_values(without_secrets(variables))
    # A value that looks like a secret is left out, and every host has every variable.
    return {**dict.fromkeys(VARIABLES), **safe}


def _is_own(address: str | None) -> bool:
    return bool(address and address.strip()) and identifies_a_host(normal_address(address))


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value), None)


# -- names -----------------------------------------------------------------------------------------------------------


def check_hostnames(hostnames: Sequence[str]) -> None:
    """Raise OptionError for a value of `hostnames` that names nothing."""
    for value in hostnames:
        if value not in HOSTNAMES:
            raise OptionError(
                f"hostnames has {value!r}: use some of {', '.join(HOSTNAMES)}, in the order of preference"
            )


def inventory_names(
    hosts: Mapping[str, Mapping[str, Any]], hostnames: Sequence[str]
) -> tuple[dict[str, str], list[str]]:
    """Return the id of each host by its name in the inventory, and warnings.

    A host has the first value that it has, and that no other host may have as its name. The last is its id.
    """
    wanted = {known_id: _candidates(known_id, variables, hostnames) for known_id, variables in hosts.items()}
    ids = Counter(map(one_line, hosts))
    claims: dict[str, list[str]] = {}
    for known_id, candidates in wanted.items():
        for candidate in candidates:
            claims.setdefault(candidate, []).append(known_id)
    names: dict[str, str] = {}
    shared: dict[str, list[str]] = {}
    left_out = []
    for known_id, candidates in wanted.items():
        # An id is its own host's, also where it is a name of another one: a machine that was installed again.
        own = [name for name in candidates if len(claims[name]) == 1 or (name == one_line(known_id) and ids[name] == 1)]
        if own:
            names[own[0]] = known_id
        else:  # ids that differ in characters that are not visible, or empty ones
            left_out.append(repr(known_id))
        before = candidates[: candidates.index(own[0])] if own else candidates
        shared.update((candidate, claims[candidate]) for candidate in before)
    warnings = [
        f"{name} is a name of several hosts in the platform ({first_names(map(one_line, ids))}), so each of them has "
        "the next of hostnames as its name"
        for name, ids in sorted(shared.items())
    ]
    if left_out:
        warnings.append(f"hosts without a name of their own are left out: {first_names(left_out)}")
    return names, warnings[:WARNINGS_MAX] + (
        [f"and {len(warnings) - WARNINGS_MAX:,} more names of several hosts"] if len(warnings) > WARNINGS_MAX else []
    )


# A fleet whose hosts all have one name is said in a few lines.
WARNINGS_MAX = 5


def _candidates(known_id: str, variables: Mapping[str, Any], hostnames: Sequence[str]) -> list[str]:
    """Return the names that a host may have, each once, in the order of preference."""
    own_id = one_line(known_id)
    found = []
    for value in hostnames:
        name = one_line(variables.get(HOSTNAMES[value]) or "") if HOSTNAMES[value] else own_id
        if name == own_id or (_is_own(name) and name not in NAMES_OF_GROUPS):
            found.append(name)
    return list(dict.fromkeys(filter(None, [*found, own_id])))


def address_warnings(hosts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a warning where Ansible would reach one machine by several hosts of the platform.

    A machine that was installed again has two runners until the old one is deleted.
    """
    by_address: dict[str, list[str]] = {}
    for known_id, variables in hosts.items():
        if variables.get("ansible_host"):
            by_address.setdefault(normal_address(variables["ansible_host"]), []).append(known_id)
    shared = {address: ids for address, ids in by_address.items() if len(ids) > 1}
    if not shared:
        return []
    address, ids = next(iter(shared.items()))
    others = f", and so do {len(shared) - 1:,} more" if len(shared) > 1 else ""
    return [
        f"the address {address} belongs to several hosts in the platform ({first_names(map(one_line, ids))}){others}: "
        "a play would reach one machine several times; delete the runner that is gone, or leave it out by a filter"
    ]


# -- options ---------------------------------------------------------------------------------------------------------


class Filter(NamedTuple):
    """A condition. place: how a message names it. includes: whether a host that meets it is in the inventory."""

    place: str
    includes: bool
    condition: Any


def parse_filters(filters: Any) -> list[Filter]:
    """Return the checked value of option `filters`. Raises OptionError."""
    form = "give a list of entries like `include: ece_connected` or `exclude: ece_maintenance`"
    if not isinstance(filters or [], (list, tuple)):
        raise OptionError(f"filters is no list: {form}")
    found = []
    for number, entry in enumerate(filters or []):
        place = f"filters[{number}]"
        if not isinstance(entry, Mapping) or len(entry) != 1:
            raise OptionError(f"{place} is {entry!r}, which is not one include or exclude: {form}")
        ((kind, condition),) = entry.items()
        if kind not in ("include", "exclude"):
            raise OptionError(f"{place} has the key {kind!r}: use include or exclude")
        if not isinstance(condition, (str, bool)) or condition == "":
            raise OptionError(f"{place}.{kind} is {condition!r}: give a condition like ece_connected")
        found.append(Filter(f"{place}.{kind}", kind == "include", condition))
    return found


def value_of(expression: Any, variables: Mapping[str, Any]) -> Any:
    """Return the value of an expression that is a variable of the platform, or `not` and such one; else None."""
    text = expression.strip() if isinstance(expression, str) else ""
    name = text.removeprefix("not ").strip()
    value = variables.get(name) if name in VARIABLES else None
    if name == text:
        return value
    return not value if isinstance(value, bool) else None


def check_keyed_groups(keyed_groups: Iterable[Any]) -> None:
    """Raise OptionError for a key whose value Ansible takes for no name of a group."""
    for number, keyed in enumerate(keyed_groups):
        key = str(keyed.get("key")).strip() if isinstance(keyed, Mapping) else ""
        if key in NO_NAMES:
            raise OptionError(
                f"keyed_groups[{number}] has the key {key}, whose value is neither text nor a list of texts: "
                f"use groups, like `group_name: {key}`"
            )


def check_option_names(config: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise OptionError for a key of the file that is no option: a filter with a typo would leave all hosts in."""
    for name in config:
        if name not in known:
            close = difflib.get_close_matches(str(name), sorted(known), 1, SIMILAR)
            meant = f"did you mean {close[0]}?" if close else "`ansible-doc -t inventory ece.platform.ece` lists them"
            raise OptionError(f"{name} is not an option of this inventory plugin; {meant}")


# -- cache -----------------------------------------------------------------------------------------------------------


def cache_entry(fleet: Fleet, urls: Sequence[str]) -> dict[str, Any]:
    """Return a fleet as the cache keeps it: plain data without secrets."""
    return {"version": VERSION, "urls": list(urls), "hosts": fleet.hosts, "warnings": fleet.warnings}


def cached_fleet(entry: Any, urls: Sequence[str]) -> Fleet | None:
    """Return the fleet of an entry of the cache, or None if it is of another platform or release, or damaged."""
    known = object_of(entry)
    hosts = known.get("hosts")
    if (known.get("version"), known.get("urls")) != (VERSION, list(urls)) or not isinstance(hosts, Mapping):
        return None
    if len(objects_of(list(hosts.values()))) != len(hosts):
        return None
    warnings = known.get("warnings")
    return Fleet(
        {str(known_id): _of_cache(variables) for known_id, variables in hosts.items()},
        [str(warning) for warning in warnings] if isinstance(warnings, list) else [],
    )


def _of_cache(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables of a host that the plugin gives. A cache that others can write adds none."""
    known = {name: value for name, value in variables.items() if name in VARIABLES or name == "ansible_host"}
    return {**dict.fromkeys(VARIABLES), **known}
