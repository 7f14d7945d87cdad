# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real module on this machine, with a container engine of the test's."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import pytest
import yaml

from ansible_collections.ece.platform.plugins.module_utils import _host_installer as host_installer
from ansible_collections.ece.platform.plugins.module_utils import _host_process as host_process
from ansible_collections.ece.platform.plugins.module_utils import _host_rules as host_rules
from ansible_collections.ece.platform.plugins.module_utils import _installer_file as installer_file
from ansible_collections.ece.platform.plugins.module_utils._errors import HostError
from ansible_collections.ece.platform.plugins.module_utils._install_files import places
from ansible_collections.ece.platform.plugins.modules import ece_host_info
from tests.unit.host_user import USER

SCRIPT = b"#!/bin/bash\nCLOUD_ENTERPRISE_VERSION=3.8.0\n"
URL = "https://downloads.example.com/elastic-cloud-enterprise.sh"


@pytest.fixture
def folder():
    path = Path(tempfile.mkdtemp(prefix="ece-"))
    path.chmod(0o755)
    (path / "bin").mkdir()
    engine(path)
    yield path
    shutil.rmtree(path)


def engine(folder, listing="", version="25.0.5"):
    docker = folder / "bin" / "docker"
    docker.write_text(
        f"#!/bin/bash\nif [[ $1 == --version ]]; then echo Docker version {version}; else printf '%s' '{listing}'; fi\n"
    )
    docker.chmod(0o755)


@pytest.fixture
def run(folder, run_module):
    def go(check_mode=False, **more):
        arguments = {
            "user": USER.pw_name,
            "storage_path": str(folder / "elastic"),
            "docker_socket": str(folder / "docker.sock"),
            "bin_paths": [str(folder / "bin")],
            "state_path": str(folder / "state"),
            "skip_checks": ["network"],
            **more,
        }
        return run_module(ece_host_info, check_mode=check_mode, connection={}, **arguments)

    return go


def test_facts_of_this_machine(folder, run):
    engine(
        folder,
        "frc-runners-runner|ece:3.8.0|Up 2 minutes\nother|x|Up 1 hour\n"
        "frc-allocators-allocator|ece:3.8.0|Exited (1) 3 minutes ago\n",
    )
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "docker.sock"))
        result = run()
    facts = result["facts"]
    assert result["changed"] is False
    assert (facts["user"]["uid"], facts["effective_uid"], facts["hostname"]) == (
        USER.pw_uid,
        os.geteuid(),
        socket.gethostname(),
    )
    assert facts["python"]["executable"] == sys.executable
    assert (facts["engine"]["name"], facts["engine"]["version"], facts["engine"]["usable"]) == (
        "docker",
        "25.0.5",
        True,
    )
    assert facts["socket"] == {"path": str(folder / "docker.sock"), "is_socket": True}
    assert facts["ece_containers"] == ["frc-allocators-allocator", "frc-runners-runner"]
    assert "other" in facts["containers"]
    assert (facts["installer_running"], facts["last_install"]) == (False, None)
    assert facts["memory"]["total_mb"] >= facts["memory"]["available_mb"] > 0
    assert facts["storage"]["existing_parent"] == str(folder)
    assert facts["max_map_count"] > 0
    assert not any("socket" in problem for problem in result["problems"])


def test_problems_are_those_of_the_rules_and_the_facts(run):
    result = run(version="3.8.0", roles=["allocator", "proxy"])
    options = {
        "version": "3.8.0",
        "roles": ["allocator", "proxy"],
        "user": USER.pw_name,
        "force": False,
        "selinux": False,
        "host_ip": None,
        "skip_checks": ["network"],
    }
    assert (result["problems"], result["warnings_found"]) == host_rules.check_requirements(result["facts"], options)
    assert any(problem.startswith("There is no socket") for problem in result["problems"])
    assert run(version="3.8.0", skip_checks=["all"])["problems"] == []


