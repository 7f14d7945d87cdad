# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the platform's lists say about a set of hosts: flatten, match, classify, judge, summarise.

Pure functions over plain data, no I/O. Shapes of runners and allocators are those of the API (RunnerInfo, AllocatorInfo);
replies of real platforms lack fields that the spec requires, so everything is read defensively.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
from typing import Any, Iterable, Mapping, Sequence

ROLES = ("allocator", "coordinator", "director", "proxy")
DEFAULT_ROLES = ("allocator",)
# The installer knocks with the token at its very end; this is what clocks, slow starts and the mint itself may take.
TOKEN_MARGIN_SECONDS = 300
# What starting one installer may take, download included.
START_SECONDS = 20
# However long a batch takes to start: the hosts that come later than this get a token of their own.
STARTS_MAX_SECONDS = 3600
# With less than this beyond its install timeout, a host is not started with a token any more.
KNOCK_SECONDS = 60
TOKEN_VALIDITY_MAX_SECONDS = 2**31 - 1

# What the API says of a host.
JOINED = "joined"
MISSING_ROLES = "missing_roles"
DISCONNECTED = "disconnected"
UNKNOWN = "unknown"

# What follows once the host has been asked too.
INSTALL = "install"
WAIT = "wait"
REPLACE = "replace"
ASSIGN_ROLES = "assign_roles"
REFUSED = "refused"
HALF_INSTALLED = "half-installed"
ILL = "ill"
STALE = "stale"
FAILING = (REFUSED, HALF_INSTALLED, ILL, STALE)


class FleetError(Exception):
    """Hosts and platform cannot be matched without a guess; one sentence that names them."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


# -- what a reply holds, whatever it should ------------------------------------------------------------------------------


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, (list, tuple)) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _connected(status: Mapping[str, Any]) -> bool:
    """Only the boolean that the API promises: the text "false" is no connection."""
    return status.get("connected") is True


def one_line(text: Any) -> str:
    """On one line, as for a sentence or a table, whatever the platform's names hold."""
    return " ".join(str(text).split())


