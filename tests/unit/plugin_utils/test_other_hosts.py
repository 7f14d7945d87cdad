# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of hosts that take no part in a play, with Ansible's own inventory and variable manager."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import yaml
from ansible import template
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible.vars.manager import VariableManager

from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import HostVariables

# From ansible-core 2.19 on, text is a template only where it comes from a trusted place.
trusted = getattr(template, "trust_as_template", str)
GROUP = {"domain": "example.com"}
KEYS = ("ece_host_ip", "ansible_host", "ansible_port")
HOSTS = {
    "playing": {"ansible_host": "10.0.0.1"},
    "twin": {"ece_host_ip": "{{ lookup('pipe', 'echo gateway') }}"},
    "plain": {"ansible_host": "10.0.0.2", "ansible_port": 2222, "secret": "{{ undefined }}"},
    "templated": {"ansible_host": "{{ inventory_hostname }}.{{ domain }}"},
    "looked-up": {
        "ece_host_ip": "{{ lookup('pipe', 'echo gateway') }}",
        "ansible_host": "{{ lookup('pipe', 'touch ' ~ folder ~ '/ran; echo ' ~ inventory_hostname) }}",
    },
    "broken": {
        "ansible_host": "{{ undefined }}",
        "ece_host_ip": "{{ lookup('file', '/nonexistent') }}",
        "ansible_port": 1,
    },
}


@pytest.fixture
def variables(tmp_path):
    """HostVariables of a play with one host of the inventory."""
    path = tmp_path / "inventory.yml"
    path.write_text(
        yaml.safe_dump({"all": {"hosts": HOSTS, "vars": GROUP | {"folder": str(tmp_path)}}}),
        encoding="utf-8",
    )
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(path)])
    inventory.subset("playing")
    manager = VariableManager(loader=loader, inventory=inventory)
    action = SimpleNamespace(
        _task=SimpleNamespace(_parent=SimpleNamespace(_play=None), module_defaults=[]),
        _templar=Templar(loader=loader, variables={}),
    )
    hostvars = SimpleNamespace(_variable_manager=manager, _inventory=inventory)
    return HostVariables(
        action, {"hostvars": hostvars, "ansible_play_batch": ["playing"], "ansible_play_hosts_all": ["playing"]}
    )


def test_hosts_outside_the_play_are_read_and_what_cannot_be_templated_is_left_out(variables):
    assert dict(variables.others(KEYS, {"playing", "twin", "looked-up"})) == {
        "plain": ({"ansible_host": "10.0.0.2", "ansible_port": 2222}, []),
        "templated": ({"ansible_host": "templated.example.com"}, []),
        "broken": ({"ansible_port": 1}, ["ece_host_ip", "ansible_host"]),
    }


def test_no_lookup_runs_for_a_host_outside_the_play(variables, tmp_path):
    found = dict(variables.others(KEYS, {*HOSTS} - {"looked-up"}))
    assert found == {"looked-up": ({}, ["ece_host_ip", "ansible_host"])}
    assert not (tmp_path / "ran").exists()


def test_a_lookup_runs_once_for_a_host(variables, tmp_path):
    host = variables._of_any("plain")
    host.raw["ansible_host"] = trusted("{{ lookup('pipe', 'echo ran >> ' ~ folder ~ '/count; echo 10.0.0.1') }}")
    assert host.get("ansible_host") == "10.0.0.1"
    variables.note_lookups(host, KEYS)
    assert (tmp_path / "count").read_text(encoding="utf-8") == "ran\n"


def test_what_a_lookup_gave_for_a_host_of_the_play_counts_for_another_one_with_the_same_template(variables):
    variables.note_lookups(variables._of_any("twin"), KEYS)
    found = dict(variables.others(KEYS, {*HOSTS} - {"looked-up"}))
    assert found == {"looked-up": ({"ece_host_ip": "gateway"}, ["ansible_host"])}


@pytest.mark.parametrize(
    ("condition", "answers"),
    [("domain == 'example.com'", (True, True)), ("domain == 'x'", (False, False)), ("found_out", (True, False))],
)
def test_a_condition_that_is_not_known_yet_is_true_only_by_default(variables, condition, answers):
    variables._task = Task.load({"debug": {}, "when": trusted(condition)})
    host = variables._of_any("plain")
    assert (variables.runs_task(host), variables.runs_task(host, if_unknown=False)) == answers
