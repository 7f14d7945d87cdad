# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watches over a batch of joining hosts: one question to the platform an interval, one quiet connection to each running installer."""

from __future__ import annotations

import collections
import resource
import shlex
import threading
import time

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.ece.platform.plugins.module_utils import _client as api
from ansible_collections.ece.platform.plugins.module_utils import _install_record as installer
from ansible_collections.ece.platform.plugins.module_utils._module import CONNECTION_SPEC
from ansible_collections.ece.platform.plugins.module_utils._plan import known_hosts
from ansible_collections.ece.platform.plugins.module_utils._records import platform_totals
from ansible_collections.ece.platform.plugins.module_utils._states import ASSIGN_ROLES, INSTALL, REPLACE
from ansible_collections.ece.platform.plugins.module_utils._text import one_line, redact
from ansible_collections.ece.platform.plugins.plugin_utils._action import START, VERDICT, ApiAction, show
from ansible_collections.ece.platform.plugins.plugin_utils._display import clock
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import (
    CONNECTING,
    FAILED,
    JOINED,
    SETTLING,
    HostWatch,
    progress,
)
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables
from ansible_collections.ece.platform.plugins.plugin_utils._remote import on_host

# A line at least this often, so that nobody takes a long install for a hanging play.
QUIET_SECONDS = 30
# How long one question to a host may stay unanswered by a running installer before it is asked anew.
FOLLOW_SECONDS = 25
# Longer than that without an answer, a connection is taken for lost, and made anew.
PATIENCE_SECONDS = 20
RECONNECT_SECONDS, RECONNECT_MAX_SECONDS = 5, 60
TICK_SECONDS = 0.5
FIRST_INTERVAL_SECONDS = 1
# An answer that is older than an interval and this says nothing of now: the next question hangs somewhere.
STALE_SECONDS = 60
INTERVAL_GROWTH = 1.2
# One open question to a host takes about this many files of this process; the platform and Ansible have some, too.
FILES_A_QUESTION = 8
FILES_OF_OTHERS = 256
QUESTIONS_MAX = 1000


