# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a removal: who a host is, and what speaks against its removal."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _removal_plan as plan
from ansible_collections.ece.platform.plugins.module_utils._plan import host_identity
from ansible_collections.ece.platform.plugins.module_utils._records import flat_allocator

ID = "192.0.2.1"
CHOICES = {"instances": "vacate", "clean_host": True, "allow_last": False, "unreachable": False}
FACTS = {
    "addresses": [ID, "172.17.0.1"],
    "runner_ids": [ID],
    "containers_known": True,
    "ece_containers": ["frc-runners-runner"],
}


def runner(runner_id=ID, *, roles=("allocator", "beats-runner"), connected=True, **more):
    named = [{"role_name": role} for role in roles]
    return {"runner_id": runner_id, "host_ip": runner_id, "connected": connected, "roles": named, "zone": "z", **more}


def allocator(allocator_id=ID, *, used=0, total=65536, connected=True, maintenance=False, tags=(), instances=0, **more):
    return {
        "allocator_id": allocator_id,
        "host_ip": allocator_id,
        "zone_id": "z",
        "status": {"connected": connected, "maintenance_mode": maintenance},
        "capacity": {"memory": {"total": total, "used": used}},
        "instances": [{"cluster_id": str(number)} for number in range(instances)],
        "metadata": [{"key": key, "value": value} for key, value in tags],
        **more,
    }


def known(**more):
    return {"runner": runner(**more), "allocator": allocator(connected=more.get("connected", True))}


def identity(name="host-1", **variables):
    return host_identity(name, {"ansible_host": ID, **variables})


def facts(**more):
    return {"facts": {**FACTS, **more}, "error": ""}


GONE = {"facts": None, "error": "it cannot be reached (timed out)"}


def entry_of(name="host-1", *, host=None, answer=None, known_id=ID, **choices):
    host = known() if host is None else host
    return plan.plan_host(identity(name), known_id, host or None, answer or facts(), {**CHOICES, **choices})


def entries_of(*entries):
    return {entry["name"]: entry for entry in entries}


# -- which ids a host may have ---------------------------------------------------------------------------------------


def test_the_ids_of_a_host_are_what_the_list_the_inventory_and_the_host_say():
    said = {"addresses": ["192.0.2.9", "172.17.0.1"], "runner_ids": ["own", ".."]}
    ids = plan.candidate_ids(identity(), "listed", said, {"192.0.2.9": ["behind", "listed"]})
    assert ids == ["listed", ID, "own", "behind", "192.0.2.9", "172.17.0.1"]


def test_a_host_that_says_nothing_has_the_id_of_the_inventory_alone():
    assert plan.candidate_ids(identity(), None, None, {}) == [ID]
    assert plan.candidate_ids(identity(), None, {"addresses": None, "runner_ids": [None]}, {}) == [ID]


# -- proof -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, facts()),
        # Its storage is gone already, as after a run that stopped: its own address says who it is.
        ({}, facts(runner_ids=[], ece_containers=[])),
        # Behind address translation: its own folder, and no address that contradicts.
        ({"ece_host_runner_id": ID}, facts(addresses=["10.0.0.1"])),
        ({}, facts(addresses=[])),
        ({"ece_host_ip": ID}, facts(addresses=["10.0.0.1"])),
        ({"ece_host_runner_id": ID}, GONE),
        ({"ece_host_ip": ID}, GONE),
    ],
)
def test_a_proof(variables, said):
    assert plan.identity_problem(identity(**variables), ID, known(), said) is None


