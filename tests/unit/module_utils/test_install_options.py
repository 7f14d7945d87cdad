# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reaches the vendor's script, and what is refused before."""

from __future__ import annotations

import json
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.ece.platform.plugins.module_utils import _install_options as install_options
from ansible_collections.ece.platform.plugins.module_utils._ece import ROLES
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlcyI6WyJhbGxvY2F0b3IiXX0.c2lnbmF0dXJl"

# -- options to arguments --------------------------------------------------------------------------------------------

# Option, its value, the arguments that it becomes; in the order of the command line.
EVERY_OPTION = [
    ("coordinator_host", "10.0.0.1", ["--coordinator-host", "10.0.0.1"]),
    ("token", TOKEN, ["--roles-token", TOKEN]),
    ("roles", ["allocator", "proxy"], ["--roles", "allocator,proxy"]),
    ("version", "3.8.0", ["--cloud-enterprise-version", "3.8.0"]),
    ("storage_path", "/mnt/data/elastic", ["--host-storage-path", "/mnt/data/elastic"]),
    ("docker_socket", "/run/podman/podman.sock", ["--host-docker-host", "/run/podman/podman.sock"]),
    ("docker_registry", "registry.example.com:5000", ["--docker-registry", "registry.example.com:5000"]),
    ("docker_repository", "mirror/cloud-enterprise", ["--ece-docker-repository", "mirror/cloud-enterprise"]),
    ("runner_id", "rack-1.7", ["--runner-id", "rack-1.7"]),
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
    (
        "external_hostname",
        ["alloc-7.example.com", "10.0.0.7"],
        ["--external-hostname", "alloc-7.example.com,10.0.0.7"],
    ),
    ("api_base_url", "https://[fd00::1]:12343/x", ["--api-base-url", "https://[fd00::1]:12343/x"]),
    ("overwrite_existing_image", True, ["--overwrite-existing-image"]),
    ("debug", True, ["--debug"]),
    ("force", True, ["--force"]),
    ("selinux", True, ["--selinux"]),
    ("proxy_protocol_version", 2, ["--proxy-protocol-version", "2"]),
    ("proxy_protocol_lenient", True, ["--proxy-protocol-lenient"]),
    ("container_engine", "podman", ["--podman"]),
    (
        "extra_args",
        ["--proxy-tags", "ssd:true", "--latest-stack-pre-release"],
        ["--proxy-tags", "ssd:true", "--latest-stack-pre-release"],
    ),
]


VALUE_OPTIONS = [option.name for option in install_options.INSTALL_OPTIONS if option.flag and option.check]
SWITCH_OPTIONS = ["overwrite_existing_image", "debug", "force", "selinux", "proxy_protocol_lenient"]
# What an option needs beside it.
NEEDS = {"selinux": {"container_engine": "podman"}, "proxy_protocol_lenient": {"proxy_protocol_version": 2}}


def test_the_table_above_has_every_option():
    known = [option.name for option in install_options.INSTALL_OPTIONS if option.flag]
    assert [name for name, value, argv in EVERY_OPTION] == [*known, "extra_args"]


@pytest.mark.parametrize(("name", "value", "argv"), EVERY_OPTION, ids=[name for name, value, argv in EVERY_OPTION])
def test_one_option_becomes_its_arguments(name, value, argv):
    needs = NEEDS.get(name, {})
    beside = install_options.arguments(needs)
    given = install_options.arguments({name: value, **needs})
    assert sorted(given) == sorted(argv + beside)
    assert given[given.index(argv[0]) :][: len(argv)] == argv


def test_all_options_together_have_the_tables_order():
    options = {name: value for name, value, argv in reversed(EVERY_OPTION)}
    argv = [argument for name, value, argv in EVERY_OPTION for argument in argv]
    assert install_options.arguments({**options, "version": "4.2.0"}) == [
        "4.2.0" if argument == "3.8.0" else argument for argument in argv
    ]


@pytest.mark.parametrize("nothing", [None, "", {}])
@pytest.mark.parametrize("name", VALUE_OPTIONS)
def test_an_option_that_is_not_given_is_left_to_the_script(name, nothing):
    assert install_options.arguments({name: nothing}) == []


@pytest.mark.parametrize("name", SWITCH_OPTIONS)
def test_a_switch_that_is_off_becomes_no_argument(name):
    assert install_options.arguments({name: False}) == []


