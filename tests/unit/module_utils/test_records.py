# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of the API's replies: flat records, filters, counts, and values without secrets."""

from __future__ import annotations

import json

import pytest

from ansible_collections.ece.platform.plugins.module_utils._records import (
    count_warning,
    filter_allocators,
    filter_runners,
    flat_allocator,
    flat_runner,
    platform_totals,
    summarise,
    without_secrets,
    zone_of,
)
from tests.unit.scripted import FULL_ALLOCATOR, ODD_VALUES, runner

every_odd_value = pytest.mark.parametrize("odd", ODD_VALUES, ids=lambda odd: repr(odd)[:20])

# -- a host ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of_runner", "of_allocator", "zone"),
    [
        ({"zone": "r"}, {"zone_id": "a"}, "a"),
        ({"zone": "r"}, {"zone_id": None}, "r"),
        ({"zone": "r"}, {"zone_id": ""}, "r"),
        ({"zone": "r"}, {"zone_id": ["a"]}, "r"),
        ({"zone": "r"}, None, "r"),
        (None, {"zone_id": "a"}, "a"),
        ({"zone": 7}, {}, None),
        ({"zone": ""}, None, None),
        (None, None, None),
    ],
)
def test_the_zone_of_a_host_is_that_of_its_allocator(of_runner, of_allocator, zone):
    assert zone_of(of_runner, of_allocator) == zone


# -- flat records ----------------------------------------------------------------------------------------------------


def test_flat_allocator():
    assert flat_allocator(FULL_ALLOCATOR) == {
        "allocator_id": "a1",
        "zone_id": "z1",
        "host_ip": "10.0.0.1",
        "public_hostname": "a1.example.com",
        "connected": True,
        "healthy": True,
        "maintenance_mode": True,
        "version": "3.8.0",
        "memory_total_mb": 249856,
        "memory_used_mb": 1024,
        "storage_total_mib": 8388608,
        "instance_count": 2,
        "tags": {"ssd": "true", "bare": None},
    }


NULLS = {"status": None, "capacity": None, "build_info": None, "instances": None, "metadata": None}


@pytest.mark.parametrize("fields", [{}, NULLS, {"capacity": {"memory": None, "storage": None}}])
def test_flat_allocator_of_a_sparse_reply(fields):
    flat = flat_allocator({"allocator_id": "a1", **fields})
    assert (flat["connected"], flat["memory_total_mb"], flat["version"], flat["tags"], flat["instance_count"]) == (
        False,
        None,
        None,
        {},
        0,
    )


def test_flat_runner():
    reply = runner(
        "10.0.0.7",
        "beats-runner",
        "allocator",
        zone="z1",
        healthy=True,
        build_info={"version": "3.8.0"},
        tags={"k": "v"},
        containers=[{"container_set_name": "runners", "container_name": "runner"}],
    )
    flat = flat_runner(reply)
    assert flat["roles"] == ["allocator", "beats-runner"]
    assert flat["containers"] == ["frc-runners-runner"]
    assert (flat["connected"], flat["healthy"], flat["zone"], flat["version"], flat["tags"]) == (
        True,
        True,
        "z1",
        "3.8.0",
        {"k": "v"},
    )


def test_flat_runner_of_a_sparse_reply():
    flat = flat_runner({"runner_id": "r", "roles": None, "tags": None, "containers": None, "build_info": None})
    assert (flat["connected"], flat["roles"], flat["containers"], flat["version"]) == (False, [], [], None)


@every_odd_value
@pytest.mark.parametrize(
    "key", ["zone_id", "host_ip", "public_hostname", "status", "capacity", "build_info", "instances", "metadata"]
)
def test_an_allocator_with_an_odd_member_is_read_without_it(key, odd):
    for value in (
        odd,
        [odd],
        {"memory": odd, "storage": odd, "version": odd, "connected": odd},
        {"memory": {"total": odd, "used": odd}},
        [{"key": odd}],
    ):
        flat = flat_allocator({**FULL_ALLOCATOR, key: value})
        assert set(flat) == set(flat_allocator(FULL_ALLOCATOR))
        assert summarise([flat, flat])["allocators"] == 2


@every_odd_value
@pytest.mark.parametrize(
    "key", ["zone", "host_ip", "public_hostname", "connected", "build_info", "roles", "tags", "containers"]
)
def test_a_runner_with_an_odd_member_is_read_without_it(key, odd):
    for value in (odd, [odd], {"version": odd}, [{"role_name": odd, "container_name": odd}]):
        odd_runner = {**runner("10.0.0.7"), key: value}
        flat = flat_runner(odd_runner)
        assert set(flat) == set(flat_runner(runner("10.0.0.7")))
        assert all(isinstance(role, str) for role in flat["roles"])


