#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: the code is the action plugin of the same name, because this runs in the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_host_revoke
short_description: Revoke the persistent enrollment token of a batch of hosts
version_added: 1.1.0
description:
  - Revokes the token and ends its keeper. Where the platform does not let it, the error says so and the keeper goes on trying after the run.
  - Belongs to role P(ece.platform.ece_host#role). Use it with C(run_once).
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
    support: none
    details:
      - There is nothing to revoke in check mode, because nothing was minted.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  token_id:
    description:
      - Id of the token, of M(ece.platform.ece_host_mint).
    type: str
    required: true
  keeper:
    description:
      - Its keeper, of the same result.
    type: dict
seealso:
  - module: ece.platform.ece_enrollment_token
  - module: ece.platform.ece_host_mint
"""

EXAMPLES = r"""
- name: Revoke the token
  ece.platform.ece_host_revoke:
    token_id: "{{ minted.token_id }}"
    keeper: "{{ minted.keeper }}"
  run_once: true
"""

RETURN = r"""
token_id:
  description: Id of the token.
  returned: success
  type: str
  sample: 4c8990df-0000-4000-8000-000000000002
"""
