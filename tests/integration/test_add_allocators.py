# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""New hosts join, joined hosts cost nothing, check mode writes nothing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from tests.role_names import CHECK_TASK, REPORT_TASK, TOKEN_VARIABLE, WAIT_TASK, outputs_of


@pytest.mark.with_both
@pytest.mark.parametrize("standin_options", [{"allocators": 120}])
def test_check_mode_writes_nothing_then_hosts_join_and_a_second_run_does_nothing(any_operator):
    operator, ece = any_operator, any_operator.ece
    operator.hosts.update(ece.existing_hosts())
    for number in (1, 2, 3):
        operator.new_host(f"new-{number}", f"192.0.2.{number}")

    check = operator.play("--check", "--diff", "-vvvv")
    assert check.rc == 0, check.output
    assert "123 hosts: 120 joined, 3 new" in check.output
    assert all(
        re.search(rf"^  new-{number} +ece-zone-1 +would join", check.output, re.MULTILINE) for number in (1, 2, 3)
    )
    assert ece.mutations == [] and not [entry for entry in ece.requests if entry["method"] != "GET"]
    assert not any(host.containers or host.storage.exists() for host in ece.hosts.values())

    join = operator.play("-vvvv")
    assert join.rc == 0, join.output
    assert ece.joined == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    assert ece.minted == 1
    assert [(entry["method"], entry["status"]) for entry in ece.mutations] == [("POST", 200)]
    assert {name for name in join.recap if join.recap[name]["ok"]} <= {
        "new-1",
        "new-2",
        "new-3",
        sorted(operator.hosts)[0],
    }

    ece.reset_requests()
    again = operator.play()
    assert again.rc == 0, again.output
    assert again.total("changed") == 0 and ece.minted == 1 and ece.mutations == []
    assert "123 hosts: 123 joined, 0 new" in again.output
    assert sum(1 for counts in again.recap.values() if counts["ok"]) == 1, "only the planning task ran, once"
    assert len(ece.requests) <= 4


def test_the_installer_gets_checked_arguments_and_a_clean_environment(operator, monkeypatch):
    # The script would take these in place of arguments that it does not get, and hand them to its container.
    spoiled = ("RUNNER_EXTERNAL_HOSTNAME", "RUNNER_ENVIRONMENT_METADATA_JSON", "API_BASE_URL", "CONFIG_FILE")
    for name in ("CAPACITY", "CLOUD_FEATURE_SURPRISE", *spoiled):
        monkeypatch.setenv(name, "1")
    operator.new_host("a", "192.0.2.1", zone="ece-zone-2").update(
        ece_host_capacity=16384,
        ece_host_memory_settings={"runner": {"xms": "1G", "xmx": "1G"}, "allocator": {"xms": "4G", "xmx": "4G"}},
        ece_host_allocator_tags={"ssd": True, "family": "m5"},
        ece_host_extra_args=["--proxy-tags", "a:b"],
        ece_host_debug=True,
    )
    run = operator.play()
    assert run.rc == 0, run.output
    host = operator.ece.hosts["a"]
    arguments = host.last_arguments
    pairs = dict(zip(arguments, arguments[1:]))
    assert pairs["--availability-zone"] == "ece-zone-2"
    assert pairs["--capacity"] == "16384"
    assert json.loads(pairs["--memory-settings"]) == {
        "allocator": {"xms": "4G", "xmx": "4G"},
        "runner": {"xms": "1G", "xmx": "1G"},
    }
    assert pairs["--allocator-tags"] == "family:m5,ssd:true"
    assert pairs["--cloud-enterprise-version"] == "3.8.0" and pairs["--runner-id"] == "192.0.2.1"
    assert "--debug" in arguments
    environment = host.last_environment
    assert environment.keys().isdisjoint({"CAPACITY", "CLOUD_FEATURE_SURPRISE", "ECE_PASSWORD", *spoiled})
    handed_on = (host.state / "last-container-environment").read_text(encoding="utf-8").splitlines()
    assert {"RUNNER_ENVIRONMENT_METADATA_JSON={}", "CONFIG_FILE="} <= set(handed_on)
    assert not any(line.startswith(("RUNNER_EXTERNAL_HOSTNAME", "HOST_DNS", "ECE_ADMIN")) for line in handed_on)
    assert operator.ece.platform.runner("192.0.2.1").zone == "ece-zone-2"


