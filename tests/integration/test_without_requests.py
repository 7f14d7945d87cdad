# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Python without requests, like an execution environment that was built without the collection's requirements."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from tests.integration.operator import COLLECTIONS, PLAYBOOK

ARGUMENTS = {
    "ece_allocator": {"allocator_id": "192.0.2.1"},
    "ece_enrollment_token": {"roles": ["allocator"]},
    "ece_runner": {"runner_id": "192.0.2.1", "roles": ["allocator"]},
}
RUNTIME = COLLECTIONS / "ansible_collections" / "ece" / "platform" / "meta" / "runtime.yml"


def python_without_requests(core: Path, folder: Path) -> Path:
    """Return the Python of a new environment that has all packages of another one but requests."""
    python = core / "python"
    found = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    for path in Path(found.stdout.strip()).iterdir():
        if not path.name.startswith("requests"):
            (packages / path.name).symlink_to(path)
    return folder / "bin" / "python"


def sentence(python: Path) -> str:
    return f"the Python library requests is not installed in {python}: install it there"


def test_the_plan_names_the_python_that_lacks_requests_and_nothing_is_asked(any_operator):
    operator = any_operator
    operator.new_host("a", "192.0.2.1")
    operator.new_host("b", "192.0.2.2")
    python = python_without_requests(operator.core, operator.folder / "bare")
    command, environment = operator.command(PLAYBOOK)
    run = operator.run([str(python), "-m", "ansible", "playbook", *command[1:]], environment)
    assert run.rc == 2 and run.text.count(f'"msg": "{sentence(python)}') == 1, run.output
    assert "an execution environment gets it from this collection's requirements" in run.text
    assert operator.ece.requests == [] and not any(host.has_started for host in operator.ece.hosts.values())


def test_every_module_on_the_api_names_the_python_that_lacks_requests(any_operator):
    operator = any_operator
    python = python_without_requests(operator.core, operator.folder / "bare")
    operator.hosts["localhost"] = {"ansible_connection": "local", "ansible_python_interpreter": str(python)}
    tasks = []
    group = yaml.safe_load(RUNTIME.read_text(encoding="utf-8"))["action_groups"]["ece"]
    # Those with an action run in the controller's Python.
    modules = [name for name in group if not (RUNTIME.parents[1] / "plugins" / "action" / f"{name}.py").exists()]
    for module in modules:
        right = [
            "result is failed",
            f"result.msg.startswith('{sentence(python)}, or set ansible_python_interpreter')",
            "result.exception | default('') in ['', '(traceback unavailable)']",
        ]
        tasks += [
            {f"ece.platform.{module}": ARGUMENTS.get(module, {}), "register": "result", "ignore_errors": True},
            {"ansible.builtin.assert": {"that": right}},
        ]
    playbook = operator.write("modules.yml", [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])
    run = operator.play(playbook=playbook)
    assert run.rc == 0 and run.total("ignored") == len(modules) >= 6, run.output
    assert operator.ece.requests == []
