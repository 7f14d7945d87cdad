# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback whose output is JSON lines and nothing else, as those of collection ansible.posix are."""

from __future__ import annotations

import json
import sys
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: jsonl
type: stdout
short_description: results as JSON lines
description: [For tests. Stands for the callback of the same name in ansible.posix.]
options: {}
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "jsonl"

    def _result(self, result: Any, *_args: Any, **_options: Any) -> None:
        sys.stdout.write(json.dumps({"task": result._task.get_name(), "host": result._host.get_name()}) + "\n")

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_skipped = v2_runner_on_unreachable = _result
