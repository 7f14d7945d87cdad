# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Podman is set up: what is read of a host, what is left as it is, and what is refused."""

from __future__ import annotations

import copy
import json
import os

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _host_process as process
from ansible_collections.ece.platform.plugins.module_utils import _host_system as host_system
from ansible_collections.ece.platform.plugins.module_utils import _preparation_podman as podman

SOCKET = "/var/run/docker.sock"
OPTIONS = {
    "ece_host_user": "elastic",
    "ece_host_docker_socket": SOCKET,
    "ece_host_bin_paths": [],
    "ece_host_preparation_engine_path": "/mnt/data/docker",
    "ece_host_preparation_engine_source": "vendor",
    "ece_host_preparation_replace_engine": False,
    "ece_host_preparation_restart_engine": False,
    "ece_host_preparation_ipv6": False,
    "ece_host_preparation_ipv6_subnet": "fd00:10:89::/64",
    "ece_host_preparation_skip": [],
}
UNIT = ("/usr/lib/systemd/system/podman.socket", "[Socket]\nListenStream=%t/podman/podman.sock\nSocketMode=0660\n")
EL8, EL9 = {"engine": "podman"}, {"engine": "podman", "podman_network_backend": "cni"}
EL10 = {"engine": "podman", "podman_network_backend": "unset", "engine_names": {"docker": ["docker-ce-cli"]}}
PAGES_DROP_IN = """\
# Elastic's page
[Socket]
ListenStream=
ListenStream=/var/run/docker.sock
SocketMode=770
SocketUser=elastic
SocketGroup=podman
"""
PAGES_WRAPPER = '#!/bin/bash\npodman-remote --url unix:///var/run/docker.sock "$@"\n'
OTHERS_DROP_IN = "/etc/systemd/system/podman.socket.d/zz.conf"


def bare():
    """What is read of a host with Podman as its packages leave it."""
    return {
        "is_installed": True,
        "has_group": True,
        "units": [UNIT],
        "socket": {
            "Listen": "/run/podman/podman.sock (Stream)",
            "ActiveState": "active",
            "kind": "other",
            "closed": None,
            "target": None,
        },
        "docker": {"path": None, "script": "", "is_podman": False, "package": ""},
        "storage": {podman.STORAGE: "", podman.VENDOR_STORAGE: '# vendor\n[storage]\ndriver = "overlay"\n'},
        "store": {"folder": podman.DEFAULT_STORE, "images": [], "containers": [], "backend": ""},
        "settings": [podman.containers_settings(path, "") for path in podman.CONTAINERS],
        "own_settings": {podman.OWN_SETTINGS: "", podman.OWN_NETWORK: ""},
        "networks": {},
        "interfaces": ["lo", "eth0"],
        "missing_folders": [os.path.dirname(podman.DROP_IN), podman.CONTAINERS_FOLDER],
    }


def plan(found, system=EL9, facts=None, **options):
    all_facts = {
        "engine": {"podman_remote": True},
        "socket": {"path": SOCKET, "is_socket": False},
        "units": {name: {"at_boot": "enabled", "now": "active"} for name in podman.SERVICES},
        "preparation": {"engine": {"podman": found}},
    }
    return podman.plan_podman(dict(all_facts, **(facts or {})), dict(OPTIONS, **options), system)


def written(planned):
    return {one["path"]: one["content"] for one in planned.values["files"]}


def applied(found, planned, system=EL9):
    """The host after the tasks."""
    after, texts = copy.deepcopy(found), written(planned)
    after["is_installed"] = True
    units = dict(after["units"], **{path: text for path, text in texts.items() if path == podman.DROP_IN})
    after["units"] = sorted(units.items(), key=lambda one: (".d/" in one[0], os.path.basename(one[0])))
    listen = podman.socket_unit([text for _path, text in after["units"]]).listen
    after["socket"].update(Listen=f"{listen[-1]} (Stream)", ActiveState="active", UnitFileState="enabled", kind="other")
    if podman.DOCKER_COMMAND in texts:
        script = texts[podman.DOCKER_COMMAND]
        after["docker"] = {"path": podman.DOCKER_COMMAND, "script": script, "is_podman": False, "package": ""}
    if podman.STORAGE in texts:
        after["storage"][podman.STORAGE] = texts[podman.STORAGE]
    own = {path: text for path, text in texts.items() if path in after["own_settings"]}
    if "default_network" in planned.values:
        own[podman.OWN_NETWORK] = planned.values["default_network"]["content"]
    after["own_settings"].update(own)
    for path, text in own.items():
        after["settings"] = podman._with_file(after["settings"], path, text)
    for one in after["settings"]:
        if one["path"] in planned.values["stale_pins"]:
            one["backend"] = None
    if "network" in planned.values:
        after["networks"] = {"cni" if system is EL9 else "netavark": planned.values["network"]["subnets"]}
    return after


