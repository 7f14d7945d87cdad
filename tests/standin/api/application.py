# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API as an ASGI application, with authentication, permissions and errors. The top of the API layer."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.standin.api.messages import REGION, Context, Handler, error_reply, platform_of
from tests.standin.api.platform_info import get_installer
from tests.standin.api.routes import ENDPOINTS
from tests.standin.model import ApiError

PREFIXES = ("/api/v1", "/api/v1/regions/{region}")
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]
# Endings of the paths of POST requests that change nothing.
READING = ("/_search", "/_logout")


def application(context: Context, note: Callable[[str], None]) -> Starlette:
    """Return the API over a platform. `note` takes the message where the stand-in itself fails."""

    async def crash(request: Request, error: Exception) -> Response:
        note(f"the stand-in itself failed: {request.method} {request.url.path}: {error!r}")
        return error_reply(ApiError(500, "root.internal", f"The stand-in itself failed: {error!r}", code_header=False))

    routes = [Route("/installer/elastic-cloud-enterprise.sh", get_installer)]
    routes += [
        Route(prefix + one.path, _guarded(one.handler, one.open_to_all), methods=[one.method])
        for prefix in PREFIXES
        for one in ENDPOINTS
    ]
    # An unknown path needs credentials, too, before it is a 404.
    routes.append(Route("/api/{rest:path}", _guarded(_unknown_path, False), methods=METHODS))
    made = Starlette(
        routes=routes, exception_handlers={HTTPException: _http_error, ApiError: _api_error, Exception: crash}
    )
    made.state.context = context
    return made


def _guarded(handler: Handler, open_to_all: bool) -> Handler:
    async def guarded(request: Request) -> Response:
        if request.path_params.get("region", REGION) != REGION:
            raise ApiError(404, "root.region_not_found", "There is no such region.", code_header=False)
        authorization = request.headers.get("authorization", "")
        if not open_to_all:
            _authenticate(request, authorization)
        try:
            response = await handler(request)
        except ApiError as error:
            response = error_reply(error)
        expiry = platform_of(request).accounts.key_expiry(authorization)
        if expiry:
            response.headers["X-Elastic-Api-Key-Expiration"] = expiry
        return response

    return guarded


def _authenticate(request: Request, authorization: str) -> None:
    with platform_of(request).lock:
        request.state.user = platform_of(request).accounts.authenticate(authorization)
    reading = request.method == "GET" or request.url.path.endswith(READING)
    if not reading and not request.state.user.may_write:
        raise ApiError(403, "root.unauthorized.rbac", "The user's roles do not permit this.")


async def _unknown_path(_request: Request) -> Response:
    raise ApiError(404, "root.resource_not_found", "There is no such resource.", code_header=False)


async def _api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_reply(error)


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = {404: "root.resource_not_found", 405: "root.method_not_allowed"}.get(status, "root.internal")
    return error_reply(ApiError(status, code, f"{request.method} is not possible here.", code_header=False))