@pytest.mark.parametrize(
    ("variables", "said", "problem"),
    [
        ({}, GONE, "only ansible_host 192.0.2.1 says that it is runner 192.0.2.1 at 192.0.2.1: set ece_host_runner_id"),
        ({}, facts(runner_ids=["192.0.2.2"]), "its storage path is that of runner 192.0.2.2, and ansible_host"),
        ({"ece_host_runner_id": ID}, facts(runner_ids=["192.0.2.2"]), "correct ece_host_runner_id"),
        ({}, facts(addresses=["10.0.0.1"], runner_ids=[]), "which is no address of this host;"),
        ({"ece_host_runner_id": ID}, facts(addresses=["10.0.0.1"], runner_ids=[]), "which is no address of this host;"),
        ({}, facts(addresses=["10.0.0.1"]), "it looks like a copy of that host"),
        ({}, facts(addresses=[], runner_ids=[]), "another host may be behind that address"),
        (
            {"ece_host_ip": ID},
            facts(addresses=["10.0.0.1"], runner_ids=[], ece_containers=[]),
            "which is no address of this host; set ece_host_runner_id and ece_host_ip to what this host is",
        ),
    ],
)
def test_no_proof(variables, said, problem):
    assert problem in plan.identity_problem(identity(**variables), ID, known(), said)


def known_left(connected=False, maintenance=True, roles=("beats-runner",), instances=0):
    """What the platform has of a host that a removal has cleaned, and not deleted."""
    return {
        "runner": runner(connected=connected, roles=roles),
        "allocator": allocator(connected=connected, maintenance=maintenance, instances=instances),
    }


CLEANED = {"addresses": ["10.0.0.1"], "runner_ids": [], "ece_containers": [], "containers_known": True}


@pytest.mark.parametrize("variable", ["ece_host_runner_id", "ece_host_ip"])
@pytest.mark.parametrize("has_allocator", [True, False])
def test_a_removal_that_stopped_after_the_cleaning_goes_on_behind_address_translation(variable, has_allocator):
    left = known_left()
    if not has_allocator:
        del left["allocator"]
    assert plan.identity_problem(identity(**{variable: ID}), ID, left, facts(**CLEANED)) is None
    problem = plan.identity_problem(identity(), ID, left, facts(**CLEANED))
    assert "set ece_host_runner_id and ece_host_ip" in problem
    assert "if ECE was removed from this host already, one of the two variables is enough" in problem


@pytest.mark.parametrize(
    ("platform", "host"),
    [
        ({"maintenance": False}, {}),
        ({"maintenance": "false"}, {}),
        ({"instances": 1}, {}),
        ({"roles": ("allocator", "beats-runner")}, {}),
        ({"roles": ("director",)}, {}),
        ({"connected": True}, {}),
        ({"connected": None}, {}),
        ({}, {"ece_containers": ["frc-runners-runner"]}),
        ({}, {"ece_containers": None}),
        ({}, {"containers_known": False}),
    ],
)
def test_a_host_that_no_removal_has_cleaned_is_not_taken_for_one_behind_address_translation(platform, host):
    said = facts(**{**CLEANED, **host})
    problem = plan.identity_problem(identity(ece_host_runner_id=ID), ID, known_left(**platform), said)
    assert "no address of this host" in problem


@pytest.mark.parametrize("role", ["proxy", "director", "coordinator"])
def test_a_host_that_is_switched_off_is_not_one_that_a_removal_has_cleaned(role):
    off = {"runner": runner(connected=False, roles=[role])}
    assert "no address of this host" in plan.identity_problem(identity(ece_host_ip=ID), ID, off, facts(**CLEANED))


def test_an_address_that_only_the_host_names_is_no_proof():
    # All virtual machines behind one NAT have this address, and the inventory reaches them by a port of the gateway.
    shared = "10.0.2.15"
    named = host_identity("vm-2", {"ansible_host": "bastion.example.com"})
    said = facts(addresses=[shared], runner_ids=[], ece_containers=[])
    problem = plan.identity_problem(named, shared, known_as(shared), said)
    assert "only what the host says of itself says that it is runner 10.0.2.15" in problem
    explicit = host_identity("vm-2", {"ece_host_runner_id": "vm-2"})
    assert plan.candidate_ids(explicit, None, said["facts"], {shared: [shared]}) == ["vm-2"]


def known_as(runner_id):
    """What the platform has of a connected host."""
    return {"runner": {"runner_id": runner_id, "host_ip": runner_id, "connected": True, "roles": []}}


