#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_platform_info
short_description: Gather information about an ECE platform
version_added: 1.0.0
description:
  - Returns version, services, regions and counts of the platform, and with O(gather) its license, proxies and roles.
  - The API returns secrets of proxies, roles and license. The module leaves out what is one by its name, such as
    C(cookie_secret), C(KEYSTORE_PASSWORD=) in a list of variables or C(-Dzk.password=) in a text, or by its form, such
    as a token or an address with a password. It cannot recognise a secret whose name and form do not show it, so treat
    the result of O(gather=roles), which holds free text of operators, as confidential.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.connection
  - ece.platform.attributes
  - ece.platform.attributes.actiongroup_ece
  - ece.platform.attributes.info_module
options:
  gather:
    description:
      - What to return in addition to the platform itself.
    type: list
    elements: str
    choices: [license, proxies, roles]
    default: []
seealso:
  - module: ece.platform.ece_allocator_info
  - module: ece.platform.ece_runner_info
"""

EXAMPLES = r"""
- name: Get the version of the platform
  ece.platform.ece_platform_info:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
  register: ece
"""

RETURN = r"""
version:
  description: The version of ECE that the platform runs.
  returned: success
  type: str
  sample: 3.8.0
platform:
  description:
    - The platform in the format of the API (C(PlatformInfo) of C(GET /platform)), without secrets.
    - Fields that the API leaves out are missing.
  returned: success
  type: dict
  contains:
    version:
      description: The version of ECE that the platform runs.
      type: str
      sample: 3.8.0
    eula_accepted:
      description: Whether the end user license agreement is accepted.
      type: bool
      sample: true
    phone_home_enabled:
      description: Whether the platform reports usage data to Elastic.
      type: bool
      sample: false
    services:
      description: The services of the platform.
      type: list
      elements: dict
      contains:
        type:
          description: The name of the service.
          type: str
          sample: adminconsole
        image:
          description: Its container images, in the format of the API (C(PlatformServiceImageInfo)).
          type: list
          elements: dict
          sample: []
      sample: []
    regions:
      description: The regions of the platform, usually one.
      type: list
      elements: dict
      contains:
        region_id:
          description: The id of the region.
          type: str
          sample: ece-region
        allocators:
          description: Counts and memory of the allocators by zone, in the format of the API (C(AllocatorsSummary)).
          type: dict
          sample: {healthy: true, zone_summaries: []}
        runners:
          description: Counts of the runners, in the format of the API (C(RunnersSummary)).
          type: dict
          sample: {healthy: true, total_runners: 123}
        proxies:
          description: Counts of the proxies, in the format of the API (C(ProxiesSummary)).
          type: dict
          sample: {healthy: true, proxies_count: 2}
        coordinators:
          description: The coordinators, in the format of the API (C(CoordinatorsSummary)).
          type: dict
          sample: {coordinators: []}
        constructors:
          description: The constructors, in the format of the API (C(ConstructorOverview)).
          type: dict
          sample: {constructors: []}
        zookeeper_states:
          description: The states of the ZooKeeper nodes, in the format of the API (C(ZookeeperSummary)).
          type: dict
          sample: {states: []}
        container_sets_status:
          description: Counts of the container sets, in the format of the API (C(ContainerSetsSummary)).
          type: dict
          sample: {healthy: true}
        resources:
          description: Counts of the resources, in the format of the API (C(PlatformResourcesSummary)).
          type: dict
          sample: {healthy: true}
      sample: []
    unreachable_regions:
      description: Regions that the coordinator cannot reach.
      type: list
      elements: dict
      contains:
        region_id:
          description: The id of the region.
          type: str
          sample: ece-region
      sample: []
  sample:
    version: 3.8.0
    eula_accepted: true
    phone_home_enabled: false
    services: []
    regions: []
    unreachable_regions: []
totals:
  description: Numbers of allocators and runners by the platform's own count.
  returned: success
  type: dict
  contains:
    allocators:
      description: Number of allocators, V(null) if the platform does not report it.
      type: int
      sample: 120
    runners:
      description: Number of runners, V(null) if the platform does not report it.
      type: int
      sample: 123
  sample: {allocators: 120, runners: 123}
