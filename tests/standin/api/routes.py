# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All routes of the API, in one table. Part of the API layer."""

from __future__ import annotations

from dataclasses import dataclass

from tests.standin.api import (
    allocator_metadata,
    allocator_moves,
    allocator_settings,
    allocators,
    deployments,
    enrollment_tokens,
    platform_info,
    roles,
    runners,
    services,
    users,
)
from tests.standin.api.messages import Handler

TOKENS = "/platform/configuration/security/enrollment-tokens"
INFRASTRUCTURE = "/platform/infrastructure"
ALLOCATORS = INFRASTRUCTURE + "/allocators"
ALLOCATOR = ALLOCATORS + "/{allocator_id}"
RUNNERS = INFRASTRUCTURE + "/runners"
RUNNER = RUNNERS + "/{runner_id}"
ROLES = INFRASTRUCTURE + "/blueprinter/roles"
ROLE = ROLES + "/{role_id}"
AUTH = "/users/auth"


@dataclass(frozen=True)
class Endpoint:
    """One route: method, path below /api/v1, handler, and whether it needs no credentials."""

    method: str
    path: str
    handler: Handler
    open_to_all: bool = False


ENDPOINTS = (
    Endpoint("GET", "", platform_info.get_root),
    Endpoint("GET", "/platform", platform_info.get_platform),
    Endpoint("GET", "/platform/license", platform_info.get_license),
    Endpoint("GET", TOKENS, enrollment_tokens.get_tokens),
    Endpoint("POST", TOKENS, enrollment_tokens.create_token),
    Endpoint("DELETE", TOKENS + "/{token}", enrollment_tokens.delete_token),
    Endpoint("GET", ALLOCATORS, allocators.get_allocators),
    Endpoint("POST", ALLOCATORS + "/_search", allocators.search_allocators),
    Endpoint("GET", ALLOCATOR, allocators.get_allocator),
    Endpoint("DELETE", ALLOCATOR, allocators.delete_allocator),
    Endpoint("POST", ALLOCATOR + "/maintenance-mode/_start", allocators.start_maintenance),
    Endpoint("POST", ALLOCATOR + "/maintenance-mode/_stop", allocators.stop_maintenance),
    Endpoint("GET", ALLOCATOR + "/metadata", allocator_metadata.get_metadata),
    Endpoint("PUT", ALLOCATOR + "/metadata", allocator_metadata.set_metadata),
    Endpoint("PUT", ALLOCATOR + "/metadata/{key}", allocator_metadata.set_metadata_item),
    Endpoint("DELETE", ALLOCATOR + "/metadata/{key}", allocator_metadata.delete_metadata_item),
    Endpoint("GET", ALLOCATOR + "/settings", allocator_settings.get_settings),
    Endpoint("PUT", ALLOCATOR + "/settings", allocator_settings.set_settings),
    Endpoint("PATCH", ALLOCATOR + "/settings", allocator_settings.update_settings),
    Endpoint("POST", ALLOCATOR + "/clusters/_move", allocator_moves.move_clusters),
    Endpoint("POST", ALLOCATOR + "/clusters/{cluster_type}/_move", allocator_moves.move_clusters),
    Endpoint("GET", "/deployments/{deployment_id}", deployments.get_deployment),
    Endpoint("GET", RUNNERS, runners.get_runners),
    Endpoint("POST", RUNNERS + "/_search", runners.search_runners),
    Endpoint("GET", RUNNER, runners.get_runner),
    Endpoint("DELETE", RUNNER, runners.delete_runner),
    Endpoint("PUT", RUNNER + "/roles", runners.set_roles),
    Endpoint("GET", ROLES, roles.get_roles),
    Endpoint("GET", ROLE, roles.get_role),
    Endpoint("PUT", ROLE + "/blessings/{runner_id}", roles.set_blessing),
    Endpoint("GET", INFRASTRUCTURE + "/proxies", services.get_proxies),
    Endpoint("GET", INFRASTRUCTURE + "/coordinators", services.get_coordinators),
    Endpoint("GET", INFRASTRUCTURE + "/constructors", services.get_constructors),
    Endpoint("GET", "/user", users.get_user),
    Endpoint("POST", AUTH + "/_login", users.login, open_to_all=True),
    Endpoint("POST", AUTH + "/_refresh", users.refresh, open_to_all=True),
    Endpoint("POST", AUTH + "/_logout", users.logout),
    Endpoint("GET", AUTH + "/keys", users.get_keys),
    Endpoint("POST", AUTH + "/keys", users.create_key),
)
