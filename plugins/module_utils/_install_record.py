# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The record of an install on a host: its fields, its states, and the result that it stands for.

A record comes from a host, which may have damaged it or may send anything, so each field is checked. Pure functions.
Runs on hosts too: Python 3.6 and the standard library.
"""

import json
import os
import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.ece.platform.plugins.module_utils._ece import DEFAULT_STORAGE_PATH, SCRIPT_NAME
from ansible_collections.ece.platform.plugins.module_utils._install_causes import (
    LINE_LENGTH_MAX,
    known_remedies,
    messages,
)
from ansible_collections.ece.platform.plugins.module_utils._install_files import (
    ABSENT,
    MARK,
    OUTPUT,
    OVER,
    RUNNING,
    RUNS,
    UNWATCHED,
)
from ansible_collections.ece.platform.plugins.module_utils._text import one_line, redact

TAIL_LINES = 40
# Below the storage path. The script writes the second one from ECE 4 on, its container the first one.
BOOTSTRAP_LOGS = ("logs", "bootstrap-logs")
LOG_NAMES = ("bootstrap.log", "elastic-cloud-enterprise.log")

# States of an install; RUNNING and ABSENT are among them.
FINISHED = "finished"
INTERRUPTED = "interrupted"


def last_lines(text: str, lines: int = TAIL_LINES) -> List[str]:
    """The last lines of a text."""
    return [line[:LINE_LENGTH_MAX] for line in text.splitlines()[-lines:]]


# -- exit codes ------------------------------------------------------------------------------------------------------

# A check of the installer before it does anything.
PRECONDITION = 5
# Code -> (meaning, remedy). 0 to 5 are those of elastic-cloud-enterprise.sh 4.0.3 (2025-10-31) and 3.5.1, the same in
# both. The script ends with the exit code of `docker run`, which has 125 to 127 for itself: reference of that command
# in Docker's documentation. A shell has 126 and 127, too. Options have two names: the module's and (the role's).
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
    125: (
        "the engine could not start the installer's container",
        "Check that the host can pull the image from docker_registry (ece_host_docker_registry), that no container "
        "elastic-cloud-enterprise-installer is left, and that ports 20000, 21000 and 22000 are free.",
    ),
    126: (
        "a command could not be run",
        "Check that the install user may run the engine's command, and that no security module forbids it.",
    ),
    127: (
        "a command was not found",
        "Install the engine's command (for Podman both podman-docker and podman-remote), or name its folder in "
        "bin_paths (ece_host_bin_paths).",
    ),
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


# -- fields ----------------------------------------------------------------------------------------------------------

_TIME_MAX = 1e11
_Check = Callable[[Any], Any]


def _number(value: Any) -> Optional[float]:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= _TIME_MAX else None


def _whole(value: Any) -> Optional[int]:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 31 else None


def _flag(value: Any) -> Optional[bool]:
    return value if isinstance(value, bool) else None


def _text(value: Any) -> Optional[str]:
    return redact(value[:LINE_LENGTH_MAX]) if isinstance(value, str) else None


def _texts(value: Any) -> Optional[List[str]]:
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        return None
    return [redact(line[:LINE_LENGTH_MAX]) for line in value[-TAIL_LINES:]]


def _token_id(value: Any) -> Optional[str]:
    return value if isinstance(value, str) and re.match(r"[A-Za-z0-9._-]{1,128}\Z", value) else None


# Field -> check, which returns None for a value of another type or size. Times are seconds, since 1970 where they are
# moments.
_FIELDS: Dict[str, _Check] = {
    # Written when the installer starts.
    "started": _number,
    "timeout": _whole,
    "roles": _texts,
    # Of the persistent token that it was started with.
    "token_id": _token_id,
    # Whether it ends with the session of the user that connected.
    "in_session": _flag,
    # The names of the two processes (`process_name` in _install_files).
    "supervisor": _text,
    "installer": _text,
    # Written when it has ended.
    "finished": _number,
    "seconds": _number,
    "rc": _whole,
    "timed_out": _flag,
    # The number of the signal that asked the supervisor to stop it.
    "stopped_by": _whole,
    # Why the supervisor failed.
    "supervisor_error": _text,
    "output": _texts,
    "bootstrap_log": _texts,
    # The last errors and warnings in the installer's own logs, and the paths of the logs that it wrote to.
    "errors": _texts,
    "warnings": _texts,
    "logs": _texts,
    # Added when it is read.
    "lock": lambda value: value if value in (ABSENT, OVER, *RUNS) else None,
    "folder": _text,
    "now": _number,
    "rebooted": _flag,
    "damaged": _flag,
}


def checked_record(content: Any) -> Dict[str, Any]:
    """The fields of a record that have the right type. `damaged` is true where others had not; null is no value."""
    if not isinstance(content, Mapping):
        return {"damaged": True}
    record = {}
    for name, check in _FIELDS.items():
        value = content.get(name)
        if value is not None:
            value = check(value)
            record["damaged" if value is None else name] = True if value is None else value
    return record


def parse_follow(stdout: str) -> Optional[Dict[str, Any]]:
    """The record that a host printed, among other output of a login shell; None if it is not there."""
    for line in stdout.splitlines():
        _before, mark, content = line.partition(MARK)
        if mark:
            try:
                record = json.loads(content)
            except (ValueError, RecursionError):
                return None
            return dict({"lock": ABSENT}, **checked_record(record)) if isinstance(record, dict) else None
    return None


def install_state(record: Mapping[str, Any]) -> str:
    """The state of an install, from a checked record with the state of its lock."""
    if record.get("lock") in RUNS:
        return RUNNING
    if record.get("rc") is not None:
        return FINISHED
    return INTERRUPTED if record.get("started") or record.get("damaged") else ABSENT


# -- the result ------------------------------------------------------------------------------------------------------


class Message(NamedTuple):
    """What is said of an install that has ended. text has no remedy, which is empty after success."""

    text: str
    meaning: str
    remedy: str


def outcome(record: Mapping[str, Any], storage_path: Optional[str], host: Optional[str] = None) -> Dict[str, Any]:
    """The result of an install that is not waited for any more, as ece_install returns it. Only an rc of 0 is success.

    host: stands before the path of a log where the message is read on another machine.
    """
    record = checked_record(record)
    message = _message(record)
    storage_path = (storage_path or DEFAULT_STORAGE_PATH).rstrip("/")
    output = os.path.join(record.get("folder") or f"{storage_path}/logs/ece-install", OUTPUT)
    logs = [f"{host}:{path}" if host else path for path in [*record.get("logs", []), output]]
    return {
        "rc": record.get("rc"),
        "seconds": record.get("seconds"),
        "output": record.get("output", []),
        "bootstrap_log": record.get("bootstrap_log", []),
        "errors": record.get("errors", []),
        "log": output,
        "meaning": message.meaning,
        "remedy": message.remedy,
        "msg": one_line(f"{message.text} {message.remedy} Log: {', '.join(logs)}" if message.remedy else message.text),
    }


def _message(record: Mapping[str, Any]) -> Message:
    if install_state(record) == RUNNING:
        return _still_running(record)
    if record.get("stopped_by") is not None or install_state(record) == INTERRUPTED:
        return _interruption(record)
    if record.get("timed_out"):
        # Both names of each option: those of the module and those of the role.
        limit = f"within {record['timeout']} s" if "timeout" in record else "in time"
        return Message(
            f"the installer did not end {limit} and was stopped.{_last_cause(record)}",
            "did not end in time",
            "Its last output shows what it waited for; give it more time with timeout (ece_host_install_timeout) or "
            "timeout_factor (ece_host_timeout_factor), and run this again.",
        )
    if record.get("supervisor_error"):
        return Message(
            f"the process that watched the installer failed and stopped it: {_sentences([record['supervisor_error']])}",
            "supervisor failed",
            "Run this again.",
        )
    code = record.get("rc")
    meaning, remedy = explain_exit(code)
    if code == 0:
        seconds = record.get("seconds")
        return Message("installed" if seconds is None else f"installed in {seconds:.0f} s", meaning, remedy)
    return _failure(record, meaning, remedy)


def _still_running(record: Mapping[str, Any]) -> Message:
    pid = record.get("installer", "").partition(" ")[0]
    process = f"(pid {pid}) " if pid else ""
    if record.get("lock") == UNWATCHED:
        text = f"the installer {process}still runs, but the process that watched it was killed."
        return Message(text, "still running", "Nothing ends it at its time limit: look at it on the host, or wait.")
    text = f"the installer {process}still runs, although its time limit is over."
    return Message(text, "still running", "Look at it on the host, or run this again to wait for it.")


def _interruption(record: Mapping[str, Any]) -> Message:
    again = "remove its ECE containers if there are any, and run this again."
    text, cause = "", "The host was rebooted or the installer was killed;"
    if record.get("in_session"):
        text = "this host's logind ends all processes of a user together with the user's session."
        cause = "Let root run it (ece_host_become: true), or set KillUserProcesses=no in /etc/systemd/logind.conf;"
    elif record.get("stopped_by") is not None:
        text = f"its supervisor was stopped by signal {record['stopped_by']}, as when a host shuts down."
        cause = "Wait until the host is up;"
    elif record.get("damaged"):
        text, cause = "its record is damaged, so it is not known how it ended.", "Look at the host and its disk;"
    elif record.get("rebooted"):
        text, cause = "the host was rebooted.", ""
    elif record.get("rebooted") is False:
        return Message(
            "the installer was interrupted, or ended unseen: the process that watched it was killed.",
            "interrupted",
            "Look for out-of-memory kills in the host's journal, then run this again: it finds out whether ECE is on "
            "the host.",
        )
    remedy = f"{cause} {again}" if cause else again[0].upper() + again[1:]
    return Message(
        f"the installer was interrupted: {text}" if text else "the installer was interrupted.", "interrupted", remedy
    )


def _failure(record: Mapping[str, Any], meaning: str, remedy: str) -> Message:
    errors, warnings = record.get("errors", []), record.get("warnings", [])
    output = messages(record.get("output", []))
    if record.get("rc") != PRECONDITION:
        # From 4.0 on, firewalld is a warning at the start of any install.
        output = [line for line in output if "firewalld" not in line] or output
    lines = errors or [*output[-2:], *warnings]
    specific = " ".join(known_remedies(*errors) or known_remedies(*output[:-11:-1], *warnings)[:1])
    if not specific and errors and record.get("rc") == 1:
        specific = "Correct this and run this again."
    return Message(
        f"installer exit {record.get('rc')} ({meaning}): {_sentences(lines or ['it printed nothing'])}",
        meaning,
        specific or remedy,
    )


def _last_cause(record: Mapping[str, Any]) -> str:
    lines = [*record.get("errors", []), *record.get("warnings", [])][:1]
    return f" {_sentences(lines)}" if lines else ""


def _sentences(lines: List[str]) -> str:
    return " ".join(line if line.endswith((".", "!", "?", ":")) else f"{line}." for line in lines)
