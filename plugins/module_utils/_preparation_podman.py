# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Podman's settings.

Runs on hosts: Python 3.6 and the standard library.
"""

from typing import Any, Dict

from ansible_collections.ece.platform.plugins.module_utils._preparation_part import Facts, Options, PartPlan, System


def read_podman(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """Nothing yet."""
    return {}


def plan_podman(facts: Facts, options: Options, system: System) -> PartPlan:
    """Nothing yet."""
    return PartPlan([], [], {}, [], [])
