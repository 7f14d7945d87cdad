# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""What the role's steps share: checked arguments, errors as results, and a client."""

from __future__ import annotations

import traceback
from typing import Any, Mapping

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.ece.platform.plugins.module_utils import _client as api
from ansible_collections.ece.platform.plugins.module_utils._module import (
    EXPECTED_ERRORS,
    ROLE_PREFIX,
    check_connection,
    check_requests,
    failure,
    make_client,
)
from ansible_collections.ece.platform.plugins.plugin_utils._display import show
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost, connection_defaults
from ansible_collections.ece.platform.plugins.plugin_utils._results import withhold
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import connection_options


class Step(ActionBase):
    """A step of the role, which runs on the controller. Subclasses set `SPEC` and define `act`."""

    SPEC: dict[str, Any] = {}
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec=self.SPEC)[1]
        try:
            result.update(self.act(arguments, task_vars or {}))
        except EXPECTED_ERRORS as error:
            result.update(failed=True, **failure(error))
        except AnsibleConnectionFailure as error:
            if not self._task.any_errors_fatal:
                raise
            result.update(withhold({"changed": False, "unreachable": True, "msg": str(error)}))
        except AnsibleError:
            raise
        except Exception as error:  # a bug: one line for the operator, the traceback at -vvv
            message = f"unexpected {type(error).__name__} in {self._task.action}, please report it"
            result.update(failed=True, msg=message, exception=traceback.format_exc())
        if result.get("failed") and self._task.no_log:
            show(str(result["msg"]), error=True)  # no_log hides the whole result, and messages name no secret
        return result

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the result of the step. Raises one of EXPECTED_ERRORS."""
        raise NotImplementedError

    @property
    def play_id(self) -> str:
        """The identity of the play, which all its batches share."""
        return str(self._task._parent._play._uuid)

    def own_variables(self, task_vars: Mapping[str, Any]) -> OneHost:
        """The variables of the host that the task runs for."""
        return OneHost(
            task_vars["inventory_hostname"], task_vars, self._templar, defaults=connection_defaults(self._task)
        )

    def connect(self, task_vars: Mapping[str, Any]) -> tuple[api.EceClient, list[str]]:
        """Return a client made of the role's connection variables, and warnings. Raises one of EXPECTED_ERRORS."""
        check_requests("install it there; an execution environment gets it from this collection's requirements")
        options = connection_options(self.own_variables(task_vars))
        warnings = check_connection(options, ROLE_PREFIX)
        return make_client(options, ROLE_PREFIX), warnings


# What Ansible adds to a module's result: the Python that it found on the host.
DISCOVERED = "discovered_interpreter_"
# What makes Ansible change its inventory or statistics.
OF_OTHER_MODULES = ("add_host", "add_group", "ansible_stats")


def result_of_host(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a module's result without what would set variables.

    A host decides what its modules return. Facts outrank the inventory, and steps for all hosts read their connection
    to the platform from the variables of one host.
    """
    result = {key: value for key, value in found.items() if key not in OF_OTHER_MODULES}
    facts = result.pop("ansible_facts", None)
    if isinstance(facts, dict):
        result["ansible_facts"] = {key: value for key, value in facts.items() if key.startswith(DISCOVERED)}
    return result


def pass_on(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Ansible itself reads in a module's result, such as the interpreter that it discovered."""
    return {key: found[key] for key in ("ansible_facts", "deprecations", "invocation") if key in found}
