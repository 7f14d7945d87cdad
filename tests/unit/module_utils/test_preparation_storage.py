# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disk for ECE's data."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_storage as storage
from tests.unit.module_utils.test_preparation_device import EMPTY
from tests.unit.preparation import RHEL, SLES, UBUNTU, USER, facts, options

DEVICE = "/dev/disk/by-id/x"
ROOT = {"device": "8:2", "root": "/", "path": "/", "type": "ext4", "source": "/dev/sda2", "options": ["rw"]}
XFS = {"device": "8:16", "root": "/", "path": "/mnt/data", "type": "xfs", "source": "/dev/sdb", "options": ["prjquota"]}
NO_QUOTAS = {**XFS, "options": ["noquota", "rw"]}
MADE = {**EMPTY, "signatures": ["xfs"], "label": storage.LABEL, "uuid": "1-2"}
RIGHT = {"uid": 1000, "mode": 0o700, "folder": True}
ROOTS = {"uid": 0, "mode": 0o755, "folder": True}
FOLDERS = ("/mnt/data", "/mnt/data/elastic", "/mnt/data/docker")
ENTRY = {
    "source": "UUID=1-2",
    "device": "/dev/sdb",
    "path": "/mnt/data",
    "written_path": "/mnt/data",
    "type": "xfs",
    "options": ["defaults", "nofail", "prjquota"],
    "dump": "0",
    "passno": "2",
}


def read(**given):
    return {
        "path": "/mnt/data",
        "real": "/mnt/data",
        "mount": None,
        "mount_uuid": "",
        "above": [],
        "holding": ROOT,
        "fstab": [],
        "unit": None,
        "entries": [],
        "files": [],
        "users": [],
        "device": None,
        "empty_disks": [],
        "folders": dict.fromkeys(FOLDERS),
        "mkfs": True,
        "quotas": True,
        "kernel": "5.14",
        "new_uuid": "9-9",
        **given,
    }


def mounted(mount=XFS, **given):
    """A host on which the disk is mounted, and all else is right."""
    return read(
        **{"mount": mount, "holding": mount, "fstab": [ENTRY], "folders": dict.fromkeys(FOLDERS, RIGHT), **given}
    )


def plan(read, system=UBUNTU, user=USER, **given):
    return storage.plan_storage(facts("storage", read, user=user), options(**given), system)


def with_device(device, read_more=None, **given):
    given = {"ece_host_preparation_device": DEVICE, **given}
    return plan(read(device=device, **(read_more or {})), **given)


# -- a disk that is empty --------------------------------------------------------------------------------------------


def test_an_empty_disk_is_formatted_mounted_and_given_to_the_user():
    found = with_device(EMPTY, ece_host_preparation_format=True)
    assert found.problems == found.reboot == found.notes == []
    assert found.values["format"] == {"device": DEVICE, "opts": "-n ftype=1 -L ece-data -m uuid=9-9"}
    assert found.values["mount"] == {
        "src": "UUID=9-9",
        "path": "/mnt/data",
        "fstype": "xfs",
        "opts": "defaults,nofail,x-systemd.automount,prjquota,pquota",
        "dump": "0",
        "passno": "2",
    }
    assert found.values["state"] == "mounted"
    assert [found.values[name] for name in ("folders", "group", "mode")] == [list(FOLDERS), "1000", "0700"]
    assert found.steps[:2] == [
        f"format {DEVICE} (200 GB) with XFS",
        "add to /etc/fstab, and mount: UUID=9-9 /mnt/data xfs defaults,nofail,x-systemd.automount,prjquota,pquota 0 2",
    ]
    assert "packages" not in found.values


def test_the_label_is_one_that_xfs_takes():
    assert len(storage.LABEL) <= 12


def test_folders_of_a_user_that_does_not_exist_yet_get_the_group_of_this_role():
    found = plan(read(device=EMPTY), user=None, ece_host_preparation_device=DEVICE, ece_host_preparation_format=True)
    assert found.values["group"] == "elastic"


def test_what_formats_is_installed_only_for_that():
    found = with_device(EMPTY, {"mkfs": False}, ece_host_preparation_format=True)
    assert found.values["packages"] == ["xfsprogs"] and found.steps[0] == "install package xfsprogs"
    assert "packages" not in with_device(MADE, {"mkfs": False}).values


@pytest.mark.parametrize(
    ("system", "options_", "passno"),
    [
        (RHEL, "defaults,nofail,x-systemd.automount,prjquota,pquota", "2"),
        (SLES, "defaults,pquota,prjquota,x-systemd.automount", "0"),
    ],
)
def test_the_line_is_that_of_the_systems_page(system, options_, passno):
    found = with_device(EMPTY, system=system, ece_host_preparation_format=True)
    assert (found.values["mount"]["opts"], found.values["mount"]["passno"]) == (options_, passno)


