# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared by all fuzz tests: how examples are generated, and what every message to an operator has to fulfil."""

from __future__ import annotations

import base64
import json
import os
from typing import Callable, Iterable

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

# The examples are the same in every run, so that CI does not fail without a change; another seed gives others.
SEED = os.environ.get("ECE_FUZZ_SEED")

# Quotes, a blank and a backslash: what is masked must be masked however JSON or Python spells it.
API_KEY = "k3y\"that'must\\not show"
USERNAME, PASSWORD = "admin", "p4ss'word\"that:must\\not show"
BASIC = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
BEARER = "bearer-that-must-not-show"
CREDENTIALS = {"key": {"api_key": API_KEY}, "user": {"username": USERNAME, "password": PASSWORD}}
# What is sent with these credentials, and so must be masked wherever it comes back.
SECRETS = {"key": (API_KEY,), "user": (PASSWORD, BASIC)}


# The overhead of one Hypothesis example is that of about five generated things.
TOGETHER = 5


def fuzz(count: int, things: st.SearchStrategy) -> Callable:
    """Decorate a check so that it is called with this number of generated things."""

    def decorate(check):
        def check_all(several):
            for thing in several:
                check(thing)

        # There is no deadline, because load on the machine is not a failure, and no database of failures, because runs
        # would differ. The first failure, made small, is enough; explaining it and searching for others takes minutes.
        options = settings(
            max_examples=-(-count // TOGETHER),
            deadline=None,
            database=None,
            derandomize=SEED is None,
            phases=(Phase.generate, Phase.shrink),
            report_multiple_bugs=False,
        )
        made = options(given(st.tuples(*[things] * TOGETHER))(check_all))
        return seed(int(SEED))(made) if SEED else made

    return decorate


def assert_sentence(text: str, secrets: Iterable[str] = ()) -> None:
    """Check a message to an operator: it is not empty, on one line, and without a secret."""
    assert text.strip(), "the message is empty"
    assert len(text.splitlines()) == 1, f"more than one line: {text!r}"
    assert_no_secret(text, secrets)


def assert_no_secret(text: str, secrets: Iterable[str]) -> None:
    """Check that the text holds none of these, in any spelling."""
    for secret in secrets:
        for spelling in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3]):
            assert spelling not in text, f"{spelling!r} is in {text!r}"
