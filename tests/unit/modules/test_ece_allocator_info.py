# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import types

import pytest
import requests

from ansible_collections.ece.platform.plugins.modules import ece_allocator_info
from tests.unit.scripted import ALLOCATORS, NOT_READY, allocator, failed, overview, platform, refused


def query(start=0):
    return {"size": 1000, "from": start, "sort": "allocator_id"}


def give(ece, *allocators, total=None, pages=None):
    """Expect the requests of one reading: the platform's count, and the list."""
    ece.expect("GET", "/platform", json=platform(len(allocators) if total is None else total))
    start = 0
    for page in pages or [allocators]:
        ece.expect("GET", ALLOCATORS, query=query(start), json=overview(*page))
        start += len(page)


def ids(result):
    return [one["allocator_id"] for one in result["allocators"]]


@pytest.fixture
def clock(monkeypatch):
    """The time of the module, which passes only while it sleeps."""
    now = types.SimpleNamespace(seconds=100.0, slept=[])

    def sleep(seconds):
        now.slept.append(seconds)
        now.seconds += seconds

    monkeypatch.setattr(ece_allocator_info, "time", types.SimpleNamespace(monotonic=lambda: now.seconds, sleep=sleep))
    return now


# -- the list --------------------------------------------------------------------------------------------------------


def test_an_allocator_is_returned_flat(ece, run_module):
    give(
        ece,
        allocator(
            "10.0.0.7",
            host_ip="10.0.0.7",
            public_hostname="host-7",
            build_info={"version": "3.8.0"},
            capacity={"memory": {"total": 249856, "used": 4096}, "storage": {"total": 7995392}},
            instances=[{}, {}],
            metadata=[{"key": "ssd", "value": "true"}],
        ),
    )
    result = run_module(ece_allocator_info)
    assert result["allocators"] == [
        {
            "allocator_id": "10.0.0.7",
            "zone_id": "zone-1",
            "host_ip": "10.0.0.7",
            "public_hostname": "host-7",
            "connected": True,
            "healthy": True,
            "maintenance_mode": False,
            "version": "3.8.0",
            "memory_total_mb": 249856,
            "memory_used_mb": 4096,
            "storage_total_mib": 7995392,
            "instance_count": 2,
            "tags": {"ssd": "true"},
        }
    ]
    assert result["changed"] is False
    assert result.warnings == []


def test_a_platform_without_allocators_is_not_an_error(ece, run_module):
    ece.expect("GET", "/platform", json=platform(0))
    ece.expect("GET", ALLOCATORS, query=query(), json={"zones": [{"zone_id": "zone-1", "allocators": None}]})
    result = run_module(ece_allocator_info)
    assert result["allocators"] == []
    assert result["summary"] == {
        "allocators": 0,
        "connected": 0,
        "maintenance_mode": 0,
        "memory_total_mb": 0,
        "memory_used_mb": 0,
        "zones": {},
    }


def test_allocator_101_is_found(ece, run_module):
    everyone = [allocator(f"10.0.0.{number:03d}") for number in range(101)]
    give(ece, *everyone, pages=[everyone[:100], everyone[100:]])
    result = run_module(ece_allocator_info, allocator_ids=["10.0.0.100"])
    assert ids(result) == ["10.0.0.100"]
    assert result.warnings == []


@pytest.mark.parametrize(
    ("listed", "total", "numbers"), [(2, 2, None), (2, 3, ("2", "3")), (2, 1, ("2", "1")), (0, 117, ("0", "117"))]
)
def test_a_list_and_a_count_that_differ_are_a_warning_with_both_numbers(ece, run_module, listed, total, numbers):
    everyone = [allocator(f"10.0.0.{number}") for number in range(listed)]
    give(ece, *everyone, total=total, pages=[everyone, []] if 0 < listed < total else [everyone])
    warnings = run_module(ece_allocator_info).warnings
    if numbers is None:
        assert warnings == []
    else:
        assert len(warnings) == 1
        assert f"the list of allocators has {numbers[0]} entries but GET /platform counts {numbers[1]}" in warnings[0]
        assert "/allocators/_resync" in warnings[0]


def test_a_platform_that_does_not_count_causes_no_warning(ece, run_module):
    ece.expect("GET", "/platform", json=platform())
    ece.expect("GET", ALLOCATORS, query=query(), json=overview(allocator("a")))
    ece.expect("GET", ALLOCATORS, query=query(1), json=overview())
    result = run_module(ece_allocator_info)
    assert (ids(result), result.warnings) == (["a"], [])


def test_a_list_that_the_platform_cuts_is_returned_with_both_warnings(ece, run_module):
    ece.expect("GET", "/platform", json=platform(2))
    ece.expect("GET", ALLOCATORS, query=query(), json=overview(allocator("a")))
    ece.expect("GET", ALLOCATORS, query=query(1), status=400, json=failed("root.bad_request", "window is too large"))
    result = run_module(ece_allocator_info)
    assert ids(result) == ["a"]
    assert [text for text in result.warnings if "ends at 1" in text] and [
        text for text in result.warnings if "has 1 entries but GET /platform counts 2" in text
    ]


