# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host is cleaned with the variables of the role."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.action import ece_removal_host
from tests.unit.module_utils.test_removal_plan import ID, entry_of


def test_the_host_is_cleaned_as_the_runner_that_the_plan_has_proven(bare):
    given = {"ece_host_removal_leftovers": ["images"], "ece_host_docker_socket": "/s", "ece_host_runner_id": "other"}
    step, sent = bare(ece_removal_host, variables=given), []

    def execute(name, module_args, task_vars):
        sent.append((name, module_args))
        return {"changed": True, "leftovers": [], "add_host": {}, "ansible_facts": {"ece_url": "evil"}}

    step._execute_module = execute
    result = step.act({"entry": {**entry_of(), "instances_mode": "delete"}}, {})
    assert result == {"changed": True, "leftovers": [], "ansible_facts": {}}
    assert sent == [
        (
            "ece.platform.ece_removal_clean",
            {
                "docker_socket": "/s",
                "runner_id": ID,
                "instances": True,
                "bootstrap_secrets": False,
                "leftovers": ["images"],
            },
        )
    ]
