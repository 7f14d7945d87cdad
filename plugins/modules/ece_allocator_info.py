#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_allocator_info
short_description: List the allocators of an ECE platform, or wait until some are connected
version_added: 1.0.0
description:
  - Lists all allocators, flat, each with its zone. The API's own list ends at 100 without a word; this reads every page and compares with the platform's count.
  - Filters work on the complete list. A filter that is not given lets all through.
  - With O(wait_timeout), waits until every one of O(allocator_ids) is connected.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.connection
  - ece.platform.attributes
  - ece.platform.attributes.actiongroup_ece
  - ece.platform.attributes.info_module
options:
  allocator_ids:
    description:
      - Only allocators with these ids. By default an allocator's id is the IP address of its host.
    type: list
    elements: str
  zones:
    description:
      - Only allocators in these zones.
    type: list
    elements: str
  tags:
    description:
      - Only allocators that have all these tags with these values. Tag values are strings on the platform.
    type: dict
  connected:
    description:
      - Only allocators that are connected, or only those that are not.
    type: bool
  maintenance_mode:
    description:
      - Only allocators in maintenance mode, or only those that are not.
    type: bool
  wait_timeout:
    description:
      - Seconds to wait until all of O(allocator_ids) are connected; V(0) does not wait. When they end first, the module fails and names those missing.
    type: int
    default: 0
  wait_interval:
    description:
      - Seconds between two looks while waiting.
    type: int
    default: 10
seealso:
  - module: ece.platform.ece_runner_info
"""

EXAMPLES = r"""
- name: Wait until two new allocators are connected
  ece.platform.ece_allocator_info:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    allocator_ids: [10.0.0.7, 10.0.0.8]
    wait_timeout: 600

- name: Find allocators that are gone
  ece.platform.ece_allocator_info:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    connected: false
  register: gone
"""

RETURN = r"""
allocators:
  description: The allocators that meet all filters, sorted by id. Memory is in MB, storage in MiB, V(null) where the platform is silent.
  returned: success
  type: list
  elements: dict
  sample:
    - allocator_id: 10.0.0.7
      zone_id: ece-zone-1
      host_ip: 10.0.0.7
      public_hostname: 10.0.0.7
      connected: true
      healthy: true
      maintenance_mode: false
      version: 3.8.0
      memory_total_mb: 249856
      memory_used_mb: 4096
      storage_total_mib: 7995392
      instance_count: 2
      tags: {ssd: "true"}
summary:
  description: Counts and memory in MB of RV(allocators), in all and by zone.
  returned: success
  type: dict
  sample:
    allocators: 1
    connected: 1
    maintenance_mode: 0
    memory_total_mb: 249856
    memory_used_mb: 4096
    zones:
      ece-zone-1: {allocators: 1, connected: 1, maintenance_mode: 0, memory_total_mb: 249856, memory_used_mb: 4096}
"""

import time

from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._module import run_api_module
from ansible_collections.ece.platform.plugins.module_utils._records import (
    count_warning,
    filter_allocators,
    flat_allocator,
    platform_totals,
    summarise,
)


def check_options(params):
    """Raises OptionError with one sentence."""
    if params["wait_timeout"] < 0:
        raise OptionError(f"wait_timeout {params['wait_timeout']} is negative: use seconds, 0 for not waiting")
    if params["wait_interval"] < 1:
        raise OptionError(f"wait_interval {params['wait_interval']} is too small: use 1 second or more")
    if params["wait_timeout"] and not params["allocator_ids"]:
        raise OptionError("wait_timeout is set but allocator_ids is not: name the allocators to wait for")


def look(client):
    """(flat allocators, a warning or None)"""
    total = platform_totals(client.platform())["allocators"]
    allocators = [flat_allocator(allocator) for allocator in client.iter_allocators(total)]
    return allocators, count_warning("allocators", len(allocators), total)


def wait_for(params, client):
    """Like look(), once all the ids are connected."""
    deadline = time.monotonic() + params["wait_timeout"]
    while True:
        allocators, warning = look(client)
        connected = {allocator["allocator_id"] for allocator in allocators if allocator["connected"]}
        missing = [allocator_id for allocator_id in params["allocator_ids"] or [] if allocator_id not in connected]
        if not missing or not params["wait_timeout"]:
            return allocators, warning
        if time.monotonic() >= deadline:
            known = {allocator["allocator_id"] for allocator in allocators}
            words = [f"{name} ({'not connected' if name in known else 'unknown'})" for name in missing]
            raise PlatformError(
                f"after {params['wait_timeout']} s these allocators are not connected: {', '.join(words)}"
            )
        time.sleep(min(params["wait_interval"], max(0, deadline - time.monotonic())))


def tag_value(value):
    """A tag's value as the platform has it: text, and a YAML boolean in lower case, as ece_install sets it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def run(module, client):
    """The result of the module."""
    params = module.params
    check_options(params)
    allocators, warning = wait_for(params, client)
    if warning:
        module.warn(warning)
    chosen = filter_allocators(
        allocators,
        allocator_ids=params["allocator_ids"],
        zones=params["zones"],
        tags={key: tag_value(value) for key, value in params["tags"].items()} if params["tags"] is not None else None,
        connected=params["connected"],
        maintenance_mode=params["maintenance_mode"],
    )
    return {"changed": False, "allocators": chosen, "summary": summarise(chosen)}


def main():
    run_api_module(
        {
            "allocator_ids": {"type": "list", "elements": "str"},
            "zones": {"type": "list", "elements": "str"},
            "tags": {"type": "dict"},
            "connected": {"type": "bool"},
            "maintenance_mode": {"type": "bool"},
            "wait_timeout": {"type": "int", "default": 0},
            "wait_interval": {"type": "int", "default": 10},
        },
        run,
    )


if __name__ == "__main__":
    main()
