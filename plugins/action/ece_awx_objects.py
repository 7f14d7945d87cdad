# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the variables of playbook awx_setup, and returns the objects that it creates."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.plugins.loader import module_loader

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._awx_objects import (
    check_controller,
    check_names,
    gives_login,
    objects_of,
    read,
)

FOLDER = Path(__file__).resolve().parents[2] / "extensions" / "awx"
# A play that names a module of a collection that is missing does not begin, so the playbook asks here first.
NEEDED = "awx.awx.job_template"


class ActionModule(Step):
    """See the documentation of the module with this name."""

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        if not module_loader.find_plugin_with_context(NEEDED).resolved:
            raise PlatformError(
                "the collection awx.awx is not installed where this playbook runs: install it with `ansible-galaxy "
                "collection install awx.awx`, or create the objects in AWX by hand, as extensions/awx/README.md says"
            )
        variables = self.own_variables(task_vars)
        check_names(task_vars)
        objects = objects_of(read(FOLDER), variables)
        objects["login"] = gives_login(variables)
        check_controller(variables, os.environ)
        return {"changed": False, "objects": objects}
