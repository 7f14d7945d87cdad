# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The install user's login at a registry.

Runs on hosts: Python 3.6 and the standard library.
"""

from typing import Any, Dict

from ansible_collections.ece.platform.plugins.module_utils._preparation_part import (
    Facts,
    Options,
    Part,
    PartPlan,
    System,
    new_plan,
)


def read_registry(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """Nothing: the file of logins belongs to the user, and a later step reads it with the user's rights."""
    return {}


def plan_registry(facts: Facts, options: Options, system: System) -> PartPlan:
    """Compare the login, if there is one. That is no step: whether it differs is known only where the password is."""
    plan = new_plan()
    plan.values["is_given"] = bool(options.get("ece_host_docker_registry_username"))
    return plan


REGISTRY = Part("registry", read_registry, plan_registry)
