# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the variables of role ece_host_removal, and asks the host who it is: one round trip. It never fails a host.

What it finds is a part of the plan for all hosts, so that nothing is changed on any host if one cannot be removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.ece.platform.plugins.module_utils._module import EXPECTED_ERRORS
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step, pass_on, result_of_host
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import facts_of
from ansible_collections.ece.platform.plugins.plugin_utils._removal_options import host_info_options, removal_options
from ansible_collections.ece.platform.plugins.plugin_utils._report import failure_reason, unreachable_reason

# What the plan reads of a host's facts. The others are about an installation.
KEPT = (
    *("addresses", "runner_ids", "containers", "containers_known", "ece_containers", "installer_running", "engine"),
    *("hostname", "python"),
)


class ActionModule(Step):
    """See the documentation of the module with this name."""

    _requires_connection = True

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"changed": False, **self._check(task_vars)}
        except EXPECTED_ERRORS as error:
            return {"changed": False, "problem": str(error)}

    def _check(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        variables = self.own_variables(task_vars)
        options = removal_options(variables)
        result: dict[str, Any] = {"options": options, "facts": None, "error": "", "problem": ""}
        try:
            found = self._ask(host_info_options(variables), task_vars)
        except AnsibleConnectionFailure as error:
            return {**result, "error": unreachable_reason(str(error))}
        except AnsibleError as error:
            return {**result, "problem": failure_reason({"msg": str(error)})}
        if found.get("unreachable"):
            return {**result, "error": unreachable_reason(str(found.get("msg")))}
        if found.get("failed"):
            return {**result, **pass_on(found), "problem": failure_reason(found)}
        facts: Mapping[str, Any] = facts_of(found)
        return {**result, **pass_on(found), "facts": {key: facts[key] for key in KEPT if key in facts}}

    def _ask(self, options: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        found = self._execute_module("ece.platform.ece_host_info", module_args=dict(options), task_vars=task_vars)
        return result_of_host(found)
