# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts leave the platform: emptied, cleaned and deleted, or refused before anything is changed."""

from __future__ import annotations

import json
import re

import pytest

REMOVE = "ece.platform.remove_allocators"
ZONE = "ece-zone-1"


def ip(number):
    """Return an address that this machine does not have: local hosts have the addresses of the machine."""
    return f"198.51.100.{number}"


@pytest.fixture
def joined(operator):
    """Return an operator of a platform that three hosts of one zone have joined."""
    for number in (1, 2, 3):
        variables = operator.new_host(f"host-{number}", ip(number), zone=ZONE)
        # Containers are removed by root.
        variables["ece_host_bin_paths"] = [operator.ece.hosts[f"host-{number}"].give_commands_to_root()]
    run = operator.play()
    assert run.rc == 0, run.output
    operator.ece.reset_requests()
    return operator


def remove(operator, target, *options, **variables):
    """Run the playbook for a target, with extra variables."""
    given = json.dumps({"ece_target": target, **variables})
    return operator.play("-e", given, *options, playbook=REMOVE)


def sums_of(run):
    """Return the sums in the last line for scripts."""
    return json.loads(re.findall(r"^ece_host_removal: (.*)$", run.output, re.MULTILINE)[-1])


def runner_ids(operator):
    return sorted(runner.runner_id for runner in operator.ece.platform.current_runners())


def allocator_ids(operator):
    return sorted(allocator.allocator_id for allocator in operator.ece.platform.current_allocators())


def test_a_host_leaves_then_there_is_nothing_to_do_and_it_joins_again(joined):
    operator, platform = joined, joined.ece.platform
    platform.add_instance(ip(2))
    platform.add_instance(ip(2), "kibana")
    host = operator.ece.hosts["host-2"]
    (host.state / "containers" / "of-another").write_text("id=0123456789ab\nimage=nginx:1\nstatus=Up\n")

    run = remove(operator, "host-2", "-vvvv")
    assert run.rc == 0, run.output
    assert "1 host: 1 to remove, 0 not in the platform" in run.output
    assert "host-2: runner 198.51.100.2, zone ece-zone-1, allocator, 2 instances, 8,192 MB used" in run.text
    assert "zone ece-zone-1 afterwards: 2 allocators, 131,072 MB free, 8,192 MB needed" in run.text
    assert runner_ids(operator) == allocator_ids(operator) == [ip(1), ip(3)]
    assert sum(len(one.instances) for one in platform.current_allocators()) == 2
    assert host.containers == ["of-another"] and not host.storage.exists()
    assert {name for name in run.recap if run.recap[name]["changed"]} == {"host-2"}
    assert sums_of(run) == {"removed": 1, "removed_before": 0, "would_remove": 0, "failed": 0}
    order = [(entry["method"], entry["path"].rpartition("/")[2]) for entry in operator.ece.mutations]
    assert [one for one in order if one[1] != "_move"] == [
        ("POST", "_start"),
        ("PUT", "roles"),
        ("DELETE", ip(2)),
        ("DELETE", ip(2)),
    ]

    operator.ece.reset_requests()
    again = remove(operator, "host-2")
    assert again.rc == 0, again.output
    assert "1 host: 0 to remove, 1 not in the platform" in again.output
    assert again.total("changed") == 0 and operator.ece.mutations == []
    assert sums_of(again)["removed_before"] == 1

    join = operator.play()
    assert join.rc == 0, join.output
    assert runner_ids(operator) == [ip(1), ip(2), ip(3)]