@pytest.mark.parametrize("variable", ["ece_host_runner_id", "ece_host_ip"])
def test_a_host_that_the_inventory_calls_another_runner_is_no_proof(variable):
    problem = plan.identity_problem(identity(**{variable: "192.0.2.7"}), ID, known(), facts())
    assert f"it is runner 192.0.2.1 at 192.0.2.1 by ansible_host 192.0.2.1, and not by {variable} 192.0.2.7" in problem
    assert f"correct {variable}" in problem


def test_a_runner_that_is_found_by_what_the_host_says_of_itself():
    found = plan.identity_problem(identity(ansible_host="10.0.0.1"), ID, known(), facts(addresses=[ID]))
    assert found is None
    assert plan.naming(identity(ansible_host="10.0.0.1"), ID, known()) is None
    assert "what the host says of itself names" in plan.identity_problem(
        identity(ansible_host="10.0.0.1"), ID, known(), facts(runner_ids=["x"])
    )


# -- one host --------------------------------------------------------------------------------------------------------


def test_a_host_that_is_proven_to_be_a_runner_is_removed():
    entry = entry_of()
    assert entry["state"] == plan.REMOVE and entry["problems"] == [] == entry["notes"]
    assert entry["roles"] == ["allocator"] and entry["zone"] == "z" and entry["clean"]
    assert entry["parts"] == {"runner": True, "allocator": True} and entry["identity"] == f"ansible_host {ID}"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"answer": facts(installer_running=True)}, "an installer is running on it"),
        ({"answer": facts(runner_ids=["192.0.2.7"])}, "it is not removed, because its storage path"),
        (
            {"answer": facts(containers_known=False, engine={"containers_error": "no daemon"})},
            "its container engine does not answer (no daemon)",
        ),
        ({"host": {}, "known_id": None}, "it runs ECE (frc-runners-runner), but this platform does not know it as"),
        (
            {
                "host": {},
                "known_id": None,
                "answer": facts(containers_known=False, ece_containers=[], engine={"containers_error": "no daemon"}),
            },
            "its container engine does not answer (no daemon), so that it is not known whether ECE is on it",
        ),
        (
            {
                "host": {},
                "known_id": None,
                "answer": facts(containers_known=False, ece_containers=[], runner_ids=[]),
            },
            "its container engine does not answer (it gave no reason)",
        ),
        ({"answer": GONE}, "it cannot be reached (timed out); if the host is gone for good"),
        ({"answer": GONE, "unreachable": True}, "only ansible_host 192.0.2.1 says"),
        ({"answer": GONE, "unreachable": True, "host": {}, "known_id": None}, "the platform does not know 192.0.2.1"),
    ],
)
def test_a_host_that_is_refused(arguments, problem):
    entry = entry_of(**arguments)
    assert entry["state"] == plan.REFUSED
    assert problem in entry["problems"][0]


@pytest.mark.parametrize("said", [facts(ece_containers=[]), facts(ece_containers=[], runner_ids=[], addresses=[])])
def test_a_host_without_ece_that_the_platform_does_not_know_is_not_there(said):
    entry = entry_of(host={}, known_id=None, answer=said)
    assert entry["state"] == plan.ABSENT and entry["problems"] == []


def test_without_cleaning_a_silent_engine_does_not_matter():
    assert entry_of(answer=facts(containers_known=False), clean_host=False)["state"] == plan.REMOVE


def test_without_cleaning_a_note_says_that_something_else_has_to_stop_ece():
    (note,) = entry_of(clean_host=False)["notes"]
    assert "ece_host_removal_clean_host is false" in note
    assert entry_of(clean_host=False, host=known(connected=False))["notes"] == []


def test_a_former_director_is_deleted_and_not_kept():
    host = {"runner": runner(roles=["director", "coordinator"])}
    assert entry_of(host=host)["notes"] == [plan.DIRECTOR_NOTE]


@pytest.mark.parametrize(("connected", "state"), [(True, plan.REFUSED), (False, plan.REMOVE)])
def test_a_host_that_is_gone_is_removed_unless_the_platform_is_connected_to_it(connected, state):
    named = identity(ece_host_runner_id=ID)
    entry = plan.plan_host(named, ID, known(connected=connected), GONE, {**CHOICES, "unreachable": True})
    assert entry["state"] == state and not entry["clean"]
    if connected:
        assert "so that it is not gone" in entry["problems"][0]


