# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes a joined host, which lacks a role or is not as declared, or deletes a stale runner, through the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._keep import keep
from ansible_collections.ece.platform.plugins.module_utils._plan import PlanEntry
from ansible_collections.ece.platform.plugins.module_utils._runner import ensure_absent, ensure_present
from ansible_collections.ece.platform.plugins.module_utils._states import REPLACE, UPDATE
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step, result_of_host
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import facts_of
from ansible_collections.ece.platform.plugins.plugin_utils._plan_updates import declared_of
from ansible_collections.ece.platform.plugins.plugin_utils._results import CHECK, token_of, token_refusal, withhold
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import host_info_options_of


class ActionModule(Step):
    """See the documentation of the module with this name."""

    _requires_connection = True

    SPEC = {"entry": {"type": "dict", "required": True}}

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        entry: PlanEntry = arguments["entry"]
        verdict = task_vars[CHECK]["verdict"]
        replaces = verdict == REPLACE
        token = token_of(task_vars)
        refusal = token_refusal(token)
        if token.get("ends_play"):
            return withhold({"changed": False, "failed": True, "msg": refusal})
        if replaces and refusal:
            # A stale runner is deleted only where the host can join again; the start of its installer fails next.
            return {"changed": False, "skipped": True, "skip_reason": refusal}
        if replaces and not self._task.check_mode:
            found = self._ask_host(entry, task_vars)
            if found.get("failed") or found.get("unreachable"):
                return found
        client, warnings = self.connect(task_vars)
        result: dict[str, Any] = {"changed": False}
        if replaces:
            result = {**ensure_absent(client, entry["runner_id"], self._task.check_mode)}
        elif verdict != UPDATE:
            result = {**ensure_present(client, entry["runner_id"], entry["roles"], self._task.check_mode)}
        if not replaces and entry["changes"]:
            declared = declared_of(self.own_variables(task_vars), entry["roles"])
            kept = keep(client, entry["runner_id"], declared, self._task.check_mode)
            result = _both(result, kept)
        return {**result, "warnings": warnings + client.warnings}

    def _ask_host(self, entry: PlanEntry, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Ask the host again, because another run may have begun to join it since it was checked.

        The platform calls such a host disconnected until its installer has ended.
        """
        options = host_info_options_of(entry, self.own_variables(task_vars))
        found = result_of_host(
            self._execute_module("ece.platform.ece_host_info", module_args=options, task_vars=task_vars)
        )
        facts = facts_of(found)
        if facts.get("installer_running") or facts.get("ece_containers"):
            raise PlatformError(
                f"{entry['runner_id']} is not deleted, because ECE is being installed on the host since it was "
                "checked; run this again"
            )
        return found


def _both(assigned: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of a host that got missing roles, if it did, and was then made what is declared."""
    first, second = assigned.get("diff") or {}, kept["diff"]
    # What the second change says of the roles is what they are in the end.
    diff = {
        "before": {**second["before"], **first.get("before", {})},
        "after": {**first.get("after", {}), **second["after"]},
    }
    return {**assigned, **kept, "changed": assigned["changed"] or kept["changed"], "diff": diff}
