#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_join_token
short_description: Mint or revoke the enrollment token of a batch (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host#role). It may change or go in any release."
  - With O(state=present), mints one token for exactly the roles of the batch's hosts that are to install, for no longer
    than the batch may take.
  - Mints none where no host needs one, and where too many hosts of this or of an earlier batch have failed.
  - Shows the warnings of the checks first, each sentence once for all hosts that it is about.
  - With O(state=absent), revokes the token if it is persistent. The result, registered under the same name, takes the
    place of the one that has the token, which this step reads from there itself.
  - Then it also revokes persistent tokens of earlier runs that the records of installations on hosts name, unless an
    installer may still need them.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
  - ece.platform.role_step
  - ece.platform.role_step.plan
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
  idempotent:
    support: full
options:
  state:
    description:
      - Whether to mint or to revoke.
    type: str
    choices: [present, absent]
    required: true
"""

EXAMPLES = r"""
- name: Mint the token
  ece.platform.ece_join_token:
    state: present
    plan: "{{ __ece_host_plan }}"
  run_once: true
  no_log: true
  register: __ece_host_token

- name: Revoke the token
  ece.platform.ece_join_token:
    state: absent
    plan: "{{ __ece_host_plan }}"
  run_once: true
  register: __ece_host_token
"""

RETURN = r"""
token:
  description: The token; V(null) in check mode, where no host needs one, and where RV(reason) is set.
  returned: with O(state=present)
  type: str
  sample: "********"
reason:
  description: Why no installer may start; V(null) where they may.
  returned: always
  type: str
  sample: "there is no token to join with: POST enrollment-tokens answered HTTP 403"
request:
  description: What the token permits; V(null) where no host needs one.
  returned: always
  type: dict
  contains:
    roles:
      description: Roles that the token permits.
      type: list
      elements: str
    persistent:
      description: Whether the token is valid until it is revoked.
      type: bool
    validity_seconds:
      description: How long the token is valid, in seconds; V(null) for a persistent one.
      type: int
  sample: {roles: [allocator], persistent: false, validity_seconds: 2120}
latest_start:
  description: Until when an installer may start, in seconds since 1970; V(null) for a persistent token.
  returned: with O(state=present)
  type: float
  sample: 1893456260.5
token_id:
  description: Id of a persistent token; V(null) for an ephemeral one.
  returned: always
  type: str
  sample: dcc8cd5f
watchdog:
  description: Process that revokes a persistent token when the run ends without doing so; V(null) for an ephemeral one.
  returned: with O(state=present)
  type: dict
  contains:
    pid:
      description: Process id.
      type: int
    name:
      description: Argument that tells the process from any other.
      type: str
  sample: {pid: 4711, name: 0123456789abcdef}
minted:
  description: Whether a token was minted.
  returned: with O(state=absent)
  type: bool
  sample: true
error:
  description: Why a persistent token is not revoked, as a sentence; V(null) where it is.
  returned: with O(state=absent)
  type: str
  sample: "token dcc8cd5f could not be revoked: check that it is gone, or revoke it by hand (HTTP 500)"
made_at:
  description: RV(ece.platform.ece_join_plan#module:made_at), to distinguish results of several plans.
  returned: with O(state=absent)
  type: float
  sample: 1893456000.5
old_tokens:
  description: Mapping of ids of persistent tokens to the roles and hosts that installed with them in earlier runs.
  returned: with O(state=absent)
  type: dict
  sample: {}
"""
