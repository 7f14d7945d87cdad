# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The platform answers requests for lists wrongly, or its lists hold something unusual."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.integration.operator import Operator
from tests.integration.scenarios.answers import (
    NOT_REVOKED,
    PLAN_MESSAGES,
    RUNNERS,
    TOKENS,
    Step,
    answered_in_each_way,
    missing_field,
)
from tests.integration.scenarios.scenario import (
    CONNECTED,
    RETRIES,
    Joined,
    Prepare,
    Reaches,
    Scenario,
    Undo,
    all_of,
    faulty,
)

ALLOCATORS = "infrastructure/allocators$"
KINDS = ("500", "403", "slow", "reset-before", "truncated", "html", "missing-fields")
# One poll asks so often before it gives up; the watch goes on with the next poll.
ONE_POLL = RETRIES + 1
# More hosts than fit on one page.
TWO_PAGES = {"allocators": 150, "max_page": 100}

# -- wrong answers ---------------------------------------------------------------------------------------------------


def read_first(name: str, subject: str, path: str, field_name: str) -> Step:
    """Return a step that reads a list before anything is written. Wrong answers end the run."""
    return Step(
        name=name,
        subject=subject,
        requests={"method": "GET", "path": path},
        times=None,
        messages={**{kind: PLAN_MESSAGES[kind] for kind in KINDS}, "missing-fields": missing_field(field_name)},
        failure={"reaches": Reaches.PLAN},
    )


def read_by_watch(name: str, subject: str, path: str) -> Step:
    """Return a step that reads a list while hosts join. Wrong answers are followed by the next poll."""
    return Step(
        name=name,
        subject=subject,
        requests={"method": "GET", "path": path, "after": 1},
        times=ONE_POLL,
        is_repeated=True,
    )


STEPS = (
    read_first("plan-runners", "The plan's requests for runners", RUNNERS, "runners"),
    read_first("plan-allocators", "The plan's requests for allocators", ALLOCATORS, "zones"),
    read_by_watch("watch-runners", "Requests for runners while hosts join", RUNNERS),
    read_by_watch("watch-allocators", "Requests for allocators while hosts join", ALLOCATORS),
    read_first("mint-list", "Requests for the list of tokens before the mint", TOKENS, "tokens"),
    Step(
        name="revoke-list",
        subject="Requests for the list of tokens after the revocation",
        requests={"method": "GET", "path": TOKENS, "after": 1},
        times=ONE_POLL,
        messages=dict.fromkeys(KINDS, NOT_REVOKED),
        failure={
            "joined": Joined.BOTH,
            "afterwards": "the token watchdog makes sure that the token is gone",
            "watchdog_revokes": True,
        },
    ),
)

# -- unusual lists ---------------------------------------------------------------------------------------------------


def existing_hosts(operator: Operator) -> None:
    """Let the inventory hold the hosts of the platform, too."""
    operator.hosts.update(operator.ece.existing_hosts())


def allocators_changed(change: Callable[[Operator, Any], Any], times: int | None = None) -> Prepare:
    """Return a step after which answers with the list of allocators go through `change(operator, payload)`."""

    def prepare(operator: Operator) -> Undo | None:
        fault = {"path": ALLOCATORS, "transform": lambda payload: change(operator, payload), "times": times}
        return faulty(method="GET", **fault)(operator)

    return prepare


def with_null(_operator: Operator, payload: Any) -> Any:
    """Add a zone whose allocators are null."""
    return {"zones": [*payload["zones"], {"zone_id": "ece-zone-9", "allocators": None}]}


def without_zone_id(_operator: Operator, payload: Any) -> Any:
    """Remove the id of each zone."""
    return {"zones": [{key: value for key, value in zone.items() if key != "zone_id"} for zone in payload["zones"]]}


def without_allocators(_operator: Operator, payload: Any) -> Any:
    """Remove all allocators, as while the index behind the list is being rebuilt."""
    return {"zones": [{**zone, "allocators": []} for zone in payload["zones"]]}


def add_first_runner(operator: Operator) -> None:
    """Add a runner that comes first in the list and is not in the inventory."""
    operator.ece.platform.add_runner("0-first-of-all", host_ip="203.0.113.250")


def grow(operator: Operator, payload: Any) -> Any:
    """Add an entry at the beginning, so that the last entry of the first page comes again on the second."""
    add_first_runner(operator)
    return payload


def shrink(operator: Operator, payload: Any) -> Any:
    """Remove the first entry, so that the first entry of the second page moves to the first, which was read already."""
    operator.ece.platform.remove("0-first-of-all")
    return payload


def unusual_lists() -> Iterator[Scenario]:
    """Yield the scenarios in which a list holds something unusual. The run succeeds in each but one."""
    common: dict[str, Any] = {"succeeds": True, "message": CONNECTED, "joined": Joined.BOTH}
    yield Scenario(
        name="list-allocators-null",
        what="A zone without allocators has null instead of a list",
        prepare=all_of(existing_hosts, allocators_changed(with_null)),
        standin={"allocators": 5},
        **common,
    )
    yield Scenario(
        name="list-zones-without-id",
        what="Zones have no id",
        prepare=all_of(existing_hosts, allocators_changed(without_zone_id)),
        standin={"allocators": 5},
        **common,
    )
    yield Scenario(
        name="list-sparse",
        what="Required fields are missing everywhere, as in recorded replies",
        prepare=existing_hosts,
        standin={"allocators": 5, "sparse": True},
        **common,
    )
    yield Scenario(
        name="list-duplicate-ids-across-pages",
        what="The list grows while its pages are read, so that one host is on two pages",
        prepare=all_of(existing_hosts, allocators_changed(grow, times=1)),
        standin=TWO_PAGES,
        **common,
    )
    yield Scenario(
        name="list-shrinks-while-paged",
        what="The list shrinks while its pages are read, so that one host is on no page",
        prepare=all_of(existing_hosts, add_first_runner, allocators_changed(shrink, times=1)),
        standin=TWO_PAGES,
        afterwards="the missing host is requested by its id; no host of the platform is touched",
        **common,
    )
    yield Scenario(
        name="list-rebuilt",
        what="The list of allocators is empty while its index is being rebuilt, and the inventory has many of them",
        prepare=all_of(existing_hosts, allocators_changed(without_allocators)),
        standin={"allocators": 120},
        message="list of allocators lacks up to 120 hosts of the plan, although the platform has",
        reaches=Reaches.PLAN,
        afterwards="no host is called disconnected by such a list",
    )
    yield Scenario(
        name="watch-index-lag",
        what="The list shows a new allocator 20 s late",
        standin={"index_lag": 20},
        afterwards="the run waits for it",
        **common,
    )


def scenarios() -> Iterator[Scenario]:
    """Yield the scenarios of this file."""
    for step in STEPS:
        yield from answered_in_each_way(step, KINDS)
    yield from unusual_lists()
