# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mints the one token of a batch before its installers start, and revokes it after they have ended.

The token stays on the controller until an installer starts: no file and no argument list has it. A watchdog mints a
persistent one. Persistent tokens that earlier runs left end here, too.
"""

from __future__ import annotations

import multiprocessing
import os
from typing import Any

from ansible_collections.ece.platform.plugins.module_utils import _enrollment as enrollment
from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._enrollment import TokenRequest
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._module import EXPECTED_ERRORS, ROLE_PREFIX, client_arguments
from ansible_collections.ece.platform.plugins.module_utils._plan import Plan
from ansible_collections.ece.platform.plugins.module_utils._states import INSTALLS
from ansible_collections.ece.platform.plugins.module_utils._text import first_names
from ansible_collections.ece.platform.plugins.plugin_utils import _old_tokens as old_tokens
from ansible_collections.ece.platform.plugins.plugin_utils import _token_watchdog as token_watchdog
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._batch import too_many_failed
from ansible_collections.ece.platform.plugins.plugin_utils._display import show, warn
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.ece.platform.plugins.plugin_utils._results import (
    CHECK,
    TOKEN,
    Batch,
    BatchToken,
    EndedToken,
    token_of,
)
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import connection_options, seconds
from ansible_collections.ece.platform.plugins.plugin_utils._token_watchdog import Watchdog
from ansible_collections.ece.platform.plugins.plugin_utils._warnings import grouped


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {
        "state": {"type": "str", "choices": ["present", "absent"], "required": True},
        "plan": {"type": "dict", "required": True},
    }

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        plan = arguments["plan"]
        batch = Batch(plan, task_vars, self.play_id)
        if arguments["state"] == "absent":
            return self._end(plan, batch, task_vars)
        _show_warnings(batch)
        installing = [name for name in batch.remaining() if batch.verdict(name) in INSTALLS]
        token: BatchToken = {
            "request": None,
            "token": None,
            "reason": None,
            "ends_play": False,
            "latest_start": None,
            "token_id": None,
            "watchdog": None,
        }
        fatal = _one_failure_is_fatal(batch, self._task.any_errors_fatal)
        if fatal:
            return {"changed": False, **token, "reason": fatal, "ends_play": True}
        if not installing:
            return {"changed": False, **token}
        token["reason"] = _too_many_failed(batch, plan)
        if token["reason"]:
            return {"changed": False, **token}
        variables = HostVariables(self, task_vars)
        install_timeout = max(seconds(variables.of(name), "ece_host_install_timeout") for name in installing)
        request = _request(plan, installing, install_timeout, task_vars["ansible_forks"])
        token["request"] = request
        # A token is no change by itself: what would change are the hosts.
        if self._task.check_mode:
            return {"changed": False, **token}
        # A mint that fails must not end the hosts that join without a token, so that the start of each installer fails.
        try:
            return {"changed": True, **self._mint(token, request, install_timeout, task_vars)}
        except PlatformError as error:
            return {"changed": False, **token, "reason": f"there is no token to join with: {error}"}

    def _mint(
        self, token: BatchToken, request: TokenRequest, install_timeout: float, task_vars: dict[str, Any]
    ) -> BatchToken:
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
        for warning in warnings + client.warnings + minted["warnings"]:
            warn(warning)
        return {
            **token,
            "token": minted["token"],
            "token_id": minted["token_id"],
            "watchdog": watchdog,
            "latest_start": latest_start,
        }

    # -- the end -----------------------------------------------------------------------------------------------------

    def _end(self, plan: Plan, batch: Batch, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Revoke persistent tokens. The result takes the place of the one that has the token.

        A token that cannot be revoked does not fail this step, because no report would follow; the verdicts fail.
        """
        token = token_of(task_vars)
        ended: EndedToken = {
            "changed": False,
            "made_at": plan["made_at"],
            "request": token.get("request"),
            "reason": token.get("reason") or (str(token.get("msg")) if token.get("failed") else None),
            "token_id": token.get("token_id"),
            "minted": bool(token.get("token")),
            "error": None,
            "old_tokens": {},
        }
        warnings: list[str] = []
        if ended["token_id"]:
            warnings += self._revoke(ended, token.get("watchdog"), task_vars)
        if not self._task.check_mode:
            warnings += self._revoke_old(ended, plan, batch, task_vars)
        return {**ended, "warnings": warnings}

    def _revoke(self, ended: EndedToken, watchdog: Watchdog | None, task_vars: dict[str, Any]) -> list[str]:
        """Revoke the batch's own token, and return warnings."""
        token_id = str(ended["token_id"])
        try:
            client, warnings = self.connect(task_vars)
            ended["changed"] = enrollment.revoke(client, token_id)
        except EXPECTED_ERRORS as error:
            sentence = f"token {token_id} could not be revoked: {_remedy(watchdog)} ({error})"
            ended["error"] = sentence
            show(sentence, error=True)
            return []
        if watchdog:
            token_watchdog.stop(watchdog)
        return warnings + client.warnings

    def _revoke_old(self, ended: EndedToken, plan: Plan, batch: Batch, task_vars: dict[str, Any]) -> list[str]:
        """Revoke the tokens of earlier runs that no installer needs, and return warnings on the others."""
        before = batch.result(batch.earlier[-1], TOKEN) if batch.earlier else {}
        carried = before.get("old_tokens") or {} if before.get("made_at") == plan["made_at"] else {}
        roles = {name: plan["hosts"][name]["roles"] for name in batch.hosts}
        tokens = ended["old_tokens"] = old_tokens.old_tokens(batch, carried, roles)
        # A later batch may have the other hosts that a token was minted for.
        if not tokens or (batch.later and batch.remaining()):
            return []
        try:
            client, warnings = self.connect(task_vars)
            return warnings + self._revoke_unneeded(client, ended, batch, bool(task_vars.get("ansible_limit")))
        except EXPECTED_ERRORS as error:
            names = ", ".join(sorted(tokens))
            return [f"it is not known whether persistent tokens of earlier runs are valid ({names}): {error}"]

    @staticmethod
    def _revoke_unneeded(client: EceClient, ended: EndedToken, batch: Batch, limited: bool) -> list[str]:
        listed, warnings = client.enrollment_tokens(), []
        for token_id, token in sorted(ended["old_tokens"].items()):
            if not old_tokens.revocable(token, listed, token_id):
                continue
            users = [*token["users"], *old_tokens.not_seen(batch)]
            if users or limited:
                warnings.append(old_tokens.kept_sentence(token_id, users))
            elif enrollment.revoke(client, token_id):
                ended["changed"] = True
                show(f"token {token_id}, which an earlier run left, is revoked")
        return warnings + client.warnings


def _request(plan: Plan, installing: list[str], install_timeout: float, forks: int) -> TokenRequest:
    persistent = plan["token_persistent"]
    validity = enrollment.token_validity(install_timeout, len(installing), forks)
    return {
        "roles": sorted({role for name in installing for role in plan["hosts"][name]["roles"]}),
        "persistent": persistent,
        "validity_seconds": None if persistent else validity,
    }


def _show_warnings(batch: Batch) -> None:
    for warning in grouped({name: batch.result(name, CHECK).get("warnings_found") or [] for name in batch.hosts}):
        warn(warning)


def _remedy(watchdog: Watchdog | None) -> str:
    check = "check that it is gone, or revoke it by hand"
    if not watchdog:
        return check
    trying = "keeps trying for 10 minutes after this run, unless it ends with its container"
    return f"process {watchdog['pid']} {trying}; {check}"


def _one_failure_is_fatal(batch: Batch, any_errors_fatal: bool) -> str | None:
    """Return why nothing begins in the batch, or None. The check withholds its failures (see `withhold`)."""
    failed = [name for name in batch.hosts if batch.has_failed(name)] if any_errors_fatal else []
    return f"{first_names(failed)} failed, and any_errors_fatal is set: no installer is started" if failed else None


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
