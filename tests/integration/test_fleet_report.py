# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbook fleet_report, and the report at the end of a join, against the stand-in."""

from __future__ import annotations

import json
import os
import re
import stat

import pytest

from tests.role_names import outputs_of
from tests.unit.fleet import Page

PLAYBOOK = "ece.platform.fleet_report"
FLEET = [{"allocators": 6}]
API = "/api/v1/platform"
LISTS = [API, f"{API}/infrastructure/allocators", f"{API}/infrastructure/runners"]


@pytest.fixture(autouse=True)
def settings(operator):
    operator.environment |= {"ANSIBLE_SHOW_CUSTOM_STATS": "true", "ANSIBLE_LOCALHOST_WARNING": "false"}


@pytest.fixture
def login(operator, ece):
    """Return the options with which a run of localhost finds the platform."""
    return ("-e", f"ece_url={ece.url}", "-e", f"ece_ca_path={ece.ca_path}")


def report_of(folder):
    """Return the report, and check that its page is complete."""
    page = Page((folder / "fleet.html").read_text(encoding="utf-8"))
    assert page.errors == []
    return json.loads((folder / "fleet.json").read_text(encoding="utf-8")), page


def allocators(ece):
    return sorted(allocator.allocator_id for allocator in ece.platform.current_allocators())


@pytest.mark.parametrize("standin_options", FLEET)
def test_the_whole_fleet_is_in_both_files_for_three_requests_and_a_login(operator, ece, login, tmp_path):
    away, maintained, *_others = allocators(ece)
    ece.platform.disconnect(away)
    ece.platform.set_maintenance(maintained, True)
    run = operator.play(*login, playbook=PLAYBOOK)
    assert run.rc == 0 and run.recap["localhost"]["changed"] == 1, run.output

    report, page = report_of(tmp_path)
    assert report["disconnected"] == [away] and report["maintenance_mode"] == [maintained]
    assert report["total"]["allocators"] == 6 and len(report["zones"]) == 3 and report["warnings"] == []
    assert report["listed"] == report["counted"]
    assert {host["host"] for host in report["hosts"]} >= set(allocators(ece))
    assert all(allocator in page.text for allocator in allocators(ece))
    assert f"disconnected: {away}" in run.text and f"in maintenance mode: {maintained}" in run.text
    assert f"written: {tmp_path}/fleet.html and fleet.json" in run.text
    assert stat.S_IMODE(os.stat(tmp_path / "fleet.html").st_mode) == 0o600

    (line,) = re.findall(r"^ece_fleet_report: (.*)$", run.output, re.M)
    assert json.loads(line)["disconnected"] == 1
    assert sorted(entry["path"] for entry in ece.requests if entry["method"] == "GET") == LISTS
    assert not ece.mutations


@pytest.mark.parametrize("standin_options", FLEET)
def test_a_second_run_has_changed_nothing_and_check_mode_writes_nothing(operator, ece, login, tmp_path):
    checked = operator.play("--check", "--diff", *login, playbook=PLAYBOOK)
    assert checked.rc == 0 and checked.total("changed") == 1 and "would be written" in checked.text, checked.output
    assert not (tmp_path / "fleet.html").exists() and not (tmp_path / "fleet.json").exists()
    assert operator.play(*login, playbook=PLAYBOOK).total("changed") == 1
    again = operator.play(*login, playbook=PLAYBOOK)
    assert again.rc == 0 and again.total("changed") == 0, again.output

    ece.platform.disconnect(allocators(ece)[0])
    before = (tmp_path / "fleet.json").read_text()
    checked = operator.play("--check", "--diff", *login, playbook=PLAYBOOK)
    assert checked.total("changed") == 1 and '- "connected": true' in checked.text, checked.output
    assert (tmp_path / "fleet.json").read_text() == before


