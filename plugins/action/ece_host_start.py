# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts the installer on a host: one round trip, with the script and the token that it needs; or says that the token is too old."""

from __future__ import annotations

import time
from datetime import datetime, timezone

from ansible_collections.ece.platform.plugins.module_utils._enrollment import token_granted, token_is_late
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.plugin_utils._action import ControllerAction


class ActionModule(ControllerAction):
    """See the documentation of the module with this name."""

    SPEC = {
        "need": {"type": "dict", "required": True},
        "minted": {"type": "dict", "required": True, "no_log": True},
        "install": {"type": "dict", "required": True},
        "installer_src": {"type": "path"},
    }
    _requires_connection = True

    def act(self, arguments, task_vars):
        need, minted, install = arguments["need"], arguments["minted"], arguments["install"]
        if need["stopped"]:
            raise PlatformError(need["stopped"])
        if "token" not in minted:
            raise PlatformError(
                f"there is no token to join with: {minted.get('msg') or 'the mint ended without a word'}"
            )
        if need["validity_seconds"] and minted.get("minted_at") and not need["at_any_age"]:
            minted_at = _seconds(minted["minted_at"])
            granted = token_granted(
                need["validity_seconds"], minted_at, _seconds(minted["expires_at"]) if minted["expires_at"] else None
            )
            if token_is_late(granted, time.time() - minted_at, float(install["timeout"])):
                return {
                    "changed": False,
                    "late": True,
                    "msg": "the token would expire before this installer ends: it gets a new one",
                }
        if arguments["installer_src"]:
            with open(self._find_needle("files", arguments["installer_src"]), encoding="utf-8", newline="") as source:
                install["installer_content"] = source.read()
        return self._execute_module(
            module_name="ece.platform.ece_install",
            module_args={**install, "token": minted["token"], "wait": False},
            task_vars=task_vars,
        )


def _seconds(utc):
    """Seconds since 1970 of a time as ece_enrollment_token gives it."""
    return datetime.strptime(utc, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