def test_a_host_that_is_gone_and_not_in_the_platform_is_not_there():
    named = identity(ece_host_runner_id=ID)
    assert plan.plan_host(named, None, None, GONE, {**CHOICES, "unreachable": True})["state"] == plan.ABSENT


@pytest.mark.parametrize(
    "damaged",
    [
        {"runner": {"runner_id": ID, "roles": None, "host_ip": 7, "zone": []}},
        {"allocator": {"allocator_id": ID, "instances": "many", "capacity": [], "status": None, "metadata": 3}},
    ],
)
def test_damaged_records_are_read(damaged):
    entry = plan.plan_host(identity(ece_host_runner_id=ID), ID, damaged, facts(), CHOICES)
    assert entry["state"] == plan.REMOVE and entry["roles"] == [] and entry["instances"] == 0


# -- zones -----------------------------------------------------------------------------------------------------------


def leaving(name, runner_id, **more):
    holds = {key: more.pop(key) for key in ("instances", "used", "tags") if key in more}
    host = {"runner": runner(runner_id), "allocator": allocator(runner_id, **holds)}
    said = facts(addresses=[runner_id], runner_ids=[runner_id])
    return plan.plan_host(host_identity(name, {"ansible_host": runner_id}), runner_id, host, said, {**CHOICES, **more})


def staying(*records):
    return plan.places([flat_allocator(record) for record in records], "z", {ID})


def test_places_are_the_connected_allocators_of_the_zone_that_take_instances():
    found = staying(
        allocator("small", total=8192),
        allocator("large"),
        allocator("gone", connected=False),
        allocator("closed", maintenance=True),
        allocator(ID),
        allocator("elsewhere", zone_id="y"),
        allocator("full", total=None, used=9),
    )
    assert [one["allocator_id"] for one in found] == ["large", "small", "full"]
    assert [plan.free_mb(one) for one in found] == [65536, 8192, 0]


def test_the_capacity_of_a_zone_has_what_all_hosts_that_leave_need():
    entries = [
        leaving("a", ID, instances=2, used=6000),
        leaving("b", "192.0.2.2", instances=1, used=3000),
        {**leaving("c", "192.0.2.3", instances=1, used=9999), "instances_mode": "delete"},
        leaving("d", "192.0.2.4", instances=0, used=7),
    ]
    capacity = plan.zone_capacity(entries, "z", staying(allocator("x", total=10000)))
    assert capacity == {"zone": "z", "allocators": 1, "free_mb": 10000, "needed_mb": 9000, "staying": ["x"]}
    assert plan.zone_problems(entries, capacity) == {}
    assert plan.capacity_line(capacity) == "zone z afterwards: 1 allocator, 10,000 MB free, 9,000 MB needed"
    short = {**capacity, "free_mb": 8999}
    assert set(plan.zone_problems(entries, short)) == {"a", "b"}
    assert (
        "needs 9,000 MB in zone z, and 8,999 MB are free on the 1 allocator" in plan.zone_problems(entries, short)["a"]
    )


def test_the_plan_names_some_of_the_allocators_that_stay():
    many = [allocator(f"a{number:03}") for number in range(plan.STAYING_MAX + 1)]
    capacity = plan.zone_capacity([], "z", staying(*many))
    assert capacity["allocators"] == len(many)
    assert capacity["staying"] == [one["allocator_id"] for one in many[: plan.STAYING_MAX]]


def test_the_last_allocator_of_a_zone_stays_unless_told():
    nothing = {"zone": "z", "allocators": 0, "free_mb": 0, "needed_mb": 0, "staying": []}
    assert "no connected allocator" in plan.zone_problems([leaving("a", ID)], nothing)["a"]
    assert plan.zone_problems([leaving("a", ID, allow_last=True)], nothing) == {}
    # Its instances have nowhere to go, whatever is told.
    full = {**nothing, "needed_mb": 5}
    assert "cannot move" in plan.zone_problems([leaving("a", ID, allow_last=True, instances=1, used=5)], full)["a"]
    lost = leaving("a", ID, allow_last=True, instances=1, used=5) | {"instances_mode": "delete"}
    assert plan.zone_problems([lost], full) == {}


