# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong with the platform and the operator, and how it has to end. Each is a test of that name and a row of docs/faults.md."""

from __future__ import annotations

import os
import signal
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.standin.hosts import INSTALLER_CONTAINER

NOTHING, ALL = (), ("a", "b")
# How often a request is repeated in these runs, and how long one is waited for, in seconds.
RETRIES, TIMEOUT, TOO_LATE = 2, 4, 6


@dataclass(frozen=True)
class Fault:
    """name, what: of the row. says: words of the run. joined: hosts that have joined after it. after: what else the row tells of the end.

    arm: brings it about before the run; what it returns undoes it before the second run. act: does the first run, where that is
    not simply the playbook. standin: options of the stand-in. variables: of all hosts.
    keeper: the token is revoked by its keeper, so it may be there for a moment after the run. asks: whether a token may be asked for.
    either: one of the hosts has joined, whichever it is. check: what the row tells beyond that, asserted.
    lacking: hosts that the platform has already, without the role; that they have joined means that they have got it.
    """

    name: str
    what: str
    rc: str
    says: str
    joined: tuple[str, ...] = NOTHING
    after: str = ""
    arm: Callable[[Any], Callable[[], None] | None] | None = None
    act: Callable[[Any], Any] | None = None
    standin: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    keeper: bool = False
    started: bool | None = None
    asks: bool = True
    either: bool = False
    check: Callable[[Any], None] | None = None
    joins: int = 2
    lacking: tuple[str, ...] = NOTHING

    @property
    def installs(self) -> bool:
        """Whether any installer may have been started in the first run."""
        return bool(self.joined) if self.started is None else self.started


# -- the platform's answers, at every step -------------------------------------------------------------------------------

PLATFORM, TOKENS, ALLOCATORS, RUNNERS = (
    r"^/platform$",
    "enrollment-tokens$",
    "infrastructure/allocators$",
    "infrastructure/runners$",
)
STEPS = {
    "plan": ("questions of the plan", {"method": "GET", "path": PLATFORM}),
    "mint": ("requests for the token", {"method": "POST", "path": TOKENS}),
    "watch": ("questions while hosts join", {"method": "GET", "path": PLATFORM, "after": 1}),
    "revoke": ("revocations of the token", {"method": "DELETE", "path": "enrollment-tokens/"}),
}
ANSWERS: dict[str, tuple[str, dict[str, Any]]] = {
    "500": ("answered with HTTP 500", {"status": 500}),
    "502": ("answered with HTTP 502", {"status": 502}),
    "503": ("answered with HTTP 503", {"status": 503}),
    "429-retry-after": ("answered with HTTP 429 and Retry-After", {"status": 429, "headers": {"Retry-After": "1"}}),
    "429": ("answered with HTTP 429", {"status": 429}),
    "401": (
        "answered with HTTP 401 once: the login has expired",
        {"status": 401, "code": "root.unauthorized", "times": 1},
    ),
    "403": ("answered with HTTP 403", {"status": 403, "code": "root.unauthorized.rbac"}),
    "449": ("answered with HTTP 449", {"status": 449, "code": "root.unauthorized.rbac.elevated_permissions_required"}),
    "404": ("answered with HTTP 404", {"status": 404, "code": "root.resource_not_found"}),
    "slow": ("answered later than the timeout", {"delay": TOO_LATE}),
    "reset-before": ("cut off before they have an effect", {"reset": "before"}),
    "reset-after": ("cut off after they had their effect", {"reset": "after"}),
    "truncated": ("answered with half an answer", {"truncate": True}),
    "html": (
        "answered with a web page",
        {"body": b"<html><title>Welcome to nginx</title></html>", "content_type": "text/html"},
    ),
    "empty": ("answered with nothing", {"body": b""}),
    "content-type": ("answered as text/plain", {"content_type": "text/plain"}),
    "error-object": ('answered with {"error": "..."}', {"body": b'{"error": "upstream is gone"}'}),
    "missing-fields": ("answered without the required fields", {"transform": lambda _payload: {}}),
}
# The same answers all the time end the plan; those of a moment do not.
PLAN_SAYS = {
    **{status: f"answered HTTP {status}: A fault of the stand-in." for status in ("500", "502", "503", "429")},
    "403": "answered HTTP 403: this user may not do that",
    "449": "answered HTTP 449: this ECE wants elevated permissions, which platforms before 3.7 ask for; use the admin user's name and password",
    "404": "answered HTTP 404: A fault of the stand-in.",
    "slow": "no answer in time",
    "reset-before": "no coordinator can be reached (https://127.0.0.1:",
    "reset-after": "no coordinator can be reached (https://127.0.0.1:",
    "truncated": "the answer was cut off",
    "html": "answered HTTP 200 with something that is no JSON: <html><title>Welcome to nginx</title></html>",
    "empty": "answered HTTP 200 with something that is no JSON: an empty body",
    "error-object": "answered without 'version', which the API promises: upstream is gone; is url a coordinator of ECE?",
    "missing-fields": "answered without 'version', which the API promises; is url a coordinator of ECE?",
}
NONE_IS_NEW = "No persistent token is new since"
IS_REVOKED = "The token that it made, token_id "
MINT_SAYS = {
    **{
        status: f"answered HTTP {status}: A fault of the stand-in. (root.internal). {NONE_IS_NEW}"
        for status in ("500", "502", "503")
    },
    **{kind: "there is no token to join with: POST" for kind in ("429", "429-retry-after")},
    **{status: PLAN_SAYS[status] for status in ("403", "449", "404")},
    "slow": IS_REVOKED,
    "reset-before": f"whether the request took effect is not known. {NONE_IS_NEW}",
    "reset-after": IS_REVOKED,
    "truncated": IS_REVOKED,
    "html": NONE_IS_NEW,
    "empty": NONE_IS_NEW,
    "error-object": f"answered without 'token', which the API promises: upstream is gone; is url a coordinator of ECE?. {NONE_IS_NEW}",
    "missing-fields": IS_REVOKED,
}
LISTED_STILL = "is revoked, but lists it still"
REVOKE_SAYS = {
    **{status: "could not be revoked: process" for status in ("500", "403", "449", "html")},
    "404": "is not known, but lists it still",
    "empty": LISTED_STILL,
    "error-object": LISTED_STILL,
}
CONNECTED = "2/2 connected"


