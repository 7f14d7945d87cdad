# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Following the installers: one open question per host, or turns where there may not be as many."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import time

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils import _followers
from ansible_collections.ece.platform.plugins.plugin_utils._children import Child
from ansible_collections.ece.platform.plugins.plugin_utils._followers import Followers, questions_at_once

NEVER = "never"
KILLED = "killed"
RUNNING = {"lock": "running", "started": 1, "now": 5}


def ended(rc):
    return {"lock": "over", "started": 1, "finished": 10, "now": 10, "seconds": 9.0, "rc": rc, "output": []}


class Hosts:
    """Stands for run_on: each host answers with its records, or with a result without one. The last one repeats.

    Questions are child processes, so they write down in a file what they were asked.
    """

    def __init__(self, folder, **answers):
        self.answers = answers
        self._log = folder / "asked"

    def __call__(self, name, command, timeout, send):
        number = sum(1 for host, *_rest in self.asked if host == name)
        self._write([name, int(command[-1]), timeout, time.monotonic()])
        time.sleep(0.02)
        answer = self.answers[name][min(number, len(self.answers[name]) - 1)]
        if answer == NEVER:
            time.sleep(60)
        if answer == KILLED:
            os._exit(9)
        if isinstance(answer, Exception):
            raise answer
        return {"record": answer} if "lock" in answer else answer

    def _write(self, entry):
        with self._log.open("a", encoding="utf-8") as target:
            target.write(json.dumps(entry) + "\n")

    @property
    def asked(self):
        """What was asked: name, hold, timeout and time."""
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []

    def holds(self):
        return {hold for _name, hold, *_rest in self.asked}


