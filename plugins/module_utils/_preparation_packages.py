# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""What the package manager of a host (apt, dnf or zypper) has installed, held and on offer. Nothing here changes it.

Runs on hosts: Python 3.6 and the standard library.
"""

import os
import re
from fnmatch import fnmatchcase
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.ece.platform.plugins.module_utils._host_process import run_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._text import one_line

# What stands between name and version in a package as the package manager takes it.
SEPARATORS = {"apt": "=", "dnf": "-", "zypper": "="}
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# zypper asks the servers of the repositories.
SEARCH_SECONDS = 120
# zypper's exit code where no repository has the package.
NOT_FOUND = 104
_DPKG_FIELDS = "${Package}\t${Version}\t${db:Status-Want}\t${db:Status-Status}\n"
_RPM_FIELDS = "%{NAME}\t%{VERSION}\n"
# One line for each name that a package provides.
_RPM_PROVIDES = "[%{PROVIDENAME}\t%{=VERSION}\n]"
_NAMES = {
    "apt": re.compile(r"[^=/:]+"),
    "dnf": re.compile(r".+?(?=-[0-9*]|\Z)"),
    "zypper": re.compile(r"[^=<>]+"),
}
_MESSAGE = re.compile(r'<message type="error">([^<]*)')
_SOLVABLE = re.compile(r"<solvable [^>]*>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_OPTIONS = re.compile(r"^\[.*?\]\s*")


def spec_of(manager: str, name: str, version: str) -> str:
    """A package with a version, or with none, as the package manager takes it."""
    return f"{name}{SEPARATORS[manager]}{version}" if version else name


def name_of(manager: str, spec: str) -> str:
    """The name of a package that is given as the package manager takes it."""
    found = _NAMES[manager].match(spec)
    return found.group().strip() if found else spec


def numbers_of(version: str) -> Tuple[int, ...]:
    """(25, 0, 6) of 25.0.6_ce-150000.207.1, and () of what does not begin with a number."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found.group().split("."))) if found else ()


def all_numbers_of(edition: str) -> Tuple[int, ...]:
    """(25, 0, 6, 150000, 207, 1) of 25.0.6_ce-150000.207.1: builds of one version differ behind it alone."""
    return tuple(map(int, re.findall(r"\d+", edition)))


# -- installed and held ----------------------------------------------------------------------------------------------


def parse_dpkg(text: str) -> Tuple[Dict[str, str], List[str]]:
    """(versions of installed packages by name, names of those on hold) of dpkg-query's lines."""
    rows = [line.split("\t") for line in text.splitlines()]
    rows = [row for row in rows if len(row) == 4]
    # A package without its files may be on hold, too.
    return {row[0]: row[1] for row in rows if row[3] == "installed"}, [row[0] for row in rows if row[2] == "hold"]


