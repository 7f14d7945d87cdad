# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lost answers, revocation, claims and validity of tokens. test_ece_enrollment_token.py has the mint itself."""

from __future__ import annotations

import base64
import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ece.platform.plugins.module_utils import _enrollment as enrollment
from ansible_collections.ece.platform.plugins.module_utils._client import EceApiError, EceClient, EceError
from ansible_collections.ece.platform.plugins.module_utils._enrollment import (
    decode_token,
    hosts_per_token,
    latest_start,
    token_mismatch,
    token_roles,
    token_validity,
)
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from tests.unit.scripted import TOKENS, failed, jwt, refused, reset

SENDS = {"persistent": True, "roles": ["allocator"]}
REQUEST: enrollment.TokenRequest = {"roles": ["allocator"], "persistent": True, "validity_seconds": None}


def listed(**tokens):
    return {"tokens": [{"token_id": token_id.replace("_", "-"), "roles": roles} for token_id, roles in tokens.items()]}


def lost(make_client, **options):
    with pytest.raises(PlatformError) as caught:
        enrollment.mint(make_client(**options), REQUEST)
    return str(caught.value)


# -- a lost answer ---------------------------------------------------------------------------------------------------


def test_tokens_that_were_there_or_have_other_roles_are_not_the_lost_one(ece, make_client):
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
def test_after_an_answer_the_list_is_searched_once(ece, make_client, sleeps, answer):
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
    for _ in range(enrollment.ORPHAN_SEARCH_SECONDS + 1):
        ece.expect("GET", TOKENS, body=refused())
    message = lost(make_client, retries=0)
    assert "whether the request took effect is not known" in message
    assert (
        "look for a new persistent one with ece_enrollment_token_info and revoke it" in message
        and "connection refused" in message
    )
    assert sum(sleeps) == enrollment.ORPHAN_SEARCH_SECONDS


def test_a_lost_token_that_cannot_be_revoked_is_named(ece, make_client):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, body=reset(), sends=SENDS)
    ece.expect("GET", TOKENS, json=listed(lost=["allocator"]))
    ece.expect("DELETE", TOKENS + "/lost", status=500, json=failed("x.y"))
    message = lost(make_client)
    assert "token_id lost, could not be revoked (DELETE" in message and message.endswith("): revoke it")


def test_a_reply_without_the_id_is_revoked_by_the_id_in_its_token(ece, make_client):
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, json={"token": jwt(["allocator"], sub="of-the-token", persistent=True)}, sends=SENDS)
    assert enrollment.mint(make_client(), REQUEST)["token_id"] == "of-the-token"


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
    assert enrollment.answer_lost(EceApiError("message", status, None, [], [])) is is_lost
    assert enrollment.answer_lost(EceError("not even sent")) is False


# -- the mint lock ---------------------------------------------------------------------------------------------------


def test_plays_of_one_machine_mint_one_after_the_other(sleeps):
    slept = []
    with enrollment.mint_lock() as first:
        assert first.held()
        with enrollment.mint_lock(slept.append, timeout_seconds=3) as second:
            assert not second.held(), "after the time is over a play goes on without its turn"
    assert slept == [1, 1, 1, 1]
    with enrollment.mint_lock(lambda _seconds: pytest.fail("the turn is free again")) as third:
        assert third.held() and third.warnings == []


def test_a_play_that_does_not_wait_any_longer_says_so_to_the_one_whose_turn_it_is(sleeps):
    with enrollment.mint_lock() as first:
        assert first.held()
        for _ in range(20):  # more than a socket keeps
            with enrollment.mint_lock(sleeps.append, timeout_seconds=0):
                pass
        assert not first.held(), "another one may have minted meanwhile"
        assert not first.held()


def test_a_play_that_got_no_turn_warns_of_what_that_means(sleeps):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as someone:
        someone.bind(enrollment.MINT_LOCK_NAME)
        with enrollment.mint_lock(sleeps.append) as lock:
            (warning,) = lock.warnings
    assert sum(sleeps) <= 121, "no user of the machine can delay a mint for longer"
    assert "another process has kept this machine's lock for minting for 120 s" in warning
    assert "a token whose answer is lost is named instead of revoked" in warning
    assert f"socket @{enrollment.MINT_LOCK_NAME[1:]}" in warning


def test_a_turn_that_is_free_at_the_last_moment_is_taken(sleeps, monkeypatch):
    someone = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    someone.bind(enrollment.MINT_LOCK_NAME)
    with enrollment.mint_lock(lambda _seconds: someone.close(), timeout_seconds=0) as lock:
        assert lock.held() and lock.warnings == []


def test_where_there_is_no_lock_no_play_waits_and_none_is_exclusive(monkeypatch):
    class NoSuchNames(socket.socket):
        def bind(self, _name):
            raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(enrollment.socket, "socket", NoSuchNames)
    with enrollment.mint_lock(lambda _seconds: pytest.fail("waits")) as lock:
        assert not lock.held()
        assert lock.warnings == []


