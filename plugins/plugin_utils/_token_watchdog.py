# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keeper of a persistent token: a process that mints it, and revokes it when the run that it was for is gone.

Ansible runs no C(always) after Ctrl-C, and nothing at all after SIGKILL. A persistent token would live on then, so it is never in the
hands of the run alone: a process in a session of its own mints it, hands it over, and watches the run. When the run says that the
token is revoked, the keeper ends. When the run is gone without that word, the keeper revokes.

Secrets go to the keeper over its standard input and come back over its standard output, never by argument list or environment.
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
from typing import Any, Mapping

from ansible_collections.ece.platform.plugins.module_utils import _enrollment as enrollment
from ansible_collections.ece.platform.plugins.module_utils._client import EceApiError, EceClient, EceError
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError

# The folder that holds ansible_collections: the keeper's Python imports from there, without Ansible's own loader.
ROOT = Path(__file__).absolute().parents[5]
SOURCE = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
try:
    from ansible_collections.ece.platform.plugins.plugin_utils._token_watchdog import main
except ImportError as error:
    print(json.dumps({"error": "the process that is to revoke a persistent token cannot be started (%s): nothing was minted" % error, "failure": None}))
else:
    main()
"""
# What of the environment says how to reach the platform; credentials must not stand in that of a process that outlives the run.
ENVIRONMENT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONHOME", "LD_LIBRARY_PATH"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)
WATCH_SECONDS = 0.5
# How long a keeper goes on trying to revoke after the end of its run.
REVOKE_SECONDS, REVOKE_PAUSE_SECONDS = 600, 5


# -- in the run ----------------------------------------------------------------------------------------------------------


def mint(connection: Mapping[str, Any], roles: list[str], run_pid: int) -> dict:
    """A persistent token from a new keeper: enrollment.mint()'s result, and C(keeper) to release it by. Raises PlatformError, EceApiError.

    connection: arguments of EceClient. run_pid: the process with whose end the token is to end.
    """
    name = secrets.token_hex(8)
    environment = {key: os.environ[key] for key in ENVIRONMENT if key in os.environ}
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", SOURCE, json.dumps([str(ROOT), *filter(None, sys.path)]), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise PlatformError(
            f"the process that is to revoke a persistent token cannot be started ({error.strerror}): nothing was minted"
        ) from None
    wanted = {"connection": dict(connection), "roles": roles, "run": [run_pid, born(run_pid)]}
    with process.stdout as answer:
        try:
            with process.stdin as given:
                given.write(json.dumps(wanted).encode())
        except BrokenPipeError:
            pass  # it has ended already, and may have said why
        words = answer.read()
    try:
        reply = json.loads(words)
    except ValueError:
        raise PlatformError(
            "the process that was to mint a persistent token ended without a word: look for a new one with ece_enrollment_token_info"
        ) from None
    if "error" in reply:
        raise EceApiError(reply["error"], **reply["failure"]) if reply["failure"] else PlatformError(reply["error"])
    return {**reply["minted"], "keeper": {"pid": process.pid, "name": name}}


def release(keeper: Mapping[str, Any]) -> None:
    """The token is revoked: let its keeper end. A keeper that is gone already is fine, and nobody else is ever sent a signal."""
    pid, name = keeper["pid"], keeper["name"]
    try:
        if name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            os.kill(pid, signal.SIGUSR1)
    except OSError:
        pass  # without /proc it ends with its run, after it has seen for itself that the token is gone


# -- the keeper ----------------------------------------------------------------------------------------------------------


class _Released(Exception):
    """The run has revoked the token."""


def main() -> None:
    """The keeper's whole life: read what is wanted, mint, hand over, watch, revoke."""
    signal.signal(signal.SIGUSR1, _release)
    # The machine goes down, or an operator cleans up: for the token that is the end of its run.
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _end_of_run)
    wanted = json.loads(sys.stdin.buffer.read())
    client = EceClient(**wanted["connection"])
    try:
        minted = enrollment.mint(client, {"roles": wanted["roles"], "persistent": True, "validity_seconds": None})
    except (EceError, PlatformError) as error:
        failure = (
            {key: getattr(error, key) for key in ("status", "code", "fields", "errors")}
            if isinstance(error, EceApiError)
            else None
        )
        _say({"error": str(error), "failure": failure})
        return
    token_id = minted["token_id"]
    _say({"minted": minted})
    del minted
    try:
        watch(*wanted["run"])
        revoke(client, token_id)
    except _Released:
        pass


_over = False


def _release(_number, _frame) -> None:
    raise _Released


def _end_of_run(_number, _frame) -> None:
    global _over
    _over = True


def _say(reply: dict) -> None:
    """Hand over; a run that is gone meanwhile is found out next."""
    try:
        with open(1, "wb") as target:
            target.write(json.dumps(reply).encode())
    except OSError:
        pass


def watch(pid: int, born_at: str | None) -> None:
    """Return when that process is gone."""
    while not _over and born(pid) is not None and born(pid) == born_at:
        time.sleep(WATCH_SECONDS)


def born(pid: int) -> str | None:
    """What tells a process from a later one with its number; None where it has ended. Elsewhere than on Linux only that it is there."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
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
    return "there"


def revoke(client: EceClient, token_id: str, seconds: float = REVOKE_SECONDS) -> bool:
    """Revoke the token if it is still there, and go on trying for so many seconds: whether it is gone."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            # Asked first, because the run may have revoked it as its last act, and a 404 in an access log is somebody's alarm.
            if any(token["token_id"] == token_id for token in client.enrollment_tokens()):
                enrollment.revoke(client, token_id)
            return True
        except (EceError, PlatformError):
            if time.monotonic() > deadline:
                return False
        client.sleep(REVOKE_PAUSE_SECONDS)
