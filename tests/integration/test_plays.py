# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays as users write them: other strategies, conditions, tags, limits, targets with errors, and names of any kind."""

from __future__ import annotations

import pytest

from tests.integration.test_bad_input import untouched

ROLE = "ece.platform.ece_host"
ADDRESSES = {"new-1": "192.0.2.1", "new-2": "192.0.2.2", "new-3": "192.0.2.3"}
ALL = sorted(ADDRESSES.values())


def three_hosts(operator):
    for name, address in ADDRESSES.items():
        operator.new_host(name, address)


def own_play(operator, *options, warnings=True, **play):
    """Run a play for all hosts that has the role, or what `play` says."""
    content = {
        "hosts": "allocators",
        "gather_facts": False,
        **({"roles": [ROLE]} if "tasks" not in play else {}),
        **play,
    }
    return operator.play(*options, playbook=operator.write("own.yml", [content]), warnings=warnings)


# -- a plan that fails -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [False, True], ids=["playbook", "role"])
def test_a_failed_plan_counts_for_every_host_so_that_a_repeated_run_has_all_of_them(any_operator, own):
    operator = any_operator
    three_hosts(operator)
    operator.environment.update(
        ANSIBLE_RETRY_FILES_ENABLED="true", ANSIBLE_RETRY_FILES_SAVE_PATH=str(operator.folder / "retry")
    )
    password, operator.environment["ECE_PASSWORD"] = operator.environment["ECE_PASSWORD"], "not-the-password"
    run = own_play(operator) if own else operator.play(warnings=True)
    assert run.rc == 2 and run.text.count("the credentials were refused") <= 2, run.output
    assert {name: counts["failed"] for name, counts in run.recap.items()} == dict.fromkeys(ADDRESSES, 1)
    (retry,) = (operator.folder / "retry").iterdir()
    assert sorted(retry.read_text(encoding="utf-8").split()) == sorted(ADDRESSES)
    operator.environment["ECE_PASSWORD"] = password
    again = operator.play("--limit", f"@{retry}")
    assert again.rc == 0 and operator.ece.joined == ALL, again.output


def test_a_failed_plan_of_a_batch_names_the_hosts_of_later_batches(any_operator):
    operator = any_operator
    three_hosts(operator)
    operator.hosts["new-1"]["ece_host_ip"] = "no-address"
    run = own_play(operator, serial=1)
    assert run.rc == 2 and list(run.recap) == ["new-1"], run.output
    assert "not begun: new-2, new-3; Ansible's recap does not have them" in run.text


def test_a_time_limit_for_tasks_does_not_end_the_plan(any_operator):
    operator = any_operator
    operator.ece.platform.add_runner("192.0.2.9")
    operator.hosts["there"] = {"ansible_host": "192.0.2.9"}
    operator.environment["ANSIBLE_TASK_TIMEOUT"] = "2"
    operator.ece.fault(method="GET", path="/platform", delay=4)
    run = operator.play()
    assert run.rc == 0 and "1 joined, 0 new" in run.text, run.output


# -- strategies ------------------------------------------------------------------------------------------------------


def test_the_playbook_has_its_own_strategy(any_operator):
    operator = any_operator
    three_hosts(operator)
    operator.environment["ANSIBLE_STRATEGY"] = "free"
    run = operator.play()
    assert run.rc == 0 and operator.ece.joined == ALL and operator.ece.minted == 1, run.output


@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_the_role_refuses_a_strategy_in_which_no_task_runs_once(any_operator, strategy):
    operator = any_operator
    three_hosts(operator)
    run = own_play(operator, strategy=strategy)
    assert run.rc != 0 and f"the strategy of the play is {strategy}: set strategy: linear in it" in run.text, run.output
    assert operator.ece.requests == [] and untouched(operator)
    assert "please report it" not in run.text


# -- the role for some hosts of a play -------------------------------------------------------------------------------


def test_a_condition_on_the_role_leaves_its_hosts_out_of_the_plan(any_operator):
    operator = any_operator
    three_hosts(operator)
    run = own_play(operator, roles=[{"role": ROLE, "when": "inventory_hostname != 'new-2'"}], warnings=False)
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.1", "192.0.2.3"], run.output
    assert "2 hosts: 0 joined, 2 new" in run.text and "2/2 connected" in run.text


