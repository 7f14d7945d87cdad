# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Follows the installers on many hosts. A host holds a question open until its installer ends."""

from __future__ import annotations

import errno
import functools
import os
import re
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Callable, Mapping, Sequence, cast

from ansible_collections.ece.platform.plugins.module_utils._install_record import install_state
from ansible_collections.ece.platform.plugins.module_utils._text import one_line, redact
from ansible_collections.ece.platform.plugins.plugin_utils._children import Child
from ansible_collections.ece.platform.plugins.plugin_utils._display import call_display
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import InstallRecord
from ansible_collections.ece.platform.plugins.plugin_utils._limits import tasks_left

# How long a host holds a question open while its installer runs.
HOLD_SECONDS = 25
# A question without an answer for longer than that beyond the hold is lost and asked again.
ANSWER_SECONDS = 20
# What giving up a connection may take after that.
RESET_SECONDS = 10
RECONNECT_SECONDS, RECONNECT_MAX_SECONDS = 5, 60
# Each question is a process with about 10 MB of its own, so more hosts than that take turns.
QUESTIONS_MAX = 32
# A question is a process that starts two: SSH, and SSH's shared connection or the program of a become plugin.
TASKS_PER_QUESTION = 3
# More questions than that would keep a processor busy for the whole wait.
TURNS_PER_SECOND = 10
# What a program says that may not start another process.
NO_PROCESS = os.strerror(errno.EAGAIN)
# What Ansible says of a question without an answer, and before a reason.
TIMEOUTS = ("failed to execute in the expected time frame", "waiting for privilege escalation prompt")
PREFIX = re.compile(r"^(?:(?:Task|Action) failed: )+")
ERROR_LENGTH_MAX = 200
# The first element of what a child sends last.
ANSWER = "answer"

# Asks a host in a child process: (host, command, timeout in seconds, send) -> the result of a task. send: passes a call
# of Display to this process, as (method, arguments, keywords).
Send = Callable[[tuple[Any, ...]], None]
Ask = Callable[[str, Sequence[str], int, Send], Mapping[str, Any]]


@dataclass
class _Host:
    name: str
    command: Sequence[str]
    # When to ask it next, by the monotonic clock.
    due: float = 0.0
    # Questions without an answer in a row.
    misses: int = 0


@dataclass
class _Question:
    host: _Host
    child: Child
    asked_at: float
    deadline: float


class Followers:
    """The latest record of each host's installer. A lost connection is made again.

    Each question is a process of its own, so that nothing of one host's question is in another's. Where there may not
    be one for each host, the hosts take turns with questions that they answer at once.
    """

    def __init__(self, ask: Ask, interval: float) -> None:
        """interval: seconds in which each host is asked once where they take turns and are not too many for that."""
        self.records: dict[str, InstallRecord] = {}
        # Why a host cannot be asked now. An empty text where it answered last.
        self.errors: dict[str, str] = {}
        self._ask = ask
        self._interval = interval
        # Hosts that wait for their next question, the one that has waited longest first.
        self._waiting: list[_Host] = []
        self._questions: dict[Connection, _Question] = {}
        self._at_once_max = self._at_once = questions_at_once()

    def add(self, name: str, command: Sequence[str]) -> None:
        """Add a host. command: prints its record after the seconds that follow as the last argument."""
        self._waiting.append(_Host(name, command))

    def look(self, seconds: float) -> None:
        """Ask the hosts whose turn it is, and take the answers of these seconds."""
        end = time.monotonic() + seconds
        while True:
            self._ask_due_hosts()
            left = end - time.monotonic()
            if left <= 0:
                return
            if not self._questions:
                time.sleep(left)
            for connection in wait(list(self._questions), left):
                self._take(self._questions[cast(Connection, connection)])
            for question in list(self._questions.values()):
                if time.monotonic() > question.deadline:
                    self._close(question, None, "no answer")

    def stop(self) -> None:
        """End all questions."""
        for question in self._questions.values():
            question.child.end()
        self._questions.clear()

    def _takes_turns(self) -> bool:
        return len(self._waiting) + len(self._questions) > self._at_once

    def _ask_due_hosts(self) -> None:
        now = time.monotonic()
        for host in [host for host in self._waiting if host.due <= now]:
            if len(self._questions) >= self._at_once:
                return
            hold = 0 if self._takes_turns() else HOLD_SECONDS
            try:
                child = Child(functools.partial(_answer, self._ask, host, hold))
            except OSError:
                self._ask_fewer()
                return
            self._waiting.remove(host)
            deadline = now + hold + ANSWER_SECONDS + RESET_SECONDS
            self._questions[child.connection] = _Question(host, child, now, deadline)

    def _ask_fewer(self) -> None:
        """Leave tasks of this process's share to what the remaining questions start."""
        self._at_once = max(1, min(self._at_once, len(self._questions)) * 2 // 3)

    def _take(self, question: _Question) -> None:
        """Take what arrived from a question: calls of Display, and at last the answer."""
        try:
            kind, first, second = question.child.connection.recv()
        except (EOFError, OSError):
            self._close(question, None, "no answer")
            return
        if kind == ANSWER:
            self._close(question, first, second)
        else:
            call_display(kind, *first, **second)

    def _close(self, question: _Question, record: InstallRecord | None, reason: str) -> None:
        del self._questions[question.child.connection]
        question.child.end()
        host, now = question.host, time.monotonic()
        self.errors[host.name] = reason
        if record is None:
            host.misses += 1
            if NO_PROCESS in reason:
                self._ask_fewer()
        else:
            host.misses = 0
            self.records[host.name] = record
            self._at_once = min(self._at_once + 1, self._at_once_max)
            if install_state(record) in ("finished", "interrupted"):
                return
        self._waiting.append(host)
        if self._takes_turns():
            hosts = len(self._waiting) + len(self._questions)
            host.due = question.asked_at + max(self._interval, hosts / TURNS_PER_SECOND)
        if record is None or record.get("lock") != "running":
            # A question without an answer may leave a hanging connection behind, so the pauses grow.
            pause = min(RECONNECT_SECONDS * 2 ** max(0, host.misses - 1), RECONNECT_MAX_SECONDS)
            host.due = max(host.due, now + pause)


def _answer(ask: Ask, host: _Host, hold: int, connection: Connection) -> None:
    """Ask a host and send the answer to the parent, in a child process."""
    try:
        result = ask(host.name, [*host.command, str(hold)], hold + ANSWER_SECONDS, connection.send)
    except Exception as error:  # plugins raise any type
        result = {"msg": str(error)}
    record = result.get("record")
    connection.send((ANSWER, record, "" if record else _reason(result)))


def _reason(result: Mapping[str, Any]) -> str:
    """Return why a task has no record."""
    message = PREFIX.sub("", one_line(result.get("msg") or ""))
    # A host that stops answering before sudo asks for a password is as silent as any other.
    if not message or "timedout" in result or any(text in message for text in TIMEOUTS):
        return "no answer"
    return redact(message[:ERROR_LENGTH_MAX])


def questions_at_once() -> int:
    """Return how many hosts may hold a question open."""
    return max(1, min(QUESTIONS_MAX, tasks_left() // TASKS_PER_QUESTION))
