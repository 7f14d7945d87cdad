# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of a host, from samples and from this machine."""

from __future__ import annotations

import os
import shutil
import time
from types import SimpleNamespace

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _host_facts as host_facts
from tests.unit.host_user import ROOT, USER

# -- operating system ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("os_release", "name"),
    [
        (
            'NAME="Red Hat Enterprise Linux"\nVERSION="9.4 (Plow)"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\n'
            'PLATFORM_ID="platform:el9"\n',
            "RHEL-9",
        ),
        ('NAME="Red Hat Enterprise Linux"\nID="rhel"\nVERSION_ID="8.10"\n', "RHEL-8"),
        ('NAME="Red Hat Enterprise Linux Server"\nID="rhel"\nVERSION_ID="7.9"\n', "RHEL-7"),
        (
            'NAME="Rocky Linux"\nVERSION="9.3 (Blue Onyx)"\nID="rocky"\nID_LIKE="rhel centos fedora"\n'
            'VERSION_ID="9.3"\n',
            "RockyLinux-9",
        ),
        ('NAME="Rocky Linux"\nID="rocky"\nVERSION_ID="8.9"\n', "RockyLinux-8"),
        ('NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nVERSION_ID="7"\n', "CentOS-7"),
        ('NAME="CentOS Linux"\nID="centos"\nVERSION_ID="8"\n', "CentOS-8"),
        (
            'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n'
            "UBUNTU_CODENAME=noble\n",
            "Ubuntu-24.04",
        ),
        ('NAME="Ubuntu"\nVERSION_ID="22.04"\nID=ubuntu\n', "Ubuntu-22.04"),
        ('NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="20.04"\n', "Ubuntu-20.04"),
        ('NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="18.04"\n', "Ubuntu-18.04"),
        ('NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="16.04"\n', "Ubuntu-16.04"),
        ('NAME="SLES"\nVERSION="15-SP5"\nVERSION_ID="15.5"\nID="sles"\nID_LIKE="suse"\n', "SLES-15"),
        ("NAME='SLES'\nVERSION_ID='12.5'\nID='sles'\n", "SLES-12"),
        ('NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n', "Debian GNU/Linux-12"),
        ("ID=arch\n", "arch-"),
        ("", "unknown-"),
    ],
)
def test_os_facts(os_release, name):
    assert host_facts.os_facts(os_release)["matrix_name"] == name


def test_os_facts_have_id_and_version_of_the_file():
    assert host_facts.os_facts('ID="rhel"\nVERSION_ID="9.4"\n') == {
        "id": "rhel",
        "version": "9.4",
        "matrix_name": "RHEL-9",
    }


# -- files and tables of the kernel ----------------------------------------------------------------------------------


def test_memory_facts_are_in_mb():
    meminfo = "MemTotal:       16384000 kB\nMemFree:  1 kB\nMemAvailable:   8192000 kB\nSwapTotal:  4096000 kB\n"
    assert host_facts.memory_facts(meminfo) == {"total_mb": 16000, "available_mb": 8000, "swap_mb": 4000}
    assert host_facts.memory_facts("") == {"total_mb": 0, "available_mb": 0, "swap_mb": 0}


# -- storage ---------------------------------------------------------------------------------------------------------


def test_existing_parent(folder):
    (folder / "file").touch()
    assert host_facts.existing_parent(str(folder)) == str(folder)
    assert host_facts.existing_parent(str(folder / "a" / "b")) == str(folder)
    assert host_facts.existing_parent(str(folder / "file" / "b")) == str(folder)
    assert host_facts.existing_parent("/no-such-folder-here/x") == "/"


def test_storage_facts_are_those_of_the_nearest_existing_folder(folder):
    mounts = (
        f"/dev/a / ext4 rw 0 0\nb {folder} xfs rw 0 0\nc {folder}/elastic btrfs rw 0 0\nd {folder}-other nfs rw 0 0\n"
    )
    os.chown(folder, USER.pw_uid, USER.pw_gid)
    facts = host_facts.storage_facts(str(folder / "data" / "elastic"), USER.pw_name, mounts)
    assert (facts["existing_parent"], facts["filesystem"], facts["writable"]) == (str(folder), "xfs", True)
    assert facts["free_gb"] == pytest.approx(shutil.disk_usage(folder).free / 10**9, abs=2)