@pytest.mark.parametrize("kind", ["api_key", "basic as variables"])
def test_an_api_key_or_a_password_in_variables_works(operator, kind):
    operator.new_host("a", "192.0.2.1")
    if kind == "api_key":
        operator.environment = {"ECE_API_KEY": operator.ece.api_key}
    else:
        operator.environment = {}
        operator.group_vars = {"ece_username": operator.ece.username, "ece_password": operator.ece.password}
    run = operator.play("-vvvv")
    assert run.rc == 0, run.output
    assert operator.ece.joined == ["192.0.2.1"]


def test_limit_joins_only_that_host_and_the_next_run_joins_the_rest(operator):
    for number in (1, 2, 3):
        operator.new_host(f"new-{number}", f"192.0.2.{number}")
    first = operator.play("--limit", "new-2")
    assert first.rc == 0 and operator.ece.joined == ["192.0.2.2"], first.output
    second = operator.play()
    assert second.rc == 0 and len(operator.ece.joined) == 3, second.output
    assert operator.ece.minted == 2
    assert second.recap.get("new-2", {"changed": 0})["changed"] == 0


def test_the_role_in_another_play_uses_the_variables_of_that_play(any_operator):
    operator = any_operator
    operator.ece.platform.add_runner("192.0.2.9", zone="ece-zone-3")
    operator.hosts["there"] = {"ansible_host": "192.0.2.9"}
    operator.new_host("new", "192.0.2.1").pop("ece_host_zone")
    playbook = operator.write(
        "own.yml",
        [
            {
                "hosts": "allocators",
                "gather_facts": False,
                "vars": {"ece_host_zone": "ece-zone-3"},
                "roles": [{"role": "ece.platform.ece_host"}],
                "post_tasks": [
                    {"name": "After", "ansible.builtin.debug": {"msg": "{{ inventory_hostname }} continues"}}
                ],
            }
        ],
    )
    run = operator.play(playbook=playbook)
    assert run.rc == 0, run.output
    assert operator.ece.platform.runner("192.0.2.1").zone == "ece-zone-3"
    # From ansible-core 2.18 on a joined host leaves the role without a task, before it skips one. The play continues.
    assert run.recap["there"] == {
        **run.recap["there"],
        "ok": 1,
        "skipped": 1 if "oldest" in operator.core.parts else 0,
        "unreachable": 0,
        "failed": 0,
    }
    assert "there continues" in run.output and "new continues" in run.output


@pytest.mark.parametrize("batch", [1, "50%"])
def test_each_batch_mints_one_token(operator, batch):
    operator.group_vars = {"ece_host_batch": batch}
    for number in (1, 2):
        operator.new_host(f"new-{number}", f"192.0.2.{number}")
    run = operator.play()
    assert run.rc == 0 and len(operator.ece.joined) == 2, run.output
    assert operator.ece.minted == 2


def test_a_persistent_token_is_revoked(operator):
    operator.group_vars = {"ece_host_token_persistent": "true"}
    operator.new_host("a", "192.0.2.1")
    run = operator.play()
    assert run.rc == 0, run.output
    assert operator.ece.minted == 1 and operator.ece.tokens == []
    assert "token: persistent, allocator only, revoked, minted once" in run.output


def test_a_persistent_token_is_revoked_after_a_failure(operator):
    operator.group_vars = {"ece_host_token_persistent": True}
    operator.new_host("a", "192.0.2.1", fail=1)
    run = operator.play()
    assert run.rc != 0
    assert operator.ece.minted == 1 and operator.ece.tokens == []


def test_a_persistent_token_of_a_run_that_vanished_with_its_watchdog_is_revoked_by_the_next_run(operator):
    """As in AWX, where a cancelled job's container is removed with all its processes."""
    operator.group_vars = {"ece_host_token_persistent": True}
    hold = operator.ece.directory / "hold"
    hold.touch()
    operator.new_host("a", "192.0.2.1", hold=str(hold))
    running = operator.start()
    running.read_until("waiting for a")
    os.killpg(running.process.pid, signal.SIGKILL)
    home = f"HOME={operator.folder}".encode()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_watchdog = b"_token_watchdog" in (path / "cmdline").read_bytes()
            if is_watchdog and home in (path / "environ").read_bytes().split(b"\0"):
                os.kill(int(path.name), signal.SIGKILL)
    operator.wait_for(running)
    (left,) = operator.ece.tokens
    running = operator.start()
    running.read_until("waiting for a")
    hold.unlink()
    run = operator.wait_for(running)
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.1"] and operator.ece.minted == 1, run.output
    assert f"token {left}, which an earlier run left, is revoked" in run.text and operator.ece.tokens == []


def test_hosts_without_the_allocator_role_are_found_among_the_runners(operator):
    operator.new_host("a", "192.0.2.1").update(ece_host_roles=["proxy"])
    run = operator.play()
    assert run.rc == 0, run.output
    assert operator.ece.joins[-1]["roles"] == ["proxy"]
    again = operator.play()
    assert again.rc == 0 and "1 joined, 0 new" in again.output


