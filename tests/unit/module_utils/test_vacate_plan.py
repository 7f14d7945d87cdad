# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _vacate_plan as plan
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._vacate_plan import Answer, VacateOptions, Workload
from tests.unit.scripted import ODD_VALUES, allocator

SOURCE = "10.0.0.7"
DENIED = "Error response: pull access denied for cloud-assets/kibana, repository does not exist or may require login"


def instance(cluster_id, kind="elasticsearch", *, moving=False, pending=False, **more):
    """AllocatedInstanceStatus"""
    return {
        "cluster_id": cluster_id,
        "cluster_type": kind,
        "instance_name": "instance-0000000000",
        "node_memory": 1024,
        "deployment_id": f"d-{cluster_id}",
        "moving": moving,
        "plans_info": {"pending": pending},
        **more,
    }


def details(**lists):
    """MoveClustersDetails"""
    return {f"{kind}_clusters": entries for kind, entries in lists.items()}


# -- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"allocator_id": " "}, "allocator_id is empty"),
        ({"clusters": ["a", ""]}, "clusters has an empty entry"),
        ({"targets": [" "]}, "targets has an empty entry"),
        ({"targets": ["10.0.0.8", SOURCE]}, f"targets has {SOURCE}, which is the allocator to vacate"),
        ({"maintenance": False}, "maintenance is false and targets is not set"),
        ({"maintenance": False, "targets": []}, "maintenance is false and targets is not set"),
        ({"pending_plans": "wait", "wait": False}, "pending_plans is wait and wait is false"),
        ({"preferred_tags": {"": "x"}}, "preferred_tags has '' with the value 'x'"),
        ({"preferred_tags": {"ssd": ""}}, "preferred_tags has 'ssd' with the value ''"),
        ({"concurrency": 0}, "concurrency is 0: use a number from 1 to 64"),
        ({"concurrency": 65}, "concurrency is 65: use a number from 1 to 64"),
        ({"wait_timeout": 0}, "wait_timeout 0 is too small: use 1 second or more"),
        ({"wait_interval": -1}, "wait_interval -1 is too small"),
    ],
)
def test_options_that_cannot_work_are_named_with_what_would_be_right(options, message):
    with pytest.raises(OptionError) as error:
        plan.check_options(VacateOptions(**{"allocator_id": SOURCE, **options}))
    assert message in str(error.value)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clusters": []},
        {"maintenance": False, "targets": ["t"]},
        {"concurrency": 64, "wait_timeout": 1, "wait_interval": 1},
        {"clusters": ["a-cluster-with-an-id-of-any-length", "c"]},
    ],
    ids=str,
)
def test_options_that_can_work_are_accepted(options):
    plan.check_options(VacateOptions(SOURCE, **options))


@pytest.mark.parametrize(
    ("option", "version", "accepted"),
    [
        ("preferred_tags", "3.8.0", True),
        ("preferred_tags", "4.0.3", True),
        ("preferred_tags", "3.7.2", False),
        ("force_move", "3.6.0", True),
        ("force_move", "3.5.1", False),
        ("force_move", "3.10.0-SNAPSHOT", True),
        ("force_move", "unknown", True),
    ],
)
def test_an_option_that_the_platform_does_not_have_is_refused(option, version, accepted):
    options = VacateOptions(SOURCE, **{option: {"ssd": "true"} if option == "preferred_tags" else True})
    assert plan.asks_for_release(options)
    if accepted:
        plan.check_release(options, version)
        return
    with pytest.raises(OptionError, match=f"{option} needs ECE 3.[68] or later, and the platform is {version}"):
        plan.check_release(options, version)


def test_the_version_matters_only_for_options_that_are_newer():
    assert not plan.asks_for_release(VacateOptions(SOURCE, targets=["t"], skip_snapshot=True))
    plan.check_release(VacateOptions(SOURCE), "2.4.0")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "targets has t, which is not known to the platform"),
        (allocator("t", connected=False), "targets has t, which is not connected"),
        (allocator("t", maintenance=True), "targets has t, which is in maintenance mode"),
        ({"allocator_id": "t", "status": None}, "targets has t, which is not connected"),
    ],
    ids=["unknown", "disconnected", "maintenance", "no status"],
)
def test_a_target_that_takes_no_instances_is_refused(found, message):
    with pytest.raises(OptionError) as error:
        plan.check_target("t", found)
    assert message in str(error.value)


