# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Docker's settings: all are in daemon.json, merged with what it has, and none is there that a flag gives already.

https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/configure-host-ubuntu, -suse (2026-11-27)
Runs on hosts: Python 3.6 and the standard library.
"""

import json
import os
import re
import shlex
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.ece.platform.plugins.module_utils._host_advice import NOFILE_MIN
from ansible_collections.ece.platform.plugins.module_utils._host_process import run_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._host_system import SYSTEMCTL_SECONDS, UNLIMITED
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import Facts, Options, PartPlan, System

FILE = "/etc/docker/daemon.json"
UNIT = "docker.service"
# A byte order mark, with which Docker 20.10 does not start.
MARK = "\ufeff"
DEFAULT_ROOT = "/var/lib/docker"
LIMITS = {"nofile": 1024000, "memlock": UNLIMITED, "nproc": UNLIMITED}
LOG_DRIVER = "json-file"
LOG_OPTS = {"max-size": "500m", "max-file": "10"}
# Before this version, IPv6 rules are an experimental feature of dockerd.
IP6TABLES_STABLE = 27
# The flags of dockerd in the packages of Docker and of Debian: a host that has no Docker yet will have them.
PACKAGED_FLAGS = {"hosts": ["fd://"]}
RESTART = "ece_host_preparation_restart_engine: true"
_MODE = 0o7777
# Flags with another name than the setting, or a short one.
_FLAGS = {
    "H": "hosts",
    "host": "hosts",
    "g": "data-root",
    "graph": "data-root",
    "s": "storage-driver",
    "b": "bridge",
    "D": "debug",
    "G": "group",
    "l": "log-level",
    "p": "pidfile",
    "log-opt": "log-opts",
    "default-ulimit": "default-ulimits",
    "label": "labels",
    "insecure-registry": "insecure-registries",
    "registry-mirror": "registry-mirrors",
    "storage-opt": "storage-opts",
    "add-runtime": "runtimes",
    "exec-opt": "exec-opts",
    "dns-opt": "dns-opts",
    "authorization-plugin": "authorization-plugins",
    "default-network-opt": "default-network-opts",
    "feature": "features",
}
_ARGV = re.compile(r"argv\[\]=(.*?) ; (?:ignore_errors|flags)=")
_FLAG = re.compile(r"--([A-Za-z][\w-]*)(?:=(.*))?\Z|-([A-Za-z])=?(.+)?\Z", re.DOTALL)
_VARIABLE = re.compile(r"\$\{?(\w+)\}?\Z")
_ULIMIT = re.compile(r"(\w+)=(-?\d+)(?::(-?\d+))?\Z")
# A user in a URL may be a token. A key may be one of a mapping, of an option of a flag, or of a label.
_CREDENTIALS = re.compile(r"://[^/\s\"@]+@|(?:token|passw|secret)[\w.-]*\"?\s*[:=]", re.IGNORECASE)


# -- flags -----------------------------------------------------------------------------------------------------------


def _split(text: str) -> List[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()  # an open quote


def environment_of(text: str) -> Dict[str, str]:
    """The variables in a file that a unit names as EnvironmentFile."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith(("#", ";")):
            found[name.strip()] = " ".join(_split(value)) if value[:1] in ("'", '"') else value.strip()
    return found


def flags_of(command: Sequence[str], environment: Mapping[str, str]) -> Dict[str, List[str]]:
    """Values of dockerd's flags in a command line, by the name of the setting in daemon.json."""
    parts: List[str] = []
    for part in command[1:]:
        variable = _VARIABLE.match(part)
        parts += _split(environment.get(variable.group(1), "")) if variable else [part]
    found: Dict[str, List[str]] = {}
    for index, part in enumerate(parts):
        flag = _FLAG.match(part)
        if not flag:
            continue
        name = flag.group(1) or flag.group(3)
        value = flag.group(2) if flag.group(1) else flag.group(4)
        if value is None:
            following = parts[index + 1] if index + 1 < len(parts) else "-"
            value = "true" if following.startswith("-") and not re.match(r"-\d", following) else following
        found.setdefault(_FLAGS.get(name, name), []).append(value)
    return found


def command_in_units(texts: Sequence[str]) -> List[str]:
    """The command line of the last ExecStart in texts of unit files, in their order."""
    found: List[str] = []
    for text in texts:
        for line in re.sub(r"\\\r?\n", " ", text).splitlines():
            name, equals, value = line.strip().partition("=")
            if equals and name.strip() == "ExecStart":
                found = _split(value.strip().lstrip("@-:+!")) or []
    return found


