# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of a host, gathered from samples and from this machine, and every rule of the installer."""

from __future__ import annotations

import copy
import errno
import fcntl
import json
import os
import pwd
import shutil
import socket
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _host as host

ROOT = os.geteuid() == 0
# Somebody to become: as root any ordinary user, else only oneself.
USER = pwd.getpwnam("nobody") if ROOT else pwd.getpwuid(os.geteuid())


@pytest.fixture
def folder():
    """A folder that every user can reach, as pytest's own ones are not."""
    path = Path(tempfile.mkdtemp(prefix="ece-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


# -- operating system ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("os_release", "name"),
    [
        (
            'NAME="Red Hat Enterprise Linux"\nVERSION="9.4 (Plow)"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\nPLATFORM_ID="platform:el9"\n',
            "RHEL-9",
        ),
        ('NAME="Red Hat Enterprise Linux"\nID="rhel"\nVERSION_ID="8.10"\n', "RHEL-8"),
        ('NAME="Red Hat Enterprise Linux Server"\nID="rhel"\nVERSION_ID="7.9"\n', "RHEL-7"),
        (
            'NAME="Rocky Linux"\nVERSION="9.3 (Blue Onyx)"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.3"\n',
            "RockyLinux-9",
        ),
        ('NAME="Rocky Linux"\nID="rocky"\nVERSION_ID="8.9"\n', "RockyLinux-8"),
        ('NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nVERSION_ID="7"\n', "CentOS-7"),
        ('NAME="CentOS Linux"\nID="centos"\nVERSION_ID="8"\n', "CentOS-8"),
        (
            'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=noble\n',
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
    assert host.os_facts(os_release)["matrix_name"] == name


def test_os_facts_are_the_words_of_the_file():
    assert host.os_facts('ID="rhel"\nVERSION_ID="9.4"\n') == {"id": "rhel", "version": "9.4", "matrix_name": "RHEL-9"}


# -- the support matrix --------------------------------------------------------------------------------------------------

# By ECE release: "OS engine versions", as the documents have it.
ACCEPTED = {
    "4.0": """RHEL-8 podman 4; RHEL-9 podman 4 5; RockyLinux-8 podman 4; RockyLinux-9 podman 5; Ubuntu-20.04 docker 25.0 26.0 27.0;
              Ubuntu-22.04 docker 25.0 26.0 27.0; Ubuntu-24.04 docker 26.0 27.0; SLES-12 docker 25.0; SLES-15 docker 25.0""",
    "3.8": """RHEL-8 podman 4; RHEL-9 podman 4 5; RockyLinux-8 podman 4; RockyLinux-9 podman 5; Ubuntu-20.04 docker 20.10 24.0 25.0;
              Ubuntu-22.04 docker 24.0 25.0; SLES-12 docker 24.0 25.0; SLES-15 docker 24.0 25.0""",
    "3.7": """RHEL-8 podman 4; RHEL-9 podman 4; RockyLinux-8 podman 4; Ubuntu-20.04 docker 20.10 24.0; Ubuntu-22.04 docker 24.0;
              SLES-12 docker 18.09 24.0; SLES-15 docker 20.10 24.0""",
    "3.4": """CentOS-7 docker 20.10; RHEL-7 docker 20.10; CentOS-8 docker 20.10; RHEL-8 docker 20.10; RHEL-8 podman 4;
              Ubuntu-18.04 docker 19.03; Ubuntu-20.04 docker 20.10; SLES-12 docker 18.09; SLES-15 docker 20.10""",
    "3.3": """CentOS-7 docker 20.10; RHEL-7 docker 20.10; CentOS-8 docker 19.03 20.10; RHEL-8 docker 19.03 20.10; RHEL-8 podman 4;
              Ubuntu-18.04 docker 19.03; Ubuntu-20.04 docker 20.10; SLES-12 docker 18.09; SLES-15 docker 20.10""",
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
    return host.judge(host_facts, {**OPTIONS, **options})


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
        (words[0], words[1], number)
        for part in ACCEPTED[row].split(";")
        for words in [part.split()]
        for number in words[2:]
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


# -- rules ---------------------------------------------------------------------------------------------------------------

PROBLEM, WARNING = 0, 1
# Nobody can do anything; that is told once.
NOBODY = {"user": None, "engine.usable": False, "storage.writable": False}
RULES = [
    (
        "user",
        PROBLEM,
        NOBODY,
        {},
        "There is no user elastic: create it with a UID and GID of 1000 or more and put it into the engine's group.",
    ),
    ("user", PROBLEM, {"user.uid": 999}, {}, "User elastic has UID 999; the installer wants 1000 or more."),
    (
        "user",
        PROBLEM,
        {"user.gid": 100},
        {"force": True},
        "User elastic has GID 100; the installer wants 1000 or more.",
    ),
    (
        "user",
        PROBLEM,
        {"effective_uid": 1001},
        {},
        "The task runs as UID 1001, neither root nor elastic: connect with become, or as elastic.",
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
        "The container engine cannot be used (no command docker or podman on /bin): install docker or podman, or set container_engine and bin_paths.",
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
        "There is no docker command: the installer asks it with podman too; install podman's wrapper for it.",
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
        "ECE 3.8.0 does not support Ubuntu-24.04; it does support RHEL-8, RHEL-9, RockyLinux-8, RockyLinux-9, SLES-12, SLES-15, Ubuntu-20.04, Ubuntu-22.04.",
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
        "The host uses cgroup v2, with which Elasticsearch before 7.17.7 and 8.5 fails.",
    ),
    ("os", WARNING, {"max_map_count": 65530}, {}, "vm.max_map_count is 65530; Elasticsearch needs 262144 or more."),
    (
        "storage",
        PROBLEM,
        {"storage.writable": False},
        {},
        "User elastic cannot read and write /mnt/data: give it the folder (mode 0700).",
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
        "There is no default route, so the installer finds no address for the host: set host_ip.",
    ),
    (
        "ports",
        PROBLEM,
        {"busy_ports": [20000, 22000]},
        {},
        "Something listens on port 20000, 22000, which the installer needs: stop it.",
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
    ("memory", PROBLEM, {"memory.total_mb": 7782}, {}, "The host has 7782 MB of memory; ECE needs 8192 MB to install."),
    (
        "memory",
        WARNING,
        {"memory.available_mb": 8191},
        {},
        "Only 8191 MB of memory are free; ECE wants 8192 MB free to install.",
    ),
    (
        "disk",
        PROBLEM,
        {"storage.free_gb": 0},
        {},
        "/mnt/data is full (0 GB free): make room, ECE wants 10 GB or more there.",
    ),
    ("disk", WARNING, {"storage.free_gb": 9}, {}, "/mnt/data has 9 GB free; ECE wants 10 GB or more."),
    (
        "disk",
        WARNING,
        {"storage.free_gb": 14},
        {"roles": ["allocator", "proxy"]},
        "/mnt/data has 14 GB free; ECE wants 15 GB or more.",
    ),
    (
        "disk",
        WARNING,
        {"storage.filesystem": "ext4"},
        {},
        "/mnt/data is on ext4; allocators need XFS with project quotas, or disk usage is wrong.",
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
        "SELinux is enforcing, but selinux is not set: ECE's containers may be denied their files.",
    ),
]


@pytest.mark.parametrize(("check", "kind", "facts", "options", "sentence"), RULES)
def test_every_rule_has_its_sentence_and_can_be_skipped(check, kind, facts, options, sentence):
    expected = ([sentence], []) if kind == PROBLEM else ([], [sentence])
    assert judged(facts, **options) == expected
    assert judged(facts, **options, skip_checks=[check]) == ([], [])
    assert judged(facts, **options, skip_checks=["all"]) == ([], [])
    others = [other for other in host.CHECKS if other != check]
    assert judged(facts, **options, skip_checks=others) == expected


def test_the_rules_above_are_all_checks_there_are():
    assert {rule[0] for rule in RULES} | {"installer"} == set(host.CHECKS)


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


def test_a_host_that_fails_everywhere_is_told_everything_at_once():
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


# -- commands, as the install user ---------------------------------------------------------------------------------------


def test_a_command_gets_a_clean_environment(monkeypatch):
    monkeypatch.setenv("HOST_IP", "10.9.9.9")
    monkeypatch.setenv("CLOUD_FEATURE_X", "true")
    rc, out, _err = host.run(["env"], user=USER.pw_name, paths=["/opt/engine/bin"])
    assert rc == 0
    assert dict(line.split("=", 1) for line in out.splitlines()) == {
        "PATH": "/opt/engine/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": USER.pw_dir,
        "USER": USER.pw_name,
        "LOGNAME": USER.pw_name,
        "SHELL": "/bin/bash",
        "LANG": "C",
    }


def test_a_command_runs_with_the_users_rights_alone():
    before = os.getgroups()
    uid, gid, groups = os.geteuid(), os.getegid(), before + [os.getegid()]
    if ROOT:
        uid, gid, groups = USER.pw_uid, USER.pw_gid, os.getgrouplist(USER.pw_name, USER.pw_gid)
        os.setgroups([0, 4242])  # of which nothing may be left
    try:
        said = [
            {int(number) for number in host.run(["id", option], user=USER.pw_name)[1].split()}
            for option in ("-u", "-g", "-G")
        ]
    finally:
        if ROOT:
            os.setgroups(before)
    assert said == [{uid}, {gid}, set(groups)]


@pytest.mark.parametrize(
    ("argv", "rc", "words"),
    [
        (["bash", "-c", "echo no >&2; exit 3"], 3, "no"),
        (["/nowhere/docker"], 127, "No such file"),
        (["sleep", "60"], 124, "no answer within 0.05 s"),
    ],
)
def test_a_command_that_fails(argv, rc, words):
    result = host.run(argv, timeout=0.05 if argv[0] == "sleep" else 60)
    assert (result[0], words in result[2]) == (rc, True), result


def test_output_that_is_no_text_is_no_error():
    assert host.run(["printf", "\\377x"])[1] == "\ufffdx"


# -- engine --------------------------------------------------------------------------------------------------------------

LISTING = "frc-runners-runner|docker.elastic.co/ece:3.8.0|Up 2 minutes\nother|x|Exited (0) 1 hour ago\nno container\n"
CONTAINERS = [
    {"name": "frc-runners-runner", "image": "docker.elastic.co/ece:3.8.0", "status": "Up 2 minutes"},
    {"name": "other", "image": "x", "status": "Exited (0) 1 hour ago"},
]


@pytest.fixture
def engine(folder, monkeypatch):
    """engine(name, version line, body of what answers ps) puts a command into an otherwise empty search path."""
    monkeypatch.setattr(host, "SYSTEM_PATH", ())
    (folder / "listing").write_text(LISTING)

    def make(name, version, ps="cat_listing"):
        path = folder / name
        path.write_text(
            "#!/bin/bash\n"
            f"if [[ $* == --version ]]; then printf '%s\\n' '{version}'; exit; fi\n"
            f"[[ $* == 'ps --all --no-trunc --format {{{{.Names}}}}|{{{{.Image}}}}|{{{{.Status}}}}' ]] || exit 64\n"
            f"cat_listing() {{ printf '%s' \"$(<{folder}/listing)\"; }}\n"
            f"{ps}\n"
        )
        path.chmod(0o755)

    return make


def facts_of(engine_name, folder):
    return host.engine_facts(engine_name, USER.pw_name, [str(folder)])


def test_docker_with_containers(engine, folder):
    engine("docker", "Docker version 25.0.5, build 5dc9bcc")
    assert facts_of(None, folder) == {
        "name": "docker",
        "version": "25.0.5",
        "usable": True,
        "error": None,
        "docker_command": True,
        "containers": CONTAINERS,
        "containers_known": True,
        "containers_error": None,
    }


def test_podman_behind_the_docker_command_is_podman(engine, folder):
    engine("docker", "podman version 4.9.4-rhel")
    facts = facts_of(None, folder)
    assert (facts["name"], facts["version"]) == ("podman", "4.9.4")


def test_an_engine_that_does_not_answer_is_not_one_without_containers(folder):
    docker = folder / "docker"
    docker.write_text(
        "#!/bin/bash\n[[ $1 == --version ]] && { echo Docker version 25.0.5; exit; }\necho no daemon >&2\nexit 1\n"
    )
    docker.chmod(0o755)
    facts = facts_of("docker", folder)
    assert (facts["containers"], facts["containers_known"], facts["error"]) == ([], False, "no daemon")


def test_containers_are_those_behind_the_socket_that_the_installer_uses(folder):
    docker = folder / "docker"
    version = "[[ $1 == --version ]] && { echo Docker version 25.0.5; exit; }"
    docker.write_text(f'#!/bin/bash\n{version}\n[[ $1 != -H ]] || echo "frc-runners-runner|$2|Up"\n')
    docker.chmod(0o755)
    path = str(folder / "other.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        facts = host.engine_facts("docker", USER.pw_name, [str(folder)], path)
    assert facts["containers"] == [{"name": "frc-runners-runner", "image": f"unix://{path}", "status": "Up"}]


def test_docker_comes_before_podman(engine, folder):
    engine("docker", "Docker version 25.0.5, build 5dc9bcc")
    engine("podman", "podman version 4.9.4")
    assert facts_of(None, folder)["name"] == "docker"


def test_podman_alone_is_asked_itself(engine, folder):
    engine("podman", "podman version 4.9.4-rhel")
    facts = facts_of(None, folder)
    assert (facts["name"], facts["version"], facts["docker_command"], facts["containers"]) == (
        "podman",
        "4.9.4",
        False,
        CONTAINERS,
    )


def test_podman_with_a_docker_wrapper_is_asked_through_it_as_the_installer_does(engine, folder):
    engine("docker", "podman version 4.9.4", "echo 'wrapper broken' >&2; exit 1")
    engine("podman", "podman version 5.4.0")
    facts = facts_of("podman", folder)
    assert (facts["name"], facts["version"], facts["docker_command"], facts["usable"], facts["error"]) == (
        "podman",
        "5.4.0",
        True,
        False,
        "wrapper broken",
    )


@pytest.mark.parametrize(
    ("wanted", "words"), [(None, "no command docker or podman on "), ("podman", "no command podman on ")]
)
def test_no_engine(engine, folder, wanted, words):
    facts = facts_of(wanted, folder)
    assert (facts["name"], facts["version"], facts["usable"], facts["containers"]) == (wanted, None, False, [])
    assert facts["error"] == words + str(folder)


def test_a_wanted_engine_is_not_replaced_by_the_other(engine, folder):
    engine("docker", "Docker version 25.0.5, build 5dc9bcc")
    assert facts_of("podman", folder)["error"].startswith("no command podman")


def test_an_engine_that_the_user_may_not_use_still_shows_its_containers_to_root(engine, folder):
    engine(
        "docker",
        "Docker version 25.0.5, build x",
        "if ((EUID)); then printf 'permission denied\\nmore\\n' >&2; exit 1; fi; cat_listing",
    )
    facts = facts_of(None, folder)
    assert (facts["usable"], facts["error"]) == (False, "permission denied")
    assert facts["containers"] == (CONTAINERS if ROOT else [])


@pytest.mark.parametrize(
    ("ps", "error"),
    [
        ("echo 'Is the daemon running?'; exit 1", "Is the daemon running?"),
        ("exit 7", "exit code 7"),
        ("echo; exit 7", "exit code 7"),
    ],
)
def test_an_engine_whose_daemon_is_down(engine, folder, ps, error):
    engine("docker", "Docker version 25.0.5, build x", ps)
    facts = facts_of(None, folder)
    assert (facts["usable"], facts["error"], facts["version"], facts["containers"]) == (False, error, "25.0.5", [])


def test_an_engine_without_a_version(engine, folder):
    engine("docker", "nothing to see")
    assert facts_of(None, folder)["version"] is None


# -- files and tables of the kernel --------------------------------------------------------------------------------------


def test_a_real_socket_is_one_and_nothing_else_is(folder):
    path = str(folder / "docker.sock")
    assert host.socket_facts(path) == {"path": path, "is_socket": False}
    (folder / "file").touch()
    assert host.socket_facts(str(folder / "file"))["is_socket"] is False
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        assert host.socket_facts(path) == {"path": path, "is_socket": True}
    os.symlink(path, folder / "link")
    assert host.socket_facts(str(folder / "link"))["is_socket"] is True


def test_user_facts():
    facts = host.user_facts(USER.pw_name)
    assert (facts["uid"], facts["gid"], facts["home"]) == (USER.pw_uid, USER.pw_gid, USER.pw_dir)
    assert facts["groups"] == sorted(facts["groups"]) and facts["groups"]


def test_a_user_that_is_not_there_is_none():
    assert host.user_facts("no-such-user-here") is None


def test_memory_facts_are_in_mb():
    assert host.memory_facts("MemTotal:       16384000 kB\nMemFree:  1 kB\nMemAvailable:   8192000 kB\n") == {
        "total_mb": 16000,
        "available_mb": 8000,
    }
    assert host.memory_facts("") == {"total_mb": 0, "available_mb": 0}


TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:4E20 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:5208 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 0100007F:55F0 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0
   3: 0100007F:0050 00000000:0000 06 00000000:00000000 00:00000000 00000000     0        0 4 1 0 100 0 0 10 0
"""
TCP6 = """  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt
   0: 00000000000000000000000000000000:55F0 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0
"""


def test_listening_ports_are_those_of_both_families_and_no_connections():
    assert host.listening_ports(TCP) == {20000, 21000}
    assert host.listening_ports(TCP, TCP6) == {20000, 21000, 22000}
    assert host.listening_ports("", "") == set()


def test_listening_ports_of_this_machine():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert port not in host.listening_ports(host.read("/proc/net/tcp"))
        listener.listen()
        assert port in host.listening_ports(host.read("/proc/net/tcp"))


def test_port_users_are_who_holds_the_listening_sockets(tmp_path):
    # 7 listens on both, 12 is its child; 30 has a connection on the same port, and a port that nobody asked for.
    for pid, name, sockets in ((12, "worker", (1, 2)), (7, "nginx", (1, 2)), (30, "curl", (3, 9))):
        (tmp_path / str(pid) / "fd").mkdir(parents=True)
        (tmp_path / str(pid) / "comm").write_text(name + "\n")
        for inode in sockets:
            (tmp_path / str(pid) / "fd" / str(inode)).symlink_to(f"socket:[{inode}]")
    (tmp_path / "99").mkdir()
    (tmp_path / "net").mkdir()
    table = (
        TCP
        + "   4: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9 1 0 100 0 0 10 0\n"
    )
    assert host.port_users({20000, 21000, 22000}, table, proc=str(tmp_path)) == ["nginx (pid 7)"]
    assert host.port_users({8080}, table, proc=str(tmp_path)) == ["curl (pid 30)"]
    assert host.port_users({22000}, table, proc=str(tmp_path)) == []


def test_port_users_of_this_machine():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        users = host.port_users({listener.getsockname()[1]}, host.read("/proc/net/tcp"))
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
    assert host.default_interface(route) == interface


def test_read_of_what_cannot_be_read_is_empty(folder):
    assert host.read(str(folder / "nowhere")) == ""
    assert host.read(str(folder)) == ""


# -- storage -------------------------------------------------------------------------------------------------------------


def test_existing_parent(folder):
    (folder / "file").touch()
    assert host.existing_parent(str(folder)) == str(folder)
    assert host.existing_parent(str(folder / "a" / "b")) == str(folder)
    assert host.existing_parent(str(folder / "file" / "b")) == str(folder)
    assert host.existing_parent("/no-such-folder-here/x") == "/"


def test_storage_is_judged_by_the_nearest_folder_that_is_there(folder):
    mounts = (
        f"/dev/a / ext4 rw 0 0\nb {folder} xfs rw 0 0\nc {folder}/elastic btrfs rw 0 0\nd {folder}-other nfs rw 0 0\n"
    )
    os.chown(folder, USER.pw_uid, USER.pw_gid)
    facts = host.storage_facts(str(folder / "data" / "elastic"), USER.pw_name, mounts)
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
    assert host.storage_facts(str(folder), None, mounts)["filesystem"] == filesystem


@pytest.mark.skipif(not ROOT, reason="only root can have a folder that somebody else cannot write")
def test_storage_of_somebody_else_is_not_writable(folder):
    assert host.storage_facts(str(folder), USER.pw_name, "")["writable"] is False


@pytest.mark.parametrize(("flags", "read_only"), [(os.ST_RDONLY | os.ST_NOSUID, True), (os.ST_NOSUID, False)])
def test_storage_that_is_mounted_read_only(folder, monkeypatch, flags, read_only):
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_bavail=5, f_frsize=10**9, f_flag=flags))
    facts = host.storage_facts(str(folder), None, "")
    assert (facts["free_gb"], facts["read_only"]) == (5, read_only)


def test_storage_without_a_user_is_not_writable(folder):
    assert host.storage_facts(str(folder), None, "")["writable"] is False


# -- installers ----------------------------------------------------------------------------------------------------------


def test_lock_is_held_as_long_as_somebody_holds_it(folder):
    path = folder / "lock"
    assert host.lock_is_held(str(path)) is False
    with open(path, "w", encoding="ascii") as lock:
        assert host.lock_is_held(str(path)) is False
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert host.lock_is_held(str(path)) is True
    assert host.lock_is_held(str(path)) is False


SCRIPT = "/home/elastic/elastic-cloud-enterprise.sh"


@pytest.mark.parametrize(
    ("words", "found"),
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
def test_installer_processes_are_those_of_this_storage_path(tmp_path, words, found):
    for name, content in (("412", words), ("97", ["init"]), ("self", [SCRIPT, "install"])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cmdline").write_text("".join(word + "\0" for word in content))
    (tmp_path / "98").mkdir()  # ended in between
    assert host.installer_processes("/mnt/data/elastic", "/mnt/data/elastic", str(tmp_path)) == ([412] if found else [])


def test_installer_processes_by_a_storage_path_of_ones_own(tmp_path):
    for pid, path in ((20, "/srv/elastic"), (3, "/srv/elastic/"), (5, "/srv/elastic2")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_text(
            "\0".join(["bash", SCRIPT, "install", "--host-storage-path", path, ""])
        )
    assert host.installer_processes("/srv/elastic", "/mnt/data/elastic", str(tmp_path)) == [3, 20]


@pytest.mark.parametrize(
    ("record", "last"),
    [
        (None, None),
        ("", None),
        ("{", None),
        ({}, None),
        ({"started": 900}, {"started": 900, "rc": None, "age_seconds": None, "running": False}),
        ({"started": 900, "finished": 990, "rc": 0}, {"started": 900, "rc": 0, "age_seconds": 10, "running": False}),
        ({"started": 900, "finished": 990, "rc": 5}, {"started": 900, "rc": 5, "age_seconds": 10, "running": False}),
        ({"started": 900, "finished": 1100, "rc": 0}, {"started": 900, "rc": 0, "age_seconds": 0, "running": False}),
    ],
)
def test_last_install(tmp_path, record, last):
    path = tmp_path / "record.json"
    if record is not None:
        path.write_text(record if isinstance(record, str) else json.dumps(record))
    assert host.last_install(str(path), now=1000) == last


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["bash", "/dev/fd/63", "install", "--coordinator-host", "10.0.0.1", "--roles-token", "x"], True),
        (["bash", "/dev/fd/63", "--coordinator-host", "10.0.0.1"], True),
        (["/bin/bash", "/tmp/elastic-cloud-enterprise.sh", "install"], True),
        (["vi", "elastic-cloud-enterprise.sh"], False),
        (["bash", "other.sh", "install"], False),
        (["python3", "x", "--coordinator-host", "10.0.0.1"], False),
    ],
)
def test_an_installer_is_known_by_its_options_however_it_was_started(tmp_path, words, found):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cmdline").write_text("\0".join(words) + "\0")
    assert host.installer_processes("/mnt/data/elastic", "/mnt/data/elastic", str(tmp_path)) == ([7] if found else [])


def test_a_dead_socket_is_not_outweighed_by_the_users_own_engine(folder):
    docker = folder / "docker"
    docker.write_text(
        "#!/bin/bash\n[[ $1 == --version ]] && { echo Docker version 25.0.5; exit; }\n"
        "[[ $1 == -H || -n ${DOCKER_HOST:-} ]] && { echo 'no daemon at the socket' >&2; exit 1; }\nexit 0\n"
    )
    docker.chmod(0o755)
    path = str(folder / "docker.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        facts = host.engine_facts("docker", USER.pw_name, [str(folder)], path)
    assert (facts["usable"], facts["containers"], facts["containers_known"]) == (True, [], False)


def test_without_the_socket_the_plain_listing_counts(engine, folder):
    engine("docker", "Docker version 25.0.5, build x")
    facts = host.engine_facts("docker", USER.pw_name, [str(folder)], str(folder / "nowhere.sock"))
    assert (facts["containers"], facts["containers_known"]) == (CONTAINERS, True)


def test_podman_is_asked_remotely_at_the_socket(folder):
    for name in ("docker", "podman"):
        command = folder / name
        command.write_text(
            '#!/bin/bash\n[[ $1 == --version ]] && { echo podman version 4.9.4; exit; }\necho "frc-x|${0##*/} $1 $2 $3|Up"\n'
        )
        command.chmod(0o755)
    path = str(folder / "podman.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        facts = host.engine_facts("podman", USER.pw_name, [str(folder)], path)
    assert facts["containers"] == [{"name": "frc-x", "image": f"podman --remote --url unix://{path}", "status": "Up"}]


@pytest.mark.parametrize(
    ("words", "found"),
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
def test_an_installer_without_the_word_install_and_what_only_names_it(tmp_path, words, found):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cmdline").write_text("\0".join(words) + "\0")
    assert host.installer_processes("/mnt/data/elastic", "/mnt/data/elastic", str(tmp_path)) == ([7] if found else [])


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/x"),
            "the host refused /x: No space left on device; make room on its disk and run this again",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "/x"),
            "the host refused /x: Read-only file system; mount its disk for writing",
        ),
        (OSError(errno.ENOTDIR, "Not a directory", "/x"), "the host refused /x: Not a directory"),
        (OSError(errno.EMFILE, "Too many open files"), "the host refused: Too many open files"),
        (OSError("odd"), "the host refused: odd"),
    ],
)
def test_what_the_host_refuses_is_a_sentence(error, sentence):
    assert host.refusal(error).startswith(sentence)
