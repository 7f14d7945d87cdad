# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host is cleaned with the variables of the role."""

from __future__ import annotations

import inspect

import pytest

from ansible_collections.ece.platform.plugins.action import ece_removal_host
from ansible_collections.ece.platform.plugins.module_utils import _removal_host
from tests.unit.module_utils.test_removal_plan import ID, entry_of


def test_the_host_is_cleaned_as_the_runner_that_the_plan_has_proven(bare):
    given = {"ece_host_removal_leftovers": ["images"], "ece_host_docker_socket": "/s", "ece_host_runner_id": "other"}
    step, sent = bare(ece_removal_host, variables=given), []

    def execute(name, module_args, task_vars):
        sent.append((name, module_args))
        return {"changed": True, "leftovers": [], "add_host": {}, "ansible_facts": {"ece_url": "evil"}}

    step._execute_module = execute
    result = step.act({"entry": {**entry_of(), "instances_mode": "delete"}}, {})
    assert result == {"changed": True, "leftovers": [], "ansible_facts": {}}
    assert sent == [
        (
            "ece.platform.ece_removal_clean",
            {
                "docker_socket": "/s",
                "runner_id": ID,
                "instances": True,
                "instances_move": False,
                "bootstrap_secrets": False,
                "leftovers": ["images"],
            },
        )
    ]


LEFT = {"failed": True, "msg": "m", "problems": [f"The host has 1 {ece_removal_host.INSTANCES_LEFT} (fac-x): move"]}


@pytest.fixture
def cleaning(bare, monkeypatch):
    """Clean a host that answers so, one after the other. Returns the result and what it was sent."""
    clock = [0.0]
    monkeypatch.setattr(ece_removal_host.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(ece_removal_host.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))

    def run(answers, *, check_mode=False, **entry):
        step, sent = bare(ece_removal_host, check_mode=check_mode), []

        def execute(name, module_args, task_vars):
            sent.append(module_args)
            return dict(answers[min(len(sent), len(answers)) - 1])

        step._execute_module = execute
        return step.act({"entry": {**entry_of(), **entry}}, {}), sent

    return run


def test_containers_of_instances_that_have_just_moved_are_waited_for(cleaning):
    result, sent = cleaning([LEFT, LEFT, {"changed": True}])
    assert result == {"changed": True} and len(sent) == 3


def test_containers_of_instances_that_stay_are_a_failure(cleaning):
    result, sent = cleaning([LEFT])
    assert result["failed"] and len(sent) == 1 + ece_removal_host.INSTANCES_GO_SECONDS // ece_removal_host.PAUSE_SECONDS


def test_another_failure_is_not_waited_for(cleaning):
    for answer in ({"failed": True, "problems": ["no engine"]}, {"failed": True, "msg": "no", "problems": None}):
        assert len(cleaning([answer])[1]) == 1


@pytest.mark.parametrize(
    ("check_mode", "entry", "instances", "instances_move"),
    [
        (True, {"instances": 2}, False, True),
        (True, {"instances": 0}, False, True),
        (True, {"instances": 0, "parts": {"runner": True}}, False, False),
        (True, {"instances": 2, "instances_mode": "delete"}, True, False),
        (False, {"instances": 2}, False, False),
        (False, {"instances": 2, "instances_mode": "delete"}, True, False),
    ],
)
def test_in_check_mode_instances_are_there_that_would_have_moved(
    cleaning, check_mode, entry, instances, instances_move
):
    ((sent,),) = (cleaning([{}], check_mode=check_mode, **entry)[1],)
    assert (sent["instances"], sent["instances_move"]) == (instances, instances_move)


def test_the_sentence_on_instances_is_that_of_the_module():
    assert ece_removal_host.INSTANCES_LEFT in inspect.getsource(_removal_host)
