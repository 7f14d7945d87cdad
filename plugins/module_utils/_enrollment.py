# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Enrollment tokens: mint one without leaving another behind, revoke it, and compute for how long it has to be valid.

A persistent token lives until it is revoked, so a mint whose answer is lost needs a cleanup. The API never shows a
token again and does not record who minted it; what is left is to compare its list from before with that from after. For
that comparison to mean something, plays on one machine mint one after the other (mint_lock). A token that was minted
elsewhere meanwhile is not touched if it can be distinguished, and is named in the message if it cannot.

Source: enrollment tokens in the API specification of ECE 3.8.0 (https://github.com/elastic/cloud-sdk-go,
api/apidocs.json at commit 8c0d792). What a token holds is not specified, but shown by
https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/generate-roles-tokens.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import json
import math
import socket
import time
from datetime import datetime, timezone
from typing import Any, Callable, Iterator, Mapping, Sequence, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._client import (
    EceApiError,
    EceClient,
    EceConnectionError,
    EceError,
    EceProtocolError,
)
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._records import number_of

# An abstract socket name in the kernel instead of a file: it ends with its process, however that ends, and needs no
# cleanup. There is one for each network namespace, so for each machine or container.
MINT_LOCK_NAME = "\0ece.platform.sole-mint"
# A mint is a few requests. The name is open to all users of a machine, so none of them can delay a mint for longer.
MINT_LOCK_TIMEOUT_SECONDS = 120
# A coordinator that was too slow to answer may still mint; the list is searched for this long, plus one request.
ORPHAN_SEARCH_SECONDS = 15
POLL_SECONDS = 1

# The installer presents the token at its very end. This covers differing clocks, slow starts and the mint itself.
TOKEN_MARGIN_SECONDS = 300
# Starting one installer may take this long, including its download.
START_SECONDS = 20
# Starting the installers of one batch may take this long; a longer batch is cut, because each batch has its own token.
STARTS_MAX_SECONDS = 3600
# A token must be valid for this much longer than an install may take, for the installer to present it.
TOKEN_USE_MARGIN_SECONDS = 60
# int32 in the API specification.
TOKEN_VALIDITY_MAX_SECONDS = 2**31 - 1

Sleep = Callable[[float], None]


class TokenRequest(TypedDict):
    """The token to mint. validity_seconds: of an ephemeral token; None for the platform's default."""

    roles: list[str]
    persistent: bool
    validity_seconds: int | None


class MintedToken(TypedDict):
    """A minted token. Times are seconds since 1970: minted_at by this machine's clock, expires_at by the platform's.

    token_id is None for an ephemeral token, expires_at for a persistent one. warnings: what a user should know.
    """

    token: str
    token_id: str | None
    expires_at: float | None
    minted_at: float
    roles: list[str]
    warnings: list[str]