def test_a_connected_target_is_accepted():
    plan.check_target("t", allocator("t"))


# -- what the allocator holds ----------------------------------------------------------------------------------------


def test_instances_of_one_cluster_are_one():
    found = plan.holdings_of(
        {"instances": [instance("a"), instance("a", moving=True), instance("b", "kibana", pending=True)]}
    )
    assert found.unidentified == 0
    assert dict(found.workloads) == {
        "a": Workload("a", "elasticsearch", "d-a", moving=True, pending=False),
        "b": Workload("b", "kibana", "d-b", moving=False, pending=True),
    }


@pytest.mark.parametrize("value", [value for value in ODD_VALUES if not isinstance(value, list)], ids=str)
def test_an_allocator_that_does_not_say_what_it_holds_is_not_empty(value):
    assert plan.holdings_of({"instances": value}) is None
    assert plan.holdings_of({}) is None


def test_an_instance_without_the_id_of_its_cluster_is_there_all_the_same():
    found = plan.holdings_of({"instances": [None, 3, {}, {"cluster_id": None}, {"cluster_id": ""}, instance("a")]})
    assert (set(found.workloads), found.unidentified) == ({"a"}, 5)


@pytest.mark.parametrize("value", ODD_VALUES, ids=str)
@pytest.mark.parametrize("name", ["cluster_type", "deployment_id", "moving", "plans_info"])
def test_odd_values_of_an_instance_do_not_hide_it(name, value):
    found = plan.holdings_of({"instances": [instance("a", **{name: value})]})
    assert set(found.workloads) == {"a"}


@pytest.mark.parametrize(
    ("kind", "options", "chosen"),
    [
        ("kibana", {}, True),
        ("kibana", {"clusters": ["a"]}, True),
        ("kibana", {"clusters": ["b"]}, False),
        ("kibana", {"clusters": []}, False),
        ("kibana", {"kinds": []}, False),
        ("kibana", {"kinds": ["kibana"]}, True),
        ("kibana", {"kinds": ["apm"], "clusters": ["a"]}, False),
        ("apm", {"kinds": ["integrations_server"]}, True),
        ("integrations_server", {"kinds": ["apm"]}, True),
        ("apm", {"kinds": ["kibana"]}, False),
        (None, {}, True),
        (None, {"kinds": list(plan.KINDS)}, False),
    ],
)
def test_a_cluster_is_chosen_by_id_and_by_kind(kind, options, chosen):
    assert plan.is_chosen(Workload("a", kind, None), VacateOptions(SOURCE, **options)) is chosen


# -- requests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ({}, {}),
        ({"pending_plans": "wait"}, {}),
        ({"pending_plans": "force"}, {"force_update": True}),
        ({"force_move": True}, {"force_move": True}),
    ],
    ids=str,
)
@pytest.mark.parametrize("down", [False, True])
def test_the_query_of_a_move_has_what_differs_from_the_defaults(options, more, down):
    sent = plan.move_parameters(VacateOptions(SOURCE, **options), down, validate_only=False)
    assert {name: value for name, value in sent.items() if value is not None} == {
        "move_only": True,
        "allocator_down": down,
        **more,
    }
    assert plan.move_parameters(VacateOptions(SOURCE), down, validate_only=True)["validate_only"] is True


@pytest.mark.parametrize("kind", plan.KINDS)
def test_a_cluster_is_asked_for_under_a_member_that_the_request_has(kind):
    member = "apm_clusters" if kind == "integrations_server" else f"{kind}_clusters"
    assert plan.move_body(Workload("a", kind, None)) == {member: [{"cluster_ids": ["a"]}]}


CALCULATED = {
    "strategy": None,
    "plan_configuration": {
        "move_allocators": [{"from": SOURCE, "to": None, "allocator_down": False}],
        "preferred_allocators": None,
        "move_only": True,
    },
}
MOVES = [{"from": SOURCE, "allocator_down": False}]


