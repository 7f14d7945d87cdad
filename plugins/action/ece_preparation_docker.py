# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Merges Docker's settings: reads those of the user itself, which may hold a password, or be text."""

from __future__ import annotations

from typing import Any

from ansible.utils.vars import merge_hash

from ansible_collections.ece.platform.plugins.module_utils._preparation_docker import FILE
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step, result_of_host
from ansible_collections.ece.platform.plugins.plugin_utils._hidden_text import hidden
from ansible_collections.ece.platform.plugins.plugin_utils._preparation_options import SETTINGS, preparation_options


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"path": {"type": "path", "default": FILE}, "settings": {"type": "dict", "required": True}}
    _requires_connection = True

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        of_the_user = preparation_options(self.own_variables(task_vars), task_vars)[SETTINGS]
        # One that is null stays, as it removes what the file has.
        settings = hidden(merge_hash(arguments["settings"], of_the_user, recursive=True))
        found = self._execute_module(
            "ece.platform.ece_preparation_docker",
            module_args={"path": arguments["path"], "settings": settings},
            task_vars=task_vars,
        )
        result = result_of_host(found)
        result.pop("invocation", None)
        return result