@pytest.mark.parametrize(
    ("listing", "running"),
    [
        ("elastic-cloud-enterprise-installer|ece:3.8.0|Up 2 minutes\n", True),
        ("elastic-cloud-enterprise-installer|ece:3.8.0|Exited (1) 2 minutes ago\n", False),
        ("other|x|Up 2 minutes\n", False),
    ],
)
def test_an_installer_is_found_by_its_container(folder, run, listing, running):
    engine(folder, listing)
    assert run()["facts"]["installer_running"] is running


def test_an_installer_is_found_by_the_lock_of_its_supervisor_and_its_record(folder, run):
    place = places(str(folder / "elastic"), str(folder / "state"))[0]
    os.makedirs(place.folder)
    Path(place.path("record.json")).write_text(
        json.dumps({"started": time.time() - 400, "finished": time.time() - 100, "rc": 0})
    )
    with open(place.path("lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run()["facts"]["installer_running"] is True
    facts = run()["facts"]
    assert facts["installer_running"] is False
    assert (facts["last_install"]["rc"], facts["last_install"]["age_seconds"]) == (0, pytest.approx(100, abs=60))


def test_a_user_that_does_not_exist_is_a_problem_and_not_an_error(run):
    result = run(user="no-such-user-here")
    assert result["facts"]["user"] is None
    assert any(problem.startswith("There is no user no-such-user-here") for problem in result["problems"])


def assert_documented(documented, value):
    """Check for the documented keys, and that a value is null only where the documentation mentions it."""
    assert set(value) == set(documented)
    for name, entry in documented.items():
        kinds = {"str": str, "int": int, "float": (int, float), "bool": bool, "list": list, "dict": dict}
        if value[name] is None:
            assert "null" in entry["description"], name
            continue
        assert isinstance(value[name], kinds[entry["type"]]), name
        for part in value[name] if entry.get("elements") == "dict" else [value[name]]:
            if "contains" in entry:
                assert_documented(entry["contains"], part)


@pytest.mark.parametrize("options", [{}, {"user": "no-such-user-here"}, {"container_engine": "podman"}])
def test_the_documentation_has_every_fact(folder, run, options):
    engine(folder, "other|x|Up 2 minutes\n")
    place = places(str(folder / "elastic"), str(folder / "state"))[0]
    os.makedirs(place.folder)
    Path(place.path("record.json")).write_text(json.dumps({"started": time.time() - 400, "token_id": "some-id"}))
    documented = yaml.safe_load(ece_host_info.RETURN)["facts"]
    facts = run(**options)["facts"]
    assert_documented(documented["contains"], facts)
    assert_documented(documented["contains"], documented["sample"])


def test_the_coordinator_and_the_registry_are_asked_unless_that_is_skipped(run):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        options = {"coordinator_host": "127.0.0.1", "docker_registry": f"127.0.0.1:{port}/mirror"}
        result = run(skip_checks=[], **options)
        assert run(**options)["facts"]["connections"] == []
    errors = {(one["purpose"], one["port"]): one["error"] for one in result["facts"]["connections"]}
    assert errors["registry", port] is None and errors["coordinator", 12443] == "connection refused"
    assert any("does not reach the coordinator 127.0.0.1" in sentence for sentence in result["warnings_found"])


def test_the_address_is_one_by_which_the_host_is_known(run):
    addresses = run()["facts"]["addresses"]
    for known in addresses:
        assert run(addresses=["alloc-7", known])["facts"]["host_ip"] == known
    result = run(host_ip="192.0.2.254")
    assert result["facts"]["host_ip"] == "192.0.2.254"
    foreign = "ece_host_ip 192.0.2.254 (option host_ip) is not an address of this host"
    assert any(problem.startswith(foreign) for problem in result["problems"]) is bool(addresses)


@pytest.fixture
def podman_host(folder, monkeypatch):
    """RHEL with podman and package podman-docker as they are installed, and the socket of root."""
    for name in ("bash", "test", "touch"):
        (folder / "bin" / name).symlink_to(shutil.which(name))
    monkeypatch.setattr(host_process, "SYSTEM_PATH", ())

    def command(name, body):
        (folder / "bin" / name).unlink(missing_ok=True)
        (folder / "bin" / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / "bin" / name).chmod(0o755)

    (folder / "asked").touch()
    (folder / "asked").chmod(0o666)
    ask = f'[[ $1 == --version ]] && {{ echo podman version 4.9.4-rhel; exit; }}; echo "$*" >>{folder}/asked'
    command("docker", f'{ask}\nexec podman "$@"')
    command("podman", "[[ $1 != --version ]] || echo podman version 4.9.4-rhel")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "docker.sock"))
        yield command


