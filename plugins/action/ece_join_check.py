# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks a host what it is, and decides what the run does with it: one task, one round trip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._decision import UNSURE, Decision, decide
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._installer_file import script_facts
from ansible_collections.ece.platform.plugins.module_utils._lookup import look_again
from ansible_collections.ece.platform.plugins.module_utils._module import EXPECTED_ERRORS, failure
from ansible_collections.ece.platform.plugins.module_utils._plan import PlanEntry, ids_by_address, known_hosts
from ansible_collections.ece.platform.plugins.module_utils._preparation import mended_checks
from ansible_collections.ece.platform.plugins.module_utils._states import (
    ASSIGN_ROLES,
    INSTALL,
    NEW,
    OF_JOINED,
    REFUSED,
    REJECTED,
)
from ansible_collections.ece.platform.plugins.plugin_utils import _preparation_report as preparation
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step, pass_on, result_of_host
from ansible_collections.ece.platform.plugins.plugin_utils._files import find_file
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import facts_of
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables, OneHost
from ansible_collections.ece.platform.plugins.plugin_utils._results import withhold
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import (
    choice,
    host_info_options_of,
    is_set,
    seconds,
)
from ansible_collections.ece.platform.plugins.plugin_utils._run_notes import read_notes, runner_notes


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {"entry": {"type": "dict", "required": True}, "made_at": {"type": "float", "required": True}}
    _requires_connection = True

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        if not self._task.any_errors_fatal:
            return self._check(arguments, task_vars)
        try:
            return withhold(self._check(arguments, task_vars))
        except AnsibleConnectionFailure:
            raise
        except AnsibleError as error:
            return withhold({"changed": False, "failed": True, "msg": str(error)})
        except EXPECTED_ERRORS as error:
            return withhold({"changed": False, "failed": True, **failure(error)})

    def _check(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        variables = self.own_variables(task_vars)
        entry: PlanEntry = arguments["entry"]
        prepares = entry["state"] == NEW and is_set(variables, "ece_host_prepare")
        failure = preparation.failure_of(task_vars) if prepares else None
        if failure:
            raise OptionError(f"its preparation failed: {failure}")
        todo = preparation.todo_of(task_vars) if prepares and self._task.check_mode else []
        found: dict[str, Any] = {}
        if entry["state"] not in OF_JOINED:
            options = {
                **host_info_options_of(entry, variables),
                **self._of_copied_installer(variables.get("ece_host_installer_src"), task_vars),
            }
            # What the preparation would mend is no problem in check mode, where it has mended nothing.
            if todo:
                options["skip_checks"] = [*(options.get("skip_checks") or []), *mended_checks(todo)]
            found = result_of_host(
                self._execute_module("ece.platform.ece_host_info", module_args=options, task_vars=task_vars)
            )
            if found.get("failed") or found.get("unreachable"):
                return found
        facts = facts_of(found)
        if todo and not facts.get("ece_containers"):
            facts["containers_known"] = True  # an engine that is yet to be installed has none

        def decide_on(entry: PlanEntry) -> Decision:
            return decide(
                entry,
                {**facts, "problems": found.get("problems")},
                replace_stale=is_set(variables, "ece_host_replace_stale"),
                connect_timeout=seconds(variables, "ece_host_connect_timeout"),
                port=variables.get("ansible_port") or variables.get("ansible_ssh_port") or self._default_port(),
            )

        verdict, message = decide_on(entry)
        warnings = list(found.get("warnings") or [])
        # That a host is new rests on what a list lacks, too. It counts where the lists are complete.
        if verdict in UNSURE or (verdict == INSTALL and entry["list_is_short"]):
            client, of_connection = self.connect(task_vars)
            # A host without containers is not looked for by other names.
            listed = self._listed_ids(client, arguments["made_at"]) if facts.get("ece_containers") else {}
            verdict, message = decide_on(look_again(client, entry, facts, listed))
            if verdict == ASSIGN_ROLES and not self._may_assign(variables, task_vars):
                verdict, message = REFUSED, f"{message.partition(':')[0]}; set ece_host_assign_roles: true to assign it"
            warnings += of_connection + client.warnings
        unprepared = bool(todo) and verdict == INSTALL
        if unprepared:
            message = f"{message}, once it is prepared"
        return {
            **pass_on(found),
            "changed": False,
            "made_at": arguments["made_at"],
            "verdict": verdict,
            **({"unprepared": True} if unprepared else {}),
            "facts": facts,
            "msg": message,
            "failed": verdict in REJECTED,
            "warnings": warnings,
            # Shown once for all hosts of the batch.
            "warnings_found": found.get("warnings_found") or [],
        }

    @staticmethod
    def _listed_ids(client: EceClient, made_at: float) -> Mapping[str, Sequence[str]]:
        """Return ids_by_address() of the plan, or of the list as it is now where the plan's notes are gone."""
        listed = read_notes(runner_notes(made_at))
        return ids_by_address(known_hosts(client.runners(), ())) if listed is None else listed

    def _default_port(self) -> Any:
        return getattr(self._task, "port", None) or C.DEFAULT_REMOTE_PORT

    def _may_assign(self, variables: OneHost, task_vars: dict[str, Any]) -> bool:
        """Return whether a host that the plan did not show as joined may get a role, as the plan would decide."""
        wanted = choice(variables, "ece_host_assign_roles")
        return bool(wanted if wanted is not None else not HostVariables(self, task_vars).sets("ece_host_roles"))

    def _of_copied_installer(self, source: str | None, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the option of ece_host_info for an installer that is copied to the host when its check is over."""
        if not source:
            return {}
        with open(find_file(self, source, task_vars), encoding="utf-8", errors="replace") as file:
            return {"installer_facts": script_facts(file.read())}
