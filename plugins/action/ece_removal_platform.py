# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes a host out of service: maintenance mode, moves of its instances, roles. Shows progress while that takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._errors import HostError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._removal import ZonePlan, take_out_of_service
from ansible_collections.ece.platform.plugins.module_utils._removal_plan import removed_ids
from ansible_collections.ece.platform.plugins.module_utils._text import first_names
from ansible_collections.ece.platform.plugins.module_utils._vacate_plan import VacateOptions
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._display import show
from ansible_collections.ece.platform.plugins.plugin_utils._removal_options import RemovalOptions, removal_options
from ansible_collections.ece.platform.plugins.plugin_utils._removal_report import LOOK, NOTES, PLAN
from ansible_collections.ece.platform.plugins.plugin_utils._report import failure_reason
from ansible_collections.ece.platform.plugins.plugin_utils._results import has_failed, registered
from ansible_collections.ece.platform.plugins.plugin_utils._run_notes import read_notes


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"entry": {"type": "dict", "required": True}}

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        entry = arguments["entry"]
        failed = failed_before(task_vars.get(PLAN) or {})
        if failed and not self._task.ignore_errors:
            raise PlatformError(
                f"not begun, because the removal of {first_names(failed)} failed in an earlier batch: run this again "
                "when that is mended, or without that host"
            )
        if has_failed(registered(task_vars, LOOK)):
            raise HostError(f"nothing of it was changed: {failure_reason(registered(task_vars, LOOK))}")
        options = removal_options(self.own_variables(task_vars))
        client, warnings = self.connect(task_vars)
        plan = task_vars.get(PLAN) or {}
        version = str(plan.get("version") or "")
        done = take_out_of_service(
            client,
            entry,
            version,
            vacate_options_of(entry["runner_id"], options),
            self._task.check_mode,
            lambda line: show(f"{entry['name']}: {line}"),
            zone_plan(plan, entry),
        )
        return {
            "changed": bool(done.did),
            "msg": "; ".join(done.did) or "out of service already",
            "moved": done.moved,
            "warnings": warnings + client.warnings,
        }


def failed_before(plan: Mapping[str, Any]) -> list[str]:
    """Return the hosts of earlier batches of this plan that failed. Ansible goes on unless all of a batch have."""
    notes = (read_notes(NOTES) or {}).get("failed") or {}
    return list(notes.get(str(plan.get("made_at")), []))


def zone_plan(plan: Mapping[str, Any], entry: Mapping[str, Any]) -> ZonePlan:
    """Return what the plan has of the zone of a host."""
    zones = {zone["zone"]: zone for zone in plan.get("zones") or []}
    staying = zones.get(entry["zone"] or "", {}).get("staying") or []
    return ZonePlan(frozenset(removed_ids((plan.get("hosts") or {}).values())), tuple(staying))


def vacate_options_of(runner_id: str, options: RemovalOptions) -> VacateOptions:
    """Return the options of the moves. Maintenance mode is on by then."""
    return VacateOptions(
        allocator_id=runner_id,
        wait_timeout=options["vacate_timeout"],
        wait_interval=options["interval"],
        **options["vacate_options"],
    )
