# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input fails with one sentence that names the option, before anything is changed anywhere."""

from __future__ import annotations

import pytest

PUNCTUATION = {"blank": "a b", "quote": "a'b", "dollar": "a$b", "dash": "-a"}
CONNECTION = [
    ("no url", {"ece_url": None}, {}, "ece_url is not set"),
    ("http", {"ece_url": "http://127.0.0.1:1"}, {}, "ece_allow_http"),
    ("no credentials", {}, {"ECE_USERNAME": "", "ECE_PASSWORD": ""}, "no credentials"),
    ("both credentials", {}, {"ECE_API_KEY": "some-key"}, "set one kind of credentials"),
    ("half credentials", {}, {"ECE_PASSWORD": ""}, "ece_password is not set"),
    ("wrong password", {}, {"ECE_PASSWORD": "not-the-password"}, "the credentials were refused"),
    ("unknown CA", {"ece_ca_path": None}, {}, "not signed by a known CA; set ece_ca_path"),
    ("CA file missing", {"ece_ca_path": "/nowhere/ca.pem"}, {}, "ece_ca_path /nowhere/ca.pem is not a file"),
    (
        "unreachable",
        {"ece_url": "https://127.0.0.1:1"},
        {},
        "no coordinator can be reached (https://127.0.0.1:1: connection refused)",
    ),
]
HOST = [
    ("unknown role", {"ece_host_roles": ["alocator"]}, "ece_host_roles 'alocator' is not a role of ECE"),
    (
        "memory settings not a mapping",
        {"ece_host_memory_settings": "4G"},
        "ece_host_memory_settings '4G' is not a mapping",
    ),
    (
        "memory settings of an unknown service",
        {"ece_host_memory_settings": {"kibana": {"xms": "1G"}}},
        "ece_host_memory_settings names 'kibana'",
    ),
    ("capacity", {"ece_host_capacity": 8191}, "ece_host_capacity 8191 is too small"),
    (
        "installer missing",
        {"ece_host_installer_src": "/nowhere/installer.sh"},
        "ece_host_installer_src /nowhere/installer.sh is not a file",
    ),
    ("checksum wrong", {"ece_host_installer_checksum": "sha256:" + "0" * 64}, "instead of sha256:" + "0" * 64),
    (
        "checksum not a checksum",
        {"ece_host_installer_checksum": "md5:1"},
        "ece_host_installer_checksum 'md5:1' is not a checksum",
    ),
    ("version", {"ece_host_version": "3.7.0"}, "ece_host_version 3.7.0 is not what the platform runs"),
    ("timeout", {"ece_host_install_timeout": -1}, "ece_host_install_timeout -1 is not a time"),
    ("interval", {"ece_host_wait_interval": -5}, "ece_host_wait_interval -5 is not a time: use seconds, 1 or more"),
    (
        "batch",
        {"ece_host_batch": 0},
        "ece_host_batch 0 is not a batch of hosts: use a number of hosts or a percentage, 1 or more",
    ),
    (
        "failures",
        {"ece_host_max_fail_percentage": "some"},
        "ece_host_max_fail_percentage 'some' is not a percentage: use 0 to 100",
    ),
    ("not a boolean", {"ece_host_force": "perhaps"}, "The value 'perhaps' is not a valid boolean"),
] + [
    (f"{option} with {name}", {f"ece_host_{option}": value(text)}, f"ece_host_{option}")
    for option, value in {
        "zone": str,
        "runner_id": str,
        "allocator_tags": lambda text: {"key": text},
        "storage_path": lambda text: "/data/" + text if not text.startswith("-") else text,
        "docker_registry": str,
    }.items()
    for name, text in PUNCTUATION.items()
]


def untouched(operator):
    """Return whether nothing was written, neither to the platform nor to a host."""
    hosts = operator.ece.hosts.values()
    written = [host for host in hosts if host.containers or (host.folder / "elastic-cloud-enterprise.sh").exists()]
    return operator.ece.mutations == [] and written == []


@pytest.mark.parametrize(
    ("variables", "environment", "sentence"), [case[1:] for case in CONNECTION], ids=[case[0] for case in CONNECTION]
)
def test_a_bad_connection_option_is_named(operator, variables, environment, sentence):
    operator.new_host("a", "192.0.2.1")
    operator.group_vars = variables
    operator.environment = {key: value for key, value in {**operator.environment, **environment}.items() if value}
    run = operator.play()
    assert run.rc != 0 and sentence in run.text, run.output
    assert untouched(operator)


