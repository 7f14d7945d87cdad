#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type  # the host's Python may be 3.6, which has no annotations import

DOCUMENTATION = r"""
module: ece_removal_clean
short_description: Remove the containers and the storage folder of ECE from a host (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host_removal#role). It may change or go in any release."
  - Removes the containers of ECE, that of the runner first, because it starts the others, then the folders of ECE below
    the storage path, and the record of its installation. The host's instances are moved to other allocators before.
  - A container counts as ECE's by its exact name, or by a name like those of ECE together with its labels, its image
    or what it has mounted. All others stay and are listed, and so do folders that are not known to be ECE's.
  - Fails before anything is changed if the engine does not answer, an installer runs, the host has instances, or the
    host is not the runner with this id.
  - Never prunes, and neither stops nor restarts an engine. Run again, it goes on where it stopped.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  runner_id:
    description: The id of the runner that this host is. What the host has of another runner is a failure.
    type: str
    required: true
  storage_path:
    description: The folder in which ECE was installed.
    type: path
    default: /mnt/data/elastic
  state_path:
    description: The folder in which root keeps the record of the installation, which is removed.
    type: path
    default: /var/lib/ece-install
  container_engine:
    description: The container engine. By default it is Docker, or Podman where there is no Docker.
    type: str
    choices: [docker, podman]
  docker_socket:
    description: The socket of the engine.
    type: path
    default: /var/run/docker.sock
  bin_paths:
    description: Folders before those of the system in which commands are looked for.
    type: list
    elements: path
    default: []
  user:
    description: The install user, which is listed as a leftover.
    type: str
    default: elastic
  instances:
    description: Whether containers of instances of deployments are removed with their data.
    type: bool
    default: false
  instances_move:
    description:
      - Whether all instances move to other allocators before anything is removed, so that their containers are gone by
        then. In check mode, these are neither removed nor a problem.
      - Only with check mode; without, instances that are still there are a problem.
    type: bool
    default: false
  bootstrap_secrets:
    description: Whether the file with the passwords of the platform is removed, which its first host has.
    type: bool
    default: false
  leftovers:
    description:
      - What else is removed. Everything else that stays is listed only.
      - V(images) are those of ECE and Elastic Stack that no container uses, V(network) is the network C(ece-network),
        and V(storage) is what else is in the storage path beside ECE's own folders.
    type: list
    elements: str
    choices: [images, network, storage]
    default: []
"""

EXAMPLES = r"""
- name: Remove ECE from the host
  ece.platform.ece_removal_clean:
    runner_id: 10.0.0.7
  become: true
"""

RETURN = r"""
msg:
  description: What was removed, or would be, or why nothing is.
  returned: always
  type: str
  sample: removed 7 containers and 4 folders of ECE
removed_containers:
  description: Names of the containers that were removed, or would be, in this order.
  returned: always
  type: list
  elements: str
  sample: [frc-runners-runner, frc-allocators-allocator]
kept_containers:
  description: The containers that stay.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name of the container.
      type: str
    image:
      description: Its image.
      type: str
    reason:
      description: Why it stays.
      type: str
  sample: [{name: node-exporter, image: "prom/node-exporter:v1.8.2", reason: "it is not ECE's"}]
removed_folders:
  description: Paths of what was removed, or would be.
  returned: always
  type: list
  elements: str
  sample: [/mnt/data/elastic/logs, /mnt/data/elastic/10.0.0.7, /mnt/data/elastic]
leftovers:
  description: What else is on the host for ECE.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description:
        - What it is, in one word. V(images), V(network) and V(storage) can be removed by O(leftovers).
      type: str
    name:
      description: Its name or path.
      type: str
    note:
      description: What it is for, or why it stays although it was to be removed.
      type: str
    removed:
      description: Whether it was removed, or would be.
      type: bool
  sample:
    - {kind: network, name: ece-network, note: a network of containers, removed: false}
would:
  description: What would be done, step by step. Empty outside of check mode.
  returned: always
  type: list
  elements: str
  sample: ["remove container frc-runners-runner", "remove /mnt/data/elastic/logs"]
problems:
  description: Why nothing is done, each a sentence with its remedy.
  returned: always
  type: list
  elements: str
  sample: []
notes:
  description: What else the operator should know.
  returned: always
  type: list
  elements: str
  sample: []
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._ece import (
    DEFAULT_SOCKET,
    DEFAULT_STATE_PATH,
    DEFAULT_STORAGE_PATH,
    DEFAULT_USER,
    ENGINES,
)
from ansible_collections.ece.platform.plugins.module_utils._errors import HostError, OptionError
from ansible_collections.ece.platform.plugins.module_utils._host_process import explain_os_error
from ansible_collections.ece.platform.plugins.module_utils._removal_host import (
    Done,
    Plan,
    carry_out,
    check_options,
    foreseen,
    gather,
    plan_removal,
    result_of,
)
from ansible_collections.ece.platform.plugins.module_utils._removal_leftovers import REMOVABLE
from ansible_collections.ece.platform.plugins.module_utils._text import plain_values

SPEC = {
    "runner_id": {"type": "str", "required": True},
    "storage_path": {"type": "path", "default": DEFAULT_STORAGE_PATH},
    "state_path": {"type": "path", "default": DEFAULT_STATE_PATH},
    "container_engine": {"type": "str", "choices": list(ENGINES)},
    "docker_socket": {"type": "path", "default": DEFAULT_SOCKET},
    "bin_paths": {"type": "list", "elements": "path", "default": []},
    "user": {"type": "str", "default": DEFAULT_USER},
    "instances": {"type": "bool", "default": False},
    "instances_move": {"type": "bool", "default": False},
    "bootstrap_secrets": {"type": "bool", "default": False, "no_log": False},
    "leftovers": {"type": "list", "elements": "str", "choices": list(REMOVABLE), "default": []},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    options: Dict[str, Any] = dict(module.params, instances_move=module.params["instances_move"] and module.check_mode)
    plan, done = Plan([], False, [], [], [], None, [], [], []), Done()
    try:
        check_options(options)
        facts = gather(options)
        plan = plan_removal(facts, options)
        if plan.problems:
            raise HostError(" ".join(plan.problems))
        if module.check_mode:
            done = foreseen(plan)
        else:
            carry_out(plan, facts, options, done)
    except OSError as error:
        module.fail_json(**plain_values(result_of(plan, done, explain_os_error(error))))
    except (HostError, OptionError) as error:
        module.fail_json(**plain_values(result_of(plan, done, str(error))))
    for warning in done.warnings:
        module.warn(warning)
    module.exit_json(**plain_values(result_of(plan, done)))


if __name__ == "__main__":
    main()
