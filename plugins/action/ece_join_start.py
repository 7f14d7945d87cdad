# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts the installer on a host: one round trip, which takes the script and the token along."""

from __future__ import annotations

from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._plan import PlanEntry
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step, result_of_host
from ansible_collections.ece.platform.plugins.plugin_utils._files import find_file
from ansible_collections.ece.platform.plugins.plugin_utils._hidden_text import HiddenText
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import facts_of
from ansible_collections.ece.platform.plugins.plugin_utils._results import (
    CHECK,
    RUNNER,
    has_failed,
    registered,
    token_of,
    token_refusal,
    withhold,
)
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import install_options


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"entry": {"type": "dict", "required": True}}
    _requires_connection = True

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        if has_failed(registered(task_vars, RUNNER)):
            return {"changed": False, "skipped": True, "skip_reason": "its runner was not changed"}
        token = token_of(task_vars)
        refusal = token_refusal(token)
        if token.get("ends_play"):
            return withhold({"changed": False, "failed": True, "msg": refusal})
        if refusal:
            raise PlatformError(refusal)
        if self._task.check_mode and registered(task_vars, CHECK).get("unprepared"):
            # What the installation would check is not there yet.
            return {"changed": True, "msg": "would start the installer, once the host is prepared"}
        variables = self.own_variables(task_vars)
        entry: PlanEntry = arguments["entry"]
        facts = facts_of(task_vars[CHECK])
        engine = facts.get("engine") or {}
        options = {
            "container_engine": engine.get("name"),
            # The script's own way to find it fails on hosts with more than one address or default route.
            "host_ip": facts.get("host_ip"),
            **install_options(variables),
            "coordinator_host": entry["coordinator"],
            "roles": entry["roles"],
            "version": entry["version"],
            "runner_id": entry["runner_id"],
            "token": None if token["token"] is None else HiddenText(token["token"]),
            # Kept in the host's record, so that a later run can revoke the token if this one cannot.
            "token_id": token.get("token_id"),
            "wait": False,
        }
        source = variables.get("ece_host_installer_src")
        if source:
            with open(find_file(self, source, task_vars), encoding="utf-8", newline="") as file:
                options["installer_content"] = file.read()
        options = {name: value for name, value in options.items() if value is not None}
        found = self._execute_module("ece.platform.ece_install", module_args=options, task_vars=task_vars)
        return result_of_host(found)
