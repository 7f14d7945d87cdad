# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup by which the playbook's second play finds its hosts."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleError

from ansible_collections.ece.platform.plugins.lookup.ece_join_plan import NO_HOST, LookupModule
from ansible_collections.ece.platform.plugins.plugin_utils._results import PLAN


class HostVars(dict):
    def __init__(self, hosts, limit=None):
        super().__init__(hosts)
        names = [SimpleNamespace(name=name) for name in hosts if limit is None or name in limit]
        self._inventory = SimpleNamespace(get_hosts=lambda pattern: names if pattern == "allocators" else [])


def look_up(hostvars):
    variables = {} if hostvars is None else {"hostvars": hostvars}
    return LookupModule().run(["allocators"], variables)


def plan(*names):
    return {PLAN: {"hosts": dict.fromkeys(names), "batch": [len(names)]}}


def test_the_hosts_and_batches_of_the_plan_are_found_on_any_of_its_hosts():
    assert look_up(HostVars({"gone": {}, "a": plan("b", "c")})) == [{"hosts": ["b", "c"], "batch": [2]}]


@pytest.mark.parametrize(
    "hostvars",
    [None, HostVars({}), HostVars({"a": {}}, limit=[]), HostVars({"a": plan()})],
    ids=["--syntax-check", "an empty group", "--limit leaves no host", "all hosts are joined"],
)
def test_without_a_host_to_join_the_play_has_no_host(hostvars):
    assert look_up(hostvars) == [NO_HOST]


def test_hosts_without_a_plan_are_an_error():
    with pytest.raises(AnsibleError, match="^there is no plan: start at the first task$"):
        look_up(HostVars({"a": {}}))
