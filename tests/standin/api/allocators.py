# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource /platform/infrastructure/allocators, with the maintenance mode. Part of the API layer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tests.standin.accounts import stamp
from tests.standin.api import search
from tests.standin.api.messages import (
    COMMIT,
    Json,
    Reply,
    context_of,
    flag,
    invalid,
    json_object,
    parameter,
    platform_of,
)
from tests.standin.model import Allocator, Instance

DEFAULT_SIZE = 100


async def get_allocators(request: Request) -> Response:
    """List one page of the allocators that match the query."""
    query = request.query_params
    start, size = search.window(query.get("from"), query.get("size"), DEFAULT_SIZE)
    if query.get("sort") not in (None, "", "allocator_id"):
        raise invalid("The stand-in sorts by allocator_id alone.", "sort")
    test = search.understood(search.lucene, query["q"], "root.invalid_data") if query.get("q") else None
    return _page(request, start, size, test, with_plans=True)


async def search_allocators(request: Request) -> Response:
    """List one page of the allocators that match the query in the body."""
    body = await json_object(request, optional=True)
    start, size = search.window(body.get("from"), body.get("size"), search.DEFAULT_SEARCH_SIZE)
    query = body.get("query")
    test = search.understood(search.query_container, query, "root.invalid_data") if query else None
    return _page(request, start, size, test, with_plans=False)


async def get_allocator(request: Request) -> Response:
    """Show one allocator."""
    found = platform_of(request).allocator(parameter(request, "allocator_id"))
    return Reply(shown_allocator(found, platform_of(request).now(), sparse=context_of(request).sparse))


async def delete_allocator(request: Request) -> Response:
    """Delete a disconnected allocator."""
    platform_of(request).delete_allocator(parameter(request, "allocator_id"), flag(request, "remove_instances"))
    return Reply({})


async def start_maintenance(request: Request) -> Response:
    """Start the maintenance mode of an allocator."""
    reason = request.query_params.get("reason", "")
    platform_of(request).set_maintenance(parameter(request, "allocator_id"), True, reason)
    return Reply({}, 202)


async def stop_maintenance(request: Request) -> Response:
    """Stop the maintenance mode of an allocator."""
    platform_of(request).set_maintenance(parameter(request, "allocator_id"), False)
    return Reply({}, 202)


def _page(request: Request, start: int, size: int, test: search.Test | None, *, with_plans: bool) -> Response:
    found, at = platform_of(request).indexed_allocators()
    if test is not None:
        found = [item for item in found if test(shown_allocator(item, at))]
    max_page, sparse = context_of(request).max_page, context_of(request).sparse
    if max_page is not None:
        size = min(size, max_page)
    # Zones without allocators are listed, too.
    zones: dict[str, list[Json]] = {zone: [] for zone in platform_of(request).zones}
    for item in found[start : start + size]:
        zones.setdefault(item.zone_id, []).append(shown_allocator(item, at, sparse=sparse, with_plans=with_plans))
    empty: list[Json] | None = None if sparse else []
    return Reply({"zones": [{"zone_id": zone, "allocators": shown or empty} for zone, shown in zones.items()]})


def shown_allocator(item: Allocator, at: float, *, sparse: bool = False, with_plans: bool = True) -> Json:
    """Return an allocator as the API shows it. `at` is the time to show it at, which is past for a list."""
    memory: Json = {"total": dict(item.settings).get("capacity", item.capacity_mb)}
    capacity: Json = {"memory": memory}
    shown: Json = {
        "allocator_id": item.allocator_id,
        "zone_id": item.zone_id,
        "host_ip": item.host_ip,
        "public_hostname": item.public_hostname,
        "status": _status(item, at),
        "capacity": capacity,
        "settings": dict(item.settings),
        "instances": [_shown_instance(one, with_plans) for one in item.instances],
        "metadata": [{"key": key, "value": value} for key, value in item.metadata],
        "build_info": {"commit_hash": COMMIT, "version": item.version},
        "features": [],
    }
    if not sparse:
        memory["used"] = sum(one.node_memory for one in item.instances)
        capacity.update(storage={"total": item.storage_mb}, available_cpus=16)
        shown["external_links"] = []
    return shown


def _status(item: Allocator, at: float) -> Json:
    connected = item.connected(at)
    status: Json = {
        "connected": connected,
        # As in the product, an allocator without instances is healthy even when it is disconnected.
        "healthy": connected or not item.instances,
        "health_checks": {
            "is_docker_healthy": connected,
            "is_connected_to_zk": connected,
            "has_instances": bool(item.instances),
        },
        "maintenance_mode": item.maintenance,
    }
    if item.maintenance_at is not None:
        status["maintenance_mode_timestamp"] = stamp(item.maintenance_at)
    return status


def _shown_instance(item: Instance, with_plans: bool) -> Json:
    shown: Json = {
        "cluster_type": item.cluster_type,
        "cluster_id": item.cluster_id,
        "instance_name": item.instance_name,
        "node_memory": item.node_memory,
        "healthy": True,
        "cluster_healthy": True,
        "deployment_id": item.deployment_id,
    }
    if with_plans:
        shown["moving"] = item.moves_at is not None
        shown["plans_info"] = {"pending": item.pending or item.moves_at is not None, "zone_count": 1}
    return shown
