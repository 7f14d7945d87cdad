# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The watchdog of a persistent token: a process that mints the token, and revokes it when its run is gone.

Ansible runs no `always` after Ctrl-C and nothing at all after SIGKILL, and a persistent token would stay valid. So a
process in a session of its own mints it, passes it to the run and watches the run. It ends when the run stops it after
the token was revoked. When the run ends without that, the watchdog revokes the token.

Secrets reach the watchdog on its standard input and leave it on its standard output; its argument list and environment
have none. After the mint it executes itself again, so that its memory holds what revoking needs and no token.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import IO, Any, Mapping, TypedDict, cast

from ansible_collections.ece.platform.plugins.module_utils import _enrollment as enrollment
from ansible_collections.ece.platform.plugins.module_utils._client import EceApiError, EceClient
from ansible_collections.ece.platform.plugins.module_utils._enrollment import MintedToken, TokenRequest
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError

# The folder that holds ansible_collections: the watchdog imports from there, without Ansible's own loader.
ROOT = Path(__file__).absolute().parents[5]
CANNOT_START = "the watchdog of a persistent token cannot be started ({}): nothing was minted"
SOURCE = f"""
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
try:
    from ansible_collections.ece.platform.plugins.plugin_utils._token_watchdog import main
except ImportError as error:
    print(json.dumps({{"error": {CANNOT_START!r}.format(error), "failure": None}}))
else:
    main()
"""
# Variables that say how to reach the platform. Credentials must not be in the environment of a process that outlives
# the run.
ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONHOME", "LD_LIBRARY_PATH"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)
POLL_SECONDS = 0.5
# How long the watchdog tries to revoke the token after the end of its run.
REVOKE_SECONDS, REVOKE_PAUSE_SECONDS = 600, 5


class Watchdog(TypedDict):
    """A running watchdog: its process id, and an argument of its command line that tells it from any other process."""

    pid: int
    name: str


# -- in the run ------------------------------------------------------------------------------------------------------


def mint(connection: Mapping[str, Any], request: TokenRequest, run_pid: int) -> tuple[MintedToken, Watchdog]:
    """Mint a persistent token in a new watchdog. Raises PlatformError.

    connection: arguments of EceClient. run_pid: the process with whose end the token has to end.
    """
    name = secrets.token_hex(8)
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", SOURCE, json.dumps([str(ROOT), *filter(None, sys.path)]), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={key: os.environ[key] for key in ENVIRONMENT if key in os.environ},
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise PlatformError(CANNOT_START.format(error.strerror)) from None
    run = [run_pid, process_start_time(run_pid)]
    reply = _exchange(process, {"connection": dict(connection), "request": request, "run": run})
    if "error" in reply:
        if reply["failure"]:
            raise EceApiError(reply["error"], **reply["failure"])
        raise PlatformError(reply["error"])
    return reply["minted"], {"pid": process.pid, "name": name}


def _exchange(process: subprocess.Popen[bytes], message: Mapping[str, Any]) -> dict[str, Any]:
    with cast(IO[bytes], process.stdout) as answer:
        try:
            with cast(IO[bytes], process.stdin) as given:
                given.write(json.dumps(message).encode())
        except BrokenPipeError:
            pass  # it has ended already, and may have printed why
        printed = answer.read()
    try:
        reply: dict[str, Any] = json.loads(printed)
    except ValueError:
        raise PlatformError(
            "the watchdog that was to mint a persistent token ended without a message: "
            "look for a new token with ece_enrollment_token_info"
        ) from None
    return reply


def stop(watchdog: Watchdog) -> None:
    """Stop the watchdog of a token that is revoked. Another process that has its process id gets no signal."""
    try:
        arguments = Path(f"/proc/{watchdog['pid']}/cmdline").read_bytes().split(b"\0")
        if watchdog["name"].encode() in arguments:
            os.kill(watchdog["pid"], signal.SIGUSR1)
    except OSError:
        pass  # without /proc it ends with its run, after it has seen that the token is gone


# -- in the watchdog -------------------------------------------------------------------------------------------------


class _Stopped(Exception):
    """The run has revoked the token."""


# The machine shuts down, or an operator cleans up: for the token that is the end of its run.
END_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def main() -> None:
    """Mint the token and pass it to the run; then, as a new image, wait for the end of the run and revoke the token."""
    signal.signal(signal.SIGUSR1, _stop)
    for number in END_SIGNALS:
        signal.signal(number, _end)
    wanted = json.loads(sys.stdin.buffer.read())
    client = EceClient(**wanted["connection"])
    if "token_id" not in wanted:
        token_id = _mint(client, wanted["request"])
        if not token_id:
            return
        wanted = {"connection": wanted["connection"], "run": wanted["run"], "token_id": token_id}
        _execute_again(wanted)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGUSR1, *END_SIGNALS))
        wait_for_exit(*wanted["run"])
        revoke(client, wanted["token_id"])
    except _Stopped:
        pass


def _mint(client: EceClient, request: TokenRequest) -> str | None:
    """Mint the token, pass it to the run and return its id, or None where the platform refuses."""
    try:
        minted = enrollment.mint(client, request)
    except PlatformError as error:
        fields = ("status", "code", "fields", "errors")
        failure = {key: getattr(error, key) for key in fields} if isinstance(error, EceApiError) else None
        _reply({"error": str(error), "failure": failure})
        return None
    # The run may send a signal once it has the token, and a new image would not survive that before it has handlers.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1, *END_SIGNALS))
    _reply({"minted": minted})
    return minted["token_id"]


def _execute_again(wanted: Mapping[str, Any]) -> None:
    """Replace this image, whose memory has the token, by one that is given only this. Returns where that fails."""
    reading, writing = os.pipe()
    with open(writing, "wb") as given:
        given.write(json.dumps(wanted).encode())
    os.dup2(reading, 0)
    try:
        os.execv(sys.executable, [sys.executable, "-c", SOURCE, *sys.argv[1:]])
    except OSError:
        pass  # the token is revoked all the same


_ending = False


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stopped


def _end(_number: int, _frame: FrameType | None) -> None:
    global _ending
    _ending = True


def _reply(reply: Mapping[str, Any]) -> None:
    try:
        with open(1, "wb") as target:
            target.write(json.dumps(reply).encode())
    except OSError:
        pass  # the run is gone, which wait_for_exit finds out


def wait_for_exit(pid: int, started: str | None) -> None:
    """Return when the process is gone that had this id and started at this time."""
    while not _ending and process_start_time(pid) is not None and process_start_time(pid) == started:
        time.sleep(POLL_SECONDS)


def process_start_time(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot, or None where it has ended.

    Without /proc (not Linux) any running process has the same value.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in ("Z", "X") else fields[19]
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return "running"


def revoke(client: EceClient, token_id: str, seconds: float = REVOKE_SECONDS) -> bool:
    """Revoke the token if the platform still lists it, trying for so many seconds. Return whether it is gone."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            # The list comes first: the run may have revoked the token, and a 404 in an access log raises alarms.
            if any(token["token_id"] == token_id for token in client.enrollment_tokens()):
                enrollment.revoke(client, token_id)
            return True
        except PlatformError:
            if time.monotonic() > deadline:
                return False
        client.sleep(REVOKE_PAUSE_SECONDS)
