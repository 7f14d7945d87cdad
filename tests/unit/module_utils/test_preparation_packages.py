# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What package managers have installed, held and on offer, from samples of their output."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_packages as packages
from ansible_collections.ece.platform.plugins.module_utils._host_process import Output

URL = "https://download.docker.com/linux/ubuntu"


@pytest.mark.parametrize(
    ("manager", "name", "version", "spec"),
    [
        ("apt", "docker-ce", "5:27.0.*", "docker-ce=5:27.0.*"),
        ("dnf", "podman-remote", "5.*", "podman-remote-5.*"),
        ("zypper", "docker", "25.0.6_ce-150000.207.1", "docker=25.0.6_ce-150000.207.1"),
        ("dnf", "containernetworking-plugins", "", "containernetworking-plugins"),
    ],
)
def test_a_package_as_its_manager_takes_it(manager, name, version, spec):
    assert packages.spec_of(manager, name, version) == spec
    assert packages.name_of(manager, spec) == name


@pytest.mark.parametrize(
    ("manager", "spec", "name"),
    [
        ("apt", "docker.io/jammy-updates", "docker.io"),
        ("apt", "docker.io:amd64", "docker.io"),
        ("dnf", "podman-4:4.9.4-1.el8", "podman"),
        ("dnf", "python3-dnf-plugin-versionlock", "python3-dnf-plugin-versionlock"),
        ("zypper", "docker<26", "docker"),
    ],
)
def test_names_in_other_ways_to_give_a_package(manager, spec, name):
    assert packages.name_of(manager, spec) == name


def test_packages_of_dpkg():
    text = (
        "docker.io\t20.10.24+dfsg1-1\thold\tinstalled\n"
        "containerd\t1.6.20~ds1-1\tinstall\tinstalled\n"
        "runc\t\tunknown\tnot-installed\n"
        "docker-ce\t5:27.0.3-1\thold\tconfig-files\n"
        "dpkg-query: no packages found matching podman\n"
    )
    installed, held = packages.parse_dpkg(text)
    assert installed == {"docker.io": "20.10.24+dfsg1-1", "containerd": "1.6.20~ds1-1"}
    assert held == ["docker.io", "docker-ce"]


def test_packages_of_rpm():
    assert packages.parse_rpm("podman\t5.4.0\npackage docker-ce is not installed\n") == {"podman": "5.4.0"}


def test_a_package_that_another_provides_is_there(monkeypatch):
    def run(argv, **_more):
        asked = [name for name in argv[2:] if not name.startswith("-") and "%" not in name]
        if "--whatprovides" in argv:
            assert asked == ["iptables", "docker"]
            return Output(1, "iptables\t1.8.10\niptables-nft\t1.8.10\nno package provides docker\n", "")
        assert asked == ["lvm2", "iptables", "docker"]
        return Output(2, "lvm2\t2.03\npackage iptables is not installed\n", "")

    monkeypatch.setattr(packages, "run_command", run)
    found = packages.read_packages("dnf", ["lvm2", "iptables", "docker"], "/nowhere")
    # What is removed or held has to be a package's own name.
    assert (found["installed"], found["provided"]) == ({"lvm2": "2.03"}, {"iptables": "1.8.10"})


@pytest.mark.parametrize(
    ("entry", "spec", "room"),
    [
        ("podman-4.*", "podman-5.*", False),
        ("podman-5.4.*", "podman-5.*", True),
        ("podman-5.*", "podman-5.4.*", True),
        ("podman-5:5.4.0-1.el9.*", "podman-5.*", True),
        ("podman-4:4.9.4-1.el8.*", "podman-5.*", False),
        ("podman", "podman-5.*", True),
        ("podman-4.*", "podman", True),
    ],
)
def test_whether_a_lock_leaves_room_for_a_version(entry, spec, room):
    assert packages.fits(entry, spec, "podman") is room


def test_locks_of_dnf():
    text = "# Added lock on Mon\npodman-4.*\n\npodman-remote-4:4.9.4-1.el8.*  # mine\n!podman-5*\n"
    entries = packages.locks_of_dnf(text)
    assert packages.locks_on("podman", entries) == ["podman-4.*"]
    assert packages.locks_on("podman-remote", entries) == ["podman-remote-4:4.9.4-1.el8.*"]
    assert packages.locks_on("pod", entries) == []


def test_locks_of_zypper():
    text = "\ntype: package\nmatch_type: glob\ncase_sensitive: on\nsolvable_name: docker\n\nsolvable_name: kernel*\n"
    assert packages.locks_of_zypper(text) == ["docker", "kernel*"]
    assert packages.locks_of_zypper("") == []


@pytest.mark.parametrize(
    "field", ["type: pattern", "version: == 25.0.6", "repo: main", "match_type: regex", "install_status: not-installed"]
)
def test_locks_of_zypper_that_keep_no_package(field):
    text = f"{field}\nsolvable_name: docker\n"
    assert packages.locks_of_zypper(text) == []
    assert packages.locks_of_zypper(f"{text}\ntype: package\r\nsolvable_name: docke?\r\n") == ["docke?"]


