# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action from its arguments to the requests that arrive, and what the operator sees."""

from __future__ import annotations

import os
import time

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.ece.platform.plugins.action import ece_allocator_vacate
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from tests.unit.module_utils.test_vacate_plan import attempt, deployment, instance, step
from tests.unit.scripted import ALLOCATORS, API_KEY, URL, allocator, failed, platform

ID = "10.0.0.7"
PATH = f"{ALLOCATORS}/{ID}"
MOVE = PATH + "/clusters/_move"
QUERY = {"move_only": "true", "allocator_down": "false"}
NOT_FOUND = {"status": 404, "json": failed("allocators.allocator_not_found")}
LOGS = {"show_plans": "true", "show_plan_logs": "true", "show_plan_history": "true"}
PLAN = {"plan_configuration": {"move_allocators": [{"from": ID, "to": []}]}}


def source(*instances, **more):
    return allocator(ID, instances=list(instances), **more)


def reply(**moves):
    return {"moves": {f"{kind}_clusters": entries for kind, entries in moves.items()}, "failures": {}}


@pytest.fixture
def act(bare, environment, shown, monkeypatch):
    """Run the action with these options. Return its result; `pauses` and `lines` of the function have what it did."""

    def run(check_mode=False, **options):
        validated = ArgumentSpecValidator(ece_allocator_vacate.ActionModule.SPEC).validate(
            {"url": [URL], "api_key": API_KEY, "allocator_id": ID, **options}
        )
        assert not validated.error_messages, validated.error_messages
        return bare(ece_allocator_vacate, check_mode=check_mode).act(validated.validated_parameters, {})

    run.pauses = []
    run.pause = lambda seconds: None

    def pause(seconds):
        run.pauses.append(seconds)
        run.pause(seconds)

    monkeypatch.setattr(ece_allocator_vacate, "pause_while_alive", lambda ansible: pause)
    run.lines = shown(ece_allocator_vacate)
    return run


def test_maintenance_mode_comes_first_then_the_move_then_looks_until_the_instances_are_gone(ece, act):
    ece.expect("GET", PATH, json=source(instance("a")))
    ece.expect("POST", PATH + "/maintenance-mode/_start", status=202, json={})
    ece.expect("GET", PATH, json=source(instance("a"), maintenance=True))
    body = {"elasticsearch_clusters": [{"cluster_ids": ["a"]}]}
    ece.expect("POST", MOVE, status=202, query=QUERY, sends=body, json=reply(elasticsearch=[{"cluster_id": "a"}]))
    ece.expect("GET", PATH, json=source(instance("a", moving=True), maintenance=True))
    ece.expect("GET", PATH, json=source(maintenance=True))
    result = act(wait_interval=7)
    assert (result["changed"], result["failed"], result["left"], result["warnings"]) == (True, False, [], [])
    assert result["moved"] == [{"cluster_id": "a", "kind": "elasticsearch", "deployment_id": "d-a"}]
    assert act.pauses == [7, 7]
    assert act.lines == [f"{ID}  0:00  0/1 moved, 1 moving", f"{ID}  0:00  1/1 moved"]


def test_every_option_of_a_move_is_sent(ece, act):
    ece.expect("GET", PATH, json=source(instance("a"), maintenance=True, connected=False))
    ece.expect("GET", "/platform", json=platform())
    ece.expect("GET", f"{ALLOCATORS}/10.0.0.8", json=allocator("10.0.0.8"))
    query = {"move_only": "true", "allocator_down": "true", "force_update": "true", "force_move": "true"}
    body = {"elasticsearch_clusters": [{"cluster_ids": ["a"]}]}
    planned = reply(elasticsearch=[{"cluster_id": "a", "calculated_plan": PLAN}])
    ece.expect("POST", MOVE, status=202, query={**query, "validate_only": "true"}, sends=body, json=planned)
    configuration = {
        **PLAN["plan_configuration"],
        "preferred_allocators": ["10.0.0.8"],
        "preferred_allocator_tags": {"ssd": "true", "rack": "7"},
        "skip_snapshot": True,
        "skip_data_migration": True,
        "override_failsafe": True,
    }
    entry = {"cluster_ids": ["a"], "plan_override": {"plan_configuration": configuration}}
    body = {"elasticsearch_clusters": [entry]}
    ece.expect("POST", MOVE, status=202, query=query, sends=body, json=reply(elasticsearch=[{"cluster_id": "a"}]))
    result = act(
        targets=["10.0.0.8"],
        preferred_tags={"ssd": True, "rack": 7},
        pending_plans="force",
        force_move=True,
        skip_snapshot=True,
        skip_data_migration=True,
        override_failsafe=True,
        wait=False,
    )
    assert result["changed"] and not result["failed"] and result["left"][0]["reason"] == "moving"


