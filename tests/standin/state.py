# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The platform: version, zones, runners, allocators, tokens, users, and a clock that tests may advance.

The innermost layer: it knows nothing of HTTP. Every public method may be called from any thread. Nothing waits for time
to pass: a record holds the time from which it is true, so a test that advances the clock sees the effect at once.
"""

from __future__ import annotations

import copy
import random
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tests.standin.accounts import Accounts
from tests.standin.join_request import DEFAULT_CAPACITY_MB, JoinRequest, parse, wanted_roles
from tests.standin.model import ROLES, SYSTEM_ROLES, Allocator, ApiError, Instance, Join, Refused, Runner, Secret
from tests.standin.moves import MoveRequest, plan_moves, settle
from tests.standin.options import PlatformOptions
from tests.standin.store import Store
from tests.standin.tokens import EnrollmentTokens

SEED = 0


class Platform:
    """An ECE platform without hosts; `populate` and `add_runner` add some that have joined already."""

    def __init__(self, options: PlatformOptions) -> None:
        self.lock = threading.RLock()
        self.version = options.version
        self.zones = list(options.zones)
        self.connect_seconds = options.connect_seconds
        self.index_lag = options.index_lag
        self.move_seconds = options.move_seconds
        self.keep_allocators = options.keep_allocators
        self.clock_offset = 0.0
        self.license: dict[str, Any] | None = {"max_resource_units": 1000}
        self.tokens = EnrollmentTokens(self.now)
        self.accounts = Accounts(self.now, options.session_seconds)
        self.runners: Store[Runner] = Store(self.now, lambda: self.index_lag)
        self.allocators: Store[Allocator] = Store(self.now, lambda: self.index_lag)
        self.started = self.now()
        self._joins: list[Join] = []
        self._random = random.Random(SEED)
        # What lists leave out: `runners` or `allocators` -> ids, or None for all.
        self._unlisted: dict[str, frozenset[str] | None] = {"runners": frozenset(), "allocators": frozenset()}
        # Ids of the allocators that instances are moving away from.
        self._moving: set[str] = set()
        self._role_revisions = {role: 1 for role in ROLES + SYSTEM_ROLES}

    def now(self) -> float:
        """Return the platform's time in seconds since the epoch."""
        return time.time() + self.clock_offset

    def advance(self, seconds: float) -> None:
        """Advance the platform's clock."""
        self.clock_offset += seconds

    # -- what a test does to the platform ------------------------------------------------------------------------------

    def add_runner(
        self,
        runner_id: str,
        *,
        host_ip: str | None = None,
        zone: str | None = None,
        roles: Iterable[str] = ("allocator",),
        connected: bool = True,
    ) -> Runner:
        """Add a host that has joined already and return its runner.

        host_ip: by default the runner id. zone: by default the platform's zones in turn.
        """
        chosen = tuple(roles)
        with self.lock:
            return self._add_member(
                Runner(
                    runner_id=runner_id,
                    host_ip=host_ip or runner_id,
                    public_hostname=host_ip or runner_id,
                    zone=zone or self._next_zone(),
                    version=self.version,
                    roles=chosen + SYSTEM_ROLES,
                    connected_from=self.now() if connected else None,
                    blessed=frozenset(chosen),
                ),
                DEFAULT_CAPACITY_MB,
            )

    def populate(self, count: int) -> None:
        """Add allocators 10.1.0.1, 10.1.0.2 ... that have been connected for long, with the zones in turn."""
        with self.lock:
            for number in range(count):
                address = f"10.{1 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"
                runner = Runner(
                    runner_id=address,
                    host_ip=address,
                    public_hostname=address,
                    zone=self.zones[number % len(self.zones)],
                    version=self.version,
                    roles=("allocator", *SYSTEM_ROLES),
                    connected_from=0.0,
                    blessed=frozenset({"allocator"}),
                )
                self._add_member(runner, self._random.choice((65536, 131072)))
            self.runners.index_now()
            self.allocators.index_now()

    def add_instance(self, allocator_id: str, cluster_type: str = "elasticsearch", node_memory: int = 4096) -> Instance:
        """Add a node of a new deployment to an allocator and return it. node_memory: in MB."""
        with self.lock:
            allocator = self.allocator(allocator_id)
            instance = Instance(
                cluster_type=cluster_type,
                cluster_id=self._random_id(),
                instance_name=f"instance-{len(allocator.instances):010d}",
                node_memory=node_memory,
                deployment_id=self._random_id(),
            )
            self.allocators.put(allocator_id, replace(allocator, instances=(*allocator.instances, instance)))
            return instance

    def change_instances(self, cluster_id: str, **changes: Any) -> None:
        """Change fields of the instances of a cluster, such as `pending`, `refusal` or `fails` (see Instance)."""
        with self.lock:
            for allocator in self.allocators:
                if any(item.cluster_id == cluster_id for item in allocator.instances):
                    changed = (
                        replace(item, **changes) if item.cluster_id == cluster_id else item
                        for item in allocator.instances
                    )
                    self.allocators.put(allocator.allocator_id, replace(allocator, instances=tuple(changed)))

    def disconnect(self, runner_id: str) -> None:
        """Disconnect a host. Raises ApiError where there is no such runner."""
        self._connection(runner_id, None)

    def connect(self, runner_id: str) -> None:
        """Connect a host at once. Raises ApiError where there is no such runner."""
        self._connection(runner_id, self.now())

    def remove(self, runner_id: str) -> None:
        """Remove runner and allocator of a host from the platform, connected or not."""
        with self.lock:
            self.runners.drop(runner_id)
            self.allocators.drop(runner_id)

    def unlist(self, kind: str, *ids: str) -> None:
        """Leave these `runners` or `allocators` out of lists from now on, or all of them where no id is given.

        That is how a platform lists that rebuilds its index, or that has more records than it lists. It still shows
        each object alone. Raises KeyError for another kind.
        """
        with self.lock:
            before = self._unlisted[kind]
            self._unlisted[kind] = before | frozenset(ids) if ids and before is not None else None

    def list_again(self) -> None:
        """List all runners and allocators again."""
        with self.lock:
            self._unlisted = dict.fromkeys(self._unlisted, frozenset())

    def _is_listed(self, kind: str, key: str) -> bool:
        hidden = self._unlisted[kind]
        return hidden is not None and key not in hidden

    def _next_zone(self) -> str:
        return self.zones[len(self.runners) % len(self.zones)]

    def _random_id(self) -> str:
        return uuid.UUID(int=self._random.getrandbits(128)).hex

    def _connection(self, runner_id: str, since: float | None) -> None:
        with self.lock:
            runner = self.runner(runner_id)
            self.runners.put(runner_id, replace(runner, connected_from=since))
            allocator = self.allocators.get(runner_id)
            if allocator is not None and ("allocator" in runner.roles or since is None):
                self.allocators.put(runner_id, replace(allocator, connected_from=since))

    def _add_member(self, runner: Runner, capacity_mb: int) -> Runner:
        if runner.zone not in self.zones:
            self.zones.append(runner.zone)
        self.runners.put(runner.runner_id, runner)
        if "allocator" in runner.roles:
            # The allocator is listed at once, disconnected and yet `healthy`, as the product does.
            self._add_allocator(runner, capacity_mb, runner.connected_from)
        return runner

    def _add_allocator(
        self, runner: Runner, capacity_mb: int, connected_from: float | None, *, appears_at: float = 0.0
    ) -> None:
        self.allocators.put(
            runner.runner_id,
            Allocator(
                allocator_id=runner.runner_id,
                zone_id=runner.zone,
                host_ip=runner.host_ip,
                public_hostname=runner.public_hostname,
                capacity_mb=capacity_mb,
                storage_mb=capacity_mb * 32,
                version=runner.version,
                connected_from=connected_from,
                appears_at=appears_at,
                metadata=runner.tags,
            ),
        )

    # -- reading -------------------------------------------------------------------------------------------------------

    def runner(self, runner_id: str) -> Runner:
        """Return a runner as it is now. Raises ApiError where there is none."""
        with self.lock:
            runner = self.runners.get(runner_id)
        if runner is None:
            raise ApiError(404, "runners.runner_not_found", f"There is no runner {runner_id}.")
        return runner

    def allocator(self, allocator_id: str) -> Allocator:
        """Return an allocator as it is now. Raises ApiError where there is none."""
        with self.lock:
            self._settle_moves()
            allocator = self.allocators.get(allocator_id)
            if allocator is None or allocator.appears_at > self.now():
                raise ApiError(404, "allocators.allocator_not_found", f"There is no allocator {allocator_id}.")
            return allocator

    def current_allocators(self) -> list[Allocator]:
        """Return all allocators as they are now."""
        with self.lock:
            self._settle_moves()
            return [allocator for allocator in self.allocators if allocator.appears_at <= self.now()]

    def current_runners(self) -> list[Runner]:
        """Return all runners as they are now."""
        with self.lock:
            return list(self.runners)

    def indexed_allocators(self) -> tuple[list[Allocator], float]:
        """Return (the allocators that the index has, the time at which they were so)."""
        with self.lock:
            self._settle_moves()
            horizon = self.now() - self.index_lag
            found = self.allocators.indexed()
            listed = [one for one in found if self._is_listed("allocators", one.allocator_id)]
            return [allocator for allocator in listed if allocator.appears_at <= horizon], horizon

    def indexed_runners(self) -> tuple[list[Runner], float]:
        """Return (the runners that the index has, the time at which they were so)."""
        with self.lock:
            found = [runner for runner in self.runners.indexed() if self._is_listed("runners", runner.runner_id)]
            return found, self.now() - self.index_lag

    def role_revision(self, role: str) -> int:
        """Return the revision of a role. Raises ApiError where there is no such role."""
        if role not in self._role_revisions:
            raise ApiError(404, "roles.not_found", f"There is no role {role}.")
        return self._role_revisions[role]

    @property
    def known_roles(self) -> list[str]:
        """The names of all roles."""
        return list(self._role_revisions)

    @property
    def joins(self) -> list[Join]:
        """The records of all attempts to join, in their order."""
        with self.lock:
            return copy.deepcopy(self._joins)

    @property
    def live_tokens(self) -> list[str]:
        """The ids of the persistent tokens that are not revoked."""
        with self.lock:
            return list(self.tokens.live)

    @property
    def secrets(self) -> list[Secret]:
        """Every secret there ever was: passwords, API keys, session tokens and enrollment tokens."""
        with self.lock:
            return [*self.accounts.secrets, *self.tokens.secrets]

    # -- hosts that join -----------------------------------------------------------------------------------------------

    def join(self, message: Mapping[str, str]) -> None:
        """Admit a new host and record the attempt. Raises Refused with the reason."""
        with self.lock:
            try:
                runner = self._admit(message)
            except Refused as refused:
                self._record_join(message, None, str(refused))
                raise
            self._record_join(message, runner, "")

    def _record_join(self, message: Mapping[str, str], runner: Runner | None, reason: str) -> None:
        self._joins.append(
            {
                "runner_id": message.get("runner_id", ""),
                "ok": runner is not None,
                "reason": reason,
                "roles": sorted(runner.chosen_roles) if runner else [],
                "wanted": wanted_roles(message),
                "zone": message.get("zone", ""),
                "time": self.now(),
            }
        )

    def _admit(self, message: Mapping[str, str]) -> Runner:
        permitted = self.tokens.admit(message.get("token", ""))
        request = parse(message)
        self._require_new(request)
        effective = tuple(role for role in request.roles if role in permitted)
        runner = Runner(
            runner_id=request.runner_id,
            host_ip=request.host_ip,
            public_hostname=request.host_ip,
            zone=request.zone,
            version=self.version,
            roles=effective + SYSTEM_ROLES,
            connected_from=self.now() + self.connect_seconds,
            pending=frozenset(request.roles) - permitted,
            blessed=frozenset(effective),
            tags=request.tags,
        )
        return self._add_member(runner, request.capacity_mb)

    def _require_new(self, request: JoinRequest) -> None:
        if request.version != self.version:
            raise Refused(f"version {request.version} differs from the platform's {self.version}")
        if request.runner_id in self.runners or request.runner_id in self.allocators:
            raise Refused(f"host still registered: {request.runner_id}")
        if any(other.host_ip == request.host_ip for other in self.runners):
            raise Refused(f"host still registered: another runner has the address {request.host_ip}")

    def leave(self, runner_id: str, host_ip: str) -> None:
        """Disconnect a host whose runner's container is gone. Raises Refused where the host has not joined."""
        self._member(runner_id, host_ip)
        self.disconnect(runner_id)

    def ping(self, runner_id: str, host_ip: str) -> None:
        """Connect a host whose runner's container is back. Raises Refused where the host has not joined."""
        with self.lock:
            runner = self._member(runner_id, host_ip)
            if runner.connected_from is None:
                self._connection(runner_id, self.now() + self.connect_seconds)

    def _member(self, runner_id: str, host_ip: str) -> Runner:
        runner = self.runners.get(runner_id)
        if runner is None or runner.host_ip != host_ip:
            raise Refused(f"not registered: {runner_id}")
        return runner

    # -- roles ---------------------------------------------------------------------------------------------------------

    def set_roles(self, runner_id: str, roles: list[str], bless: bool) -> Runner:
        """Replace a runner's roles and return the runner. Raises ApiError.

        Without `bless`, a role that the runner is not entitled to stays pending.
        """
        with self.lock:
            runner = self.runner(runner_id)
            unknown = sorted(set(roles) - set(self._role_revisions))
            if unknown:
                raise ApiError(400, "runners.runner_set_roles_failed", f"There is no role {', '.join(unknown)}.")
            if not set(SYSTEM_ROLES) <= set(roles):
                raise ApiError(
                    400, "runners.runner_set_roles_failed", f"A runner keeps its roles {', '.join(SYSTEM_ROLES)}."
                )
            chosen = [role for role in dict.fromkeys(roles) if role not in SYSTEM_ROLES]
            blessed = runner.blessed | frozenset(chosen) if bless else runner.blessed
            return self._assign(runner, chosen, blessed)

    def set_blessing(self, role: str, runner_id: str, value: bool, version: str | None) -> None:
        """Entitle a runner to a role, or withdraw that. Raises ApiError, also where `version` is outdated."""
        with self.lock:
            if version is not None and version != str(self.role_revision(role)):
                raise ApiError(409, "roles.version_conflict", "The role was changed in the meantime.")
            self.role_revision(role)
            runner = self.runner(runner_id)
            wanted = [*runner.chosen_roles, *sorted(runner.pending)]
            blessed = runner.blessed | {role} if value else runner.blessed - {role}
            self._assign(runner, wanted, frozenset(blessed))

    def _assign(self, runner: Runner, wanted: list[str], blessed: frozenset[str]) -> Runner:
        effective = tuple(role for role in wanted if role in blessed)
        self._assign_allocator(runner, "allocator" in effective)
        changed = replace(runner, roles=effective + SYSTEM_ROLES, pending=frozenset(wanted) - blessed, blessed=blessed)
        self.runners.put(runner.runner_id, changed)
        for role in set(wanted) | set(runner.roles) | set(runner.pending):
            self._role_revisions[role] += 1
        return changed

    def _assign_allocator(self, runner: Runner, assigned: bool) -> None:
        allocator = self.allocators.get(runner.runner_id)
        if not assigned and allocator is not None:
            if allocator.instances:
                raise ApiError(400, "runners.runner_set_roles_failed", "The allocator holds instances.")
            self.allocators.put(runner.runner_id, replace(allocator, connected_from=None))
        elif assigned and (allocator is None or "allocator" not in runner.roles):
            ready = self.now() + self.connect_seconds
            since = ready if runner.connected_from is not None else None
            if allocator is None:
                self._add_allocator(runner, DEFAULT_CAPACITY_MB, since, appears_at=ready)
            else:
                self.allocators.put(runner.runner_id, replace(allocator, connected_from=since))

    # -- what the API does to runners and allocators -------------------------------------------------------------------

    def delete_runner(self, runner_id: str) -> None:
        """Delete a disconnected runner. Raises ApiError.

        Unless `keep_allocators` is false, the allocator's record stays; the host cannot join again until that is
        deleted, too.
        """
        with self.lock:
            runner = self.runner(runner_id)
            if runner.connected_from is not None:
                raise ApiError(400, "runners.runner_deletion_failed", f"Runner {runner_id} is connected.")
            allocator = self.allocators.get(runner_id)
            if allocator is not None and allocator.instances:
                raise ApiError(400, "runners.runner_deletion_failed", f"Runner {runner_id} holds instances.")
            self.runners.drop(runner_id)
            if not self.keep_allocators:
                self.allocators.drop(runner_id)

    def delete_allocator(self, allocator_id: str, remove_instances: bool) -> None:
        """Delete a disconnected allocator. Raises ApiError, also for instances, unless `remove_instances` is true."""
        with self.lock:
            allocator = self.allocator(allocator_id)
            if allocator.connected_from is not None:
                raise ApiError(
                    400, "allocators.delete_connected_allocator_attempt", f"Allocator {allocator_id} is connected."
                )
            if allocator.instances and not remove_instances:
                raise ApiError(
                    400,
                    "allocators.delete_allocator_with_instances_attempt",
                    f"Allocator {allocator_id} holds instances.",
                )
            self.allocators.drop(allocator_id)

    def set_maintenance(self, allocator_id: str, value: bool, reason: str = "") -> None:
        """Start or stop an allocator's maintenance mode. Raises ApiError where there is no such allocator."""
        with self.lock:
            allocator = self.allocator(allocator_id)
            changed = replace(
                allocator, maintenance=value, maintenance_at=self.now(), maintenance_reason=reason if value else ""
            )
            self.allocators.put(allocator_id, changed)

    def set_metadata(self, allocator_id: str, items: Iterable[tuple[str, str]], version: str | None) -> Allocator:
        """Replace an allocator's metadata and return the allocator. Raises ApiError where `version` is outdated."""
        with self.lock:
            allocator = self.allocator(allocator_id)
            _require_revision(version, allocator.metadata_revision)
            changed = replace(allocator, metadata=tuple(items), metadata_revision=allocator.metadata_revision + 1)
            self.allocators.put(allocator_id, changed)
            return changed

    def set_settings(self, allocator_id: str, settings: Mapping[str, int], version: str | None) -> Allocator:
        """Replace an allocator's settings and return the allocator. Raises ApiError where `version` is outdated."""
        with self.lock:
            allocator = self.allocator(allocator_id)
            _require_revision(version, allocator.settings_revision)
            changed = replace(
                allocator, settings=tuple(settings.items()), settings_revision=allocator.settings_revision + 1
            )
            self.allocators.put(allocator_id, changed)
            return changed

    def deployment(self, deployment_id: str) -> list[Instance]:
        """Return the instances of a deployment. Raises ApiError where it has none."""
        with self.lock:
            self._settle_moves()
            found = [one for item in self.allocators for one in item.instances if one.deployment_id == deployment_id]
        if not found:
            raise ApiError(404, "deployments.deployment_not_found", f"There is no deployment {deployment_id}.")
        return found

    def move(self, allocator_id: str, request: MoveRequest) -> tuple[list[Instance], list[tuple[Instance, str]]]:
        """Begin to move instances away. Return (those that move, those that cannot and why); see moves.py."""
        with self.lock:
            self._settle_moves()
            source = self.allocators.get(allocator_id)
            if source is None:
                return [], []
            moving, failed = plan_moves(source, self.allocators, request, self.now(), self.move_seconds)
            if not request.validate_only:
                by_name = {(item.cluster_id, item.instance_name): item for item in moving}
                changed = tuple(by_name.get((item.cluster_id, item.instance_name), item) for item in source.instances)
                self.allocators.put(allocator_id, replace(source, instances=changed))
                self._moving.add(allocator_id)
            return moving, failed

    def _settle_moves(self) -> None:
        if not self._moving:
            return
        for changed in settle(self.allocators, self.now()):
            self.allocators.put(changed.allocator_id, changed)
        self._moving = {name for name in self._moving if self._has_moves(name)}

    def _has_moves(self, allocator_id: str) -> bool:
        allocator = self.allocators.get(allocator_id)
        return allocator is not None and any(item.moves_at for item in allocator.instances)


def _require_revision(asked: str | None, revision: int) -> None:
    if asked is not None and asked != str(revision):
        raise ApiError(409, "allocators.version_conflict", "The object was changed in the meantime.", code_header=False)
