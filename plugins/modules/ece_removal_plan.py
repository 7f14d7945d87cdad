#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_removal_plan
short_description: Plan a removal for all hosts of a play (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host_removal#role). It may change or go in any release."
  - Finds out which runner each host is, and whether that is proven, by the platform's answer for that very runner.
  - Shows what each host holds, and what is left of its zone without the hosts that leave. Changes nothing.
  - Fails if one host cannot be removed, so that nothing is changed on any. The result says why for each host.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
  - ece.platform.role_step
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
  idempotent:
    support: full
options:
  step:
    description:
      - V(target) checks that the user has named the hosts of the playbook. V(plan) plans.
    type: str
    choices: [target, plan]
    required: true
  target:
    description:
      - With O(step=target), the value of C(ece_target).
    type: raw
"""

EXAMPLES = r"""
- name: Plan
  ece.platform.ece_removal_plan:
    step: plan
  run_once: true
  register: __ece_host_removal_plan
"""

RETURN = r"""
msg:
  description: The plan in one line, or why it fails.
  returned: success
  type: str
  sample: "ECE 3.8.0 at https://ece.example.com:12443 - 2 hosts: 1 to remove, 1 not in the platform"
made_at:
  description: When the plan was made, in seconds since 1970.
  returned: with O(step=plan)
  type: float
  sample: 1893456000.5
version:
  description: Version of the platform.
  returned: with O(step=plan)
  type: str
  sample: 3.8.0
url:
  description: Address of the platform.
  returned: with O(step=plan)
  type: str
  sample: https://ece.example.com:12443
hosts:
  description: Mapping of inventory names to what the plan has for each host.
  returned: with O(step=plan)
  type: dict
  sample: {"host-3": {"state": "remove", "runner_id": "192.0.2.3"}}
zones:
  description: What is left of each zone that loses an allocator.
  returned: with O(step=plan)
  type: list
  elements: dict
  contains:
    zone:
      description: The zone.
      type: str
    allocators:
      description: Number of allocators that are connected and not in maintenance mode.
      type: int
    free_mb:
      description: Their free memory in MB.
      type: float
    needed_mb:
      description: Memory in MB of the instances that move to them.
      type: float
    staying:
      description: Ids of these allocators, 100 at most.
      type: list
      elements: str
  sample:
    - {zone: ece-zone-1, allocators: 2, free_mb: 98304, needed_mb: 4096, staying: ["192.0.2.1", "192.0.2.2"]}
refused:
  description: Mapping of inventory names to why each host is not removed; empty unless the plan fails.
  returned: with O(step=plan)
  type: dict
  sample: {}
ready:
  description: Inventory names of the hosts that are removed.
  returned: with O(step=plan)
  type: list
  elements: str
  sample: ["host-3"]
"""
