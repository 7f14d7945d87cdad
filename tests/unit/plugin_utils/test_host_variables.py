# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables of hosts: undefined parts are named, and what hosts have in common is templated once."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import (
    HostVariables,
    OneHost,
    connection_defaults,
    equal_sources,
)
from ansible_collections.ece.platform.plugins.plugin_utils._play_options import PlayOptions

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19 trusts all text

    def trust_as_template(text):
        return text


def trusted(value):
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, list):
        return [trusted(part) for part in value]
    return {key: trusted(part) for key, part in value.items()} if isinstance(value, dict) else value


def host(name="a", *, defaults=None, **variables):
    raw = {key: trusted(value) for key, value in variables.items()}
    return OneHost(name, {**raw, "inventory_hostname": name}, Templar(DataLoader(), raw), defaults=defaults)


@pytest.mark.parametrize(
    ("variable", "value", "missing"),
    [
        ("ece_url", "https://{{ ece_vip }}:12443", "ece_vip"),
        ("ece_url", ["https://{{ ece_vip }}:12443"], "ece_vip"),
        ("ece_username", "{{ vault_ece_username }}", "vault_ece_username"),
        ("ece_password", "{{ vault_ece_password }}", "vault_ece_password"),
        ("ece_host_zone", "{{ site }}", "rack"),
        ("ece_host_memory_settings", {"runner": {"xms": "{{ heap }}"}}, "heap"),
    ],
)
def test_an_undefined_variable_within_a_variable_is_named_and_never_taken_for_unset(variable, value, missing):
    with pytest.raises(OptionError) as error:
        host(site="z-{{ rack }}", **{variable: value}).get(variable, "default")
    assert str(error.value) == f"{variable} holds the variable {missing}, which is undefined"


def test_a_template_that_fails_otherwise_is_named_with_ansibles_reason():
    with pytest.raises(OptionError, match="^ece_host_zone cannot be templated: .*nofilter"):
        host(ece_host_zone="{{ 'z' | nofilter }}").get("ece_host_zone")


def test_the_reason_of_a_secret_is_not_repeated():
    with pytest.raises(OptionError, match="^ece_password cannot be templated: correct its template$"):
        host(ece_password="{{ 'hunter2' | nofilter }}").get("ece_password")


@pytest.mark.parametrize("value", [None, "", "{{ nothing }}", "{{ None }}"])
def test_an_empty_value_is_the_default(value):
    assert host(ece_host_zone=value, nothing="").get("ece_host_zone", "default") == "default"
    assert host(ece_host_zone=value, nothing="").select(["ece_host_zone", "ece_host_ip"]) == {}


def test_a_templated_value_has_the_type_of_its_variable():
    seen = host(ece_host_zone="{{ number }}", number=1, ece_host_roles="{{ 'allocator,' ~ 'proxy' }}")
    assert seen.get("ece_host_zone") == "1" and seen.get("ece_host_roles") == ["allocator", "proxy"]


def test_text_without_a_template_needs_no_templar():
    assert OneHost("a", {"ece_host_zone": "z", "ece_host_roles": ["proxy"]}, None).get("ece_host_roles") == ["proxy"]


def test_module_defaults_of_the_play_are_used_where_no_variable_is_set():
    task = SimpleNamespace(
        module_defaults=[{"group/ece.platform.ece": {"url": "https://a", "username": "u"}}, {"x": {}}]
    )
    defaults = connection_defaults(task)
    assert host(defaults=defaults).get("ece_url") == ["https://a"]
    assert host(defaults=defaults, ece_url="", ece_username="v").select(["ece_url", "ece_username"]) == {
        "ece_url": ["https://a"],
        "ece_username": "v",
    }


