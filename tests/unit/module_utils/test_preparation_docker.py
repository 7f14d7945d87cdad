# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker's settings, merged with those of a host."""

from __future__ import annotations

import json

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_docker as docker

ROOT = "/mnt/data/docker"
UBUNTU_DROP_IN = """[Unit]
After=multi-user.target

[Service]
Environment="DOCKER_OPTS=-H unix:///run/docker.sock --data-root /mnt/data/docker --storage-driver=overlay2"
ExecStart=
ExecStart=/usr/bin/dockerd -H unix:///run/docker.sock --data-root /mnt/data/docker --storage-driver overlay2 \\
  --bip=172.17.42.1/16 --raw-logs --log-opt max-size=500m --log-opt max-file=10 --icc=false
"""
OPTIONS = {
    "ece_host_preparation_engine_path": ROOT,
    "ece_host_preparation_docker_settings": {},
    "ece_host_preparation_restart_engine": False,
    "ece_host_preparation_ipv6": False,
    "ece_host_preparation_ipv6_subnet": "fd00:10:89::/64",
    "engine_version": "27.0",
}
RUNS = {"docker.service": {"now": "active", "at_boot": "enabled"}}


def plan(text="", units=None, options=None, **read):
    found = {
        "text": text,
        "mode": "0644" if text else None,
        "flags": None,
        "root": "/var/lib/docker",
        "is_wanted_root": False,
        "containers": 0,
        "images": 0,
    }
    facts = {"units": units or {}, "preparation": {"engine": {"docker": dict(found, **read)}}}
    return docker.plan_docker(facts, dict(OPTIONS, **(options or {})), {})


def prepared(text="", options=None, **read):
    """The text of daemon.json after a preparation, as the task writes it."""
    found, given = plan(text, options=options, **read), (options or {}).get("ece_host_preparation_docker_settings", {})
    settings = dict(found.values["settings"])
    for key, value in given.items():
        below = settings.get(key)
        settings[key] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
    return docker.text_with(docker.parse(text)[0], settings)


# -- flags -----------------------------------------------------------------------------------------------------------


def test_flags_of_the_drop_in_on_elastics_page():
    command = docker.command_in_units(["[Service]\nExecStart=/usr/bin/dockerd -H fd://\n", UBUNTU_DROP_IN])
    assert docker.flags_of(command, {}) == {
        "hosts": ["unix:///run/docker.sock"],
        "data-root": [ROOT],
        "storage-driver": ["overlay2"],
        "bip": ["172.17.42.1/16"],
        "raw-logs": ["true"],
        "log-opts": ["max-size=500m", "max-file=10"],
        "icc": ["false"],
    }


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ("-Hfd:// -g /data", {"hosts": ["fd://"], "data-root": ["/data"]}),
        ("-H=fd:// --graph=/data", {"hosts": ["fd://"], "data-root": ["/data"]}),
        ("-s overlay2 -D", {"storage-driver": ["overlay2"], "debug": ["true"]}),
        ("--default-ulimit nofile=1024:2048", {"default-ulimits": ["nofile=1024:2048"]}),
        ("$DOCKER_OPTS ${NONE}", {"dns": ["10.0.0.1", "10.0.0.2"]}),
        ("", {}),
    ],
)
def test_flags(parts, expected):
    environment = docker.environment_of('# none\nDOCKER_OPTS="--dns 10.0.0.1 --dns=10.0.0.2"\n')
    assert docker.flags_of(["/usr/bin/dockerd", *parts.split()], environment) == expected


def test_flags_from_systemd_and_the_files_that_it_names(tmp_path):
    (tmp_path / "etc/default").mkdir(parents=True)
    (tmp_path / "etc/default/docker").write_text('DOCKER_OPTS="--icc=true"\n')
    shown = (
        "LoadState=loaded\n"
        "ExecStart={ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS $MORE ; "
        "ignore_errors=no }\n"
        'Environment=A=b "MORE=--bip 10.9.0.1/16"\n'
        "EnvironmentFiles=/etc/default/docker (ignore_errors=yes)\n"
    )
    expected = {"hosts": ["fd://"], "icc": ["true"], "bip": ["10.9.0.1/16"]}
    assert docker.unit_flags(shown, str(tmp_path)) == expected


def test_flags_of_a_drop_in_that_is_there_before_docker(tmp_path):
    shown = "LoadState=not-found\nEnvironment=\n"
    assert docker.unit_flags(shown, str(tmp_path)) is None
    folder = tmp_path / "etc/systemd/system/docker.service.d"
    folder.mkdir(parents=True)
    (folder / "docker.conf").write_text(UBUNTU_DROP_IN)
    assert docker.unit_flags(shown, str(tmp_path))["data-root"] == [ROOT]


