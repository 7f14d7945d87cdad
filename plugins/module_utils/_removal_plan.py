# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The plan of a removal: which runner each host is, whether that is proven, and what speaks against its removal.

Pure functions over plain data; no I/O. `_removal_lookup` asks the platform for what they need.

Sources of the rules: Elastic's pages on deleting hosts (deploy-manage/maintenance/ece/delete-ece-hosts.md), on moving
instances (move-nodes-instances-from-allocators.md) and on roles (deploy-manage/deploy/cloud-enterprise/
assign-roles-to-hosts.md), as of 2026-07.
"""

from __future__ import annotations

from typing import Any, Collection, Iterable, Mapping, Sequence, TypedDict
from urllib.parse import urlsplit

from ansible_collections.ece.platform.plugins.module_utils._allocator import (
    capacity_of,
    in_maintenance,
    used_memory,
)
from ansible_collections.ece.platform.plugins.module_utils._ece import ROLES
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    EXPLICIT,
    HOST_IP,
    RUNNER_ID,
    HostIdentity,
    KnownHost,
    known_parts,
    normal_address,
)
from ansible_collections.ece.platform.plugins.module_utils._records import (
    FlatAllocator,
    connected_of,
    flat_allocator,
    object_of,
    runner_roles,
    text_of,
    zone_of,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names, one_line

# What the plan has for a host.
REMOVE = "remove"
ABSENT = "absent"
REFUSED = "refused"

# What is done with the instances of an allocator (ece_host_removal_instances).
VACATE = "vacate"
DELETE = "delete"

# Roles without whose last holder there is no platform: the API is the coordinators', and the directors keep its state.
DIRECTOR = "director"
VITAL_ROLES = ("coordinator", DIRECTOR)
DIRECTOR_NOTE = (
    "it was a director, so its ZooKeeper runs until the host is cleaned; a former director is deleted and installed "
    "again, and not kept"
)
# A host has few runner ids and addresses, but each of its containers' networks has an address, too.
OWN_NAMES_MAX = 20
# Of a large zone, the plan names some of the allocators that stay.
STAYING_MAX = 100


class Choices(TypedDict):
    """What the role's variables say of one host: ece_host_removal_*."""

    instances: str
    clean_host: bool
    allow_last: bool
    unreachable: bool


class HostAnswer(TypedDict):
    """What a host says of itself: `facts` of ece_host_info, or None and why it did not answer."""

    facts: Mapping[str, Any] | None
    error: str


class RemovalEntry(TypedDict):
    """The plan for one host."""

    name: str
    state: str
    # The id of runner and allocator, and the variable that names it; what the host itself says where none does.
    runner_id: str
    identity: str
    host_ip: str | None
    # What the platform has of the host, runner and allocator, and whether it is connected.
    parts: dict[str, bool]
    zone: str | None
    roles: list[str]
    # Vital roles that it keeps until it is deleted, because it is their last holder and was allowed to leave.
    kept_roles: list[str]
    maintenance: bool
    # How many instances the allocator holds, and memory in MB.
    instances: int
    memory_used_mb: float | None
    memory_total_mb: float | None
    tags: dict[str, str | None]
    # What is done with the instances, and whether the host itself is cleaned.
    instances_mode: str
    clean: bool
    allow_last: bool
    # Why the host is not removed; empty where it is.
    problems: list[str]
    notes: list[str]


class ZoneCapacity(TypedDict):
    """What is left of a zone without the hosts that are removed. Memory in MB."""

    zone: str
    # Allocators that are connected and not in maintenance mode, and how many of them the platform was asked for.
    allocators: int
    free_mb: float
    needed_mb: float
    # Ids of these allocators, those that the platform was asked for first; of a large zone, some.
    staying: list[str]


# -- which runner a host is ------------------------------------------------------------------------------------------


