# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts, names and options of the inventory plugin, as functions of plain data."""

from __future__ import annotations

import json

import pytest

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._records import flat_allocator
from ansible_collections.ece.platform.plugins.plugin_utils._inventory import (
    VARIABLES,
    WARNINGS_MAX,
    Filter,
    Fleet,
    address_warnings,
    cache_entry,
    cached_fleet,
    check_hostnames,
    check_keyed_groups,
    check_option_names,
    hosts_of,
    inventory_names,
    parse_filters,
    read_fleet,
    value_of,
)
from tests.unit.scripted import ALLOCATORS, FULL_ALLOCATOR, ODD_VALUES, RUNNERS, allocator, overview, platform, runner

URLS = ["https://ece.example.com:12443"]


def hosts(runners=(), allocators=()):
    return hosts_of(runners, map(flat_allocator, allocators))


# -- hosts -----------------------------------------------------------------------------------------------------------


def test_a_runner_and_an_allocator_with_the_same_id_are_one_host():
    member = runner(
        "a1",
        *("services-forwarder", "allocator"),
        zone="z1",
        host_ip="10.0.0.1",
        runner_name="rack-7",
        build_info={"version": "3.8.0"},
    )
    assert hosts([member], [FULL_ALLOCATOR]) == {
        "a1": {
            "ansible_host": "10.0.0.1",
            "ece_runner_id": "a1",
            "ece_allocator_id": "a1",
            "ece_runner_name": "rack-7",
            "ece_public_hostname": "a1.example.com",
            "ece_zone": "z1",
            "ece_roles": ["allocator", "services-forwarder"],
            "ece_connected": True,
            "ece_healthy": True,
            "ece_maintenance": True,
            "ece_version": "3.8.0",
            "ece_memory_mb": 249856,
            "ece_memory_used_mb": 1024,
            "ece_storage_mib": 8388608,
            "ece_instance_count": 2,
            "ece_tags": {"ssd": "true", "bare": ""},
        }
    }


def test_a_runner_without_an_allocator_is_a_host_and_so_is_an_allocator_without_a_runner():
    found = hosts([runner("b", "proxy", zone="z2")], [allocator("a", zone="z1")])
    assert list(found) == ["a", "b"]
    assert [(one["ece_runner_id"], one["ece_allocator_id"], one["ece_zone"]) for one in found.values()] == [
        (None, "a", "z1"),
        ("b", None, "z2"),
    ]
    assert [(one["ece_roles"], one["ece_memory_mb"], one["ece_instance_count"]) for one in found.values()] == [
        ([], 1024, 0),
        (["proxy"], None, 0),
    ]
    assert all(set(VARIABLES) == set(one) for one in found.values())


@pytest.mark.parametrize(("of_runner", "of_allocator"), [(True, True), (True, False), (False, True), (False, False)])
def test_a_host_is_connected_if_both_of_its_parts_are(of_runner, of_allocator):
    found = hosts([runner("a", "allocator", connected=of_runner)], [allocator("a", connected=of_allocator)])
    assert found["a"]["ece_connected"] is (of_runner and of_allocator)


def test_tags_are_those_of_both_parts_and_the_allocators_have_precedence():
    member = runner("a", "allocator", tags={"rack": "1", "ssd": "false"})
    found = hosts([member], [allocator("a", metadata=[{"key": "ssd", "value": "true"}])])
    assert found["a"]["ece_tags"] == {"rack": "1", "ssd": "true"}


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "", " ", None, 7])
def test_a_loopback_address_would_be_the_controller_and_is_not_set(address):
    assert "ansible_host" not in hosts([runner("a", host_ip=address)])["a"]


def test_the_allocators_address_is_taken_where_the_runner_has_none():
    assert hosts([runner("a", host_ip="127.0.0.1")], [allocator("a", host_ip=" 10.0.0.1 ")])["a"]["ansible_host"] == (
        "10.0.0.1"
    )


def test_variables_hold_no_secret_and_no_terminal_command():
    tags = {"password": "p4ss", "note": "api_key=abc", "zone": "\x1b[2Jclear", "good": "yes"}
    found = hosts([runner("a", "allocator", tags=tags, runner_name="https://admin:p4ss@host")])["a"]
    assert found["ece_tags"] == {"zone": "clear", "good": "yes"}
    assert found["ece_runner_name"] is None
    assert "p4ss" not in json.dumps(found)


@pytest.mark.parametrize("odd", ODD_VALUES, ids=repr)
def test_odd_replies_are_hosts_with_all_variables(odd):
    keys = ("host_ip", "public_hostname", "zone", "connected", "healthy", "roles", "tags", "runner_name", "build_info")
    of_allocator = ("zone_id", "status", "capacity", "instances", "metadata", "host_ip", "build_info")
    found = hosts(
        [{"runner_id": "a", **dict.fromkeys(keys, odd)}], [{"allocator_id": "a", **dict.fromkeys(of_allocator, odd)}]
    )
    assert set(VARIABLES) <= set(found["a"]) <= {*VARIABLES, "ansible_host"}


