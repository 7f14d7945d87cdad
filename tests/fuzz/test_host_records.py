# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""2,000 damaged records of a host, and everything that the wait does with them."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from ansible_collections.ece.platform.plugins.module_utils._install_files import MARK
from ansible_collections.ece.platform.plugins.module_utils._install_record import _FIELDS, install_state, parse_follow
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import (
    Expectation,
    HostProgress,
    Observation,
    progress,
)
from tests.fuzz.fuzzing import assert_sentence, fuzz

RECORDS = 2_000
ENTRY = {"name": "a", "runner_id": "10.0.0.7", "roles": ["allocator"], "zone": "zone-1", "version": "3.8.0"}
HEALTHY = {
    **{"lock": "over", "now": 2000.0, "folder": "/var/lib/ece-install/x", "started": 1000.0, "timeout": 1800},
    **{"roles": ["allocator"], "finished": 1271.4, "seconds": 271.4, "rc": 1, "timed_out": False, "output": ["done"]},
}
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**400, -(10**400), 2**31, 1e308]),
    st.floats(),
    st.text(st.characters(codec=None), max_size=20),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
RECORD = st.one_of(
    VALUES,
    st.dictionaries(st.sampled_from(sorted(_FIELDS)), VALUES, max_size=len(_FIELDS)).map(
        lambda damage: {**HEALTHY, **damage}
    ),
)


def test_every_record_of_a_host_leads_to_a_state_and_a_message():
    expected = Expectation(install_timeout=60, connect_timeout=60, storage_path="/mnt/data/elastic")

    @fuzz(RECORDS, RECORD)
    def check(record):
        read = parse_follow(MARK + json.dumps(record) + "\n")
        if not isinstance(record, dict):
            assert read is None
            return
        assert read is not None and install_state(read) in ("absent", "running", "finished", "interrupted")
        host = HostProgress(ENTRY, expected)
        for now in (1.0, 30.0, 1000.0):
            host.update(Observation(now=now, asked_at=now, record=read))
        row = json.dumps(host.row())
        assert "\\u001b" not in row and progress([host])
        assert host.over  # by its record or by its deadline
        assert_sentence(host.message)
        host.message.encode()

    check()
