# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges requests and replies by an OpenAPI (Swagger 2.0) file, where one is given. Records violations, raises nothing.

Fields that the file does not know are violations too: a stand-in that invents fields would let a client lean on them.
"""

from __future__ import annotations

import copy
import json
import re
import threading
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, FormatChecker
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PREFIX = re.compile(r"^/api/v1(/regions/[^/]+)?")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]*")
_FORMATS = FormatChecker(formats=["date-time"])
# Of long lists the ends are judged; all of 10,000 allocators would take longer than the request may.
LONG = 100


class Contract:
    def __init__(self, path: str | Path | None = None) -> None:
        self._lock = threading.Lock()
        self.violations: list[str] = []
        self._operations: list[tuple[str, re.Pattern[str], dict[str, Any]]] = []
        self._validators: dict[str, Draft4Validator] = {}
        if path is None:
            return
        spec = json.loads(Path(path).read_text(encoding="utf-8"))
        self._definitions = {name: _strict(schema) for name, schema in spec["definitions"].items()}
        for template, operations in spec["paths"].items():
            pattern = re.compile("^" + re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(template)) + r"\Z")
            for method, operation in operations.items():
                if method != "parameters":
                    self._operations.append((method.upper(), pattern, operation))
        # Fixed words win over placeholders.
        self._operations.sort(key=lambda entry: entry[1].pattern.count("[^/]+"))

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """None where the file says nothing about such a request."""
        short = _PREFIX.sub("", path)
        return next(
            (operation for name, pattern, operation in self._operations if name == method and pattern.match(short)),
            None,
        )

    def note(self, text: str) -> None:
        with self._lock:
            self.violations.append(_JWT.sub("********", text))

    def check_request(self, entry: dict[str, Any], raw: bytes) -> None:
        operation = self.operation(entry["method"], entry["path"])
        if operation is None:
            return
        where = f"request {entry['method']} {entry['path']}"
        parameters = operation.get("parameters", [])
        known = {item["name"]: item for item in parameters if item["in"] == "query"}
        for name, value in entry["query"].items():
            if name not in known:
                self.note(f"{where}: unknown query parameter {name}")
            elif not _query_valid(known[name], value):
                self.note(f"{where}: query parameter {name}={value} is no {known[name]['type']}")
        for name in known:
            if known[name].get("required") and name not in entry["query"]:
                self.note(f"{where}: query parameter {name} is missing")
        body = next((item for item in parameters if item["in"] == "body"), None)
        if not raw:
            if body is not None and body.get("required"):
                self.note(f"{where}: the body is missing")
        elif body is None:
            if raw.strip() not in (b"{}", b"null"):
                self.note(f"{where}: a body where none belongs")
        # The file types the PATCH of settings as a string; what is meant is an object.
        elif body["schema"].get("type") != "string":
            self._judge(where, body["schema"], raw)

    def check_reply(self, method: str, path: str, status: int, raw: bytes) -> None:
        operation = self.operation(method, path)
        if operation is None:
            return
        response = operation["responses"].get(str(status))
        if response is None and status < 400:
            self.note(f"reply {status} to {method} {path}: no such status")
            return
        schema = (response or {}).get("schema") or {"$ref": "#/definitions/BasicFailedReply"}
        self._judge(f"reply {status} to {method} {path}", schema, raw)

    def _judge(self, where: str, schema: dict[str, Any], raw: bytes) -> None:
        try:
            content = json.loads(raw)
        except ValueError:
            self.note(f"{where}: not JSON")
            return
        key = json.dumps(schema, sort_keys=True)
        validator = self._validators.get(key)
        if validator is None:
            # Draft 4 ignores what stands beside a $ref, the definitions included; so the schema goes inside.
            validator = Draft4Validator({"allOf": [schema], "definitions": self._definitions}, format_checker=_FORMATS)
            self._validators[key] = validator
        for error in list(validator.iter_errors(_shortened(content)))[:5]:
            place = "/".join(str(part) for part in error.absolute_path)
            self.note(f"{where}: {place or 'body'}: {error.message[:300]}")


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(schema)
    if changed.get("properties") and "additionalProperties" not in changed:
        changed["additionalProperties"] = False
    for part in changed.get("properties", {}).values():
        _bound(part)
    return changed


def _bound(part: dict[str, Any]) -> None:
    if part.get("format") == "int32":
        part.setdefault("maximum", 2**31 - 1)
        part.setdefault("minimum", -(2**31))
    if isinstance(part.get("items"), dict):
        _bound(part["items"])


def _query_valid(parameter: dict[str, Any], value: str) -> bool:
    kind = parameter.get("type")
    if kind == "boolean":
        return value in ("true", "false")
    if kind == "integer":
        return bool(re.match(r"^-?\d+\Z", value))
    return not parameter.get("enum") or value in parameter["enum"]


def _shortened(content: Any) -> Any:
    if isinstance(content, list):
        ends = content if len(content) <= LONG else content[: LONG // 2] + content[-LONG // 2 :]
        return [_shortened(item) for item in ends]
    if isinstance(content, dict):
        chosen = content.items() if len(content) <= LONG else list(content.items())[:LONG]
        return {key: _shortened(value) for key, value in chosen}
    return content


class ReplyChecker:
    """ASGI, directly around the API: replies are judged as the API gave them, before a fault spoils them."""

    def __init__(self, app: ASGIApp, contract: Contract, sparse: Any) -> None:
        self.app = app
        self.contract = contract
        self.sparse = sparse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.contract.operation(scope["method"], scope["path"]) is None:
            await self.app(scope, receive, send)
            return
        status, raw = 0, b""

        async def watched(message: Message) -> None:
            nonlocal status, raw
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                raw += message.get("body", b"")
                if not message.get("more_body") and not (self.sparse() and "/allocators" in scope["path"]):
                    self.contract.check_reply(scope["method"], scope["path"], status, raw)
            await send(message)

        await self.app(scope, receive, watched)
