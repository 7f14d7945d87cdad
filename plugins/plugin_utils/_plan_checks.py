# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What a plan would do that the operator may not mean: new roles for joined hosts, and zones that are not there yet.

Pure functions over plain data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._ece import DEFAULT_ZONE
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._plan import KnownHost, PlanEntry
from ansible_collections.ece.platform.plugins.module_utils._records import (
    connected_of,
    object_of,
    objects_of,
    runner_roles,
    text_of,
)
from ansible_collections.ece.platform.plugins.module_utils._states import JOINED, NEW
from ansible_collections.ece.platform.plugins.module_utils._text import first_names, one_line

# Joined hosts of a play that get a role without being asked for: more are a variable of a whole group or fleet.
ASSIGNED_MAX = 10


def check_role_changes(
    planned: Mapping[str, PlanEntry],
    choices: Mapping[str, "bool | None"],
    elsewhere: Mapping[str, Sequence[str]],
    roles_are_extra: bool,
) -> dict[str, PlanEntry]:
    """Return the plan in which a host whose choice is false keeps its roles.

    choices: ece_host_assign_roles of each joined host that lacks a role, or None where it is not set.
    elsewhere: the missing roles of such hosts in the play's other batches for which it is not set.
    roles_are_extra: ece_host_roles is an extra variable, as a survey's answer is, and so applies to every host.
    Raises OptionError where the choice has to be made.
    """
    unasked = {name: planned[name]["missing_roles"] for name, choice in choices.items() if choice is None}
    unasked.update({name: list(missing) for name, missing in elsewhere.items() if name not in planned})
    if unasked and (roles_are_extra or len(unasked) > ASSIGNED_MAX):
        roles = sorted({role for missing in unasked.values() for role in missing})
        hosts = "1 joined host" if len(unasked) == 1 else f"{len(unasked):,} joined hosts"
        why = "as ece_host_roles is an extra variable" if roles_are_extra else f"more than {ASSIGNED_MAX} in one play"
        raise OptionError(
            f"{hosts} ({first_names(list(unasked))}) would get the role {', '.join(roles)}, {why}: set "
            "ece_host_assign_roles to true if that is meant, or to false to leave joined hosts as they are"
        )
    return {name: _left(entry) if choices.get(name) is False else entry for name, entry in planned.items()}


def _left(entry: PlanEntry) -> PlanEntry:
    missing = ", ".join(entry["missing_roles"])
    difference = f"it lacks the role {missing}, and ece_host_assign_roles is false"
    return {**entry, "state": JOINED, "missing_roles": [], "differences": [*entry["differences"], difference]}


def platform_zones(platform: Mapping[str, Any], known: Mapping[str, KnownHost]) -> set[str]:
    """Return the availability zones that the platform has, by its summaries and by the lists of its hosts."""
    zones = {
        text_of(zone.get("zone_id"))
        for region in objects_of(platform.get("regions"))
        for zone in objects_of(object_of(region.get("allocators")).get("zone_summaries"))
    }
    for host in known.values():
        zones |= {text_of(host.get("runner", {}).get("zone")), text_of(host.get("allocator", {}).get("zone_id"))}
    return {zone for zone in zones if zone}


def new_zone_warnings(entries: Iterable[PlanEntry], zones: set[str]) -> list[str]:
    """Return a sentence for each zone that a new host would add to the platform."""
    wanted: dict[str, list[str]] = {}
    for entry in entries:
        if entry["state"] == NEW and entry["zone"] and entry["zone"] not in zones:
            wanted.setdefault(entry["zone"], []).append(entry["name"])
    have = ", ".join(sorted(zones))
    return [
        f"ece_host_zone {zone} is not a zone of the platform yet, and {first_names(names)} would be the first there"
        + (f"; the platform has {have}" if have else "")
        for zone, names in sorted(wanted.items())
    ]


def one_zone_warnings(entries: Iterable[PlanEntry], zones: set[str], own_zone: Callable[[str], Any]) -> list[str]:
    """Return a sentence where an extra variable puts several new hosts into one of several zones.

    own_zone: returns the zone that the inventory has for a host, or None.
    """
    new = [entry for entry in entries if entry["state"] == NEW]
    # The extra variable may be a template, which gives each host a zone of its own.
    if len(new) < 2 or len({entry["zone"] for entry in new}) > 1:
        return []
    zone = str(new[0]["zone"])
    outranked: dict[str, list[str]] = {}
    for entry in new:
        own = own_zone(entry["name"])
        if own not in (None, "", zone):
            outranked.setdefault(one_line(own), []).append(entry["name"])
    if len(zones) < 2 and not outranked:
        return []
    differing = ", ".join(f"{own} for {first_names(names)}" for own, names in sorted(outranked.items()))
    return [
        f"ece_host_zone {zone} is an extra variable, which outranks the inventory: all {len(new):,} new hosts "
        f"({first_names([entry['name'] for entry in new])}) join that zone, and the platform has "
        f"{', '.join(sorted(zones)) or 'no zone yet'}" + (f"; the inventory has {differing}" if differing else "")
    ]


def default_zone_line(entries: Iterable[PlanEntry], zones: set[str]) -> str | None:
    """Return the line on new hosts without a zone, or None where the platform has one zone to choose from."""
    names = [entry["name"] for entry in entries if entry["state"] == NEW and not entry["zone"]]
    if not names or not zones - {DEFAULT_ZONE}:
        return None
    return f"ece_host_zone is not set for {first_names(names)}: {DEFAULT_ZONE}, the installer's default"


def director_addresses(known: Mapping[str, KnownHost]) -> list[str]:
    """Return the addresses of the connected hosts with the role director, which a host has to reach."""
    runners = [entry.get("runner") or {} for entry in known.values()]
    directors = [one for one in runners if connected_of(one) and "director" in runner_roles(one)]
    return sorted({address for address in (text_of(one.get("host_ip")) for one in directors) if address})
