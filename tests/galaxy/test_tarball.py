# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tarball has what users need, and nothing else."""

from __future__ import annotations

import fnmatch
import tarfile

import pytest

from tests.galaxy.conftest import tracked

# What only developers need. Patterns match paths, and `*` matches slashes, too.
LEFT_OUT = (
    ".*",
    "Makefile",
    "docs/conf.py",
    "docs/static/*",
    "examples/*",
    "extensions/molecule/*",
    "galaxy.yml",
    "noxfile.py",
    "ruff.toml",
    "tests/*",
)
# Of tests, ansible-test reads this file.
SHIPPED = ("tests/config.yml",)


@pytest.fixture(scope="module")
def names(tarball):
    with tarfile.open(tarball) as archive:
        return {member.name for member in archive if member.isfile()} - {"MANIFEST.json", "FILES.json"}


def for_users(name):
    return name in SHIPPED or not any(fnmatch.fnmatchcase(name, pattern) for pattern in LEFT_OUT)


def test_the_tarball_has_all_files_for_users_and_no_others(names):
    assert names == {name for name in tracked() if for_users(name)}


@pytest.mark.parametrize("name", ["LICENSE", "LICENSES/GPL-3.0-or-later.txt", "CHANGELOG.rst", "meta/runtime.yml"])
def test_what_galaxy_and_its_users_look_for_is_there(name, names):
    assert name in names


def test_no_file_is_a_link_out_of_the_collection(tarball):
    with tarfile.open(tarball) as archive:
        assert [member.name for member in archive if not (member.isfile() or member.isdir())] == []
