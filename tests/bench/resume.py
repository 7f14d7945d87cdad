# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cost of a second run after the first one was killed in the middle of a join."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from tests.bench.operator import Operator
from tests.bench.table import Row
from tests.standin import StandIn

COUNT = 10
START_TIMEOUT_SECONDS = 60


def measure(operator: Operator, fleet: int) -> list[Row]:
    """Kill a run once half of its installers have started, and measure the next one."""
    with StandIn(install_seconds=10) as ece:
        hosts = {f"new-{number}": ece.add_host(f"new-{number}", f"192.0.2.{number}") for number in range(1, COUNT + 1)}
        inventory = operator.write("resume.json", ece.inventory(hosts))
        first = subprocess.Popen(
            operator.command(inventory),
            env=operator.environment(ece),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + START_TIMEOUT_SECONDS
            while (started := sum(host.has_started for host in ece.hosts.values())) < COUNT // 2:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"only {started} installers started within {START_TIMEOUT_SECONDS} s")
                time.sleep(0.05)
        finally:
            os.killpg(first.pid, signal.SIGKILL)
            first.wait()
        seen = operator.play(ece, inventory)
        enrolled = [join["runner_id"] for join in ece.joins]
    figure = f"{started} adopted, {len(set(enrolled))} joined, {len(enrolled)} enrollments, {ece.minted} tokens"
    return [
        Row(
            "resume after SIGKILL",
            COUNT,
            seen.seconds,
            figure,
            "one enrollment a host",
            len(ece.requests),
            peak_mb=seen.peak_mb,
        )
    ]
