# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The container engine: which one in which version, its packages, their repository, and that they stay as they are.

https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/configure-host-rhel, -ubuntu, -suse (2026-11-27)
Runs on hosts: Python 3.6 and the standard library.
"""

import os
import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.ece.platform.plugins.module_utils._container_engine import ece_containers, list_containers
from ansible_collections.ece.platform.plugins.module_utils._ece import CONTAINER_PREFIXES, ENGINES
from ansible_collections.ece.platform.plugins.module_utils._host_process import find_command, run_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._matrix import (
    MATRIX,
    NEWEST,
    OLDEST,
    REFUSED,
    UNCLEAR,
    Expectation,
    expectation,
    matches,
    verdict,
)
from ansible_collections.ece.platform.plugins.module_utils._preparation_docker import (
    docker_containers,
    plan_docker,
    read_docker,
)
from ansible_collections.ece.platform.plugins.module_utils._preparation_packages import (
    ARCHITECTURES,
    apt_sources,
    file_with,
    fits,
    locks_on,
    name_of,
    numbers_of,
    offered_by_zypper,
    read_packages,
    repository_text,
    spec_of,
    zypper_locks_on,
)
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import (
    MARKER,
    Facts,
    Options,
    Part,
    PartPlan,
    System,
    marked,
    wanted_engine,
)
from ansible_collections.ece.platform.plugins.module_utils._preparation_podman import (
    plan_podman,
    podman_containers,
    read_podman,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names

NEWEST_VERSION = "{}.{}.0".format(*NEWEST)
# The program of each engine that runs its containers.
DAEMONS = {"docker": "dockerd", "podman": "podman"}
REPOSITORY = "/etc/apt/sources.list.d/ece-docker.sources"
KEY = "/etc/apt/keyrings/ece-docker"
# By package manager, what installs packages in the background, like the modules of the same names. A property takes a
# whole path. Where another program has the lock, apt-get waits as long as a module, and dnf leaves it to the module.
INSTALLS = {
    "apt": (
        "--setenv=DEBIAN_FRONTEND=noninteractive",
        "--setenv=DEBIAN_PRIORITY=critical",
        "--property=ExecStartPre=/usr/bin/apt-get --quiet update",
        "apt-get",
        "--quiet",
        "--yes",
        "--option=DPkg::Lock::Timeout={seconds}",
        "--option=Dpkg::Options::=--force-confdef",
        "--option=Dpkg::Options::=--force-confold",
        "install",
    ),
    "dnf": ("dnf", "--quiet", "--assumeyes", "--setopt=exit_on_lock=True", "install"),
}
INSTALL_UNIT = "ece-host-preparation-install.service"
# dnf locks what is installed, with a module of its own.
HOLDS = {"apt": ("apt-mark", "hold"), "zypper": ("zypper", "--non-interactive", "addlock")}
# Of the system's packages, what dnf needs to lock versions.
VERSIONLOCK, VERSIONLOCK_FILE = "python3-dnf-plugin-versionlock", "/etc/dnf/plugins/versionlock.conf"
SNAP = "/snap/bin/docker"
REPLACE = "ece_host_preparation_replace_engine: true"
_READ = {"docker": read_docker, "podman": read_podman}
_PLAN = {"docker": plan_docker, "podman": plan_podman}
_ECE_VERSION = re.compile(r"\d+\.\d+(\.\d+)?(-\S+)?\Z")
_ENGINE_VERSION = re.compile(r"\d+(\.\d+){0,2}\Z")


# -- what the host has -----------------------------------------------------------------------------------------------


def _version_of(engine: str, command: str, facts: Facts) -> Optional[str]:
    """The version of an engine: that of its client, which is what the installer looks at, where that is known."""
    if facts["engine"]["name"] == engine and facts["engine"]["version"]:
        return str(facts["engine"]["version"])
    found = re.search(r"\d+\.\d+(?:\.\d+)*", run_command([command, "--version"]).out)
    return found.group() if found else None


def codename_of(os_release: str) -> str:
    """The name of the release in the repositories of Ubuntu: focal, jammy, noble."""
    found = re.search(r'^VERSION_CODENAME=["\']?([a-z]+)', os_release, re.MULTILINE)
    return found.group(1) if found else ""


def _containers_of(engine: str, options: Options) -> Dict[str, Any]:
    """ECE's containers in an engine that is not the one which the facts are about, or the error why not known."""
    listing = list_containers([find_command(engine, options["ece_host_bin_paths"]) or engine], ())
    return {"ece": ece_containers({"containers": listing.containers}), "error": listing.error}


