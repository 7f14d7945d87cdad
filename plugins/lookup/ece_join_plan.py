# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ece_join_plan
short_description: Find the hosts and batches of a plan (private)
version_added: 1.1.0
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

from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ansible_collections.ece.platform.plugins.plugin_utils._results import PLAN

NO_HOST = {"hosts": "!all", "batch": ["100%"]}


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[dict[str, Any]]:
        hostvars = (variables or {}).get("hostvars")
        if hostvars is None:
            return [NO_HOST]  # --syntax-check and --list-hosts run no task, so there is no plan
        # get_hosts() respects --limit, which may leave no host.
        names = [host.name for host in hostvars._inventory.get_hosts(terms[0])]
        plan = next((hostvars[name][PLAN] for name in names if PLAN in hostvars[name]), None)
        if names and plan is None:
            raise AnsibleError("there is no plan: start at the first task")
        if not plan or not plan["hosts"]:
            return [NO_HOST]
        return [{"hosts": list(plan["hosts"]), "batch": plan["batch"]}]
