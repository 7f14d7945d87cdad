# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local connection, which writes down whose address, user and passwords it is given."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: noting
short_description: the local connection, with notes
description: [For tests. Writes a line for every command to the file that NOTES names.]
extends_documentation_fragment: [connection_pipelining]
options:
  become_success_timeout:
    description: As of the local connection.
    type: int
    default: 10
  become_strip_preamble:
    description: As of the local connection.
    type: bool
    default: true
  noted_password:
    description: A password.
    vars: [{name: ansible_password}]
"""


class Connection(Local):
    transport = "noting"

    def exec_command(self, cmd: str | bytes, in_data: bytes | None = None, sudoable: bool = True) -> Any:
        context = self._play_context
        note = {
            "address": context.remote_addr,
            "user": context.remote_user,
            "password": context.password,
            "own_password": self.get_option("noted_password"),
            "become_password": self.become and self.become.get_option("become_pass"),
            "become_user": self.become and self.become.get_option("become_user"),
            "command": cmd if isinstance(cmd, str) else cmd.decode(),
        }
        with open(os.environ["NOTES"], "a", encoding="utf-8") as target:
            target.write(json.dumps(note) + "\n")
        return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
