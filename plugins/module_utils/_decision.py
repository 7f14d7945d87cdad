# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""What a run does with one host that is not joined, by its plan entry and by what the host says of itself.

Pure functions over plain data; no I/O.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Mapping, Sequence, Tuple

from ansible_collections.ece.platform.plugins.module_utils._plan import (
    HOST_IP,
    RUNNER_ID,
    SSH_PORT,
    PlanEntry,
    normal_address,
)
from ansible_collections.ece.platform.plugins.module_utils._states import (
    ASSIGN_ROLES,
    DISCONNECTED,
    HALF_INSTALLED,
    INSTALL,
    JOINED,
    MISSING_ROLES,
    NEW,
    REFUSED,
    REPLACE,
    STALE,
    UPDATE,
    WAIT,
)
from ansible_collections.ece.platform.plugins.module_utils._text import first_names, one_line

# Verdicts that rest on what a list lacks or calls disconnected. None of them stands before the platform was asked for
# that very host.
UNSURE = (HALF_INSTALLED, DISCONNECTED, STALE, REPLACE)
# Containers of deployments. Those of ECE's own services begin with frc-.
OF_DEPLOYMENTS = "fac-"

Decision = Tuple[str, str]


def decide(
    entry: PlanEntry, facts: Mapping[str, Any], *, replace_stale: bool, connect_timeout: float, port: Any = None
) -> Decision:
    """Return what the run does with a host, or why it does nothing, and a sentence.

    facts: `facts` and `problems` of ece_host_info.
    connect_timeout: seconds for which an installation that has ended counts as still connecting, so that a run that
    was killed can be repeated at once.
    port: ansible_port.

    ============================ ======================= ===========================================================
    the platform says the host   the host says           decision
    ============================ ======================= ===========================================================
    lacks a role                 (it is not asked)       assign-roles
    is not as declared           (it is not asked)       update
    is new or disconnected       an installer runs, or   wait
                                 has just ended
    is connected, asked directly ECE containers          joined, or assign-roles
    is new                       ECE containers          half-installed
    is disconnected              ECE containers          disconnected
    (anything)                   the engine is silent    refused
    is connected, asked directly no ECE container        refused
    is disconnected              no ECE container        stale; with replace_stale: replace (problems: refused)
    is new                       no ECE container        install (problems: refused)
    ============================ ======================= ===========================================================
    """
    if entry["state"] == MISSING_ROLES and not entry["asked"]:
        return ASSIGN_ROLES, f"connected, but the role {', '.join(entry['missing_roles'])} is missing: it is assigned"
    if entry["state"] == UPDATE:
        return UPDATE, f"connected, but not as declared: {', '.join(entry['changes'])}"
    if facts.get("installer_running"):
        return WAIT, "an installer is already running on it: wait for it"
    if facts.get("ece_containers"):
        if _has_just_ended(facts.get("last_install") or {}, connect_timeout):
            return WAIT, "its installer has just ended: wait until it connects"
        return _decide_with_containers(entry, facts)
    problems = facts.get("problems") or []
    if not facts.get("containers_known", True):
        return REFUSED, _unknown_containers(facts.get("engine") or {}, problems)
    if entry["asked"] and any(entry["parts"].values()):
        return REFUSED, _connected_elsewhere(entry, "runs no ECE container")
    if entry["state"] == DISCONNECTED:
        return _decide_stale(entry, facts, problems, replace_stale, port)
    if problems:
        return REFUSED, _refused_by_installer(problems)
    return INSTALL, f"new: join as {', '.join(entry['roles'])}"


# -- a host with ECE containers --------------------------------------------------------------------------------------


def _has_just_ended(last: Mapping[str, Any], connect_timeout: float) -> bool:
    age = last.get("age_seconds")
    return last.get("rc") == 0 and age is not None and age < connect_timeout


