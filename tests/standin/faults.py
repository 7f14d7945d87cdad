# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand, the ASGI layer between the request log and the contract check.

A fault is armed and then strikes the requests that it matches: with an error, a late, changed or broken reply, or none.
Because the layer is inside the request log, a test can tell what a client sent, whether it took effect, and what was
replied.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.standin.asgi import ENTRY, TRANSPORT, RequestEntry, resource_path

# What answers 404 in the place of the API: (body, content type). The API's own 404 has a list of errors with codes.
NOT_FOUND = {
    "empty": (b"", "text/plain"),
    "null": (b"null", "application/json"),
    "message": (b'{"message":"no Route matched with those values"}', "application/json"),
    "ok-false": (b'{"ok":false,"message":"Unknown resource."}', "application/json"),
    "html": (b"<html><head><title>404 Not Found</title></head><body></body></html>", "text/html"),
}


@dataclass
class Fault:
    """Which requests to strike, and how.

    Which requests:
      method: the HTTP method. path: a regular expression, searched in the path below /api/v1.
      port: the port of a coordinator, one of StandIn.ports. predicate: a function of the request's entry in the log.
      after: how many matching requests pass first. times: how many are struck then; None for all.
    How:
      status, code, message: reply with this error; the request takes no effect unless `effect` is true.
      body, content_type: reply with this instead. headers: add these to the reply.
      not_found: reply with a 404 that is not the API's: `empty` or `null`, `message` of an ingress, `ok-false` of the
      platform's proxy, `html` of a web server.
      transform: a function that changes the JSON of the real reply.
      delay: seconds before the effect. delay_after: seconds between the effect and the reply.
      reset: reset the connection `before` or `after` the effect, without a reply.
      truncate: close the connection in the middle of the reply.
    struck counts the requests that were struck.
    """

    method: str | None = None
    path: str | None = None
    times: int | None = 1
    after: int = 0
    status: int | None = None
    code: str = "root.internal"
    message: str = "A fault of the stand-in."
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    delay_after: float = 0.0
    reset: str | None = None
    effect: bool = False
    body: bytes | None = None
    content_type: str | None = None
    truncate: bool = False
    predicate: Callable[[RequestEntry], bool] | None = None
    transform: Callable[[Any], Any] | None = None
    port: int | None = None
    not_found: str | None = None
    struck: int = 0

    def __post_init__(self) -> None:
        if self.not_found is not None:
            if self.not_found not in NOT_FOUND:
                raise ValueError(f"not_found is one of {', '.join(NOT_FOUND)}, not {self.not_found}")
            self.status, (self.body, self.content_type) = 404, NOT_FOUND[self.not_found]
        if self.reset not in (None, "before", "after"):
            raise ValueError(f"reset is before or after, not {self.reset}")
        if isinstance(self.body, str):
            self.body = self.body.encode()
        re.compile(self.path or "")

    def matches(self, entry: RequestEntry) -> bool:
        """Return whether this is a request to strike, the counters left aside."""
        if self.method is not None and self.method.upper() != entry["method"]:
            return False
        if self.port is not None and self.port != entry["port"]:
            return False
        if self.path is not None and not re.search(self.path, resource_path(entry["path"])):
            return False
        return self.predicate is None or self.predicate(entry)

    @property
    def has_effect(self) -> bool:
        """Whether the request reaches the API."""
        if self.reset == "before":
            return False
        return (
            self.effect
            or self.reset == "after"
            or self.truncate
            or self.transform is not None
            or (self.status is None and self.body is None)
        )


class Faults:
    """The armed faults. It may be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[Fault] = []

    def arm(self, fault: Fault) -> Fault:
        """Arm a fault and return it."""
        with self._lock:
            self._armed.append(fault)
        return fault

    def clear(self) -> None:
        """Disarm all faults."""
        with self._lock:
            self._armed.clear()

    def strike(self, entry: RequestEntry) -> Fault | None:
        """Return the first fault that is due for this request and count it, None where no fault is due."""
        with self._lock:
            for fault in self._armed:
                if fault.times == 0 or not fault.matches(entry):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.struck += 1
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


def reset_connection(scope: Scope) -> None:
    """End the connection with a TCP reset, without any data of HTTP or TLS."""
    transport: asyncio.Transport = scope[TRANSPORT]
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class FaultLayer:
    """The ASGI layer that lets faults strike."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app = app
        self.faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        entry = scope.get(ENTRY)
        fault = self.faults.strike(entry) if entry is not None else None
        if fault is None:
            await self.app(scope, receive, send)
            return
        if fault.delay:
            await asyncio.sleep(fault.delay)
        real = _Reply()
        if fault.has_effect:
            await self.app(scope, receive, real.take)
        if fault.delay_after:
            await asyncio.sleep(fault.delay_after)
        if fault.reset is not None:
            reset_connection(scope)
            return
        await _reply(fault, real, scope, send)


class _Reply:
    """The API's reply, kept instead of sent."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


async def _reply(fault: Fault, real: _Reply, scope: Scope, send: Send) -> None:
    status, body = real.status, real.body
    headers = {name.decode().lower(): value.decode() for name, value in real.headers}
    if fault.status is not None:
        status, headers = fault.status, {"content-type": "application/json"}
        body = json.dumps({"errors": [{"code": fault.code, "message": fault.message}]}).encode()
    if fault.transform is not None:
        body = json.dumps(fault.transform(json.loads(body or b"null"))).encode()
    if fault.body is not None:
        body = fault.body
    if fault.content_type is not None:
        headers["content-type"] = fault.content_type
    headers.setdefault("content-type", "application/json")
    headers["content-length"] = str(len(body))
    headers.update({name.lower(): str(value) for name, value in fault.headers.items()})
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    if not fault.truncate:
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    scope[TRANSPORT].close()
