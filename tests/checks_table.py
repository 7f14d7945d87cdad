# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the page on the checks of a host from the rules themselves: python -m tests.checks_table"""

from __future__ import annotations

from ansible_collections.ece.platform.plugins.module_utils._host_rule import Rule
from ansible_collections.ece.platform.plugins.module_utils._host_rules import RULES
from tests import rst

PAGE = rst.PAGES / "checks.rst"
HEAD = f"""{rst.title("checks", "Checks of a host")}
Before it installs anything on a host, role ``ece_host`` compares the host with these requirements of ECE and of its
installer. Module ``ece.platform.ece_host_info`` does the same. With ``ece_host_prepare``, role ``ece_host_preparation``
prepares a new host before that.

* A **problem** is a requirement without which the installer refuses the host, or the install cannot work. The role does
  not install on a host with a problem.
* A **warning** is a requirement without which the host can join, but may not work well.

:ref:`Preparing hosts <ansible_collections.ece.platform.docsite.preparing_hosts>` says which of them role
``ece_host_preparation`` mends.

Operating system and engine are compared with the support matrix in the text of the installer that will run, where it
has one. Else the rows of this collection apply: those to ECE 4.0 are of the installer 4.0.3, those of 4.1 and 4.2 of
the documentation. What no installer is known to refuse is a warning, as is a version of ECE without a row. So is what
the installer's own table says where a part of it is not understood, and another minor version of Docker where the
installer is later than 4.0, because how that compares versions is not known.

The checks run nothing that writes. Podman is asked through its socket only, because ``podman ps`` would create files in
the home folder of the user. The check ``network`` connects to the coordinator, to the directors that the
module is told of, and to the registry, for 2.5 seconds at most.

Every sentence about a host says what to do. A check that does not apply to your hosts can be skipped by its name, with
``ece_host_skip_checks`` of the role or ``skip_checks`` of the module; ``all`` skips all of them.

The last column is where a requirement comes from and when that source was read. ``make tables`` writes this page from
the rules in ``plugins/module_utils/_host_rules.py`` and ``_host_advice.py``.

"""


def row(rule: Rule) -> tuple[str, ...]:
    """Return the cells of the table for one rule."""
    return (f"``{rule.name}``", rule.severity, rst.from_markdown(rule.summary), rst.from_markdown(rule.source))


def page() -> str:
    """Return the whole page: the rules by the names of their checks, and in the order in which they are applied."""
    rows = [row(rule) for rule in sorted(RULES, key=lambda rule: rule.name)]
    return HEAD + rst.table(("check", "severity", "requirement", "source"), rows, (10, 10, 45, 35))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
