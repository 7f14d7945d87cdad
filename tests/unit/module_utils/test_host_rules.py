# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every requirement of ECE and of its installer, and the support matrix."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _host_rules as rules

# By ECE release: "OS engine versions", written down a second time.
ACCEPTED = {
    "4.0": """RHEL-8 podman 4; RHEL-9 podman 4 5; RockyLinux-8 podman 4; RockyLinux-9 podman 5;
              Ubuntu-20.04 docker 25.0 26.0 27.0; Ubuntu-22.04 docker 25.0 26.0 27.0; Ubuntu-24.04 docker 26.0 27.0;
              SLES-12 docker 25.0; SLES-15 docker 25.0""",
    "3.8": """RHEL-8 podman 4; RHEL-9 podman 4 5; RockyLinux-8 podman 4; RockyLinux-9 podman 5;
              Ubuntu-20.04 docker 20.10 24.0 25.0; Ubuntu-22.04 docker 24.0 25.0;
              SLES-12 docker 24.0 25.0; SLES-15 docker 24.0 25.0""",
    "3.7": """RHEL-8 podman 4; RHEL-9 podman 4; RockyLinux-8 podman 4; Ubuntu-20.04 docker 20.10 24.0;
              Ubuntu-22.04 docker 24.0; SLES-12 docker 18.09 24.0; SLES-15 docker 20.10 24.0""",
    "3.4": """CentOS-7 docker 20.10; RHEL-7 docker 20.10; CentOS-8 docker 20.10; RHEL-8 docker 20.10; RHEL-8 podman 4;
              Ubuntu-18.04 docker 19.03; Ubuntu-20.04 docker 20.10; SLES-12 docker 18.09; SLES-15 docker 20.10""",
    "3.3": """CentOS-7 docker 20.10; RHEL-7 docker 20.10; CentOS-8 docker 19.03 20.10; RHEL-8 docker 19.03 20.10;
              RHEL-8 podman 4; Ubuntu-18.04 docker 19.03; Ubuntu-20.04 docker 20.10; SLES-12 docker 18.09;
              SLES-15 docker 20.10""",
    "2.13": """CentOS-8 docker 19.03 20.10; RHEL-8 docker 19.03 20.10; CentOS-7 docker 20.10; RHEL-7 docker 20.10;
               Ubuntu-16.04 docker 19.03; Ubuntu-18.04 docker 19.03; SLES-12 docker 18.09""",
}
SYSTEMS = [f"{name}-{number}" for name in ("CentOS", "RHEL", "RockyLinux", "SLES") for number in (7, 8, 9, 12, 15)]
SYSTEMS += [f"Ubuntu-{year}.04" for year in (16, 18, 20, 22, 24)]
ENGINES = [("docker", version) for version in "18.09 19.03 20.10 24.0 25.0 26.0 27.0".split()] + [
    ("podman", version) for version in "3 4 5".split()
]
GOOD_FACTS = {
    "user": {"name": "elastic", "uid": 1000, "gid": 1000, "home": "/home/elastic", "groups": ["docker"]},
    "effective_uid": 0,
    "engine": {
        "name": "docker",
        "version": "25.0.5",
        "usable": True,
        "error": None,
        "docker_error": None,
        "socket_error": None,
        "docker_command": True,
        "docker_is_rootless": False,
        "podman_remote": False,
        "store": {"folder": "/mnt/data/docker", "driver": "overlay2", "free_gb": 8000, "on_storage_disk": True},
        "containers": [],
    },
    "socket": {"path": "/var/run/docker.sock", "is_socket": True},
    "os": {"id": "ubuntu", "version": "22.04", "matrix_name": "Ubuntu-22.04"},
    "storage": {
        "path": "/mnt/data/elastic",
        "existing_parent": "/mnt/data",
        "free_gb": 8000,
        "filesystem": "xfs",
        "project_quotas": True,
        "read_only": False,
        "writable": True,
        "leftovers": [],
        "closed_logs": [],
    },
    "memory": {"total_mb": 257000, "available_mb": 250000, "swap_mb": 4096},
    "ece_containers": [],
    "installer_running": False,
    "last_install": None,
    "addresses": ["10.0.0.7"],
    "default_routes": [{"interface": "eth0", "gateway": "10.0.0.1", "addresses": ["10.0.0.7"]}],
    "host_ip": "10.0.0.7",
    "connections": [],
    "busy_ports": [],
    "port_users": [],
    "busy_ece_ports": [],
    "temporary_ece_ports": 0,
    "kernel": "5.15.0-119-generic",
    "architecture": "x86_64",
    "boot_arguments_missing": [],
    "memory_controller": True,
    "sysctls": {"net.ipv4.ip_forward": 1, "net.ipv4.tcp_retries2": 5, "vm.swappiness": 1},
    "units": {"docker.service": {"at_boot": "enabled", "now": "active"}},
    "selinux": {"mode": "disabled", "missing_commands": [], "missing_folders": [], "sudo": None},
    "network_backend": None,
    "cni_plugins": False,
    "container_limits": {"nofile": 1024000, "memlock": -1, "nproc": -1},
    "engine_proxy": False,
    "clock_offset_seconds": 0.8,
    "firewalld_active": False,
    "selinux_enforcing": False,
    "cgroup_version": 1,
    "max_map_count": 1048576,
}
OPTIONS = {
    "version": "3.8.0",
    "roles": ["allocator"],
    "user": "elastic",
    "force": False,
    "selinux": False,
    "host_ip": None,
    "skip_checks": [],
}


def judged(facts=None, **options):
    """(problems, warnings) of a good host but for these facts, given as path -> value."""
    host_facts = copy.deepcopy(GOOD_FACTS)
    for path, value in (facts or {}).items():
        *above, last = path.split(".")
        part = host_facts
        for key in above:
            part = part[key]
        part[last] = value
    return rules.check_requirements(host_facts, {**OPTIONS, **options})


