# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One waiting host, observation by observation: no clock and no I/O, so a table of what is known when."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils._states import (
    CONNECTING,
    FAILED,
    INSTALLING,
    JOINED,
    SETTLING,
)
from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import (
    Expectation,
    HostProgress,
    Observation,
    progress,
    unlisted,
)

ENTRY = {"name": "a", "runner_id": "10.0.0.7", "roles": ["allocator"], "zone": "zone-1", "version": "3.8.0"}
INSTALL_TIMEOUT, CONNECT_TIMEOUT = 1800, 600


class Host(HostProgress):
    """A host that is updated with the fields of an observation."""

    def update(self, now, known=None, record=None, **more):
        super().update(Observation(now=now, known=known, record=record, **more))


def waiting_host(has_installer=True, started_here=True, previous_start=None, settle_time=0, **entry):
    expected = Expectation(
        has_installer=has_installer,
        install_timeout=INSTALL_TIMEOUT,
        connect_timeout=CONNECT_TIMEOUT,
        storage_path="/mnt/data/elastic",
        started_here=started_here,
        previous_start=previous_start,
        settle_time=settle_time,
    )
    return Host({**ENTRY, **entry}, expected)


def known(connected=True, allocator=True, roles=("allocator",), zone="zone-1", version="3.8.0"):
    """The platform's entry of a host."""
    entry = {
        "runner": {
            "runner_id": "10.0.0.7",
            "connected": connected,
            "zone": zone,
            "roles": [{"role_name": role} for role in roles],
            "build_info": {"version": version},
        }
    }
    if allocator:
        entry["allocator"] = {
            "allocator_id": "10.0.0.7",
            "zone_id": zone,
            "status": {"connected": connected},
            "capacity": {"memory": {"total": 249856}},
            "build_info": {"version": version},
        }
    return entry


RUNNING = {"lock": "running", "started": 5000.0, "now": 5001.0}
ABSENT = {"lock": "absent", "now": 5000.0}


def ended(rc=0, ago=0.0, **more):
    """A record whose installer ended some seconds before the host was asked, by the host's clock."""
    return {
        "lock": "over",
        "started": 5000.0,
        "finished": 5271.0,
        "seconds": 271.0,
        "rc": rc,
        "output": ["the last line"],
        "now": 5271.0 + ago,
        **more,
    }


def test_the_times_of_a_host_do_not_depend_on_its_clock():
    host = waiting_host(settle_time=5)
    assert host.times() == {"started_at": None, "ended_at": None, "connected_at": None}
    host.update(2, None, ABSENT)
    assert host.times()["started_at"] is None
    host.update(3, None, RUNNING)
    assert host.times() == {"started_at": 2.0, "ended_at": None, "connected_at": None}
    host.update(275, None, ended(ago=2))
    assert host.times() == {"started_at": 2.0, "ended_at": 273.0, "connected_at": None}
    host.update(283, known(), ended(ago=2))
    assert host.times()["connected_at"] == 283


def test_an_installer_that_failed_has_an_end_and_an_earlier_one_has_no_times():
    host = waiting_host()
    host.update(275, None, ended(rc=5, ago=2))
    assert host.over and host.times() == {"started_at": 2.0, "ended_at": 273.0, "connected_at": None}
    host = waiting_host(previous_start=5000.0)
    host.update(1, None, ended(rc=5, ago=2))
    assert host.times() == {"started_at": None, "ended_at": None, "connected_at": None}


def test_a_host_installs_connects_and_has_joined():
    host = waiting_host()
    assert (host.phase, host.over) == (INSTALLING, False)
    host.update(1, None, None)
    host.update(2, None, ABSENT)
    host.update(3, None, RUNNING)
    assert host.phase == INSTALLING
    host.update(275, None, ended(ago=2))
    assert (host.phase, host.over) == (CONNECTING, False)
    host.update(280, known(connected=False), ended(ago=2))
    assert host.phase == CONNECTING
    host.update(283, known(), ended(ago=2))
    assert host.over
    assert host.row() == {
        "host": "a",
        "zone": "zone-1",
        "verdict": JOINED,
        "install_seconds": 271.0,
        "connect_seconds": 10.0,
        "memory_mb": 249856,
        "note": "",
    }


