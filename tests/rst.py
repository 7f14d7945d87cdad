# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the generated pages of the documentation site share: headers, texts and tables in reStructuredText."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

PAGES = Path(__file__).resolve().parents[1] / "docs" / "docsite" / "rst"
# docs.ansible.com takes labels with this prefix only.
_LABEL = "ansible_collections.ece.platform.docsite"
_LICENSE = """..
  Copyright (c) 2026, the ece.platform authors
  GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later
"""


def title(name: str, text: str) -> str:
    """Return the top of a page: its license, its label and its title."""
    return f"{_LICENSE}\n.. _{_LABEL}.{name}:\n\n{text}\n{'=' * len(text)}\n"


def reference(name: str, text: str) -> str:
    """Return a link to another page."""
    return f":ref:`{text} <{_LABEL}.{name}>`"


def escaped(text: str) -> str:
    """Return a text in which no character has a meaning."""
    # Nor is an address a link: those of a message lead nowhere.
    return with_options(re.sub(r"([\\*`|_<>]|:(?=//))", r"\\\1", text.strip()))


def with_options(text: str) -> str:
    """Return a text in which options like --check are code: Sphinx makes a dash of two hyphens."""
    return re.sub(r"(?<!\S)--[a-z][a-z-]*", r"``\g<0>``", text)


def from_markdown(text: str) -> str:
    """Return a sentence whose code and links are written as in Markdown."""
    text = re.sub(r"`([^`]+)`", r"``\1``", text)
    return re.sub(r"\[([^\]]+)\]\(([^)]+)\)", r"`\1 <\2>`__", text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]) -> str:
    """Return a table with a header. widths: of the columns, in proportion to each other."""
    options = {"class": "cards", "header-rows": "1", "widths": " ".join(map(str, widths))}
    lines = [".. list-table::", *(f"   :{name}: {value}" for name, value in options.items()), ""]
    for cells in (head, *rows):
        lines += [f"   {'* -' if number == 0 else '  -'} {cell}".rstrip() for number, cell in enumerate(cells)]
    return "\n".join(lines) + "\n"