@pytest.mark.parametrize("number", [True, "8192", float("nan"), float("inf"), -float("inf"), 2**63, 10**400, [1], None])
def test_a_value_that_cannot_be_memory_is_none(number):
    flat = flat_allocator({"allocator_id": "a", "capacity": {"memory": {"total": number}}})
    assert flat["memory_total_mb"] is None


# -- filters ---------------------------------------------------------------------------------------------------------


def listed(allocator_id, zone, connected, maintenance_mode=False, total=1024, used=512, **tags):
    return {
        "allocator_id": allocator_id,
        "zone_id": zone,
        "connected": connected,
        "maintenance_mode": maintenance_mode,
        "memory_total_mb": total,
        "memory_used_mb": used,
        "tags": tags,
    }


LIST = [
    listed("c", "z2", True, ssd="true", rack="1"),
    listed("a", "z1", True, maintenance_mode=True, ssd="true"),
    listed("b", "z1", False, total=None, used=None),
    listed("d", None, False),
]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({}, "abcd"),
        ({"allocator_ids": ["c", "a", "x"]}, "ac"),
        ({"allocator_ids": []}, ""),
        ({"zones": ["z1"]}, "ab"),
        ({"zones": []}, ""),
        ({"tags": {"ssd": "true"}}, "ac"),
        ({"tags": {"ssd": "true", "rack": "1"}}, "c"),
        ({"tags": {}}, "abcd"),
        ({"connected": True}, "ac"),
        ({"connected": False}, "bd"),
        ({"maintenance_mode": True}, "a"),
        ({"maintenance_mode": False}, "bcd"),
        ({"zones": ["z1"], "connected": True, "maintenance_mode": True, "tags": {"ssd": "true"}}, "a"),
    ],
)
def test_filters_of_allocators_all_hold_and_the_result_is_sorted(filters, ids):
    assert "".join(item["allocator_id"] for item in filter_allocators(LIST, **filters)) == ids


RUNNERS = [
    flat_runner(runner("c", "proxy", "beats-runner", zone="z1")),
    flat_runner(runner("a", "allocator", zone="z1", connected=False)),
    flat_runner(runner("b", "director", "proxy")),
]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({}, "abc"),
        ({"runner_ids": ["c", "a", "x"]}, "ac"),
        ({"runner_ids": []}, ""),
        ({"zones": ["z1"]}, "ac"),
        ({"roles": ["proxy"]}, "bc"),
        ({"roles": ["proxy", "director"]}, "b"),
        ({"roles": []}, "abc"),
        ({"connected": False}, "a"),
        ({"zones": ["z1"], "roles": ["proxy"], "connected": True}, "c"),
    ],
)
def test_filters_of_runners_all_hold_and_the_result_is_sorted(filters, ids):
    assert "".join(one["runner_id"] for one in filter_runners(RUNNERS, **filters)) == ids


# -- counts ----------------------------------------------------------------------------------------------------------


def test_summary_counts_in_all_and_by_zone_and_unknown_memory_counts_as_0():
    summary = summarise(LIST)
    zones = summary.pop("zones")
    assert summary == {
        "allocators": 4,
        "connected": 2,
        "maintenance_mode": 1,
        "memory_total_mb": 3072,
        "memory_used_mb": 1536,
    }
    assert list(zones) == ["", "z1", "z2"]
    assert zones["z1"] == {
        "allocators": 2,
        "connected": 1,
        "maintenance_mode": 1,
        "memory_total_mb": 1024,
        "memory_used_mb": 512,
    }
    assert {key: sum(zone[key] for zone in zones.values()) for key in summary} == summary


@pytest.mark.parametrize(
    ("platform", "totals"),
    [
        (
            {
                "regions": [
                    {
                        "allocators": {"zone_summaries": [{"total_allocators": 2}, {"total_allocators": 3}]},
                        "runners": {"total_runners": 7},
                    },
                    {"allocators": {"zone_summaries": [{}]}, "runners": {"total_runners": 1}},
                ]
            },
            {"allocators": 5, "runners": 8},
        ),
        (
            {"regions": [{"allocators": {"zone_summaries": []}, "runners": {"total_runners": 0}}]},
            {"allocators": 0, "runners": 0},
        ),
        ({"regions": [{"allocators": None, "runners": None}]}, {"allocators": None, "runners": None}),
        ({"regions": None}, {"allocators": None, "runners": None}),
        ({}, {"allocators": None, "runners": None}),
    ],
)
def test_platform_totals(platform, totals):
    assert platform_totals(platform) == totals


@pytest.mark.parametrize(
    ("listed_count", "total", "warns"), [(3, 3, False), (3, None, False), (3, 4, True), (4, 3, True), (0, 1, True)]
)
def test_a_list_that_lags_behind_the_platforms_count_is_a_warning(listed_count, total, warns):
    sentence = count_warning("allocators", listed_count, total)
    assert bool(sentence) == warns
    assert not warns or f"{listed_count} entries but GET /platform counts {total}" in sentence


