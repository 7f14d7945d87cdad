# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Following the installers: one open request per host, or turns where there are more hosts than threads or files."""

from __future__ import annotations

import json
import threading
import time
from types import SimpleNamespace

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils import _followers
from ansible_collections.ece.platform.plugins.plugin_utils._followers import Followers, requests_at_once

NEVER = object()
RUNNING = {"lock": "running", "started": 1, "now": 5}


def ended(rc):
    return {"lock": "over", "started": 1, "finished": 10, "now": 10, "seconds": 9.0, "rc": rc, "output": []}


class Hosts:
    """Stands for on_host: each host answers with its records, or prints a text instead. The last one repeats."""

    def __init__(self, **answers):
        self.answers = {name: list(records) for name, records in answers.items()}
        self.asked, self.reset = [], []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def __call__(self, action, variables, become):
        connection = SimpleNamespace(reset=lambda: self.reset.append(variables["name"]))
        return SimpleNamespace(
            _connection=connection,
            _low_level_execute_command=lambda command, sudoable: self._answer(variables["name"], command),
        )

    def _answer(self, name, command):
        with self._lock:
            self.asked.append((name, float(command.split()[-1])))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(0.01)
        with self._lock:
            self.at_once -= 1
            answers = self.answers[name]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is NEVER:
            threading.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return {"stdout": answer if isinstance(answer, str) else "ECE-RECORD " + json.dumps(answer), "stderr": ""}


@pytest.fixture
def follow(monkeypatch):
    """Follow the hosts until each installer has ended."""

    def act(hosts, at_once=1000, kind=Followers):
        monkeypatch.setattr(_followers, "on_host", hosts)
        monkeypatch.setattr(_followers, "RECONNECT_SECONDS", 0.01)
        monkeypatch.setattr(_followers, "requests_at_once", lambda: at_once)
        followers = kind(None, 5)
        for name in hosts.answers:
            followers.add(name, {"name": name}, ["python3", "-c", "source"])
        followers.start()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not all(
            followers.records.get(name, {}).get("rc") is not None for name in hosts.answers
        ):
            time.sleep(0.01)
        followers.stop()
        return followers

    return act


def test_each_host_holds_a_request_of_its_own_open(follow):
    hosts = Hosts(a=[RUNNING, RUNNING, ended(0)], b=[ended(5)])
    followers = follow(hosts)
    assert {name: record["rc"] for name, record in followers.records.items()} == {"a": 0, "b": 5}
    assert {hold for _name, hold in hosts.asked} == {25.0}
    assert sorted(name for name, _hold in hosts.asked) == ["a", "a", "a", "b"], (
        "a host that has ended is not asked again"
    )


def test_more_hosts_than_can_be_asked_at_once_take_turns_with_short_requests(follow):
    names = [f"h{number}" for number in range(20)]
    hosts = Hosts(**{name: [RUNNING, RUNNING, ended(0)] for name in names})
    followers = follow(hosts, at_once=4)
    assert all(followers.records[name]["rc"] == 0 for name in names)
    assert hosts.most_at_once <= 4
    assert {hold for _name, hold in hosts.asked} == {1.0}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (OSError("no route to host"), "no route to host"),
        ("sudo: a password is required", "sudo: a password is required"),
        (OSError("Timeout (42s) waiting for privilege escalation prompt: \n"), "no answer"),
        (f"login banner eyJ{'x' * 20}.y.z", "login banner ********"),
        ("", "no answer"),
    ],
)
def test_a_lost_connection_is_made_again_and_its_error_is_kept_until_then(follow, answer, error):
    errors = []

    class Spy(Followers):
        def _ask(self, host):
            record = super()._ask(host)
            errors.append(self.errors["a"])
            return record

    assert follow(Hosts(a=[RUNNING, answer, ended(0)]), kind=Spy).records["a"]["rc"] == 0
    assert errors == ["", error, ""]


def test_hosts_take_turns_where_the_process_may_not_have_more_threads(follow, monkeypatch):
    real, started = threading.Thread.start, []

    def start(thread):
        if thread._target.__name__ == "_run":
            if len(started) == 3:
                raise RuntimeError("can't start new thread")
            started.append(thread)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    hosts = Hosts(**{f"h{number}": [RUNNING, ended(0)] for number in range(12)})
    assert all(record["rc"] == 0 for record in follow(hosts).records.values())
    assert hosts.most_at_once <= 3 and {hold for _name, hold in hosts.asked} == {5 * 3 / 12}


def test_the_pauses_between_requests_without_an_answer_grow(follow, monkeypatch):
    pauses = []
    real = threading.Event.wait
    monkeypatch.setattr(
        threading.Event, "wait", lambda event, timeout=None: (pauses.append(timeout), real(event, timeout))[1]
    )
    monkeypatch.setattr(_followers, "RECONNECT_MAX_SECONDS", 0.03)
    gone = OSError("gone")
    follow(Hosts(a=[gone, gone, gone, gone, RUNNING, gone, ended(0)]))
    assert [pause for pause in pauses if pause in (0.01, 0.02, 0.03, 0.04, 0.08)] == [0.01, 0.02, 0.03, 0.03, 0.01]


def test_a_connection_that_does_not_end_is_reset_and_made_again(follow, monkeypatch):
    monkeypatch.setattr(_followers, "HOLD_SECONDS", 0.1)
    monkeypatch.setattr(_followers, "ANSWER_SECONDS", 0.1)
    hosts = Hosts(a=[RUNNING, NEVER, NEVER, ended(0)])
    assert follow(hosts).records["a"]["rc"] == 0
    assert hosts.reset == ["a", "a"]


def test_the_limit_of_files_is_raised_as_far_as_it_goes(monkeypatch):
    asked = []
    monkeypatch.setattr(_followers.resource, "setrlimit", lambda what, limits: asked.append(limits))
    for limits, requests, files in (
        ((1024, 4096), 480, 4096),
        ((1024, -1), 1000, 8256),
        ((100_000, 100_000), 1000, None),
        ((300, 300), 5, None),
    ):
        asked.clear()
        monkeypatch.setattr(_followers.resource, "getrlimit", lambda what, limits=limits: limits)
        monkeypatch.setattr(_followers.resource, "RLIM_INFINITY", -1)
        assert requests_at_once() == requests
        assert asked == ([(files, limits[1])] if files else [])
