# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans a join for all hosts of a play, with a few requests and before any host is contacted."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._enrollment import hosts_per_token
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._host_network import DIRECTORS_MAX
from ansible_collections.ece.platform.plugins.module_utils._keep import Declared, require_others
from ansible_collections.ece.platform.plugins.module_utils._lookup import plan_platform
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    IDENTITY_VARIABLES,
    HostWish,
    KnownHost,
    Plan,
    PlanEntry,
    count_warnings,
    difference_warnings,
    entry_line,
    ids_by_address,
    plan_line,
)
from ansible_collections.ece.platform.plugins.module_utils._records import platform_totals
from ansible_collections.ece.platform.plugins.module_utils._states import JOINED, MISSING_ROLES, UPDATE
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._batch import batch_sizes
from ansible_collections.ece.platform.plugins.plugin_utils._display import show
from ansible_collections.ece.platform.plugins.plugin_utils._files import find_file
from ansible_collections.ece.platform.plugins.plugin_utils._fleet_join import publish_joined
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.ece.platform.plugins.plugin_utils._installer_sources import InstallerSources
from ansible_collections.ece.platform.plugins.plugin_utils._plan_checks import (
    check_role_changes,
    default_zone_line,
    director_addresses,
    new_zone_warnings,
    one_zone_warnings,
    platform_zones,
)
from ansible_collections.ece.platform.plugins.plugin_utils._plan_updates import (
    CHANGE_JOINED,
    check_updates,
    declared_of,
    differing,
    kept_lines,
    with_updates,
)
from ansible_collections.ece.platform.plugins.plugin_utils._play_batches import ASSIGN_ROLES, PlayBatches
from ansible_collections.ece.platform.plugins.plugin_utils._play_options import (
    FLEET_REPORT,
    INTERVAL,
    PERSISTENT,
    PlayOptions,
)
from ansible_collections.ece.platform.plugins.plugin_utils._report import (
    ansible_stats,
    not_begun_line,
    sums_line,
    sums_of,
)
from ansible_collections.ece.platform.plugins.plugin_utils._results import hosts_after
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import (
    HostCheck,
    about_host,
    check_hidden,
    choice,
    host_wish,
)
from ansible_collections.ece.platform.plugins.plugin_utils._run_notes import runner_notes, write_notes
from ansible_collections.ece.platform.plugins.plugin_utils._run_sums import note_joined, note_verdicts
from ansible_collections.ece.platform.plugins.plugin_utils._variable_names import VariableNames

# With these, a task with run_once runs once for all hosts of a batch. Those of Mitogen replace parts of Ansible that
# the steps build on.
STRATEGIES = ("linear", "debug")
LINES_MAX = 20


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"target": {"type": "raw"}}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        # All hosts of the batch fail then, which ends a play. No report follows.
        if result.get("failed") and not self._task._parent._play.ignore_errors:
            for line in filter(None, [not_begun_line(hosts_after(task_vars or {}))]):
                show(line)
        return result

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        check_strategy(self._task._parent._play.strategy)
        check_target(arguments["target"], self._task._parent._play.hosts)
        variables = HostVariables(self, task_vars)
        # In the inventory's order, which is the order of batches.
        wishes, declared, play, warnings = _read_hosts(variables, task_vars["ansible_play_batch"])

        batches = PlayBatches(variables, self.play_id, task_vars)
        wishes = batches.distinct(wishes)

        client, more_warnings = self.connect(task_vars)
        platform = client.platform()
        planned, known = plan_platform(client, platform, wishes)
        planned, assigned = _check_role_changes(planned, known, variables, batches)
        planned, changed = _check_updates(planned, known, declared, client, variables, batches)
        batches.note(assigned, changed)
        warnings += more_warnings + [*count_warnings(known, platform_totals(platform)), *difference_warnings(planned)]

        entries, unchecked = self._check_hosts(planned, variables, client, platform["version"], task_vars)
        directors = director_addresses(known)[:DIRECTORS_MAX]
        entries = {name: {**entry, "directors": directors} for name, entry in entries.items()}
        line, zones = plan_line(planned, platform["version"], client.url), platform_zones(platform, known)
        _show(line, entries, default_zone_line(entries.values(), zones), *kept_lines(planned, known, declared))
        made_at = time.time()
        if entries:
            write_notes(runner_notes(made_at), ids_by_address(known))
        limit = None if play[PERSISTENT] else hosts_per_token(task_vars["ansible_forks"])
        plan: Plan = {
            "made_at": made_at,
            "version": platform["version"],
            "url": client.url,
            "totals": platform_totals(platform),
            "joined": len(planned) - len(entries),
            "hosts": entries,
            "batch": batch_sizes(play["ece_host_batch"], len(entries), limit),
            "max_fail_percentage": play["ece_host_max_fail_percentage"],
            "token_persistent": play[PERSISTENT],
            "wait_interval": play[INTERVAL],
            "fleet_report": play[FLEET_REPORT],
        }
        if variables.sets("ece_host_zone"):
            own_zone = functools.partial(variables.outranked, variable="ece_host_zone")
            warnings += one_zone_warnings(entries.values(), zones, own_zone)
        warnings += [*new_zone_warnings(entries.values(), zones), *client.warnings, *unchecked]
        result: dict[str, Any] = {"changed": False, "msg": line, **plan, "warnings": warnings}
        note_joined(set(planned) - set(entries))
        if not entries:  # no report follows
            sums = sums_of({}, *note_verdicts({}, plan["joined"]))
            show(sums_line(sums), indent="")
            result["ansible_stats"] = ansible_stats(sums, task_vars)
            if plan["fleet_report"]:
                result["changed"], more_warnings = publish_joined(
                    plan["fleet_report"], platform, known, client, self._task.check_mode
                )
                warnings += more_warnings
        return result

    def _check_hosts(
        self,
        planned: Mapping[str, PlanEntry],
        variables: HostVariables,
        client: EceClient,
        version: str,
        task_vars: Mapping[str, Any],
    ) -> tuple[dict[str, PlanEntry], list[str]]:
        """Return the checked entries of the hosts that are not joined, and warnings."""
        check = HostCheck(version, urlsplit(client.url).hostname or "")
        sources = InstallerSources(lambda path: find_file(self, path, task_vars))
        entries: dict[str, PlanEntry] = {}
        warnings = set()
        for name, entry in planned.items():
            if entry["state"] == JOINED:
                continue
            seen = variables.of(name)
            if entry["state"] == UPDATE:  # nothing is installed, so that no variable of the installer matters
                entries[name] = entry
                continue
            with about_host(name):
                entries[name] = check.complete(entry, seen, self._task.connection)
            warning = sources.check(entries[name], seen)
            if warning and entry["state"] != MISSING_ROLES:
                warnings.add(warning)
        return entries, sorted(warnings)


