# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets are masked wherever they stand, and nothing that a terminal obeys is left."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ece.platform.plugins.module_utils._text import one_line, plain, redact

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlcyI6WyJhbGxvY2F0b3IiXX0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("token=abc123, again abc123", ["abc123"], "token=********, again ********"),
        (
            f"--env RUNNER_ROLES_TOKEN={TOKEN} --env RUNNER_ROLES=allocator",
            [],
            "--env RUNNER_ROLES_TOKEN=******** --env RUNNER_ROLES=allocator",
        ),
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


# -- plain -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[0;31mno daemon.\x1b[0m", "no daemon."),
        ("\x1b[2J\x1b]0;a title\x07\x1b[1A  0:05  3/3 connected", "  0:05  3/3 connected"),
        ("\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred\x9b0m \x9d0;title\x9cend \x1bPdevice\x1b\\", "red end "),
        ("\x1bcreset \x1b(Bcharset \x1b7", "reset charset "),
        ("incomplete \x1b]0;title", "incomplete 0;title"),
        ("incomplete \x1b[31", "incomplete 31"),
        ("a\tb\nc\r\nd\re", "a\tb\nc\nd\ne"),
        ("a\u2028b\x85c\x0cd", "a\nb\nc\nd"),
        ("bell\a back\b null\0 delete\x7f", "bell back null delete"),
        ("a\u202ereversed\u202c \u2066isolated\u2069", "areversed isolated"),
        ("half a character \ud83d", "half a character "),
        ("Größe 1½ 漢字 🙂 eyJ [31m", "Größe 1½ 漢字 🙂 eyJ [31m"),
    ],
)
def test_plain_text_has_nothing_that_a_terminal_obeys(text, shown):
    assert plain(text) == shown


@given(st.text(st.characters(codec=None), max_size=60))
def test_no_control_character_is_left_of_any_text(text):
    shown = plain(text)
    assert not {character for character in shown if unicodedata.category(character) in ("Cc", "Cs")} - {"\n", "\t"}
    assert plain(shown) == shown


def test_a_coloured_token_is_masked():
    assert redact(f"token \x1b[1m{TOKEN[:9]}\x1b[0m{TOKEN[9:]}", [TOKEN]) == "token ********"


def test_a_sentence_has_no_control_characters():
    assert one_line("\x1b[31mfirst\x1b[0m\n\x1b[31msecond\x07\x1b[0m") == "first second"
