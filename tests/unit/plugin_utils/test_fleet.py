# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report on a fleet is what the platform says, and says what the platform does not."""

from __future__ import annotations

import json

import pytest

from ansible_collections.ece.platform.plugins.module_utils._text import MASK
from ansible_collections.ece.platform.plugins.plugin_utils import _fleet as fleet
from tests.unit.fleet import allocator, platform, runner

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlcyI6W119.c2lnbmF0dXJl"


def report_of(runners=(), allocators=(), info=None, **more):
    info = info or platform({}, len(runners))
    return fleet.report_of(info, runners, allocators, url="https://ece.example.com:12443", made_at=1893456000.7, **more)


def by_name(report):
    return {host["host"]: host for host in report["hosts"]}


def test_a_host_is_its_runner_and_its_allocator():
    report = report_of([runner(1)], [allocator(1)])
    assert report["hosts"] == [
        {
            "host": "10.0.0.1",
            "zone": "ece-zone-2",
            "host_ip": "10.0.0.1",
            "public_hostname": None,
            "connected": True,
            "maintenance_mode": False,
            "version": "3.8.0",
            "roles": ["allocator", "beats-runner"],
            "is_runner": True,
            "is_allocator": True,
            "instances": 2,
            "memory_total_mb": 65536,
            "memory_used_mb": 16384,
            "memory_free_mb": 49152,
            "tags": {"rack": "r1"},
        }
    ]
    assert (report["made_at"], report["version"], report["format"]) == (1893456000, "3.8.0", 1)


def test_a_host_is_in_the_zone_of_its_allocator():
    report = report_of([runner(1, zone="of-runner")], [allocator(1, zone_id="of-allocator")])
    assert by_name(report)["10.0.0.1"]["zone"] == "of-allocator"


@pytest.mark.parametrize(("of_runner", "of_allocator"), [(False, True), (True, False)])
def test_a_host_is_disconnected_if_its_runner_or_its_allocator_is(of_runner, of_allocator):
    report = report_of([runner(1, connected=of_runner), runner(2)], [allocator(1, connected=of_allocator)])
    assert report["disconnected"] == ["10.0.0.1"]
    assert report["total"]["disconnected"] == 1


def test_a_host_that_one_list_lacks_is_in_the_report():
    report = report_of([runner(1)], [allocator(2)])
    hosts = by_name(report)
    assert (hosts["10.0.0.1"]["is_runner"], hosts["10.0.0.1"]["is_allocator"]) == (True, False)
    assert (hosts["10.0.0.2"]["is_runner"], hosts["10.0.0.2"]["is_allocator"]) == (False, True)
    assert report["listed"] == {"allocators": 1, "runners": 1}


def test_capacity_that_can_be_used_is_that_of_connected_allocators_without_maintenance_mode():
    allocators = [
        allocator(1, total=1000, used=400),
        allocator(2, total=1000, used=100, connected=False),
        allocator(3, total=1000, used=200, maintenance_mode=True),
    ]
    total = report_of([], allocators)["total"]
    assert (total["memory_total_mb"], total["memory_used_mb"], total["memory_free_mb"]) == (3000, 700, 2300)
    assert total["memory_usable_mb"] == 600
    assert (total["allocators"], total["instances"], total["maintenance_mode"]) == (3, 6, 1)


def test_more_used_than_there_is_leaves_nothing_free():
    assert by_name(report_of([], [allocator(1, total=1000, used=1200)]))["10.0.0.1"]["memory_free_mb"] == 0


def test_unknown_memory_is_in_no_sum_and_is_counted():
    total = report_of([], [allocator(1, total=None), allocator(2, used="4"), allocator(3, total=10, used=4)])["total"]
    assert total["memory_unknown"] == 2
    assert (total["memory_total_mb"], total["memory_used_mb"], total["memory_free_mb"]) == (10, 4, 6)


def test_a_zone_that_the_platform_counts_is_in_the_report_without_hosts_too():
    report = report_of([runner(1)], [allocator(1)], platform({"ece-zone-2": 1, "ece-zone-9": 0}, 1))
    zones = {zone["zone"]: zone for zone in report["zones"]}
    assert list(zones) == ["ece-zone-2", "ece-zone-9"]
    assert (zones["ece-zone-9"]["hosts"], zones["ece-zone-9"]["allocators_counted"]) == (0, 0)
    assert zones["ece-zone-2"]["allocators_counted"] == 1


def test_a_host_without_a_zone_is_in_a_zone_without_a_name():
    report = report_of([runner(1, zone=None), runner(2, zone=" ")])
    (zone,) = report["zones"]
    assert (zone["zone"], zone["hosts"], zone["allocators_counted"]) == (None, 2, None)


def test_versions_and_roles_are_counted():
    runners = [
        runner(1),
        runner(2, build_info={"version": "3.7.2"}, connected=False),
        runner(3, build_info=None, roles=[{"role_name": "proxy"}]),
    ]
    report = report_of(runners)
    assert report["versions"] == [
        {"version": None, "hosts": 1},
        {"version": "3.7.2", "hosts": 1},
        {"version": "3.8.0", "hosts": 1},
    ]
    assert report["roles"] == [
        {"role": "allocator", "hosts": 2, "disconnected": 1},
        {"role": "coordinator", "hosts": 0, "disconnected": 0},
        {"role": "director", "hosts": 0, "disconnected": 0},
        {"role": "proxy", "hosts": 1, "disconnected": 0},
        {"role": "beats-runner", "hosts": 2, "disconnected": 1},
    ]


