#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: the code is the action plugin of the same name, because this runs in the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_host_wait
short_description: Wait, with progress, until a batch of hosts has joined an ECE platform
version_added: 1.0.0
description:
  - Asks the platform once an interval, however many hosts wait, and follows each running installer over a quiet connection to its host.
  - Shows progress at once when something changes, and at least every 30 seconds. A failed installer is named at once and holds up no other host.
  - Ready is a host that is connected and has its roles; then its zone and version are compared with those wanted.
  - Belongs to role P(ece.platform.ece_host#role), whose variables of each host it reads. Use it with C(run_once).
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.connection
  - ece.platform.attributes
  - ece.platform.attributes.actiongroup_ece
  - ece.platform.attributes.info_module
attributes:
  action:
    description: Runs in the controller, from where it connects to the hosts that it waits for.
    support: full
options:
  hosts:
    description:
      - Names of the hosts to wait for.
    type: list
    elements: str
    required: true
  plan:
    description:
      - The result of M(ece.platform.ece_host_plan).
    type: dict
    required: true
  need:
    description:
      - The result of M(ece.platform.ece_host_token), for the report at the end.
    type: dict
  before:
    description:
      - RV(hosts) of an earlier wait for hosts of the same batch, which is kept for those that are not waited for now.
    type: dict
    default: {}
  anew:
    description:
      - Names of hosts of O(before) that are installed anew, so that what it says of them is over.
    type: list
    elements: str
    default: []
  interval:
    description:
      - Seconds between two questions to the platform. The first ones come quicker; where an answer takes longer than that, the pause does, too.
    type: float
    default: 5
seealso:
  - module: ece.platform.ece_host_plan
"""

EXAMPLES = r"""
- name: Wait until connected
  ece.platform.ece_host_wait:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    hosts: [host-3, host-4]
    plan: "{{ plan }}"
  become: true
  run_once: true
  register: waited
"""

RETURN = r"""
msg:
  description: How it ended, in one line.
  returned: success
  type: str
  sample: 2/2 connected
hosts:
  description: Verdict of each host, V(joined) or V(failed), with what was measured. Memory is in MB.
  returned: success
  type: dict
  sample:
    host-3:
      host: host-3
      zone: ece-zone-1
      verdict: joined
      install_seconds: 271.4
      connect_seconds: 10.2
      memory_mb: 249856
      note: ""
again:
  description: Names of the hosts whose installer was running before and has failed meanwhile, so that it may be started anew.
  returned: success
  type: list
  elements: str
  sample: []
need:
  description: O(need) as it was given.
  returned: success
  type: dict
  sample: {hosts: [host-3], persistent: false, roles: [allocator], validity_seconds: 2120, minted: 1}
plan_made_at:
  description: C(made_at) of O(plan).
  returned: success
  type: float
  sample: 1893456000.5
"""
