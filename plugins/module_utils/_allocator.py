# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Maintenance mode, capacity and tags of an allocator, and its deletion: the work of ece_allocator.

The first part is pure. It works on an allocator as a list of the platform has it, so that one that is as declared costs
no request. The changes read the allocator once more, alone, and decide on that: a list may lag behind.

Sources: the API specification of ECE 3.8.0 (AllocatorInfo, AllocatorSettings, MetadataItem, and the operations that
_client names). What a capacity and a tag do is in ece-manage-capacity.md and ece-configuring-ece-tag-allocators.md of
https://github.com/elastic/docs-content, in deploy-manage/deploy/cloud-enterprise.
"""

from __future__ import annotations

import contextlib
from types import MappingProxyType
from typing import Any, Callable, Mapping, NamedTuple, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._api_errors import (
    is_conflict,
    may_have_had_effect,
    may_pass,
)
from ansible_collections.ece.platform.plugins.module_utils._client import EceClient, EceError
from ansible_collections.ece.platform.plugins.module_utils._ece import CAPACITY_MIN_MB, release
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._records import (
    count_of,
    flat_allocator,
    object_of,
    objects_of,
    text_of,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names, one_line, redact

# AllocatorSettings.capacity is an int32.
CAPACITY_MAX_MB = 2**31 - 1
# With these codes the API refuses a tag without a value.
EMPTY_TAG = "allocators.invalid_empty_metadata_item"
# How often the maintenance mode is switched where the answer was lost and the mode is still the old one afterwards, and
# how often all tags are set where something else sets them at the same time.
ATTEMPTS = 2
# How often the platform is asked whether the mode is the new one, and the pause before each further time.
LOOKS = 5
PAUSE_SECONDS = 2.0
# The platform takes a reason for maintenance mode since this release: the history of api/apidocs.json in cloud-sdk-go.
REASON_SINCE = (3, 7)


class Wish(NamedTuple):
    """What is wanted of an allocator, checked; None leaves it as it is. names: option -> its name where it is set.

    tags_exact: whether `tags` are all tags, so that others go. reason: for a maintenance mode that starts.
    """

    maintenance: bool | None = None
    reason: str | None = None
    capacity: int | None = None
    tags: Mapping[str, str] | None = None
    tags_exact: bool = False
    names: Mapping[str, str] = MappingProxyType({})

    def name(self, option: str) -> str:
        """The name of an option where the user sets it."""
        return self.names.get(option, option)


class Decision(TypedDict):
    """How an allocator is, and how it is to be: `maintenance`, `capacity` (MB) and `tags`, as far as they differ.

    `tags` has those that change, and `after` lacks those that go.
    """

    before: dict[str, Any]
    after: dict[str, Any]


class AllocatorResult(TypedDict):
    """The result for one allocator that stays, as it is afterwards. capacity: MB, None if the platform omits it."""

    changed: bool
    allocator_id: str
    maintenance_mode: bool
    capacity: int | None
    tags: dict[str, str | None]
    diff: Mapping[str, Mapping[str, Any]]


class AllocatedInstance(TypedDict):
    """An instance on an allocator; None if the API does not give the value."""

    kind: str | None
    cluster_id: str | None
    deployment_id: str | None
    instance_name: str | None


class AbsenceResult(TypedDict):
    """The result for one allocator that goes. instances: those that go with it."""

    changed: bool
    allocator_id: str
    instances: list[AllocatedInstance]
    diff: Mapping[str, Mapping[str, Any]]


# -- what is wanted --------------------------------------------------------------------------------------------------


def wish_of(options: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Wish:
    """Return what options want: `maintenance`, `maintenance_reason`, `capacity`, `tags`, `tags_exact`.

    An option that is missing or None is not set. names: what the user calls an option, if that is another name.
    Raises OptionError.
    """
    wish = Wish(names=names or {})
    maintenance, capacity, tags = (options.get(name) for name in ("maintenance", "capacity", "tags"))
    if maintenance is not None and not isinstance(maintenance, bool):
        raise OptionError(f"{wish.name('maintenance')} {maintenance!r} is not a choice: use true or false")
    return wish._replace(
        maintenance=maintenance,
        reason=_reason(wish, options.get("maintenance_reason"), maintenance),
        capacity=None if capacity is None else _capacity(wish.name("capacity"), capacity),
        tags=None if tags is None else _tags(wish.name("tags"), tags),
        tags_exact=bool(options.get("tags_exact")),
    )


def _reason(wish: Wish, value: Any, maintenance: bool | None) -> str | None:
    if value is None:
        return None
    name = wish.name("maintenance_reason")
    if not maintenance:
        raise OptionError(f"{name} is set without {wish.name('maintenance')}: true, with which alone a reason is given")
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise OptionError(
            f"{name} {value!r} is not a text of one line: give a reason like 'new disks', or leave it out"
        )
    return value


def _capacity(name: str, value: Any) -> int:
    # A template that divides gives a float, and AWX text.
    whole = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    try:
        number = int(whole)
    except ValueError:
        raise OptionError(f"{name} {one_line(value)!r} is not a whole number of MB") from None
    if number < CAPACITY_MIN_MB:
        raise OptionError(f"{name} {number} is too small: use {CAPACITY_MIN_MB} MB or more")
    if number > CAPACITY_MAX_MB:
        raise OptionError(f"{name} is too large for the API: use {CAPACITY_MAX_MB} MB or less")
    return number


def _tags(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise OptionError(f"{name} {value!r} is not a mapping: use {{ssd: 'true'}}")
    tags: dict[str, str] = {}
    for key, content in value.items():
        key = str(key)
        if not key.strip():
            raise OptionError(f"{name} has the value {content!r} without a key: give it one, like {{ssd: 'true'}}")
        if key in tags:
            raise OptionError(f"{name} has {key!r} twice, as text and as something else: use it once")
        if content is None or content == "":
            raise OptionError(
                f"{name} has the tag {key!r} without a value, which the API refuses ({EMPTY_TAG}): "
                "give it one, like 'true', or leave the tag out"
            )
        if not isinstance(content, (str, bool, int, float)):
            raise OptionError(f"{name} has the tag {key!r} with the value {content!r}: use a text, like 'true'")
        # A YAML boolean means the text: tags are strings, and the platform's documents write them in lower case.
        tags[key] = str(content).lower() if isinstance(content, bool) else str(content)
    return tags


# -- what differs ----------------------------------------------------------------------------------------------------


def decide(record: Mapping[str, Any], wish: Wish) -> Decision:
    """Return how an allocator (AllocatorInfo), of a list or alone, differs from what is wanted.

    Raises OptionError for a capacity below the memory that its instances use.
    """
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if wish.maintenance is not None and wish.maintenance != in_maintenance(record):
        before["maintenance"], after["maintenance"] = in_maintenance(record), wish.maintenance
    if wish.capacity is not None and wish.capacity != capacity_of(record):
        _require_room(record, wish.capacity, wish.name("capacity"))
        before["capacity"], after["capacity"] = capacity_of(record), wish.capacity
    held = flat_allocator(record)["tags"]
    wanted = wanted_tags(record, wish)
    changing = [
        key for key in {**held, **wanted} if held.get(key) != wanted.get(key) or (key in held) != (key in wanted)
    ]
    if changing:
        before["tags"] = {key: held[key] for key in changing if key in held}
        after["tags"] = {key: wanted[key] for key in changing if key in wanted}
    return {"before": before, "after": after}


def in_maintenance(record: Mapping[str, Any]) -> bool:
    """Return whether an allocator is in maintenance mode: the text "false" does not count."""
    return object_of(record.get("status")).get("maintenance_mode") is True


def capacity_of(record: Mapping[str, Any]) -> int | None:
    """Return the memory in MB that an allocator gives to instances: the setting outranks that of the installation."""
    setting = count_of(object_of(record.get("settings")).get("capacity"))
    return setting or count_of(_memory(record).get("total"))


def used_memory(record: Mapping[str, Any]) -> int:
    """Return the memory in MB that the instances use: what the platform says, or else the sum of theirs."""
    used = count_of(_memory(record).get("used"))
    if used is not None:
        return used
    return sum(count_of(instance.get("node_memory")) or 0 for instance in objects_of(record.get("instances")))


def wanted_tags(record: Mapping[str, Any], wish: Wish) -> dict[str, str | None]:
    """Return all tags that an allocator is to have."""
    held = flat_allocator(record)["tags"]
    if wish.tags is None:
        return held
    return {**({} if wish.tags_exact else held), **wish.tags}


def _memory(record: Mapping[str, Any]) -> Mapping[str, Any]:
    return object_of(object_of(record.get("capacity")).get("memory"))


def _require_room(record: Mapping[str, Any], capacity: int, name: str) -> None:
    used = used_memory(record)
    if capacity < used:
        raise OptionError(
            f"{name} {capacity} is less than the {used} MB that the instances on allocator "
            f"{text_of(record.get('allocator_id'))} use: give that or more, or move some of "
            "them to other allocators first"
        )


# -- the change ------------------------------------------------------------------------------------------------------


class NotSwitchedError(PlatformError):
    """The platform has accepted to start or end a maintenance mode, and does not show it. state: what it shows."""

    def __init__(self, allocator_id: str, on: bool, is_known: bool) -> None:
        self.state = (
            f"it is still {'off' if on else 'on'}" if is_known else "the platform does not say whether it is on"
        )
        super().__init__(
            f"maintenance mode of allocator {allocator_id} did not {'start' if on else 'end'}: {self.state}"
        )


class Step(NamedTuple):
    """One request that writes. text: what it writes, as part of a sentence."""

    text: str
    send: Callable[[EceClient, str], object]


def ensure_present(client: EceClient, allocator_id: str, wish: Wish, check_mode: bool) -> AllocatorResult:
    """Make an allocator what is wanted, by what the platform says of this very allocator now.

    Raises OptionError before anything is written, and PlatformError, which says what was written before it.
    """
    record = client.allocator(allocator_id)
    if record is None:
        raise PlatformError(
            f"{wish.name('allocator_id')} {allocator_id} is not known to the platform: "
            "give the id of one of its allocators, as ece_allocator_info lists them"
        )
    decision = decide(record, wish)
    after = decision["after"]
    if not check_mode:
        if wish.reason is not None and after.get("maintenance"):
            wish = wish._replace(reason=_taken_reason(client, wish.reason, wish.name("maintenance_reason")))
        apply(client, allocator_id, steps_of(record, wish))
    return {
        "changed": bool(after),
        "allocator_id": allocator_id,
        "maintenance_mode": after.get("maintenance", in_maintenance(record)),
        "capacity": after.get("capacity", capacity_of(record)),
        "tags": wanted_tags(record, wish),
        "diff": {"before": decision["before"], "after": after},
    }


def steps_of(record: Mapping[str, Any], wish: Wish) -> list[Step]:
    """Return the requests that make an allocator what is wanted. It enters maintenance mode first and leaves it last.

    So no new instance arrives while the rest changes. Raises OptionError, as decide() does.
    """
    after = decide(record, wish)["after"]
    steps = []
    if after.get("maintenance") is True:
        steps.append(
            Step("maintenance mode on", lambda client, name: switch_maintenance(client, name, True, wish.reason))
        )
    if "capacity" in after:
        # The request deletes settings that it lacks. A later release may have others than the capacity.
        settings = {**object_of(record.get("settings")), "capacity": after["capacity"]}
        text = f"capacity {after['capacity']} MB"
        steps.append(Step(text, lambda client, name: client.set_allocator_settings(name, settings)))
    if "tags" in after:
        steps += _tag_steps(record, wish)
    if after.get("maintenance") is False:
        steps.append(Step("maintenance mode off", lambda client, name: switch_maintenance(client, name, False)))
    return steps


def _tag_steps(record: Mapping[str, Any], wish: Wish) -> list[Step]:
    """Return the requests that set tags: one for each, which keeps what another client does to the others meanwhile.

    Where tags go, one request replaces them all, so that no state between is seen: ECE may move instances when a tag
    is taken away. A key that is a path of its own cannot stand in one, and is set by that request, too.
    """
    decision = decide(record, wish)
    changed, gone = decision["after"]["tags"], sorted(set(decision["before"]["tags"]) - set(decision["after"]["tags"]))
    if gone or any("/" in key or key in (".", "..") for key in changed):
        texts = [f"tag {key}={value}" for key, value in changed.items()] + [f"without the tag {key}" for key in gone]
        return [Step(", ".join(texts), lambda client, name: _replace_tags(client, name, wish))]
    return [_tag_step(key, value) for key, value in changed.items()]


def _replace_tags(client: EceClient, allocator_id: str, wish: Wish) -> None:
    """Set all tags of an allocator, unless something else does so at the same time. Raises PlatformError.

    The tags are read with their version, and the API takes new ones for that version alone. A conflict may also come of
    an earlier attempt of the same request, whose answer was lost: then the tags are as wanted.
    """
    for _attempt in range(ATTEMPTS):
        metadata, version = client.allocator_metadata(allocator_id)
        current = {"metadata": metadata}
        wanted = wanted_tags(current, wish)
        if wanted == flat_allocator(current)["tags"]:
            return
        try:
            client.set_allocator_metadata(allocator_id, {key: value for key, value in wanted.items() if value}, version)
            return
        except EceError as error:
            if not is_conflict(error):
                raise
            conflict = error
    raise PlatformError(
        f"the tags of allocator {allocator_id} are not set, because something else sets them at the same time: "
        f"run this again when that has ended ({conflict})"
    )


def _tag_step(key: str, value: str) -> Step:
    return Step(f"tag {key}={value}", lambda client, name: client.set_allocator_metadata_item(name, key, value))


def apply(client: EceClient, allocator_id: str, steps: list[Step]) -> None:
    """Send these requests, one after another. Raises PlatformError, which says what was written before it."""
    done: list[str] = []
    for step in steps:
        try:
            step.send(client, allocator_id)
        except PlatformError as error:
            is_open = isinstance(error, NotSwitchedError) or (
                isinstance(error, EceError) and may_have_had_effect(error)
            )
            notes = [f"this may have been written: {step.text}"] if is_open else []
            notes += [f"before that, this was written: {', '.join(done)}"] if done else []
            error.args = (one_line(redact("; ".join([str(error), *notes]))),)
            error.changed = bool(done)
            raise
        done.append(step.text)


def start_maintenance(
    client: EceClient,
    allocator_id: str,
    reason: str | None = None,
    *,
    so: str = "",
    sleep: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Start the maintenance mode that other steps rest on, and return the allocator. Raises PlatformError.

    so: what an error adds that comes of it, like ", so nothing is moved".
    """
    begin = f"maintenance mode of allocator {allocator_id} did not start{so}"
    try:
        return switch_maintenance(client, allocator_id, True, reason, sleep=sleep)
    except NotSwitchedError as error:
        raise PlatformError(f"{begin}: {error.state}") from error
    except EceError as error:
        raise PlatformError(f"{begin}: {error}") from error


