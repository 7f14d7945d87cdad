# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _enrollment as enrollment
from ansible_collections.ece.platform.plugins.modules import ece_enrollment_token
from tests.unit.scripted import (
    API_KEY,
    OTHER_URL,
    TOKENS,
    URL,
    connect_timeout,
    failed,
    jwt,
    read_timeout,
    refused,
    reset,
)

EXP = 1893456000  # 2030-01-01T00:00:00Z
EPHEMERAL = jwt(["allocator"], sub="id-1", iss="current", exp=EXP)
PERSISTENT = jwt(["allocator"], sub="id-1", iss="current", persistent=True)


def listed(*ids):
    return {"tokens": [{"token_id": token_id, "roles": ["allocator"]} for token_id in ids]}


def body(persistent=False, **more):
    return {"persistent": persistent, "roles": ["allocator"], **more}


# -- mint ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sends"),
    [
        ({}, {}),
        ({"validity_in_seconds": 1}, {"validity_in_seconds": 1}),
        ({"validity_in_seconds": 2147483647}, {"validity_in_seconds": 2147483647}),
    ],
    ids=["the platform's validity", "shortest", "longest"],
)
def test_an_ephemeral_token_is_one_request(ece, run_module, options, sends):
    ece.expect("POST", TOKENS, json={"token": EPHEMERAL}, sends=body(**sends))
    result = run_module(ece_enrollment_token, roles=["allocator"], **options)
    assert {key: result[key] for key in ("changed", "token", "token_id", "expires_at", "roles")} == {
        **{"changed": True, "token": EPHEMERAL, "token_id": None},
        **{"expires_at": "2030-01-01T00:00:00Z", "roles": ["allocator"]},
    }
    assert "diff" not in result


def test_a_persistent_token_comes_with_its_id(ece, run_module):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, json={"token": PERSISTENT, "token_id": "id-1"}, sends=body(True))
    result = run_module(ece_enrollment_token, roles=["allocator"], persistent=True)
    assert (result["token"], result["token_id"], result["expires_at"]) == (PERSISTENT, "id-1", None)


def test_roles_are_sent_once_each(ece, run_module):
    token = jwt(["proxy", "allocator"], exp=EXP)
    ece.expect("POST", TOKENS, json={"token": token}, sends={"persistent": False, "roles": ["allocator", "proxy"]})
    assert run_module(ece_enrollment_token, roles=["proxy", "allocator", "proxy"])["roles"] == ["allocator", "proxy"]


@pytest.mark.parametrize("persistent", [False, True])
def test_each_run_mints_another_token(ece, run_module, persistent):
    for _ in range(2):
        if persistent:
            ece.expect("GET", TOKENS, json=listed("id-0"))
        ece.expect(
            "POST",
            TOKENS,
            json={"token": PERSISTENT if persistent else EPHEMERAL, "token_id": "id-1"},
            sends=body(persistent),
        )
        assert run_module(ece_enrollment_token, roles=["allocator"], persistent=persistent)["changed"]


@pytest.mark.parametrize("end", [10**15, -(10**15), 1e17])
def test_an_expiry_beyond_the_calendar_is_null(ece, run_module, end):
    ece.expect("POST", TOKENS, json={"token": jwt(["allocator"], exp=end)}, sends=body())
    result = run_module(ece_enrollment_token, roles=["allocator"])
    assert (result["changed"], result["expires_at"]) == (True, None)


@pytest.mark.parametrize("token_id", [5, True, ["id-1"], {"id": 1}, ""])
def test_an_unusable_id_is_not_used_to_revoke(ece, run_module, token_id):
    ece.expect("POST", TOKENS, json={"token": jwt(["proxy"], exp=EXP), "token_id": token_id}, sends=body())
    assert "got one with proxy" in run_module(ece_enrollment_token, roles=["allocator"])["msg"]


@pytest.mark.parametrize("persistent", [False, True])
def test_check_mode_mints_nothing(ece, run_module, persistent):
    result = run_module(ece_enrollment_token, check_mode=True, roles=["proxy", "allocator"], persistent=persistent)
    assert {key: result[key] for key in ("changed", "token", "token_id", "expires_at", "roles")} == {
        **{"changed": True, "token": None, "token_id": None, "expires_at": None},
        **{"roles": ["allocator", "proxy"]},
    }
    assert ece.requests == []


