# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replies of the platform: documents in the formats of the API, and everything that can damage them on the way."""

from __future__ import annotations

import copy
import functools
import json
import math
from typing import Any, Iterator

import requests
from hypothesis import strategies as st

from tests.fuzz.fuzzing import API_KEY, BASIC, BEARER, PASSWORD
from tests.fuzz.transport import Answer, Reply
from tests.unit.scripted import NOT_READY, connect_timeout, jwt, read_timeout, refused, reset

# -- documents, in the formats of the API specification --------------------------------------------------------------

# These are whole variants instead of a strategy for each member, because each drawn thing takes time. Members get odd
# values below, as damage.


def allocator(allocator_id: str, zone: str = "zone-1", connected: bool = True, **more: Any) -> dict:
    """AllocatorInfo, with all specified members."""
    return {
        "allocator_id": allocator_id,
        "zone_id": zone,
        "host_ip": allocator_id,
        "public_hostname": allocator_id,
        "status": {"connected": connected, "healthy": True, "maintenance_mode": False},
        "capacity": {"memory": {"total": 249856, "used": 4096}, "storage": {"total": 7995392}},
        "settings": {},
        "instances": [
            {
                "cluster_type": "kibana",
                "cluster_id": "c",
                "instance_name": "instance-0",
                "node_memory": 1024,
                "healthy": True,
                "deployment_id": "d",
                "moving": False,
                "plans_info": {"pending": False},
            }
        ],
        "metadata": [{"key": "ssd", "value": "true"}],
        "features": [],
        "external_links": [],
        "build_info": {"commit_hash": "c", "version": "3.8.0"},
        **more,
    }


def runner(runner_id: str, *roles: str, zone: str = "zone-1", connected: bool = True, **more: Any) -> dict:
    """RunnerInfo, with all specified members."""
    return {
        "runner_id": runner_id,
        "zone": zone,
        "host_ip": runner_id,
        "public_hostname": runner_id,
        "connected": connected,
        "healthy": True,
        "roles": [{"role_name": role} for role in roles],
        "containers": [{"container_set_name": "runners", "container_name": "runner"}],
        "tags": {"ssd": "true"},
        "features": {},
        "build_info": {"version": "3.8.0"},
        **more,
    }


def region(allocators: Any, runners: Any) -> dict:
    """RegionInfo, with the members that hold counts."""
    return {
        "region_id": "ece-region",
        "allocators": {
            "zone_summaries": [
                {"zone_id": "zone-1", "total_allocators": allocators},
                {"zone_id": "zone-2", "total_allocators": 0},
            ]
        },
        "runners": {"total_runners": runners, "connected_runners": 0},
        "zookeeper_states": {"states": [{"name": "zookeeper", "state": "connected"}]},
        "container_sets_status": {"unhealthy": [{"container_set_name": "s", "options": {"env": ["SECRET=x", "A=1"]}}]},
    }


def platform(version: str, *regions: dict) -> dict:
    """PlatformInfo"""
    services = [{"type": "s", "image": []}]
    return {
        "version": version,
        "services": services,
        "eula_accepted": True,
        "phone_home_enabled": False,
        "regions": [*regions],
        "unreachable_regions": [],
    }


ALLOCATORS = [
    allocator("10.0.0.7"),
    allocator("10.0.0.8", connected=False, build_info={"version": "4.0.3-SNAPSHOT"}),
    allocator("10.0.0.9", "", host_ip="10.0.0.99", public_hostname="NEW.example.com."),
    allocator("fd00::1", "zone\n2", host_ip="FD00:0::1", instances=[], metadata=[]),
    allocator("\ud800", "\u2028", host_ip="127.0.0.1", public_hostname="fe80::1%eth0"),
    {"allocator_id": "10.0.0.7"},
]
RUNNERS = [
    runner("10.0.0.7", "allocator", "beats-runner"),
    runner("10.0.0.8", "beats-runner", zone=""),
    runner("10.0.0.9", "allocator", "proxy", connected=False),
    runner("fd00::1", "coordinator", "director", zone="zone\n2", build_info={"version": "three\nfour"}),
    runner("..", host_ip="10.0.0.8", public_hostname="x\ny", roles=[{"role_name": ""}], tags={}),
    {"runner_id": "\ud800", "connected": True},
]
VERSIONS = ["3.8.0", "3.8.0", "3.8.0-SNAPSHOT", "", "-", "three\nfour"]
ENDS = [1999999999, 0, -1, 10**30, math.nan, math.inf, "soon", None, True, [1]]
TOKENS = [
    *(jwt(["allocator"], exp=end) for end in ENDS),
    *(
        jwt(roles, exp=1999999999)
        for roles in (
            [],
            None,
            5,
            "allocator",
            [["allocator"]],
            ["allocator\nproxy"],
            {"allocator": 1},
            ["proxy", None, 1],
        )
    ),
    *(
        "",
        ".",
        "a.b.c",
        "\ud800.\ud800.",
        "a." + "W" * 40 + ".c",
        "e30.e30.e30",
        "a.bnVsbA.c",
        "a.WzFd.c",
        "x\ny.z",
        "a." + "W1tb" * 4000 + ".c",
    ),
]

