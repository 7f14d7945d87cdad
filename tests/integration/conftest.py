# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for tests that run ansible-playbook against the stand-in over TLS, and the sum of all scans for secrets."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.integration.operator import ROOT, SCANNED, Operator
from tests.integration.scanner import Hit, Scan
from tests.interpreters import find_python
from tests.matrix.versions import OLDEST_ON_HOSTS, ON_HOSTS
from tests.standin import StandIn

# The API's specification lies beside the project. Without it, requests and replies are not validated.
SPEC = Path(os.environ.get("ECE_API_SPEC", ROOT.parent / "shared" / "ece" / "api.json"))
# The current ansible-core, and the oldest one that the collection supports.
CORES = {
    "core": Path(sys.executable).parent,
    "oldest": Path(os.environ.get("ECE_OLDEST_CORE", ROOT / ".venv" / "oldest" / "bin")),
}


@pytest.fixture
def standin_options() -> dict[str, Any]:
    """Return the options of the test's StandIn. A test overrides them by parametrizing."""
    return {}


@pytest.fixture
def ece(standin_options: dict[str, Any]) -> Iterator[StandIn]:
    """Yield a stand-in whose hosts join within two seconds. At its end all requests and replies must fit the API."""
    defaults = {"connect_seconds": 0.5, "install_seconds": 1.0, "spec": SPEC if SPEC.is_file() else None}
    with StandIn(**{**defaults, **standin_options}) as standin:
        yield standin
        assert not standin.violations, "requests or replies do not fit the API's specification"


@pytest.fixture
def operator(ece: StandIn, tmp_path: Path) -> Operator:
    """Return an operator with the current ansible-core."""
    return Operator(ece, tmp_path, CORES["core"])


@pytest.fixture(params=sorted(CORES))
def any_operator(request: pytest.FixtureRequest, ece: StandIn, tmp_path: Path) -> Operator:
    """Return an operator with the current or the oldest ansible-core, by turns from test to test.

    Tests with the mark `with_both` run with both, see pytest_collection_modifyitems.
    """
    return Operator(ece, tmp_path, CORES[request.param])


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option --every-core."""
    parser.addoption("--every-core", action="store_true", help="run each test of any_operator with both ansible-cores")


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "with_both: run with the current and with the oldest ansible-core")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out every second ansible-core: of the sets of parameters of a test, and of the tests of a file, by turns.

    Tests that are chosen by -k or by their ids run with both, so that one that failed can be run again.
    """
    if config.getoption("--every-core") or config.option.keyword or any("::" in path for path in config.args):
        return
    cores = sorted(CORES)
    functions: dict[Path, list[str]] = {}
    others: dict[str, list[dict[str, Any]]] = {}
    left_out = set()
    for item in items:
        function, core = _function_of(item), _core_of(item)
        if core and not item.get_closest_marker("with_both"):
            parameters = {name: value for name, value in _parameters_of(item).items() if name != "any_operator"}
            turn = _place(function, functions.setdefault(item.path, []))
            turn += _place(parameters, others.setdefault(function, []))
            if core != cores[turn % len(cores)]:
                left_out.add(item)
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def _place(value: Any, seen: list[Any]) -> int:
    """Return the place of a value in a list, to which it is added if it is new."""
    if value not in seen:
        seen.append(value)
    return seen.index(value)


def _function_of(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _parameters_of(item: pytest.Item) -> dict[str, Any]:
    return dict(getattr(getattr(item, "callspec", None), "params", {}))


def _core_of(item: pytest.Item) -> str | None:
    return _parameters_of(item).get("any_operator")


# -- the sum of all scans --------------------------------------------------------------------------------------------


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Pass the scans of a worker of pytest-xdist to the main process."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["scanned"] = asdict(SCANNED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the scans of a worker in the main process."""
    part = getattr(node, "workeroutput", {}).get("scanned")
    if part:
        SCANNED.add(Scan(**{**part, "hits": [Hit(**hit) for hit in part["hits"]]}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the sum, and which Pythons hosts had."""
    if SCANNED.plays:
        terminalreporter.write_line(str(SCANNED))
    reports = [report for kind in ("passed", "failed", "skipped") for report in terminalreporter.getreports(kind)]
    if any("test_host_pythons" in report.nodeid for report in reports):
        pythons = dict.fromkeys((*OLDEST_ON_HOSTS.values(), *ON_HOSTS))
        missing = [version for version in pythons if not find_python(version)]
        terminalreporter.write_line(f"Pythons of hosts that are missing here: {', '.join(missing) or 'none'}")
