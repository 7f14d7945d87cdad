# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of an install, as they lie on a host, and the program that the controller runs there to read them."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _install_files as install_files
from ansible_collections.ece.platform.plugins.module_utils._host_process import become_user
from ansible_collections.ece.platform.plugins.module_utils._install_record import install_state, parse_follow
from ansible_collections.ece.platform.plugins.plugin_utils._host_reports import FOLLOW_SOURCE
from tests.unit.host_user import USER

STARTED = {"started": 1000.0, "timeout": 1800, "roles": ["allocator"]}
FINISHED = {**STARTED, "finished": 1271.4, "seconds": 271.4, "rc": 4, "output": ["one", "done"]}


class Host:
    """The files of a host, in a temporary folder."""

    def __init__(self, folder):
        self.arguments = [str(folder / "elastic"), str(folder / "state")]
        self.place = install_files.places(*self.arguments)[0]
        self.folder, self.lock = Path(self.place.folder), Path(self.place.path("lock"))
        self.record = Path(self.place.path("record.json"))
        self.folder.mkdir(parents=True)

    def run(self, limit="0"):
        """What `python -c` prints, among output of a login shell."""
        command = [sys.executable, "-c", FOLLOW_SOURCE, *self.arguments, limit]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60)

    def follow(self, limit="0"):
        printed = self.run(limit).stdout.decode()
        return parse_follow("Welcome!\nlast login: ECE-RECORDS\nbanner " + printed + "bye\n")


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


