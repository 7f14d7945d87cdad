# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Asks the platform for what the plan of a removal needs.

A few requests for the lists, and one question for each runner and each allocator that a verdict rests on: lists come
from a search index, which lags behind, and nothing is deleted on the word of one.
"""

from __future__ import annotations

from typing import Any, Callable, Collection, Mapping, NamedTuple, Sequence

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    HostIdentity,
    KnownHost,
    add_hosts,
    ids_by_address,
    match_hosts,
)
from ansible_collections.ece.platform.plugins.module_utils._records import (
    FlatAllocator,
    connected_of,
    flat_allocator,
    platform_totals,
    runner_roles,
)
from ansible_collections.ece.platform.plugins.module_utils._removal_plan import (
    DIRECTOR,
    Choices,
    HostAnswer,
    RemovalEntry,
    ZoneCapacity,
    address_problems,
    affected_zones,
    candidate_ids,
    double_problems,
    free_mb,
    holders,
    identity_problem,
    keeping_role,
    majority_problems,
    naming,
    needed_mb,
    places,
    plan_host,
    removed_ids,
    role_problems,
    tag_notes,
    vital_roles,
    with_memory,
    with_notes,
    with_problems,
    zone_capacity,
    zone_problems,
)

# Of a large zone, not every allocator is asked for: these are enough to know that it has room.
QUESTIONS_MAX = 100


class HostQuestion(NamedTuple):
    """A host of the play: which one the inventory says that it is, what it says itself, and its variables."""

    identity: HostIdentity
    answer: HostAnswer
    choices: Choices


class Lists(NamedTuple):
    """What the platform lists: its hosts by id, and all that the plan needs of its allocators."""

    known: dict[str, KnownHost]
    allocators: dict[str, FlatAllocator]


class RemovalPlan(NamedTuple):
    """The plan for all hosts of a play."""

    entries: dict[str, RemovalEntry]
    zones: list[ZoneCapacity]


def read_lists(client: EceClient, platform: Mapping[str, Any]) -> Lists:
    """Return what the platform lists. platform: the answer of get-platform. Raises EceError."""
    lists = Lists({}, {})
    add_hosts(lists.known, client.runners(), ())
    for allocator in client.iter_allocators(platform_totals(platform)["allocators"]):
        add_hosts(lists.known, (), [allocator])
        lists.allocators[allocator["allocator_id"]] = flat_allocator(allocator)
    return lists


def plan_removal(
    client: EceClient, lists: Lists, hosts: Sequence[HostQuestion], urls: Sequence[str] = ()
) -> RemovalPlan:
    """Return the plan for these hosts. urls: the addresses of coordinators that the inventory has.

    Raises PlatformError where two of the hosts seem to be one, and EceError.
    """
    matches = match_hosts([host.identity for host in hosts], lists.known)
    listed = ids_by_address(lists.known)
    entries = {}
    for host in hosts:
        ids = candidate_ids(host.identity, matches[host.identity["name"]], host.answer["facts"], listed)
        known_id, known = find_host(client, ids, host)
        entries[host.identity["name"]] = plan_host(host.identity, known_id, known, host.answer, host.choices)
    entries = with_problems(entries, double_problems(entries.values()))
    zones = []
    for zone in affected_zones(entries.values()):
        remaining = confirmed_places(client, lists, entries.values(), zone)
        capacity = zone_capacity(list(entries.values()), zone, remaining)
        zones.append(capacity)
        entries = with_notes(entries, tag_notes(entries.values(), zone, remaining))
        entries = with_problems(entries, zone_problems(list(entries.values()), capacity))
    runners = [known["runner"] for known in lists.known.values() if known.get("runner")]
    for role in vital_roles(entries.values()):
        if not is_held(client, holders(runners, role, removed_ids(entries.values())), role):
            entries = with_problems(keeping_role(entries, role), role_problems(entries.values(), role))
    directors = holders(runners, DIRECTOR, removed_ids(entries.values()))
    entries = with_problems(entries, majority_problems(entries.values(), len(directors)))
    entries = with_problems(entries, address_problems(entries.values(), urls))
    return RemovalPlan(entries, zones)


def find_host(client: EceClient, ids: Sequence[str], host: HostQuestion) -> tuple[str | None, KnownHost | None]:
    """Return the runner that a host is, by the platform's answer to a question for that very id, and its id.

    The first id that the host is proven to be; without a proof the first that the platform knows, and None, None where
    it knows none. A host that the inventory names as one runner is never another one. Raises EceError.
    """
    first: tuple[str | None, KnownHost | None] = (None, None)
    for known_id in ids:
        known = single_host(client, known_id)
        if not known:
            continue
        if not identity_problem(host.identity, known_id, known, host.answer):
            return known_id, known
        if first[1] is None:
            first = (known_id, known)
        if naming(host.identity, known_id, known):
            break
    return first


def single_host(client: EceClient, known_id: str) -> KnownHost | None:
    """Return all that the platform has of the host with this id, or None; known_host() leaves the instances out.

    Raises EceError.
    """
    host = KnownHost()
    runner, allocator = client.runner(known_id), client.allocator(known_id)
    if runner is not None:
        host["runner"] = runner
    if allocator is not None:
        host["allocator"] = allocator
    return host or None


def confirmed_places(client: EceClient, lists: Lists, entries: Any, zone: str) -> list[FlatAllocator]:
    """Return the allocators that are left in a zone, by single questions for as many as the removal rests on.

    Those that are asked for come as the platform answers. The others come as they are listed, and nothing rests on
    them. Raises EceError.
    """
    planned = list(entries)
    needed, leaving = needed_mb(planned, zone), removed_ids(planned)
    candidates = places(lists.allocators.values(), zone, leaving)
    confirmed: list[FlatAllocator] = []
    asked = 0
    for candidate in candidates[:QUESTIONS_MAX]:
        asked += 1
        confirmed += _place(client, candidate["allocator_id"], zone, leaving)
        if confirmed and sum(map(free_mb, confirmed)) >= needed:
            break
    # Where what was asked for is not enough, the rest of a list does not make it so.
    enough = bool(confirmed) and sum(map(free_mb, confirmed)) >= needed
    return [*confirmed, *(candidates[asked:] if enough else [])]


def _place(client: EceClient, allocator_id: str, zone: str, leaving: Collection[str]) -> list[FlatAllocator]:
    """Return an allocator, if it takes instances by the platform's answer for it. One without a zone is in this one."""
    allocator = client.allocator(allocator_id)
    if allocator is None:
        return []
    flat = flat_allocator({**allocator, "zone_id": allocator.get("zone_id") or zone})
    return places([with_memory(flat, allocator)], zone, leaving)


