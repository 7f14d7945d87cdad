# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scan finds a leak that is made on purpose, and no way to look into a play shows a secret of the collection."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import yaml

from tests.role_names import MINT_TASK, START_TASK, TOKEN_VARIABLE, VARIABLE_PREFIX, WAIT_TASK

ROLES = Path(__file__).resolve().parents[2] / "roles"
RUNNER = Path(sys.executable).parent / "ansible-runner"


def registered():
    """Return the names of all variables that the role's tasks register."""
    tasks = [
        task
        for path in (ROLES / "ece_host" / "tasks").glob("*.yml")
        for task in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
    tasks += [inner for task in tasks for part in ("block", "always") for inner in task.get(part, [])]
    return {task["register"] for task in tasks if "register" in task}


# -- the scan --------------------------------------------------------------------------------------------------------


def test_the_scan_finds_a_leak_in_every_place(any_operator):
    operator = any_operator
    operator.hosts["localhost"] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    secret = "{{ lookup('ansible.builtin.env', 'ECE_PASSWORD') }}"
    tasks = [
        {"name": "Print it", "ansible.builtin.debug": {"msg": "The password is " + secret}},
        {"name": "Keep it", "ansible.builtin.set_fact": {"kept": secret, "cacheable": True}, "no_log": True},
        {
            "name": "Write it",
            "ansible.builtin.copy": {
                "content": "{{ ('x' + " + secret[3:-3] + ") | b64encode }}",
                "dest": str(operator.folder / "of-a-task"),
                "mode": "0600",
            },
            "no_log": True,
        },
        {"name": "Make a temporary file", "ansible.builtin.tempfile": {"suffix": ".leak"}, "register": "made"},
        {
            "name": "Write it there",
            "ansible.builtin.copy": {"content": secret, "dest": "{{ made.path }}", "mode": "0600"},
            "no_log": True,
        },
        {
            "name": "Run something with it",
            "ansible.builtin.shell": "sleep 2; true",
            "environment": {"SOME_NAME": secret},
            "async": 10,
            "poll": 1,
            "no_log": True,
        },
    ]
    run = operator.play(
        playbook=operator.write("leak.yml", [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), leaks=True
    )
    assert run.rc == 0
    assert {hit.kind for hit in run.hits} == {"password of admin"}
    assert any(Path(hit.place).parent == operator.temporary and hit.place.endswith(".leak") for hit in run.hits)
    places = "\n".join(hit.place.replace(str(operator.folder), "") for hit in run.hits) + "\n"
    for place in (
        "output\n",
        "/records/ansible.log\n",
        "/records/results.jsonl\n",
        "/records/junit/",
        "/records/facts/",
        "/of-a-task\n",
    ):
        assert place in places
    assert "environment of a process sleep 2\n" in places and "environment of a process sh -c" in places
    assert operator.ece.password[:8] not in "".join(map(str, run.hits)), "the list of hits must not leak either"


def test_the_scan_finds_a_leaked_token(operator):
    operator.hosts["localhost"] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    mint = {"url": "{{ ece_url }}", "ca_path": "{{ ece_ca_path }}", "roles": ["allocator"]}
    tasks = [
        {"name": "Mint", "ece.platform.ece_enrollment_token": mint, "register": "minted", "no_log": True},
        {"ansible.builtin.debug": {"var": "minted"}},
    ]
    run = operator.play(
        playbook=operator.write("leak.yml", [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), leaks=True
    )
    assert {hit.place.rpartition("/")[2] for hit in run.hits if hit.kind == "enrollment token"} >= {
        "output",
        "ansible.log",
        "results.jsonl",
    }


# -- ways to look into a play ----------------------------------------------------------------------------------------
@pytest.mark.with_both
def test_a_play_can_print_every_variable_of_the_role_without_a_leak(any_operator):
    """One host joins and one fails, at the highest verbosity."""
    operator = any_operator
    operator.new_host("good", "192.0.2.1")
    operator.new_host("bad", "192.0.2.2", fail=1)
    show = [
        {
            "name": "Results",
            "ansible.builtin.debug": {"var": "{{ item }}"},
            "loop": "{{ query('ansible.builtin.varnames', '^" + VARIABLE_PREFIX + "') }}",
        },
        {"name": "All variables", "ansible.builtin.debug": {"var": "hostvars[inventory_hostname]"}},
    ]
    tasks = [
        {"name": "Join", "block": [{"ansible.builtin.include_role": {"name": "ece.platform.ece_host"}}], "always": show}
    ]
    run = operator.play(
        "-vvvv", playbook=operator.write("own.yml", [{"hosts": "allocators", "gather_facts": False, "tasks": tasks}])
    )
    assert run.rc != 0 and [join["runner_id"] for join in operator.ece.joins] == ["192.0.2.1"], run.output
    results = [
        json.loads(line) for line in (operator.records / "results.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    printed = {name for entry in results if entry.get("task") == "Results" for name in entry["result"]}
    assert registered() <= printed and TOKEN_VARIABLE in registered()
    assert {entry["host"] for entry in results if entry.get("task") == "All variables"} == {"good", "bad"}


@pytest.mark.parametrize(
    "settings",
    [
        {"ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "yes", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "no"},
        {"ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "yes", "ANSIBLE_DISPLAY_OK_HOSTS": "no"},
        {"ANSIBLE_DEBUG": "1"},
    ],
    ids=["arguments without skipped hosts", "arguments without ok hosts", "debug"],
)
def test_no_setting_of_ansible_prints_a_secret(any_operator, settings):
    """Callbacks may print the arguments of a task, and ANSIBLE_DEBUG prints those of modules."""
    operator = any_operator
    operator.use_vars_file()
    operator.environment.update(settings)
    operator.new_host("good", "192.0.2.1")
    operator.new_host("bad", "192.0.2.2", fail=1)
    operator.ece.platform.add_runner("192.0.2.3", roles=("proxy",))
    operator.hosts["lacks a role"] = {"ansible_host": "192.0.2.3"}
    run = operator.play(warnings=True)
    assert operator.ece.joined == ["192.0.2.1"], run.output
    printed = ("plan={", "entry={", "done with _execute_module (ece.platform.ece_install")
    assert any(text in run.output for text in printed), run.output


@pytest.mark.parametrize("kind", ["password", "api_key"])
def test_no_process_has_credentials_from_a_file(any_operator, kind):
    """Nothing is exported here, so no environment and no arguments may hold a credential."""
    operator = any_operator
    operator.use_vars_file(**({"ece_api_key": operator.ece.api_key} if kind == "api_key" else {}))
    assert not [name for name in operator.command()[1] if name.startswith("ECE_")]
    operator.new_host("a", "192.0.2.1")
    run = operator.play("-vvvv")
    assert run.rc == 0 and [join["runner_id"] for join in operator.ece.joins] == ["192.0.2.1"], run.output


@pytest.mark.parametrize("kind", ["envvars", "extravars"])
def test_a_job_of_ansible_runner_leaks_nothing(any_operator, kind):
    """AWX runs jobs with ansible-runner. Its events hold every result, and its artifacts may stay for years."""
    operator = any_operator
    operator.new_host("a", "192.0.2.1")
    operator.new_host("b", "192.0.2.2", fail=1)
    hidden = {*operator.recorders(), *operator.environment}
    environment = {key: value for key, value in operator.play_environment().items() if key not in hidden}
    if kind == "envvars":
        # Runner copies the whole environment of any job into the file `command`; AWX removes it.
        credentials, own = operator.environment, [operator.folder / "artifacts" / "1" / "command"]
    else:
        credentials, own = {name.lower(): value for name, value in operator.environment.items()}, []
        operator.environment = {}
    for folder in ("env", "inventory", "project"):
        (operator.folder / folder).mkdir()
    path = operator.folder / "env" / kind
    path.write_text(json.dumps(credentials), encoding="utf-8")
    operator.credential_files |= {path, *own}
    operator.inventory().rename(operator.folder / "inventory" / "hosts.yml")
    operator.write("project/site.yml", [{"ansible.builtin.import_playbook": "ece.platform.add_allocators"}])
    run = operator.run([str(RUNNER), "run", str(operator.folder), "-p", "site.yml", "-i", "1", "-vvvv"], environment)
    assert run.rc != 0 and run.recap["a"]["failed"] == 0 and run.recap["b"]["failed"] == 1, run.output
    events = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (operator.folder / "artifacts" / "1" / "job_events").glob("*.json")
    ]
    tasks = {event["event_data"].get("task") for event in events if event["event"] == "runner_on_ok"}
    assert {MINT_TASK, START_TASK, WAIT_TASK} <= tasks
