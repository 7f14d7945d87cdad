# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of users and services."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.module_utils import _preparation_limits as limits
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import marked
from tests.unit.preparation import UBUNTU, facts, options

BARE = {"limits": "", "manager": [("/etc/systemd/system.conf", "[Manager]\n")], "now": 1024}
OURS = (limits.MANAGER_FILE, limits.MANAGER_TEXT)
RIGHT = {
    "limits": marked(limits.limits_block("elastic")),
    "manager": [*BARE["manager"], OURS],
    "now": limits.NOFILE,
}


def plan(read, **given):
    return limits.plan_limits(facts("limits", read), options(**given), UBUNTU)


def test_a_bare_host_gets_both_files():
    found = plan(BARE)
    assert len(found.steps) == 2 and found.values["reload"]
    assert set(found.values["new_files"]) == {limits.LIMITS_FILE, limits.MANAGER_FILE} and not found.values["files"]


def test_the_second_run_has_nothing_to_do():
    found = plan(RIGHT)
    assert not found.steps and not found.notes and not found.values["new_files"]
    assert not found.values["files"] and not found.values["reload"]


def test_the_limits_are_those_of_the_user():
    text = limits.limits_block("ece")
    assert "ece             soft    nproc     unlimited\n" in text and "elastic" not in text
    found = plan(RIGHT, ece_host_user="ece")
    assert found.values["files"] == {limits.LIMITS_FILE: marked(text)} and not found.values["new_files"]


def test_a_file_of_the_role_that_others_have_changed_is_written_whole():
    found = plan({**RIGHT, "manager": [(limits.MANAGER_FILE, "[Manager]\nDefaultLimitNOFILE=1\n")]})
    assert found.values["files"] == {limits.MANAGER_FILE: limits.MANAGER_TEXT} and found.values["reload"]


def test_a_manager_that_has_not_read_its_file_reads_it():
    found = plan({**RIGHT, "now": 1024})
    assert found.values["reload"] and not found.values["files"] and len(found.steps) == 1


def test_a_later_file_of_the_host_is_named_and_not_fought_with():
    later = ("/etc/systemd/system.conf.d/99-site.conf", "[Manager]\nDefaultLimitNOFILE = 4096:8192\n")
    found = plan({**RIGHT, "manager": [*RIGHT["manager"], later], "now": 4096})
    assert not found.steps
    assert found.notes == [
        f"{later[0]} sets DefaultLimitNOFILE after {limits.MANAGER_FILE}, so that services get 4096."
    ]


def test_a_comment_sets_nothing():
    assert limits.last_word([("a", "DefaultLimitNOFILE=1\n"), ("b", "#DefaultLimitNOFILE=2\n")]) == "a"
    assert limits.last_word([("a", "")]) == ""


def test_files_are_read_in_the_order_in_which_they_count(tmp_path):
    for path in (
        "usr/lib/systemd/system.conf",
        "usr/lib/systemd/system.conf.d/80-vendor.conf",
        "usr/lib/systemd/system.conf.d/50-site.conf",
        "etc/systemd/system.conf.d/50-site.conf",
        "etc/systemd/system.conf.d/README",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    read = [path for path, text in limits.manager_files(str(tmp_path)) if text]
    assert read == [
        "/usr/lib/systemd/system.conf",
        "/etc/systemd/system.conf.d/50-site.conf",
        "/usr/lib/systemd/system.conf.d/80-vendor.conf",
    ]


def test_this_machine_can_be_read():
    read = limits.read_limits({}, options(), UBUNTU)
    assert read["now"] is None or read["now"] > 0
