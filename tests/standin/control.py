# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control surface: plain HTTP on the loopback interface, for tests that run in another process than the stand-in."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.standin.faults import Fault
from tests.standin.model import ApiError

if TYPE_CHECKING:
    from tests.standin.server import StandIn

# Functions do not travel over HTTP.
_FAULT_FIELDS = {field.name for field in dataclasses.fields(Fault)} - {"predicate", "transform", "struck"}


def state_of(standin: StandIn) -> dict[str, Any]:
    platform = standin.platform
    with platform.lock:
        at = platform.now()
        return {
            "url": standin.url,
            "version": platform.version,
            "zones": list(platform.zones),
            "minted": standin.minted,
            "tokens": standin.tokens,
            "runners": {
                item.runner_id: {
                    "host_ip": item.host_ip,
                    "zone": item.zone,
                    "roles": list(item.roles),
                    "pending": sorted(item.pending),
                    "connected": item.connected(at),
                }
                for item in platform.current_runners()
            },
            "allocators": {
                item.allocator_id: {"zone": item.zone_id, "connected": item.connected(at)}
                for item in platform.current_allocators()
            },
            "violations": standin.violations,
        }


def control_application(standin: StandIn) -> Starlette:
    def get(make: Callable[[], Any]) -> Callable[[Request], Any]:
        async def handler(_request: Request) -> Response:
            return JSONResponse(make())

        return handler

    def on_runner(act: Callable[[str], None]) -> Callable[[Request], Any]:
        async def handler(request: Request) -> Response:
            try:
                act(request.path_params["runner_id"])
            except ApiError as error:
                return JSONResponse({"error": str(error)}, error.status)
            return JSONResponse({})

        return handler

    async def add_fault(request: Request) -> Response:
        try:
            what = json.loads(await request.body())
            unknown = sorted(set(what) - _FAULT_FIELDS)
            if unknown:
                raise ValueError("no such field: " + ", ".join(unknown))
            standin.fault(**what)
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({})

    async def clear_faults(_request: Request) -> Response:
        standin.faults.clear()
        return JSONResponse({})

    async def reset_requests(_request: Request) -> Response:
        standin.reset_requests()
        return JSONResponse({})

    platform = standin.platform
    return Starlette(
        routes=[
            Route("/requests", get(lambda: standin.requests)),
            Route("/mutations", get(lambda: standin.mutations)),
            Route("/joins", get(lambda: standin.joins)),
            Route("/state", get(lambda: state_of(standin))),
            Route("/faults", add_fault, methods=["POST"]),
            Route("/faults", clear_faults, methods=["DELETE"]),
            Route("/reset-requests", reset_requests, methods=["POST"]),
            Route("/disconnect/{runner_id}", on_runner(platform.disconnect), methods=["POST"]),
            Route("/connect/{runner_id}", on_runner(platform.connect), methods=["POST"]),
            Route("/remove/{runner_id}", on_runner(platform.remove), methods=["POST"]),
        ]
    )
