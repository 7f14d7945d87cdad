# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory plugin ece, as ansible-inventory, plays and AWX use it."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
import yaml

from tests.awx.files import load
from tests.awx.rules import inject
from tests.integration.operator import ROOT
from tests.standin import StandIn

FLEET = 1000
GROUPS = {
    "keyed_groups": [
        {"key": "ece_zone", "prefix": "zone"},
        {"key": "ece_roles", "prefix": "role"},
        {"key": "ece_tags", "prefix": "tag"},
    ],
    "groups": {"connected": "ece_connected", "disconnected": "not ece_connected", "maintenance": "ece_maintenance"},
}


class Inventory:
    """An operator with a file of the inventory plugin, which takes the rest from the environment."""

    def __init__(self, operator):
        self.operator = operator
        self.ece = operator.ece
        operator.environment |= {"ECE_URL": self.ece.url, "ECE_CA_PATH": str(self.ece.ca_path)}

    def write(self, name="fleet.ece.yml", **options):
        path = self.operator.folder / name
        path.write_text(yaml.safe_dump({"plugin": "ece.platform.ece", **options}), encoding="utf-8")
        return path

    def run(self, path, *options, warnings=False, **environment):
        """Run ansible-inventory, with the checks of every play."""
        command = [str(self.operator.core / "ansible-inventory"), "-i", str(path), *options]
        return self.operator.run(command, self.operator.play_environment() | environment, warnings=warnings)

    def hosts(self, path, *options, **environment):
        """Return the variables of each host, and the hosts of each group."""
        run = self.run(path, "--list", *options, **environment)
        assert run.rc == 0, run.output
        found = json.loads(run.output)
        groups = {name: sorted(group["hosts"]) for name, group in found.items() if group.get("hosts")}
        return found["_meta"]["hostvars"], groups

    def failure(self, path, *options, **environment):
        """Return the message of a file that gives no inventory, which is an error by the project's ansible.cfg."""
        environment["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"] = "true"
        run = self.run(path, "--list", *options, warnings=True, **environment)
        assert run.rc != 0, run.output
        return run.text


@pytest.fixture
def inventory(any_operator):
    return Inventory(any_operator)


def add_fleet(ece):
    """Add four hosts: an allocator in maintenance mode with a tag, a disconnected one, a proxy, a lone allocator."""
    platform = ece.platform
    platform.add_runner("host-1", host_ip="192.0.2.1", zone="ece-zone-1")
    platform.add_runner("host-2", host_ip="192.0.2.2", zone="ece-zone-2", connected=False)
    platform.add_runner("host-3", host_ip="192.0.2.3", zone="ece-zone-1", roles=("proxy",))
    platform.add_runner("host-4", host_ip="192.0.2.4", zone="ece-zone-3", connected=False)
    platform.delete_runner("host-4")
    platform.set_maintenance("host-1", True)
    platform.set_metadata("host-1", [("ssd", "true"), ("rack", "a:1,b")], None)
    platform.add_instance("host-1")


# -- hosts and groups ------------------------------------------------------------------------------------------------


def test_runners_and_allocators_are_hosts_in_the_groups_that_the_file_asks_for(inventory):
    add_fleet(inventory.ece)
    variables, groups = inventory.hosts(inventory.write(**GROUPS))
    assert groups == {
        "connected": ["host-1", "host-3"],
        "disconnected": ["host-2", "host-4"],
        "maintenance": ["host-1"],
        "zone_ece_zone_1": ["host-1", "host-3"],
        "zone_ece_zone_2": ["host-2"],
        "zone_ece_zone_3": ["host-4"],
        "role_allocator": ["host-1", "host-2"],
        "role_proxy": ["host-3"],
        "role_beats_runner": ["host-1", "host-2", "host-3"],
        "role_services_forwarder": ["host-1", "host-2", "host-3"],
        "tag_ssd_true": ["host-1"],
        "tag_rack_a_1_b": ["host-1"],
    }
    first = variables["host-1"]
    assert first["ansible_host"] == "192.0.2.1"
    assert first["ece_tags"] == {"rack": "a:1,b", "ssd": "true"}
    assert first["ece_instance_count"] == 1 and first["ece_memory_mb"] > first["ece_memory_used_mb"]
    assert variables["host-4"]["ece_runner_id"] is None and variables["host-4"]["ece_allocator_id"] == "host-4"
    assert inventory.ece.mutations == []


