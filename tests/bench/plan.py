# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cost of joined hosts: the playbook and the role in another play, compared with one debug task for all hosts."""

from __future__ import annotations

from typing import Any

from tests.bench.operator import Operator, one_play
from tests.bench.table import Row
from tests.standin import StandIn

LIMITS_FOR = 1000
RATIO_MAX = 0.25
REQUESTS_MAX = 4


def measure(operator: Operator, fleet: int) -> list[Row]:
    """Measure a platform of the fleet's size, and one of five times that size."""
    debug = operator.write(
        "debug.json", one_play("allocators", tasks=[{"ansible.builtin.debug": {"msg": "{{ inventory_hostname }}"}}])
    )
    own = operator.write("own.json", one_play("allocators", roles=["ece.platform.ece_host"]))
    rows = []
    for hosts in (fleet, 5 * fleet):
        with StandIn(allocators=hosts) as ece:
            # Existing hosts are unreachable on purpose, so that a round trip to one of them ends the play.
            inventory = operator.write(f"{hosts}.json", ece.inventory(ece.existing_hosts()))
            floor = operator.play(ece, inventory, debug)
            rows.append(Row("joined: debug", hosts, floor.seconds, peak_mb=floor.peak_mb))
            plays: dict[str, dict[str, Any]] = {
                "joined: add_allocators": {},
                "joined: add_allocators --check": {"options": ("--check",)},
                "joined: add_allocators --limit, all but one": {"options": ("--limit", "!existing-1")},
                "joined: role in another play": {"playbook": own},
            }
            for what, options in plays.items():
                seen = operator.play(ece, inventory, **options)
                figure = f"{seen.seconds / floor.seconds:.2f} of debug"
                limit = (
                    f"{RATIO_MAX}, {REQUESTS_MAX} requests" if hosts == LIMITS_FOR and "playbook" not in options else ""
                )
                rows.append(Row(what, hosts, seen.seconds, figure, limit, len(ece.requests), "0", seen.peak_mb))
    return rows
