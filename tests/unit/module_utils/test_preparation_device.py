# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks and partitions, from samples."""

from __future__ import annotations

import errno
import os

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_device as device
from ansible_collections.ece.platform.plugins.module_utils._host_process import Output

EMPTY = {
    "path": "/dev/disk/by-id/x",
    "real": "/dev/sdb",
    "number": "8:16",
    "name": "sdb",
    "exists": True,
    "block": True,
    "bytes": 200 * 10**9,
    "read_only": False,
    "partitions": [],
    "holders": [],
    "mounted": [],
    "swap": False,
    "claimed": "",
    "known": True,
    "signatures": [],
    "label": "",
    "uuid": "",
}
# As printed by util-linux 2.38.
XFS = "DEVNAME=/dev/sdb\nLABEL=ece-data\nUUID=11111111-2222-4333-8444-555555555555\nTYPE=xfs\nUSAGE=filesystem\n"
WIPEFS_XFS = "# offset,uuid,label,type\n0x0,11111111-2222-4333-8444-555555555555,ece-data,xfs\n"
WIPEFS_GPT = "# offset,uuid,label,type\n0x200,,,gpt\n0x2fffffe00,,,gpt\n0x1fe,,,PMBR\n"


def test_what_the_kernel_says_of_a_disk(tmp_path):
    disk = tmp_path / "devices" / "sdb"
    (disk / "sdb1").mkdir(parents=True)
    (disk / "sdb1" / "partition").write_text("1\n")
    (disk / "queue").mkdir()
    for name, text in {"dm-0": "mpatha\n", "md0": ""}.items():
        (disk / "holders" / name / "dm").mkdir(parents=True)
        (disk / "holders" / name / "dm" / "name").write_text(text)
    (disk / "size").write_text("2048\n")
    (disk / "ro").write_text("1\n")
    (tmp_path / "dev" / "block").mkdir(parents=True)
    (tmp_path / "dev" / "block" / "8:16").symlink_to(disk)
    assert device.block_facts("8:16", str(tmp_path)) == {
        "name": "sdb",
        "bytes": 2**20,
        "read_only": True,
        "partitions": ["sdb1"],
        "holders": ["mpatha", "md0"],
    }


@pytest.mark.parametrize(
    ("blkid", "wipefs", "signatures", "known"),
    [
        ((2, ""), (0, ""), [], True),
        ((0, XFS), (0, WIPEFS_XFS), ["xfs"], True),
        ((0, "DEVNAME=/dev/sdb\nPTTYPE=gpt\n"), (0, WIPEFS_GPT), ["PMBR", "gpt"], True),
        # What the parent's table says of a partition is no signature on it.
        ((0, "DEVNAME=/dev/sdb1\nPART_ENTRY_TYPE=0x83\n"), (0, ""), [], True),
        ((8, ""), (0, ""), ["several that contradict each other"], True),
        ((127, ""), (0, ""), [], False),
        ((2, ""), (127, ""), [], False),
        ((2, ""), (1, ""), [], False),
        ((124, ""), (0, ""), [], False),
    ],
)
def test_signatures(blkid, wipefs, signatures, known):
    found = device.parse_probe(blkid, wipefs)
    assert (found["signatures"], found["known"]) == (signatures, known)


def test_label_and_uuid_come_with_a_file_system():
    found = device.parse_probe((0, XFS), (0, WIPEFS_XFS))
    assert (found["label"], found["uuid"]) == ("ece-data", "11111111-2222-4333-8444-555555555555")


def test_both_commands_are_asked(monkeypatch):
    calls = []
    monkeypatch.setattr(device, "run_command", lambda argv, **_more: calls.append(argv) or Output(2, "", ""))
    assert not device.probe("/dev/sdb")["known"]
    assert [argv[0] for argv in calls] == ["blkid", "wipefs"]
    assert "--no-act" in calls[1]