def test_an_installer_url_without_a_checksum_works_with_a_single_warning(operator):
    variables = operator.new_host("a", "192.0.2.1")
    variables.pop("ece_host_installer_src")
    variables.update(
        ece_host_installer_url=f"{operator.ece.url}/installer/elastic-cloud-enterprise.sh",
        ece_host_installer_ca_path=operator.ece.ca_path,
    )
    run = operator.play(warnings=True)
    assert run.rc == 0, run.output
    assert operator.ece.joined == ["192.0.2.1"]
    url = f"{operator.ece.url}/installer/elastic-cloud-enterprise.sh"
    assert run.text.count(f"installer_url {url} has no checksum: hosts run any file that it serves") == 1


def test_an_installer_url_with_its_checksum_works_without_a_warning(operator):
    variables = operator.new_host("a", "192.0.2.1")
    variables.pop("ece_host_installer_src")
    variables.update(
        ece_host_installer_url=f"{operator.ece.url}/installer/elastic-cloud-enterprise.sh",
        ece_host_installer_ca_path=operator.ece.ca_path,
        ece_host_installer_checksum="sha256:" + hashlib.sha256(operator.ece.write_installer().read_bytes()).hexdigest(),
    )
    run = operator.play()
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.1"], run.output


@pytest.mark.parametrize("arguments", [(), ("--check",)], ids=["run", "check mode"])
@pytest.mark.parametrize(
    ("line", "checksum", "sentence"),
    [
        pytest.param(None, None, "is not a file on the host: copy the installer there", id="missing"),
        pytest.param("CLOUD_ENTERPRISE_VERSION=3.7.2", None, "installs ECE 3.7.2, which is older than", id="older"),
        pytest.param("CLOUD_ENTERPRISE_VERSION=3.8.0", "sha256:" + "0" * 64, "instead of sha256:0000", id="checksum"),
    ],
)
def test_nothing_is_minted_for_a_host_with_a_wrong_installer(operator, arguments, line, checksum, sentence):
    variables = operator.new_host("a", "192.0.2.1")
    variables.pop("ece_host_installer_src")
    variables.update(ece_host_installer_url="", ece_host_installer_checksum=checksum)
    if line:
        Path(variables["ece_host_installer_path"]).write_text(f"#!/bin/bash\n{line}\n", encoding="utf-8")
    run = operator.play(*arguments)
    assert run.rc != 0 and sentence in run.text, run.output
    assert operator.ece.minted == 0 and operator.ece.joined == []


def test_a_host_with_the_right_installer_needs_no_address_to_download_it_from(operator):
    script = operator.ece.write_installer()
    checksum = "sha256:" + hashlib.sha256(script.read_bytes()).hexdigest()
    for name, url in (("a", ""), ("b", "https://127.0.0.1:1/elastic-cloud-enterprise.sh")):
        variables = operator.new_host(name, f"192.0.2.{ord(name)}")
        variables.pop("ece_host_installer_src")
        variables.update(ece_host_installer_url=url, ece_host_installer_checksum=checksum)
        shutil.copy(script, variables["ece_host_installer_path"])
    run = operator.play()
    assert run.rc == 0 and len(operator.ece.joined) == 2, run.output


def test_a_host_with_podman_is_installed_with_podman(operator):
    operator.new_host("a", "192.0.2.1", engine="podman", engine_version="5.4.0")
    (operator.ece.hosts["a"].folder / "os-release").write_text('ID="rhel"\nVERSION_ID="9.4"\n', encoding="utf-8")
    run = operator.play()
    assert run.rc == 0, run.output
    assert "--podman" in operator.ece.hosts["a"].last_arguments


def test_a_host_that_fails_does_not_stop_the_others(operator):
    for number in (1, 2, 3):
        operator.new_host(f"new-{number}", f"192.0.2.{number}", fail=5 if number == 2 else None)
    run = operator.play()
    assert run.rc != 0
    assert operator.ece.joined == ["192.0.2.1", "192.0.2.3"]
    assert "new-2 failed: installer exit 5 (precondition)" in run.output
    assert "Start the container engine or set the socket's path" in run.text
    assert run.recap["new-2"]["failed"] == 1 and run.recap["new-1"]["failed"] == 0
    operator.ece.hosts["new-2"].configure(fail=None)
    again = operator.play(warnings=True)
    assert again.rc == 0, again.output
    assert "new-2: " in again.text and "holds parts of an installation that failed" in again.text
    assert len(operator.ece.joined) == 3 and operator.ece.minted == 2


