# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbook awx_setup, with the modules of awx.awx: what it creates, that it does so once, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.awx.conftest import CORES, PLAYBOOKS, Administrator, login_to
from tests.awx.fake_awx import TOKEN, FakeAwx
from tests.awx.files import load
from tests.awx.rules import choices_of
from tests.integration.operator import Run

PASSWORD = "s3cret-of-the-platform"
ZONES = ["ece-zone-1", "ece-zone-2"]
LOGIN = {"ece_url": ["https://a.example.com:12443", "https://b.example.com:12443"], "ece_username": "admin"}
PROJECT = {"ece_awx_project_url": "https://git.example.com/ece.git"}
MINIMAL = {"ece_awx_zones": ZONES, **PROJECT}
TEMPLATES = [
    "ECE add allocators",
    "ECE add announced allocators",
    "ECE check allocators",
    "ECE check preparation",
    "ECE check removal",
    "ECE fleet report",
    "ECE list persistent tokens",
    "ECE prepare hosts",
    "ECE remove allocators",
    "ECE revoke persistent tokens",
]
WORKFLOW = "ECE check, approve and add allocators"


def everything(folder: Path) -> dict[str, Any]:
    """Return variables that create all objects."""
    (folder / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n", encoding="utf-8")
    return {
        **MINIMAL,
        **LOGIN,
        "ece_password": PASSWORD,
        "ece_ca_path": str(folder / "ca.pem"),
        "ece_awx_machine_credential": "ssh",
        "ece_awx_execution_environment_image": "registry.example.com/ece:1",
        "ece_awx_slices": 3,
    }


def prepare(awx: FakeAwx) -> None:
    """Create what has to exist before."""
    awx.add("credentials", name="ssh", credential_type=awx.find("credential_types", "Machine")["id"])


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, tuple[Any, ...]]:
    """Return a run that created all objects in an empty AWX, at the highest verbosity, and what AWX has then."""
    folder = tmp_path_factory.mktemp("created")
    with FakeAwx(PLAYBOOKS) as fake:
        prepare(fake)
        run = Administrator(folder, CORES["core"], login_to(fake)).run(everything(folder), "-vvvv")
        return run, fake.state()


@pytest.fixture
def complete(awx: FakeAwx, created: tuple[Run, tuple[Any, ...]]) -> FakeAwx:
    """Return an AWX with all objects."""
    awx.restore(created[1])
    return awx


def changed(run: Run) -> int:
    return run.recap["localhost"]["changed"]


# -- what is created ---------------------------------------------------------------------------------------------------


def test_every_object_is_created_as_its_file_says(complete, created):
    assert created[0].rc == 0, created[0].output
    assert PASSWORD not in created[0].output and TOKEN not in created[0].output
    check_objects(complete)
    for kind, name in (("job_templates", "ECE add allocators"), ("workflow_job_templates", WORKFLOW)):
        assert f'"{name}": {complete.find(kind, name)["id"]}' in created[0].text


def test_the_oldest_ansible_creates_the_same_and_a_second_run_changes_nothing(awx, oldest_administrator, tmp_path):
    prepare(awx)
    run = oldest_administrator.run(everything(tmp_path))
    assert run.rc == 0, run.output
    check_objects(awx)
    awx.writes.clear()
    again = oldest_administrator.run(everything(tmp_path))
    assert again.rc == 0 and changed(again) == 0, again.output
    assert awx.writes == []


def check_objects(awx: FakeAwx) -> None:
    """Compare all objects with their files and with the variables."""
    assert awx.names("job_templates") == TEMPLATES
    assert awx.names("workflow_job_templates") == [WORKFLOW]
    assert awx.names("projects") == ["ECE"] and awx.names("inventories") == ["ECE hosts"]
    for name in TEMPLATES:
        template = awx.find("job_templates", name)
        assert template["execution_environment"] == awx.find("execution_environments", "ECE")["id"]
        assert awx.members("job_templates", name, "credentials") == ["ECE platform", "ssh"]
        assert template["job_slice_count"] == (3 if name == "ECE add allocators" else 1)
    check = awx.find("job_templates", "ECE check allocators")
    assert check["job_type"] == "check" and check["diff_mode"] and check["ask_limit_on_launch"]

    written, meant = awx.find("credential_types", "Elastic Cloud Enterprise"), load("credential_type.yml")
    assert written["inputs"] == meant["inputs"]
    assert written["injectors"] == meant["injectors"], "Ansible has rendered the templates that are AWX's"
    assert awx.find("credentials", "ECE platform")["inputs"] == {
        "url": ",".join(LOGIN["ece_url"]),
        "username": "admin",
        "password": PASSWORD,
        "ca": "-----BEGIN CERTIFICATE-----",
    }

    for kind, name in (("job_templates", "ECE add allocators"), ("workflow_job_templates", WORKFLOW)):
        questions = {question["variable"]: question for question in awx.survey(kind, name)["spec"]}
        assert list(questions) == [question["variable"] for question in load("surveys", "add_allocators.yml")["spec"]]
        assert choices_of(questions["ece_host_zone"]) == ZONES
        assert awx.find(kind, name)["survey_enabled"]
    for node in load("workflow.yml")["nodes"]:
        leads_to = awx.members("workflow_job_template_nodes", node["identifier"], "success_nodes")
        assert leads_to == sorted(node["success_nodes"])
    assert awx.find("workflow_approval_templates", "Add these allocators")["timeout"] == 86400


# -- what changes ------------------------------------------------------------------------------------------------------