def read_engine(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """Engines and packages of the host, the repositories that it has, and what the settings of its engine need."""
    manager, engine = system["package_manager"], wanted_engine(options, system)
    commands = {name: find_command(DAEMONS[name], options["ece_host_bin_paths"]) for name in ENGINES}
    versions = {name: _version_of(name, command, facts) for name, command in commands.items() if command}
    others = [name for name in versions if name != engine]
    names = sorted(set(_all_names(options, system)))
    found: Dict[str, Any] = {
        "versions": versions,
        "others": {name: _containers_of(name, options) for name in others if _replaces(options)},
        "snap": os.path.exists(SNAP),
        "packages": read_packages(manager, names),
        "codename": codename_of(read_text("/etc/os-release")),
        "sources": apt_sources() if manager == "apt" else {},
        "versionlock": os.path.exists(VERSIONLOCK_FILE),
        "offered": {},
        # Of `environment` in the play, which a unit of systemd does not get.
        "has_proxy": any(name.lower().endswith("_proxy") and value for name, value in os.environ.items()),
    }
    wait = options["ece_host_preparation_packages_timeout"]
    if manager == "zypper" and _installs(options) and (engine not in versions or _replaces(options)):
        found["offered"] = {name: offered_by_zypper(name, wait) for name in _table(system, engine)}
    found[engine] = _READ[engine](facts, options, system)
    return found


def reason_of_stores(facts: Facts) -> str:
    """Why a host may run ECE, by the containers of an engine that does not answer or is not there; or empty."""
    readers: Dict[str, Callable[[], Tuple[str, List[str]]]] = {
        "docker": lambda: docker_containers(facts),
        "podman": podman_containers,
    }
    for name, read in readers.items():
        title = name.capitalize()
        try:
            folder, names = read()
        except (OSError, ValueError) as error:
            if facts["containers_known"] or name != facts["engine"]["name"]:
                continue  # what is left of an engine that is not there
            return (
                f"{title} does not answer, and which containers it has cannot be read ({error}), so that the host may "
                "run ECE: it is left as it is"
            )
        of_ece = sorted(one for one in names if one.startswith(CONTAINER_PREFIXES))
        if of_ece:
            return (
                f"{title} does not answer and has containers of ECE ({first_names(of_ece)}) in {folder}: it is left as "
                "it is"
            )
    return ""


def _replaces(options: Options) -> bool:
    return bool(options["ece_host_preparation_replace_engine"])


def _installs(options: Options) -> bool:
    return bool(options["ece_host_preparation_engine_source"] != "installed")


def _table(system: System, engine: str) -> Mapping[str, str]:
    """The versions of an engine's packages, by name; empty where the system has none."""
    found: Mapping[str, str] = system["engine_packages"].get(engine, {})
    return found


def _given_names(options: Options, system: System) -> List[str]:
    return [name_of(system["package_manager"], spec) for spec in options["ece_host_preparation_engine_packages"]]


def _all_names(options: Options, system: System) -> List[str]:
    names = [*system["packages"], "ca-certificates", *_given_names(options, system)]
    known: List[Any] = [*system["engine_packages"].values(), *system["engine_names"].values()]
    known += [[name, *others] for name, others in system["hold"].items()]
    return [*names, *(name for group in known for name in group)]


# -- engine and version ----------------------------------------------------------------------------------------------


class Choice(NamedTuple):
    """An engine, the versions that a release of ECE accepts, and which of them is to be installed."""

    engine: str
    ece: str
    expected: Expectation
    accepted: Tuple[str, ...]
    # Those of them that are meant, and the version to install, like 27.0 or 5.
    meant: Tuple[str, ...]
    version: str


def expected_of(version: str) -> Expectation:
    """What a version of ECE asks for; for one beyond the matrix, what its nearest release does."""
    found = expectation(version)
    if found.row is not None:
        return found
    nearest = NEWEST if numbers_of(version)[:2] > NEWEST else OLDEST
    return Expectation(MATRIX[nearest], frozenset(), False)


def meant_by(given: str, accepted: Sequence[str]) -> Tuple[str, ...]:
    """Which accepted versions are meant, oldest first: all, the given one, or those that begin like it."""
    labels = sorted(accepted, key=lambda label: numbers_of(label.rstrip("+")))
    if given and any(matches(label, given) for label in labels):
        return (given,)
    begin = given.split(".") if given else []
    return tuple(label for label in labels if label.rstrip("+").split(".")[: len(begin)] == begin)


def version_of(meant: Sequence[str]) -> str:
    """The version to install: the newest, and of 29.3+ the newest 29 that the repository has."""
    return meant[-1].split(".")[0] if meant[-1].endswith("+") else meant[-1]


def _shown(engine: str, versions: Sequence[str]) -> str:
    return f"{engine.capitalize()} {', '.join(versions)}"


def choose(facts: Facts, options: Options, system: System, plan: PartPlan) -> Optional[Choice]:
    """Which engine in which version. Adds to the problems and notes of the plan, and returns None if it cannot say."""
    engine, name = wanted_engine(options, system), facts["os"]["matrix_name"]
    ece = options.get("ece_host_version") or NEWEST_VERSION
    if not _ECE_VERSION.match(ece):
        plan.problems.append(f"ece_host_version {ece!r} is not a version of ECE: use one like {NEWEST_VERSION}.")
        return None
    expected, given = expected_of(ece), options.get("ece_host_preparation_engine_version") or ""
    row = expected.row or {}
    if given and not _ENGINE_VERSION.match(given):
        plan.problems.append(f"ece_host_preparation_engine_version {given!r} is not a version: use one like 27.0 or 5.")
        return None
    accepted = row.get(name, {}).get(engine, ())
    is_given = bool(options.get("ece_host_container_engine"))
    meant = meant_by(given, accepted)
    found = verdict(expected, name, engine, given)
    if not accepted and (found == REFUSED or not given):
        plan.problems.append(_not_in_matrix(ece, name, engine, row, found, is_given=is_given))
        return None
    if expectation(ece).row is None:
        plan.notes.append(f"ECE {ece} is not in the support matrix of this collection, whose nearest release is used.")
    if not meant and found == REFUSED:
        plan.problems.append(
            f"ece_host_preparation_engine_version {given} is not what ECE {ece} supports on {name}: use "
            f"{', '.join(accepted)}, or leave it out."
        )
    elif not meant:
        plan.notes.append(
            f"{_shown(engine, [given])} on {name} is not among what ECE {ece} is known here to support, and the "
            "installer may refuse it."
        )
    meant = meant or (given,)
    return Choice(engine, ece, expected, accepted, meant, version_of(meant))


def _not_in_matrix(
    ece: str, name: str, engine: str, row: Mapping[str, Any], found: Optional[str], *, is_given: bool
) -> str:
    if name in row and not is_given:
        return (
            f"ECE {ece} (ece_host_version) does not support {engine.capitalize()} on {name}: set "
            f"ece_host_container_engine to {' or '.join(sorted(row[name]))}."
        )
    if name in row:
        return (
            f"ece_host_container_engine {engine} is not what ECE {ece} supports on {name}: use "
            f"{' or '.join(sorted(row[name]))}, or leave it out."
        )
    hint = ", or ece_host_preparation_engine_version to one that the installer accepts by now"
    return (
        f"ECE {ece} (ece_host_version) does not support {name}, as far as this collection knows: use one of "
        f"{', '.join(sorted(row))}, or set ece_host_version to a release that does{'' if found == REFUSED else hint}."
    )


# -- plan ------------------------------------------------------------------------------------------------------------


class Engines(NamedTuple):
    """What becomes of the engines of a host."""

    # Packages of the engine are to be installed, because it is not there or is replaced by another version.
    is_installed: bool
    is_changed: bool
    # Another engine goes.
    removed: List[str]


def _judge_others(choice: Choice, found: Mapping[str, Any], options: Options, plan: PartPlan) -> List[str]:
    """The engines that have to go."""
    others = [name for name in sorted(found["versions"]) if name != choice.engine]
    for name in others:
        if not _replaces(options):
            plan.problems.append(
                f"{name.capitalize()} is installed, and the host gets {choice.engine.capitalize()}: remove it, or set "
                f"{REPLACE}, which removes it."
            )
        elif found["others"][name]["ece"]:
            plan.problems.append(f"{name.capitalize()} has containers of ECE, and is not removed.")
        elif found["others"][name]["error"] is not None:
            plan.problems.append(
                f"{name.capitalize()} does not list its containers ({found['others'][name]['error']}), so that this "
                "role does not remove it: start it, or remove it."
            )
    return others


def _judge_installed(choice: Choice, facts: Facts, options: Options, plan: PartPlan) -> bool:
    """Whether the engine, which is there, has to be replaced by another version of it."""
    version = facts["preparation"]["engine"]["versions"][choice.engine]
    name, given = facts["os"]["matrix_name"], options.get("ece_host_preparation_engine_version")
    found = verdict(choice.expected, name, choice.engine, version)
    here = f"{choice.engine.capitalize()} {version or 'of an unknown version'} is installed"
    if given and version and not any(matches(label, version) for label in choice.meant):
        reason = f"{here}, and ece_host_preparation_engine_version is {given}: leave that out"
    elif found == REFUSED:
        accepted = _shown(choice.engine, choice.accepted)
        reason = f"{here}, and ECE {choice.ece} on {name} supports {accepted}: install one of these"
    else:
        if found == UNCLEAR:
            plan.notes.append(
                f"{here}, which is not among what ECE {choice.ece} is known here to support on {name}: the installer "
                "may refuse it."
            )
        return False
    if _replaces(options) and _installs(options):
        return True
    way = f"set {REPLACE}, which replaces it and stops its containers"
    plan.problems.append(f"{reason}, or {way}." if _installs(options) else f"{reason}.")
    return False


def judge_engines(choice: Choice, facts: Facts, options: Options, plan: PartPlan) -> Engines:
    """What becomes of the engines of a host."""
    found = facts["preparation"]["engine"]
    title = choice.engine.capitalize()
    if found["snap"] and choice.engine == "docker":
        plan.problems.append(
            "Docker is installed as a snap, with which ECE cannot work, because it keeps to its own folders: remove it "
            "(snap remove docker)."
        )
    removed = _judge_others(choice, found, options, plan)
    if choice.engine not in found["versions"]:
        if not _installs(options):
            plan.problems.append(
                f"{title} is not installed, and ece_host_preparation_engine_source is installed: install it, or set "
                "that to vendor or system."
            )
        return Engines(True, False, removed)
    if choice.engine == "docker" and not facts["engine"]["docker_command"]:
        plan.problems.append("Docker's daemon is installed, but there is no docker command: install its package.")
    is_changed = _judge_installed(choice, facts, options, plan)
    return Engines(is_changed, is_changed, removed)


def _pattern(version: str) -> str:
    """All packages of a version: 27.0.* for 27.0, and 27.5.1-* for 27.5.1."""
    return f"{version}-*" if version.count(".") > 1 else f"{version}.*"


def _containerd(system: System, version: str) -> str:
    """The version of containerd that goes with a version of Docker."""
    first = (numbers_of(version) or (0,))[0]
    known = {int(number): pattern for number, pattern in system.get("containerd", {"0": ""}).items()}
    return str(known[max(number for number in known if number <= first)])


def _zypper_version(choice: Choice, offered: Sequence[str]) -> Optional[str]:
    """The newest version on offer that is accepted."""
    numbers = {one: ".".join(map(str, numbers_of(one))) for one in offered}
    fitting = [one for one in offered if any(matches(label, numbers[one]) for label in choice.meant)]
    return fitting[-1] if fitting else None


def engine_specs(
    choice: Choice, found: Mapping[str, Any], options: Options, system: System, plan: PartPlan
) -> List[str]:
    """The engine's packages with their versions, as the package manager takes them."""
    given: List[str] = options["ece_host_preparation_engine_packages"]
    manager, specs = system["package_manager"], []
    if not given and not _table(system, choice.engine):
        plan.problems.append(
            f"This role does not know the packages of {choice.engine.capitalize()} on this system: set "
            "ece_host_preparation_engine_packages."
        )
    for name, template in () if given else _table(system, choice.engine).items():
        version: Optional[str] = _pattern(choice.version)
        if manager == "zypper":
            offered = found["offered"].get(name, {"versions": [], "error": None})
            version = _zypper_version(choice, offered["versions"])
        if version is None:
            plan.problems.append(_not_offered(choice, name, offered))
            continue
        pattern = template.format(version=version, containerd=_containerd(system, choice.version))
        specs.append(spec_of(manager, name, pattern))
    return given or specs


def _not_offered(choice: Choice, name: str, offered: Mapping[str, Any]) -> str:
    wanted = f"{name} {' or '.join(choice.meant)}"
    if offered["error"] is not None:
        return f"zypper does not say which versions of {name} there are ({offered['error']}): correct that first."
    if offered["versions"]:
        return (
            f"The repositories of this host have no package {wanted}, but {', '.join(offered['versions'])}: add one "
            "that has it, or set ece_host_preparation_engine_packages."
        )
    return (
        f"The repositories of this host have no package {wanted}: enable SUSE's Containers Module, which has it, or "
        "set ece_host_preparation_engine_packages."
    )


def companion_specs(choice: Choice, found: Mapping[str, Any], options: Options, system: System) -> List[str]:
    """Packages that an engine which is there already lacks, in its own version."""
    if options["ece_host_preparation_engine_packages"] or choice.engine not in found["versions"]:
        return []
    version = ".".join((found["versions"][choice.engine] or "").split(".")[:2])
    table = _table(system, choice.engine)
    return [
        spec_of(system["package_manager"], name, table[name].format(version=_pattern(version)))
        for name in system["companions"]
        if name in table and name not in found["packages"]["installed"]
    ]


def _repository(facts: Facts, options: Options, system: System, plan: PartPlan) -> None:
    """Add the repository of Docker, unless the host has it."""
    found = facts["preparation"]["engine"]
    url = options["ece_host_preparation_docker_repository_url"].rstrip("/")
    key_url = options["ece_host_preparation_docker_repository_key_url"]
    for variable, value in (("url", url), ("key_url", key_url)):
        if not re.match(r"[a-z]+://\S+\Z", value):
            plan.problems.append(
                f"ece_host_preparation_docker_repository_{variable} {value!r} is not a URL: use one like "
                "https://download.docker.com/linux."
            )
    if not found["codename"]:
        plan.problems.append(
            "/etc/os-release has no VERSION_CODENAME, by which Docker names its repositories: set it there, or set "
            "ece_host_preparation_engine_source: system."
        )
    url = f"{url}/{system['repository']}"
    present = file_with(found["sources"], url, found["codename"])
    if present not in (None, REPOSITORY):
        return
    architecture = ARCHITECTURES.get(facts["architecture"]) or str(facts["architecture"])
    # apt tells the two formats of keys by the ending.
    key = KEY + (".gpg" if key_url.endswith(".gpg") else ".asc")
    plan.values["key"] = {"url": key_url, "path": key}
    block = repository_text(url, found["codename"], architecture, key)
    plan.values["repository"] = {
        "path": REPOSITORY,
        "marker": MARKER,
        "block": block,
        "content": marked(block),
        "is_new": not found["sources"].get(REPOSITORY),
    }
    if not key_url.startswith("https://"):
        plan.notes.append(f"The key of Docker's packages comes from {key_url}, and nothing verifies that address.")
    if found["sources"].get(REPOSITORY) != plan.values["repository"]["content"]:
        plan.steps.append(f"add the repository {url}")
    if "ca-certificates" not in found["packages"]["installed"] and f"{url}{key_url}".count("https://"):
        plan.values["first_packages"] = ["ca-certificates"]


def _held_names(specs: Sequence[str], found: Mapping[str, Any], options: Options, system: System) -> List[str]:
    """The packages that are held at their version."""
    manager, installed = system["package_manager"], found["packages"]["installed"]
    new = [name_of(manager, spec) for spec in specs]
    # The others of a group come with its first package.
    groups = [[name, *others] for name, others in system["hold"].items() if name in new or name in installed]
    groups.append([name for name in _given_names(options, system) if name in new or name in installed])
    return list(dict.fromkeys(name for group in groups for name in group))


def _locks(names: Sequence[str], found: Mapping[str, Any], system: System) -> Dict[str, List[str]]:
    """Their locks that the host has, by name."""
    held = found["packages"]["held"]
    if system["package_manager"] == "dnf":
        return {name: locks_on(name, held) for name in names}
    if system["package_manager"] == "zypper":
        return {name: zypper_locks_on(name, held) for name in names}
    return {name: [name] if name in held else [] for name in names}


def _in_the_way(
    engines: Engines, locks: Mapping[str, Sequence[str]], specs: Sequence[str], found: Mapping[str, Any], manager: str
) -> List[str]:
    """The locks that keep the engine's packages from being installed. Some may be of an engine that was removed."""
    if not engines.is_installed:
        return []
    if manager != "dnf":
        return list(dict.fromkeys(lock for entries in locks.values() for lock in entries))
    if not found["versionlock"]:
        return []  # without its plugin, dnf does not read them
    wanted = {name_of(manager, spec): spec for spec in specs}
    return [
        lock
        for name, entries in locks.items()
        for lock in entries
        if engines.is_changed or not fits(lock, wanted.get(name, name), name)
    ]


def _hold(
    engines: Engines,
    choice: Choice,
    specs: Sequence[str],
    companions: Sequence[str],
    facts: Facts,
    options: Options,
    system: System,
) -> Dict[str, List[str]]:
    """hold: packages that have to be held and are not. unlock: holds that are in the way of another version."""
    found, manager = facts["preparation"]["engine"], system["package_manager"]
    names = _held_names([*specs, *companions], found, options, system)
    locks = _locks(names, found, system)
    unlock = _in_the_way(engines, locks, specs, found, manager) if _installs(options) else []
    hold = [name for name in names if not set(locks[name]) - set(unlock)]
    if manager == "dnf":
        hold = [_lock(choice, name, specs, facts, system) for name in hold]
    # A pattern of zypper keeps packages of others, too: it makes room, and comes back.
    patterns = [lock for lock in unlock if lock not in names] if manager == "zypper" else []
    hold = [name for name in hold if not zypper_locks_on(name, patterns)]
    return {"hold": [*patterns, *(hold if options["ece_host_preparation_hold"] else [])], "unlock": unlock}


def _lock(choice: Choice, name: str, specs: Sequence[str], facts: Facts, system: System) -> str:
    """The lock on a package for dnf: all packages of a minor version, or the name for the one that is there.

    Before the engine is installed, only what is asked for is known. The tasks look again then.
    """
    spec = next((spec for spec in specs if name_of("dnf", spec) == name), None)
    if spec or name not in _table(system, choice.engine):
        return spec or name
    version = facts["preparation"]["engine"]["versions"].get(choice.engine) or choice.version
    minor = ".".join(version.split(".")[:2])
    return spec_of("dnf", name, _table(system, choice.engine)[name].format(version=_pattern(minor)))


def _plan_packages(
    choice: Choice, engines: Engines, facts: Facts, options: Options, system: System, plan: PartPlan
) -> None:
    """What is removed, added, installed and held."""
    found, manager = facts["preparation"]["engine"], system["package_manager"]
    installed = found["packages"]["installed"]
    removed = []
    for engine in engines.removed if _replaces(options) else ():
        names = [name for name in system["engine_names"][engine] if name in installed]
        removed += names
        if not names:
            plan.problems.append(f"{engine.capitalize()} is in no package that this role knows: remove it.")
    specs: List[str] = []
    companions: List[str] = []
    missing = [name for name in system["packages"] if name not in {**found["packages"]["provided"], **installed}]
    if engines.is_installed and _installs(options):
        specs = engine_specs(choice, found, options, system, plan)
        source, is_vendors = options["ece_host_preparation_engine_source"], "repository" in system
        if source == "vendor" and is_vendors:
            _repository(facts, options, system, plan)
    elif not engines.is_installed:
        companions = companion_specs(choice, found, options, system)
    missing += companions
    if missing and not _installs(options):
        plan.notes.append(f"The host has no {', '.join(missing)}, which Elastic's pages on hosts install.")
        missing, companions = [], []
    held = _hold(engines, choice, specs, companions, facts, options, system)
    if manager == "dnf" and held["hold"] and not found["versionlock"]:
        if _installs(options):
            missing.append(VERSIONLOCK)
        else:
            plan.notes.append(f"The versions are not locked, because package {VERSIONLOCK} is not installed.")
            held["hold"] = []
    plan.values.update(remove=removed, packages=missing + specs, change=engines.is_changed, **held)
    if removed:
        plan.steps.append(f"remove {', '.join(removed)}")
    plan.values["interrupted"] = bool(found["packages"]["interrupted"] and (removed or missing or specs))
    if plan.values["interrupted"]:
        plan.steps.append("finish what dpkg was interrupted in (dpkg --configure -a)")
    if held["unlock"]:
        plan.steps.append(f"unlock {', '.join(held['unlock'])}")
    if missing or specs:
        plan.steps.append(f"install {', '.join([*missing, *specs])}")
    if held["hold"]:
        plan.values["hold_command"] = [*HOLDS[manager], *held["hold"]] if manager in HOLDS else []
        plan.steps.append(f"hold {', '.join(held['hold'])} at the version")


def background_command(values: Mapping[str, Any], starts_docker: bool, options: Options) -> List[str]:
    """The command that begins an installation in a unit of systemd, which stays active after one that succeeded.

    The unit does what the tasks do after an installation, too: a round trip less for each.
    """
    seconds = options["ece_host_preparation_packages_timeout"]
    after = [values["hold_command"]] if values["hold_command"] else []
    after += [["systemctl", "enable", "--now", "docker.service"]] if starts_docker else []
    return [
        "systemd-run",
        "--quiet",
        "--no-block",
        "--collect",
        f"--unit={INSTALL_UNIT}",
        "--property=Type=oneshot",
        "--property=RemainAfterExit=yes",
        *(f"--property=ExecStartPost=/usr/bin/{' '.join(command)}" for command in after),
        *(word.format(seconds=seconds) for word in INSTALLS[values["manager"]]),
        *values["packages"],
    ]


def _may_run_in_background(values: Mapping[str, Any], facts: Facts) -> bool:
    """Whether a unit can install the packages: nothing else is done to packages, and it needs no proxy of the play."""
    first = ("remove", "unlock", "interrupted", "change", "first_packages")
    is_free = not facts["preparation"]["engine"]["has_proxy"]
    return bool(values["manager"] in INSTALLS and values["packages"] and is_free and not any(map(values.get, first)))


def plan_engine(facts: Facts, options: Options, system: System) -> PartPlan:
    """Choose engine and version, install what is missing, hold it, and set up the engine."""
    engine = wanted_engine(options, system)
    plan = PartPlan([], [], {"engine": engine, "manager": system["package_manager"]}, [], [])
    plan.values.update(remove=[], packages=[], hold=[], unlock=[], change=False, interrupted=False)
    plan.values.update(background=[], unit=INSTALL_UNIT, hold_command=[])
    choice = choose(facts, options, system, plan)
    if choice is None:
        return plan
    engines = judge_engines(choice, facts, options, plan)
    version = choice.version if engines.is_installed else facts["preparation"]["engine"]["versions"][engine]
    _plan_packages(choice, engines, facts, options, system, plan)
    plan.values.update(installed=not engines.is_installed, version=version)
    settings = _PLAN[engine](facts, dict(options, engine_version=version), system)
    for field in ("problems", "steps", "reboot", "notes"):
        getattr(plan, field).extend(getattr(settings, field))
    # The locks on another version are known after a second look, which is one of its tasks.
    plan.values[engine] = dict(settings.values, steps=settings.steps, is_due=bool(settings.steps) or engines.is_changed)
    if _may_run_in_background(plan.values, facts):
        starts_docker = engine == "docker" and settings.values["start"]
        plan.values["background"] = background_command(plan.values, starts_docker, options)
    return plan


ENGINE = Part("engine", read_engine, plan_engine)
