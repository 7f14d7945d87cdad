# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes that every module states, so that their words are the same everywhere."""

from __future__ import annotations


class ModuleDocFragment:
    """C(DOCUMENTATION) names the attributes; the others fill in what many modules share."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return changed status prediction without changing anything.
  diff_mode:
    description: Returns what has changed, or would change in check mode, with C(--diff).
  idempotent:
    description: Run twice in a row, with nothing else changed, the second run reports no change.
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This only reads.
  diff_mode:
    support: N/A
    details:
      - This only reads.
  idempotent:
    support: full
    details:
      - This only reads.
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
