# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection asks of an execution environment is what its plugins import, and what ansible-builder finds."""

from __future__ import annotations

import ast
import sys

import yaml

from tests.ee.image import call, program
from tests.integration.operator import COLLECTIONS

COLLECTION = COLLECTIONS / "ansible_collections" / "ece" / "platform"
# ansible-core brings these, and requests brings urllib3.
BROUGHT = {"ansible", "ansible_collections", "jinja2", "urllib3", "yaml"}


def imported() -> set[str]:
    """Return the packages that the plugins import, but for Python's own."""
    found = set()
    for path in (COLLECTION / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module).partition(".")[0])
    return found - set(sys.stdlib_module_names)


def test_ansible_builder_finds_what_the_plugins_import_and_an_ssh_client() -> None:
    found = yaml.safe_load(call(program("ansible-builder"), "introspect", COLLECTIONS))
    assert found == {
        "python": ["requests  # from collection ece.platform"],
        "system": [
            "openssh-client [platform:dpkg]  # from collection ece.platform",
            "openssh-clients [platform:rpm]  # from collection ece.platform",
        ],
    }
    assert imported() - BROUGHT == {"requests"}