@pytest.fixture
def held(host):
    """The lock as a supervisor holds it; closing the file releases it."""
    with open(host.lock, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


# -- places ----------------------------------------------------------------------------------------------------------


def test_root_has_a_folder_of_its_own_for_each_storage_path():
    of_root, of_user = install_files.places("/mnt/data/elastic/", "/var/lib/ece-install", is_root=True)
    assert of_root.folder == "/var/lib/ece-install/mnt-data-elastic-5cad516e"
    assert of_user.folder == "/mnt/data/elastic/logs/ece-install"
    names = {install_files.install_name(path) for path in ("/a/b", "/a-b", "/a/b/c", "/" + "x" * 200 + "/b")}
    assert len(names) == 4 and max(map(len, names)) < 60


def test_another_user_writes_below_the_storage_path_and_looks_at_that_of_root():
    found = install_files.places("/mnt/data/elastic", "/var/lib/ece-install", is_root=False)
    assert [place.folder for place in found] == [
        "/mnt/data/elastic/logs/ece-install",
        "/var/lib/ece-install/mnt-data-elastic-5cad516e",
    ]


@pytest.mark.parametrize(
    ("own", "other", "is_root", "found"),
    [
        ({"started": 1}, {"started": 2}, False, 2),
        ({"started": 2}, {"started": 1}, False, 2),
        ({"started": 1}, {"started": 9e10}, False, 1),  # the clock was wrong
        ({"started": 9e10}, {"started": 1}, False, 1),
        ({"started": 9e10}, {}, False, 9e10),
        ({}, {"started": 1}, False, 1),
        ({"started": "x"}, {"started": True}, False, "x"),
        ({"started": 1}, {"started": 2}, True, 1),
        ({"started": 1}, {"started": 9e10}, True, 1),
        ({"damaged": True}, {"started": 2}, True, None),
        ({}, {"started": 1}, True, 1),
    ],
)
def test_of_two_records_that_of_root_counts_for_root_and_the_last_for_others(tmp_path, own, other, is_root, found):
    places = [install_files.Place(str(tmp_path / name)) for name in ("own", "other")]
    for place, record in zip(places, (own, other)):
        os.mkdir(place.base)
        if record:
            Path(place.path("record.json")).write_text(json.dumps(record))
    assert install_files.look(places, is_root)[2].get("started") == found


def test_root_takes_no_process_of_another_user_for_the_installer_that_the_install_user_records(tmp_path):
    of_root, of_user = (install_files.Place(str(tmp_path / name)) for name in ("root", "user"))
    os.mkdir(of_user.base)
    record = Path(of_user.path("record.json"))

    def look(pid):
        record.write_text(
            json.dumps({"started": 1, "timeout": 2**31 - 1, "installer": install_files.process_name(pid)})
        )
        return install_files.look([of_root, of_user], is_root=True)[1]

    os.chown(of_user.base, USER.pw_uid, USER.pw_gid)
    with subprocess.Popen(["sleep", "60"], preexec_fn=become_user(USER.pw_name)) as own:
        try:
            assert (look(1), look(own.pid)) == ("absent", "unwatched")
        finally:
            own.kill()


# -- processes -------------------------------------------------------------------------------------------------------


def test_a_process_has_a_name_that_no_other_process_gets():
    child = subprocess.Popen(["sleep", "60"])
    name = install_files.process_name(child.pid)
    assert install_files.lives(name)
    pid, start, boot = name.split(" ")
    for other in (f"{pid} 1 {boot}", f"{pid} {start} other", f"1 {start} {boot}", pid, "", "x", None, 5, "9" * 50):
        assert not install_files.lives(other), other
    child.kill()
    deadline = time.monotonic() + 60
    while install_files.lives(name):  # it has ended, and was not waited for
        assert time.monotonic() < deadline
    child.wait()
    assert install_files.process_name(child.pid) is None


def test_a_reboot_of_the_host_is_known(host):
    host.record.write_text(json.dumps({**STARTED, "supervisor": "1 1 another-boot"}))
    assert host.follow()["rebooted"] is True
    name = install_files.process_name(os.getpid())
    host.record.write_text(json.dumps({**STARTED, "supervisor": name}))
    assert host.follow()["rebooted"] is False


# -- the program -----------------------------------------------------------------------------------------------------


def test_where_nothing_was_ever_started_there_is_no_record(host):
    host.folder.rmdir()
    record = host.follow("60")
    assert (record.pop("now") > 0, record) == (True, {"lock": "absent", "folder": host.place.folder})


def test_a_held_lock_is_a_running_installer_after_the_time_limit(host, held):
    host.record.write_text(json.dumps(STARTED))
    record = host.follow()
    assert (install_state(record), record["started"]) == ("running", 1000.0)


def test_a_free_lock_gives_the_result(host):
    host.lock.touch()
    host.record.write_text(json.dumps(FINISHED))
    before = time.time()
    record = host.follow("60")
    assert (install_state(record), record["rc"], record["output"]) == ("finished", 4, FINISHED["output"])
    assert before <= record["now"] <= time.time()


def test_a_free_lock_and_no_end_are_an_interruption(host):
    host.lock.touch()
    host.record.write_text(json.dumps(STARTED))
    assert install_state(host.follow("60")) == "interrupted"


def test_the_program_waits_for_the_end_and_prints_it(host, held):
    host.record.write_text(json.dumps(STARTED))

    def end():
        host.record.write_text(json.dumps({**FINISHED, "rc": 0}))
        held.close()

    timer = threading.Timer(0.2, end)
    timer.start()
    record = host.follow("60")
    timer.join()
    assert (install_state(record), record["rc"]) == ("finished", 0)


@pytest.mark.parametrize("content", ["{", "not json", "[]", "[" * 100_000, "5", '{"a": "' + "x" * 2_000_000 + '"}'])
def test_a_damaged_record_is_an_interruption(host, content):
    host.lock.touch()
    host.record.write_text(content)
    record = host.follow("60")
    assert (record["lock"], record["damaged"], install_state(record)) == ("over", True, "interrupted")


def test_a_record_cannot_say_that_its_installer_runs(host):
    host.lock.touch()
    host.record.write_text(json.dumps({**STARTED, "lock": "running", "now": 1, "folder": "/elsewhere"}))
    record = host.follow("60")
    assert (record["lock"], record["folder"], record["now"] > 1) == ("over", host.place.folder, True)


def test_the_lock_stays_as_it_was(host, held):
    host.follow()
    other = os.open(host.lock, os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/etc/hostname", path)])
@pytest.mark.parametrize("name", ["lock", "record.json"])
def test_something_else_than_a_file_is_an_error_and_hangs_nothing(host, name, make):
    make(host.place.path(name))
    done = host.run("60")
    assert done.returncode == 1
    assert done.stdout.decode().startswith(f"the host refused {host.place.path(name)}: ")
