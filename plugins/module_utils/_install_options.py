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
    release,
)
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._text import MASK

# Services with heap sizes of their own: help text of elastic-cloud-enterprise.sh 4.0.3 (2025-10-31).
MEMORY_SERVICES = ("admin-console", "allocator", "constructor", "director", "runner", "zookeeper")
TIMEOUT_FACTOR_MAX = 1000
PROXY_PROTOCOL_SINCE = (4, 2)

# Takes the name that messages use and the value, and returns the text for the script. Raises OptionError.
Check = Callable[[str, Any], str]

# -- checks ----------------------------------------------------------------------------------------------------------

_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)*"
# Of the name of an image: components in lower case between slashes.
_PATH_PART = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
# Digits are 0 to 9 in all of these: \d would match the digits of every script.
_VERSION = re.compile(r"^[0-9]+\.[0-9]+\.[0-9]+([-._][A-Za-z0-9]+)*\Z")
_TOKEN = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*)*\Z")
_PROXY = re.compile(r"^https?://([^\s/@'\"]+@)?[A-Za-z0-9.\[\]:_-]+/?\Z")
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
# The id is the name of a folder below the storage path, which the script mounts into containers: a colon ends a path
# there.
_runner_id = _matching(_WORD, "letters, digits, '.', '_' and '-', starting with a letter or digit")
_host = _matching(_NAME + r"\.?", "a host name or IPv4 address, without https:// and without a port")
_ip = _matching(_OCTET + r"(\." + _OCTET + "){3}", "an IPv4 address like 10.0.0.7, without a prefix length")
# An empty part or one of dots alone would name another folder than it seems to.
_path = _matching(
    r"(/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._+@-]+)+|/",
    "an absolute path of letters, digits, '.', '_', '-', '+' and '@', without '//', '..' and '/' at its end",
)
_registry = _matching(
    rf"{_NAME}(:[0-9]{{1,5}})?(/{_PATH_PART})*",
    "a registry like registry.example.com:5000, without https:// and without '/' at its end",
)
_repository = _matching(
    rf"{_PATH_PART}(/{_PATH_PART})*", "a repository like cloud-enterprise, without '/' in front and at its end"
)
_url = _matching(r"https?://[A-Za-z0-9\[][A-Za-z0-9._:/\[\]-]*", "an address like https://ece.example.com:12343")
# Directories have names like elastic@corp.example.com, CORP\\elastic and svc$. The script does not get the name.
_user = _matching(r"([A-Za-z0-9][A-Za-z0-9._-]*\\)?[A-Za-z_][A-Za-z0-9._@-]*\$?", "the name of a user")


def _proxy(name: str, value: Any) -> str:
    # The message does not repeat the value, which may hold a password.
    if not _PROXY.match(str(value)):
        raise OptionError(f"{name} is not the address of an HTTP proxy: use one like http://proxy.example.com:3128")
    return str(value)


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
    # A template that divides gives a float, and AWX text.
    whole = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    try:
        number = int(whole)
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
    if _heap_kb(sizes.get("xms", "1k")) > _heap_kb(sizes.get("xmx", sizes.get("xms", "1k"))):
        raise OptionError(f"{name} has xms {sizes['xms']} above xmx {sizes['xmx']}: Java does not start with that")


def _heap_kb(size: Any) -> int:
    return int(str(size)[:-1]) * {"k": 1, "m": 1024, "g": 1024**2}[str(size)[-1].lower()]


def _external_hostnames(name: str, value: Any) -> str:
    """Names of the host for its certificates, separated by commas: help text of the script."""
    names = value if isinstance(value, (list, tuple)) else str(value).split(",")
    return ",".join(_host(name, "" if one is None else one) for one in names)


