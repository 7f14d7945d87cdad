#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_join_report
short_description: Show how the hosts of a batch ended (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host#role). It may change or go in any release."
  - Shows a table with one line per host of the batch, and a line on its token.
  - Where the play ends with this batch, the hosts of later batches are in the table, too.
  - Where the plan failed, its hosts have failed, and there is no table.
  - The last line is C(ece_host:) and the sums of the run as JSON, for scripts.
  - Returns the same with a sum for C(set_stats), under C(ece_host) and in AWX also under C(ece_host_<job id>).
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
  - ece.platform.role_step
  - ece.platform.role_step.plan
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
  idempotent:
    support: full
options: {}
"""

EXAMPLES = r"""
- name: Report
  ece.platform.ece_join_report:
    plan: "{{ __ece_host_plan }}"
  run_once: true
  register: __ece_host_report
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
        verdict:
          description: How the host ended.
          type: str
        install_seconds:
          description: How long the installer took, in seconds; V(null) where none ended.
          type: float
        connect_seconds:
          description: How long the host took to connect after that, in seconds; V(null) where it did not.
          type: float
        memory_mb:
          description: Memory of the allocator in MB; V(null) where it is not known.
          type: int
        note:
          description: Why the host failed, and what to do. Empty for a host that has joined.
          type: str
  sample:
    host-3:
      host: host-3
      zone: ece-zone-1
      verdict: joined
      install_seconds: 271.4
      connect_seconds: 10.2
      memory_mb: 249856
      note: ""
made_at:
  description: RV(ece.platform.ece_join_plan#module:made_at), to distinguish results of several plans.
  returned: success, if there is a plan
  type: float
  sample: 1893456000.5
play:
  description: Identity of the play, which all its batches share.
  returned: success, if there is a plan
  type: str
  sample: 0242ac12-0002-1111-2222-000000000009
too_many_failed:
  description: A sentence where more hosts failed than C(ece_host_max_fail_percentage) allows; V(null) where not.
  returned: success, if there is a plan
  type: str
  sample: "3 of 10 hosts of a batch have failed, which is more than ece_host_max_fail_percentage 20 allows"
"""
