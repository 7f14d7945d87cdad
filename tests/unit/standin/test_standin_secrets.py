# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in knows every secret that it ever handed out, and shows none of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import requests

from tests.standin import StandIn
from tests.unit.standin.standin_helpers import Client, Installer


def values(ece: StandIn) -> set[str]:
    """Return the values of all secrets."""
    return {secret.value for secret in ece.secrets}


def test_every_credential_that_was_handed_out_is_a_secret(make: Callable[..., StandIn]) -> None:
    ece = make()
    api = Client(ece)
    login = {"username": "admin", "password": ece.password}
    session = api("POST", "/users/auth/_login", json=login).json()["token"]
    native = ece.platform.accounts.native
    user = Client(
        ece,
        Authorization="Bearer "
        + api("POST", "/users/auth/_login", json={"username": native.name, "password": native.password}).json()[
            "token"
        ],
    )
    fresh = user("POST", "/users/auth/_refresh").json()["token"]
    key = user("POST", "/users/auth/keys", json={"description": "of a test"}).json()["key"]
    tokens = {api.token("allocator"), api.token("proxy", persistent=True)}
    ended = Client(ece, Authorization="Bearer " + session)("POST", "/users/auth/_logout")
    assert ended.status_code == 200
    accounts = {ece.password, ece.readonly_password, native.password, ece.api_key, ece.readonly_api_key}
    assert values(ece) >= accounts | tokens | {session, fresh, key}
    assert len(values(ece)) == len(accounts) + len(tokens) + 4


def test_the_control_interface_shows_no_secret(ece: StandIn, api: Client, installer: Installer) -> None:
    ece.add_host("a", "192.0.2.1")
    assert installer.join("a", api.token("allocator")).returncode == 0
    session = requests.Session()
    session.trust_env = False
    shown = repr(ece.secrets) + "".join(
        session.get(f"{ece.control_url}/{page}", timeout=60).text
        for page in ("state", "requests", "mutations", "joins")
    )
    assert not [
        secret.kind for secret in ece.secrets if secret.value in shown or json.dumps(secret.value)[1:-1] in shown
    ]


def test_a_token_that_was_cut_off_is_masked_in_violations(ece: StandIn, api: Client) -> None:
    token = api.token("allocator")
    ece.contract.note(f"reply: {token[: token.rindex('.') - 1]}")
    assert ece.violations == ["reply: ********"]
