# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vacate against a platform of which every answer is up to the test, with a clock that nothing waits for."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _vacate as vacating
from ansible_collections.ece.platform.plugins.module_utils._client import (
    EceApiError,
    EceAuthError,
    EceConnectionError,
    EceProtocolError,
)
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._vacate_plan import MEMBERS, PULL_REMEDY, VacateOptions
from tests.unit.module_utils.test_vacate_plan import attempt, deployment, instance, step
from tests.unit.scripted import allocator

SOURCE = "10.0.0.7"
PENDING = "There is a plan still pending, cancel that or wait for it to complete before restarting"
CAPACITY = "There is not enough capacity in zone-1"
LOST = EceConnectionError("POST _move: no answer; whether the request took effect is not known", sent=True)
NOT_SENT = EceConnectionError("no coordinator can be reached", sent=False)
DOWN = EceApiError("GET allocator answered HTTP 503: not available", 503, None, [], [])
DAMAGED = EceProtocolError("POST clusters/_move answered without 'moves'")
PROHIBITED = EceAuthError("HTTP 403: this user may not do that", 403, "clusters.command_prohibited", [], [])
INVALID = EceApiError(f"HTTP 400: {CAPACITY} (clusters.cluster_invalid_plan)", 400, "x", [], [])


class WithEffect:
    """An error in place of an answer, of a request that took effect."""

    def __init__(self, error):
        self.error = error


class Platform:
    """A client of a platform with one allocator to vacate. Moves end after `looks` looks at it.

    Each request is noted in `asked`. faults: the request -> what to raise or to answer in its place, one by one. A
    request with a fault has no effect, unless the fault is WithEffect.
    """

    url = "https://ece.example.com:12443"

    def __init__(self, *instances, looks=1, version="3.8.0", **more):
        self.source = allocator(SOURCE, instances=list(instances), **more)
        self.others = {"10.0.0.8": allocator("10.0.0.8", instances=[])}
        self.looks = looks
        self.version = version
        self.asked = []
        self.bodies = []
        self.queries = []
        self.faults = {}
        self.under_way = {}
        self.never_end = set()
        self.fail = set()
        self.refuse = {}
        self.deployments = {}
        self.most_moving = 0
        self.on_look = lambda number: None
        self.looked = 0
        self.warnings = []
        self.now = 1000.0

    # -- the clock -----------------------------------------------------------------------------------------------------

    def clock(self):
        return self.now

    def sleep(self, seconds):
        assert seconds > 0
        self.now += seconds

    # -- the client ----------------------------------------------------------------------------------------------------

    def _ask(self, name, effect=lambda: None):
        self.asked.append(name)
        waiting = self.faults.get(name)
        fault = waiting.pop(0) if waiting else None
        if fault is None:
            return effect()
        if isinstance(fault, WithEffect):
            effect()
            raise fault.error
        if isinstance(fault, Exception):
            raise fault
        return fault

    def platform(self):
        return self._ask("platform", lambda: {"version": self.version})

    def iter_allocators(self):
        self.asked.append("list")
        yield self.source
        yield from self.others.values()

    def allocator(self, allocator_id):
        if allocator_id != SOURCE:
            self.asked.append(f"target {allocator_id}")
            return self.others.get(allocator_id)
        return self._ask("look", self._look)

    def _look(self):
        self.looked += 1
        self.on_look(self.looked)
        for cluster_id in [*self.under_way]:
            if cluster_id in self.never_end:
                continue
            self.under_way[cluster_id] -= 1
            if self.under_way[cluster_id] < 0:
                del self.under_way[cluster_id]
                if cluster_id in self.fail:
                    self._set(cluster_id, moving=False, pending=False)
                else:
                    self.remove(cluster_id)
        self.most_moving = max(self.most_moving, len(self.under_way))
        return copy.deepcopy(self.source)

    def remove(self, cluster_id):
        self.source["instances"] = [one for one in self.source["instances"] if one.get("cluster_id") != cluster_id]

    def _set(self, cluster_id, *, moving, pending):
        for one in self.source["instances"]:
            if one.get("cluster_id") == cluster_id:
                one.update(moving=moving, plans_info={"pending": pending})

    def end_plan(self, cluster_id):
        self._set(cluster_id, moving=False, pending=False)

    def set_allocator_maintenance(self, allocator_id, on, reason=None):
        assert allocator_id == SOURCE and on
        self._ask("maintenance", lambda: self.source["status"].update(maintenance_mode=True))

    def move_clusters(self, allocator_id, body, params=None):
        assert allocator_id == SOURCE
        ((member, (entry,)),) = body.items()
        (cluster_id,) = entry["cluster_ids"]
        query = {name: value for name, value in params.items() if value is not None}
        name = f"{'validate' if query.get('validate_only') else 'move'} {cluster_id}"
        self.bodies.append(body)
        self.queries.append(query)
        reply = {"moves": {}, "failures": {}}

        def effect():
            refusals = self.refuse.get(cluster_id) or [None]
            # The last one stays.
            refusal = refusals.pop(0) if len(refusals) > 1 else refusals[0]
            if refusal is not None:
                entry = {"cluster_id": cluster_id, **refusal}
                reply["failures"] = {member: [entry]}
                return reply
            plan = {"plan_configuration": {"move_allocators": [{"from": SOURCE, "to": None}]}}
            reply["moves"] = {member: [{"cluster_id": cluster_id, "calculated_plan": plan}]}
            if name.startswith("move"):
                self._set(cluster_id, moving=True, pending=True)
                self.under_way[cluster_id] = self.looks
            return reply

        return self._ask(name, effect)

    def deployment(self, deployment_id):
        return self._ask(f"deployment {deployment_id}", lambda: self.deployments.get(deployment_id, {"resources": {}}))

    # -- what the tests ask for ----------------------------------------------------------------------------------------

    def vacate(self, check_mode=False, **options):
        self.lines = []
        return vacating.vacate(
            self,
            VacateOptions(SOURCE, **options),
            check_mode,
            tell=self.lines.append,
            clock=self.clock,
            sleep=self.sleep,
        )

    def writes(self):
        return [name for name in self.asked if name.startswith(("move", "maintenance"))]