def _unit_files(root: str) -> List[str]:
    """The files of Docker's unit that are there before Docker is."""
    folder = os.path.join(root, "etc/systemd/system", UNIT + ".d")
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".conf"))
    except OSError:
        names = []
    return [os.path.join(root, "etc/systemd/system", UNIT), *(os.path.join(folder, name) for name in names)]


def unit_flags(shown: str, root: str = "/") -> Optional[Dict[str, List[str]]]:
    """The flags that systemd will give to dockerd, from the output of `systemctl show`; None without a unit."""
    values: Dict[str, List[str]] = {}
    for line in shown.splitlines():
        name, _equals, value = line.partition("=")
        values.setdefault(name.rstrip("s"), []).append(value)
    environment: Dict[str, str] = {}
    for text in values.get("Environment", ()):
        environment.update(environment_of("\n".join(_split(text))))
    # Like: /etc/default/docker (ignore_errors=yes)
    for text in values.get("EnvironmentFile", ()):
        environment.update(environment_of(read_text(os.path.join(root, text.split(" (")[0].lstrip("/")))))
    argv = _ARGV.search("\n".join(values.get("ExecStart", ())))
    command = _split(argv.group(1)) if argv else command_in_units([read_text(path) for path in _unit_files(root)])
    return flags_of(command, environment) if command else None


# -- what the host has -----------------------------------------------------------------------------------------------


def _entries(*parts: str) -> List[str]:
    try:
        return os.listdir(os.path.join(*parts))
    except OSError:
        return []


def _unit_flags_now() -> Optional[Dict[str, List[str]]]:
    fields = ("LoadState", "ExecStart", "Environment", "EnvironmentFiles")
    argv = ["systemctl", "show", UNIT, *(f"--property={field}" for field in fields)]
    return unit_flags(run_command(argv, timeout=SYSTEMCTL_SECONDS).out)


def stored_names(root: str) -> List[str]:
    """The names of the containers in Docker's folder. Raises OSError or ValueError if they cannot be told."""
    folder = os.path.join(root, "containers")
    try:
        entries = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [_stored_name(os.path.join(folder, entry, "config.v2.json")) for entry in entries]


def _stored_name(path: str) -> str:
    found, _problem = parse(read_text(path))
    if not found or not isinstance(found.get("Name"), str):
        raise ValueError(f"{path} has no name")
    return str(found["Name"]).lstrip("/")


def docker_containers(facts: Facts) -> Tuple[str, List[str]]:
    """(folder, names of the containers in it) of a Docker that does not answer. Raises OSError or ValueError."""
    settings, _problem = parse(read_text(FILE))
    root = current_root(facts, settings or {}, _unit_flags_now() or {})
    return root, stored_names(root)


