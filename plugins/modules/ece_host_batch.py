#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: the code is the action plugin of the same name, because this runs in the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_host_batch
short_description: Begin a batch of hosts that join an ECE platform
version_added: 1.1.0
description:
  - Says which hosts are in the play's current batch, before any of them can have failed.
  - Fails where more hosts of an earlier batch of the play have failed than C(ece_host_max_fail_percentage) allows, which ends the play.
  - Belongs to role P(ece.platform.ece_host#role), whose reports it reads. Use it with C(run_once).
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
  - ece.platform.attributes.info_module
attributes:
  action:
    description: Runs in the controller; no host is contacted.
    support: full
options:
  plan:
    description:
      - The result of M(ece.platform.ece_host_plan).
    type: dict
    required: true
seealso:
  - module: ece.platform.ece_host_report
"""

EXAMPLES = r"""
- name: Begin a batch
  ece.platform.ece_host_batch:
    plan: "{{ plan }}"
  run_once: true
  register: batch
"""

RETURN = r"""
hosts:
  description: Names of the hosts of the batch that are not joined.
  returned: success
  type: list
  elements: str
  sample: [host-3, host-4]
"""
