# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each scenario: the first run ends as it states, and the same command ends well once the fault is gone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pytest

from tests.integration.operator import Operator, Run
from tests.integration.scenarios import SCENARIOS
from tests.integration.scenarios.scenario import (
    ADDRESSES,
    RETRIES,
    TIMEOUT,
    Joined,
    Reaches,
    Scenario,
    hold_installers,
    naming,
    play,
    until,
)
from tests.standin import StandIn
from tests.standin.hosts import INSTALLER_CONTAINER

API_TOKENS = "/configuration/security/enrollment-tokens"
WATCHDOG_SECONDS = 30
# Scenarios with a platform of their own: those with a run of the playbook to its end, and those in which the operator
# does something else.
SINGLE = [scenario for scenario in SCENARIOS if not scenario.series]
PLAIN_RUNS = [scenario for scenario in SINGLE if scenario.run is play]
SPECIAL_RUNS = [scenario for scenario in SINGLE if scenario.run is not play]
SERIES = [
    pytest.param(list(scenarios), id=name)
    for name, scenarios in groupby([each for each in SCENARIOS if each.series], lambda scenario: scenario.series)
]


@pytest.fixture
def standin_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the options of the scenario's stand-in."""
    scenario = request.node.callspec.params.get("scenario")
    return dict(scenario.standin) if scenario else {}


@pytest.mark.parametrize("scenario", PLAIN_RUNS, ids=lambda scenario: scenario.name)
def test_fault(operator: Operator, scenario: Scenario) -> None:
    play_scenario(operator, scenario)


@pytest.mark.parametrize("scenario", SPECIAL_RUNS, ids=lambda scenario: scenario.name)
def test_fault_with_a_special_run(any_operator: Operator, scenario: Scenario) -> None:
    play_scenario(any_operator, scenario)


@pytest.mark.parametrize("series", SERIES)
def test_faults_that_follow_one_another(operator: Operator, series: list[Scenario]) -> None:
    arranged = arrange(operator, {})
    if all(scenario.succeeds for scenario in series):
        run = run_through(operator, series)
        for scenario in series:
            with naming(scenario):
                assert_end(operator, scenario, arranged, run)
    else:
        for scenario in series:
            with naming(scenario):
                arranged = arrange_next(operator, arranged)
                undo = scenario.prepare(operator)
                assert_end(operator, scenario, arranged, scenario.run(operator))
                if undo:
                    undo()
    operator.ece.faults.clear()
    assert_again(operator, series[-1], arranged, set(), operator.play(warnings=True))


def play_scenario(operator: Operator, scenario: Scenario) -> None:
    """Run with the fault and without it, and assert how each run ends."""
    arranged = arrange(operator, scenario.variables)
    undo = scenario.prepare(operator)
    arranged = arrange_next(operator, arranged)
    assert_end(operator, scenario, arranged, scenario.run(operator))
    before = names_on_platform(operator.ece)
    if scenario.second_run_fails:
        second = scenario.second_run(operator)
        assert second.rc != 0 and scenario.second_run_fails in second.text, second.output
    if undo:
        undo()
    removed = before - names_on_platform(operator.ece)
    assert_again(operator, scenario, arranged, removed, operator.play(warnings=True))


def run_through(operator: Operator, series: list[Scenario]) -> Run:
    """Run the playbook once. Each fault has struck before the next one comes, and all of them before a host joins."""
    release = hold_installers(operator)
    series[0].prepare(operator)
    running = operator.start()
    for scenario in series:
        if scenario is not series[0]:
            scenario.prepare(operator)
        until(lambda: operator.armed[-1].times == 0 or running.process.poll() is not None)
        if running.process.poll() is not None:
            break
    release()
    run = operator.wait_for(running)
    assert operator.armed[-1].times == 0, f"{scenario.name} ended the run: {run.output}"
    return run


# -- arrange ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Arranged:
    """What is true before a run.

    other_token: id of a token that is not the run's. members: hosts of the platform. requests: how many the platform
    has had.
    """

    other_token: str
    members: set[str]
    requests: int

    @property
    def newcomers(self) -> set[str]:
        """The names of the hosts that have not joined."""
        return set(ADDRESSES) - self.members


