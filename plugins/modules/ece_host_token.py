#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: the code is the action plugin of the same name, because this runs in the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_host_token
short_description: See what enrollment token a batch of hosts needs
version_added: 1.1.0
description:
  - Counts the hosts of a batch whose installers are to be started, and says which roles their one token has to permit, and for how long.
  - An ephemeral token is to hold for the longest install timeout, the time that it takes to start all installers (an hour at the most), and a margin.
  - Fails where more of them have failed before than the plan's C(max_fail_percentage) allows.
  - Mints nothing; that is for M(ece.platform.ece_host_mint).
  - Belongs to role P(ece.platform.ece_host#role), whose results of each host it reads. Use it with C(run_once).
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
  hosts:
    description:
      - Names of the batch's hosts, those that have failed included.
    type: list
    elements: str
    required: true
  plan:
    description:
      - The result of M(ece.platform.ece_host_plan).
    type: dict
    required: true
  persistent:
    description:
      - Whether the token is to be one that does not expire.
    type: bool
    default: false
  forks:
    description:
      - Number of hosts that Ansible works on at a time.
    type: int
    default: 5
  before:
    description:
      - The result that this module gave before for the same batch, where it needs one more token.
    type: dict
    default: {}
  late:
    description:
      - Whether the token is for those hosts alone that were late for the one before.
    type: bool
    default: false
  only:
    description:
      - Names of the hosts that the token is for, where it is not for the whole batch.
    type: list
    elements: str
seealso:
  - module: ece.platform.ece_host_start
  - module: ece.platform.ece_host_mint
"""

EXAMPLES = r"""
- name: See what token the batch needs
  ece.platform.ece_host_token:
    hosts: "{{ batch.hosts }}"
    plan: "{{ plan }}"
  run_once: true
  register: need
"""

RETURN = r"""
hosts:
  description: Names of the hosts that need it.
  returned: success
  type: list
  elements: str
  sample: [host-3, host-4]
roles:
  description: Roles that it has to permit.
  returned: success
  type: list
  elements: str
  sample: [allocator]
persistent:
  description: O(persistent) as it was given.
  returned: success
  type: bool
  sample: false
validity_seconds:
  description: Seconds for which it has to hold; V(null) where nobody needs one, and for a persistent one.
  returned: success
  type: int
  sample: 2120
minted:
  description: Number of tokens that the batch has had, this one included.
  returned: success
  type: int
  sample: 1
anew:
  description: Whether it is for hosts that are installed anew because an installer of an earlier run has failed.
  returned: success
  type: bool
  sample: false
stopped:
  description: A sentence where too many hosts have failed since the first token, so that no further installer is started; else V(null).
  returned: success
  type: str
  sample: "2 of 10 hosts of a batch have failed, which is more than ece_host_max_fail_percentage 10 allows: no further installer is started"
at_any_age:
  description: Whether the token is to be used however old it is, because nobody could be started with the one before.
  returned: success
  type: bool
  sample: false
"""
