# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts what the one token of a batch has to permit, and for how long. Mints nothing."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.module_utils._enrollment import token_validity
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._states import INSTALL, REPLACE
from ansible_collections.ece.platform.plugins.plugin_utils._action import START, VERDICT, ControllerAction
from ansible_collections.ece.platform.plugins.plugin_utils._batch import too_many_failed


class ActionModule(ControllerAction):
    """See the documentation of the module with this name."""

    SPEC = {
        "hosts": {"type": "list", "elements": "str", "required": True},
        "plan": {"type": "dict", "required": True},
        "persistent": {"type": "bool", "default": False},
        "forks": {"type": "int", "default": 5},
        "before": {"type": "dict", "default": {}},
        "late": {"type": "bool", "default": False},
        "only": {"type": "list", "elements": "str"},
    }

    def act(self, arguments, task_vars):
        hosts, left, hostvars = arguments["hosts"], set(task_vars["ansible_play_batch"]), task_vars["hostvars"]
        before = arguments["before"]
        minted = before.get("minted", 0)
        failed = [name for name in hosts if name not in left]
        sentence = too_many_failed(len(failed), len(hosts), arguments["plan"]["max_fail_percentage"])
        # Where some of a batch are installed anew, the others have joined: none of them is to fail with this task.
        if sentence and not minted and arguments["only"] is None:
            raise PlatformError(f"{sentence}: no installer is started")
        # Installers that run already have to be waited for, so later only those that do not are given up, by their own start.
        stopped = f"{sentence}: no further installer is started" if sentence else None
        candidates = left.intersection(hosts if arguments["only"] is None else arguments["only"])
        waiting = {
            name: hostvars[name][VERDICT]
            for name in hosts
            if name in candidates and _waits(hostvars[name], arguments["late"])
        }
        asked = {} if stopped else waiting
        validity = None
        if asked and not arguments["persistent"]:
            validity = token_validity(
                max(verdict["install_timeout"] for verdict in asked.values()), len(asked), arguments["forks"]
            )
        return {
            "changed": False,
            "hosts": list(asked),
            "roles": sorted({role for verdict in asked.values() for role in verdict["roles"]})
            or before.get("roles", []),
            "persistent": arguments["persistent"],
            "validity_seconds": validity or before.get("validity_seconds"),
            "minted": minted + bool(asked),
            "anew": arguments["only"] is not None,
            "stopped": stopped,
            # Where a whole token's time was not enough for a single start, another one would not do better.
            "at_any_age": arguments["late"] and set(waiting) == set(before["hosts"]),
        }


def _waits(variables, late):
    """Whether a host's installer is to be started; late: and was not, because the token before was too old."""
    return variables[VERDICT]["verdict"] in (INSTALL, REPLACE) and (
        not late or bool((variables.get(START) or {}).get("late"))
    )
