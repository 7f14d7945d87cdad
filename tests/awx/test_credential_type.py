# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The credential type: AWX accepts it, and what a job gets of it is what modules and role read."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ansible_collections.ece.platform.plugins.module_utils._module import CONNECTION_SPEC
from tests.awx.files import load
from tests.awx.rules import inject, type_problems

URL = "https://ece.example.com:12443"
CA = "-----BEGIN CERTIFICATE-----\nexample\n-----END CERTIFICATE-----\n"
USER = {"username": "admin", "password": "pa{{ss}}w0rd"}


@pytest.fixture
def credential_type():
    return load("credential_type.yml")


def test_awx_accepts_it(credential_type):
    assert list(type_problems(credential_type["inputs"], credential_type["injectors"])) == []
    assert credential_type["kind"] == "cloud"


def test_it_injects_no_extra_variable_because_every_task_could_read_it(credential_type):
    assert set(credential_type["injectors"]) == {"file", "env"}


def test_every_environment_variable_is_one_that_modules_and_role_read(credential_type):
    read = {name for entry in CONNECTION_SPEC.values() for name in entry.get("fallback", (None, []))[1]}
    assert set(credential_type["injectors"]["env"]) <= read
    assert {"ECE_URL", "ECE_API_KEY", "ECE_USERNAME", "ECE_PASSWORD", "ECE_CA_PATH"} <= read


def test_what_is_a_secret_is_hidden(credential_type):
    hidden = {field["id"] for field in credential_type["inputs"]["fields"] if field.get("secret")}
    assert hidden == {"api_key", "password"}
    assert hidden == {name for name, entry in CONNECTION_SPEC.items() if entry.get("no_log")}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"url": URL, "api_key": "k3y"}, {"ECE_API_KEY": "k3y", "ECE_USERNAME": "", "ECE_PASSWORD": ""}),
        ({"url": URL, **USER}, {"ECE_API_KEY": "", "ECE_USERNAME": "admin", "ECE_PASSWORD": USER["password"]}),
        ({"url": URL, "api_key": "k3y", "username": "", "password": ""}, {"ECE_API_KEY": "k3y", "ECE_USERNAME": ""}),
    ],
)
def test_a_job_gets_the_login_and_nothing_for_an_empty_input(credential_type, tmp_path, inputs, expected):
    injected = inject(credential_type, inputs, tmp_path)
    assert {name: injected.env[name] for name in expected} == expected
    assert injected.env["ECE_URL"] == URL
    assert injected.extra_vars == {}


def test_the_ca_certificate_is_a_file_that_only_the_job_can_read(credential_type, tmp_path):
    injected = inject(credential_type, {"url": URL, "ca": CA}, tmp_path)
    path = Path(injected.env["ECE_CA_PATH"])
    assert path.read_text(encoding="utf-8") == CA
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("inputs", [{}, {"ca": ""}, {"ca": "\n"}])
def test_without_a_ca_certificate_no_file_is_named_so_that_the_systems_certificates_count(
    credential_type, tmp_path, inputs
):
    assert inject(credential_type, {"url": URL, **inputs}, tmp_path).env["ECE_CA_PATH"] == ""


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"env": {"ANSIBLE_FORKS": "1"}}, "ANSIBLE_FORKS is refused"),
        ({"env": {"PATH": "/tmp"}}, "PATH is refused"),
        ({"env": {"ECE_URL": "{{ uri }}"}}, "'uri' is undefined"),
        ({"file": {"template": "{{ ca }}", "template.ca": "{{ ca }}"}}, "cannot be the labels"),
        ({"env": {"ECE_CA_PATH": "{{ tower.filename.pem }}"}}, "pem"),
    ],
)
def test_the_rules_find_what_awx_refuses(credential_type, change, problem):
    injectors = {**credential_type["injectors"], **change}
    assert any(problem in found for found in type_problems(credential_type["inputs"], injectors))


def test_the_rules_leave_out_a_refused_variable(credential_type, tmp_path):
    credential_type["injectors"]["env"]["ANSIBLE_FORKS"] = "1"
    assert "ANSIBLE_FORKS" not in inject(credential_type, {"url": URL}, tmp_path).env
