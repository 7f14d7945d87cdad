# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ECE is removed from a host whose engine is a script with containers in files."""

from __future__ import annotations

import contextlib
import socket

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _host_process as process
from ansible_collections.ece.platform.plugins.module_utils import _removal_host as removal
from ansible_collections.ece.platform.plugins.module_utils._install_files import install_name
from ansible_collections.ece.platform.plugins.modules import ece_removal_clean
from tests.unit.module_utils.conftest import folder  # noqa: F401  a fixture

ID = "10.0.0.7"
ECE = "docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:4.0.3"
INSTANCE = "fac-c5900a8affb44d108ebe31513480a9b8-instance-0000000000"
# Each container is a file with its id as name: name, image, status, labels, mounts.
ENGINE = r"""#!/bin/bash
here=${0%/*}
say() { printf '%s\n' "$*" >>"$here/log"; }
[[ $1 != --version ]] || { echo "@VERSION@"; exit; }
while [[ $1 == -* ]]; do [[ $1 != --url ]] || shift; shift; done
say "$@"
[[ ! -e $here/broken ]] || { echo 'Cannot connect to the engine' >&2; exit 1; }
verb=$1
case "$*" in
ps*Labels*) for file in "$here"/containers/*; do [[ -e $file ]] || continue
    { read -r name; read -r image; read -r status; read -r labels; } <"$file"
    echo "${file##*/}|$name|$image|$status|$labels"; done ;;
ps*) for file in "$here"/containers/*; do [[ -e $file ]] || continue
    { read -r name; read -r image; read -r status; } <"$file"; echo "$name|$image|$status"; done ;;
inspect*) shift 3
  for id; do { for _ in 1 2 3 4; do read -r _; done; read -r mounts; } <"$here/containers/$id"
    echo "mounts|$mounts"; done ;;
info*) echo "/var/lib/docker|overlay2" ;;
images*) cat "$here/images" 2>/dev/null ;;
"network ls"*) cat "$here/networks" 2>/dev/null ;;
"network rm"*) : >"$here/networks" ;;
rmi*) [[ $2 != *in-use* ]] || { echo 'Error: image is in use by a container' >&2; exit 2; }
  grep -vF "$2|" "$here/images" >"$here/images.new"; mv "$here/images.new" "$here/images" ;;
rm*) id=${!#}
  [[ ! -e $here/stubborn-$id ]] || { echo 'Error: device or resource busy' >&2; exit 1; }
  [[ -e $here/containers/$id ]] || { echo "Error: No such container: $id" >&2; exit 1; }
  read -r name <"$here/containers/$id"; rm -f "$here/containers/$id"
  # The runner starts what is missing until it is gone.
  if [[ -e $here/late && $name == frc-runners-runner ]]; then mv "$here/late" "$here/containers/late"; fi ;;
*) exit 64 ;;
esac
"""
SYSTEMCTL = """#!/bin/bash
echo "systemctl $*" >>"${0%/*}/log"
[[ $1 != is-enabled ]] || cat "${0%/*}/restart-unit" 2>/dev/null
[[ $1 != disable ]] || echo disabled >"${0%/*}/restart-unit"
"""


