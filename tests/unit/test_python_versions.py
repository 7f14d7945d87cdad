# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs on hosts needs no more than Python 3.6, by analysis and, where there is one, in a real Python 3.6."""

from __future__ import annotations

import ast
import fcntl
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import vermin

from ansible_collections.ece.platform.plugins.module_utils import _installer as installer

PLUGINS = Path(installer.__file__).parent.parent
COLLECTIONS = PLUGINS.parents[3]
HOST_MODULES = ("modules/ece_host_info.py", "modules/ece_install.py")
PACKAGE = "ansible_collections.ece.platform.plugins.module_utils"
# Those of the host's files that need nothing of Ansible.
PURE = ("_detached", "_host", "_installer")


def files_on_hosts():
    """The host modules and all of this collection that they import, directly or not."""
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


def test_the_files_on_hosts_are_those_that_are_known_and_no_more():
    expected = ["_detached", "_ece", "_errors", "_host", "_installer", "_installer_file", "_text"]
    assert files_on_hosts() == sorted([*HOST_MODULES, *(f"module_utils/{name}.py" for name in expected)])


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


def python_3_6():
    """A Python 3.6 that runs, or None."""
    candidates = [shutil.which("python3.6")]
    if shutil.which("pyenv"):
        root = (
            subprocess.run(["pyenv", "root"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            .stdout.decode()
            .strip()
        )
        candidates += sorted(Path(root).glob("versions/3.6*/bin/python")) if root else []
    for candidate in filter(None, candidates):
        # One on the search path may be pyenv's stand-in for a version that is not chosen, which fails.
        ask = [candidate, "-c", "import sys; print(sys.version_info[:2])"]
        if (
            subprocess.run(ask, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.strip()
            == b"(3, 6)"
        ):
            return str(candidate)
    return None


@pytest.fixture(scope="module")
def old():
    found = python_3_6()
    if not found:
        pytest.skip("no Python 3.6 here")
    return lambda *words: subprocess.check_output([found, "-B", *words]).decode()


def test_python_3_6_understands_every_file(old):
    paths = [str(PLUGINS / name) for name in files_on_hosts()]
    assert (
        old(
            "-c",
            "import sys; [compile(open(path, encoding='utf-8').read(), path, 'exec') for path in sys.argv[1:]]; print('all')",
            *paths,
        )
        == "all\n"
    )


def test_python_3_6_imports_the_pure_files_and_they_work(old):
    options = {
        "roles": ["allocator"],
        "memory_settings": {"runner": {"xmx": "1G", "xms": "1G"}},
        "allocator_tags": {"ssd": True},
    }
    code = (
        f"import sys, json; sys.path.insert(0, {str(COLLECTIONS)!r}); from {PACKAGE} import {', '.join(PURE)}; "
        f"print(json.dumps([_installer.arguments({options!r}), _host.run(['printf', 'x'])[1], _host.accepted('3.9.0') == _host.MATRIX[(3, 8)]]))"
    )
    assert json.loads(old("-c", code)) == [installer.arguments(options), "x", True]


@pytest.mark.parametrize(("state", "lock"), [("running", "held"), ("finished", "free"), ("absent", "none")])
def test_python_3_6_follows_an_installer(old, tmp_path, state, lock):
    words = ("-c", installer.FOLLOW_SOURCE, str(tmp_path / "record.json"), str(tmp_path / "lock"), "0")
    if lock == "none":
        assert installer.install_state(installer.parse_follow(old(*words))) == state
        return
    (tmp_path / "record.json").write_text(json.dumps({"started": 1, "rc": 0}))
    with open(tmp_path / "lock", "w", encoding="ascii") as held:
        if lock == "held":
            fcntl.flock(held, fcntl.LOCK_EX)
        assert installer.install_state(installer.parse_follow(old(*words))) == state