@pytest.mark.parametrize(
    ("error", "text"),
    [(None, ""), (errno.EBUSY, "in use"), (errno.ENOMEDIUM, os.strerror(errno.ENOMEDIUM))],
)
def test_whether_the_kernel_gives_the_device_to_one_program(monkeypatch, error, text):
    def opened(_path, flags):
        assert flags & os.O_EXCL and not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if error:
            raise OSError(error, os.strerror(error))
        return 99

    monkeypatch.setattr(device.os, "open", opened)
    monkeypatch.setattr(device.os, "close", lambda _handle: None)
    assert device.why_claimed("/dev/sdb") == text


def test_swap_spaces():
    text = (
        "Filename\t\tType\t\tSize\t\tUsed\t\tPriority\n"
        "/dev/zram0                              partition\t4194300\t\t2048\t\t100\n"
        "/swap\\040file                           file\t\t524284\t\t0\t\t-2\n"
        "/old\\040(deleted)                       file\t\t524284\t\t0\t\t-2\n"
    )
    assert device.swaps(text) == [
        {"path": "/dev/zram0", "mb": 4095, "used_mb": 2},
        {"path": "/swap file", "mb": 511, "used_mb": 0},
        {"path": "/old", "mb": 511, "used_mb": 0},
    ]
    assert device.swaps("") == []


def test_what_is_no_device(tmp_path):
    (tmp_path / "disk.img").touch()
    assert device.read_device(str(tmp_path / "disk.img")) == {
        "path": str(tmp_path / "disk.img"),
        "exists": True,
        "block": False,
    }
    assert not device.read_device(str(tmp_path / "sdb"))["exists"]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ({"exists": False}, "does not exist"),
        ({"block": False}, "is not a disk"),
        ({"name": "zram0"}, "is zram0, which is memory"),
        ({"name": "sr0"}, "is sr0, which is memory"),
        ({"read_only": True}, "is read-only"),
        ({"bytes": 5 * 10**9}, "has 5.0 GB, and ECE needs 10 GB"),
        ({"name": "sdb"}, ""),
        ({"name": "loop0"}, ""),
        ({"name": "nvme0n1"}, ""),
    ],
)
def test_why_a_device_is_no_disk_for_ece(state, word):
    found = device.why_no_disk({**EMPTY, **state}, 10 * 10**9)
    assert found.startswith(word) and bool(found) == bool(word)


@pytest.mark.parametrize(
    ("state", "reasons"),
    [
        ({}, []),
        ({"mounted": ["/srv", "/mnt"], "claimed": "in use"}, ["is mounted at /srv and /mnt"]),
        ({"swap": True, "claimed": "in use"}, ["is in use as swap"]),
        ({"holders": ["mpatha"], "claimed": "in use"}, ["is part of mpatha"]),
        ({"partitions": ["sdb1", "sdb2"]}, ["has partitions (sdb1, sdb2)"]),
        ({"signatures": ["LVM2_member"]}, ["has a signature (LVM2_member)"]),
        ({"claimed": "in use"}, ["is in use by another program or namespace"]),
        ({"claimed": "No medium found"}, ["cannot be opened (No medium found)"]),
        ({"known": False}, ["cannot be searched for signatures with blkid and wipefs (package util-linux)"]),
    ],
)
def test_a_device_is_empty_only_if_all_say_so(state, reasons):
    assert list(device.why_not_empty({**EMPTY, **state})) == reasons


def test_disks_to_propose_have_their_id(monkeypatch, tmp_path):
    disks = {"sda": "2048", "sdb": "2048", "sdc": "0", "loop0": "2048", "zram0": "2048", "dm-0": "2048"}
    for name, size in disks.items():
        (tmp_path / "block" / name).mkdir(parents=True)
        (tmp_path / "block" / name / "size").write_text(size)
        (tmp_path / name).touch()
    (tmp_path / "disk" / "by-id").mkdir(parents=True)
    (tmp_path / "disk" / "by-id" / "wwn-1").symlink_to(tmp_path / "sdb")
    used = {str(tmp_path / "sda"): {"partitions": ["sda1"]}}
    monkeypatch.setattr(device, "read_device", lambda path: {**EMPTY, **used.get(path, {})})
    assert device.empty_disks(str(tmp_path), str(tmp_path)) == [str(tmp_path / "disk" / "by-id" / "wwn-1")]