def _number(value: Any) -> int | float | None:
    """A number that can be counted with: neither a boolean nor NaN nor beyond what the API has (int64)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if abs(value) < 2**63 else None


# -- API objects, flat ---------------------------------------------------------------------------------------------------


def flat_allocator(allocator: Mapping[str, Any]) -> dict:
    """One AllocatorInfo as modules return it. Memory is in MB, storage in MiB, as the API has them; None where it is silent."""
    status, capacity = _object(allocator.get("status")), _object(allocator.get("capacity"))
    memory = _object(capacity.get("memory"))
    instances = allocator.get("instances")
    return {
        "allocator_id": allocator.get("allocator_id"),
        "zone_id": _text(allocator.get("zone_id")),
        "host_ip": _text(allocator.get("host_ip")),
        "public_hostname": _text(allocator.get("public_hostname")),
        "connected": _connected(status),
        "healthy": bool(status.get("healthy")),
        "maintenance_mode": bool(status.get("maintenance_mode")),
        "version": _version(allocator),
        "memory_total_mb": _number(memory.get("total")),
        "memory_used_mb": _number(memory.get("used")),
        "storage_total_mib": _number(_object(capacity.get("storage")).get("total")),
        "instance_count": len(instances) if isinstance(instances, list) else 0,
        "tags": {item["key"]: _text(item.get("value")) for item in _objects(allocator.get("metadata")) if _text(item.get("key"))},
    }


def flat_runner(runner: Mapping[str, Any]) -> dict:
    """One RunnerInfo as modules return it."""
    return {
        "runner_id": runner.get("runner_id"),
        "zone": _text(runner.get("zone")),
        "host_ip": _text(runner.get("host_ip")),
        "public_hostname": _text(runner.get("public_hostname")),
        "connected": _connected(runner),
        "healthy": bool(runner.get("healthy")),
        "roles": runner_roles(runner),
        "version": _version(runner),
        "tags": {key: _text(value) for key, value in _object(runner.get("tags")).items()},
        "containers": sorted("frc-{0}-{1}".format(item.get("container_set_name"), item.get("container_name")) for item in _objects(runner.get("containers"))),
    }


def runner_roles(runner: Mapping[str, Any]) -> list[str]:
    """Role names of a RunnerInfo, system roles like beats-runner included."""
    return sorted(role["role_name"] for role in _objects(runner.get("roles")) if _text(role.get("role_name")))


def _version(item: Mapping[str, Any]) -> str | None:
    return _text(_object(item.get("build_info")).get("version"))


def filter_allocators(
    allocators: Iterable[Mapping[str, Any]],
    *,
    allocator_ids: Sequence[str] | None = None,
    zones: Sequence[str] | None = None,
    tags: Mapping[str, str] | None = None,
    connected: bool | None = None,
    maintenance_mode: bool | None = None,
) -> list[dict]:
    """The flat allocators that meet every filter given, sorted by id. An absent filter (None) lets all through."""
    ids = set(allocator_ids) if allocator_ids is not None else None
    return sorted(
        (
            dict(allocator)
            for allocator in allocators
            if (ids is None or allocator["allocator_id"] in ids)
            and (zones is None or allocator["zone_id"] in zones)
            and (tags is None or all(allocator["tags"].get(key) == value for key, value in tags.items()))
            and (connected is None or allocator["connected"] == connected)
            and (maintenance_mode is None or allocator["maintenance_mode"] == maintenance_mode)
        ),
        key=lambda allocator: allocator["allocator_id"],
    )


def summarise(allocators: Iterable[Mapping[str, Any]]) -> dict:
    """Counts and memory (MB) over flat allocators, in all and by zone."""
    total = _empty_summary()
    zones: dict[str, dict] = {}
    for allocator in allocators:
        for part in (total, zones.setdefault(allocator["zone_id"] or "", _empty_summary())):
            part["allocators"] += 1
            part["connected"] += allocator["connected"]
            part["maintenance_mode"] += allocator["maintenance_mode"]
            part["memory_total_mb"] += allocator["memory_total_mb"] or 0
            part["memory_used_mb"] += allocator["memory_used_mb"] or 0
    return {**total, "zones": {zone: zones[zone] for zone in sorted(zones)}}


def _empty_summary() -> dict:
    return {"allocators": 0, "connected": 0, "maintenance_mode": 0, "memory_total_mb": 0, "memory_used_mb": 0}


def platform_totals(platform: Mapping[str, Any]) -> dict:
    """Numbers of allocators and runners by GET /platform, which counts without the search index. None where it is silent."""
    allocators = runners = None
    for region in _objects(platform.get("regions")):
        zones = _object(region.get("allocators")).get("zone_summaries")
        if isinstance(zones, list):
            allocators = (allocators or 0) + sum(_number(zone.get("total_allocators")) or 0 for zone in _objects(zones))
        total_runners = _number(_object(region.get("runners")).get("total_runners"))
        if total_runners is not None:
            runners = (runners or 0) + total_runners
    return {"allocators": allocators, "runners": runners}


def count_warning(kind: str, listed: int, total: int | None) -> str | None:
    """A sentence where a list and the platform's own count disagree."""
    if total is None or listed == total:
        return None
    return (
        f"the list of {kind} has {listed} entries but GET /platform counts {total}; the list is an index that may lag behind. "
        f"If this stays, resync it (POST /platform/infrastructure/{kind}/_resync)."
    )


SECRET_WORDS = ("secret", "password", "token", "signature", "auths", "private_key", "api_key", "credential")


# Deeper than anything of the API, and well within what Ansible can hand on.
DEPTH_MAX = 50


def without_secrets(value: Any, depth: int = DEPTH_MAX) -> Any:
    """The value without any entry whose key speaks of a secret (proxy settings, role options, license), as key or as NAME=value in a list."""
    if isinstance(value, (Mapping, list, tuple)) and not depth:
        return None
    if isinstance(value, Mapping):
        return {key: without_secrets(item, depth - 1) for key, item in value.items() if not _is_secret(key)}
    if isinstance(value, (list, tuple)):
        return [without_secrets(item, depth - 1) for item in value if not (isinstance(item, str) and "=" in item and _is_secret(item.split("=", 1)[0]))]
    return value


def _is_secret(name: Any) -> bool:
    return any(word in str(name).lower() for word in SECRET_WORDS)


# -- matching hosts and platform -----------------------------------------------------------------------------------------


def normal_address(address: Any) -> str:
    """An address to compare by: lower case, IPv6 in its shortest form."""
    text = str(address).strip().lower().rstrip(".")
    if ":" not in text:
        return text  # a name, or an IPv4 address, which has one form only
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def _names_a_host(address: str) -> bool:
    """Loopback addresses stand for every host and so for none."""
    if not address.startswith("127.") and ":" not in address:
        return address not in ("", "localhost")
    try:
        return not ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True


