# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module ece_allocator in plays, over TLS, against a platform that refuses what the real one refuses."""

from __future__ import annotations

import pytest

ID = "192.0.2.1"
MODULE = "ece.platform.ece_allocator"
OF_ALLOCATOR = f"/platform/infrastructure/allocators/{ID}"


@pytest.fixture
def controller(operator):
    """Return an operator whose inventory holds localhost, and whose platform has an allocator."""
    return with_allocator(operator)


def with_allocator(operator):
    operator.hosts["localhost"] = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    operator.ece.platform.add_runner(ID)
    return operator


def run(operator, *arguments, **options):
    """Run a play with one task of the module."""
    connection = {"url": "{{ ece_url }}", "ca_path": "{{ ece_ca_path }}"}
    tasks = [{MODULE: {**connection, "allocator_id": ID, **options}, "register": "result"}]
    tasks.append({"ansible.builtin.debug": {"var": "result"}})
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    return operator.play(*arguments, playbook=operator.write("allocator.yml", [play]))


def written(operator):
    """Return the requests that were meant to change something, and forget them."""
    found = [(entry["method"], entry["path"].partition(OF_ALLOCATOR)[2]) for entry in operator.ece.mutations]
    operator.ece.reset_requests()
    return found


def test_an_allocator_becomes_what_is_wanted_once(any_operator):
    operator = with_allocator(any_operator)
    platform = operator.ece.platform
    platform.set_metadata(ID, [("ssd", "false"), ("team", "a")], None)
    wanted = {
        "maintenance": True,
        "maintenance_reason": "new disks & more",
        "capacity": 131072,
        "tags": {"ssd": True, "rack:7": "B,left:top"},
    }
    dry = run(operator, "--check", "--diff", **wanted)
    assert dry.rc == 0 and dry.total("changed") == 1 and written(operator) == [], dry.output
    assert (
        '+ "capacity": 131072' in dry.text
        and '- "ssd": "false"' in dry.text
        and "team" not in dry.text.split("TASK")[1]
    )
    first = run(operator, **wanted)
    assert first.rc == 0 and first.total("changed") == 1, first.output
    assert written(operator) == [
        ("POST", "/maintenance-mode/_start"),
        ("PUT", "/settings"),
        ("PUT", "/metadata/ssd"),
        ("PUT", "/metadata/rack:7"),
    ]
    allocator = platform.allocator(ID)
    assert (allocator.maintenance, allocator.maintenance_reason) == (True, "new disks & more")
    assert dict(allocator.settings) == {"capacity": 131072}
    assert dict(allocator.metadata) == {"ssd": "true", "team": "a", "rack:7": "B,left:top"}
    again = run(operator, **wanted)
    assert again.rc == 0 and again.total("changed") == 0 and written(operator) == [], again.output


def test_tags_that_are_all_replace_the_others_and_maintenance_ends_last(controller):
    platform = controller.ece.platform
    platform.set_metadata(ID, [("ssd", "false"), ("team", "a")], None)
    platform.set_maintenance(ID, True)
    wanted = {"maintenance": False, "capacity": 9000, "tags": {"a/b": "x"}, "tags_exact": True}
    first = run(controller, **wanted)
    assert first.rc == 0 and first.total("changed") == 1, first.output
    assert written(controller) == [("PUT", "/settings"), ("PUT", "/metadata"), ("POST", "/maintenance-mode/_stop")]
    allocator = platform.allocator(ID)
    assert allocator.metadata == (("a/b", "x"),) and not allocator.maintenance
    again = run(controller, **wanted)
    assert again.rc == 0 and again.total("changed") == 0 and written(controller) == [], again.output
    none = run(controller, tags={}, tags_exact=True)
    assert none.rc == 0 and none.total("changed") == 1 and platform.allocator(ID).metadata == (), none.output


@pytest.mark.parametrize("standin_options", [{}, {"sparse": True}], ids=["the used memory", "its instances alone"])
def test_a_capacity_below_the_used_memory_is_refused(controller):
    for _ in range(3):
        controller.ece.platform.add_instance(ID)  # 4096 MB each
    refused = run(controller, capacity=9000, maintenance=True, tags={"ssd": "true"})
    sentence = f"capacity 9000 is less than the 12288 MB that the instances on allocator {ID} use"
    assert refused.rc != 0 and sentence in refused.text, refused.output
    assert written(controller) == []


