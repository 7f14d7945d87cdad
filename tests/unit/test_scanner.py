# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scanner finds a secret in any form and in any place, and finds nothing where there is none."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid
from pathlib import Path

import jwt
import pytest
import yaml

from tests.integration import scanner
from tests.integration.scanner import (
    Hit,
    Processes,
    Scan,
    commands,
    needles_for,
    needles_of,
    scan_bytes,
    scan_processes,
    scan_tree,
    without_token,
)
from tests.standin.model import Secret
from tests.unit.host_user import USER

KEY = bytes(32)
PASSWORD = Secret("password of admin", "aB3-x_9Q$'\"% \\Zk4pW-7e", "admin")
# No part of it is long enough to be searched for on its own, so each way to quote it matters.
SHORT_PIECES = Secret("password of admin", "aB'3x\"9Q%$zK\\4&p W7/e", "admin")
API_KEY = Secret("API key", base64.b64encode(random.Random(1).randbytes(33)).decode())
SESSION = Secret("session token", base64.urlsafe_b64encode(random.Random(2).randbytes(48)).decode())
CLAIMS = {"sub": "4f051a7e-9d5c-4a0e-8d4e-1b7a35f0a1de", "roles": ["allocator"], "iss": "current", "exp": 1900000000}
TOKEN = Secret("enrollment token", jwt.encode(CLAIMS, KEY, algorithm="HS256"))
SECRETS = [PASSWORD, SHORT_PIECES, API_KEY, SESSION, TOKEN]
QUOTINGS = {
    "plain": lambda text: text,
    "JSON": json.dumps,
    "JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})),
    "YAML": yaml.safe_dump,
    "YAML, double quotes": lambda text: yaml.safe_dump(text, default_style='"', width=1000),
    "YAML, single quotes": lambda text: yaml.safe_dump(text, default_style="'", width=1000),
    "shell": shlex.quote,
    "shell, backslashes": lambda text: (
        subprocess.run(
            ["bash", "-c", 'printf %q "$1"', "bash", text], stdout=subprocess.PIPE, check=True, text=True
        ).stdout
    ),
    "Python": repr,
    "URL": urllib.parse.quote,
    "URL, all": lambda text: urllib.parse.quote(text, safe=""),
    "form": urllib.parse.quote_plus,
    "form with a name": lambda text: urllib.parse.urlencode({"password": text}),
    "attribute": lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"),
}
CLEAN = " ".join(
    f"word{number} ok: [host-{number}] => eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9 roles allocator"
    for number in range(5000)
).encode()


def kinds(data: bytes | str, *secrets: Secret) -> set[str]:
    """Return the kinds of the secrets that are found in the data."""
    return {hit.kind for hit in scan_bytes(data.encode() if isinstance(data, str) else data, needles_for(secrets))}


# -- in text ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.kind)
@pytest.mark.parametrize("quoting", QUOTINGS)
def test_a_secret_is_found_with_every_kind_of_quoting(secret, quoting):
    assert kinds(f"before {QUOTINGS[quoting](secret.value)} after", *SECRETS) >= {secret.kind}


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.kind)
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(4))
def test_a_secret_is_found_in_base64_with_any_neighbours(secret, encode, before, after):
    assert kinds(encode(b"x" * before + secret.value.encode() + b"y" * after), secret) == {secret.kind}


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_found_in_both_alphabets_of_base64(encode):
    """The encoding of this text has characters in which the alphabets differ."""
    secret = Secret("password of admin", "~~~???~~~>>>ÿÿÿ")
    assert b"+" in base64.b64encode(secret.value.encode()) or b"/" in base64.b64encode(secret.value.encode())
    assert kinds(encode(secret.value.encode()), secret) and kinds(encode(b"a" + secret.value.encode()), secret)


@pytest.mark.parametrize("secret", [PASSWORD, SHORT_PIECES])
def test_basic_authorization_is_found(secret):
    header = base64.b64encode(f"{secret.user}:{secret.value}".encode()).decode()
    assert kinds(f"Authorization: Basic {header}", secret) == {secret.kind}


@pytest.mark.parametrize("part", [1, 2], ids=["payload", "signature"])
def test_a_part_of_a_token_is_found(part):
    assert kinds(TOKEN.value.split(".")[part], TOKEN) == {TOKEN.kind}