# -- a token that is not what was asked for --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (jwt(["proxy"], exp=EXP), "asked for a token with roles allocator, got one with proxy"),
        (jwt(["allocator", "proxy"], exp=EXP), "got one with allocator, proxy"),
        (jwt([], exp=EXP), "got one with none"),
        (jwt(None, exp=EXP), "got one with none"),
        (jwt(["allocator"], persistent=True), "asked for an ephemeral token, got one that never expires"),
        ("no-token", "not an enrollment token (JWT)"),
        ("a.b.c", "not an enrollment token (JWT)"),
        ("a.WzFd.c", "not an enrollment token (JWT)"),
    ],
    ids=["other role", "one role more", "no role", "null as roles", "persistent", "no JWT", "no base64", "no claims"],
)
def test_a_token_that_differs_from_the_request_is_an_error_that_does_not_show_it(ece, run_module, token, message):
    ece.expect("POST", TOKENS, json={"token": token}, sends=body())
    result = run_module(ece_enrollment_token, roles=["allocator"])
    assert result["failed"]
    assert message in result["msg"]
    assert token not in result.printed


@pytest.mark.parametrize("token", [jwt(["proxy"], persistent=True), "no-token"], ids=["other role", "no JWT"])
def test_a_useless_persistent_token_is_revoked(ece, run_module, token):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, json={"token": token, "token_id": "id-1"}, sends=body(True))
    ece.expect("DELETE", TOKENS + "/id-1", json={})
    ece.expect("GET", TOKENS, json=listed())
    result = run_module(ece_enrollment_token, roles=["allocator"], persistent=True)
    assert result["failed"]
    assert "token_id id-1 is revoked" in result["msg"]
    assert token not in result.printed


def test_a_persistent_token_in_answer_to_an_ephemeral_request_is_revoked(ece, run_module):
    ece.expect("POST", TOKENS, json={"token": PERSISTENT, "token_id": "id-1"}, sends=body())
    ece.expect("DELETE", TOKENS + "/id-1", json={})
    ece.expect("GET", TOKENS, json=listed())
    assert "never expires" in run_module(ece_enrollment_token, roles=["allocator"])["msg"]


def test_a_useless_token_that_cannot_be_revoked_is_named(ece, run_module):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, json={"token": jwt(["proxy"]), "token_id": "id-1"}, sends=body(True))
    ece.expect("DELETE", TOKENS + "/id-1", status=500, json=failed("some.code"))
    result = run_module(ece_enrollment_token, roles=["allocator"], persistent=True)
    assert (
        "asked for a token with roles allocator, got one with proxy; token_id id-1 could not be revoked"
        in result["msg"]
    )


# -- a mint without an answer ----------------------------------------------------------------------------------------

LOST = {
    "reset": {"body": reset()},
    "timeout": {"body": read_timeout()},
    "gateway timeout": {"status": 504, "body": "<html>"},
    "server error": {"status": 500},
    "HTML": {"body": "<html>"},
    "broken JSON": {"body": '{"token": "ey'},
    "no body": {},
    "no token": {"json": {"token_id": "id-new"}},
    "token of another type": {"json": {"token": 5, "token_id": "id-new"}},
}


@pytest.mark.parametrize("fault", LOST)
def test_a_persistent_token_whose_answer_was_lost_is_revoked_and_no_second_one_is_minted(
    ece, run_module, sleeps, fault
):
    ece.expect("GET", TOKENS, json=listed("id-old"))
    ece.expect("POST", TOKENS, sends=body(True), **LOST[fault])
    ece.expect("GET", TOKENS, json=listed("id-old", "id-new"))
    ece.expect("DELETE", TOKENS + "/id-new", json={})
    ece.expect("GET", TOKENS, json=listed())
    result = run_module(ece_enrollment_token, roles=["allocator"], persistent=True)
    assert result["failed"]
    assert "The token that it made, token_id id-new, is revoked" in result["msg"]
    assert "id-old" not in result["msg"]
    assert sum(sleeps) == 0


@pytest.mark.parametrize("fault", LOST)
def test_an_ephemeral_token_whose_answer_was_lost_is_not_searched_for(ece, run_module, sleeps, fault):
    ece.expect("POST", TOKENS, sends=body(), **LOST[fault])
    result = run_module(ece_enrollment_token, roles=["allocator"])
    assert result["failed"] and "revoke" not in result["msg"]
    assert sleeps == []


@pytest.mark.parametrize("fault", [refused, connect_timeout])
def test_a_mint_that_was_never_sent_is_tried_again(ece, run_module, fault):
    ece.expect("POST", TOKENS, sends=body(), body=fault())
    ece.expect("POST", TOKENS, sends=body(), json={"token": EPHEMERAL})
    assert run_module(ece_enrollment_token, roles=["allocator"])["token"] == EPHEMERAL


