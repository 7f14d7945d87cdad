# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The requirements of ECE and of its installer, as rules over the facts of a host.

To add a rule, add one function with the decorator `rule`. `make tables` then writes docs/checks.md, the table of all.
Pure functions. Runs on hosts: Python 3.6 and the standard library.
"""

from typing import Any, Callable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.ece.platform.plugins.module_utils._ece import (
    DISK_MIN_GB,
    MEMORY_MIN_MB,
    UID_MIN,
    release,
)
from ansible_collections.ece.platform.plugins.module_utils._matrix import Row, accepted

Facts = Mapping[str, Any]
Options = Mapping[str, Any]
Check = Callable[[Facts, Options], Iterator[str]]

# Severities: the installer refuses the host, or the host joins but will have trouble.
PROBLEM = "problem"
WARNING = "warning"

# With less than this there is no room for the files that are written before the installer starts.
DISK_FULL_GB = 1
MAP_COUNT_MIN = 262144
# A machine sold as 8 GB shows a little less, because kernel and firmware keep some.
MEMORY_TOLERANCE = 0.95

# Sources of the rules, as docs/checks.md shows them.
_PAGES = "https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise"
_SCRIPT = "[elastic-cloud-enterprise.sh](https://download.elastic.co/cloud/elastic-cloud-enterprise.sh)"
SCRIPT = f"{_SCRIPT} 4.0.3 (2025-10-31)"
SCRIPTS = f"{_SCRIPT} 3.5.1, which refuses, and 4.0.3 (2025-10-31), which warns"
HARDWARE = f"[Hardware prerequisites]({_PAGES}/ece-hardware-prereq), read 2026-11-27"
SOFTWARE = f"[Software prerequisites]({_PAGES}/ece-software-prereq), read 2026-11-27"
NETWORKING = f"[Networking prerequisites]({_PAGES}/ece-networking-prereq), read 2026-11-27"
USERS = f"[Users and permissions prerequisites]({_PAGES}/ece-users-permissions), read 2026-11-27"
RHEL_HOST = f"[Configure a RHEL host]({_PAGES}/configure-host-rhel) of 2025-11; it sets 1048576 since 2025-12"
OWN = "this collection"


class Rule(NamedTuple):
    """One requirement: the check of `skip_checks` that it belongs to, and what the documentation says of it."""

    name: str
    severity: str
    summary: str
    source: str
    # The sentences, with their remedy, about a host that does not meet the requirement; none about another host.
    check: Check


_RULES: List[Rule] = []


def rule(name: str, severity: str, summary: str, source: str) -> Callable[[Check], Check]:
    """Add the decorated check to the rules."""

    def add(check: Check) -> Check:
        _RULES.append(Rule(name, severity, summary, source, check))
        return check

    return add


# -- user --------------------------------------------------------------------------------------------------------------


@rule("user", PROBLEM, "The install user exists.", USERS)
def _user_exists(facts: Facts, options: Options) -> Iterator[str]:
    if facts["user"] is None:
        yield (
            f"There is no user {options['user']}: create it with a UID and GID of {UID_MIN} or more and add it to the "
            "group of the container engine."
        )


@rule("user", PROBLEM, f"The install user has a UID and GID of {UID_MIN} or more.", f"{SCRIPT}; {USERS}")
def _user_ids(facts: Facts, options: Options) -> Iterator[str]:
    for kind in ("uid", "gid") if facts["user"] else ():
        if facts["user"][kind] < UID_MIN:
            yield (
                f"User {options['user']} has {kind.upper()} {facts['user'][kind]}; the installer needs {UID_MIN} or "
                "more: use another user."
            )


@rule("user", PROBLEM, "The task runs as root or as the install user.", f"{OWN}, which runs the script as that user")
def _user_reachable(facts: Facts, options: Options) -> Iterator[str]:
    if facts["user"] and facts["effective_uid"] not in (0, facts["user"]["uid"]):
        yield (
            f"The task runs as UID {facts['effective_uid']}, neither as root nor as {options['user']}: use become, or "
            f"connect as {options['user']}."
        )


# -- container engine --------------------------------------------------------------------------------------------------


def _has_engine(facts: Facts) -> bool:
    return bool(facts["engine"]["version"] or facts["engine"]["usable"])


@rule("engine", PROBLEM, "Docker or Podman is installed.", SCRIPT)
def _engine_exists(facts: Facts, options: Options) -> Iterator[str]:
    if not _has_engine(facts):
        yield (
            f"The container engine cannot be used ({facts['engine']['error']}): install docker or podman, or set "
            "container_engine and bin_paths."
        )


@rule("socket", PROBLEM, "The socket of the container engine exists.", SCRIPT)
def _socket_exists(facts: Facts, options: Options) -> Iterator[str]:
    if _has_engine(facts) and not facts["socket"]["is_socket"]:
        yield f"There is no socket {facts['socket']['path']}: start the container engine, or set docker_socket."


@rule("engine", PROBLEM, "The install user can list containers (`docker ps`, for Podman too).", SCRIPT)
def _engine_usable(facts: Facts, options: Options) -> Iterator[str]:
    engine = facts["engine"]
    if not _has_engine(facts) or not facts["user"] or engine["usable"]:
        return
    # An engine without its socket is stopped, and the rule about the socket reports it.
    if facts["socket"]["is_socket"] or "socket" in options["skip_checks"]:
        yield (
            f"User {options['user']} cannot run {engine['name']} ({engine['error']}): start the engine, and add the "
            f"user to the group {engine['name']}."
        )


@rule("engine", PROBLEM, "With Podman there is a `docker` command, unless `force` is set.", SCRIPT)
def _docker_command(facts: Facts, options: Options) -> Iterator[str]:
    engine = facts["engine"]
    if _has_engine(facts) and engine["name"] == "podman" and not engine["docker_command"] and not options["force"]:
        yield "There is no docker command, which the installer runs with podman too: install podman's wrapper for it."


# -- operating system --------------------------------------------------------------------------------------------------


def _row(facts: Facts, options: Options) -> Optional[Row]:
    """The row of the support matrix to compare the host with; None without an engine, a version or a row."""
    return accepted(options["version"]) if options["version"] and _has_engine(facts) else None


@rule("os", WARNING, "The support matrix covers the version of ECE.", OWN)
def _version_in_matrix(facts: Facts, options: Options) -> Iterator[str]:
    if options["version"] and _has_engine(facts) and accepted(options["version"]) is None:
        yield (
            f"ECE {options['version']} is older than the support matrix of this collection; operating system and "
            "engine are not checked."
        )


@rule("os", PROBLEM, "The version of ECE supports the operating system.", SCRIPT)
def _os_supported(facts: Facts, options: Options) -> Iterator[str]:
    row, name = _row(facts, options), facts["os"]["matrix_name"]
    if row and name not in row:
        yield f"ECE {options['version']} does not support {name}; it supports {', '.join(sorted(row))}."


@rule("os", PROBLEM, "The version of ECE supports the version of the engine on that operating system.", SCRIPT)
def _engine_supported(facts: Facts, options: Options) -> Iterator[str]:
    row, engine, name = _row(facts, options), facts["engine"], facts["os"]["matrix_name"]
    if not row or name not in row:
        return
    version = engine["version"] or "unknown"
    numbers = 1 if engine["name"] == "podman" else 2
    if ".".join(version.split(".")[:numbers]) not in row[name].get(engine["name"], ()):
        supported = "; ".join(
            f"{kind.capitalize()} {', '.join(versions)}" for kind, versions in sorted(row[name].items())
        )
        yield (
            f"ECE {options['version']} on {name} does not support {engine['name'].capitalize()} {version}; install "
            f"{supported}."
        )


# -- storage and network -----------------------------------------------------------------------------------------------


@rule("storage", PROBLEM, "The storage path is mounted for writing.", SCRIPT)
def _storage_mounted(facts: Facts, options: Options) -> Iterator[str]:
    if facts["storage"]["read_only"]:
        yield (
            f"{facts['storage']['existing_parent']} is mounted read-only: look for disk errors in the kernel's log, "
            "then mount it for writing."
        )


@rule(
    "storage", PROBLEM, "The install user can read and write the storage path or its nearest existing parent.", SCRIPT
)
def _storage_writable(facts: Facts, options: Options) -> Iterator[str]:
    storage = facts["storage"]
    if facts["user"] and not storage["read_only"] and not storage["writable"]:
        yield (
            f"User {options['user']} cannot read and write {storage['existing_parent']}: make the user its owner "
            "(mode 0700)."
        )


@rule("host_ip", PROBLEM, "There is a default route, or `host_ip` is set.", SCRIPT)
def _address_known(facts: Facts, options: Options) -> Iterator[str]:
    if not options["host_ip"] and not facts["default_interface"]:
        yield "There is no default route, so the installer finds no address of the host: set host_ip."


@rule("ports", PROBLEM, "No process listens on ports 20000, 21000 and 22000.", NETWORKING)
def _ports_free(facts: Facts, options: Options) -> Iterator[str]:
    if facts["busy_ports"]:
        users = facts["port_users"]
        verb, them = ("listen", "them") if len(users) > 1 else ("listens", "it")
        yield (
            f"{' and '.join(users) or 'A process'} {verb} on port {', '.join(map(str, facts['busy_ports']))}, which "
            f"the installer needs: stop {them}."
        )


# -- memory and disk ---------------------------------------------------------------------------------------------------


def _has_memory(facts: Facts) -> bool:
    return bool(facts["memory"]["total_mb"] >= MEMORY_MIN_MB * MEMORY_TOLERANCE)


@rule("memory", PROBLEM, f"The host has {MEMORY_MIN_MB} MB of memory or more, less 5 percent.", HARDWARE)
def _memory_total(facts: Facts, options: Options) -> Iterator[str]:
    if not _has_memory(facts):
        yield (
            f"The host has {facts['memory']['total_mb']} MB of memory; ECE needs {MEMORY_MIN_MB} MB or more: add "
            "memory, or use another host."
        )


@rule("memory", WARNING, f"{MEMORY_MIN_MB} MB of memory or more are free.", SOFTWARE)
def _memory_free(facts: Facts, options: Options) -> Iterator[str]:
    available = facts["memory"]["available_mb"]
    if _has_memory(facts) and available < MEMORY_MIN_MB:
        yield (
            f"The host has {available} MB of free memory; ECE needs {MEMORY_MIN_MB} MB or more to install: stop other "
            "programs."
        )


def _disk_needed_gb(options: Options) -> int:
    return max(DISK_MIN_GB[role] for role in options["roles"])


@rule("disk", PROBLEM, f"The storage path has {DISK_FULL_GB} GB of free space or more.", OWN)
def _disk_not_full(facts: Facts, options: Options) -> Iterator[str]:
    storage = facts["storage"]
    if storage["free_gb"] < DISK_FULL_GB:
        yield (
            f"{storage['existing_parent']} is full ({storage['free_gb']} GB free): make room, ECE needs "
            f"{_disk_needed_gb(options)} GB or more."
        )


@rule("disk", WARNING, "The storage path has 10 GB of free space or more, 15 GB for a proxy.", HARDWARE)
def _disk_free(facts: Facts, options: Options) -> Iterator[str]:
    storage, needed = facts["storage"], _disk_needed_gb(options)
    if DISK_FULL_GB <= storage["free_gb"] < needed:
        free = storage["free_gb"]
        yield f"{storage['existing_parent']} has {free} GB free; ECE needs {needed} GB or more: make room."


@rule("disk", WARNING, "The storage path of an allocator is on XFS.", SOFTWARE)
def _disk_is_xfs(facts: Facts, options: Options) -> Iterator[str]:
    storage = facts["storage"]
    if "allocator" in options["roles"] and storage["filesystem"] not in ("xfs", ""):
        yield (
            f"{storage['existing_parent']} is on {storage['filesystem']}, with which ECE shows a wrong disk usage: use "
            "XFS with project quotas for an allocator."
        )


# -- security and kernel -----------------------------------------------------------------------------------------------


def _installer_refuses_firewalld(options: Options) -> bool:
    # Scripts up to 3.5 exit with 5, those of 4.0 warn; it is not known which of them the scripts between do.
    return bool(options["version"] and release(options["version"]) <= (3, 5) and not options["force"])


@rule("firewalld", PROBLEM, "firewalld is not active, for ECE up to 3.5 without `force`.", SCRIPTS)
def _firewalld_refused(facts: Facts, options: Options) -> Iterator[str]:
    if facts["firewalld_active"] and _installer_refuses_firewalld(options):
        yield "firewalld is active, which this version's installer refuses: stop and disable it."


@rule("firewalld", WARNING, "firewalld is not active, for later versions.", SCRIPTS)
def _firewalld_active(facts: Facts, options: Options) -> Iterator[str]:
    if facts["firewalld_active"] and not _installer_refuses_firewalld(options):
        yield "firewalld is active: open ECE's ports, or the host will not connect; some installers refuse to run."


@rule("selinux", WARNING, "SELinux is not enforcing, or `selinux` is set.", SCRIPT)
def _selinux_set_up(facts: Facts, options: Options) -> Iterator[str]:
    if facts["selinux_enforcing"] and not options["selinux"]:
        yield "SELinux is enforcing, so that ECE's containers may be denied access to their files: set selinux."


@rule("os", WARNING, "The host uses cgroup v1.", SOFTWARE)
def _cgroup_v1(facts: Facts, options: Options) -> Iterator[str]:
    if facts["cgroup_version"] == 2:
        yield "The host uses cgroup v2, with which Elasticsearch before 7.17.7 and 8.5 fails: use later versions."


@rule("os", WARNING, f"`vm.max_map_count` is {MAP_COUNT_MIN} or more.", RHEL_HOST)
def _map_count(facts: Facts, options: Options) -> Iterator[str]:
    if facts["max_map_count"] < MAP_COUNT_MIN:
        yield (
            f"vm.max_map_count is {facts['max_map_count']}; Elasticsearch needs {MAP_COUNT_MIN} or more: set it with "
            "sysctl."
        )


# -- installer ---------------------------------------------------------------------------------------------------------


@rule(
    "installer",
    PROBLEM,
    "The installer can be downloaded, has the given checksum, and is not older than the version to install.",
    SCRIPT,
)
def _installer_is_right(facts: Facts, options: Options) -> Iterator[str]:
    # ece_host_info downloads and compares it, if it has an address.
    return iter(facts.get("installer_problems", ()))


# -- all of them -------------------------------------------------------------------------------------------------------

RULES = tuple(_RULES)
# The names that `skip_checks` takes.
CHECKS = tuple(sorted({each.name for each in RULES}))


def is_skipped(name: str, options: Options) -> bool:
    """Whether the operator skips a check."""
    return name in options["skip_checks"] or "all" in options["skip_checks"]


def check_requirements(facts: Facts, options: Options) -> Tuple[List[str], List[str]]:
    """(problems, warnings): the sentences of all rules that the host does not meet, without those that are skipped.

    options: version, roles, user, force, selinux, host_ip and skip_checks, as in ece_host_info.
    """
    problems: List[str] = []
    warnings: List[str] = []
    for each in RULES:
        if not is_skipped(each.name, options):
            (problems if each.severity == PROBLEM else warnings).extend(each.check(facts, options))
    return problems, warnings
