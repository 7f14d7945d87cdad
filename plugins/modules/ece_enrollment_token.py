#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_enrollment_token
short_description: Mint or revoke an enrollment token of an ECE platform
version_added: 1.0.0
description:
  - Mints an enrollment token, with which hosts join the platform (C(--roles-token) of
    C(elastic-cloud-enterprise.sh install)), or revokes a persistent one.
  - The module reads the roles and the expiry in the token, without verifying its signature. A token that differs from
    the request is an error, and is revoked if it is persistent.
  - The module never repeats a request whose answer was lost. If the request was for a persistent token, the module
    compares the platform's list of tokens with the one from before the request. If there is exactly one new token with
    the requested roles, it is revoked. If there are several, the error message names them and none is revoked.
  - Plays on one machine or in one container request persistent tokens one after the other, so that they do not confuse
    each other's tokens. A play that has waited for 30 seconds goes on with a warning. If an answer is lost then, new
    tokens are named and none is revoked.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.connection
  - ece.platform.attributes
  - ece.platform.attributes.actiongroup_ece
attributes:
  check_mode:
    support: partial
    details:
      - With O(state=present) no token is minted, so RV(token) is V(null).
  diff_mode:
    support: none
    details:
      - A token is a secret, so no part of it is shown.
  idempotent:
    support: partial
    details:
      - With O(state=present) each run mints another token, because the platform shows a token only once.
        O(state=absent) is idempotent.
options:
  state:
    description:
      - With V(present), a token is minted. With V(absent), the token with O(token_id) is revoked.
    type: str
    choices: [present, absent]
    default: present
  roles:
    description:
      - Roles that hosts can have with the token. Required with O(state=present).
    type: list
    elements: str
    choices: [allocator, coordinator, director, proxy]
  persistent:
    description:
      - With V(true), the token never expires and has to be revoked. With V(false), the token is ephemeral, which means
        that it expires and cannot be revoked.
    type: bool
    default: false
  validity_in_seconds:
    description:
      - Number of seconds for which an ephemeral token is valid, at most 2147483647. The platform's default is 3600.
    type: int
  token_id:
    description:
      - The id of the persistent token to revoke. Required with O(state=absent). The module does not accept the token
        itself, because it would end in the coordinator's access log.
    type: str
notes:
  - RV(token) is a secret. Set C(no_log=true) for a task that registers it.
seealso:
  - module: ece.platform.ece_enrollment_token_info
  - module: ece.platform.ece_install
"""

EXAMPLES = r"""
- name: Mint a token for allocators that is valid for half an hour
  ece.platform.ece_enrollment_token:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    roles: [allocator]
    validity_in_seconds: 1800
  register: minted
  no_log: true

- name: Revoke a persistent token
  ece.platform.ece_enrollment_token:
    url: https://ece.example.com:12443
    ca_path: /etc/ece/ca.pem
    state: absent
    token_id: 4c8990df-0000-4000-8000-000000000002
"""

RETURN = r"""
token:
  description: The token, V(null) in check mode.
  returned: O(state=present)
  type: str
  sample: VALUE_SPECIFIED_IN_NO_LOG_PARAMETER
token_id:
  description: The id with which a persistent token can be revoked, V(null) for an ephemeral token and in check mode.
  returned: success
  type: str
  sample: 4c8990df-0000-4000-8000-000000000002
expires_at:
  description: When an ephemeral token expires, in UTC. V(null) for a persistent token and in check mode.
  returned: O(state=present)
  type: str
  sample: "2030-01-01T00:00:00Z"
minted_at:
  description:
    - When the token was minted, in UTC, by the clock of the machine that runs the module. V(null) in check mode.
  returned: O(state=present)
  type: str
  sample: "2029-12-31T23:00:00Z"
roles:
  description: The roles in the token, sorted.
  returned: O(state=present)
  type: list
  elements: str
  sample: [allocator]
"""

from typing import Any, Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils import _enrollment as enrollment
from ansible_collections.ece.platform.plugins.module_utils._client import EceClient
from ansible_collections.ece.platform.plugins.module_utils._ece import ROLES
from ansible_collections.ece.platform.plugins.module_utils._enrollment import TOKEN_VALIDITY_MAX_SECONDS
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._module import run_api_module


def check_options(params: Mapping[str, Any]) -> None:
    """Raises OptionError for options that cannot work."""
    if params["state"] == "absent":
        _check_token_id(params["token_id"] or "")
        return
    validity = params["validity_in_seconds"]
    if not params["roles"]:
        raise OptionError("roles is empty: give the roles that hosts can have with the token, like [allocator]")
    if validity is not None and params["persistent"]:
        raise OptionError(f"validity_in_seconds {validity} goes with ephemeral tokens only: drop it, or persistent")
    if validity is not None and not 0 < validity <= TOKEN_VALIDITY_MAX_SECONDS:
        raise OptionError(f"validity_in_seconds {validity} is not possible: use 1 to {TOKEN_VALIDITY_MAX_SECONDS}")


def _check_token_id(token_id: str) -> None:
    if not token_id.strip():
        raise OptionError(
            "token_id is empty: give the id of the token to revoke, as ece_enrollment_token_info lists it"
        )
    if token_id.count(".") == 2:
        raise OptionError(
            "token_id holds a token, which would end in the coordinator's access log: "
            "give its id, as ece_enrollment_token_info lists it"
        )


def mint(module: AnsibleModule, client: EceClient) -> dict[str, Any]:
    """Mint one token and return the result."""
    params = module.params
    if module.check_mode:
        return {
            "changed": True,
            "token": None,
            "token_id": None,
            "expires_at": None,
            "minted_at": None,
            "roles": sorted(set(params["roles"])),
        }
    request: enrollment.TokenRequest = {
        "roles": params["roles"],
        "persistent": params["persistent"],
        "validity_seconds": params["validity_in_seconds"],
    }
    minted = enrollment.mint(client, request)
    for warning in minted["warnings"]:
        module.warn(warning)
    return {
        "changed": True,
        "token": minted["token"],
        "token_id": minted["token_id"],
        "expires_at": enrollment.utc(minted["expires_at"]),
        "minted_at": enrollment.utc(minted["minted_at"]),
        "roles": minted["roles"],
    }


def revoke(module: AnsibleModule, client: EceClient) -> dict[str, Any]:
    """Revoke one token and return the result. A token that does not exist is not a change."""
    token_id = module.params["token_id"]
    if module.check_mode:
        changed = any(token["token_id"] == token_id for token in client.enrollment_tokens())
    else:
        changed = enrollment.revoke(client, token_id)
    return {"changed": changed, "token_id": token_id}


def run(module: AnsibleModule, client: EceClient) -> dict[str, Any]:
    """Return the result of the module."""
    check_options(module.params)
    return mint(module, client) if module.params["state"] == "present" else revoke(module, client)


def main() -> None:
    run_api_module(
        {
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "roles": {"type": "list", "elements": "str", "choices": list(ROLES)},
            "persistent": {"type": "bool", "default": False},
            "validity_in_seconds": {"type": "int"},
            "token_id": {"type": "str", "no_log": False},
        },
        run,
        required_if=[("state", "present", ("roles",)), ("state", "absent", ("token_id",))],
    )


if __name__ == "__main__":
    main()
