# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One waiting host, look by look: no clock and no I/O, so a table of what is known when."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.plugin_utils._host_progress import (
    CONNECTING,
    FAILED,
    INSTALLING,
    JOINED,
    SETTLING,
    HostWatch,
    progress,
)

ENTRY = {"name": "a", "runner_id": "10.0.0.7", "roles": ["allocator"], "zone": "zone-1", "version": "3.8.0"}
INSTALL_TIMEOUT, CONNECT_TIMEOUT = 1800, 600


def watch(has_installer=True, started_here=True, last_started=None, settle_time=0, **entry):
    return HostWatch(
        {**ENTRY, **entry},
        has_installer=has_installer,
        install_timeout=INSTALL_TIMEOUT,
        connect_timeout=CONNECT_TIMEOUT,
        storage_path="/mnt/data/elastic",
        started_here=started_here,
        last_started=last_started,
        settle_time=settle_time,
    )


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
    """A record whose installer ended so many seconds before the host was asked, by the host's clock."""
    return {
        "lock": "over",
        "started": 5000.0,
        "finished": 5271.0,
        "seconds": 271.0,
        "rc": rc,
        "output": ["last words"],
        "now": 5271.0 + ago,
        **more,
    }


def test_a_host_installs_connects_and_has_joined():
    host = watch()
    assert (host.phase, host.over) == (INSTALLING, False)
    host.look(1, None, None)
    host.look(2, None, ABSENT)
    host.look(3, None, RUNNING)
    assert host.phase == INSTALLING
    host.look(275, None, ended(ago=2))
    assert (host.phase, host.over) == (CONNECTING, False)
    host.look(280, known(connected=False), ended(ago=2))
    assert host.phase == CONNECTING
    host.look(283, known(), ended(ago=2))
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
    host, entry = watch(), known(zone=odd)
    entry["allocator"]["capacity"] = {"memory": {"total": [odd]}}
    host.look(275, entry, ended())
    assert (host.phase, host.row()["zone"], host.row()["memory_mb"]) == (JOINED, "zone-1", None)


def test_end_and_connection_seen_in_one_look_are_enough():
    host = watch()
    host.look(275, known(), ended())
    assert (host.phase, host.connect_seconds) == (JOINED, 0.0)


@pytest.mark.parametrize(
    ("record", "words", "seconds"),
    [
        (ended(5), "installer exit 5 (precondition): last words. Start the container engine", 271.0),
        (ended(-9), "killed by signal 9", 271.0),
        (ended(-15, timed_out=True, timeout=1800), "did not end within 1800 s and was stopped", 271.0),
        ({"lock": "over", "started": 5000.0, "now": 5100.0}, "the installer was interrupted", None),
    ],
)
def test_a_failed_installer_ends_the_wait_at_once(record, words, seconds):
    host = watch()
    host.look(3, None, record)
    row = host.row()
    assert (row["verdict"], words in row["note"], row["install_seconds"], row["connect_seconds"]) == (
        FAILED,
        True,
        seconds,
        None,
    ), row


def test_a_failed_installer_fails_a_host_that_the_platform_calls_connected():
    host = watch()
    host.look(3, known(), ended(1))
    assert host.phase == FAILED


def test_a_verdict_stands():
    failed, joined = watch(), watch()
    failed.look(3, None, ended(5))
    joined.look(3, known(), ended())
    for host, phase in ((failed, FAILED), (joined, JOINED)):
        host.look(4, known(), ended())
        host.look(99999, None, ended(1))
        assert host.phase == phase
    assert joined.message == ""


def test_a_connected_host_waits_for_the_word_of_its_installer():
    host = watch()
    host.look(270, known(), RUNNING)
    host.look(280, known(), RUNNING)
    assert host.phase == INSTALLING
    host.look(290, known(), ended(ago=5))
    assert (host.phase, host.install_seconds, host.connect_seconds) == (JOINED, 271.0, 0.0)


@pytest.mark.parametrize("record", [None, ABSENT, RUNNING])
def test_a_connected_host_that_cannot_be_asked_has_joined_after_a_while(record):
    host = watch()
    host.look(270, known(), record)
    host.look(299.9, known(), record)
    assert host.phase == INSTALLING
    host.look(300, known(), record)
    assert (host.phase, host.install_seconds, host.connect_seconds) == (JOINED, None, None)


