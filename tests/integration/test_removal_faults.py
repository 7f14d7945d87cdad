# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults while a host is removed: a run ends as the row states, and the same command goes on from there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.operator import Operator, Run
from tests.integration.scenarios import removal
from tests.integration.scenarios.scenario import naming

REMOVE = "ece.platform.remove_allocators"


@pytest.fixture
def standin_options() -> dict[str, Any]:
    """Return the options of a stand-in with two allocators in the zone of the host that leaves."""
    return dict(removal.STANDIN)


@pytest.fixture
def leaving(operator: Operator) -> Operator:
    """Return an operator whose host has joined and holds an instance."""
    operator.group_vars = dict(removal.VARIABLES)
    operator.use_vars_file()
    variables = operator.new_host(removal.NAME, removal.ADDRESS)
    # Containers are removed by root.
    variables["ece_host_bin_paths"] = [operator.ece.hosts[removal.NAME].give_commands_to_root()]
    run = operator.play()
    assert run.rc == 0, run.output
    operator.ece.platform.add_instance(removal.ADDRESS)
    operator.ece.reset_requests()
    return operator


def remove(operator: Operator) -> Run:
    return operator.play("-e", json.dumps({"ece_target": removal.NAME}), "-vvvv", playbook=REMOVE, warnings=True)


def moves(operator: Operator) -> int:
    """Return how often moves were asked for."""
    return sum(
        entry["path"].endswith("/_move") and entry["query"].get("validate_only") != "true"
        for entry in operator.ece.mutations
    )


def test_a_run_that_a_fault_stops_goes_on_when_it_is_repeated(leaving: Operator) -> None:
    leaving.group_vars.update(removal.SHORT_WAIT)
    for fault in removal.STOPPED:
        with naming(fault):
            undo = fault.prepare(leaving)
            run = remove(leaving)
            assert run.rc == 2 and fault.message in run.text, run.output
            assert removal.stage_of(leaving) is fault.stage, run.output
            assert all(armed.struck for armed in leaving.armed), "no request was struck by the fault"
            if undo:
                undo()
    end = remove(leaving)
    assert end.rc == 0 and removal.stage_of(leaving) is removal.Stage.REMOVED, end.output
    assert leaving.ece.platform.current_allocators()[0].instances


def test_a_run_gets_over_answers_that_are_lost(leaving: Operator) -> None:
    for fault in removal.GOT_OVER:
        fault.prepare(leaving)
    run = remove(leaving)
    assert run.rc == 0 and removal.stage_of(leaving) is removal.Stage.REMOVED, run.output
    for fault, armed in zip(removal.GOT_OVER, leaving.armed):
        with naming(fault):
            assert armed.struck == 1
    assert moves(leaving) == 1
