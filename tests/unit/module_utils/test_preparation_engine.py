# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which engine a host gets in which version, and what is installed and held for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.ece.platform.plugins.module_utils import _preparation_engine as preparation
from ansible_collections.ece.platform.plugins.module_utils._matrix import MATRIX
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import marked

ROLE = Path(__file__).resolve().parents[3] / "roles" / "ece_host_preparation"
SYSTEMS = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))["__ece_host_preparation_systems"]
OPTIONS = {
    "ece_host_bin_paths": [],
    "ece_host_preparation_engine_source": "vendor",
    "ece_host_preparation_engine_packages": [],
    "ece_host_preparation_engine_path": "/mnt/data/docker",
    "ece_host_preparation_hold": True,
    "ece_host_preparation_skip": [],
    "ece_host_preparation_packages_timeout": 600,
    "ece_host_preparation_replace_engine": False,
    "ece_host_preparation_restart_engine": False,
    "ece_host_preparation_docker_repository_url": "https://download.docker.com/linux",
    "ece_host_preparation_docker_repository_key_url": "https://download.docker.com/linux/ubuntu/gpg",
    "ece_host_preparation_docker_settings": {},
    "ece_host_preparation_ipv6": False,
    "ece_host_preparation_ipv6_subnet": "fd00:10:89::/64",
}
REPLACE = {"ece_host_preparation_replace_engine": True}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    """The settings of the engines have tests of their own."""

    def plan(facts, options, system):
        return preparation.PartPlan([], [], {"version": options["engine_version"], "start": False}, [], [])

    monkeypatch.setattr(preparation, "_PLAN", {"docker": plan, "podman": plan})


def given(**options):
    """Variables by the part of their name that is not the same for all."""
    own = ("version", "container_engine")
    return {
        f"ece_host_{name}" if name in own else f"ece_host_preparation_{name}": value for name, value in options.items()
    }


def plan(
    system,
    options=None,
    versions=None,
    installed=(),
    held=(),
    provided=(),
    docker_command=True,
    architecture="x86_64",
    **read,
):
    found = {
        "versions": versions or {},
        "others": {},
        "snap": False,
        "packages": {
            "installed": dict.fromkeys(installed, "1"),
            "provided": dict.fromkeys(provided, "1"),
            "held": list(held),
            "interrupted": False,
        },
        "codename": "jammy",
        "sources": {},
        "versionlock": True,
        "offered": {},
        "has_proxy": False,
    }
    facts = {
        "os": {"matrix_name": system},
        "architecture": architecture,
        "engine": {"docker_command": docker_command},
        "preparation": {"engine": dict(found, **read)},
    }
    return preparation.plan_engine(facts, dict(OPTIONS, **(options or {})), SYSTEMS[system])


CONTAINERD = "containerd.io=1.7.*"
TOOLS = ("lvm2", "iptables-nft", "sysstat", "net-tools")
DOCKER = ("docker-ce", "docker-ce-cli", "containerd.io")