RIGHT = {"socket": {"path": SOCKET, "is_socket": True}}


# -- the whole plan --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", [EL8, EL9, EL10])
@pytest.mark.parametrize("ipv6", [False, True])
@pytest.mark.parametrize("is_installed", [False, True])
def test_a_prepared_host_has_nothing_to_be_done(system, ipv6, is_installed):
    found = bare()
    found["is_installed"] = is_installed
    first = plan(found, system, ece_host_preparation_ipv6=ipv6)
    assert (first.problems, first.notes) == ([], [])
    assert first.steps
    second = plan(applied(found, first, system), system, RIGHT, ece_host_preparation_ipv6=ipv6)
    assert (second.problems, second.steps, second.reboot, second.values["files"]) == ([], [], [], [])
    values = second.values
    assert not any(values[name] for name in ("restart_socket", "start_socket", "enable_socket", "services", "folders"))


def test_a_host_as_elastics_page_leaves_it_is_prepared():
    found = bare()
    settings = (
        '[containers]\ndefault_ulimits = [\n "nofile=1024000:1024000",\n "memlock=-1:-1",\n "nproc=-1:-1",\n]\n'
        '[network]\nnetwork_backend = "cni"\n'
    )
    found["units"] += [(podman.DROP_IN, PAGES_DROP_IN)]
    found["socket"].update(Listen="/run/docker.sock (Stream)", UnitFileState="enabled")
    found["docker"] = {"path": podman.DOCKER_COMMAND, "script": PAGES_WRAPPER, "is_podman": False, "package": ""}
    storage = '[storage]\ndriver = "overlay"\nrunroot = "/mnt/data/docker/runroot/"\ngraphroot = "/mnt/data/docker"\n'
    found["storage"][podman.STORAGE] = storage
    found["settings"] = [podman.containers_settings(podman.CONTAINERS[1], settings)]
    planned = plan(found, EL9, RIGHT)
    assert (planned.problems, planned.steps, planned.values["files"]) == ([], [], [])


def test_what_a_bare_host_gets():
    planned = plan(bare())
    assert planned.steps == [
        "let /usr/bin/docker call podman-remote with /var/run/docker.sock",
        "let podman.socket listen at /var/run/docker.sock for user elastic and group podman",
        "keep images and containers at /mnt/data/docker",
        "set the limits of containers to nofile=1024000:1024000, memlock=-1:-1, nproc=-1:-1",
        "let Podman use CNI for its networks",
        "enable podman.socket",
        "start podman.socket",
    ]
    assert planned.values["folders"] == [os.path.dirname(podman.DROP_IN), podman.CONTAINERS_FOLDER]
    assert planned.values["restart_socket"] is True
    assert planned.reboot == []


def test_the_settings_are_those_that_the_rules_read(tmp_path):
    path = tmp_path / podman.OWN_SETTINGS.lstrip("/")
    path.parent.mkdir(parents=True)
    path.write_text(written(plan(bare()))[podman.OWN_SETTINGS])
    settings = host_system.podman_settings(str(tmp_path))
    assert host_system.network_backend(settings) == "cni"
    limits = {"nofile": 1024000, "memlock": -1, "nproc": -1}
    assert host_system.container_limits("podman", settings, str(tmp_path)) == limits


# -- the socket ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("[Socket]\nListenStream=/run/x.sock\nSocketMode=0777\nBacklog=4\n", "Backlog=4\n"),
        ("[Socket]\r\nSocketUser=root\r\nBacklog=4", "Backlog=4\n"),
        ("[Unit]\nDescription=x\n", ""),
        ("\ufeff# c\n[Socket]\n; SocketUser=a\n", "; SocketUser=a\n"),
    ],
)
def test_the_drop_in_keeps_what_else_it_has(text, kept):
    after = podman.drop_in(text, SOCKET, "elastic")
    assert podman.socket_unit([UNIT[1], after]) == ([SOCKET], "0770", "elastic", "podman")
    assert after.endswith(kept)
    assert podman.drop_in(after, SOCKET, "elastic") == after


def test_listen_addresses_add_up_until_an_empty_one_takes_them_back():
    more = "[Socket]\nListenStream=/b\n[Install]\nListenStream=/c\n"
    assert podman.socket_unit([UNIT[1], more]).listen == ["%t/podman/podman.sock", "/b"]
    assert podman.socket_unit([UNIT[1], more, "[Socket]\nListenStream=\nListenStream = /d\n"]).listen == ["/d"]


@pytest.mark.parametrize("drop_in", [PAGES_DROP_IN.replace("770", mode) for mode in ("0777", "600", "u=rw", "")])
def test_a_socket_with_another_mode_is_set_right(drop_in):
    found = bare()
    found["units"] += [(podman.DROP_IN, drop_in)]
    assert "SocketMode=0770" in written(plan(found))[podman.DROP_IN]