class ActionModule(ApiAction):
    """See the documentation of the module with this name."""

    SPEC = {
        **CONNECTION_SPEC,
        "hosts": {"type": "list", "elements": "str", "required": True},
        "plan": {"type": "dict", "required": True},
        "need": {"type": "dict"},
        "before": {"type": "dict", "default": {}},
        "anew": {"type": "list", "elements": "str", "default": []},
        "interval": {"type": "float", "default": 5},
    }

    def act(self, arguments, task_vars):
        client, warnings = self.connect(arguments)
        variables = HostVariables(self, task_vars)
        followers = _Followers(self, arguments["interval"])
        watches = [
            self._watch(arguments["plan"]["hosts"][name], variables.of(name), followers) for name in arguments["hosts"]
        ]
        followers.start()
        try:
            self._wait(client, watches, followers, arguments["interval"])
        finally:
            followers.stop()
        # Who was to be installed anew and is not waited for has been stopped on the way, which is news.
        before = {name: row for name, row in arguments["before"].items() if name not in arguments["anew"]}
        return {
            "changed": False,
            "msg": progress(watches),
            "hosts": {**before, **{watch.name: watch.row() for watch in watches}},
            "again": [watch.name for watch in watches if watch.again],
            "need": arguments["need"],
            "plan_made_at": arguments["plan"]["made_at"],
            "warnings": warnings + client.warnings,
        }

    @staticmethod
    def _watch(entry, variables, followers):
        """Begin to watch one host; its installer is followed where there is one."""
        decided = variables.get(VERDICT)
        has_installer = decided["verdict"] != ASSIGN_ROLES
        facts = decided.get("facts") or {}
        last = facts.get("last_install") or {}
        storage_path = variables.get("ece_host_storage_path")
        if has_installer:
            followers.add(entry["name"], variables, _follow_words(variables, facts, installer.log_paths(storage_path)))
        return HostWatch(
            entry,
            has_installer=has_installer,
            install_timeout=float(variables.get("ece_host_install_timeout")),
            connect_timeout=float(variables.get("ece_host_connect_timeout")),
            storage_path=storage_path,
            started_here=decided["verdict"] in (INSTALL, REPLACE) and not _adopted(variables.get(START) or {}),
            last_started=None if last.get("running") else last.get("started"),
            settle_time=float(variables.get("ece_host_settle_time", 0)),
        )

    @staticmethod
    def _wait(client, watches, followers, interval):
        records, silence = followers.records, followers.silence
        began = said = time.monotonic()
        phases = {watch.name: watch.phase for watch in watches}
        platform = _Platform(client, interval)
        unheard: set[str] = set()
        show(f"0:00  {progress(watches)}")
        try:
            while True:
                trouble, known, asked_at = platform.latest()
                now = time.monotonic() - began
                for watch in watches:
                    watch.look(
                        now,
                        known.get(watch.entry["runner_id"]),
                        records.get(watch.name),
                        trouble,
                        silence.get(watch.name),
                        asked_at - began,
                    )
                    if watch.over or bool(silence.get(watch.name)) == (watch.name in unheard):
                        continue
                    if watch.name in unheard:
                        unheard.remove(watch.name)
                        show(f"{clock(now)}  {watch.name} answers again")
                    else:
                        unheard.add(watch.name)
                        show(
                            f"{clock(now)}  {watch.name} cannot be asked how its installer stands, trying on: {silence[watch.name]}",
                            error=True,
                        )
                changed = [watch for watch in watches if phases[watch.name] != watch.phase]
                if any(
                    phase not in phases.values() and any(watch.phase == phase for watch in changed)
                    for phase in (CONNECTING, SETTLING)
                ):
                    platform.hurry()
                settling = {name for name, phase in phases.items() if phase == SETTLING}
                for watch in changed:
                    if watch.name in settling and watch.phase == CONNECTING:
                        show(f"{clock(now)}  {watch.name} has dropped its connection again", error=True)
                phases = {watch.name: watch.phase for watch in watches}
                # A failure is named at once, and on a line of its own; what else has happened since the last look is one line.
                for watch in changed:
                    if watch.phase == FAILED:
                        more = " It was running before; this run starts one of its own next." if watch.again else ""
                        show(f"{clock(now)}  {watch.name} failed: {watch.message}{more}", error=True)
                if changed or time.monotonic() - said >= QUIET_SECONDS:
                    said = time.monotonic()
                    connected = [
                        watch.name
                        for watch in changed
                        if watch.phase == SETTLING or (watch.phase == JOINED and watch.name not in settling)
                    ]
                    show(
                        f"{clock(now)}  {progress(watches, connected)}" + (f" ({trouble})" if trouble else ""),
                        error=bool(trouble),
                    )
                if all(watch.over for watch in watches):
                    return
                time.sleep(TICK_SECONDS)
        finally:
            platform.stop()


class _Followers:
    """Keeps the hosts' installer records up to date until each has ended; a lost connection is made again.

    One thread a host holds a question open that the host answers when its installer ends. Where there are more hosts than this
    process may have files, they take turns with short questions.
    """

    def __init__(self, action, interval: float) -> None:
        self.records: dict[str, dict] = {}
        self.silence: dict[str, str] = {}
        self._action = action
        self._interval = interval
        self._hosts: collections.deque = collections.deque()
        self._begin, self._stop = threading.Event(), threading.Event()

    def add(self, name: str, variables, words: list[str]) -> None:
        """Follow the installer on one host, whose variables (OneHost) lead to it."""
        self._hosts.append((name, variables, words, 0))

    def start(self) -> None:
        count, threads = len(self._hosts), 0
        for _number in range(min(count, _questions_at_once())):
            try:
                threading.Thread(target=self._run, daemon=True).start()
            except RuntimeError:  # as many as this process may have
                if not threads:
                    raise
                break
            threads += 1
        self._hold = FOLLOW_SECONDS if threads == count else self._interval * threads / count
        self._begin.set()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        self._begin.wait()
        while not self._stop.is_set():
            try:
                name, variables, words, misses = self._hosts.popleft()
            except IndexError:
                return  # as many threads as hosts, or fewer: what is left is in others' hands
            record = self._ask(name, variables, words)
            misses = 0 if record else misses + 1
            if record is None or installer.install_state(record) not in ("finished", "interrupted"):
                if record is None or record["lock"] != "running":
                    # Each question without an answer may leave a connection behind that hangs, so they come at growing distances.
                    self._stop.wait(min(RECONNECT_SECONDS * 2 ** max(0, misses - 1), RECONNECT_MAX_SECONDS))
                self._hosts.append((name, variables, words, misses))

    def _ask(self, name, variables, words):
        """The host's record, or None where it could not be asked."""
        answers: list = []
        try:
            command = " ".join(shlex.quote(word) for word in (*words, str(self._hold)))
            host = on_host(self._action, variables, boolean(variables.get("ece_host_become", True), strict=False))
            # Apart, because a connection whose other end is gone without a word never ends.
            question = threading.Thread(target=lambda: answers.append(_answer(host, command)), daemon=True)
            question.start()
            question.join(self._hold + PATIENCE_SECONDS)
            if not answers:
                host._connection.reset()
            record, self.silence[name] = answers[0] if answers else (None, "no answer")
        except Exception as error:  # connection plugins raise what they like; the watch has its own deadline
            record, self.silence[name] = None, redact(str(error)[:200])
        if record is not None:
            self.records[name] = record
        return record