# -- version and packages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "ece", "version", "packages"),
    [
        ("Ubuntu-22.04", "4.2.0", None, ["docker-ce=5:27.*", "docker-ce-cli=5:27.*", "containerd.io=1.7.*"]),
        ("Ubuntu-22.04", "4.0.3", None, ["docker-ce=5:27.0.*", "docker-ce-cli=5:27.0.*", "containerd.io=1.7.*"]),
        ("Ubuntu-22.04", "4.0.3", "25", ["docker-ce=5:25.0.*", "docker-ce-cli=5:25.0.*", "containerd.io=1.7.*"]),
        (
            "Ubuntu-22.04",
            "4.2.0",
            "27.5.1",
            ["docker-ce=5:27.5.1-*", "docker-ce-cli=5:27.5.1-*", "containerd.io=1.7.*"],
        ),
        ("Ubuntu-24.04", None, None, ["docker-ce=5:29.*", "docker-ce-cli=5:29.*", "containerd.io=2.*"]),
        ("Ubuntu-24.04", "4.2.0", "29", ["docker-ce=5:29.*", "docker-ce-cli=5:29.*", "containerd.io=2.*"]),
        ("Ubuntu-20.04", "3.7.2", "20.10", ["docker-ce=5:20.10.*", "docker-ce-cli=5:20.10.*", "containerd.io=1.7.*"]),
        (
            "RHEL-8",
            "4.2.0",
            None,
            ["lvm2", "iptables", "sysstat", "net-tools", "podman-4.*", "podman-remote-4.*"],
        ),
        ("RHEL-9", "4.2.0", None, [*TOOLS, "podman-5.*", "podman-remote-5.*", "containernetworking-plugins"]),
        ("RHEL-9", "4.2.0", "5.4", [*TOOLS, "podman-5.4.*", "podman-remote-5.4.*", "containernetworking-plugins"]),
        ("RHEL-9", "4.2.0", "4", [*TOOLS, "podman-4.*", "podman-remote-4.*", "containernetworking-plugins"]),
        ("RockyLinux-9", "4.2.0", None, [*TOOLS, "podman-5.*", "podman-remote-5.*", "containernetworking-plugins"]),
        ("RHEL-10", "4.2.0", None, [*TOOLS, "podman-5.*", "podman-remote-5.*"]),
    ],
)
def test_packages_of_a_bare_host(system, ece, version, packages):
    found = plan(system, given(version=ece, engine_version=version), installed=["ca-certificates"])
    assert found.problems == []
    assert found.values["packages"] == packages
    assert not found.values["installed"]


def test_every_system_of_the_newest_release_has_packages():
    for system, engines in MATRIX[max(MATRIX)].items():
        if system in SYSTEMS:
            assert set(engines) <= set(SYSTEMS[system]["engine_packages"]), system
            assert SYSTEMS[system]["engine"] in engines


@pytest.mark.parametrize(
    ("system", "options", "sentence"),
    [
        (
            "Ubuntu-24.04",
            given(version="4.0.3", engine_version="27.5"),
            "ece_host_preparation_engine_version 27.5 is not what ECE 4.0.3 supports on Ubuntu-24.04: use 26.0, 27.0, "
            "or leave it out.",
        ),
        (
            "RHEL-9",
            given(container_engine="docker"),
            "ece_host_container_engine docker is not what ECE 4.2.0 supports on RHEL-9: use podman, or leave it out.",
        ),
        (
            "RHEL-10",
            given(version="4.0.3"),
            "ECE 4.0.3 (ece_host_version) does not support RHEL-10, as far as this collection knows: use one of "
            "RHEL-8, RHEL-9, RockyLinux-8, RockyLinux-9, SLES-12, SLES-15, Ubuntu-20.04, Ubuntu-22.04, Ubuntu-24.04, "
            "or set ece_host_version to a release that does.",
        ),
        (
            "RockyLinux-10",
            given(),
            "ECE 4.2.0 (ece_host_version) does not support RockyLinux-10, as far as this collection knows: use one of "
            "RHEL-10, RHEL-8, RHEL-9, RockyLinux-8, RockyLinux-9, SLES-12, SLES-15, Ubuntu-20.04, Ubuntu-22.04, "
            "Ubuntu-24.04, or set ece_host_version to a release that does, or ece_host_preparation_engine_version to "
            "one that the installer accepts by now.",
        ),
        ("RHEL-9", given(version="latest"), "ece_host_version 'latest' is not a version of ECE: use one like 4.2.0."),
        (
            "RHEL-9",
            given(engine_version="5.x"),
            "ece_host_preparation_engine_version '5.x' is not a version: use one like 27.0 or 5.",
        ),
    ],
)
def test_what_the_matrix_does_not_have(system, options, sentence):
    assert plan(system, options).problems == [sentence]


def test_a_system_of_which_nothing_is_known_needs_a_version():
    found = plan("RockyLinux-10", given(engine_version="5"))
    assert found.problems == []
    assert found.notes[0].startswith("Podman 5 on RockyLinux-10 is not among what")


def test_a_version_of_which_nothing_is_known_is_noted():
    found = plan("Ubuntu-22.04", given(version="4.2.0", engine_version="28"), installed=["ca-certificates"])
    assert found.problems == []
    assert found.notes[0].startswith("Docker 28 on Ubuntu-22.04 is not among what ECE 4.2.0 is known here to support")
    assert found.values["packages"][0] == "docker-ce=5:28.*"


