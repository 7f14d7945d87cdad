# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of ECE."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils._ece import release


@pytest.mark.parametrize(("version", "expected"), [("3.8.1", (3, 8)), ("3.10.0", (3, 10)), ("4.0.0-SNAPSHOT", (4, 0))])
def test_release_is_major_and_minor_as_numbers(version, expected):
    assert release(version) == expected
