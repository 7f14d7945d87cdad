# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moving instances between allocators, as far as a client can see it. Pure.

The trap of the real product is kept: an allocator that is not in maintenance mode may be chosen as its own target.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tests.standin.model import Allocator, Instance


def plan_moves(
    source: Allocator,
    allocators: list[Allocator],
    now: float,
    seconds: float,
    chosen: set[str] | None,
    targets: set[str],
    force: bool,
) -> tuple[list[Instance], list[Instance]]:
    """(instances with their target, instances without one or with a move under way)."""
    places = [
        item
        for item in allocators
        if item.zone_id == source.zone_id
        and item.connected(now)
        and not item.maintenance
        and (not targets or item.allocator_id in targets)
    ]
    # Itself first: nobody gets an allocator empty without maintenance mode or targets.
    places.sort(key=lambda item: (item.allocator_id != source.allocator_id, len(item.instances), item.allocator_id))
    moving, failed = [], []
    for instance in source.instances:
        if chosen is not None and instance.cluster_id not in chosen:
            continue
        if not places or (instance.moves_at is not None and not force):
            failed.append(instance)
        else:
            moving.append(replace(instance, moves_at=now + seconds, moves_to=places[0].allocator_id))
    return moving, failed


def settle(allocators: Iterable[Allocator], now: float) -> list[Allocator]:
    """Allocators that changed because a move has ended by now."""
    known = {item.allocator_id: item for item in allocators}
    due = [
        item
        for item in known.values()
        if any(instance.moves_at is not None and instance.moves_at <= now for instance in item.instances)
    ]
    changed: set[str] = set()
    for source_id in [item.allocator_id for item in due]:
        source = known[source_id]
        for instance in [item for item in source.instances if item.moves_at is not None and item.moves_at <= now]:
            arrived = replace(instance, moves_at=None, moves_to=None)
            stay = tuple(item for item in known[source_id].instances if item is not instance)
            known[source_id] = replace(known[source_id], instances=stay)
            # A target that went away meanwhile leaves the instance where it was.
            target = instance.moves_to if instance.moves_to in known else source_id
            known[target] = replace(known[target], instances=known[target].instances + (arrived,))
            changed |= {source_id, target}
    return [known[item] for item in sorted(changed)]