def test_a_release_beyond_the_matrix():
    found = plan("RHEL-9", given(version="5.0.0"))
    assert found.problems == []
    assert found.notes == ["ECE 5.0.0 is not in the support matrix of this collection, whose nearest release is used."]


def test_zypper_gets_the_newest_accepted_version_on_offer():
    versions = ["24.0.7_ce-1", "25.0.6_ce-150000.207.1", "28.3.3_ce-1", "29.1.0_ce-1"]
    offered = {"docker": {"versions": versions, "error": None}}
    found = plan("SLES-15", given(version="4.2.0"), offered=offered)
    assert found.values["packages"][-1] == "docker=25.0.6_ce-150000.207.1"
    versions.append("29.4.1_ce-1")
    assert plan("SLES-15", given(version="4.2.0"), offered=offered).values["packages"][-1] == "docker=29.4.1_ce-1"
    offered = {"docker": {"versions": ["28.3.3_ce-1"], "error": None}}
    found = plan("SLES-15", given(version="4.1.0"), offered=offered)
    assert "no package docker 25, but 28.3.3_ce-1" in found.problems[0]
    assert "Containers Module" in plan("SLES-15", given(version="4.1.0")).problems[0]
    offered = {"docker": {"versions": [], "error": "System management is locked"}}
    found = plan("SLES-15", given(version="4.1.0"), offered=offered)
    assert "zypper does not say which versions of docker there are (System management is locked)" in found.problems[0]


def test_packages_of_the_user():
    found = plan("Ubuntu-22.04", given(engine_packages=["docker.io=27.*"], engine_source="system"))
    assert found.values["packages"] == ["docker.io=27.*"]
    # The others come with it, and a second run would find them.
    assert found.values["hold"] == ["docker.io", "containerd", "runc"]
    assert "repository" not in found.values


def test_packages_that_are_not_known():
    found = plan("RHEL-8", given(container_engine="docker", version="3.4.0"))
    assert found.problems == [
        "This role does not know the packages of Docker on this system: set ece_host_preparation_engine_packages."
    ]


def test_nothing_is_installed_where_the_host_has_all():
    found = plan("RHEL-9", given(engine_source="installed"), {"podman": "5.4.0"})
    assert found.values["packages"] == []
    assert "net-tools" in found.notes[0]
    missing = plan("RHEL-9", given(engine_source="installed"))
    assert "Podman is not installed, and ece_host_preparation_engine_source is installed" in missing.problems[0]


def test_a_package_that_another_provides_is_not_installed():
    found = plan("RHEL-9", given(engine_version="5"), installed=["lvm2", "sysstat", "net-tools"], provided=TOOLS[1:2])
    assert found.values["packages"] == ["podman-5.*", "podman-remote-5.*", "containernetworking-plugins"]


def test_an_engine_that_the_user_did_not_choose_is_not_laid_at_their_door():
    assert plan("RHEL-8", given(version="2.13.0")).problems == [
        "ECE 2.13.0 (ece_host_version) does not support Podman on RHEL-8: set ece_host_container_engine to docker."
    ]


# -- repository ------------------------------------------------------------------------------------------------------


def test_the_repository_of_docker():
    found = plan("Ubuntu-22.04", architecture="aarch64")
    assert found.values["key"] == {
        "url": "https://download.docker.com/linux/ubuntu/gpg",
        "path": "/etc/apt/keyrings/ece-docker.asc",
    }
    content = found.values["repository"]["content"]
    assert "URIs: https://download.docker.com/linux/ubuntu\nSuites: jammy\n" in content
    assert "Architectures: arm64\n" in content
    assert found.values["first_packages"] == ["ca-certificates"]


def test_a_mirror():
    url = "http://mirror.example.com/docker/"
    options = given(docker_repository_url=url, docker_repository_key_url=url + "key.gpg")
    found = plan("Ubuntu-22.04", options)
    assert "URIs: http://mirror.example.com/docker/ubuntu\n" in found.values["repository"]["content"]
    assert found.values["key"]["path"] == "/etc/apt/keyrings/ece-docker.gpg"
    assert "first_packages" not in found.values


