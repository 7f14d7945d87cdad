# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes of batches, which are those of Ansible's serial but for the limit of a token's time."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils._batch import batch_sizes


@pytest.mark.parametrize(
    ("batch", "hosts", "limit", "sizes"),
    [
        (None, 0, None, []),
        (None, 7, None, [7]),
        (None, 7, 3, [3, 3, 1]),
        (3, 7, None, [3, 3, 1]),
        ("3", 7, None, [3, 3, 1]),
        ("50%", 7, None, [3, 3, 1]),
        ("1%", 7, None, [1] * 7),
        ("100%", 7, 5, [5, 2]),
        ([1, "25%"], 9, None, [1, 2, 2, 2, 2]),
        ([1, 10], 9, 4, [1, 4, 4]),
        (100, 7, None, [7]),
    ],
)
def test_batch_sizes(batch, hosts, limit, sizes):
    assert batch_sizes(batch, hosts, limit) == sizes
