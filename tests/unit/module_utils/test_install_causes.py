# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The causes of a failed install in what the installer prints and logs."""

from __future__ import annotations

import time

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _install_causes as install_causes

BOOTSTRAP = """\
[2026-11-27 08:00:00,123][INFO ][no.found.bootstrap.Bootstrap] Connecting
[2026-11-27 08:00:01,123][WARN ][no.found.bootstrap.Checks] vm.max_map_count is low
[2026-11-27 08:00:02,123][ERROR][no.found.bootstrap.Bootstrap] - Unable to reach the coordinator 10.0.0.1:22191
java.net.ConnectException: refused
\tat no.found.Main(Main.java:1)
2026-11-27T08:00:03Z ERROR: it gives up
[2026-11-27 08:00:04,123][ERROR][no.found.bootstrap.Bootstrap] - Please check logs {}
"""


def test_causes_are_the_errors_and_warnings_of_a_log_without_date_level_and_logger():
    assert install_causes.log_causes(BOOTSTRAP) == (
        ["Unable to reach the coordinator 10.0.0.1:22191", "it gives up"],
        ["vm.max_map_count is low"],
    )
    assert install_causes.log_causes("an ERROR in the middle\n[x][INFO ][WARNING.Logger] fine\n") == ([], [])
    assert install_causes.log_causes("ERROR one\nERROR one\nERROR two\nERROR three")[0] == ["two", "three"]


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("[2026-11-27 08:00:02,123][ERROR][no.found.Bootstrap] it fails", ("error", "it fails")),
        ("[2026-11-27 08:00:02,123] ERROR it fails", ("error", "it fails")),
        ("[2026-11-27T08:00:02.123Z] [error] it fails", ("error", "it fails")),
        ("2026-11-27 08:00:02,123 ERROR no.found.Bootstrap:12 - it fails", ("error", "it fails")),
        ("08:00:02.123 [main] ERROR no.found.Bootstrap - it fails", ("error", "it fails")),
        ("2026/11/27 08:00:02 WARN | it is low", ("warning", "it is low")),
        ("ERROR: it fails", ("error", "it fails")),
        ("Error: it fails", ("error", "it fails")),
        ("warning: it is low", ("warning", "it is low")),
        (" - FATAL it fails", ("error", "it fails")),
        ('{"@timestamp":"2026-11-27T08:00:02Z","level":"ERROR","message":"it\\nfails"}', ("error", "it fails")),
        ('{"log.level":"warn","message":"it is low"}', ("warning", "it is low")),
        ('{"log":{"level":"error"},"msg":"it fails"}', ("error", "it fails")),
        ('{"level":"info","message":"an ERROR: none"}', ("", "an ERROR: none")),
        ('time="2026-11-27T08:00:02Z" level=error msg="it \\"fails\\""', ("error", 'it "fails"')),
        ("level=warning msg=low", ("warning", "low")),
        ('{"level": 5, "message": "x"}', ("", "x")),
        ('{"level": "ERROR"', ("", '{"level": "ERROR"')),
        ("{" * 100_000, ("", "{" * 2000)),
        ("10.0.0.7 is not reachable", ("", "10.0.0.7 is not reachable")),
        ("20000: the port is in use", ("", "20000: the port is in use")),
        ("[2026-11-27 08:00:02] ECE could not verify it", ("", "ECE could not verify it")),
        ("Errors have come", ("", "Errors have come")),
        ("Error pulling image", ("", "Error pulling image")),
        ("", ("", "")),
    ],
)
def test_a_line_is_read_in_any_usual_shape(line, read):
    assert install_causes.read_line(line) == read


