# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wait: what it shows and when, and that trouble with the platform does not end it."""

from __future__ import annotations

import json
import threading
import time
from types import SimpleNamespace

import pytest

from ansible_collections.ece.platform.plugins.action import ece_host_wait
from ansible_collections.ece.platform.plugins.module_utils._client import EceAuthError, EceConnectionError
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import HostWatch

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

    def iter_allocators(self, total):
        return [{"allocator_id": name, "status": {"connected": True}} for name in self._now]


def watch(name, kind=HostWatch, **options):
    entry = {"name": name, "runner_id": name, "roles": ["allocator"], "zone": None, "version": None}
    return kind(
        entry,
        **{"has_installer": True, "install_timeout": 60, "connect_timeout": 60, "storage_path": "/data", **options},
    )


def ended(rc, output=()):
    return {"lock": "over", "started": 1, "finished": 10, "now": 10, "seconds": 9.0, "rc": rc, "output": list(output)}


@pytest.fixture
def waiting(bare, shown, monkeypatch):
    """Wait for watches with a client and records; returns the lines shown."""

    def wait(client, watches, records, silence=None, interval=0.01):
        for name in ("TICK_SECONDS", "FIRST_INTERVAL_SECONDS"):
            monkeypatch.setattr(ece_host_wait, name, 0.01)
        lines = shown(ece_host_wait)
        followers = SimpleNamespace(records=records, silence={} if silence is None else silence)
        bare(ece_host_wait)._wait(client, watches, followers, interval)
        return lines

    return wait


def test_each_end_is_told_at_once_and_failures_hold_up_nobody(waiting):
    watches = [watch("a"), watch("b")]
    lines = waiting(Client([], ["a"]), watches, {"a": ended(0), "b": ended(5, ["no socket"])})
    assert lines[0] == "0:00  0/2 connected, 2 installing, waiting for a, b"
    assert any("b failed: installer exit 5 (precondition): no socket." in line for line in lines)
    assert lines[-1].endswith("1/2 connected: a; 1 failed")


def test_a_platform_that_cannot_be_asked_for_a_while_is_asked_again(waiting):
    client = Client(
        EceConnectionError("no coordinator can be reached", sent=False),
        EceConnectionError("no coordinator can be reached", sent=False),
        ["a"],
    )
    watches = [watch("a")]
    waiting(client, watches, {"a": ended(0)})
    assert watches[0].phase == "joined" and client.asked >= 3


@pytest.mark.parametrize("trouble", [EceAuthError("refused", 401, None, [], []), AttributeError("an odd reply")])
def test_no_answer_of_the_platform_ends_the_watch_over_running_installers(waiting, trouble):
    watches = [watch("a")]
    waiting(Client(trouble, trouble, ["a"]), watches, {"a": ended(0)})
    assert watches[0].phase == "joined"


def test_a_host_that_cannot_be_asked_is_named_once_and_once_more_when_it_answers_again(waiting):
    records, silence, script = {}, {}, ["", "no route", "no route", "", "", "no answer", ""]

    class Host(HostWatch):
        def look(self, *known):
            super().look(*known)
            silence["a"] = script.pop(0) if script else ""
            records.update({} if script else {"a": ended(1, ["the end"])})

    lines = waiting(Client([]), [watch("a", kind=Host)], records, silence)
    assert [line.partition("  ")[2].partition(":")[0] for line in lines if "  a " in line] == [
        "a cannot be asked how its installer stands, trying on",
        "a answers again",
        "a cannot be asked how its installer stands, trying on",
        "a answers again",
        "a failed",
    ]


def test_requests_do_not_depend_on_the_number_of_hosts(waiting):
    few, many = Client([], ["h0"]), Client([], [f"h{number}" for number in range(100)])
    waiting(few, [watch("h0")], {"h0": ended(0)})
    waiting(many, [watch(f"h{number}") for number in range(100)], {f"h{number}": ended(0) for number in range(100)})
    assert many.asked <= few.asked + 3


def test_a_platform_that_stays_silent_is_named_when_time_is_up(waiting):
    watches = [watch("a", connect_timeout=0.05)]
    waiting(Client(EceConnectionError("no coordinator can be reached", sent=False)), watches, {"a": ended(0)})
    assert (
        watches[0].phase == "failed"
        and "the platform cannot be asked: no coordinator can be reached" in watches[0].message
    )


