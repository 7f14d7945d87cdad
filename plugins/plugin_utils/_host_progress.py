# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How one host stands between the start of its installer and the platform's word that it is connected. Pure: no clock, no I/O."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.ece.platform.plugins.module_utils import _install_record as installer
from ansible_collections.ece.platform.plugins.module_utils._plan import api_state, differences, not_ready_reason
from ansible_collections.ece.platform.plugins.module_utils._records import flat_allocator, flat_runner
from ansible_collections.ece.platform.plugins.module_utils._states import (
    CONNECTING,
    FAILED,
    INSTALLING,
    JOINED,
    SETTLING,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names

# The host's own watcher ends an installer at its timeout; this is what it and the way back may take.
INSTALL_GRACE_SECONDS = 60
# How long a host that the platform calls connected is given to say how its installer ended.
SILENT_SECONDS = 30


class HostWatch:
    """One waiting host. C(look) is told what is known now, and keeps what follows.

    entry: the plan's. has_installer: whether an installer was started or found running (else roles were assigned).
    started_here: whether this run started it. last_started: start of an install that was over before, which the host's record still
    tells of. settle_time: how long a host has to stay connected. Times are seconds since the watch began.
    """

    def __init__(
        self,
        entry: Mapping[str, Any],
        *,
        has_installer: bool,
        install_timeout: float,
        connect_timeout: float,
        storage_path: str,
        started_here: bool = True,
        last_started: float | None = None,
        settle_time: float = 0,
    ) -> None:
        self.entry = entry
        self.name = entry["name"]
        self.phase = INSTALLING if has_installer else CONNECTING
        self.message = ""
        self.install_seconds: float | None = None
        self.connect_seconds: float | None = None
        self.zone = entry.get("zone")
        self.memory_mb: int | None = None
        self._has_installer = has_installer
        self._started_here = started_here
        self._last_started = last_started
        self._settle_time = settle_time
        self._drops = 0
        # Whether what has failed is an installer that ran before this run, so that this run may start one of its own.
        self.again = False
        self._heard: tuple[float, Any] = (0.0, None)
        self._not_started = False
        self._storage_path = storage_path
        self._install_deadline = install_timeout + INSTALL_GRACE_SECONDS
        self._connect_timeout = connect_timeout
        self._installed_at: float | None = None if has_installer else 0.0
        self._seen_connected_at: float | None = None

    @property
    def over(self) -> bool:
        """Whether the verdict stands."""
        return self.phase in (JOINED, FAILED)

    def look(
        self,
        now: float,
        known: Mapping[str, Any] | None,
        record: Mapping[str, Any] | None,
        trouble: str | None = None,
        silence: str | None = None,
        asked_at: float | None = None,
    ) -> None:
        """known: the platform's entry (known_hosts) or None. asked_at: when the platform gave it, if not just now.

        record: the installer's last word or None.
        trouble: why the platform could not be asked, so that C(known) says nothing. silence: why the host could not be asked.
        """
        if self.over:
            return
        if self.phase == INSTALLING:
            self._look_at_installer(now, record)
        if self.over:
            return
        if not trouble and api_state(known, self.entry["roles"])[0] == JOINED:
            self._look_at_connected(now, known, now if asked_at is None else asked_at)
            return
        if not trouble and self._seen_connected_at is not None:
            self._seen_connected_at = None
            if self.phase == SETTLING:
                self.phase = CONNECTING
                self._drops += 1
        self._look_at_deadlines(now, known, trouble, silence)

    def _look_at_installer(self, now, record):
        state = installer.install_state(record) if record else "silent"
        if record and record.get("now") != self._heard[1]:
            self._heard = (now, record.get("now"))
        if (
            state in ("finished", "interrupted")
            and record.get("rc") != 0
            and record.get("started") == self._last_started
        ):
            state = (
                "absent"  # an earlier install's end, which says nothing of an installer that somebody started by hand
            )
        self._not_started = state == "absent" and self._started_here
        if state == "finished" and record.get("rc") == 0:
            self.phase = CONNECTING
            self.install_seconds = record.get("seconds")
            # By the host's own clock, so that it does not matter when it was asked.
            self._installed_at = now - max(0.0, record.get("now", 0) - record.get("finished", record.get("now", 0)))
        elif state in ("finished", "interrupted"):
            self._fail(installer.outcome(record, self._storage_path, self.name)["msg"])
            self.again = not self._started_here
            self.install_seconds = record.get("seconds")

    def _look_at_connected(self, now, known, asked_at):
        if self._seen_connected_at is None:
            self._seen_connected_at = asked_at
        allocator = flat_allocator(known.get("allocator") or {})
        self.memory_mb = allocator["memory_total_mb"]
        self.zone = flat_runner(known.get("runner") or {})["zone"] or allocator["zone_id"] or self.zone
        if (
            self.phase == INSTALLING
            and now - max(self._seen_connected_at, self._heard[0]) < SILENT_SECONDS
            and now <= self._install_deadline
        ):
            return  # connected before its installer ended: that end decides, as long as the host can be asked
        wrong = differences(known, self.entry.get("zone"), self.entry.get("version"))
        if wrong:
            self._fail(
                "it joined, but " + " and ".join(wrong) + "; remove the host from the platform and join it again"
            )
            return
        if self.phase == INSTALLING:
            self._installed_at = (
                now  # nobody has told when it ended; from here on it is connections that are waited for
            )
        # By what was asked later and not by an old answer looked at again.
        self.phase = JOINED if asked_at - self._seen_connected_at >= self._settle_time else SETTLING
        if self.install_seconds is not None or not self._has_installer:
            self.connect_seconds = max(0.0, self._seen_connected_at - self._installed_at)

    def _look_at_deadlines(self, now, known, trouble, silence):
        if self.phase == INSTALLING and self._not_started and now > SILENT_SECONDS:
            self._fail("its installer was not started (the connection was lost before that); run this again")
        elif self.phase == INSTALLING and now > self._install_deadline:
            if silence:
                text = (
                    "the host has not answered for {0:.0f} s ({1}), so whether its installer has ended is not known; look at its console and network, "
                    "then run this again to go on waiting"
                )
                self._fail(text.format(now - self._heard[0], silence))
            else:
                self._fail(
                    f"its installer did not end within {self._install_deadline:.0f} s; run this again to go on waiting"
                )
        elif self.phase in (CONNECTING, SETTLING) and now - self._installed_at > self._connect_timeout:
            since = "its installer had ended" if self._has_installer else "its roles had been assigned"
            reason = trouble or not_ready_reason(known, self.entry["roles"])
            if self._drops:
                times = "once" if self._drops == 1 else "{0} times".format(self._drops)
                reason += "; it had connected {0} and dropped again: look at its runner's logs and the network to the coordinators".format(
                    times
                )
            self._fail(
                "not connected {0:.0f} s after {1} (ece_host_connect_timeout): {2}".format(
                    self._connect_timeout, since, reason
                )
            )

    def _fail(self, message):
        self.phase = FAILED
        self.message = message

    def row(self) -> dict:
        """For the table and set_stats."""
        return {
            "host": self.name,
            "zone": self.zone,
            "verdict": self.phase,
            "install_seconds": self.install_seconds,
            "connect_seconds": self.connect_seconds,
            "memory_mb": self.memory_mb,
            "note": self.message,
        }


def progress(watches, connected=()) -> str:
    """7/12 connected: a, b; 1 failed, 4 installing, waiting for c, d and 2 more

    connected: names of those that are since the last word.
    """
    joined = sum(1 for watch in watches if watch.phase in (SETTLING, JOINED))
    words = f"{joined}/{len(watches)} connected" + (f": {first_names(connected)}" if connected else "")
    counts = {
        phase: sum(1 for watch in watches if watch.phase == phase)
        for phase in (FAILED, INSTALLING, CONNECTING, SETTLING)
    }
    rest = [f"{count} {phase}" for phase, count in counts.items() if count]
    waiting = [watch.name for watch in watches if not watch.over]
    if waiting:
        rest.append("waiting for " + first_names(waiting))
    return words + (("; " if connected else ", ") + ", ".join(rest) if rest else "")