def switch_maintenance(
    client: EceClient,
    allocator_id: str,
    on: bool,
    reason: str | None = None,
    *,
    sleep: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Start or end the maintenance mode, and return the allocator as the platform then has it.

    The request is not repeated by itself, and its answer is no proof: the allocator is looked at until the platform
    says that the mode is the new one. Where the answer was lost, or a coordinator was not ready, the request is
    repeated only if the platform says that the mode is still the old one. sleep: instead of the client's.

    Raises EceError of the request, and NotSwitchedError where it was accepted.
    """
    for attempt in range(1, ATTEMPTS + 1):
        failure: EceError | None = None
        try:
            client.set_allocator_maintenance(allocator_id, on, reason)
        except EceError as error:
            if not may_have_had_effect(error) and not may_pass(error, repeatable=True):
                raise
            failure = error
        record = _see_maintenance(client, allocator_id, on, sleep or client.sleep)
        if record is not None and in_maintenance(record) == on:
            return record
        if failure is None:
            raise NotSwitchedError(allocator_id, on, is_known=record is not None)
        if record is None or attempt == ATTEMPTS:
            raise failure
    raise AssertionError("unreachable")


def _see_maintenance(
    client: EceClient, allocator_id: str, on: bool, sleep: Callable[[float], None]
) -> dict[str, Any] | None:
    """Look at an allocator until its mode is the new one, and return it as the last answer had it; None without one."""
    record = None
    for look in range(LOOKS):
        if look:
            sleep(PAUSE_SECONDS)
        with contextlib.suppress(EceError):
            record = client.allocator(allocator_id)
            if record is not None and in_maintenance(record) == on:
                break
    return record


def _taken_reason(client: EceClient, reason: str, name: str) -> str | None:
    """Return a reason for maintenance mode, or None with a warning where the platform takes none. Raises EceError."""
    version = client.platform()["version"]
    taken = reason_for(version, reason)
    if taken is None:
        client.warnings.append(
            f"{name} is not given to the platform: ECE {one_line(version)} takes no reason, as ECE 3.7 and later do"
        )
    return taken


def reason_for(version: str, reason: str) -> str | None:
    """Return a reason for maintenance mode for a platform of this version; None where it takes none."""
    try:
        return reason if release(version) >= REASON_SINCE else None
    except ValueError:
        return None


# -- the deletion ----------------------------------------------------------------------------------------------------


def ensure_absent(client: EceClient, allocator_id: str, remove_instances: bool, check_mode: bool) -> AbsenceResult:
    """Delete an allocator that neither is connected nor has a connected runner.

    remove_instances: delete it with the instances that it holds; without, it stays as long as it holds any.
    Raises PlatformError.
    """
    record = client.allocator(allocator_id)
    if record is None:
        return _absence(allocator_id, False, [], {})
    _require_disconnected(allocator_id, f"allocator {allocator_id}", object_of(record.get("status")))
    runner = client.runner(allocator_id)
    if runner is not None:
        _require_disconnected(allocator_id, f"the runner of allocator {allocator_id}", runner)
    held = instances_of(record)
    if held and not remove_instances:
        raise PlatformError(
            f"allocator {allocator_id} holds {_instances_text(held)}, so it is not deleted: move them to other "
            "allocators first, or set remove_instances: true to delete them with it"
        )
    changed = check_mode or client.delete_allocator(allocator_id, remove_instances)
    return _absence(allocator_id, changed, held, _before_deletion(record, held))


def instances_of(record: Mapping[str, Any]) -> list[AllocatedInstance]:
    """Return the instances on an allocator, as many as the platform lists, whatever it says of each."""
    found = record.get("instances")
    return [_instance(object_of(instance)) for instance in found] if isinstance(found, (list, tuple)) else []


def _instance(instance: Mapping[str, Any]) -> AllocatedInstance:
    return {
        "kind": text_of(instance.get("cluster_type")),
        "cluster_id": text_of(instance.get("cluster_id")),
        "deployment_id": text_of(instance.get("deployment_id")),
        "instance_name": text_of(instance.get("instance_name")),
    }


def _instances_text(instances: list[AllocatedInstance]) -> str:
    count = "1 instance" if len(instances) == 1 else f"{len(instances)} instances"
    clusters = {
        f"{one['kind'] or 'unknown kind'} {one['cluster_id'] or 'without an id'}"
        + (f" of deployment {one['deployment_id']}" if one["deployment_id"] else "")
        for one in instances
    }
    return f"{count} ({first_names(clusters)})"


def _require_disconnected(allocator_id: str, what: str, status: Mapping[str, Any]) -> None:
    """Raise PlatformError unless the platform says that something is not connected: silence is no proof."""
    if status.get("connected") is False:
        return
    if status.get("connected") is True:
        raise PlatformError(f"{what} is connected, so the allocator is not deleted: take the host out of service first")
    raise PlatformError(
        f"the platform does not say whether {what} is connected, so the allocator is not deleted: "
        f"look at {allocator_id} in the Cloud UI"
    )


def _before_deletion(record: Mapping[str, Any], instances: list[AllocatedInstance]) -> dict[str, Any]:
    return {
        "zone_id": text_of(record.get("zone_id")),
        "maintenance": in_maintenance(record),
        "capacity": capacity_of(record),
        "tags": flat_allocator(record)["tags"],
        "instances": instances,
    }


def _absence(
    allocator_id: str, changed: bool, instances: list[AllocatedInstance], before: dict[str, Any]
) -> AbsenceResult:
    diff: Mapping[str, Mapping[str, Any]] = {"before": before if changed else {}, "after": {}}
    return {"changed": changed, "allocator_id": allocator_id, "instances": instances if changed else [], "diff": diff}
