# Copyright (c) 2026, the ece.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All pages install the collection in the same way, and other programs in the versions that the tests have."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.docs.blocks import CHECKOUT, blocks_of, files_of_the_repository

INSTALL = "ansible-galaxy collection install"
# Pages with the way from Galaxy alone, and what other pages may have beside it.
EVERYWHERE = {
    f"{INSTALL} ece.platform",
    f"{INSTALL} -r requirements.yml",
    f"{INSTALL} -r collections/requirements.yml",
}
ELSEWHERE = {
    "README.md": {f"{INSTALL} --force git+https://github.com/ece-platform/ece.platform.git,main"},
    "docs/docsite/rst/air_gapped.rst": {
        "ansible-galaxy collection download ece.platform",
        f"{INSTALL} --offline collections/*.tar.gz",
    },
    "extensions/execution-environment/README.md": {
        "ansible-galaxy collection build --force --output-path build/tarball"
    },
    "extensions/awx/README.md": {f"{INSTALL} awx.awx"},
}
UNRELEASED = "README.md"
PAGES = [name for name in files_of_the_repository() if name.endswith((".md", ".rst"))]
# `make release` builds and publishes.
READ = [name for name in PAGES if name != "docs/releasing.md"]
MAJOR = int(str(yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))["version"]).split(".")[0])
COLLECTION = {"name": "ece.platform", "version": f">={MAJOR}.0.0,<{MAJOR + 1}.0.0"}


def text_of(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def commands_in(text: str) -> set[str]:
    """Return the commands that install, build or download collections."""
    found = re.findall(r"ansible-galaxy collection (?:install|build|download)\b[^`\n]*", text)
    return {command.strip() for command in found}


@pytest.mark.parametrize("name", READ)
def test_a_page_installs_the_collection_as_all_pages_do(name: str) -> None:
    assert commands_in(text_of(name)) - EVERYWHERE - ELSEWHERE.get(name, set()) == set()


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_page_with_another_command_has_it(name: str) -> None:
    assert ELSEWHERE[name] <= commands_in(text_of(name))


def requirements() -> dict[str, object]:
    """Return what requirements.yml of the example project and of each page say, by where they are."""
    found = {"examples": yaml.safe_load(text_of("examples/collections/requirements.yml"))}
    for name in PAGES:
        blocks = [block for block in blocks_of(CHECKOUT / name) if block.language == "yaml"]
        # Not all blocks are YAML by themselves: some have three dots.
        found |= {
            f"{name}:{block.line}": block.data for block in blocks if re.search(r"^collections:", block.text, re.M)
        }
    return found


def test_each_requirements_file_names_the_release_within_its_major_version() -> None:
    found = requirements()
    assert len(found) > 2
    assert {place: data for place, data in found.items() if data != {"collections": [COLLECTION]}} == {}


@pytest.mark.parametrize("name", PAGES)
def test_a_range_of_versions_is_the_same_on_all_pages(name: str) -> None:
    assert set(re.findall(r'">=\d[^"]*,<[^"]*"', text_of(name))) <= {f'"{COLLECTION["version"]}"'}


def test_one_page_says_how_to_install_what_is_not_released() -> None:
    from_git = re.compile(r"\btype: git\b|git\+https?://")
    assert [name for name in PAGES if from_git.search(text_of(name))] == [UNRELEASED]


def test_other_ways_are_found() -> None:
    assert commands_in("`ansible-galaxy collection build` or\n$ ansible-galaxy collection install x.tar.gz\n") == {
        "ansible-galaxy collection build",
        "ansible-galaxy collection install x.tar.gz",
    }


EDA = "extensions/eda/README.md"


def test_the_page_on_events_installs_what_the_tests_have() -> None:
    (installs,) = [block for block in blocks_of(CHECKOUT / EDA) if "ansible-rulebook --version" in block.text]
    (pip,) = re.findall(r"^\$ pip install (.*)$", installs.text, re.MULTILINE)
    needed = re.findall(r"^[^#\n].*$", text_of("tests/requirements-eda.txt"), re.MULTILINE)
    assert sorted(word.strip('"') for word in pip.split()) == sorted(needed)
    (package,) = re.findall(r'^  "(\S+) java"$', text_of("tests/packages.sh"), re.MULTILINE)
    assert f"apt-get install {package} " in installs.text
    (rulebook,) = re.findall(r"^ansible-rulebook>=(.*)$", "\n".join(needed), re.MULTILINE)
    assert f"ansible-rulebook\n{rulebook} and OpenJDK 17" in text_of(EDA)
