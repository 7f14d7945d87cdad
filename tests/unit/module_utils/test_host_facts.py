# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of a host, from samples and from this machine."""

from __future__ import annotations

import os
import shutil
import socket
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
    assert host_facts.memory_facts("MemTotal:       16384000 kB\nMemFree:  1 kB\nMemAvailable:   8192000 kB\n") == {
        "total_mb": 16000,
        "available_mb": 8000,
    }
    assert host_facts.memory_facts("") == {"total_mb": 0, "available_mb": 0}


TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:4E20 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:5208 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0100007F:55F0 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
   3: 0100007F:0050 00000000:0000 06 00000000:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0
"""
ANY_ADDRESS = "0" * 32
TCP6 = f"""  sl  local_address                         remote_address                        st tx_queue rx_queue tr
   0: {ANY_ADDRESS}:55F0 {ANY_ADDRESS}:0000 0A 00000000:00000000 00:00000000 00000000     0
"""


def test_listening_ports_are_those_of_both_families_without_connections():
    assert host_facts.listening_ports(TCP) == {20000, 21000}
    assert host_facts.listening_ports(TCP, TCP6) == {20000, 21000, 22000}
    assert host_facts.listening_ports("", "") == set()


def test_listening_ports_of_this_machine():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert port not in host_facts.listening_ports(host_facts.read_text("/proc/net/tcp"))
        listener.listen()
        assert port in host_facts.listening_ports(host_facts.read_text("/proc/net/tcp"))


def test_port_users_are_the_processes_that_hold_the_listening_sockets(tmp_path):
    # 7 listens on both, 12 is its child; 30 has a connection on the same port, and listens on another port.
    for pid, name, sockets in ((12, "worker", (1, 2)), (7, "nginx", (1, 2)), (30, "curl", (3, 9))):
        (tmp_path / str(pid) / "fd").mkdir(parents=True)
        (tmp_path / str(pid) / "comm").write_text(name + "\n")
        for inode in sockets:
            (tmp_path / str(pid) / "fd" / str(inode)).symlink_to(f"socket:[{inode}]")
    (tmp_path / "99").mkdir()
    (tmp_path / "net").mkdir()
    table = (
        TCP
        + "   4: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9 1 0 100 0 0 0\n"
    )
    assert host_facts.port_users({20000, 21000, 22000}, table, proc=str(tmp_path)) == ["nginx (pid 7)"]
    assert host_facts.port_users({8080}, table, proc=str(tmp_path)) == ["curl (pid 30)"]
    assert host_facts.port_users({22000}, table, proc=str(tmp_path)) == []


def test_port_users_of_this_machine():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        users = host_facts.port_users({listener.getsockname()[1]}, host_facts.read_text("/proc/net/tcp"))
        assert [user.endswith(f" (pid {os.getpid()})") for user in users] == [True]


ROUTE_HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
ROUTE_LOCAL = "eth1\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
ROUTE_DEFAULT = "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
ROUTE_HALF = "tun0\t00000000\t0100000A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("route", "interface"),
    [
        (ROUTE_HEAD + ROUTE_LOCAL + ROUTE_DEFAULT, "eth0"),
        (ROUTE_HEAD + ROUTE_HALF + ROUTE_DEFAULT, "eth0"),
        (ROUTE_HEAD + ROUTE_LOCAL + ROUTE_HALF, None),
        (ROUTE_HEAD, None),
        ("", None),
    ],
)
def test_default_interface(route, interface):
    assert host_facts.default_interface(route) == interface


def test_a_file_that_cannot_be_read_is_empty(folder):
    assert host_facts.read_text(str(folder / "nowhere")) == ""
    assert host_facts.read_text(str(folder)) == ""


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
        ({"started": 900, "finished": 1100, "rc": 0}, {"rc": 0, "age_seconds": 0}),
        ({"started": 900, "finished": None, "rc": "0"}, {"rc": None, "age_seconds": None}),
        ({"started": 900, "token_id": "not an id"}, {"rc": None, "age_seconds": None}),
    ],
)
def test_last_install(record, last):
    expected = last and {"started": 900, "running": False, "token_id": None, **last}
    assert host_facts.last_install(record, now=1000) == expected