@pytest.mark.parametrize("secret", [API_KEY, SESSION, TOKEN], ids=lambda secret: secret.kind)
def test_a_secret_that_was_cut_or_wrapped_is_found(secret):
    assert kinds(secret.value[-20:], secret), "the end"
    assert kinds(secret.value[:80], secret), "the beginning"
    wrapped = base64.encodebytes(b"x" * 30 + secret.value.encode())
    assert b"\n" in wrapped.strip() and kinds(wrapped, secret), "lines of 76 characters"


def test_a_password_that_lost_its_quotes_is_found():
    assert kinds("Zk4pW-7e", PASSWORD) == {PASSWORD.kind}


def test_the_common_part_of_all_tokens_is_not_a_hit():
    other = jwt.encode({**CLAIMS, "sub": "1c02d3aa-7a0e-49cd-a9a4-0a58d1d0a9f7"}, KEY, algorithm="HS256")
    assert kinds(other + base64.b64encode(other.encode()).decode(), TOKEN) == set()


def test_a_clean_text_has_no_hit():
    noise = base64.b64encode(random.Random(3).randbytes(2_000_000))
    assert scan_bytes(CLEAN + noise, needles_for(SECRETS)) == []


def test_every_needle_is_long_enough():
    assert min(len(needle.data) for needle in needles_for(SECRETS)) >= 8
    with pytest.raises(ValueError, match="password of admin is too short"):
        needles_of(Secret("password of admin", "short"))


def test_no_object_of_the_scanner_shows_a_secret():
    shown = repr(SECRETS) + repr(needles_for(SECRETS)) + str(scan_bytes(TOKEN.value.encode(), needles_for(SECRETS)))
    assert kinds(shown, *SECRETS) == set()


# -- in folders ------------------------------------------------------------------------------------------------------


