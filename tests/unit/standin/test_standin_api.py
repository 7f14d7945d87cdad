# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every route of the stand-in's API: its status and error codes, and that each reply conforms to the OpenAPI file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
import requests

from tests.standin import StandIn
from tests.standin.contract import Contract
from tests.standin.model import CLUSTER_TYPES
from tests.unit.standin.standin_helpers import TOKENS, Client

ALLOCATORS = "/platform/infrastructure/allocators"
RUNNERS = "/platform/infrastructure/runners"
ONE = ALLOCATORS + "/10.1.0.1"
ROLES = "/platform/infrastructure/blueprinter/roles"
SYSTEM = [{"role_name": "beats-runner"}, {"role_name": "services-forwarder"}]


def code(reply: requests.Response) -> str:
    """Return the first error code of a reply."""
    return str(reply.json()["errors"][0]["code"])


def allocator_ids(overview: dict) -> list[str]:
    """Return the ids of the allocators in a list of the API."""
    return [item["allocator_id"] for zone in overview["zones"] for item in zone["allocators"] or []]


@pytest.mark.parametrize("prefix", ["/api/v1", "/api/v1/regions/ece-region"])
def test_every_reply_conforms_to_the_openapi_file(make: Callable[..., StandIn], spec: Path, prefix: str) -> None:
    ece = make(allocators=3, connect_seconds=0.0, move_seconds=0.0)
    ece.platform.add_instance("10.1.0.1")
    ece.platform.add_instance("10.1.0.1", "kibana")
    api = Client(ece, prefix)
    persistent = api("POST", TOKENS, json={"persistent": True, "roles": ["allocator"]}).json()
    calls = [
        ("GET", "/platform", None, 200),
        ("GET", TOKENS, None, 200),
        ("POST", TOKENS, {"persistent": False}, 200),
        ("POST", TOKENS, {"persistent": False, "validity_in_seconds": 0}, 400),
        ("DELETE", TOKENS + "/" + persistent["token_id"], None, 200),
        ("DELETE", TOKENS + "/" + persistent["token_id"], None, 404),
        ("GET", ALLOCATORS + "?size=2&from=1&sort=allocator_id&q=", None, 200),
        ("POST", ALLOCATORS + "/_search", {"size": 2, "query": {"match_all": {}}}, 200),
        ("GET", ONE, None, 200),
        ("GET", ALLOCATORS + "/unknown", None, 404),
        ("DELETE", ONE, None, 400),
        ("POST", ONE + "/maintenance-mode/_start?reason=test", None, 202),
        ("GET", ONE, None, 200),
        ("POST", ONE + "/maintenance-mode/_stop", None, 202),
        ("POST", ALLOCATORS + "/unknown/maintenance-mode/_stop", None, 404),
        ("GET", ONE + "/metadata", None, 200),
        ("PUT", ONE + "/metadata", {"items": [{"key": "ssd", "value": "true"}]}, 200),
        ("PUT", ONE + "/metadata", {"items": [{"key": "ssd", "value": ""}]}, 400),
        ("PUT", ONE + "/metadata/rack", {"value": "7"}, 200),
        ("PUT", ONE + "/metadata/rack", {"value": ""}, 400),
        ("DELETE", ONE + "/metadata/rack", None, 200),
        ("GET", ONE + "/settings", None, 200),
        ("PUT", ONE + "/settings", {"capacity": 20000}, 200),
        ("PATCH", ONE + "/settings", {"capacity": 30000}, 200),
        ("GET", ONE, None, 200),
        ("POST", ONE + "/clusters/_move?validate_only=true", None, 202),
        ("POST", ONE + "/clusters/kibana/_move", None, 202),
        ("POST", ONE + "/clusters/_move", None, 202),
        ("GET", RUNNERS + "?q=", None, 200),
        ("POST", RUNNERS + "/_search", {"size": 5}, 200),
        ("POST", RUNNERS + "/_search", {"query": {"prefix": {}}}, 400),
        ("GET", RUNNERS + "/10.1.0.1", None, 200),
        ("GET", RUNNERS + "/unknown", None, 404),
        ("DELETE", RUNNERS + "/10.1.0.1", None, 400),
        ("PUT", RUNNERS + "/10.1.0.2/roles?bless=true", {"roles": [{"role_name": "proxy"}, *SYSTEM]}, 200),
        ("PUT", RUNNERS + "/10.1.0.2/roles?bless=true", {"roles": [{"role_name": "proxy"}]}, 400),
        ("GET", ROLES, None, 200),
        ("GET", ROLES + "/proxy", None, 200),
        ("GET", ROLES + "/nothing", None, 404),
        ("PUT", ROLES + "/allocator/blessings/10.1.0.2", {"value": True}, 200),
        ("PUT", ROLES + "/allocator/blessings/10.1.0.2?version=1", {"value": True}, 409),
        ("GET", "/platform/infrastructure/proxies", None, 200),
        ("GET", "/platform/infrastructure/coordinators", None, 200),
        ("GET", "/platform/infrastructure/constructors", None, 200),
        ("GET", "/platform/license", None, 200),
        ("POST", "/users/auth/_login", {"username": "admin", "password": ece.password}, 200),
        (
            "POST",
            "/users/auth/_login",
            {"username": "admin", "password": ece.password, "login_state": {"path": "/x"}},
            302,
        ),
        ("POST", "/users/auth/_login", {"username": "admin", "password": "wrong"}, 401),
        ("POST", "/users/auth/_logout", None, 200),
        ("GET", "/users/auth/keys", None, 200),
    ]
    for method, path, body, status in calls:
        reply = api(method, path, json=body)
        assert reply.status_code == status, (method, path, reply.text)
    ece.platform.disconnect("10.1.0.2")
    assert api("DELETE", ALLOCATORS + "/10.1.0.2").status_code == 200
    assert api("DELETE", RUNNERS + "/10.1.0.2").status_code == 200
    ece.platform.license = None
    assert code(api("GET", "/platform/license")) == "license.license_not_found"
    # One of the requests is invalid on purpose.
    assert [item for item in ece.violations if "_search" not in item] == []


