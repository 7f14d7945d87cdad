# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moves of instances between allocators, as far as a client can see them. Part of the platform layer; pure functions.

As in the real product, an allocator that is not in maintenance mode may be chosen as its own target.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.standin.model import Allocator, Instance


@dataclass(frozen=True, kw_only=True)
class MoveRequest:
    """What a client asks for. clusters: ids of those to move, None for all. targets: allowed allocators, empty for any.

    force: plan another move for an instance that is moving or has another pending plan. down: do without the source.
    validate_only: plan the moves, do not begin them.
    """

    clusters: frozenset[str] | None = None
    targets: frozenset[str] = frozenset()
    force: bool = False
    down: bool = False
    validate_only: bool = False


# What the API says of a cluster that has a plan: cloud-sdk-go, pkg/api/platformapi/allocatorapi/vacate.go
PENDING = "There is a plan still pending, cancel that or wait for it to complete before restarting"


def plan_moves(
    source: Allocator, allocators: Iterable[Allocator], request: MoveRequest, now: float, seconds: float
) -> tuple[list[Instance], list[tuple[Instance, str]]]:
    """Return (instances with their target, instances that cannot move and why).

    A move takes `seconds` from `now`, and the memory on its target from `now` on.
    """
    everyone = list(allocators)
    places = [
        item
        for item in everyone
        if item.zone_id == source.zone_id
        and item.connected(now)
        and not item.maintenance
        and (not request.targets or item.allocator_id in request.targets)
    ]
    # The source comes first, so that without maintenance mode or targets an allocator never becomes empty.
    places.sort(key=lambda item: (item.allocator_id != source.allocator_id, len(item.instances), item.allocator_id))
    free = {place.allocator_id: free_memory(place, everyone) for place in places}
    moving: list[Instance] = []
    failed: list[tuple[Instance, str]] = []
    for instance in source.instances:
        if request.clusters is not None and instance.cluster_id not in request.clusters:
            continue
        if request.force and instance.moves_to in free and instance.moves_to != source.allocator_id:
            free[instance.moves_to] += instance.node_memory  # the new plan takes the place of the old one
        # On its own allocator an instance needs no more memory than it has.
        targets = [name for name in free if name == source.allocator_id or free[name] >= instance.node_memory]
        reason = _refusal(instance, source, request, now) or ("" if targets else "There is no allocator with room.")
        if reason:
            failed.append((instance, reason))
            continue
        if targets[0] != source.allocator_id:
            free[targets[0]] -= instance.node_memory
        moving.append(replace(instance, moves_at=now + seconds, moves_to=targets[0], pending=False))
    return moving, failed


def free_memory(place: Allocator, allocators: Iterable[Allocator]) -> int:
    """Return the MB that an allocator has left, without those of its instances and of those on their way to it."""
    coming = sum(
        instance.node_memory
        for item in allocators
        for instance in item.instances
        if instance.moves_to == place.allocator_id and item.allocator_id != place.allocator_id
    )
    own = sum(instance.node_memory for instance in place.instances)
    return dict(place.settings).get("capacity", place.capacity_mb) - own - coming


def _refusal(instance: Instance, source: Allocator, request: MoveRequest, now: float) -> str:
    """Return why an instance cannot move wherever there is room; empty if it can."""
    if (instance.moves_at is not None or instance.pending) and not request.force:
        return PENDING
    if not source.connected(now) and not request.down:
        return f"Allocator {source.allocator_id} is not connected."
    return instance.refusal


def settle(allocators: Iterable[Allocator], now: float) -> list[Allocator]:
    """Return the allocators that change because a move has ended by `now`."""
    known = {item.allocator_id: item for item in allocators}
    changed: set[str] = set()
    for source_id in list(known):
        for instance in [item for item in known[source_id].instances if _ended(item, now)]:
            arrived = replace(instance, moves_at=None, moves_to=None, failure=instance.fails)
            stay = tuple(item for item in known[source_id].instances if item is not instance)
            known[source_id] = replace(known[source_id], instances=stay)
            # The instance stays where it is when its move fails, or when its target was deleted in the meantime.
            target = instance.moves_to if instance.moves_to in known and not instance.fails else source_id
            known[target] = replace(known[target], instances=(*known[target].instances, arrived))
            changed |= {source_id, target}
    return [known[item] for item in sorted(changed)]


def _ended(instance: Instance, now: float) -> bool:
    return instance.moves_at is not None and instance.moves_at <= now
