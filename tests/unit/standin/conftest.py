# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stand-in's own tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.standin.standin_helpers import SPEC, Client, Installer, StandIn


@pytest.fixture(scope="session")
def spec() -> Path:
    if not SPEC.is_file():
        pytest.skip(f"there is no API specification at {SPEC}; ECE_API_SPEC names one")
    return SPEC


@pytest.fixture
def make() -> Iterator[Callable[..., StandIn]]:
    """Stand-ins that end with the test. Judged by the specification where there is one."""
    made: list[StandIn] = []

    def start(**options: Any) -> StandIn:
        options.setdefault("spec", SPEC if SPEC.is_file() else None)
        options.setdefault("install_seconds", 0)
        made.append(StandIn(**options).start())
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def ece(make: Callable[..., StandIn]) -> StandIn:
    return make(allocators=3, connect_seconds=0.0)


@pytest.fixture
def api(ece: StandIn) -> Client:
    return Client(ece)


@pytest.fixture
def installer(ece: StandIn) -> Installer:
    return Installer(ece)
