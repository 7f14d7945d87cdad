# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a persistent token: revoked, its keeper let go; or the keeper stays, and somebody is told."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_host_revoke
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from tests.unit.scripted import API_KEY, TOKENS, URL, failed

CONNECTION = {
    "url": [URL],
    "api_key": API_KEY,
    "username": None,
    "password": None,
    "ca_path": None,
    "validate_certs": True,
    "allow_http": False,
}
KEEPER = {"pid": 4711, "name": "0123456789abcdef"}


@pytest.fixture
def released(monkeypatch):
    keepers = []
    monkeypatch.setattr(ece_host_revoke.keeper, "release", keepers.append)
    return keepers


@pytest.fixture
def revoke(bare, environment, released):
    return lambda keeper=KEEPER: bare(ece_host_revoke).act(
        {**CONNECTION, "timeout": 30, "retries": 0, "token_id": "id-1", "keeper": keeper}, {}
    )


@pytest.mark.parametrize("there", [True, False])
def test_a_token_is_revoked_and_its_keeper_let_go(ece, revoke, released, there):
    ece.expect(
        "DELETE",
        TOKENS + "/id-1",
        **({"json": {}} if there else {"status": 404, "json": failed("enrollment_tokens.invalid_token_id")}),
    )
    ece.expect("GET", TOKENS, json={"tokens": []})
    result = revoke()
    assert (result["changed"], result["token_id"]) == (there, "id-1")
    assert released == [KEEPER]


def test_a_token_that_cannot_be_revoked_keeps_its_keeper(ece, revoke, released):
    ece.expect("DELETE", TOKENS + "/id-1", status=500, json=failed("x.y", "Ill."))
    with pytest.raises(
        PlatformError,
        match="token id-1 could not be revoked: process 4711 goes on trying for 10 minutes after this run, unless .*Ill",
    ):
        revoke()
    assert released == []


def test_without_a_keeper_nobody_is_said_to_go_on(ece, revoke, released):
    ece.expect("DELETE", TOKENS + "/id-1", status=500, json=failed("x.y", "Ill."))
    with pytest.raises(
        PlatformError, match="^token id-1 could not be revoked: see that it is gone, or revoke it by hand"
    ):
        revoke(keeper=None)
    assert released == []


def test_a_token_that_stays_listed_keeps_its_keeper(ece, revoke, released):
    ece.expect("DELETE", TOKENS + "/id-1")
    ece.expect("GET", TOKENS, json={"tokens": [{"token_id": "id-1", "roles": ["allocator"]}]})
    with pytest.raises(PlatformError, match="could not be revoked: process 4711 .*lists it still"):
        revoke()
    assert released == []