def test_a_repository_that_the_host_has_is_used():
    text = "deb [signed-by=/usr/share/keyrings/x.gpg] https://download.docker.com/linux/ubuntu jammy stable\n"
    assert "repository" not in plan("Ubuntu-22.04", sources={"/etc/apt/sources.list.d/x.list": text}).values
    # That of this role is written again, because its key may have changed.
    own = plan("Ubuntu-22.04").values["repository"]["content"]
    found = plan("Ubuntu-22.04", sources={preparation.REPOSITORY: own})
    assert "repository" in found.values
    assert not [step for step in found.steps if "repository" in step]


def test_the_file_of_a_repository_is_created_or_changed():
    wanted = plan("Ubuntu-22.04").values["repository"]
    assert wanted["is_new"] and wanted["content"] == marked(wanted["block"])
    found = plan("Ubuntu-22.04", sources={preparation.REPOSITORY: wanted["content"].replace("stable", "test")})
    assert not found.values["repository"]["is_new"]
    assert found.steps[0] == "add the repository https://download.docker.com/linux/ubuntu"


@pytest.mark.parametrize("system", ["Ubuntu-22.04", "RHEL-9"])
def test_packages_of_a_bare_host_are_installed_while_other_parts_are_prepared(system):
    found = plan(system, installed=["ca-certificates"])
    assert found.values["background"][-len(found.values["packages"]) :] == found.values["packages"]
    assert f"--unit={found.values['unit']}" in found.values["background"]
    # A unit of systemd does not have the environment of the play.
    assert plan(system, installed=["ca-certificates"], has_proxy=True).values["background"] == []


def test_docker_is_held_and_started_by_what_installs_it(monkeypatch):
    def settings(facts, options, system):
        return preparation.PartPlan([], [], {"start": True}, [], [])

    monkeypatch.setitem(preparation._PLAN, "docker", settings)
    found = plan("Ubuntu-22.04", installed=["ca-certificates"])
    after = "--property=ExecStartPost=/usr/bin/"
    assert [word[len(after) :] for word in found.values["background"] if word.startswith(after)] == [
        "apt-mark hold docker-ce docker-ce-cli containerd.io",
        "systemctl enable --now docker.service",
    ]


def test_apt_waits_for_a_lock_as_long_as_the_user_says():
    found = plan("Ubuntu-22.04", given(packages_timeout=90), installed=["ca-certificates"])
    assert "--option=DPkg::Lock::Timeout=90" in found.values["background"]


@pytest.mark.parametrize(
    ("system", "state"),
    [
        ("SLES-15", {"offered": {"docker": {"versions": ["25.0.6_ce-1"], "error": None}}}),
        ("Ubuntu-22.04", {}),  # its certificates come first
        ("Ubuntu-22.04", {"versions": {"docker": "27.5.1"}, "installed": DOCKER}),
        ("Ubuntu-22.04", {"versions": {"docker": "20.1"}, "options": REPLACE, "installed": ["ca-certificates"]}),
    ],
)
def test_packages_are_not_installed_in_the_background_where_others_are_changed_first(system, state):
    assert plan(system, **state).values["background"] == []


def test_what_a_repository_needs():
    assert "VERSION_CODENAME" in plan("Ubuntu-22.04", codename="").problems[0]
    found = plan("Ubuntu-22.04", given(docker_repository_url="mirror"))
    assert "ece_host_preparation_docker_repository_url 'mirror' is not a URL" in found.problems[0]


def test_the_name_of_the_release():
    assert preparation.codename_of('VERSION="22.04 LTS"\nVERSION_CODENAME=jammy\n') == "jammy"
    assert preparation.codename_of("ID=ubuntu\n") == ""


# -- an engine that is there -----------------------------------------------------------------------------------------