def on(system, engine, engine_version, **options):
    """judged() of an otherwise good host with this system and engine."""
    backend = None if system.endswith("-10") else "cni"
    podman = {"engine.podman_remote": True, "network_backend": backend, "cni_plugins": True}
    podman = podman if engine == "podman" else {}
    facts = {"os.matrix_name": system, "engine.name": engine, "engine.version": engine_version, **podman}
    return judged(facts, **options)


def accepts(version, system, engine, engine_version):
    problems, warnings = on(system, engine, engine_version, version=version)
    return not any("support" in sentence for sentence in problems + warnings)


@pytest.mark.parametrize(
    ("version", "row"),
    [(release + ".0", release) for release in ACCEPTED]
    + [
        ("3.5.1", "3.4"),
        ("3.6.2", "3.4"),
        ("3.9.0", "3.8"),
        ("3.10.0", "3.8"),
        ("4.0.3", "4.0"),
    ]
    + [("3.0.0", "2.13"), ("3.2.1", "2.13"), ("2.14.0", "2.13"), ("4.0.0-SNAPSHOT", "4.0")],
)
def test_matrix(version, row):
    expected = {
        (system, engine, number)
        for part in ACCEPTED[row].split(";")
        for system, engine, *numbers in [part.split()]
        for number in numbers
    }
    assert {
        (system, *engine) for system in SYSTEMS for engine in ENGINES if accepts(version, system, *engine)
    } == expected


@pytest.mark.parametrize(
    ("system", "engine", "version", "accepted"),
    [
        ("Ubuntu-22.04", "docker", "25.0.5", True),
        ("Ubuntu-22.04", "docker", "25.1.0", False),
        ("RHEL-9", "podman", "4.9.4", True),
        ("RHEL-9", "podman", "5.4.1", True),
        ("RHEL-9", "docker", "25.0.5", False),
        ("RockyLinux-9", "podman", "4.9.4", False),
        ("Debian GNU/Linux-12", "docker", "25.0.5", False),
        ("Ubuntu-22.04", "docker", None, False),
    ],
)
def test_docker_is_compared_by_two_numbers_and_podman_by_one(system, engine, version, accepted):
    assert accepts("3.8.0", system, engine, version) == accepted


@pytest.mark.parametrize(("version", "side"), [("2.12.4", "older"), ("4.3.0", "newer"), ("5.0.0", "newer")])
def test_an_ece_older_or_newer_than_the_matrix_is_a_warning(version, side):
    problems, warnings = judged({"os.matrix_name": "Debian GNU/Linux-12"}, version=version)
    assert problems == []
    assert [warning.startswith(f"ECE {version} is {side} than the support matrix") for warning in warnings] == [True]


def test_without_a_version_the_matrix_is_left_out():
    assert judged({"os.matrix_name": "Debian GNU/Linux-12"}, version=None) == ([], [])


PROBLEM, WARNING = 0, 1
# Without the install user several rules do not apply; that is one sentence.
NO_USER = {"user": None, "engine.docker_error": "denied", "storage.writable": False}
PODMAN = {
    "engine.name": "podman",
    "engine.version": "4.9.4",
    "engine.podman_remote": True,
    "os.matrix_name": "RHEL-9",
    "network_backend": "cni",
    "cni_plugins": True,
}
LEFTOVERS = {"storage.leftovers": ["bootstrap-state", "10.0.0.7/services"]}


def connections(**errors):
    """What the host has tried to reach, with errors by name of the port."""
    ports = {"api": 12443, **{f"zookeeper_{number}": 22190 + number for number in range(1, 6)}}
    return [
        {"purpose": "coordinator", "address": "10.0.0.1", "port": port, "error": errors.get(name)}
        for name, port in ports.items()
    ] + [{"purpose": "registry", "address": "r.example.com", "port": 443, "error": errors.get("registry")}]


def directors(**open_ports):
    """What the host has tried of two directors, which listen on these ports."""
    return [
        {"purpose": "director", "address": f"10.0.0.{name[1:]}", "port": port, "error": error}
        for name in ("d1", "d2")
        for port in range(12191, 12202)
        for error in [None if open_ports.get(name) == port else "connection refused"]
    ]


