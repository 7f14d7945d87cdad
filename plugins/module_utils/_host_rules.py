# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The requirements without which the installer refuses a host, as rules over its facts, and all rules together.

To add a rule, add one function with the decorator `rule`, here or for a warning in `_host_advice`. `make tables` then
writes the page of all, docs/docsite/rst/checks.rst.
Pure functions. Runs on hosts: Python 3.6 and the standard library.
"""

from typing import Any, Iterator, List, Mapping, Optional, Tuple

from ansible_collections.ece.platform.plugins.module_utils._container_engine import wrong_engine
from ansible_collections.ece.platform.plugins.module_utils._ece import (
    DISK_MIN_GB,
    MEMORY_MIN_MB,
    UID_MIN,
    release,
)
from ansible_collections.ece.platform.plugins.module_utils._host_advice import (
    ADVICE,
    MAP_COUNT_MIN,
    MAP_COUNT_REFUSED,
    map_count_is_refused,
)
from ansible_collections.ece.platform.plugins.module_utils._host_network import unclear_address
from ansible_collections.ece.platform.plugins.module_utils._host_rule import (
    HARDWARE,
    MAP_COUNT,
    NETWORKING,
    OWN,
    PROBLEM,
    SCRIPT,
    SCRIPTS,
    SOFTWARE,
    UNINSTALL,
    USERS,
    WARNING,
    Facts,
    Options,
    RuleBook,
    has_engine,
    has_podman,
    is_skipped,
)
from ansible_collections.ece.platform.plugins.module_utils._host_system import SELINUX_FOLDERS
from ansible_collections.ece.platform.plugins.module_utils._matrix import (
    NEWEST,
    REFUSED,
    UNCLEAR,
    Expectation,
    expectation,
    verdict,
)
from ansible_collections.ece.platform.plugins.module_utils._text import one_line

# With less than this there is no room for the files that are written before the installer starts.
DISK_FULL_GB = 1
# A machine sold as 8 GB shows a little less, because kernel and firmware keep some.
MEMORY_TOLERANCE = 0.95
SKIP_OS = "set ece_host_skip_checks: [os] (option skip_checks)"

_BOOK = RuleBook()
rule = _BOOK.rule


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


@rule("engine", PROBLEM, "Docker or Podman is installed.", SCRIPT)
def _engine_exists(facts: Facts, options: Options) -> Iterator[str]:
    if has_engine(facts):
        return
    error = facts["engine"]["error"]
    # Some sites let the engine's group alone run its command.
    if "Permission denied" in str(error):
        remedy = f"let user {options['user']} run that command, which may take the engine's group"
    else:
        remedy = (
            "install docker or podman, or set ece_host_container_engine and ece_host_bin_paths (options "
            "container_engine and bin_paths)"
        )
    yield f"The container engine cannot be used ({error}): {remedy}."


@rule("engine", PROBLEM, "With `container_engine: docker`, the `docker` command is not Podman's.", SCRIPT)
def _engine_is_wanted(facts: Facts, options: Options) -> Iterator[str]:
    return filter(None, [wrong_engine(options.get("container_engine"), facts["engine"]["name"])])


@rule("socket", PROBLEM, "The socket of the container engine exists.", SCRIPT)
def _socket_exists(facts: Facts, options: Options) -> Iterator[str]:
    if has_engine(facts) and not facts["socket"]["is_socket"]:
        yield (
            f"There is no socket {facts['socket']['path']}: start the container engine, or set ece_host_docker_socket "
            "(option docker_socket)."
        )


def _asks_user(facts: Facts, options: Options) -> bool:
    # An engine without its socket is stopped, and the rule about the socket reports it.
    has_socket = facts["socket"]["is_socket"] or is_skipped("socket", options)
    return bool(has_engine(facts) and facts["user"] and has_socket)


@rule(
    "engine",
    PROBLEM,
    "The install user can list containers (`docker ps`, for Podman too), unless `force` is set.",
    SCRIPT,
)
def _engine_usable(facts: Facts, options: Options) -> Iterator[str]:
    engine = facts["engine"]
    # With force the script goes on to pull and run, for which the socket is what matters.
    if _asks_user(facts, options) and engine["docker_error"] and (engine["socket_error"] or not options["force"]):
        yield (
            f"User {options['user']} cannot run docker ({engine['docker_error']}): start the engine, and add the user "
            f"to the group {engine['name']}."
        )


@rule("socket", PROBLEM, "The install user can use the container engine through that socket.", SCRIPT)
def _socket_usable(facts: Facts, options: Options) -> Iterator[str]:
    engine, path = facts["engine"], facts["socket"]["path"]
    # One sentence where both fail.
    if _asks_user(facts, options) and engine["socket_error"] and not engine["docker_error"]:
        group = "SocketUser and SocketGroup of podman.socket" if has_podman(facts) else "the group of the socket"
        yield (
            f"User {options['user']} cannot use {engine['name']} through {path} ({engine['socket_error']}): start "
            f"{engine['name']} there and give the user access ({group}), or set ece_host_docker_socket (option "
            "docker_socket)."
        )


@rule("engine", PROBLEM, "With Podman there is the command `podman-remote`.", SCRIPT)
def _podman_remote(facts: Facts, options: Options) -> Iterator[str]:
    if has_podman(facts) and not facts["engine"]["podman_remote"]:
        yield "There is no podman-remote command, by which the installer calls Podman: install package podman-remote."


@rule("engine", PROBLEM, "With Podman there is a `docker` command, unless `force` is set.", SCRIPT)
def _docker_command(facts: Facts, options: Options) -> Iterator[str]:
    if has_podman(facts) and not facts["engine"]["docker_command"] and not options["force"]:
        yield (
            "There is no docker command, which the installer runs with Podman too: make one that calls podman-remote "
            "with the socket, as on Elastic's page on RHEL hosts."
        )


# -- operating system --------------------------------------------------------------------------------------------------


def _expected(facts: Facts, options: Options) -> Expectation:
    """What the platform's version asks of the host, by the installer's own table where that is known."""
    installer = facts.get("installer") or {}
    return expectation(options["version"], installer.get("support_matrix"), installer.get("version"))


def _is_compared(facts: Facts, options: Options) -> bool:
    return bool(options["version"]) and has_engine(facts)


def _verdict(facts: Facts, options: Options) -> Optional[str]:
    """What the support matrix says of operating system and engine; None where it is not asked."""
    if not _is_compared(facts, options):
        return None
    engine = facts["engine"]
    return verdict(_expected(facts, options), facts["os"]["matrix_name"], engine["name"], engine["version"])


def _accepted_systems(row: Mapping[str, Any]) -> str:
    return ", ".join(sorted(row))


def _accepted_engines(versions: Mapping[str, Tuple[str, ...]]) -> str:
    return "; ".join(f"{kind.capitalize()} {', '.join(versions[kind])}" for kind in sorted(versions))


def _engine_name(facts: Facts) -> str:
    return f"{facts['engine']['name'].capitalize()} {facts['engine']['version'] or 'of an unknown version'}"


@rule("os", WARNING, "The support matrix covers the version of ECE.", OWN)
def _version_in_matrix(facts: Facts, options: Options) -> Iterator[str]:
    if _is_compared(facts, options) and _expected(facts, options).row is None:
        newer = release(options["version"]) > NEWEST
        yield (
            f"ECE {options['version']} is {'newer' if newer else 'older'} than the support matrix of this collection: "
            "whether it supports operating system and engine is for the installer to decide."
        )


@rule("os", PROBLEM, "The installer accepts the operating system for this version of ECE.", SCRIPT)
def _os_supported(facts: Facts, options: Options) -> Iterator[str]:
    if _verdict(facts, options) != REFUSED:
        return
    row, name = _expected(facts, options).row or {}, facts["os"]["matrix_name"]
    if name not in row:
        yield (
            f"ECE {options['version']} does not support {name}, and the installer refuses it; it supports "
            f"{_accepted_systems(row)}. If it supports it by now, {SKIP_OS}."
        )


@rule("os", PROBLEM, "The installer accepts the version of the engine on that operating system.", SCRIPT)
def _engine_supported(facts: Facts, options: Options) -> Iterator[str]:
    if _verdict(facts, options) != REFUSED:
        return
    row, name = _expected(facts, options).row or {}, facts["os"]["matrix_name"]
    if name in row:
        yield (
            f"ECE {options['version']} on {name} does not support {_engine_name(facts)}, and the installer refuses "
            f"it: install {_accepted_engines(row[name])}, or if it supports it by now, {SKIP_OS}."
        )


@rule(
    "os", WARNING, "It is known that the installer accepts operating system and engine, where it may refuse them.", OWN
)
def _is_documented(facts: Facts, options: Options) -> Iterator[str]:
    if _verdict(facts, options) == UNCLEAR:
        yield (
            f"{_engine_name(facts)} on {facts['os']['matrix_name']} is not among what ECE {options['version']} is "
            "known here to support: look at https://www.elastic.co/support/matrix, the installer may refuse it."
        )


@rule("kernel", PROBLEM, f"`vm.max_map_count` is {MAP_COUNT_REFUSED} or more, unless `force` is set.", MAP_COUNT)
def _map_count_refused(facts: Facts, options: Options) -> Iterator[str]:
    if map_count_is_refused(facts, options):
        yield (
            f"vm.max_map_count is {facts['max_map_count']}, and the installer refuses less than {MAP_COUNT_REFUSED}: "
            f"set it to {MAP_COUNT_MIN} with sysctl."
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


@rule("storage", PROBLEM, "The install user can write the folders for logs that are in the storage path.", SCRIPT)
def _logs_writable(facts: Facts, options: Options) -> Iterator[str]:
    if facts["storage"]["closed_logs"]:
        yield (
            f"User {options['user']} cannot write {' and '.join(facts['storage']['closed_logs'])}: make the user the "
            "owner."
        )


def _has_leftovers(facts: Facts) -> bool:
    return bool(facts["storage"]["leftovers"]) and not facts["ece_containers"] and not facts["installer_running"]


def _failed_before(facts: Facts) -> bool:
    """Whether the last installation here was one of this collection that did not succeed."""
    last = facts["last_install"]
    return bool(last) and last["rc"] != 0


@rule("leftovers", PROBLEM, "The storage path has no data of an installation whose containers are gone.", UNINSTALL)
def _no_leftovers(facts: Facts, options: Options) -> Iterator[str]:
    storage = facts["storage"]
    if _has_leftovers(facts) and not _failed_before(facts):
        yield (
            f"{storage['path']} holds the data of an earlier installation ({', '.join(storage['leftovers'][:3])}), but "
            "the host has no ECE container: if it belongs to a platform, look at its container engine; if it is to be "
            "installed again, look at what is in that folder and move it away, or set ece_host_skip_checks: "
            "[leftovers] (option skip_checks)."
        )


@rule("leftovers", WARNING, "The storage path has no parts of an installation that failed.", OWN)
def _no_failed_leftovers(facts: Facts, options: Options) -> Iterator[str]:
    if _has_leftovers(facts) and _failed_before(facts):
        yield (
            f"{facts['storage']['path']} holds parts of an installation that failed: if the installer fails again, "
            "look at what is in that folder and move it away."
        )


@rule("host_ip", PROBLEM, "`host_ip`, if it is set, is an IPv4 address of the host.", SCRIPT)
def _address_is_own(facts: Facts, options: Options) -> Iterator[str]:
    given, addresses = options["host_ip"], facts["addresses"]
    if given and addresses and given not in addresses:
        yield (
            f"ece_host_ip {given} (option host_ip) is not an address of this host, which has {', '.join(addresses)}: "
            "use one of them."
        )


@rule("host_ip", PROBLEM, "It is known which IPv4 address the host has in the platform, or `host_ip` is set.", SCRIPT)
def _address_known(facts: Facts, options: Options) -> Iterator[str]:
    if not facts["host_ip"]:
        yield unclear_address(options.get("addresses") or [], facts["addresses"], facts["default_routes"])


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


@rule("memory", WARNING, "The host has the memory that its allocator may give to deployments.", OWN)
def _memory_capacity(facts: Facts, options: Options) -> Iterator[str]:
    capacity = options.get("capacity")
    if capacity and int(capacity) > facts["memory"]["total_mb"]:
        yield (
            f"ece_host_capacity (option capacity) {capacity} is more MB than the host has, so deployments would get "
            "memory that is not there: use less, or leave it out."
        )


@rule("memory", WARNING, f"{MEMORY_MIN_MB} MB of memory or more are free.", SOFTWARE)
def _memory_free(facts: Facts, options: Options) -> Iterator[str]:
    available = facts["memory"]["available_mb"]
    if _has_memory(facts) and available < MEMORY_MIN_MB:
        yield f"Less than {MEMORY_MIN_MB} MB of memory are free, which ECE needs to install: stop other programs."


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
        yield f"{storage['existing_parent']} has less than {needed} GB free, which ECE needs: make room."


# -- security -----------------------------------------------------------------------------------------------


def _installer_refuses_firewalld(facts: Facts, options: Options) -> bool:
    # Scripts up to 3.5 exit with 5, those of 4.0 warn; it is not known which of them the scripts between do.
    version = (facts.get("installer") or {}).get("version") or options["version"]
    return bool(version and release(version) <= (3, 5) and not options["force"])


@rule("firewalld", PROBLEM, "firewalld is not active, for ECE up to 3.5 without `force`.", SCRIPTS)
def _firewalld_refused(facts: Facts, options: Options) -> Iterator[str]:
    if facts["firewalld_active"] and _installer_refuses_firewalld(facts, options):
        yield "firewalld is active, which this version's installer refuses: stop and disable it."


@rule("firewalld", WARNING, "firewalld is not active, for later versions.", SCRIPTS)
def _firewalld_active(facts: Facts, options: Options) -> Iterator[str]:
    if facts["firewalld_active"] and not _installer_refuses_firewalld(facts, options):
        yield "firewalld is active: open ECE's ports, or the host will not connect; some installers refuse to run."


@rule("selinux", PROBLEM, "With `selinux`: the installer knows `--selinux`, and SELinux is not disabled.", SCRIPT)
def _selinux_possible(facts: Facts, options: Options) -> Iterator[str]:
    if not options["selinux"]:
        return
    known = (facts.get("installer") or {}).get("arguments")
    if known and "--selinux" not in known:
        yield "The installer does not know --selinux: use a later one, or unset ece_host_selinux (option selinux)."
    elif facts["selinux"]["mode"] == "disabled":
        yield "SELinux is disabled, so that --selinux fails: enable it, or unset ece_host_selinux (option selinux)."


@rule("selinux", PROBLEM, "With `selinux`: the container engine is Podman.", SCRIPT)
def _selinux_engine(facts: Facts, options: Options) -> Iterator[str]:
    if options["selinux"] and has_engine(facts) and not has_podman(facts):
        yield (
            "The container engine is Docker, and --selinux goes with Podman only: unset ece_host_selinux (option "
            "selinux) for this host, or use Podman."
        )


@rule(
    "selinux",
    PROBLEM,
    f"With `selinux`: there are {' and '.join(SELINUX_FOLDERS)}, which the installer labels by these names.",
    SCRIPT,
)
def _selinux_folders(facts: Facts, options: Options) -> Iterator[str]:
    missing = facts["selinux"]["missing_folders"]
    if options["selinux"] and missing:
        yield (
            f"There is no folder {' and '.join(missing)}, which --selinux needs: keep images and containers at "
            f"{SELINUX_FOLDERS[-1]} (graphroot of Podman), or unset ece_host_selinux (option selinux)."
        )


@rule("selinux", PROBLEM, "With `selinux`: the host has the commands that set SELinux up.", SCRIPT)
def _selinux_commands(facts: Facts, options: Options) -> Iterator[str]:
    missing = facts["selinux"]["missing_commands"]
    if options["selinux"] and missing:
        yield (
            f"There is no command {' or '.join(missing)}, which --selinux needs: install the packages "
            "policycoreutils-python-utils, policycoreutils and checkpolicy."
        )


@rule("selinux", PROBLEM, "With `selinux`: the install user can run `sudo` without a password.", SCRIPT)
def _selinux_sudo(facts: Facts, options: Options) -> Iterator[str]:
    if options["selinux"] and facts["user"] and not facts["selinux"]["sudo"]:
        yield (
            f"User {options['user']} cannot run sudo without a password, which --selinux needs: allow it in a file "
            "below /etc/sudoers.d for the time of the installation."
        )


# -- installer ---------------------------------------------------------------------------------------------------------


@rule(
    "installer",
    PROBLEM,
    "The installer can be downloaded, or read where it lies on the host, has the given checksum, and is not older than "
    "the version to install.",
    SCRIPT,
)
def _installer_is_right(facts: Facts, options: Options) -> Iterator[str]:
    # ece_host_info reads and compares it, unless it is copied to the host after the check.
    return iter(facts.get("installer_problems", ()))


# -- all of them -------------------------------------------------------------------------------------------------------

RULES = (*_BOOK.rules, *ADVICE)
# The names that `skip_checks` takes.
CHECKS = tuple(sorted({each.name for each in RULES}))


def check_requirements(facts: Facts, options: Options) -> Tuple[List[str], List[str]]:
    """(problems, warnings): the sentences of all rules that the host does not meet, without those that are skipped.

    facts: those of the host, and `installer` and `installer_problems` if the installer was looked at.
    options: those of ece_host_info.
    """
    problems: List[str] = []
    warnings: List[str] = []
    for each in RULES:
        if not is_skipped(each.name, options):
            # Parts of a sentence, such as names of files, are the host's own, and may hold ends of lines.
            sentences = map(one_line, each.check(facts, options))
            (problems if each.severity == PROBLEM else warnings).extend(sentences)
    return problems, warnings