@pytest.mark.parametrize(
    ("name", "value", "argv"),
    [
        ("capacity", "16384", ["--capacity", "16384"]),
        ("timeout_factor", "0.5", ["--timeout-factor", "0.5"]),
        ("timeout_factor", 3, ["--timeout-factor", "3.0"]),
        ("allocator_tags", {"a": "b", "no": False}, ["--allocator-tags", "a:b,no:false"]),
        (
            "memory_settings",
            {"zookeeper": {"xms": "512m", "xmx": "4096M"}},
            ["--memory-settings", '{"zookeeper":{"xms":"512m","xmx":"4096M"}}'],
        ),
        ("version", "3.8.0-SNAPSHOT", ["--cloud-enterprise-version", "3.8.0-SNAPSHOT"]),
        ("version", "3.8.0-ms-1", ["--cloud-enterprise-version", "3.8.0-ms-1"]),
        ("coordinator_host", "ece.example.com.", ["--coordinator-host", "ece.example.com."]),
        ("capacity", 16384.0, ["--capacity", "16384"]),
        (
            "docker_registry",
            "registry.example.com/mirror/ece",
            ["--docker-registry", "registry.example.com/mirror/ece"],
        ),
        ("external_hostname", "a.example.com,b.example.com", ["--external-hostname", "a.example.com,b.example.com"]),
        ("external_hostname", [], []),
        ("proxy_protocol_version", 0, ["--proxy-protocol-version", "0"]),
        ("user", "elastic@corp.example.com", []),
        ("user", "CORP\\elastic", []),
        ("user", "svc$", []),
        ("token", TOKEN.split(".", maxsplit=1)[0], ["--roles-token", TOKEN.split(".", maxsplit=1)[0]]),
        ("roles", ("director",), ["--roles", "director"]),
        ("extra_args", ("--config-file", "/etc/ece.conf"), ["--config-file", "/etc/ece.conf"]),
        ("container_engine", "docker", []),
        ("user", "elastic", []),
        ("installer_path", "/opt/elastic-cloud-enterprise.sh", []),
    ],
)
def test_other_right_spellings(name, value, argv):
    assert install_options.arguments({name: value}) == argv


# -- refusals --------------------------------------------------------------------------------------------------------

