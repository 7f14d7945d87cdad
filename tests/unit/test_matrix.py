# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of `make matrix`, and what it is made of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests import interpreters
from tests.matrix.table import table
from tests.matrix.versions import CELLS, OLDEST_ON_HOSTS, ON_HOSTS

ROOT = Path(__file__).resolve().parents[2]


def session(name, python, core, result):
    """A session of the report, as nox writes it."""
    signature = f"{name}(python='{python}', core='{core}')"
    return {"args": {"core": core}, "name": name, "result": result, "signatures": [signature]}


def test_the_table_has_a_line_for_with_both_and_python():
    sessions = [
        session("units", "3.12", "2.20", "skipped"),
        session("units", "3.11", "2.16", "success"),
        session("sanity", "3.11", "2.16", "failed"),
        session("join", "3.11", "2.16", "aborted"),
    ]
    assert table(sessions, lambda version: None if version == "3.6" else "python") == [
        "ansible-core  Python  units    sanity  join    hosts that join",
        "2.16          3.11    ok       failed  failed  (3.6 missing), 3.9, 3.11, 3.13",
        "2.20          3.12    missing  -       -       3.9, 3.11, 3.13",
        "missing Pythons: 3.6, 3.12",
    ]


def test_nothing_is_missing_where_all_sessions_ran():
    assert table([session("units", "3.11", "2.19", "success")], str)[-1] == "missing Pythons: none"


def test_every_core_has_a_python_for_hosts_and_the_oldest_is_the_one_that_the_collection_promises():
    cores = {core for _python, core in CELLS}
    assert cores == set(OLDEST_ON_HOSTS)
    promised = re.search(r'requires_ansible: ">=([\d.]+)\.0"', (ROOT / "meta" / "runtime.yml").read_text())[1]
    assert min(cores, key=lambda core: [int(part) for part in core.split(".")]) == promised


def test_ci_installs_every_python_of_a_controller_and_those_of_hosts_that_there_are_for_its_runner():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    (setup,) = (step for step in workflow["jobs"]["matrix"]["steps"] if "setup-python" in step.get("uses", ""))
    wanted = {python for python, _core in CELLS} | {*OLDEST_ON_HOSTS.values(), *ON_HOSTS}
    assert set(setup["with"]["python-version"].split()) == wanted - {"3.6", "3.7"}


def test_no_requirement_caps_ansible_core():
    for path in sorted((ROOT / "tests").glob("requirements*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.match(r"ansible-core.*<", line), f"{path.name}: {line}"


@pytest.fixture
def pyenv(tmp_path, monkeypatch):
    """A pyenv with Pythons 3.6.15 and 3.6.9, and a shim of a version that is not chosen."""
    for folder, program in (
        ("shims", "exit 127"),
        ("versions/3.6.9/bin", "echo 3.6"),
        ("versions/3.6.15/bin", "echo 3.6"),
    ):
        path = tmp_path / folder / "python3.6"
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\n{program}\n", encoding="utf-8")
        path.chmod(0o755)
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}/shims:/nothing")
    return tmp_path


def test_the_newest_python_of_pyenv_is_found_in_place_of_a_shim(pyenv):
    assert interpreters.search_path().split(":")[:2] == ["/nothing", f"{pyenv}/versions/3.6.15/bin"]
    assert interpreters.find_python("3.6") == f"{pyenv}/versions/3.6.15/bin/python3.6"


def test_a_python_that_does_not_run_or_has_another_version_is_not_found(pyenv):
    assert interpreters.find_python("3.9") is None
    (pyenv / "versions/3.6.15/bin/python3.6").write_text("#!/bin/sh\necho 3.7\n", encoding="utf-8")
    assert interpreters.find_python("3.6") is None
