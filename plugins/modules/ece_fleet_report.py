#!/usr/bin/python
# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ece_fleet_report
short_description: Write a report on the fleet (private)
version_added: 1.0.0
description:
  - "WARNING: Only for the use of playbook C(ece.platform.fleet_report) and role P(ece.platform.ece_host#role). It may
    change or go in any release."
  - Writes one page and the same as JSON beside it, from three requests to the platform, or more where it has more than
    1,000 allocators.
  - Reads its variables, C(ece_fleet_report_path), C(ece_fleet_report_mode) and those of the connection, from the host
    that it runs for, wherever they are set.
  - Shows one line on the fleet. The last line is C(ece_fleet_report:) and the sums as JSON, for scripts. Returns the
    same for C(set_stats).
  - At the end of a join it shows nothing, and an error is a warning.
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
    support: full
  idempotent:
    support: partial
    details:
      - The files have the time at which they were made, so that each run writes them. The task has changed only if
        something other than this time differs.
options:
  plan:
    description:
      - The result of C(ece.platform.ece_join_plan), at the end of a join. The path is C(fleet_report) of it, and the
        report has the timeline of the join.
    type: dict
"""

EXAMPLES = r"""
- name: Write the report
  ece.platform.ece_fleet_report:
"""

RETURN = r"""
msg:
  description: The fleet in one line.
  returned: success, but not where a join has no report
  type: str
  sample: >-
    ECE 3.8.0 at https://ece.example.com:12443 - 123 hosts in 3 zones: 2 disconnected, 1 in maintenance mode;
    14,200 of 29,280 GB memory used
page:
  description: Absolute path of the page, on the controller.
  returned: success, but not where a join has no report
  type: str
  sample: /srv/reports/fleet.html
data:
  description: Absolute path of the file with the same as JSON.
  returned: success, but not where a join has no report
  type: str
  sample: /srv/reports/fleet.json
"""
