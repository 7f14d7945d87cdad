# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans a join for all hosts of a play, with a few requests and before any host is contacted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.ece.platform.plugins.module_utils._enrollment import hosts_per_token
from ansible_collections.ece.platform.plugins.module_utils._lookup import plan_platform
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    IDENTITY_VARIABLES,
    WAY_VARIABLES,
    Plan,
    PlanEntry,
    count_warnings,
    difference_warnings,
    distinct,
    entry_line,
    host_identity,
    plan_line,
)
from ansible_collections.ece.platform.plugins.module_utils._records import platform_totals
from ansible_collections.ece.platform.plugins.module_utils._states import JOINED, MISSING_ROLES
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._batch import batch_sizes
from ansible_collections.ece.platform.plugins.plugin_utils._display import show
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.ece.platform.plugins.plugin_utils._installer_sources import InstallerSources
from ansible_collections.ece.platform.plugins.plugin_utils._report import ansible_stats
from ansible_collections.ece.platform.plugins.plugin_utils._results import PLAN
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import (
    HostCheck,
    PlayOptions,
    host_wish,
    is_set,
)

LINES_MAX = 20


class ActionModule(Step):
    """See the documentation of the module with this name."""

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        client, warnings = self.connect(task_vars)
        variables = HostVariables(self, task_vars)
        # In the inventory's order, which is the order of batches. One host's variables are in memory at a time.
        wishes = [host_wish(name, variables.of(name)) for name in task_vars["ansible_play_batch"]]

        others = (host_identity(name, seen) for name, seen in variables.others(IDENTITY_VARIABLES))
        wishes = distinct(wishes, others, lambda name: variables.usable(name, WAY_VARIABLES))

        platform = client.platform()
        planned, known = plan_platform(client, platform, wishes)
        warnings += [*count_warnings(known, platform_totals(platform)), *difference_warnings(planned)]

        entries = {name: entry for name, entry in planned.items() if entry["state"] != JOINED}
        check, play = HostCheck(platform["version"], urlsplit(client.url).hostname or ""), PlayOptions()
        sources = InstallerSources(lambda path: self._find_needle("files", path))
        unchecked = set()
        for name, entry in entries.items():
            seen = variables.of(name)
            entries[name] = check.complete(entry, seen)
            warning = sources.check(entry, seen)
            if warning and entry["state"] != MISSING_ROLES:
                unchecked.add(warning)
            play.add(name, seen)

        line = plan_line(planned, platform["version"], client.url)
        _show(line, entries)
        persistent = is_set(self.own_variables(task_vars), "ece_host_token_persistent")
        limit = None if persistent else hosts_per_token(task_vars["ansible_forks"])
        plan: Plan = {
            "made_at": time.time(),
            "version": platform["version"],
            "url": client.url,
            "totals": platform_totals(platform),
            "joined": len(planned) - len(entries),
            "hosts": entries,
            "batch": batch_sizes(play.values["ece_host_batch"], len(entries), limit),
            "max_fail_percentage": play.values["ece_host_max_fail_percentage"],
        }
        # No report follows, unless another plan of this run had hosts.
        nothing_to_do = (
            {} if entries or PLAN in task_vars else {"ansible_stats": ansible_stats({}, {}, plan["joined"], task_vars)}
        )
        return {
            "changed": False,
            "msg": line,
            **plan,
            **nothing_to_do,
            "warnings": warnings + client.warnings + sorted(unchecked),
        }


def _show(line: str, entries: Mapping[str, PlanEntry]) -> None:
    show(line)
    for _name, entry in sorted(entries.items())[:LINES_MAX]:
        show(entry_line(entry))
    if len(entries) > LINES_MAX:
        show(f"... and {len(entries) - LINES_MAX:,} more; the report names them all")