def test_without_options_all_hosts_are_in_no_group(inventory):
    add_fleet(inventory.ece)
    _variables, groups = inventory.hosts(inventory.write())
    assert groups == {"ungrouped": ["host-1", "host-2", "host-3", "host-4"]}


def test_filters_leave_hosts_out(inventory):
    add_fleet(inventory.ece)
    filters = [{"exclude": "ece_maintenance"}, {"include": "'allocator' in ece_roles"}, {"exclude": True}]
    assert list(inventory.hosts(inventory.write(filters=filters))[0]) == ["host-2"]


def test_a_tag_of_the_platform_is_never_a_template(inventory):
    add_fleet(inventory.ece)
    sign = inventory.operator.folder / "run-by-a-tag"
    evil = "{{ lookup('ansible.builtin.pipe', 'touch %s') }}" % sign
    inventory.ece.platform.set_metadata("host-1", [("evil", evil)], None)
    path = inventory.write(
        compose={"copied": "ece_tags.evil"}, filters=[{"include": "ece_maintenance"}, {"exclude": True}]
    )
    playbook = inventory.operator.write(
        "show.yml",
        [
            {
                "hosts": "all",
                "gather_facts": False,
                "connection": "local",
                "tasks": [
                    {"ansible.builtin.debug": {"msg": "{{ ece_tags }} {{ copied }}"}},
                    {"ansible.builtin.assert": {"that": ["'lookup' in ece_tags.evil", "copied == ece_tags.evil"]}},
                ],
            }
        ],
    )
    command = [str(inventory.operator.core / "ansible-playbook"), "-i", str(path), str(playbook)]
    run = inventory.operator.run(command, inventory.operator.play_environment())
    assert run.rc == 0 and run.total("ok") == 2, run.output
    assert not sign.exists()


def test_the_collections_own_playbook_takes_the_hosts_of_the_plugin_without_a_warning(inventory):
    inventory.ece.platform.add_runner("host-1", host_ip="192.0.2.1")
    inventory.ece.platform.add_runner("host-2", host_ip="192.0.2.2")
    path = inventory.write(groups={"allocators": "'allocator' in ece_roles"}, hostnames=["host_ip"])
    variables = inventory.operator.folder / "zones.yml"
    variables.write_text("ece_host_installer_src: /nowhere.sh\n", encoding="utf-8")
    command = [str(inventory.operator.core / "ansible-playbook"), "-i", str(path), "ece.platform.add_allocators"]
    run = inventory.operator.run([*command, "-e", f"@{variables}"], inventory.operator.play_environment())
    assert run.rc == 0, run.output
    assert '"joined_before": 2' in run.output


# -- requests and the cache ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("standin_options", [{"allocators": FLEET}])
def test_a_thousand_hosts_take_three_requests(inventory):
    run = inventory.run(inventory.write(**GROUPS), "--graph")
    assert run.rc == 0, run.output
    assert run.output.count("  |--10.1.") >= FLEET
    assert len(inventory.ece.requests) == 3


@pytest.mark.parametrize("standin_options", [{"allocators": 250, "max_page": 60}])
def test_lists_are_complete_with_any_page_size(inventory):
    assert len(inventory.hosts(inventory.write())[0]) == 250


def test_a_list_that_lacks_hosts_is_a_warning_also_from_the_cache(inventory):
    add_fleet(inventory.ece)
    inventory.ece.platform.unlist("runners", "host-3")
    path = inventory.write(cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection="cache")
    for _run in ("from the platform", "from the cache"):
        run = inventory.run(path, "--list", warnings=True)
        assert run.rc == 0, run.output
        assert "fleet.ece.yml: the list of runners has 2 entries but GET /platform counts 3" in run.text
    assert len(inventory.ece.requests) == 3


def test_the_cache_holds_for_its_platform_and_no_secret(inventory):
    add_fleet(inventory.ece)
    folder = inventory.operator.folder / "cache"
    path = inventory.write(cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection=str(folder), **GROUPS)
    first = inventory.hosts(path)
    assert len(inventory.ece.requests) == 3
    # The scanner of every run looks for secrets in this folder.
    assert inventory.hosts(path) == first and list(folder.iterdir())
    assert len(inventory.ece.requests) == 3
    inventory.ece.platform.connect("host-2")
    assert inventory.hosts(path) == first
    # --flush-cache does the same with a current ansible-core.
    shutil.rmtree(folder)
    assert "host-2" in inventory.hosts(path)[1]["connected"]
    assert len(inventory.ece.requests) == 6
    with StandIn() as other:
        other.platform.add_runner("host-9")
        inventory.operator.environment |= {"ECE_URL": other.url, "ECE_CA_PATH": str(other.ca_path)}
        inventory.operator.environment |= {"ECE_USERNAME": other.username, "ECE_PASSWORD": other.password}
        assert list(inventory.hosts(path)[0]) == ["host-9"]