# -- filters ---------------------------------------------------------------------------------------------------------

EVERYONE = (
    allocator(
        "d",
        zone="zone-2",
        memory=300,
        used=30,
        metadata=[{"key": "ssd", "value": "true"}, {"key": "cpu", "value": "8"}],
    ),
    allocator("a", memory=100, used=10, connected=False, metadata=[{"key": "ssd", "value": "true"}]),
    allocator("c", memory=200, used=None, maintenance=True, metadata=[{"key": "ssd", "value": "false"}]),
    allocator("b", zone=None, memory=None, used=None),
)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, "abcd"),
        ({"allocator_ids": ["d", "a", "unknown"]}, "ad"),
        ({"allocator_ids": []}, ""),
        ({"zones": ["zone-1"]}, "ac"),
        ({"zones": ["zone-2", "zone-3"]}, "d"),
        ({"zones": []}, ""),
        ({"connected": True}, "bcd"),
        ({"connected": False}, "a"),
        ({"maintenance_mode": True}, "c"),
        ({"maintenance_mode": False}, "abd"),
        ({"tags": {"ssd": "true"}}, "ad"),
        ({"tags": {"ssd": True}}, "ad"),
        ({"tags": {"ssd": False}}, "c"),
        ({"tags": {"ssd": "true", "cpu": 8}}, "d"),
        ({"tags": {"gpu": "true"}}, ""),
        ({"tags": {}}, "abcd"),
        ({"zones": ["zone-1"], "connected": True, "maintenance_mode": True}, "c"),
    ],
    ids=str,
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_filters_work_together_on_the_whole_list(ece, run_module, filters, found, check_mode):
    give(ece, *EVERYONE)
    result = run_module(ece_allocator_info, check_mode=check_mode, **filters)
    assert "".join(ids(result)) == found
    assert result["summary"]["allocators"] == len(found)


def test_the_summary_counts_what_is_returned(ece, run_module):
    give(ece, *EVERYONE)
    assert run_module(ece_allocator_info)["summary"] == {
        **{"allocators": 4, "connected": 3, "maintenance_mode": 1, "memory_total_mb": 600, "memory_used_mb": 40},
        "zones": {
            "": {"allocators": 1, "connected": 1, "maintenance_mode": 0, "memory_total_mb": 0, "memory_used_mb": 0},
            "zone-1": {
                "allocators": 2,
                "connected": 1,
                "maintenance_mode": 1,
                "memory_total_mb": 300,
                "memory_used_mb": 10,
            },
            "zone-2": {
                "allocators": 1,
                "connected": 1,
                "maintenance_mode": 0,
                "memory_total_mb": 300,
                "memory_used_mb": 30,
            },
        },
    }


# -- waiting ---------------------------------------------------------------------------------------------------------


def test_the_wait_ends_when_all_are_connected(ece, run_module, clock):
    give(ece, allocator("a"))
    give(ece, allocator("a"), allocator("b", connected=False))
    give(ece, allocator("a"), allocator("b"))
    result = run_module(ece_allocator_info, allocator_ids=["a", "b"], wait_timeout=60, wait_interval=7)
    assert ids(result) == ["a", "b"]
    assert clock.slept == [7, 7]


def test_healthy_is_not_connected(ece, run_module, clock):
    give(ece, allocator("a", connected=False, status={"connected": False, "healthy": True}))
    give(ece, allocator("a", connected=True))
    run_module(ece_allocator_info, allocator_ids=["a"], wait_timeout=60)
    assert len(clock.slept) == 1


def test_those_missing_at_the_end_are_named_with_why(ece, run_module, clock):
    for _ in range(4):
        give(ece, allocator("a"), allocator("b", connected=False))
    result = run_module(ece_allocator_info, allocator_ids=["a", "b", "c"], wait_timeout=25, wait_interval=10)
    assert result["failed"]
    assert result["msg"] == "after 25 s these allocators are not connected: b (not connected), c (unknown)"
    assert clock.slept == [10, 10, 5], "the last reading is at the very end"


def test_without_wait_timeout_the_list_is_read_once(ece, run_module, clock):
    give(ece, allocator("a", connected=False))
    result = run_module(ece_allocator_info, allocator_ids=["a", "b"])
    assert (ids(result), clock.slept) == (["a"], [])


def test_a_warning_of_an_earlier_reading_is_not_shown(ece, run_module, clock):
    give(ece, total=1)
    give(ece, allocator("a"))
    result = run_module(ece_allocator_info, allocator_ids=["a"], wait_timeout=60)
    assert result.warnings == []


