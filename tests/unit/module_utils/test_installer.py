# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reaches the vendor's script, and what is made of what it says."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ece.platform.plugins.module_utils import _installer as installer
from ansible_collections.ece.platform.plugins.module_utils._ece import ROLES, release
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._text import redact

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlcyI6WyJhbGxvY2F0b3IiXX0.c2lnbmF0dXJl"

# -- options -> words ----------------------------------------------------------------------------------------------------

# option, its value, the words it becomes; in the order of the command line.
EVERY_OPTION = [
    ("coordinator_host", "10.0.0.1", ["--coordinator-host", "10.0.0.1"]),
    ("token", TOKEN, ["--roles-token", TOKEN]),
    ("roles", ["allocator", "proxy"], ["--roles", "allocator,proxy"]),
    ("version", "3.8.0", ["--cloud-enterprise-version", "3.8.0"]),
    ("storage_path", "/mnt/data/elastic", ["--host-storage-path", "/mnt/data/elastic"]),
    ("docker_socket", "/run/podman/podman.sock", ["--host-docker-host", "/run/podman/podman.sock"]),
    ("docker_registry", "registry.example.com:5000", ["--docker-registry", "registry.example.com:5000"]),
    ("docker_repository", "mirror/cloud-enterprise", ["--ece-docker-repository", "mirror/cloud-enterprise"]),
    ("runner_id", "rack-1:7", ["--runner-id", "rack-1:7"]),
    ("host_ip", "10.0.0.7", ["--host-ip", "10.0.0.7"]),
    ("zone", "ece-zone-1", ["--availability-zone", "ece-zone-1"]),
    ("capacity", 8192, ["--capacity", "8192"]),
    (
        "memory_settings",
        {"runner": {"xmx": "1G", "xms": "1G"}, "allocator": {"xms": "4G"}},
        ["--memory-settings", '{"allocator":{"xms":"4G"},"runner":{"xms":"1G","xmx":"1G"}}'],
    ),
    ("timeout_factor", 2.0, ["--timeout-factor", "2.0"]),
    ("allocator_tags", {"ssd": True, "rack": 7, "os/kind": "a+b"}, ["--allocator-tags", "ssd:true,rack:7,os/kind:a+b"]),
    ("external_hostname", "alloc-7.example.com", ["--external-hostname", "alloc-7.example.com"]),
    ("api_base_url", "https://[fd00::1]:12343/x", ["--api-base-url", "https://[fd00::1]:12343/x"]),
    ("overwrite_existing_image", True, ["--overwrite-existing-image"]),
    ("debug", True, ["--debug"]),
    ("force", True, ["--force"]),
    ("selinux", True, ["--selinux"]),
    ("container_engine", "podman", ["--podman"]),
    (
        "extra_args",
        ["--proxy-tags", "ssd:true", "--latest-stack-pre-release"],
        ["--proxy-tags", "ssd:true", "--latest-stack-pre-release"],
    ),
]


def test_the_table_above_knows_every_option():
    known = [name for name, flag, check in installer.VALUE_OPTIONS] + [name for name, flag in installer.SWITCH_OPTIONS]
    assert [name for name, value, words in EVERY_OPTION] == known + ["container_engine", "extra_args"]


@pytest.mark.parametrize(("name", "value", "words"), EVERY_OPTION, ids=[name for name, value, words in EVERY_OPTION])
def test_one_option_becomes_its_words(name, value, words):
    podman = {"container_engine": "podman"} if name == "selinux" else {}
    assert installer.arguments({name: value, **podman}) == words + (["--podman"] if podman else [])


def test_all_options_together_keep_their_order_whatever_that_of_the_mapping():
    words = [word for name, value, words in EVERY_OPTION for word in words]
    assert installer.arguments({name: value for name, value, words in reversed(EVERY_OPTION)}) == words


@pytest.mark.parametrize("nothing", [None, "", {}])
@pytest.mark.parametrize("name", [name for name, flag, check in installer.VALUE_OPTIONS])
def test_an_option_that_is_not_given_is_left_to_the_script(name, nothing):
    assert installer.arguments({name: nothing}) == []


