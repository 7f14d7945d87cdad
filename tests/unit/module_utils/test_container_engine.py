# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The container engine, asked by commands of the tests."""

from __future__ import annotations

import os
import socket
from unittest import mock

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _container_engine as container_engine
from ansible_collections.ece.platform.plugins.module_utils import _host_process as process
from tests.unit.host_user import ROOT, USER

LISTING = "frc-runners-runner|docker.elastic.co/ece:3.8.0|Up 2 minutes\nother|x|Exited (0) 1 hour ago\nno container\n"
CONTAINERS = [
    {"name": "frc-runners-runner", "image": "docker.elastic.co/ece:3.8.0", "status": "Up 2 minutes"},
    {"name": "other", "image": "x", "status": "Exited (0) 1 hour ago"},
]


@pytest.fixture
def engine(folder, monkeypatch):
    """engine(name, version line, body of what answers ps) puts a command into an otherwise empty search path."""
    monkeypatch.setattr(process, "SYSTEM_PATH", ())
    (folder / "listing").write_text(LISTING)

    def make(name, version, ps="cat_listing"):
        path = folder / name
        path.write_text(
            "#!/bin/bash\n"
            f"if [[ $* == --version ]]; then printf '%s\\n' '{version}'; exit; fi\n"
            f"[[ $* == 'ps --all --no-trunc --format {{{{.Names}}}}|{{{{.Image}}}}|{{{{.Status}}}}' ]] || exit 64\n"
            f"cat_listing() {{ printf '%s' \"$(<{folder}/listing)\"; }}\n"
            f"{ps}\n"
        )
        path.chmod(0o755)

    return make


def facts_of(engine_name, folder):
    return container_engine.engine_facts(engine_name, USER.pw_name, [str(folder)])


# -- client and containers -------------------------------------------------------------------------------------------


def test_docker_with_containers(engine, folder):
    engine("docker", "Docker version 25.0.5, build 5dc9bcc")
    assert facts_of(None, folder) == {
        "name": "docker",
        "version": "25.0.5",
        "usable": True,
        "error": None,
        "docker_error": None,
        "socket_error": None,
        "docker_command": True,
        "docker_is_rootless": False,
        "podman_remote": False,
        "store": {"folder": None, "driver": None},
        "containers": CONTAINERS,
        "containers_known": True,
        "containers_error": None,
    }


def test_podman_behind_the_docker_command_is_podman(engine, folder):
    engine("docker", "podman version 4.9.4-rhel")
    facts = facts_of(None, folder)
    assert (facts["name"], facts["version"]) == ("podman", "4.9.4")


def test_an_engine_that_does_not_answer_is_not_one_without_containers(folder):
    docker = folder / "docker"
    docker.write_text(
        "#!/bin/bash\n[[ $1 == --version ]] && { echo Docker version 25.0.5; exit; }\necho no daemon >&2\nexit 1\n"
    )
    docker.chmod(0o755)
    facts = facts_of("docker", folder)
    assert (facts["containers"], facts["containers_known"], facts["error"]) == ([], False, "no daemon")