def test_check_mode_says_the_whole_plan_and_changes_nothing(joined):
    operator = joined
    operator.ece.platform.add_instance(ip(1))
    instance = operator.ece.hosts["host-1"].state / "containers" / f"fac-{32 * 'a'}-instance-0000000000"
    instance.write_text("id=0123456789ab\nimage=docker.elastic.co/cloud-assets/es:8\nstatus=Up\n")
    run = remove(operator, "host-1,host-2", "--check", "--diff", "-vvvv")
    assert run.rc == 0, run.output
    assert "2 hosts: 2 to remove, 0 not in the platform" in run.output
    assert (
        "host-1: maintenance mode on; move 1 instance away; take away allocator; "
        "remove containers and storage of ECE from the host; delete allocator and runner"
    ) in run.text
    assert "zone ece-zone-1 afterwards: 1 allocator, 65,536 MB free, 4,096 MB needed" in run.text
    assert "Check mode says the whole plan, and changes nothing" in run.text
    # The moves are asked for with validate_only, which moves nothing.
    assert {(entry["method"], entry["path"].rpartition("/")[2]) for entry in operator.ece.mutations} <= {
        ("POST", "_move")
    }
    assert len(operator.ece.platform.allocator(ip(1)).instances) == 1
    assert not operator.ece.platform.allocator(ip(1)).maintenance
    assert runner_ids(operator) == allocator_ids(operator) == [ip(1), ip(2), ip(3)]
    assert all(host.containers and host.storage.exists() for host in operator.ece.hosts.values())
    assert sums_of(run) == {"removed": 0, "removed_before": 0, "would_remove": 2, "failed": 0}


def test_hosts_leave_one_after_the_other_and_the_sums_are_those_of_the_run(joined):
    operator = joined
    run = remove(operator, "host-1,host-3")
    assert run.rc == 0, run.output
    assert sums_of(run) == {"removed": 2, "removed_before": 0, "would_remove": 0, "failed": 0}
    deleted = [entry["path"].rpartition("/")[2] for entry in operator.ece.mutations if entry["method"] == "DELETE"]
    started = [entry["path"] for entry in operator.ece.mutations if entry["path"].endswith("_start")]
    assert deleted == [ip(1), ip(1), ip(3), ip(3)] and len(started) == 2
    assert operator.ece.mutations.index(next(one for one in operator.ece.mutations if one["method"] == "DELETE")) < (
        operator.ece.mutations.index([one for one in operator.ece.mutations if one["path"].endswith("_start")][1])
    )
    assert runner_ids(operator) == [ip(2)]


# -- refused, with nothing changed -----------------------------------------------------------------------------------


def assert_refused(operator, run, *texts):
    assert run.rc == 2, run.output
    for text in texts:
        assert text in run.text, run.output
    assert operator.ece.mutations == []
    assert all(host.containers for host in operator.ece.hosts.values())


def test_the_last_allocator_of_a_zone_stays_unless_told(joined):
    operator = joined
    operator.ece.platform.add_runner("198.51.100.99", zone="ece-zone-2")
    run = remove(operator, "allocators")
    assert_refused(
        operator,
        run,
        "3 hosts: 0 to remove, 0 not in the platform, 3 refused",
        "host-1: refused: no connected allocator out of maintenance mode would be left in zone ece-zone-1",
        "ece_host_removal_allow_last: true",
    )
    assert sums_of(run)["failed"] == 3
    told = remove(operator, "allocators", ece_host_removal_allow_last=True, ece_serial="100%")
    assert told.rc == 0, told.output
    assert runner_ids(operator) == ["198.51.100.99"]
    assert not any(host.containers for host in operator.ece.hosts.values())


def test_one_host_that_cannot_leave_keeps_all(joined):
    operator = joined
    del operator.hosts["host-2"]["ece_host_ip"]
    operator.hosts["host-2"]["ece_host_runner_id"] = ip(3)
    operator.hosts.pop("host-3")
    run = remove(operator, "host-1,host-2")
    assert run.rc == 2, run.output
    assert (
        "its storage path is that of runner 198.51.100.2, and ece_host_runner_id 198.51.100.3 names 198.51.100.3"
        in run.text
    )
    assert "it is not removed, because the plan refuses host-2" in run.text
    assert operator.ece.mutations == []
    assert {run.recap[name]["failed"] for name in ("host-1", "host-2")} == {1}


def test_a_host_of_another_platform_is_not_touched(joined):
    operator = joined
    operator.ece.platform.remove(ip(1))
    run = remove(operator, "host-1")
    assert_refused(operator, run, "it runs ECE (", "but this platform does not know it as 198.51.100.1")


