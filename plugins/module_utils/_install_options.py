# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""The options of ece_install, declared once: type, argument of the script, check and role variable.

The script passes its values on without quotes and evaluates them once more. A blank cuts a value off without a message,
and a quote ends up in an eval. Quoting cannot prevent that, so each check is a list of what is allowed.

Pure functions. Runs on hosts too: Python 3.6 and the standard library.
"""

import json
import re
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from ansible_collections.ece.platform.plugins.module_utils._ece import (
    CAPACITY_MIN_MB,
    DEFAULT_ROLES,
    DEFAULT_SOCKET,
    DEFAULT_STATE_PATH,
    DEFAULT_STORAGE_PATH,
    DEFAULT_USER,
    ENGINES,
    ROLES,
)
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._text import MASK

# Services with heap sizes of their own: help text of elastic-cloud-enterprise.sh 4.0.3 (2025-10-31).
MEMORY_SERVICES = ("admin-console", "allocator", "constructor", "director", "runner", "zookeeper")
TIMEOUT_FACTOR_MAX = 1000

# Takes the name that messages use and the value, and returns the text for the script. Raises OptionError.
Check = Callable[[str, Any], str]

# -- checks ----------------------------------------------------------------------------------------------------------

_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
# Digits are 0 to 9 in all of these: \d would match the digits of every script.
_VERSION = re.compile(r"^[0-9]+\.[0-9]+\.[0-9]+([-._][A-Za-z0-9]+)*\Z")
_TOKEN = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*)*\Z")
_HEAP = re.compile(r"^[1-9][0-9]*[kKmMgG]\Z")
_FLAG = re.compile(r"^--[a-z][a-z0-9-]*\Z")
# Brackets only within JSON: anywhere else the shell would take them for a file pattern.
_EXTRA_VALUE = re.compile(r'^(?:[A-Za-z0-9/][A-Za-z0-9._:/,@+=-]*|\{[A-Za-z0-9._:/,@+={}\[\]"-]*\})\Z')
_TAG_PART = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/+-]*\Z")


def _matching(pattern: str, allowed: str) -> Check:
    expression = re.compile(f"^(?:{pattern})\\Z")

    def check(name: str, value: Any) -> str:
        text = str(value)
        if not expression.match(text):
            raise OptionError(f"{name} {text!r} cannot be given to the installer: use {allowed}")
        return text

    return check


_zone = _matching(_WORD, "letters, digits, '.', '_' and '-', starting with a letter or digit")
_runner_id = _matching(
    r"[A-Za-z0-9][A-Za-z0-9._:-]*", "letters, digits, '.', '_', ':' and '-', starting with a letter or digit"
)
_host = _matching(r"[A-Za-z0-9][A-Za-z0-9.:-]*", "a host name or IP address")
_ip = _matching(_OCTET + r"(\." + _OCTET + "){3}", "an IPv4 address like 10.0.0.7")
_path = _matching(r"/[A-Za-z0-9._/+@-]*", "an absolute path of letters, digits, '.', '_', '-', '+', '@' and '/'")
_registry = _matching(
    r"[A-Za-z0-9][A-Za-z0-9._:/-]*", "a registry like registry.example.com:5000, without blanks and quotes"
)
_url = _matching(r"https?://[A-Za-z0-9\[][A-Za-z0-9._:/\[\]-]*", "an address like https://ece.example.com:12343")
_user = _matching(r"[A-Za-z_][A-Za-z0-9._-]*", "a user name")


def _token(name: str, value: Any) -> str:
    # The message does not repeat the value, which may be another secret.
    if not _TOKEN.match(str(value)):
        raise OptionError(
            f"{name} is not an enrollment token: it holds blanks, quotes or other characters that no token has"
        )
    return str(value)


_token_id = _matching(r"[A-Za-z0-9._-]{1,128}", "the token_id that ece_enrollment_token returned")


def is_version(text: str) -> bool:
    """Whether the script takes this text as a version."""
    return bool(_VERSION.match(text))


def _version(name: str, value: Any) -> str:
    if not is_version(str(value)):
        raise OptionError(f"{name} {str(value)!r} is not a version: use three numbers like 3.8.0")
    return str(value)


def _roles(name: str, value: Any) -> str:
    if not isinstance(value, (list, tuple)) or not value:
        raise OptionError(f"{name} {value!r} is not a list of roles: use some of {', '.join(ROLES)}")
    for role in value:
        if role not in ROLES:
            raise OptionError(f"{name} {role!r} is not a role of ECE: use some of {', '.join(ROLES)}")
    return ",".join(value)


def _capacity(name: str, value: Any) -> str:
    try:
        number = int(str(value))
    except ValueError:
        raise OptionError(f"{name} {value!r} is not a whole number of MB") from None
    if number < CAPACITY_MIN_MB:
        raise OptionError(f"{name} {number} is too small: the installer takes {CAPACITY_MIN_MB} MB or more")
    return str(number)


def _timeout_factor(name: str, value: Any) -> str:
    try:
        number = float(str(value))
    except ValueError:
        number = 0
    if not 0 < number < TIMEOUT_FACTOR_MAX:
        raise OptionError(f"{name} {value!r} is not a factor: use a number above 0, like 2.0")
    return str(number)


def _memory_settings(name: str, value: Any) -> str:
    """Heap sizes by service, as JSON without a blank: the script drops what follows the first one."""
    if not isinstance(value, dict):
        raise OptionError(f"{name} {value!r} is not a mapping: use {{runner: {{xms: 1G, xmx: 1G}}}}")
    for service, sizes in value.items():
        if service not in MEMORY_SERVICES:
            raise OptionError(
                f"{name} names {service!r}, which is not a service with memory settings: use some of "
                f"{', '.join(MEMORY_SERVICES)}"
            )
        _check_heap(f"{name} for {service}", sizes)
    plain = {
        str(service): {str(key): str(size) for key, size in sorted(sizes.items())}
        for service, sizes in sorted(value.items())
    }
    return json.dumps(plain, separators=(",", ":"))


def _check_heap(name: str, sizes: Any) -> None:
    if not isinstance(sizes, dict) or not sizes or not set(sizes) <= {"xms", "xmx"}:
        raise OptionError(f"{name} is {sizes!r}: use xms and xmx, like {{xms: 1G, xmx: 1G}}")
    for size in sizes.values():
        if not _HEAP.match(str(size)):
            raise OptionError(f"{name} has the size {size!r}: use a number with K, M or G, like 4G")


def _tags(name: str, value: Any) -> str:
    if not isinstance(value, dict):
        raise OptionError(f"{name} {value!r} is not a mapping: use {{ssd: 'true'}}")
    pairs: Dict[str, str] = {}
    for key, content in value.items():
        if content is None:
            raise OptionError(f"{name} has {str(key)!r} without a value: give it one, like 'true'")
        if str(key) in pairs:
            raise OptionError(f"{name} has {str(key)!r} twice, as text and as something else: use it once")
        # A YAML boolean means the text: tags are strings, and the platform's documents write them in lower case.
        pairs[str(key)] = str(content).lower() if isinstance(content, bool) else str(content)
        for part in (str(key), pairs[str(key)]):
            if not _TAG_PART.match(part) or part != part.strip():
                raise OptionError(
                    f"{name} has {part!r}: keys and values are letters, digits, '.', '_', '/', '+' and '-', starting "
                    "with a letter or digit"
                )
    return ",".join(f"{key}:{content}" for key, content in pairs.items())


# -- the table -------------------------------------------------------------------------------------------------------


class Option(NamedTuple):
    """One option of a module on a host."""

    name: str
    # As in an argument_spec.
    spec: Dict[str, Any]
    # Argument of the script; None for an option that only the module uses.
    flag: Optional[str] = None
    # None for a switch and for an option whose values cannot do harm.
    check: Optional[Check] = None
    # The role's variable with the value; None for a value that the run gives.
    variable: Optional[str] = None


def _text(**more: Any) -> Dict[str, Any]:
    return dict({"type": "str"}, **more)


def _switch() -> Dict[str, Any]:
    return {"type": "bool", "default": False}


# Arguments of the script, in their order on its command line, and then the options that only the module uses. Source:
# the script's own help text, elastic-cloud-enterprise.sh 4.0.3 (2025-10-31), which an administrator reads with --help.
INSTALL_OPTIONS = (
    Option("coordinator_host", _text(required=True), "--coordinator-host", _host, "ece_host_coordinator"),
    Option("token", _text(no_log=True), "--roles-token", _token),
    Option("token_id", _text(no_log=False), check=_token_id),
    Option("roles", {"type": "list", "elements": "str", "default": list(DEFAULT_ROLES)}, "--roles", _roles),
    Option("version", _text(), "--cloud-enterprise-version", _version),
    Option(
        "storage_path",
        _text(default=DEFAULT_STORAGE_PATH),
        "--host-storage-path",
        _path,
        "ece_host_storage_path",
    ),
    Option("docker_socket", _text(default=DEFAULT_SOCKET), "--host-docker-host", _path, "ece_host_docker_socket"),
    Option("docker_registry", _text(), "--docker-registry", _registry, "ece_host_docker_registry"),
    Option("docker_repository", _text(), "--ece-docker-repository", _registry, "ece_host_docker_repository"),
    Option("runner_id", _text(), "--runner-id", _runner_id),
    Option("host_ip", _text(), "--host-ip", _ip, "ece_host_ip"),
    Option("zone", _text(), "--availability-zone", _zone, "ece_host_zone"),
    Option("capacity", {"type": "int"}, "--capacity", _capacity, "ece_host_capacity"),
    Option("memory_settings", {"type": "raw"}, "--memory-settings", _memory_settings, "ece_host_memory_settings"),
    Option("timeout_factor", {"type": "float"}, "--timeout-factor", _timeout_factor, "ece_host_timeout_factor"),
    Option("allocator_tags", {"type": "raw"}, "--allocator-tags", _tags, "ece_host_allocator_tags"),
    Option("external_hostname", _text(), "--external-hostname", _host, "ece_host_external_hostname"),
    Option("api_base_url", _text(), "--api-base-url", _url, "ece_host_api_base_url"),
    Option(
        "overwrite_existing_image",
        _switch(),
        "--overwrite-existing-image",
        variable="ece_host_overwrite_existing_image",
    ),
    Option("debug", _switch(), "--debug", variable="ece_host_debug"),
    Option("force", _switch(), "--force", variable="ece_host_force"),
    Option("selinux", _switch(), "--selinux", variable="ece_host_selinux"),
    Option("container_engine", _text(choices=list(ENGINES)), "--podman", variable="ece_host_container_engine"),
    Option("extra_args", {"type": "list", "elements": "str", "default": []}, variable="ece_host_extra_args"),
    Option("user", _text(default=DEFAULT_USER), check=_user, variable="ece_host_user"),
    Option("bin_paths", {"type": "list", "elements": "path", "default": []}, variable="ece_host_bin_paths"),
    Option("installer_path", {"type": "path"}, check=_path, variable="ece_host_installer_path"),
    Option("installer_url", _text(), variable="ece_host_installer_url"),
    Option("installer_content", _text(no_log=True)),
    Option("installer_checksum", _text(), variable="ece_host_installer_checksum"),
    Option("installer_ca_path", {"type": "path"}, variable="ece_host_installer_ca_path"),
    Option(
        "state_path",
        {"type": "path", "default": DEFAULT_STATE_PATH},
        check=_path,
        variable="ece_host_state_path",
    ),
    Option("timeout", {"type": "int", "default": 1800}, variable="ece_host_install_timeout"),
    Option("wait", {"type": "bool", "default": True}),
)
_FLAGS = {option.flag: option.name for option in INSTALL_OPTIONS if option.flag}
# Option of ece_install -> variable of the role that it comes from.
ROLE_VARIABLES = {option.name: option.variable for option in INSTALL_OPTIONS if option.variable}


def argument_spec(options: Iterable[Option]) -> Dict[str, Dict[str, Any]]:
    """The argument_spec of a module with these options."""
    return {option.name: dict(option.spec) for option in options}


# -- options to arguments --------------------------------------------------------------------------------------------


def _extra_args(name: str, values: Any) -> List[str]:
    if not isinstance(values, (list, tuple)):
        raise OptionError(
            f"{name} {values!r} is not a list: give one argument per item, like ['--proxy-tags', 'ssd:true']"
        )
    texts = [str(value) for value in values]
    for position, text in enumerate(texts):
        if _FLAG.match(text):
            if text in _FLAGS:
                raise OptionError(f"{name} has {text}: use the option {_FLAGS[text]} for it")
        elif position == 0 or not _FLAG.match(texts[position - 1]) or not _EXTRA_VALUE.match(text):
            raise OptionError(
                f"{name} has {text!r}: use arguments like --proxy-tags, each followed by a value without blanks and "
                "quotes"
            )
    return texts


def _arguments_of(option: Option, value: Any, name: str) -> List[str]:
    """The arguments that one option becomes; none if it is not given, so that the script uses its own default."""
    if value is None or value in ("", {}):
        return []
    if option.check:
        text = option.check(name, value)
        return [option.flag, text] if option.flag else []
    is_on = value == "podman" if option.name == "container_engine" else value
    return [option.flag] if option.flag and is_on else []


def arguments(options: Mapping[str, Any], prefix: str = "") -> List[str]:
    """The script's arguments after `install`, from options as ece_install has them. Raises OptionError.

    prefix: `ece_host_` where messages have to name the role's variables.
    """
    argv: List[str] = []
    for option in INSTALL_OPTIONS:
        name = (option.variable or prefix + option.name) if prefix else option.name
        argv += _arguments_of(option, options.get(option.name), name)
    if options.get("selinux") and options.get("container_engine") != "podman":
        raise OptionError(
            f"{prefix}selinux goes with container_engine podman only: drop it, or set {prefix}container_engine: podman"
        )
    return argv + _extra_args(f"{prefix}extra_args", options.get("extra_args") or [])


def without_token(argv: Sequence[str]) -> List[str]:
    """The arguments with a mask in place of the token."""
    return [MASK if before == "--roles-token" else argument for before, argument in zip(["", *argv], argv)]
