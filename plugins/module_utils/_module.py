# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the API modules and actions share: connection options, a client made of them, and the one place where errors become results."""

from __future__ import annotations

import os
import traceback
from typing import Any, Callable, Mapping
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from ansible_collections.ece.platform.plugins.module_utils import _client as api
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError

VERSION = "1.1.0"
# A day; a socket takes no more than some weeks.
TIMEOUT_MAX_SECONDS = 86400

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


def check_connection(options: Mapping[str, Any]) -> list[str]:
    """Warnings for usable connection options. Raises OptionError for others, before anything is sent."""
    warnings = []
    urls = [url for url in options["url"] or [] if url]
    if not urls:
        raise OptionError(
            "url is not set: give the coordinator's address like https://ece.example.com:12443, as url, ece_url or ECE_URL"
        )
    for url in urls:
        # First of all: each of the other sentences repeats the address.
        if "@" in url:
            raise OptionError("url holds a user name or password: give them as username and password instead")
        scheme = url.split("://", 1)[0] if "://" in url else ""
        if scheme == "http" and not options["allow_http"]:
            raise OptionError(
                f"url {url} sends credentials in clear: use https://, or set allow_http (ece_allow_http: true) if that is meant"
            )
        if scheme not in ("http", "https") or not _is_address(url):
            raise OptionError(f"url {url} is no address of a coordinator: use one like https://ece.example.com:12443")
        if scheme == "http":
            warnings.append(f"{url}: credentials and tokens travel unencrypted")
    if options["api_key"] and (options["username"] or options["password"]):
        raise OptionError(
            "api_key (or ECE_API_KEY) and username/password (or ECE_USERNAME/ECE_PASSWORD) are both set: set one kind of credentials"
        )
    if not options["api_key"]:
        if not options["username"] and not options["password"]:
            raise OptionError(
                "no credentials: set api_key (ECE_API_KEY), or username and password (ECE_USERNAME and ECE_PASSWORD); built-in users have no API keys"
            )
        for one, other in (("username", "password"), ("password", "username")):
            if not options[one]:
                raise OptionError(f"{one} is not set (ECE_{one.upper()}), but {other} is: both are needed")
    for name in ("username", "password"):
        if options[name] and any("\ud800" <= character <= "\udfff" for character in options[name]):
            # What Python makes of bytes in the environment that are no UTF-8. Its own error would repeat them.
            raise OptionError(f"{name} (or ECE_{name.upper()}) holds bytes that are no UTF-8: give it in that encoding")
    if options["api_key"] and not (options["api_key"].isascii() and options["api_key"].isprintable()):
        # Python's own error for such a header repeats the key.
        raise OptionError(
            "api_key (or ECE_API_KEY) holds a line break or another character that no API key has: give the key alone"
        )
    if not options["validate_certs"]:
        warnings.append(
            "the coordinator's certificate is not verified (validate_certs is false): anybody on the way can take the credentials"
        )
    elif options["ca_path"] and not os.path.isabs(options["ca_path"]):
        # Actions and modules of one play run in different folders.
        raise OptionError(f"ca_path {options['ca_path']} is relative: give the whole path of the CA certificate")
    elif options["ca_path"] and not os.path.isfile(options["ca_path"]):
        raise OptionError(
            f"ca_path {options['ca_path']} is no file here: give the CA certificate that signed the coordinator's, in PEM form"
        )
    for name, lowest in (("timeout", 1), ("retries", 0)):
        if options[name] < lowest:
            raise OptionError(f"{name} {options[name]} is too small: use {lowest} or more")
    if options["timeout"] > TIMEOUT_MAX_SECONDS:
        raise OptionError(f"timeout is too large: use {TIMEOUT_MAX_SECONDS} seconds or less")
    return warnings


def _is_address(url: str) -> bool:
    """Whether paths of the API can be put behind it: it has a host, and neither query nor fragment."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  a number that is none raises
    except ValueError:
        return False
    return bool(parts.hostname) and url.isprintable() and not any(character in url for character in " ?#\\")


def client_arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    """Checked connection options as arguments of EceClient."""
    return {
        "urls": [url for url in options["url"] if url],
        **{
            name: options[name]
            for name in ("api_key", "username", "password", "ca_path", "validate_certs", "timeout", "retries")
        },
        "user_agent": f"ece.platform/{VERSION}",
    }


def make_client(options: Mapping[str, Any]) -> api.EceClient:
    """A client for checked connection options."""
    return api.EceClient(**client_arguments(options))


def failure(error: Exception) -> dict:
    """What a failed module or action returns for an error of this collection: msg, and the API's own words apart."""
    result: dict[str, Any] = {"msg": str(error)}
    if isinstance(error, api.EceApiError):
        result["failure"] = {"status": error.status, "code": error.code, "fields": error.fields, "errors": error.errors}
    return result


EXPECTED_ERRORS = (OptionError, PlatformError)


def run_api_module(
    spec: Mapping[str, Any], function: Callable[[AnsibleModule, api.EceClient], dict], **kwargs: Any
) -> None:
    """Body of an API module's main(): C(function) gets module and client and returns the result."""
    module = AnsibleModule(argument_spec={**CONNECTION_SPEC, **spec}, supports_check_mode=True, **kwargs)
    if api.REQUESTS_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("requests"), exception=str(api.REQUESTS_IMPORT_ERROR))
    try:
        for warning in check_connection(module.params):
            module.warn(warning)
        client = make_client(module.params)
        result = function(module, client)
        for warning in client.warnings:
            module.warn(warning)
    except EXPECTED_ERRORS as error:
        module.fail_json(**failure(error))
    except Exception as error:  # a mistake of ours: say so in one line, with the traceback where -vvv shows it
        module.fail_json(
            msg=f"unexpected {type(error).__name__} in {module._name}, please report it",
            exception=traceback.format_exc(),
        )
    module.exit_json(**result)
