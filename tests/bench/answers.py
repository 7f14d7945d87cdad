# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Big answers: a module and the plan with up to ten thousand allocators and runners, each in its own process."""

from __future__ import annotations

import json
import os
import sys

from tests.bench.operator import Operator
from tests.bench.run import bare_interpreter_mb, exponent, run
from tests.bench.table import Row
from tests.machine import without_settings
from tests.standin import StandIn

SECONDS_MAX, MB_MAX = 5, 300
# The figures are those of the median run.
RUNS = 3

# Both write the seconds of their work, without start and imports, to a file.
MODULE = """
import json, sys, time
from ansible.module_utils.testing import patch_module_args
from ansible_collections.ece.platform.plugins.modules import ece_allocator_info
began = time.monotonic()
try:
    with patch_module_args(json.loads(sys.argv[1])):
        ece_allocator_info.main()
finally:
    open(sys.argv[2], "w").write(str(time.monotonic() - began))
"""
PLAN = """
import json, sys, time

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._plan import host_identity, known_hosts, plan_hosts
from ansible_collections.ece.platform.plugins.module_utils._records import platform_totals
from ansible_collections.ece.platform.plugins.module_utils._states import JOINED
began = time.monotonic()
options = json.loads(sys.argv[1])
client = EceClient(options.pop("url"), **options)
platform = client.platform()
known = known_hosts(client.runners(), client.iter_allocators(platform_totals(platform)["allocators"]))
identities = [host_identity(f"h{n}", {"ansible_host": name}) for n, name in enumerate(known)]
hosts = [{**identity, "roles": ["allocator"], "zone": None} for identity in identities]
planned = plan_hosts(hosts, known, platform["version"])
assert len(planned) == len(known) and all(entry["state"] == JOINED for entry in planned.values()), "not all are joined"
open(sys.argv[2], "w").write(str(time.monotonic() - began))
"""


def measure(operator: Operator, fleet: int) -> list[Row]:
    """Measure both with one, three and ten times the fleet, and the exponent of the growth."""
    environment = {**without_settings(), "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"]}
    bare = bare_interpreter_mb()
    rows: dict[str, list[Row]] = {"ece_allocator_info": [], "plan": []}
    points: dict[str, list[tuple[int, float]]] = {name: [] for name in rows}
    work = operator.folder / "work"
    for count in (fleet, 3 * fleet, 10 * fleet):
        with StandIn(allocators=count) as ece:
            options = json.dumps(
                {"url": [ece.url], "username": ece.username, "password": ece.password, "ca_path": ece.ca_path}
            )
            for name, code in (("ece_allocator_info", MODULE), ("plan", PLAN)):
                runs, worked = [], []
                for _run in range(RUNS):
                    ece.reset_requests()
                    runs.append(run([sys.executable, "-c", code, options, str(work)], environment))
                    worked.append(float(work.read_text(encoding="utf-8")))
                seen = sorted(runs, key=lambda one: one.seconds)[RUNS // 2]
                if name == "ece_allocator_info" and len(json.loads(seen.output)["allocators"]) != count:
                    raise RuntimeError("the module did not list all allocators")
                points[name].append((count, sorted(worked)[RUNS // 2]))
                beyond = max(one.peak_mb for one in runs) - bare
                limit = f"{SECONDS_MAX} s, {MB_MAX} MB" if count >= 10000 else ""
                figure = f"{seen.seconds:.1f} s, {beyond:.0f} MB"
                rows[name].append(
                    Row(f"answers: {name}", count, seen.seconds, figure, limit, len(ece.requests), peak_mb=beyond)
                )
    for name, measured in rows.items():
        figure = f"{exponent(points[name]):.2f}"
        measured.append(
            Row(
                f"answers: {name}, exponent of its seconds",
                measured[-1].hosts,
                figure=figure,
                limit="1 is linear, 2 quadratic",
            )
        )
    return [row for measured in rows.values() for row in measured]