def read_docker(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """The text of daemon.json, the flags of dockerd, and what its folder holds."""
    text, flags = read_text(FILE), _unit_flags_now()
    settings, _problem = parse(text)
    root = current_root(facts, settings or {}, flags or {})
    wanted = options["ece_host_preparation_engine_path"]
    try:
        mode: Optional[str] = oct(os.stat(FILE).st_mode & _MODE)[2:].zfill(4)
    except OSError:
        mode = None
    return {
        "text": text,
        "mode": mode,
        "flags": flags,
        "root": root,
        # One may be a link to the other.
        "is_wanted_root": os.path.realpath(root) == os.path.realpath(wanted),
        "containers": len(_entries(root, "containers")),
        "images": len(_entries(root, "image", "overlay2", "imagedb", "content", "sha256")),
    }


def current_root(facts: Facts, settings: Mapping[str, Any], flags: Mapping[str, List[str]]) -> str:
    """Where Docker keeps images and containers now, or would if it were started."""
    store = facts["engine"]["store"]["folder"] if facts["engine"]["name"] == "docker" else None
    given = flags.get("data-root", [""])[-1] or settings.get("data-root") or settings.get("graph")
    return str(store or given or DEFAULT_ROOT)


# -- settings --------------------------------------------------------------------------------------------------------


def parse(text: str) -> Tuple[Optional[Dict[str, Any]], str]:
    """(settings, problem) of the text of daemon.json. An empty file has none."""
    text = text.lstrip(MARK)
    if not text.strip():
        return {}, ""
    try:
        found = json.loads(text)
    except ValueError as error:
        return None, str(error)
    return (found, "") if isinstance(found, dict) else (None, "it is not a mapping")


def _limit(entry: Any) -> Tuple[Any, Any]:
    """(soft, hard) of an entry of default-ulimits, whose names dockerd reads in any case."""
    values = {str(key).lower(): value for key, value in entry.items()} if isinstance(entry, dict) else {}
    return values.get("soft"), values.get("hard")


def _is_enough(name: str, value: Any) -> bool:
    return value == UNLIMITED or (name == "nofile" and isinstance(value, int) and value >= NOFILE_MIN)


def low_limits(ulimits: Mapping[str, Any]) -> Dict[str, Any]:
    """Entries of default-ulimits for those limits that are lower than ECE needs."""
    return {
        name: {"Name": name, "Hard": value, "Soft": value}
        for name, value in LIMITS.items()
        if not all(_is_enough(name, one) for one in _limit(ulimits.get(name)))
    }


def merged(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> Dict[str, Any]:
    """One mapping with another on top; mappings in them are merged too, and None takes a key away."""
    found = dict(lower)
    for key, value in upper.items():
        below = found.get(key)
        found[key] = merged(below if isinstance(below, dict) else {}, value) if isinstance(value, dict) else value
    return {key: value for key, value in found.items() if value is not None}


def _log_settings(found: Mapping[str, Any], given: Mapping[str, Any]) -> Dict[str, Any]:
    """The driver of logs and its options. Those of one driver are unknown to another, and dockerd exits."""
    before, after = (one.get("log-driver", LOG_DRIVER) for one in (found, merged(found, given)))
    options = found.get("log-opts")
    if "log-driver" in given and after != before and isinstance(options, dict):
        return {"log-opts": dict.fromkeys(options)}
    if after == LOG_DRIVER and "log-driver" not in {**found, **given} and "log-opts" not in found:
        return {"log-driver": LOG_DRIVER, "log-opts": LOG_OPTS}
    return {}


def own_settings(
    before: Mapping[str, Any], given: Mapping[str, Any], options: Options, is_wanted_root: bool
) -> Dict[str, Any]:
    """What this role sets, where daemon.json has the settings `before`, on top of which the user's are written."""
    found = merged(before, given)
    own: Dict[str, Any] = {"icc": False, **_log_settings(before, given)}
    if not is_wanted_root:
        # graph is its name in early versions, and dockerd refuses both.
        own.update({"data-root": options["ece_host_preparation_engine_path"], "graph": None})
    # With images in containerd, the driver is a snapshotter, of which overlayfs is the default.
    features = found.get("features")
    if not (isinstance(features, dict) and features.get("containerd-snapshotter")):
        own["storage-driver"] = "overlay2"
    # Where the user gives a limit, its keys may be in another case than those of this role.
    of_user = given.get("default-ulimits") or {}
    low = low_limits(found.get("default-ulimits", {}))
    low = {name: limit for name, limit in low.items() if name not in of_user}
    if low:
        own["default-ulimits"] = low
    if options["ece_host_preparation_ipv6"]:
        own.update({"ipv6": True, "fixed-cidr-v6": options["ece_host_preparation_ipv6_subnet"], "ip6tables": True})
        if 0 < _major(options.get("engine_version")) < IP6TABLES_STABLE:
            own["experimental"] = True
    return own


def _major(version: Any) -> int:
    found = re.match(r"\d+", str(version or ""))
    return int(found.group()) if found else 0


def text_with(found: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """The text of daemon.json with settings on top of those that it has."""
    return json.dumps(merged(found, settings), indent=2) + "\n"


def has_secret(text: str) -> bool:
    """Whether a text holds a URL with a login, like that of an HTTP proxy, or a key like splunk-token."""
    return bool(_CREDENTIALS.search(text))


# -- plan ------------------------------------------------------------------------------------------------------------


class Flags(NamedTuple):
    """What flags that are given already mean for the settings."""

    problems: List[str]
    notes: List[str]


def _limits_of_flags(values: Sequence[str]) -> Dict[str, Any]:
    found = [_ULIMIT.match(value) for value in values]
    return {
        one.group(1): {"Soft": int(one.group(2)), "Hard": int(one.group(3) or one.group(2))} for one in found if one
    }


def _equals(key: str, values: Sequence[str], wanted: Any) -> bool:
    """Whether a flag gives what a setting would."""
    if key == "default-ulimits":
        return not low_limits(_limits_of_flags(values))
    if isinstance(wanted, bool):
        return values[-1].lower() in (("true", "1", "t") if wanted else ("false", "0", "f"))
    if key == "data-root":
        return os.path.normpath(values[-1]) == os.path.normpath(str(wanted))
    return values[-1] == str(wanted)


def judge_flags(
    found: Mapping[str, Any], own: Dict[str, Any], given: Mapping[str, Any], flags: Mapping[str, Sequence[str]]
) -> Flags:
    """Take those settings away that flags give. dockerd does not start with a setting in both places."""
    result = Flags([], [])
    if {"log-driver", "log-opts"} & set(flags):
        # Options of one driver are unknown to another.
        own.pop("log-driver", None)
        own.pop("log-opts", None)
    for key in sorted(set(flags) & (set(found) | set(own) | set(given))):
        shown = f"{key}={' '.join(flags[key])}"
        shown = key if has_secret(shown) else shown
        if key in found:
            result.problems.append(
                f"Docker would not start, because {key} is in {FILE} and in the command line of {UNIT} ({shown}): "
                "remove one of them."
            )
        elif key in given:
            result.problems.append(
                f"ece_host_preparation_docker_settings has {key}, which the command line of {UNIT} sets too ({shown}): "
                "remove it from one of them."
            )
        elif key in own and not _equals(key, flags[key], own[key]):
            if key == "data-root":
                result.problems.append(
                    f"The command line of {UNIT} sets {shown}, and ece_host_preparation_engine_path is {own[key]}: "
                    "change one of them."
                )
            else:
                result.notes.append(f"The command line of {UNIT} sets {shown}, not what Elastic's pages ask for.")
        own.pop(key, None)
    return result


def plan_docker(facts: Facts, options: Options, system: System) -> PartPlan:
    """Write daemon.json, and let Docker run with it and start at boot."""
    read = facts["preparation"]["engine"]["docker"]
    plan = PartPlan([], [], {}, [], [])
    plan.values.update(path=FILE, write=False, restart=False, start=False)
    found, error = parse(read["text"])
    if found is None:
        plan.problems.append(f"{FILE} is not valid JSON ({error}), and Docker cannot read it: correct or remove it.")
        return plan
    if "default-ulimits" in found and not isinstance(found["default-ulimits"], dict):
        plan.problems.append(f"default-ulimits in {FILE} is not a mapping: correct or remove it.")
        return plan
    given = options["ece_host_preparation_docker_settings"]
    if not isinstance(given.get("default-ulimits") or {}, dict):
        plan.problems.append(
            "default-ulimits in ece_host_preparation_docker_settings is not a mapping: use one of names to limits."
        )
        return plan
    if "data-root" in given:
        plan.problems.append(
            "ece_host_preparation_docker_settings has data-root: remove it, and set ece_host_preparation_engine_path."
        )
    flags = PACKAGED_FLAGS if read["flags"] is None else read["flags"]
    own = own_settings(found, given, options, read["is_wanted_root"])
    judged = judge_flags(found, own, given, flags)
    plan.problems.extend(judged.problems)
    plan.notes.extend(judged.notes)
    wanted = merged(merged(found, own), given)
    changed = sorted(key for key in {*found, *wanted} if found.get(key) != wanted.get(key))
    moved = not read["is_wanted_root"]
    unit = facts["units"].get(UNIT, {})
    is_running = unit.get("now") in ("active", "activating", "reloading")
    if changed or read["text"].startswith(MARK):
        plan.steps.append(
            f"set {', '.join(changed)} in {FILE}" if changed else f"remove the byte order mark from {FILE}"
        )
        plan.values.update(
            write=True,
            # Without those of the user and of the file, which may hold a password.
            settings=own,
            has_secret=has_secret(text_with(found, {}) + text_with(wanted, {})),
        )
    # The file may be right, and Docker run since before it was.
    stale = changed or (["data-root"] if moved else [])
    if moved:
        _judge_move(read, options, plan)
    if is_running and stale:
        if options["ece_host_preparation_restart_engine"]:
            plan.values["restart"] = True
            plan.steps.append("restart Docker")
        else:
            plan.problems.append(
                f"Docker runs, and its settings have to change ({', '.join(stale)} in {FILE}): set {RESTART}, which "
                "restarts it and stops its containers for that time."
            )
    if unit.get("at_boot") == "masked":
        plan.problems.append(f"{UNIT} is masked: unmask it (systemctl unmask {UNIT}).")
    elif not is_running or unit.get("at_boot") not in ("enabled", "enabled-runtime", "static", "generated"):
        plan.values["start"] = True
        plan.steps.append("start Docker, now and at boot")
    return plan


def _judge_move(read: Mapping[str, Any], options: Options, plan: PartPlan) -> None:
    """What happens to the containers and images of a Docker that gets another folder."""
    root, wanted = read["root"], options["ece_host_preparation_engine_path"]
    if read["containers"]:
        plan.problems.append(
            f"Docker has {read['containers']} containers at {root}, which it would not see at {wanted}: remove them "
            f"(docker rm), or set ece_host_preparation_engine_path to {root}."
        )
    elif read["images"]:
        plan.notes.append(f"Docker's images stay at {root}, where it does not use them any more: remove that folder.")
