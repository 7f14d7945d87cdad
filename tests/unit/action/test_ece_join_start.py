# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The start of an installer: with the token and the script in one round trip, or not at all."""

from __future__ import annotations

import time

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.ece.platform.plugins.action import ece_join_start
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.plugin_utils._results import (
    CHECK,
    RUNNER,
    START,
    TOKEN,
    has_failed,
    registered,
)
from tests.unit.action.conftest import plan_of

PODMAN = {"engine": {"name": "podman"}}
ENTRY = {"coordinator": "ece.example.com", "version": "3.8.0"}


@pytest.fixture
def start(bare, tmp_path):
    """Start with a token; `ran` of the function keeps what was run on the host."""

    def act(token=None, facts=None, runner=None, **variables):
        action = bare(ece_join_start, variables={"ece_host_install_timeout": 1800, **variables})
        action._find_needle = lambda folder, name: str(tmp_path / name)

        def execute(module_name, module_args, task_vars):
            act.ran.append((module_name, module_args))
            return {"changed": True}

        action._execute_module = execute
        plan = plan_of(["a"])
        plan["hosts"]["a"].update(ENTRY)
        token = {"token": "the-token", "reason": None, "latest_start": None} if token is None else token
        results = {CHECK: {"verdict": "install", "facts": facts or {}}, TOKEN: token, RUNNER: runner}
        task_vars = {"inventory_hostname": "a", **results}
        return action.act({"entry": plan["hosts"]["a"]}, task_vars)

    act.ran = []
    return act


def test_the_installer_gets_options_and_token_and_is_not_waited_for(start):
    assert start(ece_host_user="elastic", ece_host_zone="", facts=PODMAN) == {"changed": True}
    options = {
        "container_engine": "podman",
        "user": "elastic",
        "timeout": 1800,
        "coordinator_host": "ece.example.com",
        "roles": ["allocator"],
        "version": "3.8.0",
        "runner_id": "r-a",
        "token": "the-token",
        "wait": False,
    }
    assert start.ran == [("ece.platform.ece_install", options)]


def test_the_engine_of_the_inventory_comes_before_the_one_that_was_found(start):
    start(ece_host_container_engine="podman", facts={"engine": {"name": "docker"}})
    assert start.ran[0][1]["container_engine"] == "podman"


@pytest.mark.parametrize(
    ("found", "set_by_the_user", "given"),
    [("10.0.0.7", None, "10.0.0.7"), ("10.0.0.7", "10.1.0.7", "10.1.0.7"), (None, None, None)],
)
def test_the_installer_gets_the_address_that_the_check_found_unless_the_inventory_sets_one(
    start, found, set_by_the_user, given
):
    start(facts={"host_ip": found}, ece_host_ip=set_by_the_user)
    assert start.ran[0][1].get("host_ip") == given


@pytest.mark.parametrize("runner", [{"failed": True}, {"unreachable": True}])
def test_a_host_whose_stale_runner_stays_is_not_installed(start, runner):
    result = start(runner=runner)
    assert (result["changed"], result["skipped"]) == (False, True) and start.ran == []


def test_the_id_of_a_persistent_token_goes_into_the_record(start):
    start({"token": "the-token", "reason": None, "latest_start": None, "token_id": "dcc8cd5f"})
    assert start.ran[0][1]["token_id"] == "dcc8cd5f"


def test_a_debug_line_of_ansible_does_not_show_the_token(start):
    start()
    options = start.ran[0][1]
    assert options["token"] == "the-token" and "the-token" not in f"done with _execute_module ({options})"


def test_a_file_of_the_controller_is_sent_unchanged_and_takes_the_place_of_the_download(start, tmp_path):
    (tmp_path / "installer.sh").write_bytes(b"#!/bin/bash\r\n# \xc3\xa9\n\n")
    start(ece_host_installer_src="installer.sh", ece_host_installer_url="https://example.com/x")
    options = start.ran[0][1]
    assert options["installer_content"].encode() == b"#!/bin/bash\r\n# \xc3\xa9\n\n" and "installer_url" not in options


@pytest.mark.parametrize(("seconds_left", "starts"), [(60, True), (-1, False), (None, True)])
def test_an_installer_that_would_outlive_its_token_is_not_started(start, seconds_left, starts):
    latest_start = None if seconds_left is None else time.time() + seconds_left
    token = {"token": "the-token", "reason": None, "latest_start": latest_start}
    if starts:
        assert start(token) == {"changed": True}
        return
    with pytest.raises(PlatformError, match="^the token of its batch would expire .*; run this again$"):
        start(token)
    assert start.ran == []


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (
            {"token": None, "reason": "there is no token to join with: HTTP 403"},
            "^there is no token to join with: HTTP 403$",
        ),
        ({"skipped": True}, "^there is no token to join with: the step that mints it did not run$"),
    ],
)
def test_without_a_token_the_host_fails_with_the_reason(start, token, message):
    with pytest.raises(PlatformError, match=message):
        start(token)
    assert start.ran == []


@pytest.mark.parametrize("fatal", [False, True])
def test_where_any_error_is_fatal_a_connection_that_is_lost_is_withheld(bare, monkeypatch, fatal):
    def lose(arguments, task_vars):
        raise AnsibleConnectionFailure("no route")

    action = bare(ece_join_start, any_errors_fatal=fatal)
    action.act, action.validate_argument_spec = lose, lambda argument_spec: (None, {})
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp, task_vars: {})
    if not fatal:
        with pytest.raises(AnsibleConnectionFailure):
            action.run()
        return
    result = action.run()
    assert (result["withheld"], result["msg"]) == ({"failed": False, "unreachable": True}, "no route")
    assert not has_failed(result) and has_failed(registered({START: result}, START))


def test_the_end_of_a_play_in_which_any_error_is_fatal_is_withheld(start):
    result = start({"token": None, "reason": "b failed", "latest_start": None, "ends_play": True})
    assert result == {"changed": False, "msg": "b failed", "withheld": {"failed": True, "unreachable": False}}
    assert start.ran == []


def test_check_mode_has_no_token_and_needs_none(start):
    start({"token": None, "reason": None, "latest_start": None})
    assert "token" not in start.ran[0][1]


def test_no_secret_of_the_role_is_in_a_debug_line_of_ansible(start):
    secrets = {
        "ece_host_docker_registry_username": "ops",
        "ece_host_docker_registry_password": "pw-of-registry",
        "ece_host_installer_proxy": "http://ops:pw-of-proxy@proxy.example.com",
    }
    start(**secrets)
    options = start.ran[0][1]
    assert options["docker_registry_password"] == "pw-of-registry"
    shown = f"done with _execute_module ({options})"
    assert "pw-of-" not in shown and "'ops'" in shown
