# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits until each host of a batch has joined or failed: one request to the platform per interval for all of them, and
one open connection to each host whose installer runs."""

from __future__ import annotations

import time
from typing import Any, Mapping, Sequence

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._ece import DEFAULT_STORAGE_PATH
from ansible_collections.ece.platform.plugins.module_utils._install_record import FOLLOW_SOURCE, log_paths
from ansible_collections.ece.platform.plugins.module_utils._states import (
    ASSIGN_ROLES,
    CONNECTING,
    INSTALLS,
    REJECTED,
    SETTLING,
)
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._announcer import Announcer
from ansible_collections.ece.platform.plugins.plugin_utils._followers import Followers
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import (
    Expectation,
    HostProgress,
    Observation,
    progress,
)
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import HostFacts, facts_of
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables, OneHost
from ansible_collections.ece.platform.plugins.plugin_utils._poller import PlatformPoller
from ansible_collections.ece.platform.plugins.plugin_utils._results import CHECK, START, Batch
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import seconds

TICK_SECONDS = 0.5


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"plan": {"type": "dict", "required": True}}

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        plan = arguments["plan"]
        client, warnings = self.connect(task_vars)
        variables = HostVariables(self, task_vars)
        batch = Batch(plan, task_vars, self.play_id)
        interval = seconds(self.own_variables(task_vars), "ece_host_wait_interval")
        followers = Followers(self, interval)
        hosts = []
        for name in batch.to_wait_for():
            check, start, seen = batch.result(name, CHECK), batch.result(name, START), variables.of(name)
            if check["verdict"] in REJECTED:
                continue
            expected = expect(check, start, seen)
            if expected.has_installer:
                followers.add(name, seen, follow_command(seen, facts_of(check)))
            hosts.append(HostProgress(plan["hosts"][name], expected))
        followers.start()
        try:
            wait(client, hosts, followers, interval)
        finally:
            followers.stop()
        return {
            "changed": False,
            "msg": progress(hosts),
            "made_at": plan["made_at"],
            "hosts": {host.name: host.row() for host in hosts},
            "warnings": warnings + client.warnings,
        }


def expect(check: Mapping[str, Any], start: Mapping[str, Any], variables: OneHost) -> Expectation:
    """Return what the wait expects of a host, by the results of its check and its start."""
    previous = facts_of(check).get("last_install") or {}
    return Expectation(
        install_timeout=seconds(variables, "ece_host_install_timeout"),
        connect_timeout=seconds(variables, "ece_host_connect_timeout"),
        settle_time=seconds(variables, "ece_host_settle_time"),
        storage_path=variables.get("ece_host_storage_path", DEFAULT_STORAGE_PATH),
        has_installer=check["verdict"] != ASSIGN_ROLES,
        started_here=check["verdict"] in INSTALLS and not _found_running(start),
        previous_start=None if previous.get("running") else previous.get("started"),
    )


def _found_running(start: Mapping[str, Any]) -> bool:
    """Return whether ece_install found an installer of another run. An unreachable host may have one of this run."""
    return start.get("changed") is False and not start.get("unreachable") and not start.get("failed")


def follow_command(variables: OneHost, facts: HostFacts) -> list[str]:
    """Return the command that prints a host's record. Its last argument, the seconds to hold, is missing."""
    discovered = (facts.get("python") or {}).get("executable")
    python = discovered or variables.get("ansible_python_interpreter") or "python3"
    paths = log_paths(variables.get("ece_host_storage_path"))
    return [python, "-c", FOLLOW_SOURCE, paths.record, paths.lock]


def wait(client: EceClient, hosts: Sequence[HostProgress], followers: Followers, interval: float) -> None:
    """Update the hosts and announce changes until each host has joined or failed."""
    began = time.monotonic()
    poller, announcer = PlatformPoller(client, interval), Announcer(hosts)
    try:
        while True:
            answer, now = poller.latest(), time.monotonic() - began
            for host in hosts:
                if not host.over:
                    host.update(
                        Observation(
                            now=now,
                            known=answer.known.get(host.entry["runner_id"]),
                            asked_at=answer.asked_at - began,
                            platform_error=answer.error,
                            record=followers.records.get(host.name),
                            host_error=followers.errors.get(host.name),
                        )
                    )
            if announcer.announce(now, followers.errors, answer.error) & {CONNECTING, SETTLING}:
                poller.reset_interval()
            if all(host.over for host in hosts):
                return
            time.sleep(TICK_SECONDS)
    finally:
        poller.stop()
