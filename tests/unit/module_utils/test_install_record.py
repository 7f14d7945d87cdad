# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of an install: its fields, its states and its result."""

from __future__ import annotations

import json

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
        (
            125,
            "the engine could not start the installer's container",
            "pull the image from docker_registry (ece_host_docker_registry)",
        ),
        (126, "a command could not be run", "may run the engine's command"),
        (127, "a command was not found", "podman-remote"),
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
        ({"lock": "over", **FINISHED, "rc": None}, "interrupted"),
        ({"lock": "over", "damaged": True}, "interrupted"),
        ({"lock": "running", "damaged": True}, "running"),
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
            "Start the container engine, or set docker_socket (ece_host_docker_socket). Log: " + LOG,
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
            STARTED, None, "the installer was interrupted. The host was rebooted or the installer", id="interrupted"
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


def test_last_lines_are_the_last_forty():
    assert install_record.last_lines("".join(f"{number}\n" for number in range(100))) == [
        str(number) for number in range(60, 100)
    ]
    assert install_record.last_lines("") == []


# -- causes ----------------------------------------------------------------------------------------------------------

GENERIC = "The cause may be the storage path"


def result(**record):
    return install_record.outcome({"lock": "over", **FINISHED, **record}, "/mnt/data/elastic")


def test_a_failure_names_its_cause_from_the_log_the_remedy_and_that_log():
    output = ["- Errors have caused the install to fail - Please check logs {}", "- Node type - additional {}"]
    found = result(
        rc=1,
        output=output,
        errors=["Unable to reach the coordinator 10.0.0.1:22191"],
        logs=["/mnt/data/elastic/logs/bootstrap-logs/bootstrap.log"],
        folder="/var/lib/ece-install/x",
    )
    assert found["msg"] == (
        "installer exit 1 (general failure): Unable to reach the coordinator 10.0.0.1:22191. Let this host reach the "
        "coordinators at ports 12443 and 22191 to 22195, and the directors at 12191 to 12201; check coordinator_host "
        "(ece_host_coordinator). Log: /mnt/data/elastic/logs/bootstrap-logs/bootstrap.log, "
        "/var/lib/ece-install/x/output.log"
    )


@pytest.mark.parametrize(
    ("rc", "line", "remedy"),
    [
        (1, "Can't determine a default HOST_IP.", "Set host_ip (ece_host_ip)"),
        (1, 'Device "link" does not exist.', "Set host_ip (ece_host_ip)"),
        (
            1,
            "ECE version 4.0.3 is not compatible with RHEL-9 and Podman-3. Please",
            "Install an operating system",
        ),
        (1, "Can't use a --cloud-enterprise-version value greater than 3.5.1", "ece_host_installer_url"),
        (
            1,
            "Host storage path /mnt/data/elastic exists but doesn't have write permissions for user 'elastic'.",
            "storage_path (ece_host_storage",
        ),
        (4, "The user is not a member of the docker group.", "UID and GID of 1000 or more and add it to"),
        (5, "ECE could not verify the Docker socket (/var/run/docker.sock).", "docker_socket (ece_host_docker_socket)"),
        (125, "docker: Error response from daemon: pull access denied for ece", "Log the install user in"),
        (125, "Unable to find image '10.0.0.200:latest' locally", "Let the engine reach the registry"),
        (125, 'The container name "/elastic-cloud-enterprise-installer" is already in use', "Remove the container"),
        (125, "Bind for 0.0.0.0:20000 failed: port is already allocated", "Free the ports 20000"),
        (
            125,
            "Cannot connect to Podman. Please verify your connection: permission denied",
            "let the install user read",
        ),
        (125, "write /var/lib/docker/tmp: no space left on device", "Make room on the disk"),
        (127, "line 178: podman-remote: command not found", "Install the package podman-remote"),
        (127, "docker: command not found", "podman-docker for Podman"),
    ],
)
def test_what_the_installer_is_known_to_say_has_its_own_remedy_and_no_list_of_causes(rc, line, remedy):
    found = result(rc=rc, output=["Starting", line])
    assert remedy in found["msg"] and GENERIC not in found["msg"], found["msg"]
    assert found["msg"].count(line.rstrip(".")) == 1


def test_the_list_of_causes_stands_only_where_nothing_is_known():
    assert GENERIC in result(rc=1, output=["odd"])["msg"]
    assert "Correct this and run this again." in result(rc=1, errors=["the clock is wrong"])["msg"]
    assert "odd. the clock differs. " in result(rc=1, output=["odd"], warnings=["the clock differs"])["msg"]


def test_a_coloured_refusal_ends_as_one_sentence():
    lines = ["\x1b[0;31mECE could not verify the Docker socket (/x).\x1b[0m", "\x1b[0;31mStart the engine.\x1b[0m"]
    assert result(rc=5, output=lines)["msg"].startswith(
        "installer exit 5 (precondition): ECE could not verify the Docker socket (/x). Start the engine. Start the"
    )


