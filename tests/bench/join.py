# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cost of a join over SSH, compared with a play that only copies the installer and sleeps as long as it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.bench.machines import GATEWAY, Machines
from tests.bench.operator import Operator, one_play
from tests.bench.table import Row
from tests.standin import StandIn

INSTALL_SECONDS = 20
FEW, MANY = 10, 40
FLOOR_RATIO_MAX = 1.3
GROWTH_MAX, SECONDS_A_HOST_MAX = 1.15, 0.7


def measure(operator: Operator, fleet: int) -> list[Row]:
    """Measure joins of few and many hosts, with and without pipelining."""
    copy = {"src": "{{ ece_host_installer_src }}", "dest": "/mnt/data/elastic-cloud-enterprise.sh", "mode": "0700"}
    tasks = [{"ansible.builtin.copy": copy}, {"ansible.builtin.command": {"argv": ["sleep", str(INSTALL_SECONDS)]}}]
    floor_play = operator.write("floor.json", one_play("allocators", become=True, tasks=tasks))
    with (
        Machines(operator.folder, MANY) as hosts,
        StandIn(host=GATEWAY, advertise=GATEWAY, install_seconds=INSTALL_SECONDS, allocators=fleet) as ece,
    ):
        hosts.prepare(ece)
        few = operator.write("few.json", hosts.inventory(ece, FEW))
        many = operator.write("many.json", hosts.inventory(ece, MANY))

        def join(what: str, inventory: Path, count: int, **options: Any) -> tuple[Row, float]:
            hosts.reset(ece)
            before = hosts.sessions()
            seen = operator.play(ece, inventory, **options)
            trips = {after - before[name] for name, after in list(hosts.sessions().items())[:count]}
            shown = str(min(trips)) if len(trips) == 1 else f"{min(trips)} to {max(trips)}"
            return Row(
                what, count, seen.seconds, requests=len(ece.requests), round_trips=shown, peak_mb=seen.peak_mb
            ), seen.seconds

        floor, floor_seconds = join(
            f"new: copy and sleep {INSTALL_SECONDS} s, {FEW} forks",
            few,
            FEW,
            playbook=floor_play,
            options=("--forks", str(FEW)),
        )
        row_few, few_seconds = join("new: add_allocators, 5 forks", few, FEW)
        row_many, many_seconds = join("new: add_allocators, 5 forks", many, MANY)
        row_slow, slow_seconds = join(
            "new: the same, pipelining off", few, FEW, options=("-e", "ansible_pipelining=false")
        )
    row_few.figure, row_few.limit = f"{few_seconds / floor_seconds:.2f} of the floor", str(FLOOR_RATIO_MAX)
    limit = GROWTH_MAX * few_seconds + SECONDS_A_HOST_MAX * (MANY - FEW)
    row_many.figure, row_many.limit = (
        f"{many_seconds:.1f} s",
        f"{limit:.1f} s = {GROWTH_MAX} x {few_seconds:.1f} + {MANY - FEW} x {SECONDS_A_HOST_MAX}",
    )
    row_slow.figure = f"{slow_seconds / floor_seconds:.2f} of the floor"
    return [floor, row_few, row_many, row_slow]
