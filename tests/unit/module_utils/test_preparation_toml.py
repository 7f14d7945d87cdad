# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Single settings in files of TOML: what is read, and that all else in the file stays as it is."""

from __future__ import annotations

import tomllib

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_toml as toml

# As packages ship it, shortened.
VENDOR = """\
# This file is the configuration file for all tools that use the storage library.
[storage]

# Default Storage Driver, Must be set for proper operation.
driver = "overlay"

# Temporary storage location
runroot = "/run/containers/storage"

# Primary Read/Write location of container storage
#graphroot = "/var/lib/containers/storage"

[storage.options]
additionalimagestores = [
  "/var/lib/shared", # of the site
]
# graphroot = "not this one"
pull_options = {enable_partial_images = "false", use_hard_links = "false"}

[storage.options.overlay]
mountopt = "nodev,metacopy=on"
"""


def read(text, table, key):
    return toml.value_of(toml.read_tables(text), table, key)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('[storage]\ngraphroot = "/a"\n', '"/a"'),
        ("[storage]\ngraphroot='/a' # a comment\n", "'/a'"),
        ('[ storage ]\n\t"graphroot"\t=\t"/a"', '"/a"'),
        ('["storage"]\r\ngraphroot = "/a"\r\n', '"/a"'),
        ('\ufeff[storage]\ngraphroot = "/a"\n', '"/a"'),
        ('storage.graphroot = "/a"\n', '"/a"'),
        ('[storage]\ngraphroot = "/a#b"\n', '"/a#b"'),
        ('[storage]\ngraphroot = "/a\\"b" # "\n', '"/a\\"b"'),
        ('[storage]\n#graphroot = "/a"\n', None),
        ('[other]\ngraphroot = "/a"\n[storage]\n', None),
        ('[storage]\n[storage.options]\ngraphroot = "/a"\n', None),
        ('[storage]\nother = """\ngraphroot = "/a"\n"""\n', None),
        ('[storage]\nother = [\n"graphroot = 1",\n]\n', None),
        ("", None),
    ],
)
def test_a_setting_is_that_of_its_table(text, value):
    assert read(text, "storage", "graphroot") == value


def test_a_value_of_several_lines_is_read_without_its_comments():
    text = '[containers]\ndefault_ulimits = [ # limits\n  "nofile=1:2", # "x=3"\n  \'core=0\',\n]\nother = 1\n'
    assert toml.texts_in(read(text, "containers", "default_ulimits")) == ["nofile=1:2", "core=0"]
    assert read(text, "containers", "other") == "1"


@pytest.mark.parametrize(("value", "text"), [('"a\\tb"', "a\tb"), ("'a\\tb'", "a\\tb"), ('""', ""), (None, None)])
def test_the_string_that_a_value_is(value, text):
    assert toml.text_in(value) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[storage]\nx = [\n1,\n", "its line 2 opens a bracket or a string that nothing closes"),
        ('[storage]\nx = "a\n', "its line 2 opens a bracket or a string that nothing closes"),
        ("[storage]\n[other]\n[storage]\n", r"it has the table \[storage\] twice"),
        ('[storage]\n{"driver": "overlay"}\n', "its line 2 is no setting"),
        ("storage:\n  driver: overlay\n", "its line 1 is no setting"),
        ("# caf\ufffd\n", "it has characters that are not UTF-8"),
    ],
)
def test_a_file_that_is_not_toml_is_refused_with_its_line(text, reason):
    with pytest.raises(toml.TomlError, match=reason):
        toml.read_tables(text)


def test_tables_of_an_array_may_stand_there_again():
    text = '[[registry]]\nlocation = "a"\n[registry.x]\n[[registry]]\nlocation = "b"\n[registry.x]\n'
    assert read(text, "registry", "location") == '"b"'


# -- setting ---------------------------------------------------------------------------------------------------------


def test_a_setting_is_changed_where_it_stands_and_all_else_stays():
    text = toml.with_setting(VENDOR, "storage", "runroot", '"/mnt/data/docker/runroot/"')
    assert text == VENDOR.replace('"/run/containers/storage"', '"/mnt/data/docker/runroot/"')


def test_a_setting_is_added_after_its_commented_form():
    text = toml.with_setting(VENDOR, "storage", "graphroot", '"/mnt"')
    before = '#graphroot = "/var/lib/containers/storage"\n'
    assert text == VENDOR.replace(before, f'{before}graphroot = "/mnt"\n')
    assert tomllib.loads(text)["storage"]["graphroot"] == "/mnt"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[t]\nk = 1\n"),
        ("# c", "# c\n\n[t]\nk = 1\n"),
        ("[u]\nk = 2\n\n", "[u]\nk = 2\n\n[t]\nk = 1\n"),
        ("[t]", "[t]\nk = 1\n"),
        ("[t]\r\nx = 2\r\n", "[t]\r\nk = 1\r\nx = 2\r\n"),
        ("[t]\r\nk = 2 # c\r\n", "[t]\r\nk = 1 # c\r\n"),
        ("[t]\nk=2", "[t]\nk= 1\n"),
        ("[t]\n  k = 2\n", "[t]\n  k = 1\n"),
        ("[t]\nk = [\n  2, # two\n] # c\nx = 3\n", "[t]\nk = 1 # c\nx = 3\n"),
        ("[t]\nk = 2\nx = 3\nk = 4\n", "[t]\nk = 1\nx = 3\n"),
        ("[t]\nk = 1\nk = 1\n", "[t]\nk = 1\n"),
        ("[t.u]\nk = 2\n", "[t.u]\nk = 2\n\n[t]\nk = 1\n"),
        ("[u]\n# k = 2\n[t]\n# k = 3\nx = 4\n", "[u]\n# k = 2\n[t]\n# k = 3\nk = 1\nx = 4\n"),
        ("[t]\n# k = [\n#  2\n# ]\n", "[t]\nk = 1\n# k = [\n#  2\n# ]\n"),
        ("t.k = 2\nt.x = 3\n", "t.k = 1\nt.x = 3\n"),
    ],
)
def test_a_setting_is_there_once_afterwards(before, after):
    assert toml.with_setting(before, "t", "k", "1") == after
    assert toml.with_setting(after, "t", "k", "1") == after
    assert tomllib.loads(after.replace("\r\n", "\n"))["t"]["k"] == 1


def test_a_file_that_has_the_setting_stays_as_it_is_to_the_last_character():
    text = "[t]\r\n  k   =  1   # c"
    assert toml.with_setting(text, "t", "k", "1") == text


@pytest.mark.parametrize("text", ["t.x = 2\n", "t = {x = 2}\n"])
def test_a_table_in_another_form_is_refused_rather_than_doubled(text):
    with pytest.raises(toml.TomlError, match="it has table t in a form other than"):
        toml.with_setting(text, "t", "k", "1")


def test_a_text_is_quoted_as_toml_has_it():
    text = 'a"b\\c é'
    assert tomllib.loads(f"k = {toml.quoted(text)}") == {"k": text}