def utc(timestamp: float | None) -> str | None:
    """Return seconds since 1970 as 2026-01-01T00:00:00Z; None for None and for times beyond the calendar."""
    if timestamp is None:
        return None
    try:
        return datetime.fromtimestamp(timestamp, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


# -- mint and revoke -------------------------------------------------------------------------------------------------


def mint(client: EceClient, request: TokenRequest) -> MintedToken:
    """Mint one token with one request. Raises EceError, PlatformError.

    A token that differs from the request is an error, and is revoked if possible. If the answer for a persistent token
    is lost, the token is looked for and revoked.
    """
    roles = sorted(set(request["roles"]))
    if not request["persistent"]:
        return _mint(client, roles, False, request["validity_seconds"])
    with mint_lock(client.sleep) as lock:
        before = _token_ids(client)
        try:
            return {**_mint(client, roles, True, None), "warnings": lock.warnings}
        except EceError as error:
            if not answer_lost(error):
                raise
            # With an answer the platform has minted already, if it does at all; without one it may still do so.
            unanswered = isinstance(error, EceConnectionError) or getattr(error, "status", None) in (408, 502, 504)
            outcome = revoke_orphan(client, before, roles, ORPHAN_SEARCH_SECONDS if unanswered else 0, lock.held)
            raise PlatformError(f"{error}. {outcome}") from None


def _mint(client: EceClient, roles: list[str], persistent: bool, validity_seconds: int | None) -> MintedToken:
    minted_at = time.time()
    reply = client.create_enrollment_token(roles, persistent, validity_seconds)
    token_id: Any = reply.get("token_id")
    claims: dict[str, Any] = {}
    try:
        claims = decode_token(reply["token"])
        # The reply may lack the id to revoke the token by; the token has it as well.
        token_id = token_id or (claims.get("sub") if claims.get("persistent") else None)
        mismatch = token_mismatch(claims, roles, persistent)
    except PlatformError as error:
        mismatch = str(error)
    if persistent and not _is_id(token_id):
        raise EceProtocolError(
            f"POST enrollment-tokens at {client.url} answered without a usable 'token_id', which the API promises"
        )
    if mismatch:
        raise PlatformError(mismatch + _discard(client, token_id))
    return {
        "token": reply["token"],
        "token_id": token_id if persistent else None,
        "expires_at": number_of(claims.get("exp")),
        "minted_at": minted_at,
        "roles": roles,
        "warnings": [],
    }


def _is_id(token_id: Any) -> bool:
    return isinstance(token_id, str) and bool(token_id)


def _discard(client: EceClient, token_id: Any) -> str:
    """Revoke a useless token if it is persistent, and return the outcome as the end of a sentence."""
    if not _is_id(token_id):
        return ""
    try:
        revoke(client, token_id)
    except PlatformError as error:
        return f"; token_id {token_id} could not be revoked ({error}): revoke it"
    return f"; token_id {token_id} is revoked"


def revoke(client: EceClient, token_id: str) -> bool:
    """Revoke a persistent token and return whether it was there. Raises EceError, PlatformError.

    Only the list proves the revocation: an empty page or a 404 in answer to the DELETE may come from a proxy.
    """
    changed = client.delete_enrollment_token(token_id)
    if token_id in _token_ids(client):
        state = "revoked" if changed else "not known"
        raise PlatformError(f"the platform answered that token_id {token_id} is {state}, but lists it still")
    return changed


def _token_ids(client: EceClient) -> set[str]:
    return {token["token_id"] for token in client.enrollment_tokens()}


# -- a lost answer ---------------------------------------------------------------------------------------------------


def answer_lost(error: EceError) -> bool:
    """Return whether the platform may have minted a token although its answer did not arrive."""
    if isinstance(error, EceConnectionError):
        return error.sent
    # 408: a proxy in between gave up waiting; all other answers below 500 are refusals.
    return isinstance(error, EceProtocolError) or (
        isinstance(error, EceApiError) and (error.status >= 500 or error.status == 408)
    )


def revoke_orphan(
    client: EceClient, before: set[str], roles: Sequence[str], search_seconds: int, exclusive: Callable[[], bool]
) -> str:
    """Revoke the token whose answer was lost, and return the outcome as a sentence.

    before: ids of the tokens that existed before the mint. Only a token that is new, has exactly the requested roles,
    and is the only such token, can be the lost one. exclusive: returns whether no other play of this machine can have
    minted so far; without that, new tokens are named and none is revoked.
    """
    try:
        new = _new_tokens(client, before, roles, search_seconds)
    except EceError as error:
        return (
            "Whether it made a token is not known: "
            f"look for a new persistent one with ece_enrollment_token_info and revoke it ({error})"
        )
    if not new:
        return "No persistent token is new since"
    if len(new) > 1 or not exclusive():
        return (
            f"Persistent tokens that are new since: {', '.join(sorted(new))}; "
            "one may be the lost one: revoke the one that no other run has minted"
        )
    token_id = new.pop()
    try:
        revoke(client, token_id)
    except PlatformError as error:
        return f"The token that it made, token_id {token_id}, could not be revoked ({error}): revoke it"
    return f"The token that it made, token_id {token_id}, is revoked"


def _new_tokens(client: EceClient, before: set[str], roles: Sequence[str], search_seconds: int) -> set[str]:
    """Return the ids of new tokens with these roles, once there are any. Raises EceError if the last request failed."""
    deadline = time.monotonic() + search_seconds
    new: set[str] = set()
    failure: EceError | None = None
    for pause in [0] + [POLL_SECONDS] * (search_seconds // POLL_SECONDS):
        client.sleep(pause)
        try:
            tokens = client.enrollment_tokens()
            failure = None
            new = {token["token_id"] for token in tokens if token_roles(token) == sorted(roles)} - before
        except EceError as error:
            failure = error
        if new or time.monotonic() > deadline:
            break
    if failure:
        raise failure
    return new


class MintLock:
    """The turn of one play to mint persistent tokens, for which the other plays of this machine wait.

    Only one datagram socket can have the name, and it gets what others send to the name. A play that does not get its
    turn in time mints all the same, and says so to the one whose turn it is: neither can tell the other's token then.
    """

    def __init__(self, lock: socket.socket) -> None:
        self.warnings: list[str] = []
        self._socket = lock
        self._bound = False

    def wait(self, sleep: Sleep, timeout_seconds: int) -> None:
        """Wait for the turn. There are no turns on systems without abstract socket names (other than Linux)."""
        try:
            for _second in range(0, timeout_seconds + POLL_SECONDS, POLL_SECONDS):
                if self._bind():
                    return
                sleep(POLL_SECONDS)
            while not self._say_so():
                if self._bind():
                    return
        except OSError:
            return
        self.warnings.append(
            f"another process has kept this machine's lock for minting for {timeout_seconds} s, so the token was "
            "minted without it: while both mint, a token whose answer is lost is named instead of revoked. "
            f"ss -xap shows the process, which has the socket @{MINT_LOCK_NAME[1:]}"
        )

    def held(self) -> bool:
        """Return whether no other play of this machine can have minted since the turn began."""
        if self._bound:
            with contextlib.suppress(OSError):
                self._socket.recv(1, socket.MSG_DONTWAIT)
                self._bound = False
        return self._bound

    def _bind(self) -> bool:
        try:
            self._socket.bind(MINT_LOCK_NAME)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
        self._bound = True
        return True

    def _say_so(self) -> bool:
        """Return whether there is someone whose turn it is, who knows now that this play does not wait."""
        try:
            self._socket.sendto(b".", socket.MSG_DONTWAIT, MINT_LOCK_NAME)
        except ConnectionRefusedError:
            return False
        except BlockingIOError:
            pass  # others have said so already
        return True


@contextlib.contextmanager
def mint_lock(sleep: Sleep = time.sleep, timeout_seconds: int | None = None) -> Iterator[MintLock]:
    """Let plays of this machine mint persistent tokens one after the other."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as name:
        lock = MintLock(name)
        lock.wait(sleep, MINT_LOCK_TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds)
        yield lock


# -- the content of a token ------------------------------------------------------------------------------------------


def decode_token(token: str) -> dict[str, Any]:
    """Return the claims of an enrollment token (JWT), without verifying its signature. Raises PlatformError."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise PlatformError("the platform answered the mint with something that is not an enrollment token (JWT)")
    return claims


def token_roles(token: Mapping[str, Any]) -> list[str]:
    """Return the roles of a listed token (ListEnrollmentTokenElement), sorted."""
    roles = token.get("roles")
    return sorted(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else []


def token_mismatch(claims: Mapping[str, Any], roles: Sequence[str], persistent: bool) -> str | None:
    """Return a message if the token differs from the request, else None."""
    claimed = claims.get("roles")
    held = sorted(map(str, claimed)) if isinstance(claimed, list) else []
    if held != sorted(set(roles)):
        wanted = ", ".join(sorted(roles)) or "none"
        return f"asked for a token with roles {wanted}, got one with {', '.join(held) or 'none'}"
    if not persistent and number_of(claims.get("exp")) is None:
        return "asked for an ephemeral token, got one that never expires"
    return None


# -- the validity of a token -----------------------------------------------------------------------------------------


def token_validity(install_timeout: float, hosts: int = 1, forks: int = 5) -> int:
    """Return the seconds for which the token of one batch has to be valid.

    Installers are started `forks` at a time, and each presents the token at its end, at most install_timeout seconds
    later.
    """
    rounds = -(-hosts // max(1, forks))
    starts = min(rounds * START_SECONDS, STARTS_MAX_SECONDS)
    return int(min(install_timeout + TOKEN_MARGIN_SECONDS + starts, TOKEN_VALIDITY_MAX_SECONDS))


def hosts_per_token(forks: int) -> int:
    """Return how many hosts can start within STARTS_MAX_SECONDS, `forks` at a time: the largest batch for one token."""
    forks = max(1, forks)
    return max(forks, forks * STARTS_MAX_SECONDS // START_SECONDS)


def latest_start(
    validity_seconds: float | None, minted_at: float, expires_at: float | None, install_timeout: float
) -> float:
    """Return the latest time at which an installer may start so that it can still present the token at its end.

    All times are seconds since 1970, the result by this machine's clock. validity_seconds: as requested from the
    platform, which may grant less; None if it is not limited. expires_at: by the platform's clock, None if it is not
    known. Clocks may differ so much that the token seems to be expired at once; it is taken to be valid for
    TOKEN_USE_MARGIN_SECONDS then, so that hosts can start at all.
    """
    limits = [validity_seconds, None if expires_at is None else expires_at - minted_at]
    granted = max(TOKEN_USE_MARGIN_SECONDS, min((limit for limit in limits if limit is not None), default=math.inf))
    needed = install_timeout + TOKEN_USE_MARGIN_SECONDS
    # If the platform grants less than one install may take, no other token would do better: the whole validity is used
    # for starts.
    return minted_at + granted - needed if granted >= needed else minted_at + granted
