# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments of the kernel."""

from __future__ import annotations

import pytest

from ansible_collections.ece.platform.plugins.module_utils import _preparation_boot as boot
from ansible_collections.ece.platform.plugins.module_utils._preparation_part import MARKER, marked
from tests.unit.preparation import RHEL, SLES, UBUNTU, facts, options

WANTED = ["cgroup_enable=memory", "swapaccount=1", "cgroup.memory=nokmem"]
ALL = " ".join(WANTED)
DROP_IN = marked(boot.drop_in_block(WANTED))
GRUB = 'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX="console=ttyS0"\n'


def read(**given):
    return {
        "tool": "/sbin/tool",
        "now": "quiet",
        "grub": GRUB,
        "drop_in": "",
        "kernels": None,
        **given,
    }


def plan(read, system, **given):
    return boot.plan_boot(facts("boot", read), options(**given), system)


def test_ubuntu_gets_a_file_of_its_own():
    found = plan(read(), UBUNTU)
    new = {"path": boot.GRUB_DROP_IN, "block": boot.drop_in_block(WANTED), "marker": MARKER}
    assert found.values["block"] == new and found.values["file"] is None
    assert found.values["command"] == ["/sbin/tool"]
    assert found.reboot == [f"the kernel was started without {ALL}"]
    assert plan(read(drop_in="#"), UBUNTU).values["block"] == new


def test_sles_gets_the_arguments_in_its_file():
    found = plan(read(), SLES)
    assert found.values["file"] == {
        "path": boot.GRUB_FILE,
        "content": f'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX="console=ttyS0 {ALL}"\n',
    }
    assert found.values["command"] == ["/sbin/tool", "--refresh"]


def test_rhel_gets_them_by_grubby():
    found = plan(read(kernels=["ro quiet", f"ro {ALL}"]), RHEL)
    assert found.values["command"] == ["/sbin/tool", "--update-kernel=ALL", f"--args={ALL}"]
    assert found.values["file"] is found.values["block"] is None
    assert plan(read(kernels=[]), RHEL).steps, "without a kernel it is not known"


def test_grubby_would_replace_what_others_have_in_these_lists():
    kernels = ["ro cgroup.memory=nosocket swapaccount=0", "ro cgroup.memory=nobpf,nosocket cgroup_enable=cpuset x=1"]
    merged = "cgroup_enable=memory,cpuset swapaccount=1 cgroup.memory=nokmem,nosocket,nobpf"
    found = plan(read(kernels=kernels), RHEL)
    assert found.values["command"] == ["/sbin/tool", "--update-kernel=ALL", f"--args={merged}"]
    found = plan(read(kernels=[f"ro {merged}"], now=f"ro {merged}"), RHEL)
    assert not found.steps and not found.reboot


@pytest.mark.parametrize(
    ("system", "state"),
    [
        (UBUNTU, {"drop_in": DROP_IN}),
        (UBUNTU, {"grub": boot.grub_text(GRUB, WANTED)}),
        (SLES, {"grub": boot.grub_text(GRUB, WANTED)}),
        (RHEL, {"kernels": [f"ro {ALL} quiet"]}),
    ],
    ids=["drop-in", "by hand", "sles", "rhel"],
)
def test_the_second_run_has_nothing_to_do_but_may_wait_for_a_restart(system, state):
    found = plan(read(**state), system)
    assert not found.steps and found.reboot
    assert not plan(read(now=f"quiet {ALL}", **state), system).reboot


def test_a_drop_in_does_not_count_on_sles():
    assert plan(read(drop_in=DROP_IN), SLES).steps


def test_a_host_without_a_boot_loader_says_so_and_is_not_rebooted():
    found = plan(read(tool=None), UBUNTU)
    assert not found.steps and not found.reboot
    assert found.notes == [f"The kernel was started without {ALL}, and the host has no update-grub to set it."]
    assert not plan(read(tool=None, now=ALL), UBUNTU).notes


def test_no_arguments_are_wanted():
    found = plan(read(), UBUNTU, ece_host_preparation_boot_arguments=[])
    assert not found.steps and not found.reboot and not found.notes