def host_identity(name: str, variables: Mapping[str, Any]) -> dict:
    """Who an inventory host is to the platform: its runner id, and the addresses it may be registered with."""
    candidates = [variables.get("ece_host_ip"), variables.get("ansible_host"), name]
    identity = next(str(value) for value in [variables.get("ece_host_runner_id"), *candidates] if value)
    addresses = {normal_address(value) for value in candidates if value}
    return {"name": name, "runner_id": identity, "addresses": sorted(address for address in addresses if _names_a_host(address))}


# What is asked of a runner or an allocator further on; of ten thousand, the rest would be half a gigabyte.
KEPT_OF_RUNNER = ("runner_id", "connected", "host_ip", "public_hostname", "zone", "roles", "build_info")
KEPT_OF_ALLOCATOR = ("allocator_id", "host_ip", "public_hostname", "zone_id", "status", "capacity", "build_info")


def known_hosts(runners: Iterable[Mapping[str, Any]], allocators: Iterable[Mapping[str, Any]]) -> dict[str, dict]:
    """Runners and allocators as one entry a host, by id; on one host both go by the same id. Reads each list once."""
    known: dict[str, dict] = {}
    for runner in runners:
        known.setdefault(runner["runner_id"], {})["runner"] = {key: runner[key] for key in KEPT_OF_RUNNER if key in runner}
    add_allocators(known, allocators)
    return known


def add_allocators(known: dict[str, dict], allocators: Iterable[Mapping[str, Any]]) -> None:
    """Put allocators into what known_hosts() gave."""
    for allocator in allocators:
        known.setdefault(allocator["allocator_id"], {})["allocator"] = {key: allocator[key] for key in KEPT_OF_ALLOCATOR if key in allocator}


def unlisted_allocators(planned: Mapping[str, Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]], most: int = 100) -> list[str]:
    """Ids of planned hosts that are not ready only because the list of allocators lacks them, as one does that changed while it was paged.

    most: where more are missing, it is the list that is wrong, and asking for each would be a storm.
    """
    not_ready = (entry["runner_id"] for entry in planned.values() if entry["state"] == DISCONNECTED)
    missing = [known_id for known_id in not_ready if "allocator" not in known[known_id] and _connected(known[known_id]["runner"])]
    return missing if len(missing) <= most else []


def count_warnings(known: Mapping[str, Mapping[str, Any]], totals: Mapping[str, int | None]) -> list[str]:
    """A sentence for each list that disagrees with the platform's own count (platform_totals)."""
    listed = {kind: sum(1 for entry in known.values() if part in entry) for kind, part in (("runners", "runner"), ("allocators", "allocator"))}
    warnings = [count_warning(kind, listed[kind], totals[kind]) for kind in listed]
    return [warning for warning in warnings if warning]


def match_hosts(hosts: Sequence[Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]]) -> dict[str, str | None]:
    """Host name -> id in the platform, or None. Two answers to either side of that question are an error, never a guess.

    hosts: as host_identity() gives them. known: as known_hosts() gives them.
    """
    by_runner_id: dict[str, str] = {}
    for host in hosts:
        key = normal_address(host["runner_id"])
        if key in by_runner_id:
            raise FleetError(
                f"hosts {by_runner_id[key]} and {host['name']} have the same identity {host['runner_id']}; "
                "give each its own ece_host_runner_id, ece_host_ip or ansible_host"
            )
        by_runner_id[key] = host["name"]

    ids: dict[str, list[str]] = {}
    addresses: dict[str, list[str]] = {}
    for known_id, entry in known.items():
        ids.setdefault(normal_address(known_id), []).append(known_id)
        for part in entry.values():
            for address in {normal_address(part[key]) for key in ("host_ip", "public_hostname") if _text(part.get(key))}:
                if known_id not in addresses.setdefault(address, []):
                    addresses[address].append(known_id)

    matches: dict[str, str | None] = {}
    claimed: dict[str, str] = {}
    for host in hosts:
        found = list(ids.get(normal_address(host["runner_id"]), []))
        for address in host["addresses"]:
            found += [known_id for known_id in addresses.get(address, []) if known_id not in found]
        if len(found) > 1:
            raise FleetError(
                f"host {host['name']} matches {len(found)} runners: {', '.join(sorted(found))}; "
                "remove the wrong one from the platform, or set ece_host_runner_id and ece_host_ip so that only one fits"
            )
        match = found[0] if found else None
        if match is not None and match in claimed:
            raise FleetError(f"hosts {claimed[match]} and {host['name']} both match runner {match}; one of them has a wrong address or runner id")
        if match is not None:
            claimed[match] = host["name"]
        matches[host["name"]] = match
    return matches