@pytest.mark.parametrize("standin_options", FLEET)
def test_a_cut_list_is_a_warning_and_is_said_on_the_page(operator, ece, login, tmp_path):
    ece.platform.unlist("runners", allocators(ece)[0])
    run = operator.play(*login, playbook=PLAYBOOK, warnings=True)
    assert run.rc == 0, run.output
    report, page = report_of(tmp_path)
    sentence = f"the list of runners has {report['counted']['runners'] - 1} entries but GET /platform counts"
    assert sentence in run.text and sentence.replace("the", "The", 1) in page.text
    assert "not in the list of runners" in page.text


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["ece_fleet_report_path=fleet.txt"], "ece_fleet_report_path 'fleet.txt' does not end with .html"),
        (["ece_fleet_report_path=no/fleet.html"], "no', which is not a folder here: create it"),
        (['{"ece_fleet_report_mode": 420}'], "ece_fleet_report_mode 420 is not a mode: give four octal digits"),
        (["ece_fleet_report_file=a.html"], "ece_fleet_report_file is not a variable of playbook fleet_report"),
        (["ece_url=coordinator"], "ece_url coordinator is not an address of a coordinator"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_nothing_is_written(operator, ece, login, tmp_path, options, sentence):
    given = [part for option in options for part in ("-e", option)]
    run = operator.play(*login, *given, playbook=PLAYBOOK)
    assert run.rc == 2 and sentence in run.text, run.output
    assert not ece.requests and not list(tmp_path.glob("fleet*"))


def test_an_error_of_the_platform_leaves_the_files(operator, ece, login, tmp_path):
    assert operator.play(*login, playbook=PLAYBOOK).rc == 0
    before = (tmp_path / "fleet.html").read_text()
    ece.fault(method="GET", path="infrastructure/runners", status=403, times=None)
    run = operator.play(*login, playbook=PLAYBOOK)
    assert run.rc == 2 and "HTTP 403" in run.text, run.output
    assert (tmp_path / "fleet.html").read_text() == before


# -- at the end of a join --------------------------------------------------------------------------------------------


def test_a_join_reports_the_timeline_of_each_host(any_operator, ece, tmp_path):
    operator = any_operator
    operator.group_vars = {"ece_host_fleet_report": "fleet.html", "ece_host_batch": 1}
    operator.new_host("new-1", "192.0.2.1")
    operator.new_host("new-2", "192.0.2.2", zone="ece-zone-2")
    run = operator.play()
    assert run.rc == 0, run.output
    report, page = report_of(tmp_path)
    assert [host["host"] for host in report["join"]] == ["new-1", "new-2"], "both batches are in it"
    for host in report["join"]:
        assert host["joined"] and host["started_at"] < host["ended_at"] and host["started_at"] < host["connected_at"]
        assert 0 <= host["ended_at"] - host["started_at"] <= host["install_seconds"] + 1
    assert {"192.0.2.1", "192.0.2.2"} <= {host["host"] for host in report["hosts"]}
    assert len([found for found in page.all("svg") if "timeline" in found.get("class", "")]) == 2
    written = outputs_of("Write the fleet report", run.output)
    assert len(written) == 2 and all("changed: [" in part for part in written), run.output

    again = operator.play()
    assert again.rc == 0 and again.total("changed") == 1, "the timeline is gone"
    assert report_of(tmp_path)[0]["join"] == []
    third = operator.play()
    assert third.rc == 0 and third.total("changed") == 0 and len(third.recap) == 1, third.output


def test_a_host_that_fails_is_in_the_report(operator, ece, tmp_path):
    operator.group_vars = {"ece_host_fleet_report": str(tmp_path / "fleet.html")}
    operator.new_host("good", "192.0.2.1")
    operator.new_host("bad", "192.0.2.2", fail=1)
    run = operator.play()
    assert run.rc == 2, run.output
    hosts = {host["host"]: host for host in report_of(tmp_path)[0]["join"]}
    assert hosts["good"]["joined"] and not hosts["bad"]["joined"]
    assert hosts["bad"]["verdict"] == "failed" and "installer exit 1" in hosts["bad"]["note"]
    assert hosts["bad"]["ended_at"] is not None and hosts["bad"]["connected_at"] is None


def test_check_mode_of_a_join_writes_no_report(operator, tmp_path):
    operator.group_vars = {"ece_host_fleet_report": "fleet.html"}
    operator.new_host("new-1", "192.0.2.1")
    run = operator.play("--check", "--diff")
    assert run.rc == 0 and not list(tmp_path.glob("fleet*")), run.output


def test_a_path_that_cannot_work_is_said_before_anything_is_changed(operator, ece):
    operator.group_vars = {"ece_host_fleet_report": "/missing/fleet.html"}
    operator.new_host("new-1", "192.0.2.1")
    run = operator.play()
    assert run.rc == 2 and "ece_host_fleet_report '/missing/fleet.html' is in '/missing'" in run.text, run.output
    assert not ece.requests


def test_a_report_that_cannot_be_made_is_a_warning_and_the_hosts_have_joined(operator, ece, tmp_path):
    # The folder passes the check of the plan, and a folder takes the place of the file while hosts join.
    operator.group_vars = {"ece_host_fleet_report": "fleet.html"}
    host = operator.new_host("new-1", "192.0.2.1")
    host["ece_host_settle_time"] = (
        f"{{{{ 1 if lookup('ansible.builtin.pipe', 'mkdir -p {tmp_path}/fleet.json') == '' }}}}"
    )
    run = operator.play(warnings=True)
    assert run.rc == 0 and ece.joined == ["192.0.2.1"], run.output
    assert "there is no fleet report of this run" in run.text


def test_two_hosts_with_different_paths_are_refused(operator, ece):
    for number in (1, 2):
        operator.new_host(f"new-{number}", f"192.0.2.{number}")["ece_host_fleet_report"] = f"fleet-{number}.html"
    run = operator.play()
    assert run.rc == 2 and "ece_host_fleet_report is 'fleet-1.html' for host new-1 and 'fleet-2.html'" in run.text
    assert not ece.joined
