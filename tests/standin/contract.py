# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract check, the ASGI layer around the API: requests and replies against an OpenAPI (Swagger 2.0) file.

Violations are recorded, not raised. A field that the file does not define is a violation, too, because a client could
come to rely on a field that the stand-in invented.
"""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, FormatChecker
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.standin.asgi import JWT, MASK, RequestEntry, resource_path

_FORMATS = FormatChecker(formats=["date-time"])
# Of a longer list only both ends are checked: all of 10,000 allocators would take longer than the client's timeout.
LONG = 100
# How many violations of one message are recorded.
MOST = 5


class Contract:
    """An OpenAPI file and the violations of it. Without a file nothing is checked. It may be used from any thread."""

    def __init__(self, path: str | Path | None = None) -> None:
        self._lock = threading.Lock()
        self._violations: list[str] = []
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
        # A path without placeholders has precedence.
        self._operations.sort(key=lambda entry: entry[1].pattern.count("[^/]+"))

    @property
    def violations(self) -> list[str]:
        """The violations so far."""
        with self._lock:
            return list(self._violations)

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """Return the operation of a request, None where the file has none."""
        short = resource_path(path)
        return next(
            (operation for name, pattern, operation in self._operations if name == method and pattern.match(short)),
            None,
        )

    def note(self, text: str) -> None:
        """Record a violation, with tokens masked."""
        with self._lock:
            self._violations.append(JWT.sub(MASK, text))

    def check_request(self, entry: RequestEntry, raw: bytes) -> None:
        """Check the query and the body of a request."""
        operation = self.operation(entry["method"], entry["path"])
        if operation is None:
            return
        where = f"request {entry['method']} {entry['path']}"
        parameters = operation.get("parameters", [])
        self._check_query(where, parameters, entry["query"])
        self._check_body(where, next((item for item in parameters if item["in"] == "body"), None), raw)

    def _check_query(self, where: str, parameters: list[dict[str, Any]], query: dict[str, str]) -> None:
        known = {item["name"]: item for item in parameters if item["in"] == "query"}
        for name, value in query.items():
            if name not in known:
                self.note(f"{where}: unknown query parameter {name}")
            elif not _query_valid(known[name], value):
                self.note(f"{where}: query parameter {name}={value} is not of type {known[name]['type']}")
        for name in known:
            if known[name].get("required") and name not in query:
                self.note(f"{where}: query parameter {name} is missing")

    def _check_body(self, where: str, body: dict[str, Any] | None, raw: bytes) -> None:
        if not raw:
            if body is not None and body.get("required"):
                self.note(f"{where}: the body is missing")
        elif body is None:
            if raw.strip() not in (b"{}", b"null"):
                self.note(f"{where}: there is a body, but the operation takes none")
        # In the file the body of PATCH settings is a string, by mistake; it is an object.
        elif body["schema"].get("type") != "string":
            self._check_content(where, body["schema"], raw)

    def check_reply(self, method: str, path: str, status: int, raw: bytes) -> None:
        """Check the status and the body of a reply."""
        operation = self.operation(method, path)
        if operation is None:
            return
        response = operation["responses"].get(str(status))
        if response is None and status < 400:
            self.note(f"reply {status} to {method} {path}: no such status")
            return
        schema = (response or {}).get("schema") or {"$ref": "#/definitions/BasicFailedReply"}
        self._check_content(f"reply {status} to {method} {path}", schema, raw)

    def _check_content(self, where: str, schema: dict[str, Any], raw: bytes) -> None:
        try:
            content = json.loads(raw)
        except ValueError:
            self.note(f"{where}: not JSON")
            return
        key = json.dumps(schema, sort_keys=True)
        validator = self._validators.get(key)
        if validator is None:
            # Draft 4 ignores everything beside a $ref, the definitions included, so the schema is put inside allOf.
            validator = Draft4Validator({"allOf": [schema], "definitions": self._definitions}, format_checker=_FORMATS)
            self._validators[key] = validator
        for error in list(validator.iter_errors(_shortened(content)))[:MOST]:
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


class ReplyCheck:
    """The ASGI layer directly around the API: it checks each reply as the API made it, before a fault changes it.

    sparse: whether replies lack required fields on purpose, so that those about allocators are not checked.
    """

    def __init__(self, app: ASGIApp, contract: Contract, sparse: Callable[[], bool]) -> None:
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