# -- what hosts have in common ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "one", "other", "equal"),
    [
        ("https://a", {}, {}, True),
        ("{{ lookup('env', 'SECRET') }}", {}, {}, True),
        ("https://{{ vip }}", {"vip": "a"}, {"vip": "a"}, True),
        ("https://{{ vip }}", {"vip": "a"}, {"vip": "b"}, False),
        ("https://{{ vip }}", {"vip": "{{ site }}", "site": 1}, {"vip": "{{ site }}", "site": 2}, False),
        ("{{ inventory_hostname }}", {}, {}, False),
        ("{{ lookup('vars', 'x' ~ 1) }}", {}, {}, False),
        ("{{ unclosed", {}, {}, False),
        (["{{ vip }}"], {"vip": {"a": "{{ site }}"}, "site": 1}, {"vip": {"a": "{{ site }}"}, "site": 2}, False),
    ],
)
def test_hosts_with_equal_sources_have_equal_values(value, one, other, equal):
    first, second = host("a", ece_url=value, **one), host("b", ece_url=value, **other)
    assert equal_sources(first.sources("ece_url"), second.sources("ece_url")) is equal


def test_a_secret_that_all_hosts_share_is_templated_once(environment):
    asked = []

    class Vault(OneHost):
        def _template(self, key, raw):
            asked.append(key)
            return "secret"

    play = PlayOptions()
    for name in "abcdef":
        play.add(Vault(name, {"ece_password": "{{ lookup('a.vault', 'ece') }}", "inventory_hostname": name}, None))
    assert asked == ["ece_password"]


# -- extra variables and conditions ----------------------------------------------------------------------------------


class Manager:
    """Stands for Ansible's variable manager: extra variables outrank those of hosts."""

    def __init__(self, hosts, extra):
        self.hosts, self._extra_vars = hosts, extra

    @property
    def extra_vars(self):
        return self._extra_vars

    def get_vars(self, *, host, **kwargs):
        return {**self.hosts[host], **self._extra_vars}


def variables_of(hosts, extra=None, when=(), role=None):
    task = SimpleNamespace(
        _parent=SimpleNamespace(_play=None),
        _role=SimpleNamespace(get_default_vars=lambda: role) if role else None,
        module_defaults=None,
        when=list(when),
    )
    manager = Manager(hosts, extra or {})
    found = {"_variable_manager": manager, "_inventory": SimpleNamespace(get_host=lambda name: name)}
    templar = SimpleNamespace(copy_with_new_env=lambda available_variables: None)
    action = SimpleNamespace(_task=task, _templar=templar)
    return HostVariables(action, {"hostvars": SimpleNamespace(**found)}), manager


def test_an_empty_extra_variable_takes_away_only_what_is_set():
    hosts = {"a": {"ece_host_zone": "z"}, "b": {"ece_host_ip": "10.0.0.1"}}
    variables, manager = variables_of(hosts, {"ece_host_zone": "", "ece_host_version": None, "other": ""})
    assert variables.of("a").hidden == {"ece_host_zone": "z"} and variables.of("a").get("ece_host_zone") is None
    assert variables.of("b").hidden == {}
    assert manager.extra_vars == {"ece_host_zone": "", "ece_host_version": None, "other": ""}


def test_the_value_that_an_extra_variable_outranks_is_known():
    variables, manager = variables_of({"a": {"ece_host_zone": "y"}, "b": {}}, {"ece_host_zone": "z"})
    assert [variables.outranked(name, "ece_host_zone") for name in "ab"] == ["y", None]
    assert (variables.of("a").get("ece_host_zone"), manager.extra_vars) == ("z", {"ece_host_zone": "z"})


def test_an_empty_extra_variable_may_stand_for_the_roles_default():
    default = ["allocator"]
    variables, _manager = variables_of(
        {"a": {"ece_host_roles": default}, "b": {"ece_host_roles": ["proxy"]}},
        {"ece_host_roles": ""},
        role={"ece_host_roles": default},
    )
    assert variables.of("a").hidden == {}
    assert variables.of("b").hidden == {"ece_host_roles": ["proxy"]}
