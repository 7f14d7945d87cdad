# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.ece.platform.plugins.modules import ece_preparation_docker

SETTINGS = {"icc": False, "log-opts": {"max-file": "10"}, "graph": None}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "daemon.json"


@pytest.fixture
def merge(run_module, path):
    def run(settings=SETTINGS, target=path, **given):
        return run_module(ece_preparation_docker, connection={}, path=str(target), settings=settings, **given)

    return run


def test_settings_are_merged_once(merge, path):
    path.write_text('{"graph": "/old", "log-opts": {"max-size": "1m"}, "debug": true}')
    path.chmod(0o600)
    wanted = {"log-opts": {"max-size": "1m", "max-file": "10"}, "debug": True, "icc": False}
    foreseen = merge(check_mode=True)
    assert foreseen["changed"] and "/old" in path.read_text()
    result = merge()
    assert result["changed"] and json.loads(path.read_text()) == wanted and result["diff"] == foreseen["diff"]
    assert path.stat().st_mode & 0o777 == 0o600
    (backup,) = path.parent.glob("daemon.json.*~")
    assert "/old" in backup.read_text()
    assert not merge()["changed"] and not merge(check_mode=True)["changed"]


def test_a_new_file_can_be_read_by_all(merge, path):
    assert merge()["changed"] and path.stat().st_mode & 0o777 == 0o644
    assert json.loads(path.read_text()) == {"icc": False, "log-opts": {"max-file": "10"}}


def test_what_a_bare_host_would_get_is_shown_without_the_folder(merge, tmp_path):
    target = tmp_path / "docker" / "daemon.json"
    result = merge(target=target, check_mode=True)
    assert result["changed"] and not target.parent.exists()
    assert result["diff"]["before"] == "" and json.loads(result["diff"]["after"])["icc"] is False
    merge(target=target)
    assert target.parent.stat().st_mode & 0o777 == 0o755 and json.loads(target.read_text())["icc"] is False


def test_a_link_stays_one(merge, path, tmp_path):
    target = tmp_path / "site.json"
    target.write_text("{}")
    path.symlink_to(target)
    merge()
    assert path.is_symlink() and json.loads(target.read_text())["icc"] is False


def test_a_byte_order_mark_goes(merge, path):
    path.write_text('\ufeff{"icc": false, "log-opts": {"max-file": "10"}}')
    assert merge()["changed"] and path.read_text().startswith("{") and not merge()["changed"]


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1} // no'])
def test_a_file_that_is_no_json_stays(merge, path, text):
    path.write_text(text)
    assert "is not valid JSON" in merge()["msg"] and path.read_text() == text


def test_a_password_is_in_no_diff(merge, path):
    proxy = {"proxies": {"http-proxy": "http://ece:pw-of-proxy@proxy.example.com"}}
    path.write_text(json.dumps(proxy))
    result = merge()
    assert result["changed"] and "diff" not in result and "pw-of-proxy" in path.read_text()
    path.unlink()
    # Not in the parameters, either, which are a part of each result.
    assert "pw-of-proxy" not in str(merge(settings=proxy)) and "pw-of-proxy" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
