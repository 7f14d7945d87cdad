# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A search for secrets in text, in folders and in running processes.

A hit names the place and the kind of the secret, never the secret.
"""

from __future__ import annotations

import base64
import contextlib
import errno
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
from io import FileIO
from pathlib import Path
from xml.sax.saxutils import escape

import yaml

from tests.standin.hosts import install_user
from tests.standin.model import Secret

# Shorter pieces of a secret are not searched for. Eight characters of Base64 have 48 random bits, too many for chance.
SHORTEST = 8
# So many characters prove a leak, and are found in a line that was cut or wrapped after them, too.
LONGEST = 32
TAIL = 16
# Seconds between two samples of the processes. A module of a play lives longer.
INTERVAL = 0.15
# Samples after which a process has replaced itself by its final command, so that it is read less often.
SETTLED = 7
# Bytes that Linux allows for the arguments and the environment of a process by default, a quarter of its 8 MB stack.
LONGEST_ARGUMENTS = 2**21
# Bytes of a file that are in memory at a time.
CHUNK = 2**20


@dataclass(frozen=True)
class Needle:
    """A text that proves that a secret is there. kind: of the secret. form: how it is written."""

    kind: str
    form: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, order=True)
class Hit:
    """A place in which a secret was found."""

    place: str
    kind: str
    form: str

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}, {self.form}"


# -- needles ---------------------------------------------------------------------------------------------------------


def pieces(value: str) -> list[str]:
    """Return the texts that give the secret away, each on its own."""
    if value.startswith("eyJ") and value.count(".") == 2:
        # The header is the same in all tokens.
        _header, payload, signature = value.split(".")
        return [payload, signature, signature[-TAIL:]]
    # No kind of quoting changes these, so a secret that was quoted in an unknown way is found as well.
    runs = re.findall(r"[A-Za-z0-9_-]+", value)
    return [value, *runs, *(run[-TAIL:] for run in runs if len(run) > LONGEST)]


def quoted(text: str) -> Iterator[tuple[str, str]]:
    """Yield the ways in which a text may be quoted: (form, quoted text)."""
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
    """Yield the Base64 of the data inside a longer text, without the characters that depend on its neighbours."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data)
        inner = encoded[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


@functools.lru_cache(maxsize=4096)
def needles_of(secret: Secret) -> tuple[Needle, ...]:
    """Return the shortest texts that prove that this secret is there. Raises ValueError if it is too short."""
    found: dict[bytes, str] = {}
    for text in pieces(secret.value):
        for form, variant in quoted(text):
            found.setdefault(variant.encode()[:LONGEST], form)
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
        raise ValueError(f"{secret.kind} is too short to be searched for")
    return tuple(Needle(secret.kind, found[data], data) for data in kept)


def needles_for(secrets: Iterable[Secret]) -> list[Needle]:
    """Return the needles of all secrets, each once."""
    return list(dict.fromkeys(needle for secret in secrets for needle in needles_of(secret)))


# -- places ----------------------------------------------------------------------------------------------------------


@dataclass
class Scan:
    """What was searched, and what was found. size: in bytes."""

    plays: int = 0
    files: int = 0
    size: int = 0
    processes: int = 0
    hits: list[Hit] = field(default_factory=list)

    def add(self, other: Scan) -> None:
        """Add what another scan searched and found."""
        self.plays += other.plays
        self.files += other.files
        self.size += other.size
        self.processes += other.processes
        self.hits = sorted({*self.hits, *other.hits})

    def __str__(self) -> str:
        places = f"{self.plays:,} plays, {self.files:,} files, {self.size / 1e6:,.0f} MB, {self.processes:,} processes"
        return f"secrets: {places} scanned: {len(self.hits)} hits"


def scan_bytes(data: bytes, needles: Iterable[Needle], place: str = "") -> list[Hit]:
    """Return the hits in the data of one place."""
    return sorted({Hit(place, needle.kind, needle.form) for needle in needles if needle.data in data})


def masked(text: str, needles: Iterable[Needle]) -> str:
    """Return a part of the name of a place, or a mask if that part is a secret itself."""
    return "(a secret)" if scan_bytes(os.fsencode(text), needles) else text


def scan_tree(folder: Path, needles: list[Needle], exclude: Callable[[Path], bool] = lambda _path: False) -> Scan:
    """Search every file in the folder, every name and the target of every link, which is not followed.

    exclude: whether a path is left out, with everything below it. Other file systems that are mounted in the folder are
    not entered. Raises OSError for a file that is there and cannot be read, because the secret may be in it.
    """
    scan = Scan()
    device = folder.lstat().st_dev
    for top, folders, files in os.walk(folder, onerror=_unless_it_vanished):
        folders[:] = [name for name in folders if not exclude(Path(top, name))]
        names = [name for name in files if not exclude(Path(top, name))]
        shown = "/".join(masked(part, needles) for part in Path(top).parts).replace("//", "/")
        scan.hits += scan_bytes(os.fsencode("\0".join([*folders, *names])), needles, f"a name in {shown}")
        for name in (*folders, *names):
            place = f"{shown}/{masked(name, needles)}"
            for data, is_first in _content(Path(top, name)):
                scan.files += is_first
                scan.size += len(data)
                scan.hits += scan_bytes(data, needles, place)
        folders[:] = [name for name in folders if _is_on(device, Path(top, name))]
    scan.hits = sorted(set(scan.hits))
    return scan


def _unless_it_vanished(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _is_on(device: int, folder: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return folder.lstat().st_dev == device
    return False


def _content(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Yield the content of a file or the target of a link in pieces, and whether a piece is the first.

    A pipe, a socket, a device or a file that an installer or another program has removed meanwhile has no content.
    """
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            yield os.fsencode(path.readlink()), True
        elif stat.S_ISREG(status.st_mode):
            # Another program may have put a link or a pipe in place of the file.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb", buffering=0) as file:
                yield from _pieces_of(file)
    except FileNotFoundError:
        return


def _pieces_of(file: FileIO) -> Iterator[tuple[bytes, bool]]:
    """Yield the data of a file as it is now, without its holes. A needle across two pieces is in the second one."""
    size, position, before = os.fstat(file.fileno()).st_size, 0, b""
    is_first = True
    while position < size:
        try:
            data_at = file.seek(position, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            break  # Only a hole is left.
        data = file.read(min(CHUNK, size - data_at))
        if not data:
            break
        if data_at != position:
            before = b""
        yield before + data, is_first
        is_first, before, position = False, (before + data)[-LONGEST:], data_at + len(data)
    if is_first:
        yield b"", True


# -- processes -------------------------------------------------------------------------------------------------------


class Processes:
    """Arguments and environments of the processes of a play, sampled while `watching`. It is made before the play.

    These processes descend from this one; or their session or process group was begun by one that does, as after its
    parent has ended; or they name one of the places, which only the play knows. No other process is kept.
    """

    def __init__(self, places: Iterable[Path] = ()) -> None:
        self._marks = [os.fsencode(place) for place in places]
        self._users = {os.geteuid(), install_user().pw_uid}
        self._before = set(_running())
        self._own = {os.getpid()}
        self.seen: dict[tuple[int, bytes], bytes] = {}
        self._samples: Counter[tuple[int, int]] = Counter()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Sample the processes in a thread until the block ends."""
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
        """Read the processes once."""
        for process, relatives in _running().items():
            if process in self._before:
                continue
            self._samples[process] += 1
            if self._samples[process] <= SETTLED or self._samples[process] % SETTLED == 0:
                with contextlib.suppress(OSError):  # It has ended.
                    self._read(process[0], relatives)

    def _read(self, pid: int, relatives: set[int]) -> None:
        is_own = not self._own.isdisjoint({pid, *relatives})
        if not is_own and os.stat(f"/proc/{pid}").st_uid not in self._users:
            return
        arguments = _of_process(pid, "cmdline")
        # It is read again if its command has changed, or if it had no environment yet.
        if not arguments or self.seen.get((pid, arguments)):
            return
        environ = b""
        with contextlib.suppress(OSError):  # The kernel shows the environment to fewer users than the arguments.
            environ = _of_process(pid, "environ")
        if is_own or any(mark in arguments or mark in environ for mark in self._marks):
            self._own.add(pid)
            self.seen[pid, arguments] = environ


def _running() -> dict[tuple[int, int], set[int]]:
    """Return all processes: (id, start time) -> the ids of parent, process group and session."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # It has ended.
            # The name of the command, in brackets, may hold blanks and brackets.
            fields = _of_process(int(name), "stat").rpartition(b")")[2].split()
            found[int(name), int(fields[19])] = set(map(int, fields[1:4]))
    return found


def _of_process(pid: int, what: str) -> bytes:
    """Return a file of /proc. Raises OSError if the process has ended.

    It is read at once: the second of two reads would continue in the arguments of the program by which the process has
    replaced itself meanwhile, and the mix looks like a leak.
    """
    with open(f"/proc/{pid}/{what}", "rb", buffering=0) as file:
        return file.read(LONGEST_ARGUMENTS) or b""


def commands() -> dict[int, bytes]:
    """Return the arguments of all processes."""
    found = {}
    for pid, _start in _running():
        with contextlib.suppress(OSError):  # It has ended.
            found[pid] = _of_process(pid, "cmdline")
    return found


def scan_processes(
    seen: Mapping[tuple[int, bytes], bytes], needles: list[Needle], exported: Iterable[str] = ()
) -> Scan:
    """Search the arguments and environments of processes.

    exported: `NAME=value` entries that environments may have, because the operator exported them before the play began.
    """
    allowed = set(map(os.fsencode, exported))
    # Most processes of a play have the same environment.
    environments = {
        environ: b"\0".join(entry for entry in environ.split(b"\0") if entry not in allowed)
        for environ in set(seen.values())
    }
    leaky = {environ for environ, rest in environments.items() if scan_bytes(rest, needles)}
    scan = Scan(processes=len(seen))
    for (_pid, arguments), environ in seen.items():
        argv = arguments.split(b"\0")
        name = " ".join(masked(os.fsdecode(os.path.basename(argument)), needles) for argument in argv[:2])
        scan.hits += scan_bytes(b"\0".join(without_token(argv)), needles, f"arguments of a process {name}")
        if environ in leaky:
            scan.hits += scan_bytes(environments[environ], needles, f"environment of a process {name}")
    scan.hits = sorted(set(scan.hits))
    return scan


def without_token(argv: list[bytes]) -> list[bytes]:
    """Return arguments without the one that may be the token, if this is the vendor's installer or the engine's `run`.

    The vendor accepts the token in no other way, which the collection's documentation states.
    """
    # For a script these are the shell, or env and the shell, and the script.
    programs = {os.path.basename(argument) for argument in argv[:3]}
    if b"elastic-cloud-enterprise.sh" in programs and b"--roles-token" in argv:
        place = argv.index(b"--roles-token") + 1
        return argv[:place] + argv[place + 1 :]
    if programs & {b"docker", b"podman", b"podman-remote"} and b"run" in argv:
        return [argument for argument in argv if not argument.startswith(b"RUNNER_ROLES_TOKEN=")]
    return argv
