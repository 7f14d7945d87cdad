# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The context that ansible-builder makes of the definition, which needs no container engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.ee.image import ROOT, TARBALL, call, prepare, program


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the context, made in a folder that was prepared as the README says."""
    folder = tmp_path_factory.mktemp("context")
    definition = prepare(folder / "definition")
    output = call(program("ansible-builder"), "create", "--file", definition, "--context", folder / "context")
    assert "WARNING" not in output and "No matches" not in output, output
    assert (folder / "context" / "_build" / "collections" / TARBALL).read_bytes() == (
        definition.with_name(TARBALL).read_bytes()
    )
    return folder / "context"


def arguments_of(context: Path) -> dict[str, str]:
    """Return the arguments of the build with their defaults."""
    text = (context / "Containerfile").read_text(encoding="utf-8")
    return dict(re.findall(r'^ARG (\w+)="(.*)"$', text, re.MULTILINE))


def test_the_base_image_and_the_package_manager_are_arguments_of_the_build(context: Path) -> None:
    arguments = arguments_of(context)
    assert arguments["EE_BASE_IMAGE"] == "quay.io/fedora/fedora:latest"
    assert arguments["PKGMGR"] == "/usr/bin/dnf"
    assert "FROM $EE_BASE_IMAGE AS base" in (context / "Containerfile").read_text(encoding="utf-8")


def test_ansible_core_is_what_the_collection_supports_and_ansible_runner_does_not_hang_with_it(context: Path) -> None:
    supported = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    core, runner = arguments_of(context)["ANSIBLE_INSTALL_REFS"].split()
    assert supported in (core.removeprefix("ansible-core"), core.removeprefix("ansible-core") + ".0")
    assert runner == "ansible-runner>=2.4.2"


def test_the_collection_comes_from_the_tarball_and_system_packages_are_added(context: Path) -> None:
    build = context / "_build"
    (collection,) = yaml.safe_load((build / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    assert collection == {"name": "ece.platform", "type": "file", "source": f"collections/{TARBALL}"}
    assert (build / "bindep.txt").read_text(encoding="utf-8").split() == ["sshpass"]
    assert not (build / "requirements.txt").exists(), "Python libraries come from the collection's requirements"
