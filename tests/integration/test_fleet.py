# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests, tokens, tasks and lines of output do not grow with the joined hosts of a fleet. No test uses the clock."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter

import pytest

from tests.integration.scenarios.scenario import hold_installers, until
from tests.role_names import REPORT_TASK, outputs_of
from tests.standin.hosts import INSTALLER_CONTAINER

FLEET = 300
NEW = 20
API = "/api/v1/platform"
LISTS = {API, f"{API}/infrastructure/runners", f"{API}/infrastructure/allocators"}


def new_hosts(operator, count, **knobs):
    """Add this many hosts that have not joined."""
    for number in range(1, count + 1):
        operator.new_host(f"new-{number:02}", f"192.0.2.{number}", **knobs)


# -- one plan --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("standin_options", [{"allocators": FLEET}])
@pytest.mark.parametrize(
    "options", [(), ("--check", "--diff"), ("--limit", "existing-1*")], ids=["all", "check mode", "limit"]
)
def test_a_joined_fleet_costs_one_task_and_four_requests_in_all(operator, options):
    operator.hosts.update(operator.ece.existing_hosts())
    run = operator.play(*options)
    assert run.rc == 0, run.output
    assert len(run.recap) == 1 and run.total("ok") == 1 and run.total("changed") == run.total("skipped") == 0, run.recap
    assert len(operator.ece.requests) <= 4
    assert len(run.output.splitlines()) < 25


@pytest.mark.parametrize("standin_options", [{"allocators": 50}])
def test_in_another_play_a_joined_host_skips_one_task_at_most(any_operator):
    operator = any_operator
    operator.hosts.update(operator.ece.existing_hosts())
    run = operator.play(
        playbook=operator.write(
            "own.yml", [{"hosts": "allocators", "gather_facts": False, "roles": ["ece.platform.ece_host"]}]
        )
    )
    assert run.rc == 0, run.output
    assert run.total("ok") == 1
    assert run.total("skipped") == (50 if "oldest" in operator.core.parts else 0)
    assert len(operator.ece.requests) <= 4


DECLARED = {
    "ece_host_allocator_tags": {"ssd": True},
    "ece_host_allocator_tags_exact": True,
    "ece_host_maintenance": False,
    "ece_host_roles_exact": True,
}


@pytest.mark.parametrize("standin_options", [{"allocators": 1000}])
def test_a_joined_fleet_that_is_as_declared_costs_no_request_more(operator):
    operator.hosts.update(operator.ece.existing_hosts())
    for known in operator.ece.platform.current_allocators():
        operator.ece.platform.set_metadata(known.allocator_id, [("ssd", "true")], None)
    operator.group_vars = DECLARED
    operator.ece.reset_requests()
    run = operator.play()
    assert run.rc == 0, run.output
    assert len(run.recap) == 1 and run.total("ok") == 1 and run.total("changed") == run.total("skipped") == 0, run.recap
    assert len(operator.ece.requests) <= 4 and operator.ece.mutations == []


@pytest.mark.parametrize("standin_options", [{"allocators": FLEET}])
def test_a_joined_host_that_differs_costs_requests_for_itself_alone(operator):
    operator.hosts.update(operator.ece.existing_hosts())
    operator.hosts["existing-7"]["ece_host_maintenance"] = True
    address = operator.hosts["existing-7"]["ansible_host"]
    run = operator.play()
    assert run.rc == 0 and list(run.recap) == ["existing-1", "existing-7"], run.output
    single = [entry for entry in operator.ece.requests if entry["path"] not in LISTS and "_login" not in entry["path"]]
    assert all(f"/{address}" in entry["path"] for entry in single) and len(single) <= 5, single
    assert len(operator.ece.mutations) == 1 and len(operator.ece.requests) <= 10


# -- one watch, one token, little output -----------------------------------------------------------------------------


