# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rulebooks with ansible-rulebook: what an autoscaler posts, and what happens then."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.eda.rulebook import PATIENCE_SECONDS, TOKEN, Controller, Rulebook, running, short
from tests.integration.operator import COLLECTIONS, Operator

BY_PLAYBOOK, BY_AWX = "ece.platform.add_allocators", "ece.platform.add_allocators_awx"
FOLDER = COLLECTIONS / "ansible_collections" / "ece" / "platform"
COMMANDS = re.findall(
    r"^\$ (.*)$", (FOLDER / "extensions" / "eda" / "README.md").read_text(encoding="utf-8"), re.MULTILINE
)
RUN = "PLAY [Add the announced hosts to the inventory of this run]"


def event(name: str, address: str, zone: str = "ece-zone-1", **more: Any) -> dict[str, Any]:
    """Return the body of an event."""
    return {"name": name, "address": address, "zone": zone, **more}


def inventory(operator: Operator, hosts: dict[str, Any]) -> None:
    """Write a folder with an inventory whose group has the variables of every host, and an encrypted credential.

    The stand-in's hosts are folders that differ in their name alone.
    """
    ece = operator.ece
    folder = operator.folder / "inventory"
    (folder / "group_vars" / "allocators").mkdir(parents=True)
    variables = {
        key: value
        for key, value in next(iter(operator.hosts.values())).items()
        if key not in ("ece_host_ip", "ece_host_zone")
    }
    one = next(iter(operator.hosts))
    text = yaml.safe_dump(variables).replace(f"/hosts/{one}", "/hosts/{{ inventory_hostname }}")
    settings: dict[str, Any] = {
        "ece_host_wait_interval": 1,
        "ece_host_settle_time": 1,
        "ece_host_coordinator": "127.0.0.1",
    }
    settings["ece_host_ip"] = "{{ ansible_host }}"
    text += yaml.safe_dump({"ece_url": ece.url, "ece_ca_path": ece.ca_path, **settings})
    (folder / "group_vars" / "allocators" / "main.yml").write_text(text, encoding="utf-8")
    encrypt(operator, folder / "group_vars" / "allocators" / "vault.yml")
    content = {"allocators": {"hosts": hosts}, "others": {"hosts": {"database": {"ansible_host": "192.0.2.99"}}}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(content), encoding="utf-8")