@pytest.mark.parametrize("kind", plan.KINDS)
def test_the_calculated_plan_is_sent_back_with_what_the_options_change(kind):
    options = VacateOptions(
        SOURCE,
        targets=["t"],
        preferred_tags={"ssd": "true"},
        skip_snapshot=True,
        skip_data_migration=True,
        override_failsafe=True,
    )
    assert plan.wants_own_plan(options)
    sent = plan.own_plan(CALCULATED, kind, options)
    of_elasticsearch = {"skip_snapshot": True, "skip_data_migration": True} if kind == "elasticsearch" else {}
    assert sent == {
        "plan_configuration": {
            "move_allocators": MOVES,
            "move_only": True,
            "preferred_allocators": ["t"],
            "preferred_allocator_tags": {"ssd": "true"},
            "override_failsafe": True,
            **of_elasticsearch,
        }
    }
    assert plan.move_body(Workload("a", kind, None), sent)[plan.MEMBERS[kind]][0]["plan_override"] == sent


def test_a_plan_keeps_what_no_option_changes():
    assert not plan.wants_own_plan(VacateOptions(SOURCE))
    assert plan.own_plan(CALCULATED, "kibana", VacateOptions(SOURCE)) == {
        "plan_configuration": {"move_allocators": MOVES, "move_only": True}
    }


# -- answers ---------------------------------------------------------------------------------------------------------


def refused(message="There is not enough capacity", code="clusters.cluster_invalid_plan", cluster_id="a"):
    return {"cluster_id": cluster_id, "errors": [{"code": code, "message": message}]}


def test_a_cluster_is_found_under_whatever_kind_the_answer_names_it():
    reply = {"moves": details(kibana=[{"cluster_id": "b"}], apm=[{"cluster_id": "a", "calculated_plan": CALCULATED}])}
    assert plan.answer_for(reply, "a") == Answer(accepted=True, plan=CALCULATED)
    assert plan.answer_for(reply, "b") == Answer(accepted=True)
    assert plan.answer_for(reply, "c") == Answer()


def test_a_failure_is_reported_with_the_messages_of_the_api():
    failures = details(elasticsearch=[refused(), refused("Zone is full", "clusters.x"), refused(cluster_id="b")])
    answer = plan.answer_for({"moves": details(elasticsearch=[{"cluster_id": "a"}]), "failures": failures}, "a")
    assert answer == Answer(
        refusal="There is not enough capacity (clusters.cluster_invalid_plan); Zone is full (clusters.x)"
    )


@pytest.mark.parametrize("errors", [*ODD_VALUES, "absent"], ids=str)
def test_b_a_failure_without_errors_is_a_failure_without_a_reason(errors):
    failure = {"cluster_id": "a"} if errors == "absent" else {"cluster_id": "a", "errors": errors}
    answer = plan.answer_for({"moves": details(), "failures": details(kibana=[failure])}, "a")
    assert answer.refusal == plan.NO_REASON and not answer.accepted


@pytest.mark.parametrize("value", ODD_VALUES, ids=str)
@pytest.mark.parametrize("where", ["moves", "failures", "kibana"])
def test_odd_values_in_an_answer_are_no_answer(where, value):
    reply = {"moves": details(kibana=value)} if where == "kibana" else {where: value}
    assert plan.answer_for(reply, "a") == Answer()


@pytest.mark.parametrize(
    ("message", "pending"),
    [
        ("There is a plan still pending, cancel that or wait for it to complete before restarting", True),
        ("Cluster has a pending plan.", True),
        ("There is not enough capacity", False),
        ("The plan is invalid; snapshot pending", False),
    ],
)
def test_a_pending_plan_is_recognized_and_never_left_out(message, pending):
    answer = plan.answer_for({"failures": details(kibana=[refused(message)])}, "a")
    assert message in answer.refusal and answer.pending is pending


@pytest.mark.parametrize("text", [DENIED, "PullAccessDenied for image x", "pull access denied"])
def test_the_missing_credentials_of_a_registry_are_named_with_their_remedy(text):
    found = plan.explained(text)
    assert found.startswith(text) and "ece_host_preparation" in found and "ece_host_docker_registry_username" in found


