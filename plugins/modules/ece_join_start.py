#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_join_start
short_description: Start the installer on a host (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host#role). It may change or go in any release."
  - Runs M(ece.platform.ece_install) on the host, with the token, and does not wait for its end.
  - Fails where there is no token, and where the token would expire before the installer ends.
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
- name: Start the installer
  ece.platform.ece_join_start:
    entry: "{{ __ece_host_plan.hosts[inventory_hostname] }}"
  become: true
  register: __ece_host_start
"""

RETURN = r"""
log:
  description: File on the host with the output of the installer.
  returned: success
  type: str
  sample: /var/lib/ece-install/mnt-data-elastic-5cad516e/output.log
record:
  description: File on the host with the state of the installation.
  returned: success
  type: str
  sample: /var/lib/ece-install/mnt-data-elastic-5cad516e/record.json
"""
