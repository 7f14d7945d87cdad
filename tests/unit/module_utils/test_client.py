# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations of the API, by a script or by an adapter that answers everything."""

from __future__ import annotations

import contextlib
import json

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter

from ansible_collections.ece.platform.plugins.module_utils._client import (
    PAGES_MAX,
    EceApiError,
    EceClient,
    EceError,
    EceProtocolError,
)
from tests.unit.scripted import ALLOCATORS, NOT_READY, OTHER_URL, RUNNERS, TOKENS, URL, failed, reset

PLATFORM = {"version": "3.8.0"}

# -- DELETE ----------------------------------------------------------------------------------------------------------

DELETES = {
    "token": ("delete_enrollment_token", TOKENS, "enrollment_tokens.invalid_token_id"),
    "runner": ("delete_runner", RUNNERS, "runners.runner_not_found"),
    "allocator": ("delete_allocator", ALLOCATORS, "allocators.allocator_not_found"),
}


@pytest.mark.parametrize("thing", DELETES)
@pytest.mark.parametrize("answer", [{"json": {}}, {"status": 204}, None], ids=["there", "there, no body", "gone"])
def test_deleting_what_is_gone_is_a_success(ece, make_client, thing, answer):
    function, path, absent = DELETES[thing]
    ece.expect("DELETE", path + "/an%2Fid%3F", **(answer or {"status": 404, "json": failed(absent)}))
    assert getattr(make_client(), function)("an/id?") is (answer is not None)


@pytest.mark.parametrize("thing", DELETES)
@pytest.mark.parametrize("lost", [{"body": reset()}, {"status": 504}], ids=["reset", "gateway timeout"])
def test_what_is_gone_after_a_lost_answer_was_deleted_by_this_call(ece, make_client, thing, lost):
    function, path, absent = DELETES[thing]
    ece.expect("DELETE", path + "/id", **lost)
    ece.expect("DELETE", path + "/id", status=404, json=failed(absent))
    assert getattr(make_client(), function)("id") is True


@pytest.mark.parametrize("thing", DELETES)
@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_id_that_would_make_another_path_is_refused(ece, make_client, thing, name):
    with pytest.raises(EceError, match="cannot be the id of"):
        getattr(make_client(), DELETES[thing][0])(name)
    assert ece.requests == []


@pytest.mark.parametrize("thing", DELETES)
def test_an_id_of_any_characters_can_be_sent(ece, make_client, thing):
    function, path, _absent = DELETES[thing]
    ece.expect("DELETE", path + "/%ED%A0%80%20a", json={})
    assert getattr(make_client(), function)("\ud800 a") is True


@pytest.mark.parametrize("thing", DELETES)
@pytest.mark.parametrize(
    "answer",
    [
        {"body": "<html>nginx: no such page</html>"},
        {"body": ""},
        {"body": "null"},
        {"json": {"message": "no Route matched"}},
        {"json": {"ok": False}},
        {"json": failed(NOT_READY)},
        {"json": failed("root.resource_not_found")},
    ],
    ids=["page of a proxy", "empty", "null", "ingress", "ECE's proxy", "platform that starts", "no such path"],
)
def test_a_404_that_the_api_did_not_send_about_the_object_is_an_error(ece, make_client, thing, answer):
    function, path, _absent = DELETES[thing]
    ece.expect("DELETE", path + "/id", status=404, **answer)
    with pytest.raises(EceApiError, match="HTTP 404"):
        getattr(make_client(retries=0), function)("id")


# -- replies without what the API promises ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "path", "key"),
    [
        ("platform", "/platform", "version"),
        ("runners", RUNNERS, "runners"),
        ("iter_allocators", ALLOCATORS, "zones"),
        ("proxies", "/platform/infrastructure/proxies", "proxies"),
        ("blueprinter_roles", "/platform/infrastructure/blueprinter/roles", "values"),
        ("license", "/platform/license", "license"),
        ("enrollment_tokens", TOKENS, "tokens"),
    ],
)
@pytest.mark.parametrize("reply", [{}, [], "text", 7, None, {"other": 1}], ids=repr)
def test_a_reply_without_what_the_api_promises_is_an_error(ece, make_client, call, path, key, reply):
    query = {"size": 1000, "from": 0, "sort": "allocator_id"} if call == "iter_allocators" else None
    ece.expect("GET", path, body=json.dumps(reply), query=query)
    with pytest.raises(EceProtocolError, match=f"'{key}'|not JSON") as caught:
        list(getattr(make_client(), call)())
    assert URL in str(caught.value)


