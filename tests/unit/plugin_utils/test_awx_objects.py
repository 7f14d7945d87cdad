# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects for AWX: what the variables change in the files, and which variables cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.plugin_utils._awx_objects import (
    VARIABLES,
    ca_path,
    check_controller,
    gives_login,
    objects_of,
    read,
    updates_secrets,
)

CHECKOUT = Path(__file__).resolve().parents[3]
FILES = CHECKOUT / "extensions" / "awx"
PLAYBOOK = (CHECKOUT / "playbooks" / "awx_setup.yml").read_text(encoding="utf-8")
ZONES = {"ece_awx_zones": ["z1", "z2"]}
URL = "https://ece.example.com:12443"


@pytest.fixture
def objects():
    """Return a function that returns the objects for variables."""
    return lambda **variables: objects_of(read(FILES), {**ZONES, **variables})


def survey_of(found, name):
    (template,) = [template for template in found["job_templates"] if template["name"] == name]
    return template["survey_spec"]


def test_without_variables_the_objects_are_the_files(objects):
    found, files = objects(), read(FILES)
    assert found["organization"] == "Default"
    assert found["credential_type"] == files["credential_type"]
    assert found["project"]["name"] == "ECE" and found["project"]["scm_url"] is None
    assert found["execution_environment"] is None
    assert [template["name"] for template in found["job_templates"]] == [
        content["name"] for _file, content in sorted(files["job_templates"].items())
    ]


def test_a_prefix_is_a_part_of_every_name_that_is_not_set(objects):
    found = objects(ece_awx_prefix="staging ", ece_awx_inventory="mine", ece_awx_execution_environment_image="i:1")
    names = [found[kind]["name"] for kind in ("credential", "project", "execution_environment", "workflow")]
    names += [template["name"] for template in found["job_templates"]]
    names += [node["job_template"] for node in found["nodes"] if node["job_template"]]
    assert all(name.startswith("staging ECE") for name in names)
    assert found["inventory"]["name"] == "mine"
    assert found["credential_type"]["name"] == "Elastic Cloud Enterprise"


def test_only_the_join_is_divided_into_slices(objects):
    slices = {
        template["name"]: template.get("job_slice_count") for template in objects(ece_awx_slices="5")["job_templates"]
    }
    assert slices.pop("ECE add allocators") == 5
    assert set(slices.values()) == {None}


@pytest.mark.parametrize("zones", [["b", "a"], "b,a", "b\na\n", ("b", "a", "b")])
def test_zones_may_be_a_list_or_text(objects, zones):
    spec = survey_of(objects(ece_awx_zones=zones), "ECE add allocators")["spec"]
    assert spec[0]["choices"] == "b\na"


def test_a_survey_asks_what_is_wanted_in_the_order_of_the_file(objects):
    found = objects(ece_awx_survey="ece_host_batch, ece_host_roles", ece_awx_zones=None)
    for template in ("ECE add allocators", "ECE check allocators"):
        spec = survey_of(found, template)["spec"]
        assert [question["variable"] for question in spec] == ["ece_host_roles", "ece_host_batch"]
    assert len(found["workflow"]["survey_spec"]["spec"]) == 2
    assert len(survey_of(found, "ECE revoke persistent tokens")["spec"]) == 1


def test_a_survey_without_questions_is_none(objects):
    found = objects(ece_awx_survey=[], ece_awx_zones=None)
    assert survey_of(found, "ECE add allocators") == {}
    assert found["workflow"]["survey_enabled"] is False


def test_a_node_follows_those_that_it_leads_to(objects):
    seen = set()
    for node in objects()["nodes"]:
        assert set(node["success_nodes"]) <= seen
        seen.add(node["identifier"])


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ece_awx_zones": None}, "ece_awx_zones is not set: give the availability zones that the survey offers"),
        ({"ece_awx_zones": {"a": 1}}, "ece_awx_zones {'a': 1} is not a list"),
        ({"ece_awx_survey": ["ece_host_zones"]}, "ece_awx_survey has 'ece_host_zones', which is no question"),
        ({"ece_awx_slices": 0}, "ece_awx_slices 0 is not a number of slices: use 1 to 1000"),
        ({"ece_awx_slices": "many"}, "ece_awx_slices 'many' is not a number of slices"),
        ({"ece_awx_slices": True}, "ece_awx_slices True is not a number of slices"),
        ({"ece_awx_project_branch": "main"}, "ece_awx_project_branch is set, but ece_awx_project_url is not"),
        ({"ece_awx_organization": ["a"]}, "ece_awx_organization ['a'] is not a text"),
    ],
)
def test_a_variable_that_cannot_work_is_one_sentence(objects, variables, sentence):
    with pytest.raises(OptionError) as error:
        objects(**variables)
    assert str(error.value).startswith(sentence)