def test_a_dead_and_empty_allocator_takes_nothing_from_its_zone():
    nothing = {"zone": "z", "allocators": 0, "free_mb": 0, "needed_mb": 0, "staying": []}
    entry = entry_of(host={"runner": runner(), "allocator": allocator(connected=False)})
    assert plan.zone_problems([entry], nothing) == {}


def test_a_zone_is_asked_about_only_where_an_allocator_leaves():
    no_allocator = {**entry_of(), "parts": {"runner": True}, "zone": "other"}
    assert plan.affected_zones([entry_of(), no_allocator, {**entry_of(), "state": plan.ABSENT}]) == ["z"]


def test_tags_that_no_remaining_allocator_has_are_noted():
    entry = leaving("a", ID, tags=[("ssd", "true"), ("family", "m5:large,x")])
    same = staying(allocator("x", tags=[("family", "m5:large,x"), ("ssd", "true"), ("more", "1")]))
    other = staying(allocator("x", tags=[("ssd", "false")]))
    assert plan.tag_notes([entry], "z", same) == {}
    assert "(family:m5:large,x, ssd:true)" in plan.tag_notes([entry], "z", other)["a"]
    assert plan.tag_notes([leaving("a", ID)], "z", other) == {}


# -- vital roles -----------------------------------------------------------------------------------------------------


def director(name="d", **choices):
    return entry_of(name, host={"runner": runner(roles=["director", "coordinator"])}, **choices)


def test_the_last_holder_of_a_vital_role_stays_unless_told():
    entries = entries_of(director())
    assert plan.vital_roles(entries.values()) == ["coordinator", "director"]
    assert "no connected director would be left" in plan.role_problems(entries.values(), "director")["d"]
    assert "which has no API then" in plan.role_problems(entries.values(), "coordinator")["d"]
    told = entries_of(director(allow_last=True))
    assert plan.role_problems(told.values(), "director") == {}
    assert plan.keeping_role(told, "director")["d"]["kept_roles"] == ["director"]
    assert plan.keeping_role(entries, "director")["d"]["kept_roles"] == []


def test_holders_are_connected_and_stay():
    runners = [
        runner("a", roles=["director"]),
        runner("b", roles=["director"], connected="true"),
        runner("c", roles=["proxy"]),
        runner("d", roles=["director"]),
    ]
    assert plan.holders(runners, "director", {"d"}) == ["a"]


# -- two hosts, lines ------------------------------------------------------------------------------------------------


def test_two_hosts_that_are_one_runner_are_refused():
    entries = entries_of(entry_of("a"), entry_of("b"), leaving("c", "192.0.2.3"))
    problems = plan.double_problems(entries.values())
    assert set(problems) == {"a", "b"} and "hosts a, b are all runner 192.0.2.1" in problems["a"]
    refused = plan.with_problems(entries, problems)
    assert refused["a"]["state"] == plan.REFUSED and refused["c"]["state"] == plan.REMOVE
    assert plan.removed_ids(refused.values()) == {"192.0.2.3"}


def test_the_plan_is_one_line_and_a_line_for_each_host():
    entries = entries_of(
        leaving("a", ID, instances=2, used=8192),
        {**entry_of("b"), "state": plan.ABSENT},
        {**entry_of("c"), "state": plan.REFUSED, "problems": ["no \x1b[2Jway"]},
        {**entry_of("d", host=known(connected=False)), "notes": ["a note"]},
    )
    line = plan.plan_line(entries, "3.8.0", "https://ece.example.com:12443")
    assert line == (
        "ECE 3.8.0 at https://ece.example.com:12443 - 4 hosts: 2 to remove, 1 not in the platform, 1 refused"
    )
    assert plan.entry_lines(entries["a"]) == ["a: runner 192.0.2.1, zone z, allocator, 2 instances, 8,192 MB used"]
    assert plan.entry_lines(entries["b"]) == []
    assert plan.entry_lines(entries["c"]) == ["c: refused: no way"]
    assert plan.entry_lines(entries["d"])[0].endswith("0 MB used, disconnected")
    assert plan.entry_lines(entries["d"])[1] == "d: a note"


