# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The support matrix: operating systems and container engines that the installer accepts.

The table of the script that will be run decides. Where its text is not known, or it has no table, these rows do.

Runs on hosts too: Python 3.6 and the standard library.
"""

import re
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.ece.platform.plugins.module_utils._ece import release
from ansible_collections.ece.platform.plugins.module_utils._text import one_line

# Operating system -> container engine -> accepted versions.
Row = Dict[str, Dict[str, Tuple[str, ...]]]
Release = Tuple[int, ...]

# By release of ECE. An accepted version is compared by as many numbers as it has; "29.3+" is 29.3 or a later 29.
# The vendor's page: https://www.elastic.co/support/matrix#elastic-cloud-enterprise
MATRIX: Dict[Release, Row] = {
    # 4.1 and 4.2: what Elastic's documentation and its own role say, to 2026-09 (elastic/docs-content 8058 and 8239,
    # elastic/ansible-elastic-cloud-enterprise 220, 221, 224 and 225), and what 4.0 has where they say nothing. No text
    # of these scripts was available, and the documentation names majors of Docker.
    (4, 2): {
        "RHEL-8": {"podman": ("4",)},
        "RHEL-9": {"podman": ("4", "5")},
        "RHEL-10": {"podman": ("5",)},
        "RockyLinux-8": {"podman": ("4",)},
        "RockyLinux-9": {"podman": ("5",)},
        "Ubuntu-20.04": {"docker": ("25", "26", "27")},
        "Ubuntu-22.04": {"docker": ("25", "26", "27")},
        "Ubuntu-24.04": {"docker": ("26", "27", "29.3+")},
        "SLES-12": {"docker": ("25",)},
        "SLES-15": {"docker": ("25", "29.3+")},
    },
    (4, 1): {
        "RHEL-8": {"podman": ("4",)},
        "RHEL-9": {"podman": ("4", "5")},
        "RockyLinux-8": {"podman": ("4",)},
        "RockyLinux-9": {"podman": ("5",)},
        "Ubuntu-20.04": {"docker": ("25", "26", "27")},
        "Ubuntu-22.04": {"docker": ("25", "26", "27")},
        "Ubuntu-24.04": {"docker": ("26", "27")},
        "SLES-12": {"docker": ("25",)},
        "SLES-15": {"docker": ("25",)},
    },
    # The others are enforced by elastic-cloud-enterprise.sh 4.0.3 (2025-10-31). It compares Docker by major.minor and
    # Podman by major version.
    (4, 0): {
        "RHEL-8": {"podman": ("4",)},
        "RHEL-9": {"podman": ("4", "5")},
        "RockyLinux-8": {"podman": ("4",)},
        "RockyLinux-9": {"podman": ("5",)},
        "Ubuntu-20.04": {"docker": ("25.0", "26.0", "27.0")},
        "Ubuntu-22.04": {"docker": ("25.0", "26.0", "27.0")},
        "Ubuntu-24.04": {"docker": ("26.0", "27.0")},
        "SLES-12": {"docker": ("25.0",)},
        "SLES-15": {"docker": ("25.0",)},
    },
    (3, 8): {
        "RHEL-8": {"podman": ("4",)},
        "RHEL-9": {"podman": ("4", "5")},
        "RockyLinux-8": {"podman": ("4",)},
        "RockyLinux-9": {"podman": ("5",)},
        "Ubuntu-20.04": {"docker": ("20.10", "24.0", "25.0")},
        "Ubuntu-22.04": {"docker": ("24.0", "25.0")},
        "SLES-12": {"docker": ("24.0", "25.0")},
        "SLES-15": {"docker": ("24.0", "25.0")},
    },
    (3, 7): {
        "RHEL-8": {"podman": ("4",)},
        "RHEL-9": {"podman": ("4",)},
        "RockyLinux-8": {"podman": ("4",)},
        "Ubuntu-20.04": {"docker": ("20.10", "24.0")},
        "Ubuntu-22.04": {"docker": ("24.0",)},
        "SLES-12": {"docker": ("18.09", "24.0")},
        "SLES-15": {"docker": ("20.10", "24.0")},
    },
    (3, 4): {
        "CentOS-7": {"docker": ("20.10",)},
        "CentOS-8": {"docker": ("20.10",)},
        "RHEL-7": {"docker": ("20.10",)},
        "RHEL-8": {"docker": ("20.10",), "podman": ("4",)},
        "Ubuntu-18.04": {"docker": ("19.03",)},
        "Ubuntu-20.04": {"docker": ("20.10",)},
        "SLES-12": {"docker": ("18.09",)},
        "SLES-15": {"docker": ("20.10",)},
    },
    (3, 3): {
        "CentOS-7": {"docker": ("20.10",)},
        "CentOS-8": {"docker": ("19.03", "20.10")},
        "RHEL-7": {"docker": ("20.10",)},
        "RHEL-8": {"docker": ("19.03", "20.10"), "podman": ("4",)},
        "Ubuntu-18.04": {"docker": ("19.03",)},
        "Ubuntu-20.04": {"docker": ("20.10",)},
        "SLES-12": {"docker": ("18.09",)},
        "SLES-15": {"docker": ("20.10",)},
    },
    (2, 13): {
        "CentOS-7": {"docker": ("20.10",)},
        "CentOS-8": {"docker": ("19.03", "20.10")},
        "RHEL-7": {"docker": ("20.10",)},
        "RHEL-8": {"docker": ("19.03", "20.10")},
        "Ubuntu-16.04": {"docker": ("19.03",)},
        "Ubuntu-18.04": {"docker": ("19.03",)},
        "SLES-12": {"docker": ("18.09",)},
    },
}
OLDEST, NEWEST = min(MATRIX), max(MATRIX)
# Scripts from 4.0 on have a table and refuse what is not in it; 3.5.1 has none. From 3.7 on, no script of a platform's
# release is known to accept more than the row of that release: the documentation has the same.
ENFORCED_FROM: Release = (3, 7)
ENFORCED_TO: Release = (4, 0)
# Of later releases this much is documented as refused: elastic/docs-content 8058 (2026-08-24) and 8239 (2026-09-08).
COMPLETE: Dict[Release, FrozenSet[str]] = {
    (4, 2): frozenset(("RHEL-10", "SLES-15")),
    (4, 1): frozenset(("SLES-15",)),
}


# Verdicts on an operating system with a version of an engine.
ACCEPTED, UNCLEAR, REFUSED = "accepted", "unclear", "refused"


class Expectation(NamedTuple):
    """What a platform's version asks of a host: the row, None without one, and what the installer enforces of it."""

    row: Optional[Row]
    # Operating systems of the row of which everything else is refused; None if that is all systems.
    enforced: Optional[FrozenSet[str]]
    # Whether the installer is known to compare versions as the row has them. It may mean each 29 by 29.0 otherwise, as
    # the documentation does, so that only another major version is taken for refused.
    is_literal: bool


