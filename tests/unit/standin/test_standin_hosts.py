# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in's join server, installer and engine: what they refuse, with which exit code, and what they leave."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.standin import StandIn
from tests.standin.hosts import COMMANDS, FILES, SELINUX_FILE, engine_text, host_files, installer_text
from tests.standin.model import Refused
from tests.unit.standin.standin_helpers import Client, Installer

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to run as another user")
NAMES = {"ubuntu": "Ubuntu", "rocky": "Rocky Linux", "rhel": "Red Hat Enterprise Linux", "sles": "SLES"}
RUNNER = "frc-runners-runner"
REFUSAL = re.compile(r"\x1b\[0;31m[^\x1b]+\x1b\[0m\n|Can't use a --cloud-enterprise-version value greater[^\n]+\n")


@pytest.fixture
def host(ece: StandIn) -> dict:
    return ece.add_host("h", "10.9.0.1", zone="ece-zone-2")


# -- the join server -------------------------------------------------------------------------------------------------


def refusal(ece: StandIn, token: str, **changes: str) -> str:
    """Return why the platform refuses a host, the empty string where the host joins."""
    message = {
        "token": token,
        "runner_id": "r",
        "host_ip": "10.0.0.9",
        "zone": "z",
        "roles": "allocator",
        "version": "3.8.0",
        **changes,
    }
    try:
        ece.platform.join(message)
    except Refused as refused:
        return str(refused)
    return ""


def test_expired_revoked_and_foreign_tokens_are_refused(
    ece: StandIn, api: Client, make: Callable[..., StandIn]
) -> None:
    ephemeral = api.token("allocator", validity_in_seconds=60)
    persistent = api.token("allocator", persistent=True)
    ece.platform.advance(61)
    assert "expired" in refusal(ece, ephemeral)
    ece.platform.tokens.revoke(ece.tokens[0])
    assert "revoked" in refusal(ece, persistent)
    assert "not minted by this platform" in refusal(ece, Client(make()).token("allocator"))
    forged = api.token("allocator")
    assert "not minted by this platform" in refusal(ece, forged[:-4] + "AAAA")
    assert "no enrollment token" in refusal(ece, "")
    assert [item["ok"] for item in ece.joins] == [False] * 5 and "eyJ" not in str(ece.joins)


def test_a_host_that_is_registered_or_sends_wrong_values_is_refused(ece: StandIn, api: Client) -> None:
    token = api.token("allocator")
    assert "differs" in refusal(ece, token, version="3.7.0")
    assert "still registered" in refusal(ece, token, runner_id="10.1.0.1")
    assert "still registered" in refusal(ece, token, host_ip="10.1.0.1")
    ece.platform.disconnect("10.1.0.1")
    assert "still registered" in refusal(ece, token, runner_id="10.1.0.1")
    ece.platform.delete_runner("10.1.0.1")
    assert "still registered" in refusal(ece, token, runner_id="10.1.0.1"), "the allocator is still registered"
    ece.platform.delete_allocator("10.1.0.1", False)
    assert refusal(ece, token, runner_id="10.1.0.1") == ""
    other = {"runner_id": "other", "host_ip": "10.0.0.10"}
    assert "no such role" in refusal(ece, token, roles="controller", **other)
    assert "not a tag" in refusal(ece, token, tags="ssd", **other)
    assert "required" in refusal(ece, token, zone="")


def test_a_role_that_the_token_lacks_is_pending(ece: StandIn, api: Client) -> None:
    assert refusal(ece, api.token("proxy"), roles="allocator,proxy") == ""
    assert ece.joins[-1]["roles"] == ["proxy"]
    assert api("GET", "/platform/infrastructure/allocators/r").status_code == 404
    role = api.get("/platform/infrastructure/blueprinter/roles/allocator")
    assert "r" in role["pending"]["value"]["runner_ids_to_pending_state"]
    api("PUT", "/platform/infrastructure/blueprinter/roles/allocator/blessings/r", json={"value": True})
    assert api.get("/platform/infrastructure/allocators/r")["status"]["connected"] is True


# -- the installer ---------------------------------------------------------------------------------------------------


