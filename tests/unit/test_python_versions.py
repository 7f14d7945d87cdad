# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Code that runs on hosts needs no more than Python 3.6, by analysis and, if there is one, in a real Python 3.6."""

from __future__ import annotations

import ast
import fcntl
import json
import os
import subprocess
from pathlib import Path

import pytest
import vermin

from ansible_collections.ece.platform.plugins.module_utils import _install_files as install_files
from ansible_collections.ece.platform.plugins.module_utils import _install_options as install_options
from ansible_collections.ece.platform.plugins.module_utils import _install_record as install_record
from ansible_collections.ece.platform.plugins.module_utils._host_rules import RULES
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import FOLLOW_SOURCE
from tests.interpreters import find_python

PLUGINS = Path(install_options.__file__).parent.parent
COLLECTIONS = PLUGINS.parents[3]
HOST_MODULES = ("modules/ece_host_info.py", "modules/ece_install.py", "modules/ece_removal_clean.py")
PACKAGE = "ansible_collections.ece.platform.plugins.module_utils"
MODULE_UTILS = (
    "_container_engine",
    "_detached",
    "_ece",
    "_errors",
    "_host_advice",
    "_host_facts",
    "_host_files",
    "_host_installer",
    "_host_network",
    "_host_options",
    "_host_process",
    "_host_read",
    "_host_rule",
    "_host_rules",
    "_host_session",
    "_host_system",
    "_install",
    "_install_causes",
    "_install_files",
    "_install_options",
    "_install_record",
    "_installer_file",
    "_registry_login",
    "_removal_host",
    "_removal_leftovers",
    "_removal_storage",
    "_matrix",
    "_text",
)


def files_on_hosts():
    """The host modules and all files of this collection that they import, directly or not."""
    found, waiting = [], list(HOST_MODULES)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.append(name)
        for node in ast.walk(ast.parse((PLUGINS / name).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
                above = node.module[len(PACKAGE) :].lstrip(".")
                waiting += [
                    f"module_utils/{part}.py" for part in ([above] if above else [alias.name for alias in node.names])
                ]
    return sorted(found)


def needs(source):
    """(the oldest Python 3 that runs the source, why)"""
    found = vermin.visit(source, vermin.Config().set_verbose(2))
    return found.minimum_versions()[1], found.output_text()


def test_the_files_on_hosts_are_those_of_the_list():
    assert files_on_hosts() == sorted([*HOST_MODULES, *(f"module_utils/{name}.py" for name in MODULE_UTILS)])


@pytest.mark.parametrize("name", files_on_hosts())
def test_a_file_on_hosts_needs_no_more_than_python_3_6(name):
    version, why = needs((PLUGINS / name).read_text(encoding="utf-8"))
    assert version <= (3, 6), why


@pytest.mark.parametrize(
    ("code", "version"),
    [
        ("if (x := 1): pass", (3, 8)),
        ("import subprocess; subprocess.run(['x'], capture_output=True)", (3, 7)),
        ("from __future__ import annotations", (3, 7)),
        ("'x'.removeprefix('y')", (3, 9)),
        ("*a, b = [f'{1}']", (3, 6)),
    ],
)
def test_newer_code_would_be_found(code, version):
    assert needs(code)[0] == version


@pytest.fixture(scope="module")
def old():
    found = find_python("3.6")
    if not found:
        pytest.skip("no Python 3.6 here")
    return lambda *arguments: subprocess.check_output([found, "-B", *arguments]).decode()


def test_python_3_6_understands_every_file(old):
    paths = [str(PLUGINS / name) for name in files_on_hosts()]
    assert (
        old(
            "-c",
            "import sys; [compile(open(path, encoding='utf-8').read(), path, 'exec') for path in sys.argv[1:]]\n"
            "print('all')",
            *paths,
        )
        == "all\n"
    )


def test_python_3_6_imports_the_files_and_they_work(old):
    options = {
        "roles": ["allocator"],
        "memory_settings": {"runner": {"xmx": "1G", "xms": "1G"}},
        "allocator_tags": {"ssd": True},
    }
    code = (
        f"import sys, json; sys.path.insert(0, {str(COLLECTIONS)!r}); from {PACKAGE} import {', '.join(MODULE_UTILS)}\n"
        f"print(json.dumps([_install_options.arguments({options!r}), _host_process.run_command(['printf', 'x']).out, "
        "_matrix.expectation('3.9.0').row == _matrix.MATRIX[(3, 8)], len(_host_rules.RULES)]))"
    )
    assert json.loads(old("-c", code)) == [install_options.arguments(options), "x", True, len(RULES)]


@pytest.mark.parametrize(("state", "lock"), [("running", "held"), ("finished", "free"), ("absent", "none")])
def test_python_3_6_follows_an_installer(old, tmp_path, state, lock):
    place = install_files.places(str(tmp_path / "elastic"), str(tmp_path / "state"))[0]
    command = ("-c", FOLLOW_SOURCE, str(tmp_path / "elastic"), str(tmp_path / "state"), "0")
    if lock == "none":
        assert install_record.install_state(install_record.parse_follow(old(*command))) == state
        return
    os.makedirs(place.folder)
    Path(place.path("record.json")).write_text(json.dumps({"started": 1, "rc": 0}))
    with open(place.path("lock"), "w", encoding="ascii") as held:
        if lock == "held":
            fcntl.flock(held, fcntl.LOCK_EX)
        assert install_record.install_state(install_record.parse_follow(old(*command))) == state
