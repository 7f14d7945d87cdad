#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_removal_host
short_description: Clean a host with the variables of the role (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host_removal#role). It may change or go in any release."
  - Runs C(ece.platform.ece_removal_clean) on the host, whose options come from the variables of the role.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
  - ece.platform.role_step
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
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
- name: Clean the host
  ece.platform.ece_removal_host:
    entry: "{{ __ece_host_removal_plan.hosts[inventory_hostname] }}"
  register: __ece_host_removal_host
"""

RETURN = r"""
msg:
  description: What C(ece.platform.ece_removal_clean) did. Its other return values are passed on.
  returned: success
  type: str
  sample: "5 containers and the storage folder removed"
"""
