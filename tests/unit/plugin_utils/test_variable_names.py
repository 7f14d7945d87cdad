# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unknown variables that look like the role's are named with the one that is meant."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.plugin_utils._inventory import VARIABLES
from ansible_collections.ece.platform.plugins.plugin_utils._variable_names import (
    PREPARATION,
    VariableNames,
    check_names,
)
from ansible_collections.ece.platform.plugins.plugin_utils._variable_types import role_spec


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ece_host_availability_zone", "ece_host_zone"),
        ("ece_host_zonee", "ece_host_zone"),
        ("ece_host_rolse", "ece_host_roles"),
        ("ece_host_runnerid", "ece_host_runner_id"),
        ("ece_host_tags", "ece_host_allocator_tags"),
        ("ece_host_heap_memory_settings", "ece_host_memory_settings"),
        ("ece_host_host_ip", "ece_host_ip"),
        ("ece_host_install_url", "ece_host_installer_url"),
        ("ece_host_replace", "ece_host_replace_stale"),
        # The variables of the connection have another prefix.
        ("ece_host_url", "ece_url"),
        ("ece_host_urls", "ece_url"),
        ("ece_host_username", "ece_username"),
        ("ece_host_password", "ece_password"),
        ("ece_host_validate_cert", "ece_validate_certs"),
    ],
)
def test_an_unknown_variable_of_the_role_is_an_error_with_the_nearest_one(name, meant):
    with pytest.raises(OptionError) as error:
        VariableNames().check({"ece_host_zone", name})
    assert str(error.value) == f"{name} is not a variable of role ece_host; did you mean {meant}?"


@pytest.mark.parametrize("name", ["ece_host_qqqq", "ece_host_info", "ece_host_facts"])
def test_a_name_like_no_variable_of_the_role_may_be_another_roles_or_a_registered_result(name):
    names = VariableNames()
    names.check({name})
    assert names.warnings == [
        f"{name} is not a variable of role ece_host; `ansible-doc -t role ece.platform.ece_host` lists them"
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("ece_target", "ece_host", "ece_version", "ece_vip", "ece_host_4711", "eceland", "ansible_host"),
        *("ece_host_preparation", "ece_host_preparation_4711", "ece_host_removal_force", "__ece_host_plan"),
    ],
)
def test_variables_of_users_and_of_other_roles_are_theirs(name):
    names = VariableNames()
    names.check({name, *role_spec()})
    assert names.warnings == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ece_user", "ece_username"),
        ("ece_passwd", "ece_password"),
        ("ece_urls", "ece_url"),
        ("ece_zone", "ece_host_zone"),
        # With a typing error too, or by the name of the installer's argument.
        ("ece_zonee", "ece_host_zone"),
        ("ece_rolse", "ece_host_roles"),
        ("ece_role", "ece_host_roles"),
        ("ece_hosts_zone", "ece_host_zone"),
        ("ece_availability_zone", "ece_host_zone"),
        ("ece_availabilty_zone", "ece_host_zone"),
        ("ece_docker_host", "ece_host_docker_socket"),
        ("ece_memory_setings", "ece_host_memory_settings"),
    ],
)
def test_a_variable_that_is_nearly_known_is_one_warning_for_all_hosts(name, meant):
    names = VariableNames()
    names.check({name})
    names.check({name})
    assert names.warnings == [f"{name} is not a variable of role ece_host: did you mean {meant}?"]


@pytest.mark.parametrize(
    "name", ["ece_vip", "ece_admin_user", "ece_domain", "ece_backup_roles", "ece_lb_ip", "ece_hosts"]
)
def test_a_name_that_shares_a_word_with_a_variable_of_the_role_is_the_users(name):
    names = VariableNames()
    names.check({name})
    assert names.warnings == []


