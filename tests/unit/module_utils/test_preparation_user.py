# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The install user and its groups."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_user as user
from tests.unit.preparation import RHEL, UBUNTU, USER, facts, options

NO_GROUPS = {"groups": {"root": 0}, "sudoers": ""}


def plan(read=NO_GROUPS, system=UBUNTU, found=None, **given):
    return user.plan_user(facts("user", read, user=found), options(**given), system)


def test_a_bare_host_gets_groups_and_user():
    found = plan()
    assert found.steps == [
        "create group elastic",
        "create group docker",
        "create user elastic in group elastic, and in docker",
    ]
    assert found.values["missing_groups"] == ["elastic", "docker"]
    assert not found.problems


def test_the_group_is_that_of_the_engine():
    assert plan(system=RHEL).values["engine_group"] == "podman"
    assert plan(system=RHEL, ece_host_container_engine="docker").values["engine_group"] == "docker"


def test_nothing_is_done_for_a_user_that_is_right():
    assert not plan({"groups": {"docker": 999}, "sudoers": ""}, found=USER).steps


def test_a_user_with_another_primary_group_keeps_it():
    found = plan({"groups": {"docker": 999}, "sudoers": ""}, found={**USER, "gid": 1234, "groups": ["staff"]})
    assert found.steps == ["add user elastic to group docker"]
    assert found.values["missing_groups"] == []


@pytest.mark.parametrize("ids", [{"uid": 999}, {"gid": 999}, {"uid": 999, "gid": 999}])
def test_a_user_with_a_low_number_is_refused(ids):
    (problem,) = plan(found={**USER, **ids}).problems
    assert "set ece_host_user" in problem and "999" in problem


@pytest.mark.parametrize("variable", ["ece_host_preparation_uid", "ece_host_preparation_gid"])
def test_a_low_number_is_refused(variable):
    assert plan(**{variable: 999}).problems == [f"{variable} 999 is too low: use 1000 or more, or leave it out."]
    assert not plan(**{variable: 1000}).problems


def test_the_rule_for_sudo_is_written_once():
    read = {"groups": {"docker": 999}, "sudoers": ""}
    found = plan(read, found=USER, ece_host_preparation_sudo=True)
    assert found.steps == ["let user elastic run sudo without a password"]
    content = found.values["sudoers"]["content"]
    assert not plan({**read, "sudoers": content}, found=USER, ece_host_preparation_sudo=True).steps
    assert not plan(read, found=USER).steps


def test_groups_are_read_from_the_host():
    read = user.read_user({}, options(), UBUNTU)
    assert read["groups"]["root"] == 0 and isinstance(read["sudoers"], str)


def test_the_rule_for_sudo_is_there_for_selinux_unless_it_is_declined():
    read = {"groups": {"docker": 999}, "sudoers": ""}
    assert plan(read, found=USER, ece_host_selinux=True).steps == ["let user elastic run sudo without a password"]
    assert not plan(read, found=USER, ece_host_selinux=True, ece_host_preparation_sudo=False).steps