def test_a_later_drop_in_that_outranks_this_roles_is_named():
    found = bare()
    found["units"] += [(OTHERS_DROP_IN, "[Socket]\nSocketGroup=wheel\n")]
    assert plan(found).problems == [
        f"{OTHERS_DROP_IN} outranks the settings of this role for podman.socket: remove it, or set "
        "ece_host_docker_socket and ece_host_user to what it has."
    ]
    found["units"][-1] = (OTHERS_DROP_IN, "[Socket]\nBacklog=4\n")
    assert plan(found).problems == []


def test_the_socket_of_elastics_older_role_is_kept_where_the_variable_says_so():
    found = bare()
    found["units"] += [(podman.DROP_IN, PAGES_DROP_IN.replace(SOCKET, "/run/podman/podman.sock"))]
    planned = plan(found, ece_host_docker_socket="/run/podman/podman.sock")
    assert podman.DROP_IN not in written(planned)


def test_a_socket_is_not_moved_under_containers_without_leave():
    found = bare()
    found["store"] = {"folder": "/mnt/data/docker", "images": [], "containers": ["traefik"], "backend": ""}
    (problem,) = plan(found, EL8).problems
    assert problem == (
        "Podman has containers (traefik) and listens at /run/podman/podman.sock: set "
        "ece_host_preparation_restart_engine: true to let it listen at /var/run/docker.sock instead, or set "
        "ece_host_docker_socket: /run/podman/podman.sock."
    )
    assert plan(found, EL8, ece_host_preparation_restart_engine=True).problems == []


def test_a_folder_in_place_of_the_socket_goes_if_it_is_empty():
    found = bare()
    found["socket"]["kind"] = "empty folder"
    assert "remove the empty folder /var/run/docker.sock" in plan(found).steps
    # What is in it by then stays.
    assert (plan(found).values["removed_folders"], plan(found).values["removed_paths"]) == ([SOCKET], [])
    found["socket"]["kind"] = "folder"
    assert "is a folder with files" in plan(found).problems[0]


def test_the_folder_of_the_packages_socket_is_opened():
    found = bare()
    found["socket"]["closed"] = "/run/podman"
    planned = plan(found, ece_host_docker_socket="/var/run/podman/podman.sock")
    assert planned.problems == []
    assert written(planned)[podman.PACKAGE_FOLDER_FILE] == "d /run/podman 0755 root root -\n"
    assert planned.values["opened_folder"] == "/run/podman"


def test_another_folder_that_the_user_cannot_enter_is_a_problem():
    found = bare()
    found["socket"]["closed"] = "/srv/engine"
    (problem,) = plan(found, ece_host_docker_socket="/srv/engine/docker.sock").problems
    assert problem == (
        "User elastic cannot enter /srv/engine, in which ece_host_docker_socket /srv/engine/docker.sock is: let others "
        "enter it (mode 0755), or use /var/run/docker.sock."
    )


def test_a_closed_folder_is_found_above_the_socket(tmp_path):
    path = tmp_path / "a" / "b" / "docker.sock"
    path.parent.mkdir(parents=True)
    for folder in (tmp_path, tmp_path.parent, tmp_path / "a"):
        folder.chmod(0o755)
    path.parent.chmod(0o755)
    assert podman._closed_folder(str(path)) in (None, str(tmp_path.parent.parent))
    (tmp_path / "a").chmod(0o750)
    assert podman._closed_folder(str(path)) == str(tmp_path / "a")


def test_the_link_of_package_podman_docker_makes_room_for_the_socket():
    found = bare()
    found["socket"]["target"] = "/run/podman/podman.sock"
    planned = plan(found)
    assert "remove the link /var/run/docker.sock to /run/podman/podman.sock" in planned.steps
    assert planned.values["removed_paths"] == [SOCKET]
    # Where the unit is right, but its socket was replaced by the link.
    found = applied(found, planned)
    planned = plan(found, EL9, RIGHT)
    assert planned.steps == ["remove the link /var/run/docker.sock to /run/podman/podman.sock", "start podman.socket"]


def test_a_link_to_a_socket_that_is_right_is_left():
    found = applied(bare(), plan(bare()))
    found["units"] = [UNIT, (podman.DROP_IN, PAGES_DROP_IN.replace(SOCKET, "/run/podman/podman.sock"))]
    found["socket"].update(target="/run/podman/podman.sock", Listen="/run/podman/podman.sock (Stream)")
    assert plan(found, EL9, RIGHT).steps == []


def test_a_socket_that_does_not_listen_as_its_unit_says_is_started_again():
    found = applied(bare(), plan(bare()))
    assert plan(found, EL9, RIGHT).values["start_socket"] is False
    for change in (
        {"NeedDaemonReload": "yes"},
        {"Listen": "/run/podman/podman.sock (Stream)"},
        {"ActiveState": "failed"},
    ):
        stopped = copy.deepcopy(found)
        stopped["socket"].update(change)
        assert plan(stopped, EL9, RIGHT).steps == ["start podman.socket"]
    assert plan(found).steps == ["start podman.socket"]  # something has removed the file of the socket