def engine_problems(result):
    return [problem for problem in result["problems"] if "podman" in problem.lower()]


def test_podman_as_its_packages_leave_it_is_refused_with_what_is_missing(folder, run, podman_host):
    problems = engine_problems(run())
    assert "There is no podman-remote command" in problems[0] and len(problems) == 1
    podman_host("podman-remote", "echo 'Cannot connect to Podman: permission denied' >&2; exit 125")
    problems = engine_problems(run())
    assert "cannot use podman through" in problems[0] and "permission denied" in problems[0] and len(problems) == 1
    podman_host("podman-remote", "[[ $* == *' version' ]] && echo 'Version:      4.9.4'; exit 0")
    result = run()
    assert engine_problems(result) == []
    assert any("package podman-docker" in sentence for sentence in result["warnings_found"])
    assert (folder / "asked").read_text() == ""


def test_the_table_of_a_copied_installer_decides(run):
    system = run()["facts"]["os"]["matrix_name"]
    for version, outcome in (("25.0", []), ("26.0", ["refuses"])):
        known = {"version": "4.0.3", "support_matrix": {"4.0": [f"{system} docker {version}"]}, "arguments": []}
        problems = run(version="4.0.3", installer_facts=known)["problems"]
        assert ["refuses" for problem in problems if "does not support" in problem] == outcome


def test_a_pipe_in_place_of_the_record_is_not_waited_for(folder, run):
    place = folder / "elastic" / "logs" / "ece-install"
    place.mkdir(parents=True)
    os.mkfifo(place / "record.json")
    assert run()["facts"]["last_install"] is None


def test_nothing_is_written(folder, run):
    before = sorted(folder.rglob("*"))
    run(check_mode=True)
    run()
    assert sorted(folder.rglob("*")) == before


# -- the installer at an address -------------------------------------------------------------------------------------


def inspected(run, content=SCRIPT, **options):
    with mock.patch.object(installer_file, "download", return_value=content) as download:
        result = run(
            installer_url=URL,
            installer_ca_path="/etc/ca.pem",
            installer_proxy="http://proxy.example.com:3128",
            skip_checks=[check for check in host_rules.CHECKS if check != "installer"],
            **options,
        )
    return result, download


def test_the_installer_is_read_and_returned(run):
    result, download = inspected(run, version="3.8.0")
    assert result["installer"] == {
        "version": "3.8.0",
        "checksum": "sha256:" + hashlib.sha256(SCRIPT).hexdigest(),
        "support_matrix": {},
        "arguments": [],
    }
    assert result["problems"] == []
    download.assert_called_once_with(URL, "/etc/ca.pem", "http://proxy.example.com:3128")


@pytest.mark.parametrize(
    ("content", "options", "messages"),
    [
        (SCRIPT, {"version": "3.9.0"}, ["installs ECE 3.8.0, which is older than 3.9.0"]),
        (SCRIPT, {"installer_checksum": "sha256:" + "0" * 64}, ["instead of sha256:" + "0" * 64]),
        (
            b"<html>",
            {"installer_checksum": "sha512:" + "0" * 128},
            ["instead of sha512:" + "0" * 128, "is not elastic-cloud-enterprise.sh"],
        ),
    ],
)
def test_a_wrong_installer_is_a_problem(run, content, options, messages):
    problems = inspected(run, content, **options)[0]["problems"]
    assert len(problems) == len(messages), problems
    assert [message in problem for message, problem in zip(messages, problems)] == [True] * len(messages)


