# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change or go in any release.

"""Arguments that the kernel starts with.

All pages on configuring a host (configure-host-rhel, -ubuntu, -suse) ask for them, read 2026-11-27.
Runs on hosts: Python 3.6 and the standard library.
"""

import re
from typing import Any, Dict, List, Match, Optional, Sequence

from ansible_collections.ece.platform.plugins.module_utils._host_process import find_command, run_command
from ansible_collections.ece.platform.plugins.module_utils._host_read import read_text
from ansible_collections.ece.platform.plugins.module_utils._host_system import BOOT_LISTS, missing_boot_arguments
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

GRUB_FILE = "/etc/default/grub"
# Ubuntu reads the files of this folder after GRUB_FILE; SLES does not.
GRUB_DROP_IN = "/etc/default/grub.d/70-ece.cfg"
COMMAND_SECONDS = 30
# Of these, the kernel keeps one value. Others, like console= and those of BOOT_LISTS, may be given several times.
SINGLE_ARGUMENTS = frozenset(("swapaccount",))
# A value that can be changed without knowing more of a shell: in one pair of quotes, or one word without any.
_LINUX_LINE = re.compile(
    r"""^(?P<start>[ \t]*GRUB_CMDLINE_LINUX=)"""
    r"""(?:"(?P<double>[^"\\\n]*)"|'(?P<single>[^'\n]*)'|(?P<word>[^\s"'#\\;&|<>()`]*))"""
    r"""(?P<comment>[ \t]+\#[^\n]*?)?[ \t\r]*$""",
    re.MULTILINE,
)
_ANY_LINUX_LINE = re.compile(r"^(?:[^#\n]*[^\w#\n])?GRUB_CMDLINE_LINUX=.*$", re.MULTILINE)
_KERNEL_ARGUMENTS = re.compile(r'^args="(.*)"$', re.MULTILINE)


def with_wanted(arguments: str, wanted: Sequence[str]) -> str:
    """Arguments with the missing ones at their end, which outrank other values of the same keys."""
    keys = {argument.split("=")[0] for argument in wanted} & SINGLE_ARGUMENTS
    kept = [argument for argument in arguments.split() if argument in wanted or argument.split("=")[0] not in keys]
    return " ".join([*kept, *missing_boot_arguments(" ".join(kept), wanted)])


def for_grubby(kernels: Sequence[str], wanted: Sequence[str]) -> str:
    """The wanted arguments with what the kernels have in lists of the same keys, which grubby would replace."""
    merged: Dict[str, List[str]] = {}
    given = [argument for arguments in kernels for argument in arguments.split()]
    keys = {argument.split("=")[0] for argument in wanted} & BOOT_LISTS
    for argument in [*wanted, *given]:
        key, _equals, value = argument.partition("=")
        if key in keys:
            merged.setdefault(key, []).extend(value.split(","))
        elif argument in wanted:
            merged[argument] = []
    return " ".join(f"{key}={','.join(dict.fromkeys(values))}" if values else key for key, values in merged.items())


def _value(line: Match[str]) -> str:
    return line.group("double") or line.group("single") or line.group("word") or ""


def foreign_line(text: str) -> str:
    """The line of /etc/default/grub that sets the arguments in another way than _LINUX_LINE, or an empty string."""
    for line in _ANY_LINUX_LINE.finditer(text):
        if not _LINUX_LINE.match(line.group()):
            return line.group().strip()
    return ""


def grub_text(text: str, wanted: Sequence[str]) -> str:
    """The text of /etc/default/grub with the wanted arguments for all kernels."""
    found = list(_LINUX_LINE.finditer(text))
    if not found:
        end = "" if not text or text.endswith("\n") else "\n"
        return f'{text}{end}GRUB_CMDLINE_LINUX="{" ".join(wanted)}"\n'
    # A shell reads the file, so that the last line counts.
    line = found[-1]
    quote = "'" if line.group("single") is not None else '"'
    changed = f"{line.group('start')}{quote}{with_wanted(_value(line), wanted)}{quote}{line.group('comment') or ''}"
    return text[: line.start()] + changed + text[line.end() :]


