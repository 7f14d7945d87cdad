# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for tests of the execution environment: its image, and an operator whose hosts are reached by SSH."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ee import image as images
from tests.integration.conftest import CORES, SPEC
from tests.integration.operator import Operator
from tests.standin import StandIn


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the name of the execution environment's image."""
    with images.built(tmp_path_factory.mktemp("ee")) as name:
        yield name


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """Yield an operator with a stand-in. At its end all requests and replies must fit the API."""
    with StandIn(connect_seconds=0.5, install_seconds=1.0, spec=SPEC if SPEC.is_file() else None) as ece:
        yield Operator(ece, tmp_path, CORES["core"])
        assert not ece.violations, "requests or replies do not fit the API's specification"