@pytest.mark.parametrize("name", [name for name, flag in installer.SWITCH_OPTIONS])
def test_a_switch_that_is_off_leaves_no_word(name):
    assert installer.arguments({name: False}) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("capacity", "16384", ["--capacity", "16384"]),
        ("timeout_factor", "0.5", ["--timeout-factor", "0.5"]),
        ("timeout_factor", 3, ["--timeout-factor", "3.0"]),
        ("allocator_tags", {"a": "b", "no": False}, ["--allocator-tags", "a:b,no:false"]),
        (
            "memory_settings",
            {"zookeeper": {"xms": "512m", "xmx": "4096K"}},
            ["--memory-settings", '{"zookeeper":{"xms":"512m","xmx":"4096K"}}'],
        ),
        ("version", "3.8.0-SNAPSHOT", ["--cloud-enterprise-version", "3.8.0-SNAPSHOT"]),
        ("version", "3.8.0-ms-1", ["--cloud-enterprise-version", "3.8.0-ms-1"]),
        ("coordinator_host", "fd00::1", ["--coordinator-host", "fd00::1"]),
        ("token", TOKEN.split(".", maxsplit=1)[0], ["--roles-token", TOKEN.split(".", maxsplit=1)[0]]),
        ("roles", ("director",), ["--roles", "director"]),
        ("extra_args", ("--config-file", "/etc/ece.conf"), ["--config-file", "/etc/ece.conf"]),
        ("container_engine", "docker", []),
        ("user", "elastic", []),
        ("installer_path", "/opt/elastic-cloud-enterprise.sh", []),
    ],
)
def test_spellings_that_are_right_too(name, value, words):
    assert installer.arguments({name: value}) == words


# -- refusals ------------------------------------------------------------------------------------------------------------

TEXT_OPTIONS = [
    "api_base_url",
    "coordinator_host",
    "docker_registry",
    "docker_repository",
    "docker_socket",
    "external_hostname",
    "host_ip",
    "installer_path",
    "runner_id",
    "storage_path",
    "token",
    "user",
    "version",
    "zone",
]
RIGHT = {name: value for name, value, words in EVERY_OPTION} | {
    "user": "elastic",
    "installer_path": "/opt/elastic-cloud-enterprise.sh",
}
SPOILED = {
    "blank inside": "{0} x",
    "blank in front": " {0}",
    "blank behind": "{0} ",
    "tab": "{0}\tx",
    "newline behind": "{0}\n",
    "newline inside": "{0}\n--force",
    "single quote": "{0}'",
    "break-out": "{0}';id;'",
    "double quote": '{0}"',
    "dollar": "{0}$HOME",
    "command": "$(id){0}",
    "backtick": "{0}`id`",
    "backslash": "{0}\\",
    "semicolon": "{0};id",
    "glob": "{0}*",
    "one character glob": "{0}?",
    "leading -": "-{0}",
    "leading --": "--{0}",
    "two dashes alone": "--",
    "another flag": "--force",
    "only a blank": " ",
    "NUL": "{0}\0",
    "umlaut": "{0}ä",
    "no-break space": "{0}\u00a0x",
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED)
@pytest.mark.parametrize("name", TEXT_OPTIONS)
def test_no_text_that_the_script_would_read_otherwise(name, spoiled):
    value = spoiled.format(RIGHT[name])
    with pytest.raises(OptionError, match="^ece_host_" + name) as refused:
        installer.arguments({name: value}, "ece_host_")
    assert name == "token" or repr(value) in str(refused.value)


