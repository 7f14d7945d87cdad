# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin: from its file to hosts and groups, with a platform that answers by a script."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.doc_fragments import constructed, inventory_cache
from ansible.template import Templar

from ansible_collections.ece.platform.plugins.doc_fragments import connection
from ansible_collections.ece.platform.plugins.inventory import ece as plugin
from ansible_collections.ece.platform.plugins.module_utils._module import CONNECTION_SPEC
from ansible_collections.ece.platform.plugins.plugin_utils._inventory import HOSTNAMES, VARIABLES
from tests.unit.scripted import (
    ALLOCATORS,
    API_KEY,
    OTHER_URL,
    PASSWORD,
    RUNNERS,
    URL,
    allocator,
    failed,
    overview,
    platform,
    runner,
)

NAME = "ece.platform.ece"
FRAGMENTS = {
    "ece.platform.connection": connection,
    "constructed": constructed,
    "inventory_cache": inventory_cache,
}
LOGIN = {"url": URL, "api_key": API_KEY}
OWN = yaml.safe_load(plugin.DOCUMENTATION)


def options():
    """All options, as the loader of plugins collects them."""
    found = dict(OWN["options"])
    for fragment in OWN["extends_documentation_fragment"]:
        found.update(yaml.safe_load(FRAGMENTS[fragment].ModuleDocFragment.DOCUMENTATION)["options"])
    return found


@pytest.fixture
def build(tmp_path, environment):
    """Return a function that reads a file with these options: the inventory, and the warnings."""

    def build(*, name="fleet.ece.yml", cache=True, text=None, caching=None, **given):
        path = tmp_path / name
        path.write_text(text or yaml.safe_dump({"plugin": NAME, **LOGIN, **(caching or {}), **given}), encoding="utf-8")
        # What the loader of plugins does.
        constants.config.initialize_plugin_configuration_definitions("inventory", NAME, options())
        module = plugin.InventoryModule()
        module._load_name = module.ansible_name = NAME
        module._redirected_names = [NAME]
        inventory, warnings = InventoryData(), []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module.display, "warning", lambda text, **_: warnings.append(str(text)))
            module.parse(inventory, DataLoader(), str(path), cache)
        if caching:
            module.update_cache_if_changed()
        inventory.reconcile_inventory()
        return inventory, warnings

    return build


def give(ece, runners=(), allocators=(), counts=None):
    counts = counts or {"runners": len(runners), "allocators": len(allocators)}
    ece.expect("GET", "/platform", json=platform(**counts))
    ece.expect("GET", RUNNERS, json={"runners": list(runners)})
    ece.expect(
        "GET",
        ALLOCATORS,
        json=overview(*allocators),
        query={"size": 1001, "from": 0, "sort": "allocator_id"},
    )


FLEET = (
    [
        runner("a", "allocator", "beats-runner", zone="zone-1", host_ip="10.0.0.1"),
        runner("b", "allocator", zone="zone-2", host_ip="10.0.0.2", connected=False),
        runner("c", "coordinator", "director", zone="zone-2", host_ip="10.0.0.3", public_hostname="c.example.com"),
    ],
    [
        allocator("a", zone="zone-1", maintenance=True, metadata=[{"key": "ssd", "value": "true"}]),
        allocator("b", zone="zone-2", connected=False),
    ],
)


def hosts_by_group(inventory):
    return {
        name: sorted(host.name for host in group.hosts)
        for name, group in inventory.groups.items()
        if name not in ("all", "ungrouped")
    }


# -- hosts and groups ------------------------------------------------------------------------------------------------


def test_hosts_are_named_by_their_ids_and_in_no_group(ece, build):
    give(ece, *FLEET)
    inventory, warnings = build()
    assert sorted(inventory.hosts) == ["a", "b", "c"]
    assert hosts_by_group(inventory) == {}
    assert warnings == []
    variables = inventory.hosts["a"].get_vars()
    assert variables["ansible_host"] == "10.0.0.1" and variables["ece_zone"] == "zone-1"


