#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: the code is the action plugin of the same name, because this runs in the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_host_verdict
short_description: Decide what a host that is not joined needs
version_added: 1.0.0
description:
  - Puts together what the platform says of a host (M(ece.platform.ece_host_plan)) and what the host says itself (M(ece.platform.ece_host_info)).
  - Fails, with what to do, for a host that must not be installed.
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
  entry:
    description:
      - The host's entry in the plan.
    type: dict
    required: true
  check:
    description:
      - The host's result of M(ece.platform.ece_host_info).
    type: dict
    default: {}
  replace_stale:
    description:
      - Join a host anew that the platform knows but that has no ECE any more.
    type: bool
    default: false
  install_timeout:
    description:
      - Seconds that the installer may take, from which follows how long a token must be valid.
    type: float
    default: 1800
  connect_timeout:
    description:
      - Seconds after a finished install for which a host counts as still connecting.
    type: float
    default: 600
  batch:
    description:
      - Number of hosts that the token is for. Their installers are started O(forks) at a time.
    type: int
    default: 1
  forks:
    description:
      - Number of hosts that Ansible works on at a time.
    type: int
    default: 5
seealso:
  - module: ece.platform.ece_host_plan
  - module: ece.platform.ece_host_info
"""

EXAMPLES = r"""
- name: Decide
  ece.platform.ece_host_verdict:
    entry: "{{ plan.hosts[inventory_hostname] }}"
    check: "{{ host }}"
  register: decided
"""

RETURN = r"""
verdict:
  description: V(install), V(wait), V(replace) or V(assign_roles); in a failure V(refused), V(half-installed), V(ill) or V(stale).
  returned: always
  type: str
  sample: install
msg:
  description: The verdict as a sentence, with what to do.
  returned: always
  type: str
  sample: "new: join as allocator"
roles:
  description: Roles that the host is to get.
  returned: always
  type: list
  elements: str
  sample: [allocator]
token_validity:
  description: Seconds for which a token for this host must be valid.
  returned: always
  type: int
  sample: 2100
"""