def test_a_reason_is_one_line_without_tokens_and_not_too_long():
    found = plan.explained("a\n\x1b[31mb eyJhbGciOiJIUzI1NiJ9.x.y " + "c" * 1000)
    assert "\n" not in found and "\x1b" not in found and "eyJ" not in found and len(found) < 450


def step(status, *messages, **more):
    return {"step_id": "x", "status": status, "info_log": [{"message": text, **more} for text in messages]}


def attempt(*steps, end="2026-11-28T10:00:00.000Z", **more):
    return {"plan_attempt_log": list(steps), "attempt_end_time": end, **more}


def deployment(cluster_id="a", kind="kibana", **plans):
    return {"resources": {kind: [{"id": "other", "info": None}, {"id": cluster_id, "info": {"plan_info": plans}}]}}


@pytest.mark.parametrize(
    ("plans", "expected"),
    [
        ({}, None),
        ({"current": attempt(step("error", "old"))}, None),
        ({"history": [attempt(step("success", "fine"))]}, None),
        ({"history": [attempt(step("error", "first", "No capacity"))]}, "No capacity"),
        (
            {"history": [attempt(step("error", "No capacity", failure_type="Capacity"))]},
            "No capacity (Capacity)",
        ),
        (
            {
                "history": [
                    attempt(step("error", "newest"), end="2026-11-28T12:00:00.000Z"),
                    attempt(step("error", "older"), end="2026-11-27T12:00:00.000Z"),
                ]
            },
            "newest",
        ),
        (
            {"pending": attempt(step("error", "of this plan")), "history": [attempt(step("error", "of the last"))]},
            "of this plan",
        ),
        (
            {"history": [attempt(step("error", "the step"), error={"message": "Plan failed", "failure_type": "T"})]},
            "the step; Plan failed (T)",
        ),
        ({"history": [attempt(error={"message": "Plan failed"})]}, "Plan failed"),
    ],
)
def test_the_log_of_the_last_plan_says_why_a_move_failed(plans, expected):
    assert plan.why(deployment(**plans), "a") == expected


def test_a_pull_that_is_denied_is_found_in_a_step_that_is_repeated():
    found = plan.why(deployment(pending=attempt(step("pending", "pulling", "PullAccessDenied: image x", "again"))), "a")
    assert "PullAccessDenied: image x" in found and plan.PULL_REMEDY in found


@pytest.mark.parametrize("value", ODD_VALUES, ids=str)
def test_odd_values_in_a_deployment_explain_nothing(value):
    for made in (
        {"resources": value},
        {"resources": {"kibana": value}},
        {"resources": {"kibana": [{"id": "a", "info": value}]}},
        deployment(history=value),
        deployment(pending=value, history=[value]),
        deployment(history=[attempt(value)]),
        deployment(history=[attempt({"status": "error", "info_log": value})]),
        deployment(history=[attempt({"status": "error", "info_log": [value]})]),
        deployment(history=[{"plan_attempt_log": value, "attempt_end_time": value}]),
    ):
        assert plan.why(made, "a") is None


def test_a_deployment_without_the_cluster_explains_nothing():
    assert plan.why(deployment("b", history=[attempt(step("error", "x"))]), "a") is None


# -- what the operator sees ------------------------------------------------------------------------------------------


def test_progress_is_one_line_with_the_time():
    assert plan.progress(10, 2, 5, {"moving": 3, "waiting": 0}) == "0:10  2/5 moved, 3 moving"
    assert plan.progress(3725.9, 0, 1, {"waiting": 1, "failed": 0}) == "62:05  0/1 moved, 1 waiting"


def test_reasons_are_listed_up_to_a_limit():
    rows = [{"cluster_id": str(n), "kind": "kibana", "deployment_id": None, "reason": "r"} for n in range(7)]
    assert plan.reasons(rows[:2]) == "0 (kibana): r; 1 (kibana): r"
    assert plan.reasons(rows).endswith("4 (kibana): r; and 2 more")
