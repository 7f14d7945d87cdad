# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks one host for the record of its installer, and holds the connection open until it ends."""

from __future__ import annotations

import shlex
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase

from ansible_collections.ece.platform.plugins.module_utils._install_record import parse_follow


class ActionModule(ActionBase):
    """See the documentation of the module with this name."""

    SPEC = {"command": {"type": "list", "elements": "str", "required": True}}
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        command = self.validate_argument_spec(argument_spec=self.SPEC)[1]["command"]
        try:
            answer = self._low_level_execute_command(" ".join(map(shlex.quote, command)), sudoable=True)
        except BaseException:  # Ansible's timeout is no Exception
            self._reset()
            raise
        record = parse_follow(answer.get("stdout", ""))
        if record is not None:
            return {**result, "changed": False, "record": record}
        said = (answer.get("stderr") or answer.get("stdout") or "").strip()
        return {**result, "failed": True, "msg": said or "no answer"}

    def _reset(self) -> None:
        """Give up a connection that may be shared and does not answer, so that the next question makes a new one."""
        if type(self._connection).reset is not ConnectionBase.reset:
            self._connection.reset()