def test_a_host_joins(ece: StandIn, api: Client, host: dict, installer: Installer) -> None:
    token = api.token("allocator")
    done = installer.join(
        "h",
        token,
        "allocator",
        "--availability-zone",
        "ece-zone-2",
        "--capacity",
        "9000",
        "--allocator-tags",
        "ssd:true,rack:7",
    )
    assert done.returncode == 0, done.stderr
    assert ece.joins[-1]["ok"] and ece.joins[-1]["zone"] == "ece-zone-2"
    allocator = api.get("/platform/infrastructure/allocators/10.9.0.1")
    assert allocator["status"]["connected"] and allocator["capacity"]["memory"]["total"] == 9000
    assert allocator["metadata"] == [{"key": "ssd", "value": "true"}, {"key": "rack", "value": "7"}]
    runner = api.get("/platform/infrastructure/runners/10.9.0.1")
    names = sorted(f"frc-{item['container_set_name']}-{item['container_name']}" for item in runner["containers"])
    assert ece.hosts["h"].containers == names and len(names) == 7
    shown = installer.engine(
        "h", "ps", "-a", "--no-trunc", "--format", "{{.Names}}|{{.Image}}|{{.Status}}"
    ).stdout.splitlines()
    assert len(shown) == 7 and all(":3.8.0|Up " in line for line in shown)
    assert token in ece.hosts["h"].log and "Application is exiting" in ece.hosts["h"].log
    assert not (ece.hosts["h"].storage / "logs/bootstrap-logs/elastic-cloud-enterprise.log").exists()
    assert ece.violations == []
    # The host has a runner now, so a second installation is refused.
    again = installer.join("h", token)
    assert again.returncode == 1 and "already on this host" in ece.hosts["h"].log and len(ece.joins) == 1


def test_arguments_and_environment_are_recorded_without_the_token(
    ece: StandIn, api: Client, host: dict, installer: Installer
) -> None:
    token = api.token("allocator")
    installer.join("h", token, environment={"CLOUD_FEATURE_X": "1", "SECRET": token})
    arguments = ece.hosts["h"].last_arguments
    assert arguments[arguments.index("--roles-token") + 1] == "sha256:" + hashlib.sha256(token.encode()).hexdigest()
    assert set(ece.hosts["h"].last_environment) <= {"PATH", "LANG", "PWD", "SHLVL", "_", "CLOUD_FEATURE_X", "SECRET"}
    container = (ece.hosts["h"].state / "last-container-environment").read_text(encoding="utf-8")
    assert "CLOUD_FEATURE_X=1" in container
    for path in ece.hosts["h"].state.rglob("*"):
        assert not path.is_file() or "eyJ" not in path.read_text(encoding="utf-8"), path


def test_options_that_are_not_given_come_from_the_environment(
    ece: StandIn, api: Client, host: dict, installer: Installer
) -> None:
    environment = {"RUNNER_ID": "from-outside", "CAPACITY": "8200", "AVAILABILITY_ZONE": "elsewhere"}
    assert installer.join("h", api.token("allocator"), environment=environment).returncode == 0
    assert ece.platform.allocator("from-outside").capacity_mb == 8200
    assert ece.platform.allocator("from-outside").zone_id == "elsewhere"


def test_a_blank_cuts_a_value_and_a_quote_is_evaluated(
    ece: StandIn, api: Client, host: dict, installer: Installer
) -> None:
    settings = '{"runner":{"xms":"1G", "xmx":"1G"}}'
    done = installer.join(
        "h",
        api.token("allocator", "proxy"),
        "allocator, proxy",
        "--memory-settings",
        settings,
        "--availability-zone",
        " zone-a b",
    )
    assert done.returncode == 0, done.stderr
    assert ece.joins[-1]["roles"] == ["allocator"] and ece.joins[-1]["zone"] == "zone-a"
    container = (ece.hosts["h"].state / "last-container-environment").read_text(encoding="utf-8")
    assert 'MEMORY_SETTINGS={"runner":{"xms":"1G",\n' in container
    marker = ece.hosts["h"].folder / "data" / "evaluated"
    installer.install("h", "--availability-zone", f"z';>{marker};'")
    assert marker.exists()


