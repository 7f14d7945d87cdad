#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Documentation only: the code is the action plugin of the same name, because this runs in the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_host_start
short_description: Start the installer on a host, unless its token is too old for that
version_added: 1.1.0
description:
  - Runs M(ece.platform.ece_install) on the host, without waiting for the installer's end, and hands it the installer where that is a file in the controller.
  - Starts nothing where the token would expire before the installer's time is over, and says so with RV(late).
  - Belongs to role P(ece.platform.ece_host#role).
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
attributes:
  action:
    description: Looks at token and installer in the controller, then runs M(ece.platform.ece_install) on the host.
    support: full
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  need:
    description:
      - The result of M(ece.platform.ece_host_token).
    type: dict
    required: true
  minted:
    description:
      - The result of M(ece.platform.ece_host_mint).
    type: dict
    required: true
  install:
    description:
      - Options of M(ece.platform.ece_install).
    type: dict
    required: true
  installer_src:
    description:
      - The installer as a file in the controller.
    type: path
seealso:
  - module: ece.platform.ece_install
"""

EXAMPLES = r"""
- name: Start the installer
  ece.platform.ece_host_start:
    need: "{{ need }}"
    minted: "{{ minted }}"
    installer_src: elastic-cloud-enterprise.sh
    install:
      coordinator_host: ece.example.com
      timeout: 1800
  become: true
  register: started
"""

RETURN = r"""
late:
  description: Whether nothing was started because the token is too old.
  returned: then
  type: bool
  sample: true
msg:
  description: What was done.
  returned: success
  type: str
  sample: the installer runs
log:
  description: File on the host with the installer's output, without the token.
  returned: when it was started
  type: str
  sample: /mnt/data/elastic/logs/ece-install/output.log
record:
  description: File on the host that tells how the installer stands.
  returned: when it was started
  type: str
  sample: /mnt/data/elastic/logs/ece-install/record.json
"""
