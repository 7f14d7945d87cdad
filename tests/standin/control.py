# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control interface: plain HTTP on the loopback interface, for tests that run in another process than the stand-in.

It is an application of its own beside the API, and uses the platform, the request log, the faults and the contract.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.standin.contract import Contract
from tests.standin.faults import Fault, Faults
from tests.standin.model import ApiError
from tests.standin.request_log import RequestLog
from tests.standin.state import Platform

# Functions cannot be sent over HTTP, and the stand-in counts what was struck.
_FAULT_FIELDS = {field.name for field in dataclasses.fields(Fault)} - {"predicate", "transform", "struck"}

Endpoint = Callable[[Request], Awaitable[Response]]


def control_application(platform: Platform, log: RequestLog, faults: Faults, contract: Contract) -> Starlette:
    """Return the control interface as an ASGI application."""

    async def add_fault(request: Request) -> Response:
        try:
            faults.arm(_fault(await request.body()))
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({})

    async def clear_faults(_request: Request) -> Response:
        faults.clear()
        return JSONResponse({})

    async def unlist(request: Request) -> Response:
        try:
            platform.unlist(request.path_params["kind"], *request.query_params.getlist("id"))
        except KeyError as error:
            return JSONResponse({"error": f"there is no list of {error}"}, 404)
        return JSONResponse({})

    async def list_again(_request: Request) -> Response:
        platform.list_again()
        return JSONResponse({})

    async def reset_requests(_request: Request) -> Response:
        log.clear()
        return JSONResponse({})

    return Starlette(
        routes=[
            Route("/requests", _get(lambda: log.entries)),
            Route("/mutations", _get(lambda: log.mutations)),
            Route("/joins", _get(lambda: platform.joins)),
            Route("/state", _get(lambda: {**_state(platform), "violations": contract.violations})),
            Route("/faults", add_fault, methods=["POST"]),
            Route("/faults", clear_faults, methods=["DELETE"]),
            Route("/unlist/{kind}", unlist, methods=["POST"]),
            Route("/unlist", list_again, methods=["DELETE"]),
            Route("/reset-requests", reset_requests, methods=["POST"]),
            Route("/disconnect/{runner_id}", _on_runner(platform.disconnect), methods=["POST"]),
            Route("/connect/{runner_id}", _on_runner(platform.connect), methods=["POST"]),
            Route("/remove/{runner_id}", _on_runner(platform.remove), methods=["POST"]),
            Route("/load/{runner_id}", _on_runner(platform.add_instance), methods=["POST"]),
        ]
    )


def _get(make: Callable[[], Any]) -> Endpoint:
    async def handler(_request: Request) -> Response:
        return JSONResponse(make())

    return handler


def _on_runner(act: Callable[[str], object]) -> Endpoint:
    async def handler(request: Request) -> Response:
        try:
            act(request.path_params["runner_id"])
        except ApiError as error:
            return JSONResponse({"error": str(error)}, error.status)
        return JSONResponse({})

    return handler


def _fault(body: bytes) -> Fault:
    fields = json.loads(body)
    unknown = sorted(set(fields) - _FAULT_FIELDS)
    if unknown:
        raise ValueError(f"no such field: {', '.join(unknown)}")
    return Fault(**fields)


def _state(platform: Platform) -> dict[str, Any]:
    with platform.lock:
        at = platform.now()
        return {
            "version": platform.version,
            "zones": list(platform.zones),
            "minted": platform.tokens.minted,
            "tokens": platform.live_tokens,
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
                item.allocator_id: {
                    "zone": item.zone_id,
                    "connected": item.connected(at),
                    "maintenance": item.maintenance,
                    "instances": len(item.instances),
                }
                for item in platform.current_allocators()
            },
        }
