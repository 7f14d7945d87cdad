# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts leave the platform: emptied, cleaned and deleted, or refused before anything is changed."""

from __future__ import annotations

import json
import re

import pytest

REMOVE = "ece.platform.remove_allocators"
ZONE = "ece-zone-1"


def ip(number):
    return f"192.0.2.{number}"


@pytest.fixture
def joined(operator):
    """Return an operator of a platform that three hosts of one zone have joined."""
    for number in (1, 2, 3):
        variables = operator.new_host(f"host-{number}", ip(number), zone=ZONE)
        # Containers are removed by root.
        variables["ece_host_bin_paths"] = [operator.ece.hosts[f"host-{number}"].give_commands_to_root()]
    run = operator.play()
    assert run.rc == 0, run.output
    operator.ece.reset_requests()
    return operator


def remove(operator, target, *options, **variables):
    """Run the playbook for a target, with extra variables."""
    given = json.dumps({"ece_target": target, **variables})
    return operator.play("-e", given, *options, playbook=REMOVE)


def sums_of(run):
    """Return the sums in the last line for scripts."""
    return json.loads(re.findall(r"^ece_host_removal: (.*)$", run.output, re.MULTILINE)[-1])


def runner_ids(operator):
    return sorted(runner.runner_id for runner in operator.ece.platform.current_runners())


def allocator_ids(operator):
    return sorted(allocator.allocator_id for allocator in operator.ece.platform.current_allocators())


def test_a_host_leaves_then_there_is_nothing_to_do_and_it_joins_again(joined):
    operator, platform = joined, joined.ece.platform
    platform.add_instance(ip(2))
    platform.add_instance(ip(2), "kibana")
    host = operator.ece.hosts["host-2"]
    (host.state / "containers" / "somebody-elses").write_text("id=0123456789ab\nimage=nginx:1\nstatus=Up\n")

    run = remove(operator, "host-2", "-vvvv")
    assert run.rc == 0, run.output
    assert "1 host: 1 to remove, 0 not in the platform" in run.output
    assert "host-2: runner 192.0.2.2, zone ece-zone-1, allocator, 2 instances, 8,192 MB used" in run.text
    assert "zone ece-zone-1 afterwards: 2 allocators, 131,072 MB free, 8,192 MB needed" in run.text
    assert runner_ids(operator) == allocator_ids(operator) == [ip(1), ip(3)]
    assert sum(len(one.instances) for one in platform.current_allocators()) == 2
    assert host.containers == ["somebody-elses"] and not host.storage.exists()
    assert {name for name in run.recap if run.recap[name]["changed"]} == {"host-2"}
    assert sums_of(run) == {"removed": 1, "removed_before": 0, "would_remove": 0, "failed": 0}
    order = [(entry["method"], entry["path"].rpartition("/")[2]) for entry in operator.ece.mutations]
    assert [one for one in order if one[1] != "_move"] == [
        ("POST", "_start"),
        ("PUT", "roles"),
        ("DELETE", ip(2)),
        ("DELETE", ip(2)),
    ]

    operator.ece.reset_requests()
    again = remove(operator, "host-2")
    assert again.rc == 0, again.output
    assert "1 host: 0 to remove, 1 not in the platform" in again.output
    assert again.total("changed") == 0 and operator.ece.mutations == []
    assert sums_of(again)["removed_before"] == 1

    join = operator.play()
    assert join.rc == 0, join.output
    assert runner_ids(operator) == [ip(1), ip(2), ip(3)]