def test_with_elastics_drop_in_only_the_limits_are_in_the_file():
    flags = docker.flags_of(docker.command_in_units([UBUNTU_DROP_IN]), {})
    found = plan(flags=flags, is_wanted_root=True)
    assert not found.problems
    assert set(found.values["settings"]) == {"default-ulimits"}
    assert not found.notes


def test_a_flag_with_another_value():
    found = plan(flags={"data-root": ["/data"], "icc": ["true"], "default-ulimits": ["nofile=1024:2048"]})
    assert found.problems == [
        "The command line of docker.service sets data-root=/data, and ece_host_preparation_engine_path is "
        "/mnt/data/docker: change one of them."
    ]
    assert len(found.notes) == 2
    assert "icc=true" in found.notes[1]


def test_high_limits_as_flags_are_right():
    flags = {"default-ulimits": ["nofile=1024000:1024000", "memlock=-1:-1", "nproc=-1"]}
    found = plan(flags=flags)
    assert not found.notes
    assert "default-ulimits" not in found.values["settings"]


def test_a_setting_that_a_flag_gives_is_refused():
    found = plan('{"hosts": ["tcp://0.0.0.0:2375"]}')
    assert "hosts is in /etc/docker/daemon.json and in the command line" in found.problems[0]
    found = plan(
        flags={"bip": ["10.0.0.1/16"]}, options={"ece_host_preparation_docker_settings": {"bip": "10.1.0.1/16"}}
    )
    assert found.problems[0].startswith("ece_host_preparation_docker_settings has bip")


# -- merging ---------------------------------------------------------------------------------------------------------


def test_settings_of_a_bare_host():
    found = plan()
    assert not found.problems
    assert json.loads(prepared()) == {
        "icc": False,
        "data-root": ROOT,
        "storage-driver": "overlay2",
        "log-driver": "json-file",
        "log-opts": {"max-size": "500m", "max-file": "10"},
        "default-ulimits": {
            name: {"Name": name, "Hard": value, "Soft": value}
            for name, value in (("nofile", 1024000), ("memlock", -1), ("nproc", -1))
        },
    }
    assert found.steps[-1] == "start Docker, now and at boot"


def test_what_others_have_set_is_kept():
    ulimits = {
        "core": {"Name": "core", "Hard": 0, "Soft": 0},
        "nofile": {"name": "nofile", "hard": 2000000, "soft": 2000000},
    }
    found = {"registry-mirrors": ["https://m.example.com"], "log-driver": "journald", "icc": True}
    text = docker.MARK + json.dumps(dict(found, **{"default-ulimits": ulimits}), indent=1).replace("\n", "\r\n")
    wanted = json.loads(prepared(text=text))
    assert wanted["registry-mirrors"] == ["https://m.example.com"]
    assert wanted["log-driver"] == "journald"
    assert "log-opts" not in wanted
    assert wanted["icc"] is False
    assert set(wanted["default-ulimits"]) == {"core", "nofile", "memlock", "nproc"}
    assert wanted["default-ulimits"]["nofile"]["soft"] == 2000000


def test_the_second_run_has_nothing_to_do():
    text = prepared()
    found = plan(text, RUNS, root=ROOT, is_wanted_root=True)
    assert found.steps == []
    assert found.problems == []
    # However the file is written.
    assert plan(json.dumps(json.loads(text)), RUNS, root=ROOT, is_wanted_root=True).steps == []


def test_a_byte_order_mark_is_removed_without_a_restart():
    text = prepared()
    found = plan(docker.MARK + text, RUNS, root=ROOT, is_wanted_root=True)
    assert found.steps == ["remove the byte order mark from /etc/docker/daemon.json"]
    assert found.values["settings"] == {"icc": False, "storage-driver": "overlay2"}
    assert not found.problems


def test_settings_of_the_user_outrank_the_others():
    given = {"icc": True, "log-opts": {"max-size": "50m"}, "storage-driver": None}
    wanted = json.loads(prepared(text='{"bip": "1.2.3.4/16"}', options={"ece_host_preparation_docker_settings": given}))
    assert wanted["icc"] is True
    assert wanted["log-opts"] == {"max-size": "50m", "max-file": "10"}
    assert "storage-driver" not in wanted
    assert wanted["bip"] == "1.2.3.4/16"