def test_a_short_failure_of_the_platform_does_not_end_the_wait(ece, run_module, clock, sleeps):
    give(ece, allocator("a", connected=False))
    ece.expect("GET", "/platform", body=refused())
    ece.expect("GET", "/platform", status=500, json=failed(NOT_READY))
    give(ece, allocator("a"))
    assert ids(run_module(ece_allocator_info, allocator_ids=["a"], wait_timeout=60)) == ["a"]
    assert len(sleeps) == 2


FAULTS = {
    "500": {"status": 500, "json": failed("root.internal")},
    "502": {"status": 502},
    "page": {"body": "<html>"},
    "refused": {"body": refused()},
    "no version": {"json": {"other": 1}},
    "401": {"status": 401, "json": failed("root.unauthenticated")},
    "403": {"status": 403, "json": failed("root.unauthorized")},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_request_does_not_end_the_wait_while_there_is_time(ece, run_module, clock, fault):
    give(ece, allocator("a", connected=False))
    ece.expect("GET", "/platform", **FAULTS[fault])
    ece.expect("GET", "/platform", json=platform(1))
    ece.expect("GET", ALLOCATORS, query=query(), **FAULTS[fault])
    give(ece, allocator("a"))
    assert ids(run_module(ece_allocator_info, allocator_ids=["a"], wait_timeout=60, retries=0)) == ["a"]
    assert clock.slept == [10, 10, 10]


@pytest.mark.parametrize("fault", ["500", "502", "page", "refused", "no version"])
def test_a_platform_that_starts_during_the_wait_is_waited_for(ece, run_module, clock, fault):
    ece.expect("GET", "/platform", **FAULTS[fault])
    give(ece, allocator("a"))
    assert ids(run_module(ece_allocator_info, allocator_ids=["a"], wait_timeout=60, retries=0)) == ["a"]


@pytest.mark.parametrize("fault", ["401", "403"])
def test_wrong_credentials_are_not_waited_out(ece, run_module, clock, fault):
    ece.expect("GET", "/platform", **FAULTS[fault])
    result = run_module(ece_allocator_info, allocator_ids=["a"], wait_timeout=60)
    assert result["failed"] and f"HTTP {fault}" in result["msg"]
    assert clock.slept == []


def test_a_wrong_ca_path_is_not_waited_out(ece, run_module, clock):
    ece.expect("GET", "/platform", body=requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"))
    result = run_module(ece_allocator_info, allocator_ids=["a"], wait_timeout=60)
    assert "not signed by a known CA" in result["msg"]
    assert clock.slept == []


def test_the_last_error_is_named_when_the_time_is_over(ece, run_module, clock):
    give(ece, allocator("a", connected=False))
    ece.expect("GET", "/platform", **FAULTS["refused"])
    ece.expect("GET", "/platform", **FAULTS["500"])
    result = run_module(ece_allocator_info, allocator_ids=["a"], wait_timeout=20, retries=0)
    assert result["msg"].startswith(
        "after 20 s these allocators are not connected: a (not connected); the last request "
    )
    assert "failed: GET https://ece.example.com:12443/api/v1/platform answered HTTP 500: a message" in result["msg"]


def test_an_error_that_has_passed_is_not_named_when_the_time_is_over(ece, run_module, clock):
    ece.expect("GET", "/platform", **FAULTS["500"])
    give(ece, allocator("a", connected=False))
    result = run_module(ece_allocator_info, allocator_ids=["a"], wait_timeout=10, retries=0)
    assert result["msg"] == "after 10 s these allocators are not connected: a (not connected)"


def test_a_platform_that_never_answered_tells_nothing_of_the_allocators(ece, run_module, clock):
    for _ in range(2):
        ece.expect("GET", "/platform", **FAULTS["refused"])
    result = run_module(ece_allocator_info, allocator_ids=["a", "b"], wait_timeout=10, retries=0)
    assert result["msg"] == (
        "after 10 s it is not known whether these allocators are connected: a, b; "
        "the last request failed: no coordinator can be reached (https://ece.example.com:12443: connection refused)"
    )


def test_without_wait_timeout_an_error_ends_the_module(ece, run_module, clock):
    ece.expect("GET", "/platform", **FAULTS["500"])
    result = run_module(ece_allocator_info, allocator_ids=["a"])
    assert result["failed"] and result["failure"]["status"] == 500
    assert clock.slept == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wait_timeout": -1}, "wait_timeout -1 is negative"),
        ({"wait_interval": 0}, "wait_interval 0 is too small"),
        ({"wait_timeout": 5}, "allocator_ids is not: name the allocators"),
        ({"wait_timeout": 5, "allocator_ids": []}, "allocator_ids is not: name the allocators"),
        ({"wait_timeout": "long"}, "unable to convert to int"),
        ({"connected": "perhaps"}, "not a valid boolean"),
    ],
)
def test_bad_options_are_named_before_anything_is_sent(ece, run_module, options, message):
    result = run_module(ece_allocator_info, **options)
    assert result["failed"] and message in result["msg"]
    assert ece.requests == []
