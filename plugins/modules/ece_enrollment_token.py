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
  - Mints a token with which new hosts join the platform (the C(--roles-token) of C(elastic-cloud-enterprise.sh install)), or revokes a persistent one.
  - The token is decoded without verifying it, so that its roles and its end are known; a token that is not what was asked for is an error.
  - A request whose answer is lost is not repeated. Where it was for a persistent token, the platform's list from before is compared with that
    from after, and the one token that is new and has the roles asked for is revoked. Plays of one machine or container take turns with such requests. Where
    there are several such tokens, they are named in the error and none is touched.
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
      - A token is a secret; nothing of it is shown.
  idempotent:
    support: partial
    details:
      - With O(state=present) each run mints another token, because the platform never shows one again. O(state=absent) is idempotent.
options:
  state:
    description:
      - V(present) mints a token, V(absent) revokes the one with O(token_id).
    type: str
    choices: [present, absent]
    default: present
  roles:
    description:
      - Roles a host may take with the token. Required with O(state=present).
    type: list
    elements: str
    choices: [allocator, coordinator, director, proxy]
  persistent:
    description:
      - Mint a token that never expires and has to be revoked. Otherwise it is ephemeral and cannot be revoked.
    type: bool
    default: false
  validity_in_seconds:
    description:
      - Seconds for which an ephemeral token is valid, up to 2147483647. The platform's default is 3600.
    type: int
  token_id:
    description:
      - Id of the persistent token to revoke. Required with O(state=absent). The token itself is not taken, because it would end in access logs.
    type: str
notes:
  - RV(token) is a secret. Register it in a task with C(no_log=true).
seealso:
  - module: ece.platform.ece_enrollment_token_info
  - module: ece.platform.ece_install
"""

EXAMPLES = r"""
- name: Mint a token for allocators, valid for half an hour
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
  description: The token; V(null) in check mode.
  returned: O(state=present)
  type: str
  sample: VALUE_SPECIFIED_IN_NO_LOG_PARAMETER
token_id:
  description: Id to revoke a persistent token with; V(null) for an ephemeral one.
  returned: success
  type: str
  sample: 4c8990df-0000-4000-8000-000000000002
expires_at:
  description: When an ephemeral token ends, in UTC; V(null) for a persistent one.
  returned: O(state=present)
  type: str
  sample: "2030-01-01T00:00:00Z"
minted_at:
  description: When it was minted, in UTC, by the clock of the machine that asked for it; V(null) in check mode.
  returned: O(state=present)
  type: str
  sample: "2029-12-31T23:00:00Z"
roles:
  description: Roles in the token.
  returned: O(state=present)
  type: list
  elements: str
  sample: [allocator]
"""

from ansible_collections.ece.platform.plugins.module_utils import _enrollment as enrollment
from ansible_collections.ece.platform.plugins.module_utils._ece import ROLES
from ansible_collections.ece.platform.plugins.module_utils._enrollment import TOKEN_VALIDITY_MAX_SECONDS
from ansible_collections.ece.platform.plugins.module_utils._errors import OptionError
from ansible_collections.ece.platform.plugins.module_utils._module import run_api_module


def check_options(params):
    """Raises OptionError with one sentence."""
    validity = params["validity_in_seconds"]
    if params["state"] == "absent":
        if not (params["token_id"] or "").strip():
            raise OptionError(
                "token_id is empty: give the id of the token to revoke, as ece_enrollment_token_info lists it"
            )
        if params["token_id"].count(".") == 2:
            raise OptionError(
                "token_id holds a token, which would end in the coordinator's access log: give its id, as ece_enrollment_token_info lists it"
            )
    elif not params["roles"]:
        raise OptionError("roles is empty: give the roles that hosts may take with the token, like [allocator]")
    elif validity is not None and params["persistent"]:
        raise OptionError(f"validity_in_seconds {validity} goes with ephemeral tokens only: drop it, or persistent")
    elif validity is not None and not 0 < validity <= TOKEN_VALIDITY_MAX_SECONDS:
        raise OptionError(f"validity_in_seconds {validity} is not possible: use 1 to {TOKEN_VALIDITY_MAX_SECONDS}")


def mint(module, client):
    """One token, or an error; never a second try once the request was sent."""
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
    return {
        "changed": True,
        **enrollment.mint(client, params["roles"], params["persistent"], params["validity_in_seconds"]),
    }


def revoke(module, client):
    """Idempotent: a token that is gone already is no change."""
    token_id = module.params["token_id"]
    if module.check_mode:
        return {
            "changed": any(token["token_id"] == token_id for token in client.enrollment_tokens()),
            "token_id": token_id,
        }
    return {"changed": enrollment.revoke(client, token_id), "token_id": token_id}


def run(module, client):
    """The result of the module."""
    check_options(module.params)
    return mint(module, client) if module.params["state"] == "present" else revoke(module, client)


def main():
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
