# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is removed from a host, and in which order: the plan, by facts alone. test_ece_removal_clean.py does it."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _host_process as process
from ansible_collections.ece.platform.plugins.module_utils import _removal_host as removal
from ansible_collections.ece.platform.plugins.module_utils._errors import HostError, OptionError
from ansible_collections.ece.platform.plugins.module_utils._removal_host import Container, kind_of, plan_removal
from ansible_collections.ece.platform.plugins.module_utils._removal_leftovers import NETWORK_FILE, Listed

ID, STORAGE = "10.0.0.7", "/mnt/data/elastic"
ECE = "docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:4.0.3"
CLUSTER = "c5900a8affb44d108ebe31513480a9b8"
INSTANCE = f"fac-{CLUSTER}-instance-0000000000"
OPTIONS = {
    "runner_id": ID,
    "storage_path": STORAGE,
    "state_path": "/var/lib/ece-install",
    "container_engine": None,
    "docker_socket": "/var/run/docker.sock",
    "bin_paths": [],
    "user": "elastic",
    "instances": False,
    "instances_move": False,
    "bootstrap_secrets": False,
    "leftovers": [],
}


def container(name, image=ECE, status="Up 2 minutes", labels="", mounts=()):
    one = Container(f"id-of-{name}", name, image, status, labels, tuple(mounts))
    return one._replace(kind=kind_of(one, STORAGE))


RUNNER = container("frc-runners-runner", mounts=[(f"{STORAGE}/{ID}/services/runner/logs", "/app/logs")])


def facts(*containers, engine=None, storage=None, **more):
    """A joined host with these containers."""
    return {
        "engine": {
            "name": "docker",
            "client": ["docker"],
            "paths": [],
            "known": True,
            "error": None,
            "wrong": None,
            "store": "/var/lib/docker",
            "images": Listed([]),
            "networks": Listed([]),
            **(engine or {}),
        },
        "containers": list(containers),
        "storage": {
            "path": STORAGE,
            "real": STORAGE,
            "exists": True,
            "is_folder": True,
            "is_mount": False,
            "mounts_below": [],
            "entries": [ID, "bootstrap-state", "logs"],
            "runner_ids": [ID],
            "own": ["logs", "bootstrap-state", ID],
            "has_secrets": False,
            **(storage or {}),
        },
        "installer_runs": False,
        "record": None,
        "restart_unit": "",
        "processes": [],
        "system": [],
        **more,
    }


def plan(found, **options):
    return plan_removal(found, {**OPTIONS, **options})


# -- what a container is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "more", "kind"),
    [
        ("frc-runners-runner", {"image": "x"}, "service"),
        ("frc-zookeeper-servers-zookeeper", {"image": "0123456789ab"}, "service"),
        ("frc-route-servers-route-server", {}, "service"),
        (
            "frc-new-things-new-thing",
            {"image": "x", "labels": "a=b,co.elastic.cloud.runner.container_name=y"},
            "service",
        ),
        (
            "frc-new-things-new-thing",
            {"image": "x", "labels": "map[co.elastic.cloud.runner.container_name:y]"},
            "service",
        ),
        ("frc-new-things-new-thing", {"image": "x", "mounts": [(f"{STORAGE}/{ID}/x", "/x")]}, "service"),
        ("frc-new-things-new-thing", {"image": "x", "mounts": [(f"{STORAGE}-2/x", "/x")]}, "unclear"),
        ("frc-of-others", {"image": "redis:7"}, "unclear"),
        ("elastic-cloud-enterprise-installer", {"image": "x"}, "installer"),
        ("elastic-cloud-enterprise-upgrader", {}, "service"),
        ("elastic-cloud-enterprise-exporter", {"image": "prom/exporter:1"}, "unclear"),
        (INSTANCE, {"image": "x"}, "instance"),
        (f"fac-{CLUSTER}-tiebreaker-0000000002", {"image": "x"}, "instance"),
        ("fac-simile", {"image": "office/fax:2"}, "unclear"),
        ("fac-simile", {"image": "x", "labels": "my.co.elastic.cloud.allocator.kind=fax"}, "unclear"),
        ("fac-other-form-1", {"image": "docker.elastic.co/cloud-assets/apm:7.15.2-0"}, "instance"),
        ("fac-other-form-1", {"image": "x", "labels": "co.elastic.cloud.allocator.kind=kibana"}, "instance"),
        ("frc-runners-runner-2", {"image": "x"}, "unclear"),
        ("my-frc-runners-runner", {}, "foreign"),
        ("node-exporter", {"image": "prom/node-exporter"}, "foreign"),
        ("", {}, "foreign"),
    ],
)
def test_what_a_container_is(name, more, kind):
    assert container(name, **more).kind == kind


