# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""What a joined host differs in from the inventory, and the change that makes it what is declared.

The first part is pure, and works on what the platform's lists have anyway: a host that does not differ costs no
request. The change reads the host once more, alone, and decides on that: a list may lag behind.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence, TypedDict

from ansible_collections.ece.platform.plugins.module_utils import _allocator as allocators
from ansible_collections.ece.platform.plugins.module_utils import _runner as runners
from ansible_collections.ece.platform.plugins.module_utils._client import EceClient, EceError
from ansible_collections.ece.platform.plugins.module_utils._ece import ROLES
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._lookup import known_host
from ansible_collections.ece.platform.plugins.module_utils._plan import KnownHost, known_parts
from ansible_collections.ece.platform.plugins.module_utils._records import connected_of, flat_allocator, runner_roles
from ansible_collections.ece.platform.plugins.module_utils._text import first_names, one_line

# Option of ece_allocator -> variable of the role that declares it.
VARIABLES = {
    "tags": "ece_host_allocator_tags",
    "tags_exact": "ece_host_allocator_tags_exact",
    "capacity": "ece_host_capacity",
    "maintenance": "ece_host_maintenance",
}
ROLES_EXACT = "ece_host_roles_exact"
# What may differ -> the variables that declare it.
DECLARED_BY = {
    "roles": ("ece_host_roles", ROLES_EXACT),
    "tags": ("ece_host_allocator_tags", "ece_host_allocator_tags_exact"),
    "capacity": ("ece_host_capacity",),
    "maintenance": ("ece_host_maintenance",),
}


class Declared(TypedDict):
    """What the variables declare of a host beside zone and identity."""

    roles: list[str]
    roles_exact: bool
    # Options of ece_allocator (VARIABLES); those that are not declared are missing.
    allocator: dict[str, Any]


class Difference(TypedDict):
    """How a host is, and how it is to be: `roles`, `tags`, `capacity`, `maintenance`, those that differ."""

    before: dict[str, Any]
    after: dict[str, Any]


class KeepResult(TypedDict):
    """The result of keep() for one host."""

    changed: bool
    runner_id: str
    msg: str
    diff: Difference


# -- what differs ----------------------------------------------------------------------------------------------------


def difference_of(known: KnownHost, declared: Declared) -> Difference:
    """Return how a host differs from what is declared, as far as the platform is connected to what would change.

    Raises OptionError for a value that cannot work on this host. A missing role is no difference here: it is what
    _plan.api_state() finds. An allocator's options count where the host is to be an allocator.
    """
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    runner, allocator = known.get("runner") or {}, known.get("allocator") or {}
    surplus = surplus_of(known, declared)
    if surplus:
        held = runner_roles(runner)
        before["roles"], after["roles"] = held, [role for role in held if role not in surplus]
    if known_parts(known).get("allocator") and "allocator" in declared["roles"] and declared["allocator"]:
        decision = allocators.decide(allocator, wish_of(declared))
        before.update(decision["before"])
        after.update(decision["after"])
    return {"before": before, "after": after}


def wish_of(declared: Declared) -> allocators.Wish:
    """Return what is declared of an allocator, checked. Raises OptionError, which names the variable."""
    return allocators.wish_of(declared["allocator"], VARIABLES)


def surplus_of(known: KnownHost, declared: Declared) -> list[str]:
    """Return the roles that a connected host is to lose: those that it holds beyond the declared ones, if these are
    exact. The platform's own roles are none of them."""
    runner = known.get("runner") or {}
    if not declared["roles_exact"] or not connected_of(runner):
        return []
    return runners.surplus_roles(runner_roles(runner), declared["roles"])


def more_roles(known: KnownHost, declared: Declared) -> list[str]:
    """Return the roles that a host has and keeps beyond the declared ones."""
    if declared["roles_exact"]:
        return []
    return sorted(set(runner_roles(known.get("runner") or {})) & set(ROLES) - set(declared["roles"]))


def more_tags(known: KnownHost, declared: Declared) -> list[str]:
    """Return the tags that an allocator has and keeps beyond the declared ones, if there are declared ones."""
    tags = declared["allocator"].get("tags")
    if not isinstance(tags, Mapping) or not tags or declared["allocator"].get("tags_exact"):
        return []
    return sorted(set(flat_allocator(known.get("allocator") or {})["tags"]) - set(map(str, tags)))


