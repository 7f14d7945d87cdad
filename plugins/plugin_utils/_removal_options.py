# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The variables of role ece_host_removal: read, converted and checked before anything is asked or changed."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._ece import DEFAULT_STORAGE_PATH
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._removal_plan import Choices
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost
from ansible_collections.ece.platform.plugins.plugin_utils._role_options import check_seconds
from ansible_collections.ece.platform.plugins.plugin_utils._variable_names import check_names
from ansible_collections.ece.platform.plugins.plugin_utils._variable_types import role_defaults, role_spec

ROLE = "ece_host_removal"
PREFIX = f"{ROLE}_"
# Variables that hold seconds: the fewest that make sense.
SECONDS = {
    "ece_host_removal_vacate_timeout": 1,
    "ece_host_removal_disconnect_timeout": 1,
    "ece_host_wait_interval": 1,
}
# Option of ece_host_info -> variable. The other options are about an installation.
_OF_HOST_INFO = {
    "user": "ece_host_user",
    "container_engine": "ece_host_container_engine",
    "bin_paths": "ece_host_bin_paths",
    "docker_socket": "ece_host_docker_socket",
    "storage_path": "ece_host_storage_path",
    "state_path": "ece_host_state_path",
}
# Option of a vacate -> what it takes, of ece_host_removal_vacate_options.
VACATE_OPTIONS: Mapping[str, tuple[type, str]] = {
    "targets": (list, "a list of ids of allocators"),
    "preferred_tags": (dict, "a mapping of tags"),
    "pending_plans": (str, "fail, wait or force"),
    "skip_snapshot": (bool, "true or false"),
    "skip_data_migration": (bool, "true or false"),
    "override_failsafe": (bool, "true or false"),
    "force_move": (bool, "true or false"),
    "concurrency": (int, "a number of moves at the same time, from 1 to 64"),
}
_TYPES: Mapping[str, tuple[type, str]] = {
    "str": (str, "a text"),
    "path": (str, "a path"),
    "bool": (bool, "true or false"),
    "int": (int, "a whole number"),
    "list": (list, "a list"),
    "dict": (dict, "a mapping"),
}


class RemovalOptions(TypedDict):
    """The checked variables of one host."""

    choices: Choices
    # In seconds.
    vacate_timeout: int
    disconnect_timeout: int
    interval: int
    vacate_options: dict[str, Any]
    leftovers: list[str]
    bootstrap_secrets: bool
    storage_path: str


def removal_options(variables: OneHost) -> RemovalOptions:
    """Return the role's variables of a host. Raises OptionError for one that cannot work."""
    spec, defaults = role_spec(ROLE), role_defaults(ROLE)
    # A wrong name might delete too much.
    check_names(variables.raw, PREFIX, spec, f"role {ROLE}")
    values = {name: variables.get(name, defaults.get(name)) for name in spec if name.startswith("ece_host_")}
    # A time has a sentence of its own.
    for name, least in SECONDS.items():
        check_seconds(name, values.get(name), least)
    for name, value in values.items():
        if value is not None and name not in SECONDS:
            _check(name, value, spec[name])
    return {
        "choices": {
            "instances": values["ece_host_removal_instances"],
            "clean_host": values["ece_host_removal_clean_host"],
            "allow_last": values["ece_host_removal_allow_last"],
            "unreachable": values["ece_host_removal_unreachable"],
        },
        "vacate_timeout": int(float(values["ece_host_removal_vacate_timeout"])),
        "disconnect_timeout": int(float(values["ece_host_removal_disconnect_timeout"])),
        "interval": max(1, int(float(values["ece_host_wait_interval"]))),
        "vacate_options": vacate_options(values["ece_host_removal_vacate_options"]),
        "leftovers": values["ece_host_removal_leftovers"],
        "bootstrap_secrets": values["ece_host_removal_bootstrap_secrets"],
        "storage_path": values.get("ece_host_storage_path") or DEFAULT_STORAGE_PATH,
    }


def vacate_options(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked ece_host_removal_vacate_options. Raises OptionError."""
    variable = "ece_host_removal_vacate_options"
    for name, one in value.items():
        if name not in VACATE_OPTIONS:
            raise OptionError(f"{variable} has no option {name!r}: there are {', '.join(VACATE_OPTIONS)}")
        kind, wanted = VACATE_OPTIONS[name]
        if not isinstance(one, kind) or (kind is int and isinstance(one, bool)):
            raise OptionError(f"{name} {one!r} in {variable} is not {wanted}")
    if value.get("pending_plans", "fail") not in ("fail", "wait", "force"):
        raise OptionError(f"pending_plans {value['pending_plans']!r} in {variable} is unknown: use fail, wait or force")
    return dict(value)


def host_info_options(variables: OneHost) -> dict[str, Any]:
    """Return the options of ece_host_info that say where ECE is on a host; no rule of an installation is checked."""
    given = {option: variables.get(variable) for option, variable in _OF_HOST_INFO.items()}
    return {**{option: value for option, value in given.items() if value is not None}, "skip_checks": ["all"]}


def _check(name: str, value: Any, spec: Mapping[str, Any]) -> None:
    kind, wanted = _TYPES[spec["type"]]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise OptionError(f"{name} {value!r} is not {wanted}")
    choices: list[str] = spec.get("choices") or []
    for one in (value if isinstance(value, list) else [value]) if choices else ():
        if one not in choices:
            raise OptionError(f"{name} {one!r} is unknown: use {', '.join(choices)}")
    if spec["type"] == "path" and not posixpath.isabs(str(value)):
        raise OptionError(f"{name} {value!r} is not an absolute path on the host")
