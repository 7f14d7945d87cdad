# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A persistent token whose mint had no answer: found, revoked, and never taken for somebody else's. test_ece_enrollment_token.py has the rest."""

from __future__ import annotations

import socket

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _enrollment as enrollment
from ansible_collections.ece.platform.plugins.module_utils._client import EceApiError, EceError
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from tests.unit.scripted import TOKENS, failed, jwt, refused, reset

SENDS = {"persistent": True, "roles": ["allocator"]}


def listed(**tokens):
    return {"tokens": [{"token_id": token_id.replace("_", "-"), "roles": roles} for token_id, roles in tokens.items()]}


def lost(make_client, **options):
    with pytest.raises(PlatformError) as caught:
        enrollment.mint(make_client(**options), ["allocator"], True)
    return str(caught.value)


def test_tokens_that_were_there_or_have_other_roles_are_somebody_elses(ece, make_client):
    ece.expect("GET", TOKENS, json=listed(old=["allocator"]))
    ece.expect("POST", TOKENS, body=reset(), sends=SENDS)
    ece.expect(
        "GET",
        TOKENS,
        json=listed(old=["allocator"], proxies=["proxy"], wide=["proxy", "allocator"], none=[], lost=["allocator"]),
    )
    ece.expect("DELETE", TOKENS + "/lost", json={})
    ece.expect("GET", TOKENS, json=listed())
    assert lost(make_client).endswith("The token that it made, token_id lost, is revoked")


def test_of_several_new_ones_none_is_touched_and_all_are_named(ece, make_client):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, body=reset(), sends=SENDS)
    ece.expect("GET", TOKENS, json=listed(b=["allocator"], a=["allocator"]))
    assert "new since: a, b; one may be the lost one" in lost(make_client)


def test_a_token_that_a_slow_coordinator_mints_later_is_waited_for(ece, make_client, sleeps):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, body=reset(), sends=SENDS)
    for _ in range(3):
        ece.expect("GET", TOKENS, json=listed())
    ece.expect("GET", TOKENS, json=listed(late=["allocator"]))
    ece.expect("DELETE", TOKENS + "/late", json={})
    ece.expect("GET", TOKENS, json=listed())
    assert lost(make_client).endswith("token_id late, is revoked")
    assert sum(sleeps) == 3


@pytest.mark.parametrize(
    "answer",
    [{"status": 500}, {"status": 503}, {"body": "<html>"}, {}, {"json": {"error": "x"}}],
    ids=["500", "503", "HTML", "empty", "error"],
)
def test_after_an_answer_nobody_waits_for_a_token_to_come(ece, make_client, sleeps, answer):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, sends=SENDS, **answer)
    ece.expect("GET", TOKENS, json=listed())
    assert lost(make_client).endswith("No persistent token is new since")
    assert sum(sleeps) == 0


def test_a_coordinator_that_cannot_be_asked_for_its_list_is_asked_again(ece, make_client):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, status=504, sends=SENDS)
    ece.expect("GET", TOKENS, status=500)
    ece.expect("GET", TOKENS, json=listed(lost=["allocator"]))
    ece.expect("DELETE", TOKENS + "/lost", json={})
    ece.expect("GET", TOKENS, json=listed())
    assert lost(make_client).endswith("token_id lost, is revoked")


def test_a_list_that_stays_out_of_reach_leaves_the_first_error_and_what_to_do(ece, make_client, sleeps):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, body=reset(), sends=SENDS)
    for _ in range(enrollment.PATIENCE_SECONDS + 1):
        ece.expect("GET", TOKENS, body=refused())
    message = lost(make_client, retries=0)
    assert "whether the request took effect is not known" in message
    assert (
        "look for a new persistent one with ece_enrollment_token_info and revoke it" in message
        and "connection refused" in message
    )
    assert sum(sleeps) == enrollment.PATIENCE_SECONDS


def test_a_lost_token_that_cannot_be_revoked_is_named(ece, make_client):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, body=reset(), sends=SENDS)
    ece.expect("GET", TOKENS, json=listed(lost=["allocator"]))
    ece.expect("DELETE", TOKENS + "/lost", status=500, json=failed("x.y"))
    assert "token_id lost, could not be revoked, so do that: DELETE" in lost(make_client)