@pytest.mark.parametrize(
    ("call", "path", "reply"),
    [
        ("platform", "/platform", {"version": 3.8}),
        ("runners", RUNNERS, {"runners": {}}),
        ("enrollment_tokens", TOKENS, {"tokens": "none"}),
        ("license", "/platform/license", {"license": [1]}),
    ],
)
def test_a_value_of_another_kind_is_an_error_and_not_an_empty_list(ece, make_client, call, path, reply):
    ece.expect("GET", path, json=reply)
    with pytest.raises(EceProtocolError, match="which the API promises"):
        getattr(make_client(), call)()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["zones", "allocators", "allocator_id", "zone_id", "errors", "x"]), inner)
    ),
    max_leaves=8,
)
KEYS = (
    "version",
    "runners",
    "zones",
    "proxies",
    "values",
    "license",
    "runner_id",
    "tokens",
    "token",
    "errors",
    "error",
)
REPLIES = st.dictionaries(
    st.sampled_from(KEYS),
    JSON | st.lists(st.dictionaries(st.sampled_from([*KEYS, "allocators", "allocator_id", "code", "fields"]), JSON)),
)


class OneAnswer(HTTPAdapter):
    """An adapter with one answer to every request."""

    def __init__(self, status, body):
        super().__init__()
        self._status, self._body = status, body

    def send(self, request, **_):
        response = requests.Response()
        response.status_code, response._content, response.url, response.request = (
            self._status,
            self._body,
            request.url,
            request,
        )
        return response


CALLS = {
    "platform": lambda client: client.platform(),
    "runners": lambda client: client.runners(),
    "allocators": lambda client: list(client.iter_allocators()),
    "proxies": lambda client: client.proxies(),
    "roles": lambda client: client.blueprinter_roles(),
    "license": lambda client: client.license(),
    "runner": lambda client: client.runner("id"),
    "tokens": lambda client: client.enrollment_tokens(),
    "mint": lambda client: client.create_enrollment_token(["allocator"], True, None),
    "set roles": lambda client: client.set_runner_roles("id", ["allocator"]),
    "permit role": lambda client: client.permit_role("allocator", "id"),
    "delete": lambda client: client.delete_runner("id"),
}


@given(
    call=st.sampled_from(sorted(CALLS)),
    status=st.sampled_from([200, 200, 200, 302, 400, 401, 404, 500, 503]),
    body=REPLIES.map(lambda reply: json.dumps(reply).encode()) | st.binary(max_size=20),
    credentials=st.sampled_from([{"api_key": "k"}, {"username": "u", "password": "p"}]),
)
@settings(max_examples=250, deadline=None)
def test_whatever_is_answered_nothing_but_an_ece_error_comes_out(call, status, body, credentials):
    client = EceClient([URL], **credentials, retries=1, sleep=lambda seconds: None)
    client._session.mount("https://", OneAnswer(status, body))
    with contextlib.suppress(EceError):
        CALLS[call](client)


# -- lists of allocators ---------------------------------------------------------------------------------------------


class Index(HTTPAdapter):
    """An adapter for a platform with many allocators that limits the size of a page. asked: each `from` so far."""

    def __init__(self, count, cap=None, window=None):
        super().__init__()
        self.ids = [f"10.0.{number // 256}.{number % 256:03d}" for number in range(count)]
        self.cap, self.window, self.asked = cap, window, []

    def send(self, request, **_):
        query = dict(item.split("=") for item in request.url.partition("?")[2].split("&"))
        size, start = int(query["size"]), int(query["from"])
        assert query["sort"] == "allocator_id"
        self.asked.append(start)
        page = self.ids[start : start + min(size, self.cap or size)]
        zones = [{"zone_id": "empty", "allocators": None}, None]
        zones += [
            {
                "zone_id": f"zone-{zone}",
                "allocators": [{"allocator_id": one} for one in page if int(one[-1]) % 3 == zone],
            }
            for zone in range(3)
        ]
        reply = (200, {"zones": zones})
        if self.window is not None and start + min(size, self.cap or size) > self.window:
            reply = (400, failed("root.bad_request", "result window is too large"))
        return OneAnswer(reply[0], json.dumps(reply[1]).encode()).send(request)