def _proxy_protocol_version(name: str, value: Any) -> str:
    if str(value) not in ("0", "2"):
        raise OptionError(
            f"{name} {value!r} is not a version of the Proxy Protocol that ECE knows: use 2, or 0 for none"
        )
    return str(value)


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
    Option("docker_repository", _text(), "--ece-docker-repository", _repository, "ece_host_docker_repository"),
    Option("docker_registry_username", _text(), variable="ece_host_docker_registry_username"),
    Option("docker_registry_password", _text(no_log=True), variable="ece_host_docker_registry_password"),
    Option("docker_registry_login_in_containers", _switch(), variable="ece_host_docker_registry_login_in_containers"),
    Option("runner_id", _text(), "--runner-id", _runner_id),
    Option("host_ip", _text(), "--host-ip", _ip, "ece_host_ip"),
    Option("zone", _text(), "--availability-zone", _zone, "ece_host_zone"),
    Option("capacity", {"type": "int"}, "--capacity", _capacity, "ece_host_capacity"),
    Option("memory_settings", {"type": "raw"}, "--memory-settings", _memory_settings, "ece_host_memory_settings"),
    Option("timeout_factor", {"type": "float"}, "--timeout-factor", _timeout_factor, "ece_host_timeout_factor"),
    Option("allocator_tags", {"type": "raw"}, "--allocator-tags", _tags, "ece_host_allocator_tags"),
    Option(
        "external_hostname",
        {"type": "list", "elements": "str"},
        "--external-hostname",
        _external_hostnames,
        "ece_host_external_hostname",
    ),
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
    # Since 4.2: Configure Proxy Protocol (docs-content, configure-proxy-protocol.md of 2026), read 2026-11-27.
    Option(
        "proxy_protocol_version",
        {"type": "int", "choices": [0, 2]},
        "--proxy-protocol-version",
        _proxy_protocol_version,
        "ece_host_proxy_protocol_version",
    ),
    Option("proxy_protocol_lenient", _switch(), "--proxy-protocol-lenient", variable="ece_host_proxy_protocol_lenient"),
    Option("container_engine", _text(choices=list(ENGINES)), "--podman", variable="ece_host_container_engine"),
    Option("extra_args", {"type": "list", "elements": "str", "default": []}, variable="ece_host_extra_args"),
    Option("user", _text(default=DEFAULT_USER), check=_user, variable="ece_host_user"),
    Option("bin_paths", {"type": "list", "elements": "path", "default": []}, variable="ece_host_bin_paths"),
    Option("installer_path", {"type": "path"}, check=_path, variable="ece_host_installer_path"),
    Option("installer_url", _text(), variable="ece_host_installer_url"),
    Option("installer_content", _text(no_log=True)),
    Option("installer_checksum", _text(), variable="ece_host_installer_checksum"),
    Option("installer_ca_path", {"type": "path"}, variable="ece_host_installer_ca_path"),
    Option("installer_proxy", _text(no_log=True), check=_proxy, variable="ece_host_installer_proxy"),
    Option(
        "state_path",
        {"type": "path", "default": DEFAULT_STATE_PATH},
        check=_path,
        variable="ece_host_state_path",
    ),
    Option("timeout", {"type": "int", "default": 1800}, variable="ece_host_install_timeout"),
    Option("wait", {"type": "bool", "default": True}),
)
_FLAGS = {option.flag: option for option in INSTALL_OPTIONS if option.flag}
# Arguments that no install may have, and why.
_FORBIDDEN_FLAGS = {
    "--help": "with it the script prints its help and installs nothing",
    "--environment-metadata": "the script appends a brace to its value, which ECE then cannot read",
}
# Option of ece_install -> variable of the role that it comes from.
ROLE_VARIABLES = {option.name: option.variable for option in INSTALL_OPTIONS if option.variable}


def argument_spec(options: Iterable[Option]) -> Dict[str, Dict[str, Any]]:
    """The argument_spec of a module with these options."""
    return {option.name: dict(option.spec) for option in options}


# -- options to arguments --------------------------------------------------------------------------------------------


def _option_name(option: Option, prefix: str) -> str:
    """What the user calls an option: the role's variable, where the prefix asks for that."""
    return (option.variable or prefix + option.name) if prefix else option.name


def _extra_args(name: str, values: Any, prefix: str) -> List[str]:
    if not isinstance(values, (list, tuple)):
        raise OptionError(
            f"{name} {values!r} is not a list: give one argument per item, like ['--proxy-tags', 'ssd:true']"
        )
    texts = [str(value) for value in values]
    for position, text in enumerate(texts):
        if _FLAG.match(text):
            if text in _FLAGS:
                kind = "variable" if prefix else "option"
                raise OptionError(f"{name} has {text}: use the {kind} {_option_name(_FLAGS[text], prefix)} for it")
            if text in _FORBIDDEN_FLAGS:
                raise OptionError(f"{name} has {text}: drop it, because {_FORBIDDEN_FLAGS[text]}")
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
        return [option.flag, text] if option.flag and text else []
    is_on = value == "podman" if option.name == "container_engine" else value
    return [option.flag] if option.flag and is_on else []


def arguments(options: Mapping[str, Any], prefix: str = "") -> List[str]:
    """The script's arguments after `install`, from options as ece_install has them. Raises OptionError.

    prefix: `ece_host_` where messages have to name the role's variables.
    """
    argv: List[str] = []
    for option in INSTALL_OPTIONS:
        argv += _arguments_of(option, options.get(option.name), _option_name(option, prefix))
    if options.get("selinux") and options.get("container_engine") not in (None, "podman"):
        raise OptionError(
            f"{prefix}selinux goes with container_engine podman only: drop it, or set {prefix}container_engine: podman"
        )
    _check_proxy_protocol(options, prefix)
    return argv + _extra_args(f"{prefix}extra_args", options.get("extra_args") or [], prefix)


def _check_proxy_protocol(options: Mapping[str, Any], prefix: str) -> None:
    version = str(options.get("version") or "")
    given = [name for name in ("proxy_protocol_version", "proxy_protocol_lenient") if options.get(name)]
    if given and is_version(version) and release(version) < PROXY_PROTOCOL_SINCE:
        raise OptionError(
            f"{prefix}{given[0]} is for ECE 4.2 and later, and this installs {version}: drop it, because the installer "
            "would end with exit 3"
        )
    if given == ["proxy_protocol_lenient"]:
        raise OptionError(
            f"{prefix}proxy_protocol_lenient means nothing without the Proxy Protocol: set "
            f"{prefix}proxy_protocol_version: 2"
        )


def without_token(argv: Sequence[str]) -> List[str]:
    """The arguments with a mask in place of the token."""
    return [MASK if before == "--roles-token" else argument for before, argument in zip(["", *argv], argv)]