def _armed(**what: Any) -> Callable[[Any], Callable[[], None]]:
    """A fault of the stand-in, which has to strike."""

    def arm(operator):
        operator.armed.append(operator.ece.fault(**what))
        return operator.ece.faults.clear

    return arm


def answers() -> Iterator[Fault]:
    for step, (whom, which) in STEPS.items():
        for kind, (how, what) in ANSWERS.items():
            if (step, kind) != ("revoke", "missing-fields"):  # an empty object is the right answer there
                yield _answer(step, kind, f"{whom}: {how}", {**which, **what})


def _answer(step: str, kind: str, what: str, fault: dict[str, Any]) -> Fault:
    # Of a passing trouble there is as much as the repeats of one request can stand; two polls of the watch are more than that.
    times = {"plan": RETRIES if kind == "429-retry-after" else None, "mint": 1, "watch": RETRIES + 2, "revoke": 1}[step]

    arm = _armed(**{"times": times, **fault})
    says = {"plan": PLAN_SAYS, "mint": MINT_SAYS, "watch": {}, "revoke": REVOKE_SAYS}[step].get(kind)
    name = f"{step}-{kind}"
    if says is None:
        after = {"401": "logged in again, once", "content-type": "taken for what it is"}.get(kind, "asked again")
        return Fault(name, what, "ok", CONNECTED, ALL, after, arm, check=_logged_in_once if kind == "401" else None)
    if step == "revoke":
        return Fault(name, what, "failed", says, ALL, "its keeper revokes the token after the run", arm, keeper=True)
    return Fault(
        name,
        what,
        "failed",
        says,
        NOTHING,
        "nothing is started" if step == "mint" else "nothing is begun",
        arm,
        asks=step == "mint",
    )


def _logged_in_once(operator) -> None:
    assert sum(entry["path"].endswith("/users/auth/_login") for entry in operator.ece.requests) == 1


# -- the other requests of these steps ----------------------------------------------------------------------------------------

