# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options, and errors as results, through main() of the modules."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _client as api
from ansible_collections.ece.platform.plugins.module_utils import _module as shared
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.modules import (
    ece_allocator,
    ece_allocator_info,
    ece_enrollment_token,
    ece_enrollment_token_info,
    ece_platform_info,
    ece_runner,
    ece_runner_info,
)
from tests.unit.scripted import (
    ALLOCATORS,
    API_KEY,
    LOGIN,
    PASSWORD,
    RUNNERS,
    TOKENS,
    URL,
    USERNAME,
    failed,
    platform,
    refused,
)

MODULES = {
    ece_allocator: {"allocator_id": "10.0.0.7", "maintenance": True},
    ece_allocator_info: {},
    ece_enrollment_token: {"roles": ["allocator"], "persistent": True},
    ece_enrollment_token_info: {},
    ece_platform_info: {},
    ece_runner: {"runner_id": "10.0.0.7", "roles": ["allocator"]},
    ece_runner_info: {},
}
EVERY_MODULE = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
KEY = {"api_key": API_KEY}
USER = {"username": USERNAME, "password": PASSWORD}


def check_failure(result, *parts):
    """Check that the result is one sentence with these parts and without a secret."""
    assert result["failed"]
    for part in parts:
        assert part in result["msg"]
    assert "\n" not in result["msg"]
    assert "exception" not in result
    for secret in (API_KEY, PASSWORD, PASSWORD.replace('"', '\\"')):
        assert secret not in result.printed


# -- bad options -----------------------------------------------------------------------------------------------------

