# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wait: what it shows and when, and that trouble with the platform does not end it."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_host_wait
from ansible_collections.ece.platform.plugins.module_utils.client import EceAuthError, EceConnectionError
from ansible_collections.ece.platform.plugins.plugin_utils.watch import HostWatch

CONNECTED = {"runner_id": "r", "connected": True, "roles": [{"role_name": "allocator"}], "zone": "z"}


class Client:
    """Answers from a script: each entry is the ids that are connected, or an error; the last one stays."""

    def __init__(self, *script):
        self._script = list(script)
        self.asked = 0

    def platform(self):
        self.asked += 1
        self._now = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(self._now, Exception):
            raise self._now
        return {"version": "3.8.0"}

    def runners(self):
        return [{**CONNECTED, "runner_id": name} for name in self._now]

    def allocators(self, total):
        return [{"allocator_id": name, "status": {"connected": True}} for name in self._now]


def watch(name, **options):
    entry = {"name": name, "runner_id": name, "roles": ["allocator"], "zone": None, "version": None}
    return HostWatch(entry, **{"has_installer": True, "install_timeout": 60, "connect_timeout": 60, "storage_path": "/data", **options})


def ended(rc, output=()):
    return {"lock": "over", "started": 1, "finished": 10, "now": 10, "seconds": 9.0, "rc": rc, "output": list(output)}


@pytest.fixture
def waiting(bare, shown, monkeypatch):
    """Wait for watches with a client and records; returns the lines shown."""

    def wait(client, watches, records, silence=None):
        for name in ("TICK_SECONDS", "FIRST_INTERVAL_SECONDS"):
            monkeypatch.setattr(ece_host_wait, name, 0.01)
        lines = shown(ece_host_wait)
        bare(ece_host_wait)._wait(client, watches, records, silence or {}, 0.01)
        return lines

    return wait


def test_each_end_is_told_at_once_and_failures_hold_up_nobody(waiting):
    watches = [watch("a"), watch("b")]
    lines = waiting(Client([], ["a"]), watches, {"a": ended(0), "b": ended(5, ["no socket"])})
    assert lines[0] == "0:00  0/2 connected, 2 installing, waiting for a, b"
    assert any("b failed: installer exit 5 (precondition): no socket." in line for line in lines)
    assert any(line.endswith("a connected") for line in lines)
    assert lines[-1].endswith("1/2 connected, 1 failed")


def test_a_platform_that_cannot_be_asked_for_a_while_is_asked_again(waiting):
    client = Client(EceConnectionError("no coordinator can be reached", sent=False), EceConnectionError("no coordinator can be reached", sent=False), ["a"])
    watches = [watch("a")]
    waiting(client, watches, {"a": ended(0)})
    assert watches[0].phase == "joined" and client.asked >= 3


@pytest.mark.parametrize("trouble", [EceAuthError("refused", 401, None, [], []), AttributeError("an odd reply")])
def test_no_answer_of_the_platform_ends_the_watch_over_running_installers(waiting, trouble):
    watches = [watch("a")]
    waiting(Client(trouble, trouble, ["a"]), watches, {"a": ended(0)})
    assert watches[0].phase == "joined"


def test_a_host_that_cannot_be_asked_is_named_once(waiting):
    lines = waiting(Client([], [], [], ["a"]), [watch("a"), watch("b")], {"a": ended(0), "b": ended(1)}, {"a": "no route"})
    assert sum("a cannot be asked how its installer stands, trying on: no route" in line for line in lines) <= 1


def test_requests_do_not_depend_on_the_number_of_hosts(waiting):
    few, many = Client([], ["h0"]), Client([], [f"h{number}" for number in range(100)])
    waiting(few, [watch("h0")], {"h0": ended(0)})
    waiting(many, [watch(f"h{number}") for number in range(100)], {f"h{number}": ended(0) for number in range(100)})
    assert many.asked <= few.asked + 3


def test_a_platform_that_stays_silent_is_named_when_time_is_up(waiting):
    watches = [watch("a", connect_timeout=0.05)]
    waiting(Client(EceConnectionError("no coordinator can be reached", sent=False)), watches, {"a": ended(0)})
    assert watches[0].phase == "failed" and "the platform cannot be asked: no coordinator can be reached" in watches[0].message
