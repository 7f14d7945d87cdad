#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_runner_info
short_description: List the runners of an ECE platform
version_added: 1.0.0
description:
  - Lists the runners of the platform. Every host of a platform is a runner, whatever its roles are.
  - The API has no pages for runners. The module warns if the number of runners in its list differs from the platform's
    own count.
  - Filters apply to the whole list, and a runner must match all of them. A filter that is not set matches every
    runner.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.connection
  - ece.platform.attributes
  - ece.platform.attributes.actiongroup_ece
  - ece.platform.attributes.info_module
options:
  runner_ids:
    description:
      - List only runners with these ids. By default, the id of a runner is the IP address of its host.
    type: list
    elements: str
  zones:
    description:
      - List only runners in these zones.
    type: list
    elements: str
  roles:
    description:
      - List only runners that have all these roles.
    type: list
    elements: str
  connected:
    description:
      - With V(true), list only runners that are connected to the platform. With V(false), list only the others.
    type: bool
seealso:
  - module: ece.platform.ece_allocator_info
  - module: ece.platform.ece_runner
"""

EXAMPLES = r"""
- name: Find the proxies
  ece.platform.ece_runner_info:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    roles: [proxy]
  register: proxies
"""

RETURN = r"""
runners:
  description: The runners that match all filters, sorted by id.
  returned: success
  type: list
  elements: dict
  contains:
    runner_id:
      description: The id of the runner.
      type: str
      sample: 10.0.0.7
    zone:
      description: The zone of the runner, V(null) if the platform does not report it.
      type: str
      sample: ece-zone-1
    host_ip:
      description: The IP address of its host, V(null) if the platform does not report it.
      type: str
      sample: 10.0.0.7
    public_hostname:
      description: The name under which its host is reached, V(null) if the platform does not report it.
      type: str
      sample: host-7.example.com
    connected:
      description: Whether the runner is connected to the platform.
      type: bool
      sample: true
    healthy:
      description: Whether the platform reports the runner as healthy.
      type: bool
      sample: true
    roles:
      description: The roles of the runner, sorted, including system roles like V(beats-runner).
      type: list
      elements: str
      sample: [allocator, beats-runner, services-forwarder]
    version:
      description: The version of ECE that it runs, V(null) if the platform does not report it.
      type: str
      sample: 3.8.0
    tags:
      description: Mapping of tag names to values. A value is V(null) if the platform does not report it.
      type: dict
      sample: {}
    containers:
      description: The names of its containers in the container engine of the host, sorted.
      type: list
      elements: str
      sample: [frc-allocators-allocator, frc-runners-runner]
  sample:
    - runner_id: 10.0.0.7
      zone: ece-zone-1
      host_ip: 10.0.0.7
      public_hostname: host-7.example.com
      connected: true
      healthy: true
      roles: [allocator, beats-runner, services-forwarder]
      version: 3.8.0
      tags: {}
      containers: [frc-allocators-allocator, frc-runners-runner]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._module import run_api_module
from ansible_collections.ece.platform.plugins.module_utils._records import (
    count_warning,
    filter_runners,
    flat_runner,
    platform_totals,
)


def run(module: AnsibleModule, client: EceClient) -> dict[str, Any]:
    """Return the result of the module."""
    params = module.params
    total = platform_totals(client.platform())["runners"]
    runners = [flat_runner(runner) for runner in client.runners()]
    warning = count_warning("runners", len(runners), total)
    if warning:
        module.warn(warning)
    matching = filter_runners(
        runners,
        runner_ids=params["runner_ids"],
        zones=params["zones"],
        roles=params["roles"],
        connected=params["connected"],
    )
    return {"changed": False, "runners": matching}


def main() -> None:
    run_api_module(
        {
            "runner_ids": {"type": "list", "elements": "str"},
            "zones": {"type": "list", "elements": "str"},
            "roles": {"type": "list", "elements": "str"},
            "connected": {"type": "bool"},
        },
        run,
    )


if __name__ == "__main__":
    main()
