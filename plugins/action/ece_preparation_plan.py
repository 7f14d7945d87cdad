# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the variables of role ece_host_preparation, and asks the host what has to be done: one round trip."""

from __future__ import annotations

from typing import Any

from ansible_collections.ece.platform.plugins.plugin_utils._action import Step, result_of_host
from ansible_collections.ece.platform.plugins.plugin_utils._preparation_options import preparation_options


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"systems": {"type": "dict", "required": True}, "variables": {"type": "dict"}}
    _requires_connection = True

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        variables = preparation_options(self.own_variables(task_vars))
        # The host has no use for the password before it is written.
        variables.pop("ece_host_docker_registry_password", None)
        options = {"systems": arguments["systems"], "variables": variables}
        return result_of_host(
            self._execute_module("ece.platform.ece_preparation_plan", module_args=options, task_vars=task_vars)
        )
