# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""What moves off an allocator: the options, the clusters that it holds, requests for moves, and what answers mean.

Pure functions over plain data. A cluster is a part of a deployment, such as its Elasticsearch or its Kibana; on one
allocator it has one or more instances. All facts are those of the API specification of ECE 3.8.0
(https://github.com/elastic/cloud-sdk-go, api/apidocs.json at commit 8c0d792), unless another source is named. What may
be lost by an option, and that targets are a wish: the vendor's page on moves, in
https://github.com/elastic/docs-content, deploy-manage/maintenance/ece/move-nodes-instances-from-allocators.md.
"""

from __future__ import annotations

import re
from typing import Any, Iterable, Mapping, NamedTuple, Sequence, TypedDict

from ansible_collections.ece.platform.plugins.module_utils._ece import release
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._records import object_of, objects_of, text_of
from ansible_collections.ece.platform.plugins.module_utils._text import one_line, redact

# AllocatedInstanceStatus.cluster_type
KINDS = ("apm", "appsearch", "elasticsearch", "enterprise_search", "integrations_server", "kibana")
# MoveClustersRequest and its reply have no member for Integrations Server: they call it apm
# (https://github.com/elastic/cloud-sdk-go, commit d02480f, #455). So a cluster is identified by its id alone.
AS_APM = ("apm", "integrations_server")
MEMBERS = {kind: "apm_clusters" if kind in AS_APM else f"{kind}_clusters" for kind in KINDS}
PENDING_PLANS = ("fail", "wait", "force")
ALLOCATOR_DOWN = ("auto", "true", "false")
CONCURRENCY_MAX = 64
# The releases that brought these parameters: the history of api/apidocs.json in cloud-sdk-go.
SINCE = {"force_move": (3, 6), "preferred_tags": (3, 8)}
# The API refuses a move with "There is a plan still pending, cancel that or wait for it to complete before restarting"
# (cloud-sdk-go, pkg/api/platformapi/allocatorapi/vacate.go).
PENDING = re.compile(r"\bplan\b[^.;]*\bpending\b|\bpending plan", re.IGNORECASE)
# Docker and Podman answer so for an image of a registry that asks for credentials.
PULL_DENIED = re.compile(r"pull ?access ?denied", re.IGNORECASE)
PULL_REMEDY = (
    "the host that pulls the image has no credentials for the private registry: give them to the container engine of "
    "the allocators, as role ece_host_preparation does with ece_host_docker_registry_username and _password"
)
REASON_MAX = 400
NO_REASON = "the platform gives no reason"


class VacateOptions(NamedTuple):
    """The options of a vacate; the module ece_allocator_vacate documents them."""

    allocator_id: str
    clusters: Sequence[str] | None = None
    kinds: Sequence[str] | None = None
    targets: Sequence[str] = ()
    preferred_tags: Mapping[str, str] | None = None
    pending_plans: str = "fail"
    allocator_down: str = "auto"
    skip_snapshot: bool = False
    skip_data_migration: bool = False
    override_failsafe: bool = False
    force_move: bool = False
    maintenance: bool = True
    wait: bool = True
    wait_timeout: int = 3600
    wait_interval: int = 10
    concurrency: int = 8

    @property
    def takes_all(self) -> bool:
        """Whether every cluster of the allocator is to move."""
        return self.clusters is None and self.kinds is None


class Row(TypedDict):
    """A cluster in a result."""

    cluster_id: str
    kind: str | None
    deployment_id: str | None


class ReasonRow(Row):
    """A cluster that is still on the allocator, and why."""

    reason: str


class Workload(NamedTuple):
    """A cluster on the allocator. kind: as the API reports it. moving, pending: of any of its instances there."""

    cluster_id: str
    kind: str | None
    deployment_id: str | None
    moving: bool = False
    pending: bool = False

    def row(self) -> Row:
        return {"cluster_id": self.cluster_id, "kind": self.kind, "deployment_id": self.deployment_id}

    def named(self) -> str:
        """The cluster as a sentence names it."""
        return f"{self.cluster_id} ({self.kind or 'unknown kind'})"


class Holdings(NamedTuple):
    """What an allocator holds: clusters by id, and the number of instances that the API does not identify."""

    workloads: Mapping[str, Workload]
    unidentified: int = 0


class Answer(NamedTuple):
    """What the platform says about the move of one cluster.

    accepted: it moves, or would. refusal: why it does not. pending: it is refused because of a pending plan.
    Neither accepted nor refusal: the answer does not mention the cluster.
    """

    accepted: bool = False
    plan: Mapping[str, Any] | None = None
    refusal: str | None = None
    pending: bool = False


# -- options ---------------------------------------------------------------------------------------------------------


def check_options(options: VacateOptions) -> None:
    """Raise OptionError for options that cannot work on any platform."""
    if not options.allocator_id.strip():
        raise OptionError("allocator_id is empty: give the id of an allocator, as ece_allocator_info lists them")
    for name, values in (("clusters", options.clusters), ("targets", options.targets)):
        if not all(value.strip() for value in values or ()):
            raise OptionError(f"{name} has an empty entry: give ids only")
    if options.allocator_id in options.targets:
        raise OptionError(
            f"targets has {options.allocator_id}, which is the allocator to vacate: give other allocators"
        )
    if not options.maintenance and not options.targets:
        raise OptionError(
            "maintenance is false and targets is not set, so instances could return to the same allocator: "
            "set targets, or maintenance: true"
        )
    if options.pending_plans == "wait" and not options.wait:
        raise OptionError("pending_plans is wait and wait is false: set wait: true, or pending_plans to fail or force")
    for key, value in (options.preferred_tags or {}).items():
        if not key.strip() or not value:
            raise OptionError(f"preferred_tags has {key!r} with the value {value!r}: neither of them can be empty")
    if not 1 <= options.concurrency <= CONCURRENCY_MAX:
        raise OptionError(f"concurrency is {options.concurrency}: use a number from 1 to {CONCURRENCY_MAX}")
    for name, seconds in (("wait_timeout", options.wait_timeout), ("wait_interval", options.wait_interval)):
        if seconds < 1:
            raise OptionError(f"{name} {seconds} is too small: use 1 second or more")


def asks_for_release(options: VacateOptions) -> bool:
    """Return whether an option is set that older platforms do not have."""
    return bool(options.force_move or options.preferred_tags)


def check_release(options: VacateOptions, version: str) -> None:
    """Raise OptionError for an option that a platform of this version does not have."""
    try:
        have = release(version)
    except ValueError:  # of a version that is not made of numbers
        return
    for name, since in SINCE.items():
        if getattr(options, name) and have < since:
            needed = ".".join(map(str, since))
            raise OptionError(f"{name} needs ECE {needed} or later, and the platform is {version}: leave it out")


def check_target(target: str, allocator: Mapping[str, Any] | None) -> None:
    """Raise OptionError for a target that takes no instances. allocator: its AllocatorInfo, None if there is none."""
    if allocator is None:
        raise OptionError(
            f"targets has {target}, which is not known to the platform: "
            "give ids of allocators, as ece_allocator_info lists them"
        )
    status = object_of(allocator.get("status"))
    if status.get("connected") is not True:
        raise OptionError(f"targets has {target}, which is not connected: give connected allocators")
    if status.get("maintenance_mode") is True:
        raise OptionError(
            f"targets has {target}, which is in maintenance mode and so takes no instances: "
            "end its maintenance mode, or give other allocators"
        )


# -- what the allocator holds ----------------------------------------------------------------------------------------


def holdings_of(allocator: Mapping[str, Any]) -> Holdings | None:
    """Return what an allocator (AllocatorInfo) holds; None if the API does not say so, which is not the same as empty.

    An instance without the id of its cluster counts as unidentified: it is there, and nothing can be asked about it.
    """
    instances = allocator.get("instances")
    if not isinstance(instances, list):
        return None
    workloads: dict[str, Workload] = {}
    for instance in objects_of(instances):
        cluster_id = text_of(instance.get("cluster_id"))
        if not cluster_id:
            continue
        found = Workload(
            cluster_id,
            text_of(instance.get("cluster_type")),
            text_of(instance.get("deployment_id")),
            instance.get("moving") is True,
            object_of(instance.get("plans_info")).get("pending") is True,
        )
        workloads[cluster_id] = _merged(workloads.get(cluster_id), found)
    identified = [item for item in objects_of(instances) if text_of(item.get("cluster_id"))]
    return Holdings(workloads, len(instances) - len(identified))


def _merged(first: Workload | None, second: Workload) -> Workload:
    if first is None:
        return second
    return Workload(
        first.cluster_id,
        first.kind or second.kind,
        first.deployment_id or second.deployment_id,
        first.moving or second.moving,
        first.pending or second.pending,
    )


def is_chosen(workload: Workload, options: VacateOptions) -> bool:
    """Return whether the options choose a cluster. apm and integrations_server each stand for both."""
    if options.clusters is not None and workload.cluster_id not in options.clusters:
        return False
    if options.kinds is None:
        return True
    kinds = {*options.kinds, *(AS_APM if set(AS_APM) & set(options.kinds) else ())}
    return workload.kind in kinds


def clusters_of(allocators: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the ids of all clusters on these allocators."""
    found: set[str] = set()
    for allocator in allocators:
        holdings = holdings_of(allocator)
        found.update(holdings.workloads if holdings else ())
    return found


# -- requests --------------------------------------------------------------------------------------------------------


def move_parameters(options: VacateOptions, allocator_down: bool, validate_only: bool) -> dict[str, bool | None]:
    """Return the query of a move; None leaves a parameter out, which older platforms need."""
    return {
        "validate_only": validate_only or None,
        "move_only": True,
        "allocator_down": allocator_down,
        "force_update": options.pending_plans == "force" or None,
        "force_move": options.force_move or None,
    }


def wants_own_plan(options: VacateOptions) -> bool:
    """Return whether the plan that the platform calculates has to be changed."""
    return bool(
        options.targets
        or options.preferred_tags
        or options.skip_snapshot
        or options.skip_data_migration
        or options.override_failsafe
    )


def move_body(workload: Workload, plan: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the request to move one cluster (MoveClustersRequest), with a plan in place of the calculated one."""
    entry: dict[str, Any] = {"cluster_ids": [workload.cluster_id]}
    if plan is not None:
        entry["plan_override"] = dict(plan)
    return {MEMBERS[workload.kind or ""]: [entry]}


def own_plan(calculated: Mapping[str, Any], kind: str | None, options: VacateOptions) -> dict[str, Any]:
    """Return the plan that the platform has calculated, with what the options change.

    Only plans of Elasticsearch have skip_snapshot and skip_data_migration.
    """
    plan: dict[str, Any] = _without_nulls(calculated)
    configuration = plan["plan_configuration"] = dict(object_of(plan.get("plan_configuration")))
    if options.targets:
        configuration["preferred_allocators"] = list(options.targets)
    if options.preferred_tags:
        configuration["preferred_allocator_tags"] = dict(options.preferred_tags)
    if options.override_failsafe:
        configuration["override_failsafe"] = True
    if kind == "elasticsearch":
        for name in ("skip_snapshot", "skip_data_migration"):
            if getattr(options, name):
                configuration[name] = True
    return plan


def _without_nulls(value: Any) -> Any:
    """The value without members that are null: the API sends them, and its specification does not allow them."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value


# -- answers ---------------------------------------------------------------------------------------------------------


def answer_for(reply: Mapping[str, Any], cluster_id: str) -> Answer:
    """Return what a reply (MoveClustersCommandResponse) says about a cluster, under whatever kind it names it.

    A failure counts, even where the reply names the cluster among the moves as well.
    """
    failures = _entries(reply.get("failures"), cluster_id)
    if failures:
        reason = "; ".join(filter(None, (_reason_of(failure) for failure in failures))) or NO_REASON
        return Answer(refusal=explained(reason), pending=is_pending(reason))
    moves = _entries(reply.get("moves"), cluster_id)
    if not moves:
        return Answer()
    plans = (move.get("calculated_plan") for move in moves)
    return Answer(accepted=True, plan=next((plan for plan in plans if isinstance(plan, Mapping) and plan), None))


def is_pending(reason: str) -> bool:
    """Return whether a refusal is about a plan that has not ended."""
    return PENDING.search(reason) is not None


def _entries(details: Any, cluster_id: str) -> list[Mapping[str, Any]]:
    """The entries for a cluster in MoveClustersDetails, which has a list for each kind."""
    lists = object_of(details).values()
    return [entry for entries in lists for entry in objects_of(entries) if entry.get("cluster_id") == cluster_id]


def _reason_of(failure: Mapping[str, Any]) -> str:
    """What the API says about a failure, empty where it says nothing."""
    errors = objects_of(failure.get("errors"))
    texts = [(text_of(error.get("message")), text_of(error.get("code"))) for error in errors]
    return "; ".join(f"{message or 'no message'} ({code or 'no code'})" for message, code in texts if message or code)


def explained(reason: str) -> str:
    """Return a reason of the platform on one line, not too long, with what to do if that is known."""
    text = one_line(redact(reason))
    if len(text) > REASON_MAX:
        text = f"{text[:REASON_MAX]}..."
    return f"{text}; {PULL_REMEDY}" if PULL_DENIED.search(reason) else text


def why(deployment: Mapping[str, Any], cluster_id: str) -> str | None:
    """Return why the last plan of a cluster has not ended well, by its deployment (DeploymentGetResponse), or None.

    A plan that fails is the newest of the history, and the one before it stays the current one.
    """
    for resources in object_of(deployment.get("resources")).values():
        for resource in objects_of(resources):
            if resource.get("id") == cluster_id:
                return _why_plan(object_of(object_of(resource.get("info")).get("plan_info")))
    return None


def _why_plan(plans: Mapping[str, Any]) -> str | None:
    pending = object_of(plans.get("pending"))
    history = objects_of(plans.get("history"))
    newest = max(history, key=_ended_at, default={})
    for plan in (pending, newest):
        found = _error_of(plan)
        if found:
            return explained(found)
    return None


def _ended_at(plan: Mapping[str, Any]) -> str:
    """The time at which an attempt ended or began. RFC 3339 sorts as text."""
    return text_of(plan.get("attempt_end_time")) or text_of(plan.get("attempt_start_time")) or ""


def _error_of(plan: Mapping[str, Any]) -> str | None:
    """The error of a plan: its own, with those of the steps that failed, which say more."""
    texts = []
    for step in objects_of(plan.get("plan_attempt_log")):
        log = objects_of(step.get("info_log"))
        if step.get("status") == "error" and log:
            texts.append(_message(log[-1]))
        # A step that is repeated until it works does not fail.
        texts += [text for text in map(_message, log) if text and PULL_DENIED.search(text)][-1:]
    texts.append(_message(object_of(plan.get("error"))))
    return "; ".join(dict.fromkeys(filter(None, texts))) or None


def _message(entry: Mapping[str, Any]) -> str | None:
    """The message of an error or of an entry of a log, with the type of the failure."""
    message, kind = text_of(entry.get("message")), text_of(entry.get("failure_type"))
    return f"{message} ({kind})" if message and kind else message or kind


# -- what the operator sees ------------------------------------------------------------------------------------------


def progress(elapsed_seconds: float, moved: int, total: int, counts: Mapping[str, int]) -> str:
    """Return a line of progress: 0:10  2/5 moved, 3 moving"""
    minutes, seconds = divmod(int(elapsed_seconds), 60)
    parts = [f"{moved}/{total} moved", *(f"{number} {name}" for name, number in counts.items() if number)]
    return f"{minutes}:{seconds:02d}  {', '.join(parts)}"


def reasons(rows: Sequence[ReasonRow], limit: int = 5) -> str:
    """Return clusters with their reasons, as the end of a sentence."""
    named = [f"{row['cluster_id']} ({row['kind'] or 'unknown kind'}): {row['reason']}" for row in rows]
    return "; ".join(named[:limit]) + (f"; and {len(named) - limit} more" if len(named) > limit else "")
