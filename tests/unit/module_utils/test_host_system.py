# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel, services, limits and security of a host, from samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _host_process as process
from ansible_collections.ece.platform.plugins.module_utils import _host_system as system
from tests.unit.host_user import USER


@pytest.mark.parametrize(
    ("kernel", "numbers"),
    [
        ("3.10.0-1160.31.1.el7.x86_64", (3, 10, 0, 1160, 31, 1)),
        ("5.15.0-119-generic", (5, 15, 0, 119)),
        ("4.18.0-553.el8_10.x86_64", (4, 18, 0, 553)),
        ("unknown", ()),
    ],
)
def test_numbers_of_a_kernel(kernel, numbers):
    assert system.kernel_numbers(kernel) == numbers


def test_boot_arguments_are_compared_one_by_one():
    line = "BOOT_IMAGE=/vmlinuz root=/dev/sda1 cgroup_enable=memory swapaccount=1x quiet\n"
    assert system.missing_boot_arguments(line) == ["swapaccount=1", "cgroup.memory=nokmem"]


def test_some_boot_arguments_are_lists_that_add_up():
    line = "cgroup_enable=cpuset,memory swapaccount=1,2 cgroup.memory=nosocket cgroup.memory=nobpf,nokmem"
    assert system.missing_boot_arguments(line) == ["swapaccount=1"]
    assert system.missing_boot_arguments(line, ["cgroup.memory=nokmem,nosocket", "cgroup.memory=other"]) == [
        "cgroup.memory=other"
    ]


@pytest.mark.parametrize(("enabled", "has_it"), [("1", True), ("0", False)])
def test_the_memory_controller_is_that_of_the_kernels_table(enabled, has_it):
    table = f"#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t2\t80\t1\nmemory\t9\t120\t{enabled}\n"
    assert system.has_memory_controller(table) is has_it
    assert system.has_memory_controller("") is False


def test_sysctls_of_the_kernel(tmp_path):
    (tmp_path / "vm").mkdir()
    (tmp_path / "vm" / "swappiness").write_text("60\n")
    expected = {"net.ipv4.ip_forward": None, "net.ipv4.tcp_retries2": None, "vm.swappiness": 60}
    assert system.sysctls(str(tmp_path)) == expected


@pytest.mark.parametrize(("enforce", "mode"), [("1", "enforcing"), ("0\n", "permissive"), ("", "disabled")])
def test_selinux_mode(enforce, mode):
    assert system.selinux_mode(enforce) == mode


# -- what --selinux needs --------------------------------------------------------------------------------------------


def test_what_selinux_needs_is_not_asked_where_it_is_not_wanted(monkeypatch):
    monkeypatch.setattr(system, "run_command", lambda *_args, **_more: pytest.fail("sudo was called"))
    assert system.selinux_needs("elastic", False) == {"missing_commands": [], "missing_folders": [], "sudo": None}


@pytest.mark.parametrize(("body", "may"), [("exit 0", True), ("echo 'a password is required' >&2; exit 1", False)])
def test_what_selinux_needs_is_looked_for_and_sudo_is_tried_as_the_user(folder, monkeypatch, body, may):
    monkeypatch.setattr(process, "SYSTEM_PATH", (str(folder), "/usr/bin", "/bin"))
    for name, text in (("sudo", f"[ \"$*\" = '-n true' ] || exit 9; {body}"), ("semanage", ""), ("setsebool", "")):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    found = system.selinux_needs(USER.pw_name, True)
    assert (found["sudo"], "semanage" in found["missing_commands"]) == (may, False)
    unseen = {"checkmodule", "semodule", "semodule_package", "restorecon"}
    assert unseen >= set(found["missing_commands"]) >= {name for name in unseen if not process.find_command(name)}
    assert system.selinux_needs(None, True)["sudo"] is False


def test_selinux_needs_the_folders_that_the_installer_names_itself(folder, monkeypatch):
    monkeypatch.setattr(system, "SELINUX_FOLDERS", (str(folder), str(folder / "docker")))
    assert system.selinux_needs(None, True)["missing_folders"] == [str(folder / "docker")]
    (folder / "docker").mkdir()
    assert system.selinux_needs(None, True)["missing_folders"] == []