def test_every_variable_is_documented_in_the_playbook_and_in_the_page():
    page = (FILES / "README.md").read_text(encoding="utf-8")
    for name in VARIABLES:
        assert f"#   {name} " in PLAYBOOK, name
        assert f"`{name}`" in page, name


# -- the login to the platform -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("variables", [{}, {"ece_validate_certs": False}])
def test_without_values_there_is_no_login(variables):
    assert gives_login(variables) is False


@pytest.mark.parametrize(
    "variables",
    [{"ece_api_key": "k"}, {"ece_username": "u", "ece_password": "p"}, {"ece_api_key": "k", "ece_ca_path": __file__}],
)
@pytest.mark.parametrize("url", [URL, [URL, "https://b.example.com"], f"{URL},https://b.example.com"])
def test_a_login_is_an_address_and_one_kind_of_credentials(variables, url):
    assert gives_login({"ece_url": url, **variables}) is True


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ece_api_key": "k"}, "ece_url is not set, but ece_api_key is"),
        ({"ece_username": "u", "ece_password": "p"}, "ece_url is not set, but ece_username and ece_password are"),
        (
            {"ece_url": URL, "ece_api_key": "k", "ece_username": "u", "ece_password": "p"},
            "ece_api_key and ece_username/ece_password are both set",
        ),
        ({"ece_url": 5, "ece_api_key": "k"}, "ece_url 5 is not an address of a coordinator"),
        ({"ece_url": URL}, "no credentials: set ece_api_key, or ece_username and ece_password"),
        ({"ece_url": URL, "ece_username": "u"}, "ece_password is not set, but ece_username is"),
        ({"ece_url": URL, "ece_password": "p"}, "ece_username is not set, but ece_password is"),
        ({"ece_url": "ece.example.com", "ece_api_key": "k"}, "ece_url 'ece.example.com' is not an address"),
        ({"ece_url": [URL, ""], "ece_api_key": "k"}, "ece_url '' is not an address"),
        (
            {"ece_url": URL, "ece_api_key": "k", "ece_ca_path": "/no/ca.pem"},
            "ece_ca_path /no/ca.pem is not a file here",
        ),
    ],
)
def test_a_part_of_a_login_is_one_sentence(variables, sentence):
    with pytest.raises(OptionError) as error:
        gives_login(variables)
    assert str(error.value).startswith(sentence)


def test_the_ca_certificate_is_found_where_the_playbook_runs(tmp_path, monkeypatch):
    (tmp_path / "ca.pem").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for path in ("ca.pem", "~/ca.pem", str(tmp_path / "ca.pem")):
        assert ca_path({"ece_ca_path": path}) == str((tmp_path / "ca.pem").resolve())
    assert ca_path({}) is None
    with pytest.raises(OptionError, match="ece_ca_path cb.pem is not a file here"):
        ca_path({"ece_ca_path": "cb.pem"})


@pytest.mark.parametrize(("value", "updates"), [(None, False), ("no", False), (True, True), ("true", True)])
def test_whether_secrets_are_sent_again_is_a_boolean(value, updates):
    assert updates_secrets({"ece_awx_update_secrets": value}) is updates
    with pytest.raises(OptionError, match="ece_awx_update_secrets 'sometimes' is not a boolean: use true or false"):
        updates_secrets({"ece_awx_update_secrets": "sometimes"})


def test_a_password_in_the_address_is_not_repeated():
    with pytest.raises(OptionError, match="ece_url holds a user name or password") as error:
        gives_login({"ece_url": "https://admin:pa55@ece.example.com", "ece_api_key": "k"})
    assert "pa55" not in str(error.value)


# -- the login to AWX --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "environment"),
    [
        ({"controller_host": "h", "controller_oauthtoken": "t"}, {}),
        ({}, {"CONTROLLER_HOST": "h", "CONTROLLER_OAUTH_TOKEN": "t"}),
        ({"controller_username": "u"}, {"CONTROLLER_HOST": "h", "CONTROLLER_PASSWORD": "p"}),
        ({"controller_config_file": "f"}, {}),
    ],
)
def test_address_and_login_of_awx_are_variables_or_in_the_environment(variables, environment):
    check_controller(variables, environment)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "the address of AWX is not set: set controller_host, or CONTROLLER_HOST"),
        ({"CONTROLLER_HOST": "h"}, "no login to AWX: set controller_oauthtoken"),
        ({"CONTROLLER_HOST": "h", "CONTROLLER_USERNAME": "u"}, "no login to AWX"),
    ],
)
def test_a_missing_address_or_login_of_awx_is_one_sentence(environment, sentence):
    with pytest.raises(OptionError) as error:
        check_controller({}, environment)
    assert str(error.value).startswith(sentence)