def test_a_reply_without_the_id_is_revoked_by_the_id_in_its_token(ece, make_client):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, json={"token": jwt(["allocator"], sub="of-the-token", persistent=True)}, sends=SENDS)
    assert enrollment.mint(make_client(), ["allocator"], True)["token_id"] == "of-the-token"


@pytest.mark.parametrize(
    "reply", [{"token": jwt(["allocator"])}, {"token": "no.token.at-all"}, {"token": jwt(["allocator"]), "token_id": 5}]
)
def test_a_reply_without_any_id_counts_as_lost(ece, make_client, reply):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, json=reply, sends=SENDS)
    ece.expect("GET", TOKENS, json=listed(lost=["allocator"]))
    ece.expect("DELETE", TOKENS + "/lost", json={})
    ece.expect("GET", TOKENS, json=listed())
    assert "answered without a usable 'token_id'" in lost(make_client)


@pytest.mark.parametrize(
    ("status", "is_lost"),
    [
        (400, False),
        (401, False),
        (403, False),
        (404, False),
        (408, True),
        (429, False),
        (449, False),
        (500, True),
        (503, True),
    ],
)
def test_only_an_answer_that_may_hide_an_effect_counts_as_lost(status, is_lost):
    assert enrollment.answer_lost(EceApiError("words", status, None, [], [])) is is_lost
    assert enrollment.answer_lost(EceError("not even sent")) is False


# -- turns ---------------------------------------------------------------------------------------------------------------------


def test_plays_of_one_machine_mint_one_after_the_other(monkeypatch):
    monkeypatch.setattr(enrollment, "TURN", "\0ece.platform.test")
    slept = []
    with enrollment.sole_mint() as first, enrollment.sole_mint(slept.append, turn_seconds=3) as second:
        assert (first, second) == (True, False), "who waits for too long goes on, and is not alone"
    assert slept == [1, 1, 1, 1]
    with enrollment.sole_mint(lambda _seconds: pytest.fail("the turn is free again")) as third:
        assert third


def test_where_there_are_no_turns_nobody_waits_and_nobody_is_alone(monkeypatch):
    class NoSuchNames(socket.socket):
        def bind(self, _name):
            raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(enrollment.socket, "socket", NoSuchNames)
    with enrollment.sole_mint(lambda _seconds: pytest.fail("waits")) as alone:
        assert not alone


def test_who_is_not_alone_names_a_new_token_and_leaves_it(ece, make_client, monkeypatch):
    monkeypatch.setattr(enrollment, "TURN_SECONDS", 0)
    with socket.socket(socket.AF_UNIX) as somebody:
        somebody.bind(enrollment.TURN)
        ece.expect("GET", TOKENS, json=listed())
        ece.expect("POST", TOKENS, body=reset(), sends=SENDS)
        ece.expect("GET", TOKENS, json=listed(perhaps=["allocator"]))
        assert "new since: perhaps; one may be the lost one" in lost(make_client)


def test_a_coordinator_that_hangs_is_not_asked_for_longer_than_it_is_waited_for(ece, make_client, monkeypatch):
    seconds = iter(range(0, 1000, 10))
    monkeypatch.setattr(enrollment.time, "monotonic", lambda: next(seconds))
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, body=reset(), sends=SENDS)
    for _ in range(2):  # after 10 s and after 20 s
        ece.expect("GET", TOKENS, json=listed())
    assert lost(make_client).endswith("No persistent token is new since")


# -- revoke --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "word"),
    [({"status": 200}, "revoked"), ({"status": 404, "json": failed("x.y")}, "not known")],
    ids=["empty page", "404"],
)
def test_a_token_is_revoked_when_the_list_says_so_and_not_when_an_answer_does(ece, make_client, answer, word):
    ece.expect("DELETE", TOKENS + "/id-1", **answer)
    ece.expect("GET", TOKENS, json=listed(id_1=["allocator"]))
    with pytest.raises(PlatformError, match=f"answered that token_id id-1 is {word}, but lists it still"):
        enrollment.revoke(make_client(), "id-1")


def test_a_lost_token_that_stays_listed_is_named(ece, make_client):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, body=reset(), sends=SENDS)
    ece.expect("GET", TOKENS, json=listed(lost=["allocator"]))
    ece.expect("DELETE", TOKENS + "/lost", json={})
    ece.expect("GET", TOKENS, json=listed(lost=["allocator"]))
    assert "token_id lost, could not be revoked, so do that: the platform answered" in lost(make_client)
