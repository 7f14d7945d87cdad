# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The storage folder of ECE: what may be removed of it, and that nothing else is."""

from __future__ import annotations

import os
import sys

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _removal_storage as storage
from ansible_collections.ece.platform.plugins.module_utils._errors import HostError

ID = "10.0.0.7"
MOUNT = "36 35 98:0 /mnt1 {0} rw,noatime master:1 - xfs /dev/sdb rw,prjquota\n"
SAFE = {"bootstrap_secrets": False}


@pytest.fixture
def elastic(folder):
    """A storage folder as the installer leaves it."""
    path = folder / "data" / "elastic"
    (path / ID / "services" / "runner" / "logs").mkdir(parents=True)
    (path / "bootstrap-state").mkdir()
    (path / "logs" / "bootstrap-logs").mkdir(parents=True)
    (path / "logs" / "bootstrap-logs" / "bootstrap.log").write_text("x")
    return path


def problems(path, runner_id=ID, mountinfo="", **options):
    return storage.storage_problems(
        storage.read_storage(str(path), runner_id, mountinfo), runner_id, {**SAFE, **options}
    )


# -- facts -----------------------------------------------------------------------------------------------------------


def test_a_storage_folder_is_read(elastic):
    (elastic / "lost+found").mkdir()
    assert storage.read_storage(f"{elastic}/", ID, MOUNT.format(elastic)) == {
        "path": str(elastic),
        "real": str(elastic),
        "exists": True,
        "is_folder": True,
        "is_mount": True,
        "mounts_below": [],
        "entries": [ID, "bootstrap-state", "logs", "lost+found"],
        "runner_ids": [ID],
        "own": ["logs", "bootstrap-state", ID],
        "has_secrets": False,
    }


def test_mount_points_are_those_of_the_kernel_with_their_blanks():
    assert storage.mount_points(MOUNT.format("/mnt/a\\040b") + MOUNT.format("/") + "damaged\n") == ["/mnt/a b", "/"]


def test_a_folder_that_is_missing_or_empty_is_no_problem(folder):
    assert problems(folder / "nowhere") == []
    (folder / "empty").mkdir()
    assert problems(folder / "empty") == []


def test_the_rest_of_a_run_that_ended_early_is_still_the_runners(folder):
    (folder / "elastic" / ID / "data").mkdir(parents=True)
    found = storage.read_storage(str(folder / "elastic"), ID, "")
    assert (found["own"], found["runner_ids"]) == ([ID], [])


# -- plan ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/mnt", "/mnt/", "/home", "/var/lib", "/etc/elastic", "/usr/../", "/proc/1", "/data/.."]
)
def test_a_folder_of_the_system_is_refused(path):
    (problem,) = problems(path)
    assert problem.startswith(
        f"storage_path (ece_host_storage_path) {os.path.normpath(path)} is a folder of the system"
    )


def test_a_link_to_a_folder_of_the_system_is_refused_as_one(folder):
    (folder / "link").symlink_to("/etc")
    assert "is a folder of the system" in problems(folder / "link" / "elastic")[0]


def test_a_link_and_a_file_are_refused(folder, elastic):
    (folder / "link").symlink_to(elastic)
    (folder / "file").touch()
    assert f"is a link to {elastic}: give the folder" in problems(folder / "link")[0]
    assert "is not a folder: give the folder" in problems(folder / "file")[0]


def test_the_data_of_another_runner_is_refused(elastic):
    (problem,) = problems(elastic, "10.0.0.8")
    assert problem.startswith(f"{elastic} has the data of runner {ID}, and runner_id (ece_host_runner_id) is 10.0.0.8")
    (elastic / "10.0.0.9" / "services").mkdir(parents=True)
    assert "has the data of runner 10.0.0.9, and" in problems(elastic)[0]


def test_passwords_of_the_platform_are_saved_first(elastic):
    (elastic / "bootstrap-state" / "bootstrap-secrets.json").write_text("{}")
    (problem,) = problems(elastic)
    assert problem.startswith(f"{elastic}/bootstrap-state/bootstrap-secrets.json has passwords") and "{}" not in problem
    assert problems(elastic, bootstrap_secrets=True) == []


def test_what_is_mounted_below_is_refused_unless_containers_of_the_runner_have_it(elastic):
    assert problems(elastic, mountinfo=MOUNT.format(elastic / "backup"))[0].startswith(
        f"{elastic / 'backup'} is mounted"
    )
    assert problems(elastic, mountinfo=MOUNT.format(elastic / ID / "services")) == []
    assert problems(elastic, mountinfo=MOUNT.format(elastic) + MOUNT.format(f"{elastic}-2")) == []


# -- processes -------------------------------------------------------------------------------------------------------