def check_strategy(strategy: str) -> None:
    """Raise OptionError for a strategy with which no task of the role runs once for all hosts."""
    if strategy.rpartition(".")[2] not in STRATEGIES:
        raise OptionError(
            f"the strategy of the play is {strategy}: set strategy: linear in it, because steps of role ece_host run "
            f"once for all hosts, and no strategies are supported but {' and '.join(STRATEGIES)}"
        )


def check_target(target: Any, hosts: Any) -> None:
    """Raise OptionError where ece_target is a variable of the inventory, which Ansible reads too late.

    target: ece_target as a task sees it, None in a play that is not the collection's. hosts: the play's hosts.
    """
    chosen = [hosts] if isinstance(hosts, str) else list(hosts or [])
    wanted = [target] if isinstance(target, str) else list(target or [])
    if wanted and wanted != chosen:
        raise OptionError(
            f"ece_target is {target!r} in the inventory, and Ansible chooses the hosts of a play before it reads that: "
            "give it as an extra variable, like -e ece_target=GROUP"
        )


def _read_hosts(
    variables: HostVariables, names: Sequence[str]
) -> tuple[list[HostWish], dict[str, Declared], dict[str, Any], list[str]]:
    """Return what the inventory wants of each host that runs the role, what it declares of hosts that are joined, what
    the play has one value of, and warnings.

    One host's variables are in memory at a time.
    """
    wishes, declared, play, known_names = [], {}, PlayOptions(), VariableNames()
    for name in names:
        seen = variables.of(name)
        if not variables.runs_task(seen):
            continue
        with about_host(name):
            known_names.check(seen.raw, prepares=bool(choice(seen, "ece_host_prepare")))
            check_hidden(seen)
            play.add(seen)
            wishes.append(host_wish(seen))
            declared[name] = declared_of(seen, wishes[-1]["roles"])
        variables.note_lookups(seen, IDENTITY_VARIABLES)
    return wishes, declared, play.values, known_names.warnings


def _check_role_changes(
    planned: Mapping[str, PlanEntry], known: Mapping[str, KnownHost], variables: HostVariables, batches: PlayBatches
) -> tuple[dict[str, PlanEntry], dict[str, list[str]]]:
    """Return the plan, and the missing roles of the hosts that get them unasked. Raises OptionError."""
    choices = {}
    for name in (name for name, entry in planned.items() if entry["state"] == MISSING_ROLES):
        with about_host(name):
            choices[name] = choice(variables.of(name), ASSIGN_ROLES)
    elsewhere = batches.role_changes(known)
    checked = check_role_changes(planned, choices, elsewhere, variables.sets("ece_host_roles"))
    return checked, {name: planned[name]["missing_roles"] for name, wanted in choices.items() if wanted is None}


def _check_updates(
    planned: Mapping[str, PlanEntry],
    known: Mapping[str, KnownHost],
    declared: Mapping[str, Declared],
    client: EceClient,
    variables: HostVariables,
    batches: PlayBatches,
) -> tuple[dict[str, PlanEntry], dict[str, list[str]]]:
    """Return the plan with the changes of joined hosts, and what differs on those that are changed unasked.

    Raises OptionError and PlatformError.
    """
    differences = differing(planned, known, declared)
    choices = {}
    for name in differences:
        with about_host(name):
            choices[name] = choice(variables.of(name), CHANGE_JOINED)
    check_updates(differences, choices, batches.updates(known), variables.sets)
    changed = {name: found for name, found in differences.items() if choices[name] is not False}
    taken = {
        planned[name]["runner_id"]: set(found["before"].get("roles", ())) - set(found["after"].get("roles", ()))
        for name, found in changed.items()
    }
    require_others(client, known, taken)
    unasked = {name: list(differences[name]["after"]) for name, wanted in choices.items() if wanted is None}
    return with_updates(planned, differences, choices), unasked


def _show(line: str, entries: Mapping[str, PlanEntry], *notes: str | None) -> None:
    show(line)
    for _name, entry in sorted(entries.items())[:LINES_MAX]:
        show(entry_line(entry))
    if len(entries) > LINES_MAX:
        show(f"... and {len(entries) - LINES_MAX:,} more; the report names them all")
    for note in filter(None, notes):
        show(note)
