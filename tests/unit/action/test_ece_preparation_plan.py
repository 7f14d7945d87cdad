# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a preparation: on the controller, and on the host."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest
from ansible import template
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.ece.platform.plugins.action import ece_preparation_plan as action
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.modules import ece_preparation_plan as module
from ansible_collections.ece.platform.plugins.plugin_utils._preparation_options import (
    ROLE,
    preparation_options,
    tagged_skip,
    task_values,
)
from ansible_collections.ece.platform.plugins.plugin_utils._variable_types import role_defaults, role_spec
from tests.unit.preparation import SYSTEMS, UBUNTU, options

PARTS = role_spec(ROLE)["ece_host_preparation_skip"]["choices"]
trusted = getattr(template, "trust_as_template", str)


@pytest.fixture
def extra(monkeypatch):
    """Extra variables of the run, and what those that are empty take away from the host."""
    given, hidden = {}, {}
    every = SimpleNamespace(extra=given, of=lambda _name: SimpleNamespace(hidden=hidden))
    monkeypatch.setattr(action, "HostVariables", lambda *_given: every)
    return given, hidden


@pytest.fixture
def sent(bare, extra):
    """What the action sends to the host for variables of the role."""

    def act(**variables):
        step, calls = bare(action, variables=variables), []

        def execute(name, module_args, task_vars):
            calls.append(module_args)
            return {"changed": False, "ansible_facts": {"x": 1}, "add_host": {}, "invocation": module_args}

        step._execute_module = execute
        result = step.act({"systems": {}, "again": False, "rebooted": False}, {"inventory_hostname": "own"})
        assert result.pop("planned_at") > 0
        # The few that tasks read.
        assert result.pop("options") == {"packages_timeout": 600, "reboot": False, "reboot_timeout": 900}
        assert result == {"changed": False, "ansible_facts": {}, "warnings": []}
        (call,) = calls
        assert abs(call["variables"].pop("controller_time") - time.time()) < 60
        found, defaults = call["variables"], options()
        assert defaults.keys() <= found.keys() and found["ece_host_preparation_skip"] == []
        return {name: value for name, value in found.items() if defaults.get(name) != value}

    return act


@pytest.fixture
def read(bare):
    """What the action reads of these variables."""
    return lambda **variables: preparation_options(bare(action, variables=variables).own_variables({}), {})


def test_variables_of_the_other_role_have_its_defaults(read):
    found = read(ece_host_user="ece")
    assert found["ece_host_user"] == "ece" and found["ece_host_storage_path"] == "/mnt/data/elastic"


def as_in_the_play(**variables):
    """Return variables with the role's defaults below them, as Ansible has them."""
    own = {name: default for name, default in role_defaults(ROLE).items() if name.startswith(ROLE)}
    return {name: trusted(value) if isinstance(value, str) else value for name, value in {**own, **variables}.items()}


@pytest.mark.parametrize("empty", ["", None, "{{ '' }}"])
@pytest.mark.parametrize("name", [*role_spec(ROLE), "all"])
def test_a_variable_that_is_empty_is_not_set(read, name, empty):
    given = dict.fromkeys(role_spec(ROLE) if name == "all" else [name], empty)
    assert read(**as_in_the_play(**given)) == options()


def test_defaults_are_made_of_the_values_that_count(read):
    mirror = "ece_host_preparation_docker_repository_url"
    found = read(
        **as_in_the_play(ece_host_storage_path="/data/ece", ece_host_preparation_mount_path="", **{mirror: "https://m"})
    )
    assert found == options(
        ece_host_storage_path="/data/ece",
        ece_host_preparation_mount_path="/data",
        ece_host_preparation_engine_path="/data/docker",
        ece_host_preparation_docker_repository_url="https://m",
        ece_host_preparation_docker_repository_key_url="https://m/ubuntu/gpg",
    )


def test_paths_are_compared_without_slashes_at_their_end(read):
    found = read(ece_host_preparation_mount_path="/mnt/data/", ece_host_preparation_swap_path="//swap//file/")
    assert found["ece_host_preparation_mount_path"] == "/mnt/data"
    assert found["ece_host_preparation_swap_path"] == "/swap/file"
    assert found["ece_host_preparation_engine_path"] == "/mnt/data/docker"


def test_half_a_login_is_not_looked_at_where_its_part_is_left_out_by_a_tag(bare):
    variables = bare(action, variables={"ece_host_docker_registry_username": "puller"}).own_variables({})
    with pytest.raises(OptionError, match="ece_host_docker_registry_password"):
        preparation_options(variables, {"ansible_run_tags": ["all"]})
    assert "registry" in preparation_options(variables, {"ansible_run_tags": ["user"]})["ece_host_preparation_skip"]


