# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of an allocator, what differs, and the requests that change it, without a module around them."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _allocator
from ansible_collections.ece.platform.plugins.module_utils._allocator import (
    LOOKS,
    Wish,
    decide,
    ensure_absent,
    ensure_present,
    instances_of,
    reason_for,
    start_maintenance,
    steps_of,
    switch_maintenance,
    used_memory,
    wish_of,
)
from ansible_collections.ece.platform.plugins.module_utils._client import EceApiError, EceError
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._text import MASK
from tests.unit.scripted import (
    ALLOCATORS,
    FULL_ALLOCATOR,
    NOT_READY,
    ODD_VALUES,
    RUNNERS,
    allocator,
    failed,
    jwt,
    platform,
    read_timeout,
    reset,
    runner,
)

ID = "10.0.0.7"
PATH = f"{ALLOCATORS}/{ID}"
START, STOP = f"{PATH}/maintenance-mode/_start", f"{PATH}/maintenance-mode/_stop"
UNKNOWN = {"status": 404, "json": failed("allocators.allocator_not_found")}


def record(tags=None, *, capacity=65536, used=4096, **more):
    """AllocatorInfo with these tags."""
    metadata = [{"key": key, "value": value} for key, value in (tags or {}).items()]
    return allocator(ID, memory=capacity, used=used, metadata=metadata, **{"settings": {}, "instances": [], **more})


def changes(before, after):
    return {"before": before, "after": after}


# -- what is wanted --------------------------------------------------------------------------------------------------


def test_options_that_are_not_set_want_nothing():
    assert wish_of({}) == wish_of(dict.fromkeys(("maintenance", "maintenance_reason", "capacity", "tags"))) == Wish()
    assert decide(record({"ssd": "true"}, maintenance=True), Wish()) == changes({}, {})


def test_tags_are_texts_as_the_platform_has_them():
    tags = wish_of({"tags": {"ssd": True, "gpu": False, 7: 8, "rack": "7:B,left", "a:b,c": " x "}}).tags
    assert tags == {"ssd": "true", "gpu": "false", "7": "8", "rack": "7:B,left", "a:b,c": " x "}


@pytest.mark.parametrize("capacity", [8192, 8192.0, "8192"])
def test_a_capacity_may_be_a_number_of_any_kind(capacity):
    assert wish_of({"capacity": capacity}).capacity == 8192


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"maintenance": "yes"}, "maintenance 'yes' is not a choice: use true or false"),
        ({"maintenance_reason": "x"}, "maintenance_reason is set without maintenance: true, with which alone"),
        ({"maintenance": False, "maintenance_reason": "x"}, "maintenance_reason is set without maintenance: true"),
        ({"maintenance": True, "maintenance_reason": " "}, "maintenance_reason ' ' is not a text of one line: give"),
        ({"maintenance": True, "maintenance_reason": "a\nb"}, "is not a text of one line"),
        ({"maintenance": True, "maintenance_reason": "\ud800"}, "is not a text of one line"),
        ({"capacity": 8191}, "capacity 8191 is too small: use 8192 MB or more"),
        ({"capacity": -1}, "capacity -1 is too small"),
        ({"capacity": 2**31}, "capacity is too large for the API: use 2147483647 MB or less"),
        ({"capacity": "64 GB"}, "capacity '64 GB' is not a whole number of MB"),
        ({"capacity": 8192.5}, "capacity '8192.5' is not a whole number of MB"),
        ({"capacity": True}, "capacity 'True' is not a whole number of MB"),
        ({"tags": ["ssd"]}, "tags ['ssd'] is not a mapping: use {ssd: 'true'}"),
        ({"tags": {"": "x"}}, "tags has the value 'x' without a key: give it one, like {ssd: 'true'}"),
        ({"tags": {" ": "x"}}, "tags has the value 'x' without a key"),
        (
            {"tags": {"ssd": ""}},
            "tags has the tag 'ssd' without a value, which the API refuses (allocators.invalid_empty_metadata_item)",
        ),
        ({"tags": {"ssd": None}}, "tags has the tag 'ssd' without a value"),
        ({"tags": {"ssd": ["a"]}}, "tags has the tag 'ssd' with the value ['a']: use a text, like 'true'"),
        ({"tags": {1: "a", "1": "b"}}, "tags has '1' twice"),
    ],
)
def test_what_cannot_work_is_refused_with_the_option_and_its_value(options, message):
    with pytest.raises(OptionError) as refused:
        wish_of(options)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"capacity": 1}, "ece_host_capacity 1 is too small"),
        ({"tags": {"ssd": ""}}, "ece_host_allocator_tags has the tag 'ssd' without a value"),
        ({"maintenance": 1}, "maintenance 1 is not a choice"),
        ({"maintenance_reason": "x"}, "maintenance_reason is set without maintenance: true"),
    ],
)
def test_an_option_has_the_name_that_its_user_gives_it(options, message):
    names = {"capacity": "ece_host_capacity", "tags": "ece_host_allocator_tags"}
    with pytest.raises(OptionError) as refused:
        wish_of(options, names)
    assert str(refused.value).startswith(message)