# -- services --------------------------------------------------------------------------------------------------------

SHOWN = """Id=docker.service
LoadState=loaded
ActiveState=active
UnitFileState=disabled

Id=firewalld.service
LoadState=masked
ActiveState=inactive
UnitFileState=masked

Id=nscd.service
LoadState=not-found
ActiveState=inactive
UnitFileState=
"""


def test_units_are_those_that_the_host_has():
    assert system.parse_units(SHOWN) == {
        "docker.service": {"at_boot": "disabled", "now": "active"},
        "firewalld.service": {"at_boot": "masked", "now": "inactive"},
    }
    assert system.parse_units("") == {}


def test_a_host_without_systemd_has_no_units(folder, monkeypatch):
    monkeypatch.setattr(process, "SYSTEM_PATH", (str(folder),))
    assert system.shown_units() == ""


def test_one_command_asks_for_all_units(folder, monkeypatch):
    monkeypatch.setattr(process, "SYSTEM_PATH", (str(folder), "/usr/bin", "/bin"))
    command = folder / "systemctl"
    command.write_text(
        '#!/bin/sh\ncase "$*" in *docker.service*nscd.service*podman-restart.service*) ;; *) exit 9;; esac\n'
        f"cat <<E\n{SHOWN}E\n"
    )
    command.chmod(0o755)
    assert set(system.parse_units(system.shown_units())) == {"docker.service", "firewalld.service"}


# -- Podman's settings -----------------------------------------------------------------------------------------------


def test_a_folder_of_settings_that_only_root_can_read_is_no_failure(tmp_path, monkeypatch):
    (tmp_path / "etc/containers/containers.conf.d").mkdir(parents=True)
    (tmp_path / "etc/containers/containers.conf").write_text('network_backend = "cni"\n')

    def refuse(_folder):
        raise PermissionError

    monkeypatch.setattr(system.os, "listdir", refuse)
    assert system.network_backend(system.podman_settings(str(tmp_path))) == "cni"


