# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Begins a batch: says which hosts are in it, as long as none of them has failed, and stops where the one before had too many failures."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.module_utils.fleet import FleetError
from ansible_collections.ece.platform.plugins.plugin_utils.action import REPORT, ControllerAction


class ActionModule(ControllerAction):
    """See the documentation of the module with this name."""

    SPEC = {"plan": {"type": "dict", "required": True}}

    def act(self, arguments, task_vars):
        plan = arguments["plan"]
        hosts = [name for name in task_vars["ansible_play_batch"] if name in plan["hosts"]]
        # Batches come in the order of the play's hosts, and a host that could not be reached has no report.
        for name in reversed(task_vars["ansible_play_hosts_all"][: task_vars["ansible_play_hosts_all"].index(hosts[0])]):
            report = task_vars["hostvars"][name].get(REPORT) or {}
            if report.get("plan_made_at") == plan["made_at"]:
                if report["too_many_failed"]:
                    raise FleetError(f"{report['too_many_failed']}: no further host is joined")
                break
        return {"changed": False, "hosts": hosts}