# The lists that each step reads, and what an answer without its required fields lacks.
LISTS = {
    "plan-runners": ("the plan's questions for runners", {"path": RUNNERS}, "runners"),
    "plan-allocators": ("the plan's questions for allocators", {"path": ALLOCATORS}, "zones"),
    "watch-runners": ("questions for runners while hosts join", {"path": RUNNERS, "after": 1}, "runners"),
    "watch-allocators": ("questions for allocators while hosts join", {"path": ALLOCATORS, "after": 1}, "zones"),
    "mint-list": ("questions for the tokens that are there before the mint", {"path": TOKENS}, "tokens"),
    "revoke-list": (
        "questions for the tokens that are there after the revocation",
        {"path": TOKENS, "after": 1},
        "tokens",
    ),
}
LIST_ANSWERS = ("500", "403", "slow", "reset-before", "truncated", "html", "missing-fields")
ROLES_ANSWERS: dict[str, tuple[str, int | None]] = {
    "500": ("answered HTTP 500: A fault of the stand-in.", None),
    "403": (PLAN_SAYS["403"], None),
    "449": (PLAN_SAYS["449"], None),
    "404": ("answered HTTP 404: A fault of the stand-in.", None),
    "html": (PLAN_SAYS["html"], None),
    "slow": (CONNECTED, 1),
    "reset-before": (CONNECTED, 1),
    "reset-after": (CONNECTED, 1),
    "429-retry-after": (CONNECTED, 1),
}


def other_requests() -> Iterator[Fault]:
    for step, (whom, which, field_name) in LISTS.items():
        for kind in LIST_ANSWERS:
            yield _list_answer(
                step,
                kind,
                whom,
                which,
                f"answered without '{field_name}', which the API promises; is url a coordinator of ECE?",
            )
    for kind, (says, times) in ROLES_ANSWERS.items():
        how, what = ANSWERS[kind]
        passes = times is not None
        yield Fault(
            f"roles-{kind}",
            f"requests that assign a role to a host of the platform: {how}",
            "ok" if passes else "failed",
            says,
            ALL if passes else ("b",),
            "asked again" if passes else "it keeps the roles that it has",
            _armed(**{"method": "PUT", "path": "/roles$", **what, "times": times}),
            joins=1,
            lacking=("a",),
        )


def _list_answer(step: str, kind: str, whom: str, which: dict[str, Any], missing: str) -> Fault:
    how, what = ANSWERS[kind]
    # One question is asked 1 + RETRIES times; the watch goes on with the next one.
    arm = _armed(
        **{"method": "GET", "times": None if step.startswith(("plan", "mint")) else RETRIES + 1, **which, **what}
    )
    name, words = f"{step}-{kind}", f"{whom}: {how}"
    if step.startswith("watch"):
        return Fault(name, words, "ok", CONNECTED, ALL, "asked again", arm)
    if step == "revoke-list":
        return Fault(
            name,
            words,
            "failed",
            "could not be revoked: process",
            ALL,
            "its keeper sees to it that the token is gone",
            arm,
            keeper=True,
        )
    says = missing if kind == "missing-fields" else PLAN_SAYS[kind]
    return Fault(
        name,
        words,
        "failed",
        says,
        NOTHING,
        "nothing is started" if step == "mint-list" else "nothing is begun",
        arm,
        asks=False,
    )


# -- what lists may hold, and who answers --------------------------------------------------------------------------------


def _change(path: str, change: Callable[[Any, Any], Any], **more: Any) -> Callable[[Any], Callable[[], None]]:
    """Each answer of a path goes through change(operator, payload)."""

    return lambda operator: _armed(
        method="GET", path=path, transform=lambda payload: change(operator, payload), **{"times": None, **more}
    )(operator)


def _allocators_null(_operator, payload):
    return {"zones": [*payload["zones"], {"zone_id": "ece-zone-9", "allocators": None}]}


def _without_zone_id(_operator, payload):
    return {"zones": [{key: value for key, value in zone.items() if key != "zone_id"} for zone in payload["zones"]]}


def _grows_in_between(operator, payload):
    """The last one of the first page comes again on the second."""
    operator.ece.platform.add_runner("0-first-of-all", host_ip="203.0.113.250")
    return payload


def _shrinks_in_between(operator, payload):
    """One that was on the first page, and is not in the inventory, goes; what would have been the first one of the second page is on none."""
    operator.ece.platform.remove("0-first-of-all")
    return payload