def api_state(entry: Mapping[str, Any] | None, roles: Sequence[str]) -> tuple[str, list[str]]:
    """What the platform says of a host that should have C(roles): a state, and the roles it lacks.

    Ready means connected, never healthy: ECE calls an allocator without instances healthy even when it is gone.
    """
    if not entry:
        return UNKNOWN, list(roles)
    runner, allocator = entry.get("runner"), entry.get("allocator")
    allocator_connected = _connected(_object((allocator or {}).get("status")))
    if not (_connected(runner) if runner else allocator_connected):
        return DISCONNECTED, []
    held = set(runner_roles(runner)) if runner else {"allocator"}
    missing = [role for role in roles if role not in held]
    if missing:
        return MISSING_ROLES, missing
    if "allocator" in roles and not allocator_connected:
        return DISCONNECTED, []
    return JOINED, []


def plan(hosts: Sequence[Mapping[str, Any]], known: Mapping[str, Mapping[str, Any]], version: str | None = None) -> dict[str, dict]:
    """Host name -> what the platform says of it.

    hosts: host_identity() plus C(roles) and C(zone) each. known: as known_hosts() gives them. version: the platform's. Raises FleetError.
    """
    matches = match_hosts(hosts, known)
    planned = {}
    for host in hosts:
        match = matches[host["name"]]
        state, missing = api_state(known.get(match) if match is not None else None, host["roles"])
        planned[host["name"]] = {
            "name": host["name"],
            "state": state,
            "runner_id": match or host["runner_id"],
            "addresses": host["addresses"],
            "roles": list(host["roles"]),
            "missing_roles": missing if state == MISSING_ROLES else [],
            "zone": host.get("zone"),
            "differences": differences(known[match], host.get("zone"), version) if state == JOINED else [],
        }
    return planned


def difference_warnings(planned: Mapping[str, Mapping[str, Any]], most: int = 5) -> list[str]:
    """One sentence, if any, on all joined hosts that are not as the inventory has them; a join cannot change that."""
    words = [f"{name} ({' and '.join(entry['differences'])})" for name, entry in sorted(planned.items()) if entry["differences"]]
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return [f"joined, but not as the inventory has them: {', '.join(words[:most])}{more}"] if words else []


def plan_line(planned: Mapping[str, Mapping[str, Any]], version: str, url: str) -> str:
    """The plan in one line for the operator."""
    words = {JOINED: "joined", UNKNOWN: "new", DISCONNECTED: "not connected", MISSING_ROLES: "lacking a role"}
    counts = {state: sum(1 for entry in planned.values() if entry["state"] == state) for state in words}
    parts = [f"{counts[state]:,} {word}" for state, word in words.items() if counts[state] or state in (JOINED, UNKNOWN)]
    return one_line(f"ECE {version} at {url} - {len(planned):,} hosts: {', '.join(parts)}")


# -- judging one host ----------------------------------------------------------------------------------------------------