@pytest.fixture
def allocators(make_client):
    """Return a function that makes a client of such a platform."""

    def of(index):
        client = make_client(retries=0)
        client._session.mount("https://", index)
        return client

    return of


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
@pytest.mark.parametrize("cap", [None, 100, 1], ids=["no cap", "cap 100", "cap 1"])
def test_every_allocator_is_listed_once_whatever_the_server_makes_of_size(allocators, count, cap):
    index = Index(count, cap)
    found = list(allocators(index).iter_allocators())
    assert sorted(one["allocator_id"] for one in found) == index.ids
    assert all(one["zone_id"] == f"zone-{int(one['allocator_id'][-1]) % 3}" for one in found)


@pytest.mark.parametrize(
    ("count", "cap", "asked"),
    [(1, None, [0]), (100, 100, [0]), (101, 100, [0, 100]), (250, 100, [0, 100, 200]), (250, None, [0])],
)
def test_a_known_total_saves_the_last_request(allocators, count, cap, asked):
    index = Index(count, cap)
    assert len(list(allocators(index).iter_allocators(total=count))) == count
    assert index.asked == asked


def test_a_list_shorter_than_the_total_ends_as_well(allocators):
    index = Index(150, 100)
    assert len(list(allocators(index).iter_allocators(total=151))) == 150
    assert index.asked == [0, 100, 150]


def test_an_entry_that_moves_between_two_pages_is_listed_once(ece, make_client):
    for start, ids in ((0, ["a", "b"]), (2, ["b", "c"]), (4, [])):
        query = {"size": 1000, "from": start, "sort": "allocator_id"}
        ece.expect(
            "GET",
            ALLOCATORS,
            query=query,
            json={"zones": [{"zone_id": "z", "allocators": [{"allocator_id": one} for one in ids]}]},
        )
    assert [one["allocator_id"] for one in list(make_client().iter_allocators())] == ["a", "b", "c"]


def test_an_entry_that_is_twice_in_a_page_is_listed_once(make_client):
    client = make_client()
    client._session.mount(
        "https://",
        OneAnswer(200, json.dumps({"zones": [{"zone_id": "z", "allocators": [{"allocator_id": "a"}] * 2}]}).encode()),
    )
    assert [one["allocator_id"] for one in client.iter_allocators()] == ["a"]


def test_an_endless_list_is_an_error(allocators):
    index = Index(PAGES_MAX + 10, cap=1)
    with pytest.raises(
        EceProtocolError,
        match=f"GET allocators at {URL} has no end: there was more after {PAGES_MAX} pages with {PAGES_MAX} allocators",
    ):
        list(allocators(index).iter_allocators())
    assert len(index.asked) == PAGES_MAX


def test_a_server_that_ignores_from_ends_the_list(ece, make_client):
    for start in (0, 1):
        query = {"size": 1000, "from": start, "sort": "allocator_id"}
        ece.expect(
            "GET", ALLOCATORS, query=query, json={"zones": [{"zone_id": "z", "allocators": [{"allocator_id": "a"}]}]}
        )
    assert len(list(make_client().iter_allocators())) == 1


@pytest.mark.parametrize(
    ("zones", "found"),
    [
        ([], []),
        ([{"zone_id": "z", "allocators": None}], []),
        ([{"zone_id": "z"}], []),
        ([None], []),
        ([{"allocators": [{"allocator_id": "a"}]}], [("a", None)]),
        ([{"allocators": [{"allocator_id": "a", "zone_id": "own"}]}], [("a", "own")]),
        ([{"zone_id": "z", "allocators": [{"allocator_id": "a"}, {"host_ip": "without an id"}, None]}], [("a", "z")]),
    ],
    ids=["none", "null", "no key", "null zone", "zone without id", "allocator with zone", "allocator without id"],
)
def test_sparse_zones_are_read(make_client, zones, found):
    client = make_client()
    client._session.mount("https://", OneAnswer(200, json.dumps({"zones": zones}).encode()))
    assert [(one["allocator_id"], one["zone_id"]) for one in list(client.iter_allocators())] == found


def test_a_list_that_ends_at_its_10000th_entry_is_returned_with_a_warning(allocators):
    client = allocators(Index(10_050, window=10_000))
    assert len(list(client.iter_allocators(total=10_050))) == 10_000
    assert [
        warning for warning in client.warnings if "ends at 10000" in warning and "result window is too large" in warning
    ]


