# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Take ECE off a host: its containers, the runner's first, then its storage folder. What others have there stays.

Elastic's page removes every container of the engine, which is right on hosts that have none but ECE's:
https://www.elastic.co/docs/deploy-manage/uninstall/uninstall-elastic-cloud-enterprise, read 2026-11-28

Facts are read first, the plan is made of them by a pure function, and then it is done.

Runs on hosts: Python 3.6 and the standard library.
"""

import os
import re
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.ece.platform.plugins.module_utils import _removal_leftovers as leftovers
from ansible_collections.ece.platform.plugins.module_utils._container_engine import (
    ANSWER_SECONDS,
    engine_client,
    engine_facts,
    wrong_engine,
)
from ansible_collections.ece.platform.plugins.module_utils._ece import INSTALLER_CONTAINER, RUNNER_CONTAINER
from ansible_collections.ece.platform.plugins.module_utils._errors import HostError, OptionError
from ansible_collections.ece.platform.plugins.module_utils._host_facts import installer_processes
from ansible_collections.ece.platform.plugins.module_utils._host_process import (
    find_command,
    paths_for_root,
    run_command,
)
from ansible_collections.ece.platform.plugins.module_utils._install_files import RUNS, look, places
from ansible_collections.ece.platform.plugins.module_utils._removal_storage import (
    BOOTSTRAP,
    LOGS,
    RUNNER_OPTION,
    STORAGE_OPTION,
    mount_problems,
    processes_in_storage,
    read_storage,
    remove_entry,
    remove_if_empty,
    storage_problems,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names

# What a container is.
SERVICE, INSTANCE, INSTALLER, UNCLEAR, FOREIGN = "service", "instance", "installer", "unclear", "foreign"
OF_ECE = (SERVICE, INSTANCE, INSTALLER)
# The containers on ECE hosts: https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/ece-architecture,
# read 2026-11-28
SERVICES = frozenset(
    "frc-" + name
    for name in (
        *("runners-runner", "beats-runners-beats-runner", "client-forwarders-client-forwarder"),
        *("services-forwarders-services-forwarder", "allocators-allocator"),
        *("allocator-metricbeats-allocator-metricbeat", "container-task-services-container-task-service"),
        *("admin-consoles-admin-console", "blueprints-blueprint", "cloud-uis-cloud-ui", "constructors-constructor"),
        *("directors-director", "zookeeper-servers-zookeeper", "proxies-proxyv2", "proxies-route-server"),
    )
)
# An instance of a deployment: fac-<id of its cluster>-instance-<number>, or with tiebreaker. The same page.
_INSTANCE = re.compile(r"fac-[0-9a-f]{32}-[a-z][a-z-]*-[0-9]+")
# Names that are like those of ECE, and prove nothing.
_LIKE_ECE = ("frc-", "fac-", "elastic-cloud-enterprise-")
# Labels of what runner and allocator start: https://github.com/elastic/ece-support-diagnostics, branch v0.
_OF_RUNNER = re.compile(r"(?:^|[\s,\[])co\.elastic\.cloud\.runner\.container_name[=:]")
_OF_ALLOCATOR = re.compile(r"(?:^|[\s,\[])co\.elastic\.cloud\.allocator\.(?:kind|cluster_id)[=:]")
# In the runner's container: https://github.com/elastic/ece-support-diagnostics.
RUNNER_LOGS, _RUNNER_LOGS_AT = "/services/runner/logs", "/app/logs"

LIST_CONTAINERS = ("ps", "--all", "--no-trunc", "--format", "{{.ID}}|{{.Names}}|{{.Image}}|{{.Status}}|{{.Labels}}")
# One line for each container, which begins with a word that no folder begins with.
LIST_MOUNTS = ("inspect", "--format", "mounts|{{range .Mounts}}{{.Source}}>{{.Destination}}|{{end}}")
# Volumes without a name go with their container; others stay.
REMOVE_CONTAINER = ("rm", "--force", "--volumes")
# Containers with data of many instances take long.
REMOVE_SECONDS = 300
# How often containers are listed and removed, as the runner starts what is missing until it is gone itself.
ROUNDS = 3
PAUSE_SECONDS = 1.0
# How long processes of removed containers may take to end.
END_SECONDS = 20
# Starts containers after a reboot. Stopping it would stop containers of others.
RESTART_UNIT = "podman-restart.service"
SYSTEMCTL_SECONDS = 30
# By kind of what is left: how the engine removes it, unless it is used.
_BY_ENGINE = {leftovers.IMAGES: ("rmi",), leftovers.NETWORK: ("network", "rm")}
_GONE = re.compile(r"no such container|no container with", re.I)


class Container(NamedTuple):
    """A container with the folders of the host that it has mounted, and what it is."""

    identity: str
    name: str
    image: str
    status: str
    labels: str
    mounts: Tuple[Tuple[str, str], ...] = ()
    kind: str = FOREIGN


class Plan(NamedTuple):
    """What is done on a host, in this order. problems: why nothing is done; each is a sentence with its remedy.

    others: those of the leftovers that the engine is to remove.
    """

    problems: List[str]
    disable_restart: bool
    containers: List[Container]
    kept: List[Dict[str, str]]
    paths: List[str]
    folder: Optional[str]
    others: List[Dict[str, Any]]
    leftovers: List[Dict[str, Any]]
    notes: List[str]


# -- containers ------------------------------------------------------------------------------------------------------


def parse_containers(text: str) -> List[Container]:
    """The containers in the output of LIST_CONTAINERS. Where a container has several names, the first one counts."""
    rows = [line.split("|", 4) for line in text.splitlines()]
    return [Container(row[0], row[1].split(",")[0], row[2], row[3], row[4]) for row in rows if len(row) == 5 and row[0]]


def parse_mounts(line: str) -> Tuple[Tuple[str, str], ...]:
    """(folder of the host, folder in the container) of a line of LIST_MOUNTS."""
    pairs = (part.split(">", 1) for part in line.split("|") if ">" in part)
    return tuple((source, target) for source, target in pairs)


def kind_of(container: Container, storage: str) -> str:
    """What a container is: by its exact name, or by a name like ECE's together with its labels, image or mounts."""
    name = container.name
    if name == INSTALLER_CONTAINER:
        return INSTALLER
    if name in SERVICES:
        return SERVICE
    if _INSTANCE.fullmatch(name):
        return INSTANCE
    if not name.startswith(_LIKE_ECE):
        return FOREIGN
    of_allocator = bool(_OF_ALLOCATOR.search(container.labels))
    is_ours = (
        of_allocator
        or bool(_OF_RUNNER.search(container.labels))
        or leftovers.is_image_of_ece(container.image)
        or bool(mounts_in(container, storage))
    )
    if not is_ours:
        return UNCLEAR
    return INSTANCE if name.startswith("fac-") or of_allocator else SERVICE