@pytest.mark.parametrize(
    "prefix", ["", "  ", "[2026-11-27 08:00:02] ", "[2026-11-27][INFO ][no.found.Checks] - ", "-- "]
)
def test_each_failed_check_of_the_container_is_a_cause_with_the_line_after_it(prefix):
    lines = [
        "Checking runner container connectivity... PASSED",
        "Checking host storage path ... FAILED",
        "The path /mnt/data/elastic has other files",
        "Checking open files... \u2716 FAILED",
        "Checking ip_forward... FAILED - it is 0",
        "Checking that the disk FAILED",
        "",
        "- Errors have caused the installation to fail",
    ]
    assert install_causes.failed_checks([prefix + line for line in lines]) == [
        "Checking host storage path failed: The path /mnt/data/elastic has other files",
        "Checking open files failed",
        "Checking ip_forward failed: it is 0",
        "Checking that the disk failed",
    ]


def test_failed_checks_have_a_limit_and_are_named_once():
    lines = [f"Checking number {number // 2}... FAILED" for number in range(100)]
    assert install_causes.failed_checks(lines) == [f"Checking number {number} failed" for number in range(5)]
    assert install_causes.failed_checks(["Checking failed logins... PASSED", "Checking whether it failed"]) == []


@pytest.mark.parametrize(
    "line", ["Checking it" + "." * 1900 + " PASSED", "Checking it" + " ." * 900 + "!", "[a]" * 100_000, "- " * 100_000]
)
def test_a_long_line_takes_no_time(line):
    begun = time.process_time()
    assert install_causes.failed_checks([line]) == []
    assert time.process_time() - begun < 1


def test_a_check_is_named_as_it_stands_however_many_dots_follow():
    lines = ["Checking ports (22191)" + "." * 1500 + " FAILED: no answer", "Checking that it failed... failed"]
    assert install_causes.failed_checks(lines) == [
        "Checking ports (22191) failed: no answer",
        "Checking that it failed failed",
    ]


def test_a_check_that_output_and_log_have_is_one_cause():
    output = ["Checking max_map_count... FAILED", "it is low"]
    log = "\n".join(f"[2026-11-27][ERROR][x] {line}" for line in [*output, "the installation failed"])
    assert install_causes.all_causes(output, ["", log]) == (
        ["Checking max_map_count failed: it is low", "the installation failed"],
        [],
    )


def test_several_causes_have_a_remedy_each():
    texts = ["Checking max_map_count failed", "an unknown one", "Checking open files failed", "vm.max_map_count"]
    remedies = install_causes.known_remedies(*texts)
    assert [remedy.split(" ")[0] for remedy in remedies] == ["Set", "Raise"]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("coordinator 10.0.0.1 refused the host, which is still registered", "Run the same again: the plan looks"),
        ("coordinator 10.0.0.1:22191: connection refused", "Let this host reach the coordinators"),
        ("ECE version 4.0.3 is not compatible with RHEL-8 and Podman-. Please consult", "Install the package podman-"),
        ("ECE version 4.0.3 is not compatible with RHEL-9 and Podman-3. Please consult", "Install an operating system"),
        ("To resolve the issue, add the user to the docker group", "Give the install user a UID"),
        (
            "The ports 20000, 21000 and 22000 of this host cannot be reached",
            "Free the ports 20000, 21000 and 22000, and",
        ),
        ("The host has 4096 MB of memory, but at least 8192 MB are required", "Give the host 8192 MB"),
        ("The setting net.ipv4.ip_forward is 0", "Set the kernel setting net.ipv4.ip_forward"),
        ("The boot argument cgroup.memory=nokmem is not set", "Boot the host with"),
    ],
)
def test_each_known_text_has_its_remedy(text, remedy):
    (found,) = install_causes.known_remedies(text)
    assert found.startswith(remedy)


def test_a_check_that_passes_is_no_cause():
    lines = ["Checking cgroup.memory ... OK", "Checking open files... PASSED", "Checking the disk ..."]
    assert install_causes.messages(["Starting", *lines, "it is full"]) == [
        "Starting",
        "Checking the disk ...",
        "it is full",
    ]
