#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_allocator_info
short_description: List the allocators of an ECE platform, and wait until they are connected
version_added: 1.0.0
description:
  - Lists all allocators with their zone, version and memory, and summarises them by zone.
  - The API lists no more than 100 allocators unless it is asked for more, and does not report that it has left any out.
    This module reads all pages, and warns if their number differs from the platform's own count.
  - Filters apply to the complete list, and an allocator must match all of them. A filter that is not set matches every
    allocator.
  - With O(wait_timeout), the module waits until every allocator in O(allocator_ids) is connected.
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
      - List only allocators with these ids. By default, the id of an allocator is the IP address of its host.
    type: list
    elements: str
  zones:
    description:
      - List only allocators in these zones.
    type: list
    elements: str
  tags:
    description:
      - List only allocators that have all these tags with these values. The platform stores the values as strings.
    type: dict
  connected:
    description:
      - With V(true), list only allocators that are connected to the platform. With V(false), list only the others.
    type: bool
  maintenance_mode:
    description:
      - With V(true), list only allocators in maintenance mode. With V(false), list only the others.
    type: bool
  wait_timeout:
    description:
      - Number of seconds to wait until every allocator in O(allocator_ids) is connected. With V(0), the module does
        not wait.
      - If an allocator is not connected after this time, the module fails and names it.
      - The module goes on waiting when a request fails, and names the last error at the end. Only if the platform
        refuses the first request because of the connection options, it fails at once.
    type: int
    default: 0
  wait_interval:
    description:
      - Number of seconds between two requests for the list while waiting.
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

- name: Find disconnected allocators
  ece.platform.ece_allocator_info:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    connected: false
  register: disconnected
"""

RETURN = r"""
allocators:
  description: The allocators that match all filters, sorted by id.
  returned: success
  type: list
  elements: dict
  contains:
    allocator_id:
      description: The id of the allocator.
      type: str
      sample: 10.0.0.7
    zone_id:
      description: The zone of the allocator, V(null) if the platform does not report it.
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
      description: Whether the allocator is connected to the platform.
      type: bool
      sample: true
    healthy:
      description:
        - Whether the platform reports the allocator as healthy.
        - ECE reports a disconnected allocator without instances as healthy, so use RV(allocators[].connected).
      type: bool
      sample: true
    maintenance_mode:
      description: Whether the allocator is in maintenance mode.
      type: bool
      sample: false
    version:
      description: The version of ECE that it runs, V(null) if the platform does not report it.
      type: str
      sample: 3.8.0
    memory_total_mb:
      description: Memory for instances in MB, V(null) if the platform does not report it.
      type: int
      sample: 249856
    memory_used_mb:
      description: Memory that instances use, in MB, V(null) if the platform does not report it.
      type: int
      sample: 4096
    storage_total_mib:
      description: Storage for instances in MiB, V(null) if the platform does not report it (before ECE 3.6).
      type: int
      sample: 7995392
    instance_count:
      description: Number of instances on the allocator.
      type: int
      sample: 2
    tags:
      description: Mapping of tag names to values. A value is V(null) if the platform does not report it.
      type: dict
      sample: {ssd: "true"}
  sample:
    - allocator_id: 10.0.0.7
      zone_id: ece-zone-1
      host_ip: 10.0.0.7
      public_hostname: host-7.example.com
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
  description: Counts and memory of RV(allocators).
  returned: success
  type: dict
  contains:
    allocators:
      description: Number of allocators.
      type: int
      sample: 1
    connected:
      description: Number of connected allocators.
      type: int
      sample: 1
    maintenance_mode:
      description: Number of allocators in maintenance mode.
      type: int
      sample: 0
    memory_total_mb:
      description: Sum of RV(allocators[].memory_total_mb) in MB. Unknown memory counts as 0.
      type: int
      sample: 249856
    memory_used_mb:
      description: Sum of RV(allocators[].memory_used_mb) in MB. Unknown memory counts as 0.
      type: int
      sample: 4096
    zones:
      description:
        - Mapping of zone ids to counts and memory of the allocators in that zone, with the other fields of RV(summary).
        - The zone of allocators for which the platform does not report one is the empty string.
      type: dict
      sample:
        ece-zone-1: {allocators: 1, connected: 1, maintenance_mode: 0, memory_total_mb: 249856, memory_used_mb: 4096}
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
from typing import Any, Mapping, Sequence

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._client import (
    EceApiError,
    EceAuthError,
    EceClient,
    EceConnectionError,
    EceError,
    EceProtocolError,
)
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError, PlatformError
from ansible_collections.ece.platform.plugins.module_utils._module import run_api_module
from ansible_collections.ece.platform.plugins.module_utils._records import (
    FlatAllocator,
    count_warning,
    filter_allocators,
    flat_allocator,
    platform_totals,
    summarise,
)


