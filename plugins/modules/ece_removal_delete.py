#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_removal_delete
short_description: Delete allocator and runner of a host that is clean (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host_removal#role). It may change or go in any release."
  - Waits until the platform shows both as disconnected, and deletes them.
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
- name: Delete allocator and runner
  ece.platform.ece_removal_delete:
    entry: "{{ __ece_host_removal_plan.hosts[inventory_hostname] }}"
  register: __ece_host_removal_delete
"""

RETURN = r"""
msg:
  description: What was deleted.
  returned: success
  type: str
  sample: "allocator deleted; runner deleted"
notes:
  description: What the operator should know.
  returned: success
  type: list
  elements: str
  sample: []
"""
