# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on a host: written completely or not at all, and without tokens."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from pathlib import Path
from unittest import mock

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _host_files as host_files
from ansible_collections.ece.platform.plugins.module_utils._text import JWT

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
    host_files.mask_tokens(str(logs), TOKEN)
    assert outside.read_text() == TOKEN and (logs / "deeper" / "log").read_text() == "*" * len(TOKEN)


def test_two_writers_of_one_file_use_two_temporary_files(tmp_path, monkeypatch):
    path = str(tmp_path / "record")
    real = os.rename

    def rename(old, new):
        monkeypatch.setattr(os, "rename", real)
        host_files.write_private(path, b"the other")  # in the middle of the first
        real(old, new)

    monkeypatch.setattr(os, "rename", rename)
    host_files.write_private(path, b"the first")
    assert (Path(path).read_bytes(), os.stat(path).st_mode & 0o777) == (b"the first", 0o600)
    assert not [name for name in os.listdir(tmp_path) if "record" in name and name != "record"]


@pytest.mark.parametrize("full", ["mkstemp", "write"])
def test_a_full_disk_is_an_error_with_the_path_and_leaves_no_temporary_file(tmp_path, monkeypatch, full):
    path = str(tmp_path / "record")
    refused = OSError(errno.ENOSPC, "No space left on device")
    if full == "mkstemp":
        monkeypatch.setattr(tempfile, "mkstemp", mock.Mock(side_effect=refused))
    else:
        monkeypatch.setattr(os, "rename", mock.Mock(side_effect=refused))
    with pytest.raises(OSError, match="No space left") as error:
        host_files.write_private(path, b"x")
    assert error.value.filename == path
    assert not [name for name in os.listdir(tmp_path) if "record" in name]
