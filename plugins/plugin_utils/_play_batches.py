# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What the plan of a batch has to know of the hosts outside it. With `serial`, each batch of a play has its own plan.

All of them are read for the first batch. Later batches read the notes of the earlier ones, so that the cost of a play
does not grow with the square of its hosts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._keep import Declared, difference_of
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    IDENTITY_VARIABLES,
    WAY_VARIABLES,
    HostIdentity,
    HostWish,
    KnownHost,
    api_state,
    distinct,
    host_identity,
    match_hosts,
)
from ansible_collections.ece.platform.plugins.module_utils._states import JOINED, MISSING_ROLES
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables, OneHost
from ansible_collections.ece.platform.plugins.plugin_utils._plan_updates import CHANGE_JOINED, declared_of
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import choice, host_wish
from ansible_collections.ece.platform.plugins.plugin_utils._run_notes import read_notes, write_notes

ASSIGN_ROLES = "ece_host_assign_roles"


class _Later(NamedTuple):
    """What the inventory wants of a host outside the batch, and whether the operator has made the choices on it."""

    wish: HostWish
    declared: Declared
    roles_unasked: bool
    changes_unasked: bool


class PlayBatches:
    """The hosts outside the batch of a plan: in the play's other batches, or in no part of the play."""

    def __init__(self, variables: HostVariables, play_id: str, task_vars: Mapping[str, Any]) -> None:
        self._variables = variables
        batch = set(task_vars["ansible_play_batch"])
        self._elsewhere = [name for name in task_vars.get("ansible_play_hosts_all", ()) if name not in batch]
        self._name = f"play-{play_id}"
        notes = (read_notes(self._name) if self._elsewhere else None) or {}
        self._identities: dict[str, HostIdentity] = notes.get("identities") or {}
        # Joined hosts that get roles without being asked for: name -> roles. None before the first batch is planned.
        self._role_changes: dict[str, list[str]] | None = notes.get("role_changes")
        # Joined hosts that are changed without being asked for: name -> what differs.
        self._updates: dict[str, list[str]] | None = notes.get("updates")
        self._read: dict[str, _Later] | None = None

    def distinct(self, wishes: Sequence[HostWish]) -> list[HostWish]:
        """Return the hosts of the batch without the addresses that may be those of any other host of the inventory.

        Raises PlatformError.
        """
        own = {wish["name"]: wish for wish in wishes}
        for name, found in self._variables.others(IDENTITY_VARIABLES, {*own, *self._identities}):
            self._identities[name] = host_identity(name, *found)
        others = [identity for name, identity in self._identities.items() if name not in own]
        self._identities.update({name: _identity(wish) for name, wish in own.items()})
        return distinct(wishes, others, self._way_of)

    def _way_of(self, name: str) -> Mapping[str, Any]:
        return self._variables.usable(name, WAY_VARIABLES)

    def role_changes(self, known: Mapping[str, KnownHost]) -> dict[str, list[str]]:
        """Return the roles that joined hosts of the play's other batches get without being asked for, by host.

        known: what the platform lists.
        """
        if self._role_changes is None:
            self._role_changes = self._later_role_changes(known)
        return self._role_changes

    def _later_role_changes(self, known: Mapping[str, KnownHost]) -> dict[str, list[str]]:
        later = {name: one for name, one in self._later().items() if one.roles_unasked}
        matches = self._matches(later, known)
        states = {name: _state(known_id, later[name].wish, known) for name, known_id in matches.items()}
        return {name: missing for name, (state, missing) in states.items() if state == MISSING_ROLES}

    def updates(self, known: Mapping[str, KnownHost]) -> dict[str, list[str]]:
        """Return what differs on joined hosts of the play's other batches that are changed without being asked for.

        known: what the platform lists.
        """
        if self._updates is None:
            self._updates = self._later_updates(known)
        return self._updates

    def _later_updates(self, known: Mapping[str, KnownHost]) -> dict[str, list[str]]:
        later = {name: one for name, one in self._later().items() if one.changes_unasked}
        updates = {}
        for name, known_id in self._matches(later, known).items():
            state, _missing = _state(known_id, later[name].wish, known)
            with contextlib.suppress(OptionError):  # the plan of its batch raises it
                if known_id is not None and state in (JOINED, MISSING_ROLES):
                    parts = list(difference_of(known[known_id], later[name].declared)["after"])
                    updates.update({name: parts} if parts else {})
        return updates

    def _matches(self, later: Mapping[str, _Later], known: Mapping[str, KnownHost]) -> dict[str, str | None]:
        wishes = [one.wish for one in later.values()]
        try:
            return match_hosts(distinct(wishes, (), self._way_of), known)
        except PlatformError:
            return {}  # the plan of their batch raises it, and counts the batches before it

    def _later(self) -> dict[str, _Later]:
        """Return what the inventory wants of the hosts elsewhere, read once."""
        if self._read is None:
            self._read = {}
            for name in self._elsewhere:
                with contextlib.suppress(OptionError):  # the plan of its batch raises it
                    seen = self._variables.of(name)
                    # A condition may rest on what tasks before the role find out, batch by batch.
                    if self._variables.runs_task(seen, if_unknown=False):
                        self._read[name] = _later(seen)
        return self._read

    def note(self, role_changes: Mapping[str, list[str]], updates: Mapping[str, list[str]]) -> None:
        """Leave what is known for the plans of later batches.

        role_changes, updates: as of role_changes() and updates(), of this batch.
        """
        if self._elsewhere:
            write_notes(
                self._name,
                {
                    "identities": self._identities,
                    "role_changes": {**(self._role_changes or {}), **role_changes},
                    "updates": {**(self._updates or {}), **updates},
                },
            )


def _later(seen: OneHost) -> _Later:
    wish = host_wish(seen)
    declared = declared_of(seen, wish["roles"])
    return _Later(wish, declared, choice(seen, ASSIGN_ROLES) is None, choice(seen, CHANGE_JOINED) is None)


def _identity(wish: HostWish) -> HostIdentity:
    return {
        "name": wish["name"],
        "runner_id": wish["runner_id"],
        "addresses": wish["addresses"],
        "variables": wish["variables"],
    }


def _state(known_id: str | None, wish: HostWish, known: Mapping[str, KnownHost]) -> tuple[str, list[str]]:
    return api_state(known[known_id] if known_id is not None else None, wish["roles"])