@pytest.mark.parametrize("odd", [5, ["zone-1"], {"a": 1}, True])
def test_a_zone_and_a_memory_of_another_shape_are_not_shown(odd):
    host, entry = waiting_host(), known(zone=odd)
    entry["allocator"]["capacity"] = {"memory": {"total": [odd]}}
    host.update(275, entry, ended())
    assert (host.phase, host.row()["zone"], host.row()["memory_mb"]) == (JOINED, "zone-1", None)


def test_one_observation_of_end_and_connection_is_enough():
    host = waiting_host()
    host.update(275, known(), ended())
    assert (host.phase, host.connect_seconds) == (JOINED, 0.0)


@pytest.mark.parametrize(
    ("record", "message", "seconds"),
    [
        (ended(5), "installer exit 5 (precondition): the last line. Start the container engine", 271.0),
        (ended(-9), "killed by signal 9", 271.0),
        (ended(-15, timed_out=True, timeout=1800), "did not end within 1800 s and was stopped", 271.0),
    ],
)
def test_a_failed_installer_ends_the_wait_at_once(record, message, seconds):
    host = waiting_host()
    host.update(3, None, record)
    row = host.row()
    assert (row["verdict"], message in row["note"], row["install_seconds"], row["connect_seconds"]) == (
        FAILED,
        True,
        seconds,
        None,
    ), row


UNSEEN_ENDS = {
    "the supervisor was killed": {"lock": "over", "started": 5000.0, "now": 5100.0, "rebooted": False},
    "the host was rebooted": {"lock": "over", "started": 5000.0, "now": 5100.0, "rebooted": True},
    "the record is damaged": {"lock": "over", "damaged": True, "now": 5100.0},
}


@pytest.mark.parametrize("record", UNSEEN_ENDS.values(), ids=UNSEEN_ENDS)
def test_a_host_whose_installer_ended_unseen_has_joined_if_it_connects(record):
    host = waiting_host(settle_time=3)
    host.update(100, None, record)
    assert host.phase == CONNECTING
    host.update(155, known(connected=False), record)
    host.update(158, known(), record, asked_at=158)
    assert host.phase == SETTLING
    host.update(161, known(), record, asked_at=161)
    assert (host.phase, host.message, host.install_seconds, host.connect_seconds) == (JOINED, "", None, None)


@pytest.mark.parametrize("record", UNSEEN_ENDS.values(), ids=UNSEEN_ENDS)
@pytest.mark.parametrize(("settle_time", "limit"), [(3, 60), (200, 200), (900, CONNECT_TIMEOUT)])
def test_a_host_whose_installer_ended_unseen_and_that_does_not_connect_fails_with_that(record, settle_time, limit):
    host = waiting_host(settle_time=settle_time)
    host.update(100, None, record)
    host.update(100 + limit, None, record)
    assert (host.phase, host.is_late(101 + limit)) == (CONNECTING, True)
    host.update(101 + limit, None, record, only_listed=True)
    host.update(101 + limit, None, record, asked_at=99 + limit)
    assert host.phase == CONNECTING
    host.update(101 + limit, None, record)
    assert (host.phase, "the installer was interrupted" in host.message) == (FAILED, True)


def test_a_host_whose_installer_ended_unseen_does_not_fail_while_the_platform_cannot_be_asked():
    host, record = waiting_host(), UNSEEN_ENDS["the supervisor was killed"]
    host.update(100, None, record)
    host.update(100 + CONNECT_TIMEOUT, None, record, platform_error="no route")
    assert host.phase == CONNECTING
    host.update(101 + CONNECT_TIMEOUT, None, record, platform_error="no route")
    assert (host.phase, "ended unseen" in host.message) == (FAILED, True)


def test_a_failed_installer_fails_a_host_that_the_platform_calls_connected():
    host = waiting_host()
    host.update(3, known(), ended(1))
    assert host.phase == FAILED