def errors(message, code="clusters.cluster_invalid_plan"):
    return {"errors": [{"code": code, "message": message}]}


def ids(rows):
    return [row["cluster_id"] for row in rows]


# -- the way it goes -------------------------------------------------------------------------------------------------


def test_all_clusters_move_and_the_allocator_is_in_maintenance_mode_first():
    ece = Platform(instance("a"), instance("a"), instance("b", "kibana"))
    result = ece.vacate()
    assert (result["changed"], result["failed"]) == (True, False)
    assert ids(result["moved"]) == ["a", "b"] and result["failures"] == result["left"] == []
    assert result["moved"][1] == {"cluster_id": "b", "kind": "kibana", "deployment_id": "d-b"}
    assert ece.writes() == ["maintenance", "move a", "move b"]
    assert result["msg"] == f"2 of 2 clusters moved off allocator {SOURCE} in 20 s"
    assert result["elapsed_seconds"] == 20.0
    assert result["diff"] == {
        "before": {"maintenance_mode": False, "clusters": ["a", "b"]},
        "after": {"maintenance_mode": True, "clusters": []},
    }
    assert ece.queries == [{"move_only": True, "allocator_down": False}] * 2
    assert ece.lines == ["0:00  0/2 moved, 2 moving", "0:20  2/2 moved"]


def test_an_empty_allocator_costs_one_request_and_no_write():
    ece = Platform()
    result = ece.vacate(clusters=["a"], targets=["10.0.0.8"])
    assert (result["changed"], result["failed"]) == (False, False)
    assert result["msg"] == f"allocator {SOURCE} has nothing to move"
    assert ece.asked == ["look"]


