# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Enrollment tokens: signed JWTs (HS256), which a client can decode. Part of the platform layer.

An ephemeral token expires; the platform does not list it and cannot revoke it. A persistent token is valid until it is
revoked.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from typing import Any

import jwt

from tests.standin.model import ROLES, ApiError, Refused, Secret

DEFAULT_VALIDITY_SECONDS = 3600
INT32_MAX = 2**31 - 1


def _invalid(message: str, *fields: str) -> ApiError:
    return ApiError(400, "enrollment_tokens.invalid_token_request", message, fields, code_header=False)


def _roles(request: dict[str, Any]) -> list[str]:
    roles = request.get("roles")
    roles = [] if roles is None else roles
    if not isinstance(roles, list) or any(role not in ROLES for role in roles):
        raise _invalid(f"roles is a list of {', '.join(ROLES)}.", "roles")
    return list(roles)


def _validity(request: dict[str, Any]) -> int:
    validity = request.get("validity_in_seconds")
    if validity is None:
        return DEFAULT_VALIDITY_SECONDS
    if request.get("persistent"):
        raise _invalid("validity_in_seconds is for tokens that are not persistent.", "validity_in_seconds")
    if isinstance(validity, bool) or not isinstance(validity, int) or not 0 < validity <= INT32_MAX:
        raise _invalid("validity_in_seconds is a whole number above 0.", "validity_in_seconds")
    return validity


class EnrollmentTokens:
    """All enrollment tokens of the platform. Not thread-safe: the caller holds the platform's lock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._key = secrets.token_bytes(32)
        self._live: dict[str, tuple[str, ...]] = {}
        self.minted = 0
        # Every token there ever was, valid or not.
        self.secrets: list[Secret] = []
        # The longest validity of an ephemeral token, in seconds, whatever a client asks for. None: no limit.
        self.max_validity: int | None = None
        # For how many seconds after its expiry an ephemeral token is still good.
        self.leeway_seconds = 0

    @property
    def live(self) -> dict[str, tuple[str, ...]]:
        """The persistent tokens that are not revoked: id to roles."""
        return dict(self._live)

    def mint(self, request: Any) -> dict[str, str]:
        """Mint a token for the API's request body and return the API's reply. Raises ApiError.

        It is stricter than the product where the product's documents do not specify a case.
        """
        if not isinstance(request, dict):
            raise _invalid("The request is not an object.")
        persistent = request.get("persistent")
        if not isinstance(persistent, bool):
            raise _invalid("persistent is required and is a boolean.", "persistent")
        roles, validity = _roles(request), _validity(request)
        token_id = str(uuid.uuid4())
        claims: dict[str, Any] = {"sub": token_id, "roles": roles, "iss": "current"}
        if persistent:
            claims["persistent"] = True
        else:
            claims["exp"] = int(self._now()) + min(validity, self.max_validity or INT32_MAX)
        token = jwt.encode(claims, self._key, algorithm="HS256")
        self.minted += 1
        self.secrets.append(Secret("enrollment token", token))
        if not persistent:
            return {"token": token}
        self._live[token_id] = tuple(roles)
        return {"token": token, "token_id": token_id}

    def revoke(self, token: str) -> None:
        """Revoke a persistent token, named by its id or by the token itself. Raises ApiError for any other token."""
        token_id = token
        if token.count(".") == 2:
            try:
                token_id = str(self._claims(token).get("sub"))
            except Refused:
                token_id = ""
        if self._live.pop(token_id, None) is None:
            raise ApiError(
                404, "enrollment_tokens.invalid_token_id", "There is no such enrollment token.", code_header=False
            )

    def admit(self, token: str) -> frozenset[str]:
        """Return the roles that a token gives to a host that joins. Raises Refused."""
        if not token:
            raise Refused("no enrollment token")
        claims = self._claims(token)
        if claims.get("persistent"):
            if claims.get("sub") not in self._live:
                raise Refused("enrollment token was revoked")
        elif self._now() >= float(claims.get("exp", 0)) + self.leeway_seconds:
            raise Refused("enrollment token has expired")
        return frozenset(claims.get("roles") or ())

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            # The platform's clock decides about the expiry, because tests may advance it.
            return jwt.decode(
                token, self._key, algorithms=["HS256"], options={"verify_exp": False, "verify_aud": False}
            )
        except jwt.PyJWTError:
            raise Refused("enrollment token was not minted by this platform") from None