def test_a_refused_token_is_not_repeated():
    with pytest.raises(OptionError) as refused:
        installer.arguments({"token": "my other secret"})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"roles": []}, "is no list of roles"),
        ({"roles": "allocator"}, "is no list of roles"),
        (
            {"roles": ["allocator", "beats-runner"]},
            "'beats-runner' is not a role of ECE: use some of allocator, coordinator, director, proxy",
        ),
        ({"roles": ["allocator,proxy"]}, "is not a role of ECE"),
        ({"roles": [" allocator"]}, "is not a role of ECE"),
        ({"roles": ["Allocator"]}, "is not a role of ECE"),
        ({"roles": [None]}, "is not a role of ECE"),
        ({"version": "3.8"}, "is no version: use three numbers like 3.8.0"),
        ({"version": 3.8}, "is no version"),
        ({"version": "latest"}, "is no version"),
        ({"version": "3.8.0-"}, "is no version"),
        ({"version": "3.8.0 4"}, "is no version"),
        ({"version": "٣.٨.٠"}, "is no version"),
        ({"storage_path": "data"}, "an absolute path"),
        ({"host_ip": "fd00::1"}, "an IPv4 address"),
        ({"host_ip": "10.0.0"}, "an IPv4 address"),
        ({"host_ip": "10.0.0.256"}, "an IPv4 address"),
        ({"host_ip": "10.0.0.07"}, "an IPv4 address"),
        ({"host_ip": "١٠.٠.٠.٧"}, "an IPv4 address"),
        ({"zone": ".hidden"}, "starting with a letter or digit"),
        ({"api_base_url": "ftp://x"}, "an address like https://"),
        ({"user": "0day"}, "a user name"),
        ({"capacity": 8191}, "capacity 8191 is too small: the installer takes 8192 MB or more"),
        ({"capacity": 0}, "is too small"),
        ({"capacity": -16384}, "is too small"),
        ({"capacity": "16G"}, "is no whole number of MB"),
        ({"capacity": 16384.5}, "is no whole number of MB"),
        ({"capacity": "16384 --force"}, "is no whole number of MB"),
        ({"timeout_factor": 0}, "is no factor"),
        ({"timeout_factor": -1}, "is no factor"),
        ({"timeout_factor": "nan"}, "is no factor"),
        ({"timeout_factor": "inf"}, "is no factor"),
        ({"timeout_factor": "two"}, "is no factor"),
        ({"memory_settings": '{"runner":{"xms":"1G"}}'}, "is not a mapping"),
        ({"memory_settings": ["runner"]}, "is not a mapping"),
        ({"memory_settings": {"proxy": {"xms": "1G"}}}, "names 'proxy', which is no service with memory settings"),
        ({"memory_settings": {"runner": {}}}, "use xms and xmx"),
        ({"memory_settings": {"runner": "1G"}}, "use xms and xmx"),
        ({"memory_settings": {"runner": {"xms": "1G", "Xmx": "1G"}}}, "use xms and xmx"),
        ({"memory_settings": {"runner": {"xms": "1 G"}}}, "use a number with K, M or G"),
        ({"memory_settings": {"runner": {"xms": 1}}}, "use a number with K, M or G"),
        ({"memory_settings": {"runner": {"xms": "0G"}}}, "use a number with K, M or G"),
        ({"memory_settings": {"runner": {"xms": "1G\n"}}}, "use a number with K, M or G"),
        ({"memory_settings": {"runner": {"xms": "1٣G"}}}, "use a number with K, M or G"),
        ({"allocator_tags": "ssd:true"}, "is not a mapping"),
        ({"allocator_tags": ["ssd:true"]}, "is not a mapping"),
        ({"allocator_tags": {"a b": "c"}}, "has 'a b'"),
        ({"allocator_tags": {"a": "b c"}}, "has 'b c'"),
        ({"allocator_tags": {"a": "b,c:d"}}, "has 'b,c:d'"),
        ({"allocator_tags": {"a:b": "c"}}, "has 'a:b'"),
        ({"allocator_tags": {"a": ""}}, "has ''"),
        ({"allocator_tags": {"--a": "b"}}, "has '--a'"),
        ({"allocator_tags": {"a": "b'"}}, 'has "b\'"'),
        ({"allocator_tags": {"a": "b\n"}}, r"has 'b\\n'"),
        ({"extra_args": "--debug"}, "is no list"),
        ({"extra_args": ["ssd:true"]}, "has 'ssd:true': use arguments like --proxy-tags"),
        ({"extra_args": ["--proxy-tags", "a:b", "c:d"]}, "has 'c:d'"),
        ({"extra_args": ["--"]}, "has '--'"),
        ({"extra_args": ["-x"]}, "has '-x'"),
        ({"extra_args": ["--roles=director"]}, "has '--roles=director'"),
        ({"extra_args": ["--proxy-tags", "a b"]}, "has 'a b'"),
        ({"extra_args": ["--proxy-tags", "a'"]}, 'has "a\'"'),
        ({"extra_args": ["--proxy-tags", "$a"]}, "has '\\$a'"),
        ({"extra_args": ["--proxy-tags", "-a"]}, "has '-a'"),
        ({"extra_args": ["--proxy-tags", ""]}, "has ''"),
        ({"extra_args": ["--proxy-tags\n"]}, r"has '--proxy-tags\\n'"),
        ({"selinux": True}, "selinux goes with container_engine podman only"),
        ({"selinux": True, "container_engine": "docker"}, "selinux goes with container_engine podman only"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_no_value_that_is_wrong_for_its_option(options, words):
    with pytest.raises(OptionError, match=words):
        installer.arguments(options)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"ssd": None}, "allocator_tags has 'ssd' without a value"),
        ({1: "a", "1": "b"}, "allocator_tags has '1' twice, as text and as something else"),
    ],
)
def test_a_tag_is_what_was_meant_or_refused(tags, words):
    with pytest.raises(OptionError, match=words):
        installer.arguments({"allocator_tags": tags})


