# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables as options: text is converted, an empty value is a default, and messages name the variable."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import (
    connection_options,
    install_options,
    is_set,
    seconds,
)
from tests.unit.action.conftest import Variables


def test_connection_variables_become_the_options_of_the_api_modules(environment):
    environment.setenv("ECE_USERNAME", "admin")
    variables = Variables(ece_url="https://a:12443,https://b:12443", ece_validate_certs="no", ece_timeout="5")
    options = connection_options(variables)
    assert options["url"] == ["https://a:12443", "https://b:12443"]
    assert (options["validate_certs"], options["timeout"], options["retries"]) == (False, 5, 3)
    assert (options["username"], options["password"]) == ("admin", None)


@pytest.mark.parametrize(("variable", "value"), [("ece_timeout", "soon"), ("ece_validate_certs", "perhaps")])
def test_a_connection_variable_of_another_type_is_named(environment, variable, value):
    with pytest.raises(OptionError, match=variable):
        connection_options(Variables({variable: value}))


def test_a_file_of_the_controller_takes_the_place_of_the_download():
    variables = {"ece_host_zone": "z", "ece_host_capacity": "", "ece_host_installer_url": "https://example.com/x"}
    assert install_options(Variables(variables)) == {"zone": "z", "installer_url": "https://example.com/x"}
    assert install_options(Variables(variables, ece_host_installer_src="x.sh")) == {"zone": "z"}


@pytest.mark.parametrize(("value", "expected"), [("false", False), ("yes", True), (True, True), ("", False)])
def test_a_boolean_may_be_text(value, expected):
    assert is_set(Variables(ece_host_force=value), "ece_host_force") is expected


@pytest.mark.parametrize(("value", "expected"), [("", True), (None, True), ("no", False), (False, False)])
def test_an_empty_boolean_is_the_roles_default(value, expected):
    assert is_set(Variables(ece_host_become=value), "ece_host_become") is expected


@pytest.mark.parametrize(("value", "expected"), [("", 600.0), ("7", 7.0), (0.5, 0.5)])
def test_empty_seconds_are_the_roles_default(value, expected):
    assert seconds(Variables(ece_host_connect_timeout=value), "ece_host_connect_timeout") == expected
