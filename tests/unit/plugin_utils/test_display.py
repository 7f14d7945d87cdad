# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times, durations and the table at the end of a run."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.plugins.callback import CallbackBase, default

from ansible_collections.ece.platform.plugins.plugin_utils import _display
from ansible_collections.ece.platform.plugins.plugin_utils._display import clock, duration, show, table


@pytest.fixture
def sent(monkeypatch):
    """The calls of Display that a worker sends to the process that owns the screen."""
    calls = []

    class Queue:
        def send_display(self, method, *arguments, **keywords):
            calls.append((method, arguments, keywords))

    def never(*_arguments, **_keywords):
        raise AssertionError("a worker calls Display itself")

    monkeypatch.setattr(_display.context, "CLIARGS", {"start_at_task": None})
    monkeypatch.setattr(_display._display, "_final_q", Queue())
    monkeypatch.setattr(type(_display._display), "display", never)
    return calls


def test_a_worker_sends_its_lines_past_the_methods_that_others_may_have_wrapped(sent):
    show("1/1 connected")
    show("a failed", error=True)
    assert sent == [
        ("display", ("  1/1 connected",), {"color": None, "stderr": False}),
        ("display", ("  a failed",), {"color": "red", "stderr": False}),
    ]


def test_a_line_has_nothing_that_a_terminal_obeys(sent):
    show("a failed: \x1b[0;31mno daemon\x1b[0m\x1b]0;title\x07")
    assert sent[0][1] == ("  a failed: no daemon",)


@pytest.mark.parametrize(
    ("callback", "to_stderr"),
    [("default", False), ("minimal", True), ("oneline", True)],
)
def test_lines_go_to_stderr_where_the_callback_does_not_build_on_ansibles_default(
    sent, monkeypatch, callback, to_stderr
):
    monkeypatch.setattr(_display.C, "DEFAULT_STDOUT_CALLBACK", callback)
    show("1/1 connected")
    assert sent[-1][2]["stderr"] is to_stderr


def starts_tasks_itself(self, task, is_conditional):
    self._display.display("task")


def adds_to_the_default(self, task, is_conditional):
    default.CallbackModule.v2_playbook_on_task_start(self, task, is_conditional)


@pytest.mark.parametrize(
    ("base", "methods", "owns"),
    [
        (CallbackBase, {}, True),
        (default.CallbackModule, {}, False),
        (default.CallbackModule, {"v2_playbook_on_task_start": starts_tasks_itself}, True),
        (default.CallbackModule, {"v2_playbook_on_task_start": adds_to_the_default}, False),
    ],
    ids=["no base", "default", "like dense", "like awx_display"],
)
def test_a_callback_of_any_name_is_judged_by_what_it_builds_on(monkeypatch, base, methods, owns):
    loader = SimpleNamespace(get=lambda name, class_only: type("CallbackModule", (base,), methods))
    monkeypatch.setattr(_display, "callback_loader", loader)
    assert _display.owns_stdout(f"company.one.of_{base.__module__}_with_{methods}") is owns


@pytest.mark.parametrize(
    ("options", "loads", "chosen", "callback"),
    [
        ({"start_at_task": None}, False, "default", "default"),
        ({"start_at_task": None}, False, "yaml", "yaml"),
        ({"one_line": False}, False, "default", "minimal"),
        ({"one_line": False}, False, "yaml", "minimal"),
        ({"one_line": False}, True, "yaml", "yaml"),
        ({"one_line": False}, True, "default", "minimal"),
    ],
)
def test_commands_for_a_single_task_have_a_callback_of_their_own(monkeypatch, options, loads, chosen, callback):
    monkeypatch.setattr(_display.context, "CLIARGS", options)
    monkeypatch.setattr(_display.C, "DEFAULT_LOAD_CALLBACK_PLUGINS", loads)
    monkeypatch.setattr(_display.C, "DEFAULT_STDOUT_CALLBACK", chosen)
    assert _display.stdout_callback() == callback


def test_outside_a_worker_lines_are_displayed(monkeypatch):
    shown = []
    monkeypatch.setattr(_display.context, "CLIARGS", {"start_at_task": None})
    monkeypatch.setattr(_display._display, "_final_q", None)
    monkeypatch.setattr(_display._display, "display", lambda line, **_keywords: shown.append(line))
    show("a line")
    assert shown == ["  a line"]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (5.9, "0:05"), (281, "4:41"), (3600, "60:00")])
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0, "0s"), (10.4, "10s"), (59.6, "1m00s"), (271, "4m31s"), (302, "5m02s")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_a_table_has_a_row_for_each_host_and_a_note_if_there_is_one():
    rows = [
        {
            "host": "10.0.0.7",
            "zone": "zone-1",
            "verdict": "joined",
            "install_seconds": 271,
            "connect_seconds": 10,
            "memory_mb": 249856,
            "note": "",
        },
        {
            "host": "10.0.0.8",
            "zone": "zone-2",
            "verdict": "failed",
            "install_seconds": 4,
            "note": "exit 5: Docker socket",
        },
        {
            "host": "10.0.0.10",
            "zone": None,
            "verdict": "joined",
            "install_seconds": None,
            "connect_seconds": 0,
            "memory_mb": None,
        },
    ]
    assert table(rows) == [
        "host       zone    verdict  install  connect  memory",
        "10.0.0.7   zone-1  joined     4m31s      10s  244 GB",
        "10.0.0.8   zone-2  failed        4s        -       -  exit 5: Docker socket",
        "10.0.0.10  -       joined         -       0s       -",
    ]


def test_a_table_without_hosts_is_its_head():
    assert table([]) == ["host  zone  verdict  install  connect  memory"]


def test_text_of_the_platform_is_one_line_in_the_table():
    assert all(len(line.splitlines()) == 1 for line in table([{"host": "a", "zone": "b\nc", "verdict": "joined"}]))
