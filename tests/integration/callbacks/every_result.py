# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback that writes all results as JSON. It gets what any callback gets that stores or sends results."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: every_result
type: notification
short_description: all results as JSON
description: [For tests. Writes one line for every result to the file that EVERY_RESULT names.]
options: {}
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "every_result"
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, entry: dict[str, Any]) -> None:
        with open(os.environ["EVERY_RESULT"], "a", encoding="utf-8") as target:
            target.write(json.dumps(entry, default=str) + "\n")

    def _result(self, result: Any, *_args: Any, **_options: Any) -> None:
        self._write({"task": result._task.get_name(), "host": result._host.get_name(), "result": result._result})

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_skipped = v2_runner_on_unreachable = v2_runner_retry = _result
    v2_runner_item_on_ok = v2_runner_item_on_failed = v2_runner_item_on_skipped = v2_on_file_diff = _result
    v2_runner_on_async_poll = v2_runner_on_async_ok = v2_runner_on_async_failed = _result

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._write({"statistics": stats.custom})
