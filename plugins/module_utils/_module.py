# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Shared by API modules and actions: connection options, the client made of them, and how errors become results."""

from __future__ import annotations

import os
import sys
import traceback
import unicodedata
from typing import Any, Callable, Mapping
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.ece.platform.plugins.module_utils import _client as api
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._http import API_PREFIX

VERSION = "1.0.0"
# One day. The operating system limits the timeout of a socket to some weeks.
TIMEOUT_MAX_SECONDS = 86400
# The role's variables are the options with this before their names.
ROLE_PREFIX = "ece_"
# Errors with a message for the user; any other exception is a bug.
EXPECTED_ERRORS = (OptionError, PlatformError)

CONNECTION_SPEC = {
    "url": {"type": "list", "elements": "str", "fallback": (env_fallback, ["ECE_URL"])},
    "api_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["ECE_API_KEY"])},
    "username": {"type": "str", "fallback": (env_fallback, ["ECE_USERNAME"])},
    "password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["ECE_PASSWORD"])},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["ECE_CA_PATH"])},
    "validate_certs": {"type": "bool", "default": True, "fallback": (env_fallback, ["ECE_VALIDATE_CERTS"])},
    "allow_http": {"type": "bool", "default": False, "fallback": (env_fallback, ["ECE_ALLOW_HTTP"])},
    "timeout": {"type": "int", "default": 30},
    "retries": {"type": "int", "default": 3},
}