@pytest.mark.parametrize(
    "options",
    [
        {"coordinator_host": TOKEN + "_"},
        {"roles": TOKEN},
        {"extra_args": ["--x", "a", TOKEN]},
        {"allocator_tags": {TOKEN: " "}, "user": 1},
    ],
)
def test_a_token_that_was_given_for_something_else_is_not_shown(options):
    with pytest.raises(OptionError) as caught:
        installer.arguments(options)
    assert not [part for part in TOKEN.split(".") if part in str(caught.value)]


@pytest.mark.parametrize(
    ("flag", "option"), [(words[0], name) for name, value, words in EVERY_OPTION if name != "extra_args"]
)
def test_extra_args_are_no_way_around_an_option(flag, option):
    with pytest.raises(OptionError, match="extra_args has {0}: use the option {1} for it".format(flag, option)):
        installer.arguments({"extra_args": [flag, "x"]})


# -- the property behind it ----------------------------------------------------------------------------------------------

SWITCHES = {flag for name, flag in installer.SWITCH_OPTIONS} | {"--podman"}
VALUED = {flag for name, flag, check in installer.VALUE_OPTIONS}


def as_the_script_reads(words):
    """A model of its parser: a flag's value goes on unquoted, so is cut at the first blank (nothing is left of an empty one) and filled
    with file names where it is a pattern; then it stands between single quotes in an eval; and a word that begins with -- is a flag."""
    read, position = [], 0
    while position < len(words):
        flag = words[position]
        assert flag.startswith("--"), "unknown argument"
        valued = flag in VALUED or (
            flag not in SWITCHES and position + 1 < len(words) and not words[position + 1].startswith("--")
        )
        if not valued:
            read.append(flag)
            position += 1
            continue
        pieces = words[position + 1].split()
        assert pieces and not pieces[0].startswith("--"), "empty argument"
        assert "'" not in pieces[0], "the quote ends there, and what follows is run"
        assert not set(pieces[0]) & set("*?"), "file names"
        read += [flag, pieces[0]]
        position += 2
    return read


HOSTILE = st.text(alphabet=st.sampled_from(list("aZ09._-:/,@+={}[]\"' \t\n$`\\;&|*?~#%ä٣")), max_size=8)
RIGHTLY = st.text(alphabet="abc019", min_size=1, max_size=6)
SCALAR = st.one_of(HOSTILE, RIGHTLY, st.text(max_size=4), st.integers(), st.floats(), st.booleans(), st.none())
ANY = st.one_of(SCALAR, st.lists(SCALAR, max_size=3), st.dictionaries(HOSTILE, SCALAR, max_size=2))
HEAP = st.one_of(st.sampled_from(["1G", "512m", "1G ", "1 G"]), HOSTILE)
HEAPS = st.dictionaries(st.sampled_from(["xms", "xmx"]), HEAP, max_size=2)
MOSTLY_RIGHT = {
    "memory_settings": st.dictionaries(st.sampled_from(installer.MEMORY_SERVICES), HEAPS, max_size=2),
    "allocator_tags": st.dictionaries(st.one_of(RIGHTLY, HOSTILE), SCALAR, max_size=3),
    "roles": st.lists(st.sampled_from(ROLES + ("", "--force")), max_size=3),
    "extra_args": st.lists(
        st.one_of(st.sampled_from(["--proxy-tags", "--config-file", "a:b", "/etc/x", '{"a":1}']), HOSTILE), max_size=4
    ),
    "capacity": st.one_of(st.integers(8000, 9000), st.sampled_from(["9000", "9_000", " 9000", "+9000"])),
    "timeout_factor": st.floats(0, 1001),
}
OPTIONS = {
    name: st.one_of(st.just(value), MOSTLY_RIGHT.get(name, HOSTILE), ANY)
    for name, value, words in EVERY_OPTION
    if words[0] not in SWITCHES
}


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_whatever_the_options_they_are_refused_or_the_script_reads_the_words_as_they_are(data):
    # One or two at a time: a refusal of one would hide all others.
    names = data.draw(st.lists(st.sampled_from(sorted(OPTIONS)), min_size=1, max_size=2, unique=True))
    options = {name: data.draw(OPTIONS[name], label=name) for name in names}
    try:
        words = installer.arguments(options)
    except OptionError:
        return
    assert as_the_script_reads(words) == words