def test_groups_by_zone_role_tag_and_state(ece, build):
    give(ece, *FLEET)
    inventory, _warnings = build(
        keyed_groups=[
            {"key": "ece_zone", "prefix": "zone"},
            {"key": "ece_roles", "prefix": "role"},
            {"key": "ece_tags", "prefix": "tag"},
            {"key": "'large' if (ece_memory_mb or 0) > 512 else 'small'", "prefix": "", "separator": ""},
        ],
        groups={
            "connected": "ece_connected",
            "disconnected": "not ece_connected",
            "maintenance": "ece_maintenance",
            "managers": "'director' in ece_roles",
        },
    )
    assert hosts_by_group(inventory) == {
        "connected": ["a", "c"],
        "disconnected": ["b"],
        "maintenance": ["a"],
        "managers": ["c"],
        "zone_zone_1": ["a"],
        "zone_zone_2": ["b", "c"],
        "role_allocator": ["a", "b"],
        "role_beats_runner": ["a"],
        "role_coordinator": ["c"],
        "role_director": ["c"],
        "tag_ssd_true": ["a"],
        "large": ["a", "b"],
        "small": ["c"],
    }


def test_composed_variables_are_set_and_groups_may_use_them(ece, build):
    give(ece, *FLEET)
    inventory, _warnings = build(
        compose={"free_mb": "(ece_memory_mb or 0) - (ece_memory_used_mb or 0)", "place": "ece_zone"},
        groups={"roomy": "free_mb > 0"},
        keyed_groups=[{"key": "place", "prefix": "at"}],
    )
    assert inventory.hosts["a"].get_vars()["free_mb"] == 512
    assert hosts_by_group(inventory) == {
        "roomy": ["a", "b"],
        "at_zone_1": ["a"],
        "at_zone_2": ["b", "c"],
    }


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ([], "abc"),
        ([{"exclude": "not ece_connected"}], "ac"),
        ([{"include": "ece_connected"}, {"exclude": True}], "ac"),
        ([{"exclude": "ece_maintenance"}, {"include": "'allocator' in ece_roles"}, {"exclude": True}], "b"),
        ([{"include": "'allocator' in ece_roles"}, {"exclude": "not ece_connected"}], "abc"),
        ([{"exclude": "inventory_hostname == 'a'"}], "bc"),
        ([{"exclude": "ece_tags.ssd | default('') == 'true'"}], "bc"),
        ([{"include": False}, {"exclude": True}], ""),
    ],
    ids=str,
)
def test_the_first_filter_that_a_host_meets_decides(ece, build, filters, left):
    give(ece, *FLEET)
    inventory, _warnings = build(filters=filters)
    assert "".join(sorted(inventory.hosts)) == left


def test_values_of_the_platform_are_never_templates(ece, build):
    evil = "{{ 6 * 7 }}"
    tags = [{"key": "evil", "value": evil}, {"key": "tame", "value": "a-b.c"}]
    give(ece, [runner("a", "allocator", zone=evil)], [allocator("a", zone=evil, metadata=tags)])
    inventory, _warnings = build(compose={"copy": "ece_tags.evil", "tame": "ece_tags.tame"})
    variables = inventory.hosts["a"].get_vars()
    assert variables["copy"] == variables["ece_zone"] == evil
    templar = Templar(loader=DataLoader(), variables=variables)
    for name in ("copy", "ece_zone", "ece_tags", "tame"):
        assert templar.template(variables[name]) == variables[name], name


def test_names_in_the_order_of_preference(ece, build):
    give(ece, *FLEET)
    inventory, _warnings = build(hostnames=["public_hostname", "host_ip"])
    assert sorted(inventory.hosts) == ["10.0.0.1", "10.0.0.2", "c.example.com"]


def test_a_machine_with_two_runners_is_a_warning_unless_a_filter_leaves_one_out(ece, build):
    doubles = [runner("old", connected=False, host_ip="10.0.0.1"), runner("new", host_ip="10.0.0.1")]
    give(ece, doubles)
    inventory, (warning,) = build()
    assert sorted(inventory.hosts) == ["new", "old"]
    assert warning.startswith("fleet.ece.yml: the address 10.0.0.1 belongs to several hosts")
    give(ece, doubles)
    inventory, warnings = build(filters=[{"exclude": "not ece_connected"}])
    assert (sorted(inventory.hosts), warnings) == (["new"], [])


