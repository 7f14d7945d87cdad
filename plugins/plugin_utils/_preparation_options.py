# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The variables of role ece_host_preparation: read, converted and checked before anything is asked of the host."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from ansible import template

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._registry_login import check_login
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost
from ansible_collections.ece.platform.plugins.plugin_utils._variable_types import role_defaults, role_spec

ROLE = "ece_host_preparation"
PREFIX = "ece_host_"
SETTINGS = "ece_host_preparation_docker_settings"
PASSWORD = "ece_host_docker_registry_password"  # the name of a variable
# Variables that tasks of the role read.
OF_TASKS = (
    "ece_host_preparation_packages_timeout",
    "ece_host_preparation_reboot",
    "ece_host_preparation_reboot_timeout",
)
# Type in the argument specs -> the types of converted values, and what the sentence asks for.
_TYPES: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "str": (str, "a text"),
    "path": (str, "a path"),
    "bool": (bool, "true or false"),
    "int": (int, "a whole number"),
    "list": (list, "a list"),
    "dict": (dict, "a mapping"),
}


def preparation_options(variables: OneHost, tags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the role's variables that have a value or a default, by their names. Raises OptionError.

    tags: variables with those of the run, which leave parts out as ece_host_preparation_skip does.
    """
    options = with_defaults(variables).select(role_spec(ROLE))
    for name, value in options.items():
        _check(name, value, role_spec(ROLE)[name])
    # What the host has, like the paths of its mounts, is compared with them.
    paths = [name for name in options if role_spec(ROLE)[name]["type"] == "path"]
    options.update({name: "/" + posixpath.normpath(options[name]).lstrip("/") for name in paths})
    options["ece_host_preparation_skip"] = sorted({*options["ece_host_preparation_skip"], *tagged_skip(tags)})
    if "registry" not in options["ece_host_preparation_skip"]:
        check_login({name.removeprefix(PREFIX): value for name, value in options.items()}, PREFIX)
    return options


def with_defaults(variables: OneHost) -> OneHost:
    """Return the variables with the role's defaults for those that are not set, null or empty.

    A survey's question without an answer is empty. The defaults, and the user's own templates, may name such variables.
    """
    defaults = role_defaults(ROLE)
    found = variables.readable(defaults)
    missing = defaults.keys() - found.values.keys() - set(found.unknown)
    raw = {**variables.raw, **{name: _trusted(defaults[name]) for name in missing}}
    return OneHost(variables.name, raw, variables.templar.copy_with_new_env(available_variables=raw))


def check_hidden_values(hidden: Mapping[str, Any]) -> None:
    """Raise OptionError for an empty extra variable that takes away what is set for a host, like where its disk is.

    hidden: what empty extra variables take away.
    """
    defaults = role_defaults(ROLE)
    for name in role_spec(ROLE):
        if name in hidden and hidden[name] != defaults.get(name):
            raise OptionError(
                f"the extra variable {name} is empty, and takes away the value that is set for the host: leave it out, "
                "or give it a value"
            )


def task_values(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the role's tasks need of its variables, converted, by the names without the prefix."""
    return {name.removeprefix(f"{ROLE}_"): options[name] for name in OF_TASKS}


def _trusted(default: Any) -> Any:
    """Return a default of the argument specs, of which ansible-core since 2.19 evaluates what it is told to trust."""
    return getattr(template, "trust_as_template", str)(default) if isinstance(default, str) else default


def tagged_skip(tags: Mapping[str, Any]) -> list[str]:
    """Return the parts that --tags and --skip-tags leave out. Each part has a tag of its name."""
    parts = role_spec(ROLE)["ece_host_preparation_skip"]["choices"]
    wanted, skipped = set(tags.get("ansible_run_tags") or ()), set(tags.get("ansible_skip_tags") or ())
    # Tags of the user's own, of a play or a role, have all parts in them.
    chosen = wanted & set(parts)
    return [part for part in parts if part in skipped or (chosen and part not in chosen)]


def _check(name: str, value: Any, spec: Mapping[str, Any]) -> None:
    kind, wanted = _TYPES[spec["type"]]
    is_of_type = isinstance(value, kind)
    if not is_of_type or (spec["type"] == "int" and isinstance(value, bool)):
        raise OptionError(f"{name} {_shown(value, spec)} is not {wanted}")
    choices: list[str] = spec.get("choices") or []
    for one in (value if isinstance(value, list) else [value]) if choices else ():
        if one not in choices:
            raise OptionError(f"{name} {one!r} is unknown: use {', '.join(choices)}")
    if spec["type"] == "path" and not value.startswith("/"):
        raise OptionError(f"{name} {value!r} is not an absolute path on the host")
    if spec["type"] == "int" and value < 0:
        raise OptionError(f"{name} {value} is negative: use 0 or more")


def _shown(value: Any, spec: Mapping[str, Any]) -> str:
    return "(hidden)" if spec.get("no_log") else repr(value)
