# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host is taken out of service and deleted: what is asked, in which order, and what another run leaves out."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _removal as removal
from ansible_collections.ece.platform.plugins.module_utils._client import EceApiError, EceAuthError, EceConnectionError
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._vacate_plan import VacateOptions
from tests.unit.module_utils.test_removal_plan import ID, allocator, director, entry_of, runner

OPTIONS = VacateOptions(allocator_id=ID)
OTHER = "192.0.2.2"


def api_error(status, kind=EceApiError):
    return kind(f"status {status}", status, None, [], [])


class Client:
    """A platform with one host, and what it was asked to change."""

    def __init__(self, host_runner=None, host_allocator=None, *, lags=0, failures=(), others=None):
        self.state = {"runner": host_runner, "allocator": host_allocator}
        self.others = {OTHER: allocator(OTHER)} if others is None else others
        self.did = []
        self.warnings = []
        self.slept = []
        # How many answers show maintenance mode as off once it is on.
        self.lags = lags
        self.failures = list(failures)

    def sleep(self, seconds):
        self.slept.append(seconds)
        for part, status in ((self.state["runner"], None), (self.state["allocator"], "status")):
            if part and len(self.slept) >= 2:
                (part[status] if status else part)["connected"] = False

    def runner(self, runner_id):
        if runner_id != ID:
            return next(one for one in self.runners() if one["runner_id"] == runner_id)
        if self.failures:
            failure = self.failures.pop(0)
            if failure:
                raise failure
        return self.state["runner"]

    def runners(self):
        return [self.state["runner"], runner("other", roles=["director", "coordinator"])]

    def iter_allocators(self, total=None):
        yield from self.others.values()

    def allocator(self, allocator_id):
        if allocator_id != ID:
            return self.others.get(allocator_id)
        found = self.state["allocator"]
        switched = [one for one in self.did if one.startswith("maintenance mode")]
        if found and switched:
            on = switched[-1].startswith("maintenance mode True") and self.lags <= 0
            self.lags -= 1
            return {**found, "status": {**found["status"], "maintenance_mode": on}}
        return found

    def set_allocator_maintenance(self, allocator_id, on, reason=None):
        self.did.append(f"maintenance mode {on} {reason}")

    def set_runner_roles(self, runner_id, roles):
        self.did.append(f"roles {','.join(roles)}")
        self.state["runner"]["roles"] = [{"role_name": role} for role in roles]

    def delete_allocator(self, allocator_id, remove_instances=False):
        self.did.append(f"delete allocator{' with instances' if remove_instances else ''}")
        self.state["allocator"] = None
        return True

    def delete_runner(self, runner_id):
        self.did.append("delete runner")
        self.state["runner"] = None
        return True


@pytest.fixture
def moves(monkeypatch):
    """What was asked of the vacate, and the result that it gives."""
    found = {"asked": [], "result": {"failed": False, "moved": [1, 2], "msg": "m"}}

    def vacate(client, options, check_mode, tell):
        found["asked"].append(check_mode)
        if client.state["allocator"]:
            client.state["allocator"]["instances"] = []
        return found["result"]

    monkeypatch.setattr(removal, "vacate", vacate)
    return found


def take_out(client, *, entry=None, version="3.8.0", check_mode=False):
    told = []
    zone = removal.ZonePlan(frozenset([ID]), (OTHER,))
    done = removal.take_out_of_service(client, entry or entry_of(), version, OPTIONS, check_mode, told.append, zone)
    return done, told


# -- out of service --------------------------------------------------------------------------------------------------


def test_a_host_gets_maintenance_mode_loses_its_instances_then_its_roles(moves):
    client = Client(runner(), allocator(instances=2))
    done, told = take_out(client)
    assert client.did == [f"maintenance mode True {removal.REASON}", "roles beats-runner"]
    assert done == (["maintenance mode on", "2 clusters moved away", "roles taken away: allocator"], 2)
    assert moves["asked"] == [False] and told[0] == "maintenance mode is on"