@pytest.mark.parametrize(
    ("mounts", "filesystem"),
    [
        ("", ""),
        ("/dev/a / ext4 rw 0 0\n", "ext4"),
        ("a / ext4 rw 0 0\nb / overlay rw 0 0\n", "overlay"),
        ("broken\n", ""),
    ],
)
def test_the_last_and_longest_mount_counts(folder, mounts, filesystem):
    assert host_facts.storage_facts(str(folder), None, mounts)["filesystem"] == filesystem


@pytest.mark.parametrize(
    ("options", "has_quotas"),
    [
        ("rw,relatime,prjquota", True),
        ("rw,pquota", True),
        ("rw,noquota", False),
        ("rw,usrquota", False),
        ("rw", False),
        # A file system of systemd's automount has a line before it is mounted and another one after.
        ("rw\nsystemd-1 / autofs rw,prjquota 0 0\nb / xfs rw", False),
    ],
)
def test_project_quotas_are_those_among_the_options_of_the_mount(folder, options, has_quotas):
    facts = host_facts.storage_facts(str(folder), None, f"/dev/a / xfs {options} 0 0\n")
    assert (facts["filesystem"], facts["project_quotas"]) == ("xfs", has_quotas)


def test_what_ece_left_in_the_storage_path_is_known_with_its_runner_ids(folder):
    for name in ("10.0.0.7/services/runner", "vm-2/services", "logs/bootstrap-logs", "bootstrap-state", "other/data"):
        (folder / name).mkdir(parents=True)
    facts = host_facts.storage_facts(str(folder), USER.pw_name, "")
    assert facts["leftovers"] == ["bootstrap-state", "10.0.0.7/services", "vm-2/services"]
    assert host_facts.runner_ids(str(folder)) == ["10.0.0.7", "vm-2"]
    assert host_facts.runner_ids(str(folder / "nowhere")) == []


@pytest.mark.skipif(not ROOT, reason="only root can have a folder that another user cannot write")
def test_a_folder_for_logs_that_the_user_cannot_write_is_found(folder):
    (folder / "logs" / "bootstrap-logs").mkdir(parents=True)
    os.chown(folder / "logs", USER.pw_uid, USER.pw_gid)
    closed = str(folder / "logs" / "bootstrap-logs")
    assert host_facts.storage_facts(str(folder), USER.pw_name, "")["closed_logs"] == [closed]
    os.chown(closed, USER.pw_uid, USER.pw_gid)
    assert host_facts.storage_facts(str(folder), USER.pw_name, "")["closed_logs"] == []


def test_the_engines_images_are_on_the_disk_of_the_storage_path_or_not(folder):
    storage = {"existing_parent": str(folder)}
    same = host_facts.store_facts({"folder": str(folder), "driver": "overlay2"}, storage)
    assert (same["on_storage_disk"], same["free_gb"]) == (
        True,
        pytest.approx(shutil.disk_usage(folder).free / 10**9, abs=2),
    )
    assert host_facts.store_facts({"folder": "/proc", "driver": "overlay2"}, storage)["on_storage_disk"] is False
    for unknown in (None, str(folder / "nowhere")):
        found = host_facts.store_facts({"folder": unknown, "driver": None}, storage)
        assert (found["free_gb"], found["on_storage_disk"]) == (None, None)


def test_the_clock_is_compared_with_the_controllers():
    assert host_facts.clock_offset(None) is None
    assert host_facts.clock_offset(time.time() - 100) == pytest.approx(100, abs=2)


@pytest.mark.skipif(not ROOT, reason="only root can have a folder that another user cannot write")
def test_storage_of_another_user_is_not_writable(folder):
    assert host_facts.storage_facts(str(folder), USER.pw_name, "")["writable"] is False


@pytest.mark.parametrize(("flags", "read_only"), [(os.ST_RDONLY | os.ST_NOSUID, True), (os.ST_NOSUID, False)])
def test_storage_that_is_mounted_read_only(folder, monkeypatch, flags, read_only):
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_bavail=5, f_frsize=10**9, f_flag=flags))
    facts = host_facts.storage_facts(str(folder), None, "")
    assert (facts["free_gb"], facts["read_only"]) == (5, read_only)


def test_storage_without_a_user_is_not_writable(folder):
    assert host_facts.storage_facts(str(folder), None, "")["writable"] is False


# -- installers ------------------------------------------------------------------------------------------------------


