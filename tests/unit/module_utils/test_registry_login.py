# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The login of a private registry on a host."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _registry_login as registry_login
from ansible_collections.ece.platform.plugins.module_utils._errors import HostError, OptionError
from ansible_collections.ece.platform.plugins.module_utils._host_process import User
from tests.unit.host_user import ROOT, USER, home_folder

LOGIN = {"docker_registry_username": "ops", "docker_registry_password": "pw-of-registry"}
AUTH = base64.b64encode(b"ops:pw-of-registry").decode()


@pytest.fixture
def home():
    with home_folder() as folder:
        yield folder


def write(home, **params):
    user = User(USER.pw_name, USER.pw_uid, USER.pw_gid, str(home), [])
    registry_login.write_login({"storage_path": str(home / "elastic"), **LOGIN, **params}, user)


def test_a_login_is_in_a_private_file_of_the_install_user(home):
    write(home, docker_registry="registry.example.com:5000/mirror")
    path = home / ".docker" / "config.json"
    assert json.loads(path.read_text()) == {"auths": {"registry.example.com:5000": {"auth": AUTH}}}
    assert (path.stat().st_mode & 0o777, path.stat().st_uid) == (0o600, USER.pw_uid)
    assert (path.parent.stat().st_mode & 0o777, path.parent.stat().st_uid) == (0o700, USER.pw_uid)
    assert os.listdir(path.parent) == ["config.json"] and os.listdir(home) == [".docker"]


def test_without_a_registry_the_login_is_for_the_installers_default(home):
    write(home)
    assert list(json.loads((home / ".docker" / "config.json").read_text())["auths"]) == ["docker.elastic.co"]


def test_other_settings_and_logins_stay(home):
    folder = home / ".docker"
    folder.mkdir(mode=0o700)
    existing = {"credsStore": "x", "auths": {"other.example.com": {"auth": "b"}, "docker.elastic.co": {"auth": "old"}}}
    (folder / "config.json").write_text(json.dumps(existing))
    for path in (folder, folder / "config.json"):
        os.chown(path, USER.pw_uid, USER.pw_gid)
    write(home)
    assert json.loads((folder / "config.json").read_text()) == {
        "credsStore": "x",
        "auths": {"other.example.com": {"auth": "b"}, "docker.elastic.co": {"auth": AUTH}},
    }


def test_without_a_login_nothing_is_written(home):
    write(home, docker_registry_username=None, docker_registry_password=None)
    assert os.listdir(home) == []


def test_containers_get_the_folder_by_a_file_in_the_storage_path(home):
    write(home, docker_registry_login_in_containers=True)
    arguments = registry_login.config_arguments(
        {"storage_path": str(home / "elastic"), "docker_registry_login_in_containers": True}
    )
    assert arguments == ["--config-file", str(home / "elastic" / "registry-login.conf")]
    document = json.loads(Path(arguments[1]).read_text())
    mutations = document["found"]["bootstrap"]["shared"]["containers"]["mutations"]
    mounts = {"create-payload": {"HostConfig": {"Binds": {"add": {str(home / ".docker"): "/home/elastic/.docker"}}}}}
    assert mutations == {"DEV": {"runners": {"runner": mounts}, "allocators": {"allocator": mounts}}}
    assert "pw-of-registry" not in Path(arguments[1]).read_text() and AUTH not in Path(arguments[1]).read_text()
    assert registry_login.config_arguments({"storage_path": "/x"}) == []


@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_a_file_that_is_not_json_is_named_and_left_alone(home, text):
    folder = home / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text(text)
    os.chown(folder, USER.pw_uid, USER.pw_gid)
    with pytest.raises(HostError, match=f"cannot be written: {folder}/config.json is not a JSON object: mend or"):
        write(home)
    assert (folder / "config.json").read_text() == text and os.listdir(folder) == ["config.json"]


@pytest.mark.skipif(not ROOT, reason="another user's file needs root")
def test_a_link_of_the_install_user_leads_root_to_no_other_file(home, tmp_path):
    tmp_path.chmod(0o700)
    os.symlink(tmp_path, home / ".docker")
    with pytest.raises(HostError, match="the login at the registry cannot be written: the host refused"):
        write(home)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"docker_registry_username": "ops"}, "ece_host_docker_registry_password is not set"),
        ({"docker_registry_password": "pw-of-registry"}, "ece_host_docker_registry_username is not set"),
        ({**LOGIN, "docker_registry_username": "o:ps"}, "holds a colon"),
        ({**LOGIN, "docker_registry_password": "pw-of-registry\n"}, "a line break"),
        ({"docker_registry_login_in_containers": True}, "needs ece_host_docker_registry_username"),
        (
            {**LOGIN, "docker_registry_login_in_containers": True, "extra_args": ["--config-file", "/x"]},
            "--config-file in ece_host_extra_args exclude each other",
        ),
    ],
)
def test_a_login_that_cannot_work_is_refused_without_showing_it(params, message):
    with pytest.raises(OptionError) as refused:
        registry_login.check_login(params, "ece_host_")
    assert message in str(refused.value) and "pw-of-registry" not in str(refused.value)


def test_right_logins_are_accepted():
    registry_login.check_login({})
    registry_login.check_login({**LOGIN, "docker_registry_login_in_containers": True})