def matches(accepted: str, version: str) -> bool:
    """Whether a version like 29.7.2 is one that is accepted: 25.0, 27 or 29.3+."""
    wanted, found = accepted.rstrip("+").split("."), version.split(".")
    if accepted.endswith("+"):
        return found[:1] == wanted[:1] and found[1:2] != [] and int(found[1]) >= int(wanted[1])
    return found[: len(wanted)] == wanted


def is_accepted(row: Row, system: str, engine: str, version: Optional[str]) -> bool:
    """Whether a row accepts an operating system with a version of an engine."""
    return any(matches(accepted, version or "") for accepted in row.get(system, {}).get(engine, ()))


def _major(version: str) -> str:
    return version.split(".")[0]


# -- the table of a script -------------------------------------------------------------------------------------------

# An entry of the table: the name of the array, if it stands there, the release in brackets, and a text in quotes, a
# list in parentheses or a word.
_ENTRY = re.compile(
    r"(\w*)\[[\"']?(\d+\.\d+)[\"']?\]\+?=(?:\"([^\"]*)\"|'([^']*)'|\(([^)]*)\)|(\S+))",
)
_TOKEN = re.compile(
    r"(?P<system>RHEL|RockyLinux|Rocky|CentOS|Ubuntu|SLES)[-_ ]?(?P<release>\d+(?:\.\d+)?)"
    r"|(?P<engine>docker|podman)[-_ ]?(?P<version>\d+(?:\.\d+)*\+?)",
    re.IGNORECASE,
)
# What may stand between the tokens.
_BETWEEN = re.compile(r"[\s_:;,\"'-]*")
_UNKNOWN_LENGTH_MAX = 80
# Hosts are compared by these names. What a name like SLES-15.6 would mean is not known.
_ACCEPTED = re.compile(r"^(Ubuntu-\d+\.\d+|[^ .][^.]*) (docker|podman) (\d+(?:\.\d+)*\+?)\Z")
_RELEASE = re.compile(r"^\d+\.\d+(\.\d+(-[^.]*)?)?\Z")
_SYSTEMS = {"rhel": "RHEL", "rockylinux": "RockyLinux", "rocky": "RockyLinux", "centos": "CentOS", "ubuntu": "Ubuntu"}


