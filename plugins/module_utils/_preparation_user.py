# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The install user and its groups.

https://www.elastic.co/docs/deploy-manage/deploy/cloud-enterprise/ece-users-permissions (read 2026-11-27)
Runs on hosts: Python 3.6 and the standard library.
"""

import grp
import pwd
import re
from typing import Any, Dict, Iterator, Optional

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
# The file of this role.
SUDOERS = "/etc/sudoers.d/70-ece"
# That of Elastic's pages, which may have rules of others, too. sudo reads it after that of this role.
SUDOERS_OF_PAGES = "/etc/sudoers.d/99-ece-users"
LOGIN_DEFS = "/etc/login.defs"


def sudoers_line(user: str) -> str:
    """The rule that lets a user run sudo without a password."""
    return f"{user} ALL=(ALL) NOPASSWD:ALL\n"


def last_rule(text: str, user: str) -> str:
    """The last rule for a user in a file for sudo, which is the one that counts, or an empty string."""
    return ([line.strip() for line in text.splitlines() if line.split()[:1] == [user]] or [""])[-1]


def has_sudo(text: str, user: str) -> bool:
    """Whether the last rule for the user is that of this role, with any blanks."""
    rule = rf"{re.escape(user)}\s+ALL\s*=\s*\(\s*ALL\s*(:\s*ALL\s*)?\)\s*NOPASSWD\s*:\s*ALL\s*(#.*)?"
    return bool(re.fullmatch(rule, last_rule(text, user)))


def group_id(name: str) -> Optional[int]:
    """The GID of a group. Groups of a directory service can be asked for, though a list of all may lack them."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def user_with(uid: Optional[int]) -> str:
    """The name of the user with this UID, or an empty string."""
    try:
        return "" if uid is None else pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return ""


def group_with(gid: Optional[int]) -> str:
    """The name of the group with this GID, or an empty string."""
    try:
        return "" if gid is None else grp.getgrgid(gid).gr_name
    except (KeyError, OverflowError):
        return ""


def read_user(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """groups: GID by name. uid_of, gid_of: who has the wanted IDs. sudoers: texts of the files with the rule.

    with_groups: whether useradd creates a group of the user's name (login.defs(5)).
    """
    ids = {name: group_id(name) for name in (PRIMARY_GROUP, wanted_engine(options, system))}
    return {
        "groups": {name: gid for name, gid in ids.items() if gid is not None},
        "uid_of": user_with(options.get("ece_host_preparation_uid")),
        "gid_of": group_with(options.get("ece_host_preparation_gid")),
        "sudoers": [read_text(SUDOERS_OF_PAGES), read_text(SUDOERS)],
        "with_groups": bool(re.search(r"^\s*USERGROUPS_ENAB\s+yes\b", read_text(LOGIN_DEFS), re.MULTILINE)),
    }


def _id_problems(options: Options, is_new: bool, found: Dict[str, Any]) -> Iterator[str]:
    """What is wrong with the IDs of a user and a group that are created."""
    group_is_new = is_new and PRIMARY_GROUP not in found["groups"]
    for variable, is_used, kind, owner in (
        ("ece_host_preparation_uid", is_new, "user", found["uid_of"]),
        ("ece_host_preparation_gid", group_is_new, "group", found["gid_of"]),
    ):
        number = options.get(variable)
        if number is not None and number < UID_MIN:
            yield f"{variable} {number} is too low: use {UID_MIN} or more, or leave it out."
        elif is_used and owner:
            yield f"{variable} {number} is the ID of {kind} {owner}: use another one, or leave it out."
    gid = found["groups"].get(PRIMARY_GROUP, UID_MIN)
    if is_new and gid < UID_MIN:
        yield (
            f"Group {PRIMARY_GROUP} has GID {gid}, and the installer needs {UID_MIN} or more: give the group another "
            "GID, or set ece_host_user to a user that exists and has another primary group."
        )


def plan_user(facts: Facts, options: Options, system: System) -> PartPlan:
    """Create user and groups where they are missing, and add the user to the group of the engine."""
    name, user = options["ece_host_user"], facts["user"]
    found = facts["preparation"]["user"]
    engine_group = wanted_engine(options, system)
    plan = PartPlan([], [], {"engine_group": engine_group}, [], [])
    plan.problems.extend(_id_problems(options, user is None, found))
    if user and (user["uid"] < UID_MIN or user["gid"] < UID_MIN):
        plan.problems.append(
            f"User {name} has UID {user['uid']} and GID {user['gid']}, and the installer needs {UID_MIN} or more: set "
            "ece_host_user to another user, which this role creates."
        )
    groups = [engine_group] if user else [PRIMARY_GROUP, engine_group]
    missing = [group for group in groups if group not in found["groups"]]
    plan.steps.extend(f"create group {group}" for group in missing)
    # One round trip less: the group comes with the user.
    of_user = PRIMARY_GROUP if name == PRIMARY_GROUP and found["with_groups"] else None
    comes = of_user in missing and options.get("ece_host_preparation_gid") is None
    plan.values["missing_groups"] = [group for group in missing if not (comes and group == of_user)]
    plan.values["primary_group"] = None if user or comes else PRIMARY_GROUP
    if user is None:
        plan.steps.append(f"create user {name} in group {PRIMARY_GROUP}, and in {engine_group}")
    elif engine_group not in user["groups"]:
        plan.steps.append(f"add user {name} to group {engine_group}")
    wants_sudo = options.get("ece_host_preparation_sudo", options["ece_host_selinux"])
    of_pages, own = found["sudoers"]
    if wants_sudo and not has_sudo(of_pages, name):
        other = last_rule(of_pages, name)
        if other and "NOPASSWD" not in other:
            plan.problems.append(
                f"{SUDOERS_OF_PAGES} has {other!r}, which outranks the rule of this role and asks user {name} for a "
                "password: remove it, or set ece_host_preparation_sudo to false."
            )
        elif not has_sudo(own, name):
            plan.steps.append(f"let user {name} run sudo without a password")
            plan.values["sudoers"] = {"path": SUDOERS, "content": sudoers_line(name)}
    return plan


USER = Part("user", read_user, plan_user)
