# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mounts and lines of fstab, from samples."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_mounts as mounts
from ansible_collections.ece.platform.plugins.module_utils._host_process import Output

MOUNTINFO = r"""22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro
30 22 0:30 / /mnt/data rw,relatime shared:9 - autofs systemd-1 rw,fd=50
31 30 8:16 / /mnt/data rw,noatime shared:10 master:2 - xfs /dev/sdb rw,attr2,prjquota
32 22 8:17 /folder /mnt/with\040blank rw - xfs /dev/sdb1 rw,noquota
broken line
"""


def test_mounts_of_the_kernels_table():
    found = mounts.parse_mounts(MOUNTINFO)
    assert [mount["path"] for mount in found] == ["/", "/mnt/data", "/mnt/data", "/mnt/with blank"]
    assert found[2] == {
        "device": "8:16",
        "root": "/",
        "path": "/mnt/data",
        "type": "xfs",
        "source": "/dev/sdb",
        "options": ["attr2", "noatime", "prjquota", "rw"],
    }
    assert found[3]["root"] == "/folder"


def test_the_mount_at_a_path_is_the_last_and_not_the_one_that_waits():
    found = mounts.parse_mounts(MOUNTINFO)
    assert mounts.mount_at("/mnt/data", found)["type"] == "xfs"
    assert mounts.mount_at("/mnt/data", found[:2]) is None
    assert mounts.mount_at("/mnt", found) is None


def test_the_mount_that_holds_a_path():
    found = mounts.parse_mounts(MOUNTINFO)
    assert mounts.mount_that_holds("/mnt/data/elastic/x", found)["source"] == "/dev/sdb"
    assert mounts.mount_that_holds("/mnt/database", found)["path"] == "/"
    assert mounts.mount_that_holds("/mnt/data", []) is None


FSTAB = (
    "# comment /mnt/data xfs defaults\n"
    "\n"
    "UUID=1-2\t/mnt/data/\txfs\tnoatime,nofail 0 2 # mine\r\n"
    "LABEL=x /mnt/with\\040blank ext4 defaults\n"
    "/swap.img none swap sw 0 0\n"
    "too few fields\n"
)


def test_lines_of_fstab():
    found = mounts.parse_fstab(FSTAB)
    assert [(entry["source"], entry["path"], entry["type"]) for entry in found] == [
        ("UUID=1-2", "/mnt/data", "xfs"),
        ("LABEL=x", "/mnt/with blank", "ext4"),
        ("/swap.img", "none", "swap"),
    ]
    assert found[0]["written_path"] == "/mnt/data/"
    assert found[0]["options"] == ["noatime", "nofail"]
    assert [(entry["dump"], entry["passno"]) for entry in found[:2]] == [("0", "2"), ("0", "0")]


def test_the_device_of_a_path_is_what_its_links_lead_to(tmp_path):
    (tmp_path / "sdb").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "sdb")
    assert mounts.device_of(str(tmp_path / "by-id")) == str(tmp_path / "sdb")
    assert mounts.device_of(str(tmp_path / "sdc")) is None
    assert mounts.device_of("tmpfs") is None


@pytest.mark.parametrize(("output", "device"), [(Output(0, "/dev/null\n", ""), "/dev/null"), (Output(1, "", ""), None)])
def test_the_device_of_a_uuid_is_asked_of_the_host(monkeypatch, output, device):
    calls = []
    monkeypatch.setattr(mounts, "run_command", lambda argv, **_more: calls.append(argv) or output)
    assert mounts.device_of('UUID="1-2"') == device
    assert calls == [["findfs", "UUID=1-2"]]


# Names by `systemd-escape --path --suffix=mount`, systemd 252.
@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("/mnt/data", "mnt-data.mount"),
        ("/mnt/data/", "mnt-data.mount"),
        ("/", "-.mount"),
        ("/mnt/ece-data", r"mnt-ece\x2ddata.mount"),
        ("/.hidden/a.b", r"\x2ehidden-a.b.mount"),
        ("/data \u00e4", r"data\x20\xc3\xa4.mount"),
    ],
)
def test_the_unit_of_a_path(path, unit):
    assert mounts.unit_of(path, "mount") == unit


def test_a_line_is_shown_as_it_is_written():
    line = {"src": "UUID=1", "path": "/mnt/a b", "fstype": "xfs", "opts": "defaults", "dump": "0", "passno": "2"}
    assert mounts.fstab_line(line) == "UUID=1 /mnt/a\\040b xfs defaults 0 2"
