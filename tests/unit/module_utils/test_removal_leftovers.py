# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stays on a host after ECE is removed."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_boot as boot
from ansible_collections.ece.platform.plugins.module_utils import _preparation_kernel as kernel
from ansible_collections.ece.platform.plugins.module_utils import _preparation_limits as limits
from ansible_collections.ece.platform.plugins.module_utils import _preparation_podman as podman
from ansible_collections.ece.platform.plugins.module_utils import _preparation_user as user
from ansible_collections.ece.platform.plugins.module_utils import _removal_leftovers as leftovers
from ansible_collections.ece.platform.plugins.module_utils._removal_leftovers import Listed
from tests.unit.host_user import USER


def test_the_files_are_those_that_the_preparation_writes():
    written = {
        *(limits.LIMITS_FILE, limits.MANAGER_FILE, kernel.SYSCTL_FILE, boot.GRUB_DROP_IN),
        *(user.SUDOERS, user.SUDOERS_OF_PAGES),
        *(podman.OWN_SETTINGS, podman.OWN_NETWORK, podman.DROP_IN, podman.PACKAGE_FOLDER_FILE),
    }
    assert written <= set(leftovers.FILES)
    assert leftovers.DOCKER_COMMAND == podman.DOCKER_COMMAND
    assert (leftovers.NETWORK_NAME, leftovers.NETWORK_FILE) == (podman.NETWORK, podman.OWN_NETWORK)


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise", True),
        ("docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:4.0.3", True),
        ("registry.example.com:5000/ece/elastic-cloud-enterprise:4.0.3", True),
        ("docker.elastic.co/cloud-release/kibana-cloud:9.1.0", True),
        ("docker.elastic.co/cloud-assets/elasticsearch:8.19.0-0", True),
        ("docker.elastic.co/elasticsearch/elasticsearch:9.1.0", False),
        ("elastic-cloud-enterprise-exporter:1", False),
        ("example.com/my-cloud-enterprise/tool:1", False),
        ("example.com/cloud-enterprise/sub/tool:1", False),
        ("sha256:0123", False),
        ("", False),
    ],
)
def test_an_image_is_eces_by_its_repository(name, is_ours):
    assert leftovers.is_image_of_ece(name) is is_ours


@pytest.fixture
def client(folder):
    """client(body) is a command that answers as an engine."""

    def make(body):
        path = folder / "engine"
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)
        return [str(path)]

    return make


def test_images_and_networks_of_ece_are_listed_and_no_others(client):
    answers = client(
        "case $1 in\n"
        "images) printf '%s\\n' 'docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:4.0.3|a1' "
        "'docker.elastic.co/cloud-assets/kibana:<none>|b2' 'redis:7|c3' '<none>:<none>|d4' 'damaged' ;;\n"
        "network) printf '%s\\n' bridge ece-network ece-network-2 ;;\n"
        "esac"
    )
    assert leftovers.list_images(answers, []) == (
        ["b2", "docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:4.0.3"],
        None,
    )
    assert leftovers.list_networks(answers, []) == (["ece-network"], None)


def test_an_engine_that_does_not_list_them_is_an_error(client):
    assert leftovers.list_images(client("echo 'no daemon' >&2; exit 1"), []) == ([], "no daemon")
    assert leftovers.list_networks(client("exit 3"), []) == ([], "exit code 3")


@pytest.mark.parametrize(
    ("fstab", "points"),
    [
        ("LABEL=ece-data /mnt/data xfs defaults,prjquota 0 0\n", ["/mnt/data"]),
        ("# /dev/sdb /mnt/data xfs\n/dev/sda1 / ext4\n/dev/sdc /mnt/data2 xfs\nnonsense\n\n", []),
        ("/dev/sdb /mnt xfs\n/dev/sdc /mnt/data/elastic/ xfs\n", ["/mnt", "/mnt/data/elastic"]),
    ],
)
def test_entries_of_fstab_that_hold_the_storage_path(fstab, points):
    assert leftovers.mounts_in_fstab(fstab, "/mnt/data/elastic") == points


def test_what_is_left_of_the_preparation_is_listed_with_what_it_is(folder):
    for path, text in (
        ("/etc/sysctl.d/zz-ece.conf", "vm.max_map_count=262144\n"),
        ("/etc/fstab", "LABEL=ece-data /mnt/data xfs defaults 0 0\n"),
        ("/usr/bin/docker", '#!/bin/sh\nexec podman-remote --url unix:///var/run/docker.sock "$@"\n'),
        ("/etc/dnf/plugins/versionlock.list", "# podman\npodman-4:4.9.4-*\nbash-5*\n3:docker-ce-27.0.*\n"),
    ):
        file = folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    found = leftovers.leftovers_of_system("/mnt/data/elastic", USER.pw_name, str(folder))
    assert [(item["kind"], item["name"]) for item in found] == [
        ("file", "/etc/sysctl.d/zz-ece.conf"),
        ("file", "/usr/bin/docker"),
        ("mount", "/mnt/data"),
        ("version lock", "podman-4:4.9.4-*"),
        ("version lock", "3:docker-ce-27.0.*"),
        ("user", USER.pw_name),
    ]
    assert all(item["note"] and item["removed"] is False for item in found)


def test_a_host_without_any_of_it_has_nothing_left(folder):
    assert leftovers.leftovers_of_system("/mnt/data/elastic", "no-such-user-here", str(folder)) == []


def test_docker_itself_is_no_leftover(folder):
    (folder / "usr" / "bin").mkdir(parents=True)
    (folder / "usr" / "bin" / "docker").write_bytes(b"\x7fELF podman")
    assert leftovers.leftovers_of_system("/mnt/data/elastic", "no-such-user-here", str(folder)) == []


def test_what_is_left_in_engine_and_storage_folder():
    engine = {"images": Listed(["i:1"]), "networks": Listed(["ece-network"]), "store": "/mnt/data/docker"}
    storage = {"path": "/mnt/data/elastic", "entries": ["10.0.0.7", "logs", "backup"], "own": ["logs", "10.0.0.7"]}
    found = leftovers.leftovers_of_host(engine, storage)
    assert [(item["kind"], item["name"]) for item in found] == [
        ("images", "i:1"),
        ("network", "ece-network"),
        ("storage", "/mnt/data/elastic/backup"),
        ("folder", "/mnt/data/docker"),
    ]
