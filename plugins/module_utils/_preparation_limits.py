# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Limits of users and of systemd's services. Those of containers are settings of the engine.

All pages on configuring a host (configure-host-rhel, -ubuntu, -suse) have the limits, read 2026-11-27. systemd 252 and
later gives services and sessions a soft limit of 1024 files: elastic/ansible-elastic-cloud-enterprise 224 (2026-09).
Runs on hosts: Python 3.6 and the standard library.
"""

import os
import re
from typing import Any, Dict, List, Optional

from ansible_collections.ece.platform.plugins.module_utils._host_process import run_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import (
    MARKER,
    Facts,
    Options,
    Part,
    PartPlan,
    System,
    marked,
    new_plan,
)

NOFILE = 1024000
LIMITS_FILE = "/etc/security/limits.d/70-ece.conf"
MANAGER_FILE = "/etc/systemd/system.conf.d/70-ece.conf"
MANAGER_BLOCK = f"[Manager]\nDefaultLimitNOFILE={NOFILE}\n"
MANAGER_TEXT = marked(MANAGER_BLOCK)
# A later folder's file takes the place of one with the same name in an earlier folder.
_MANAGER_FOLDERS = ("usr/lib/systemd", "etc/systemd")
_DEFAULT_NOFILE = re.compile(r"^\s*DefaultLimitNOFILE\s*=\s*(\S+)", re.MULTILINE)
SYSTEMCTL_SECONDS = 10


def limits_block(user: str) -> str:
    """The lines for PAM. A line of a user outranks those of everybody."""
    rows = [
        ("*", "soft", "nofile", str(NOFILE)),
        ("*", "hard", "nofile", str(NOFILE)),
        ("*", "soft", "memlock", "unlimited"),
        ("*", "hard", "memlock", "unlimited"),
        (user, "soft", "nofile", str(NOFILE)),
        (user, "hard", "nofile", str(NOFILE)),
        (user, "soft", "memlock", "unlimited"),
        (user, "hard", "memlock", "unlimited"),
        (user, "soft", "nproc", "unlimited"),
        (user, "hard", "nproc", "unlimited"),
        ("root", "soft", "nofile", str(NOFILE)),
        ("root", "hard", "nofile", str(NOFILE)),
        ("root", "soft", "memlock", "unlimited"),
    ]
    return "".join(f"{who:<16}{kind:<8}{what:<10}{value}\n" for who, kind, what, value in rows)


def last_word(files: List[Any]) -> str:
    """The name of the file that sets DefaultLimitNOFILE last, or an empty string.

    files: (name, text) in their order.
    """
    return next((name for name, text in reversed(files) if _DEFAULT_NOFILE.search(text)), "")


def manager_files(root: str = "/") -> List[Any]:
    """(path, text) of the files with settings of systemd's manager, in their order."""
    drop_ins: Dict[str, str] = {}
    found = []
    for folder in _MANAGER_FOLDERS:
        found += [os.path.join(folder, "system.conf")]
        drop_in_folder = os.path.join(folder, "system.conf.d")
        try:
            names = os.listdir(os.path.join(root, drop_in_folder))
        except OSError:
            continue  # there is none
        drop_ins.update({name: os.path.join(drop_in_folder, name) for name in names if name.endswith(".conf")})
    found += [path for _name, path in sorted(drop_ins.items())]
    return [("/" + path, read_text(os.path.join(root, path))) for path in found]


def read_limits(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """limits: text of this role's file. manager: (path, text) of systemd's files. now: the limit that services get."""
    shown = run_command(
        ["systemctl", "show", "--property", "DefaultLimitNOFILESoft", "--value"], timeout=SYSTEMCTL_SECONDS
    )
    now = shown.out.strip()
    return {
        "limits": read_text(LIMITS_FILE),
        "manager": manager_files(),
        "now": int(now) if shown.rc == 0 and now.isdigit() else None,
    }


def plan_limits(facts: Facts, options: Options, system: System) -> PartPlan:
    """Write the two files, and have systemd read its own."""
    plan = new_plan()
    found, wanted = facts["preparation"]["limits"], limits_block(options["ece_host_user"])
    files, ours = found["manager"], dict(found["manager"]).get(MANAGER_FILE)
    last = last_word([*files, (MANAGER_FILE, MANAGER_TEXT)] if ours is None else files)
    plan.values.update(marker=MARKER, new_files={}, files={})
    if found["limits"] != marked(wanted):
        _write(plan, LIMITS_FILE, found["limits"], wanted)
        plan.steps.append(f"set limits of users in {LIMITS_FILE}")
    if ours != MANAGER_TEXT:
        _write(plan, MANAGER_FILE, ours, MANAGER_BLOCK)
    is_low = found["now"] is not None and found["now"] < NOFILE
    plan.values["reload"] = ours != MANAGER_TEXT or (is_low and last == MANAGER_FILE)
    if plan.values["reload"]:
        plan.steps.append(f"set DefaultLimitNOFILE={NOFILE} of systemd in {MANAGER_FILE}")
    if last not in ("", MANAGER_FILE) and is_low:
        plan.notes.append(f"{last} sets DefaultLimitNOFILE after {MANAGER_FILE}, so that services get {found['now']}.")
    return plan


def _write(plan: PartPlan, path: str, now: Optional[str], block: str) -> None:
    """Create a file of this role, or change one that other lines are in."""
    if now:
        plan.values["files"][path] = marked(block)
    else:
        plan.values["new_files"][path] = block


LIMITS = Part("limits", read_limits, plan_limits)