def test_check_mode_asks_the_platform_to_plan_and_not_to_move(ece, act):
    ece.expect("GET", PATH, json=source(instance("a")))
    query = {**QUERY, "validate_only": "true"}
    body = {"elasticsearch_clusters": [{"cluster_ids": ["a"]}]}
    planned = reply(elasticsearch=[{"cluster_id": "a", "calculated_plan": PLAN}])
    ece.expect("POST", MOVE, status=202, query=query, sends=body, json=planned)
    result = act(check_mode=True)
    assert result["changed"] and result["msg"] == f"1 of 1 clusters can move off allocator {ID}"


def test_a_failure_is_explained_by_the_log_of_the_deployment(ece, act):
    there = source(instance("a", "kibana"), maintenance=True)
    ece.expect("GET", PATH, json=there)
    ece.expect(
        "POST",
        MOVE,
        status=202,
        query=QUERY,
        sends={"kibana_clusters": [{"cluster_ids": ["a"]}]},
        json=reply(kibana=[{"cluster_id": "a"}]),
    )
    ece.expect("GET", PATH, json=source(instance("a", "kibana", moving=True), maintenance=True))
    found = deployment("a", history=[attempt(step("error", "No capacity in the zone"))])
    ece.expect("GET", "/deployments/d-a", query=LOGS, json=found)
    act.pause = time.sleep
    result = act(wait_timeout=1, wait_interval=5)
    assert result["failed"] and result["left"][0]["reason"] == "moving; No capacity in the zone"
    assert len(act.pauses) == 1 and act.pauses[0] <= 1


def test_an_unknown_allocator_is_one_sentence(ece, act):
    ece.expect("GET", PATH, **NOT_FOUND)
    with pytest.raises(OptionError, match=f"allocator_id {ID} is not known to the platform"):
        act()


@pytest.mark.parametrize(
    ("value", "meant"), [(True, "true"), (False, "false"), ("true", "true"), ("auto", "auto"), ("false", "false")]
)
def test_a_boolean_is_a_value_of_allocator_down(value, meant):
    spec = ece_allocator_vacate.ActionModule.SPEC
    result = ArgumentSpecValidator(spec).validate({"allocator_id": ID, "allocator_down": value})
    assert result.error_messages == [] and result.validated_parameters["allocator_down"] == meant


def test_options_and_credentials_are_checked_before_anything_is_sent(ece, act):
    for options in ({"concurrency": 0}, {"url": ["http://ece.example.com:12400"]}, {"maintenance": False}):
        with pytest.raises(OptionError):
            act(**options)
    assert ece.requests == []


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (True, "true"), (False, "false"), (7, "7"), ("a:b,c", "a:b,c")]
)
def test_a_tag_is_text_as_the_platform_stores_it(value, text):
    assert ece_allocator_vacate.tag_text(value) == text


def test_a_pause_takes_its_time_and_ends_when_ansible_is_gone():
    ece_allocator_vacate.pause_while_alive(os.getppid())(0.01)
    with pytest.raises(PlatformError, match="Ansible has ended, so nothing more is moved"):
        ece_allocator_vacate.pause_while_alive(-1)(60)
