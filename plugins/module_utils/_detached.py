# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Run the installer detached and supervised, so that it outlives the module, the connection and the controller.

The supervisor holds a lock while the installer runs and writes a record when it has ended; later runs find both.
Runs on hosts: Python 3.6 and the standard library.
"""

import collections
import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from typing import Any, Deque, Dict, Iterator, List, NamedTuple, NoReturn, Optional, Sequence, Tuple

from ansible_collections.ece.platform.plugins.module_utils._container_engine import engine_client
from ansible_collections.ece.platform.plugins.module_utils._ece import INSTALLER_CONTAINER
from ansible_collections.ece.platform.plugins.module_utils._host_files import (
    let_group_read,
    make_folder,
    make_state_folder,
    mask_tokens,
    write_private,
)
from ansible_collections.ece.platform.plugins.module_utils._host_process import (
    User,
    become_user,
    clean_environment,
    run_command,
)
from ansible_collections.ece.platform.plugins.module_utils._host_session import Session, leave_session
from ansible_collections.ece.platform.plugins.module_utils._install_causes import all_causes
from ansible_collections.ece.platform.plugins.module_utils._install_files import (
    LOCK,
    OUTPUT,
    RECORD,
    Place,
    install_name,
    open_file,
    process_name,
    read_end,
)
from ansible_collections.ece.platform.plugins.module_utils._install_record import (
    BOOTSTRAP_LOGS,
    LOG_NAMES,
    TAIL_LINES,
    last_lines,
)
from ansible_collections.ece.platform.plugins.module_utils._text import redact

GRACE_SECONDS = 10
POLL_SECONDS = 0.5
# How long a supervisor may take to leave the session of the connecting user: longer than all time limits of that.
READY_SECONDS = 60
REMOVE_SECONDS = 30
READ_BYTES = 65536
# Lines of the output in which failed checks are looked for.
CHECKED_LINES = 400
# Where the installer's working folder is made.
WORK_PARENTS = ("/tmp", "/var/tmp")
LOG_BYTES_MAX = 1 << 20
# Why an installer was stopped.
TIMEOUT, SIGNAL = "timeout", "signal"
# Its standard input ends with the supervisor. Its standard output is where the installer's output is read from.
SPARE_READER = ("/bin/sh", "-c", "read x; exec cat <&1 >/dev/null")
# Exit code in the record of an installer whose supervisor failed.
SUPERVISOR_FAILED = 126

Record = Dict[str, Any]


class Job(NamedTuple):
    """An installer to run. timeout is in seconds; engine, bin_paths and docker_socket serve to stop it.

    place: the folder of its lock, record and output.
    """

    command: List[str]
    user: User
    place: Place
    storage_path: str
    token: str
    token_id: Optional[str]
    roles: List[str]
    timeout: int
    engine: Optional[str]
    bin_paths: List[str]
    docker_socket: str

    @property
    def logs(self) -> Place:
        """The folder of the installer's own logs."""
        return Place(self.storage_path, BOOTSTRAP_LOGS)


class Started(NamedTuple):
    """A supervisor that started. session_error, ends_with_session: see Session."""

    session_error: Optional[str]
    ends_with_session: bool


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


def _make_folders(job: Job) -> None:
    make_folder(job.storage_path, job.user)
    if job.place.base == job.storage_path:
        make_folder(job.place.folder, job.user)
    else:
        make_state_folder(job.place, job.user)


def start_detached(job: Job) -> Optional[Started]:
    """Start the installer under a supervisor of its own; None if there is a supervised installer already."""
    _make_folders(job)
    lock = open_file(job.place, LOCK, os.O_RDWR | os.O_CREAT)
    try:
        if not try_lock(lock):
            return None
        # An installer that ended with a reboot left its logs unmasked.
        mask_tokens(job.logs, job.token)
        record = {
            "started": time.time(),
            # The same moment on a clock that is never set, for the seconds that it takes.
            "begun": time.monotonic(),
            "timeout": job.timeout,
            "roles": job.roles,
            "token_id": job.token_id,
            "in_session": False,
            # This process waits until the supervisor has put itself in its place.
            "supervisor": process_name(os.getpid()),
        }
        _replace_record(job, record)
        answer, ready = os.pipe()
        child = os.fork()
        if not child:
            os.close(answer)
            _detach_and_supervise(job, record, lock, ready)
        os.close(ready)
        os.waitpid(child, 0)
        return _first_answer(answer)
    finally:
        os.close(lock)  # the supervisor's copy still holds the lock


def _first_answer(answer: int) -> Started:
    """What the supervisor says when it is ready to start the installer; it ends or hangs only before that."""
    with os.fdopen(answer, "rb") as pipe:
        said = pipe.read(READ_BYTES) if select.select([pipe], [], [], READY_SECONDS)[0] else b""
    try:
        error, kills = json.loads(said.decode("utf-8"))
    except ValueError:
        return Started(None, False)  # it has failed, and its record says why
    return Started(error, kills)