class Host:
    """A host with an engine, and its folders."""

    def __init__(self, path):
        self.path = path
        self.storage = path / "data" / "elastic"
        self.record = path / "state" / install_name(str(self.storage))
        (path / "containers").mkdir()
        (path / "log").touch()
        (self.storage / ID / "services" / "runner" / "logs").mkdir(parents=True)
        (self.storage / "bootstrap-state").mkdir()
        (self.storage / "logs").mkdir()
        self.record.mkdir(parents=True)
        (self.record / "record.json").write_text('{"started": 1, "rc": 0}')
        self.command("docker", ENGINE.replace("@VERSION@", "Docker version 27.0.3, build x"))
        self.command("systemctl", SYSTEMCTL)
        self.container("1", "frc-runners-runner", mounts=f"{self.storage}/{ID}/services/runner/logs>/app/logs|")
        self.container("2", "frc-allocators-allocator")
        self.container("3", "node-exporter", image="prom/node-exporter:v1.8.2")

    def command(self, name, text):
        (self.path / name).write_text(text)
        (self.path / name).chmod(0o755)

    def container(self, identity, name, image=ECE, status="Up 2 minutes", labels="", mounts=""):
        text = f"{name}\n{image}\n{status}\n{labels}\n{mounts}\n"
        (self.path / "containers" / identity).write_text(text)

    @property
    def containers(self):
        return sorted(file.read_text().splitlines()[0] for file in (self.path / "containers").iterdir())

    @property
    def log(self):
        return (self.path / "log").read_text().splitlines()

    @property
    def changes(self):
        """The commands that change something, in their order."""
        return [line for line in self.log if line.startswith(("rm", "network rm", "systemctl disable"))]


@pytest.fixture
def host(folder, monkeypatch):  # noqa: F811
    monkeypatch.setattr(process, "SYSTEM_PATH", (str(folder), "/usr/bin", "/bin"))
    monkeypatch.setattr(removal, "PAUSE_SECONDS", 0)
    # An ordinary user may run the tests, and all of this host is that user's.
    monkeypatch.setattr(removal, "own_uid", lambda: 0)
    return Host(folder)


@pytest.fixture
def clean(run_module, host):
    def run(**given):
        options = {
            "runner_id": ID,
            "storage_path": str(host.storage),
            "state_path": str(host.path / "state"),
            "docker_socket": str(host.path / "none.sock"),
            "user": "no-such-user-here",
            **given,
        }
        return run_module(ece_removal_clean, connection={}, **options)

    return run


def test_a_host_is_cleaned_once_and_keeps_what_others_have(clean, host):
    foreseen = clean(check_mode=True)
    assert host.changes == [] and host.storage.exists() and len(host.containers) == 3
    done = clean()
    assert done["changed"] and done["removed_containers"] == ["frc-runners-runner", "frc-allocators-allocator"]
    assert host.changes == ["rm --force --volumes 1", "rm --force --volumes 2"]
    assert host.containers == ["node-exporter"] and not host.storage.exists() and host.storage.parent.exists()
    assert not host.record.exists()
    assert done["removed_folders"] == [
        *(f"{host.storage}/{name}" for name in ("logs", "bootstrap-state", ID)),
        str(host.record),
        str(host.storage),
    ]
    assert done["kept_containers"] == [
        {"name": "node-exporter", "image": "prom/node-exporter:v1.8.2", "reason": "it is not ECE's"}
    ]
    assert done["msg"] == "removed 2 containers and 5 folders of ECE; 1 container of others stays"
    # Check mode has foreseen all of it.
    for name in ("changed", "removed_containers", "kept_containers", "removed_folders", "leftovers", "diff"):
        assert foreseen[name] == done[name], name
    assert foreseen["would"][:2] == ["remove container frc-runners-runner", "remove container frc-allocators-allocator"]
    again = clean()
    assert not again["changed"] and again["msg"] == "nothing of ECE is on this host; 1 container of others stays"
    assert not clean(check_mode=True)["changed"]


def test_a_container_that_the_runner_started_meanwhile_goes_too(clean, host):
    (host.path / "late").write_text(f"frc-proxies-proxyv2\n{ECE}\nUp\n\n\n")
    assert clean()["removed_containers"][-1] == "frc-proxies-proxyv2" and host.containers == ["node-exporter"]


def test_instances_are_refused_and_go_on_request(clean, host):
    host.container("4", INSTANCE, image="docker.elastic.co/cloud-release/elasticsearch-cloud-ess:9.1.0")
    refused = clean()
    assert refused["failed"] and INSTANCE in refused["msg"] and not refused["changed"] and host.changes == []
    assert refused["problems"] and host.storage.exists()
    assert clean(instances=True)["removed_containers"][-1] == INSTANCE


