# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What the operator reads while hosts join: one line per change, and one at least every 30 seconds."""

from __future__ import annotations

from typing import Mapping, Sequence

from ansible_collections.ece.platform.plugins.module_utils._states import CONNECTING, FAILED, JOINED, SETTLING
from ansible_collections.ece.platform.plugins.plugin_utils._display import clock, show
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import HostProgress, progress

# A line at least this often, so that a long installation does not look like a hanging play.
QUIET_SECONDS = 30


class Announcer:
    """Prints what changed since the last call. Times are seconds since the wait began."""

    def __init__(self, hosts: Sequence[HostProgress]) -> None:
        self._hosts = hosts
        self._phases = {host.name: host.phase for host in hosts}
        self._silent: set[str] = set()
        self._shown_at = 0.0
        show(f"0:00  {progress(hosts)}")

    def announce(self, now: float, host_errors: Mapping[str, str], platform_error: str | None) -> set[str]:
        """Print the changes, and return the phases that a host reached while no other host was in them."""
        self._announce_silent(now, host_errors)
        before, self._phases = self._phases, {host.name: host.phase for host in self._hosts}
        changed = [host for host in self._hosts if host.phase != before[host.name]]
        self._announce_disconnected(now, before, changed)
        for host in changed:
            if host.phase == FAILED:
                show(f"{clock(now)}  {host.name} failed: {host.message}", error=True)
        if changed or now - self._shown_at >= QUIET_SECONDS:
            self._shown_at = now
            connected = [host.name for host in changed if _has_connected(before[host.name], host.phase)]
            error = f" ({platform_error})" if platform_error else ""
            show(f"{clock(now)}  {progress(self._hosts, connected)}{error}", error=bool(platform_error))
        return {host.phase for host in changed} - set(before.values())

    def _announce_silent(self, now: float, host_errors: Mapping[str, str]) -> None:
        for host in self._hosts:
            error = host_errors.get(host.name)
            if host.over or bool(error) == (host.name in self._silent):
                continue
            if error:
                self._silent.add(host.name)
                show(f"{clock(now)}  {host.name} does not answer, trying again: {error}", error=True)
            else:
                self._silent.remove(host.name)
                show(f"{clock(now)}  {host.name} answers again")

    @staticmethod
    def _announce_disconnected(now: float, before: Mapping[str, str], changed: Sequence[HostProgress]) -> None:
        for host in changed:
            if before[host.name] == SETTLING and host.phase == CONNECTING:
                show(f"{clock(now)}  {host.name} has disconnected again", error=True)


def _has_connected(before: str, phase: str) -> bool:
    return phase == SETTLING or (phase == JOINED and before != SETTLING)
