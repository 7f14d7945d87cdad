# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project uses the field's terms. The list of expressions that it does not use is short and has no exceptions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = ("changelogs/fragments", "docs", "examples", "extensions", "meta", "playbooks", "plugins", "roles", "tests")
PAGES = ("CONTRIBUTING.md", "Makefile", "README.md", "SECURITY.md")
SUFFIXES = {".md", ".py", ".rst", ".sh", ".yaml", ".yml", ""}
BANNED = {
    r"\banew\b": "again, or new",
    r"\bill\b": "disconnected",
    # The system has a user with that name, which code puts in quotes.
    r"\b(nobody(?![\"'])|somebody|whoever)\b": "the name of the subject",
    r"\bkeepers?\b": "watchdog",
    r"\bknock(s|ed|ing)?\b": "present the token",
    r"\bhurry\b": "reset the interval",
    r"\bsuffers?\b": "the name of what happens",
    r"\bwords\b": "message, text or arguments",
    r"^\W*Who (are|has|have|is|was|were)\b": "a subject",
    r"\b(let|lets|letting) (go|its)\b": "stop or release",
    r"\bof one's own\b": "your own",
}


def files():
    found = [CHECKOUT / page for page in PAGES]
    for folder in FOLDERS:
        found += [path for path in (CHECKOUT / folder).rglob("*") if path.suffix in SUFFIXES and path.is_file()]
    return [path for path in found if "__pycache__" not in path.parts and path != Path(__file__)]


@pytest.mark.parametrize(("pattern", "instead"), BANNED.items())
def test_an_expression_that_is_not_the_fields_is_not_used(pattern, instead):
    banned = re.compile(pattern, re.IGNORECASE)
    found = [
        f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if banned.search(line)
    ]
    assert not found, f"use {instead}:\n" + "\n".join(found)


def test_the_list_is_short():
    assert len(BANNED) <= 12


@pytest.mark.parametrize("line", ["installed anew", "It is ill.", "# Who has failed", "Its keeper"])
def test_the_search_finds_them(line):
    assert any(re.search(pattern, line, re.IGNORECASE) for pattern in BANNED)
