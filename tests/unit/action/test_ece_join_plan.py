# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: what it reads of each host's variables, what it refuses, and how often it asks the platform."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_join_plan
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError


class Client:
    """A platform with one runner that is an allocator."""

    url = "https://ece.example.com:12443"
    warnings: list = []

    def __init__(self):
        self.asked = []

    def platform(self):
        self.asked.append("platform")
        zone = {"zone_id": "z", "total_allocators": 2}
        return {
            "version": "3.8.0",
            "regions": [{"allocators": {"zone_summaries": [zone]}, "runners": {"total_runners": 1}}],
        }

    def runners(self):
        self.asked.append("runners")
        return [
            {"runner_id": "10.0.0.1", "host_ip": "10.0.0.1", "connected": True, "roles": [{"role_name": "allocator"}]}
        ]

    listed = True

    def iter_allocators(self, total):
        self.asked.append("allocators")
        return [{"allocator_id": "10.0.0.1", "status": {"connected": True}}] if self.listed else []

    def allocator(self, allocator_id):
        self.asked.append(allocator_id)
        return self.there


@pytest.fixture
def planning(bare, shown, role_variables, environment):
    """Plan for hosts: name -> variables. Returns the result, the client and the lines shown."""

    def plan(hosts, *, target=None, strategy="linear", extra=(), **common):
        action, client, lines = bare(ece_join_plan), Client(), shown(ece_join_plan)
        action.connect = lambda task_vars: (client, [])
        action._task._parent._play.strategy = strategy
        role_variables(ece_join_plan, {name: {**common, **variables} for name, variables in hosts.items()}, extra)
        task_vars = {"ansible_play_batch": list(hosts), "ansible_forks": 5}
        return action.act({"target": target}, task_vars), client, lines

    return plan


def test_joined_hosts_are_counted_and_new_hosts_are_shown(planning):
    result, client, lines = planning(
        {"old": {"ansible_host": "10.0.0.1"}, "new": {"ansible_host": "10.0.0.2", "ece_host_zone": "z"}}
    )
    assert result["joined"] == 1 and list(result["hosts"]) == ["new"]
    assert result["hosts"]["new"]["version"] == "3.8.0" and result["hosts"]["new"]["coordinator"] == "ece.example.com"
    assert lines == [
        "ECE 3.8.0 at https://ece.example.com:12443 - 2 hosts: 1 joined, 1 new",
        "new: new, joins as allocator with runner id 10.0.0.2, z",
    ]
    assert result["changed"] is False


def test_requests_do_not_depend_on_the_number_of_hosts(planning):
    _result, client, _lines = planning({f"h{number}": {"ansible_host": f"10.1.0.{number}"} for number in range(1, 200)})
    assert client.asked == ["platform", "runners", "allocators"]


def test_a_list_that_is_cut_is_a_warning_with_both_numbers(planning):
    result, _client, _lines = planning({"old": {"ansible_host": "10.0.0.1"}})
    assert len(result["warnings"]) == 1 and "has 1 entries but GET /platform counts 2" in result["warnings"][0]


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ece_host_zone": "a b"}, "host new: ece_host_zone 'a b'"),
        ({"ece_host_version": "3.7.0"}, "leave ece_host_version out"),
        ({"ece_host_connect_timeout": "soon"}, "host new: ece_host_connect_timeout 'soon' is not a time"),
        ({"ece_host_wait_interval": -1}, "ece_host_wait_interval -1 is not a time"),
        ({"ece_host_install_timeout": 10**400}, " is not a time: use seconds"),
        (
            {"ece_host_installer_url": ["https://example.com/x"]},
            "host new: ece_host_installer_url \"['https://example.com/x']\" is not an address",
        ),
        ({"ece_host_installer_checksum": 5}, "host new: ece_host_installer_checksum '5' is not a checksum"),
        ({"ece_host_installer_src": ["x"]}, "host new: ece_host_installer_src ['x'] is not a file on the controller"),
        ({"ece_host_installer_url": "http://example.com/x"}, "is not encrypted"),
        (
            {"ece_host_batch": 0},
            "host new: ece_host_batch 0 is not a batch of hosts: use a number of hosts or a percentage, 1 or more",
        ),
        ({"ece_host_batch": [1, "0%"]}, "ece_host_batch [1, '0%'] is not a batch of hosts"),
        (
            {"ece_host_max_fail_percentage": 101},
            "host new: ece_host_max_fail_percentage 101 is not a percentage: use 0 to 100",
        ),
        ({"ece_host_debug": "maybe"}, "The value 'maybe' is not a valid boolean"),
        ({"ece_host_skip_checks": ["everything"]}, "Got no match for: everything"),
        (
            {"ece_host_container_engine": "rkt"},
            "host new: value of ece_host_container_engine must be one of: docker, podman, got: rkt",
        ),
    ],
)
def test_bad_options_of_a_host_that_would_join(planning, variables, sentence):
    with pytest.raises(OptionError) as error:
        planning({"new": {"ansible_host": "10.0.0.2", **variables}})
    assert sentence in str(error.value)