def test_that_while_begins_anew_when_the_connection_is_lost():
    host = watch()
    for now, entry in ((270, known()), (280, known(connected=False)), (290, known()), (310, known())):
        host.look(now, entry, None)
    assert host.phase == INSTALLING
    host.look(320, known(), None)
    assert host.phase == JOINED


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        pytest.param(None, "the platform does not know it", id="unknown"),
        pytest.param(
            known(connected=False),
            "knows it but is not connected to it; look at the logs of frc-runners-runner",
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
def test_a_host_that_does_not_connect_in_time_is_told_why(entry, reason):
    host = watch()
    host.look(300, entry, ended())
    host.look(900, entry, ended())
    assert host.phase == CONNECTING
    host.look(900.1, entry, ended())
    assert (host.phase, host.install_seconds) == (FAILED, 271.0)
    assert host.message.startswith("not connected 600 s after its installer had ended (ece_host_connect_timeout): ")
    assert reason in host.message


def test_the_time_to_connect_counts_from_the_installers_end_even_in_an_earlier_run():
    host = watch()
    host.look(1, None, ended(ago=590))
    assert host.phase == CONNECTING
    host.look(12, None, ended(ago=590))
    assert host.phase == FAILED


def test_a_clock_that_was_set_back_on_the_host_is_no_credit():
    host = watch()
    host.look(10, None, ended(ago=-10000))
    host.look(610, None, ended(ago=-10000))
    assert host.phase == CONNECTING
    host.look(610.1, None, ended(ago=-10000))
    assert host.phase == FAILED


@pytest.mark.parametrize("record", [None, RUNNING])
def test_an_installer_that_never_ends_is_given_up_after_its_timeout_and_a_grace(record):
    host = watch()
    host.look(1860, None, record)
    assert host.phase == INSTALLING
    host.look(1860.1, None, record)
    assert (host.phase, host.message) == (
        FAILED,
        "its installer did not end within 1860 s; run this again to go on waiting",
    )


def test_a_host_that_falls_silent_is_told_from_an_installer_that_never_ends():
    host = watch()
    host.look(100, None, RUNNING)
    host.look(1860.1, None, RUNNING, silence="no answer")
    assert host.phase == FAILED
    assert host.message.startswith(
        "the host has not answered for 1760 s (no answer), so whether its installer has ended is not known; look at its console"
    )


def test_an_installer_that_was_never_started_is_not_waited_for():
    host = watch()
    host.look(20, None, ABSENT)
    assert host.phase == INSTALLING
    host.look(31, None, ABSENT)
    assert (host.phase, "was not started" in host.message) == (FAILED, True)


# -- settling ------------------------------------------------------------------------------------------------------------


def test_a_host_has_joined_once_it_has_stayed_connected():
    host = watch(settle_time=5)
    host.look(271, None, ended())
    host.look(280, known(), ended(), asked_at=280)
    assert (host.phase, progress([host])) == (SETTLING, "1/1 connected, 1 settling, waiting for a")
    host.look(286, known(), ended(), asked_at=280)
    assert host.phase == SETTLING, "an old answer that is looked at again is no news"
    host.look(287, known(), ended(), asked_at=285)
    assert (host.phase, host.connect_seconds) == (JOINED, 9)


def test_a_host_that_drops_again_is_waited_for_anew():
    host = watch(settle_time=5)
    host.look(280, known(), ended(), asked_at=280)
    host.look(283, known(connected=False), ended(), asked_at=283)
    assert host.phase == CONNECTING
    host.look(284, known(), ended(), asked_at=284)
    host.look(288, known(), ended(), asked_at=288)
    assert host.phase == SETTLING
    host.look(289, known(), ended(), asked_at=289)
    assert host.phase == JOINED


@pytest.mark.parametrize(("drops", "times"), [(1, "once"), (2, "2 times")])
def test_a_host_that_does_not_stay_says_so_when_time_is_up(drops, times):
    host = watch(settle_time=5)
    for number in range(drops):
        host.look(280 + 2 * number, known(), ended(), asked_at=280 + 2 * number)
        host.look(281 + 2 * number, known(connected=False), ended(), asked_at=281 + 2 * number)
    host.look(271 + 700, known(connected=False), ended(ago=700))
    assert host.phase == FAILED
    assert f"it had connected {times} and dropped again: look at its runner's logs" in host.message


def test_a_platform_that_cannot_be_asked_drops_nobody():
    host = watch(settle_time=5)
    host.look(280, known(), ended(), asked_at=280)
    host.look(283, None, ended(), trouble="down")
    assert host.phase == SETTLING
    host.look(285, known(), ended(), asked_at=285)
    assert host.phase == JOINED


@pytest.mark.parametrize(
    "then", [{"known": None, "trouble": "down"}, {"known": known(connected=False)}], ids=["trouble", "dropped"]
)
def test_a_settling_host_whose_installers_end_nobody_has_told_is_waited_for_like_any_other(then):
    host = watch(settle_time=60)
    host.look(1, None, RUNNING)
    host.look(100, known(), None, asked_at=100)
    host.look(135, known(), None, asked_at=135)
    assert host.phase == SETTLING
    host.look(140, then["known"], None, then.get("trouble"))
    host.look(200, known(), None, asked_at=200)
    host.look(270, known(), None, asked_at=270)
    assert (host.phase, host.connect_seconds) == (JOINED, None)


# -- installers of earlier runs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record", [ended(1), {"lock": "over", "started": 5000.0, "now": 5100.0}], ids=["failed", "interrupted"]
)
@pytest.mark.parametrize("started_here", [True, False])
def test_an_installer_that_ran_before_and_fails_may_be_started_anew(record, started_here):
    host = watch(started_here=started_here)
    host.look(1, None, RUNNING)
    host.look(100, None, record)
    assert (host.phase, host.again) == (FAILED, not started_here)