def test_a_second_run_changes_nothing():
    ece = Platform(instance("a"))
    assert ece.vacate()["changed"]
    ece.asked.clear()
    assert not ece.vacate()["changed"] and ece.asked == ["look"]


@pytest.mark.parametrize("options", [{"clusters": ["b"]}, {"kinds": ["kibana"]}], ids=str)
def test_only_chosen_clusters_move_and_the_others_do_not_keep_it_from_success(options):
    ece = Platform(instance("a"), instance("b", "kibana"))
    result = ece.vacate(**options)
    assert not result["failed"] and ids(result["moved"]) == ["b"]
    assert ece.writes() == ["maintenance", "move b"]


@pytest.mark.parametrize("options", [{"clusters": []}, {"kinds": []}, {"kinds": ["appsearch"]}], ids=str)
def test_where_no_cluster_is_chosen_nothing_changes(options):
    ece = Platform(instance("a"))
    result = ece.vacate(**options)
    assert (result["changed"], result["failed"], ece.asked) == (False, False, ["look"])


def test_a_cluster_that_has_moved_already_is_no_error():
    ece = Platform(instance("a"))
    ece.others["10.0.0.8"]["instances"] = [instance("b")]
    result = ece.vacate(clusters=["b"])
    assert (result["changed"], result["failed"]) == (False, False)
    assert ece.writes() == []


def test_no_more_clusters_move_at_a_time_than_the_option_allows():
    ece = Platform(*(instance(f"c{number}") for number in range(7)), looks=2)
    result = ece.vacate(concurrency=3)
    assert len(result["moved"]) == 7 and ece.most_moving == 3


def test_instances_that_come_while_it_runs_move_too():
    ece = Platform(instance("a"))

    def arrive(number):
        if number == 3:
            ece.source["instances"].append(instance("new"))

    ece.on_look = arrive
    result = ece.vacate()
    assert sorted(ids(result["moved"])) == ["a", "new"] and not result["failed"]


def test_integrations_server_moves_by_its_id_whatever_kind_the_platform_calls_it():
    ece = Platform(instance("i", "integrations_server"), instance("j", "apm"))
    result = ece.vacate(kinds=["integrations_server"])
    assert ids(result["moved"]) == ["i", "j"]
    assert ece.bodies == [{"apm_clusters": [{"cluster_ids": ["i"]}]}, {"apm_clusters": [{"cluster_ids": ["j"]}]}]


@pytest.mark.parametrize("kind", ["new_kind", None])
def test_a_kind_that_the_request_does_not_have_is_a_failure_and_is_not_asked_for(kind):
    ece = Platform(instance("a", kind), instance("b"))
    result = ece.vacate()
    assert ids(result["failures"]) == ["a"] and ids(result["moved"]) == ["b"]
    assert str(kind) in result["failures"][0]["reason"] and result["failed"]


# -- options on the wire ---------------------------------------------------------------------------------------------


def test_targets_are_sent_in_the_plan_that_the_platform_calculates():
    ece = Platform(instance("a"), maintenance=False)
    result = ece.vacate(targets=["10.0.0.8"], maintenance=False, skip_snapshot=True)
    assert not result["failed"]
    assert ece.asked[:4] == ["look", "target 10.0.0.8", "validate a", "move a"]
    assert ece.bodies[0] == {"elasticsearch_clusters": [{"cluster_ids": ["a"]}]}
    assert ece.bodies[1]["elasticsearch_clusters"][0]["plan_override"] == {
        "plan_configuration": {
            "move_allocators": [{"from": SOURCE}],
            "preferred_allocators": ["10.0.0.8"],
            "skip_snapshot": True,
        }
    }
    assert result["diff"]["after"]["maintenance_mode"] is False


def test_without_a_plan_that_can_be_changed_nothing_is_asked_for():
    ece = Platform(instance("a"))
    ece.faults["validate a"] = [{"moves": {"elasticsearch_clusters": [{"cluster_id": "a"}]}}]
    result = ece.vacate(override_failsafe=True)
    assert result["failures"][0]["reason"] == "the platform gives no plan for its move that could be changed"
    assert "move a" not in ece.asked


