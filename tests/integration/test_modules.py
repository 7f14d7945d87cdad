# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API modules in other plays, with the defaults of the action group, over TLS."""

from __future__ import annotations

import pytest

DEFAULTS = {
    "group/ece.platform.ece": {
        "url": "{{ ece_url }}",
        "ca_path": "{{ ece_ca_path }}",
    }
}


def local_play(*tasks):
    """Return a play of these tasks on localhost."""
    return [{"hosts": "localhost", "gather_facts": False, "module_defaults": DEFAULTS, "tasks": list(tasks)}]


def check(*conditions):
    """Return a task that asserts these conditions."""
    return {"ansible.builtin.assert": {"that": list(conditions)}}


@pytest.fixture
def controller(any_operator):
    """Return an operator whose inventory holds localhost."""
    any_operator.hosts["localhost"] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    return any_operator


@pytest.mark.parametrize("standin_options", [{"allocators": 250, "max_page": 60}])
def test_lists_are_complete_with_any_page_size(controller):
    playbook = controller.write(
        "lists.yml",
        local_play(
            {"ece.platform.ece_allocator_info": {}, "register": "all"},
            check("all.allocators | length == 250", "all.summary.connected == 250", "not all.changed"),
            {"ece.platform.ece_allocator_info": {"zones": ["ece-zone-1"], "connected": True}, "register": "zone"},
            check(
                "zone.allocators | map(attribute='zone_id') | unique == ['ece-zone-1']", "zone.summary.allocators < 250"
            ),
            {"ece.platform.ece_runner_info": {"roles": ["allocator"]}, "register": "runners"},
            check("runners.runners | length == 250"),
            {"ece.platform.ece_platform_info": {"gather": ["proxies", "roles", "license"]}, "register": "platform"},
            check(
                "platform.version == '3.8.0'",
                "platform.totals.allocators == 250",
                "'secret' not in (platform | string | lower)",
            ),
        ),
    )
    run = controller.play(playbook=playbook)
    assert run.rc == 0, run.output
    assert controller.ece.mutations == []


def test_a_token_is_minted_listed_and_revoked_once(controller):
    playbook = controller.write(
        "tokens.yml",
        local_play(
            {
                "ece.platform.ece_enrollment_token": {"roles": ["allocator"], "persistent": True},
                "register": "minted",
                "no_log": True,
            },
            check("minted.token_id is string", "minted.expires_at is none"),
            {"ece.platform.ece_enrollment_token_info": {}, "register": "tokens"},
            check("minted.token_id in tokens.enrollment_tokens | map(attribute='token_id')"),
            {
                "ece.platform.ece_enrollment_token": {"state": "absent", "token_id": "{{ minted.token_id }}"},
                "register": "gone",
            },
            {
                "ece.platform.ece_enrollment_token": {"state": "absent", "token_id": "{{ minted.token_id }}"},
                "register": "again",
            },
            check("gone.changed", "not again.changed"),
        ),
    )
    run = controller.play(playbook=playbook)
    assert run.rc == 0, run.output
    assert controller.ece.tokens == [] and controller.ece.minted == 1
    dry = controller.play(
        "--check",
        playbook=controller.write("mint.yml", local_play({"ece.platform.ece_enrollment_token": {"roles": ["proxy"]}})),
    )
    assert dry.rc == 0 and controller.ece.minted == 1


def test_a_wait_that_times_out_names_the_missing_allocators(operator):
    operator.hosts["localhost"] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    operator.ece.platform.add_runner("192.0.2.1")
    operator.ece.platform.add_runner("192.0.2.2", connected=False)
    wait = {"allocator_ids": ["192.0.2.1", "192.0.2.2", "192.0.2.3"], "wait_timeout": 2, "wait_interval": 1}
    run = operator.play(playbook=operator.write("wait.yml", local_play({"ece.platform.ece_allocator_info": wait})))
    assert run.rc != 0
    assert "after 2 s these allocators are not connected: 192.0.2.2 (not connected), 192.0.2.3 (unknown)" in run.text


def test_roles_are_assigned_with_a_diff_and_then_unchanged(operator):
    operator.hosts["localhost"] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    operator.ece.platform.add_runner("192.0.2.1", roles=("proxy",))
    playbook = operator.write(
        "roles.yml", local_play({"ece.platform.ece_runner": {"runner_id": "192.0.2.1", "roles": ["allocator"]}})
    )
    run = operator.play("--diff", playbook=playbook)
    assert run.rc == 0 and run.total("changed") == 1 and "+" in run.output
    assert {"allocator", "beats-runner", "proxy", "services-forwarder"} <= set(
        operator.ece.platform.runner("192.0.2.1").roles
    )
    assert operator.play(playbook=playbook).total("changed") == 0


def test_roles_go_on_request_but_not_those_of_the_last_coordinator(operator):
    operator.hosts["localhost"] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    platform = operator.ece.platform
    for runner in [runner for runner in platform.runners if "coordinator" in runner.roles]:
        platform.set_roles(runner.runner_id, [role for role in runner.roles if role != "coordinator"], False)
    for runner_id in ("192.0.2.1", "192.0.2.2"):
        platform.add_runner(runner_id, roles=("proxy", "coordinator"))
    platform.add_runner("192.0.2.3", roles=("allocator", "proxy"))
    platform.add_instance("192.0.2.3")

    def play(runner_id, *options):
        exact = {"runner_id": runner_id, "roles": ["proxy"], "roles_exact": True}
        playbook = operator.write(f"exact-{runner_id}.yml", local_play({"ece.platform.ece_runner": exact}))
        return operator.play(*options, playbook=playbook)

    dry = play("192.0.2.1", "--check", "--diff")
    assert dry.rc == 0 and dry.total("changed") == 1 and "coordinator" in dry.output
    assert "coordinator" in platform.runner("192.0.2.1").roles
    assert play("192.0.2.1").rc == 0 and platform.runner("192.0.2.1").chosen_roles == ("proxy",)
    assert play("192.0.2.1").total("changed") == 0
    last = play("192.0.2.2")
    assert last.rc != 0 and "runner_id 192.0.2.2 is the last connected coordinator, and keeps that role" in last.text
    full = play("192.0.2.3")
    assert full.rc != 0 and "because its allocator holds 1 instance" in full.text
    assert "coordinator" in platform.runner("192.0.2.2").roles
    assert "allocator" in platform.runner("192.0.2.3").roles


@pytest.mark.parametrize(
    "standin_options", [{"certificate": "expired"}, {"certificate": "wrong-name"}], ids=["expired", "wrong name"]
)
def test_a_bad_certificate_ends_the_run_without_a_request(operator, standin_options):
    operator.new_host("a", "192.0.2.1")
    run = operator.play()
    sentence = {
        "expired": "the coordinator's certificate has expired",
        "wrong-name": "the coordinator's certificate is for another host name",
    }
    assert run.rc != 0 and sentence[standin_options["certificate"]] in run.text
    assert operator.ece.requests == []


def test_a_connection_without_verification_works_with_a_warning(operator):
    operator.group_vars = {"ece_ca_path": None, "ece_validate_certs": "false"}
    operator.new_host("a", "192.0.2.1")
    run = operator.play(warnings=True)
    assert run.rc == 0, run.output
    assert "the coordinator's certificate is not verified" in run.text