def test_all_files_links_and_names_of_a_folder_are_read(tmp_path):
    piece = TOKEN.value.rpartition(".")[2]
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(b"\0\xff" + TOKEN.value.encode())
    (tmp_path / "deep" / "link").symlink_to(f"/nowhere/{piece}")
    (tmp_path / f"named-{piece}").mkdir()
    (tmp_path / f"named-{piece}" / "in").write_text(piece, encoding="utf-8")
    (tmp_path / "clean").write_text("clean", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe")
    scan = scan_tree(tmp_path, needles_for(SECRETS))
    assert {hit.place.replace(str(tmp_path), "") for hit in scan.hits} == {
        "/deep/er/file",
        "/deep/link",
        "a name in ",
        "/(a secret)/in",
    }
    assert kinds("".join(map(str, scan.hits)), TOKEN) == set()
    assert scan.files == 4 and scan.size > 0


def test_excluded_files_and_folders_are_not_read(tmp_path):
    for name in ("own", "folder/file", "other"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(API_KEY.value, encoding="utf-8")
    scan = scan_tree(tmp_path, needles_for(SECRETS), exclude={tmp_path / "own", tmp_path / "folder"}.__contains__)
    assert {hit.place for hit in scan.hits} == {str(tmp_path / "other")} and scan.files == 1


def test_a_secret_across_two_pieces_of_a_large_file_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(scanner, "CHUNK", 100)
    needles = needles_for([TOKEN])
    needle = TOKEN.value.rpartition(".")[2].encode()[: scanner.LONGEST]
    for place in range(100 - len(needle), 101):
        (tmp_path / "file").write_bytes(b"x" * place + needle + b"x" * 300)
        assert scan_tree(tmp_path, needles).hits, place


def test_the_holes_of_a_huge_file_are_not_read(tmp_path):
    with open(tmp_path / "file", "wb") as file:
        file.write(API_KEY.value.encode())
        file.seek(2**42)
        file.write(PASSWORD.value.encode())
        file.truncate(2**43)
    scan = scan_tree(tmp_path, needles_for(SECRETS))
    assert {hit.kind for hit in scan.hits} == {API_KEY.kind, PASSWORD.kind} and scan.files == 1
    assert scan.size <= 2 * scanner.CHUNK


def test_a_file_that_grows_while_it_is_read_does_not_hold_the_scan_up(tmp_path, monkeypatch):
    path = tmp_path / "log"
    path.write_bytes(b"x" * 300)
    monkeypatch.setattr(scanner, "CHUNK", 100)

    def grow(data, needles, place=""):
        with open(path, "ab") as file:
            file.write(b"x" * 1000)
        return scan_bytes(data, needles, place)

    monkeypatch.setattr(scanner, "scan_bytes", grow)
    assert scan_tree(tmp_path, needles_for(SECRETS)).files == 1


def test_loops_of_links_pipes_sockets_and_vanishing_files_do_not_stop_the_scan(tmp_path, monkeypatch):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for name in ("vanishes", "vanishes-too", "stays"):
        (tmp_path / name).write_text(API_KEY.value, encoding="utf-8")
    (tmp_path / "folder-vanishes").mkdir()
    real_open, real_lstat = os.open, Path.lstat

    def gone(name):
        if "vanishes" in str(name):
            raise FileNotFoundError(name)

    monkeypatch.setattr(os, "open", lambda path, *more: gone(path) or real_open(path, *more))
    monkeypatch.setattr(Path, "lstat", lambda path: gone(str(path).replace("-too", "x")) or real_lstat(path))
    with socket.socket(socket.AF_UNIX) as made:
        monkeypatch.chdir(tmp_path)
        made.bind("socket")
        scan = scan_tree(tmp_path, needles_for(SECRETS))
    assert {hit.place for hit in scan.hits} == {str(tmp_path / "stays")} and scan.files == 4


def test_a_file_that_cannot_be_read_fails_the_scan():
    """Otherwise a leak in it would count as none."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "closed").mkdir(mode=0)
    with as_user(), pytest.raises(PermissionError):
        scan_tree(folder, needles_for(SECRETS))
    (folder / "closed").rmdir()
    (folder / "file").touch(mode=0)
    with as_user(), pytest.raises(PermissionError):
        scan_tree(folder, needles_for(SECRETS))


@contextlib.contextmanager
def as_user():
    """Let this process read files as an ordinary user may."""
    before = os.geteuid()
    os.seteuid(USER.pw_uid)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_file_system_that_is_mounted_in_the_folder_is_not_entered(tmp_path, monkeypatch):
    real = Path.lstat
    for name in ("mounted", "own"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(API_KEY.value, encoding="utf-8")

    def lstat(path):
        status = real(path)
        return os.stat_result((*status[:2], 99, *status[3:])) if path.name == "mounted" else status

    monkeypatch.setattr(Path, "lstat", lstat)
    assert {hit.place for hit in scan_tree(tmp_path, needles_for(SECRETS)).hits} == {str(tmp_path / "own" / "file")}


# -- in processes ----------------------------------------------------------------------------------------------------


@pytest.fixture
def sleeping():
    """Return a function that starts a process that sleeps, and returns what the scanner has seen of it."""
    started = []

    def start(*arguments: str, **environment: str) -> dict[tuple[int, bytes], bytes]:
        processes = Processes()
        with processes.watching():
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", *arguments], env=environment)
            started.append(child)
            deadline = time.monotonic() + 60
            # Between fork and exec the process still has the arguments of its parent.
            while (
                not any(pid == child.pid and b"time.sleep" in arguments for pid, arguments in list(processes.seen))
                and time.monotonic() < deadline
            ):
                time.sleep(0.01)
        return {key: environ for key, environ in processes.seen.items() if key[0] == child.pid}

    yield start
    for child in started:
        child.kill()
        child.wait()


def test_the_environment_and_the_arguments_of_a_process_are_searched(sleeping):
    needles = needles_for(SECRETS)
    seen = sleeping("--token", TOKEN.value, SOME_NAME=PASSWORD.value)
    scan = scan_processes(seen, needles)
    assert {(hit.place.partition(" of ")[0], hit.kind) for hit in scan.hits} == {
        ("arguments", TOKEN.kind),
        ("environment", PASSWORD.kind),
    }
    assert scan_processes(sleeping("--token", "none", SOME_NAME="nothing"), needles).hits == []


def test_an_environment_may_only_hold_exported_credentials(sleeping):
    needles = needles_for(SECRETS)
    exported = [f"ECE_PASSWORD={PASSWORD.value}"]
    assert scan_processes(sleeping(ECE_PASSWORD=PASSWORD.value), needles, exported).hits == []
    assert scan_processes(sleeping(ECE_PASSWORD=PASSWORD.value), needles).hits
    assert scan_processes(sleeping(OTHER=PASSWORD.value), needles, exported).hits
    assert scan_processes(sleeping(ECE_PASSWORD=TOKEN.value), needles, exported).hits


DETACH = """
import os, sys, time
if os.fork():
    time.sleep(float(sys.argv[1]))
    os._exit(0)
if sys.argv[2] == "session":
    os.setsid()
if os.fork():
    os._exit(0)
os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)", *sys.argv[3:]], {"A": "1"})
"""


@pytest.fixture
def detach():
    """Return a function that starts a process whose parent ends, and returns what is seen: the process's arguments."""
    marker = f"detached-{uuid.uuid4()}"

    def start(*arguments, processes, seconds_of_parent="0.5", session="none"):
        with processes.watching():
            command = [sys.executable, "-c", DETACH, seconds_of_parent, session, *arguments, marker]
            subprocess.run(command, check=True)
            deadline = time.monotonic() + 60
            while not any(b"time.sleep(60)" in argv for argv in own(marker)) and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(5 * scanner.INTERVAL)
        return {argv for (_pid, argv) in processes.seen if b"time.sleep(60)" in argv and marker.encode() in argv}

    def own(text):
        return [argv for argv in commands().values() if text.encode() in argv]

    yield start
    for pid, argv in commands().items():
        if marker.encode() in argv:
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("session", ["none", "session"])
def test_a_process_that_outlives_its_parent_belongs_to_the_play(detach, session):
    assert detach(processes=Processes(), session=session)


class Foreign(Processes):
    """As in a machine where this process has started nothing, so that all processes are other programs'."""

    def __init__(self, places=()):
        super().__init__(places)
        self._own.clear()


def test_a_process_that_names_a_place_of_the_play_belongs_to_it_and_no_other_is_kept(detach, tmp_path):
    assert detach(f"--log={tmp_path}/log", processes=Foreign([tmp_path]))
    assert not detach(f"--log={tmp_path}/log", processes=Foreign([tmp_path / "other"]))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to run as another user")
def test_processes_of_other_users_are_not_looked_at(tmp_path):
    processes = Foreign([tmp_path])
    with subprocess.Popen(["sh", "-c", "read line", str(tmp_path)], stdin=subprocess.PIPE, user=4711) as child:
        time.sleep(5 * scanner.INTERVAL)
        processes.sample()
        assert child.pid in commands() and not processes.seen
        child.communicate(b"\n")


def test_the_arguments_are_searched_where_the_environment_cannot_be_read(sleeping, monkeypatch):
    real = scanner._of_process

    def read(pid, what):
        if what == "environ":
            raise PermissionError(what)
        return real(pid, what)

    monkeypatch.setattr(scanner, "_of_process", read)
    assert scan_processes(sleeping("--token", TOKEN.value), needles_for(SECRETS)).hits


def test_the_longest_arguments_are_read_at_once(sleeping):
    longest = ["x" * 100_000] * 15
    _pid, arguments = max(sleeping(*longest), key=lambda process: len(process[1]))
    assert arguments.count(b"x" * 100_000) == 15


INSTALLER = ["bash", "/x/elastic-cloud-enterprise.sh", "install", "--roles-token"]


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        ([*INSTALLER, TOKEN.value, "--debug"], True),
        (["bash", "/x/bin/docker", "run", "--env", f"RUNNER_ROLES_TOKEN={TOKEN.value}"], True),
        (["/usr/bin/env", "bash", "/x/bin/podman", "run", "--env", f"RUNNER_ROLES_TOKEN={TOKEN.value}"], True),
        ([*INSTALLER, "x", TOKEN.value], False),
        ([*INSTALLER, TOKEN.value, "--runner-id", TOKEN.value], False),
        (["bash", "/x/bin/docker", "run", "--env", f"OTHER={TOKEN.value}"], False),
        (["bash", "/x/bin/docker", "ps", f"RUNNER_ROLES_TOKEN={TOKEN.value}"], False),
        (["python3", "module.py", "--roles-token", TOKEN.value], False),
    ],
)
def test_only_the_installer_and_its_engine_may_have_the_token_as_an_argument(arguments, allowed):
    left = b"\0".join(without_token([argument.encode() for argument in arguments]))
    assert (kinds(left, TOKEN) == set()) is allowed


# -- sums ------------------------------------------------------------------------------------------------------------


def test_scans_add_up_to_one_line():
    total = Scan()
    total.add(Scan(plays=213, files=9_000, size=142_000_000, processes=1_200))
    total.add(Scan(plays=1, files=812, size=1_000_000, processes=4))
    assert str(total) == "secrets: 214 plays, 9,812 files, 143 MB, 1,204 processes scanned: 0 hits"
    total.add(Scan(hits=[Hit("output", "API key", "plain")]))
    assert str(total).endswith(": 1 hits")
