# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong while a host is removed. Each fault is a row of the page on faults, in the order of the steps.

The faults of a series follow one another on one host: each ends its run, and the next run goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.integration.operator import Operator
from tests.integration.scenarios.scenario import Prepare, Undo, faulty

# The host that is removed, and the two allocators of its zone that the stand-in has.
NAME, ADDRESS = "leaves", "198.51.100.1"
STANDIN = {"allocators": 2, "zones": ("ece-zone-1",)}
VARIABLES = {"ece_retries": 1, "ece_timeout": 4}
# For faults that stop a run: how long it waits until the host is disconnected, in seconds.
SHORT_WAIT = {"ece_host_removal_disconnect_timeout": 2}


class Stage(Enum):
    """How far the host has left; the value is the last column of the row."""

    UNTOUCHED = "nothing is changed"
    MAINTENANCE = "maintenance mode is on, and the instance is where it was"
    EMPTY = "the instance has moved, and the host has its roles"
    CLEANED = "the host is cleaned, and allocator and runner are not deleted"
    NO_ALLOCATOR = "the allocator is deleted, and the runner is not"
    REMOVED = "the host is removed"


def stage_of(operator: Operator) -> Stage:
    """Return how far the host has left. Raises AssertionError if its parts do not fit one stage."""
    host, platform = operator.ece.hosts[NAME], operator.ece.platform
    runner = next((each for each in platform.current_runners() if each.runner_id == ADDRESS), None)
    has_role = runner is not None and "allocator" in runner.roles
    allocator = next((each for each in platform.current_allocators() if each.allocator_id == ADDRESS), None)
    is_clean = not host.containers and not host.storage.exists()
    if allocator is None:
        assert is_clean, "an allocator is deleted, and its host is not cleaned"
        assert not has_role, "an allocator is deleted, and its role is not taken away"
        return Stage.REMOVED if runner is None else Stage.NO_ALLOCATOR
    assert runner is not None, "a runner is deleted before its allocator"
    if is_clean:
        assert allocator.maintenance and not allocator.instances and not has_role, "a host was cleaned too early"
        return Stage.CLEANED
    assert has_role, "a role is taken away, and the host is not cleaned"
    assert host.containers and host.storage.exists(), "a host is cleaned in part"
    if not allocator.instances:
        assert allocator.maintenance, "the instances have moved, and maintenance mode is off"
        return Stage.EMPTY
    return Stage.MAINTENANCE if allocator.maintenance else Stage.UNTOUCHED


@dataclass(frozen=True, kw_only=True)
class RemovalFault:
    """A fault, and how a run with it ends. An empty message is that of a run that gets over it."""

    name: str
    # What goes wrong, as a sentence without a full stop.
    what: str
    prepare: Prepare
    message: str = ""
    stage: Stage = Stage.REMOVED
    # The rest of the last column.
    afterwards: str = ""

    @property
    def end(self) -> str:
        """The last column of the row."""
        return "; ".join(part for part in (self.stage.value, self.afterwards) if part)


def request(method: str, path: str, **fault: Any) -> Prepare:
    """Return a step that lets each of these requests fail."""
    return faulty(method=method, path=path, times=None, **fault)


def lost(method: str, path: str) -> Prepare:
    """Return a step after which the answer to one of these requests is lost."""
    return faulty(method=method, path=path, reset="after")


def move_fails(operator: Operator) -> Undo:
    """Let the plan of the instance's move fail, as without the credentials of a private registry."""
    (instance,) = operator.ece.platform.allocator(ADDRESS).instances
    change: Callable[..., Any] = operator.ece.platform.change_instances
    change(instance.cluster_id, fails="PullAccessDenied: pull access denied for cloud-assets/elasticsearch")
    return lambda: change(instance.cluster_id, fails="")


def still_connected(payload: Any) -> Any:
    """Return a runner or an allocator that the platform takes for connected."""
    status = {**payload["status"], "connected": True} if "status" in payload else None
    return {**payload, "connected": True} if status is None else {**payload, "status": status}


# A text that a run prints when it has removed the host.
REMOVED = "1 removed"
RUNNER, ALLOCATOR = f"runners/{ADDRESS}$", f"allocators/{ADDRESS}$"
START, MOVE, ROLES = "maintenance-mode/_start$", "/_move$", f"runners/{ADDRESS}/roles$"
STAYS = "stays in maintenance mode: run this again to go on from here"

