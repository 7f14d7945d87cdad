# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on a host: written completely or not at all, and without tokens."""

from __future__ import annotations

import errno
import os
import re
from unittest import mock

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _host_files as host_files
from ansible_collections.ece.platform.plugins.module_utils._host_process import explain_os_error, find_user
from ansible_collections.ece.platform.plugins.module_utils._install_files import Place, open_folder
from ansible_collections.ece.platform.plugins.module_utils._text import JWT
from tests.unit.host_user import ROOT, USER

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlcyI6WyJhbGxvY2F0b3IiXX0.c2lnbmF0dXJl"


@pytest.mark.parametrize("before", [0, 1, 90, 95, 96, 99, 100, 101, 150, 1000])
@pytest.mark.parametrize("token", [TOKEN, "no.jwt+but(secret"])
def test_a_token_in_a_file_is_masked_wherever_it_lies(tmp_path, before, token):
    text = "x" * before + " " + token + " " + "y" * 30 + "\n" + token
    path = tmp_path / "log"
    path.write_text(text)
    pattern = re.compile(re.escape(token.encode()) + b"|" + JWT.pattern.encode())
    host_files.mask_in_file(str(path), pattern, chunk=100, edge=len(TOKEN) + 1)
    assert path.read_text() == text.replace(token, "*" * len(token))


