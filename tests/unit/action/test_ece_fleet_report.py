# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step that writes the report: in a playbook of its own, and at the end of a join."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from ansible_collections.ece.platform.plugins.action import ece_fleet_report
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.plugin_utils._results import REPORT
from tests.unit.fleet import allocator, platform, runner

URL = "https://ece.example.com:12443"


@pytest.fixture
def act(bare, shown):
    """Return a function that runs the action against a platform. Its lines are `act.lines`."""

    def run(variables=None, *, plan=None, check_mode=False, diff=False, error=None, task_vars=None, **fleet):
        action = bare(ece_fleet_report, check_mode=check_mode, variables=variables)
        action._task.diff = diff

        def connect(_task_vars):
            if error:
                raise error
            runners, allocators = fleet.get("runners", [runner(1)]), fleet.get("allocators", [allocator(1)])
            info = fleet.get("info") or platform({"ece-zone-2": len(allocators)}, len(runners))
            client = SimpleNamespace(
                url=URL,
                warnings=[],
                platform=lambda: info,
                runners=lambda: runners,
                iter_allocators=lambda total: iter(allocators),
            )
            return client, ["a warning of the connection"]

        action.connect = connect
        run.lines.clear()
        return action.act({"plan": plan}, {**(variables or {}), **(task_vars or {})})

    run.lines = shown(ece_fleet_report)
    return run


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fleet.html"


def test_the_playbook_writes_both_files_and_sums(act, path):
    result = act({"ece_fleet_report_path": str(path)})
    assert (result["changed"], result["page"], result["data"]) == (True, str(path), str(path.with_suffix(".json")))
    assert json.loads(path.with_suffix(".json").read_text())["total"]["hosts"] == 1
    assert act.lines[0] == result["msg"]
    assert act.lines[-2] == f"written: {path} and fleet.json"
    assert act.lines[-1].startswith('ece_fleet_report: {"allocators": 1, ')
    assert result["ansible_stats"]["data"]["ece_fleet_report"]["memory_free_mb"] == 49152
    assert result["warnings"] == ["a warning of the connection"]


def test_a_second_run_has_changed_nothing_and_updates_the_time(act, path, monkeypatch):
    act({"ece_fleet_report_path": str(path)})
    monkeypatch.setattr(ece_fleet_report.time, "time", lambda: 4102444800)
    assert act({"ece_fleet_report_path": str(path)})["changed"] is False
    assert "as of 2100-01-01 00:00 UTC" in path.read_text()
    assert act({"ece_fleet_report_path": str(path)}, allocators=[allocator(1, used=5)])["changed"] is True


def test_check_mode_writes_nothing_and_says_whether_something_differs(act, path, tmp_path):
    assert act({"ece_fleet_report_path": str(path)}, check_mode=True)["changed"] is True
    assert list(tmp_path.glob("fleet*")) == []
    assert any(line.startswith("would be written: ") for line in act.lines)
    act({"ece_fleet_report_path": str(path)})
    assert act({"ece_fleet_report_path": str(path)}, check_mode=True)["changed"] is False


def test_the_difference_is_that_of_the_json_without_its_time(act, path):
    act({"ece_fleet_report_path": str(path)})
    diff = act({"ece_fleet_report_path": str(path)}, diff=True, runners=[runner(1, connected=False)])["diff"]
    assert '"connected": true' in diff["before"] and '"connected": false' in diff["after"]
    assert "made_at" not in diff["before"] + diff["after"]


def test_hosts_that_need_a_look_are_named(act, path):
    act({"ece_fleet_report_path": str(path)}, allocators=[allocator(1, connected=False, maintenance_mode=True)])
    assert act.lines[1:3] == ["disconnected: 10.0.0.1", "in maintenance mode: 10.0.0.1"]


def test_a_cut_list_is_a_warning(act, path):
    result = act({"ece_fleet_report_path": str(path)}, info=platform({"z": 1}, 9))
    assert "the list of runners has 1 entries but GET /platform counts 9" in result["warnings"][1]


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ece_fleet_report_path": "fleet.txt"}, "ece_fleet_report_path 'fleet.txt' does not end with .html"),
        ({"ece_fleet_report_mode": 420}, "ece_fleet_report_mode 420 is not a mode"),
        (
            {"ece_fleet_report_pathh": "a"},
            "not a variable of playbook fleet_report; did you mean ece_fleet_report_path?",
        ),
        ({"ece_fleet_report_x": "a"}, "fleet_report; use one of ece_fleet_report_mode, ece_fleet_report_path"),
    ],
)
def test_variables_are_checked_before_the_platform_is_asked(act, variables, sentence):
    with pytest.raises(OptionError) as raised:
        act(variables, error=AssertionError("the platform was asked"))
    assert sentence in str(raised.value)


def test_an_error_of_the_platform_fails_the_playbook_and_leaves_the_files(act, path):
    act({"ece_fleet_report_path": str(path)})
    before = path.read_text()
    with pytest.raises(PlatformError):
        act({"ece_fleet_report_path": str(path)}, error=PlatformError("HTTP 500"))
    assert path.read_text() == before


# -- at the end of a join --------------------------------------------------------------------------------------------

ROWS = {"a": {"zone": "z", "verdict": "joined", "install_seconds": 3.0, "connect_seconds": 1.0, "note": ""}}


def test_a_join_has_its_timeline_in_the_report_and_nothing_on_the_screen(act, path):
    ece_fleet_report.fleet_join.note_times({"a": {"started_at": 0.0, "ended_at": 3.0, "connected_at": 4.0}}, 100.0)
    plan = {"fleet_report": str(path), "hosts": {"a": {}}}
    result = act(plan=plan, task_vars={REPORT: {"hosts": ROWS}})
    assert act.lines == [] and "ansible_stats" not in result
    (joined,) = json.loads(path.with_suffix(".json").read_text())["join"]
    assert (joined["host"], joined["started_at"], joined["connected_at"]) == ("a", 100.0, 104.0)
    assert 'class="bar timeline"' in path.read_text()


def test_batches_of_a_run_are_in_one_report(act, path):
    plan = {"fleet_report": str(path), "hosts": {}}
    act(plan=plan, task_vars={REPORT: {"hosts": ROWS}})
    act(plan=plan, task_vars={REPORT: {"hosts": {"b": ROWS["a"]}}})
    assert [host["host"] for host in json.loads(path.with_suffix(".json").read_text())["join"]] == ["a", "b"]


@pytest.mark.parametrize("error", [PlatformError("GET runners answered HTTP 500"), OptionError("no credentials")])
def test_an_error_does_not_fail_a_join(act, path, error):
    result = act(plan={"fleet_report": str(path), "hosts": {}}, error=error)
    assert result == {"changed": False, "warnings": [f"there is no fleet report of this run: {error}"]}


def test_a_folder_that_has_gone_meanwhile_does_not_fail_a_join(act):
    (warning,) = act(plan={"fleet_report": "/missing/fleet.html", "hosts": {}})["warnings"]
    assert "the report cannot be written to '/missing/fleet.json' (No such file or directory)" in warning
