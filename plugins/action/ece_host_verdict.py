# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks a host what it is, puts that together with what the platform says of it, and decides: one task, one round trip."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.module_utils._plan import decide
from ansible_collections.ece.platform.plugins.module_utils._states import MISSING_ROLES, REJECTED
from ansible_collections.ece.platform.plugins.plugin_utils._action import ControllerAction, passed_on


class ActionModule(ControllerAction):
    """See the documentation of the module with this name."""

    SPEC = {
        "entry": {"type": "dict", "required": True},
        "host_info": {"type": "dict", "default": {}},
        "replace_stale": {"type": "bool", "default": False},
        "connect_timeout": {"type": "float", "default": 600},
        "install_timeout": {"type": "float", "default": 1800},
    }
    _requires_connection = True

    def act(self, arguments, task_vars):
        entry = arguments["entry"]
        found = {}
        if entry["state"] != MISSING_ROLES:
            options = {**arguments["host_info"], "roles": entry["roles"], "version": entry.get("version")}
            found = self._execute_module(
                module_name="ece.platform.ece_host_info", module_args=options, task_vars=task_vars
            )
            if found.get("failed"):
                return found
        facts = found.get("facts") or {}
        known = {**facts, "problems": found.get("problems")}
        verdict, sentence = decide(
            entry, known, replace_stale=arguments["replace_stale"], connect_timeout=arguments["connect_timeout"]
        )
        return {
            **passed_on(found),
            "changed": False,
            "verdict": verdict,
            "runner_id": entry["runner_id"],
            "roles": entry["roles"],
            "missing_roles": entry["missing_roles"],
            "install_timeout": arguments["install_timeout"],
            "facts": facts,
            "msg": sentence,
            "failed": verdict in REJECTED,
            "warnings": [
                *found.get("warnings", []),
                *(f"{entry['name']}: {warning}" for warning in found.get("warnings_found") or []),
            ],
        }