def test_instances_that_find_no_room_keep_their_host(operator):
    for number in (1, 2, 3):
        operator.new_host(f"host-{number}", ip(number), zone=ZONE)["ece_host_capacity"] = 8192
    assert operator.play().rc == 0
    operator.ece.reset_requests()
    for _number in range(5):
        operator.ece.platform.add_instance(ip(1))
    run = remove(operator, "host-1")
    assert_refused(
        operator,
        run,
        "its 5 instances cannot move: the removal needs 20,480 MB in zone ece-zone-1, and 16,384 MB are free on the 2 "
        "allocators that would be left",
    )


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ece_host_removal_clean": True}, "did you mean ece_host_removal_clean_host?"),
        ({"ece_host_removal_instances": "drop"}, "ece_host_removal_instances 'drop' is unknown: use vacate, delete"),
        ({"ece_host_removal_disconnect_timeout": "soon"}, "ece_host_removal_disconnect_timeout 'soon' is not a time"),
        ({"ece_host_removal_vacate_options": {"target": ["a"]}}, "has no option 'target'"),
    ],
)
def test_a_variable_that_cannot_work_is_one_sentence(joined, variables, sentence):
    assert_refused(joined, remove(joined, "host-1", **variables), sentence)


def test_a_target_has_to_be_named_and_not_in_the_inventory(joined):
    operator = joined
    run = operator.play(playbook=REMOVE)
    assert_refused(operator, run, "ece_target is not set: name the hosts that leave the platform as an extra variable")
    assert run.total("failed") == 1 and operator.ece.requests == []
    operator.group_vars["ece_target"] = "host-1"
    run = operator.play(playbook=REMOVE)
    assert_refused(operator, run, "ece_target is 'host-1' in the inventory")


# -- hosts that are gone ---------------------------------------------------------------------------------------------


def test_a_host_that_is_gone_is_removed_from_the_platform_alone(joined):
    operator, platform = joined, joined.ece.platform
    operator.hosts["host-1"].update(ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=1)
    run = remove(operator, "host-1")
    assert_refused(operator, run, "it cannot be reached", "set ece_host_removal_unreachable: true")

    still_connected = remove(operator, "host-1", ece_host_removal_unreachable=True)
    assert_refused(operator, still_connected, "Ansible cannot reach it, but the platform is connected to 198.51.100.1")

    platform.add_instance(ip(1))
    platform.disconnect(ip(1))
    gone = remove(operator, "host-1", ece_host_removal_unreachable=True)
    assert gone.rc == 0, gone.output
    assert "host-1: it cannot be reached, so that it is removed from the platform alone" in gone.text
    assert runner_ids(operator) == allocator_ids(operator) == [ip(2), ip(3)]
    assert sum(len(one.instances) for one in platform.current_allocators()) == 1
    assert operator.ece.hosts["host-1"].containers, "nothing is done on a host that cannot be reached"

    operator.ece.reset_requests()
    again = remove(operator, "host-1", ece_host_removal_unreachable=True)
    assert again.rc == 0 and operator.ece.mutations == [], again.output
    assert sums_of(again)["removed_before"] == 1


# -- a removal that stops, and goes on -------------------------------------------------------------------------------


def test_a_move_that_fails_leaves_the_host_in_maintenance_mode_and_the_next_run_goes_on(joined):
    operator, platform = joined, joined.ece.platform
    platform.add_instance(ip(1))
    fault = operator.ece.fault(
        method="POST",
        path="_move$",
        status=400,
        code="clusters.cluster_invalid_plan",
        message="There is no room for this node.",
        times=None,
    )
    run = remove(operator, "host-1,host-2")
    assert run.rc == 2 and fault.struck, run.output
    assert "There is no room for this node." in run.text
    assert "stays in maintenance mode: run this again to go on from here" in run.text
    assert "not begun: host-2" in run.text
    assert platform.allocator(ip(1)).maintenance and not platform.allocator(ip(2)).maintenance
    assert runner_ids(operator) == [ip(1), ip(2), ip(3)]
    assert all(host.containers and host.storage.exists() for host in operator.ece.hosts.values())
    assert not [entry for entry in operator.ece.mutations if entry["method"] in ("PUT", "DELETE")]
    assert sums_of(run)["failed"] == 1

    operator.ece.faults.clear()
    operator.ece.reset_requests()
    again = remove(operator, "host-1,host-2")
    assert again.rc == 0, again.output
    assert len([entry for entry in operator.ece.mutations if entry["path"].endswith("_start")]) == 1, "host-2 alone"
    assert runner_ids(operator) == [ip(3)]
    assert sums_of(again)["removed"] == 2


