# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first task of playbook awx_setup: everything is checked, and no secret is in the result."""

from __future__ import annotations

import os

import pytest

from ansible_collections.ece.platform.plugins.action import ece_awx_objects
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError

LOGIN = {"ece_url": "https://ece.example.com:12443", "ece_api_key": "s3cret"}


@pytest.fixture
def act(bare, monkeypatch):
    """Return a function that runs the action with these variables. AWX's address is in the environment."""
    monkeypatch.setenv("CONTROLLER_HOST", "https://awx.example.com")
    monkeypatch.setenv("CONTROLLER_OAUTH_TOKEN", "t0ken")

    def run(variables, collection=True):
        monkeypatch.setattr(ece_awx_objects, "is_installed", lambda name: collection)
        return bare(ece_awx_objects, variables=variables).act({}, variables)

    return run


def test_the_objects_are_returned_without_a_secret(act):
    result = act({"ece_awx_zones": ["z"], **LOGIN})
    assert result["changed"] is False
    assert result["objects"]["login"] is True
    assert "s3cret" not in repr(result) and os.environ["CONTROLLER_OAUTH_TOKEN"] not in repr(result)


def test_a_missing_collection_is_said_first(act):
    with pytest.raises(PlatformError, match="the collection awx.awx is not installed where this playbook runs"):
        act({}, collection=False)


def test_a_collection_is_looked_for_where_ansible_does():
    assert ece_awx_objects.is_installed("ece.platform") is True
    assert ece_awx_objects.is_installed("ece.missing") is False
    assert ece_awx_objects.is_installed("missing.missing") is False


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ece_awx_zone": ["z"]}, "ece_awx_zone is not a variable of playbook awx_setup"),
        ({}, "ece_awx_zones is not set"),
        ({"ece_awx_zones": ["z"], "ece_api_key": "k"}, "ece_url is not set"),
    ],
)
def test_variables_are_checked(act, variables, sentence):
    with pytest.raises(OptionError, match=sentence):
        act(variables)


def test_the_address_of_awx_is_checked(act, monkeypatch):
    monkeypatch.delenv("CONTROLLER_HOST")
    monkeypatch.delenv("TOWER_HOST", raising=False)
    with pytest.raises(OptionError, match="the address of AWX is not set"):
        act({"ece_awx_zones": ["z"]})
