# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The causes of a failed install in what the script, its container and the container engine print.

The texts of the container's own log are not documented, so that all usual shapes of a line are understood. Pure
functions. Runs on hosts too: Python 3.6 and the standard library.
"""

import json
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.ece.platform.plugins.module_utils._ece import SCRIPT_NAME
from ansible_collections.ece.platform.plugins.module_utils._text import one_line

LINE_LENGTH_MAX = 2000
# Failed checks that are named, and different remedies.
CHECKS_MAX = 5
REMEDIES_MAX = 3

# -- remedies --------------------------------------------------------------------------------------------------------

# What the script, its container or the engine prints -> remedy. The first one that is found is taken.
# Sources: S the script, 4.0.3 and 3.5.1; D the engine's client and daemon; V docs of Elastic, as of 2026-09.
KNOWN_CAUSES = tuple(
    (re.compile(pattern, re.IGNORECASE), remedy)
    for pattern, remedy in (
        # S
        (
            r"not a member of the docker group|add the user to the docker group|UID or GID must not be smaller",
            "Give the install user a UID and GID of 1000 or more and add it to the engine's group.",
        ),
        (
            r"could not verify the Docker socket",
            "Start the container engine, or set docker_socket (ece_host_docker_socket).",
        ),
        (
            # The script could not read the engine's version.
            r"is not compatible with \S+ and Podman-\.",
            "Install the package podman-remote, and let the install user call it.",
        ),
        (
            r"is not compatible with \S+ and (Docker|Podman)|ECE version \S+ is not compatible with",
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
            r"storage path .*(read|write) permission|exists but doesn't have \S+ permission|"
            r"mkdir: cannot create directory",
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
        (
            # What bash says of the script itself, which root can read and the install user cannot.
            r"bash: /[^:]+: Permission denied",
            "Let the install user read the installer and enter the folders above it: installer_path "
            "(ece_host_installer_path).",
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
            r"port is already allocated|address already in use|failed to bind host port|ports .*20000",
            "Free the ports 20000, 21000 and 22000, and let the other hosts of ECE reach them.",
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
            r"max_map_count",
            "Set the kernel setting vm.max_map_count to 1048576.",
        ),
        (r"ip_forward|IP forward", "Set the kernel setting net.ipv4.ip_forward to 1."),
        (
            r"cgroup\.memory",
            "Boot the host with the argument cgroup.memory=nokmem.",
        ),
        (
            r"required memory|MB of memory",
            "Give the host 8192 MB of memory or more.",
        ),
        (
            r"(number of )?open files|nofile",
            "Raise the engine's limit of open files in containers to 65536 or more and restart the engine.",
        ),
        (
            r"(still|already) registered",
            "Run the same again: the plan looks for the platform's runner of this host, and says what to do about it.",
        ),
        (
            r"(reach|connect|connection) .*coordinator|coordinator .*(unreachable|connection refused|timed out)",
            "Let this host reach the coordinators at ports 12443 and 22191 to 22195, and the directors at 12191 to "
            "12201; check coordinator_host (ece_host_coordinator).",
        ),
    )
)


def known_remedies(*texts: str) -> List[str]:
    """The remedies for the known causes that the texts name, in their order."""
    found = []
    for text in texts:
        remedy = next((remedy for pattern, remedy in KNOWN_CAUSES if pattern.search(text)), None)
        if remedy and remedy not in found:
            found.append(remedy)
    return found[:REMEDIES_MAX]


# -- lines of a log --------------------------------------------------------------------------------------------------

ERROR, WARNING = "error", "warning"
_LEVELS = {
    **dict.fromkeys(("fatal", "error", "err", "severe", "critical"), ERROR),
    **dict.fromkeys(("warn", "warning"), WARNING),
    **dict.fromkeys(("info", "notice", "debug", "trace"), ""),
}
_IN_BRACKETS = re.compile(r"\[([^\]]*)\]\s*")
_DATE_OR_BULLET = re.compile(r"(?:\d{4}[-/]\d\d[-/]\d\d\S*|\d\d:\d\d:\d\d\S*|[-*]+)(?:\s+|$)")
# A sentence may begin with such a word, so that it has to be in capitals or have a colon.
_LEVEL = re.compile(rf"({'|'.join(_LEVELS).upper()})(?=[\s|:]|$)[:|\s]*|((?i:{'|'.join(_LEVELS)})):\s*")
_LOGGER = re.compile(r"(?:[\w$]+\.[\w.$]+(?::\d+)?\s+)?[-|]\s+")
_KEY_VALUE = re.compile(r'\b(level|severity|msg|message)=("(?:[^"\\]|\\.)*"|\S+)')


def _of_object(text: str) -> Tuple[str, str]:
    """(level, message) of a line that is a JSON object; both are empty if it is not."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return "", ""
    fields: Dict[str, Any] = found if isinstance(found, dict) else {}
    log = fields.get("log")
    names = [fields.get(name) for name in ("level", "log.level", "severity", "loglevel")]
    names += [log.get("level")] if isinstance(log, Mapping) else []
    level = next((name for name in names if isinstance(name, str)), "")
    texts = [fields.get(name) for name in ("message", "msg", "error", "error.message")]
    return level, next((one_line(text) for text in texts if isinstance(text, str) and text.strip()), "")


