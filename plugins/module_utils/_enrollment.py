# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mint one enrollment token, and leave none behind that nobody has.

A persistent token lives until it is revoked, so a mint whose answer is lost has to be cleared up. The API never shows a token again
and knows no owner of one; what is left is to compare its list from before with that from after. For that comparison to mean
anything, plays of this machine take turns (C(sole_mint)); what somebody else mints meanwhile, from elsewhere, is left alone as long
as it can be told apart, and named where it cannot.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import json
import socket
import time
from datetime import datetime, timezone
from typing import Any, Callable, Iterator, Mapping, Sequence

from ansible_collections.ece.platform.plugins.module_utils._client import (
    EceApiError,
    EceClient,
    EceConnectionError,
    EceError,
    EceProtocolError,
)
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._records import number_of

# A name in the kernel and not a file: it goes with its process, however that ends, and there is nothing to clear up. It is one for
# each network namespace, so for a machine or a container.
TURN = "\0ece.platform.sole-mint"
# A mint takes as long as a few requests that time out; whoever waits longer than this waits for something that hangs, and goes on.
TURN_SECONDS = 300
# A coordinator that was too slow to answer may still mint; the list is asked for this long, and one question more.
PATIENCE_SECONDS = 15
POLL_SECONDS = 1
# The installer knocks with the token at its very end; this is what clocks, slow starts and the mint itself may take.
TOKEN_MARGIN_SECONDS = 300
# What starting one installer may take, download included.
START_SECONDS = 20
# However long a batch takes to start: the hosts that come later than this get a token of their own.
STARTS_MAX_SECONDS = 3600
# With less than this beyond its install timeout, a host is not started with a token any more.
KNOCK_SECONDS = 60
TOKEN_VALIDITY_MAX_SECONDS = 2**31 - 1

Sleep = Callable[[float], None]


def utc(timestamp: Any) -> str | None:
    """2026-01-01T00:00:00Z; None for what is no time."""
    try:
        return datetime.fromtimestamp(timestamp, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def mint(client: EceClient, roles: Sequence[str], persistent: bool, validity_seconds: int | None = None) -> dict:
    """POST enrollment-tokens, once: token, token_id (persistent only), expires_at, minted_at, roles. Raises EceError, PlatformError.

    validity_seconds: of an ephemeral token; None for the platform's default. A token that is not what was asked for is revoked
    where that is possible, and is an error.
    """
    roles = sorted(set(roles))
    if not persistent:
        return _mint(client, roles, False, validity_seconds)
    with sole_mint(client.sleep) as alone:
        before = _ids(client)
        try:
            return _mint(client, roles, True, None)
        except EceError as error:
            if not answer_lost(error):
                raise
            # Whoever answered has done what it did; who has not may do it yet.
            unanswered = isinstance(error, EceConnectionError) or getattr(error, "status", None) in (408, 502, 504)
            raise PlatformError(
                f"{error}. {clear_up(client, before, roles, PATIENCE_SECONDS if unanswered else 0, alone)}"
            ) from None


def _mint(client: EceClient, roles: list[str], persistent: bool, validity_seconds: int | None) -> dict:
    minted_at = time.time()
    reply = client.create_enrollment_token(roles, persistent, validity_seconds)
    token_id, claims = reply.get("token_id"), {}
    try:
        claims = decode_token(reply["token"])
        # The token's own id, where the reply lacks the one that it is revoked by.
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
        "expires_at": utc(claims.get("exp")),
        "minted_at": utc(minted_at),
        "roles": roles,
    }


def _is_id(token_id: Any) -> bool:
    return isinstance(token_id, str) and bool(token_id)


def _discard(client: EceClient, token_id: Any) -> str:
    """Revoke a persistent token that is of no use; what became of it, as the end of a sentence."""
    if not _is_id(token_id):
        return ""
    try:
        revoke(client, token_id)
    except (EceError, PlatformError) as error:
        return f"; token_id {token_id} could not be revoked, so do that: {error}"
    return f"; token_id {token_id} is revoked"


def revoke(client: EceClient, token_id: str) -> bool:
    """DELETE a persistent token by its id; False when it was gone already. Raises EceError, PlatformError.

    Only the list proves it: what answers a DELETE with an empty page, or with 404, need not be the platform.
    """
    changed = client.delete_enrollment_token(token_id)
    if token_id in _ids(client):
        raise PlatformError(
            f"the platform answered that token_id {token_id} is {'revoked' if changed else 'not known'}, but lists it still"
        )
    return changed


# -- a lost answer -------------------------------------------------------------------------------------------------------


def answer_lost(error: EceError) -> bool:
    """Whether a token may have been minted although there is no answer with it."""
    if isinstance(error, EceConnectionError):
        return error.sent
    # 408: a proxy in between gave up waiting; all other answers below 500 are refusals.
    return isinstance(error, EceProtocolError) or (
        isinstance(error, EceApiError) and (error.status >= 500 or error.status == 408)
    )