def _decide_with_containers(entry: PlanEntry, facts: Mapping[str, Any]) -> Decision:
    if entry["asked"] and any(entry["parts"].values()) and not _may_be_host_of(entry, facts):
        return REFUSED, _connected_elsewhere(entry, "does not have that address")
    if entry["state"] == JOINED:
        if not _known_by_identity(entry) and not _may_have(entry["host_ip"], facts):
            return REFUSED, _copy_of(entry)
        return JOINED, _joined(entry, facts)
    if entry["state"] == MISSING_ROLES:
        missing = f"the role {', '.join(entry['missing_roles'])} is missing"
        if _known_by_identity(entry):
            return ASSIGN_ROLES, f"connected, but {missing}: it is assigned"
        return REFUSED, f"{_other_name(entry)}, and run this again: {missing}, which is assigned then"
    if entry["state"] == NEW:
        return HALF_INSTALLED, _half_installed(entry, facts)
    part, container = "it", "frc-runners-runner"
    if any(entry["parts"].values()):
        part, container = "its allocator", "frc-allocators-allocator"
    return DISCONNECTED, (
        f"disconnected: the platform knows it as {_known_as(entry)} but {part} is not connected, and it runs ECE "
        f"containers ({_some(facts)}). Look at the container engine, the network to the coordinators and the logs of "
        f"{container} on it. It is not reinstalled."
    )


def _known_as(entry: PlanEntry) -> str:
    """Return by which id the platform knows a host, and why that is this host."""
    runner_id, variable = one_line(entry["runner_id"]), entry["identity_variable"]
    if not _known_by_identity(entry):
        return f"{runner_id} ({_hint(entry)})"
    is_id = normal_address(entry["identity"]) == normal_address(runner_id)
    why = variable if is_id else f"{variable} {entry['identity']}"
    return f"{runner_id} ({why})"


def _joined(entry: PlanEntry, facts: Mapping[str, Any]) -> str:
    sentence = (
        f"it is connected as {entry['runner_id']}, which the platform's lists did not show"
        if _known_by_identity(entry)
        else _other_name(entry)
    )
    but = list(entry["differences"])
    if not _may_have(entry["host_ip"], facts):
        but.append(f"the platform has it at {entry['host_ip']}, which is no address of this host")
    return f"{sentence}; but {' and '.join(but)}" if but else sentence


def _copy_of(entry: PlanEntry) -> str:
    return (
        f"its storage path is that of runner {one_line(entry['runner_id'])}, to which the platform is connected at "
        f"{entry['host_ip']}, which is no address of this host: it looks like a copy of that host's disk. Keep it off "
        "the network of the platform until that is clear."
    )


def _other_name(entry: PlanEntry) -> str:
    return f"it is runner {one_line(entry['runner_id'])}; {_hint(entry)}"


def _hint(entry: PlanEntry) -> str:
    """Return how the inventory should name a host that the platform knows by another name."""
    by_address = f"{HOST_IP}: {entry['host_ip']}" if _is_ipv4(entry["host_ip"]) else None
    by_id = f"{RUNNER_ID}: {one_line(entry['runner_id'])}"
    if by_address and entry["host_ip"] == entry["runner_id"]:
        return f"set {by_address} (or {RUNNER_ID}) in the inventory"
    return f"set {by_id}{f' (or {by_address})' if by_address else ''} in the inventory"


def _half_installed(entry: PlanEntry, facts: Mapping[str, Any]) -> str:
    own = [*(facts.get("runner_ids") or []), *(facts.get("addresses") or [])]
    asked = f", nor as {first_names(own, 3)}, as it calls itself" if own else ""
    sentence = (
        "half-installed: the platform may know this host by another name, so look for it among the runners first, and "
        f"set {HOST_IP} or {RUNNER_ID} if it is there. It runs ECE containers ({_some(facts)}), but the platform does "
        f"not know it as {entry['identity']} ({entry['identity_variable']}){asked}. "
    )
    deployments = [name for name in facts.get("ece_containers") or [] if name.startswith(OF_DEPLOYMENTS)]
    if deployments:
        return sentence + f"Deployments run on it ({first_names(deployments, 3)}), so nothing on it must be removed."
    if entry["list_is_short"]:
        return sentence + "The platform's lists have gaps now: run this again when they are complete."
    return sentence + (
        "If the platform has it by no name, look at the installer's log; then remove its ECE containers "
        "(frc-runners-runner first) and its storage path, and run this again."
    )


# -- a host without ECE containers -----------------------------------------------------------------------------------


