# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Follows the installers on many hosts over one open connection per host, which reports the installer's end."""

from __future__ import annotations

import collections
import resource
import shlex
import threading
from dataclasses import dataclass
from typing import Any, Sequence, cast

from ansible_collections.ece.platform.plugins.module_utils._install_record import install_state, parse_follow
from ansible_collections.ece.platform.plugins.module_utils._text import one_line, redact
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import InstallRecord
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost
from ansible_collections.ece.platform.plugins.plugin_utils._remote import on_host
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import is_set

# How long a host holds a request open while its installer runs.
HOLD_SECONDS = 25
# A connection without an answer for longer than that beyond the hold is lost and made again.
ANSWER_SECONDS = 20
RECONNECT_SECONDS, RECONNECT_MAX_SECONDS = 5, 60
# An open request takes about this many file descriptors of this process; the platform and Ansible need some, too.
FILES_PER_REQUEST = 8
FILES_RESERVED = 256
REQUESTS_MAX = 1000
ERROR_LENGTH_MAX = 200


@dataclass
class _Host:
    name: str
    variables: OneHost
    command: Sequence[str]
    # Requests without an answer in a row.
    misses: int = 0


class Followers:
    """The latest record of each host's installer. A lost connection is made again.

    One thread per host holds a request open. Where this process may not have enough threads or files for that, the
    hosts take turns with short requests.
    """

    def __init__(self, action: Any, interval: float) -> None:
        """interval: seconds in which each host is asked once where they take turns."""
        self.records: dict[str, InstallRecord] = {}
        # Why a host cannot be asked now. An empty text where it answered last.
        self.errors: dict[str, str] = {}
        self._action = action
        self._interval = interval
        self._hosts: collections.deque[_Host] = collections.deque()
        self._hold: float = HOLD_SECONDS
        self._begin, self._stop = threading.Event(), threading.Event()

    def add(self, name: str, variables: OneHost, command: Sequence[str]) -> None:
        """Add a host. command: prints its record after the seconds that follow as the last argument."""
        self._hosts.append(_Host(name, variables, command))

    def start(self) -> None:
        """Start to follow all hosts that were added."""
        count, threads = len(self._hosts), 0
        for _number in range(min(count, requests_at_once())):
            try:
                threading.Thread(target=self._run, daemon=True).start()
            except RuntimeError:  # the process may not have more threads
                if not threads:
                    raise
                break
            threads += 1
        self._hold = HOLD_SECONDS if threads == count else self._interval * threads / count
        self._begin.set()

    def stop(self) -> None:
        """Ask no further host. Threads with an open request end later."""
        self._stop.set()

    def _run(self) -> None:
        self._begin.wait()
        while not self._stop.is_set():
            try:
                host = self._hosts.popleft()
            except IndexError:
                return  # other threads follow the other hosts
            record = self._ask(host)
            host.misses = 0 if record else host.misses + 1
            if record is not None and install_state(record) in ("finished", "interrupted"):
                continue
            if record is None or record["lock"] != "running":
                # A request without an answer may leave a hanging connection behind, so the pauses grow.
                self._stop.wait(min(RECONNECT_SECONDS * 2 ** max(0, host.misses - 1), RECONNECT_MAX_SECONDS))
            self._hosts.append(host)

    def _ask(self, host: _Host) -> InstallRecord | None:
        """Return the host's record, or None where it cannot be asked."""
        answers: list[tuple[InstallRecord | None, str]] = []
        try:
            command = " ".join(shlex.quote(argument) for argument in (*host.command, str(self._hold)))
            remote = on_host(self._action, host.variables, is_set(host.variables, "ece_host_become"))
            # In a thread of its own, because a connection that is lost without a message does not end by itself.
            request = threading.Thread(target=lambda: answers.append(_answer(remote, command)), daemon=True)
            request.start()
            request.join(self._hold + ANSWER_SECONDS)
            if not answers:
                remote._connection.reset()
            record, self.errors[host.name] = answers[0] if answers else (None, "no answer")
        except Exception as error:  # connection plugins raise any type
            record, self.errors[host.name] = None, redact(str(error)[:ERROR_LENGTH_MAX])
        if record is not None:
            self.records[host.name] = record
        return record


def _answer(remote: Any, command: str) -> tuple[InstallRecord | None, str]:
    """Return the host's record or None, and why there is none."""
    try:
        answer = remote._low_level_execute_command(command, sudoable=True)
    except Exception as error:
        message = one_line(error)
        # A host that stops answering before sudo asks for a password is as silent as any other.
        silent = "waiting for privilege escalation prompt" in message
        return None, "no answer" if silent else redact(message[:ERROR_LENGTH_MAX])
    record = parse_follow(answer.get("stdout", ""))
    if record:
        return cast(InstallRecord, record), ""
    return None, redact((answer.get("stderr") or answer.get("stdout") or "no answer").strip()[-ERROR_LENGTH_MAX:])


def requests_at_once() -> int:
    """Return how many requests this process may hold open. Raises its limit of files up to the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = REQUESTS_MAX * FILES_PER_REQUEST + FILES_RESERVED
    if hard != resource.RLIM_INFINITY:
        files = min(files, hard)
    if soft < files:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
        except (OSError, ValueError):
            files = soft
    return max(1, (files - FILES_RESERVED) // FILES_PER_REQUEST)
