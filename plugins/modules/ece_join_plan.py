#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_join_plan
short_description: Plan which hosts of a play have to join (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host#role). It may change or go in any release."
  - Compares the hosts of the play with the platform's runners and allocators. The number of requests does not depend
    on the number of hosts.
  - Checks everything that the installer would get on hosts that are not joined, before anything is changed.
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
  target:
    description:
      - C(ece_target) as a task sees it, in playbook C(ece.platform.add_allocators) only.
      - The play must have been given the same hosts.
    type: raw
"""

EXAMPLES = r"""
- name: Plan
  ece.platform.ece_join_plan:
  run_once: true
  become: false
  register: __ece_host_plan
"""

RETURN = r"""
msg:
  description: The plan in one line.
  returned: success
  type: str
  sample: "ECE 3.8.0 at https://ece.example.com:12443 - 1,000 hosts: 997 joined, 3 new"
made_at:
  description: When the plan was made, in seconds since 1970.
  returned: success
  type: float
  sample: 1893456000.5
url:
  description: The coordinator that answered.
  returned: success
  type: str
  sample: https://ece.example.com:12443
version:
  description: Version of the platform.
  returned: success
  type: str
  sample: 3.8.0
joined:
  description: Number of hosts that are joined and as declared.
  returned: success
  type: int
  sample: 997
hosts:
  description: The other hosts.
  returned: success
  type: dict
  contains:
    NAME:
      description: One host, by its inventory name.
      type: dict
      contains:
        name:
          description: Inventory name of the host.
          type: str
        state:
          description: What the platform says, V(new), V(disconnected), V(missing-roles) or V(update).
          type: str
        runner_id:
          description: Id that the platform knows the host by, or is to know it by.
          type: str
        addresses:
          description: Addresses that the platform may know the host by.
          type: list
          elements: str
        roles:
          description: Roles that the host is to have.
          type: list
          elements: str
        missing_roles:
          description: Roles that a connected host lacks.
          type: list
          elements: str
        zone:
          description: Availability zone that the host is to join in; V(null) for the installer's default.
          type: str
        changes:
          description: What changes on a joined host, each as part of a sentence.
          type: list
          elements: str
        differences:
          description: Empty. How joined hosts differ from the inventory is a warning.
          type: list
          elements: str
        version:
          description: Version of ECE to install.
          type: str
        coordinator:
          description: Address of the coordinator that the host is to join.
          type: str
  sample:
    host-3:
      name: host-3
      state: new
      runner_id: 10.0.0.9
      addresses: [10.0.0.9, host-3]
      roles: [allocator]
      missing_roles: []
      zone: ece-zone-1
      changes: []
      differences: []
      version: 3.8.0
      coordinator: ece.example.com
batch:
  description: Number of hosts in each batch, at most as many as can start within the time of one token.
  returned: success
  type: list
  elements: int
  sample: [3]
token_persistent:
  description: C(ece_host_token_persistent), which is the same for all hosts.
  returned: success
  type: bool
  sample: false
wait_interval:
  description: C(ece_host_wait_interval) in seconds, which is the same for all hosts.
  returned: success
  type: float
  sample: 5.0
fleet_report:
  description: C(ece_host_fleet_report), which is the same for all hosts; V(null) where it is not set.
  returned: success
  type: str
  sample: /srv/reports/fleet.html
max_fail_percentage:
  description: C(ece_host_max_fail_percentage) of the hosts; V(null) where it is not set.
  returned: success
  type: raw
  sample: 30
"""
