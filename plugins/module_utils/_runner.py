# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Assign roles to a runner, or delete it: the work of ece_runner, for a module and for an action in the controller."""

from __future__ import annotations

from typing import Any, Mapping, Sequence, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._records import connected_of, object_of, runner_roles

# How often roles are set where another run sets those of the same runner, and the pause before each further time.
ATTEMPTS = 3
PAUSE_SECONDS = 1.0


class RunnerResult(TypedDict):
    """The result for one runner. roles: its roles afterwards, empty if it is absent."""

    changed: bool
    runner_id: str
    roles: list[str]
    diff: Mapping[str, Mapping[str, Any]]


def ensure_present(client: EceClient, runner_id: str, roles: Sequence[str], check_mode: bool) -> RunnerResult:
    """Assign the roles that the runner lacks, and keep its others.

    Raises PlatformError if there is no such runner, or if it lacks a role afterwards.
    """
    before = _roles_of(client, runner_id)
    after = sorted({*before, *roles})
    changed = after != before
    if changed and not check_mode:
        after = _assign(client, runner_id, before, roles)
    diff = {"before": {"roles": before}, "after": {"roles": after}}
    return {"changed": changed, "runner_id": runner_id, "roles": after, "diff": diff}


def _roles_of(client: EceClient, runner_id: str) -> list[str]:
    runner = client.runner(runner_id)
    if runner is None:
        raise PlatformError(
            f"runner_id {runner_id} is not known to the platform: "
            "give the id of one of its runners, as ece_runner_info lists them"
        )
    return runner_roles(runner)


def _assign(client: EceClient, runner_id: str, held: Sequence[str], roles: Sequence[str]) -> list[str]:
    """Add roles to those that a runner holds, and return its roles afterwards. Raises PlatformError.

    The API replaces the whole list. Another run that reads it before and writes it after this one takes the new roles
    away again, and this one may do the same to the other, which so looks again as well.
    """
    missing = sorted(set(roles) - set(held))
    for role in missing:
        # Only the new roles. The list may have others that the runner asked for and was not permitted to have.
        client.permit_role(role, runner_id)
    for attempt in range(ATTEMPTS):
        if attempt:
            client.sleep(PAUSE_SECONDS)
        client.set_runner_roles(runner_id, sorted({*held, *roles}))
        held = _roles_of(client, runner_id)
        if set(roles) <= set(held):
            return held
    lacking = ", ".join(sorted(set(roles) - set(held)))
    raise PlatformError(
        f"runner_id {runner_id} still lacks the role {lacking}, although it was assigned {ATTEMPTS} times; "
        "another run may be setting the roles of this runner: run this again when that has ended"
    )


def ensure_absent(client: EceClient, runner_id: str, check_mode: bool) -> RunnerResult:
    """Delete the runner and the allocator with this id, those of them that exist.

    Raises PlatformError if one of them is connected. Each is an object of its own, and either may be left alone. The
    allocator is deleted first: the platform refuses that as long as it holds instances, and then the runner stays, too.
    """
    runner = client.runner(runner_id)
    if connected_of(runner or {}):
        raise PlatformError(
            f"runner_id {runner_id} is connected, so it is not deleted: take the host out of service first"
        )
    allocator = client.allocator(runner_id)
    if connected_of(object_of((allocator or {}).get("status"))):
        raise PlatformError(
            f"the allocator of runner_id {runner_id} is connected, so neither it nor its runner is deleted: "
            "take the host out of service first"
        )
    before = _before_deletion(runner, allocator)
    if not check_mode:
        if allocator is not None:
            client.delete_allocator(runner_id)
        if runner is not None:
            client.delete_runner(runner_id)
    diff: Mapping[str, Mapping[str, Any]] = {"before": before, "after": {}}
    return {"changed": bool(before), "runner_id": runner_id, "roles": [], "diff": diff}


def _before_deletion(runner: Mapping[str, Any] | None, allocator: Mapping[str, Any] | None) -> dict[str, Any]:
    before: dict[str, Any] = {}
    if runner is not None:
        before["roles"] = runner_roles(runner)
    if allocator is not None:
        before["allocator"] = allocator["allocator_id"]
    return before
