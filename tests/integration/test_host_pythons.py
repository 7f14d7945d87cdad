# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts with the oldest Python that an ansible-core supports, and with newer ones. The summary names those tested."""

from __future__ import annotations

import subprocess

import pytest

from tests.interpreters import find_python
from tests.matrix.versions import host_pythons

WRAPPER = """\
#!/bin/sh
echo used >>"$0.used"
exec '{python}' "$@"
"""


def release_of(core):
    """Return the release of an ansible-core, like 2.16."""
    code = "import ansible.release; print(*ansible.release.__version__.split('.')[:2], sep='.')"
    return subprocess.run([core / "python", "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.with_both
def test_hosts_with_different_pythons_join(any_operator):
    operator = any_operator
    pythons = {version: find_python(version) for version in host_pythons(release_of(operator.core))}
    found = {version: python for version, python in pythons.items() if python}
    found = found or {"own": str(operator.core / "python")}
    wrappers = {}
    for number, (version, python) in enumerate(found.items(), start=1):
        wrappers[version] = operator.folder / f"python{version}"
        wrappers[version].write_text(WRAPPER.format(python=python), encoding="utf-8")
        wrappers[version].chmod(0o755)
        operator.new_host(f"host-{version}", f"192.0.2.{number}")["ansible_python_interpreter"] = str(wrappers[version])
    run = operator.play()
    assert run.rc == 0 and len(operator.ece.joined) == len(found), run.output
    assert f"{len(found)}/{len(found)} connected" in run.text
    for wrapper in wrappers.values():
        uses = wrapper.with_name(f"{wrapper.name}.used").read_text(encoding="utf-8").count("used")
        assert uses >= 2, "the check and the start"
