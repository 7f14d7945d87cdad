# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the platform is made of: immutable records and the fixed tables of ECE (roles and their containers)."""

from __future__ import annotations

from dataclasses import dataclass, field

# Present on every host, cannot be chosen, and yet listed among a runner's roles.
SYSTEM_ROLES = ("beats-runner", "services-forwarder")
ROLES = ("allocator", "coordinator", "director", "proxy")

# role -> (container set, container); the engine calls such a container frc-<set>-<container>.
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


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that nobody but its owner may read. Its repr is safe to show."""

    kind: str
    value: str = field(repr=False)
    user: str = ""


CLUSTER_TYPES = ("elasticsearch", "kibana", "apm", "integrations_server", "appsearch", "enterprise_search")


class ApiError(Exception):
    """A refusal as the API words it. headers is False where the product documents no x-cloud-error-codes for it."""

    def __init__(
        self, status: int, code: str, message: str, fields: tuple[str, ...] = (), code_header: bool = True
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.code_header = code_header


class Refused(Exception):
    """A refusal at the inner door; its text is the reason."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One node of a deployment on an allocator. moves_at: when a move that was asked for ends, moves_to: where."""

    cluster_type: str
    cluster_id: str
    instance_name: str
    node_memory: int
    deployment_id: str
    cluster_name: str = ""
    moves_at: float | None = None
    moves_to: str | None = None


@dataclass(frozen=True, slots=True)
class Allocator:
    """connected_from: since (or from) when it is connected; None: it is not. appears_at: from when the platform shows it."""

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
    metadata_revision: int = 1
    settings_revision: int = 1

    def connected(self, at: float) -> bool:
        return self.connected_from is not None and at >= self.connected_from


@dataclass(frozen=True, slots=True)
class Runner:
    """roles: those in effect, system ones included. pending: wanted, but the runner is not entitled to them."""

    runner_id: str
    host_ip: str
    public_hostname: str
    zone: str
    version: str
    roles: tuple[str, ...]
    connected_from: float | None
    pending: frozenset[str] = frozenset()
    blessed: frozenset[str] = frozenset()
    tags: tuple[tuple[str, str], ...] = field(default=())

    def connected(self, at: float) -> bool:
        return self.connected_from is not None and at >= self.connected_from
