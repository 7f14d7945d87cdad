# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The hosts of a whole run, which may have several plans: one for each batch of a play with `serial`.

Statistics that Ansible adds up keep the last value of a number, so that each batch has to give the numbers of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.ece.platform.plugins.plugin_utils._run_notes import read_notes, write_notes

_NAME = "sums"


def note_joined(names: Iterable[str]) -> None:
    """Add the hosts that a plan found joined."""
    before, verdicts = _read()
    _write({*before, *names}, verdicts)


def note_verdicts(verdicts: Mapping[str, str], joined_before: int) -> tuple[int, list[str]]:
    """Add how hosts ended. Return how many hosts were joined before the run, and how each of the others ended.

    joined_before: the number of the last plan, for a run that has no notes.
    """
    before, earlier = _read()
    verdicts = {**earlier, **verdicts}
    _write(before, verdicts)
    # A host that this run joined, and that a later plan found joined, counts once.
    return len(before - set(verdicts)) if before else joined_before, list(verdicts.values())


def _read() -> tuple[set[str], dict[str, str]]:
    notes = read_notes(_NAME) or {}
    return set(notes.get("joined_before") or ()), notes.get("verdicts") or {}


def _write(before: set[str], verdicts: Mapping[str, str]) -> None:
    write_notes(_NAME, {"joined_before": sorted(before), "verdicts": dict(verdicts)})