# -- what differs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "options", "decision"),
    [
        pytest.param(record(), {"maintenance": False}, changes({}, {}), id="not in maintenance"),
        pytest.param(record(maintenance=True), {"maintenance": True}, changes({}, {}), id="in maintenance"),
        pytest.param(
            record(), {"maintenance": True}, changes({"maintenance": False}, {"maintenance": True}), id="maintenance on"
        ),
        pytest.param(
            record(maintenance=True),
            {"maintenance": True, "maintenance_reason": "another"},
            changes({}, {}),
            id="the reason of a maintenance that began cannot be compared",
        ),
        pytest.param(record(), {"capacity": 65536}, changes({}, {}), id="the capacity of the installation"),
        pytest.param(
            record(settings={"capacity": 9000}), {"capacity": 9000}, changes({}, {}), id="the capacity of the settings"
        ),
        pytest.param(
            record(settings={"capacity": 9000}),
            {"capacity": 65536},
            changes({"capacity": 9000}, {"capacity": 65536}),
            id="the settings outrank the installation",
        ),
        pytest.param(
            {"allocator_id": ID}, {"capacity": 9000}, changes({"capacity": None}, {"capacity": 9000}), id="no capacity"
        ),
        pytest.param(
            record({"ssd": "true", "x": "y"}), {"tags": {"ssd": True}}, changes({}, {}), id="the tag is there"
        ),
        pytest.param(
            record({"ssd": "false", "x": "y"}),
            {"tags": {"ssd": "true", "new": "a:b,c"}},
            changes({"tags": {"ssd": "false"}}, {"tags": {"ssd": "true", "new": "a:b,c"}}),
            id="others stay, and are not in the diff",
        ),
        pytest.param(
            record({"ssd": "true", "x": "y"}),
            {"tags": {"ssd": "true"}, "tags_exact": True},
            changes({"tags": {"x": "y"}}, {"tags": {}}),
            id="others go",
        ),
        pytest.param(
            record({"x": "y"}),
            {"tags": {}, "tags_exact": True},
            changes({"tags": {"x": "y"}}, {"tags": {}}),
            id="all go",
        ),
        pytest.param(record({"x": "y"}), {"tags": {}}, changes({}, {}), id="no tag is wanted"),
        pytest.param(record({"x": "y"}), {"tags_exact": True}, changes({}, {}), id="tags are not declared"),
        pytest.param(
            record({"x": None}),
            {"tags": {}, "tags_exact": True},
            changes({"tags": {"x": None}}, {"tags": {}}),
            id="a tag without a value goes",
        ),
    ],
)
def test_what_differs_is_before_and_after_and_nothing_else(found, options, decision):
    assert decide(found, wish_of(options)) == decision