# MoveKibanaClusterDetails, as an entry of moves and of failures
MOVE = {
    "cluster_id": "c",
    "calculated_plan": {"plan_configuration": {"move_allocators": [{"from": "10.0.0.7", "to": None}]}},
    "errors": [{"code": "clusters.cluster_invalid_plan", "message": "no\nroom"}],
}
FAILED_PLANS = {
    "healthy": False,
    "history": [
        {
            "attempt_end_time": "2026-11-28T10:00:00.000Z",
            "plan_attempt_log": [{"status": "error", "info_log": [{"message": "PullAccessDenied", "details": {}}]}],
            "error": {"message": "failed", "failure_type": "T", "details": {}},
        }
    ],
}

DOCUMENTS: dict[str, st.SearchStrategy] = {
    "login": st.just({"token": BEARER, "session_expiration_time": "2030-01-01T00:00:00.000Z"}),
    "platform": st.builds(
        platform,
        st.sampled_from(VERSIONS),
        st.sampled_from([region(2, 2), region(0, 0), region(2**63, -1), region(None, None)]),
        st.just(region(1, 3)),
    ),
    "runners": st.builds(lambda *found: {"runners": [*found]}, *[st.sampled_from(RUNNERS)] * 2),
    "runner": st.sampled_from(RUNNERS),
    "allocators": st.builds(
        lambda one, other: {
            "zones": [{"zone_id": "zone-1", "allocators": [one, other]}, {"zone_id": "zone-2", "allocators": None}]
        },
        *[st.sampled_from(ALLOCATORS)] * 2,
    ),
    "allocator": st.sampled_from(ALLOCATORS),
    "tags": st.sampled_from([[], [{"key": "ssd", "value": "true"}], [{"key": "a/b"}, None, {"value": "x"}, "odd"]]),
    "proxies": st.just(
        {
            "proxies_count": 1,
            "proxies": [{"proxy_id": "p", "healthy": True}],
            "settings": {"signature_secret": "s", "http_settings": {"sso_settings": {"sso_secret": "s"}}},
        }
    ),
    "roles": st.just(
        {
            "values": [
                {"id": "allocator", "containers": [{"name": "c", "options": {"auths": {}, "env": ["TOKEN=1", "A=1"]}}]}
            ]
        }
    ),
    "license": st.just(
        {
            "license": {
                "type": "enterprise",
                "signature": "s",
                "uid": "u",
                "issuer": "i",
                "version": 4,
                "max_resource_units": 10,
            }
        }
    ),
    "tokens": st.just(
        {"tokens": [{"token_id": "one", "roles": ["allocator", "proxy"]}, {"token_id": "two", "roles": []}]}
    ),
    "mint": st.builds(
        lambda token, token_id: {"token": token, "token_id": token_id},
        st.sampled_from(TOKENS),
        st.sampled_from(["t", "t", "..", "\ud800", "a/b"]),
    ),
    "moves": st.builds(
        lambda moves, failures: {"moves": moves, "failures": failures},
        *[st.sampled_from([{}, {"kibana_clusters": [MOVE]}, {"kibana_clusters": None, "apm_clusters": [MOVE, MOVE]}])]
        * 2,
    ),
    "maintenance": st.just({}),
    "deployment": st.just({"id": "d", "resources": {"kibana": [{"id": "c", "info": {"plan_info": FAILED_PLANS}}]}}),
    "written": st.just({}),
    "deleted": st.just({}),
}
# Errors may repeat what was sent.
ECHOED = (PASSWORD, BASIC, API_KEY)
FAILURES = st.sampled_from(
    [
        {
            "errors": [
                {"code": code, "message": message, "fields": ["body.roles", *ECHOED]},
                {"code": "second", "message": "a message of the API"},
            ]
        }
        for code in ("root.unauthorized", "allocators.allocator_not_found", NOT_READY, "")
        for message in (
            "two\nlines",
            "",
            f"refused: {PASSWORD}, {API_KEY}",
            f"Basic {BASIC}",
            json.dumps({"password": PASSWORD, "key": API_KEY}),
        )
    ]
    + [{"errors": []}, {"error": PASSWORD}, {"error": {"key": API_KEY}}]
)