def test_violations_of_requests_and_replies_are_recorded(make: Callable[..., StandIn], spec: Path) -> None:
    ece = make()
    api = Client(ece)
    api("GET", ALLOCATORS, params={"size": "ten"})
    api("GET", "/platform", params={"pretty": "true"})
    api("POST", TOKENS, json={"persistent": "no"})
    api("POST", TOKENS, json={"persistent": False, "surprise": 1})
    ece.fault(path="^/platform$", status=503)
    api("GET", "/platform", params={"again": "1"})
    assert len(ece.violations) == 5, ece.violations
    ece.contract.check_reply("GET", "/api/v1/platform", 200, b'{"version": 3}')
    assert any("reply 200" in item for item in ece.violations)


@pytest.mark.parametrize(
    "path", ["/nothing", "/platform/infrastructure/nothing", ALLOCATORS + "/a/b/c", "/users/auth/nothing"]
)
def test_an_unknown_path_is_not_found_and_needs_credentials(ece: StandIn, api: Client, path: str) -> None:
    reply = api("GET", path)
    assert reply.status_code == 404
    assert reply.json()["errors"][0]["message"]
    assert Client(ece, Authorization="none")("GET", path).status_code == 401


def test_another_region_is_not_found(ece: StandIn) -> None:
    assert Client(ece, "/api/v1/regions/elsewhere")("GET", "/platform").status_code == 404


# -- lists -----------------------------------------------------------------------------------------------------------


def test_a_list_is_cut_into_pages_without_a_hint(make: Callable[..., StandIn]) -> None:
    ece = make(allocators=250, zones=("a", "b", "empty"))
    for item in ece.platform.current_allocators():
        if item.zone_id == "empty":
            ece.platform.remove(item.allocator_id)
    api = Client(ece)
    total = len(ece.platform.current_allocators())
    assert len(allocator_ids(api.get(ALLOCATORS))) == 100
    seen: list[str] = []
    while page := allocator_ids(api.get(ALLOCATORS, params={"size": 70, "from": len(seen)})):
        seen += page
    assert len(seen) == total == len(set(seen))
    assert {"zone_id": "empty", "allocators": []} in api.get(ALLOCATORS, params={"size": 1})["zones"]
    assert len(allocator_ids(api("POST", ALLOCATORS + "/_search", json={}).json())) == 10
    summaries = api.get("/platform")["regions"][0]["allocators"]["zone_summaries"]
    assert sum(item["total_allocators"] for item in summaries) == total
    ece.api.max_page = 30
    assert len(allocator_ids(api.get(ALLOCATORS, params={"size": 70}))) == 30