@pytest.mark.parametrize(("variables", "sentence"), [case[1:] for case in HOST], ids=[case[0] for case in HOST])
def test_a_bad_host_option_is_named_with_its_host(operator, variables, sentence):
    operator.new_host("good", "192.0.2.1")
    operator.new_host("bad", "192.0.2.2").update(variables)
    run = operator.play()
    assert run.rc != 0 and sentence in run.text and "host bad" in run.text, run.output
    assert untouched(operator)


def test_two_hosts_cannot_have_the_same_identity(operator):
    operator.new_host("a", "192.0.2.1")
    operator.new_host("b", "192.0.2.1")
    run = operator.play()
    assert run.rc != 0 and "hosts a and b have the same identity 192.0.2.1" in run.text
    assert untouched(operator)


def test_a_host_cannot_match_two_runners(operator):
    operator.ece.platform.add_runner("rack-1", host_ip="192.0.2.1")
    operator.ece.platform.add_runner("rack-2", host_ip="192.0.2.7")
    operator.new_host("a", "192.0.2.1").update(ece_host_runner_id="rack-2")
    run = operator.play()
    assert run.rc != 0 and "host a matches 2 runners: rack-1, rack-2" in run.text
    assert untouched(operator)


def test_a_download_with_a_wrong_checksum_is_refused(operator):
    variables = operator.new_host("a", "192.0.2.1")
    variables.pop("ece_host_installer_src")
    variables.update(
        ece_host_installer_url=f"{operator.ece.url}/installer/elastic-cloud-enterprise.sh",
        ece_host_installer_ca_path=operator.ece.ca_path,
        ece_host_installer_checksum="sha256:" + "0" * 64,
    )
    run = operator.play()
    assert run.rc != 0 and "correct installer_checksum" in run.text
    assert untouched(operator)


def test_a_missing_download_is_reported(operator):
    variables = operator.new_host("a", "192.0.2.1")
    variables.pop("ece_host_installer_src")
    variables.update(
        ece_host_installer_url=f"{operator.ece.url}/installer/nothing.sh",
        ece_host_installer_ca_path=operator.ece.ca_path,
    )
    run = operator.play(warnings=True)
    assert run.rc != 0 and "the installer cannot be downloaded from" in run.text
    assert untouched(operator)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"validity_in_seconds": 2**31}, "validity_in_seconds 2147483648 is not possible: use 1 to 2147483647"),
        ({"validity_in_seconds": 0}, "validity_in_seconds 0 is not possible: use 1 to 2147483647"),
        (
            {"validity_in_seconds": 60, "persistent": True},
            "validity_in_seconds 60 goes with ephemeral tokens only: drop it, or persistent",
        ),
    ],
    ids=["beyond int32", "none", "with persistent"],
)
def test_a_bad_validity_of_a_token_is_refused_without_a_request(operator, options, sentence):
    operator.new_host("a", "192.0.2.1")
    mint = {"url": "{{ ece_url }}", "ca_path": "{{ ece_ca_path }}", "roles": ["allocator"], **options}
    playbook = operator.write(
        "mint.yml",
        [{"hosts": "a", "gather_facts": False, "tasks": [{"name": "Mint", "ece.platform.ece_enrollment_token": mint}]}],
    )
    run = operator.play(playbook=playbook)
    assert run.rc != 0 and sentence in run.text, run.output
    assert untouched(operator) and operator.ece.requests == []


def test_an_empty_string_leaves_an_option_at_its_default(operator):
    """An AWX survey gives empty strings for unanswered questions."""
    options = (
        "zone",
        "version",
        "coordinator",
        "capacity",
        "timeout_factor",
        "container_engine",
        "docker_registry",
        "installer_checksum",
        "batch",
        "max_fail_percentage",
        "external_hostname",
        "api_base_url",
        "settle_time",
        "wait_interval",
    )
    operator.group_vars = {f"ece_host_{option}": "" for option in options}
    operator.new_host("a", "192.0.2.1").pop("ece_host_zone")
    run = operator.play()
    assert run.rc == 0, run.output
    assert operator.ece.joins[-1]["ok"]