def _detach_and_supervise(job: Job, record: Record, lock: int, ready: int) -> NoReturn:
    """Become a process of its own session, supervise the installer and exit."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        _leave_all_behind({lock, ready})
        session = leave_session(f"ece-install-{install_name(job.storage_path)}")
        record = dict(record, in_session=session.kills, supervisor=process_name(os.getpid()))
        _replace_record(job, record)
        _say_ready(ready, session)
        supervise(job, record)
    except Exception as error:
        text = redact(f"{type(error).__name__}: {error}", [job.token])
        write_record(job, _ended(record, rc=SUPERVISOR_FAILED, supervisor_error=text))
    finally:
        os._exit(0)


def _leave_all_behind(kept: "set[int]") -> None:
    """Give up what this process inherited: a folder that it would keep busy, and all files but some descriptors."""
    os.chdir("/")
    # An open copy of the module's output would keep the connection waiting.
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                pass  # the descriptor of the listing itself


def _say_ready(ready: int, session: Session) -> None:
    try:
        os.write(ready, json.dumps(session).encode("utf-8"))
    except BrokenPipeError:
        pass  # the module does not wait any more
    os.close(ready)


# -- supervise -------------------------------------------------------------------------------------------------------


class OutputLog:
    """The installer's output as plain text without tokens: complete in a file, its last lines in memory."""

    def __init__(self, job: Job) -> None:
        self.lines: Deque[str] = collections.deque(maxlen=CHECKED_LINES)
        self._token = job.token
        self._pending = b""
        self._file = open_file(job.place, OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        let_group_read(self._file, job.user)

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
        text = redact(line.decode("utf-8", "replace"), [self._token]).rstrip("\n")
        self.lines.extend(last_lines(text) or [""])
        try:
            os.write(self._file, text.encode("utf-8") + b"\n")
        except OSError:
            pass  # a full disk must not end the installer; the record has the last lines


class BootstrapLogs:
    """What the installer and its container write to their own logs from now on."""

    def __init__(self, folder: Place) -> None:
        self._folder = folder
        self._begin = {name: self._find(name) for name in LOG_NAMES}

    def _find(self, name: str) -> Tuple[int, int]:
        """(inode, size) of a log, (0, 0) without it."""
        try:
            handle = open_file(self._folder, name, os.O_RDONLY)
        except OSError:
            return 0, 0
        found = os.fstat(handle)
        os.close(handle)
        return found.st_ino, found.st_size

    def _read(self, name: str) -> str:
        try:
            handle = open_file(self._folder, name, os.O_RDONLY)
        except OSError:
            return ""
        try:
            found, (inode, size) = os.fstat(handle), self._begin[name]
            start = size if found.st_ino == inode and found.st_size >= size else 0
            return read_end(handle, LOG_BYTES_MAX, start).decode("utf-8", "replace")
        finally:
            os.close(handle)

    def summary(self, token: str, output: Sequence[str]) -> Record:
        """The fields of the record that come from these logs and from the last lines of the output."""
        texts = {name: redact(self._read(name), [token]) for name in LOG_NAMES}
        errors, warnings = all_causes(list(output), list(texts.values()))
        return {
            "output": list(output)[-TAIL_LINES:],
            "bootstrap_log": last_lines(texts[LOG_NAMES[0]]),
            "errors": errors,
            "warnings": warnings,
            "logs": [self._folder.path(name) for name, text in texts.items() if text],
        }


@contextlib.contextmanager
def working_folder(user: User) -> Iterator[str]:
    """A private folder of the user, that is removed again: with --selinux the script writes files where it runs.

    It is outside of the storage path, and the supervisor does not enter it, so that it keeps no disk busy. It stays
    where the supervisor is killed (SIGKILL) or the host is rebooted.
    """
    folder = "/"
    for parent in WORK_PARENTS:
        try:
            folder = tempfile.mkdtemp(prefix="ece-install-", dir=parent)
            break
        except OSError:
            continue  # it is full or read-only; most installers write no file there
    try:
        if folder != "/" and os.geteuid() == 0:
            os.chown(folder, user.uid, user.gid)
        yield folder
    finally:
        if folder != "/":
            # As the user, who could have put something of root in its place.
            run_command(["rm", "-rf", "--", folder], user=user.name, timeout=REMOVE_SECONDS)


class StopSignals:
    """Takes the signals that ask this process to end, and keeps the number of the first one."""

    def __init__(self) -> None:
        self.number: Optional[int] = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._take)
        # A function, because a signal that is ignored would be ignored by the installer, too.
        signal.signal(signal.SIGHUP, lambda _number, _frame: None)

    def _take(self, number: int, _frame: Any) -> None:
        self.number = self.number or number


