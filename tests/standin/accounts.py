# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may call the API: built-in users, one native user with API keys, sessions that end."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from tests.standin.model import ApiError, Secret

# Whoever quotes carelessly, on a command line or in a template, shall notice here and not at the customer's.
AWKWARD = "$'\"% \\"


@dataclass(frozen=True, slots=True)
class User:
    name: str
    password: str
    roles: tuple[str, ...]
    builtin: bool

    @property
    def may_write(self) -> bool:
        return "ece_platform_admin" in self.roles


def stamp(seconds: float) -> str:
    """A time as the API writes it."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unauthenticated() -> ApiError:
    return ApiError(401, "root.unauthenticated", "The supplied authentication is invalid.")


class Accounts:
    """Not thread-safe: the platform's lock is held by whoever calls."""

    def __init__(self, now: Callable[[], float], session_seconds: float) -> None:
        self._now = now
        self.session_seconds = session_seconds
        self.key_seconds = 90 * 86400.0
        self.admin = User(
            "admin", secrets.token_urlsafe(6) + AWKWARD + secrets.token_urlsafe(6), ("ece_platform_admin",), True
        )
        self.readonly = User(
            "readonly", secrets.token_urlsafe(6) + AWKWARD + secrets.token_urlsafe(6), ("ece_platform_viewer",), True
        )
        self.native = User("automation", secrets.token_urlsafe(18), ("ece_platform_admin",), False)
        self._users = {user.name: user for user in (self.admin, self.readonly, self.native)}
        self._sessions: dict[str, tuple[User, float]] = {}
        self._keys: dict[str, tuple[str, User, float, str, float]] = {}
        # All that ever opened a door, whether it still does or not.
        self.secrets = [Secret(f"password of {user.name}", user.password, user.name) for user in self._users.values()]
        self.api_key = self.add_key(self.native, "of the stand-in")["key"]
        self.readonly_api_key = self.add_key(User("viewer", "", ("ece_platform_viewer",), False), "may read only")[
            "key"
        ]

    # -- API keys ------------------------------------------------------------------------------------------------------

    def add_key(self, user: User, description: str) -> dict[str, str]:
        if user.builtin:
            raise ApiError(400, "api_keys.invalid_input", "API keys cannot be created for built-in users.")
        if not description:
            raise ApiError(400, "api_keys.invalid_input", "description is required.", ("description",))
        key_id, key = secrets.token_hex(10), base64.b64encode(secrets.token_bytes(33)).decode()
        self._keys[key] = (key_id, user, self._now() + self.key_seconds, description, self._now())
        self.secrets.append(Secret(f"API key of {user.name}", key))
        return {**self._key_reply(key), "key": key}

    def keys_of(self, user: User) -> list[dict[str, str]]:
        return [self._key_reply(key) for key, entry in self._keys.items() if entry[1] == user]

    def _key_reply(self, key: str) -> dict[str, str]:
        key_id, user, expires, description, created = self._keys[key]
        return {
            "id": key_id,
            "user_id": user.name,
            "description": description,
            "creation_date": stamp(created),
            "expiration_date": stamp(expires),
        }

    def key_expiry(self, authorization: str) -> str | None:
        """For the header that every reply to a call with an API key carries."""
        scheme, _blank, key = authorization.partition(" ")
        entry = self._keys.get(key) if scheme.lower() == "apikey" else None
        return stamp(entry[2]) if entry else None

    # -- sessions ------------------------------------------------------------------------------------------------------

    def login(self, body: Any) -> dict[str, str]:
        if not isinstance(body, dict):
            raise ApiError(400, "root.invalid_data", "The request is not an object.")
        return self._open(self._by_password(str(body.get("username", "")), str(body.get("password", ""))))

    def refresh(self, authorization: str) -> dict[str, str]:
        scheme, _blank, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise ApiError(401, "root.unauthorized", "There is no session to refresh.")
        return self._open(self._by_session(token))

    def logout(self, authorization: str) -> None:
        self._sessions.pop(authorization.partition(" ")[2], None)

    def _open(self, user: User) -> dict[str, str]:
        token = secrets.token_urlsafe(48)
        expires = self._now() + self.session_seconds
        self._sessions[token] = (user, expires)
        self.secrets.append(Secret(f"session token of {user.name}", token))
        return {"token": token, "session_expiration_time": stamp(expires)}

    # -- every call ----------------------------------------------------------------------------------------------------

    def authenticate(self, authorization: str) -> User:
        scheme, _blank, rest = authorization.partition(" ")
        scheme = scheme.lower()
        if scheme == "basic":
            try:
                name, _colon, password = base64.b64decode(rest, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise _unauthenticated() from None
            return self._by_password(name, password)
        if scheme == "apikey":
            entry = self._keys.get(rest)
            if entry is None or entry[2] <= self._now():
                raise _unauthenticated()
            return entry[1]
        if scheme == "bearer":
            return self._by_session(rest)
        raise _unauthenticated()

    def _by_password(self, name: str, password: str) -> User:
        user = self._users.get(name)
        if user is None or not user.password or not hmac.compare_digest(user.password.encode(), password.encode()):
            raise _unauthenticated()
        return user

    def _by_session(self, token: str) -> User:
        session = self._sessions.get(token)
        if session is None:
            raise _unauthenticated()
        user, expires = session
        if self._now() >= expires:
            raise ApiError(401, "root.unauthorized", "The session has expired.")
        return user
