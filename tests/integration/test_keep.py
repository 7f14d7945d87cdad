# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Joined hosts are kept as declared: tags, capacity, maintenance mode and roles, through the API alone."""

from __future__ import annotations

import re

import pytest

from tests.role_names import REPORT_TASK, outputs_of

ALLOCATORS = "/api/v1/platform/infrastructure/allocators"
RUNNERS = "/api/v1/platform/infrastructure/runners"


@pytest.fixture
def joined(operator):
    """Add joined hosts to platform and inventory: name -> address. They are not there for Ansible."""

    def add(names=("a", "b"), roles=("allocator",), **variables):
        for number, name in enumerate(names, 1):
            address = f"192.0.2.{number}"
            operator.ece.platform.add_runner(address, zone="ece-zone-1", roles=roles)
            operator.hosts[name] = {"ansible_host": address, **variables}
        return operator

    return add


def sent(operator):
    """The requests that change something, as method and path below the lists."""
    return [(entry["method"], entry["path"].partition("/infrastructure/")[2]) for entry in operator.ece.mutations]


def allocator(operator, address="192.0.2.1"):
    return operator.ece.platform.allocator(address)


def report_of(run):
    (report,) = outputs_of(REPORT_TASK, run.output)
    return report


# -- what is changed -------------------------------------------------------------------------------------------------


def test_a_tag_that_differs_is_one_request_and_the_next_run_has_none(joined):
    operator = joined(ece_host_allocator_tags={"ssd": True})
    operator.ece.platform.set_metadata("192.0.2.1", [("ssd", "false"), ("team", "x")], None)
    operator.ece.platform.set_metadata("192.0.2.2", [("ssd", "true")], None)
    check = operator.play("--check", "--diff")
    assert check.rc == 0 and operator.ece.mutations == [], check.output
    assert "2 hosts: 1 joined, 0 new, 1 to change" in check.text
    assert "a: joined, changes: tag ssd=true instead of false" in check.text
    assert re.search(r'^-.*"ssd": "false"', check.output, re.M) and re.search(r'^\+.*"ssd": "true"', check.output, re.M)
    assert re.search("a .*would change .*tag ssd=true instead of false", report_of(check))
    assert '"changed": 0, "failed": 0, "joined": 0, "joined_before": 1, "would_change": 1' in check.text
    operator.ece.reset_requests()
    run = operator.play()
    assert run.rc == 0 and run.total("changed") == 1, run.output
    assert sent(operator) == [("PUT", "allocators/192.0.2.1/metadata/ssd")]
    assert dict(allocator(operator).metadata) == {"ssd": "true", "team": "x"}
    assert "joined with more tags than ece_host_allocator_tags has, which stay: a (team)" in run.text
    assert re.search("a .*changed .*tag ssd=true instead of false", report_of(run))
    assert "b" not in run.recap or run.recap["b"]["changed"] == 0
    operator.ece.reset_requests()
    again = operator.play()
    assert again.rc == 0 and again.total("changed") == 0 and "2 joined, 0 new" in again.text, again.output
    assert operator.ece.mutations == [] and len(operator.ece.requests) <= 4


def test_capacity_maintenance_mode_and_exact_tags_are_changed_together(joined):
    operator = joined(
        ("a",),
        ece_host_capacity=60000,
        ece_host_maintenance=True,
        ece_host_allocator_tags={"ssd": "true"},
        ece_host_allocator_tags_exact=True,
    )
    operator.ece.platform.set_metadata("192.0.2.1", [("team", "x")], None)
    run = operator.play()
    assert run.rc == 0, run.output
    found = allocator(operator)
    assert (dict(found.metadata), dict(found.settings), found.maintenance) == (
        {"ssd": "true"},
        {"capacity": 60000},
        True,
    )
    assert operator.play().total("changed") == 0
    operator.hosts["a"]["ece_host_maintenance"] = False
    assert operator.play().rc == 0 and not allocator(operator).maintenance
    del operator.hosts["a"]["ece_host_maintenance"]
    operator.ece.platform.set_maintenance("192.0.2.1", True)
    assert operator.play().total("changed") == 0 and allocator(operator).maintenance