@pytest.mark.parametrize("standin_options", [{"allocators": FLEET, "install_seconds": 2.0}])
def test_a_join_requests_only_lists_mints_once_and_prints_little(operator):
    operator.hosts.update(operator.ece.existing_hosts())
    new_hosts(operator, NEW)
    run = operator.play()
    assert run.rc == 0, run.output
    assert len(operator.ece.joined) == NEW and operator.ece.minted == 1
    asked = Counter((entry["method"], entry["path"]) for entry in operator.ece.requests)
    assert {path for method, path in asked if method == "GET"} == LISTS, "no request names a host"
    assert [key for key in asked if key[0] != "GET"] == [("POST", f"{API}/configuration/security/enrollment-tokens")]
    # One poll is one request for each list, however many hosts wait. The end of the wait may cut the last poll short.
    counts = [asked[("GET", path)] for path in LISTS - {API}]
    assert asked[("GET", API)] == 1, "the plan asks for version and totals"
    assert max(counts) - min(counts) <= 1, asked
    # A new host has a line in the plan, one for each of its tasks, one in the report and one in the recap.
    assert len(run.output.splitlines()) <= 9 * NEW + 70
    assert max(counts["ok"] + counts["skipped"] for name, counts in run.recap.items() if name != "new-01") <= 6


def test_all_hosts_of_a_batch_install_at_the_same_time_with_any_number_of_forks(operator):
    new_hosts(operator, 4)
    release = hold_installers(operator)
    running = operator.start("--forks", "1")
    # No installer ends before the last one has started.
    until(lambda: all(INSTALLER_CONTAINER in host.containers for host in operator.ece.hosts.values()))
    release()
    run = operator.wait_for(running)
    assert run.rc == 0 and len(operator.ece.joined) == 4, run.output


# -- batches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch", "batches"),
    [(1, [1, 1, 1, 1]), ("50%", [2, 2]), ([1, "100%"], [1, 3]), ("3", [3, 1])],
    ids=["number", "percentage", "list", "string"],
)
def test_each_batch_mints_one_token_and_reports_its_own_hosts(any_operator, batch, batches):
    operator = any_operator
    operator.group_vars = {"ece_host_batch": batch}
    new_hosts(operator, 4)
    run = operator.play()
    assert run.rc == 0 and len(operator.ece.joined) == 4, run.output
    assert operator.ece.minted == len(batches)
    reports = outputs_of(REPORT_TASK, run.output)
    assert [sum(" joined " in line for line in report.splitlines()) for report in reports] == batches


def test_a_batch_with_too_many_failures_ends_the_run(any_operator):
    operator = any_operator
    operator.group_vars = {"ece_host_batch": 2, "ece_host_max_fail_percentage": "40"}
    new_hosts(operator, 4)
    operator.ece.hosts["new-01"].configure(broken=1)
    run = operator.play()
    assert run.rc != 0
    # Half of the first batch fails its check, so nothing is started at all.
    assert operator.ece.minted == 0 and operator.ece.joins == []
    limit = "which is more than ece_host_max_fail_percentage 40 allows: no installer is started"
    assert f"1 of 2 hosts of a batch have failed, {limit}" in run.text
    (report,) = outputs_of(REPORT_TASK, run.output)
    assert re.search("new-02 .*failed .* its installer was not started: 1 of 2 hosts of a batch have failed", report)
    # Ansible ends the play, so no task fails on the hosts of the next batch, but they have not joined either.
    assert len(re.findall("new-0[34] .*failed .* not begun: 2 of 2 hosts of a batch have failed", report)) == 2
    assert "new-03" not in run.recap
    operator.ece.hosts["new-01"].configure(broken=None)
    again = operator.play()
    assert again.rc == 0 and len(operator.ece.joined) == 4, again.output


def test_after_a_batch_with_too_many_failures_no_installer_of_the_next_one_starts(any_operator):
    operator = any_operator
    operator.group_vars = {"ece_host_batch": 2, "ece_host_max_fail_percentage": 10}
    new_hosts(operator, 4)
    operator.ece.hosts["new-01"].configure(fail=1)
    run = operator.play()
    assert run.rc != 0 and operator.ece.joined == ["192.0.2.2"] and operator.ece.minted == 1
    assert "which is more than ece_host_max_fail_percentage 10 allows: no further host is joined" in run.text
    failed = {name: counts["failed"] for name, counts in run.recap.items()}
    assert failed == {"new-01": 1, "new-02": 0, "new-03": 1, "new-04": 1}