def test_containers_and_mounts_are_read_from_what_an_engine_prints():
    text = f"i1|frc-runners-runner,alias|{ECE}|Up 2 minutes|a=b|c,d=e\ndamaged\n|x|y|z|\ni2|other|x|Exited (0)|\n"
    assert removal.parse_containers(text) == [
        Container("i1", "frc-runners-runner", ECE, "Up 2 minutes", "a=b|c,d=e"),
        Container("i2", "other", "x", "Exited (0)", ""),
    ]
    assert removal.parse_mounts("mounts|/a b>/x|/c>/d>e|") == (("/a b", "/x"), ("/c", "/d>e"))
    assert removal.parse_mounts("mounts|") == ()


def test_the_runners_home_is_what_it_has_mounted():
    assert removal.runner_home([container("other"), RUNNER]) == (STORAGE, ID)
    assert removal.runner_home([container("frc-runners-runner")]) is None
    assert removal.runner_home([RUNNER._replace(name="other")]) is None


# -- plan ------------------------------------------------------------------------------------------------------------


def test_the_runner_is_first_and_instances_are_last():
    names = [
        INSTANCE,
        "frc-beats-runners-beats-runner",
        "frc-allocators-allocator",
        "elastic-cloud-enterprise-installer",
    ]
    made = plan(facts(*(container(name, status="Exited (0)") for name in names), RUNNER), instances=True)
    assert [one.name for one in made.containers] == [
        "frc-runners-runner",
        "elastic-cloud-enterprise-installer",
        "frc-allocators-allocator",
        "frc-beats-runners-beats-runner",
        INSTANCE,
    ]
    assert made.problems == []


def test_what_is_not_eces_is_kept_with_its_reason():
    made = plan(facts(RUNNER, container("fac-simile", image="office/fax:2"), container("redis", image="redis:7")))
    assert [one.name for one in made.containers] == ["frc-runners-runner"]
    assert made.kept[0]["name"] == "fac-simile" and made.kept[0]["reason"].startswith("its name is like those of ECE")
    assert made.kept[1] == {"name": "redis", "image": "redis:7", "reason": "it is not ECE's"}


def test_folders_go_in_an_order_that_keeps_the_runners_name_until_the_end():
    made = plan(facts(RUNNER, record="/var/lib/ece-install/x"))
    assert made.paths == [
        f"{STORAGE}/logs",
        f"{STORAGE}/bootstrap-state",
        f"{STORAGE}/{ID}",
        "/var/lib/ece-install/x",
    ]
    assert made.folder == STORAGE
    assert removal.steps_of(made)[0] == "remove container frc-runners-runner"
    assert removal.steps_of(made)[-1] == f"remove folder {STORAGE}"


@pytest.mark.parametrize(
    ("storage", "leftovers", "folder"),
    [
        ({"is_mount": True}, [], None),
        ({"entries": [ID, "backup"], "own": [ID]}, [], None),
        ({"entries": [ID, "backup"], "own": [ID]}, ["storage"], STORAGE),
        ({"entries": [], "own": [], "runner_ids": []}, [], None),
        ({"exists": False, "is_folder": False, "entries": [], "own": [], "runner_ids": []}, [], None),
    ],
    ids=["a mount", "something unknown", "that too", "empty", "gone"],
)
def test_the_storage_folder_itself_goes_if_nothing_stays_in_it(storage, leftovers, folder):
    made = plan(facts(storage=storage), leftovers=leftovers)
    assert (made.problems, made.folder) == ([], folder)


def test_a_clean_host_has_nothing_to_do():
    made = plan(facts(container("redis"), storage={"entries": [], "own": [], "runner_ids": []}))
    assert removal.steps_of(made) == [] and made.problems == []
    assert removal.result_of(made, removal.foreseen(made))["changed"] is False


