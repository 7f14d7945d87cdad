# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text, numbers and dates become the type that the argument specs give a variable."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils._variable_types import converted, role_spec


class Tagged(str):
    """Text as Ansible has it, with its origin."""


HEAP = {"runner": {"xms": "1G"}}


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("ece_host_zone", 1, "1"),
        ("ece_host_zone", 1.5, "1.5"),
        ("ece_host_zone", True, "True"),
        ("ece_host_zone", datetime.date(2026, 1, 2), "2026-01-02"),
        ("ece_host_runner_id", 7, "7"),
        ("ece_host_version", 3.8, "3.8"),
        ("ece_host_storage_path", "/data", "/data"),
        ("ece_host_roles", "allocator", ["allocator"]),
        ("ece_host_roles", "allocator, proxy", ["allocator", "proxy"]),
        ("ece_host_roles", '["allocator", "proxy"]', ["allocator", "proxy"]),
        ("ece_host_roles", ["allocator"], ["allocator"]),
        ("ece_host_roles", "allocator\nproxy", ["allocator", "proxy"]),
        ("ece_host_roles", "allocator\r\n\r\nproxy, \r\n", ["allocator", "proxy"]),
        ("ece_host_skip_checks", "os,memory,", ["os", "memory"]),
        ("ece_host_extra_args", "--proxy-tags ssd:true --debug-x", ["--proxy-tags", "ssd:true", "--debug-x"]),
        ("ece_host_extra_args", "--proxy-tags,ssd:true", ["--proxy-tags", "ssd:true"]),
        ("ece_host_extra_args", ["--weight", 5], ["--weight", "5"]),
        ("ece_url", " https://a:1 , https://b:1", ["https://a:1", "https://b:1"]),
        ("ece_host_memory_settings", '{"runner": {"xms": "1G"}}', HEAP),
        ("ece_host_memory_settings", Tagged('{"runner": {"xms": "1G"}}'), HEAP),
        ("ece_host_memory_settings", "{runner: {xms: 1G}}", HEAP),
        ("ece_host_memory_settings", HEAP, HEAP),
        ("ece_host_allocator_tags", '{"ssd": "true"}', {"ssd": "true"}),
        ("ece_host_allocator_tags", "ssd=true, family=m5", {"ssd": "true", "family": "m5"}),
        ("ece_host_allocator_tags", "ssd=true\r\nfamily=m5\r\n", {"ssd": "true", "family": "m5"}),
        ("ece_host_memory_settings", '{"runner":\n{"xms": "1G"}}\n', HEAP),
        ("ece_host_batch", "[1, '25%']", [1, "25%"]),
        ("ece_host_batch", "25%", "25%"),
        ("ece_host_batch", 2, 2),
        ("ece_host_capacity", "16384", 16384),
        ("ece_host_capacity", 16384.0, 16384),
        ("ece_host_timeout_factor", "1.5", 1.5),
        ("ece_host_force", "yes", True),
        ("ece_host_force", "false", False),
        ("ece_host_become", 0, False),
    ],
)
def test_a_value_has_the_type_of_its_variable(variable, value, expected):
    found = converted(variable, value)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ece_host_memory_settings", "4G"),
        ("ece_host_memory_settings", "{a: ]"),
        ("ece_host_memory_settings", [1]),
        ("ece_host_capacity", 1.5),
        ("ece_host_capacity", True),
        ("ece_host_capacity", "much"),
        ("ece_host_capacity", float("inf")),
        ("ece_host_timeout_factor", "fast"),
        ("ece_host_force", "perhaps"),
        ("ece_host_zone", ["z"]),
        ("ece_host_roles", {"allocator": True}),
        ("ece_host_batch", "[1"),
        ("ansible_host", 7),
        ("ece_host_zone", None),
        ("ece_host_roles", ""),
    ],
)
def test_what_cannot_be_converted_stays_as_it_is_for_the_check_of_its_variable(variable, value):
    assert converted(variable, value) is value


def test_every_type_of_the_argument_specs_is_converted():
    assert {option["type"] for option in role_spec().values()} <= {
        *("str", "path", "bool", "int", "float", "list", "dict", "raw"),
    }