@pytest.mark.parametrize("argument", ["a b", 'a"', "a'", "$(reboot)", "a`b"])
def test_an_argument_cannot_be_a_command(argument):
    (problem,) = plan(read(), UBUNTU, ece_host_preparation_boot_arguments=[argument]).problems
    assert problem.startswith("ece_host_preparation_boot_arguments ")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", f'GRUB_CMDLINE_LINUX="{ALL}"'),
        ("GRUB_TIMEOUT=5", f'GRUB_CMDLINE_LINUX="{ALL}"'),
        ("GRUB_CMDLINE_LINUX=''\n", f"GRUB_CMDLINE_LINUX='{ALL}'"),
        ("GRUB_CMDLINE_LINUX=quiet\n", f'GRUB_CMDLINE_LINUX="quiet {ALL}"'),
        (
            'GRUB_CMDLINE_LINUX="swapaccount=0 console=tty0 console=ttyS0"\n',
            f'GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0 {ALL}"',
        ),
        ('GRUB_CMDLINE_LINUX="cgroup.memory=nosocket"\n', f'GRUB_CMDLINE_LINUX="cgroup.memory=nosocket {ALL}"'),
        (
            'GRUB_CMDLINE_LINUX="cgroup.memory=nosocket,nokmem cgroup_enable=cpuset,memory swapaccount=1"\n',
            'GRUB_CMDLINE_LINUX="cgroup.memory=nosocket,nokmem cgroup_enable=cpuset,memory swapaccount=1"',
        ),
        ('GRUB_CMDLINE_LINUX="cgroup_enable=cpuset"\n', f'GRUB_CMDLINE_LINUX="cgroup_enable=cpuset {ALL}"'),
        ('  GRUB_CMDLINE_LINUX="a b" # note "x"\n', f'  GRUB_CMDLINE_LINUX="a b {ALL}" # note "x"'),
        ("GRUB_CMDLINE_LINUX= # none\n", f'GRUB_CMDLINE_LINUX="{ALL}" # none'),
        ('GRUB_CMDLINE_LINUX="a"\r\n', f'GRUB_CMDLINE_LINUX="a {ALL}"'),
        ('GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX a"\n', f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX a {ALL}"'),
        ('#GRUB_CMDLINE_LINUX="a"\nGRUB_CMDLINE_LINUX_DEFAULT="b"\n', f'GRUB_CMDLINE_LINUX="{ALL}"'),
    ],
)
def test_the_text_of_the_file(text, line):
    found = boot.grub_text(text, WANTED)
    assert line in found.splitlines()
    assert boot.grub_text(found, WANTED) == found
    kept = [part for part in text.splitlines() if not part.strip().startswith("GRUB_CMDLINE_LINUX=")]
    assert [part for part in found.splitlines() if part in kept] == kept


def test_arguments_that_may_repeat_are_added_and_others_replaced():
    wanted = ["console=ttyS1", "swapaccount=1"]
    found = boot.with_wanted("console=tty0 swapaccount=1 swapaccount=0 console=ttyS0", wanted)
    assert found == "console=tty0 swapaccount=1 console=ttyS0 console=ttyS1"
    assert boot.with_wanted(found, wanted) == found
    assert boot.with_wanted("swapaccount=0", ["console=tty0"]) == "swapaccount=0 console=tty0"


ODD_LINES = [
    'GRUB_CMDLINE_LINUX="a \\',
    "GRUB_CMDLINE_LINUX=a\\ b",
    'GRUB_CMDLINE_LINUX="a',
    'GRUB_CMDLINE_LINUX="a" b',
    "GRUB_CMDLINE_LINUX=\"a\"' b'",
    'GRUB_CMDLINE_LINUX="a \\"b\\""',
    "GRUB_CMDLINE_LINUX=a#b",
    "GRUB_CMDLINE_LINUX=a; export GRUB_CMDLINE_LINUX",
    'export GRUB_CMDLINE_LINUX="a"',
    'if true; then GRUB_CMDLINE_LINUX="a"; fi',
]


@pytest.mark.parametrize("line", ODD_LINES)
def test_a_line_that_cannot_be_changed_safely_is_named(line):
    grub = f'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX="{ALL}"\n{line}\nb"\n'
    found = plan(read(grub=grub), SLES)
    assert not found.steps and "file" not in found.values
    assert found.problems == [
        f"ece_host_preparation_boot_arguments cannot be added to {line!r} in /etc/default/grub: write its value on one "
        "line, in one pair of quotes and without backslashes."
    ]
    # The kernel has the arguments, so that the line gives them.
    found = plan(read(grub=grub, now=ALL), SLES)
    assert not found.problems and not found.steps and not found.reboot
    # Ubuntu has a file of its own, which does not depend on the line.
    found = plan(read(grub=grub), UBUNTU)
    assert not found.problems and found.values["block"]["path"] == boot.GRUB_DROP_IN


@pytest.mark.parametrize(
    "line", ['# GRUB_CMDLINE_LINUX="a', 'GRUB_CMDLINE_LINUX_DEFAULT="a', 'MY_GRUB_CMDLINE_LINUX="a']
)
def test_other_lines_are_none_of_them(line):
    assert not boot.foreign_line(f"{line}\n")


def test_this_machine_can_be_read():
    for system in (RHEL, UBUNTU, SLES):
        assert boot.read_boot({}, options(), system)["now"]
