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
  - Lists the runners, which are all hosts of the platform whatever their roles.
  - Filters work on the complete list. A filter that is not given lets all through.
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
      - Only runners with these ids. By default a runner's id is the IP address of its host.
    type: list
    elements: str
  zones:
    description:
      - Only runners in these zones.
    type: list
    elements: str
  roles:
    description:
      - Only runners that have all these roles.
    type: list
    elements: str
  connected:
    description:
      - Only runners that are connected, or only those that are not.
    type: bool
seealso:
  - module: ece.platform.ece_allocator_info
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
  description: The runners that meet all filters, sorted by id.
  returned: success
  type: list
  elements: dict
  sample:
    - runner_id: 10.0.0.7
      zone: ece-zone-1
      host_ip: 10.0.0.7
      public_hostname: 10.0.0.7
      connected: true
      healthy: true
      roles: [allocator, beats-runner, services-forwarder]
      version: 3.8.0
      tags: {}
      containers: [frc-allocators-allocator, frc-runners-runner]
"""


from ansible_collections.ece.platform.plugins.module_utils._module import run_api_module
from ansible_collections.ece.platform.plugins.module_utils._records import count_warning, flat_runner, platform_totals


def chosen(runner, params):
    """Whether a flat runner meets every filter given."""
    return (
        (params["runner_ids"] is None or runner["runner_id"] in params["runner_ids"])
        and (params["zones"] is None or runner["zone"] in params["zones"])
        and (params["roles"] is None or set(params["roles"]) <= set(runner["roles"]))
        and (params["connected"] is None or runner["connected"] == params["connected"])
    )


def run(module, client):
    """The result of the module."""
    total = platform_totals(client.platform())["runners"]
    runners = [flat_runner(runner) for runner in client.runners()]
    warning = count_warning("runners", len(runners), total)
    if warning:
        module.warn(warning)
    return {
        "changed": False,
        "runners": sorted(
            (runner for runner in runners if chosen(runner, module.params)), key=lambda runner: runner["runner_id"]
        ),
    }


def main():
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
