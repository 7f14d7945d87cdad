# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The request log, the outermost ASGI layer: what clients sent and what status they received, without secrets."""

from __future__ import annotations

import json
import threading
import time
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.standin.asgi import ENTRY, JWT, MASK, RequestEntry
from tests.standin.contract import Contract

_SCHEMES = {"apikey": "ApiKey", "basic": "Basic", "bearer": "Bearer"}
# Endings of the paths of POST requests that are not mutations.
_NO_MUTATION = ("/_login", "/_refresh", "/_logout", "/_search")


class RequestLog:
    """The entries of all requests, in the order in which they arrived. It may be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[RequestEntry] = []

    def add(self, entry: RequestEntry) -> None:
        """Append an entry. Its status may be set later."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock:
            self._entries.clear()

    @property
    def entries(self) -> list[RequestEntry]:
        """Copies of all entries."""
        with self._lock:
            return [entry.copy() for entry in self._entries]

    @property
    def mutations(self) -> list[RequestEntry]:
        """Copies of the entries of requests that were meant to change something on the platform."""
        return [entry for entry in self.entries if _is_mutation(entry)]


def _is_mutation(entry: RequestEntry) -> bool:
    return entry["method"] in ("POST", "PUT", "DELETE", "PATCH") and not entry["path"].endswith(_NO_MUTATION)


def _shown_body(raw: bytes, path: str) -> Any:
    try:
        body = json.loads(raw) if raw else None
    except ValueError:
        body = raw.decode("utf-8", "replace")
    if path.endswith("/_login"):
        return {"username": body.get("username", ""), "password": MASK} if isinstance(body, dict) else MASK
    return body


class RequestLogLayer:
    """The ASGI layer that writes the log. It also checks requests against the contract, so that a fault hides none."""

    def __init__(self, app: ASGIApp, log: RequestLog, contract: Contract) -> None:
        self.app = app
        self.log = log
        self.contract = contract

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        raw, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            raw += message.get("body", b"")
            more = message.get("more_body", False)
        entry = _entry(scope, raw)
        self.log.add(entry)
        self.contract.check_request(entry, raw)
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": raw, "more_body": False}

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            await send(message)

        await self.app({**scope, ENTRY: entry}, replay, watched)


def _entry(scope: Scope, raw: bytes) -> RequestEntry:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    path = JWT.sub(MASK, scope["path"])
    return {
        "method": scope["method"],
        "path": path,
        "query": dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
        "body": _shown_body(raw, path),
        "status": None,
        "auth": _SCHEMES.get(headers.get("authorization", "").partition(" ")[0].lower()),
        "time": time.time(),
        "port": scope["server"][1],
    }