def test_compact_memory_settings_are_not_cut(ece: StandIn, api: Client, host: dict, installer: Installer) -> None:
    settings = '{"runner":{"xms":"1G","xmx":"1G"}}'
    assert installer.join("h", api.token("allocator"), "allocator", "--memory-settings", settings).returncode == 0
    assert f"MEMORY_SETTINGS={settings}\n" in (ece.hosts["h"].state / "last-container-environment").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["--nonsense"], 3),
        (["--roles-token"], 3),
        (["--roles-token", ""], 3),
        (["--roles-token", "--roles", "allocator"], 3),
        (["--coordinator-host", "127.0.0.1"], 3),
        (["--cloud-enterprise-version", "3.9.0"], 1),
        (["--cloud-enterprise-version", "latest"], 1),
        (["--capacity", "8191"], 1),
        (["--selinux"], 1),
        (["--proxy-protocol-version", "2"], 3),
        (["--proxy-protocol-lenient"], 3),
        (["--host-docker-host", "/nowhere.sock"], 5),
        (["--host-docker-host", "/nowhere.sock", "--force"], 5),
    ],
)
def test_wrong_arguments_have_their_exit_codes(
    ece: StandIn, host: dict, installer: Installer, arguments: list[str], code: int
) -> None:
    done = installer.install("h", *arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert REFUSAL.fullmatch(done.stdout) and done.stderr == ""
    assert ece.hosts["h"].containers == [] and ece.joins == []


def test_the_help_ends_well(ece: StandIn, host: dict, installer: Installer) -> None:
    assert installer.install("h", "--help").returncode == 0 and ece.hosts["h"].containers == []


def test_actions_other_than_install_are_refused(ece: StandIn, host: dict, installer: Installer) -> None:
    script = str(ece.installer_path)
    assert installer.run("h", ["bash", script, "uninstall"]).returncode == 2
    assert installer.run("h", ["bash", script, "upgrade"]).returncode == 1
    assert installer.run("h", ["bash", script, "configure-selinux-settings"]).returncode == 2
    ece.write_installer("4.0.3")
    assert installer.run("h", ["bash", script, "configure-selinux-settings"]).returncode == 1


@as_root
def test_root_may_not_run_the_installer(ece: StandIn, host: dict, installer: Installer) -> None:
    done = installer.install("h", "--force", as_root=True)
    assert done.returncode == 4 and "must not be smaller than 1000" in done.stdout


@as_root
def test_a_user_who_may_not_run_docker(ece: StandIn, api: Client, host: dict, installer: Installer) -> None:
    ece.hosts["h"].forbid_socket()
    done = installer.install("h")
    assert done.returncode == 4 and "add the user to the docker group" in done.stdout
    assert "permission denied" in installer.engine("h", "ps").stderr
    assert installer.engine("h", "ps", as_root=True).returncode == 0


def test_an_engine_that_does_not_respond(ece: StandIn, host: dict, installer: Installer) -> None:
    ece.hosts["h"].configure(broken=True)
    assert "Cannot connect to the Docker daemon" in installer.engine("h", "ps").stderr
    assert installer.install("h").returncode == 4
    ece.hosts["h"].configure(broken=None)
    assert installer.engine("h", "ps").returncode == 0
    ece.hosts["h"].close_socket()
    assert installer.engine("h", "ps").returncode == 1
    assert installer.install("h").returncode == 5


def container_environment(ece: StandIn, name: str = "h") -> dict[str, str]:
    """Return the environment of the last installer's container."""
    text = (ece.hosts[name].state / "last-container-environment").read_text(encoding="utf-8")
    return dict(line.partition("=")[::2] for line in text.splitlines())


def test_active_firewalld_is_refused_by_3_and_told_to_the_container_by_4(make: Callable[..., StandIn]) -> None:
    for version, code in (("3.8.0", 5), ("4.0.3", 0)):
        ece = make(version=version)
        ece.add_host("h", "10.9.0.1", firewalld="active")
        done = Installer(ece).join("h", Client(ece).token("allocator"))
        assert done.returncode == code and "The firewalld service " in done.stdout
    assert container_environment(ece)["HOST_PREREQ_FAILED"] == "true"


def test_force_lets_an_installation_go_on_where_firewalld_is_active(make: Callable[..., StandIn]) -> None:
    for version in ("3.8.0", "4.0.3"):
        ece = make(version=version)
        ece.add_host("h", "10.9.0.1", firewalld="active", refuse_failed_prerequisites=True)
        installer, token = Installer(ece), Client(ece).token("allocator")
        assert installer.join("h", token).returncode != 0
        assert installer.join("h", token, "allocator", "--force").returncode == 0


@pytest.mark.parametrize(
    "script, engine, version, name, release, wanted, code",
    [
        ("4.0.3", "docker", "25.0.5", "ubuntu", "22.04", "3.8.0", 0),
        ("4.0.3", "docker", "24.0.2", "ubuntu", "22.04", "3.8.0", 0),
        ("4.0.3", "docker", "24.0.2", "ubuntu", "22.04", "4.0.3", 1),
        ("4.0.3", "docker", "26.1.0", "ubuntu", "22.04", "4.0.3", 1),
        ("4.0.3", "docker", "27.0.3", "ubuntu", "24.04", "4.0.3", 0),
        ("4.0.3", "docker", "27.5.1", "ubuntu", "24.04", "4.0.3", 1),
        ("4.0.3", "docker", "25.0.5", "ubuntu", "22.04", "3.7.0", 1),
        ("4.0.3", "docker", "20.10.7", "ubuntu", "20.04", "3.6.2", 0),
        ("4.0.3", "docker", "25.0.5", "debian", "12", "3.8.0", 1),
        ("4.0.3", "podman", "5.4.0", "rocky", "9.5", "3.8.0", 0),
        ("4.0.3", "podman", "4.9.4", "rocky", "9.5", "3.8.0", 1),
        ("4.0.3", "podman", "4.9.4-rhel", "rhel", "8.10", "3.8.0", 0),
        ("4.1.1", "docker", "29.7.2", "sles", "15.7", "4.1.1", 1),
        ("4.2.0", "docker", "29.7.2", "sles", "15.7", "4.2.0", 0),
        ("4.2.0", "docker", "27.0.3", "sles", "15.7", "4.2.0", 1),
        ("4.2.0", "docker", "29.2.0", "ubuntu", "24.04", "4.2.0", 1),
        ("4.2.0", "docker", "29.3.0", "ubuntu", "24.04", "4.2.0", 0),
        ("4.2.0", "docker", "29.3.0", "ubuntu", "24.04", "4.0.3", 1),
        ("4.2.0", "podman", "5.4.0", "rhel", "10.1", "4.2.0", 0),
        ("4.0.3", "podman", "5.4.0", "rhel", "10.1", "4.0.3", 1),
        ("3.8.0", "docker", "19.03.1", "debian", "12", "3.8.0", 0),
    ],
)
def test_scripts_from_4_0_on_enforce_their_own_matrix(
    make: Callable[..., StandIn],
    script: str,
    engine: str,
    version: str,
    name: str,
    release: str,
    wanted: str,
    code: int,
) -> None:
    ece = make(version=wanted)
    ece.write_installer(script)
    ece.add_host("h", "10.9.0.1", engine=engine, engine_version=version)
    (ece.hosts["h"].folder / "os-release").write_text(
        f'NAME="{NAMES.get(name, name)}"\nID="{name}"\nVERSION_ID="{release}"\n', encoding="utf-8"
    )
    arguments = ["--cloud-enterprise-version", wanted, *(["--podman"] if engine == "podman" else [])]
    done = Installer(ece).join("h", Client(ece).token("allocator"), "allocator", *arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    # The log is there after a refusal, too, so it does not prove that the host was installed.
    log = ece.hosts["h"].storage / "logs/bootstrap-logs/elastic-cloud-enterprise.log"
    assert log.exists() is (not script.startswith("3."))
    if code:
        assert " is not compatible with " in done.stdout and done.stdout.endswith(
            " Please consult the support matrix.\n"
        )
        assert Installer(ece).install("h", "--force", *arguments).returncode == 1
        ece.hosts["h"].configure(skip_matrix=True)
        assert Installer(ece).join("h", Client(ece).token("allocator"), "allocator", *arguments).returncode == 0


def test_a_script_holds_the_matrix_and_the_options_of_its_version() -> None:
    for version, rows in (("3.8.0", 0), ("4.0.3", 6), ("4.1.1", 6), ("4.2.0", 7), ("4.2.0-SNAPSHOT", 7), ("10.0", 7)):
        text = installer_text(version)
        assert len(re.findall(r'^ECE_compatibility\["\d+\.\d+"\]="[^"]+"', text, re.MULTILINE)) == rows, version
        assert ("--proxy-protocol-version)" in text) is (rows == 7)
        assert f"CLOUD_ENTERPRISE_VERSION={version}\n" in text


def test_a_host_of_another_version_is_refused(ece: StandIn, api: Client, host: dict, installer: Installer) -> None:
    ece.write_installer("4.0.3")
    done = installer.join("h", api.token("allocator"))
    assert done.returncode == 1 and "differs from the platform's" in ece.hosts["h"].log
    assert (
        installer.join("h", api.token("allocator"), "allocator", "--cloud-enterprise-version", "3.8.0").returncode == 0
    )


def test_the_installer_fails_where_the_platform_refuses_the_host_or_cannot_be_reached(
    ece: StandIn, api: Client, host: dict, installer: Installer
) -> None:
    token = api.token("allocator", validity_in_seconds=1)
    ece.platform.advance(2)
    done = installer.join("h", token)
    assert done.returncode == 1 and "expired" in ece.hosts["h"].log and ece.hosts["h"].containers == []
    ece.hosts["h"].configure(join_port=1)
    done = installer.join("h", api.token("allocator"))
    assert done.returncode == 1 and "cannot be reached" in ece.hosts["h"].log


def test_settings_change_how_a_host_behaves(ece: StandIn, api: Client, host: dict, installer: Installer) -> None:
    token = api.token("allocator")
    ece.hosts["h"].configure(fail=5, fail_message="it's $no `good`", leave_containers=True)
    done = installer.join("h", token)
    assert (
        done.returncode == 5 and done.stdout.endswith("\nit's $no `good`\n") and ece.hosts["h"].containers == [RUNNER]
    )
    installer.engine("h", "rm", "-f", RUNNER)
    ece.hosts["h"].configure(fail=None, busy_ports=[21000])
    assert "already allocated" in installer.join("h", token).stderr
    ece.hosts["h"].configure(busy_ports=None, join_zone="elsewhere")
    assert installer.join("h", token).returncode == 0
    assert ece.joins[-1]["zone"] == "elsewhere"
    with pytest.raises(ValueError):
        ece.hosts["h"].configure(nonsense=1)


def test_without_a_coordinator_a_new_platform_is_installed(ece: StandIn, host: dict, installer: Installer) -> None:
    assert installer.install("h").returncode == 0
    assert ece.joins == [] and (ece.hosts["h"].state / "new-installation").exists()
    assert "frc-directors-director" in ece.hosts["h"].containers


def test_the_debug_output_holds_the_token(ece: StandIn, api: Client, host: dict, installer: Installer) -> None:
    token = api.token("allocator")
    assert token in installer.join("h", token, "allocator", "--debug").stdout


# -- the engine ------------------------------------------------------------------------------------------------------


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until the condition is true, and fail after this many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_second_installer_is_refused_while_the_first_runs(
    ece: StandIn, api: Client, host: dict, installer: Installer
) -> None:
    ece.hosts["h"].configure(hang=True)
    token = api.token("allocator")
    command = installer.argv("h", "--coordinator-host", "127.0.0.1", "--roles-token", token, "--roles", "allocator")
    first = installer.popen("h", command)
    try:
        wait_for(lambda: ece.hosts["h"].containers == ["elastic-cloud-enterprise-installer"])
        second = installer.run("h", command)
        assert second.returncode == 125 and "already in use" in second.stderr
        assert ece.hosts["h"].containers == ["elastic-cloud-enterprise-installer"]
        shown = installer.engine("h", "ps", "--filter", "name=installer", "--format", "{{.Names}} {{.State}}").stdout
        assert shown == "elastic-cloud-enterprise-installer running\n"
        assert installer.engine("h", "rm", "-f", "elastic-cloud-enterprise-installer").returncode == 0
        first.communicate(timeout=60)
        assert first.returncode == 137
    finally:
        first.kill()
        first.communicate()
    assert installer.engine("h", "ps", "-a", "-q").stdout == ""


def test_the_container_of_the_installer_outlives_its_script(
    ece: StandIn, api: Client, host: dict, installer: Installer
) -> None:
    ece.hosts["h"].configure(install_seconds=1)
    command = installer.argv(
        "h", "--coordinator-host", "127.0.0.1", "--roles-token", api.token("allocator"), "--roles", "allocator"
    )
    script = installer.popen("h", command)
    wait_for(lambda: ece.hosts["h"].containers != [])
    script.kill()
    script.wait()
    wait_for(lambda: len(ece.joins) == 1)


def test_a_killed_container_is_removed(ece: StandIn, api: Client, host: dict, installer: Installer) -> None:
    ece.hosts["h"].configure(hang=True)
    script = installer.popen("h", installer.argv("h", "--coordinator-host", "x", "--roles-token", "y"))
    wait_for(lambda: ece.hosts["h"].containers != [])
    wait_for(ece.hosts["h"].kill_installer)
    script.communicate(timeout=60)
    assert installer.engine("h", "ps", "-a", "--format", "{{.Names}}").stdout == ""


def test_removing_the_runner_disconnects_the_host(ece: StandIn, api: Client, host: dict, installer: Installer) -> None:
    installer.join("h", api.token("allocator"))
    path = "/platform/infrastructure/runners/10.9.0.1"
    assert api.get(path)["connected"] is True
    assert installer.engine("h", "rm", RUNNER).returncode == 1
    assert installer.engine("h", "stop", RUNNER).returncode == 0
    assert api.get(path)["connected"] is False
    assert installer.engine("h", "ps", "--filter", "name=" + RUNNER, "--format", "{{.Names}}").stdout == ""
    assert installer.engine("h", "inspect", "--format", "{{.State.Status}}", RUNNER).stdout == "exited\n"
    assert installer.engine("h", "start", RUNNER).returncode == 0
    assert api.get(path)["connected"] is True
    assert installer.engine("h", "rm", "-f", RUNNER).returncode == 0
    assert api.get(path)["connected"] is False and RUNNER not in ece.hosts["h"].containers


def test_the_other_commands_of_the_engine(ece: StandIn, host: dict, installer: Installer) -> None:
    assert installer.engine("h", "--version").stdout == "Docker version 25.0.5, build 0000000\n"
    assert installer.engine("h", "version", "--format", "{{.Client.Version}}").stdout == "25.0.5\n"
    assert installer.engine("h", "info").returncode == 0
    assert installer.engine("h", "inspect", "nothing").returncode == 1
    assert installer.engine("h", "nonsense").returncode == 1
    container = installer.engine("h", "run", "-d", "--name", "other", "--env", "A=B", "image:1").stdout.strip()
    assert len(container) == 64
    assert installer.engine("h", "ps", "--format", "{{.ID}} {{.Image}}").stdout == f"{container[:12]} image:1\n"
    assert installer.engine("h", "ps", "--format", "{{.Nonsense}}").returncode != 0
    assert installer.engine("h", "rm", "-f", container[:12]).returncode == 0
    ece.add_host("p", "10.9.0.2", engine="podman", engine_version="5.4.0")
    assert installer.engine("p", "--version").stdout == "podman-remote version 5.4.0\n"


def test_an_engine_responds_only_on_its_socket(ece: StandIn, host: dict, installer: Installer) -> None:
    ece.add_host("p", "10.9.0.2", engine="podman", engine_version="5.4.0")
    for name, *flags in (("h", "-H"), ("h", "--host"), ("p", "--remote", "--url"), ("p", "-H")):
        assert installer.engine(name, *flags, f"unix://{ece.hosts[name].socket}", "ps", "-q").returncode == 0
        elsewhere = installer.engine(name, *flags, "unix:///nowhere.sock", "ps", "-q")
        assert "annot connect to" in elsewhere.stderr and "/nowhere.sock" in elsewhere.stderr
        assert elsewhere.returncode == (125 if name == "p" else 1)
        assert installer.engine(name, *flags, "unix:///nowhere.sock", "run", "i:1").returncode == 125
    assert "unknown flag: --remote" in installer.engine("h", "--remote", "ps").stderr


def test_the_docker_command_of_a_host_with_podman_calls_podman_remote_or_emulates(
    ece: StandIn, installer: Installer
) -> None:
    ece.add_host("p", "10.9.0.2", engine="podman")
    assert installer.engine("p", "version", "--format", "{{.Client.Version}}").returncode == 0
    ece.hosts["p"].configure(missing_commands=["podman-remote"])
    emulated = installer.engine("p", "ps")
    assert emulated.returncode == 0 and emulated.stderr.startswith("Emulate Docker CLI using podman.")
    ece.hosts["p"].configure(missing_commands=None)
    assert (ece.hosts["p"].folder / "bin" / "podman-remote").exists()


@as_root
def test_rootless_podman_does_not_need_the_socket_and_sees_its_own_containers(
    ece: StandIn, installer: Installer
) -> None:
    ece.add_host("p", "10.9.0.2", engine="podman", rootless=True)
    podman = str(ece.hosts["p"].folder / "bin" / "podman")
    assert installer.run("p", [podman, "run", "-d", "--name", "own", "i:1"]).returncode == 0
    ece.hosts["p"].forbid_socket()
    assert installer.run("p", [podman, "ps", "--format", "{{.Names}}"]).stdout == "own\n"
    refused = installer.engine("p", "ps")
    assert refused.returncode == 125 and "permission denied" in refused.stderr
    assert ece.hosts["p"].containers == []


def test_a_slow_engine(ece: StandIn, host: dict, installer: Installer) -> None:
    ece.hosts["h"].configure(engine_seconds=0.3)
    before = time.monotonic()
    assert installer.engine("h", "ps").returncode == 0 and time.monotonic() - before >= 0.3


def test_the_commands_of_a_host_show_its_addresses_and_logind(ece: StandIn, host: dict, installer: Installer) -> None:
    bin_folder = ece.hosts["h"].folder / "bin"

    def ip(*arguments: str) -> str:
        return installer.run("h", [str(bin_folder / "ip"), *arguments]).stdout

    assert ip("-4", "route", "show", "default") == "default via 10.9.0.254 dev eth0 proto static\n"
    assert "10.9.0.0/24 dev eth0" in ip("route")
    assert " eth0    inet 10.9.0.1/24 " in ip("-4", "-o", "addr", "show", "dev", "eth0")
    assert "127.0.0.1/8" in ip("addr") and ip("-6", "-o", "addr") == "" and ip("-6", "route") == ""
    ece.hosts["h"].configure(addresses=["10.9.0.1/24", "10.9.0.200/32", "eth1 10.20.0.1/16"])
    lines = [line.split()[3] for line in ip("-o", "addr", "show", "eth0").splitlines()]
    assert lines == ["10.9.0.1/24", "10.9.0.200/32"] and "10.20.0.1/16" in ip("a")
    unknown = installer.run("h", [str(bin_folder / "ip"), "addr", "show", "dev", "nothing"])
    assert unknown.returncode == 1 and unknown.stderr == 'Device "nothing" does not exist.\n'
    question = ["get-property", "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"]
    asked = [str(bin_folder / "busctl"), *question, "KillUserProcesses"]
    assert installer.run("h", asked).stdout == "b false\n"
    ece.hosts["h"].configure(kill_user_processes=True)
    assert installer.run("h", asked).stdout == "b true\n"
    assert installer.run("h", [str(bin_folder / "busctl"), "list"]).returncode == 1


# -- inventories and files for hosts ---------------------------------------------------------------------------------


def test_an_inventory_names_all_hosts_and_holds_no_secret(ece: StandIn, host: dict) -> None:
    assert host["ece_host_zone"] == "ece-zone-2" and host["ece_host_ip"] == "10.9.0.1"
    inventory = ece.inventory({"h": host, **ece.existing_hosts()})
    assert inventory["all"]["vars"] == {"ece_url": ece.url, "ece_ca_path": ece.ca_path}
    assert len(inventory["all"]["children"]["allocators"]["hosts"]) == 4
    assert ece.password not in str(inventory)


@as_root
def test_a_directory_that_the_install_user_cannot_reach_is_refused(
    tmp_path: Path, make: Callable[..., StandIn]
) -> None:
    tmp_path.chmod(0o700)
    ece = make(directory=tmp_path / "d")
    with pytest.raises(ValueError, match="closed to other users"):
        ece.add_host("h", "10.9.0.1")


def test_files_for_a_real_host() -> None:
    files = host_files(4711, "10.0.0.1", install_seconds=3)
    assert (
        files["/usr/local/bin/docker"][1] == 0o755
        and "SocketGroup=docker" in files["/etc/systemd/system/docker.socket"][0]
    )
    assert (
        "JOIN_PORT=4711\n" in files["/etc/ece-standin.conf"][0]
        and "INSTALL_SECONDS=3\n" in files["/etc/ece-standin.conf"][0]
    )


def test_the_scripts_use_only_bash_and_coreutils() -> None:
    others = [(FILES / name).read_text(encoding="utf-8") for name in (*COMMANDS, "docker-wrapper", SELINUX_FILE)]
    for text in (engine_text(), installer_text("4.2.0"), *others):
        code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        for tool in ("python", "curl", " sed ", " awk ", " grep ", "/tmp"):
            assert tool not in code, tool
