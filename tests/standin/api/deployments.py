# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource /deployments/{deployment_id}, with the plans of moves. Part of the API layer.

A deployment is what its instances on the allocators say, and a plan that failed is in its history.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tests.standin.accounts import stamp
from tests.standin.api.messages import REGION, Json, Reply, flag, parameter, platform_of
from tests.standin.model import CLUSTER_TYPES, Instance


async def get_deployment(request: Request) -> Response:
    """Show one deployment; its plans with their logs, if the query asks for them."""
    deployment_id = parameter(request, "deployment_id")
    found = {item.cluster_id: item for item in platform_of(request).deployment(deployment_id)}
    now = stamp(platform_of(request).now())
    logs, history = flag(request, "show_plan_logs"), flag(request, "show_plan_history")
    resources: dict[str, list[Json]] = {kind: [] for kind in CLUSTER_TYPES}
    for item in found.values():
        plans = _plans(item, now, logs) if history else {"healthy": not item.failure, "history": []}
        resources[item.cluster_type].append(_resource(item, plans, now))
    return Reply({"id": deployment_id, "name": deployment_id, "healthy": True, "resources": resources})


def _plans(item: Instance, now: str, logs: bool) -> Json:
    failed = [_attempt(item.failure, now, logs)] if item.failure else []
    return {"healthy": not item.failure, "history": failed}


def _attempt(failure: str, now: str, logs: bool) -> Json:
    entry = {"details": {}, "message": failure, "stage": "completed", "timestamp": now}
    step = {"step_id": "wait-until-running", "stage": "completed", "status": "error", "started": now}
    log = [{**step, "info_log": [entry]}] if logs else []
    return {"healthy": False, "attempt_end_time": now, "plan_attempt_log": log, "warnings": []}


def _resource(item: Instance, plans: Json, now: str) -> Json:
    info: Json = {
        "healthy": True,
        "status": "started",
        "plan_info": plans,
        "topology": {"healthy": True, "instances": []},
        "external_links": [],
    }
    metadata = {"version": 1, "last_modified": now}
    resource: Json = {"id": item.cluster_id, "ref_id": f"main-{item.cluster_type}", "region": REGION, "info": info}
    if item.cluster_type == "elasticsearch":
        info.update(cluster_id=item.cluster_id, cluster_name="", metadata=metadata, elasticsearch=_elasticsearch())
        info["snapshots"] = {"healthy": True, "count": 0, "recent_success": True}
        for kind in ("apm", "appsearch", "enterprise_search", "kibana"):
            info[f"associated_{kind}_clusters"] = []
        return resource
    resource["elasticsearch_cluster_ref_id"] = "main-elasticsearch"
    info["elasticsearch_cluster"] = {"elasticsearch_id": item.cluster_id}
    if item.cluster_type == "kibana":
        info.update(cluster_id=item.cluster_id, cluster_name="", metadata=metadata)
    else:
        info.update(id=item.cluster_id, name="")
    return resource


def _elasticsearch() -> Json:
    return {
        "healthy": True,
        "blocking_issues": {"healthy": True, "cluster_level": [], "index_level": []},
        "master_info": {"healthy": True, "instances_with_no_master": [], "masters": []},
        "shard_info": {
            "healthy": True,
            "available_shards": [],
            "unavailable_shards": [],
            "unavailable_replicas": [],
        },
    }
