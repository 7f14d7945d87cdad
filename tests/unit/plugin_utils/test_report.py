# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sentences of the report: why a host failed, and the same in short."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils import _report

NO_ROUTE = "ssh: connect to host 10.0.0.7 port 22: No route to host"
PASSWORD = "; give it by --ask-become-pass, ansible_become_password or AWX's credential, or let sudo ask for none"


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (
            {"unreachable": True, "msg": f"Failed to connect to the host via ssh: {NO_ROUTE}"},
            f"it cannot be reached (Failed to connect to the host via ssh: {NO_ROUTE});",
        ),
        (
            {
                "unreachable": True,
                "msg": "Failed to connect to the host via ssh: OpenSSH_9.2p1\r\n"
                f"debug1: Reading\n{NO_ROUTE}\r\ndebug1: Exit\n",
            },
            f"({NO_ROUTE});",
        ),
        ({"unreachable": True, "msg": "debug1: nothing else"}, "(debug1: nothing else);"),
        ({"failed": True, "msg": "Missing sudo password"}, "Missing sudo password" + PASSWORD),
        ({"failed": True, "msg": "Task failed: Incorrect su password"}, "Incorrect su password" + PASSWORD),
        (
            {
                "failed": True,
                "msg": "MODULE FAILURE",
                "module_stderr": "sudo: sorry, you must have a tty to run sudo\n",
            },
            "its sudo runs commands on a terminal only (requiretty); set ece_host_pipelining: false for it",
        ),
        ({"failed": True, "msg": "Task failed: one\n two"}, "one two"),
        ({"failed": True, "msg": "x" * 301}, "x" * 300 + "..."),
        ({"failed": True}, "see the error above"),
        (
            {"failed": True, "msg": "non-zero return code", "stdout": "vm.a = 1\n", "stderr": "sysctl: denied\n\n"},
            "sysctl: denied",
        ),
        ({"failed": True, "msg": "non-zero return code", "stdout": "no such package\n"}, "no such package"),
        ({"failed": True, "msg": "non-zero return code"}, "non-zero return code"),
    ],
)
def test_the_reason_of_a_failure_comes_with_a_remedy(result, reason):
    assert reason in _report.failure_reason(result)


@pytest.mark.parametrize(
    ("note", "short"),
    [
        ("", ""),
        (
            "installer exit 5 (precondition): No socket. Start the engine. Log: a:/x",
            "installer exit 5 (precondition): No socket.",
        ),
        (
            "not connected 600 s after its installer ended: the platform does not know it; look",
            "not connected 600 s after its installer ended: the platform does not know it",
        ),
        ("ECE 3.8.0 does not support e.g. RHEL 7; use another", "ECE 3.8.0 does not support e.g. RHEL 7"),
        ("x" * 121, "x" * 120 + "..."),
    ],
)
def test_a_note_in_short_is_its_cause(note, short):
    assert _report.in_short(note) == short
