# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SELinux, firewalld and other services."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_services as services
from ansible_collections.ece.platform.plugins.module_utils._host_network import PORTS_OF_ALL_ROLES, PORTS_OF_ROLES
from tests.unit.preparation import RHEL, SLES, UBUNTU, facts, options

PERMISSIVE = {"configured": "permissive", "policy": "targeted"}
NONE_OPEN = {"opened": [], "at_boot": []}


def selinux(read, mode="permissive", missing=(), **given):
    state = {"mode": mode, "missing_commands": list(missing), "missing_folders": [], "sudo": None}
    return services.plan_selinux(facts("selinux", read, selinux=state), options(**given), RHEL)


def test_selinux_is_left_as_it_is():
    for mode in ("enforcing", "permissive", "disabled"):
        found = selinux({**PERMISSIVE, "configured": mode}, mode)
        assert not found.steps and not found.problems and not found.reboot


def test_the_mode_is_set_once():
    found = selinux({**PERMISSIVE, "configured": "enforcing"}, "enforcing", ece_host_preparation_selinux="permissive")
    assert found.values["mode"] == "permissive" and found.steps == ["set SELinux to permissive"] and not found.reboot
    assert not selinux(PERMISSIVE, ece_host_preparation_selinux="permissive").steps


def test_a_mode_that_counts_after_a_reboot_only_is_set_now():
    assert selinux(PERMISSIVE, "enforcing", ece_host_preparation_selinux="permissive").steps


def test_disabled_selinux_needs_a_reboot_and_is_not_set_twice():
    found = selinux({**PERMISSIVE, "configured": "disabled"}, "disabled", ece_host_preparation_selinux="permissive")
    assert found.steps and found.reboot
    again = selinux(PERMISSIVE, "disabled", ece_host_preparation_selinux="permissive")
    assert not again.steps and again.reboot


def test_enforcing_needs_the_installers_help():
    given = {"ece_host_preparation_selinux": "enforcing"}
    (problem,) = selinux(PERMISSIVE, **given).problems
    assert "ece_host_selinux: true" in problem
    assert not selinux(PERMISSIVE, ece_host_selinux=True, **given).problems


def test_a_host_without_selinux_is_told():
    (problem,) = selinux({"configured": "", "policy": "targeted"}, ece_host_preparation_selinux="permissive").problems
    assert problem.startswith("ece_host_preparation_selinux permissive cannot be set")


def test_what_the_installer_calls_is_installed():
    found = selinux(PERMISSIVE, missing=["semanage"], ece_host_selinux=True)
    assert found.values["packages"] == RHEL["selinux_packages"] and found.steps
    assert not selinux(PERMISSIVE, missing=["semanage"]).steps
    assert not selinux(PERMISSIVE, ece_host_selinux=True).steps


# -- firewalld ---------------------------------------------------------------------------------------------------------


def firewalld(read=NONE_OPEN, active=True, at_boot="enabled", **given):
    units = {"firewalld.service": {"at_boot": at_boot, "now": "active" if active else "inactive"}}
    return services.plan_firewalld(
        facts("firewalld", read, firewalld_active=active, units=units), options(**given), RHEL
    )


def test_firewalld_is_left_as_it_is_and_named():
    found = firewalld()
    assert not found.steps and "ece_host_preparation_firewalld" in found.notes[0]
    assert not firewalld(active=False, at_boot="disabled").notes


@pytest.mark.parametrize("given", [{}, {"ece_host_preparation_firewalld": "opened"}])
def test_a_firewalld_that_only_starts_at_boot_is_named(given):
    found = firewalld(active=False, **given)
    assert not found.steps and "starts at the next reboot" in found.notes[0]
    assert not firewalld(active=False, at_boot="disabled", **given).notes
    assert not firewalld(active=False, ece_host_preparation_firewalld="stopped").notes


def test_ports_are_opened_once():
    found = firewalld(ece_host_preparation_firewalld="opened")
    assert "18000-22000/tcp" in found.values["ports"] and found.steps
    for opened in (found.values["ports"], ["1-65535/tcp", "http", "53/udp"]):
        assert not firewalld({"opened": opened, "at_boot": opened}, ece_host_preparation_firewalld="opened").steps
    only_now = {"opened": found.values["ports"], "at_boot": []}
    assert firewalld(only_now, ece_host_preparation_firewalld="opened").values["ports"] == found.values["ports"]
    assert not firewalld(active=False, ece_host_preparation_firewalld="opened").steps


@pytest.mark.parametrize("role", sorted(PORTS_OF_ROLES))
def test_all_ports_of_a_role_are_among_those_that_are_opened(role):
    opened = services.ports_of([role])
    wanted = [*PORTS_OF_ALL_ROLES, *PORTS_OF_ROLES[role], (20000, 20000), (21000, 21000), (22000, 22000)]
    for first, last in wanted:
        assert services.is_open(f"{first}-{last}/tcp", opened)
    assert len(opened) == len(set(opened))


@pytest.mark.parametrize(
    ("port", "opened", "expected"),
    [
        ("12443/tcp", ["12443/tcp"], True),
        ("12443/tcp", ["12443/udp"], False),
        ("14000-14010/tcp", ["14001-14010/tcp"], False),
        ("14000-14010/tcp", ["14000-14009/tcp"], False),
        ("14000-14010/tcp", ["x", "14000-14010/tcp"], True),
    ],
)
def test_a_port_is_open_if_all_of_it_is(port, opened, expected):
    assert services.is_open(port, opened) is expected


@pytest.mark.parametrize(
    ("active", "at_boot", "expected"),
    [(True, "enabled", True), (False, "enabled", True), (True, "disabled", True), (False, "disabled", False)],
)
def test_firewalld_is_stopped_if_it_runs_now_or_at_boot(active, at_boot, expected):
    found = firewalld(active=active, at_boot=at_boot, ece_host_preparation_firewalld="stopped")
    assert found.values["stop"] is expected and bool(found.steps) is expected


def test_a_host_without_firewalld_has_nothing_to_stop():
    found = services.plan_firewalld(
        facts("firewalld", NONE_OPEN), options(ece_host_preparation_firewalld="stopped"), RHEL
    )
    assert not found.steps


# -- other services ----------------------------------------------------------------------------------------------------


def plan(system, synchronized=True, **nscd):
    units = {"nscd.service": nscd} if nscd else {}
    return services.plan_services(facts("services", {"synchronized": synchronized}, units=units), options(), system)


def test_nscd_is_stopped_on_sles():
    assert plan(SLES, now="active", at_boot="disabled").values["stop"] == ["nscd.service"]
    assert plan(SLES, now="inactive", at_boot="enabled").steps == ["stop and disable nscd.service"]
    assert not plan(SLES, now="inactive", at_boot="disabled").steps
    assert not plan(SLES).steps
    assert not plan(UBUNTU, now="active", at_boot="enabled").steps


def test_a_clock_that_is_not_synchronized_is_named():
    assert plan(UBUNTU, False).notes and not plan(UBUNTU).notes and not plan(UBUNTU, None).notes


def test_this_machine_can_be_read():
    assert services.read_services({}, options(), UBUNTU)["synchronized"] in (True, False, None)
    assert services.read_selinux({}, options(), UBUNTU)["policy"]
    assert services.read_firewalld(facts("x", {}), options(), UBUNTU) == NONE_OPEN