def test_a_joined_host_is_changed_beside_a_new_one_that_joins(joined):
    operator = joined(("a",), ece_host_allocator_tags={"ssd": "true"})
    operator.new_host("new", "192.0.2.9", zone="ece-zone-1")
    run = operator.play()
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.9"], run.output
    report = report_of(run)
    assert re.search("a .* changed ", report) and re.search("new .* joined ", report)
    assert '"changed": 1, "failed": 0, "joined": 1, "joined_before": 0' in run.text
    assert "0:00 0/1 connected" in run.text, "the wait is for the new host alone"


def test_a_host_that_joined_with_tags_and_capacity_is_as_declared(operator):
    operator.new_host("new", "192.0.2.9").update(
        ece_host_allocator_tags={"ssd": True, "rack": "r1"}, ece_host_capacity=50000
    )
    assert operator.play().rc == 0
    operator.ece.reset_requests()
    again = operator.play()
    assert again.rc == 0 and "1 joined, 0 new" in again.text and operator.ece.mutations == [], again.output


# -- roles -----------------------------------------------------------------------------------------------------------


def test_more_roles_are_said_and_taken_away_only_where_roles_are_exact(joined):
    operator = joined(("a",), roles=("allocator", "proxy", "director"), ece_host_roles=["allocator", "director"])
    operator.ece.platform.add_runner("192.0.2.8", roles=("director",))
    run = operator.play()
    assert run.rc == 0 and operator.ece.mutations == [], run.output
    assert "joined with more roles than ece_host_roles has, which stay: a (proxy)" in run.text
    operator.hosts["a"]["ece_host_roles_exact"] = True
    run = operator.play()
    assert run.rc == 0 and "a: joined, changes: without the role proxy" in run.text, run.output
    assert set(operator.ece.platform.runner("192.0.2.1").roles) == {
        "allocator",
        "director",
        "beats-runner",
        "services-forwarder",
    }
    assert operator.play().total("changed") == 0


def test_the_last_coordinators_keep_their_role_also_where_all_of_them_would_lose_it(joined):
    operator = joined(roles=("allocator", "coordinator"), ece_host_roles_exact=True)
    for other in list(operator.ece.platform.current_runners()):
        if other.runner_id not in ("192.0.2.1", "192.0.2.2"):
            operator.ece.platform.remove(other.runner_id)
    run = operator.play()
    assert run.rc != 0 and operator.ece.mutations == [], run.output
    assert (
        "ece_host_roles_exact would take the role coordinator from 192.0.2.1, 192.0.2.2, and no other connected host"
        in run.text
    )


def test_another_zone_is_said_with_what_to_do(joined):
    operator = joined(("a",), ece_host_zone="ece-zone-2")
    run = operator.play(warnings=True)
    assert run.rc == 0 and operator.ece.mutations == [], run.output
    assert (
        "a (it is in zone ece-zone-1 instead of ece-zone-2); the zone of a joined host cannot be changed: correct"
        in (run.text)
    )


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ece_host_capacity": 9000}, "host b: ece_host_capacity 9000 "),
        ({"ece_host_capacity": 8000}, "host b: ece_host_capacity 8000 "),
        ({"ece_host_allocator_tags": {"ssd": ""}}, "host b: ece_host_allocator_tags "),
        ({"ece_host_allocator_tags": {"": "x"}}, "host b: ece_host_allocator_tags "),
        ({"ece_host_allocator_tags": ["ssd"]}, "host b: ece_host_allocator_tags "),
        ({"ece_host_maintenance": "maybe"}, "host b: ece_host_maintenance 'maybe' is not a choice: use true or false"),
    ],
    ids=["below the used memory", "too small", "no value", "no key", "no mapping", "no choice"],
)
def test_a_value_that_cannot_work_changes_nothing_on_any_host(joined, variables, sentence):
    operator = joined()
    for _ in range(3):
        operator.ece.platform.add_instance("192.0.2.2")  # 4096 MB each
    operator.hosts["a"]["ece_host_allocator_tags"] = {"ssd": "true"}
    operator.hosts["b"].update(variables)
    run = operator.play()
    assert run.rc != 0 and sentence in run.text, run.output
    assert operator.ece.mutations == []