def judge(entry: Mapping[str, Any], facts: Mapping[str, Any], *, replace_stale: bool, connect_timeout: float) -> tuple[str, str]:
    """Verdict and sentence for one host: the plan's entry and what the host itself says (ece_host_info), put together.

    A finished install counts as still connecting for connect_timeout seconds, so that a run which was killed in the
    middle can be repeated at once.
    """
    state = entry["state"]
    if state == MISSING_ROLES:
        return ASSIGN_ROLES, "connected, but lacks {0}: assign through the API".format(", ".join(entry["missing_roles"]))
    containers = facts.get("ece_containers") or []
    if facts.get("installer_running"):
        return WAIT, "an installer is running on it already: wait for it"
    last = facts.get("last_install") or {}
    age = last.get("age_seconds")
    if containers and last.get("rc") == 0 and age is not None and age < connect_timeout:
        return WAIT, "its installer has just finished: wait until it connects"
    if containers and state == UNKNOWN:
        return HALF_INSTALLED, (
            "half-installed: it runs ECE containers ({0}) but the platform does not know it. Look at the installer's log; then remove its ECE "
            "containers (frc-runners-runner first) and its storage path, and run this again.".format(_some(containers))
        )
    if containers:
        return ILL, (
            "ill: the platform knows it as {0} but is not connected to it, while it runs ECE containers ({1}). Look at the container engine, the network to "
            "the coordinators and the logs of frc-runners-runner on it. It is never reinstalled.".format(entry["runner_id"], _some(containers))
        )
    problems = facts.get("problems") or []
    if not facts.get("containers_known", True):
        # Whatever checks are skipped: an engine that does not answer is not one without containers.
        engine = facts.get("engine") or {}
        error = engine.get("containers_error") or engine.get("error") or "it gave no reason"
        unknown = f"cannot tell whether ECE is on it: the container engine does not answer ({error}); start it and run this again."
        return REFUSED, " ".join([unknown, "The installer would refuse this host, too:", *problems] if problems else [unknown])
    if state == DISCONNECTED and not replace_stale:
        return STALE, (
            "stale: the platform knows it as {0} but is not connected, and the host has no ECE container, as after a new image. "
            "Delete the runner in the platform, or set ece_host_replace_stale: true to have that done.".format(entry["runner_id"])
        )
    if problems:
        return REFUSED, "the installer would refuse this host: " + " ".join(problems)
    if state == DISCONNECTED:
        return REPLACE, "stale: delete runner {0}, then join".format(entry["runner_id"])
    return INSTALL, "new: join as {0}".format(", ".join(entry["roles"]))


def _some(names: Sequence[str], most: int = 3) -> str:
    names = sorted(names)
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


# -- after the join ------------------------------------------------------------------------------------------------------


def differences(entry: Mapping[str, Any], zone: str | None, version: str | None) -> list[str]:
    """What a connected host is and should not be: zone and version, each as the words of a sentence."""
    runner, allocator = entry.get("runner") or {}, entry.get("allocator") or {}
    found = []
    actual_zone = _text(runner.get("zone")) or _text(allocator.get("zone_id"))
    if zone and actual_zone and actual_zone != zone:
        found.append(one_line(f"it is in zone {actual_zone} instead of {zone}"))
    actual_version = _version(runner) or _version(allocator)
    if version and actual_version and actual_version.split("-")[0] != version.split("-")[0]:
        found.append(one_line(f"it runs version {actual_version} instead of {version}"))
    return found


def not_ready_reason(entry: Mapping[str, Any] | None, roles: Sequence[str]) -> str:
    """Why a host whose installer has ended well is not joined, in words that name the next step."""
    state, missing = api_state(entry, roles)
    if state == UNKNOWN:
        return "the platform does not know it; look at the network to the coordinators and at bootstrap.log on the host"
    if state == MISSING_ROLES:
        return (
            f"it is connected but without the role {', '.join(missing)}, as happens when a token does not permit it; "
            "run this again to assign the role through the API"
        )
    if state == JOINED:
        return "it is connected"
    if _connected(entry.get("runner") or {}):
        return "its runner is connected but its allocator is not; look at the logs of frc-allocators-allocator on the host"
    return "the platform knows it but is not connected to it; look at the logs of frc-runners-runner on the host"


# -- enrollment tokens ---------------------------------------------------------------------------------------------------