def _shrinks(operator):
    _existing_too(operator)
    operator.ece.platform.add_runner("0-first-of-all", host_ip="203.0.113.250")
    return _change(ALLOCATORS, _shrinks_in_between, times=1)(operator)


def _existing_too(operator) -> None:
    operator.hosts.update(operator.ece.existing_hosts())


def _with_existing(arm):
    def both(operator):
        _existing_too(operator)
        return arm(operator)

    return both


def _certificate(kind: str):
    def arm(operator):
        operator.ece.present_certificate(kind)
        return lambda: operator.ece.present_certificate("good")

    return arm


def _clock(seconds: float):
    return lambda operator: operator.ece.platform.advance(seconds)


def _first_is_down(operator) -> None:
    operator.group_vars["ece_url"] = ["https://127.0.0.1:1", operator.ece.url]


class Relay:
    """A second coordinator: an address of its own in front of the platform, until it is closed."""

    def __init__(self, port: int) -> None:
        relay = self
        self._open: list[socket.socket] = []

        class Pass(socketserver.BaseRequestHandler):
            def handle(self):
                with socket.create_connection(("127.0.0.1", port)) as behind:
                    relay._open += [self.request, behind]
                    other = threading.Thread(target=_pump, args=(behind, self.request), daemon=True)
                    other.start()
                    _pump(self.request, behind)
                    other.join()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Pass)
        self._server.daemon_threads = True
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for one in self._open:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _fails_over(operator):
    """The coordinator that answered plan and mint is gone as soon as the token is there."""
    relay = Relay(operator.ece.port)
    operator.group_vars["ece_url"] = [relay.url, operator.ece.url]
    threading.Thread(
        target=lambda: (until(lambda: operator.ece.hosts["a"].containers), relay.close()), daemon=True
    ).start()


def platform() -> Iterator[Fault]:
    paged = {"allocators": 150, "max_page": 100}
    yield Fault(
        "list-allocators-null",
        "a zone without allocators comes as null",
        "ok",
        CONNECTED,
        ALL,
        arm=_with_existing(_change(ALLOCATORS, _allocators_null)),
        standin={"allocators": 5},
    )
    yield Fault(
        "list-zones-without-id",
        "zones come without their id",
        "ok",
        CONNECTED,
        ALL,
        arm=_with_existing(_change(ALLOCATORS, _without_zone_id)),
        standin={"allocators": 5},
    )
    yield Fault(
        "list-sparse",
        "required fields are missing everywhere, as in recorded replies",
        "ok",
        CONNECTED,
        ALL,
        arm=_existing_too,
        standin={"allocators": 5, "sparse": True},
    )
    yield Fault(
        "list-duplicate-ids-across-pages",
        "the list grows while it is paged, so that one comes twice",
        "ok",
        CONNECTED,
        ALL,
        "",
        _with_existing(_change(ALLOCATORS, _grows_in_between, times=1)),
        standin=paged,
    )
    yield Fault(
        "list-shrinks-while-paged",
        "the list shrinks while it is paged, so that one is on no page",
        "ok",
        CONNECTED,
        ALL,
        "what is missing is asked for by its id; no host of the platform is touched",
        _shrinks,
        standin=paged,
    )
    yield Fault(
        "watch-index-lag",
        "the list shows a new allocator 20 s late",
        "ok",
        CONNECTED,
        ALL,
        "waited for",
        standin={"index_lag": 20},
    )
    yield Fault(
        "watch-platform-gone-for-good",
        "the platform answers nothing but HTTP 503 while hosts join",
        "failed",
        "(ece_host_connect_timeout): the platform cannot be asked: GET",
        ALL,
        "the hosts have joined, which the second run finds",
        _armed(method="GET", path=PLATFORM, after=1, times=None, status=503),
        variables={"ece_host_connect_timeout": 6},
    )
    yield Fault(
        "plan-401-for-good",
        "the password is refused",
        "failed",
        "the credentials were refused; check api_key, or username and password",
        NOTHING,
        "nothing is begun",
        _armed(times=None, status=401, code="root.unauthenticated"),
        asks=False,
    )
    yield Fault(
        "first-coordinator-down",
        "the first coordinator of several is down",
        "ok",
        CONNECTED,
        ALL,
        "the next one is asked",
        _first_is_down,
    )
    yield Fault(
        "coordinator-fails-over",
        "the coordinator goes down while hosts join, another one is there",
        "ok",
        CONNECTED,
        ALL,
        "the next one is asked",
        _fails_over,
    )
    yield Fault(
        "certificate-expired",
        "the coordinator's certificate has expired",
        "failed",
        "the coordinator's certificate has expired; renew it on the platform",
        arm=_certificate("expired"),
        after="nothing is sent",
        asks=False,
    )
    yield Fault(
        "certificate-wrong-name",
        "the coordinator's certificate is for another name",
        "failed",
        "the coordinator's certificate is for another host name; use the name in it as url",
        arm=_certificate("wrong-name"),
        after="nothing is sent",
        asks=False,
    )
    yield Fault(
        "clock-ahead",
        "the platform's clock is an hour ahead of the controller's",
        "ok",
        CONNECTED,
        ALL,
        arm=_clock(3600),
    )
    yield Fault(
        "clock-behind",
        "the platform's clock is an hour behind the controller's",
        "ok",
        CONNECTED,
        ALL,
        arm=_clock(-3600),
    )
    yield Fault(
        "clock-ahead-ephemeral",
        "the same, with an ephemeral token",
        "ok",
        CONNECTED,
        ALL,
        arm=_clock(3600),
        variables={"ece_host_token_persistent": False},
    )
    yield Fault(
        "clock-behind-ephemeral",
        "the same, with an ephemeral token",
        "ok",
        CONNECTED,
        ALL,
        arm=_clock(-3600),
        variables={"ece_host_token_persistent": False},
    )


