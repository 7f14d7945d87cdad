# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The install user and its groups.

https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/ece-users-permissions (read 2026-11-27)
Runs on hosts: Python 3.6 and the standard library.
"""

import grp
from typing import Any, Dict

from ansible_collections.ece.platform.plugins.module_utils._ece import UID_MIN
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import (
    Facts,
    Options,
    Part,
    PartPlan,
    System,
    wanted_engine,
)

# The primary group of the user on Elastic's pages.
PRIMARY_GROUP = "elastic"
SUDOERS = "/etc/sudoers.d/99-ece-users"


def sudoers_line(user: str) -> str:
    """The rule that lets a user run sudo without a password."""
    return f"{user} ALL=(ALL) NOPASSWD:ALL\n"


def read_user(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """groups: GID by name. sudoers: text of the file with the rule of this role."""
    return {"groups": {group.gr_name: group.gr_gid for group in grp.getgrall()}, "sudoers": read_text(SUDOERS)}


def plan_user(facts: Facts, options: Options, system: System) -> PartPlan:
    """Create user and groups where they are missing, and add the user to the group of the engine."""
    name, user = options["ece_host_user"], facts["user"]
    found = facts["preparation"]["user"]
    engine_group = wanted_engine(options, system)
    plan = PartPlan([], [], {"primary_group": PRIMARY_GROUP, "engine_group": engine_group}, [], [])
    for variable in ("ece_host_preparation_uid", "ece_host_preparation_gid"):
        number = options.get(variable)
        if number is not None and number < UID_MIN:
            plan.problems.append(f"{variable} {number} is too low: use {UID_MIN} or more, or leave it out.")
    if user and (user["uid"] < UID_MIN or user["gid"] < UID_MIN):
        plan.problems.append(
            f"User {name} has UID {user['uid']} and GID {user['gid']}, and the installer needs {UID_MIN} or more: set "
            "ece_host_user to another user, which this role creates."
        )
    groups = [engine_group] if user else [PRIMARY_GROUP, engine_group]
    plan.values["missing_groups"] = [group for group in groups if group not in found["groups"]]
    plan.steps.extend(f"create group {group}" for group in plan.values["missing_groups"])
    if user is None:
        plan.steps.append(f"create user {name} in group {PRIMARY_GROUP}, and in {engine_group}")
    elif engine_group not in user["groups"]:
        plan.steps.append(f"add user {name} to group {engine_group}")
    wants_sudo = options.get("ece_host_preparation_sudo", options["ece_host_selinux"])
    if wants_sudo and found["sudoers"] != sudoers_line(name):
        plan.steps.append(f"let user {name} run sudo without a password")
        plan.values["sudoers"] = {"path": SUDOERS, "content": sudoers_line(name)}
    return plan


USER = Part("user", read_user, plan_user)
