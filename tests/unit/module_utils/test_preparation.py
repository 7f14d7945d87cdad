# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All parts of the preparation together."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.ece.platform.plugins.module_utils import _preparation as preparation
from ansible_collections.ece.platform.plugins.module_utils._host_rules import CHECKS
from ansible_collections.ece.platform.plugins.module_utils._matrix import MATRIX, NEWEST
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import wanted_engine
from tests.unit.preparation import ROLE, SYSTEMS, UBUNTU, facts, options

NAMES = [part.name for part in preparation.PARTS]


def test_each_part_is_a_switch_a_tag_and_a_file():
    spec = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["prepare"]["options"]
    assert sorted(spec["ece_host_preparation_skip"]["choices"]) == sorted(NAMES)
    block = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text())[0]
    includes = [task for task in block["block"] if task.get("tags") and task["tags"] != ["always"]]
    # Packages are installed in the background while the tasks between these two run.
    begin, finish = (task for task in includes if task["tags"] == ["engine"])
    assert (begin["when"], begin["tags"]) == (finish["when"], finish["tags"])
    assert finish["ansible.builtin.include_tasks"]["file"] == "engine_finish.yml"
    assert includes.index(begin) > [task["tags"] for task in includes].index(["storage"])
    includes.remove(begin)
    finish["ansible.builtin.include_tasks"]["file"] = "engine.yml"
    assert [task["tags"] for task in includes] == [[name] for name in NAMES]
    for name, task in zip(NAMES, includes, strict=True):
        condition = f"'{name}' in __ece_host_preparation_plan.todo"
        # Whether a login differs is seen by its task alone.
        of_the_login = "__ece_host_preparation_plan.parts.registry.is_given | default(false)"
        assert task["when"] == (of_the_login if name == "registry" else condition)
        assert task["ansible.builtin.include_tasks"] == {"file": f"{name}.yml", "apply": {"tags": [name]}}
        assert (ROLE / "tasks" / f"{name}.yml").is_file()


# The support of SLES 12 ended in 2024, and its Python is too old.
@pytest.mark.parametrize("system", sorted(set(MATRIX[NEWEST]) - {"SLES-12"}))
def test_every_system_of_the_newest_matrix_is_known_with_its_engine(system):
    assert SYSTEMS[system]["engine"] in MATRIX[NEWEST][system]


def test_the_engine_is_the_systems_or_the_users():
    assert wanted_engine(options(), UBUNTU) == "docker"
    assert wanted_engine(options(ece_host_container_engine="podman"), UBUNTU) == "podman"


@pytest.mark.parametrize(
    ("found", "word"),
    [({"ece_containers": ["frc-runners-runner"]}, "containers of ECE"), ({"installer_running": True}, "installer")],
)
def test_a_host_with_ece_is_left_alone(found, word):
    assert word in preparation.reason_to_leave(facts("", {}, **found))


def test_a_bare_host_is_not_left_alone():
    assert preparation.reason_to_leave(facts("", {})) == ""


def test_parts_that_are_skipped_have_no_plan():
    found = {**facts("", {}), "preparation": {"registry": {}}}
    others = [name for name in NAMES if name != "registry"]
    plan = preparation.plan_parts(
        found, options(ece_host_preparation_skip=others, ece_host_docker_registry_username="ece"), UBUNTU
    )
    assert list(plan["parts"]) == ["registry"] and plan["todo"] == []
    assert plan["problems"] == plan["reboot"] == plan["notes"] == []
    assert preparation.plan_parts(found, options(ece_host_preparation_skip=others), UBUNTU)["todo"] == []


def test_a_part_that_waits_for_a_reboot_is_named_though_it_has_no_step():
    selinux = {"mode": "disabled", "missing_commands": [], "missing_folders": [], "sudo": None}
    found = facts("selinux", {"configured": "permissive", "policy": "targeted"}, selinux=selinux)
    others = [name for name in NAMES if name != "selinux"]
    plan = preparation.plan_parts(
        found, options(ece_host_preparation_skip=others, ece_host_preparation_selinux="permissive"), UBUNTU
    )
    assert plan["todo"] == [] and plan["to_reboot"] == ["selinux"]


def test_what_a_part_mends_is_no_problem_before_it_has_run(monkeypatch):
    assert preparation.mended_checks(["limits", "kernel"]) == ["kernel", "limits", "ports"]
    assert preparation.mended_checks([]) == preparation.mended_checks(["registry"]) == []
    asked = []
    monkeypatch.setattr(preparation, "check_requirements", lambda _facts, given: asked.append(given) or ([], []))
    assert preparation.check_host({}, {"skip_checks": ["disk"], "user": "elastic"}, ["boot"]) == ([], [])
    assert asked == [{"skip_checks": ["disk", "network", "host_ip", "installer", "kernel"], "user": "elastic"}]


def test_what_parts_mend_are_parts_and_checks_that_exist():
    spec = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["prepare"]["options"]
    assert set(preparation.MENDS) <= set(spec["ece_host_preparation_skip"]["choices"])
    assert set(preparation.mended_checks(preparation.MENDS)) | set(preparation.OF_THE_JOIN) <= set(CHECKS)


@pytest.mark.parametrize(("folder", "reason"), [(None, "it has ECE"), ("/var/lib/docker", "")])
def test_what_an_engine_keeps_counts_where_it_does_not_say(monkeypatch, folder, reason):
    monkeypatch.setattr(preparation, "reason_of_stores", lambda _facts: "it has ECE")
    engine = {"name": "docker", "store": {"folder": folder}}
    assert preparation.reason_to_leave(facts("", {}, engine=engine, containers_known=bool(folder))) == reason


def test_a_host_whose_engine_is_silent_and_that_has_files_of_ece_is_left_alone():
    silent = {"containers_known": False, "runner_ids": ["10.0.0.7"]}
    assert "it may run ECE" in preparation.reason_to_leave(facts("", {}, **silent))
    assert preparation.reason_to_leave(facts("", {}, **{**silent, "runner_ids": []})) == ""
