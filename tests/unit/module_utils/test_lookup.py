# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked where the platform's lists have gaps, and what is not."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _lookup
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._lookup import add_single_hosts, look_again, plan_platform
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    host_identity,
    ids_by_address,
    known_hosts,
    plan_hosts,
)
from ansible_collections.ece.platform.plugins.module_utils._states import DISCONNECTED, JOINED, MISSING_ROLES, NEW
from tests.unit.module_utils.test_plan import allocator, runner
from tests.unit.scripted import platform

WRONG_LIST = (
    "list of {0} lacks up to 120 hosts of the plan, although the platform has 100 of the first 100 when it is asked "
    "for each, as while its index is rebuilt: nothing was changed. Run this again in some minutes, or resync the list "
    "first "
    r"\(POST /platform/infrastructure/{0}/_resync\)"
)
CONTAINERS = {"ece_containers": ["frc-runners-runner"]}


class Client:
    """A platform whose lists may lack what it has. `asked` has the single questions."""

    def __init__(self, runners=(), allocators=(), listed_runners=None, listed_allocators=None):
        self._runners = {one["runner_id"]: one for one in runners}
        self._allocators = {one["allocator_id"]: one for one in allocators}
        self._listed = (
            list(runners) if listed_runners is None else listed_runners,
            list(allocators) if listed_allocators is None else listed_allocators,
        )
        self.asked = []

    def runners(self):
        return self._listed[0]

    def iter_allocators(self, total):
        return iter(self._listed[1])

    def runner(self, runner_id):
        self.asked.append(f"runner {runner_id}")
        return self._runners.get(runner_id)

    def allocator(self, allocator_id):
        self.asked.append(f"allocator {allocator_id}")
        return self._allocators.get(allocator_id)


def wish(name, roles=("allocator",), **variables):
    return {**host_identity(name, variables), "roles": list(roles), "zone": None}


def fleet(count):
    return [f"10.1.{number // 200}.{number % 200 + 1}" for number in range(count)]


def states(planned):
    return {entry["state"] for entry in planned.values()}


# -- the plan --------------------------------------------------------------------------------------------------------


def test_complete_lists_need_no_further_request():
    client = Client([runner()], [allocator()])
    planned, known = plan_platform(client, platform(1, 1), [wish("10.0.0.7"), wish("new")])
    assert (planned["10.0.0.7"]["state"], planned["new"]["state"], client.asked) == (JOINED, NEW, [])
    assert list(known) == ["10.0.0.7"]
    assert not planned["new"]["list_is_short"]


def test_hosts_that_a_short_list_of_runners_lacks_are_asked_for():
    hosts, names = 100, fleet(100)
    client = Client([runner(name, roles=("proxy",)) for name in names], listed_runners=[])
    planned, _known = plan_platform(client, platform(0, hosts), [wish(name, ("proxy",)) for name in names])
    assert states(planned) == {JOINED}
    assert all(entry["list_is_short"] for entry in planned.values())
    assert len(client.asked) == hosts


def test_allocators_that_the_list_lacks_are_asked_for():
    names = fleet(100)
    client = Client(map(runner, names), map(allocator, names), map(runner, names), [])
    client._allocators.pop(names[0])
    planned, _known = plan_platform(client, platform(100, 100), [wish(name) for name in names])
    assert planned.pop(names[0])["state"] == DISCONNECTED and states(planned) == {JOINED}


def test_a_list_that_lacks_more_allocators_than_can_be_asked_for_ends_the_plan():
    names = fleet(120)
    client = Client(map(runner, names), map(allocator, names), map(runner, names), [])
    with pytest.raises(PlatformError, match=WRONG_LIST.format("allocators")):
        plan_platform(client, platform(120, 120), [wish(name) for name in [*names, "new"]])
    assert len(client.asked) == 100


def test_a_list_that_lacks_more_runners_than_can_be_asked_for_ends_the_plan():
    names = fleet(120)
    client = Client([runner(name, connected=False) for name in names], listed_runners=[])
    with pytest.raises(PlatformError, match=WRONG_LIST.format("runners")):
        plan_platform(client, platform(0, 120), [wish(name, ("proxy",)) for name in names])
    assert len(client.asked) == 100


