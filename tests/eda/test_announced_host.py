# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event filter: a host with checked values passes, and nothing else."""

from __future__ import annotations

import runpy
from typing import Any

import pytest

from tests.integration.operator import COLLECTIONS

FOLDER = COLLECTIONS / "ansible_collections" / "ece" / "platform" / "extensions" / "eda" / "plugins" / "event_filter"
# As ansible-rulebook loads it.
FILTER = runpy.run_path(str(FOLDER / "announced_host.py"))["main"]
GOOD = {"name": "allocator-7", "address": "10.0.1.17", "zone": "ece-zone-1"}
TEMPLATE = "{{ lookup('ansible.builtin.pipe', 'id') }}"


def test_a_host_passes_without_what_else_the_event_has() -> None:
    event = {
        "payload": {**GOOD, "comment": TEMPLATE, "meta": {"hosts": "all"}},
        "meta": {"hosts": "all", "headers": {"User-Agent": TEMPLATE}},
        "host": {"name": TEMPLATE},
    }
    assert FILTER(event) == {"host": GOOD}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": TEMPLATE}, "its name '?? lookup??ansible.builtin.pipe?, ?id?? ??' is no host name"),
        ({"name": "new-1,all"}, "its name 'new-1,all' is no host name"),
        ({"name": "!new-1"}, "its name '?new-1' is no host name"),
        ({"name": "new-1\n"}, "its name 'new-1?' is no host name"),
        ({"name": "-e"}, "its name '-e' is no host name"),
        ({"name": ""}, "its name '' is no host name"),
        ({"name": "n" * 300}, f"its name '{'n' * 60}...' is no host name"),
        ({"name": "All"}, "its name 'All' is no name of a host to Ansible"),
        ({"name": "localhost"}, "its name 'localhost' is no name of a host to Ansible"),
        ({"name": "allocators"}, "its name 'allocators' is no name of a host to Ansible"),
        ({"name": "127.0.0.1"}, "its name '127.0.0.1' is no name of a host to Ansible"),
        ({"name": 7}, "its name '7' is no text"),
        ({"name": ["new-1"]}, "its name '[?new-1?]' is no text"),
        ({"name": None}, "its name 'None' is no text"),
        ({"address": "10.0.1"}, "its address '10.0.1' is no IPv4 address of a host"),
        ({"address": "allocator-7.example.com"}, "is no IPv4 address of a host"),
        ({"address": "127.0.0.1"}, "its address '127.0.0.1' is no IPv4 address of a host"),
        ({"address": "0.0.0.0"}, "its address '0.0.0.0' is no IPv4 address of a host"),
        ({"address": "0.0.0.7"}, "its address '0.0.0.7' is no IPv4 address of a host"),
        ({"address": "169.254.169.254"}, "its address '169.254.169.254' is no IPv4 address of a host"),
        ({"address": "255.255.255.255"}, "is no IPv4 address of a host"),
        ({"address": "fd00::1"}, "its address 'fd00::1' is no IPv4 address of a host"),
        ({"zone": "zone 1"}, "its zone 'zone 1' is no zone"),
        ({"zone": "$ANSIBLE_VAULT"}, "its zone '?ANSIBLE_VAULT' is no zone"),
    ],
    ids=str,
)
def test_a_wrong_value_is_refused_in_one_sentence(changes: dict[str, Any], reason: str) -> None:
    (sentence,) = FILTER({"payload": {**GOOD, **changes}}).values()
    assert sentence.startswith("Event refused: ") and reason in sentence
    assert "\n" not in sentence and len(sentence) < 300
    assert sentence.endswith(f'set "{next(iter(changes))}" as in ' + str(GOOD).replace("'", '"') + ".")


def test_a_host_with_the_name_of_a_group_is_refused() -> None:
    event = {"payload": {**GOOD, "name": "Zone-1"}}
    assert FILTER(event, groups=["web"]) == {"host": event["payload"]}
    assert "its name 'Zone-1' is no name of a host to Ansible" in FILTER(event, groups=["web", "zone-1"])["refused"]


@pytest.mark.parametrize("key", GOOD)
def test_a_host_without_one_of_its_values_is_refused(key: str) -> None:
    event = {"payload": {other: value for other, value in GOOD.items() if other != key}}
    assert FILTER(event)["refused"].startswith(f"Event refused: it has no {key}; set ")


@pytest.mark.parametrize("event", [{}, {"payload": []}, {"payload": "new-1"}, {"payload": None}], ids=str)
def test_an_event_that_is_no_object_is_refused(event: dict[str, Any]) -> None:
    assert FILTER(event)["refused"].startswith("Event refused: its body is no JSON object; set ")