def test_what_is_done_already_is_left_out(moves):
    client = Client(runner(roles=["beats-runner"]), allocator(maintenance=True))
    assert take_out(client)[0] == ([], 0)
    assert client.did == [] and moves["asked"] == []
    assert take_out(Client(None, None))[0] == ([], 0)


@pytest.mark.parametrize(("version", "reason"), [("3.6.2", None), ("3.7.0", removal.REASON), ("odd", None)])
def test_older_platforms_take_no_reason(moves, version, reason):
    client = Client(runner(), allocator())
    take_out(client, version=version)
    assert client.did[0] == f"maintenance mode True {reason}"


def test_maintenance_mode_is_seen_before_anything_moves(moves):
    client = Client(runner(), allocator(instances=1), lags=2)
    take_out(client)
    assert len(client.slept) == 2
    never = Client(runner(), allocator(instances=1), lags=99)
    with pytest.raises(PlatformError, match="did not start: it is still off"):
        take_out(never)
    assert len(never.did) == 1 and len(moves["asked"]) == 1


def test_an_instance_that_arrives_before_maintenance_mode_is_on_moves_as_well(moves):
    client = Client(runner(), allocator())
    switch = client.set_allocator_maintenance

    def arrive(allocator_id, on, reason=None):
        client.state["allocator"]["instances"] = [{"cluster_id": "new"}]
        switch(allocator_id, on, reason)

    client.set_allocator_maintenance = arrive
    assert take_out(client)[0].did == ["maintenance mode on", "2 clusters moved away", "roles taken away: allocator"]


def test_maintenance_mode_whose_answers_are_lost_is_started_once_more(moves):
    client = Client(runner(), allocator(instances=1), lags=99)

    def lose(allocator_id, on, reason=None):
        client.did.append(f"maintenance mode {on} {reason}")
        raise EceConnectionError("no answer", True)

    client.set_allocator_maintenance = lose
    with pytest.raises(PlatformError, match="maintenance mode of allocator 192.0.2.1 did not start: no answer"):
        take_out(client)
    assert len(client.did) == 2 and moves["asked"] == []


def test_a_move_that_fails_says_how_to_go_on(moves):
    moves["result"] = {"failed": True, "moved": [], "msg": "0 of 1 clusters moved"}
    client = Client(runner(), allocator(instances=1))
    with pytest.raises(PlatformError, match="0 of 1 clusters moved. The host is not removed and stays in maintenance"):
        take_out(client)
    assert len(client.did) == 1, "its roles stay"


def test_check_mode_asks_whether_instances_can_move_and_changes_nothing(moves):
    client = Client(runner(), allocator(instances=2))
    done, told = take_out(client, check_mode=True)
    assert client.did == [] and told == [] and moves["asked"] == [True]
    assert done.did == ["maintenance mode on", "2 clusters can move away", "roles taken away: allocator"]
    moves["result"] = {"failed": True, "moved": [], "msg": "no room"}
    with pytest.raises(PlatformError, match="no room$"):
        take_out(Client(runner(), allocator(instances=2)), check_mode=True)


def test_instances_that_are_deleted_do_not_move_and_keep_the_role_of_the_allocator(moves):
    client = Client(runner(roles=["allocator", "proxy"]), allocator(instances=2))
    done, _told = take_out(client, entry=entry_of(instances="delete"))
    assert moves["asked"] == [] and done.did == ["maintenance mode on", "roles taken away: proxy"]
    assert client.did[-1] == "roles allocator"


def test_the_last_holder_keeps_its_vital_role_until_the_end(moves):
    client = Client(runner(roles=["coordinator", "director"]))
    entry = {**director(), "kept_roles": ["coordinator"]}
    assert take_out(client, entry=entry)[0].did == ["roles taken away: director"]
    assert client.did == ["roles coordinator"]


@pytest.mark.parametrize("instances", [None, "many"])
def test_an_allocator_that_does_not_say_what_it_holds_is_not_removed(moves, instances):
    with pytest.raises(PlatformError, match="does not say which instances"):
        take_out(Client(runner(), {**allocator(maintenance=True), "instances": instances}))


# -- the last allocator of a zone ------------------------------------------------------------------------------------

