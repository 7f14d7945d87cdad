#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_runner
short_description: Assign roles to a runner of an ECE platform, or delete the runner
version_added: 1.0.0
description:
  - Assigns roles to a runner, or deletes a runner whose host is gone.
  - The module adds roles. The runner keeps its other roles unless O(roles_exact=true), and always the platform's own
    ones, like V(beats-runner) and V(services-forwarder).
  - The API replaces all roles of a runner at once. So the module looks at them afterwards, and assigns a role again
    that another client has taken away meanwhile.
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
  runner_id:
    description:
      - The id of the runner. By default, it is the IP address of its host.
    type: str
    required: true
  state:
    description:
      - With V(present), the runner must exist, and gets the O(roles) that it lacks.
      - With V(absent), the runner and the allocator with this id are deleted from the platform, whichever of them is
        there, since each is an object of its own. The allocator is first, and the platform refuses that while it holds
        instances; then the runner stays, too.
      - A host of which the runner or the allocator is connected is never deleted.
    type: str
    choices: [present, absent]
    default: present
  roles:
    description:
      - Roles that the runner must have. Required with O(state=present).
      - An empty list is refused unless O(roles_exact=true), which takes all roles away then.
    type: list
    elements: str
    choices: [allocator, coordinator, director, proxy]
  roles_exact:
    description:
      - Whether roles that are not in O(roles) are taken away from the runner. The platform's own roles stay.
      - The last connected coordinator and the last connected director of the platform keep their role, and an allocator
        that holds instances does. The task fails then, and nothing is changed.
      - ZooKeeper keeps running on the host of a former director. A warning says so, because the runner should be
        deleted and its host be installed again.
    type: bool
    default: false
  bless:
    description:
      - Whether the runner is permitted to have the roles that it lacks, and no others.
      - With V(false), the task fails for a role that the runner is not permitted to have, as by its enrollment token.
    type: bool
    default: true
seealso:
  - module: ece.platform.ece_runner_info
"""

EXAMPLES = r"""
- name: Assign the role allocator to a host
  ece.platform.ece_runner:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    runner_id: 10.0.0.7
    roles: [allocator]

- name: Let a host be a proxy and nothing else
  ece.platform.ece_runner:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    runner_id: 10.0.0.8
    roles: [proxy]
    roles_exact: true

- name: Delete the runner of a host that was removed
  ece.platform.ece_runner:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    runner_id: 10.0.0.7
    state: absent
"""

RETURN = r"""
runner_id:
  description: The id of the runner.
  returned: success
  type: str
  sample: 10.0.0.7
roles:
  description: All roles of the runner after the task, sorted. Empty with O(state=absent).
  returned: success
  type: list
  elements: str
  sample: [allocator, beats-runner, services-forwarder]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._ece import ROLES
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._module import run_api_module
from ansible_collections.ece.platform.plugins.module_utils._runner import ensure_absent, ensure_present
from ansible_collections.ece.platform.plugins.module_utils._text import JWT


def run(module: AnsibleModule, client: EceClient) -> dict[str, Any]:
    """Return the result of the module."""
    runner_id = module.params["runner_id"]
    if not runner_id.strip():
        raise OptionError("runner_id is empty: give the id of a runner, as ece_runner_info lists them")
    if JWT.search(runner_id):
        # Messages repeat the id.
        raise OptionError(f"runner_id {runner_id} is an enrollment token: give the id of a runner")
    if module.params["state"] == "absent":
        return {**ensure_absent(client, runner_id, module.check_mode)}
    roles, exact = module.params["roles"], module.params["roles_exact"]
    if not roles and not exact:
        raise OptionError("roles is empty: give at least one role, or roles_exact: true to take all roles away")
    return {**ensure_present(client, runner_id, roles, module.check_mode, exact, module.params["bless"])}


def main() -> None:
    run_api_module(
        {
            "runner_id": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "roles": {"type": "list", "elements": "str", "choices": list(ROLES)},
            "roles_exact": {"type": "bool", "default": False},
            "bless": {"type": "bool", "default": True},
        },
        run,
        required_if=[("state", "present", ("roles",))],
    )


if __name__ == "__main__":
    main()