@pytest.mark.parametrize(
    ("found", "used"),
    [
        (record(used=9500), 9500),
        ({"allocator_id": ID, "instances": [{"node_memory": 8192}, {"node_memory": 2048}, {}, None]}, 10240),
    ],
    ids=["the platform's sum", "the sum of the instances, as recorded replies have no other"],
)
def test_a_capacity_below_the_used_memory_is_refused(found, used):
    assert used_memory(found) == used
    with pytest.raises(OptionError) as refused:
        decide(found, wish_of({"capacity": 9000}, {"capacity": "ece_host_capacity"}))
    assert str(refused.value) == (
        f"ece_host_capacity 9000 is less than the {used} MB that the instances on allocator {ID} use: give that or "
        "more, or move some of them to other allocators first"
    )
    assert decide(found, wish_of({"capacity": used}))["after"] == {"capacity": used}


def test_a_capacity_that_is_there_already_is_no_error_whatever_is_used():
    assert decide(record(capacity=9000, used=9500), wish_of({"capacity": 9000})) == changes({}, {})


@pytest.mark.parametrize("odd", ODD_VALUES)
@pytest.mark.parametrize("member", [*FULL_ALLOCATOR, "settings"])
def test_a_damaged_record_is_decided_on(member, odd):
    found = {**FULL_ALLOCATOR, member: odd}
    wish = wish_of({"tags": {"a": "b"}, "tags_exact": True, "capacity": 300000, "maintenance": False})
    decision = decide(found, wish)
    assert decision["after"]["tags"] == {"a": "b"} and decision["after"]["capacity"] == 300000
    assert all(step.text for step in steps_of(found, wish))
    assert isinstance(instances_of(found), list)


# -- the change ------------------------------------------------------------------------------------------------------


ALL = {"maintenance": True, "capacity": 70000, "tags": {"ssd": "true"}}


def test_maintenance_mode_starts_first_and_ends_last():
    assert [step.text for step in steps_of(record(), wish_of(ALL))] == [
        "maintenance mode on",
        "capacity 70000 MB",
        "tag ssd=true",
    ]
    assert [step.text for step in steps_of(record(maintenance=True), wish_of({**ALL, "maintenance": False}))] == [
        "capacity 70000 MB",
        "tag ssd=true",
        "maintenance mode off",
    ]


def test_what_is_as_wanted_takes_no_request():
    assert steps_of(record({"ssd": "true"}, capacity=70000, maintenance=True), wish_of(ALL)) == []


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_allocator_becomes_what_is_wanted(ece, make_client, check_mode):
    ece.expect("GET", PATH, json=record({"x": "y"}))
    if not check_mode:
        ece.expect("GET", "/platform", json=platform())
        ece.expect("POST", START, status=202, json={}, query={"reason": "new disks"})
        ece.expect("GET", PATH, json=record({"x": "y"}, maintenance=True))
        ece.expect("PUT", f"{PATH}/settings", json={}, sends={"capacity": 70000})
        ece.expect("PUT", f"{PATH}/metadata/ssd", json=[], sends={"value": "true"})
    result = ensure_present(make_client(), ID, wish_of({**ALL, "maintenance_reason": "new disks"}), check_mode)
    assert result == {
        "changed": True,
        "allocator_id": ID,
        "maintenance_mode": True,
        "capacity": 70000,
        "tags": {"x": "y", "ssd": "true"},
        "diff": changes({"maintenance": False, "capacity": 65536, "tags": {}}, ALL),
    }


@pytest.mark.parametrize(("version", "taken"), [("3.6.2", False), ("3.7.0", True), ("odd", False)])
def test_a_reason_is_given_to_a_platform_that_takes_one(ece, make_client, version, taken):
    ece.expect("GET", PATH, json=record())
    ece.expect("GET", "/platform", json={**platform(), "version": version})
    ece.expect("POST", START, status=202, json={}, query={"reason": "new disks"} if taken else None)
    ece.expect("GET", PATH, json=record(maintenance=True))
    client = make_client()
    ensure_present(client, ID, wish_of({"maintenance": True, "maintenance_reason": "new disks"}), False)
    said = f"maintenance_reason is not given to the platform: ECE {version} takes no reason, as ECE 3.7 and later do"
    assert client.warnings == ([] if taken else [said])