def _adopted(start):
    """Whether ece_install found another play's installer; a host that could not be reached for it may have one of this run's."""
    return start.get("changed") is False and not start.get("unreachable") and not start.get("failed")


def _answer(host, command):
    """(the host's record or None, what stood in the way)"""
    try:
        answer = host._low_level_execute_command(command, sudoable=True)
    except Exception as error:
        words = one_line(error)
        # A host that is silent before sudo has spoken is as silent as one that is later.
        return None, "no answer" if "waiting for privilege escalation prompt" in words else redact(words[:200])
    record = installer.parse_follow(answer.get("stdout", ""))
    return record, "" if record else redact(
        (answer.get("stderr") or answer.get("stdout") or "no answer").strip()[-200:]
    )


def _questions_at_once() -> int:
    """How many questions to hosts this process may hold open; its limit of files is raised as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = QUESTIONS_MAX * FILES_A_QUESTION + FILES_OF_OTHERS
    if hard != resource.RLIM_INFINITY:
        files = min(files, hard)
    if soft < files:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
        except (OSError, ValueError):
            files = soft
    return max(1, (files - FILES_OF_OTHERS) // FILES_A_QUESTION)


class _Platform(threading.Thread):
    """Asks the platform once an interval, apart from the watch: a coordinator that hangs must not keep the watch from an installer's end.

    The interval is short at first, when a failing check ends an installer within seconds, and again once the first of a batch has
    ended, and once the first has connected; it grows to the one that was asked for. A coordinator that needs longer for its answer gets as long a rest.
    """

    def __init__(self, client: api.EceClient, interval: float) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._interval = interval
        self._pause = min(FIRST_INTERVAL_SECONDS, interval)
        self._over = False
        self._wake = threading.Event()
        self._latest: tuple[str | None, dict, float] = ("the platform has not answered yet", {}, time.monotonic())
        self.start()

    def run(self) -> None:
        while not self._over:
            self._wake.clear()
            began = time.monotonic()
            try:
                totals = platform_totals(self._client.platform())
                known = known_hosts(self._client.runners(), self._client.iter_allocators(totals["allocators"]))
                self._latest = (None, known, time.monotonic())
            except (
                Exception
            ) as error:  # an odd reply, too, is no reason to give up on installers that run: the next may be a good one
                words = (
                    str(error)
                    if isinstance(error, api.EceError)
                    else f"an answer that cannot be read ({type(error).__name__})"
                )
                self._latest = (f"the platform cannot be asked: {words}", {}, time.monotonic())
            self._wake.wait(max(self._pause, time.monotonic() - began))
            self._pause = min(self._pause * INTERVAL_GROWTH, self._interval)

    def latest(self) -> tuple[str | None, dict, float]:
        """(why the platform could not be asked or None, known_hosts(), when that was known by the monotonic clock)"""
        trouble, known, asked_at = self._latest
        age = time.monotonic() - asked_at
        if not trouble and age > self._interval + STALE_SECONDS:
            return f"the platform has not answered for {age:.0f} s", {}, asked_at
        return trouble, known, asked_at

    def hurry(self) -> None:
        """Something is about to happen: go on with the first, short interval."""
        self._pause = min(FIRST_INTERVAL_SECONDS, self._interval)
        self._wake.set()

    def stop(self) -> None:
        self._over = True
        self._wake.set()


def _follow_words(variables, facts, paths):
    """The command that says how the installer on a host stands, but for its last word: the seconds to wait for its end."""
    python = (facts.get("python") or {}).get("executable") or variables.get("ansible_python_interpreter") or "python3"
    return [python, "-c", installer.FOLLOW_SOURCE, paths.record, paths.lock]
