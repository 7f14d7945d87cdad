# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of a host cannot stop the module, whatever they are."""

from __future__ import annotations

import os

from ansible_collections.ece.platform.plugins.module_utils import _host_read as host_read


def test_a_file_that_cannot_be_read_is_empty(folder):
    assert host_read.read_text(str(folder / "nowhere")) == ""
    assert host_read.read_text(str(folder)) == ""


def test_a_pipe_or_a_device_in_place_of_a_file_is_empty_and_not_waited_for(folder):
    os.mkfifo(folder / "pipe")
    assert host_read.read_text(str(folder / "pipe")) == ""
    assert host_read.read_text("/dev/zero") == ""


def test_a_long_file_is_cut(folder, monkeypatch):
    monkeypatch.setattr(host_read, "SIZE_MAX_BYTES", 100_000)
    (folder / "long").write_bytes(b"\xff" * 1_000_000)
    assert len(host_read.read_text(str(folder / "long"))) < 200_000


def test_a_file_of_the_kernel_is_read():
    assert host_read.read_number("/proc/sys/vm/max_map_count") > 0
    assert host_read.read_number("/proc/version") == 0
    assert host_read.read_number("/no/such/file") == 0