def test_from_and_size_are_limited_like_those_of_a_search_index(api: Client) -> None:
    assert api("GET", ALLOCATORS, params={"size": 10000}).status_code == 200
    for params in ({"size": 9999, "from": 2}, {"size": -1}, {"size": "many"}, {"from": -1}):
        reply = api("GET", ALLOCATORS, params=params)
        assert (reply.status_code, code(reply)) == (400, "root.invalid_data")


def test_a_query_selects_allocators(ece: StandIn, api: Client) -> None:
    ece.platform.disconnect("10.1.0.2")
    ece.platform.add_instance("10.1.0.3")
    assert allocator_ids(api.get(ALLOCATORS, params={"q": "status.connected:false"})) == ["10.1.0.2"]
    assert allocator_ids(
        api.get(ALLOCATORS, params={"q": "status.connected:true AND _exists_:instances.cluster_id"})
    ) == ["10.1.0.3"]
    assert api("GET", ALLOCATORS, params={"q": "a OR b"}).status_code == 400
    body = {"query": {"bool": {"must": [{"term": {"zone_id": {"value": "ece-zone-1"}}}]}}, "size": 10}
    assert allocator_ids(api("POST", ALLOCATORS + "/_search", json=body).json()) == ["10.1.0.1"]


def test_lists_lag_behind_and_single_objects_do_not(make: Callable[..., StandIn]) -> None:
    ece = make(allocators=2, index_lag=60)
    api = Client(ece)
    ece.platform.add_runner("10.5.0.1")
    ece.platform.disconnect("10.1.0.1")
    assert allocator_ids(api.get(ALLOCATORS)) == ["10.1.0.1", "10.1.0.2"]
    assert len(api.get(RUNNERS)["runners"]) == 2
    assert api.get(RUNNERS)["runners"][0]["connected"] is True
    assert api.get(ONE)["status"]["connected"] is False
    assert api.get(ALLOCATORS + "/10.5.0.1")["status"]["connected"] is True
    assert api.get("/platform")["regions"][0]["runners"]["total_runners"] == 3
    ece.platform.advance(61)
    assert allocator_ids(api.get(ALLOCATORS)) == ["10.1.0.1", "10.1.0.2", "10.5.0.1"]
    assert api.get(RUNNERS)["runners"][0]["connected"] is False


def test_a_later_connection_lags_in_lists_too(make: Callable[..., StandIn]) -> None:
    ece = make(index_lag=10, connect_seconds=5)
    api = Client(ece)
    token = api.token("allocator")
    ece.platform.join(
        {"token": token, "runner_id": "r", "host_ip": "10.0.0.1", "zone": "z", "roles": "allocator", "version": "3.8.0"}
    )
    ece.platform.advance(11)
    assert api.get(ALLOCATORS + "/r")["status"]["connected"] is True
    shown = [item for zone in api.get(ALLOCATORS)["zones"] for item in zone["allocators"]]
    assert [item["status"]["connected"] for item in shown] == [False]
    assert shown[0]["status"]["healthy"] is True
    ece.platform.advance(5)
    assert [item["status"]["connected"] for zone in api.get(ALLOCATORS)["zones"] for item in zone["allocators"]] == [
        True
    ]


def test_sparse_replies_lack_fields_and_are_not_violations(make: Callable[..., StandIn], spec: Path) -> None:
    ece = make(allocators=1, sparse=True)
    api = Client(ece)
    zones = api.get(ALLOCATORS)["zones"]
    assert {"zone_id": "ece-zone-2", "allocators": None} in zones
    shown = zones[0]["allocators"][0]
    assert "external_links" not in shown and shown["capacity"] == {
        "memory": {"total": shown["capacity"]["memory"]["total"]}
    }
    assert ece.violations == []


