#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_awx_objects
short_description: Describe the objects that AWX needs (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of playbook C(ece.platform.awx_setup). It may change or go in any release."
  - Checks the variables of the playbook and whether the collection awx.awx is installed, before anything is changed.
  - Reads the variables of the host, wherever they are set.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
attributes:
  action:
    description: Runs on the controller.
    support: full
  check_mode:
    support: full
  diff_mode:
    support: N/A
  idempotent:
    support: full
options: {}
"""

EXAMPLES = r"""
- name: Check the variables
  ece.platform.ece_awx_objects:
  register: described
"""

RETURN = r"""
objects:
  description:
    - The objects, as C(extensions/awx) and the variables describe them. None of them holds a secret.
  returned: success
  type: dict
  contains:
    organization:
      description: Name of the organization.
      type: str
    login:
      description: Whether the variables hold the values of the credential.
      type: bool
    ca_path:
      description: Absolute path of the CA certificate, V(null) without one.
      type: str
    update_secrets:
      description: Whether to send secrets that AWX has already.
      type: bool
    credential_type:
      description: Mapping of options to values of the credential type.
      type: dict
    credential:
      description: Mapping of options to values of the credential, without its inputs.
      type: dict
    project:
      description: Mapping of options to values of the project.
      type: dict
    inventory:
      description: Mapping of options to values of the inventory.
      type: dict
    execution_environment:
      description: Mapping of options to values of the execution environment. V(null) for that of the project or of AWX.
      type: dict
    job_templates:
      description: Mapping of options to values, for each job template.
      type: list
      elements: dict
    workflow:
      description: Mapping of options to values of the workflow job template.
      type: dict
    nodes:
      description: Mapping of options to values, for each node of the workflow. A node follows those that it leads to.
      type: list
      elements: dict
  sample:
    organization: Default
    login: true
    execution_environment: null
"""
