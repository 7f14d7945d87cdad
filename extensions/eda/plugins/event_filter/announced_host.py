# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event filter of ansible-rulebook: it lets nothing of an event pass but a host whose values have been checked."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Sequence
from typing import Any

DOCUMENTATION = r"""
---
short_description: Check an event that announces a host
description:
  - Replaces an event by the host that it announces, or by the reason why it announces none.
  - Ansible evaluates what looks like a template in extra variables, and what looks like a pattern in a limit. So
    nothing else of the event passes, neither other keys of the payload nor HTTP headers.
  - The payload of the event has C(name), C(address) and C(zone), which are texts. Other keys are ignored.
options:
  groups:
    description:
      - Groups of the inventory. A host of this name is refused, because in a limit it would be all hosts of the group.
    type: list
    elements: str
    default: []
notes:
  - The new event has C(host) with C(name), C(address) and C(zone), or else C(refused), which is one sentence.
"""

EXAMPLES = r"""
- eda.builtin.webhook:
    port: 5000
    token: "{{ ece_event_token }}"
  filters:
    - ece.platform.announced_host:
"""

EXAMPLE = {"name": "allocator-7", "address": "10.0.1.17", "zone": "ece-zone-1"}
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
# As the installer takes it.
ZONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# To Ansible these are every host, hosts without a group, the controller, and groups of the playbook.
TAKEN_NAMES = ("all", "ungrouped", "localhost", "127.0.0.1", "allocators", "ece_announced")
# Addresses of "this network", which no host can have.
THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")
# What of a refused value is shown: nothing that a terminal, a log or a template could take for its own.
HIDDEN = re.compile(r"[^A-Za-z0-9 ._:/@,+=\[\]-]")
SHOWN_CHARACTERS = 60


def main(event: dict[str, Any], groups: Sequence[str] = ()) -> dict[str, Any]:
    """Return an event that has `host`, or `refused` with a sentence."""
    taken = {*TAKEN_NAMES, *(str(group).lower() for group in groups)}
    payload = event.get("payload")
    if not isinstance(payload, dict):
        return refused("its body is no JSON object", "an object")
    host = {key: payload.get(key) for key in EXAMPLE}
    for key, value in host.items():
        if key not in payload:
            return refused(f"it has no {key}", f'"{key}"')
        problem = what_is_wrong(key, value, taken)
        if problem:
            return refused(f"its {key} {shown(value)} {problem}", f'"{key}"')
    return {"host": host}


def refused(reason: str, what: str) -> dict[str, Any]:
    """Return the event in place of one that is refused."""
    example = ", ".join(f'"{key}": "{value}"' for key, value in EXAMPLE.items())
    return {"refused": f"Event refused: {reason}; set {what} as in {{{example}}}."}


def what_is_wrong(key: str, value: Any, taken: Collection[str]) -> str | None:
    """Return what is wrong with a value of an event, or None. taken: names that no host can have, in lower case."""
    if not isinstance(value, str):
        return "is no text"
    if key == "name":
        if value.lower() in taken:
            return "is no name of a host to Ansible"
        return None if NAME.fullmatch(value) else "is no host name: it has letters, digits, '.', '_' and '-'"
    if key == "zone":
        return None if ZONE.fullmatch(value) else "is no zone: it has letters, digits, '.', '_' and '-'"
    return None if is_address_of_a_host(value) else "is no IPv4 address of a host"


def is_address_of_a_host(value: str) -> bool:
    """Return whether this is an IPv4 address that a single other machine can have."""
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        return False
    others = address.is_loopback or address.is_multicast or address.is_link_local or address.is_reserved
    return not (others or address in THIS_NETWORK)


def shown(value: Any) -> str:
    """Return a value as a sentence shows it."""
    text = HIDDEN.sub("?", str(value))
    return f"'{text[:SHOWN_CHARACTERS]}...'" if len(text) > SHOWN_CHARACTERS else f"'{text}'"
