# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The REST API of the coordinator: paths, status codes and error codes of ECE over a Platform. Knows nothing of faults."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.standin import render, search
from tests.standin.accounts import User, stamp
from tests.standin.model import ApiError, Instance
from tests.standin.state import Platform

PREFIX = "/api/v1"
REGION_PREFIX = "/api/v1/regions/{region}"
DEFAULT_SIZE = 100
DEFAULT_SEARCH_SIZE = 10
ALLOCATORS = "/platform/infrastructure/allocators"
RUNNERS = "/platform/infrastructure/runners"
ROLES = "/platform/infrastructure/blueprinter/roles"
TOKENS = "/platform/configuration/security/enrollment-tokens"

Handler = Callable[[Request], Awaitable[Response]]


class Reply(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode()


def failed(error: ApiError) -> Reply:
    element: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.fields:
        element["fields"] = list(error.fields)
    headers = {"x-cloud-error-codes": error.code} if error.code_header else {}
    return Reply({"errors": [element]}, error.status, headers)


@dataclass
class Options:
    """How the API behaves, changeable while it runs.

    sparse: leaves out what recorded replies of the product lack. max_page: cuts pages below what was asked for.
    max_runners: cuts the list of runners, which has no paging at all. installer: text of the script to hand out.
    crashed: is told of the stand-in's own mistakes.
    """

    coordinator: str = "127.0.0.1"
    sparse: bool = False
    max_page: int | None = None
    max_runners: int | None = None
    installer: Callable[[], str] | None = None
    crashed: Callable[[str], None] | None = None


async def _body(request: Request) -> Any:
    raw = await request.body()
    if not raw:
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ApiError(
            415,
            "root.unsupported_media_type",
            "The request's content type must be application/json.",
            code_header=False,
        )
    try:
        return json.loads(raw)
    except ValueError:
        raise ApiError(400, "root.invalid_data", "The request is not valid JSON.", code_header=False) from None


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ApiError(400, "root.invalid_data", "The request is not an object.", code_header=False)
    return body


def _flag(request: Request, name: str, default: bool = False) -> bool:
    value = request.query_params.get(name)
    if value is None:
        return default
    if value not in ("true", "false"):
        # A Python True in a query is a client's mistake that the product does not forgive either.
        raise ApiError(400, "root.invalid_data", f"{name} is true or false.", (name,), code_header=False)
    return value == "true"


def _word(value: Any) -> bool:
    return isinstance(value, str) and value != ""


class Api:
    def __init__(self, platform: Platform, options: Options) -> None:
        self.platform = platform
        self.options = options

    def application(self) -> Starlette:
        routes = [Route("/installer/elastic-cloud-enterprise.sh", self.installer)]
        for prefix in (PREFIX, REGION_PREFIX):
            routes += [
                Route(prefix + path, self._guarded(handler, open_to_all), methods=[method])
                for method, path, handler, open_to_all in self._table()
            ]
        handlers = {HTTPException: self._http_error, ApiError: self._api_error, Exception: self._crash}
        # A path that is not there is a 404 for those alone who may ask.
        routes.append(
            Route(
                "/api/{rest:path}",
                self._guarded(self.nothing, False),
                methods=["GET", "POST", "PUT", "DELETE", "PATCH"],
            )
        )
        return Starlette(routes=routes, exception_handlers=handlers)

    def _table(self) -> list[tuple[str, str, Handler, bool]]:
        one, runner, role = ALLOCATORS + "/{allocator_id}", RUNNERS + "/{runner_id}", ROLES + "/{role_id}"
        guarded: list[tuple[str, str, Handler]] = [
            ("GET", "", self.root),
            ("GET", "/platform", self.get_platform),
            ("GET", TOKENS, self.get_tokens),
            ("POST", TOKENS, self.create_token),
            ("DELETE", TOKENS + "/{token}", self.delete_token),
            ("GET", ALLOCATORS, self.get_allocators),
            ("POST", ALLOCATORS + "/_search", self.search_allocators),
            ("GET", one, self.get_allocator),
            ("DELETE", one, self.delete_allocator),
            ("POST", one + "/maintenance-mode/_start", self.start_maintenance),
            ("POST", one + "/maintenance-mode/_stop", self.stop_maintenance),
            ("GET", one + "/metadata", self.get_metadata),
            ("PUT", one + "/metadata", self.set_metadata),
            ("PUT", one + "/metadata/{key}", self.set_metadata_item),
            ("DELETE", one + "/metadata/{key}", self.delete_metadata_item),
            ("GET", one + "/settings", self.get_settings),
            ("PUT", one + "/settings", self.set_settings),
            ("PATCH", one + "/settings", self.update_settings),
            ("POST", one + "/clusters/_move", self.move),
            ("POST", one + "/clusters/{cluster_type}/_move", self.move),
            ("GET", RUNNERS, self.get_runners),
            ("POST", RUNNERS + "/_search", self.search_runners),
            ("GET", runner, self.get_runner),
            ("DELETE", runner, self.delete_runner),
            ("PUT", runner + "/roles", self.set_runner_roles),
            ("GET", ROLES, self.get_roles),
            ("GET", role, self.get_role),
            ("PUT", role + "/blessings/{runner_id}", self.set_blessing),
            ("GET", "/platform/infrastructure/proxies", self.get_proxies),
            ("GET", "/platform/infrastructure/coordinators", self.get_coordinators),
            ("GET", "/platform/infrastructure/constructors", self.get_constructors),
            ("GET", "/platform/license", self.get_license),
            ("POST", "/users/auth/_logout", self.logout),
            ("GET", "/users/auth/keys", self.get_keys),
            ("POST", "/users/auth/keys", self.create_key),
            ("GET", "/user", self.get_user),
        ]
        free: list[tuple[str, str, Handler]] = [
            ("POST", "/users/auth/_login", self.login),
            ("POST", "/users/auth/_refresh", self.refresh),
        ]
        return [(*entry, False) for entry in guarded] + [(*entry, True) for entry in free]

    # -- every call ----------------------------------------------------------------------------------------------------

    def _guarded(self, handler: Handler, open_to_all: bool) -> Handler:
        async def guarded(request: Request) -> Response:
            if request.path_params.get("region", render.REGION) != render.REGION:
                raise ApiError(404, "root.region_not_found", "There is no such region.", code_header=False)
            authorization = request.headers.get("authorization", "")
            if not open_to_all:
                with self.platform.lock:
                    request.state.user = self.platform.accounts.authenticate(authorization)
                reading = request.method == "GET" or request.url.path.endswith(("/_search", "/_logout"))
                if not reading and not request.state.user.may_write:
                    raise ApiError(403, "root.unauthorized.rbac", "The user's roles do not permit this.")
            try:
                response = await handler(request)
            except ApiError as error:
                response = failed(error)
            expiry = self.platform.accounts.key_expiry(authorization)
            if expiry:
                response.headers["X-Elastic-Api-Key-Expiration"] = expiry
            return response

        return guarded

    @staticmethod
    async def _api_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        return failed(error)

    @staticmethod
    async def _http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        code = {404: "root.resource_not_found", 405: "root.method_not_allowed"}.get(status, "root.internal")
        return failed(ApiError(status, code, f"{request.method} is not possible here.", code_header=False))

    async def _crash(self, request: Request, error: Exception) -> Response:
        if self.options.crashed is not None:
            self.options.crashed(f"the stand-in itself failed: {request.method} {request.url.path}: {error!r}")
        return failed(ApiError(500, "root.internal", f"The stand-in itself failed: {error!r}", code_header=False))

    async def nothing(self, _request: Request) -> Response:
        raise ApiError(404, "root.resource_not_found", "There is no such resource.", code_header=False)

    async def root(self, _request: Request) -> Response:
        return Reply({"ok": True, "message": "You are now connected to the stand-in."})

    async def installer(self, _request: Request) -> Response:
        if self.options.installer is None:
            raise HTTPException(404)
        return PlainTextResponse(self.options.installer(), media_type="application/x-sh")

    # -- platform ------------------------------------------------------------------------------------------------------

    async def get_platform(self, _request: Request) -> Response:
        return Reply(render.platform_info(self.platform, self.options.coordinator))

    async def get_proxies(self, _request: Request) -> Response:
        return Reply(render.proxies(self.options.coordinator))

    async def get_coordinators(self, _request: Request) -> Response:
        return Reply(render.coordinators(self.options.coordinator))

    async def get_constructors(self, _request: Request) -> Response:
        return Reply(render.constructors(self.options.coordinator))

    async def get_license(self, _request: Request) -> Response:
        found = render.license_object(self.platform)
        if found is None:
            raise ApiError(404, "license.license_not_found", "There is no license.")
        return Reply(found)

    # -- enrollment tokens ---------------------------------------------------------------------------------------------

    async def get_tokens(self, _request: Request) -> Response:
        with self.platform.lock:
            live = self.platform.tokens.live
        return Reply({"tokens": [{"token_id": token_id, "roles": list(roles)} for token_id, roles in live.items()]})

    async def create_token(self, request: Request) -> Response:
        body = await _body(request)
        with self.platform.lock:
            return Reply(self.platform.tokens.mint(body))

    async def delete_token(self, request: Request) -> Response:
        with self.platform.lock:
            self.platform.tokens.revoke(request.path_params["token"])
        return Reply({})

    # -- allocators ----------------------------------------------------------------------------------------------------

    def _page(self, start: int, size: int, test: search.Test | None, with_plans: bool) -> Response:
        found, at = self.platform.indexed_allocators()
        if test is not None:
            found = [item for item in found if test(render.allocator(item, at))]
        if self.options.max_page is not None:
            size = min(size, self.options.max_page)
        return Reply(
            render.overview(found[start : start + size], self.platform.zones, at, self.options.sparse, with_plans)
        )

    async def get_allocators(self, request: Request) -> Response:
        query = request.query_params
        start, size = search.window(query.get("from"), query.get("size"), DEFAULT_SIZE)
        if query.get("sort") not in (None, "", "allocator_id"):
            raise ApiError(
                400, "root.invalid_data", "The stand-in sorts by allocator_id alone.", ("sort",), code_header=False
            )
        test = search.understood(search.lucene, query["q"], "root.invalid_data") if query.get("q") else None
        return self._page(start, size, test, with_plans=True)

    async def search_allocators(self, request: Request) -> Response:
        body = await _body(request)
        body = {} if body is None else _object(body)
        start, size = search.window(body.get("from"), body.get("size"), DEFAULT_SEARCH_SIZE)
        test = (
            search.understood(search.query_container, body.get("query"), "root.invalid_data")
            if body.get("query")
            else None
        )
        return self._page(start, size, test, with_plans=False)

    async def get_allocator(self, request: Request) -> Response:
        item = self.platform.allocator(request.path_params["allocator_id"])
        return Reply(render.allocator(item, self.platform.now(), self.options.sparse))

    async def delete_allocator(self, request: Request) -> Response:
        self.platform.delete_allocator(request.path_params["allocator_id"], _flag(request, "remove_instances"))
        return Reply({})

    async def start_maintenance(self, request: Request) -> Response:
        self.platform.set_maintenance(request.path_params["allocator_id"], True)
        return Reply({}, 202)

    async def stop_maintenance(self, request: Request) -> Response:
        self.platform.set_maintenance(request.path_params["allocator_id"], False)
        return Reply({}, 202)

    def _versions(self, revision: int) -> dict[str, str]:
        then = stamp(self.platform.started)
        return {
            "x-cloud-resource-version": str(revision),
            "x-cloud-resource-created": then,
            "x-cloud-resource-last-modified": then,
        }

    async def get_metadata(self, request: Request) -> Response:
        item = self.platform.allocator(request.path_params["allocator_id"])
        return self._metadata(item.metadata, self._versions(item.metadata_revision))

    @staticmethod
    def _metadata(items: tuple[tuple[str, str], ...], headers: dict[str, str] | None = None) -> Response:
        return Reply([{"key": key, "value": value} for key, value in items], headers=headers)

    async def set_metadata(self, request: Request) -> Response:
        items = _object(await _body(request)).get("items")
        if not isinstance(items, list) or not all(
            isinstance(item, dict) and _word(item.get("key")) and _word(item.get("value")) for item in items
        ):
            raise ApiError(
                400,
                "allocators.invalid_empty_metadata_items",
                "items is a list of key and value, neither empty.",
                ("items",),
            )
        pairs = [(item["key"], item["value"]) for item in items]
        changed = self.platform.set_metadata(
            request.path_params["allocator_id"], pairs, request.query_params.get("version")
        )
        return self._metadata(changed.metadata)

    async def set_metadata_item(self, request: Request) -> Response:
        value = _object(await _body(request)).get("value")
        if not _word(value):
            raise ApiError(400, "allocators.invalid_empty_metadata_item", "value must not be empty.", ("value",))
        with self.platform.lock:
            items = dict(self.platform.allocator(request.path_params["allocator_id"]).metadata)
            items[request.path_params["key"]] = value
            changed = self.platform.set_metadata(
                request.path_params["allocator_id"], items.items(), request.query_params.get("version")
            )
        return self._metadata(changed.metadata)

    async def delete_metadata_item(self, request: Request) -> Response:
        with self.platform.lock:
            items = dict(self.platform.allocator(request.path_params["allocator_id"]).metadata)
            items.pop(request.path_params["key"], None)
            changed = self.platform.set_metadata(
                request.path_params["allocator_id"], items.items(), request.query_params.get("version")
            )
        return self._metadata(changed.metadata)

    async def get_settings(self, request: Request) -> Response:
        item = self.platform.allocator(request.path_params["allocator_id"])
        return Reply(dict(item.settings), headers=self._versions(item.settings_revision))

    async def set_settings(self, request: Request) -> Response:
        return await self._settings(request, keep=False)

    async def update_settings(self, request: Request) -> Response:
        return await self._settings(request, keep=True)

    async def _settings(self, request: Request, keep: bool) -> Response:
        body = _object(await _body(request))
        capacity = body.get("capacity")
        if set(body) - {"capacity"} or (
            capacity is not None and (isinstance(capacity, bool) or not isinstance(capacity, int) or capacity <= 0)
        ):
            raise ApiError(
                400,
                "root.invalid_data",
                "settings hold capacity, a whole number of MB.",
                ("capacity",),
                code_header=False,
            )
        with self.platform.lock:
            old = dict(self.platform.allocator(request.path_params["allocator_id"]).settings) if keep else {}
            settings = {**old, **({"capacity": capacity} if capacity is not None else {})}
            changed = self.platform.set_settings(
                request.path_params["allocator_id"], settings, request.query_params.get("version")
            )
        return Reply(dict(changed.settings))

    async def move(self, request: Request) -> Response:
        body = await _body(request)
        body = {} if body is None else _object(body)
        kind = request.path_params.get("cluster_type")
        if kind is not None and kind not in MOVABLE:
            raise ApiError(400, "clusters.cluster_invalid_plan", f"There is no cluster type {kind}.")
        chosen, targets = _move_choice(body)
        validate_only, force = _flag(request, "validate_only"), _flag(request, "force_update")
        for name in ("move_only", "force_move", "allocator_down"):
            _flag(request, name)
        source = request.path_params["allocator_id"]
        with self.platform.lock:
            if kind is not None and source in self.platform.allocators:
                of_kind = {item.cluster_id for item in self.platform.allocator(source).instances if _kind(item) == kind}
                chosen = of_kind if chosen is None else of_kind & chosen
            moving, stuck = self.platform.move(source, chosen, targets, validate_only, force)
        moves = [_move_details(item, source, validate_only, None) for item in moving]
        failures = [_move_details(item, source, False, _why_stuck(item)) for item in stuck]
        return Reply({"moves": _by_kind(moves), "failures": _by_kind(failures)}, 202)

    # -- runners -------------------------------------------------------------------------------------------------------

    async def get_runners(self, request: Request) -> Response:
        found, at = self.platform.indexed_runners()
        shown = [render.runner(item, at) for item in found]
        query = request.query_params.get("q")
        if query:
            shown = [item for item in shown if search.understood(search.lucene, query, "runners.search_failed")(item)]
        return Reply({"runners": shown[: self.options.max_runners]})

    async def search_runners(self, request: Request) -> Response:
        body = await _body(request)
        body = {} if body is None else _object(body)
        start, size = search.window(body.get("from"), body.get("size"), DEFAULT_SEARCH_SIZE)
        test = search.understood(search.query_container, body.get("query"), "runners.search_failed")
        found, at = self.platform.indexed_runners()
        shown = [item for item in (render.runner(one, at) for one in found) if test(item)]
        return Reply({"runners": shown[start : start + size]})

    async def get_runner(self, request: Request) -> Response:
        return Reply(render.runner(self.platform.runner(request.path_params["runner_id"]), self.platform.now()))

    async def delete_runner(self, request: Request) -> Response:
        self.platform.delete_runner(request.path_params["runner_id"])
        return Reply({})

    async def set_runner_roles(self, request: Request) -> Response:
        roles = _object(await _body(request)).get("roles")
        if not isinstance(roles, list) or not all(
            isinstance(item, dict) and isinstance(item.get("role_name"), str) for item in roles
        ):
            raise ApiError(
                400, "runners.runner_set_roles_failed", "roles is a list of objects with role_name.", ("roles",)
            )
        names = [item["role_name"] for item in roles]
        runner = self.platform.set_roles(request.path_params["runner_id"], names, _flag(request, "bless"))
        return Reply({"roles": [{"role_name": role} for role in runner.roles]})

    async def get_roles(self, _request: Request) -> Response:
        return Reply({"values": [render.role(self.platform, name) for name in self.platform.known_roles]})

    async def get_role(self, request: Request) -> Response:
        return Reply(render.role(self.platform, request.path_params["role_id"]))

    async def set_blessing(self, request: Request) -> Response:
        value = _object(await _body(request)).get("value")
        if not isinstance(value, bool):
            raise ApiError(400, "root.invalid_data", "value is true or false.", ("value",), code_header=False)
        role, runner_id = request.path_params["role_id"], request.path_params["runner_id"]
        self.platform.set_blessing(role, runner_id, value, request.query_params.get("version"))
        return Reply(render.role(self.platform, role))

    # -- users ---------------------------------------------------------------------------------------------------------

    async def login(self, request: Request) -> Response:
        body = await _body(request)
        with self.platform.lock:
            session = self.platform.accounts.login(body)
        state = body.get("login_state")
        path = state.get("path") if isinstance(state, dict) else None
        return Reply({}, 302, {"location": str(path)}) if path else Reply(session)

    async def refresh(self, request: Request) -> Response:
        with self.platform.lock:
            return Reply(self.platform.accounts.refresh(request.headers.get("authorization", "")))

    async def logout(self, request: Request) -> Response:
        with self.platform.lock:
            self.platform.accounts.logout(request.headers.get("authorization", ""))
        return Reply({})

    async def get_user(self, request: Request) -> Response:
        return Reply(render.user(_user(request)))

    async def get_keys(self, request: Request) -> Response:
        with self.platform.lock:
            return Reply({"keys": self.platform.accounts.keys_of(_user(request))})

    async def create_key(self, request: Request) -> Response:
        body = _object(await _body(request))
        with self.platform.lock:
            return Reply(self.platform.accounts.add_key(_user(request), str(body.get("description") or "")), 201)


def _user(request: Request) -> User:
    user = request.state.user
    assert isinstance(user, User)
    return user


# There is no integrations_server among the kinds of a move: such clusters go as apm.
MOVABLE = ("elasticsearch", "kibana", "apm", "appsearch", "enterprise_search")


def _move_choice(body: dict[str, Any]) -> tuple[set[str] | None, set[str]]:
    """(cluster ids, target allocators) of a request; no ids means all."""
    if not body:
        return None, set()
    chosen: set[str] = set()
    targets: set[str] = set()
    try:
        for entry in [entry for name in MOVABLE for entry in body.get(name + "_clusters") or []]:
            chosen |= set(entry["cluster_ids"])
            plan = (entry.get("plan_override") or {}).get("plan_configuration") or {}
            targets |= set(plan.get("preferred_allocators") or [])
            targets |= {to for move in plan.get("move_allocators") or [] for to in move.get("to") or []}
    except (AttributeError, KeyError, TypeError):
        raise ApiError(400, "clusters.cluster_invalid_plan", "The request cannot be understood.") from None
    return chosen, targets


def _kind(item: Instance) -> str:
    return "apm" if item.cluster_type == "integrations_server" else item.cluster_type


def _by_kind(entries: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    grouped: dict[str, Any] = {name + "_clusters": [] for name in MOVABLE}
    for kind, entry in entries:
        if entry not in grouped[kind + "_clusters"]:
            grouped[kind + "_clusters"].append(entry)
    return grouped


def _move_details(item: Instance, source: str, with_plan: bool, error: str | None) -> tuple[str, dict[str, Any]]:
    details: dict[str, Any] = {"cluster_id": item.cluster_id}
    if with_plan:
        details["calculated_plan"] = {
            "plan_configuration": {"move_allocators": [{"from": source, "to": [], "allocator_down": False}]}
        }
    if error:
        details["errors"] = [{"code": "clusters.cluster_invalid_plan", "message": error}]
    return _kind(item), details


def _why_stuck(item: Instance) -> str:
    if item.moves_at is not None:
        return "There is a plan still pending for this cluster."
    return "There is no allocator with room for this cluster."