@every_odd_value
def test_odd_counts_of_the_platform_do_not_count(odd):
    for regions in (
        odd,
        [odd],
        [{"allocators": odd, "runners": odd}],
        [
            {
                "allocators": {"zone_summaries": odd},
                "runners": {"total_runners": odd if not isinstance(odd, (int, float)) else None},
            }
        ],
        [{"allocators": {"zone_summaries": [odd, {"total_allocators": odd if odd not in (0, -1.5) else None}]}}],
    ):
        assert set(platform_totals({"regions": regions}).values()) <= {None, 0}


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_without_secrets_cuts_endless_nesting():
    value = {"secret": 1}
    for _level in range(900):
        value = {"a": [value]}
    json.dumps(without_secrets(value))
    assert without_secrets([[{"a": 1}]]) == [[{"a": 1}]]


def test_without_secrets_drops_every_key_that_names_one_at_any_depth():
    value = {
        "name": "x",
        "proxy_Password": "p",
        "deep": [{"api_key": "k", "port": 1}, ({"tokens": [1]},)],
        "options": {"docker": {"auths": {}}, "signature": "s", "private_key": 2},
    }
    assert without_secrets(value) == {"name": "x", "deep": [{"port": 1}, [{}]], "options": {"docker": {}}}


HIDDEN = {
    "ACL of ZooKeeper": ({"acls": [{"scheme": "digest", "id": "user:geheim"}]}, {"acls": [{"scheme": "digest"}]}),
    "system property": ({"env": ["JAVA_OPTS=-Xmx1g -Dzk.password=geheim"]}, {"env": []}),
    "property in a text": ({"JAVA_OPTS": "-Xmx1g -Dzk.password=geheim", "x": 1}, {"x": 1}),
    "passphrase": (["PASSPHRASE=geheim", "A=1"], ["A=1"]),
    "short names": (["ADMIN_PW=geheim", "ADMIN_PWD=geheim", "DB_PASS=geheim", "a.pw=geheim"], []),
    "short names as keys": ({"admin_pw": "geheim", "rootPw": "geheim", "pass": "geheim", "spawn": 1}, {"spawn": 1}),
    "key and value": ([{"key": "cookie_secret", "value": "geheim"}], [{"key": "cookie_secret"}]),
    "name and value": ([{"name": "ES_PASSWORD", "value": "geheim", "n": 1}], [{"name": "ES_PASSWORD", "n": 1}]),
    "camel case": ({"apiKey": "geheim", "privateKey": "geheim", "clientSecret": "geheim"}, {}),
    "option and value": (["--password", "geheim", "--port", "1"], ["--password", "--port", "1"]),
    "option in a text": ({"command": "run --admin-password geheim -v"}, {}),
    "option with its value": (["--password=geheim"], []),
    "JSON in a text": ({"config": '{"password": "geheim"}'}, {}),
    "YAML in a text": ({"config": "user: me\npassword: geheim"}, {}),
    "header": ({"headers": ["Authorization: Basic Z2VoZWlt"]}, {"headers": []}),
    "address": ({"proxy": "http://me:geheim@proxy:3128", "url": "http://proxy:3128"}, {"url": "http://proxy:3128"}),
    "token": ({"text": "with eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJnZWhlaW0ifQ.c2ln"}, {}),
    # Not in one piece, because scanners take the whole line for a key.
    "private key": ({"pem": "-----BEGIN RSA {} KEY-----\ngeheim".format("PRIVATE")}, {}),
    "second of two": (["A=PASSWORD=geheim"], []),
}
SHOWN = [
    {"user_cookie_key": "FoundUser", "maintenance_bypass_cookie_name": "bypass"},
    {"env": ["HEAP=1G", "PATH=/bin:/usr/bin", "JAVA_OPTS=-Xmx1g -Dx.port=1"]},
    {"image": "docker.elastic.co/cloud-enterprise/elastic-cloud-enterprise:3.8.0", "commit_hash": "0a1b"},
    {"key": "ssd", "value": "true"},
    {"acls": [{"scheme": "world", "id": "anyone"}]},
    {"reason": "The runner waits for its roles", "at": "2026-01-01T00:00:00Z", "ratio": 0.5, "none": None},
    {"command": ["run", "--port", "1"], "flags": "-v --port 1"},
    {"url": "https://ece.example.com:12443/x?y=1", "mail": "ops@example.com"},
]


@pytest.mark.parametrize("case", HIDDEN)
def test_a_secret_that_its_name_or_its_form_shows_is_left_out(case):
    value, shown = HIDDEN[case]
    assert without_secrets(value) == shown
    assert without_secrets({"deep": [value]}) == {"deep": [shown]}


@pytest.mark.parametrize("value", SHOWN, ids=str)
def test_what_is_no_secret_stays(value):
    assert without_secrets(value) == value
