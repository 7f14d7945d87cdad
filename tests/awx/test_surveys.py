# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The surveys: AWX accepts them, they ask for variables that exist, and blank answers outrank nothing."""

from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.ece.platform.plugins.module_utils._module import CONNECTION_SPEC
from tests.awx.files import FILES, load
from tests.awx.rules import choices_of, launched, survey_problems
from tests.integration.operator import ROOT

SURVEYS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (FILES / "surveys").glob("*.yml")}
JOIN = SURVEYS["add_allocators"]
ROLE = yaml.safe_load((ROOT / "roles" / "ece_host" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
OPTIONS = ROLE["argument_specs"]["join"]["options"]
PREPARE = SURVEYS["prepare_hosts"]
PREPARATION = yaml.safe_load((ROOT / "roles" / "ece_host_preparation" / "meta" / "argument_specs.yml").read_text())
OF_PREPARATION = PREPARATION["argument_specs"]["prepare"]["options"]
REMOVE = SURVEYS["remove_allocators"]
REMOVAL = yaml.safe_load((ROOT / "roles" / "ece_host_removal" / "meta" / "argument_specs.yml").read_text())
# The hosts are a variable of the playbook.
OF_REMOVAL = {**REMOVAL["argument_specs"]["remove"]["options"], "ece_target": {"type": "str"}}
ZONE = {"ece_host_zone": "ece-zone-2"}
every_survey = pytest.mark.parametrize("name", sorted(SURVEYS))


@every_survey
def test_awx_accepts_it(name):
    assert list(survey_problems(SURVEYS[name])) == []


@every_survey
def test_it_asks_for_no_secret(name):
    secrets = {f"ece_{option}" for option, entry in CONNECTION_SPEC.items() if entry.get("no_log")}
    secrets |= {option for option, entry in {**OPTIONS, **OF_PREPARATION}.items() if entry.get("no_log")}
    for question in SURVEYS[name]["spec"]:
        assert question["variable"] not in secrets
        assert question["type"] != "password"


@pytest.mark.parametrize(("survey", "options"), [(JOIN, OPTIONS), (PREPARE, OF_PREPARATION), (REMOVE, OF_REMOVAL)])
def test_each_question_is_a_variable_of_the_role_with_choices_that_it_takes(survey, options):
    for question in survey["spec"]:
        option = options[question["variable"]]
        if "choices" in option:
            assert choices_of(question) == option["choices"]
        if option["type"] == "bool":
            assert choices_of(question) == ["true", "false"]


def test_the_question_on_tokens_is_a_variable_of_the_playbook():
    (question,) = SURVEYS["revoke_tokens"]["spec"]
    playbook = (ROOT / "playbooks" / "revoke_tokens.yml").read_text(encoding="utf-8")
    assert re.search(rf"\b{question['variable']} \|", playbook)
    with pytest.raises(ValueError, match="ece_token_ids is missing"):
        launched(SURVEYS["revoke_tokens"], {})
    with pytest.raises(ValueError, match="too short"):
        launched(SURVEYS["revoke_tokens"], {"ece_token_ids": ""})


def test_a_launch_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="ece_host_zone is missing"):
        launched(JOIN, {})


def test_a_zone_that_is_not_offered_is_refused():
    with pytest.raises(ValueError, match="ece_host_zone is not one of the choices"):
        launched(JOIN, {"ece_host_zone": "ece-zone-9"})


def test_a_question_without_an_answer_sets_no_variable_that_would_outrank_the_inventory():
    assert launched(JOIN, ZONE) == ZONE


@pytest.mark.parametrize("variable", [question["variable"] for question in JOIN["spec"] if question["type"] == "text"])
def test_an_empty_answer_is_refused_by_awx(variable):
    with pytest.raises(ValueError, match=f"{variable} is too short"):
        launched(JOIN, {**ZONE, variable: ""})


def test_a_preparation_without_answers_sets_no_variable_so_that_nothing_is_formatted_or_rebooted():
    assert launched(PREPARE, {}) == {}


def test_a_removal_without_a_target_is_refused():
    with pytest.raises(ValueError, match="ece_target is missing"):
        launched(REMOVE, {})
    assert launched(REMOVE, {"ece_target": "host-3"}) == {"ece_target": "host-3"}


def test_all_questions_can_be_answered():
    answers = {
        **ZONE,
        "ece_host_roles": ["allocator", "proxy"],
        "ece_host_assign_roles": "false",
        "ece_host_change_joined": "true",
        "ece_host_prepare": "true",
        "ece_host_batch": "25%",
        "ece_host_installer_url": "https://mirror.example.com/elastic-cloud-enterprise.sh",
        "ece_host_installer_src": "files/elastic-cloud-enterprise.sh",
        "ece_host_installer_checksum": "sha256:" + 64 * "0",
    }
    assert set(answers) == {question["variable"] for question in JOIN["spec"]}
    assert launched(JOIN, answers) == answers


QUESTION = {"type": "text", "question_name": "Q", "variable": "q", "required": False}


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ([], "no questions"),
        ([QUESTION, QUESTION], "q is asked for twice"),
        ([{**QUESTION, "required": "false"}], "required of"),
        ([{**QUESTION, "type": "list"}], "list is not a type"),
        ([{**QUESTION, "min": "1"}], "min of q is not an integer"),
        ([{**QUESTION, "type": "integer", "default": "1"}], "the default of q is not a integer"),
        ([{**QUESTION, "type": "multiselect"}], "q has no choices"),
        ([{**QUESTION, "type": "multiplechoice", "choices": "a"}], "q has no default"),
        ([{**QUESTION, "type": "multiplechoice", "choices": "a", "default": "b"}], "is not one of its choices"),
    ],
)
def test_the_rules_find_what_awx_refuses(spec, problem):
    assert any(problem in found for found in survey_problems({"name": "n", "description": "", "spec": spec}))


# -- the other files -------------------------------------------------------------------------------------------------


def test_templates_and_workflow_name_surveys_and_templates_that_exist():
    templates = [load("job_templates", path.name) for path in (FILES / "job_templates").glob("*.yml")]
    workflow = load("workflow.yml")
    assert {content["survey"] for content in (*templates, workflow) if "survey" in content} == set(SURVEYS)
    names = {template["name"] for template in templates}
    nodes = {node["identifier"]: node for node in workflow["nodes"]}
    assert {node["job_template"] for node in nodes.values() if "job_template" in node} <= names
    assert all(set(node["success_nodes"]) <= set(nodes) for node in nodes.values())


def test_the_workflow_checks_asks_adds_and_reports():
    nodes = {node["identifier"]: node for node in load("workflow.yml")["nodes"]}
    assert nodes["check"]["success_nodes"] == ["approve"] and "approval" in nodes["approve"]
    assert nodes["approve"]["success_nodes"] == ["add"]
    assert nodes["add"]["success_nodes"] == ["report", "tokens"]


def test_each_playbook_of_a_template_is_one_of_the_collection():
    for path in (FILES / "job_templates").glob("*.yml"):
        assert (ROOT / "playbooks" / load("job_templates", path.name)["playbook"]).is_file()
