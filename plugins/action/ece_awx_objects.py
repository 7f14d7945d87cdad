# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the variables of playbook awx_setup, and returns the objects that it creates."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._awx_objects import (
    PREFIX,
    VARIABLES,
    ca_path,
    check_controller,
    gives_login,
    objects_of,
    read,
    updates_secrets,
)
from ansible_collections.ece.platform.plugins.plugin_utils._variable_names import check_names

FOLDER = Path(__file__).resolve().parents[2] / "extensions" / "awx"


def is_installed(collection: str) -> bool:
    """Return whether Ansible finds a collection. Where it is missing, Ansible's own search for a module would warn."""
    try:
        return importlib.util.find_spec(f"ansible_collections.{collection}") is not None
    except ImportError:
        return False


class ActionModule(Step):
    """See the documentation of the module with this name."""

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        # A play that names a module of a missing collection would not begin, so the playbook asks here first.
        if not is_installed("awx.awx"):
            raise PlatformError(
                "the collection awx.awx is not installed where this playbook runs: install it with `ansible-galaxy "
                "collection install awx.awx`, or create the objects in AWX by hand, as extensions/awx/README.md says"
            )
        variables = self.own_variables(task_vars)
        check_names(task_vars, PREFIX, VARIABLES, "playbook awx_setup")
        objects = objects_of(read(FOLDER), variables)
        objects["login"] = gives_login(variables)
        objects["ca_path"] = ca_path(variables) if objects["login"] else None
        objects["update_secrets"] = updates_secrets(variables)
        check_controller(variables, os.environ)
        return {"changed": False, "objects": objects}