def mounts_in(container: Container, folder: str) -> List[str]:
    """The folders of the host that a container has mounted and that are a folder or below it."""
    return [source for source, _target in container.mounts if f"{source}/".startswith(folder.rstrip("/") + "/")]


def runner_home(containers: Sequence[Container]) -> Optional[Tuple[str, str]]:
    """(storage path, runner id) by what the runner's container has mounted, or None."""
    for container in containers:
        if container.name != RUNNER_CONTAINER:
            continue
        for source, target in container.mounts:
            if target == _RUNNER_LOGS_AT and source.endswith(RUNNER_LOGS):
                folder, runner_id = os.path.split(source[: -len(RUNNER_LOGS)])
                return folder, runner_id
    return None


def in_order(containers: Sequence[Container]) -> List[Container]:
    """Containers in the order of their removal: the runner, which starts the others, comes first."""
    return sorted(containers, key=lambda one: (one.name != RUNNER_CONTAINER, one.kind == INSTANCE, one.name))


def is_up(container: Container) -> bool:
    """Whether a container runs."""
    return container.status.lower().startswith("up")


# -- facts -----------------------------------------------------------------------------------------------------------


def check_options(options: Mapping[str, Any]) -> None:
    """Raise OptionError for options that cannot work."""
    runner_id = options["runner_id"]
    if not runner_id or runner_id != runner_id.strip() or "/" in runner_id or runner_id in (".", "..", BOOTSTRAP, LOGS):
        raise OptionError(
            f"{RUNNER_OPTION} {options['runner_id']!r} is not the id of a runner: give it as ece_runner_info lists it"
        )
    for name in ("storage_path", "state_path"):
        if not os.path.isabs(options[name]):
            raise OptionError(f"{name} (ece_host_{name}) {options[name]} is relative: give an absolute path")