def clear_up(client: EceClient, before: set[str], roles: Sequence[str], patience_seconds: int, alone: bool) -> str:
    """Find the token of a mint whose answer was lost, and revoke it: what came of that, as a sentence. C(before): ids that were there.

    Only a token that is new since, has exactly the roles that were asked for, and is the only one like that, can be the lost one.
    alone: whether no other play of this machine can have minted meanwhile; if one can, new tokens are named and none is revoked.
    """
    deadline = time.monotonic() + patience_seconds
    new: set[str] = set()
    unknown = None
    for pause in [0] + [POLL_SECONDS] * (patience_seconds // POLL_SECONDS):
        client.sleep(pause)
        try:
            unknown, new = (
                None,
                {token["token_id"] for token in client.enrollment_tokens() if token_roles(token) == sorted(roles)}
                - before,
            )
        except EceError as error:
            unknown = error
        if new or time.monotonic() > deadline:
            break
    if unknown:
        return f"Whether it made a token is not known: look for a new persistent one with ece_enrollment_token_info and revoke it ({unknown})"
    if not new:
        return "No persistent token is new since"
    if len(new) > 1 or not alone:
        return f"Persistent tokens that are new since: {', '.join(sorted(new))}; one may be the lost one, and only who made the others can tell: revoke it"
    token_id = new.pop()
    try:
        revoke(client, token_id)
    except (EceError, PlatformError) as error:
        return f"The token that it made, token_id {token_id}, could not be revoked, so do that: {error}"
    return f"The token that it made, token_id {token_id}, is revoked"


def _ids(client: EceClient) -> set[str]:
    return {token["token_id"] for token in client.enrollment_tokens()}


@contextlib.contextmanager
def sole_mint(sleep: Sleep = time.sleep, turn_seconds: float | None = None) -> Iterator[bool]:
    """Nobody else on this machine mints a persistent token meanwhile, as long as that is True.

    It is False where the turn has not come in time, as when somebody holds the name who is no play, and where the system has no such
    names (other than Linux): tokens that two plays mint at the same moment can then not be told apart.
    """
    with socket.socket(socket.AF_UNIX) as turn:
        alone = False
        for _second in range(
            0, int(TURN_SECONDS if turn_seconds is None else turn_seconds) + POLL_SECONDS, POLL_SECONDS
        ):
            try:
                turn.bind(TURN)
                alone = True
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    break
            sleep(POLL_SECONDS)
        yield alone


# -- what a token permits, and for how long --


def decode_token(token: str) -> dict:
    """Claims of an enrollment token (JWT), read without verifying: only the platform has the key. Raises PlatformError."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise PlatformError("the platform answered the mint with something that is no enrollment token (JWT)")
    return claims


def token_roles(token: Mapping[str, Any]) -> list[str]:
    """Roles of a listed token (ListEnrollmentTokenElement), sorted."""
    roles = token.get("roles")
    return sorted(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else []


def token_mismatch(claims: Mapping[str, Any], roles: Sequence[str], persistent: bool) -> str | None:
    """A sentence where the token is not what was asked for, else None."""
    roles_of_token = claims.get("roles")
    held = sorted(map(str, roles_of_token)) if isinstance(roles_of_token, list) else []
    if held != sorted(set(roles)):
        return f"asked for a token with roles {', '.join(sorted(roles)) or 'none'}, got one with {', '.join(held) or 'none'}"
    if not persistent and number_of(claims.get("exp")) is None:
        return "asked for an ephemeral token, got one that never expires"
    return None


def token_validity(install_timeout: float, hosts: int = 1, forks: int = 5) -> int:
    """Seconds for which one batch needs its token: installers start C(forks) at a time, and each knocks at its end."""
    rounds = -(-hosts // max(1, forks))
    starts = min(rounds * START_SECONDS, STARTS_MAX_SECONDS)
    return int(min(install_timeout + TOKEN_MARGIN_SECONDS + starts, TOKEN_VALIDITY_MAX_SECONDS))


def token_granted(asked: float, minted_at: float, expires_at: float | None) -> float:
    """Seconds for which a token holds from its mint on, as far as can be told: a platform may grant less than was asked for.

    minted_at is of our clock and expires_at of the platform's; a clock that is wrong must not make of every token a used one.
    """
    return max(KNOCK_SECONDS, min(asked, asked if expires_at is None else expires_at - minted_at))


def token_is_late(granted: float, age: float, install_timeout: float) -> bool:
    """Whether an installer that starts now needs a newer token than this one, which was minted C(age) seconds ago.

    Where no token holds for a whole install timeout, one that is not a quarter used is as good as they come.
    """
    needed = install_timeout + KNOCK_SECONDS
    return granted - age < needed and (granted >= needed or age > granted / 4)
