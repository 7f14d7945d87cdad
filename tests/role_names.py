# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of the role and the playbook that tests look for in the output of a run."""

from __future__ import annotations

JOIN_PLAY = "Join them"
CHECK_TASK = "Check the host"
MINT_TASK = "Mint the token"
START_TASK = "Start the installer"
WAIT_TASK = "Wait until connected"
REPORT_TASK = "Report"
# The variable in which the role registers the minted token, and what all its registered variables begin with.
TOKEN_VARIABLE = "__ece_host_token"
VARIABLE_PREFIX = "__ece_host"


def outputs_of(task: str, output: str) -> list[str]:
    """Return what Ansible printed below each heading of a task of the role, in order."""
    return [part.split("TASK [")[0] for part in output.split(f"TASK [ece.platform.ece_host : {task}]")[1:]]