def test_the_settings_of_podman_are_those_of_the_last_file(tmp_path):
    for path, text in {
        "usr/share/containers/containers.conf": '[network]\n#network_backend = "cni"\nnetwork_backend = "netavark"\n',
        "etc/containers/containers.conf.d/50-ece.conf": '[network]\nnetwork_backend = "cni" # for ECE\n',
        "etc/containers/containers.conf.d/99.bak": 'network_backend = "netavark"\n',
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert system.network_backend(system.podman_settings(str(tmp_path))) == "cni"


@pytest.mark.parametrize("text", ["", '#network_backend = "cni"', 'network_backend = ""'])
def test_without_a_network_backend_podman_chooses(text):
    assert system.network_backend("\n".join(line.split("#")[0] for line in text.splitlines())) is None


def test_cni_plugins_are_found_by_the_bridge(tmp_path):
    assert system.has_cni_plugins([str(tmp_path)]) is False
    (tmp_path / "bridge").touch()
    assert system.has_cni_plugins([str(tmp_path / "none"), str(tmp_path)]) is True


# -- limits ----------------------------------------------------------------------------------------------------------

LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max processes             unlimited            unlimited            processes
Max open files            1024                 524288               files
Max locked memory         65536                65536                bytes
"""
UNKNOWN = {"nofile": None, "memlock": None, "nproc": None}


@pytest.fixture
def host(tmp_path):
    """host(name, **files) adds a process to host.proc; host.root has the files below /etc."""

    def add(name, **files):
        folder = tmp_path / "proc" / str(len(list((tmp_path / "proc").iterdir())) + 1)
        folder.mkdir()
        (folder / "comm").write_text(name + "\n")
        for kind, text in files.items():
            (folder / kind).write_text(text)

    (tmp_path / "proc").mkdir()
    (tmp_path / "etc" / "docker").mkdir(parents=True)
    add.root, add.proc, add.daemon = str(tmp_path), str(tmp_path / "proc"), tmp_path / "etc" / "docker" / "daemon.json"
    return add


def limits(host, engine="docker", settings=""):
    return system.container_limits(engine, settings, host.root, host.proc)


def test_limits_of_containers_are_those_of_containerd_where_nothing_sets_them(host):
    host("dockerd", limits=LIMITS.replace("1024  ", "99999"), cmdline="/usr/bin/dockerd\0")
    host("containerd", limits=LIMITS)
    assert limits(host) == {"nofile": 1024, "memlock": 65536, "nproc": -1}


def test_limits_of_containers_are_those_of_daemon_json(host):
    host("containerd", limits=LIMITS)
    soft = {
        name: {"Name": name, "Soft": value, "Hard": value} for name, value in (("nofile", 1024000), ("memlock", -1))
    }
    host.daemon.write_text(json.dumps({"default-ulimits": soft}))
    assert limits(host) == {"nofile": 1024000, "memlock": -1, "nproc": -1}


def test_limits_of_containers_are_those_of_the_daemons_arguments(host):
    host("containerd", limits=LIMITS)
    host("dockerd", cmdline="/usr/bin/dockerd\0--default-ulimit\0nofile=1024000:1024000\0--icc=false\0")
    assert limits(host)["nofile"] == 1024000


@pytest.mark.parametrize("text", ["{", "[]", '{"default-ulimits": 5}', '{"default-ulimits": {"nofile": {}}}'])
def test_a_damaged_daemon_json_sets_no_limits(host, text):
    host.daemon.write_text(text)
    assert limits(host) == UNKNOWN


def test_limits_of_podmans_containers_are_those_of_its_settings(host):
    settings = '[containers]\ndefault_ulimits = [\n  "nofile=1024000:1024000",\n  "memlock=-1:-1",\n]\n'
    assert limits(host, "podman", settings) == {"nofile": 1024000, "memlock": -1, "nproc": None}
    assert limits(host, "podman") == limits(host, None) == UNKNOWN


@pytest.mark.parametrize(
    ("settings", "daemon", "environment", "has_proxy"),
    [
        ("", "", "", False),
        ('[engine]\nenv = ["https_proxy=http://proxy:3128"]', "", "", True),
        ('[containers]\nhttp_proxy = true\nenv = ["https_proxy=http://proxy:3128"]\n[engine]\nx = 1', "", "", False),
        ("", '{"proxies": {"https-proxy": "http://proxy:3128"}}', "", True),
        ("", "", "PATH=/bin\0HTTPS_PROXY=http://proxy:3128\0", True),
    ],
)
def test_a_proxy_of_the_engine_is_found(host, settings, daemon, environment, has_proxy):
    host.daemon.write_text(daemon)
    host("dockerd", environ=environment)
    assert system.engine_has_proxy(settings, "", host.root, host.proc) is has_proxy


@pytest.mark.parametrize(
    ("unit", "line", "has_proxy"),
    [
        ("podman.service", "Environment=LOGGING=x HTTPS_PROXY=http://proxy:3128", True),
        ("podman.service", "EnvironmentFiles=/etc/sysconfig/podman (ignore_errors=yes)", True),
        ("docker.service", "EnvironmentFile=/etc/sysconfig/podman (ignore_errors=no)", True),
        ("podman.service", "Environment=LOGGING=x", False),
        ("nscd.service", "Environment=HTTPS_PROXY=http://proxy:3128", False),
    ],
)
def test_a_proxy_in_a_drop_in_of_the_engines_unit_is_found(host, unit, line, has_proxy):
    (Path(host.root) / "etc" / "sysconfig").mkdir()
    (Path(host.root) / "etc" / "sysconfig" / "podman").write_text("HTTPS_PROXY=http://proxy:3128\n")
    shown = f"{SHOWN}\nId={unit}\nLoadState=loaded\n{line}\n"
    assert system.engine_has_proxy("", shown, host.root, host.proc) is has_proxy