def test_the_failed_checks_of_the_installers_container_are_the_cause(operator):
    operator.new_host("a", "192.0.2.1", failed_checks="nofile ip_forward")
    run = operator.play()
    assert run.rc != 0 and operator.ece.joined == []
    for check, reason in (
        ("OS max open file descriptors per process", "The limit of open files (nofile) is 1024"),
        ("OS IPv4 IP forward", "The setting net.ipv4.ip_forward is 0"),
    ):
        assert f"Checking {check} failed: {reason}" in run.text, run.output
    assert "Raise the engine's limit of open files" in run.text and "Set the kernel setting net.ipv4" in run.text
    assert "minimum required memory" not in run.text and "nokmem" not in run.text


def test_a_host_that_joins_in_another_zone_fails(operator):
    operator.new_host("a", "192.0.2.1", zone="ece-zone-1", join_zone="ece-zone-2")
    run = operator.play()
    assert run.rc != 0
    assert "it is in zone ece-zone-2 instead of ece-zone-1" in run.text


@pytest.mark.parametrize("job", [None, "4711"])
def test_the_custom_statistics_hold_the_report(operator, job):
    operator.environment["ANSIBLE_SHOW_CUSTOM_STATS"] = "1"
    if job:
        operator.group_vars = {"awx_job_id": job}
    operator.new_host("a", "192.0.2.1")
    run = operator.play()
    assert run.rc == 0, run.output
    assert ("ece_host_4711" if job else '"ece_host"') in run.output
    assert '"verdict": "joined"' in run.output


def test_an_empty_group_of_hosts_succeeds_without_a_request(operator):
    content = operator.ece.inventory({})
    content["all"]["children"]["others"] = {"hosts": {"other": {"ansible_host": "192.0.2.99"}}}
    operator.ece.inventory = lambda hosts: content
    run = operator.play()
    assert run.rc == 0, run.output
    assert "no hosts matched" in run.output
    assert operator.ece.requests == []


def test_the_next_coordinator_is_used_when_the_first_is_down(operator):
    operator.group_vars = {"ece_url": ["https://127.0.0.1:1", operator.ece.url]}
    operator.new_host("a", "192.0.2.1")
    run = operator.play()
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.1"], run.output


def test_a_failed_mint_reports_the_reason_and_starts_nothing(any_operator):
    operator = any_operator
    operator.new_host("a", "192.0.2.1")
    operator.new_host("b", "192.0.2.2")
    operator.ece.fault(
        method="POST",
        path="enrollment-tokens",
        status=403,
        code="enrollment_tokens.signing_key_not_found",
        message="No key to sign with.",
    )
    run = operator.play()
    assert run.rc != 0 and "No key to sign with. (enrollment_tokens.signing_key_not_found)" in run.text
    assert not any(host.has_started for host in operator.ece.hosts.values())
    again = operator.play()
    assert again.rc == 0 and len(operator.ece.joined) == 2, again.output


def test_the_playbook_can_be_imported_twice(operator):
    for number in (1, 2):
        operator.new_host(f"new-{number}", f"192.0.2.{number}")
    content = operator.ece.inventory(operator.hosts)
    content["all"]["children"].update(
        {"first": {"hosts": {"new-1": {}}}, "both": {"hosts": {"new-1": {}, "new-2": {}}}}
    )
    operator.ece.inventory = lambda hosts: content
    imports = [
        {"ansible.builtin.import_playbook": "ece.platform.add_allocators", "vars": {"ece_target": target}}
        for target in ("first", "both")
    ]
    site = operator.write("site.yml", imports)
    check = operator.play("--check", playbook=site)
    assert check.rc == 0 and operator.ece.mutations == [], check.output
    assert len(re.findall(r"^  new-1 .* would join", check.output, re.MULTILINE)) == 2, "one line for each import"
    run = operator.play(playbook=site)
    assert run.rc == 0, run.output
    assert "minted 2 times" not in run.output
    assert [join["runner_id"] for join in operator.ece.joins] == ["192.0.2.1", "192.0.2.2"] and operator.ece.minted == 2


