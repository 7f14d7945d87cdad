# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warnings of a fleet fit on a screen."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.plugin_utils._warnings import grouped


def test_a_sentence_of_many_hosts_stands_once_after_their_names():
    warnings = {"a": ["no swap", "old kernel"], "b": ["no swap"], "c": ["no swap", "no swap"], "d": []}
    assert grouped(warnings) == ["a, b and 1 more: no swap", "a: old kernel"]
