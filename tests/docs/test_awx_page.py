# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files on the page on AWX are what AWX and the collection expect."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ansible_collections.ece.platform.plugins.module_utils._module import CONNECTION_SPEC
from tests.docs.blocks import CHECKOUT, RST_PAGES, blocks_of

YAML = {
    block.text.splitlines()[0]: block.data for block in blocks_of(RST_PAGES / "awx.rst") if block.language == "yaml"
}
INPUTS, INJECTORS = YAML["fields:"], YAML["file:"]


def injected(**inputs: str) -> dict[str, str]:
    """Return the environment variables of a job with a credential of these inputs, as AWX renders them."""
    names: dict[str, Any] = {**inputs, "tower": SimpleNamespace(filename=SimpleNamespace(ca="/runner/env/ca"))}
    environment = ImmutableSandboxedEnvironment()
    return {name: environment.from_string(template).render(**names) for name, template in INJECTORS["env"].items()}


def test_each_variable_is_one_that_the_connection_options_read() -> None:
    options: dict[str, Any] = dict(CONNECTION_SPEC)
    read = {name for option in options.values() for name in option.get("fallback", (None, []))[1]}
    assert set(INJECTORS["env"]) <= read
    assert all(template.startswith("template.") for template in INJECTORS["file"])


def test_each_input_is_injected_and_secrets_are_secret() -> None:
    templates = " ".join([*INJECTORS["env"].values(), *INJECTORS["file"].values()])
    assert all(f"{{{{ {field['id']} }}}}" in templates for field in INPUTS["fields"])
    assert {field["id"] for field in INPUTS["fields"] if field.get("secret")} == {"api_key", "password"}


@pytest.mark.parametrize("ca, path", [("-----BEGIN CERTIFICATE-----", "/runner/env/ca"), (" \n", ""), ("", "")])
def test_the_path_of_the_ca_is_set_only_where_there_is_one(ca: str, path: str) -> None:
    inputs = {"url": "https://ece.example.com:12443", "api_key": "x"}
    environment = injected(**inputs, **({"ca": ca} if ca else {}))
    assert environment["ECE_CA_PATH"] == path
    assert (environment["ECE_API_KEY"], environment["ECE_PASSWORD"]) == ("x", "")


def test_the_requirements_name_the_collection() -> None:
    (collection,) = YAML["collections:"]["collections"]
    assert collection["type"] == "git" and collection["name"].endswith("/ece.platform.git")


def test_the_page_has_the_credential_type_of_extensions_awx() -> None:
    path = CHECKOUT / "extensions" / "awx" / "credential_type.yml"
    created = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert created["injectors"] == INJECTORS
    fields = [
        {key: field[key] for key in field if key not in ("label", "help_text")} for field in created["inputs"]["fields"]
    ]
    assert fields == [{key: field[key] for key in field if key != "label"} for field in INPUTS["fields"]]
