# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a removal: what it shows, and that one host that cannot leave keeps all."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_removal_plan
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.plugin_utils import _removal_report as report
from ansible_collections.ece.platform.plugins.plugin_utils._removal_options import removal_options
from tests.unit.action.conftest import Variables
from tests.unit.module_utils.test_removal_lookup import Client
from tests.unit.module_utils.test_removal_plan import FACTS, ID, allocator, runner

OTHER = "192.0.2.2"


class Platform(Client):
    """One more method than the plan's own client has."""

    url = "https://ece.example.com:12443"
    urls = (url,)
    warnings: list = []

    def platform(self):
        return {"version": "3.8.0", "regions": [{"runners": {"total_runners": 2}}]}


def two():
    return Platform([runner(ID), runner(OTHER)], [allocator(ID), allocator(OTHER)])


def checked(address, **more):
    said = {**FACTS, "addresses": [address], "runner_ids": [address]}
    return {
        "facts": said,
        "error": "",
        "problem": "",
        "options": removal_options(Variables()),
        **more,
    }


@pytest.fixture
def planning(bare, shown, role_variables, environment, play_vars):
    """Plan for hosts: name -> (address, what their checks found). Returns the result and the lines shown."""

    def run(hosts, client=None, *, check_mode=False, strategy="linear"):
        step, lines = bare(ece_removal_plan, check_mode=check_mode), shown(ece_removal_plan)
        step.connect = lambda task_vars: (client or two(), ["a warning"])
        step._task._parent._play.strategy = strategy
        connection = {"ece_url": ["https://ece.example.com:12443"], "ece_api_key": "a-key"}
        role_variables(ece_removal_plan, {name: {"ansible_host": one[0], **connection} for name, one in hosts.items()})
        results = {name: {report.CHECK: one[1]} for name, one in hosts.items()}
        return step.act({"step": "plan", "target": None}, play_vars(results)), lines

    return run


def test_the_plan_is_shown_and_names_the_hosts_that_leave(planning):
    result, lines = planning({"a": (ID, checked(ID)), "left out": ("x", {"skipped": True})})
    assert result["ready"] == ["a"] and result["refused"] == {} and not result.get("failed")
    assert lines == [
        "ECE 3.8.0 at https://ece.example.com:12443 - 1 host: 1 to remove, 0 not in the platform",
        "a: runner 192.0.2.1, zone z, allocator, 0 instances, 0 MB used",
        "zone z afterwards: 1 allocator, 65,536 MB free",
    ]
    assert result["warnings"] == ["a warning"] and list(result["hosts"]) == ["a"]


def test_check_mode_shows_the_steps(planning):
    _result, lines = planning({"a": (ID, checked(ID))}, check_mode=True)
    assert any(line.startswith("a: maintenance mode on; take away allocator;") for line in lines)
    assert lines[-1] == "Check mode says the whole plan, and changes nothing"


def test_one_refused_host_keeps_all_and_each_host_gets_its_sentence(planning):
    client = two()
    client.by_id["allocator"]["192.0.2.3"] = allocator("192.0.2.3")
    client.listed[1].append(allocator("192.0.2.3"))
    absent = checked("192.0.2.9", facts={"addresses": ["192.0.2.9"], "runner_ids": [], "containers_known": True})
    result, lines = planning(
        {"a": (ID, checked(ID)), "b": (OTHER, checked(OTHER, problem="no way")), "c": ("192.0.2.9", absent)}, client
    )
    assert result["failed"] and result["ready"] == []
    assert result["msg"] == "nothing is changed on any host, because 1 of them cannot be removed. b: no way."
    assert result["refused"] == {
        "a": "it is not removed, because the plan refuses b",
        "b": "no way",
        "c": report.ENDED_EARLIER,
    }
    assert "b: refused: no way" in lines


def test_another_strategy_is_refused(planning):
    with pytest.raises(OptionError, match="the strategy of the play is free"):
        planning({"a": (ID, checked(ID))}, strategy="free")


@pytest.mark.parametrize("target", [None, "", []])
def test_a_target_has_to_be_named(bare, target):
    step = bare(ece_removal_plan)
    with pytest.raises(OptionError, match="ece_target is not set"):
        step.act({"step": "target", "target": target}, {})


def test_a_target_of_the_inventory_comes_too_late(bare):
    step = bare(ece_removal_plan)
    step._task._parent._play.hosts = ["all"]
    with pytest.raises(OptionError, match="ece_target is 'web' in the inventory"):
        step.act({"step": "target", "target": "web"}, {})
    step._task._parent._play.hosts = "web"
    assert not step.act({"step": "target", "target": "web"}, {})["changed"]


def test_long_plans_are_cut(planning, monkeypatch):
    monkeypatch.setattr(ece_removal_plan, "LINES_MAX", 0)
    _result, lines = planning({"a": (ID, checked(ID))})
    assert "... and 1 more lines; a limit shows those of some hosts" in lines