def test_containers_are_those_behind_the_socket_that_the_installer_uses(folder):
    docker = folder / "docker"
    version = "[[ $1 == --version ]] && { echo Docker version 25.0.5; exit; }"
    docker.write_text(f'#!/bin/bash\n{version}\n[[ $1 != -H ]] || echo "frc-runners-runner|$2|Up"\n')
    docker.chmod(0o755)
    path = str(folder / "other.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        facts = container_engine.engine_facts("docker", USER.pw_name, [str(folder)], path)
    assert facts["containers"] == [{"name": "frc-runners-runner", "image": f"unix://{path}", "status": "Up"}]


def test_docker_comes_before_podman(engine, folder):
    engine("docker", "Docker version 25.0.5, build 5dc9bcc")
    engine("podman", "podman version 4.9.4")
    assert facts_of(None, folder)["name"] == "docker"


def test_podman_without_its_socket_is_not_asked_because_that_would_create_files(engine, folder):
    engine("podman", "podman version 4.9.4-rhel", "touch $0.asked; cat_listing")
    facts = facts_of("podman", folder)
    assert (facts["name"], facts["version"], facts["docker_command"]) == ("podman", "4.9.4", False)
    assert (facts["usable"], facts["containers"], facts["containers_known"]) == (False, [], False)
    assert facts["error"] == facts["containers_error"] == "there is no socket, or no command that uses it"
    assert not (folder / "podman.asked").exists()


def test_podman_with_a_docker_wrapper_is_used_through_it_as_by_the_installer(engine, folder):
    engine("docker", "podman version 4.9.4", ": podman-remote; echo 'wrapper broken' >&2; exit 1")
    engine("podman", "podman version 5.4.0")
    facts = facts_of("podman", folder)
    assert (facts["name"], facts["version"], facts["docker_command"], facts["usable"], facts["error"]) == (
        "podman",
        "5.4.0",
        True,
        False,
        "wrapper broken",
    )


@pytest.mark.parametrize(
    ("wanted", "message"), [(None, "no command docker or podman on "), ("podman", "no command podman on ")]
)
def test_no_engine(engine, folder, wanted, message):
    facts = facts_of(wanted, folder)
    assert (facts["name"], facts["version"], facts["usable"], facts["containers"]) == (wanted, None, False, [])
    assert facts["error"] == message + str(folder)


def test_a_wanted_engine_is_not_replaced_by_the_other(engine, folder):
    engine("docker", "Docker version 25.0.5, build 5dc9bcc")
    assert facts_of("podman", folder)["error"].startswith("no command podman")


def test_an_engine_that_the_user_may_not_use_still_shows_its_containers_to_root(engine, folder):
    engine(
        "docker",
        "Docker version 25.0.5, build x",
        "if ((EUID)); then printf 'permission denied\\nmore\\n' >&2; exit 1; fi; cat_listing",
    )
    facts = facts_of(None, folder)
    assert (facts["usable"], facts["error"]) == (False, "permission denied")
    assert facts["containers"] == (CONTAINERS if ROOT else [])


@pytest.mark.parametrize(
    ("ps", "error"),
    [
        ("echo 'Is the daemon running?'; exit 1", "Is the daemon running?"),
        ("exit 7", "exit code 7"),
        ("echo; exit 7", "exit code 7"),
    ],
)
def test_an_engine_whose_daemon_is_down(engine, folder, ps, error):
    engine("docker", "Docker version 25.0.5, build x", ps)
    facts = facts_of(None, folder)
    assert (facts["usable"], facts["error"], facts["version"], facts["containers"]) == (False, error, "25.0.5", [])


def test_an_engine_without_a_version(engine, folder):
    engine("docker", "nothing to see")
    assert facts_of(None, folder)["version"] is None


# -- socket ----------------------------------------------------------------------------------------------------------


def test_a_socket_is_one_and_a_file_is_not(folder):
    path = str(folder / "docker.sock")
    assert container_engine.socket_facts(path) == {"path": path, "is_socket": False}
    (folder / "file").touch()
    assert container_engine.socket_facts(str(folder / "file"))["is_socket"] is False
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        assert container_engine.socket_facts(path) == {"path": path, "is_socket": True}
    os.symlink(path, folder / "link")
    assert container_engine.socket_facts(str(folder / "link"))["is_socket"] is True


def test_the_users_own_engine_does_not_answer_for_a_dead_socket(folder):
    docker = folder / "docker"
    docker.write_text(
        "#!/bin/bash\n[[ $1 == --version ]] && { echo Docker version 25.0.5; exit; }\n"
        "[[ $1 == -H || -n ${DOCKER_HOST:-} ]] && { echo 'no daemon at the socket' >&2; exit 1; }\nexit 0\n"
    )
    docker.chmod(0o755)
    path = str(folder / "docker.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        facts = container_engine.engine_facts("docker", USER.pw_name, [str(folder)], path)
    assert (facts["docker_error"], facts["socket_error"]) == (None, "no daemon at the socket")
    assert (facts["usable"], facts["containers"], facts["containers_known"]) == (False, [], False)


def test_without_the_socket_the_containers_are_those_of_the_plain_command(engine, folder):
    engine("docker", "Docker version 25.0.5, build x")
    facts = container_engine.engine_facts("docker", USER.pw_name, [str(folder)], str(folder / "nowhere.sock"))
    assert (facts["containers"], facts["containers_known"]) == (CONTAINERS, True)


# -- Podman and its socket -------------------------------------------------------------------------------------------


@pytest.fixture
def at_socket(folder, monkeypatch):
    """at_socket(name, body) makes a command of the folder; at_socket.facts() are those of Podman at a socket."""
    monkeypatch.setattr(process, "SYSTEM_PATH", ("/usr/bin", "/bin"))
    path = str(folder / "podman.sock")

    def make(name, body):
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)

    def facts(name="podman"):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            return container_engine.engine_facts(name, USER.pw_name, [str(folder)], path)

    make.facts, make.url = facts, f"unix://{path}"
    return make


# What a client prints, with the connection that it was given as the name of the image.
CLIENT = """[[ $1 == --version ]] && { echo "podman version 4.9.4-rhel"; exit; }
case $* in
  *" version") printf 'Client:       Podman Engine\\nVersion:      5.4.0\\nServer:\\nVersion:      5.6.1\\n' ;;
  *" info "*) echo "/mnt/data/docker|overlay" ;;
  *) echo "frc-x|${0##*/} $1 $2 $3|Up" ;;
esac"""
# The wrapper of Elastic's page, and that of package podman-docker.
REMOTE_WRAPPER = 'touch "$0.ran" 2>/dev/null; podman-remote --url unix:///var/run/docker.sock "$@"'
ROOTLESS_WRAPPER = (
    "[ -e /etc/containers/nodocker ] || echo 'Emulate Docker CLI using podman.' >&2\nexec /usr/bin/podman \"$@\""
)


def test_podman_is_asked_by_podman_remote_as_in_the_installer(at_socket):
    at_socket("podman", CLIENT)
    at_socket("podman-remote", CLIENT)
    facts = at_socket.facts()
    assert facts["containers"][0]["image"] == f"podman-remote --url {at_socket.url} ps"
    assert (facts["version"], facts["podman_remote"], facts["usable"]) == ("5.4.0", True, True)
    assert facts["store"] == {"folder": "/mnt/data/docker", "driver": "overlay"}


def test_without_podman_remote_the_containers_are_known_all_the_same(at_socket):
    at_socket("podman", CLIENT)
    at_socket("docker", ROOTLESS_WRAPPER)
    facts = at_socket.facts()
    assert facts["containers"][0]["image"] == f"podman --remote --url {at_socket.url}"
    assert facts["podman_remote"] is False


@pytest.mark.parametrize(
    ("wrapper", "is_rootless"),
    [
        (ROOTLESS_WRAPPER, True),
        (REMOTE_WRAPPER, False),
        ('exec podman --remote "$@"', False),
        ('CONTAINER_HOST=unix:///x exec podman "$@"', False),
        ("echo 'Docker version 25.0.5'", False),
    ],
)
def test_a_docker_command_that_is_another_engine_for_each_user_is_recognised_and_not_run(
    at_socket, folder, wrapper, is_rootless
):
    at_socket("docker", wrapper)
    assert container_engine.is_rootless_podman(str(folder / "docker")) is is_rootless


def test_a_docker_command_that_is_a_link_to_podman_is_another_engine_for_each_user(at_socket, folder):
    at_socket("podman", CLIENT)
    (folder / "docker").symlink_to(folder / "podman")
    assert container_engine.is_rootless_podman(str(folder / "docker")) is True
    assert container_engine.is_rootless_podman(None) is False


@pytest.mark.skipif(not ROOT, reason="only root can ask as another user")
def test_the_socket_is_asked_as_the_install_user_where_its_own_podman_would_answer(at_socket):
    at_socket("podman", CLIENT)
    at_socket("docker", ROOTLESS_WRAPPER)
    at_socket("podman-remote", f"((EUID)) && {{ echo 'Error: permission denied' >&2; exit 125; }}\n{CLIENT}")
    facts = at_socket.facts()
    assert (facts["usable"], facts["docker_error"], facts["socket_error"]) == (False, None, "Error: permission denied")
    # Root still knows what runs there.
    assert facts["containers_known"] is True and facts["containers"][0]["name"] == "frc-x"


@pytest.mark.parametrize(
    ("body", "docker_error", "socket_error"),
    [
        ("[[ $1 == -H ]] && { echo 'denied at the socket' >&2; exit 1; }; exit 0", None, "denied at the socket"),
        ("[[ $1 != -H ]] && { echo 'no member of docker' >&2; exit 1; }; exit 0", "no member of docker", None),
        ("exit 0", None, None),
    ],
)
def test_docker_is_asked_plainly_and_at_the_socket(at_socket, body, docker_error, socket_error):
    at_socket("docker", f"[[ $1 == --version ]] && {{ echo Docker version 25.0.5; exit; }}\n{body}")
    facts = at_socket.facts("docker")
    assert (facts["docker_error"], facts["socket_error"]) == (docker_error, socket_error)
    assert (facts["usable"], facts["error"]) == (not (docker_error or socket_error), docker_error or socket_error)


def test_an_engine_that_does_not_answer_in_time_is_asked_for_its_containers_once(at_socket, folder, monkeypatch):
    monkeypatch.setattr(container_engine, "ANSWER_SECONDS", 0.5)
    at_socket(
        "docker",
        f'[[ $1 == --version ]] && {{ echo Docker version 25.0.5; exit; }}\necho "$*" >>{folder}/asked\nexec sleep 20',
    )
    (folder / "asked").touch()
    (folder / "asked").chmod(0o666)
    facts = at_socket.facts("docker")
    assert facts["error"] == "no answer within 0.5 s" and not facts["containers_known"]
    assert len((folder / "asked").read_text().splitlines()) == 1


@pytest.mark.skipif(not ROOT, reason="only root has rights that the install user lacks")
@pytest.mark.parametrize("user", [USER.pw_name, None])
@pytest.mark.parametrize("whose", ["folder", "command", "link"])
def test_root_runs_no_command_that_the_install_user_can_replace(engine, folder, user, whose):
    engine("docker", "Docker version 25.0.5, build x", f"id -u >>{folder}/notes/ids; exit 1")
    docker, notes = folder / "docker", folder / "notes"
    docker.write_text(docker.read_text().replace("#!/bin/bash\n", f"#!/bin/bash\nid -u >>{notes}/ids\n"))
    notes.mkdir()
    notes.chmod(0o777)
    (notes / "ids").touch()
    (notes / "ids").chmod(0o666)
    paths = folder
    if whose == "link":
        paths = notes / "link"
        paths.symlink_to(folder)
        os.lchown(paths, USER.pw_uid, USER.pw_gid)
    else:
        os.chown({"folder": folder, "command": docker}[whose], USER.pw_uid, USER.pw_gid)
    with mock.patch.object(process, "SYSTEM_PATH", ("/usr/bin", "/bin")):
        facts = container_engine.engine_facts("docker", user, [str(paths)])
    ran_as = set((notes / "ids").read_text().split())
    assert (ran_as, facts["containers_known"]) == ({str(USER.pw_uid)} if user else set(), user is None), facts
