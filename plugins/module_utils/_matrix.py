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


class Expectation(NamedTuple):
    """What a platform's version asks of a host: the row, None without one, and whether the installer enforces it."""

    row: Optional[Row]
    # Operating systems of the row of which everything else is refused; None if that is all systems.
    enforced: Optional[FrozenSet[str]]


def matches(accepted: str, version: str) -> bool:
    """Whether a version like 29.7.2 is one that is accepted: 25.0, 27 or 29.3+."""
    wanted, found = accepted.rstrip("+").split("."), version.split(".")
    if accepted.endswith("+"):
        return found[:1] == wanted[:1] and found[1:2] != [] and int(found[1]) >= int(wanted[1])
    return found[: len(wanted)] == wanted


def is_accepted(row: Row, system: str, engine: str, version: Optional[str]) -> bool:
    """Whether a row accepts an operating system with a version of an engine."""
    return any(matches(accepted, version or "") for accepted in row.get(system, {}).get(engine, ()))


# -- the table of a script -------------------------------------------------------------------------------------------

# An entry of the table: the release in brackets, and a text in quotes or a list in parentheses.
_ENTRY = re.compile(
    r"\[[\"']?(\d+\.\d+)[\"']?\]=(?:\"([^\"]*)\"|'([^']*)'|\(([^)]*)\)|(\S+))",
)
_TOKEN = re.compile(
    r"(?P<system>RHEL|RockyLinux|Rocky|CentOS|Ubuntu|SLES)[-_ ]?(?P<release>\d+(?:\.\d+)?)"
    r"|(?P<engine>docker|podman)[-_ ]?(?P<version>\d+(?:\.\d+)*\+?)",
    re.IGNORECASE,
)
_ACCEPTED = re.compile(r"^(\S.*) (docker|podman) (\d+(?:\.\d+)*\+?)\Z")
_RELEASE = re.compile(r"^\d+\.\d+(\.\d+(-[^.]*)?)?\Z")
_SYSTEMS = {"rhel": "RHEL", "rockylinux": "RockyLinux", "rocky": "RockyLinux", "centos": "CentOS", "ubuntu": "Ubuntu"}


def script_matrix(text: str) -> Dict[str, List[str]]:
    """The support matrix in the text of an installer, like {"4.0": ["RHEL-8 podman 4"]}; empty if it has none."""
    found: Dict[str, List[str]] = {}
    for number, *values in _ENTRY.findall(text):
        system = ""
        for token in _TOKEN.finditer("".join(values)):
            if token.group("system"):
                name = token.group("system").lower()
                system = f"{_SYSTEMS.get(name, 'SLES')}-{token.group('release')}"
            elif system:
                found.setdefault(number, []).append(
                    f"{system} {token.group('engine').lower()} {token.group('version')}"
                )
    return found


def _row_of(texts: Iterable[Any], is_literal: bool) -> Row:
    row: Row = {}
    for found in filter(None, (_ACCEPTED.match(str(text)) for text in texts)):
        system, engine, version = found.groups()
        version = version if is_literal else version.split(".")[0]
        versions = row.setdefault(system, {}).get(engine, ())
        row[system][engine] = versions if version in versions else (*versions, version)
    return row


def _rows_of(matrix: Mapping[str, Any], is_literal: bool) -> Dict[Release, Row]:
    """The rows of what script_matrix() returned and a user may have written. What is not of that shape is left out."""
    return {
        release(key): _row_of(texts, is_literal)
        for key, texts in matrix.items()
        if _RELEASE.match(str(key)) and isinstance(texts, (list, tuple))
    }


# -- what applies ----------------------------------------------------------------------------------------------------


def _nearest(rows: Mapping[Release, Row], version: str) -> Optional[Release]:
    """The release of the row for a version: its own, or the nearest lower one, as in the script."""
    lower = [key for key in rows if key <= release(version)]
    return max(lower) if lower else None


def expectation(
    version: str, matrix: Optional[Mapping[str, Any]] = None, script_version: Optional[str] = None
) -> Expectation:
    """What a platform of this version asks of a host.

    matrix: that of script_matrix() for the script that will be run; None if its text is not known.
    script_version: the version of that script.
    """
    if matrix:
        # Scripts to 4.0 compare the two numbers of Docker. To later ones 29.0 may mean each 29, as it does in the
        # documentation, so that only another major version is taken for refused.
        is_literal = bool(_RELEASE.match(script_version or "")) and release(script_version or "") <= ENFORCED_TO
        rows = _rows_of(matrix, is_literal)
        nearest = _nearest(rows, version)
        return Expectation(rows[nearest] if nearest else None, None)
    nearest = _nearest(MATRIX, version)
    if nearest is None or release(version) > NEWEST:
        return Expectation(None, frozenset())
    if matrix is not None:
        return Expectation(MATRIX[nearest], frozenset())  # a script without a table, like 3.5.1, refuses nothing
    is_enforced = ENFORCED_FROM <= nearest <= ENFORCED_TO
    return Expectation(MATRIX[nearest], None if is_enforced else COMPLETE.get(nearest, frozenset()))
