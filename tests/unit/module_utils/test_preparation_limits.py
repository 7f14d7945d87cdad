# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of users and services."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_limits as limits
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import marked
from tests.unit.preparation import UBUNTU, facts, options

BARE = {
    "limits": [("/etc/security/limits.conf", "# *  soft  core  0\n")],
    "manager": [("/etc/systemd/system.conf", "[Manager]\n")],
    "now": 1024,
}
OURS = (limits.MANAGER_FILE, marked(limits.MANAGER_BLOCK))
RIGHT = {
    "limits": [*BARE["limits"], (limits.LIMITS_FILE, marked(limits.limits_block("elastic")))],
    "manager": [*BARE["manager"], OURS],
    "now": limits.NOFILE,
}


def plan(read, **given):
    return limits.plan_limits(facts("limits", read), options(**given), UBUNTU)


def test_a_bare_host_gets_both_files():
    found = plan(BARE)
    assert len(found.steps) == 2 and found.values["reload"]
    assert set(found.values["blocks"]) == {limits.LIMITS_FILE, limits.MANAGER_FILE}


def test_the_second_run_has_nothing_to_do():
    found = plan(RIGHT)
    assert not found.steps and not found.notes
    assert not found.values["blocks"] and not found.values["reload"]


def test_the_limits_are_those_of_the_user():
    text = limits.limits_block("ece")
    assert "ece             soft    nproc     unlimited\n" in text and "elastic" not in text
    assert plan(RIGHT, ece_host_user="ece").values["blocks"] == {limits.LIMITS_FILE: text}


def test_what_others_have_changed_in_a_file_of_the_role_is_set_again():
    found = plan({**RIGHT, "manager": [(limits.MANAGER_FILE, "[Manager]\nDefaultLimitNOFILE=1\n")]})
    assert found.values["blocks"] == {limits.MANAGER_FILE: limits.MANAGER_BLOCK} and found.values["reload"]


OTHERS = "/etc/security/limits.d/70-cloudenterprise.conf"
OTHERS_TEXT = """# of another tool
*\t-\tnofile\t1048576   # both
*       -       memlock unlimited
elastic soft    nofile  1024000
elastic hard    nofile  unlimited
elastic -       memlock -1
elastic -       NPROC   infinity
root    -       nofile  1024000
root    soft    memlock unlimited
"""


def with_file(path, text):
    return {**RIGHT, "limits": [*BARE["limits"], (path, text)]}


def test_a_file_of_others_that_is_right_is_enough():
    assert not plan(with_file(OTHERS, OTHERS_TEXT)).steps
    assert plan(with_file(OTHERS, OTHERS_TEXT), ece_host_user="ece").steps


@pytest.mark.parametrize(
    "line",
    [
        "elastic soft nproc 4096",
        "* soft nofile 65536",
        "root hard nofile 1024",
        "elastic soft memlock x",
        "* - memlock 0",
    ],
)
def test_a_file_of_others_that_is_low_is_outranked(line):
    state = with_file(OTHERS, f"{OTHERS_TEXT}{line}\r\n")
    assert plan(state).steps == [f"set limits of users in {limits.LIMITS_FILE}"]
    # One that is read after that of this role is named, and not fought with.
    state["limits"] += [
        (limits.LIMITS_FILE, marked(limits.limits_block("elastic"))),
        ("/etc/security/limits.d/99.conf", line),
    ]
    found = plan(state)
    assert not found.steps
    where = "/etc/security/limits.d/99.conf"
    assert found.notes == [f"Limits of users that are read after {limits.LIMITS_FILE} are lower: {where}."]


def test_pam_reads_its_own_file_first(tmp_path):
    for path in ("limits.conf", "limits.d/70-b.conf", "limits.d/20-a.conf", "limits.d/x.bak"):
        (tmp_path / "etc/security/limits.d").mkdir(parents=True, exist_ok=True)
        (tmp_path / "etc/security" / path).write_text(path)
    read = [text for _path, text in limits.limits_files(str(tmp_path))]
    assert read == ["limits.conf", "limits.d/20-a.conf", "limits.d/70-b.conf"]
    assert limits.limits_files(str(tmp_path / "none")) == [("/etc/security/limits.conf", "")]


@pytest.mark.parametrize("value", ["1024000", "infinity", "2000000:2000000"])
def test_a_setting_of_others_for_systemd_is_enough(value):
    other = ("/etc/systemd/system.conf.d/50-site.conf", f"[Manager]\nDefaultLimitNOFILE={value}\n")
    found = plan({**RIGHT, "manager": [*BARE["manager"], other]})
    assert not found.steps and not found.notes and not found.values["blocks"]
    found = plan({**RIGHT, "manager": [*BARE["manager"], other], "now": 1024})
    assert found.steps == [f"let systemd read {other[0]}"]
    assert found.values["reload"] and not found.values["blocks"]


@pytest.mark.parametrize("value", ["65536", "65536:1024000", "", "many"])
def test_a_low_setting_of_others_for_systemd_is_outranked(value):
    other = ("/etc/systemd/system.conf.d/50-site.conf", f"[Manager]\nDefaultLimitNOFILE={value}\n")
    found = plan({**RIGHT, "manager": [*BARE["manager"], other], "now": 65536})
    assert list(found.values["blocks"]) == [limits.MANAGER_FILE]


def test_a_manager_that_has_not_read_its_file_reads_it():
    found = plan({**RIGHT, "now": 1024})
    assert found.values["reload"] and not found.values["blocks"] and len(found.steps) == 1


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
