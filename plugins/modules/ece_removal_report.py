#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_removal_report
short_description: Show how the hosts of a removal ended (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host_removal#role). It may change or go in any release."
  - Shows a table with one line per host of the batch, and what of ECE is left on them.
  - The last line is C(ece_host_removal:) and the sums of the run as JSON, for scripts.
  - Returns the same with a sum for C(set_stats), under C(ece_host_removal) and in AWX also under
    C(ece_host_removal_<job id>).
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
  plan:
    description:
      - The result of C(ece.platform.ece_removal_plan).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Report
  ece.platform.ece_removal_report:
    plan: "{{ __ece_host_removal_plan }}"
  run_once: true
  register: __ece_host_removal_report
"""

RETURN = r"""
hosts:
  description: How each host ended.
  returned: success
  type: dict
  contains:
    NAME:
      description: One host, by its inventory name.
      type: dict
      contains:
        host:
          description: Inventory name of the host.
          type: str
        zone:
          description: Availability zone; V(null) where it is not known.
          type: str
        runner_id:
          description: Runner id of the host.
          type: str
        verdict:
          description: V(removed), V(would remove), V(not there) or V(failed).
          type: str
        instances:
          description: How many instances its allocator held.
          type: int
        memory_mb:
          description: Memory of the allocator in MB; V(null) where it is not known.
          type: float
        leftovers:
          description: What of ECE is left on the host.
          type: list
          elements: str
        note:
          description: Why the host failed, and what to do.
          type: str
  sample:
    host-3:
      host: host-3
      zone: ece-zone-1
      runner_id: 192.0.2.3
      verdict: removed
      instances: 3
      memory_mb: 249856
      leftovers: ["/etc/sysctl.d/zz-ece.conf (settings of the kernel)"]
      note: ""
"""