def test_joined_hosts_are_changed_by_an_extra_variable_only_if_a_variable_says_so(joined):
    operator = joined()
    extra = ("-e", "ece_host_maintenance=true")
    run = operator.play(*extra)
    sentence = "2 joined hosts (a, b) would be changed (maintenance mode), as ece_host_maintenance is an extra variable"
    assert run.rc != 0 and sentence in run.text and operator.ece.mutations == [], run.output
    run = operator.play(*extra, "-e", "ece_host_change_joined=no", warnings=True)
    assert run.rc == 0 and "2 joined, 0 new" in run.text and operator.ece.mutations == [], run.output
    assert "a (maintenance mode on is declared, and ece_host_change_joined is false)" in run.text
    run = operator.play(*extra, "-e", "ece_host_change_joined=yes", "--limit", "a")
    assert run.rc == 0 and allocator(operator).maintenance and not allocator(operator, "192.0.2.2").maintenance


def test_batches_of_another_play_count_together(joined):
    operator = joined([f"h{number:02}" for number in range(1, 12)], ece_host_maintenance=True)
    play = {"hosts": "allocators", "gather_facts": False, "serial": 4, "roles": ["ece.platform.ece_host"]}
    own = operator.write("own.yml", [play])
    run = operator.play(playbook=own)
    assert run.rc != 0 and "11 joined hosts (h01, h02" in run.text and operator.ece.mutations == [], run.output
    del operator.hosts["h11"]["ece_host_maintenance"]
    run = operator.play(playbook=own)
    assert run.rc == 0 and len(operator.ece.mutations) == 10, run.output
    assert '"changed": 10, "failed": 0, "joined": 0, "joined_before": 1' in run.text


# -- faults ----------------------------------------------------------------------------------------------------------


def test_what_a_list_shows_late_is_not_written_again(joined):
    operator = joined(("a",), ece_host_maintenance=True)
    operator.ece.platform.set_maintenance("192.0.2.1", True)

    def late(reply):
        for zone in reply["zones"]:
            for listed in zone["allocators"] or ():
                listed["status"]["maintenance_mode"] = False
        return reply

    operator.ece.fault(method="GET", path="infrastructure/allocators$", transform=late, times=None)
    run = operator.play()
    assert run.rc == 0 and operator.ece.mutations == [] and run.total("changed") == 0, run.output
    assert re.search("a .*joined .*it is what is declared by now", report_of(run))


def test_a_host_that_the_platform_does_not_change_fails_alone_and_the_next_run_changes_it(joined):
    operator = joined(ece_host_allocator_tags={"ssd": "true"})
    operator.ece.fault(
        method="PUT", path="192.0.2.1/metadata", status=400, code="allocators.refused", message="Not today."
    )
    run = operator.play()
    assert run.rc != 0 and run.recap["a"]["failed"] == 1 and run.recap["b"]["failed"] == 0, run.output
    assert re.search("a .* failed .* it was not changed: .*Not today", report_of(run))
    assert re.search("b .* changed ", report_of(run))
    assert '"changed": 1, "failed": 1' in run.text
    again = operator.play()
    assert again.rc == 0 and '"changed": 1, "failed": 0, "joined": 0, "joined_before": 1' in again.text, again.output


def test_a_disconnected_host_is_not_changed(joined):
    operator = joined(("a",), ece_host_maintenance=True, ece_host_roles_exact=True)
    operator.ece.platform.disconnect("192.0.2.1")
    operator.hosts["a"]["ansible_connection"] = "local"
    operator.play(warnings=True)
    assert operator.ece.mutations == [] and not allocator(operator).maintenance
