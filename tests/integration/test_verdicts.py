# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each verdict about a host, with the state of platform and host afterwards."""

from __future__ import annotations

import subprocess
import time

import pytest


def add_ece_containers(host, *more):
    """Put ECE's containers on a host of the stand-in, as an installer leaves them whose host did not join."""
    for name in ("frc-runners-runner", "frc-allocators-allocator", *more):
        path = host.state / "containers" / name
        path.write_text(f"id={name}\nimage=ece:3.8.0\nstatus=Up 3 hours\n", encoding="utf-8")
        path.chmod(0o666)


def test_a_connected_host_with_its_roles_is_not_contacted(operator):
    operator.ece.platform.add_runner("192.0.2.1")
    operator.hosts["a"] = {"ansible_host": "192.0.2.1"}
    run = operator.play()
    assert run.rc == 0 and "1 joined, 0 new" in run.output
    assert operator.ece.mutations == []


def test_a_missing_role_is_assigned_through_the_api(operator):
    operator.ece.platform.add_runner("192.0.2.1", roles=("proxy",))
    operator.hosts["a"] = {"ansible_host": "192.0.2.1"}
    check = operator.play("--check")
    assert check.rc == 0 and operator.ece.mutations == [], check.output
    run = operator.play()
    assert run.rc == 0, run.output
    assert {entry["method"] for entry in operator.ece.mutations} == {"PUT"} and operator.ece.minted == 0
    assert {"allocator", "proxy"} <= set(operator.ece.platform.runner("192.0.2.1").roles)
    assert operator.play().total("changed") == 0


def test_a_running_installer_is_waited_for(operator):
    hold = operator.ece.directory / "hold"
    hold.touch()
    operator.new_host("a", "192.0.2.1", hold=str(hold))
    command, environment = operator.command()
    first = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=operator.folder
    )
    try:
        deadline = time.monotonic() + 60
        while operator.ece.hosts["a"].install_record is None:
            assert time.monotonic() < deadline, "the first play did not start its installer"
            time.sleep(0.2)
        second = operator.start()
        second.read_until("waiting for a")
        hold.unlink()
        run = operator.wait_for(second)
        assert run.rc == 0, run.output
        assert first.wait(60) == 0
    finally:
        first.kill()
    assert operator.ece.minted == 1
    assert len(operator.ece.joins) == 1


def test_a_half_installed_host_fails_with_a_remedy(operator):
    operator.new_host("a", "192.0.2.1")
    add_ece_containers(operator.ece.hosts["a"])
    run = operator.play()
    assert run.rc != 0 and "half-installed: the platform may know this host by another name" in run.text
    assert "remove its ECE containers" in run.text
    assert operator.ece.minted == 0 and operator.ece.mutations == []


def without_runners(payload):
    """The list of runners when its index is being rebuilt."""
    return {"runners": []}


@pytest.mark.parametrize("name", ["frc-proxies-proxyv2", "fac-0a1b-instance-0"])
def test_a_host_that_a_short_list_lacks_is_joined_and_nothing_is_to_be_removed(operator, name):
    operator.new_host("a", "192.0.2.1")["ece_host_roles"] = ["proxy"]
    operator.ece.platform.add_runner("192.0.2.1", roles=("proxy",))
    operator.ece.fault(method="GET", path="infrastructure/runners$", transform=without_runners, times=None)
    add_ece_containers(operator.ece.hosts["a"], name)
    run = operator.play(warnings=True)
    assert run.rc == 0 and "1 joined, 0 new" in run.text, run.output
    assert operator.ece.mutations == []