DRIVER = {"log-driver": "journald"}
OURS = {"log-driver": "json-file", "log-opts": {"max-size": "500m", "max-file": "10"}}


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("", DRIVER, {"log-driver": "journald"}),
        ("", {"log-driver": "local", "log-opts": {"max-file": "3"}}, {"log-opts": {"max-file": "3"}}),
        # After a first run without the user's driver.
        (json.dumps(OURS), DRIVER, {"log-driver": "journald", "log-opts": {}}),
        (json.dumps(OURS), {**DRIVER, "log-opts": {"tag": "x"}}, {"log-opts": {"tag": "x"}}),
        (json.dumps(OURS), {"log-driver": "json-file"}, OURS),
        ("", {"log-opts": {"max-file": None}}, {"log-driver": "json-file", "log-opts": {"max-size": "500m"}}),
        ("", {"features": {"containerd-snapshotter": True}}, {"storage-driver": None}),
        ('{"features": {"containerd-snapshotter": true}}', {"features": None}, {"storage-driver": "overlay2"}),
        ("", {"default-ulimits": {"nofile": {"soft": 70000, "hard": 70000, "name": "nofile"}}}, {}),
        ("", {"default-ulimits": None}, {"default-ulimits": None}),
    ],
)
def test_settings_of_the_user_count_before_those_of_the_role_are_chosen(text, given, expected):
    options = {"ece_host_preparation_docker_settings": given}
    written = prepared(text=text, options=options)
    wanted = json.loads(written)
    assert {key: wanted.get(key) for key in expected} == expected
    assert wanted.get("log-opts") == expected.get("log-opts", wanted.get("log-opts"))
    if "log-driver" in given and "log-opts" not in given and not text:
        assert "log-opts" not in wanted
    if "nofile" in (given.get("default-ulimits") or {}):
        assert wanted["default-ulimits"]["nofile"] == given["default-ulimits"]["nofile"]
    again = plan(written, RUNS, options, root=ROOT, is_wanted_root=True)
    assert (again.steps, again.problems) == ([], [])


def test_limits_of_the_user_that_are_no_mapping_are_a_sentence():
    found = plan(options={"ece_host_preparation_docker_settings": {"default-ulimits": ["nofile=1"]}})
    assert found.problems == [
        "default-ulimits in ece_host_preparation_docker_settings is not a mapping: use one of names to limits."
    ]


def test_the_folder_has_a_variable_of_its_own():
    found = plan(options={"ece_host_preparation_docker_settings": {"data-root": "/x"}})
    assert "set ece_host_preparation_engine_path" in found.problems[0]


def test_the_old_name_of_the_folder_goes():
    wanted = json.loads(prepared(text='{"graph": "/data"}', root="/data"))
    assert "graph" not in wanted
    assert wanted["data-root"] == ROOT


def test_a_link_to_the_folder_is_right():
    assert "data-root" not in json.loads(prepared(is_wanted_root=True))


def test_images_in_containerd_keep_their_snapshotter():
    assert "storage-driver" not in json.loads(prepared(text='{"features": {"containerd-snapshotter": true}}'))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{ // mine\n}", "not valid JSON"),
        ("[]", "it is not a mapping"),
        ('{"default-ulimits": []}', "default-ulimits in /etc/docker/daemon.json is not a mapping"),
    ],
)
def test_a_file_that_docker_cannot_read_is_not_overwritten(text, reason):
    found = plan(text)
    assert reason in found.problems[0]
    assert not found.values["write"]


@pytest.mark.parametrize("text", ["", " \n", "{}", "\ufeff"])
def test_an_empty_file_has_no_settings(text):
    assert docker.parse(text) == ({}, "")


@pytest.mark.parametrize(("version", "experimental"), [("26.1", True), ("27.0", False), ("29", False)])
def test_ipv6(version, experimental):
    wanted = json.loads(prepared(options={"ece_host_preparation_ipv6": True, "engine_version": version}))
    assert wanted["ipv6"] is True
    assert wanted["fixed-cidr-v6"] == "fd00:10:89::/64"
    assert wanted["ip6tables"] is True
    assert wanted.get("experimental", False) is experimental


def test_a_password_is_not_shown():
    text = '{"proxies": {"http-proxy": "http://user:pass@proxy.example.com"}}'
    assert plan(text).values["has_secret"] is True
    assert plan('{"proxies": {"http-proxy": "http://proxy.example.com"}}').values["has_secret"] is False


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('{"log-opts": {"splunk-token": "x"}}', True),
        ('{"log-opts": {"Password": "x"}}', True),
        ('{"labels": ["my_secret=x"]}', True),
        ('{"registry-mirrors": ["https://x@mirror.example.com"]}', True),
        ('{"registry-mirrors": ["https://mirror.example.com/a@b"]}', False),
        ('{"log-driver": "splunk", "labels": ["team=tokens"]}', False),
    ],
)
def test_keys_and_logins_that_are_secret(text, secret):
    assert docker.has_secret(text) is secret