def test_a_host_that_joined_or_failed_stays_so():
    failed, joined = waiting_host(), waiting_host()
    failed.update(3, None, ended(5))
    joined.update(3, known(), ended())
    for host, phase in ((failed, FAILED), (joined, JOINED)):
        host.update(4, known(), ended())
        host.update(99999, None, ended(1))
        assert host.phase == phase
    assert joined.message == ""


def test_a_connected_host_waits_for_the_end_of_its_installer():
    host = waiting_host()
    host.update(270, known(), RUNNING)
    host.update(280, known(), RUNNING)
    assert host.phase == INSTALLING
    host.update(290, known(), ended(ago=5))
    assert (host.phase, host.install_seconds, host.connect_seconds) == (JOINED, 271.0, 0.0)


@pytest.mark.parametrize("record", [None, ABSENT, RUNNING])
def test_a_connected_host_that_does_not_report_has_joined_after_a_while(record):
    host = waiting_host()
    host.update(270, known(), record)
    host.update(299.9, known(), record)
    assert host.phase == INSTALLING
    host.update(300, known(), record)
    assert (host.phase, host.install_seconds, host.connect_seconds) == (JOINED, None, None)


def test_that_while_starts_again_when_the_connection_is_lost():
    host = waiting_host()
    for now, entry in ((270, known()), (280, known(connected=False)), (290, known()), (310, known())):
        host.update(now, entry, None)
    assert host.phase == INSTALLING
    host.update(320, known(), None)
    assert host.phase == JOINED


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        pytest.param(None, "the platform does not know it", id="unknown"),
        pytest.param(
            known(connected=False),
            "knows it but it is not connected; look at the logs of frc-runners-runner",
            id="runner",
        ),
        pytest.param(known(allocator=False), "its runner is connected but its allocator is not", id="allocator"),
        pytest.param(
            known(roles=()),
            "connected but without the role allocator, as happens when a token does not permit it",
            id="role",
        ),
    ],
)
def test_a_host_that_does_not_connect_in_time_fails_with_the_reason(entry, reason):
    host = waiting_host()
    host.update(300, entry, ended())
    host.update(900, entry, ended())
    assert host.phase == CONNECTING
    host.update(900.1, entry, ended())
    assert (host.phase, host.install_seconds) == (FAILED, 271.0)
    assert host.message.startswith("not connected 600 s after its installer ended (ece_host_connect_timeout): ")
    assert reason in host.message


def test_a_host_that_a_list_lacks_fails_only_after_the_platform_was_asked_for_it_alone():
    host = waiting_host()
    host.update(300, None, ended())
    host.update(2000, None, ended(), only_listed=True)
    assert host.phase == CONNECTING
    host.update(2001, None, ended(), only_listed=True, platform_error="down")
    assert host.phase == FAILED
    other = waiting_host()
    other.update(300, None, ended())
    other.update(2001, known(), ended())
    assert other.phase == JOINED


def test_hosts_that_the_lists_lack_are_named_the_settling_ones_first():
    def at(runner_id, installed_at, entry=None, **more):
        host = waiting_host(runner_id=runner_id, settle_time=9, **more)
        host.update(installed_at, entry, ended())
        return host

    installing = waiting_host(runner_id="installing")
    hosts = [installing, at("new", 290), at("late", 200), at("latest", 100), at("settling", 230, known())]
    assert unlisted(hosts, 300) == ["settling", "latest", "late"]
    assert unlisted(hosts, 230) == ["latest"]


def test_a_host_that_its_check_found_joined_is_not_waited_for():
    expected = {"install_timeout": 1, "connect_timeout": 1, "storage_path": "/x", "has_installer": False}
    host = HostProgress(ENTRY, Expectation(**expected, joined="it is runner b"))
    assert host.over
    assert (host.row()["verdict"], host.row()["note"]) == (JOINED, "it is runner b")
    assert progress([host]) == "1/1 connected"


def test_the_time_to_connect_counts_from_the_installers_end_even_in_an_earlier_run():
    host = waiting_host()
    host.update(1, None, ended(ago=590))
    assert host.phase == CONNECTING
    host.update(12, None, ended(ago=590))
    assert host.phase == FAILED