NO_ZOOKEEPER = {f"zookeeper_{number}": "no answer within 2 s" for number in range(1, 6)}
RULES = [
    (
        "user",
        PROBLEM,
        NO_USER,
        {},
        "There is no user elastic: create it with a UID and GID of 1000 or more and add it to the group of the "
        "container engine.",
    ),
    (
        "user",
        PROBLEM,
        {"user.uid": 999},
        {},
        "User elastic has UID 999; the installer needs 1000 or more: use another user.",
    ),
    (
        "user",
        PROBLEM,
        {"user.gid": 100},
        {"force": True},
        "User elastic has GID 100; the installer needs 1000 or more: use another user.",
    ),
    (
        "user",
        PROBLEM,
        {"effective_uid": 1001},
        {},
        "The task runs as UID 1001, neither as root nor as elastic: use become, or connect as elastic.",
    ),
    (
        "engine",
        PROBLEM,
        {
            "engine.version": None,
            "engine.usable": False,
            "engine.error": "[Errno 13] Permission denied: '/usr/bin/docker'",
        },
        {},
        "The container engine cannot be used ([Errno 13] Permission denied: '/usr/bin/docker'): let user elastic run "
        "that command, which may take the engine's group.",
    ),
    (
        "engine",
        PROBLEM,
        {
            "engine.version": None,
            "engine.usable": False,
            "engine.error": "no command docker or podman on /bin",
            "socket.is_socket": False,
        },
        {},
        "The container engine cannot be used (no command docker or podman on /bin): install docker or podman, or set "
        "ece_host_container_engine and ece_host_bin_paths (options container_engine and bin_paths).",
    ),
    (
        "engine",
        PROBLEM,
        {"engine.docker_error": "permission denied", "engine.socket_error": "permission denied"},
        {"force": True},
        "User elastic cannot run docker (permission denied): start the engine, and add the user to the group docker.",
    ),
    (
        "engine",
        PROBLEM,
        {"engine.docker_error": "permission denied"},
        {},
        "User elastic cannot run docker (permission denied): start the engine, and add the user to the group docker.",
    ),
    (
        "engine",
        PROBLEM,
        {**PODMAN, "engine.podman_remote": False},
        {"force": True},
        "There is no podman-remote command, by which the installer calls Podman: install package podman-remote.",
    ),
    (
        "engine",
        PROBLEM,
        PODMAN,
        {"container_engine": "docker"},
        "ece_host_container_engine (option container_engine) is docker, but the docker command of this host is "
        "Podman's: set it to podman, or leave it out.",
    ),
    (
        "engine",
        PROBLEM,
        {**PODMAN, "engine.docker_command": False},
        {},
        "There is no docker command, which the installer runs with Podman too: make one that calls podman-remote with "
        "the socket, as on Elastic's page on RHEL hosts.",
    ),
    (
        "engine",
        WARNING,
        {**PODMAN, "engine.docker_is_rootless": True},
        {},
        "The docker command is that of package podman-docker, which is another engine for each user: replace it by one "
        "that calls podman-remote with the socket, as on Elastic's page on RHEL hosts.",
    ),
    (
        "engine",
        WARNING,
        {**PODMAN, "engine.version": "5.2.2"},
        {},
        "Podman 5.2.2 leaks memory: install Podman 5.4.",
    ),
    (
        "engine",
        WARNING,
        {**PODMAN, "network_backend": None},
        {},
        'Podman does not use CNI, which ECE needs on this system: set network_backend = "cni" in '
        "/etc/containers/containers.conf and reboot the host.",
    ),
    (
        "engine",
        WARNING,
        {**PODMAN, "cni_plugins": False},
        {},
        "Podman uses CNI, but its plugins are missing: install package containernetworking-plugins.",
    ),
    (
        "engine",
        WARNING,
        {**PODMAN, "os.matrix_name": "RHEL-10", "engine.version": "5.6.0"},
        {"version": "4.2.0"},
        "Podman is set to use CNI, which this system does not have: remove network_backend from containers.conf.",
    ),
    (
        "engine",
        WARNING,
        {"units": {"docker.service": {"at_boot": "disabled", "now": "active"}}},
        {},
        "docker.service would not start at boot, and ECE's containers neither: enable docker.service.",
    ),
    (
        "engine",
        WARNING,
        {
            **PODMAN,
            "units": {
                "docker.service": {"at_boot": "disabled", "now": "inactive"},
                "podman.service": {"at_boot": "disabled", "now": "inactive"},
                "podman-restart.service": {"at_boot": "masked", "now": "inactive"},
            },
        },
        {},
        "podman.service and podman-restart.service would not start at boot, and ECE's containers neither: enable "
        "podman.service and podman-restart.service.",
    ),
    (
        "engine",
        WARNING,
        {"engine.store.driver": "vfs"},
        {},
        "The container engine has the storage driver vfs: use overlay2.",
    ),
    (
        "engine",
        WARNING,
        {"engine.store": {"folder": "/var/lib/docker", "driver": "overlay2", "free_gb": 10, "on_storage_disk": False}},
        {},
        "The container engine keeps images and containers at /var/lib/docker, not on the disk of the storage path: "
        "move it there (data-root of Docker, graphroot of Podman; Elastic's pages use /mnt/data/docker).",
    ),
    (
        "socket",
        PROBLEM,
        {"socket.is_socket": False},
        {},
        "There is no socket /var/run/docker.sock: start the container engine, or set ece_host_docker_socket (option "
        "docker_socket).",
    ),
    (
        "socket",
        PROBLEM,
        {"engine.socket_error": "permission denied"},
        {"force": True},
        "User elastic cannot use docker through /var/run/docker.sock (permission denied): start docker there and give "
        "the user access (the group of the socket), or set ece_host_docker_socket (option docker_socket).",
    ),
    (
        "socket",
        PROBLEM,
        {**PODMAN, "engine.socket_error": "Cannot connect to Podman", "socket.path": "/run/podman/podman.sock"},
        {},
        "User elastic cannot use podman through /run/podman/podman.sock (Cannot connect to Podman): start podman there "
        "and give the user access (SocketUser and SocketGroup of podman.socket), or set ece_host_docker_socket (option "
        "docker_socket).",
    ),
    (
        "os",
        PROBLEM,
        {"os.matrix_name": "Ubuntu-24.04"},
        {"force": True},
        "ECE 3.8.0 does not support Ubuntu-24.04, and the installer refuses it; it supports RHEL-8, RHEL-9, "
        "RockyLinux-8, RockyLinux-9, SLES-12, SLES-15, Ubuntu-20.04, Ubuntu-22.04. If it supports it by now, set "
        "ece_host_skip_checks: [os] (option skip_checks).",
    ),
    (
        "os",
        PROBLEM,
        {"engine.version": "27.0.1"},
        {},
        "ECE 3.8.0 on Ubuntu-22.04 does not support Docker 27.0.1, and the installer refuses it: install Docker 24.0, "
        "25.0, or if it supports it by now, set ece_host_skip_checks: [os] (option skip_checks).",
    ),
    (
        "os",
        PROBLEM,
        {"engine.version": None},
        {},
        "ECE 3.8.0 on Ubuntu-22.04 does not support Docker of an unknown version, and the installer refuses it: "
        "install Docker 24.0, 25.0, or if it supports it by now, set ece_host_skip_checks: [os] (option skip_checks).",
    ),
    (
        "os",
        WARNING,
        {**PODMAN, "os.matrix_name": "RHEL-8", "engine.version": "3.4.0"},
        {"version": "3.4.0"},
        "Podman 3.4.0 on RHEL-8 is not among what ECE 3.4.0 is known here to support: look at "
        "https://www.elastic.co/support/matrix, the installer may refuse it.",
    ),
    (
        "os",
        WARNING,
        {"cgroup_version": 2},
        {},
        "The host uses cgroup v2, with which Elasticsearch before 7.17.7 and 8.5 fails: use later versions.",
    ),
    (
        "kernel",
        WARNING,
        {"max_map_count": 262144},
        {},
        "vm.max_map_count is lower than 1048576, which Elasticsearch needs: set it with sysctl.",
    ),
    (
        "kernel",
        WARNING,
        {"max_map_count": 65530},
        {"force": True},
        "vm.max_map_count is lower than 1048576, which Elasticsearch needs: set it with sysctl.",
    ),
    (
        "kernel",
        PROBLEM,
        {"max_map_count": 262143},
        {},
        "vm.max_map_count is 262143, and the installer refuses less than 262144: set it to 1048576 with sysctl.",
    ),
    (
        "os",
        WARNING,
        {**PODMAN, "os": {"id": "rhel", "version": "8.4", "matrix_name": "RHEL-8"}},
        {},
        "RHEL 8.4 is older than 8.5, which ECE needs: update the system.",
    ),
    (
        "os",
        WARNING,
        {"architecture": "ppc64le"},
        {},
        "There are no images of ECE 3.8.0 for processors of type ppc64le: use another host.",
    ),
    (
        "os",
        WARNING,
        {"architecture": "aarch64", "engine.version": "20.10.24", "os.matrix_name": "Ubuntu-20.04"},
        {"version": "3.5.0"},
        "There are no images of ECE 3.5.0 for processors of type aarch64: use another host.",
    ),
    (
        "os",
        WARNING,
        {"kernel": "3.10.0-1127.el7.x86_64"},
        {},
        "The kernel is older than 3.10.0-1160.31.1, which ECE needs: update it.",
    ),
    (
        "os",
        WARNING,
        {"os.matrix_name": "SLES-15", "units": {"nscd.service": {"at_boot": "enabled", "now": "active"}}},
        {},
        "nscd is active, which Elastic asks to stop on SLES: stop and disable it.",
    ),
    (
        "kernel",
        WARNING,
        {"boot_arguments_missing": ["swapaccount=1", "cgroup.memory=nokmem"]},
        {},
        "The kernel was started without swapaccount=1 cgroup.memory=nokmem: set it in the boot loader and reboot the "
        "host.",
    ),
    (
        "kernel",
        WARNING,
        {"memory_controller": False},
        {},
        "The kernel was started without cgroup_enable=memory: set it in the boot loader and reboot the host.",
    ),
    (
        "kernel",
        WARNING,
        {"sysctls": {"net.ipv4.ip_forward": 0, "net.ipv4.tcp_retries2": 5, "vm.swappiness": 1}},
        {},
        "net.ipv4.ip_forward is 0, so that containers reach no other host: set it to 1 with sysctl.",
    ),
    (
        "kernel",
        WARNING,
        {"sysctls": {"net.ipv4.ip_forward": 1, "net.ipv4.tcp_retries2": 15, "vm.swappiness": 60}},
        {},
        "Set net.ipv4.tcp_retries2=5 and vm.swappiness=1 with sysctl, as Elastic's pages on hosts do.",
    ),
    (
        "kernel",
        WARNING,
        {},
        {"roles": ["coordinator", "director"]},
        "Swap is on, which Elastic asks to turn off on directors: turn it off.",
    ),
    (
        "kernel",
        WARNING,
        {"memory.swap_mb": 0},
        {},
        "The host has no swap, which Elastic asks for on hosts without the role director: add 512 MB or more.",
    ),
    (
        "limits",
        WARNING,
        {"container_limits": {"nofile": 1024, "memlock": 65536, "nproc": -1}},
        {},
        "Containers have too low limits of nofile and memlock: set default-ulimits in daemon.json to nofile 1024000, "
        "memlock -1 and nproc -1, and restart the engine.",
    ),
    (
        "limits",
        WARNING,
        {**PODMAN, "container_limits": {"nofile": 1024, "memlock": None, "nproc": None}},
        {},
        "Containers have too low limits of nofile: set default_ulimits in containers.conf to nofile 1024000, memlock "
        "-1 and nproc -1, and restart the engine.",
    ),
    (
        "storage",
        PROBLEM,
        {"storage.writable": False},
        {},
        "User elastic cannot read and write /mnt/data: make the user its owner (mode 0700).",
    ),
    (
        "storage",
        PROBLEM,
        {"storage.writable": False, "storage.read_only": True},
        {},
        "/mnt/data is mounted read-only: look for disk errors in the kernel's log, then mount it for writing.",
    ),
    (
        "storage",
        PROBLEM,
        {"storage.closed_logs": ["/mnt/data/elastic/logs"]},
        {},
        "User elastic cannot write /mnt/data/elastic/logs: make the user the owner.",
    ),
    (
        "leftovers",
        PROBLEM,
        LEFTOVERS,
        {},
        "/mnt/data/elastic holds the data of an earlier installation (bootstrap-state, 10.0.0.7/services), but the "
        "host has no ECE container: if it belongs to a platform, look at its container engine; if it is to be "
        "installed again, look at what is in that folder and move it away, or set ece_host_skip_checks: [leftovers] "
        "(option skip_checks).",
    ),
    (
        "leftovers",
        WARNING,
        {**LEFTOVERS, "last_install": {"rc": 1}},
        {},
        "/mnt/data/elastic holds parts of an installation that failed: if the installer fails again, look at what is "
        "in that folder and move it away.",
    ),
    (
        "host_ip",
        PROBLEM,
        {"host_ip": None, "default_routes": [], "addresses": ["10.0.0.7", "10.0.1.7"]},
        {},
        "The address of the host in the platform is not clear, because there is no default route: set ece_host_ip "
        "(option host_ip) to one of 10.0.0.7, 10.0.1.7.",
    ),
    (
        "host_ip",
        PROBLEM,
        {
            "host_ip": None,
            "addresses": ["10.0.0.7", "10.0.0.200"],
            "default_routes": [{"interface": "eth0", "gateway": "10.0.0.1", "addresses": ["10.0.0.7", "10.0.0.200"]}],
        },
        {},
        "The address of the host in the platform is not clear, because eth0, the interface of the default route, has "
        "the addresses 10.0.0.200 and 10.0.0.7: set ece_host_ip (option host_ip) to one of 10.0.0.7, 10.0.0.200.",
    ),
    (
        "host_ip",
        PROBLEM,
        {
            "host_ip": None,
            "addresses": ["10.0.0.7", "10.0.1.7"],
            "default_routes": [
                {"interface": "eth0", "gateway": "10.0.0.1", "addresses": ["10.0.0.7"]},
                {"interface": "eth1", "gateway": "10.0.1.1", "addresses": ["10.0.1.7"]},
            ],
        },
        {},
        "The address of the host in the platform is not clear, because there are default routes by eth0 and eth1: set "
        "ece_host_ip (option host_ip) to one of 10.0.0.7, 10.0.1.7.",
    ),
    (
        "host_ip",
        PROBLEM,
        {"host_ip": None, "addresses": ["10.0.0.7", "10.9.0.7"]},
        {"addresses": ["10.9.0.7", "alloc-7"]},
        "The address of the host in the platform is not clear, because Ansible knows it by 10.9.0.7, but its default "
        "route goes by 10.0.0.7: set ece_host_ip (option host_ip) to one of 10.0.0.7, 10.9.0.7.",
    ),
    (
        "host_ip",
        PROBLEM,
        {
            "host_ip": None,
            "addresses": [],
            "default_routes": [{"interface": "eth0", "gateway": "10.0.0.1", "addresses": []}],
        },
        {},
        "The address of the host in the platform is not clear, because eth0, the interface of the default route, has "
        "no IPv4 address: set ece_host_ip (option host_ip).",
    ),
    *(
        (
            "host_ip",
            PROBLEM,
            {"host_ip": address},
            {"host_ip": address},
            f"ece_host_ip {address} (option host_ip) is not an address of this host, which has 10.0.0.7: use one of "
            "them.",
        )
        for address in ("0.0.0.0", "127.0.0.1", "10.0.0.8")
    ),
    (
        "ports",
        PROBLEM,
        {"busy_ports": [20000, 22000]},
        {},
        "A process listens on port 20000, 22000, which the installer needs: stop it.",
    ),
    (
        "ports",
        PROBLEM,
        {"busy_ports": [20000], "busy_ece_ports": [20000], "port_users": ["nginx (pid 812)"]},
        {},
        "nginx (pid 812) listens on port 20000, which the installer needs: stop it.",
    ),
    (
        "ports",
        PROBLEM,
        {"busy_ports": [20000, 21000], "port_users": ["nginx (pid 812)", "java (pid 7)"]},
        {},
        "nginx (pid 812) and java (pid 7) listen on port 20000, 21000, which the installer needs: stop them.",
    ),
    (
        "ports",
        WARNING,
        {"busy_ece_ports": [2375, 8080, 8081, 8082, 8083, 18000]},
        {},
        "A process listens on a port that ECE uses (2375, 8080, 8081, 8082, 8083 and 1 more): stop it, or give it "
        "another port.",
    ),
    (
        "ports",
        WARNING,
        {"temporary_ece_ports": 4000},
        {},
        "net.ipv4.ip_local_port_range has ports that ECE uses, which other connections may take: let it begin above "
        "24000 with sysctl.",
    ),
    (
        "network",
        WARNING,
        {"connections": connections(**NO_ZOOKEEPER)},
        {},
        "The host does not reach the coordinator 10.0.0.1 at ports 22191 to 22195 (no answer within 2 s): open the way "
        "in the firewalls between them, or set ece_host_coordinator (option coordinator_host).",
    ),
    (
        "network",
        WARNING,
        {"connections": connections(api="connection refused", zookeeper_2="connection refused")},
        {},
        "The host does not reach the coordinator 10.0.0.1 at port 12443 (connection refused): open the way in the "
        "firewalls between them, or set ece_host_coordinator (option coordinator_host).",
    ),
    (
        "network",
        WARNING,
        {"connections": [{**one, "address": "localhost"} for one in connections(api="connection refused")]},
        {},
        "The host does not reach the coordinator localhost at port 12443 (connection refused): that address is the "
        "host itself, so set ece_host_coordinator (option coordinator_host) to one that hosts reach.",
    ),
    (
        "network",
        WARNING,
        {"connections": directors(d1=12192)},
        {},
        "The host does not reach 10.0.0.2, which is a director, at any port from 12191 to 12201 (connection refused): "
        "open the way in the firewalls between them.",
    ),
    (
        "network",
        WARNING,
        {"connections": directors()},
        {},
        "The host does not reach 10.0.0.1 and 10.0.0.2, which are directors, at any port from 12191 to 12201 "
        "(connection refused): open the way in the firewalls between them.",
    ),
    (
        "network",
        WARNING,
        {"connections": connections(registry="the name cannot be resolved")},
        {},
        "The host does not reach the registry r.example.com at port 443 (the name cannot be resolved): open the way to "
        "it, set a proxy for the container engine, or load the images beforehand.",
    ),
    *(
        (
            "clock",
            WARNING,
            {"clock_offset_seconds": offset},
            {},
            "The host's clock is not that of the controller, so that certificates and tokens may count as not valid: "
            "set up time synchronisation on both.",
        )
        for offset in (-61.0, 121.0)
    ),
    (
        "memory",
        PROBLEM,
        {"memory.total_mb": 7782},
        {},
        "The host has 7782 MB of memory; ECE needs 8192 MB or more: add memory, or use another host.",
    ),
    (
        "memory",
        WARNING,
        {},
        {"capacity": 257001},
        "ece_host_capacity (option capacity) 257001 is more MB than the host has, so deployments would get memory that "
        "is not there: use less, or leave it out.",
    ),
    (
        "memory",
        WARNING,
        {"memory.available_mb": 8191},
        {},
        "Less than 8192 MB of memory are free, which ECE needs to install: stop other programs.",
    ),
    (
        "disk",
        PROBLEM,
        {"storage.free_gb": 0},
        {},
        "/mnt/data is full (0 GB free): make room, ECE needs 10 GB or more.",
    ),
    (
        "disk",
        WARNING,
        {"storage.free_gb": 9},
        {},
        "/mnt/data has less than 10 GB free, which ECE needs: make room.",
    ),
    (
        "disk",
        WARNING,
        {"storage.free_gb": 14},
        {"roles": ["allocator", "proxy"]},
        "/mnt/data has less than 15 GB free, which ECE needs: make room.",
    ),
    (
        "disk",
        WARNING,
        {"storage.filesystem": "ext4", "storage.project_quotas": False},
        {},
        "/mnt/data is on ext4, with which ECE shows a wrong disk usage: use XFS with project quotas for an allocator.",
    ),
    (
        "disk",
        WARNING,
        {"storage.project_quotas": False},
        {},
        "/mnt/data is XFS without project quotas, so that ECE cannot limit the disk of an instance: mount it with "
        "prjquota.",
    ),
    (
        "firewalld",
        PROBLEM,
        {"firewalld_active": True, "engine.version": "20.10.24", "os.matrix_name": "Ubuntu-20.04"},
        {"version": "3.5.1"},
        "firewalld is active, which this version's installer refuses: stop and disable it.",
    ),
    (
        "firewalld",
        WARNING,
        {"firewalld_active": True},
        {},
        "firewalld is active: open ECE's ports, or the host will not connect; some installers refuse to run.",
    ),
    (
        "selinux",
        WARNING,
        {**PODMAN, "selinux_enforcing": True},
        {},
        "SELinux is enforcing, so that ECE's containers may be denied access to their files: set ece_host_selinux "
        "(option selinux).",
    ),
    (
        "selinux",
        PROBLEM,
        {**PODMAN, "selinux": {"mode": "disabled", "missing_commands": [], "missing_folders": [], "sudo": True}},
        {"selinux": True},
        "SELinux is disabled, so that --selinux fails: enable it, or unset ece_host_selinux (option selinux).",
    ),
    (
        "selinux",
        PROBLEM,
        {
            **PODMAN,
            "selinux": {"mode": "enforcing", "missing_commands": [], "missing_folders": [], "sudo": True},
            "installer": {"arguments": ["--coordinator-host", "--podman"]},
        },
        {"selinux": True},
        "The installer does not know --selinux: use a later one, or unset ece_host_selinux (option selinux).",
    ),
    (
        "selinux",
        PROBLEM,
        {
            **PODMAN,
            "selinux": {
                "mode": "permissive",
                "missing_commands": ["semanage", "checkmodule"],
                "missing_folders": [],
                "sudo": True,
            },
        },
        {"selinux": True},
        "There is no command semanage or checkmodule, which --selinux needs: install the packages "
        "policycoreutils-python-utils, policycoreutils and checkpolicy.",
    ),
    (
        "selinux",
        PROBLEM,
        {"selinux": {"mode": "enforcing", "missing_commands": [], "missing_folders": [], "sudo": True}},
        {"selinux": True},
        "The container engine is Docker, and --selinux goes with Podman only: unset ece_host_selinux (option selinux) "
        "for this host, or use Podman.",
    ),
    (
        "selinux",
        PROBLEM,
        {
            **PODMAN,
            "selinux": {
                "mode": "enforcing",
                "missing_commands": [],
                "missing_folders": ["/mnt/data", "/mnt/data/docker"],
                "sudo": True,
            },
        },
        {"selinux": True},
        "There is no folder /mnt/data and /mnt/data/docker, which --selinux needs: keep images and containers at "
        "/mnt/data/docker (graphroot of Podman), or unset ece_host_selinux (option selinux).",
    ),
    (
        "selinux",
        PROBLEM,
        {**PODMAN, "selinux": {"mode": "enforcing", "missing_commands": [], "missing_folders": [], "sudo": False}},
        {"selinux": True},
        "User elastic cannot run sudo without a password, which --selinux needs: allow it in a file below "
        "/etc/sudoers.d for the time of the installation.",
    ),
    (
        "installer",
        PROBLEM,
        {"installer_problems": ["the installer at https://x/ installs ECE 3.7.2, which is older than 3.8.0."]},
        {},
        "the installer at https://x/ installs ECE 3.7.2, which is older than 3.8.0.",
    ),
]


