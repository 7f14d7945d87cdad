# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Matching hosts, planning and deciding: pure functions, so tables of cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ece.platform.plugins.module_utils import _plan as plan
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    add_hosts,
    api_state,
    count_warnings,
    difference_warnings,
    differences,
    distinct,
    host_identity,
    known_hosts,
    match_hosts,
    normal_address,
    not_ready_reason,
    plan_hosts,
    plan_line,
    short_lists,
    unlisted_allocators,
)
from ansible_collections.ece.platform.plugins.module_utils._states import (
    DISCONNECTED,
    JOINED,
    MISSING_ROLES,
    NEW,
    UPDATE,
)
from tests.unit.scripted import FULL_ALLOCATOR, ODD_VALUES


def runner(runner_id="10.0.0.7", *, connected=True, roles=("allocator", "beats-runner"), **more):
    return {"runner_id": runner_id, "connected": connected, "roles": [{"role_name": role} for role in roles], **more}


def allocator(allocator_id="10.0.0.7", *, connected=True, **more):
    return {"allocator_id": allocator_id, "status": {"connected": connected, "healthy": True}, **more}


def matches(hosts, runners=(), allocators=(), others=None):
    """The result of match_hosts for inventory hosts given as name -> variables. others: those outside the batch."""
    everywhere = {**hosts, **(others or {})}
    identities = [host_identity(name, variables) for name, variables in hosts.items()]
    outside = [host_identity(name, variables) for name, variables in (others or {}).items()]
    return match_hosts(distinct(identities, outside, everywhere.__getitem__), known_hosts(runners, allocators))


# -- identity --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "identity"),
    [
        ({"ece_host_runner_id": "r1", "ece_host_ip": "10.0.0.1", "ansible_host": "10.0.0.2"}, "r1"),
        ({"ece_host_ip": "10.0.0.1", "ansible_host": "10.0.0.2"}, "10.0.0.1"),
        ({"ansible_host": "10.0.0.2"}, "10.0.0.2"),
        ({}, "inventory-name"),
        ({"ece_host_runner_id": "", "ece_host_ip": None, "ansible_host": "10.0.0.2"}, "10.0.0.2"),
        ({"ece_host_runner_id": 17}, "17"),
    ],
)
def test_identity_is_the_first_name_that_is_set(variables, identity):
    assert host_identity("inventory-name", variables)["runner_id"] == identity


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alloc-7.Example.COM", "alloc-7.example.com"),
        ("alloc-7.example.com.", "alloc-7.example.com"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        (" 10.0.0.7 ", "10.0.0.7"),
    ],
)
def test_addresses_are_compared_in_one_form(one, other):
    assert normal_address(one) == normal_address(other)


@given(st.ip_addresses())
def test_every_spelling_of_an_address_is_the_same_address(address):
    assert normal_address(address.exploded.upper()) == str(address)


@pytest.mark.parametrize("address", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "0:0:0:0:0:0:0:1"])
def test_a_loopback_address_never_matches(address):
    assert host_identity("a", {"ansible_host": address})["addresses"] == ["a"]
    found = matches(
        {"a": {"ece_host_runner_id": "a", "ansible_host": address}},
        [runner("other", host_ip=address, public_hostname=address)],
    )
    assert found == {"a": None}