def test_a_thousand_allocators_take_three_requests(ece, make_client):
    many = [allocator(f"a{number}") for number in range(1000)]
    ece.expect("GET", "/platform", json=platform(allocators=1000, runners=0))
    ece.expect("GET", RUNNERS, json={"runners": []})
    ece.expect("GET", ALLOCATORS, json=overview(*many), query={"size": 1001, "from": 0, "sort": "allocator_id"})
    fleet = read_fleet(make_client())
    assert len(fleet.hosts) == 1000 and fleet.warnings == []


@pytest.mark.parametrize(("runners", "allocators"), [(2, 1), (1, 2), (2, 2), (0, 1)])
def test_a_list_that_the_platforms_count_does_not_fit_is_a_warning(ece, make_client, runners, allocators):
    ece.expect("GET", "/platform", json=platform(allocators=allocators, runners=runners))
    ece.expect("GET", RUNNERS, json={"runners": [runner("a", "allocator")]})
    page = {"size": 1001, "sort": "allocator_id"}
    ece.expect("GET", ALLOCATORS, json=overview(allocator("a")), query={**page, "from": 0})
    if allocators > 1:
        ece.expect("GET", ALLOCATORS, json=overview(), query={**page, "from": 1})
    warnings = read_fleet(make_client()).warnings
    expected = [kind for kind, total in (("runners", runners), ("allocators", allocators)) if total != 1]
    assert [warning.split(" has ")[0] for warning in warnings] == [f"the list of {kind}" for kind in expected]


# -- names -----------------------------------------------------------------------------------------------------------


def named(*preferences, **fleet):
    """The names of hosts whose variables are given in short: (address, public_hostname, name)."""
    keys = ("ansible_host", "ece_public_hostname", "ece_runner_name")
    return inventory_names(
        {known_id: dict(zip(keys, values, strict=False)) for known_id, values in fleet.items()}, preferences
    )


@pytest.mark.parametrize(
    ("preferences", "name"),
    [
        ((), "a"),
        (("runner_id",), "a"),
        (("host_ip",), "10.0.0.1"),
        (("public_hostname", "host_ip"), "10.0.0.1"),
        (("public_hostname", "name"), "rack-1"),
        (("public_hostname",), "a"),
        (("runner_id", "name"), "a"),
    ],
)
def test_a_host_has_the_first_name_that_it_has(preferences, name):
    assert named(*preferences, a=("10.0.0.1", None, "rack-1")) == ({name: "a"}, [])


@pytest.mark.parametrize("useless", ["", " ", "localhost", "127.0.0.1", "all", "ungrouped"])
def test_names_of_the_controller_and_of_groups_are_not_used(useless):
    assert named("public_hostname", a=("10.0.0.1", useless)) == ({"a": "a"}, [])


def test_hosts_with_the_same_name_keep_their_ids_and_are_a_warning():
    names, warnings = named("public_hostname", a=("", "node"), b=("", "node"), c=("", "other"))
    assert names == {"a": "a", "b": "b", "other": "c"}
    assert warnings == [
        "node is a name of several hosts in the platform (a, b), so each of them has the next of hostnames as its name"
    ]


def test_a_name_that_is_another_hosts_id_is_not_taken():
    names, warnings = named("public_hostname", a=("", "b"), b=("", "x"))
    assert names == {"a": "a", "x": "b"}
    assert len(warnings) == 1 and warnings[0].startswith("b is a name of several hosts")


def test_an_id_stays_with_its_host_where_a_machine_was_installed_again_under_another_one():
    fleet = {"10.0.0.2": {"ansible_host": "10.0.0.2"}, "node-2": {"ansible_host": "10.0.0.2"}}
    names, warnings = inventory_names(fleet, ["host_ip"])
    assert names == {"10.0.0.2": "10.0.0.2", "node-2": "node-2"}
    assert not any("left out" in warning for warning in warnings)


def test_no_host_is_lost_and_warnings_are_few_where_all_hosts_have_one_name_by_twos():
    fleet = {f"id-{number}": ("", f"name-{number // 2}") for number in range(100)}
    names, warnings = named("public_hostname", **fleet)
    assert sorted(names.values()) == sorted(fleet)
    assert len(warnings) == WARNINGS_MAX + 1 and warnings[-1] == "and 45 more names of several hosts"


def test_the_cache_adds_no_variables_of_its_own():
    entry = cache_entry(Fleet({"a": {"ece_zone": "z", "ansible_host": "10.0.0.1"}}, []), URLS)
    entry["hosts"]["a"]["ansible_connection"] = "local"
    found = cached_fleet(entry, URLS)
    assert found.hosts["a"]["ansible_host"] == "10.0.0.1" and "ansible_connection" not in found.hosts["a"]


def test_ids_that_only_differ_in_invisible_characters_are_left_out_with_a_warning():
    names, warnings = inventory_names({"a": {}, "a\x00": {}, "b": {}}, ["runner_id"])
    assert names == {"b": "b"}
    assert "hosts without a name of their own are left out: 'a', 'a\\x00'" in warnings


