# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A persistent token ends with its run, however the run ends: real processes, and the stand-in."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.ece.platform.plugins.module_utils._client import EceApiError, EceClient, EceError
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.plugin_utils import _token_watchdog as token_watchdog
from tests.standin import StandIn

REQUEST = {"roles": ["allocator"], "persistent": True, "validity_seconds": None}


@pytest.fixture
def ece():
    with StandIn() as standin:
        yield standin


@pytest.fixture
def run():
    """A process that stands for ansible-playbook."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def connection(ece, monkeypatch):
    monkeypatch.setenv("ECE_PASSWORD", ece.password)
    return {
        "urls": [ece.url],
        "username": ece.username,
        "password": ece.password,
        "ca_path": ece.ca_path,
        "retries": 0,
        "timeout": 5,
    }


@pytest.fixture
def mint(connection, run):
    started = []

    def mint(**options):
        started.append(token_watchdog.mint({**connection, **options}, REQUEST, run.pid))
        return started[-1]

    yield mint
    for _minted, watchdog in started:
        token_watchdog.stop(watchdog)


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition never held"
        time.sleep(0.05)


def alive(pid):
    return token_watchdog.process_start_time(pid) is not None


def test_a_token_is_minted_and_its_watchdog_ends_when_it_is_stopped(ece, mint):
    minted, watchdog = mint()
    assert minted["token"].startswith("eyJ") and minted["roles"] == ["allocator"] and minted["expires_at"] is None
    assert ece.tokens == [minted["token_id"]]
    assert alive(watchdog["pid"])
    EceClient([ece.url], username=ece.username, password=ece.password, ca_path=ece.ca_path).delete_enrollment_token(
        minted["token_id"]
    )
    before = len(ece.requests)
    token_watchdog.stop(watchdog)
    until(lambda: not alive(watchdog["pid"]))
    assert len(ece.requests) == before, "it has no further request"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_the_token_of_a_run_that_is_gone_is_revoked_and_no_other_token(ece, mint, run, number):
    other = EceClient(
        [ece.url], username=ece.username, password=ece.password, ca_path=ece.ca_path
    ).create_enrollment_token(["allocator"], True, None)
    minted, watchdog = mint()
    run.send_signal(number)  # its parent does not wait for it, and a zombie is not a run
    until(lambda: ece.tokens == [other["token_id"]])
    until(lambda: not alive(watchdog["pid"]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_watchdog_that_is_terminated_revokes_first(ece, mint, number):
    os.kill(mint()[1]["pid"], number)
    until(lambda: ece.tokens == [])


def test_a_platform_with_errors_is_asked_until_the_token_is_gone(ece, mint, run):
    minted, watchdog = mint()
    ece.fault(method="DELETE", path="enrollment-tokens", status=500, times=1)
    run.kill()
    until(lambda: any(entry["status"] == 500 for entry in ece.requests))
    assert ece.tokens == [minted["token_id"]]
    until(lambda: ece.tokens == [])


def test_secrets_are_in_no_argument_list_and_no_environment(ece, mint):
    minted, watchdog = mint()
    folder = Path("/proc") / str(watchdog["pid"])
    seen = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
    for secret in (ece.password, minted["token"]):
        assert secret.encode() not in seen or pytest.fail("a secret is in sight", pytrace=False)
    assert b"ECE_PASSWORD" not in seen


def memory(pid):
    """Everything that a process has in its memory."""
    found = bytearray()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as source:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            bounds, permissions = line.split()[:2]
            first, last = (int(bound, 16) for bound in bounds.split("-"))
            if permissions.startswith("rw"):
                with contextlib.suppress(OSError, ValueError):  # pages that the kernel keeps for itself
                    source.seek(first)
                    found += source.read(last - first)
    return bytes(found)


def test_after_the_mint_its_memory_has_no_token(mint):
    minted, watchdog = mint()
    token = minted["token"].encode()

    def watches():
        seen = memory(watchdog["pid"])
        return minted["token_id"].encode() in seen and token not in seen

    until(watches)
    time.sleep(0.5)
    for part in (token, token.split(b".")[1], token.split(b".")[2]):
        assert part not in memory(watchdog["pid"]) or pytest.fail("the token is in its memory", pytrace=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1], ids=lambda number: number.name)
def test_a_signal_right_after_the_mint_is_not_lost(ece, mint, number):
    pid = mint()[1]["pid"]
    os.kill(pid, number)
    until(lambda: not alive(pid))
    assert len(ece.tokens) == (0 if number == signal.SIGTERM else 1)


def test_a_watchdog_that_cannot_execute_itself_again_revokes_all_the_same(ece, mint, run, monkeypatch):
    broken = token_watchdog.SOURCE.replace("import json, sys", "import json, os, sys\nos.execv = lambda *_: 1 / 0")
    monkeypatch.setattr(token_watchdog, "SOURCE", broken.replace("1 / 0", "open('/nowhere')"))
    mint()
    run.kill()
    until(lambda: ece.tokens == [])


def test_the_watchdog_has_a_session_of_its_own(mint):
    pid = mint()[1]["pid"]
    assert os.getsid(pid) == pid and os.getsid(pid) != os.getsid(0)


def test_a_refused_mint_raises_the_platforms_error(ece, connection, run):
    ece.fault(
        method="POST",
        path="enrollment-tokens",
        status=403,
        code="enrollment_tokens.signing_key_not_found",
        message="No key.",
    )
    with pytest.raises(EceApiError, match="No key") as caught:
        token_watchdog.mint(connection, REQUEST, run.pid)
    assert (caught.value.status, caught.value.code) == (403, "enrollment_tokens.signing_key_not_found")


def test_the_token_of_a_lost_answer_is_revoked(ece, connection, run):
    ece.fault(method="POST", path="enrollment-tokens", reset="after")
    with pytest.raises(PlatformError, match="is revoked"):
        token_watchdog.mint(connection, REQUEST, run.pid)
    assert ece.minted == 1 and ece.tokens == []


def test_a_watchdog_that_cannot_be_started_mints_nothing(ece, connection, run, monkeypatch):
    monkeypatch.setattr(token_watchdog.sys, "executable", "/nowhere/python")
    with pytest.raises(PlatformError, match="cannot be started .No such file or directory.: nothing was minted"):
        token_watchdog.mint(connection, REQUEST, run.pid)
    assert ece.minted == 0


def test_a_watchdog_that_ends_at_once_is_an_error(connection, run, monkeypatch):
    monkeypatch.setattr(token_watchdog, "SOURCE", "raise SystemExit(1)")
    with pytest.raises(PlatformError, match="ended without a message: look for a new token"):
        token_watchdog.mint(connection, REQUEST, run.pid)


def test_no_other_process_gets_a_signal(run):
    token_watchdog.stop({"pid": run.pid, "name": "0123456789abcdef"})
    token_watchdog.stop({"pid": 2**22 - 1, "name": "0123456789abcdef"})
    time.sleep(0.1)
    assert run.poll() is None


def test_trying_to_revoke_has_an_end():
    class Broken:
        asked = 0

        def enrollment_tokens(self):
            self.asked += 1
            raise EceError("down")

        def sleep(self, _seconds):
            pass

    client = Broken()
    assert token_watchdog.revoke(client, "id", seconds=0.2) is False
    assert client.asked > 1
