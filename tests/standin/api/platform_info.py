# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources /, /platform and /platform/license. Part of the API layer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tests.standin.api.messages import COMMIT, INT32_MAX, REGION, Json, Reply, context_of, platform_of
from tests.standin.api.services import shown_constructors, shown_coordinators
from tests.standin.model import Allocator, ApiError, Runner, runner_containers
from tests.standin.state import Platform

YEAR_MILLISECONDS = 365 * 86400 * 1000


async def get_root(_request: Request) -> Response:
    """Answer a client that tests its credentials."""
    return Reply({"ok": True, "message": "You are now connected to the stand-in."})


async def get_installer(request: Request) -> Response:
    """Hand out the installer. The real coordinator does not; it stands for a site's own download server."""
    return PlainTextResponse(context_of(request).installer(), media_type="application/x-sh")


async def get_platform(request: Request) -> Response:
    """Show the platform with its zones and totals."""
    return Reply(shown_platform(platform_of(request), context_of(request).coordinator))


async def get_license(request: Request) -> Response:
    """Show the license."""
    return Reply(shown_license(platform_of(request)))


def shown_platform(platform: Platform, coordinator: str) -> Json:
    """Return the platform as the API shows it.

    The totals come from the current records, not from the index, so a client can compare a list with them.
    """
    return {
        "version": platform.version,
        "services": [
            {
                "type": "cloud-enterprise",
                "image": [{"id": "1", "tag": platform.version, "version": platform.version, "hash": COMMIT}],
            }
        ],
        "phone_home_enabled": False,
        "eula_accepted": True,
        "regions": [_region(platform, coordinator)],
        "unreachable_regions": [],
    }


def _region(platform: Platform, coordinator: str) -> Json:
    at = platform.now()
    zones: dict[str, list[Allocator]] = {zone: [] for zone in platform.zones}
    for item in platform.current_allocators():
        zones.setdefault(item.zone_id, []).append(item)
    summaries = [_zone_summary(zone, items, at) for zone, items in zones.items()]
    return {
        "region_id": REGION,
        "zookeeper_states": {"states": [{"id": "controller", "state": "connected"}]},
        "allocators": {"healthy": True, "zone_summaries": summaries},
        "runners": _runners_summary(platform.current_runners(), summaries, at),
        "proxies": {
            "healthy": True,
            "expected_proxies_count": 1,
            "proxies_count": 1,
            "proxies": [{"proxy_id": coordinator, "healthy": True}],
        },
        "container_sets_status": {
            "healthy": True,
            "healthy_container_sets_count": 9,
            "unhealthy_container_sets_count": 0,
            "unhealthy_container_sets": [],
        },
        "constructors": shown_constructors(coordinator),
        "coordinators": shown_coordinators(coordinator),
        "resources": {
            "healthy": True,
            "available_count": 1,
            "used_count": 1,
            "missing_count": 0,
            "minimum_available_count": 1,
            "account_count": 1,
        },
    }


def _zone_summary(zone: str, items: list[Allocator], at: float) -> Json:
    connected = [item for item in items if item.connected(at)]
    free = (item.capacity_mb - sum(one.node_memory for one in item.instances) for item in connected)
    return {
        "zone_id": zone,
        "total_allocators": len(items),
        "healthy_allocators": sum(item.connected(at) or not item.instances for item in items),
        "connected_allocators": len(connected),
        "disconnected_allocators": len(items) - len(connected),
        "in_maintenance_allocators": sum(item.maintenance for item in items),
        "connected_capacity": min(INT32_MAX, sum(item.capacity_mb for item in connected)),
        "max_available_capacity": max(free, default=0),
        "instances": sum(len(item.instances) for item in items),
    }


def _runners_summary(runners: list[Runner], zone_summaries: list[Json], at: float) -> Json:
    connected = sum(item.connected(at) for item in runners)
    return {
        "healthy": connected == len(runners),
        "total_runners": len(runners),
        "healthy_runners": len(runners),
        "connected_runners": connected,
        "connected_capacity": min(INT32_MAX, sum(zone["connected_capacity"] for zone in zone_summaries)),
        "max_available_capacity": max((zone["max_available_capacity"] for zone in zone_summaries), default=0),
        "containers_count": sum(len(runner_containers(item.roles)) for item in runners),
    }


def shown_license(platform: Platform) -> Json:
    """Return the license as the API shows it. Raises ApiError where the platform has none."""
    if platform.license is None:
        raise ApiError(404, "license.license_not_found", "There is no license.")
    at = platform.now()
    since = int(platform.started * 1000)
    used = sum(item.capacity_mb for item in platform.current_allocators() if item.connected(at))
    return {
        "license": {
            "version": 4,
            "uid": "00000000-0000-4000-8000-000000000000",
            "issuer": "stand-in",
            "issued_to": "stand-in",
            "issue_date_in_millis": since,
            "type": "enterprise",
            "signature": "secret-signature-of-the-license",
            "start_date_in_millis": since,
            "expiry_date_in_millis": since + YEAR_MILLISECONDS,
            **platform.license,
        },
        "usage_stats": {"total_connected_memory_total": min(INT32_MAX, used)},
    }