def test_an_engine_that_is_right_is_only_held():
    found = plan("Ubuntu-22.04", {}, {"docker": "27.5.1"}, DOCKER)
    assert found.steps == ["hold docker-ce, docker-ce-cli, containerd.io at the version"]
    assert found.values["docker"]["version"] == "27.5.1"
    held = plan("Ubuntu-22.04", {}, {"docker": "27.5.1"}, DOCKER, DOCKER)
    assert held.steps == []
    assert held.problems == []
    assert plan("Ubuntu-22.04", given(hold=False), {"docker": "27.5.1"}, DOCKER).steps == []


def test_what_podman_lacks_is_installed_in_its_version():
    found = plan("RHEL-9", {}, {"podman": "5.2.2"}, [*TOOLS, "podman"])
    assert found.values["packages"] == ["podman-remote-5.2.*", "containernetworking-plugins"]
    assert found.values["hold"] == ["podman-5.2.*", "podman-remote-5.2.*"]


@pytest.mark.parametrize("held", [["podman-5.*", "podman-remote-5.*"], ["podman-5:5.4.0-1.el9.*", "podman-remote"]])
def test_locks_of_dnf_in_any_form_are_right(held):
    names = [*TOOLS, "podman", "podman-remote", "containernetworking-plugins"]
    assert plan("RHEL-9", {}, {"podman": "5.4.0"}, names, held).steps == []


def test_dnf_needs_a_plugin_to_lock_versions():
    names = [*TOOLS, "podman", "podman-remote", "containernetworking-plugins"]
    found = plan("RHEL-9", {}, {"podman": "5.4.0"}, names, versionlock=False)
    assert found.values["packages"] == ["python3-dnf-plugin-versionlock"]
    options = given(engine_source="installed")
    found = plan("RHEL-9", options, {"podman": "5.4.0"}, names, versionlock=False)
    assert found.steps == []
    assert "python3-dnf-plugin-versionlock" in found.notes[0]


def test_an_engine_that_is_refused_is_replaced_only_if_that_is_allowed():
    options = given(version="4.0.3")
    found = plan("Ubuntu-22.04", options, {"docker": "27.5.1"}, DOCKER, DOCKER)
    assert found.problems == [
        "Docker 27.5.1 is installed, and ECE 4.0.3 on Ubuntu-22.04 supports Docker 25.0, 26.0, 27.0: install one of "
        "these, or set ece_host_preparation_replace_engine: true, which replaces it and stops its containers."
    ]
    found = plan("Ubuntu-22.04", dict(options, **REPLACE), {"docker": "27.5.1"}, [*DOCKER, "ca-certificates"], DOCKER)
    assert found.problems == []
    assert found.values["change"]
    assert found.values["packages"] == ["docker-ce=5:27.0.*", "docker-ce-cli=5:27.0.*", "containerd.io=1.7.*"]
    assert found.values["hold"] == list(DOCKER)


def test_locks_of_dnf_are_replaced_with_the_version():
    names = [*TOOLS, "podman", "podman-remote"]
    found = plan("RHEL-10", REPLACE, {"podman": "4.9.4"}, names, ["podman-4.*", "podman-remote-4.*", "x-1*"])
    assert found.values["unlock"] == ["podman-4.*", "podman-remote-4.*"]
    assert found.values["packages"] == found.values["hold"] == ["podman-5.*", "podman-remote-5.*"]
    assert found.values["podman"]["is_due"] is True
    assert plan("RHEL-10", {}, {"podman": "5.4.0"}, names).values["podman"]["is_due"] is False


