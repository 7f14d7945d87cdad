#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_allocator
short_description: Set maintenance mode, capacity and tags of an allocator of an ECE platform, or delete it
version_added: 1.0.0
description:
  - Sets the maintenance mode, the capacity and the tags of an allocator, or deletes an allocator whose host is gone.
  - The module reads the allocator first, and writes only what differs. An option that is not set leaves things as they
    are.
  - Maintenance mode starts before anything else is written and ends after it, so that no new instance arrives
    in between.
  - If the platform refuses a request, the module fails, and the message says what was written before.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.connection
  - ece.platform.attributes
  - ece.platform.attributes.actiongroup_ece
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  allocator_id:
    description:
      - The id of the allocator. By default, it is the IP address of its host.
    type: str
    required: true
  state:
    description:
      - With V(present), the allocator must exist, and becomes what the other options say.
      - With V(absent), the allocator is deleted from the platform. The module refuses that while the allocator or its
        runner is connected, and while the allocator holds instances, unless O(remove_instances) is set. The runner
        stays; M(ece.platform.ece_runner) deletes both.
    type: str
    choices: [present, absent]
    default: present
  maintenance:
    description:
      - With V(true), the allocator is in maintenance mode, and the platform places no new instances on it. The
        instances that it holds keep running, and keep their traffic.
      - With V(false), it is not in maintenance mode.
      - Only with O(state=present).
    type: bool
  maintenance_reason:
    description:
      - Why the allocator enters maintenance mode, in one line. Only with O(maintenance=true).
      - ECE takes a reason since 3.7. An earlier platform does not get it, and the module warns.
      - The API takes a reason when maintenance mode starts, and returns it nowhere. So an allocator that is in
        maintenance mode already keeps the reason that it has.
    type: str
  capacity:
    description:
      - Memory in MB that the allocator gives to instances, 8192 or more, and no less than its instances use.
      - It replaces the capacity of the installation. The API does not show the memory of the host, so the module does
        not compare the two.
      - ECE's documentation says that nothing else is needed since ECE 3.5. The API's specification says that the
        allocator's service on the host has to be restarted for the full effect. With Podman, containers that exist keep
        their share of the CPU.
      - Only with O(state=present).
    type: int
  tags:
    description:
      - Tags that the allocator must have, by their keys. The platform stores the values as strings, so that V(true)
        becomes V("true"). Neither keys nor values may be empty; both may have any characters, like V(:) and V(,).
      - The allocator keeps its other tags, unless O(tags_exact) is set.
      - Only with O(state=present).
    type: dict
  tags_exact:
    description:
      - With V(true), O(tags) are all tags of the allocator, and it loses others. With O(tags={}), it loses all.
      - The platform may move instances off an allocator that loses a tag which their deployments demand.
      - The module fails if something else keeps setting tags of the allocator at the same time.
    type: bool
    default: false
  remove_instances:
    description:
      - With V(true), an allocator is deleted even if it holds instances, which are removed from the platform together
        with it. Data that is nowhere else is lost.
      - Only with O(state=absent).
    type: bool
    default: false
seealso:
  - module: ece.platform.ece_allocator_info
  - module: ece.platform.ece_runner
"""

EXAMPLES = r"""
- name: Take an allocator into maintenance
  ece.platform.ece_allocator:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    allocator_id: 10.0.0.7
    maintenance: true
    maintenance_reason: new disks

- name: Set capacity and tags of an allocator, and take other tags away
  ece.platform.ece_allocator:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    allocator_id: 10.0.0.7
    capacity: 196608
    tags:
      ssd: "true"
      rack: "7:B,left"
    tags_exact: true

- name: Delete the allocator of a host that was removed
  ece.platform.ece_allocator:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    allocator_id: 10.0.0.7
    state: absent
"""

RETURN = r"""
allocator_id:
  description: The id of the allocator.
  returned: success
  type: str
  sample: 10.0.0.7
maintenance_mode:
  description: Whether the allocator is in maintenance mode after the task.
  returned: success, with O(state=present)
  type: bool
  sample: true
capacity:
  description: Memory in MB that the allocator gives to instances, V(null) if the platform does not report it.
  returned: success, with O(state=present)
  type: int
  sample: 196608
tags:
  description: Mapping of all tags of the allocator after the task to their values.
  returned: success, with O(state=present)
  type: dict
  sample: {ssd: "true", rack: "7:B,left"}
instances:
  description: The instances that were removed together with the allocator. Empty if it held none, or was not there.
  returned: success, with O(state=absent)
  type: list
  elements: dict
  contains:
    kind:
      description: What the instance is part of, like V(elasticsearch) or V(kibana).
      type: str
      sample: elasticsearch
    cluster_id:
      description: The id of the cluster that it is part of.
      type: str
      sample: 5c641576747442eba0ebd67944ccbe10
    deployment_id:
      description: The id of the deployment, V(null) if the platform does not report it.
      type: str
      sample: a8a6d5e4b2c34f6f9d0c1b2a39485766
    instance_name:
      description: The name of the instance within its cluster.
      type: str
      sample: instance-0000000000
  sample: []
"""

from typing import Any, Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._allocator import ensure_absent, ensure_present, wish_of
from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._module import run_api_module

OF_PRESENT = ("maintenance", "maintenance_reason", "capacity", "tags")


def check_options(params: Mapping[str, Any]) -> None:
    """Raise OptionError for options that mean nothing together."""
    if not params["allocator_id"].strip():
        raise OptionError("allocator_id is empty: give the id of an allocator, as ece_allocator_info lists them")
    if params["state"] == "absent":
        given = [name for name in OF_PRESENT if params[name] is not None] + ["tags_exact"] * params["tags_exact"]
        if given:
            raise OptionError(f"{given[0]} is set with state: absent, which deletes the allocator: use one of them")
    elif params["remove_instances"]:
        raise OptionError("remove_instances is set with state: present, which deletes nothing: leave it out")
    elif params["tags_exact"] and params["tags"] is None:
        raise OptionError("tags_exact is set without tags: give all tags, or tags: {} to take all of them away")


def run(module: AnsibleModule, client: EceClient) -> dict[str, Any]:
    """Return the result of the module."""
    params = module.params
    check_options(params)
    if params["state"] == "absent":
        return {**ensure_absent(client, params["allocator_id"], params["remove_instances"], module.check_mode)}
    return {**ensure_present(client, params["allocator_id"], wish_of(params), module.check_mode)}


def main() -> None:
    run_api_module(
        {
            "allocator_id": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "maintenance": {"type": "bool"},
            "maintenance_reason": {"type": "str"},
            "capacity": {"type": "int"},
            "tags": {"type": "dict"},
            "tags_exact": {"type": "bool", "default": False},
            "remove_instances": {"type": "bool", "default": False},
        },
        run,
    )


if __name__ == "__main__":
    main()
