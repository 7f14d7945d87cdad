# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The variables of role ece_host: read, checked, and turned into options of the modules that run on a host.

Everything that a host would be given is checked here, before anything is changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.ece.platform.plugins.module_utils._ece import DEFAULT_ROLES
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._host_options import HOST_INFO_VARIABLES
from ansible_collections.ece.platform.plugins.module_utils._install_options import (
    ROLE_VARIABLES,
    arguments,
    is_version,
)
from ansible_collections.ece.platform.plugins.module_utils._module import CONNECTION_SPEC
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    IDENTITY_VARIABLES,
    HostWish,
    PlanEntry,
    host_identity,
)
from ansible_collections.ece.platform.plugins.module_utils._registry_login import check_login
from ansible_collections.ece.platform.plugins.plugin_utils._batch import batch_problem, percentage_problem
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost

PREFIX = "ece_host_"
ARGUMENT_SPECS = Path(__file__).resolve().parents[2] / "roles" / "ece_host" / "meta" / "argument_specs.yml"
# Variables that hold seconds: the fewest seconds that make sense, and the role's default, which an empty value means.
SECONDS = {
    "ece_host_install_timeout": (1, 1800),
    "ece_host_connect_timeout": (1, 600),
    "ece_host_wait_interval": (1, 5),
    "ece_host_settle_time": (0, 3),
}
# Variables of which a play has one value. They are read from its hosts, because users set them for a group.
OF_PLAY: dict[str, Callable[[Any], "str | None"]] = {
    "ece_host_batch": batch_problem,
    "ece_host_max_fail_percentage": percentage_problem,
}


# -- reading ---------------------------------------------------------------------------------------------------------


def connection_options(variables: OneHost) -> dict[str, Any]:
    """Return the API modules' connection options from `ece_url` and its like. Raises OptionError."""
    spec = {f"ece_{name}": entry for name, entry in CONNECTION_SPEC.items()}  # so that messages name the variable
    given = {variable: variables.get(variable) for variable in spec}
    validator = ArgumentSpecValidator(spec)
    result = validator.validate({variable: value for variable, value in given.items() if value is not None})
    if result.error_messages:
        raise OptionError(result.error_messages[0])
    return {name: result.validated_parameters[f"ece_{name}"] for name in CONNECTION_SPEC}


def host_info_options_of(entry: PlanEntry, variables: OneHost) -> dict[str, Any]:
    """Return the options of ece_host_info for a host of the plan."""
    options = {
        **_host_options(variables, HOST_INFO_VARIABLES),
        "roles": entry["roles"],
        "version": entry["version"],
        # By these the controller knows the host. Which of them are the host's own, only the host can say.
        "addresses": list(dict.fromkeys([*filter(None, [variables.get("ansible_host")]), entry["name"]])),
        "coordinator_host": entry["coordinator"],
        "controller_time": time.time(),
    }
    return {name: value for name, value in options.items() if value is not None}


def install_options(variables: OneHost) -> dict[str, Any]:
    """Return the options of ece_install that the role's variables set."""
    return _host_options(variables, ROLE_VARIABLES)


def _host_options(variables: OneHost, sources: Mapping[str, str]) -> dict[str, Any]:
    given = {option: variables.get(variable) for option, variable in sources.items()}
    if variables.get("ece_host_installer_src"):
        given["installer_url"] = None  # a file of the controller takes the place of the download
    return {name: value for name, value in given.items() if value is not None}


def is_set(variables: OneHost, name: str) -> bool:
    """Return whether a boolean variable is true. A survey or -e gives text, of which "false" would count as true."""
    return bool(boolean(variables.get(name, False), strict=False))


def seconds(variables: OneHost, name: str) -> float:
    """Return a variable of SECONDS as a number."""
    return float(variables.get(name, SECONDS[name][1]))


def host_wish(name: str, variables: OneHost) -> HostWish:
    """Return what the inventory wants of one host. Raises OptionError."""
    roles = variables.get("ece_host_roles", list(DEFAULT_ROLES))
    try:
        arguments({"roles": roles}, PREFIX)
    except OptionError as error:
        raise OptionError(f"host {name}: {error}") from None
    identity = host_identity(name, {key: variables.get(key) for key in IDENTITY_VARIABLES})
    return {**identity, "roles": list(roles), "zone": variables.get("ece_host_zone")}


