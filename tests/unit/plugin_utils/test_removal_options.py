# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of role ece_host_removal."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.plugin_utils._removal_options import removal_options
from tests.unit.action.conftest import Variables
from tests.unit.module_utils.test_removal_plan import CHOICES


def test_the_defaults_are_those_of_the_role():
    assert removal_options(Variables()) == {
        "choices": CHOICES,
        "vacate_timeout": 3600,
        "disconnect_timeout": 300,
        "interval": 5,
        "vacate_options": {},
        "leftovers": [],
        "bootstrap_secrets": False,
        "storage_path": "/mnt/data/elastic",
    }


def test_texts_of_a_survey_are_read_as_their_types():
    given = {
        "ece_host_removal_clean_host": "false",
        "ece_host_removal_leftovers": "images,network",
        "ece_host_removal_vacate_timeout": "60",
        "ece_host_removal_vacate_options": '{"targets": ["a"], "concurrency": 2}',
        "ece_host_removal_allow_last": "",
        "ece_host_storage_path": "/data/ece",
    }
    found = removal_options(Variables(given))
    assert not found["choices"]["clean_host"] and not found["choices"]["allow_last"]
    assert found["leftovers"] == ["images", "network"] and found["vacate_timeout"] == 60
    assert found["vacate_options"] == {"targets": ["a"], "concurrency": 2} and found["storage_path"] == "/data/ece"


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("ece_host_removal_clean", True, "is not a variable of role ece_host_removal; did you mean"),
        (
            "ece_host_removal_zzzzzzz",
            True,
            "is not a variable of role ece_host_removal; use one of ece_host_removal_allow_last, ",
        ),
        ("ece_host_removal_clean_host", "maybe", "ece_host_removal_clean_host 'maybe' is not true or false"),
        ("ece_host_removal_instances", "drop", "'drop' is unknown: use vacate, delete"),
        ("ece_host_removal_leftovers", ["volumes"], "'volumes' is unknown: use images, network, storage"),
        ("ece_host_removal_vacate_timeout", "0", "0 is not a time: use seconds, 1 or more"),
        ("ece_host_storage_path", "data", "ece_host_storage_path 'data' is not an absolute path on the host"),
        ("ece_host_removal_vacate_options", {"target": 1}, "has no option 'target': there are targets"),
        ("ece_host_removal_vacate_options", {"concurrency": True}, "concurrency True in"),
        ("ece_host_removal_vacate_options", {"skip_snapshot": "yes"}, "is not true or false"),
        ("ece_host_removal_vacate_options", {"pending_plans": "drop"}, "use fail, wait or force"),
    ],
)
def test_a_variable_that_cannot_work(variable, value, sentence):
    with pytest.raises(OptionError, match=".*") as error:
        removal_options(Variables({variable: value}))
    assert sentence in str(error.value) and variable in str(error.value)
