# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the installer detached and under watch: it outlives the module, the connection and the controller.

The watcher holds a lock as long as the installer runs and leaves a record when it has ended; both are found again by whoever
comes next. Python 3.6 and the standard library: this runs on hosts.
"""

import collections
import fcntl
import json
import os
import re
import select
import signal
import stat
import subprocess
import tempfile
import time

from ansible_collections.ece.platform.plugins.module_utils import _host as host
from ansible_collections.ece.platform.plugins.module_utils import _installer as installer
from ansible_collections.ece.platform.plugins.module_utils._ece import INSTALLER_CONTAINER
from ansible_collections.ece.platform.plugins.module_utils._text import JWT, redact

GRACE_SECONDS = 10
POLL_SECONDS = 0.5


# -- files on the host ---------------------------------------------------------------------------------------------------


def own_for(path, entry):
    """Give a path that root has made to the install user."""
    if os.geteuid() == 0:
        os.chown(path, entry["uid"], entry["gid"])


def make_folder(path, entry):
    """A private folder of the install user, with the folders above it that are missing."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        os.mkdir(folder, 0o700)
        own_for(folder, entry)


def write_private(path, content):
    """Write a file as a whole or not at all; nobody but its owner reads it."""
    temporary = None
    try:
        # A name of its own (mode 0600): two plays may write the same file at the same time.
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix="." + os.path.basename(path))
        with os.fdopen(handle, "wb") as target:
            target.write(content)
        os.rename(temporary, path)
    except BaseException as error:
        if temporary:
            os.unlink(temporary)
        if isinstance(error, OSError):
            error.filename = path  # a write that fails names no file, and the other name is nobody's
        raise


def write_record(path, record):
    """Leave the record of an installer, whatever the disk says: without it nobody would know how it ended."""
    try:
        write_private(path, json.dumps(record).encode())
    except OSError:
        # A full disk has no room for another file; the one that is there keeps its first block.
        short = dict(record, output=[line[:500] for line in record["output"][-2:]], bootstrap_log=[])
        handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
        os.ftruncate(handle, os.write(handle, json.dumps(short).encode()))
        os.close(handle)


def mask_tokens(folder, token):
    """Overwrite the token, and all else of a token's shape, in the files below a folder; their sizes and the rest of them stay."""
    pattern = re.compile(re.escape(token.encode("utf-8")) + b"|" + JWT.pattern.encode("ascii"))
    for parent, _folders, names in os.walk(folder):
        for name in names:
            try:
                mask_in_file(os.path.join(parent, name), pattern)
            except OSError:
                pass  # one file that cannot be written, or went away, is no reason to leave the others as they are


def mask_in_file(path, pattern, chunk=1 << 20, edge=1 << 12):
    """See mask_tokens(). What is no file of its own, like a link or a pipe, is left alone. edge: longer than any match, in bytes."""
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        start, window = 0, b""
        while stat.S_ISREG(os.fstat(handle).st_mode):
            read = os.read(handle, chunk)
            if not read:
                return
            # What lies across the edge of two chunks is found with the second one.
            start, window = start + max(0, len(window) - edge), window[-edge:] + read
            for found in pattern.finditer(window):
                os.pwrite(handle, b"*" * len(found.group()), start + found.start())
    finally:
        os.close(handle)


# -- the installer under watch -------------------------------------------------------------------------------------------


def take(lock):
    """Whether the lock could be had; somebody who only looks whether it is held has it for a moment, too."""
    for attempt in range(5):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.1 * attempt)
    return False


def start_watched(command, params, paths, entry, environment):
    """Start the installer detached from this module; False when another watcher has it already."""
    make_folder(paths["folder"], entry)
    lock = os.open(paths["lock"], os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if not take(lock):
        os.close(lock)
        return False
    # Of an installer that was cut off by a reboot, nobody has masked what it left.
    mask_tokens(os.path.dirname(paths["bootstrap"]), params["token"])
    started = {"started": time.time(), "timeout": params["timeout"], "roles": params["roles"]}
    write_private(paths["record"], json.dumps(started).encode())
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        os.close(lock)  # the watcher's copy still holds the lock
        return True
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        # Whatever still holds the module's output open would keep the connection waiting.
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        watch(command, params, paths, started, environment)
    except Exception as error:
        finished = time.time()
        text = redact("{0}: {1}".format(type(error).__name__, error), [params["token"]])
        write_record(
            paths["record"],
            dict(started, finished=finished, seconds=round(finished - started["started"], 1), rc=126, output=[text]),
        )
    finally:
        os._exit(0)


def watch(command, params, paths, started, environment):
    """Run the installer to its end, keep its output without the token, leave the record."""
    lines = collections.deque(maxlen=installer.TAIL_LINES)
    secrets = [params["token"]]
    log = os.open(paths["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd="/",
        preexec_fn=host.become_user(params["user"]),
        start_new_session=True,
    )
    try:
        timed_out = collect(process, params, lines, secrets, log)
        bootstrap_log = installer.tail(redact(host.read(paths["bootstrap"]), secrets))
    except BaseException:
        stop(process, params)  # before the lock goes: nobody may take this host for a free one
        raise
    finally:
        # The vendor's installer may log its own arguments.
        mask_tokens(os.path.dirname(paths["bootstrap"]), params["token"])
    finished = time.time()
    record = dict(
        started,
        finished=finished,
        seconds=round(finished - started["started"], 1),
        rc=process.returncode,
        timed_out=timed_out,
        output=list(lines),
        bootstrap_log=bootstrap_log,
    )
    write_record(paths["record"], record)


def collect(process, params, lines, secrets, log):
    """Take in the installer's output until it has ended, or was stopped at its timeout: whether it was."""
    stream = process.stdout.fileno()
    os.set_blocking(stream, False)
    pending, timed_out = b"", False
    deadline = time.monotonic() + params["timeout"]
    while True:
        ended = process.poll() is not None
        ready = select.select([stream], [], [], 0 if ended else POLL_SECONDS)[0]
        chunk = os.read(stream, 65536) if ready else b""
        pending += chunk
        *whole, pending = pending.split(b"\n")
        if ended and not chunk:
            whole, pending = whole + ([pending] if pending else []), b""
        for line in whole:
            text = redact(line.decode("utf-8", "replace"), secrets)
            lines.append(text)
            try:
                os.write(log, text.encode("utf-8") + b"\n")
            except OSError:
                pass  # a full disk must not end the installer by way of its log; the last lines are in the record
        # Something that left the process group may hold the output open, and go on writing after everybody else was stopped.
        if ended and (not chunk or time.monotonic() > deadline + GRACE_SECONDS):
            break
        if ready and not chunk and not ended:
            time.sleep(POLL_SECONDS)  # output closed, process still there
        if not timed_out and time.monotonic() > deadline:
            timed_out = True
            stop(process, params)
    return timed_out


def stop(process, params):
    """End the installer, everything it started, and its container, which is not its child."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            # Both, although the first may have ended the script: a child of it that holds out keeps the group there.
            os.killpg(process.pid, number)
            process.wait(GRACE_SECONDS)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    name, found, _version = host.find_engine(params["container_engine"], params["bin_paths"])
    if found:
        client = host.engine_client(name, params["bin_paths"], params["docker_socket"])
        host.run(client + ["rm", "--force", INSTALLER_CONTAINER], user=params["user"], paths=params["bin_paths"])


def follow(paths):
    """The record, once nobody holds the lock any more."""
    while host.lock_is_held(paths["lock"]):
        time.sleep(POLL_SECONDS)
    try:
        return json.loads(host.read(paths["record"]) or "{}")
    except ValueError:
        return {}
