# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Allocators that are vacated in plays, with the defaults of the action group, over TLS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.operator import Operator, Run
from tests.integration.test_modules import local_play
from tests.standin.model import CLUSTER_TYPES

SOURCE = "10.1.0.1"
ONE_ZONE = {"allocators": 3, "zones": ("ece-zone-1",), "move_seconds": 2.0}
in_one_zone = pytest.mark.parametrize("standin_options", [ONE_ZONE])
NO_TRACEBACK = "result.exception | default('') in ['', '(traceback unavailable)']"


@pytest.fixture
def controller(operator: Operator) -> Operator:
    """Return an operator whose inventory holds localhost, and whose first allocator is in use."""
    return with_localhost(operator)


def with_localhost(operator: Operator) -> Operator:
    operator.hosts["localhost"] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    return operator


def vacate(operator: Operator, *options: str, conditions: Any = (), **arguments: Any) -> Run:
    """Vacate the first allocator in a play, and assert these conditions on the result."""
    task = {
        "ece.platform.ece_allocator_vacate": {"allocator_id": SOURCE, "wait_interval": 1, **arguments},
        "register": "result",
        "ignore_errors": bool(conditions),
    }
    check = {"ansible.builtin.assert": {"that": [NO_TRACEBACK, *conditions]}}
    return operator.play(*options, playbook=operator.write("vacate.yml", local_play(task, check)))


def moves(operator: Operator) -> list[str]:
    """Return what was asked for on the allocator, but for moves that were only planned."""
    return [
        entry["path"].rpartition("/")[2]
        for entry in operator.ece.requests
        if entry["method"] == "POST" and entry["query"].get("validate_only") != "true"
    ]


def instances(operator: Operator, allocator_id: str = SOURCE) -> list[str]:
    return [item.cluster_id for item in operator.ece.platform.allocator(allocator_id).instances]


@pytest.mark.with_both
@in_one_zone
def test_clusters_of_every_kind_move_with_progress_and_a_second_run_changes_nothing(any_operator: Operator) -> None:
    operator = with_localhost(any_operator)
    for kind in CLUSTER_TYPES:
        operator.ece.platform.add_instance(SOURCE, kind)
    dry = vacate(operator, "--check", "--diff", conditions=["result is changed", "result.moved | length == 6"])
    assert dry.rc == 0, dry.output
    assert moves(operator) == [] and not operator.ece.platform.allocator(SOURCE).maintenance
    assert dry.total("changed") == 1 and '+    "maintenance_mode": true' in dry.output
    run = vacate(operator, conditions=["result is changed", "result.left == []", "result.moved | length == 6"])
    assert run.rc == 0, run.output
    assert f"{SOURCE} 0:00 0/6 moved, 6 moving" in run.text and "6/6 moved" in run.text
    assert instances(operator) == [] and operator.ece.platform.allocator(SOURCE).maintenance
    assert moves(operator) == ["_start", *["_move"] * 6]
    again = vacate(operator, conditions=["result is not changed", "result.moved == []"])
    assert again.rc == 0 and again.total("changed") == 0, again.output
    assert len(moves(operator)) == 7


@in_one_zone
def test_chosen_clusters_move_to_the_target_and_the_others_stay(controller: Operator) -> None:
    stays = controller.ece.platform.add_instance(SOURCE).cluster_id
    kibana = controller.ece.platform.add_instance(SOURCE, "kibana").cluster_id
    arguments = {"kinds": ["kibana"], "targets": ["10.1.0.3"], "maintenance": False}
    run = vacate(controller, conditions=["result is changed", "result.left == []"], **arguments)
    assert run.rc == 0, run.output
    assert instances(controller) == [stays] and instances(controller, "10.1.0.3") == [kibana]
    assert not controller.ece.platform.allocator(SOURCE).maintenance


@in_one_zone
def test_what_cannot_move_is_named_with_the_messages_of_the_platform(controller: Operator) -> None:
    platform = controller.ece.platform
    moved, pending, refused, fails = (platform.add_instance(SOURCE).cluster_id for _ in range(4))
    platform.change_instances(pending, pending=True)
    platform.change_instances(refused, refusal="The deployment is locked.")
    platform.change_instances(fails, fails="PullAccessDenied: pull access denied for cloud-assets/elasticsearch")
    run = vacate(
        controller,
        conditions=[
            "result is failed",
            "result is changed",
            f"result.moved | map(attribute='cluster_id') == ['{moved}']",
            "result.failures == result.left and result.left | length == 3",
        ],
    )
    assert run.rc == 0, run.output
    assert f"1 of 4 clusters moved off allocator {SOURCE}" in run.text
    assert f"{refused} (elasticsearch): The deployment is locked. (clusters.cluster_invalid_plan)" in run.text
    assert f"{pending} (elasticsearch): a plan of it is pending" in run.text
    assert "PullAccessDenied: pull access denied for cloud-assets/elasticsearch" in run.text
    assert "ece_host_docker_registry_username" in run.text


