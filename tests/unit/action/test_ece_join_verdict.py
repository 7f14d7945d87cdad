# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of each host, as its row in the report says."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_join_verdict
from ansible_collections.ece.platform.plugins.plugin_utils._results import CHECK, REPORT, RUNNER, TOKEN, withhold


@pytest.fixture
def verdict(bare):
    def act(row, **results):
        rows = {"a": row} if row else {}
        task_vars = {"inventory_hostname": "a", REPORT: {"hosts": rows}, CHECK: {"verdict": "install"}, **results}
        return bare(ece_join_verdict).act({}, task_vars)

    return act


FAILED = {"verdict": "failed", "note": "installer exit 5. Start the engine."}
JOINED = {"verdict": "joined", "note": ""}


@pytest.mark.parametrize("state", ["joined", "would join", "would get roles", "joining"])
def test_a_host_that_joined_or_would_join_is_fine(verdict, state):
    assert verdict({"verdict": state, "note": ""}) == {"changed": False, "msg": state}


@pytest.mark.parametrize("state", ["failed", "refused", "half-installed", "disconnected", "stale"])
def test_a_host_that_did_not_join_fails_with_its_whole_note(verdict, state):
    assert verdict({**FAILED, "verdict": state}) == {"changed": False, "failed": True, "msg": FAILED["note"]}


@pytest.mark.parametrize("step", [CHECK, RUNNER])
def test_a_host_that_could_not_be_reached_is_unreachable(verdict, step):
    result = verdict({**FAILED, "note": "it cannot be reached"}, **{step: {"unreachable": True}})
    assert result == {"changed": False, "unreachable": True, "msg": "it cannot be reached"}


@pytest.mark.parametrize("step", [CHECK, RUNNER])
def test_a_withheld_result_of_a_host_that_could_not_be_reached_counts_as_unreachable(verdict, step):
    result = verdict({**FAILED, "note": "no route"}, **{step: withhold({"unreachable": True})})
    assert result == {"changed": False, "unreachable": True, "msg": "no route"}


def test_a_host_that_joined_fails_where_the_token_of_its_batch_is_not_revoked(verdict):
    result = verdict(JOINED, **{TOKEN: {"error": "token id could not be revoked"}})
    assert result == {"changed": False, "failed": True, "msg": "joined, but token id could not be revoked"}


@pytest.mark.parametrize("results", [{}, {REPORT: {"failed": True, "msg": "unexpected"}}])
def test_a_host_without_a_row_fails(verdict, results):
    assert verdict(None, **results)["failed"] is True
