# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback that writes down what a worker of Ansible does with threads."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible.utils.display import Display

DOCUMENTATION = """
name: thread_watch
type: notification
short_description: notes on threads
description: [For tests. Writes every thread of a worker, and every call of Display by one, to the file THREADS.]
options: {}
"""


def _in_worker() -> bool:
    """Return whether this is a worker or a child of one."""
    return multiprocessing.parent_process() is not None


def _note(text: str) -> None:
    with open(os.environ["THREADS"], "a", encoding="utf-8") as target:
        target.write(text + "\n")


def _watch(method: Callable[..., Any]) -> Callable[..., Any]:
    def watched(self: Display, *arguments: Any, **options: Any) -> Any:
        if _in_worker() and threading.current_thread() is not threading.main_thread():
            _note(f"Display.{method.__name__} in {threading.current_thread().name}")
        return method(self, *arguments, **options)

    return watched


def _start(thread: threading.Thread, start: Callable[[threading.Thread], None] = threading.Thread.start) -> None:
    if _in_worker():
        _note(f"a worker starts {thread.name}")
    start(thread)


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "thread_watch"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        _note("watching")
        # Workers are forks of this process, so they have what is set here.
        threading.Thread.start = _start  # type: ignore[method-assign, assignment]
        for name in ("display", "verbose", "warning", "deprecated", "debug", "error"):
            setattr(Display, name, _watch(getattr(Display, name)))
