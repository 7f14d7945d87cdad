# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fails on a host that has not joined, by its row in the report.

It is the last task, because Ansible drops a host that is unreachable: no later task would report it, forget its token
or count it.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._report import BAD
from ansible_collections.ece.platform.plugins.plugin_utils._results import CHECK, REPORT, RUNNER, registered, token_of


class ActionModule(Step):
    """See the documentation of the module with this name."""

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        rows = (task_vars.get(REPORT) or {}).get("hosts") or {}
        row = rows.get(task_vars["inventory_hostname"])
        if row is None:
            return {"changed": False, "failed": True, "msg": "how this host ended is not known: see the error above"}
        if row["verdict"] in BAD:
            # Ansible and AWX count a host that cannot be reached apart from one that failed.
            unreachable = any(registered(task_vars, step).get("unreachable") for step in (CHECK, RUNNER))
            return {"changed": False, "unreachable" if unreachable else "failed": True, "msg": row["note"]}
        error = token_of(task_vars).get("error")
        if error:
            return {"changed": False, "failed": True, "msg": f"{row['verdict']}, but {error}"}
        return {"changed": False, "msg": row["verdict"]}