def test_a_host_that_the_lists_show_as_disconnected_is_joined_where_the_platform_says_so_when_asked(operator):
    def disconnected(payload):
        for runner in payload["runners"]:
            runner["connected"] = False
        return payload

    operator.new_host("a", "192.0.2.1").update(ece_host_roles=["proxy"], ece_host_replace_stale=True)
    operator.ece.platform.add_runner("192.0.2.1", roles=("proxy",))
    operator.ece.fault(method="GET", path="infrastructure/runners$", transform=disconnected, times=None)
    add_ece_containers(operator.ece.hosts["a"])
    check = operator.play("--check")
    assert check.rc == 0 and "it is connected as 192.0.2.1" in check.text, check.output
    run = operator.play()
    assert run.rc == 0 and "it is connected as 192.0.2.1, which the platform's lists did not show" in run.text
    assert operator.ece.mutations == []


def test_nothing_is_to_be_removed_from_a_host_on_which_deployments_run(operator):
    operator.new_host("a", "192.0.2.1")
    add_ece_containers(operator.ece.hosts["a"], "fac-0a1b-instance-0")
    run = operator.play()
    assert run.rc != 0 and "Deployments run on it (fac-0a1b-instance-0), so nothing on it must be removed" in run.text
    assert "remove its ECE containers" not in run.text


def behind_one_address(operator):
    """Two hosts behind one address, with another port for each."""
    for number in (1, 2):
        variables = operator.new_host(f"vm-{number}", f"192.0.2.{number}")
        variables.update(ansible_host="gateway.example.com", ansible_port=2200 + number, ece_host_replace_stale=True)
        del variables["ece_host_ip"]


SHARED = "hosts vm-1 and vm-2 have the same identity gateway.example.com"


def test_hosts_behind_one_address_are_refused_also_one_at_a_time(any_operator):
    behind_one_address(any_operator)
    any_operator.hosts["other"] = {"ansible_host": "{{ a_variable_that_is_missing }}", "ece_host_ip": "{{ missing }}"}
    any_operator.ece.platform.add_runner("gateway.example.com", connected=False)
    for limit in ("vm-1", "vm-2"):
        run = any_operator.play("--limit", limit)
        assert run.rc != 0 and "have the same identity gateway.example.com" in run.text, run.output
    del any_operator.hosts["other"]
    play = {
        "hosts": "allocators",
        "gather_facts": False,
        "serial": 1,
        "roles": ["ece.platform.ece_host"],
    }
    run = any_operator.play(playbook=any_operator.write("own.yml", [play]))
    assert run.rc != 0 and SHARED in run.text, run.output
    assert any_operator.ece.mutations == []


def test_the_runner_of_another_host_behind_the_same_address_is_never_deleted(operator):
    behind_one_address(operator)
    del operator.hosts["vm-1"]
    operator.ece.platform.add_runner("gateway.example.com", connected=False)
    run = operator.play()
    assert run.rc != 0 and "only ansible_host gateway.example.com says that it is this runner" in run.text
    assert operator.ece.mutations == []


def test_an_inventory_by_loopback_addresses_needs_a_name_for_each_host(operator):
    variables = operator.new_host("a", "192.0.2.1")
    variables.update(ansible_host="127.0.0.1", ansible_port=2222, ece_host_ip="")
    run = operator.play()
    assert run.rc != 0 and "host a: ansible_host 127.0.0.1 is a loopback address, which every host has" in run.text
    variables["ece_host_ip"] = "192.0.2.1"
    run = operator.play()
    assert run.rc == 0 and operator.ece.joined == ["192.0.2.1"], run.output


@pytest.mark.parametrize("left", ["runner", "allocator"])
def test_a_stale_host_of_which_one_part_is_left_is_replaced(operator, left):
    operator.new_host("a", "192.0.2.1")["ece_host_replace_stale"] = True
    operator.ece.platform.add_runner("192.0.2.1", connected=False)
    if left == "allocator":
        operator.ece.platform.delete_runner("192.0.2.1")
    else:
        operator.ece.platform.delete_allocator("192.0.2.1", False)
    run = operator.play()
    assert run.rc == 0, run.output
    deleted = [entry["path"].split("/")[-2] for entry in operator.ece.mutations if entry["method"] == "DELETE"]
    assert deleted == [f"{left}s"] and operator.ece.joined == ["192.0.2.1"]


