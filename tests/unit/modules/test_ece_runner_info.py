# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.modules import ece_runner_info
from tests.unit.scripted import RUNNERS, platform, runner


def give(ece, *runners, total=None):
    ece.expect("GET", "/platform", json=platform(runners=len(runners) if total is None else total))
    ece.expect("GET", RUNNERS, json={"runners": list(runners)})


EVERYONE = (
    runner("c", "proxy", "beats-runner", zone="zone-1"),
    runner("a", "allocator", "beats-runner", zone="zone-1", connected=False),
    runner("b", "director", "coordinator", "proxy", zone="zone-2"),
)


def test_a_runner_is_returned_flat(ece, run_module):
    given = runner(
        "10.0.0.7",
        *("services-forwarder", "allocator"),
        zone="zone-1",
        host_ip="10.0.0.7",
        public_hostname="host-7",
        build_info={"version": "3.8.0"},
        tags={"ssd": "true"},
        containers=[
            {"container_name": "runner", "container_set_name": "runners"},
            {"container_name": "allocator", "container_set_name": "allocators"},
        ],
    )
    give(ece, given)
    result = run_module(ece_runner_info)
    assert result["changed"] is False
    assert result["runners"] == [
        {
            "runner_id": "10.0.0.7",
            "zone": "zone-1",
            "host_ip": "10.0.0.7",
            "public_hostname": "host-7",
            "connected": True,
            "healthy": True,
            "roles": ["allocator", "services-forwarder"],
            "version": "3.8.0",
            "tags": {"ssd": "true"},
            "containers": ["frc-allocators-allocator", "frc-runners-runner"],
        }
    ]


def test_a_sparse_runner_is_returned_as_well(ece, run_module):
    give(ece, {"runner_id": "a"}, {"runner_id": None}, {"host_ip": "10.0.0.9"}, total=1)
    result = run_module(ece_runner_info)
    assert [(one["runner_id"], one["connected"], one["roles"], one["zone"]) for one in result["runners"]] == [
        ("a", False, [], None)
    ]
    assert result.warnings == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, "abc"),
        ({"runner_ids": ["c", "a", "unknown"]}, "ac"),
        ({"runner_ids": []}, ""),
        ({"zones": ["zone-1"]}, "ac"),
        ({"roles": ["proxy"]}, "bc"),
        ({"roles": ["proxy", "director"]}, "b"),
        ({"roles": ["beats-runner"]}, "ac"),
        ({"roles": []}, "abc"),
        ({"connected": True}, "bc"),
        ({"connected": False}, "a"),
        ({"zones": ["zone-1"], "roles": ["proxy"], "connected": True}, "c"),
    ],
    ids=str,
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_filters_work_together_on_the_whole_list(ece, run_module, filters, found, check_mode):
    give(ece, *EVERYONE)
    result = run_module(ece_runner_info, check_mode=check_mode, **filters)
    assert "".join(one["runner_id"] for one in result["runners"]) == found
    assert result.warnings == []


@pytest.mark.parametrize("total", [2, 4])
def test_a_list_and_a_count_that_differ_are_a_warning_with_both_numbers(ece, run_module, total):
    give(ece, *EVERYONE, total=total)
    (warning,) = run_module(ece_runner_info, runner_ids=["a"]).warnings
    assert f"the list of runners has 3 entries but GET /platform counts {total}" in warning
    assert "/runners/_resync" in warning