def test_an_empty_disk_is_not_formatted_without_being_asked():
    found = with_device(EMPTY)
    assert found.problems == [
        f"ece_host_preparation_device {DEVICE} is empty (200 GB): set ece_host_preparation_format to true to format it "
        "with XFS."
    ]
    assert not found.values.get("mount") and not found.steps


@pytest.mark.parametrize(
    "state",
    [
        {"signatures": ["ext4"]},
        {"signatures": ["PMBR", "gpt"]},
        {"signatures": ["xfs"], "label": "other", "uuid": "1-2"},
        {"signatures": ["xfs", "LVM2_member"], "label": storage.LABEL},
        {"signatures": ["xfs"], "label": storage.LABEL, "mounted": ["/srv"], "claimed": "in use"},
        {"signatures": ["swap"], "swap": True, "claimed": "in use"},
        {"partitions": ["sdb1"]},
        {"holders": ["mpatha"], "claimed": "in use"},
        {"claimed": "in use"},
        {"known": False},
        {"mounted": ["/"], "claimed": "in use"},
        {"read_only": True},
        {"bytes": 10**9},
        {"name": "zram0"},
        {"exists": False, "block": False},
    ],
)
def test_a_device_that_is_not_proven_to_be_empty_is_never_formatted(state):
    found = with_device({**EMPTY, **state}, ece_host_preparation_format=True)
    (problem,) = found.problems
    assert problem.startswith(f"ece_host_preparation_device {DEVICE} ") and problem.endswith(".")
    assert "format" not in found.values and "mount" not in found.values and not found.steps


def test_xfs_of_others_is_refused_with_the_line_that_uses_it():
    (problem,) = with_device({**MADE, "label": ""}, ece_host_preparation_format=True).problems
    assert "add this line to /etc/fstab: UUID=1-2 /mnt/data xfs defaults,nofail" in problem


def test_xfs_of_an_interrupted_preparation_is_mounted_and_not_formatted():
    for wanted in (True, False):
        found = with_device(MADE, ece_host_preparation_format=wanted)
        assert not found.problems and "format" not in found.values
        assert found.values["mount"]["src"] == "UUID=1-2" and found.values["state"] == "mounted"


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ({"files": ["elastic/x"]}, "/mnt/data holds files (elastic/x)"),
        ({"above": ["/mnt/data/docker"]}, "/mnt/data/docker is mounted below"),
        ({"unit": "/etc/systemd/system/mnt-data.mount"}, "mnt-data.mount mounts /mnt/data, and is not active"),
        ({"quotas": False}, "CONFIG_XFS_QUOTA"),
        ({"real": "/data"}, "is a symbolic link to /data"),
        ({"folders": {**dict.fromkeys(FOLDERS), "/mnt/data": {**RIGHT, "folder": False}}}, "is not a folder"),
    ],
)
def test_what_is_wrong_with_the_mount_path(state, word):
    (problem,) = with_device(EMPTY, state, ece_host_preparation_format=True).problems
    assert word in problem


def test_a_kernel_that_is_not_known_is_tried():
    assert not with_device(EMPTY, {"quotas": None}, ece_host_preparation_format=True).problems


def test_a_proxy_needs_more_space():
    small = {**EMPTY, "bytes": 12 * 10**9}
    given = {"ece_host_preparation_format": True}
    assert not with_device(small, **given).problems
    assert "15 GB" in with_device(small, ece_host_roles=["proxy"], **given).problems[0]


def test_a_loop_device_is_said_to_need_a_set_up():
    (note,) = with_device({**EMPTY, "name": "loop0"}, ece_host_preparation_format=True).notes
    assert "loop device" in note


# -- no device -------------------------------------------------------------------------------------------------------


def test_an_allocator_without_a_disk_is_told_what_to_set():
    (problem,) = plan(read(empty_disks=["/dev/disk/by-id/wwn-1"])).problems
    assert "ext4 of /" in problem and "this host has /dev/disk/by-id/wwn-1" in problem
    assert "ece_host_preparation_device" in problem and "ece_host_preparation_format to true" in problem
    assert "like /dev/disk/by-id/" in plan(read()).problems[0]


def test_another_role_needs_no_disk():
    found = plan(read(), ece_host_roles=["director", "coordinator"])
    assert not found.problems and len(found.notes) == 1
    assert found.values["folders"] == list(FOLDERS)


def test_xfs_with_quotas_above_the_storage_path_is_enough():
    assert not plan(read(holding={**XFS, "path": "/"})).problems
    assert "without project quotas" in plan(read(holding={**NO_QUOTAS, "path": "/"})).problems[0]