# -- the docker command ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "is_right"),
    [
        (podman.wrapper(SOCKET), True),
        (PAGES_WRAPPER, True),
        ('#!/bin/sh\nexec /usr/bin/podman --remote --url=unix:///run/docker.sock "${@}"\n', True),
        ('#!/bin/sh\nCONTAINER_HOST=unix:///run/docker.sock exec podman-remote "$@"\n', True),
        ('#!/bin/bash\npodman-remote --url unix:///run/podman/podman.sock "$@"\n', False),
        ("#!/bin/bash\npodman-remote --url unix:///var/run/docker.sock $1\n", False),
        ('#!/bin/sh\n# podman-remote unix:///var/run/docker.sock\nexec /usr/bin/podman "$@"\n', False),
        ("", False),
    ],
)
def test_a_docker_command_is_judged_by_what_it_calls(script, is_right):
    assert podman.is_wrapper(script, SOCKET) is is_right


def docker(**values):
    found = bare()
    found["docker"] = dict({"path": podman.DOCKER_COMMAND, "script": "", "is_podman": False, "package": ""}, **values)
    return found


def test_a_wrapper_for_another_socket_is_written_anew():
    planned = plan(docker(script=PAGES_WRAPPER.replace(SOCKET, "/run/podman/podman.sock")))
    assert (planned.problems, written(planned)[podman.DOCKER_COMMAND]) == ([], podman.wrapper(SOCKET))


def test_the_command_of_podman_docker_goes_with_leave_only():
    found = docker(script='#!/bin/sh\nexec /usr/bin/podman "$@"\n', package="podman-docker")
    (problem,) = plan(found).problems
    assert problem == (
        "/usr/bin/docker is that of package podman-docker, and ECE needs one that calls podman-remote with the socket "
        "/var/run/docker.sock: set ece_host_preparation_replace_engine: true to remove that package."
    )
    planned = plan(found, ece_host_preparation_replace_engine=True)
    assert (planned.problems, planned.values["removed_packages"]) == ([], ["podman-docker"])
    assert planned.steps[0] == "remove package podman-docker"
    assert podman.DOCKER_COMMAND in written(planned)


@pytest.mark.parametrize("leave", [False, True])
def test_a_docker_client_of_no_package_is_never_overwritten(leave):
    (problem,) = plan(docker(), ece_host_preparation_replace_engine=leave).problems
    assert problem.startswith("/usr/bin/docker is of no package and does not call podman-remote")


def test_a_script_that_is_overwritten_has_a_backup():
    script = PAGES_WRAPPER.replace(SOCKET, "/run/podman/podman.sock")
    backup = {one["path"]: one["backup"] for one in plan(docker(script=script)).values["files"]}
    assert (backup[podman.DOCKER_COMMAND], backup[podman.STORAGE]) == (True, False)
    assert not any(one["backup"] for one in plan(bare()).values["files"])


def test_a_link_is_kept_for_settings_and_replaced_for_the_command():
    follow = {one["path"]: one["follow"] for one in plan(bare()).values["files"]}
    assert (follow[podman.STORAGE], follow[podman.DOCKER_COMMAND]) == (True, False)


def test_a_link_to_podman_is_replaced_with_leave():
    assert "/usr/bin/docker is podman itself" in plan(docker(is_podman=True)).problems[0]
    assert plan(docker(is_podman=True), ece_host_preparation_replace_engine=True).problems == []


def test_a_command_that_is_found_first_is_named():
    (problem,) = plan(docker(path="/usr/local/bin/docker")).problems
    assert problem.startswith("/usr/local/bin/docker is found before /usr/bin/docker")


def test_dockers_own_package_is_left_to_the_engine():
    planned = plan(docker(package="docker-ce-cli"), EL10)
    assert (planned.problems, "removed_packages" in planned.values) == ([], False)


def test_podman_remote_is_asked_for_where_nothing_is_installed():
    facts = {"engine": {"podman_remote": False}}
    assert plan(bare(), facts=facts).problems == []
    (problem,) = plan(bare(), facts=facts, ece_host_preparation_engine_source="installed").problems
    assert "install package podman-remote" in problem


# -- storage ---------------------------------------------------------------------------------------------------------


def test_storage_is_the_vendors_file_with_the_folder():
    vendor = '# vendor\n[storage]\ndriver = "overlay"\nrunroot = "/run/containers/storage"\n[storage.options]\nx = 1\n'
    text = podman.storage_text(vendor, "/mnt/data/docker")
    assert text == (
        '# vendor\n[storage]\ngraphroot = "/mnt/data/docker"\ndriver = "overlay"\n'
        'runroot = "/mnt/data/docker/runroot/"\n[storage.options]\nx = 1\n'
    )
    assert podman.storage_text(text, "/mnt/data/docker") == text


