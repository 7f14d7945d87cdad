# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Warnings of many hosts, each sentence once."""

from __future__ import annotations

from typing import Iterable, Mapping

from ansible_collections.ece.platform.plugins.module_utils._text import first_names

# A fleet's hosts are alike, and its warnings have to fit on a screen.
NAMES_MAX = 2


def grouped(warnings: Mapping[str, Iterable[str]]) -> list[str]:
    """Return each sentence once, after the hosts that it is about: a, b and 98 more: <sentence>

    warnings: sentences by host.
    """
    hosts: dict[str, list[str]] = {}
    for name, sentences in warnings.items():
        for sentence in dict.fromkeys(sentences):
            hosts.setdefault(sentence, []).append(name)
    return [f"{first_names(names, NAMES_MAX)}: {sentence}" for sentence, names in hosts.items()]
