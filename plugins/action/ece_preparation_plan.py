# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the variables of role ece_host_preparation, and asks the host what has to be done: one round trip."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.ece.platform.plugins.plugin_utils._action import Step, result_of_host
from ansible_collections.ece.platform.plugins.plugin_utils._hidden_text import hidden
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.ece.platform.plugins.plugin_utils._preparation_options import (
    PASSWORD,
    ROLE,
    SETTINGS,
    check_hidden_values,
    preparation_options,
    task_values,
)
from ansible_collections.ece.platform.plugins.plugin_utils._preparation_report import NOTHING_TO_DO, remaining_problems
from ansible_collections.ece.platform.plugins.plugin_utils._results import withhold
from ansible_collections.ece.platform.plugins.plugin_utils._variable_names import PREPARATION, VariableNames
from ansible_collections.ece.platform.plugins.plugin_utils._variable_types import role_spec


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {
        "systems": {"type": "dict", "required": True},
        "again": {"type": "bool", "default": False},
        "rebooted": {"type": "bool", "default": False},
        "variables": {"type": "dict"},
    }
    _requires_connection = True

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        variables = self.own_variables(task_vars)
        names = VariableNames(PREPARATION)
        names.check(variables.raw)
        self._check_hidden(task_vars)
        options = preparation_options(variables, task_vars)
        # The host has no use for the password before it is written.
        options.pop(PASSWORD, None)
        options["controller_time"] = time.time()
        options[SETTINGS] = hidden(options[SETTINGS])
        result = self._ask({"systems": arguments["systems"], "variables": options}, task_vars)
        again, rebooted = arguments["again"], arguments["rebooted"]
        problems = [] if result.get("failed") else remaining_problems(result, again, rebooted)
        if problems:
            result.update(failed=True, msg=" ".join(problems), problems=problems)
        warnings = [*(result.get("warnings") or []), *([] if again else names.warnings)]
        # The settings of Docker that the user gives may hold the password of a proxy.
        result.pop("invocation", None)
        return {**result, "options": task_values(options), "warnings": warnings, "planned_at": time.time()}

    def _check_hidden(self, task_vars: dict[str, Any]) -> None:
        if task_vars.get("__ece_host_preparation_joins"):
            return  # the plan of the join has done so, and the join sets variables of its own
        every = HostVariables(self, task_vars)
        if any(value in ("", None) for name, value in every.extra.items() if name in role_spec(ROLE)):
            hidden_values = every.of(task_vars["inventory_hostname"]).hidden
            # What the task itself sets is not the user's.
            check_hidden_values({name: value for name, value in hidden_values.items() if name not in self._task.vars})

    def _ask(self, options: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        try:
            found = self._execute_module("ece.platform.ece_preparation_plan", module_args=options, task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            found = {"changed": False, "unreachable": True, "msg": str(error)}
        result = result_of_host(found)
        # The host stays in the line, so that the report names it.
        return withhold({**result, **NOTHING_TO_DO}) if result.get("unreachable") else result