def test_storage_without_any_file_names_the_driver_too():
    assert podman.storage_text("", "/d").endswith(
        '[storage]\ndriver = "overlay"\nrunroot = "/d/runroot/"\ngraphroot = "/d"\n'
    )


@pytest.mark.parametrize("driver", ["overlay", "overlay2"])
def test_a_file_that_says_the_same_otherwise_is_left(driver):
    text = f"[storage]\r\ndriver='{driver}'\r\nrunroot = '/d/runroot'\r\ngraphroot=\"/d/\" # c\r\n"
    assert podman.storage_text(text, "/d") == text


@pytest.mark.parametrize("text", ['[storage]\ndriver = "vfs"\n', '[storage]\ngraphroot = "/d"\ngraphroot = "/d"\n'])
def test_another_driver_and_a_key_that_is_there_twice_are_mended(text):
    after = podman.storage_text(text, "/d")
    assert 'driver = "overlay"' in after
    assert after.count("graphroot") == 1


def test_a_store_in_use_is_not_left_behind():
    found = bare()
    found["store"] = {"folder": podman.DEFAULT_STORE, "images": ["a", "b"], "containers": ["c"], "backend": ""}
    problem = plan(found, EL8, ece_host_preparation_restart_engine=True).problems[0]
    assert problem == (
        "Podman keeps images (2) and containers (1) at /var/lib/containers/storage, and would not find them at "
        "ece_host_preparation_engine_path /mnt/data/docker: set it to /var/lib/containers/storage, or, if nothing "
        "there is needed, remove them with podman first."
    )
    path = podman.DEFAULT_STORE
    options = {"ece_host_preparation_restart_engine": True, "ece_host_preparation_engine_path": path}
    assert plan(found, EL8, **options).problems == []


def test_a_storage_file_that_is_not_toml_is_a_sentence():
    found = bare()
    found["storage"][podman.STORAGE] = "[storage]\n[storage]\n"
    (problem,) = plan(found).problems
    assert problem.startswith(
        "/etc/containers/storage.conf cannot be changed, because it has the table [storage] twice"
    )


# -- limits and networks ---------------------------------------------------------------------------------------------


def settings(path, text):
    return podman.containers_settings(path, text)


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ([], ["nofile=1024000:1024000", "memlock=-1:-1", "nproc=-1:-1"]),
        (["core=0:0"], ["core=0:0", "nofile=1024000:1024000", "memlock=-1:-1", "nproc=-1:-1"]),
        (["nofile=65536:100000"], ["nofile=65536:100000", "memlock=-1:-1", "nproc=-1:-1"]),
        (["nofile=1024:524288", "nproc=4096"], ["nofile=1024000:1024000", "memlock=-1:-1", "nproc=-1:-1"]),
        (["nproc=-1", "nofile=-1", "memlock=-1:-1"], ["nofile=-1", "memlock=-1:-1", "nproc=-1"]),
        (["nonsense"], ["nonsense", "nofile=1024000:1024000", "memlock=-1:-1", "nproc=-1:-1"]),
    ],
)
def test_limits_that_are_enough_and_those_of_others_are_kept(given, limits):
    assert podman.limits_list(given) == limits
    assert sorted(podman.limits_list(limits)) == sorted(limits)


def test_the_last_file_decides_unless_it_adds():
    files = [settings("/a", '[containers]\ndefault_ulimits = ["core=0"]\n[network]\nnetwork_backend = "cni"\n')]
    assert podman.settings_of(files) == (["core=0"], "cni", "")
    other = settings("/b", "[containers]\ndefault_ulimits = ['nofile=1']\n[network]\ndefault_network = 'x'\n")
    assert podman.settings_of([*files, other]) == (["nofile=1"], "cni", "x")
    adding = settings("/b", "[containers]\ndefault_ulimits = ['nofile=1', {append=true}]\n")
    assert podman.settings_of([*files, adding]).limits == ["core=0", "nofile=1"]


def test_a_later_file_that_outranks_the_limits_is_named():
    path = "/etc/containers/containers.conf.d/99-site.conf"
    found = bare()
    found["settings"].append(settings(path, '[containers]\ndefault_ulimits = ["nofile=1024:1024"]\n'))
    assert plan(found).problems == [
        f"{path} outranks {podman.OWN_SETTINGS}, which this role writes: remove default_ulimits and network_backend "
        "from it."
    ]


def test_a_file_of_the_package_outranks_nothing():
    path = "/etc/containers/containers.conf.d/99-site.conf"
    found = bare()
    text = '[containers]\ndefault_ulimits = ["nofile=1024:1024"]\n[network]\ndefault_network = "podman"\n'
    found["settings"][0] = settings(podman.CONTAINERS[0], text)
    assert plan(found, ece_host_preparation_ipv6=True).problems == []
    found["settings"].append(settings(path, text))
    problems = plan(found, ece_host_preparation_ipv6=True).problems
    assert [problem.split(" outranks ")[0] for problem in problems] == [path, path]