@pytest.mark.parametrize("cap", [300, 999, 7])
def test_a_page_size_that_does_not_divide_the_window_loses_nothing_before_its_end(allocators, cap):
    client = allocators(Index(10_000, cap=cap, window=10_000))
    assert len(list(client.iter_allocators(total=10_000))) == 10_000
    assert client.warnings == []


def test_a_window_of_another_size_is_a_warning_that_says_where_the_list_ends(allocators):
    client = allocators(Index(700, cap=300, window=700))
    assert len(list(client.iter_allocators(total=700))) == 600
    assert [warning for warning in client.warnings if "the list of allocators ends at 600" in warning]


def test_a_400_on_the_first_page_is_an_error(allocators):
    client = allocators(Index(5, window=0))
    with pytest.raises(EceApiError, match="HTTP 400"):
        list(client.iter_allocators())


def test_any_other_error_on_a_later_page_is_an_error_and_not_the_end(ece, make_client):
    page = {"zones": [{"zone_id": "z", "allocators": [{"allocator_id": "a"}]}]}
    ece.expect("GET", ALLOCATORS, json=page, query={"size": 1000, "from": 0, "sort": "allocator_id"})
    ece.expect("GET", ALLOCATORS, status=500, query={"size": 1000, "from": 1, "sort": "allocator_id"})
    with pytest.raises(EceApiError, match="HTTP 500"):
        list(make_client().iter_allocators())


# -- single operations -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("persistent", "validity", "sends"),
    [
        (False, None, {"persistent": False, "roles": ["allocator"]}),
        (False, 600, {"persistent": False, "roles": ["allocator"], "validity_in_seconds": 600}),
        (True, None, {"persistent": True, "roles": ["allocator"]}),
        (True, 600, {"persistent": True, "roles": ["allocator"]}),
    ],
)
def test_a_validity_goes_with_ephemeral_tokens_only(ece, make_client, persistent, validity, sends):
    ece.expect("POST", TOKENS, json={"token": "t"}, sends=sends)
    assert make_client().create_enrollment_token(["allocator"], persistent, validity) == {"token": "t"}


def test_a_mint_goes_to_a_coordinator_that_is_ready(ece, make_client):
    ece.expect("GET", "/platform", status=503)
    ece.expect("GET", "/platform", json=PLATFORM, url=OTHER_URL)
    ece.expect("POST", TOKENS, json={"token": "t"}, sends={"persistent": False, "roles": []}, url=OTHER_URL)
    assert make_client(URL, OTHER_URL).create_enrollment_token([], False, None) == {"token": "t"}


def test_a_user_who_may_not_read_the_platform_may_mint(ece, make_client):
    ece.expect("GET", "/platform", status=403, json=failed("root.unauthorized.rbac"))
    ece.expect("POST", TOKENS, json={"token": "t"}, sends={"persistent": False, "roles": []})
    assert make_client(URL, OTHER_URL).create_enrollment_token([], False, None) == {"token": "t"}


def test_roles_are_set_and_only_the_one_that_is_named_is_permitted(ece, make_client):
    body = {"roles": [{"role_name": "allocator"}, {"role_name": "beats-runner"}]}
    blessings = "/platform/infrastructure/blueprinter/roles/allocator/blessings"
    ece.expect("PUT", blessings + "/10.0.0.7", json={}, sends={"value": True})
    ece.expect("PUT", RUNNERS + "/10.0.0.7/roles", json={}, sends=body)
    client = make_client()
    client.permit_role("allocator", "10.0.0.7")
    client.set_runner_roles("10.0.0.7", ["allocator", "beats-runner"])


