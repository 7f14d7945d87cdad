# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays that set how errors and time are treated, with hosts that are good, refused and not reachable."""

from __future__ import annotations

import re

import pytest

from tests.role_names import REPORT_TASK, TOKEN_VARIABLE, outputs_of

# Nothing listens there.
DEAD = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}


def dead_host(operator, name, ip):
    operator.new_host(name, ip).update(DEAD, ece_host_ip=ip)


def own_play(operator, **settings):
    """A play with the role and these settings, and one that prints what is left of the token on any host."""
    role = {"hosts": "allocators", "gather_facts": False, "roles": ["ece.platform.ece_host"], **settings}
    shows = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "tasks": [
            {
                "name": "What is left",
                "ansible.builtin.debug": {"msg": "{{ hostvars[item] }}"},
                "loop": "{{ groups['allocators'] }}",
            }
        ],
    }
    return operator.write("own.yml", [role, shows])


def reported(run):
    """The verdicts by host in the tables of a run."""
    tables = [output.split("PLAY ")[0] for output in outputs_of(REPORT_TASK, run.output)]
    lines = [line.split() for table in tables for line in table.splitlines()]
    return {line[0]: line[2] for line in lines if len(line) > 2 and line[0] in ("good", "refused", "dead", "other")}


def test_where_no_host_can_be_reached_there_is_a_report(any_operator):
    operator = any_operator
    operator.environment["ANSIBLE_SHOW_CUSTOM_STATS"] = "1"
    dead_host(operator, "dead", "192.0.2.1")
    dead_host(operator, "other", "192.0.2.2")
    run = operator.play()
    assert run.rc == 4, "Ansible's exit code for unreachable hosts"
    assert {name: counts["unreachable"] for name, counts in run.recap.items()} == {"dead": 1, "other": 1}
    assert reported(run) == {"dead": "failed", "other": "failed"}
    assert '"failed": 2' in run.text and operator.ece.minted == 0
    assert "check ansible_host, the network to it, and the user and key for it" in run.text


SETTINGS = {
    "nothing": {},
    "ignore_unreachable": {"ignore_unreachable": True},
    "ignore_errors": {"ignore_errors": True},
    "both": {"ignore_unreachable": True, "ignore_errors": True},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_hosts_that_cannot_join_stop_no_other_and_are_not_waited_for(any_operator, settings):
    operator = any_operator
    operator.group_vars = {"ece_host_install_timeout": 30}
    operator.new_host("good", "192.0.2.1")
    operator.new_host("refused", "192.0.2.2", broken=1)
    dead_host(operator, "dead", "192.0.2.3")
    run = operator.play(playbook=own_play(operator, **settings))
    assert operator.ece.joined == ["192.0.2.1"], run.output
    assert reported(run) == {"good": "joined", "refused": "refused", "dead": "failed"}
    assert "waiting for good" in run.text and "waiting for refused" not in run.text and "1/1 connected" in run.text
    counted = {name: run.recap[name]["failed"] + run.recap[name]["unreachable"] for name in ("good", "refused", "dead")}
    assert counted == {
        "good": 0,
        "refused": 0 if settings.get("ignore_errors") else 1,
        "dead": 0 if settings.get("ignore_unreachable") else 1,
    }
    assert TOKEN_VARIABLE in run.output, "the last play prints the variables of all hosts, which hold no token"


def test_where_any_error_is_fatal_a_host_that_cannot_be_reached_stops_all(any_operator):
    operator = any_operator
    operator.new_host("good", "192.0.2.1")
    operator.new_host("refused", "192.0.2.2", broken=1)
    dead_host(operator, "dead", "192.0.2.3")
    run = operator.play(playbook=own_play(operator, any_errors_fatal=True))
    assert run.rc != 0 and operator.ece.minted == 0 and operator.ece.joined == [], run.output
    assert reported(run) == {"good": "failed", "refused": "refused", "dead": "failed"}
    (table,) = outputs_of(REPORT_TASK, run.output)
    assert re.search("good .*dead, refused failed, and any_errors_fatal is set", table)
    counted = {name: (run.recap[name]["failed"], run.recap[name]["unreachable"]) for name in run.recap}
    assert {name: counted[name] for name in ("good", "refused", "dead")} == {
        "good": (1, 0),
        "refused": (1, 0),
        "dead": (0, 1),
    }


def test_the_statistics_of_a_play_in_batches_count_all_of_them(any_operator):
    operator = any_operator
    operator.environment["ANSIBLE_SHOW_CUSTOM_STATS"] = "1"
    operator.new_host("good", "192.0.2.1")
    operator.new_host("refused", "192.0.2.2", broken=1)
    operator.hosts["there"] = {"ansible_host": "192.0.2.3"}
    operator.ece.platform.add_runner("192.0.2.3", roles=("allocator",))
    run = operator.play(playbook=own_play(operator, serial=1, ignore_errors=True))
    for sums in ('"joined": 1', '"failed": 1', '"joined_before": 1'):
        assert sums in run.text, run.output


def test_a_play_can_rescue_the_role(operator):
    operator.new_host("good", "192.0.2.1")
    operator.new_host("refused", "192.0.2.2", broken=1)
    operator.new_host("other", "192.0.2.3", fail=1)
    role = {"name": "Join", "ansible.builtin.include_role": {"name": "ece.platform.ece_host"}}
    rescue = {"name": "Tell", "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}
    block = {"name": "Try", "block": [role], "rescue": [rescue]}
    play = operator.write("own.yml", [{"hosts": "allocators", "gather_facts": False, "tasks": [block]}])
    run = operator.play(playbook=play)
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.1"], run.output
    assert {name: counts["rescued"] for name, counts in run.recap.items()} == {"good": 0, "refused": 1, "other": 1}


def test_a_time_limit_for_tasks_does_not_end_the_wait(any_operator):
    operator = any_operator
    # Long enough for the other tasks on a busy machine.
    operator.environment["ANSIBLE_TASK_TIMEOUT"] = "20"
    operator.new_host("good", "192.0.2.1", install_seconds=24)
    run = operator.play()
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.1"], run.output
