# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What token a batch needs: for those hosts alone whose installers are still to be started."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.action import ece_host_token
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError


def verdict(word="install", roles=("allocator",), install_timeout=1800):
    return {"__ece_host_verdict": {"verdict": word, "roles": list(roles), "install_timeout": install_timeout}}


BEFORE = {"hosts": ["a", "b", "c"], "minted": 1, "roles": ["allocator"], "validity_seconds": 2120}


@pytest.fixture
def need(bare):
    def act(hostvars, failed=(), most=None, **options):
        defaults = {"persistent": False, "forks": 5, "before": {}, "late": False, "only": None}
        arguments = {"hosts": list(hostvars), "plan": {"max_fail_percentage": most}, **defaults, **options}
        return bare(ece_host_token).act(
            arguments, {"hostvars": hostvars, "ansible_play_batch": [name for name in hostvars if name not in failed]}
        )

    return act


def test_roles_of_all_and_the_longest_time(need):
    result = need(
        {
            "a": verdict(roles=["proxy"]),
            "b": verdict("replace", roles=["allocator", "proxy"], install_timeout=3600),
            **{f"c{n}": verdict() for n in range(4)},
        }
    )
    assert result["roles"] == ["allocator", "proxy"]
    assert result["validity_seconds"] == 3600 + 300 + 2 * 20
    assert (result["minted"], result["persistent"], result["changed"]) == (1, False, False)


def test_hosts_that_join_without_a_token_do_not_count(need):
    hosts = {word: verdict(word, roles=["director"]) for word in ("wait", "assign_roles")}
    result = need({**hosts, "refused": verdict(roles=["proxy"])}, failed=["refused"])
    assert (result["hosts"], result["roles"], result["validity_seconds"], result["minted"]) == ([], [], None, 0)
    assert need({**hosts, "new": verdict()})["roles"] == ["allocator"]


def test_the_second_token_of_a_batch_is_for_the_hosts_that_were_late(need):
    started, late = (
        {**verdict(), "__ece_host_start": {"changed": True}},
        {**verdict(), "__ece_host_start": {"late": True}},
    )
    result = need(
        {"a": started, "b": {**verdict(), "__ece_host_start": {"failed": True}}, "c": late},
        failed=["b"],
        before=BEFORE,
        late=True,
    )
    assert (result["hosts"], result["minted"], result["at_any_age"]) == (["c"], 2, False)


def test_a_token_is_used_at_any_age_where_nobody_could_be_started_with_the_one_before(need):
    late = {**verdict(), "__ece_host_start": {"late": True}}
    result = need({"a": late, "b": late, "c": late}, before=BEFORE, late=True)
    assert (result["hosts"], result["minted"], result["at_any_age"]) == (["a", "b", "c"], 2, True)
    assert need({"a": verdict()})["at_any_age"] is False


@pytest.mark.parametrize(
    ("most", "stops"), [(None, False), (50, False), ("50%", False), (49, True), (0, True), ("0", True)]
)
def test_too_many_hosts_that_cannot_join_stop_the_batch_before_a_token_is_minted(need, most, stops):
    hosts = {"a": {}, "b": {}, "c": verdict(), "d": verdict("wait")}
    if not stops:
        assert need(hosts, failed="ab", most=most)["hosts"] == ["c"]
        return
    with pytest.raises(
        PlatformError,
        match=f"^2 of 4 hosts of a batch have failed, .* ece_host_max_fail_percentage {most} allows: no installer is started",
    ):
        need(hosts, failed="ab", most=most)


def test_too_many_failures_after_the_first_token_leave_running_installers_alone(need):
    late = {**verdict(), "__ece_host_start": {"late": True}}
    result = need(
        {"a": verdict(), "b": late, "c": {**verdict(), "__ece_host_start": {"changed": True}}},
        failed="a",
        before=BEFORE,
        late=True,
        most=10,
    )
    assert result["stopped"].startswith("1 of 3 hosts ") and result["stopped"].endswith(
        ": no further installer is started"
    )
    assert (result["hosts"], result["minted"], result["roles"], result["validity_seconds"]) == (
        [],
        1,
        ["allocator"],
        2120,
    )


def test_hosts_that_are_installed_anew_have_one_more_token_of_their_own(need):
    joined, anew = (
        {**verdict(), "__ece_host_start": {"changed": True}},
        {**verdict(), "__ece_host_start": {"skipped": True}},
    )
    result = need(
        {"a": joined, "b": anew, "c": {**verdict("half-installed")}, "d": anew},
        failed=["c", "d"],
        before=BEFORE,
        only=["b", "c", "d"],
    )
    assert (result["hosts"], result["minted"], result["at_any_age"], result["anew"]) == (["b"], 2, False, True)


def test_where_hosts_are_installed_anew_too_many_failures_stop_those_alone(need):
    hosts = {"joined": verdict("wait"), "failed": verdict("half-installed"), "anew": verdict()}
    result = need(hosts, failed=["failed"], most=0, only=["failed", "anew"])
    assert (result["hosts"], result["minted"]) == ([], 0)
    assert result["stopped"].endswith("allows: no further installer is started")


def test_a_start_that_an_earlier_play_has_registered_does_not_count(need):
    assert need({"a": {**verdict(), "__ece_host_start": {"changed": True}}})["hosts"] == ["a"]


def test_a_persistent_token_has_no_end(need):
    assert need({"a": verdict()}, persistent=True)["validity_seconds"] is None
