# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""10,000 sets of options for the collection's own checks: accepted options work, refused ones lead to one message."""

from __future__ import annotations

import collections
import itertools
from types import SimpleNamespace
from typing import Any, Callable, Iterable

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import strategies as st

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._module import (
    CONNECTION_SPEC,
    EXPECTED_ERRORS,
    check_connection,
    make_client,
)
from ansible_collections.ece.platform.plugins.modules import (
    ece_allocator,
    ece_allocator_info,
    ece_enrollment_token,
    ece_runner,
)
from tests.fuzz.consumers import ALL_ALLOCATORS, plan_of
from tests.fuzz.fuzzing import API_KEY, PASSWORD, USERNAME, assert_sentence, fuzz
from tests.fuzz.options import TOKEN, option_sets
from tests.fuzz.replies import HEALTHY, HEALTHY_DOCUMENTS
from tests.fuzz.transport import Platform, attach, client_of

CONNECTIONS, MODULES, HOSTS = 5_000, 2_000, 3_000


def check_options(
    function: Callable[[Any], list[str]], sets: st.SearchStrategy, examples: int, secrets: Iterable[str]
) -> None:
    """Run the function with generated options: it returns messages or raises one, and both have to be frequent."""
    tally: collections.Counter = collections.Counter()

    @fuzz(examples, sets)
    def check(options):
        try:
            messages = function(options)
            tally["accepted"] += 1
        except EXPECTED_ERRORS as error:
            messages = [str(error)]
            tally["refused"] += 1
        for message in messages:
            assert_sentence(message, secrets)

    check()
    assert tally.total() >= examples
    assert min(tally["accepted"], tally["refused"]) > examples * 0.2, tally


# -- connection options ----------------------------------------------------------------------------------------------

CONNECTION = {
    "url": [
        ["https://ece.example.com:12443"],
        "https://[fd00::1]:12443/",
        ["https://10.0.0.1", "https://10.0.0.2:1"],
        "http://10.0.0.1:12400",
    ],
    "api_key": [None, API_KEY],
    "username": [USERNAME, None],
    "password": [PASSWORD, None],
    "ca_path": [None, __file__],
    "validate_certs": [True, "no"],
    "allow_http": [True],
    "timeout": [30, "5", 1],
    "retries": [3, 0],
}
WRONG_CONNECTION = {
    "url": [
        *(
            "https://",
            "https://[",
            "https://[::1",
            "https://a:b:c",
            "https://a:99999",
            "https://\ud800",
            "https://ä.example",
            "https://*",
            "HTTPS://x",
            "x",
        ),
        *(
            "https://" + "a" * 300,
            "https://a b",
            "https://x?y",
            "https://x#y",
            "https://.",
            "https://%",
            "https://x/\n/y",
            f"https://u:{PASSWORD}@x",
            "ftp://x",
        ),
        *(
            ["", None],
            ["https://x", "https://u@y"],
            [["https://x"]],
            "https://\u2028",
            "https://x\\y",
            "https://x:",
            "https:///x",
            "//x",
            "https://xn--/",
        ),
    ],
    "password": [PASSWORD + "\ud800", PASSWORD + "\udcff", PASSWORD + "\n", PASSWORD + "ä€"],
    "username": ["a:b", "\ud800", "\n", "ä"],
    "api_key": [API_KEY + "\n", API_KEY + "ä", API_KEY + "\ud800"],
    "ca_path": ["/", "relative", "/none\0", "/\ud800", "~none/x", "$HOME"],
    "timeout": [10**12, 2**31, "1e3", 86401],
}


@pytest.fixture
def environment(monkeypatch):
    """Remove this machine's own connection options."""
    for option in CONNECTION_SPEC.values():
        for variable in option.get("fallback", (None, []))[1]:
            monkeypatch.delenv(variable, raising=False)


def test_connection_options_connect_or_are_refused_with_a_message(environment):
    validator = ArgumentSpecValidator(CONNECTION_SPEC)

    def connect(options):
        try:
            validated = validator.validate({name: value for name, value in options.items() if value is not None})
        except OverflowError:  # Ansible raises it for an infinite timeout
            raise OptionError("Ansible's own message") from None
        if validated.error_messages:
            raise OptionError("Ansible's own message")
        warnings = check_connection(validated.validated_parameters)
        client = make_client(validated.validated_parameters)
        attach(client, Platform(HEALTHY))
        assert client.platform() == HEALTHY_DOCUMENTS["platform"]
        return warnings

    check_options(connect, option_sets(CONNECTION, whole=True, more=WRONG_CONNECTION), CONNECTIONS, (API_KEY, PASSWORD))


# -- options of modules, with the types that Ansible gives them ------------------------------------------------------

ODD_IDS = [
    "t",
    "10.0.0.8",
    "",
    " ",
    ".",
    "..",
    "a/b",
    "../x",
    "a\nb",
    "\ud800",
    "%2e%2e",
    "?x",
    "#",
    TOKEN,
    "\\",
    "x" * 3000,
    "ä",
]
ODD_NUMBERS = [0, 1, -1, 600, 3600, 2**31 - 1, 2**31, 10**20, -(10**400)]
ROLES = [["allocator"], ["allocator", "proxy", "allocator"], []]


def combinations(module: Any, **options: list) -> list[tuple[Any, dict]]:
    """Return the module with every combination of these values."""
    return [(module, dict(zip(options, values))) for values in itertools.product(*options.values())]