def test_a_question_to_the_platform_that_never_ends_does_not_hold_up_a_settling_host_for_ever(waiting, monkeypatch):
    monkeypatch.setattr(ece_host_wait, "STALE_SECONDS", 0.1)
    client, over = Client(["a"]), threading.Event()
    runners = client.runners
    client.runners = lambda: runners() if client.asked == 1 else over.wait(60)
    watches = [watch("a", connect_timeout=0.2, settle_time=0.05)]
    waiting(client, watches, {"a": ended(0)})
    over.set()
    assert watches[0].phase == "failed" and "the platform has not answered for" in watches[0].message


def test_a_hundred_hosts_that_connect_are_a_line_and_not_a_hundred(waiting):
    names = [f"h{number:02}" for number in range(100)]
    lines = waiting(Client([], names), [watch(name) for name in names], {name: ended(0) for name in names})
    assert lines[-1].endswith("100/100 connected: h00, h01, h02, h03, h04 and 95 more")
    assert len(lines) <= 3


@pytest.mark.parametrize("settle_time", [0, 0.001])
def test_the_first_installer_that_ends_and_the_first_host_that_connects_make_the_interval_short_again(
    waiting, monkeypatch, settle_time
):
    client, watches = Client([], [], ["a"]), [watch("a", connect_timeout=10, settle_time=settle_time)]
    records = {}
    threading.Timer(0.2, lambda: records.update(a=ended(0))).start()
    # The third question of an hour's interval would come after an hour, and the host have failed by then.
    monkeypatch.setattr(ece_host_wait, "INTERVAL_GROWTH", 1e9)
    monkeypatch.setattr(ece_host_wait, "STALE_SECONDS", 5 - 3600)
    waiting(client, watches, records, interval=3600)
    assert watches[0].phase == "joined", watches[0].message


# -- following the installers ------------------------------------------------------------------------------------------------


NEVER = object()


class Hosts:
    """Stands for on_host: each host answers with its records in turn (a string is what it says instead), the last one again and again."""

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


class Named(dict):
    """Stands for OneHost."""


@pytest.fixture
def following(monkeypatch):
    """Follow the hosts until each has ended."""

    def follow(hosts, at_once=1000):
        monkeypatch.setattr(ece_host_wait, "on_host", hosts)
        monkeypatch.setattr(ece_host_wait, "RECONNECT_SECONDS", 0.01)
        monkeypatch.setattr(ece_host_wait, "_questions_at_once", lambda: at_once)
        followers = ece_host_wait._Followers(None, 5)
        for name in hosts.answers:
            followers.add(name, Named(name=name), ["python3", "-c", "source"])
        followers.start()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not all(
            followers.records.get(name, {}).get("rc") is not None for name in hosts.answers
        ):
            time.sleep(0.01)
        followers.stop()
        return followers

    return follow


RUNNING = {"lock": "running", "started": 1, "now": 5}


def test_each_host_has_a_question_of_its_own_that_is_held_open(following):
    hosts = Hosts(a=[RUNNING, RUNNING, ended(0)], b=[ended(5)])
    followers = following(hosts)
    assert {name: record["rc"] for name, record in followers.records.items()} == {"a": 0, "b": 5}
    assert {hold for _name, hold in hosts.asked} == {25.0}
    assert sorted(name for name, _hold in hosts.asked) == ["a", "a", "a", "b"], "who has ended is not asked again"


def test_where_not_all_can_be_asked_at_once_they_take_turns_with_short_questions(following):
    names = [f"h{number}" for number in range(20)]
    hosts = Hosts(**{name: [RUNNING, RUNNING, ended(0)] for name in names})
    followers = following(hosts, at_once=4)
    assert all(followers.records[name]["rc"] == 0 for name in names)
    assert hosts.most_at_once <= 4
    assert {hold for _name, hold in hosts.asked} == {1.0}


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (OSError("no route to host"), "no route to host"),
        ("sudo: a password is required", "sudo: a password is required"),
        (OSError("Timeout (42s) waiting for privilege escalation prompt: \n"), "no answer"),
        (f"login banner eyJ{'x' * 20}.y.z", "login banner ********"),
        ("", "no answer"),
    ],
)
def test_a_lost_connection_is_made_again_and_its_trouble_is_kept_until_then(following, monkeypatch, trouble, words):
    silences = []

    class Spy(ece_host_wait._Followers):
        def _ask(self, *arguments):
            record = super()._ask(*arguments)
            silences.append(self.silence["a"])
            return record

    monkeypatch.setattr(ece_host_wait, "_Followers", Spy)
    assert following(Hosts(a=[RUNNING, trouble, ended(0)])).records["a"]["rc"] == 0
    assert silences == ["", words, ""]


