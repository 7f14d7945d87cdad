# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that uses the platform's answers: modules and actions, as complete as possible without a play."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Callable, Mapping
from unittest import mock

from ansible_collections.ece.platform.plugins.action import ece_join_plan
from ansible_collections.ece.platform.plugins.module_utils import _removal_plan as removal_plan
from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._decision import decide
from ansible_collections.ece.platform.plugins.module_utils._lookup import look_again
from ansible_collections.ece.platform.plugins.module_utils._plan import host_identity, known_hosts, plan_hosts
from ansible_collections.ece.platform.plugins.module_utils._records import platform_totals
from ansible_collections.ece.platform.plugins.module_utils._removal_lookup import (
    HostQuestion,
    plan_removal,
    read_lists,
)
from ansible_collections.ece.platform.plugins.module_utils._runner import require_dispensable
from ansible_collections.ece.platform.plugins.module_utils._vacate import vacate
from ansible_collections.ece.platform.plugins.module_utils._vacate_plan import VacateOptions
from ansible_collections.ece.platform.plugins.modules import (
    ece_allocator,
    ece_allocator_info,
    ece_enrollment_token,
    ece_enrollment_token_info,
    ece_platform_info,
    ece_runner,
    ece_runner_info,
)
from ansible_collections.ece.platform.plugins.plugin_utils._display import table
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import (
    Expectation,
    HostProgress,
    Observation,
    progress,
)
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost


@dataclass(frozen=True)
class Consumer:
    """Something that uses the platform, and the kinds of its requests. `run` returns what an operator reads."""

    run: Callable[[EceClient], list[str]]
    kinds: tuple[str, ...]


# -- modules ---------------------------------------------------------------------------------------------------------


def _module(module: Any, check: Callable[[dict], None] = json.dumps, **params: Any) -> Callable[[EceClient], list[str]]:
    """Return a function that runs a module with these options and checks that Ansible can print the result."""

    def run(client):
        warnings: list[str] = []
        check(module.run(SimpleNamespace(params=params, check_mode=False, warn=warnings.append), client))
        return warnings + client.warnings

    return run


def _spare(client):
    json.dumps(require_dispensable(client, "10.0.0.9", ["coordinator", "director", "proxy"]))
    return []


def _no_allocator_twice(result):
    json.dumps(result)
    ids = [allocator["allocator_id"] for allocator in result["allocators"]]
    assert len(ids) == len(set(ids)), "an allocator is listed twice"


ALL_ALLOCATORS = {
    "allocator_ids": None,
    "zones": None,
    "tags": None,
    "connected": None,
    "maintenance_mode": None,
    "wait_timeout": 0,
    "wait_interval": 1,
}


# Everything differs from the healthy allocator, which is in maintenance mode.
ALLOCATOR = {
    "state": "present",
    "allocator_id": "10.0.0.8",
    "maintenance": False,
    "maintenance_reason": None,
    "capacity": 65536,
    "tags": {"ssd": False, "rack": "7:B,left"},
    "tags_exact": False,
    "remove_instances": False,
}
NOT_DECLARED = {"maintenance": None, "maintenance_reason": None, "capacity": None, "tags": None}

TOKEN = {"state": "present", "roles": ["allocator"], "token_id": None}

# -- the plan --------------------------------------------------------------------------------------------------------

HOSTS = {
    "10.0.0.7": {"ece_host_zone": "zone-1"},
    "new.example.com": {"ece_host_ip": "10.0.0.8", "ece_host_roles": ["allocator", "proxy"]},
    "other": {"ece_host_runner_id": "runner-8", "ansible_host": "10.0.0.99"},
    "in-no-list": {},
}


class Plan(ece_join_plan.ActionModule):
    """The action without the play around it."""

    def __init__(self, client: EceClient | None = None, files: Mapping[str, str] | None = None) -> None:
        self._client, self._files = client, files or {}
        play = SimpleNamespace(_uuid="play", strategy="linear", hosts=["allocators"])
        self._task = SimpleNamespace(connection="ssh", ignore_errors=False, _parent=SimpleNamespace(_play=play))

    def connect(self, task_vars):
        return self._client, []

    def _find_needle(self, folder, name):
        return self._files[name]