# -- hosts ---------------------------------------------------------------------------------------------------------------


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Waits for it; raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it never came true")
        time.sleep(0.05)


def _knobs(**knobs: Any):
    """Host a is like that, until it is mended."""

    def arm(operator):
        operator.ece.hosts["a"].configure(**knobs)
        return lambda: operator.ece.hosts["a"].configure(**dict.fromkeys(knobs))

    return arm


def _other_zone(operator):
    cure = _knobs(join_zone="ece-zone-3")(operator)

    def remove_and_wipe():
        cure()
        operator.ece.platform.remove("192.0.2.1")
        operator.ece.hosts["a"].wipe()

    return remove_and_wipe


def _token_without_role(operator) -> None:
    """As where the platform's signing key or policy gives less than the token says."""
    admit = operator.ece.platform.tokens.admit
    operator.ece.platform.tokens.admit = lambda token: admit(token) and frozenset()


def _drops(operator):
    """Host a connects, and is gone as soon as somebody has seen that."""
    platform = operator.ece.platform

    def drop():
        until(
            lambda: any(
                runner.runner_id == "192.0.2.1" and runner.connected(platform.now())
                for runner in platform.current_runners()
            )
        )
        seen = len(operator.ece.requests)
        until(lambda: sum(entry["path"].endswith("/allocators") for entry in operator.ece.requests[seen:]) >= 2)
        platform.disconnect("192.0.2.1")

    threading.Thread(target=drop, daemon=True).start()
    return lambda: platform.connect("192.0.2.1")


def _nothing_runs(operator) -> None:
    host = operator.ece.hosts["a"]
    assert host.containers == []
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [
        command
        for command in commands
        if b"elastic-cloud-enterprise.sh" in command and os.fsencode(host.folder) in command
    ]


def _never_started(operator) -> None:
    assert not (operator.ece.hosts["a"].storage / "logs").exists()


EXIT = {
    1: (
        "general failure",
        "The cause may be the storage path, the host IP, operating system and engine, the version, or that the platform refused the host.",
    ),
    2: ("unknown command", "check that the installer file is elastic-cloud-enterprise.sh"),
    3: ("unknown or empty argument", "use the script of the platform's version, or check extra_args"),
    4: (
        "bad user",
        "The install user needs a UID and GID of 1000 or more and must be able to run docker: add it to the engine's group.",
    ),
    5: ("precondition", "Start the container engine or set the socket's path; stop firewalld or open its ports."),
}


