# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests, lines and delays of the watch, with hosts that are folders of this machine."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.bench.operator import Operator
from tests.bench.table import Row
from tests.role_names import WAIT_TASK, outputs_of
from tests.standin import StandIn

INTERVAL_SECONDS = 5
TOLERANCE_SECONDS = 1


def measure(operator: Operator, fleet: int) -> list[Row]:
    """Measure delays, joins of 10 and of 100 hosts, and batches."""
    return [*_latency(operator), *(_lines(operator, count) for count in (10, 100)), *_batches(operator)]


def _hosts(ece: StandIn, count: int, **knobs: Any) -> dict[str, Any]:
    return {
        f"new-{number:03}": ece.add_host(f"new-{number:03}", f"192.0.{2 + number // 250}.{number % 250 + 1}", **knobs)
        for number in range(1, count + 1)
    }


def _latency(operator: Operator) -> list[Row]:
    """Measure the delay from a connection or a failed installer to the line that reports it."""
    with StandIn(connect_seconds=17, install_seconds=3) as ece:
        hosts = _hosts(ece, 5)
        ece.hosts["new-001"].configure(fail=1)
        inventory = operator.write("latency.json", ece.inventory(hosts))
        seen = operator.play(ece, inventory, expect=2)
        runners = [ece.platform.runner(host.ip) for name, host in ece.hosts.items() if name != "new-001"]
        connected_at = max(runner.connected_from for runner in runners if runner.connected_from is not None)
        record = ece.hosts["new-001"].install_record
        assert record
        failed_at = json.loads(record.read_text(encoding="utf-8"))["finished"]
    connected_printed_at = next(at for at, line in seen.lines if re.match(r"^ +\d+:\d\d +4/5 connected", line))
    failed_printed_at = next(at for at, line in seen.lines if re.match(r"^ +\d+:\d\d +new-001 failed", line))
    limit = f"{INTERVAL_SECONDS} s + {TOLERANCE_SECONDS} s"
    return [
        Row(
            "watch: connected, until it is printed",
            4,
            figure=f"{connected_printed_at - connected_at:.1f} s",
            limit=limit,
        ),
        Row(
            "watch: installer failed, until it is printed",
            1,
            figure=f"{failed_printed_at - failed_at:.1f} s",
            limit=f"{INTERVAL_SECONDS} s",
        ),
    ]


def _lines(operator: Operator, count: int) -> Row:
    with StandIn(connect_seconds=1, install_seconds=5) as ece:
        inventory = operator.write(f"lines-{count}.json", ece.inventory(_hosts(ece, count)))
        seen = operator.play(ece, inventory)
        requests = len(ece.requests)
    waiting = outputs_of(WAIT_TASK, seen.output)[0]
    figure = f"{len(waiting.splitlines())} lines while waiting, {len(seen.lines)} in all"
    return Row(
        "watch: a join on this machine",
        count,
        seen.seconds,
        figure,
        "not thousands of lines",
        requests,
        peak_mb=seen.peak_mb,
    )


def _batches(operator: Operator) -> list[Row]:
    rows = []
    for batch, batches in ((5, 4), ("50%", 2), ([1, 4, "100%"], 3)):
        with StandIn(connect_seconds=0.5, install_seconds=1) as ece:
            content = ece.inventory(_hosts(ece, 20))
            content["all"]["vars"]["ece_host_batch"] = batch
            seen = operator.play(ece, operator.write("batches.json", content))
            joined = sum(join["ok"] for join in ece.joins)
            rows.append(
                Row(
                    f"batches of {batch}".replace("'", ""),
                    20,
                    seen.seconds,
                    f"{ece.minted} tokens, {joined} joined",
                    f"{batches} tokens",
                    len(ece.requests),
                )
            )
    return rows