def test_locks_of_zypper_are_patterns():
    entries = ["docker*", "docke[r]", "docker-*", "*ocker", "Docker", "docker"]
    assert packages.zypper_locks_on("docker", entries) == ["docker*", "docke[r]", "*ocker", "docker"]


def test_dpkg_is_interrupted_if_its_journal_has_entries(tmp_path):
    assert not packages.is_interrupted(str(tmp_path))
    folder = tmp_path / "var/lib/dpkg/updates"
    folder.mkdir(parents=True)
    (folder / "tmp.i").touch()
    assert not packages.is_interrupted(str(tmp_path))
    (folder / "0000").touch()
    assert packages.is_interrupted(str(tmp_path))


def test_versions_that_zypper_offers_oldest_first():
    def solvable(name, edition, kind="package"):
        return f'<solvable status="not-installed" name="{name}" kind="{kind}" edition="{edition}" arch="x86_64"/>'

    text = "".join(
        [
            "<stream><search-result><solvable-list>",
            solvable("docker", "28.3.3_ce-150000.230.1"),
            solvable("docker", "25.0.6_ce-150000.207.1"),
            solvable("docker", "25.0.6_ce-150000.207.1"),
            solvable("docker", "9.0", kind="pattern"),
            solvable("docker-stable", "24.0.9_ce-1"),
            "</solvable-list></search-result></stream>",
        ]
    )
    assert packages.parse_zypper(text, "docker") == ["25.0.6_ce-150000.207.1", "28.3.3_ce-150000.230.1"]
    assert packages.parse_zypper("", "docker") == []
    builds = [f"25.0.6_ce-150000.{build}.1" for build in (98, 207, 1001)]
    assert packages.parse_zypper("".join(solvable("docker", one) for one in sorted(builds)), "docker") == builds


@pytest.mark.parametrize(
    ("rc", "out", "error"),
    [
        (0, "", None),
        (104, '<message type="error">nothing found</message>', None),
        (7, '<message type="error">System management is locked\nby 12</message>', "System management is locked by 12"),
        (127, "", "no such command"),
    ],
)
def test_a_zypper_that_does_not_answer(monkeypatch, rc, out, error):
    def run(argv, timeout):
        assert argv[:3] == ["env", "ZYPP_LOCK_TIMEOUT=600", "zypper"]
        assert timeout > 600
        return Output(rc, out, "no such command\n")

    monkeypatch.setattr(packages, "run_command", run)
    assert packages.offered_by_zypper("docker", 600) == {"versions": [], "error": error}


ONE_LINE = f"# deb {URL} focal stable\ndeb [arch=amd64 signed-by=/etc/apt/keyrings/docker.gpg] {URL}/ jammy stable\n"
DEB822 = f"""# Types: deb

Types: deb
URIs: {URL}/
Suites: jammy
Components: stable
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 x
"""


@pytest.mark.parametrize(
    ("name", "text", "suite", "has_it"),
    [
        ("docker.list", ONE_LINE, "jammy", True),
        ("docker.list", ONE_LINE.replace("\n", "\r\n"), "jammy", True),
        ("docker.list", ONE_LINE, "focal", False),
        ("docker.list", ONE_LINE.replace("deb [", "deb-src ["), "jammy", False),
        ("docker.list", f"deb {URL} jammy stable", "jammy", True),
        ("docker.list", "deb http://archive.ubuntu.com/ubuntu jammy main", "jammy", False),
        ("docker.sources", DEB822, "jammy", True),
        ("docker.sources", DEB822.replace("\n", "\r\n"), "jammy", True),
        ("docker.sources", DEB822 + "Enabled: no\n", "jammy", False),
        ("docker.sources", DEB822, "noble", False),
        ("docker.sources", DEB822.replace("Types: deb\nURIs", "Types: deb-src\nURIs"), "jammy", False),
    ],
)
def test_a_repository_that_the_host_has_under_another_name(tmp_path, name, text, suite, has_it):
    folder = tmp_path / "etc/apt/sources.list.d"
    folder.mkdir(parents=True)
    (folder / "docker.list.save").write_text(ONE_LINE)
    (folder / name).write_text(text)
    sources = packages.apt_sources(str(tmp_path))
    assert packages.file_with(sources, URL, suite) == (str(folder / name) if has_it else None)


def test_the_repository_that_is_written_is_found_again():
    text = packages.repository_text(URL, "jammy", "amd64", "/etc/apt/keyrings/ece-docker.asc")
    assert "Signed-By: /etc/apt/keyrings/ece-docker.asc\n" in text
    assert packages.file_with({"/etc/apt/sources.list.d/ece-docker.sources": text}, URL, "jammy")
