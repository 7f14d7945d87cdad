# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The install user and its groups."""

from __future__ import annotations

import grp
import os
import pwd
from types import SimpleNamespace

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_user as user
from tests.unit.preparation import RHEL, UBUNTU, USER, facts, options

NOTHING = {"uid_of": "", "gid_of": "", "sudoers": ["", ""], "with_groups": False}
NO_GROUPS = {**NOTHING, "groups": {}}
DOCKER = {**NOTHING, "groups": {"docker": 999}}


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
    assert found.values["primary_group"] == "elastic"
    assert not found.problems


WITH_GROUPS = {**NO_GROUPS, "with_groups": True}


@pytest.mark.parametrize(
    ("read", "given", "created"),
    [
        (WITH_GROUPS, {}, ["docker"]),
        ({**WITH_GROUPS, "groups": {"elastic": 1234}}, {}, ["docker"]),
        (WITH_GROUPS, {"ece_host_preparation_gid": 1234}, ["elastic", "docker"]),
        (WITH_GROUPS, {"ece_host_user": "ece"}, ["elastic", "docker"]),
    ],
)
def test_a_group_that_comes_with_the_user_is_not_created_before(read, given, created):
    found = plan(read, **given)
    assert found.values["missing_groups"] == created
    comes_with_user = "elastic" not in [*created, *read["groups"]]
    assert found.values["primary_group"] == (None if comes_with_user else "elastic")
    assert ("create group elastic" in found.steps) == ("elastic" not in read["groups"])


@pytest.mark.parametrize(
    ("text", "with_groups"),
    [("UMASK 022\nUSERGROUPS_ENAB yes\n", True), ("USERGROUPS_ENAB no\n", False), ("# USERGROUPS_ENAB yes\n", False)],
)
def test_whether_useradd_creates_a_group(text, with_groups, monkeypatch, tmp_path):
    path = tmp_path / "login.defs"
    path.write_text(text)
    monkeypatch.setattr(user, "LOGIN_DEFS", str(path))
    assert user.read_user({}, options(), UBUNTU)["with_groups"] is with_groups


def test_the_group_is_that_of_the_engine():
    assert plan(system=RHEL).values["engine_group"] == "podman"
    assert plan(system=RHEL, ece_host_container_engine="docker").values["engine_group"] == "docker"


def test_nothing_is_done_for_a_user_that_is_right():
    assert not plan(DOCKER, found=USER).steps


def test_a_user_with_another_primary_group_keeps_it():
    found = plan(DOCKER, found={**USER, "gid": 1234, "groups": ["staff"]})
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


def test_a_group_with_a_low_number_is_refused_for_a_new_user():
    groups = {"docker": 998, "elastic": 998}
    (problem,) = plan({**NOTHING, "groups": groups}).problems
    assert problem == (
        "Group elastic has GID 998, and the installer needs 1000 or more: give the group another GID, or set "
        "ece_host_user to a user that exists and has another primary group."
    )
    assert not plan({**NOTHING, "groups": groups}, found=USER).problems
    assert not plan({**NOTHING, "groups": {**groups, "elastic": 1000}}).problems


@pytest.mark.parametrize(("variable", "kind", "key"), [("uid", "user", "uid_of"), ("gid", "group", "gid_of")])
def test_a_number_that_is_taken_is_refused_if_it_is_used(variable, kind, key):
    given = {f"ece_host_preparation_{variable}": 1000}
    taken = {**NO_GROUPS, key: "ops"}
    assert plan(taken, **given).problems == [
        f"ece_host_preparation_{variable} 1000 is the ID of {kind} ops: use another one, or leave it out."
    ]
    assert not plan(taken, found=USER, **given).problems, "the user is there"
    assert not plan(NO_GROUPS, **given).problems


def test_the_number_of_a_group_that_exists_is_not_used():
    found = plan({**NOTHING, "groups": {"elastic": 1000}, "gid_of": "elastic"}, ece_host_preparation_gid=1000)
    assert not found.problems


