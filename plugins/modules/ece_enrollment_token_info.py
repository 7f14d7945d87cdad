#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_enrollment_token_info
short_description: List the enrollment tokens of an ECE platform
version_added: 1.0.0
description:
  - Lists the persistent enrollment tokens of the platform with their ids and roles.
  - The platform lists neither the tokens themselves nor ephemeral tokens.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.connection
  - ece.platform.attributes
  - ece.platform.attributes.actiongroup_ece
  - ece.platform.attributes.info_module
seealso:
  - module: ece.platform.ece_enrollment_token
"""

EXAMPLES = r"""
- name: List the persistent tokens
  ece.platform.ece_enrollment_token_info:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
  register: tokens
"""

RETURN = r"""
enrollment_tokens:
  description: The persistent tokens, sorted by id.
  returned: success
  type: list
  elements: dict
  contains:
    token_id:
      description: The id of the token, with which M(ece.platform.ece_enrollment_token) revokes it.
      type: str
      sample: 4c8990df-0000-4000-8000-000000000002
    roles:
      description: The roles that hosts can have with the token, sorted.
      type: list
      elements: str
      sample: [allocator]
  sample:
    - token_id: 4c8990df-0000-4000-8000-000000000002
      roles: [allocator]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._enrollment import token_roles
from ansible_collections.ece.platform.plugins.module_utils._module import run_api_module


def run(module: AnsibleModule, client: EceClient) -> dict[str, Any]:
    """Return the result of the module."""
    tokens = [{"token_id": token["token_id"], "roles": token_roles(token)} for token in client.enrollment_tokens()]
    return {"changed": False, "enrollment_tokens": sorted(tokens, key=lambda token: str(token["token_id"]))}


def main() -> None:
    run_api_module({}, run)


if __name__ == "__main__":
    main()
