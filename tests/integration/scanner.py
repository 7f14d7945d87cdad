# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for secrets where none may be: in text, in folders, in running processes. A hit names the place and the kind, never the secret."""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import re
import stat
import threading
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import yaml

from tests.standin.model import Secret

# 48 random bits, as a secret's piece has in its base64 alphabet, do not turn up by chance in all that a suite writes.
SHORTEST = 8
# Enough to prove a leak, and found also where a line was cut or wrapped behind it.
LONGEST = 32
TAIL = 16
# Seconds between two looks at the processes: the shortest of ours, a module, lives for more than that.
INTERVAL = 0.05
# Looks after which a process has become what it is to be, so that it need not be looked at every time.
SETTLED = 20
# Of a file in a place that others use, too.
SHARED_LIMIT = 16 * 2**20


@dataclass(frozen=True)
class Needle:
    kind: str
    form: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, order=True)
class Hit:
    place: str
    kind: str
    form: str

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}, {self.form}"


# -- what to look for ------------------------------------------------------------------------------------------------


def pieces(value: str) -> list[str]:
    """Texts that give the secret away, each on its own."""
    if value.startswith("eyJ") and value.count(".") == 2:
        # A token's header is the same in all of them, and proves nothing.
        _header, payload, signature = value.split(".")
        return [payload, signature, signature[-TAIL:]]
    # What no kind of quoting changes; so a secret that was quoted badly, or by rules that nobody here knows, is found as well.
    runs = re.findall(r"[A-Za-z0-9_-]+", value)
    return [value, *runs, *(run[-TAIL:] for run in runs if len(run) > LONGEST)]


def written(text: str) -> Iterator[tuple[str, str]]:
    """How it may be written down: (form, text)."""
    yield "plain", text
    yield "URL-encoded", urllib.parse.quote(text)
    yield "URL-encoded", urllib.parse.quote(text, safe="")
    yield "URL-encoded", urllib.parse.quote_plus(text)
    once = json.dumps(text)[1:-1]
    yield "as JSON", once
    yield "as JSON", json.dumps(text, ensure_ascii=False)[1:-1]
    yield "as JSON in JSON", json.dumps(once)[1:-1]
    yield "as YAML", text.replace("'", "''")
    yield "as YAML", yaml.safe_dump(text, default_style='"', width=float("inf")).strip()[1:-1]
    yield "quoted for a shell", text.replace("'", "'\"'\"'")
    yield "quoted for a shell", re.sub(r"([^\w@%+=:,./-])", r"\\\1", text)
    yield "as Python", repr(text)[1:-1]
    yield "as XML", escape(text, {'"': "&quot;"})


def base64_at_every_place(data: bytes) -> Iterator[bytes]:
    """Base64 of a longer text with the data in it, without the characters in which its neighbours have a say."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data)
        inner = encoded[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


@functools.lru_cache(maxsize=4096)
def needles_of(secret: Secret) -> tuple[Needle, ...]:
    """The shortest texts that prove that this secret is there."""
    found: dict[bytes, str] = {}
    for text in pieces(secret.value):
        for form, said in written(text):
            found.setdefault(said.encode()[:LONGEST], form)
        for encoded in base64_at_every_place(text.encode()):
            found.setdefault(encoded[:LONGEST], "base64")
    if secret.user:
        for encoded in base64_at_every_place(f"{secret.user}:{secret.value}".encode()):
            found.setdefault(encoded[:LONGEST], "base64 of user and password")
    kept: list[bytes] = []
    for data in sorted(found, key=len):
        if len(data) >= SHORTEST and not any(shorter in data for shorter in kept):
            kept.append(data)
    if not kept:
        raise ValueError(f"{secret.kind} is too short to be looked for")
    return tuple(Needle(secret.kind, found[data], data) for data in kept)


def needles_for(secrets: Iterable[Secret]) -> list[Needle]:
    return list(dict.fromkeys(needle for secret in secrets for needle in needles_of(secret)))


# -- where to look ---------------------------------------------------------------------------------------------------


@dataclass
class Scan:
    """What was looked at, and what was found."""

    plays: int = 0
    files: int = 0
    size: int = 0
    processes: int = 0
    hits: list[Hit] = field(default_factory=list)

    def add(self, other: Scan) -> None:
        self.plays += other.plays
        self.files += other.files
        self.size += other.size
        self.processes += other.processes
        self.hits = sorted({*self.hits, *other.hits})

    def __str__(self) -> str:
        looked = f"{self.plays:,} plays, {self.files:,} files, {self.size / 1e6:,.0f} MB, {self.processes:,} processes scanned"
        return f"secrets: {looked}: {len(self.hits)} hits"


def scan_bytes(data: bytes, needles: Iterable[Needle], place: str = "") -> list[Hit]:
    return sorted({Hit(place, needle.kind, needle.form) for needle in needles if needle.data in data})


def masked(text: str, needles: Iterable[Needle]) -> str:
    """Part of a place's name, unless that is a leak itself."""
    return "(a secret)" if scan_bytes(os.fsencode(text), needles) else text