def test_the_record_of_an_earlier_failure_is_no_end_of_somebody_elses_installer():
    earlier = ended(5)
    host = watch(started_here=False, last_started=earlier["started"])
    host.look(1, None, earlier)
    host.look(60, None, earlier)
    assert host.phase == INSTALLING
    host.look(100, known(), earlier)
    host.look(140, known(), earlier)
    assert host.phase == JOINED


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (known(zone="zone-2"), "it joined, but it is in zone zone-2 instead of zone-1; remove the host"),
        (known(version="3.7.2"), "it joined, but it runs version 3.7.2 instead of 3.8.0; remove the host"),
        (
            known(zone="zone-2", version="3.7.2"),
            "it is in zone zone-2 instead of zone-1 and it runs version 3.7.2 instead of 3.8.0",
        ),
    ],
)
def test_a_host_that_joined_otherwise_than_wanted_has_failed(entry, words):
    host = watch()
    host.look(300, entry, ended())
    row = host.row()
    assert (row["verdict"], words in row["note"], row["zone"]) == (FAILED, True, entry["runner"]["zone"])


def test_without_a_wanted_zone_the_table_shows_the_one_it_is_in():
    host = watch(zone=None)
    host.look(300, known(zone="ece-zone-1"), ended())
    assert (host.phase, host.row()["zone"]) == (JOINED, "ece-zone-1")


def test_a_host_whose_roles_were_assigned_needs_no_installer():
    host = watch(has_installer=False)
    assert host.phase == CONNECTING
    host.look(2, known(roles=()), None)
    assert host.phase == CONNECTING
    host.look(7, known(), None)
    assert (host.phase, host.install_seconds, host.connect_seconds) == (JOINED, None, 7.0)


def test_a_host_whose_roles_do_not_come_fails_without_a_word_of_an_installer():
    host = watch(has_installer=False)
    host.look(600.1, known(roles=()), None)
    assert host.phase == FAILED
    assert host.message.startswith(
        "not connected 600 s after its roles had been assigned (ece_host_connect_timeout): it is connected but without the role"
    )


def test_a_proxy_needs_no_allocator():
    host = watch(roles=["proxy"])
    host.look(300, known(roles=("proxy",), allocator=False), ended())
    assert (host.phase, host.memory_mb) == (JOINED, None)


def in_phase(name, phase):
    host = watch(name=name)
    if phase == CONNECTING:
        host.look(1, None, ended())
    elif phase == JOINED:
        host.look(1, known(), ended())
    elif phase == FAILED:
        host.look(1, None, ended(1))
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
