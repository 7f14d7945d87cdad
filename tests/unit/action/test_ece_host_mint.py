# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mint of a batch: in the controller for an ephemeral token, by a keeper for a persistent one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.ece.platform.plugins.action import ece_host_mint
from ansible_collections.ece.platform.plugins.module_utils._client import EceApiError
from tests.unit.scripted import API_KEY, TOKENS, URL, failed, jwt

EXP = 1893456000  # 2030-01-01T00:00:00Z
CONNECTION = {
    "url": [URL],
    "api_key": API_KEY,
    "username": None,
    "password": None,
    "ca_path": None,
    "validate_certs": True,
    "allow_http": False,
}
NEED = {"roles": ["allocator"], "persistent": False, "validity_seconds": 2120, "hosts": ["a"]}


@pytest.fixture
def mint(bare, environment):
    def act(check_mode=False, **need):
        action = bare(ece_host_mint)
        action._task.check_mode = check_mode
        return action.act({**CONNECTION, "timeout": 30, "retries": 0, "need": {**NEED, **need}}, {})

    return act


def test_an_ephemeral_token_is_one_request(ece, mint):
    token = jwt(["allocator"], exp=EXP)
    ece.expect(
        "POST",
        TOKENS,
        json={"token": token},
        sends={"persistent": False, "roles": ["allocator"], "validity_in_seconds": 2120},
    )
    result = mint()
    assert (result["token"], result["token_id"], result["expires_at"], result["changed"]) == (
        token,
        None,
        "2030-01-01T00:00:00Z",
        True,
    )
    assert "keeper" not in result


def test_check_mode_mints_nothing(ece, mint):
    assert (mint(check_mode=True)["token"], mint(check_mode=True, persistent=True)["token_id"]) == (None, None)
    assert ece.requests == []


def test_a_refusal_is_the_platforms_own(ece, mint):
    ece.expect(
        "POST",
        TOKENS,
        status=403,
        json=failed("x.y", "Not you."),
        sends={"persistent": False, "roles": ["allocator"], "validity_in_seconds": 2120},
    )
    with pytest.raises(EceApiError, match="Not you"):
        mint()


def test_a_persistent_token_is_its_keepers_and_ends_with_ansible_playbook(mint, monkeypatch):
    asked = []
    monkeypatch.setattr(ece_host_mint.multiprocessing, "parent_process", lambda: SimpleNamespace(pid=4711))
    kept = {
        "token": "t",
        "token_id": "id",
        "expires_at": None,
        "minted_at": "now",
        "roles": ["allocator"],
        "keeper": {"pid": 1, "name": "n"},
    }
    monkeypatch.setattr(ece_host_mint.keeper, "mint", lambda *arguments: asked.append(arguments) or kept)
    result = mint(persistent=True, validity_seconds=None)
    assert {key: result[key] for key in kept} == kept
    connection, roles, run_pid = asked[0]
    assert (connection["urls"], connection["api_key"], roles, run_pid) == ([URL], API_KEY, ["allocator"], 4711)
