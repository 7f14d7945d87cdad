# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""10,000 sets of install options, many hostile: each is refused, or the vendor's script reads it as it was meant."""

from __future__ import annotations

import collections
import contextlib
import json
from typing import Any

import pytest
from hypothesis import strategies as st

from ansible_collections.ece.platform.plugins.module_utils import _install_options as install_options
from ansible_collections.ece.platform.plugins.module_utils._ece import ROLES
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._text import MASK
from tests.fuzz import vendor
from tests.fuzz.fuzzing import assert_sentence, fuzz
from tests.fuzz.options import HOSTILE, NASTY, TOKEN, option_sets, spoiled

EXAMPLES = 10_000
COMPARED = 120
FLAGS = {
    option.name: option.flag
    for option in install_options.INSTALL_OPTIONS
    if option.flag and option.name != "container_engine"
}

# -- options that are right ------------------------------------------------------------------------------------------

TEXTS = ["a", "Z9", "zone-1", "0", "a.b_c-d", "rack7"]
RIGHT: dict[str, list] = {
    "coordinator_host": ["10.0.0.1", "ece.example.com", "fd00::1", "a"],
    "token": [TOKEN],
    "roles": [["allocator"], ["allocator", "proxy"], ("director",), list(ROLES), ["proxy", "allocator"]],
    "version": ["3.8.0", "4.0.3", "3.8.0-SNAPSHOT", "3.8.0-ms-1", "10.20.30"],
    "storage_path": ["/mnt/data/elastic", "/srv/ece_1/data+2@x/", "/", "/a"],
    "docker_socket": ["/var/run/docker.sock", "/run/podman/podman.sock"],
    "docker_registry": ["docker.elastic.co", "registry.example.com:5000"],
    "docker_repository": ["cloud-enterprise", "mirror/cloud-enterprise"],
    "runner_id": ["10.0.0.7", "rack-1:7", 7, *TEXTS],
    "host_ip": ["10.0.0.7", "0.0.0.0", "255.255.255.255", "192.168.100.1"],
    "zone": ["ece-zone-1", 1, *TEXTS],
    "capacity": [8192, "8192", 9000, 10**7],
    "memory_settings": [
        {"runner": {"xms": "1G", "xmx": "1G"}},
        {"zookeeper": {"xmx": "4096K"}, "allocator": {"xms": "512m", "xmx": "16g"}},
        {service: {"xmx": "4G", "xms": "1G"} for service in install_options.MEMORY_SERVICES},
    ],
    "timeout_factor": [1, 2.5, "0.5", "3", 1e-07, 999],
    "allocator_tags": [
        {"ssd": True},
        {"ssd": "true", "rack": 7, "no": False},
        {"a.b/c+d-e_f": 1.5, "Z": "9"},
        dict(zip(TEXTS, reversed(TEXTS))),
    ],
    "external_hostname": ["ece.example.com", "10.0.0.7,a.example.com", ["a.example.com", "b"]],
    "api_base_url": ["https://ece.example.com:12343", "http://10.0.0.1/x/y", "https://[fd00::1]:12343/x"],
    "overwrite_existing_image": [True, False],
    "debug": [True, False],
    "force": [True, False],
    "extra_args": [
        ["--proxy-tags", "ssd:true"],
        ["--config-file", "/etc/ece.conf", "--skip-cloud-enterprise-version-check"],
        ["--client-forwarder-observers-tag", '{"a":[1,"b"],"c":{}}'],
        ["--latest-stack-pre-release", "8.0.0-rc1", "--proxy-tags", "a:b,c:d"],
    ],
    "container_engine": ["docker", "podman", None],
    "user": ["elastic", "_e.l-1"],
    "installer_path": ["/opt/elastic-cloud-enterprise.sh"],
}
NAMES = sorted(RIGHT)


def _with_podman(options: dict[str, Any]) -> dict[str, Any]:
    """SELinux goes with Podman alone."""
    return {**options, "selinux": True} if options.get("container_engine") == "podman" else options


OPTION_SETS = option_sets(RIGHT).map(_with_podman)

# -- meaning ---------------------------------------------------------------------------------------------------------

READERS = {
    "roles": lambda text: text.split(","),
    "capacity": int,
    "timeout_factor": float,
    "memory_settings": json.loads,
    "allocator_tags": lambda text: dict(pair.split(":") for pair in text.split(",")),
}


def meant(name: str, value: Any) -> Any:
    """The value that the platform should get of an option, as READERS reads it back."""
    if name == "roles":
        return list(value)
    if name == "capacity":
        return int(value if isinstance(value, float) else str(value))
    if name == "external_hostname":
        return ",".join(map(str, value)) if isinstance(value, list) else str(value)
    if name == "timeout_factor":
        return float(str(value))
    if name == "memory_settings":
        return value
    if name == "allocator_tags":
        assert None not in value.values(), "a tag without a value"
        tags = [(str(key), str(item).lower() if isinstance(item, bool) else str(item)) for key, item in value.items()]
        assert len({key for key, item in tags}) == len(tags), "two tags have one key"
        return dict(tags)
    return str(value)