@pytest.mark.parametrize(
    ("variables", "known"),
    [
        pytest.param({"ece_host_runner_id": "R-7"}, runner("r-7"), id="runner id, whatever its case"),
        pytest.param({"ansible_host": "10.0.0.7"}, runner("10.0.0.7"), id="address is the runner id"),
        pytest.param({"ansible_host": "10.0.0.7"}, runner("x", host_ip="10.0.0.7"), id="host_ip"),
        pytest.param(
            {"ece_host_runner_id": "y", "ece_host_ip": "10.0.0.7"},
            runner("x", host_ip="10.0.0.7"),
            id="host_ip although the id is another",
        ),
        pytest.param(
            {"ansible_host": "Alloc-7.example.com"},
            runner("x", public_hostname="alloc-7.EXAMPLE.com"),
            id="public_hostname",
        ),
        pytest.param({"ansible_host": "2001:DB8::0:7"}, runner("x", host_ip="2001:db8::7"), id="IPv6 host_ip"),
        pytest.param(
            {"ansible_host": "10.9.9.9"}, runner("x", public_hostname="a"), id="inventory name is the public_hostname"
        ),
        pytest.param(
            {"ansible_host": "10.0.0.7"},
            runner("10.0.0.7", host_ip="10.0.0.7", public_hostname="10.0.0.7"),
            id="id and addresses alike",
        ),
    ],
)
def test_a_host_is_found_by_id_or_address(variables, known):
    assert matches({"a": variables}, [known, runner("another", host_ip="10.1.1.1")]) == {"a": known["runner_id"]}


def test_a_host_is_found_by_its_allocator_alone():
    assert matches({"a": {"ansible_host": "10.0.0.7"}}, [], [allocator("x", host_ip="10.0.0.7")]) == {"a": "x"}


@pytest.mark.parametrize("host_ip", [None, ""])
def test_an_address_that_the_platform_leaves_out_matches_no_host(host_ip):
    assert matches({"None": {}, "a": {}}, [runner("x", host_ip=host_ip, public_hostname=host_ip)]) == {
        "None": None,
        "a": None,
    }


def test_two_hosts_with_one_identity_are_an_error():
    with pytest.raises(PlatformError, match="hosts a and b have the same identity R1; give each its own"):
        matches({"a": {"ece_host_runner_id": "r1"}, "b": {"ece_host_runner_id": "R1"}})


def test_one_host_that_fits_two_runners_is_an_error():
    runners = [runner("r1", host_ip="10.0.0.9"), runner("r2", host_ip="10.0.0.7")]
    with pytest.raises(PlatformError, match="host a matches 2 runners: r1, r2; remove the wrong one"):
        matches({"a": {"ece_host_runner_id": "r1", "ansible_host": "10.0.0.7"}}, runners)


def test_two_runners_with_one_address_are_an_error():
    with pytest.raises(PlatformError, match="matches 2 runners: r1, r2"):
        matches(
            {"a": {"ansible_host": "10.0.0.7"}}, [runner("r1", host_ip="10.0.0.7"), runner("r2", host_ip="10.0.0.7")]
        )


# Two machines behind one address, as with a forwarded port for each.
BEHIND_ONE = {
    "vm-1": {"ansible_host": "gateway.example.com", "ansible_port": 2222},
    "vm-2": {"ansible_host": "gateway.example.com", "ansible_port": 2200},
}


@pytest.mark.parametrize("alone", ["vm-1", "vm-2"])
def test_two_hosts_with_one_identity_are_an_error_also_where_one_takes_no_part(alone):
    others = {name: variables for name, variables in BEHIND_ONE.items() if name != alone}
    sentence = (
        f"hosts {alone} and {next(iter(others))} have the same identity gateway.example.com, and the platform may know "
        f"either by it: set ece_host_ip or ece_host_runner_id of {alone} to its own .it is from ansible_host now.$"
    )
    with pytest.raises(PlatformError, match=sentence):
        matches({alone: BEHIND_ONE[alone]}, [runner("gateway.example.com")], others=others)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"ansible_host": "10.0.0.7"}, {"ansible_host": "10.0.0.7"}),
        ({"ansible_host": "10.0.0.7", "ansible_port": "22"}, {"ansible_host": "10.0.0.7"}),
        (
            {"ece_host_ip": "10.0.0.7", "ansible_host": "a", "ece_url": "https://one"},
            {"ece_host_ip": "10.0.0.7", "ansible_host": "b", "ece_url": "https://other"},
        ),
    ],
    ids=["one machine under two names", "the default port", "hosts of two platforms"],
)
def test_a_second_name_outside_the_play_is_not_an_error(one, other):
    assert matches({"a": one}, [runner("10.0.0.7")], others={"alias": other}) == {"a": "10.0.0.7"}


