# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the plan of a removal asks the platform: nothing rests on a list alone."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _removal_lookup as lookup
from ansible_collections.ece.platform.plugins.module_utils import _removal_plan as plan
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._plan import host_identity
from tests.unit.module_utils.test_removal_plan import CHOICES, FACTS, GONE, allocator, runner

PLATFORM = {"version": "3.8.0", "regions": []}


class Client:
    """A platform whose lists may differ from what it answers to single questions."""

    def __init__(self, runners=(), allocators=(), *, listed_runners=None, listed_allocators=None):
        self.by_id = {
            "runner": {one["runner_id"]: one for one in runners},
            "allocator": {one["allocator_id"]: one for one in allocators},
        }
        self.listed = (
            list(runners) if listed_runners is None else listed_runners,
            list(allocators) if listed_allocators is None else listed_allocators,
        )
        self.asked = []

    def runners(self):
        return self.listed[0]

    def iter_allocators(self, total=None):
        return iter(self.listed[1])

    def runner(self, runner_id):
        self.asked.append(("runner", runner_id))
        return self.by_id["runner"].get(runner_id)

    def allocator(self, allocator_id):
        self.asked.append(("allocator", allocator_id))
        return self.by_id["allocator"].get(allocator_id)


def question(name, address, *, answer=None, variables=(), **choices):
    said = {"facts": {**FACTS, "addresses": [address], "runner_ids": [address]}, "error": ""}
    named = host_identity(name, {"ansible_host": address, **dict(variables)})
    return lookup.HostQuestion(named, answer or said, {**CHOICES, **choices})


def planned(client, *questions):
    return lookup.plan_removal(client, lookup.read_lists(client, PLATFORM), questions)


A, B, C = "192.0.2.1", "192.0.2.2", "192.0.2.3"
THREE = [runner(one) for one in (A, B, C)], [allocator(one) for one in (A, B, C)]


def test_a_host_that_leaves_is_asked_for_and_so_is_one_that_stays():
    client = Client(*THREE)
    found = planned(client, question("a", A))
    assert found.entries["a"]["state"] == plan.REMOVE
    assert found.zones == [{"zone": "z", "allocators": 2, "free_mb": 131072, "needed_mb": 0, "staying": [B, C]}]
    assert client.asked == [("runner", A), ("allocator", A), ("allocator", B)]


def test_instances_and_tags_are_those_of_the_single_answer():
    listed = [allocator(one) for one in (A, B, C)]
    client = Client(
        THREE[0], [allocator(A, instances=2, used=8192, tags=[("k", "v")]), *listed[1:]], listed_allocators=listed
    )
    entry = planned(client, question("a", A)).entries["a"]
    assert (entry["instances"], entry["memory_used_mb"], entry["tags"]) == (2, 8192, {"k": "v"})
    assert "no allocator that would be left in zone z has all of its tags (k:v)" in entry["notes"][0]


def test_a_host_that_the_list_lacks_is_found_by_its_id():
    client = Client(*THREE, listed_runners=[], listed_allocators=THREE[1][1:])
    assert planned(client, question("a", A)).entries["a"]["state"] == plan.REMOVE


def test_a_host_that_only_the_list_has_is_not_there():
    client = Client(THREE[0][1:], THREE[1][1:], listed_runners=THREE[0], listed_allocators=THREE[1])
    said = {"facts": {**FACTS, "addresses": [A], "runner_ids": [], "ece_containers": []}, "error": ""}
    assert planned(client, question("a", A, answer=said)).entries["a"]["state"] == plan.ABSENT


def test_a_host_that_is_known_by_its_own_address_alone_is_found():
    client = Client([runner("named-so", host_ip=A), *THREE[0][1:]], [allocator("named-so"), *THREE[1][1:]])
    said = {"facts": {**FACTS, "addresses": [A], "runner_ids": ["named-so"]}, "error": ""}
    named = host_identity("gateway", {"ansible_host": "203.0.113.9"})
    entry = planned(client, lookup.HostQuestion(named, said, CHOICES)).entries["gateway"]
    assert (entry["state"], entry["runner_id"]) == (plan.REMOVE, "named-so")


def test_a_host_that_the_inventory_names_as_one_runner_is_never_removed_as_another():
    # The inventory names a runner that the platform has, and Ansible reaches another one.
    client = Client([runner("old", host_ip="203.0.113.9", connected=False), *THREE[0]], THREE[1])
    said = {"facts": {**FACTS, "addresses": [A], "runner_ids": [A]}, "error": ""}
    named = host_identity("gateway", {"ansible_host": "203.0.113.9"})
    entry = planned(client, lookup.HostQuestion(named, said, CHOICES)).entries["gateway"]
    assert (entry["state"], entry["runner_id"]) == (plan.REFUSED, "old")
    assert f"its storage path is that of runner {A}, and ansible_host 203.0.113.9 names old" in entry["problems"][0]
    # Where the inventory names none, the host's own folder proves it.
    unnamed = host_identity("host-1", {"ansible_host": "198.51.100.77"})
    assert planned(client, lookup.HostQuestion(unnamed, said, CHOICES)).entries["host-1"]["runner_id"] == A


