# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans a removal for all hosts of a play, by what the hosts say of themselves and a few requests to the platform."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    IDENTITY_VARIABLES,
    HostWish,
    count_warnings,
    host_identity,
)
from ansible_collections.ece.platform.plugins.module_utils._records import platform_totals
from ansible_collections.ece.platform.plugins.module_utils._removal_lookup import (
    HostQuestion,
    plan_removal,
    read_lists,
)
from ansible_collections.ece.platform.plugins.module_utils._removal_plan import (
    ABSENT,
    REFUSED,
    REMOVE,
    RemovalEntry,
    capacity_line,
    entry_lines,
    plan_line,
    steps_line,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._display import show
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.ece.platform.plugins.plugin_utils._play_batches import PlayBatches
from ansible_collections.ece.platform.plugins.plugin_utils._play_options import PlayOptions
from ansible_collections.ece.platform.plugins.plugin_utils._removal_report import CHECK, ENDED_EARLIER
from ansible_collections.ece.platform.plugins.plugin_utils._results import registered
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import about_host

STRATEGIES = ("linear", "debug")
LINES_MAX = 60
NO_TARGET = (
    "ece_target is not set: name the hosts that leave the platform as an extra variable, a host, a group or a pattern, "
    "like -e ece_target=host-3; it has no default, because all hosts are never what is meant"
)


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"step": {"type": "str", "required": True, "choices": ["target", "plan"]}, "target": {"type": "raw"}}

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        play = self._task._parent._play
        if arguments["step"] == "target":
            check_target(arguments["target"], play.hosts)
            return {"changed": False, "msg": "the hosts are named"}
        check_strategy(play.strategy)
        variables = HostVariables(self, task_vars)
        checks = {name: registered(task_vars["hostvars"][name], CHECK) for name in task_vars["ansible_play_batch"]}
        # Hosts that a condition of the play leaves out have none.
        checks = {name: check for name, check in checks.items() if check and not check.get("skipped")}
        wishes = self._read_hosts(variables, checks)
        wishes = PlayBatches(variables, self.play_id, task_vars).distinct(wishes)
        client, warnings = self.connect(task_vars)
        platform = client.platform()
        lists = read_lists(client, platform)
        identities = {wish["name"]: wish for wish in wishes}
        questions = [
            HostQuestion(
                identities[name],
                {"facts": check["facts"], "error": check["error"]},
                check["options"]["choices"],
            )
            for name, check in checks.items()
            if not check.get("problem")
        ]
        plan = plan_removal(client, lists, questions, client.urls)
        entries = dict(plan.entries)
        for name, check in checks.items():
            if check.get("problem"):
                entries[name] = refused_entry(identities[name], str(check["problem"]))
        entries = {name: entries[name] for name in checks}
        line = plan_line(entries, platform["version"], client.url)
        self._show(line, entries, [capacity_line(zone) for zone in plan.zones])
        refused = {name: " ".join(entry["problems"]) for name, entry in entries.items() if entry["state"] == REFUSED}
        warnings += [*count_warnings(lists.known, platform_totals(platform)), *client.warnings]
        result: dict[str, Any] = {
            "changed": False,
            "msg": line,
            "made_at": time.time(),
            "version": platform["version"],
            "url": client.url,
            "hosts": entries,
            "zones": plan.zones,
            "refused": _sentences(entries, refused) if refused else {},
            "ready": [] if refused else [name for name, entry in entries.items() if entry["state"] == REMOVE],
            "warnings": warnings,
        }
        if refused:
            result.update(failed=True, msg=_refusal(refused))
        return result

    def _read_hosts(self, variables: HostVariables, checks: Mapping[str, Any]) -> list[HostWish]:
        """Return who each host is by its variables. Raises OptionError where hosts have different platforms."""
        wishes, play = [], PlayOptions()
        for name in checks:
            seen = variables.of(name)
            with about_host(name):
                play.add(seen)
                identity = host_identity(name, {key: seen.get(key) for key in IDENTITY_VARIABLES})
                wishes.append(HostWish(**identity, roles=[], zone=None))
            variables.note_lookups(seen, IDENTITY_VARIABLES)
        return wishes

    def _show(self, line: str, entries: Mapping[str, RemovalEntry], zones: list[str]) -> None:
        show(line)
        lines = [text for _name, entry in sorted(entries.items()) for text in entry_lines(entry)]
        if self._task.check_mode:
            lines += [steps_line(entry) for _name, entry in sorted(entries.items()) if entry["state"] == REMOVE]
        for text in lines[:LINES_MAX]:
            show(text)
        if len(lines) > LINES_MAX:
            show(f"... and {len(lines) - LINES_MAX:,} more lines; a limit shows those of some hosts")
        for text in zones:
            show(text)
        if self._task.check_mode:
            show("Check mode says the whole plan, and changes nothing")


def check_strategy(strategy: str) -> None:
    """Raise OptionError for a strategy with which no task of the role runs once for all hosts."""
    if strategy.rpartition(".")[2] not in STRATEGIES:
        raise OptionError(
            f"the strategy of the play is {strategy}: set strategy: linear in it, because steps of role "
            f"ece_host_removal run once for all hosts, and no strategies are supported but {' and '.join(STRATEGIES)}"
        )


def check_target(target: Any, hosts: Any) -> None:
    """Raise OptionError where the user has not named the hosts that leave, or has where Ansible reads it too late.

    target: ece_target as a task sees it. hosts: the play's hosts.
    """
    chosen = [hosts] if isinstance(hosts, str) else list(hosts or [])
    wanted = [target] if isinstance(target, str) else list(target or [])
    if not any(wanted):
        raise OptionError(NO_TARGET)
    if wanted != chosen:
        raise OptionError(
            f"ece_target is {target!r} in the inventory, and Ansible chooses the hosts of a play before it reads that: "
            "give it as an extra variable, like -e ece_target=GROUP"
        )


def refused_entry(identity: HostWish, problem: str) -> RemovalEntry:
    """Return the entry of a host that the platform is not asked for, because its variables or its check failed."""
    return {
        "name": identity["name"],
        "state": REFUSED,
        "runner_id": identity["runner_id"],
        "identity": "",
        "host_ip": None,
        "parts": {},
        "zone": None,
        "roles": [],
        "kept_roles": [],
        "maintenance": False,
        "instances": 0,
        "memory_used_mb": None,
        "memory_total_mb": None,
        "tags": {},
        "instances_mode": "",
        "clean": False,
        "allow_last": False,
        "problems": [problem],
        "notes": [],
    }


def _refusal(refused: Mapping[str, str]) -> str:
    reasons = " ".join(f"{name}: {reason}." for name, reason in sorted(refused.items())[:10])
    rest = f" And {len(refused) - 10} more." if len(refused) > 10 else ""
    return f"nothing is changed on any host, because {len(refused)} of them cannot be removed. {reasons}{rest}"


def _sentences(entries: Mapping[str, RemovalEntry], refused: Mapping[str, str]) -> dict[str, str]:
    """Return why each host is not removed: for the others, because the plan refuses some."""
    because = f"it is not removed, because the plan refuses {first_names(refused)}"
    return {
        name: refused.get(name) or (ENDED_EARLIER if entry["state"] == ABSENT else because)
        for name, entry in entries.items()
    }