def test_the_storage_path_is_below_the_mount_path():
    (problem,) = plan(read(), ece_host_storage_path="/mnt/database/elastic").problems
    assert "ece_host_storage_path /mnt/database/elastic is not below" in problem


# -- fstab has it ----------------------------------------------------------------------------------------------------


def test_what_fstab_has_is_mounted_as_it_says_with_quotas():
    entry = {**ENTRY, "written_path": "/mnt/data/", "options": ["noatime", "noauto", "noquota"], "passno": "0"}
    found = plan(read(fstab=[entry], device={**MADE, "label": "other"}))
    assert not found.problems
    assert found.values["mount"]["path"] == "/mnt/data/", "another spelling would get a second line"
    assert found.values["mount"]["opts"] == "noatime,prjquota"
    assert found.values["mount"]["src"] == "UUID=1-2" and found.values["state"] == "mounted"
    assert "format" not in found.values


@pytest.mark.parametrize(
    ("entry", "device", "given", "word"),
    [
        ({"device": None}, None, {}, "no such device"),
        ({"type": "ext4"}, {**MADE, "signatures": ["ext4"]}, {}, "it holds ext4"),
        ({}, EMPTY, {"ece_host_preparation_device": DEVICE, "ece_host_preparation_format": True}, "no file system"),
        (
            {},
            {**MADE, "real": "/dev/sdc"},
            {"ece_host_preparation_device": DEVICE},
            f"is not ece_host_preparation_device {DEVICE}",
        ),
        ({}, {**MADE, "bytes": 10**9}, {}, "needs 10 GB"),
    ],
)
def test_what_is_wrong_with_the_line(entry, device, given, word):
    (problem,) = plan(read(fstab=[{**ENTRY, **entry}], device=device), **given).problems
    assert word in problem and "/etc/fstab" in problem


def test_two_lines_for_one_path_are_left_to_the_user():
    (problem,) = plan(read(fstab=[ENTRY, ENTRY], device=MADE)).problems
    assert "2 lines" in problem


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("defaults", "defaults,prjquota"),
        ("defaults,pquota", "defaults,pquota"),
        ("noquota,noatime", "noatime,prjquota"),
        ("noauto,prjquota", "prjquota"),
        ("noauto,x-systemd.automount,prjquota", "noauto,x-systemd.automount,prjquota"),
    ],
)
def test_options_of_others_are_kept(given, wanted):
    assert ",".join(storage.wanted_options(given.split(","), UBUNTU["storage"])) == wanted


# -- it is mounted ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", [None, EMPTY, {"path": DEVICE, "exists": False, "block": False}])
def test_a_prepared_host_has_nothing_to_do(device):
    given = {"ece_host_preparation_device": DEVICE, "ece_host_preparation_format": True} if device else {}
    found = plan(mounted(device=device), **given)
    assert found.problems == found.steps == found.reboot == []
    assert "format" not in found.values and "mount" not in found.values
    assert bool(found.notes) == bool(device and device is not EMPTY)


def test_the_engine_owns_its_folder():
    folders = {**dict.fromkeys(FOLDERS, RIGHT), "/mnt/data/docker": {"uid": 0, "mode": 0o710, "folder": True}}
    assert not plan(mounted(folders=folders)).steps


def test_a_mount_that_is_not_in_fstab_is_added():
    found = plan(mounted(fstab=[], mount_uuid="1-2"))
    assert found.values["state"] == "present" and found.values["mount"]["src"] == "UUID=1-2"
    assert not found.values.get("unmount")
    assert plan(mounted(fstab=[])).values["mount"]["src"] == "/dev/sdb"


@pytest.mark.parametrize("mount", [{"root": "/folder"}, {"path": "/mnt/data"}])
def test_a_mount_of_a_unit_or_of_another_mount_is_not_added(mount):
    found = plan(mounted(mount={**XFS, **mount}, fstab=[], unit="/etc/systemd/system/mnt-data.mount"))
    assert not found.steps and not found.problems
    (problem,) = plan(
        mounted(mount={**NO_QUOTAS, **mount}, fstab=[], unit="/etc/systemd/system/mnt-data.mount")
    ).problems
    assert "add prjquota to /etc/systemd/system/mnt-data.mount" in problem


def test_quotas_need_an_unmount_where_nothing_uses_it():
    found = plan(mounted(mount=NO_QUOTAS, fstab=[{**ENTRY, "options": ["defaults"]}]))
    assert found.values["unmount"] and found.values["state"] == "mounted"
    assert found.values["mount"]["opts"] == "defaults,prjquota" and not found.reboot


