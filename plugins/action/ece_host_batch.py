# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Begins a batch: says which hosts are in it, as long as none of them has failed, and stops where the one before had too many failures."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.plugin_utils._action import REPORT, ControllerAction


class ActionModule(ControllerAction):
    """See the documentation of the module with this name."""

    SPEC = {"plan": {"type": "dict", "required": True}}

    def act(self, arguments, task_vars):
        plan, hostvars = arguments["plan"], task_vars["hostvars"]
        hosts = [name for name in task_vars["ansible_play_batch"] if name in plan["hosts"]]
        if plan["max_fail_percentage"] is not None:
            reports = (
                hostvars[name].get(REPORT) or {} for name in task_vars["ansible_play_hosts_all"] if name not in hosts
            )
            sentence = next(
                (
                    report["too_many_failed"]
                    for report in reports
                    if report.get("play") == self.play and report["too_many_failed"]
                ),
                None,
            )
            if sentence:
                raise PlatformError(f"{sentence}: no further host is joined")
        return {"changed": False, "hosts": hosts}