def _decide_stale(
    entry: PlanEntry, facts: Mapping[str, Any], problems: Sequence[str], replace_stale: bool, port: Any
) -> Decision:
    what = " and ".join(entry["parts"])
    doubt = _doubt(entry, facts, port)
    if not replace_stale or doubt:
        remedy = doubt or (
            f"Delete the {what} in the platform (ece_runner with state: absent), or set ece_host_replace_stale: true."
        )
        emptied = entry["runner_id"] in (facts.get("runner_ids") or [])
        like = "whose containers were removed, because its storage path still has files of it" if emptied else ""
        return STALE, (
            f"stale: the platform knows it as {_known_as(entry)} but it is not connected, and it has no ECE "
            f"container, like a host {like or 'with a new image'}. {remedy}"
        )
    if problems:
        return REFUSED, _refused_by_installer(problems)
    return REPLACE, f"stale: delete {what} {entry['runner_id']}, then join"


def _doubt(entry: PlanEntry, facts: Mapping[str, Any], port: Any) -> str | None:
    """Return why it is not sure that a host is the runner which would be deleted, or None.

    An address that Ansible connects to may be a gateway with other hosts behind it. So a second witness is needed:
    a variable that says which runner the host is, the host's own folders, or its own addresses.
    """
    variable, identity = entry["identity_variable"], entry["identity"]
    addresses = facts.get("addresses") or []
    own_folder = entry["runner_id"] in (facts.get("runner_ids") or [])
    if not own_folder and variable == RUNNER_ID and not _may_have(entry["host_ip"], facts):
        return (
            f"It is not replaced, because the platform has {entry['runner_id']} at {entry['host_ip']}, which is no "
            f"address of this host: correct {RUNNER_ID}, or delete the runner yourself if it is this host."
        )
    if variable in (RUNNER_ID, HOST_IP) or identity in addresses or own_folder:
        return None
    if str(port or SSH_PORT) == str(SSH_PORT) and _may_be_host_of(entry, facts):
        return None
    return (
        f"It is not replaced, because only {variable} {identity} says that it is this runner, and another host may be "
        f"behind that address: set {RUNNER_ID}: {entry['runner_id']} if it is this runner, else {HOST_IP} to its own "
        "address."
    )


def _connected_elsewhere(entry: PlanEntry, contradiction: str) -> str:
    address = f" at {entry['host_ip']}" if entry["host_ip"] else ""
    return (
        f"{entry['identity_variable']} {entry['identity']} names {entry['runner_id']}{address}, to which the platform "
        f"is connected, but this host {contradiction}. If they are two hosts, set {HOST_IP} to this host's own "
        f"address, or {RUNNER_ID}; if ECE was just removed from it, run this again when the platform shows it as "
        "disconnected."
    )


# -- what both need --------------------------------------------------------------------------------------------------


def _known_by_identity(entry: PlanEntry) -> bool:
    """Return whether the platform's answer is on the runner that the host's variables name."""
    return entry["found_as"] is None


def may_be_host_of(runner_id: str, host_ip: str | None, facts: Mapping[str, Any]) -> bool:
    """Return whether a host may be this runner: it has its folder or its address, or says nothing of its addresses."""
    return runner_id in (facts.get("runner_ids") or []) or _may_have(host_ip, facts)


def _may_have(host_ip: str | None, facts: Mapping[str, Any]) -> bool:
    addresses = facts.get("addresses") or []
    return not addresses or not _is_ipv4(host_ip) or host_ip in addresses


def _may_be_host_of(entry: PlanEntry, facts: Mapping[str, Any]) -> bool:
    # What the user says of a host counts more than what the platform shows.
    named = entry["found_as"] is None and entry["identity_variable"] in (RUNNER_ID, HOST_IP)
    return named or may_be_host_of(entry["runner_id"], entry["host_ip"], facts)


def _is_ipv4(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(normal_address(address)).version == 4
    except ValueError:
        return False


def _some(facts: Mapping[str, Any]) -> str:
    return first_names(facts["ece_containers"], 3)


def _refused_by_installer(problems: Sequence[str]) -> str:
    return "the installer would refuse this host: " + " ".join(problems)


def _unknown_containers(engine: Mapping[str, Any], problems: Sequence[str]) -> str:
    # Whatever checks are skipped: an engine that does not answer is not an engine without containers.
    error = engine.get("containers_error") or engine.get("error") or "it gave no reason"
    sentence = (
        "cannot tell whether ECE is on it: the container engine does not answer "
        f"({error}); start it and run this again."
    )
    return " ".join([sentence, "The installer would refuse this host, too:", *problems] if problems else [sentence])
