#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_removal_check
short_description: Ask a host who it is before it is removed (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host_removal#role). It may change or go in any release."
  - Checks the variables of the role, and asks the host by M(ece.platform.ece_host_info). Changes nothing.
  - Never fails. What is wrong is in the result, so that the plan for all hosts of the play can say all of it.
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
options: {}
"""

EXAMPLES = r"""
- name: Check the host
  ece.platform.ece_removal_check:
  register: __ece_host_removal_check
"""

RETURN = r"""
facts:
  description: >-
    What the host says of itself, some of C(facts) of M(ece.platform.ece_host_info), Mapping of names to values. V(null)
    for a host that cannot be reached.
  returned: if the variables are right
  type: dict
  sample: {"addresses": ["192.0.2.3"], "runner_ids": ["192.0.2.3"], "ece_containers": ["frc-runners-runner"]}
options:
  description: The checked variables, Mapping of names to values.
  returned: if the variables are right
  type: dict
  sample: {"vacate_timeout": 3600}
error:
  description: Why the host cannot be reached; empty where it can.
  returned: if the variables are right
  type: str
  sample: ""
problem:
  description: What else is wrong; empty where nothing is.
  returned: always
  type: str
  sample: ""
"""
