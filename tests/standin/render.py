# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records to the API's objects. `at` is the moment as of which they are shown: lists show a past one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.standin.accounts import User, stamp
from tests.standin.model import CLUSTER_TYPES, CONTAINERS, SYSTEM_ROLES, Allocator, Instance, Runner
from tests.standin.state import Platform

Json = dict[str, Any]
INT32_MAX = 2**31 - 1
COMMIT = "0000000"
REGION = "ece-region"


def instance(item: Instance, with_plans: bool) -> Json:
    shown: Json = {
        "cluster_type": item.cluster_type,
        "cluster_id": item.cluster_id,
        "instance_name": item.instance_name,
        "node_memory": item.node_memory,
        "healthy": True,
        "cluster_healthy": True,
        "deployment_id": item.deployment_id,
    }
    if item.cluster_name:
        shown["cluster_name"] = item.cluster_name
    if with_plans:
        shown["moving"] = item.moves_at is not None
        shown["plans_info"] = {"pending": item.moves_at is not None, "zone_count": 1}
    return shown


def allocator(item: Allocator, at: float, sparse: bool = False, with_plans: bool = True) -> Json:
    connected = item.connected(at)
    status: Json = {
        "connected": connected,
        # As the product has it: one without instances is healthy even when it is dead.
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
    memory: Json = {"total": dict(item.settings).get("capacity", item.capacity_mb)}
    shown: Json = {
        "allocator_id": item.allocator_id,
        "zone_id": item.zone_id,
        "host_ip": item.host_ip,
        "public_hostname": item.public_hostname,
        "status": status,
        "capacity": {"memory": memory},
        "settings": dict(item.settings),
        "instances": [instance(one, with_plans) for one in item.instances],
        "metadata": [{"key": key, "value": value} for key, value in item.metadata],
        "build_info": {"commit_hash": COMMIT, "version": item.version},
        "features": [],
    }
    if sparse:
        return shown
    memory["used"] = sum(one.node_memory for one in item.instances)
    shown["capacity"].update(storage={"total": item.storage_mb}, available_cpus=16)
    shown["external_links"] = []
    return shown


def overview(items: Iterable[Allocator], zones: Iterable[str], at: float, sparse: bool, with_plans: bool) -> Json:
    """Allocators by zone, zones without any included."""
    grouped: dict[str, list[Json]] = {zone: [] for zone in zones}
    for item in items:
        grouped.setdefault(item.zone_id, []).append(allocator(item, at, sparse, with_plans))
    empty: Any = None if sparse else []
    return {"zones": [{"zone_id": zone, "allocators": found or empty} for zone, found in grouped.items()]}


def runner(item: Runner, at: float) -> Json:
    connected = item.connected(at)
    containers = [pair for role in ("",) + item.roles for pair in CONTAINERS[role]]
    return {
        "runner_id": item.runner_id,
        "runner_name": item.runner_id,
        "zone": item.zone,
        "tags": dict(item.tags),
        "features": {},
        "build_info": {"commit_hash": COMMIT, "version": item.version},
        "host_ip": item.host_ip,
        "public_hostname": item.public_hostname,
        "containers": [{"container_name": name, "container_set_name": group} for group, name in containers],
        "roles": [{"role_name": role} for role in item.roles],
        "connected": connected,
        "healthy": True,
        "health_checks": {"is_docker_healthy": connected, "is_connected_to_zk": connected, "has_containers": True},
    }


def role(platform: Platform, name: str) -> Json:
    meta = {
        "created_time": stamp(platform.started),
        "modified_time": stamp(platform.started),
        "version": str(platform.role_revision(name)),
    }
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
    return {
        "id": name,
        "role": {"value": {"id": name, "auto_blessed": name in SYSTEM_ROLES, "containers": containers}, "meta": meta},
        "blessings": {
            "value": {
                "runner_ids_to_blessing": {item.runner_id: {"value": True} for item in runners if name in item.blessed}
            },
            "meta": meta,
        },
        "pending": {
            "value": {
                "runner_ids_to_pending_state": {
                    item.runner_id: {"value": True} for item in runners if name in item.pending
                }
            },
            "meta": meta,
        },
    }


def _zone_summary(zone: str, items: list[Allocator], at: float) -> Json:
    up = [item for item in items if item.connected(at)]
    return {
        "zone_id": zone,
        "total_allocators": len(items),
        "healthy_allocators": sum(item.connected(at) or not item.instances for item in items),
        "connected_allocators": len(up),
        "disconnected_allocators": len(items) - len(up),
        "in_maintenance_allocators": sum(item.maintenance for item in items),
        "connected_capacity": min(INT32_MAX, sum(item.capacity_mb for item in up)),
        "max_available_capacity": max(
            (item.capacity_mb - sum(one.node_memory for one in item.instances) for item in up), default=0
        ),
        "instances": sum(len(item.instances) for item in items),
    }


def platform_info(platform: Platform, coordinator: str) -> Json:
    """Counted from the platform's own state, so it does not lag: what a listing can be checked against."""
    at = platform.now()
    allocators, runners = platform.current_allocators(), platform.current_runners()
    zones: dict[str, list[Allocator]] = {zone: [] for zone in platform.zones}
    for item in allocators:
        zones.setdefault(item.zone_id, []).append(item)
    summaries = [_zone_summary(zone, items, at) for zone, items in zones.items()]
    up = [item for item in runners if item.connected(at)]
    capacity = min(INT32_MAX, sum(summary["connected_capacity"] for summary in summaries))
    region = {
        "region_id": REGION,
        "zookeeper_states": {"states": [{"id": "controller", "state": "connected"}]},
        "allocators": {"healthy": True, "zone_summaries": summaries},
        "runners": {
            "healthy": len(up) == len(runners),
            "total_runners": len(runners),
            "healthy_runners": len(runners),
            "connected_runners": len(up),
            "connected_capacity": capacity,
            "max_available_capacity": max((summary["max_available_capacity"] for summary in summaries), default=0),
            "containers_count": sum(len(CONTAINERS[name]) for item in runners for name in ("",) + item.roles),
        },
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
        "constructors": constructors(coordinator),
        "coordinators": coordinators(coordinator),
        "resources": {
            "healthy": True,
            "available_count": 1,
            "used_count": 1,
            "missing_count": 0,
            "minimum_available_count": 1,
            "account_count": 1,
        },
    }
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
        "regions": [region],
        "unreachable_regions": [],
    }