def _of_pairs(text: str) -> Tuple[str, str]:
    """(level, message) of a line of key=value; both are empty if it is not."""
    pairs = {
        name: value[1:-1].replace('\\"', '"') if value.startswith('"') else value
        for name, value in _KEY_VALUE.findall(text)
    }
    level, message = (
        pairs.get(name) or pairs.get(other) for name, other in (("level", "severity"), ("msg", "message"))
    )
    return (level, message) if level and message else ("", "")


def read_line(line: str) -> Tuple[str, str]:
    """(ERROR, WARNING or nothing, the message without date, level and logger) of a line in any usual shape."""
    text = line.strip()
    level, message = _of_object(text) if text.startswith("{") else _of_pairs(text)
    if message:
        return _LEVELS.get(level.strip().lower(), ""), message[:LINE_LENGTH_MAX]
    level = ""
    text = text[: 2 * LINE_LENGTH_MAX]  # each step copies the rest, and a line may be as long as the log
    while True:
        found = _DATE_OR_BULLET.match(text) or _IN_BRACKETS.match(text) or (None if level else _LEVEL.match(text))
        if not found:
            break
        word = next((group for group in found.groups() if group), "").strip().lower()
        level = level or (word if word in _LEVELS else "")
        text = text[found.end() :]
    if level:
        text = _LOGGER.sub("", text, 1) if _LOGGER.match(text) else text
    return _LEVELS.get(level, ""), text.strip()[:LINE_LENGTH_MAX]


# -- causes ----------------------------------------------------------------------------------------------------------

# What the installer's container prints after every failure.
_NO_CAUSE = re.compile(r"Please check logs|^-?\s*Node type -|Errors have caused", re.IGNORECASE)
# A check of the installer's container, whose reason is in the same line or in the next one.
_CHECK = re.compile(r"\W*Checking\s+")
_PASSED_CHECK = re.compile(r"\W*Checking\s.*\b(ok|pass(ed)?|done|success(ful)?)\W*$", re.IGNORECASE)
_FAILED = re.compile(r"(?<=\w)(\W+)(failed)\b(?=\W*(.*))", re.IGNORECASE)
_DOTS = re.compile(r"\s*(?:\.{2,}|\u2026)")


def messages(lines: Sequence[str]) -> List[str]:
    """The lines of an output that may name a cause, without date and level."""
    found = [read_line(line)[1] for line in lines]
    return [text for text in found if text and not _NO_CAUSE.search(text) and not _PASSED_CHECK.match(text)]


def _failed_check(text: str) -> Optional[Tuple[str, str]]:
    """(what was checked, the reason if the line has it) of a line about a failed check.

    A program that waits may print thousands of dots: each expression here looks at a character once or twice.
    """
    check = _CHECK.match(text)
    for failed in _FAILED.finditer(text, check.end()) if check else ():
        between, word, reason = failed.groups()
        dots = _DOTS.search(between)
        # In lower case, it may be a part of the name.
        if check and (dots or word == "FAILED"):
            return text[check.end() : failed.start() + (dots.start() if dots else 0)], reason
    return None


def failed_checks(lines: Sequence[str]) -> List[str]:
    """The failed checks of the installer's container with their reasons."""
    found: List[str] = []
    texts = messages(lines)
    for text, following in zip(texts, [*texts[1:], ""]):
        check = _failed_check(text)
        if check:
            what, reason = check
            reason = reason or ("" if _CHECK.match(following) else following)
            sentence = f"Checking {what} failed" + (f": {reason}" if reason else "")
            if sentence not in found:
                found.append(sentence[:LINE_LENGTH_MAX])
    return found[:CHECKS_MAX]


def log_causes(text: str, limit: int = 2) -> Tuple[List[str], List[str]]:
    """(the last errors, the last warnings) in the text of a log."""
    found: Dict[str, List[str]] = {ERROR: [], WARNING: []}
    for line in text.splitlines():
        level, message = read_line(line)
        kind = found.get(level, [message])
        if message and message not in kind and not _NO_CAUSE.search(message) and not _CHECK.match(message):
            kind.append(message)
    return found[ERROR][-limit:], found[WARNING][-limit:]


def all_causes(output: Sequence[str], logs: Sequence[str]) -> Tuple[List[str], List[str]]:
    """(errors, warnings): failed checks in output and logs, and what the first log with an error or a warning has."""
    checks: List[str] = []
    for lines in (output, *(text.splitlines() for text in logs)):
        checks += [check for check in failed_checks(lines) if check not in checks]
    found = [log_causes(text) for text in logs]
    errors = next((errors for errors, _warnings in found if errors), [])
    warnings = next((warnings for _errors, warnings in found if warnings), [])
    # The reason of a check may be an error in the log.
    return checks[:CHECKS_MAX] + [error for error in errors if not any(error in check for check in checks)], warnings