def test_the_model_reads_all_options_as_they_are():
    words = [word for name, value, words in EVERY_OPTION for word in words]
    assert as_the_script_reads(words) == words


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ("whole", "whole"),
        ('{"runner":{"xms":"1G", "xmx":"1G"}}', '{"runner":{"xms":"1G",'),
        ('{"runner":{"xms":"1G","xmx":"1G"}}', '{"runner":{"xms":"1G","xmx":"1G"}}'),
        ("allocator, proxy", "allocator,"),
        (" leading", "leading"),
        ("a';pwd;'", "/\na"),
        ("$HOME", "$HOME"),
    ],
)
def test_the_model_is_true_of_a_shell_with_those_habits(value, arrives):
    script = """assign() { eval "$1='$2'"; }; main() { assign X $1; printf %s "$X"; }; main "$1" """
    assert subprocess.check_output(["bash", "-c", script, "bash", value], cwd="/").decode() == arrives


# -- secrets -------------------------------------------------------------------------------------------------------------


def test_without_token_masks_the_token_alone():
    words = installer.arguments({"coordinator_host": "10.0.0.1", "token": TOKEN, "roles": ["allocator"]})
    assert installer.without_token(words) == [
        "--coordinator-host",
        "10.0.0.1",
        "--roles-token",
        "********",
        "--roles",
        "allocator",
    ]
    assert TOKEN in words


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("token=abc123, again abc123", ["abc123"], "token=********, again ********"),
        (f"--env ROLES_TOKEN={TOKEN} --env ROLES=allocator", [], "--env ROLES_TOKEN=******** --env ROLES=allocator"),
        (f'"{TOKEN}"', [], '"********"'),
        (f"{TOKEN}\n{TOKEN}", [], "********\n********"),
        ("cut off eyJhbGciOiJIUzI1NiJ9.eyJyb2", [], "cut off ********"),
        ("eyJhbGciOiJIUzI1NiJ9", [], "********"),
        ("nothing to hide", [None, ""], "nothing to hide"),
        ("eye eyJ short", [], "eye eyJ short"),
    ],
)
def test_redact(text, secrets, shown):
    assert redact(text, secrets) == shown


@given(
    st.text(max_size=20),
    st.from_regex(r"eyJ[A-Za-z0-9_-]{20,60}\.[A-Za-z0-9_-]{20,60}\.[A-Za-z0-9_-]{20,43}", fullmatch=True),
    st.text(max_size=20),
)
def test_no_part_of_a_token_is_left_wherever_it_stands(before, token, after):
    assert not any(part in redact(before + token + after) for part in token.split("."))


# -- exit codes and outcomes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "meaning", "remedy"),
    [
        (0, "installed", ""),
        (1, "general failure", "the platform refused the host"),
        (2, "unknown command", "check that the installer file is elastic-cloud-enterprise.sh"),
        (3, "unknown or empty argument", "check extra_args"),
        (4, "bad user", "add it to the engine's group"),
        (5, "precondition", "Start the container engine"),
        (6, "exit code 6, which its documentation does not know", "Read the last lines"),
        (125, "exit code 125, which", "Read the last lines"),
        (126, "exit code 126, which", "Read the last lines"),
        (128, "exit code 128, which", "Read the last lines"),
        (255, "exit code 255, which", "Read the last lines"),
        (None, "exit code None, which", "Read the last lines"),
        (137, "killed by signal 9", "out-of-memory"),
        (143, "killed by signal 15", "out-of-memory"),
        (-9, "killed by signal 9", "out-of-memory"),
        (-15, "killed by signal 15", "out-of-memory"),
    ],
)
def test_explain_exit(code, meaning, remedy):
    found = installer.explain_exit(code)
    assert (found[0].startswith(meaning), remedy in found[1]) == (True, True), found