def test_a_machine_that_is_two_hosts_of_the_platform_is_a_warning():
    fleet = {
        "old": {"ansible_host": "10.0.0.1"},
        "new": {"ansible_host": "10.0.0.1"},
        "c": {"ansible_host": "10.0.0.3"},
        "d": {},
        "e": {},
    }
    (warning,) = address_warnings(fleet)
    assert warning.startswith("the address 10.0.0.1 belongs to several hosts in the platform (new, old): ")
    more = {"x": {"ansible_host": "10.0.0.9"}, "y": {"ansible_host": "10.0.0.9"}}
    assert "(new, old), and so do 1 more: " in address_warnings({**fleet, **more})[0]
    assert address_warnings({"c": fleet["c"], "d": {}, "e": {}}) == []


# -- options ---------------------------------------------------------------------------------------------------------


def test_hostnames_that_are_none_of_the_choices_are_refused():
    check_hostnames(["name", "host_ip", "public_hostname", "runner_id"])
    with pytest.raises(OptionError) as error:
        check_hostnames(["host_ip", "fqdn"])
    assert str(error.value) == (
        "hostnames has 'fqdn': use some of runner_id, host_ip, public_hostname, name, in the order of preference"
    )


def test_filters_are_read():
    assert parse_filters(None) == parse_filters([]) == []
    assert parse_filters([{"include": "ece_connected"}, {"exclude": True}]) == [
        Filter("filters[0].include", True, "ece_connected"),
        Filter("filters[1].exclude", False, True),
    ]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ([{"includes": "x"}], "filters[0] has the key 'includes': use include or exclude"),
        ([{"include": "x"}, {"include": "x", "exclude": "y"}], "filters[1] is {'include': 'x', 'exclude': 'y'}, which"),
        (["ece_connected"], "filters[0] is 'ece_connected', which is not one include or exclude: give a list"),
        ([{}], "filters[0] is {}, which is not one include or exclude"),
        ([{"exclude": None}], "filters[0].exclude is None: give a condition like ece_connected"),
        ([{"exclude": ""}], "filters[0].exclude is '': give a condition"),
        ([{"exclude": ["x"]}], "filters[0].exclude is ['x']: give a condition"),
        ({"include": "x"}, "filters is no list: give a list of entries like `include: ece_connected`"),
    ],
)
def test_other_filters_are_refused_with_their_place(filters, message):
    with pytest.raises(OptionError) as error:
        parse_filters(filters)
    assert str(error.value).startswith(message)


def test_a_key_of_groups_that_is_no_text_is_refused_with_what_is_right():
    check_keyed_groups([{"key": "ece_zone"}, {"key": "'x' if ece_connected else 'y'"}, None, {}])
    with pytest.raises(OptionError) as error:
        check_keyed_groups([{"key": "ece_zone"}, {"key": " ece_connected "}])
    assert str(error.value) == (
        "keyed_groups[1] has the key ece_connected, whose value is neither text nor a list of texts: use groups, like "
        "`group_name: ece_connected`"
    )


def test_a_key_that_is_no_option_is_refused_with_the_nearest_one():
    known = {"plugin": 1, "filters": 1, "hostnames": 1}
    check_option_names({"plugin": "x", "filters": []}, known)
    for name, meant in (
        ("filter", "did you mean filters?"),
        ("regions", "`ansible-doc -t inventory ece.platform.ece`"),
    ):
        with pytest.raises(OptionError) as error:
            check_option_names({"plugin": "x", name: []}, known)
        assert str(error.value).startswith(f"{name} is not an option of this inventory plugin; {meant}")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("ece_connected", True),
        (" not  ece_connected ", False),
        ("ece_zone", "z1"),
        ("ece_roles", ["proxy"]),
        ("ece_version", None),
        ("not ece_zone", None),
        ("other", None),
        ("notece_connected", None),
        ("ece_connected and other", None),
        (True, None),
    ],
)
def test_the_value_of_a_variable_is_known_without_a_template_and_all_else_is_left_to_ansible(expression, value):
    variables = {
        "ece_connected": True,
        "ece_zone": "z1",
        "ece_roles": ["proxy"],
        "ece_version": None,
        "other": True,
    }
    assert value_of(expression, variables) == value


# -- cache -----------------------------------------------------------------------------------------------------------


def test_a_fleet_is_the_same_from_the_cache():
    fleet = Fleet(hosts([runner("a", "proxy", host_ip="10.0.0.1")]), ["a list is short"])
    assert cached_fleet(json.loads(json.dumps(cache_entry(fleet, URLS))), URLS) == fleet


@pytest.mark.parametrize(
    "change",
    [
        {"urls": ["https://other.example.com:12443"]},
        {"version": "0.9.0"},
        {"hosts": None},
        {"hosts": {"a": None}},
        {"hosts": [1]},
    ],
    ids=str,
)
def test_a_cache_of_another_platform_or_release_and_a_damaged_one_do_not_count(change):
    entry = cache_entry(Fleet(hosts([runner("a")]), []), URLS)
    assert cached_fleet({**entry, **change}, URLS) is None


@pytest.mark.parametrize("odd", ODD_VALUES, ids=repr)
def test_a_cache_with_something_else_in_it_does_not_count(odd):
    assert cached_fleet(odd, URLS) is None
