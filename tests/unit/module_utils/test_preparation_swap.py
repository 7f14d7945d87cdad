# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Swap."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_swap as swap
from ansible_collections.ece.platform.plugins.module_utils._host_process import Output
from tests.unit.module_utils.test_preparation_device import EMPTY
from tests.unit.preparation import UBUNTU, facts, options

DIRECTOR = ["director", "coordinator"]
SDA2 = {"path": "/dev/sda2", "mb": 4096, "used_mb": 10}
LINE = {"line": "UUID=1-2 none swap sw 0 0\r", "source": "UUID=1-2", "type": "swap"}
BLANK = {"regular": True, "mb": 100, "signatures": [], "blank": True}
MADE = {"regular": True, "mb": 512, "signatures": ["swap"], "blank": False}


def read(**given):
    return {
        "path": "/swapfile",
        "folder_exists": True,
        "active": [],
        "fstab": [],
        "units": [],
        "file": None,
        "filesystem": "ext4",
        "mounted_at": "/",
        "free_mb": 100000,
        **given,
    }


def plan(read, roles=("allocator",), more=None, **given):
    found = facts("swap", read)
    found["preparation"].update(more or {})
    return swap.plan_swap(found, options(ece_host_roles=list(roles), **given), UBUNTU)


# -- a director ------------------------------------------------------------------------------------------------------


def test_a_director_gets_its_swap_turned_off_for_good():
    found = plan(read(active=[SDA2], fstab=[LINE]), DIRECTOR)
    assert not found.problems and not found.reboot
    assert found.values == {"lines": ["UUID=1-2 none swap sw 0 0"], "turn_off": ["/dev/sda2"]}
    assert found.steps == ["comment out in /etc/fstab: UUID=1-2 none swap sw 0 0", "turn off swap /dev/sda2 (4096 MB)"]


def test_a_director_without_swap_has_nothing_to_do():
    assert not plan(read(), DIRECTOR).steps
    assert not plan(read(), DIRECTOR, ece_host_preparation_swap_mb=0).steps


def test_units_that_turn_it_on_are_stopped_for_good():
    units = [{"unit": "dev-zram0.swap", "how": "mask"}]
    found = plan(read(active=[{**SDA2, "path": "/dev/zram0"}], units=units), DIRECTOR)
    assert found.values["units"] == units and "mask dev-zram0.swap" in found.steps


def test_swap_that_does_not_fit_in_memory_stays_on_till_a_restart():
    found = plan(read(active=[{**SDA2, "used_mb": 60000}], fstab=[LINE]), DIRECTOR)
    assert "turn_off" not in found.values and found.values["lines"]
    assert "60000 MB" in found.reboot[0]


def test_a_director_gets_no_file():
    (problem,) = plan(read(), [*DIRECTOR, "allocator"], ece_host_preparation_swap_mb=512).problems
    assert "ece_host_preparation_swap_mb is 512" in problem


# -- other hosts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("memory", "size"), [(65536, 8192), (2048, 512), (8000, 1000)])
def test_the_file_has_an_eighth_of_the_memory(memory, size):
    found = facts("swap", read(), memory={"total_mb": memory, "available_mb": 1000, "swap_mb": 0})
    plan = swap.plan_swap(found, options(), UBUNTU)
    assert plan.values["file"] == {"path": "/swapfile", "mb": size, "make": True, "later": False}
    assert plan.steps == [f"make swap file /swapfile ({size} MB), and add it to /etc/fstab"]


def test_a_host_with_swap_keeps_it():
    assert not plan(read(active=[SDA2], fstab=[LINE])).steps
    assert not plan(read(active=[SDA2]), ece_host_preparation_swap_mb=9000).steps


def test_none_is_wanted():
    assert plan(read(filesystem="btrfs"), ece_host_preparation_swap_mb=0) == swap.new_plan()


def test_swap_of_fstab_that_is_off_is_left_to_the_user():
    found = plan(read(fstab=[LINE]))
    assert not found.steps and not found.problems and "UUID=1-2, which is not on" in found.notes[0]


@pytest.mark.parametrize("filesystem", ["btrfs", "overlay", "zfs", "nfs4", "tmpfs", "unknown"])
def test_a_file_system_that_takes_no_swap_file_is_refused(filesystem):
    (problem,) = plan(read(filesystem=filesystem)).problems
    assert problem.startswith(f"ece_host_preparation_swap_path /swapfile is on {filesystem}")
    assert "/mnt/data/swapfile" in problem


def test_a_folder_that_does_not_exist_is_said():
    (problem,) = plan(read(folder_exists=False)).problems
    assert problem.startswith("The folder of ece_host_preparation_swap_path /swapfile does not exist")


@pytest.mark.parametrize(
    "file", [{**BLANK, "blank": False}, {**BLANK, "regular": False, "blank": False}, {**MADE, "signatures": ["ext4"]}]
)
def test_a_file_of_others_is_never_overwritten(file):
    found = plan(read(file=file))
    assert "exists and is no swap file" in found.problems[0] and not found.steps


