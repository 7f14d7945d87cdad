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
from ansible_collections.ece.platform.plugins.module_utils._install_files import ABSENT, MARK, OUTPUT, OVER, RUNNING
from ansible_collections.ece.platform.plugins.module_utils._text import one_line, redact

TAIL_LINES = 40
LINE_LENGTH_MAX = 2000
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


# -- causes ----------------------------------------------------------------------------------------------------------

# What the script, its container or the engine prints -> remedy. The first one that is found is taken.
# Sources: S the script, 4.0.3 and 3.5.1; D the engine's client and daemon; V docs of Elastic, as of 2026-09.
KNOWN_CAUSES = tuple(
    (re.compile(pattern, re.IGNORECASE), remedy)
    for pattern, remedy in (
        # S
        (
            r"not a member of the docker group|UID or GID must not be smaller",
            "Give the install user a UID and GID of 1000 or more and add it to the engine's group.",
        ),
        (
            r"could not verify the Docker socket",
            "Start the container engine, or set docker_socket (ece_host_docker_socket).",
        ),
        (
            r"ECE version \S+ is not compatible with",
            "Install an operating system and a container engine that this version of ECE supports.",
        ),
        (
            r"cloud-enterprise-version value greater",
            f"Use the {SCRIPT_NAME} of the platform's version or a newer one: installer_url (ece_host_installer_url or "
            "ece_host_installer_src).",
        ),
        (
            r"default HOST_IP|default gateway was not found|Device \S+ does not exist",
            "Set host_ip (ece_host_ip) to the address by which the other hosts of ECE reach this one.",
        ),
        (
            r"storage path .*(read|write) permission|mkdir: cannot create directory",
            "Let the install user read and write the storage path, or set storage_path (ece_host_storage_path).",
        ),
        (r"firewalld", "Stop firewalld, or open the ports of ECE in it and set force (ece_host_force)."),
        (
            r"podman-remote: (command )?not found",
            "Install the package podman-remote, which the installer calls for Podman.",
        ),
        (
            r"(docker|podman): (command )?not found",
            "Install the engine's command (podman-docker for Podman), or name its folder in bin_paths "
            "(ece_host_bin_paths).",
        ),
        # D
        (
            r"Cannot connect to (the Docker daemon|Podman)|permission denied .*(docker|podman)\S*\.sock",
            "Start the container engine, and let the install user read and write its socket: docker_socket "
            "(ece_host_docker_socket).",
        ),
        (
            r"container name \S+ is already in use|name \S+ is in use",
            "Remove the container elastic-cloud-enterprise-installer that an earlier installer left.",
        ),
        (
            r"port is already allocated|address already in use|failed to bind host port",
            "Free the ports 20000, 21000 and 22000.",
        ),
        (r"no space left on device", "Make room on the disk of the storage path and on that of the engine."),
        (
            r"pull access denied|PullAccessDenied|unauthorized: authentication required|no basic auth credentials",
            "Log the install user in to the registry on this host, or set docker_registry (ece_host_docker_registry) "
            "and docker_repository (ece_host_docker_repository).",
        ),
        (
            r"manifest unknown|manifest for \S+ not found",
            "The registry does not have this version: check version (ece_host_version), docker_registry "
            "(ece_host_docker_registry) and docker_repository (ece_host_docker_repository).",
        ),
        (
            r"Unable to find image|error pulling image|initializing source docker://|toomanyrequests|x509: ",
            "Let the engine reach the registry, through its own proxy and with its CA where it needs them, or set "
            "docker_registry (ece_host_docker_registry).",
        ),
        # V
        (
            r"No result when parsing failed",
            "In the file of --config-file use the key DEV.",
        ),
        (
            r"(number of )?open files|nofile",
            "Raise the engine's limit of open files in containers to 65536 or more and restart the engine.",
        ),
        (
            r"(reach|connect|connection) .*coordinator|coordinator .*(unreachable|refused|timed out)",
            "Let this host reach the coordinators at ports 12443 and 22191 to 22195, and the directors at 12191 to "
            "12201; check coordinator_host (ece_host_coordinator).",
        ),
    )
)
_LEVEL = r"(?:FATAL|ERROR|WARN(?:ING)?)"
# A line of a log: date and other fields in brackets, the level in brackets or not, the logger in brackets, the text.
_ERROR_LINE = re.compile(r"^(?:\[[^\]]*\]\s*|[0-9T:.,Z+-]+\s+)*\[?\s*(?:FATAL|ERROR)(?=[\]:\s]|$)")
_WARNING_LINE = re.compile(r"^(?:\[[^\]]*\]\s*|[0-9T:.,Z+-]+\s+)*\[?\s*WARN(?:ING)?(?=[\]:\s]|$)")
_PREFIX = re.compile(rf"^(?:\[[^\]]*\]\s*|[0-9T:.,Z+-]+\s+|{_LEVEL}\b[:\s]*)+(?:-\s+)?")
# What the installer's container prints after every failure.
_NO_CAUSE = re.compile(r"Please check logs|^-?\s*Node type -|Errors have caused", re.IGNORECASE)


