# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The support matrix, and the table in the text of an installer. test_host_rules has the rows."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _matrix as matrix


@pytest.mark.parametrize(
    ("accepted", "version", "is_accepted"),
    [
        ("25.0", "25.0.5", True),
        ("25.0", "25.1.0", False),
        ("27", "27.5.1", True),
        ("2", "27.5.1", False),
        ("29.3+", "29.3.0", True),
        ("29.3+", "29.10.1", True),
        ("29.3+", "29.2.9", False),
        ("29.3+", "30.0.0", False),
        ("29.3+", "29", False),
        ("4", "4.9.4", True),
        ("4", "", False),
    ],
)
def test_a_version_is_compared_by_as_many_numbers_as_are_given(accepted, version, is_accepted):
    assert matrix.matches(accepted, version) is is_accepted


EXPECTED = {"4.0": ["RHEL-9 podman 4", "RHEL-9 podman 5", "Ubuntu-22.04 docker 25.0"], "4.2": ["SLES-15 docker 29.0"]}


@pytest.mark.parametrize(
    "text",
    [
        """declare -A ECE_compatibility
ECE_compatibility["4.0"]="RHEL-9_Podman-4 RHEL-9_Podman-5 Ubuntu-22.04_Docker-25.0"
ECE_compatibility["4.2"]="SLES-15_Docker-29.0"
""",
        """declare -A accepted=(
  [4.0]='RHEL-9_podman-4 RHEL-9_podman-5
         Ubuntu-22.04_docker-25.0'
  [4.2]='SLES-15_docker-29.0'
)
""",
        """accepted['4.0']="RHEL-9: Podman 4, Podman 5; Ubuntu-22.04: Docker 25.0"
accepted['4.2']="SLES-15: Docker 29.0"
""",
    ],
)
def test_the_table_of_an_installer_is_read_in_several_shapes(text):
    assert matrix.script_matrix(text) == EXPECTED


@pytest.mark.parametrize(
    "text",
    ["", "#!/bin/bash\nCLOUD_ENTERPRISE_VERSION=3.5.1\n", 'ports["1.0"]="20000 21000"', "[4.0]=(docker-25.0)"],
)
def test_an_installer_without_a_table_has_none(text):
    assert matrix.script_matrix(text) == {}


@pytest.mark.parametrize("texts", [["RHEL-9", 5, None, "RHEL-9 rkt 1", "RHEL-9 podman x"], "RHEL-9", None, []])
def test_what_is_not_understood_of_a_table_refuses_nothing(texts):
    table = {"4.0": ["RHEL-9 podman 4"], "4.1": texts, "x": ["RHEL-9 podman 5"]}
    assert matrix.expectation("4.0.3", table, "unknown").row == {"RHEL-9": {"podman": ("4",)}}
    for system, engine, version in (("RHEL-9", "podman", "6.4.0"), ("RHEL-10", "docker", "29.0.0")):
        assert matrix.verdict(matrix.expectation("4.1.0", table, None), system, engine, version) == matrix.UNCLEAR
        assert matrix.verdict(matrix.expectation("4.0.0", table, None), system, engine, version) == matrix.REFUSED


def test_a_system_with_more_numbers_than_hosts_are_compared_by_refuses_nothing():
    table = matrix.script_matrix('accepted["4.3"]="RHEL-9_Podman-5 SLES-15.6_Docker-29.3"')
    expected = matrix.expectation("4.3.0", table, "4.3.0")
    assert matrix.verdict(expected, "SLES-15", "docker", "29.3.1") == matrix.UNCLEAR
    assert matrix.verdict(expected, "RHEL-9", "podman", "5.4.0") == matrix.ACCEPTED


def test_a_version_in_the_table_of_a_later_script_means_what_is_documented_of_its_major():
    table = {"4.2": ["SLES-15 docker 25.0", "SLES-15 docker 29.0", "SLES-15 docker 29.1", "SLES-15 docker 31.0"]}
    assert matrix.expectation("4.2.0", table, "4.2.0").row == {"SLES-15": {"docker": ("25", "29.3+", "31.0")}}
    assert matrix.expectation("4.2.0", table, "4.0.3").row["SLES-15"]["docker"] == ("25.0", "29.0", "29.1", "31.0")


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("RHEL-9_Podman-5 AlmaLinux-9_Podman-5", ["RHEL-9 podman 5", "AlmaLinux-9_", "RHEL-9 podman 5"]),
        ("RHEL-9_Podman-5 Ubuntu-24.04_Docker-2[79].0", ["RHEL-9 podman 5", "Ubuntu-24.04 docker 2", "[79].0"]),
        ("RHEL-9_Podman-5 ${common}", ["RHEL-9 podman 5", "${common}"]),
        ("(RHEL-8|RHEL-9)_Podman-5", ["(", "|", "RHEL-8", ")_", "RHEL-9 podman 5"]),
        ("RHEL-9_Podman-5 SLES-15", ["RHEL-9 podman 5", "SLES-15"]),
        ("Docker-29.0 RHEL-9_Podman-5", ["Docker-29.0", "RHEL-9 podman 5"]),
    ],
)
def test_a_pattern_that_is_not_known_makes_its_release_one_that_refuses_nothing(value, parts):
    found = matrix.script_matrix(f'ports["4.2"]="20000"\nx["4.2"]="{value}"\nx["4.0"]="RHEL-9_Podman-4"\n')
    assert set(found) == {"4.2", "4.0"}
    expected = matrix.expectation("4.2.0", found, "4.2.0")
    assert matrix.verdict(expected, "Debian-12", "docker", "20.0.0") == matrix.UNCLEAR
    assert found["4.2"] == parts


def test_an_addition_to_an_entry_is_read():
    text = 'x["4.2"]="RHEL-9_Podman-5"\nx["4.2"]+=" RHEL-10_Podman-5"\n'
    assert matrix.script_matrix(text) == {"4.2": ["RHEL-9 podman 5", "RHEL-10 podman 5"]}


def test_rocky_linux_has_one_name():
    assert matrix.script_matrix('x["4.2"]="Rocky-10_Podman-5"') == {"4.2": ["RockyLinux-10 podman 5"]}
