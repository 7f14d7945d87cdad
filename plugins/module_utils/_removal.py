# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Takes a host out of a platform: what role ece_host_removal does through the API, before and after it cleans the host.

Each step reads first, so that a run that is repeated goes on where the last one stopped. Nothing here rests on a list
alone.

The order is that of Elastic's page (deploy-manage/maintenance/ece/delete-ece-hosts.md, 2026-07): maintenance mode,
moves, roles; then the containers and the storage of the host; and when it is disconnected, allocator and runner.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.ece.platform.plugins.module_utils._allocator import (
    reason_for,
    start_maintenance,
    switch_maintenance,
)
from ansible_collections.ece.platform.plugins.module_utils._api_errors import may_pass
from ansible_collections.ece.platform.plugins.module_utils._client import EceApiError, EceAuthError, EceClient, EceError
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._records import (
    flat_allocator,
    runner_roles,
)
from ansible_collections.ece.platform.plugins.module_utils._removal_lookup import has_place
from ansible_collections.ece.platform.plugins.module_utils._removal_plan import DELETE, RemovalEntry, connected_parts
from ansible_collections.ece.platform.plugins.module_utils._runner import ensure_present, surplus_roles
from ansible_collections.ece.platform.plugins.module_utils._text import one_line
from ansible_collections.ece.platform.plugins.module_utils._vacate import vacate
from ansible_collections.ece.platform.plugins.module_utils._vacate_plan import VacateOptions

REASON = "removal of the host (ece.platform)"
MAINTENANCE_ON = "maintenance mode on"
# How often the platform is asked whether a host is gone, and the pause before each further time.
LOOKS = 5
PAUSE_SECONDS = 2.0
# While a host disconnects, progress is shown that often.
SHOW_SECONDS = 30
GO_ON = "run this again to go on from here"


class ZonePlan(NamedTuple):
    """What the plan has of a host's zone: the ids of all that it removes, and of allocators that it counts on."""

    leaving: frozenset[str]
    staying: tuple[str, ...]


class Step(NamedTuple):
    """The result of a step. did: what was done, or would be in check mode, each as a part of a sentence."""

    did: list[str]
    moved: int = 0


@contextlib.contextmanager
def _saying_what_was_done(did: Sequence[str], check_mode: bool) -> Iterator[None]:
    """Add to an error what was done before it, and that the host is changed."""
    try:
        yield
    except PlatformError as error:
        if did and not check_mode:
            error.args = (one_line(f"{error}; done before that: {', '.join(did)}"),)
            error.changed = True
        raise


def take_out_of_service(
    client: EceClient,
    entry: RemovalEntry,
    version: str,
    options: VacateOptions,
    check_mode: bool,
    tell: Callable[[str], None],
    zone: ZonePlan,
) -> Step:
    """Start maintenance mode, move the instances away, and take the roles away. Raises PlatformError.

    version: of the platform. options: of the moves; allocator_id is that of the entry. zone: that of the host.
    """
    runner_id = entry["runner_id"]
    did: list[str] = []
    moved = instances = 0
    with _saying_what_was_done(did, check_mode):
        allocator = client.allocator(runner_id)
        if allocator is not None:
            if not flat_allocator(allocator)["maintenance_mode"]:
                if not check_mode:
                    # As it is once no more instances arrive.
                    allocator = start_maintenance(client, runner_id, reason_for(version, REASON))
                    tell("maintenance mode is on")
                did.append(MAINTENANCE_ON)
            if not check_mode and not entry["allow_last"] and _is_in_use(allocator):
                _require_place(client, entry, zone, did, tell)
            instances = _instances(allocator, runner_id)
            if instances and entry["instances_mode"] != DELETE:
                moved = _move_away(client, options, check_mode, tell)
                clusters = f"{moved} cluster{'' if moved == 1 else 's'}"
                did.append(f"{clusters} moved away" if not check_mode else f"{clusters} can move away")
        taken = _take_roles(client, entry, bool(instances) and entry["instances_mode"] == DELETE, check_mode)
        if taken:
            did.append(f"roles taken away: {', '.join(taken)}")
            if not check_mode:
                tell(did[-1])
    return Step(did, moved)


def _is_in_use(allocator: Mapping[str, Any]) -> bool:
    """Return whether a zone loses something with an allocator: of one that is gone already, nothing is taken away."""
    flat = flat_allocator(allocator)
    return flat["connected"] or flat["instance_count"] > 0


def _require_place(
    client: EceClient, entry: RemovalEntry, zone: ZonePlan, did: list[str], tell: Callable[[str], None]
) -> None:
    """Raise PlatformError where no other allocator of the zone takes instances any more, with maintenance mode ended.

    The plan has seen one, but another run may remove that at the same time. Every run starts maintenance mode of its
    own allocator before it looks at the others, so that of two runs at least the later one sees the other. Where they
    begin at the same moment, each may see the other, and both stop. That is right: the zone loses nothing, and both can
    be run again. did: loses the maintenance mode that this run has started.
    """
    name = entry["zone"] or ""
    if has_place(client, name, zone.leaving, zone.staying, tell):
        return
    state = "its allocator was in maintenance mode before and stays so"
    if MAINTENANCE_ON in did:
        try:
            switch_maintenance(client, entry["runner_id"], False)
        except PlatformError as error:
            state = f"its allocator is still in maintenance mode, which did not end ({error})"
        else:
            did.remove(MAINTENANCE_ON)
            state = "maintenance mode of its allocator is off again"
    raise PlatformError(
        f"no other allocator of zone {one_line(name or 'without a name')} is connected and out of maintenance mode any "
        "more, as when another run removes hosts of that zone at the same time: nothing is moved or taken from this "
        f"host, and {state}; run this again when the other run has ended, or set ece_host_removal_allow_last: true to "
        "remove the last allocator of the zone"
    )


