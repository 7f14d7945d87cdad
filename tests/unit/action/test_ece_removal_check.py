# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of a host that is removed: what it asks, and that it never fails a host."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.ece.platform.plugins.action import ece_removal_check
from tests.unit.module_utils.test_removal_plan import FACTS


@pytest.fixture
def check(bare):
    """Run the check for a host that answers so. Returns its result and what the host was sent."""

    def run(answer, **variables):
        step, sent = bare(ece_removal_check, variables=variables), []

        def execute(name, module_args, task_vars):
            sent.append((name, module_args))
            if isinstance(answer, Exception):
                raise answer
            return answer

        step._execute_module = execute
        return step.act({}, {}), sent

    return run


def test_a_host_says_who_it_is_in_one_question(check):
    result, sent = check({"facts": {**FACTS, "memory": {}}}, ece_host_bin_paths=["/opt"], ece_host_user="elastic")
    assert result["facts"] == FACTS and result["problem"] == result["error"] == "" and not result["changed"]
    assert sent == [
        ("ece.platform.ece_host_info", {"user": "elastic", "bin_paths": ["/opt"], "skip_checks": ["all"]}),
    ]


@pytest.mark.parametrize("answer", [AnsibleConnectionFailure("timed out"), {"unreachable": True, "msg": "timed out"}])
def test_a_host_that_cannot_be_reached_stays_in_the_play(check, answer):
    result, _sent = check(answer)
    assert result["facts"] is None and "it cannot be reached (timed out)" in result["error"]
    assert not result.get("unreachable") and not result.get("failed") and result["problem"] == ""


@pytest.mark.parametrize("answer", [{"failed": True, "msg": "Missing sudo password"}, AnsibleError("no sudo")])
def test_what_else_goes_wrong_is_a_part_of_the_plan(check, answer):
    result, _sent = check(answer)
    assert "sudo" in result["problem"] and not result.get("failed")


def test_a_host_with_a_wrong_variable_is_not_contacted(check):
    result, sent = check({"facts": FACTS}, ece_host_removal_instances="drop")
    assert "'drop' is unknown" in result["problem"] and sent == []
