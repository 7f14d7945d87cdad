# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource /platform/infrastructure/blueprinter/roles. Part of the API layer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tests.standin.accounts import stamp
from tests.standin.api.messages import Json, Reply, invalid, json_object, parameter, platform_of
from tests.standin.model import CONTAINERS, SYSTEM_ROLES
from tests.standin.state import Platform


async def get_roles(request: Request) -> Response:
    """List all roles."""
    return Reply({"values": [shown_role(platform_of(request), name) for name in platform_of(request).known_roles]})


async def get_role(request: Request) -> Response:
    """Show one role with the runners that are entitled to it and those for which it is pending."""
    return Reply(shown_role(platform_of(request), parameter(request, "role_id")))


async def set_blessing(request: Request) -> Response:
    """Entitle a runner to a role, or withdraw that."""
    value = (await json_object(request)).get("value")
    if not isinstance(value, bool):
        raise invalid("value is true or false.", "value")
    role = parameter(request, "role_id")
    platform_of(request).set_blessing(role, parameter(request, "runner_id"), value, request.query_params.get("version"))
    return Reply(shown_role(platform_of(request), role))


def shown_role(platform: Platform, name: str) -> Json:
    """Return a role as the API shows it. Raises ApiError where there is no such role."""
    since = stamp(platform.started)
    meta = {"created_time": since, "modified_time": since, "version": str(platform.role_revision(name))}
    options = {
        "enabled": True,
        "auths": [],
        "acls": [],
        "runners_secret": "secret-of-the-runners",
        "container_set_secret": "secret-of-the-set",
    }
    containers = [
        {"name": item, "container_set_name": group, "kind": "docker", "options": options}
        for group, item in CONTAINERS[name]
    ]
    runners = platform.current_runners()
    blessed = {item.runner_id: {"value": True} for item in runners if name in item.blessed}
    pending = {item.runner_id: {"value": True} for item in runners if name in item.pending}
    return {
        "id": name,
        "role": {"value": {"id": name, "auto_blessed": name in SYSTEM_ROLES, "containers": containers}, "meta": meta},
        "blessings": {"value": {"runner_ids_to_blessing": blessed}, "meta": meta},
        "pending": {"value": {"runner_ids_to_pending_state": pending}, "meta": meta},
    }