@pytest.mark.parametrize(("check", "kind", "facts", "options", "sentence"), RULES)
def test_every_rule_has_its_sentence_and_can_be_skipped(check, kind, facts, options, sentence):
    expected = ([sentence], []) if kind == PROBLEM else ([], [sentence])
    assert judged(facts, **options) == expected
    assert judged(facts, **options, skip_checks=[check]) == ([], [])
    assert judged(facts, **options, skip_checks=["all"]) == ([], [])
    others = [other for other in rules.CHECKS if other != check]
    assert judged(facts, **options, skip_checks=others) == expected


def test_the_table_above_has_a_case_of_every_check():
    assert {rule[0] for rule in RULES} == set(rules.CHECKS)


@pytest.mark.parametrize(
    ("facts", "options"),
    [
        pytest.param({}, {}, id="a good host"),
        pytest.param(PODMAN, {}, id="a good host with Podman"),
        pytest.param({"effective_uid": 1000}, {}, id="connected as the install user"),
        pytest.param({"user.uid": 1000, "user.gid": 1000}, {}, id="lowest UID and GID"),
        pytest.param({"default_routes": []}, {"host_ip": "10.0.0.7"}, id="no default route but host_ip"),
        pytest.param({"addresses": [], "host_ip": "10.0.0.8"}, {"host_ip": "10.0.0.8"}, id="no address is known"),
        pytest.param({"memory.total_mb": 7783, "memory.available_mb": 8192}, {}, id="a machine sold as 8 GB"),
        pytest.param({}, {"capacity": 257000}, id="all memory as capacity"),
        pytest.param({"storage.free_gb": 10}, {}, id="just enough disk"),
        pytest.param(
            {"storage.free_gb": 15, "storage.filesystem": "ext4"}, {"roles": ["proxy"]}, id="a proxy needs no XFS"
        ),
        pytest.param({"storage.project_quotas": False}, {"roles": ["proxy"]}, id="a proxy needs no quotas"),
        pytest.param({"storage.filesystem": ""}, {}, id="file system not known"),
        pytest.param(
            {**PODMAN, "engine.docker_command": False}, {"force": True}, id="podman without wrapper, but --force"
        ),
        pytest.param({"engine.docker_error": "denied"}, {"force": True}, id="only the socket, but --force"),
        pytest.param(
            {
                **PODMAN,
                "selinux_enforcing": True,
                "selinux": {"mode": "enforcing", "missing_commands": [], "missing_folders": [], "sudo": True},
            },
            {"selinux": True},
            id="SELinux, and selinux set",
        ),
        pytest.param({"selinux_enforcing": True}, {}, id="SELinux with Docker, which has no option for it"),
        pytest.param(
            {
                **PODMAN,
                "selinux": {"mode": "enforcing", "missing_commands": [], "missing_folders": [], "sudo": True},
                "installer": {"arguments": []},
            },
            {"selinux": True},
            id="an installer whose arguments are not recognised",
        ),
        pytest.param(
            {**PODMAN, "os.matrix_name": "RHEL-10", "engine.version": "5.6.0", "network_backend": None},
            {"version": "4.2.0"},
            id="RHEL 10 without a network backend",
        ),
        pytest.param({"units": {}}, {}, id="a host without systemd"),
        pytest.param({"max_map_count": 0}, {}, id="vm.max_map_count is not known"),
        pytest.param({}, {"container_engine": "docker"}, id="docker, as it is wanted"),
        pytest.param({"engine.store": {"folder": None, "driver": None, "free_gb": None, "on_storage_disk": None}}, {}),
        pytest.param({"engine.store.driver": "overlayfs"}, {}, id="images in containerd"),
        pytest.param({"kernel": "3.10.0-1160.31.1.el7.x86_64"}, {}, id="the oldest kernel"),
        pytest.param({"architecture": "aarch64"}, {}, id="aarch64 with ECE 3.8"),
        pytest.param({"architecture": "aarch64"}, {"version": None}, id="aarch64 with an unknown version"),
        pytest.param({"cgroup_version": 1, "memory_controller": True}, {}, id="cgroup v1 with memory"),
        pytest.param({"memory.swap_mb": 0}, {"roles": ["director"]}, id="a director without swap"),
        pytest.param(
            {"sysctls": {"net.ipv4.ip_forward": None, "net.ipv4.tcp_retries2": None, "vm.swappiness": None}}, {}
        ),
        pytest.param({"container_limits": {"nofile": 65536, "memlock": None, "nproc": None}}, {}, id="enough files"),
        pytest.param({"units": {"nscd.service": {"at_boot": "enabled", "now": "active"}}}, {}, id="nscd not on SLES"),
        pytest.param({"clock_offset_seconds": 119.0}, {}, id="a call that took two minutes"),
        pytest.param({"clock_offset_seconds": None}, {}, id="the controller's clock is not known"),
        pytest.param({"connections": connections()}, {}, id="everything is reached"),
        pytest.param({"connections": directors(d1=12191, d2=12201)}, {}, id="each director is reached at its port"),
        pytest.param(
            {"connections": connections(zookeeper_1="refused", zookeeper_4="refused")}, {}, id="some of the ports"
        ),
        pytest.param({"connections": connections(registry="refused"), "engine_proxy": True}, {}, id="a proxy"),
        pytest.param(
            {**LEFTOVERS, "ece_containers": ["frc-runners-runner"], "busy_ece_ports": [18000]}, {}, id="ECE runs"
        ),
        pytest.param({**LEFTOVERS, "installer_running": True, "busy_ece_ports": [18000]}, {}, id="an installer runs"),
    ],
)
def test_a_host_that_may_join(facts, options):
    assert judged(facts, **options) == ([], [])