def test_a_setting_that_this_collection_does_not_know_stays(ece, make_client):
    ece.expect("GET", PATH, json=record(settings={"capacity": 9000, "later": True}))
    ece.expect("PUT", f"{PATH}/settings", json={}, sends={"capacity": 10000, "later": True})
    assert ensure_present(make_client(), ID, wish_of({"capacity": 10000}), False)["changed"]


@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("ssd", "a:b,c=d", "ssd"),
        ("rack:7", "x", "rack%3A7"),
        ("a,b", "x", "a%2Cb"),
        ("ä b?#%", "x", "%C3%A4%20b%3F%23%25"),
        ("...", "x", "..."),
    ],
)
def test_a_tag_of_any_characters_is_set_alone(ece, make_client, key, value, path):
    ece.expect("GET", PATH, json=record({"other": "stays"}))
    ece.expect("PUT", f"{PATH}/metadata/{path}", json=[], sends={"value": value})
    assert ensure_present(make_client(), ID, wish_of({"tags": {key: value}}), False)["changed"]


def expect_tags(ece, tags, version="7"):
    metadata = [{"key": key, "value": value} for key, value in tags.items()]
    ece.expect("GET", f"{PATH}/metadata", json=metadata, headers=versioned(version))


def versioned(version):
    return {"X-Cloud-Resource-Version": version} if version else {}


@pytest.mark.parametrize("key", ["a/b", ".", ".."])
def test_a_tag_whose_key_is_a_path_is_set_together_with_the_others(ece, make_client, key):
    ece.expect("GET", PATH, json=record({"other": "stays", "damaged": None}))
    expect_tags(ece, {"other": "has changed", "damaged": None, "new": "y"})
    items = [{"key": "other", "value": "has changed"}, {"key": "new", "value": "y"}, {"key": key, "value": "x"}]
    ece.expect("PUT", f"{PATH}/metadata", json=[], sends={"items": items}, query={"version": "7"})
    assert ensure_present(make_client(), ID, wish_of({"tags": {key: "x"}}), False)["changed"]


def test_tags_that_are_all_replace_the_others_with_one_request(ece, make_client):
    ece.expect("GET", PATH, json=record({"b": "1", "a": "2", "c": "3"}))
    expect_tags(ece, {"b": "1", "a": "2", "c": "3"})
    items = [{"key": "a", "value": "2"}, {"key": "new", "value": "x"}]
    ece.expect("PUT", f"{PATH}/metadata", json=[], sends={"items": items}, query={"version": "7"})
    result = ensure_present(make_client(), ID, wish_of({"tags": {"a": "2", "new": "x"}, "tags_exact": True}), False)
    assert result["diff"] == changes({"tags": {"b": "1", "c": "3"}}, {"tags": {"new": "x"}})
    assert result["tags"] == {"a": "2", "new": "x"}


EXACT = {"tags": {"a": "1"}, "tags_exact": True}
WRITTEN = {"items": [{"key": "a", "value": "1"}]}
CONFLICTS = {
    "409": {"status": 409, "json": failed("allocators.version_conflict", "Changed.")},
    "412": {"status": 412, "json": failed("root.other", "Changed.")},
    "its code": {"status": 400, "json": failed("allocators.version_conflict", "Changed.")},
}