def test_instances_that_move_before_are_no_problem_in_check_mode_alone(clean, host):
    host.container("4", INSTANCE, image="docker.elastic.co/cloud-release/elasticsearch-cloud-ess:9.1.0")
    foreseen = clean(check_mode=True, instances_move=True)
    assert foreseen["changed"] and not foreseen.get("failed") and INSTANCE not in foreseen["removed_containers"]
    refused = clean(instances_move=True)
    assert refused["failed"] and INSTANCE in refused["msg"] and host.changes == []


def test_instances_that_come_meanwhile_stop_the_run_before_their_data_go(clean, host):
    (host.path / "late").write_text(f"{INSTANCE}\nx\nUp\n\n\n")
    result = clean()
    assert result["failed"] and "got containers of instances meanwhile" in result["msg"] and result["changed"]
    assert host.storage.exists() and INSTANCE in host.containers


def test_a_container_that_cannot_be_removed_keeps_the_folders_and_the_next_run_goes_on(clean, host):
    (host.path / "stubborn-2").touch()
    result = clean()
    assert result["failed"] and result["changed"] and result["removed_containers"] == ["frc-runners-runner"]
    assert "frc-allocators-allocator cannot be removed" in result["msg"] and "device or resource busy" in result["msg"]
    assert host.storage.exists()
    (host.path / "stubborn-2").unlink()
    assert clean()["removed_containers"] == ["frc-allocators-allocator"] and not host.storage.exists()


def test_a_run_that_ended_between_two_folders_goes_on(clean, host):
    for file in (host.path / "containers").iterdir():
        file.unlink()
    (host.storage / "logs").rmdir()
    (host.storage / ID / "services" / "runner" / "logs").rmdir()
    (host.storage / ID / "services" / "runner").rmdir()
    (host.storage / ID / "services").rmdir()
    result = clean()
    assert result["removed_folders"][:2] == [f"{host.storage}/bootstrap-state", f"{host.storage}/{ID}"]
    assert not host.storage.exists()


def test_an_engine_that_does_not_answer_keeps_everything(clean, host):
    (host.path / "broken").touch()
    result = clean()
    assert result["failed"] and "Cannot connect to the engine" in result["msg"] and host.storage.exists()


@pytest.mark.parametrize("check_mode", [False, True])
def test_another_runners_host_is_left_alone(clean, host, check_mode):
    result = clean(runner_id="10.0.0.8", check_mode=check_mode)
    assert result["failed"] and f"is that of runner {ID} with its data in {host.storage}" in result["msg"]
    assert host.changes == [] and len(host.containers) == 3


def test_passwords_of_the_platform_are_kept_until_that_is_permitted(clean, host):
    (host.storage / "bootstrap-state" / "bootstrap-secrets.json").write_text('{"adminconsole_root_password": "p4ss"}')
    result = clean()
    assert result["failed"] and "bootstrap_secrets: true" in result["msg"] and "p4ss" not in result.printed
    assert host.changes == []
    assert clean(bootstrap_secrets=True)["changed"] and not host.storage.exists()


def test_what_is_not_known_to_be_eces_stays_in_the_storage_folder(clean, host):
    (host.storage / "backup").mkdir()
    result = clean()
    assert result["changed"] and sorted(path.name for path in host.storage.iterdir()) == ["backup"]
    assert {"kind": "storage", "name": f"{host.storage}/backup"}.items() <= result["leftovers"][0].items()
    again = clean()
    assert not again["changed"] and not again.get("failed")


def test_it_goes_with_the_rest_on_request(clean, host):
    (host.storage / "backup").mkdir()
    (host.storage / "backup" / "file").touch()
    result = clean(leftovers=["storage"])
    assert not host.storage.exists() and result["leftovers"][0]["removed"] is True