def causes(text: str, limit: int = 2) -> Tuple[List[str], List[str]]:
    """(the last errors, the last warnings) in the text of a log, without date, level and logger."""
    found: Tuple[List[str], List[str]] = ([], [])
    for line in text.splitlines():
        for kind, pattern in zip(found, (_ERROR_LINE, _WARNING_LINE)):
            if pattern.match(line):
                message = _PREFIX.sub("", line).strip()[:LINE_LENGTH_MAX]
                if message and not _NO_CAUSE.search(message) and message not in kind:
                    kind.append(message)
    return found[0][-limit:], found[1][-limit:]


def known_remedy(*texts: str) -> str:
    """The remedy for the first known cause that one of the texts names; empty if there is none."""
    for text in texts:
        for pattern, remedy in KNOWN_CAUSES:
            if pattern.search(text):
                return remedy
    return ""


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
    "lock": lambda value: value if value in (ABSENT, RUNNING, OVER) else None,
    "folder": _text,
    "now": _number,
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
    if record.get("lock") == RUNNING:
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
    """The result of an install that is not running, as ece_install returns it. Only an rc of 0 is success.

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


def _interruption(record: Mapping[str, Any]) -> Message:
    again = "remove its ECE containers if there are any, and run this again."
    if record.get("in_session"):
        text = "this host's logind ends all processes of a user together with the user's session."
        cause = "Let root run it (ece_host_become: true), or set KillUserProcesses=no in /etc/systemd/logind.conf;"
    elif record.get("stopped_by") is not None:
        text = f"its supervisor was stopped by signal {record['stopped_by']}, as when a host shuts down."
        cause = "Wait until the host is up;"
    elif record.get("damaged"):
        text, cause = "its record is damaged, so it is not known how it ended.", "Look at the host and its disk;"
    else:
        return Message(
            "the installer was interrupted.",
            "interrupted",
            f"The host was restarted or the installer was killed; {again}",
        )
    return Message(f"the installer was interrupted: {text}", "interrupted", f"{cause} {again}")


def _failure(record: Mapping[str, Any], meaning: str, remedy: str) -> Message:
    errors, warnings = record.get("errors", []), record.get("warnings", [])
    output = [line.strip() for line in record.get("output", [])]
    output = [_PREFIX.sub("", line) for line in output if line and not _NO_CAUSE.search(line)]
    if record.get("rc") != PRECONDITION:
        # From 4.0 on, firewalld is a warning at the start of any install.
        output = [line for line in output if "firewalld" not in line] or output
    lines = errors or [*output[-2:], *warnings]
    specific = known_remedy(*errors[::-1], *output[:-11:-1], *warnings)
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