def test_a_host_that_matches_two_runners_is_an_error():
    client = Client([runner("x", host_ip=A), *THREE[0]], THREE[1])
    with pytest.raises(PlatformError, match="matches 2 runners"):
        planned(client, question("a", A))


def test_allocators_that_are_gone_by_the_single_answer_are_no_room():
    gone = [allocator(A), allocator(B, connected=False), allocator(C, maintenance=True)]
    client = Client(THREE[0], gone, listed_allocators=THREE[1])
    found = planned(client, question("a", A))
    assert found.zones[0]["allocators"] == 0 and found.entries["a"]["state"] == plan.REFUSED
    assert "no connected allocator" in found.entries["a"]["problems"][0]


def test_room_counts_as_far_as_the_platform_was_asked_for_it():
    held = [allocator(A, instances=1, used=70000), allocator(B), allocator(C)]
    client = Client(THREE[0], held)
    assert planned(client, question("a", A)).entries["a"]["state"] == plan.REMOVE
    assert [one for one in client.asked if one[1] in (B, C)] == [("allocator", B), ("allocator", C)]
    full = Client(THREE[0], [held[0], allocator(B), allocator(C, used=65000)], listed_allocators=held)
    entry = planned(full, question("a", A)).entries["a"]
    assert entry["state"] == plan.REFUSED and "66,072 MB are free" in entry["problems"][0]


def test_hosts_that_leave_together_are_no_room_for_each_other():
    client = Client(*THREE)
    found = planned(client, *(question(name, one) for name, one in zip("abc", (A, B, C))))
    assert {entry["state"] for entry in found.entries.values()} == {plan.REFUSED}
    told = planned(client, *(question(name, one, allow_last=True) for name, one in zip("abc", (A, B, C))))
    assert {entry["state"] for entry in told.entries.values()} == {plan.REMOVE}


@pytest.mark.parametrize("other", ["holds it", "lost it", "is gone"])
def test_a_vital_role_needs_another_holder_that_was_asked(other):
    directors = [runner(A, roles=["director"]), runner(B, roles=["director"])]
    now = {
        "holds it": directors[1],
        "lost it": runner(B, roles=["proxy"]),
        "is gone": runner(B, roles=["director"], connected=False),
    }[other]
    client = Client([directors[0], now], listed_runners=directors)
    entry = planned(client, question("a", A)).entries["a"]
    assert entry["state"] == (plan.REMOVE if other == "holds it" else plan.REFUSED)
    told = planned(client, question("a", A, allow_last=True)).entries["a"]
    assert told["kept_roles"] == ([] if other == "holds it" else ["director"])


def test_a_host_that_is_gone_is_asked_for_by_its_named_id():
    client = Client([runner(A, connected=False), *THREE[0][1:]], [allocator(A, connected=False), *THREE[1][1:]])
    gone = question("a", A, answer=GONE, variables={"ece_host_runner_id": A}, unreachable=True)
    assert planned(client, gone).entries["a"]["state"] == plan.REMOVE


# -- what is left of a zone when a host has begun to leave -----------------------------------------------------------


def looked(client, staying=(B, C), leaving=(A,), zone="z"):
    told = []
    return lookup.has_place(client, zone, leaving, staying, told.append), [one for _part, one in client.asked], told


def test_an_allocator_that_the_plan_counted_on_is_asked_for_and_no_list():
    client = Client(*THREE)
    client.iter_allocators = None
    assert looked(client) == (True, [B], [])


def test_what_another_run_has_just_changed_counts_whatever_the_list_has():
    now = [allocator(A), allocator(B, maintenance=True), allocator(C, connected=False)]
    client = Client(THREE[0], now, listed_allocators=THREE[1])
    left, asked, told = looked(client)
    assert not left and asked == [B, C]
    assert told == ["no allocator that the plan counted on in zone z takes instances: others are asked"]


@pytest.mark.parametrize(
    ("now", "listed", "left", "asked"),
    [
        (allocator(C), allocator(C), True, [B, C]),
        (allocator(C), allocator(C, maintenance=True), True, [B, C]),
        (allocator(C, maintenance=True), allocator(C), False, [B, C]),
        (None, allocator(C), False, [B, C]),
        (allocator(C, zone_id="other"), allocator(C), False, [B, C]),
        (allocator(C), allocator(C, zone_id="other"), False, [B]),
        (allocator(C, zone_id=None), allocator(C), True, [B, C]),
    ],
    ids=[
        "there",
        "back, and the list lags",
        "gone, and the list lags",
        "unknown",
        "moved",
        "elsewhere",
        "no zone said",
    ],
)
def test_others_of_the_zone_are_asked_where_the_plan_counted_on_one_that_is_gone(now, listed, left, asked):
    held = [allocator(A), allocator(B, maintenance=True), *([now] if now else [])]
    client = Client(THREE[0], held, listed_allocators=[allocator(A), allocator(B), listed])
    assert looked(client, staying=(B,))[:2] == (left, asked)


def test_hosts_that_this_run_removes_are_not_asked_for():
    client = Client(*THREE)
    assert looked(client, staying=(), leaving=(A, B, C))[:2] == (False, [])
    assert looked(client, staying=(B,), leaving=(A, B, C))[:2] == (False, [])
