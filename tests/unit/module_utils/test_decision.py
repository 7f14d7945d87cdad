# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run does with a host: pure functions, so a table of cases."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils._decision import UNSURE, decide
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    host_identity,
    known_hosts,
    plan_hosts,
    with_answer,
)
from ansible_collections.ece.platform.plugins.module_utils._states import (
    ASSIGN_ROLES,
    DISCONNECTED,
    HALF_INSTALLED,
    INSTALL,
    JOINED,
    MISSING_ROLES,
    NEW,
    REFUSED,
    REJECTED,
    REPLACE,
    STALE,
    WAIT,
)
from tests.unit.module_utils.test_plan import allocator, runner

CONTAINERS = {"ece_containers": ["frc-runners-runner", "frc-allocators-allocator"]}
# The plan's state of a host, and the message in which the platform says it.
SAYS = {
    "connected": ([runner()], [allocator()]),
    "connected, role missing": ([runner(roles=("proxy",))], []),
    "unknown": ([], []),
    "known, not connected": ([runner(connected=False)], [allocator(connected=False)]),
}


def planned(says, **more):
    host = {**host_identity("a", {"ansible_host": "10.0.0.7"}), "roles": ["allocator"], **more}
    return plan_hosts([host], known_hosts(*SAYS[says]))["a"]


@pytest.mark.parametrize(
    ("says", "facts", "replace_stale", "verdict", "message"),
    [
        pytest.param(
            "connected, role missing",
            {},
            False,
            ASSIGN_ROLES,
            "the role allocator is missing: it is assigned",
            id="2 role missing",
        ),
        pytest.param("unknown", {}, False, INSTALL, "new: join as allocator", id="3 new"),
        pytest.param(
            "unknown",
            {"installer_running": True},
            False,
            WAIT,
            "an installer is already running on it",
            id="4 installer running",
        ),
        pytest.param(
            "unknown",
            {"installer_running": True, **CONTAINERS},
            False,
            WAIT,
            "an installer is already running",
            id="4 installer half done",
        ),
        pytest.param(
            "unknown",
            CONTAINERS,
            False,
            HALF_INSTALLED,
            "remove its ECE containers (frc-runners-runner first)",
            id="5 half-installed",
        ),
        pytest.param(
            "known, not connected", CONTAINERS, False, DISCONNECTED, "It is not reinstalled", id="6 disconnected"
        ),
        pytest.param(
            "known, not connected",
            CONTAINERS,
            True,
            DISCONNECTED,
            "It is not reinstalled",
            id="6 disconnected, replace_stale or not",
        ),
        pytest.param("known, not connected", {}, False, STALE, "set ece_host_replace_stale: true", id="7 stale"),
        pytest.param(
            "known, not connected",
            {},
            True,
            REPLACE,
            "delete runner and allocator 10.0.0.7, then join",
            id="7 stale, to be replaced",
        ),
        pytest.param(
            "known, not connected",
            {"installer_running": True},
            True,
            WAIT,
            "an installer is already running",
            id="replaced, and joining now",
        ),
        pytest.param(
            "unknown",
            {"problems": ["No socket.", "No user."]},
            False,
            REFUSED,
            "refuse this host: No socket. No user.",
            id="refused",
        ),
        pytest.param(
            "known, not connected",
            {"problems": ["No socket."]},
            True,
            REFUSED,
            "No socket.",
            id="refused before anything is deleted",
        ),
        pytest.param(
            "known, not connected", {"problems": ["No socket."]}, False, STALE, "stale", id="stale is told first"
        ),
        pytest.param(
            "unknown",
            {"problems": ["Port 20000."], "installer_running": True},
            False,
            WAIT,
            "running",
            id="a running installer's own ports",
        ),
        pytest.param(
            "unknown",
            {"problems": ["No socket."], **CONTAINERS},
            False,
            HALF_INSTALLED,
            "half-installed",
            id="containers outweigh problems",
        ),
    ],
)
def test_every_row_of_the_table_of_decisions(says, facts, replace_stale, verdict, message):
    found, sentence = decide(planned(says), facts, replace_stale=replace_stale, connect_timeout=600)
    assert (found, message in sentence) == (verdict, True), sentence
    assert (found in REJECTED) == (verdict in ("refused", "half-installed", "disconnected", "stale"))


