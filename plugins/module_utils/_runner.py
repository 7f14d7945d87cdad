# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Assign roles to a runner, or delete it: the work of ece_runner, for a module and for an action in the controller."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._ece import ROLES
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._records import (
    connected_of,
    object_of,
    objects_of,
    runner_roles,
    text_of,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names

# How often roles are set where another run sets those of the same runner, and the pause before each further time.
ATTEMPTS = 3
PAUSE_SECONDS = 1.0
# Roles without which a platform does not work: one other runner that is connected has to keep each of them.
NEVER_LAST = ("coordinator", "director")
# ZooKeeper stays on the host of a former director:
# https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/assign-roles-to-hosts, read 2026-11-28
FORMER_DIRECTOR = (
    "runner_id {0}: without the role director, ZooKeeper keeps running on its host: delete the runner, clean the host "
    "and install it again, and keep an odd number of directors"
)


class RunnerResult(TypedDict):
    """The result for one runner. roles: its roles afterwards, empty if it is absent."""

    changed: bool
    runner_id: str
    roles: list[str]
    diff: Mapping[str, Mapping[str, Any]]


# -- roles -----------------------------------------------------------------------------------------------------------


def surplus_roles(held: Iterable[str], declared: Iterable[str]) -> list[str]:
    """Return the roles that a runner holds beyond the declared ones, sorted.

    Roles that users cannot choose, like beats-runner and services-forwarder, are the platform's own and never surplus.
    """
    return sorted((set(held) - set(declared)).intersection(ROLES))


def require_dispensable(client: EceClient, runner_id: str, roles: Iterable[str]) -> dict[str, str]:
    """Raise PlatformError unless these roles can be taken away from a runner.

    The last connected coordinator or director keeps its role, and an allocator that holds instances does. Returns for
    each role of NEVER_LAST the id of another runner that has it. That runner was asked for by its id: a list of the
    platform, which may be old or cut, is no proof.
    """
    wanted = set(roles)
    if "allocator" in wanted:
        _require_empty(client, runner_id)
    needed = [role for role in NEVER_LAST if role in wanted]
    others = [one for one in client.runners() if one["runner_id"] != runner_id] if needed else []
    return {role: _other_with(client, runner_id, role, others) for role in needed}


def _require_empty(client: EceClient, runner_id: str) -> None:
    """Raise PlatformError if the allocator with this id holds instances, or if the platform does not say so."""
    allocator = client.allocator(runner_id)
    if allocator is None:
        return
    instances = allocator.get("instances")
    if not isinstance(instances, list):
        raise PlatformError(
            f"runner_id {runner_id} keeps the role allocator, because the platform does not say which instances "
            "its allocator holds: run this again when it does"
        )
    if instances:
        number = f"{len(instances)} instance" + ("" if len(instances) == 1 else "s")
        clusters = {text_of(one.get("cluster_id")) or "unknown" for one in objects_of(instances)}
        raise PlatformError(
            f"runner_id {runner_id} keeps the role allocator, because its allocator holds {number} "
            f"(clusters {first_names(clusters)}): move them to other allocators first"
        )


def _other_with(client: EceClient, runner_id: str, role: str, others: Sequence[Mapping[str, Any]]) -> str:
    """Return the id of another connected runner with a role, or raise PlatformError."""
    candidates = [one for one in others if role in runner_roles(one)]
    for candidate in sorted(candidates, key=lambda one: not connected_of(one)):
        if _has_role(client, candidate["runner_id"], role):
            return str(candidate["runner_id"])
    held = f"has {len(candidates)} others, none of which is connected" if candidates else "lists no other one"
    raise PlatformError(
        f"runner_id {runner_id} is the last connected {role}, and keeps that role, because the platform {held}: "
        f"assign the role {role} to another runner first"
    )


def _has_role(client: EceClient, runner_id: str, role: str) -> bool:
    """Whether a runner is connected and has a role, by the platform's state."""
    found = client.runner(runner_id)
    return found is not None and connected_of(found) and role in runner_roles(found)


def ensure_present(
    client: EceClient,
    runner_id: str,
    roles: Sequence[str],
    check_mode: bool,
    exact: bool = False,
    bless: bool = True,
) -> RunnerResult:
    """Assign the roles that the runner lacks, and keep its others.

    exact: take those of its others away that are not the platform's own. bless: permit the runner the roles that it
    lacks. Raises PlatformError if there is no such runner, if a role cannot be spared, or if the roles are others
    afterwards. What the operator should know is in the warnings of the client.
    """
    before = _roles_of(client, runner_id)
    surplus = surplus_roles(before, roles) if exact else []
    holders = require_dispensable(client, runner_id, surplus)
    after = sorted({*before, *roles} - set(surplus))
    changed = after != before
    if changed and not check_mode:
        after = _assign(client, runner_id, before, roles, exact, bless)
        _require_still_held(client, runner_id, after, holders)
    if "director" in surplus:
        client.warnings.append(FORMER_DIRECTOR.format(runner_id))
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


def _assign(
    client: EceClient, runner_id: str, held: Sequence[str], roles: Sequence[str], exact: bool, bless: bool
) -> list[str]:
    """Set the roles of a runner, and return its roles afterwards. Raises PlatformError.

    The API replaces the whole list. Another run that reads it before and writes it after this one takes the new roles
    away again, and this one may do the same to the other, which so looks again as well.
    """
    if bless:
        for role in sorted(set(roles) - set(held)):
            # Only the new roles. The list may have others that the runner asked for and was not permitted to have.
            client.permit_role(role, runner_id)
    surplus = surplus_roles(held, roles) if exact else []
    for attempt in range(ATTEMPTS):
        if attempt:
            client.sleep(PAUSE_SECONDS)
            # What came back meanwhile, or is new, may be indispensable by now.
            require_dispensable(client, runner_id, surplus)
        client.set_runner_roles(runner_id, sorted({*held, *roles} - set(surplus)))
        held = _roles_of(client, runner_id)
        surplus = surplus_roles(held, roles) if exact else []
        if set(roles) <= set(held) and not surplus:
            return list(held)
    raise PlatformError(_not_settled(runner_id, sorted(set(roles) - set(held)), surplus, bless))


def _not_settled(runner_id: str, lacking: Sequence[str], surplus: Sequence[str], bless: bool) -> str:
    """The sentence on a runner whose roles are not the wanted ones after all attempts."""
    if lacking and not bless:
        return (
            f"runner_id {runner_id} still lacks the role {', '.join(lacking)}, which it may not be permitted to have: "
            "set bless: true, which permits it"
        )
    state = f"lacks the role {', '.join(lacking)}, although it was assigned"
    if not lacking:
        state = f"has the role {', '.join(surplus)}, although it was taken away"
    return (
        f"runner_id {runner_id} still {state} {ATTEMPTS} times; "
        "another run may be setting the roles of this runner: run this again when that has ended"
    )


def _require_still_held(client: EceClient, runner_id: str, held: Sequence[str], holders: Mapping[str, str]) -> None:
    """Give roles back where their other holder lost them meanwhile, as to a run that takes them from all others.

    Raises PlatformError then.
    """
    lost = sorted(role for role, holder in holders.items() if not _has_role(client, holder, role))
    if not lost:
        return
    try:
        require_dispensable(client, runner_id, lost)
    except PlatformError as error:
        client.set_runner_roles(runner_id, sorted({*held, *lost}))
        raise PlatformError(f"{error}; it was taken away for a moment, and given back") from None


# -- deletion --------------------------------------------------------------------------------------------------------


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