def test_ten_thousand_allocators_are_listed_in_time(make: Callable[..., StandIn]) -> None:
    ece = make(allocators=10000)
    api = Client(ece)
    assert len(allocator_ids(api.get(ALLOCATORS, params={"size": 10000}))) == 10000

    def seconds(path: str, **params: int) -> float:
        """Return the time of the processor, of client and server, because other programs slow the clock's down."""
        before = time.process_time()
        assert api("GET", path, params=params).status_code == 200
        return time.process_time() - before

    assert max(seconds(ALLOCATORS, size=500, **{"from": start}) for start in range(0, 2500, 500)) < 1
    assert seconds("/platform") < 1
    assert ece.violations == []


# -- authentication and permissions ----------------------------------------------------------------------------------


def test_every_path_needs_credentials(ece: StandIn) -> None:
    for headers in (
        {"Accept": "*/*"},
        {"Authorization": "Basic bm90aGluZw=="},
        {"Authorization": "ApiKey wrong"},
        {"Authorization": "Bearer wrong"},
    ):
        for path in ("", "/platform", ALLOCATORS):
            reply = Client(ece, **headers)("GET", path)
            assert (reply.status_code, code(reply)) == (401, "root.unauthenticated")
            assert reply.headers["x-cloud-error-codes"] == "root.unauthenticated"


def test_password_session_and_api_key_authenticate(ece: StandIn, api: Client) -> None:
    assert all(character in ece.password for character in "$'\"% ")
    login = Client(ece, Accept="*/*")(
        "POST", "/users/auth/_login", json={"username": "admin", "password": ece.password}
    ).json()
    assert Client(ece, Authorization="Bearer " + login["token"]).get("/user")["user_name"] == "admin"
    keyed = Client(ece, Authorization="ApiKey " + ece.api_key)("GET", "/platform")
    assert keyed.status_code == 200 and keyed.headers["X-Elastic-Api-Key-Expiration"]
    assert [item["auth"] for item in ece.requests] == [None, "Bearer", "ApiKey"]


def test_a_session_expires_and_ends_with_its_logout(make: Callable[..., StandIn]) -> None:
    ece = make(session_seconds=30)
    login = Client(ece)("POST", "/users/auth/_login", json={"username": "admin", "password": ece.password}).json()
    session = Client(ece, Authorization="Bearer " + login["token"])
    fresh = session("POST", "/users/auth/_refresh").json()["token"]
    ece.platform.advance(31)
    for method, path in (("GET", "/platform"), ("POST", "/users/auth/_refresh")):
        reply = session(method, path)
        assert (reply.status_code, code(reply)) == (401, "root.unauthorized")
    assert fresh != login["token"]
    login = Client(ece)("POST", "/users/auth/_login", json={"username": "admin", "password": ece.password}).json()
    session = Client(ece, Authorization="Bearer " + login["token"])
    assert session("POST", "/users/auth/_logout").status_code == 200
    assert session("GET", "/platform").status_code == 401


def test_a_viewer_may_not_write(ece: StandIn) -> None:
    for headers in ({"Authorization": "ApiKey " + ece.readonly_api_key},):
        reader = Client(ece, **headers)
        assert reader("GET", ALLOCATORS).status_code == 200
        assert reader("POST", ALLOCATORS + "/_search", json={"size": 1}).status_code == 200
        reply = reader("POST", TOKENS, json={"persistent": False})
        assert (reply.status_code, code(reply)) == (403, "root.unauthorized.rbac")
        assert "create-enrollment-token" not in reader.get("/user")["security"]["permissions"]
    assert ece.minted == 0


def test_only_a_native_user_creates_api_keys(ece: StandIn, api: Client) -> None:
    reply = api("POST", "/users/auth/keys", json={"description": "mine"})
    assert (reply.status_code, code(reply)) == (400, "api_keys.invalid_input")
    made = Client(ece, Authorization="ApiKey " + ece.api_key)("POST", "/users/auth/keys", json={"description": "mine"})
    assert made.status_code == 201
    assert Client(ece, Authorization="ApiKey " + made.json()["key"])("GET", "/platform").status_code == 200


