# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A become plugin that stays who it is. The connection `noting` writes down which passwords it is given."""

from __future__ import annotations

from typing import Any

from ansible.plugins.become import BecomeBase

DOCUMENTATION = """
name: noted
short_description: stay the same user
description: [For tests.]
options:
  become_user:
    description: A user.
    default: root
    vars: [{name: ansible_become_user}]
    keyword: [{name: become_user}]
  become_pass:
    description: A password.
    vars: [{name: ansible_become_password}]
  become_exe:
    description: Not used.
  become_flags:
    description: Not used.
"""


class BecomeModule(BecomeBase):
    name = "noted"

    def build_become_command(self, cmd: str, shell: Any) -> Any:
        super().build_become_command(cmd, shell)
        return self._build_success_command(cmd, shell)