proxies:
  description:
    - The proxies in the format of the API (C(ProxyOverview) of C(GET /platform/infrastructure/proxies)), without
      secrets.
    - Fields that the API leaves out are missing.
  returned: O(gather) has V(proxies)
  type: dict
  contains:
    proxies_count:
      description: Number of proxies.
      type: int
      sample: 1
    proxies:
      description: The proxies.
      type: list
      elements: dict
      contains:
        proxy_id:
          description: The id of the proxy.
          type: str
          sample: 10.0.0.9
        runner_id:
          description: The id of its runner.
          type: str
          sample: 10.0.0.9
        host_ip:
          description: The IP address of its host.
          type: str
          sample: 10.0.0.9
        public_hostname:
          description: The name under which its host is reached.
          type: str
          sample: host-9.example.com
        zone:
          description: The zone of the proxy.
          type: str
          sample: ece-zone-1
        healthy:
          description: Whether the platform reports the proxy as healthy.
          type: bool
          sample: true
        metadata:
          description: Mapping of names to values that the proxy reports about itself.
          type: dict
          sample: {}
        allocations:
          description: Counts of the proxied instances, in the format of the API (C(ProxyAllocationInfo)).
          type: list
          elements: dict
          sample: []
      sample:
        - proxy_id: 10.0.0.9
          healthy: true
    settings:
      description: Settings of all proxies, in the format of the API (C(ProxiesSettings)), without secrets.
      type: dict
      sample: {}
  sample: {proxies_count: 1, proxies: [{proxy_id: 10.0.0.9, healthy: true}], settings: {}}
roles:
  description:
    - The roles in the format of the API (C(RoleAggregate) of C(GET /platform/infrastructure/blueprinter/roles)),
      without secrets.
    - Fields that the API leaves out are missing.
  returned: O(gather) has V(roles)
  type: list
  elements: dict
  contains:
    id:
      description: The name of the role.
      type: str
      sample: allocator
    role:
      description: The definition of the role, in the format of the API (C(RoleWithMeta)).
      type: dict
      sample: {}
    blessings:
      description: The runners that are permitted to have the role, in the format of the API (C(BlessingsWithMeta)).
      type: dict
      sample: {}
    pending:
      description: The runners that wait for the role, in the format of the API (C(PendingStatesWithMeta)).
      type: dict
      sample: {}
  sample: [{id: allocator}]
license:
  description:
    - The license in the format of the API (C(LicenseInfo) of C(GET /platform/license)), without its signature.
    - V(null) if no license is installed. Fields that the API leaves out are missing.
  returned: O(gather) has V(license)
  type: dict
  contains:
    type:
      description: The type of the license.
      type: str
      sample: enterprise
    subscription_type:
      description: The type of the subscription.
      type: str
      sample: enterprise
    version:
      description: The version of the license format.
      type: int
      sample: 5
    uid:
      description: The id of the license.
      type: str
      sample: 00000000-0000-4000-8000-000000000003
    issuer:
      description: The issuer of the license.
      type: str
      sample: API
    issued_to:
      description: The owner of the license.
      type: str
      sample: Example Inc.
    issue_date_in_millis:
      description: When the license was issued, in milliseconds since 1970.
      type: int
      sample: 1767225600000
    start_date_in_millis:
      description: When the license starts, in milliseconds since 1970.
      type: int
      sample: 1767225600000
    expiry_date_in_millis:
      description: When the license expires, in milliseconds since 1970.
      type: int
      sample: 1893455999999
    max_resource_units:
      description: Number of licensed resource units of 64 GB memory.
      type: int
      sample: 10
    max_allocators:
      description: Number of licensed allocators, in old license formats.
      type: int
      sample: 10
    max_ram_per_allocator_mb:
      description: Licensed memory of an allocator in MB, in old license formats.
      type: int
      sample: 262144
    max_instances:
      description: Number of licensed instances, in old license formats.
      type: int
      sample: 10
    operation_mode:
      description: The operation mode of the license.
      type: str
      sample: enterprise
    cluster_licenses:
      description: Licenses for clusters, in the format of the API (C(ClusterLicenseInfo)), without their signatures.
      type: list
      elements: dict
      sample: []
  sample: {type: enterprise, expiry_date_in_millis: 1893455999999, max_resource_units: 10}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._module import run_api_module
from ansible_collections.ece.platform.plugins.module_utils._records import platform_totals, without_secrets


def run(module: AnsibleModule, client: EceClient) -> dict[str, Any]:
    """Return the result of the module."""
    platform = client.platform()
    result = {
        "changed": False,
        "version": platform["version"],
        "platform": without_secrets(platform),
        "totals": platform_totals(platform),
    }
    operations = {"license": client.license, "proxies": client.proxies, "roles": client.blueprinter_roles}
    for part in sorted(set(module.params["gather"])):
        result[part] = without_secrets(operations[part]())
    return result


def main() -> None:
    run_api_module(
        {"gather": {"type": "list", "elements": "str", "choices": ["license", "proxies", "roles"], "default": []}}, run
    )


if __name__ == "__main__":
    main()
