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


def test_there_is_a_step_if_there_is_a_login():
    assert not plan().steps and not plan(ece_host_docker_registry="registry.example.com").steps
    (step,) = plan(ece_host_docker_registry_username="ece").steps
    assert step == "write the login at docker.elastic.co for user elastic, if it differs"