def drop_in_block(wanted: Sequence[str]) -> str:
    """The line that adds the wanted arguments to those of the other files."""
    return f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {" ".join(wanted)}"\n'


def command_of(found: Dict[str, Any], system: System, wanted: Sequence[str]) -> List[str]:
    """The command that writes what the boot loader reads."""
    by_grubby = for_grubby(found["kernels"] or [], wanted)
    more = {"grubby": ["--update-kernel=ALL", f"--args={by_grubby}"], "update-bootloader": ["--refresh"]}
    return [found["tool"], *more.get(system["boot_tool"], [])]


def read_boot(facts: Facts, options: Options, system: System) -> Dict[str, Any]:
    """tool: path of the boot loader's command, or None. now, kernels: arguments now, and those of each kernel."""
    tool = find_command(system["boot_tool"])
    found: Dict[str, Any] = {
        "tool": tool,
        "now": read_text("/proc/cmdline"),
        "grub": "",
        "drop_in": "",
        "kernels": None,
    }
    if tool and system["boot_tool"] == "grubby":
        shown = run_command([tool, "--info=ALL"], timeout=COMMAND_SECONDS)
        found["kernels"] = _KERNEL_ARGUMENTS.findall(shown.out) if shown.rc == 0 else None
    elif tool:
        found.update(
            grub=read_text(GRUB_FILE),
            drop_in=read_text(GRUB_DROP_IN),
        )
    return found


def _is_configured(found: Dict[str, Any], system: System, wanted: List[str]) -> bool:
    if system["boot_tool"] == "grubby":
        kernels: Optional[List[str]] = found["kernels"]
        return bool(kernels) and not any(missing_boot_arguments(arguments, wanted) for arguments in kernels or [])
    by_drop_in = system["grub_drop_in"] and marked(drop_in_block(wanted)) in found["drop_in"]
    if foreign_line(found["grub"]):
        return bool(by_drop_in)
    in_file = [_value(line) for line in _LINUX_LINE.finditer(found["grub"])][-1:]
    return bool(by_drop_in or (in_file and not missing_boot_arguments(in_file[0], wanted)))


def plan_boot(facts: Facts, options: Options, system: System) -> PartPlan:
    """Give the arguments to the boot loader; they count after a reboot."""
    plan = new_plan()
    wanted = options["ece_host_preparation_boot_arguments"]
    found = facts["preparation"]["boot"]
    not_now = missing_boot_arguments(found["now"], wanted)
    bad = [argument for argument in wanted if re.search(r"[\s\"'\\$`]", argument)]
    if bad:
        plan.problems.append(
            f"ece_host_preparation_boot_arguments {bad[0]!r} holds a blank or a quote: give one argument per element."
        )
        return plan
    if not wanted:
        return plan
    if not found["tool"]:
        if not_now:
            plan.notes.append(
                f"The kernel was started without {' '.join(not_now)}, and the host has no {system['boot_tool']} to set "
                "it."
            )
        return plan
    line = foreign_line(found["grub"])
    if line and not system["grub_drop_in"]:
        # A kernel that has the arguments proves that the line gives them.
        if not_now:
            plan.problems.append(
                f"ece_host_preparation_boot_arguments cannot be added to {line!r} in {GRUB_FILE}: write its value on "
                "one line, in one pair of quotes and without backslashes."
            )
        return plan
    if not _is_configured(found, system, wanted):
        plan.steps.append(f"let the kernel start with {' '.join(wanted)} ({system['boot_tool']})")
        plan.values.update(command=command_of(found, system, wanted), file=None, block=None)
        if system["boot_tool"] != "grubby" and system["grub_drop_in"]:
            plan.values["block"] = {"path": GRUB_DROP_IN, "block": drop_in_block(wanted), "marker": MARKER}
        elif system["boot_tool"] != "grubby":
            plan.values["file"] = {"path": GRUB_FILE, "content": grub_text(found["grub"], wanted)}
    if not_now:
        plan.reboot.append(f"the kernel was started without {' '.join(not_now)}")
    return plan


BOOT = Part("boot", read_boot, plan_boot)