def test_an_earlier_file_is_outranked_and_stays():
    found = bare()
    text = '[containers]\ndefault_ulimits = ["core=0:0", "nofile=1024:1024"]\n[network]\nnetwork_backend = "netavark"\n'
    found["settings"].append(settings("/etc/containers/containers.conf.d/10-site.conf", text))
    planned = plan(found)
    assert planned.problems == []
    own = podman.containers_settings(podman.OWN_SETTINGS, written(planned)[podman.OWN_SETTINGS])
    assert (own["limits"][0], own["backend"]) == ("core=0:0", "cni")


def test_a_pin_on_cni_is_removed_where_there_is_no_cni():
    found = bare()
    found["settings"][1] = settings(podman.CONTAINERS[1], '[network]\nnetwork_backend = "cni"\n')
    assert plan(found, EL10).values["stale_pins"] == [podman.CONTAINERS[1]]
    assert "remove network_backend from /etc/containers/containers.conf" in plan(found, EL10).steps
    assert plan(found, EL8).values["stale_pins"] == []
    assert plan(found, EL9).reboot == []


@pytest.mark.parametrize(("system", "pin"), [(EL9, ""), (EL10, '[network]\nnetwork_backend = "cni"\n')])
def test_the_backend_is_not_changed_under_containers(system, pin):
    found = bare()
    found["settings"][1] = settings(podman.CONTAINERS[1], pin)
    found["store"]["containers"] = ["traefik"]
    problems = plan(found, system, ece_host_preparation_restart_engine=True).problems
    assert any("which would lose their network" in problem for problem in problems)


def test_a_backend_that_podman_has_chosen_already_is_pinned_without_a_restart():
    found = bare()
    found["store"] = {"folder": "/mnt/data/docker", "images": [], "containers": ["traefik"], "backend": "cni"}
    planned = plan(found, EL9, ece_host_preparation_restart_engine=True)
    assert (planned.problems, planned.reboot) == ([], [])
    assert "let Podman use CNI for its networks" in planned.steps


@pytest.mark.parametrize(("system", "bridge"), [(EL9, "podman0"), (EL10, "cni-podman0")])
def test_a_host_with_the_bridge_of_the_other_backend_is_rebooted(system, bridge):
    found = bare()
    found["interfaces"].append(bridge)
    for one in (found, applied(found, plan(found, system), system)):
        (reason,) = plan(one, system, RIGHT).reboot
        assert reason == f"{bridge} is of a backend for networks that Podman does not use any more"
    assert plan(found, EL8).reboot == []


def test_a_file_of_settings_that_is_not_toml_is_a_sentence_and_nothing_is_written_beside_it():
    found = bare()
    found["settings"][1] = settings(podman.CONTAINERS[1], "[containers\n")
    planned = plan(found, ece_host_preparation_ipv6=True)
    assert planned.problems == [
        "/etc/containers/containers.conf cannot be used, because its line 1 is no setting: mend it, Podman cannot read "
        "it either."
    ]
    assert podman.OWN_SETTINGS not in written(planned)


def test_an_own_file_in_another_form_is_a_sentence():
    found = bare()
    found["own_settings"][podman.OWN_SETTINGS] = "network = {}\ncontainers = {}\n"
    assert plan(found).problems[0].startswith(f"{podman.OWN_SETTINGS} cannot be changed, because it has table")


def test_nothing_but_what_is_needed_of_a_file_with_passwords_is_read():
    text = '[engine]\nenv = ["https_proxy=http://user:hunter2@proxy"]\n[network]\ndefault_network = "x"\n'
    found = podman.containers_settings("/a", text)
    assert "hunter2" not in json.dumps(found)
    assert found["network"] == "x"


# -- IPv6 ------------------------------------------------------------------------------------------------------------


def test_the_network_is_created_before_it_is_the_default():
    planned = plan(bare(), ece_host_preparation_ipv6=True)
    subnets = ["10.89.0.0/24", "fd00:10:89::/64"]
    assert planned.values["network"] == {"name": "ece-network", "subnets": subnets}
    assert 'default_network = "ece-network"' in planned.values["default_network"]["content"]
    assert podman.OWN_NETWORK not in written(planned)


def test_a_network_with_other_subnets_is_a_problem():
    found = applied(bare(), plan(bare(), ece_host_preparation_ipv6=True))
    found["networks"] = {"cni": ["10.89.0.0/24", "fd00:1::/64"]}
    (problem,) = plan(found, EL9, RIGHT, ece_host_preparation_ipv6=True).problems
    assert problem == (
        "Podman's network ece-network has 10.89.0.0/24, fd00:1::/64: set ece_host_preparation_ipv6_subnet to its IPv6 "
        "network, or remove it (podman network rm ece-network)."
    )