def test_tags_of_a_platform_that_names_no_version_are_replaced_all_the_same(ece, make_client):
    ece.expect("GET", PATH, json=record({"b": "1"}))
    expect_tags(ece, {"b": "1"}, version=None)
    ece.expect("PUT", f"{PATH}/metadata", json=[], sends=WRITTEN)
    assert ensure_present(make_client(), ID, wish_of(EXACT), False)["changed"]


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_tags_that_another_run_sets_at_the_same_time_are_read_once_more(ece, make_client, conflict):
    ece.expect("GET", PATH, json=record({"b": "1"}))
    expect_tags(ece, {"b": "1"})
    ece.expect("PUT", f"{PATH}/metadata", sends=WRITTEN, query={"version": "7"}, **CONFLICTS[conflict])
    expect_tags(ece, {"c": "1"}, "8")
    ece.expect("PUT", f"{PATH}/metadata", json=[], sends=WRITTEN, query={"version": "8"})
    assert ensure_present(make_client(), ID, wish_of(EXACT), False)["changed"]


def test_tags_that_another_run_sets_again_and_again_are_an_error(ece, make_client):
    ece.expect("GET", PATH, json=record({"b": "1"}))
    for version in range(_allocator.ATTEMPTS):
        expect_tags(ece, {"b": str(version)}, str(version))
        ece.expect("PUT", f"{PATH}/metadata", sends=WRITTEN, query={"version": str(version)}, **CONFLICTS["409"])
    with pytest.raises(PlatformError) as refused:
        ensure_present(make_client(), ID, wish_of(EXACT), False)
    assert str(refused.value).startswith(
        f"the tags of allocator {ID} are not set, because something else sets them at the same time: run this again "
        "when that has ended (PUT"
    )
    assert "may have been written" not in str(refused.value) and not refused.value.changed


def test_a_conflict_with_an_own_request_whose_answer_was_lost_is_none(ece, make_client):
    ece.expect("GET", PATH, json=record({"b": "1"}))
    expect_tags(ece, {"b": "1"})
    ece.expect("PUT", f"{PATH}/metadata", sends=WRITTEN, query={"version": "7"}, body=read_timeout())
    ece.expect("PUT", f"{PATH}/metadata", sends=WRITTEN, query={"version": "7"}, **CONFLICTS["409"])
    expect_tags(ece, {"a": "1"}, "8")
    assert ensure_present(make_client(retries=1), ID, wish_of(EXACT), False)["changed"]


def test_another_error_of_tags_is_not_tried_again(ece, make_client):
    ece.expect("GET", PATH, json=record({"b": "1"}))
    expect_tags(ece, {"b": "1"})
    refusal = failed("allocators.invalid_empty_metadata_items", "No.")
    ece.expect("PUT", f"{PATH}/metadata", sends=WRITTEN, query={"version": "7"}, status=400, json=refusal)
    with pytest.raises(EceApiError, match="HTTP 400"):
        ensure_present(make_client(), ID, wish_of(EXACT), False)


def test_an_unknown_allocator_is_named(ece, make_client):
    ece.expect("GET", PATH, **UNKNOWN)
    wish = wish_of({}, {"allocator_id": "ece_host_runner_id"})
    with pytest.raises(
        PlatformError, match=f"^ece_host_runner_id {ID} is not known to the platform: give the id of one"
    ):
        ensure_present(make_client(), ID, wish, False)


# -- requests that fail ----------------------------------------------------------------------------------------------


def test_what_was_written_before_an_error_is_said(ece, make_client):
    ece.expect("GET", PATH, json=record())
    ece.expect("POST", START, status=202, json={})
    ece.expect("GET", PATH, json=record(maintenance=True))
    ece.expect("PUT", f"{PATH}/settings", json={}, sends={"capacity": 70000})
    ece.expect(
        "PUT", f"{PATH}/metadata/ssd", status=400, json=failed("allocators.no", "Not today."), sends={"value": "true"}
    )
    with pytest.raises(EceApiError) as refused:
        ensure_present(make_client(), ID, wish_of(ALL), False)
    assert "Not today." in str(refused.value) and "may have been written" not in str(refused.value)
    assert str(refused.value).endswith("; before that, this was written: maintenance mode on, capacity 70000 MB")
    assert refused.value.changed is True


