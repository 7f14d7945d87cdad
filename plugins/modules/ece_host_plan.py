#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: the code is the action plugin of the same name, because this runs in the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_host_plan
short_description: Plan which hosts of a play have to join an ECE platform
version_added: 1.0.0
description:
  - Compares all hosts of the play's batch with the platform's runners and allocators, with a number of requests that does not depend on the number of hosts.
  - Checks everything that the installer would be given for hosts that are not joined, so that bad input is known before anything is changed.
  - Works from the variables of role P(ece.platform.ece_host#role), of each host, wherever they are set. Use it with C(run_once).
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.connection
  - ece.platform.attributes
  - ece.platform.attributes.actiongroup_ece
  - ece.platform.attributes.info_module
attributes:
  action:
    description: Runs in the controller; no host is contacted.
    support: full
options: {}
seealso:
  - module: ece.platform.ece_host_wait
"""

EXAMPLES = r"""
- name: Plan
  ece.platform.ece_host_plan:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
  run_once: true
  register: plan
"""

RETURN = r"""
msg:
  description: The plan in one line.
  returned: success
  type: str
  sample: "ECE 3.8.0 at https://ece.example.com:12443 - 1,000 hosts: 997 joined, 3 new"
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
  description: Number of the hosts that are joined, connected and have their roles.
  returned: success
  type: int
  sample: 997
hosts:
  description: The other hosts by name. C(state) is V(unknown), V(disconnected) or V(missing_roles).
  returned: success
  type: dict
  sample:
    host-3:
      name: host-3
      state: unknown
      runner_id: 10.0.0.9
      addresses: [10.0.0.9, host-3]
      roles: [allocator]
      missing_roles: []
      zone: ece-zone-1
      version: 3.8.0
      coordinator: ece.example.com
batch:
  description: C(ece_host_batch) of RV(hosts), which have one value; V(null) where it is not set.
  returned: success
  type: raw
  sample: "25%"
max_fail_percentage:
  description: C(ece_host_max_fail_percentage) of RV(hosts), which have one value; V(null) where it is not set.
  returned: success
  type: raw
  sample: 30
made_at:
  description: When the plan was made, in seconds since 1970.
  returned: success
  type: float
  sample: 1893456000.5
"""