def change_texts(difference: Difference) -> list[str]:
    """Return what changes, each as part of a sentence: tag ssd=true instead of false."""
    before, after = difference["before"], difference["after"]
    texts = _tag_texts(before.get("tags") or {}, after.get("tags") or {})
    if "capacity" in after:
        instead = f" instead of {before['capacity']} MB" if before.get("capacity") is not None else ""
        texts.append(f"capacity {after['capacity']} MB{instead}")
    if "maintenance" in after:
        texts.append(f"maintenance mode {'on' if after['maintenance'] else 'off'}")
    gone = sorted(set(before.get("roles") or ()) - set(after.get("roles") or ()))
    if gone:
        texts.append(f"without the role {', '.join(gone)}")
    return [one_line(text) for text in texts]


def _tag_texts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    texts = []
    for key in sorted({*before, *after}):
        if key not in after:
            texts.append(f"without the tag {key}")
        elif before.get(key) != after[key]:
            texts.append(f"tag {key}={after[key]}" + (f" instead of {before[key]}" if key in before else ""))
    return texts


# -- the last one ----------------------------------------------------------------------------------------------------


def require_others(client: EceClient, known: Mapping[str, KnownHost], taken: Mapping[str, Iterable[str]]) -> None:
    """Raise PlatformError where roles that a platform needs would be taken from all hosts that have them.

    known: what the platform lists. taken: the roles that each runner is to lose, by its id. Each change asks the
    platform again, but two changes at the same time would see each other's host; so all of them are counted here. One
    other host with the role has to answer for itself, because a list may show what is gone.
    """
    for role in runners.NEVER_LAST:
        losing = sorted(runner_id for runner_id, roles in taken.items() if role in roles)
        if losing and not _has_other(client, known, role, losing):
            raise PlatformError(
                f"{ROLES_EXACT} would take the role {role} from {first_names(losing)}, and no other connected host has "
                f"it: nothing was changed, because a platform cannot be without it; put {role} into ece_host_roles of "
                "one of them, or give it to another host first"
            )


def _has_other(client: EceClient, known: Mapping[str, KnownHost], role: str, losing: Sequence[str]) -> bool:
    for known_id in sorted(set(known) - set(losing)):
        runner = known[known_id].get("runner") or {}
        if connected_of(runner) and role in runner_roles(runner):
            found = client.runner(known_id) or {}
            if connected_of(found) and role in runner_roles(found):
                return True
    return False


# -- the change ------------------------------------------------------------------------------------------------------


def keep(client: EceClient, runner_id: str, declared: Declared, check_mode: bool) -> KeepResult:
    """Make a joined host what is declared, by what the platform says of this very host now, and return the change.

    Raises OptionError, and PlatformError for a host that is not connected any more or that the platform refuses to
    change.
    """
    known = known_host(client, runner_id) or KnownHost()
    if not any(known_parts(known).values()):
        raise PlatformError(
            f"{runner_id} is not connected any more, so nothing of it was changed: run this again when it is"
        )
    difference = difference_of(known, declared)
    texts, surplus = change_texts(difference), surplus_of(known, declared)
    if surplus:
        # First, because it may be refused. Also in check mode, where it only asks. The roles that the host lacks are no
        # part of it: whether it gets them is decided elsewhere.
        held = runner_roles(known.get("runner") or {})
        stays = [role for role in held if role in ROLES and role not in surplus]
        runners.ensure_present(client, runner_id, stays, check_mode, exact=True)
    if set(difference["after"]) - {"roles"} and not check_mode:
        _change_allocator(client, runner_id, declared, surplus)
    return {
        "changed": bool(texts),
        "runner_id": runner_id,
        "msg": ", ".join(texts) if texts else "it is what is declared by now",
        "diff": difference,
    }


def _change_allocator(client: EceClient, runner_id: str, declared: Declared, taken: Sequence[str]) -> None:
    try:
        allocators.ensure_present(client, runner_id, wish_of(declared), False)
    except (EceError, OptionError, PlatformError) as error:
        if not taken:
            raise
        raise PlatformError(f"{error}; before that, the role {', '.join(taken)} was taken away") from None
