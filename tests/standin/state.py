# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The platform: version, runners, allocators, tokens, zones, users and a clock that tests may turn. Knows no HTTP.

Every public method may be called from any thread. Time is never waited for: what becomes true later carries the moment from which
it is true, so a test that turns the clock sees it at once.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tests.standin.accounts import Accounts
from tests.standin.model import ROLES, SYSTEM_ROLES, Allocator, ApiError, Instance, Refused, Runner
from tests.standin.moves import plan_moves, settle
from tests.standin.records import Records
from tests.standin.tokens import EnrollmentTokens

DEFAULT_CAPACITY_MB = 65536


class Platform:
    def __init__(
        self,
        version: str = "3.8.0",
        zones: Iterable[str] = ("ece-zone-1", "ece-zone-2", "ece-zone-3"),
        connect_seconds: float = 1.0,
        index_lag: float = 0.0,
        session_seconds: float = 3600.0,
        move_seconds: float = 0.5,
        seed: int = 0,
    ) -> None:
        self.lock = threading.RLock()
        self.version = version
        self.zones = list(zones)
        self.connect_seconds = connect_seconds
        self.index_lag = index_lag
        self.move_seconds = move_seconds
        self.clock_offset = 0.0
        self.license: dict[str, Any] | None = {"max_resource_units": 1000}
        self.tokens = EnrollmentTokens(self.now)
        self.accounts = Accounts(self.now, session_seconds)
        self.runners: Records[Runner] = Records(self.now, lambda: self.index_lag)
        self.allocators: Records[Allocator] = Records(self.now, lambda: self.index_lag)
        self.joins: list[dict[str, Any]] = []
        self.started = self.now()
        self._random = random.Random(seed)
        self._moving: set[str] = set()
        self._role_revisions = {role: 1 for role in ROLES + SYSTEM_ROLES}

    def now(self) -> float:
        return time.time() + self.clock_offset

    def advance(self, seconds: float) -> None:
        """Turns the clock on."""
        self.clock_offset += seconds

    # -- what a test does to the platform ------------------------------------------------------------------------------

    def add_runner(
        self,
        runner_id: str,
        host_ip: str | None = None,
        zone: str | None = None,
        roles: Iterable[str] = ("allocator",),
        connected: bool = True,
        version: str | None = None,
        capacity_mb: int = DEFAULT_CAPACITY_MB,
        metadata: Mapping[str, str] | None = None,
        instances: Iterable[Instance] = (),
        pending: Iterable[str] = (),
        public_hostname: str | None = None,
        since: float | None = None,
    ) -> Runner:
        """A host that is there already. since: from when it was connected, now if not given; lists show it when the index does."""
        with self.lock:
            zone = zone or self.zones[len(self.runners) % len(self.zones)]
            if zone not in self.zones:
                self.zones.append(zone)
            effective = tuple(role for role in roles if role not in SYSTEM_ROLES)
            since = (self.now() if since is None else since) if connected else None
            runner = Runner(
                runner_id=runner_id,
                host_ip=host_ip or runner_id,
                public_hostname=public_hostname or host_ip or runner_id,
                zone=zone,
                version=version or self.version,
                roles=effective + SYSTEM_ROLES,
                connected_from=since,
                pending=frozenset(pending),
                blessed=frozenset(effective),
            )
            self.runners.put(runner_id, runner)
            if "allocator" in effective:
                self._allocator_of(runner, capacity_mb, tuple((metadata or {}).items()), since, tuple(instances))
            return runner

    def populate(self, count: int, roles: Iterable[str] = ("allocator",)) -> list[Runner]:
        """Existing hosts 10.1.0.1, 10.1.0.2 ..., in the zones by turns, known to the index."""
        made = []
        with self.lock:
            for number in range(count):
                address = f"10.{1 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"
                capacity = self._random.choice((65536, 131072))
                made.append(
                    self.add_runner(
                        address, zone=self.zones[number % len(self.zones)], roles=roles, capacity_mb=capacity, since=0.0
                    )
                )
            self.runners.forget_lag()
            self.allocators.forget_lag()
        return made

    def add_instance(
        self,
        allocator_id: str,
        cluster_type: str = "elasticsearch",
        node_memory: int = 4096,
        cluster_id: str | None = None,
    ) -> Instance:
        with self.lock:
            allocator = self.allocator(allocator_id)
            instance = Instance(
                cluster_type=cluster_type,
                cluster_id=cluster_id or uuid.UUID(int=self._random.getrandbits(128)).hex,
                instance_name=f"instance-{len(allocator.instances):010d}",
                node_memory=node_memory,
                deployment_id=uuid.UUID(int=self._random.getrandbits(128)).hex,
            )
            self.allocators.put(allocator_id, replace(allocator, instances=allocator.instances + (instance,)))
            return instance

    def disconnect(self, runner_id: str) -> None:
        self._connection(runner_id, None)

    def connect(self, runner_id: str) -> None:
        self._connection(runner_id, self.now())

    def remove(self, runner_id: str) -> None:
        """Out of the platform with all that belongs to it, connected or not."""
        with self.lock:
            self.runners.drop(runner_id)
            self.allocators.drop(runner_id)

    def _connection(self, runner_id: str, since: float | None) -> None:
        with self.lock:
            runner = self.runner(runner_id)
            self.runners.put(runner_id, replace(runner, connected_from=since))
            allocator = self.allocators.get(runner_id)
            if allocator is not None and ("allocator" in runner.roles or since is None):
                self.allocators.put(runner_id, replace(allocator, connected_from=since))

    # -- looking -------------------------------------------------------------------------------------------------------

    def runner(self, runner_id: str) -> Runner:
        with self.lock:
            runner = self.runners.get(runner_id)
        if runner is None:
            raise ApiError(404, "runners.runner_not_found", f"There is no runner {runner_id}.")
        return runner

    def allocator(self, allocator_id: str) -> Allocator:
        with self.lock:
            self._settle_moves()
            allocator = self.allocators.get(allocator_id)
            if allocator is None or allocator.appears_at > self.now():
                raise ApiError(404, "allocators.allocator_not_found", f"There is no allocator {allocator_id}.")
            return allocator

    def current_allocators(self) -> list[Allocator]:
        with self.lock:
            self._settle_moves()
            return [allocator for allocator in self.allocators if allocator.appears_at <= self.now()]

    def current_runners(self) -> list[Runner]:
        with self.lock:
            return list(self.runners)

    def indexed_allocators(self) -> tuple[list[Allocator], float]:
        """What lists show, and the moment as of which they show it."""
        with self.lock:
            self._settle_moves()
            horizon = self.now() - self.index_lag
            found = self.allocators.indexed()
            return [allocator for allocator in found if allocator.appears_at <= horizon], horizon

    def indexed_runners(self) -> tuple[list[Runner], float]:
        with self.lock:
            return self.runners.indexed(), self.now() - self.index_lag

    def role_revision(self, role: str) -> int:
        if role not in self._role_revisions:
            raise ApiError(404, "roles.not_found", f"There is no role {role}.")
        return self._role_revisions[role]

    @property
    def known_roles(self) -> list[str]:
        return list(self._role_revisions)

    # -- joining -------------------------------------------------------------------------------------------------------

    def join(self, knock: Mapping[str, str]) -> None:
        """A host's runner at the door. Refused says why not; either way it is on record."""
        with self.lock:
            try:
                runner = self._admit(knock)
                reason = ""
            except Refused as refused:
                runner, reason = None, str(refused)
            self.joins.append(
                {
                    "runner_id": knock.get("runner_id", ""),
                    "ok": runner is not None,
                    "reason": reason,
                    "roles": sorted(set(runner.roles) - set(SYSTEM_ROLES)) if runner else [],
                    "wanted": [role for role in knock.get("roles", "").split(",") if role],
                    "zone": knock.get("zone", ""),
                    "time": self.now(),
                }
            )
            if reason:
                raise Refused(reason)

    def _admit(self, knock: Mapping[str, str]) -> Runner:
        permitted = self.tokens.admit(knock.get("token", ""))
        runner_id, host_ip, zone = (knock.get(name, "") for name in ("runner_id", "host_ip", "zone"))
        if not runner_id or not host_ip or not zone:
            raise Refused("runner id, host ip and zone are required")
        if knock.get("version") != self.version:
            raise Refused(f"version {knock.get('version')} differs from the platform's {self.version}")
        if runner_id in self.runners or runner_id in self.allocators:
            raise Refused(f"host still registered: {runner_id}")
        if any(other.host_ip == host_ip for other in self.runners):
            raise Refused(f"host still registered: another runner has the address {host_ip}")
        wanted = [role for role in knock.get("roles", "").split(",") if role]
        unknown = [role for role in wanted if role not in ROLES]
        if unknown:
            raise Refused("no such role: " + ",".join(unknown))
        tags = tuple(_tag(word) for word in knock.get("tags", "").split(",") if word)
        try:
            capacity = int(knock.get("capacity") or DEFAULT_CAPACITY_MB)
        except ValueError:
            raise Refused("capacity is no number") from None
        effective = tuple(role for role in wanted if role in permitted)
        runner = Runner(
            runner_id=runner_id,
            host_ip=host_ip,
            public_hostname=host_ip,
            zone=zone,
            version=self.version,
            roles=effective + SYSTEM_ROLES,
            connected_from=self.now() + self.connect_seconds,
            pending=frozenset(wanted) - permitted,
            blessed=frozenset(effective),
            tags=tags,
        )
        if zone not in self.zones:
            self.zones.append(zone)
        self.runners.put(runner_id, runner)
        if "allocator" in effective:
            # Listed at once, not connected and yet `healthy`: who counts or trusts `healthy` is wrong.
            self._allocator_of(runner, capacity, tags, runner.connected_from)
        return runner

    def leave(self, runner_id: str, host_ip: str) -> None:
        """The runner's container is gone from its host."""
        self._of_host(runner_id, host_ip)
        self.disconnect(runner_id)

    def ping(self, runner_id: str, host_ip: str) -> None:
        """The runner's container is there (again)."""
        with self.lock:
            runner = self._of_host(runner_id, host_ip)
            if runner.connected_from is None:
                self._connection(runner_id, self.now() + self.connect_seconds)

    def _of_host(self, runner_id: str, host_ip: str) -> Runner:
        runner = self.runners.get(runner_id)
        if runner is None or runner.host_ip != host_ip:
            raise Refused(f"not registered: {runner_id}")
        return runner

    def _allocator_of(
        self,
        runner: Runner,
        capacity_mb: int,
        metadata: tuple[tuple[str, str], ...],
        connected_from: float | None,
        instances: tuple[Instance, ...] = (),
        appears_at: float = 0.0,
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
                instances=instances,
                metadata=metadata,
            ),
        )

    # -- roles ---------------------------------------------------------------------------------------------------------

    def set_roles(self, runner_id: str, roles: list[str], bless: bool) -> Runner:
        """Replaces a runner's roles. Without bless a role that it is not entitled to stays pending."""
        with self.lock:
            runner = self.runner(runner_id)
            unknown = sorted(set(roles) - set(self._role_revisions))
            if unknown:
                raise ApiError(400, "runners.runner_set_roles_failed", "There is no role " + ", ".join(unknown) + ".")
            if not set(SYSTEM_ROLES) <= set(roles):
                raise ApiError(
                    400, "runners.runner_set_roles_failed", "A runner keeps its roles " + ", ".join(SYSTEM_ROLES) + "."
                )
            chosen = [role for role in dict.fromkeys(roles) if role not in SYSTEM_ROLES]
            blessed = runner.blessed | frozenset(chosen) if bless else runner.blessed
            return self._give(runner, chosen, blessed)

    def set_blessing(self, role: str, runner_id: str, value: bool, version: str | None) -> None:
        with self.lock:
            if version is not None and version != str(self.role_revision(role)):
                raise ApiError(409, "roles.version_conflict", "The role was changed in the meantime.")
            self.role_revision(role)
            runner = self.runner(runner_id)
            wanted = [name for name in runner.roles if name not in SYSTEM_ROLES] + sorted(runner.pending)
            blessed = runner.blessed | {role} if value else runner.blessed - {role}
            self._give(runner, wanted, frozenset(blessed))

    def _give(self, runner: Runner, wanted: list[str], blessed: frozenset[str]) -> Runner:
        effective = tuple(role for role in wanted if role in blessed)
        allocator = self.allocators.get(runner.runner_id)
        if "allocator" not in effective and allocator is not None:
            if allocator.instances:
                raise ApiError(400, "runners.runner_set_roles_failed", "The allocator holds instances.")
            self.allocators.put(runner.runner_id, replace(allocator, connected_from=None))
        elif "allocator" in effective and (allocator is None or "allocator" not in runner.roles):
            ready = self.now() + self.connect_seconds
            since = ready if runner.connected_from is not None else None
            if allocator is None:
                self._allocator_of(runner, DEFAULT_CAPACITY_MB, runner.tags, since, appears_at=ready)
            else:
                self.allocators.put(runner.runner_id, replace(allocator, connected_from=since))
        changed = replace(runner, roles=effective + SYSTEM_ROLES, pending=frozenset(wanted) - blessed, blessed=blessed)
        self.runners.put(runner.runner_id, changed)
        for role in set(wanted) | set(runner.roles) | set(runner.pending):
            self._role_revisions[role] += 1
        return changed

    # -- what the API does to runners and allocators -------------------------------------------------------------------

    def delete_runner(self, runner_id: str) -> None:
        """Leaves the allocator's record behind: who wants the host to come back has to delete that as well."""
        with self.lock:
            runner = self.runner(runner_id)
            if runner.connected_from is not None:
                raise ApiError(400, "runners.runner_deletion_failed", f"Runner {runner_id} is connected.")
            allocator = self.allocators.get(runner_id)
            if allocator is not None and allocator.instances:
                raise ApiError(400, "runners.runner_deletion_failed", f"Runner {runner_id} holds instances.")
            self.runners.drop(runner_id)

    def delete_allocator(self, allocator_id: str, remove_instances: bool) -> None:
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

    def set_maintenance(self, allocator_id: str, value: bool) -> None:
        with self.lock:
            allocator = self.allocator(allocator_id)
            self.allocators.put(allocator_id, replace(allocator, maintenance=value, maintenance_at=self.now()))

    def set_metadata(self, allocator_id: str, items: Iterable[tuple[str, str]], version: str | None) -> Allocator:
        with self.lock:
            allocator = self.allocator(allocator_id)
            _same_revision(version, allocator.metadata_revision)
            changed = replace(allocator, metadata=tuple(items), metadata_revision=allocator.metadata_revision + 1)
            self.allocators.put(allocator_id, changed)
            return changed

    def set_settings(self, allocator_id: str, settings: Mapping[str, int], version: str | None) -> Allocator:
        with self.lock:
            allocator = self.allocator(allocator_id)
            _same_revision(version, allocator.settings_revision)
            changed = replace(
                allocator, settings=tuple(settings.items()), settings_revision=allocator.settings_revision + 1
            )
            self.allocators.put(allocator_id, changed)
            return changed

    def move(
        self, allocator_id: str, chosen: set[str] | None, targets: set[str], validate_only: bool, force: bool
    ) -> tuple[list[Instance], list[Instance]]:
        """(instances that move, instances that have no place to go); see moves.py."""
        with self.lock:
            self._settle_moves()
            source = self.allocators.get(allocator_id)
            if source is None:
                return [], []
            moving, failed = plan_moves(
                source, list(self.allocators), self.now(), self.move_seconds, chosen, targets, force
            )
            if not validate_only:
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
        self._moving = {
            name
            for name in self._moving
            if name in self.allocators and any(item.moves_at for item in self.allocators.get(name).instances)
        }


def _same_revision(asked: str | None, revision: int) -> None:
    if asked is not None and asked != str(revision):
        raise ApiError(409, "allocators.version_conflict", "The object was changed in the meantime.", code_header=False)


def _tag(word: str) -> tuple[str, str]:
    key, colon, value = word.partition(":")
    if not key or not colon or not value:
        raise Refused(f"{word} is no tag of the form key:value")
    return key, value
