# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Variables that look like the role's own and are not: a wrong zone or role would be noticed after the join only."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._install_options import INSTALL_OPTIONS
from ansible_collections.ece.platform.plugins.plugin_utils._inventory import VARIABLES
from ansible_collections.ece.platform.plugins.plugin_utils._variable_types import default_of, role_spec

PREFIX = "ece_host_"
PREPARATION = "ece_host_preparation"
OF_OTHER_ROLES = ("ece_host_removal_",)
# AWX passes the statistics of a job (set_stats) to the next job of a workflow as extra variables.
# Variables of playbook fleet_report stand beside those of the roles in one inventory.
_STATISTICS = re.compile(
    r"ece_host(_preparation|_removal)?_\d+\Z|ece_host_(preparation|removal)\Z|ece_fleet_report(_\d+|_path|_mode)?\Z"
)
# As similar as ece_user and ece_username, or rolse and roles.
SIMILAR = 0.8
# In a shorter name, one letter is too much of a difference: vip is not ip.
LETTERS_MIN = 4
# As similar as ece_hosts_zone and ece_host_zone.
SAME_BUT_FOR_A_LETTER = 0.93
# As similar as ece_host_prepare_device and ece_host_preparation_device.
SAME_BUT_FOR_A_SYLLABLE = 0.85


class OldName(NamedTuple):
    """A variable of Elastic's role, as of 2026-09."""

    ours: str
    # Whether no user would call a variable of their own so, as they may with capacity.
    is_unmistakable: bool = False


# A variable counts only where ours is not set: who has both may run both roles.
OF_ELASTIC: Mapping[str, OldName] = {
    "availability_zone": OldName("ece_host_zone"),
    "capacity": OldName("ece_host_capacity"),
    "memory": OldName("ece_host_memory_settings"),
    "device_name": OldName("ece_host_preparation_device"),
    "force_xfc": OldName("ece_host_preparation_format", True),
    "data_dir": OldName("ece_host_preparation_mount_path"),
    "docker_version": OldName("ece_host_preparation_engine_version"),
    "podman_version": OldName("ece_host_preparation_engine_version"),
    "docker_bridge_ip": OldName("ece_host_preparation_docker_settings", True),
    "docker_config": OldName("ece_host_docker_registry_username"),
    "sysctl_settings_file": OldName("ece_host_preparation_sysctls", True),
    "elastic_uid": OldName("ece_host_preparation_uid", True),
    "elastic_gid": OldName("ece_host_preparation_gid", True),
    "ece_podman_ipv6_network": OldName("ece_host_preparation_ipv6", True),
    "ece_docker_ipv6": OldName("ece_host_preparation_ipv6", True),
    "ece_docker_ipv6_cidr": OldName("ece_host_preparation_ipv6_subnet", True),
}
# So many that may be the user's own are no coincidence. availability_zone and capacity of a cloud's inventory are two.
SEVERAL = 3


def check_names(names: Iterable[str], prefix: str, known: Collection[str], owner: str) -> None:
    """Raise OptionError for a variable that begins as those of a playbook or a role do, and is none of them.

    known: their names. owner: whose they are, like playbook fleet_report.
    """
    ends = [name.removeprefix(prefix) for name in sorted(known) if name.startswith(prefix)]
    for name in sorted(names):
        end = name.removeprefix(prefix)
        # AWX passes the statistics of a job, with its id, to the next job of a workflow as extra variables.
        if name.startswith(prefix) and end not in ends and not end.isdigit():
            meant = difflib.get_close_matches(end, ends, 1)
            every = ", ".join(prefix + one for one in ends)
            hint = f"did you mean {prefix}{meant[0]}?" if meant else f"use one of {every}"
            raise OptionError(f"{name} is not a variable of {owner}; {hint}")


