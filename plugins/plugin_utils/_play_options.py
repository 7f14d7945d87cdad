# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The variables of which a play has one value.

Steps that run once, for all hosts, can use one value only. Users set these variables for a group or a host, so that two
hosts of a play may have different ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._module import CONNECTION_SPEC
from ansible_collections.ece.platform.plugins.plugin_utils._batch import batch_problem, percentage_problem
from ansible_collections.ece.platform.plugins.plugin_utils._fleet_files import path_problem
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost, equal_sources
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import (
    SECONDS,
    check_seconds,
    connection_options,
    is_set,
    seconds,
)
from ansible_collections.ece.platform.plugins.plugin_utils._variable_types import role_spec

CONNECTION = tuple(f"ece_{option}" for option in CONNECTION_SPEC)
SECRET = tuple(variable for variable in CONNECTION if role_spec()[variable].get("no_log"))
# Variable -> what is wrong with a value, as the end of a sentence.
OF_BATCHES: dict[str, Callable[[Any], "str | None"]] = {
    "ece_host_batch": batch_problem,
    "ece_host_max_fail_percentage": percentage_problem,
}
# The same for where the report on the fleet is written.
FLEET_REPORT = "ece_host_fleet_report"
CHECKED = {**OF_BATCHES, FLEET_REPORT: path_problem}
INTERVAL = "ece_host_wait_interval"
PERSISTENT = "ece_host_token_persistent"
OF_PLAY = (*CONNECTION, *CHECKED, INTERVAL, PERSISTENT)


class PlayOptions:
    """Collects these variables over the hosts of a play, and refuses a second value."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._first = ""
        self._sources: dict[str, dict[str, Any]] = {}

    def add(self, variables: OneHost) -> None:
        """Add one host's values. Raises OptionError where they cannot work, or differ from another host's."""
        sources = {variable: variables.sources(variable) for variable in OF_PLAY}
        if not self._first:
            self._first, self._sources, self.values = variables.name, sources, _read(variables)
            return
        differing = [variable for variable in OF_PLAY if not equal_sources(sources[variable], self._sources[variable])]
        values = _read(variables) if differing else {}
        for variable in differing:
            if values[variable] != self.values[variable]:
                raise OptionError(self._difference(variable, values[variable], variables.name))

    def _difference(self, variable: str, value: Any, name: str) -> str:
        mine, other = self.values[variable], value
        if variable in SECRET or "@" in f"{mine}{other}":  # an address may hold a password
            what = f"{variable} of host {name} is not that of host {self._first}"
        else:
            what = f"{variable} is {_shown(mine)} for host {self._first} and {_shown(other)} for host {name}"
        return f"{what}: a play has one value for all its hosts, set it for their group, or use a play for each value"


def _shown(value: Any) -> str:
    return "not set" if value is None else repr(value)


def _read(variables: OneHost) -> dict[str, Any]:
    for variable, problem_of in CHECKED.items():
        value = variables.get(variable)
        problem = None if value is None else problem_of(value)
        if problem:
            raise OptionError(f"{variable} {problem}")
    check_seconds(INTERVAL, variables.get(INTERVAL), SECONDS[INTERVAL][0])
    connection = connection_options(variables)
    return {
        **{f"ece_{option}": value for option, value in connection.items()},
        **{variable: variables.get(variable) for variable in CHECKED},
        INTERVAL: seconds(variables, INTERVAL),
        PERSISTENT: is_set(variables, PERSISTENT),
    }