def test_locks_that_are_left_of_an_engine_make_room_for_a_new_one():
    found = plan("RHEL-9", installed=TOOLS, held=["podman-4.*", "podman-remote-5.4.*", "podman-docker-4.*"])
    assert found.values["unlock"] == ["podman-4.*"]
    # That of podman-remote fits, and stays.
    assert found.values["hold"] == ["podman-5.*"]
    assert "unlock podman-4.*" in found.steps
    unread = plan("RHEL-9", installed=TOOLS, held=["podman-4.*"], versionlock=False)
    assert unread.values["unlock"] == []
    found = plan("Ubuntu-22.04", given(hold=False), installed=["ca-certificates"], held=["docker-ce", "vim"])
    assert (found.values["unlock"], found.values["hold"]) == (["docker-ce"], [])
    offered = {"docker": {"versions": ["29.4.1_ce-1"], "error": None}}
    found = plan("SLES-15", held=["docker"], offered=offered)
    assert (found.values["unlock"], found.values["hold"]) == (["docker"], ["docker"])
    # A pattern keeps other packages, too, and comes back.
    found = plan("SLES-15", held=["dock*", "docker"], offered=offered)
    assert (found.values["unlock"], found.values["hold"]) == (["dock*", "docker"], ["dock*"])
    found = plan("SLES-15", given(hold=False), held=["dock*"], offered=offered)
    assert (found.values["unlock"], found.values["hold"]) == (["dock*"], ["dock*"])
    # An engine that is there and right keeps its locks.
    assert plan("Ubuntu-22.04", {}, {"docker": "27.5.1"}, DOCKER, DOCKER).values["unlock"] == []


@pytest.mark.parametrize("held", ["docker", "docker*", "*ocker"])
def test_locks_of_zypper_in_any_form_are_right(held):
    installed = ["curl", "device-mapper", "lvm2", "net-tools", "docker"]
    assert plan("SLES-15", {}, {"docker": "25.0.6"}, installed, [held]).steps == []
    assert plan("SLES-15", {}, {"docker": "25.0.6"}, installed, ["docker-*"]).values["hold"] == ["docker"]


def test_the_minor_version_is_locked_that_was_installed():
    names = [*TOOLS, "podman", "podman-remote", "containernetworking-plugins"]
    # As the tasks look again after the packages are there.
    found = plan("RHEL-9", given(engine_source="installed"), {"podman": "5.4.0"}, names)
    assert found.values["hold"] == ["podman-5.4.*", "podman-remote-5.4.*"]
    held = plan("RHEL-9", given(engine_source="installed"), {"podman": "5.4.0"}, names, found.values["hold"])
    assert held.values["hold"] == []


def test_an_engine_of_another_version_than_the_one_that_is_asked_for():
    found = plan("Ubuntu-22.04", given(engine_version="26"), {"docker": "27.5.1"}, DOCKER)
    assert "ece_host_preparation_engine_version is 26: leave that out, or set" in found.problems[0]
    assert plan("Ubuntu-22.04", given(engine_version="27"), {"docker": "27.5.1"}, DOCKER, DOCKER).problems == []


def test_an_engine_of_which_nothing_is_known_is_noted():
    found = plan("Ubuntu-22.04", {}, {"docker": "28.1.0"}, DOCKER, DOCKER)
    assert found.problems == []
    assert "Docker 28.1.0 is installed, which is not among what ECE 4.2.0 is known here to support" in found.notes[0]


def test_docker_without_its_command():
    found = plan("Ubuntu-22.04", {}, {"docker": "27.5.1"}, DOCKER, DOCKER, docker_command=False)
    assert found.problems == ["Docker's daemon is installed, but there is no docker command: install its package."]


def test_docker_of_snap():
    assert "snap remove docker" in plan("Ubuntu-22.04", snap=True).problems[0]


# -- two engines -----------------------------------------------------------------------------------------------------

BOTH = {"docker": "27.5.1", "podman": "4.9.3"}


def test_another_engine_is_removed_only_if_that_is_allowed():
    found = plan("Ubuntu-22.04", {}, BOTH, [*DOCKER, "podman"], DOCKER)
    assert found.problems == [
        "Podman is installed, and the host gets Docker: remove it, or set ece_host_preparation_replace_engine: true, "
        "which removes it."
    ]
    others = {"podman": {"ece": [], "error": None}}
    found = plan("Ubuntu-22.04", REPLACE, BOTH, [*DOCKER, "podman", "podman-docker"], DOCKER, others=others)
    assert found.problems == []
    assert found.values["remove"] == ["podman", "podman-docker"]
    assert found.steps == ["remove podman, podman-docker"]