def plan_of(
    client: EceClient, hosts: Mapping[str, Mapping[str, Any]], files: Mapping[str, str] | None = None
) -> list[str]:
    """Return what an operator reads of the plan in a play over these hosts."""
    shown: list[str] = []
    no_templates = SimpleNamespace(template=lambda value: value)
    hosts_variables = SimpleNamespace(
        of=lambda name: OneHost(name, hosts[name], no_templates),
        others=lambda keys, known: (),
        usable=lambda name, keys: {},
        sets=lambda variable: False,
        runs_task=lambda variables, if_unknown=True: True,
        outranked=lambda name, variable: None,
        note_lookups=lambda variables, keys: None,
    )
    with (
        mock.patch.object(ece_join_plan, "HostVariables", lambda action, task_vars: hosts_variables),
        mock.patch.object(ece_join_plan, "show", shown.append),
    ):
        result = Plan(client, files).act({"target": None}, {"ansible_play_batch": list(hosts), "ansible_forks": 5})
    json.dumps(result)
    return shown + result["warnings"]


# -- the wait --------------------------------------------------------------------------------------------------------

ENDED = {
    "lock": "over",
    "started": 1.0,
    "finished": 2.0,
    "now": 3.0,
    "seconds": 1.0,
    "rc": 0,
    "output": [],
    "bootstrap_log": [],
}
# The records of an installer, with the second of the wait at which they arrive.
RECORDS = [(0, None), (1, {"lock": "running", "started": 1.0, "now": 2.0}), (40, ENDED), (90, ENDED), (5000, ENDED)]


def _wait(client):
    hosts = [
        HostProgress(
            {"name": name, "runner_id": runner_id, "roles": roles, "zone": zone, "version": "3.8.0"},
            Expectation(
                has_installer=installed, install_timeout=1800, connect_timeout=300, storage_path="/mnt/data/elastic"
            ),
        )
        for name, runner_id, roles, zone, installed in (
            ("a", "10.0.0.7", ["allocator"], "zone-1", True),
            ("b", "10.0.0.8", ["allocator", "proxy"], None, False),
            ("c", "fd00::1", ["coordinator"], "zone-2", True),
        )
    ]
    totals = platform_totals(client.platform())
    known = known_hosts(client.runners(), client.iter_allocators(totals["allocators"]))
    lines = []
    for now, record in RECORDS:
        for host in hosts:
            if not host.over:
                host.update(Observation(now=now, known=known.get(host.entry["runner_id"]), record=record))
        lines.append(progress(hosts, [host.name for host in hosts]))
    assert all(host.over for host in hosts)
    rows = [host.row() for host in hosts]
    json.dumps(rows)
    return lines + table(rows)


# -- one host --------------------------------------------------------------------------------------------------------

FACTS = {"ece_containers": ["frc-runners-runner"], "runner_ids": ["10.0.0.7"], "addresses": ["10.0.0.8"]}


def _look_again(client):
    wish = {**host_identity("a", {"ansible_host": "new.example.com"}), "roles": ["allocator"], "zone": "zone-1"}
    planned = plan_hosts([wish], {}, "3.8.0")["a"]
    sentences = []
    for facts in (FACTS, {}):
        entry = look_again(client, planned, facts, {"10.0.0.8": ["x"]})
        json.dumps(entry)
        sentences += [decide(entry, facts, replace_stale=stale, connect_timeout=9)[1] for stale in (False, True)]
    return sentences


# -- a vacate --------------------------------------------------------------------------------------------------------


def _vacate(check_mode: bool = False, **options: Any) -> Callable[[EceClient], list[str]]:
    """Return a function that vacates an allocator, with a clock that nothing waits for."""

    def run(client):
        now = [0.0]
        lines: list[str] = []

        def sleep(seconds):
            now[0] += seconds

        wish = VacateOptions("10.0.0.7", wait_timeout=60, **options)
        result = vacate(client, wish, check_mode, tell=lines.append, clock=lambda: now[0], sleep=sleep)
        json.dumps(result)
        assert result["failed"] or result["left"] == []
        reasons = [row["reason"] for row in result["left"]]
        return [*lines, result["msg"], *reasons]

    return run


# -- a removal -----------------------------------------------------------------------------------------------------


