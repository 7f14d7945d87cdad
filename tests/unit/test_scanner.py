# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scanner finds a secret in any form and in any place, and finds nothing where there is none."""

from __future__ import annotations

import base64
import json
import os
import random
import shlex
import subprocess
import sys
import time
import urllib.parse

import jwt
import pytest
import yaml

from tests.integration.scanner import (
    Hit,
    Processes,
    Scan,
    needles_for,
    needles_of,
    scan_bytes,
    scan_processes,
    scan_tree,
    without_token,
)
from tests.standin.model import Secret

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


def test_only_new_files_of_a_shared_folder_are_read(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).write_text(API_KEY.value, encoding="utf-8")
    os.utime(tmp_path / "old", (1, 1))
    scan = scan_tree(tmp_path, needles_for(SECRETS), newer_than=time.time() - 60)
    assert {hit.place for hit in scan.hits} == {str(tmp_path / "new")} and scan.files == 1


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
            deadline = time.monotonic() + 10
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


def test_other_processes_are_searched_but_not_counted(sleeping, tmp_path):
    seen = sleeping(HOME=str(tmp_path), SOME_NAME=PASSWORD.value)
    assert scan_processes(seen, needles_for(SECRETS), places=[tmp_path]).processes >= 1
    others = scan_processes(seen, needles_for(SECRETS), places=[tmp_path / "other"])
    assert others.processes == 0 and others.hits


INSTALLER = ["bash", "/x/elastic-cloud-enterprise.sh", "install", "--roles-token"]


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        ([*INSTALLER, TOKEN.value, "--debug"], True),
        (["bash", "/x/bin/docker", "run", "--env", f"ROLES_TOKEN={TOKEN.value}"], True),
        (["/usr/bin/env", "bash", "/x/bin/podman", "run", "--env", f"ROLES_TOKEN={TOKEN.value}"], True),
        ([*INSTALLER, "x", TOKEN.value], False),
        ([*INSTALLER, TOKEN.value, "--runner-id", TOKEN.value], False),
        (["bash", "/x/bin/docker", "run", "--env", f"OTHER={TOKEN.value}"], False),
        (["bash", "/x/bin/docker", "ps", f"ROLES_TOKEN={TOKEN.value}"], False),
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
