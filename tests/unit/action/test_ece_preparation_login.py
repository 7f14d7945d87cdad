# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of the preparation that read secrets themselves: the login at the registry, and Docker's settings."""

from __future__ import annotations

import json

import pytest

from ansible_collections.ece.platform.plugins.action import ece_preparation_docker, ece_preparation_login
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError

PROXY = {"proxies": {"http-proxy": "http://ece:pw-of-proxy@proxy.example.com"}}


@pytest.fixture
def sent(bare):
    """What an action sends to the host, for its arguments and variables of the role."""

    def act(module, arguments, **variables):
        step, calls = bare(module, variables=variables), []

        def execute(name, module_args, task_vars):
            calls.append((name, module_args))
            return {"changed": True, "invocation": {"module_args": module_args}}

        step._execute_module = execute
        result = step.act(arguments, {})
        assert result["changed"]
        ((name, found),) = calls
        assert name == f"ece.platform.{module.__name__.rpartition('.')[2]}"
        return found, result

    return act


def test_the_login_is_read_from_the_variables(sent):
    found, _result = sent(
        ece_preparation_login,
        {"user": "elastic"},
        ece_host_docker_registry="registry.example.com",
        ece_host_docker_registry_username="ece",
        ece_host_docker_registry_password=4711,
    )
    assert found == {
        "user": "elastic",
        "docker_registry": "registry.example.com",
        "docker_registry_username": "ece",
        "docker_registry_password": "4711",
    }
    # What ANSIBLE_DEBUG prints.
    assert "4711" not in repr(found) and json.loads(json.dumps(found)) == found


def test_without_a_registry_the_module_has_its_default(sent):
    login = {"ece_host_docker_registry_username": "ece", "ece_host_docker_registry_password": "pw"}
    found, _result = sent(ece_preparation_login, {"user": "elastic"}, ece_host_docker_registry="", **login)
    assert "docker_registry" not in found


def test_a_login_that_is_not_complete_reaches_no_host(sent):
    with pytest.raises(OptionError, match="ece_host_docker_registry_password is not set"):
        sent(ece_preparation_login, {"user": "elastic"}, ece_host_docker_registry_username="ece")


@pytest.mark.parametrize("given", [PROXY, json.dumps(PROXY)], ids=["mapping", "text"])
def test_settings_of_the_user_are_merged_over_those_of_the_plan(sent, given):
    own = {"icc": False, "graph": None, "proxies": {"no-proxy": "localhost"}}
    found, result = sent(
        ece_preparation_docker, {"path": "/d.json", "settings": own}, ece_host_preparation_docker_settings=given
    )
    proxies = {"no-proxy": "localhost", **PROXY["proxies"]}
    assert found == {"path": "/d.json", "settings": {"icc": False, "graph": None, "proxies": proxies}}
    assert "pw-of-proxy" not in repr(found) and "invocation" not in result
    assert json.loads(json.dumps(found)) == found


def test_a_setting_that_is_null_takes_away_what_the_file_has(sent):
    own = {"log-driver": "json-file", "icc": False}
    found, _result = sent(
        ece_preparation_docker,
        {"path": "/d.json", "settings": own},
        ece_host_preparation_docker_settings='{"log-driver": null, "bip": "172.17.42.1/16"}',
    )
    assert found["settings"] == {"log-driver": None, "icc": False, "bip": "172.17.42.1/16"}


@pytest.mark.parametrize("given", ["", None, {}])
def test_without_settings_of_the_user_those_of_the_plan_are_sent(sent, given):
    arguments = {"path": "/d.json", "settings": {"icc": False}}
    found, _result = sent(ece_preparation_docker, arguments, ece_host_preparation_docker_settings=given)
    assert found == arguments
