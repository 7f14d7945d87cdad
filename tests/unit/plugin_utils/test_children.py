# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Child processes: they end with their parent, leave nothing behind, and share nothing."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils import _children
from ansible_collections.ece.platform.plugins.plugin_utils._children import Child


def state(pid):
    """Return the state of a process as /proc has it, or None where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return None


def are_gone(pids, seconds=60):
    """Return whether all processes end within these seconds. A zombie that waits for init has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if all(state(pid) in (None, "Z") for pid in pids):
            return True
        time.sleep(0.05)
    return False


def start_a_program(connection):
    """Start a program, send both ids, and wait for it."""
    with subprocess.Popen(["sleep", "60"]) as program:
        connection.send((os.getpid(), program.pid))
        program.wait()


def test_a_child_sends_what_it_found_and_ends():
    child = Child(lambda connection: connection.send({"found": os.getpid()}))
    assert child.connection.recv() == {"found": child.pid}
    with pytest.raises(EOFError):
        child.connection.recv()
    child.end()
    assert state(child.pid) is None


def test_a_child_that_ends_takes_its_programs_with_it_and_is_no_zombie():
    child = Child(start_a_program)
    pids = child.connection.recv()
    child.end()
    child.end()
    assert state(child.pid) is None and are_gone(pids)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_children_and_their_programs_end_with_a_parent_that_is_killed(number):
    def parent(connection):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        children = [Child(start_a_program) for _number in range(3)]
        connection.send([pid for child in children for pid in child.connection.recv()])
        time.sleep(60)

    child = Child(parent)
    pids = child.connection.recv()
    assert len(pids) == 6 and all(state(pid) for pid in pids)
    os.kill(child.pid, number)
    assert are_gone(pids)
    child.end()


def test_a_child_has_no_handlers_of_its_parent_and_prints_nothing(capfd):
    before = signal.signal(signal.SIGTERM, lambda *_arguments: None)
    try:
        child = Child(lambda connection: connection.send((os.write(1, b"stray"), signal.getsignal(signal.SIGTERM))[1]))
        assert child.connection.recv() == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
        child.end()
    assert capfd.readouterr().out == ""


def test_an_error_in_a_child_never_runs_code_of_its_parent():
    child = Child(lambda connection: 1 / 0)
    with pytest.raises(EOFError):
        child.connection.recv()
    child.end()
    assert state(child.pid) is None


def test_a_child_that_cannot_be_made_leaves_no_file_open(monkeypatch):
    def fork():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    before = os.listdir("/proc/self/fd")
    monkeypatch.setattr(_children.os, "fork", fork)
    with pytest.raises(OSError, match="unavailable"):
        Child(lambda connection: None)
    assert os.listdir("/proc/self/fd") == before