@pytest.mark.parametrize(
    ("found", "options", "said"),
    [
        (
            facts(engine={"known": False, "error": "no answer within 30 s"}),
            {},
            "does not answer (no answer within 30 s)",
        ),
        (facts(engine={"wrong": "It is Podman."}), {}, "It is Podman."),
        (facts(installer_runs=True), {}, "An installer of ECE runs"),
        (facts(container("elastic-cloud-enterprise-installer")), {}, "An installer of ECE runs"),
        (facts(RUNNER, container(INSTANCE)), {}, f"has 1 container of instances of deployments ({INSTANCE})"),
        (facts(RUNNER, container(INSTANCE, status="Exited (1)")), {}, "ece_allocator_vacate"),
        (
            facts(RUNNER, storage={"runner_ids": []}),
            {"runner_id": "10.0.0.8"},
            "frc-runners-runner is that of runner 10.0.0.7",
        ),
        (
            facts(container("frc-runners-runner"), storage={"own": [], "entries": [], "runner_ids": []}),
            {},
            f"has no folder of runner {ID}: give the storage_path (ece_host_storage_path)",
        ),
        (
            facts(RUNNER, container("shipper", image="x", mounts=[(STORAGE, "/logs")])),
            {},
            f"Container shipper is not known to be ECE's, and uses {STORAGE}",
        ),
        (facts(processes=[11, 12]), {}, "Processes of containers that the engine does not list use the data of runner"),
        (facts(storage={"has_secrets": True}), {}, "bootstrap-secrets.json has passwords of the platform"),
        (facts(storage={"runner_ids": [ID, "10.0.0.9"]}), {}, "has the data of runner 10.0.0.9"),
        (
            facts(storage={"entries": ["backup"], "own": [], "runner_ids": []}),
            {"leftovers": ["storage"]},
            f"{STORAGE}/backup there may be anyone's",
        ),
        (facts(engine={"store": f"{STORAGE}/{ID}/docker"}), {}, "has the images and containers of the engine"),
    ],
)
def test_a_host_is_refused_before_anything_is_changed(found, options, said):
    (problem,) = plan(found, **options).problems
    assert said in problem and problem.endswith(".")


def test_all_problems_are_said_together():
    found = facts(RUNNER, container(INSTANCE), installer_runs=True, storage={"has_secrets": True})
    assert len(plan(found).problems) == 3


def test_what_is_permitted_is_no_problem():
    found = facts(RUNNER, container(INSTANCE), storage={"has_secrets": True}, processes=[11])
    assert plan(found, instances=True, bootstrap_secrets=True).problems == []


def test_instances_that_move_before_are_neither_a_problem_nor_removed():
    made = plan(facts(RUNNER, container(INSTANCE), container("redis", image="redis:7")), instances_move=True)
    assert made.problems == [] and [one.name for one in made.containers] == ["frc-runners-runner"]
    assert [one["name"] for one in made.kept] == ["redis"]
    (note,) = made.notes
    assert note.startswith(f"1 container of instances ({INSTANCE}) would be gone by then")
    done = removal.foreseen(made)
    assert done.containers == ["frc-runners-runner"] and not any(INSTANCE in step for step in done.would)


@pytest.mark.parametrize(
    ("containers", "state", "disables", "notes"),
    [
        ([RUNNER], "enabled", True, 0),
        ([RUNNER], "disabled", False, 0),
        ([RUNNER, container("redis")], "enabled", False, 1),
        ([], "enabled", False, 0),
    ],
    ids=["enabled", "disabled", "containers of others need it", "no containers of ECE"],
)
def test_podman_does_not_start_containers_after_a_reboot_in_the_middle(containers, state, disables, notes):
    made = plan(facts(*containers, restart_unit=state))
    assert (made.disable_restart, len(made.notes)) == (disables, notes)


def test_leftovers_are_listed_and_go_on_request():
    engine = {"images": Listed([ECE]), "networks": Listed(["ece-network"])}
    kept = plan(facts(RUNNER, engine=engine))
    assert [(item["kind"], item["removed"]) for item in kept.leftovers][:2] == [("images", False), ("network", False)]
    assert kept.others == []
    gone = plan(facts(RUNNER, engine=engine), leftovers=["images", "network"])
    assert removal.steps_of(gone)[-2:] == [f"remove image {ECE}", "remove network ece-network"]