@pytest.mark.parametrize(
    ("containers", "installed", "sentence"),
    [
        (
            {"ece": ["frc-runners-runner"], "error": None},
            ["podman"],
            "Podman has containers of ECE, and is not removed.",
        ),
        ({"ece": [], "error": "no answer"}, ["podman"], "Podman does not list its containers (no answer)"),
        ({"ece": [], "error": None}, [], "Podman is in no package that this role knows: remove it."),
    ],
)
def test_what_keeps_another_engine(containers, installed, sentence):
    found = plan("Ubuntu-22.04", REPLACE, BOTH, [*DOCKER, *installed], DOCKER, others={"podman": containers})
    assert found.problems[0].startswith(sentence)


def test_dpkg_is_repaired_only_before_apt_is_used():
    packages = {"installed": {}, "provided": {}, "held": [], "interrupted": True}
    found = plan("Ubuntu-22.04", packages=packages)
    assert found.values["interrupted"]
    assert "finish what dpkg was interrupted in (dpkg --configure -a)" in found.steps
    packages = {"installed": dict.fromkeys(DOCKER, "1"), "provided": {}, "held": [], "interrupted": True}
    assert not plan("Ubuntu-22.04", {}, {"docker": "27.5.1"}, packages=packages).values["interrupted"]


# -- an engine that does not answer ----------------------------------------------------------------------------------


def silent(name, *, known=False):
    return {"engine": {"name": name, "store": {"folder": None}}, "containers_known": known}


@pytest.mark.parametrize(
    ("docker", "podman", "engine", "sentence"),
    [
        ([], [], "docker", ""),
        (["web"], ["db"], "docker", ""),
        (["web", "frc-runners-runner"], [], "docker", "Docker does not answer and has containers of ECE (frc-runners-"),
        ([], ["fac-abc"], "podman", "Podman does not answer and has containers of ECE (fac-abc) in /store"),
        ([], ["fac-abc"], "docker", "Podman does not answer and has containers of ECE (fac-abc) in /store"),
        (None, [], "docker", "Docker does not answer, and which containers it has cannot be read"),
        (None, [], "podman", ""),
        ([], None, "podman", "Podman does not answer, and which containers it has cannot be read"),
    ],
)
def test_a_silent_engine_that_keeps_containers_of_ece(monkeypatch, docker, podman, engine, sentence):
    def keeps(names):
        def read(*_facts):
            if names is None:
                raise ValueError("it has no name")
            return "/store", names

        return read

    monkeypatch.setattr(preparation, "docker_containers", keeps(docker))
    monkeypatch.setattr(preparation, "podman_containers", keeps(podman))
    reason = preparation.reason_of_stores(silent(engine))
    assert reason.startswith(sentence) and bool(reason) is bool(sentence)
    if None in (docker, podman):
        assert preparation.reason_of_stores(silent(engine, known=True)) == ""


# -- tasks -----------------------------------------------------------------------------------------------------------


def tasks(name):
    found = yaml.safe_load((ROLE / "tasks" / name).read_text(encoding="utf-8"))
    return [inner for task in found for inner in (task, *task.get("block", ()))]


def test_each_try_to_get_a_lock_is_short_because_there_are_many():
    for task in tasks("engine_apt.yml"):
        if "until" in task:
            wait = task.get("ansible.builtin.apt", {}).get("lock_timeout", 0)
            assert wait + task["delay"] == 20, task["name"]
    assert "// 20" in tasks("engine_finish.yml")[0]["vars"]["__ece_host_preparation_tries"]
    assert sum("until" in task for task in tasks("engine_apt.yml")) == 4


def test_what_check_mode_would_fail_on_is_skipped():
    (download,) = (task for task in tasks("engine_repository.yml") if "ansible.builtin.get_url" in task)
    assert download["when"] == "not ansible_check_mode"
    (settings,) = (task for task in tasks("engine.yml") if "ece.platform.ece_preparation_docker" in task)
    assert "check_mode" not in settings["when"]