# -- the preparation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ece_host_preparation_devise", "ece_host_preparation_device"),
        ("ece_host_preparation_disk_device", "ece_host_preparation_device"),
        ("ece_host_prepare_device", "ece_host_preparation_device"),
        ("ece_host_preperation_swap_mb", "ece_host_preparation_swap_mb"),
        ("ece_host_swap_mb", "ece_host_preparation_swap_mb"),
        ("ece_host_prepares", "ece_host_prepare"),
    ],
)
def test_a_variable_that_is_nearly_one_of_the_preparation_is_refused_with_that(name, meant):
    with pytest.raises(OptionError, match=rf"; did you mean {meant}\?"):
        VariableNames().check({name})


def test_another_one_of_the_preparation_is_a_warning():
    names = VariableNames()
    names.check({"ece_host_preparation_colour"})
    (warning,) = names.warnings
    assert warning.startswith("ece_host_preparation_colour is not a variable of role ece_host_preparation;")


# -- Elastic's role --------------------------------------------------------------------------------------------------


def old_names_of(variables, role="ece_host", prepares=False):
    names = VariableNames(role)
    names.check(variables, prepares=prepares)
    return names.warnings


def test_variables_of_elastics_role_are_one_warning_with_ours():
    (warning,) = old_names_of({"force_xfc": True, "device_name": "sdb", "capacity": 1}, role=PREPARATION)
    assert warning == (
        "variables of Elastic's role are set, which this collection does not read: set ece_host_capacity in place of "
        "capacity, ece_host_preparation_device in place of device_name, ece_host_preparation_format in place of "
        "force_xfc, or remove them"
    )


def test_a_join_that_prepares_no_host_does_not_ask_for_variables_of_the_preparation():
    variables = {"force_xfc": True, "device_name": "sdb"}
    assert old_names_of(variables) == [] and len(old_names_of(variables, prepares=True)) == 1


@pytest.mark.parametrize(
    "variables",
    [
        {"capacity": 7, "memory": "much"},
        {"elastic_uid": 1234, "ece_host_preparation_uid": 1234},
        {"availability_zone": "eu-1a", "device_name": "sdb"},
    ],
)
def test_names_that_may_be_the_users_own_and_those_beside_ours_are_theirs(variables):
    assert old_names_of(variables, role=PREPARATION) == []


def test_a_default_of_ours_is_no_value_that_the_user_has_set():
    default = {"force_xfc": True, "ece_host_preparation_format": False}
    assert len(old_names_of(default, role=PREPARATION)) == 1
    assert old_names_of({**default, "ece_host_preparation_format": True}, role=PREPARATION) == []


def test_variables_of_the_inventory_plugin_are_no_mistake_on_its_hosts_and_one_of_them_alone_is():
    names = VariableNames()
    names.check({*VARIABLES, "ansible_host"})
    assert names.warnings == []
    names.check({"ece_zone"})
    assert names.warnings == ["ece_zone is not a variable of role ece_host: did you mean ece_host_zone?"]


# -- names of a playbook or a role that checks its own alone ---------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ece_it_paths", "did you mean ece_it_path?"),
        ("ece_it_mod", "did you mean ece_it_mode?"),
        ("ece_it_", "use one of ece_it_mode, ece_it_path"),
        # Only the ends are compared: what all begin with makes nothing similar.
        ("ece_it_xyz", "use one of ece_it_mode, ece_it_path"),
        ("ece_it_1a", "use one of ece_it_mode, ece_it_path"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_name_that_is_meant(name, hint):
    known = ("ece_it_path", "ece_it_mode", "ece_host_ip")
    with pytest.raises(OptionError) as error:
        check_names(["ece_it_path", name], "ece_it_", known, "playbook it")
    assert str(error.value) == f"{name} is not a variable of playbook it; {hint}"


def test_names_of_others_and_statistics_of_awx_are_no_error():
    check_names(["ece_it_mode", "ece_it_42", "ece_host_zone", "ece_it", "other"], "ece_it_", ["ece_it_mode"], "it")