def test_a_batch_with_a_failure_is_the_last_one(joined):
    operator, platform = joined, joined.ece.platform
    platform.add_runner("198.51.100.99", zone=ZONE)
    platform.add_instance(ip(1))
    operator.ece.fault(method="POST", path="_move$", status=400, code="clusters.cluster_invalid_plan", times=None)
    run = remove(operator, "host-1,host-2,host-3", ece_serial=2)
    assert run.rc == 2, run.output
    assert runner_ids(operator) == [ip(1), ip(3), "198.51.100.99"], (
        "host-2 leaves with its batch, host-3 does not begin"
    )
    assert not platform.allocator(ip(3)).maintenance
    assert "not begun, because the removal of host-1 failed in an earlier batch" in run.text


def test_without_cleaning_a_host_is_deleted_when_something_else_has_stopped_ece(joined):
    operator = joined
    host = operator.ece.hosts["host-1"]
    # Its own allocator has no role any more; the runner is still connected.
    given = {"ece_host_removal_clean_host": False, "ece_host_removal_disconnect_timeout": 1}
    run = remove(operator, "host-1", **given)
    assert run.rc == 2, run.output
    assert "the platform is still connected to the runner of 198.51.100.1 after 1 s" in run.text
    assert runner_ids(operator) == [ip(1), ip(2), ip(3)] and host.containers
    operator.ece.platform.disconnect(ip(1))
    again = remove(operator, "host-1", **given)
    assert again.rc == 0, again.output
    assert runner_ids(operator) == [ip(2), ip(3)]
    assert host.containers and host.storage.exists()


def test_instances_are_deleted_with_their_allocator_only_where_told(joined):
    operator, platform = joined, joined.ece.platform
    platform.add_instance(ip(1))
    run = remove(operator, "host-1", ece_host_removal_instances="delete")
    assert run.rc == 0, run.output
    assert runner_ids(operator) == allocator_ids(operator) == [ip(2), ip(3)]
    assert not any(one.instances for one in platform.current_allocators())
    assert not [entry for entry in operator.ece.mutations if entry["path"].endswith("_move")]


def test_the_role_in_another_play_removes_the_hosts_of_that_play(joined):
    operator = joined
    play = {
        "hosts": "host-1,host-2",
        "gather_facts": False,
        "serial": 1,
        "roles": [{"role": "ece.platform.ece_host_removal"}],
    }
    run = operator.play(playbook=operator.write("own.yml", [play]))
    assert run.rc == 0, run.output
    assert runner_ids(operator) == [ip(3)]
    assert sums_of(run) == {"removed": 2, "removed_before": 0, "would_remove": 0, "failed": 0}


def test_a_play_that_ignores_errors_removes_nothing_that_is_refused(joined):
    operator = joined
    play = {
        "hosts": "allocators",
        "gather_facts": False,
        "ignore_errors": True,
        "roles": [{"role": "ece.platform.ece_host_removal"}],
    }
    run = operator.play(playbook=operator.write("own.yml", [play]))
    assert "would be left in zone ece-zone-1" in run.text
    assert operator.ece.mutations == [] and runner_ids(operator) == [ip(1), ip(2), ip(3)]


def test_what_the_host_refuses_is_known_before_it_is_taken_out_of_service(joined):
    operator = joined
    operator.ece.platform.add_instance(ip(1))
    host = operator.ece.hosts["host-1"]
    secrets = host.storage / "bootstrap-state" / "bootstrap-secrets.json"
    secrets.parent.mkdir(parents=True, exist_ok=True)
    secrets.write_text("{}", encoding="utf-8")
    run = remove(operator, "host-1")
    assert run.rc == 2 and "ece_host_removal_bootstrap_secrets" in run.text, run.output
    assert operator.ece.mutations == [] and host.containers and secrets.exists()
    told = remove(operator, "host-1", ece_host_removal_bootstrap_secrets=True)
    assert told.rc == 0 and runner_ids(operator) == [ip(2), ip(3)], told.output