def test_links_and_pipes_are_not_touched(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text(TOKEN)
    logs = tmp_path / "logs"
    (logs / "deeper").mkdir(parents=True)
    (logs / "link").symlink_to(outside)
    (logs / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(logs / "pipe")
    (logs / "deeper" / "log").write_text(TOKEN)
    host_files.mask_tokens(Place(str(tmp_path), ("logs",)), TOKEN)
    assert outside.read_text() == TOKEN and (logs / "deeper" / "log").read_text() == "*" * len(TOKEN)


@pytest.mark.parametrize("link", ["logs", "logs/bootstrap-logs"])
def test_no_token_is_masked_behind_a_link_in_the_place_of_a_folder(tmp_path, link):
    private = tmp_path / "private" / "bootstrap-logs"
    private.mkdir(parents=True)
    (private / "log").write_text(TOKEN)
    path = tmp_path / "elastic" / link
    path.parent.mkdir(parents=True)
    path.symlink_to(private if "/" in link else private.parent)
    host_files.mask_tokens(Place(str(tmp_path / "elastic"), ("logs", "bootstrap-logs")), TOKEN)
    assert (private / "log").read_text() == TOKEN


def test_two_writers_of_one_file_use_two_temporary_files(tmp_path, monkeypatch):
    place, real = Place(str(tmp_path)), os.rename

    def rename(old, new, **folders):
        monkeypatch.setattr(os, "rename", real)
        host_files.write_private(place, "record", b"the other")  # in the middle of the first
        real(old, new, **folders)

    monkeypatch.setattr(os, "rename", rename)
    host_files.write_private(place, "record", b"the first")
    path = tmp_path / "record"
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"the first", 0o600)
    assert os.listdir(tmp_path) == ["record"]


@pytest.mark.parametrize("full", ["open", "rename"])
def test_a_full_disk_is_an_error_with_the_path_and_leaves_no_temporary_file(tmp_path, monkeypatch, full):
    real = getattr(os, full)

    def refuse(name, *values, **options):
        if str(name).startswith(".record"):
            raise OSError(errno.ENOSPC, "No space left on device", name)
        return real(name, *values, **options)

    monkeypatch.setattr(os, full, refuse)
    with pytest.raises(OSError, match="No space left") as error:
        host_files.write_private(Place(str(tmp_path)), "record", b"x")
    assert error.value.filename == str(tmp_path / "record")
    assert not os.listdir(tmp_path)


# -- folders ---------------------------------------------------------------------------------------------------------


def test_a_folder_is_not_made_behind_a_link_that_another_process_puts_there(tmp_path, monkeypatch):
    target, real = tmp_path / "target", os.mkdir
    target.mkdir()
    owner = target.stat().st_uid

    def mkdir(name, mode, dir_fd):
        real(name, mode, dir_fd=dir_fd)
        os.rmdir(name, dir_fd=dir_fd)
        os.symlink(target, name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "mkdir", mkdir)
    with pytest.raises(OSError) as error:
        host_files.make_folder(str(tmp_path / "elastic" / "logs"), find_user(USER.pw_name))
    assert error.value.filename == str(tmp_path / "elastic")
    assert target.stat().st_uid == owner


@pytest.mark.skipif(not ROOT, reason="only root has such a folder")
def test_the_group_of_the_install_user_reads_the_folder_of_root_and_no_user_lists_those_above(tmp_path):
    place = Place(str(tmp_path / "srv" / "ece" / "state"), ("mnt-data-elastic-0123abcd",))
    before = os.umask(0o077)
    try:
        host_files.make_state_folder(place, find_user(USER.pw_name))
        host_files.make_state_folder(place, find_user(USER.pw_name))
    finally:
        os.umask(before)
    made = (tmp_path / "srv", tmp_path / "srv" / "ece", place.base, place.folder)
    assert [os.stat(path).st_mode & 0o777 for path in made] == [0o711, 0o711, 0o711, 0o750]
    assert os.stat(place.folder).st_gid == USER.pw_gid


@pytest.mark.skipif(not ROOT, reason="only root has such a folder")
@pytest.mark.parametrize("which", ["base", "folder"])
def test_a_folder_that_others_can_change_is_refused(tmp_path, which):
    place = Place(str(tmp_path / "state"), ("install",))
    host_files.make_state_folder(place, find_user(USER.pw_name))
    os.chmod(getattr(place, which), 0o777)
    with pytest.raises(PermissionError) as error:
        host_files.make_state_folder(place, find_user(USER.pw_name))
    assert explain_os_error(error.value) == (
        f"the host refused {getattr(place, which)}: other users than root can change it or a folder above it: "
        "set state_path (ece_host_state_path) to a folder that only root can change"
    )


@pytest.mark.skipif(not ROOT, reason="only root has such a folder")
@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_of_root_below_one_of_another_user_is_refused_and_nothing_is_made(tmp_path, exists):
    above = tmp_path / "of-user"
    base = above / "deeper" / "state"
    (base if exists else above).mkdir(parents=True)
    os.chown(above, USER.pw_uid, USER.pw_gid)
    with pytest.raises(PermissionError, match="set state_path .ece_host_state_path. to a folder") as error:
        host_files.make_state_folder(Place(str(base), ("install",)), find_user(USER.pw_name))
    assert error.value.filename == str(base if exists else above)
    assert not os.listdir(base if exists else above)


@pytest.mark.skipif(not ROOT, reason="only root has such a folder")
def test_a_link_in_the_place_of_the_folder_is_refused(tmp_path):
    place = Place(str(tmp_path / "state"), ("install",))
    os.mkdir(place.base)
    os.symlink(tmp_path, place.folder)
    with pytest.raises(PermissionError, match="other users than root can change it"):
        host_files.make_state_folder(place, find_user(USER.pw_name))


@pytest.mark.skipif(not ROOT, reason="only root has such a folder")
@pytest.mark.parametrize("call", ["mkdir", "chown"])
def test_a_system_with_a_read_only_disk_is_told_to_keep_the_folder_of_root_elsewhere(tmp_path, monkeypatch, call):
    def refuse(path, *_values):
        raise OSError(errno.EROFS, "Read-only file system", path)

    monkeypatch.setattr(os, call, refuse)
    place = Place(str(tmp_path / "state"), ("install",))
    with pytest.raises(OSError) as error:
        host_files.make_state_folder(place, find_user(USER.pw_name))
    assert explain_os_error(error.value) == (
        f"the host refused {place.base if call == 'mkdir' else place.folder}: its disk is mounted read-only: "
        "set state_path (ece_host_state_path) to a folder on a disk that is mounted for writing"
    )


@pytest.mark.skipif(not ROOT, reason="an ordinary user follows its own links")
def test_root_follows_links_of_root_and_none_in_a_folder_that_others_can_change(tmp_path):
    own, of_user = tmp_path / "own", tmp_path / "own" / "of-user"
    of_user.mkdir(parents=True)
    (tmp_path / "link").symlink_to(own)
    assert host_files.place_of(str(tmp_path / "link" / "of-user")).names[-2:] == ("link", "of-user")  # /tmp is open
    with mock.patch.object(host_files, "OTHERS_WRITE", 0):
        assert host_files.place_of(str(tmp_path / "link" / "of-user")) == Place(str(tmp_path / "link" / "of-user"))
        os.chown(of_user, USER.pw_uid, USER.pw_gid)
        found = host_files.place_of(str(of_user / "a" / "b"))
        assert found == Place(str(of_user), ("a", "b"))
        (of_user / "a").symlink_to("/etc")
        with pytest.raises(OSError):
            open_folder(host_files.place_of(str(of_user / "a")))


@pytest.mark.skipif(not ROOT, reason="only root makes folders for another user")
def test_a_folder_is_not_made_behind_a_link_that_the_install_user_planted(tmp_path):
    of_user, elsewhere = tmp_path / "of-user", tmp_path / "elsewhere"
    of_user.mkdir()
    elsewhere.mkdir()
    os.chown(of_user, USER.pw_uid, USER.pw_gid)
    (of_user / "planted").symlink_to(elsewhere)
    with pytest.raises(OSError):
        host_files.make_folder(str(of_user / "planted" / "made"), find_user(USER.pw_name))
    assert os.listdir(elsewhere) == []
