# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watches over a batch of joining hosts: one question to the platform an interval, one quiet connection to each running installer."""

from __future__ import annotations

import shlex
import threading
import time

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.ece.platform.plugins.module_utils import client as api
from ansible_collections.ece.platform.plugins.module_utils import fleet, installer
from ansible_collections.ece.platform.plugins.module_utils.module import CONNECTION_SPEC
from ansible_collections.ece.platform.plugins.plugin_utils.action import ApiAction, show
from ansible_collections.ece.platform.plugins.plugin_utils.host_variables import HostVariables
from ansible_collections.ece.platform.plugins.plugin_utils.remote import on_host
from ansible_collections.ece.platform.plugins.plugin_utils.watch import FAILED, JOINED, HostWatch, progress

# A line at least this often, so that nobody takes a long install for a hanging play.
QUIET_SECONDS = 30
# How long one question to a host may stay unanswered by a running installer before it is asked anew.
FOLLOW_SECONDS = 25
RECONNECT_SECONDS = 5
TICK_SECONDS = 0.5
FIRST_INTERVAL_SECONDS = 1


class ActionModule(ApiAction):
    """See the documentation of the module with this name."""

    SPEC = {
        **CONNECTION_SPEC,
        "hosts": {"type": "list", "elements": "str", "required": True},
        "plan": {"type": "dict", "required": True},
        "token": {"type": "dict", "no_log": False},
        "interval": {"type": "float", "default": 5},
    }

    def act(self, arguments, task_vars):
        client, warnings = self.connect(arguments)
        variables = HostVariables(self, task_vars)
        records: dict[str, dict] = {}
        silence: dict[str, str] = {}
        watches = [self._watch(name, arguments["plan"]["hosts"][name], variables.of(name), records, silence) for name in arguments["hosts"]]
        self._wait(client, watches, records, silence, arguments["interval"])
        return {
            "changed": False,
            "msg": progress(watches),
            "hosts": {watch.name: watch.row() for watch in watches},
            "token": arguments["token"],
            "warnings": warnings + client.warnings,
        }

    def _watch(self, name, entry, variables, records, silence):
        """Begin to watch one host; follows its installer where there is one."""
        verdict = variables.get("__ece_host_verdict")["verdict"]
        has_installer = verdict != fleet.ASSIGN_ROLES
        facts = variables.get("__ece_host_check", {}).get("facts") or {}
        storage_path = variables.get("ece_host_storage_path")
        if has_installer:
            command = _follow_command(variables, installer.log_paths(storage_path))
            threading.Thread(target=self._follow, args=(name, variables, command, records, silence), daemon=True).start()
        return HostWatch(
            entry,
            has_installer=has_installer,
            install_timeout=float(variables.get("ece_host_install_timeout")),
            connect_timeout=float(variables.get("ece_host_connect_timeout")),
            storage_path=storage_path,
            started_here=verdict in (fleet.INSTALL, fleet.REPLACE),
            last_started=(facts.get("last_install") or {}).get("started"),
        )

    def _follow(self, name, variables, command, records, silence):
        """Keep the host's installer record up to date until it has ended; a lost connection is made again."""
        become = boolean(variables.get("ece_host_become", True), strict=False)
        while True:
            try:
                answer = on_host(self, variables, become)._low_level_execute_command(command, sudoable=True)
                record = installer.parse_follow(answer.get("stdout", ""))
                silence[name] = "" if record else installer.redact((answer.get("stderr") or answer.get("stdout") or "no answer").strip()[-200:])
            except Exception as error:  # connection plugins raise what they like; the watch has its own deadline
                record, silence[name] = None, installer.redact(str(error)[:200])
            if record is not None:
                records[name] = record
                if installer.install_state(record) in ("finished", "interrupted"):
                    return
            if record is None or record["lock"] != "running":
                time.sleep(RECONNECT_SECONDS)

    def _wait(self, client, watches, records, silence, interval):
        began = said = time.monotonic()
        phases = {watch.name: watch.phase for watch in watches}
        platform = _Platform(client, interval)
        unheard: set[str] = set()
        show(f"0:00  {progress(watches)}")
        try:
            while True:
                trouble, known = platform.latest()
                now = time.monotonic() - began
                for watch in watches:
                    watch.look(now, known.get(watch.entry["runner_id"]), records.get(watch.name), trouble, silence.get(watch.name))
                    if silence.get(watch.name) and watch.name not in unheard and not watch.over:
                        unheard.add(watch.name)
                        show(f"{fleet.clock(now)}  {watch.name} cannot be asked how its installer stands, trying on: {silence[watch.name]}", error=True)
                self._tell(now, watches, phases)
                changed = any(phases[watch.name] != watch.phase for watch in watches)
                phases = {watch.name: watch.phase for watch in watches}
                if changed or time.monotonic() - said >= QUIET_SECONDS:
                    said = time.monotonic()
                    show(f"{fleet.clock(now)}  {progress(watches)}" + (f" ({trouble})" if trouble else ""), error=bool(trouble))
                if all(watch.over for watch in watches):
                    return
                time.sleep(TICK_SECONDS)
        finally:
            platform.stop()

    @staticmethod
    def _tell(now, watches, phases):
        """Name at once what has ended since the last look."""
        for watch in watches:
            if phases[watch.name] == watch.phase:
                continue
            if watch.phase == FAILED:
                show(f"{fleet.clock(now)}  {watch.name} failed: {watch.message}", error=True)
            elif watch.phase == JOINED:
                show(f"{fleet.clock(now)}  {watch.name} connected")


class _Platform(threading.Thread):
    """Asks the platform once an interval, apart from the watch: a coordinator that hangs must not keep the watch from an installer's end."""

    def __init__(self, client: api.EceClient, interval: float) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._interval = interval
        self._stop = threading.Event()
        self._latest: tuple[str | None, dict] = ("the platform has not answered yet", {})
        self.start()

    def run(self) -> None:
        pause = FIRST_INTERVAL_SECONDS
        while not self._stop.is_set():
            try:
                totals = fleet.platform_totals(self._client.platform())
                self._latest = (None, fleet.known_hosts(self._client.runners(), self._client.allocators(totals["allocators"])))
            except Exception as error:  # an odd reply, too, is no reason to give up on installers that run: the next may be a good one
                words = str(error) if isinstance(error, api.EceError) else f"an answer that cannot be read ({type(error).__name__})"
                self._latest = (f"the platform cannot be asked: {words}", {})
            self._stop.wait(min(pause, self._interval))
            # Quick at first, when a failing check ends an installer within seconds.
            pause *= 1.2

    def latest(self) -> tuple[str | None, dict]:
        """(why the platform could not be asked or None, fleet.known_hosts())"""
        return self._latest

    def stop(self) -> None:
        self._stop.set()


def _follow_command(variables, paths):
    """The command that says how the installer on a host stands, waiting for its end for a while."""
    facts = variables.get("__ece_host_check", {}).get("facts") or {}
    python = (facts.get("python") or {}).get("executable") or variables.get("ansible_python_interpreter") or "python3"
    return " ".join(shlex.quote(word) for word in (python, "-c", installer.FOLLOW_SOURCE, paths["record"], paths["lock"], str(FOLLOW_SECONDS)))