def test_a_network_that_is_the_default_stays_because_containers_could_not_start_without_it():
    system = [{"kind": "file", "name": NETWORK_FILE, "note": "x", "removed": False}]
    made = plan(facts(engine={"networks": Listed(["ece-network"])}, system=system), leftovers=["network"])
    assert made.others == [] and "default network: remove that file first" in made.leftovers[0]["note"]


def test_an_engine_that_does_not_list_what_is_to_be_removed_is_said():
    made = plan(facts(engine={"images": Listed([], "unknown command")}), leftovers=["images"])
    assert made.notes == ["The engine does not list its images (unknown command), so that none is removed."]


# -- options and result ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"runner_id": ""}, "runner_id (ece_host_runner_id) '' is not the id of a runner"),
        ({"runner_id": " 10.0.0.7"}, "runner_id"),
        ({"runner_id": "../etc"}, "runner_id"),
        ({"runner_id": ".."}, "runner_id"),
        ({"runner_id": "logs"}, "runner_id"),
        (
            {"storage_path": "elastic"},
            "storage_path (ece_host_storage_path) elastic is relative: give an absolute path",
        ),
        ({"state_path": "x"}, "state_path (ece_host_state_path) x is relative"),
    ],
)
def test_options_that_cannot_work_are_named(options, said):
    with pytest.raises(OptionError) as error:
        removal.check_options({**OPTIONS, **options})
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([], [], 0, 0, False), "nothing of ECE is on this host"),
        (([], [], 0, 2, True), "nothing of ECE is on this host; 2 containers of others stay"),
        ((["a", "b"], ["/x"], 0, 1, False), "removed 2 containers and 1 folder of ECE; 1 container of others stays"),
        ((["a"], [], 2, 0, True), "would remove 1 container and 2 other things of ECE"),
    ],
)
def test_the_summary_is_a_sentence(arguments, sentence):
    assert removal.summary(*arguments) == sentence


# -- the engine ------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(folder, monkeypatch):
    """client(body) is an engine."""
    monkeypatch.setattr(removal, "PAUSE_SECONDS", 0)

    def make(body):
        path = folder / "engine"
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)
        return [str(path)]

    return make


def test_containers_that_end_between_two_questions_are_asked_for_again(client, folder):
    body = (
        "case $1 in ps) printf 'i1|frc-runners-runner|x|Up|\\n'\n"
        f"[[ -e {folder}/asked ]] || printf 'i2|redis|x|Up|\\n' ;;\n"
        f"inspect) [[ -e {folder}/asked ]] || {{ touch {folder}/asked; echo 'no such container' >&2; exit 1; }}\n"
        f"printf 'mounts|{STORAGE}/{ID}/services/runner/logs>/app/logs|\\n' ;; esac"
    )
    (found,) = removal.read_containers(client(body), [], STORAGE)
    assert (found.name, found.kind, removal.runner_home([found])) == ("frc-runners-runner", "service", (STORAGE, ID))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo 'no daemon' >&2; exit 1", "does not list its containers (no daemon), so nothing is removed"),
        ("[[ $1 == ps ]] && { echo 'i1|a|x|Up|'; exit; }; exit 7", "what its containers have mounted (exit code 7)"),
        ("[[ $1 == ps ]] && echo 'i1|a|x|Up|'; exit 0", "does not say what its containers have mounted"),
    ],
)
def test_an_engine_that_does_not_tell_is_an_error(client, body, said):
    with pytest.raises(HostError) as error:
        removal.read_containers(client(body), [], STORAGE)
    assert said in str(error.value)


def test_podman_without_its_socket_is_asked_by_root_all_the_same(folder, monkeypatch):
    monkeypatch.setattr(process, "SYSTEM_PATH", ())
    command = folder / "podman"
    command.write_text("#!/bin/bash\n")
    command.chmod(0o755)
    engine = {"name": "podman", "containers_known": False}
    assert removal._client_of(engine, [str(folder)], str(folder / "none.sock")) == ([str(command)], True)
    assert removal._client_of({**engine, "name": "docker"}, [str(folder)], str(folder / "none.sock")) == ([], False)


def test_a_process_that_is_not_roots_is_refused(monkeypatch):
    monkeypatch.setattr(removal, "own_uid", lambda: 1000)
    with pytest.raises(HostError, match=r"only root can remove ECE from a host: become root .*ece_host_become"):
        removal.gather(OPTIONS)