@pytest.mark.parametrize(
    ("record", "text", "remedy"),
    [
        ({"stopped_by": 15, "rc": -15}, "its supervisor was stopped by signal 15", "Wait until the host is up; remove"),
        ({"in_session": True, "stopped_by": 15, "rc": -15}, "this host's logind", "ece_host_become: true"),
        ({"in_session": True}, "this host's logind ends all processes", "ece_host_become: true"),
        ({"damaged": True}, "its record is damaged", "Look at the host and its disk"),
        ({"rc": -15, "timed_out": True, "errors": ["no coordinator"]}, "was stopped. no coordinator.", "more time"),
        ({"rc": 126, "supervisor_error": "OSError: disk"}, "watched the installer failed and stopped it", "Run this"),
    ],
)
def test_an_installer_that_did_not_end_by_itself_says_why(record, text, remedy):
    found = install_record.outcome({"lock": "over", **STARTED, **record}, None)
    assert text in found["msg"] and remedy in found["remedy"], found


# -- damaged records -------------------------------------------------------------------------------------------------

HUGE = 10**400
ODD = [
    None,
    True,
    "x",
    "1",
    [],
    {},
    -1,
    1.5,
    HUGE,
    float("nan"),
    float("inf"),
    [1],
    [["x"]],
    {"a": 1},
    "\x1b[31m\ud800",
]


@pytest.mark.parametrize("name", sorted(install_record._FIELDS))
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_a_field_of_another_type_is_no_error_and_never_a_result(name, value):
    printed = install_record.MARK + json.dumps({"lock": "over", **FINISHED, "rc": 1, name: value})
    record = install_record.parse_follow(printed)
    found = install_record.outcome(record, None, "h")
    assert found["msg"] and (found["rc"] != 0) and "\x1b" not in found["msg"]
    json.dumps(found).encode()
    found["msg"].encode()
    checked = install_record.checked_record(record)
    assert checked == record and install_record.install_state(record) in ("finished", "interrupted")


def test_a_success_stays_one_whatever_its_other_fields_are():
    record = {"rc": 0, "started": "x", "finished": None, "seconds": "x", "output": 5}
    found = install_record.outcome(record, None)
    assert (found["rc"], found["msg"], found["output"]) == (0, "installed", [])


@pytest.mark.parametrize("content", ["[]", "5", "null", "[" * 100_000, "NaN", '"x"'])
def test_something_else_than_a_record_is_none(content):
    assert install_record.parse_follow(install_record.MARK + content) is None


def test_a_record_has_a_size():
    record = install_record.checked_record({"output": ["x" * 10**6] * 1000, "started": 1})
    assert (len(record["output"]), len(record["output"][0])) == (40, 2000)


@pytest.mark.parametrize("stdout", ["", "Permission denied\n", "ECE-RECORD {broken\n", "ECE-RECORD"])
def test_parse_follow_of_something_else_is_none(stdout):
    assert install_record.parse_follow(stdout) is None


@pytest.mark.parametrize("date", ["", "[2026-11-27 08:00:02] ", "[2026-11-27T08:00:02Z][ERROR] "])
@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("is not compatible with RHEL-9 and Podman-3. Please consult", "Install an operating system"),
        ("/x exists but doesn't have write permissions for user 'elastic'.", "Let the install user read and write"),
        ("Host storage path /x doesn't have read/write permissions.", "Let the install user read and write"),
    ],
)
def test_a_known_message_is_known_with_and_without_a_date(date, line, remedy):
    found = result(rc=1, output=["x", date + line])
    assert f"x. {line}" in found["msg"] and remedy in found["msg"], found["msg"]


def test_several_failed_checks_are_all_named_with_their_remedies():
    found = result(rc=1, errors=["Checking vm.max_map_count failed: it is low", "Checking open files failed"])
    assert found["msg"].startswith(
        "installer exit 1 (general failure): Checking vm.max_map_count failed: it is low. Checking open files failed. "
        "Set the kernel setting vm.max_map_count to 1048576. Raise the engine's limit of open files"
    )


@pytest.mark.parametrize(
    ("rebooted", "text"),
    [(True, "interrupted: the host was rebooted. Remove its ECE"), (False, "was interrupted, or ended unseen")],
)
def test_an_interruption_says_whether_the_host_was_rebooted(rebooted, text):
    assert text in install_record.outcome({"lock": "over", **STARTED, "rebooted": rebooted}, None)["msg"]


@pytest.mark.parametrize("lock", ["running", "unwatched"])
def test_an_installer_that_still_runs_is_no_success_and_not_interrupted(lock):
    found = install_record.outcome({"lock": lock, **STARTED, "installer": "4711 5 x"}, None)
    assert (found["rc"], found["meaning"]) == (None, "still running") and "(pid 4711) still runs" in found["msg"]
