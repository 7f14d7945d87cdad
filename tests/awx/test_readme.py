# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the README of extensions/awx says of files and variables is what files and playbook have."""

from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.ece.platform.plugins.plugin_utils import _awx_objects
from tests.awx.files import FILES, load
from tests.docs.blocks import blocks_of
from tests.integration.operator import ROOT

README = (FILES / "README.md").read_text(encoding="utf-8")
BLOCKS = blocks_of(FILES / "README.md")
QUESTIONS = [question["variable"] for question in load("surveys", "add_allocators.yml")["spec"]]
VARIABLES = {*_awx_objects.VARIABLES, *_awx_objects.LOGIN}


class _Vaulted(yaml.SafeLoader):
    """Reads an encrypted text as the text that it is."""


_Vaulted.add_constructor("!vault", _Vaulted.construct_yaml_str)


def block_with(text):
    """Return the only block of YAML that has this text."""
    (found,) = [block for block in BLOCKS if block.language == "yaml" and text in block.text]
    return yaml.load(found.text, Loader=_Vaulted)


def first_column(header):
    """Return the first cells of the table that has this header."""
    (rows,) = re.findall(rf"^{re.escape(header)}\n\|[-|]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    return [row.split(" | ")[0].removeprefix("| ") for row in rows.splitlines()]


def test_each_block_is_one_that_a_test_reads():
    assert [(block.language, block.text.split()[0]) for block in BLOCKS] == [
        ("yaml", "ece_awx_project_url:"),
        ("console", "$"),
        ("yaml", "ece_awx_survey:"),
    ]


def test_the_table_of_files_has_them_all_with_the_names_of_their_objects():
    listed = [cell.strip("`") for cell in first_column("| file | object |")]
    files = {path.relative_to(FILES).as_posix() for path in FILES.rglob("*.yml")}
    assert set(listed) == {*(name for name in files if not name.startswith("surveys/")), "surveys/"}
    for name in listed:
        if name.startswith(("job_templates/", "workflow")):
            assert f'| `{name}` | "{load(*name.split("/"))["name"]}"' in README


def test_the_table_of_variables_has_those_of_the_playbook_as_its_header_does():
    listed = re.findall(r"`([a-z_]+)`", " ".join(first_column("| variable | type | default | meaning |")))
    assert len(listed) == len(set(listed)) and set(listed) == VARIABLES
    header = (ROOT / "playbooks" / "awx_setup.yml").read_text(encoding="utf-8").split("\n\n- name")[0]
    described = re.findall(r"^#   (ece_[a-z_]+)(?:, (ece_[a-z_]+))?  ", header, re.MULTILINE)
    assert {name for names in described for name in names if name} == VARIABLES


def test_the_example_of_variables_makes_all_objects(tmp_path):
    given = block_with("ece_awx_project_url")
    assert set(given) <= VARIABLES
    (tmp_path / "ca.pem").touch()
    assert _awx_objects.gives_login({**given, "ece_ca_path": str(tmp_path / "ca.pem")})
    objects = _awx_objects.objects_of(_awx_objects.read(FILES), given)
    assert objects["project"]["scm_url"] == given["ece_awx_project_url"]
    assert objects["execution_environment"]["name"] == given["ece_awx_execution_environment"]


def test_the_survey_for_an_inventory_with_zones_has_all_other_questions():
    given = block_with("ece_awx_survey")
    assert given == {"ece_awx_survey": [name for name in QUESTIONS if name != "ece_host_zone"]}
    _awx_objects.objects_of(_awx_objects.read(FILES), given)


def test_the_commands_run_the_playbook_with_the_example_of_variables():
    (console,) = [block for block in BLOCKS if block.language == "console"]
    runs = re.findall(r"^\$ (ansible-playbook .*)$", console.text, re.MULTILINE)
    assert runs == [
        "ansible-playbook ece.platform.awx_setup -e @my_awx.yml --ask-vault-pass --check",
        "ansible-playbook ece.platform.awx_setup -e @my_awx.yml --ask-vault-pass",
    ]
    for name in set(re.findall(r"CONTROLLER_[A-Z_]+", console.text)):
        assert name in (FILES.parents[1] / "plugins" / "plugin_utils" / "_awx_objects.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("node", load("workflow.yml")["nodes"], ids=lambda node: node["identifier"])
def test_each_node_of_the_workflow_is_described(node):
    assert f"\n- **{node['identifier']}** " in README
    timeout = node.get("approval", {}).get("timeout")
    assert timeout is None or f"`timeout: {timeout}`" in README
