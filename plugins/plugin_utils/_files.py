# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""Files of the controller that a variable names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError


def find_file(action: Any, path: str, task_vars: Mapping[str, Any]) -> str:
    """Return a file's absolute path: as Ansible finds it, else in the working folder, else beside the inventory.

    The playbook may be the collection's own, beside which users have no files. Raises AnsibleError.
    """
    try:
        return str(action._find_needle("files", path))
    except AnsibleError:
        folders = [os.getcwd(), *map(_folder, task_vars.get("ansible_inventory_sources") or ())]
        for candidate in (os.path.join(folder, path) for folder in folders):
            if os.path.isfile(candidate):
                return candidate
        raise


def _folder(inventory: Any) -> str:
    source = os.path.abspath(str(inventory))
    return source if os.path.isdir(source) else os.path.dirname(source)
