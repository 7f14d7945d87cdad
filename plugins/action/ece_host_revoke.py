# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Revokes the persistent token of a batch, and lets its keeper go."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.module_utils import _enrollment as enrollment
from ansible_collections.ece.platform.plugins.module_utils._client import EceError
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._module import CONNECTION_SPEC
from ansible_collections.ece.platform.plugins.plugin_utils import _token_watchdog as watchdog
from ansible_collections.ece.platform.plugins.plugin_utils._action import ApiAction


class ActionModule(ApiAction):
    """See the documentation of the module with this name."""

    SPEC = {
        **CONNECTION_SPEC,
        "token_id": {"type": "str", "required": True, "no_log": False},
        "keeper": {"type": "dict"},
    }

    def act(self, arguments, task_vars):
        client, warnings = self.connect(arguments)
        token_id = arguments["token_id"]
        try:
            changed = enrollment.revoke(client, token_id)
        except (EceError, PlatformError) as error:
            keeper_goes_on = (
                "process {pid} goes on trying for 10 minutes after this run, unless it ends with its container; "
            )
            goes_on = keeper_goes_on.format(**arguments["keeper"]) if arguments["keeper"] else ""
            raise PlatformError(
                f"token {token_id} could not be revoked: {goes_on}see that it is gone, or revoke it by hand ({error})"
            ) from None
        if arguments["keeper"]:
            watchdog.release(arguments["keeper"])
        return {"changed": changed, "token_id": token_id, "warnings": warnings + client.warnings}
