# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Asks the platform for single hosts where its lists may have gaps.

Lists come from a search index, which lags behind, is rebuilt, or may be cut without notice. What a list lacks is no
fact. The answer to a question for one id comes from the platform's state.
"""

from __future__ import annotations

from typing import Any, Callable, Iterable, Mapping, Sequence

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._decision import may_be_host_of
from ansible_collections.ece.platform.plugins.module_utils._errors import PlatformError
from ansible_collections.ece.platform.plugins.module_utils._plan import (
    HostWish,
    KnownHost,
    PlanEntry,
    add_hosts,
    known_hosts,
    known_parts,
    listed_counts,
    plan_hosts,
    short_lists,
    unlisted_allocators,
    with_answer,
)
from ansible_collections.ece.platform.plugins.module_utils._records import (
    connected_of,
    object_of,
    platform_totals,
    text_of,
)
from ansible_collections.ece.platform.plugins.module_utils._states import NEW

# Where more ids are missing, a list is wrong as a whole, and one request for each would be a storm.
SINGLE_REQUESTS_MAX = 100
# A host has few addresses, but each of its containers' networks has one, too. Many runners behind one address have
# it in the platform's lists.
OWN_NAMES_MAX = 20


def plan_platform(
    client: EceClient, platform: Mapping[str, Any], wishes: Sequence[HostWish]
) -> tuple[dict[str, PlanEntry], dict[str, KnownHost]]:
    """Return a plan entry for each host, and all hosts that the platform lists or was asked for.

    platform: the answer of get-platform. Raises PlatformError where a list cannot be believed.
    """
    totals, version = platform_totals(platform), platform["version"]
    known = known_hosts(client.runners(), client.iter_allocators(totals["allocators"]))
    short = short_lists(known, totals)

    def plan() -> dict[str, PlanEntry]:
        return plan_hosts(wishes, known, version, list_is_short=bool(short))

    planned = plan()
    if "runners" in short:
        new = [entry["runner_id"] for entry in planned.values() if entry["state"] == NEW]
        lacking = (totals["runners"] or 0) - listed_counts(known)["runners"]
        add_hosts(known, _unlisted("runners", client.runner, new, lacking), ())
        planned = plan()
    unlisted = unlisted_allocators(planned, known)
    if unlisted:
        add_hosts(known, (), _unlisted("allocators", client.allocator, unlisted, len(unlisted)))
        planned = plan()
    return planned, known


def _unlisted(
    kind: str, ask: Callable[[str], "dict[str, Any] | None"], ids: Sequence[str], lacking: int
) -> list[dict[str, Any]]:
    """Return those of the runners or allocators that a list lacks and the platform has. Raises PlatformError.

    Of too many, some show whether the list is right. A run that believed a wrong one would contact all these hosts, and
    a run that called them all joined would not prove it. So it ends before anything is changed; the index is complete
    again within minutes.
    ids: of planned hosts that the list may lack. lacking: the most of them that it can lack.
    """
    found = [one for one in map(ask, ids[:SINGLE_REQUESTS_MAX]) if one]
    lacking = min(lacking, len(ids))
    # An allocator that is gone is disconnected whether the list has it or not.
    wrong = kind == "runners" or any(connected_of(object_of(one.get("status"))) for one in found)
    if found and wrong and lacking > SINGLE_REQUESTS_MAX:
        raise PlatformError(
            f"the platform's list of {kind} lacks up to {lacking:,} hosts of the plan, although the platform has "
            f"{len(found):,} of the first {SINGLE_REQUESTS_MAX} when it is asked for each, as while its index is "
            "rebuilt: nothing was changed. Run this again in some minutes, or resync the list first "
            f"(POST /platform/infrastructure/{kind}/_resync)"
        )
    return found


def known_host(client: EceClient, known_id: str) -> KnownHost | None:
    """Return what the platform has of the host with this id, or None. Raises EceError."""
    runner, allocator = client.runner(known_id), client.allocator(known_id)
    known = known_hosts([runner] if runner else [], [allocator] if allocator else [])
    merged = KnownHost()
    for part in known.values():  # one, unless the platform spells the id in two ways
        merged.update(part)
    return merged or None


def add_single_hosts(client: EceClient, known: dict[str, KnownHost], ids: Iterable[str]) -> None:
    """Put what the platform has of each id in place of what its lists have. Raises EceError."""
    for known_id in ids:
        host = known_host(client, known_id)
        if host:
            known[known_id] = host


def look_again(
    client: EceClient, entry: PlanEntry, facts: Mapping[str, Any], listed: Mapping[str, Sequence[str]]
) -> PlanEntry:
    """Return the plan entry of a host by what the platform answers when it is asked for that very host.

    A host that runs ECE is also looked for by the names that it has for itself: the runner ids in its storage path, its
    addresses (`facts` of ece_host_info), and the ids that the platform listed with one of these.
    listed: ids_by_address() of the plan. Of several runners the one that is connected is the host.
    """
    planned_id = entry["runner_id"]
    found = {planned_id: known_host(client, planned_id)}
    if facts.get("ece_containers") and not _is_connected(found[planned_id]):
        for known_id in _own_ids(entry, facts, listed):
            host = known_host(client, known_id)
            if host and may_be_host_of(known_id, _host_ip(host), facts):
                found[known_id] = host
    best = next((known_id for known_id, host in found.items() if _is_connected(host)), None)
    best = best or next((known_id for known_id, host in found.items() if host), planned_id)
    return with_answer(entry, best, found[best])


def _own_ids(entry: PlanEntry, facts: Mapping[str, Any], listed: Mapping[str, Sequence[str]]) -> list[str]:
    """Return ids that may be the host's, without the one that the plan has."""
    addresses = [text for text in map(text_of, facts.get("addresses") or []) if text]
    ids = [*filter(None, map(text_of, facts.get("runner_ids") or [])), *addresses][:OWN_NAMES_MAX]
    ids += [known_id for address in addresses for known_id in listed.get(address, ())][:OWN_NAMES_MAX]
    return [known_id for known_id in dict.fromkeys(ids) if known_id not in ("", ".", "..", entry["runner_id"])]


def _is_connected(host: KnownHost | None) -> bool:
    return any(known_parts(host or {}).values())


def _host_ip(host: KnownHost) -> Any:
    return (host.get("runner") or host.get("allocator") or {}).get("host_ip")
