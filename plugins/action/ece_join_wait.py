# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits until each host of a batch has joined or failed: two requests to the platform per interval for all of them, and
one open connection to each host whose installer runs."""

from __future__ import annotations

import functools
import os
import time
from typing import Any, Mapping, Sequence

from ansible_collections.ece.platform.plugins.module_utils._ece import DEFAULT_STATE_PATH, DEFAULT_STORAGE_PATH
from ansible_collections.ece.platform.plugins.module_utils._states import (
    ASSIGN_ROLES,
    CONNECTING,
    INSTALLS,
    JOINED,
    REJECTED,
    SETTLING,
    UPDATE,
)
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._announcer import Announcer
from ansible_collections.ece.platform.plugins.plugin_utils._fleet_join import note_times
from ansible_collections.ece.platform.plugins.plugin_utils._followers import Followers, Send
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import (
    Expectation,
    HostProgress,
    Observation,
    progress,
    unlisted,
)
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import FOLLOW_SOURCE, HostFacts, facts_of
from ansible_collections.ece.platform.plugins.plugin_utils._host_tasks import run_on
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables, OneHost
from ansible_collections.ece.platform.plugins.plugin_utils._poller import PlatformPoller
from ansible_collections.ece.platform.plugins.plugin_utils._results import CHECK, START, Batch, token_of
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import is_set, seconds

TICK_SECONDS = 0.5
# The task that asks a host.
FOLLOW = "ece.platform.ece_join_follow"


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"plan": {"type": "dict", "required": True}}

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        plan = arguments["plan"]
        if token_of(task_vars).get("ends_play"):
            return {"changed": False, "made_at": plan["made_at"], "hosts": {}}
        client, warnings = self.connect(task_vars)
        variables = HostVariables(self, task_vars)
        batch = Batch(plan, task_vars, self.play_id)
        interval = plan["wait_interval"]
        followers = Followers(functools.partial(self._ask, variables), interval)
        hosts = []
        for name in batch.to_wait_for():
            check, start, seen = batch.result(name, CHECK), batch.result(name, START), variables.of(name)
            if check["verdict"] in (*REJECTED, UPDATE):  # a host that is changed is connected all the time
                continue
            expected = expect(check, start, seen)
            if expected.has_installer:
                followers.add(name, follow_command(seen, facts_of(check)))
            hosts.append(HostProgress(plan["hosts"][name], expected))
        if not hosts:
            return {"changed": False, "msg": progress(hosts), "made_at": plan["made_at"], "hosts": {}}
        ids = [host.entry["runner_id"] for host in hosts]
        poller = PlatformPoller(client, ids, plan["totals"]["allocators"], interval)
        began = time.time()
        try:
            wait(hosts, poller, followers)
        finally:
            poller.stop()
            followers.stop()
        note_times({host.name: host.times() for host in hosts}, began)
        return {
            "changed": False,
            "msg": progress(hosts),
            "made_at": plan["made_at"],
            "hosts": {host.name: host.row() for host in hosts},
            "warnings": warnings + poller.warnings,
        }

    def _ask(
        self, variables: HostVariables, name: str, command: Sequence[str], timeout: int, send: Send
    ) -> Mapping[str, Any]:
        """Return the result of asking a host for its record, in a child process of this one."""
        task = {
            FOLLOW: {"command": list(command)},
            "become": is_set(variables.of(name), "ece_host_become"),
            "timeout": timeout,
        }
        return run_on(name, task, self, variables, send)


def expect(check: Mapping[str, Any], start: Mapping[str, Any], variables: OneHost) -> Expectation:
    """Return what the wait expects of a host, by the results of its check and its start."""
    previous = facts_of(check).get("last_install") or {}
    return Expectation(
        install_timeout=seconds(variables, "ece_host_install_timeout"),
        connect_timeout=seconds(variables, "ece_host_connect_timeout"),
        settle_time=seconds(variables, "ece_host_settle_time"),
        storage_path=variables.get("ece_host_storage_path", DEFAULT_STORAGE_PATH),
        has_installer=check["verdict"] not in (ASSIGN_ROLES, JOINED),
        started_here=check["verdict"] in INSTALLS and not _found_running(start),
        joined=check["msg"] if check["verdict"] == JOINED else None,
        previous_start=None if previous.get("running") else previous.get("started"),
    )


def _found_running(start: Mapping[str, Any]) -> bool:
    """Return whether ece_install found an installer of another run. An unreachable host may have one of this run."""
    return start.get("changed") is False and not start.get("unreachable") and not start.get("failed")


def follow_command(variables: OneHost, facts: HostFacts) -> list[str]:
    """Return the command that prints a host's record. Its last argument, the seconds to hold, is missing."""
    discovered = (facts.get("python") or {}).get("executable")
    python = discovered or variables.get("ansible_python_interpreter") or "python3"
    storage_path = variables.get("ece_host_storage_path") or DEFAULT_STORAGE_PATH
    return [python, "-c", FOLLOW_SOURCE, storage_path, variables.get("ece_host_state_path") or DEFAULT_STATE_PATH]


def wait(hosts: Sequence[HostProgress], poller: PlatformPoller, followers: Followers) -> None:
    """Update the hosts and announce changes until each host has joined or failed."""
    began, announcer, ansible = time.monotonic(), Announcer(hosts), os.getppid()
    while True:
        answer, now = poller.latest(), time.monotonic() - began
        for host in hosts:
            if not host.over:
                host.update(
                    Observation(
                        now=now,
                        known=answer.known.get(host.entry["runner_id"]),
                        asked_at=answer.asked_at - began,
                        only_listed=host.entry["runner_id"] not in answer.single,
                        platform_error=answer.error,
                        record=followers.records.get(host.name),
                        host_error=followers.errors.get(host.name),
                    )
                )
        poller.ask_for(unlisted(hosts, now))
        if announcer.announce(now, followers.errors, answer.error) & {CONNECTING, SETTLING}:
            poller.reset_interval()
        if all(host.over for host in hosts) or os.getppid() != ansible:  # Ansible was killed, which ends no worker
            return
        followers.look(TICK_SECONDS)