@pytest.mark.parametrize(
    ("connected", "option", "down"),
    [
        (True, "auto", False),
        (False, "auto", True),
        (True, "true", True),
        (False, "false", False),
    ],
)
def test_the_allocator_counts_as_down_if_it_is_not_connected_or_as_the_option_says(connected, option, down):
    ece = Platform(instance("a"), connected=connected)
    ece.vacate(allocator_down=option)
    assert ece.queries == [{"move_only": True, "allocator_down": down}]


# -- bad input, before anything is changed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clusters": ["a", "x"]}, "clusters has x, which is neither on allocator 10.0.0.7 nor on another one"),
        ({"targets": ["10.0.0.9"]}, "targets has 10.0.0.9, which is not known to the platform"),
        ({"targets": ["gone"]}, "targets has gone, which is not connected"),
        ({"targets": ["resting"]}, "targets has resting, which is in maintenance mode"),
        ({"targets": [SOURCE]}, "targets has 10.0.0.7, which is the allocator to vacate"),
        ({"preferred_tags": {"ssd": "true"}}, "preferred_tags needs ECE 3.8 or later, and the platform is 3.5.1"),
        ({"force_move": True}, "force_move needs ECE 3.6 or later, and the platform is 3.5.1"),
    ],
    ids=str,
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_bad_input_is_one_sentence_and_nothing_is_changed(options, message, check_mode):
    ece = Platform(instance("a"), version="3.5.1")
    ece.others["gone"] = allocator("gone", connected=False)
    ece.others["resting"] = allocator("resting", maintenance=True)
    with pytest.raises(OptionError) as error:
        ece.vacate(check_mode, **options)
    assert message in str(error.value)
    assert ece.writes() == []


def test_an_unknown_allocator_is_named():
    ece = Platform()
    ece.source = None
    with pytest.raises(OptionError, match=f"allocator_id {SOURCE} is not known to the platform"):
        ece.vacate()


@pytest.mark.parametrize("instances", [None, {}, "none"])
def test_an_allocator_that_does_not_say_what_it_holds_is_an_error(instances):
    ece = Platform()
    ece.source["instances"] = instances
    with pytest.raises(PlatformError, match="without the list of its instances"):
        ece.vacate()
    assert ece.writes() == []


# -- the weaknesses of the vendor's client ---------------------------------------------------------------------------


def test_a_refusal_because_of_a_pending_plan_is_reported():
    ece = Platform(instance("a"), instance("b"))
    ece.refuse["a"] = [errors(PENDING)]
    result = ece.vacate()
    assert result["failed"] and ids(result["failures"]) == ids(result["left"]) == ["a"]
    assert result["failures"][0]["reason"] == f"{PENDING} (clusters.cluster_invalid_plan)"
    assert PENDING in result["msg"] and ids(result["moved"]) == ["b"]


@pytest.mark.parametrize("failure", [{}, {"errors": None}, {"errors": []}, {"errors": [None]}], ids=str)
def test_b_refusal_without_errors_is_reported(failure):
    ece = Platform(instance("a"))
    ece.refuse["a"] = [failure]
    result = ece.vacate()
    assert result["failed"] and result["failures"][0]["reason"] == "the platform gives no reason"


def test_c_errors_while_waiting_neither_end_the_wait_nor_are_a_success():
    ece = Platform(instance("a"), looks=1)
    ece.faults["look"] = [None, None, DOWN, NOT_SENT, {"allocator_id": SOURCE, "instances": None}, DOWN]
    result = ece.vacate()
    assert not result["failed"] and ids(result["moved"]) == ["a"]
    assert sum("no answer:" in line for line in ece.lines) >= 2

    ece = Platform(instance("a"), looks=1)
    ece.faults["look"] = [None, None] + [DOWN] * 1000
    result = ece.vacate(wait_timeout=100)
    assert result["failed"] and result["moved"] == [] and ids(result["left"]) == ["a"]
    assert "the last question about it had no answer: GET allocator answered HTTP 503" in result["msg"]