def test_another_survey_updates_the_templates_that_have_it_and_nothing_else(complete, administrator, tmp_path):
    fewer = {**everything(tmp_path), "ece_awx_survey": ["ece_host_batch", "ece_host_roles"]}
    checked = administrator.run(fewer, "--check")
    assert checked.rc == 0 and changed(checked) == 2, checked.output
    assert complete.writes == []

    run = administrator.run(fewer)
    assert run.rc == 0 and changed(run) == 2, run.output
    assert [method for method, _path in complete.writes] == ["POST", "POST", "POST"]
    assert all(path.endswith("/survey_spec/") for _method, path in complete.writes)
    for name in ("ECE add allocators", "ECE check allocators"):
        questions = [question["variable"] for question in complete.survey("job_templates", name)["spec"]]
        assert questions == ["ece_host_roles", "ece_host_batch"]


def test_check_mode_writes_nothing_into_an_empty_awx_whose_address_and_login_are_variables(awx, administrator):
    token = administrator.environment.pop("CONTROLLER_OAUTH_TOKEN")
    administrator.environment.clear()
    login = {"controller_host": awx.url, "controller_oauthtoken": token, "controller_verify_ssl": False}
    run = administrator.run({**MINIMAL, **LOGIN, "ece_password": PASSWORD, **login}, "--check", "-vvvv")
    assert run.rc == 0, run.output
    assert changed(run) > 0
    assert awx.writes == []
    assert not re.search(re.escape(token), run.output)


def test_a_prefix_makes_a_second_set_for_another_platform(complete, administrator):
    run = administrator.run({**PROJECT, "ece_awx_prefix": "staging ", "ece_awx_survey": []})
    assert run.rc == 0, run.output
    assert complete.names("job_templates") == sorted([*TEMPLATES, *(f"staging {name}" for name in TEMPLATES)])
    assert complete.names("credential_types").count("Elastic Cloud Enterprise") == 1
    assert complete.find("job_templates", "staging ECE add allocators")["survey_enabled"] is False
    assert complete.survey("job_templates", "staging ECE add allocators") == {}
    assert complete.names("inventories") == ["ECE hosts", "staging ECE hosts"]
    # Without values, the playbook creates no credential.
    assert complete.names("credentials") == ["ECE platform", "ssh"]
    assert "create the credential of type Elastic Cloud Enterprise in AWX" in run.text


def test_without_values_a_credential_is_used_as_it_is_and_one_that_was_attached_by_hand_is_gone(
    complete, administrator, tmp_path
):
    vault = complete.add("credentials", name="vault", credential_type=complete.find("credential_types", "Vault")["id"])
    template = complete.find("job_templates", "ECE add allocators")
    complete.related["job_templates", template["id"], "credentials"].append(vault["id"])
    no_values = {name: value for name, value in everything(tmp_path).items() if name.startswith("ece_awx_")}
    run = administrator.run(no_values)
    assert run.rc == 0 and changed(run) == 1, run.output
    assert "create the credential" not in run.text
    assert complete.find("credentials", "ECE platform")["inputs"]["password"] == PASSWORD
    assert complete.members("job_templates", "ECE add allocators", "credentials") == ["ECE platform", "ssh"]


@pytest.mark.parametrize("update", [False, True])
def test_a_second_run_sends_a_new_password_where_secrets_are_updated_and_nothing_else(
    complete, administrator, tmp_path, update
):
    new = {**everything(tmp_path), "ece_password": "n3w-of-the-platform", "ece_awx_update_secrets": update}
    # awx.awx warns that it cannot know whether a secret differs.
    run = administrator.run(new, warnings=update)
    assert run.rc == 0 and changed(run) == update, run.output
    assert len(complete.writes) == update
    assert "n3w-of-the-platform" not in run.output
    password = complete.find("credentials", "ECE platform")["inputs"]["password"]
    assert password == ("n3w-of-the-platform" if update else PASSWORD)


# -- what is refused before anything is written ------------------------------------------------------------------------


def test_without_awx_awx_a_sentence_says_what_to_do(awx, any_administrator):
    any_administrator.collections.pop()
    run = any_administrator.run(MINIMAL)
    assert run.rc == 2
    assert "the collection awx.awx is not installed where this playbook runs: install it with" in run.text
    assert awx.writes == []


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ece_awx_organization": "Nowhere"}, "ece_awx_organization Nowhere: AWX has no such organization"),
        ({"ece_awx_machine_credential": "absent"}, "ece_awx_machine_credential absent: AWX has no such credential"),
        (
            {"ece_awx_execution_environment": "none"},
            "ece_awx_execution_environment none: AWX has no such execution environment, and "
            "ece_awx_execution_environment_image is not set",
        ),
        ({"ece_awx_project_url": "", "ece_awx_project": "P"}, "ece_awx_project P: AWX has no such project"),
    ],
)
def test_what_does_not_exist_is_named_and_nothing_is_written(awx, administrator, variables, sentence):
    run = administrator.run({**MINIMAL, **variables})
    assert run.rc == 2, run.output
    assert sentence in run.text, run.output
    assert awx.writes == []


def test_a_wrong_login_to_awx_is_said_by_its_module(awx, administrator):
    administrator.environment["CONTROLLER_OAUTH_TOKEN"] = "wr0ng-token"
    run = administrator.run(MINIMAL, "-vvvv")
    assert run.rc == 2
    assert "Invalid authentication credentials" in run.text
    assert "wr0ng-token" not in run.output
    assert awx.writes == []


def test_a_bad_variable_is_one_sentence(tmp_path):
    administrator = Administrator(tmp_path, CORES["core"], {})
    run = administrator.run({**MINIMAL, **LOGIN})
    assert run.rc == 2
    assert "ece_password is not set, but ece_username is: both are needed" in run.text
