# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages on preparing and migrating have all parts, checks and variables that there are."""

from __future__ import annotations

import functools
import re
from typing import Any

import yaml
from docutils import nodes
from docutils.core import publish_doctree

from ansible_collections.ece.platform.plugins.module_utils import _preparation
from ansible_collections.ece.platform.plugins.module_utils._host_rules import CHECKS
from ansible_collections.ece.platform.plugins.plugin_utils import _variable_names
from tests.conftest import COLLECTIONS
from tests.docs.blocks import RST_PAGES

ROLE = COLLECTIONS / "ansible_collections" / "ece" / "platform" / "roles" / "ece_host_preparation"
NOT_MENDED = "not mended"


@functools.cache
def text_of(page: str) -> str:
    """Return the text of a page."""
    return (RST_PAGES / f"{page}.rst").read_text(encoding="utf-8")


def rows_below(page: str, title: str) -> list[list[str]]:
    """Return the cells of the tables below a title, but for their headers."""
    settings = {"report_level": 5, "halt_level": 5, "file_insertion_enabled": False}
    tree = publish_doctree(text_of(page), settings_overrides=settings)
    # A page without sections above its first title has that title as its own.
    (section,) = [one for one in tree.findall(nodes.section) if one.next_node(nodes.title).astext() == title]
    bodies = list(section.findall(nodes.tbody))
    return [[cell.rawsource or cell.astext() for cell in row.findall(nodes.entry)] for body in bodies for row in body]


def options() -> dict[str, Any]:
    """Return the variables of the role with what its argument_specs.yml says of each."""
    specs = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    found: dict[str, Any] = specs["argument_specs"]["prepare"]["options"]
    return found


def names_in(text: str) -> set[str]:
    """Return what can be names of variables in a text."""
    return set(re.findall(r"[a-z][a-z0-9_]+", text))


def test_the_table_of_parts_has_every_part_once() -> None:
    parts = options()["ece_host_preparation_skip"]["choices"]
    assert sorted(row[0] for row in rows_below("preparing_hosts", "The parts")) == sorted(parts)


def test_every_variable_of_the_preparation_is_on_its_page() -> None:
    own = {name for name in options() if name.startswith("ece_host_preparation_")}
    assert own - names_in(text_of("preparing_hosts")) == set()


def test_the_table_of_prerequisites_has_every_check() -> None:
    assert {row[0] for row in rows_below("preparing_hosts", "Prerequisites")} == set(CHECKS)


def test_a_prerequisite_is_mended_by_a_part_and_tried_or_not_mended() -> None:
    parts = options()["ece_host_preparation_skip"]["choices"]
    for check, requirement, mended_by, tried_on in rows_below("preparing_hosts", "Prerequisites"):
        is_mended = not mended_by.startswith(NOT_MENDED)
        assert not is_mended or mended_by.replace(",", " ").split()[0] in parts, (check, requirement)
        assert bool(tried_on) == is_mended or "by itself" in mended_by, (check, requirement)


def test_every_variable_of_elastics_role_that_a_run_knows_is_on_the_page_with_ours() -> None:
    rows = rows_below("migrating", "Variable by variable")
    beside = {name: names_in(row[1]) for row in rows for name in names_in(row[0])}
    assert {"device_name", "ece_roles", "elastic_uid"} <= beside.keys()
    known = getattr(_variable_names, "OF_ELASTIC", {})
    assert {name: old.ours for name, old in known.items() if old.ours not in beside.get(name, ())} == {}


def test_a_check_that_a_part_mends_by_the_page_does_not_refuse_a_host_for_which_the_part_is_to_do() -> None:
    mends = getattr(_preparation, "MENDS", None)
    every = options()["ece_host_preparation_skip"]["choices"]
    for check, requirement, mended_by, _tried_on in rows_below("preparing_hosts", "Prerequisites"):
        # The parts are literals of their own: other names in the cell are those of variables and values.
        parts = (
            []
            if mended_by.startswith(NOT_MENDED)
            else [one for one in re.findall(r"[a-z]+", mended_by) if one in every]
        )
        assert mends is None or [part for part in parts if check not in mends[part]] == [], (check, requirement)