def test_a_flag_with_a_password_is_not_repeated():
    proxy = "http://user:hunter2@proxy.example.com"
    flags = {"http-proxy": [proxy], "log-opts": ["splunk-token=hunter2"], "icc": ["true"]}
    given = {"ece_host_preparation_docker_settings": {"http-proxy": proxy}}
    found = plan('{"log-opts": {"splunk-token": "x"}}', options=given, flags=flags)
    assert len(found.problems) == 2 and "hunter2" not in " ".join([*found.problems, *found.notes])
    assert "in the command line of docker.service (log-opts)" in found.problems[1] + found.problems[0]
    assert "icc=true" in found.notes[0]


# -- a Docker that does not answer -----------------------------------------------------------------------------------


def test_the_names_that_docker_keeps(tmp_path):
    assert docker.stored_names(str(tmp_path)) == []
    folder = tmp_path / "containers" / "0a"
    folder.mkdir(parents=True)
    with pytest.raises(ValueError):
        docker.stored_names(str(tmp_path))
    for text in ('{"Name": 1}', "[]", '{"Name": "/frc-'):
        (folder / "config.v2.json").write_text(text)
        with pytest.raises(ValueError):
            docker.stored_names(str(tmp_path))
    (folder / "config.v2.json").write_text('{"State": {}, "Name": "/frc-runners-runner"}')
    assert docker.stored_names(str(tmp_path)) == ["frc-runners-runner"]


def test_docker_is_looked_for_where_its_settings_say(tmp_path, monkeypatch):
    (tmp_path / "data/containers/0a").mkdir(parents=True)
    (tmp_path / "data/containers/0a/config.v2.json").write_text('{"Name": "/fac-x"}')
    path = tmp_path / "daemon.json"
    path.write_text(json.dumps({"data-root": str(tmp_path / "data")}))
    monkeypatch.setattr(docker, "FILE", str(path))
    monkeypatch.setattr(docker, "_unit_flags_now", lambda: None)
    facts = {"engine": {"name": "docker", "store": {"folder": None}}}
    assert docker.docker_containers(facts) == (str(tmp_path / "data"), ["fac-x"])


# -- a Docker that runs ----------------------------------------------------------------------------------------------


def test_docker_is_restarted_only_if_that_is_allowed():
    found = plan('{"icc": false}', RUNS, root=ROOT, is_wanted_root=True)
    assert found.problems == [
        "Docker runs, and its settings have to change (default-ulimits, log-driver, log-opts, storage-driver in "
        "/etc/docker/daemon.json): set ece_host_preparation_restart_engine: true, which restarts it and stops its "
        "containers for that time."
    ]
    allowed = plan(
        '{"icc": false}', RUNS, {"ece_host_preparation_restart_engine": True}, root=ROOT, is_wanted_root=True
    )
    assert not allowed.problems
    assert allowed.values["restart"]
    assert "restart Docker" in allowed.steps


def test_a_docker_that_runs_since_before_its_file_was_right():
    found = plan(prepared(), RUNS)
    assert "(data-root in /etc/docker/daemon.json)" in found.problems[0]


def test_containers_in_another_folder():
    found = plan(containers=3, options={"ece_host_preparation_restart_engine": True}, units=RUNS)
    assert found.problems == [
        "Docker has 3 containers at /var/lib/docker, which it would not see at /mnt/data/docker: remove them (docker "
        "rm), or set ece_host_preparation_engine_path to /var/lib/docker."
    ]
    assert "images stay at /var/lib/docker" in plan(images=1).notes[0]


@pytest.mark.parametrize(
    ("unit", "step", "problem"),
    [
        ({"now": "inactive", "at_boot": "enabled"}, True, False),
        ({"now": "active", "at_boot": "disabled"}, True, False),
        ({"now": "active", "at_boot": "enabled"}, False, False),
        ({"now": "inactive", "at_boot": "masked"}, False, True),
    ],
)
def test_docker_runs_and_starts_at_boot(unit, step, problem):
    found = plan(prepared(), {"docker.service": unit}, root=ROOT, is_wanted_root=True)
    assert ("start Docker, now and at boot" in found.steps) is step
    assert bool(found.problems) is problem


def test_where_docker_keeps_its_data():
    facts = {"engine": {"name": "docker", "store": {"folder": None}}}
    assert docker.current_root(facts, {}, {}) == "/var/lib/docker"
    assert docker.current_root(facts, {"graph": "/g"}, {}) == "/g"
    assert docker.current_root(facts, {"data-root": "/d"}, {"data-root": ["/f"]}) == "/f"
    assert docker.current_root({"engine": {"name": "docker", "store": {"folder": "/now"}}}, {}, {}) == "/now"
