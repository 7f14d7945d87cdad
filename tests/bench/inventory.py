# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cost of the platform as an inventory: ansible-inventory with the groups of the example."""

from __future__ import annotations

from pathlib import Path

from tests.bench.operator import Operator
from tests.bench.run import run
from tests.bench.table import Row
from tests.standin import StandIn

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "fleet.ece.yml"
LIMITS_FOR = 1000
SECONDS_MAX = 5
REQUESTS_MAX = 3


def measure(operator: Operator, fleet: int) -> list[Row]:
    """Measure a platform of the fleet's size, and one of five times that size."""
    rows = []
    for hosts in (fleet, 5 * fleet):
        with StandIn(allocators=hosts) as ece:
            environment = operator.environment(ece, ECE_URL=ece.url, ECE_CA_PATH=str(ece.ca_path))
            command = ["ansible-inventory", "-i", str(EXAMPLE), "--graph"]
            seen = run(command, environment, operator.folder)
            limit = f"{SECONDS_MAX} s, {REQUESTS_MAX} requests" if hosts == LIMITS_FOR else ""
            figure = f"{seen.seconds:.1f} s"
            rows.append(
                Row("inventory: --graph", hosts, seen.seconds, figure, limit, len(ece.requests), "0", seen.peak_mb)
            )
    return rows
