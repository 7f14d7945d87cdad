# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of the machine reaches the tests and the programs that they start: environment variables, and programs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping

# What changes how Ansible, AWX, Event-Driven Ansible, Python, git, make, ssh and other programs of the tests work.
# Settings of pip and of container engines stay: they say how this machine gets packages and runs containers.
_SETTING = re.compile(
    r"ANSIBLE_|ECE_|CONTROLLER_|TOWER_|AAP_|AWX_|EDA_|JUNIT_|PYTHON|GIT_|SSH_|XDG_(CONFIG|CACHE|DATA|STATE)_"
    r"|(GNU)?MAKE(FLAGS|LEVEL|OVERRIDES|FILES)$|MFLAGS$|VERSION$|BASH_ENV$|ENV$|CDPATH$|(NO_|FORCE_|CLI)COLOR|COLUMNS$",
    re.IGNORECASE,
)
# Where programs connect, whom they trust, and as whom they log in. Programs that download need these.
_NETWORK = re.compile(
    r"NETRC$|(REQUESTS|CURL)_CA_BUNDLE$|SSL_CERT_|(HTTP|HTTPS|FTP|ALL|NO)_PROXY$",
    re.IGNORECASE,
)
# Settings of the tests themselves, which tests/README.md and the Makefile name.
_OF_THE_TESTS = re.compile(
    r"ECE_(COLLECTIONS_PATH|OTHER_COLLECTIONS|OLDEST_CORE|EDA|GALAXY_TOOLS|API_SPEC|FUZZ_SEED|TEST_[A-Z]+)$"
)
# Without these, git reads the settings of the user. It has to trust a checkout that is another user's.
_GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}


def without_settings(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a program under test: this process's, by default, without settings of the machine."""
    return {name: value for name, value in for_downloads(environment).items() if not _NETWORK.match(name)}


def for_downloads(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the same environment for a program that downloads: it has the machine's proxies and CAs."""
    given = os.environ if environment is None else environment
    return {**{name: value for name, value in given.items() if not _SETTING.match(name)}, **_GIT}


def of_a_session(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a session of pytest, which has the settings of the tests."""
    own = {name: value for name, value in environment.items() if _OF_THE_TESTS.match(name)}
    return {**for_downloads(environment), **own}


def need(*programs: str) -> None:
    """Raise AssertionError if a program is missing that tests/packages.sh installs."""
    missing = [program for program in programs if not shutil.which(program)]
    assert not missing, f"{', '.join(missing)} is missing here: `make packages` installs it, as root"
