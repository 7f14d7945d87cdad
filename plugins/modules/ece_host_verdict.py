#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: the code is the action plugin of the same name, because this runs in the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_host_verdict
short_description: Ask a host that is not joined, and decide what it needs
version_added: 1.0.0
description:
  - Asks the host with M(ece.platform.ece_host_info) and puts what it says together with what the platform says of it (M(ece.platform.ece_host_plan)).
  - A host that only lacks a role is not asked.
  - Fails, with what to do, for a host that must not be installed.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
  - ece.platform.attributes.info_module
attributes:
  action:
    description: Decides in the controller, after it has asked the host.
    support: full
options:
  entry:
    description:
      - The host's entry in the plan.
    type: dict
    required: true
  host_info:
    description:
      - Options of M(ece.platform.ece_host_info), but for its O(ece.platform.ece_host_info#module:roles) and O(ece.platform.ece_host_info#module:version),
        which are in O(entry).
    type: dict
    default: {}
  replace_stale:
    description:
      - Join a host anew that the platform knows but that has no ECE any more.
    type: bool
    default: false
  connect_timeout:
    description:
      - Seconds after a finished install for which a host counts as still connecting.
    type: float
    default: 600
  install_timeout:
    description:
      - Seconds that the installer may take, for M(ece.platform.ece_host_token).
    type: float
    default: 1800
seealso:
  - module: ece.platform.ece_host_plan
  - module: ece.platform.ece_host_info
"""

EXAMPLES = r"""
- name: Check the host
  ece.platform.ece_host_verdict:
    entry: "{{ plan.hosts[inventory_hostname] }}"
    host_info:
      user: elastic
  become: true
  register: decided
"""

RETURN = r"""
verdict:
  description: V(install), V(wait), V(replace) or V(assign_roles); in a failure V(refused), V(half-installed), V(ill) or V(stale).
  returned: when the host could be asked
  type: str
  sample: install
msg:
  description: The verdict as a sentence, with what to do.
  returned: always
  type: str
  sample: "new: join as allocator"
runner_id:
  description: Id that the platform knows the host by, or is to.
  returned: when the host could be asked
  type: str
  sample: 10.0.0.9
roles:
  description: Roles that the host is to get.
  returned: when the host could be asked
  type: list
  elements: str
  sample: [allocator]
missing_roles:
  description: Those that it lacks while it is connected.
  returned: when the host could be asked
  type: list
  elements: str
  sample: []
install_timeout:
  description: O(install_timeout) as it was given.
  returned: when the host could be asked
  type: float
  sample: 1800.0
facts:
  description: What M(ece.platform.ece_host_info) found.
  returned: when the host could be asked
  type: dict
  sample:
    engine: {name: docker, version: 25.0.5}
    ece_containers: []
    installer_running: false
    last_install: null
"""
