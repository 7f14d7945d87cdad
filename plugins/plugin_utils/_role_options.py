# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the collection: it may change or go in any release.

"""The variables of role ece_host: read, checked, and turned into options of the modules that run on a host.

Everything that a host would be given is checked here, before anything is changed.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.ece.platform.plugins.module_utils._ece import DEFAULT_ROLES, DEFAULT_STORAGE_PATH
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._host_installer import script_path
from ansible_collections.ece.platform.plugins.module_utils._host_options import HOST_INFO_OPTIONS, HOST_INFO_VARIABLES
from ansible_collections.ece.platform.plugins.module_utils._install_options import (
    INSTALL_OPTIONS,
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
    identifies_a_host,
    normal_address,
)
from ansible_collections.ece.platform.plugins.module_utils._registry_login import check_login
from ansible_collections.ece.platform.plugins.module_utils._states import MISSING_ROLES
from ansible_collections.ece.platform.plugins.plugin_utils._hidden_text import HiddenText
from ansible_collections.ece.platform.plugins.plugin_utils._host_variables import OneHost
from ansible_collections.ece.platform.plugins.plugin_utils._variable_types import is_true_by_default, role_spec

PREFIX = "ece_host_"
SECRET_OPTIONS = {option.name for option in (*INSTALL_OPTIONS, *HOST_INFO_OPTIONS) if option.spec.get("no_log")}
# Variables that hold seconds: the fewest seconds that make sense, and the role's default, which an empty value means.
SECONDS = {
    "ece_host_install_timeout": (1, 1800),
    "ece_host_connect_timeout": (1, 600),
    "ece_host_wait_interval": (1, 5),
    "ece_host_settle_time": (0, 3),
}
# Connections by which a host is the controller itself.
LOCAL_CONNECTIONS = ("local", "ansible.builtin.local", "ansible.legacy.local")


# -- reading ---------------------------------------------------------------------------------------------------------


def connection_options(variables: OneHost) -> dict[str, Any]:
    """Return the API modules' connection options from `ece_url` and its like. Raises OptionError."""
    spec = {f"ece_{name}": entry for name, entry in CONNECTION_SPEC.items()}  # so that messages name the variable
    result = ArgumentSpecValidator(spec).validate(variables.select(spec))
    if result.error_messages:
        raise OptionError(result.error_messages[0])
    options = {name: result.validated_parameters[f"ece_{name}"] for name in CONNECTION_SPEC}
    if options["url"]:
        # An address has no blank, and one at its ends is invisible in a message.
        options["url"] = [url.strip() for url in options["url"]]
    return options


def host_info_options_of(entry: PlanEntry, variables: OneHost) -> dict[str, Any]:
    """Return the options of ece_host_info for a host of the plan."""
    options = {
        **_host_options(variables, HOST_INFO_VARIABLES),
        "roles": entry["roles"],
        "version": entry["version"],
        # By these the controller knows the host. Which of them are the host's own, only the host can say.
        "addresses": list(dict.fromkeys([*filter(None, [variables.get("ansible_host")]), entry["name"]])),
        "coordinator_host": entry["coordinator"],
        "directors": entry["directors"],
        "controller_time": time.time(),
    }
    if variables.get("ece_host_installer_src"):
        options["installer_path"] = None  # the copy takes the place of a file there
    else:
        storage_path = options.get("storage_path") or DEFAULT_STORAGE_PATH
        options["installer_path"] = script_path(options.get("installer_path"), storage_path)
    return {name: value for name, value in options.items() if value is not None}


def install_options(variables: OneHost) -> dict[str, Any]:
    """Return the options of ece_install that the role's variables set."""
    return _host_options(variables, ROLE_VARIABLES)


def _host_options(variables: OneHost, sources: Mapping[str, str]) -> dict[str, Any]:
    given = {option: variables.get(variable) for option, variable in sources.items()}
    if variables.get("ece_host_installer_src"):
        given["installer_url"] = None  # a file of the controller takes the place of the download
    return {
        name: HiddenText(value) if name in SECRET_OPTIONS else value
        for name, value in given.items()
        if value is not None
    }


