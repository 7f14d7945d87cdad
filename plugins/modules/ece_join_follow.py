#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_join_follow
short_description: Ask a host for the record of its installer (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host#role). It may change or go in any release."
  - M(ece.platform.ece_join_wait) runs it on each host whose installer runs, with that host's own variables. No task of
    the role names it.
  - Gives up a connection that does not answer in time, so that the next question makes a new one.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
  idempotent:
    support: full
options:
  command:
    description: The command that prints the record, and its arguments.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Ask for the record of the installer
  ece.platform.ece_join_follow:
    command: [python3, -c, "{{ source }}", /mnt/data/elastic/logs/ece-install/record.json]
  become: true
"""

RETURN = r"""
record:
  description: Mapping of fields to values, the record of the installer on the host with the state of its lock.
  returned: success
  type: dict
  sample:
    lock: running
    now: 1893456000.5
    started: 1893455990.5
"""