def test_the_network_is_looked_for_where_podman_has_chosen_a_backend():
    found = bare()
    found["networks"] = {"cni": ["10.89.0.0/24", "fd00:10:89::/64"]}
    for chosen, is_there in (("cni", True), ("netavark", False)):
        found["store"]["backend"] = chosen
        for system in (EL8, EL10):
            assert ("network" not in plan(found, system, ece_host_preparation_ipv6=True).values) is is_there


@pytest.mark.parametrize(
    ("system", "pin", "backend", "is_there"),
    [
        (EL9, "", "cni", True),
        (EL9, "", "netavark", False),
        (EL10, "", "netavark", True),
        (EL10, "", "cni", False),
        (EL8, "", "cni", True),
        (EL8, "", "netavark", True),
        (EL8, "netavark", "cni", False),
    ],
)
def test_the_network_is_looked_for_in_the_backend_that_podman_will_use(system, pin, backend, is_there):
    found = bare()
    found["settings"][1] = settings(podman.CONTAINERS[1], f'[network]\nnetwork_backend = "{pin}"\n')
    found["networks"] = {backend: ["10.89.0.0/24", "fd00:10:89::/64"]}
    assert ("network" not in plan(found, system, ece_host_preparation_ipv6=True).values) is is_there


def test_a_default_network_that_is_not_there_is_taken_back_first():
    found = applied(bare(), plan(bare(), ece_host_preparation_ipv6=True))
    found["networks"] = {}
    planned = plan(found, EL9, RIGHT, ece_host_preparation_ipv6=True)
    assert planned.values["removed_paths"] == [podman.OWN_NETWORK]
    assert (len(planned.steps), "default_network" in planned.values) == (2, True)
    found["settings"][1] = settings(podman.CONTAINERS[1], '[network]\ndefault_network = "ece-network"\n')
    (problem,) = plan(found, EL9, RIGHT, ece_host_preparation_ipv6=True).problems
    assert problem.startswith(
        "/etc/containers/containers.conf makes ece-network the default network, which is not there"
    )


def test_a_later_file_with_another_default_network_is_named():
    path = "/etc/containers/containers.conf.d/99-site.conf"
    found = bare()
    found["settings"].append(settings(path, '[network]\ndefault_network = "podman"\n'))
    (problem,) = plan(found, ece_host_preparation_ipv6=True).problems
    assert problem.startswith(f"{path} outranks {podman.OWN_NETWORK}")


# -- services --------------------------------------------------------------------------------------------------------


def test_services_that_do_not_start_at_boot_are_enabled():
    units = {"podman.service": {"at_boot": "disabled"}, "podman-restart.service": {"at_boot": "disabled"}}
    planned = plan(applied(bare(), plan(bare())), EL9, {"units": units, **RIGHT})
    assert planned.steps == ["enable podman.service, podman-restart.service"]
    assert plan(applied(bare(), plan(bare())), EL9, {"units": {}, **RIGHT}).steps == []


@pytest.mark.parametrize("is_installed", [True, False])
def test_a_unit_that_is_masked_is_a_problem(is_installed):
    found = dict(bare(), is_installed=is_installed)
    assert plan(found).problems == []
    planned = plan(found, facts={"units": {"podman-restart.service": {"at_boot": "masked"}}})
    assert planned.problems == [
        "podman-restart.service is masked: unmask it (systemctl unmask podman-restart.service)."
    ]
    found["socket"]["UnitFileState"] = "masked-runtime"
    assert plan(found).problems == ["podman.socket is masked: unmask it (systemctl unmask podman.socket)."]


def test_the_module_of_the_kernel_is_left_to_its_part():
    assert not any("module" in step for step in plan(bare()).steps)


def test_a_group_is_asked_for_by_its_name(monkeypatch):
    def find(name):
        if name != "podman":
            raise KeyError(name)
        return name

    # A directory of a company may list none, and know all.
    monkeypatch.setattr(podman.grp, "getgrall", lambda: [])
    monkeypatch.setattr(podman.grp, "getgrnam", find)
    assert (podman._has_group("podman"), podman._has_group("nobodys")) == (True, False)
    assert podman.read_podman({}, OPTIONS, EL9, "/nowhere")["has_group"] is True


def test_a_group_that_nobody_creates_is_a_problem():
    found = bare()
    found["has_group"] = False
    assert plan(found).problems == []
    (problem,) = plan(found, ece_host_preparation_skip=["user"]).problems
    assert problem.startswith("There is no group podman")


# -- what is read ----------------------------------------------------------------------------------------------------