def choice(variables: OneHost, name: str) -> bool | None:
    """Return a boolean variable, or None where it is not set. Raises OptionError."""
    value = variables.get(name)
    if value is not None and not isinstance(value, bool):
        raise OptionError(f"{name} {value!r} is not a choice: use true or false")
    return value


def is_set(variables: OneHost, name: str) -> bool:
    """Return whether a boolean variable is true, or its default where it is empty.

    A survey or -e gives text, of which "false" would count as true.
    """
    return bool(boolean(variables.get(name, is_true_by_default(name)), strict=False))


def seconds(variables: OneHost, name: str) -> float:
    """Return a variable of SECONDS as a number."""
    return float(variables.get(name, SECONDS[name][1]))


def host_wish(variables: OneHost) -> HostWish:
    """Return what the inventory wants of one host. Raises OptionError."""
    roles = variables.get("ece_host_roles", list(DEFAULT_ROLES))
    arguments({"roles": roles}, PREFIX)
    identity = host_identity(variables.name, {key: variables.get(key) for key in IDENTITY_VARIABLES})
    return {**identity, "roles": list(roles), "zone": variables.get("ece_host_zone")}


@contextlib.contextmanager
def about_host(name: str) -> Iterator[None]:
    """Begin an OptionError with the host that it is about."""
    try:
        yield
    except OptionError as error:
        raise OptionError(f"host {name}: {error}") from None


# -- checking --------------------------------------------------------------------------------------------------------


def check_hidden(variables: OneHost) -> None:
    """Raise OptionError for an empty extra variable that takes away what is set for a host.

    A survey's question without an answer is such an extra variable. It means that nothing is wanted.
    """
    for variable in variables.hidden:
        raise OptionError(
            f"the extra variable {variable} is empty, and takes away the value that is set for the host: leave it out, "
            "or give it a value"
        )


class HostCheck:
    """Checks the role's variables of hosts that are not joined."""

    def __init__(self, platform_version: str, coordinator: str) -> None:
        self._spec = {name: option for name, option in role_spec().items() if name.startswith(PREFIX)}
        self._validator = ArgumentSpecValidator(self._spec)
        self._platform_version = platform_version
        self._coordinator = coordinator

    def complete(self, entry: PlanEntry, variables: OneHost, connection: str) -> PlanEntry:
        """Return the plan's entry with version and coordinator. Raises OptionError for a variable that cannot work.

        connection: the connection plugin of a host without ansible_connection.
        """
        version = self._version(variables)
        coordinator = variables.get("ece_host_coordinator")
        if not coordinator:
            # A host that only lacks a role is not installed, so that it needs no coordinator.
            installs = entry["state"] != MISSING_ROLES
            coordinator = self._default_coordinator(variables, connection) if installs else self._coordinator
        _check_runner_id(entry, variables)
        self._check_arguments(entry, variables, version, coordinator)
        for variable, (least, _default) in SECONDS.items():
            check_seconds(variable, variables.get(variable), least)
        self._check_types(variables)
        return {**entry, "version": version, "coordinator": coordinator}

    def _default_coordinator(self, variables: OneHost, connection: str) -> str:
        local = variables.get("ansible_connection", connection) in LOCAL_CONNECTIONS
        if not local and not identifies_a_host(normal_address(self._coordinator)):
            raise OptionError(
                f"ece_host_coordinator is not set, and {self._coordinator}, the host in ece_url, is the host itself "
                "there: set ece_host_coordinator to an address of a coordinator that the host can reach"
            )
        return self._coordinator

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
        messages = self._validator.validate(variables.select(self._spec)).error_messages
        if messages:
            raise OptionError(messages[0])


def _check_runner_id(entry: PlanEntry, variables: OneHost) -> None:
    """Raise OptionError for an unusable runner id that comes from another variable, and name that one."""
    if variables.get("ece_host_runner_id"):
        return
    source = next((key for key in ("ece_host_ip", "ansible_host") if variables.get(key)), "the inventory name")
    arguments({"host_ip": variables.get("ece_host_ip")}, PREFIX)
    try:
        arguments({"runner_id": entry["runner_id"]}, PREFIX)
    except OptionError:
        raise OptionError(
            f"{source} {entry['runner_id']!r} cannot be the host's runner id: correct it, or set ece_host_ip to the "
            "host's IPv4 address, or ece_host_runner_id"
        ) from None


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
