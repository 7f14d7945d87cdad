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
        "docker_command": True,
        "containers": [],
    },
    "socket": {"path": "/var/run/docker.sock", "is_socket": True},
    "os": {"id": "ubuntu", "version": "22.04", "matrix_name": "Ubuntu-22.04"},
    "storage": {
        "path": "/mnt/data/elastic",
        "existing_parent": "/mnt/data",
        "free_gb": 8000,
        "filesystem": "xfs",
        "read_only": False,
        "writable": True,
    },
    "memory": {"total_mb": 257000, "available_mb": 250000},
    "default_interface": "eth0",
    "busy_ports": [],
    "port_users": [],
    "firewalld_active": False,
    "selinux_enforcing": False,
    "cgroup_version": 1,
    "max_map_count": 262144,
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


def accepts(version, system, engine, engine_version):
    return (
        judged({"os.matrix_name": system, "engine.name": engine, "engine.version": engine_version}, version=version)[0]
        == []
    )


@pytest.mark.parametrize(
    ("version", "row"),
    [(release + ".0", release) for release in ACCEPTED]
    + [
        ("3.5.1", "3.4"),
        ("3.6.2", "3.4"),
        ("3.9.0", "3.8"),
        ("3.10.0", "3.8"),
        ("4.0.3", "4.0"),
        ("4.1.0", "4.0"),
        ("5.0.0", "4.0"),
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


def test_an_ece_older_than_the_matrix_is_a_warning():
    problems, warnings = judged({"os.matrix_name": "Debian GNU/Linux-12"}, version="2.12.4")
    assert problems == []
    assert [warning.startswith("ECE 2.12.4 is older than the support matrix") for warning in warnings] == [True]


def test_without_a_version_the_matrix_is_left_out():
    assert judged({"os.matrix_name": "Debian GNU/Linux-12"}, version=None) == ([], [])


PROBLEM, WARNING = 0, 1
# Without the install user several rules do not apply; that is one sentence.
NO_USER = {"user": None, "engine.usable": False, "storage.writable": False}
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
            "engine.error": "no command docker or podman on /bin",
            "socket.is_socket": False,
        },
        {},
        "The container engine cannot be used (no command docker or podman on /bin): install docker or podman, or set "
        "container_engine and bin_paths.",
    ),
    (
        "engine",
        PROBLEM,
        {"engine.usable": False, "engine.error": "permission denied"},
        {},
        "User elastic cannot run docker (permission denied): start the engine, and add the user to the group docker.",
    ),
    (
        "engine",
        PROBLEM,
        {
            "engine.name": "podman",
            "engine.version": "4.9.4",
            "engine.docker_command": False,
            "os.matrix_name": "RHEL-9",
        },
        {},
        "There is no docker command, which the installer runs with podman too: install podman's wrapper for it.",
    ),
    (
        "socket",
        PROBLEM,
        {"socket.is_socket": False},
        {},
        "There is no socket /var/run/docker.sock: start the container engine, or set docker_socket.",
    ),
    (
        "os",
        PROBLEM,
        {"os.matrix_name": "Ubuntu-24.04"},
        {"force": True},
        "ECE 3.8.0 does not support Ubuntu-24.04; it supports RHEL-8, RHEL-9, RockyLinux-8, RockyLinux-9, SLES-12, "
        "SLES-15, Ubuntu-20.04, Ubuntu-22.04.",
    ),
    (
        "os",
        PROBLEM,
        {"engine.version": "27.0.1"},
        {},
        "ECE 3.8.0 on Ubuntu-22.04 does not support Docker 27.0.1; install Docker 24.0, 25.0.",
    ),
    (
        "os",
        PROBLEM,
        {"os.matrix_name": "RHEL-8", "engine.name": "podman", "engine.version": "3.4.0"},
        {"version": "3.4.0"},
        "ECE 3.4.0 on RHEL-8 does not support Podman 3.4.0; install Docker 20.10; Podman 4.",
    ),
    (
        "os",
        WARNING,
        {"cgroup_version": 2},
        {},
        "The host uses cgroup v2, with which Elasticsearch before 7.17.7 and 8.5 fails: use later versions.",
    ),
    (
        "os",
        WARNING,
        {"max_map_count": 65530},
        {},
        "vm.max_map_count is 65530; Elasticsearch needs 262144 or more: set it with sysctl.",
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
        "host_ip",
        PROBLEM,
        {"default_interface": None},
        {},
        "There is no default route, so the installer finds no address of the host: set host_ip.",
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
        {"busy_ports": [20000], "port_users": ["nginx (pid 812)"]},
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
        "memory",
        PROBLEM,
        {"memory.total_mb": 7782},
        {},
        "The host has 7782 MB of memory; ECE needs 8192 MB or more: add memory, or use another host.",
    ),
    (
        "memory",
        WARNING,
        {"memory.available_mb": 8191},
        {},
        "The host has 8191 MB of free memory; ECE needs 8192 MB or more to install: stop other programs.",
    ),
    (
        "disk",
        PROBLEM,
        {"storage.free_gb": 0},
        {},
        "/mnt/data is full (0 GB free): make room, ECE needs 10 GB or more.",
    ),
    ("disk", WARNING, {"storage.free_gb": 9}, {}, "/mnt/data has 9 GB free; ECE needs 10 GB or more: make room."),
    (
        "disk",
        WARNING,
        {"storage.free_gb": 14},
        {"roles": ["allocator", "proxy"]},
        "/mnt/data has 14 GB free; ECE needs 15 GB or more: make room.",
    ),
    (
        "disk",
        WARNING,
        {"storage.filesystem": "ext4"},
        {},
        "/mnt/data is on ext4, with which ECE shows a wrong disk usage: use XFS with project quotas for an allocator.",
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
        {"selinux_enforcing": True},
        {},
        "SELinux is enforcing, so that ECE's containers may be denied access to their files: set selinux.",
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
        pytest.param({"effective_uid": 1000}, {}, id="connected as the install user"),
        pytest.param({"user.uid": 1000, "user.gid": 1000}, {}, id="lowest UID and GID"),
        pytest.param({"default_interface": None}, {"host_ip": "10.0.0.7"}, id="no default route but host_ip"),
        pytest.param({"selinux_enforcing": True}, {"selinux": True}, id="SELinux, and selinux set"),
        pytest.param({"memory.total_mb": 7783, "memory.available_mb": 8192}, {}, id="a machine sold as 8 GB"),
        pytest.param({"storage.free_gb": 10}, {}, id="just enough disk"),
        pytest.param(
            {"storage.free_gb": 15, "storage.filesystem": "ext4"}, {"roles": ["proxy"]}, id="a proxy needs no XFS"
        ),
        pytest.param({"storage.filesystem": ""}, {}, id="file system not known"),
        pytest.param(
            {
                "engine.name": "podman",
                "engine.version": "5.4.0",
                "engine.docker_command": False,
                "os.matrix_name": "RHEL-9",
            },
            {"force": True},
            id="podman without wrapper, but --force",
        ),
    ],
)
def test_a_host_that_may_join(facts, options):
    assert judged(facts, **options) == ([], [])


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
    facts = {"socket.is_socket": False, "engine.usable": False, "engine.error": "Cannot connect to the Docker daemon"}
    assert [problem.split(":")[0] for problem in judged(facts)[0]] == ["There is no socket /var/run/docker.sock"]
    assert [problem.split(" (")[0] for problem in judged(facts, skip_checks=["socket"])[0]] == [
        "User elastic cannot run docker"
    ]


def test_every_rule_has_a_severity_a_summary_and_a_source():
    for rule in rules.RULES:
        assert rule.severity in (rules.PROBLEM, rules.WARNING)
        assert rule.summary.endswith(".") and not rule.source.endswith(".")
