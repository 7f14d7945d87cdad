# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules for hosts, their page and the options that skip them agree."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.ece.platform.plugins.module_utils import _host_options as host_options
from ansible_collections.ece.platform.plugins.module_utils._host_rules import CHECKS
from ansible_collections.ece.platform.plugins.module_utils._install_options import ROLE_VARIABLES
from ansible_collections.ece.platform.plugins.modules import ece_host_info
from tests import checks_table

COLLECTION = Path(host_options.__file__).parents[2]


def role_options():
    """All options of role ece_host by their names."""
    path = COLLECTION / "roles" / "ece_host" / "meta" / "argument_specs.yml"
    entry_points = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values()
    return {name: option for entry in entry_points for name, option in (entry.get("options") or {}).items()}


def test_the_page_of_checks_is_that_of_the_rules():
    assert checks_table.PAGE.read_text(encoding="utf-8") == checks_table.page(), "run `make tables`"


def test_module_and_role_can_skip_each_check_and_no_other():
    documented = yaml.safe_load(ece_host_info.DOCUMENTATION)["options"]["skip_checks"]["choices"]
    assert documented == ["all", *CHECKS]
    assert role_options()["ece_host_skip_checks"]["choices"] == ["all", *CHECKS]


@pytest.mark.parametrize("variables", [ROLE_VARIABLES, host_options.HOST_INFO_VARIABLES], ids=["install", "host_info"])
def test_each_option_that_the_role_passes_has_a_variable_of_the_role(variables):
    assert set(variables.values()) <= set(role_options())