# The same machine in its initramfs, where another SSH server unlocks its disk; by another variable; by its name.
SECOND_NAMES = [
    {"ansible_host": "10.0.0.7", "ansible_port": 2222},
    {"ansible_host": "10.0.0.70", "ansible_ssh_host": "10.0.0.7"},
    {"ansible_host": "node-7", "ansible_port": 2222},
]


@pytest.mark.parametrize("other", SECOND_NAMES)
@pytest.mark.parametrize("variable", ["ece_host_ip", "ece_host_runner_id"])
@pytest.mark.parametrize("known", [runner("10.0.0.7"), runner("10.0.0.7", host_ip="10.0.0.7")], ids=["id", "address"])
def test_an_identity_that_the_user_sets_stands_beside_a_host_that_takes_no_part(variable, other, known):
    host = {variable: "10.0.0.7", "ansible_host": "node-7"}
    assert matches({"node-7": host}, [known], others={"second": other}) == {"node-7": "10.0.0.7"}


def test_an_address_that_the_user_sets_stands_beside_a_host_that_is_reached_by_it():
    known = [runner("r-7", host_ip="10.0.0.7")]
    host, other = {"ece_host_ip": "10.0.0.7", "ansible_host": "node-7"}, {"ansible_host": "10.0.0.7"}
    assert matches({"a": host}, known, others={"second": other}) == {"a": "r-7"}
    second = {**other, "ece_host_runner_id": "other", "ansible_port": 2222}
    assert matches({"a": host, "second": second}, known) == {"a": "r-7", "second": None}
    assert matches({"second": second}, known, others={"a": host}) == {"second": None}


def test_the_runner_id_of_a_host_that_takes_no_part_matches_no_other_host_by_an_address():
    known = [runner("10.0.0.7", host_ip="10.0.0.7")]
    others = {"a": {"ece_host_runner_id": "10.0.0.7", "ansible_host": "node-7"}}
    host = {"ece_host_runner_id": "b", "ansible_host": "10.0.0.7", "ansible_port": 2222}
    assert matches({"b": host}, known, others=others) == {"b": None}


@pytest.mark.parametrize("variable", ["ece_host_ip", "ansible_host"])
def test_a_host_is_not_taken_for_one_that_has_its_identity_explicitly(variable):
    others = {"b": {"ece_host_ip": "10.0.0.7", "ansible_host": "node-7"}}
    sentence = (
        "hosts a and b have the same identity 10.0.0.7, and the platform may know either by it: set ece_host_ip or "
        f"ece_host_runner_id of a to its own .it is from {variable} now.; if both are one machine, leave ece_host_ip of"
    )
    with pytest.raises(PlatformError, match=sentence):
        matches({"a": {variable: "10.0.0.7", "ansible_port": 2222}}, [runner("10.0.0.7")], others=others)


@pytest.mark.parametrize("unknown", ["ece_host_runner_id", "ece_host_ip"])
def test_a_host_whose_identity_cannot_be_read_has_none_of_the_next_variable(unknown):
    other = host_identity("vm-2", BEHIND_ONE["vm-2"], [unknown])
    assert other["runner_id"] == ""
    wish = host_identity("vm-1", BEHIND_ONE["vm-1"])
    found = distinct([wish], [other], BEHIND_ONE.__getitem__)[0]
    assert (found["runner_id"], found["addresses"]) == ("gateway.example.com", ["vm-1"])


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "one at a time"])
def test_an_address_that_two_hosts_share_matches_neither(apart):
    hosts = {name: {**variables, "ece_host_runner_id": f"r-{name}"} for name, variables in BEHIND_ONE.items()}
    known = [runner("r-vm-1", public_hostname="gateway.example.com")]
    others = {"vm-1": hosts.pop("vm-1")} if apart else {}
    assert matches(hosts, known, others=others)["vm-2"] is None


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ansible_host": "127.0.0.1", "ansible_port": 2222}, "host a: ansible_host 127.0.0.1 is a loopback address"),
        ({"ece_host_ip": "::1"}, "host a: ece_host_ip ::1 is a loopback address"),
        ({"ece_host_runner_id": "localhost"}, "host a: ece_host_runner_id localhost is a loopback address"),
        (
            {"ansible_host": "2001:db8::7"},
            "host a: ansible_host 2001:db8::7 cannot be its runner id, because ECE needs",
        ),
    ],
)
def test_a_host_joins_with_no_id_that_cannot_be_its_own(variables, sentence):
    wish = {**host_identity("a", variables), "roles": ["allocator"], "zone": None}
    with pytest.raises(OptionError, match=f"{sentence}.*: set ece_host_ip to the host's own IPv4 address, or set"):
        plan_hosts([wish], {})


