# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources /user and /users/auth: the caller, sessions and API keys. Part of the API layer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tests.standin.accounts import User
from tests.standin.api.messages import Json, Reply, json_body, json_object, platform_of, user_of

READ_PERMISSIONS = (
    "get-platform",
    "get-allocators",
    "search-allocators",
    "get-allocator",
    "get-runners",
    "search-runners",
    "get-runner",
    "get-enrollment-tokens",
)
WRITE_PERMISSIONS = (
    "create-enrollment-token",
    "delete-enrollment-token",
    "delete-allocator",
    "delete-runner",
    "set-runner-roles",
    "move-clusters",
    "set-allocator-metadata",
    "start-allocator-maintenance-mode",
    "stop-allocator-maintenance-mode",
)


async def login(request: Request) -> Response:
    """Begin a session. With `login_state.path` the reply is a redirection to that path, without a token."""
    body = await json_body(request)
    with platform_of(request).lock:
        session = platform_of(request).accounts.login(body)
    state = body.get("login_state")
    path = state.get("path") if isinstance(state, dict) else None
    return Reply({}, 302, {"location": str(path)}) if path else Reply(session)


async def refresh(request: Request) -> Response:
    """Begin another session for the caller's session."""
    with platform_of(request).lock:
        return Reply(platform_of(request).accounts.refresh(request.headers.get("authorization", "")))


async def logout(request: Request) -> Response:
    """End the caller's session."""
    with platform_of(request).lock:
        platform_of(request).accounts.logout(request.headers.get("authorization", ""))
    return Reply({})


async def get_user(request: Request) -> Response:
    """Show the caller with its permissions."""
    return Reply(shown_user(user_of(request)))


async def get_keys(request: Request) -> Response:
    """List the caller's API keys."""
    with platform_of(request).lock:
        return Reply({"keys": platform_of(request).accounts.keys_of(user_of(request))})


async def create_key(request: Request) -> Response:
    """Create an API key for the caller."""
    body = await json_object(request)
    with platform_of(request).lock:
        made = platform_of(request).accounts.add_key(user_of(request), str(body.get("description") or ""))
    return Reply(made, 201)


def shown_user(item: User) -> Json:
    """Return a user as the API shows it. The permissions are the operations that the user's roles permit."""
    return {
        "user_name": item.name,
        "builtin": item.builtin,
        "security": {
            "roles": list(item.roles),
            "permissions": [*READ_PERMISSIONS, *(WRITE_PERMISSIONS if item.may_write else ())],
            "enabled": True,
            "security_realm": {"type": "native", "id": "native"},
        },
    }