def test_d_success_is_what_the_allocator_shows_and_not_that_a_plan_ended():
    ece = Platform(instance("a"))
    ece.fail.add("a")
    ece.deployments["d-a"] = deployment("a", history=[attempt(step("success", "plan-completed"))])
    result = ece.vacate()
    assert result["failed"] and ids(result["left"]) == ids(result["failures"]) == ["a"]
    assert result["failures"][0]["reason"] == "its move has ended, and it is still on the allocator"


@pytest.mark.parametrize(
    ("error", "requests"),
    [(PROHIBITED, 1), (INVALID, 1), (NOT_SENT, 2), (LOST, 2)],
    ids=["prohibited", "invalid", "not sent", "lost"],
)
def test_e_without_maintenance_mode_nothing_is_moved(error, requests):
    ece = Platform(instance("a"))
    ece.faults["maintenance"] = [error, error]
    with pytest.raises(PlatformError) as raised:
        ece.vacate()
    assert "did not start, so nothing is moved" in str(raised.value) and str(error) in str(raised.value)
    assert ece.writes() == ["maintenance"] * requests


@pytest.mark.parametrize("length", [1, 7, 31, 32, 33, 64])
def test_f_ids_may_have_any_length(length):
    name = "x" * length
    ece = Platform(instance(name), instance("other"))
    assert ids(ece.vacate(clusters=[name])["moved"]) == [name]
    assert ece.writes() == ["maintenance", f"move {name}"]


# -- maintenance mode ------------------------------------------------------------------------------------------------


def test_maintenance_mode_whose_answer_was_lost_is_looked_for():
    ece = Platform(instance("a"))
    ece.faults["maintenance"] = [WithEffect(LOST)]
    assert not ece.vacate()["failed"]
    assert ece.writes() == ["maintenance", "move a"]


def test_maintenance_mode_whose_request_was_lost_is_started_again():
    ece = Platform(instance("a"))
    ece.faults["maintenance"] = [LOST]
    assert not ece.vacate()["failed"]
    assert ece.writes() == ["maintenance", "maintenance", "move a"]


def test_maintenance_mode_that_is_accepted_and_does_not_start_ends_it():
    ece = Platform(instance("a"))
    ece.faults["maintenance"] = [{}]
    with pytest.raises(PlatformError, match="did not start, so nothing is moved: it is still off"):
        ece.vacate()
    assert "move a" not in ece.asked


def test_maintenance_mode_that_is_on_is_not_started_again():
    ece = Platform(instance("a"), maintenance=True)
    assert not ece.vacate()["failed"]
    assert ece.writes() == ["move a"]


# -- pending plans and moves under way -------------------------------------------------------------------------------