def check_options(params: Mapping[str, Any]) -> None:
    """Raises OptionError for options that cannot work."""
    if params["wait_timeout"] < 0:
        raise OptionError(f"wait_timeout {params['wait_timeout']} is negative: use seconds, or 0 for not waiting")
    if params["wait_interval"] < 1:
        raise OptionError(f"wait_interval {params['wait_interval']} is too small: use 1 second or more")
    if params["wait_timeout"] and not params["allocator_ids"]:
        raise OptionError("wait_timeout is set but allocator_ids is not: name the allocators to wait for")


def read_allocators(client: EceClient) -> tuple[list[FlatAllocator], str | None]:
    """Return all allocators, and a warning if their number differs from the platform's own count."""
    total = platform_totals(client.platform())["allocators"]
    allocators = [flat_allocator(allocator) for allocator in client.iter_allocators(total)]
    return allocators, count_warning("allocators", len(allocators), total)


def wait_for_allocators(params: Mapping[str, Any], client: EceClient) -> tuple[list[FlatAllocator], str | None]:
    """Like read_allocators(), once all allocator_ids are connected. Raises PlatformError if the time runs out."""
    deadline = time.monotonic() + params["wait_timeout"]
    wanted = params["allocator_ids"] if params["wait_timeout"] else None
    latest: list[FlatAllocator] | None = None
    while True:
        failure = None
        try:
            latest, warning = read_allocators(client)
            if not missing(wanted, latest):
                return latest, warning
        except EceError as error:
            # Before the first answer, the options may be wrong; after it, the platform is having a bad time.
            if not wanted or (latest is None and not may_pass(error)):
                raise
            failure = error
        if time.monotonic() >= deadline:
            raise PlatformError(timeout_message(params["wait_timeout"], missing(wanted, latest or []), latest, failure))
        time.sleep(min(params["wait_interval"], max(0, deadline - time.monotonic())))


def may_pass(error: EceError) -> bool:
    """Return whether waiting may help: not with credentials, an address or a CA certificate that are wrong."""
    passing = (EceConnectionError, EceProtocolError, EceApiError)
    return isinstance(error, passing) and not isinstance(error, EceAuthError)


def missing(wanted: Sequence[str] | None, allocators: Sequence[FlatAllocator]) -> list[str]:
    """Return those of the wanted ids that are not connected."""
    connected = {allocator["allocator_id"] for allocator in allocators if allocator["connected"]}
    return [allocator_id for allocator_id in wanted or [] if allocator_id not in connected]


def timeout_message(
    seconds: int, names: Sequence[str], latest: Sequence[FlatAllocator] | None, failure: EceError | None
) -> str:
    """Return why the wait has ended. latest: the last list; None without any. failure: of the last request."""
    if latest is None:
        message = f"after {seconds} s it is not known whether these allocators are connected: {', '.join(names)}"
    else:
        known = {allocator["allocator_id"] for allocator in latest}
        states = [f"{name} ({'not connected' if name in known else 'unknown'})" for name in names]
        message = f"after {seconds} s these allocators are not connected: {', '.join(states)}"
    return f"{message}; the last request failed: {failure}" if failure else message


def tag_value(value: Any) -> str:
    """The value of a tag as the platform has it: a string, and a YAML boolean in lower case, as ece_install sets it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def run(module: AnsibleModule, client: EceClient) -> dict[str, Any]:
    """Return the result of the module."""
    params = module.params
    check_options(params)
    allocators, warning = wait_for_allocators(params, client)
    if warning:
        module.warn(warning)
    matching = filter_allocators(
        allocators,
        allocator_ids=params["allocator_ids"],
        zones=params["zones"],
        tags={key: tag_value(value) for key, value in params["tags"].items()} if params["tags"] is not None else None,
        connected=params["connected"],
        maintenance_mode=params["maintenance_mode"],
    )
    return {"changed": False, "allocators": matching, "summary": summarise(matching)}


def main() -> None:
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