@pytest.mark.parametrize("version", ["", "3.8", "three\nfour"])
def test_no_host_joins_a_platform_whose_version_is_not_a_version(planning, monkeypatch, version):
    monkeypatch.setattr(Client, "platform", lambda self: {"version": version})
    assert planning({"old": {"ansible_host": "10.0.0.1"}})[0]["joined"] == 1
    with pytest.raises(OptionError, match="host new: cannot join a platform that reports version"):
        planning({"new": {"ansible_host": "10.0.0.2"}})


def test_options_of_a_joined_host_are_not_checked(planning):
    result, _client, _lines = planning({"old": {"ansible_host": "10.0.0.1", "ece_host_zone": "a b"}})
    assert result["hosts"] == {}


def test_an_unknown_role_is_refused_for_joined_hosts_too(planning):
    with pytest.raises(OptionError, match="host old: ece_host_roles 'alocator' is not a role"):
        planning({"old": {"ansible_host": "10.0.0.1", "ece_host_roles": ["alocator"]}})


@pytest.mark.parametrize("value", [False, "false", "no", True, "true"])
def test_selinux_may_be_text(planning, value):
    variables = {"ansible_host": "10.0.0.2", "ece_host_selinux": value}
    assert list(planning({"new": variables})[0]["hosts"]) == ["new"]
    if value in (True, "true"):
        with pytest.raises(OptionError, match="podman"):
            planning({"new": {**variables, "ece_host_container_engine": "docker"}})


@pytest.mark.parametrize("value", [30, "30%", None])
def test_the_limit_of_failures_is_in_the_plan(planning, value):
    hosts = {name: {"ansible_host": name, "ece_host_max_fail_percentage": value} for name in ("10.0.0.2", "10.0.0.3")}
    assert planning(hosts)[0]["max_fail_percentage"] == value


@pytest.mark.parametrize(
    ("batch", "persistent", "sizes"),
    [(None, False, [900, 100]), (None, True, [1000]), ("25%", False, [250] * 4), (950, "true", [950, 50])],
)
def test_a_batch_has_no_more_hosts_than_can_start_with_one_token(planning, batch, persistent, sizes):
    hosts = {f"h{number}": {"ece_host_batch": batch} for number in range(1000)}
    assert planning(hosts, ece_host_token_persistent=persistent)[0]["batch"] == sizes


def test_two_hosts_that_want_different_batches_are_an_error(planning):
    with pytest.raises(OptionError, match="host b: ece_host_batch is 2 for host a and not set for host b: a play has one"):
        planning({"a": {"ansible_host": "10.0.0.2", "ece_host_batch": 2}, "b": {"ansible_host": "10.0.0.3"}})


def test_of_many_new_hosts_some_are_shown_and_all_are_counted(planning):
    result, _client, lines = planning(
        {f"h{number:03}": {"ansible_host": f"10.1.0.{number}"} for number in range(1, 120)}, ece_host_zone="z"
    )
    assert len(result["hosts"]) == 119 and len(lines) == 1 + 20 + 1
    assert lines[-1] == "... and 99 more; the report names them all"


def test_hosts_keep_the_plays_order_which_is_that_of_batches(planning):
    hosts = {
        "z-canary": {"ansible_host": "10.0.0.4"},
        "old": {"ansible_host": "10.0.0.1"},
        "a": {"ansible_host": "10.0.0.3"},
    }
    assert list(planning(hosts)[0]["hosts"]) == ["z-canary", "a"]


@pytest.mark.parametrize(
    ("there", "joined"), [({"allocator_id": "10.0.0.1", "status": {"connected": True}}, 1), (None, 0)]
)
def test_an_allocator_that_the_list_lacks_is_asked_for_by_its_id(planning, monkeypatch, there, joined):
    monkeypatch.setattr(Client, "listed", False)
    monkeypatch.setattr(Client, "there", there, raising=False)
    result, client, _lines = planning({"a": {"ece_host_ip": "10.0.0.1"}})
    assert client.asked == ["platform", "runners", "allocators", "10.0.0.1"]
    assert result["joined"] == joined