def test_an_error_of_the_first_request_has_changed_nothing(ece, make_client):
    ece.expect("GET", PATH, json=record())
    ece.expect("POST", START, status=403, json=failed("root.unauthorized.rbac"))
    with pytest.raises(EceApiError) as refused:
        ensure_present(make_client(), ID, wish_of(ALL), False)
    assert refused.value.changed is False and "written" not in str(refused.value)


def test_a_request_whose_answers_were_lost_may_have_been_written(ece, make_client):
    ece.expect("GET", PATH, json=record())
    ece.expect("PUT", f"{PATH}/settings", body=reset(), sends={"capacity": 70000})
    with pytest.raises(EceError, match="; this may have been written: capacity 70000 MB$") as lost:
        ensure_present(make_client(retries=0), ID, wish_of({"capacity": 70000}), False)
    assert lost.value.changed is False


LOST = {
    "reset": {"body": reset()},
    "no answer in time": {"body": read_timeout()},
    "gateway": {"status": 502},
    "HTML": {"status": 202, "body": "<html>"},
    "not ready": {"status": 503, "json": failed(NOT_READY)},
}


def expect_looks(ece, times=LOOKS, **answer):
    for _look in range(times):
        ece.expect("GET", PATH, **(answer or {"json": record()}))


@pytest.mark.parametrize("on", [True, False])
def test_a_mode_is_looked_for_until_the_platform_shows_it(ece, make_client, sleeps, on):
    ece.expect("POST", START if on else STOP, status=202, json={})
    expect_looks(ece, 2, json=record(maintenance=not on))
    ece.expect("GET", PATH, json=record({"new": "1"}, maintenance=on))
    found = switch_maintenance(make_client(), ID, on)
    assert sleeps == [_allocator.PAUSE_SECONDS] * 2
    assert found["metadata"] == [{"key": "new", "value": "1"}], "the allocator as it is by then"


@pytest.mark.parametrize(
    ("on", "look", "said"),
    [
        (True, {"json": record()}, "did not start: it is still off"),
        (False, {"json": record(maintenance=True)}, "did not end: it is still on"),
        (True, UNKNOWN, "did not start: the platform does not say whether it is on"),
    ],
)
def test_a_mode_that_is_accepted_and_never_shown_is_an_error_that_may_have_been_written(
    ece, make_client, on, look, said
):
    ece.expect("POST", START if on else STOP, status=202, json={})
    expect_looks(ece, **look)
    with pytest.raises(PlatformError, match=f"^maintenance mode of allocator {ID} {said}; this may have been written"):
        _allocator.apply(make_client(), ID, steps_of(record(maintenance=not on), wish_of({"maintenance": on})))


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("on", [True, False])
def test_where_an_answer_was_lost_the_allocator_is_looked_at_and_nothing_is_repeated_blindly(
    ece, make_client, lost, on
):
    ece.expect("POST", START if on else STOP, **LOST[lost])
    ece.expect("GET", PATH, json=record(maintenance=on))
    switch_maintenance(make_client(), ID, on)


@pytest.mark.parametrize("lost", LOST)
def test_a_mode_that_is_still_the_old_one_is_switched_once_more(ece, make_client, lost):
    query = {"reason": "new disks"}
    ece.expect("POST", START, query=query, **LOST[lost])
    expect_looks(ece)
    ece.expect("POST", START, status=202, json={}, query=query)
    ece.expect("GET", PATH, json=record(maintenance=True))
    switch_maintenance(make_client(), ID, True, "new disks")


def test_a_mode_that_stays_the_old_one_is_an_error(ece, make_client):
    for _attempt in range(_allocator.ATTEMPTS):
        ece.expect("POST", START, status=502)
        expect_looks(ece)
    with pytest.raises(EceApiError, match="HTTP 502"):
        switch_maintenance(make_client(), ID, True)