def _instances(allocator: Mapping[str, Any], runner_id: str) -> int:
    instances = allocator.get("instances")
    if not isinstance(instances, list):
        raise PlatformError(
            f"the platform does not say which instances allocator {runner_id} holds, so that it is not removed: {GO_ON}"
        )
    return len(instances)


def _move_away(client: EceClient, options: VacateOptions, check_mode: bool, tell: Callable[[str], None]) -> int:
    result = vacate(client, options, check_mode, tell=tell)
    if result["failed"]:
        state = (
            ""
            if check_mode
            else (
                f". The host is not removed and stays in maintenance mode: {GO_ON}, or end maintenance mode "
                "(ece_allocator with maintenance: false) to keep it"
            )
        )
        raise PlatformError(f"{result['msg']}{state}")
    return len(result["moved"])


def _take_roles(client: EceClient, entry: RemovalEntry, keeps_instances: bool, check_mode: bool) -> list[str]:
    """Take away the roles of a runner that can be, and return them.

    keeps_instances: the allocator keeps its role, because the platform refuses to take it from one that holds some.
    """
    runner = client.runner(entry["runner_id"])
    if runner is None:
        return []
    kept = [*entry["kept_roles"], *(["allocator"] if keeps_instances else [])]
    surplus = surplus_roles(runner_roles(runner), kept)
    if surplus and not check_mode:
        held = [role for role in runner_roles(runner) if role in kept]
        ensure_present(client, entry["runner_id"], held, False, exact=True)
    return surplus


def delete_host(
    client: EceClient,
    entry: RemovalEntry,
    timeout: float,
    interval: float,
    tell: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Step:
    """Wait until a host is disconnected, and delete its allocator and its runner. Raises PlatformError.

    timeout, interval: seconds. Those that are gone already are no error.
    """
    runner_id = entry["runner_id"]
    runner, allocator = _disconnected(client, entry, timeout, interval, tell, clock)
    did: list[str] = []
    with _saying_what_was_done(did, False):
        if allocator is not None:
            if entry["instances_mode"] == DELETE:
                client.delete_allocator(runner_id, remove_instances=True)
            else:
                client.delete_allocator(runner_id)
            did.append("allocator deleted")
        if runner is not None:
            if surplus_roles(runner_roles(runner), entry["kept_roles"]):
                # Of a runner that is gone, the platform may refuse that. Whether it can be deleted, the deletion shows.
                with contextlib.suppress(PlatformError):
                    ensure_present(client, runner_id, entry["kept_roles"], False, exact=True)
            client.delete_runner(runner_id)
            did.append("runner deleted")
        _require_gone(client, runner_id)
    return Step(did)


def _disconnected(
    client: EceClient,
    entry: RemovalEntry,
    timeout: float,
    interval: float,
    tell: Callable[[str], None],
    clock: Callable[[], float],
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return runner and allocator once neither is connected; None for one that does not exist."""
    runner_id = entry["runner_id"]
    began = shown = clock()
    while True:
        trouble, connected = "", []
        try:
            runner, allocator = client.runner(runner_id), client.allocator(runner_id)
        except EceAuthError:
            raise
        except EceError as error:
            # A platform that does not answer for a moment is no reason to give up what has been done.
            if isinstance(error, EceApiError) and error.status < 500 and not may_pass(error, repeatable=True):
                raise
            trouble = str(error)
        else:
            connected = connected_parts(runner, allocator)
            if not connected:
                return runner, allocator
        elapsed = clock() - began
        if elapsed >= timeout:
            raise PlatformError(_still_connected(entry, connected, trouble, timeout))
        if clock() - shown >= SHOW_SECONDS:
            shown = clock()
            tell(f"{int(elapsed)} s: waiting until the platform shows it as disconnected")
        client.sleep(max(0.0, min(interval, timeout - elapsed)))


def _still_connected(entry: RemovalEntry, connected: Sequence[str], trouble: str, timeout: float) -> str:
    runner_id = one_line(entry["runner_id"])
    if trouble:
        return f"whether {runner_id} is disconnected is not known after {timeout:g} s: {trouble}; {GO_ON}"
    remedy = (
        "look whether something on the host starts its containers again"
        if entry["clean"]
        else "stop ECE on it, or set ece_host_removal_clean_host: true"
    )
    return (
        f"the platform is still connected to the {' and the '.join(connected)} of {runner_id} after {timeout:g} s "
        f"(ece_host_removal_disconnect_timeout), and deletes nothing that is connected: {remedy}, and {GO_ON}"
    )


def _require_gone(client: EceClient, runner_id: str) -> None:
    """Raise PlatformError where the platform still has the host after a few looks."""
    there: list[str] = []
    trouble = ""
    for look in range(LOOKS):
        if look:
            client.sleep(PAUSE_SECONDS)
        try:
            parts = {"allocator": client.allocator(runner_id), "runner": client.runner(runner_id)}
        except EceAuthError:
            raise
        except EceError as error:
            trouble = str(error)
            continue
        trouble, there = "", [part for part, found in parts.items() if found is not None]
        if not there:
            return
    if trouble:
        raise PlatformError(f"whether {runner_id} is gone after its deletion is not known: {trouble}; {GO_ON}")
    raise PlatformError(f"the platform still has the {' and the '.join(there)} {runner_id} after its deletion: {GO_ON}")
