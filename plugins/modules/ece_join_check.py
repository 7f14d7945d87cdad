#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_join_check
short_description: Check a host and decide what the run does with it (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host#role). It may change or go in any release."
  - Runs M(ece.platform.ece_host_info) on the host and compares the result with what the platform says.
  - Asks the platform for that very host where a verdict rests on what its lists lack, also by the runner ids and
    addresses that the host has itself.
  - Fails for a host that the run does not touch, with what to do about it.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
  - ece.platform.role_step
  - ece.platform.role_step.entry
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
  idempotent:
    support: full
options:
  made_at:
    description:
      - RV(ece.platform.ece_join_plan#module:made_at), which the result repeats.
    type: float
    required: true
"""

EXAMPLES = r"""
- name: Check the host
  ece.platform.ece_join_check:
    entry: "{{ __ece_host_plan.hosts[inventory_hostname] }}"
    made_at: "{{ __ece_host_plan.made_at }}"
  become: true
  register: __ece_host_check
"""

RETURN = r"""
verdict:
  description:
    - What the run does with the host, V(install), V(replace), V(assign-roles), V(update) or V(wait).
    - V(joined) if the platform's lists do not show that it has joined, or show it by a name that the inventory lacks.
    - Or why it does nothing with it, V(refused), V(half-installed), V(disconnected) or V(stale).
  returned: when the host was checked
  type: str
  sample: install
msg:
  description: The verdict as a sentence, with what to do about it.
  returned: always
  type: str
  sample: "new: join as allocator"
unprepared:
  description: Whether the host joins once it is prepared. What the preparation would mend is no problem of it.
  returned: in check mode, when C(ece_host_prepare) is set and the host has to be prepared
  type: bool
  sample: true
facts:
  description:
    - Mapping of names to facts, as in RV(ece.platform.ece_host_info#module:facts).
    - Empty for a host that only lacks a role.
  returned: when the host was checked
  type: dict
  sample: {}
warnings_found:
  description: Sentences on what the installer accepts but may be a problem for ECE. A later step shows them.
  returned: when the host was checked
  type: list
  elements: str
  sample: []
made_at:
  description: RV(ece.platform.ece_join_plan#module:made_at), to distinguish results of several plans.
  returned: when the host was checked
  type: float
  sample: 1893456000.5
"""