def test_what_is_not_installed_in_the_background_is_installed_by_modules():
    (begins,) = (task for task in tasks("engine_background.yml") if "ansible.builtin.command" in task)
    (waits,) = (task for task in tasks("engine_finish.yml") if "ansible.builtin.command" in task)
    assert begins["failed_when"] is False and waits["failed_when"] is False
    includes = {
        task["ansible.builtin.include_tasks"]: task.get("when")
        for task in tasks("engine_finish.yml")
        if "ansible.builtin.include_tasks" in task
    }
    assert includes["engine_install.yml"] == f"{waits['register']}.rc | default(1) != 0"
    # The result of an earlier run of the role in the same play does not count.
    assert "__ece_host_preparation_engine.background | length > 0" in waits["when"]


def test_what_the_tasks_of_podman_leave_to_others():
    units = [
        task["ansible.builtin.systemd_service"]
        for task in tasks("podman.yml")
        if "loop" in task or "when" in task
        if "ansible.builtin.systemd_service" in task
    ]
    assert len(units) == 2 and not any("masked" in unit for unit in units)
    removing = {
        task["loop"]: task.get("ansible.builtin.command", task.get("ansible.builtin.file"))
        for task in tasks("podman.yml")
        if "removed_" in str(task.get("loop"))
    }
    # Only rmdir fails on a folder that is not empty.
    (folders,) = (module for loop, module in removing.items() if "removed_folders" in loop)
    assert folders == {"argv": ["rmdir", "{{ item }}"]}
    (copy,) = (task for task in tasks("podman.yml") if "files" in str(task.get("loop")))
    assert copy["ansible.builtin.copy"]["backup"] == "{{ item.backup }}"


@pytest.mark.parametrize("name", sorted(path.name for path in (ROLE / "tasks").glob("*.yml")))
def test_dnf_needs_no_round_trip_to_know_itself(name):
    for task in tasks(name):
        if "ansible.builtin.dnf" in task:
            assert task["ansible.builtin.dnf"]["use_backend"] == "dnf4"


# -- reading ---------------------------------------------------------------------------------------------------------


def test_what_is_read(monkeypatch):
    commands = {"dockerd": "/usr/bin/dockerd", "podman": "/usr/bin/podman"}
    monkeypatch.setattr(preparation, "find_command", lambda name, _paths=(): commands.get(name))
    output = preparation.run_command(["true"])._replace(out="podman version 4.9.3\n")
    monkeypatch.setattr(preparation, "run_command", lambda *_args, **_more: output)
    listing = type("Listing", (), {"containers": [{"name": "frc-runners-runner"}], "error": None})
    monkeypatch.setattr(preparation, "list_containers", lambda *_args: listing)
    monkeypatch.setattr(preparation, "read_packages", lambda manager, names: {"manager": manager, "names": names})
    monkeypatch.setattr(preparation, "_READ", {"docker": lambda *_args: {"text": "{}"}})
    facts = {"engine": {"name": "docker", "version": "27.0.3"}}
    found = preparation.read_engine(facts, dict(OPTIONS, **REPLACE), SYSTEMS["Ubuntu-22.04"])
    assert found["versions"] == {"docker": "27.0.3", "podman": "4.9.3"}
    assert found["others"] == {"podman": {"ece": ["frc-runners-runner"], "error": None}}
    assert {"docker-ce", "docker.io", "runc", "podman"} <= set(found["packages"]["names"])
    assert found["docker"] == {"text": "{}"}
    assert preparation.read_engine(facts, OPTIONS, SYSTEMS["Ubuntu-22.04"])["others"] == {}


def test_zypper_is_asked_only_where_something_is_to_be_installed(monkeypatch):
    monkeypatch.setattr(preparation, "find_command", lambda _name, _paths=(): None)
    monkeypatch.setattr(preparation, "read_packages", lambda *_args: {})
    monkeypatch.setattr(preparation, "_READ", {"docker": lambda *_args: {}})
    monkeypatch.setattr(preparation, "offered_by_zypper", lambda name, wait: f"{name} {wait}")
    facts = {"engine": {"name": None, "version": None}}
    assert preparation.read_engine(facts, OPTIONS, SYSTEMS["SLES-15"])["offered"] == {"docker": "docker 600"}
    options = dict(OPTIONS, ece_host_preparation_engine_source="installed")
    assert preparation.read_engine(facts, options, SYSTEMS["SLES-15"])["offered"] == {}