# -- checking --------------------------------------------------------------------------------------------------------


class HostCheck:
    """Checks the role's variables of hosts that are not joined."""

    def __init__(self, platform_version: str, coordinator: str) -> None:
        options = yaml.safe_load(ARGUMENT_SPECS.read_text(encoding="utf-8"))["argument_specs"]["join"]["options"]
        # Without the defaults, which are the role's business and may be templates.
        self._spec = {
            name: {key: value for key, value in option.items() if key != "default"}
            for name, option in options.items()
            if name.startswith(PREFIX)
        }
        self._validator = ArgumentSpecValidator(self._spec)
        self._platform_version = platform_version
        self._coordinator = coordinator

    def complete(self, entry: PlanEntry, variables: OneHost) -> PlanEntry:
        """Return the plan's entry with version and coordinator. Raises OptionError for a variable that cannot work."""
        try:
            version = self._version(variables)
            coordinator = variables.get("ece_host_coordinator", self._coordinator)
            self._check_arguments(entry, variables, version, coordinator)
            for variable, (least, _default) in SECONDS.items():
                check_seconds(variable, variables.get(variable), least)
            for variable, problem_of in OF_PLAY.items():
                value = variables.get(variable)
                problem = None if value is None else problem_of(value)
                if problem:
                    raise OptionError(f"{variable} {problem}")
            self._check_types(variables)
        except OptionError as error:
            raise OptionError(f"host {entry['name']}: {error}") from None
        return {**entry, "version": version, "coordinator": coordinator}

    def _version(self, variables: OneHost) -> str:
        version = str(variables.get("ece_host_version", self._platform_version))
        if version != self._platform_version:
            raise OptionError(
                f"ece_host_version {version} is not what the platform runs: "
                f"a host must join with {self._platform_version}, so leave ece_host_version out"
            )
        if not is_version(version):
            raise OptionError(
                f"cannot join a platform that reports version {version!r}, which is not a version; "
                "is ece_url a coordinator of ECE?"
            )
        return version

    @staticmethod
    def _check_arguments(entry: PlanEntry, variables: OneHost, version: str, coordinator: str) -> None:
        selinux = is_set(variables, "ece_host_selinux")
        # Which engine a host has is not known yet. Only Podman goes with SELinux, and the installation checks that.
        engine = variables.get("ece_host_container_engine", "podman" if selinux else None)
        options = {
            **{option: variables.get(variable) for option, variable in ROLE_VARIABLES.items()},
            "coordinator_host": coordinator,
            "roles": entry["roles"],
            "runner_id": entry["runner_id"],
            "version": version,
            "container_engine": engine,
            "selinux": selinux,
        }
        arguments(options, PREFIX)
        check_login(options, PREFIX)

    def _check_types(self, variables: OneHost) -> None:
        given = {key: value for key, value in variables.select(self._spec).items() if value is not None and value != ""}
        messages = self._validator.validate(given).error_messages
        if messages:
            raise OptionError(messages[0])


def check_seconds(name: str, value: Any, least: int) -> None:
    """Raise OptionError for a value that is not a number of seconds."""
    if value is None:
        return
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    # A fraction of the least second is as good as that.
    if not (0 < number or number == least) or not number < 2**31:
        raise OptionError(f"{name} {value!r} is not a time: use seconds, {least} or more")


class PlayOptions:
    """Collects the variables of which a play has one value, and refuses a second value."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = dict.fromkeys(OF_PLAY)
        self._seen_on: dict[str, str] = {}

    def add(self, name: str, variables: OneHost) -> None:
        """Add one host's values. Raises OptionError where they differ from another host's."""
        for variable in OF_PLAY:
            value = variables.get(variable)
            other = self._seen_on.setdefault(variable, name)
            if other != name and value != self.values[variable]:
                raise OptionError(
                    f"{variable} is {self.values[variable]!r} for host {other} and {value!r} for host {name}: "
                    "a play has one value for all its hosts, so set it for their group"
                )
            self.values[variable] = value
