#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_runner
short_description: Give a runner of an ECE platform roles, or delete it
version_added: 1.0.0
description:
  - Assigns roles to a runner and entitles it to them, or deletes a runner that is gone.
  - Roles that the runner has and that are not named, like the system's own, stay.
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
      - Id of the runner, by default the IP address of its host.
    type: str
    required: true
  state:
    description:
      - V(present) sees to it that the runner has O(roles), V(absent) that the platform does not know the runner.
      - A runner that is connected is never deleted.
    type: str
    choices: [present, absent]
    default: present
  roles:
    description:
      - Roles the runner must have. Required with O(state=present).
    type: list
    elements: str
    choices: [allocator, coordinator, director, proxy]
seealso:
  - module: ece.platform.ece_runner_info
"""

EXAMPLES = r"""
- name: Give a host the role allocator
  ece.platform.ece_runner:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    runner_id: 10.0.0.7
    roles: [allocator]

- name: Forget a host that was taken away
  ece.platform.ece_runner:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    runner_id: 10.0.0.7
    state: absent
"""

RETURN = r"""
runner_id:
  description: The runner.
  returned: success
  type: str
  sample: 10.0.0.7
roles:
  description: Its roles afterwards.
  returned: O(state=present)
  type: list
  elements: str
  sample: [allocator, beats-runner, services-forwarder]
"""


from ansible_collections.ece.platform.plugins.module_utils._ece import ROLES
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._module import run_api_module
from ansible_collections.ece.platform.plugins.module_utils._records import runner_roles


def present(module, client, runner):
    """Add the roles that are missing."""
    runner_id = module.params["runner_id"]
    if runner is None:
        raise PlatformError(
            f"runner_id {runner_id} is not known to the platform: give the id of one of its runners, as ece_runner_info lists them"
        )
    before = runner_roles(runner)
    after = sorted(set(before) | set(module.params["roles"]))
    if after != before and not module.check_mode:
        # The API replaces the whole list, so what is there goes along.
        client.set_runner_roles(runner_id, after)
    return {
        "changed": after != before,
        "runner_id": runner_id,
        "roles": after,
        "diff": {"before": {"roles": before}, "after": {"roles": after}},
    }


def absent(module, client, runner):
    """Delete a runner that is not connected, and its allocator first: the platform lists it by itself."""
    runner_id = module.params["runner_id"]
    if runner is not None and runner.get("connected"):
        raise PlatformError(
            f"runner_id {runner_id} is connected, so it is not deleted: take the host out of service first"
        )
    if runner is not None and not module.check_mode:
        if "allocator" in runner_roles(runner):
            client.delete_allocator(runner_id)
        client.delete_runner(runner_id)
    before = {"roles": runner_roles(runner)} if runner is not None else {}
    return {"changed": runner is not None, "runner_id": runner_id, "diff": {"before": before, "after": {}}}


def run(module, client):
    """The result of the module."""
    if not module.params["runner_id"].strip():
        raise OptionError("runner_id is empty: give the id of a runner, as ece_runner_info lists them")
    runner = client.runner(module.params["runner_id"])
    return (present if module.params["state"] == "present" else absent)(module, client, runner)


def main():
    run_api_module(
        {
            "runner_id": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "roles": {"type": "list", "elements": "str", "choices": list(ROLES)},
        },
        run,
        required_if=[("state", "present", ("roles",))],
    )


if __name__ == "__main__":
    main()
