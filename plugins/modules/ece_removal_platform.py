#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_removal_platform
short_description: Take a host out of service (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host_removal#role). It may change or go in any release."
  - Starts maintenance mode of its allocator, moves the instances away as M(ece.platform.ece_allocator_vacate) does, and
    takes its roles away.
  - Looks first, and leaves out what is done already.
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
  entry:
    description:
      - The entry of the host in C(hosts) of C(ece.platform.ece_removal_plan).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Take it out of service
  ece.platform.ece_removal_platform:
    entry: "{{ __ece_host_removal_plan.hosts[inventory_hostname] }}"
  register: __ece_host_removal_platform
"""

RETURN = r"""
msg:
  description: What was done, or would be done in check mode.
  returned: success
  type: str
  sample: "maintenance mode on; 3 clusters moved away; roles taken away: allocator"
moved:
  description: How many clusters were moved away.
  returned: success
  type: int
  sample: 3
"""