def assert_read_as_meant(options: dict[str, Any], argv: list[str]) -> None:
    """Check that the script gets each option with its value, and no other."""
    extra = [str(argument) for argument in options.get("extra_args") or []]
    assert argv[len(argv) - len(extra) :] == extra
    own = vendor.read(argv[: len(argv) - len(extra)])
    for name, flag in FLAGS.items():
        given = options.get(name)
        if flag in vendor.SWITCHES:
            assert (flag in own) == bool(given)
        elif given is None or given in ("", {}, []):
            assert flag not in own
        else:
            assert READERS.get(name, str)(own[flag]) == meant(name, given)
    assert ("--podman" in own) == (options.get("container_engine") == "podman")
    assert set(own) <= {*FLAGS.values(), "--podman"}
    try:
        read = vendor.read(argv)
    except vendor.Refused:
        # The script may not take unknown flags like this; it refuses them before it does anything.
        assert extra
        return
    position = 0
    while position < len(extra):
        flag = extra[position]
        assert flag not in own, "a way around an option"
        position += 1 + (flag in vendor.VALUED)
        assert read[flag] == (extra[position - 1] if flag in vendor.VALUED else "true") or flag in extra[position:]


def assert_refusal(options: dict[str, Any], prefix: str, error: OptionError) -> None:
    """Check for one sentence that begins with the option and has no part of a token."""
    message = str(error)
    assert type(error) is OptionError
    assert_sentence(message, TOKEN.split("."))
    variables = install_options.ROLE_VARIABLES if prefix else {}
    names = [variables.get(name, prefix + name) for name in options]
    assert any(message.startswith((f"{name} ", f"{name}:")) for name in names), message


# -- the tests -------------------------------------------------------------------------------------------------------


def outcome_of(options: dict[str, Any], prefix: str) -> str:
    """Return whether one set of options was accepted or refused; fail if that is wrong."""
    try:
        argv = install_options.arguments(options, prefix)
    except OptionError as error:
        assert_refusal(options, prefix, error)
        return "refused"
    assert_read_as_meant(options, argv)
    if "--roles-token" in argv:
        shown = install_options.without_token(argv)
        assert shown[argv.index("--roles-token") + 1] == MASK
    return "accepted"


def test_an_option_set_is_refused_in_a_sentence_or_read_by_the_script_as_it_was_meant():
    tally: collections.Counter = collections.Counter()

    @fuzz(EXAMPLES, st.tuples(OPTION_SETS, st.sampled_from(["", "ece_host_"])))
    def check(options_and_prefix):
        tally[outcome_of(*options_and_prefix)] += 1

    check()
    assert tally.total() >= EXAMPLES
    assert min(tally["accepted"], tally["refused"]) > EXAMPLES * 0.2, tally


@pytest.mark.parametrize("name", NAMES)
def test_each_hostile_value_for_each_option(name):
    for value in HOSTILE:
        outcome_of({name: value}, "")


@st.composite
def command_lines(draw) -> list[str]:
    """Up to three pieces of a command line, right or not."""
    argv: list[str] = []
    for kind in draw(st.lists(st.sampled_from(["value", "flag", "options"]), max_size=3)):
        if kind == "value":
            right, piece = draw(st.sampled_from(TEXTS)), draw(st.sampled_from(["", *NASTY]))
            argv += [draw(st.sampled_from(sorted(vendor.VALUED))), spoiled(right, piece, draw(st.integers(0, 5)))]
        elif kind == "flag":
            argv.append(draw(st.sampled_from([*vendor.SWITCHES, "--unknown", "--roles", "text"])))
        else:
            with contextlib.suppress(OptionError):
                argv += install_options.arguments(draw(OPTION_SETS))
    return argv


def test_the_model_reads_what_a_shell_with_the_scripts_habits_reads(tmp_path):
    tally: collections.Counter = collections.Counter()

    @fuzz(COMPARED, command_lines())
    def check(argv):
        try:
            by_model = vendor.read(argv)
        except vendor.Refused:
            by_model = None
        except vendor.Misread:  # nothing that a test should run
            tally["misread"] += 1
            return
        try:
            by_shell = vendor.read_by_shell(argv, tmp_path)
        except vendor.Refused:
            by_shell = None
        tally["refused" if by_model is None else "read"] += 1
        assert by_model == by_shell

    check()
    assert min(tally["refused"], tally["read"]) > COMPARED * 0.05, tally
    assert not list(tmp_path.iterdir())
