# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of requests, outermost of the layers: what came in and what went out, without secrets."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.standin.contract import Contract

MASK = "********"
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_SCHEMES = {"apikey": "ApiKey", "basic": "Basic", "bearer": "Bearer"}
_NO_MUTATION = ("/_login", "/_refresh", "/_logout", "/_search")


class Log:
    """Entries in the order in which requests came in; status stays None while, or because, nothing was answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[dict[str, Any]] = []

    def add(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    @property
    def entries(self) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(entry) for entry in self._entries]


def is_mutation(entry: dict[str, Any]) -> bool:
    return entry["method"] in ("POST", "PUT", "DELETE", "PATCH") and not entry["path"].endswith(_NO_MUTATION)


def _shown_body(raw: bytes, path: str) -> Any:
    try:
        body = json.loads(raw) if raw else None
    except ValueError:
        body = raw.decode("utf-8", "replace")
    if path.endswith("/_login"):
        return {"username": body.get("username", ""), "password": MASK} if isinstance(body, dict) else MASK
    return body


class Recorder:
    """ASGI: reads the body once, records, and lets the contract judge what the client sent, even where a fault strikes."""

    def __init__(self, app: ASGIApp, log: Log, contract: Contract) -> None:
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
        entry = self._entry(scope, raw)
        self.log.add(entry)
        self.contract.check_request(entry, raw)
        replayed = False

        async def again() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": raw, "more_body": False}

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            await send(message)

        await self.app({**scope, "standin.entry": entry}, again, watched)

    @staticmethod
    def _entry(scope: Scope, raw: bytes) -> dict[str, Any]:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path = _JWT.sub(MASK, scope["path"])
        return {
            "method": scope["method"],
            "path": path,
            "query": dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
            "body": _shown_body(raw, path),
            "status": None,
            "auth": _SCHEMES.get(headers.get("authorization", "").partition(" ")[0].lower()),
            "time": time.time(),
        }
