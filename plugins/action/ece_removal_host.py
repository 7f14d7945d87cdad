# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes ECE's own containers and its storage from a host that is out of service: ece_removal_clean, with the role's
variables."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._removal_plan import DELETE
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step, result_of_host
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost
from ansible_collections.ece.platform.plugins.plugin_utils._removal_options import removal_options

# The allocator removes the containers of instances that have moved. The platform may say that they are gone before.
INSTANCES_LEFT = "of instances of deployments"
INSTANCES_GO_SECONDS = 60
PAUSE_SECONDS = 5
# Option of ece_removal_clean -> variable.
VARIABLES = {
    "user": "ece_host_user",
    "container_engine": "ece_host_container_engine",
    "docker_socket": "ece_host_docker_socket",
    "bin_paths": "ece_host_bin_paths",
    "storage_path": "ece_host_storage_path",
    "state_path": "ece_host_state_path",
}


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"entry": {"type": "dict", "required": True}}
    _requires_connection = True

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        options = clean_options(arguments["entry"], self.own_variables(task_vars), self._task.check_mode)
        began = time.monotonic()
        while True:
            found = self._execute_module(
                "ece.platform.ece_removal_clean", module_args=dict(options), task_vars=task_vars
            )
            if not has_instances(found) or time.monotonic() - began >= INSTANCES_GO_SECONDS:
                return result_of_host(found)
            time.sleep(PAUSE_SECONDS)


def has_instances(found: Mapping[str, Any]) -> bool:
    """Return whether the host was not cleaned because it has containers of instances."""
    problems = found.get("problems")
    if not found.get("failed") or not isinstance(problems, list):
        return False
    return any(INSTANCES_LEFT in str(problem) for problem in problems)


def clean_options(entry: Mapping[str, Any], variables: OneHost, check_mode: bool) -> dict[str, Any]:
    """Return the options of ece_removal_clean. Raises OptionError.

    In check mode, instances that move before are still there. The plan counted them before the first host left, and an
    allocator that was empty then may have got some of those that moved.
    """
    deletes = entry["instances_mode"] == DELETE
    chosen = removal_options(variables)
    given = {option: variables.get(variable) for option, variable in VARIABLES.items()}
    return {
        **{option: value for option, value in given.items() if value is not None},
        "runner_id": entry["runner_id"],
        "instances": deletes,
        "instances_move": check_mode and not deletes and "allocator" in entry["parts"],
        "bootstrap_secrets": chosen["bootstrap_secrets"],
        "leftovers": chosen["leftovers"],
    }