def has_place(
    client: EceClient, zone: str, leaving: Collection[str], staying: Sequence[str], tell: Callable[[str], None]
) -> bool:
    """Return whether an allocator of a zone takes instances now. Raises EceError.

    Only the platform's answer for that very allocator counts: a list may still have what another run has just changed,
    and lack what is there. leaving: ids that are removed. staying: ids that are asked for first, as the plan has them.
    """
    expected = [allocator_id for allocator_id in staying if allocator_id not in leaving][:QUESTIONS_MAX]
    if any(_place(client, allocator_id, zone, leaving) for allocator_id in expected):
        return True
    tell(f"no allocator that the plan counted on in zone {zone or 'without a name'} takes instances: others are asked")
    listed = [
        allocator
        for allocator in map(flat_allocator, client.iter_allocators())
        if (allocator["zone_id"] or "") == zone and allocator["allocator_id"] not in {*leaving, *expected}
    ]
    # What the list has as out of service may be back by now, and is asked for last.
    likely = [allocator["allocator_id"] for allocator in places(listed, zone, leaving)]
    every = dict.fromkeys([*likely, *(allocator["allocator_id"] for allocator in listed)])
    return any(_place(client, allocator_id, zone, leaving) for allocator_id in list(every)[:QUESTIONS_MAX])


def is_held(client: EceClient, ids: Sequence[str], role: str) -> bool:
    """Return whether one of these runners is connected and holds a role, asking one by one. Raises EceError."""
    for runner_id in ids[:QUESTIONS_MAX]:
        runner = client.runner(runner_id)
        if runner is not None and connected_of(runner) and role in runner_roles(runner):
            return True
    return False
