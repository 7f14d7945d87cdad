# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the platform is made of: immutable records, errors, and the fixed tables of ECE (roles and their containers).

The bottom of the platform layer: this module imports nothing of the stand-in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

ROLES = ("allocator", "coordinator", "director", "proxy")
# Every host has these roles. They cannot be chosen, yet the API lists them among a runner's roles.
SYSTEM_ROLES = ("beats-runner", "services-forwarder")
CLUSTER_TYPES = ("elasticsearch", "kibana", "apm", "integrations_server", "appsearch", "enterprise_search")

# role -> (container set, container), with "" for every host. The engine's name of a container is frc-<set>-<container>.
CONTAINERS: dict[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("runners", "runner"),
        ("beats-runners", "beats-runner"),
        ("client-forwarders", "client-forwarder"),
        ("services-forwarders", "services-forwarder"),
    ),
    "allocator": (
        ("allocators", "allocator"),
        ("allocator-metricbeats", "allocator-metricbeat"),
        ("container-task-services", "container-task-service"),
    ),
    "coordinator": (
        ("admin-consoles", "admin-console"),
        ("blueprints", "blueprint"),
        ("cloud-uis", "cloud-ui"),
        ("constructors", "constructor"),
    ),
    "director": (("directors", "director"), ("zookeeper-servers", "zookeeper")),
    "proxy": (("proxies", "proxyv2"), ("proxies", "route-server")),
    "beats-runner": (),
    "services-forwarder": (),
}


def runner_containers(roles: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the (container set, container) pairs of a host with these roles."""
    return [pair for role in ("", *roles) for pair in CONTAINERS[role]]


class ApiError(Exception):
    """A refusal as the API writes it.

    code_header is False where the product documents no `x-cloud-error-codes` header for this code.
    """

    def __init__(
        self, status: int, code: str, message: str, fields: tuple[str, ...] = (), *, code_header: bool = True
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.code_header = code_header


class Refused(Exception):
    """A refusal of the join server; its text is the reason."""


class Join(TypedDict):
    """The record of one attempt to join. roles: those in effect afterwards; wanted: those that the host asked for."""

    runner_id: str
    ok: bool
    reason: str
    roles: list[str]
    wanted: list[str]
    zone: str
    time: float


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that only its owner may read. Its repr is safe to print."""

    kind: str
    value: str = field(repr=False)
    user: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One node of a deployment on an allocator. moves_at: when its move ends; moves_to: the target allocator.

    pending: a plan of its cluster is pending that is no move. refusal: why the API refuses to move it. fails: why its
    moves end without effect. failure: why the last one did.
    """

    cluster_type: str
    cluster_id: str
    instance_name: str
    node_memory: int
    deployment_id: str
    moves_at: float | None = None
    moves_to: str | None = None
    pending: bool = False
    refusal: str = ""
    fails: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocator:
    """An allocator. Times are seconds since the epoch.

    connected_from: when its connection begins (or began), None when it is disconnected.
    appears_at: the time from which the platform shows it. maintenance_reason: the API takes it, and returns it nowhere.
    """

    allocator_id: str
    zone_id: str
    host_ip: str
    public_hostname: str
    capacity_mb: int
    storage_mb: int
    version: str
    connected_from: float | None
    appears_at: float = 0.0
    settings: tuple[tuple[str, int], ...] = ()
    instances: tuple[Instance, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    maintenance: bool = False
    maintenance_at: float | None = None
    maintenance_reason: str = ""
    metadata_revision: int = 1
    settings_revision: int = 1

    def connected(self, at: float) -> bool:
        """Return whether the allocator is connected at this time."""
        return self.connected_from is not None and at >= self.connected_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """The runner of a host.

    roles: those in effect, system roles included. pending: roles that were asked for without a blessing.
    blessed: roles that the runner is entitled to. connected_from: as for an allocator.
    """

    runner_id: str
    host_ip: str
    public_hostname: str
    zone: str
    version: str
    roles: tuple[str, ...]
    connected_from: float | None
    pending: frozenset[str] = frozenset()
    blessed: frozenset[str] = frozenset()
    tags: tuple[tuple[str, str], ...] = ()

    def connected(self, at: float) -> bool:
        """Return whether the runner is connected at this time."""
        return self.connected_from is not None and at >= self.connected_from

    @property
    def chosen_roles(self) -> tuple[str, ...]:
        """The roles in effect without the system roles."""
        return tuple(role for role in self.roles if role not in SYSTEM_ROLES)