def test_a_pending_plan_is_a_failure_by_default_and_the_others_move():
    ece = Platform(instance("a", pending=True), instance("b"))
    result = ece.vacate()
    assert ids(result["failures"]) == ["a"] and ids(result["moved"]) == ["b"]
    assert "set pending_plans to wait, or to force" in result["failures"][0]["reason"]
    assert ece.writes() == ["maintenance", "move b"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_where_all_plans_are_pending_maintenance_mode_is_not_started(check_mode):
    ece = Platform(instance("a", pending=True))
    result = ece.vacate(check_mode)
    assert (result["failed"], result["changed"], ece.writes()) == (True, False, [])
    assert result["diff"]["before"] == result["diff"]["after"]


def test_with_wait_a_move_begins_when_the_plan_has_ended():
    ece = Platform(instance("a", pending=True))
    ece.on_look = lambda number: ece.end_plan("a") if number == 5 else None
    result = ece.vacate(pending_plans="wait")
    assert not result["failed"] and ids(result["moved"]) == ["a"]
    assert ece.asked.index("move a") > [n for n, name in enumerate(ece.asked) if name == "look"][4]
    assert "0:00  0/1 moved, 1 waiting" in ece.lines


def test_with_wait_a_refusal_because_of_a_pending_plan_is_asked_for_again():
    ece = Platform(instance("a"))
    ece.refuse["a"] = [errors(PENDING), errors(PENDING), None]
    result = ece.vacate(pending_plans="wait")
    assert not result["failed"] and ece.writes() == ["maintenance", "move a", "move a", "move a"]


def test_with_wait_a_plan_that_never_ends_is_left_with_the_reason():
    ece = Platform(instance("a"))
    ece.refuse["a"] = [errors(PENDING)]
    result = ece.vacate(pending_plans="wait", wait_timeout=60)
    assert result["failed"] and PENDING in result["left"][0]["reason"]


@pytest.mark.parametrize("moving", [False, True])
def test_with_force_a_pending_plan_is_replaced(moving):
    ece = Platform(instance("a", pending=True, moving=moving))
    assert not ece.vacate(pending_plans="force")["failed"]
    assert ece.queries == [{"move_only": True, "allocator_down": False, "force_update": True}]


@pytest.mark.parametrize("pending_plans", ["fail", "wait"])
def test_a_move_of_an_earlier_run_is_waited_for_and_not_asked_for_again(pending_plans):
    ece = Platform(instance("a", moving=True, pending=True), maintenance=True)
    ece.under_way["a"] = 3
    result = ece.vacate(pending_plans=pending_plans)
    assert (result["changed"], result["failed"]) == (False, False)
    assert ids(result["moved"]) == ["a"] and ece.writes() == []


# -- lost answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [LOST, DAMAGED, DOWN], ids=lambda error: type(error).__name__)
def test_a_move_whose_answer_was_lost_is_looked_for_and_not_asked_for_again(error):
    ece = Platform(instance("a"))
    ece.faults["move a"] = [WithEffect(error)]
    result = ece.vacate()
    assert not result["failed"] and result["changed"]
    assert ece.writes() == ["maintenance", "move a"]


def test_a_move_that_was_lost_on_its_way_is_asked_for_again_after_looks_at_the_allocator():
    ece = Platform(instance("a"))
    ece.faults["move a"] = [LOST]
    assert not ece.vacate()["failed"]
    first, second = [number for number, name in enumerate(ece.asked) if name == "move a"]
    assert ece.asked[first + 1 : second] == ["look"] * vacating.IDLE_LOOKS


def test_a_move_that_is_lost_each_time_is_a_failure():
    ece = Platform(instance("a"))
    ece.faults["move a"] = [LOST] * 100
    result = ece.vacate()
    assert result["failed"] and ece.writes().count("move a") == vacating.ATTEMPTS
    assert str(LOST) in result["failures"][0]["reason"]


def test_an_answer_without_the_cluster_is_no_answer():
    ece = Platform(instance("a"))
    ece.faults["move a"] = [{"moves": {}, "failures": {}}] * 100
    result = ece.vacate()
    assert result["failures"][0]["reason"] == "the answer of the platform does not mention it"
    assert ece.writes().count("move a") == vacating.ATTEMPTS


@pytest.mark.parametrize("request_name", ["move a", "validate a"])
def test_a_request_that_was_never_sent_is_sent_at_the_next_look(request_name):
    ece = Platform(instance("a"), instance("b"))
    ece.faults[request_name] = [NOT_SENT, NOT_SENT]
    result = ece.vacate(targets=["10.0.0.8"])
    assert not result["failed"] and ece.asked.count(request_name) == 3


@pytest.mark.parametrize("error", [PROHIBITED, INVALID], ids=lambda error: str(error.status))
def test_a_refusal_of_the_whole_request_counts_for_its_cluster_alone(error):
    ece = Platform(instance("a"), instance("b"))
    ece.faults["move a"] = [error]
    result = ece.vacate()
    assert ids(result["failures"]) == ["a"] and ids(result["moved"]) == ["b"]
    assert result["failures"][0]["reason"] == str(error)


# -- moves that do not end well --------------------------------------------------------------------------------------


def test_the_log_of_the_plan_says_why_a_move_failed():
    ece = Platform(instance("a"))
    ece.fail.add("a")
    ece.deployments["d-a"] = deployment("a", history=[attempt(step("error", CAPACITY))])
    result = ece.vacate()
    assert result["failures"][0]["reason"] == f"its move has ended, and it is still on the allocator; {CAPACITY}"


def test_a_registry_without_credentials_is_named_with_the_remedy_when_the_time_is_over():
    ece = Platform(instance("a"))
    ece.never_end.add("a")
    ece.deployments["d-a"] = deployment("a", pending=attempt(step("pending", "PullAccessDenied: image x")))
    result = ece.vacate(wait_timeout=60)
    assert result["failed"] and result["failures"] == []
    assert "PullAccessDenied: image x" in result["left"][0]["reason"] and PULL_REMEDY in result["msg"]


def test_a_deployment_that_does_not_answer_leaves_the_result_as_it_is():
    ece = Platform(instance("a"))
    ece.fail.add("a")
    ece.faults["deployment d-a"] = [DOWN]
    assert ids(ece.vacate()["failures"]) == ["a"]


def test_deployments_are_asked_for_failures_only():
    ece = Platform(instance("a"))
    ece.vacate()
    assert not [name for name in ece.asked if name.startswith("deployment")]


def test_the_time_is_over_while_clusters_move():
    ece = Platform(instance("a"), instance("b"), looks=1)
    ece.never_end.add("b")
    ece.deployments["d-b"] = deployment("b")
    result = ece.vacate(wait_timeout=95)
    assert result["failed"] and result["changed"] and ece.now == 1095.0
    assert ids(result["moved"]) == ["a"] and result["failures"] == []
    assert result["left"] == [{"cluster_id": "b", "kind": "elasticsearch", "deployment_id": "d-b", "reason": "moving"}]
    assert result["msg"] == (
        f"1 of 2 clusters moved off allocator {SOURCE} in 95 s; still on it are b (elasticsearch): moving"
    )
    # At least every 30 seconds there is a line, also where nothing changes.
    assert len([line for line in ece.lines if "1/2 moved" in line]) >= 3


def test_no_move_begins_when_the_time_is_over():
    ece = Platform(instance("a"), instance("b"), instance("c"), looks=1)
    result = ece.vacate(concurrency=1, wait_timeout=20)
    assert ece.writes() == ["maintenance", "move a"]
    assert [(row["cluster_id"], row["reason"]) for row in result["left"]] == [("b", "queued"), ("c", "queued")]


def test_an_instance_that_returns_moves_again_and_not_for_ever():
    ece = Platform(instance("a"), instance("b"))
    ece.never_end.add("b")
    ece.deployments["d-a"] = ece.deployments["d-b"] = deployment("a")

    def bring_back(number):
        if not [one for one in ece.source["instances"] if one["cluster_id"] == "a"]:
            ece.source["instances"].append(instance("a"))

    ece.on_look = bring_back
    result = ece.vacate(wait_timeout=600)
    assert ece.writes().count("move a") == vacating.ATTEMPTS
    assert "an instance has returned to the allocator" in result["failures"][0]["reason"]


def test_an_allocator_that_is_deleted_meanwhile_proves_nothing():
    ece = Platform(instance("a"))
    ece.never_end.add("a")
    ece.deployments["d-a"] = deployment("a")

    def delete(number):
        if number == 4:
            ece._look = lambda: None

    ece.on_look = delete
    result = ece.vacate()
    assert result["failed"] and result["moved"] == []
    assert f"the platform no longer knows allocator {SOURCE}" in result["msg"]


def test_an_instance_without_the_id_of_its_cluster_keeps_it_from_success():
    ece = Platform(instance("a"), {"cluster_type": "kibana"})
    result = ece.vacate()
    assert result["failed"] and ids(result["moved"]) == ["a"]
    assert "1 of its instances have no id of a cluster" in result["msg"]


# -- without waiting -------------------------------------------------------------------------------------------------


def test_without_waiting_the_moves_begin_and_the_rest_is_left():
    ece = Platform(*(instance(f"c{number}") for number in range(3)))
    result = ece.vacate(wait=False, concurrency=2)
    assert (result["changed"], result["failed"]) == (True, False)
    assert ece.writes() == ["maintenance", "move c0", "move c1"] and ece.now == 1000.0
    assert [(row["cluster_id"], row["reason"]) for row in result["left"]] == [
        ("c0", "moving"),
        ("c1", "moving"),
        ("c2", "queued"),
    ]
    again = ece.vacate(wait=False, concurrency=2)
    assert (again["changed"], ece.writes()[3:]) == (False, [])


def test_without_waiting_a_refusal_and_a_request_that_was_not_sent_are_failures():
    ece = Platform(instance("a"), instance("b"))
    ece.refuse["a"] = [errors(CAPACITY)]
    ece.faults["move b"] = [NOT_SENT]
    result = ece.vacate(wait=False)
    assert result["failed"] and [row["reason"] for row in result["failures"]] == [
        f"{CAPACITY} (clusters.cluster_invalid_plan)",
        str(NOT_SENT),
    ]


def test_without_waiting_a_lost_answer_is_looked_for_all_the_same():
    ece = Platform(instance("a"), looks=5)
    ece.faults["move a"] = [WithEffect(LOST)]
    result = ece.vacate(wait=False)
    assert not result["failed"] and result["left"][0]["reason"] == "moving"


# -- check mode ------------------------------------------------------------------------------------------------------


def test_check_mode_says_what_would_move_and_what_could_not_and_writes_nothing():
    ece = Platform(instance("a"), instance("b", "kibana"), instance("c", pending=True), instance("d", moving=True))
    ece.refuse["b"] = [errors(CAPACITY)]
    result = ece.vacate(True)
    assert ece.writes() == [] and ece.asked == ["look", "validate a", "validate b"]
    assert all(query["validate_only"] for query in ece.queries)
    assert (result["changed"], result["failed"]) == (True, True)
    assert ids(result["moved"]) == ["a", "d"] and ids(result["failures"]) == ids(result["left"]) == ["b", "c"]
    assert result["msg"].startswith(f"2 of 4 clusters can move off allocator {SOURCE}; still on it would be b (kibana)")
    assert result["diff"]["after"] == {"maintenance_mode": True, "clusters": ["b", "c"]}


def test_check_mode_with_force_plans_the_move_in_place_of_the_pending_plan():
    ece = Platform(instance("a", pending=True))
    assert not ece.vacate(True, pending_plans="force")["failed"]
    assert ece.queries == [{"validate_only": True, "move_only": True, "allocator_down": False, "force_update": True}]


def test_check_mode_with_wait_takes_pending_plans_for_ones_that_end():
    ece = Platform(instance("a", pending=True), instance("b"))
    ece.refuse["b"] = [errors(PENDING)]
    result = ece.vacate(True, pending_plans="wait")
    assert not result["failed"] and ids(result["moved"]) == ["a", "b"]


def test_check_mode_repeats_its_questions_because_they_have_no_effect():
    ece = Platform(instance("a"), instance("b"))
    ece.faults["validate a"] = [LOST, DOWN]
    ece.faults["validate b"] = [DOWN] * 100
    result = ece.vacate(True)
    assert ids(result["moved"]) == ["a"] and "HTTP 503" in result["failures"][0]["reason"]
    assert ece.asked.count("validate b") == vacating.LOOKS


def test_check_mode_of_an_empty_allocator_changes_nothing():
    ece = Platform()
    assert not ece.vacate(True)["changed"] and ece.asked == ["look"]


def test_every_kind_of_the_api_can_be_asked_for():
    ece = Platform(*(instance(kind, kind) for kind in MEMBERS))
    assert sorted(ids(ece.vacate()["moved"])) == sorted(MEMBERS)
