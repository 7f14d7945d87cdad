#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type  # the host's Python may be 3.6, which has no annotations import

DOCUMENTATION = r"""
module: ece_preparation_login
short_description: Write the install user's login at a registry (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host_preparation#role). It may change or go in any release."
  - Its action reads the variables of the role, so that no argument of the task has the password.
  - Writes C(.docker/config.json) in the home folder of the install user, and keeps what else it has.
author:
  - The ece.platform authors (@ece-platform)
extends_documentation_fragment:
  - ece.platform.attributes
attributes:
  action:
    description: Reads the role's variables on the controller.
    support: full
  check_mode:
    support: full
  diff_mode:
    support: none
    details: A diff would show the password.
  idempotent:
    support: full
options:
  user:
    description: The install user.
    type: str
    required: true
  docker_registry:
    description: The registry. The default is C(docker.elastic.co). The action reads it itself.
    type: str
  docker_registry_username:
    description: User name at the registry. The action reads it itself.
    type: str
  docker_registry_password:
    description: Password at the registry. The action reads it itself.
    type: str
"""

EXAMPLES = r"""
- name: Write the login at the registry
  ece.platform.ece_preparation_login:
    user: elastic
  become: true
"""

RETURN = r"""
path:
  description: The file with the login.
  returned: when the user exists
  type: str
  sample: /home/elastic/.docker/config.json
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._errors import HostError, OptionError
from ansible_collections.ece.platform.plugins.module_utils._host_process import find_user
from ansible_collections.ece.platform.plugins.module_utils._registry_login import check_login, write_login


def main() -> None:
    """Run the module."""
    spec = {
        "user": {"type": "str", "required": True},
        "docker_registry": {"type": "str"},
        "docker_registry_username": {"type": "str"},
        "docker_registry_password": {"type": "str", "no_log": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    user = find_user(module.params["user"])
    if user:
        try:
            check_login(module.params, "ece_host_")
            changed = write_login(module.params, user, module.check_mode)
        except (HostError, OptionError) as error:
            module.fail_json(msg=str(error))
        module.exit_json(changed=changed, path=os.path.join(user.home, ".docker", "config.json"))
    if module.check_mode:
        module.exit_json(changed=True)  # the user does not exist before it is created
    module.fail_json(msg="there is no user {0}: leave the part user on".format(module.params["user"]))


if __name__ == "__main__":
    main()
