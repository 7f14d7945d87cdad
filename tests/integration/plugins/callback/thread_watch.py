# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback that writes down what a worker of Ansible does with threads."""

from __future__ import annotations

import multiprocessing
import os
import threading

from ansible.plugins.callback import CallbackBase
from ansible.utils.display import Display

DOCUMENTATION = """
name: thread_watch
type: notification
short_description: notes on threads
description: [For tests. Writes every thread of a worker, and every call of Display by one, to the file THREADS.]
options: {}
"""


def _in_worker():
    """Return whether this is a worker or a child of one."""
    return multiprocessing.parent_process() is not None


def _note(text):
    with open(os.environ["THREADS"], "a", encoding="utf-8") as target:
        target.write(text + "\n")


def _watch(method):
    def watched(self, *arguments, **options):
        if _in_worker() and threading.current_thread() is not threading.main_thread():
            _note(f"Display.{method.__name__} in {threading.current_thread().name}")
        return method(self, *arguments, **options)

    return watched


def _start(thread, start=threading.Thread.start):
    if _in_worker():
        _note(f"a worker starts {thread.name}")
    start(thread)


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "thread_watch"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        _note("watching")
        # Workers are forks of this process, so they have what is set here.
        threading.Thread.start = _start
        for name in ("display", "verbose", "warning", "deprecated", "debug", "error"):
            setattr(Display, name, _watch(getattr(Display, name)))
