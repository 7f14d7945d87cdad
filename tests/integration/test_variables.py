# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables as inventories, surveys and command lines give them: text, numbers, empty, undefined or misspelt."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.test_bad_input import untouched
from tests.standin import StandIn

COLLECTION = Path(__file__).resolve().parents[2]
PLUGINS = Path(__file__).resolve().parent / "plugins"
DEFAULTS = COLLECTION / "roles" / "ece_host" / "defaults" / "main.yml"


def two_hosts(operator, **second):
    operator.new_host("a", "192.0.2.1")
    operator.new_host("b", "192.0.2.2").update(second)


def test_hosts_of_two_platforms_in_one_play_join_neither(any_operator):
    operator = any_operator
    with StandIn() as other:
        two_hosts(operator, ece_url=other.url, ece_ca_path=other.ca_path)
        run = operator.play()
        sentence = (
            f"host b: ece_url is ['{operator.ece.url}'] for host a and ['{other.url}'] for host b: a play has one value"
        )
        assert run.rc != 0 and sentence in run.text, run.output
        assert operator.ece.requests == [] and other.requests == []


def test_an_undefined_variable_within_the_address_is_named_and_the_environment_is_not_used(any_operator):
    operator = any_operator
    two_hosts(operator, ece_url="https://{{ ece_vip }}:12443")
    operator.environment.update(ECE_URL=operator.ece.url, ECE_CA_PATH=operator.ece.ca_path)
    run = operator.play()
    sentence = "host b: ece_url holds the variable ece_vip, which is undefined"
    assert run.rc != 0 and sentence in run.text, run.output
    assert operator.ece.requests == []


def test_an_undefined_variable_of_one_host_is_named_with_it(any_operator):
    operator = any_operator
    two_hosts(operator, ece_host_capacity="{{ rack_capacity }}")
    run = operator.play()
    sentence = "host b: ece_host_capacity holds the variable rack_capacity, which is undefined"
    assert run.rc != 0 and sentence in run.text, run.output
    assert untouched(operator)


@pytest.mark.parametrize("standin_options", [{"zones": ("1", "2", "3")}])
def test_a_zone_may_be_a_number(any_operator):
    operator = any_operator
    operator.new_host("a", "192.0.2.1", zone="2").update(ece_host_zone=2)
    run = operator.play()
    assert run.rc == 0 and operator.ece.platform.runner("192.0.2.1").zone == "2", run.output
    again = operator.play()
    assert again.rc == 0 and "1 joined, 0 new" in again.text, again.output


def test_the_answers_to_a_survey_are_text(any_operator):
    operator = any_operator
    operator.new_host("a", "192.0.2.1")
    answers = {
        "ece_host_roles": "allocator, proxy",
        "ece_host_allocator_tags": '{"ssd": "true"}',
        "ece_host_memory_settings": '{"runner": {"xms": "1G", "xmx": "1G"}}',
        "ece_host_extra_args": "--proxy-tags a:b",
        "ece_host_capacity": "16384",
        "ece_host_batch": "[1, 1]",
    }
    run = operator.play("-e", json.dumps(answers))
    assert run.rc == 0, run.output
    arguments = operator.ece.hosts["a"].last_arguments
    pairs = dict(zip(arguments, arguments[1:]))
    assert pairs["--roles"] == "allocator,proxy" and pairs["--allocator-tags"] == "ssd:true"
    assert json.loads(pairs["--memory-settings"]) == {"runner": {"xms": "1G", "xmx": "1G"}}
    assert pairs["--proxy-tags"] == "a:b" and pairs["--capacity"] == "16384"


def test_a_question_without_an_answer_does_not_erase_what_the_inventory_sets(any_operator):
    operator = any_operator
    operator.new_host("a", "192.0.2.1", zone="ece-zone-2")
    run = operator.play("-e", "ece_host_zone=")
    sentence = "host a: the extra variable ece_host_zone is empty, and takes away the value that is set for the host"
    assert run.rc != 0 and sentence in run.text, run.output
    assert operator.ece.requests == []


