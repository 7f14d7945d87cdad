# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Variables that look like the role's own and are not: a wrong zone or role would be noticed after the join only."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._install_options import INSTALL_OPTIONS
from ansible_collections.ece.platform.plugins.plugin_utils._variable_types import role_spec

PREFIX = "ece_host_"
OF_OTHER_ROLES = ("ece_host_preparation_", "ece_host_removal_")
# AWX passes the statistics of a job (set_stats) to the next job of a workflow as extra variables.
_STATISTICS = re.compile(r"ece_host_\d+\Z")
# As similar as ece_user and ece_username, or rolse and roles.
SIMILAR = 0.8
# In a shorter name, one letter is too much of a difference: vip is not ip.
LETTERS_MIN = 4
# As similar as ece_hosts_zone and ece_host_zone.
SAME_BUT_FOR_A_LETTER = 0.93


class VariableNames:
    """Checks the names of variables of many hosts. Each name is looked at once."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        known = list(role_spec())
        self._seen = {*known, "ece_target"}
        self._of_connection = [name for name in known if not name.startswith(PREFIX)]
        self._by_end = {name.removeprefix(PREFIX): name for name in known if name.startswith(PREFIX)}
        self._by_argument = _by_argument()

    def check(self, names: Collection[str]) -> None:
        """Raise OptionError for a variable that is nearly one of the role's, and note a warning for other unknown ones.

        names: all variables of one host.
        """
        for name in names:
            if name.startswith("ece_") and name not in self._seen:
                self._seen.add(name)
                self._check(name, names)

    def _check(self, name: str, names: Collection[str]) -> None:
        unknown = f"{name} is not a variable of role ece_host"
        if not name.startswith(PREFIX):
            meant = self._nearly(name)
            # A variable of the user's own may well be a part of the one that it resembles.
            if meant and meant not in names:
                self.warnings.append(f"{unknown}: did you mean {meant}?")
        elif not name.startswith(OF_OTHER_ROLES) and not _STATISTICS.match(name):
            meant = self._nearest(name)
            if meant:
                raise OptionError(f"{unknown}; did you mean {meant}?")
            # Another role's variable, or what a task registered.
            self.warnings.append(f"{unknown}; `ansible-doc -t role ece.platform.ece_host` lists them")

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

    def _nearest(self, name: str) -> str | None:
        """Return the variable of the role that an unknown name most likely means, or None."""
        end = name.removeprefix(PREFIX)
        # The address of the platform is no variable of a host.
        connection = difflib.get_close_matches(f"ece_{end}", self._of_connection, 1, SAME_BUT_FOR_A_LETTER)
        if connection:
            return connection[0]
        parts = set(end.split("_"))
        # availability_zone has all of zone, and tags is a part of allocator_tags.
        close = [known for known in self._by_end if set(known.split("_")) <= parts or parts <= set(known.split("_"))]
        found = difflib.get_close_matches(end, close, 1, 0) or difflib.get_close_matches(end, self._by_end, 1)
        return self._by_end[found[0]] if found else None


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _by_argument() -> dict[str, str]:
    """Return the role's variables by the installer's names for them: availability_zone is ece_host_zone."""
    return {
        option.flag.lstrip("-").replace("-", "_"): option.variable
        for option in INSTALL_OPTIONS
        if option.flag and option.variable
    }
