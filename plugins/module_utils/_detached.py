# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Run the installer detached and supervised, so that it outlives the module, the connection and the controller.

The supervisor holds a lock while the installer runs and writes a record when it has ended; later runs find both.
Runs on hosts: Python 3.6 and the standard library.
"""

import collections
import fcntl
import json
import os
import select
import signal
import subprocess
import time
from typing import IO, Any, Deque, Dict, List, NamedTuple, NoReturn, Optional, cast

from ansible_collections.ece.platform.plugins.module_utils import _host_facts as host_facts
from ansible_collections.ece.platform.plugins.module_utils._container_engine import engine_client
from ansible_collections.ece.platform.plugins.module_utils._ece import INSTALLER_CONTAINER
from ansible_collections.ece.platform.plugins.module_utils._host_files import make_folder, mask_tokens, write_private
from ansible_collections.ece.platform.plugins.module_utils._host_process import (
    User,
    become_user,
    clean_environment,
    run_command,
)
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._install_record import TAIL_LINES, LogPaths, last_lines
from ansible_collections.ece.platform.plugins.module_utils._text import redact

GRACE_SECONDS = 10
POLL_SECONDS = 0.5
READ_BYTES = 65536
# Exit code in the record of an installer whose supervisor failed.
SUPERVISOR_FAILED = 126

Record = Dict[str, Any]


class Job(NamedTuple):
    """An installer to run. timeout is in seconds; engine, bin_paths and docker_socket serve to stop it."""

    command: List[str]
    user: User
    paths: LogPaths
    token: str
    roles: List[str]
    timeout: int
    engine: Optional[str]
    bin_paths: List[str]
    docker_socket: str


# -- start -----------------------------------------------------------------------------------------------------------


def try_lock(lock: int) -> bool:
    """Lock a file exclusively. Repeats, because a process that only asks whether it is locked locks it for a moment."""
    for attempt in range(5):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.1 * attempt)
    return False


def start_detached(job: Job) -> bool:
    """Start the installer under a supervisor of its own; false if there is a supervised installer already."""
    make_folder(job.paths.folder, job.user)
    lock = os.open(job.paths.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if not try_lock(lock):
        os.close(lock)
        return False
    # An installer that ended with a reboot left its logs unmasked.
    mask_tokens(os.path.dirname(job.paths.bootstrap), job.token)
    record = {"started": time.time(), "timeout": job.timeout, "roles": job.roles}
    write_private(job.paths.record, json.dumps(record).encode())
    child = os.fork()
    if not child:
        _detach_and_supervise(job, record)
    os.waitpid(child, 0)
    os.close(lock)  # the supervisor's copy still holds the lock
    return True


def _detach_and_supervise(job: Job, record: Record) -> NoReturn:
    """Become a process of its own session, supervise the installer and exit."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        # An open copy of the module's output would keep the connection waiting.
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        supervise(job, record)
    except Exception as error:
        text = redact(f"{type(error).__name__}: {error}", [job.token])
        write_record(job.paths.record, dict(_ended(record), rc=SUPERVISOR_FAILED, output=[text]))
    finally:
        os._exit(0)


# -- supervise -------------------------------------------------------------------------------------------------------


class OutputLog:
    """The installer's output without tokens: complete in a file, its last lines in memory."""

    def __init__(self, path: str, token: str) -> None:
        self.lines: Deque[str] = collections.deque(maxlen=TAIL_LINES)
        self._token = token
        self._pending = b""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)

    def feed(self, chunk: bytes) -> None:
        """Take a piece of the output; its last line waits for the rest of it."""
        *whole, self._pending = (self._pending + chunk).split(b"\n")
        for line in whole:
            self._add(line)

    def end(self) -> None:
        """Take the last line, which may have no end of line."""
        if self._pending:
            self._add(self._pending)

    def _add(self, line: bytes) -> None:
        text = redact(line.decode("utf-8", "replace"), [self._token])
        self.lines.append(text)
        try:
            os.write(self._file, text.encode("utf-8") + b"\n")
        except OSError:
            pass  # a full disk must not end the installer; the record has the last lines


def supervise(job: Job, record: Record) -> None:
    """Run the installer to its end, keep its output without the token, and write the record."""
    output = OutputLog(job.paths.output, job.token)
    process = subprocess.Popen(
        job.command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=clean_environment(job.user.name, job.user.home, job.bin_paths),
        cwd="/",
        preexec_fn=become_user(job.user.name),
        start_new_session=True,
    )
    try:
        timed_out = collect(process, job, output)
        bootstrap_log = last_lines(redact(read_text(job.paths.bootstrap), [job.token]))
    except BaseException:
        stop(process, job)  # while the lock is held: another run must not take this host for a free one
        raise
    finally:
        # The vendor's installer may log its own arguments.
        mask_tokens(os.path.dirname(job.paths.bootstrap), job.token)
    ending = {"timed_out": timed_out, "output": list(output.lines), "bootstrap_log": bootstrap_log}
    write_record(job.paths.record, dict(_ended(record), rc=process.returncode, **ending))


def collect(process: "subprocess.Popen[bytes]", job: Job, output: OutputLog) -> bool:
    """Take the installer's output until it has ended, and stop it at its timeout. Return whether it was stopped."""
    stream = cast(IO[bytes], process.stdout).fileno()
    os.set_blocking(stream, False)
    timed_out = False
    deadline = time.monotonic() + job.timeout
    while True:
        ended = process.poll() is not None
        is_ready = bool(select.select([stream], [], [], 0 if ended else POLL_SECONDS)[0])
        chunk = os.read(stream, READ_BYTES) if is_ready else b""
        output.feed(chunk)
        # A process that left the group may hold the output open, and write on after the installer was stopped.
        if ended and (not chunk or time.monotonic() > deadline + GRACE_SECONDS):
            output.end()
            return timed_out
        if is_ready and not chunk and not ended:
            time.sleep(POLL_SECONDS)  # the output is closed, the process still runs
        if not timed_out and time.monotonic() > deadline:
            timed_out = True
            stop(process, job)


def stop(process: "subprocess.Popen[bytes]", job: Job) -> None:
    """End the installer, all processes that it started, and its container, which is not its child."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            # Both, although the first may have ended the script: a child that ignores it keeps the group alive.
            os.killpg(process.pid, number)
            process.wait(GRACE_SECONDS)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    client = engine_client(job.engine, job.bin_paths, job.docker_socket)
    if client:
        run_command([*client, "rm", "--force", INSTALLER_CONTAINER], user=job.user.name, paths=job.bin_paths)


# -- record ----------------------------------------------------------------------------------------------------------


def _ended(record: Record) -> Record:
    """The record of an installer that has ended now."""
    finished = time.time()
    return dict(record, finished=finished, seconds=round(finished - record["started"], 1))


def write_record(path: str, record: Record) -> None:
    """Write the record of an installer, on a full disk too: without it the end of the installer would be unknown."""
    try:
        write_private(path, json.dumps(record).encode())
    except OSError:
        # A full disk has no room for another file, but the existing file keeps its first block.
        short = dict(record, output=[line[:500] for line in record["output"][-2:]], bootstrap_log=[])
        handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
        os.ftruncate(handle, os.write(handle, json.dumps(short).encode()))
        os.close(handle)


def follow(paths: LogPaths) -> Record:
    """The record, after the supervisor has released the lock."""
    while host_facts.lock_is_held(paths.lock):
        time.sleep(POLL_SECONDS)
    try:
        record = json.loads(read_text(paths.record) or "{}")
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
