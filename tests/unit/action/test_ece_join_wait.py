# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wait: what it shows and when, and that an error of the platform does not end it."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from ansible_collections.ece.platform.plugins.action import ece_join_wait
from ansible_collections.ece.platform.plugins.module_utils._client import EceAuthError, EceConnectionError
from ansible_collections.ece.platform.plugins.plugin_utils import _announcer, _host_progress, _poller
from ansible_collections.ece.platform.plugins.plugin_utils._children import Child
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import Expectation, HostProgress
from ansible_collections.ece.platform.plugins.plugin_utils._results import TOKEN
from tests.role_names import WAIT_TASK
from tests.unit.action.conftest import Variables

ROOT = Path(__file__).resolve().parents[3]

CONNECTED = {"runner_id": "r", "connected": True, "roles": [{"role_name": "allocator"}], "zone": "z"}


class Client:
    """Answers from a script: each entry is the ids that are connected, or an error. The last entry repeats.

    It is asked in a child process, so it counts in memory that processes share.
    """

    def __init__(self, *script, hangs_after=None):
        self._script = script
        self._asked = multiprocessing.Value("i", 0)
        self._hangs_after = hangs_after
        self.totals = multiprocessing.Value("i", 0)
        self.warnings = ["it is slow"]

    @property
    def asked(self):
        return self._asked.value

    @property
    def _now(self):
        return self._script[min(self.asked, len(self._script)) - 1]

    def runners(self):
        self._asked.value += 1
        if self._hangs_after is not None and self.asked > self._hangs_after:
            time.sleep(60)
        if isinstance(self._now, Exception):
            raise self._now
        return [{**CONNECTED, "runner_id": name} for name in self._now]

    def iter_allocators(self, total):
        self.totals.value = total
        return [{"allocator_id": name, "status": {"connected": True}} for name in self._now]


def waiting_host(name, kind=HostProgress, **options):
    entry = {"name": name, "runner_id": name, "roles": ["allocator"], "zone": None, "version": None}
    expected = {"install_timeout": 60, "connect_timeout": 60, "storage_path": "/data", **options}
    return kind(entry, Expectation(**expected))


def ended(rc, output=()):
    return {"lock": "over", "started": 1, "finished": 10, "now": 10, "seconds": 9.0, "rc": rc, "output": list(output)}


@pytest.fixture
def wait(shown, monkeypatch):
    """Wait for hosts with a client and records. Returns the lines shown."""

    def act(client, hosts, records, errors=None, interval=0.01, look=time.sleep):
        monkeypatch.setattr(ece_join_wait, "TICK_SECONDS", 0.01)
        monkeypatch.setattr(_poller, "FIRST_INTERVAL_SECONDS", 0.01)
        lines = shown(_announcer)
        followers = SimpleNamespace(records=records, errors={} if errors is None else errors, look=look)
        poller = _poller.PlatformPoller(client, [host.entry["runner_id"] for host in hosts], 7, interval)
        try:
            ece_join_wait.wait(hosts, poller, followers)
        finally:
            poller.stop()
        assert poller.warnings == (["it is slow"] if client.asked else [])
        return lines

    return act


def test_each_end_is_shown_at_once_and_a_failure_delays_no_other_host(wait):
    hosts = [waiting_host("a"), waiting_host("b")]
    lines = wait(Client([], ["a"]), hosts, {"a": ended(0), "b": ended(5, ["no socket"])})
    assert lines[0] == "0:00  0/2 connected, 2 installing, waiting for a, b"
    assert any("b failed: installer exit 5 (precondition): no socket." in line for line in lines)
    assert lines[-1].endswith("1/2 connected: a; 1 failed")


def test_a_platform_that_cannot_be_asked_for_a_while_is_asked_again(wait):
    error = EceConnectionError("no coordinator can be reached", sent=False)
    client, hosts = Client(error, error, ["a"]), [waiting_host("a")]
    wait(client, hosts, {"a": ended(0)})
    assert hosts[0].phase == "joined" and client.asked >= 3


@pytest.mark.parametrize("error", [EceAuthError("refused", 401, None, [], []), AttributeError("an odd reply")])
def test_no_answer_of_the_platform_ends_the_wait_for_running_installers(wait, error):
    hosts = [waiting_host("a")]
    wait(Client(error, error, ["a"]), hosts, {"a": ended(0)})
    assert hosts[0].phase == "joined"


def test_a_host_that_does_not_answer_is_named_once_and_again_when_it_answers(wait):
    records, errors, script = {}, {}, ["", "no route", "no route", "", "", "no answer", ""]

    class Host(HostProgress):
        def update(self, seen):
            super().update(seen)
            errors["a"] = script.pop(0) if script else ""
            records.update({} if script else {"a": ended(1, ["the end"])})

    lines = wait(Client([]), [waiting_host("a", kind=Host)], records, errors)
    assert [line.partition("  ")[2].partition(":")[0] for line in lines if "  a " in line] == [
        "a does not answer, trying again",
        "a answers again",
        "a does not answer, trying again",
        "a answers again",
        "a failed",
    ]