BAD = {
    "no url": (KEY, ["url is not set", "ECE_URL"]),
    "empty list": ({"url": [], **KEY}, ["url is not set"]),
    "empty url": ({"url": [""], **KEY}, ["url is not set"]),
    "http": (
        {"url": ["http://10.0.0.1:12400"], **KEY},
        ["url http://10.0.0.1:12400 sends credentials in clear", "allow_http"],
    ),
    "http as second": (
        {"url": [URL, "http://10.0.0.1:12400"], **KEY},
        ["url http://10.0.0.1:12400 sends credentials in clear"],
    ),
    "no scheme": (
        {"url": ["ece.example.com:12443"], **KEY},
        ["url ece.example.com:12443 is not an address", "https://"],
    ),
    "other scheme": ({"url": ["ftp://ece.example.com"], **KEY}, ["url ftp://ece.example.com is not an address"]),
    "no host": ({"url": ["https://"], **KEY}, ["url https:// is not an address"]),
    "half an IPv6 address": ({"url": ["https://[::1"], **KEY}, ["url https://[::1 is not an address"]),
    "port as text": ({"url": ["https://ece.example.com:https"], **KEY}, ["is not an address"]),
    "with a query": ({"url": [URL + "?x"], **KEY}, [f"url {URL}?x is not an address"]),
    "with a fragment": ({"url": [URL + "#x"], **KEY}, ["is not an address"]),
    "with a blank": ({"url": ["https://ece example.com"], **KEY}, ["is not an address"]),
    "with a line break": (
        {"url": ["https://ece.example.com/\n/"], **KEY},
        [r"url 'https://ece.example.com/\n/' is not an address"],
    ),
    "with a character that is not visible": (
        {"url": ["https://ece.example.com\u200b"], **KEY},
        [r"url 'https://ece.example.com\u200b' is not an address"],
    ),
    "two in one": ({"url": ["https://a:1 https://b:2"], **KEY}, ["url 'https://a:1 https://b:2' is not an address"]),
    "blank alone": ({"url": [" "], **KEY}, ["url is not set"]),
    "endless time": (
        {"url": [URL], **KEY, "timeout": 10**12},
        ["timeout 1000000000000 is too large: use 86400 seconds (one day) or less"],
    ),
    "no credentials": ({"url": [URL]}, ["no credentials", "ECE_API_KEY", "ECE_USERNAME and ECE_PASSWORD"]),
    "empty credentials": ({"url": [URL], "api_key": "", "username": "", "password": ""}, ["no credentials"]),
    "both kinds": ({"url": [URL], **KEY, **USER}, ["both set", "one kind"]),
    "key and user name": ({"url": [URL], **KEY, "username": USERNAME}, ["both set"]),
    "key and password": ({"url": [URL], **KEY, "password": PASSWORD}, ["both set"]),
    "user name alone": (
        {"url": [URL], "username": USERNAME},
        ["password is not set (ECE_PASSWORD)", "both are needed"],
    ),
    "password alone": ({"url": [URL], "password": PASSWORD}, ["username is not set (ECE_USERNAME)", "both are needed"]),
    "empty password": ({"url": [URL], "username": USERNAME, "password": ""}, ["password is not set"]),
    "CA that is not there": (
        {"url": [URL], **KEY, "ca_path": "/nowhere/ca.pem"},
        ["ca_path /nowhere/ca.pem is not a file", "PEM"],
    ),
    "CA with a blank": ({"url": [URL], **KEY, "ca_path": "/nowhere "}, ["ca_path '/nowhere ' is not a file"]),
    "relative CA": ({"url": [URL], **KEY, "ca_path": "ca.pem"}, ["ca_path ca.pem is relative"]),
    "CA that is a folder": ({"url": [URL], **KEY, "ca_path": "/"}, ["ca_path / is not a file"]),
    "no time": ({"url": [URL], **KEY, "timeout": 0}, ["timeout 0 is too small: use 1 second or more"]),
    "negative time": ({"url": [URL], **KEY, "timeout": -1}, ["timeout -1 is too small"]),
    "time as text": ({"url": [URL], **KEY, "timeout": "soon"}, ["timeout", "unable to convert to int"]),
    "negative retries": ({"url": [URL], **KEY, "retries": -1}, ["retries -1 is too small: use 0 or more"]),
    "no boolean": ({"url": [URL], **KEY, "validate_certs": "perhaps"}, ["validate_certs", "not a valid boolean"]),
    "key with a line break": ({"url": [URL], "api_key": API_KEY + "\n"}, ["api_key", "line break"]),
    "user name with a line break": (
        {"url": [URL], "username": USERNAME + "\n", "password": PASSWORD},
        ["username (or ECE_USERNAME) holds a line break or another control character"],
    ),
    "password with a line break": (
        {"url": [URL], "username": USERNAME, "password": PASSWORD + "\r\n"},
        ["password (or ECE_PASSWORD) holds a line break or another control character", "give it without"],
    ),
    "key beyond ASCII": ({"url": [URL], "api_key": API_KEY + "€"}, ["api_key"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_connection_options_are_one_sentence_before_anything_is_sent(ece, run_module, case):
    options, parts = BAD[case]
    check_failure(run_module(ece_platform_info, connection=options), *parts)
    assert ece.requests == []


@pytest.mark.parametrize("name", ["username", "password"])
def test_credentials_that_are_not_utf_8_are_refused_and_not_repeated(name):
    """This is not tested through a module, because Ansible itself cannot print such arguments."""
    options = {"url": [URL], "allow_http": False, "api_key": None, **USER, name: "gehei\udce4"}
    with pytest.raises(OptionError) as caught:
        shared.check_connection(options)
    assert f"{name} (or ECE_{name.upper()}) holds bytes that are not UTF-8" in str(caught.value)
    assert "gehei" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "https://{}@ece.example.com",
        "http://{}@ece.example.com",
        "ftp://{}@ece.example.com",
        "{}@ece.example.com",
        "https://{}/x@ece.example.com",
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(address):
    """This is not tested through a module, because Ansible itself repeats its arguments."""
    options = {"url": [address.format("admin:geheim")], "allow_http": False}
    with pytest.raises(OptionError) as caught:
        shared.check_connection(options)
    assert "url holds a user name or password" in str(caught.value)
    assert "geheim" not in str(caught.value)


@EVERY_MODULE
@pytest.mark.parametrize("check_mode", [False, True])
def test_every_module_checks_its_connection_options_first(ece, run_module, module, check_mode):
    check_failure(
        run_module(module, connection={"url": [URL]}, check_mode=check_mode, **MODULES[module]), "no credentials"
    )
    assert ece.requests == []


@pytest.mark.parametrize("case", sorted(set(BAD) - {"time as text", "no boolean"}))  # Ansible checks types before
def test_a_message_names_the_variables_of_the_role_where_the_role_has_the_options(case, environment):
    defaults = {name: option.get("default") for name, option in shared.CONNECTION_SPEC.items()}
    with pytest.raises(OptionError) as caught:
        shared.check_connection({**defaults, **BAD[case][0]}, shared.ROLE_PREFIX)
    assert re.search(r"\bece_[a-z]", str(caught.value))
    assert not re.search(rf"\b({'|'.join(shared.CONNECTION_SPEC)})\b", str(caught.value))


# -- good options ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "options", "header"),
    [
        ({"ECE_URL": URL, "ECE_API_KEY": "from-there"}, {}, "ApiKey from-there"),
        ({"ECE_URL": URL, "ECE_USERNAME": "u", "ECE_PASSWORD": "p"}, {}, "Basic dTpw"),
        (
            {"ECE_URL": "https://wrong.example.com", "ECE_API_KEY": "wrong"},
            {"url": [URL], "api_key": "right"},
            "ApiKey right",
        ),
        ({"ECE_PASSWORD": "p"}, {"url": [URL], "username": "u"}, "Basic dTpw"),
    ],
    ids=["key", "user", "options win", "each by itself"],
)
def test_options_fall_back_to_the_environment(ece, run_module, environment, variables, options, header):
    for name, value in variables.items():
        environment.setenv(name, value)
    ece.expect("GET", TOKENS, json={"tokens": []}, authorization=header)
    assert run_module(ece_enrollment_token_info, connection=options)["enrollment_tokens"] == []


def test_several_addresses_may_come_as_one_text(ece, run_module, environment):
    environment.setenv("ECE_URL", f"https://first.example.com:12443,{URL}")
    ece.expect("GET", TOKENS, body=refused(), url="https://first.example.com:12443")
    ece.expect("GET", TOKENS, json={"tokens": []})
    assert "failed" not in run_module(ece_enrollment_token_info, connection=KEY)


@pytest.mark.parametrize(
    "given",
    [
        f"{URL}/api/v1",
        f"{URL}/api/v1/",
        f" {URL}",
        f"{URL}/ ",
        f"\t{URL}\n",
        f"{URL}, ",
        f" {URL} , {URL}/api/v1",
    ],
)
def test_blanks_around_an_address_and_the_path_of_the_api_do_no_harm(ece, run_module, given):
    ece.expect("GET", TOKENS, json={"tokens": []})
    assert "failed" not in run_module(ece_enrollment_token_info, connection={"url": given, **KEY})


@pytest.mark.parametrize(
    ("variables", "options", "verify"),
    [
        ({}, {}, True),
        ({"ECE_CA_PATH": "CA"}, {}, "CA"),
        ({"ECE_CA_PATH": "/nowhere"}, {"ca_path": "CA"}, "CA"),
        ({"ECE_VALIDATE_CERTS": "false"}, {}, False),
        ({"ECE_VALIDATE_CERTS": "false"}, {"validate_certs": True}, True),
        ({"ECE_CA_PATH": "/nowhere"}, {"validate_certs": "no"}, False),
    ],
)
def test_tls_options_are_given_with_every_request(ece, run_module, environment, tmp_path, variables, options, verify):
    ca = tmp_path / "ca.pem"
    ca.touch()
    here = {"CA": str(ca)}
    for name, value in variables.items():
        environment.setenv(name, here.get(value, value))
    ece.expect("GET", TOKENS, json={"tokens": []})
    result = run_module(ece_enrollment_token_info, **{name: here.get(value, value) for name, value in options.items()})
    assert ece.requests[0].req_kwargs["verify"] == here.get(verify, verify)
    assert len([text for text in result.warnings if "certificate is not verified" in text]) == (verify is False)


@pytest.mark.parametrize("way", ["option", "environment"])
def test_http_works_if_it_is_allowed_and_warns(ece, run_module, environment, way):
    url = "http://10.0.0.1:12400"
    environment.setenv("ECE_ALLOW_HTTP", "true" if way == "environment" else "false")
    ece.expect("GET", TOKENS, json={"tokens": []}, url=url)
    result = run_module(
        ece_enrollment_token_info, connection={"url": [url], **KEY, **({"allow_http": True} if way == "option" else {})}
    )
    assert [text for text in result.warnings if "travel unencrypted" in text and url in text]


def test_timeout_retries_and_version_reach_the_client(ece, run_module, sleeps):
    ece.expect("GET", TOKENS, status=503)
    ece.expect("GET", TOKENS, json={"tokens": []})
    assert "failed" not in run_module(ece_enrollment_token_info, timeout=4, retries=1)
    assert [request.req_kwargs["timeout"] for request in ece.requests] == [(4, 4), (4, 4)]
    assert ece.requests[0].headers["User-Agent"] == f"ece.platform/{shared.VERSION}"
    assert len(sleeps) == 1


# -- errors as results -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "errors"),
    [
        (400, [{"code": "some.code", "message": "no", "fields": ["a"]}]),
        (
            403,
            [
                {"code": "root.unauthorized", "message": "no"},
                {"code": "other", "message": "nor that", "fields": ["b", "c"]},
            ],
        ),
        (404, [{"code": "root.resource_not_found", "message": "no"}]),
        (449, [{"code": "root.needs_sudo", "message": "no"}]),
        (500, []),
    ],
)
def test_an_error_of_the_api_is_a_sentence_and_its_parts(ece, run_module, status, errors):
    ece.expect("GET", TOKENS, status=status, json={"errors": errors})
    result = run_module(ece_enrollment_token_info, retries=0)
    check_failure(result, f"GET {URL}/api/v1{TOKENS} answered HTTP {status}")
    assert result["failure"] == {
        "status": status,
        "code": errors[0]["code"] if errors else None,
        "fields": [field for error in errors for field in error.get("fields", [])],
        "errors": errors,
    }


def test_a_failure_is_a_change_only_where_something_was_changed_before():
    error = PlatformError("It was changed, and then refused.")
    assert shared.failure(error) == {"msg": str(error)}
    error.changed = True
    assert shared.failure(error) == {"msg": str(error), "changed": True}


@EVERY_MODULE
@pytest.mark.parametrize("fault", ["refused", "HTML", "403"])
def test_every_module_fails_with_one_sentence_when_the_platform_does(ece, run_module, module, fault):
    path = {
        ece_allocator: ALLOCATORS + "/10.0.0.7",
        ece_allocator_info: "/platform",
        ece_platform_info: "/platform",
        ece_runner_info: "/platform",
        ece_runner: RUNNERS + "/10.0.0.7",
    }.get(module, TOKENS)
    answer = {
        "refused": {"body": refused()},
        "HTML": {"body": "<html>"},
        "403": {"status": 403, "json": failed("root.unauthorized")},
    }[fault]
    ece.expect("GET", path, **answer)
    message = {
        "refused": "no coordinator can be reached",
        "HTML": "not JSON: <html>",
        "403": "this user may not do that",
    }[fault]
    result = run_module(module, retries=0, **MODULES[module])
    check_failure(result, message, URL)
    assert not result.get("changed")


def test_a_wrong_password_is_not_shown(ece, run_module):
    ece.expect("GET", TOKENS, status=401, json=failed("root.unauthenticated", f"{PASSWORD} is wrong"))
    ece.expect("POST", LOGIN, status=401, json=failed("root.unauthenticated", f"{PASSWORD} is wrong"), sends=USER)
    check_failure(
        run_module(ece_enrollment_token_info, connection={"url": [URL], **USER}), "the credentials were refused"
    )


def test_errors_hold_no_secret_even_if_ansible_masks_nothing():
    """Actions return them as they are, and Ansible does not know the Bearer token, because it is not an option."""
    client = api.EceClient([URL], username=USERNAME, password=PASSWORD)
    client._secrets.append("the-bearer-token")
    error = api.EceAuthError("m", 403, None, [], client._errors_of(failed("c", f"{PASSWORD} the-bearer-token")))
    assert shared.failure(error)["failure"]["errors"] == [{"code": "c", "message": "******** ********"}]


def test_a_bug_is_one_line_with_the_traceback_apart(ece, run_module, monkeypatch):
    def break_down(self):
        raise KeyError("zones")

    given = []  # what Ansible does with a traceback depends on its release and verbosity
    fail_json = shared.AnsibleModule.fail_json
    monkeypatch.setattr(
        shared.AnsibleModule, "fail_json", lambda self, **kwargs: (given.append(kwargs), fail_json(self, **kwargs))
    )
    monkeypatch.setattr(api.EceClient, "enrollment_tokens", break_down)
    result = run_module(ece_enrollment_token_info)
    assert result["failed"]
    assert result["msg"] == "unexpected KeyError in ece_enrollment_token_info, please report it"
    assert "in break_down" in given[0]["exception"]


def test_warnings_of_the_client_are_shown(ece, run_module, monkeypatch):
    def warn(self):
        self.warnings.append("mind the gap")
        return []

    monkeypatch.setattr(api.EceClient, "enrollment_tokens", warn)
    assert [text for text in run_module(ece_enrollment_token_info).warnings if "mind the gap" in text]


def test_no_warning_without_a_reason(ece, run_module):
    ece.expect("GET", "/platform", json=platform())
    assert run_module(ece_platform_info).warnings == []


def run_without(module, package):
    """Run a module in a separate process, because that imports all packages, where one of them is missing."""
    arguments = {"ANSIBLE_MODULE_ARGS": dict(MODULES[module], url=URL, api_key=API_KEY)}
    script = f"""
import json, sys
sys.path.insert(0, {str(Path(shared.__file__).parents[5])!r})
sys.modules[{package!r}] = None
from ansible.module_utils import basic
from {module.__name__} import main
basic._ANSIBLE_ARGS = json.dumps({arguments!r}).encode()
basic._ANSIBLE_PROFILE = "legacy"
main()
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 1 and "Traceback" not in run.stdout + run.stderr, run.stderr
    return json.loads(run.stdout)


@EVERY_MODULE
def test_without_requests_the_module_names_what_is_missing(module):
    result = run_without(module, "requests")
    assert result["msg"] == (
        f"the Python library requests is not installed in {sys.executable}: "
        "install it there, or set ansible_python_interpreter to a Python that has it"
    )
    assert not result.get("exception")


def test_requests_that_cannot_be_imported_is_not_called_missing():
    message = run_without(ece_platform_info, "urllib3")["msg"]
    assert re.fullmatch(rf"the Python library requests cannot be used \(.*urllib3.*\) in {sys.executable}: .*", message)