def test_an_installer_that_cannot_be_downloaded_is_a_problem(run):
    with mock.patch.object(
        installer_file, "download", side_effect=HostError("the installer cannot be downloaded from x: timed out")
    ):
        result = run(installer_url=URL)
    assert "the installer cannot be downloaded from x: timed out" in result["problems"]
    assert "installer" not in result


@pytest.mark.parametrize("skip", ["installer", "all"])
def test_a_skipped_installer_is_not_downloaded(run, skip):
    with mock.patch.object(installer_file, "download", side_effect=AssertionError) as download:
        assert "installer" not in run(installer_url=URL, skip_checks=[skip])
    assert not download.called


# -- the installer on the host ---------------------------------------------------------------------------------------

INSTALLER_ALONE = [check for check in host_rules.CHECKS if check != "installer"]


@pytest.fixture
def script(folder):
    path = folder / "elastic-cloud-enterprise.sh"
    path.write_bytes(SCRIPT)
    path.chmod(0o755)
    return path


def of_the_installer(run, script, **options):
    return run(installer_path=str(script), skip_checks=INSTALLER_ALONE, **options)


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_installer_that_lies_on_the_host_is_read_and_returned(run, script, check_mode):
    result = of_the_installer(run, script, version="3.8.0", check_mode=check_mode)
    assert (result["installer"]["version"], result["installer"]["checksum"], result["problems"]) == (
        "3.8.0",
        "sha256:" + hashlib.sha256(SCRIPT).hexdigest(),
        [],
    )


