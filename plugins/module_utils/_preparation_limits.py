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
from typing import Any, Dict, List, Mapping, Sequence, Tuple

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
# PAM reads it first, and then those of the folder.
_LIMITS_CONF = "etc/security/limits.conf"
_UNLIMITED = ("unlimited", "infinity", "-1")
MANAGER_FILE = "/etc/systemd/system.conf.d/70-ece.conf"
MANAGER_BLOCK = f"[Manager]\nDefaultLimitNOFILE={NOFILE}\n"
# A later folder's file takes the place of one with the same name in an earlier folder.
_MANAGER_FOLDERS = ("usr/lib/systemd", "etc/systemd")
_DEFAULT_NOFILE = re.compile(r"^\s*DefaultLimitNOFILE\s*=\s*(\S+)", re.MULTILINE)
SYSTEMCTL_SECONDS = 10


def limits_for(user: str) -> List[Tuple[str, str, str, str]]:
    """The limits that PAM is to set: whose, soft or hard, which, and the value. Those of a user outrank others."""
    nofile, memlock = str(NOFILE), "unlimited"
    return [
        ("*", "soft", "nofile", nofile),
        ("*", "hard", "nofile", nofile),
        ("*", "soft", "memlock", memlock),
        ("*", "hard", "memlock", memlock),
        (user, "soft", "nofile", nofile),
        (user, "hard", "nofile", nofile),
        (user, "soft", "memlock", memlock),
        (user, "hard", "memlock", memlock),
        (user, "soft", "nproc", "unlimited"),
        (user, "hard", "nproc", "unlimited"),
        ("root", "soft", "nofile", nofile),
        ("root", "hard", "nofile", nofile),
        ("root", "soft", "memlock", memlock),
    ]


def limits_block(user: str) -> str:
    """The lines of this role for PAM."""
    return "".join(f"{who:<16}{kind:<8}{what:<10}{value}\n" for who, kind, what, value in limits_for(user))


def limits_files(root: str = "/") -> List[Tuple[str, str]]:
    """(path, text) of the files that PAM reads, in their order."""
    folder = os.path.dirname(LIMITS_FILE).lstrip("/")
    try:
        names = sorted(name for name in os.listdir(os.path.join(root, folder)) if name.endswith(".conf"))
    except OSError:
        names = []
    paths = [_LIMITS_CONF, *(os.path.join(folder, name) for name in names)]
    return [("/" + path, read_text(os.path.join(root, path))) for path in paths]


def limits_set(files: Sequence[Tuple[str, str]]) -> Dict[Tuple[str, str, str], Tuple[str, str]]:
    """(value, path) of what these files set: the last line counts."""
    found = {}
    for path, text in files:
        for line in text.splitlines():
            fields = line.split("#")[0].split()
            if len(fields) == 4:
                who, (kind, what, value) = fields[0], (field.lower() for field in fields[1:])
                for one in ("soft", "hard") if kind == "-" else (kind,):
                    found[who, one, what] = (value, path)
    return found


def low_limits(files: Sequence[Tuple[str, str]], user: str) -> List[str]:
    """The files that set limits lower than this role would, with an empty path for those that none sets."""
    found = limits_set(files)
    given = [(what, *found.get((who, kind, what), ("", ""))) for who, kind, what, _value in limits_for(user)]
    return sorted({path for what, value, path in given if not _is_enough(value, is_nofile=what == "nofile")})


def _is_enough(value: str, *, is_nofile: bool) -> bool:
    return value in _UNLIMITED or (is_nofile and value.isdigit() and int(value) >= NOFILE)


def last_word(files: Sequence[Any]) -> str:
    """The name of the file that sets DefaultLimitNOFILE last, or an empty string.

    files: (name, text) in their order.
    """
    return next((name for name, text in reversed(files) if _DEFAULT_NOFILE.search(text)), "")


def is_high(text: str) -> bool:
    """Whether a file of systemd sets DefaultLimitNOFILE high enough, as one number or as soft:hard."""
    values = [value.split(":") for value in _DEFAULT_NOFILE.findall(text)[-1:]]
    return any(all(_is_enough(one, is_nofile=True) for one in value) for value in values)


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
    """limits, manager: (path, text) of PAM's files and of systemd's. now: the limit that services get."""
    shown = run_command(
        ["systemctl", "show", "--property", "DefaultLimitNOFILESoft", "--value"], timeout=SYSTEMCTL_SECONDS
    )
    now = shown.out.strip()
    return {
        "limits": limits_files(),
        "manager": manager_files(),
        "now": int(now) if shown.rc == 0 and now.isdigit() else None,
    }


def plan_limits(facts: Facts, options: Options, system: System) -> PartPlan:
    """Write the two files, unless files of others do as well, and have systemd read its own."""
    plan = new_plan()
    found = facts["preparation"]["limits"]
    plan.values.update(blocks={}, marker=MARKER)
    _plan_users(found, options, plan)
    _plan_manager(found, plan)
    return plan


def _plan_users(found: Mapping[str, Any], options: Options, plan: PartPlan) -> None:
    block, ours = limits_block(options["ece_host_user"]), dict(found["limits"]).get(LIMITS_FILE, "")
    low = low_limits(found["limits"], options["ece_host_user"])
    if low and marked(block) not in ours:
        plan.values["blocks"][LIMITS_FILE] = block
        plan.steps.append(f"set limits of users in {LIMITS_FILE}")
    elif low:
        plan.notes.append(f"Limits of users that are read after {LIMITS_FILE} are lower: {', '.join(low)}.")


def _plan_manager(found: Mapping[str, Any], plan: PartPlan) -> None:
    files, texts = found["manager"], dict(found["manager"])
    ours = texts.get(MANAGER_FILE)
    last = last_word(files)
    is_others = last not in ("", MANAGER_FILE) and is_high(texts[last])
    is_written = marked(MANAGER_BLOCK) not in (ours or "") and not is_others
    if is_written:
        plan.values["blocks"][MANAGER_FILE] = MANAGER_BLOCK
    if ours is None and not is_others:
        last = last_word([*files, (MANAGER_FILE, MANAGER_BLOCK)])
    is_low = found["now"] is not None and found["now"] < NOFILE
    plan.values["reload"] = is_written or (is_low and (is_others or last == MANAGER_FILE))
    if plan.values["reload"]:
        place = last if is_others else MANAGER_FILE
        plan.steps.append(
            f"set DefaultLimitNOFILE={NOFILE} of systemd in {place}" if is_written else f"let systemd read {place}"
        )
    elif is_low:
        plan.notes.append(f"{last} sets DefaultLimitNOFILE after {MANAGER_FILE}, so that services get {found['now']}.")


LIMITS = Part("limits", read_limits, plan_limits)