STARTED = {"started": 1000.0, "timeout": 1800, "roles": ["allocator"]}
FINISHED = {
    **STARTED,
    "finished": 1271.4,
    "seconds": 271.4,
    "timed_out": False,
    "output": ["one", "done", ""],
    "bootstrap_log": ["b"],
}


@pytest.mark.parametrize(
    ("record", "state"),
    [
        ({"lock": "absent"}, "absent"),
        ({"lock": "over"}, "absent"),
        ({"lock": "running"}, "running"),
        ({"lock": "running", **FINISHED, "rc": 0}, "running"),
        ({"lock": "running", **STARTED}, "running"),
        ({"lock": "over", **STARTED}, "interrupted"),
        ({"lock": "absent", **STARTED}, "interrupted"),
        ({"lock": "over", **FINISHED, "rc": 0}, "finished"),
        ({"lock": "over", **FINISHED, "rc": 1}, "finished"),
        ({"lock": "over", **FINISHED, "rc": None}, "finished"),
    ],
)
def test_install_state(record, state):
    assert installer.install_state(record) == state


LOG = "/mnt/data/elastic/logs/ece-install/output.log"


@pytest.mark.parametrize(
    ("record", "rc", "msg"),
    [
        pytest.param({**FINISHED, "rc": 0}, 0, "installed in 271 s", id="finished"),
        pytest.param(
            {
                **FINISHED,
                "rc": 5,
                "output": ["x", "ECE could not verify the Docker socket (/var/run/docker.sock).", "  "],
            },
            5,
            "installer exit 5 (precondition): x. ECE could not verify the Docker socket (/var/run/docker.sock). "
            "Start the container engine or set the socket's path; stop firewalld or open its ports. Log: " + LOG,
            id="failed",
        ),
        pytest.param(
            {**FINISHED, "rc": 2, "output": []},
            2,
            "installer exit 2 (unknown command): it said nothing. The script",
            id="failed in silence",
        ),
        pytest.param(
            {**FINISHED, "rc": -9},
            -9,
            "installer exit -9 (killed by signal 9): one. done. Look for out-of-memory",
            id="killed",
        ),
        pytest.param(
            {**FINISHED, "rc": -15, "timed_out": True},
            -15,
            "the installer did not end within 1800 s and was stopped.",
            id="timed out",
        ),
        pytest.param(
            STARTED, None, "the installer was interrupted. The host was restarted or the installer", id="interrupted"
        ),
    ],
)
def test_outcome(record, rc, msg):
    result = installer.outcome({"lock": "over", **record}, "/mnt/data/elastic")
    assert result["msg"].startswith(msg)
    assert (result["rc"], result["log"]) == (rc, LOG)
    assert (result["output"], result["bootstrap_log"]) == (record.get("output", []), record.get("bootstrap_log", []))
    assert rc == 0 or result["msg"].endswith("Log: " + LOG)
    assert bool(result["remedy"]) == (rc != 0)


@pytest.mark.parametrize("record", [{**FINISHED, "rc": 1}, {**FINISHED, "rc": -15, "timed_out": True}, STARTED])
def test_outcome_told_elsewhere_says_which_host_has_the_log(record):
    assert installer.outcome({"lock": "over", **record}, None, "10.0.0.8")["msg"].endswith("Log: 10.0.0.8:" + LOG)


@pytest.mark.parametrize("storage_path", [None, "", "/mnt/data/elastic", "/mnt/data/elastic/"])
def test_log_paths_are_below_the_storage_path(storage_path):
    assert installer.log_paths(storage_path) == {
        "bootstrap": "/mnt/data/elastic/logs/bootstrap-logs/bootstrap.log",
        "folder": "/mnt/data/elastic/logs/ece-install",
        "output": LOG,
        "record": "/mnt/data/elastic/logs/ece-install/record.json",
        "lock": "/mnt/data/elastic/logs/ece-install/lock",
    }


