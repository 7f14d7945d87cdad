# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for tests that run ansible-rulebook against the stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.eda.rulebook import BIN
from tests.integration.conftest import ece, standin_options  # noqa: F401
from tests.integration.operator import Operator
from tests.standin import StandIn


@pytest.fixture
def operator(ece: StandIn, tmp_path: Path) -> Operator:  # noqa: F811
    """Return an operator with the ansible-core of ansible-rulebook."""
    return Operator(ece, tmp_path, BIN)
