# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all fuzz tests share: how examples are generated, and what every sentence for an operator has to be."""

from __future__ import annotations

import base64
import json
import os
from typing import Callable, Iterable

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

# The examples are the same in every run, so that CI does not fail for what nobody has changed; with a seed they are others.
SEED = os.environ.get("ECE_FUZZ_SEED")

# Quotes, a blank and a backslash: what is masked must be masked however JSON or Python spells it.
API_KEY = "k3y\"that'nobody\\may see"
USERNAME, PASSWORD = "admin", "p4ss'word\"that:nobody\\may see"
BASIC = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
BEARER = "bearer-that-nobody-may-see"
CREDENTIALS = {"key": {"api_key": API_KEY}, "user": {"username": USERNAME, "password": PASSWORD}}
# What is sent with these credentials, and so must be masked wherever it comes back.
SECRETS = {"key": (API_KEY,), "user": (PASSWORD, BASIC)}


# Hypothesis takes as long for an example as for some five things in it.
TOGETHER = 5


def fuzz(count: int, things: st.SearchStrategy) -> Callable:
    """Decorates a check to be called with so many generated things."""

    def decorate(check):
        def check_all(several):
            for thing in several:
                check(thing)

        # A machine under load is no failure, so no deadline; a database of failures would make runs differ from each other.
        # The first failure, made small, is enough; to explain it and to look for others would take minutes.
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


def assert_sentence(words: str, secrets: Iterable[str] = ()) -> None:
    """What an operator reads of a failure: something, on one line, without a secret."""
    assert words.strip(), "says nothing"
    assert len(words.splitlines()) == 1, f"more than one line: {words!r}"
    assert_no_secret(words, secrets)


def assert_no_secret(words: str, secrets: Iterable[str]) -> None:
    """None of these is in it, in whichever spelling."""
    for secret in secrets:
        for spelling in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3]):
            assert spelling not in words, f"{spelling!r} is in {words!r}"