@contextlib.contextmanager
def output_pipe() -> Iterator[Tuple[int, int]]:
    """The ends (to read, to write) of a pipe for the installer's output. The caller closes the one to write to.

    If this process is killed, another one reads on until the installer has ended: without a reader, the installer would
    die half way of its next output. That one drops what it reads, because it cannot mask a token in it.
    """
    (source, sink), (alive, end) = os.pipe(), os.pipe()
    # AnsibleModule.run_command waits for the end of a command.
    spare = subprocess.Popen(  # pylint: disable=ansible-bad-function
        SPARE_READER,
        stdin=alive,
        stdout=source,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath},
        start_new_session=True,
    )
    os.close(alive)
    try:
        yield source, sink
    finally:
        spare.kill()
        spare.wait()
        for descriptor in (source, end):
            os.close(descriptor)


def supervise(job: Job, record: Record) -> None:
    """Run the installer to its end, keep its output without the token, and write the record."""
    with working_folder(job.user) as folder:
        write_record(job, _supervise_in(folder, job, record))


def _supervise_in(folder: str, job: Job, record: Record) -> Record:
    """Run the installer in a folder and return its record."""
    signals = StopSignals()
    output, logs = OutputLog(job), BootstrapLogs(job.logs)
    with output_pipe() as (source, sink):
        process = _start_installer(job, folder, sink)
        try:
            # So that it is found where this process is killed.
            record = dict(record, installer=process_name(process.pid))
            write_record(job, record)
            stopped_for = collect(process, source, job, output, signals)
            summary = logs.summary(job.token, output.lines)
        except BaseException:
            stop(process, job)  # while the lock is held: another run must not take this host for a free one
            raise
        finally:
            # The vendor's installer may log its own arguments.
            mask_tokens(job.logs, job.token)
    return _ended(
        record,
        rc=process.returncode,
        timed_out=stopped_for == TIMEOUT,
        stopped_by=signals.number if stopped_for == SIGNAL else None,
        **summary,
    )


def _start_installer(job: Job, folder: str, sink: int) -> "subprocess.Popen[bytes]":
    try:
        # AnsibleModule.run_command waits for the end of a command.
        return subprocess.Popen(  # pylint: disable=ansible-bad-function
            job.command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=clean_environment(job.user.name, job.user.home, job.bin_paths),
            cwd=folder,
            preexec_fn=become_user(job.user.name),
            start_new_session=True,
        )
    finally:
        os.close(sink)  # else its output would never end


def collect(
    process: "subprocess.Popen[bytes]", source: int, job: Job, output: OutputLog, signals: StopSignals
) -> Optional[str]:
    """Take the installer's output until it has ended. Return why it was stopped: its timeout, a signal, or None."""
    stopped_for = None
    deadline = time.monotonic() + job.timeout
    while True:
        ended = process.poll() is not None
        is_ready = bool(select.select([source], [], [], 0 if ended else POLL_SECONDS)[0])
        chunk = os.read(source, READ_BYTES) if is_ready else b""
        output.feed(chunk)
        if not stopped_for:
            stopped_for = _reason_to_stop(process.returncode, ended, time.monotonic() > deadline, signals)
            if stopped_for:
                deadline = min(deadline, time.monotonic())
                stop(process, job)
        # A process that left the group may hold the output open, and write on after the installer was stopped.
        if ended and (not chunk or time.monotonic() > deadline + GRACE_SECONDS):
            output.end()
            return stopped_for
        if is_ready and not chunk and not ended:
            time.sleep(POLL_SECONDS)  # the output is closed, the process still runs


def _reason_to_stop(rc: Optional[int], ended: bool, is_late: bool, signals: StopSignals) -> Optional[str]:
    if is_late and not ended:
        return TIMEOUT
    # A host that shuts down sends the signal to all processes of the unit, so the installer may be the first to end.
    return SIGNAL if signals.number and rc != 0 else None


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
        command = [*client, "rm", "--force", INSTALLER_CONTAINER]
        run_command(command, user=job.user.name, paths=job.bin_paths, timeout=REMOVE_SECONDS)


# -- record ----------------------------------------------------------------------------------------------------------


def _ended(record: Record, **ending: Any) -> Record:
    """The record of an installer that has ended now."""
    return dict(record, finished=time.time(), seconds=round(time.monotonic() - record["begun"], 1), **ending)


def _replace_record(job: Job, record: Record) -> None:
    write_private(job.place, RECORD, json.dumps(record).encode(), reader=job.user)


def write_record(job: Job, record: Record) -> None:
    """Write the record of an installer, on a full disk too: without it the end of the installer would be unknown."""
    try:
        _replace_record(job, record)
    except OSError:
        # A full disk has no room for another file, but the existing file keeps its first block.
        lists: Dict[str, List[str]] = {"bootstrap_log": [], "warnings": [], "logs": []}
        for name in ("output", "errors"):
            lists[name] = [line[:500] for line in record.get(name, [])[-2:]]
        handle = open_file(job.place, RECORD, os.O_WRONLY)
        os.ftruncate(handle, os.write(handle, json.dumps(dict(record, **lists)).encode()))
        os.close(handle)