def test_images_and_network_go_on_request_and_one_in_use_stays(clean, host, monkeypatch):
    monkeypatch.setattr(removal.leftovers, "FILES", {})
    in_use = "registry.example.com/cloud-enterprise/in-use:1"
    (host.path / "images").write_text(f"{ECE}|a1\n{in_use}|b2\nredis:7|c3\n")
    (host.path / "networks").write_text("bridge\nece-network\n")
    kept = {item["name"]: item["removed"] for item in clean()["leftovers"]}
    assert {ECE: False, in_use: False, "ece-network": False, "/var/lib/docker": False}.items() <= kept.items()
    assert "rmi" not in str(host.changes)
    result = clean(leftovers=["images", "network"])
    notes = {item["name"]: (item["removed"], item["note"]) for item in result["leftovers"]}
    assert result["changed"] and notes[ECE][0] and notes["ece-network"][0] and not notes[in_use][0]
    assert "the engine refuses to remove it: Error: image is in use" in notes[in_use][1]
    assert any(in_use in warning for warning in result.warnings)
    assert (host.path / "images").read_text().splitlines() == [f"{in_use}|b2", "redis:7|c3"]


def test_podman_does_not_start_containers_after_a_reboot_and_is_not_stopped(clean, host):
    (host.path / "docker").unlink()
    host.command("podman", ENGINE.replace("@VERSION@", "podman version 4.9.4"))
    (host.path / "restart-unit").write_text("enabled\n")
    (host.path / "containers" / "3").unlink()
    path = host.path / "podman.sock"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        foreseen = clean(container_engine="podman", docker_socket=str(path), check_mode=True)
        assert foreseen["would"][0] == "disable podman-restart.service" and host.changes == []
        assert clean(container_engine="podman", docker_socket=str(path))["changed"]
        assert not clean(container_engine="podman", docker_socket=str(path))["changed"]
    assert host.changes == [
        "systemctl disable podman-restart.service",
        "rm --force --volumes 1",
        "rm --force --volumes 2",
    ]
    assert not any("stop" in line or "restart " in line or "prune" in line for line in host.log)


def test_data_that_processes_still_use_are_kept(clean, host, monkeypatch):
    monkeypatch.setattr(removal, "END_SECONDS", -1)
    monkeypatch.setattr(removal, "processes_in_storage", lambda runner_id: [4711])
    result = clean()
    assert result["failed"] and "(pid 4711)" in result["msg"] and host.storage.exists()
    assert result["removed_containers"] == ["frc-runners-runner", "frc-allocators-allocator"]


def test_a_folder_that_the_host_refuses_to_remove_is_named_with_what_was_done(clean, host, monkeypatch):
    def refuse(path):
        raise PermissionError(1, "Operation not permitted", path)

    monkeypatch.setattr(removal, "remove_entry", refuse)
    result = clean()
    assert result["failed"] and f"the host refused {host.storage}/logs" in result["msg"] and result["changed"]


def test_a_mount_keeps_its_folder(clean, host, monkeypatch):
    real = removal.read_storage
    monkeypatch.setattr(removal, "read_storage", lambda *given: {**real(*given), "is_mount": True})
    clean()
    assert host.storage.exists() and list(host.storage.iterdir()) == []


def test_a_host_without_engine_and_without_ece_has_nothing_to_do(clean, host, monkeypatch):
    (host.path / "docker").unlink()
    # Without the folders in which the machine of the tests may have an engine.
    monkeypatch.setattr(process, "SYSTEM_PATH", (str(host.path),))
    result = clean(storage_path=str(host.path / "nowhere"), container_engine="podman")
    assert (result["changed"], result["msg"]) == (False, "nothing of ECE is on this host")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"runner_id": "a/b"}, "runner_id (ece_host_runner_id) 'a/b' is not the id of a runner"),
        ({"storage_path": "/"}, "is a folder of the system"),
        ({"storage_path": "/mnt"}, "is a folder of the system"),
        ({"leftovers": ["everything"]}, "everything"),
    ],
)
def test_bad_options_are_named_before_anything_is_changed(clean, host, options, said):
    result = clean(**options)
    assert result["failed"] and said in result["msg"] and host.changes == []
