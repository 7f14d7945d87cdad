# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets are masked wherever they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ece.platform.plugins.module_utils._text import plain, redact

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlcyI6WyJhbGxvY2F0b3IiXX0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("token=abc123, again abc123", ["abc123"], "token=********, again ********"),
        (f"--env ROLES_TOKEN={TOKEN} --env ROLES=allocator", [], "--env ROLES_TOKEN=******** --env ROLES=allocator"),
        (f'"{TOKEN}"', [], '"********"'),
        (f"{TOKEN}\n{TOKEN}", [], "********\n********"),
        ("cut off eyJhbGciOiJIUzI1NiJ9.eyJyb2", [], "cut off ********"),
        ("eyJhbGciOiJIUzI1NiJ9", [], "********"),
        ("nothing to hide", [None, ""], "nothing to hide"),
        ("eye eyJ short", [], "eye eyJ short"),
    ],
)
def test_redact(text, secrets, shown):
    assert redact(text, secrets) == shown


@given(
    st.text(max_size=20),
    st.from_regex(r"eyJ[A-Za-z0-9_-]{20,60}\.[A-Za-z0-9_-]{20,60}\.[A-Za-z0-9_-]{20,43}", fullmatch=True),
    st.text(max_size=20),
)
def test_no_part_of_a_token_is_left_wherever_it_stands(before, token, after):
    assert not any(part in redact(before + token + after) for part in token.split("."))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[0;31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1Aover", "over"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPq#0\x1b\\after", "after"),
        ("\x1b]0;without an end", "0;without an end"),
        ("\x1b(Bcharset\x1b7", "charset"),
        ("bell\x07, \x00, delete\x7f\x08", "bell, , delete"),
        ("C1 \x80\x84\x9f", "C1 "),
        ("a\rb\x0bc\x0cd\x85e", "a b c d e"),
        ("tab\tand\nlines", "tab\tand\nlines"),
        ("ä € \u00a0 日本", "ä € \u00a0 日本"),
        ("ends in \x1b", "ends in "),
        ("ends in \x1b[", "ends in "),
    ],
)
def test_plain_text_has_no_control_sequence(text, shown):
    assert plain(text) == shown


@given(st.text(alphabet="\x1b\x07\x9b\x9d\x9c[]\\;m0aP\n\t ", max_size=30))
def test_nothing_that_a_terminal_obeys_is_left(text):
    assert all(character.isprintable() or character in "\n\t" for character in plain(text))
