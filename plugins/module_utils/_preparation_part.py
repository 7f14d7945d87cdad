# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""What each part of the preparation of a host consists of.

Runs on hosts: Python 3.6 and the standard library.
"""

from typing import Any, Callable, Dict, List, Mapping, NamedTuple

# Those of `_host_facts.gather`, and `preparation` with what each part has read.
Facts = Mapping[str, Any]
# The variables of role ece_host_preparation by their whole names, converted to their types.
Options = Mapping[str, Any]
# The row of the operating system in roles/ece_host_preparation/vars/main.yml.
System = Mapping[str, Any]


# Around what module blockinfile writes into a file of the role's own.
MARKER = "# {mark} ece.platform"


def marked(block: str) -> str:
    """The text of a file in which blockinfile has written a block of lines."""
    return "".join((MARKER.format(mark="BEGIN"), "\n", block, MARKER.format(mark="END"), "\n"))


class PartPlan(NamedTuple):
    """What has to be done for one part."""

    # Why the host cannot be prepared. Each is a sentence that names the variable to set.
    problems: List[str]
    # What the tasks of the part will do, like "format /dev/sdb with XFS". Empty if nothing has to be done.
    steps: List[str]
    # What these tasks need.
    values: Dict[str, Any]
    # Why the host has to be rebooted at the end.
    reboot: List[str]
    # What the role leaves as it is, though it differs from Elastic's pages.
    notes: List[str]


def new_plan() -> PartPlan:
    """A plan to which a part adds what it finds."""
    return PartPlan([], [], {}, [], [])


class Part(NamedTuple):
    """One part of the preparation: a switch, a tag and a file of tasks have its name."""

    name: str
    # Reads what the part needs from the host, beside the facts of ece_host_info.
    read: Callable[[Facts, Options, System], Dict[str, Any]]
    # Decides. A pure function.
    plan: Callable[[Facts, Options, System], PartPlan]


def wanted_engine(options: Options, system: System) -> str:
    """The engine that the host gets: docker or podman."""
    return str(options.get("ece_host_container_engine") or system["engine"])