@pytest.mark.parametrize("says", ["unknown", "known, not connected"])
@pytest.mark.parametrize(
    ("last", "waits"),
    [
        ({"rc": 0, "age_seconds": 10}, True),
        ({"rc": 0, "age_seconds": 599.9}, True),
        ({"rc": 0, "age_seconds": 600}, False),
        ({"rc": 1, "age_seconds": 10}, False),
        ({"rc": None, "age_seconds": None}, False),
        ({"rc": 0, "age_seconds": None}, False),
        (None, False),
    ],
)
def test_a_run_killed_in_the_middle_can_be_repeated_while_the_host_still_connects(says, last, waits):
    verdict = decide(planned(says), {**CONTAINERS, "last_install": last}, replace_stale=True, connect_timeout=600)[0]
    assert (verdict == WAIT) == waits
    assert waits or verdict in (HALF_INSTALLED, DISCONNECTED)


def test_a_finished_install_without_containers_is_not_waited_for():
    facts = {"ece_containers": [], "last_install": {"rc": 0, "age_seconds": 5}}
    assert decide(planned("unknown"), facts, replace_stale=False, connect_timeout=600)[0] == INSTALL


def test_of_many_containers_three_are_named():
    facts = {"ece_containers": ["frc-d", "frc-b", "frc-a", "frc-c"]}
    assert (
        "(frc-a, frc-b, frc-c and 1 more)"
        in decide(planned("unknown"), facts, replace_stale=False, connect_timeout=600)[1]
    )


@pytest.mark.parametrize("says", ["unknown", "known, not connected"])
@pytest.mark.parametrize("replace_stale", [False, True])
def test_where_the_engine_does_not_answer_the_host_is_refused_with_its_error(says, replace_stale):
    facts = {
        "containers_known": False,
        "ece_containers": [],
        "engine": {"error": None, "containers_error": "no answer within 60 s"},
    }
    verdict, sentence = decide(planned(says), facts, replace_stale=replace_stale, connect_timeout=600)
    assert (verdict, "the container engine does not answer (no answer within 60 s)" in sentence) == (REFUSED, True), (
        sentence
    )
    assert (
        decide(planned(says), {**facts, "installer_running": True}, replace_stale=replace_stale, connect_timeout=600)[0]
        == WAIT
    )
    known = {**facts, "containers_known": True}
    assert decide(planned(says), known, replace_stale=True, connect_timeout=600)[0] in (INSTALL, REPLACE)


# -- after the platform was asked for this very host ------------------------------------------------------------------

DEPLOYMENTS = {"ece_containers": ["fac-0a1b-instance-0", "frc-allocators-allocator", "frc-runners-runner"]}


def answered(runners=(), allocators=(), found_as="10.0.0.7", variables=None, **more):
    """The entry of a new host, after the platform's answer to the question for it."""
    host = {**host_identity("a", variables or {"ansible_host": "10.0.0.7"}), "roles": ["allocator"], "zone": None}
    entry = {**plan_hosts([host], {})["a"], **more}
    return with_answer(entry, found_as, known_hosts(runners, allocators).get(found_as))


def decided(entry, facts, replace_stale=False, port=None):
    return decide(entry, facts, replace_stale=replace_stale, connect_timeout=600, port=port)


@pytest.mark.parametrize("says", ["unknown", "known, not connected"])
def test_no_verdict_with_a_harmful_remedy_stands_before_the_platform_was_asked_for_the_host(says):
    assert decided(planned(says), CONTAINERS)[0] in UNSURE
    assert says == "unknown" or {decided(planned(says), {}, replace)[0] for replace in (False, True)} <= set(UNSURE)


def test_a_host_that_the_lists_lack_is_joined_where_the_platform_says_so_when_asked():
    entry = answered([runner()], [allocator()])
    assert decided(entry, CONTAINERS) == (
        JOINED,
        "it is connected as 10.0.0.7, which the platform's lists did not show",
    )


@pytest.mark.parametrize(
    ("runner_id", "host_ip", "sentence"),
    [
        (
            "10.20.0.9",
            "10.20.0.9",
            "it is runner 10.20.0.9; set ece_host_ip: 10.20.0.9 (or ece_host_runner_id) in the inventory",
        ),
        (
            "allocator-a7",
            "10.20.0.9",
            "it is runner allocator-a7; set ece_host_runner_id: allocator-a7 (or ece_host_ip: 10.20.0.9) in the "
            "inventory",
        ),
        ("a7", None, "it is runner a7; set ece_host_runner_id: a7 in the inventory"),
    ],
)
def test_a_host_that_the_platform_knows_by_another_name_is_joined_and_the_variable_is_named(
    runner_id, host_ip, sentence
):
    entry = answered([runner(runner_id, host_ip=host_ip)], [allocator(runner_id)], found_as=runner_id)
    assert decided(entry, DEPLOYMENTS) == (JOINED, sentence)