def test_a_cut_list_is_said():
    report = report_of([runner(1)], [allocator(1)], platform({"ece-zone-2": 101}, 5), warnings=["the list ends at 100"])
    runners, allocators, of_client = report["warnings"]
    assert "the list of runners has 1 entries but GET /platform counts 5" in runners
    assert "the list of allocators has 1 entries but GET /platform counts 101" in allocators
    assert of_client == "the list ends at 100"
    assert report["counted"] == {"allocators": 101, "runners": 5}


def test_a_platform_that_does_not_count_is_no_warning():
    report = report_of([runner(1)], [], {"version": "3.8.0"})
    assert report["warnings"] == [] and report["counted"] == {"allocators": None, "runners": None}


@pytest.mark.parametrize("damaged", [None, 7, "text", [], {}, [None], {"a": [1]}])
def test_damaged_fields_are_unknown(damaged):
    broken = {
        **dict.fromkeys(("zone", "host_ip", "public_hostname", "connected", "roles", "build_info", "tags"), damaged),
        "runner_id": "r",
    }
    of_allocator = {
        **dict.fromkeys(("zone_id", "status", "capacity", "instances", "metadata", "build_info"), damaged),
        "allocator_id": "r",
    }
    report = report_of([broken], [of_allocator], {"version": damaged, "regions": damaged})
    assert report["total"]["hosts"] == 1 and report["disconnected"] == ["r"]
    json.dumps(report)


@pytest.mark.parametrize(
    "secret", [JWT, f"x\u200e{JWT}", "https://user:s3cret@mirror", "password=s3cret", "pass\x00word=s3cret"]
)
def test_no_text_shows_a_secret(secret):
    tags = {"rack": secret, "api_key": "s3cret", secret: "r1"}
    broken = runner(1, zone=secret, host_ip=secret, public_hostname=secret, tags=tags, roles=[{"role_name": secret}])
    rows = {"a": {"verdict": "failed", "note": f"it said {secret}"}}
    report = report_of([broken], [allocator(2, metadata=[{"key": "token", "value": "s3cret"}])], rows=rows)
    text = json.dumps(report)
    assert "s3cret" not in text and "eyJ" not in text
    assert by_name(report)["10.0.0.1"]["zone"] == MASK


def test_a_text_is_on_one_line_without_control_characters_and_not_too_long():
    (host,) = report_of([runner(1, zone="a\n\x1b[2Jb\ud800", public_hostname="x" * 1000)])["hosts"]
    assert host["zone"] == "a b"
    assert host["public_hostname"] == "x" * 300 + "..."


# -- the join --------------------------------------------------------------------------------------------------------

ROW = {"host": "b", "zone": "z", "verdict": "joined", "install_seconds": 271.4, "connect_seconds": 10, "note": ""}


def test_hosts_of_the_join_are_in_the_order_of_their_start():
    rows = {"a": {**ROW, "verdict": "failed", "note": "no socket"}, "b": ROW, "c": ROW}
    times = {"b": {"started_at": 20.0, "ended_at": 291.4, "connected_at": 301.4}, "c": {"started_at": 10.0}}
    join = report_of(rows=rows, times=times)["join"]
    assert [host["host"] for host in join] == ["c", "b", "a"]
    assert join[1] == {
        "host": "b",
        "zone": "z",
        "verdict": "joined",
        "joined": True,
        "started_at": 20.0,
        "ended_at": 291.4,
        "connected_at": 301.4,
        "install_seconds": 271.4,
        "connect_seconds": 10,
        "note": "",
    }
    assert (join[2]["joined"], join[2]["started_at"], join[2]["note"]) == (False, None, "no socket")


def test_a_report_without_a_join_has_no_timeline():
    assert report_of([runner(1)])["join"] == []


# -- lines -----------------------------------------------------------------------------------------------------------


def test_the_line_has_what_an_operator_asks_first():
    report = report_of([runner(n) for n in range(3)], [allocator(1, connected=False, maintenance_mode=True)])
    assert fleet.fleet_line(report) == (
        "ECE 3.8.0 at https://ece.example.com:12443 - 3 hosts in 3 zones: 1 disconnected, 1 in maintenance mode; "
        "16 of 64 GB memory used"
    )
    assert fleet.attention_lines(report) == ["disconnected: 10.0.0.1", "in maintenance mode: 10.0.0.1"]
    assert fleet.attention_lines(report_of([runner(1)])) == []


def test_the_sums_name_no_host():
    sums = fleet.sums_of(report_of([runner(1)], [allocator(1)]))
    assert sums["hosts"] == 1 and sums["zones"] == 1 and sums["version"] == "3.8.0"
    assert "10.0.0.1" not in json.dumps(sums)


def test_without_its_time_a_report_is_what_another_one_of_the_same_fleet_is():
    one, other = report_of([runner(1)]), fleet.report_of(platform({}, 1), [runner(1)], [], url="u", made_at=5)
    assert fleet.without_time(one) == {**fleet.without_time(other), "url": one["url"]}
