# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Vacates an allocator in the process of the controller, where progress can be shown while it goes on."""

from __future__ import annotations

import os
import time
from typing import Any, Callable

from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._module import (
    CONNECTION_SPEC,
    check_connection,
    check_requests,
    make_client,
)
from ansible_collections.ece.platform.plugins.module_utils._vacate import vacate
from ansible_collections.ece.platform.plugins.module_utils._vacate_plan import (
    ALLOCATOR_DOWN,
    KINDS,
    PENDING_PLANS,
    VacateOptions,
)
from ansible_collections.ece.platform.plugins.plugin_utils._action import Step
from ansible_collections.ece.platform.plugins.plugin_utils._display import show

TICK_SECONDS = 0.5


class ActionModule(Step):
    """See the documentation of the module with this name."""

    SPEC = {
        **CONNECTION_SPEC,
        "allocator_id": {"type": "str", "required": True},
        "clusters": {"type": "list", "elements": "str"},
        "kinds": {"type": "list", "elements": "str", "choices": list(KINDS)},
        "targets": {"type": "list", "elements": "str"},
        "preferred_tags": {"type": "dict"},
        "pending_plans": {"type": "str", "choices": list(PENDING_PLANS), "default": "fail"},
        "allocator_down": {"type": "str", "choices": list(ALLOCATOR_DOWN), "default": "auto"},
        "skip_snapshot": {"type": "bool", "default": False},
        "skip_data_migration": {"type": "bool", "default": False},
        "override_failsafe": {"type": "bool", "default": False},
        "force_move": {"type": "bool", "default": False},
        "maintenance": {"type": "bool", "default": True},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 3600},
        "wait_interval": {"type": "int", "default": 10},
        "concurrency": {"type": "int", "default": 8},
    }

    def act(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        check_requests("install it there; an execution environment gets it from this collection's requirements")
        warnings = check_connection(arguments)
        client = make_client(arguments)
        options = options_of(arguments)
        pause = pause_while_alive(os.getppid())
        client.sleep = pause
        result = vacate(
            client,
            options,
            bool(self._task.check_mode),
            tell=lambda line: show(f"{options.allocator_id}  {line}"),
            sleep=pause,
        )
        return {**result, "warnings": warnings + client.warnings}


def options_of(arguments: dict[str, Any]) -> VacateOptions:
    """Return the options of the vacate among checked arguments. Tags are text, as the platform stores them."""
    own = {name: arguments[name] for name in VacateOptions._fields}
    own["targets"] = own["targets"] or []
    if own["preferred_tags"]:
        own["preferred_tags"] = {str(key): tag_text(value) for key, value in own["preferred_tags"].items()}
    return VacateOptions(**own)


def tag_text(value: Any) -> str:
    """Return the value of a tag as the platform stores it: true, not True."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def pause_while_alive(ansible: int) -> Callable[[float], None]:
    """Return a function that sleeps. It raises PlatformError once Ansible is gone, which ends no worker."""

    def pause(seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            if os.getppid() != ansible:
                raise PlatformError("Ansible has ended, so nothing more is moved; the moves that have begun go on")
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, TICK_SECONDS))

    return pause
