# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand: wrong answers, late answers, broken answers and no answer at all.

A fault is armed once and strikes the requests that it matches. It sits between the record of requests and the API, so that a test
can tell what a client sent, whether it took effect, and what came back.
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

_PREFIX = re.compile(r"^/api/v1(/regions/[^/]+)?")
TRANSPORT = "standin.transport"


@dataclass
class Fault:
    """What to do to which requests.

    method, path (a regular expression, searched in the path after /api/v1), predicate (of the request's record): which requests.
    after: how many matching ones are let through first. times: how many are struck then; None: all.
    status: answer with this and the error code; the request takes no effect unless effect is true.
    body, content_type, headers: what is answered instead (headers are added). transform: changes the JSON of the real answer.
    delay: seconds before the effect. delay_after: seconds between the effect and the answer.
    reset: "before" or "after" the effect the connection is torn down without an answer. truncate: it is, in the middle of the answer.
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
    predicate: Callable[[dict[str, Any]], bool] | None = None
    transform: Callable[[Any], Any] | None = None
    struck: int = 0

    def __post_init__(self) -> None:
        if self.reset not in (None, "before", "after"):
            raise ValueError("reset is before or after")
        if isinstance(self.body, str):
            self.body = self.body.encode()
        re.compile(self.path or "")

    def matches(self, entry: dict[str, Any]) -> bool:
        if self.method is not None and self.method.upper() != entry["method"]:
            return False
        if self.path is not None and not re.search(self.path, _PREFIX.sub("", entry["path"])):
            return False
        return self.predicate is None or self.predicate(entry)

    @property
    def has_effect(self) -> bool:
        """Whether the API gets to see the request."""
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
    """The armed ones. Several threads arm; one event loop strikes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[Fault] = []

    def arm(self, fault: Fault) -> Fault:
        with self._lock:
            self._armed.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def strike(self, entry: dict[str, Any]) -> Fault | None:
        """The first fault that is due for this request."""
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


def tear_down(scope: Scope) -> None:
    """Ends the connection with a TCP reset, without a word of HTTP or TLS."""
    transport: asyncio.Transport = scope[TRANSPORT]
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class FaultyApp:
    """ASGI: C(entry) of the scope's state is the request's record (see record.py)."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app = app
        self.faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        entry = scope.get("standin.entry")
        fault = self.faults.strike(entry) if entry is not None else None
        if fault is None:
            await self.app(scope, receive, send)
            return
        if fault.delay:
            await asyncio.sleep(fault.delay)
        kept = _Kept()
        if fault.has_effect:
            await self.app(scope, receive, kept.take)
        if fault.delay_after:
            await asyncio.sleep(fault.delay_after)
        if fault.reset is not None:
            tear_down(scope)
            return
        await _answer(fault, kept, scope, send)


class _Kept:
    """The real answer, held back."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


async def _answer(fault: Fault, kept: _Kept, scope: Scope, send: Send) -> None:
    status, body = kept.status, kept.body
    headers = {name.decode().lower(): value.decode() for name, value in kept.headers}
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
