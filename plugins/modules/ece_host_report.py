#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: the code is the action plugin of the same name, because this runs in the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_host_report
short_description: Show how the hosts of a join ended
version_added: 1.0.0
description:
  - Shows a table with host, zone, verdict, seconds to install and to connect, and memory.
  - Sets the same as statistics, as M(ansible.builtin.set_stats) does.
  - In AWX the key of the statistics holds the job's id, because the artifacts of slices are merged by key.
  - Belongs to role P(ece.platform.ece_host#role), whose results of each host it reads. Use it with C(run_once).
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
  - ece.platform.attributes.info_module
attributes:
  action:
    description: Runs in the controller; no host is contacted.
    support: full
options:
  hosts:
    description:
      - Names of the batch's hosts, those that have failed included.
    type: list
    elements: str
    required: true
  plan:
    description:
      - The result of M(ece.platform.ece_host_plan).
    type: dict
    required: true
seealso:
  - module: ece.platform.ece_host_wait
"""

EXAMPLES = r"""
- name: Report
  ece.platform.ece_host_report:
    hosts: "{{ batch.hosts }}"
    plan: "{{ plan }}"
  run_once: true
"""

RETURN = r"""
hosts:
  description: A row of the table by host.
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
too_many_failed:
  description: A sentence where more of them have failed than the plan's C(max_fail_percentage) allows, else V(null).
  returned: success
  type: str
  sample: 3 of 10 hosts of a batch have failed, which is more than ece_host_max_fail_percentage 20 allows
play:
  description: Identity of the play, the same for all of its batches.
  returned: success
  type: str
  sample: 00000000-0000-4000-8000-000000000000
"""
