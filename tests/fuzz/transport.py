# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform in place of the network: the client's own session, with everything but the sockets."""

from __future__ import annotations

import copy
import http.client
import io
import re
import socket
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from tests.fuzz.fuzzing import CREDENTIALS

URLS = ("https://ece-1.example.com:12443", "https://ece-2.example.com:12443")
# More than any consumer needs in the worst case that ends.
REQUESTS_MAX = 300

# Every request of the collection, by the kind of its answer.
KINDS = {
    "login": r"POST /users/auth/_login",
    "platform": r"GET /platform",
    "runners": r"GET /platform/infrastructure/runners",
    "runner": r"GET /platform/infrastructure/runners/[^/]+",
    "allocators": r"GET /platform/infrastructure/allocators",
    "allocator": r"GET /platform/infrastructure/allocators/[^/]+",
    "tags": r"GET /platform/infrastructure/allocators/[^/]+/metadata",
    "proxies": r"GET /platform/infrastructure/proxies",
    "roles": r"GET /platform/infrastructure/blueprinter/roles",
    "license": r"GET /platform/license",
    "tokens": r"GET /platform/configuration/security/enrollment-tokens",
    "mint": r"POST /platform/configuration/security/enrollment-tokens",
    "maintenance": r"POST /platform/infrastructure/allocators/[^/]+/maintenance-mode/_(start|stop)",
    "written": (
        r"PUT /platform/infrastructure/(runners/[^/]+/roles|blueprinter/roles/[^/]+/blessings/[^/]+"
        r"|allocators/[^/]+/(settings|metadata(/[^/]+)?))"
    ),
    "moves": r"POST /platform/infrastructure/allocators/[^/]+/clusters/_move",
    "deployment": r"GET /deployments/[^/]+",
    "deleted": r"DELETE /platform/(infrastructure/(runners|allocators)|configuration/security/enrollment-tokens)/[^/]+",
}
_KINDS = {kind: re.compile(pattern) for kind, pattern in KINDS.items()}


@dataclass(frozen=True)
class Reply:
    """An answer as it arrives: not parsed, not decoded."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


Answer = Callable[[int, requests.PreparedRequest], "Reply | Exception"]


class Platform(HTTPAdapter):
    """Answers each kind of request with a function of its number and the request.

    known: documents for the kinds without such a function. The client of client_of() gets them without HTTP, which
    would take most of the time.
    """

    def __init__(self, answers: Mapping[str, Answer], known: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._answers = answers
        self._known = known or {}
        self.asked: dict[str, int] = {}

    def known_to(self, method: str, path: str) -> Any:
        """Return the document for a request, or None if the request has to be sent."""
        kind = kind_of(method, path)
        return None if kind in self._answers else copy.deepcopy(self._known.get(kind))

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        check_sendable(request, timeout)
        kind = kind_of(
            request.method, urlsplit(request.url).path.partition("/api/v1")[2]
        )  # there may be a path of a proxy before it
        number = self.asked.get(kind, 0)
        self.asked[kind] = number + 1
        assert sum(self.asked.values()) <= REQUESTS_MAX, f"the requests do not end: {self.asked}"
        reply = self._answers[kind](number, request)
        if isinstance(reply, Exception):
            raise reply
        raw = HTTPResponse(
            io.BytesIO(reply.body), reply.headers, reply.status, preload_content=False, request_method=request.method
        )
        return self.build_response(request, raw)


def kind_of(method: str, path: str) -> str:
    """Return the kind of a request. Fail if it is not of the API, as when an odd id has changed its path."""
    asked = f"{method} {path}"
    kind = next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(asked)), None)
    assert kind, f"not a request of the API: {asked}"
    return kind


_SOCKET = socket.socket()


def check_sendable(request: requests.PreparedRequest, timeout: tuple[float, float]) -> None:
    """Raise what a real connection would raise for invalid headers, paths and timeouts."""
    for seconds in timeout:
        _SOCKET.settimeout(seconds)
    connection = http.client.HTTPConnection("never.connected")
    connection.putrequest(request.method, request.path_url)
    for name, value in request.headers.items():
        connection.putheader(name, value)


class _Client(EceClient):
    """The real client, except for documents that are known beforehand."""

    def request(self, method, path, **arguments):
        document = self.platform_known(method, path)
        return super().request(method, path, **arguments) if document is None else document


def client_of(platform: Platform, credentials: str) -> EceClient:
    """Return the real client of a platform, without sockets and pauses."""
    client = _Client(URLS, **CREDENTIALS[credentials], retries=1, sleep=lambda seconds: None)
    client.platform_known = platform.known_to
    attach(client, platform)
    return client


def attach(client: EceClient, platform: Platform) -> None:
    """Replace the network of a client by a platform."""
    client._session.trust_env = False  # ignore proxies and netrc of this machine
    for scheme in ("https://", "http://"):
        client._session.mount(scheme, platform)
