# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource /platform/configuration/security/enrollment-tokens. Part of the API layer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tests.standin.api.messages import Reply, json_body, parameter, platform_of


async def get_tokens(request: Request) -> Response:
    """List the persistent tokens."""
    with platform_of(request).lock:
        live = platform_of(request).tokens.live
    return Reply({"tokens": [{"token_id": token_id, "roles": list(roles)} for token_id, roles in live.items()]})


async def create_token(request: Request) -> Response:
    """Mint a token."""
    body = await json_body(request)
    with platform_of(request).lock:
        return Reply(platform_of(request).tokens.mint(body))


async def delete_token(request: Request) -> Response:
    """Revoke a persistent token."""
    with platform_of(request).lock:
        platform_of(request).tokens.revoke(parameter(request, "token"))
    return Reply({})
