# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Assign roles to a runner, or delete it: the work of ece_runner, for a module and for an action in the controller."""

from __future__ import annotations

from typing import Any, Mapping, Sequence, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._records import runner_roles


class RunnerResult(TypedDict):
    """The result for one runner. roles: its roles afterwards, empty if it is absent."""

    changed: bool
    runner_id: str
    roles: list[str]
    diff: Mapping[str, Mapping[str, Any]]


def ensure_present(client: EceClient, runner_id: str, roles: Sequence[str], check_mode: bool) -> RunnerResult:
    """Assign the roles that the runner lacks, and keep its others. Raises PlatformError if there is no such runner."""
    runner = client.runner(runner_id)
    if runner is None:
        raise PlatformError(
            f"runner_id {runner_id} is not known to the platform: "
            "give the id of one of its runners, as ece_runner_info lists them"
        )
    before = runner_roles(runner)
    after = sorted({*before, *roles})
    changed = after != before
    if changed and not check_mode:
        # The API replaces the whole list, so the roles that the runner has are sent as well.
        client.set_runner_roles(runner_id, after)
    diff = {"before": {"roles": before}, "after": {"roles": after}}
    return {"changed": changed, "runner_id": runner_id, "roles": after, "diff": diff}


def ensure_absent(client: EceClient, runner_id: str, check_mode: bool) -> RunnerResult:
    """Delete the runner and its allocator, if they exist. Raises PlatformError if the runner is connected.

    The allocator is an object of its own and is deleted first: the platform refuses that as long as it holds instances,
    and then the runner stays, too.
    """
    runner = client.runner(runner_id)
    if runner is None:
        return {"changed": False, "runner_id": runner_id, "roles": [], "diff": {"before": {}, "after": {}}}
    if runner.get("connected"):
        raise PlatformError(
            f"runner_id {runner_id} is connected, so it is not deleted: take the host out of service first"
        )
    before = runner_roles(runner)
    if not check_mode:
        if "allocator" in before:
            client.delete_allocator(runner_id)
        client.delete_runner(runner_id)
    return {"changed": True, "runner_id": runner_id, "roles": [], "diff": {"before": {"roles": before}, "after": {}}}