def test_a_list_that_lags_behind_is_a_warning_with_both_numbers(ece, build):
    give(ece, *FLEET, counts={"runners": 5, "allocators": 2})
    _inventory, (warning,) = build()
    assert warning.startswith("fleet.ece.yml: the list of runners has 3 entries but GET /platform counts 5")


# -- options ---------------------------------------------------------------------------------------------------------


def test_the_environment_gives_what_the_file_does_not(ece, build, environment):
    environment.setenv("ECE_URL", URL)
    environment.setenv("ECE_API_KEY", API_KEY)
    environment.setenv("ECE_VALIDATE_CERTS", "false")
    give(ece, *FLEET)
    inventory, (warning,) = build(text=f"plugin: {NAME}\n")
    assert len(inventory.hosts) == 3
    assert "certificate is not verified" in warning


def test_options_of_the_connection_may_be_templates(ece, build, environment):
    environment.setenv("MY_PASSWORD", PASSWORD)
    give(ece, *FLEET)
    build(
        text=yaml.safe_dump(
            {
                "plugin": NAME,
                "url": [f"{{{{ '{URL}' }}}}"],
                "username": "admin",
                "password": "{{ lookup('env', 'MY_PASSWORD') }}",
            }
        )
    )
    assert ece.requests[0].headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"url": ""}, "url is not set: give the coordinator's address like https://ece.example.com:12443"),
        ({"url": "ece.example.com"}, "url ece.example.com is not an address of a coordinator"),
        ({"api_key": None}, "no credentials: set api_key (ECE_API_KEY), or username and password"),
        ({"username": "admin"}, "api_key (or ECE_API_KEY) and username/password"),
        ({"ca_path": "ca.pem"}, "ca_path ca.pem is relative"),
        ({"api_key": "{{ nothing_of_this_name }}"}, "api_key cannot be templated or decrypted: "),
        ({"filter": []}, "filter is not an option of this inventory plugin; did you mean filters?"),
        ({"filters": [{"includes": "x"}]}, "filters[0] has the key 'includes': use include or exclude"),
        ({"hostnames": ["fqdn"]}, "hostnames has 'fqdn': use some of runner_id"),
    ],
    ids=str,
)
def test_a_wrong_option_is_one_sentence_with_the_files_name_before_any_request(build, given, message):
    with pytest.raises(AnsibleParserError) as error:
        build(**given)
    assert str(error.value).startswith(f"fleet.ece.yml: {message}")
    assert "\n" not in str(error.value) and API_KEY not in str(error.value)


@pytest.mark.parametrize("given", [{"timeout": "soon"}, {"validate_certs": "perhaps"}], ids=str)
def test_a_value_of_a_wrong_type_is_refused_with_the_options_name(build, given):
    with pytest.raises(AnsibleParserError) as error:
        build(**given)
    assert str(error.value).startswith("fleet.ece.yml: ") and next(iter(given)) in str(error.value)


@pytest.mark.parametrize("condition", ["ece_tags.ssd == 'true'", "ece_zone ==", "no_such_variable"])
def test_a_condition_that_cannot_be_evaluated_names_the_filter_and_adds_no_host(ece, build, condition):
    give(ece, *FLEET)
    with pytest.raises(AnsibleParserError) as error:
        build(filters=[{"exclude": condition}])
    assert str(error.value).startswith(f"fleet.ece.yml: filters[0].exclude {condition!r} cannot be evaluated for host ")


def test_an_expression_that_cannot_be_evaluated_is_an_error_if_strict_and_else_skipped(ece, build):
    give(ece, *FLEET)
    inventory, _warnings = build(groups={"odd": "no_such_variable", "connected": "ece_connected"})
    assert hosts_by_group(inventory) == {"connected": ["a", "c"]}
    give(ece, *FLEET)
    with pytest.raises(AnsibleParserError, match="fleet.ece.yml: .*odd"):
        build(groups={"odd": "no_such_variable"}, strict=True)


