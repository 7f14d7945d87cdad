# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What variables declare of joined hosts, and how many of those a play changes without being asked."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost
from ansible_collections.ece.platform.plugins.plugin_utils._plan_updates import check_updates, declared_of


def declared(**variables):
    return declared_of(OneHost("a", variables, None), ["allocator"])


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({}, {}),
        ({"ece_host_allocator_tags": {}, "ece_host_allocator_tags_exact": False}, {}),
        ({"ece_host_allocator_tags": "", "ece_host_capacity": "", "ece_host_maintenance": ""}, {}),
        ({"ece_host_allocator_tags": {"ssd": True, "rack": 7}}, {"tags": {"ssd": True, "rack": 7}}),
        ({"ece_host_allocator_tags": "ssd=true"}, {"tags": {"ssd": "true"}}),
        ({"ece_host_allocator_tags": {}, "ece_host_allocator_tags_exact": "yes"}, {"tags": {}, "tags_exact": True}),
        ({"ece_host_capacity": "204800"}, {"capacity": 204800}),
        ({"ece_host_maintenance": "no"}, {"maintenance": False}),
    ],
)
def test_what_is_declared_of_an_allocator(variables, options):
    assert declared(**variables) == {"roles": ["allocator"], "roles_exact": False, "allocator": options}


@pytest.mark.parametrize("variable", ["roles_exact", "allocator_tags_exact", "maintenance"])
def test_a_choice_is_true_or_false(variable):
    with pytest.raises(OptionError, match=f"^ece_host_{variable} 'maybe' is not a choice: use true or false"):
        declared(**{f"ece_host_{variable}": "maybe"})


def check(count, extra=(), elsewhere=None, wanted=None):
    differences = {f"h{number:02}": {"before": {}, "after": {"capacity": 9000}} for number in range(count)}
    check_updates(differences, dict.fromkeys(differences, wanted), elsewhere or {}, lambda name: name in extra)


def test_a_few_joined_hosts_are_changed_and_more_where_a_variable_says_so():
    check(10)
    check(0, extra=("ece_host_capacity",))
    check(11, wanted=True)
    check(11, wanted=False)
    check(1, extra=("ece_host_allocator_tags",))  # nothing that it declares differs
    check(1, extra=("ece_host_capacity",), wanted=True)


@pytest.mark.parametrize(
    ("count", "extra", "elsewhere", "sentence"),
    [
        (
            11,
            (),
            {},
            "11 joined hosts (h00, h01, h02, h03, h04 and 6 more) would be changed (capacity), more than 10 in one "
            "play: set ece_host_change_joined to true if that is meant, or to false to leave joined hosts as they are",
        ),
        (
            1,
            ("ece_host_capacity",),
            {},
            "1 joined host (h00) would be changed (capacity), as ece_host_capacity is an extra variable: set ece_",
        ),
        (
            9,
            (),
            {"x": ["tags"], "y": ["maintenance", "roles"], "h00": ["capacity"]},
            "11 joined hosts (h00, h01, h02, h03, h04 and 6 more) would be changed (tags, capacity, maintenance mode, "
            "roles), more than 10",
        ),
    ],
)
def test_many_joined_hosts_are_changed_only_if_a_variable_says_so(count, extra, elsewhere, sentence):
    with pytest.raises(OptionError) as error:
        check(count, extra, elsewhere)
    assert str(error.value).startswith(sentence)
