# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resource .../allocators/{allocator_id}/clusters, which moves instances away. Part of the API layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.standin.api.messages import Json, Reply, flag, json_object, parameter, platform_of
from tests.standin.model import ApiError, Instance
from tests.standin.moves import MoveRequest
from tests.standin.state import Platform

# A move knows no integrations_server; such clusters are moved as apm.
MOVABLE = ("elasticsearch", "kibana", "apm", "appsearch", "enterprise_search")
INVALID_PLAN = "clusters.cluster_invalid_plan"


async def move_clusters(request: Request) -> Response:
    """Move the clusters in the body to other allocators, or all clusters of the type in the path."""
    body = await json_object(request, optional=True)
    cluster_type = request.path_params.get("cluster_type")
    if cluster_type is not None and cluster_type not in MOVABLE:
        raise ApiError(400, INVALID_PLAN, f"There is no cluster type {cluster_type}.")
    asked = replace(
        _asked(body),
        validate_only=flag(request, "validate_only"),
        force=flag(request, "force_update"),
        down=flag(request, "allocator_down"),
    )
    for name in ("move_only", "force_move"):
        flag(request, name)
    source = parameter(request, "allocator_id")
    with platform_of(request).lock:
        if cluster_type is not None:
            asked = _of_type(platform_of(request), source, cluster_type, asked)
        moving, failed = platform_of(request).move(source, asked)
    moves = [(item, _move(item, source, asked)) for item in moving]
    failures = [(item, _failure(item, reason)) for item, reason in failed]
    return Reply({"moves": _by_type(moves), "failures": _by_type(failures)}, 202)


def _asked(body: Json) -> MoveRequest:
    if not body:
        return MoveRequest()
    clusters: set[str] = set()
    targets: set[str] = set()
    try:
        for entry in [entry for name in MOVABLE for entry in body.get(f"{name}_clusters") or []]:
            clusters |= set(entry["cluster_ids"])
            plan = (entry.get("plan_override") or {}).get("plan_configuration") or {}
            targets |= set(plan.get("preferred_allocators") or [])
            targets |= {to for move in plan.get("move_allocators") or [] for to in move.get("to") or []}
    except (AttributeError, KeyError, TypeError):
        raise ApiError(400, INVALID_PLAN, "The request cannot be understood.") from None
    return MoveRequest(clusters=frozenset(clusters), targets=frozenset(targets))


def _of_type(platform: Platform, source: str, cluster_type: str, asked: MoveRequest) -> MoveRequest:
    if source not in platform.allocators:
        return asked
    instances = platform.allocator(source).instances
    clusters = frozenset(item.cluster_id for item in instances if _movable_type(item) == cluster_type)
    return replace(asked, clusters=clusters if asked.clusters is None else clusters & asked.clusters)


def _movable_type(item: Instance) -> str:
    return "apm" if item.cluster_type == "integrations_server" else item.cluster_type


def _move(item: Instance, source: str, asked: MoveRequest) -> Json:
    details: Json = {"cluster_id": item.cluster_id}
    if asked.validate_only:
        move = {"from": source, "to": [], "allocator_down": asked.down}
        details["calculated_plan"] = {"plan_configuration": {"move_allocators": [move]}}
    return details


def _failure(item: Instance, reason: str) -> Json:
    return {"cluster_id": item.cluster_id, "errors": [{"code": INVALID_PLAN, "message": reason}]}


def _by_type(entries: list[tuple[Instance, Json]]) -> Json:
    grouped: dict[str, list[Any]] = {f"{name}_clusters": [] for name in MOVABLE}
    for item, entry in entries:
        # Several instances of one cluster are one entry.
        if entry not in grouped[f"{_movable_type(item)}_clusters"]:
            grouped[f"{_movable_type(item)}_clusters"].append(entry)
    return grouped