BAD = [
    ({"allocator_id": "192.0.2.99"}, "allocator_id 192.0.2.99 is not known to the platform: give the id of one of its"),
    ({"capacity": 8000}, "capacity 8000 is too small: use 8192 MB or more"),
    ({"tags": {"": "x"}}, "tags has the value 'x' without a key"),
    ({"tags": {"ssd": ""}}, "tags has the tag 'ssd' without a value, which the API refuses (allocators.invalid_empty_"),
    ({"maintenance_reason": "x"}, "maintenance_reason is set without maintenance: true"),
]


def test_bad_input_is_one_sentence_each_and_nothing_is_written(controller):
    connection = {"url": "{{ ece_url }}", "ca_path": "{{ ece_ca_path }}"}
    tasks = [
        {MODULE: {**connection, "allocator_id": ID, "tags": {"good": "one"}, **options}, "ignore_errors": True}
        for options, _sentence in BAD
    ]
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    refused = controller.play(playbook=controller.write("bad.yml", [play]))
    assert refused.rc == 0 and refused.total("ignored") == len(BAD), refused.output
    assert [sentence for _options, sentence in BAD if sentence not in refused.text] == []
    assert written(controller) == []


def test_what_was_written_before_a_refusal_is_said_and_the_next_run_goes_on_there(controller):
    controller.ece.fault(
        method="PUT", path=f"{ID}/metadata", status=400, code="allocators.refused", message="Not today.", times=1
    )
    wanted = {"capacity": 9000, "tags": {"ssd": "true"}}
    refused = run(controller, **wanted)
    assert refused.rc != 0 and "Not today." in refused.text, refused.output
    assert "before that, this was written: capacity 9000 MB" in refused.text and '"changed": true' in refused.text
    written(controller)
    again = run(controller, **wanted)
    assert again.rc == 0 and written(controller) == [("PUT", "/metadata/ssd")], again.output


@pytest.mark.parametrize("after_effect", [False, True], ids=["request", "answer"])
def test_a_lost_request_or_answer_of_a_maintenance_ends_well(controller, after_effect):
    controller.ece.fault(
        method="POST", path="maintenance-mode/_start", times=1, **{"reset": "after" if after_effect else "before"}
    )
    started = run(controller, maintenance=True)
    assert started.rc == 0 and started.total("changed") == 1, started.output
    assert controller.ece.platform.allocator(ID).maintenance
    assert len(written(controller)) == (1 if after_effect else 2)


# -- absent ----------------------------------------------------------------------------------------------------------


def test_an_allocator_is_deleted_once_its_host_is_gone(any_operator):
    operator = with_allocator(any_operator)
    platform = operator.ece.platform
    refused = run(operator, state="absent")
    assert refused.rc != 0 and f"allocator {ID} is connected, so the allocator is not deleted" in refused.text
    platform.disconnect(ID)
    instance = platform.add_instance(ID, "kibana")
    held = f"allocator {ID} holds 1 instance (kibana {instance.cluster_id} of deployment {instance.deployment_id})"
    refused = run(operator, state="absent")
    assert refused.rc != 0 and held in refused.text and written(operator) == [], refused.output
    dry = run(operator, "--check", state="absent", remove_instances=True)
    assert dry.rc == 0 and dry.total("changed") == 1 and written(operator) == [], dry.output
    gone = run(operator, state="absent", remove_instances=True)
    assert gone.rc == 0 and gone.total("changed") == 1 and instance.cluster_id in gone.text, gone.output
    assert written(operator) == [("DELETE", "")]
    assert platform.current_allocators() == [] and len(platform.current_runners()) == 1
    again = run(operator, state="absent")
    assert again.rc == 0 and again.total("changed") == 0 and written(operator) == [], again.output


def test_the_allocator_of_a_connected_runner_is_not_deleted(controller):
    platform = controller.ece.platform
    platform.set_roles(ID, ["proxy", "beats-runner", "services-forwarder"], True)
    assert not platform.allocator(ID).connected(platform.now())
    refused = run(controller, state="absent")
    assert refused.rc != 0 and f"the runner of allocator {ID} is connected" in refused.text, refused.output
    assert written(controller) == []


def test_a_deletion_whose_answer_was_lost_is_a_change(controller):
    controller.ece.platform.disconnect(ID)
    controller.ece.fault(method="DELETE", path=f"{ID}$", reset="after", times=1)
    gone = run(controller, state="absent")
    assert gone.rc == 0 and gone.total("changed") == 1, gone.output
    assert controller.ece.platform.current_allocators() == []
