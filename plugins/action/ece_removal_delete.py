# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits until the platform shows a host as disconnected, and deletes its allocator and its runner."""

from __future__ import annotations

from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._removal import GO_ON, delete_host
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._display import show
from ansible_collections.ece.platform.plugins.plugin_utils._removal_options import removal_options
from ansible_collections.ece.platform.plugins.plugin_utils._removal_report import HOST, PLATFORM
from ansible_collections.ece.platform.plugins.plugin_utils._report import failure_reason
from ansible_collections.ece.platform.plugins.plugin_utils._results import has_failed, registered


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"entry": {"type": "dict", "required": True}}

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        entry = arguments["entry"]
        # A play may ignore errors, and a host that became unreachable is still in the line.
        for step, what in ((PLATFORM, "taken out of service"), (HOST, "cleaned")):
            result = registered(task_vars, step)
            if has_failed(result):
                raise PlatformError(
                    f"it is not deleted, because it was not {what}: {failure_reason(result)}; "
                    f"the host stays in maintenance mode: {GO_ON}"
                )
        if self._task.check_mode:
            return {"changed": True, "msg": "would be deleted", "notes": []}
        options = removal_options(self.own_variables(task_vars))
        client, warnings = self.connect(task_vars)
        done = delete_host(
            client,
            entry,
            options["disconnect_timeout"],
            options["interval"],
            lambda line: show(f"{entry['name']}: {line}"),
        )
        return {
            "changed": bool(done.did),
            "msg": "; ".join(done.did) or "deleted already",
            "notes": [] if done.did else ["something else has deleted it meanwhile"],
            "warnings": warnings + client.warnings,
        }
