# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource .../allocators/{allocator_id}/metadata, which holds an allocator's tags. Part of the API layer."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from tests.standin.accounts import stamp
from tests.standin.api.messages import Reply, is_text, json_object, parameter, platform_of
from tests.standin.model import Allocator, ApiError
from tests.standin.state import Platform


def revision_headers(platform: Platform, revision: int) -> dict[str, str]:
    """Return the headers with which a client can ask for a change of just this revision."""
    since = stamp(platform.started)
    return {
        "x-cloud-resource-version": str(revision),
        "x-cloud-resource-created": since,
        "x-cloud-resource-last-modified": since,
    }


async def get_metadata(request: Request) -> Response:
    """Show the metadata."""
    item = platform_of(request).allocator(parameter(request, "allocator_id"))
    return Reply(_shown_metadata(item), headers=revision_headers(platform_of(request), item.metadata_revision))


async def set_metadata(request: Request) -> Response:
    """Replace the metadata."""
    items = (await json_object(request)).get("items")
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and is_text(item.get("key")) and is_text(item.get("value")) for item in items
    ):
        raise ApiError(
            400,
            "allocators.invalid_empty_metadata_items",
            "items is a list of key and value, neither empty.",
            ("items",),
        )
    return _replaced(request, [(item["key"], item["value"]) for item in items])


async def set_metadata_item(request: Request) -> Response:
    """Add one item, or replace the one with this key."""
    value = (await json_object(request)).get("value")
    if not isinstance(value, str) or not value:
        raise ApiError(400, "allocators.invalid_empty_metadata_item", "value must not be empty.", ("value",))
    with platform_of(request).lock:
        items = _items(request)
        items[parameter(request, "key")] = value
        return _replaced(request, items.items())


async def delete_metadata_item(request: Request) -> Response:
    """Remove the item with this key, if there is one."""
    with platform_of(request).lock:
        items = _items(request)
        items.pop(parameter(request, "key"), None)
        return _replaced(request, items.items())


def _items(request: Request) -> dict[str, str]:
    return dict(platform_of(request).allocator(parameter(request, "allocator_id")).metadata)


def _replaced(request: Request, items: Iterable[tuple[str, str]]) -> Response:
    version = request.query_params.get("version")
    return Reply(_shown_metadata(platform_of(request).set_metadata(parameter(request, "allocator_id"), items, version)))


def _shown_metadata(item: Allocator) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in item.metadata]