def test_a_runner_with_a_loopback_address_as_id_is_matched_by_its_id_alone():
    known = [runner("127.0.0.1")]
    assert matches({"a": {"ansible_host": "127.0.0.1"}}, known) == {"a": None}
    assert matches({"a": {"ece_host_runner_id": "127.0.0.1"}}, known) == {"a": "127.0.0.1"}


@pytest.mark.parametrize(
    ("variables", "identity"),
    [
        ({"ece_host_runner_id": "r1", "ansible_host": "10.0.0.7"}, ("r1", "ece_host_runner_id")),
        ({"ece_host_ip": "10.0.0.7"}, ("10.0.0.7", "ece_host_ip")),
        ({"ece_host_runner_id": "x", "ansible_host": "A.example.com"}, ("a.example.com", "ansible_host")),
        ({"ece_host_runner_id": "new"}, ("new", "ece_host_runner_id")),
        ({}, ("a", "inventory_hostname")),
    ],
)
def test_the_plan_names_the_variable_by_which_a_host_is_known(variables, identity):
    known = known_hosts([runner("r1", host_ip="10.0.0.7", public_hostname="a.example.com")], [])
    wish = {**host_identity("a", variables), "roles": ["allocator"], "zone": None}
    entry = plan_hosts([wish], known)["a"]
    assert (entry["identity"], entry["identity_variable"]) == identity


def test_two_hosts_that_fit_one_runner_are_an_error():
    with pytest.raises(PlatformError, match="hosts a and b both match runner r1"):
        matches(
            {"a": {"ece_host_runner_id": "r1"}, "b": {"ece_host_ip": "10.0.0.7"}}, [runner("r1", host_ip="10.0.0.7")]
        )


# -- the state of a host by the API ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "roles", "state", "missing"),
    [
        pytest.param(None, ["allocator"], NEW, ["allocator"], id="unknown"),
        pytest.param({"runner": runner(), "allocator": allocator()}, ["allocator"], JOINED, [], id="connected"),
        pytest.param(
            {"allocator": allocator()}, ["allocator"], JOINED, [], id="allocator alone, its runner not listed"
        ),
        pytest.param(
            {"allocator": allocator()},
            ["allocator", "proxy"],
            MISSING_ROLES,
            ["proxy"],
            id="allocator alone holds one role",
        ),
        pytest.param(
            {"runner": runner(), "allocator": allocator(connected=False)},
            ["allocator"],
            DISCONNECTED,
            [],
            id="healthy but not connected",
        ),
        pytest.param({"runner": runner()}, ["allocator"], DISCONNECTED, [], id="allocator not listed yet"),
        pytest.param(
            {"runner": runner(connected=False), "allocator": allocator()},
            ["allocator"],
            DISCONNECTED,
            [],
            id="runner gone",
        ),
        pytest.param({"runner": runner(roles=())}, ["allocator"], MISSING_ROLES, ["allocator"], id="without a role"),
        pytest.param({"runner": runner(roles=("proxy",))}, ["proxy"], JOINED, [], id="proxy needs no allocator"),
        pytest.param(
            {"runner": runner(roles=("proxy",))},
            ["director", "allocator", "proxy"],
            MISSING_ROLES,
            ["director", "allocator"],
            id="some roles",
        ),
        pytest.param(
            {"runner": runner(connected="false"), "allocator": allocator()},
            ["allocator"],
            DISCONNECTED,
            [],
            id="a text",
        ),
        pytest.param(
            {"allocator": allocator(connected="true")}, ["allocator"], DISCONNECTED, [], id="a text of an allocator"
        ),
        pytest.param({"runner": {"runner_id": "x"}}, ["allocator"], DISCONNECTED, [], id="sparse reply"),
        pytest.param(
            {"runner": runner(), "allocator": {"allocator_id": "x", "status": None}},
            ["allocator"],
            DISCONNECTED,
            [],
            id="null status",
        ),
    ],
)
def test_api_state(entry, roles, state, missing):
    assert api_state(entry, roles) == (state, missing)