TEXT_OPTIONS = [
    "api_base_url",
    "coordinator_host",
    "docker_registry",
    "docker_repository",
    "docker_socket",
    "external_hostname",
    "host_ip",
    "installer_path",
    "installer_proxy",
    "runner_id",
    "storage_path",
    "token",
    "user",
    "version",
    "zone",
]
RIGHT = {name: value for name, value, argv in EVERY_OPTION} | {
    "user": "elastic",
    "installer_path": "/opt/elastic-cloud-enterprise.sh",
    "installer_proxy": "http://proxy.example.com:3128",
    "external_hostname": "alloc-7.example.com",
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
def test_text_that_the_script_would_misread_is_refused(name, spoiled):
    value = spoiled.format(RIGHT[name])
    variable = install_options.ROLE_VARIABLES.get(name, f"ece_host_{name}")
    with pytest.raises(OptionError, match=f"^{variable} ") as refused:
        install_options.arguments({name: value}, "ece_host_")
    assert name in ("token", "installer_proxy") or repr(value) in str(refused.value)


def test_a_refused_token_is_not_repeated():
    with pytest.raises(OptionError) as refused:
        install_options.arguments({"token": "my other secret"})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"roles": []}, "is not a list of roles"),
        ({"roles": "allocator"}, "is not a list of roles"),
        (
            {"roles": ["allocator", "beats-runner"]},
            "'beats-runner' is not a role of ECE: use some of allocator, coordinator, director, proxy",
        ),
        ({"roles": ["allocator,proxy"]}, "is not a role of ECE"),
        ({"roles": [" allocator"]}, "is not a role of ECE"),
        ({"roles": ["Allocator"]}, "is not a role of ECE"),
        ({"roles": [None]}, "is not a role of ECE"),
        ({"version": "3.8"}, "is not a version: use three numbers like 3.8.0"),
        ({"version": 3.8}, "is not a version"),
        ({"version": "latest"}, "is not a version"),
        ({"version": "3.8.0-"}, "is not a version"),
        ({"version": "3.8.0 4"}, "is not a version"),
        ({"version": "٣.٨.٠"}, "is not a version"),
        ({"storage_path": "data"}, "an absolute path"),
        ({"host_ip": "fd00::1"}, "an IPv4 address"),
        ({"host_ip": "10.0.0"}, "an IPv4 address"),
        ({"host_ip": "10.0.0.256"}, "an IPv4 address"),
        ({"host_ip": "10.0.0.07"}, "an IPv4 address"),
        ({"host_ip": "١٠.٠.٠.٧"}, "an IPv4 address"),
        ({"zone": ".hidden"}, "starting with a letter or digit"),
        ({"coordinator_host": "https://10.0.0.1"}, "without https:// and without a port"),
        ({"coordinator_host": "10.0.0.1:12443"}, "without https:// and without a port"),
        ({"coordinator_host": "fd00::1"}, "a host name or IPv4 address"),
        ({"docker_registry": "https://registry.example.com"}, "without https://"),
        ({"docker_registry": "registry.example.com/"}, "without '/' at its end"),
        ({"docker_registry": "registry.example.com//mirror"}, "a registry like"),
        ({"docker_registry": "registry.example.com:port"}, "a registry like"),
        ({"docker_repository": "/cloud-enterprise"}, "without '/' in front"),
        ({"docker_repository": "Cloud"}, "a repository like"),
        ({"runner_id": "2001:db8::7"}, "letters, digits, '.', '_' and '-'"),
        ({"runner_id": "10.0.0.7/24"}, "letters, digits, '.', '_' and '-'"),
        ({"host_ip": "10.0.0.7/24"}, "without a prefix length"),
        ({"external_hostname": "a.example.com,b c"}, "external_hostname 'b c' cannot be given"),
        ({"external_hostname": "a.example.com:443"}, "without a port"),
        ({"external_hostname": "a,,b"}, "external_hostname '' cannot be given"),
        ({"storage_path": "/data/elastic/"}, "without '//', '..' and '/' at its end"),
        ({"storage_path": "/data//elastic"}, "without '//'"),
        ({"storage_path": "/data/../elastic"}, "without '//', '..'"),
        ({"proxy_protocol_version": 1}, "use 2, or 0 for none"),
        ({"proxy_protocol_version": 2, "version": "4.1.1"}, "is for ECE 4.2 and later, and this installs 4.1.1"),
        ({"proxy_protocol_lenient": True}, "set proxy_protocol_version: 2"),
        ({"user": "elastic$x"}, "the name of a user"),
        ({"user": "-x"}, "the name of a user"),
        ({"memory_settings": {"runner": {"xms": "2G", "xmx": "1024M"}}}, "has xms 2G above xmx 1024M"),
        ({"extra_args": ["--help"]}, "has --help: drop it, because with it the script prints its help"),
        ({"extra_args": ["--environment-metadata", '{"a":1}']}, "has --environment-metadata: drop it"),
        ({"api_base_url": "ftp://x"}, "an address like https://"),
        ({"user": "0day"}, "the name of a user"),
        ({"capacity": 8191}, "capacity 8191 is too small: the installer takes 8192 MB or more"),
        ({"capacity": 0}, "is too small"),
        ({"capacity": -16384}, "is too small"),
        ({"capacity": "16G"}, "is not a whole number of MB"),
        ({"capacity": 16384.5}, "is not a whole number of MB"),
        ({"capacity": "16384 --force"}, "is not a whole number of MB"),
        ({"timeout_factor": 0}, "is not a factor"),
        ({"timeout_factor": -1}, "is not a factor"),
        ({"timeout_factor": "nan"}, "is not a factor"),
        ({"timeout_factor": "inf"}, "is not a factor"),
        ({"timeout_factor": "two"}, "is not a factor"),
        ({"memory_settings": '{"runner":{"xms":"1G"}}'}, "is not a mapping"),
        ({"memory_settings": ["runner"]}, "is not a mapping"),
        ({"memory_settings": {"proxy": {"xms": "1G"}}}, "names 'proxy', which is not a service with memory settings"),
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
        ({"extra_args": "--debug"}, "is not a list"),
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
        ({"selinux": True, "container_engine": "docker"}, "selinux goes with container_engine podman only"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_a_wrong_value_is_refused_with_what_is_right(options, message):
    with pytest.raises(OptionError, match=message):
        install_options.arguments(options)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"ssd": None}, "allocator_tags has 'ssd' without a value"),
        ({1: "a", "1": "b"}, "allocator_tags has '1' twice, as text and as something else"),
    ],
)
def test_an_ambiguous_tag_is_refused(tags, message):
    with pytest.raises(OptionError, match=message):
        install_options.arguments({"allocator_tags": tags})


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
        install_options.arguments(options)
    assert not [part for part in TOKEN.split(".") if part in str(caught.value)]


@pytest.mark.parametrize(
    ("flag", "option"), [(argv[0], name) for name, value, argv in EVERY_OPTION if name != "extra_args"]
)
def test_extra_args_cannot_replace_an_option(flag, option):
    with pytest.raises(OptionError, match=f"extra_args has {flag}: use the option {option} for it"):
        install_options.arguments({"extra_args": [flag, "x"]})


