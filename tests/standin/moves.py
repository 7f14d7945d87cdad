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

    force: plan another move for an instance that is moving. validate_only: plan the moves, do not begin them.
    """

    clusters: frozenset[str] | None = None
    targets: frozenset[str] = frozenset()
    force: bool = False
    validate_only: bool = False


def plan_moves(
    source: Allocator, allocators: Iterable[Allocator], request: MoveRequest, now: float, seconds: float
) -> tuple[list[Instance], list[Instance]]:
    """Return (instances with their target, instances without a target or with a move under way).

    A move takes `seconds` from `now`.
    """
    places = [
        item
        for item in allocators
        if item.zone_id == source.zone_id
        and item.connected(now)
        and not item.maintenance
        and (not request.targets or item.allocator_id in request.targets)
    ]
    # The source comes first, so that without maintenance mode or targets an allocator never becomes empty.
    places.sort(key=lambda item: (item.allocator_id != source.allocator_id, len(item.instances), item.allocator_id))
    moving, failed = [], []
    for instance in source.instances:
        if request.clusters is not None and instance.cluster_id not in request.clusters:
            continue
        if not places or (instance.moves_at is not None and not request.force):
            failed.append(instance)
        else:
            moving.append(replace(instance, moves_at=now + seconds, moves_to=places[0].allocator_id))
    return moving, failed


def settle(allocators: Iterable[Allocator], now: float) -> list[Allocator]:
    """Return the allocators that change because a move has ended by `now`."""
    known = {item.allocator_id: item for item in allocators}
    changed: set[str] = set()
    for source_id in list(known):
        for instance in [item for item in known[source_id].instances if _ended(item, now)]:
            arrived = replace(instance, moves_at=None, moves_to=None)
            stay = tuple(item for item in known[source_id].instances if item is not instance)
            known[source_id] = replace(known[source_id], instances=stay)
            # The instance stays where it is when its target was deleted in the meantime.
            target = instance.moves_to if instance.moves_to in known else source_id
            known[target] = replace(known[target], instances=(*known[target].instances, arrived))
            changed |= {source_id, target}
    return [known[item] for item in sorted(changed)]


def _ended(instance: Instance, now: float) -> bool:
    return instance.moves_at is not None and instance.moves_at <= now