STOPPED = [
    RemovalFault(
        name="removal-plan-500",
        what="The plan's requests for runners are answered with HTTP 500",
        prepare=request("GET", "infrastructure/runners$", status=500),
        message="answered HTTP 500: A fault of the stand-in.",
        stage=Stage.UNTOUCHED,
    ),
    RemovalFault(
        name="removal-maintenance-500",
        what="The request that starts maintenance mode is answered with HTTP 500",
        prepare=request("POST", START, status=500),
        message=f"maintenance mode of allocator {ADDRESS} did not start",
        stage=Stage.UNTOUCHED,
    ),
    RemovalFault(
        name="removal-maintenance-403",
        what="The user may not start maintenance mode",
        prepare=request("POST", START, status=403, code="root.unauthorized.rbac"),
        message="answered HTTP 403: this user may not do that",
        stage=Stage.UNTOUCHED,
    ),
    RemovalFault(
        name="removal-move-refused",
        what="The platform refuses to move an instance",
        prepare=request("POST", MOVE, status=400, code="clusters.cluster_invalid_plan"),
        message=STAYS,
        stage=Stage.MAINTENANCE,
        afterwards="the reason of the platform is printed with the cluster",
    ),
    RemovalFault(
        name="removal-move-fails",
        what="The plan of a move fails, because the platform may not pull an image",
        prepare=move_fails,
        message="PullAccessDenied: pull access denied for cloud-assets/elasticsearch",
        stage=Stage.MAINTENANCE,
        afterwards="the remedy is printed, too",
    ),
    RemovalFault(
        name="removal-roles-500",
        what="The request that takes the roles away is answered with HTTP 500",
        prepare=request("PUT", ROLES, status=500),
        message="done before that: 1 cluster moved away",
        stage=Stage.EMPTY,
    ),
    RemovalFault(
        name="removal-still-connected",
        what="The platform shows the host as connected, although its containers are gone",
        prepare=request("GET", RUNNER, transform=still_connected),
        message="and deletes nothing that is connected",
        stage=Stage.CLEANED,
    ),
    RemovalFault(
        name="removal-delete-allocator-500",
        what="The request that deletes the allocator is answered with HTTP 500",
        prepare=request("DELETE", ALLOCATOR, status=500),
        message="answered HTTP 500: A fault of the stand-in.",
        stage=Stage.CLEANED,
    ),
    RemovalFault(
        name="removal-delete-runner-500",
        what="The request that deletes the runner is answered with HTTP 500",
        prepare=request("DELETE", RUNNER, status=500),
        message="done before that: allocator deleted",
        stage=Stage.NO_ALLOCATOR,
    ),
    RemovalFault(
        name="removal-delete-without-effect",
        what="The request that deletes the runner is answered as done, and the runner stays",
        prepare=request("DELETE", RUNNER, body=b"{}"),
        message=f"the platform still has the runner {ADDRESS} after its deletion",
        stage=Stage.NO_ALLOCATOR,
    ),
]

GOT_OVER = [
    RemovalFault(
        name="removal-maintenance-lost",
        what="The answer to the request that starts maintenance mode is lost",
        prepare=lost("POST", START),
        afterwards="the platform shows that it is on",
    ),
    RemovalFault(
        name="removal-move-lost",
        what="The answer to the request for a move is lost",
        prepare=lost("POST", MOVE),
        afterwards="the platform shows that the instance moves; it is asked for once",
    ),
    RemovalFault(
        name="removal-roles-lost",
        what="The answer to the request that takes the roles away is lost",
        prepare=lost("PUT", ROLES),
        afterwards="the request is repeated",
    ),
    RemovalFault(
        name="removal-disconnect-500",
        what="The platform answers with HTTP 500 while the host disconnects",
        prepare=faulty(method="GET", path=RUNNER, status=500, after=4),
        afterwards="the request is repeated",
    ),
    RemovalFault(
        name="removal-delete-allocator-lost",
        what="The answer to the request that deletes the allocator is lost",
        prepare=lost("DELETE", ALLOCATOR),
        afterwards="an allocator that is gone is no error",
    ),
    RemovalFault(
        name="removal-delete-runner-lost",
        what="The answer to the request that deletes the runner is lost",
        prepare=lost("DELETE", RUNNER),
        afterwards="a runner that is gone is no error",
    ),
]