def test_without_the_lock_a_new_token_is_named_and_not_revoked(ece, make_client, monkeypatch):
    monkeypatch.setattr(enrollment, "MINT_LOCK_TIMEOUT_SECONDS", 0)
    with enrollment.mint_lock():
        ece.expect("GET", TOKENS, json=listed())
        ece.expect("POST", TOKENS, body=reset(), sends=SENDS)
        ece.expect("GET", TOKENS, json=listed(perhaps=["allocator"]))
        assert "new since: perhaps; one may be the lost one" in lost(make_client)


def test_a_token_that_another_play_minted_without_its_turn_is_named_and_not_revoked(ece, make_client, monkeypatch):
    def mint_meanwhile(self, *arguments):
        with enrollment.mint_lock(lambda _seconds: None, timeout_seconds=0):
            return tokens(self)

    tokens = EceClient.enrollment_tokens
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, body=reset(), sends=SENDS)
    ece.expect("GET", TOKENS, json=listed(of_the_other=["allocator"]))
    monkeypatch.setattr(EceClient, "enrollment_tokens", mint_meanwhile)
    assert "new since: of-the-other; one may be the lost one" in lost(make_client)


def test_a_token_that_was_minted_without_the_lock_comes_with_the_warning(ece, make_client):
    with enrollment.mint_lock():
        ece.expect("GET", TOKENS, json=listed())
        ece.expect("POST", TOKENS, json={"token": jwt(["allocator"]), "token_id": "id"}, sends=SENDS)
        minted = enrollment.mint(make_client(), REQUEST)
    assert len(minted["warnings"]) == 1


def test_a_coordinator_that_hangs_is_not_asked_for_longer_than_the_search_takes(ece, make_client, monkeypatch):
    seconds = iter(range(0, 1000, 10))
    monkeypatch.setattr(enrollment.time, "monotonic", lambda: next(seconds))
    ece.expect("GET", TOKENS, json=listed())
    ece.expect("POST", TOKENS, body=reset(), sends=SENDS)
    for _ in range(2):  # after 10 s and after 20 s
        ece.expect("GET", TOKENS, json=listed())
    assert lost(make_client).endswith("No persistent token is new since")


# -- revoke ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ({"status": 200}, "revoked"),
        ({"status": 404, "json": failed("enrollment_tokens.invalid_token_id")}, "not known"),
    ],
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
    assert "token_id lost, could not be revoked (the platform answered" in lost(make_client)


# -- the content of a token ------------------------------------------------------------------------------------------


def jwt_of(payload: bytes) -> str:
    return "eyJhbGciOiJIUzI1NiJ9." + base64.urlsafe_b64encode(payload).decode().rstrip("=") + ".c2lnbmF0dXJl"


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.lists(st.text()))))
def test_decode_token_reads_any_claims_with_any_padding(claims):
    assert decode_token(jwt_of(json.dumps(claims).encode())) == claims


@pytest.mark.parametrize(
    "token", ["", "abc", "a.b.c", "a..c", "a.é.c", jwt_of(b"[1]"), jwt_of(b"\xff\xfe"), jwt_of(b'"text"')]
)
def test_decode_token_refuses_anything_but_a_token_without_repeating_it(token):
    with pytest.raises(
        PlatformError, match=r"^the platform answered the mint with something that is not an enrollment token \(JWT\)$"
    ):
        decode_token(token)


def test_endless_nesting_in_a_token_is_an_error():
    payload = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    with pytest.raises(PlatformError, match="not an enrollment token"):
        decode_token(f"a.{payload}.c")


@pytest.mark.parametrize(
    ("roles", "names"),
    [(["proxy", "allocator"], ["allocator", "proxy"]), (["proxy", None, 1], ["proxy"]), ("proxy", []), (None, [])],
)
def test_roles_of_a_listed_token(roles, names):
    assert token_roles({"roles": roles}) == names


@pytest.mark.parametrize(
    ("claims", "roles", "persistent", "message"),
    [
        ({"roles": ["allocator"], "exp": 1}, ["allocator"], False, None),
        ({"roles": ["proxy", "allocator"], "exp": 1}, ["allocator", "proxy"], False, None),
        ({"roles": ["allocator"], "exp": 1}, ["allocator", "allocator"], False, None),
        ({"roles": ["allocator"], "persistent": True}, ["allocator"], True, None),
        (
            {"roles": ["allocator", "director"], "exp": 1},
            ["allocator"],
            False,
            "roles allocator, got one with allocator, director",
        ),
        ({"roles": [], "exp": 1}, ["allocator"], False, "got one with none"),
        ({"exp": 1}, ["allocator"], False, "got one with none"),
        ({"roles": None, "exp": 1}, ["allocator"], False, "got one with none"),
        ({"roles": [7, "allocator"], "exp": 1}, ["allocator"], False, "got one with 7, allocator"),
        ({"roles": ["allocator"]}, ["allocator"], False, "got one that never expires"),
    ],
)
def test_token_mismatch(claims, roles, persistent, message):
    sentence = token_mismatch(claims, roles, persistent)
    assert sentence is None if message is None else message in sentence