def test_where_no_more_threads_can_be_had_hosts_take_turns(following, monkeypatch):
    real, started = threading.Thread.start, []

    def start(thread):
        if thread._target.__name__ == "_run":
            if len(started) == 3:
                raise RuntimeError("can't start new thread")
            started.append(thread)
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    hosts = Hosts(**{f"h{number}": [RUNNING, ended(0)] for number in range(12)})
    assert all(record["rc"] == 0 for record in following(hosts).records.values())
    assert hosts.most_at_once <= 3 and {hold for _name, hold in hosts.asked} == {5 * 3 / 12}


def test_a_host_that_gives_no_answer_is_asked_at_growing_distances(following, monkeypatch):
    pauses = []
    real = threading.Event.wait
    monkeypatch.setattr(
        threading.Event, "wait", lambda event, timeout=None: (pauses.append(timeout), real(event, timeout))[1]
    )
    monkeypatch.setattr(ece_host_wait, "RECONNECT_MAX_SECONDS", 0.03)
    following(
        Hosts(
            a=[OSError("gone"), OSError("gone"), OSError("gone"), OSError("gone"), RUNNING, OSError("gone"), ended(0)]
        )
    )
    assert [pause for pause in pauses if pause in (0.01, 0.02, 0.03, 0.04, 0.08)] == [0.01, 0.02, 0.03, 0.03, 0.01]


def test_a_connection_without_an_end_is_given_up_and_made_anew(following, monkeypatch):
    monkeypatch.setattr(ece_host_wait, "FOLLOW_SECONDS", 0.1)
    monkeypatch.setattr(ece_host_wait, "PATIENCE_SECONDS", 0.1)
    hosts = Hosts(a=[RUNNING, NEVER, NEVER, ended(0)])
    assert following(hosts).records["a"]["rc"] == 0
    assert hosts.reset == ["a", "a"]


def test_files_are_raised_as_far_as_they_go_and_questions_follow(monkeypatch):
    asked = []
    monkeypatch.setattr(ece_host_wait.resource, "setrlimit", lambda what, limits: asked.append(limits))
    for limits, questions, files in (
        ((1024, 4096), 480, 4096),
        ((1024, -1), 1000, 8256),
        ((100_000, 100_000), 1000, None),
        ((300, 300), 5, None),
    ):
        asked.clear()
        monkeypatch.setattr(ece_host_wait.resource, "getrlimit", lambda what, limits=limits: limits)
        monkeypatch.setattr(ece_host_wait.resource, "RLIM_INFINITY", -1)
        assert ece_host_wait._questions_at_once() == questions
        assert asked == ([(files, limits[1])] if files else [])


# -- what a host's check has found ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "again"),
    [
        ({"started": 5.0, "rc": None, "running": True}, True),
        ({"started": 5.0, "rc": 1, "running": False}, False),
        (None, True),
    ],
    ids=["under watch", "over before", "no record then"],
)
def test_an_installer_that_was_found_running_is_told_from_one_that_was_over_before(last, again):
    class Variables(dict):
        def get(self, key, default=None):
            return super().get(key, 5)

    followed = []
    followers = SimpleNamespace(add=lambda *arguments: followed.append(arguments))
    decided = {"verdict": "wait", "facts": {"last_install": last}}
    variables = Variables({ece_host_wait.VERDICT: decided, "ece_host_storage_path": "/data"})
    entry = {"name": "a", "runner_id": "a", "roles": ["allocator"], "zone": None, "version": None}
    host = ece_host_wait.ActionModule._watch(entry, variables, followers)
    host.look(1, None, {"lock": "over", "started": 5.0, "finished": 9.0, "now": 9.0, "rc": 1, "seconds": 4.0})
    assert len(followed) == 1
    assert (host.phase, host.again) == (("failed", True) if again else ("installing", False))