def hosts() -> Iterator[Fault]:
    for code, (meaning, remedy) in EXIT.items():
        yield Fault(
            f"installer-exit-{code}",
            f"the installer ends with exit code {code}",
            "failed",
            f"a failed: installer exit {code} ({meaning})",
            ("b",),
            remedy,
            _knobs(fail=code),
        )
    yield Fault(
        "installer-hangs-here",
        "the installer hangs",
        "failed",
        "a failed: the installer did not end within 8 s and was stopped.",
        ("b",),
        "its processes and its container are gone",
        _knobs(hang=1),
        check=_nothing_runs,
        variables={"ece_host_install_timeout": 8},
    )
    yield Fault(
        "engine-stopped",
        "the container engine of a host does not answer",
        "failed",
        "cannot tell whether ECE is on it: the container engine does not answer",
        ("b",),
        "its installer is not started",
        _knobs(broken=1),
        check=_never_started,
    )
    yield Fault(
        "joins-another-zone",
        "a host joins in another zone than was asked for",
        "failed",
        "a failed: it joined, but it is in zone ece-zone-3 instead of ece-zone-1; remove the host from the platform and join it again",
        ALL,
        "removed and wiped, it joins where it should",
        _other_zone,
        joins=3,
    )
    yield Fault(
        "joins-without-the-role",
        "hosts join, but the token did not give them the role",
        "failed",
        "it is connected but without the role allocator, as happens when a token does not permit it; run this again to assign the role through the API",
        ALL,
        "the second run gives it to them through the API",
        _token_without_role,
        variables={"ece_host_connect_timeout": 5},
    )
    yield Fault(
        "drops-within-the-settle-time",
        "a host connects, and drops its connection again",
        "failed",
        "it had connected once and dropped again: look at its runner's logs",
        ALL,
        "once it is back, there is nothing to do",
        _drops,
        variables={"ece_host_settle_time": 20, "ece_host_connect_timeout": 30},
    )


# -- the operator --------------------------------------------------------------------------------------------------------


def _installing(operator, names=ALL):
    return all(INSTALLER_CONTAINER in operator.ece.hosts[name].containers for name in names)


def _watches(operator):
    """The plan asks for the platform once, and whoever asks again waits for hosts."""
    return sum(entry["path"].endswith("/platform") for entry in operator.ece.requests) > 1


def _in_mid_install(operator):
    return _installing(operator) and _watches(operator)


def _has_minted(operator):
    """Besides the token of somebody else."""
    return operator.ece.minted > 1


def _interrupted(number: signal.Signals, moment: Callable[[Any], bool] = _in_mid_install):
    """The run gets a signal, as from a terminal with all its processes, at that moment."""

    def act(operator):
        begun = operator.begin()
        until(lambda: moment(operator) or begun.process.poll() is not None)
        os.killpg(begun.process.pid, number)
        return operator.finished(begun)

    return act


def _twice(operator):
    runs = [operator.finished(begun) for begun in [operator.begin(), operator.begin()]]
    assert [run.rc for run in runs] == [0, 0], "\n".join(run.output for run in runs)
    return runs[1]


def _minted_for_each_batch(operator) -> None:
    assert operator.ece.minted == 3, "one of somebody else, and one for each batch"


def _on_different_hosts(operator):
    runs = [operator.finished(begun) for begun in [operator.begin("--limit", name) for name in ALL]]
    assert [run.rc for run in runs] == [0, 0], "\n".join(run.output for run in runs)
    return runs[1]


def _one_mint_lost(operator):
    """Two runs mint at the same time; one of the two tokens is lost on its way."""
    operator.armed.append(operator.ece.fault(method="POST", path=TOKENS, delay=1, reset="after"))
    runs = sorted(
        (operator.finished(begun) for begun in [operator.begin("--limit", name) for name in ALL]),
        key=lambda run: run.rc,
    )
    assert runs[0].rc == 0 and CONNECTED.replace("2", "1") in runs[0].words, runs[0].output
    assert operator.ece.minted == 3, "one of somebody else, one that was used, and one that was lost"
    return runs[1]


def _limited(operator):
    return operator.play("--limit", "a")


def _start_at(task: str):
    return lambda operator: operator.play("--start-at-task", task)


def _wrong_version(operator):
    operator.group_vars["ece_host_version"] = "3.7.0"
    return lambda: operator.group_vars.pop("ece_host_version")


