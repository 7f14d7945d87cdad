# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets are masked wherever they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ece.platform.plugins.module_utils._text import redact

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
