# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Child processes of a task, where other programs would use threads.

Nothing of Ansible is made for threads: not Display, not connections, not templates. So this process has none, and can
be forked at any time. A child never outlives its parent, and two children never share anything.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import select
import signal
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Callable

STDIO = (0, 1, 2)
# What a worker of Ansible may have handlers for, which are not for its children.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


class Child:
    """A process that does one piece of work, and a connection to it.

    Its processes end with it, except those that leave its session, as a shared connection of SSH does.
    """

    # Children that have not ended. Each new child closes their ends, which only the parent may hold.
    _alive: set["Child"] = set()

    def __init__(self, work: Callable[[Connection], None]) -> None:
        """work: gets the other end of the connection. Raises OSError where there may not be another process."""
        self.connection, theirs = Pipe()
        try:
            lifeline, self._lifeline = os.pipe()
        except OSError:
            self.connection.close()
            theirs.close()
            raise
        try:
            self.pid = os.fork()
        except OSError:
            os.close(self._lifeline)
            self.connection.close()
            raise
        else:
            if not self.pid:
                self._live(work, theirs, lifeline)
        finally:
            os.close(lifeline)
            theirs.close()
        self._alive.add(self)

    def _live(self, work: Callable[[Connection], None], connection: Connection, lifeline: int) -> None:
        """Do the work in the child. Never returns, because the code that called it belongs to the parent."""
        status = 1
        try:
            os.setsid()
            for other in (self, *self._alive):
                other._close()
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            _end_with_parent(lifeline)
            _detach_stdio()
            gc.disable()  # it would write to all memory that the child shares with its parent
            work(connection)
            status = 0
        finally:
            os._exit(status)

    def _close(self) -> None:
        self.connection.close()
        os.close(self._lifeline)

    def end(self) -> None:
        """End the process and those that it started. Nothing of it is left afterwards."""
        if self not in self._alive:
            return
        self._alive.remove(self)
        # In this order: a child that is not yet a session of its own has not started any process.
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        self._close()


def _end_with_parent(lifeline: int) -> None:
    """Kill this process and those that it started once no process holds the other end of the lifeline."""

    def end(_number: int, _frame: Any) -> None:
        poll = select.poll()
        poll.register(lifeline, 0)
        if poll.poll(0):
            os.killpg(0, signal.SIGKILL)

    lifeline = os.dup(lifeline)
    signal.signal(signal.SIGIO, end)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    end(signal.SIGIO, None)  # the parent may have ended before the signal was set up


def _detach_stdio() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for number in STDIO:
        os.dup2(null, number)
    os.close(null)
