# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.modules import ece_allocator
from tests.unit.scripted import ALLOCATORS, RUNNERS, allocator, failed, platform, runner

ID = "10.0.0.7"
PATH = f"{ALLOCATORS}/{ID}"
UNKNOWN = {"status": 404, "json": failed("allocators.allocator_not_found")}


@pytest.mark.parametrize("check_mode", [False, True])
def test_what_differs_is_written_and_returned(ece, run_module, check_mode):
    ece.expect("GET", PATH, json=allocator(ID, memory=65536, metadata=[{"key": "ssd", "value": "false"}]))
    if not check_mode:
        ece.expect("GET", "/platform", json=platform())
        ece.expect("POST", f"{PATH}/maintenance-mode/_start", status=202, json={}, query={"reason": "new disks"})
        ece.expect("GET", PATH, json=allocator(ID, memory=65536, maintenance=True))
        ece.expect("PUT", f"{PATH}/settings", json={}, sends={"capacity": 70000})
        ece.expect("PUT", f"{PATH}/metadata/ssd", json=[], sends={"value": "true"})
    result = run_module(
        ece_allocator,
        check_mode=check_mode,
        allocator_id=ID,
        maintenance=True,
        maintenance_reason="new disks",
        capacity=70000,
        tags={"ssd": True},
    )
    assert result["changed"] is True
    assert result["diff"] == {
        "before": {"maintenance": False, "capacity": 65536, "tags": {"ssd": "false"}},
        "after": {"maintenance": True, "capacity": 70000, "tags": {"ssd": "true"}},
    }
    assert (result["allocator_id"], result["maintenance_mode"], result["capacity"]) == (ID, True, 70000)
    assert result["tags"] == {"ssd": "true"}


def test_an_allocator_that_is_as_wanted_is_read_only(ece, run_module):
    ece.expect(
        "GET", PATH, json=allocator(ID, memory=65536, maintenance=True, metadata=[{"key": "ssd", "value": "true"}])
    )
    result = run_module(
        ece_allocator,
        allocator_id=ID,
        maintenance=True,
        maintenance_reason="any",
        capacity=65536,
        tags={"ssd": "true"},
        tags_exact=True,
    )
    assert result["changed"] is False and result["diff"] == {"before": {}, "after": {}}


def test_options_that_are_not_set_leave_the_allocator_as_it_is(ece, run_module):
    ece.expect("GET", PATH, json=allocator(ID, memory=65536, maintenance=True))
    result = run_module(ece_allocator, allocator_id=ID)
    assert (result["changed"], result["maintenance_mode"], result["capacity"], result["tags"]) == (
        False,
        True,
        65536,
        {},
    )


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_unknown_allocator_is_an_error(ece, run_module, check_mode):
    ece.expect("GET", PATH, **UNKNOWN)
    result = run_module(ece_allocator, check_mode=check_mode, allocator_id=ID, maintenance=True)
    assert result["failed"]
    assert result["msg"] == (
        f"allocator_id {ID} is not known to the platform: give the id of one of its allocators, as ece_allocator_info "
        "lists them"
    )


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_capacity_below_the_used_memory_is_an_error_before_anything_is_written(ece, run_module, check_mode):
    ece.expect("GET", PATH, json=allocator(ID, memory=65536, used=9500))
    result = run_module(ece_allocator, check_mode=check_mode, allocator_id=ID, capacity=9000, maintenance=True)
    assert result["failed"] and result["msg"].startswith("capacity 9000 is less than the 9500 MB that the instances on")
    assert not result.get("changed")


def test_a_later_request_that_fails_is_a_failure_that_has_changed_something(ece, run_module):
    ece.expect("GET", PATH, json=allocator(ID, memory=65536))
    ece.expect("PUT", f"{PATH}/settings", json={}, sends={"capacity": 70000})
    ece.expect(
        "PUT",
        f"{PATH}/metadata/ssd",
        status=400,
        json=failed("allocators.invalid_empty_metadata_item"),
        sends={"value": "true"},
    )
    result = run_module(ece_allocator, allocator_id=ID, capacity=70000, tags={"ssd": "true"})
    assert result["failed"] and result["changed"] is True
    assert result["failure"]["code"] == "allocators.invalid_empty_metadata_item"
    assert result["msg"].endswith("; before that, this was written: capacity 70000 MB")


# -- absent ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("remove_instances", [False, True])
def test_a_disconnected_allocator_is_deleted(ece, run_module, check_mode, remove_instances):
    held = [{"cluster_type": "kibana", "cluster_id": "c", "instance_name": "i"}] if remove_instances else []
    ece.expect("GET", PATH, json=allocator(ID, connected=False, instances=held))
    ece.expect("GET", f"{RUNNERS}/{ID}", json=runner(ID, connected=False))
    if not check_mode:
        ece.expect("DELETE", PATH, json={}, query={"remove_instances": "true"} if remove_instances else None)
    result = run_module(
        ece_allocator, check_mode=check_mode, allocator_id=ID, state="absent", remove_instances=remove_instances
    )
    assert result["changed"] is True and result["diff"]["after"] == {}
    assert [one["cluster_id"] for one in result["instances"]] == ["c"] * remove_instances


def test_an_allocator_that_is_not_there_is_absent_already(ece, run_module):
    ece.expect("GET", PATH, **UNKNOWN)
    result = run_module(ece_allocator, allocator_id=ID, state="absent")
    assert (result["changed"], result["instances"]) == (False, [])


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_allocator_with_instances_is_not_deleted(ece, run_module, check_mode):
    held = [{"cluster_type": "kibana", "cluster_id": "c", "deployment_id": "d", "instance_name": "i"}]
    ece.expect("GET", PATH, json=allocator(ID, connected=False, instances=held))
    ece.expect("GET", f"{RUNNERS}/{ID}", json=runner(ID, connected=False))
    result = run_module(ece_allocator, check_mode=check_mode, allocator_id=ID, state="absent")
    assert result["failed"] and f"allocator {ID} holds 1 instance (kibana c of deployment d), so" in result["msg"]


# -- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "allocator_id"),
        ({"allocator_id": " "}, "allocator_id is empty: give the id of an allocator"),
        ({"state": "gone"}, "gone"),
        ({"remove_instances": True}, "remove_instances is set with state: present"),
        ({"tags_exact": True}, "tags_exact is set without tags: give all tags, or tags: {}"),
        ({"state": "absent", "maintenance": False}, "maintenance is set with state: absent"),
        ({"state": "absent", "capacity": 9000}, "capacity is set with state: absent"),
        ({"state": "absent", "tags_exact": True}, "tags_exact is set with state: absent"),
        ({"capacity": 8191}, "capacity 8191 is too small: use 8192 MB or more"),
        ({"capacity": "much"}, "capacity"),
        ({"tags": {"ssd": ""}}, "tags has the tag 'ssd' without a value, which the API refuses"),
        ({"tags": {"": "x"}}, "tags has the value 'x' without a key"),
        ({"tags": ["ssd"]}, "tags"),
        ({"maintenance_reason": "x"}, "maintenance_reason is set without maintenance: true"),
    ],
)
def test_bad_options_are_named_before_anything_is_sent(ece, run_module, options, message):
    result = run_module(ece_allocator, **{"allocator_id": ID, **options} if options else {})
    assert result["failed"] and message in result["msg"]
    assert ece.requests == []
