# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup by which the playbook's second play finds its hosts."""

from __future__ import annotations

import pytest
from ansible import context
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

from ansible_collections.ece.platform.plugins.lookup.ece_join_plan import NO_HOST, LookupModule
from ansible_collections.ece.platform.plugins.plugin_utils._results import PLAN


class HostVars(dict):
    """Stands for Ansible's, with a real inventory: hosts by group, and the plan that every host of a play has."""

    def __init__(self, groups, *, planned=None, limit=None):
        self._inventory = InventoryManager(loader=DataLoader(), sources=[])
        for group, hosts in groups.items():
            self._inventory.add_group(group)
            for host in hosts:
                self._inventory.add_host(host, group=group)
        self._inventory.reconcile_inventory()
        self._inventory.subset(limit)
        super().__init__({name: {} for name in self._inventory.hosts})
        if planned is not None:
            plan = {"hosts": dict.fromkeys(planned), "batch": [len(planned)]}
            self.update((name, {PLAN: plan}) for name in list(self)[1:])


def look_up(hostvars, target="allocators", **more):
    variables = {"hostvars": hostvars, "groups": hostvars._inventory.get_groups_dict(), **more}
    return LookupModule().run([target], variables)


def test_the_hosts_and_batches_of_the_plan_are_found_on_any_of_its_hosts():
    hostvars = HostVars({"allocators": ["gone", "a", "b", "c"]}, planned=["b", "c"])
    assert look_up(hostvars) == [{"hosts": ["b", "c"], "batch": [2]}]


@pytest.mark.parametrize(
    "hostvars",
    [
        HostVars({"allocators": []}),
        HostVars({"allocators": ["a"], "others": ["b"]}, limit="b"),
        HostVars({"allocators": ["gone", "a"]}, planned=[]),
    ],
    ids=["an empty group", "--limit leaves no host", "all hosts are joined"],
)
def test_without_a_host_to_join_the_play_has_no_host(hostvars):
    assert look_up(hostvars) == [NO_HOST]


def test_a_target_without_a_host_is_one_line_for_all_lookups_of_the_play(capsys):
    for _lookup in ("hosts", "serial"):
        look_up(HostVars({"empty group": []}), "empty*")
    shown = capsys.readouterr().err  # only a playbook has a callback that leaves room on stdout
    assert shown.count("nothing to do: ece_target 'empty*' has no host here, because ") == 1
    assert shown.endswith(
        '\nece_host: {"changed": 0, "failed": 0, "joined": 0, "joined_before": 0, "would_change": 0, "would_join": 0}\n'
    )


@pytest.mark.parametrize("option", ["syntax", "listhosts", "listtasks", "listtags"])
def test_where_no_task_runs_the_play_has_no_host(monkeypatch, option):
    monkeypatch.setattr(context, "CLIARGS", {option: True})
    assert LookupModule().run(["allocators"], {}) == [NO_HOST]


def test_a_bad_target_is_an_error_before_any_play_had_a_host():
    with pytest.raises(AnsibleError, match="is neither a group nor a host"):
        LookupModule().run(["alocators"], {"groups": {"all": ["a"], "allocators": ["a"]}})


def test_hosts_without_a_plan_are_an_error():
    with pytest.raises(AnsibleError, match="^there is no plan: start at the first task, and run the playbook without"):
        look_up(HostVars({"allocators": ["a"]}))


@pytest.mark.parametrize("target", ["alocators", "alloc", "alocator*", "~aloc.*", "alocators:!a", "zz,yy", ["zz"]])
def test_a_target_that_names_nothing_in_the_inventory_is_an_error(target):
    with pytest.raises(AnsibleError, match="^ece_target .* is neither a group nor a host of the inventory"):
        look_up(HostVars({"allocators": ["a"]}, planned=["a"]), target)


@pytest.mark.parametrize(
    "target", ["empty", "empty:&allocators", "em*", "~emp", "a:&b", "allocators:!a:!b", "zz:empty"]
)
def test_a_good_target_may_leave_no_host(target):
    assert look_up(HostVars({"allocators": ["a", "b"], "empty": []}, limit="b"), target) in ([NO_HOST],)


def test_a_slice_of_awx_lacks_the_hosts_that_a_target_names():
    assert look_up(HostVars({"allocators": ["b"]}), "new*", awx_job_id=7) == [NO_HOST]
    with pytest.raises(AnsibleError, match="is neither a group nor a host"):
        look_up(HostVars({"allocators": ["b"]}), "alocators", awx_job_id=7)


NAMES = [
    *(
        "ece node 8",
        "a,b",
        "a:b",
        "rack[1]",
        "!x",
        "&x",
        "~x",
        "#1",
        "n\u00f6de 7",
        "x*",
        "a.b",
        "2001:db8::7",
        "group",
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_characters_is_that_host_and_no_other(name):
    hostvars = HostVars(
        {
            "allocators": ["first", name, "stranger", "a", "b"],
            "8": ["stranger"],
            "node": ["stranger"],
            "group": ["stranger"],
        },
        planned=[name],
    )
    (found,) = look_up(hostvars)
    assert [host.name for host in hostvars._inventory.get_hosts(found["hosts"])] == [name]


def test_a_name_that_only_a_pattern_of_other_hosts_can_match_is_refused():
    hostvars = HostVars({"allocators": ["first", "a b", "c"], "a b": ["stranger"]}, planned=["a b"])
    with pytest.raises(AnsibleError, match="^the name of host stranger is read as a pattern of other hosts"):
        look_up(hostvars)
