# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The login at a registry."""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.module_utils import _preparation_registry as registry
from tests.unit.preparation import UBUNTU, facts, options


def plan(**given):
    found = facts("registry", registry.read_registry({}, options(), UBUNTU))
    return registry.plan_registry(found, options(**given), UBUNTU)


def test_a_login_is_compared_and_is_no_step_because_a_second_run_would_have_it_too():
    for given in ({}, {"ece_host_docker_registry": "registry.example.com"}):
        assert plan(**given).values == {"is_given": False}
    found = plan(ece_host_docker_registry_username="ece")
    assert found.values == {"is_given": True} and not found.steps