ON, OFF = f"maintenance mode True {removal.REASON}", "maintenance mode False None"
# Another run has begun with the other allocator after this one has planned.
TAKEN = {OTHER: allocator(OTHER, maintenance=True)}


def test_a_zone_that_another_run_empties_meanwhile_keeps_its_last_allocator(moves):
    client = Client(runner(), allocator(instances=2), others=TAKEN)
    with pytest.raises(PlatformError) as raised:
        take_out(client)
    assert client.did == [ON, OFF] and moves["asked"] == [], "nothing moves, and its roles stay"
    assert not raised.value.changed
    assert str(raised.value) == (
        "no other allocator of zone z is connected and out of maintenance mode any more, as when another run removes "
        "hosts of that zone at the same time: nothing is moved or taken from this host, and maintenance mode of its "
        "allocator is off again; run this again when the other run has ended, or set ece_host_removal_allow_last: true "
        "to remove the last allocator of the zone"
    )


def test_the_other_allocators_are_looked_at_once_maintenance_mode_is_on(moves):
    # So that of two runs that begin at the same time, the later one sees the earlier one.
    client, seen = Client(runner(), allocator(instances=1)), []
    asked = client.allocator

    def look(allocator_id):
        if allocator_id == OTHER:
            seen.append((list(client.did), list(moves["asked"])))
        return asked(allocator_id)

    client.allocator = look
    take_out(client)
    assert seen == [([ON], [])]


def test_maintenance_mode_that_this_run_has_not_started_is_not_ended(moves):
    client = Client(runner(), allocator(maintenance=True), others=TAKEN)
    with pytest.raises(PlatformError, match="its allocator was in maintenance mode before and stays so"):
        take_out(client)
    assert client.did == []


def test_maintenance_mode_that_cannot_be_ended_is_said(moves):
    client = Client(runner(), allocator(), others=TAKEN)
    switch = client.set_allocator_maintenance

    def refuse(allocator_id, on, reason=None):
        if not on:
            raise api_error(400)
        switch(allocator_id, on, reason)

    client.set_allocator_maintenance = refuse
    with pytest.raises(PlatformError, match=r"still in maintenance mode, which did not end \(status 400\)") as raised:
        take_out(client)
    assert raised.value.changed and str(raised.value).endswith("done before that: maintenance mode on")


@pytest.mark.parametrize(
    ("found", "choices"),
    [(allocator(), {"allow_last": True}), (allocator(connected=False), {})],
    ids=["told", "gone and empty"],
)
def test_a_host_may_be_the_last_of_its_zone_where_that_is_told_or_takes_nothing_away(moves, found, choices):
    client = Client(runner(), found, others=TAKEN)
    assert take_out(client, entry=entry_of(**choices))[0].did == ["maintenance mode on", "roles taken away: allocator"]


def test_check_mode_asks_for_no_other_allocator(moves):
    client = Client(runner(), allocator(), others=TAKEN)
    assert take_out(client, check_mode=True)[0].did == ["maintenance mode on", "roles taken away: allocator"]


# -- deletion --------------------------------------------------------------------------------------------------------


def delete(client, *, entry=None, timeout=100.0):
    told = []
    done = removal.delete_host(
        client, entry or entry_of(), timeout, 5.0, told.append, clock=lambda: float(20 * len(client.slept))
    )
    return done, told


def test_a_host_is_deleted_when_it_is_disconnected():
    client = Client(runner(roles=["beats-runner"]), allocator())
    done, told = delete(client)
    assert client.did == ["delete allocator", "delete runner"]
    assert done.did == ["allocator deleted", "runner deleted"]
    assert client.slept == [5.0, 5.0] and told == []


def test_progress_is_told_while_that_takes():
    client = Client(runner(roles=[]))
    client.sleep = lambda seconds: client.slept.append(seconds)
    with pytest.raises(PlatformError, match="still connected to the runner of 192.0.2.1 after 100 s"):
        _done, told = delete(client)
    assert client.did == []


def test_what_is_gone_is_no_error():
    assert delete(Client(None, None))[0].did == []
    client = Client(None, allocator(connected=False))
    assert delete(client)[0].did == ["allocator deleted"]


