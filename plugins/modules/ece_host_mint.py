#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: the code is the action plugin of the same name, because this runs in the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_host_mint
short_description: Mint the enrollment token of a batch of hosts
version_added: 1.1.0
description:
  - Mints what M(ece.platform.ece_host_token) found to be needed, as M(ece.platform.ece_enrollment_token) does, but within the controller's own process.
  - A persistent token is minted by a process of its own, its keeper, which revokes the token as soon as the run is gone without having done so itself,
    as after Ctrl-C or SIGKILL. The keeper ends with M(ece.platform.ece_host_revoke), or with the machine or container that it runs in.
  - Belongs to role P(ece.platform.ece_host#role). Use it with C(run_once) and C(no_log=true).
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.connection
  - ece.platform.attributes
  - ece.platform.attributes.actiongroup_ece
attributes:
  action:
    description: Runs in the controller; no host is contacted.
    support: full
  check_mode:
    support: partial
    details:
      - No token is minted, so RV(token) is V(null).
  diff_mode:
    support: none
    details:
      - A token is a secret; nothing of it is shown.
  idempotent:
    support: none
    details:
      - Each run mints another token, because the platform never shows one again.
options:
  need:
    description:
      - The result of M(ece.platform.ece_host_token).
    type: dict
    required: true
seealso:
  - module: ece.platform.ece_enrollment_token
  - module: ece.platform.ece_host_revoke
"""

EXAMPLES = r"""
- name: Mint one enrollment token
  ece.platform.ece_host_mint:
    need: "{{ need }}"
  run_once: true
  no_log: true
  register: minted
"""

RETURN = r"""
token:
  description: The token; V(null) in check mode.
  returned: success
  type: str
  sample: VALUE_SPECIFIED_IN_NO_LOG_PARAMETER
token_id:
  description: Id to revoke a persistent token with; V(null) for an ephemeral one.
  returned: success
  type: str
  sample: 4c8990df-0000-4000-8000-000000000002
expires_at:
  description: When an ephemeral token ends, in UTC; V(null) for a persistent one.
  returned: success
  type: str
  sample: "2030-01-01T00:00:00Z"
minted_at:
  description: When it was minted, in UTC, by the clock of the controller; V(null) in check mode.
  returned: success
  type: str
  sample: "2029-12-31T23:00:00Z"
roles:
  description: Roles in the token.
  returned: success
  type: list
  elements: str
  sample: [allocator]
keeper:
  description: The process that revokes a persistent token when the run is gone, for M(ece.platform.ece_host_revoke).
  returned: for a persistent token
  type: dict
  sample: {pid: 4711, name: 1f0c6f6d9a0b7c3e}
"""
