# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each link into the repository leads to a file and, where it names one, to a heading of it."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from docutils import nodes
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.docs.blocks import CHECKOUT, files_of_the_repository, tree_of

# Links are absolute where a text is shown elsewhere: on Galaxy, on the site, by ansible-doc.
ABSOLUTE = re.compile(r"https://github\.com/ece-platform/ece\.platform/(?:blob|tree)/main/([^\s<>()\[\]\"'`,;]*)")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
FILES = files_of_the_repository()
FOLDERS = {parent.as_posix() for name in FILES for parent in Path(name).parents}
PAGES = [name for name in FILES if name.endswith((".md", ".rst"))]
# The tests themselves have links that lead nowhere.
OTHERS = [name for name in FILES if name.endswith((".yml", ".yaml", ".toml", ".py")) and not name.startswith("tests/")]


def tokens_of(text: str) -> Iterator[Token]:
    """Yield the tokens of a page in Markdown, those within a line included."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or ()


def headings_of(name: str, text: str) -> list[str]:
    """Return the headings of a page as they are shown."""
    if name.endswith(".rst"):
        return [title.astext() for title in tree_of(text).findall(nodes.title)]
    tokens = list(tokens_of(text))
    inline = [after for token, after in zip(tokens, tokens[1:]) if token.type == "heading_open"]
    shown = ("text", "code_inline")
    return ["".join(part.content for part in line.children or () if part.type in shown) for line in inline]


def anchors_of(headings: Iterable[str]) -> Iterator[str]:
    """Yield the anchors that GitHub gives headings: letters, digits, `_`, `-`, and a number where two are the same."""
    seen: Counter[str] = Counter()
    for heading in headings:
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        yield f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor
        seen[anchor] += 1


@functools.cache
def anchors_in(name: str) -> frozenset[str]:
    """Return the anchors of a file of the repository, which has none unless it is a page."""
    if name not in PAGES:
        return frozenset()
    return frozenset(anchors_of(headings_of(name, (CHECKOUT / name).read_text(encoding="utf-8"))))


def relative_links(name: str, text: str) -> list[str]:
    """Return the links of a page that are relative to it, images included."""
    if name.endswith(".rst"):
        found = [str(link["refuri"]) for link in tree_of(text).findall(nodes.reference) if "refuri" in link]
    else:
        links = [(token.attrGet("href"), token.attrGet("src")) for token in tokens_of(text)]
        found = [str(address) for pair in links for address in pair if address]
    return [address for address in found if not SCHEME.match(address)]


def target_of(name: str, link: str) -> tuple[str, str]:
    """Return the path in the repository and the anchor of a relative link of a page."""
    path, _mark, anchor = unquote(link).partition("#")
    if not path:
        return name, anchor
    target = (CHECKOUT / name).parent / path
    # Not Path.resolve(): it would follow symbolic links.
    parts: list[str] = []
    for part in target.relative_to(CHECKOUT).parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            return "outside of the repository", anchor
    return "/".join(parts) or ".", anchor


def broken_links(name: str, text: str) -> list[str]:
    """Return the links into the repository of a file that lead nowhere."""
    targets = {link: link.rstrip(".:").partition("#") for link in ABSOLUTE.findall(text)}
    found = {link: (path.rstrip("/") or ".", anchor) for link, (path, _mark, anchor) in targets.items()}
    if name in PAGES:
        found |= {link: target_of(name, link) for link in relative_links(name, text)}
    return [
        link
        for link, (path, anchor) in found.items()
        if (path not in FILES and path not in FOLDERS) or (anchor and anchor not in anchors_in(path))
    ]


@pytest.mark.parametrize("name", PAGES)
def test_each_link_of_a_page_leads_somewhere(name: str) -> None:
    assert broken_links(name, (CHECKOUT / name).read_text(encoding="utf-8")) == []


def test_each_link_of_another_file_leads_somewhere() -> None:
    broken = {name: broken_links(name, (CHECKOUT / name).read_text(encoding="utf-8")) for name in OTHERS}
    assert {name: links for name, links in broken.items() if links} == {}


@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("docs/docsite/")])
def test_a_page_of_the_site_has_no_relative_link_because_the_site_has_other_addresses(name: str) -> None:
    assert relative_links(name, (CHECKOUT / name).read_text(encoding="utf-8")) == []


MAIN = "https://github.com/ece-platform/ece.platform/blob/main"


@pytest.mark.parametrize(
    "text",
    [
        "[a](../README.md#license), [b][there] and ![c](static/site.css)\n\n[there]: architecture.md\n",
        "| a |\n|---|\n| [a](../tests), [b](https://example.com/nowhere.md#nothing), [c](#fragments) |\n",
        f"[a]({MAIN}/README.md#license), [b]({MAIN}/docs/docsite/rst/security.rst#for-operators), {MAIN}/docs.\n",
    ],
)
def test_a_link_that_leads_somewhere_is_right(text: str) -> None:
    assert broken_links("docs/releasing.md", text) == []


def test_the_anchor_of_a_heading_is_that_of_github() -> None:
    text = "# One `two`: three & four\n\n## Two_2 - [2](x.md)!\n\n# Two\n\n# Two\n\n```\n# three\n```\n"
    assert [*anchors_of(headings_of("a.md", text))] == ["one-two-three--four", "two_2---2", "two", "two-1"]


@pytest.mark.parametrize(
    "name, text, link",
    [
        ("docs/releasing.md", "[a](README.md)", "README.md"),
        ("docs/releasing.md", "[a][there]\n\n[there]: ../nothing/\n", "../nothing/"),
        ("docs/releasing.md", "![a](../../outside.png)", "../../outside.png"),
        ("docs/releasing.md", "[a](#no-such-heading)", "#no-such-heading"),
        ("docs/releasing.md", "[a](../README.md#Licence)", "../README.md#Licence"),
        ("docs/releasing.md", f"[a]({MAIN}/README.rst)", "README.rst"),
        ("docs/releasing.md", f"| a |\n|---|\n| [a]({MAIN}/README.md#licence) |\n", "README.md#licence"),
        ("docs/docsite/rst/scaling.rst", f"`a <{MAIN}/examples/README.rst>`__\n", "examples/README.rst"),
        ("docs/docsite/rst/scaling.rst", f"`a <{MAIN}/README.md#licence>`__\n", "README.md#licence"),
        ("galaxy.yml", f"documentation: {MAIN}/READ.me\n", "READ.me"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(name: str, text: str, link: str) -> None:
    assert broken_links(name, text) == [link]