def test_a_joined_host_that_differs_from_the_inventory_says_in_what():
    entry = answered([runner(zone="z1")], [allocator()], zone="z2")
    assert decided(entry, CONTAINERS)[1].endswith("; but it is in zone z1 instead of z2")


def test_a_host_with_the_folder_of_a_runner_that_is_connected_from_another_address_is_a_copy():
    entry = answered([runner("b", host_ip="10.0.0.8")], [allocator("b")], found_as="b")
    verdict, sentence = decided(entry, {**CONTAINERS, "runner_ids": ["b"], "addresses": ["10.0.0.9"]})
    assert verdict == REFUSED
    assert "connected at 10.0.0.8, which is no address of this host: it looks like a copy" in sentence
    assert "set ece_host_ip" not in sentence


def test_a_missing_role_is_assigned_by_the_name_that_the_inventory_has_and_by_no_other():
    assert decided(answered([runner(roles=("proxy",))]), CONTAINERS)[0] == ASSIGN_ROLES
    verdict, sentence = decided(answered([runner("b", roles=("proxy",))], found_as="b"), CONTAINERS)
    assert (verdict, "it is runner b; set ece_host_runner_id: b in the inventory, and run this again" in sentence) == (
        REFUSED,
        True,
    )


def test_a_disconnected_host_that_has_another_name_says_which():
    entry = answered([runner("b", connected=False)], found_as="b")
    verdict, sentence = decided(entry, CONTAINERS)
    assert verdict == DISCONNECTED
    assert "knows it as b (set ece_host_runner_id: b in the inventory) but it is not" in sentence


@pytest.mark.parametrize(
    ("variables", "known", "sentence"),
    [
        ({"ansible_host": "10.0.0.7"}, runner(connected=False), "knows it as 10.0.0.7 (ansible_host) but it is not"),
        (
            {"ece_host_ip": "10.0.0.7"},
            runner("r", host_ip="10.0.0.7", connected=False),
            "knows it as r (ece_host_ip 10.0.0.7) but it is not connected",
        ),
        ({}, runner("a"), "knows it as a (inventory_hostname) but its allocator is not connected, and"),
    ],
)
def test_a_disconnected_host_names_the_variable_by_which_the_platform_knows_it(variables, known, sentence):
    wish = {**host_identity("a", variables), "roles": ["allocator"], "zone": None}
    entry = plan_hosts([wish], known_hosts([known], []))["a"]
    assert sentence in decided(entry, CONTAINERS)[1]


def test_half_installed_says_first_that_the_platform_may_know_the_host_by_another_name():
    facts = {**CONTAINERS, "addresses": ["10.20.0.9"], "runner_ids": ["old"]}
    verdict, sentence = decided(answered(), facts)
    assert verdict == HALF_INSTALLED
    assert sentence.startswith(
        "half-installed: the platform may know this host by another name, so look for it among the runners first, and "
        "set ece_host_ip or ece_host_runner_id if it is there. It runs ECE containers (frc-allocators-allocator, "
        "frc-runners-runner), but the platform does not know it as 10.0.0.7 (ansible_host), nor as 10.20.0.9, old, as "
    )
    assert "then remove its ECE containers (frc-runners-runner first) and its storage path" in sentence


@pytest.mark.parametrize(
    ("facts", "list_is_short", "reason"),
    [
        (DEPLOYMENTS, False, "Deployments run on it (fac-0a1b-instance-0), so nothing on it must be removed."),
        (CONTAINERS, True, "The platform's lists have gaps now: run this again when they are complete."),
    ],
)
def test_nothing_is_to_be_removed_where_deployments_run_or_a_list_is_short(facts, list_is_short, reason):
    verdict, sentence = decided(answered(list_is_short=list_is_short), facts)
    assert (verdict, sentence.endswith(reason), "remove its ECE" in sentence) == (HALF_INSTALLED, True, False)


@pytest.mark.parametrize("facts", [{}, {**CONTAINERS, "addresses": ["10.0.0.8"]}], ids=["no container", "address"])
@pytest.mark.parametrize("replace_stale", [False, True])
def test_a_host_is_not_the_runner_that_is_connected_from_elsewhere(facts, replace_stale):
    entry = answered([runner(host_ip="10.0.0.7")], [allocator()])
    verdict, sentence = decided(entry, facts, replace_stale)
    assert verdict == REFUSED
    assert "ansible_host 10.0.0.7 names 10.0.0.7 at 10.0.0.7, to which the platform is connected, but" in sentence
    assert ("runs no ECE container" in sentence) == (not facts)


