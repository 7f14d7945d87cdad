# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What batches of a run leave for the report adds up."""

from __future__ import annotations

import functools
import json
from types import SimpleNamespace

import pytest
from ansible import constants as C

from ansible_collections.ece.platform.plugins.plugin_utils import _fleet_join as fleet_join
from tests.unit.fleet import allocator, platform, runner

CLIENT = SimpleNamespace(url="https://ece:12443", warnings=[])


@pytest.fixture(autouse=True)
def run_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(C, "DEFAULT_LOCAL_TMP", str(tmp_path))


def test_times_become_those_of_the_controllers_clock_and_batches_add_up():
    assert fleet_join.times() == {}
    fleet_join.note_times({"a": {"started_at": -5.0, "ended_at": 60.04, "connected_at": None}}, 1000.0)
    fleet_join.note_times({"b": {"started_at": None, "ended_at": None, "connected_at": 3.0}}, 2000.0)
    assert fleet_join.times() == {"a": {"started_at": 995.0, "ended_at": 1060.0}, "b": {"connected_at": 2003.0}}


def test_a_later_row_of_a_host_takes_the_place_of_an_earlier_one():
    assert fleet_join.add_rows({"a": {"verdict": "failed"}}) == {"a": {"verdict": "failed"}}
    assert fleet_join.add_rows({"b": {"verdict": "joined"}, "a": {"verdict": "joined"}}) == {
        "a": {"verdict": "joined"},
        "b": {"verdict": "joined"},
    }


def test_a_disk_that_is_full_costs_only_the_timeline(monkeypatch):
    monkeypatch.setattr(C, "DEFAULT_LOCAL_TMP", "/missing")
    fleet_join.note_times({"a": {"started_at": 1.0, "ended_at": None, "connected_at": None}}, 1.0)
    assert fleet_join.times() == {} and fleet_join.add_rows({"a": {}}) == {"a": {}}


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_run_with_nothing_to_join_has_a_report_of_what_its_plan_read(tmp_path, check_mode):
    known = {"10.0.0.1": {"runner": runner(1), "allocator": allocator(1)}, "10.0.0.2": {"runner": runner(2)}}
    page = tmp_path / "fleet.html"
    publish = functools.partial(fleet_join.publish_joined, str(page), platform({}, 2), known, CLIENT)
    assert publish(check_mode) == (True, [])
    assert page.exists() is not check_mode
    if not check_mode:
        report = json.loads(page.with_suffix(".json").read_text())
        assert report["listed"] == {"allocators": 1, "runners": 2} and report["join"] == []
        assert publish(False) == (False, [])


def test_a_report_that_cannot_be_written_is_a_warning():
    changed, (warning,) = fleet_join.publish_joined("/missing/fleet.html", platform({}, 0), {}, CLIENT, False)
    assert not changed and warning.startswith("there is no fleet report of this run: the report cannot be written to")
