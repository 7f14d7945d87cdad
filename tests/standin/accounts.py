# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users of the API, with their passwords, API keys and sessions. Part of the platform layer."""

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

ADMIN_ROLES = ("ece_platform_admin",)
VIEWER_ROLES = ("ece_platform_viewer",)
API_KEY_SECONDS = 90 * 86400.0
# Part of the built-in users' passwords, so that wrong quoting in a command or a template fails in a test.
AWKWARD = "$'\"% \\"


@dataclass(frozen=True, slots=True)
class User:
    """A user of the API."""

    name: str
    password: str
    roles: tuple[str, ...]
    builtin: bool

    @property
    def may_write(self) -> bool:
        """Whether the user's roles permit requests that change something."""
        return "ece_platform_admin" in self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key. Times are seconds since the epoch."""

    key_id: str
    key: str
    user: User
    description: str
    created: float
    expires: float

    def reply(self) -> dict[str, str]:
        """Return the key as the API shows it, without its value."""
        return {
            "id": self.key_id,
            "user_id": self.user.name,
            "description": self.description,
            "creation_date": stamp(self.created),
            "expiration_date": stamp(self.expires),
        }


def stamp(seconds: float) -> str:
    """Return a time, in seconds since the epoch, as the API writes it."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _awkward_password() -> str:
    return secrets.token_urlsafe(6) + AWKWARD + secrets.token_urlsafe(6)


def _unauthenticated() -> ApiError:
    return ApiError(401, "root.unauthenticated", "The supplied authentication is invalid.")


class Accounts:
    """All users, API keys and sessions. Not thread-safe: the caller holds the platform's lock."""

    def __init__(self, now: Callable[[], float], session_seconds: float) -> None:
        self._now = now
        self._session_seconds = session_seconds
        self.admin = User("admin", _awkward_password(), ADMIN_ROLES, builtin=True)
        self.readonly = User("readonly", _awkward_password(), VIEWER_ROLES, builtin=True)
        self.native = User("automation", secrets.token_urlsafe(18), ADMIN_ROLES, builtin=False)
        self._users = {user.name: user for user in (self.admin, self.readonly, self.native)}
        self._sessions: dict[str, tuple[User, float]] = {}
        self._keys: dict[str, ApiKey] = {}
        # Every password, key and session token there ever was, valid or not.
        self.secrets = [Secret(f"password of {user.name}", user.password, user.name) for user in self._users.values()]
        viewer = User("viewer", "", VIEWER_ROLES, builtin=False)
        self.api_key = self.add_key(self.native, "of the stand-in")["key"]
        self.readonly_api_key = self.add_key(viewer, "may only read")["key"]

    # -- API keys ------------------------------------------------------------------------------------------------------

    def add_key(self, user: User, description: str) -> dict[str, str]:
        """Create an API key and return the API's reply with its value. Raises ApiError for a built-in user."""
        if user.builtin:
            raise ApiError(400, "api_keys.invalid_input", "API keys cannot be created for built-in users.")
        if not description:
            raise ApiError(400, "api_keys.invalid_input", "description is required.", ("description",))
        made = ApiKey(
            key_id=secrets.token_hex(10),
            key=base64.b64encode(secrets.token_bytes(33)).decode(),
            user=user,
            description=description,
            created=self._now(),
            expires=self._now() + API_KEY_SECONDS,
        )
        self._keys[made.key] = made
        self.secrets.append(Secret(f"API key of {user.name}", made.key))
        return {**made.reply(), "key": made.key}

    def keys_of(self, user: User) -> list[dict[str, str]]:
        """Return a user's API keys without their values."""
        return [key.reply() for key in self._keys.values() if key.user == user]

    def key_expiry(self, authorization: str) -> str | None:
        """Return when an API key expires, which the API adds as a header to each reply. None for other schemes."""
        scheme, _blank, key = authorization.partition(" ")
        found = self._keys.get(key) if scheme.lower() == "apikey" else None
        return stamp(found.expires) if found else None

    # -- sessions ------------------------------------------------------------------------------------------------------

    def login(self, body: Any) -> dict[str, str]:
        """Return the session token that the request body's user name and password give. Raises ApiError."""
        if not isinstance(body, dict):
            raise ApiError(400, "root.invalid_data", "The request is not an object.")
        return self._open(self._by_password(str(body.get("username", "")), str(body.get("password", ""))))

    def refresh(self, authorization: str) -> dict[str, str]:
        """Return a new session token for the session in the header. Raises ApiError where it has expired."""
        scheme, _blank, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise ApiError(401, "root.unauthorized", "There is no session to refresh.")
        return self._open(self._by_session(token))

    def logout(self, authorization: str) -> None:
        """End the session in the header."""
        self._sessions.pop(authorization.partition(" ")[2], None)

    def _open(self, user: User) -> dict[str, str]:
        token = secrets.token_urlsafe(48)
        expires = self._now() + self._session_seconds
        self._sessions[token] = (user, expires)
        self.secrets.append(Secret(f"session token of {user.name}", token))
        return {"token": token, "session_expiration_time": stamp(expires)}

    # -- authentication ------------------------------------------------------------------------------------------------

    def authenticate(self, authorization: str) -> User:
        """Return the user of an Authorization header: basic, API key or session. Raises ApiError."""
        scheme, _blank, credentials = authorization.partition(" ")
        scheme = scheme.lower()
        if scheme == "basic":
            try:
                name, _colon, password = base64.b64decode(credentials, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise _unauthenticated() from None
            return self._by_password(name, password)
        if scheme == "apikey":
            key = self._keys.get(credentials)
            if key is None or key.expires <= self._now():
                raise _unauthenticated()
            return key.user
        if scheme == "bearer":
            return self._by_session(credentials)
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