# -- enrollment tokens -----------------------------------------------------------------------------------------------


def test_a_token_is_a_jwt_with_its_claims(ece: StandIn, api: Client) -> None:
    ephemeral = jwt.decode(
        api.token("allocator", validity_in_seconds=60), options={"verify_signature": False, "verify_exp": False}
    )
    assert set(ephemeral) == {"sub", "roles", "iss", "exp"} and ephemeral["roles"] == ["allocator"]
    assert 50 < ephemeral["exp"] - ece.platform.now() <= 60
    reply = api("POST", TOKENS, json={"persistent": True, "roles": ["proxy"]}).json()
    persistent = jwt.decode(reply["token"], options={"verify_signature": False})
    assert set(persistent) == {"sub", "roles", "iss", "persistent"} and persistent["sub"] == reply["token_id"]
    assert api.get(TOKENS) == {"tokens": [{"token_id": reply["token_id"], "roles": ["proxy"]}]}
    assert ece.minted == 2 and ece.tokens == [reply["token_id"]]
    assert api("DELETE", TOKENS + "/" + reply["token"]).status_code == 200
    assert ece.tokens == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"persistent": "false"},
        {"persistent": True, "validity_in_seconds": 60},
        {"persistent": False, "validity_in_seconds": 2**31},
        {"persistent": False, "validity_in_seconds": True},
        {"persistent": False, "roles": "allocator"},
        {"persistent": False, "roles": ["controller"]},
    ],
)
def test_an_invalid_token_request_mints_nothing(ece: StandIn, api: Client, body: object) -> None:
    reply = api("POST", TOKENS, json=body)
    assert reply.status_code == 400
    assert code(reply) == "enrollment_tokens.invalid_token_request"
    assert "x-cloud-error-codes" not in reply.headers
    assert ece.minted == 0


def test_an_ephemeral_token_cannot_be_revoked(api: Client) -> None:
    reply = api("DELETE", TOKENS + "/" + api.token("allocator"))
    assert (reply.status_code, code(reply)) == (404, "enrollment_tokens.invalid_token_id")


def test_the_request_log_holds_no_secret(ece: StandIn, api: Client) -> None:
    api("POST", "/users/auth/_login", json={"username": "admin", "password": ece.password})
    api("DELETE", TOKENS + "/" + api.token("allocator"))
    record = json.dumps([ece.requests, ece.violations])
    assert "eyJ" not in record and ece.password[:6] not in record
    assert [item["method"] for item in ece.mutations] == ["POST", "DELETE"]


# -- requests that change something ----------------------------------------------------------------------------------


