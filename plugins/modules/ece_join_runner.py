#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_join_runner
short_description: Change a joined host, or delete a stale runner (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host#role). It may change or go in any release."
  - Does what M(ece.platform.ece_runner) does, on the controller and with the variables of the role.
  - Changes tags, capacity, maintenance mode and surplus roles of a joined host that are not what its variables declare.
    The host is not contacted. The platform is asked for that very host first, because the lists of the plan may lag
    behind.
  - Deletes a stale runner only where there is a token for the host to join again, and after it has asked host and
    platform again, because another run may have begun to join the host meanwhile.
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
    support: full
  idempotent:
    support: full
options: {}
"""

EXAMPLES = r"""
- name: Change the joined host or delete the stale runner
  ece.platform.ece_join_runner:
    entry: "{{ __ece_host_plan.hosts[inventory_hostname] }}"
  when: __ece_host_check.verdict in ['assign-roles', 'replace', 'update']
"""

RETURN = r"""
runner_id:
  description: Id of the runner.
  returned: success
  type: str
  sample: 10.0.0.9
msg:
  description: What was changed on a joined host, or would be.
  returned: when a joined host was not what its variables declare
  type: str
  sample: tag ssd=true instead of false, capacity 204800 MB instead of 102400 MB
roles:
  description: Roles of the runner afterwards.
  returned: when roles were assigned
  type: list
  elements: str
  sample: [allocator, proxy]
"""