# -- login -----------------------------------------------------------------------------------------------------------


def test_the_password_comes_from_a_lookup_or_from_a_vault(inventory):
    add_fleet(inventory.ece)
    environment = inventory.operator.environment
    username, password = environment.pop("ECE_USERNAME"), environment.pop("ECE_PASSWORD")
    file = inventory.operator.folder / "password"
    inventory.operator.credential_files.add(file)
    file.write_text(f"{password}\n", encoding="utf-8")
    lookup = f"{{{{ lookup('ansible.builtin.file', '{file}') }}}}"
    assert len(inventory.hosts(inventory.write(username=username, password=lookup))[0]) == 4
    file.unlink()
    key = inventory.operator.folder / "key"
    key.write_text("a key\n", encoding="utf-8")
    encrypted = subprocess.run(
        [
            inventory.operator.core / "ansible-vault",
            "encrypt_string",
            "--vault-password-file",
            key,
            "--stdin-name",
            "password",
        ],
        env=inventory.operator.play_environment(),
        input=password,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    path = inventory.write(username=username)
    path.write_text(path.read_text(encoding="utf-8") + encrypted.stdout, encoding="utf-8")
    assert len(inventory.hosts(path, "--vault-password-file", str(key))[0]) == 4
    assert "no vault secrets" in inventory.failure(path)


def test_an_inventory_source_of_awx_gets_its_login_from_the_credential(inventory, tmp_path):
    add_fleet(inventory.ece)
    with open(inventory.ece.ca_path, encoding="utf-8") as file:
        ca = file.read()
    inputs = {
        "url": inventory.ece.url,
        "username": inventory.ece.username,
        "password": inventory.ece.password,
        "ca": ca,
    }
    inventory.operator.environment = inject(load("credential_type.yml"), inputs, tmp_path).env
    # AWX runs the command like this (awx/main/tasks/jobs.py, RunInventoryUpdate).
    path = ROOT / "examples" / "fleet.ece.yml"
    found = json.loads(inventory.run(path, "--list", "--export").output)
    assert sorted(found["_meta"]["hostvars"]) == ["host-1", "host-2", "host-3", "host-4"]
    assert found["maintenance"]["hosts"] == ["host-1"]
    assert "__ansible_unsafe" not in json.dumps(found)


# -- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": ""}, "fleet.ece.yml: url is not set: give the coordinator's address"),
        ({"url": "http://127.0.0.1:1"}, "fleet.ece.yml: url http://127.0.0.1:1 sends credentials in clear"),
        ({"url": "https://127.0.0.1:1", "retries": 0}, "fleet.ece.yml: no coordinator can be reached"),
        ({"filter": [{"include": "ece_connected"}]}, "fleet.ece.yml: filter is not an option of this inventory plugin"),
        ({"filters": [{"only": "ece_connected"}]}, "fleet.ece.yml: filters[0] has the key 'only': use include or"),
        ({"filters": [{"include": "ece_zon == 'a'"}]}, "fleet.ece.yml: filters[0].include \"ece_zon == 'a'\" cannot"),
        ({"hostnames": ["fqdn"]}, "fleet.ece.yml: hostnames has 'fqdn': use some of runner_id, host_ip"),
        ({"timeout": "soon"}, "timeout"),
    ],
    ids=str,
)
def test_a_wrong_option_is_one_sentence_with_the_files_name_and_the_option(inventory, options, message):
    add_fleet(inventory.ece)
    text = inventory.failure(inventory.write(**options))
    assert message in text and "fleet.ece.yml: " in text
    assert "please report it" not in text


def test_wrong_credentials_are_named_and_not_shown(inventory):
    inventory.operator.environment["ECE_PASSWORD"] = "not-the-password"
    text = inventory.failure(inventory.write())
    assert "fleet.ece.yml: " in text and "username" in text
    assert "not-the-password" not in text