def candidate_ids(
    identity: HostIdentity, match: str | None, facts: Mapping[str, Any] | None, listed: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return the ids by which the platform may know a host, the likeliest first.

    match: the id that the platform's lists have for it. listed: ids by address (`ids_by_address`).
    """
    said = facts or {}
    addresses = [text for text in map(text_of, said.get("addresses") or []) if text]
    own = [text for text in map(text_of, said.get("runner_ids") or []) if text]
    by_address = [known_id for address in addresses for known_id in listed.get(address, ())]
    if any(variable in EXPLICIT for variable in identity["variables"].values()):
        # An address of the host may be on others as well; who says which runner it is need not be guessed at.
        addresses = by_address = []
    ids = [match, identity["runner_id"], *own[:OWN_NAMES_MAX], *by_address[:OWN_NAMES_MAX], *addresses[:OWN_NAMES_MAX]]
    return [known_id for known_id in dict.fromkeys(ids) if known_id and known_id not in (".", "..")]


def naming(identity: HostIdentity, known_id: str, known: KnownHost) -> tuple[str, str] | None:
    """Return the value and the variable by which the inventory names a runner, or None where none does."""
    listed = _names_of(known_id, known)
    return next(((value, variable) for value, variable in identity["variables"].items() if value in listed), None)


def identity_problem(identity: HostIdentity, known_id: str, known: KnownHost, answer: HostAnswer) -> str | None:
    """Return why it is not proven that a host is this runner, or None.

    An address that Ansible connects to may be a gateway with other hosts behind it, so it is no proof. What proves it
    is a variable that says which runner the host is, the host's own folders, or its own addresses where the inventory
    names the runner as well: machines behind NAT share addresses. Nothing that the host says of itself may contradict,
    but for its addresses where a removal has stopped after it had cleaned the host (`is_cleaned`).
    """
    found = naming(identity, known_id, known)
    variable = found[1] if found else ""
    explicit = variable in EXPLICIT
    host_ip, runner_id = _host_ip(known), one_line(known_id)
    facts = answer["facts"]
    other = _named_otherwise(identity, known_id, known)
    if other:
        return (
            f"it is runner {runner_id}{_at(host_ip)} by {_by(found)}, and not by {other}: correct {other.split()[0]}, "
            "or look which host this is"
        )
    if facts is None:
        return None if explicit else _not_proven_unasked(runner_id, host_ip, found)
    folders = [text for text in map(text_of, facts.get("runner_ids") or []) if text]
    addresses = facts.get("addresses") or []
    has_folder, has_address = known_id in folders, bool(host_ip) and host_ip in addresses
    contradicts = bool(host_ip) and bool(addresses) and not has_address
    if folders and not has_folder:
        return (
            f"its storage path is that of runner {first_names(map(one_line, folders), 3)}, and {_by(found)} names "
            f"{runner_id}: correct {variable or RUNNER_ID}, or look which host this is"
        )
    if contradicts and not (explicit and (has_folder or is_cleaned(known, facts))):
        return (
            f"the platform has {runner_id} at {one_line(host_ip)}, which is no address of this host"
            f"{': it looks like a copy of that host' if has_folder else ''}; set {RUNNER_ID} and {HOST_IP} to what "
            "this host is, or look which host this is"
            f"{'' if has_folder else _without_storage(known, facts)}"
        )
    if any(known_parts(known).values()) and facts.get("containers_known") and not facts.get("ece_containers"):
        if not has_address:
            return (
                f"the platform is connected to {runner_id}{_at(host_ip)}, but this host runs no ECE container, so that "
                f"it is another one: correct {variable or RUNNER_ID}; if ECE was just removed from it, run this again "
                "when the platform shows it as disconnected"
            )
    if explicit or has_folder or (has_address and found):
        return None
    return (
        f"only {_by(found)} says that it is runner {runner_id}, and another host may be behind that address: set "
        f"{RUNNER_ID}: {runner_id} if it is this runner"
    )


def is_cleaned(known: KnownHost, facts: Mapping[str, Any]) -> bool:
    """Return whether platform and host are as a removal leaves them that has cleaned the host and deleted nothing.

    The platform is not connected to any part, the runner has no role that can be taken away, the allocator is empty and
    in maintenance mode, and the host has nothing of ECE. A host that is only switched off is not like that.
    """
    runner, allocator = known.get("runner"), known.get("allocator")
    return (
        not connected_parts(runner, allocator)
        and not (runner and set(runner_roles(runner)).intersection(ROLES))
        and (not allocator or (in_maintenance(allocator) and allocator.get("instances") == []))
        and facts.get("containers_known") is True
        and facts.get("ece_containers") == []
        and facts.get("runner_ids") == []
    )


def _without_storage(known: KnownHost, facts: Mapping[str, Any]) -> str:
    if is_cleaned(known, facts):
        return "; if ECE was removed from this host already, one of the two variables is enough"
    return "; if it is that host without its storage, delete the runner with ece_runner"


def _named_otherwise(identity: HostIdentity, known_id: str, known: KnownHost) -> str | None:
    """Return the variable and the value by which the user names another runner than this one, or None."""
    listed = _names_of(known_id, known)
    for value, variable in identity["variables"].items():
        own = {normal_address(known_id)} if variable == RUNNER_ID else listed
        if variable in EXPLICIT and value not in own:
            return f"{variable} {one_line(value)}"
    return None


def _names_of(known_id: str, known: KnownHost) -> set[str]:
    """Return id and addresses of a runner, in their normal form."""
    listed = {normal_address(known_id)}
    for part in (known.get("runner"), known.get("allocator")):
        for key in ("host_ip", "public_hostname"):
            address = text_of((part or {}).get(key))
            listed.update([normal_address(address)] if address else [])
    return listed


def _not_proven_unasked(runner_id: str, host_ip: str | None, found: tuple[str, str] | None) -> str:
    return (
        f"it cannot be asked who it is, and only {_by(found)} says that it is runner {runner_id}{_at(host_ip)}: set "
        f"{RUNNER_ID} or {HOST_IP} of it"
    )


def _by(found: tuple[str, str] | None) -> str:
    return f"{found[1]} {one_line(found[0])}" if found else "what the host says of itself"


def _at(host_ip: str | None) -> str:
    return f" at {one_line(host_ip)}" if host_ip else ""


def _host_ip(known: KnownHost) -> str | None:
    return text_of((known.get("runner") or {}).get("host_ip")) or text_of((known.get("allocator") or {}).get("host_ip"))


# -- one host --------------------------------------------------------------------------------------------------------


def plan_host(
    identity: HostIdentity, known_id: str | None, known: KnownHost | None, answer: HostAnswer, choices: Choices
) -> RemovalEntry:
    """Return the plan for one host, without what other hosts have to do with it.

    known_id, known: what the platform answered when it was asked for that very runner; None where it has none.

    ================ ================================ ==============================================================
    the platform     the host                         the plan
    ================ ================================ ==============================================================
    knows it         is proven to be that runner      remove
    knows it         contradicts, or proves nothing   refused
    knows it         cannot be reached                remove, with `unreachable`, a variable that names the runner,
                                                      and no connection to the platform; else refused
    does not know it runs ECE                         refused: it may be another platform's
    does not know it runs no ECE, or has no engine    absent: nothing to do
    does not know it its engine does not answer       refused: that is no proof that it runs no ECE
    does not know it cannot be reached                refused; absent with `unreachable` and a variable that names it
    ================ ================================ ==============================================================
    """
    entry = _entry(identity, known_id, known, choices)
    facts = answer["facts"]
    if facts is None:
        entry["clean"] = False
        return _with(entry, *_of_silent_host(identity, entry, known, answer, choices))
    if facts.get("installer_running"):
        return _with(entry, REFUSED, "an installer is running on it: run this again when that has ended")
    if known_id is None or known is None:
        return _with(entry, *_of_unknown_host(identity, facts))
    problem = identity_problem(identity, known_id, known, answer)
    if problem:
        return _with(entry, REFUSED, f"it is not removed, because {problem}")
    if choices["clean_host"] and not facts.get("containers_known", True):
        return _with(
            entry,
            REFUSED,
            f"its container engine does not answer ({_engine_error(facts)}), so that nothing of ECE "
            "can be removed from it: start the engine, or set ece_host_removal_clean_host: false",
        )
    allocator = known.get("allocator")
    if (
        allocator
        and entry["instances"]
        and choices["instances"] == VACATE
        and facts.get("ece_containers")
        and not connected_of(object_of(allocator.get("status")))
    ):
        return _with(
            entry,
            REFUSED,
            f"it runs ECE, but the platform is not connected to its allocator, so that its {entry['instances']} "
            "instances would be moved as those of a lost host, without what they have written since their last "
            "snapshots: mend the connection first, or set ece_host_removal_instances: delete",
        )
    if DIRECTOR in entry["roles"]:
        entry["notes"].append(DIRECTOR_NOTE)
    if not choices["clean_host"] and any(entry["parts"].values()):
        entry["notes"].append(
            "ece_host_removal_clean_host is false, so that it is deleted only when something else stops ECE on it"
        )
    return _with(entry, REMOVE)


def _entry(identity: HostIdentity, known_id: str | None, known: KnownHost | None, choices: Choices) -> RemovalEntry:
    runner, allocator = (known or {}).get("runner") or {}, (known or {}).get("allocator") or {}
    flat = flat_allocator(allocator)
    found = naming(identity, known_id, known) if known_id is not None and known else None
    return {
        "name": identity["name"],
        "state": REFUSED,
        "runner_id": known_id or identity["runner_id"],
        "identity": _by(found) if known else "",
        "host_ip": _host_ip(known or {}),
        "parts": known_parts(known or {}),
        "zone": zone_of(runner, allocator),
        "roles": [role for role in runner_roles(runner) if role in ROLES],
        "kept_roles": [],
        "maintenance": flat["maintenance_mode"],
        "instances": flat["instance_count"],
        "memory_used_mb": used_memory(allocator) if allocator else None,
        "memory_total_mb": flat["memory_total_mb"],
        "tags": flat["tags"],
        "instances_mode": choices["instances"],
        "clean": choices["clean_host"],
        "allow_last": choices["allow_last"],
        "problems": [],
        "notes": [],
    }


def _with(entry: RemovalEntry, state: str, problem: str = "") -> RemovalEntry:
    return {**entry, "state": state, "problems": [*entry["problems"], *([problem] if problem else [])]}


def _of_silent_host(
    identity: HostIdentity,
    entry: RemovalEntry,
    known: KnownHost | None,
    answer: HostAnswer,
    choices: Choices,
) -> tuple[str, str]:
    """Return state and problem of a host that cannot be asked."""
    why = one_line(answer["error"] or "it cannot be reached")
    if not choices["unreachable"]:
        return REFUSED, (
            f"{why}; if the host is gone for good, set ece_host_removal_unreachable: true and {RUNNER_ID} or "
            f"{HOST_IP}, which removes it from the platform alone"
        )
    named = any(variable in EXPLICIT for variable in identity["variables"].values())
    if known is None:
        if named:
            return ABSENT, ""
        return REFUSED, f"{why}, and the platform does not know {one_line(entry['runner_id'])}: set {RUNNER_ID} of it"
    problem = identity_problem(identity, entry["runner_id"], known, answer)
    if problem:
        return REFUSED, f"it is not removed, because {problem}"
    if connected_parts(known.get("runner"), known.get("allocator")):
        return REFUSED, (
            f"Ansible cannot reach it, but the platform is connected to {one_line(entry['runner_id'])}, so that it is "
            "not gone: make it reachable, or stop it first"
        )
    entry["notes"].append("it cannot be reached, so that it is removed from the platform alone")
    return REMOVE, ""


def _of_unknown_host(identity: HostIdentity, facts: Mapping[str, Any]) -> tuple[str, str]:
    """Return state and problem of a host that answers, and that the platform does not know."""
    containers = [text for text in map(text_of, facts.get("ece_containers") or []) if text]
    if containers:
        return REFUSED, (
            f"it runs ECE ({first_names(map(one_line, containers), 3)}), but this platform does not know it as "
            f"{one_line(identity['runner_id'])}, nor by a name that it has for itself: look whether ece_url is its "
            "platform; nothing on it is touched"
        )
    # Without an engine they are known: there are none.
    if not facts.get("containers_known", True):
        return REFUSED, (
            f"its container engine does not answer ({_engine_error(facts)}), so that it is not known whether ECE is on "
            f"it, and the platform does not know it as {one_line(identity['runner_id'])}: start the engine and run "
            "this again, or leave the host out"
        )
    return ABSENT, ""


def _engine_error(facts: Mapping[str, Any]) -> str:
    engine = object_of(facts.get("engine"))
    return one_line(engine.get("containers_error") or engine.get("error") or "it gave no reason")


# -- all hosts together ----------------------------------------------------------------------------------------------


def removed_ids(entries: Iterable[RemovalEntry]) -> set[str]:
    """Return the ids of the runners that are removed."""
    return {entry["runner_id"] for entry in entries if entry["state"] == REMOVE}


def double_problems(entries: Iterable[RemovalEntry]) -> dict[str, str]:
    """Return a problem for each host that is the same runner as another one, by name."""
    names: dict[str, list[str]] = {}
    for entry in entries:
        if entry["state"] == REMOVE:
            names.setdefault(entry["runner_id"], []).append(entry["name"])
    return {
        name: f"hosts {first_names(same)} are all runner {one_line(runner_id)}: one of them has a wrong address or id"
        for runner_id, same in names.items()
        if len(same) > 1
        for name in same
    }


def affected_zones(entries: Iterable[RemovalEntry]) -> list[str]:
    """Return the zones that lose an allocator."""
    return sorted({entry["zone"] or "" for entry in entries if _takes_allocator(entry)})


def _takes_allocator(entry: RemovalEntry) -> bool:
    return entry["state"] == REMOVE and "allocator" in entry["parts"]


def places(allocators: Iterable[FlatAllocator], zone: str, leaving: Collection[str]) -> list[FlatAllocator]:
    """Return the allocators of a zone that take instances, most free memory first. leaving: ids that are removed."""
    found = [
        allocator
        for allocator in allocators
        if (allocator["zone_id"] or "") == zone
        and allocator["connected"]
        and not allocator["maintenance_mode"]
        and allocator["allocator_id"] not in leaving
    ]
    return sorted(found, key=lambda allocator: (-free_mb(allocator), allocator["allocator_id"]))


def free_mb(allocator: FlatAllocator) -> float:
    """Return the memory of an allocator that no instance uses, in MB; 0 where the platform does not say."""
    return max(0.0, (allocator["memory_total_mb"] or 0) - (allocator["memory_used_mb"] or 0))


def with_memory(flat: FlatAllocator, allocator: Mapping[str, Any]) -> FlatAllocator:
    """Return an allocator with its memory as its settings and instances have it, which the platform may not sum up."""
    return {**flat, "memory_used_mb": used_memory(allocator), "memory_total_mb": capacity_of(allocator)}


def connected_parts(runner: Mapping[str, Any] | None, allocator: Mapping[str, Any] | None) -> list[str]:
    """Return which of a host's parts the platform does not call disconnected: silence is no proof."""
    parts = {"runner": runner, "allocator": None if allocator is None else object_of(allocator.get("status"))}
    return [part for part, status in parts.items() if status is not None and status.get("connected") is not False]


def needed_mb(entries: Iterable[RemovalEntry], zone: str) -> float:
    """Return the memory of the instances that have to move within a zone, in MB."""
    return sum(
        entry["memory_used_mb"] or 0
        for entry in entries
        if _takes_allocator(entry)
        and (entry["zone"] or "") == zone
        and entry["instances_mode"] == VACATE
        and entry["instances"]
    )


def zone_capacity(entries: Sequence[RemovalEntry], zone: str, remaining: Sequence[FlatAllocator]) -> ZoneCapacity:
    """Return what is left of a zone. remaining: its `places`."""
    return {
        "zone": zone,
        "allocators": len(remaining),
        "free_mb": sum(map(free_mb, remaining)),
        "needed_mb": needed_mb(entries, zone),
        "staying": [allocator["allocator_id"] for allocator in remaining[:STAYING_MAX]],
    }


def zone_problems(entries: Sequence[RemovalEntry], capacity: ZoneCapacity) -> dict[str, str]:
    """Return why hosts cannot leave a zone, by name."""
    found: dict[str, str] = {}
    zone = one_line(capacity["zone"] or "without a name")
    for entry in entries:
        if not _takes_allocator(entry) or (entry["zone"] or "") != capacity["zone"]:
            continue
        # Of a zone whose allocators are gone already, nothing is taken away.
        if not capacity["allocators"] and not entry["allow_last"] and (_is_in_use(entry) or entry["instances"]):
            found[entry["name"]] = (
                f"no connected allocator out of maintenance mode would be left in zone {zone}: add one first, or set "
                "ece_host_removal_allow_last: true"
            )
        elif entry["instances"] and entry["instances_mode"] == VACATE and not _fits(capacity):
            found[entry["name"]] = (
                f"its {_count(entry['instances'], 'instance')} cannot move: the removal needs "
                f"{_mb(capacity['needed_mb'])} in zone {zone}, and {_mb(capacity['free_mb'])} are free on the "
                f"{_count(capacity['allocators'], 'allocator')} that would be left; add capacity first, or set "
                "ece_host_removal_instances: delete, which loses them"
            )
    return found


def _fits(capacity: ZoneCapacity) -> bool:
    return capacity["allocators"] > 0 and capacity["needed_mb"] <= capacity["free_mb"]


def _is_in_use(entry: RemovalEntry) -> bool:
    return entry["parts"].get("allocator", False)


def tag_notes(entries: Iterable[RemovalEntry], zone: str, remaining: Sequence[FlatAllocator]) -> dict[str, str]:
    """Return a note for each host whose tags no remaining allocator of its zone has, by name.

    Which tags an instance needs, its deployment template says; capacity with other tags may be of no use to it.
    """
    notes = {}
    for entry in entries:
        if not _takes_allocator(entry) or (entry["zone"] or "") != zone or not entry["tags"] or not remaining:
            continue
        if not any(entry["tags"].items() <= allocator["tags"].items() for allocator in remaining):
            tags = ", ".join(sorted(f"{key}:{value}" for key, value in entry["tags"].items()))
            notes[entry["name"]] = one_line(
                f"no allocator that would be left in zone {zone or 'without a name'} has all of its tags ({tags}), so "
                "that instances that need them cannot move"
            )
    return notes


def vital_roles(entries: Iterable[RemovalEntry]) -> list[str]:
    """Return the vital roles of hosts that are removed."""
    return [role for role in VITAL_ROLES if any(_gives_up(entry, role) for entry in entries)]


def _gives_up(entry: RemovalEntry, role: str) -> bool:
    return entry["state"] == REMOVE and role in entry["roles"]


def holders(runners: Iterable[Mapping[str, Any]], role: str, leaving: Collection[str]) -> list[str]:
    """Return the ids of connected runners with a role that stay. leaving: ids that are removed."""
    return sorted(
        runner["runner_id"]
        for runner in runners
        if role in runner_roles(runner) and connected_of(runner) and runner["runner_id"] not in leaving
    )


def role_problems(entries: Iterable[RemovalEntry], role: str) -> dict[str, str]:
    """Return the problem of each host that holds a vital role of which no connected holder would be left, by name."""
    return {
        entry["name"]: (
            f"no connected {role} would be left in the platform"
            f"{', which has no API then' if role == 'coordinator' else ''}: give the role to another host first, or "
            "set ece_host_removal_allow_last: true"
        )
        for entry in entries
        if _gives_up(entry, role) and not entry["allow_last"]
    }


def majority_problems(entries: Iterable[RemovalEntry], staying: int) -> dict[str, str]:
    """Return the problem of each director where several leave and no majority of the directors would stay, by name.

    Without a majority ZooKeeper can neither be read nor written, and so the removal could not end. staying: how many
    connected directors stay.
    """
    leaving = [entry for entry in entries if _gives_up(entry, DIRECTOR)]
    every = staying + len(leaving)
    if len(leaving) < 2 or not staying or 2 * staying > every:
        return {}
    return {
        entry["name"]: (
            f"{staying} of {every} directors would be left, which is no majority of them: remove one director at a "
            "time, or set ece_host_removal_allow_last: true"
        )
        for entry in leaving
        if not entry["allow_last"]
    }


def address_problems(entries: Iterable[RemovalEntry], urls: Sequence[str]) -> dict[str, str]:
    """Return the problem of each host that leaves where ece_url names nothing but hosts that leave, by name."""
    leaving = [entry for entry in entries if entry["state"] == REMOVE]
    by_address = {
        normal_address(address): entry["name"]
        for entry in leaving
        for address in (entry["runner_id"], entry["host_ip"])
        if address
    }
    named = [normal_address(urlsplit(url).hostname or "") for url in urls]
    if not named or not all(address in by_address for address in named):
        return {}
    stay = {entry["name"] for entry in leaving if entry["allow_last"]}
    return {
        by_address[address]: (
            "ece_url has no other coordinator than this host, and the removal could not end without one: add the "
            "address of another coordinator"
        )
        for address in named
        if by_address[address] not in stay
    }


def keeping_role(entries: Mapping[str, RemovalEntry], role: str) -> dict[str, RemovalEntry]:
    """Return the entries, of which those that may leave as the last holders of a vital role keep it until the end."""
    return {
        name: {**entry, "kept_roles": [*entry["kept_roles"], role]}
        if _gives_up(entry, role) and entry["allow_last"]
        else entry
        for name, entry in entries.items()
    }


def with_problems(entries: Mapping[str, RemovalEntry], problems: Mapping[str, str]) -> dict[str, RemovalEntry]:
    """Return the entries with these problems, each of which refuses its host."""
    return {
        name: _with(entry, REFUSED, problems[name]) if name in problems else entry for name, entry in entries.items()
    }


def with_notes(entries: Mapping[str, RemovalEntry], notes: Mapping[str, str]) -> dict[str, RemovalEntry]:
    """Return the entries with these notes."""
    return {
        name: {**entry, "notes": [*entry["notes"], notes[name]]} if name in notes else entry
        for name, entry in entries.items()
    }


# -- what the operator sees ------------------------------------------------------------------------------------------


def plan_line(entries: Mapping[str, RemovalEntry], version: str, url: str) -> str:
    """Return the plan in one line."""
    labels = {REMOVE: "to remove", ABSENT: "not in the platform", REFUSED: "refused"}
    counts = {state: sum(1 for entry in entries.values() if entry["state"] == state) for state in labels}
    parts = [f"{counts[state]:,} {label}" for state, label in labels.items() if counts[state] or state != REFUSED]
    return one_line(f"ECE {version} at {url} - {_count(len(entries), 'host')}: {', '.join(parts)}")


def entry_lines(entry: RemovalEntry) -> list[str]:
    """Return what the plan has for one host, one line each."""
    name = entry["name"]
    if entry["state"] == ABSENT:
        return []
    if entry["state"] == REFUSED:
        return [one_line(f"{name}: refused: {problem}") for problem in entry["problems"]]
    roles = ", ".join(entry["roles"]) or "no role"
    what = [f"runner {entry['runner_id']}", f"zone {entry['zone'] or '-'}", roles]
    if "allocator" in entry["parts"]:
        what += [_count(entry["instances"], "instance"), f"{_mb(entry['memory_used_mb'] or 0)} used"]
    if not any(entry["parts"].values()):
        what.append("disconnected")
    return [one_line(f"{name}: {', '.join(what)}"), *(one_line(f"{name}: {note}") for note in entry["notes"])]


def steps_line(entry: RemovalEntry) -> str:
    """Return the steps by which a host leaves, in their order."""
    steps = []
    if "allocator" in entry["parts"]:
        steps += [] if entry["maintenance"] else ["maintenance mode on"]
        if entry["instances"]:
            count = _count(entry["instances"], "instance")
            steps.append(f"move {count} away" if entry["instances_mode"] == VACATE else f"delete {count}")
    if entry["roles"]:
        steps.append(f"take away {', '.join(entry['roles'])}")
    if entry["clean"]:
        steps.append("remove containers and storage of ECE from the host")
    steps.append(f"delete {' and '.join(part for part in ('allocator', 'runner') if part in entry['parts'])}")
    return f"{entry['name']}: {'; '.join(steps)}"


def capacity_line(capacity: ZoneCapacity) -> str:
    """Return what is left of a zone."""
    needed = f", {_mb(capacity['needed_mb'])} needed" if capacity["needed_mb"] else ""
    return one_line(
        f"zone {capacity['zone'] or '-'} afterwards: {_count(capacity['allocators'], 'allocator')}, "
        f"{_mb(capacity['free_mb'])} free{needed}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _mb(number: float) -> str:
    return f"{round(number):,} MB"
