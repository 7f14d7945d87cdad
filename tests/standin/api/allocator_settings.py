# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource .../allocators/{allocator_id}/settings, which holds an allocator's capacity. Part of the API layer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tests.standin.api.allocator_metadata import revision_headers
from tests.standin.api.messages import INT32_MAX, Reply, invalid, json_object, parameter, platform_of


async def get_settings(request: Request) -> Response:
    """Show the settings."""
    item = platform_of(request).allocator(parameter(request, "allocator_id"))
    return Reply(dict(item.settings), headers=revision_headers(platform_of(request), item.settings_revision))


async def set_settings(request: Request) -> Response:
    """Replace the settings."""
    return _replaced(request, await _settings(request))


async def update_settings(request: Request) -> Response:
    """Replace the settings that are in the body, and keep the others."""
    changes = await _settings(request)
    with platform_of(request).lock:
        old = platform_of(request).allocator(parameter(request, "allocator_id")).settings
        return _replaced(request, {**dict(old), **changes})


async def _settings(request: Request) -> dict[str, int]:
    body = await json_object(request)
    capacity = body.get("capacity")
    if set(body) - {"capacity"}:
        raise invalid("capacity is the only setting.", *sorted(set(body) - {"capacity"}))
    if capacity is None:
        return {}
    if isinstance(capacity, bool) or not isinstance(capacity, int) or not 0 < capacity <= INT32_MAX:
        raise invalid("capacity is a whole number of MB.", "capacity")
    return {"capacity": capacity}


def _replaced(request: Request, settings: dict[str, int]) -> Response:
    version = request.query_params.get("version")
    return Reply(
        dict(platform_of(request).set_settings(parameter(request, "allocator_id"), settings, version).settings)
    )
