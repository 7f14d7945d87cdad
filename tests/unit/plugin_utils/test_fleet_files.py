# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both files of a report are complete at any time, private, and written where the user said."""

from __future__ import annotations

import json
import os
import stat

import pytest

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.plugin_utils import _fleet_files as fleet_files
from ansible_collections.ece.platform.plugins.plugin_utils._fleet import report_of
from tests.unit.fleet import allocator, platform, runner


def report(made_at=1893456000, **more):
    return report_of(platform({}, 1), [runner(1, **more)], [allocator(1)], url="https://ece:12443", made_at=made_at)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def files(tmp_path):
    return fleet_files.files_of(str(tmp_path / "fleet.html"))


def test_the_json_is_beside_the_page_and_is_the_whole_report(files, tmp_path):
    fleet_files.write(report(), files)
    assert json.loads((tmp_path / "fleet.json").read_text()) == report()
    assert (tmp_path / "fleet.html").read_text().startswith("<!DOCTYPE html>")
    assert sorted(os.listdir(tmp_path)) == ["fleet.html", "fleet.json"]


def test_the_files_are_private_whatever_the_umask_and_keep_a_mode_that_they_have(files):
    before = os.umask(0)
    try:
        fleet_files.write(report(), files)
        assert {mode(path) for path in files[:2]} == {0o600}
        os.chmod(files.page, 0o644)
        fleet_files.write(report(), files)
    finally:
        os.umask(before)
    assert (mode(files.page), mode(files.data)) == (0o644, 0o600)


def test_the_mode_that_the_user_gives_counts(files):
    fleet_files.write(report(), files)
    told = files._replace(mode=0o640)
    assert fleet_files.differs(report(), fleet_files.read(told), told)
    fleet_files.write(report(), told)
    assert {mode(path) for path in files[:2]} == {0o640}
    assert not fleet_files.differs(report(), fleet_files.read(told), told)


def test_a_link_is_replaced_and_its_target_stays(files, tmp_path):
    target = tmp_path / "other"
    target.write_text("kept")
    files.page.symlink_to(target)
    fleet_files.write(report(), files)
    assert target.read_text() == "kept" and not files.page.is_symlink()


def test_only_the_time_is_no_difference(files):
    assert fleet_files.differs(report(), fleet_files.read(files), files)
    fleet_files.write(report(), files)
    assert not fleet_files.differs(report(made_at=1893459999), fleet_files.read(files), files)
    assert fleet_files.differs(report(connected=False), fleet_files.read(files), files)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '"text"', "{}", '{"made_at": "x"}', '{"made_at": 1e999, "hosts": 7}', "[" * 100_000]
)
def test_a_damaged_file_is_a_difference(files, text):
    fleet_files.write(report(), files)
    files.data.write_text(text)
    assert fleet_files.differs(report(), fleet_files.read(files), files)


def test_a_damaged_time_or_page_is_a_difference(files):
    fleet_files.write(report(), files)
    files.data.write_text(json.dumps({**report(), "made_at": {"a": 1}}))
    assert fleet_files.differs(report(), fleet_files.read(files), files)
    fleet_files.write(report(), files)
    files.page.write_bytes(b"\xff")
    assert fleet_files.differs(report(), fleet_files.read(files), files)


def test_a_disk_that_is_full_is_one_sentence_and_leaves_the_old_files(files, monkeypatch, tmp_path):
    fleet_files.write(report(), files)
    before = files.page.read_text()

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fleet_files.os, "fsync", full)
    with pytest.raises(OptionError, match="cannot be written to .*fleet.json' .No space left on device.: make room"):
        fleet_files.write(report(connected=False), files)
    assert files.page.read_text() == before
    assert sorted(os.listdir(tmp_path)) == ["fleet.html", "fleet.json"]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (7, "7 is not a path: give one that ends with .html"),
        (["a.html"], "is not a path"),
        ("a\0.html", "is not a path"),
        ("\ud800.html", "is not a path"),
        ("a" * 300 + ".html", "cannot be a file here (File name too long): give another path"),
        ("fleet.json", "'fleet.json' does not end with .html"),
        ("fleet", "does not end with .html"),
        ("/missing/fleet.html", "is in '/missing', which is not a folder here: create it"),
    ],
)
def test_a_path_that_cannot_work_is_refused(path, problem):
    assert problem in fleet_files.path_problem(path)


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "fleet.json").mkdir()
    assert "fleet.json' is a folder" in fleet_files.path_problem(str(tmp_path / "fleet.html"))


def test_a_folder_where_the_user_may_not_write_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(fleet_files.os, "access", lambda path, mode: False)
    assert "where this user may not write" in fleet_files.path_problem(str(tmp_path / "fleet.html"))


def test_a_path_is_relative_to_the_working_folder_and_may_begin_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ops")
    assert fleet_files.path_problem("fleet.HTML") is None
    assert fleet_files.files_of("fleet.html").page == tmp_path / "fleet.html"
    assert str(fleet_files.files_of("~/fleet.html").data) == "/home/ops/fleet.json"


@pytest.mark.parametrize("value", [420, 644, "rw", "0888", "", "u=rw", None, True, "00644"])
def test_a_mode_that_is_no_text_of_octal_digits_is_refused(value):
    assert "is not a mode: give four octal digits as text, in quotes, like '0640'" in fleet_files.mode_problem(value)


def test_a_mode_that_the_owner_cannot_work_with_is_refused():
    assert "takes reading or writing away from the owner" in fleet_files.mode_problem("0440")
    assert fleet_files.mode_problem("0640") is None and fleet_files.mode_problem("640") is None