def test_roles_that_are_left_go_before_the_runner():
    client = Client(runner(connected=False), allocator(connected=False, instances=1))
    delete(client, entry=entry_of(instances="delete"))
    assert client.did == ["delete allocator with instances", "roles beats-runner", "delete runner"]


def test_roles_that_cannot_be_taken_from_a_dead_runner_do_not_keep_it():
    client = Client(runner(connected=False), None)

    def refuse(runner_id, roles):
        raise PlatformError("no")

    client.set_runner_roles = refuse
    assert delete(client)[0].did == ["runner deleted"]


def test_a_platform_that_does_not_answer_for_a_moment_is_asked_again():
    client = Client(
        runner(roles=[], connected=False),
        failures=[EceConnectionError("no answer", False), api_error(503), api_error(500), api_error(429)],
    )
    assert delete(client)[0].did == ["runner deleted"]
    silent = Client(runner(roles=[]), failures=[EceConnectionError("no answer", False)] * 99)
    with pytest.raises(PlatformError, match="is not known after 100 s: no answer; run this again"):
        delete(silent)


@pytest.mark.parametrize("error", [api_error(400), api_error(401, EceAuthError)])
def test_an_answer_that_will_not_change_ends_the_wait(error):
    with pytest.raises(type(error)):
        delete(Client(runner(), failures=[error]))


def test_what_the_platform_still_has_is_not_called_deleted():
    client = Client(runner(roles=[], connected=False))
    client.delete_runner = lambda runner_id: True
    with pytest.raises(PlatformError, match="the platform still has the runner 192.0.2.1"):
        delete(client)
    assert client.slept == [removal.PAUSE_SECONDS] * (removal.LOOKS - 1)


@pytest.mark.parametrize("failures", [1, 99])
def test_a_platform_that_does_not_answer_after_a_deletion_is_asked_again(failures):
    client = Client(runner(roles=[], connected=False))
    delete_runner = client.delete_runner

    def delete_and_fail(runner_id):
        client.failures.extend([api_error(500)] * failures)
        return delete_runner(runner_id)

    client.delete_runner = delete_and_fail
    if failures < removal.LOOKS:
        assert delete(client)[0].did == ["runner deleted"]
        return
    with pytest.raises(PlatformError, match="whether 192.0.2.1 is gone after its deletion is not known: .* run this"):
        delete(client)


@pytest.mark.parametrize("part", ["runner", "allocator"])
def test_what_the_platform_still_has_for_a_moment_is_looked_at_again(part):
    client = Client(runner(roles=[], connected=False), allocator(connected=False))
    going, client.lasting = getattr(client, part), 3

    def look(known_id):
        found = going(known_id)
        if found is None and client.lasting:
            client.lasting -= 1
            return runner(roles=[], connected=False) if part == "runner" else allocator(connected=False)
        return found

    setattr(client, part, look)
    assert delete(client)[0].did == ["allocator deleted", "runner deleted"]
    assert client.slept == [removal.PAUSE_SECONDS] * 3


@pytest.mark.parametrize(("clean", "remedy"), [(True, "starts its containers again"), (False, "clean_host: true")])
def test_a_host_that_stays_connected_has_a_remedy(clean, remedy):
    client = Client(runner(roles=[]))
    client.sleep = lambda seconds: client.slept.append(seconds)
    with pytest.raises(PlatformError, match=remedy):
        delete(client, entry={**entry_of(), "clean": clean})


@pytest.mark.parametrize(("did", "check_mode"), [([], False), (["maintenance mode on"], True)])
def test_an_error_before_anything_was_done_says_no_more(did, check_mode):
    with pytest.raises(PlatformError) as raised, removal._saying_what_was_done(did, check_mode):
        raise PlatformError("no")
    assert str(raised.value) == "no" and not raised.value.changed


def test_an_error_says_what_was_done_before_it():
    with pytest.raises(PlatformError) as raised, removal._saying_what_was_done(["maintenance mode on", "b"], False):
        raise PlatformError("no")
    assert str(raised.value) == "no; done before that: maintenance mode on, b" and raised.value.changed