@pytest.mark.parametrize("look", [UNKNOWN, {"status": 500, "json": failed("root.internal")}], ids=["gone", "no look"])
def test_nothing_is_repeated_where_the_allocator_cannot_be_looked_at(ece, make_client, look):
    ece.expect("POST", START, body=reset())
    expect_looks(ece, **look)
    with pytest.raises(EceError, match="reset"):
        switch_maintenance(make_client(retries=0), ID, True)


def test_a_mode_that_other_steps_rest_on_says_what_comes_of_an_error(ece, make_client):
    ece.expect("POST", START, status=403, json=failed("root.unauthorized.rbac"))
    with pytest.raises(PlatformError, match="did not start, so nothing is moved: POST .* answered HTTP 403"):
        start_maintenance(make_client(), ID, so=", so nothing is moved")


@pytest.mark.parametrize(("version", "reason"), [("3.6.2", None), ("3.7.0", "x"), ("10.0.0", "x"), ("odd", None)])
def test_a_reason_is_for_platforms_that_take_one(version, reason):
    assert reason_for(version, "x") == reason


# -- the deletion ----------------------------------------------------------------------------------------------------


def instance(number, kind="elasticsearch", **more):
    return {
        "cluster_type": kind,
        "cluster_id": f"c{number}",
        "deployment_id": f"d{number}",
        "instance_name": f"instance-{number}",
        **more,
    }


def gone(**more):
    return record({"ssd": "true"}, connected=False, **more)


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("with_runner", [False, True])
def test_a_disconnected_allocator_is_deleted(ece, make_client, check_mode, with_runner):
    ece.expect("GET", PATH, json=gone())
    found = (
        {"json": runner(ID, connected=False)}
        if with_runner
        else {"status": 404, "json": failed("runners.runner_not_found")}
    )
    ece.expect("GET", f"{RUNNERS}/{ID}", **found)
    if not check_mode:
        ece.expect("DELETE", PATH, json={})
    result = ensure_absent(make_client(), ID, False, check_mode)
    before = {"zone_id": "zone-1", "maintenance": False, "capacity": 65536, "tags": {"ssd": "true"}, "instances": []}
    assert result == {"changed": True, "allocator_id": ID, "instances": [], "diff": changes(before, {})}


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_allocator_that_is_not_there_is_no_change(ece, make_client, check_mode):
    ece.expect("GET", PATH, **UNKNOWN)
    result = ensure_absent(make_client(), ID, True, check_mode)
    assert result == {"changed": False, "allocator_id": ID, "instances": [], "diff": changes({}, {})}


def test_an_allocator_that_another_client_deletes_meanwhile_is_no_change(ece, make_client):
    ece.expect("GET", PATH, json=gone())
    ece.expect("GET", f"{RUNNERS}/{ID}", json=runner(ID, connected=False))
    ece.expect("DELETE", PATH, **UNKNOWN)
    assert ensure_absent(make_client(), ID, False, False)["changed"] is False


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("remove_instances", [False, True])
def test_a_connected_allocator_stays_whatever_is_asked(ece, make_client, check_mode, remove_instances):
    ece.expect("GET", PATH, json=record())
    with pytest.raises(PlatformError, match=f"^allocator {ID} is connected, so the allocator is not deleted: take the"):
        ensure_absent(make_client(), ID, remove_instances, check_mode)


@pytest.mark.parametrize("remove_instances", [False, True])
def test_the_allocator_of_a_connected_runner_stays(ece, make_client, remove_instances):
    ece.expect("GET", PATH, json=gone())
    ece.expect("GET", f"{RUNNERS}/{ID}", json=runner(ID, "allocator"))
    with pytest.raises(PlatformError, match=f"^the runner of allocator {ID} is connected, so the allocator is not"):
        ensure_absent(make_client(), ID, remove_instances, False)