def names_on_platform(ece: StandIn) -> set[str]:
    """Return the names of the hosts that the platform knows."""
    known = {runner.runner_id for runner in ece.platform.current_runners()}
    return {name for name, address in ADDRESSES.items() if address in known}


def arrange(operator: Operator, variables: Mapping[str, Any]) -> Arranged:
    """Prepare two hosts, with these variables, and a token that is not the run's. No environment holds a secret."""
    other_token = operator.ece.platform.tokens.mint({"persistent": True, "roles": ["allocator"]})["token_id"]
    operator.group_vars = {
        "ece_host_token_persistent": True,
        "ece_timeout": TIMEOUT,
        "ece_retries": RETRIES,
        **variables,
    }
    operator.use_vars_file()
    for name, address in ADDRESSES.items():
        operator.new_host(name, address)
    return Arranged(other_token=other_token, members=set(), requests=0)


def arrange_next(operator: Operator, arranged: Arranged) -> Arranged:
    """Return what is true before the next run."""
    return Arranged(
        other_token=arranged.other_token,
        members=names_on_platform(operator.ece),
        requests=len(operator.ece.requests),
    )


# -- the end of the first run ----------------------------------------------------------------------------------------


def assert_end(operator: Operator, scenario: Scenario, arranged: Arranged, run: Run) -> None:
    """Assert everything that the scenario states about the first run."""
    assert (run.rc == 0) == scenario.succeeds, run.output
    assert scenario.message in run.text, run.output
    assert all(fault.struck for fault in operator.armed), "no request was struck by the fault"
    assert_tokens(operator.ece, scenario, arranged)
    assert_joined(operator.ece, scenario, arranged)
    assert_started(operator.ece, scenario)
    scenario.check(operator)


def assert_tokens(ece: StandIn, scenario: Scenario, arranged: Arranged) -> None:
    """Assert that only the other token is left, and that none was minted if the run got no further than the plan."""
    if scenario.watchdog_revokes:
        until(lambda: ece.tokens == [arranged.other_token], WATCHDOG_SECONDS)
    assert ece.tokens == [arranged.other_token], "a token of the run is left, or another one is gone"
    minted = sum(
        entry["method"] == "POST" and entry["path"].endswith(API_TOKENS) for entry in ece.requests[arranged.requests :]
    )
    assert minted <= (0 if scenario.reaches is Reaches.PLAN else 2)


def assert_joined(ece: StandIn, scenario: Scenario, arranged: Arranged) -> None:
    """Assert which hosts have joined, each once. A host that the platform had has joined when it has the role."""
    names = {address: name for name, address in ADDRESSES.items()}
    joined = [names[address] for address in ece.joined]
    assert len(joined) == len(set(joined)), "a host joined twice"
    assert arranged.newcomers.issuperset(joined), "a host of the platform joined again"
    blessed = {name for name in arranged.members if has_role(ece, name)}
    assert scenario.joined.allows({*joined, *blessed}), joined


def assert_started(ece: StandIn, scenario: Scenario) -> None:
    """Assert that nothing started if the run got no further than the mint, and that joined hosts do not install."""
    if scenario.reaches is not Reaches.START:
        started = [host for host in ece.hosts.values() if host.containers or host.has_started]
        assert started == [], "something was started"
    if scenario.succeeds:
        joined = [host for host in ece.hosts.values() if host.ip in ece.joined]
        assert not any(INSTALLER_CONTAINER in host.containers for host in joined)


def has_role(ece: StandIn, name: str) -> bool:
    """Return whether a host of the platform has the role."""
    return "allocator" in ece.platform.runner(ADDRESSES[name]).roles


# -- the end of the second run ---------------------------------------------------------------------------------------


def assert_again(operator: Operator, scenario: Scenario, arranged: Arranged, removed: set[str], again: Run) -> None:
    """Assert that the second run ends well: each host has joined once, or once more if it was removed in between."""
    ece = operator.ece
    expected = sorted(ADDRESSES[name] for name in [*arranged.newcomers, *removed])
    assert again.rc == 0, again.output
    assert ece.joined == expected, again.output
    assert all(has_role(ece, name) for name in ADDRESSES)
    assert ece.tokens == [arranged.other_token]
    if scenario.succeeds and scenario.joined is Joined.BOTH:
        assert again.total("changed") == 0 and re.search(r"hosts: \d+ joined, 0 new", again.output), again.output