def test_an_allocator_is_changed_by_any_id(ece, make_client):
    path = ALLOCATORS + "/a%2Fb"
    ece.expect("POST", path + "/maintenance-mode/_start", status=202, json={}, query={"reason": "a & b"})
    ece.expect("POST", path + "/maintenance-mode/_stop", status=202, json={})
    ece.expect("PUT", path + "/settings", json={}, sends={"capacity": 9000})
    ece.expect("PUT", path + "/metadata", json=[], sends={"items": [{"key": "ssd", "value": "true"}]})
    ece.expect("PUT", path + "/metadata", json=[], sends={"items": []}, query={"version": "7"})
    ece.expect("PUT", path + "/metadata/a%3Ab", json=[], sends={"value": "1:2,3"})
    ece.expect("DELETE", path, json={}, query={"remove_instances": "true"})
    client = make_client()
    client.set_allocator_maintenance("a/b", True, "a & b")
    client.set_allocator_maintenance("a/b", False)
    client.set_allocator_settings("a/b", {"capacity": 9000})
    client.set_allocator_metadata("a/b", {"ssd": "true"})
    client.set_allocator_metadata("a/b", {}, "7")
    client.set_allocator_metadata_item("a/b", "a:b", "1:2,3")
    assert client.delete_allocator("a/b", remove_instances=True) is True


def test_tags_come_with_the_version_that_they_have(ece, make_client):
    path, tags = ALLOCATORS + "/a/metadata", [{"key": "ssd", "value": "true"}]
    ece.expect("GET", path, json=tags, headers={"x-Cloud-Resource-VERSION": "7"})
    ece.expect("GET", path, json=[])
    ece.expect("GET", path, json={})
    client = make_client()
    assert client.allocator_metadata("a") == (tags, "7")
    assert client.allocator_metadata("a") == ([], None)
    with pytest.raises(EceProtocolError, match="answered without a list of tags"):
        client.allocator_metadata("a")


@pytest.mark.parametrize("key", ["", ".", ".."])
def test_no_key_of_a_tag_leads_to_another_path(ece, make_client, key):
    with pytest.raises(EceError, match="cannot be the id of"):
        make_client().set_allocator_metadata_item("a", key, "x")
    assert ece.requests == []


@pytest.mark.parametrize("runner_id", ["10.0.0.7", "fe80::1", "a/b", "a?b#c", "ä b"])
def test_a_runner_is_found_by_any_id(ece, make_client, runner_id):
    reply = {"runner_id": runner_id}
    ece.expect("GET", RUNNERS + "/" + requests.utils.quote(runner_id, safe=""), json=reply)
    assert make_client().runner(runner_id) == reply


@pytest.mark.parametrize("allocator_id", ["10.0.0.7", "a/b"])
def test_an_allocator_is_found_by_any_id(ece, make_client, allocator_id):
    reply = {"allocator_id": allocator_id}
    ece.expect("GET", ALLOCATORS + "/" + requests.utils.quote(allocator_id, safe=""), json=reply)
    assert make_client().allocator(allocator_id) == reply


@pytest.mark.parametrize("call", ["runner", "allocator", "license"])
@pytest.mark.parametrize(
    "reply", [{}, {"body": "null"}, {"json": {"ok": False}}, {"json": failed("root.other")}], ids=str
)
def test_a_404_that_the_api_did_not_send_about_the_object_does_not_mean_that_there_is_none(
    ece, make_client, call, reply
):
    path = {"runner": RUNNERS + "/x", "allocator": ALLOCATORS + "/x", "license": "/platform/license"}[call]
    ece.expect("GET", path, status=404, **reply)
    with pytest.raises(EceApiError, match="HTTP 404"):
        getattr(make_client(), call)(*[] if call == "license" else ["x"])


def test_no_runner_no_allocator_and_no_license_are_none(ece, make_client):
    ece.expect("GET", RUNNERS + "/x", status=404, json=failed("runners.runner_not_found"))
    ece.expect("GET", ALLOCATORS + "/x", status=404, json=failed("allocators.allocator_not_found"))
    ece.expect("GET", "/platform/license", status=404, json=failed("license.license_not_found"))
    client = make_client()
    assert client.runner("x") is None
    assert client.allocator("x") is None
    assert client.license() is None


def test_the_user_agent_is_sent(ece, make_client):
    ece.expect("GET", "/platform", json=PLATFORM)
    make_client(user_agent="ece.platform/9").platform()
    assert ece.requests[0].headers["User-Agent"] == "ece.platform/9"


def test_a_minted_token_is_masked_from_then_on(ece, make_client):
    client = make_client()
    ece.expect("POST", TOKENS, json={"token": "head.body.sign"}, sends={"persistent": False, "roles": []})
    ece.expect("GET", "/platform", status=500, json={"error": "what is head.body.sign?"})
    client.create_enrollment_token([], False, None)
    with pytest.raises(EceApiError) as caught:
        client.platform()
    assert "head.body.sign" not in str(caught.value)
