#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_preparation_report
short_description: Show the plan of a preparation and how its hosts ended (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host_preparation#role). It may change or go in any release."
  - Shows the plan for all hosts in one line, and which steps are done on which hosts.
  - Shows a table with one line per host at the end. The last line is C(ece_host_preparation:) and the sums of the play
    as JSON, for scripts.
  - Returns the same with a sum for C(set_stats), under C(ece_host_preparation) and in AWX also under
    C(ece_host_preparation_<job id>).
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
      - V(plan) shows the plan. V(failure) keeps why a host failed. V(end) shows how the hosts ended. V(verdict) fails
        on a host that has failed.
    type: str
    choices: [plan, failure, end, verdict]
    required: true
"""

EXAMPLES = r"""
- name: Report
  ece.platform.ece_preparation_report:
    step: end
  run_once: true
  register: __ece_host_preparation_report
"""

RETURN = r"""
msg:
  description: The plan in one line, or how the host ended.
  returned: with O(step) V(plan), V(failure) or V(verdict)
  type: str
  sample: "ECE preparation - 20 hosts: 17 to prepare, 2 prepared, 1 left alone"
reason:
  description: Why the host failed.
  returned: with O(step) V(failure)
  type: str
  sample: "Format the disk: mkfs.xfs failed"
of:
  description: RV(ece.platform.ece_preparation_plan#module:planned_at) of the plan that the failure is of.
  returned: with O(step) V(failure)
  type: float
  sample: 1893456000.5
told:
  description: Mapping of the hosts in the table to when their plans were made.
  returned: with O(step) V(end)
  type: dict
  sample: {"host-3": 1893456000.5}
hosts:
  description: How each host ended.
  returned: with O(step) V(end)
  type: dict
  contains:
    NAME:
      description: One host, by its inventory name.
      type: dict
      contains:
        host:
          description: Inventory name of the host.
          type: str
        verdict:
          description: V(prepared), V(would prepare), V(left alone) or V(failed).
          type: str
        steps:
          description: What was done, or would be done in check mode.
          type: list
          elements: str
        reboot:
          description: Why the host still has to be rebooted.
          type: list
          elements: str
        warnings:
          description: What the rules of M(ece.platform.ece_host_info) warn of.
          type: list
          elements: str
        note:
          description: Why the host failed or is left alone.
          type: str
  sample:
    host-3:
      host: host-3
      verdict: prepared
      steps: ["create user elastic in group elastic, and in docker"]
      reboot: []
      warnings: []
      note: ""
"""
