# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Big answers: the module and the plan over ten thousand allocators and runners, each in a process of its own."""

from __future__ import annotations

import json
import os
import sys

from bench.operator import Operator
from bench.run import bare_interpreter_mb, exponent, run
from bench.table import Row
from standin import StandIn

SECONDS_MAX, MB_MAX = 5, 300

MODULE = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.ece.platform.plugins.modules import ece_allocator_info
with patch_module_args(json.loads(sys.argv[1])):
    ece_allocator_info.main()
"""
PLAN = """
import json, sys
from ansible_collections.ece.platform.plugins.module_utils import fleet
from ansible_collections.ece.platform.plugins.module_utils.client import EceClient
options = json.loads(sys.argv[1])
client = EceClient(options.pop("url"), **options)
platform = client.platform()
known = fleet.known_hosts(client.runners(), client.iter_allocators(fleet.platform_totals(platform)["allocators"]))
hosts = [{**fleet.host_identity(f"h{n}", {"ansible_host": name}), "roles": ["allocator"], "zone": None} for n, name in enumerate(known)]
planned = fleet.plan(hosts, known, platform["version"])
assert len(planned) == len(known) and all(entry["state"] == fleet.JOINED for entry in planned.values()), "not all are joined"
"""


def measure(operator: Operator, fleet: int) -> list[Row]:
    environment = {**os.environ, "PYTHONPATH": os.environ["ANSIBLE_COLLECTIONS_PATH"]}
    bare = bare_interpreter_mb()
    rows: dict[str, list[Row]] = {"ece_allocator_info": [], "plan": []}
    start = {}
    # Starting and importing takes the same time however much there is to list; a list of one says how long.
    for count in (1, fleet, 3 * fleet, 10 * fleet):
        with StandIn(allocators=count) as ece:
            options = json.dumps({"url": [ece.url], "username": ece.username, "password": ece.password, "ca_path": ece.ca_path})
            for name, code in (("ece_allocator_info", MODULE), ("plan", PLAN)):
                ece.reset_requests()
                seen = run([sys.executable, "-c", code, options], environment)
                if name == "ece_allocator_info" and len(json.loads(seen.output)["allocators"]) != count:
                    raise RuntimeError("the module did not list all allocators")
                if count == 1:
                    start[name] = seen.seconds
                    continue
                beyond = seen.peak_mb - bare
                limit = f"{SECONDS_MAX} s, {MB_MAX} MB" if count >= 10000 else ""
                rows[name].append(
                    Row(f"answers: {name}", count, seen.seconds, f"{seen.seconds:.1f} s, {beyond:.0f} MB", limit, len(ece.requests), peak_mb=beyond)
                )
    for name, measured in rows.items():
        power = exponent([(row.hosts, row.seconds - start[name]) for row in measured])
        measured.append(Row(f"answers: {name}, exponent", measured[-1].hosts, figure=f"{power:.2f}", limit="1 is linear, 2 quadratic"))
    return [row for measured in rows.values() for row in measured]