def test_the_role_names_the_variable_that_extra_args_cannot_replace():
    with pytest.raises(OptionError, match="^ece_host_extra_args has --host-ip: use the variable ece_host_ip for it"):
        install_options.arguments({"extra_args": ["--host-ip", "10.0.0.7"]}, "ece_host_")


# -- the property behind it ------------------------------------------------------------------------------------------


def test_a_proxy_is_not_repeated_because_it_may_hold_a_password():
    with pytest.raises(OptionError) as refused:
        install_options.arguments({"installer_proxy": "socks5://user:pw-of-proxy@proxy"})
    assert "pw-of-proxy" not in str(refused.value)


SWITCHES = {option.flag for option in install_options.INSTALL_OPTIONS if option.flag and not option.check}
VALUED = {option.flag for option in install_options.INSTALL_OPTIONS if option.flag and option.check}


def as_the_script_reads(argv):
    """A model of the script's parser.

    It passes a flag's value on unquoted: the value is cut at its first blank, nothing is left of an empty one, and a
    pattern becomes file names. Then it stands between single quotes in an eval. An argument with -- in front is a flag.
    """
    read, position = [], 0
    while position < len(argv):
        flag = argv[position]
        assert flag.startswith("--"), "unknown argument"
        valued = flag in VALUED or (
            flag not in SWITCHES and position + 1 < len(argv) and not argv[position + 1].startswith("--")
        )
        if not valued:
            read.append(flag)
            position += 1
            continue
        pieces = argv[position + 1].split()
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
    "memory_settings": st.dictionaries(st.sampled_from(install_options.MEMORY_SERVICES), HEAPS, max_size=2),
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
    for name, value, argv in EVERY_OPTION
    if argv[0] not in SWITCHES
}


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_options_are_refused_or_the_script_reads_their_arguments_unchanged(data):
    # One or two at a time: a refusal of one would hide all others.
    names = data.draw(st.lists(st.sampled_from(sorted(OPTIONS)), min_size=1, max_size=2, unique=True))
    options = {name: data.draw(OPTIONS[name], label=name) for name in names}
    try:
        argv = install_options.arguments(options)
    except OptionError:
        return
    assert as_the_script_reads(argv) == argv


def test_the_model_reads_all_options_unchanged():
    argv = [argument for name, value, argv in EVERY_OPTION for argument in argv]
    assert as_the_script_reads(argv) == argv


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
def test_the_model_agrees_with_a_shell_that_parses_like_the_script(value, arrives):
    script = """assign() { eval "$1='$2'"; }; main() { assign X $1; printf %s "$X"; }; main "$1" """
    assert subprocess.check_output(["bash", "-c", script, "bash", value], cwd="/").decode() == arrives


def test_without_token_masks_the_token_alone():
    argv = install_options.arguments({"coordinator_host": "10.0.0.1", "token": TOKEN, "roles": ["allocator"]})
    assert install_options.without_token(argv) == [
        "--coordinator-host",
        "10.0.0.1",
        "--roles-token",
        "********",
        "--roles",
        "allocator",
    ]
    assert TOKEN in argv


# -- the table -------------------------------------------------------------------------------------------------------


def test_the_roles_variables_are_those_of_its_options():
    assert install_options.ROLE_VARIABLES["zone"] == "ece_host_zone"
    assert install_options.ROLE_VARIABLES["timeout"] == "ece_host_install_timeout"
    given_by_the_run = {"token", "token_id", "roles", "version", "runner_id", "installer_content", "wait"}
    names = {option.name for option in install_options.INSTALL_OPTIONS}
    assert set(install_options.ROLE_VARIABLES) == names - given_by_the_run


@pytest.mark.parametrize(
    ("options", "variable"),
    [
        ({"host_ip": "10.0.0.999"}, "ece_host_ip"),
        ({"coordinator_host": "a b"}, "ece_host_coordinator"),
        ({"runner_id": "a b"}, "ece_host_runner_id"),
        ({"zone": "a b"}, "ece_host_zone"),
    ],
)
def test_a_message_about_the_roles_variables_names_the_variable(options, variable):
    with pytest.raises(OptionError, match=f"^{variable} "):
        install_options.arguments(options, "ece_host_")


def test_an_argument_spec_can_be_changed_without_changing_the_table():
    spec = install_options.argument_spec(install_options.INSTALL_OPTIONS)
    spec["zone"]["required"] = True
    assert install_options.argument_spec(install_options.INSTALL_OPTIONS)["zone"] == {"type": "str"}
