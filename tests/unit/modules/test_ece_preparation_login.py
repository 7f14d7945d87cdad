# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.ece.platform.plugins.module_utils._host_process import User
from ansible_collections.ece.platform.plugins.modules import ece_preparation_login
from tests.unit.host_user import USER, home_folder

LOGIN = {"user": "elastic", "docker_registry_username": "ops", "docker_registry_password": "pw-of-registry"}


@pytest.fixture
def home():
    with home_folder() as folder:
        yield folder


@pytest.fixture
def login(run_module, monkeypatch, home):
    user = User(USER.pw_name, USER.pw_uid, USER.pw_gid, str(home), [])
    monkeypatch.setattr(ece_preparation_login, "find_user", lambda name: user if name == "elastic" else None)
    return lambda **given: run_module(ece_preparation_login, connection={}, **{**LOGIN, **given})


def test_the_login_is_written_once(login, home):
    path = home / ".docker" / "config.json"
    assert login(check_mode=True)["changed"] is True and not path.exists()
    written = login()
    assert written["changed"] is True and written["path"] == str(path) and json.loads(path.read_text())["auths"]
    assert login()["changed"] is False and login(check_mode=True)["changed"] is False
    assert login(docker_registry_password="another")["changed"] is True


def test_a_user_that_is_not_created_yet_would_get_it(login):
    assert login(user="another", check_mode=True)["changed"] is True
    assert "no user another" in login(user="another")["msg"]


def test_a_name_with_a_colon_is_refused_without_the_password(login):
    result = login(docker_registry_username="a:b")
    assert result["msg"].startswith("ece_host_docker_registry_username") and "pw-of-registry" not in str(result)


def test_a_file_that_is_damaged_stays(login, home):
    login()
    path = home / ".docker" / "config.json"
    path.write_text("{")
    assert "is not a JSON object" in login()["msg"] and path.read_text() == "{"
