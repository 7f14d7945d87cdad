# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The operations of the ECE REST API that this collection uses.

One method for each operation. It returns what the API sent, checked for the one member without which the reply is
useless; what a reply means is the business of _records and _plan.

Sources: operations, paths and reply formats are those of the API specification of ECE 3.8.0
(https://github.com/elastic/cloud-sdk-go, api/apidocs.json at commit 8c0d792), rendered at
https://www.elastic.co/docs/api/doc/cloud-enterprise/. The docstrings name its operations.
"""

from __future__ import annotations

import contextlib
from typing import Any, Iterator, Mapping, Sequence
from urllib.parse import quote

from ansible_collections.ece.platform.plugins.module_utils._api_errors import (
    EceApiError,
    EceAuthError,
    EceConnectionError,
    EceError,
    EceNotFound,
    EceProtocolError,
)
from ansible_collections.ece.platform.plugins.module_utils._http import HttpClient, Json
from ansible_collections.ece.platform.plugins.module_utils._transport import REQUESTS_IMPORT_ERROR

# Callers need no other file than this one.
__all__ = [
    "REQUESTS_IMPORT_ERROR",
    "EceApiError",
    "EceAuthError",
    "EceClient",
    "EceConnectionError",
    "EceError",
    "EceNotFound",
    "EceProtocolError",
]

PLATFORM = "/platform"
LICENSE = "/platform/license"
ALLOCATORS = "/platform/infrastructure/allocators"
RUNNERS = "/platform/infrastructure/runners"
PROXIES = "/platform/infrastructure/proxies"
BLUEPRINTER_ROLES = "/platform/infrastructure/blueprinter/roles"
ENROLLMENT_TOKENS = "/platform/configuration/security/enrollment-tokens"
DEPLOYMENTS = "/deployments"

# With these codes, and no other 404, the API says that an object does not exist.
NO_LICENSE = "license.license_not_found"
NO_ALLOCATOR = "allocators.allocator_not_found"
NO_RUNNER = "runners.runner_not_found"
NO_TOKEN = "enrollment_tokens.invalid_token_id"

# The version of what a GET answers, for a write that is to replace just that.
VERSION_HEADER = "x-cloud-resource-version"

ALLOCATOR_PAGE_SIZE = 1000
# Elasticsearch answers no further than this entry of an index (index.max_result_window), and a request for more is an
# error, even where the entries before it are among those asked for.
INDEX_WINDOW = 10_000
# A longer list is endless: this is two million allocators, and still twenty thousand when a server gives ten at a time.
PAGES_MAX = 2000


class EceClient(HttpClient):
    """The API of one platform. See HttpClient for its arguments. Every method raises EceError."""

    # -- the platform --------------------------------------------------------------------------------------------------

    def platform(self) -> dict[str, Any]:
        """Return the platform with its version, services and counts (PlatformInfo). get-platform: GET /platform"""
        return self._mapping(self.request("GET", PLATFORM), "GET /platform", "version", str)

    def license(self) -> dict[str, Any] | None:
        """Return the license (LicenseInfo), or None if none is installed. get-license: GET /platform/license"""
        try:
            reply = self._mapping(self.request("GET", LICENSE, absent=NO_LICENSE), "GET license", "license", dict)
        except EceNotFound:
            return None
        license_info: dict[str, Any] = reply["license"]
        return license_info

    def proxies(self) -> dict[str, Any]:
        """Return all proxies (ProxyOverview); `settings` holds secrets.

        get-proxies: GET /platform/infrastructure/proxies
        """
        return self._mapping(self.request("GET", PROXIES), "GET proxies", "proxies", list)

    def blueprinter_roles(self) -> list[dict[str, Any]]:
        """Return the roles of the platform; their container options may hold secrets.

        list-blueprinter-roles: GET /platform/infrastructure/blueprinter/roles
        """
        reply = self._mapping(self.request("GET", BLUEPRINTER_ROLES), "GET blueprinter roles", "values", list)
        return _objects(reply["values"], "id")

    # -- allocators ----------------------------------------------------------------------------------------------------

    def iter_allocators(
        self, total: int | None = None, page_size: int = ALLOCATOR_PAGE_SIZE
    ) -> Iterator[dict[str, Any]]:
        """Yield each allocator once (AllocatorInfo), with its zone_id.

        get-allocators: GET /platform/infrastructure/allocators

        The list is read page by page, with one page in memory. total: the number of allocators by get-platform; knowing
        it saves the request that finds the end. Without `size` the API cuts the list at 100 without notice, and a
        server may limit the size; so `from` advances by what arrived, and a page without new allocators is the end.
        No page reaches beyond INDEX_WINDOW, whatever size the server gave before.
        """
        seen: set[str] = set()
        start = 0
        for _page in range(PAGES_MAX):
            size = min(page_size, INDEX_WINDOW - start) if start < INDEX_WINDOW else page_size
            params = {"size": size, "from": start, "sort": "allocator_id"}
            try:
                reply = self.request("GET", ALLOCATORS, params=params)
            except EceApiError as error:
                # The window of the index: an index with another one than INDEX_WINDOW may hold more before it.
                if start and error.status == 400:
                    if total is None or len(seen) < total:
                        self.warnings.append(f"the list of allocators ends at {start}: {error}")
                    return
                raise
            page = _allocators_of(self._mapping(reply, "GET allocators", "zones", list))
            new = {allocator["allocator_id"]: allocator for allocator in page if allocator["allocator_id"] not in seen}
            seen.update(new)
            yield from new.values()
            start += len(page)
            if not new or (total is not None and len(seen) >= total and len(page) < size):
                return
        raise EceProtocolError(
            f"GET allocators at {self.url} has no end: "
            f"there was more after {PAGES_MAX} pages with {len(seen)} allocators"
        )

    def allocator(self, allocator_id: str) -> dict[str, Any] | None:
        """Return one allocator (AllocatorInfo) from the platform's state, not from the index; None if it is unknown.

        get-allocator: GET /platform/infrastructure/allocators/{allocator_id}
        """
        try:
            reply = self.request("GET", _path(ALLOCATORS, allocator_id), absent=NO_ALLOCATOR)
        except EceNotFound:
            return None
        return self._mapping(reply, "GET allocator", "allocator_id", str)

    def delete_allocator(self, allocator_id: str, remove_instances: bool = False) -> bool:
        """Delete an allocator and return whether it was there.

        delete-allocator: DELETE /platform/infrastructure/allocators/{allocator_id}
        The API refuses while the allocator is connected, and while it holds instances unless these are to be removed.
        """
        params = {"remove_instances": "true"} if remove_instances else None
        return self._delete(_path(ALLOCATORS, allocator_id), NO_ALLOCATOR, params)

    def set_allocator_maintenance(self, allocator_id: str, on: bool, reason: str | None = None) -> None:
        """Start or end the maintenance mode of an allocator. reason: for platforms from 3.7 on.

        start-allocator-maintenance-mode, stop-allocator-maintenance-mode:
        POST /platform/infrastructure/allocators/{allocator_id}/maintenance-mode/_start, _stop
        """
        path = f"{_path(ALLOCATORS, allocator_id)}/maintenance-mode/{'_start' if on else '_stop'}"
        self.request("POST", path, params={"reason": reason} if reason else None)

    def set_allocator_settings(self, allocator_id: str, settings: Mapping[str, Any]) -> None:
        """Replace all settings of an allocator (AllocatorSettings): `capacity` is memory in MB.

        set-allocator-settings: PUT /platform/infrastructure/allocators/{allocator_id}/settings
        """
        self.request("PUT", f"{_path(ALLOCATORS, allocator_id)}/settings", body=dict(settings))

    def allocator_metadata(self, allocator_id: str) -> tuple[list[Any], str | None]:
        """Return the tags of an allocator (list of MetadataItem), and their version for set_allocator_metadata().

        get-allocator-metadata: GET /platform/infrastructure/allocators/{allocator_id}/metadata
        """
        headers: dict[str, str] = {}
        reply = self.request("GET", f"{_path(ALLOCATORS, allocator_id)}/metadata", headers=headers)
        if not isinstance(reply, list):
            raise EceProtocolError(f"GET metadata at {self.url} answered without a list of tags; {self.which_url}")
        return reply, headers.get(VERSION_HEADER)

    def set_allocator_metadata(self, allocator_id: str, tags: Mapping[str, str], version: str | None = None) -> None:
        """Replace all tags of an allocator. version: that of the tags that are replaced.

        set-allocator-metadata: PUT /platform/infrastructure/allocators/{allocator_id}/metadata
        The API refuses that where they have another version by then. Its specification does not say with which error.
        """
        items = [{"key": key, "value": value} for key, value in tags.items()]
        params = {"version": version} if version else None
        self.request("PUT", f"{_path(ALLOCATORS, allocator_id)}/metadata", params=params, body={"items": items})

    def set_allocator_metadata_item(self, allocator_id: str, key: str, value: str) -> None:
        """Add a tag to an allocator, or give it another value. The other tags stay.

        set-allocator-metadata-item: PUT /platform/infrastructure/allocators/{allocator_id}/metadata/{key}
        """
        self.request("PUT", _path(f"{_path(ALLOCATORS, allocator_id)}/metadata", key), body={"value": value})

    def move_clusters(
        self, allocator_id: str, body: Mapping[str, Any], params: Mapping[str, bool | None] | None = None
    ) -> dict[str, Any]:
        """Move the clusters in the body (MoveClustersRequest) away, and return `moves` and `failures`.

        move-clusters: POST /platform/infrastructure/allocators/{allocator_id}/clusters/_move
        params: validate_only and the other parameters of the query; None leaves one to the platform. The request is
        never repeated once it was sent. A reply with HTTP status 202 may have failures.
        """
        query = {name: "true" if value else "false" for name, value in (params or {}).items() if value is not None}
        path = f"{_path(ALLOCATORS, allocator_id)}/clusters/_move"
        return self._mapping(self.request("POST", path, params=query, body=body), "POST clusters/_move", "moves", dict)

    # -- deployments ---------------------------------------------------------------------------------------------------

    def deployment(self, deployment_id: str) -> dict[str, Any]:
        """Return a deployment with its plans and their logs (DeploymentGetResponse).

        get-deployment: GET /deployments/{deployment_id}
        A plan that has failed is in the history only.
        """
        params = dict.fromkeys(("show_plans", "show_plan_logs", "show_plan_history"), "true")
        reply = self.request("GET", _path(DEPLOYMENTS, deployment_id), params=params)
        return self._mapping(reply, "GET deployment", "resources", dict)

    # -- runners -------------------------------------------------------------------------------------------------------

    def runners(self) -> list[dict[str, Any]]:
        """Return all runners (RunnerInfo).

        get-runners: GET /platform/infrastructure/runners
        The operation has no paging; callers compare the length with the number of get-platform.
        """
        reply = self._mapping(self.request("GET", RUNNERS), "GET runners", "runners", list)
        return _objects(reply["runners"], "runner_id")

    def runner(self, runner_id: str) -> dict[str, Any] | None:
        """Return one runner (RunnerInfo) from the platform's state, not from the index; None if it is unknown.

        get-runner: GET /platform/infrastructure/runners/{runner_id}
        """
        try:
            reply = self.request("GET", _path(RUNNERS, runner_id), absent=NO_RUNNER)
        except EceNotFound:
            return None
        return self._mapping(reply, "GET runner", "runner_id", str)

    def set_runner_roles(self, runner_id: str, roles: Sequence[str]) -> None:
        """Replace the list of a runner's roles.

        set-runner-roles: PUT /platform/infrastructure/runners/{runner_id}/roles
        Only those take effect that the runner is permitted to have. `bless` would permit it the whole list.
        """
        body = {"roles": [{"role_name": role} for role in roles]}
        self.request("PUT", _path(RUNNERS, runner_id) + "/roles", body=body)

    def permit_role(self, role: str, runner_id: str) -> None:
        """Permit a runner to have a role (a blessing).

        add-blueprinter-blessing: PUT /platform/infrastructure/blueprinter/roles/{role}/blessings/{runner_id}
        """
        path = f"{_path(BLUEPRINTER_ROLES, role)}/blessings"
        self.request("PUT", _path(path, runner_id), body={"value": True})

    def delete_runner(self, runner_id: str) -> bool:
        """Delete a runner and return whether it was there.

        delete-runner: DELETE /platform/infrastructure/runners/{runner_id}
        """
        return self._delete(_path(RUNNERS, runner_id), NO_RUNNER)

    # -- enrollment tokens ---------------------------------------------------------------------------------------------

    def enrollment_tokens(self) -> list[dict[str, Any]]:
        """Return token_id and roles of each persistent token.

        get-enrollment-tokens: GET /platform/configuration/security/enrollment-tokens
        The API lists neither the tokens themselves nor ephemeral ones.
        """
        reply = self._mapping(self.request("GET", ENROLLMENT_TOKENS), "GET enrollment-tokens", "tokens", list)
        return _objects(reply["tokens"], "token_id")

    def create_enrollment_token(
        self, roles: Sequence[str], persistent: bool, validity_seconds: int | None
    ) -> dict[str, Any]:
        """Mint a token and return `token`, and `token_id` if it is persistent.

        create-enrollment-token: POST /platform/configuration/security/enrollment-tokens
        The request is never repeated once it was sent. So where there are several coordinators, a request without
        effect comes before it, after which the one that answers is asked first.
        validity_seconds: for ephemeral tokens only; None for the platform's default.
        """
        if len(self._urls) > 1:
            with contextlib.suppress(EceError):
                self.platform()
        body: dict[str, Any] = {"persistent": persistent, "roles": list(roles)}
        if validity_seconds is not None and not persistent:
            body["validity_in_seconds"] = validity_seconds
        reply = self._mapping(
            self.request("POST", ENROLLMENT_TOKENS, body=body), "POST enrollment-tokens", "token", str
        )
        self._secrets.append(reply["token"])
        return reply

    def delete_enrollment_token(self, token_id: str) -> bool:
        """Revoke a persistent token and return whether it was there.

        delete-enrollment-token: DELETE /platform/configuration/security/enrollment-tokens/{token}
        The API takes the token as well; this takes its id only, because a token in a URL ends in access logs.
        """
        return self._delete(_path(ENROLLMENT_TOKENS, token_id), NO_TOKEN)

    # -- what the operations share -------------------------------------------------------------------------------------

    def _mapping(self, reply: Json, operation: str, key: str, kind: type) -> dict[str, Any]:
        """The reply, if it is an object with the key that the specification requires, and with a value of that type."""
        if not isinstance(reply, dict) or not isinstance(reply.get(key), kind):
            message = self._message_of(reply)
            raise EceProtocolError(
                f"{operation} at {self.url} answered without '{key}', which the API promises"
                f"{': ' + message if message else ''}; {self.which_url}"
            )
        return reply

    def _delete(self, path: str, absent: str, params: Mapping[str, Any] | None = None) -> bool:
        """Delete an object and return whether it was there, as far as can be known.

        An attempt whose answer was lost has probably deleted what the next attempt does not find.
        """
        try:
            self.request("DELETE", path, params=params, absent=absent)
        except EceNotFound as error:
            return error.maybe_deleted
        return True


def _path(collection: str, name: str) -> str:
    """Return the path of one object. Raises EceError for an id that would name the parent, where a DELETE would go."""
    if name in ("", ".", ".."):
        raise EceError(f"{name!r} cannot be the id of a runner, an allocator or a token: give its id")
    return f"{collection}/{quote(name, safe='', errors='surrogatepass')}"


def _objects(values: Json, key: str) -> list[dict[str, Any]]:
    """The objects of a list that have their id, which is under this key; an object without its id is useless."""
    if not isinstance(values, list):
        return []
    return [value for value in values if isinstance(value, dict) and value.get(key) and isinstance(value[key], str)]


def _allocators_of(overview: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The allocators of one page in one list. Empty zones have `allocators: null`; a zone may lack its id."""
    allocators = []
    for zone in overview["zones"]:
        for allocator in _objects(zone.get("allocators") if isinstance(zone, dict) else None, "allocator_id"):
            allocators.append({**allocator, "zone_id": allocator.get("zone_id") or zone.get("zone_id")})
    return allocators