def test_plan_keeps_the_platforms_id_of_a_known_host_and_the_wanted_one_of_a_new_host():
    hosts = [
        {**host_identity("old", {"ece_host_ip": "10.0.0.7"}), "roles": ["allocator"], "zone": "zone-1"},
        {**host_identity("new", {"ece_host_runner_id": "r-new"}), "roles": ["allocator", "proxy"]},
    ]
    result = plan_hosts(hosts, known_hosts([runner("r-old", host_ip="10.0.0.7", roles=("proxy",))], []))
    assert result["old"] == {
        "name": "old",
        "state": MISSING_ROLES,
        "runner_id": "r-old",
        "addresses": ["10.0.0.7", "old"],
        "variables": {"10.0.0.7": "ece_host_ip", "old": "inventory_hostname"},
        "identity": "10.0.0.7",
        "identity_variable": "ece_host_ip",
        "parts": {"runner": True},
        "host_ip": "10.0.0.7",
        "list_is_short": False,
        "asked": False,
        "found_as": None,
        "roles": ["allocator"],
        "missing_roles": ["allocator"],
        "zone": "zone-1",
        "differences": [],
        "changes": [],
        "version": "",
        "coordinator": "",
        "directors": [],
    }
    assert (result["new"]["state"], result["new"]["runner_id"], result["new"]["missing_roles"]) == (NEW, "r-new", [])


def test_only_the_fields_that_are_read_later_are_kept():
    full = {**FULL_ALLOCATOR, "instances": [{}] * 50, "features": [], "external_links": []}
    whole = {**runner("r"), "containers": [{}] * 9, "health_checks": {}}
    known = known_hosts(iter([whole]), iter([full]))
    assert not {"instances", "features", "external_links"} & set(known["a1"]["allocator"])
    assert "containers" not in known["r"]["runner"]
    host = {**host_identity("a", {"ece_host_runner_id": "a1"}), "roles": ["allocator"], "zone": "z9"}
    assert plan_hosts([host], known, "3.8.0") == plan_hosts(
        [host], {"r": {"runner": whole}, "a1": {"allocator": full}}, "3.8.0"
    )


@pytest.mark.parametrize(
    ("totals", "count"),
    [
        ({"runners": 1, "allocators": 1}, 0),
        ({"runners": 2, "allocators": None}, 1),
        ({"runners": 0, "allocators": 5}, 2),
    ],
)
def test_each_list_that_is_cut_is_a_warning(totals, count):
    assert len(count_warnings(known_hosts([runner("r")], [FULL_ALLOCATOR]), totals)) == count


@pytest.mark.parametrize(
    ("totals", "short"),
    [
        ({"runners": 1, "allocators": 1}, []),
        ({"runners": 2, "allocators": None}, ["runners"]),
        ({"runners": 0, "allocators": 5}, ["allocators"]),
    ],
)
def test_a_list_is_short_where_the_platform_counts_more(totals, short):
    assert short_lists(known_hosts([runner("r")], [FULL_ALLOCATOR]), totals) == short


