# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the stand-in's own tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.standin import StandIn
from tests.unit.standin.standin_helpers import SPEC, Client, Installer


@pytest.fixture(scope="session")
def spec() -> Path:
    """Return the OpenAPI file, or skip the test where there is none."""
    if not SPEC.is_file():
        pytest.skip(f"there is no OpenAPI file {SPEC}; set ECE_API_SPEC to its path")
    return SPEC


@pytest.fixture
def make() -> Iterator[Callable[..., StandIn]]:
    """Return a function that starts a stand-in, which is closed after the test and checked against the OpenAPI file."""
    made: list[StandIn] = []

    def start(**options: Any) -> StandIn:
        options.setdefault("spec", SPEC if SPEC.is_file() else None)
        options.setdefault("install_seconds", 0)
        made.append(StandIn(**options).start())
        return made[-1]

    yield start
    for standin in made:
        standin.close()


@pytest.fixture
def ece(make: Callable[..., StandIn]) -> StandIn:
    """Return a stand-in with three allocators, on which hosts connect at once."""
    return make(allocators=3, connect_seconds=0.0)


@pytest.fixture
def api(ece: StandIn) -> Client:
    """Return the administrator's client."""
    return Client(ece)


@pytest.fixture
def installer(ece: StandIn) -> Installer:
    """Return commands on the hosts."""
    return Installer(ece)
