# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decision on one host, as a task's result."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_host_verdict

ENTRY = {"name": "a", "state": "unknown", "roles": ["allocator"], "runner_id": "10.0.0.1", "missing_roles": []}

TIMES = {"install_timeout": 1800, "connect_timeout": 600, "batch": 11, "forks": 5}


@pytest.mark.parametrize(
    ("state", "facts", "replace", "verdict", "failed"),
    [
        ("unknown", {}, False, "install", False),
        ("unknown", {"installer_running": True}, False, "wait", False),
        ("unknown", {"ece_containers": ["frc-runners-runner"]}, False, "half-installed", True),
        ("disconnected", {"ece_containers": ["frc-runners-runner"]}, True, "ill", True),
        ("disconnected", {}, False, "stale", True),
        ("disconnected", {}, True, "replace", False),
        ("missing_roles", {}, False, "assign_roles", False),
    ],
)
def test_rows_of_the_verdict_table(bare, state, facts, replace, verdict, failed):
    arguments = {"entry": {**ENTRY, "state": state}, "check": {"facts": facts}, "replace_stale": replace, **TIMES}
    result = bare(ece_host_verdict).act(arguments, {})
    assert (result["verdict"], result["failed"]) == (verdict, failed)
    assert result["msg"] and result["roles"] == ["allocator"] and result["token_validity"] == 1800 + 300 + 3 * 20


def test_problems_refuse_and_warnings_warn(bare):
    check = {"facts": {}, "problems": ["There is no socket."], "warnings_found": ["Little memory."]}
    result = bare(ece_host_verdict).act({"entry": ENTRY, "check": check, "replace_stale": False, **TIMES}, {})
    assert result["failed"] and result["verdict"] == "refused" and "There is no socket." in result["msg"]
    assert result["warnings"] == ["a: Little memory."]


@pytest.mark.parametrize("state", ["unknown", "disconnected"])
def test_without_a_word_of_the_engine_nothing_is_installed_and_nothing_deleted(bare, state):
    arguments = {"entry": {**ENTRY, "state": state}, "check": {"facts": {"containers_known": False}}, "replace_stale": True, **TIMES}
    result = bare(ece_host_verdict).act(arguments, {})
    assert (result["verdict"], result["failed"]) == ("refused", True) and "the container engine does not answer" in result["msg"]
