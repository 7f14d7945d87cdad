# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hosts have to reach, from the platform's lists."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.module_utils._plan import known_hosts
from ansible_collections.ece.platform.plugins.plugin_utils._plan_checks import director_addresses


def runner(name, role, host_ip, connected=True):
    return {"runner_id": name, "roles": [{"role_name": role}], "host_ip": host_ip, "connected": connected}


def test_directors_are_the_connected_hosts_with_that_role():
    runners = [
        runner("c", "director", "10.0.0.3"),
        runner("a", "director", "10.0.0.1"),
        runner("b", "director", "10.0.0.2", connected=False),
        runner("d", "allocator", "10.0.0.4"),
        runner("e", "director", None),
    ]
    known = known_hosts(runners, [{"allocator_id": "x", "status": {"connected": True}}])
    assert director_addresses(known) == ["10.0.0.1", "10.0.0.3"]