@in_one_zone
def test_a_pending_plan_is_replaced_on_request(controller: Operator) -> None:
    cluster_id = controller.ece.platform.add_instance(SOURCE).cluster_id
    controller.ece.platform.change_instances(cluster_id, pending=True)
    run = vacate(controller, conditions=["result is not failed", "result.left == []"], pending_plans="force")
    assert run.rc == 0 and instances(controller) == [], run.output


@in_one_zone
def test_the_allocators_that_have_no_room_leave_the_clusters_where_they_are(controller: Operator) -> None:
    for _ in range(2):
        controller.ece.platform.add_instance(SOURCE, node_memory=60000)
    for target in ("10.1.0.2", "10.1.0.3"):
        controller.ece.platform.set_settings(target, {"capacity": 50000}, None)
    run = vacate(controller, conditions=["result is failed", "result.moved == []", "result.failures | length == 2"])
    assert run.rc == 0, run.output
    assert run.text.count("There is no allocator with room. (clusters.cluster_invalid_plan)") >= 2


@in_one_zone
def test_a_lost_allocator_is_vacated_as_one_that_is_down(controller: Operator) -> None:
    controller.ece.platform.add_instance(SOURCE)
    controller.ece.platform.disconnect(SOURCE)
    run = vacate(controller, conditions=["result is not failed"])
    assert run.rc == 0 and instances(controller) == [], run.output
    asked = [entry["query"] for entry in controller.ece.requests if entry["path"].endswith("/_move")]
    assert [query["allocator_down"] for query in asked] == ["true"]


@in_one_zone
def test_a_lost_answer_and_errors_while_waiting_do_not_end_it(controller: Operator) -> None:
    controller.ece.platform.add_instance(SOURCE)
    controller.ece.fault(method="POST", path="/_move$", reset="after")
    controller.ece.fault(method="POST", path="/_start$", status=504, effect=True)
    controller.ece.fault(method="GET", path=f"/{SOURCE}$", after=3, status=500, times=2)
    run = vacate(controller, conditions=["result is changed", "result is not failed", "result.left == []"])
    assert run.rc == 0, run.output
    assert moves(controller) == ["_start", "_move"] and instances(controller) == []


@in_one_zone
def test_without_maintenance_mode_nothing_moves(controller: Operator) -> None:
    controller.ece.platform.add_instance(SOURCE)
    controller.ece.fault(method="POST", path="/_start$", status=403, code="root.unauthorized.rbac", message="No.")
    run = vacate(controller)
    assert run.rc != 0 and f"maintenance mode of allocator {SOURCE} did not start, so nothing is moved" in run.text
    assert moves(controller) == ["_start"] and len(instances(controller)) == 1


@pytest.mark.parametrize("standin_options", [{**ONE_ZONE, "move_seconds": 600.0}])
def test_when_the_time_is_over_moves_go_on_and_the_next_run_waits_for_them(controller: Operator) -> None:
    controller.ece.platform.add_instance(SOURCE)
    run = vacate(controller, wait_timeout=2)
    assert run.rc != 0 and f"0 of 1 clusters moved off allocator {SOURCE} in 2 s; still on it are" in run.text
    assert "Traceback" not in run.output
    controller.ece.platform.advance(600)
    again = vacate(controller, conditions=["result is not changed", "result is not failed"])
    assert again.rc == 0 and moves(controller) == ["_start", "_move"] and instances(controller) == [], again.output


@in_one_zone
def test_bad_input_is_one_sentence_and_nothing_is_changed(controller: Operator) -> None:
    platform = controller.ece.platform
    platform.add_instance(SOURCE)
    platform.set_maintenance("10.1.0.2", True)
    platform.disconnect("10.1.0.3")
    cases = [
        ({"allocator_id": "10.9.9.9"}, "allocator_id 10.9.9.9 is not known to the platform"),
        ({"targets": ["10.9.9.9"]}, "targets has 10.9.9.9, which is not known to the platform"),
        ({"targets": [SOURCE]}, f"targets has {SOURCE}, which is the allocator to vacate"),
        ({"targets": ["10.1.0.2"]}, "targets has 10.1.0.2, which is in maintenance mode"),
        ({"targets": ["10.1.0.3"]}, "targets has 10.1.0.3, which is not connected"),
        ({"clusters": ["no-such-id"]}, "clusters has no-such-id, which is neither on allocator"),
        ({"maintenance": False}, "maintenance is false and targets is not set"),
        ({"concurrency": 100}, "concurrency is 100: use a number from 1 to 64"),
        ({"kinds": ["logstash"]}, "logstash"),
    ]
    tasks: list[dict[str, Any]] = []
    for arguments, message in cases:
        module = {"allocator_id": SOURCE, **arguments}
        tasks += [
            {"ece.platform.ece_allocator_vacate": module, "register": "result", "ignore_errors": True},
            {
                "ansible.builtin.assert": {
                    "that": [
                        "result is failed",
                        f"{message!r} in result.msg",
                        NO_TRACEBACK,
                    ]
                }
            },
        ]
    run = controller.play(playbook=controller.write("bad.yml", local_play(*tasks)))
    assert run.rc == 0 and run.total("ignored") == len(cases), run.output
    assert moves(controller) == [] and len(instances(controller)) == 1