def parse_rpm(text: str) -> Dict[str, str]:
    """Versions of installed packages by name, of rpm's lines. Those of missing packages are sentences."""
    rows = [line.split("\t") for line in text.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def locks_of_dnf(text: str) -> List[str]:
    """The entries of dnf's versionlock.list."""
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    return [line for line in lines if line]


def locks_on(name: str, entries: Iterable[str]) -> List[str]:
    """Those entries of versionlock.list that keep a version of a package: podman-4.* or podman-4:4.9.4-1.el8.*."""
    begin = re.compile(re.escape(name) + r"(?:-[0-9*].*)?\Z")
    return [entry for entry in entries if begin.match(entry)]


def fits(entry: str, spec: str, name: str) -> bool:
    """Whether a lock of dnf leaves room for what is to be installed: podman-5:5.4.0-1.el9.* does for podman-5.*."""
    # An epoch comes before the version.
    found, wanted = (numbers_of(re.sub(r"^-?(?:\d+:)?", "", one[len(name) :])) for one in (entry, spec))
    shorter = min(len(found), len(wanted))
    return found[:shorter] == wanted[:shorter]


def locks_of_zypper(text: str) -> List[str]:
    """The names of packages in /etc/zypp/locks, which may be patterns like docker*.

    A lock on one version, one repository, or another kind of thing does not keep a package at its version.
    """
    found = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        lines = [line.partition(":") for line in block.splitlines()]
        fields = {key.strip(): value.strip() for key, _colon, value in lines}
        if (
            fields.get("type", "package") == "package"
            and fields.get("match_type", "glob") in ("glob", "exact")
            and fields.get("install_status") != "not-installed"
            and not {"version", "repo"} & set(fields)
        ):
            found += [value.strip() for key, _colon, value in lines if key.strip() == "solvable_name"]
    return found


def zypper_locks_on(name: str, entries: Iterable[str]) -> List[str]:
    """Those locks of zypper that keep a version of a package."""
    return [entry for entry in entries if fnmatchcase(name, entry)]


def is_interrupted(root: str = "/") -> bool:
    """Whether dpkg has a journal of unfinished work, with which apt refuses any other."""
    try:
        return any(name.isdigit() for name in os.listdir(os.path.join(root, "var/lib/dpkg/updates")))
    except OSError:
        return False


def read_packages(manager: str, names: Sequence[str], root: str = "/") -> Dict[str, Any]:
    """What of these names the host has.

    installed: versions by name. provided: those that are not, and that another package provides; with rpm, as for apt
    no such name is asked for. held: names, or for dnf and zypper the entries of their lists. interrupted: dpkg's state.
    """
    if manager == "apt":
        output = run_command(["dpkg-query", "-W", "-f", _DPKG_FIELDS, *names])
        installed, held = parse_dpkg(output.out)
        return {"installed": installed, "provided": {}, "held": held, "interrupted": is_interrupted(root)}
    installed = parse_rpm(run_command(["rpm", "-q", "--qf", _RPM_FIELDS, *names]).out)
    missing = [name for name in names if name not in installed]
    provided: Dict[str, str] = {}
    if missing:
        found = parse_rpm(run_command(["rpm", "-q", "--whatprovides", "--qf", _RPM_PROVIDES, *missing]).out)
        provided = {name: found[name] for name in missing if name in found}
    held = (
        locks_of_dnf(read_text(os.path.join(root, "etc/dnf/plugins/versionlock.list")))
        if manager == "dnf"
        else locks_of_zypper(read_text(os.path.join(root, "etc/zypp/locks")))
    )
    return {"installed": installed, "provided": provided, "held": held, "interrupted": False}


# -- on offer --------------------------------------------------------------------------------------------------------


def parse_zypper(text: str, name: str) -> List[str]:
    """The versions of a package that repositories offer, of zypper's answer in XML."""
    found = [dict(_ATTRIBUTE.findall(solvable)) for solvable in _SOLVABLE.findall(text)]
    editions = [one.get("edition", "") for one in found if one.get("name") == name and one.get("kind") == "package"]
    return sorted(set(filter(None, editions)), key=lambda one: (numbers_of(one), all_numbers_of(one)))


def offered_by_zypper(name: str, wait: int) -> Dict[str, Any]:
    """versions: those of a package that zypper's repositories offer, because it takes no pattern. error: or why not.

    wait: the seconds that another program may hold zypper's lock.
    """
    command = ["zypper", "--non-interactive", "--xmlout", "search", "--details", "--match-exact", "--type", "package"]
    output = run_command(["env", f"ZYPP_LOCK_TIMEOUT={wait}", *command, name], timeout=SEARCH_SECONDS + wait)
    known = output.rc in (0, NOT_FOUND)
    messages = _MESSAGE.findall(output.out) or [output.err]
    return {"versions": parse_zypper(output.out, name), "error": None if known else one_line(messages[-1])}


# -- repositories of apt ---------------------------------------------------------------------------------------------


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def _in_list(text: str, url: str, suite: str) -> bool:
    """Whether a file in one-line style has the repository: deb [arch=amd64 signed-by=KEY] URL SUITE COMPONENT."""
    for line in text.splitlines():
        kind, _blank, rest = line.split("#")[0].strip().partition(" ")
        fields = _OPTIONS.sub("", rest.strip()).split()
        if kind == "deb" and len(fields) > 1 and _same(fields[0], url) and fields[1] == suite:
            return True
    return False


def _in_sources(text: str, url: str, suite: str) -> bool:
    """Whether a file in deb822 style has the repository, and has it enabled."""
    for stanza in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        lines = "\n".join(line for line in stanza.splitlines() if not line.startswith("#"))
        fields = {key.lower(): value.split() for key, value in re.findall(r"^([\w-]+):(.*(?:\n[ \t].*)*)", lines, re.M)}
        enabled = fields.get("enabled", ["yes"])
        if (
            "deb" in fields.get("types", ())
            and any(_same(one, url) for one in fields.get("uris", ()))
            and suite in fields.get("suites", ())
            and enabled[:1] != ["no"]
        ):
            return True
    return False


def apt_sources(root: str = "/") -> Dict[str, str]:
    """Texts of all files that name repositories of apt, by path."""
    folder = os.path.join(root, "etc/apt/sources.list.d")
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith((".list", ".sources")))
    except OSError:
        names = []
    paths = [os.path.join(root, "etc/apt/sources.list"), *(os.path.join(folder, name) for name in names)]
    return {path: read_text(path) for path in paths}


def file_with(sources: Mapping[str, str], url: str, suite: str) -> Optional[str]:
    """The file that has a repository already: apt refuses to read it from two with different keys."""
    for path in sorted(sources):
        has_it = _in_sources if path.endswith(".sources") else _in_list
        if has_it(sources[path], url, suite):
            return path
    return None


def repository_text(url: str, suite: str, architecture: str, key: str) -> str:
    """A file in deb822 style for a repository of apt."""
    fields = (
        ("Types", "deb"),
        ("URIs", url),
        ("Suites", suite),
        ("Components", "stable"),
        ("Architectures", architecture),
        ("Signed-By", key),
    )
    return "".join(f"{name}: {value}\n" for name, value in fields)
