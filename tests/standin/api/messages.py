# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests and replies, as far as all resources have them in common. The bottom of the API layer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.standin.accounts import User
from tests.standin.model import ApiError
from tests.standin.state import Platform

Json = dict[str, Any]
Handler = Callable[[Request], Awaitable[Response]]

INT32_MAX = 2**31 - 1
REGION = "ece-region"
COMMIT = "0000000"


@dataclass
class Context:
    """What handlers work on; a test may change it while the API runs.

    coordinator: the name of the only coordinator. sparse: leave out what recorded replies of the product lack.
    max_page: the longest page of a list, whatever a client asks for. installer: return the text of the installer.
    """

    platform: Platform
    coordinator: str
    installer: Callable[[], str]
    sparse: bool = False
    max_page: int | None = None


class Reply(Response):
    """A JSON reply."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the content as compact JSON."""
        return json.dumps(content, separators=(",", ":")).encode()


def error_reply(error: ApiError) -> Reply:
    """Return an error as the API writes it."""
    element: Json = {"code": error.code, "message": error.message}
    if error.fields:
        element["fields"] = list(error.fields)
    headers = {"x-cloud-error-codes": error.code} if error.code_header else {}
    return Reply({"errors": [element]}, error.status, headers)


def invalid(message: str, *fields: str) -> ApiError:
    """Return the error for a request that is wrong in itself."""
    return ApiError(400, "root.invalid_data", message, fields, code_header=False)


def context_of(request: Request) -> Context:
    """Return the context that the application was made with."""
    found = request.app.state.context
    assert isinstance(found, Context)
    return found


def platform_of(request: Request) -> Platform:
    """Return the platform."""
    return context_of(request).platform


def user_of(request: Request) -> User:
    """Return the authenticated user of a guarded route."""
    found = request.state.user
    assert isinstance(found, User)
    return found


def parameter(request: Request, name: str) -> str:
    """Return the part of the path that stands at a placeholder of the route."""
    return str(request.path_params[name])


async def json_body(request: Request) -> Any:
    """Return the request's body, None where there is none. Raises ApiError for anything but JSON."""
    raw = await request.body()
    if not raw:
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ApiError(
            415,
            "root.unsupported_media_type",
            "The request's content type must be application/json.",
            code_header=False,
        )
    try:
        return json.loads(raw)
    except ValueError:
        raise invalid("The request is not valid JSON.") from None


async def json_object(request: Request, *, optional: bool = False) -> Json:
    """Return the request's body, which is an object. Raises ApiError. An optional body may be missing."""
    body = await json_body(request)
    if optional and body is None:
        return {}
    if not isinstance(body, dict):
        raise invalid("The request is not an object.")
    return body


def flag(request: Request, name: str) -> bool:
    """Return a boolean query parameter, False where it is missing. Raises ApiError, like the product for `True`."""
    value = request.query_params.get(name, "false")
    if value not in ("true", "false"):
        raise invalid(f"{name} is true or false.", name)
    return value == "true"


def is_text(value: Any) -> bool:
    """Return whether a value is a string with at least one character."""
    return isinstance(value, str) and value != ""
