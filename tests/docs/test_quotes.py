# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation quotes and names exists: messages, variables, modules and pages."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.ece.platform.plugins.plugin_utils import _awx_objects, _inventory
from tests.conftest import COLLECTIONS
from tests.docs import rules
from tests.docs.blocks import CHECKOUT, PAGES, RST_PAGES, Block, all_blocks

COLLECTION = COLLECTIONS / "ansible_collections" / "ece" / "platform"
# Shorter pieces between three dots prove nothing.
PIECE_LENGTH_MIN = 8
# A message may be put together of a cause and a remedy.
PART_LENGTH_MIN = 12
PUNCTUATION = " ():;,.?"
QUOTES = [
    (block, line)
    for block in all_blocks()
    if block.page in rules.QUOTING and block.language == "text"
    for line in filter(None, block.text.splitlines())
]


def constants(tree: ast.Module) -> dict[str, str]:
    """Return the constants of a module that are texts."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def text_of(node: ast.AST, known: dict[str, str]) -> str | None:
    """Return a text of the code with three dots for what is filled in, or None for another expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else filled_in(part, known) for part in node.values
        )
    return None


def filled_in(part: ast.expr, known: dict[str, str]) -> str:
    """Return three dots, or the text of a constant."""
    name = part.value if isinstance(part, ast.FormattedValue) else part
    return known.get(name.id, "...") if isinstance(name, ast.Name) else "..."


@functools.cache
def texts() -> tuple[str, ...]:
    """Return the texts in the code of the collection."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (COLLECTION / "plugins").rglob("*.py")]
    known = {name: text for tree in trees for name, text in constants(tree).items()}
    found = {text for tree in trees for node in ast.walk(tree) if (text := text_of(node, known))}
    return tuple(" ".join(text.split()) for text in found)


def is_said(piece: str) -> bool:
    """Return whether a piece of a message is put together of texts of the code."""
    while piece := piece.strip(PUNCTUATION):
        length = max((end for end in range(len(piece) + 1) if any(piece[:end] in text for text in texts())), default=0)
        if length < min(PART_LENGTH_MIN, len(piece)):
            return False
        piece = piece[length:]
    return True


def is_quoted(line: str) -> bool:
    """Return whether each piece of a line is in the code."""
    pieces = [piece.strip() for piece in line.split("...") if len(piece.strip()) >= PIECE_LENGTH_MIN]
    return bool(pieces) and all(map(is_said, pieces))


@pytest.mark.parametrize("block, line", QUOTES, ids=[f"{block.place}: {line[:40]}" for block, line in QUOTES])
def test_a_message_on_the_page_is_one_of_the_code(block: Block, line: str) -> None:
    assert is_quoted(line), f"{block.place} quotes {line!r}, which no plugin says"


def test_a_message_that_no_plugin_says_is_found() -> None:
    assert is_quoted("it cannot be reached (...); check ansible_host, the network to it, and the user and key for it")
    assert not is_quoted("it cannot be reached (...); check the address")
    assert not is_quoted("...")


def known_names() -> set[str]:
    """Return what the collection calls its modules, roles, variables and options."""
    names = {*rules.OTHER_NAMES, *_awx_objects.VARIABLES, *_inventory.VARIABLES}
    for kind in ("modules", "lookup"):
        names |= {path.stem for path in (COLLECTION / "plugins" / kind).glob("*.py")}
    for role in (COLLECTION / "roles").iterdir():
        names.add(role.name)
        specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
        names |= {option for entry in specs.values() for option in entry.get("options") or {}}
    return names


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_each_name_on_a_page_exists(path: Path) -> None:
    # Parts of longer names, like those of files and folders, do not count.
    found = set(re.findall(r"(?<![\w/.-])ece_[a-z0-9_]*", path.read_text(encoding="utf-8")))
    assert found - known_names() == set()


def test_each_page_is_in_the_list_of_the_site_and_in_the_readme() -> None:
    sections = yaml.safe_load((CHECKOUT / "docs" / "docsite" / "extra-docs.yml").read_text(encoding="utf-8"))[
        "sections"
    ]
    listed = sorted(page for section in sections for page in section["toctree"])
    assert listed == sorted(path.stem for path in RST_PAGES.glob("*.rst"))
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert [page for page in listed if f"docs/docsite/rst/{page}.rst" not in readme] == []


def test_the_readme_has_what_certification_asks_for() -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", readme, re.MULTILINE)
    assert {"Requirements", "Installation", "Use", "Release notes", "License"} <= set(headings)
    assert re.findall(r"\]\((?!https://)([^)]*)\)", readme) == [], "Galaxy shows it elsewhere: its links are absolute"