def _first_line(out: str, err: str, code: int) -> str:
    lines = [line for line in f"{err}\n{out}".splitlines() if line.strip()]
    return lines[0].strip() if lines else f"exit code {code}"


def read_containers(client: Sequence[str], paths: Sequence[str], storage: str) -> List[Container]:
    """All containers of an engine, with what they are. Raises HostError if the engine does not tell.

    A container that ends between two questions is not an error: they are asked again.
    """
    error = ""
    for attempt in range(ROUNDS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        listed = run_command([*client, *LIST_CONTAINERS], paths=paths, timeout=ANSWER_SECONDS)
        if listed.rc != 0:
            raise HostError(
                f"the container engine does not list its containers ({_first_line(*_texts(listed))}), so nothing is "
                "removed: see that it answers, and run this again"
            )
        found = parse_containers(listed.out)
        if not found:
            return []
        asked = [*client, *LIST_MOUNTS, *(one.identity for one in found)]
        output = run_command(asked, paths=paths, timeout=ANSWER_SECONDS)
        lines = [line for line in output.out.splitlines() if line.startswith("mounts|")]
        if output.rc == 0 and len(lines) == len(found):
            whole = [one._replace(mounts=parse_mounts(line)) for one, line in zip(found, lines)]
            return [one._replace(kind=kind_of(one, storage)) for one in whole]
        error = _first_line(*_texts(output))
    raise HostError(
        f"the container engine does not say what its containers have mounted ({error}), so nothing is removed: "
        "see that it answers, and run this again"
    )


def _texts(output: Any) -> Tuple[str, str, int]:
    return output.out, output.err, output.rc


def own_uid() -> int:
    """The user that this process runs as."""
    return os.geteuid()


def _client_of(engine: Mapping[str, Any], paths: Sequence[str], socket_path: str) -> Tuple[List[str], bool]:
    """The command prefix for the engine, and whether its containers are known.

    For root, Podman without its socket has the same containers as with it.
    """
    client = engine_client(engine["name"], paths, socket_path) if engine["name"] else []
    command = find_command("podman", paths)
    if not client and engine["name"] == "podman" and command:
        return [command], True
    return client, bool(engine["containers_known"])


def _unit_state(unit: str) -> str:
    systemctl = find_command("systemctl")
    if not systemctl:
        return ""
    return run_command([systemctl, "is-enabled", unit], timeout=SYSTEMCTL_SECONDS).out.strip()


def gather(options: Mapping[str, Any]) -> Dict[str, Any]:
    """All facts for the removal. Reads, never writes. Raises HostError and OSError."""
    if own_uid() != 0:
        raise HostError("only root can remove ECE from a host: become root for this task (ece_host_become: true)")
    paths = paths_for_root(options["bin_paths"])
    storage = read_storage(options["storage_path"], options["runner_id"])
    engine = engine_facts(options["container_engine"], None, options["bin_paths"], options["docker_socket"])
    client, known = _client_of(engine, paths, options["docker_socket"])
    has_engine = bool(client) and known
    listing = leftovers.Listed([])
    installs = places(options["storage_path"], options["state_path"], True)
    _place, lock, _record = look(installs, True)
    containers = read_containers(client, paths, storage["real"]) if has_engine else []
    return {
        "engine": {
            "name": engine["name"],
            "client": client,
            "paths": paths,
            "known": known,
            "error": engine["containers_error"] or engine["error"],
            "wrong": wrong_engine(options["container_engine"], engine["name"]),
            "store": engine["store"]["folder"],
            "images": leftovers.list_images(client, paths) if has_engine else listing,
            "networks": leftovers.list_networks(client, paths) if has_engine else listing,
        },
        "containers": containers,
        "storage": storage,
        "installer_runs": lock in RUNS or bool(installer_processes(options["storage_path"])),
        "record": installs[0].folder if os.path.lexists(installs[0].folder) else None,
        "restart_unit": _unit_state(RESTART_UNIT) if engine["name"] == "podman" else "",
        "processes": processes_in_storage(options["runner_id"]),
        "system": leftovers.leftovers_of_system(storage["path"], options["user"]),
    }


# -- plan ------------------------------------------------------------------------------------------------------------


def plan_removal(facts: Mapping[str, Any], options: Mapping[str, Any]) -> Plan:
    """What is removed from a host with these facts, in which order, and what stays. Pure.

    options: `instances_move` is for check mode, in which instances that move before are still there.
    """
    engine, storage, runner_id = facts["engine"], facts["storage"], options["runner_id"]
    problems = _engine_problems(facts)
    if not problems:
        problems += _container_problems(facts, options)
    problems += storage_problems(storage, runner_id, options)
    moving = [one.name for one in facts["containers"] if one.kind == INSTANCE and options["instances_move"]]
    ours = in_order([one for one in facts["containers"] if one.kind in OF_ECE and one.name not in moving])
    others = [one for one in facts["containers"] if one.kind not in OF_ECE]
    own_paths = [os.path.join(storage["path"], name) for name in storage["own"]]
    rest = [*leftovers.leftovers_of_host(engine, storage), *facts["system"]]
    wanted = [item for item in rest if item["kind"] in options["leftovers"]]
    if any(item["name"] == leftovers.NETWORK_FILE for item in rest):
        for item in (one for one in wanted if one["kind"] == leftovers.NETWORK):
            item["note"] = (
                f"kept, because {leftovers.NETWORK_FILE} makes it the default network: remove that file first"
            )
        wanted = [item for item in wanted if item["kind"] != leftovers.NETWORK]
    unknown = [item["name"] for item in wanted if item["kind"] == leftovers.STORAGE]
    if unknown and runner_id not in storage["own"]:
        problems.append(
            f"{storage['path']} has no folder of runner {runner_id}, so {first_names(unknown)} there may be anyone's: "
            "remove it by hand, or leave storage out of leftovers (ece_host_removal_leftovers)."
        )
    store = engine["store"]
    for path in [*own_paths, *unknown]:
        if store and f"{store}/".startswith(path + "/"):
            problems.append(f"{path} has the images and containers of the engine ({store}): move them elsewhere first.")
    is_enabled = facts["restart_unit"] in ("enabled", "enabled-runtime")
    notes = []
    if moving:
        notes.append(
            f"{_number(len(moving), 'container')} of instances ({first_names(moving)}) would be gone by then, because "
            "all instances move to other allocators first."
        )
    if is_enabled and ours and others:
        notes.append(
            f"{RESTART_UNIT} stays enabled, because it starts containers of others after a reboot: "
            f"{first_names(one.name for one in others)}."
        )
    for kind, listed in ((leftovers.IMAGES, engine["images"]), (leftovers.NETWORK, engine["networks"])):
        if kind in options["leftovers"] and listed.error:
            notes.append(f"The engine does not list its {kind} ({listed.error}), so that none is removed.")
    left = [name for name in storage["entries"] if name not in storage["own"]]
    keeps = (left and leftovers.STORAGE not in options["leftovers"]) or storage["is_mount"] or not storage["is_folder"]
    was_used = bool(own_paths or unknown)
    return Plan(
        problems=problems,
        disable_restart=is_enabled and bool(ours) and not others,
        containers=ours,
        kept=[_kept(one) for one in others],
        paths=[*own_paths, *unknown, *([facts["record"]] if facts["record"] else [])],
        folder=None if keeps or not was_used else storage["path"],
        others=[item for item in wanted if item["kind"] in _BY_ENGINE],
        leftovers=rest,
        notes=notes,
    )


def _kept(container: Container) -> Dict[str, str]:
    reason = "it is not ECE's"
    if container.kind == UNCLEAR:
        reason = "its name is like those of ECE, but neither its labels nor its image nor its folders are ECE's"
    return {"name": container.name, "image": container.image, "reason": reason}


def _engine_problems(facts: Mapping[str, Any]) -> List[str]:
    """Why containers cannot be removed at all."""
    engine = facts["engine"]
    if engine["wrong"]:
        return [engine["wrong"]]
    if not engine["known"]:
        return [
            f"The container engine does not answer ({engine['error']}), so that the containers of this host are not "
            "known: see that it answers, and run this again."
        ]
    return []


def _container_problems(facts: Mapping[str, Any], options: Mapping[str, Any]) -> List[str]:
    """Why these containers, or the folders that they use, cannot be removed."""
    storage, containers, runner_id = facts["storage"], facts["containers"], options["runner_id"]
    problems = []
    if facts["installer_runs"] or any(one.kind == INSTALLER and is_up(one) for one in containers):
        problems.append("An installer of ECE runs on this host: wait for its end, and run this again.")
    instances = [one.name for one in containers if one.kind == INSTANCE]
    if instances and not options["instances"] and not options["instances_move"]:
        number = _number(len(instances), "container")
        problems.append(
            f"The host has {number} of instances of deployments ({first_names(instances)}): move these to "
            "other allocators first (ece_allocator_vacate), or set instances: true "
            "(ece_host_removal_instances: delete), which deletes their data."
        )
    problems += _home_problems(storage, containers, runner_id)
    for one in containers:
        # Of a container that is nobody's but uses ECE's folder, the data would be removed.
        used = mounts_in(one, storage["real"]) if one.kind not in OF_ECE else []
        if used:
            problems.append(
                f"Container {one.name} is not known to be ECE's, and uses {first_names(used)}: remove it first."
            )
    if facts["processes"] and not any(one.kind in OF_ECE and is_up(one) for one in containers):
        problems.append(_still_used(facts["processes"], runner_id))
    return problems


def _home_problems(storage: Mapping[str, Any], containers: Sequence[Container], runner_id: str) -> List[str]:
    """Whether the runner's container is that of this runner id and storage path."""
    home = runner_home(containers)
    if home:
        if (os.path.realpath(home[0]), home[1]) == (storage["real"], runner_id):
            return []
        return [
            f"{RUNNER_CONTAINER} is that of runner {home[1]} with its data in {home[0]}, but {RUNNER_OPTION} is "
            f"{runner_id} and {STORAGE_OPTION} is {storage['path']}: give those of this host."
        ]
    if any(one.name == RUNNER_CONTAINER for one in containers) and runner_id not in storage["own"]:
        return [
            f"The host has {RUNNER_CONTAINER}, but {storage['path']} has no folder of runner {runner_id}: "
            f"give the {STORAGE_OPTION} and {RUNNER_OPTION} that ECE was installed with."
        ]
    return []


def _still_used(pids: Sequence[int], runner_id: str) -> str:
    shown = ", ".join(str(pid) for pid in pids[:5])
    return (
        f"Processes of containers that the engine does not list use the data of runner {runner_id} (pid {shown}): "
        "give the engine that runs them as container_engine (ece_host_container_engine)."
    )


# -- removal ---------------------------------------------------------------------------------------------------------


class Done:
    """What was removed so far, or would be. would: the steps in check mode."""

    def __init__(self) -> None:
        self.containers: List[str] = []
        self.paths: List[str] = []
        self.others: List[str] = []
        self.warnings: List[str] = []
        self.would: List[str] = []
        self.changed = False


def carry_out(plan: Plan, facts: Mapping[str, Any], options: Mapping[str, Any], done: Done) -> None:
    """Do what the plan says, and note in `done` what was done. Raises HostError and OSError."""
    engine, storage = facts["engine"], facts["storage"]
    if plan.disable_restart:
        _disable_restart(done)
    _remove_containers(plan, facts, options, done)
    if plan.paths:
        _require_unused(storage["path"], options["runner_id"])
    for path in plan.paths:
        if remove_entry(path):
            done.paths.append(path)
            done.changed = True
    if plan.folder and remove_if_empty(plan.folder):
        done.paths.append(plan.folder)
        done.changed = True
    for item in plan.leftovers:
        item["removed"] = item["kind"] == leftovers.STORAGE and item["name"] in done.paths
    for item in plan.others:
        item["removed"] = _remove_of_engine(item, engine, done)


def _disable_restart(done: Done) -> None:
    """Disable the unit that starts containers after a reboot. It is not stopped, because that stops containers."""
    output = run_command(["systemctl", "disable", RESTART_UNIT], timeout=SYSTEMCTL_SECONDS)
    if output.rc != 0:
        raise HostError(
            f"systemctl does not disable {RESTART_UNIT} ({_first_line(*_texts(output))}): disable it by hand"
        )
    done.changed = True


def _remove_containers(plan: Plan, facts: Mapping[str, Any], options: Mapping[str, Any], done: Done) -> None:
    """Remove ECE's containers, and those that its runner has started meanwhile."""
    engine, waiting, error = facts["engine"], list(plan.containers), ""
    for attempt in range(ROUNDS if waiting else 0):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        for one in waiting:
            # By its id: another container may have got the name.
            output = run_command(
                [*engine["client"], *REMOVE_CONTAINER, one.identity], paths=engine["paths"], timeout=REMOVE_SECONDS
            )
            if output.rc == 0:
                done.containers.append(one.name)
                done.changed = True
            elif not _GONE.search(output.err):
                error = f"{one.name}: {_first_line(*_texts(output))}"
        found = read_containers(engine["client"], engine["paths"], facts["storage"]["real"])
        waiting = in_order([one for one in found if one.kind in OF_ECE])
        new = [one.name for one in waiting if one.kind == INSTANCE and not options["instances"]]
        if new:
            raise HostError(
                f"the host got containers of instances meanwhile ({first_names(new)}): move these to other allocators "
                "first (ece_allocator_vacate), and run this again"
            )
        if not waiting:
            return
    if waiting:
        raise HostError(
            f"{first_names(one.name for one in waiting)} cannot be removed{f' ({error})' if error else ''}: "
            "remove it by hand, and run this again"
        )


def _require_unused(path: str, runner_id: str) -> None:
    """Raise HostError if the storage folder is in use: by processes of containers, or as the place of mounts."""
    end = time.monotonic() + END_SECONDS
    while True:
        pids, mounts = processes_in_storage(runner_id), read_storage(path, runner_id)["mounts_below"]
        if not pids and not mounts:
            return
        if time.monotonic() > end:
            sentence = mount_problems(mounts, path)[0] if mounts else _still_used(pids, runner_id)
            raise HostError(sentence.rstrip("."))
        time.sleep(PAUSE_SECONDS)


def _remove_of_engine(item: Dict[str, Any], engine: Mapping[str, Any], done: Done) -> bool:
    """Remove an image or a network, and return whether that worked. One in use stays, and its reason is in its note."""
    output = run_command(
        [*engine["client"], *_BY_ENGINE[item["kind"]], item["name"]], paths=engine["paths"], timeout=REMOVE_SECONDS
    )
    if output.rc != 0:
        item["note"] = f"kept, because the engine refuses to remove it: {_first_line(*_texts(output))}"
        done.warnings.append(f"{item['name']} is {item['note']}")
        return False
    done.others.append(item["name"])
    done.changed = True
    return True


# -- result ----------------------------------------------------------------------------------------------------------


def steps_of(plan: Plan) -> List[str]:
    """What the plan does, each step as text that begins with a verb."""
    steps = [f"disable {RESTART_UNIT}"] if plan.disable_restart else []
    steps += [f"remove container {one.name}" for one in plan.containers]
    steps += [f"remove {path}" for path in plan.paths]
    steps += [f"remove folder {plan.folder}"] if plan.folder else []
    return steps + [f"remove {item['kind'].rstrip('s')} {item['name']}" for item in plan.others]


def foreseen(plan: Plan) -> Done:
    """What would be done, for check mode."""
    done = Done()
    done.would = steps_of(plan)
    done.changed = bool(done.would)
    done.containers = [one.name for one in plan.containers]
    done.paths = [*plan.paths, *([plan.folder] if plan.folder else [])]
    done.others = [item["name"] for item in plan.others]
    for item in plan.leftovers:
        item["removed"] = item in plan.others or (item["kind"] == leftovers.STORAGE and item["name"] in done.paths)
    return done


def result_of(plan: Plan, done: Done, error: Optional[str] = None) -> Dict[str, Any]:
    """The result of the module. error: why it fails."""
    message = summary(done.containers, done.paths, len(done.others), len(plan.kept), bool(done.would))
    gone = {"containers": done.containers, "paths": done.paths, "others": done.others}
    return {
        "msg": message if error is None else error,
        "changed": done.changed,
        "removed_containers": done.containers,
        "kept_containers": plan.kept,
        "removed_folders": done.paths,
        "leftovers": plan.leftovers,
        "would": done.would,
        "problems": plan.problems,
        "notes": plan.notes,
        "diff": {"before": {key: value for key, value in gone.items() if value}, "after": {}},
    }


def _number(count: int, name: str) -> str:
    return f"{count} {name}" + ("" if count == 1 else "s")


def summary(containers: Sequence[str], paths: Sequence[str], others: int, kept: int, is_foreseen: bool) -> str:
    """One sentence on what was removed, or would be. others: the number of images and networks."""
    parts = [
        _number(count, name)
        for count, name in ((len(containers), "container"), (len(paths), "folder"), (others, "other thing"))
        if count
    ]
    keeps = f"; {_number(kept, 'container')} of others" + (" stays" if kept == 1 else " stay") if kept else ""
    if not parts:
        return f"nothing of ECE is on this host{keeps}"
    return f"{'would remove' if is_foreseen else 'removed'} {' and '.join(parts)} of ECE{keeps}"
