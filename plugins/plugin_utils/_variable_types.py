# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The types that the role's argument specs give its variables, and text as those types.

Survey answers, INI inventories and `-e name=value` give text for everything, and YAML gives a number or a date for text
that looks like one. So each variable is converted where it is read, and everything after that compares like with like.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.common.validation import check_type_dict
from ansible.module_utils.parsing.convert_bool import boolean

ROLES = Path(__file__).resolve().parents[2] / "roles"
# Role -> the entry point that has its options.
ENTRY_POINTS = {"ece_host": "join", "ece_host_preparation": "prepare", "ece_host_removal": "remove"}
# The one in C is ten times as fast, and not everywhere.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SCALARS = (str, bool, int, float, datetime.date)


@functools.lru_cache(maxsize=None)
def role_spec(role: str = "ece_host") -> dict[str, dict[str, Any]]:
    """Return a role's options by variable, without defaults, which are the role's business and may be templates."""
    return {
        name: {key: value for key, value in option.items() if key != "default"}
        for name, option in _options(role).items()
    }


def role_defaults(role: str) -> dict[str, Any]:
    """Return the defaults of a role's options, some of which may be templates."""
    return {name: option["default"] for name, option in _options(role).items() if "default" in option}


def is_true_by_default(variable: str) -> bool:
    """Return whether the role's default of a boolean variable is true."""
    return _options("ece_host").get(variable, {}).get("default") is True


def default_of(variable: str) -> Any:
    """Return the default of a variable as its role has it, which may be a template, or None."""
    return next((_options(role)[variable].get("default") for role in ENTRY_POINTS if variable in _options(role)), None)


def spec_of(variable: str) -> dict[str, Any]:
    """Return what the argument specs say of a variable, of whichever role it is; empty for others."""
    role = next((name for name in reversed(ENTRY_POINTS) if variable.startswith(f"{name}_")), "ece_host")
    return role_spec(role).get(variable, {})


@functools.lru_cache(maxsize=None)
def _options(role: str) -> dict[str, dict[str, Any]]:
    with (ROLES / role / "meta" / "argument_specs.yml").open(encoding="utf-8") as file:
        options: dict[str, dict[str, Any]] = yaml.load(file, _Loader)["argument_specs"][ENTRY_POINTS[role]]["options"]
    return options


def converted(variable: str, value: Any) -> Any:
    """Return a value as the type that the argument specs give its variable.

    A value that cannot be converted is returned as it is. The check of its variable refuses it with a sentence.
    """
    if value is None or value == "":
        return value
    convert = _CONVERTERS.get(str(spec_of(variable).get("type")))
    return convert(value) if convert else value


def _text(value: Any) -> Any:
    return value if isinstance(value, str) or not isinstance(value, _SCALARS) else str(value)


def _truth(value: Any) -> Any:
    try:
        return boolean(value)
    except TypeError:
        return value


def _whole_number(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    try:
        number = int(value)
        return number if isinstance(value, str) or number == value else value
    except (TypeError, ValueError, OverflowError):
        return value


def _number(value: Any) -> Any:
    try:
        return value if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return value


def _list(value: Any) -> Any:
    if isinstance(value, str):
        # No argument of the installer holds a blank, so that blanks separate what is written as on its command line.
        # A survey's question for a text of several lines separates by lines.
        parts = value.split()
        by_sign = parts if value.startswith("--") and len(parts) > 1 else ",".join(value.splitlines()).split(",")
        value = _structure(value, list) or by_sign
        elements = (element.strip() if isinstance(element, str) else _text(element) for element in value)
        return [element for element in elements if element != ""]
    return [_text(element) for element in value] if isinstance(value, (list, tuple)) else value


def _mapping(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return _structure(value, dict) or check_type_dict(",".join(value.splitlines()))
    except TypeError:
        return value


def _list_or_scalar(value: Any) -> Any:
    return (_structure(value, list) or value) if isinstance(value, str) else value


def _structure(text: str, kind: type) -> Any:
    """Return the list or dict that text has in YAML's flow style, of which JSON is a part, or None."""
    if not text.lstrip().startswith(("[", "{")):
        return None
    try:
        found = yaml.load(str(text), _Loader)  # the parser in C takes no text with tags of Ansible
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return found if isinstance(found, kind) else None


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "str": _text,
    "path": _text,
    "bool": _truth,
    "int": _whole_number,
    "float": _number,
    "list": _list,
    "dict": _mapping,
    "raw": _list_or_scalar,
}