# -- support matrix --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "system", "engine", "engine_version"),
    [
        ("4.2.0", "RHEL-10", "podman", "5.6.0"),
        ("4.2.0", "SLES-15", "docker", "29.7.2"),
        ("4.2.0", "SLES-15", "docker", "25.0.5"),
        ("4.2.0", "Ubuntu-24.04", "docker", "29.3.0"),
        ("4.2.0", "Ubuntu-22.04", "docker", "27.5.1"),
        ("4.1.1", "RHEL-9", "podman", "5.4.0"),
        ("4.1.1", "SLES-15", "docker", "25.0.6"),
    ],
)
def test_what_later_releases_are_documented_to_support_is_accepted(version, system, engine, engine_version):
    assert on(system, engine, engine_version, version=version) == ([], [])


@pytest.mark.parametrize(
    ("version", "system", "engine", "engine_version"),
    [
        ("4.2.0", "RockyLinux-10", "podman", "5.6.0"),
        ("4.2.0", "Ubuntu-24.04", "docker", "29.2.1"),
        ("4.2.0", "SLES-15", "docker", "29.2.1"),
        ("4.2.0", "Ubuntu-26.04", "docker", "29.7.2"),
        ("4.1.1", "RHEL-10", "podman", "5.6.0"),
        ("5.0.0", "RHEL-10", "podman", "6.0.0"),
        ("3.5.1", "Ubuntu-22.04", "docker", "25.0.5"),
    ],
)
def test_what_no_known_installer_refuses_is_a_warning(version, system, engine, engine_version):
    problems, warnings = on(system, engine, engine_version, version=version, skip_checks=["engine"])
    assert (problems, len(warnings)) == ([], 1)
    assert "the installer" in warnings[0]


