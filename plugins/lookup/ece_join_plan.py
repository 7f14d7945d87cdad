# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ece_join_plan
short_description: Find the hosts and batches of a plan (private)
version_added: 1.0.0
author:
  - The ece.platform authors (@ece-platform)
description:
  - "WARNING: Only for the collection's own use. It may change or go in any release."
  - Returns what the second play of playbook C(ece.platform.add_allocators) needs from the plan that the first one made.
options:
  _terms:
    description:
      - The pattern of hosts that the plan was made for.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Join the hosts that are not in the platform
  hosts: "{{ lookup('ece.platform.ece_join_plan', 'allocators').hosts }}"
  serial: "{{ lookup('ece.platform.ece_join_plan', 'allocators').batch }}"
"""

RETURN = r"""
_raw:
  description: The hosts that are not joined, and how many of them are in each batch.
  type: list
  elements: dict
  contains:
    hosts:
      description: Names of the hosts, or a pattern that matches no host.
      type: raw
    batch:
      description: Number of hosts in each batch.
      type: list
      elements: raw
  sample:
    - hosts: [host-3, host-4]
      batch: [2]
"""

import fnmatch
import functools
import re
from collections.abc import Mapping
from typing import Any

from ansible import context
from ansible.errors import AnsibleLookupError
from ansible.inventory.manager import split_host_pattern
from ansible.plugins.lookup import LookupBase

from ansible_collections.ece.platform.plugins.plugin_utils._display import show
from ansible_collections.ece.platform.plugins.plugin_utils._report import sums_line, sums_of
from ansible_collections.ece.platform.plugins.plugin_utils._results import PLAN

NO_HOST = {"hosts": "!all", "batch": ["100%"]}


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        variables = variables or {}
        if any(context.CLIARGS.get(option) for option in ("syntax", "listhosts", "listtasks", "listtags")):
            return [NO_HOST]  # no task runs, so there is no plan
        # There are no hostvars before a play has had a host. get_hosts() respects --limit, which may leave no host.
        hostvars: Any = variables.get("hostvars")
        inventory = hostvars._inventory if hostvars is not None else None
        names = [host.name for host in inventory.get_hosts(terms[0])] if inventory else []
        if not names:
            check_pattern(variables["groups"], terms[0], "awx_job_id" in variables or "tower_job_id" in variables)
            show_no_host(str(terms[0]))
            return [NO_HOST]
        plan = next((hostvars[name][PLAN] for name in names if PLAN in hostvars[name]), None)
        if not (plan and "hosts" in plan):
            raise AnsibleLookupError(
                "there is no plan: start at the first task, and run the playbook without --tags and --skip-tags"
            )
        if not plan["hosts"]:
            return [NO_HOST]
        return [{"hosts": patterns_of(inventory, list(plan["hosts"])), "batch": plan["batch"]}]


@functools.lru_cache(maxsize=None)
def show_no_host(pattern: str) -> None:
    """Print why nothing is done, once for each pattern. Ansible only says that it skips the play."""
    show(
        f"nothing to do: ece_target {pattern!r} has no host here, because the inventory, --limit or this slice of a "
        "job has none of its hosts"
    )
    show(sums_line(sums_of({}, 0, [])), indent="")


def check_pattern(groups: Mapping[str, list[str]], pattern: Any, in_awx: bool) -> None:
    """Raise AnsibleLookupError for a pattern that names nothing in the inventory, such as a typing error.

    An empty group and --limit leave no host to a good pattern. So does a slice of AWX, which lacks the hosts of the
    others but not the groups.
    """
    names = {*groups, *groups.get("all", ())}
    for part in split_host_pattern(pattern):
        if part.startswith("!"):
            continue
        name = part.removeprefix("&")
        expression = name[1:] if name.startswith("~") else fnmatch.translate(name.split("[")[0])
        if any(re.match(expression, known) for known in names) or (in_awx and re.search(r"[~*?]", name)):
            return
    raise AnsibleLookupError(
        f"ece_target {pattern!r} is neither a group nor a host of the inventory: give the name of a group, "
        "like -e ece_target=allocators"
    )


def patterns_of(inventory: Any, names: list[str]) -> list[str]:
    """Return patterns that match exactly these hosts. Raises AnsibleLookupError where there are none.

    Each element of a play's hosts is a pattern, so that the parts of a name with a blank or a comma would be read as
    names of other hosts and groups.
    """
    patterns = [name if is_own_pattern(name) else exact_pattern(name) for name in names]
    found = {host.name for host in inventory.get_hosts(patterns)}
    strangers = found - set(names)
    missing = set(names) - found
    if strangers or missing:
        raise AnsibleLookupError(
            f"the name of host {min(missing or strangers)} is read as a pattern of other hosts: give the host a name "
            "of letters, digits, '.', '-' and '_', and set ansible_host"
        )
    return patterns


def is_own_pattern(name: str) -> bool:
    """Return whether Ansible reads a host's name as nothing else."""
    return not name.startswith(("!", "&", "~")) and split_host_pattern([name]) == [name]


def exact_pattern(name: str) -> str:
    """Return a regular expression without the characters that separate patterns."""
    characters = (c if re.match(r"[A-Za-z0-9_]", c) else f"\\U{ord(c):08x}" for c in name)
    return "~^" + "".join(characters) + r"\Z"