def _retry_file(operator):
    operator.environment.update(
        ANSIBLE_RETRY_FILES_ENABLED="true", ANSIBLE_RETRY_FILES_SAVE_PATH=str(operator.folder / "retry")
    )
    cure = _knobs(fail=5)(operator)

    def mend():
        cure()
        operator.options += ["--limit", f"@{operator.folder / 'retry' / 'add_allocators.retry'}"]

    return mend


def operators() -> Iterator[Fault]:
    long = {"install_seconds": 25.0}
    yield Fault(
        "operator-ctrl-c",
        "Ctrl-C while hosts install",
        "failed",
        "User interrupted execution",
        NOTHING,
        "its keeper revokes the token; installers that fail for it are started anew",
        act=_interrupted(signal.SIGINT),
        standin=long,
        keeper=True,
        started=True,
    )
    yield Fault(
        "operator-sigterm",
        "the run is ended with SIGTERM while hosts install",
        "failed",
        "Wait until connected",
        NOTHING,
        "its keeper revokes the token; installers that fail for it are started anew",
        act=_interrupted(signal.SIGTERM),
        standin=long,
        keeper=True,
        started=True,
    )
    yield Fault(
        "operator-sigkill",
        "the run is ended with SIGKILL while hosts install",
        "failed",
        "Wait until connected",
        NOTHING,
        "its keeper revokes the token; installers that fail for it are started anew",
        act=_interrupted(signal.SIGKILL),
        standin=long,
        keeper=True,
        started=True,
    )
    yield Fault(
        "operator-sigkill-ephemeral",
        "the same, with an ephemeral token",
        "failed",
        "Wait until connected",
        NOTHING,
        "the installers go on, the second run waits for them",
        act=_interrupted(signal.SIGKILL),
        standin=long,
        started=True,
        variables={"ece_host_token_persistent": False},
    )
    yield Fault(
        "operator-sigkill-mid-mint",
        "the run is ended with SIGKILL before it has the token that it has asked for",
        "failed",
        "Mint one enrollment token",
        NOTHING,
        "its keeper gets the token and revokes it; nothing is started",
        _armed(method="POST", path=TOKENS, delay_after=3),
        _interrupted(signal.SIGKILL, _has_minted),
        keeper=True,
    )
    yield Fault(
        "operator-batches",
        "hosts join in batches of one",
        "ok",
        "1/1 connected: b",
        ALL,
        "a token for each batch, revoked at its end",
        variables={"ece_host_batch": 1},
        check=_minted_for_each_batch,
    )
    yield Fault(
        "operator-same-play-twice",
        "the same play runs twice at once on the same hosts",
        "ok",
        CONNECTED,
        ALL,
        "one installs, the other waits for it",
        act=_twice,
        standin=long,
    )
    yield Fault(
        "operator-two-plays",
        "two plays run at once on different hosts",
        "ok",
        "1/1 connected",
        ALL,
        "each with its own token",
        act=_on_different_hosts,
    )
    yield Fault(
        "operator-two-mints-one-lost",
        "two plays mint at once, and the answer to one of them is lost",
        "failed",
        IS_REVOKED,
        NOTHING,
        "but for the host of the other one, whose token stays",
        act=_one_mint_lost,
        started=True,
        either=True,
    )
    yield Fault(
        "operator-wrong-version",
        "a version is asked for that the platform does not run",
        "failed",
        "ece_host_version 3.7.0",
        NOTHING,
        "nothing is begun",
        _wrong_version,
        asks=False,
    )
    yield Fault(
        "operator-limit",
        "--limit of one host",
        "ok",
        "1/1 connected: a",
        ("a",),
        "the next run joins the others",
        act=_limited,
    )
    yield Fault(
        "operator-start-at-task",
        "--start-at-task leaves out the plan",
        "failed",
        "there is no plan: start at the first task",
        NOTHING,
        "nothing is begun",
        act=_start_at("Wait until connected"),
        asks=False,
    )
    yield Fault(
        "operator-retry-file",
        "a host fails, and the retry file is used",
        "failed",
        "a failed: installer exit 5",
        ("b",),
        "the retry file names the one that failed",
        _retry_file,
    )


FAULTS = [*answers(), *other_requests(), *platform(), *hosts(), *operators()]