def encrypt(operator: Operator, path: Path) -> None:
    """Encrypt the operator's credential into a file, and take it out of the environment."""
    password_file = operator.folder / "vault-password"
    password_file.write_text("password-of-the-vault", encoding="utf-8")
    credential = {"ece_username": operator.ece.username, "ece_password": operator.ece.password}
    operator.environment = {"ANSIBLE_VAULT_PASSWORD_FILE": str(password_file)}
    subprocess.run(
        [operator.core / "ansible-vault", "encrypt", "--output", path],
        input=yaml.safe_dump(credential),
        env=operator.play_environment(),
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.fixture
def by_playbook(operator: Operator) -> list[str]:
    """Return the options of a rulebook that runs the playbook. The inventory has one new host, and lacks two."""
    for name, address in (("known", "192.0.2.1"), ("new-1", "192.0.2.2"), ("new-2", "192.0.2.3")):
        operator.new_host(name, address)
    known = {"ansible_host": "192.0.2.1", "ece_host_zone": "ece-zone-2"}
    inventory(operator, {"known": known, **operator.ece.existing_hosts()})
    return ["-i", "inventory"]


def test_events_within_the_window_are_one_run_and_later_ones_another(
    operator: Operator, by_playbook: list[str], tmp_path: Path
) -> None:
    surprise = tmp_path / "surprise"
    template = f"{{{{ lookup('ansible.builtin.pipe', 'touch {surprise}') }}}}"
    hold = operator.ece.directory / "hold"
    hold.touch()
    operator.ece.hosts["new-1"].configure(hold=str(hold))
    with running(operator, short("add_allocators", tmp_path), *by_playbook) as rulebook:
        for one in (event("new-1", "192.0.2.2", comment=template), event("new-2", "192.0.2.3", "ece-zone-3")):
            for _ in range(2):
                answer = rulebook.post(one, **{"User-Agent": template, "X-Forwarded-For": template})
                assert answer.status_code == 200
        rulebook.wait_for("waiting for new-1")
        # This host is in the inventory, so the event's address and zone do not count.
        assert rulebook.post(event("known", "192.0.2.77", "ece-zone-1")).status_code == 200
        assert rulebook.post(event("new-2", "192.0.2.3", "ece-zone-3")).status_code == 200
        rulebook.wait_until("new-2 has joined", lambda: operator.ece.joined == ["192.0.2.3"])
        hold.unlink()
        rulebook.wait_until("two runs have ended", lambda: rulebook.text.count("PLAY RECAP") == 2)
        assert rulebook.text.count(RUN) == 2
    first, second = rulebook.output.split(RUN)[1:]
    assert "2 hosts: 0 joined, 2 new" in first and "2 hosts: 1 joined, 1 new" in second
    assert sorted(operator.ece.joined) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"] and operator.ece.minted == 2
    zones = [operator.ece.platform.runner(f"192.0.2.{number}").zone for number in (1, 2, 3)]
    assert zones == ["ece-zone-2", "ece-zone-1", "ece-zone-3"]
    assert not surprise.exists()


def test_the_commands_of_the_readme_join_a_host(operator: Operator, by_playbook: list[str]) -> None:
    (curl,) = [command for command in COMMANDS if command.startswith("curl ")]
    example = ("allocator-7", "10.0.1.17")
    assert all(value in curl for value in example)
    operator.new_host(*example)
    with running(operator, BY_PLAYBOOK, *by_playbook) as rulebook:
        assert " ".join(rulebook.command) in COMMANDS
        here = curl.replace("events.example.com:5000", f"127.0.0.1:{rulebook.port}").replace("THE TOKEN", TOKEN)
        assert here.count(TOKEN) == 1
        subprocess.run(shlex.split(here), check=True, env=operator.play_environment(), cwd=operator.folder, timeout=60)
        rulebook.wait_for("PLAY RECAP")
    assert operator.ece.joined == [example[1]]


@pytest.mark.parametrize("rulebook", [BY_PLAYBOOK, BY_AWX])
def test_a_request_without_the_token_and_a_bad_event_run_nothing(
    operator: Operator, by_playbook: list[str], rulebook: str
) -> None:
    with Controller() as awx:
        options = by_playbook if rulebook == BY_PLAYBOOK else []
        # At this verbosity ansible-rulebook prints all that it does.
        with running(operator, rulebook, *options, "-vv", **awx.environment) as started:
            good = event("new-1", "192.0.2.2")
            for token in (None, "", "another", TOKEN + "x"):
                assert started.post(good, token).status_code == 401
            assert started.post(b"{").status_code == 400
            for name in ("{{ 7 * 7 }}", "all"):
                assert started.post(event(name, "192.0.2.2")).status_code == 200
            started.post([good])
            started.wait_for("Event refused: its body is no JSON object")
            started.wait_for("Event refused: its name '?? 7 ? 7 ??' is no host name")
            started.wait_for("Event refused: its name 'all' is no name of a host to Ansible")
        assert "49" not in [word.strip("'\"") for word in started.text.split()]
        assert "PLAY [" not in started.output and awx.launches == []
    assert operator.ece.requests == []


def test_awx_gets_the_names_as_the_limit_and_nothing_else_of_the_events(operator: Operator, tmp_path: Path) -> None:
    with Controller() as awx:
        with running(operator, short("add_allocators_awx", tmp_path), **awx.environment) as started:
            started.post(event("7", "192.0.2.1"))
            for _ in range(2):
                started.post(event("new-1", "192.0.2.2", "ece-zone-2", comment="of the autoscaler"))
            started.wait_until("a job is launched", lambda: awx.launches)
            started.post(event("new-2", "192.0.2.3"))
            started.wait_until("a second job is launched", lambda: len(awx.launches) == 2)
    first, second = awx.launches
    assert sorted(first.pop("limit").split(",")) == ["7", "new-1"] and second.pop("limit") == "new-2"
    assert not any(first.values()) and not any(second.values())


@pytest.mark.parametrize(
    ("announced", "sentence"),
    [
        (
            [event("database", "192.0.2.99")],
            "ece_announced_hosts has database, which the inventory has as a host outside of group allocators: announce",
        ),
        (
            [event("others", "192.0.2.2")],
            "ece_announced_hosts has others, which the inventory has as a group: announce",
        ),
        (
            [event("new-1", "192.0.2.2"), event("new-1", "192.0.2.3")],
            "ece_announced_hosts has a name twice, with other values: new-1, new-1; announce each host",
        ),
        ([{"name": "new-1"}], "missing required arguments: address, zone found in ece_announced_hosts"),
        (None, "missing required arguments: ece_announced_hosts"),
    ],
    ids=["another host", "a group", "twice", "without values", "none"],
)
def test_the_playbook_refuses_hosts_that_it_must_not_join(
    operator: Operator, by_playbook: list[str], announced: Any, sentence: str
) -> None:
    playbook = FOLDER / "playbooks" / "add_announced_hosts.yml"
    variables = ["-e", yaml.safe_dump({"ece_announced_hosts": announced}, default_flow_style=True)] if announced else []
    command, environment = operator.command("ece.platform.add_announced_hosts")
    run = operator.run([command[0], str(playbook), *by_playbook, *variables], environment)
    assert run.rc != 0 and sentence in run.text, run.output
    assert operator.ece.requests == []


@pytest.mark.parametrize("name", ["ece_event_token", "ece_event_certfile", "ece_event_keyfile"])
def test_it_takes_no_events_without_a_token_or_a_certificate(
    operator: Operator, by_playbook: list[str], name: str
) -> None:
    started = Rulebook(operator, BY_PLAYBOOK, *by_playbook, "--shutdown-delay", "1", leave_out=name)
    try:
        assert started.process.wait(PATIENCE_SECONDS) != 0
    finally:
        started.stop()
    assert f"'{name}' is undefined" in started.text and TOKEN not in started.output


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_token_opens_the_door_to_no_request(
    operator: Operator, by_playbook: list[str], empty: str | None
) -> None:
    with running(operator, BY_PLAYBOOK, *by_playbook, token=empty) as started:
        for token in (None, "", " ", "''", "None", "null"):
            assert started.post(event("new-1", "192.0.2.2"), token).status_code == 401


def test_a_token_of_digits_is_a_text(operator: Operator, by_playbook: list[str]) -> None:
    with running(operator, BY_PLAYBOOK, *by_playbook, token="0012345678") as started:
        assert started.post({}, "12345678").status_code == 401
        assert started.post({}, "0012345678").status_code == 200
