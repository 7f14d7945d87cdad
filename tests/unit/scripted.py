# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform that answers by a script: each request must be the next one expected, and all expected must arrive."""

from __future__ import annotations

import base64
import json as jsonlib

import requests
import responses
from responses.registries import OrderedRegistry
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

URL = "https://ece.example.com:12443"
OTHER_URL = "https://ece-2.example.com:12443"
API_KEY = "a-key-that-must-not-show"
USERNAME = "admin"
PASSWORD = "p4ss'word\"that:must/not show"

RUNNERS = "/platform/infrastructure/runners"
ALLOCATORS = "/platform/infrastructure/allocators"
TOKENS = "/platform/configuration/security/enrollment-tokens"
LOGIN = "/users/auth/_login"
NOT_READY = "controller_route.controller_not_ready"


class Script:
    """Expected requests with their answers, in order. Every request must have both timeouts."""

    def __init__(self):
        self._mock = responses.RequestsMock(assert_all_requests_are_fired=False, registry=OrderedRegistry)

    def __enter__(self):
        self._mock.start()
        return self

    def __exit__(self, kind, *_):
        self._mock.stop(allow_assert=False)
        if kind is None:
            self.check()

    def expect(
        self,
        method,
        path,
        *,
        status=200,
        json=None,
        body="",
        query=None,
        sends=None,
        authorization=None,
        headers=None,
        url=URL,
    ):
        """Expect a request, and give its answer.

        query, sends: exactly what the request must have; None for a request without.
        body: text, or an exception to raise.
        """
        answer = {"json": json} if json is not None else {"body": body}

        def fits(request):
            sent = jsonlib.loads(request.body) if request.body else None
            connect, read = request.req_kwargs["timeout"]
            for what, actual, wanted in (
                ("query", request.params, {key: str(value) for key, value in (query or {}).items()}),
                ("body", sent, sends),
                (
                    "Authorization",
                    request.headers.get("Authorization"),
                    authorization if authorization is not None else request.headers.get("Authorization"),
                ),
                ("Accept", request.headers["Accept"], "application/json"),
                ("Content-Type", request.headers.get("Content-Type"), None if method == "GET" else "application/json"),
                ("timeouts", connect > 0 and read > 0, True),
            ):
                if actual != wanted:
                    return False, f"{what} is {actual!r}, expected {wanted!r}"
            return True, ""

        self._mock.add(
            responses.Response(method, url + "/api/v1" + path, status=status, headers=headers, match=[fits], **answer)
        )
        return self

    @property
    def requests(self):
        """The requests that arrived, as the library prepared them."""
        return [call.request for call in self._mock.calls]

    def check(self):
        """Fail on a request that was not expected (the client saw a connection error), and on one that never came."""
        for call in self._mock.calls:
            error = str(call.response) if isinstance(call.response, Exception) else ""
            assert not error.startswith("Connection refused by Responses"), f"not the request expected next: {error}"
        missing = [f"{response.method} {response.url}" for response in self._mock.get_registry().registered]
        assert not missing, f"these requests never came: {missing}"


# -- exceptions of requests, as they look on the wire (test_client.py proves it with real sockets) -------------------


def refused():
    return requests.exceptions.ConnectionError(
        MaxRetryError(None, "/", NewConnectionError(None, "[Errno 111] Connection refused"))
    )


def connect_timeout():
    return requests.exceptions.ConnectTimeout(MaxRetryError(None, "/", ConnectTimeoutError(None, "timed out")))


def read_timeout():
    return requests.exceptions.ReadTimeout(ReadTimeoutError(None, "/", "Read timed out."))


def reset():
    return requests.exceptions.ConnectionError(
        ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))
    )


# -- replies of the API ----------------------------------------------------------------------------------------------


def failed(code, message="a message of the API", **more):
    """BasicFailedReply"""
    return {"errors": [{"code": code, "message": message, **more}]}


def jwt(roles, **claims):
    """An enrollment token, with a signature that only a platform could check."""
    head, payload = (
        base64.urlsafe_b64encode(jsonlib.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256"}, {"roles": roles, **claims})
    )
    return f"{head}.{payload}.c2lnbmF0dXJl"


def platform(allocators=None, runners=None, **more):
    """GET /platform, with counts if they are given."""
    region = {}
    if allocators is not None:
        region["allocators"] = {"zone_summaries": [{"zone_id": "zone-1", "total_allocators": allocators}]}
    if runners is not None:
        region["runners"] = {"total_runners": runners}
    return {"version": "3.8.0", "regions": [region], **more}


def allocator(allocator_id, *, connected=True, zone="zone-1", memory=1024, used=512, maintenance=False, **more):
    """AllocatorInfo, as sparse as a real platform may send it."""
    return {
        "allocator_id": allocator_id,
        "zone_id": zone,
        "status": {"connected": connected, "healthy": True, "maintenance_mode": maintenance},
        "capacity": {"memory": {"total": memory, "used": used}},
        **more,
    }


def overview(*allocators):
    """AllocatorOverview: zones with their allocators."""
    zones = {}
    for one in allocators:
        zones.setdefault(one["zone_id"], []).append(one)
    return {"zones": [{"zone_id": zone, "allocators": members} for zone, members in zones.items()]}


def runner(runner_id, *roles, connected=True, **more):
    """RunnerInfo"""
    return {
        "runner_id": runner_id,
        "connected": connected,
        "healthy": True,
        "roles": [{"role_name": role} for role in roles],
        **more,
    }


# Values of every type, for the place of one that the API promises.
ODD_VALUES = [None, True, 0, -1.5, "text", "", [], [None, "a", 1], {}, {"a": 1}, float("nan"), float("inf"), 10**400]


# An allocator with every member that is read.
FULL_ALLOCATOR = {
    "allocator_id": "a1",
    "zone_id": "z1",
    "host_ip": "10.0.0.1",
    "public_hostname": "a1.example.com",
    "status": {"connected": True, "healthy": True, "maintenance_mode": True},
    "capacity": {"memory": {"total": 249856, "used": 1024}, "storage": {"total": 8388608}},
    "build_info": {"version": "3.8.0", "commit_hash": "0000000"},
    "instances": [{}, {}],
    "metadata": [{"key": "ssd", "value": "true"}, {"value": "no key"}, {"key": "bare"}],
}
