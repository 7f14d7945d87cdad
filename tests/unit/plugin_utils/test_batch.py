# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which values are batches of hosts, which are percentages, and when too many hosts of a batch have failed."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils._batch import batch_problem, percentage_problem


@pytest.mark.parametrize("value", [1, 500, "1", " 10 ", "1%", "100%", [1, "25%", "100%"], ["5"]])
def test_batches(value):
    assert batch_problem(value) is None


@pytest.mark.parametrize(
    "value", [0, -1, "0", "0%", "101%", "ten", "", "1.5", 1.5, True, None, [], [1, 0], {}, "%", "\u0661"]
)
def test_values_that_are_not_batches(value):
    assert batch_problem(value) == (
        f"{value!r} is not a batch of hosts: use a number of hosts or a percentage, 1 or more, "
        "or a list of those, like [1, '25%']"
    )


@pytest.mark.parametrize("value", [0, 30, 99.5, 100, "30", "30%", " 0 %"])
def test_percentages(value):
    assert percentage_problem(value) is None


@pytest.mark.parametrize("value", [-1, 101, "101%", "all", "", True, None, [30], "30%%", "nan"])
def test_values_that_are_not_percentages(value):
    assert percentage_problem(value) == f"{value!r} is not a percentage: use 0 to 100"


@pytest.mark.parametrize("batch", ["9" * 5000, "9" * 5000 + "%", "1000000000"])
def test_a_batch_beyond_any_inventory_is_refused(batch):
    assert "is not a batch of hosts" in batch_problem(batch)
