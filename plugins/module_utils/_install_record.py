# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The record of an install on a host: where it is, its states, and the result that it stands for.

Pure functions. Runs on hosts too: Python 3.6 and the standard library.
"""

import json
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.ece.platform.plugins.module_utils._ece import DEFAULT_STORAGE_PATH, SCRIPT_NAME

TAIL_LINES = 40
# FOLLOW_SOURCE prints it before the record.
RECORD_MARK = "ECE-RECORD "

# States of an install.
ABSENT = "absent"
RUNNING = "running"
FINISHED = "finished"
INTERRUPTED = "interrupted"


# -- files -----------------------------------------------------------------------------------------------------------


class LogPaths(NamedTuple):
    """Paths on a host: the installer's own bootstrap.log, and the folder of this collection with its files."""

    bootstrap: str
    folder: str
    output: str
    record: str
    lock: str


def log_paths(storage_path: Optional[str]) -> LogPaths:
    """The paths below a storage path, or below the default one."""
    logs = (storage_path or DEFAULT_STORAGE_PATH).rstrip("/") + "/logs"
    folder = f"{logs}/ece-install"
    return LogPaths(
        bootstrap=f"{logs}/bootstrap-logs/bootstrap.log",
        folder=folder,
        output=f"{folder}/output.log",
        record=f"{folder}/record.json",
        lock=f"{folder}/lock",
    )


def last_lines(text: str, lines: int = TAIL_LINES) -> List[str]:
    """The last lines of a text."""
    return text.splitlines()[-lines:]


# -- exit codes ------------------------------------------------------------------------------------------------------

# Of elastic-cloud-enterprise.sh 4.0.3 (2025-10-31) and 3.5.1, the same in both: code -> (meaning, remedy).
EXIT_CODES = {
    0: ("installed", ""),
    1: (
        "general failure",
        "The cause may be the storage path, the host IP, operating system and engine, the version, or that the "
        "platform refused the host.",
    ),
    2: (
        "unknown command",
        f"The script does not know 'install': check that the installer file is {SCRIPT_NAME}.",
    ),
    3: (
        "unknown or empty argument",
        "This script does not know an argument that it was given: use the script of the platform's version, or check "
        "extra_args.",
    ),
    4: (
        "bad user",
        "The install user needs a UID and GID of 1000 or more and must be able to run docker: add it to the engine's "
        "group.",
    ),
    5: ("precondition", "Start the container engine or set the socket's path; stop firewalld or open its ports."),
}
# A shell returns 128 and the number of the signal; there are 64 of them.
_SIGNALS = range(129, 193)


def explain_exit(code: Optional[int]) -> Tuple[str, str]:
    """(meaning, remedy) of the installer's exit code."""
    if code is not None and (code < 0 or code in _SIGNALS):
        number = -code if code < 0 else code - 128
        return (
            f"killed by signal {number}",
            "Look for out-of-memory kills in the host's journal, then run this again.",
        )
    unknown = (f"exit code {code}, which the installer does not document", "Read the last lines of its output.")
    return unknown if code is None else EXIT_CODES.get(code, unknown)


# -- the record, read from the controller ----------------------------------------------------------------------------

# Runs on the host as `python -c`, where it cannot import a module: prints the record once the installer has ended, or
# after `limit` seconds. The lock is held while the installer is supervised, so a record without an exit code under a
# free lock is one of an install that was interrupted.
FOLLOW_SOURCE = """
import fcntl, json, sys, time
record, lock, limit = sys.argv[1], sys.argv[2], float(sys.argv[3])
end = time.time() + limit
while True:
    state = "absent"
    try:
        with open(lock) as held:
            try:
                fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
                state = "over"
            except OSError:
                state = "running"
    except OSError:
        pass
    if state != "running" or time.time() >= end:
        break
    time.sleep(0.5)
content = {}
try:
    with open(record) as source:
        content = json.load(source)
except (OSError, ValueError):
    pass
content["lock"] = state
content["now"] = time.time()
print("ECE-RECORD " + json.dumps(content))
"""


def parse_follow(stdout: str) -> Optional[Dict[str, Any]]:
    """The record that FOLLOW_SOURCE printed, among other output of a login shell; None if it is not there."""
    for line in stdout.splitlines():
        _before, mark, content = line.partition(RECORD_MARK)
        if mark:
            try:
                record = json.loads(content)
            except ValueError:
                return None
            return record if isinstance(record, dict) else None
    return None


def install_state(record: Mapping[str, Any]) -> str:
    """The state of an install, from a record as FOLLOW_SOURCE prints it."""
    if record.get("lock") == "running":
        return RUNNING
    if "rc" in record:
        return FINISHED
    return INTERRUPTED if record.get("started") else ABSENT


# -- the result ------------------------------------------------------------------------------------------------------


def outcome(record: Mapping[str, Any], storage_path: Optional[str], host: Optional[str] = None) -> Dict[str, Any]:
    """The result of an install that is not running: rc, msg, meaning, remedy, output, bootstrap_log, seconds, log.

    Only an rc of 0 is success. host: stands before the path of the log where the message is read on another machine.
    """
    paths = log_paths(storage_path)
    message, meaning, remedy = _message(record)
    log = f"{host}:{paths.output}" if host else paths.output
    return {
        "rc": record.get("rc"),
        "seconds": record.get("seconds"),
        "output": record.get("output") or [],
        "bootstrap_log": record.get("bootstrap_log") or [],
        "log": paths.output,
        "meaning": meaning,
        "remedy": remedy,
        "msg": f"{message} {remedy} Log: {log}" if remedy else message,
    }


def _message(record: Mapping[str, Any]) -> Tuple[str, str, str]:
    """(message without the remedy, meaning, remedy) of a record."""
    if install_state(record) == INTERRUPTED:
        return (
            "the installer was interrupted.",
            "interrupted",
            "The host was restarted or the installer was killed; remove its ECE containers if there are any, and run "
            "this again.",
        )
    if record.get("timed_out"):
        # Both names of each option: those of the module and those of the role.
        return (
            f"the installer did not end within {record.get('timeout')} s and was stopped.",
            "did not end in time",
            "Its last output shows what it waited for; give it more time with timeout (ece_host_install_timeout) or "
            "timeout_factor (ece_host_timeout_factor), and run this again.",
        )
    code = record.get("rc")
    meaning, remedy = explain_exit(code)
    if code == 0:
        return f"installed in {int(round(record.get('seconds') or 0))} s", meaning, remedy
    return f"installer exit {code} ({meaning}): {_last_output(record)}", meaning, remedy


def _last_output(record: Mapping[str, Any]) -> str:
    """The last two lines of the installer's output as sentences: the very last one may only repeat that it failed."""
    lines = [line.strip() for line in record.get("output") or [] if line.strip()][-2:] or ["it printed nothing"]
    return " ".join(line if line.endswith((".", "!", "?", ":")) else f"{line}." for line in lines)