def decode_token(token: str) -> dict:
    """Claims of an enrollment token (JWT), read without verifying: only the platform has the key. Raises FleetError."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise FleetError("the platform answered the mint with something that is no enrollment token (JWT)")
    return claims


def token_roles(token: Mapping[str, Any]) -> list[str]:
    """Roles of a listed token (ListEnrollmentTokenElement), sorted."""
    roles = token.get("roles")
    return sorted(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else []


def token_mismatch(claims: Mapping[str, Any], roles: Sequence[str], persistent: bool) -> str | None:
    """A sentence where the token is not what was asked for, else None."""
    roles_of_token = claims.get("roles")
    held = sorted(map(str, roles_of_token)) if isinstance(roles_of_token, list) else []
    if held != sorted(set(roles)):
        return f"asked for a token with roles {', '.join(sorted(roles)) or 'none'}, got one with {', '.join(held) or 'none'}"
    if not persistent and _number(claims.get("exp")) is None:
        return "asked for an ephemeral token, got one that never expires"
    return None


def token_validity(install_timeout: float, hosts: int = 1, forks: int = 5) -> int:
    """Seconds for which one batch needs its token: installers start C(forks) at a time, and each knocks at its end."""
    rounds = -(-hosts // max(1, forks))
    starts = min(rounds * START_SECONDS, STARTS_MAX_SECONDS)
    return int(min(install_timeout + TOKEN_MARGIN_SECONDS + starts, TOKEN_VALIDITY_MAX_SECONDS))


def token_granted(asked: float, minted_at: float, expires_at: float | None) -> float:
    """Seconds for which a token holds from its mint on, as far as can be told: a platform may grant less than was asked for.

    minted_at is of our clock and expires_at of the platform's; a clock that is wrong must not make of every token a used one.
    """
    return max(KNOCK_SECONDS, min(asked, asked if expires_at is None else expires_at - minted_at))


def token_is_late(granted: float, age: float, install_timeout: float) -> bool:
    """Whether an installer that starts now needs a newer token than this one, which was minted C(age) seconds ago.

    Where no token holds for a whole install timeout, one that is not a quarter used is as good as they come.
    """
    needed = install_timeout + KNOCK_SECONDS
    return granted - age < needed and (granted >= needed or age > granted / 4)


# -- batches -------------------------------------------------------------------------------------------------------------


def batch_problem(value: Any) -> str | None:
    """What is wrong with a batch (number, percentage, or a list of them, as Ansible's C(serial)), as the end of a sentence; else None."""
    sizes = value if isinstance(value, (list, tuple)) else [value]
    if sizes and all(_is_batch(size) for size in sizes):
        return None
    return f"{value!r} is no batch of hosts: use a number of hosts or a percentage, 1 or more, or a list of those, like [1, '25%']"


def too_many_failed(failed: int, hosts: int, most: Any) -> str | None:
    """A sentence where more than C(most) percent (as percentage_problem() lets it pass; None: no limit) of a batch's hosts have failed."""
    if most is None or not failed:
        return None
    limit = float(str(most).strip().rstrip("%"))
    if failed * 100 <= limit * hosts:
        return None
    return f"{failed} of {hosts} hosts of a batch have failed, which is more than ece_host_max_fail_percentage {limit:g} allows"


# More hosts than anybody has; Python itself refuses to read numbers of some thousand digits.
BATCH_DIGITS_MAX = 9


def _is_batch(size: Any) -> bool:
    text = str(size).strip()
    number = text[:-1] if text.endswith("%") else text
    if isinstance(size, bool) or not (number.isascii() and number.isdigit()) or len(number) > BATCH_DIGITS_MAX:
        return False
    return int(number) >= 1 and not (text.endswith("%") and int(number) > 100)


def percentage_problem(value: Any) -> str | None:
    """What is wrong with a percentage, as the end of a sentence; else None."""
    text = str(value).strip()
    try:
        number = float(text[:-1] if text.endswith("%") else text)
    except ValueError:
        number = -1
    return None if 0 <= number <= 100 and not isinstance(value, bool) else f"{value!r} is no percentage: use 0 to 100"


# -- words for the operator ----------------------------------------------------------------------------------------------


def clock(seconds: float) -> str:
    """4:41, as at the start of a progress line"""
    return "{0}:{1:02d}".format(*divmod(int(seconds), 60))


def duration(seconds: float | None) -> str:
    """10s, 4m31s, - for none"""
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(round(seconds)), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The end of a run: host, zone, verdict, install, connect, memory, and a note where there is one."""
    lines = [("host", "zone", "verdict", "install", "connect", "memory", "")]
    for row in rows:
        memory = row.get("memory_mb")
        lines.append(
            (
                row["host"],
                one_line(row.get("zone") or "-"),
                row["verdict"],
                duration(row.get("install_seconds")),
                duration(row.get("connect_seconds")),
                f"{round(memory / 1024)} GB" if memory else "-",
                row.get("note") or "",
            )
        )
    widths = [max(len(str(line[column])) for line in lines) for column in range(6)]
    return [
        "  ".join(
            [str(line[0]).ljust(widths[0]), str(line[1]).ljust(widths[1]), str(line[2]).ljust(widths[2])]
            + [str(line[column]).rjust(widths[column]) for column in (3, 4, 5)]
            + [str(line[6])]
        ).rstrip()
        for line in lines
    ]
