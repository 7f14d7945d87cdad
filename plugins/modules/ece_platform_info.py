#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_platform_info
short_description: Look at an ECE platform as a whole
version_added: 1.0.0
description:
  - Returns version, services and regions of the platform; with O(gather) also its proxies, roles and license.
  - Secrets that the API gives along with proxies and roles are never returned.
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
      - What to ask for beyond the platform itself.
    type: list
    elements: str
    choices: [license, proxies, roles]
    default: []
seealso:
  - module: ece.platform.ece_allocator_info
"""

EXAMPLES = r"""
- name: Which version does the platform run
  ece.platform.ece_platform_info:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
  register: ece
"""

RETURN = r"""
version:
  description: Version of ECE that the platform runs.
  returned: success
  type: str
  sample: 3.8.0
platform:
  description: The platform as the API gives it (C(GET /platform)), without secrets.
  returned: success
  type: dict
  sample: {version: 3.8.0, eula_accepted: true, phone_home_enabled: false, services: [], regions: [], unreachable_regions: []}
totals:
  description: Numbers of allocators and runners by the platform's own count, V(null) where it is silent.
  returned: success
  type: dict
  sample: {allocators: 120, runners: 123}
proxies:
  description: The proxies (C(GET /platform/infrastructure/proxies)), without secrets.
  returned: O(gather) has V(proxies)
  type: dict
  sample: {proxies: [], settings: {}}
roles:
  description: The roles (C(GET /platform/infrastructure/blueprinter/roles)), without secrets.
  returned: O(gather) has V(roles)
  type: list
  elements: dict
  sample: [{id: allocator}]
license:
  description: The license, without its signature; V(null) where none is installed.
  returned: O(gather) has V(license)
  type: dict
  sample: {type: enterprise}
"""


from ansible_collections.ece.platform.plugins.module_utils._module import run_api_module
from ansible_collections.ece.platform.plugins.module_utils._records import platform_totals, without_secrets


def run(module, client):
    """The result of the module."""
    platform = client.platform()
    result = {
        "changed": False,
        "version": platform["version"],
        "platform": without_secrets(platform),
        "totals": platform_totals(platform),
    }
    asks = {"license": client.license, "proxies": client.proxies, "roles": client.blueprinter_roles}
    for part in sorted(set(module.params["gather"])):
        result[part] = without_secrets(asks[part]())
    return result


def main():
    run_api_module(
        {"gather": {"type": "list", "elements": "str", "choices": ["license", "proxies", "roles"], "default": []}}, run
    )


if __name__ == "__main__":
    main()
