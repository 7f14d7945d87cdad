# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A relative path is found beside the playbook, in the working folder, and beside the inventory."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.ece.platform.plugins.plugin_utils._files import find_file


class Action:
    """Finds what Ansible finds: `found`, or nothing."""

    def __init__(self, found=None):
        self.found = found

    def _find_needle(self, folder, path):
        if self.found is None:
            raise AnsibleError(f"{path} is nowhere")
        return self.found


@pytest.fixture
def folders(tmp_path, monkeypatch):
    for name in ("work", "inventory", "group"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def find(folders, action, path="ece.sh"):
    sources = [str(folders / "inventory" / "hosts.yml"), str(folders / "group"), "a,"]
    (folders / "inventory" / "hosts.yml").touch()
    return find_file(action, path, {"ansible_inventory_sources": sources})


@pytest.mark.parametrize("folder", ["work", "inventory", "group"])
def test_a_file_that_ansible_does_not_find_may_be_in_one_of_the_users_folders(folders, folder):
    (folders / folder / "ece.sh").touch()
    assert find(folders, Action()) == str(folders / folder / "ece.sh")


def test_what_ansible_finds_comes_first(folders):
    (folders / "work" / "ece.sh").touch()
    assert find(folders, Action("/playbook/files/ece.sh")) == "/playbook/files/ece.sh"


def test_a_file_that_is_nowhere_is_ansibles_error(folders):
    with pytest.raises(AnsibleError, match="ece.sh is nowhere"):
        find(folders, Action())