def test_joined_hosts_that_differ_from_the_inventory_make_one_warning():
    hosts = [{**host_identity(name, {}), "roles": ["proxy"], "zone": "zone-9"} for name in "abcdefg"]
    known = known_hosts([runner(name, host_ip=name, roles=("proxy",), zone="zone-1") for name in "abcdefg"], [])
    (warning,) = difference_warnings(plan_hosts(hosts, known))
    assert warning.startswith(
        "hosts that are joined differ from the inventory: a (it is in zone zone-1 instead of zone-9), b ("
    )
    assert warning.endswith(
        " and 2 more; the zone of a joined host cannot be changed: correct ece_host_zone, or remove the host and join "
        "it again"
    )
    assert difference_warnings(plan_hosts(hosts, {})) == []


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({JOINED: 997, NEW: 3}, "1,000 hosts: 997 joined, 3 new"),
        ({JOINED: 2}, "2 hosts: 2 joined, 0 new"),
        ({JOINED: 2, UPDATE: 1}, "3 hosts: 2 joined, 0 new, 1 to change"),
        ({DISCONNECTED: 1, MISSING_ROLES: 2}, "3 hosts: 0 joined, 0 new, 1 disconnected, 2 missing a role"),
    ],
)
def test_plan_line(counts, message):
    entries = [{"state": state} for state, count in counts.items() for _ in range(count)]
    line = plan_line(
        {str(number): entry for number, entry in enumerate(entries)}, "3.8.0", "https://ece.example.com:12443"
    )
    assert line == "ECE 3.8.0 at https://ece.example.com:12443 - " + message


# -- after the join --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "zone", "version", "found"),
    [
        ({"runner": runner(zone="z1", build_info={"version": "3.8.0"})}, "z1", "3.8.0", []),
        ({"runner": runner(zone="z1", build_info={"version": "3.8.0-SNAPSHOT"})}, "z1", "3.8.0", []),
        ({"runner": runner(zone="z2")}, "z1", None, ["it is in zone z2 instead of z1"]),
        ({"allocator": allocator(zone_id="z2")}, "z1", None, ["it is in zone z2 instead of z1"]),
        ({"runner": runner(zone="z3"), "allocator": allocator(zone_id="z1")}, "z1", None, []),
        (
            {"runner": runner(build_info={"version": "3.7.2"})},
            None,
            "3.8.0",
            ["it runs version 3.7.2 instead of 3.8.0"],
        ),
        (
            {"allocator": allocator(build_info={"version": "3.7.2"})},
            None,
            "3.8.0",
            ["it runs version 3.7.2 instead of 3.8.0"],
        ),
        (
            {"runner": runner(zone="z2", build_info={"version": "3.7.2"})},
            "z1",
            "3.8.0",
            ["it is in zone z2 instead of z1", "it runs version 3.7.2 instead of 3.8.0"],
        ),
        ({"runner": runner(zone="z2", build_info={"version": "3.7.2"})}, None, None, []),
        ({"runner": runner(), "allocator": None}, "z1", "3.8.0", []),
    ],
)
def test_differences(entry, zone, version, found):
    assert differences(entry, zone, version) == found


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (None, "the platform does not know it"),
        ({"runner": runner(roles=())}, "without the role allocator, as happens when a token does not permit it"),
        (
            {"runner": runner(), "allocator": allocator(connected=False)},
            "its runner is connected but its allocator is not",
        ),
        ({"runner": runner(connected=False)}, "the platform knows it but it is not connected"),
        ({"runner": runner(), "allocator": allocator()}, "it is connected"),
    ],
)
def test_not_ready_reason_names_what_to_look_at(entry, message):
    assert message in not_ready_reason(entry, ["allocator"])


# -- allocators that the list lacks ----------------------------------------------------------------------------------