def test_the_rule_for_sudo_is_written_once_and_in_a_file_of_its_own():
    found = plan(DOCKER, found=USER, ece_host_preparation_sudo=True)
    assert found.steps == ["let user elastic run sudo without a password"]
    assert found.values["sudoers"]["path"] == "/etc/sudoers.d/70-ece"
    content = found.values["sudoers"]["content"]
    for texts in ([content, ""], ["", content]):
        assert not plan({**DOCKER, "sudoers": texts}, found=USER, ece_host_preparation_sudo=True).steps
    assert not plan(DOCKER, found=USER).steps


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("ops ALL=(ALL) NOPASSWD:ALL\nelastic   ALL = ( ALL )\tNOPASSWD: ALL  # ECE\n", True),
        ("  elastic ALL=(ALL:ALL) NOPASSWD:ALL", True),
        ("", False),
        ("#elastic ALL=(ALL) NOPASSWD:ALL\n", False),
        ("elastic2 ALL=(ALL) NOPASSWD:ALL\n", False),
        ("elastic ALL=(ALL) ALL\n", False),
        ("elastic ALL=(root) NOPASSWD:ALL\n", False),
        ("elastic ALL=(ALL) NOPASSWD:ALL, !/bin/su\n", False),
        ("elastic ALL=(ALL) NOPASSWD:ALL\nelastic ALL=(ALL) ALL\n", False),
    ],
)
def test_a_rule_with_other_blanks_is_the_same(text, has):
    assert user.has_sudo(text, "elastic") is has


def test_a_rule_that_outranks_that_of_the_role_is_named():
    read = {**DOCKER, "sudoers": ["elastic ALL=(ALL) ALL\n", user.sudoers_line("elastic")]}
    found = plan(read, found=USER, ece_host_preparation_sudo=True)
    assert not found.steps and "sudoers" not in found.values
    assert found.problems == [
        "/etc/sudoers.d/99-ece-users has 'elastic ALL=(ALL) ALL', which outranks the rule of this role and asks user "
        "elastic for a password: remove it, or set ece_host_preparation_sudo to false."
    ]
    assert not plan(read, found=USER).problems


@pytest.mark.parametrize("rule", ["ops ALL=(ALL) ALL", "elastic ALL=(root) NOPASSWD: /usr/bin/docker"])
def test_a_rule_that_asks_the_user_for_no_password_is_left_beside_that_of_the_role(rule):
    found = plan({**DOCKER, "sudoers": [rule + "\n", ""]}, found=USER, ece_host_preparation_sudo=True)
    assert found.values["sudoers"]["path"] == user.SUDOERS and not found.problems


def test_groups_and_numbers_are_read_from_the_host():
    mine, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(os.getegid())
    given = options(ece_host_preparation_uid=mine.pw_uid, ece_host_preparation_gid=group.gr_gid)
    read = user.read_user({}, given, UBUNTU)
    assert (read["uid_of"], read["gid_of"]) == (mine.pw_name, group.gr_name)
    assert [type(text) for text in read["sudoers"]] == [str, str]
    read = user.read_user({}, options(ece_host_preparation_uid=2**70, ece_host_preparation_gid=2**70), UBUNTU)
    assert (read["uid_of"], read["gid_of"]) == ("", "")


def test_a_group_that_no_list_has_is_found_by_its_name(monkeypatch):
    def by_name(name):
        if name != "docker":
            raise KeyError(name)
        return SimpleNamespace(gr_gid=4711)

    monkeypatch.setattr(grp, "getgrall", list)
    monkeypatch.setattr(grp, "getgrnam", by_name)
    assert user.read_user({}, options(), UBUNTU)["groups"] == {"docker": 4711}


def test_the_rule_for_sudo_is_there_for_selinux_unless_it_is_declined():
    assert plan(DOCKER, found=USER, ece_host_selinux=True).steps == ["let user elastic run sudo without a password"]
    assert not plan(DOCKER, found=USER, ece_host_selinux=True, ece_host_preparation_sudo=False).steps