@pytest.mark.parametrize(
    ("version", "system", "engine", "engine_version"),
    [
        ("4.2.0", "SLES-15", "docker", "28.5.1"),
        ("4.2.0", "RHEL-10", "podman", "4.9.4"),
        ("4.1.1", "SLES-15", "docker", "29.7.2"),
        ("4.0.3", "Ubuntu-22.04", "docker", "27.5.1"),
        ("4.0.3", "RHEL-10", "podman", "5.6.0"),
        ("4.0.3", "SLES-15", "docker", "29.7.2"),
    ],
)
def test_what_an_installer_is_known_to_refuse_is_a_problem(version, system, engine, engine_version):
    problems, _warnings = on(system, engine, engine_version, version=version, skip_checks=["engine"])
    assert len(problems) == 1 and "ece_host_skip_checks: [os]" in problems[0]


TABLE = {"4.0": ["Ubuntu-22.04 docker 25.0", "Ubuntu-22.04 docker 27.0"], "4.3": ["Ubuntu-22.04 docker 31.0"]}


@pytest.mark.parametrize(
    ("installer", "version", "engine_version", "outcome"),
    [
        pytest.param(("4.3.0", TABLE), "4.3.1", "31.0.2", "accepted", id="a row that this collection does not have"),
        pytest.param(("4.3.0", TABLE), "4.3.1", "27.0.1", "refused", id="and what that row does not have"),
        pytest.param(("4.3.0", TABLE), "4.2.0", "27.0.1", "accepted", id="the nearest lower row"),
        pytest.param(("4.3.0", TABLE), "4.2.0", "27.5.1", "warned", id="how a later script compares is not known"),
        pytest.param(("4.3.0", TABLE), "4.0.3", "26.0.1", "refused", id="but another major version is refused"),
        pytest.param(("4.3.0", {"4.0": [*TABLE["4.0"], "x"]}), "4.0.3", "26.0.1", "warned", id="not fully understood"),
        pytest.param(("4.0.3", {"4.0": "25.0"}), "4.0.3", "26.0.1", "warned", id="not understood at all"),
        pytest.param(("4.3.0", TABLE), "5.0.0", "31.0.2", "accepted", id="the script decides for later releases too"),
        pytest.param(("4.3.0", TABLE), "3.8.0", "25.0.5", "warned", id="a release that the script has no row of"),
        pytest.param(("4.0.3", TABLE), "4.0.3", "27.5.1", "refused", id="scripts to 4.0 compare two numbers"),
        pytest.param(("4.0.3", TABLE), "4.0.3", "27.0.3", "accepted", id="and accept what they name"),
        pytest.param(("3.5.1", {}), "3.8.0", "27.0.1", "warned", id="a script without a table refuses nothing"),
        pytest.param(("3.5.1", {}), "3.5.1", "20.10.1", "warned", id="nor that of the platform's own version"),
    ],
)
def test_the_table_of_the_installer_that_will_run_decides(installer, version, engine_version, outcome):
    known = {"installer": {"version": installer[0], "support_matrix": installer[1], "arguments": []}}
    problems, warnings = judged({"engine.version": engine_version, **known}, version=version)
    assert (len(problems), len(warnings)) == {"accepted": (0, 0), "refused": (1, 0), "warned": (0, 1)}[outcome]