def coordinators(host: str) -> Json:
    one = {
        "name": host,
        "public_hostname": host,
        "leader_port": 22191,
        "election_port": 22192,
        "client_port": 22193,
        "attributes": {},
    }
    return {"coordinators": [one]}


def constructors(host: str) -> Json:
    return {"constructors": [{"constructor_id": host, "status": {"connected": True, "maintenance_mode": False}}]}


def proxies(host: str) -> Json:
    """With secrets in plain sight, as the product has it."""
    sso = {
        "max_age": 60,
        "sso_secret": "secret-of-single-sign-on",
        "cookie_name": "sso",
        "dont_log_requests": True,
        "default_redirect_path": "/",
        "maintenance_bypass_cookie_name": "bypass",
    }
    http = {
        "disconnected_cutoff": 1000,
        "minimum_proxy_services": 1,
        "sso_settings": sso,
        "dashboards_base_url": "https://" + host,
        "cookie_secret": "secret-of-the-cookie",
        "user_cookie_key": "user",
    }
    settings = {
        "expected_proxies_count": 1,
        "signature_secret": "secret-of-the-signature",
        "signature_valid_for_millis": 60000,
        "http_settings": http,
    }
    allocations = [{"allocations_type": kind, "counts": {"allocations": 0, "connectors": 0}} for kind in CLUSTER_TYPES]
    proxy = {
        "proxy_id": host,
        "runner_id": host,
        "host_ip": host,
        "public_hostname": host,
        "metadata": {},
        "healthy": True,
        "allocations": allocations,
    }
    return {"proxies_count": 1, "settings": settings, "proxies": [proxy]}


def license_object(platform: Platform) -> Json | None:
    if platform.license is None:
        return None
    at = platform.now()
    millis = int(platform.started * 1000)
    shown: Json = {
        "version": 4,
        "uid": "00000000-0000-4000-8000-000000000000",
        "issuer": "stand-in",
        "issued_to": "stand-in",
        "issue_date_in_millis": millis,
        "type": "enterprise",
        "signature": "secret-signature-of-the-license",
        "start_date_in_millis": millis,
        "expiry_date_in_millis": millis + 365 * 86400 * 1000,
        **platform.license,
    }
    used = sum(item.capacity_mb for item in platform.current_allocators() if item.connected(at))
    return {"license": shown, "usage_stats": {"total_connected_memory_total": min(INT32_MAX, used)}}


# Operations that ask for a write permission are left out for a user who may only read.
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


def user(item: User) -> Json:
    permissions = list(READ_PERMISSIONS) + (list(WRITE_PERMISSIONS) if item.may_write else [])
    return {
        "user_name": item.name,
        "builtin": item.builtin,
        "security": {
            "roles": list(item.roles),
            "permissions": permissions,
            "enabled": True,
            "security_realm": {"type": "native", "id": "native"},
        },
    }
