# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of an install: its states, its result, and how the controller reads it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _install_record as install_record

# -- exit codes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "meaning", "remedy"),
    [
        (0, "installed", ""),
        (1, "general failure", "the platform refused the host"),
        (2, "unknown command", "check that the installer file is elastic-cloud-enterprise.sh"),
        (3, "unknown or empty argument", "check extra_args"),
        (4, "bad user", "add it to the engine's group"),
        (5, "precondition", "Start the container engine"),
        (6, "exit code 6, which the installer does not document", "Read the last lines"),
        (125, "exit code 125, which", "Read the last lines"),
        (126, "exit code 126, which", "Read the last lines"),
        (128, "exit code 128, which", "Read the last lines"),
        (255, "exit code 255, which", "Read the last lines"),
        (None, "exit code None, which", "Read the last lines"),
        (137, "killed by signal 9", "out-of-memory"),
        (143, "killed by signal 15", "out-of-memory"),
        (-9, "killed by signal 9", "out-of-memory"),
        (-15, "killed by signal 15", "out-of-memory"),
    ],
)
def test_explain_exit(code, meaning, remedy):
    found = install_record.explain_exit(code)
    assert (found[0].startswith(meaning), remedy in found[1]) == (True, True), found


# -- states and results ----------------------------------------------------------------------------------------------

STARTED = {"started": 1000.0, "timeout": 1800, "roles": ["allocator"]}
FINISHED = {
    **STARTED,
    "finished": 1271.4,
    "seconds": 271.4,
    "timed_out": False,
    "output": ["one", "done", ""],
    "bootstrap_log": ["b"],
}


@pytest.mark.parametrize(
    ("record", "state"),
    [
        ({"lock": "absent"}, "absent"),
        ({"lock": "over"}, "absent"),
        ({"lock": "running"}, "running"),
        ({"lock": "running", **FINISHED, "rc": 0}, "running"),
        ({"lock": "running", **STARTED}, "running"),
        ({"lock": "over", **STARTED}, "interrupted"),
        ({"lock": "absent", **STARTED}, "interrupted"),
        ({"lock": "over", **FINISHED, "rc": 0}, "finished"),
        ({"lock": "over", **FINISHED, "rc": 1}, "finished"),
        ({"lock": "over", **FINISHED, "rc": None}, "finished"),
    ],
)
def test_install_state(record, state):
    assert install_record.install_state(record) == state


LOG = "/mnt/data/elastic/logs/ece-install/output.log"


@pytest.mark.parametrize(
    ("record", "rc", "msg"),
    [
        pytest.param({**FINISHED, "rc": 0}, 0, "installed in 271 s", id="finished"),
        pytest.param(
            {
                **FINISHED,
                "rc": 5,
                "output": ["x", "ECE could not verify the Docker socket (/var/run/docker.sock).", "  "],
            },
            5,
            "installer exit 5 (precondition): x. ECE could not verify the Docker socket (/var/run/docker.sock). "
            "Start the container engine or set the socket's path; stop firewalld or open its ports. Log: " + LOG,
            id="failed",
        ),
        pytest.param(
            {**FINISHED, "rc": 2, "output": []},
            2,
            "installer exit 2 (unknown command): it printed nothing. The script",
            id="failed in silence",
        ),
        pytest.param(
            {**FINISHED, "rc": -9},
            -9,
            "installer exit -9 (killed by signal 9): one. done. Look for out-of-memory",
            id="killed",
        ),
        pytest.param(
            {**FINISHED, "rc": -15, "timed_out": True},
            -15,
            "the installer did not end within 1800 s and was stopped.",
            id="timed out",
        ),
        pytest.param(
            STARTED, None, "the installer was interrupted. The host was restarted or the installer", id="interrupted"
        ),
    ],
)
def test_outcome(record, rc, msg):
    result = install_record.outcome({"lock": "over", **record}, "/mnt/data/elastic")
    assert result["msg"].startswith(msg)
    assert (result["rc"], result["log"]) == (rc, LOG)
    assert (result["output"], result["bootstrap_log"]) == (record.get("output", []), record.get("bootstrap_log", []))
    assert rc == 0 or result["msg"].endswith("Log: " + LOG)
    assert bool(result["remedy"]) == (rc != 0)