def test_an_interrupted_preparation_goes_on():
    assert plan(read(file=BLANK)).values["file"]["make"] is True
    found = plan(read(file=MADE, fstab=[{**LINE, "source": "/swapfile"}]))
    assert found.values["file"] == {"path": "/swapfile", "mb": 512, "make": False, "later": False}
    assert found.steps[0].startswith("turn on swap file /swapfile")


def test_a_file_of_no_given_size_takes_half_of_what_is_free():
    found = plan(read(free_mb=6000))
    assert found.values["file"]["mb"] == 3000 and "Elastic asks for 8192 MB" in found.notes[0]
    (problem,) = plan(read(free_mb=1000)).problems
    assert "1000 MB of free space" in problem


def test_a_file_that_was_asked_for_leaves_some_space():
    assert plan(read(free_mb=9000), ece_host_preparation_swap_mb=8192).values["file"]["mb"] == 8192
    (problem,) = plan(read(free_mb=8500), ece_host_preparation_swap_mb=8192).problems
    assert "swap file of 8192 MB" in problem and "ece_host_preparation_swap_mb" in problem


def test_the_disk_may_be_one_that_is_about_to_be_mounted():
    disk = {"path": "/mnt/data", "mount": None, "device": EMPTY}
    path = {"ece_host_preparation_swap_path": "/mnt/data/swapfile"}
    found = read(path="/mnt/data/swapfile", filesystem="overlay", free_mb=0, folder_exists=False)
    assert plan(found, more={"storage": disk}, **path).values["file"]["later"] is True
    assert plan(found, more={"storage": {**disk, "mount": {}, "device": None}}, **path).problems
    assert plan(found, more={"storage": disk}, ece_host_preparation_skip=["storage"], **path).problems


# -- reading ---------------------------------------------------------------------------------------------------------

UNITS = """Id=dev-sda2.swap
Following=
LoadState=loaded
UnitFileState=generated
FragmentPath=/run/systemd/generator/dev-sda2.swap
SourcePath=/etc/fstab

Id=dev-zram0.swap
Following=
LoadState=loaded
UnitFileState=generated
FragmentPath=/run/systemd/generator/dev-zram0.swap
SourcePath=/etc/systemd/zram-generator.conf

Id=dev-disk-by\\x2duuid-1.swap
Following=dev-zram0.swap
LoadState=loaded
FragmentPath=/run/systemd/generator/dev-zram0.swap
SourcePath=

Id=swapfile.swap
Following=
LoadState=loaded
UnitFileState=
FragmentPath=
SourcePath=

Id=own.swap
Following=
LoadState=loaded
UnitFileState=enabled
FragmentPath=/etc/systemd/system/own.swap
SourcePath=

Id=off.swap
Following=
LoadState=loaded
UnitFileState=disabled
FragmentPath=/etc/systemd/system/off.swap
SourcePath=

Id=dev-sdb.swap
Following=
LoadState=masked
UnitFileState=masked
FragmentPath=/etc/systemd/system/dev-sdb.swap
SourcePath=
"""


def test_units_of_others_are_found():
    assert swap.parse_swap_units(UNITS) == [
        {"unit": "dev-zram0.swap", "how": "mask"},
        {"unit": "own.swap", "how": "disable"},
    ]
    assert swap.parse_swap_units("") == []


@pytest.mark.parametrize(("code", "count"), [(0, 2), (1, 0)])
def test_a_host_without_systemd_has_no_units(monkeypatch, code, count):
    monkeypatch.setattr(swap, "run_command", lambda _argv, **_more: Output(code, UNITS, ""))
    assert len(swap.swap_units()) == count


def test_the_file_is_blank_only_if_it_holds_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(swap, "probe", lambda _path: {"signatures": []})
    path = tmp_path / "swapfile"
    assert swap.file_facts(str(path)) is None
    path.write_bytes(bytes(2**20))
    expected = path.stat().st_uid == 0
    assert swap.file_facts(str(path)) == {"regular": True, "mb": 1, "signatures": [], "blank": expected}
    path.write_bytes(bytes(2**20) + b"data")
    assert swap.file_facts(str(path))["blank"] is False
    path.write_bytes(b"data" + bytes(2**20))
    assert swap.file_facts(str(path))["blank"] is False
    (tmp_path / "link").symlink_to(path)
    assert swap.file_facts(str(tmp_path / "link"))["regular"] is False


def test_all_is_read_from_a_host(tmp_path):
    found = swap.read_swap({}, options(ece_host_preparation_swap_path=str(tmp_path / "none" / "swapfile")), UBUNTU)
    assert set(found) == set(read())
    assert found["folder_exists"] is False and found["file"] is None and found["free_mb"] > 0
