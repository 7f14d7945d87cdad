# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every inventory, playbook and file of variables in README.md and docs is one that Ansible and the role understand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from tests.conftest import COLLECTIONS
from tests.docs import rules
from tests.docs.blocks import Block, all_blocks

ROLES = COLLECTIONS / "ansible_collections" / "ece" / "platform" / "roles"
LANGUAGES = {"console", "yaml", "ini", "text"}
YAML = [block for block in all_blocks() if block.language == "yaml"]


def of_kind(kind: str) -> pytest.MarkDecorator:
    """Parametrize a test with the blocks of a kind that are on no list of exceptions."""
    found = [block for block in YAML if block.kind == kind and (block.page, block.file) not in rules.FOREIGN_VARIABLES]
    return pytest.mark.parametrize("block", found, ids=[block.place for block in found])


def ansible(program: str, *arguments: str) -> str:
    """Run a program of Ansible and return its standard output."""
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
    }
    command = [str(Path(sys.executable).parent / program), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def problems(variables: dict[str, Any]) -> list[str]:
    """Return what is wrong with variables by the roles' argument_specs.yml. A template stands for any value."""
    specs = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in ROLES.glob("*/meta/argument_specs.yml")]
    entries = [entry for one in specs for entry in one["argument_specs"].values()]
    options = {name: option for entry in entries for name, option in (entry.get("options") or {}).items()}
    fields = ("type", "elements", "choices", "no_log", "required")
    spec = {name: {key: option[key] for key in fields if key in option} for name, option in options.items()}
    given = {
        name: value
        for name, value in variables.items()
        if not name.startswith("ansible_") and not (isinstance(value, str) and "{{" in value)
    }
    # An empty value means that a variable is not set.
    return list(ArgumentSpecValidator(spec).validate({k: v for k, v in given.items() if v != ""}).error_messages)


def test_each_block_has_a_language_that_says_what_is_done_with_it() -> None:
    assert not [block.place for block in all_blocks() if block.language not in LANGUAGES]


def test_each_block_of_yaml_is_known() -> None:
    assert not [block.place for block in YAML if block.kind == "other"]


@pytest.mark.parametrize("page, file", rules.FOREIGN_VARIABLES)
def test_each_exception_is_for_a_block_that_there_is(page: str, file: str) -> None:
    assert [block for block in YAML if (block.page, block.file) == (page, file)]


@of_kind("inventory")
def test_an_inventory_is_read_and_has_variables_of_the_role(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    path.write_text(block.text, encoding="utf-8")
    hosts = json.loads(ansible("ansible-inventory", "-i", str(path), "--list"))["_meta"]["hostvars"]
    assert hosts
    assert {name: found for name, variables in hosts.items() if (found := problems(variables))} == {}


@of_kind("variables")
def test_a_file_of_variables_has_variables_of_the_role(block: Block) -> None:
    assert problems(block.data) == []


@of_kind("playbook")
def test_a_playbook_is_valid(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "playbook.yml"
    path.write_text(block.text, encoding="utf-8")
    ansible("ansible-playbook", "--syntax-check", "-i", "localhost,", str(path))


@pytest.mark.parametrize(
    "variables", [{"ece_host_zoen": "a"}, {"ece_host_roles": ["allocators"]}, {"ece_host_capacity": "x"}]
)
def test_a_variable_that_the_role_does_not_have_is_found(variables: dict[str, Any]) -> None:
    assert problems(variables)
