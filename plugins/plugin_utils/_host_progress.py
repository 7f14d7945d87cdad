# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The way of one host from the start of its installer until it has joined. No clock and no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._install_record import (
    FINISHED,
    INTERRUPTED,
    install_state,
    outcome,
)
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    KnownHost,
    PlanEntry,
    api_state,
    differences,
    not_ready_reason,
)
from ansible_collections.ece.platform.plugins.module_utils._records import flat_allocator, zone_of
from ansible_collections.ece.platform.plugins.module_utils._states import (
    CONNECTING,
    FAILED,
    INSTALLING,
    JOINED,
    SETTLING,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import InstallRecord

# The host itself stops an installer at its timeout. This is what stopping and reporting may take beyond that.
INSTALL_GRACE_SECONDS = 60
# How long a host that the platform calls connected may take to report the end of its installer.
REPORT_GRACE_SECONDS = 30
# How late a list may show a host before the platform is asked for that host alone. A host whose installer ended unseen
# has at least this time to connect.
UNLISTED_SECONDS = 60


class HostRow(TypedDict):
    """One host in the report: a line of the table and an entry of the statistics. Memory is in MB."""

    host: str
    zone: str | None
    verdict: str
    install_seconds: float | None
    connect_seconds: float | None
    memory_mb: float | None
    note: str


class HostTimes(TypedDict):
    """When what happened on a host, in seconds. None for what did not happen or is not known."""

    started_at: float | None
    ended_at: float | None
    connected_at: float | None


@dataclass(frozen=True)
class Observation:
    """What is known of a host at one moment. Times are seconds since the wait began."""

    now: float
    # The platform's entry, the time at which it was asked, and why it could not be asked.
    known: KnownHost | None = None
    asked_at: float | None = None
    platform_error: str | None = None
    # Whether that is from the platform's lists alone, which may lack a host or show it late.
    only_listed: bool = False
    # What the host last reported of its installer, and why it cannot be asked now.
    record: InstallRecord | None = None
    host_error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What the wait expects of a host. Times are seconds."""

    install_timeout: float
    connect_timeout: float
    # How long a host has to stay connected.
    settle_time: float = 0
    storage_path: str
    # Whether there is an installer. Else roles were assigned to a host that has ECE.
    has_installer: bool = True
    # Whether this run started the installer. Else it was found running.
    started_here: bool = True
    # Why there is nothing to wait for, where the check of the host has found that.
    joined: str | None = None
    # When an installation started that had ended before this run, by the host's clock. Its record is still there.
    previous_start: float | None = None


class HostProgress:
    """The phase of one host, updated by observations."""

    def __init__(self, entry: PlanEntry, expected: Expectation) -> None:
        self.entry = entry
        self.name = entry["name"]
        self.phase = INSTALLING if expected.has_installer else CONNECTING
        self.message = ""
        if expected.joined is not None:
            self.phase, self.message = JOINED, expected.joined
        self.install_seconds: float | None = None
        self.connect_seconds: float | None = None
        self.zone = entry.get("zone")
        self.memory_mb: float | None = None
        # When its installer started, which may be before the wait began, and ended, however it did.
        self._installer_started_at: float | None = None
        self._installer_ended_at: float | None = None
        self._expected = expected
        self._install_deadline = expected.install_timeout + INSTALL_GRACE_SECONDS
        self._installed_at: float | None = None if expected.has_installer else 0.0
        self._not_started = False
        # What is said of an installer that ended unseen, if the host does not connect.
        self._unseen_end: str | None = None
        # When the host last reported, and its own clock in that report.
        self._reported: tuple[float, float | None] = (0.0, None)
        self._connected_at: float | None = None
        self._disconnections = 0

    @property
    def over(self) -> bool:
        """Whether the host has joined or failed."""
        return self.phase in (JOINED, FAILED)

    def update(self, seen: Observation) -> None:
        """Go on to the phase that follows from an observation."""
        if self.phase == INSTALLING:
            self._update_installer(seen)
        if self.over:
            return
        if seen.platform_error:
            self._check_deadlines(seen)
        elif api_state(seen.known, self.entry["roles"])[0] == JOINED:
            self._update_connected(seen)
        else:
            self._update_disconnected()
            self._check_deadlines(seen)

    def is_late(self, now: float) -> bool:
        """Return whether the lists should have shown this host as connected before."""
        late = min(UNLISTED_SECONDS, self._expected.connect_timeout)
        return self.phase in (CONNECTING, SETTLING) and now - (self._installed_at or 0.0) > late

    @property
    def rank(self) -> tuple[bool, float, str]:
        """The order in which late hosts are asked for: those that settle, which need two answers, then the latest."""
        return self.phase != SETTLING, self._installed_at or 0.0, self.entry["runner_id"]

    def _update_installer(self, seen: Observation) -> None:
        record = seen.record
        if record and record.get("now") != self._reported[1]:
            self._reported = (seen.now, record.get("now"))
        state = self._installer_state(record)
        self._not_started = state == "absent" and self._expected.started_here
        self._note_times(seen.now, state, record or {})
        if record is None or state not in (FINISHED, INTERRUPTED):
            return
        self.install_seconds = record.get("seconds")
        if state == INTERRUPTED:
            # It may have ended well after the process that watched it was killed. The platform knows whether it has.
            self.phase, self._unseen_end = CONNECTING, self._installer_failure(record)
            self._installed_at = seen.now
        elif record.get("rc") == 0:
            self.phase = CONNECTING
            # By the host's own clock, so that it does not matter when the host was asked.
            reported_at = record.get("now", 0)
            self._installed_at = seen.now - max(0.0, reported_at - record.get("finished", reported_at))
        else:
            self._fail(self._installer_failure(record))

    def _note_times(self, now: float, state: str, record: InstallRecord) -> None:
        """Note start and end of the installer. Both are by the host's own clock, so only distances from now count."""
        host_now = record.get("now")
        if state in ("absent", "silent") or host_now is None:
            return
        if "started" in record:
            self._installer_started_at = now - max(0.0, host_now - record["started"])
        if state == FINISHED and "finished" in record:
            self._installer_ended_at = now - max(0.0, host_now - record["finished"])

    def _installer_state(self, record: InstallRecord | None) -> str:
        if not record:
            return "silent"
        state = str(install_state(record))
        started = record.get("started")
        is_previous = started is not None and started == self._expected.previous_start
        if state in (FINISHED, INTERRUPTED) and record.get("rc") != 0 and is_previous:
            return "absent"  # the end of an earlier installation does not concern an installer started by hand
        return state

    def _installer_failure(self, record: InstallRecord) -> str:
        message = str(outcome(record, self._expected.storage_path, self.name)["msg"])
        if self._expected.started_here:
            return message
        return f"the installer that an earlier run started has failed; run this again to start a new one: {message}"

    def _update_connected(self, seen: Observation) -> None:
        known = seen.known or {}
        asked_at = seen.now if seen.asked_at is None else seen.asked_at
        if self._connected_at is None:
            self._connected_at = asked_at
        allocator = flat_allocator(known.get("allocator") or {})
        self.memory_mb = allocator["memory_total_mb"]
        self.zone = zone_of(known.get("runner"), known.get("allocator")) or self.zone
        if self.phase == INSTALLING and self._may_still_report(seen.now):
            return  # it is connected before its installer has ended; that end decides
        wrong = differences(known, self.entry.get("zone"), self.entry.get("version"))
        if wrong:
            joined_differently = f"it joined, but {' and '.join(wrong)}"
            self._fail(f"{joined_differently}; remove the host from the platform and join it again")
            return
        if self._installed_at is None:
            self._installed_at = seen.now  # the host never reported the end of its installer
        # An old answer that is read again does not prove that the host stayed connected.
        self.phase = JOINED if asked_at - self._connected_at >= self._expected.settle_time else SETTLING
        if self.install_seconds is not None or not self._expected.has_installer:
            self.connect_seconds = max(0.0, self._connected_at - self._installed_at)

    def _may_still_report(self, now: float) -> bool:
        since = max(self._connected_at or 0.0, self._reported[0])
        return now - since < REPORT_GRACE_SECONDS and now <= self._install_deadline

    def _update_disconnected(self) -> None:
        self._connected_at = None
        if self.phase == SETTLING:
            self.phase = CONNECTING
            self._disconnections += 1

    def _check_deadlines(self, seen: Observation) -> None:
        if self.phase == INSTALLING:
            self._check_install_deadline(seen)
        elif self._unseen_end is not None and not seen.platform_error:
            self._check_unseen_end(seen, self._unseen_end)
        elif self._installed_at is not None and seen.now - self._installed_at > self._expected.connect_timeout:
            if seen.platform_error or not seen.only_listed:
                self._fail(self._unseen_end or self._not_connected(seen))

    def _check_unseen_end(self, seen: Observation, failure: str) -> None:
        limit = min(self._expected.connect_timeout, max(self._expected.settle_time, UNLISTED_SECONDS))
        # An answer from before that time does not tell what the host has done until then.
        asked_at = seen.now if seen.asked_at is None else seen.asked_at
        if asked_at - (self._installed_at or 0.0) > limit and not seen.only_listed:
            self._fail(failure)

    def _check_install_deadline(self, seen: Observation) -> None:
        if self._not_started and seen.now > REPORT_GRACE_SECONDS:
            self._fail("its installer was not started because the connection was lost before that; run this again")
        elif seen.now > self._install_deadline and seen.host_error:
            self._fail(
                f"the host has not answered for {seen.now - self._reported[0]:.0f} s ({seen.host_error}), so it is not "
                "known whether its installer has ended; look at its console and network, then run this again"
            )
        elif seen.now > self._install_deadline:
            self._fail(
                f"its installer did not end within {self._install_deadline:.0f} s; run this again to wait longer"
            )

    def _not_connected(self, seen: Observation) -> str:
        since = "its installer ended" if self._expected.has_installer else "its roles were assigned"
        reason = seen.platform_error or not_ready_reason(seen.known, self.entry["roles"])
        if self._disconnections:
            times = "once" if self._disconnections == 1 else f"{self._disconnections} times"
            reason += (
                f"; it connected {times} and disconnected again: "
                "look at its runner's logs and the network to the coordinators"
            )
        timeout = f"{self._expected.connect_timeout:.0f}"
        return f"not connected {timeout} s after {since} (ece_host_connect_timeout): {reason}"

    def _fail(self, message: str) -> None:
        self.phase = FAILED
        self.message = message

    def times(self) -> HostTimes:
        """Return when its installer started and ended, and when it connected, in seconds since the wait began."""
        return {
            "started_at": self._installer_started_at,
            "ended_at": self._installer_ended_at,
            "connected_at": self._connected_at,
        }

    def row(self) -> HostRow:
        """Return the host's row of the report."""
        return {
            "host": self.name,
            "zone": self.zone,
            "verdict": self.phase,
            "install_seconds": self.install_seconds,
            "connect_seconds": self.connect_seconds,
            "memory_mb": self.memory_mb,
            "note": self.message,
        }


def unlisted(hosts: Iterable[HostProgress], now: float) -> list[str]:
    """Return the runner ids of hosts that the lists should have shown as connected before."""
    late = sorted((host for host in hosts if host.is_late(now)), key=lambda host: host.rank)
    return [host.entry["runner_id"] for host in late]


def progress(hosts: Iterable[HostProgress], connected: Iterable[str] = ()) -> str:
    """Return one line on a batch: 7/12 connected: a, b; 1 failed, 4 installing, waiting for c, d and 2 more

    connected: names of the hosts that connected since the last line.
    """
    hosts, connected = list(hosts), list(connected)
    count = sum(1 for host in hosts if host.phase in (SETTLING, JOINED))
    line = f"{count}/{len(hosts)} connected" + (f": {first_names(connected)}" if connected else "")
    counts = {
        phase: sum(1 for host in hosts if host.phase == phase) for phase in (FAILED, INSTALLING, CONNECTING, SETTLING)
    }
    rest = [f"{count} {phase}" for phase, count in counts.items() if count]
    waiting = [host.name for host in hosts if not host.over]
    if waiting:
        rest.append(f"waiting for {first_names(waiting)}")
    return line + (("; " if connected else ", ") + ", ".join(rest) if rest else "")