def test_a_template_of_the_user_may_name_a_variable_that_is_not_set(read):
    found = read(**as_in_the_play(ece_host_preparation_device="/dev/by-role/{{ ece_host_roles[0] }}"))
    assert found["ece_host_preparation_device"] == "/dev/by-role/allocator"


@pytest.mark.parametrize("path", ["/mnt/data/elastic", "/mnt/data/elastic/", "/mnt/data//elastic//"])
def test_a_slash_at_the_end_of_the_storage_path_does_not_move_the_disk(read, path):
    found = read(**as_in_the_play(ece_host_storage_path=path))
    assert found["ece_host_preparation_mount_path"] == "/mnt/data"


def test_what_tasks_read_is_converted(read):
    given = read(ece_host_preparation_reboot="yes", ece_host_preparation_packages_timeout="60")
    assert task_values(given) == {"packages_timeout": 60, "reboot": True, "reboot_timeout": 900}


def test_variables_are_sent_as_their_types(sent):
    found = sent(
        ece_host_preparation_format="yes", ece_host_preparation_swap_mb="512", ece_host_roles="allocator,proxy"
    )
    assert found == {
        "ece_host_preparation_format": True,
        "ece_host_preparation_swap_mb": 512,
        "ece_host_roles": ["allocator", "proxy"],
    }


def test_settings_that_may_hold_a_password_have_no_repr(sent):
    proxy = {"proxies": {"http-proxy": "http://ece:pw-of-proxy@proxy.example.com"}, "debug": True, "dns": ["1.1.1.1"]}
    found = sent(ece_host_preparation_docker_settings=json.dumps(proxy))["ece_host_preparation_docker_settings"]
    assert found == proxy and json.loads(json.dumps(found)) == proxy
    assert "pw-of-proxy" not in repr(found) and "proxy.example.com" not in repr(found)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"username": "ece"}, "password"),
        ({"username": "ece", "password": ""}, "password"),
        ({"password": "pw-of-registry"}, "username"),
    ],
)
def test_a_login_that_is_not_complete_is_refused_before_anything_is_changed(sent, given, missing):
    login = {f"ece_host_docker_registry_{name}": value for name, value in given.items()}
    with pytest.raises(OptionError) as raised:
        sent(**login)
    sentence = f"ece_host_docker_registry_{missing} is not set: a login at the registry needs user name and password"
    assert str(raised.value) == sentence


def test_a_login_that_nothing_writes_may_be_incomplete(read):
    assert read(ece_host_docker_registry_username="ece", ece_host_preparation_skip=["registry"])


def test_the_password_stays_on_the_controller(sent):
    assert sent(ece_host_docker_registry_password="pw", ece_host_docker_registry_username="ece") == {
        "ece_host_docker_registry_username": "ece"
    }


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ece_host_preparation_swap_mb": "1G"}, "ece_host_preparation_swap_mb '1G' is not a whole number"),
        ({"ece_host_preparation_swap_mb": -1}, "ece_host_preparation_swap_mb -1 is negative: use 0 or more"),
        ({"ece_host_preparation_format": "maybe"}, "ece_host_preparation_format 'maybe' is not true or false"),
        (
            {"ece_host_preparation_device": "sdb"},
            "ece_host_preparation_device 'sdb' is not an absolute path on the host",
        ),
        (
            {"ece_host_preparation_firewalld": "off"},
            "ece_host_preparation_firewalld 'off' is unknown: use opened, stopped",
        ),
        (
            {"ece_host_roles": ["allocater"]},
            "ece_host_roles 'allocater' is unknown: use allocator, coordinator, director, proxy",
        ),
        ({"ece_host_preparation_sysctls": [1]}, "ece_host_preparation_sysctls [1] is not a mapping"),
        ({"ece_host_docker_registry_password": ["pw"]}, "ece_host_docker_registry_password (hidden) is not a text"),
    ],
)
def test_a_value_that_cannot_work_is_refused_before_the_host_is_asked(sent, variables, sentence):
    with pytest.raises(OptionError) as raised:
        sent(**variables)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("run_tags", "skip_tags", "skipped"),
    [
        (["all"], [], []),
        (["all"], ["limits"], ["limits"]),
        (["mine"], [], []),
        (["user", "limits"], [], [part for part in PARTS if part not in ("user", "limits")]),
    ],
)
def test_parts_that_tags_leave_out_are_skipped(run_tags, skip_tags, skipped):
    assert tagged_skip({"ansible_run_tags": run_tags, "ansible_skip_tags": skip_tags}) == skipped