# -- damage ----------------------------------------------------------------------------------------------------------

# Placeholders for nesting that is too deep for Python to write as JSON; see `spelled`.
DEEP = {f"@{depth}@": b'{"a":[' * (depth // 2) + b"]}" * (depth // 2) for depth in (80, 400, 900, 20_000)}
JUNK = [
    *(None, True, False, 0, -1, 1.5, math.nan, math.inf, -math.inf, 1e308, 10**30, 10**400),
    *(
        "",
        " ",
        "0",
        "false",
        "null",
        "a\nb",
        "\u2028\x85",
        "\ud800",
        "\x00\x1b[31m",
        "٣",
        "x" * 3000,
        "10.0.0.7",
        "zone-1",
    ),
    *(
        [],
        {},
        [None],
        [[]],
        [{}],
        {"": None},
        {"a": {"b": 1}},
        [1, "a", None, True, {}],
        ["allocator", 1],
        {"1": ["\ud800"]},
    ),
    *DEEP,
]
ECHOES = [
    *ECHOED,
    [*ECHOED],
    dict.fromkeys(ECHOED, 1),
    {"deep": [{"er": list(ECHOED)}]},
    json.dumps(ECHOED),
    "a\n".join(ECHOED),
]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield container and key of every value in a document."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


def _replace(junk: Any, container: Any, key: Any) -> None:
    container[key] = copy.deepcopy(junk)


def _lose(container: Any, key: Any) -> None:
    del container[key]


def _double(container: Any, key: Any) -> None:
    """Repeat an element of a list; repeat a member of an object under another name."""
    if isinstance(container, list):
        container.append(copy.deepcopy(container[key]))
    else:
        container[key + "_"] = container[key]


def _wrap(container: Any, key: Any) -> None:
    container[key] = [container[key]]


ANYTHING = object()


def _damages(junk: list) -> st.SearchStrategy:
    """Return the damages of a place in a document; ANYTHING stands for a value that is drawn for it."""
    return st.sampled_from(
        [
            *[_lose] * 8,
            *[_double] * 4,
            *[_wrap] * 4,
            *[ANYTHING] * 4,
            *(functools.partial(_replace, value) for value in junk),
        ]
    )


DAMAGES, DAMAGES_WITH_ECHOES = _damages(JUNK), _damages(JUNK + ECHOES)
COUNTS = st.sampled_from([0, 1, 1, 2, 3])
PICKS = st.integers(0, 10**6)  # made once, because making a strategy takes longer than an example
SCALARS = st.text(max_size=4) | st.integers() | st.floats()


@st.composite
def damaged(draw, documents: st.SearchStrategy, damages: st.SearchStrategy = DAMAGES) -> Any:
    """Draw a document in which up to three values are lost, doubled, wrapped or replaced."""
    whole = [copy.deepcopy(draw(documents))]  # the examples share its constants
    for _number in range(draw(COUNTS)):
        places = list(_places(whole))
        if places:
            container, key = places[draw(PICKS) % len(places)]
            damage = draw(damages)
            if damage is ANYTHING:
                _replace(draw(SCALARS), container, key)
            else:
                damage(container, key)
    return whole[0] if whole else None


def spelled(document: Any, plain: bool = True) -> bytes:
    """Return a document as JSON, with NaN, with lone surrogates escaped or raw, and with the nesting of DEEP."""
    text = json.dumps(document, ensure_ascii=plain).encode("utf-8", "surrogatepass")
    for name, nesting in DEEP.items():
        text = text.replace(b'"%s"' % name.encode(), nesting)
    return text


PAGE = (
    f"\n<html><head><title>502 for Basic {BASIC}, ApiKey {API_KEY}</title></head>\n<body>{PASSWORD}</body></html>"
).encode()
BODIES = [
    *(
        b"",
        b" \r\n ",
        b"null",
        b"NaN",
        b"[]",
        b"{}",
        b'"text"',
        b"0",
        b"true",
        b"{",
        b'{"version": "3.8.0", "reg',
        b"x" * 5000,
        b"1" * 5000,
    ),
    *(
        b"\xff\xfe\x00",
        b"\x00",
        b"\x1f\x8b\x08\x00",
        b'\xef\xbb\xbf{"version": "3.8.0"}',
        '{"version": "3.8.0"}'.encode("utf-16"),
    ),
    *(
        b"[" * 100_000,
        b'{"a":' * 100_000,
        DEEP["@900@"],
        b'{"errors": "many"}',
        b'{"error": "two\\nlines"}',
        PAGE,
        PAGE,
    ),
    *(
        json.dumps({"message": ECHOED}).encode(),
        f"denied: {PASSWORD}\u2028{BASIC} {API_KEY}".encode(),
        json.dumps({"error": {"sent": ECHOED}}).encode(),
    ),
]
HEADERS: list[dict[str, str]] = [
    *(
        {"Content-Type": "application/json"},
        {"Content-Type": "application/json;charset=UTF-8"},
        {},
        {"Content-Type": "text/html"},
        {"Content-Type": "\xff;;="},
    ),
    *(
        {"Content-Type": f"text/html; charset={name}"}
        for name in ("idna", "undefined", "base64", "utf-16", "punycode", "none such", "utf-7", "\xe4")
    ),
    *(
        {"Content-Encoding": name, "Content-Type": "application/json"}
        for name in ("gzip", "deflate", "identity, gzip", "br")
    ),
    *({"Content-Length": length, "Content-Type": "application/json"} for length in ("1", "99999", "-1", "many")),
    *(
        {"Retry-After": after}
        for after in (
            "0",
            "3",
            "-1",
            "9" * 5000,
            "soon",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Fri, 31 Dec 0000 23:59:59 GMT",
            "nan",
        )
    ),
    *(
        {"Location": place}
        for place in (
            "/login",
            "https://other.example.com/x",
            "https://[",
            f"https://admin:{PASSWORD}@o/",
            "//\xe9\x85:x/",
            f"https://{BASIC}/",
        )
    ),
    {
        "Set-Cookie": "a=b; Domain=.example.com; Path=/; Max-Age=x",
        "X-Cloud-Error-Codes": "a,b",
        "X-Elastic-Api-Key-Expiration": "soon",
    },
]
STATUSES = [
    200,
    201,
    202,
    204,
    302,
    304,
    399,
    400,
    400,
    401,
    401,
    403,
    404,
    404,
    409,
    417,
    429,
    449,
    500,
    502,
    503,
    504,
    599,
    999,
    101,
]
BROKEN = [
    refused,
    connect_timeout,
    read_timeout,
    reset,
    lambda: requests.exceptions.SSLError("EOF occurred in violation of protocol (_ssl.c:1006)"),
    lambda: requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED\nself-signed certificate"),
    lambda: requests.exceptions.ChunkedEncodingError("Connection broken: IncompleteRead(0 bytes read)\nmore"),
    lambda: requests.exceptions.ConnectionError(),
    lambda: requests.exceptions.ContentDecodingError(b"bytes", 1),
]


def documents_as_replies(kind: str) -> st.SearchStrategy:
    """Return answers with status 200 and a damaged document of this kind."""
    return st.builds(
        lambda document, plain: Reply(200, spelled(document, plain)), damaged(DOCUMENTS[kind]), st.booleans()
    )


ERRORS = st.builds(
    lambda document, status, headers: Reply(status, spelled(document), headers),
    damaged(FAILURES, DAMAGES_WITH_ECHOES),
    st.sampled_from(STATUSES),
    st.sampled_from([*HEADERS[:1] * 5, *HEADERS]),
)
STRANGE = st.builds(
    lambda body, status, headers: Reply(status, body, headers),
    st.one_of(st.sampled_from(BODIES), st.sampled_from(BODIES), st.binary(max_size=20)),
    st.sampled_from([*[200] * 12, *STATUSES]),
    st.sampled_from(HEADERS),
)
UNREACHED = st.sampled_from(BROKEN).map(lambda make: make())

# -- servers ---------------------------------------------------------------------------------------------------------

HEALTHY_DOCUMENTS: dict[str, Any] = {
    "login": {"token": BEARER},
    "platform": {
        "version": "3.8.0",
        "regions": [
            {
                "allocators": {"zone_summaries": [{"zone_id": "zone-1", "total_allocators": 2}]},
                "runners": {"total_runners": 3},
            }
        ],
    },
    "runners": {
        "runners": [
            {"runner_id": "10.0.0.7", "connected": True, "zone": "zone-1", "roles": [{"role_name": "allocator"}]},
            {"runner_id": "10.0.0.8", "connected": True, "roles": [{"role_name": "beats-runner"}]},
            {"runner_id": "in-no-list", "connected": True, "roles": [{"role_name": "allocator"}]},
        ]
    },
    "allocator": {
        "allocator_id": "in-no-list",
        "zone_id": "zone-1",
        "status": {"connected": False, "maintenance_mode": True},
        "instances": [{"cluster_id": "c", "cluster_type": "kibana", "deployment_id": "d"}],
    },
    "tags": [{"key": "ssd", "value": "true"}],
    "runner": {"runner_id": "10.0.0.8", "connected": False, "roles": [{"role_name": "allocator"}]},
    "allocators": {
        "zones": [
            {
                "zone_id": "zone-1",
                "allocators": [
                    {
                        "allocator_id": "10.0.0.7",
                        "status": {"connected": True},
                        "capacity": {"memory": {"total": 8192, "used": 1}},
                    }
                ],
            },
            {"zone_id": "zone-2", "allocators": [{"allocator_id": "10.0.0.8", "status": {"connected": False}}]},
        ]
    },
    "proxies": {"proxies": [], "settings": {}},
    "roles": {"values": []},
    "license": {"license": {"type": "trial"}},
    "tokens": {"tokens": [{"token_id": "t", "roles": ["allocator"]}]},
    "mint": {"token": jwt(["allocator"], exp=1999999999), "token_id": "t"},
    "moves": {"moves": {"kibana_clusters": [MOVE]}, "failures": {}},
    "maintenance": {},
    "deployment": {"resources": {}},
    "written": {},
    "deleted": {},
}


def always(reply: Reply) -> Answer:
    """Return the same answer to every request."""
    return lambda number, request: reply


HEALTHY: dict[str, Answer] = {
    kind: always(Reply(200, spelled(document))) for kind, document in HEALTHY_DOCUMENTS.items()
}


def in_turn(kind: str, replies: list) -> Answer:
    """Return these answers in order, and then the last one; None stands for a healthy answer."""
    return lambda number, request: replies[min(number, len(replies) - 1)] or HEALTHY[kind](number, request)


def _page(names) -> Reply:
    return Reply(
        200, spelled({"zones": [{"zone_id": "zone-1", "allocators": [{"allocator_id": name} for name in names]}]})
    )


def endless(size: int) -> Answer:
    """Return an endless list, in pages of this size."""
    return lambda number, request: _page(f"{number}-{position}" for position in range(size))


def always_the_first(size: int) -> Answer:
    """Return a server that ignores `from`."""
    return lambda number, request: _page(map(str, range(size)))


def shrinking(size: int, loss: int, cap: int) -> Answer:
    """Return a list that loses its first entries while it is read, in pages of at most `cap` entries."""

    def answer(number, request):
        start = int(request.url.partition("from=")[2].partition("&")[0])
        return _page([str(name) for name in range(number * loss, size)][start : start + cap])

    return answer


PAGERS = st.one_of(
    st.builds(endless, st.integers(1, 3)),
    st.builds(always_the_first, st.integers(0, 3)),
    st.builds(shrinking, st.integers(0, 9), st.integers(-1, 3), st.integers(1, 4)),
)


def _servers_of(kind: str) -> st.SearchStrategy[Answer]:
    def once(answers):
        return answers.map(lambda answer: in_turn(kind, [answer]))

    documents = documents_as_replies(kind)
    turns = st.builds(lambda first, then: in_turn(kind, [first, then]), ERRORS | UNREACHED, documents)
    return st.one_of(
        *[once(documents)] * 8,
        *[once(ERRORS)] * 2,
        *[once(STRANGE)] * 3,
        once(UNREACHED),
        PAGERS if kind == "allocators" else turns,
    )


_SERVERS = {kind: _servers_of(kind) for kind in DOCUMENTS}


def servers(kind: str) -> st.SearchStrategy[Answer]:
    """Return how requests of one kind are answered in one example: always the same, or differently each time."""
    return _SERVERS[kind]