def test_a_second_import_with_nothing_new_does_nothing(any_operator):
    operator = any_operator
    operator.new_host("new", "192.0.2.1")
    operator.ece.platform.add_runner("192.0.2.9")
    operator.hosts["there"] = {"ansible_host": "192.0.2.9"}
    content = operator.ece.inventory(operator.hosts)
    groups = {
        "some": {"hosts": {"new": {}}},
        "others": {"hosts": {"there": {}}},
        "empty": {"hosts": {}},
        "all_of_them": {"hosts": {"there": {}, "new": {}}},
    }
    content["all"]["children"].update(groups)
    operator.ece.inventory = lambda hosts: content
    imports = [
        {"ansible.builtin.import_playbook": "ece.platform.add_allocators", "vars": {"ece_target": target}}
        for target in (*groups, "some")
    ]
    run = operator.play(playbook=operator.write("site.yml", imports))
    assert run.rc == 0, run.output
    assert len(outputs_of(CHECK_TASK, run.output)) == 1
    assert len(operator.ece.joins) == 1 and operator.ece.minted == 1


LOSING = """
import os
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = '''
name: losing
short_description: a local connection that is lost when a file appears
description: [For tests.]
author: [x (@x)]
options: {}
'''


class Connection(Local):
    transport = "losing"

    def exec_command(self, *args, **kwargs):
        if os.path.exists(os.environ["LOSE_FILE"]):
            os.remove(os.environ["LOSE_FILE"])
            raise AnsibleConnectionFailure("the network is gone")
        return super().exec_command(*args, **kwargs)
"""


def test_a_connection_lost_between_mint_and_start_is_reported_and_leaves_no_token(any_operator):
    operator = any_operator
    flag = operator.folder / "lose"
    (operator.folder / "plugins").mkdir()
    (operator.folder / "plugins" / "losing.py").write_text(LOSING, encoding="utf-8")
    operator.environment.update(ANSIBLE_CONNECTION_PLUGINS=str(operator.folder / "plugins"), LOSE_FILE=str(flag))
    operator.new_host("a", "192.0.2.1").update(ansible_connection="losing")
    operator.new_host("b", "192.0.2.2")  # so that the playbook goes on
    operator.group_vars = {"ece_host_token_persistent": True}
    operator.ece.fault(method="POST", path="enrollment-tokens", transform=lambda payload: (flag.touch(), payload)[1])
    # What a later play can print must not leak the token either.
    task = {"name": "Print its variables", "ansible.builtin.debug": {"msg": "{{ hostvars['a'] }}"}}
    later = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}
    join = {"ansible.builtin.import_playbook": "ece.platform.add_allocators"}
    run = operator.play(playbook=operator.write("site.yml", [join, later]))
    assert TOKEN_VARIABLE in run.output
    sentence = "its installer was not started because the connection was lost before that; run this again"
    assert run.rc != 0 and sentence in run.text, run.output
    assert operator.ece.minted == 1 and operator.ece.tokens == [] and operator.ece.joined == ["192.0.2.2"]
    again = operator.play()
    assert again.rc == 0 and operator.ece.joined == ["192.0.2.1", "192.0.2.2"], again.output


def test_a_batch_reports_only_its_own_hosts_unless_the_play_ends_with_it(operator):
    operator.group_vars = {"ece_host_batch": [2, 1]}
    operator.new_host("a", "192.0.2.1", fail=1)
    operator.new_host("b", "192.0.2.2")
    operator.new_host("c", "192.0.2.3", fail=1)
    operator.new_host("d", "192.0.2.4")
    run = operator.play()
    assert run.rc != 0
    rows = [
        re.findall(r"^  ([abcd]) +ece-zone-1 +(\S+)", report, re.MULTILINE)
        for report in outputs_of(REPORT_TASK, run.output)
    ]
    assert rows == [[("a", "failed"), ("b", "joined")], [("c", "failed"), ("d", "failed")]]
    assert "not begun: the play ends with the batch before it" in run.text


def test_a_joined_host_in_another_zone_gets_a_warning(operator):
    operator.ece.platform.add_runner("192.0.2.1", zone="ece-zone-3")
    operator.hosts["a"] = {"ansible_host": "192.0.2.1", "ece_host_zone": "ece-zone-1"}
    run = operator.play(warnings=True)
    sentence = "hosts that are joined differ from the inventory: a (it is in zone ece-zone-3 instead of ece-zone-1)"
    assert run.rc == 0 and sentence in run.text


@pytest.mark.parametrize("empty", [False, True], ids=["hosts", "no hosts"])
def test_a_run_that_skips_the_plan_fails_if_there_are_hosts(any_operator, empty):
    operator = any_operator
    if not empty:
        operator.new_host("a", "192.0.2.1")
    run = operator.play("--start-at-task", WAIT_TASK, warnings=True)
    assert (run.rc == 0) == empty, run.output
    assert ("there is no plan: start at the first task" in run.text) == (not empty), run.output
    for option in ("--syntax-check", "--list-tasks", "--list-hosts"):
        assert operator.play(option, warnings=True).rc == 0, option