SCRIPT = "/home/elastic/elastic-cloud-enterprise.sh"


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        (["bash", SCRIPT, "install", "--roles", "allocator"], True),
        (["/bin/bash", SCRIPT, "install", "--host-storage-path", "/mnt/data/elastic/", "--roles", "allocator"], True),
        ([SCRIPT, "install"], True),
        (["bash", "-x", SCRIPT, "install"], True),
        (["bash", "elastic-cloud-enterprise.sh", "--debug", "install"], True),
        (["bash", SCRIPT, "install", "--host-storage-path", "/srv/other"], False),
        (["bash", SCRIPT, "upgrade"], False),
        (["vim", "/home/elastic/install"], False),
        (["tail", "-n", "100", "-f", SCRIPT, "install"], False),
        (["install", SCRIPT, "/usr/local/bin"], False),
        (["bash", SCRIPT, "install", "--host-storage-path"], False),
        ([], False),
    ],
)
def test_installer_processes_are_those_of_this_storage_path(tmp_path, argv, found):
    for name, content in (("412", argv), ("97", ["init"]), ("self", [SCRIPT, "install"])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cmdline").write_text("".join(argument + "\0" for argument in content))
    (tmp_path / "98").mkdir()  # ended in between
    assert host_facts.installer_processes("/mnt/data/elastic", str(tmp_path)) == ([412] if found else [])


def test_installer_processes_of_another_storage_path(tmp_path):
    for pid, path in ((20, "/srv/elastic"), (3, "/srv/elastic/"), (5, "/srv/elastic2")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_text(
            "\0".join(["bash", SCRIPT, "install", "--host-storage-path", path, ""])
        )
    assert host_facts.installer_processes("/srv/elastic", str(tmp_path)) == [3, 20]


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        (["bash", "/dev/fd/63", "install", "--coordinator-host", "10.0.0.1", "--roles-token", "x"], True),
        (["bash", "/dev/fd/63", "--coordinator-host", "10.0.0.1"], True),
        (["/bin/bash", "/tmp/elastic-cloud-enterprise.sh", "install"], True),
        (["vi", "elastic-cloud-enterprise.sh"], False),
        (["bash", "other.sh", "install"], False),
        (["python3", "x", "--coordinator-host", "10.0.0.1"], False),
    ],
)
def test_an_installer_is_recognised_by_its_arguments_under_any_name(tmp_path, argv, found):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cmdline").write_text("\0".join(argv) + "\0")
    assert host_facts.installer_processes("/mnt/data/elastic", str(tmp_path)) == ([7] if found else [])


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        (["bash", SCRIPT], True),
        (["-bash", SCRIPT, "--debug"], True),
        (["dash", "/dev/fd/63", "--coordinator-host", "x"], True),
        (["bash", SCRIPT, "upgrade", "--coordinator-host", "x"], False),
        (["/bin/sh", "-c", "chmod u+x " + SCRIPT], False),
        (["/bin/sh", "-c", "bash " + SCRIPT, "install"], False),
        (["docker", "run", "--roles-token", "x"], False),
    ],
)
def test_an_installer_needs_no_action_and_a_command_that_only_names_it_is_not_one(tmp_path, argv, found):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cmdline").write_text("\0".join(argv) + "\0")
    assert host_facts.installer_processes("/mnt/data/elastic", str(tmp_path)) == ([7] if found else [])


@pytest.mark.parametrize(
    ("record", "last"),
    [
        ({}, None),
        ({"damaged": True}, None),
        ({"started": "yesterday", "rc": 0}, None),
        ({"started": 900}, {"rc": None, "age_seconds": None}),
        ({"started": 900, "finished": 990, "rc": 0}, {"rc": 0, "age_seconds": 10}),
        (
            {"started": 900, "finished": 990, "rc": 5, "token_id": "an-id"},
            {"rc": 5, "age_seconds": 10, "token_id": "an-id"},
        ),
        ({"started": 900, "finished": 1100, "rc": 0}, {"rc": 0, "age_seconds": None}),
        ({"started": 900, "finished": None, "rc": "0"}, {"rc": None, "age_seconds": None}),
        ({"started": 900, "token_id": "not an id"}, {"rc": None, "age_seconds": None}),
    ],
)
def test_last_install(record, last):
    expected = last and {"started": 900, "running": False, "token_id": None, **last}
    assert host_facts.last_install(record, now=1000) == expected
