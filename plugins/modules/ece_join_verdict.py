#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_join_verdict
short_description: Fail on a host that has not joined (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host#role). It may change or go in any release."
  - Ends a host as its row in the result of C(ece.platform.ece_join_report) says, failed or unreachable.
  - Fails on all hosts of the batch if its persistent token could not be revoked.
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
- name: Verdict
  ece.platform.ece_join_verdict:
"""

RETURN = r"""
msg:
  description: How the host ended, or why it failed and what to do.
  returned: always
  type: str
  sample: joined
"""