class VariableNames:
    """Checks the names of variables of many hosts. Each name is looked at once."""

    def __init__(self, role: str = "ece_host") -> None:
        """role: the one that runs. The join runs that of the preparation too, where ece_host_prepare is true."""
        self._warnings: list[str] = []
        self._old: dict[str, str] = {}
        self._role = role
        known, prepares = list(role_spec()), list(role_spec(PREPARATION))
        self._seen = {*known, *prepares, "ece_target", "ece_serial", *OF_ELASTIC}
        self._of_connection = [name for name in known if not name.startswith(PREFIX)]
        self._by_end = {name.removeprefix(PREFIX): name for name in known if name.startswith(PREFIX)}
        self._of_preparation = {
            name.removeprefix(f"{PREPARATION}_"): name for name in prepares if name.startswith(f"{PREPARATION}_")
        }
        self._by_argument = _by_argument()

    @property
    def warnings(self) -> list[str]:
        """What is no mistake for sure."""
        return [*self._warnings, *_old_names(self._old)]

    def check(self, names: Collection[str], *, prepares: bool = False) -> None:
        """Raise OptionError for a variable that is nearly one of the role's, and note a warning for other unknown ones.

        names: all variables of one host. prepares: whether the host is prepared.
        """
        # A host of inventory plugin ece has all of them; alone, ece_zone is a mistake.
        of_inventory = VARIABLES if all(name in names for name in VARIABLES) else ()
        for name in names:
            if name.startswith("ece_") and name not in self._seen and name not in of_inventory:
                self._seen.add(name)
                self._check(name, names)
        values = names if isinstance(names, Mapping) else dict.fromkeys(names, True)
        self._old.update(old_names(values, prepares=prepares or self._role == PREPARATION))

    def _check(self, name: str, names: Collection[str]) -> None:
        of_preparation = name.startswith(f"{PREPARATION}_")
        role = PREPARATION if of_preparation else self._role
        unknown = f"{name} is not a variable of role {role}"
        if not name.startswith(PREFIX):
            meant = self._nearly(name)
            # A variable of the user's own may well be a part of the one that it resembles.
            if meant and meant not in names:
                self._warnings.append(f"{unknown}: did you mean {meant}?")
        elif not name.startswith(OF_OTHER_ROLES) and not _STATISTICS.match(name):
            meant = self._nearest_of_preparation(name) or (None if of_preparation else self._nearest(name))
            if meant:
                raise OptionError(f"{unknown}; did you mean {meant}?")
            # Another role's variable, or what a task registered.
            self._warnings.append(f"{unknown}; `ansible-doc -t role ece.platform.{role}` lists them")

    def _nearly(self, name: str) -> str | None:
        """Return the variable that a name without the role's prefix means, or None for a variable of the user's own."""
        close = difflib.get_close_matches(name, self._of_connection, 1, SIMILAR)
        end = name.removeprefix("ece_")
        ends = {**self._by_argument, **self._by_end}
        found = difflib.get_close_matches(end, ends, 1, SIMILAR) if len(end) >= LETTERS_MIN else []
        # ece_role is similar to ece_url only because of what both begin with.
        if found and (not close or (end not in ends and _ratio(end, found[0]) > _ratio(name, close[0]))):
            close = [ends[found[0]]]
        close = close or difflib.get_close_matches(name, self._by_end.values(), 1, SAME_BUT_FOR_A_LETTER)
        return close[0] if close else self._by_end.get(end)

    def _nearest_of_preparation(self, name: str) -> str | None:
        """Return the variable of the preparation that an unknown name most likely means, or None."""
        if name.startswith(f"{PREPARATION}_"):
            return _nearest_by_end(name.removeprefix(f"{PREPARATION}_"), self._of_preparation)
        close = difflib.get_close_matches(name, self._of_preparation.values(), 1, SAME_BUT_FOR_A_SYLLABLE)
        if close and name.startswith(PREPARATION[:13]):
            return close[0]
        return self._of_preparation.get(name.removeprefix(PREFIX))

    def _nearest(self, name: str) -> str | None:
        """Return the variable of the role that an unknown name most likely means, or None."""
        end = name.removeprefix(PREFIX)
        # The address of the platform is no variable of a host.
        connection = difflib.get_close_matches(f"ece_{end}", self._of_connection, 1, SAME_BUT_FOR_A_LETTER)
        if connection:
            return connection[0]
        return _nearest_by_end(end, self._by_end)


def _nearest_by_end(end: str, by_end: Mapping[str, str]) -> str | None:
    parts = set(end.split("_"))
    # availability_zone has all of zone, and tags is a part of allocator_tags.
    close = [known for known in by_end if set(known.split("_")) <= parts or parts <= set(known.split("_"))]
    found = difflib.get_close_matches(end, close, 1, 0) or difflib.get_close_matches(end, by_end, 1)
    return by_end[found[0]] if found else None


def old_names(variables: Mapping[str, Any], *, prepares: bool) -> dict[str, str]:
    """Return the variables of Elastic's role among a host's, and ours in their place.

    A user may have a variable `memory` or `capacity` of their own, so that such a one counts only beside others.
    """
    every = {name: old for name, old in OF_ELASTIC.items() if name in variables}
    is_sure = len(every) >= SEVERAL or any(old.is_unmistakable for old in every.values())
    return {
        name: old.ours
        for name, old in (every if is_sure else {}).items()
        if (prepares or not old.ours.startswith(f"{PREPARATION}_")) and not _is_set(old.ours, variables)
    }


def _is_set(name: str, variables: Mapping[str, Any]) -> bool:
    """Return whether a variable has another value than its role gives it."""
    return variables.get(name) not in (None, "", default_of(name))


def _old_names(found: Mapping[str, str]) -> list[str]:
    if not found:
        return []
    pairs = ", ".join(f"{ours} in place of {name}" for name, ours in sorted(found.items()))
    return [f"variables of Elastic's role are set, which this collection does not read: set {pairs}, or remove them"]


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _by_argument() -> dict[str, str]:
    """Return the role's variables by the installer's names for them: availability_zone is ece_host_zone."""
    return {
        option.flag.lstrip("-").replace("-", "_"): option.variable
        for option in INSTALL_OPTIONS
        if option.flag and option.variable
    }
