# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mints the one token of a batch before its installers start, and revokes it after they have ended.

The token stays on the controller until an installer starts: no file and no argument list has it. A watchdog mints a
persistent one.
"""

from __future__ import annotations

import multiprocessing
import os
from typing import Any

from ansible_collections.ece.platform.plugins.module_utils import _enrollment as enrollment
from ansible_collections.ece.platform.plugins.module_utils._enrollment import TokenRequest
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._module import ROLE_PREFIX, client_arguments
from ansible_collections.ece.platform.plugins.module_utils._plan import Plan
from ansible_collections.ece.platform.plugins.module_utils._states import INSTALLS
from ansible_collections.ece.platform.plugins.plugin_utils import _token_watchdog as token_watchdog
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._batch import too_many_failed
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.ece.platform.plugins.plugin_utils._results import Batch, BatchToken
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import connection_options, is_set, seconds
from ansible_collections.ece.platform.plugins.plugin_utils._token_watchdog import Watchdog


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {
        "state": {"type": "str", "choices": ["present", "absent"], "required": True},
        "plan": {"type": "dict"},
        "token": {"type": "dict", "no_log": True},
    }

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        if arguments["state"] == "absent":
            return self._revoke(arguments["token"] or {}, task_vars)
        plan = arguments["plan"]
        batch = Batch(plan, task_vars, self.play_id)
        installing = [name for name in batch.remaining() if batch.verdict(name) in INSTALLS]
        token: BatchToken = {
            "request": None,
            "token": None,
            "reason": None,
            "latest_start": None,
            "token_id": None,
            "watchdog": None,
        }
        if not installing:
            return {"changed": False, **token}
        token["reason"] = _too_many_failed(batch, plan)
        if token["reason"]:
            return {"changed": False, **token}
        variables = HostVariables(self, task_vars)
        install_timeout = max(seconds(variables.of(name), "ece_host_install_timeout") for name in installing)
        request = self._request(plan, installing, install_timeout, task_vars)
        token["request"] = request
        if self._task.check_mode:
            return {"changed": True, **token}
        # A mint that fails must not end the hosts that join without a token, so that the start of each installer fails.
        try:
            return {"changed": True, **self._mint(token, request, install_timeout, task_vars)}
        except PlatformError as error:
            return {"changed": False, **token, "reason": f"there is no token to join with: {error}"}

    def _request(
        self, plan: Plan, installing: list[str], install_timeout: float, task_vars: dict[str, Any]
    ) -> TokenRequest:
        persistent = is_set(self.own_variables(task_vars), "ece_host_token_persistent")
        validity = enrollment.token_validity(install_timeout, len(installing), task_vars["ansible_forks"])
        return {
            "roles": sorted({role for name in installing for role in plan["hosts"][name]["roles"]}),
            "persistent": persistent,
            "validity_seconds": None if persistent else validity,
        }

    def _mint(
        self, token: BatchToken, request: TokenRequest, install_timeout: float, task_vars: dict[str, Any]
    ) -> dict[str, Any]:
        client, warnings = self.connect(task_vars)
        if request["persistent"]:
            connection = client_arguments(connection_options(self.own_variables(task_vars)), ROLE_PREFIX)
            minted, watchdog = token_watchdog.mint(connection, request, _run_pid())
            latest_start = None
        else:
            minted, watchdog = enrollment.mint(client, request), None
            latest_start = enrollment.latest_start(
                request["validity_seconds"], minted["minted_at"], minted["expires_at"], install_timeout
            )
        return {
            **token,
            "token": minted["token"],
            "token_id": minted["token_id"],
            "watchdog": watchdog,
            "latest_start": latest_start,
            "warnings": warnings + client.warnings + minted["warnings"],
        }

    def _revoke(self, token: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Revoke a persistent token. The result takes the place of the one that has the token."""
        token_id, watchdog = token.get("token_id"), token.get("watchdog")
        if not token_id:
            return {"changed": False, "token_id": None}
        client, warnings = self.connect(task_vars)
        try:
            changed = enrollment.revoke(client, token_id)
        except PlatformError as error:
            raise PlatformError(f"token {token_id} could not be revoked: {_remedy(watchdog)} ({error})") from None
        if watchdog:
            token_watchdog.stop(watchdog)
        return {"changed": changed, "token_id": token_id, "warnings": warnings + client.warnings}


def _remedy(watchdog: Watchdog | None) -> str:
    check = "check that it is gone, or revoke it by hand"
    if not watchdog:
        return check
    trying = "keeps trying for 10 minutes after this run, unless it ends with its container"
    return f"process {watchdog['pid']} {trying}; {check}"


def _too_many_failed(batch: Batch, plan: Plan) -> str | None:
    """Return why the batch gets no token, or None."""
    percentage = plan["max_fail_percentage"]
    if percentage is None:
        return None
    earlier = batch.earlier_failures()
    if earlier:
        return f"{earlier}: no further host is joined"
    failed = sum(map(batch.has_failed, batch.hosts))
    sentence = too_many_failed(failed, len(batch.hosts), percentage)
    return f"{sentence}: no installer is started" if sentence else None


def _run_pid() -> int:
    """Return the process of ansible-playbook, whose children run actions. getppid() changes when that process ends."""
    parent = multiprocessing.parent_process()
    return parent.pid if parent and parent.pid else os.getpid()