def test_a_host_whose_clock_was_set_back_gets_no_more_time():
    host = waiting_host()
    host.update(10, None, ended(ago=-10000))
    host.update(610, None, ended(ago=-10000))
    assert host.phase == CONNECTING
    host.update(610.1, None, ended(ago=-10000))
    assert host.phase == FAILED


@pytest.mark.parametrize("record", [None, RUNNING])
def test_an_installer_that_never_ends_fails_after_its_timeout_and_a_grace(record):
    host = waiting_host()
    host.update(1860, None, record)
    assert host.phase == INSTALLING
    host.update(1860.1, None, record)
    assert (host.phase, host.message) == (
        FAILED,
        "its installer did not end within 1860 s; run this again to wait longer",
    )


def test_a_host_that_falls_silent_is_told_from_an_installer_that_never_ends():
    host = waiting_host()
    host.update(100, None, RUNNING)
    host.update(1860.1, None, RUNNING, host_error="no answer")
    assert host.phase == FAILED
    assert host.message.startswith(
        "the host has not answered for 1760 s (no answer), so it is not known whether its installer has ended; "
        "look at its console"
    )


def test_an_installer_that_was_never_started_is_not_waited_for():
    host = waiting_host()
    host.update(20, None, ABSENT)
    assert host.phase == INSTALLING
    host.update(31, None, ABSENT)
    assert (host.phase, "was not started" in host.message) == (FAILED, True)


# -- settling --------------------------------------------------------------------------------------------------------


def test_a_host_has_joined_once_it_has_stayed_connected():
    host = waiting_host(settle_time=5)
    host.update(271, None, ended())
    host.update(280, known(), ended(), asked_at=280)
    assert (host.phase, progress([host])) == (SETTLING, "1/1 connected, 1 settling, waiting for a")
    host.update(286, known(), ended(), asked_at=280)
    assert host.phase == SETTLING, "an old answer that is read again proves nothing"
    host.update(287, known(), ended(), asked_at=285)
    assert (host.phase, host.connect_seconds) == (JOINED, 9)


def test_a_host_that_disconnects_again_has_to_settle_again():
    host = waiting_host(settle_time=5)
    host.update(280, known(), ended(), asked_at=280)
    host.update(283, known(connected=False), ended(), asked_at=283)
    assert host.phase == CONNECTING
    host.update(284, known(), ended(), asked_at=284)
    host.update(288, known(), ended(), asked_at=288)
    assert host.phase == SETTLING
    host.update(289, known(), ended(), asked_at=289)
    assert host.phase == JOINED


@pytest.mark.parametrize(("drops", "times"), [(1, "once"), (2, "2 times")])
def test_a_host_that_does_not_stay_connected_fails_with_that_reason(drops, times):
    host = waiting_host(settle_time=5)
    for number in range(drops):
        host.update(280 + 2 * number, known(), ended(), asked_at=280 + 2 * number)
        host.update(281 + 2 * number, known(connected=False), ended(), asked_at=281 + 2 * number)
    host.update(271 + 700, known(connected=False), ended(ago=700))
    assert host.phase == FAILED
    assert f"it connected {times} and disconnected again: look at its runner's logs" in host.message


def test_a_platform_that_cannot_be_asked_disconnects_no_host():
    host = waiting_host(settle_time=5)
    host.update(280, known(), ended(), asked_at=280)
    host.update(283, None, ended(), platform_error="down")
    assert host.phase == SETTLING
    host.update(285, known(), ended(), asked_at=285)
    assert host.phase == JOINED


@pytest.mark.parametrize(
    "then", [{"known": None, "platform_error": "down"}, {"known": known(connected=False)}], ids=["trouble", "dropped"]
)
def test_a_settling_host_whose_installer_never_reported_is_waited_for_like_any_other(then):
    host = waiting_host(settle_time=60)
    host.update(1, None, RUNNING)
    host.update(100, known(), None, asked_at=100)
    host.update(135, known(), None, asked_at=135)
    assert host.phase == SETTLING
    host.update(140, then["known"], platform_error=then.get("platform_error"))
    host.update(200, known(), None, asked_at=200)
    host.update(270, known(), None, asked_at=270)
    assert (host.phase, host.connect_seconds) == (JOINED, None)