def test_the_steps_of_a_host_are_those_that_are_left():
    assert plan.steps_line(leaving("a", ID, instances=1, used=1)) == (
        "a: maintenance mode on; move 1 instance away; take away allocator; remove containers and storage of ECE from "
        "the host; delete allocator and runner"
    )
    done = {**leaving("a", ID), "maintenance": True, "roles": [], "clean": False, "parts": {"runner": False}}
    assert plan.steps_line(done) == "a: delete runner"
    lost = {**leaving("a", ID, instances=3), "instances_mode": plan.DELETE}
    assert "delete 3 instances" in plan.steps_line(lost)


# -- what the platform cannot do without -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leaving", "staying", "refused"),
    [(1, 2, False), (2, 1, True), (2, 3, False), (3, 3, True), (1, 1, False), (2, 0, False)],
)
def test_several_directors_leave_only_where_a_majority_stays(leaving, staying, refused):
    entries = [{**entry_of(f"d{number}"), "roles": ["director"]} for number in range(leaving)]
    found = plan.majority_problems(entries, staying)
    assert sorted(found) == ([entry["name"] for entry in entries] if refused else [])
    assert plan.majority_problems([{**entry, "allow_last": True} for entry in entries], staying) == {}


@pytest.mark.parametrize(
    ("urls", "refused"),
    [
        ([f"https://{ID}:12443"], True),
        ([f"https://{ID}:12443", "https://10.9.9.9:12443"], False),
        (["https://ece.example.com:12443"], False),
        ([], False),
    ],
)
def test_the_only_coordinator_of_ece_url_does_not_leave(urls, refused):
    found = plan.address_problems([entry_of("a")], urls)
    assert list(found) == (["a"] if refused else [])


@pytest.mark.parametrize(
    ("runner", "allocator", "expected"),
    [
        ({"connected": False}, None, True),
        ({"connected": False}, {"status": {"connected": False}}, True),
        ({}, None, False),
        ({"connected": "false"}, None, False),
        ({"connected": False}, {"status": {}}, False),
        ({"connected": False}, {"status": {"connected": True}}, False),
    ],
)
def test_silence_of_the_platform_is_no_disconnection(runner, allocator, expected):
    assert (plan.connected_parts(runner, allocator) == []) is expected


def test_an_allocator_that_is_not_connected_while_its_host_runs_is_not_emptied_as_a_lost_one():
    host = known()
    host["allocator"] = {**host["allocator"], "instances": [{"node_memory": 4096}], "status": {"connected": False}}
    refused = entry_of(host=host)
    assert refused["state"] == plan.REFUSED and "without what they have written since" in refused["problems"][0]
    assert entry_of(host=host, instances="delete")["state"] == plan.REMOVE
    stopped = facts(ece_containers=[])
    stopped["facts"]["containers_known"] = True
    assert entry_of(host=host, answer=stopped)["state"] == plan.REMOVE


def test_the_memory_in_use_is_that_of_the_instances_where_the_platform_has_no_sum():
    host = known()
    capacity = {"memory": {"total": 65536}}
    instances = [{"node_memory": 4096}, {"node_memory": 2048}]
    host["allocator"] = {**host["allocator"], "capacity": capacity, "instances": instances}
    assert entry_of(host=host)["memory_used_mb"] == 6144
    full = {"allocator_id": "x", "capacity": capacity, "settings": {"capacity": 8192}, "instances": instances}
    assert plan.free_mb(plan.with_memory(flat_allocator(full), full)) == 2048


def test_the_zone_is_that_of_the_allocator():
    host = known()
    host["runner"] = {**host["runner"], "zone": "old"}
    host["allocator"] = {**host["allocator"], "zone_id": "new"}
    assert entry_of(host=host)["zone"] == "new"