def test_the_number_of_requests_does_not_depend_on_the_number_of_hosts(wait):
    names = [f"h{number}" for number in range(100)]
    few, many = Client([], ["h0"]), Client([], names)
    wait(few, [waiting_host("h0")], {"h0": ended(0)})
    wait(many, [waiting_host(name) for name in names], {name: ended(0) for name in names})
    # A busy machine takes longer, and polls more often.
    assert many.asked < few.asked + len(names) / 2


class Capped(Client):
    """A platform whose lists have no host, but which knows all of them when it is asked for one."""

    def __init__(self):
        super().__init__([])
        self._single = multiprocessing.Value("i", 0)

    @property
    def single(self):
        """How often it was asked for one host."""
        return self._single.value

    def runner(self, runner_id):
        self._single.value += 1
        return {**CONNECTED, "runner_id": runner_id, "roles": [{"role_name": "proxy"}]}

    def allocator(self, allocator_id):
        return None


def test_a_host_that_a_capped_list_lacks_joins_by_the_answer_on_it_alone(wait, monkeypatch):
    monkeypatch.setattr(_host_progress, "UNLISTED_SECONDS", 0.05)
    monkeypatch.setattr(_poller, "SINGLE_HOSTS_MAX", 2)
    hosts = [waiting_host(f"h{number}", settle_time=0.02) for number in range(5)]
    for host in hosts:
        host.entry["roles"] = ["proxy"]
    client = Capped()
    wait(client, hosts, {host.name: ended(0) for host in hosts})
    assert {host.phase for host in hosts} == {"joined"}
    assert 0 < client.single <= 2 * client.asked


def test_a_host_fails_at_its_time_only_after_the_platform_was_asked_for_it_alone(wait):
    client, hosts = Capped(), [waiting_host("a", connect_timeout=0.05)]
    wait(client, hosts, {"a": ended(0)})
    assert hosts[0].phase == "failed" and "without the role allocator" in hosts[0].message
    assert client.single > 0


def test_a_platform_that_stays_silent_is_the_reason_when_time_is_up(wait):
    hosts = [waiting_host("a", connect_timeout=0.05)]
    wait(Client(EceConnectionError("no coordinator can be reached", sent=False)), hosts, {"a": ended(0)})
    assert hosts[0].phase == "failed"
    assert "the platform cannot be asked: no coordinator can be reached" in hosts[0].message


def test_a_request_that_never_ends_does_not_keep_a_settling_host_waiting_for_ever(wait, monkeypatch):
    monkeypatch.setattr(_poller, "STALE_SECONDS", 0.1)
    hosts = [waiting_host("a", connect_timeout=0.2, settle_time=0.05)]
    wait(Client(["a"], hangs_after=1), hosts, {"a": ended(0)})
    assert hosts[0].phase == "failed" and "the platform has not answered for" in hosts[0].message


def test_the_platform_is_asked_for_two_lists_and_only_the_hosts_that_wait_are_kept():
    client = Client(["a", "other"])
    poller = _poller.PlatformPoller(client, ["a"], 7, 60)
    deadline = time.monotonic() + 60
    while poller.latest().error and time.monotonic() < deadline:
        time.sleep(0.01)
    known = poller.latest().known
    poller.stop()
    assert set(known) == {"a"} and set(known["a"]) == {"runner", "allocator"}
    assert client.totals.value == 7, "the plan has the number of allocators"


def test_a_poll_that_is_killed_is_started_again(wait):
    client, hosts = Client([], [], [], ["a"]), [waiting_host("a")]
    killed = []

    def look(seconds):
        time.sleep(seconds)
        if client.asked and not killed:
            killed.extend(child.pid for child in Child._alive)
            os.kill(killed[0], signal.SIGKILL)

    wait(client, hosts, {"a": ended(0)}, look=look)
    assert hosts[0].phase == "joined" and killed


def test_a_poll_that_cannot_be_started_is_tried_again(wait, monkeypatch):
    refusals = [BlockingIOError(errno.EAGAIN, "no more processes")] * 3
    real = os.fork

    def fork():
        if refusals:
            raise refusals.pop()
        return real()

    monkeypatch.setattr(os, "fork", fork)
    hosts = [waiting_host("a")]
    lines = wait(Client(["a"]), hosts, {"a": ended(0)})
    assert hosts[0].phase == "joined" and "(the platform cannot be asked: no more processes)" in lines[1]


def test_a_wait_ends_where_the_run_was_killed(wait, monkeypatch):
    parents = iter([1, 1, 2])
    monkeypatch.setattr(ece_join_wait.os, "getppid", lambda: next(parents))
    hosts = [waiting_host("a")]
    wait(Client([]), hosts, {})
    assert hosts[0].phase == "installing" and not list(parents)


