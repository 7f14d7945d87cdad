# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times, durations and the table at the end of a run."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils._display import clock, duration, table


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (5.9, "0:05"), (281, "4:41"), (3600, "60:00")])
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0, "0s"), (10.4, "10s"), (59.6, "1m00s"), (271, "4m31s"), (302, "5m02s")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_a_table_has_a_row_for_each_host_and_a_note_if_there_is_one():
    rows = [
        {
            "host": "10.0.0.7",
            "zone": "zone-1",
            "verdict": "joined",
            "install_seconds": 271,
            "connect_seconds": 10,
            "memory_mb": 249856,
            "note": "",
        },
        {
            "host": "10.0.0.8",
            "zone": "zone-2",
            "verdict": "failed",
            "install_seconds": 4,
            "note": "exit 5: Docker socket",
        },
        {
            "host": "10.0.0.10",
            "zone": None,
            "verdict": "joined",
            "install_seconds": None,
            "connect_seconds": 0,
            "memory_mb": None,
        },
    ]
    assert table(rows) == [
        "host       zone    verdict  install  connect  memory",
        "10.0.0.7   zone-1  joined     4m31s      10s  244 GB",
        "10.0.0.8   zone-2  failed        4s        -       -  exit 5: Docker socket",
        "10.0.0.10  -       joined         -       0s       -",
    ]


def test_a_table_without_hosts_is_its_head():
    assert table([]) == ["host  zone  verdict  install  connect  memory"]


def test_text_of_the_platform_is_one_line_in_the_table():
    assert all(len(line.splitlines()) == 1 for line in table([{"host": "a", "zone": "b\nc", "verdict": "joined"}]))
