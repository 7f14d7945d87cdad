#!/usr/bin/python

# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type  # the host's Python may be 3.6, which has no annotations import

DOCUMENTATION = r"""
module: ece_preparation_plan
short_description: Look at a host and say what has to be done to prepare it for ECE (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of role P(ece.platform.ece_host_preparation#role). It may change or go in any release."
  - Reads the host and compares it with what Elastic's pages on hosts ask for. Changes nothing.
  - Fails where the host cannot be prepared, with what to do about it.
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
    support: N/A
  idempotent:
    support: full
options:
  systems:
    description:
      - Mapping of operating systems, by their names in the support matrix, to what is different on them.
    type: dict
    required: true
  again:
    description:
      - Whether the tasks have been run. What is left to do, and what the rules of M(ece.platform.ece_host_info) call a
        problem, is a failure then, unless the host has to be rebooted first.
    type: bool
    default: false
  rebooted:
    description:
      - Whether the host was rebooted. That it still has to be is a failure then.
    type: bool
    default: false
  variables:
    description:
      - The role's variables. The action reads them itself.
    type: dict
"""

EXAMPLES = r"""
- name: Plan the preparation
  ece.platform.ece_preparation_plan:
    systems: "{{ __ece_host_preparation_systems }}"
  become: true
  register: __ece_host_preparation_plan
"""

RETURN = r"""
left_alone:
  description: Why nothing is done on the host. Empty otherwise.
  returned: success
  type: str
  sample: "it runs containers of ECE (frc-runners-runner), and is left as it is"
todo:
  description: The parts of which something has to be done, in their order.
  returned: success
  type: list
  elements: str
  sample: ["user", "limits"]
install_user:
  description: The user that the installer will run as.
  returned: success
  type: str
  sample: elastic
parts:
  description:
    - Mapping of the parts that are not skipped to what their tasks need.
    - C(steps) of each lists what the tasks will do, and is empty where nothing has to be done.
  returned: success
  type: dict
  sample: {"user": {"steps": ["create user elastic in group elastic, and in docker"]}}
reboot:
  description: Why the host has to be rebooted at the end.
  returned: success
  type: list
  elements: str
  sample: ["the kernel was started without swapaccount=1"]
notes:
  description: What differs from Elastic's pages and is left as it is.
  returned: success
  type: list
  elements: str
  sample: []
problems:
  description: Why the host cannot be prepared, each a sentence with its remedy.
  returned: always
  type: list
  elements: str
  sample: []
host_problems:
  description:
    - Problems that the rules of M(ece.platform.ece_host_info) find and that none of the role's parts mends.
  returned: success
  type: list
  elements: str
  sample: []
host_warnings:
  description: Their warnings, in the same way.
  returned: success
  type: list
  elements: str
  sample: []
options:
  description: Mapping of names to those of the role's variables that its tasks read, converted to their types.
  returned: always
  type: dict
  sample: {"reboot": false}
planned_at:
  description: When the plan was made, in seconds since 1970, to distinguish results of several plans.
  returned: always
  type: float
  sample: 1893456000.5
facts:
  description: Mapping of names to facts, as in RV(ece.platform.ece_host_info#module:facts).
  returned: success
  type: dict
  sample: {}
"""

from typing import Any, Dict, Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ece.platform.plugins.module_utils._host_facts import gather
from ansible_collections.ece.platform.plugins.module_utils._host_options import HOST_INFO_OPTIONS
from ansible_collections.ece.platform.plugins.module_utils._host_process import explain_os_error
from ansible_collections.ece.platform.plugins.module_utils._preparation import (
    check_host,
    plan_parts,
    read_parts,
    reason_to_leave,
)


def fact_options(variables: Mapping[str, Any]) -> Dict[str, Any]:
    """The options of ece_host_info for variables of the role."""
    found = {
        option.name: variables.get("ece_host_" + option.name, option.spec.get("default"))
        for option in HOST_INFO_OPTIONS
    }
    found["controller_time"] = variables.get("controller_time")
    # Nothing of the platform is known yet, so that nothing is asked of the network.
    found["skip_checks"] = [*found["skip_checks"], "network"]
    return found


def main() -> None:
    """Run the module."""
    # The action reads the variables, and what it is to say of the plan is its own business.
    spec = {
        "systems": {"type": "dict", "required": True},
        "again": {"type": "bool", "default": False},
        "rebooted": {"type": "bool", "default": False},
        "variables": {"type": "dict"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    # A result has the parameters, and these may hold the password of a proxy, which ANSIBLE_DEBUG would print.
    variables, systems = module.params.pop("variables") or {}, module.params["systems"]
    host_options = fact_options(variables)
    try:
        facts = gather(host_options)
        left_alone = reason_to_leave(facts)
        if left_alone:
            module.exit_json(
                changed=False,
                facts=facts,
                left_alone=left_alone,
                todo=[],
                install_user=variables["ece_host_user"],
                parts={},
                reboot=[],
                notes=[],
                problems=[],
                host_problems=[],
                host_warnings=[],
            )
        name = facts["os"]["matrix_name"]
        if name not in systems:
            problem = f"This role does not know {name}: it prepares {', '.join(sorted(systems))}."
            module.fail_json(msg=problem, problems=[problem])
        read = read_parts(facts, variables, systems[name])
    except OSError as error:
        module.fail_json(msg=explain_os_error(error), problems=[])
    # What was read stays here: files of the host may hold passwords.
    plan = plan_parts(dict(facts, preparation=read), variables, systems[name])
    # What is still to do, what counts after a reboot, and what is left to the operator cannot be judged yet.
    later = [*plan["todo"], *plan.pop("to_reboot"), *variables["ece_host_preparation_skip"]]
    plan["host_problems"], plan["host_warnings"] = check_host(facts, host_options, later)
    if plan["problems"]:
        module.fail_json(msg=" ".join(plan["problems"]), **plan)
    module.exit_json(changed=False, facts=facts, left_alone="", **plan)


if __name__ == "__main__":
    main()
