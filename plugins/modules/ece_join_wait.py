#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_join_wait
short_description: Wait until the hosts of a batch have joined (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host#role). It may change or go in any release."
  - Asks the platform once per interval, however many hosts wait, and follows each running installer over one
    connection to its host.
  - Shows each change at once, and progress at least every 30 seconds. A failed installer delays no other host.
  - A host has joined once it is connected with its roles for C(ece_host_settle_time) seconds, in its zone and with its
    version.
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
- name: Wait until connected
  ece.platform.ece_join_wait:
    plan: "{{ __ece_host_plan }}"
  become: true
  run_once: true
  register: __ece_host_wait
"""

RETURN = r"""
msg:
  description: How the wait ended, in one line.
  returned: success
  type: str
  sample: 2/2 connected
made_at:
  description: RV(ece.platform.ece_join_plan#module:made_at), to distinguish results of several plans.
  returned: success
  type: float
  sample: 1893456000.5
hosts:
  description: Mapping of host names to rows, as C(hosts) of C(ece.platform.ece_join_report) documents them.
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
"""
