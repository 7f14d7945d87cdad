# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the steps of role ece_host have in common. They are private."""

from __future__ import annotations


class ModuleDocFragment:
    """C(DOCUMENTATION) is for every step, the others are for the options that several steps have."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    description: Runs on the controller.
    support: full
notes:
  - Reads the variables of role P(ece.platform.ece_host#role) of each host, wherever they are set.
"""

    PLAN = r"""
options:
  plan:
    description:
      - The result of C(ece.platform.ece_join_plan).
    type: dict
    required: true
"""

    ENTRY = r"""
options:
  entry:
    description:
      - The entry of the host in C(hosts) of C(ece.platform.ece_join_plan).
    type: dict
    required: true
"""