@pytest.mark.parametrize(
    ("change", "options", "sentence"),
    [
        pytest.param(Path.unlink, {}, "(option installer_path) is not a file on the host: copy it", id="missing"),
        pytest.param(None, {"version": "3.9.0"}, "installs ECE 3.8.0, which is older than 3.9.0", id="older"),
        pytest.param(None, {"installer_checksum": "sha256:" + "0" * 64}, "instead of sha256:0000", id="checksum"),
        pytest.param(lambda path: path.write_text("echo"), {}, "is not elastic-cloud-enterprise.sh", id="another file"),
        pytest.param(lambda path: path.write_bytes(SCRIPT + b"f() {"), {}, "is damaged or cut off", id="cut off"),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_wrong_installer_on_the_host_is_a_problem_with_the_sentence_of_the_installation(
    run, script, change, options, sentence, check_mode
):
    if change:
        change(script)
    result = of_the_installer(run, script, check_mode=check_mode, **options)
    with pytest.raises(HostError) as refused:
        host_installer.right_script(
            {
                "installer_path": str(script),
                "installer_url": None,
                "installer_checksum": None,
                "version": None,
                "user": USER.pw_name,
                "storage_path": "/x/y",
                **options,
            }
        )
    sentence = sentence.replace("copy it", "copy the installer there")
    assert [str(refused.value)] == result["problems"] and sentence in result["problems"][0], result["problems"]


@pytest.mark.skipif(os.geteuid() != 0, reason="without root the install user is who reads it")
def test_an_installer_that_only_root_can_read_is_a_problem(run, script):
    script.chmod(0o600)
    (problem,) = of_the_installer(run, script)["problems"]
    assert problem == (
        f"ece_host_installer_path {script} (option installer_path) cannot be read by user {USER.pw_name}, who runs "
        "it: let that user read it"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="without root it is the user's own file")
@pytest.mark.parametrize("planted", ["link", "pipe"])
def test_the_check_reads_no_link_or_pipe_of_the_install_user(folder, run, script, planted):
    (folder / "of-user").mkdir()
    os.chown(folder / "of-user", USER.pw_uid, USER.pw_gid)
    path = folder / "of-user" / script.name
    if planted == "link":
        path.symlink_to(script)
    else:
        os.mkfifo(path)
    result = of_the_installer(run, path)
    assert len(result["problems"]) == 1 and "installer" not in result, result["problems"]


def test_the_table_of_the_installer_on_the_host_decides(run, script):
    script.write_text('CLOUD_ENTERPRISE_VERSION=4.0.3\nECE_compatibility["4.0"]="SLES-1_Docker-1.0"\n')
    problems = run(installer_path=str(script), version="4.0.3")["problems"]
    assert any("it supports SLES-1" in problem for problem in problems), problems


def test_a_file_that_a_copy_replaces_is_not_read(run, script):
    script.write_text("an old one")
    known = {"version": "3.8.0", "support_matrix": {}, "arguments": []}
    result = of_the_installer(run, script, installer_facts=known)
    assert result["problems"] == [] and "installer" not in result


@pytest.mark.parametrize("given", [True, False], ids=["path", "beside the storage path"])
def test_nothing_is_downloaded_where_the_file_with_the_checksum_lies_on_the_host(run, script, given):
    checksum = "sha256:" + hashlib.sha256(SCRIPT).hexdigest()
    path = {"installer_path": str(script)} if given else {}
    with mock.patch.object(installer_file, "download", side_effect=HostError("no route")):
        result = run(installer_url=URL, installer_checksum=checksum, skip_checks=INSTALLER_ALONE, **path)
        without = run(installer_url=URL, skip_checks=INSTALLER_ALONE, **path)
    assert (result["problems"], result["installer"]["checksum"]) == ([], checksum)
    assert without["problems"] == ["no route"]  # nothing proves that the file is the right one


@pytest.mark.parametrize("skip", ["installer", "all"])
def test_a_skipped_installer_on_the_host_is_not_read(run, script, skip):
    script.unlink()
    result = run(installer_path=str(script), skip_checks=[skip])
    assert not any("installer_path" in problem for problem in result["problems"])


# -- options -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": "3.8"}, "version '3.8' is not a version"),
        ({"user": "a b"}, "user 'a b' cannot be given to the installer"),
        ({"storage_path": "/mnt/a b"}, "storage_path '/mnt/a b' cannot be given"),
        ({"host_ip": "10.0.0"}, "host_ip '10.0.0' cannot be given"),
        ({"roles": ["admin"]}, "roles"),
        ({"roles": []}, "roles [] is not a list of roles"),
        ({"installer_url": "ftp://x"}, "installer_url 'ftp://x' is not an address"),
        ({"installer_url": "http://x/y"}, "is not encrypted"),
        ({"installer_url": URL, "installer_checksum": "deadbeef"}, "installer_checksum 'deadbeef' is not a checksum"),
    ],
)
def test_wrong_options_are_refused(run, options, message):
    with mock.patch.object(installer_file, "download", return_value=SCRIPT):
        result = run(**options)
    assert (result["failed"], message in result["msg"]) == (True, True), result["msg"]


def test_names_of_files_of_the_host_reach_no_terminal(folder, run):
    (folder / "elastic" / "\x1b[2Jx\n  3 connected" / "services").mkdir(parents=True)
    result = run()
    assert result["facts"]["runner_ids"] == ["x\n  3 connected"]
    assert "\x1b" not in json.dumps(result, ensure_ascii=False)
    assert any("(x 3 connected/services)" in problem for problem in result["problems"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a folder of its own")
def test_a_record_in_a_folder_that_another_user_can_change_is_not_read(folder, run):
    base = folder / "of-user"
    base.mkdir()
    os.chown(base, USER.pw_uid, USER.pw_gid)
    result = run(state_path=str(base / "state"))
    assert result["failed"] and "set state_path (ece_host_state_path) to a folder that only root" in result["msg"]
