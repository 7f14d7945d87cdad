# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource /platform/infrastructure/runners. Part of the API layer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tests.standin.api import search
from tests.standin.api.messages import COMMIT, Json, Reply, flag, json_object, parameter, platform_of
from tests.standin.model import ApiError, Runner, runner_containers


async def get_runners(request: Request) -> Response:
    """List all runners that match the query. This list has no pages."""
    query = request.query_params.get("q")
    test = search.understood(search.lucene, query, "runners.search_failed") if query else None
    return Reply({"runners": _found(request, test)})


async def search_runners(request: Request) -> Response:
    """List one page of the runners that match the query in the body."""
    body = await json_object(request, optional=True)
    start, size = search.window(body.get("from"), body.get("size"), search.DEFAULT_SEARCH_SIZE)
    test = search.understood(search.query_container, body.get("query"), "runners.search_failed")
    return Reply({"runners": _found(request, test)[start : start + size]})


async def get_runner(request: Request) -> Response:
    """Show one runner."""
    found = platform_of(request).runner(parameter(request, "runner_id"))
    return Reply(shown_runner(found, platform_of(request).now()))


async def delete_runner(request: Request) -> Response:
    """Delete a disconnected runner."""
    platform_of(request).delete_runner(parameter(request, "runner_id"))
    return Reply({})


async def set_roles(request: Request) -> Response:
    """Replace a runner's roles."""
    roles = (await json_object(request)).get("roles")
    if not isinstance(roles, list) or not all(
        isinstance(item, dict) and isinstance(item.get("role_name"), str) for item in roles
    ):
        raise ApiError(400, "runners.runner_set_roles_failed", "roles is a list of objects with role_name.", ("roles",))
    names = [item["role_name"] for item in roles]
    runner = platform_of(request).set_roles(parameter(request, "runner_id"), names, flag(request, "bless"))
    return Reply({"roles": [{"role_name": role} for role in runner.roles]})


def _found(request: Request, test: search.Test | None) -> list[Json]:
    runners, at = platform_of(request).indexed_runners()
    shown = [shown_runner(item, at) for item in runners]
    return [item for item in shown if test is None or test(item)]


def shown_runner(item: Runner, at: float) -> Json:
    """Return a runner as the API shows it. `at` is the time to show it at, which is past for a list."""
    connected = item.connected(at)
    return {
        "runner_id": item.runner_id,
        "runner_name": item.runner_id,
        "zone": item.zone,
        "tags": dict(item.tags),
        "features": {},
        "build_info": {"commit_hash": COMMIT, "version": item.version},
        "host_ip": item.host_ip,
        "public_hostname": item.public_hostname,
        "containers": [
            {"container_name": name, "container_set_name": group} for group, name in runner_containers(item.roles)
        ],
        "roles": [{"role_name": role} for role in item.roles],
        "connected": connected,
        "healthy": True,
        "health_checks": {"is_docker_healthy": connected, "is_connected_to_zk": connected, "has_containers": True},
    }