MODULE_OPTIONS = st.one_of(
    st.sampled_from(combinations(module, **options))
    for module, options in (
        (
            ece_enrollment_token,
            {
                "state": ["present", "absent"],
                "roles": [*ROLES, None],
                "persistent": [True, False],
                "validity_in_seconds": [*ODD_NUMBERS, None],
                "token_id": [*ODD_IDS, None],
            },
        ),
        (
            ece_runner,
            {
                "state": ["present", "absent"],
                "runner_id": ODD_IDS,
                "roles": ROLES,
                "roles_exact": [True, False],
                "bless": [True, False],
            },
        ),
        (
            ece_allocator,
            {
                "state": ["present", "absent"],
                "allocator_id": ["10.0.0.8", "..", "\ud800"],
                "maintenance": [None, True],
                "maintenance_reason": [None, "new disks", TOKEN, "\ud800"],
                "capacity": [None, *ODD_NUMBERS, 65536],
                "tags": [None, {}, {"ssd": True}, {"": TOKEN}, {TOKEN: ""}, dict.fromkeys(ODD_IDS, "x"), {"\ud800": 1}],
                "tags_exact": [False, True],
                "remove_instances": [False, True],
            },
        ),
        (
            ece_allocator_info,
            {
                **{name: [value] for name, value in ALL_ALLOCATORS.items()},
                "allocator_ids": [None, [], ["10.0.0.7"]],
                "wait_timeout": ODD_NUMBERS,
                "wait_interval": ODD_NUMBERS,
                "tags": [None, {}, {"ssd": True}, {"": "\ud800"}],
            },
        ),
    )
)


def test_a_modules_options_lead_to_requests_of_the_api_or_are_refused_with_a_message():
    client = client_of(Platform(HEALTHY), "key")

    def run(example):
        module, params = example
        platform = Platform(HEALTHY)
        attach(client, platform)
        warnings: list[str] = []
        module.run(SimpleNamespace(params=params, check_mode=False, warn=warnings.append), client)
        return warnings

    check_options(run, MODULE_OPTIONS, MODULES, (API_KEY, *TOKEN.split(".")))


# -- variables of a new host -----------------------------------------------------------------------------------------

HOST = {
    "ansible_host": [None, "10.0.0.99"],
    "ece_host_allocator_tags": [None, {"ssd": True}],
    "ece_host_api_base_url": [None, "https://ece.example.com:12343"],
    "ece_host_batch": [None, 10, "25%", [1, "50%"]],
    "ece_host_capacity": [None, 65536, "65536"],
    "ece_host_connect_timeout": [None, 300, "300", 1.5],
    "ece_host_container_engine": [None, "podman", "docker"],
    "ece_host_coordinator": [None, "10.0.0.1"],
    "ece_host_extra_args": [None, ["--proxy-tags", "a:b"]],
    "ece_host_install_timeout": [None, 1800],
    "ece_host_installer_checksum": [None, "sha256:" + "0" * 64],
    "ece_host_installer_src": [None, None, "installer"],
    "ece_host_installer_url": [None, "https://example.com/elastic-cloud-enterprise.sh"],
    "ece_host_ip": [None, "10.0.0.98"],
    "ece_host_max_fail_percentage": [None, 30, "30%", 0.5],
    "ece_host_memory_settings": [None, {"runner": {"xms": "1G", "xmx": "1G"}}],
    "ece_host_roles": [None, ["allocator"], ["allocator", "proxy"]],
    "ece_host_runner_id": [None, "rack-1:7"],
    "ece_host_selinux": [None, False],
    "ece_host_storage_path": [None, "/mnt/data/elastic"],
    "ece_host_timeout_factor": [None, 2],
    "ece_host_user": [None, "elastic"],
    "ece_host_version": [None, "3.8.0"],
    "ece_host_wait_interval": [None, 5],
    "ece_host_zone": [None, "zone-1", 1],
}
IN_URL = "password-in-a-url"
WRONG_HOST = {
    "ece_host_batch": ["0", "101%", [], [0], "9" * 5000, "٣", "%", [[1]], 1.0],
    "ece_host_max_fail_percentage": ["101", "nan", "-0.1", "5%%", "٣", "1e400", 10**400],
    "ece_host_connect_timeout": [10**400, "inf", "nan", 2**31, "1e300"],
    "ece_host_installer_url": [f"https://u:{IN_URL}@x/", "http://x/y", "https://x y", "ftp://x", "https://x\n"],
    "ece_host_installer_checksum": ["sha256:" + "0" * 63, "md5:" + "0" * 64, "sha512:" + "0" * 64],
    "ece_host_installer_src": ["none", "text", "old"],
    "ece_host_version": ["3.8.1", "3.8", "3.8.0\n"],
}


@pytest.fixture
def files(tmp_path):
    """Files of the controller, by name."""
    contents = {
        "installer": b"#!/bin/bash\nCLOUD_ENTERPRISE_VERSION=3.8.0\n",
        "old": b"CLOUD_ENTERPRISE_VERSION=2.13.0\n",
        "text": b"hello\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in contents}


def test_a_hosts_variables_are_planned_or_refused_with_a_message(files):
    client = SimpleNamespace(
        url="https://ece.example.com:12443",
        warnings=[],
        platform=lambda: HEALTHY_DOCUMENTS["platform"],
        runners=lambda: HEALTHY_DOCUMENTS["runners"]["runners"],
        iter_allocators=lambda total: [],
        allocator=lambda allocator_id: None,
    )

    def plan(variables):
        return plan_of(client, {"new": {name: value for name, value in variables.items() if value is not None}}, files)

    check_options(plan, option_sets(HOST, more=WRONG_HOST), HOSTS, (IN_URL,))
