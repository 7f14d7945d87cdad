# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts what the one token of a batch has to permit, and for how long. Mints nothing."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.module_utils import fleet
from ansible_collections.ece.platform.plugins.plugin_utils.action import START, VERDICT, ControllerAction


class ActionModule(ControllerAction):
    """See the documentation of the module with this name."""

    SPEC = {
        "hosts": {"type": "list", "elements": "str", "required": True},
        "persistent": {"type": "bool", "default": False},
        "forks": {"type": "int", "default": 5},
        "minted": {"type": "int", "default": 0},
        "max_fail_percentage": {"type": "raw"},
    }

    def act(self, arguments, task_vars):
        hosts, left, hostvars = arguments["hosts"], set(task_vars["ansible_play_batch"]), task_vars["hostvars"]
        failed = [name for name in hosts if name not in left]
        sentence = fleet.too_many_failed(len(failed), len(hosts), arguments["max_fail_percentage"])
        if sentence:
            raise fleet.FleetError(f"{sentence}: no {'further ' if arguments['minted'] else ''}installer is started")
        waiting = {name: hostvars[name][VERDICT] for name in hosts if name in left and _waits(hostvars[name], bool(arguments["minted"]))}
        roles = sorted({role for verdict in waiting.values() for role in verdict["roles"]})
        validity = None
        if waiting and not arguments["persistent"]:
            validity = fleet.token_validity(max(verdict["install_timeout"] for verdict in waiting.values()), len(waiting), arguments["forks"])
        return {
            "changed": False,
            "hosts": list(waiting),
            "roles": roles,
            "persistent": arguments["persistent"],
            "validity_seconds": validity,
            "minted": arguments["minted"] + bool(waiting),
        }


def _waits(variables, again):
    """Whether a host's installer is to be started; after a first token: whether it was late for that one."""
    return variables[VERDICT]["verdict"] in (fleet.INSTALL, fleet.REPLACE) and (not again or bool((variables.get(START) or {}).get("late")))
