# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The code blocks of README.md and of the pages in docs."""

from __future__ import annotations

import functools
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives
from markdown_it import MarkdownIt

CHECKOUT = Path(__file__).resolve().parents[2]
RST_PAGES = CHECKOUT / "docs" / "docsite" / "rst"
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md")), *sorted(RST_PAGES.glob("*.rst"))]


def files_of_the_repository() -> list[str]:
    """Return the paths of the files that are in the repository, or will be with the next commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=CHECKOUT, capture_output=True, check=True, text=True
    ).stdout
    return [
        name
        for name in sorted(filter(None, listed.split("\0")))
        if (CHECKOUT / name).is_file() and not (CHECKOUT / name).is_symlink()
    ]


@dataclass(frozen=True)
class Block:
    """A code block. page: the name of the page without its suffix. file: the name of the file that it shows, or ""."""

    page: str
    line: int
    language: str
    file: str
    text: str

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{self.page}, line {self.line}"

    @property
    def data(self) -> Any:
        """What a block of YAML means."""
        return yaml.safe_load(self.text)

    @property
    def kind(self) -> str:
        """What a block of YAML is: playbook, inventory, inventory source, variables, requirements or other."""
        data = self.data if self.language == "yaml" else None
        if isinstance(data, list) and all("hosts" in play or _imports(play) for play in data):
            return "playbook"
        if not isinstance(data, dict):
            return "other"
        if data.get("plugin") == "ece.platform.ece":
            return "inventory source"  # commands of its page read it
        if data.keys() == {"collections"}:
            return "requirements"
        if all(isinstance(group, dict) and group.keys() <= {"hosts", "children", "vars"} for group in data.values()):
            return "inventory"
        return "variables" if all(name.startswith(("ece_", "ansible_")) for name in data) else "other"


def _imports(play: dict[str, Any]) -> bool:
    return any(key.endswith("import_playbook") for key in play)


class _CodeBlock(Directive):
    """Sphinx's directive as far as the pages use it: docutils knows no caption."""

    optional_arguments = 1
    option_spec = {"caption": directives.unchanged}
    has_content = True

    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.content) + "\n"
        block = nodes.literal_block(text, text)
        block["language"] = self.arguments[0] if self.arguments else ""
        block["file"] = self.options.get("caption", "")
        block["at"] = self.lineno
        return [block]


def tree_of(text: str) -> nodes.document:
    """Return what docutils reads in a page. Sphinx's roles are unknown to it, which is no matter here."""
    directives.register_directive("code-block", _CodeBlock)
    return publish_doctree(
        text, settings_overrides={"report_level": 5, "halt_level": 5, "file_insertion_enabled": False}
    )


def _rst_blocks(page: str, text: str) -> list[Block]:
    return [
        Block(page, found.get("at", found.line or 0), found.get("language", ""), found.get("file", ""), found.astext())
        for found in tree_of(text).findall(nodes.literal_block)
    ]


def _markdown_blocks(page: str, text: str) -> list[Block]:
    blocks = []
    for token in MarkdownIt("commonmark").parse(text):
        if token.type in ("fence", "code_block"):
            language, _blank, file = token.info.partition(" ")
            blocks.append(Block(page, (token.map or [0])[0] + 1, language, file, textwrap.dedent(token.content)))
    return blocks


@functools.cache
def blocks_of(path: Path) -> tuple[Block, ...]:
    """Return the code blocks of a page."""
    read = _rst_blocks if path.suffix == ".rst" else _markdown_blocks
    return tuple(read(path.stem, path.read_text(encoding="utf-8")))


def all_blocks() -> list[Block]:
    """Return the code blocks of all pages."""
    return [block for path in PAGES for block in blocks_of(path)]


@dataclass(frozen=True)
class Command:
    """A command of a console, and what the page shows of its output."""

    text: str
    output: tuple[str, ...]


def commands(block: Block) -> list[Command]:
    """Return the commands of a block. Raises ValueError if it does not begin with one."""
    found: list[tuple[list[str], list[str]]] = []
    continues = False
    for line in block.text.splitlines():
        if continues:
            found[-1][0].append(line)
        elif line.startswith("$ "):
            found.append(([line[2:]], []))
        elif found:
            found[-1][1].append(line)
        else:
            raise ValueError(f"{block.place}: a console begins with a command after '$ ', not with {line!r}")
        continues = (continues or line.startswith("$ ")) and line.endswith("\\")
    return [Command("\n".join(lines), tuple(output)) for lines, output in found]