@pytest.mark.parametrize("fault", [reset, read_timeout])
def test_a_mint_that_was_sent_is_not_sent_to_the_next_coordinator(ece, run_module, fault):
    ece.expect("GET", "/platform", json={"version": "3.8.0"})
    ece.expect("POST", TOKENS, sends=body(), body=fault())
    result = run_module(
        ece_enrollment_token, connection={"url": [URL, OTHER_URL], "api_key": API_KEY}, roles=["allocator"]
    )
    assert "whether the request took effect is not known" in result["msg"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "enrollment_tokens.invalid_token_request"), (403, "enrollment_tokens.signing_key_not_found")],
)
@pytest.mark.parametrize("persistent", [False, True])
def test_a_mint_that_is_refused_left_nothing_behind(ece, run_module, persistent, status, code):
    if persistent:
        ece.expect("GET", TOKENS, json=listed("id-old"))
    ece.expect("POST", TOKENS, sends=body(persistent), status=status, json=failed(code))
    result = run_module(ece_enrollment_token, roles=["allocator"], persistent=persistent)
    assert result["failure"]["code"] == code
    assert "new since" not in result["msg"]


# -- revoke ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [True, False])
def test_a_token_is_revoked_by_its_id(ece, run_module, there):
    ece.expect(
        "DELETE",
        TOKENS + "/id-1",
        **({"json": {}} if there else {"status": 404, "json": failed("enrollment_tokens.invalid_token_id")}),
    )
    ece.expect("GET", TOKENS, json=listed("id-0"))
    result = run_module(ece_enrollment_token, state="absent", token_id="id-1")
    assert (result.get("failed", False), result["changed"], result["token_id"]) == (False, there, "id-1")


@pytest.mark.parametrize("fault", ["reset", "timeout", "gateway timeout"])
def test_a_revocation_whose_first_answer_was_lost_is_a_change(ece, run_module, fault):
    ece.expect("DELETE", TOKENS + "/id-1", **LOST[fault])
    ece.expect("DELETE", TOKENS + "/id-1", status=404, json=failed("enrollment_tokens.invalid_token_id"))
    ece.expect("GET", TOKENS, json=listed("id-0"))
    assert run_module(ece_enrollment_token, state="absent", token_id="id-1")["changed"] is True


def test_a_mint_without_the_lock_warns(ece, run_module):
    with enrollment.mint_lock():
        ece.expect("GET", TOKENS, json=listed())
        ece.expect("POST", TOKENS, json={"token": PERSISTENT, "token_id": "id-1"}, sends=body(True))
        result = run_module(ece_enrollment_token, roles=["allocator"], persistent=True)
    assert [text for text in result.warnings if "another process has kept this machine's lock for minting" in text]


@pytest.mark.parametrize(("known", "changed"), [(["id-0", "id-1"], True), (["id-0"], False), ([], False)])
def test_check_mode_only_checks_whether_the_token_exists(ece, run_module, known, changed):
    ece.expect("GET", TOKENS, json=listed(*known))
    result = run_module(ece_enrollment_token, check_mode=True, state="absent", token_id="id-1")
    assert result["changed"] is changed


@pytest.mark.parametrize("fault", ["reset", "HTML", "gateway timeout"])
def test_a_revocation_without_an_answer_is_an_error(ece, run_module, fault):
    ece.expect("DELETE", TOKENS + "/id-1", **LOST[fault])
    assert run_module(ece_enrollment_token, state="absent", token_id="id-1", retries=0)["failed"]


def test_a_404_page_of_a_proxy_is_not_a_revocation(ece, run_module):
    ece.expect("DELETE", TOKENS + "/id-1", status=404, body="<html>no such page</html>")
    result = run_module(ece_enrollment_token, state="absent", token_id="id-1")
    assert result["failed"] and "no such page" in result["msg"]


# -- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "roles"),
        ({"roles": []}, "roles is empty"),
        ({"roles": ["beats-runner"]}, "beats-runner"),
        ({"roles": ["allocator"], "state": "there"}, "there"),
        ({"roles": ["allocator"], "validity_in_seconds": 0}, "validity_in_seconds 0 is not possible"),
        ({"roles": ["allocator"], "validity_in_seconds": -1}, "validity_in_seconds -1 is not possible"),
        ({"roles": ["allocator"], "validity_in_seconds": 2**31}, "use 1 to 2147483647"),
        ({"roles": ["allocator"], "validity_in_seconds": "1h"}, "validity_in_seconds"),
        ({"roles": ["allocator"], "validity_in_seconds": 600, "persistent": True}, "ephemeral tokens only"),
        ({"state": "absent"}, "token_id"),
        ({"state": "absent", "token_id": ""}, "token_id is empty"),
        ({"state": "absent", "token_id": " "}, "token_id is empty"),
        ({"state": "absent", "token_id": PERSISTENT}, "token_id holds a token"),
    ],
    ids=str,
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_bad_options_are_named_before_anything_is_sent(ece, run_module, options, message, check_mode):
    result = run_module(ece_enrollment_token, check_mode=check_mode, **options)
    assert result["failed"] and message in result["msg"]
    assert PERSISTENT not in result["msg"]
    assert ece.requests == []