@pytest.mark.parametrize("roles", [5, "allocator", {"allocator": 1}, True, [["allocator"]]])
def test_a_token_with_roles_of_another_type_is_not_what_was_asked_for(roles):
    assert "asked for a token with roles allocator" in token_mismatch(
        {"roles": roles, "exp": 1999999999}, ["allocator"], False
    )


@pytest.mark.parametrize("end", [None, "soon", True, [1], float("nan"), float("inf"), 10**400])
def test_an_ephemeral_token_expires_at_a_number(end):
    assert "never expires" in token_mismatch({"roles": ["allocator"], "exp": end}, ["allocator"], False)


# -- the validity of a token -----------------------------------------------------------------------------------------


def test_the_times_of_a_token_are_numbers_and_users_see_utc(ece, make_client, monkeypatch):
    monkeypatch.setattr(enrollment.time, "time", lambda: 1767225600.5)
    ece.expect(
        "POST",
        TOKENS,
        json={"token": jwt(["allocator"], exp=1767229200)},
        sends={"persistent": False, "roles": ["allocator"], "validity_in_seconds": 3600},
    )
    request: enrollment.TokenRequest = {"roles": ["allocator"], "persistent": False, "validity_seconds": 3600}
    minted = enrollment.mint(make_client(), request)
    assert (minted["minted_at"], minted["expires_at"]) == (1767225600.5, 1767229200)
    assert enrollment.utc(minted["minted_at"]) == "2026-01-01T00:00:00Z"
    assert enrollment.utc(minted["expires_at"]) == "2026-01-01T01:00:00Z"


@pytest.mark.parametrize("timestamp", [None, 10**15, -(10**15), 1e17, float("nan"), float("inf")])
def test_a_time_beyond_the_calendar_is_none(timestamp):
    assert enrollment.utc(timestamp) is None


@pytest.mark.parametrize(
    ("install_timeout", "hosts", "forks", "seconds"),
    [
        (1800, 5, 5, 2120),
        (1800, 6, 5, 2140),
        (1800, 500, 5, 4100),
        (1800, 5000, 5, 5700),
        (0.5, 1, 0, 320),
        (2**31, 1, 5, 2**31 - 1),
        (float(2**40), 1, 5, 2**31 - 1),
    ],
)
def test_token_validity_covers_the_rounds_of_starts_the_install_and_a_margin_within_the_apis_limit(
    install_timeout, hosts, forks, seconds
):
    assert token_validity(install_timeout, hosts, forks) == seconds


@pytest.mark.parametrize(("forks", "hosts"), [(5, 900), (1, 180), (0, 180), (50, 9000)])
def test_one_token_is_for_as_many_hosts_as_can_start_within_an_hour(forks, hosts):
    assert hosts_per_token(forks) == hosts


def test_a_batch_is_never_smaller_than_the_forks(monkeypatch):
    monkeypatch.setattr(enrollment, "STARTS_MAX_SECONDS", enrollment.START_SECONDS - 1)
    assert hosts_per_token(5) == 5


@given(st.integers(1, 10_000), st.floats(1, 100_000))
def test_the_token_of_the_largest_batch_covers_all_its_starts(forks, install_timeout):
    hosts = hosts_per_token(forks)
    validity = token_validity(install_timeout, hosts, forks)
    last_round = (hosts // forks - 1) * enrollment.START_SECONDS
    assert latest_start(validity, 0, None, install_timeout) >= last_round


@pytest.mark.parametrize(
    ("validity", "minted_at", "expires_at", "latest"),
    [
        # 1800 s for the install and 60 s to present the token remain after this.
        (2120, 1000, 3120, 1260),
        # The platform's clock is ahead: the requested validity counts.
        (2120, 1000, 9000, 1260),
        # The expiry is not known.
        (2120, 1000, None, 1260),
        # The platform grants just enough for an install, so it must start at once.
        (2120, 1000, 2860, 1000),
        # The platform grants less than an install may take: any time within the validity is as good as any other.
        (2120, 1000, 2859, 2859),
        (2120, 1000, 1900, 1900),
        # The platform's clock is behind: the token seems to have expired, but may be valid.
        (2120, 1000, 500, 1060),
        # Neither limit is known.
        (None, 1000, None, float("inf")),
        (None, 1000, 3120, 1260),
    ],
)
def test_an_installer_may_start_as_long_as_it_can_present_the_token_at_its_end(validity, minted_at, expires_at, latest):
    assert latest_start(validity, minted_at, expires_at, 1800) == latest


@given(st.integers(1, 2**31), st.integers(1, 100_000), st.integers(1, 1000))
def test_an_installer_may_always_start_with_a_new_token(install_timeout, hosts, forks):
    assert latest_start(token_validity(install_timeout, hosts, forks), 0, None, install_timeout) >= 0