@pytest.mark.parametrize("record", [{**FINISHED, "rc": 1}, {**FINISHED, "rc": -15, "timed_out": True}, STARTED])
def test_an_outcome_that_is_read_elsewhere_names_the_host_of_the_log(record):
    assert install_record.outcome({"lock": "over", **record}, None, "10.0.0.8")["msg"].endswith("Log: 10.0.0.8:" + LOG)


@pytest.mark.parametrize("storage_path", [None, "", "/mnt/data/elastic", "/mnt/data/elastic/"])
def test_log_paths_are_below_the_storage_path(storage_path):
    assert install_record.log_paths(storage_path) == install_record.LogPaths(
        bootstrap="/mnt/data/elastic/logs/bootstrap-logs/bootstrap.log",
        folder="/mnt/data/elastic/logs/ece-install",
        output=LOG,
        record="/mnt/data/elastic/logs/ece-install/record.json",
        lock="/mnt/data/elastic/logs/ece-install/lock",
    )


def test_last_lines_are_the_last_forty():
    assert install_record.last_lines("".join(f"{number}\n" for number in range(100))) == [
        str(number) for number in range(60, 100)
    ]
    assert install_record.last_lines("") == []


# -- FOLLOW_SOURCE, as it runs on a host -----------------------------------------------------------------------------


def follow(folder, limit="0"):
    """The record that `python -c` prints, among output of a login shell."""
    command = [
        sys.executable,
        "-c",
        install_record.FOLLOW_SOURCE,
        str(folder / "record.json"),
        str(folder / "lock"),
        limit,
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, timeout=20)
    return install_record.parse_follow("Welcome!\nlast login: ECE-RECORDS\nbanner " + done.stdout.decode() + "bye\n")


@pytest.fixture
def held(tmp_path):
    """The lock as a supervisor holds it; closing the file releases it."""
    with open(tmp_path / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def test_follow_where_nothing_was_ever_started(tmp_path):
    record = follow(tmp_path, "60")
    assert (record.pop("now") > 0, record) == (True, {"lock": "absent"})


def test_follow_under_a_held_lock_prints_running_after_its_time_limit(tmp_path, held):
    (tmp_path / "record.json").write_text(json.dumps(STARTED))
    record = follow(tmp_path)
    assert (install_record.install_state(record), record["started"]) == ("running", 1000.0)


def test_follow_under_a_free_lock_prints_the_result(tmp_path):
    (tmp_path / "lock").touch()
    (tmp_path / "record.json").write_text(json.dumps({**FINISHED, "rc": 4}))
    before = time.time()
    record = follow(tmp_path, "60")
    assert (install_record.install_state(record), record["rc"], record["output"]) == ("finished", 4, FINISHED["output"])
    assert before <= record["now"] <= time.time()


def test_follow_under_a_free_lock_sees_an_interruption(tmp_path):
    (tmp_path / "lock").touch()
    (tmp_path / "record.json").write_text(json.dumps(STARTED))
    assert install_record.install_state(follow(tmp_path, "60")) == "interrupted"


def test_follow_waits_for_the_end_and_prints_it(tmp_path, held):
    (tmp_path / "record.json").write_text(json.dumps(STARTED))

    def end():
        (tmp_path / "record.json").write_text(json.dumps({**FINISHED, "rc": 0}))
        held.close()

    timer = threading.Timer(0.2, end)
    timer.start()
    record = follow(tmp_path, "60")
    timer.join()
    assert (install_record.install_state(record), record["rc"]) == ("finished", 0)


@pytest.mark.parametrize("content", ["", "{", "not json"])
def test_follow_survives_a_broken_record(tmp_path, content):
    (tmp_path / "lock").touch()
    (tmp_path / "record.json").write_text(content)
    assert follow(tmp_path, "60")["lock"] == "over"


def test_follow_leaves_the_lock_as_it_was(tmp_path, held):
    follow(tmp_path)
    other = os.open(tmp_path / "lock", os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


@pytest.mark.parametrize("stdout", ["", "Permission denied\n", "ECE-RECORD {broken\n", "ECE-RECORD"])
def test_parse_follow_of_something_else_is_none(stdout):
    assert install_record.parse_follow(stdout) is None