def test_no_timeout_for_tasks_in_general_ends_the_wait():
    block = yaml.safe_load((ROOT / "roles" / "ece_host" / "tasks" / "join.yml").read_text(encoding="utf-8"))[0]["block"]
    timeouts = {task["name"]: task.get("timeout") for task in block}
    assert timeouts[WAIT_TASK] == 0


def test_a_hundred_hosts_that_connect_are_one_line(wait):
    names = [f"h{number:02}" for number in range(100)]
    lines = wait(Client([], names), [waiting_host(name) for name in names], {name: ended(0) for name in names})
    assert lines[-1].endswith("100/100 connected: h00, h01, h02, h03, h04 and 95 more")
    assert len(lines) <= 3


@pytest.mark.parametrize("settle_time", [0, 0.001])
def test_the_first_installer_that_ends_and_the_first_host_that_connects_make_the_interval_short_again(
    wait, monkeypatch, settle_time
):
    client, hosts = Client([], [], ["a"]), [waiting_host("a", connect_timeout=10, settle_time=settle_time)]
    records, began = {}, time.monotonic()

    def look(seconds):
        time.sleep(seconds)
        if time.monotonic() - began > 0.2:
            records.update(a=ended(0))

    # The third request of an hour's interval would come after an hour, and the host would have failed by then.
    monkeypatch.setattr(_poller, "INTERVAL_GROWTH", 1e9)
    monkeypatch.setattr(_poller, "STALE_SECONDS", 5 - 3600)
    wait(client, hosts, records, interval=3600, look=look)
    assert hosts[0].phase == "joined", hosts[0].message


# -- what is expected of a host --------------------------------------------------------------------------------------

VARIABLES = Variables(
    ece_host_install_timeout="60", ece_host_connect_timeout=5, ece_host_storage_path="/data", ece_host_settle_time=3
)


@pytest.mark.parametrize(
    ("last", "previous_start"),
    [
        ({"started": 5.0, "rc": None, "running": True}, None),
        ({"started": 5.0, "rc": 1, "running": False}, 5.0),
        (None, None),
    ],
    ids=["running", "ended before", "no record"],
)
def test_an_installer_that_was_found_running_is_told_from_one_that_ended_before(last, previous_start):
    expected = ece_join_wait.expect({"verdict": "wait", "facts": {"last_install": last}}, {}, VARIABLES)
    assert (expected.previous_start, expected.started_here, expected.install_timeout) == (previous_start, False, 60.0)


@pytest.mark.parametrize(
    ("verdict", "start", "started_here"),
    [
        ("install", {"changed": True}, True),
        ("install", {"changed": False}, False),
        ("replace", {"unreachable": True, "changed": False}, True),
        ("assign-roles", {"skipped": True, "changed": False}, False),
    ],
)
def test_an_installer_that_another_run_started_meanwhile_is_not_this_runs(verdict, start, started_here):
    expected = ece_join_wait.expect({"verdict": verdict}, start, VARIABLES)
    assert expected.started_here is started_here and expected.has_installer is (verdict != "assign-roles")


def test_where_any_error_was_fatal_nothing_is_waited_for(bare):
    task_vars = {TOKEN: {"ends_play": True, "reason": "b failed"}}
    assert bare(ece_join_wait).act({"plan": {"made_at": 7.5}}, task_vars) == {
        "changed": False,
        "made_at": 7.5,
        "hosts": {},
    }


def test_a_host_that_its_check_found_joined_has_no_installer_to_wait_for():
    expected = ece_join_wait.expect({"verdict": "joined", "msg": "it is runner b"}, {}, VARIABLES)
    assert (expected.joined, expected.has_installer) == ("it is runner b", False)
    assert ece_join_wait.expect({"verdict": "wait", "msg": "it is waited for"}, {}, VARIABLES).joined is None


@pytest.mark.parametrize(
    ("facts", "variables", "python"),
    [
        (
            {"python": {"executable": "/usr/bin/python3.9"}},
            {"ansible_python_interpreter": "auto"},
            "/usr/bin/python3.9",
        ),
        ({}, {"ansible_python_interpreter": "/opt/python"}, "/opt/python"),
        ({}, {}, "python3"),
    ],
)
def test_a_host_is_followed_with_the_python_that_its_check_ran_with(facts, variables, python):
    command = ece_join_wait.follow_command(Variables({**VARIABLES, **variables}), facts)
    assert (command[0], command[-2:]) == (python, [VARIABLES["ece_host_storage_path"], "/var/lib/ece-install"])
    other = Variables({**VARIABLES, **variables, "ece_host_state_path": "/opt/state"})
    assert ece_join_wait.follow_command(other, facts)[-1] == "/opt/state"