def put(root, path, text):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def test_what_is_read_of_a_host(folder, monkeypatch):
    path = folder / "bin"
    path.mkdir()
    for name, text in (
        ("podman", "exit 3"),
        ("systemctl", "printf 'Listen=/run/docker.sock (Stream)\\nActiveState=active\\n'"),
        ("docker", "exit 3"),
        ("dpkg-query", "echo 'podman-docker: /usr/bin/docker'"),
        ("rpm", "exit 1"),
    ):
        (path / name).write_text(f"#!/bin/sh\n{text}\n")
        (path / name).chmod(0o755)
    monkeypatch.setattr(process, "SYSTEM_PATH", (str(path), "/usr/bin", "/bin"))
    put(folder, "/lib/systemd/system/podman.socket", "unit")
    put(folder, "/usr/lib/systemd/system/podman.socket.d/b.conf", "hidden")
    put(folder, "/etc/systemd/system/podman.socket.d/b.conf", "second")
    put(folder, "/run/systemd/system/podman.socket.d/a.conf", "first")
    put(folder, "/etc/systemd/system/podman.socket.d/c.bak", "not read")
    put(folder, podman.STORAGE, '[storage]\ngraphroot = "/store"\n')
    put(folder, "/store/overlay-images/images.json", '[{"id": "a", "names": ["one:1"]}, {"id": "b"}]')
    put(folder, "/store/overlay-containers/containers.json", '[{"id": "c", "names": ["keep"]}]')
    put(folder, "/store/defaultNetworkBackend", "cni\n")
    put(folder, "/store/vfs-images/images.json", "not JSON")
    put(folder, podman.OWN_SETTINGS, '[network]\nnetwork_backend = "cni"\n')
    ranges = '"ranges": [[{"gateway": "10.89.0.1", "subnet": "10.89.0.0/24"}], [{ "subnet" : "fd00::/64" }]]'
    put(folder, podman.NETWORK_FILES["cni"], f'{{"plugins": [{{"ipam": {{{ranges}}}}}]}}')
    found = podman.read_podman({}, dict(OPTIONS, ece_host_preparation_ipv6=True), EL9, str(folder))
    assert [text for _path, text in found["units"]] == ["unit", "first", "second"]
    assert found["store"] == {"folder": "/store", "images": ["one:1", "b"], "containers": ["keep"], "backend": "cni"}
    assert found["socket"]["Listen"] == "/run/docker.sock (Stream)"
    assert found["settings"][-1]["backend"] == "cni"
    assert found["is_installed"] is True
    assert found["networks"] == {"cni": ["10.89.0.0/24", "fd00::/64"]}
    assert found["docker"] == {
        "path": str(path / "docker"),
        "script": "#!/bin/sh\nexit 3\n",
        "is_podman": False,
        "package": "podman-docker",
    }
    assert os.path.dirname(podman.DROP_IN) not in found["missing_folders"]


def test_what_is_read_of_a_host_without_podman(folder, monkeypatch):
    monkeypatch.setattr(process, "SYSTEM_PATH", (str(folder),))
    found = podman.read_podman({}, OPTIONS, EL9, str(folder))
    assert (found["is_installed"], found["units"], found["networks"]) == (False, [], {})
    assert found["docker"]["path"] is None
    assert found["store"] == {"folder": podman.DEFAULT_STORE, "images": [], "containers": [], "backend": ""}
    assert len(found["missing_folders"]) == 4
    assert plan(found).problems == []


def test_the_names_that_podman_keeps(tmp_path):
    assert podman.podman_containers(str(tmp_path)) == (podman.DEFAULT_STORE, [])
    put(tmp_path, podman.STORAGE, '[storage]\ngraphroot = "/store"\n')
    put(tmp_path, "/store/overlay-containers/containers.json", '[{"names": ["web", "frc-x"]}, {"id": "b"}]')
    put(tmp_path, "/store/overlay-containers/containers.lock", "x")
    put(tmp_path, "/store/vfs-containers/containers.json", "")
    assert podman.podman_containers(str(tmp_path)) == ("/store", ["web", "frc-x"])
    put(tmp_path, "/store/vfs-containers/volatile-containers.json", "null")
    assert podman.stored_names("/store", str(tmp_path)) == ["web", "frc-x"]
    for text in ("[{", '{"names": []}', '["frc-x"]', "1"):
        put(tmp_path, "/store/vfs-containers/containers.json", text)
        with pytest.raises(ValueError):
            podman.podman_containers(str(tmp_path))


@pytest.mark.parametrize("kind", ["other", "folder", "empty folder"])
def test_what_is_at_the_path_of_the_socket(tmp_path, kind):
    path = tmp_path / "docker.sock"
    if kind == "other":
        path.write_text("")
    else:
        path.mkdir()
    if kind == "folder":
        (path / "x").write_text("")
    assert podman._kind(str(path)) == kind
    assert podman._target(str(path)) is None
    (tmp_path / "link").symlink_to(path)
    assert podman._target(str(tmp_path / "link")) == os.path.realpath(str(path))