def scan_tree(
    folder: Path,
    needles: list[Needle],
    exclude: Callable[[Path], bool] = lambda _path: False,
    newer_than: float | None = None,
) -> Scan:
    """Every file in the folder, and every name.

    exclude: says of a path that neither it nor what is in it is to be read. newer_than: the folder belongs to others as well, so only
    what has been changed since then is read, as far as it may be, and nothing that is huge.
    """
    scan = Scan()
    for top, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not exclude(Path(top, name))]
        names = [name for name in files if not exclude(Path(top, name))]
        shown = "/".join(masked(part, needles) for part in Path(top).parts).replace("//", "/")
        scan.hits += scan_bytes(os.fsencode("\0".join([*folders, *names])), needles, f"a name in {shown}")
        for name in (*folders, *names):
            data = _content(Path(top, name), newer_than)
            if data is not None:
                scan.files += 1
                scan.size += len(data)
                hits = scan_bytes(data, needles)
                scan.hits += [Hit(f"{shown}/{masked(name, needles)}", hit.kind, hit.form) for hit in hits]
    return scan


def _content(path: Path, newer_than: float | None) -> bytes | None:
    """What is in a file or where a link leads; None when that is nothing to be read."""
    try:
        status = path.lstat()
        if newer_than is not None and (status.st_mtime < newer_than or status.st_size > SHARED_LIMIT):
            return None
        if stat.S_ISLNK(status.st_mode):
            return os.fsencode(path.readlink())
        return path.read_bytes() if stat.S_ISREG(status.st_mode) else None
    except FileNotFoundError:
        return None  # An installer, or somebody else, is still at work.
    except PermissionError:
        if newer_than is None:
            raise
        return None


# -- processes -------------------------------------------------------------------------------------------------------


class Processes:
    """Arguments and environments of processes that came after this object, as they are seen while C(watching)."""

    def __init__(self) -> None:
        self._before = set(_pids())
        self.seen: dict[tuple[int, bytes], bytes] = {}
        self._looks: Counter[int] = Counter()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        end = threading.Event()

        def watch() -> None:
            while not end.wait(INTERVAL):
                self.sample()

        thread = threading.Thread(target=watch, name="processes", daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()

    def sample(self) -> None:
        for pid in _pids():
            if pid in self._before:
                continue
            self._looks[pid] += 1
            if self._looks[pid] <= SETTLED or self._looks[pid] % SETTLED == 0:
                with contextlib.suppress(OSError):
                    arguments = _of_process(pid, "cmdline")
                    # Looked at again when it has become something else, or had no environment yet.
                    if arguments and not self.seen.get((pid, arguments)):
                        self.seen[pid, arguments] = _of_process(pid, "environ")


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _of_process(pid: int, what: str) -> bytes:
    with open(f"/proc/{pid}/{what}", "rb", buffering=0) as file:
        return file.readall()


def scan_processes(
    seen: Mapping[tuple[int, bytes], bytes],
    needles: list[Needle],
    exported: Iterable[str] = (),
    places: Iterable[Path] = (),
) -> Scan:
    """exported: C(NAME=value) in environments that may be there, because it was put there before the play began.

    places: what counts as a process of the play names one of them; whatever else ran on this machine is looked at without being counted.
    """
    allowed = set(map(os.fsencode, exported))
    # Most processes of a play have the same environment.
    environments = {
        environ: b"\0".join(entry for entry in environ.split(b"\0") if entry not in allowed)
        for environ in set(seen.values())
    }
    leaky = {environ for environ, rest in environments.items() if scan_bytes(rest, needles)}
    marks = [os.fsencode(place) for place in places]
    scan = Scan(
        processes=sum(
            any(mark in arguments or mark in environ for mark in marks) for (_pid, arguments), environ in seen.items()
        )
    )
    for (_pid, arguments), environ in seen.items():
        words = arguments.split(b"\0")
        name = " ".join(masked(os.fsdecode(os.path.basename(word)), needles) for word in words[:2])
        scan.hits += scan_bytes(b"\0".join(without_token(words)), needles, f"arguments of a process {name}")
        if environ in leaky:
            scan.hits += scan_bytes(environments[environ], needles, f"environment of a process {name}")
    scan.hits = sorted(set(scan.hits))
    return scan


def without_token(words: list[bytes]) -> list[bytes]:
    """Without the one word that may be the token: in the arguments of the vendor's installer and of the `run` of an engine that it makes.

    There is no other way to hand it over, and the collection's documentation says so.
    """
    # Of a script these are the shell, or env and the shell, and the script.
    programs = {os.path.basename(word) for word in words[:3]}
    if b"elastic-cloud-enterprise.sh" in programs and b"--roles-token" in words:
        place = words.index(b"--roles-token") + 1
        return words[:place] + words[place + 1 :]
    if programs & {b"docker", b"podman"} and b"run" in words:
        return [word for word in words if not word.startswith(b"ROLES_TOKEN=")]
    return words
