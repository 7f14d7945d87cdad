# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this collection's actions share: checked arguments, and errors as results."""

from __future__ import annotations

import traceback

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.ece.platform.plugins.module_utils import _client as api
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._module import (
    CONNECTION_SPEC,
    check_connection,
    failure,
    make_client,
)

display = Display()

# What the role registers for each host on its way, and for all of a batch at its end.
VERDICT = "__ece_host_verdict"
START = "__ece_host_start"
WAIT = "__ece_host_wait"
REPORT = "__ece_host_report"


class ControllerAction(ActionBase):
    """An action that decides in the controller; most contact no host. Subclasses give C(SPEC) and C(act)."""

    SPEC: dict = {}
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(argument_spec=self.SPEC)[1]
        try:
            result.update(self.act(arguments, task_vars or {}))
        except OptionError as error:
            result.update(failed=True, **failure(error))
        except AnsibleError:
            raise
        except Exception as error:  # a mistake of ours: one line for the operator, the traceback at -vvv
            result.update(
                failed=True,
                msg=f"unexpected {type(error).__name__} in {self._task.action}, please report it",
                exception=traceback.format_exc(),
            )
        return result

    def act(self, arguments: dict, task_vars: dict) -> dict:
        """The result of the action."""
        raise NotImplementedError

    @property
    def play(self) -> str:
        """Identity of the play, the same for all of its batches."""
        return str(self._task._parent._play._uuid)


def passed_on(found: dict) -> dict:
    """What Ansible itself wants to know of a module's result: the interpreter it discovered, deprecations and the like."""
    return {key: found[key] for key in ("ansible_facts", "deprecations", "invocation") if key in found}


class ApiAction(ControllerAction):
    """A controller action that asks the platform."""

    SPEC = CONNECTION_SPEC

    def connect(self, arguments: dict) -> tuple[api.EceClient, list[str]]:
        """A client, and warnings to show. Raises one of EXPECTED_ERRORS."""
        if api.REQUESTS_IMPORT_ERROR:
            raise api.EceError(
                "the Python library requests is missing in the controller: install it beside ansible-core"
            )
        warnings = check_connection(arguments)
        return make_client(arguments), warnings


def show(line: str, *, error: bool = False) -> None:
    """A line for the operator, at once: it does not wait for the task's end."""
    display.display("  " + line, color="red" if error else None)
