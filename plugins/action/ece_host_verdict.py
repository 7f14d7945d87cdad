# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts together what the platform and the host say of one host, and decides."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.module_utils import fleet
from ansible_collections.ece.platform.plugins.plugin_utils.action import ControllerAction


class ActionModule(ControllerAction):
    """See the documentation of the module with this name."""

    SPEC = {
        "entry": {"type": "dict", "required": True},
        "check": {"type": "dict", "default": {}},
        "replace_stale": {"type": "bool", "default": False},
        "install_timeout": {"type": "float", "default": 1800},
        "connect_timeout": {"type": "float", "default": 600},
        "batch": {"type": "int", "default": 1},
        "forks": {"type": "int", "default": 5},
    }

    def act(self, arguments, task_vars):
        check = arguments["check"]
        facts = {**(check.get("facts") or {}), "problems": check.get("problems")}
        verdict, sentence = fleet.judge(arguments["entry"], facts, replace_stale=arguments["replace_stale"], connect_timeout=arguments["connect_timeout"])
        return {
            "changed": False,
            "verdict": verdict,
            "roles": arguments["entry"]["roles"],
            "token_validity": fleet.token_validity(arguments["install_timeout"], arguments["batch"], arguments["forks"]),
            "msg": sentence,
            "failed": verdict in fleet.FAILING,
            "warnings": [f"{arguments['entry']['name']}: {warning}" for warning in check.get("warnings_found") or []],
        }