def test_wrong_credentials_are_one_sentence_without_them(ece, build):
    ece.expect("GET", "/platform", status=401, json=failed("root.unauthenticated"))
    with pytest.raises(AnsibleParserError) as error:
        build()
    assert str(error.value).startswith("fleet.ece.yml: ") and "api_key" in str(error.value)
    assert API_KEY not in str(error.value)


def test_a_bug_is_one_line_that_asks_for_a_report(build, monkeypatch):
    monkeypatch.setattr(plugin, "read_fleet", lambda client: 1 / 0)
    with pytest.raises(AnsibleParserError, match="fleet.ece.yml: unexpected ZeroDivisionError in inventory plugin"):
        build()


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("fleet.ece.yml", True),
        ("fleet.ece.yaml", True),
        ("ece.yml", True),
        ("niece.yml", False),
        ("fleet.yml", False),
        ("fleet.ece.json", False),
    ],
)
def test_a_file_is_known_by_its_name(tmp_path, name, is_ours):
    path = tmp_path / name
    path.touch()
    assert plugin.InventoryModule().verify_file(str(path)) is is_ours


# -- cache -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def cached(build, tmp_path):
    """Return a function as `build`, with a cache of files, that gives hosts with their variables, and warnings."""
    place = {"cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "cache")}

    def cached(**given):
        inventory, warnings = build(caching={"cache": True, **place}, **given)
        return {name: host.get_vars() for name, host in inventory.hosts.items()}, warnings

    return cached


def test_the_second_run_asks_nothing_and_says_the_same(ece, cached, tmp_path):
    give(ece, *FLEET, counts={"runners": 5, "allocators": 2})
    first, warned = cached()
    assert len(first) == 3 and len(warned) == 1
    assert cached() == (first, warned)
    (file,) = (tmp_path / "cache").iterdir()
    content = file.read_text(encoding="utf-8")
    assert "10.0.0.1" in content and API_KEY not in content


def test_a_refresh_and_another_platform_are_asked_for(ece, cached, environment):
    give(ece, *FLEET)
    cached()
    give(ece, FLEET[0][:1])
    assert list(cached(cache=False)[0]) == ["a"]
    assert list(cached()[0]) == ["a"]
    ece.expect("GET", "/platform", json=platform(), url=OTHER_URL)
    ece.expect("GET", RUNNERS, json={"runners": [runner("z")]}, url=OTHER_URL)
    page = {"size": 1001, "from": 0, "sort": "allocator_id"}
    ece.expect("GET", ALLOCATORS, json=overview(), query=page, url=OTHER_URL)
    assert list(cached(url=OTHER_URL)[0]) == ["z"]


def test_a_damaged_cache_is_replaced(ece, cached, tmp_path):
    give(ece, *FLEET)
    cached()
    (file,) = (tmp_path / "cache").iterdir()
    for damage in ("", "[]", json.dumps({"hosts": 1})):
        file.write_text(damage, encoding="utf-8")
        give(ece, *FLEET)
        assert len(cached()[0]) == 3


# -- documentation ---------------------------------------------------------------------------------------------------


def test_the_documentation_names_each_variable_and_each_hostname():
    text = " ".join(" ".join(OWN["notes"]).split())
    assert all(f"C({name})" in text for name in VARIABLES)
    hostnames = " ".join(" ".join(OWN["options"]["hostnames"]["description"]).split())
    assert all(f"V({name})" in hostnames for name in HOSTNAMES)


def test_each_option_is_documented_once_and_those_of_the_connection_are_the_modules():
    assert set(CONNECTION_SPEC) <= set(options())
    assert not set(OWN["options"]) & set(CONNECTION_SPEC)
    assert all(option["description"] for option in options().values())


def test_the_examples_have_options_that_exist():
    examples = list(yaml.safe_load_all(plugin.EXAMPLES))
    assert len(examples) == 2
    for example in examples:
        plugin.check_option_names(example, options())
        plugin.parse_filters(example.get("filters"))
        plugin.check_hostnames(example.get("hostnames", []))