@pytest.mark.parametrize(("there", "counted"), [([], 120), (fleet(1), 1)], ids=["others are missing", "few can be"])
def test_many_new_hosts_beside_a_short_list_of_runners_do_not_end_the_plan(there, counted):
    client = Client([runner(name, roles=("proxy",)) for name in there], listed_runners=[])
    planned, _known = plan_platform(client, platform(0, counted), [wish(name, ("proxy",)) for name in fleet(120)])
    assert [entry["state"] for entry in planned.values()].count(NEW) == 120 - len(there)
    assert len(client.asked) == 100


def test_many_allocators_that_are_really_not_there_do_not_end_the_plan():
    names = fleet(120)
    client = Client(map(runner, names), listed_runners=list(map(runner, names)), listed_allocators=[])
    planned, _known = plan_platform(client, platform(0, 120), [wish(name) for name in names])
    assert states(planned) == {DISCONNECTED}


# -- one host --------------------------------------------------------------------------------------------------------


def looked_at(client, facts, listed=None, **variables):
    entry = plan_hosts([wish("node-9", **(variables or {"ansible_host": "node-9.example.com"}))], {})["node-9"]
    client._listed = None  # the list of runners is not read again for each host
    return look_again(client, entry, facts, listed or {})


def test_a_host_is_found_by_the_name_that_the_inventory_has():
    entry = looked_at(Client([runner("node-9.example.com")], [allocator("node-9.example.com")]), CONTAINERS)
    assert (entry["state"], entry["found_as"], entry["asked"]) == (JOINED, None, True)
    assert entry["parts"] == {"runner": True, "allocator": True}


@pytest.mark.parametrize(
    ("known", "facts"),
    [
        (runner("10.20.0.9"), {"runner_ids": ["10.20.0.9"]}),
        (runner("10.20.0.9", host_ip="10.20.0.9"), {"addresses": ["172.17.0.1", "10.20.0.9"]}),
        (runner("a7", host_ip="10.20.0.9"), {"addresses": ["10.20.0.9"]}),
        (runner("a7", host_ip="10.20.0.9"), {"addresses": ["10.20.0.9"], "runner_ids": ["gone", "a7"]}),
    ],
    ids=["its folder", "its address is the id", "its address", "one of its folders"],
)
def test_a_host_that_runs_ece_is_found_by_what_it_calls_itself(known, facts):
    client = Client([known], [allocator(known["runner_id"])])
    entry = looked_at(client, {**CONTAINERS, **facts}, ids_by_address(known_hosts([known], [])))
    assert (entry["state"], entry["runner_id"], entry["found_as"]) == (JOINED, known["runner_id"], known["runner_id"])


def test_a_runner_with_the_hosts_id_but_another_address_is_another_host():
    known = runner("10.20.0.9", host_ip="10.20.0.8")
    assert looked_at(Client([known]), {**CONTAINERS, "addresses": ["10.20.0.9"]})["state"] == NEW


def test_of_several_runners_the_connected_one_is_the_host():
    client = Client(
        [runner("node-9.example.com", connected=False), runner("old", connected=False), runner("b", roles=())]
    )
    entry = looked_at(client, {**CONTAINERS, "runner_ids": ["old", "b"]})
    assert (entry["state"], entry["runner_id"]) == (MISSING_ROLES, "b")


def test_a_host_without_ece_is_asked_for_by_one_id():
    client = Client([runner("b")])
    entry = looked_at(client, {"runner_ids": ["b"], "addresses": ["10.0.0.1"]})
    assert entry["state"] == NEW
    assert client.asked == ["runner node-9.example.com", "allocator node-9.example.com"]


@pytest.mark.parametrize("facts", [{"runner_ids": [None, "", "..", 5]}, {"addresses": [{}]}, {"runner_ids": None}])
def test_names_that_are_no_ids_are_not_asked_for(facts):
    client = Client()
    assert looked_at(client, {**CONTAINERS, **facts})["state"] == NEW
    assert len(client.asked) == 2


def test_no_host_makes_the_run_ask_for_endless_names():
    client = Client()
    looked_at(client, {**CONTAINERS, "runner_ids": fleet(10_000)})
    assert len(client.asked) <= 2 * (1 + _lookup.OWN_NAMES_MAX)


def test_answers_on_single_hosts_take_the_place_of_the_lists_entries():
    known = {"a": {"runner": runner("a", connected=False)}, "b": {"runner": runner("b")}}
    add_single_hosts(Client([runner("a")], [allocator("a")]), known, ["a", "b", "c"])
    assert known["a"]["runner"]["connected"] and "allocator" in known["a"]
    assert sorted(known) == ["a", "b"]