@pytest.mark.parametrize(
    "localhost",
    [{"ansible_connection": "local", "ansible_python_interpreter": "/nonexistent/python"}, {"ansible_port": 9}],
    ids=["another Python", "no local connection"],
)
def test_a_role_is_assigned_whatever_the_inventory_says_of_localhost(operator, localhost):
    operator.hosts.update(a={"ansible_host": "192.0.2.1"}, localhost={**localhost, "ansible_become": True})
    operator.ece.platform.add_runner("192.0.2.1", roles=("proxy",))
    run = operator.play("--limit", "a")
    assert run.rc == 0, run.output
    assert "allocator" in operator.ece.platform.runner("192.0.2.1").roles


def test_a_disconnected_host_that_runs_ece_fails_and_is_not_reinstalled(operator):
    operator.new_host("a", "192.0.2.1").update(ece_host_replace_stale=True)
    add_ece_containers(operator.ece.hosts["a"])
    operator.ece.platform.add_runner("192.0.2.1", connected=False)
    run = operator.play()
    assert run.rc != 0 and "disconnected: the platform knows it as 192.0.2.1" in run.text
    assert operator.ece.mutations == []


def test_a_stale_runner_fails_its_host_unless_it_may_be_replaced(operator):
    variables = operator.new_host("a", "192.0.2.1")
    operator.ece.platform.add_runner("192.0.2.1", connected=False)
    run = operator.play()
    assert run.rc != 0 and "ece_host_replace_stale: true" in run.text
    assert operator.ece.mutations == []
    variables["ece_host_replace_stale"] = "true"
    check = operator.play("--check")
    assert check.rc == 0 and operator.ece.mutations == [], check.output
    run = operator.play()
    assert run.rc == 0, run.output
    assert operator.ece.minted == 1 and operator.ece.platform.runner("192.0.2.1").version == "3.8.0"
    assert [entry["method"] for entry in operator.ece.mutations].count("DELETE") >= 1


def test_a_stale_runner_stays_if_there_is_no_token_for_its_replacement(operator):
    operator.new_host("a", "192.0.2.1")["ece_host_replace_stale"] = True
    operator.ece.platform.add_runner("192.0.2.1", connected=False)
    operator.ece.fault(
        method="POST",
        path="enrollment-tokens",
        status=403,
        code="enrollment_tokens.signing_key_not_found",
        message="No key.",
    )
    run = operator.play()
    assert run.rc != 0 and "there is no token to join with" in run.text and "No key." in run.text
    assert [entry["method"] for entry in operator.ece.mutations] == ["POST"]
    assert operator.play().rc == 0


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda host: host.close_socket(), "There is no socket"),
        (lambda host: host.configure(broken=1), "cannot run docker"),
    ],
    ids=["no socket", "engine broken"],
)
def test_a_host_that_fails_its_check_does_not_stop_the_others(operator, prepare, sentence):
    operator.new_host("good", "192.0.2.1")
    operator.new_host("bad", "192.0.2.2")
    prepare(operator.ece.hosts["bad"])
    run = operator.play()
    assert run.rc != 0 and sentence in run.text
    assert run.recap["bad"]["failed"] == 1 and run.recap["good"]["failed"] == 0
    assert [join["runner_id"] for join in operator.ece.joins] == ["192.0.2.1"]


def test_no_token_is_minted_if_no_host_can_join(operator):
    operator.new_host("a", "192.0.2.1", broken=1)
    run = operator.play()
    assert run.rc != 0 and operator.ece.minted == 0


def test_an_installer_older_than_the_platform_is_refused(operator):
    operator.new_host("a", "192.0.2.1")
    operator.ece.write_installer("3.7.2")
    run = operator.play()
    assert run.rc != 0 and "installs ECE 3.7.2, which is older than 3.8.0" in run.text
    assert operator.ece.minted == 0
