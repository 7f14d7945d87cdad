# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Which joined hosts a plan changes, because tags, capacity, maintenance mode or roles are not what is declared.

Works on what the plan has read: variables of hosts, and the platform's lists. No request, and no host is contacted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ansible_collections.ece.platform.plugins.module_utils._ece import DEFAULT_ROLES
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._keep import (
    DECLARED_BY,
    ROLES_EXACT,
    VARIABLES,
    Declared,
    Difference,
    change_texts,
    difference_of,
    more_roles,
    more_tags,
)
from ansible_collections.ece.platform.plugins.module_utils._plan import KnownHost, PlanEntry
from ansible_collections.ece.platform.plugins.module_utils._states import JOINED, MISSING_ROLES, UPDATE
from ansible_collections.ece.platform.plugins.module_utils._text import first_names
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import about_host, choice

# Whether a joined host is changed; unset, up to CHANGED_MAX of a play are, where no extra variable declares it.
CHANGE_JOINED = "ece_host_change_joined"
# Joined hosts of a play that are changed without being asked for: more are a variable of a whole group or fleet.
CHANGED_MAX = 10
SPOKEN = {"tags": "tags", "capacity": "capacity", "maintenance": "maintenance mode", "roles": "roles"}


def declared_of(variables: OneHost, roles: Sequence[str]) -> Declared:
    """Return what the variables of a host declare, unchecked but for choices. Raises OptionError.

    roles: the host's ece_host_roles.
    """
    exact = choice(variables, VARIABLES["tags_exact"])
    tags = variables.get(VARIABLES["tags"], {})
    found = {
        # The role's default is no tag, which declares nothing unless the declared tags are all.
        "tags": tags if tags or exact else None,
        "tags_exact": exact or None,
        "capacity": variables.get(VARIABLES["capacity"]),
        "maintenance": choice(variables, VARIABLES["maintenance"]),
    }
    return {
        "roles": list(roles),
        "roles_exact": bool(choice(variables, ROLES_EXACT)),
        "allocator": {name: value for name, value in found.items() if value is not None},
    }


def differing(
    planned: Mapping[str, PlanEntry], known: Mapping[str, KnownHost], declared: Mapping[str, Declared]
) -> dict[str, Difference]:
    """Return how each connected host of the plan differs from what is declared, for those that do.

    Raises OptionError for a declared value that cannot work, with the host's name.
    """
    found = {}
    for name, entry in planned.items():
        if entry["state"] in (JOINED, MISSING_ROLES) and name in declared:
            with about_host(name):
                difference = difference_of(known[entry["runner_id"]], declared[name])
            if difference["after"]:
                found[name] = difference
    return found


def check_updates(
    differences: Mapping[str, Difference],
    choices: Mapping[str, "bool | None"],
    elsewhere: Mapping[str, Sequence[str]],
    is_extra: Callable[[str], bool],
) -> None:
    """Raise OptionError where more hosts would be changed than the operator may mean, and the choice has to be made.

    choices: CHANGE_JOINED of each host that differs, or None where it is not set.
    elsewhere: what differs on such hosts in the play's other batches for which it is not set.
    is_extra: returns whether a variable is an extra variable, as a survey's answer is, and so applies to every host.
    """
    unasked = {name: list(differences[name]["after"]) for name, wanted in choices.items() if wanted is None}
    unasked.update({name: list(parts) for name, parts in elsewhere.items() if name not in choices})
    parts = [part for part in SPOKEN if any(part in found for found in unasked.values())]
    extra = [variable for part in parts for variable in DECLARED_BY[part] if is_extra(variable)]
    if not unasked or not (extra or len(unasked) > CHANGED_MAX):
        return
    hosts = "1 joined host" if len(unasked) == 1 else f"{len(unasked):,} joined hosts"
    why = f"as {extra[0]} is an extra variable" if extra else f"more than {CHANGED_MAX} in one play"
    what = ", ".join(SPOKEN[part] for part in parts)
    raise OptionError(
        f"{hosts} ({first_names(list(unasked))}) would be changed ({what}), {why}: "
        f"set {CHANGE_JOINED} to true if that is meant, or to false to leave joined hosts as they are"
    )


def with_updates(
    planned: Mapping[str, PlanEntry], differences: Mapping[str, Difference], choices: Mapping[str, "bool | None"]
) -> dict[str, PlanEntry]:
    """Return the plan with the changes of joined hosts. A host whose choice is false stays as it is."""
    return {
        name: _with(entry, change_texts(differences[name]), choices.get(name)) if name in differences else entry
        for name, entry in planned.items()
    }


def _with(entry: PlanEntry, texts: list[str], wanted: bool | None) -> PlanEntry:
    if wanted is False:
        difference = f"{', '.join(texts)} is declared, and {CHANGE_JOINED} is false"
        return {**entry, "differences": [*entry["differences"], difference]}
    state = UPDATE if entry["state"] == JOINED else entry["state"]
    return {**entry, "state": state, "changes": texts}


def kept_lines(
    planned: Mapping[str, PlanEntry], known: Mapping[str, KnownHost], declared: Mapping[str, Declared]
) -> list[str]:
    """Return lines on what joined hosts have beyond their declaration, and keep.

    ece_host_roles with its default says nothing about other roles.
    """
    joined = {name: entry for name, entry in planned.items() if entry["state"] in (JOINED, MISSING_ROLES, UPDATE)}
    roles, tags = [], []
    for name, entry in joined.items():
        host, wanted = known.get(entry["runner_id"]), declared.get(name)
        if host is None or wanted is None:
            continue
        if tuple(wanted["roles"]) != DEFAULT_ROLES:
            roles += _named(name, more_roles(host, wanted))
        tags += _named(name, more_tags(host, wanted))
    lines = []
    if roles:
        lines.append(
            f"joined with more roles than ece_host_roles has, which stay: {first_names(roles)}; {ROLES_EXACT}: true "
            "takes them away"
        )
    if tags:
        lines.append(
            f"joined with more tags than {VARIABLES['tags']} has, which stay: {first_names(tags)}; "
            f"{VARIABLES['tags_exact']}: true takes them away"
        )
    return lines


def _named(name: str, more: Iterable[str]) -> list[str]:
    found = ", ".join(more)
    return [f"{name} ({found})"] if found else []