# -- installers of earlier runs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record", [ended(1), {"lock": "over", "started": 5000.0, "now": 5100.0}], ids=["failed", "interrupted"]
)
@pytest.mark.parametrize("started_here", [True, False])
def test_an_installer_of_an_earlier_run_that_fails_can_be_installed_again_by_the_next_run(record, started_here):
    host = waiting_host(started_here=started_here)
    host.update(1, None, RUNNING)
    host.update(100, None, record)
    host.update(161, None, record)
    assert host.phase == FAILED
    again = "the installer that an earlier run started has failed; run this again to start a new one: "
    assert host.message.startswith(again) is not started_here
    assert "the installer was interrupted" in host.message or "installer exit 1" in host.message


def test_the_record_of_an_earlier_failure_is_not_the_end_of_an_installer_started_by_hand():
    earlier = ended(5)
    host = waiting_host(started_here=False, previous_start=earlier["started"])
    host.update(1, None, earlier)
    host.update(60, None, earlier)
    assert host.phase == INSTALLING
    host.update(100, known(), earlier)
    host.update(140, known(), earlier)
    assert host.phase == JOINED


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (known(zone="zone-2"), "it joined, but it is in zone zone-2 instead of zone-1; remove the host"),
        (known(version="3.7.2"), "it joined, but it runs version 3.7.2 instead of 3.8.0; remove the host"),
        (
            known(zone="zone-2", version="3.7.2"),
            "it is in zone zone-2 instead of zone-1 and it runs version 3.7.2 instead of 3.8.0",
        ),
    ],
)
def test_a_host_that_joined_differently_has_failed(entry, message):
    host = waiting_host()
    host.update(300, entry, ended())
    row = host.row()
    assert (row["verdict"], message in row["note"], row["zone"]) == (FAILED, True, entry["runner"]["zone"])


def test_without_a_wanted_zone_the_table_shows_the_one_it_is_in():
    host = waiting_host(zone=None)
    host.update(300, known(zone="ece-zone-1"), ended())
    assert (host.phase, host.row()["zone"]) == (JOINED, "ece-zone-1")


def test_a_host_whose_roles_were_assigned_needs_no_installer():
    host = waiting_host(has_installer=False)
    assert host.phase == CONNECTING
    host.update(2, known(roles=()), None)
    assert host.phase == CONNECTING
    host.update(7, known(), None)
    assert (host.phase, host.install_seconds, host.connect_seconds) == (JOINED, None, 7.0)


def test_a_host_whose_roles_do_not_arrive_fails_without_a_mention_of_an_installer():
    host = waiting_host(has_installer=False)
    host.update(600.1, known(roles=()), None)
    assert host.phase == FAILED
    assert host.message.startswith(
        "not connected 600 s after its roles were assigned (ece_host_connect_timeout): "
        "it is connected but without the role"
    )


def test_a_proxy_needs_no_allocator():
    host = waiting_host(roles=["proxy"])
    host.update(300, known(roles=("proxy",), allocator=False), ended())
    assert (host.phase, host.memory_mb) == (JOINED, None)


def in_phase(name, phase):
    host = waiting_host(name=name)
    if phase == CONNECTING:
        host.update(1, None, ended())
    elif phase == JOINED:
        host.update(1, known(), ended())
    elif phase == FAILED:
        host.update(1, None, ended(1))
    assert host.phase == phase
    return host


@pytest.mark.parametrize(
    ("phases", "line"),
    [
        ({"a": INSTALLING, "b": INSTALLING, "c": INSTALLING}, "0/3 connected, 3 installing, waiting for a, b, c"),
        ({"c": JOINED, "b": FAILED, "a": CONNECTING}, "1/3 connected, 1 failed, 1 connecting, waiting for a"),
        ({"a": JOINED, "b": JOINED}, "2/2 connected"),
        ({"a": JOINED, "b": FAILED}, "1/2 connected, 1 failed"),
        ({name: INSTALLING for name in "gfedcba"}, "0/7 connected, 7 installing, waiting for a, b, c, d, e and 2 more"),
        ({}, "0/0 connected"),
    ],
)
def test_progress(phases, line):
    assert progress([in_phase(name, phase) for name, phase in phases.items()]) == line
