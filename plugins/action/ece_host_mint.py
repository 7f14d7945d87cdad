# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mints the token of a batch: in the controller, so that it is in no file and no argument list; a persistent one by a keeper."""

from __future__ import annotations

import multiprocessing
import os

from ansible_collections.ece.platform.plugins.module_utils import _enrollment as enrollment
from ansible_collections.ece.platform.plugins.module_utils._module import CONNECTION_SPEC, client_arguments
from ansible_collections.ece.platform.plugins.plugin_utils import _token_watchdog as watchdog
from ansible_collections.ece.platform.plugins.plugin_utils._action import ApiAction


class ActionModule(ApiAction):
    """See the documentation of the module with this name."""

    SPEC = {**CONNECTION_SPEC, "need": {"type": "dict", "required": True}}

    def act(self, arguments, task_vars):
        client, warnings = self.connect(arguments)
        need = arguments["need"]
        if self._task.check_mode:
            return {
                "changed": True,
                "token": None,
                "token_id": None,
                "expires_at": None,
                "minted_at": None,
                "roles": need["roles"],
            }
        if need["persistent"]:
            minted = watchdog.mint(client_arguments(arguments), need["roles"], _run_pid())
        else:
            minted = enrollment.mint(client, need["roles"], False, need["validity_seconds"])
        return {"changed": True, **minted, "warnings": warnings + client.warnings}


def _run_pid():
    """ansible-playbook, of which actions run in children, and whose end counts. Unlike getppid() this stays what it was when that is gone."""
    parent = multiprocessing.parent_process()
    return parent.pid if parent else os.getpid()
