# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes of modules, with the same text everywhere."""

from __future__ import annotations


class ModuleDocFragment:
    """`DOCUMENTATION` names the attributes; the other fragments fill in what several modules share."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return changed status prediction without changing anything.
  diff_mode:
    description: Returns what has changed, or would change in check mode, with C(--diff).
  idempotent:
    description: When run twice in a row without other changes in between, the second run reports no change.
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - The module does not change anything.
  diff_mode:
    support: N/A
    details:
      - The module does not change anything.
  idempotent:
    support: full
    details:
      - The module does not change anything.
"""

    ACTIONGROUP_ECE = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/ece.platform.ece) in C(module_defaults) to set the connection options once.
    support: full
    membership:
      - ece.platform.ece
"""
