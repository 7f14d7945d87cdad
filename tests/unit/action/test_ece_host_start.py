# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The start of an installer: with the token and the script, in one go, or not at all."""

from __future__ import annotations

import time

import pytest

from ansible_collections.ece.platform.plugins.action import ece_host_start
from ansible_collections.ece.platform.plugins.module_utils._enrollment import utc
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError


@pytest.fixture
def start(bare, tmp_path):
    """Start with a minted token of a given age and validity; C(ran) of the function keeps what was run on the host."""

    def act(age=0.0, granted=2120, installer_src=None, minted=None, persistent=False, **needed):
        now = time.time()
        if minted is None:
            expires_at = None if persistent else utc(now - age + granted)
            minted = {"token": "the-token", "expires_at": expires_at, "minted_at": utc(now - age)}
        action = bare(ece_host_start)
        action._find_needle = lambda folder, name: str(tmp_path / name)
        action._execute_module = lambda module_name, module_args, task_vars: (
            act.ran.append((module_name, module_args)) or {"changed": True}
        )
        need = {"validity_seconds": None if persistent else 2120, "stopped": None, "at_any_age": False, **needed}
        return action.act(
            {
                "need": need,
                "minted": minted,
                "install": {"timeout": 1800, "user": "elastic"},
                "installer_src": installer_src,
            },
            {},
        )

    act.ran = []
    return act


def test_the_installer_gets_its_options_and_the_token_and_is_not_waited_for(start):
    assert start() == {"changed": True}
    assert start.ran == [
        ("ece.platform.ece_install", {"timeout": 1800, "user": "elastic", "token": "the-token", "wait": False})
    ]


def test_a_file_of_the_controller_goes_along_to_the_byte(start, tmp_path):
    (tmp_path / "installer.sh").write_bytes(b"#!/bin/bash\r\n# \xc3\xa9\n\n")
    start(installer_src="installer.sh")
    assert start.ran[0][1]["installer_content"].encode() == b"#!/bin/bash\r\n# \xc3\xa9\n\n"


@pytest.mark.parametrize(
    ("age", "granted", "late"),
    [(0, 2120, False), (200, 2120, False), (300, 2120, True), (2, 900, False), (300, 900, True)],
)
def test_a_token_that_would_expire_before_the_installers_time_is_over_starts_nothing(start, age, granted, late):
    assert start(age, granted).get("late", False) is late
    assert bool(start.ran) is not late


def test_a_token_may_have_to_be_used_at_any_age(start):
    assert start(age=100_000, at_any_age=True) == {"changed": True}


def test_where_too_many_hosts_have_failed_nothing_is_started(start):
    with pytest.raises(PlatformError, match="^too many: no further installer is started$"):
        start(stopped="too many: no further installer is started")
    assert start.ran == []


def test_a_persistent_token_is_never_too_old(start):
    assert start(age=100_000, persistent=True) == {"changed": True}


def test_in_check_mode_there_is_no_token_and_none_is_missed(start):
    start(minted={"token": None, "expires_at": None, "minted_at": None})
    assert start.ran[0][1]["token"] is None


@pytest.mark.parametrize(
    ("minted", "words"),
    [
        (
            {"failed": False, "msg": "POST enrollment-tokens answered HTTP 403: no"},
            "there is no token to join with: POST enrollment-tokens answered HTTP 403: no",
        ),
        ({"skipped": True}, "there is no token to join with: the mint ended without a word"),
    ],
)
def test_without_a_token_the_mints_own_words_are_the_hosts(start, minted, words):
    with pytest.raises(PlatformError, match=words):
        start(minted=minted)
    assert start.ran == []