@pytest.mark.parametrize("empty", ["", None], ids=["text", "null"])
def test_an_empty_switch_has_its_default(any_operator, empty):
    operator = any_operator
    operator.new_host("a", "192.0.2.1").update(
        ansible_connection="noting",
        ansible_become_password="the-default-is-to-become",
        ece_host_become=empty,
        ece_host_pipelining=empty,
    )
    operator.environment.update(
        ANSIBLE_CONNECTION_PLUGINS=str(PLUGINS / "connection"),
        ANSIBLE_BECOME_PLUGINS=str(PLUGINS / "become"),
        ANSIBLE_BECOME_METHOD="noted",
        NOTES=str(operator.folder / "notes.jsonl"),
    )
    run = operator.play()
    assert run.rc == 0, run.output
    notes = [json.loads(line) for line in (operator.folder / "notes.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {note["become_password"] for note in notes} == {"the-default-is-to-become"}
    assert not any("AnsiballZ" in note["command"] for note in notes)  # pipelined, no module is a file first


@pytest.mark.parametrize("empty", ["", None], ids=["text", "null"])
def test_the_installer_of_an_empty_storage_path_lies_beside_the_default_one(any_operator, empty):
    operator = any_operator
    operator.new_host("a", "192.0.2.1").pop("ece_host_installer_path")
    show = {"ansible.builtin.debug": {"var": "ece_host_installer_path"}, "vars": {"ece_host_storage_path": empty}}
    play = {"hosts": "a", "gather_facts": False, "vars_files": [str(DEFAULTS)], "tasks": [{"name": "Show", **show}]}
    run = operator.play(playbook=operator.write("defaults.yml", [play]))
    assert '"ece_host_installer_path": "/mnt/data/elastic-cloud-enterprise.sh"' in run.output, run.output


def test_a_misspelt_variable_is_an_error_and_one_beside_the_role_a_warning(operator):
    two_hosts(operator, ece_host_availability_zone="ece-zone-2")
    run = operator.play()
    sentence = "host b: ece_host_availability_zone is not a variable of role ece_host; did you mean ece_host_zone?"
    assert run.rc != 0 and sentence in run.text and untouched(operator), run.output
    operator.hosts["b"].pop("ece_host_availability_zone")
    operator.group_vars["ece_passwd"] = "x"
    run = operator.play("--check", warnings=True)
    assert run.rc == 0 and "ece_passwd is not a variable of role ece_host: did you mean ece_password?" in run.text


def test_the_defaults_of_the_plays_modules_are_used_where_no_variable_is_set(any_operator):
    operator = any_operator
    operator.new_host("a", "192.0.2.1")
    operator.group_vars = {"ece_url": None, "ece_ca_path": None, "address": operator.ece.url}
    defaults = {"url": "{{ address }}", "ca_path": operator.ece.ca_path}
    play = {
        "hosts": "allocators",
        "gather_facts": False,
        "module_defaults": {"group/ece.platform.ece": defaults},
        "roles": ["ece.platform.ece_host"],
    }
    run = operator.play(playbook=operator.write("own.yml", [play]))
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.1"], run.output


def test_a_relative_path_of_the_installer_is_found_beside_the_inventory(operator):
    variables = operator.new_host("a", "192.0.2.1")
    shutil.copy(variables["ece_host_installer_src"], operator.folder / "ece.sh")
    variables["ece_host_installer_src"] = "ece.sh"
    run = operator.play()
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.1"], run.output


def test_a_role_from_an_extra_variable_changes_joined_hosts_only_if_a_variable_says_so(operator):
    operator.ece.platform.add_runner("192.0.2.9")
    operator.hosts["there"] = {"ansible_host": "192.0.2.9", "ansible_connection": "local"}
    roles = ("-e", '{"ece_host_roles": ["allocator", "proxy"]}')
    run = operator.play(*roles)
    sentence = "1 joined host (there) would get the role proxy, as ece_host_roles is an extra variable: set "
    assert run.rc != 0 and sentence + "ece_host_assign_roles to true" in run.text, run.output
    assert operator.ece.mutations == []
    run = operator.play(*roles, "-e", "ece_host_assign_roles=no", warnings=True)
    assert run.rc == 0 and "1 joined, 0 new" in run.text and operator.ece.mutations == [], run.output
    run = operator.play(*roles, "-e", "ece_host_assign_roles=yes")
    assert run.rc == 0 and set(operator.ece.platform.runner("192.0.2.9").roles) >= {"allocator", "proxy"}, run.output