def test_hosts_that_only_the_list_of_allocators_lacks_are_named():
    def of(runner_id, *roles, connected=True):
        return {
            "runner_id": runner_id,
            "host_ip": runner_id,
            "connected": connected,
            "roles": [{"role_name": role} for role in roles],
        }

    runners = [
        *(
            of("10.0.0.1", "allocator"),
            of("10.0.0.2", "allocator"),
            of("10.0.0.3", "proxy"),
            of("10.0.0.4", "allocator", connected=False),
        ),
        of("of-another-inventory", "allocator"),
    ]
    known = known_hosts(
        runners,
        [{"allocator_id": "10.0.0.1", "status": {"connected": True}}, {"allocator_id": "10.0.0.6", "status": {}}],
    )
    addresses = [f"10.0.0.{number}" for number in range(1, 8)]
    hosts = [{**host_identity(address, {}), "roles": ["allocator"], "zone": None} for address in addresses]
    planned = plan_hosts(hosts, known)
    assert unlisted_allocators(planned, known) == ["10.0.0.2"]
    add_hosts(known, [], [{"allocator_id": "10.0.0.2", "status": {"connected": True}}])
    assert plan_hosts(hosts, known)["10.0.0.2"]["state"] == JOINED


# -- replies of other shapes than the API's --------------------------------------------------------------------------

every_odd_value = pytest.mark.parametrize("odd", ODD_VALUES, ids=lambda odd: repr(odd)[:20])


@every_odd_value
@pytest.mark.parametrize(
    "key", ["zone_id", "host_ip", "public_hostname", "status", "capacity", "build_info", "instances", "metadata"]
)
def test_an_allocator_with_an_odd_member_can_be_planned(key, odd):
    for value in (
        odd,
        [odd],
        {"memory": odd, "storage": odd, "version": odd, "connected": odd},
        {"memory": {"total": odd, "used": odd}},
        [{"key": odd}],
    ):
        known = known_hosts([], [allocator(**{"zone_id": "z1", "host_ip": "10.0.0.7", key: value})])
        match_hosts([host_identity("a", {})], known)
        not_ready_reason(known["10.0.0.7"], ["allocator"])
        differences(known["10.0.0.7"], "zone", "3.8.0")


@every_odd_value
@pytest.mark.parametrize(
    "key", ["zone", "host_ip", "public_hostname", "connected", "build_info", "roles", "tags", "containers"]
)
def test_a_runner_with_an_odd_member_can_be_planned(key, odd):
    for value in (odd, [odd], {"version": odd}, [{"role_name": odd, "container_name": odd}]):
        known = known_hosts([{**runner(), key: value}], [])
        match_hosts([host_identity("a", {})], known)
        not_ready_reason(known["10.0.0.7"], ["allocator"])
        differences(known["10.0.0.7"], "zone", "3.8.0")


def test_text_of_the_platform_is_one_line_in_sentences():
    found = differences({"runner": {"zone": "zone\n2", "build_info": {"version": "4\u20281"}}}, "zone-1", "3.8.0")
    assert found == ["it is in zone zone 2 instead of zone-1", "it runs version 4 1 instead of 3.8.0"]
    assert plan_line({}, "3\n8", "https://x") == "ECE 3 8 at https://x - 0 hosts: 0 joined, 0 new"
    with pytest.raises(PlatformError, match="matches 2 runners: x y, z;"):
        matches(
            {"a": {"ansible_host": "10.0.0.7"}}, [runner("x\ny", host_ip="10.0.0.7"), runner("z", host_ip="10.0.0.7")]
        )


@pytest.mark.parametrize(
    "name", ["localhost", "localhost.localdomain", "localhost4", "ip6-localhost", "127.0.0.1", "::1", "0.0.0.0", ""]
)
def test_names_and_addresses_that_every_host_has_identify_none(name):
    assert not plan.identifies_a_host(name)


def test_hosts_behind_the_ports_of_one_address_are_two_by_the_older_names_of_the_variables_too():
    ways = {name: {"ansible_ssh_host": "gw", "ansible_ssh_port": port} for name, port in (("a", 2222), ("b", 2200))}
    assert plan._are_two("a", "b", ways.__getitem__)
    assert plan.host_identity("a", ways["a"])["runner_id"] == "gw"