def test_a_body_that_is_not_json_is_refused(api: Client) -> None:
    assert api("POST", TOKENS, data=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert api("POST", TOKENS, data=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415


def test_metadata_and_settings_can_be_changed(ece: StandIn, api: Client) -> None:
    first = api("GET", ONE + "/metadata")
    assert first.json() == [] and first.headers["x-cloud-resource-version"] == "1"
    api("PUT", ONE + "/metadata/ssd", json={"value": "true"})
    assert api("PUT", ONE + "/metadata", json={"items": []}, params={"version": "1"}).status_code == 409
    assert api(
        "PUT", ONE + "/metadata", json={"items": [{"key": "b", "value": "1"}]}, params={"version": "2"}
    ).json() == [{"key": "b", "value": "1"}]
    assert api("DELETE", ONE + "/metadata/nothing").status_code == 200
    api("PUT", ONE + "/settings", json={"capacity": 9000})
    assert api.get(ONE)["capacity"]["memory"]["total"] == 9000
    assert api("PATCH", ONE + "/settings", json={}).json() == {"capacity": 9000}
    assert api("PUT", ONE + "/settings", json={}).json() == {}
    api("PUT", ONE + "/metadata/a%3Ab%2C%20c", json={"value": "1:2,3"})
    assert {"key": "a:b, c", "value": "1:2,3"} in api.get(ONE)["metadata"]
    assert api("PUT", ONE + "/metadata/a%2Fb", json={"value": "1"}).status_code == 404, "a path of its own"
    assert ece.violations == []


@pytest.mark.parametrize("capacity", [0, -1, 1.5, True, "9000", 2**31])
def test_a_capacity_is_a_whole_number_in_the_range_of_the_api(api: Client, capacity: object) -> None:
    assert code(api("PUT", ONE + "/settings", json={"capacity": capacity})) == "root.invalid_data"


def test_the_reason_of_a_maintenance_is_kept_and_shown_nowhere(ece: StandIn, api: Client) -> None:
    api("POST", ONE + "/maintenance-mode/_start", params={"reason": "new disks"})
    assert ece.platform.allocator("10.1.0.1").maintenance_reason == "new disks"
    assert "new disks" not in api("GET", ONE).text
    api("POST", ONE + "/maintenance-mode/_stop", params={"reason": "done"})
    assert ece.platform.allocator("10.1.0.1").maintenance_reason == ""
    assert ece.violations == []


def test_only_a_disconnected_host_can_be_deleted(ece: StandIn, api: Client) -> None:
    ece.platform.add_instance("10.1.0.1")
    assert code(api("DELETE", ONE)) == "allocators.delete_connected_allocator_attempt"
    assert code(api("DELETE", RUNNERS + "/10.1.0.1")) == "runners.runner_deletion_failed"
    ece.platform.disconnect("10.1.0.1")
    assert code(api("DELETE", ONE)) == "allocators.delete_allocator_with_instances_attempt"
    assert api("DELETE", ONE, params={"remove_instances": "True"}).status_code == 400
    assert api("DELETE", ONE, params={"remove_instances": "true"}).status_code == 200
    assert api("DELETE", RUNNERS + "/10.1.0.1").status_code == 200
    assert api("GET", RUNNERS + "/10.1.0.1").status_code == 404


def test_a_role_without_a_blessing_stays_pending(make: Callable[..., StandIn]) -> None:
    ece = make(allocators=1, connect_seconds=5)
    api = Client(ece)
    ece.platform.add_runner("p", roles=("proxy",))
    wanted = {"roles": [{"role_name": "allocator"}, {"role_name": "proxy"}, *SYSTEM]}
    assert {"role_name": "allocator"} not in api("PUT", RUNNERS + "/p/roles", json=wanted).json()["roles"]
    assert api.get(ROLES + "/allocator")["pending"]["value"]["runner_ids_to_pending_state"] == {"p": {"value": True}}
    assert {"role_name": "allocator"} in api("PUT", RUNNERS + "/p/roles?bless=true", json=wanted).json()["roles"]
    assert api("GET", ALLOCATORS + "/p").status_code == 404
    ece.platform.advance(5)
    assert api.get(ALLOCATORS + "/p")["status"]["connected"] is True
    assert api.get(ROLES + "/allocator")["pending"]["value"]["runner_ids_to_pending_state"] == {}


def test_instances_move_away(make: Callable[..., StandIn]) -> None:
    ece = make(allocators=4, zones=("z",), move_seconds=5)
    api = Client(ece)
    instance = ece.platform.add_instance("10.1.0.1")
    # Without maintenance mode an instance may stay on its allocator.
    assert api("POST", ONE + "/clusters/_move").status_code == 202
    ece.platform.advance(6)
    assert len(api.get(ONE)["instances"]) == 1
    api("POST", ONE + "/maintenance-mode/_start")
    planned = api("POST", ONE + "/clusters/_move?validate_only=true").json()["moves"]["elasticsearch_clusters"]
    assert planned[0]["cluster_id"] == instance.cluster_id and planned[0]["calculated_plan"]
    assert api.get(ONE)["instances"][0]["moving"] is False
    api(
        "POST",
        ONE + "/clusters/elasticsearch/_move",
        json={"elasticsearch_clusters": [{"cluster_ids": [instance.cluster_id]}]},
    )
    assert api.get(ONE)["instances"][0]["moving"] is True
    again = api("POST", ONE + "/clusters/_move").json()
    assert "pending" in again["failures"]["elasticsearch_clusters"][0]["errors"][0]["message"]
    ece.platform.advance(6)
    assert api.get(ONE)["instances"] == []
    assert len(api.get(ALLOCATORS + "/10.1.0.2")["instances"]) == 1


def test_a_move_without_a_target_is_a_202_with_failures(make: Callable[..., StandIn]) -> None:
    ece = make(allocators=1)
    api = Client(ece)
    ece.platform.add_instance("10.1.0.1")
    ece.platform.disconnect("10.1.0.1")
    reply = api("POST", ONE + "/clusters/_move")
    assert reply.status_code == 202 and reply.json()["failures"]["elasticsearch_clusters"]
    assert api("POST", ALLOCATORS + "/unknown/clusters/_move").status_code == 202


def moved(api: Client, **query: str) -> dict:
    """Ask for the moves of all clusters of an allocator, and return the messages of failures by cluster."""
    reply = api("POST", ONE + "/clusters/_move", params=query).json()
    entries = [entry for entries in reply["failures"].values() for entry in entries]
    return {entry["cluster_id"]: entry["errors"][0]["message"] for entry in entries}


def test_a_move_takes_memory_on_its_target_from_its_beginning(make: Callable[..., StandIn]) -> None:
    ece = make(allocators=2, zones=("z",), move_seconds=5)
    api = Client(ece)
    api("POST", ONE + "/maintenance-mode/_start")
    api("PUT", ALLOCATORS + "/10.1.0.2/settings", json={"capacity": 10000})
    first, second, third = (ece.platform.add_instance("10.1.0.1", node_memory=4000).cluster_id for _ in range(3))
    assert set(moved(api)) == {third} and set(moved(api, force_update="true")) == {third}
    ece.platform.advance(6)
    assert [item["cluster_id"] for item in api.get(ALLOCATORS + "/10.1.0.2")["instances"]] == [first, second]


def test_a_pending_plan_or_a_lost_allocator_prevents_a_move_unless_asked_otherwise(
    make: Callable[..., StandIn],
) -> None:
    ece = make(allocators=2, zones=("z",), move_seconds=5)
    api = Client(ece)
    cluster_id = ece.platform.add_instance("10.1.0.1").cluster_id
    ece.platform.change_instances(cluster_id, pending=True)
    assert api.get(ONE)["instances"][0]["plans_info"]["pending"] is True
    assert "plan still pending" in moved(api)[cluster_id]
    ece.platform.disconnect("10.1.0.1")
    assert "is not connected" in moved(api, force_update="true")[cluster_id]
    ece.platform.change_instances(cluster_id, refusal="Not this one.")
    assert moved(api, force_update="true", allocator_down="true") == {cluster_id: "Not this one."}
    ece.platform.change_instances(cluster_id, refusal="")
    assert moved(api, force_update="true", allocator_down="true") == {}
    ece.platform.advance(6)
    assert api.get(ONE)["instances"] == []


@pytest.mark.parametrize("kind", CLUSTER_TYPES)
def test_a_move_that_fails_leaves_its_reason_in_the_history_of_the_deployment(
    make: Callable[..., StandIn], spec: Path, kind: str
) -> None:
    ece = make(allocators=2, zones=("z",), move_seconds=5)
    api = Client(ece)
    instance = ece.platform.add_instance("10.1.0.1", kind)
    ece.platform.change_instances(instance.cluster_id, fails="No capacity.")
    api("POST", ONE + "/maintenance-mode/_start")
    assert moved(api) == {}
    ece.platform.advance(6)
    (there,) = api.get(ONE)["instances"]
    assert (there["cluster_id"], there["moving"]) == (instance.cluster_id, False)
    path = f"/deployments/{instance.deployment_id}"
    reply = api("GET", path, params={"show_plan_logs": "true", "show_plan_history": "true"})
    (resource,) = reply.json()["resources"][kind]
    (attempt,) = resource["info"]["plan_info"]["history"]
    assert attempt["plan_attempt_log"][0]["info_log"][-1]["message"] == "No capacity."
    assert code(api("GET", "/deployments/unknown")) == "deployments.deployment_not_found"
    # The operations on deployments are in a file of their own.
    of_deployments = spec.with_name("api-tracking.json")
    contract = Contract(of_deployments if of_deployments.is_file() else None)
    contract.check_reply("GET", "/api/v1" + path, reply.status_code, reply.content)
    assert contract.violations == []


INVALID_BODIES: list = [None, True, 3, "x", [], {}, [1], {"roles": 3}, {"roles": [{}]}, {"roles": [[]]}]
INVALID_BODIES += [{"items": [1]}, {"items": [{"key": 1, "value": 2}]}, {"value": []}]
INVALID_BODIES += [{"query": {"term": {}}}, {"query": {"bool": 3}}, {"query": []}, {"size": "x"}, {"from": None}]
INVALID_BODIES += [
    {"capacity": "9"},
    {"persistent": True, "roles": [[]]},
    {"elasticsearch_clusters": [3]},
    {"elasticsearch_clusters": {"a": 1}},
]
INVALID_BODIES += [{"username": 3, "password": []}, {"login_state": 3}, {"query": {"match": {"a": 1}}}]


def test_no_body_makes_the_api_fail(ece: StandIn, api: Client) -> None:
    paths = [
        ("POST", TOKENS),
        ("POST", ALLOCATORS + "/_search"),
        ("PUT", ONE + "/metadata"),
        ("PUT", ONE + "/metadata/k"),
        ("PUT", ONE + "/settings"),
    ]
    paths += [
        ("PATCH", ONE + "/settings"),
        ("POST", ONE + "/clusters/_move"),
        ("POST", RUNNERS + "/_search"),
        ("PUT", RUNNERS + "/10.1.0.1/roles"),
    ]
    paths += [
        ("PUT", ROLES + "/proxy/blessings/10.1.0.1"),
        ("POST", "/users/auth/_login"),
        ("POST", "/users/auth/keys"),
        ("POST", "/users/auth/_refresh"),
    ]
    for method, path in paths:
        for body in INVALID_BODIES:
            data = json.dumps(body).encode()
            reply = api(method, path, data=data, headers={"Content-Type": "application/json"})
            assert reply.status_code < 500, (method, path, body, reply.text)
            assert reply.status_code < 400 or reply.json()["errors"], (method, path, body)
    assert [item for item in ece.violations if item.startswith(("reply", "the stand-in"))] == []


def test_a_disconnected_allocator_without_instances_is_healthy(ece: StandIn, api: Client) -> None:
    ece.platform.disconnect("10.1.0.1")
    status = api.get(ONE)["status"]
    assert (status["connected"], status["healthy"]) == (False, True)
    ece.platform.add_instance("10.1.0.1")
    assert api.get(ONE)["status"]["healthy"] is False


def test_allocators_are_in_the_order_of_their_ids_and_empty_zones_are_listed(ece: StandIn, api: Client) -> None:
    ece.platform.zones.append("ece-zone-9")
    listed = api.get(ALLOCATORS)
    assert all(ids == sorted(ids) for ids in (allocator_ids({"zones": [zone]}) for zone in listed["zones"]))
    assert {"zone_id": "ece-zone-9", "allocators": []} in listed["zones"]
    assert sorted(allocator_ids(listed)) == ["10.1.0.1", "10.1.0.2", "10.1.0.3"]


def test_a_runner_has_the_system_roles_that_nobody_chose(ece: StandIn, api: Client) -> None:
    roles = api.get(RUNNERS + "/10.1.0.1")["roles"]
    assert all(role in roles for role in SYSTEM) and {"role_name": "allocator"} in roles


@pytest.mark.parametrize(
    "status, error",
    [
        (449, "root.unauthorized.rbac.elevated_permissions_required"),
        (501, "authc.no_authentication_cluster"),
        (502, "authc.authentication_cluster_error"),
        (503, "controller_route.controller_not_ready"),
    ],
)
def test_the_errors_that_any_request_may_have_can_be_made(ece: StandIn, api: Client, status: int, error: str) -> None:
    ece.fault(status=status, code=error)
    reply = api("GET", "/platform")
    assert (reply.status_code, code(reply)) == (status, error)
    assert api("GET", "/platform").status_code == 200