@pytest.mark.parametrize("variable", ["ece_host_runner_id", "ece_host_ip"])
def test_a_variable_that_names_the_runner_counts_more_than_an_address(variable):
    known = [runner(host_ip="10.0.0.7")], [allocator()]
    entry = answered(*known, variables={variable: "10.0.0.7"})
    assert decided(entry, {**CONTAINERS, "addresses": ["10.0.0.8"]})[0] == JOINED


def test_a_runner_that_was_deleted_meanwhile_makes_its_host_new():
    assert decided(with_answer(planned("known, not connected"), "10.0.0.7", None), {}, True)[0] == INSTALL


@pytest.mark.parametrize(
    ("runners", "allocators", "what"),
    [
        ([runner(connected=False)], [allocator(connected=False)], "runner and allocator"),
        ([runner(connected=False)], [], "runner"),
        ([], [allocator(connected=False)], "allocator"),
    ],
)
def test_a_stale_host_names_what_the_platform_has_of_it(runners, allocators, what):
    entry = answered(runners, allocators)
    assert f" Delete the {what} in the platform (ece_runner with state: absent), or set" in decided(entry, {})[1]
    assert decided(entry, {}, True) == (REPLACE, f"stale: delete {what} 10.0.0.7, then join")


def test_a_stale_host_whose_folders_are_there_is_not_like_one_with_a_new_image():
    entry = answered([runner(connected=False)])
    assert "like a host with a new image" in decided(entry, {})[1]
    assert "whose containers were removed" in decided(entry, {"runner_ids": ["10.0.0.7"]})[1]


GATEWAY = {"ansible_host": "gateway.example.com"}
BY_GATEWAY = ([runner("gateway.example.com", connected=False, host_ip="10.0.0.7")], (), "gateway.example.com")


@pytest.mark.parametrize(
    ("variables", "facts", "port", "verdict"),
    [
        (GATEWAY, {}, 2200, STALE),
        (GATEWAY, {"addresses": ["10.0.0.7"]}, "2200", STALE),
        (GATEWAY, {"addresses": ["10.0.0.8"]}, None, STALE),
        (GATEWAY, {"addresses": ["10.0.0.7"]}, 22, REPLACE),
        (GATEWAY, {}, None, REPLACE),
        (GATEWAY, {"addresses": ["10.0.0.8"], "runner_ids": ["gateway.example.com"]}, 2200, REPLACE),
        ({"ece_host_runner_id": "gateway.example.com", **GATEWAY}, {"addresses": ["10.0.0.7"]}, 2200, REPLACE),
        ({"ece_host_ip": "gateway.example.com", **GATEWAY}, {}, 2200, REPLACE),
    ],
    ids=[
        "another port",
        "another port, although the address fits",
        "another host's address",
        "its own address",
        "nothing else known",
        "its own folder",
        "its runner id by the inventory",
        "its address by the inventory",
    ],
)
def test_no_runner_is_deleted_on_the_word_of_an_address_alone(variables, facts, port, verdict):
    entry = answered(*BY_GATEWAY, variables=variables)
    found, sentence = decided(entry, facts, True, port)
    assert found == verdict
    assert (
        "only ansible_host gateway.example.com says that it is this runner, and another host may be behind that "
        "address: set ece_host_runner_id: gateway.example.com if it is this runner, else ece_host_ip" in sentence
    ) == (verdict == STALE)


def test_no_runner_is_deleted_that_the_platform_has_at_another_address():
    variables = {"ece_host_runner_id": "gateway.example.com", **GATEWAY}
    found, sentence = decided(answered(*BY_GATEWAY, variables=variables), {"addresses": ["10.0.0.8"]}, True)
    assert found == STALE
    assert (
        "has gateway.example.com at 10.0.0.7, which is no address of this host: correct ece_host_runner_id" in sentence
    )


def test_an_address_to_connect_to_that_is_the_hosts_own_is_no_gateway():
    entry = answered([runner(connected=False, host_ip="10.0.0.7")])
    assert decided(entry, {"addresses": ["10.0.0.7"]}, True, 2200)[0] == REPLACE


@pytest.mark.parametrize("state", [JOINED, MISSING_ROLES, NEW, DISCONNECTED])
def test_a_running_installer_is_waited_for_whatever_the_platform_says(state):
    assert decided({**answered(), "state": state}, {"installer_running": True})[0] == WAIT