@pytest.mark.parametrize("use", [{"users": ["1"]}, {"above": ["/mnt/data/docker/overlay2"]}])
def test_quotas_need_a_reboot_where_it_is_in_use(use):
    found = plan(mounted(mount=NO_QUOTAS, fstab=[{**ENTRY, "options": ["defaults"]}], **use))
    assert not found.values.get("unmount") and found.values["state"] == "present"
    assert found.values["mount"]["opts"] == "defaults,prjquota"
    assert found.reboot == ["/mnt/data is mounted without project quotas, and in use"]
    again = plan(mounted(mount=NO_QUOTAS, **use))
    assert not again.steps and again.reboot == found.reboot


def test_a_fstab_that_is_right_is_read_again_by_an_unmount():
    found = plan(mounted(mount=NO_QUOTAS))
    assert found.values["unmount"] and found.values["state"] == "mounted"
    assert [step for step in found.steps if "fstab" in step] == []


def test_another_file_system_is_left_as_it_is():
    ext4 = {**XFS, "type": "ext4", "options": []}
    found = plan(mounted(mount=ext4, device=None))
    assert not found.problems and not found.steps and "ext4" in found.notes[0]
    other = {**EMPTY, "number": "8:32"}
    given = {"ece_host_preparation_device": DEVICE, "ece_host_preparation_format": True}
    (problem,) = plan(mounted(mount=ext4, device=other), **given).problems
    assert f"ece_host_preparation_device {DEVICE} cannot be mounted there" in problem


@pytest.mark.parametrize(
    ("entries", "mode", "given", "problem"),
    [
        (["docker", "elastic", "lost+found"], 0o755, ["/mnt/data"], False),
        (["backup", "elastic"], 0o755, [], False),
        (["backup", "elastic"], 0o750, [], True),
    ],
)
def test_a_mount_point_with_files_of_others_keeps_its_owner(entries, mode, given, problem):
    folders = {**dict.fromkeys(FOLDERS, RIGHT), "/mnt/data": {**ROOTS, "mode": mode}}
    found = plan(mounted(entries=entries, folders=folders))
    assert found.values["folders"] == given
    assert bool(found.problems) == problem


def test_the_root_is_never_given_away():
    root = {**XFS, "path": "/"}
    folders = {"/": ROOTS, "/elastic": None, "/docker": None}
    given = {"ece_host_storage_path": "/elastic", "ece_host_preparation_engine_path": "/docker"}
    found = plan(mounted(mount=root, path="/", real="/", fstab=[], folders=folders, entries=["elastic"]), **given)
    assert found.values["folders"] == ["/elastic", "/docker"]
    assert "mount" not in found.values


# -- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("CONFIG_XFS_FS=m\nCONFIG_XFS_QUOTA=y\n", True),
        ("CONFIG_XFS_FS=y\n# CONFIG_XFS_QUOTA is not set\n", False),
        ("", None),
    ],
)
def test_quotas_of_the_kernel(config, expected):
    assert storage.kernel_quotas(config) is expected


def test_the_configuration_of_the_kernel(tmp_path):
    assert storage.kernel_config(str(tmp_path)) == ""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "config.gz").write_bytes(gzip.compress(b"packed"))
    assert storage.kernel_config(str(tmp_path)) == "packed"
    (tmp_path / "proc" / "config.gz").write_bytes(b"\x1f\x8b damaged")
    assert storage.kernel_config(str(tmp_path)) == ""
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot" / f"config-{os.uname().release}").write_text("plain")
    assert storage.kernel_config(str(tmp_path)) == "plain"


def test_folders_are_no_files(tmp_path):
    (tmp_path / "elastic" / "empty").mkdir(parents=True)
    assert storage.files_below(str(tmp_path)) == []
    (tmp_path / "elastic" / "empty" / "file").touch()
    assert storage.files_below(str(tmp_path)) == ["elastic/empty/file"]
    assert storage.files_below(str(tmp_path / "none")) == []


def test_programs_that_use_a_file_system(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=tmp_path)
    try:
        assert str(process.pid) in storage.users_of(str(tmp_path))
    finally:
        process.communicate(b"\n")
    assert str(process.pid) not in storage.users_of(str(tmp_path))


def test_all_is_read_from_a_host(tmp_path):
    path = tmp_path / "data"
    (path / "elastic").mkdir(parents=True, mode=0o700)
    given = options(
        ece_host_preparation_mount_path=f"{path}/",
        ece_host_storage_path=str(path / "elastic"),
        ece_host_preparation_engine_path=str(path / "docker"),
        ece_host_preparation_device=str(path / "none"),
    )
    found = storage.read_storage(facts("storage", {}), given, UBUNTU)
    assert set(found) == set(read())
    assert found["path"] == str(path) and found["mount"] is None and found["entries"] == ["elastic"]
    assert found["device"] == {"path": str(path / "none"), "exists": False, "block": False}
    assert found["folders"][str(path / "elastic")]["mode"] == 0o700
    assert found["folders"][str(path / "docker")] is None