# -- together --------------------------------------------------------------------------------------------------------


def test_hosts_that_lack_the_same_get_the_same_warning():
    first = {
        "memory.available_mb": 4000,
        "storage.free_gb": 3,
        "max_map_count": 300000,
        "clock_offset_seconds": 500.0,
        "container_limits": {"nofile": 1024, "memlock": 65536, "nproc": -1},
        "temporary_ece_ports": 7,
    }
    second = {
        "memory.available_mb": 6000,
        "storage.free_gb": 7,
        "max_map_count": 262144,
        "clock_offset_seconds": -500.0,
        "container_limits": {"nofile": 2048, "memlock": 8388608, "nproc": -1},
        "temporary_ece_ports": 8,
    }
    assert judged(first)[1] == judged(second)[1] and len(judged(first)[1]) == 6


def test_a_sentence_is_one_line_without_terminal_commands_whatever_the_host_is_called():
    named = ["\x1b[2Jnginx\n  3/3 connected (pid 812)"]
    problems, _warnings = judged({"busy_ports": [20000], "port_users": named})
    assert problems == ["nginx 3/3 connected (pid 812) listens on port 20000, which the installer needs: stop it."]


def test_force_turns_the_firewalld_problem_into_a_warning():
    facts = {"firewalld_active": True, "engine.version": "20.10.24", "os.matrix_name": "Ubuntu-20.04"}
    problems, warnings = judged(facts, version="3.5.1", force=True)
    assert (problems, len(warnings)) == ([], 1)


def test_a_host_that_breaks_several_rules_gets_all_sentences_at_once():
    problems, _warnings = judged(
        {
            "user.uid": 1,
            "socket.is_socket": False,
            "busy_ports": [21000],
            "memory.total_mb": 1024,
            "storage.writable": False,
        }
    )
    assert len(problems) == 5


def test_an_engine_that_is_stopped_is_one_problem():
    error = "Cannot connect to the Docker daemon"
    facts = {"socket.is_socket": False, "engine.docker_error": error}
    assert [problem.split(":")[0] for problem in judged(facts)[0]] == ["There is no socket /var/run/docker.sock"]
    assert [problem.split(" (")[0] for problem in judged(facts, skip_checks=["socket"])[0]] == [
        "User elastic cannot run docker"
    ]


def test_every_rule_has_a_severity_a_summary_and_a_source():
    for rule in rules.RULES:
        assert rule.severity in (rules.PROBLEM, rules.WARNING)
        assert rule.summary.endswith(".") and not rule.source.endswith(".")