def _entries_of(value: str) -> List[str]:
    """The parts of an entry like "RHEL-8 podman 4", and what is not understood as it stands there."""
    found: List[str] = []
    system, is_used, end = "", True, 0
    for token in _TOKEN.finditer(value):
        unknown = value[end : token.start()]
        if not _BETWEEN.fullmatch(unknown):
            found.append(unknown)
        end = token.end()
        if token.group("system"):
            if not is_used:
                found.append(system)  # a system without an engine
            name = token.group("system").lower()
            system, is_used = f"{_SYSTEMS.get(name, 'SLES')}-{token.group('release')}", False
        elif system:
            found.append(f"{system} {token.group('engine').lower()} {token.group('version')}")
            is_used = True
        else:
            found.append(token.group())
    rest = value[end:]
    found += [] if _BETWEEN.fullmatch(rest) else [rest]
    return [one_line(part)[:_UNKNOWN_LENGTH_MAX] for part in (found if is_used else [*found, system])]


def script_matrix(text: str) -> Dict[str, List[str]]:
    """The support matrix in the text of an installer, like {"4.0": ["RHEL-8 podman 4"]}; empty if it has none.

    Parts of it that are not understood stay as they are, so that their release is known to have more.
    """
    entries = [(array, number, _entries_of("".join(values))) for array, number, *values in _ENTRY.findall(text)]
    arrays = {array for array, _number, parts in entries if any(map(_ACCEPTED.match, parts))}
    found: Dict[str, List[str]] = {}
    for array, number, parts in entries:
        if array in arrays:
            found.setdefault(number, []).extend(parts)
    return found


def _row_of(texts: Any) -> Tuple[Row, bool]:
    """(row, whether all of it is understood)."""
    row: Row = {}
    texts = texts if isinstance(texts, (list, tuple)) else [texts]
    matched = [_ACCEPTED.match(str(text)) for text in texts]
    for found in filter(None, matched):
        system, engine, version = found.groups()
        versions = row.setdefault(system, {}).get(engine, ())
        row[system][engine] = versions if version in versions else (*versions, version)
    return row, bool(matched) and None not in matched


def _as_documented(row: Row, number: Release) -> Row:
    """The row of a script with the documentation's versions in place of those of the same major version."""

    def known(system: str, engine: str, version: str) -> str:
        documented = MATRIX.get(number, {}).get(system, {}).get(engine, ())
        return next((one for one in documented if _major(one) == _major(version)), version)

    return {
        system: {
            engine: tuple(dict.fromkeys(known(system, engine, version) for version in versions))
            for engine, versions in engines.items()
        }
        for system, engines in row.items()
    }


# -- what applies ----------------------------------------------------------------------------------------------------


def _nearest(numbers: Iterable[Release], version: str) -> Optional[Release]:
    """The release of the row for a version: its own, or the nearest lower one, as in the script."""
    return max((number for number in numbers if number <= release(version)), default=None)


def expectation(
    version: str, matrix: Optional[Mapping[str, Any]] = None, script_version: Optional[str] = None
) -> Expectation:
    """What a platform of this version asks of a host.

    matrix: that of script_matrix() for the script that will be run; None if its text is not known.
    script_version: the version of that script.
    """
    if matrix:
        return _expectation_of_script(version, matrix, script_version or "")
    nearest = _nearest(MATRIX, version)
    if nearest is None or release(version) > NEWEST:
        return Expectation(None, frozenset(), False)
    if matrix is not None:
        return Expectation(MATRIX[nearest], frozenset(), False)  # a script without a table, like 3.5.1, refuses nothing
    if ENFORCED_FROM <= nearest <= ENFORCED_TO:
        return Expectation(MATRIX[nearest], None, True)
    return Expectation(MATRIX[nearest], COMPLETE.get(nearest, frozenset()), False)


def _expectation_of_script(version: str, matrix: Mapping[str, Any], script_version: str) -> Expectation:
    rows = {release(key): _row_of(texts) for key, texts in matrix.items() if _RELEASE.match(str(key))}
    nearest = _nearest(rows, version)
    if nearest is None:
        return Expectation(None, frozenset(), False)
    row, is_understood = rows[nearest]
    # Scripts to 4.0 compare the two numbers of Docker. How later ones compare is not known.
    is_literal = bool(_RELEASE.match(script_version)) and release(script_version) <= ENFORCED_TO
    row = row if is_literal else _as_documented(row, nearest)
    return Expectation(row, None if is_understood else frozenset(), is_literal)


def verdict(expected: Expectation, system: str, engine: str, version: Optional[str]) -> Optional[str]:
    """What is known of an operating system with a version of an engine; None without a row."""
    if expected.row is None:
        return None
    if is_accepted(expected.row, system, engine, version):
        return ACCEPTED
    if expected.enforced is not None and system not in expected.enforced:
        return UNCLEAR
    accepted = expected.row.get(system, {}).get(engine, ())
    is_near = any(_major(one) == _major(version or "") for one in accepted)
    return UNCLEAR if is_near and not expected.is_literal else REFUSED