def test_too_many_failures_end_another_play_too(any_operator):
    operator = any_operator
    operator.group_vars = {"ece_host_max_fail_percentage": 10}
    new_hosts(operator, 4)
    operator.ece.hosts["new-01"].configure(fail=1)
    own = operator.write(
        "own.yml", [{"hosts": "allocators", "gather_facts": False, "serial": 2, "roles": ["ece.platform.ece_host"]}]
    )
    run = operator.play(playbook=own)
    assert run.rc != 0 and operator.ece.joined == ["192.0.2.2"] and operator.ece.minted == 1
    assert "allows: no further host is joined" in run.text


def test_a_batch_with_few_failures_does_not_stop_the_others(operator):
    operator.group_vars = {"ece_host_batch": 2, "ece_host_max_fail_percentage": 50}
    new_hosts(operator, 6)
    for name in ("new-01", "new-03", "new-05"):
        operator.ece.hosts[name].configure(fail=1)
    run = operator.play()
    assert run.rc != 0
    assert operator.ece.joined == ["192.0.2.2", "192.0.2.4", "192.0.2.6"] and operator.ece.minted == 3


def test_without_a_limit_failures_do_not_stop_other_batches(operator):
    operator.group_vars = {"ece_host_batch": 2}
    new_hosts(operator, 6)
    for name in ("new-01", "new-03", "new-05"):
        operator.ece.hosts[name].configure(fail=1)
    run = operator.play()
    assert run.rc != 0
    assert operator.ece.joined == ["192.0.2.2", "192.0.2.4", "192.0.2.6"]


def test_a_host_that_would_start_too_late_for_its_token_fails_and_joins_in_the_next_run(any_operator):
    operator = any_operator
    operator.group_vars = {"ece_host_install_timeout": 10}
    new_hosts(operator, 2)
    # The platform grants 73 s instead of the requested 330 s, and its answer takes 5 s. After 3 s a token is too old
    # for an installer that may take 10 s, and another minute until it presents the token.
    operator.ece.platform.tokens.max_validity = 73
    operator.ece.fault(method="POST", path="enrollment-tokens", delay_after=5)
    run = operator.play()
    assert run.rc != 0 and operator.ece.joins == [] and operator.ece.minted == 1, run.output
    assert "its installer was not started: the token of its batch would expire before its installer" in run.text
    # The next token is good for as long as this machine may need to start installers.
    operator.ece.platform.tokens.max_validity = None
    again = operator.play()
    assert again.rc == 0 and len(operator.ece.joined) == 2, again.output


@pytest.mark.parametrize("granted", [60, 5])
def test_a_token_that_is_too_short_for_any_installer_is_used_all_the_same(operator, granted):
    new_hosts(operator, 1)
    operator.ece.platform.tokens.max_validity = granted
    # However long this machine takes until its installer presents the token.
    operator.ece.platform.tokens.leeway_seconds = 3600
    run = operator.play()
    assert run.rc == 0, run.output
    assert operator.ece.minted == 1 and len(operator.ece.joined) == 1


def installing(operator):
    """Return on how many hosts the installer's container runs."""
    return sum(INSTALLER_CONTAINER in host.containers for host in operator.ece.hosts.values())


# -- resume ----------------------------------------------------------------------------------------------------------


def test_the_run_after_a_killed_one_joins_each_host_once(any_operator):
    operator = any_operator
    new_hosts(operator, 4)
    release = hold_installers(operator)
    command, environment = operator.command("ece.platform.add_allocators", "--forks", "1")
    first = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=operator.folder,
        start_new_session=True,
    )
    try:
        until(lambda: installing(operator) >= 2)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert installing(operator) < 4, "the run was killed too late"
    release()
    again = operator.play()
    assert again.rc == 0, again.output
    # Each host enrolls once, and those that were not started need another token.
    addresses = [f"192.0.2.{number}" for number in range(1, 5)]
    assert sorted(join["runner_id"] for join in operator.ece.joins) == addresses
    assert operator.ece.minted == 2
    assert operator.play().total("changed") == 0