@pytest.fixture
def proc(folder):
    """proc(pid, namespace, mounted folder) makes a process."""

    def make(pid, namespace, mounted):
        path = folder / "proc" / str(pid)
        (path / "ns").mkdir(parents=True)
        (path / "ns" / "mnt").symlink_to(f"mnt:[{namespace}]")
        (path / "mountinfo").write_text(
            f"1 2 8:1 {mounted} /app/logs rw - xfs /dev/sdb rw\n2 2 8:1 / / rw - xfs x rw\n"
        )

    make("self", 1, "/x")
    (folder / "proc" / "meminfo").touch()
    return make


def test_processes_that_use_a_runners_data_are_found_whichever_engine_runs_them(folder, proc):
    data = f"/elastic/{ID}/services"
    proc(1, 1, f"{data}/of-the-host")
    proc(7, 2, f"{data}/runner/logs")
    proc(8, 2, f"{data}/runner/logs")
    proc(9, 3, "/elastic/10.0.0.70/services/runner/logs")
    proc(10, 4, data)
    proc(11, 5, f"{data}-old/x")
    found = storage.processes_in_storage(ID, str(folder / "proc"))
    assert [pid if pid != 8 else 7 for pid in found] == [7, 10]  # one for each set of mounts


# -- removal ---------------------------------------------------------------------------------------------------------


def test_an_entry_goes_with_all_in_it_and_no_link_is_followed(folder, elastic):
    outside = folder / "outside"
    (outside / "kept").mkdir(parents=True)
    (elastic / ID / "link").symlink_to(outside)
    (elastic / ID / "gone").symlink_to(folder / "nowhere")
    os.mkfifo(elastic / ID / "pipe")
    closed = elastic / ID / "closed"
    closed.mkdir()
    assert storage.remove_entry(str(elastic / ID)) is True
    assert not (elastic / ID).exists() and (outside / "kept").exists() and (elastic / "logs").exists()
    assert storage.remove_entry(str(elastic / ID)) is False


def test_a_link_in_place_of_an_entry_is_removed_and_its_target_stays(folder, elastic):
    (elastic / "link").symlink_to(folder)
    assert storage.remove_entry(str(elastic / "link")) is True
    assert elastic.exists() and not (elastic / "link").is_symlink()


def test_an_entry_below_a_folder_that_is_missing_is_not_there(folder):
    assert storage.remove_entry(str(folder / "a" / "b" / "c")) is False


def test_what_is_made_meanwhile_goes_too(elastic, monkeypatch):
    real, made = os.rmdir, []

    def rmdir(name, dir_fd=None):
        if name == "runner" and not made:
            made.append(name)
            (elastic / ID / "services" / "runner" / "late").touch()
        real(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", rmdir)
    assert storage.remove_entry(str(elastic / ID)) is True
    assert made and not (elastic / ID).exists()


def test_an_error_names_the_path(elastic, monkeypatch):
    def unlink(name, dir_fd=None):
        raise PermissionError(1, "Operation not permitted", name)

    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(PermissionError) as error:
        storage.remove_entry(str(elastic / "logs"))
    assert error.value.filename == str(elastic / "logs" / "bootstrap-logs" / "bootstrap.log")


def test_another_file_system_is_not_entered(elastic):
    above = os.open(elastic, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="another file system is mounted there"):
            storage._remove_in(above, "logs", str(elastic / "logs"), -1)
    finally:
        os.close(above)
    assert (elastic / "logs" / "bootstrap-logs" / "bootstrap.log").exists()


def test_folders_that_are_too_deep_are_said(folder, monkeypatch):
    deep = folder
    for _level in range(200):
        deep = deep / "d"
        deep.mkdir()
    monkeypatch.setattr(storage, "_remove_in", lambda *_: (_ for _ in ()).throw(RecursionError()))
    with pytest.raises(HostError, match="has too many folders in each other: remove it by hand"):
        storage.remove_entry(str(folder / "d"))
    monkeypatch.undo()
    assert sys.getrecursionlimit() > 400 and storage.remove_entry(str(folder / "d")) is True


def test_only_an_empty_folder_is_removed_as_one(folder, elastic):
    assert storage.remove_if_empty(str(elastic)) is False and elastic.exists()
    (folder / "empty").mkdir()
    assert storage.remove_if_empty(str(folder / "empty")) is True
    assert storage.remove_if_empty(str(folder / "empty")) is False


def test_a_folder_of_logs_is_not_eces_where_no_runner_was(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "data").mkdir()
    assert storage.read_storage(str(tmp_path), "192.0.2.1", "")["own"] == []
    (tmp_path / "192.0.2.1").mkdir()
    assert storage.read_storage(str(tmp_path), "192.0.2.1", "")["own"] == ["logs", "192.0.2.1"]