def test_an_empty_extra_variable_that_takes_a_value_away_is_refused(sent, extra):
    given, hidden = extra
    given["ece_host_preparation_mount_path"] = ""
    hidden.update(ece_host_preparation_swap_path="/swapfile", ece_host_connect_timeout=600)
    assert sent() == {}
    hidden["ece_host_preparation_mount_path"] = "/data"
    with pytest.raises(OptionError) as raised:
        sent()
    assert str(raised.value).startswith("the extra variable ece_host_preparation_mount_path is empty, and takes away")


def test_what_the_task_sets_is_no_value_of_the_user(bare, extra):
    given, hidden = extra
    given["ece_host_preparation_skip"] = ""
    hidden["ece_host_preparation_skip"] = ["swap"]
    step = bare(action)
    step._task.vars = {"ece_host_preparation_skip": ["swap"]}
    step._check_hidden({"inventory_hostname": "own"})
    step._task.vars = {}
    with pytest.raises(OptionError, match="ece_host_preparation_skip is empty"):
        step._check_hidden({"inventory_hostname": "own"})
    # The plan of a join has looked at it.
    step._check_hidden({"__ece_host_preparation_joins": True})


def test_a_host_that_cannot_be_reached_stays_in_the_line_with_nothing_to_do(bare, extra):
    step = bare(action)

    def fail(*_arguments, **_keywords):
        raise AnsibleConnectionFailure("no route")

    step._execute_module = fail
    result = step.act({"systems": {}, "again": False, "rebooted": False}, {})
    assert result["todo"] == [] and result["withheld"]["unreachable"] and not result.get("unreachable")


# -- on the host -------------------------------------------------------------------------------------------------------


@pytest.fixture
def plan(run_module, monkeypatch):
    """The module on a host with these facts."""

    def run(systems=SYSTEMS, found=None, **given):
        facts = {
            "os": {"matrix_name": "Ubuntu-22.04"},
            "ece_containers": [],
            "installer_running": False,
            **(found or {}),
        }
        monkeypatch.setattr(module, "gather", lambda _options: dict(facts))
        monkeypatch.setattr(module, "read_parts", lambda *_given: {})
        monkeypatch.setattr(module, "check_host", lambda _facts, _options, parts: ([f"Without {parts}."], ["w"]))
        monkeypatch.setattr(
            module,
            "plan_parts",
            lambda _facts, variables, system: {
                "todo": ["limits"],
                "to_reboot": ["selinux"],
                "parts": {"seen": {"system": system}},
                "problems": variables.get("problems", []),
                "reboot": [],
                "notes": [],
            },
        )
        return run_module(module, connection={}, systems=systems, variables=options(**given))

    return run


def test_the_parts_get_the_row_of_the_system(plan):
    result = plan()
    assert result["parts"] == {"seen": {"system": UBUNTU}} and result["left_alone"] == "" and not result["changed"]


def test_what_is_to_do_waits_for_a_reboot_or_is_skipped_is_not_judged_yet(plan):
    result = plan(ece_host_preparation_skip=["swap"])
    assert result["host_problems"] == ["Without ['limits', 'selinux', 'swap']."] and "to_reboot" not in result


def test_settings_that_may_hold_a_password_are_in_no_result(plan):
    proxies = {"http-proxy": "http://ece:pw-of-proxy@proxy.example.com"}
    assert "pw-of-proxy" not in str(plan(ece_host_preparation_docker_settings={"proxies": proxies}))


def test_a_host_with_ece_has_no_parts(plan):
    result = plan(found={"ece_containers": ["frc-runners-runner"]})
    assert result["parts"] == {} and result["todo"] == [] and "frc-runners-runner" in result["left_alone"]


def test_an_unknown_system_is_named(plan):
    result = plan(found={"os": {"matrix_name": "Debian GNU/Linux-12"}})
    assert result["failed"] and result["msg"].startswith(
        "This role does not know Debian GNU/Linux-12: it prepares RHEL-10"
    )


def test_all_problems_are_said_at_once(plan):
    result = plan(problems=["First.", "Second."])
    assert result["failed"] and result["msg"] == "First. Second." and result["problems"] == ["First.", "Second."]


def test_a_host_that_cannot_be_read_is_an_error_in_one_sentence(run_module, monkeypatch):
    def fail(_options):
        raise PermissionError(13, "Permission denied", "/var/lib/ece-install")

    monkeypatch.setattr(module, "gather", fail)
    result = run_module(module, connection={}, systems=SYSTEMS, variables=options())
    assert result["failed"] and "/var/lib/ece-install" in result["msg"]


def test_facts_are_gathered_with_the_roles_variables():
    found = module.fact_options(options(ece_host_storage_path="/data/ece", ece_host_selinux=True))
    assert found["storage_path"] == "/data/ece" and found["selinux"] is True and found["user"] == "elastic"
    assert found["skip_checks"] == ["network"] and found["controller_time"] is None