def check_connection(options: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return warnings about usable connection options. Raises OptionError for others, before anything is sent.

    prefix: what stands before the names of the options where the user sets them, like ROLE_PREFIX.
    """
    warnings = _check_addresses(options, prefix)
    _check_credentials(options, prefix)
    warnings += _check_tls(options, prefix)
    _check_numbers(options, prefix)
    return warnings


def addresses(options: Mapping[str, Any]) -> list[str]:
    """Return the addresses without the blanks around them, which are not visible, and without the path of the API."""
    urls = (url.strip() for url in options["url"] or [])
    return [url.rstrip("/")[: -len(API_PREFIX)] if url.rstrip("/").endswith(API_PREFIX) else url for url in urls if url]


def _check_addresses(options: Mapping[str, Any], prefix: str) -> list[str]:
    warnings = []
    name = f"{prefix}url"
    urls = addresses(options)
    if not urls:
        raise OptionError(
            f"{name} is not set: give the coordinator's address like https://ece.example.com:12443, "
            f"as {name} or in the environment as ECE_URL"
        )
    for url in urls:
        # This check comes first, because the other messages repeat the address.
        if "@" in url:
            raise OptionError(
                f"{name} holds a user name or password: give them as {prefix}username and {prefix}password instead"
            )
        scheme = url.split("://", 1)[0] if "://" in url else ""
        if scheme == "http" and not options["allow_http"]:
            raise OptionError(
                f"{name} {_visible(url)} sends credentials in clear: "
                f"use https://, or set {prefix}allow_http: true if you accept that"
            )
        if scheme not in ("http", "https") or not _is_address(url):
            raise OptionError(
                f"{name} {_visible(url)} is not an address of a coordinator: use one like https://ece.example.com:12443"
            )
        if scheme == "http":
            warnings.append(f"{url}: credentials and tokens travel unencrypted")
    return warnings


def _check_credentials(options: Mapping[str, Any], prefix: str) -> None:
    api_key, username, password = (options[name] for name in ("api_key", "username", "password"))
    if api_key and (username or password):
        raise OptionError(
            f"{prefix}api_key (or ECE_API_KEY) and {prefix}username/{prefix}password (or ECE_USERNAME/ECE_PASSWORD) "
            "are both set: set one kind of credentials"
        )
    if not api_key and not username and not password:
        raise OptionError(
            f"no credentials: set {prefix}api_key (ECE_API_KEY), or {prefix}username and {prefix}password "
            "(ECE_USERNAME and ECE_PASSWORD); built-in users have no API keys"
        )
    for name, other in (("username", "password"), ("password", "username")):
        if not api_key and not options[name]:
            raise OptionError(
                f"{prefix}{name} is not set (ECE_{name.upper()}), but {prefix}{other} is: both are needed"
            )
    for name in ("api_key", "username", "password"):
        problem = _credential_problem(options[name] or "", name == "api_key")
        if problem:
            # Python's own errors would repeat the value.
            raise OptionError(f"{prefix}{name} (or ECE_{name.upper()}) holds {problem}")


def _credential_problem(value: str, in_header: bool) -> str | None:
    """Return what no credential can hold, and what would be right."""
    if any("\ud800" <= character <= "\udfff" for character in value):
        # Python reads invalid bytes of the environment as these characters.
        return "bytes that are not UTF-8: give it in that encoding"
    if in_header and not (value.isascii() and value.isprintable()):
        return "a line break or another character that cannot be part of an API key: give the key alone"
    if any(unicodedata.category(character) == "Cc" for character in value):
        return "a line break or another control character, like the end of a file's line: give it without"
    return None


def _check_tls(options: Mapping[str, Any], prefix: str) -> list[str]:
    ca_path = options["ca_path"]
    if not options["validate_certs"]:
        return [
            f"the coordinator's certificate is not verified ({prefix}validate_certs is false): "
            "an attacker on the network can take the credentials"
        ]
    if ca_path and not os.path.isabs(ca_path):
        # Actions and modules of one play run in different folders.
        raise OptionError(
            f"{prefix}ca_path {_visible(ca_path)} is relative: give the absolute path of the CA certificate"
        )
    if ca_path and not os.path.isfile(ca_path):
        raise OptionError(
            f"{prefix}ca_path {_visible(ca_path)} is not a file here: "
            "give the CA certificate that signed the coordinator's certificate, in PEM format"
        )
    return []


def _check_numbers(options: Mapping[str, Any], prefix: str) -> None:
    for name, lowest, unit in (("timeout", 1, " second"), ("retries", 0, "")):
        if options[name] < lowest:
            raise OptionError(f"{prefix}{name} {options[name]} is too small: use {lowest}{unit} or more")
    if options["timeout"] > TIMEOUT_MAX_SECONDS:
        raise OptionError(
            f"{prefix}timeout {options['timeout']} is too large: use {TIMEOUT_MAX_SECONDS} seconds (one day) or less"
        )


def _visible(text: str) -> str:
    """The text, in quotes where a part of it would not be visible."""
    return text if text.isprintable() and " " not in text else repr(text)


def _is_address(url: str) -> bool:
    """Whether API paths can be appended to the address: it has a host, and neither query nor fragment."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises ValueError for an invalid port
    except ValueError:
        return False
    return bool(parts.hostname) and url.isprintable() and not any(character in url for character in " ?#\\")


def client_arguments(options: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return checked connection options as arguments of EceClient. prefix: as for check_connection."""
    return {
        "urls": addresses(options),
        **{
            name: options[name]
            for name in ("api_key", "username", "password", "ca_path", "validate_certs", "timeout", "retries")
        },
        "user_agent": f"ece.platform/{VERSION}",
        "option_prefix": prefix,
    }


def make_client(options: Mapping[str, Any], prefix: str = "") -> api.EceClient:
    """Return a client for checked connection options. prefix: as for check_connection."""
    return api.EceClient(**client_arguments(options, prefix))


def check_requests(remedy: str) -> None:
    """Raise PlatformError if this Python cannot import requests. remedy: what to do about it."""
    error = api.REQUESTS_IMPORT_ERROR
    if error:
        state = "is not installed in" if error.name == "requests" else f"cannot be used ({error}) in"
        raise PlatformError(f"the Python library requests {state} {sys.executable}: {remedy}")


def failure(error: Exception) -> dict[str, Any]:
    """Return the result of a failed module or action: msg, and for an error of the API its parts in `failure`.

    `changed` is set where something was changed before it failed.
    """
    result: dict[str, Any] = {"msg": str(error)}
    if isinstance(error, PlatformError) and error.changed:
        result["changed"] = True
    if isinstance(error, api.EceApiError):
        result["failure"] = {"status": error.status, "code": error.code, "fields": error.fields, "errors": error.errors}
    return result


def run_api_module(
    spec: Mapping[str, Any], function: Callable[[AnsibleModule, api.EceClient], dict[str, Any]], **kwargs: Any
) -> None:
    """Run an API module: `function` gets module and client, and returns the result. This is the body of its main()."""
    module = AnsibleModule(argument_spec={**CONNECTION_SPEC, **spec}, supports_check_mode=True, **kwargs)
    try:
        check_requests("install it there, or set ansible_python_interpreter to a Python that has it")
        for warning in check_connection(module.params):
            module.warn(warning)
        client = make_client(module.params)
        result = function(module, client)
        for warning in client.warnings:
            module.warn(warning)
    except EXPECTED_ERRORS as error:
        module.fail_json(**failure(error))
    except Exception as error:  # a bug: report it in one line, with the traceback where -vvv shows it
        module.fail_json(
            msg=f"unexpected {type(error).__name__} in {module._name}, please report it",
            exception=traceback.format_exc(),
        )
    module.exit_json(**result)