class Spy(Followers):
    """Keeps the errors of all answers, and the most questions at once."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.seen_errors, self.most_at_once, self.asked_at = [], 0, []

    def _close(self, question, record, reason):
        self.most_at_once = max(self.most_at_once, len(self._questions))
        self.asked_at.append((question.host.name, question.asked_at))
        super()._close(question, record, reason)
        self.seen_errors.append(reason)


@pytest.fixture
def follow(monkeypatch):
    """Follow the hosts until each installer has ended."""

    def act(hosts, at_once=1000, interval=0.1, reconnect=0.01):
        monkeypatch.setattr(_followers, "RECONNECT_SECONDS", reconnect)
        monkeypatch.setattr(_followers, "TURNS_PER_SECOND", 1000)
        monkeypatch.setattr(_followers, "questions_at_once", lambda: at_once)
        followers = Spy(hosts, interval)
        for name in hosts.answers:
            followers.add(name, ["python3", "-c", "source"])
        deadline = time.monotonic() + 60
        try:
            while time.monotonic() < deadline and not all(
                followers.records.get(name, {}).get("rc") is not None for name in hosts.answers
            ):
                followers.look(0.05)
        finally:
            followers.stop()
        return followers

    return act


def test_each_host_holds_a_question_of_its_own_open(follow, tmp_path):
    hosts = Hosts(tmp_path, a=[RUNNING, RUNNING, ended(0)], b=[ended(5)])
    followers = follow(hosts)
    assert {name: record["rc"] for name, record in followers.records.items()} == {"a": 0, "b": 5}
    assert {(hold, timeout) for _name, hold, timeout, _time in hosts.asked} == {(25, 45)}
    assert sorted(name for name, *_rest in hosts.asked) == ["a", "a", "a", "b"], (
        "a host that has ended is not asked again"
    )


def test_more_hosts_than_may_be_asked_at_once_take_turns(follow, tmp_path):
    names = [f"h{number}" for number in range(20)]
    hosts = Hosts(tmp_path, **{name: [RUNNING, RUNNING, ended(0)] for name in names})
    followers = follow(hosts, at_once=4)
    assert all(followers.records[name]["rc"] == 0 for name in names)
    assert followers.most_at_once <= 4
    assert [hold for _name, hold, *_rest in hosts.asked[:40]] == [0] * 40


def test_the_last_host_holds_a_question_open_again(follow, tmp_path):
    others = {f"h{number}": [ended(0)] for number in range(4)}
    hosts = Hosts(tmp_path, last=[*[RUNNING] * 30, ended(0)], **others)
    follow(hosts, at_once=4)
    assert hosts.holds() == {0, 25} and hosts.asked[-1][:2] == ["last", 25]


def test_hosts_that_take_turns_are_asked_once_per_interval(follow, tmp_path):
    hosts = Hosts(tmp_path, **{f"h{number}": [RUNNING, RUNNING, ended(0)] for number in range(3)})
    followers = follow(hosts, at_once=2, interval=0.3)
    times = [asked_at for name, asked_at in followers.asked_at if name == "h0"]
    assert len(times) == 3 and all(later - sooner > 0.29 for sooner, later in zip(times, times[1:]))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (OSError("no route to host"), "no route to host"),
        ({"msg": "Task failed: Action failed: sudo: a password is required"}, "sudo: a password is required"),
        ({"msg": "Timeout (42s) waiting for privilege escalation prompt: \n"}, "no answer"),
        ({"msg": "Task failed: Timed out after 45 second(s).", "timedout": {"period": 45}}, "no answer"),
        ({"msg": "The raw action failed to execute in the expected time frame (45) and was terminated"}, "no answer"),
        ({"msg": f"login banner eyJ{'x' * 20}.y.z"}, "login banner ********"),
        ({"msg": "\x1b[2Jcleared"}, "cleared"),
        ({}, "no answer"),
        (KILLED, "no answer"),
    ],
)
def test_a_lost_connection_is_made_again_and_its_error_is_kept_until_then(follow, tmp_path, answer, error):
    followers = follow(Hosts(tmp_path, a=[RUNNING, answer, ended(0)]))
    assert followers.records["a"]["rc"] == 0
    assert followers.seen_errors == ["", error, ""]


def test_a_question_that_does_not_end_is_killed_and_asked_again(follow, monkeypatch, tmp_path):
    for name, value in (("HOLD_SECONDS", 0), ("ANSWER_SECONDS", 0), ("RESET_SECONDS", 0.2)):
        monkeypatch.setattr(_followers, name, value)
    hosts = Hosts(tmp_path, a=[RUNNING, NEVER, NEVER, ended(0)])
    followers = follow(hosts)
    assert followers.records["a"]["rc"] == 0 and followers.seen_errors == ["", "no answer", "no answer", ""]
    assert not Child._alive


def test_the_pauses_between_questions_without_an_answer_grow(follow, monkeypatch, tmp_path):
    gone = {"msg": "gone"}
    hosts = Hosts(tmp_path, a=[gone, gone, gone, gone, RUNNING, gone, ended(0)])
    monkeypatch.setattr(_followers, "RECONNECT_MAX_SECONDS", 1.6)
    follow(hosts, reconnect=0.4)
    times = [asked_at for *_rest, asked_at in hosts.asked]
    pauses = [later - sooner for sooner, later in zip(times, times[1:])]
    assert all(pause >= least for pause, least in zip(pauses, (0.4, 0.8, 1.6, 1.6, 0, 0.4)))
    # A busy machine takes its time, too, but less than the pause that has grown.
    assert pauses[4] < 1.6, "a host that answers is asked again at once"


def test_calls_of_display_in_a_question_are_made_by_the_process_that_asks(follow, monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(
        _followers, "call_display", lambda method, *arguments, **keywords: calls.append((method, arguments, keywords))
    )

    class Talking(Hosts):
        def __call__(self, name, command, timeout, send):
            send(("display", ("a line",), {"color": "blue"}))
            return super().__call__(name, command, timeout, send)

    follow(Talking(tmp_path, a=[ended(0)]))
    assert calls == [("display", ("a line",), {"color": "blue"})]


def test_fewer_hosts_are_asked_at_once_where_there_may_not_be_another_process(follow, monkeypatch, tmp_path):
    real, alive = os.fork, Child._alive

    def fork():
        if len(alive) >= 3:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return real()

    monkeypatch.setattr(os, "fork", fork)
    hosts = Hosts(tmp_path, **{f"h{number}": [RUNNING, ended(0)] for number in range(12)})
    followers = follow(hosts)
    assert all(record["rc"] == 0 for record in followers.records.values())
    assert followers.most_at_once <= 3 and not any(followers.seen_errors)


@pytest.mark.parametrize("limit", [40, 70])
def test_all_hosts_are_asked_within_a_round_where_there_may_be_fewer_tasks_than_hosts(limit, monkeypatch):
    """With a real limit, and a program in each question."""

    def ask(name, command, timeout, send):
        subprocess.run(["sleep", "1"], check=True)
        return {"record": RUNNING}

    def limited(connection):
        if os.geteuid() == 0:
            os.setuid(50_000 + os.getpid())  # a user that has no other process
        resource.setrlimit(resource.RLIMIT_NPROC, (tasks_in_use() + limit,) * 2)
        followers = Followers(ask, 1)
        for number in range(50):
            followers.add(f"h{number}", ["command"])
        deadline = time.monotonic() + 60
        while len(followers.records) < 50 and time.monotonic() < deadline:
            followers.look(0.5)
        followers.stop()
        connection.send((len(followers.records), [error for error in followers.errors.values() if error]))

    child = Child(limited)
    try:
        assert child.connection.recv() == (50, [])
    finally:
        child.end()


def tasks_in_use():
    """Return how many tasks this user has."""
    tasks = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{pid}").st_uid == os.getuid():
                tasks += len(os.listdir(f"/proc/{pid}/task"))
        except OSError:
            continue
    return tasks


@pytest.mark.parametrize(("left", "questions"), [(1_000_000, 32), (40, 13), (2, 1), (0, 1)])
def test_a_question_takes_three_tasks_of_those_that_are_left_and_there_is_always_one(monkeypatch, left, questions):
    monkeypatch.setattr(_followers, "tasks_left", lambda: left)
    assert questions_at_once() == questions