def _removal(client):
    choices = {"instances": "vacate", "clean_host": True, "allow_last": False, "unreachable": True}
    answers = ({"facts": FACTS, "error": ""}, {"facts": None, "error": "it cannot be reached"})
    hosts = [
        HostQuestion(host_identity(name, {"ece_host_runner_id": runner_id}), answer, choices)
        for name, runner_id, answer in (("a", "10.0.0.7", answers[0]), ("b", "10.0.0.8", answers[1]))
    ]
    found = plan_removal(client, read_lists(client, client.platform()), hosts)
    json.dumps(found)
    lines = [
        line for entry in found.entries.values() for line in (*removal_plan.entry_lines(entry), *entry["problems"])
    ]
    lines += [removal_plan.steps_line(entry) for entry in found.entries.values()]
    return [*lines, *map(removal_plan.capacity_line, found.zones)]


LISTS = ("platform", "runners", "allocators")
CONSUMERS = {
    "removal": Consumer(_removal, (*LISTS, "runner", "allocator")),
    "plan": Consumer(lambda client: plan_of(client, HOSTS), (*LISTS, "allocator")),
    "look again": Consumer(_look_again, ("runner", "allocator")),
    "wait": Consumer(_wait, LISTS),
    "ece_allocator_info": Consumer(
        _module(
            ece_allocator_info,
            _no_allocator_twice,
            **{**ALL_ALLOCATORS, "zones": ["zone-1", ""], "tags": {"ssd": "true"}},
        ),
        ("platform", "allocators"),
    ),
    "all allocators": Consumer(
        _module(ece_allocator_info, _no_allocator_twice, **ALL_ALLOCATORS), ("platform", "allocators")
    ),
    "change allocator": Consumer(_module(ece_allocator, **ALLOCATOR), ("allocator", "maintenance", "written")),
    "all tags of an allocator": Consumer(
        _module(
            ece_allocator,
            **{**ALLOCATOR, "maintenance": True, "maintenance_reason": "new", "tags": {"a/b": 1}, "tags_exact": True},
        ),
        ("allocator", "tags", "written"),
    ),
    "delete allocator": Consumer(
        _module(ece_allocator, **{**ALLOCATOR, **NOT_DECLARED, "state": "absent", "remove_instances": True}),
        ("allocator", "runner", "deleted"),
    ),
    "ece_runner_info": Consumer(
        _module(ece_runner_info, runner_ids=None, zones=["zone-1", "zone-2"], roles=["allocator"], connected=None),
        ("platform", "runners"),
    ),
    "all runners": Consumer(
        _module(ece_runner_info, runner_ids=None, zones=None, roles=None, connected=None), ("platform", "runners")
    ),
    **{
        f"platform and {part}": Consumer(_module(ece_platform_info, gather=[part]), (part,))
        for part in ("license", "proxies", "roles")
    },
    "ece_platform_info": Consumer(_module(ece_platform_info, gather=[]), ("platform",)),
    "ece_enrollment_token_info": Consumer(_module(ece_enrollment_token_info), ("tokens",)),
    "mint": Consumer(_module(ece_enrollment_token, **TOKEN, persistent=False, validity_in_seconds=600), ("mint",)),
    "mint persistent": Consumer(
        _module(ece_enrollment_token, **TOKEN, persistent=True, validity_in_seconds=None), ("mint", "tokens")
    ),
    # This requests more roles than the token of the healthy answer has, so the token is revoked.
    "discard": Consumer(
        _module(
            ece_enrollment_token,
            **{**TOKEN, "roles": ["allocator", "proxy"]},
            persistent=True,
            validity_in_seconds=None,
        ),
        ("tokens", "deleted"),
    ),
    "revoke": Consumer(
        _module(ece_enrollment_token, state="absent", token_id="t", validity_in_seconds=None), ("deleted", "tokens")
    ),
    "assign roles": Consumer(
        _module(
            ece_runner,
            state="present",
            runner_id="10.0.0.8",
            roles=["allocator", "proxy"],
            roles_exact=False,
            bless=True,
        ),
        ("runner", "written"),
    ),
    "take roles away": Consumer(
        _module(ece_runner, state="present", runner_id="10.0.0.8", roles=[], roles_exact=True, bless=False),
        ("runner", "allocator"),
    ),
    "spare a role": Consumer(_spare, ("runners",)),
    "vacate": Consumer(_vacate(), ("allocator", "moves", "deployment")),
    "vacate with tags": Consumer(_vacate(preferred_tags={"ssd": "true"}), ("allocator", "platform", "moves")),
    "vacate in check mode": Consumer(_vacate(True), ("allocator", "moves")),
    "delete runner": Consumer(
        _module(ece_runner, state="absent", runner_id="10.0.0.8", roles=None), ("runner", "allocator", "deleted")
    ),
}