def test_tail_keeps_the_last_lines():
    assert installer.tail("".join(f"{number}\n" for number in range(100))) == [str(number) for number in range(60, 100)]
    assert installer.tail("") == []


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("#!/bin/bash\nCLOUD_ENTERPRISE_VERSION=4.0.3\n", "4.0.3"),
        ('CLOUD_ENTERPRISE_VERSION="3.8.0"\n', "3.8.0"),
        ("CLOUD_ENTERPRISE_VERSION='3.8.0-SNAPSHOT'\n", "3.8.0"),
        ("# CLOUD_ENTERPRISE_VERSION=3.8.0\n", None),
        ("CLOUD_ENTERPRISE_VERSION=$1\n", None),
        ("<html>Not found</html>", None),
    ],
)
def test_script_version(text, version):
    assert installer.script_version(text) == version


@pytest.mark.parametrize(("version", "expected"), [("3.8.1", (3, 8)), ("3.10.0", (3, 10)), ("4.0.0-SNAPSHOT", (4, 0))])
def test_release_is_major_and_minor_as_numbers(version, expected):
    assert release(version) == expected


# -- FOLLOW_SOURCE, as it runs on a host ---------------------------------------------------------------------------------


def follow(folder, limit="0"):
    """What `python -c` with it says, between what a login shell might say."""
    command = [sys.executable, "-c", installer.FOLLOW_SOURCE, str(folder / "record.json"), str(folder / "lock"), limit]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, timeout=20)
    return installer.parse_follow("Welcome!\nlast login: ECE-RECORDS\nbanner " + done.stdout.decode() + "bye\n")


@pytest.fixture
def held(tmp_path):
    """The lock as a watcher holds it; closing the file lets it go."""
    with open(tmp_path / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def test_follow_where_nothing_was_ever_started(tmp_path):
    record = follow(tmp_path, "60")
    assert (record.pop("now") > 0, record) == (True, {"lock": "absent"})


def test_follow_under_a_held_lock_says_running_when_its_time_is_over(tmp_path, held):
    (tmp_path / "record.json").write_text(json.dumps(STARTED))
    record = follow(tmp_path)
    assert (installer.install_state(record), record["started"]) == ("running", 1000.0)


def test_follow_under_a_free_lock_says_how_it_ended(tmp_path):
    (tmp_path / "lock").touch()
    (tmp_path / "record.json").write_text(json.dumps({**FINISHED, "rc": 4}))
    before = time.time()
    record = follow(tmp_path, "60")
    assert (installer.install_state(record), record["rc"], record["output"]) == ("finished", 4, FINISHED["output"])
    assert before <= record["now"] <= time.time()


def test_follow_under_a_free_lock_sees_an_interruption(tmp_path):
    (tmp_path / "lock").touch()
    (tmp_path / "record.json").write_text(json.dumps(STARTED))
    assert installer.install_state(follow(tmp_path, "60")) == "interrupted"


def test_follow_waits_for_the_end_and_tells_it(tmp_path, held):
    (tmp_path / "record.json").write_text(json.dumps(STARTED))

    def end():
        (tmp_path / "record.json").write_text(json.dumps({**FINISHED, "rc": 0}))
        held.close()

    timer = threading.Timer(0.2, end)
    timer.start()
    record = follow(tmp_path, "60")
    timer.join()
    assert (installer.install_state(record), record["rc"]) == ("finished", 0)


@pytest.mark.parametrize("content", ["", "{", "not json"])
def test_follow_survives_a_broken_record(tmp_path, content):
    (tmp_path / "lock").touch()
    (tmp_path / "record.json").write_text(content)
    assert follow(tmp_path, "60")["lock"] == "over"


def test_follow_leaves_the_lock_as_it_was(tmp_path, held):
    follow(tmp_path)
    other = os.open(tmp_path / "lock", os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


@pytest.mark.parametrize("stdout", ["", "Permission denied\n", "ECE-RECORD {broken\n", "ECE-RECORD"])
def test_parse_follow_of_something_else_is_none(stdout):
    assert installer.parse_follow(stdout) is None