@pytest.mark.parametrize("odd", [odd for odd in ODD_VALUES if not isinstance(odd, bool)])
@pytest.mark.parametrize("whose", ["allocator", "runner"])
def test_nothing_is_deleted_where_the_platform_does_not_say_that_it_is_disconnected(ece, make_client, odd, whose):
    ece.expect("GET", PATH, json=gone(status={"connected": odd}) if whose == "allocator" else gone())
    if whose == "runner":
        ece.expect("GET", f"{RUNNERS}/{ID}", json={**runner(ID), "connected": odd})
    with pytest.raises(PlatformError, match="^the platform does not say whether .* is connected, so"):
        ensure_absent(make_client(), ID, True, False)


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_allocator_with_instances_stays_and_they_are_named(ece, make_client, check_mode):
    held = [instance(1), instance(1), instance(2, "kibana", deployment_id=None), *map(instance, range(3, 8)), "odd"]
    ece.expect("GET", PATH, json=gone(instances=held))
    ece.expect("GET", f"{RUNNERS}/{ID}", json=runner(ID, connected=False))
    with pytest.raises(PlatformError) as refused:
        ensure_absent(make_client(), ID, False, check_mode)
    assert str(refused.value) == (
        f"allocator {ID} holds 9 instances (elasticsearch c1 of deployment d1, elasticsearch c3 of deployment d3, "
        "elasticsearch c4 of deployment d4, elasticsearch c5 of deployment d5, elasticsearch c6 of deployment d6 and 3 "
        "more), so it is not deleted: move them to other allocators first, or set remove_instances: true to delete "
        "them with it"
    )


@pytest.mark.parametrize("check_mode", [False, True])
def test_instances_go_with_their_allocator_where_that_is_asked_for(ece, make_client, check_mode):
    ece.expect("GET", PATH, json=gone(instances=[instance(1, "kibana")]))
    ece.expect("GET", f"{RUNNERS}/{ID}", json=runner(ID, connected=False))
    if not check_mode:
        ece.expect("DELETE", PATH, json={}, query={"remove_instances": "true"})
    result = ensure_absent(make_client(), ID, True, check_mode)
    kept = {"kind": "kibana", "cluster_id": "c1", "deployment_id": "d1", "instance_name": "instance-1"}
    assert result["changed"] and result["instances"] == result["diff"]["before"]["instances"] == [kept]


def test_instances_that_came_meanwhile_keep_their_allocator(ece, make_client):
    ece.expect("GET", PATH, json=gone())
    ece.expect("GET", f"{RUNNERS}/{ID}", json=runner(ID, connected=False))
    ece.expect("DELETE", PATH, status=400, json=failed("allocators.delete_allocator_with_instances_attempt"))
    with pytest.raises(EceApiError, match="delete_allocator_with_instances_attempt") as refused:
        ensure_absent(make_client(), ID, False, False)
    assert refused.value.changed is False


# -- tokens in the wrong place ---------------------------------------------------------------------------------------


def test_a_token_that_is_set_as_an_id_or_a_tag_is_in_no_message(ece, make_client):
    token = jwt(["allocator"])
    ece.expect("GET", f"{ALLOCATORS}/{token}", **UNKNOWN)
    with pytest.raises(PlatformError) as unknown:
        ensure_present(make_client(), token, Wish(), False)
    ece.expect("GET", PATH, json=record())
    ece.expect("PUT", f"{PATH}/metadata/a", json=[], sends={"value": token})
    ece.expect("PUT", f"{PATH}/metadata/b", status=400, json=failed("allocators.no"), sends={"value": "x"})
    with pytest.raises(PlatformError) as refused:
        ensure_present(make_client(), ID, wish_of({"tags": {"a": token, "b": "x"}}), False)
    assert MASK in str(unknown.value) and str(refused.value).endswith(f"this was written: tag a={MASK}")
    assert not any(part in str(error.value) for error in (unknown, refused) for part in token.split(".")[:2])