def test_a_condition_that_leaves_out_the_first_host_is_one_clear_sentence_for_the_others(any_operator):
    operator = any_operator
    three_hosts(operator)
    run = own_play(operator, roles=[{"role": ROLE, "when": "inventory_hostname != 'new-1'"}])
    sentence = "there is no plan, because a condition leaves out the first host of the play, on which the plan runs"
    assert run.rc == 2 and sentence in run.text and untouched(operator), run.output
    assert {name: counts["failed"] for name, counts in run.recap.items()} == {"new-1": 0, "new-2": 1, "new-3": 1}


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ((), "--start-at-task"),
        (("--tags", "ece"), "--start-at-task, --tags or --skip-tags"),
        (("--skip-tags", "other"), "--start-at-task, --tags or --skip-tags"),
    ],
    ids=["all", "tags", "skipped tags"],
)
def test_a_run_that_starts_behind_the_plan_is_one_clear_sentence(any_operator, options, cause):
    operator = any_operator
    three_hosts(operator)
    options = ("--start-at-task", "Join", *options)
    run = own_play(operator, *options, roles=[{"role": ROLE, "tags": ["ece"]}])
    sentence = f"there is no plan, because {cause} left out the task that makes it: run the play without"
    assert run.rc == 2 and sentence in run.text and untouched(operator), run.output
    assert run.total("failed") == 3


@pytest.mark.parametrize("left_out", ["new-1", "new-3"])
def test_a_role_that_is_included_for_some_hosts_joins_those(any_operator, left_out):
    operator = any_operator
    three_hosts(operator)
    include = {"ansible.builtin.include_role": {"name": ROLE}, "when": f"inventory_hostname != '{left_out}'"}
    run = own_play(operator, tasks=[include], warnings=False)
    assert run.rc == 0, run.output
    assert operator.ece.joined == sorted(set(ALL) - {ADDRESSES[left_out]}) and "2/2 connected" in run.text


def test_a_host_that_ended_its_play_before_the_role_is_left_alone(any_operator):
    operator = any_operator
    three_hosts(operator)
    end = {"ansible.builtin.meta": "end_host", "when": "inventory_hostname == 'new-1'"}
    run = own_play(operator, pre_tasks=[end], warnings=False)
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.2", "192.0.2.3"], run.output


def test_a_tag_of_the_role_selects_the_role(any_operator):
    operator = any_operator
    three_hosts(operator)
    run = own_play(
        operator, "--tags", "ece", "--limit", "new-3", roles=[{"role": ROLE, "tags": ["ece"]}], warnings=False
    )
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.3"], run.output


@pytest.mark.parametrize("keyword", ["ignore_errors", "ignore_unreachable", "any_errors_fatal"])
def test_keywords_of_the_play_leave_the_good_hosts_joined(any_operator, keyword):
    operator = any_operator
    three_hosts(operator)
    run = own_play(operator, warnings=False, **{keyword: True})
    assert run.rc == 0 and operator.ece.joined == ALL, run.output


# -- the target ------------------------------------------------------------------------------------------------------


def test_a_target_with_a_typing_error_fails(any_operator):
    operator = any_operator
    three_hosts(operator)
    run = operator.play("-e", "ece_target=alocators", warnings=True)
    assert run.rc != 0 and "ece_target 'alocators' is neither a group nor a host of the inventory" in run.text, (
        run.output
    )


def test_a_target_that_is_a_variable_of_the_inventory_is_refused(any_operator):
    operator = any_operator
    three_hosts(operator)
    operator.group_vars["ece_target"] = "allocators:!new-1"
    run = operator.play(warnings=True)
    assert run.rc != 0 and "ece_target is 'allocators:!new-1' in the inventory, and Ansible chooses" in run.text, (
        run.output
    )
    assert operator.ece.requests == []
    again = operator.play("-e", "ece_target=allocators:!new-1")
    assert again.rc == 0 and operator.ece.joined == ["192.0.2.2", "192.0.2.3"], again.output


def test_a_tag_that_no_task_has_is_one_clear_sentence(any_operator):
    operator = any_operator
    three_hosts(operator)
    run = operator.play("--tags", "bootstrap", warnings=True)
    assert run.rc != 0 and operator.ece.requests == [], run.output
    assert "there is no plan: start at the first task, and run the playbook without --tags and --skip-tags" in run.text


def test_names_with_blanks_and_commas_join_and_their_parts_are_no_patterns(any_operator):
    operator = any_operator
    names = {"ece node 8": "192.0.2.1", "rack,7": "192.0.2.2", "strangers": "192.0.2.3"}
    for number, (name, address) in enumerate(names.items()):
        operator.hosts[name] = operator.ece.add_host(f"machine-{number}", address, zone="ece-zone-1")
    content = operator.ece.inventory(operator.hosts)
    for group in ("node", "7", "strangers"):
        content["all"]["children"][group] = {"hosts": {"stranger": {"ansible_host": "192.0.2.99"}}}
    operator.ece.inventory = lambda hosts: content
    run = operator.play(warnings=True)
    assert run.rc == 0 and operator.ece.joined == ALL, run.output
    assert "stranger " not in run.output and "3/3 connected" in run.text
