# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the login at the registry: reads user name and password itself, because callbacks may print arguments."""

from __future__ import annotations

from typing import Any

from ansible_collections.ece.platform.plugins.plugin_utils._action import Step, result_of_host
from ansible_collections.ece.platform.plugins.plugin_utils._hidden_text import HiddenText
from ansible_collections.ece.platform.plugins.plugin_utils._preparation_options import PASSWORD, preparation_options


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {
        "user": {"type": "str", "required": True},
        "docker_registry": {"type": "str"},
        "docker_registry_username": {"type": "str"},
        "docker_registry_password": {"type": "str", "no_log": True},
    }
    _requires_connection = True

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        options = preparation_options(self.own_variables(task_vars), task_vars)
        given = {
            "user": arguments["user"],
            "docker_registry": options.get("ece_host_docker_registry"),
            "docker_registry_username": options.get("ece_host_docker_registry_username"),
            "docker_registry_password": HiddenText(options[PASSWORD]) if PASSWORD in options else None,
        }
        given = {name: value for name, value in given.items() if value is not None}
        found = self._execute_module("ece.platform.ece_preparation_login", module_args=given, task_vars=task_vars)
        return result_of_host(found)
